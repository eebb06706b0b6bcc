/*
 * annotation/index.h - which items may lie near a place: a grid of cells over the frame.
 *
 * What lies beyond the frame is held by the cells at its edge, what covers many cells in a list of its
 * own that every question looks through. Lists are in drawing order. A question is answered by boxes;
 * the items are the caller's.
 */
#ifndef SL_ANNOTATION_INDEX_H
#define SL_ANNOTATION_INDEX_H

#include "annotation/item.h"

typedef struct sl_index sl_index;

typedef struct sl_index_entry {
    sl_box box;
    const sl_item *item;
} sl_index_entry;

/* NULL: out of memory. */
sl_index *sl_index_new(void);
void sl_index_free(sl_index *x);
/* False: out of memory, and nothing changed. */
bool sl_index_add(sl_index *x, const sl_item *item, sl_box box);
/* With the box it was added with. */
void sl_index_remove(sl_index *x, const sl_item *item, sl_box box);
/* Tells each item whose box meets `box` once: list by list, the topmost of a list first. When `tell`
 * answers false, what lies below in that list is not told. */
void sl_index_find(const sl_index *x, sl_box box,
                   bool (*tell)(void *user, const sl_index_entry *entry), void *user);

#endif
