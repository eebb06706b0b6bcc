/* sideline/media.h on a core that is offline: import, still, export. */
#include "sideline/media.h"

#include "base/json.h"
#include "clip.h"
#include "sideline/annotation.h"
#include "sideline/record.h"
#include "sideline/review.h"
#include "sideline/sync.h"
#include "sideline/voice.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

#define DRAWING                                                                                    \
    "{\"kind\":\"line\",\"points\":[[4096,16000],[28672,16000]],\"style\":{\"color\":\"#FF0000\"," \
    "\"opacity\":1,\"width\":2048},\"in\":0,\"out\":10000000}"

static char dir[CLIP_PATH_MAX];
static char data[CLIP_PATH_MAX];
static char clip[CLIP_PATH_MAX];
static sl_core *core;

static void set_up(void)
{
    clip_folder(dir);
    clip_join(data, dir, "data");
    clip_join(clip, dir, "clip.mp4");
    clip_make(clip, 60, 30, true);
    sl_config config = {.struct_size = sizeof config, .dir = data};
    ck_assert_int_eq(sl_core_open(&config, &core, NULL), SL_OK);
}

static void tear_down(void)
{
    char command[CLIP_PATH_MAX + 16];
    sl_core_close(core);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0); /* NOLINT: the path is this test's own */
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

static sl_json *parse(sl_bytes *bytes)
{
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(bytes), sl_bytes_len(bytes));
    ck_assert_ptr_nonnull(j);
    sl_bytes_release(bytes);
    return j;
}

/* Waits for the end of an operation; its event, and how many progress events came before. */
static sl_json *wait_for(sl_id op, int *progress)
{
    *progress = 0;
    for (;;) {
        sl_bytes *bytes = NULL;
        (void)sl_core_wait(core, 60000);
        ck_assert_int_eq(sl_core_poll(core, 1 << 20, &bytes, NULL), SL_OK);
        if (bytes == NULL) {
            continue;
        }
        sl_json *events = parse(bytes);
        sl_json *end = NULL;
        for (const sl_json *e = sl_json_first(events); e != NULL; e = sl_json_next(e)) {
            const char *kind = sl_json_str(e, "ev");
            if (sl_json_int_or(e, "op", 0) != (int64_t)op) {
                continue;
            }
            *progress += strcmp(kind, "progress") == 0 ? 1 : 0;
            end = strcmp(kind, "op") == 0 ? sl_json_clone(e) : end;
        }
        sl_json_free(events);
        if (end != NULL) {
            return end;
        }
    }
}

typedef sl_status (*job_call)(sl_core *c, const char *json, size_t n, sl_id *op, sl_error **err);

/* Runs one call to its end; its result, or NULL with *code. */
static sl_json *run(job_call call, const char *json, int64_t *code)
{
    sl_id op = 0;
    int progress = 0;
    ck_assert_int_eq(call(core, json, strlen(json), &op, NULL), SL_OK);
    sl_json *event = wait_for(op, &progress);
    *code = sl_json_int_or(event, "code", 0);
    sl_json *res =
        sl_json_bool_or(event, "ok", false) ? sl_json_clone(sl_json_get(event, "res")) : NULL;
    sl_json_free(event);
    return res;
}

static void import(char space[64], char id[64])
{
    char json[512];
    int64_t code = 0;
    (void)snprintf(json, sizeof json, "{\"path\":\"%s\",\"title\":\"A throw\"}", clip);
    sl_json *res = run(sl_media_import, json, &code);
    ck_assert_ptr_nonnull(res);
    ck_assert_int_eq(sl_json_int_or(res, "duration_us", 0), 2000000);
    ck_assert_int_eq(sl_json_int_or(res, "width", 0), CLIP_WIDTH);
    (void)snprintf(space, 64, "%s", sl_json_str(res, "space"));
    (void)snprintf(id, 64, "%s", sl_json_str(res, "id"));
    sl_json_free(res);
}

