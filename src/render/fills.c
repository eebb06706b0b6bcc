#include "render/fills.h"

#include "base/mem.h"
#include "render/lanes.h"

sl_raster_level sl_raster_best(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") ? SL_RASTER_WIDE : SL_RASTER_VECTORS;
#else
    return SL_RASTER_VECTORS;
#endif
}

void sl_fills_clear(sl_fills *f)
{
    f->fills = f->blocks = f->evens = f->bands = 0;
    f->failed = false;
}

void sl_fills_free(sl_fills *f)
{
    sl_mem_free(f->fill);
    sl_mem_free(f->block);
    sl_mem_free(f->even);
    sl_mem_free(f->band);
    memset(f, 0, sizeof *f);
}

/* Room for `more` after the n that there are. */
static bool reserve(void **list, uint32_t *room, uint32_t n, size_t more, size_t size)
{
    if (more <= *room - n) {
        return true;
    }
    size_t want = n + more + (size_t)*room / 2 + 8;
    void *grown = want < UINT32_MAX ? sl_mem_resize(*list, want, size) : NULL;
    if (grown != NULL) {
        *list = grown;
        *room = (uint32_t)want;
    }
    return grown != NULL;
}

static bool reserve_all(sl_fills *f, size_t fills, size_t blocks, size_t evens, size_t bands)
{
    void *lists[4] = {f->fill, f->block, f->even, f->band};
    bool ok = !f->failed && reserve(&lists[0], &f->fill_room, f->fills, fills, sizeof *f->fill) &&
              reserve(&lists[1], &f->block_room, f->blocks, blocks, sizeof *f->block) &&
              reserve(&lists[2], &f->even_room, f->evens, evens, sizeof *f->even) &&
              reserve(&lists[3], &f->band_room, f->bands, bands, sizeof *f->band);
    f->fill = lists[0];
    f->block = lists[1];
    f->even = lists[2];
    f->band = lists[3];
    f->failed = !ok;
    return ok;
}

bool sl_fills_open(sl_fills *f, uint32_t argb, sl_box box, size_t blocks, size_t evens)
{
    size_t bands = (size_t)((box.y1 - box.y0) >> SL_BAND_BITS) + 3;
    if (!reserve_all(f, 1, blocks, evens, bands)) {
        return false;
    }
    f->fill[f->fills] = (sl_fill){box, argb, f->bands};
    return true;
}

void sl_fills_close(sl_fills *f)
{
    f->band[f->bands++] = (sl_band){f->blocks, f->evens};
    f->fills++;
}

static void mask_row(sl_fills *f, sl_box box, int32_t y, const uint8_t *mask)
{
    for (int32_t x = box.x0; x < box.x1; x += SL_BLOCK, mask += SL_BLOCK) {
        static const uint8_t none[SL_BLOCK] = {0};
        int32_t n = box.x1 - x < SL_BLOCK ? box.x1 - x : SL_BLOCK;
        if (n < SL_BLOCK) {
            for (int32_t i = 0; i < n; i++) {
                f->even[f->evens] = (sl_even){(uint16_t)(x + i), (uint16_t)y, 1, mask[i]};
                f->evens += mask[i] != 0;
            }
        } else if (memcmp(mask, none, SL_BLOCK) != 0) {
            sl_block *b = &f->block[f->blocks++];
            b->x = (uint16_t)x;
            b->y = (uint16_t)y;
            memcpy(b->cov, mask, SL_BLOCK);
        }
    }
}

void sl_fills_mask(sl_fills *f, uint32_t argb, sl_box box, const uint8_t *mask, size_t stride)
{
    size_t across = (size_t)(box.x1 - box.x0) / SL_BLOCK;
    bool ok = sl_fills_open(f, argb, box, across, SL_BLOCK);
    for (int32_t y = box.y0; ok && y < box.y1; y++) {
        ok = reserve_all(f, 1, across, SL_BLOCK, 2); /* a mask is mostly empty */
        if (ok) {
            sl_fills_row(f, y);
            mask_row(f, box, y, mask + (size_t)(y - box.y0) * stride);
        }
    }
    if (ok) {
        sl_fills_close(f);
    }
}

