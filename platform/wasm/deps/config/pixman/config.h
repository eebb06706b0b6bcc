/* pixman without processor-specific code. */
#pragma once

#define PACKAGE                              "pixman"
#define HAVE_ATTRIBUTE_CONSTRUCTOR           1
#define HAVE_BUILTIN_CLZ                     1
#define HAVE_GETTIMEOFDAY                    1
#define HAVE_INTTYPES_H                      1
#define HAVE_STDINT_H                        1
#define HAVE_UNISTD_H                        1
#define SIZEOF_LONG                          __SIZEOF_LONG__
#define TLS                                  __thread
#define TOOLCHAIN_SUPPORTS_ATTRIBUTE_CONSTRUCTOR 1
