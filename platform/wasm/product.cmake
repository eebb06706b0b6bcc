# sideline.js and sideline.wasm: the whole library, for browsers and Node. It exports what it exports
# everywhere, and for the JavaScript side malloc, free, and the platform on a browser's file (pack.h).
# A name of the export list that no module defines stops the link.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${SL_SYMBOLS})
file(STRINGS ${SL_SYMBOLS} symbols REGEX "^sl_")
list(TRANSFORM symbols PREPEND "_")
list(JOIN symbols "\n" symbols)
set(exports ${PROJECT_BINARY_DIR}/exports.txt)
file(CONFIGURE OUTPUT ${exports} CONTENT "_free\n_malloc\n_sl_pack_platform\n@symbols@\n" @ONLY)

set(CMAKE_C_LINK_LIBRARY_USING_WHOLE_ARCHIVE_SUPPORTED TRUE)
set(CMAKE_C_LINK_LIBRARY_USING_WHOLE_ARCHIVE
    "-Wl,--whole-archive <LINK_ITEM> -Wl,--no-whole-archive")

# The one source has nothing but assertions: the layout of the public structures on wasm32.
add_executable(sideline_wasm EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/tests/abi/layout.c)
set_target_properties(sideline_wasm PROPERTIES OUTPUT_NAME sideline LINK_DEPENDS ${exports})
target_link_libraries(sideline_wasm PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,libsideline>)
# bindings/wasm/sizes.mjs reads there what each part weighs.
set_property(TARGET sideline_wasm PROPERTY RULE_LAUNCH_LINK
    "${CMAKE_CURRENT_LIST_DIR}/link_map.sh ${PROJECT_BINARY_DIR}/sideline.map")
# 64-bit numbers cross as BigInt. Files live in memory until the page mounts something else.
target_link_options(sideline_wasm PRIVATE
    -O2 -Wl,--print-map --no-entry -sMODULARIZE=1 -sEXPORT_NAME=createSideline -sENVIRONMENT=web,worker,node
    -sWASM_BIGINT=1 -sALLOW_MEMORY_GROWTH=1 -sALLOW_TABLE_GROWTH=1 -sTOTAL_STACK=${SL_WASM_STACK}
    -sNODEJS_CATCH_EXIT=0 -sNODEJS_CATCH_REJECTION=0 -sFORCE_FILESYSTEM=1
    -sEXPORTED_FUNCTIONS=@${exports}
    -sEXPORTED_RUNTIME_METHODS=ccall,cwrap,UTF8ToString,stringToUTF8,lengthBytesUTF8,addFunction,removeFunction,FS)