bool sl_fills_copy(const sl_fills *f, sl_fills *out)
{
    memset(out, 0, sizeof *out);
    out->fill = sl_mem_array(f->fills, sizeof *f->fill);
    out->block = sl_mem_array(f->blocks, sizeof *f->block);
    out->even = sl_mem_array(f->evens, sizeof *f->even);
    out->band = sl_mem_array(f->bands, sizeof *f->band);
    if (out->fill == NULL || out->block == NULL || out->even == NULL || out->band == NULL) {
        sl_fills_free(out);
        return false;
    }
    if (f->fills > 0) {
        memcpy(out->fill, f->fill, f->fills * sizeof *f->fill);
        memcpy(out->block, f->block, f->blocks * sizeof *f->block);
        memcpy(out->even, f->even, f->evens * sizeof *f->even);
        memcpy(out->band, f->band, f->bands * sizeof *f->band);
    }
    out->fills = out->fill_room = f->fills;
    out->blocks = out->block_room = f->blocks;
    out->evens = out->even_room = f->evens;
    out->bands = out->band_room = f->bands;
    return true;
}

size_t sl_fills_bytes(const sl_fills *f)
{
    return f->fill_room * sizeof *f->fill + f->block_room * sizeof *f->block +
           f->even_room * sizeof *f->even + f->band_room * sizeof *f->band;
}

/* (a * b + c * d) / 255, rounded. */
static uint32_t mix255(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    uint32_t t = a * b + c * d + 128;
    return (t + (t >> 8)) >> 8;
}

static void blend_plain(uint8_t *to, const uint8_t *cov, int32_t n, uint32_t argb)
{
    for (int32_t i = 0; i < n; i++) {
        uint32_t old = 0;
        uint32_t out = 0;
        memcpy(&old, to + 4 * (ptrdiff_t)i, 4);
        uint32_t keep = 255 - sl_mul255(argb >> 24, cov[i]);
        for (int k = 0; k < 32; k += 8) {
            out |= mix255(argb >> k & 255, cov[i], old >> k & 255, keep) << k;
        }
        memcpy(to + 4 * (ptrdiff_t)i, &out, 4);
    }
}

static void even_plain(uint8_t *to, uint32_t cov, int32_t n, uint32_t argb)
{
    uint8_t one = (uint8_t)cov;
    for (int32_t i = 0; i < n; i++) {
        blend_plain(to + 4 * (ptrdiff_t)i, &one, 1, argb);
    }
}

/* Eight pixels' colour as it comes in: products of which each has a half of a word, and how much of
 * what is there it keeps. */
typedef struct colour8 {
    sl_halves16 rb;
    sl_halves16 ag;
    sl_halves16 keep;
} colour8;

SL_INLINE void cover8(colour8 *out, const sl_words8 argb[3], const sl_words8 *cov)
{
    sl_halves16 c;
    sl_halves16 part;
    memcpy(&c, cov, sizeof c);
    memcpy(&out->rb, &argb[0], sizeof out->rb);
    memcpy(&out->ag, &argb[1], sizeof out->ag);
    memcpy(&part, &argb[2], sizeof part);
    out->rb = out->rb * c + 128;
    out->ag = out->ag * c + 128;
    part = part * c + 128;
    out->keep = 255 - ((part + (part >> 8)) >> 8);
}

/* A colour in halves: red and blue, alpha and green, alpha twice. */
SL_INLINE void split8(sl_words8 out[3], uint32_t argb)
{
    out[0] = (sl_words8){0} + (argb & 0x00FF00FF);
    out[1] = (sl_words8){0} + (argb >> 8 & 0x00FF00FF);
    out[2] = (sl_words8){0} + (argb >> 24) * 0x00010001;
}

SL_INLINE void over8(uint8_t *to, const colour8 *c)
{
    sl_halves16 d;
    memcpy(&d, to, sizeof d);
    sl_halves16 rb = (d & 255) * c->keep + c->rb;
    sl_halves16 ag = (d >> 8) * c->keep + c->ag;
    rb = (rb + (rb >> 8)) >> 8;
    ag = (ag + (ag >> 8)) & 0xFF00;
    d = rb | ag;
    memcpy(to, &d, sizeof d);
}

/* What is asked of a pass over a list. */
typedef struct pass {
    uint8_t *data;
    int64_t stride;
    uint32_t argb;
    sl_box clip;
} pass;

SL_INLINE uint8_t *place(const pass *p, uint32_t x, uint32_t y)
{
    return p->data + (int64_t)y * p->stride + 4 * (int64_t)x;
}

static void block_part(const pass *p, const sl_block *b)
{
    int32_t from = b->x < p->clip.x0 ? p->clip.x0 : b->x;
    int32_t to = b->x + SL_BLOCK > p->clip.x1 ? p->clip.x1 : b->x + SL_BLOCK;
    if (b->y >= p->clip.y0 && b->y < p->clip.y1 && from < to) {
        blend_plain(place(p, (uint32_t)from, b->y), b->cov + (from - b->x), to - from, p->argb);
    }
}

