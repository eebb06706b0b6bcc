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
    uint64_t made; /* ids made by a document that stands alone */
    sl_id last_stroke;
    sl_stamp_fn stamp; /* NULL: no stamp has a picture */
    void *stamp_user;
    sl_live_stroke strokes[SL_DOC_STROKES_MAX];
};

/* All of its frame at a time (api/render.c). */
sl_scene sl_doc_scene(const sl_doc *doc, int64_t t_us);

#endif
