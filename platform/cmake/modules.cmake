# sl_module(<name> SOURCES ... USES <modules> LINKS <targets>): one folder of src/ as one object
# library, whom it may call, and the outside library whose home it is.
function(sl_module name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;LINKS")
    add_library(sl_${name} OBJECT ${arg_SOURCES})
    target_include_directories(sl_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(sl_${name} PUBLIC sl_flags ${arg_LINKS})
    set_property(GLOBAL PROPERTY SL_USES_${name} "${arg_USES}")
    set_property(GLOBAL APPEND PROPERTY SL_ALL_MODULES ${name})
endfunction()

# sl_closure(<out> <modules>...): the modules and all they use, each once.
function(sl_closure out)
    set(todo ${ARGN})
    set(done)
    while(todo)
        list(POP_FRONT todo name)
        if(NOT name IN_LIST done)
            list(APPEND done ${name})
            get_property(uses GLOBAL PROPERTY SL_USES_${name})
            list(APPEND todo ${uses})
        endif()
    endwhile()
    set(${out} ${done} PARENT_SCOPE)
endfunction()

# sl_link_modules(<target> <modules>...): puts the modules' objects, and those of all they use, in.
function(sl_link_modules target)
    sl_closure(closure ${ARGN})
    foreach(name IN LISTS closure)
        target_link_libraries(${target} PRIVATE sl_${name})
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:sl_${name}>)
    endforeach()
endfunction()

# sl_link_platform(<target>): puts the built-in platform's objects in, and the API, to which it
# reports its news.
function(sl_link_platform target)
    sl_link_modules(${target} api)
    get_property(parts GLOBAL PROPERTY SL_PLATFORM_TARGETS)
    foreach(part IN LISTS parts)
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:${part}>)
        target_link_libraries(${target} PRIVATE ${part})
    endforeach()
endfunction()

# sl_test(<name> SOURCES ... USES <modules> LINKS ... [PLATFORM]): a Check program, run by ctest as
# <name>; with PLATFORM, on the built-in platform.
function(sl_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "PLATFORM" "" "SOURCES;USES;LINKS")
    add_executable(test_${name} ${arg_SOURCES})
    target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include
        ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR})
    target_link_libraries(test_${name} PRIVATE sl_flags sl_flags_test sl_dep_check ${arg_LINKS})
    sl_link_modules(test_${name} ${arg_USES})
    if(arg_PLATFORM)
        sl_link_platform(test_${name})
    endif()
    add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endfunction()
