/* media/frame.c - see the header. */
#include "media/frame.h"

#include "base/mem.h"
#include "media/av.h"
#include "media/picture.h"

#include <libavutil/imgutils.h>
#include <string.h>

enum {
    ROUNDING_US = 10,         /* of times that were computed */
    FAR_US = 2 * 1000 * 1000, /* without an index: from here on seeking is worth it */
    HURRY_US = 500 * 1000     /* so long before the frame wanted all are decoded */
};

typedef struct held {
    AVFrame *frame;
    int64_t t_us;
    bool valid;
} held;

/* A frame that was passed; shown from t_us until until_us. */
typedef struct passed {
    AVFrame *frame;
    int64_t t_us;
    int64_t until_us;
    int64_t bytes;
} passed;

struct sl_frames {
    sl_clip clip;
    passed kept[SL_FRAMES_KEPT]; /* a ring */
    size_t kept_n;
    size_t kept_next;
    int64_t kept_bytes;    /* SL_FRAMES_BYTES at most, or one frame */
    int64_t last_us;       /* what the last call showed, ... */
    int64_t last_until_us; /* ... until when; INT64_MAX: to the end */
    int64_t whole_from_us; /* from here on no frame was left out */
    held shown;
    held next;
    int64_t first_us; /* time of the very first frame */
    int64_t slack_us; /* a frame's time may be so much later than asked for */
    int64_t step_us;  /* between frames, when they do not say */
    int32_t width;
    int32_t height;
    int32_t rotation;
    AVRational rate;
    sl_scaler scaler;
    AVFrame *pixels;
};

static sl_status read_next(sl_frames *f, int64_t after_us, sl_error **err)
{
    bool end = false;
    av_frame_unref(f->next.frame);
    sl_status status = sl_clip_next(&f->clip, f->next.frame, &end, err);
    f->next.valid = status == SL_OK && !end;
    if (!f->next.valid) {
        return status;
    }
    int64_t t = sl_clip_us(&f->clip, f->next.frame->best_effort_timestamp);
    f->next.t_us = t != AV_NOPTS_VALUE ? t : after_us + f->step_us;
    return SL_OK;
}

static void drop_oldest(sl_frames *f)
{
    passed *p = &f->kept[(f->kept_next + SL_FRAMES_KEPT - f->kept_n) % SL_FRAMES_KEPT];
    av_frame_unref(p->frame);
    p->until_us = INT64_MIN;
    f->kept_bytes -= p->bytes;
    f->kept_n--;
}

/* Keeps the frame shown when another takes its place. Each counts as what it is: a clip may grow. */
static void keep(sl_frames *f)
{
    const AVFrame *a = f->shown.frame;
    passed *p = &f->kept[f->kept_next];
    int bytes = av_image_get_buffer_size((enum AVPixelFormat)a->format, a->width, a->height, 1);
    while (f->kept_n > 0 &&
           (f->kept_n == SL_FRAMES_KEPT || f->kept_bytes + bytes > SL_FRAMES_BYTES)) {
        drop_oldest(f);
    }
    if (p->frame == NULL) {
        p->frame = av_frame_alloc();
    }
    if (p->frame == NULL || bytes < 0 || av_frame_ref(p->frame, a) < 0) {
        return; /* it is decoded again when wanted */
    }
    p->t_us = f->shown.t_us;
    p->until_us = f->next.t_us;
    p->bytes = bytes;
    f->kept_bytes += bytes;
    f->kept_next = (f->kept_next + 1) % SL_FRAMES_KEPT;
    f->kept_n++;
}

static void forget(sl_frames *f)
{
    for (size_t i = 0; i < SL_FRAMES_KEPT; i++) {
        av_frame_free(&f->kept[i].frame);
    }
    f->kept_n = 0;
    f->kept_next = 0;
}

/* The kept frame that is shown at t_us, or NULL. */
static const passed *find_kept(const sl_frames *f, int64_t t_us)
{
    for (size_t i = 0; i < SL_FRAMES_KEPT; i++) {
        const passed *p = &f->kept[i];
        if (p->frame != NULL && p->t_us <= t_us + f->slack_us && p->until_us > t_us + f->slack_us) {
            return p;
        }
    }
    return NULL;
}

static sl_status advance(sl_frames *f, sl_error **err)
{
    /* In a hurry frames are missing between this one and the next. */
    if (f->shown.valid && f->next.valid && f->shown.t_us >= f->whole_from_us) {
        keep(f);
    }
    held free_one = f->shown;
    f->shown = f->next;
    f->next = free_one;
    return read_next(f, f->shown.t_us, err);
}

