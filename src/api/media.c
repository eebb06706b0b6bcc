/*
 * api/media.c - sideline/media.h: each call checks and copies its arguments, starts a job, and
 * the job does the work with the public record and blob calls.
 */
#include "sideline/media.h"

#include "api/doc.h"
#include "api/inside.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "media/export.h"
#include "media/frame.h"
#include "media/probe.h"
#include "render/render.h"
#include "review/timeline.h"
#include "sideline/record.h"
#include "sideline/sync.h"

#include <string.h>

enum {
    COPY_STEP = 1024 * 1024,
    THUMBNAIL_US = 1000000, /* into the clip; early pictures are often black or shaky */
    RANDOM_LEN = 10
};

static const char space_prefix[] = "video:";

/* What a job was asked; the strings are its own. */
typedef struct request {
    char *subject; /* title, space or review */
    char *path;
    char *encoder; /* or NULL */
    int64_t t_us;
} request;

static void request_drop(void *arg)
{
    request *q = arg;
    if (q != NULL) {
        sl_mem_free(q->subject);
        sl_mem_free(q->path);
        sl_mem_free(q->encoder);
        sl_mem_free(q);
    }
}

static sl_status request_read(const sl_json *j, const char *subject, request *q, sl_error **err)
{
    const char *path = sl_json_str(j, "path");
    const char *what = sl_json_str(j, subject);
    if (path == NULL || path[0] == '\0') {
        return sl_fail_field(err, SL_E_INVALID, "path", "A path is needed");
    }
    if (what == NULL || what[0] == '\0') {
        return sl_fail_field(err, SL_E_INVALID, subject, "A %s is needed", subject);
    }
    q->path = sl_text_dup(path);
    q->subject = sl_text_dup(what);
    q->t_us = sl_json_int_or(j, "t_us", 0);
    const char *encoder = sl_json_str(j, "encoder");
    q->encoder = encoder != NULL ? sl_text_dup(encoder) : NULL;
    bool ok = q->path != NULL && q->subject != NULL && (encoder == NULL || q->encoder != NULL);
    return ok ? SL_OK : sl_fail_nomem(err);
}

/* The common beginning of the calls that start a job. */
static sl_status start(sl_core *core, const char *json, size_t n, const char *subject,
                       void (*run)(sl_job *job, void *arg), sl_id *op, sl_error **err)
{
    sl_json *j = NULL;
    sl_error_start(err);
    if (core == NULL || json == NULL || op == NULL) {
        return sl_fail(err, SL_E_MISUSE, "A core, a request and a place for the result are needed");
    }
    sl_status status = sl_json_read(json, n, &j, err);
    if (status != SL_OK) {
        return status;
    }
    request *q = sl_mem(sizeof *q);
    status = q == NULL ? sl_fail_nomem(err) : request_read(j, subject, q, err);
    sl_json_free(j);
    if (status != SL_OK) {
        request_drop(q);
        return status;
    }
    return sl_core_job(core, run, request_drop, q, op, err);
}

static void end(sl_job *job, sl_status status, sl_json *res, sl_error *err)
{
    if (status == SL_OK) {
        sl_job_done(job, res);
        return;
    }
    sl_json_free(res);
    if (err == NULL) {
        (void)sl_fail(&err, status, "The work on the video failed");
    }
    sl_job_fail(job, err);
}

sl_status sl_media_probe(const char *path, sl_bytes **out, sl_error **err)
{
    sl_probe probe;
    sl_error_start(err);
    if (path == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "A path and a place for the result are needed");
    }
    *out = NULL;
    sl_status status = sl_probe_file(path, &probe, err);
    if (status != SL_OK) {
        return status;
    }
    sl_json *j = sl_probe_json(&probe);
    *out = j != NULL ? sl_json_bytes(j) : NULL;
    sl_json_free(j);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

/* ---- import ---- */

/* Appends a file of the host's, in steps. */
static sl_status copy_steps(sl_job *job, void *from, sl_blob_out *to, int64_t size, sl_error **err)
{
    const sl_platform *p = sl_core_platform(sl_job_core(job));
    uint8_t *step = sl_mem(COPY_STEP);
    int64_t at = 0;
    sl_status status = step != NULL ? SL_OK : sl_fail_nomem(err);
    while (status == SL_OK && at < size) {
        if (sl_job_cancelled(job)) {
            status = sl_fail(err, SL_E_CANCELLED, "The import was cancelled");
            break;
        }
        int64_t n = p->files->read(p->user, from, step, COPY_STEP, at);
        if (n <= 0) {
            status = sl_fail(err, n < 0 ? (sl_status)n : SL_E_IO, "The video could not be read");
            break;
        }
        status = sl_blob_out_append(to, step, (size_t)n);
        if (status != SL_OK) {
            (void)sl_fail(err, status, "The video could not be copied");
        }
        at += n;
        sl_job_progress(job, at, size);
    }
    sl_mem_free(step);
    return status;
}

