/* media/picture.c - swscale for size, range and RGB; matrices of YUV by hand, since swscale goes there
 * through RGB; then turning by copying. */
#include "media/picture.h"

#include "media/av.h"

#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <string.h>

enum {
    HD_HEIGHT = 720,   /* from here on an unnamed colour space is BT.709 */
    OPAQUE = 1000,     /* opacities are thousandths, */
    WHOLE = 256,       /* in steps of these */
    RECOLOUR_BITS = 14 /* behind the point, of what changes matrices */
};

void sl_scaler_free(sl_scaler *s)
{
    sws_freeContext(s->scaling.sws);
    sws_freeContext(s->deep.sws);
    av_frame_free(&s->upright);
    av_frame_free(&s->deeper);
    av_frame_free(&s->toned);
    sl_tone_free(s->tone);
    *s = (sl_scaler){0};
}

bool sl_picture_is_709(const AVFrame *f)
{
    if (f->colorspace == AVCOL_SPC_BT709) {
        return true;
    }
    if (f->colorspace == AVCOL_SPC_SMPTE170M || f->colorspace == AVCOL_SPC_BT470BG) {
        return false;
    }
    int shorter = f->width < f->height ? f->width : f->height;
    return shorter >= HD_HEIGHT;
}

AVFrame *sl_picture_new(int format, int32_t width, int32_t height)
{
    AVFrame *f = av_frame_alloc();
    if (f == NULL) {
        return NULL;
    }
    f->format = format;
    f->width = width;
    f->height = height;
    if (av_frame_get_buffer(f, 0) < 0) {
        av_frame_free(&f);
    }
    return f;
}

/* The old full-range formats are the ordinary ones with a flag. */
static enum AVPixelFormat plain_format(int format, bool *full)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ420P: *full = true; return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: *full = true; return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P: *full = true; return AV_PIX_FMT_YUV444P;
    default: return (enum AVPixelFormat)format;
    }
}

static bool is_yuv(int format)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get((enum AVPixelFormat)format);
    return d != NULL && (d->flags & AV_PIX_FMT_FLAG_RGB) == 0 && d->nb_components >= 3;
}

/* One matrix on both sides: what YUV is to be changed into otherwise, `recolour` does. Ranges must be
 * known before swscale chooses its way, or a picture that keeps its size is only copied. */
static sl_status set_up(sl_scaling *s, const AVFrame *from, const AVFrame *to, bool to_full,
                        int how, int matrix, sl_error **err)
{
    static const char *const names[] = {"srcw",       "srch",      "src_format", "dstw",     "dsth",
                                        "dst_format", "sws_flags", "src_range",  "dst_range"};
    bool from_full = from->color_range == AVCOL_RANGE_JPEG;
    int format = plain_format(from->format, &from_full);
    const int plan[] = {from->width, from->height, format,    to->width, to->height,
                        to->format,  how,          from_full, to_full,   matrix};
    if (s->sws != NULL && memcmp(s->plan, plan, sizeof plan) == 0) {
        return SL_OK;
    }
    sws_freeContext(s->sws);
    s->sws = sws_alloc_context();
    if (s->sws == NULL) {
        return sl_fail_nomem(err);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)av_opt_set_int(s->sws, names[i], plan[i], 0);
    }
    if (sws_init_context(s->sws, NULL, NULL) < 0) {
        sws_freeContext(s->sws);
        s->sws = NULL;
        return sl_fail(err, SL_E_INVALID, "The picture's format %s cannot be converted",
                       av_get_pix_fmt_name((enum AVPixelFormat)format));
    }
    const int *table = sws_getCoefficients(matrix);
    (void)sws_setColorspaceDetails(s->sws, table, from_full, table, to_full, 0, 1 << 16, 1 << 16);
    memcpy(s->plan, plan, sizeof plan);
    return SL_OK;
}

/* What Y', Cb and Cr of one matrix gain in another, of Cb and Cr; all of the same range. */
typedef struct recolouring {
    int32_t y[2];
    int32_t cb[2];
    int32_t cr[2];
} recolouring;

static int32_t fixed(double v)
{
    return (int32_t)lround(v * (1 << RECOLOUR_BITS));
}

