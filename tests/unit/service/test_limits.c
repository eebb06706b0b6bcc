/* Rate limits against a model of them, the bodies of refusals, the audit log, the routes. */
#include "base/mem.h"
#include "service/inside.h"
#include "support.h"
#include "unit/service/world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a bucket is, told with fractions: the oracle. */
typedef struct model {
    double tokens;
    double burst;
    double per_ms;
    int64_t at_ms;
} model;

static bool model_take(model *m, int64_t now_ms)
{
    m->tokens += (double)(now_ms - m->at_ms) * m->per_ms;
    m->tokens = m->tokens < m->burst ? m->tokens : m->burst;
    m->at_ms = now_ms;
    bool ok = m->tokens >= 1.0 - 1e-9;
    m->tokens -= ok ? 1.0 : 0.0;
    return ok;
}

START_TEST(limit__agrees_with_the_model_on_every_trace)
{
    static const double bursts[SL_RATES] = {150, 1500, 15, 75, 750, 5, 20000, 60000};
    static const double limits[SL_RATES] = {100, 1000, 10, 50, 500, 5, 6000, 36000};
    static const double windows[SL_RATES] = {60e3, 60e3, 3600e3, 60e3, 60e3, 3600e3, 60e3, 60e3};
    sl_prng prng;
    sl_prng_seed(&prng, 11);
    for (unsigned rate = 0; rate < SL_RATES; rate++) {
        sl_sv_buckets *b = sl_sv_buckets_new();
        model m = {bursts[rate], bursts[rate], limits[rate] / windows[rate], 0};
        int64_t now = 0;
        for (int i = 0; i < 100000; i++) {
            uint64_t dice = sl_prng_next(&prng);
            int64_t step = (int64_t)(windows[rate] / limits[rate]);
            now +=
                dice % 50 == 0 ? (int64_t)(dice >> 20) % (step * 40) : (int64_t)(dice >> 20) % step;
            sl_sv_allowance a = sl_sv_bucket_take(b, (sl_rate)rate, "somebody", 1, now);
            ck_assert_msg(a.ok == model_take(&m, now), "rate %u, try %d", rate, i);
            ck_assert_int_eq(a.left, (int64_t)(m.tokens + 1e-6));
        }
        sl_sv_buckets_free(b);
    }
}
END_TEST

START_TEST(limit__a_burst_then_a_wait_as_long_as_it_says)
{
    sl_sv_buckets *b = sl_sv_buckets_new();
    for (int i = 0; i < 150; i++) {
        ck_assert(sl_sv_bucket_take(b, SL_RATE_PUBLIC, "a", 1, 1000).ok);
    }
    sl_sv_allowance a = sl_sv_bucket_take(b, SL_RATE_PUBLIC, "a", 1, 1000);
    ck_assert(!a.ok);
    ck_assert_int_eq(a.wait_s, 1);
    ck_assert(sl_sv_bucket_take(b, SL_RATE_PUBLIC, "b", 1, 1000).ok);
    ck_assert(sl_sv_bucket_take(b, SL_RATE_UPLOAD, "a", 1, 1000).ok);
    ck_assert(sl_sv_bucket_take(b, SL_RATE_PUBLIC, "a", 1, 1000 + a.wait_s * 1000).ok);
    for (int i = 0; i < 14; i++) {
        ck_assert(sl_sv_bucket_take(b, SL_RATE_UPLOAD, "a", 1, 1000).ok);
    }
    a = sl_sv_bucket_take(b, SL_RATE_UPLOAD, "a", 1, 1000);
    ck_assert(!a.ok);
    ck_assert_int_eq(a.wait_s, 360);
    ck_assert(!sl_sv_bucket_take(b, SL_RATE_UPLOAD, "a", 1, 1000 + 359999).ok);
    ck_assert(sl_sv_bucket_take(b, SL_RATE_UPLOAD, "a", 1, 1000 + 360000).ok);
    ck_assert(!sl_sv_bucket_take(b, SL_RATE_UPLOAD, "a", 1, 0).ok); /* a clock that goes back */
    sl_sv_buckets_free(b);
}
END_TEST

static world *limited(void)
{
    world *w = world_new();
    w->limit_rates = true;
    world_reopen(w);
    w->peer = "192.0.2.7";
    return w;
}