static sl_status copy_file(sl_job *job, const char *from, sl_core_blob *to, int64_t size,
                           sl_error **err)
{
    sl_core *core = sl_job_core(job);
    const sl_platform *p = sl_core_platform(core);
    void *file = NULL;
    sl_status status = p->files->open(p->user, from, SL_FILE_READ, &file);
    if (status != SL_OK) {
        return sl_fail(err, status, "The video could not be copied");
    }
    status = sl_core_blob_begin(core, to, err);
    if (status == SL_OK) {
        status = copy_steps(job, file, to->out, size, err);
    }
    p->files->close(p->user, file);
    return status;
}

static sl_status new_id(sl_core *core, char id[SL_UUID_LEN + 1], sl_error **err)
{
    const sl_platform *platform = sl_core_platform(core);
    uint8_t random[RANDOM_LEN];
    sl_status status = platform->random->fill(platform->user, random, sizeof random);
    if (status != SL_OK) {
        return sl_fail(err, status, "There are no random numbers");
    }
    sl_uuid7(id, platform->clock->wall_ms(platform->user), random);
    return SL_OK;
}

static sl_status add_thumbnail(sl_core *core, const char *space, const char *path, char hex[65],
                               sl_error **err)
{
    sl_frames *frames = NULL;
    sl_bytes *name = NULL;
    sl_buf jpeg = {0};
    sl_status status = sl_frames_open(SL_SOURCE_FILE(path), &frames, err);
    if (status == SL_OK) {
        status = sl_frames_thumbnail(frames, THUMBNAIL_US, &jpeg, err);
    }
    sl_frames_close(frames);
    if (status == SL_OK) {
        status = sl_blob_put(core, space, jpeg.data, jpeg.len, "image/jpeg", &name, err);
    }
    sl_buf_free(&jpeg);
    if (status != SL_OK) {
        return status;
    }
    size_t n = sl_bytes_len(name);
    n = n < 64 ? n : 64;
    memcpy(hex, sl_bytes_data(name), n);
    hex[n] = '\0';
    sl_bytes_release(name);
    return SL_OK;
}

typedef struct imported {
    sl_probe probe;
    char id[SL_UUID_LEN + 1];
    char space[sizeof space_prefix + SL_UUID_LEN];
    char blob[65];
    char thumb[65];
} imported;

static sl_json *video_fields(const imported *v, const char *title)
{
    sl_json *f = sl_json_object();
    bool ok = f != NULL && sl_json_set_str(f, "title", title) &&
              sl_json_set_str(f, "blob", v->blob) && sl_json_set_str(f, "thumb", v->thumb) &&
              sl_json_set_str(f, "media_type", v->probe.media_type) &&
              sl_json_set_int(f, "size", v->probe.size) &&
              sl_json_set_int(f, "duration_us", v->probe.duration_us) &&
              sl_json_set_int(f, "width", v->probe.width) &&
              sl_json_set_int(f, "height", v->probe.height) &&
              sl_json_set_int(f, "frame_num", v->probe.rate_num) &&
              sl_json_set_int(f, "frame_den", v->probe.rate_den);
    if (!ok) {
        sl_json_free(f);
        return NULL;
    }
    return f;
}

static sl_status create_video(sl_core *core, const imported *v, const char *title, sl_error **err)
{
    sl_json *ops = sl_json_array();
    sl_json *op = sl_json_object();
    sl_json *fields = video_fields(v, title);
    bool ok = ops != NULL && op != NULL && fields != NULL && sl_json_set_str(op, "op", "create") &&
              sl_json_set_str(op, "entity", "video") && sl_json_set_str(op, "space", v->space) &&
              sl_json_set_str(op, "id", v->id);
    if (ok) {
        ok = sl_json_set(op, "fields", fields);
        fields = NULL;
    }
    if (ok) {
        ok = sl_json_add(ops, op);
        op = NULL;
    }
    char *text = ok ? sl_json_print(ops) : NULL;
    sl_json_free(fields);
    sl_json_free(op);
    sl_json_free(ops);
    if (text == NULL) {
        return sl_fail_nomem(err);
    }
    sl_bytes *out = NULL;
    sl_status status = sl_apply(core, text, strlen(text), &out, err);
    sl_bytes_release(out);
    sl_mem_free(text);
    return status;
}

