/* The work on videos: its steps, what survives a kill, and who may stream what. */
#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "service/media.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char CLIP[] = "0123456789abcdef";
static const char INDEX[] =
    "{\"parts\":[[4000000,100,300],[2500000,400,50]],\"codecs\":\"avc1.640028,mp4a.40.2\","
    "\"size\":450,\"head\":100,\"peak\":9000,\"mean\":6000}";
static const char DB[] = "media.db";

typedef struct scene {
    world *w;
    person owner;
    person coach;
    char thread[SL_SPACE_MAX];
    char space[SL_SPACE_MAX];
} scene;

static void remove_db(void)
{
    (void)unlink(DB);
    (void)unlink("media.db-wal");
    (void)unlink("media.db-shm");
}

static void reopen(scene *s)
{
    frames_clear(s->w);
    world_reopen(s->w);
    person_connect(s->w, &s->owner);
    person_connect(s->w, &s->coach);
}

/* A video whose bytes are here. */
static void set(scene *s)
{
    memset(s, 0, sizeof *s);
    remove_db();
    s->w = world_new_at(DB);
    s->w->media = true;
    world_reopen(s->w);
    person_make(s->w, &s->owner, "owner@x.y", "athlete", 1);
    person_make(s->w, &s->coach, "coach@x.y", "coach", 2);
    befriend(s->w, &s->owner, &s->coach, s->thread);
    video_make(s->w, &s->owner, s->space, 0x100, CLIP);
    ck_assert_int_eq(upload(s->w, &s->owner, s->space, CLIP), 204);
}

static void end(scene *s)
{
    world_free(s->w);
    remove_db();
}

static bool next(scene *s, sl_media_job *job)
{
    bool any = false;
    int64_t wait_ms = 0;
    sl_mem_free(job->path);
    ck_assert_int_eq(sl_service_media_next(s->w->s, job, &any, &wait_ms, NULL), SL_OK);
    return any;
}

/* A file in the world's disk. */
static void make_file(scene *s, const char *path, const char *bytes)
{
    void *file = NULL;
    const sl_file_ops *f = s->w->platform.files;
    ck_assert_int_eq(f->open(s->w, path, SL_FILE_WRITE | SL_FILE_CREATE, &file), SL_OK);
    ck_assert_int_eq(f->write(s->w, file, bytes, strlen(bytes), 0), SL_OK);
    f->close(s->w, file);
}

static void add(scene *s, sl_media_result *r, const char *name, const char *path)
{
    sl_media_made *m = &r->made[r->made_n++];
    bool still = strcmp(name, "poster") == 0;
    make_file(s, path, path);
    (void)snprintf(m->name, sizeof m->name, "%s", name);
    m->path = path;
    m->media_type = still ? "image/jpeg" : "video/mp4";
    m->width = 640;
    m->height = 480;
    m->bitrate = 9000;
    m->index = still ? NULL : INDEX;
}

static sl_media_result result_of(scene *s, sl_media_step step)
{
    sl_media_result r = {.outcome = SL_MEDIA_PASSED};
    if (step == SL_MEDIA_FIRST) {
        add(s, &r, "poster", "data/media/poster.jpg");
        add(s, &r, "1080", "data/media/1080.mp4");
    } else if (step == SL_MEDIA_REST) {
        add(s, &r, "720", "data/media/720.mp4");
    }
    return r;
}

static sl_status pass(scene *s, const sl_media_job *job)
{
    sl_media_result r = result_of(s, job->step);
    return sl_service_media_done(s->w->s, job, &r, NULL);
}

/* Field of the video, and how many variants there are, as the owner's device is told. */
static const char *told(scene *s, const char *field, size_t *variants)
{
    static char text[320];
    text[0] = 0;
    *variants = 0;
    frames_clear(s->w);
    subscribe(s->w, &s->owner, s->space, 0, "");
    const sl_json *records = sl_json_get(frame_at(s->w, s->owner.conn, "page", 0), "records");
    for (const sl_json *r = sl_json_first(records); r != NULL; r = sl_json_next(r)) {
        const char *value = sl_json_str(sl_json_get(r, "fields"), field);
        if (strcmp(sl_json_str(r, "entity"), "video") == 0 && value != NULL) {
            (void)snprintf(text, sizeof text, "%s", value);
        }
        *variants += strcmp(sl_json_str(r, "entity"), "variant") == 0 ? 1 : 0;
    }
    return text;
}

