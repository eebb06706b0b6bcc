/* What Check's own configuration would find under Emscripten, with processes switched off. */
#pragma once

#define HAVE_FORK                  0
#define HAVE_DECL_ALARM            1
#define HAVE_DECL_LOCALTIME_R      1
#define HAVE_DECL_STRDUP           1
#define HAVE_DECL_STRSIGNAL        1
#define HAVE_GETLINE               1
#define HAVE_GETPID                1
#define HAVE_GETTIMEOFDAY          1
#define HAVE_INTMAX_T              1
#define HAVE_MALLOC                1
#define HAVE_MKSTEMP               1
#define HAVE_REALLOC               1
#define HAVE_SNPRINTF              1
#define HAVE_STDINT_H              1
#define HAVE_STRUCT_ITIMERSPEC     1
#define HAVE_STRUCT_TIMESPEC       1
#define HAVE_SYS_TIME_H            1
#define HAVE_UNISTD_H              1
#define HAVE_VSNPRINTF             1
