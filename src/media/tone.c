/* media/tone.c - see the header. */
#include "media/tone.h"

#include "base/mem.h"

#include <libavutil/mastering_display_metadata.h>
#include <math.h>
#include <string.h>

enum {
    PEAK = 1000,                       /* cd/m2, unless told */
    MOST = 10000,                      /* of PQ */
    SIGNAL_ONE = 1 << 12,              /* steps of R', G' and B' from 0 to 1; ... */
    SIGNAL_BELOW = SIGNAL_ONE * 5 / 4, /* ... odd mixtures of Y', Cb and Cr reach beyond both */
    SIGNAL_N = SIGNAL_BELOW + SIGNAL_ONE * 9 / 4,
    MATRIX_BITS = 12, /* behind the point, of what makes them */
    FLOAT_BIAS = 127,
    FLOAT_BITS = 23, /* of a float's fraction */
    AT_ONCE = 4
};

#define WHITE 203.0 /* cd/m2: BT.2408 */

/* A curve over light x, 0 to 1, is kept by the exponent of x + 2^-DARK and the first bits of its
 * fraction: as fine at the dark end as at the bright one, and finding a place is a shift. */
enum {
    DARK = 20,
    FINE = 8,
    ROUGH = 7,
    FINE_N = (DARK << FINE) + 1,
    ROUGH_N = (DARK << ROUGH) + 1
};

struct sl_tone {
    sl_light light;
    int32_t peak;
    float linear[SIGNAL_N]; /* a signal's light, 1 being WHITE; of HLG the scene's, 0 to 1 */
    float ootf[ROUGH_N];    /* by the scene's luminance: what its light is multiplied with */
    float gain[ROUGH_N];    /* by the largest part, 1 being MOST: the EETF */
    float signal[FINE_N];   /* light to a signal */
};

sl_light sl_tone_light(enum AVColorTransferCharacteristic transfer, enum AVColorPrimaries primaries,
                       enum AVColorSpace space)
{
    if (transfer == AVCOL_TRC_ARIB_STD_B67) {
        return SL_LIGHT_HLG;
    }
    if (transfer == AVCOL_TRC_SMPTE2084) {
        return SL_LIGHT_PQ;
    }
    bool wide = primaries == AVCOL_PRI_BT2020 || space == AVCOL_SPC_BT2020_NCL ||
                space == AVCOL_SPC_BT2020_CL;
    return wide ? SL_LIGHT_WIDE : SL_LIGHT_PLAIN;
}

sl_light sl_tone_light_of(const AVFrame *f)
{
    return sl_tone_light(f->color_trc, f->color_primaries, f->colorspace);
}

