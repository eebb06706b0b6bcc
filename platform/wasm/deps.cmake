# The outside libraries as CMake targets, for a build with Emscripten: give this file as
# SL_DEPS_FILE and the prefix that build.sh filled as SL_WASM_PREFIX.
set(SL_WASM_DIR ${CMAKE_CURRENT_LIST_DIR})
set(SL_WASM_PREFIX "" CACHE PATH "Prefix of the outside libraries built for WebAssembly")
if(NOT EXISTS ${SL_WASM_PREFIX}/lib/libsqlite3.a)
    message(FATAL_ERROR "SL_WASM_PREFIX (\"${SL_WASM_PREFIX}\") has no libraries: run platform/wasm/build.sh")
endif()

# Nothing is loaded at run time, so nothing needs to be relocatable.
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

# sl_wasm_dep(<name> <include folders> <archives>)
function(sl_wasm_dep name includes archives)
    add_library(sl_dep_${name} INTERFACE)
    list(TRANSFORM includes PREPEND ${SL_WASM_PREFIX}/)
    list(TRANSFORM archives REPLACE "(.+)" "${SL_WASM_PREFIX}/lib/lib\\1.a")
    target_include_directories(sl_dep_${name} SYSTEM INTERFACE ${includes})
    target_link_libraries(sl_dep_${name} INTERFACE ${archives})
endfunction()

sl_wasm_dep(sqlite "include" "sqlite3")
sl_wasm_dep(cjson "include" "cjson")
sl_wasm_dep(cairo "include/cairo;include/freetype2" "cairo;pixman-1;freetype;png;z")
sl_wasm_dep(opus "include/opus;include" "opus")
sl_wasm_dep(mbedtls "include" "mbedcrypto")
target_compile_definitions(sl_dep_mbedtls INTERFACE MBEDTLS_USER_CONFIG_FILE=<sl_mbedtls.h>)
sl_wasm_dep(check "include" "check")

# Whatever links Check is a test: a program for Node that sees the machine's files, keeps its
# function names, and stops where the stack overflows.
set(SL_WASM_STACK 1048576)
target_link_options(sl_dep_check INTERFACE
    -O1 --profiling-funcs --pre-js ${SL_WASM_DIR}/test-pre.js
    -sENVIRONMENT=node -sNODERAWFS=1 -sEXIT_RUNTIME=1 -sALLOW_MEMORY_GROWTH=1
    -sTOTAL_STACK=${SL_WASM_STACK} -sASSERTIONS=1 -sSTACK_OVERFLOW_CHECK=2)

# The library's targets are known at the end of the project's own list file.
cmake_language(DEFER CALL include ${SL_WASM_DIR}/product.cmake)
