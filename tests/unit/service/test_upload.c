#include "base/base64.h"
#include "base/mem.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/clip.h"

#include <stdio.h>
#include <string.h>

static answer get(const scene *s, const person *p, const char *headers)
{
    return signed_request(s->w, p, "GET", s->blob, headers, NULL, 0);
}

START_TEST(upload__resumes_where_it_stopped_and_makes_the_video_ready)
{
    scene s;
    char location[128];
    clip_scene(&s);
    ck_assert_str_eq(video_status(&s), "uploading");
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 0);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 0, CLIP, 5), 204);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 5);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 4, CLIP + 4, 5), 409);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 6, CLIP + 6, 5), 409);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 5);
    ck_assert_int_eq(get_status(&s, &s.owner), 404);
    subscribe(s.w, &s.owner, s.space, 0, "");
    frames_clear(s.w);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 5, CLIP + 5, 11), 204);
    const sl_json *record = sl_json_get(frame_at(s.w, s.owner.conn, "change", 0), "record");
    ck_assert_str_eq(sl_json_str(sl_json_get(record, "fields"), "status"), "ready");
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 16);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 16, "", 0), 204);
    ck_assert_int_eq(get_status(&s, &s.owner), 200);
    world_free(s.w);
}
END_TEST

START_TEST(upload__keeps_the_part_that_came_before_a_cut)
{
    scene s;
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    s.w->cut = true;
    (void)upload_patch(s.w, &s.owner, location, 0, CLIP, 3);
    s.w->cut = false;
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 3);
    char path[128];
    (void)snprintf(path, sizeof path, "data/uploads/%s", strrchr(location, '/') + 1);
    mem_file *f = file_find(s.w, path);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->syncs, 1);
    ck_assert_uint_eq(f->size, 3);
    world_free(s.w);
}
END_TEST

START_TEST(upload__many_at_once_in_parts_are_each_checked_whole)
{
    enum {
        MANY = SL_SV_DIGESTS + 4,
        EVERY = 7
    };
    scene s;
    static char locations[MANY][128];
    clip_scene(&s);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, locations[i]), 201);
    }
    for (int i = 0; i < MANY; i++) { /* more than whose hashes are kept: the first are read again */
        const char *part = i % EVERY == 0 ? "X123" : CLIP;
        ck_assert_int_eq(upload_patch(s.w, &s.owner, locations[i], 0, part, 4), 204);
    }
    for (int i = 0; i < MANY; i++) {
        int32_t want = i % EVERY == 0 ? 460 : 204;
        ck_assert_int_eq(upload_patch(s.w, &s.owner, locations[i], 4, CLIP + 4, 12), want);
    }
    ck_assert_int_eq(get_status(&s, &s.owner), 200);
    world_free(s.w);
}
END_TEST

START_TEST(upload__bytes_with_another_hash_are_thrown_away)
{
    scene s;
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 0, "0123456789abcdeX", 16), 460);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), -1);
    ck_assert_int_eq(get_status(&s, &s.owner), 404);
    ck_assert_str_eq(video_status(&s), "uploading");
    for (size_t i = 0; i < WORLD_FILES; i++) {
        ck_assert_ptr_null(s.w->files[i].path);
    }
    world_free(s.w);
}
END_TEST

