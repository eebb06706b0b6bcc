#!/usr/bin/env bash
# build.sh [deps|unit|product|test [ctest options]]: the library for WebAssembly, in build/wasm. "deps" builds the
# outside libraries only, "unit" then the unit tests and runs them under Node, "product" makes
# sideline.js and sideline.wasm and tries them; "test", or no word, does all of it.
#
# Sources and outside libraries are kept in $SIDELINE_CACHE (~/.cache/sideline), outside the tree:
# the libraries under a name that is the hash of their recipe, so that a changed recipe builds anew.
# SIDELINE_JOBS is the number of compilers at once (2).
set -euo pipefail

here=$(dirname "$(realpath "$0")")
root=$(realpath "$here/../..")
cache=${SIDELINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sideline}
sources=$cache/wasm-src
build=$root/build/wasm
jobs=${SIDELINE_JOBS:-2}
word=${1:-test}
[ $# -eq 0 ] || shift
case $word in
deps | unit | product | test) ;;
*)
    echo "usage: build.sh [deps|unit|product|test]" >&2
    exit 2
    ;;
esac

# Debian's Emscripten keeps its JavaScript modules here, where other builds of Node do not look.
export NODE_PATH=/usr/share/nodejs${NODE_PATH:+:$NODE_PATH}

say() {
    echo "wasm: $*"
}

# require <command> <package>
missing=
require() {
    command -v "$1" >/dev/null || missing="$missing $2"
}
require emcc emscripten
require cmake cmake
require ninja ninja-build
require node nodejs
require dpkg-source dpkg-dev
require patch patch
require flock util-linux
require tclsh tcl
require make make
require cc gcc
# The pictures that the drawing tests compare with have texts in this font.
[ -f /usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf ] || missing="$missing fonts-dejavu-core"
if [ -n "$missing" ]; then
    echo "wasm: not installed:$missing. On Debian: apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

node=$(command -v node)
emcc_version=$(emcc --version | sed -n '1s/.*) \([0-9.]*\).*/\1/p')
launcher=
if [ "$emcc_version" = 3.1.6 ] && [ -x /usr/bin/clang-14 ]; then
    launcher=$here/fastcc.sh
fi
say "Emscripten $emcc_version, Node $(node --version)"

# configure <log> <cmake arguments>: quiet unless it fails.
configure() {
    local log=$1
    shift
    emcmake cmake -G Ninja -DCMAKE_C_COMPILER_LAUNCHER="$launcher" \
        -DCMAKE_CROSSCOMPILING_EMULATOR="$node;--no-concurrent-recompilation" "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        exit 1
    }
}

recipe_hash() {
    {
        echo "$emcc_version"
        cat "$sources/versions"
        find "$here/deps" "$here/fastcc.sh" -type f -print0 | sort -z | xargs -0 cat
    } | sha256sum | cut -c1-16
}

# One at a time: other builds on this machine share the cache.
mkdir -p "$cache"
exec 9>"$cache/wasm.lock"
flock 9
"$here/fetch.sh" "$sources"
prefix=$cache/wasm-$(recipe_hash)
if [ ! -f "$prefix/complete" ]; then
    say "building the outside libraries into $prefix (about two minutes)"
    rm -rf "$prefix" "$prefix.build"
    mkdir -p "$prefix.build"
    configure "$prefix.build/configure.log" -S "$here/deps" -B "$prefix.build" \
        -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-DNDEBUG \
        -DSL_SOURCES="$sources" -DCMAKE_INSTALL_PREFIX="$prefix"
    ninja -C "$prefix.build" -j"$jobs" install >"$prefix.build/build.log" || {
        grep -A20 -m3 FAILED "$prefix.build/build.log" >&2
        exit 1
    }
    rm -rf "$prefix.build"
    cp "$sources/versions" "$prefix/complete"
fi
exec 9>&-
say "outside libraries: $(tr '\n' ',' <"$prefix/complete" | sed 's/,$//; s/,/, /g')"
[ "$word" != deps ] || exit 0

mkdir -p "$build"
configure "$build/configure.log" -S "$root" -B "$build" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-O2 -DSL_WERROR=ON \
    -DSL_WITH_MEDIA=OFF -DSL_WITH_TRANSPORT=OFF -DSL_WITH_SERVER=OFF -DSL_WITH_TOOLS=OFF \
    -DSL_WITH_ZSTD=OFF -DSL_WITH_XML=OFF -DSL_WITH_PANGO=OFF -DSL_WITH_SPEEXDSP=OFF -DSL_WITH_CAPTURE=OFF \
    -DSL_DEPS_FILE="$here/deps.cmake" -DSL_WASM_PREFIX="$prefix"

if [ "$word" != product ]; then
    ninja -C "$build" -j"$jobs"
    ctest --test-dir "$build" -j"$jobs" --timeout 300 --no-tests=error --output-on-failure "$@"
fi

if [ "$word" != unit ]; then
    ninja -C "$build" -j"$jobs" sideline_wasm
    for file in sideline.wasm sideline.js; do
        say "$file: $(stat -c %s "$build/$file") bytes, $(gzip -9 -c "$build/$file" | wc -c) with gzip"
    done
    # Node 20 may stand still at its end: V8, making JavaScript faster in another thread, waits there for a
    # collection that the waiting main thread would have to do.
    node --no-concurrent-recompilation "$here/smoke.cjs" "$build"
fi
