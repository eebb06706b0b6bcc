/* exchange/inkml.c - traces (InkML, W3C 2011). */
#include "exchange/inside.h"

#include "annotation/stroke.h"
#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    CHANNELS_MAX = 16
};

/* Where in a sample the channels stand that are read; -1: not there. */
typedef struct layout {
    int count;
    int x;
    int y;
    int force;
    int time;
    double force_max; /* 0: what the largest is, is looked for */
    double ms;        /* of one step of time */
} layout;

/* A value, its last step, and how the next ones are written: 0 themselves, 1 as a step from the last,
 * 2 as a change of that step. */
typedef struct channel {
    double value;
    double step;
    int order;
} channel;

typedef struct sample {
    double x;
    double y;
    double force;
    double time;
} sample;

typedef struct ink {
    sl_import *im;
    const sl_xml *root;
    layout l;
    sample *samples;
    uint32_t n;
    uint32_t room;
    double force_max;
    double box[4]; /* of all ink; box[0] > box[2]: none yet */
} ink;

static void set_channel(layout *l, const sl_xml *x)
{
    const char *name = sl_xml_attribute(x, "name");
    const char *units = sl_xml_attribute(x, "units");
    if (name != NULL && strcmp(name, "X") == 0) {
        l->x = l->count;
    } else if (name != NULL && strcmp(name, "Y") == 0) {
        l->y = l->count;
    } else if (name != NULL && strcmp(name, "F") == 0) {
        l->force = l->count;
        l->force_max = sl_number_or(sl_xml_attribute(x, "max"), 0);
    } else if (name != NULL && strcmp(name, "T") == 0) {
        l->time = l->count;
        l->ms = units != NULL && strcmp(units, "s") == 0 ? 1000 : 1;
    }
    l->count++;
}

/* The first format that has X and Y, else just these two. */
static layout find_layout(const sl_xml *root)
{
    for (const sl_xml *x = root; x != NULL; x = sl_xml_walk(root, x)) {
        layout l = {0, -1, -1, -1, -1, 0, 1};
        if (!sl_xml_is(x, "traceFormat")) {
            continue;
        }
        for (const sl_xml *c = sl_xml_walk(x, x); c != NULL; c = sl_xml_walk(x, c)) {
            if (sl_xml_is(c, "channel") && l.count < CHANNELS_MAX) {
                set_channel(&l, c);
            }
        }
        if (l.x >= 0 && l.y >= 0) {
            return l;
        }
    }
    return (layout){2, 0, 1, -1, -1, 0, 1};
}

static const char *past_space(const char *s)
{
    return s + strspn(s, " \t\r\n");
}

/* One value of a channel. "*" repeats it; "?" and true or false leave it. False: nothing of this kind
 * is there. */
static bool take_value(const char **s, channel *c)
{
    const char *p = past_space(*s);
    if (*p == '\'' || *p == '"' || *p == '!') {
        c->order = *p == '\'' ? 1 : *p == '"' ? 2 : 0;
        p = past_space(p + 1);
    }
    if (*p == '*' || *p == '?' || *p == 'T' || *p == 'F') {
        c->value += *p == '*' ? c->step : 0;
        *s = p + 1;
        return true;
    }
    double v = 0;
    if (*p == ',' || !sl_number(&p, &v)) {
        return false;
    }
    double before = c->value;
    c->step = c->order == 2 ? c->step + v : c->order == 1 ? v : v - before;
    c->value = c->order == 0 ? v : before + c->step;
    *s = p;
    return isfinite(c->value) && isfinite(c->step);
}

static bool add_sample(ink *k, sample v)
{
    if (k->n == k->room) {
        uint32_t room = k->room != 0 ? k->room * 2 : 256;
        sample *samples = sl_mem_resize(k->samples, room, sizeof *samples);
        if (samples == NULL) {
            return false;
        }
        k->samples = samples;
        k->room = room;
    }
    k->samples[k->n++] = v;
    return true;
}

