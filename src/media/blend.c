/* media/blend.c - sixteen bits of fraction when a film is made, eight when it is laid over. */
#include "media/blend.h"

#include "base/mem.h"
#include "render/lanes.h"

enum {
    SPAN = 32, /* pixels of a row that are blended or not */
    STEP = 8   /* ... converted at a time */
};

/* What has no ink keeps 255 and adds 0. */
struct sl_film {
    int32_t width;
    int32_t height;
    size_t stride; /* of luma, whole spans; of chroma half as much */
    size_t words;  /* of marks from row to row */
    sl_raster_level level;
    uint8_t *luma_keep;
    uint8_t *luma_add;
    uint8_t *chroma_keep;
    uint8_t *chroma_add[2];
    uint64_t *marks; /* the spans with ink; the same for the two rows that share chroma */
};

typedef struct weights {
    int32_t y[3]; /* red, green, blue */
    int32_t u[3];
    int32_t v[3];
} weights;

/* round(65536 * k * 219 / 255) for luma, 224 / 255 for chroma. */
static const weights bt601 = {{16829, 33039, 6416}, {-9714, -19071, 28784}, {28784, -24103, -4681}};
static const weights bt709 = {{11966, 40254, 4064}, {-6596, -22189, 28784}, {28784, -26145, -2639}};

sl_film *sl_film_new(int32_t width, int32_t height)
{
    sl_film *f = sl_mem(sizeof *f);
    if (f == NULL) {
        return NULL;
    }
    f->width = width;
    f->height = height;
    f->stride = ((size_t)width + SPAN - 1) / SPAN * SPAN;
    f->words = (f->stride / SPAN + 63) / 64;
    f->level = sl_raster_best();
    size_t n = f->stride * (size_t)height;
    f->luma_keep = sl_mem_array(n, 2);
    f->chroma_keep = sl_mem_array(n / 4, 3);
    f->marks = sl_mem_array(f->words * (size_t)height, sizeof *f->marks);
    if (f->luma_keep == NULL || f->chroma_keep == NULL || f->marks == NULL) {
        sl_film_free(f);
        return NULL;
    }
    f->luma_add = f->luma_keep + n;
    f->chroma_add[0] = f->chroma_keep + n / 4;
    f->chroma_add[1] = f->chroma_add[0] + n / 4;
    memset(f->luma_keep, 255, n);
    memset(f->chroma_keep, 255, n / 4);
    return f;
}

void sl_film_free(sl_film *f)
{
    if (f != NULL) {
        sl_mem_free(f->luma_keep);
        sl_mem_free(f->chroma_keep);
        sl_mem_free(f->marks);
        sl_mem_free(f);
    }
}

void sl_film_clear(sl_film *f)
{
    size_t n = f->stride * (size_t)f->height;
    memset(f->luma_keep, 255, n);
    memset(f->luma_add, 0, n);
    memset(f->chroma_keep, 255, n / 4);
    memset(f->chroma_add[0], 0, n / 2);
    memset(f->marks, 0, f->words * (size_t)f->height * sizeof *f->marks);
}

void sl_film_use(sl_film *f, sl_raster_level level)
{
    f->level = level;
}

