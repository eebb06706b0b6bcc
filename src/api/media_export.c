/* api/media_export.c - a review as a movie: gathers all that belongs to it, then media/export.h. */
#include "sideline/media.h"

#include "api/doc.h"
#include "api/media.h"
#include "base/mem.h"
#include "media/export.h"
#include "review/timeline.h"
#include "sideline/record.h"
#include "sideline/sync.h"

#include <string.h>

static sl_status get_blob(sl_job *job, const char *hex, sl_bytes **out, sl_error **err)
{
    sl_blob_in *in = NULL;
    *out = NULL;
    sl_status status = sl_job_need_blob(job, hex, &in, err);
    sl_blob_in_close(in);
    return status == SL_OK ? sl_blob_get(sl_job_core(job), hex, out, err) : status;
}

/* All that an export needs, gathered. */
typedef struct review {
    sl_blob_in *clip;
    sl_timeline *timeline;
    sl_bytes *voice;
    sl_drawing *drawing;
    const sl_item **items; /* of the drawing: those of no hidden layer */
    size_t items_n;
    sl_export_second *seconds; /* videos that are shown with the clip, ... */
    sl_blob_in **second_clips; /* ... and what they are read from */
    size_t seconds_n;
} review;

static void review_clear(review *r)
{
    for (size_t i = 0; i < r->seconds_n; i++) {
        sl_blob_in_close(r->second_clips[i]);
    }
    sl_mem_free(r->seconds);
    sl_mem_free(r->second_clips);
    sl_mem_free(r->items);
    sl_drawing_free(r->drawing);
    sl_timeline_drop(r->timeline);
    sl_bytes_release(r->voice);
    sl_blob_in_close(r->clip);
}

