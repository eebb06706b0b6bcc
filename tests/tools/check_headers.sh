#!/usr/bin/env bash
# Each public header compiles alone, twice included, as strict C99 and C++11; with clang also with
# every pointer's nullability stated and, for wasm32, with the struct layouts of tests/abi/layout.c.
#   check_headers.sh <C compiler> <C++ compiler or empty>
set -euo pipefail

cc=$1
cxx=${2:-}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
strict=(-Wall -Wextra -pedantic -Wpadded -Werror -Iinclude -fsyntax-only -x)
checks=0

try() {
    local header=$1
    shift
    printf '#include "sideline/%s"\n#include "sideline/%s"\n' "$header" "$header" | "$@" -
    checks=$((checks + 1))
}

for path in include/sideline/*.h; do
    header=${path##*/}
    try "$header" "$cc" -std=c99 "${strict[@]}" c
    if [[ -n $cxx ]]; then
        try "$header" "$cxx" -std=c++11 "${strict[@]}" c++
    fi
    if command -v clang >/dev/null; then
        try "$header" clang -std=c99 -Wnullability-completeness -Wno-nullability-extension \
            "${strict[@]}" c
    fi
done

layout=(-std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only tests/abi/layout.c)
"$cc" "${layout[@]}"
if command -v clang >/dev/null; then
    clang --target=wasm32 -ffreestanding -Wno-nullability-extension "${layout[@]}"
    checks=$((checks + 1))
fi
echo "headers: $((checks + 1)) compilations"
