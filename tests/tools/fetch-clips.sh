#!/usr/bin/env bash
# Real footage and real speech out of Debian's archive, unpacked beside the build caches and not
# installed. Prints where they are:
#   clip=<a ball thrown, 720x576 H.264, 10 s>
#   speech=<a person reading aloud, WAV>
set -euo pipefail

cache="${SIDELINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sideline}/clips"
packages=(python3-mecavideo pocketsphinx-testdata)

find_clips() {
    [[ -d $cache/usr ]] || return 1
    clip=$(find "$cache/usr" -name balle-jbart.mp4 -size +0 -print -quit)
    speech=$(find "$cache/usr" -name '*_01_austen_64kb-0870.wav' -size +0 -print -quit)
    [[ -n $clip && -n $speech ]]
}

# The package lists of a fresh machine are empty: get them, asking for root only then.
download() {
    # As root, apt would drop to a user who cannot write here, and say so at length.
    local apt=(apt-get -o APT::Sandbox::User="$(id -un)" -qq)
    if ! apt-cache show "${packages[@]}" >/dev/null 2>&1; then
        echo "fetch-clips: apt-get update" >&2
        if [[ $(id -u) -eq 0 ]]; then
            apt-get -qq update >&2
        else
            sudo apt-get -qq update >&2
        fi
    fi
    "${apt[@]}" download "${packages[@]}" >&2
}

if ! find_clips; then
    if ! command -v apt-get >/dev/null; then
        echo "fetch-clips: the clips come out of Debian packages, and apt-get is not here" >&2
        exit 1
    fi
    echo "fetch-clips: downloading ${packages[*]} (not installed)" >&2
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/part.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    download
    for package in ./*.deb; do
        dpkg-deb -x "$package" tree
    done
    rm -rf "${cache:?}/usr"
    mv tree/usr "$cache/usr"
    find_clips || {
        echo "fetch-clips: the packages no longer hold the clips expected" >&2
        exit 1
    }
fi
printf 'clip=%s\nspeech=%s\n' "$clip" "$speech"