START_TEST(media__an_imported_clip_is_a_record_and_two_blobs)
{
    char space[64];
    char id[64];
    set_up();
    import(space, id);
    ck_assert_str_eq(space + 6, id);
    sl_bytes *bytes = NULL;
    ck_assert_int_eq(sl_record_get(core, "video", id, &bytes, NULL), SL_OK);
    sl_json *video = parse(bytes);
    ck_assert_str_eq(sl_json_str(video, "title"), "A throw");
    ck_assert_str_eq(sl_json_str(video, "space"), space);
    ck_assert_str_eq(sl_json_str(video, "media_type"), "video/mp4");
    ck_assert_int_eq(sl_json_int_or(video, "frame_num", 0), 30);
    sl_buf file = {0};
    ck_assert(clip_read(clip, &file));
    ck_assert_int_eq(sl_blob_get(core, sl_json_str(video, "blob"), &bytes, NULL), SL_OK);
    ck_assert_uint_eq(sl_bytes_len(bytes), file.len);
    ck_assert_mem_eq(sl_bytes_data(bytes), file.data, file.len);
    sl_bytes_release(bytes);
    ck_assert_int_eq(sl_blob_get(core, sl_json_str(video, "thumb"), &bytes, NULL), SL_OK);
    ck_assert_mem_eq(sl_bytes_data(bytes), "\xff\xd8\xff", 3);
    sl_bytes_release(bytes);
    sl_buf_free(&file);
    sl_json_free(video);
    tear_down();
}
END_TEST

