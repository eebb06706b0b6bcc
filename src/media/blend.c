/* media/blend.c - sixteen bits of fraction when a film is made, eight when it is laid over. */
#include "media/blend.h"

#include "base/mem.h"
#include "render/lanes.h"

enum {
    SPAN = 32, /* pixels of a row that are blended or not */
    STEP = 8,  /* ... converted at a time */
    LINE = 64, /* of the cache */
    AHEAD = 8  /* spans */
};

/* A span of two rows and the chroma that they share, in cache lines of its own: ink comes in short
 * runs, each of which waits for memory. What has no ink keeps 255 and adds 0. */
typedef struct cell {
    uint8_t luma_keep[2][SPAN];
    uint8_t luma_add[2][SPAN];
    uint8_t chroma_keep[SPAN / 2];
    uint8_t chroma_add[2][SPAN / 2];
    uint8_t unused[SPAN / 2];
} cell;

struct sl_film {
    int32_t width;
    int32_t height;
    size_t spans; /* of a row */
    size_t words; /* of marks from one pair of rows to the next */
    sl_raster_level level;
    void *memory;
    cell *cells;     /* in it, at a line's beginning; pair of rows by pair of rows */
    uint64_t *marks; /* the spans with ink */
};

typedef struct weights {
    int32_t y[3]; /* red, green, blue */
    int32_t u[3];
    int32_t v[3];
} weights;

/* round(65536 * k * 219 / 255) for luma, 224 / 255 for chroma. */
static const weights bt601 = {{16829, 33039, 6416}, {-9714, -19071, 28784}, {28784, -24103, -4681}};
static const weights bt709 = {{11966, 40254, 4064}, {-6596, -22189, 28784}, {28784, -26145, -2639}};

static size_t cells_of(const sl_film *f)
{
    return f->spans * (size_t)(f->height / 2);
}

static size_t marks_of(const sl_film *f)
{
    return f->words * (size_t)(f->height / 2);
}

void sl_film_clear(sl_film *f)
{
    cell clear = {0};
    memset(clear.luma_keep, 255, sizeof clear.luma_keep);
    memset(clear.chroma_keep, 255, sizeof clear.chroma_keep);
    for (size_t i = 0; i < cells_of(f); i++) {
        f->cells[i] = clear;
    }
    memset(f->marks, 0, marks_of(f) * sizeof *f->marks);
}

sl_film *sl_film_new(int32_t width, int32_t height)
{
    sl_film *f = sl_mem(sizeof *f);
    if (f == NULL) {
        return NULL;
    }
    f->width = width;
    f->height = height;
    f->spans = ((size_t)width + SPAN - 1) / SPAN;
    f->words = (f->spans + 63) / 64;
    f->level = sl_raster_best();
    f->memory = sl_mem_array(cells_of(f) + 1, sizeof *f->cells);
    f->cells = (cell *)(((uintptr_t)f->memory + LINE - 1) / LINE * LINE);
    f->marks = sl_mem_array(marks_of(f), sizeof *f->marks);
    if (f->memory == NULL || f->marks == NULL) {
        sl_film_free(f);
        return NULL;
    }
    sl_film_clear(f);
    return f;
}

void sl_film_free(sl_film *f)
{
    if (f != NULL) {
        sl_mem_free(f->memory);
        sl_mem_free(f->marks);
        sl_mem_free(f);
    }
}

void sl_film_use(sl_film *f, sl_raster_level level)
{
    f->level = level;
}

bool sl_film_is_clear(const sl_film *f)
{
    uint64_t any = 0;
    for (size_t i = 0; i < marks_of(f); i++) {
        any |= f->marks[i];
    }
    return any == 0;
}

/* Eight pixels of the overlay; beyond its right side there is nothing. */
SL_INLINE void load(const sl_pixels *ink, int32_t x, int32_t y, sl_words8 *out)
{
    const uint8_t *from = ink->data + (ptrdiff_t)y * ink->stride + 4 * (ptrdiff_t)x;
    sl_words8 p = {0};
    if (x + STEP <= ink->width) {
        memcpy(&p, from, sizeof p);
    } else {
        memcpy(&p, from, 4 * (size_t)(ink->width - x));
    }
    *out = p;
}

SL_INLINE int32_t added(int32_t alpha, int32_t offset, const int32_t k[3], const int32_t rgb[3])
{
    int32_t v =
        (offset * 257 * alpha + k[0] * rgb[0] + k[1] * rgb[1] + k[2] * rgb[2] + 32768) >> 16;
    return v < 0 ? 0 : v > alpha ? alpha : v; /* so that no sum is above 255 */
}

