/* api/doc.h - a document of drawings, as annotation.c and render.c share it. */
#ifndef SL_API_DOC_H
#define SL_API_DOC_H

#include "annotation/drawing.h"
#include "annotation/stroke.h"
#include "base/thread.h"
#include "render/render.h"

enum {
    SL_DOC_STROKES_MAX = 16 /* live at a time: fingers, not people */
};

typedef struct sl_live_stroke {
    sl_id id;
    sl_stroke *stroke; /* NULL: the place is free */
} sl_live_stroke;

struct sl_doc {
    sl_mutex *mutex;
    sl_drawing *drawing;
    sl_core *core; /* NULL: stands alone */
    char *space;   /* NULL: stands alone */
    char *group;   /* of sl_doc_group; NULL: none */
    uint64_t made; /* ids made by a document that stands alone */
    sl_id last_stroke;
    sl_stamp_fn stamp; /* NULL: no stamp has a picture */
    void *stamp_user;
    sl_live_stroke strokes[SL_DOC_STROKES_MAX];
};

/* --- api/change.c --- */

/* Carries operations, taken, out in the core as one batch of the group, or of the document's for NULL;
 * *answer, when wanted, is the core's. */
sl_status sl_doc_apply(sl_doc *doc, sl_json *ops, const char *group, sl_json **answer,
                       sl_error **err);
/* A UUID by number: a document that stands alone gives the same ids every time. */
void sl_doc_number(sl_doc *doc, sl_item *item);

enum {
    SL_DOC_BATCH_MAX = 1000 /* operations, as the core has it */
};

/* Items that come and items that go, as one step: all of it, or nothing. */
typedef struct sl_doc_change {
    sl_item **add; /* taken in any case; the places are NULL afterwards. Without a z: on top */
    size_t add_n;
    const char *const *remove; /* ids */
    size_t remove_n;
    const char *group; /* NULL: the document's */
} sl_doc_change;
/* Called locked. `made`, when wanted, is an array that gets the ids of what came. SL_E_LIMIT: more than
 * SL_DOC_BATCH_MAX operations, or more items than a video has. */
sl_status sl_doc_carry_out(sl_doc *doc, const sl_doc_change *change, sl_json *made, sl_error **err);

/* The drawings of a space into an empty drawing (api/load.c). What this version cannot read, and what is
 * beyond SL_DRAWING_ITEMS_MAX, is left out. */
sl_status sl_drawing_load(sl_core *core, const char *space, sl_drawing *into, sl_error **err);

/* All of its frame at a time (api/render.c). */
sl_scene sl_doc_scene(const sl_doc *doc, int64_t t_us);

#endif