START_TEST(media__what_cannot_be_imported_says_why)
{
    static const char text[] = "not a video at all, only text";
    char path[CLIP_PATH_MAX];
    char json[512];
    int64_t code = 0;
    sl_id op = 0;
    set_up();
    clip_join(path, dir, "text.mp4");
    ck_assert(clip_write(path, text, sizeof text));
    (void)snprintf(json, sizeof json, "{\"path\":\"%s\",\"title\":\"x\"}", path);
    ck_assert_ptr_null(run(sl_media_import, json, &code));
    ck_assert_int_eq(code, SL_E_INVALID);
    (void)snprintf(json, sizeof json, "{\"path\":\"%s/absent\",\"title\":\"x\"}", dir);
    ck_assert_ptr_null(run(sl_media_import, json, &code));
    ck_assert_int_eq(code, SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_media_import(core, "{\"path\":\"x\"}", 12, &op, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_media_import(core, "{", 1, &op, NULL), SL_E_INVALID);
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_media_probe(path, &out, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_media_probe(clip, &out, NULL), SL_OK);
    sl_bytes_release(out);
    tear_down();
}
END_TEST

static void add_drawing(const char *space, char id[64])
{
    sl_doc *doc = NULL;
    sl_bytes *bytes = NULL;
    ck_assert_int_eq(sl_doc_open(core, space, &doc, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_add(doc, DRAWING, strlen(DRAWING), &bytes, NULL), SL_OK);
    (void)snprintf(id, 64, "%s", (const char *)sl_bytes_data(bytes));
    sl_bytes_release(bytes);
    sl_doc_close(doc);
}

START_TEST(media__a_still_is_a_png_with_the_drawings)
{
    char space[64];
    char id[64];
    char mark[64];
    char path[CLIP_PATH_MAX];
    char json[512];
    int64_t code = 0;
    set_up();
    import(space, id);
    add_drawing(space, mark);
    clip_join(path, dir, "still.png");
    (void)snprintf(json, sizeof json, "{\"space\":\"%s\",\"t_us\":500000,\"path\":\"%s\"}", space,
                   path);
    sl_json *res = run(sl_media_still, json, &code);
    ck_assert_ptr_nonnull(res);
    ck_assert_int_eq(sl_json_int_or(res, "height", 0), CLIP_HEIGHT);
    sl_json_free(res);
    sl_buf png = {0};
    ck_assert(clip_read(path, &png));
    ck_assert_mem_eq(png.data, "\x89PNG", 4);
    sl_buf_free(&png);
    (void)snprintf(json, sizeof json, "{\"space\":\"video:none\",\"path\":\"%s\"}", path);
    ck_assert_ptr_null(run(sl_media_still, json, &code));
    ck_assert_int_lt(code, 0);
    tear_down();
}
END_TEST

/* A voice of one second in the space; its record's id. */
static void add_voice(const char *space, char id[64])
{
    static const float silence[48000];
    static const char settings[] = "{\"rate\":48000,\"channels\":1}";
    char ops[8192];
    sl_recorder *r = NULL;
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_recorder_new(core, settings, sizeof settings - 1, &r, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_write(r, silence, 48000, NULL), SL_OK);
    ck_assert_int_eq(sl_recorder_finish(r, space, 1, &out, NULL), SL_OK);
    sl_recorder_free(r);
    sl_json *voice = parse(out);
    (void)snprintf(ops, sizeof ops,
                   "[{\"op\":\"create\",\"entity\":\"voice_over\",\"space\":\"%s\",\"fields\":"
                   "{\"blob\":\"%s\",\"duration_us\":1000000,\"peaks\":\"%s\"}}]",
                   space, sl_json_str(voice, "blob"), sl_json_str(voice, "peaks"));
    sl_json_free(voice);
    ck_assert_int_eq(sl_apply(core, ops, strlen(ops), &out, NULL), SL_OK);
    sl_json *ids = parse(out);
    (void)snprintf(id, 64, "%s", sl_json_text(sl_json_at(sl_json_get(ids, "ids"), 0)));
    sl_json_free(ids);
}

static void add_review(const char *space, const char *mark, const char *voice, char id[64])
{
    char ops[1024];
    sl_timeline *t = NULL;
    sl_bytes *bytes = NULL;
    sl_bytes *sha = NULL;
    ck_assert_int_eq(sl_timeline_new(2000000, &t, NULL), SL_OK);
    ck_assert_int_eq(sl_timeline_add(t, "{\"t\":0,\"do\":\"play\"}", 19, NULL), SL_OK);
    (void)snprintf(ops, sizeof ops, "{\"t\":500000,\"do\":\"show\",\"item\":\"%s\"}", mark);
    ck_assert_int_eq(sl_timeline_add(t, ops, strlen(ops), NULL), SL_OK);
    ck_assert_int_eq(sl_timeline_end(t, 1000000, NULL), SL_OK);
    ck_assert_int_eq(sl_timeline_encode(t, &bytes, NULL), SL_OK);
    sl_timeline_free(t);
    ck_assert_int_eq(sl_blob_put(core, space, sl_bytes_data(bytes), sl_bytes_len(bytes),
                                 "application/octet-stream", &sha, NULL),
                     SL_OK);
    sl_bytes_release(bytes);
    (void)snprintf(
        ops, sizeof ops,
        "[{\"op\":\"create\",\"entity\":\"review\",\"space\":\"%s\",\"fields\":{\"title\":"
        "\"r\",\"timeline\":\"%.64s\",\"voice_over_id\":\"%s\",\"duration_us\":1000000}}]",
        space, (const char *)sl_bytes_data(sha), voice);
    sl_bytes_release(sha);
    ck_assert_int_eq(sl_apply(core, ops, strlen(ops), &bytes, NULL), SL_OK);
    sl_json *ids = parse(bytes);
    (void)snprintf(id, 64, "%s", sl_json_text(sl_json_at(sl_json_get(ids, "ids"), 0)));
    sl_json_free(ids);
}

START_TEST(media__a_review_becomes_a_movie)
{
    char space[64];
    char video[64];
    char mark[64];
    char voice[64];
    char review[64];
    char path[CLIP_PATH_MAX];
    char json[512];
    int64_t code = 0;
    set_up();
    import(space, video);
    add_drawing(space, mark);
    add_voice(space, voice);
    add_review(space, mark, voice, review);
    clip_join(path, dir, "review.mp4");
    (void)snprintf(json, sizeof json, "{\"review\":\"%s\",\"path\":\"%s\"}", review, path);
    sl_json *res = run(sl_media_export, json, &code);
    ck_assert_ptr_nonnull(res);
    ck_assert_int_eq(sl_json_int_or(res, "frames", 0), 30);
    ck_assert_int_eq(sl_json_int_or(res, "duration_us", 0), 1000000);
    ck_assert_ptr_nonnull(sl_json_str(res, "encoder"));
    sl_json_free(res);
    sl_frames *f = NULL;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(path), &f, NULL), SL_OK);
    for (int k = 0; k < 30; k += 7) {
        ck_assert_int_eq(sl_frames_pixels(f, ((int64_t)k * 1000000 + 15) / 30, &p, NULL, NULL),
                         SL_OK);
        ck_assert_int_eq(clip_number(&p), k);
        uint32_t v = 0;
        memcpy(&v, p.data + 160 * p.stride + 160 * 4, sizeof v);
        ck_assert_int_eq((v >> 16 & 255U) > 200, k >= 15);
    }
    sl_frames_close(f);
    clip_pixels_free(&p);
    (void)snprintf(json, sizeof json, "{\"review\":\"%s\",\"path\":\"%s\"}", video, path);
    ck_assert_ptr_null(run(sl_media_export, json, &code));
    ck_assert_int_eq(code, SL_E_NOT_FOUND);
    tear_down();
}
END_TEST

