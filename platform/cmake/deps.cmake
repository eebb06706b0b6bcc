# Outside libraries, each as one interface target sl_dep_<name>, linked by its one home module.
# Says plainly what is missing and which Debian package has it.
find_package(PkgConfig)
find_package(Threads REQUIRED)

function(sl_pkg name debian)
    if(TARGET sl_dep_${name})
        return()
    endif()
    pkg_check_modules(SL_PKG_${name} IMPORTED_TARGET ${ARGN})
    if(NOT SL_PKG_${name}_FOUND)
        message(FATAL_ERROR "Sideline needs ${ARGN}, which pkg-config does not find. "
                            "On Debian: apt-get install ${debian}")
    endif()
    add_library(sl_dep_${name} INTERFACE)
    target_link_libraries(sl_dep_${name} INTERFACE PkgConfig::SL_PKG_${name})
endfunction()

# A toolchain without pkg-config (WebAssembly) brings the targets sl_dep_* itself.
if(SL_DEPS_FILE)
    include(${SL_DEPS_FILE})
endif()

sl_pkg(sqlite libsqlite3-dev sqlite3>=3.40)
sl_pkg(cjson libcjson-dev libcjson>=1.7.15)
sl_pkg(cairo libcairo2-dev cairo>=1.16)
sl_pkg(opus libopus-dev opus>=1.3)

# mbedTLS 2.28 has no pkg-config file.
if(NOT TARGET sl_dep_mbedtls)
    find_path(MBEDTLS_INCLUDE_DIR mbedtls/sha256.h)
    find_library(MBEDCRYPTO_LIBRARY mbedcrypto)
    if(NOT MBEDTLS_INCLUDE_DIR OR NOT MBEDCRYPTO_LIBRARY)
        message(FATAL_ERROR "Sideline needs mbedTLS. On Debian: apt-get install libmbedtls-dev")
    endif()
    add_library(sl_dep_mbedtls INTERFACE)
    target_include_directories(sl_dep_mbedtls SYSTEM INTERFACE ${MBEDTLS_INCLUDE_DIR})
    target_link_libraries(sl_dep_mbedtls INTERFACE ${MBEDCRYPTO_LIBRARY})
endif()

if(SL_WITH_MEDIA)
    sl_pkg(ffmpeg "libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libswresample-dev"
        libavformat>=59 libavcodec>=59 libavutil>=57 libswscale>=6 libswresample>=4)
endif()
if(SL_WITH_ZSTD)
    sl_pkg(zstd libzstd-dev libzstd>=1.4)
endif()
if(SL_WITH_TRANSPORT OR SL_WITH_SERVER)
    sl_pkg(curl libcurl4-openssl-dev libcurl>=7.88)
endif()
if(SL_WITH_TRANSPORT OR SL_WITH_SERVER)
    sl_pkg(lws libwebsockets-dev libwebsockets>=4.1)
endif()
if(SL_WITH_SERVER)
    sl_pkg(crypt libcrypt-dev libcrypt)
endif()
if(BUILD_TESTING OR NOT DEFINED BUILD_TESTING)
    sl_pkg(check check check>=0.15)
endif()