static recolouring between_matrices(bool to_709, bool full)
{
    const double old_red = to_709 ? 0.299 : 0.2126;
    const double old_blue = to_709 ? 0.114 : 0.0722;
    const double red = to_709 ? 0.2126 : 0.299;
    const double blue = to_709 ? 0.0722 : 0.114;
    const double old_green = 1.0 - old_red - old_blue;
    const double luma = full ? 1.0 : 219.0 / 224.0;
    double y[2];
    /* R' - Y' = 2 (1 - red) Cr, likewise blue; what green is follows. */
    y[0] = 2.0 * (1.0 - old_blue) * (blue - (1.0 - red - blue) * old_blue / old_green);
    y[1] = 2.0 * (1.0 - old_red) * (red - (1.0 - red - blue) * old_red / old_green);
    return (recolouring){{fixed(luma * y[0]), fixed(luma * y[1])},
                         {fixed((2.0 * (1.0 - old_blue) - y[0]) / (2.0 * (1.0 - blue)) - 1.0),
                          fixed(-y[1] / (2.0 * (1.0 - blue)))},
                         {fixed(-y[0] / (2.0 * (1.0 - red))),
                          fixed((2.0 * (1.0 - old_red) - y[1]) / (2.0 * (1.0 - red)) - 1.0)}};
}

static inline uint8_t more(uint8_t v, int32_t by)
{
    int32_t sum = v + ((by + (1 << (RECOLOUR_BITS - 1))) >> RECOLOUR_BITS);
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* A row of chroma, and one of luma that shares it; the chroma comes last. */
static void recolour_luma(const recolouring *m, uint8_t *luma, const uint8_t *blue,
                          const uint8_t *red, int width)
{
    for (int x = 0; x < width; x++) {
        luma[x] = more(luma[x], m->y[0] * (blue[x / 2] - 128) + m->y[1] * (red[x / 2] - 128));
    }
}

static void recolour_chroma(const recolouring *m, uint8_t *blue, uint8_t *red, int n)
{
    for (int x = 0; x < n; x++) {
        int32_t cb = blue[x] - 128;
        int32_t cr = red[x] - 128;
        blue[x] = more(blue[x], m->cb[0] * cb + m->cb[1] * cr);
        red[x] = more(red[x], m->cr[0] * cb + m->cr[1] * cr);
    }
}

/* YUV 4:2:0 to the other matrix. */
static void recolour(AVFrame *f, bool to_709, bool full)
{
    const recolouring m = between_matrices(to_709, full);
    for (int y = 0; y < f->height; y++) {
        uint8_t *blue = f->data[1] + (ptrdiff_t)(y / 2) * f->linesize[1];
        uint8_t *red = f->data[2] + (ptrdiff_t)(y / 2) * f->linesize[2];
        recolour_luma(&m, f->data[0] + (ptrdiff_t)y * f->linesize[0], blue, red, f->width);
        if (y % 2 == 1 || y + 1 == f->height) {
            recolour_chroma(&m, blue, red, (f->width + 1) / 2);
        }
    }
}

typedef struct plane {
    uint8_t *data;
    int stride;
    int bytes; /* of a pixel */
} plane;

/* width and height are those of the turned plane. */
static void turn_plane(plane from, plane to, int width, int height, int32_t rotation)
{
    int degrees = rotation % SL_MIRRORED;
    int last = (degrees % 180 != 0 ? height : width) - 1;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            int sx = degrees == 0     ? x
                     : degrees == 90  ? y
                     : degrees == 180 ? width - 1 - x
                                      : height - 1 - y;
            int sy = degrees == 0     ? y
                     : degrees == 90  ? width - 1 - x
                     : degrees == 180 ? height - 1 - y
                                      : x;
            sx = rotation >= SL_MIRRORED ? last - sx : sx;
            memcpy(to.data + (ptrdiff_t)y * to.stride + (ptrdiff_t)x * to.bytes,
                   from.data + (ptrdiff_t)sy * from.stride + (ptrdiff_t)sx * from.bytes,
                   (size_t)to.bytes);
        }
    }
}

