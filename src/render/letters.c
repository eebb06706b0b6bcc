#include "render/letters.h"

#include "base/mem.h"
#include "base/thread.h"
#include "render/keep.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum {
    EM = 64, /* a line of the longest text stays within Pango's and Cairo's numbers */
    KEPT_BYTES = 4 << 20
};

/* Outlines in a font of one pixel. */
typedef struct outline {
    sl_letters letters;
    char *line;
    uint8_t *ops; /* cairo_path_data_type_t */
    float *xy;    /* of each operation, one after another */
    size_t n;
} outline;

/* The process's own, all used under the lock. */
static sl_mutex *_Atomic lock;
static sl_keep *kept;
static double ascent; /* 0: not known yet */

/* The first that asks makes the lock. False: out of memory. */
static bool take(void)
{
    sl_mutex *m = atomic_load(&lock);
    if (m == NULL) {
        sl_mutex *mine = sl_mutex_new();
        if (mine == NULL) {
            return false;
        }
        if (atomic_compare_exchange_strong(&lock, &m, mine)) {
            m = mine;
        } else {
            sl_mutex_free(mine);
        }
    }
    sl_lock(m);
    return true;
}

static void give(void)
{
    sl_unlock(atomic_load(&lock));
}

static void outline_free(void *thing)
{
    outline *o = thing;
    sl_mem_free(o->line);
    sl_mem_free(o->ops);
    sl_mem_free(o->xy);
    sl_mem_free(o);
}

/* FNV-1a, with another start for the second half. */
static sl_keep_key key_of(const char *line)
{
    sl_keep_key key = {UINT64_C(0xCBF29CE484222325), UINT64_C(0x84222325CBF29CE4)};
    for (const char *s = line; *s != 0; s++) {
        key.a = (key.a ^ (uint8_t)*s) * UINT64_C(0x100000001B3);
        key.b = (key.b ^ (uint8_t)*s) * UINT64_C(0x100000001B3);
    }
    return key;
}

static void use_font(cairo_t *cr)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(cr, options);
    cairo_font_options_destroy(options);
    cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(cr, EM);
}

/* Paths are made on it, nothing is painted. It has no edge: Cairo leaves letters out of a path that lie
 * beyond one. */
static cairo_t *drawing_board(void)
{
    cairo_surface_t *surface = cairo_recording_surface_create(CAIRO_CONTENT_ALPHA, NULL);
    cairo_t *cr = cairo_create(surface);
    cairo_surface_destroy(surface);
    use_font(cr);
    return cr;
}

static int points_of(cairo_path_data_type_t op)
{
    return op == CAIRO_PATH_CURVE_TO ? 3 : op == CAIRO_PATH_CLOSE_PATH ? 0 : 1;
}

static void add_point(outline *o, size_t at, cairo_path_data_t point)
{
    sl_letters *l = &o->letters;
    double x = point.point.x / EM;
    double y = point.point.y / EM;
    bool first = at == 0;
    l->x0 = first ? x : fmin(l->x0, x);
    l->y0 = first ? y : fmin(l->y0, y);
    l->x1 = first ? x : fmax(l->x1, x);
    l->y1 = first ? y : fmax(l->y1, y);
    o->xy[2 * at] = (float)x;
    o->xy[2 * at + 1] = (float)y;
}

/* Takes the path over. A move that nothing follows draws nothing. False: out of memory. */
static bool take_path(outline *o, const cairo_path_t *path)
{
    size_t room = (size_t)path->num_data;
    size_t points = 0;
    o->ops = sl_mem(room);
    o->xy = sl_mem_array(room, 2 * sizeof *o->xy);
    if (path->status != CAIRO_STATUS_SUCCESS || o->ops == NULL || o->xy == NULL) {
        return false;
    }
    for (int i = 0; i < path->num_data; i += path->data[i].header.length) {
        const cairo_path_data_t *d = &path->data[i];
        int next = i + d->header.length;
        if (d->header.type == CAIRO_PATH_MOVE_TO &&
            (next >= path->num_data || path->data[next].header.type == CAIRO_PATH_MOVE_TO)) {
            continue;
        }
        for (int p = 1; p <= points_of(d->header.type); p++) {
            add_point(o, points++, d[p]);
        }
        o->ops[o->n++] = (uint8_t)d->header.type;
    }
    float *less = sl_mem_resize(o->xy, points > 0 ? points : 1, 2 * sizeof *o->xy);
    o->xy = less != NULL ? less : o->xy;
    return true;
}

