/*
 * render/keep.h - things kept by a key up to a number of bytes; the one not used for longest goes
 * first, but none that was found or put in this turn: what a turn got hold of stays until the next.
 */
#ifndef SL_RENDER_KEEP_H
#define SL_RENDER_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sl_keep sl_keep;

typedef struct sl_keep_key {
    uint64_t a;
    uint64_t b;
} sl_keep_key;

/* drop: frees a thing. NULL: out of memory. */
sl_keep *sl_keep_new(size_t bytes, void (*drop)(void *thing));
void sl_keep_free(sl_keep *k);
void sl_keep_clear(sl_keep *k);
void sl_keep_turn(sl_keep *k);
/* NULL: it is not there. */
void *sl_keep_find(sl_keep *k, sl_keep_key key);
/* Takes the thing over. False: out of memory or of room, or there is one; it stays the caller's. */
bool sl_keep_put(sl_keep *k, sl_keep_key key, void *thing, size_t bytes);
size_t sl_keep_bytes(const sl_keep *k);

#endif
