#include "render/raster.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    ONE_BITS = 8,
    ONE = 256,            /* steps of a pixel */
    FAR = 1 << 20,        /* pixels */
    FULL = 2 * ONE * ONE, /* a whole pixel's area: 2^17 */
    BLOCK = 8,
    BLOCKS_A_WORD = 64
};

struct sl_raster {
    sl_raster_level level;
    sl_box box;
    int32_t w; /* of the box */
    int32_t h;
    size_t stride; /* numbers from row to row: w, one to spare, in whole blocks */
    size_t words;  /* of marks from row to row */
    int32_t *area; /* zero between fillings */
    uint64_t *marks;
    size_t area_room;
    size_t marks_room;
    int32_t row_first; /* rows with edges */
    int32_t row_end;
};

sl_raster_level sl_raster_best(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") ? SL_RASTER_WIDE : SL_RASTER_VECTORS;
#else
    return SL_RASTER_VECTORS;
#endif
}

sl_raster *sl_raster_new(void)
{
    sl_raster *r = sl_mem(sizeof *r);
    if (r != NULL) {
        r->level = sl_raster_best();
    }
    return r;
}

void sl_raster_free(sl_raster *r)
{
    if (r != NULL) {
        sl_mem_free(r->area);
        sl_mem_free(r->marks);
        sl_mem_free(r);
    }
}

void sl_raster_use(sl_raster *r, sl_raster_level level)
{
    r->level = level;
}

bool sl_raster_begin(sl_raster *r, sl_box box)
{
    r->box = box;
    r->w = box.x1 - box.x0;
    r->h = box.y1 - box.y0;
    r->stride = ((size_t)r->w + 1 + BLOCK) / BLOCK * BLOCK;
    r->words = (r->stride / BLOCK + BLOCKS_A_WORD - 1) / BLOCKS_A_WORD;
    r->row_first = r->h;
    r->row_end = 0;
    size_t area = r->stride * (size_t)r->h;
    size_t marks = r->words * (size_t)r->h;
    if (area > r->area_room) {
        sl_mem_free(r->area);
        r->area = sl_mem_array(area, sizeof *r->area);
        r->area_room = r->area != NULL ? area : 0;
    }
    if (marks > r->marks_room) {
        sl_mem_free(r->marks);
        r->marks = sl_mem_array(marks, sizeof *r->marks);
        r->marks_room = r->marks != NULL ? marks : 0;
    }
    return area <= r->area_room && marks <= r->marks_room;
}

/* Within pixel x of a row: `dy` high, at the mean distance `both` / 2 from its left side. */
static inline void add_cell(int32_t *row, int32_t x, int32_t dy, int32_t both)
{
    int32_t right = dy * both;
    row[x] += dy * (2 * ONE) - right;
    row[x + 1] += right;
}

static inline void mark(uint64_t *marks, uint32_t from, uint32_t to)
{
    for (uint32_t b = from / BLOCK; b <= to / BLOCK; b++) {
        marks[b / BLOCKS_A_WORD] |= UINT64_C(1) << (b % BLOCKS_A_WORD);
    }
}

/* Within one row, from x0 rightwards to x1 over more than one pixel, `dy` high with its sign; rise
 * is 65536 times the height of a step. */
static void add_wide(int32_t *row, uint32_t x0, uint32_t x1, int32_t dy, int64_t rise)
{
    uint32_t c0 = x0 / ONE;
    uint32_t c1 = x1 / ONE;
    int32_t sign = dy < 0 ? -1 : 1;
    int32_t high = dy * sign;
    int32_t done = 0;
    uint32_t from = x0 % ONE;
    for (uint32_t c = c0; c < c1; c++) {
        int32_t upto = (int32_t)((rise * ((c + 1) * ONE - x0)) >> 16);
        upto = upto > high ? high : upto;
        add_cell(row, (int32_t)c, (upto - done) * sign, (int32_t)from + ONE);
        done = upto;
        from = 0;
    }
    add_cell(row, (int32_t)c1, (high - done) * sign, (int32_t)(x1 % ONE));
}

