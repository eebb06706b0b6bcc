/* media/blend.c - sixteen bits of fraction when a film is made, eight when it is laid over. */
#include "media/blend.h"

#include "base/mem.h"
#include "render/lanes.h"

enum {
    TILE = 64,
    HALF = TILE / 2,
    STEP = 8 /* pixels converted at a time */
};

/* Rows one after another; what has no ink keeps 255 and adds 0. */
typedef struct tile {
    uint64_t rows; /* those with ink */
    uint8_t luma_keep[TILE * TILE];
    uint8_t luma_add[TILE * TILE];
    uint8_t chroma_keep[HALF * HALF];
    uint8_t chroma_add[2][HALF * HALF];
} tile;

struct sl_film {
    int32_t width;
    int32_t height;
    int32_t cols;
    int32_t rows;
    sl_raster_level level;
    tile *tiles;
};

typedef struct weights {
    int32_t y[3]; /* red, green, blue */
    int32_t u[3];
    int32_t v[3];
} weights;

/* round(65536 * k * 219 / 255) for luma, 224 / 255 for chroma. */
static const weights bt601 = {{16829, 33039, 6416}, {-9714, -19071, 28784}, {28784, -24103, -4681}};
static const weights bt709 = {{11966, 40254, 4064}, {-6596, -22189, 28784}, {28784, -26145, -2639}};

static void clear_tile(tile *t)
{
    memset(t, 0, sizeof *t);
    memset(t->luma_keep, 255, sizeof t->luma_keep);
    memset(t->chroma_keep, 255, sizeof t->chroma_keep);
}

sl_film *sl_film_new(int32_t width, int32_t height)
{
    sl_film *f = sl_mem(sizeof *f);
    if (f == NULL) {
        return NULL;
    }
    f->width = width;
    f->height = height;
    f->cols = (width + TILE - 1) / TILE;
    f->rows = (height + TILE - 1) / TILE;
    f->level = sl_raster_best();
    size_t n = (size_t)f->cols * (size_t)f->rows;
    f->tiles = sl_mem_array(n, sizeof *f->tiles);
    if (f->tiles == NULL) {
        sl_mem_free(f);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        clear_tile(&f->tiles[i]);
    }
    return f;
}

void sl_film_free(sl_film *f)
{
    if (f != NULL) {
        sl_mem_free(f->tiles);
        sl_mem_free(f);
    }
}

void sl_film_clear(sl_film *f)
{
    for (int32_t i = 0; i < f->cols * f->rows; i++) {
        if (f->tiles[i].rows != 0) {
            clear_tile(&f->tiles[i]);
        }
    }
}

void sl_film_use(sl_film *f, sl_raster_level level)
{
    f->level = level;
}

bool sl_film_is_clear(const sl_film *f)
{
    uint64_t rows = 0;
    for (int32_t i = 0; i < f->cols * f->rows; i++) {
        rows |= f->tiles[i].rows;
    }
    return rows == 0;
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
SL_INLINE void take_chroma(tile *t, size_t at, const sl_words8 *p, const sl_words8 *q,
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
        t->chroma_keep[at + (size_t)i] = (uint8_t)(255 - alpha);
        t->chroma_add[0][at + (size_t)i] = (uint8_t)added(alpha, 128, w->u, rgb);
        t->chroma_add[1][at + (size_t)i] = (uint8_t)added(alpha, 128, w->v, rgb);
    }
}

static void mark_row(tile *t, int32_t row)
{
    uint8_t all = 255;
    for (int i = 0; i < TILE; i++) {
        all &= t->luma_keep[row * TILE + i];
    }
    t->rows &= ~(UINT64_C(1) << row);
    t->rows |= (uint64_t)(all != 255) << row;
}

/* The part of a tile whose sides are multiples of STEP across, even downwards. */
SL_INLINE void take_part(tile *t, const sl_pixels *ink, const sl_box *part, const weights *w)
{
    for (int32_t y = part->y0; y < part->y1; y += 2) {
        int32_t row = y % TILE;
        for (int32_t x = part->x0; x < part->x1; x += STEP) {
            size_t at = (size_t)(row * TILE + x % TILE);
            sl_words8 p;
            sl_words8 q;
            load(ink, x, y, &p);
            load(ink, x, y + 1, &q);
            take_luma(&p, w->y, t->luma_keep + at, t->luma_add + at);
            take_luma(&q, w->y, t->luma_keep + at + TILE, t->luma_add + at + TILE);
            take_chroma(t, (size_t)(row / 2 * HALF + x % TILE / 2), &p, &q, w);
        }
        mark_row(t, row);
        mark_row(t, row + 1);
    }
}