START_TEST(limit__public_is_by_address_and_says_so_in_headers)
{
    world *w = limited();
    answer a = request(w, "GET", "/api/v1/health", "", NULL, 0);
    ck_assert_str_eq(answer_header(&a, "RateLimit-Policy"), "\"public\";q=100;w=60");
    ck_assert_str_eq(answer_header(&a, "RateLimit"), "\"public\";r=149;t=1");
    answer_free(&a);
    for (int i = 0; i < 149; i++) {
        a = request(w, "GET", i % 2 == 0 ? "/nowhere" : "/api/v1/auth/devices", "", NULL, 0);
        ck_assert_int_eq(a.status, i % 2 == 0 ? 404 : 401);
        answer_free(&a);
    }
    a = request(w, "GET", "/api/v1/health", "", NULL, 0);
    ck_assert_int_eq(a.status, 429);
    char *text = sl_json_print(a.body);
    ck_assert_str_eq(text, "{\"error\":\"rate_limit_exceeded\",\"retry_after\":1}");
    ck_assert_str_eq(answer_header(&a, "Retry-After"), "1");
    sl_mem_free(text);
    answer_free(&a);
    a = request(w, "GET", "/livez", "", NULL, 0);
    ck_assert_int_eq(a.status, 204);
    answer_free(&a);
    w->peer = "2001:db8:1:2:aaaa::1";
    for (int i = 0; i < 151; i++) {
        w->peer = i % 2 == 0 ? "2001:db8:1:2:aaaa::1" : "2001:db8:1:2:bbbb::9";
        a = request(w, "GET", "/api/v1/health", "", NULL, 0);
        ck_assert_int_eq(a.status, i < 150 ? 200 : 429); /* one network */
        answer_free(&a);
    }
    world_free(w);
}
END_TEST

START_TEST(limit__what_a_provider_tells_does_not_count_with_what_is_asked_from_there)
{
    world *w = limited();
    for (int i = 0; i < 76; i++) {
        answer a = post(w, "/webhooks/stripe", "{}");
        ck_assert_int_eq(a.status == 429, i == 75);
        answer_free(&a);
    }
    answer a = request(w, "GET", "/api/v1/health", "", NULL, 0);
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(answer_header(&a, "RateLimit"), "\"public\";r=149;t=1");
    answer_free(&a);
    world_free(w);
}
END_TEST

START_TEST(limit__uploads_are_by_user_fifteen_at_once)
{
    world *w = limited();
    person p;
    char video[SL_SPACE_MAX];
    char location[128];
    char sha[65];
    person_make(w, &p, "a@b.c", "athlete", 1);
    video_make(w, &p, video, 0x300, "clip");
    sha_of("clip", sha);
    for (int i = 0; i < 16; i++) {
        ck_assert_int_eq(upload_create(w, &p, video, sha, 4, location), i < 15 ? 201 : 429);
        ck_assert_int_eq(i < 15 ? upload_patch(w, &p, location, 0, "cli", 3) : 204, 204);
    }
    world_free(w);
}
END_TEST