START_TEST(upload__refuses_what_breaks_the_protocol)
{
    scene s;
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 1000001, location), 413);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 0, location), 422);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, -1, location), 400);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, "abc", 16, location), 422);
    ck_assert_int_eq(upload_create(s.w, &s.owner, "video:1", s.sha, 16, location), 422);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 0, "0123456789abcdefg", 17), 413);
    answer a = signed_request(s.w, &s.owner, "PATCH", location,
                              "tus-resumable: 1.0.0\ncontent-type: text/plain\n"
                              "upload-offset: 0\n",
                              CLIP, 4);
    ck_assert_int_eq(a.status, 415);
    answer_free(&a);
    char headers[200];
    (void)snprintf(headers, sizeof headers, "tus-resumable: 0.2.2\n%supload-offset: 0\n", TYPE);
    a = signed_request(s.w, &s.owner, "PATCH", location, headers, CLIP, 4);
    ck_assert_int_eq(a.status, 412);
    ck_assert_str_eq(answer_header(&a, "Tus-Version"), "1.0.0");
    answer_free(&a);
    static const char *const bad[] = {"-1", "x", "1e3", "99999999999999999999", " 0", "0x0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(headers, sizeof headers, "tus-resumable: 1.0.0\n%supload-offset: %s\n", TYPE,
                       bad[i]);
        a = signed_request(s.w, &s.owner, "PATCH", location, headers, CLIP, 4);
        ck_assert_int_eq(a.status, 400);
        answer_free(&a);
    }
    a = request(s.w, "POST", "/api/v1/uploads", "tus-resumable: 1.0.0\n", NULL, 0);
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    a = request(s.w, "OPTIONS", "/api/v1/uploads", "", NULL, 0);
    ck_assert_int_eq(a.status, 204);
    ck_assert_str_eq(answer_header(&a, "Tus-Max-Size"), "1000000");
    answer_free(&a);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 0);
    world_free(s.w);
}
END_TEST

START_TEST(upload__of_another_is_not_there)
{
    scene s;
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    ck_assert_int_eq(head_offset(&s, &s.stranger, location), -1);
    ck_assert_int_eq(upload_patch(s.w, &s.stranger, location, 0, CLIP, 16), 404);
    answer a =
        signed_request(s.w, &s.stranger, "DELETE", location, "tus-resumable: 1.0.0\n", NULL, 0);
    ck_assert_int_eq(a.status, 404);
    answer_free(&a);
    ck_assert_int_eq(upload_create(s.w, &s.stranger, s.space, s.sha, 16, location), 404);
    world_free(s.w);
}
END_TEST

START_TEST(upload__can_be_ended)
{
    scene s;
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 0, CLIP, 5), 204);
    answer a = signed_request(s.w, &s.owner, "DELETE", location, "tus-resumable: 1.0.0\n", NULL, 0);
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), -1);
    ck_assert_ptr_null(s.w->files[0].path);
    world_free(s.w);
}
END_TEST

START_TEST(upload__with_too_many_unfinished_says_when_to_come_again)
{
    scene s;
    clip_scene(&s);
    (void)world_rows(
        s.w, NULL,
        "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM i WHERE n<256)"
        " INSERT INTO upload (id, user_id, length, at, sha256, space, type, expires_ms)"
        " SELECT n, $1, 9, 0, n, $2, 'video/mp4', 9e15 FROM i",
        s.owner.id, s.space);
    char headers[300];
    sl_buf b = {0};
    sl_base64(&b, s.sha, strlen(s.sha));
    (void)snprintf(headers, sizeof headers,
                   "tus-resumable: 1.0.0\nupload-length: 16\nupload-metadata: sha256 %s",
                   sl_buf_text(&b));
    sl_buf_clear(&b);
    sl_base64(&b, s.space, strlen(s.space));
    size_t n = strlen(headers);
    (void)snprintf(headers + n, sizeof headers - n, ",space %s\n", sl_buf_text(&b));
    sl_buf_free(&b);
    answer a = signed_request(s.w, &s.owner, "POST", "/api/v1/uploads", headers, NULL, 0);
    char *text = sl_json_print(a.body);
    ck_assert_int_eq(a.status, 429);
    ck_assert_str_eq(text, "{\"error\":\"rate_limit_exceeded\",\"retry_after\":60}");
    ck_assert_str_eq(answer_header(&a, "Retry-After"), "60");
    sl_mem_free(text);
    answer_free(&a);
    world_free(s.w);
}
END_TEST