/* Frame k of a clip of 30 frames a second, as a viewer shows it. */
static void check_viewer(sl_viewer *v)
{
    int64_t shown_us = 0;
    int32_t width = 0;
    int32_t height = 0;
    int32_t whole = 0;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    sl_viewer_size(v, &width, &height);
    ck_assert_int_eq(width, CLIP_WIDTH);
    ck_assert_int_eq(height, CLIP_HEIGHT);
    ck_assert_int_eq(sl_viewer_frame(v, 1000001, &p, &shown_us, NULL), SL_OK);
    ck_assert_int_eq(clip_number(&p), 30);
    ck_assert_int_eq(shown_us, 1000000);
    ck_assert_int_eq(sl_viewer_step(v, 1, &p, NULL, NULL), SL_OK);
    ck_assert_int_eq(clip_number(&p), 31);
    for (int k = 30; k >= 27; k--) {
        ck_assert_int_eq(sl_viewer_step(v, -1, &p, &shown_us, NULL), SL_OK);
        ck_assert_int_eq(clip_number(&p), k);
    }
    int64_t until_us = 0;
    while (whole == 0) {
        ck_assert_int_eq(sl_viewer_prepare(v, &until_us, &whole, NULL), SL_OK);
    }
    ck_assert_int_gt(until_us, 1900000);
    ck_assert_int_eq(sl_viewer_scrub(v, 500001, &p, &shown_us, NULL), SL_OK);
    ck_assert_int_eq(clip_number(&p), 15);
    ck_assert_int_eq(shown_us, 500000);
    ck_assert_int_eq(sl_viewer_step(v, 0, &p, NULL, NULL), SL_E_MISUSE);
    sl_pixels *nowhere = NULL;
    ck_assert_int_eq(sl_viewer_frame(v, 0, nowhere, NULL, NULL), SL_E_MISUSE);
    p.stride = 4 * CLIP_WIDTH - 4;
    ck_assert_int_eq(sl_viewer_frame(v, 0, &p, NULL, NULL), SL_E_MISUSE);
    clip_pixels_free(&p);
}