static int32_t ask_reset(world *w, const char *email)
{
    char json[100];
    (void)snprintf(json, sizeof json, "{\"email\":\"%s\"}", email);
    answer a = post(w, "/api/v1/auth/reset/send", json);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

START_TEST(limit__mails_to_an_address_are_five_an_hour_whoever_asks)
{
    static const char *const emails[] = {"a@b.c", "nobody@b.c"}; /* and whether it has an account */
    world *w = limited();
    person p;
    char peer[20];
    person_make(w, &p, "a@b.c", "athlete", 1);
    for (size_t k = 0; k < 2; k++) {
        for (int i = 0; i < 7; i++) {
            (void)snprintf(peer, sizeof peer, "192.0.2.%d", i);
            w->peer = peer;
            ck_assert_int_eq(ask_reset(w, emails[k]), i < 5 ? 202 : 429);
        }
    }
    ck_assert_int_eq(ask_reset(w, "A@B.c"), 429);
    ck_assert_int_eq(ask_reset(w, "another@b.c"), 202);
    w->now_ms += 720001;
    ck_assert_int_eq(ask_reset(w, "a@b.c"), 202);
    ck_assert_int_eq(ask_reset(w, "a@b.c"), 429);
    world_free(w);
}
END_TEST

START_TEST(limit__mails_take_nothing_from_uploads)
{
    world *w = limited();
    person p;
    char video[SL_SPACE_MAX];
    char location[128];
    char sha[65];
    person_make(w, &p, "a@b.c", "athlete", 1);
    for (int i = 0; i < 20; i++) {
        answer a = signed_request(w, &p, "POST", "/api/v1/auth/verify/send", "", NULL, 0);
        ck_assert_int_eq(a.status, i < 5 ? 202 : 429);
        answer_free(&a);
    }
    video_make(w, &p, video, 0x300, "clip");
    sha_of("clip", sha);
    ck_assert_int_eq(upload_create(w, &p, video, sha, 4, location), 201);
    world_free(w);
}
END_TEST

START_TEST(limit__a_network_of_64_bits_is_one_however_it_is_written)
{
    static const char *const same[] = {"2001:db8::1", "2001:db8:0:0:1::9", "2001:0db8::ffff:1:2:3"};
    static const char *const other[] = {"2001:db8:0:1::1", "2001:db8:1::1", "::1",
                                        "::ffff:192.0.2.1", "192.0.2.1"};
    world *w = limited();
    for (int i = 0; i < 151; i++) {
        w->peer = same[i % 3];
        answer a = request(w, "GET", "/api/v1/health", "", NULL, 0);
        ck_assert_int_eq(a.status, i < 150 ? 200 : 429);
        answer_free(&a);
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        w->peer = other[i];
        answer a = request(w, "GET", "/api/v1/health", "", NULL, 0);
        ck_assert_msg(a.status == 200, "%s", other[i]);
        ck_assert_ptr_nonnull(strstr(answer_header(&a, "RateLimit"), i < 4 ? "r=149" : "r=148"));
        answer_free(&a); /* the last two are one address */
    }
    world_free(w);
}
END_TEST

/* A push of so many operations that are none, each of which has its receipt. Its bytes, for sl_mem_free. */
static char *push_text(int64_t *n, int count)
{
    sl_buf b = {0};
    sl_buf_str(&b, "{\"t\":\"push\",\"ops\":[");
    for (int i = 0; i < count; i++) {
        *n += 1;
        sl_buf_fmt(&b, "%s{\"n\":%lld}", i > 0 ? "," : "", (long long)*n);
    }
    sl_buf_str(&b, "]}");
    char *text = sl_text_dup(sl_buf_text(&b));
    ck_assert_ptr_nonnull(text);
    sl_buf_free(&b);
    return text;
}

START_TEST(limit__operations_are_counted_by_user_whichever_way_they_come)
{
    enum {
        BURST = 20000,
        MOST = 1024,
        OVER = MOST - BURST % MOST
    };
    world *w = limited();
    person p;
    person other;
    int64_t n = 0;
    person_make(w, &p, "a@b.c", "athlete", 1);
    person_make(w, &other, "c@b.c", "athlete", 2);
    for (int i = 0; i < BURST / MOST; i++) {
        char *text = push_text(&n, MOST);
        frames_clear(w);
        say(w, &p, text);
        ck_assert_uint_eq(frame_count(w, p.conn, "receipts"), 1);
        sl_mem_free(text);
    }
    char *text = push_text(&n, MOST);
    answer a = signed_request(w, &p, "POST", "/api/v1/sync/push", "", text, strlen(text));
    ck_assert_int_eq(a.status, 429);
    ck_assert_str_eq(answer_header(&a, "Retry-After"), "5"); /* a hundred each second */
    answer_free(&a);
    ck_assert_int_eq(closed_with(w, p.conn), 0);
    frames_clear(w);
    say(w, &p, text);
    ck_assert_int_eq(closed_with(w, p.conn), 4429);
    ck_assert_uint_eq(frame_count(w, p.conn, "receipts"), 0);
    const sl_json *error = frame_at(w, p.conn, "error", 0);
    ck_assert_str_eq(sl_json_str(error, "code"), "SL_E_LIMIT");
    ck_assert_int_eq(sl_json_int_or(error, "retry_after", 0), (OVER + 99) / 100);
    ck_assert_uint_eq(
        world_rows(w, NULL, "SELECT 1 FROM audit WHERE actor=$1 AND action=$2", p.id, "ws.limited"),
        1);
    say(w, &other, "{\"t\":\"op\",\"n\":1}");
    ck_assert_uint_eq(frame_count(w, other.conn, "receipt"), 1); /* nobody else waits for it */
    w->now_ms += sl_json_int_or(error, "retry_after", 0) * 1000 - 1000;
    person_connect(w, &p);
    say(w, &p, text);
    ck_assert_int_eq(closed_with(w, p.conn), 4429);
    w->now_ms += 1000;
    person_connect(w, &p);
    frames_clear(w);
    say(w, &p, text);
    ck_assert_int_eq(closed_with(w, p.conn), 0);
    ck_assert_uint_eq(sl_json_count(sl_json_get(frame_at(w, p.conn, "receipts", 0), "receipts")),
                      MOST);
    sl_mem_free(text);
    world_free(w);
}
END_TEST

START_TEST(limit__frames_are_counted_by_user_on_all_devices_together)
{
    world *w = limited();
    person p;
    person_make(w, &p, "a@b.c", "athlete", 1);
    for (int i = 0; i < 60000; i++) {
        say(w, &p, "{\"t\":\"more\",\"bytes\":0}");
    }
    ck_assert_int_eq(closed_with(w, p.conn), 0);
    say(w, &p, "{\"t\":\"more\",\"bytes\":0}");
    ck_assert_int_eq(closed_with(w, p.conn), 4429);
    ck_assert_int_eq(sl_json_int_or(frame_at(w, p.conn, "error", 0), "retry_after", 0), 1);
    person_connect(w, &p);
    say(w, &p, "{\"t\":\"more\",\"bytes\":0}");
    ck_assert_int_eq(closed_with(w, p.conn), 4429);
    w->now_ms += 1000;
    person_connect(w, &p);
    say(w, &p, "{\"t\":\"more\",\"bytes\":0}");
    ck_assert_int_eq(closed_with(w, p.conn), 0);
    world_free(w);
}
END_TEST

/* The same account on another device. */
static void other_device(world *w, const person *p, person *out, uint32_t number)
{
    char text[300];
    *out = *p;
    uuid_of(out->device, number);
    (void)snprintf(text, sizeof text,
                   "{\"email\":\"%s\",\"password\":\"long enough\",\"device\":\"%s\"}", p->email,
                   out->device);
    answer a = post(w, "/api/v1/auth/login", text);
    ck_assert_int_eq(a.status, 200);
    (void)snprintf(out->access, sizeof out->access, "%s", sl_json_str(a.body, "access_token"));
    answer_free(&a);
}

START_TEST(limit__a_user_has_so_many_connections_and_the_next_is_told_when_to_come_again)
{
    world *w = world_new();
    person p[4];
    w->user_conns = 3;
    world_reopen(w);
    person_make(w, &p[0], "a@b.c", "athlete", 1);
    for (uint32_t i = 1; i < 4; i++) {
        other_device(w, &p[0], &p[i], 0x700 + i);
        person_connect(w, &p[i]);
    }
    ck_assert_int_eq(closed_with(w, p[2].conn), 0);
    ck_assert_int_eq(closed_with(w, p[3].conn), 4429);
    ck_assert_int_eq(sl_json_int_or(frame_at(w, p[3].conn, "error", 0), "retry_after", 0), 60);
    person_connect(w, &p[1]); /* in the place of its own */
    ck_assert_int_eq(closed_with(w, p[1].conn), 0);
    sl_service_ws_closed(w->s, p[2].conn);
    person_connect(w, &p[3]);
    ck_assert_int_eq(closed_with(w, p[3].conn), 0);
    person other;
    person_make(w, &other, "c@b.c", "athlete", 9);
    ck_assert_int_eq(closed_with(w, other.conn), 0);
    world_free(w);
}
END_TEST

/* ---- bodies ---- */

static void body_is(answer a, int32_t status, const char *wanted)
{
    char *text = sl_json_print(a.body);
    ck_assert_int_eq(a.status, status);
    ck_assert_str_eq(text, wanted);
    ck_assert_uint_eq(strlen(answer_header(&a, "X-Request-Id")), SL_UUID_LEN);
    ck_assert_str_eq(answer_header(&a, "Cache-Control"), "no-store");
    sl_mem_free(text);
    answer_free(&a);
}

START_TEST(bodies__are_those_of_the_specification)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@b.c", "athlete", 1);
    body_is(request(w, "GET", "/api/v1/auth/devices", "", NULL, 0), 401,
            "{\"error\":\"unauthorized\",\"message\":\"Invalid token\"}");
    body_is(signed_request(w, &p, "POST", "/api/v1/admin/keys/rotate", "", NULL, 0), 403,
            "{\"error\":\"forbidden\",\"message\":\"Insufficient permissions\"}");
    body_is(post(w, "/api/v1/auth/verify", "{}"), 422,
            "{\"error\":\"validation_failed\",\"fields\":{\"token\":\"token is required\"}}");
    body_is(post(w, "/api/v1/auth/verify", "[]"), 400,
            "{\"error\":\"bad_request\",\"message\":\"the body must be a JSON object\"}");
    body_is(request(w, "GET", "/nowhere", "", NULL, 0), 404,
            "{\"error\":\"not_found\",\"message\":\"there is nothing here\"}");
    answer a = request(w, "TRACE", "/api/v1/uploads", "", NULL, 0);
    ck_assert_int_eq(a.status, 405);
    ck_assert_str_eq(answer_header(&a, "Allow"), "OPTIONS, POST");
    answer_free(&a);
    world_free(w);
}
END_TEST

