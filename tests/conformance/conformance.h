/*
 * tests/conformance/conformance.h - what sideline/platform.h promises of clock, random numbers
 * and files, asked of any platform. Each function fails the running Check test on a broken
 * promise. `dir` is an existing empty folder of the platform asked, without a slash at its end.
 */
#ifndef SL_TESTS_CONFORMANCE_H
#define SL_TESTS_CONFORMANCE_H

#include "sideline/platform.h"

void sl_conform_tables(const sl_platform *p);
void sl_conform_clock(const sl_platform *p);
void sl_conform_random(const sl_platform *p);
void sl_conform_open(const sl_platform *p, const char *dir);
void sl_conform_read_write(const sl_platform *p, const char *dir);
void sl_conform_truncate(const sl_platform *p, const char *dir);
void sl_conform_lock(const sl_platform *p, const char *dir);
void sl_conform_rename(const sl_platform *p, const char *dir);
void sl_conform_folders(const sl_platform *p, const char *dir);

#endif