static void shape(cairo_t *cr, const char *line, sl_letters *l)
{
    cairo_text_extents_t t;
    if (!sl_letters_shape(cr, line, EM, &l->advance, &l->rtl)) {
        cairo_move_to(cr, 0, 0);
        cairo_text_path(cr, line);
        cairo_text_extents(cr, line, &t);
        l->advance = t.x_advance;
    }
    l->advance /= EM;
}

static outline *outline_new(const char *line)
{
    outline *o = sl_mem(sizeof *o);
    if (o == NULL) {
        return NULL;
    }
    cairo_t *cr = drawing_board();
    shape(cr, line, &o->letters);
    cairo_path_t *path = cairo_copy_path(cr);
    o->line = sl_text_dup(line);
    bool ok = o->line != NULL && take_path(o, path);
    cairo_path_destroy(path);
    cairo_destroy(cr);
    if (!ok) {
        outline_free(o);
        return NULL;
    }
    return o;
}

/* Found or made; *own: it is the caller's to free. NULL: out of memory. */
static outline *find(const char *line, bool *own)
{
    sl_keep_key key = key_of(line);
    kept = kept != NULL ? kept : sl_keep_new(KEPT_BYTES, outline_free);
    if (kept == NULL) {
        return NULL;
    }
    sl_keep_turn(kept);
    outline *o = sl_keep_find(kept, key);
    *own = false;
    if (o != NULL && strcmp(o->line, line) == 0) {
        return o;
    }
    o = outline_new(line);
    if (o != NULL) {
        size_t bytes = sizeof *o + strlen(line) + 1 + o->n * (1 + 4 * sizeof *o->xy);
        *own = !sl_keep_put(kept, key, o, bytes);
    }
    return o;
}

bool sl_letters_measure(const char *line, double px, sl_letters *out)
{
    bool own = false;
    if (!take()) {
        return false;
    }
    outline *o = find(line, &own);
    if (o != NULL) {
        const sl_letters *l = &o->letters;
        *out =
            (sl_letters){l->x0 * px, l->y0 * px, l->x1 * px, l->y1 * px, l->advance * px, l->rtl};
    }
    bool ok = o != NULL;
    if (own) {
        outline_free(o);
    }
    give();
    return ok;
}

static void walk(cairo_t *cr, const outline *o, double px, double x, double y)
{
    const float *at = o->xy;
    for (size_t i = 0; i < o->n; i++) {
        double p[6] = {0, 0, 0, 0, 0, 0};
        int points = points_of((cairo_path_data_type_t)o->ops[i]);
        for (int j = 0; j < points; j++, at += 2) {
            p[2 * j] = x + px * (double)at[0];
            p[2 * j + 1] = y + px * (double)at[1];
        }
        switch ((cairo_path_data_type_t)o->ops[i]) {
        case CAIRO_PATH_MOVE_TO: cairo_move_to(cr, p[0], p[1]); break;
        case CAIRO_PATH_LINE_TO: cairo_line_to(cr, p[0], p[1]); break;
        case CAIRO_PATH_CURVE_TO: cairo_curve_to(cr, p[0], p[1], p[2], p[3], p[4], p[5]); break;
        case CAIRO_PATH_CLOSE_PATH: cairo_close_path(cr); break;
        }
    }
}

bool sl_letters_path(cairo_t *cr, const char *line, double px, double x, double y)
{
    bool own = false;
    if (!take()) {
        return false;
    }
    outline *o = find(line, &own);
    bool ok = o != NULL;
    if (ok) {
        walk(cr, o, px, x, y);
    }
    if (own) {
        outline_free(o);
    }
    give();
    return ok;
}

bool sl_letters_ascent(double px, double *out)
{
    if (!take()) {
        return false;
    }
    if (!(ascent > 0)) {
        cairo_font_extents_t font;
        cairo_t *cr = drawing_board();
        cairo_font_extents(cr, &font);
        ascent = font.ascent / EM;
        cairo_destroy(cr);
    }
    *out = ascent * px;
    give();
    return true;
}