static void must_be(scene *s, const char *status, size_t variants)
{
    size_t n = 0;
    ck_assert_str_eq(told(s, "status", &n), status);
    ck_assert_uint_eq(n, variants);
}

START_TEST(media__a_video_goes_through_all_steps_and_its_people_are_told)
{
    static const struct {
        sl_media_step step;
        const char *before;
        size_t variants;
    } steps[] = {{SL_MEDIA_CHECK, "processing", 0},
                 {SL_MEDIA_SCAN, "processing", 0},
                 {SL_MEDIA_FIRST, "processing", 0},
                 {SL_MEDIA_REST, "ready", 2}};
    scene s;
    sl_media_job job = {.path = NULL};
    set(&s);
    ck_assert_uint_eq(s.w->wakes, 1);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        must_be(&s, steps[i].before, steps[i].variants);
        s.w->now_ms++;
        ck_assert(next(&s, &job));
        ck_assert_int_eq(job.step, steps[i].step);
        ck_assert_str_eq(job.space, s.space);
        ck_assert_ptr_nonnull(file_find(s.w, job.path));
        ck_assert_int_eq(pass(&s, &job), SL_OK);
    }
    must_be(&s, "ready", 3);
    ck_assert(!next(&s, &job));
    sl_mem_free(job.path);
    end(&s);
}
END_TEST

START_TEST(media__a_kill_at_any_step_has_the_step_done_again_and_nothing_twice)
{
    scene s;
    sl_media_job job = {.path = NULL};
    set(&s);
    for (int step = SL_MEDIA_CHECK; step <= SL_MEDIA_REST; step++) {
        /* Before it began; when its files were made; and in the middle of the transaction. */
        for (uint64_t fail = 0; fail < 40; fail++) {
            reopen(&s);
            s.w->now_ms++;
            ck_assert(next(&s, &job));
            ck_assert_int_eq((int)job.step, step);
            sl_media_result r = result_of(&s, job.step);
            if (fail % 4 == 0) {
                continue;
            }
            s.w->db_fault = SL_E_IO;
            s.w->db_fail_at = fail;
            sl_status status = sl_service_media_done(s.w->s, &job, &r, NULL);
            s.w->db_fail_at = 0;
            if (status == SL_OK) {
                break; /* it had fewer calls of the database */
            }
        }
    }
    must_be(&s, "ready", 3);
    ck_assert(!next(&s, &job));
    sl_mem_free(job.path);
    end(&s);
}
END_TEST

START_TEST(media__what_is_no_video_fails_with_the_reason)
{
    scene s;
    size_t n = 0;
    sl_media_job job = {.path = NULL};
    sl_media_result r = {.outcome = SL_MEDIA_REFUSED, .why = "The video is cut off or damaged"};
    set(&s);
    ck_assert(next(&s, &job));
    ck_assert_int_eq(sl_service_media_done(s.w->s, &job, &r, NULL), SL_OK);
    must_be(&s, "failed", 0);
    ck_assert_str_eq(told(&s, "problem", &n), "The video is cut off or damaged");
    ck_assert(!next(&s, &job));
    sl_mem_free(job.path);
    end(&s);
}
END_TEST

START_TEST(media__a_worker_that_dies_is_tried_three_times_and_a_full_disk_without_end)
{
    scene s;
    sl_media_job job = {.path = NULL};
    sl_media_result later = {.outcome = SL_MEDIA_LATER};
    sl_media_result broke = {.outcome = SL_MEDIA_BROKE};
    set(&s);
    for (int i = 0; i < 20; i++) {
        ck_assert(next(&s, &job));
        ck_assert_int_eq(sl_service_media_done(s.w->s, &job, &later, NULL), SL_OK);
        ck_assert(!next(&s, &job)); /* not at once */
        s.w->now_ms += 60 * 1000;
    }
    for (int i = 0; i < SL_MEDIA_TRIES; i++) {
        must_be(&s, "processing", 0);
        ck_assert(next(&s, &job));
        ck_assert_int_eq(sl_service_media_done(s.w->s, &job, &broke, NULL), SL_OK);
    }
    must_be(&s, "failed", 0);
    sl_mem_free(job.path);
    end(&s);
}
END_TEST

START_TEST(media__a_video_that_can_be_watched_stays_so_when_the_rest_fails)
{
    scene s;
    sl_media_job job = {.path = NULL};
    sl_media_result r = {.outcome = SL_MEDIA_REFUSED, .why = "no"};
    set(&s);
    for (int i = 0; i < 3; i++) {
        ck_assert(next(&s, &job));
        ck_assert_int_eq(pass(&s, &job), SL_OK);
    }
    s.w->now_ms++;
    ck_assert(next(&s, &job));
    ck_assert_int_eq(sl_service_media_done(s.w->s, &job, &r, NULL), SL_OK);
    must_be(&s, "ready", 2);
    ck_assert(!next(&s, &job));
    sl_mem_free(job.path);
    end(&s);
}
END_TEST