START_TEST(upload__a_full_disk_keeps_the_offset)
{
    scene s;
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 0, CLIP, 5), 204);
    s.w->file_fault = SL_E_FULL;
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 5, CLIP + 5, 11), 503);
    s.w->file_fault = SL_OK;
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 5);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 5, CLIP + 5, 11), 204);
    world_free(s.w);
}
END_TEST

START_TEST(upload__whose_row_was_lost_after_the_move_is_completed_by_the_last_part)
{
    scene s;
    char location[128];
    char from[128];
    char to[128];
    void *file = NULL;
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 0, CLIP, 5), 204);
    (void)snprintf(from, sizeof from, "data/uploads/%s", strrchr(location, '/') + 1);
    (void)snprintf(to, sizeof to, "data/blobs/%.2s/%s", s.sha, s.sha);
    const sl_file_ops *files = s.w->platform.files;
    ck_assert_int_eq(files->open(s.w, from, SL_FILE_WRITE, &file), SL_OK);
    ck_assert_int_eq(files->write(s.w, file, CLIP + 5, 11, 5), SL_OK);
    ck_assert_int_eq(files->rename(s.w, from, to), SL_OK);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 5, CLIP + 5, 11), 204);
    ck_assert_int_eq(get_status(&s, &s.owner), 200);
    world_free(s.w);
}
END_TEST

START_TEST(upload__bytes_one_may_read_are_born_complete_and_others_are_not)
{
    scene s;
    char location[128];
    char other[SL_SPACE_MAX];
    char foreign[SL_SPACE_MAX];
    clip_scene(&s);
    ck_assert_int_eq(upload(s.w, &s.owner, s.space, CLIP), 204);
    video_make(s.w, &s.owner, other, 0x200, CLIP);
    subscribe(s.w, &s.owner, other, 0, "");
    ck_assert_int_eq(upload_create(s.w, &s.owner, other, s.sha, 16, location), 201);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 16);
    video_make(s.w, &s.stranger, foreign, 0x300, CLIP);
    ck_assert_int_eq(get_status(&s, &s.stranger), 404);
    ck_assert_int_eq(upload_create(s.w, &s.stranger, foreign, s.sha, 16, location), 201);
    ck_assert_int_eq(head_offset(&s, &s.stranger, location), 0);
    ck_assert_int_eq(get_status(&s, &s.stranger), 404);
    ck_assert_int_eq(upload_patch(s.w, &s.stranger, location, 0, CLIP, 16), 204);
    ck_assert_int_eq(get_status(&s, &s.stranger), 200);
    world_free(s.w);
}
END_TEST

/* ---- a body that comes in pieces ---- */

typedef struct stream {
    const person *who;
    const char *sum; /* Upload-Checksum, or NULL */
    int64_t at;
    char text[2100];
    sl_inflow *flow;
} stream;

static const char *stream_header(void *ctx, const char *name)
{
    stream *st = ctx;
    const char *value = strcmp(name, "authorization") == 0     ? st->who->access
                        : strcmp(name, "tus-resumable") == 0   ? "1.0.0"
                        : strcmp(name, "upload-checksum") == 0 ? st->sum
                        : strcmp(name, "content-type") == 0    ? "application/offset+octet-stream"
                                                               : NULL;
    if (strcmp(name, "upload-offset") == 0) {
        (void)snprintf(st->text, sizeof st->text, "%lld", (long long)st->at);
        return st->text;
    }
    if (value == st->who->access) {
        (void)snprintf(st->text, sizeof st->text, "Bearer %s", value);
        return st->text;
    }
    return value;
}

static void stream_begin(const scene *s, stream *st, const person *who, const char *location,
                         int64_t at, uint64_t len)
{
    st->who = who;
    st->at = at;
    sl_http_in in = {
        .method = "PATCH", .path = location, .query = "", .header = stream_header, .ctx = st};
    ck_assert(sl_service_flows(&in));
    st->flow = sl_service_flow_begin(s->w->s, &in, len);
    ck_assert_ptr_nonnull(st->flow);
}

