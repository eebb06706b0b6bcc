/* api/import.c - drawings of other programs into a document. */
#include "api/doc.h"
#include "base/error.h"
#include "base/mem.h"
#include "exchange/exchange.h"

#include <string.h>

static bool format_of(const char *name, sl_format *out)
{
    static const char *const names[] = {
        [SL_FORMAT_SVG] = "svg", [SL_FORMAT_INKML] = "inkml", [SL_FORMAT_KVA] = "kva"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (sl_format)i;
            return true;
        }
    }
    return false;
}

/* A layer that is there is not made again; anything else whose id is there gets a new one. */
static void settle_ids(const sl_doc *doc, sl_import *im)
{
    size_t n = 0;
    for (size_t i = 0; i < im->n; i++) {
        sl_item *item = im->items[i];
        bool there = item->id[0] != 0 && sl_drawing_find(doc->drawing, item->id) != NULL;
        if (there && item->geo.kind == SL_KIND_LAYER) {
            sl_item_free(item);
            continue;
        }
        if (there) {
            item->id[0] = 0;
        }
        im->items[n++] = item;
    }
    im->n = n;
}

/* A layer's id in the file and in the core. */
typedef struct renamed {
    char was[SL_UUID_LEN + 1];
    const char *now;
} renamed;

/* Takes the layers out of the import, without their ids. */
static size_t take_layers(sl_import *im, sl_item **layers, renamed *names)
{
    size_t n = 0;
    size_t left = 0;
    for (size_t i = 0; i < im->n; i++) {
        sl_item *item = im->items[i];
        if (item->geo.kind == SL_KIND_LAYER && n < SL_LAYERS_MAX) {
            memcpy(names[n].was, item->id, sizeof names[n].was);
            layers[n++] = item;
        } else {
            im->items[left++] = item;
        }
        item->id[0] = 0;
    }
    im->n = left;
    return n;
}

/* In a core all get new ids: one in the file may be that of another video's drawing, or of one that was
 * deleted. Layers are made first, so that what lies in them hears of theirs. */
static sl_status add_layers(sl_doc *doc, sl_import *im, const char *group, sl_json *made,
                            sl_error **err)
{
    sl_item *layers[SL_LAYERS_MAX];
    renamed names[SL_LAYERS_MAX];
    sl_doc_change change = {.add = layers, .add_n = take_layers(im, layers, names), .group = group};
    size_t before = sl_json_count(made);
    if (change.add_n == 0) {
        return SL_OK;
    }
    sl_status s = sl_doc_carry_out(doc, &change, made, err);
    for (size_t i = 0; s == SL_OK && i < change.add_n; i++) {
        names[i].now = sl_json_text(sl_json_at(made, before + i));
    }
    for (size_t i = 0; s == SL_OK && i < im->n; i++) {
        char *layer = im->items[i]->style.layer;
        for (size_t k = 0; layer[0] != 0 && k < change.add_n; k++) {
            if (strcmp(layer, names[k].was) == 0) {
                memcpy(layer, names[k].now, SL_UUID_LEN + 1);
                break;
            }
        }
    }
    return s;
}

/* In steps of a batch each, which are undone together. */
static sl_status add_all(sl_doc *doc, sl_import *im, sl_json *made, sl_error **err)
{
    const char *group = doc->group != NULL ? doc->group : "import";
    sl_status s = SL_OK;
    if (sl_drawing_count(doc->drawing) + im->n > SL_DRAWING_ITEMS_MAX) {
        return sl_fail(err, SL_E_LIMIT, "a video has at most %d drawings", SL_DRAWING_ITEMS_MAX);
    }
    if (doc->core != NULL) {
        s = add_layers(doc, im, group, made, err);
    }
    for (size_t from = 0; s == SL_OK && from < im->n; from += SL_DOC_BATCH_MAX) {
        size_t left = im->n - from;
        sl_doc_change change = {.add = im->items + from,
                                .add_n = left < SL_DOC_BATCH_MAX ? left : SL_DOC_BATCH_MAX,
                                .group = group};
        s = sl_doc_carry_out(doc, &change, made, err);
    }
    return s;
}

sl_status sl_doc_import(sl_doc *doc, const char *format, const void *data, size_t n,
                        const int64_t *range, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (doc == NULL || format == NULL || data == NULL) {
        return sl_fail(err, SL_E_MISUSE, "a required argument is NULL");
    }
    if (out != NULL) {
        *out = NULL;
    }
    sl_format which = SL_FORMAT_SVG;
    if (!format_of(format, &which)) {
        return sl_fail(err, SL_E_INVALID, "the formats read are svg, inkml and kva");
    }
    sl_lock(doc->mutex);
    sl_import im = {.frame_w = sl_drawing_width(doc->drawing),
                    .frame_h = sl_drawing_height(doc->drawing),
                    .t_in = range != NULL ? range[0] : 0,
                    .t_out = range != NULL ? range[1] : SL_ITEM_US_MAX};
    sl_json *answer = sl_json_object();
    sl_json *made = sl_json_array();
    sl_status s = answer != NULL && made != NULL ? SL_OK : sl_fail_nomem(err);
    s = s == SL_OK ? sl_import_read(&im, which, data, n, err) : s;
    if (s == SL_OK) {
        settle_ids(doc, &im);
        s = add_all(doc, &im, made, err);
    }
    sl_import_clear(&im);
    sl_unlock(doc->mutex);
    bool ok = sl_json_set_int(answer, "skipped", (int64_t)im.skipped);
    ok = sl_json_set_int(answer, "gradients", (int64_t)im.gradients) && ok;
    ok = sl_json_set_int(answer, "patterns", (int64_t)im.patterns) && ok;
    ok = sl_json_set_int(answer, "clipped", (int64_t)im.clipped) && ok;
    ok = sl_json_set_int(answer, "rules", (int64_t)im.rules) && ok;
    ok = sl_json_set(answer, "ids", made) && ok;
    if (s == SL_OK && out != NULL) {
        *out = ok ? sl_json_bytes(answer) : NULL;
        s = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(answer);
    return s;
}
