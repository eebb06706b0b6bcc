/* media/export.c - see the header. */
#include "media/export_inside.h"

#include "base/mem.h"

#include <libavutil/mathematics.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE_MIN = 16,
    RATE_MAX = 60,
    RATE_MIN = 20 /* slower clips are shown at a multiple, so that ink and freezes are smooth */
};

static int by_id(const void *a, const void *b)
{
    const sl_item *const *x = a;
    const sl_item *const *y = b;
    return strcmp((*x)->id, (*y)->id);
}

static int id_to_item(const void *key, const void *b)
{
    const sl_item *const *item = b;
    return strcmp(key, (*item)->id);
}

static void choose_size(exporter *x)
{
    int64_t w = x->job->width;
    int64_t h = x->job->height;
    if (w <= 0 || h <= 0) {
        w = x->clip_width;
        h = x->clip_height;
        int64_t longer = w > h ? w : h;
        if (longer > SL_EXPORT_SIDE) {
            w = av_rescale(w, SL_EXPORT_SIDE, longer);
            h = av_rescale(h, SL_EXPORT_SIDE, longer);
        }
    }
    w = w < SIDE_MIN ? SIDE_MIN : w > SL_PIXELS_SIDE_MAX ? SL_PIXELS_SIDE_MAX : w;
    h = h < SIDE_MIN ? SIDE_MIN : h > SL_PIXELS_SIDE_MAX ? SL_PIXELS_SIDE_MAX : h;
    x->width = (int32_t)(w & ~INT64_C(1));
    x->height = (int32_t)(h & ~INT64_C(1));
}

static void choose_rate(exporter *x)
{
    int32_t num = 0;
    int32_t den = 1;
    sl_frames_rate(x->frames, &num, &den);
    x->rate = (AVRational){num, den};
    if (av_cmp_q(x->rate, (AVRational){RATE_MAX, 1}) > 0) {
        x->rate = (AVRational){RATE_MAX, 1};
    }
    while (av_cmp_q(x->rate, (AVRational){RATE_MIN, 1}) < 0) {
        x->rate = av_mul_q(x->rate, (AVRational){2, 1});
    }
}

/* The movie is BT.709; unless parts of a clip that is BT.601 are copied: then all of it is. */
static sl_status choose_colours(exporter *x, sl_error **err)
{
    const AVFrame *first = NULL;
    sl_status status = sl_export_learn(x, err);
    if (status == SL_OK) {
        status = sl_frames_at(x->frames, 0, &first, NULL, err);
    }
    if (status == SL_OK) {
        x->is_709 = !x->spliced || sl_picture_is_709(first);
        x->base->colorspace = x->is_709 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    }
    return status;
}

static sl_status open_pictures(exporter *x, sl_error **err)
{
    sl_status status = sl_frames_open(&x->job->source, &x->frames, err);
    if (status != SL_OK) {
        return status;
    }
    sl_frames_size(x->frames, &x->clip_width, &x->clip_height);
    choose_size(x);
    choose_rate(x);
    x->base = sl_picture_new(AV_PIX_FMT_YUV420P, x->width, x->height);
    x->inked = sl_picture_new(AV_PIX_FMT_YUV420P, x->width, x->height);
    x->zoomed = sl_picture_new(AV_PIX_FMT_YUV420P, x->width, x->height);
    x->canvas = sl_canvas_new(x->width, x->height);
    x->film = sl_film_new(x->width, x->height);
    x->base_us = INT64_MIN;
    x->learnt_us = INT64_MIN;
    x->second_us = INT64_MIN;
    if (x->base == NULL || x->inked == NULL || x->zoomed == NULL || x->canvas == NULL ||
        x->film == NULL) {
        return sl_fail_nomem(err);
    }
    return choose_colours(x, err);
}

