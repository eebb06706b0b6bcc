/* Records that one request makes: messages, drawings, videos; by the rules of the operations that devices push. */
#include "base/mem.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

#define MESSAGES "/api/v1/messages"

typedef struct scene {
    world *w;
    person ana;
    person cleo;
    person eve; /* a stranger */
    char thread[SL_SPACE_MAX];
    char video[SL_SPACE_MAX];
    char drawings[128];
} scene;

static void scene_open(scene *s)
{
    memset(s, 0, sizeof *s);
    s->w = world_new();
    person_make(s->w, &s->ana, "a@x.y", "athlete", 1);
    person_make(s->w, &s->cleo, "c@x.y", "coach", 2);
    person_make(s->w, &s->eve, "e@x.y", "athlete", 3);
    befriend(s->w, &s->ana, &s->cleo, s->thread);
    video_make(s->w, &s->ana, s->video, 0x700, "a clip");
    (void)snprintf(s->drawings, sizeof s->drawings, "/api/v1/videos/%s/annotations",
                   sl_space_id(s->video));
}

static answer send(const scene *s, const person *p, const char *path, const char *body)
{
    return signed_request(s->w, p, "POST", path, "content-type: application/json\n", body,
                          strlen(body));
}

/* The status; the error's name, or the field that is wrong, must be `about`. */
static int32_t sends(const scene *s, const person *p, const char *path, const char *body,
                     const char *about)
{
    answer a = send(s, p, path, body);
    int32_t status = a.status;
    const char *error = sl_json_str(a.body, "error");
    const sl_json *fields = sl_json_get(a.body, "fields");
    const char *said = fields != NULL ? sl_json_key(sl_json_first(fields)) : error;
    ck_assert_msg(strcmp(said != NULL ? said : "", about) == 0, "%s: %d %s", body, status, said);
    answer_free(&a);
    return status;
}

/* more: further members, each behind a comma. */
static const char *message(const scene *s, uint32_t id, const char *body, const char *more)
{
    static char text[10000];
    (void)snprintf(text, sizeof text, "{\"id\":\"%s\",\"thread_id\":\"%s\",\"body\":\"%s\"%s}",
                   id_of(id), sl_space_id(s->thread), body, more);
    return text;
}

static const char *drawing(uint32_t id, const char *more)
{
    static char text[1000];
    (void)snprintf(
        text, sizeof text,
        "{\"id\":\"%s\",\"kind\":\"arrow\",\"geometry\":\"AAAA\",\"style\":{\"width\":4},"
        "\"t_in\":0,\"t_out\":5000000%s}",
        id_of(id), more);
    return text;
}

static size_t rows(const scene *s, const char *entity)
{
    char sql[120];
    (void)snprintf(sql, sizeof sql, "SELECT id FROM \"%s\" WHERE deleted=0 AND $1=$2", entity);
    return world_rows(s->w, NULL, sql, "x", "x");
}

START_TEST(message__that_a_request_sends_is_one_of_the_thread_and_heard_at_once) /* [MAKE-1] */
{
    scene s;
    scene_open(&s);
    subscribe(s.w, &s.cleo, s.thread, 0, "");
    frames_clear(s.w);
    answer a = send(&s, &s.ana, MESSAGES, message(&s, 1, "by request", ""));
    ck_assert_int_eq(a.status, 201);
    ck_assert_str_eq(sl_json_str(a.body, "id"), id_of(1));
    ck_assert_str_eq(sl_json_str(a.body, "space"), s.thread);
    ck_assert_str_eq(sl_json_str(a.body, "kind"), "text");
    ck_assert_str_eq(sl_json_str(a.body, "author_id"), s.ana.id);
    ck_assert_int_eq(sl_json_int_or(a.body, "sent_ms", 0), s.w->now_ms);
    int64_t seq = sl_json_int_or(a.body, "seq", 0);
    ck_assert_int_eq(sl_json_int_or(a.body, "place", 0), seq);
    const sl_json *heard = frame_at(s.w, s.cleo.conn, "change", 0);
    char *text = sl_json_print(heard);
    ck_assert_ptr_nonnull(strstr(text, "by request"));
    sl_mem_free(text);
    answer_free(&a);
    const sl_json *receipt = op(s.w, &s.cleo, "create", "message", s.thread, id_of(2),
                                "{\"kind\":\"text\",\"body\":\"by the channel\"}");
    ck_assert_int_eq(sl_json_int_or(receipt, "seq", 0), seq + 1); /* in one order */
    world_free(s.w);
}
END_TEST