START_TEST(media__a_deleted_video_is_worked_on_no_more)
{
    scene s;
    sl_media_job job = {.path = NULL};
    set(&s);
    ck_assert(next(&s, &job));
    must(op(s.w, &s.owner, "delete", "video", s.space, sl_space_id(s.space), NULL), "applied");
    ck_assert_int_eq(pass(&s, &job), SL_OK);
    ck_assert(!next(&s, &job));
    sl_mem_free(job.path);
    end(&s);
}
END_TEST

/* Whether the blob of what make_file wrote there has a file on the world's disk. */
static bool is_kept(scene *s, const char *bytes)
{
    char hex[SL_SHA256_HEX_LEN + 1];
    char path[128];
    sl_sha256 *h = sl_sha256_new();
    ck_assert_ptr_nonnull(h);
    sl_sha256_update(h, bytes, strlen(bytes));
    sl_sha256_final_hex(h, hex);
    sl_sha256_free(h);
    (void)snprintf(path, sizeof path, "data/blobs/%.2s/%s", hex, hex);
    return s->w->platform.files->exists(s->w, path) == 1;
}

START_TEST(media__what_a_deleted_video_would_have_had_leaves_no_file)
{
    for (int deleted = 0; deleted < 2; deleted++) {
        scene s;
        sl_media_job job = {.path = NULL};
        set(&s);
        for (ck_assert(next(&s, &job)); job.step != SL_MEDIA_FIRST; ck_assert(next(&s, &job))) {
            ck_assert_int_eq(pass(&s, &job), SL_OK);
            s.w->now_ms++;
        }
        if (deleted == 1) {
            must(op(s.w, &s.owner, "delete", "video", s.space, sl_space_id(s.space), NULL),
                 "applied");
        }
        ck_assert_int_eq(pass(&s, &job), SL_OK);
        ck_assert(is_kept(&s, "data/media/poster.jpg") == (deleted == 0));
        ck_assert(is_kept(&s, "data/media/1080.mp4") == (deleted == 0));
        sl_mem_free(job.path);
        end(&s);
    }
}
END_TEST

/* ---- streams ---- */

static void make_all(scene *s)
{
    sl_media_job job = {.path = NULL};
    set(s);
    for (int i = SL_MEDIA_CHECK; i <= SL_MEDIA_REST; i++) {
        s->w->now_ms++;
        ck_assert(next(s, &job));
        ck_assert_int_eq(pass(s, &job), SL_OK);
    }
    sl_mem_free(job.path);
}

static answer get(scene *s, const person *p, const char *what)
{
    char path[128];
    (void)snprintf(path, sizeof path, "/api/v1/videos/%s/%s", sl_space_id(s->space), what);
    return signed_request(s->w, p, "GET", path, "", NULL, 0);
}

