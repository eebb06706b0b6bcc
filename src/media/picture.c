/* media/picture.c - swscale for colours and size, then turning by copying. */
#include "media/picture.h"

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <string.h>

enum {
    HD_HEIGHT = 720, /* from here on an unnamed colour space is BT.709 */
    OPAQUE = 1000,   /* opacities are thousandths, */
    WHOLE = 256      /* in steps of these */
};

void sl_scaler_free(sl_scaler *s)
{
    sws_freeContext(s->sws);
    av_frame_free(&s->upright);
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

/* Bits of `colours`: what the conversion depends on beside formats and sizes. */
enum {
    FROM_FULL = 1,
    TO_FULL = 2,
    IS_709 = 4,
    SET = 8
};

static sl_status set_up(sl_scaler *s, const AVFrame *from, bool full, const AVFrame *to,
                        sl_error **err)
{
    bool from_full = from->color_range == AVCOL_RANGE_JPEG;
    enum AVPixelFormat format = plain_format(from->format, &from_full);
    bool smaller = to->width < from->width || to->height < from->height;
    int how = s->quick ? SWS_FAST_BILINEAR : (smaller ? SWS_AREA : SWS_BICUBIC) | SWS_ACCURATE_RND;
    s->sws = sws_getCachedContext(s->sws, from->width, from->height, format, to->width, to->height,
                                  (enum AVPixelFormat)to->format, how, NULL, NULL, NULL);
    if (s->sws == NULL) {
        return sl_fail(err, SL_E_INVALID, "The picture's format %s cannot be converted",
                       av_get_pix_fmt_name(format));
    }
    int colours = SET | (from_full ? FROM_FULL : 0) | (full ? TO_FULL : 0) |
                  (sl_picture_is_709(from) ? IS_709 : 0);
    if (s->told == s->sws && s->colours == colours) {
        return SL_OK;
    }
    const int *table = sws_getCoefficients((colours & IS_709) != 0 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    (void)sws_setColorspaceDetails(s->sws, table, from_full, table, full, 0, 1 << 16, 1 << 16);
    s->told = s->sws;
    s->colours = colours;
    return SL_OK;
}

typedef struct plane {
    uint8_t *data;
    int stride;
    int bytes; /* of a pixel */
} plane;

/* width and height are those of the turned plane. */
static void turn_plane(plane from, plane to, int width, int height, int32_t rotation)
{
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            int sx = rotation == 90 ? y : rotation == 180 ? width - 1 - x : height - 1 - y;
            int sy = rotation == 90 ? width - 1 - x : rotation == 180 ? height - 1 - y : x;
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

static sl_status scale(sl_scaler *s, const AVFrame *from, AVFrame *to, sl_error **err)
{
    int rows = sws_scale(s->sws, (const uint8_t *const *)from->data, from->linesize, 0,
                         from->height, to->data, to->linesize);
    return rows == to->height ? SL_OK
                              : sl_fail(err, SL_E_INVALID, "The picture could not be converted");
}

sl_status sl_picture_convert(sl_scaler *s, const AVFrame *from, int32_t rotation, bool full,
                             AVFrame *to, sl_error **err)
{
    if (av_frame_make_writable(to) < 0) {
        return sl_fail_nomem(err);
    }
    AVFrame *target = to;
    if (rotation != 0) {
        int32_t w = rotation % 180 != 0 ? to->height : to->width;
        int32_t h = rotation % 180 != 0 ? to->width : to->height;
        if (s->upright == NULL || s->upright->width != w || s->upright->height != h ||
            s->upright->format != to->format) {
            av_frame_free(&s->upright);
            s->upright = sl_picture_new(to->format, w, h);
        }
        target = s->upright;
        if (target == NULL) {
            return sl_fail_nomem(err);
        }
    }
    sl_status status = set_up(s, from, full, target, err);
    if (status == SL_OK) {
        status = scale(s, from, target, err);
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
    s->sws = sws_getCachedContext(s->sws, source.w, source.h, AV_PIX_FMT_YUV420P, target.w,
                                  target.h, AV_PIX_FMT_YUV420P, SWS_BICUBIC, NULL, NULL, NULL);
    if (s->sws == NULL) {
        return sl_fail_nomem(err);
    }
    planes_at(from, source, in);
    planes_at(to, target, out);
    int rows = sws_scale(s->sws, (const uint8_t *const *)in, from->linesize, 0, source.h, out,
                         to->linesize);
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