static inline void add_row(int32_t *row, uint64_t *marks, uint32_t x0, uint32_t x1, int32_t dy,
                           int64_t rise)
{
    uint32_t c0 = x0 / ONE;
    uint32_t c1 = x1 / ONE;
    if (c0 == c1) {
        add_cell(row, (int32_t)c0, dy, (int32_t)(x0 % ONE + x1 % ONE));
        mark(marks, c0, c0 + 1);
    } else if (c0 < c1) {
        add_wide(row, x0, x1, dy, rise);
        mark(marks, c0, c1 + 1);
    } else { /* the same area from left to right */
        add_wide(row, x1, x0, dy, rise);
        mark(marks, c1, c0 + 1);
    }
}

/* Downwards, within the box, in steps. */
static void add_down(sl_raster *r, int32_t x0, int32_t y0, int32_t x1, int32_t y1, int32_t sign)
{
    int32_t first = (int32_t)((uint32_t)y0 / ONE);
    int32_t last = (int32_t)((uint32_t)(y1 - 1) / ONE);
    int32_t *row = r->area + (size_t)first * r->stride;
    uint64_t *marks = r->marks + (size_t)first * r->words;
    int32_t across = x1 < x0 ? x0 - x1 : x1 - x0;
    int64_t rise = across > 0 ? ((int64_t)(y1 - y0) << 16) / across : 0;
    r->row_first = first < r->row_first ? first : r->row_first;
    r->row_end = last >= r->row_end ? last + 1 : r->row_end;
    if (first == last) {
        add_row(row, marks, (uint32_t)x0, (uint32_t)x1, (y1 - y0) * sign, rise);
        return;
    }
    int64_t slope = ((int64_t)(x1 - x0) * 65536) / (y1 - y0);
    int64_t x = ((int64_t)x0 << 16) + slope * ((first + 1) * ONE - y0);
    uint32_t at = (uint32_t)x0;
    int32_t high = (first + 1) * ONE - y0;
    for (int32_t i = first; i < last; i++, row += r->stride, marks += r->words) {
        uint32_t next = (uint32_t)(x >> 16);
        add_row(row, marks, at, next, high * sign, rise);
        at = next;
        high = ONE;
        x += slope * ONE;
    }
    add_row(row, marks, at, (uint32_t)x1, (y1 - last * ONE) * sign, rise);
}

/* Part of a cell that may lie outside: left of the box it counts for the whole row. */
static void add_cell_anywhere(const sl_raster *r, int32_t *row, uint64_t *marks, int32_t x,
                              int32_t dy, int32_t both)
{
    if (x < 0) {
        row[0] += dy * (2 * ONE);
        mark(marks, 0, 0);
    } else if (x < r->w) {
        add_cell(row, x, dy, both);
        mark(marks, (uint32_t)x, (uint32_t)x + 1);
    }
}

/* As add_row, cell for cell, for what may lie outside; what is left of the box in one go. */
static void add_row_anywhere(const sl_raster *r, int32_t *row, uint64_t *marks, const int32_t x[2],
                             int32_t dy, int64_t rise)
{
    int32_t x0 = x[0] < x[1] ? x[0] : x[1];
    int32_t x1 = x[0] < x[1] ? x[1] : x[0];
    int32_t c1 = x1 >> ONE_BITS;
    int32_t c = x0 >> ONE_BITS;
    int32_t sign = dy < 0 ? -1 : 1;
    int32_t high = dy * sign;
    int32_t done = 0;
    int32_t from = x0 & (ONE - 1);
    if (c == c1) {
        add_cell_anywhere(r, row, marks, c, dy, from + (x1 & (ONE - 1)));
        return;
    }
    if (c < -1) { /* the last of them does for all */
        c = c1 < 0 ? c1 - 1 : -1;
        from = 0;
    }
    for (; c < c1 && c < r->w; c++) {
        int32_t upto = (int32_t)((rise * ((int64_t)(c + 1) * ONE - x0)) >> 16);
        upto = upto > high ? high : upto;
        add_cell_anywhere(r, row, marks, c, (upto - done) * sign, from + ONE);
        done = upto;
        from = 0;
    }
    if (c == c1) {
        add_cell_anywhere(r, row, marks, c1, (high - done) * sign, x1 & (ONE - 1));
    }
}