/* The drawings of the space that are to be seen: what a hidden layer hides is not in a film either. */
static sl_status get_items(sl_core *core, const char *space, review *r, sl_error **err)
{
    r->drawing = sl_drawing_new(1, 1); /* nothing of it is asked that its size matters for */
    if (r->drawing == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_drawing_load(core, space, r->drawing, err);
    if (status != SL_OK) {
        return status;
    }
    r->items = sl_mem_array(sl_drawing_count(r->drawing) + 1, sizeof(const sl_item *));
    if (r->items == NULL) {
        return sl_fail_nomem(err);
    }
    r->items_n = sl_drawing_shown(r->drawing, r->items);
    return SL_OK;
}

static sl_status get_timeline(sl_job *job, const char *hex, review *r, sl_error **err)
{
    sl_bytes *bytes = NULL;
    if (hex == NULL) {
        return sl_fail(err, SL_E_INVALID, "The review has no timeline");
    }
    sl_status status = get_blob(job, hex, &bytes, err);
    if (status == SL_OK) {
        status = sl_timeline_read(sl_bytes_data(bytes), sl_bytes_len(bytes), &r->timeline, err);
    }
    sl_bytes_release(bytes);
    return status;
}

/* A review without a voice, or whose voice was deleted, is silent. */
static sl_status get_voice(sl_job *job, const char *id, review *r, sl_error **err)
{
    sl_json *voice = NULL;
    if (id == NULL) {
        return SL_OK;
    }
    sl_error *why = NULL;
    sl_status status = sl_media_record(sl_job_core(job), "voice_over", id, &voice, &why);
    if (status != SL_OK) {
        status = status == SL_E_NOT_FOUND
                     ? SL_OK
                     : sl_fail(err, status, "The voice of the review could not be read");
        sl_error_release(why);
        return status;
    }
    const char *blob = sl_json_str(voice, "blob");
    status = blob != NULL ? get_blob(job, blob, &r->voice, err) : SL_OK;
    sl_json_free(voice);
    return status;
}

static bool has_second(const review *r, const char *video)
{
    for (size_t i = 0; i < r->seconds_n; i++) {
        if (strcmp(r->seconds[i].video, video) == 0) {
            return true;
        }
    }
    return false;
}

/* One that is not shared with this user, or was deleted, is left out. */
static sl_status get_second(sl_job *job, const char *video, review *r, sl_error **err)
{
    sl_error *why = NULL;
    sl_blob_in *clip = NULL;
    char *space = sl_text_fmt("video:%s", video);
    sl_status status = space != NULL ? sl_media_clip(job, space, &clip, &why) : SL_E_NOMEM;
    sl_mem_free(space);
    if (status == SL_OK) {
        r->second_clips[r->seconds_n] = clip;
        r->seconds[r->seconds_n++] =
            (sl_export_second){.video = video, .source = sl_media_source(clip)};
    } else if (status != SL_E_NOT_FOUND) {
        status = sl_fail(err, status, "The second video of the review could not be read");
    } else {
        status = SL_OK;
    }
    sl_error_release(why);
    return status;
}

static sl_status get_seconds(sl_job *job, review *r, sl_error **err)
{
    size_t n = 0;
    while (sl_timeline_pair(r->timeline, n) != NULL) {
        n++;
    }
    r->seconds = sl_mem_array(n + 1, sizeof *r->seconds);
    r->second_clips = sl_mem_array(n + 1, sizeof(sl_blob_in *));
    if (r->seconds == NULL || r->second_clips == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < n; i++) {
        const sl_pair *p = sl_timeline_pair(r->timeline, i);
        if (p->layout != SL_LAYOUT_SINGLE && !has_second(r, p->video)) {
            status = get_second(job, p->video, r, err);
        }
    }
    return status;
}

static sl_status get_review(sl_job *job, const char *id, review *r, sl_error **err)
{
    sl_json *j = NULL;
    sl_status status = sl_media_record(sl_job_core(job), "review", id, &j, err);
    const char *space = sl_json_str(j, "space");
    if (status == SL_OK) {
        status = get_timeline(job, sl_json_str(j, "timeline"), r, err);
    }
    if (status == SL_OK) {
        status = get_voice(job, sl_json_str(j, "voice_over_id"), r, err);
    }
    if (status == SL_OK) {
        status = get_items(sl_job_core(job), space, r, err);
    }
    if (status == SL_OK) {
        status = sl_media_clip(job, space, &r->clip, err);
    }
    if (status == SL_OK) {
        status = get_seconds(job, r, err);
    }
    sl_json_free(j);
    return status;
}

static sl_json *export_result(const sl_media_request *q, const sl_export_result *made)
{
    sl_json *res = sl_json_object();
    bool ok = res != NULL && sl_json_set_str(res, "path", q->path) &&
              sl_json_set_int(res, "frames", made->frames) &&
              sl_json_set_int(res, "copied", made->copied) &&
              sl_json_set_int(res, "duration_us", made->duration_us) &&
              sl_json_set_str(res, "encoder", made->encoder);
    if (!ok) {
        sl_json_free(res);
        return NULL;
    }
    return res;
}

static sl_status export_options(const sl_media_request *q, sl_export_job *work, sl_error **err)
{
    const char *slow = sl_json_str(q->options, "slow");
    work->path = q->path;
    work->encoder = sl_json_str(q->options, "encoder");
    if (slow != NULL && strcmp(slow, "motion") == 0) {
        work->slow = SL_SLOW_MOTION;
    } else if (slow != NULL && strcmp(slow, "repeat") != 0) {
        return sl_fail_field(err, SL_E_INVALID, "slow",
                             "Slow motion is \"repeat\" or \"motion\", not \"%s\"", slow);
    }
    sl_status status = sl_media_number(q, "width", &work->width, err);
    return status == SL_OK ? sl_media_number(q, "height", &work->height, err) : status;
}

static void run_export(sl_job *job, void *arg)
{
    const sl_media_request *q = arg;
    sl_error *err = NULL;
    sl_json *res = NULL;
    review r = {0};
    sl_export_result made;
    sl_export_job work = {
        .progress = sl_media_progress, .cancelled = sl_media_cancelled, .user = job};
    sl_status status = export_options(q, &work, &err);
    if (status == SL_OK) {
        status = get_review(job, q->subject, &r, &err);
    }
    if (status == SL_OK) {
        work.source = sl_media_source(r.clip);
        work.seconds = r.seconds;
        work.seconds_n = r.seconds_n;
        work.voice = r.voice != NULL ? sl_bytes_data(r.voice) : NULL;
        work.voice_len = r.voice != NULL ? sl_bytes_len(r.voice) : 0;
        work.timeline = r.timeline;
        work.items = r.items;
        work.items_n = r.items_n;
        status = sl_export(&work, &made, &err);
    }
    review_clear(&r);
    if (status == SL_OK) {
        res = export_result(q, &made);
        status = res != NULL ? SL_OK : sl_fail_nomem(&err);
    }
    sl_media_end(job, status, res, err);
}

sl_status sl_media_export(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    return sl_media_start(core, json, n, "review", run_export, op, err);
}