static int32_t stream_end(stream *st)
{
    sl_http_out out;
    sl_service_flow_end(st->flow, &out);
    int32_t status = out.status;
    sl_http_out_free(&out);
    return status;
}

static int64_t row_at(const scene *s)
{
    sl_sv_rows rows;
    sl_lock(s->w->s->lock);
    ck_assert_int_eq(sl_sv_all(s->w->s, "SELECT at FROM upload", NULL, 0, &rows, NULL), SL_OK);
    sl_unlock(s->w->s->lock);
    ck_assert_uint_eq(rows.count, 1);
    int64_t at = sl_sv_int(&rows, 0, 0);
    sl_sv_rows_free(&rows);
    return at;
}

START_TEST(flow__brings_a_body_in_pieces)
{
    scene s;
    stream st = {.sum = NULL};
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    stream_begin(&s, &st, &s.owner, location, 0, 16);
    ck_assert(sl_service_flow_put(st.flow, NULL, 0));
    ck_assert(sl_service_flow_put(st.flow, CLIP, 5));
    ck_assert(sl_service_flow_put(st.flow, CLIP + 5, 10));
    ck_assert(sl_service_flow_put(st.flow, CLIP + 15, 1));
    ck_assert_int_eq(stream_end(&st), 204);
    ck_assert_int_eq(get_status(&s, &s.owner), 200);
    world_free(s.w);
}
END_TEST

START_TEST(flow__cut_short_keeps_what_came_and_is_gone_on_with)
{
    scene s;
    stream st = {.sum = NULL};
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    stream_begin(&s, &st, &s.owner, location, 0, 16);
    ck_assert_int_eq(stream_end(&st), 204); /* nothing came */
    ck_assert_int_eq(row_at(&s), 0);
    stream_begin(&s, &st, &s.owner, location, 0, 16);
    ck_assert(sl_service_flow_put(st.flow, CLIP, 5));
    ck_assert_int_eq(row_at(&s), 0);
    ck_assert_int_eq(stream_end(&st), 204);
    ck_assert_int_eq(row_at(&s), 5);
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 5, CLIP + 5, 11), 204);
    ck_assert_int_eq(get_status(&s, &s.owner), 200);
    world_free(s.w);
}
END_TEST

START_TEST(flow__with_a_checksum_counts_when_all_of_it_came)
{
    scene s;
    stream st = {.sum = "sha1 EZBKTot39iQuLSiHBQI62tAKkxA="};
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    stream_begin(&s, &st, &s.owner, location, 0, 5);
    ck_assert(sl_service_flow_put(st.flow, CLIP, 4));
    ck_assert_int_eq(stream_end(&st), 460); /* the last byte did not come */
    ck_assert_int_eq(row_at(&s), 0);
    stream_begin(&s, &st, &s.owner, location, 0, 5);
    ck_assert(sl_service_flow_put(st.flow, CLIP, 4));
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 0); /* and gives way, with nothing */
    ck_assert_int_eq(stream_end(&st), 409);
    stream_begin(&s, &st, &s.owner, location, 0, 5);
    ck_assert(sl_service_flow_put(st.flow, CLIP, 2));
    ck_assert(sl_service_flow_put(st.flow, CLIP + 2, 3));
    ck_assert_int_eq(stream_end(&st), 204);
    ck_assert_int_eq(row_at(&s), 5);
    st.sum = NULL;
    stream_begin(&s, &st, &s.owner, location, 5, 11);
    ck_assert(sl_service_flow_put(st.flow, CLIP + 5, 11));
    ck_assert_int_eq(stream_end(&st), 204);
    ck_assert_int_eq(get_status(&s, &s.owner), 200);
    world_free(s.w);
}
END_TEST