/* The samples of a trace; what is beyond the most points an item may have is left. */
static sl_status take_trace(ink *k, const char *text, sl_error **err)
{
    channel c[CHANNELS_MAX];
    memset(c, 0, sizeof c);
    k->n = 0;
    for (bool more = true; more && k->n <= SL_PEN_POINTS_MAX;) {
        for (int i = 0; more && i < k->l.count; i++) {
            more = take_value(&text, &c[i]);
            more = more || (i > k->l.x && i > k->l.y); /* intermittent ones may be missing */
        }
        sample v = {c[k->l.x].value, c[k->l.y].value, k->l.force >= 0 ? c[k->l.force].value : 0,
                    k->l.time >= 0 ? c[k->l.time].value : 0};
        if (more && !add_sample(k, v)) {
            return sl_fail_nomem(err);
        }
        text += strcspn(text, ",");
        more = more && *text == ',';
        text += *text == ',';
    }
    return SL_OK;
}

static void measure_trace(ink *k)
{
    for (uint32_t i = 0; i < k->n; i++) {
        const sample *v = &k->samples[i];
        k->box[0] = fmin(k->box[0], v->x);
        k->box[1] = fmin(k->box[1], v->y);
        k->box[2] = fmax(k->box[2], v->x);
        k->box[3] = fmax(k->box[3], v->y);
        k->force_max = fmax(k->force_max, v->force);
    }
}

/* Ink that lies within the frame's pixels is taken as such. */
static bool fit_ink(ink *k)
{
    sl_import *im = k->im;
    bool within =
        k->box[0] >= 0 && k->box[1] >= 0 && k->box[2] <= im->frame_w && k->box[3] <= im->frame_h;
    if (within) {
        return sl_import_fit(im, 0, 0, im->frame_w, im->frame_h);
    }
    double w = fmax(k->box[2] - k->box[0], 1e-6);
    double h = fmax(k->box[3] - k->box[1], 1e-6);
    return sl_import_fit(im, k->box[0], k->box[1], w, h);
}

/* --- brushes --- */

static const sl_xml *find_id(const sl_xml *root, const char *reference)
{
    if (reference == NULL || reference[0] != '#') {
        return NULL;
    }
    for (const sl_xml *x = root; x != NULL; x = sl_xml_walk(root, x)) {
        const char *id = sl_xml_attribute(x, "xml:id");
        id = id != NULL ? id : sl_xml_attribute(x, "id");
        if (id != NULL && strcmp(id, reference + 1) == 0) {
            return x;
        }
    }
    return NULL;
}

/* Of the trace, a group around it, or the context of either. */
static const sl_xml *find_brush(const ink *k, const sl_xml *trace)
{
    for (const sl_xml *x = trace; x != NULL; x = x->parent) {
        const sl_xml *brush = find_id(k->root, sl_xml_attribute(x, "brushRef"));
        const sl_xml *context = find_id(k->root, sl_xml_attribute(x, "contextRef"));
        if (brush != NULL) {
            return brush;
        }
        if (context != NULL) {
            brush = find_id(k->root, sl_xml_attribute(context, "brushRef"));
            return brush != NULL ? brush : sl_xml_child(context, "brush");
        }
    }
    return NULL;
}

static void set_brush(const ink *k, const sl_xml *brush, sl_item *item)
{
    item->style.rgb = 0;
    for (const sl_xml *p = brush != NULL ? brush->first : NULL; p != NULL; p = p->next) {
        const char *name = sl_xml_attribute(p, "name");
        const char *value = sl_xml_attribute(p, "value");
        if (!sl_xml_is(p, "brushProperty") || name == NULL || value == NULL) {
            continue;
        }
        if (strcmp(name, "color") == 0) {
            int32_t rgb = sl_css_color(value);
            item->style.rgb = rgb >= 0 ? rgb : item->style.rgb;
        } else if (strcmp(name, "width") == 0 && sl_xml_attribute(p, "units") == NULL) {
            item->style.width =
                sl_import_size(sl_number_or(value, 0) * k->im->scale, 1, SL_WIDTH_MAX);
        } else if (strcmp(name, "transparency") == 0) {
            double v = sl_number_or(value, 0) / 255;
            item->style.opacity = sl_import_size((1 - v) * SL_OPACITY_MAX, 0, SL_OPACITY_MAX);
        } else if (strcmp(name, "rasterOp") == 0 && strcmp(value, "maskPen") == 0) {
            item->geo.kind = SL_KIND_HIGHLIGHTER;
        }
    }
}