/* As add_down, step for step, in the rows that the box has. */
static void add_down_anywhere(sl_raster *r, sl_point a, sl_point b, int32_t sign)
{
    int32_t first = a.y >> ONE_BITS;
    int32_t last = (b.y - 1) >> ONE_BITS;
    int32_t end = last < r->h ? last : r->h - 1;
    int64_t across = a.x < b.x ? (int64_t)b.x - a.x : (int64_t)a.x - b.x;
    int64_t height = (int64_t)b.y - a.y;
    int64_t rise = across > 0 ? (height << 16) / across : 0;
    int64_t slope = ((int64_t)b.x - a.x) * 65536 / height;
    int64_t x = ((int64_t)a.x * 65536) + slope * (((int64_t)first + 1) * ONE - a.y);
    int32_t at = a.x;
    int32_t i = first;
    if (i < 0 && end >= 0) { /* to the box's first row */
        x += slope * ONE * (-(int64_t)first - 1);
        at = (int32_t)(x >> 16);
        x += slope * ONE;
        i = 0;
    }
    for (; i <= end; i++, x += slope * ONE) {
        int32_t xs[2] = {at, i == last ? b.x : (int32_t)(x >> 16)};
        int32_t top = i == first ? a.y : i * ONE;
        int32_t bottom = i == last ? b.y : (i + 1) * ONE;
        add_row_anywhere(r, r->area + (size_t)i * r->stride, r->marks + (size_t)i * r->words, xs,
                         (bottom - top) * sign, rise);
        at = xs[1];
    }
    if (end >= 0 && first <= end) {
        first = first < 0 ? 0 : first;
        r->row_first = first < r->row_first ? first : r->row_first;
        r->row_end = end >= r->row_end ? end + 1 : r->row_end;
    }
}

/* In steps, rounded to the nearest also below zero; what is very far off is brought nearer. */
static int32_t steps(double v)
{
    v = v < -FAR ? -FAR : v > FAR ? FAR : v;
    return (int32_t)(v * ONE + 0.5 + (1 << 30)) - (1 << 30);
}

/* Whether all of a loop lies within the box, which spares a look at every cell. */
static bool is_inside(const sl_raster *r, const double *xy, size_t n)
{
    double x0 = HUGE_VAL;
    double y0 = HUGE_VAL;
    double x1 = -HUGE_VAL;
    double y1 = -HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        double x = xy[2 * i];
        double y = xy[2 * i + 1];
        x0 = x < x0 ? x : x0;
        x1 = x > x1 ? x : x1;
        y0 = y < y0 ? y : y0;
        y1 = y > y1 ? y : y1;
    }
    return x0 >= r->box.x0 && x1 <= r->box.x1 && y0 >= r->box.y0 && y1 <= r->box.y1;
}

static void add_edge(sl_raster *r, sl_point a, sl_point b, bool inside)
{
    int32_t sign = a.y < b.y ? 1 : -1;
    sl_point top = sign > 0 ? a : b;
    sl_point bottom = sign > 0 ? b : a;
    if (inside) {
        add_down(r, top.x, top.y, bottom.x, bottom.y, sign);
    } else if (bottom.y > 0 && top.y < r->h * ONE) {
        add_down_anywhere(r, top, bottom, sign);
    }
}