/* The first two frames from where the decoder stands. */
static sl_status begin(sl_frames *f, int64_t about_us, sl_error **err)
{
    f->shown.valid = false;
    sl_status status = read_next(f, about_us - f->step_us, err);
    if (status == SL_OK && f->next.valid) {
        status = advance(f, err);
    }
    return status;
}

/* What lies well before t may be left out. */
static void hurry(sl_frames *f, int64_t t_us)
{
    const AVStream *s = f->clip.stream;
    int64_t start = s->start_time == AV_NOPTS_VALUE ? 0 : s->start_time;
    f->whole_from_us = t_us - HURRY_US;
    f->clip.hurry_until = start + av_rescale_q(f->whole_from_us, AV_TIME_BASE_Q, s->time_base);
}

/* Decodes from a key frame that is surely not after t. */
static sl_status jump(sl_frames *f, int64_t t_us, bool may_hurry, sl_error **err)
{
    static const int64_t back_us[] = {0, 1000000, 5000000, 30000000, INT64_MAX};
    for (size_t i = 0; i < sizeof back_us / sizeof back_us[0]; i++) {
        int64_t target = back_us[i] < t_us ? t_us - back_us[i] : 0;
        if (!sl_clip_seek(&f->clip, target)) {
            continue;
        }
        f->whole_from_us = INT64_MIN;
        if (may_hurry) {
            hurry(f, t_us);
        }
        sl_status status = begin(f, target, err);
        if (status != SL_OK) {
            return status;
        }
        if (f->shown.valid && (f->shown.t_us <= t_us + f->slack_us || target == 0)) {
            return SL_OK;
        }
        if (target == 0) {
            break;
        }
    }
    return sl_fail(err, SL_E_INVALID, "The video cannot be read at this place");
}

/* Whether a key frame lies between what would be decoded next and t. */
static bool far_ahead(const sl_frames *f, int64_t t_us)
{
    AVStream *s = f->clip.stream;
    int64_t start = s->start_time == AV_NOPTS_VALUE ? 0 : s->start_time;
    int64_t ts = start + av_rescale_q(t_us, AV_TIME_BASE_Q, s->time_base);
    int entry = av_index_search_timestamp(s, ts, AVSEEK_FLAG_BACKWARD);
    if (entry < 0) {
        return t_us - f->next.t_us > FAR_US;
    }
    const AVIndexEntry *key = avformat_index_get_entry(s, entry);
    return key != NULL && sl_clip_us(&f->clip, key->timestamp) > f->next.t_us + f->step_us;
}

/* Containers round times to their own ticks, Matroska to milliseconds; a tick as long as a frame
 * rounds nothing. */
static int64_t slack_of(const sl_frames *f)
{
    int64_t half = av_rescale_q(1, f->clip.stream->time_base, AV_TIME_BASE_Q) / 2;
    int64_t most = f->step_us / 8;
    return (half < most ? half : 0) + ROUNDING_US;
}

sl_status sl_frames_open(const sl_source *source, sl_frames **out, sl_error **err)
{
    *out = NULL;
    sl_frames *f = sl_mem(sizeof *f);
    if (f == NULL) {
        return sl_fail_nomem(err);
    }
    f->whole_from_us = INT64_MIN;
    f->shown.frame = av_frame_alloc();
    f->next.frame = av_frame_alloc();
    sl_status status = f->shown.frame == NULL || f->next.frame == NULL
                           ? sl_fail_nomem(err)
                           : sl_clip_open(&f->clip, source, err);
    if (status == SL_OK) {
        status = sl_clip_decode(&f->clip, AVMEDIA_TYPE_VIDEO, err);
    }
    if (status == SL_OK) {
        f->rate = sl_clip_rate(f->clip.format, f->clip.stream);
        f->step_us = av_rescale_q(1, av_inv_q(f->rate), AV_TIME_BASE_Q);
        f->slack_us = slack_of(f);
        f->rotation = sl_clip_rotation(f->clip.stream);
        sl_clip_size(f->clip.stream, &f->width, &f->height);
        status = begin(f, 0, err);
    }
    if (status == SL_OK && !f->shown.valid) {
        status = sl_fail(err, SL_E_INVALID, "The video is cut off or damaged");
    }
    if (status != SL_OK) {
        sl_frames_close(f);
        return status;
    }
    f->first_us = f->shown.t_us;
    *out = f;
    return SL_OK;
}