static sl_status open_all(exporter *x, const char *temp, sl_error **err)
{
    const sl_export_job *job = x->job;
    int64_t duration = sl_timeline_duration_us(job->timeline);
    if (duration <= 0) {
        return sl_fail(err, SL_E_INVALID, "The review has no length");
    }
    sl_status status = open_pictures(x, err);
    if (status != SL_OK) {
        return status;
    }
    x->total = av_rescale_q(duration, AV_TIME_BASE_Q, av_inv_q(x->rate));
    x->total = x->total < 1 ? 1 : x->total;
    x->sound_total = av_rescale(duration, SL_MOVIE_SOUND_RATE, 1000000);
    x->items = sl_mem_array(job->items_n + 1, sizeof(const sl_item *));
    if (x->items == NULL) {
        return sl_fail_nomem(err);
    }
    for (size_t i = 0; i < job->items_n; i++) {
        x->items[i] = job->items[i];
    }
    qsort(x->items, job->items_n, sizeof(const sl_item *), by_id);
    status = sl_mix_open(job, &x->mix, err);
    if (status != SL_OK) {
        return status;
    }
    sl_movie_config config = {.path = temp,
                              .width = x->width,
                              .height = x->height,
                              .rate = x->rate,
                              .is_709 = x->is_709,
                              .encoder = job->encoder,
                              .sound = true,
                              .splice = x->spliced ? &x->splice : NULL};
    x->begun = true;
    status = sl_movie_open(&config, &x->movie, err);
    x->spliced = x->spliced && status == SL_OK && sl_movie_splices(x->movie);
    return status;
}

static void close_all(exporter *x)
{
    sl_movie_close(x->movie);
    sl_splice_free(&x->splice);
    sl_clip_close(&x->copier);
    sl_mix_close(x->mix);
    sl_frames_close(x->frames);
    sl_scaler_free(&x->scaler);
    sl_scaler_free(&x->zoom);
    av_frame_free(&x->base);
    av_frame_free(&x->inked);
    av_frame_free(&x->zoomed);
    av_frame_free(&x->seen);
    sl_scaler_free(&x->to_rgb);
    sl_canvas_free(x->canvas);
    sl_film_free(x->film);
    sl_film_free(x->changed);
    sl_export_slow_free(x);
    sl_export_pair_free(x);
    sl_mem_free(x->items);
    sl_mem_free(x->marks);
    sl_mem_free(x->shown);
}

sl_status sl_export_shown(exporter *x, int64_t t_us, size_t *n, sl_error **err)
{
    size_t count = sl_timeline_visible(x->job->timeline, t_us, x->marks, x->marks_cap);
    if (count > x->marks_cap) {
        sl_mem_free(x->marks);
        sl_mem_free(x->shown);
        x->marks = sl_mem_array(count, sizeof *x->marks);
        x->shown = sl_mem_array(count, sizeof *x->shown);
        x->marks_cap = x->marks != NULL && x->shown != NULL ? count : 0;
        if (x->marks_cap == 0) {
            return sl_fail_nomem(err);
        }
        count = sl_timeline_visible(x->job->timeline, t_us, x->marks, x->marks_cap);
    }
    *n = 0;
    for (size_t i = 0; i < count; i++) {
        const sl_item *const *item =
            bsearch(x->marks[i].id, x->items, x->job->items_n, sizeof(const sl_item *), id_to_item);
        if (item != NULL) { /* it may have been deleted since */
            int64_t age_us = x->marks[i].growing ? t_us - x->marks[i].since_us : -1;
            x->shown[*n] = (sl_shown){.item = *item, .age_us = age_us};
            (*n)++;
        }
    }
    return SL_OK;
}

/* The ground with a film over it. */
static sl_status lay(exporter *x, const sl_film *film, AVFrame **out, sl_error **err)
{
    if (sl_film_is_clear(film)) {
        return SL_OK;
    }
    if (av_frame_make_writable(x->inked) < 0 || av_frame_copy(x->inked, x->ground) < 0) {
        return sl_fail_nomem(err);
    }
    sl_yuv yuv = {.plane = {x->inked->data[0], x->inked->data[1], x->inked->data[2]},
                  .stride = {x->inked->linesize[0], x->inked->linesize[1], x->inked->linesize[2]},
                  .width = x->width,
                  .height = x->height};
    sl_film_blend(film, &yuv);
    *out = x->inked;
    return SL_OK;
}

/* Whether any of the drawings looks at the picture under it. */
static bool looks_at_picture(const exporter *x, size_t n, int64_t t_us)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        sl_kind kind = x->shown[i].item->geo.kind;
        any = any || ((kind == SL_KIND_BLUR || kind == SL_KIND_MAGNIFIER) &&
                      sl_item_opacity_at(x->shown[i].item, t_us) > 0);
    }
    return any;
}