/* ---- the routes ---- */

/* That the description has this status of the route. */
static void check_described(const sl_json *paths, const sl_route *r, int32_t status)
{
    char path[128];
    char method[16];
    char text[12];
    (void)snprintf(path, sizeof path, "%s%s%s", r->path,
                   r->tail   ? "{path}"
                   : r->rest ? "{id}"
                             : "",
                   r->behind);
    (void)snprintf(text, sizeof text, "%d", (int)status);
    size_t n = 0;
    for (; r->method[n] != 0; n++) {
        method[n] = (char)tolower((unsigned char)r->method[n]);
    }
    method[n] = 0;
    const sl_json *about = sl_json_get(sl_json_get(paths, path), method);
    ck_assert_str_eq(sl_json_str(about, "operationId"), r->id);
    ck_assert_msg(sl_json_get(sl_json_get(about, "responses"), text) != NULL, "%s %s: %s", method,
                  path, text);
}

START_TEST(routes__all_have_a_handler_and_ask_who_it_is_first)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@b.c", "athlete", 1);
    answer all = request(w, "GET", "/openapi.json", "", NULL, 0);
    const sl_json *paths = sl_json_get(all.body, "paths");
    ck_assert_str_eq(sl_json_str(all.body, "openapi"), "3.1.0");
    for (size_t i = 0; i < SL_ROUTES; i++) {
        const sl_route *r = &sl_routes[i];
        char path[128];
        ck_assert(sl_sv_handler_of((sl_route_id)i) != NULL);
        (void)snprintf(path, sizeof path, "%s%s%s", r->path, r->rest ? p.id : "", r->behind);
        answer a = request(w, r->method, path, "", "{}", 2);
        ck_assert_msg((a.status == 401) == (r->need > SL_NEED_GUEST) || r->tail, "%s %s: %d",
                      r->method, path, a.status);
        ck_assert_int_lt(a.status, 500);
        check_described(paths, r, a.status);
        answer_free(&a);
        if (r->need == SL_NEED_ADMIN || r->need == SL_NEED_SERVICE) {
            a = signed_request(w, &p, r->method, path, "", "{}", 2);
            ck_assert_msg(a.status == 403, "%s %s: %d", r->method, path, a.status);
            answer_free(&a);
        }
    }
    size_t described = 0;
    for (const sl_json *m = sl_json_first(paths); m != NULL; m = sl_json_next(m)) {
        described += sl_json_count(m);
    }
    ck_assert_uint_eq(described, SL_ROUTES);
    answer_free(&all);
    world_free(w);
}
END_TEST