void sl_frames_close(sl_frames *f)
{
    if (f == NULL) {
        return;
    }
    sl_scaler_free(&f->scaler);
    forget(f);
    av_frame_free(&f->pixels);
    av_frame_free(&f->shown.frame);
    av_frame_free(&f->next.frame);
    sl_clip_close(&f->clip);
    sl_mem_free(f);
}

void sl_frames_size(const sl_frames *f, int32_t *width, int32_t *height)
{
    *width = f->width;
    *height = f->height;
}

int32_t sl_frames_rotation(const sl_frames *f)
{
    return f->rotation;
}

int64_t sl_frames_slack_us(const sl_frames *f)
{
    return f->slack_us;
}

void sl_frames_rate(const sl_frames *f, int32_t *num, int32_t *den)
{
    *num = f->rate.num;
    *den = f->rate.den;
}

static sl_status advance_to(sl_frames *f, int64_t t_us, sl_error **err)
{
    sl_status status = SL_OK;
    while (status == SL_OK && f->next.valid && f->next.t_us <= t_us + f->slack_us) {
        status = advance(f, err);
    }
    return status;
}

static sl_status go_to(sl_frames *f, int64_t t_us, sl_error **err)
{
    sl_status status = SL_OK;
    bool before = f->shown.t_us > t_us + f->slack_us && f->shown.t_us > f->first_us;
    bool ahead = f->next.valid && f->next.t_us <= t_us && far_ahead(f, t_us);
    bool partial = f->shown.t_us < f->whole_from_us;
    if (!f->shown.valid || before || ahead || partial) {
        status = jump(f, t_us, true, err);
    }
    status = status == SL_OK ? advance_to(f, t_us, err) : status;
    /* A frame that stands long, or the last of the clip, may be one that was left out. */
    if (status == SL_OK && f->shown.t_us < f->whole_from_us) {
        status = jump(f, t_us, false, err);
        status = status == SL_OK ? advance_to(f, t_us, err) : status;
    }
    return status;
}

sl_status sl_frames_at(sl_frames *f, int64_t t_us, const AVFrame **out, int64_t *shown_us,
                       sl_error **err)
{
    t_us = t_us < 0 ? 0 : t_us;
    const passed *kept = find_kept(f, t_us);
    sl_status status = kept != NULL ? SL_OK : go_to(f, t_us, err);
    if (status != SL_OK) {
        return status;
    }
    *out = kept != NULL ? kept->frame : f->shown.frame;
    f->last_us = kept != NULL ? kept->t_us : f->shown.t_us;
    f->last_until_us = kept != NULL ? kept->until_us : f->next.valid ? f->next.t_us : INT64_MAX;
    if (shown_us != NULL) {
        *shown_us = f->last_us;
    }
    return SL_OK;
}

sl_status sl_frames_step(sl_frames *f, int32_t by, const AVFrame **out, int64_t *shown_us,
                         sl_error **err)
{
    int64_t t_us = f->last_us;
    if (by > 0 && f->last_until_us != INT64_MAX) {
        t_us = f->last_until_us;
    } else if (by < 0 && f->last_us > f->first_us) {
        t_us = f->last_us - f->slack_us - 1;
    }
    return sl_frames_at(f, t_us, out, shown_us, err);
}

sl_status sl_frames_pixels(sl_frames *f, int64_t t_us, const sl_pixels *into, int64_t *shown_us,
                           sl_error **err)
{
    const AVFrame *frame = NULL;
    sl_status status = sl_frames_at(f, t_us, &frame, shown_us, err);
    if (status != SL_OK) {
        return status;
    }
    AVFrame *p = f->pixels;
    if (p == NULL || p->width != into->width || p->height != into->height) {
        av_frame_free(&f->pixels);
        f->pixels = sl_picture_new(AV_PIX_FMT_RGB32, into->width, into->height);
        p = f->pixels;
    }
    if (p == NULL) {
        return sl_fail_nomem(err);
    }
    status = sl_picture_convert(&f->scaler, frame, f->rotation, true, p, err);
    for (int32_t y = 0; status == SL_OK && y < into->height; y++) {
        memcpy(into->data + (ptrdiff_t)y * into->stride, p->data[0] + (ptrdiff_t)y * p->linesize[0],
               (size_t)into->width * 4);
    }
    return status;
}
