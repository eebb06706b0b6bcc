/* What Cairo's own configuration would find: Emscripten's C library, FreeType 2.12, zlib. */
#pragma once

#define HAVE_C11_ATOMIC_PRIMITIVES          1
#define HAVE_CLOCK_GETTIME                  1
#define HAVE_CTIME_R                        1
#define HAVE_FT_DONE_MM_VAR                 1
#define HAVE_FT_GET_VAR_DESIGN_COORDINATES  1
#define HAVE_FT_GET_X11_FONT_FORMAT         1
#define HAVE_FT_GLYPHSLOT_EMBOLDEN          1
#define HAVE_FT_GLYPHSLOT_OBLIQUE           1
#define HAVE_FT_LIBRARY_SETLCDFILTER        1
#define HAVE_FT_LOAD_SFNT_TABLE             1
#define HAVE_INTTYPES_H                     1
#define HAVE_LIBGEN_H                       1
#define HAVE_MKDIR                          1
#define HAVE_STDINT_H                       1
#define HAVE_STRNDUP                        1
#define HAVE_SYS_STAT_H                     1
#define HAVE_SYS_TYPES_H                    1
#define HAVE_TIME_H                         1
#define HAVE_UINT64_T                       1
#define HAVE_UNISTD_H                       1
#define HAVE_ZLIB                           1
#define SIZEOF_INT                          4
#define SIZEOF_LONG                         __SIZEOF_LONG__
#define SIZEOF_LONG_LONG                    8
#define SIZEOF_SIZE_T                       __SIZEOF_SIZE_T__
#define SIZEOF_VOID_P                       __SIZEOF_POINTER__