static int32_t status_of(scene *s, const person *p, const char *what)
{
    answer a = get(s, p, what);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

static const char *no_header(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

/* The body of an answer that is no JSON, as text. */
static void raw(scene *s, const char *url, int32_t status, char *text, size_t room)
{
    static const char *none = "";
    char path[256];
    const char *query = strchr(url, '?');
    sl_http_out out;
    (void)snprintf(path, sizeof path, "%.*s",
                   (int)(query != NULL ? (size_t)(query - url) : strlen(url)), url);
    sl_http_in in = {.method = "GET",
                     .path = path,
                     .query = query != NULL ? query + 1 : none,
                     .header = no_header,
                     .body = NULL};
    sl_service_http(s->w->s, &in, &out);
    ck_assert_int_eq(out.status, status);
    text[0] = 0;
    if (out.body != NULL) {
        size_t n = sl_bytes_len(out.body);
        ck_assert_uint_lt(n, room);
        memcpy(text, sl_bytes_data(out.body), n);
        text[n] = 0;
    }
    sl_http_out_free(&out);
}

static void playback_url(scene *s, const person *p, char url[400])
{
    answer a = get(s, p, "playback");
    ck_assert_int_eq(a.status, 200);
    (void)snprintf(url, 400, "%s", sl_json_str(a.body, "url"));
    ck_assert_int_eq(sl_json_int_or(a.body, "expires_ms", 0),
                     (s->w->now_ms / 1000 + 6 * 3600) * 1000);
    answer_free(&a);
}

/* The address that a playlist's line names, beside the playlist's own. */
static void beside(const char *base, const char *text, const char *name, char url[400])
{
    const char *at = strstr(text, name);
    ck_assert_ptr_nonnull(at);
    const char *slash = strstr(base, "master.m3u8");
    ck_assert_ptr_nonnull(slash);
    (void)snprintf(url, 400, "%.*s%.*s", (int)(slash - base), base, (int)strcspn(at, "\"\n"), at);
}

START_TEST(stream__a_signed_address_leads_to_all_playlists_and_files)
{
    static char text[8192];
    char url[400];
    char rung[400];
    char file[400];
    scene s;
    make_all(&s);
    playback_url(&s, &s.owner, url);
    raw(&s, url, 200, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "#EXT-X-STREAM-INF:BANDWIDTH=9000,AVERAGE-BANDWIDTH=6000,"
                                       "RESOLUTION=640x480,CODECS=\"avc1.640028,mp4a.40.2\"\n"));
    ck_assert_ptr_nonnull(strstr(text, "1080.m3u8?u="));
    beside(url, text, "720.m3u8?", rung);
    raw(&s, rung, 200, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "#EXT-X-TARGETDURATION:4\n"));
    ck_assert_ptr_nonnull(strstr(text, ",BYTERANGE=\"100@0\"\n"));
    ck_assert_ptr_nonnull(strstr(text, "#EXTINF:2.500000,\n#EXT-X-BYTERANGE:50@400\n720.mp4?"));
    beside(url, text, "720.mp4?", file);
    raw(&s, file, 200, text, sizeof text);
    end(&s);
}
END_TEST

START_TEST(stream__an_address_that_was_changed_or_is_old_opens_nothing)
{
    static char text[8192];
    char url[400];
    char bad[400];
    scene s;
    make_all(&s);
    playback_url(&s, &s.owner, url);
    for (size_t i = strcspn(url, "?") + 3; i < strlen(url); i += 7) {
        memcpy(bad, url, sizeof bad);
        bad[i] = (char)(bad[i] == '1' ? '2' : '1');
        raw(&s, bad, strstr(bad, "s=") != NULL ? 403 : 401, text, sizeof text);
    }
    s.w->now_ms += (int64_t)(6 * 3600 - 1) * 1000;
    raw(&s, url, 200, text, sizeof text);
    s.w->now_ms += 1000;
    raw(&s, url, 403, text, sizeof text);
    end(&s);
}
END_TEST

START_TEST(stream__is_for_those_who_hold_the_video_and_ends_with_that)
{
    static char text[8192];
    char url[400];
    scene s;
    make_all(&s);
    ck_assert_int_eq(status_of(&s, &s.coach, "master.m3u8"), 404);
    share_with(s.w, &s.owner, &s.coach, s.space, "coach", 0x200);
    ck_assert_int_eq(status_of(&s, &s.coach, "master.m3u8"), 200);
    ck_assert_int_eq(status_of(&s, &s.coach, "720.mp4"), 200);
    ck_assert_int_eq(status_of(&s, &s.coach, "poster.jpg"), 200);
    ck_assert_int_eq(status_of(&s, &s.coach, "poster.mp4"), 404);
    ck_assert_int_eq(status_of(&s, &s.coach, "480.mp4"), 404);
    playback_url(&s, &s.coach, url);
    raw(&s, url, 200, text, sizeof text);
    char id[SL_UUID_LEN + 1];
    uuid_of(id, 0x200);
    must(op(s.w, &s.owner, "delete", "share", s.space, id, NULL), "applied");
    raw(&s, url, 404, text, sizeof text);
    end(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        media__a_video_goes_through_all_steps_and_its_people_are_told,
        media__a_kill_at_any_step_has_the_step_done_again_and_nothing_twice,
        media__what_is_no_video_fails_with_the_reason,
        media__a_worker_that_dies_is_tried_three_times_and_a_full_disk_without_end,
        media__a_video_that_can_be_watched_stays_so_when_the_rest_fails,
        media__a_deleted_video_is_worked_on_no_more,
        media__what_a_deleted_video_would_have_had_leaves_no_file,
        stream__a_signed_address_leads_to_all_playlists_and_files,
        stream__an_address_that_was_changed_or_is_old_opens_nothing,
        stream__is_for_those_who_hold_the_video_and_ends_with_that,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("media", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
