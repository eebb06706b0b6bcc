#include "render/raster.h"

#include "base/mem.h"
#include "render/lanes.h"

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
    size_t stride; /* numbers from row to row: w, some to spare, in whole blocks */
    size_t words;  /* of marks from row to row */
    int32_t *area; /* zero between fillings */
    uint64_t *marks;
    size_t area_room;
    size_t marks_room;
    sl_fills once;     /* for what is blended at once */
    int32_t row_first; /* rows with edges */
    int32_t row_end;
};

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
        sl_fills_free(&r->once);
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
    r->stride = ((size_t)r->w + 2 + BLOCK) / BLOCK * BLOCK;
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

static inline void mark_one(uint64_t *marks, uint32_t x)
{
    marks[x / BLOCK / BLOCKS_A_WORD] |= UINT64_C(1) << (x / BLOCK % BLOCKS_A_WORD);
}

static inline void mark(uint64_t *marks, uint32_t from, uint32_t to)
{
    uint32_t a = from / BLOCK;
    uint32_t b = to / BLOCK;
    if (a / BLOCKS_A_WORD == b / BLOCKS_A_WORD) {
        marks[a / BLOCKS_A_WORD] |= ((UINT64_C(2) << (b - a)) - 1) << (a % BLOCKS_A_WORD);
        return;
    }
    for (; a <= b; a++) {
        marks[a / BLOCKS_A_WORD] |= UINT64_C(1) << (a % BLOCKS_A_WORD);
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

/* Without a branch for what lies within two pixels, which is most. */
static inline void add_row(int32_t *row, uint64_t *marks, uint32_t xa, uint32_t xb, int32_t dy,
                           int64_t rise)
{
    uint32_t x0 = xa < xb ? xa : xb; /* the same area from left to right */
    uint32_t x1 = xa < xb ? xb : xa;
    uint32_t c0 = x0 / ONE;
    uint32_t c1 = x1 / ONE;
    if (c1 > c0 + 1) {
        mark(marks, c0, c1 + 1);
        add_wide(row, x0, x1, dy, rise);
        return;
    }
    mark_one(marks, c0);
    mark_one(marks, c1 + 1);
    bool two = c1 > c0;
    int32_t high = dy < 0 ? -dy : dy;
    int32_t upto = (int32_t)((rise * (int64_t)((c0 + 1) * ONE - x0)) >> 16);
    upto = two && upto < high ? upto : high;
    int32_t first = dy < 0 ? -upto : upto;
    int32_t second = dy - first;
    int32_t in = (int32_t)(x1 % ONE);
    int32_t right = first * ((int32_t)(x0 % ONE) + (two ? ONE : in));
    int32_t after = second * in;
    row[c0] += first * (2 * ONE) - right;
    row[c0 + 1] += right + second * (2 * ONE) - after;
    row[c0 + 2] += after;
}

/* How an edge leans: for a step down, to the right, and the other way round; both times 65536. The
 * second is of use only between columns, and has no sign. */
typedef struct lean {
    int64_t slope;
    int64_t rise;
} lean;

static inline lean lean_of(int64_t across, int64_t height)
{
    double size = (double)(across < 0 ? -across : across);
    double by = 65536.0 / ((size > 0 ? size : 1) * (double)height);
    lean l = {(int64_t)(size * (size * by)), (int64_t)((double)height * ((double)height * by))};
    l.slope = across < 0 ? -l.slope : l.slope;
    return l;
}

/* Downwards, within the box, in steps. */
static void add_down(sl_raster *r, sl_point a, sl_point b, int32_t sign)
{
    int32_t first = (int32_t)((uint32_t)a.y / ONE);
    int32_t last = (int32_t)((uint32_t)(b.y - 1) / ONE);
    int32_t *row = r->area + (size_t)first * r->stride;
    uint64_t *marks = r->marks + (size_t)first * r->words;
    lean l = lean_of((int64_t)b.x - a.x, b.y - a.y);
    r->row_first = first < r->row_first ? first : r->row_first;
    r->row_end = last >= r->row_end ? last + 1 : r->row_end;
    int64_t x = (int64_t)a.x * 65536 + l.slope * ((first + 1) * ONE - a.y);
    uint32_t at = (uint32_t)a.x;
    int32_t top = a.y;
    for (int32_t i = first; i <= last; i++, row += r->stride, marks += r->words) {
        int32_t bottom = i == last ? b.y : (i + 1) * ONE;
        uint32_t next = i == last ? (uint32_t)b.x : (uint32_t)(x >> 16);
        add_row(row, marks, at, next, (bottom - top) * sign, l.rise);
        at = next;
        top = bottom;
        x += l.slope * ONE;
    }
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
    lean l = lean_of((int64_t)b.x - a.x, (int64_t)b.y - a.y);
    int64_t x = ((int64_t)a.x * 65536) + l.slope * (((int64_t)first + 1) * ONE - a.y);
    int32_t at = a.x;
    int32_t i = first;
    if (i < 0 && end >= 0) { /* to the box's first row */
        x += l.slope * ONE * (-(int64_t)first - 1);
        at = (int32_t)(x >> 16);
        x += l.slope * ONE;
        i = 0;
    }
    for (; i <= end; i++, x += l.slope * ONE) {
        int32_t xs[2] = {at, i == last ? b.x : (int32_t)(x >> 16)};
        int32_t top = i == first ? a.y : i * ONE;
        int32_t bottom = i == last ? b.y : (i + 1) * ONE;
        add_row_anywhere(r, r->area + (size_t)i * r->stride, r->marks + (size_t)i * r->words, xs,
                         (bottom - top) * sign, l.rise);
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

/* Whether a point lies within the box, which spares a look at every cell. */
static inline bool is_inside(const sl_raster *r, sl_point p)
{
    return (uint32_t)p.x <= (uint32_t)r->w * ONE && (uint32_t)p.y <= (uint32_t)r->h * ONE;
}

static void add_edge(sl_raster *r, sl_point a, sl_point b, bool inside)
{
    int32_t sign = a.y < b.y ? 1 : -1;
    sl_point top = sign > 0 ? a : b;
    sl_point bottom = sign > 0 ? b : a;
    if (inside) {
        add_down(r, top, bottom, sign);
    } else if (bottom.y > 0 && top.y < r->h * ONE) {
        add_down_anywhere(r, top, bottom, sign);
    }
}

/* Where a point some way on will add to: it comes nearer in the meantime. */
static inline void fetch_area(const sl_raster *r, const double *p)
{
    int32_t x = (int32_t)p[0] - r->box.x0;
    int32_t y = (int32_t)p[1] - r->box.y0;
    if ((uint32_t)x < (uint32_t)r->w && (uint32_t)y < (uint32_t)r->h) {
        __builtin_prefetch(r->area + (size_t)y * r->stride + x, 1);
    }
}

void sl_raster_loop(sl_raster *r, const double *xy, size_t n)
{
    enum {
        AHEAD = 4
    };
    sl_point at = {0, 0};
    bool inside = false;
    for (size_t i = 0; i <= n && n > 0; i++) {
        const double *p = xy + 2 * (i < n ? i : 0);
        sl_point next = {steps(p[0]) - r->box.x0 * ONE, steps(p[1]) - r->box.y0 * ONE};
        bool next_inside = is_inside(r, next);
        if (i + AHEAD < n && next_inside) {
            fetch_area(r, p + 2 * AHEAD);
        }
        if (i > 0 && at.y != next.y) {
            add_edge(r, at, next, inside && next_inside);
        }
        at = next;
        inside = next_inside;
    }
}

static uint32_t coverage(int32_t area)
{
    uint32_t v = area < 0 ? (uint32_t)-area : (uint32_t)area;
    v = v > (uint32_t)FULL ? (uint32_t)FULL : v;
    return (v * 255 + (uint32_t)FULL / 2) / (uint32_t)FULL;
}

/* The coverage of a block whose row has summed up to `sum` before it; clears the block. */
static int32_t cover_plain(int32_t *area, int32_t sum, uint8_t *cov)
{
    for (int i = 0; i < BLOCK; i++) {
        sum += area[i];
        cov[i] = (uint8_t)coverage(sum);
        area[i] = 0;
    }
    return sum;
}

/* The low bytes of eight words. */
SL_INLINE void narrow(const sl_signed8 *v, uint8_t *out, sl_raster_level level)
{
    if (level == SL_RASTER_WIDE) {
        sl_bytes32 b;
        memcpy(&b, v, sizeof b);
        b = __builtin_shufflevector(b, b, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 16,
                                    20, 24, 28, 16, 20, 24, 28, 16, 20, 24, 28, 16, 20, 24, 28);
        sl_words8 w;
        memcpy(&w, &b, sizeof w);
        uint32_t both[2] = {w[0], w[4]};
        memcpy(out, both, sizeof both);
    } else {
        for (int i = 0; i < BLOCK; i++) {
            out[i] = (uint8_t)(*v)[i];
        }
    }
}

SL_INLINE int32_t cover_vectors(int32_t *area, int32_t sum, uint8_t *cov, sl_raster_level level)
{
    sl_signed8 v;
    const sl_signed8 none = {0};
    memcpy(&v, area, sizeof v);
    /* Each four sum up for themselves first. */
    v += __builtin_shufflevector(v, none, 8, 0, 1, 2, 8, 4, 5, 6);
    v += __builtin_shufflevector(v, none, 8, 8, 0, 1, 8, 8, 4, 5);
    v += __builtin_shufflevector(v, none, 8, 8, 8, 8, 3, 3, 3, 3) + sum;
    sum = v[BLOCK - 1];
    sl_signed8 sign = v >> 31;
    v = (v ^ sign) - sign;
    sl_signed8 under = v < FULL;
    v = (v & under) | (FULL & ~under);
    v = ((v << 8) - v + FULL / 2) >> 17;
    narrow(&v, cov, level);
    memcpy(area, &none, sizeof none);
    return sum;
}

/* The last block of a row, of which not all lies in the box: its pixels one by one. */
static void put_end(sl_fills *f, const uint8_t *cov, int32_t n, sl_even e)
{
    for (int32_t i = 0; i < n; i++) {
        e.n = 1;
        e.cov = cov[i];
        f->even[f->evens] = e;
        f->evens += cov[i] != 0;
        e.x++;
    }
}

/* Takes one row out: the marked blocks, and what lies between two. */
SL_INLINE void take_row(sl_raster *r, int32_t y, sl_fills *f, sl_raster_level level)
{
    int32_t *area = r->area + (size_t)y * r->stride;
    uint64_t *marks = r->marks + (size_t)y * r->words;
    uint16_t at_y = (uint16_t)(y + r->box.y0);
    int32_t sum = 0;
    int32_t done = 0; /* all before it is */
    for (size_t w = 0; w < r->words; w++) {
        for (uint64_t bits = marks[w]; bits != 0; bits &= bits - 1) {
            int32_t x = ((int32_t)(w * BLOCKS_A_WORD) + __builtin_ctzll(bits)) * BLOCK;
            int32_t end = x < r->w ? x : r->w;
            uint32_t even = coverage(sum);
            f->even[f->evens] = (sl_even){(uint16_t)(r->box.x0 + done), at_y,
                                          (uint16_t)(end - done), (uint16_t)even};
            f->evens += (even != 0) & (end > done);
            sl_block *b = &f->block[f->blocks];
            b->x = (uint16_t)(r->box.x0 + x);
            b->y = at_y;
            sum = level == SL_RASTER_PLAIN ? cover_plain(area + x, sum, b->cov)
                                           : cover_vectors(area + x, sum, b->cov, level);
            if (x + BLOCK <= r->w) {
                f->blocks++;
            } else if (x < r->w) {
                put_end(f, b->cov, r->w - x, (sl_even){b->x, at_y, 0, 0});
            }
            done = x + BLOCK;
        }
        marks[w] = 0;
    }
    uint32_t even = coverage(sum);
    if (even != 0 && done < r->w) {
        f->even[f->evens++] =
            (sl_even){(uint16_t)(r->box.x0 + done), at_y, (uint16_t)(r->w - done), (uint16_t)even};
    }
}

/* The numbers of a row some rows on come nearer. */
SL_INLINE void fetch_row(const sl_raster *r, int32_t y)
{
    const int32_t *area = r->area + (size_t)y * r->stride;
    const uint64_t *marks = r->marks + (size_t)y * r->words;
    for (size_t w = 0; w < r->words; w++) {
        for (uint64_t bits = marks[w]; bits != 0; bits &= bits - 1) {
            size_t block = w * BLOCKS_A_WORD + (size_t)__builtin_ctzll(bits);
            __builtin_prefetch(area + block * BLOCK, 1);
        }
    }
}

SL_INLINE void take_rows(sl_raster *r, sl_fills *f, sl_raster_level level)
{
    enum {
        AHEAD = 4
    };
    for (int32_t y = r->row_first; y < r->row_end; y++) {
        sl_fills_row(f, y + r->box.y0);
        if (y + AHEAD < r->row_end) {
            fetch_row(r, y + AHEAD);
        }
        take_row(r, y, f, level);
    }
}

static void take_plain(sl_raster *r, sl_fills *f)
{
    take_rows(r, f, SL_RASTER_PLAIN);
}

static void take_vectors(sl_raster *r, sl_fills *f)
{
    take_rows(r, f, SL_RASTER_VECTORS);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void take_wide(sl_raster *r, sl_fills *f)
{
    take_rows(r, f, SL_RASTER_WIDE);
}
#else
#define take_wide take_vectors
#endif

/* How many blocks are marked, in the rows that have any. */
static size_t count_marks(const sl_raster *r)
{
    size_t n = 0;
    for (size_t i = (size_t)r->row_first * r->words; i < (size_t)r->row_end * r->words; i++) {
        n += (size_t)__builtin_popcountll(r->marks[i]);
    }
    return n;
}

static void forget(sl_raster *r)
{
    size_t from = (size_t)r->row_first;
    size_t rows = (size_t)(r->row_end - r->row_first);
    memset(r->area + from * r->stride, 0, rows * r->stride * sizeof *r->area);
    memset(r->marks + from * r->words, 0, rows * r->words * sizeof *r->marks);
}

bool sl_raster_take(sl_raster *r, uint32_t argb, sl_fills *into)
{
    if (r->row_first < r->row_end) {
        size_t blocks = count_marks(r);
        size_t rows = (size_t)(r->row_end - r->row_first);
        sl_box box = {r->box.x0, r->box.y0 + r->row_first, r->box.x1, r->box.y0 + r->row_end};
        if (!sl_fills_open(into, argb, box, blocks + 1, blocks + rows * (BLOCK + 1))) {
            forget(r);
        } else if (r->level == SL_RASTER_PLAIN) {
            take_plain(r, into);
        } else if (r->level == SL_RASTER_VECTORS) {
            take_vectors(r, into);
        } else {
            take_wide(r, into);
        }
        if (!into->failed) {
            sl_fills_close(into);
        }
    }
    r->row_first = r->h;
    r->row_end = 0;
    return !into->failed;
}

bool sl_raster_fill(sl_raster *r, uint32_t argb, const sl_raster_target *to)
{
    sl_fills_clear(&r->once);
    bool ok = sl_raster_take(r, argb, &r->once);
    if (ok) {
        sl_fills_paint(&r->once, r->level, to, r->box);
    }
    return ok;
}