static void turn(const AVFrame *from, AVFrame *to, int32_t rotation)
{
    bool yuv = to->format == AV_PIX_FMT_YUV420P;
    for (int p = 0; p < (yuv ? 3 : 1); p++) {
        int bytes = yuv ? 1 : 4;
        int w = p == 0 ? to->width : (to->width + 1) / 2;
        int h = p == 0 ? to->height : (to->height + 1) / 2;
        turn_plane((plane){from->data[p], from->linesize[p], bytes},
                   (plane){to->data[p], to->linesize[p], bytes}, w, h, rotation);
    }
}

static sl_status scale(struct SwsContext *sws, const AVFrame *from, AVFrame *to, sl_error **err)
{
    int rows = sws_scale(sws, (const uint8_t *const *)from->data, from->linesize, 0, from->height,
                         to->data, to->linesize);
    return rows == to->height ? SL_OK
                              : sl_fail(err, SL_E_INVALID, "The picture could not be converted");
}

/* Room of this kind in *f; false: out of memory. */
static bool make_room(AVFrame **f, int format, int32_t width, int32_t height)
{
    if (*f == NULL || (*f)->width != width || (*f)->height != height || (*f)->format != format) {
        av_frame_free(f);
        *f = sl_picture_new(format, width, height);
    }
    return *f != NULL;
}

/* The picture in 10 bits of the limited range, no larger than it will be: that is where it costs. */
static sl_status deepen(sl_scaler *s, const AVFrame **picture, const AVFrame *to, sl_error **err)
{
    const AVFrame *from = *picture;
    bool from_full = from->color_range == AVCOL_RANGE_JPEG;
    enum AVPixelFormat format = plain_format(from->format, &from_full);
    int32_t w = to->width < from->width ? to->width : from->width;
    int32_t h = to->height < from->height ? to->height : from->height;
    if (format == AV_PIX_FMT_YUV420P10 && !from_full && w == from->width && h == from->height) {
        return SL_OK;
    }
    if (!make_room(&s->deeper, AV_PIX_FMT_YUV420P10, w, h)) {
        return sl_fail_nomem(err);
    }
    *picture = s->deeper;
    sl_status status =
        set_up(&s->deep, from, s->deeper, false, SWS_AREA | SWS_ACCURATE_RND, SWS_CS_BT2020, err);
    return status == SL_OK ? scale(s->deep.sws, from, s->deeper, err) : status;
}

/* A picture of other light than ordinary becomes one of that, in BT.709. */
static sl_status make_ordinary(sl_scaler *s, const AVFrame **picture, const AVFrame *to,
                               sl_error **err)
{
    sl_light light = sl_tone_light_of(*picture);
    if (light == SL_LIGHT_PLAIN) {
        return SL_OK;
    }
    int32_t peak = sl_tone_peak(*picture, light);
    if (!sl_tone_is(s->tone, light, peak)) {
        sl_tone_free(s->tone);
        s->tone = sl_tone_new(light, peak);
    }
    sl_status status = s->tone == NULL ? sl_fail_nomem(err) : deepen(s, picture, to, err);
    if (status == SL_OK &&
        !make_room(&s->toned, AV_PIX_FMT_YUV420P, (*picture)->width, (*picture)->height)) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        sl_tone_apply(s->tone, *picture, s->toned);
        s->toned->colorspace = AVCOL_SPC_BT709;
        s->toned->color_range = AVCOL_RANGE_MPEG;
        *picture = s->toned;
    }
    return status;
}

