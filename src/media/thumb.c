/* media/thumb.c - see the header. */
#include "media/thumb.h"

#include "base/mem.h"
#include "media/av.h"
#include "media/frame.h"
#include "media/jpeg.h"
#include "media/picture.h"

#include <inttypes.h>
#include <libavutil/mathematics.h>

enum {
    SHEET_PIXELS_MAX = 8192 /* along a side: what phones show */
};

static void fit(const AVStream *stream, int32_t side, int32_t *width, int32_t *height)
{
    int32_t w = 0;
    int32_t h = 0;
    sl_clip_size(stream, &w, &h);
    int64_t longer = w > h ? w : h;
    side = longer < side ? (int32_t)longer : side;
    *width = (int32_t)av_rescale(w, side, longer);
    *height = (int32_t)av_rescale(h, side, longer);
    *width = *width < 1 ? 1 : *width;
    *height = *height < 1 ? 1 : *height;
}

/* The key frame at or before t_us; when none decodes, the first frame that does. */
static sl_status key_at(sl_clip *c, int64_t t_us, AVFrame *frame, sl_error **err)
{
    bool end = true;
    sl_status status = SL_OK;
    if (sl_clip_seek(c, t_us)) {
        status = sl_clip_next_key(c, frame, &end, err);
    }
    if (status == SL_OK && end && sl_clip_seek(c, 0)) {
        status = sl_clip_next(c, frame, &end, err);
    }
    return status == SL_OK && end ? sl_fail(err, SL_E_INVALID, "The video is cut off or damaged")
                                  : status;
}

static sl_status open_quick(sl_clip *c, const sl_source *source, sl_error **err)
{
    c->quick = true;
    sl_status status = sl_clip_open(c, source, err);
    return status == SL_OK ? sl_clip_decode(c, AVMEDIA_TYPE_VIDEO, err) : status;
}

static sl_status write_small(const sl_clip *c, const AVFrame *frame, const sl_thumb *size,
                             sl_buf *jpeg, sl_error **err)
{
    AVFrame *picture = sl_picture_new(AV_PIX_FMT_YUV420P, size->width, size->height);
    sl_scaler scaler = {0};
    sl_jpeg *writer = NULL;
    sl_status status =
        picture == NULL
            ? sl_fail_nomem(err)
            : sl_picture_convert(&scaler, frame, sl_clip_rotation(c->stream), true, picture, err);
    if (status == SL_OK) {
        status = sl_jpeg_open(size->width, size->height, &writer, err);
    }
    if (status == SL_OK) {
        status = sl_jpeg_write(writer, picture, jpeg, err);
    }
    sl_jpeg_close(writer);
    sl_scaler_free(&scaler);
    av_frame_free(&picture);
    return status;
}

sl_status sl_thumb_make(const sl_source *source, int64_t t_us, int32_t side, sl_buf *jpeg,
                        sl_thumb *out, sl_error **err)
{
    sl_clip c = {0};
    *out = (sl_thumb){0};
    side = side == 0 ? SL_THUMB_SIDE : side;
    if (side < SL_THUMB_SIDE_MIN || side > SL_THUMB_SIDE_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "side", "A thumbnail's side is %d to %d pixels",
                             SL_THUMB_SIDE_MIN, SL_THUMB_SIDE_MAX);
    }
    AVFrame *frame = av_frame_alloc();
    if (frame == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = open_quick(&c, source, err);
    if (status == SL_OK) {
        status = key_at(&c, t_us < 0 ? 0 : t_us, frame, err);
    }
    if (status == SL_OK) {
        int64_t at_us = sl_clip_us(&c, frame->best_effort_timestamp);
        out->t_us = at_us != AV_NOPTS_VALUE ? at_us : 0;
        fit(c.stream, side, &out->width, &out->height);
        status = write_small(&c, frame, out, jpeg, err);
    }
    av_frame_free(&frame);
    sl_clip_close(&c);
    return status;
}

/* ---- many on a sheet ---- */

typedef struct maker {
    const sl_sheet_job *job;
    sl_sheet *sheet;
    sl_clip clip;      /* for key frames */
    sl_frames *frames; /* for others; opened when one is needed */
    AVFrame *key;
    AVFrame *small;
    AVFrame *all;
    sl_scaler scaler;
    sl_scaler other;
} maker;

static sl_status choose(const sl_sheet_job *job, sl_sheet *s, sl_error **err)
{
    int64_t seconds = (job->duration_us + AV_TIME_BASE - 1) / AV_TIME_BASE;
    int64_t usual = seconds < SL_SHEET_COUNT ? seconds : SL_SHEET_COUNT;
    s->duration_us = job->duration_us;
    s->count = job->count != 0 ? job->count : (int32_t)usual;
    if (s->duration_us <= 0) {
        return sl_fail(err, SL_E_INVALID, "The video has no length");
    }
    if (s->count < 1 || s->count > SL_SHEET_COUNT_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "count", "A sheet has 1 to %d pictures",
                             SL_SHEET_COUNT_MAX);
    }
    s->columns = job->columns;
    while (s->columns == 0 || (job->columns == 0 && s->columns * s->columns < s->count)) {
        s->columns++;
    }
    if (s->columns < 0 || s->columns > s->count) {
        return sl_fail_field(err, SL_E_INVALID, "columns",
                             "A sheet has at least one column and no more than pictures");
    }
    s->rows = (s->count + s->columns - 1) / s->columns;
    return SL_OK;
}

