# libsideline: every module of src/ known so far and the platform's objects in one library.
# Target `libsideline` (alias sideline::sideline): shared, or an archive on WebAssembly, where there
# is nothing to share. SL_STATIC adds the archive natively as `libsideline_static`. What is exported
# is tests/abi/symbols.txt and nothing else.
option(SL_STATIC "Build libsideline.a beside the shared library" OFF)

set(SL_SOVERSION 0)
set(SL_SYMBOLS ${PROJECT_SOURCE_DIR}/tests/abi/symbols.txt)

# Programs find the library beside themselves once installed.
file(RELATIVE_PATH SL_BIN_TO_LIB /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
set(CMAKE_INSTALL_RPATH "$ORIGIN/${SL_BIN_TO_LIB}")

get_property(SL_LIBRARY_MODULES GLOBAL PROPERTY SL_ALL_MODULES)

# sl_library(<target> SHARED|STATIC): one form of the library.
function(sl_library target kind)
    add_library(${target} ${kind})
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME sideline EXPORT_NAME sideline LINKER_LANGUAGE C
        VERSION ${PROJECT_VERSION} SOVERSION ${SL_SOVERSION})
    target_include_directories(${target} INTERFACE
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    sl_link_modules(${target} ${SL_LIBRARY_MODULES})
    sl_link_platform(${target})
endfunction()

# The version script: one node, the export list, everything else local.
function(sl_version_script target)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${SL_SYMBOLS})
    file(STRINGS ${SL_SYMBOLS} symbols REGEX "^sl_")
    set(script ${PROJECT_BINARY_DIR}/sideline.map)
    set(text "SL_0.1 {\n    global:\n")
    foreach(symbol IN LISTS symbols)
        string(APPEND text "        ${symbol};\n")
    endforeach()
    string(APPEND text "    local:\n        *;\n};\n")
    file(GENERATE OUTPUT ${script} CONTENT "${text}")
    target_link_options(${target} PRIVATE -Wl,--version-script=${script})
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${script})
endfunction()

if(EMSCRIPTEN)
    sl_library(libsideline STATIC)
else()
    sl_library(libsideline SHARED)
    sl_version_script(libsideline)
    # 16 KiB pages: phones refuse libraries aligned to less.
    target_link_options(libsideline PRIVATE -Wl,-z,max-page-size=16384 -Wl,-z,now)
    if(NOT SL_SANITIZE)
        target_link_options(libsideline PRIVATE -Wl,--no-undefined)
    endif()
    if(SL_STATIC)
        sl_library(libsideline_static STATIC)
    endif()
endif()
add_library(sideline::sideline ALIAS libsideline)

# What is installed. The archive carries no CMake target: sideline.pc names what it needs
# (`pkg-config --static`).
if(NOT EMSCRIPTEN)
    include(CMakePackageConfigHelpers)
    set(SL_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/sideline)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/sideline
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.json")
    install(TARGETS libsideline EXPORT sidelineTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
    if(SL_STATIC)
        install(TARGETS libsideline_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    endif()
    install(EXPORT sidelineTargets NAMESPACE sideline:: DESTINATION ${SL_CMAKE_DIR})
    configure_package_config_file(platform/cmake/sidelineConfig.cmake.in
        ${PROJECT_BINARY_DIR}/sidelineConfig.cmake INSTALL_DESTINATION ${SL_CMAKE_DIR})
    write_basic_package_version_file(${PROJECT_BINARY_DIR}/sidelineConfigVersion.cmake
        COMPATIBILITY SameMinorVersion)
    install(FILES ${PROJECT_BINARY_DIR}/sidelineConfig.cmake
        ${PROJECT_BINARY_DIR}/sidelineConfigVersion.cmake DESTINATION ${SL_CMAKE_DIR})

    # What the archive needs, for `pkg-config --static`: the libraries themselves and not, as
    # Requires.private would have it, all that these were once linked with.
    set(SL_PC_LIBS)
    foreach(name IN ITEMS sqlite cjson cairo pango opus speexdsp zstd expat ffmpeg curl lws)
        if(TARGET sl_dep_${name})
            list(APPEND SL_PC_LIBS ${SL_PKG_${name}_LDFLAGS})
        endif()
    endforeach()
    list(JOIN SL_PC_LIBS " " SL_PC_LIBS)
    # Relative to the file itself, so that a moved tree still works.
    file(RELATIVE_PATH SL_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
    string(REGEX REPLACE "/$" "" SL_PC_PREFIX "${SL_PC_PREFIX}")
    configure_file(platform/cmake/sideline.pc.in ${PROJECT_BINARY_DIR}/sideline.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/sideline.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

    # The programs are made further down the list file: when they exist they go to bin/, here and
    # where it is installed.
    function(sl_install_programs)
        foreach(program IN ITEMS sidelined sideline_cli sideline)
            if(TARGET ${program})
                set_target_properties(${program} PROPERTIES
                    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
                install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
            endif()
        endforeach()
    endfunction()
    cmake_language(DEFER CALL sl_install_programs)
endif()