START_TEST(message__that_is_sent_again_is_the_same_one) /* [MAKE-2] */
{
    scene s;
    scene_open(&s);
    answer first = send(&s, &s.ana, MESSAGES, message(&s, 1, "once", ""));
    ck_assert_int_eq(first.status, 201);
    subscribe(s.w, &s.cleo, s.thread, 0, "");
    frames_clear(s.w);
    answer again = send(&s, &s.ana, MESSAGES, message(&s, 1, "once", ""));
    ck_assert_int_eq(again.status, 200);
    ck_assert(sl_json_equal(first.body, again.body));
    answer_free(&again);
    ck_assert_uint_eq(frame_count(s.w, s.cleo.conn, "change"), 0);
    ck_assert_uint_eq(rows(&s, "message"), 1);
    ck_assert_int_eq(sends(&s, &s.ana, MESSAGES, message(&s, 1, "twice", ""), "conflict"), 409);
    ck_assert_int_eq(sends(&s, &s.cleo, MESSAGES, message(&s, 1, "once", ""), "conflict"), 409);
    s.w->now_ms += 1000;
    must(op(s.w, &s.ana, "patch", "message", s.thread, id_of(1), "{\"body\":\"changed\"}"),
         "applied");
    again = send(&s, &s.ana, MESSAGES, message(&s, 1, "once", "")); /* the answer was lost */
    ck_assert_int_eq(again.status, 200);
    ck_assert_str_eq(sl_json_str(again.body, "body"), "changed");
    answer_free(&again);
    must(op(s.w, &s.ana, "delete", "message", s.thread, id_of(1), NULL), "applied");
    ck_assert_int_eq(sends(&s, &s.ana, MESSAGES, message(&s, 1, "once", ""), "conflict"), 409);
    answer_free(&first);
    world_free(s.w);
}
END_TEST

START_TEST(message__that_came_by_the_channel_is_known_to_a_request)
{
    scene s;
    scene_open(&s);
    must(op(s.w, &s.ana, "create", "message", s.thread, id_of(1),
            "{\"kind\":\"text\",\"body\":\"x\"}"),
         "applied");
    ck_assert_int_eq(sends(&s, &s.ana, MESSAGES, message(&s, 1, "x", ""), ""), 200);
    ck_assert_uint_eq(rows(&s, "message"), 1);
    world_free(s.w);
}
END_TEST

START_TEST(message__of_whoever_is_not_in_the_thread_finds_none)
{
    scene s;
    char missing[300];
    scene_open(&s);
    answer theirs = send(&s, &s.eve, MESSAGES, message(&s, 1, "x", ""));
    (void)snprintf(missing, sizeof missing, "{\"id\":\"%s\",\"thread_id\":\"%s\",\"body\":\"x\"}",
                   id_of(1), id_of(99));
    answer none = send(&s, &s.eve, MESSAGES, missing);
    ck_assert_int_eq(theirs.status, 404);
    ck_assert_int_eq(none.status, 404);
    ck_assert(sl_json_equal(theirs.body, none.body));
    answer_free(&theirs);
    answer_free(&none);
    answer a = request(s.w, "POST", MESSAGES, "", message(&s, 1, "x", ""), 3);
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    ck_assert_uint_eq(rows(&s, "message"), 0);
    world_free(s.w);
}
END_TEST

