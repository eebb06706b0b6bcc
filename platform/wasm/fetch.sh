#!/usr/bin/env bash
# fetch.sh <folder>: the sources of the outside libraries, from the source packages of the Debian
# release this machine runs. Mirrors and keys are those apt uses here; /etc/apt stays as it is and
# root is not needed. Ends with <folder>/versions, one "package version" a line; a folder that has
# that file is complete and is left alone.
set -euo pipefail

packages="zlib libpng1.6 freetype pixman cairo opus cjson mbedtls sqlite3 check"

here=$(dirname "$(realpath "$0")")
mkdir -p "$1"
dest=$(realpath "$1")

# Cairo 1.16 calls functions through pointers of another type, which traps in WebAssembly, and finds
# fonts through fontconfig only. The patch applied is kept, so that a newer one can replace it.
patch_cairo() {
    if [ ! -d "$dest/cairo-1.16.0" ] || cmp -s "$here/deps/cairo-1.16.patch" "$dest/cairo.patch"; then
        return
    fi
    if [ -f "$dest/cairo.patch" ]; then
        patch -s -R -p1 -d "$dest/cairo-1.16.0" <"$dest/cairo.patch"
    fi
    patch -s -p1 -d "$dest/cairo-1.16.0" <"$here/deps/cairo-1.16.patch"
    cp "$here/deps/cairo-1.16.patch" "$dest/cairo.patch"
}

if [ -f "$dest/versions" ]; then
    patch_cairo
    exit 0
fi

# A private set of package lists, next to the sources. The release itself comes before its updates:
# of one version listed in both, apt takes the first, and that mirror has the files for certain.
apt_dir=$dest/.apt
mkdir -p "$apt_dir"/lists/partial "$apt_dir"/archives/partial "$apt_dir"/sources
: >"$apt_dir/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# shellcheck disable=SC2016
apt-get indextargets --format '$(ORIGIN) $(CREATED_BY) $(REPO_URI) $(RELEASE)' |
    awk '$1 == "Debian" && $2 == "Packages" { print $3, $4 }' | sort -u -k2 |
    while read -r uri release; do
        printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n' \
            "$uri" "$release" "$keyring"
    done >"$apt_dir/sources/debian.sources"
if [ ! -s "$apt_dir/sources/debian.sources" ]; then
    echo "wasm: apt knows no Debian mirror on this machine; run apt-get update first" >&2
    exit 1
fi
options=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$apt_dir/sources"
    -o "Dir::State::lists=$apt_dir/lists" -o "Dir::State::status=$apt_dir/status"
    -o "Dir::Cache=$apt_dir" -o "Debug::NoLocking=1" -o "APT::Sandbox::User=")
apt-get -qq "${options[@]}" update

# A mirror may lack a file of the newest revision, so older ones are tried; last comes the
# upstream archive without Debian's changes.
fetch_one() {
    local name=$1 version archive
    while read -r version; do
        if apt-get -qq "${options[@]}" source --download-only "$name=$version" \
            >/dev/null 2>"$apt_dir/errors" &&
            dpkg-source --no-check -x "${name}_${version#*:}.dsc" >/dev/null 2>>"$apt_dir/errors"; then
            echo "$name $version"
            return 0
        fi
    done < <(apt-cache "${options[@]}" showsrc "$name" | sed -n 's/^Version: //p' | sort -rVu)
    if apt-get -qq "${options[@]}" source --tar-only "$name" >/dev/null 2>>"$apt_dir/errors"; then
        archive=$(find . -maxdepth 1 -name "${name}_*.orig.tar.*" ! -name '*.asc' | sort -V | tail -1)
        tar -xf "$archive"
        version=${archive#*_}
        echo "$name ${version%.orig.tar.*}"
        return 0
    fi
    echo "wasm: no source package of $name could be fetched:" >&2
    cat "$apt_dir/errors" >&2
    return 1
}

cd "$dest"
find . -mindepth 1 -maxdepth 1 -type d ! -name .apt -exec rm -rf {} +
: >versions.part
for name in $packages; do
    fetch_one "$name" | tee -a versions.part
done
rm -f cairo.patch
patch_cairo

# SQLite in one file, made by its own build.
mkdir sqlite-amalgamation
(
    cd sqlite-amalgamation
    configure=$(echo ../sqlite3-3*/configure)
    "$configure" --disable-tcl
    make sqlite3.c
) >"$apt_dir/sqlite.log" 2>&1 || {
    tail -20 "$apt_dir/sqlite.log" >&2
    exit 1
}
find . -maxdepth 1 -type f ! -name versions.part ! -name cairo.patch -delete
rm -rf "$apt_dir"
mv versions.part versions