START_TEST(flow__that_waits_gives_way_to_whoever_asks_anew)
{
    scene s;
    stream st = {.sum = NULL};
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    stream_begin(&s, &st, &s.owner, location, 0, 16);
    ck_assert(sl_service_flow_put(st.flow, CLIP, 5));
    ck_assert_int_eq(head_offset(&s, &s.stranger, location), -1);
    ck_assert(sl_service_flow_put(st.flow, CLIP + 5, 1)); /* that of another did nothing */
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 6);
    ck_assert(!sl_service_flow_put(st.flow, "X", 1));
    ck_assert_int_eq(upload_patch(s.w, &s.owner, location, 6, CLIP + 6, 10), 204);
    ck_assert_int_eq(stream_end(&st), 409);
    ck_assert_int_eq(get_status(&s, &s.owner), 200);
    ck_assert_ptr_null(s.w->s->flows);
    world_free(s.w);
}
END_TEST

START_TEST(flow__is_refused_before_any_byte_of_it)
{
    scene s;
    stream st = {.sum = NULL};
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    const struct {
        const person *who;
        int64_t at;
        uint64_t len;
        int32_t status;
    } cases[] = {{&s.stranger, 0, 16, 404},
                 {&s.owner, 1, 15, 409},
                 {&s.owner, 0, 17, 413},
                 {&s.owner, 0, 16, 204}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stream_begin(&s, &st, cases[i].who, location, cases[i].at, cases[i].len);
        bool wanted = cases[i].status == 204;
        ck_assert(sl_service_flow_put(st.flow, NULL, 0) == wanted);
        ck_assert(sl_service_flow_put(st.flow, CLIP, 16) == wanted);
        ck_assert_int_eq(stream_end(&st), cases[i].status);
    }
    world_free(s.w);
}
END_TEST

START_TEST(flow__ends_with_its_session_and_its_upload)
{
    scene s;
    stream st = {.sum = NULL};
    char location[128];
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    stream_begin(&s, &st, &s.owner, location, 0, 16);
    ck_assert(sl_service_flow_put(st.flow, CLIP, 16));
    answer a = signed_request(s.w, &s.owner, "POST", "/api/v1/auth/logout/all", "", NULL, 0);
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
    ck_assert_int_eq(stream_end(&st), 401);
    ck_assert_int_eq(row_at(&s), 0);
    world_free(s.w);
    clip_scene(&s);
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 16, location), 201);
    stream_begin(&s, &st, &s.owner, location, 0, 16);
    ck_assert(sl_service_flow_put(st.flow, CLIP, 16));
    sl_lock(s.w->s->lock);
    ck_assert_int_eq(sl_sv_run(s.w->s, "DELETE FROM upload", NULL, 0, NULL), SL_OK);
    sl_unlock(s.w->s->lock);
    ck_assert_int_eq(stream_end(&st), 404);
    ck_assert_int_eq(get_status(&s, &s.owner), 404);
    ck_assert_ptr_null(s.w->files[0].path);
    world_free(s.w);
}
END_TEST

START_TEST(flow__of_many_bytes_is_kept_now_and_then)
{
    enum {
        PIECE = 8 * 1024 * 1024,
        KEPT = 4 * PIECE
    };
    scene s;
    stream st = {.sum = NULL};
    char location[128];
    uint8_t *piece = sl_mem(PIECE);
    clip_scene(&s);
    s.w->s->upload_max = INT64_MAX;
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, KEPT + 16, location), 201);
    stream_begin(&s, &st, &s.owner, location, 0, KEPT + 16);
    ck_assert(sl_service_flow_put(st.flow, piece, PIECE));
    ck_assert(sl_service_flow_put(st.flow, piece, PIECE));
    ck_assert(sl_service_flow_put(st.flow, piece, PIECE));
    ck_assert(sl_service_flow_put(st.flow, piece, PIECE - 1));
    ck_assert_int_eq(row_at(&s), 0);
    ck_assert(sl_service_flow_put(st.flow, piece, 1));
    ck_assert_int_eq(row_at(&s), KEPT);
    ck_assert(sl_service_flow_put(st.flow, piece, 1));
    ck_assert_int_eq(row_at(&s), KEPT);
    ck_assert_int_eq(stream_end(&st), 204);
    ck_assert_int_eq(row_at(&s), KEPT + 1);
    sl_mem_free(piece);
    world_free(s.w);
}
END_TEST