static sl_json *import_result(const imported *v)
{
    sl_json *res = sl_json_object();
    bool ok = res != NULL && sl_json_set_str(res, "id", v->id) &&
              sl_json_set_str(res, "space", v->space) && sl_json_set_str(res, "blob", v->blob) &&
              sl_json_set_int(res, "duration_us", v->probe.duration_us) &&
              sl_json_set_int(res, "width", v->probe.width) &&
              sl_json_set_int(res, "height", v->probe.height);
    if (!ok) {
        sl_json_free(res);
        return NULL;
    }
    return res;
}

static sl_status import_clip(sl_job *job, const request *q, imported *v, sl_error **err)
{
    sl_core *core = sl_job_core(job);
    sl_status status = sl_probe_file(q->path, &v->probe, err);
    if (status == SL_OK) {
        status = new_id(core, v->id, err);
    }
    if (status != SL_OK) {
        return status;
    }
    memcpy(v->space, space_prefix, sizeof space_prefix - 1);
    memcpy(v->space + sizeof space_prefix - 1, v->id, SL_UUID_LEN + 1);
    sl_core_blob clip = {.path = NULL};
    status = copy_file(job, q->path, &clip, v->probe.size, err);
    if (status == SL_OK) {
        status = add_thumbnail(core, v->space, q->path, v->thumb, err);
    }
    if (status == SL_OK) {
        status = sl_core_blob_end(core, &clip, v->space, v->probe.media_type, v->blob, err);
    }
    sl_core_blob_drop(core, &clip);
    return status == SL_OK ? create_video(core, v, q->subject, err) : status;
}

static void run_import(sl_job *job, void *arg)
{
    imported v = {0};
    sl_error *err = NULL;
    sl_json *res = NULL;
    sl_status status = import_clip(job, arg, &v, &err);
    if (status == SL_OK) {
        res = import_result(&v);
        status = res != NULL ? SL_OK : sl_fail_nomem(&err);
    }
    end(job, status, res, err);
}

sl_status sl_media_import(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    return start(core, json, n, "title", run_import, op, err);
}

/* ---- records ---- */

static sl_json *parse_bytes(sl_bytes *bytes)
{
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(bytes), sl_bytes_len(bytes));
    sl_bytes_release(bytes);
    return j;
}