static sl_status open_sheet(maker *m, sl_error **err)
{
    sl_sheet *s = m->sheet;
    int32_t side = m->job->side == 0 ? SL_SHEET_SIDE : m->job->side;
    if (side < SL_THUMB_SIDE_MIN || side > SL_SHEET_SIDE_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "side",
                             "A picture of a sheet has a side of %d to %d pixels",
                             SL_THUMB_SIDE_MIN, SL_SHEET_SIDE_MAX);
    }
    m->key = av_frame_alloc();
    sl_status status =
        m->key == NULL ? sl_fail_nomem(err) : open_quick(&m->clip, &m->job->source, err);
    if (status != SL_OK) {
        return status;
    }
    fit(m->clip.stream, side, &s->width, &s->height);
    s->width = (s->width + 1) & ~1; /* so that each begins with a whole pixel of colour */
    s->height = (s->height + 1) & ~1;
    if ((int64_t)s->width * s->columns > SHEET_PIXELS_MAX ||
        (int64_t)s->height * s->rows > SHEET_PIXELS_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "columns",
                             "The sheet would be larger than %d by %d pixels", SHEET_PIXELS_MAX,
                             SHEET_PIXELS_MAX);
    }
    m->small = sl_picture_new(AV_PIX_FMT_YUV420P, s->width, s->height);
    m->all = sl_picture_new(AV_PIX_FMT_YUV420P, s->width * s->columns, s->height * s->rows);
    if (m->small == NULL || m->all == NULL) {
        return sl_fail_nomem(err);
    }
    sl_picture_clear(m->all);
    return SL_OK;
}

static sl_status one(maker *m, int32_t i, sl_error **err)
{
    sl_sheet *s = m->sheet;
    int64_t from = sl_sheet_from_us(s, i);
    int64_t until = sl_sheet_from_us(s, i + 1);
    int64_t middle = from + (until - from) / 2;
    const AVFrame *frame = m->key;
    av_frame_unref(m->key);
    sl_status status = key_at(&m->clip, middle, m->key, err);
    s->shown_us[i] =
        status == SL_OK ? sl_clip_us(&m->clip, m->key->best_effort_timestamp) : AV_NOPTS_VALUE;
    bool within = s->shown_us[i] != AV_NOPTS_VALUE && s->shown_us[i] >= from;
    if (status == SL_OK && !within) {
        status = m->frames == NULL ? sl_frames_open(&m->job->source, &m->frames, err) : SL_OK;
        if (status == SL_OK) {
            status = sl_frames_at(m->frames, middle, &frame, &s->shown_us[i], err);
        }
    }
    if (status == SL_OK) {
        status = sl_picture_convert(within ? &m->scaler : &m->other, frame,
                                    sl_clip_rotation(m->clip.stream), true, m->small, err);
    }
    if (status == SL_OK) {
        sl_picture_put(m->small, m->all, i % s->columns * s->width, i / s->columns * s->height);
    }
    return status;
}

static sl_status make_all(maker *m, sl_buf *jpeg, sl_error **err)
{
    const sl_sheet_job *job = m->job;
    sl_jpeg *writer = NULL;
    sl_status status = SL_OK;
    for (int32_t i = 0; status == SL_OK && i < m->sheet->count; i++) {
        if (job->cancelled != NULL && job->cancelled(job->user)) {
            return sl_fail(err, SL_E_CANCELLED, "The sheet was cancelled");
        }
        status = one(m, i, err);
        if (status == SL_OK && job->progress != NULL) {
            job->progress(job->user, i + 1, m->sheet->count);
        }
    }
    if (status == SL_OK) {
        status = sl_jpeg_open(m->all->width, m->all->height, &writer, err);
    }
    if (status == SL_OK) {
        m->all->color_range = AVCOL_RANGE_JPEG;
        status = sl_jpeg_write(writer, m->all, jpeg, err);
    }
    sl_jpeg_close(writer);
    return status;
}

sl_status sl_sheet_make(const sl_sheet_job *job, sl_buf *jpeg, sl_sheet *out, sl_error **err)
{
    maker m = {.job = job, .sheet = out};
    *out = (sl_sheet){0};
    sl_status status = choose(job, out, err);
    if (status == SL_OK) {
        status = open_sheet(&m, err);
    }
    if (status == SL_OK && m.all != NULL) {
        status = make_all(&m, jpeg, err);
    }
    sl_frames_close(m.frames);
    sl_scaler_free(&m.scaler);
    sl_scaler_free(&m.other);
    av_frame_free(&m.key);
    av_frame_free(&m.small);
    av_frame_free(&m.all);
    sl_clip_close(&m.clip);
    return status;
}

int64_t sl_sheet_from_us(const sl_sheet *s, int32_t i)
{
    return av_rescale(s->duration_us, i, s->count);
}

static void put_time(sl_buf *out, int64_t us)
{
    int64_t ms = us / 1000;
    sl_buf_fmt(out, "%02" PRId64 ":%02d:%02d.%03d", ms / 3600000, (int)(ms / 60000 % 60),
               (int)(ms / 1000 % 60), (int)(ms % 1000));
}

void sl_sheet_vtt(const sl_sheet *s, const char *image, sl_buf *out)
{
    sl_buf_str(out, "WEBVTT\n");
    for (int32_t i = 0; i < s->count; i++) {
        sl_buf_str(out, "\n");
        put_time(out, sl_sheet_from_us(s, i));
        sl_buf_str(out, " --> ");
        put_time(out, sl_sheet_from_us(s, i + 1));
        sl_buf_fmt(out, "\n%s#xywh=%d,%d,%d,%d\n", image, (int)(i % s->columns * s->width),
                   (int)(i / s->columns * s->height), (int)s->width, (int)s->height);
    }
}