void sl_raster_loop(sl_raster *r, const double *xy, size_t n)
{
    bool inside = is_inside(r, xy, n);
    sl_point at = {0, 0};
    for (size_t i = 0; i <= n && n > 0; i++) {
        const double *p = xy + 2 * (i < n ? i : 0);
        sl_point next = {steps(p[0]) - r->box.x0 * ONE, steps(p[1]) - r->box.y0 * ONE};
        if (i > 0 && at.y != next.y) {
            add_edge(r, at, next, inside);
        }
        at = next;
    }
}

static uint32_t coverage(int32_t area)
{
    uint32_t v = area < 0 ? (uint32_t)-area : (uint32_t)area;
    v = v > (uint32_t)FULL ? (uint32_t)FULL : v;
    return (v * 255 + (uint32_t)FULL / 2) / (uint32_t)FULL;
}

/* a * b / 255, rounded, as pixman has it. */
static uint32_t mul255(uint32_t a, uint32_t b)
{
    uint32_t t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

static void blend_plain(uint8_t *to, const uint32_t *cov, int32_t n, uint32_t argb)
{
    for (int32_t i = 0; i < n; i++) {
        uint32_t old = 0;
        uint32_t out = 0;
        memcpy(&old, to + 4 * (ptrdiff_t)i, 4);
        uint32_t keep = 255 - mul255(argb >> 24, cov[i]);
        for (int k = 0; k < 32; k += 8) {
            out |= (mul255(argb >> k & 255, cov[i]) + mul255(old >> k & 255, keep)) << k;
        }
        memcpy(to + 4 * (ptrdiff_t)i, &out, 4);
    }
}

/* The coverage of a block whose row has summed up to `sum` before it; clears the block. */
static int32_t cover_plain(int32_t *area, int32_t sum, uint32_t *cov)
{
    for (int i = 0; i < BLOCK; i++) {
        sum += area[i];
        cov[i] = coverage(sum);
        area[i] = 0;
    }
    return sum;
}

/* Eight pixels at a time, in the two halves of which a channel's product has room. */
typedef uint32_t words8 __attribute__((vector_size(32)));
typedef int32_t signed8 __attribute__((vector_size(32)));
typedef uint16_t halves16 __attribute__((vector_size(32)));
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi" /* no such vector crosses a call: all is inlined */
#endif

#define INLINE static inline __attribute__((always_inline))

INLINE void mul_halves(words8 *a, const words8 *b)
{
    halves16 x;
    halves16 y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    x = x * y + 128;
    x = (x + (x >> 8)) >> 8;
    memcpy(a, &x, sizeof x);
}

INLINE int32_t cover_vectors(int32_t *area, int32_t sum, uint32_t *cov)
{
    int32_t sums[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        sum += area[i];
        sums[i] = sum;
    }
    signed8 v;
    signed8 none = {0};
    memcpy(&v, sums, sizeof v);
    signed8 sign = v >> 31;
    v = (v ^ sign) - sign;
    signed8 under = v < FULL;
    v = (v & under) | (FULL & ~under);
    v = ((v << 8) - v + FULL / 2) >> 17;
    memcpy(cov, &v, sizeof v);
    memcpy(area, &none, sizeof none);
    return sum;
}

INLINE void blend_eight(uint8_t *to, const uint32_t *cov, uint32_t argb)
{
    words8 d;
    words8 c;
    memcpy(&d, to, sizeof d);
    memcpy(&c, cov, sizeof c);
    c |= c << 16;
    words8 rb = (words8){0} + (argb & 0x00FF00FF);
    words8 ag = (words8){0} + (argb >> 8 & 0x00FF00FF);
    mul_halves(&rb, &c);
    mul_halves(&ag, &c);
    words8 keep = 255 - (ag >> 16);
    keep |= keep << 16;
    words8 old_rb = d & 0x00FF00FF;
    words8 old_ag = d >> 8 & 0x00FF00FF;
    mul_halves(&old_rb, &keep);
    mul_halves(&old_ag, &keep);
    d = (rb + old_rb) | (ag + old_ag) << 8;
    memcpy(to, &d, sizeof d);
}

INLINE void span_vectors(uint8_t *to, int32_t n, uint32_t argb, uint32_t cov)
{
    words8 solid = (words8){0} + argb;
    uint32_t covers[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        covers[i] = cov;
    }
    bool opaque = cov == 255 && argb >> 24 == 255;
    int32_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        if (opaque) {
            memcpy(to + 4 * (ptrdiff_t)i, &solid, sizeof solid);
        } else {
            blend_eight(to + 4 * (ptrdiff_t)i, covers, argb);
        }
    }
    blend_plain(to + 4 * (ptrdiff_t)i, covers, n - i, argb);
}