START_TEST(media__a_viewer_shows_exact_frames_and_stills_of_a_file_and_of_a_video)
{
    char space[64];
    char id[64];
    sl_viewer *v = NULL;
    set_up();
    import(space, id);
    ck_assert_int_eq(sl_viewer_open(NULL, clip, &v, NULL), SL_OK);
    check_viewer(v);
    sl_viewer_close(v);
    ck_assert_int_eq(sl_viewer_open(core, space, &v, NULL), SL_OK);
    check_viewer(v);
    sl_viewer_close(v);
    ck_assert_int_eq(sl_viewer_open(core, "video:none", &v, NULL), SL_E_NOT_FOUND);
    ck_assert_ptr_null(v);
    ck_assert_int_eq(sl_viewer_open(NULL, data, &v, NULL), SL_E_IO);
    const char *nothing = NULL;
    ck_assert_int_eq(sl_viewer_open(NULL, nothing, &v, NULL), SL_E_MISUSE);
    sl_viewer_close(NULL);
    tear_down();
}
END_TEST

START_TEST(media__a_thumbnail_is_a_jpeg_and_a_sheet_has_an_index)
{
    char space[64];
    char id[64];
    char image[CLIP_PATH_MAX];
    char index[CLIP_PATH_MAX];
    char json[1024];
    int64_t code = 0;
    sl_bytes *jpeg = NULL;
    set_up();
    import(space, id);
    ck_assert_int_eq(sl_media_thumbnail(clip, 0, 100, &jpeg, NULL), SL_OK);
    ck_assert_mem_eq(sl_bytes_data(jpeg), "\xff\xd8\xff", 3);
    sl_bytes_release(jpeg);
    ck_assert_int_eq(sl_media_thumbnail(clip, 0, 1, &jpeg, NULL), SL_E_INVALID);
    ck_assert_ptr_null(jpeg);
    clip_join(image, dir, "sheet.jpg");
    clip_join(index, dir, "sheet.vtt");
    (void)snprintf(json, sizeof json,
                   "{\"space\":\"%s\",\"path\":\"%s\",\"index\":\"%s\",\"count\":4,\"side\":80}",
                   space, image, index);
    sl_json *res = run(sl_media_sheet, json, &code);
    ck_assert_ptr_nonnull(res);
    ck_assert_int_eq(sl_json_int_or(res, "columns", 0), 2);
    ck_assert_int_eq(sl_json_int_or(res, "width", 0), 80);
    ck_assert_uint_eq(sl_json_count(sl_json_get(res, "times")), 4);
    sl_json_free(res);
    sl_buf cues = {0};
    ck_assert(clip_read(index, &cues));
    ck_assert_ptr_nonnull(strstr(sl_buf_text(&cues), "\n00:00:01.500 --> 00:00:02.000\n"
                                                     "sheet.jpg#xywh=80,48,80,48\n"));
    sl_buf_free(&cues);
    (void)snprintf(json, sizeof json, "{\"space\":\"%s\",\"path\":\"%s\",\"count\":\"x\"}", space,
                   image);
    ck_assert_ptr_null(run(sl_media_sheet, json, &code));
    ck_assert_int_eq(code, SL_E_INVALID);
    tear_down();
}
END_TEST

