#!/bin/sh
# link_map.sh <file> <link command>: links, and keeps the map that the linker prints. Emscripten's driver
# drops the option that names a file for it.
out=$1
shift
exec "$@" >"$out"