/* What eight pixels of a row keep and add. */
SL_INLINE void take_luma(const sl_words8 *p, const int32_t k[3], uint8_t *keep, uint8_t *add)
{
    sl_signed8 a = (sl_signed8)(*p >> 24);
    sl_signed8 v = a * (16 * 257) + 32768 + (sl_signed8)(*p >> 16 & 255) * k[0] +
                   (sl_signed8)(*p >> 8 & 255) * k[1] + (sl_signed8)(*p & 255) * k[2];
    v = v >> 16;
    sl_signed8 under = v < a;
    v = (v & under) | (a & ~under);
    for (int i = 0; i < STEP; i++) {
        keep[i] = (uint8_t)(255 - a[i]);
        add[i] = (uint8_t)v[i];
    }
}

/* The chroma of two rows of eight. */
SL_INLINE void take_chroma(cell *c, int32_t at, const sl_words8 *p, const sl_words8 *q,
                           const weights *w)
{
    sl_words8 ag = (*p >> 8 & 0x00FF00FF) + (*q >> 8 & 0x00FF00FF);
    sl_words8 rb = (*p & 0x00FF00FF) + (*q & 0x00FF00FF);
    for (int i = 0; i < STEP / 2; i++) {
        uint32_t ag4 = ag[2 * i] + ag[2 * i + 1] + 0x00020002;
        uint32_t rb4 = rb[2 * i] + rb[2 * i + 1] + 0x00020002;
        int32_t alpha = (int32_t)(ag4 >> 18);
        int32_t rgb[3] = {(int32_t)(rb4 >> 18), (int32_t)(ag4 >> 2 & 255),
                          (int32_t)(rb4 >> 2 & 255)};
        c->chroma_keep[at + i] = (uint8_t)(255 - alpha);
        c->chroma_add[0][at + i] = (uint8_t)added(alpha, 128, w->u, rgb);
        c->chroma_add[1][at + i] = (uint8_t)added(alpha, 128, w->v, rgb);
    }
}

/* Two rows' spans from x0 to x1. */
static void mark_rows(sl_film *f, int32_t y, int32_t x0, int32_t x1)
{
    uint64_t *marks = f->marks + (size_t)(y / 2) * f->words;
    for (size_t span = (size_t)x0 / SPAN; span <= (size_t)(x1 - 1) / SPAN; span++) {
        const cell *c = f->cells + (size_t)(y / 2) * f->spans + span;
        uint8_t all = 255;
        for (int i = 0; i < SPAN; i++) {
            all &= c->luma_keep[0][i] & c->luma_keep[1][i];
        }
        marks[span / 64] &= ~(UINT64_C(1) << (span % 64));
        marks[span / 64] |= (uint64_t)(all != 255) << (span % 64);
    }
}

/* A part whose left side is a multiple of STEP, and its upper one even. */
SL_INLINE void take_part(sl_film *f, const sl_pixels *ink, const sl_box *part, const weights *w)
{
    for (int32_t y = part->y0; y < part->y1; y += 2) {
        for (int32_t x = part->x0; x < part->x1; x += STEP) {
            cell *c = f->cells + (size_t)(y / 2) * f->spans + (size_t)x / SPAN;
            int32_t at = x % SPAN;
            sl_words8 p;
            sl_words8 q;
            load(ink, x, y, &p);
            load(ink, x, y + 1, &q);
            take_luma(&p, w->y, c->luma_keep[0] + at, c->luma_add[0] + at);
            take_luma(&q, w->y, c->luma_keep[1] + at, c->luma_add[1] + at);
            take_chroma(c, at / 2, &p, &q, w);
        }
        mark_rows(f, y, part->x0, part->x1);
    }
}

static void part_vectors(sl_film *f, const sl_pixels *ink, const sl_box *part, const weights *w)
{
    take_part(f, ink, part, w);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void part_wide(sl_film *f, const sl_pixels *ink,
                                                      const sl_box *part, const weights *w)
{
    take_part(f, ink, part, w);
}
#else
#define part_wide part_vectors
#endif

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

void sl_film_take(sl_film *f, const sl_pixels *ink, const sl_box *boxes, size_t n, bool is_709)
{
    const weights *w = is_709 ? &bt709 : &bt601;
    for (size_t i = 0; i < n; i++) {
        sl_box part = {most(boxes[i].x0, 0) / STEP * STEP, most(boxes[i].y0, 0) & ~1,
                       least(boxes[i].x1, f->width), least(boxes[i].y1, f->height)};
        if (part.x0 < part.x1 && part.y0 < part.y1 && f->level == SL_RASTER_WIDE) {
            part_wide(f, ink, &part, w);
        } else if (part.x0 < part.x1 && part.y0 < part.y1) {
            part_vectors(f, ink, &part, w);
        }
    }
}

static void over_plain(uint8_t *to, const uint8_t *keep, const uint8_t *add, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        to[i] = (uint8_t)(sl_mul255(to[i], keep[i]) + add[i]);
    }
}