/* The drawings on the picture itself, of which only what they may touch is taken back. */
static sl_status draw_on_picture(exporter *x, const sl_scene *scene, size_t n, AVFrame **out,
                                 sl_error **err)
{
    x->seen = x->seen != NULL ? x->seen : sl_picture_new(AV_PIX_FMT_RGB32, x->width, x->height);
    x->changed = x->changed != NULL ? x->changed : sl_film_new(x->width, x->height);
    if (x->seen == NULL || x->changed == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_picture_convert(&x->to_rgb, x->ground, 0, false, x->seen, err);
    sl_pixels seen = {.struct_size = sizeof seen,
                      .width = x->width,
                      .height = x->height,
                      .stride = x->seen->linesize[0],
                      .data = x->seen->data[0]};
    if (status == SL_OK) {
        status = sl_render_scene(scene, x->shown, n, &seen, err);
    }
    if (status != SL_OK) {
        return status;
    }
    sl_film_clear(x->changed);
    for (size_t i = 0; i < n; i++) {
        sl_box box = sl_render_scene_damage(scene, &x->shown[i], 1, &seen);
        sl_film_take(x->changed, &seen, &box, 1, x->is_709);
    }
    return lay(x, x->changed, out, err);
}

/* The ground with the drawings over it; *out is the ground itself when there are none. */
static sl_status draw(exporter *x, int64_t t_us, int64_t position_us, AVFrame **out, sl_error **err)
{
    size_t n = 0;
    sl_box damage;
    sl_scene scene = {.frame_w = x->clip_width, .frame_h = x->clip_height, .t_us = position_us};
    *out = x->ground;
    sl_status status = sl_export_shown(x, t_us, &n, err);
    if (status != SL_OK || n == 0) {
        return status;
    }
    if (looks_at_picture(x, n, position_us)) {
        return draw_on_picture(x, &scene, n, out, err);
    }
    status = sl_canvas_show(x->canvas, &scene, x->shown, n, &damage, err);
    if (status != SL_OK) {
        return status;
    }
    size_t boxes_n = 0;
    const sl_box *boxes = sl_canvas_damage(x->canvas, &boxes_n);
    sl_film_take(x->film, sl_canvas_pixels(x->canvas), boxes, boxes_n, x->is_709);
    return lay(x, x->film, out, err);
}

/* Along one axis: which even part of 0..size a view of `seen` from `from` on shows, and where. */
static bool cut(int64_t from, int64_t seen, int64_t size, int32_t part[2], int32_t target[2])
{
    int64_t begin = from < 0 ? 0 : from;
    int64_t end = from + seen > size ? size : from + seen;
    begin &= ~INT64_C(1);
    end &= ~INT64_C(1);
    if (end - begin < 2) {
        return false;
    }
    int64_t left = av_rescale(begin - from, size, seen) & ~INT64_C(1);
    int64_t right = av_rescale(end - from, size, seen) & ~INT64_C(1);
    left = left < 0 ? 0 : left;
    right = right > size ? size : right;
    part[0] = (int32_t)begin;
    part[1] = (int32_t)(end - begin);
    target[0] = (int32_t)left;
    target[1] = (int32_t)(right - left);
    return right - left >= 2;
}

/* What the view shows of the picture; the picture itself when that is all of it. */
static sl_status look_through(exporter *x, const sl_view *view, AVFrame **picture, sl_error **err)
{
    if (view->x == 0 && view->y == 0 && view->scale == SL_SCALE_ONE) {
        return SL_OK;
    }
    int64_t longer = x->width > x->height ? x->width : x->height;
    int64_t seen_w = av_rescale(x->width, SL_SCALE_ONE, view->scale);
    int64_t seen_h = av_rescale(x->height, SL_SCALE_ONE, view->scale);
    int32_t px[2];
    int32_t py[2];
    int32_t tx[2];
    int32_t ty[2];
    if (av_frame_make_writable(x->zoomed) < 0) {
        return sl_fail_nomem(err);
    }
    sl_picture_clear(x->zoomed);
    sl_status status = SL_OK;
    if (cut(av_rescale(view->x, longer, SL_UNITS), seen_w < 2 ? 2 : seen_w, x->width, px, tx) &&
        cut(av_rescale(view->y, longer, SL_UNITS), seen_h < 2 ? 2 : seen_h, x->height, py, ty)) {
        status = sl_picture_stretch(&x->zoom, *picture, (sl_part){px[0], py[0], px[1], py[1]},
                                    x->zoomed, (sl_part){tx[0], ty[0], tx[1], ty[1]}, err);
    }
    *picture = x->zoomed;
    return status;
}

/* The clip's picture, or what is made of it before anything is drawn. */
static sl_status find_ground(exporter *x, int64_t t_us, const sl_timeline_state_t *state,
                             sl_error **err)
{
    const AVFrame *frame = NULL;
    int64_t shown_us = 0;
    sl_status status = sl_frames_at(x->frames, state->position_us, &frame, &shown_us, err);
    if (status == SL_OK && shown_us != x->base_us) {
        status = sl_picture_convert(&x->scaler, frame, sl_frames_rotation(x->frames), false,
                                    x->base, err);
        x->base_us = shown_us;
    }
    x->ground = x->base;
    bool slow = state->playing && !state->frozen && state->rate < SL_RATE_ONE;
    if (status == SL_OK && slow && x->job->slow == SL_SLOW_MOTION) {
        status = sl_export_between(x, state->position_us, err);
    }
    return status == SL_OK ? sl_export_over(x, t_us, err) : status;
}

static sl_status one_picture(exporter *x, int64_t k, sl_error **err)
{
    int64_t t_us = av_rescale_q(k, av_inv_q(x->rate), AV_TIME_BASE_Q);
    sl_timeline_state_t state;
    sl_timeline_at(x->job->timeline, t_us, &state);
    AVFrame *picture = NULL;
    sl_status status = find_ground(x, t_us, &state, err);
    if (status == SL_OK) {
        status = draw(x, t_us, state.position_us, &picture, err);
    }
    if (status == SL_OK) {
        status = look_through(x, &state.view, &picture, err);
    }
    if (status == SL_OK) {
        status = sl_export_beside(x, t_us, &picture, err);
    }
    return status == SL_OK ? sl_movie_picture(x->movie, picture, err) : status;
}

/* Sound up to the end of picture k. */
static sl_status sound_until(exporter *x, int64_t k, sl_error **err)
{
    float block[2 * SL_MIX_BLOCK];
    int64_t until = k + 1 >= x->total ? x->sound_total
                                      : av_rescale_q(k + 1, av_inv_q(x->rate),
                                                     (AVRational){1, SL_MOVIE_SOUND_RATE});
    sl_status status = SL_OK;
    while (status == SL_OK && x->sound_made < until) {
        int64_t left = x->sound_total - x->sound_made;
        size_t n = left < SL_MIX_BLOCK ? (size_t)(left < 0 ? 0 : left) : SL_MIX_BLOCK;
        status = sl_mix_next(x->mix, block, err);
        if (status == SL_OK) {
            status = sl_movie_sound(x->movie, block, n, err);
        }
        x->sound_made += SL_MIX_BLOCK;
    }
    return status;
}

/* From picture *k on: a group of pictures copied, or one drawn. */
static sl_status next_pictures(exporter *x, int64_t *k, sl_error **err)
{
    const sl_splice_group *group = NULL;
    sl_status status = x->spliced ? sl_export_untouched(x, *k, &group, err) : SL_OK;
    if (status == SL_OK && group != NULL) {
        status = sl_export_copy(x, *k, group, err);
        *k += group->n;
    } else if (status == SL_OK) {
        status = one_picture(x, *k, err);
        (*k)++;
    }
    return status == SL_OK ? sound_until(x, *k - 1, err) : status;
}

static sl_status make(exporter *x, sl_error **err)
{
    const sl_export_job *job = x->job;
    for (int64_t k = 0; k < x->total;) {
        if (job->cancelled != NULL && job->cancelled(job->user)) {
            return sl_fail(err, SL_E_CANCELLED, "The export was cancelled");
        }
        sl_status status = next_pictures(x, &k, err);
        if (status != SL_OK) {
            return status;
        }
        if (job->progress != NULL) {
            job->progress(job->user, k, x->total);
        }
    }
    return sl_movie_finish(x->movie, err);
}

sl_status sl_export(const sl_export_job *job, sl_export_result *out, sl_error **err)
{
    *out = (sl_export_result){0};
    exporter x = {.job = job};
    char *temp = sl_text_fmt("%s.part", job->path);
    if (temp == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = open_all(&x, temp, err);
    if (status == SL_OK) {
        status = make(&x, err);
    }
    if (status == SL_OK) {
        out->frames = x.total;
        out->copied = x.copied;
        out->duration_us = sl_timeline_duration_us(job->timeline);
        (void)snprintf(out->encoder, sizeof out->encoder, "%s", sl_movie_encoder(x.movie));
    }
    close_all(&x);
    if (status == SL_OK && rename(temp, job->path) != 0) {
        status = sl_fail(err, SL_E_IO, "The movie could not be put in its place");
    }
    if (status != SL_OK && x.begun) {
        (void)remove(temp);
    }
    sl_mem_free(temp);
    return status;
}
