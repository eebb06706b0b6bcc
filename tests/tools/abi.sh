#!/usr/bin/env bash
# The ABI against its baseline, with libabigail.
#   abi.sh check <libsideline.so built with -g> <folder for results>
#   abi.sh update <libsideline.so built with -g> <folder for results>
#
# Two descriptions make the baseline: the functions that the library exports with what their
# parameters reach, and - because constants in anonymous enums are reached by nothing - all types of
# the public headers. Both sides are compared as XML: comparing with a live library lets a changed
# public struct slip through. Every non-zero exit of abidiff means no: 4, "look at it", is what a
# member inserted in the middle of a struct gives.
set -euo pipefail

verb=$1
library=$2
work=$3
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

dump() {
    local out=$1 binary=$2
    shift 2
    abidw "$@" --headers-dir include/sideline --drop-private-types --no-elf-needed \
        --no-corpus-path --no-comp-dir-path --no-show-locs --out-file "$out" "$binary"
    # Where it was built is nobody's business.
    sed -i "s|path='$PWD/|path='|; s|path='$work/|path='|" "$out"
}

describe() {
    dump "$work/sideline-0.abi" "$library" --exported-interfaces-only
    cat >"$work/types.c" <<'C'
#include "sideline/sideline.h"
SL_API int32_t sl_types(void);
int32_t sl_types(void)
{
    return 0;
}
C
    "${CC:-cc}" -g -fno-eliminate-unused-debug-types -shared -fPIC -Iinclude \
        -o "$work/libtypes.so" "$work/types.c"
    dump "$work/sideline-0-types.abi" "$work/libtypes.so" --load-all-types
}

mkdir -p "$work"
work=$(cd "$work" && pwd)
describe
if [[ $verb == update ]]; then
    cp "$work/sideline-0.abi" "$work/sideline-0-types.abi" tests/abi/
    exit
fi
status=0
abidiff --no-added-syms tests/abi/sideline-0.abi "$work/sideline-0.abi" || status=1
abidiff --no-added-syms --non-reachable-types \
    tests/abi/sideline-0-types.abi "$work/sideline-0-types.abi" || status=1
exit "$status"
