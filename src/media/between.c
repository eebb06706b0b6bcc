/* media/between.c - see the header. */
#include "media/between.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    LEVELS_MAX = 7,
    PAD = 32,                 /* pixels of each plane beyond its edges, as the edge */
    STEP = 8,                 /* from place to place */
    WINDOW = 16,              /* what is compared there */
    COARSEST = 24,            /* the shorter side of the last level is not smaller */
    REACH = 4,                /* of the search on the coarsest level */
    UNIT = 16,                /* vectors are in sixteenths of a pixel */
    FINE_PIXELS = 700 * 1000, /* larger pictures are searched at half their size */
    STILL = 24,               /* in sums of differences: what moving must gain over standing */
    CUT_MEAN = 20             /* mean difference of a pixel at the best place */
};

typedef struct plane {
    uint8_t *memory;
    uint8_t *at; /* its first pixel */
    int32_t width;
    int32_t height;
    ptrdiff_t stride;
} plane;

/* Half of the way from the first to the second. */
typedef struct vec {
    int32_t x;
    int32_t y;
} vec;

typedef struct field {
    vec *v;
    int32_t columns;
    int32_t rows;
} field;

struct sl_between {
    plane luma[2][LEVELS_MAX]; /* of the first and the second, each half the one before */
    plane chroma[2][2];
    field found[2]; /* taking turns, level by level */
    vec *median;
    int levels;
    int finest;  /* level that is searched last */
    int result;  /* of found */
    int64_t sum; /* of the differences at the best places */
    bool is_cut;
};

static bool plane_make(plane *p, int32_t width, int32_t height)
{
    p->width = width;
    p->height = height;
    p->stride = (ptrdiff_t)width + (ptrdiff_t)2 * PAD;
    p->memory = sl_mem_array((size_t)p->stride, (size_t)height + (size_t)2 * PAD);
    p->at = p->memory != NULL ? p->memory + p->stride * PAD + PAD : NULL;
    return p->memory != NULL;
}

/* The edges go on beyond the edges. */
static void pad(plane *p)
{
    for (int32_t y = 0; y < p->height; y++) {
        uint8_t *row = p->at + y * p->stride;
        memset(row - PAD, row[0], PAD);
        memset(row + p->width, row[p->width - 1], PAD);
    }
    for (int32_t y = 1; y <= PAD; y++) {
        memcpy(p->at - PAD - y * p->stride, p->at - PAD, (size_t)p->stride);
        memcpy(p->at - PAD + (p->height - 1 + y) * p->stride,
               p->at - PAD + (p->height - 1) * p->stride, (size_t)p->stride);
    }
}

static void take(plane *p, const AVFrame *f, int which)
{
    for (int32_t y = 0; y < p->height; y++) {
        memcpy(p->at + y * p->stride, f->data[which] + (ptrdiff_t)y * f->linesize[which],
               (size_t)p->width);
    }
    pad(p);
}

static void halve(const plane *from, plane *to)
{
    for (int32_t y = 0; y < to->height; y++) {
        const uint8_t *a = from->at + (ptrdiff_t)(2 * y) * from->stride;
        const uint8_t *b = a + from->stride;
        uint8_t *out = to->at + y * to->stride;
        for (int32_t x = 0; x < to->width; x++) {
            int32_t i = 2 * x;
            out[x] = (uint8_t)((a[i] + a[i + 1] + b[i] + b[i + 1] + 2) / 4);
        }
    }
    pad(to);
}

static int32_t places(int32_t pixels)
{
    return (pixels + STEP - 1) / STEP;
}

static bool make_planes(sl_between *b, int32_t width, int32_t height)
{
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        int32_t w = width;
        int32_t h = height;
        for (int k = 0; k < b->levels; k++) {
            ok = ok && plane_make(&b->luma[i][k], w, h);
            w /= 2;
            h /= 2;
        }
        ok = ok && plane_make(&b->chroma[i][0], (width + 1) / 2, (height + 1) / 2) &&
             plane_make(&b->chroma[i][1], (width + 1) / 2, (height + 1) / 2);
    }
    return ok;
}

