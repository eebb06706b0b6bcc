#!/usr/bin/env bash
# Compiler launcher, "fastcc.sh emcc <arguments>": a quarter of a second less per file than emcc,
# whose Python start-up takes that long. Runs the clang-14 beneath emcc 3.1.6 with the flags that
# `emcc -v` shows. For compiling only, and only for that version.
shift
exec /usr/bin/clang-14 -target wasm32-unknown-emscripten -DEMSCRIPTEN \
    -D__EMSCRIPTEN_major__=3 -D__EMSCRIPTEN_minor__=1 -D__EMSCRIPTEN_tiny__=6 \
    -fignore-exceptions -fvisibility=default \
    -mllvm -combiner-global-alias-analysis=false -mllvm -enable-emscripten-sjlj -mllvm -disable-lsr \
    -Dunix -D__unix -D__unix__ -Werror=implicit-function-declaration \
    --sysroot=/usr/share/emscripten/cache/sysroot -Xclang -iwithsysroot/include/compat "$@"
