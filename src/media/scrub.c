/* media/scrub.c - stills are JPEGs: each is decoded by itself. */
#include "media/scrub.h"

#include "base/mem.h"
#include "base/thread.h"
#include "media/av.h"
#include "media/enlarge.h"
#include "media/jpeg.h"
#include "media/picture.h"

#include <string.h>

typedef struct still {
    int64_t t_us;
    uint8_t *jpeg;
    size_t len;
} still;

struct sl_scrub {
    sl_source source;
    size_t budget;
    sl_thread *thread;
    sl_mutex *lock; /* of what follows */
    still *stills;  /* in order of time */
    size_t n;
    size_t room;
    size_t bytes;
    int64_t until_us;
    uint64_t step; /* every how many-th frame is kept */
    bool whole;
    bool stop;
    /* Of the one who asks. */
    sl_unjpeg *reader;
    sl_scaler scaler;
    AVFrame *pixels;
    sl_enlarge enlarge;
    sl_buf taken; /* the still being shown */
    int64_t taken_us;
};

static bool is_stopped(sl_scrub *s)
{
    sl_lock(s->lock);
    bool yes = s->stop;
    sl_unlock(s->lock);
    return yes;
}

/* Gives every second still back. Called locked. */
static void thin_out(sl_scrub *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (i % 2 == 0) {
            s->stills[kept++] = s->stills[i];
        } else {
            s->bytes -= s->stills[i].len;
            sl_mem_free(s->stills[i].jpeg);
        }
    }
    s->n = kept;
    s->step *= 2;
}

/* Takes the JPEG. False: out of memory; the stills end there. */
static bool add(sl_scrub *s, int64_t t_us, const sl_buf *jpeg)
{
    uint8_t *copy = sl_mem(jpeg->len);
    bool ok = copy != NULL;
    sl_lock(s->lock);
    if (ok && s->n == s->room) {
        size_t room = s->room == 0 ? 256 : s->room * 2;
        still *grown = sl_mem_resize(s->stills, room, sizeof *grown);
        ok = grown != NULL;
        s->stills = ok ? grown : s->stills;
        s->room = ok ? room : s->room;
    }
    if (ok) {
        memcpy(copy, jpeg->data, jpeg->len);
        s->stills[s->n++] = (still){t_us, copy, jpeg->len};
        s->bytes += jpeg->len;
        copy = NULL;
        while (s->bytes > s->budget && s->n > 2) {
            thin_out(s);
        }
    }
    sl_unlock(s->lock);
    sl_mem_free(copy);
    return ok;
}

typedef struct maker {
    sl_clip clip;
    sl_scaler scaler;
    sl_jpeg *jpeg;
    AVFrame *frame;
    AVFrame *small;
    sl_buf bytes;
    int64_t first_us;
    uint64_t count;
} maker;

static bool open_maker(sl_scrub *s, maker *m)
{
    int32_t w = 0;
    int32_t h = 0;
    m->frame = av_frame_alloc();
    bool ok = m->frame != NULL && sl_clip_open(&m->clip, &s->source, NULL) == SL_OK &&
              sl_clip_decode(&m->clip, AVMEDIA_TYPE_VIDEO, NULL) == SL_OK;
    if (!ok) {
        return false;
    }
    sl_clip_size(m->clip.stream, &w, &h);
    int64_t longer = w > h ? w : h;
    int64_t side = longer < SL_SCRUB_SIDE ? longer : SL_SCRUB_SIDE;
    w = (int32_t)(av_rescale(w, side, longer) + 1) & ~1;
    h = (int32_t)(av_rescale(h, side, longer) + 1) & ~1;
    m->small = sl_picture_new(AV_PIX_FMT_YUV420P, w, h);
    return m->small != NULL && sl_jpeg_open(w, h, &m->jpeg, NULL) == SL_OK;
}

static void close_maker(maker *m)
{
    sl_jpeg_close(m->jpeg);
    sl_scaler_free(&m->scaler);
    av_frame_free(&m->frame);
    av_frame_free(&m->small);
    sl_buf_free(&m->bytes);
    sl_clip_close(&m->clip);
}

/* False: the stills end here. */
static bool one_still(sl_scrub *s, maker *m)
{
    bool end = false;
    if (sl_clip_next(&m->clip, m->frame, &end, NULL) != SL_OK || end) {
        return false;
    }
    int64_t t_us = sl_clip_us(&m->clip, m->frame->best_effort_timestamp);
    bool wanted = t_us != AV_NOPTS_VALUE && m->count % s->step == 0;
    bool ok = true;
    m->count++;
    if (wanted) {
        sl_buf_clear(&m->bytes);
        ok = sl_picture_convert(&m->scaler, m->frame, sl_clip_rotation(m->clip.stream), true,
                                m->small, NULL) == SL_OK &&
             sl_jpeg_write(m->jpeg, m->small, &m->bytes, NULL) == SL_OK && add(s, t_us, &m->bytes);
    }
    av_frame_unref(m->frame);
    if (ok && t_us != AV_NOPTS_VALUE) {
        sl_lock(s->lock);
        s->until_us = t_us > s->until_us ? t_us : s->until_us;
        sl_unlock(s->lock);
    }
    return ok;
}