static void span_plain(uint8_t *to, int32_t n, uint32_t argb, uint32_t cov)
{
    for (int32_t i = 0; i < n; i++) {
        blend_plain(to + 4 * (ptrdiff_t)i, &cov, 1, argb);
    }
}

/* An even span of a row. */
INLINE void draw_span(uint8_t *row, int32_t from, int32_t to, uint32_t argb, int32_t sum,
                      bool vectors)
{
    uint32_t cov = coverage(sum);
    if (cov == 0 || from >= to) {
        return;
    }
    if (vectors) {
        span_vectors(row + 4 * (ptrdiff_t)from, to - from, argb, cov);
    } else {
        span_plain(row + 4 * (ptrdiff_t)from, to - from, argb, cov);
    }
}

/* One row: the marked blocks one after another, and what lies between two. */
INLINE void draw_row(const sl_raster *r, int32_t y, uint32_t argb, uint8_t *row, bool vectors)
{
    int32_t *area = r->area + (size_t)y * r->stride;
    uint64_t *marks = r->marks + (size_t)y * r->words;
    int32_t sum = 0;
    int32_t done = 0; /* all before it is */
    for (size_t w = 0; w < r->words; w++) {
        for (uint64_t bits = marks[w]; bits != 0; bits &= bits - 1) {
            int32_t x = ((int32_t)(w * BLOCKS_A_WORD) + __builtin_ctzll(bits)) * BLOCK;
            uint32_t cov[BLOCK];
            draw_span(row, done, x < r->w ? x : r->w, argb, sum, vectors);
            sum = vectors ? cover_vectors(area + x, sum, cov) : cover_plain(area + x, sum, cov);
            done = x + BLOCK;
            if (vectors && done <= r->w) {
                blend_eight(row + 4 * (ptrdiff_t)x, cov, argb);
            } else if (x < r->w) {
                blend_plain(row + 4 * (ptrdiff_t)x, cov, done <= r->w ? BLOCK : r->w - x, argb);
            }
        }
        marks[w] = 0;
    }
    draw_span(row, done, r->w, argb, sum, vectors);
}

static void row_plain(const sl_raster *r, int32_t y, uint32_t argb, uint8_t *row)
{
    draw_row(r, y, argb, row, false);
}

static void row_vectors(const sl_raster *r, int32_t y, uint32_t argb, uint8_t *row)
{
    draw_row(r, y, argb, row, true);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void row_wide(const sl_raster *r, int32_t y, uint32_t argb,
                                                     uint8_t *row)
{
    draw_row(r, y, argb, row, true);
}
#else
#define row_wide row_vectors
#endif

void sl_raster_fill(sl_raster *r, uint32_t argb, const sl_raster_target *to)
{
    for (int32_t y = r->row_first; y < r->row_end; y++) {
        uint8_t *row = to->data + (int64_t)(y + r->box.y0) * to->stride + 4 * (int64_t)r->box.x0;
        if (r->level == SL_RASTER_PLAIN) {
            row_plain(r, y, argb, row);
        } else if (r->level == SL_RASTER_VECTORS) {
            row_vectors(r, y, argb, row);
        } else {
            row_wide(r, y, argb, row);
        }
    }
    r->row_first = r->h;
    r->row_end = 0;
}
