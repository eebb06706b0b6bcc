/*
 * annotation/erase.h - a stroke without what an eraser went over.
 *
 * An eraser is a round tip led along a path. Of a pen's or highlighter's stroke everything goes whose
 * middle line comes within the radius; what stays becomes new items with the old one's style, range and
 * place in the stack. Points that stay are the points that were, with their pressure and tilt and the
 * times between them; where a cut falls between two points all of these are taken in between. Moves and
 * scales are carried out on the pieces' points. Sections of a newer version's encoding, which nobody
 * here can cut, stay with no piece.
 */
#ifndef SL_ANNOTATION_ERASE_H
#define SL_ANNOTATION_ERASE_H

#include "annotation/item.h"

enum {
    SL_ERASER_POINTS_MAX = 256,
    SL_PIECES_MAX = 500 /* of one stroke */
};

typedef struct sl_eraser {
    const sl_point *path;
    uint32_t n; /* 1 to SL_ERASER_POINTS_MAX */
    int32_t radius;
} sl_eraser;

typedef struct sl_pieces {
    bool touched; /* false: there are none, the item stays as it is */
    sl_item **items;
    size_t n;
} sl_pieces;

/* What may be touched. */
sl_box sl_eraser_box(const sl_eraser *e);
/* Whether the eraser goes over any of the item's ink as it stands at a time. */
bool sl_eraser_meets(const sl_eraser *e, const sl_item *item, int64_t t_us);
/* Whether the item is cut, rather than taken away as a whole: a stroke without keyframes. */
bool sl_item_can_be_cut(const sl_item *item);
/* The pieces of an item that can be cut, without ids. SL_E_LIMIT: more than SL_PIECES_MAX. */
sl_status sl_item_erase(const sl_item *item, int64_t t_us, const sl_eraser *e, sl_pieces *out,
                        sl_error **err);
void sl_pieces_clear(sl_pieces *p);

#endif