START_TEST(docs__describe_all_routes_in_a_page_in_which_nothing_runs)
{
    world *w = world_new();
    char *text = calloc(1, 1);
    size_t n = 0;
    for (size_t i = 0; sl_docs_page[i] != NULL; i++) {
        size_t len = strlen(sl_docs_page[i]);
        text = realloc(text, n + len + 1);
        memcpy(text + n, sl_docs_page[i], len + 1);
        n += len;
    }
    for (size_t i = 0; i < SL_ROUTES; i++) {
        char anchor[80];
        (void)snprintf(anchor, sizeof anchor, "<section id=\"%s\">", sl_routes[i].id);
        ck_assert_msg(strstr(text, anchor) != NULL, "%s", anchor);
    }
    ck_assert_ptr_null(strstr(text, "<script"));
    ck_assert_ptr_null(strstr(text, "http://"));
    ck_assert_ptr_null(strstr(text, "https://"));
    answer a = request(w, "GET", "/docs", "", NULL, 0);
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(answer_header(&a, "Content-Type"), "text/html; charset=utf-8");
    ck_assert_ptr_nonnull(
        strstr(answer_header(&a, "Content-Security-Policy"), "default-src 'none'"));
    answer_free(&a);
    free(text);
    world_free(w);
}
END_TEST