START_TEST(message__that_breaks_a_rule_names_the_field)
{
    scene s;
    static char large[9000];
    scene_open(&s);
    memset(large, 'x', sizeof large - 1);
    const struct {
        const char *body;
        const char *about;
        int32_t status;
    } cases[] = {
        {"{}", "id", 422},
        {"{\"id\":\"x\"}", "id", 422},
        {"{\"id\":\"018b0000-0000-7000-8000-000000000001\"}", "thread_id", 422},
        {"[]", "bad_request", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_int_eq(sends(&s, &s.ana, MESSAGES, cases[i].body, cases[i].about),
                         cases[i].status);
    }
    ck_assert_int_eq(sends(&s, &s.ana, MESSAGES, message(&s, 1, "x", ",\"colour\":1"), "colour"),
                     422);
    ck_assert_int_eq(sends(&s, &s.ana, MESSAGES, message(&s, 1, "x", ",\"kind\":\"song\""), "kind"),
                     422);
    ck_assert_int_eq(sends(&s, &s.ana, MESSAGES, message(&s, 1, "", ""), "body"), 422);
    ck_assert_int_eq(sends(&s, &s.ana, MESSAGES, message(&s, 1, large, ""), "body"), 422);
    ck_assert_int_eq(sends(&s, &s.ana, MESSAGES,
                           message(&s, 1, "x",
                                   ",\"author_id\":\"" /* the server's to say */
                                   "018b0000-0000-7000-8000-000000000001\""),
                           "forbidden"),
                     403);
    char other[200];
    char theirs[SL_SPACE_MAX];
    video_make(s.w, &s.cleo, theirs, 0x701, "another clip");
    (void)snprintf(other, sizeof other,
                   ",\"kind\":\"video\",\"ref_space\":\"%s\",\"ref_id\":\"%s\"", theirs,
                   sl_space_id(theirs));
    ck_assert_int_eq(sends(&s, &s.ana, MESSAGES, message(&s, 1, "x", other), "forbidden"), 403);
    ck_assert_uint_eq(rows(&s, "message"), 0);
    world_free(s.w);
}
END_TEST

START_TEST(message__beyond_the_limit_of_the_day_is_429_for_the_rest_of_it)
{
    scene s;
    scene_open(&s);
    (void)world_rows(s.w, NULL, "UPDATE account SET plan='expired' WHERE id=$1 AND $2=$2",
                     s.cleo.id, "");
    for (uint32_t i = 0; i < 50; i++) {
        ck_assert_int_eq(sends(&s, &s.cleo, MESSAGES, message(&s, 100 + i, "x", ""), ""), 201);
    }
    answer a = send(&s, &s.cleo, MESSAGES, message(&s, 200, "x", ""));
    int64_t left = 86400 - s.w->now_ms / 1000 % 86400;
    ck_assert_int_eq(a.status, 429);
    ck_assert_str_eq(sl_json_str(a.body, "error"), "rate_limit_exceeded");
    ck_assert_int_eq(sl_json_int_or(a.body, "retry_after", 0), left);
    answer_free(&a);
    ck_assert_int_eq(sends(&s, &s.cleo, MESSAGES, message(&s, 149, "x", ""), ""), 200); /* known */
    world_free(s.w);
}
END_TEST

START_TEST(message__of_who_is_blocked_is_refused)
{
    scene s;
    char fields[100];
    scene_open(&s);
    (void)snprintf(fields, sizeof fields, "{\"user_id\":\"%s\"}", s.ana.id);
    must(op(s.w, &s.cleo, "create", "block", s.cleo.own, id_of(5), fields), "applied");
    ck_assert_int_eq(sends(&s, &s.ana, MESSAGES, message(&s, 1, "x", ""), "forbidden"), 403);
    world_free(s.w);
}
END_TEST

START_TEST(message__that_the_database_fails_is_503_and_can_be_sent_again)
{
    scene s;
    scene_open(&s);
    size_t failed = 0;
    for (uint64_t at = 1; at < 60; at++) {
        s.w->db_fault = SL_E_FULL;
        s.w->db_fail_at = at;
        answer a = send(&s, &s.ana, MESSAGES, message(&s, 1, "x", ""));
        bool done = a.status == 201 || a.status == 200;
        failed += done ? 0 : 1;
        ck_assert_msg(done || a.status == 503, "%d at %d", a.status, (int)at);
        answer_free(&a);
        s.w->db_fail_at = 0;
    }
    ck_assert_uint_gt(failed, 5);
    ck_assert_uint_eq(rows(&s, "message"), 1);
    world_free(s.w);
}
END_TEST

START_TEST(annotation__is_drawn_by_who_may_and_known_when_it_is_sent_again)
{
    scene s;
    scene_open(&s);
    ck_assert_int_eq(sends(&s, &s.cleo, s.drawings, drawing(1, ""), "not_found"), 404);
    share_with(s.w, &s.ana, &s.cleo, s.video, "coach", 0x101);
    subscribe(s.w, &s.ana, s.video, 0, "");
    frames_clear(s.w);
    answer a = send(&s, &s.cleo, s.drawings, drawing(1, ",\"fade\":100"));
    ck_assert_int_eq(a.status, 201);
    ck_assert_str_eq(sl_json_str(a.body, "entity"), "annotation");
    ck_assert_str_eq(sl_json_str(a.body, "author_id"), s.cleo.id);
    ck_assert_int_eq(sl_json_int_or(a.body, "fade", 0), 100);
    ck_assert_uint_eq(frame_count(s.w, s.ana.conn, "change"), 1);
    answer_free(&a);
    ck_assert_int_eq(sends(&s, &s.cleo, s.drawings, drawing(1, ",\"fade\":100"), ""), 200);
    ck_assert_int_eq(sends(&s, &s.cleo, s.drawings, drawing(1, ",\"fade\":7"), "conflict"), 409);
    ck_assert_uint_eq(frame_count(s.w, s.ana.conn, "change"), 1);
    world_free(s.w);
}
END_TEST

START_TEST(annotation__is_refused_to_members_strangers_and_on_deleted_videos)
{
    scene s;
    scene_open(&s);
    person mia;
    char thread[SL_SPACE_MAX];
    person_make(s.w, &mia, "m@x.y", "athlete", 4);
    befriend(s.w, &s.ana, &mia, thread);
    share_with(s.w, &s.ana, &mia, s.video, "member", 0x102);
    ck_assert_int_eq(sends(&s, &mia, s.drawings, drawing(1, ""), "forbidden"), 403);
    ck_assert_int_eq(sends(&s, &s.eve, s.drawings, drawing(1, ""), "not_found"), 404);
    ck_assert_int_eq(sends(&s, &s.ana, "/api/v1/videos/x/annotations", drawing(1, ""), "not_found"),
                     404);
    ck_assert_int_eq(sends(&s, &s.ana, s.drawings, "{\"kind\":\"arrow\"}", "id"), 422);
    ck_assert_int_eq(sends(&s, &s.ana, s.drawings, drawing(1, ",\"t_out\":0"), "t_out"), 422);
    ck_assert_int_eq(sends(&s, &s.ana, s.drawings, drawing(1, ",\"fade\":\"x\""), "fade"), 422);
    must(op(s.w, &s.ana, "delete", "video", s.video, sl_space_id(s.video), NULL), "applied");
    ck_assert_int_eq(sends(&s, &s.ana, s.drawings, drawing(1, ""), "not_found"), 404);
    ck_assert_uint_eq(rows(&s, "annotation"), 0);
    world_free(s.w);
}
END_TEST

START_TEST(annotation__may_have_as_many_bytes_as_the_channel_takes)
{
    scene s;
    enum {
        LONG = 900000
    };
    char *geometry = calloc(1, LONG + 1);
    char *body = calloc(1, LONG + 1000);
    scene_open(&s);
    memset(geometry, 'A', LONG);
    (void)snprintf(body, LONG + 1000,
                   "{\"id\":\"%s\",\"kind\":\"pen\",\"geometry\":\"%s\",\"style\":{},\"t_in\":0,"
                   "\"t_out\":5}",
                   id_of(1), geometry);
    ck_assert_int_eq(sends(&s, &s.ana, s.drawings, body, ""), 201);
    answer a = signed_request(s.w, &s.ana, "POST", MESSAGES, "", body, LONG); /* of 64 KiB */
    ck_assert_int_eq(a.status, 413);
    answer_free(&a);
    free(geometry);
    free(body);
    world_free(s.w);
}
END_TEST

/* ---- videos ---- */

#define VIDEOS "/api/v1/videos"

static const char *part(const char *name, const char *value)
{
    static char text[8][300];
    static size_t turn;
    char *out = text[turn++ % 8];
    (void)snprintf(out, sizeof text[0],
                   "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", name, value);
    return out;
}

/* A form with these parts between the usual ones and the file. */
static const char *video_form(uint32_t id, const char *more, const char *bytes)
{
    static char text[4000];
    (void)snprintf(text, sizeof text,
                   "%s%s%s%s%s"
                   "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.mp4\"\r\n"
                   "Content-Type: video/mp4\r\n\r\n%s\r\n--b--\r\n",
                   part("id", id_of(id)), part("duration_us", "1000000"), part("width", "640"),
                   part("height", "480"), more, bytes);
    return text;
}

static answer send_form(const scene *s, const person *p, const char *form)
{
    return signed_request(s->w, p, "POST", VIDEOS,
                          "content-type: multipart/form-data; boundary=b\n", form, strlen(form));
}

static int32_t sends_form(const scene *s, const person *p, const char *form, const char *about)
{
    answer a = send_form(s, p, form);
    int32_t status = a.status;
    const sl_json *fields = sl_json_get(a.body, "fields");
    const char *error = sl_json_str(a.body, "error");
    const char *said = fields != NULL ? sl_json_key(sl_json_first(fields)) : error;
    ck_assert_msg(strcmp(said != NULL ? said : "", about) == 0, "%s: %d %s", form, status, said);
    answer_free(&a);
    return status;
}

START_TEST(video__of_a_form_is_a_record_and_its_bytes)
{
    scene s;
    char sha[65];
    char path[128];
    scene_open(&s);
    sha_of("a new clip", sha);
    answer a = send_form(&s, &s.ana, video_form(1, part("title", "Wurf \xC3\xBC"), "a new clip"));
    ck_assert_int_eq(a.status, 201);
    ck_assert_str_eq(sl_json_str(a.body, "title"), "Wurf \xC3\xBC");
    ck_assert_str_eq(sl_json_str(a.body, "blob"), sha);
    ck_assert_str_eq(sl_json_str(a.body, "media_type"), "video/mp4");
    ck_assert_str_eq(sl_json_str(a.body, "status"), "ready");
    ck_assert_str_eq(sl_json_str(a.body, "owner_id"), s.ana.id);
    ck_assert_int_eq(sl_json_int_or(a.body, "size", 0), 10);
    (void)snprintf(path, sizeof path, "/api/v1/blobs/%s", sha);
    answer bytes = signed_request(s.w, &s.ana, "GET", path, "", NULL, 0);
    ck_assert_int_eq(bytes.status, 200);
    answer_free(&bytes);
    bytes = signed_request(s.w, &s.eve, "GET", path, "", NULL, 0);
    ck_assert_int_eq(bytes.status, 404);
    answer_free(&bytes);
    answer again =
        send_form(&s, &s.ana, video_form(1, part("title", "Wurf \xC3\xBC"), "a new clip"));
    ck_assert_int_eq(again.status, 200);
    ck_assert(sl_json_equal(a.body, again.body));
    answer_free(&again);
    answer_free(&a);
    (void)snprintf(path, sizeof path, VIDEOS "/%s/annotations", id_of(1));
    ck_assert_int_eq(sends(&s, &s.ana, path, drawing(2, ""), ""), 201); /* its space is there */
    world_free(s.w);
}
END_TEST

START_TEST(video__of_a_form_that_is_wrong_leaves_neither_bytes_nor_record)
{
    scene s;
    scene_open(&s);
    size_t videos = rows(&s, "video");
    const char *title = part("title", "x");
    char both[700];
    ck_assert_int_eq(sends_form(&s, &s.ana, video_form(1, "", "bytes"), "title"), 422);
    ck_assert_int_eq(sends_form(&s, &s.ana, video_form(1, title, ""), "file"), 422);
    (void)snprintf(both, sizeof both, "%s%s", part("title", "x"), part("width", "wide"));
    ck_assert_int_eq(sends_form(&s, &s.ana, video_form(1, both, "bytes"), "width"), 422);
    (void)snprintf(both, sizeof both, "%s%s", part("title", "x"), part("colour", "red"));
    ck_assert_int_eq(sends_form(&s, &s.ana, video_form(1, both, "bytes"), "colour"), 422);
    (void)snprintf(both, sizeof both, "%s%s", part("title", "x"), part("id", "1"));
    ck_assert_int_eq(sends_form(&s, &s.ana, video_form(1, both, "bytes"), "id"), 422);
    (void)snprintf(both, sizeof both, "%s%s", part("title", "x"), part("sha256", "00"));
    ck_assert_int_eq(sends_form(&s, &s.ana, video_form(1, both, "bytes"), "checksum_mismatch"),
                     460);
    ck_assert_int_eq(
        sends_form(&s, &s.ana, video_form(1, part("title", "\xFF"), "bytes"), "bad_request"), 400);
    ck_assert_int_eq(sends_form(&s, &s.ana, "--b--", "file"), 422);
    ck_assert_int_eq(sends_form(&s, &s.ana, "x", "bad_request"), 400);
    ck_assert_uint_eq(rows(&s, "video"), videos);
    ck_assert_uint_eq(world_rows(s.w, NULL, "SELECT sha256 FROM blob_ref WHERE space=$1 AND $2=$2",
                                 "video:018b0000-0000-7000-8000-000000000001", ""),
                      0);
    world_free(s.w);
}
END_TEST

START_TEST(video__under_an_id_of_another_is_not_there_for_who_asks)
{
    scene s;
    scene_open(&s);
    ck_assert_int_eq(
        sends_form(&s, &s.eve, video_form(0x700, part("title", "x"), "bytes"), "not_found"), 404);
    ck_assert_int_eq(
        sends_form(&s, &s.ana, video_form(0x700, part("title", "x"), "bytes"), "conflict"), 409);
    world_free(s.w);
}
END_TEST

START_TEST(video__of_json_waits_for_its_bytes_or_finds_them)
{
    scene s;
    char sha[65];
    char body[600];
    char space[SL_SPACE_MAX];
    scene_open(&s);
    sha_of("bytes", sha);
    static const char format[] =
        "{\"id\":\"%s\",\"title\":\"x\",\"blob\":\"%s\",\"media_type\":\"video/mp4\",\"size\":5,"
        "\"duration_us\":1000000,\"width\":640,\"height\":480}";
    (void)snprintf(body, sizeof body, format, id_of(1), sha);
    answer a = send(&s, &s.ana, VIDEOS, body);
    ck_assert_int_eq(a.status, 201);
    ck_assert_str_eq(sl_json_str(a.body, "status"), "uploading");
    answer_free(&a);
    sl_space_name(space, "video", id_of(1));
    ck_assert_int_eq(upload(s.w, &s.ana, space, "bytes"), 204);
    a = send(&s, &s.ana, VIDEOS, body);
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(sl_json_str(a.body, "status"), "ready");
    answer_free(&a);
    (void)snprintf(body, sizeof body, format, id_of(2), sha);
    a = send(&s, &s.ana, VIDEOS, body);
    ck_assert_str_eq(sl_json_str(a.body, "status"), "ready");
    answer_free(&a);
    (void)snprintf(body, sizeof body, format, id_of(3), sha);
    a = send(&s, &s.eve, VIDEOS, body); /* knowing a hash gives nothing */
    ck_assert_str_eq(sl_json_str(a.body, "status"), "uploading");
    answer_free(&a);
    ck_assert_int_eq(sends(&s, &s.ana, VIDEOS, "{\"title\":\"x\"}", "id"), 422);
    ck_assert_int_eq(sends(&s, &s.ana, VIDEOS, "not JSON", "bad_request"), 400);
    world_free(s.w);
}
END_TEST

/* Sends it with the first, second, ... allocation failing until none is left: each is answered, and what is sent
 * again is there once. */
static void survive(const scene *s, const char *path, const char *headers, const char *body)
{
    int32_t status = 500;
    bool hit = true;
    for (uint64_t k = 1; hit; k++) {
        (void)sl_mem_fail_at(k, false);
        answer a = signed_request(s->w, &s->ana, "POST", path, headers, body, strlen(body));
        hit = sl_mem_fail_at(0, false) >= k;
        status = a.status;
        ck_assert_msg(status == 201 || status == 200 || (hit && status >= 500), "%s: %d at %d",
                      path, status, (int)k);
        answer_free(&a);
    }
    ck_assert_int_eq(status, 200); /* it was made on the way */
}

START_TEST(requests__survive_every_allocation_failure)
{
    scene s;
    scene_open(&s);
    size_t videos = rows(&s, "video");
    /* What the planner says of each statement is looked at once, and needs memory of its own. */
    for (int i = 0; i < 2; i++) {
        (void)sends(&s, &s.ana, MESSAGES, message(&s, 4, "x", ""), "");
        (void)sends(&s, &s.ana, s.drawings, drawing(5, ""), "");
        (void)sends_form(&s, &s.ana, video_form(6, part("title", "x"), "other bytes"), "");
    }
    survive(&s, MESSAGES, "content-type: application/json\n", message(&s, 1, "x", ""));
    survive(&s, s.drawings, "content-type: application/json\n", drawing(2, ""));
    survive(&s, VIDEOS, "content-type: multipart/form-data; boundary=b\n",
            video_form(3, part("title", "x"), "bytes"));
    ck_assert_uint_eq(rows(&s, "message"), 2);
    ck_assert_uint_eq(rows(&s, "annotation"), 2);
    ck_assert_uint_eq(rows(&s, "video"), videos + 2);
    world_free(s.w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        message__that_a_request_sends_is_one_of_the_thread_and_heard_at_once,
        message__that_is_sent_again_is_the_same_one,
        message__that_came_by_the_channel_is_known_to_a_request,
        message__of_whoever_is_not_in_the_thread_finds_none,
        message__that_breaks_a_rule_names_the_field,
        message__beyond_the_limit_of_the_day_is_429_for_the_rest_of_it,
        message__of_who_is_blocked_is_refused,
        message__that_the_database_fails_is_503_and_can_be_sent_again,
        annotation__is_drawn_by_who_may_and_known_when_it_is_sent_again,
        annotation__is_refused_to_members_strangers_and_on_deleted_videos,
        annotation__may_have_as_many_bytes_as_the_channel_takes,
        video__of_a_form_is_a_record_and_its_bytes,
        video__of_a_form_that_is_wrong_leaves_neither_bytes_nor_record,
        video__under_an_id_of_another_is_not_there_for_who_asks,
        video__of_json_waits_for_its_bytes_or_finds_them,
        requests__survive_every_allocation_failure};
    world_start();
    int code = sl_test_run(sl_test_suite("make", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