sl_between *sl_between_new(int32_t width, int32_t height)
{
    sl_between *b = sl_mem(sizeof *b);
    if (b == NULL) {
        return NULL;
    }
    int32_t shorter = width < height ? width : height;
    b->levels = 1;
    while (b->levels < LEVELS_MAX && shorter >> b->levels >= COARSEST) {
        b->levels++;
    }
    b->finest = (int64_t)width * height > FINE_PIXELS && b->levels > 1 ? 1 : 0;
    size_t n = (size_t)places(width >> b->finest) * (size_t)places(height >> b->finest);
    bool ok = make_planes(b, width, height);
    for (int i = 0; i < 2; i++) {
        b->found[i].v = sl_mem_array(n, sizeof(vec));
        ok = ok && b->found[i].v != NULL;
    }
    b->median = sl_mem_array(n, sizeof(vec));
    if (!ok || b->median == NULL) {
        sl_between_free(b);
        return NULL;
    }
    return b;
}

void sl_between_free(sl_between *b)
{
    if (b == NULL) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < LEVELS_MAX; k++) {
            sl_mem_free(b->luma[i][k].memory);
        }
        sl_mem_free(b->chroma[i][0].memory);
        sl_mem_free(b->chroma[i][1].memory);
        sl_mem_free(b->found[i].v);
    }
    sl_mem_free(b->median);
    sl_mem_free(b);
}

/* ---- searching ---- */

typedef struct spot {
    const plane *first;
    const plane *second;
    int32_t x; /* of the window's first pixel, within the picture */
    int32_t y;
    vec best; /* whole pixels */
    int32_t cost;
} spot;

static bool inside(const spot *s, int32_t x, int32_t y)
{
    return x >= -PAD && y >= -PAD && x + WINDOW <= s->first->width + PAD &&
           y + WINDOW <= s->first->height + PAD;
}

static int32_t difference(const spot *s, int32_t dx, int32_t dy)
{
    if (!inside(s, s->x - dx, s->y - dy) || !inside(s, s->x + dx, s->y + dy)) {
        return INT32_MAX;
    }
    const uint8_t *a = s->first->at + (s->y - dy) * s->first->stride + (s->x - dx);
    const uint8_t *b = s->second->at + (s->y + dy) * s->second->stride + (s->x + dx);
    int32_t sum = 0;
    for (int y = 0; y < WINDOW; y++) {
        for (int x = 0; x < WINDOW; x++) {
            sum += abs(a[x] - b[x]);
        }
        a += s->first->stride;
        b += s->second->stride;
    }
    return sum;
}

static void try(spot *s, int32_t dx, int32_t dy)
{
    int32_t cost = difference(s, dx, dy);
    if (cost < s->cost) {
        s->cost = cost;
        s->best = (vec){dx, dy};
    }
}

/* Where a parabola through three costs is lowest, in sixteenths. */
static int32_t lowest(int32_t before, int32_t at, int32_t after)
{
    int64_t bend = (int64_t)before - 2 * (int64_t)at + after;
    if (before == INT32_MAX || after == INT32_MAX || bend <= 0) {
        return 0;
    }
    int64_t v = ((int64_t)before - after) * UNIT / (2 * bend);
    return (int32_t)(v < -UNIT / 2 ? -UNIT / 2 : v > UNIT / 2 ? UNIT / 2 : v);
}

static void begin_spot(spot *s, int32_t column, int32_t row)
{
    s->x = column * STEP - (WINDOW - STEP) / 2;
    s->y = row * STEP - (WINDOW - STEP) / 2;
    s->best = (vec){0, 0};
    s->cost = difference(s, 0, 0);
    s->cost -= s->cost < STILL ? s->cost : STILL;
}

static void search_all(spot *s)
{
    for (int32_t dy = -REACH; dy <= REACH; dy++) {
        for (int32_t dx = -REACH; dx <= REACH; dx++) {
            try(s, dx, dy);
        }
    }
}

/* What the places around had on the coarser level, then one pixel around the best. */
static void search_near(spot *s, const field *coarse, int32_t column, int32_t row)
{
    for (int32_t dy = -1; dy <= 1; dy++) {
        for (int32_t dx = -1; dx <= 1; dx++) {
            int32_t c = column / 2 + dx;
            int32_t r = row / 2 + dy;
            if (c >= 0 && r >= 0 && c < coarse->columns && r < coarse->rows) {
                const vec *v = &coarse->v[(ptrdiff_t)r * coarse->columns + c];
                try(s, 2 * v->x / UNIT, 2 * v->y / UNIT);
            }
        }
    }
    vec middle = s->best;
    for (int32_t dy = -1; dy <= 1; dy++) {
        for (int32_t dx = -1; dx <= 1; dx++) {
            try(s, middle.x + dx, middle.y + dy);
        }
    }
}

