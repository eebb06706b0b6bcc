/*
 * sync/holes.h - what of a space is not held: ranges of places.
 *
 * A space whose records have places (place_field in ../schema/schema.h) can be held in part. Its
 * holes are ranges of places, rising, with something held between any two. Records without a place,
 * deleted ones among them, are in no hole: they are held whole.
 *
 * As text "4-17,40-62": places above 4 up to 17, and above 40 up to 62. "" is none.
 */
#ifndef SL_SYNC_HOLES_H
#define SL_SYNC_HOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_HOLES_MAX = 32,
    SL_HOLES_TEXT = SL_HOLES_MAX * 34 + 1
};

typedef struct sl_hole {
    int64_t above;
    int64_t upto;
} sl_hole;

typedef struct sl_holes {
    size_t n;
    sl_hole at[SL_HOLES_MAX];
} sl_holes;

/* NULL is "". False: not holes. */
bool sl_holes_read(sl_holes *h, const char *text);
void sl_holes_print(char out[SL_HOLES_TEXT], const sl_holes *h);
/* Of more than SL_HOLES_MAX, the two with the least between them become one: what is held there counts
 * as not held. */
void sl_holes_add(sl_holes *h, int64_t above, int64_t upto);
void sl_holes_take(sl_holes *h, int64_t above, int64_t upto);
/* The hole that the place is in; NULL: none. */
const sl_hole *sl_holes_at(const sl_holes *h, int64_t place);

#endif
