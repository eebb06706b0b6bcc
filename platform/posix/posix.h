/*
 * platform/posix/posix.h - clock, random numbers and files of a POSIX system, as the tables of
 * sideline/platform.h. They have no state: `user` is not looked at.
 */
#ifndef SL_PLATFORM_POSIX_H
#define SL_PLATFORM_POSIX_H

#include "sideline/platform.h"

extern const sl_clock_ops sl_posix_clock;
extern const sl_random_ops sl_posix_random;
extern const sl_file_ops sl_posix_files;

#endif