static vec finer(const spot *s)
{
    int32_t x = s->best.x;
    int32_t y = s->best.y;
    int32_t cost = difference(s, x, y);
    return (vec){x * UNIT + lowest(difference(s, x - 1, y), cost, difference(s, x + 1, y)),
                 y * UNIT + lowest(difference(s, x, y - 1), cost, difference(s, x, y + 1))};
}

static int by_size(const void *a, const void *b)
{
    const int32_t *x = a;
    const int32_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* The middle one of a place's own vector and those around: a stray one is not believed. */
static vec middle_of(const field *f, int32_t column, int32_t row)
{
    int32_t xs[9];
    int32_t ys[9];
    size_t n = 0;
    for (int32_t r = row - 1; r <= row + 1; r++) {
        for (int32_t c = column - 1; c <= column + 1; c++) {
            if (r >= 0 && c >= 0 && r < f->rows && c < f->columns) {
                xs[n] = f->v[(ptrdiff_t)r * f->columns + c].x;
                ys[n++] = f->v[(ptrdiff_t)r * f->columns + c].y;
            }
        }
    }
    qsort(xs, n, sizeof xs[0], by_size);
    qsort(ys, n, sizeof ys[0], by_size);
    return (vec){xs[n / 2], ys[n / 2]};
}

static void smooth(sl_between *b, field *f)
{
    for (int32_t row = 0; row < f->rows; row++) {
        for (int32_t column = 0; column < f->columns; column++) {
            b->median[(ptrdiff_t)row * f->columns + column] = middle_of(f, column, row);
        }
    }
    memcpy(f->v, b->median, (size_t)f->columns * (size_t)f->rows * sizeof(vec));
}

static void search_level(sl_between *b, int level, const field *coarse, field *into)
{
    spot s = {.first = &b->luma[0][level], .second = &b->luma[1][level]};
    into->columns = places(s.first->width);
    into->rows = places(s.first->height);
    b->sum = 0;
    for (int32_t row = 0; row < into->rows; row++) {
        for (int32_t column = 0; column < into->columns; column++) {
            begin_spot(&s, column, row);
            if (coarse == NULL) {
                search_all(&s);
            } else {
                search_near(&s, coarse, column, row);
            }
            into->v[(ptrdiff_t)row * into->columns + column] = finer(&s);
            b->sum += s.cost;
        }
    }
    smooth(b, into);
}

void sl_between_learn(sl_between *b, const AVFrame *first, const AVFrame *second)
{
    const AVFrame *pictures[2] = {first, second};
    for (int i = 0; i < 2; i++) {
        take(&b->luma[i][0], pictures[i], 0);
        take(&b->chroma[i][0], pictures[i], 1);
        take(&b->chroma[i][1], pictures[i], 2);
        for (int k = 1; k < b->levels; k++) {
            halve(&b->luma[i][k - 1], &b->luma[i][k]);
        }
    }
    const field *coarse = NULL;
    b->result = 0;
    for (int level = b->levels - 1; level >= b->finest; level--) {
        b->result = 1 - b->result;
        search_level(b, level, coarse, &b->found[b->result]);
        coarse = &b->found[b->result];
    }
    const field *f = &b->found[b->result];
    int64_t pixels = (int64_t)f->columns * f->rows * WINDOW * WINDOW;
    b->is_cut = b->sum > pixels * CUT_MEAN;
}

bool sl_between_is_cut(const sl_between *b)
{
    return b->is_cut;
}

/* ---- drawing ---- */

/* A pixel at a place in sixteenths, between its four neighbours. */
static int32_t sample(const plane *p, int32_t x, int32_t y)
{
    int32_t right = (p->width + PAD - 2) * UNIT;
    int32_t low = (p->height + PAD - 2) * UNIT;
    x = x < -PAD * UNIT ? -PAD * UNIT : x > right ? right : x;
    y = y < -PAD * UNIT ? -PAD * UNIT : y > low ? low : y;
    /* Shifted so that what is divided is not negative. */
    uint32_t ux = (uint32_t)(x + PAD * UNIT);
    uint32_t uy = (uint32_t)(y + PAD * UNIT);
    const uint8_t *a = p->memory + (ptrdiff_t)(uy / UNIT) * p->stride + ux / UNIT;
    const uint8_t *b = a + p->stride;
    int32_t fx = (int32_t)(ux % UNIT);
    int32_t fy = (int32_t)(uy % UNIT);
    int32_t upper = a[0] * (UNIT - fx) + a[1] * fx;
    int32_t lower = b[0] * (UNIT - fx) + b[1] * fx;
    return (upper * (UNIT - fy) + lower * fy + UNIT * UNIT / 2) / (UNIT * UNIT);
}

typedef struct weave {
    const plane *first;
    const plane *second;
    const field *field;
    int32_t cell;  /* pixels of this plane from place to place */
    int32_t scale; /* of vectors, in halves: 1 for colours at the searched size */
    int32_t part;
} weave;

static vec vector_at(const field *f, int32_t column, int32_t row)
{
    column = column < 0 ? 0 : column >= f->columns ? f->columns - 1 : column;
    row = row < 0 ? 0 : row >= f->rows ? f->rows - 1 : row;
    return f->v[(ptrdiff_t)row * f->columns + column];
}

/* The vectors left and right of a pixel, both between the rows above and below it. */
static void vectors_beside(const weave *w, int32_t column, int32_t row, int32_t down, vec out[2])
{
    for (int32_t i = 0; i < 2; i++) {
        vec a = vector_at(w->field, column + i, row);
        vec b = vector_at(w->field, column + i, row + 1);
        int32_t whole = 2 * w->cell;
        out[i] = (vec){(a.x * (whole - down) + b.x * down) * w->scale / whole / 2,
                       (a.y * (whole - down) + b.y * down) * w->scale / whole / 2};
    }
}

static int32_t mixed(const weave *w, int32_t x, int32_t y, vec half)
{
    int32_t part = w->part;
    int32_t rest = SL_BETWEEN_WHOLE - part;
    int32_t a = sample(w->first, x * UNIT - 2 * half.x * part / SL_BETWEEN_WHOLE,
                       y * UNIT - 2 * half.y * part / SL_BETWEEN_WHOLE);
    int32_t b = sample(w->second, x * UNIT + 2 * half.x * rest / SL_BETWEEN_WHOLE,
                       y * UNIT + 2 * half.y * rest / SL_BETWEEN_WHOLE);
    return (a * rest + b * part + SL_BETWEEN_WHOLE / 2) / SL_BETWEEN_WHOLE;
}

/* Places are in the middle of their cells: twice the distance from the one before, in halves. */
static void weave_row(const weave *w, int32_t y, uint8_t *out)
{
    int32_t twice = 2 * y + 1 + w->cell;
    int32_t row = twice / (2 * w->cell) - 1;
    int32_t down = twice % (2 * w->cell);
    vec beside[2] = {{0, 0}, {0, 0}};
    int32_t known = INT32_MIN;
    for (int32_t x = 0; x < w->first->width; x++) {
        int32_t along = 2 * x + 1 + w->cell;
        int32_t column = along / (2 * w->cell) - 1;
        int32_t over = along % (2 * w->cell);
        if (column != known) {
            vectors_beside(w, column, row, down, beside);
            known = column;
        }
        int32_t whole = 2 * w->cell;
        vec half = {(beside[0].x * (whole - over) + beside[1].x * over) / whole,
                    (beside[0].y * (whole - over) + beside[1].y * over) / whole};
        out[x] = (uint8_t)mixed(w, x, y, half);
    }
}

static void copy_plane(const plane *from, AVFrame *into, int which)
{
    for (int32_t y = 0; y < from->height; y++) {
        memcpy(into->data[which] + (ptrdiff_t)y * into->linesize[which],
               from->at + y * from->stride, (size_t)from->width);
    }
}

void sl_between_make(const sl_between *b, int32_t part, AVFrame *into)
{
    const plane *first[3] = {&b->luma[0][0], &b->chroma[0][0], &b->chroma[0][1]};
    const plane *second[3] = {&b->luma[1][0], &b->chroma[1][0], &b->chroma[1][1]};
    bool whole = b->is_cut || part <= 0 || part >= SL_BETWEEN_WHOLE;
    for (int p = 0; p < 3; p++) {
        if (whole) {
            copy_plane(2 * part < SL_BETWEEN_WHOLE ? first[p] : second[p], into, p);
            continue;
        }
        int32_t cell = STEP << b->finest;
        weave w = {.first = first[p],
                   .second = second[p],
                   .field = &b->found[b->result],
                   .cell = p == 0 ? cell : cell / 2,
                   .scale = (p == 0 ? 2 : 1) << b->finest,
                   .part = part};
        for (int32_t y = 0; y < w.first->height; y++) {
            weave_row(&w, y, into->data[p] + (ptrdiff_t)y * into->linesize[p]);
        }
    }
}
