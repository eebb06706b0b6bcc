# Compiler flags, as one interface target: link sl_flags and you have them all.
add_library(sl_flags INTERFACE)

target_compile_options(sl_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wredundant-decls
    -Wcast-qual -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2
    -Wswitch-enum -Wimplicit-fallthrough -Wdouble-promotion
    -fno-common -fno-strict-aliasing -ffp-contract=off
    $<$<BOOL:${SL_WERROR}>:-Werror>)
target_compile_definitions(sl_flags INTERFACE _POSIX_C_SOURCE=200809L $<$<BOOL:${SL_PLANTS}>:SL_PLANTS>)

# For programs of Check, after sl_flags: its comparisons of floats promote them to print them.
add_library(sl_flags_test INTERFACE)
target_compile_options(sl_flags_test INTERFACE -Wno-double-promotion)

if(SL_FUZZ)
    target_compile_options(sl_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SL_SANITIZE)
    target_compile_options(sl_flags INTERFACE
        -fsanitize=${SL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(sl_flags INTERFACE -fsanitize=${SL_SANITIZE})
endif()