/* ---- audit and log ---- */

static int64_t lines_of(world *w, sl_status wanted)
{
    int64_t lines = 0;
    ck_assert_int_eq(sl_service_audit_verify(w->s, &lines, NULL), wanted);
    return lines;
}

START_TEST(audit__every_refusal_is_one_line_and_every_change_of_it_shows)
{
    world *w = world_new();
    person p;
    person_make(w, &p, "a@b.c", "athlete", 1);
    int64_t before = lines_of(w, SL_OK);
    answer a = request(w, "GET", "/api/v1/auth/devices", "", NULL, 0);
    answer_free(&a);
    ck_assert_int_eq(lines_of(w, SL_OK), before + 1);
    a = signed_request(w, &p, "GET", "/api/v1/auth/devices", "", NULL, 0);
    answer_free(&a);
    ck_assert_int_eq(lines_of(w, SL_OK), before + 1);
    a = signed_request(w, &p, "POST", "/api/v1/auth/logout/all", "", NULL, 0);
    answer_free(&a);
    ck_assert_int_eq(lines_of(w, SL_OK), before + 2);
    static const char *const changes[] = {
        "UPDATE audit SET actor='x' WHERE n=1",
        "UPDATE audit SET outcome='200' WHERE n=2",
        "UPDATE audit SET at_ms=at_ms+1 WHERE n=3",
        "DELETE FROM audit WHERE n=2",
        "UPDATE audit SET hash='00' WHERE n=2",
        "DELETE FROM audit WHERE n=(SELECT max(n) FROM audit)",
        "DELETE FROM audit",
        "DELETE FROM meta WHERE name='audit_head'",
        "UPDATE meta SET value=replace(value, '3:', '2:') WHERE name='audit_head'"};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        ck_assert_int_eq(w->db.begin(w->db.user, NULL), SL_OK);
        ck_assert_int_eq(w->db.run(w->db.user, changes[i], NULL, 0, NULL, NULL, NULL), SL_OK);
        (void)lines_of(w, SL_E_CORRUPT);
        w->db.rollback(w->db.user);
    }
    ck_assert_int_eq(lines_of(w, SL_OK), before + 2);
    world_free(w);
}
END_TEST

/* The last line that has this action. */
static void must_be_noted(const world *w, const char *action, const char *wanted)
{
    char text[512];
    (void)world_rows(w, text,
                     "SELECT actor || ' ' || object || ' ' || outcome FROM audit WHERE action=$1"
                     " AND $2=$2 ORDER BY n",
                     action, "");
    ck_assert_str_eq(text, wanted);
}

START_TEST(audit__a_sign_in_that_fails_says_where_from_and_to_which_account)
{
    world *w = world_new();
    person p;
    char wanted[200];
    char one[512];
    char other[512];
    person_make(w, &p, "a@b.c", "athlete", 1);
    w->peer = "192.0.2.7";
    answer a = post(w, "/api/v1/auth/login",
                    "{\"email\":\"a@b.c\",\"password\":\"not this one\","
                    "\"device\":\"018b0000-0000-7000-8000-000000000001\"}");
    ck_assert_int_eq(a.status, 401);
    answer_free(&a);
    (void)snprintf(wanted, sizeof wanted, "192.0.2.7 %s 401", p.id);
    must_be_noted(w, "login", wanted);
    static const char last[] = "SELECT object FROM audit WHERE action=$1 AND $2=$2 ORDER BY n";
    char *const texts[] = {one, other, one};
    static const char *const emails[] = {"x@b.c", "y@b.c", "X@b.c"};
    for (size_t i = 0; i < 3; i++) {
        char json[200];
        (void)snprintf(json, sizeof json,
                       "{\"email\":\"%s\",\"password\":\"not this one\",\"device\":\"%s\"}",
                       emails[i], id_of(1));
        a = post(w, "/api/v1/auth/login", json);
        answer_free(&a);
        char text[512];
        (void)world_rows(w, text, last, "login", "");
        ck_assert_int_eq(strncmp(text, "mail:", 5), 0);
        ck_assert_ptr_null(strstr(text, "b.c"));
        ck_assert(i < 2 || strcmp(text, one) == 0); /* the same address, the same words */
        (void)snprintf(texts[i], 512, "%s", text);
    }
    ck_assert_str_ne(one, other);
    world_free(w);
}
END_TEST