/* A review of the first video that shows the second beside it, at half the speed. */
static void add_paired(const char *space, const char *second, char id[64])
{
    char ops[1024];
    sl_timeline *t = NULL;
    sl_bytes *bytes = NULL;
    sl_bytes *sha = NULL;
    ck_assert_int_eq(sl_timeline_new(2000000, &t, NULL), SL_OK);
    ck_assert_int_eq(sl_timeline_add(t, "{\"t\":0,\"do\":\"play\",\"rate\":0.5}", 30, NULL), SL_OK);
    (void)snprintf(ops, sizeof ops,
                   "{\"t\":0,\"do\":\"pair\",\"layout\":\"side\",\"video\":\"%s\",\"mark\":[0,"
                   "1000000],\"length\":2000000}",
                   second);
    ck_assert_int_eq(sl_timeline_add(t, ops, strlen(ops), NULL), SL_OK);
    ck_assert_int_eq(sl_timeline_end(t, 500000, NULL), SL_OK);
    ck_assert_int_eq(sl_timeline_encode(t, &bytes, NULL), SL_OK);
    sl_timeline_free(t);
    ck_assert_int_eq(sl_blob_put(core, space, sl_bytes_data(bytes), sl_bytes_len(bytes),
                                 "application/octet-stream", &sha, NULL),
                     SL_OK);
    sl_bytes_release(bytes);
    (void)snprintf(
        ops, sizeof ops,
        "[{\"op\":\"create\",\"entity\":\"review\",\"space\":\"%s\",\"fields\":{\"title\":"
        "\"r\",\"timeline\":\"%.64s\",\"duration_us\":500000}}]",
        space, (const char *)sl_bytes_data(sha));
    sl_bytes_release(sha);
    ck_assert_int_eq(sl_apply(core, ops, strlen(ops), &bytes, NULL), SL_OK);
    sl_json *ids = parse(bytes);
    (void)snprintf(id, 64, "%s", sl_json_text(sl_json_at(sl_json_get(ids, "ids"), 0)));
    sl_json_free(ids);
}

START_TEST(media__an_export_shows_the_second_video_in_slow_motion_and_at_the_size_asked_for)
{
    char space[64];
    char video[64];
    char other[64];
    char none[64];
    char review[64];
    char path[CLIP_PATH_MAX];
    char json[512];
    int64_t code = 0;
    set_up();
    import(none, other);
    import(space, video);
    add_paired(space, other, review);
    clip_join(path, dir, "pair.mp4");
    (void)snprintf(json, sizeof json,
                   "{\"review\":\"%s\",\"path\":\"%s\",\"slow\":\"motion\",\"width\":640,"
                   "\"height\":192}",
                   review, path);
    sl_json *res = run(sl_media_export, json, &code);
    ck_assert_ptr_nonnull(res);
    sl_json_free(res);
    sl_frames *f = NULL;
    sl_pixels p = clip_pixels(640, 192);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(path), &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_pixels(f, 400001, &p, NULL, NULL), SL_OK);
    sl_pixels right = p;
    right.width = 320;
    right.data += 4 * (ptrdiff_t)320;
    ck_assert_int_eq(clip_number(&right), 36); /* 1 s and half of 0.4 s */
    sl_frames_close(f);
    clip_pixels_free(&p);
    (void)snprintf(json, sizeof json, "{\"review\":\"%s\",\"path\":\"%s\",\"slow\":\"no\"}", review,
                   path);
    ck_assert_ptr_null(run(sl_media_export, json, &code));
    ck_assert_int_eq(code, SL_E_INVALID);
    tear_down();
}
END_TEST

START_TEST(media__closing_the_core_ends_an_export)
{
    char space[64];
    char id[64];
    char json[512];
    sl_id op = 0;
    set_up();
    import(space, id);
    (void)snprintf(json, sizeof json, "{\"path\":\"%s\",\"title\":\"again\"}", clip);
    ck_assert_int_eq(sl_media_import(core, json, strlen(json), &op, NULL), SL_OK);
    ck_assert_int_eq(sl_media_import(core, json, strlen(json), &op, NULL), SL_OK);
    tear_down();
}
END_TEST

SL_TEST_MAIN("media", media__an_imported_clip_is_a_record_and_two_blobs,
             media__what_cannot_be_imported_says_why, media__a_still_is_a_png_with_the_drawings,
             media__a_review_becomes_a_movie,
             media__a_viewer_shows_exact_frames_and_stills_of_a_file_and_of_a_video,
             media__a_thumbnail_is_a_jpeg_and_a_sheet_has_an_index,
             media__an_export_shows_the_second_video_in_slow_motion_and_at_the_size_asked_for,
             media__closing_the_core_ends_an_export)