SL_INLINE void paint_blocks(const pass *p, const sl_block *b, const sl_block *end,
                            sl_raster_level level)
{
    enum {
        AHEAD = 12 /* blocks lie on different lines of the memory, most of them */
    };
    uint32_t width = (uint32_t)(p->clip.x1 - p->clip.x0);
    uint32_t height = (uint32_t)(p->clip.y1 - p->clip.y0);
    sl_words8 argb[3] = {{0}, {0}, {0}};
    split8(argb, p->argb);
    for (; b < end; b++) {
        uint32_t x = b->x - (uint32_t)p->clip.x0;
        uint32_t y = b->y - (uint32_t)p->clip.y0;
        if (level == SL_RASTER_PLAIN || y >= height || x >= width || width - x < SL_BLOCK) {
            block_part(p, b);
            continue;
        }
        colour8 c = {{0}, {0}, {0}};
        sl_words8 covers;
        if (level == SL_RASTER_WIDE) {
            sl_spread_shift(&covers, b->cov);
        } else {
            sl_spread_twice(&covers, b->cov);
        }
        cover8(&c, argb, &covers);
        const sl_block *far = end - b > AHEAD ? b + AHEAD : b;
        __builtin_prefetch(place(p, far->x, far->y), 1);
        over8(place(p, b->x, b->y), &c);
    }
}

SL_INLINE void even_vectors(uint8_t *to, uint32_t cov, int32_t n, uint32_t argb)
{
    int32_t i = 0;
    if (cov == 255 && argb >> 24 == 255) {
        sl_words8 solid = (sl_words8){0} + argb;
        for (; i + SL_BLOCK <= n; i += SL_BLOCK) {
            memcpy(to + 4 * (ptrdiff_t)i, &solid, sizeof solid);
        }
    } else if (n >= SL_BLOCK) {
        colour8 c = {{0}, {0}, {0}};
        sl_words8 parts[3] = {{0}, {0}, {0}};
        sl_words8 covers = (sl_words8){0} + (cov | cov << 16);
        split8(parts, argb);
        cover8(&c, parts, &covers);
        for (; i + SL_BLOCK <= n; i += SL_BLOCK) {
            over8(to + 4 * (ptrdiff_t)i, &c);
        }
    }
    if (i < n) {
        even_plain(to + 4 * (ptrdiff_t)i, cov, n - i, argb);
    }
}

SL_INLINE void paint_evens(const pass *p, const sl_even *e, const sl_even *end,
                           sl_raster_level level)
{
    for (; e < end; e++) {
        int32_t from = e->x < p->clip.x0 ? p->clip.x0 : e->x;
        int32_t to = e->x + e->n > p->clip.x1 ? p->clip.x1 : e->x + e->n;
        if (e->y < p->clip.y0 || e->y >= p->clip.y1 || from >= to) {
            continue;
        }
        uint8_t *at = place(p, (uint32_t)from, e->y);
        if (level == SL_RASTER_PLAIN) {
            even_plain(at, e->cov, to - from, p->argb);
        } else {
            even_vectors(at, e->cov, to - from, p->argb);
        }
    }
}

SL_INLINE void paint(const pass *p, const sl_fills *f, sl_band from, sl_band to,
                     sl_raster_level level)
{
    paint_blocks(p, f->block + from.block, f->block + to.block, level);
    paint_evens(p, f->even + from.even, f->even + to.even, level);
}

static void paint_plain(const pass *p, const sl_fills *f, sl_band from, sl_band to)
{
    paint(p, f, from, to, SL_RASTER_PLAIN);
}

