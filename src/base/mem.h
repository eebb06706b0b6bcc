/*
 * base/mem.h - memory. Every allocation of the library but those of outside
 * libraries comes through here, so that tests can make the k-th one fail.
 */
#ifndef SL_BASE_MEM_H
#define SL_BASE_MEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory, or NULL. n == 0 gives a valid pointer. */
void *sl_mem(size_t n);
/* count * size zeroed bytes, NULL also on overflow. */
void *sl_mem_array(size_t count, size_t size);
/* Grows or shrinks; new bytes are not zeroed. On NULL the old block is untouched. */
void *sl_mem_resize(void *p, size_t count, size_t size);
void sl_mem_free(void *p);

/* Text, freed with sl_mem_free; NULL when out of memory. */
char *sl_text_dup(const char *s);
char *sl_text_ndup(const char *s, size_t n);
char *sl_text_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *sl_text_vfmt(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

/* False on overflow; *out is then untouched. */
bool sl_size_add(size_t a, size_t b, size_t *out);
bool sl_size_mul(size_t a, size_t b, size_t *out);

/* For tests: the k-th allocation from now fails (1 = the next), with `forever` also all
 * after it; 0 switches it off. Returns the number of allocations since the last call. */
uint64_t sl_mem_fail_at(uint64_t k, bool forever);

/* For tests: from now on blocks are counted; how many there are more than at the start. */
void sl_mem_count(bool on);
int64_t sl_mem_blocks(void);

/* For tests: until the next call with false, no allocation is counted or fails: what a test does for
 * itself in between. */
void sl_mem_spare(bool on);

/* Counts objects given to callers: sl_debug_live_objects. */
void sl_live_add(int delta);

#endif