/* The even and the odd bytes apart. No byte overflows at the end: sl_film_take saw to that. */
#define OVER(type)                               \
    do {                                         \
        type o;                                  \
        type k;                                  \
        type a;                                  \
        memcpy(&o, to + i, sizeof o);            \
        memcpy(&k, keep + i, sizeof k);          \
        memcpy(&a, add + i, sizeof a);           \
        type even = (o & 255) * (k & 255) + 128; \
        type odd = (o >> 8) * (k >> 8) + 128;    \
        even = (even + (even >> 8)) >> 8;        \
        odd = (odd + (odd >> 8)) & 0xFF00;       \
        o = (even | odd) + a;                    \
        memcpy(to + i, &o, sizeof o);            \
    } while (0)

/* A span or what of it is left at the right side. */
SL_INLINE void over(uint8_t *to, const uint8_t *keep, const uint8_t *add, int32_t n, bool vectors)
{
    int32_t i = 0;
    for (; vectors && i + 32 <= n; i += 32) {
        OVER(sl_halves16);
    }
    for (; vectors && i + 16 <= n; i += 16) {
        OVER(sl_halves8);
    }
    over_plain(to + i, keep + i, add + i, n - i);
}

/* A span and what is under it. */
typedef struct place {
    const cell *c;
    uint8_t *at[3]; /* its upper row of each plane */
    int32_t n;      /* pixels: fewer at the right side */
} place;

/* From one span with ink to the next. */
typedef struct walk {
    int32_t y;
    size_t word; /* of the row's marks */
    uint64_t left;
} walk;

static const walk START = {0, (size_t)-1, 0};

/* False: there is no more. */
SL_INLINE bool next_place(const sl_film *f, const sl_yuv *to, walk *w, place *out)
{
    while (w->left == 0) {
        if (++w->word == f->words) {
            w->word = 0;
            w->y += 2;
        }
        if (w->y >= f->height) {
            w->word--;
            return false;
        }
        w->left = f->marks[(size_t)(w->y / 2) * f->words + w->word];
    }
    size_t span = w->word * 64 + (size_t)__builtin_ctzll(w->left);
    int32_t x = (int32_t)span * SPAN;
    int32_t half = w->y / 2;
    w->left &= w->left - 1;
    out->c = f->cells + (size_t)half * f->spans + span;
    out->at[0] = to->plane[0] + (ptrdiff_t)w->y * to->stride[0] + x;
    out->at[1] = to->plane[1] + (ptrdiff_t)half * to->stride[1] + x / 2;
    out->at[2] = to->plane[2] + (ptrdiff_t)half * to->stride[2] + x / 2;
    out->n = least(SPAN, f->width - x);
    return true;
}

SL_INLINE void fetch(const place *p, const sl_yuv *to)
{
    for (size_t i = 0; i < sizeof *p->c; i += LINE) {
        __builtin_prefetch((const uint8_t *)p->c + i, 0);
    }
    __builtin_prefetch(p->at[0], 1);
    __builtin_prefetch(p->at[0] + to->stride[0], 1);
    __builtin_prefetch(p->at[1], 1);
    __builtin_prefetch(p->at[2], 1);
}

/* Ink lies here and there: no machine guesses where next, so that is fetched some spans ahead. */
SL_INLINE void blend_all(const sl_film *f, const sl_yuv *to, bool vectors)
{
    walk now = START;
    walk then = START;
    place p;
    for (int i = 0; i < AHEAD && next_place(f, to, &then, &p); i++) {
        fetch(&p, to);
    }
    while (next_place(f, to, &now, &p)) {
        place later;
        if (next_place(f, to, &then, &later)) {
            fetch(&later, to);
        }
        for (int i = 0; i < 2; i++) {
            over(p.at[0] + (ptrdiff_t)i * to->stride[0], p.c->luma_keep[i], p.c->luma_add[i], p.n,
                 vectors);
            over(p.at[1 + i], p.c->chroma_keep, p.c->chroma_add[i], p.n / 2, vectors);
        }
    }
}

static void blend_plain(const sl_film *f, const sl_yuv *to)
{
    blend_all(f, to, false);
}

static void blend_vectors(const sl_film *f, const sl_yuv *to)
{
    blend_all(f, to, true);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void blend_wide(const sl_film *f, const sl_yuv *to)
{
    blend_all(f, to, true);
}
#else
#define blend_wide blend_vectors
#endif

void sl_film_blend(const sl_film *f, const sl_yuv *picture)
{
    if (f->level == SL_RASTER_PLAIN) {
        blend_plain(f, picture);
    } else if (f->level == SL_RASTER_VECTORS) {
        blend_vectors(f, picture);
    } else {
        blend_wide(f, picture);
    }
}