static void paint_vectors(const pass *p, const sl_fills *f, sl_band from, sl_band to)
{
    paint(p, f, from, to, SL_RASTER_VECTORS);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void paint_wide(const pass *p, const sl_fills *f,
                                                       sl_band from, sl_band to)
{
    paint(p, f, from, to, SL_RASTER_WIDE);
}
#else
#define paint_wide paint_vectors
#endif

static sl_box common(const sl_box *a, const sl_box *b)
{
    sl_box c = {a->x0 > b->x0 ? a->x0 : b->x0, a->y0 > b->y0 ? a->y0 : b->y0,
                a->x1 < b->x1 ? a->x1 : b->x1, a->y1 < b->y1 ? a->y1 : b->y1};
    return c;
}

/* The entries of the bands that the part's rows belong to. False: there are none. */
static bool bands_of(const sl_fills *f, const sl_fill *fill, const sl_box *part, sl_band *from,
                     sl_band *to)
{
    if (part->x0 >= part->x1 || part->y0 >= part->y1) {
        return false;
    }
    int32_t first = fill->box.y0 >> SL_BAND_BITS;
    const sl_band *bands = f->band + fill->band;
    *from = bands[(part->y0 >> SL_BAND_BITS) - first];
    *to = bands[((part->y1 - 1) >> SL_BAND_BITS) - first + 1];
    return true;
}

void sl_fills_paint(const sl_fills *f, sl_raster_level level, const sl_raster_target *to,
                    sl_box clip)
{
    for (uint32_t i = 0; i < f->fills; i++) {
        const sl_fill *fill = &f->fill[i];
        sl_band begin;
        sl_band end;
        pass p = {to->data, to->stride, fill->argb, common(&fill->box, &clip)};
        if (!bands_of(f, fill, &p.clip, &begin, &end)) {
            continue;
        }
        if (level == SL_RASTER_PLAIN) {
            paint_plain(&p, f, begin, end);
        } else if (level == SL_RASTER_VECTORS) {
            paint_vectors(&p, f, begin, end);
        } else {
            paint_wide(&p, f, begin, end);
        }
    }
}

static bool fill_touches(const sl_fills *f, const sl_fill *fill, const sl_box *box)
{
    sl_box part = common(&fill->box, box);
    sl_band from;
    sl_band to;
    if (!bands_of(f, fill, &part, &from, &to)) {
        return false;
    }
    for (uint32_t i = from.block; i < to.block; i++) {
        const sl_block *b = &f->block[i];
        if (b->x + SL_BLOCK > part.x0 && b->x < part.x1 && b->y >= part.y0 && b->y < part.y1) {
            return true;
        }
    }
    for (uint32_t i = from.even; i < to.even; i++) {
        const sl_even *e = &f->even[i];
        if (e->x + e->n > part.x0 && e->x < part.x1 && e->y >= part.y0 && e->y < part.y1) {
            return true;
        }
    }
    return false;
}

bool sl_fills_touch(const sl_fills *f, sl_box box)
{
    for (uint32_t i = 0; i < f->fills; i++) {
        if (fill_touches(f, &f->fill[i], &box)) {
            return true;
        }
    }
    return false;
}

/* A layer's pixel over another, times alpha. */
static void layer_plain(const uint8_t *from, int32_t n, uint32_t alpha, uint8_t *to)
{
    for (ptrdiff_t i = 0; i < 4 * (ptrdiff_t)n; i += 4) {
        uint32_t keep = 255 - sl_mul255(from[i + 3], alpha);
        for (ptrdiff_t k = i; k < i + 4; k++) {
            to[k] = (uint8_t)mix255(from[k], alpha, to[k], keep);
        }
    }
}

SL_INLINE void layer_vectors(const uint8_t *from, int32_t n, uint32_t alpha, uint8_t *to)
{
    const sl_words8 times = (sl_words8){0} + (alpha | alpha << 16);
    int32_t i = 0;
    for (; i + SL_BLOCK <= n; i += SL_BLOCK) {
        colour8 c = {{0}, {0}, {0}};
        sl_words8 s;
        memcpy(&s, from + 4 * (ptrdiff_t)i, sizeof s);
        sl_words8 argb[3] = {s & 0x00FF00FF, s >> 8 & 0x00FF00FF, s >> 24};
        argb[2] |= argb[2] << 16;
        cover8(&c, argb, &times);
        over8(to + 4 * (ptrdiff_t)i, &c);
    }
    layer_plain(from + 4 * (ptrdiff_t)i, n - i, alpha, to + 4 * (ptrdiff_t)i);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void layer_wide(const uint8_t *from, int32_t n,
                                                       uint32_t alpha, uint8_t *to)
{
    layer_vectors(from, n, alpha, to);
}
#else
#define layer_wide layer_vectors
#endif

void sl_layer_paint(sl_raster_level level, const uint8_t *from, int32_t n, uint32_t alpha,
                    uint8_t *to)
{
    if (level == SL_RASTER_PLAIN) {
        layer_plain(from, n, alpha, to);
    } else if (level == SL_RASTER_VECTORS) {
        layer_vectors(from, n, alpha, to);
    } else {
        layer_wide(from, n, alpha, to);
    }
}