START_TEST(audit__what_is_hidden_from_one_who_asks_for_it_is_noted)
{
    world *w = world_new();
    person owner;
    person other;
    char video[SL_SPACE_MAX];
    char sha[65];
    char path[200];
    char wanted[300];
    person_make(w, &owner, "a@b.c", "athlete", 1);
    person_make(w, &other, "c@b.c", "athlete", 2);
    video_make(w, &owner, video, 0x300, "the clip");
    ck_assert_int_eq(upload(w, &owner, video, "the clip"), 204);
    int64_t before = lines_of(w, SL_OK);
    sha_of("nothing", sha);
    (void)snprintf(path, sizeof path, "/api/v1/blobs/%s", sha);
    answer a = signed_request(w, &other, "GET", path, "", NULL, 0);
    answer_free(&a);
    subscribe(w, &other, "video:018b0000-0000-7000-8000-00000000aaaa", 0, "");
    ck_assert_int_eq(lines_of(w, SL_OK), before); /* what is not there is hidden from nobody */
    sha_of("the clip", sha);
    (void)snprintf(path, sizeof path, "/api/v1/blobs/%s", sha);
    a = signed_request(w, &other, "GET", path, "", NULL, 0);
    ck_assert_int_eq(a.status, 404);
    answer_free(&a);
    (void)snprintf(wanted, sizeof wanted, "%s %s 404", other.id, sha);
    must_be_noted(w, "blob", wanted);
    (void)snprintf(path, sizeof path, "/api/v1/sync/pull?space=%s", video);
    a = signed_request(w, &other, "GET", path, "", NULL, 0);
    ck_assert_int_eq(a.status, 404);
    answer_free(&a);
    (void)snprintf(wanted, sizeof wanted, "%s %s 404", other.id, video);
    must_be_noted(w, "sync_pull", wanted);
    (void)snprintf(path, sizeof path, "/api/v1/videos/%s/playback", video + strlen("video:"));
    a = signed_request(w, &other, "GET", path, "", NULL, 0);
    ck_assert_int_eq(a.status, 404);
    answer_free(&a);
    must_be_noted(w, "video", wanted);
    subscribe(w, &other, video, 0, "");
    ck_assert_uint_eq(frame_count(w, other.conn, "revoked"), 2);
    (void)snprintf(wanted, sizeof wanted, "%s %s revoked", other.id, video);
    must_be_noted(w, "ws.subscribe", wanted);
    ck_assert_int_eq(lines_of(w, SL_OK), before + 4);
    world_free(w);
}
END_TEST

START_TEST(audit__a_connection_without_the_second_factor_is_noted)
{
    world *w = world_new();
    person coach;
    char wanted[100];
    w->require_factor = true;
    world_reopen(w);
    person_make(w, &coach, "c@b.c", "coach", 1);
    ck_assert_int_eq(closed_with(w, coach.conn), 4403);
    (void)snprintf(wanted, sizeof wanted, "%s - 4403", coach.id);
    must_be_noted(w, "ws.connect", wanted);
    world_free(w);
}
END_TEST

static sl_json *audit_page(world *w, const person *admin, int64_t after)
{
    char path[100];
    (void)snprintf(path, sizeof path, "/api/v1/admin/audit?after=%lld", (long long)after);
    answer a = signed_request(w, admin, "GET", path, "", NULL, 0);
    ck_assert_int_eq(a.status, 200);
    sl_json *body = a.body;
    a.body = NULL;
    answer_free(&a);
    return body;
}