static void part_vectors(tile *t, const sl_pixels *ink, const sl_box *part, const weights *w)
{
    take_part(t, ink, part, w);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void part_wide(tile *t, const sl_pixels *ink,
                                                      const sl_box *part, const weights *w)
{
    take_part(t, ink, part, w);
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
        sl_box all = {most(boxes[i].x0, 0) / STEP * STEP, most(boxes[i].y0, 0) & ~1,
                      least(boxes[i].x1, f->width), least(boxes[i].y1, f->height)};
        if (all.x0 >= all.x1 || all.y0 >= all.y1) {
            continue;
        }
        for (int32_t y = all.y0; y < all.y1; y = (y / TILE + 1) * TILE) {
            for (int32_t x = all.x0; x < all.x1; x = (x / TILE + 1) * TILE) {
                sl_box part = {x, y, least((x / TILE + 1) * TILE, all.x1),
                               least((y / TILE + 1) * TILE, all.y1)};
                tile *t = &f->tiles[y / TILE * f->cols + x / TILE];
                if (f->level == SL_RASTER_WIDE) {
                    part_wide(t, ink, &part, w);
                } else {
                    part_vectors(t, ink, &part, w);
                }
            }
        }
    }
}

static void over_plain(uint8_t *to, const uint8_t *keep, const uint8_t *add, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        to[i] = (uint8_t)(sl_mul255(to[i], keep[i]) + add[i]);
    }
}

/* Thirty-two at a time, the even and the odd ones apart. */
SL_INLINE void over_vectors(uint8_t *to, const uint8_t *keep, const uint8_t *add, int32_t n)
{
    int32_t i = 0;
    for (; i + 32 <= n; i += 32) {
        sl_halves16 o;
        sl_halves16 k;
        sl_halves16 a;
        memcpy(&o, to + i, sizeof o);
        memcpy(&k, keep + i, sizeof k);
        memcpy(&a, add + i, sizeof a);
        sl_halves16 even = (o & 255) * (k & 255) + 128;
        sl_halves16 odd = (o >> 8) * (k >> 8) + 128;
        even = (even + (even >> 8)) >> 8;
        odd = (odd + (odd >> 8)) & 0xFF00;
        o = (even | odd) + a; /* no byte overflows: sl_film_take saw to that */
        memcpy(to + i, &o, sizeof o);
    }
    over_plain(to + i, keep + i, add + i, n - i);
}

SL_INLINE void over(uint8_t *to, const uint8_t *keep, const uint8_t *add, int32_t n, bool vectors)
{
    if (vectors) {
        over_vectors(to, keep, add, n);
    } else {
        over_plain(to, keep, add, n);
    }
}

SL_INLINE void blend_tile(const tile *t, int32_t x, int32_t y, const sl_yuv *to, bool vectors)
{
    int32_t w = least(TILE, to->width - x);
    for (uint64_t rows = t->rows; rows != 0; rows &= rows - 1) {
        int32_t row = __builtin_ctzll(rows);
        over(to->plane[0] + (ptrdiff_t)(y + row) * to->stride[0] + x, t->luma_keep + row * TILE,
             t->luma_add + row * TILE, w, vectors);
    }
    uint64_t pairs = (t->rows | t->rows >> 1) & UINT64_C(0x5555555555555555);
    for (; pairs != 0; pairs &= pairs - 1) {
        int32_t row = __builtin_ctzll(pairs) / 2;
        for (int i = 0; i < 2; i++) {
            over(to->plane[1 + i] + (ptrdiff_t)(y / 2 + row) * to->stride[1 + i] + x / 2,
                 t->chroma_keep + row * HALF, t->chroma_add[i] + row * HALF, w / 2, vectors);
        }
    }
}

static void tile_plain(const tile *t, int32_t x, int32_t y, const sl_yuv *to)
{
    blend_tile(t, x, y, to, false);
}

static void tile_vectors(const tile *t, int32_t x, int32_t y, const sl_yuv *to)
{
    blend_tile(t, x, y, to, true);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void tile_wide(const tile *t, int32_t x, int32_t y,
                                                      const sl_yuv *to)
{
    blend_tile(t, x, y, to, true);
}
#else
#define tile_wide tile_vectors
#endif

void sl_film_blend(const sl_film *f, const sl_yuv *picture)
{
    for (int32_t i = 0; i < f->cols * f->rows; i++) {
        int32_t x = i % f->cols * TILE;
        int32_t y = i / f->cols * TILE;
        if (f->tiles[i].rows == 0) {
            continue;
        }
        if (f->level == SL_RASTER_PLAIN) {
            tile_plain(&f->tiles[i], x, y, picture);
        } else if (f->level == SL_RASTER_VECTORS) {
            tile_vectors(&f->tiles[i], x, y, picture);
        } else {
            tile_wide(&f->tiles[i], x, y, picture);
        }
    }
}