static sl_status get_record(sl_core *core, const char *entity, const char *id, sl_json **out,
                            sl_error **err)
{
    sl_bytes *bytes = NULL;
    *out = NULL;
    sl_status status = sl_record_get(core, entity, id, &bytes, err);
    if (status != SL_OK) {
        return status;
    }
    *out = parse_bytes(bytes);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

/* The clip of a space, fetched when it is not here. */
static sl_status get_clip(sl_job *job, const char *space, sl_blob_in **clip, sl_error **err)
{
    sl_json *video = NULL;
    *clip = NULL;
    if (space == NULL || strncmp(space, space_prefix, sizeof space_prefix - 1) != 0) {
        return sl_fail_field(err, SL_E_INVALID, "space", "The space is not that of a video");
    }
    sl_status status =
        get_record(sl_job_core(job), "video", space + sizeof space_prefix - 1, &video, err);
    const char *blob = sl_json_str(video, "blob");
    if (status == SL_OK && blob == NULL) {
        status = sl_fail(err, SL_E_INVALID, "The video has no clip");
    }
    if (status == SL_OK) {
        status = sl_job_need_blob(job, blob, clip, err);
    }
    sl_json_free(video);
    return status;
}

static int64_t clip_read(void *user, void *dst, size_t n, int64_t at)
{
    return sl_blob_in_read(user, dst, n, at);
}

static sl_source clip_source(sl_blob_in *clip)
{
    return (sl_source){.read = clip_read, .user = clip, .size = sl_blob_in_size(clip)};
}

static sl_status get_blob(sl_job *job, const char *hex, sl_bytes **out, sl_error **err)
{
    sl_blob_in *in = NULL;
    *out = NULL;
    sl_status status = sl_job_need_blob(job, hex, &in, err);
    sl_blob_in_close(in);
    return status == SL_OK ? sl_blob_get(sl_job_core(job), hex, out, err) : status;
}

/* ---- still ---- */

/* Whole or not at all: beside its place, then into it. */
static sl_status write_file(sl_core *core, const char *path, const sl_buf *bytes, sl_error **err)
{
    const sl_platform *p = sl_core_platform(core);
    const sl_file_ops *ops = p->files;
    char *temp = sl_text_fmt("%s.part", path);
    if (temp == NULL) {
        return sl_fail_nomem(err);
    }
    void *file = NULL;
    sl_status status =
        ops->open(p->user, temp, SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_TRUNCATE, &file);
    if (status == SL_OK) {
        status = ops->write(p->user, file, bytes->data, bytes->len, 0);
        ops->close(p->user, file);
        status = status == SL_OK ? ops->rename(p->user, temp, path) : status;
        if (status != SL_OK) {
            (void)ops->remove(p->user, temp);
        }
    }
    sl_mem_free(temp);
    return status == SL_OK ? SL_OK : sl_fail(err, status, "The picture could not be written");
}

static sl_status draw_still(sl_core *core, const request *q, sl_frames *frames, sl_pixels *pixels,
                            sl_error **err)
{
    sl_doc *doc = NULL;
    sl_buf png = {0};
    sl_frames_size(frames, &pixels->width, &pixels->height);
    pixels->stride = pixels->width * 4;
    pixels->data = sl_mem_array((size_t)pixels->width * (size_t)pixels->height, 4);
    sl_status status = pixels->data == NULL ? sl_fail_nomem(err)
                                            : sl_frames_pixels(frames, q->t_us, pixels, NULL, err);
    if (status == SL_OK) {
        status = sl_doc_open(core, q->subject, &doc, err);
    }
    if (status == SL_OK) {
        status = sl_render_draw(doc, q->t_us, pixels, err);
    }
    sl_doc_close(doc);
    if (status == SL_OK) {
        status = sl_pixels_png(pixels, &png, err);
    }
    if (status == SL_OK) {
        status = write_file(core, q->path, &png, err);
    }
    sl_buf_free(&png);
    sl_mem_free(pixels->data);
    return status;
}

static void run_still(sl_job *job, void *arg)
{
    const request *q = arg;
    sl_error *err = NULL;
    sl_json *res = NULL;
    sl_blob_in *clip = NULL;
    sl_frames *frames = NULL;
    sl_pixels pixels = {.struct_size = sizeof pixels};
    sl_status status = get_clip(job, q->subject, &clip, &err);
    if (status == SL_OK) {
        sl_source source = clip_source(clip);
        status = sl_frames_open(&source, &frames, &err);
    }
    if (status == SL_OK) {
        status = draw_still(sl_job_core(job), q, frames, &pixels, &err);
    }
    sl_frames_close(frames);
    sl_blob_in_close(clip);
    if (status == SL_OK) {
        res = sl_json_object();
        bool ok = res != NULL && sl_json_set_str(res, "path", q->path) &&
                  sl_json_set_int(res, "width", pixels.width) &&
                  sl_json_set_int(res, "height", pixels.height);
        status = ok ? SL_OK : sl_fail_nomem(&err);
    }
    end(job, status, res, err);
}

sl_status sl_media_still(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    return start(core, json, n, "space", run_still, op, err);
}

/* ---- export ---- */

/* All that an export needs, gathered. */
typedef struct review {
    sl_blob_in *clip;
    sl_timeline *timeline;
    sl_bytes *voice;
    sl_drawing *drawing;
    const sl_item **items; /* of the drawing: those of no hidden layer */
    size_t items_n;
} review;

static void review_clear(review *r)
{
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
    sl_status status = get_record(sl_job_core(job), "voice_over", id, &voice, &why);
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

static sl_status get_review(sl_job *job, const char *id, review *r, sl_error **err)
{
    sl_json *j = NULL;
    sl_status status = get_record(sl_job_core(job), "review", id, &j, err);
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
        status = get_clip(job, space, &r->clip, err);
    }
    sl_json_free(j);
    return status;
}

static void export_progress(void *user, int64_t done, int64_t total)
{
    sl_job_progress(user, done, total);
}

static bool export_cancelled(void *user)
{
    return sl_job_cancelled(user);
}

static sl_json *export_result(const request *q, const sl_export_result *made)
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

static void run_export(sl_job *job, void *arg)
{
    const request *q = arg;
    sl_error *err = NULL;
    sl_json *res = NULL;
    review r = {0};
    sl_export_result made;
    sl_status status = get_review(job, q->subject, &r, &err);
    if (status == SL_OK) {
        sl_export_job work = {.source = clip_source(r.clip),
                              .voice = r.voice != NULL ? sl_bytes_data(r.voice) : NULL,
                              .voice_len = r.voice != NULL ? sl_bytes_len(r.voice) : 0,
                              .timeline = r.timeline,
                              .items = r.items,
                              .items_n = r.items_n,
                              .path = q->path,
                              .encoder = q->encoder,
                              .progress = export_progress,
                              .cancelled = export_cancelled,
                              .user = job};
        status = sl_export(&work, &made, &err);
    }
    review_clear(&r);
    if (status == SL_OK) {
        res = export_result(q, &made);
        status = res != NULL ? SL_OK : sl_fail_nomem(&err);
    }
    end(job, status, res, err);
}

sl_status sl_media_export(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    return start(core, json, n, "review", run_export, op, err);
}

bool sl_media_built(void)
{
    return true;
}