sl_status sl_picture_convert(sl_scaler *s, const AVFrame *from, int32_t rotation, bool full,
                             AVFrame *to, sl_error **err)
{
    if (av_frame_make_writable(to) < 0) {
        return sl_fail_nomem(err);
    }
    if (to->format == AV_PIX_FMT_YUV420P && to->colorspace == AVCOL_SPC_UNSPECIFIED) {
        to->colorspace = full ? AVCOL_SPC_BT470BG : AVCOL_SPC_BT709;
    }
    AVFrame *target = to;
    if (rotation != 0) {
        bool lies = rotation % 180 != 0;
        if (!make_room(&s->upright, to->format, lies ? to->height : to->width,
                       lies ? to->width : to->height)) {
            return sl_fail_nomem(err);
        }
        target = s->upright;
        target->colorspace = to->colorspace;
    }
    sl_status status = make_ordinary(s, &from, target, err);
    bool smaller = target->width < from->width || target->height < from->height;
    int how = s->quick ? SWS_FAST_BILINEAR : (smaller ? SWS_AREA : SWS_BICUBIC) | SWS_ACCURATE_RND;
    bool to_709 = to->colorspace == AVCOL_SPC_BT709;
    bool is_709 = is_yuv(from->format) ? sl_picture_is_709(from) : to_709;
    if (status == SL_OK) {
        status = set_up(&s->scaling, from, target, full, how,
                        is_709 ? SWS_CS_ITU709 : SWS_CS_ITU601, err);
    }
    if (status == SL_OK) {
        status = scale(s->scaling.sws, from, target, err);
    }
    if (status == SL_OK && to->format == AV_PIX_FMT_YUV420P && is_709 != to_709) {
        recolour(target, to_709, full);
    }
    if (status == SL_OK && target != to) {
        turn(target, to, rotation);
    }
    to->color_range = full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    return status;
}

static void planes_at(const AVFrame *f, sl_part part, uint8_t *planes[4])
{
    for (int p = 0; p < 3; p++) {
        int half = p == 0 ? 1 : 2;
        planes[p] =
            f->data[p] + (ptrdiff_t)(part.y / half) * f->linesize[p] + (ptrdiff_t)part.x / half;
    }
    planes[3] = NULL;
}

sl_status sl_picture_stretch(sl_scaler *s, const AVFrame *from, sl_part source, AVFrame *to,
                             sl_part target, sl_error **err)
{
    uint8_t *in[4];
    uint8_t *out[4];
    s->scaling.sws =
        sws_getCachedContext(s->scaling.sws, source.w, source.h, AV_PIX_FMT_YUV420P, target.w,
                             target.h, AV_PIX_FMT_YUV420P, SWS_BICUBIC, NULL, NULL, NULL);
    if (s->scaling.sws == NULL) {
        return sl_fail_nomem(err);
    }
    planes_at(from, source, in);
    planes_at(to, target, out);
    int rows = sws_scale(s->scaling.sws, (const uint8_t *const *)in, from->linesize, 0, source.h,
                         out, to->linesize);
    return rows == target.h ? SL_OK
                            : sl_fail(err, SL_E_INVALID, "The picture could not be converted");
}

void sl_picture_put(const AVFrame *from, AVFrame *to, int32_t x, int32_t y)
{
    sl_picture_mix(from, to, x, y, OPAQUE);
}

static void mix_row(const uint8_t *from, uint8_t *to, int n, int part)
{
    for (int i = 0; i < n; i++) {
        to[i] = (uint8_t)((from[i] * part + to[i] * (WHOLE - part) + WHOLE / 2) / WHOLE);
    }
}

void sl_picture_mix(const AVFrame *from, AVFrame *to, int32_t x, int32_t y, int32_t opacity)
{
    int part = opacity * WHOLE / OPAQUE;
    for (int p = 0; p < 3; p++) {
        int half = p == 0 ? 1 : 2;
        int w = (from->width + half - 1) / half;
        int h = (from->height + half - 1) / half;
        for (int row = 0; row < h; row++) {
            const uint8_t *a = from->data[p] + (ptrdiff_t)row * from->linesize[p];
            uint8_t *b =
                to->data[p] + (ptrdiff_t)(y / half + row) * to->linesize[p] + (ptrdiff_t)x / half;
            if (part >= WHOLE) {
                memcpy(b, a, (size_t)w);
            } else {
                mix_row(a, b, w, part);
            }
        }
    }
}

void sl_picture_clear(AVFrame *yuv)
{
    for (int p = 0; p < 3; p++) {
        int h = p == 0 ? yuv->height : (yuv->height + 1) / 2;
        for (int y = 0; y < h; y++) {
            memset(yuv->data[p] + (ptrdiff_t)y * yuv->linesize[p], p == 0 ? 16 : 128,
                   (size_t)(p == 0 ? yuv->width : (yuv->width + 1) / 2));
        }
    }
}