START_TEST(audit__is_read_by_pages_that_show_what_is_cut_off)
{
    world *w = world_new();
    person admin;
    person_make(w, &admin, "root@b.c", "athlete", 1);
    ck_assert_int_eq(sl_service_make_admin(w->s, "root@b.c", NULL), SL_OK);
    for (int i = 0; i < 700; i++) {
        answer a = request(w, "GET", "/api/v1/auth/devices", "", NULL, 0);
        answer_free(&a);
    }
    sl_json *page = audit_page(w, &admin, 0);
    ck_assert(sl_json_bool_or(page, "whole", false));
    ck_assert_uint_eq(sl_json_count(sl_json_get(page, "lines")), 500);
    int64_t last = sl_json_int_or(sl_json_at(sl_json_get(page, "lines"), 499), "n", 0);
    ck_assert_int_eq(last, 500);
    sl_json_free(page);
    page = audit_page(w, &admin, last);
    ck_assert(sl_json_bool_or(page, "whole", false));
    ck_assert_int_eq(sl_json_int_or(sl_json_at(sl_json_get(page, "lines"), 0), "n", 0), 501);
    size_t rest = sl_json_count(sl_json_get(page, "lines"));
    ck_assert_uint_gt(rest, 200);
    sl_json_free(page);
    page = audit_page(w, &admin, 9999); /* behind the end */
    ck_assert_uint_eq(sl_json_count(sl_json_get(page, "lines")), 0);
    sl_json_free(page);
    (void)world_rows(w, NULL, "UPDATE audit SET outcome='200' WHERE n=600 AND $1=$2", "", "");
    page = audit_page(w, &admin, last);
    ck_assert(!sl_json_bool_or(page, "whole", true));
    sl_json_free(page);
    page = audit_page(w, &admin, 0); /* not of this page */
    ck_assert(sl_json_bool_or(page, "whole", false));
    sl_json_free(page);
    world_free(w);
}
END_TEST

START_TEST(log__has_the_end_of_the_audit_log)
{
    world *w = world_new();
    size_t lines = w->lines;
    sl_service_refused(w->s, "192.0.2.7", "http.refused", 400);
    ck_assert_uint_eq(w->lines, lines + 1);
    sl_json *j = sl_json_parse(w->line, strlen(w->line));
    char hash[512];
    ck_assert_uint_eq(world_rows(w, hash, "SELECT hash FROM audit WHERE $1=$1 AND $2=$2", "", ""),
                      1);
    ck_assert_int_eq(sl_json_int_or(j, "audit", 0), 1);
    ck_assert_str_eq(sl_json_str(j, "hash"), hash);
    sl_json_free(j);
    world_free(w);
}
END_TEST

START_TEST(log__is_one_line_of_json_with_nothing_that_came_in)
{
    world *w = world_new();
    answer a = post(w, "/api/v1/auth/login",
                    "{\"email\":\"canary@b.c\",\"password\":\"canary\\n\\u001b[31m\","
                    "\"device\":\"018b0000-0000-7000-8000-000000000001\"}");
    answer_free(&a);
    ck_assert_ptr_null(strstr(w->line, "canary"));
    ck_assert_ptr_null(strchr(w->line, '\n'));
    sl_json *j = sl_json_parse(w->line, strlen(w->line));
    ck_assert_str_eq(sl_json_str(j, "route"), "login");
    ck_assert_int_eq(sl_json_int_or(j, "status", 0), 401);
    sl_json_free(j);
    a = request(w, "GET", "/canary\"}\n", "", NULL, 0);
    answer_free(&a);
    ck_assert_ptr_null(strstr(w->line, "canary"));
    world_free(w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        limit__agrees_with_the_model_on_every_trace,
        limit__a_burst_then_a_wait_as_long_as_it_says,
        limit__public_is_by_address_and_says_so_in_headers,
        limit__what_a_provider_tells_does_not_count_with_what_is_asked_from_there,
        limit__uploads_are_by_user_fifteen_at_once,
        limit__mails_to_an_address_are_five_an_hour_whoever_asks,
        limit__mails_take_nothing_from_uploads,
        limit__a_network_of_64_bits_is_one_however_it_is_written,
        limit__operations_are_counted_by_user_whichever_way_they_come,
        limit__frames_are_counted_by_user_on_all_devices_together,
        limit__a_user_has_so_many_connections_and_the_next_is_told_when_to_come_again,
        bodies__are_those_of_the_specification,
        routes__all_have_a_handler_and_ask_who_it_is_first,
        docs__describe_all_routes_in_a_page_in_which_nothing_runs,
        audit__every_refusal_is_one_line_and_every_change_of_it_shows,
        audit__a_sign_in_that_fails_says_where_from_and_to_which_account,
        audit__what_is_hidden_from_one_who_asks_for_it_is_noted,
        audit__a_connection_without_the_second_factor_is_noted,
        audit__is_read_by_pages_that_show_what_is_cut_off,
        log__has_the_end_of_the_audit_log,
        log__is_one_line_of_json_with_nothing_that_came_in,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("limits", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