int32_t sl_tone_peak(const AVFrame *f, sl_light light)
{
    static const int32_t peaks[] = {PEAK, 2 * PEAK, 4 * PEAK};
    double said = 0.0;
    const AVFrameSideData *level = av_frame_get_side_data(f, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    const AVFrameSideData *master =
        av_frame_get_side_data(f, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
    if (light != SL_LIGHT_PQ) {
        return PEAK;
    }
    if (level != NULL) {
        said = ((const AVContentLightMetadata *)(const void *)level->data)->MaxCLL;
    }
    if (said <= 0.0 && master != NULL) {
        const AVMasteringDisplayMetadata *m = (const void *)master->data;
        said = m->has_luminance ? av_q2d(m->max_luminance) : 0.0;
    }
    for (size_t i = 0; i < sizeof peaks / sizeof peaks[0]; i++) {
        if (!(said > peaks[i])) {
            return peaks[i];
        }
    }
    return 10 * PEAK;
}

/* ---- the formulas ---- */

/* BT.2100, PQ: cd/m2 from a signal, and back. */
static double pq_light(double signal)
{
    double p = pow(signal < 0.0 ? 0.0 : signal > 1.0 ? 1.0 : signal, 4096.0 / (2523.0 * 128.0));
    double over = p - 3424.0 / 4096.0;
    return over <= 0.0
               ? 0.0
               : 10000.0 * pow(over / (2413.0 / 128.0 - 2392.0 / 128.0 * p), 16384.0 / 2610);
}

static double pq_signal(double light)
{
    double p = pow(light <= 0.0 ? 0.0 : light / 10000.0, 2610.0 / 16384.0);
    return pow((3424.0 / 4096.0 + 2413.0 / 128.0 * p) / (1.0 + 2392.0 / 128.0 * p),
               2523.0 * 128.0 / 4096.0);
}

/* BT.2100, HLG: the inverse of the OETF; 0 to 1. */
static double hlg_scene(double signal)
{
    return signal <= 0.5 ? signal * signal / 3.0
                         : (exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12.0;
}

/* cd/m2; of HLG before the OOTF. Below nothing, where odd mixtures of Y', Cb and Cr lie, it mirrors
 * what is above. */
static double signal_light(sl_light light, double signal)
{
    double v = fabs(signal) > 1.0 ? 1.0 : fabs(signal);
    double shown = light == SL_LIGHT_PQ    ? pq_light(v)
                   : light == SL_LIGHT_HLG ? PEAK * hlg_scene(v)
                                           : WHITE * pow(v, 2.4);
    return signal < 0.0 ? -shown : shown;
}

/* Of R, G and B. */
static void to_light(sl_light light, double rgb[3])
{
    for (int i = 0; i < 3; i++) {
        rgb[i] = signal_light(light, rgb[i]);
    }
    if (light == SL_LIGHT_HLG) { /* the OOTF */
        double y = (0.2627 * rgb[0] + 0.6780 * rgb[1] + 0.0593 * rgb[2]) / PEAK;
        double gain = y > 0.0 ? pow(y, 0.2) : 0.0;
        for (int i = 0; i < 3; i++) {
            rgb[i] *= gain;
        }
    }
}

/* BT.2390: light from a display of `peak` to one of WHITE. */
static double eetf(double light, int32_t peak)
{
    double top = pq_signal(peak);
    double most = pq_signal(WHITE) / top;
    double knee = 1.5 * most - 0.5;
    double e = pq_signal(light) / top;
    e = e > 1.0 ? 1.0 : e;
    if (e < knee) {
        return light;
    }
    double t = (e - knee) / (1.0 - knee);
    double t2 = t * t;
    double t3 = t2 * t;
    double bent = (2.0 * t3 - 3.0 * t2 + 1.0) * knee + (t3 - 2.0 * t2 + t) * (1.0 - knee) +
                  (3.0 * t2 - 2.0 * t3) * most;
    return pq_light(bent * top);
}

/* Light of BT.2020 to light of BT.709, 1 being white, drawn into what there is. */
static void to_gamut(double rgb[3])
{
    static const double m[3][3] = {{1.660491, -0.587641, -0.072850},
                                   {-0.124550, 1.132900, -0.008349},
                                   {-0.018151, -0.100579, 1.118730}};
    double out[3];
    for (int i = 0; i < 3; i++) {
        out[i] = m[i][0] * rgb[0] + m[i][1] * rgb[1] + m[i][2] * rgb[2];
    }
    double y = 0.2126 * out[0] + 0.7152 * out[1] + 0.0722 * out[2];
    y = y < 0.0 ? 0.0 : y > 1.0 ? 1.0 : y;
    double keep = 1.0;
    for (int i = 0; i < 3; i++) {
        double away = out[i] - y;
        double room = away < 0.0 ? y : 1.0 - y;
        keep = fabs(away) * keep > room ? room / fabs(away) : keep;
    }
    for (int i = 0; i < 3; i++) {
        double v = y + keep * (out[i] - y);
        rgb[i] = v < 0.0 ? 0.0 : v > 1.0 ? 1.0 : v;
    }
}

void sl_tone_exact(sl_light light, int32_t peak, const double from[3], double to[3])
{
    double rgb[3] = {from[0] + 1.4746 * from[2], 0.0, from[0] + 1.8814 * from[1]};
    rgb[1] = (from[0] - 0.2627 * rgb[0] - 0.0593 * rgb[2]) / 0.6780;
    to_light(light, rgb);
    double most = rgb[0] > rgb[1] ? rgb[0] : rgb[1];
    most = rgb[2] > most ? rgb[2] : most;
    double gain = light == SL_LIGHT_WIDE || most <= 0.0 ? 1.0 : eetf(most, peak) / most;
    for (int i = 0; i < 3; i++) {
        rgb[i] *= gain / WHITE;
    }
    to_gamut(rgb);
    for (int i = 0; i < 3; i++) {
        rgb[i] = pow(rgb[i], 1.0 / 2.4);
    }
    to[0] = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
    to[1] = (rgb[2] - to[0]) / 1.8556;
    to[2] = (rgb[0] - to[0]) / 1.5748;
}

/* ---- the curves ---- */

/* The light that place i of a curve stands for. */
static double place(int i, int bits)
{
    int steps = 1 << bits;
    double fraction = 1.0 + ((double)(i % steps) + 0.5) / steps;
    double x = ldexp(fraction, i / steps - DARK) - ldexp(1.0, -DARK);
    return x > 1.0 ? 1.0 : x;
}

sl_tone *sl_tone_new(sl_light light, int32_t peak)
{
    sl_tone *t = sl_mem(sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->light = light;
    t->peak = peak;
    for (int i = 0; i < SIGNAL_N; i++) {
        double v = (double)(i - SIGNAL_BELOW) / SIGNAL_ONE;
        double shown = signal_light(light, v) / (light == SL_LIGHT_HLG ? PEAK : WHITE);
        t->linear[i] = (float)shown;
    }
    for (int i = 0; i < ROUGH_N; i++) {
        double x = place(i, ROUGH);
        t->ootf[i] = (float)(pow(x, 0.2) * PEAK / WHITE);
        t->gain[i] = (float)(eetf(x * MOST, peak) / (x * MOST));
    }
    for (int i = 0; i < FINE_N; i++) {
        t->signal[i] = (float)pow(place(i, FINE), 1.0 / 2.4);
    }
    return t;
}

void sl_tone_free(sl_tone *t)
{
    sl_mem_free(t);
}

bool sl_tone_is(const sl_tone *t, sl_light light, int32_t peak)
{
    return t != NULL && t->light == light && t->peak == peak;
}

/* ---- a picture: the four pixels that share a Cb and a Cr at once ---- */

#define ALWAYS static inline __attribute__((always_inline)) /* a third of the time */

typedef float floats __attribute__((vector_size(16)));
typedef int32_t ints __attribute__((vector_size(16)));

typedef struct colours {
    floats r, g, b;
} colours;

/* What a pair of Cb and Cr adds to R', G' and B', SIGNAL_ONE being 1, with MATRIX_BITS more. */
typedef struct tint {
    int32_t r, g, b;
} tint;

#define FIXED(x) ((int32_t)((x)*SIGNAL_ONE * (1 << MATRIX_BITS) + 0.5))

ALWAYS tint tint_of(int32_t cb, int32_t cr)
{
    const int32_t zero = (SIGNAL_BELOW << MATRIX_BITS) + (1 << (MATRIX_BITS - 1));
    cb -= 512;
    cr -= 512;
    return (tint){zero + FIXED(1.4746 / 896.0) * cr,
                  zero - FIXED(1.8814 * 0.0593 / 0.6780 / 896.0) * cb -
                      FIXED(1.4746 * 0.2627 / 0.6780 / 896.0) * cr,
                  zero + FIXED(1.8814 / 896.0) * cb};
}

ALWAYS floats gather(const float *from, ints at)
{
    return (floats){from[at[0]], from[at[1]], from[at[2]], from[at[3]]};
}

ALWAYS floats pick(ints which, floats yes, floats no)
{
    return (floats)(((ints)yes & which) | ((ints)no & ~which));
}

ALWAYS floats lesser(floats a, floats b)
{
    return pick(a < b, a, b);
}

ALWAYS floats greater(floats a, floats b)
{
    return pick(a > b, a, b);
}

/* x: 0 to 1, or as little beyond as rounding makes of it. */
ALWAYS floats look_up(const float *curve, floats x, int bits)
{
    ints at = (ints)(x + (float)(1.0 / (1 << DARK)));
    return gather(curve, (at >> (FLOAT_BITS - bits)) - ((FLOAT_BIAS - DARK) << bits));
}

ALWAYS floats luma_of(const colours *c)
{
    return 0.2126F * c->r + 0.7152F * c->g + 0.0722F * c->b;
}

/* As to_gamut; luma first gets what is missing to be no division by nothing. */
ALWAYS void draw_in(colours *c)
{
    const floats none = {0.0F, 0.0F, 0.0F, 0.0F};
    const float little = 1e-9F;
    floats low = lesser(lesser(lesser(c->r, c->g), c->b), none);
    floats high = greater(greater(greater(c->r, c->g), c->b), none + 1.0F);
    floats y = greater(lesser(luma_of(c), none + 1.0F), none);
    floats keep =
        lesser((y + little) / (y + little - low), (1.0F - y + little) / (high - y + little));
    c->r = greater(y + keep * (c->r - y), none);
    c->g = greater(y + keep * (c->g - y), none);
    c->b = greater(y + keep * (c->b - y), none);
}

/* R', G' and B' of BT.709 for signals of BT.2020. */
ALWAYS colours convert(const sl_tone *t, ints luma, tint d)
{
    const floats none = {0.0F, 0.0F, 0.0F, 0.0F};
    ints y = (luma - 64) * FIXED(1.0 / 876.0);
    colours c = {gather(t->linear, (y + d.r) >> MATRIX_BITS),
                 gather(t->linear, (y + d.g) >> MATRIX_BITS),
                 gather(t->linear, (y + d.b) >> MATRIX_BITS)};
    floats gain = none + 1.0F;
    if (t->light == SL_LIGHT_HLG) {
        floats scene = 0.2627F * c.r + 0.6780F * c.g + 0.0593F * c.b;
        gain = look_up(t->ootf, lesser(greater(scene, none), none + 1.0F), ROUGH);
    }
    if (t->light != SL_LIGHT_WIDE) {
        floats most = gain * greater(greater(greater(c.r, c.g), c.b), none);
        gain *= look_up(t->gain, most * (float)(WHITE / MOST), ROUGH);
    }
    colours o = {gain * (1.660491F * c.r - 0.587641F * c.g - 0.072850F * c.b),
                 gain * (-0.124550F * c.r + 1.132900F * c.g - 0.008349F * c.b),
                 gain * (-0.018151F * c.r - 0.100579F * c.g + 1.118730F * c.b)};
    draw_in(&o);
    return (colours){look_up(t->signal, o.r, FINE), look_up(t->signal, o.g, FINE),
                     look_up(t->signal, o.b, FINE)};
}

/* One row of chroma, with the two of luma that share it; the lower may be the upper again. */
typedef struct rows {
    const uint16_t *luma[2];
    const uint16_t *cb;
    const uint16_t *cr;
    uint8_t *to_luma[2];
    uint8_t *to_cb;
    uint8_t *to_cr;
} rows;

ALWAYS uint8_t chroma_of(floats away, double whole)
{
    float sum = away[0] + away[1] + away[2] + away[3];
    return (uint8_t)(128.5F + sum * (float)(224.0 / AT_ONCE / whole));
}

static void one_row(const sl_tone *t, const rows *r, int width)
{
    const int32_t most = 1023;
    for (int x = 0; x < width; x += 2) {
        int next = x + 1 < width ? x + 1 : x;
        ints luma = {r->luma[0][x], r->luma[0][next], r->luma[1][x], r->luma[1][next]};
        tint d = tint_of(r->cb[x / 2] & most, r->cr[x / 2] & most);
        colours c = convert(t, luma & most, d);
        floats y = luma_of(&c);
        floats to = 16.5F + 219.0F * y;
        r->to_luma[0][x] = (uint8_t)to[0];
        r->to_luma[0][next] = (uint8_t)to[1];
        r->to_luma[1][x] = (uint8_t)to[2];
        r->to_luma[1][next] = (uint8_t)to[3];
        r->to_cb[x / 2] = chroma_of(c.b - y, 1.8556);
        r->to_cr[x / 2] = chroma_of(c.r - y, 1.5748);
    }
}

static const uint16_t *deep_row(const AVFrame *f, int plane, int y)
{
    return (const uint16_t *)(const void *)(f->data[plane] + (ptrdiff_t)y * f->linesize[plane]);
}

void sl_tone_apply(const sl_tone *t, const AVFrame *from, AVFrame *to)
{
    for (int y = 0; y < from->height; y += 2) {
        int next = y + 1 < from->height ? y + 1 : y;
        rows r = {{deep_row(from, 0, y), deep_row(from, 0, next)},
                  deep_row(from, 1, y / 2),
                  deep_row(from, 2, y / 2),
                  {to->data[0] + (ptrdiff_t)y * to->linesize[0],
                   to->data[0] + (ptrdiff_t)next * to->linesize[0]},
                  to->data[1] + (ptrdiff_t)(y / 2) * to->linesize[1],
                  to->data[2] + (ptrdiff_t)(y / 2) * to->linesize[2]};
        one_row(t, &r, from->width);
    }
}