START_TEST(video__made_after_its_bytes_is_ready_at_once)
{
    scene s;
    char sha[65];
    char location[128];
    char space[SL_SPACE_MAX];
    clip_scene(&s);
    sha_of("early bytes", sha);
    uuid_of(location, 0x400);
    sl_space_name(space, "video", location);
    ck_assert_int_eq(upload(s.w, &s.owner, space, "early bytes"), 204);
    video_make(s.w, &s.owner, s.space, 0x400, "early bytes");
    ck_assert_str_eq(video_status(&s), "ready");
    world_free(s.w);
}
END_TEST

START_TEST(blob__is_for_those_who_hold_a_space_that_refers_to_it)
{
    scene s;
    clip_scene(&s);
    ck_assert_int_eq(upload(s.w, &s.owner, s.space, CLIP), 204);
    ck_assert_int_eq(get_status(&s, &s.coach), 404);
    share_with(s.w, &s.owner, &s.coach, s.space, "coach", 0x101);
    ck_assert_int_eq(get_status(&s, &s.coach), 200);
    ck_assert_int_eq(get_status(&s, &s.stranger), 404);
    answer none = request(s.w, "GET", s.blob, "", NULL, 0);
    ck_assert_int_eq(none.status, 401);
    answer_free(&none);
    char id[SL_UUID_LEN + 1];
    uuid_of(id, 0x101);
    must(op(s.w, &s.owner, "delete", "share", s.space, id, NULL), "applied");
    ck_assert_int_eq(get_status(&s, &s.coach), 404);
    world_free(s.w);
}
END_TEST

typedef struct range_case {
    const char *range;
    int32_t status;
    int64_t at;
    int64_t len;
    const char *told;
} range_case;

START_TEST(blob__serves_one_range)
{
    static const range_case cases[] = {
        {"", 200, 0, 16, ""},
        {"range: bytes=0-0\n", 206, 0, 1, "bytes 0-0/16"},
        {"range: bytes=4-7\n", 206, 4, 4, "bytes 4-7/16"},
        {"range: bytes=4-\n", 206, 4, 12, "bytes 4-15/16"},
        {"range: bytes=4-99\n", 206, 4, 12, "bytes 4-15/16"},
        {"range: bytes=-5\n", 206, 11, 5, "bytes 11-15/16"},
        {"range: bytes=-99\n", 206, 0, 16, "bytes 0-15/16"},
        {"range: bytes=15-\n", 206, 15, 1, "bytes 15-15/16"},
        {"range: bytes=16-\n", 416, 0, 0, "bytes */16"},
        {"range: bytes=-0\n", 416, 0, 0, "bytes */16"},
        {"range: bytes=7-4\n", 200, 0, 16, ""},
        {"range: bytes=0-1,3-4\n", 200, 0, 16, ""},
        {"range: bytes=\n", 200, 0, 16, ""},
        {"range: bytes=-\n", 200, 0, 16, ""},
        {"range: bytes=99999999999999999999-\n", 200, 0, 16, ""},
        {"range: lines=0-1\n", 200, 0, 16, ""},
        {"range: bytes=4-7\nif-range: \"other\"\n", 200, 0, 16, ""},
    };
    scene s;
    clip_scene(&s);
    ck_assert_int_eq(upload(s.w, &s.owner, s.space, CLIP), 204);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const range_case *c = &cases[i];
        answer a = get(&s, &s.owner, c->range);
        ck_assert_msg(a.status == c->status, "%s: %d", c->range, a.status);
        ck_assert_str_eq(answer_header(&a, "Content-Range"), c->told);
        if (c->status != 416) {
            ck_assert_int_eq(a.file_at, c->at);
            ck_assert_int_eq(a.file_len, c->len);
            ck_assert_ptr_nonnull(file_find(s.w, a.file));
            ck_assert_str_eq(answer_header(&a, "Cache-Control"), "private, no-store");
            ck_assert_str_eq(answer_header(&a, "X-Content-Type-Options"), "nosniff");
            ck_assert_str_eq(answer_header(&a, "Content-Type"), "video/mp4");
        } else {
            ck_assert_ptr_null(a.file);
        }
        answer_free(&a);
    }
    char headers[128];
    (void)snprintf(headers, sizeof headers, "if-none-match: \"%s\"\n", s.sha);
    answer a = get(&s, &s.owner, headers);
    ck_assert_int_eq(a.status, 304);
    answer_free(&a);
    world_free(s.w);
}
END_TEST

