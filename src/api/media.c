/*
 * api/media.c - sideline/media.h: each call checks and copies its arguments, starts a job, and
 * the job does the work with the public record and blob calls.
 */
#include "sideline/media.h"

#include "api/doc.h"
#include "api/media.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "media/frame.h"
#include "media/probe.h"
#include "media/thumb.h"
#include "render/render.h"
#include "sideline/record.h"
#include "sideline/sync.h"

#include <string.h>

enum {
    COPY_STEP = 1024 * 1024,
    THUMBNAIL_US = 1000000, /* into the clip; early pictures are often black or shaky */
    RANDOM_LEN = 10
};

static const char space_prefix[] = "video:";

static void request_drop(void *arg)
{
    sl_media_request *q = arg;
    if (q != NULL) {
        sl_mem_free(q->subject);
        sl_mem_free(q->path);
        sl_json_free(q->options);
        sl_mem_free(q);
    }
}

static sl_status request_read(const char *subject, sl_media_request *q, sl_error **err)
{
    const char *path = sl_json_str(q->options, "path");
    const char *what = sl_json_str(q->options, subject);
    if (path == NULL || path[0] == '\0') {
        return sl_fail_field(err, SL_E_INVALID, "path", "A path is needed");
    }
    if (what == NULL || what[0] == '\0') {
        return sl_fail_field(err, SL_E_INVALID, subject, "A %s is needed", subject);
    }
    q->path = sl_text_dup(path);
    q->subject = sl_text_dup(what);
    return q->path != NULL && q->subject != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_media_start(sl_core *core, const char *json, size_t n, const char *subject,
                         void (*run)(sl_job *job, void *arg), sl_id *op, sl_error **err)
{
    sl_error_start(err);
    if (core == NULL || json == NULL || op == NULL) {
        return sl_fail(err, SL_E_MISUSE, "A core, a request and a place for the result are needed");
    }
    sl_media_request *q = sl_mem(sizeof *q);
    if (q == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_json_read(json, n, &q->options, err);
    status = status == SL_OK ? request_read(subject, q, err) : status;
    if (status != SL_OK) {
        request_drop(q);
        return status;
    }
    return sl_core_job(core, run, request_drop, q, op, err);
}

void sl_media_end(sl_job *job, sl_status status, sl_json *res, sl_error *err)
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

sl_status sl_media_number(const sl_media_request *q, const char *name, int32_t *out, sl_error **err)
{
    *out = 0;
    if (sl_json_get(q->options, name) == NULL) {
        return SL_OK;
    }
    int64_t v = sl_json_int_or(q->options, name, -1);
    if (v < 0 || v > INT32_MAX) {
        return sl_fail_field(err, SL_E_INVALID, name, "\"%s\" is to be a whole number", name);
    }
    *out = (int32_t)v;
    return SL_OK;
}

void sl_media_progress(void *job, int64_t done, int64_t total)
{
    sl_job_progress(job, done, total);
}

bool sl_media_cancelled(void *job)
{
    return sl_job_cancelled(job);
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
    sl_bytes *name = NULL;
    sl_buf jpeg = {0};
    sl_thumb made;
    sl_status status =
        sl_thumb_make(SL_SOURCE_FILE(path), THUMBNAIL_US, SL_THUMB_SIDE, &jpeg, &made, err);
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

static sl_status import_clip(sl_job *job, const sl_media_request *q, imported *v, sl_error **err)
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
    sl_media_end(job, status, res, err);
}

sl_status sl_media_import(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    return sl_media_start(core, json, n, "title", run_import, op, err);
}

/* ---- records ---- */

static sl_json *parse_bytes(sl_bytes *bytes)
{
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(bytes), sl_bytes_len(bytes));
    sl_bytes_release(bytes);
    return j;
}

sl_status sl_media_record(sl_core *core, const char *entity, const char *id, sl_json **out,
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

sl_status sl_media_clip_name(sl_core *core, const char *space, char **hex, sl_error **err)
{
    sl_json *video = NULL;
    *hex = NULL;
    if (space == NULL || strncmp(space, space_prefix, sizeof space_prefix - 1) != 0) {
        return sl_fail_field(err, SL_E_INVALID, "space", "The space is not that of a video");
    }
    sl_status status = sl_media_record(core, "video", space + sizeof space_prefix - 1, &video, err);
    const char *blob = sl_json_str(video, "blob");
    if (status == SL_OK && blob == NULL) {
        status = sl_fail(err, SL_E_INVALID, "The video has no clip");
    }
    if (status == SL_OK) {
        *hex = sl_text_dup(blob);
        status = *hex != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(video);
    return status;
}

sl_status sl_media_clip(sl_job *job, const char *space, sl_blob_in **clip, sl_error **err)
{
    char *hex = NULL;
    *clip = NULL;
    sl_status status = sl_media_clip_name(sl_job_core(job), space, &hex, err);
    if (status == SL_OK) {
        status = sl_job_need_blob(job, hex, clip, err);
    }
    sl_mem_free(hex);
    return status;
}

static int64_t clip_read(void *user, void *dst, size_t n, int64_t at)
{
    return sl_blob_in_read(user, dst, n, at);
}

sl_source sl_media_source(sl_blob_in *clip)
{
    return (sl_source){.read = clip_read, .user = clip, .size = sl_blob_in_size(clip)};
}

/* ---- still ---- */

/* Beside its place, then into it. */
sl_status sl_media_write(sl_core *core, const char *path, const sl_buf *bytes, sl_error **err)
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

static sl_status draw_still(sl_core *core, const sl_media_request *q, sl_frames *frames,
                            sl_pixels *pixels, sl_error **err)
{
    int64_t t_us = sl_json_int_or(q->options, "t_us", 0);
    sl_doc *doc = NULL;
    sl_buf png = {0};
    sl_frames_size(frames, &pixels->width, &pixels->height);
    pixels->stride = pixels->width * 4;
    pixels->data = sl_mem_array((size_t)pixels->width * (size_t)pixels->height, 4);
    sl_status status = pixels->data == NULL ? sl_fail_nomem(err)
                                            : sl_frames_pixels(frames, t_us, pixels, NULL, err);
    if (status == SL_OK) {
        status = sl_doc_open(core, q->subject, &doc, err);
    }
    if (status == SL_OK) {
        status = sl_render_draw(doc, t_us, pixels, err);
    }
    sl_doc_close(doc);
    if (status == SL_OK) {
        status = sl_pixels_png(pixels, &png, err);
    }
    if (status == SL_OK) {
        status = sl_media_write(core, q->path, &png, err);
    }
    sl_buf_free(&png);
    sl_mem_free(pixels->data);
    return status;
}

static void run_still(sl_job *job, void *arg)
{
    const sl_media_request *q = arg;
    sl_error *err = NULL;
    sl_json *res = NULL;
    sl_blob_in *clip = NULL;
    sl_frames *frames = NULL;
    sl_pixels pixels = {.struct_size = sizeof pixels};
    sl_status status = sl_media_clip(job, q->subject, &clip, &err);
    if (status == SL_OK) {
        sl_source source = sl_media_source(clip);
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
    sl_media_end(job, status, res, err);
}

sl_status sl_media_still(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    return sl_media_start(core, json, n, "space", run_still, op, err);
}

/* ---- thumbnail, sheet ---- */

sl_status sl_media_thumbnail(const char *path, int64_t t_us, int32_t side, sl_bytes **out,
                             sl_error **err)
{
    sl_buf jpeg = {0};
    sl_thumb made;
    sl_error_start(err);
    if (path == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "A path and a place for the result are needed");
    }
    *out = NULL;
    sl_status status = sl_thumb_make(SL_SOURCE_FILE(path), t_us, side, &jpeg, &made, err);
    if (status != SL_OK) {
        sl_buf_free(&jpeg);
        return status;
    }
    *out = sl_buf_bytes(&jpeg);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

static sl_json *sheet_times(const sl_sheet *s)
{
    sl_json *times = sl_json_array();
    bool ok = times != NULL;
    for (int32_t i = 0; ok && i < s->count; i++) {
        ok = sl_json_add_num(times, (double)s->shown_us[i]);
    }
    if (!ok) {
        sl_json_free(times);
        return NULL;
    }
    return times;
}

static sl_json *sheet_result(const sl_media_request *q, const sl_sheet *s)
{
    sl_json *res = sl_json_object();
    sl_json *times = sheet_times(s);
    const char *index = sl_json_str(q->options, "index");
    bool ok = res != NULL && times != NULL && sl_json_set_str(res, "path", q->path) &&
              (index == NULL || sl_json_set_str(res, "index", index)) &&
              sl_json_set_int(res, "count", s->count) &&
              sl_json_set_int(res, "columns", s->columns) &&
              sl_json_set_int(res, "rows", s->rows) && sl_json_set_int(res, "width", s->width) &&
              sl_json_set_int(res, "height", s->height) &&
              sl_json_set_int(res, "duration_us", s->duration_us);
    if (ok) {
        ok = sl_json_set(res, "times", times);
        times = NULL;
    }
    sl_json_free(times);
    if (!ok) {
        sl_json_free(res);
        return NULL;
    }
    return res;
}

static sl_status sheet_options(sl_core *core, const sl_media_request *q, sl_sheet_job *work,
                               sl_error **err)
{
    sl_json *video = NULL;
    sl_status status = sl_media_number(q, "count", &work->count, err);
    if (status == SL_OK) {
        status = sl_media_number(q, "side", &work->side, err);
    }
    if (status == SL_OK) {
        status = sl_media_number(q, "columns", &work->columns, err);
    }
    if (status == SL_OK) { /* that the space is a video's was seen before */
        status = sl_media_record(core, "video", q->subject + sizeof space_prefix - 1, &video, err);
    }
    work->duration_us = sl_json_int_or(video, "duration_us", 0);
    sl_json_free(video);
    return status;
}

/* The picture's name without folders, as the index beside it says it. */
static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static sl_status make_sheet(sl_job *job, const sl_media_request *q, sl_blob_in *clip,
                            sl_sheet *sheet, sl_error **err)
{
    sl_core *core = sl_job_core(job);
    const char *index = sl_json_str(q->options, "index");
    sl_buf jpeg = {0};
    sl_buf cues = {0};
    sl_sheet_job work = {.source = sl_media_source(clip),
                         .progress = sl_media_progress,
                         .cancelled = sl_media_cancelled,
                         .user = job};
    sl_status status = sheet_options(core, q, &work, err);
    if (status == SL_OK) {
        status = sl_sheet_make(&work, &jpeg, sheet, err);
    }
    if (status == SL_OK) {
        status = sl_media_write(core, q->path, &jpeg, err);
    }
    if (status == SL_OK && index != NULL) {
        sl_sheet_vtt(sheet, file_name(q->path), &cues);
        status = cues.failed ? sl_fail_nomem(err) : sl_media_write(core, index, &cues, err);
    }
    sl_buf_free(&jpeg);
    sl_buf_free(&cues);
    return status;
}

static void run_sheet(sl_job *job, void *arg)
{
    const sl_media_request *q = arg;
    sl_error *err = NULL;
    sl_json *res = NULL;
    sl_blob_in *clip = NULL;
    sl_sheet *sheet = sl_mem(sizeof *sheet);
    if (sheet == NULL) {
        (void)sl_fail_nomem(&err);
        sl_media_end(job, SL_E_NOMEM, NULL, err);
        return;
    }
    sl_status status = sl_media_clip(job, q->subject, &clip, &err);
    if (status == SL_OK) {
        status = make_sheet(job, q, clip, sheet, &err);
    }
    if (status == SL_OK) {
        res = sheet_result(q, sheet);
        status = res != NULL ? SL_OK : sl_fail_nomem(&err);
    }
    sl_blob_in_close(clip);
    sl_mem_free(sheet);
    sl_media_end(job, status, res, err);
}

sl_status sl_media_sheet(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    return sl_media_start(core, json, n, "space", run_sheet, op, err);
}

bool sl_media_built(void)
{
    return true;
}
