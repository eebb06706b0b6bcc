/* api/viewer.c - sl_viewer: looking at a clip, frame by frame and while a finger moves. */
#include "api/media.h"
#include "base/mem.h"
#include "media/frame.h"
#include "media/scrub.h"
#include "render/render.h"
#include "sideline/media.h"

struct sl_viewer {
    char *path;            /* of a file, or NULL */
    sl_blob_in *clip;      /* of a core's video: for frames ... */
    sl_blob_in *for_scrub; /* ... and for the thread that makes the stills */
    sl_frames *frames;
    sl_scrub *scrub; /* NULL until it is wanted */
};

static sl_status open_file(sl_viewer *v, const char *path, sl_error **err)
{
    v->path = sl_text_dup(path);
    return v->path == NULL ? sl_fail_nomem(err)
                           : sl_frames_open(SL_SOURCE_FILE(v->path), &v->frames, err);
}

static sl_status open_video(sl_viewer *v, sl_core *core, const char *space, sl_error **err)
{
    char *hex = NULL;
    sl_status status = sl_media_clip_name(core, space, &hex, err);
    if (status == SL_OK) {
        status = sl_core_blob_open(core, hex, &v->clip, err);
    }
    if (status == SL_OK) {
        status = sl_core_blob_open(core, hex, &v->for_scrub, err);
    }
    sl_mem_free(hex);
    if (status == SL_OK) {
        sl_source source = sl_media_source(v->clip);
        status = sl_frames_open(&source, &v->frames, err);
    }
    return status;
}

static void drop(sl_viewer *v)
{
    sl_scrub_close(v->scrub);
    sl_frames_close(v->frames);
    sl_blob_in_close(v->clip);
    sl_blob_in_close(v->for_scrub);
    sl_mem_free(v->path);
    sl_mem_free(v);
}

sl_status sl_viewer_open(sl_core *core, const char *what, sl_viewer **out, sl_error **err)
{
    sl_error_start(err);
    if (what == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_viewer_open needs a clip and a result");
    }
    *out = NULL;
    sl_viewer *v = sl_mem(sizeof *v);
    if (v == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = core == NULL ? open_file(v, what, err) : open_video(v, core, what, err);
    if (status != SL_OK) {
        drop(v);
        return status;
    }
    sl_live_add(1);
    *out = v;
    return SL_OK;
}

void sl_viewer_close(sl_viewer *v)
{
    if (v != NULL) {
        drop(v);
        sl_live_add(-1);
    }
}

void sl_viewer_size(const sl_viewer *v, int32_t *width, int32_t *height)
{
    if (v != NULL && width != NULL && height != NULL) {
        sl_frames_size(v->frames, width, height);
    }
}

static sl_status check(const sl_viewer *v, const sl_pixels *into, sl_error **err)
{
    sl_error_start(err);
    if (v == NULL || into == NULL || into->data == NULL || into->struct_size < sizeof *into) {
        return sl_fail(err, SL_E_MISUSE, "A viewer and pixels to fill are needed");
    }
    if (into->width < 1 || into->height < 1 || into->width > SL_PIXELS_SIDE_MAX ||
        into->height > SL_PIXELS_SIDE_MAX || into->stride / 4 < into->width) {
        return sl_fail(err, SL_E_MISUSE, "The pixels are to be 1 to %d by 1 to %d",
                       SL_PIXELS_SIDE_MAX, SL_PIXELS_SIDE_MAX);
    }
    return SL_OK;
}

sl_status sl_viewer_frame(sl_viewer *v, int64_t t_us, const sl_pixels *into, int64_t *shown_us,
                          sl_error **err)
{
    sl_status status = check(v, into, err);
    return status == SL_OK ? sl_frames_pixels(v->frames, t_us, into, shown_us, err) : status;
}

sl_status sl_viewer_step(sl_viewer *v, int32_t by, const sl_pixels *into, int64_t *shown_us,
                         sl_error **err)
{
    const struct AVFrame *frame = NULL;
    int64_t at_us = 0;
    sl_status status = check(v, into, err);
    if (status == SL_OK && by != 1 && by != -1) {
        status = sl_fail(err, SL_E_MISUSE, "A step is 1 or -1");
    }
    if (status == SL_OK) {
        status = sl_frames_step(v->frames, by, &frame, &at_us, err);
    }
    return status == SL_OK ? sl_frames_pixels(v->frames, at_us, into, shown_us, err) : status;
}

static sl_status begin_scrub(sl_viewer *v, sl_error **err)
{
    if (v->scrub != NULL) {
        return SL_OK;
    }
    sl_source source = v->path != NULL ? *SL_SOURCE_FILE(v->path) : sl_media_source(v->for_scrub);
    return sl_scrub_open(&source, 0, &v->scrub, err);
}

sl_status sl_viewer_prepare(sl_viewer *v, int64_t *until_us, int32_t *whole, sl_error **err)
{
    sl_error_start(err);
    if (v == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_viewer_prepare needs a viewer");
    }
    sl_status status = begin_scrub(v, err);
    if (status == SL_OK) {
        bool all = false;
        int64_t until = sl_scrub_until_us(v->scrub, &all);
        if (until_us != NULL) {
            *until_us = until;
        }
        if (whole != NULL) {
            *whole = all ? 1 : 0;
        }
    }
    return status;
}

sl_status sl_viewer_scrub(sl_viewer *v, int64_t t_us, const sl_pixels *into, int64_t *shown_us,
                          sl_error **err)
{
    sl_status status = check(v, into, err);
    if (status == SL_OK) {
        status = begin_scrub(v, err);
    }
    return status == SL_OK ? sl_scrub_pixels(v->scrub, t_us, into, shown_us, err) : status;
}