static int32_t send_form(const scene *s, const person *p, const char *type, const char *text)
{
    char header[200];
    (void)snprintf(header, sizeof header, "content-type: %s\n", type);
    answer a = signed_request(s->w, p, "POST", "/api/v1/uploads/form", header, text, strlen(text));
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

#define FORM       "multipart/form-data; boundary=b"
#define PART(name) "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_PART                                                                    \
    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../x\"\r\n" \
    "Content-Type: video/mp4\r\n\r\n"

START_TEST(form__brings_a_file_that_only_the_space_may_read)
{
    scene s;
    char text[1000];
    clip_scene(&s);
    sha_of("a file", s.sha);
    (void)snprintf(s.blob, sizeof s.blob, "/api/v1/blobs/%s", s.sha);
    (void)snprintf(text, sizeof text, PART("space") "%s\r\n" FILE_PART "a file\r\n--b--\r\n",
                   s.space);
    ck_assert_int_eq(send_form(&s, &s.stranger, FORM, text), 404);
    ck_assert_int_eq(send_form(&s, &s.owner, FORM, text), 201);
    ck_assert_int_eq(send_form(&s, &s.owner, FORM, text), 201);
    char location[128];
    ck_assert_int_eq(upload_create(s.w, &s.owner, s.space, s.sha, 6, location), 201);
    ck_assert_int_eq(head_offset(&s, &s.owner, location), 6); /* it is here */
    world_free(s.w);
}
END_TEST

START_TEST(form__checks_the_hash_that_it_says)
{
    scene s;
    char text[1000];
    char sha[65];
    clip_scene(&s);
    sha_of("a file", sha);
    (void)snprintf(text, sizeof text,
                   PART("space") "%s\r\n" PART("sha256") "%s\r\n" FILE_PART "a file\r\n--b--",
                   s.space, sha);
    ck_assert_int_eq(send_form(&s, &s.owner, FORM, text), 201);
    (void)snprintf(text, sizeof text,
                   PART("space") "%s\r\n" PART("sha256") "%s\r\n" FILE_PART "b file\r\n--b--",
                   s.space, sha);
    ck_assert_int_eq(send_form(&s, &s.owner, FORM, text), 460);
    world_free(s.w);
}
END_TEST

START_TEST(form__that_is_broken_is_400_and_one_without_a_file_422)
{
    scene s;
    clip_scene(&s);
    static const struct {
        const char *type;
        const char *text;
        int32_t status;
    } cases[] = {
        {"text/plain", "x", 400},
        {"multipart/form-data", FILE_PART "x\r\n--b--", 400},
        {"multipart/form-data; boundary=", FILE_PART "x\r\n--b--", 400},
        {"multipart/form-data; boundary=c", FILE_PART "x\r\n--b--", 400},
        {FORM, "", 400},
        {FORM, "--b", 400},
        {FORM, "--b--x", 400},
        {FORM, FILE_PART "x", 400},           /* no end */
        {FORM, FILE_PART "x\r\n--b", 400},    /* nor here */
        {FORM, "--b\r\n\r\nx\r\n--b--", 400}, /* a part without a name */
        {FORM, "--b\r\nContent-Disposition: form-data; name=\"f\r\n\r\nx\r\n--b--", 400},
        {FORM, "--b--\r\n", 422},            /* no parts */
        {FORM, FILE_PART "\r\n--b--", 422},  /* an empty file */
        {FORM, FILE_PART "x\r\n--b--", 422}, /* no space */
        {FORM, PART("space") "user\r\n" FILE_PART "x\r\n--b--", 422},
        {FORM,
         PART("a") "\r\n" PART("a") "\r\n" PART("a") "\r\n" PART("a") "\r\n" PART("a") "\r\n" PART(
             "a") "\r\n" PART("a") "\r\n" PART("a") "\r\n" PART("a") "\r\n--b--",
         400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t status = send_form(&s, &s.owner, cases[i].type, cases[i].text);
        ck_assert_msg(status == cases[i].status, "case %zu: %d", i, status);
    }
    world_free(s.w);
}
END_TEST

static void plan_ends(const scene *s, const person *p)
{
    (void)world_rows(s->w, NULL, "UPDATE account SET plan='expired' WHERE id=$1 AND $2=$2", p->id,
                     "");
}

/* A message names its bytes, and then they may come; others may not. */
START_TEST(upload__to_where_one_may_write_nothing_is_of_what_one_has_written_before)
{
    static const char said[] = "bytes of a message";
    scene s;
    char fields[300];
    char sha[65];
    clip_scene(&s);
    sha_of(said, sha);
    (void)snprintf(
        fields, sizeof fields,
        "{\"kind\":\"voice\",\"duration_us\":9,\"blob\":\"%s\",\"media_type\":\"audio/ogg\",\"size\":%zu}",
        sha, strlen(said));
    must(op(s.w, &s.owner, "create", "message", s.thread, id_of(0x900), fields), "applied");
    ck_assert_int_eq(upload(s.w, &s.owner, s.thread, "bytes of another"), 204);
    plan_ends(&s, &s.owner);
    ck_assert_int_eq(upload(s.w, &s.owner, s.thread, "bytes of a third"), 403);
    ck_assert_int_eq(upload(s.w, &s.owner, s.thread, said), 204);
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        upload__resumes_where_it_stopped_and_makes_the_video_ready,
        upload__to_where_one_may_write_nothing_is_of_what_one_has_written_before,
        upload__keeps_the_part_that_came_before_a_cut,
        upload__many_at_once_in_parts_are_each_checked_whole,
        upload__bytes_with_another_hash_are_thrown_away,
        upload__refuses_what_breaks_the_protocol,
        upload__of_another_is_not_there,
        upload__can_be_ended,
        upload__with_too_many_unfinished_says_when_to_come_again,
        upload__a_full_disk_keeps_the_offset,
        upload__whose_row_was_lost_after_the_move_is_completed_by_the_last_part,
        upload__bytes_one_may_read_are_born_complete_and_others_are_not,
        flow__brings_a_body_in_pieces,
        flow__cut_short_keeps_what_came_and_is_gone_on_with,
        flow__with_a_checksum_counts_when_all_of_it_came,
        flow__that_waits_gives_way_to_whoever_asks_anew,
        flow__is_refused_before_any_byte_of_it,
        flow__ends_with_its_session_and_its_upload,
        flow__of_many_bytes_is_kept_now_and_then,
        video__made_after_its_bytes_is_ready_at_once,
        blob__is_for_those_who_hold_a_space_that_refers_to_it,
        blob__serves_one_range,
        form__brings_a_file_that_only_the_space_may_read,
        form__checks_the_hash_that_it_says,
        form__that_is_broken_is_400_and_one_without_a_file_422,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("upload", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
