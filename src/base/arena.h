/*
 * base/arena.h - memory that is given back all at once. Zero-initialise it; free it.
 *
 * Pieces are 8-byte aligned and not zeroed, and live until the arena is cleared or freed. Clearing
 * keeps the first block, so that one arena serves a loop without allocating.
 */
#ifndef SL_BASE_ARENA_H
#define SL_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct sl_arena_block sl_arena_block;

typedef struct sl_arena {
    sl_arena_block *first; /* kept by clear */
    sl_arena_block *last;
} sl_arena;

/* NULL: out of memory. n == 0 gives a valid pointer. */
void *sl_arena_take(sl_arena *a, size_t n);
/* A copy, followed by a NUL; s may be NULL when n is 0. */
char *sl_arena_text(sl_arena *a, const char *s, size_t n);
void sl_arena_clear(sl_arena *a);
void sl_arena_free(sl_arena *a);

#endif