static void run(void *arg)
{
    sl_scrub *s = arg;
    maker m = {.count = 0};
    bool more = open_maker(s, &m);
    while (more && !is_stopped(s)) {
        more = one_still(s, &m);
    }
    close_maker(&m);
    sl_lock(s->lock);
    s->whole = true;
    sl_signal(s->lock);
    sl_unlock(s->lock);
}

sl_status sl_scrub_open(const sl_source *source, size_t bytes, sl_scrub **out, sl_error **err)
{
    *out = NULL;
    sl_av_be_quiet();
    sl_scrub *s = sl_mem(sizeof *s);
    if (s == NULL) {
        return sl_fail_nomem(err);
    }
    s->source = *source;
    s->budget = bytes != 0 ? bytes : SL_SCRUB_BYTES;
    s->step = 1;
    s->taken_us = INT64_MIN;
    s->lock = sl_mutex_new();
    sl_status status = s->lock == NULL ? sl_fail_nomem(err) : sl_unjpeg_open(&s->reader, err);
    if (status == SL_OK) {
        s->thread = sl_thread_start(run, s);
        status = s->thread != NULL ? SL_OK : sl_fail(err, SL_E_NOMEM, "No thread can be started");
    }
    if (status != SL_OK) {
        sl_scrub_close(s);
        return status;
    }
    *out = s;
    return SL_OK;
}

void sl_scrub_close(sl_scrub *s)
{
    if (s == NULL) {
        return;
    }
    if (s->thread != NULL) {
        sl_lock(s->lock);
        s->stop = true;
        sl_unlock(s->lock);
        sl_thread_join(s->thread);
    }
    for (size_t i = 0; i < s->n; i++) {
        sl_mem_free(s->stills[i].jpeg);
    }
    sl_mem_free(s->stills);
    sl_mutex_free(s->lock);
    sl_unjpeg_close(s->reader);
    sl_scaler_free(&s->scaler);
    av_frame_free(&s->pixels);
    sl_enlarge_free(&s->enlarge);
    sl_buf_free(&s->taken);
    sl_mem_free(s);
}

/* Copies the still before t_us into s->taken. */
static sl_status take(sl_scrub *s, int64_t t_us, sl_error **err)
{
    sl_lock(s->lock);
    size_t lo = 0;
    size_t hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->stills[mid].t_us <= t_us) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    bool any = s->n > 0;
    if (any) {
        const still *found = &s->stills[lo > 0 ? lo - 1 : 0];
        sl_buf_clear(&s->taken);
        sl_buf_put(&s->taken, found->jpeg, found->len);
        s->taken_us = found->t_us;
    }
    sl_unlock(s->lock);
    if (!any) {
        return sl_fail(err, SL_E_NOT_FOUND, "There is no still yet");
    }
    return s->taken.failed ? sl_fail_nomem(err) : SL_OK;
}

/* The still in colours, as large as `width` and `height` say, into s->pixels. */
static sl_status colour(sl_scrub *s, const AVFrame *frame, int32_t width, int32_t height,
                        sl_error **err)
{
    if (s->pixels == NULL || s->pixels->width != width || s->pixels->height != height) {
        av_frame_free(&s->pixels);
        s->pixels = sl_picture_new(AV_PIX_FMT_RGB32, width, height);
        if (s->pixels == NULL) {
            return sl_fail_nomem(err);
        }
    }
    s->scaler.quick = true;
    return sl_picture_convert(&s->scaler, frame, 0, true, s->pixels, err);
}

static sl_status show(sl_scrub *s, const AVFrame *frame, const sl_pixels *into, sl_error **err)
{
    bool larger = into->width >= frame->width && into->height >= frame->height;
    sl_status status = larger ? colour(s, frame, frame->width, frame->height, err)
                              : colour(s, frame, into->width, into->height, err);
    if (status != SL_OK) {
        return status;
    }
    const uint8_t *rows = s->pixels->data[0];
    ptrdiff_t stride = s->pixels->linesize[0];
    if (larger && (into->width > frame->width || into->height > frame->height)) {
        return sl_enlarge_into(&s->enlarge, rows, stride, frame->width, frame->height, into, err);
    }
    for (int32_t y = 0; y < into->height; y++) {
        memcpy(into->data + (ptrdiff_t)y * into->stride, rows + y * stride,
               (size_t)into->width * 4);
    }
    return SL_OK;
}

sl_status sl_scrub_pixels(sl_scrub *s, int64_t t_us, const sl_pixels *into, int64_t *shown_us,
                          sl_error **err)
{
    const AVFrame *frame = NULL;
    sl_status status = take(s, t_us, err);
    if (status == SL_OK) {
        status = sl_unjpeg_read(s->reader, s->taken.data, s->taken.len, &frame, err);
    }
    if (status == SL_OK) {
        status = show(s, frame, into, err);
    }
    if (status == SL_OK && shown_us != NULL) {
        *shown_us = s->taken_us;
    }
    return status;
}

int64_t sl_scrub_until_us(sl_scrub *s, bool *whole)
{
    sl_lock(s->lock);
    int64_t until_us = s->until_us;
    *whole = s->whole;
    sl_unlock(s->lock);
    return until_us;
}

void sl_scrub_wait(sl_scrub *s)
{
    sl_lock(s->lock);
    while (!s->whole) {
        sl_wait(s->lock, -1);
    }
    sl_unlock(s->lock);
}