/* Times since the first; one that goes back is taken as the last. */
static void set_times(const ink *k, uint32_t *dt)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < k->n; i++) {
        double ms = (k->samples[i].time - k->samples[0].time) * k->l.ms;
        uint32_t v = (uint32_t)sl_import_size(ms, 0, SL_DT_MS_MAX);
        last = v > last ? v : last;
        dt[i] = last;
    }
}

static bool set_samples(const ink *k, sl_item *item)
{
    double most = k->l.force_max > 0 ? k->l.force_max : k->force_max;
    sl_spots spots = {0};
    for (uint32_t i = 0; i < k->n; i++) {
        sl_spots_add(&spots, k->samples[i].x * k->im->scale + k->im->dx,
                     k->samples[i].y * k->im->scale + k->im->dy);
    }
    bool ok = !spots.failed && sl_import_points(item, spots.p, spots.n);
    sl_spots_free(&spots);
    if (ok && k->l.force >= 0 && most > 0) {
        item->geo.pressure = sl_mem(k->n);
        ok = item->geo.pressure != NULL;
        for (uint32_t i = 0; ok && i < k->n; i++) {
            item->geo.pressure[i] =
                (uint8_t)sl_import_size(k->samples[i].force / most * 255, 0, 255);
        }
    }
    if (ok && k->l.time >= 0) {
        item->geo.dt_ms = sl_mem_array(k->n, sizeof *item->geo.dt_ms);
        ok = item->geo.dt_ms != NULL;
        if (ok) {
            set_times(k, item->geo.dt_ms);
        }
    }
    return ok;
}

static sl_status keep_trace(ink *k, const sl_xml *trace, sl_error **err)
{
    if (k->n == 0 || k->n > SL_PEN_POINTS_MAX) {
        k->im->skipped++;
        return SL_OK;
    }
    sl_item *item = sl_import_item(k->im, SL_KIND_PEN);
    if (item == NULL || !set_samples(k, item)) {
        sl_item_free(item);
        return sl_fail_nomem(err);
    }
    set_brush(k, find_brush(k, trace), item);
    return sl_import_keep(k->im, item, err);
}

static sl_status each_trace(ink *k, sl_status (*then)(ink *, const sl_xml *, sl_error **),
                            sl_error **err)
{
    sl_status s = SL_OK;
    for (const sl_xml *x = k->root; s == SL_OK && x != NULL; x = sl_xml_walk(k->root, x)) {
        if (sl_xml_is(x, "trace")) {
            s = take_trace(k, x->text, err);
            s = s == SL_OK ? then(k, x, err) : s;
        }
    }
    return s;
}

static sl_status then_measure(ink *k, const sl_xml *trace, sl_error **err)
{
    (void)trace;
    (void)err;
    measure_trace(k);
    return SL_OK;
}

sl_status sl_import_inkml(sl_import *im, const sl_xml *root, sl_error **err)
{
    ink k = {.im = im, .root = root, .box = {HUGE_VAL, HUGE_VAL, -HUGE_VAL, -HUGE_VAL}};
    k.l = find_layout(root);
    sl_status s = each_trace(&k, then_measure, err);
    if (s == SL_OK && k.box[0] <= k.box[2]) {
        s = fit_ink(&k) ? each_trace(&k, keep_trace, err)
                        : sl_fail(err, SL_E_INVALID, "the ink has no extent");
    }
    sl_mem_free(k.samples);
    return s;
}