bool sl_film_is_clear(const sl_film *f)
{
    uint64_t any = 0;
    for (size_t i = 0; i < f->words * (size_t)f->height; i++) {
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
SL_INLINE void take_chroma(sl_film *t, size_t at, const sl_words8 *p, const sl_words8 *q,
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

/* Two rows' spans from x0 to x1. */
static void mark_rows(sl_film *f, int32_t y, int32_t x0, int32_t x1)
{
    uint64_t *marks = f->marks + (size_t)y * f->words;
    for (size_t span = (size_t)x0 / SPAN; span <= (size_t)(x1 - 1) / SPAN; span++) {
        const uint8_t *keep = f->luma_keep + (size_t)y * f->stride + span * SPAN;
        uint8_t all = 255;
        for (int i = 0; i < SPAN; i++) {
            all &= keep[i] & keep[f->stride + (size_t)i];
        }
        marks[span / 64] &= ~(UINT64_C(1) << (span % 64));
        marks[span / 64] |= (uint64_t)(all != 255) << (span % 64);
        marks[f->words + span / 64] = marks[span / 64];
    }
}

/* A part whose left side is a multiple of STEP, and its upper one even. */
SL_INLINE void take_part(sl_film *f, const sl_pixels *ink, const sl_box *part, const weights *w)
{
    for (int32_t y = part->y0; y < part->y1; y += 2) {
        for (int32_t x = part->x0; x < part->x1; x += STEP) {
            size_t at = (size_t)y * f->stride + (size_t)x;
            sl_words8 p;
            sl_words8 q;
            load(ink, x, y, &p);
            load(ink, x, y + 1, &q);
            take_luma(&p, w->y, f->luma_keep + at, f->luma_add + at);
            at += f->stride;
            take_luma(&q, w->y, f->luma_keep + at, f->luma_add + at);
            take_chroma(f, (size_t)(y / 2) * (f->stride / 2) + (size_t)x / 2, &p, &q, w);
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

/* The next run of marked spans from *span on; false: there is none. */
SL_INLINE bool next_run(const sl_film *f, const uint64_t *marks, size_t *span, size_t *end)
{
    size_t spans = f->stride / SPAN;
    while (*span < spans && (marks[*span / 64] >> (*span % 64)) == 0) {
        *span = (*span / 64 + 1) * 64;
    }
    if (*span >= spans) {
        return false;
    }
    *span += (size_t)__builtin_ctzll(marks[*span / 64] >> (*span % 64));
    *end = *span + 1;
    while (*end < spans && (marks[*end / 64] >> (*end % 64) & 1) != 0) {
        (*end)++;
    }
    return true;
}

/* The picture's lines some rows on, where there will be ink too, as likely as not. */
static inline void fetch(const sl_yuv *to, int32_t x, int32_t y, int32_t n)
{
    enum {
        AHEAD = 8,
        LINE = 64
    };
    if (y + AHEAD + 1 >= to->height) {
        return;
    }
    const uint8_t *luma = to->plane[0] + (ptrdiff_t)(y + AHEAD) * to->stride[0] + x;
    for (int32_t i = 0; i < n; i += LINE) {
        __builtin_prefetch(luma + i, 1);
        __builtin_prefetch(luma + to->stride[0] + i, 1);
    }
    for (int k = 1; k < 3; k++) {
        const uint8_t *chroma = to->plane[k] + (ptrdiff_t)(y + AHEAD) / 2 * to->stride[k] + x / 2;
        for (int32_t i = 0; i < n / 2; i += LINE) {
            __builtin_prefetch(chroma + i, 1);
        }
    }
}

SL_INLINE void blend_rows(const sl_film *f, int32_t y, const sl_yuv *to, bool vectors)
{
    const uint64_t *marks = f->marks + (size_t)y * f->words;
    size_t end = 0;
    for (size_t span = 0; next_run(f, marks, &span, &end); span = end) {
        int32_t x = (int32_t)span * SPAN;
        int32_t n = least((int32_t)end * SPAN, f->width) - x;
        fetch(to, x, y, n);
        for (int32_t row = y; row < y + 2; row++) {
            size_t at = (size_t)row * f->stride + (size_t)x;
            over(to->plane[0] + (ptrdiff_t)row * to->stride[0] + x, f->luma_keep + at,
                 f->luma_add + at, n, vectors);
        }
        size_t at = (size_t)(y / 2) * (f->stride / 2) + (size_t)x / 2;
        for (int i = 0; i < 2; i++) {
            over(to->plane[1 + i] + (ptrdiff_t)(y / 2) * to->stride[1 + i] + x / 2,
                 f->chroma_keep + at, f->chroma_add[i] + at, n / 2, vectors);
        }
    }
}

SL_INLINE void blend_all(const sl_film *f, const sl_yuv *to, bool vectors)
{
    for (int32_t y = 0; y < f->height; y += 2) {
        blend_rows(f, y, to, vectors);
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
