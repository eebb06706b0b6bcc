/* The parts of sidelined that have no socket: command line, framing, heads of answers, passwords,
 * the worker pool. */
#include "support.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"
#include "server/guard.h"
#include "server/options.h"
#include "server/origin.h"
#include "server/password.h"
#include "server/peer.h"
#include "server/pool.h"
#include "server/reply.h"

#include <string.h>

/* ---- options ---- */

static sl_status parse(sl_options *o, const char *a, const char *b, const char *c, const char *d)
{
    const char *words[] = {"sidelined", a, b, c, d};
    char *argv[5];
    int argc = 0;
    for (size_t i = 0; i < 5; i++) {
        if (words[i] != NULL) {
            argv[argc++] = (char *)(uintptr_t)words[i];
        }
    }
    return sl_options_parse(argc, argv, o, NULL);
}

START_TEST(options__a_data_folder_is_enough)
{
    sl_options o;
    ck_assert_int_eq(parse(&o, "--data", "d", NULL, NULL), SL_OK);
    ck_assert_str_eq(o.data, "d");
    ck_assert_str_eq(o.host, "127.0.0.1");
    ck_assert_int_eq(o.port, 7420);
    ck_assert_int_eq(o.upload_rate, 0);
}
END_TEST

START_TEST(options__values_come_after_a_blank_or_an_equals_sign)
{
    sl_options o;
    ck_assert_int_eq(parse(&o, "--data=x=y", "--port", "0", "--upload-rate=5"), SL_OK);
    ck_assert_str_eq(o.data, "x=y");
    ck_assert_int_eq(o.port, 0);
    ck_assert_int_eq(o.upload_rate, 5);
}
END_TEST

START_TEST(options__a_port_ends_at_65535)
{
    sl_options o;
    ck_assert_int_eq(parse(&o, "--data=d", "--port", "65535", NULL), SL_OK);
    ck_assert_int_eq(parse(&o, "--data=d", "--port", "65536", NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, "--data=d", "--port", "-1", NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, "--data=d", "--port", "", NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, "--data=d", "--port", "1x", NULL), SL_E_INVALID);
}
END_TEST

START_TEST(options__tls_is_of_version_1_3_unless_1_2_is_asked_for)
{
    sl_options o;
    ck_assert_int_eq(parse(&o, "--data=d", "--tls-cert=c", "--tls-key=k", NULL), SL_OK);
    ck_assert(!o.tls_old);
    ck_assert_int_eq(parse(&o, "--data=d", "--tls-min", "1.3", NULL), SL_OK);
    ck_assert(!o.tls_old);
    ck_assert_int_eq(parse(&o, "--data=d", "--tls-min", "1.2", NULL), SL_OK);
    ck_assert(o.tls_old);
    ck_assert_int_eq(parse(&o, "--data=d", "--tls-min", "1.1", NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, "--data=d", "--tls-min", "1", NULL), SL_E_INVALID);
}
END_TEST

START_TEST(options__what_is_not_known_is_refused)
{
    sl_options o;
    ck_assert_int_eq(parse(&o, "--data=d", "--wrong", NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, "--data=d", "folder", NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, "--data=d", "--port", NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, "--data=", NULL, NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, "--dat=d", NULL, NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, NULL, NULL, NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, "--help", NULL, NULL, NULL), SL_OK);
}
END_TEST

/* ---- guard ---- */

static int32_t guard(const char *length, const char *coding, const char *host)
{
    sl_guard_in in = {.content_length = length, .transfer_encoding = coding, .host = host};
    int64_t n = -1;
    const char *why = NULL;
    int32_t status = sl_guard_check(&in, 1000, &n, &why);
    ck_assert_int_eq(status == 0, why[0] == '\0');
    return status;
}

START_TEST(guard__a_plain_length_is_taken)
{
    sl_guard_in in = {.content_length = "1000", .host = "h"};
    int64_t n = -1;
    const char *why = NULL;
    ck_assert_int_eq(sl_guard_check(&in, 1000, &n, &why), 0);
    ck_assert_int_eq(n, 1000);
    in.content_length = NULL;
    ck_assert_int_eq(sl_guard_check(&in, 1000, &n, &why), 0);
    ck_assert_int_eq(n, 0);
}
END_TEST

START_TEST(guard__more_than_the_limit_is_413)
{
    ck_assert_int_eq(guard("1000", NULL, "h"), 0);
    ck_assert_int_eq(guard("1001", NULL, "h"), 413);
}
END_TEST

START_TEST(guard__a_length_that_is_no_plain_number_is_400)
{
    static const char *const bad[] = {
        "", "+5", "-1", " 5", "5 ", "5, 5", "5,  6", "0x5", "5.0", "a", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(guard(bad[i], NULL, "h"), 400);
    }
}
END_TEST

START_TEST(guard__chunks_are_411_and_with_a_length_400)
{
    ck_assert_int_eq(guard(NULL, "chunked", "h"), 411);
    ck_assert_int_eq(guard(NULL, "identity", "h"), 411);
    ck_assert_int_eq(guard("5", "chunked", "h"), 400);
}
END_TEST

START_TEST(guard__exactly_one_host_is_needed)
{
    ck_assert_int_eq(guard(NULL, NULL, NULL), 400);
    ck_assert_int_eq(guard(NULL, NULL, ""), 400);
    ck_assert_int_eq(guard(NULL, NULL, "a,  b"), 400);
    ck_assert_int_eq(guard(NULL, NULL, "a.example:80"), 0);
    sl_guard_in in = {.old_http = true};
    int64_t n = 0;
    const char *why = NULL;
    ck_assert_int_eq(sl_guard_check(&in, 1000, &n, &why), 0);
}
END_TEST

/* ---- origins ---- */

START_TEST(origin__our_own_pages_and_what_is_no_browser_are_let_in)
{
    const sl_origins none = {.count = 0};
    ck_assert(sl_origin_ok(&none, NULL, "a.example"));
    ck_assert(sl_origin_ok(&none, "http://a.example", "a.example"));
    ck_assert(sl_origin_ok(&none, "http://a.example", "A.Example:80"));
    ck_assert(
        sl_origin_ok(&none, "https://a.example", "a.example")); /* a proxy speaks TLS for us */
    ck_assert(sl_origin_ok(&none, "https://a.example", "a.example:443"));
    ck_assert(sl_origin_ok(&none, "http://127.0.0.1:7420", "127.0.0.1:7420"));
    ck_assert(sl_origin_ok(&none, "http://[::1]:7420", "[::1]:7420"));
}
END_TEST

START_TEST(origin__pages_of_others_are_not)
{
    static const char *const foreign[] = {"http://evil.example",
                                          "null",
                                          "",
                                          "a.example",
                                          "http://",
                                          "http://:80",
                                          "http://a.example:8080",
                                          "http://a.example.evil.org",
                                          "http://evil.org/a.example",
                                          "http://a.example/",
                                          "http://a.example@evil.org",
                                          "file://a.example",
                                          "http://a.example, http://evil.org",
                                          "http://evil.org, http://a.example",
                                          "http://xa.example",
                                          "http://a.exampl",
                                          "ws://a.example",
                                          "https://a.example:80"};
    const sl_origins none = {.count = 0};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        ck_assert_msg(!sl_origin_ok(&none, foreign[i], "a.example"), "%s", foreign[i]);
    }
    ck_assert(!sl_origin_ok(&none, "http://a.example", ""));
    ck_assert(!sl_origin_ok(&none, "http://a.example", NULL));
    const sl_origins tls = {.tls = true};
    ck_assert(sl_origin_ok(&tls, "https://a.example", "a.example"));
    ck_assert(!sl_origin_ok(&tls, "http://a.example", "a.example"));
}
END_TEST

START_TEST(origin__those_that_are_allowed_are_let_in_as_they_are_written_and_no_others)
{
    const sl_origins o = {.allowed = {"https://app.example.org/", "http://localhost:5173"},
                          .count = 2,
                          .public_url = "https://sideline.example:443/here"};
    ck_assert(sl_origin_ok(&o, "https://app.example.org", "inside:7420"));
    ck_assert(sl_origin_ok(&o, "https://APP.example.org:443", "inside:7420"));
    ck_assert(sl_origin_ok(&o, "http://localhost:5173", "inside:7420"));
    ck_assert(sl_origin_ok(&o, "https://sideline.example", "inside:7420"));
    ck_assert(!sl_origin_ok(&o, "http://app.example.org", "inside:7420"));
    ck_assert(!sl_origin_ok(&o, "https://app.example.org:8443", "inside:7420"));
    ck_assert(!sl_origin_ok(&o, "https://x.app.example.org", "inside:7420"));
    ck_assert(!sl_origin_ok(&o, "http://localhost", "inside:7420"));
    ck_assert(!sl_origin_ok(&o, "http://sideline.example", "inside:7420"));
}
END_TEST

START_TEST(options__origins_add_up_and_are_urls)
{
    sl_options o;
    ck_assert_int_eq(
        parse(&o, "--data=d", "--origin=https://a.example", "--origin", "http://b.example:81"),
        SL_OK);
    ck_assert_uint_eq(o.origins.count, 2);
    ck_assert_str_eq(o.origins.allowed[1], "http://b.example:81");
    ck_assert_int_eq(parse(&o, "--data=d", "--origin", "a.example", NULL), SL_E_INVALID);
    ck_assert_int_eq(parse(&o, "--data=d", "--origin", "*", NULL), SL_E_INVALID);
    char *argv[SL_ORIGINS_MAX + 3];
    argv[0] = argv[1] = (char *)(uintptr_t) "--data=d";
    for (size_t i = 2; i < SL_ORIGINS_MAX + 3; i++) {
        argv[i] = (char *)(uintptr_t) "--origin=https://a.example";
    }
    ck_assert_int_eq(sl_options_parse(SL_ORIGINS_MAX + 2, argv, &o, NULL), SL_OK);
    ck_assert_int_eq(sl_options_parse(SL_ORIGINS_MAX + 3, argv, &o, NULL), SL_E_INVALID);
}
END_TEST

/* ---- where they come from ---- */

START_TEST(peer__the_last_of_a_list_is_what_our_proxy_has_added)
{
    char text[SL_PEER_TEXT];
    sl_peer_forwarded("10.0.0.1", text);
    ck_assert_str_eq(text, "10.0.0.1");
    sl_peer_forwarded("192.0.2.1, 10.0.0.1,\t 198.51.100.7 ", text);
    ck_assert_str_eq(text, "198.51.100.7");
    sl_peer_forwarded("192.0.2.1,", text);
    ck_assert_str_eq(text, "");
    char longer[3 * SL_PEER_TEXT];
    memset(longer, '1', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    sl_peer_forwarded(longer, text);
    ck_assert_uint_eq(strlen(text), SL_PEER_TEXT - 1);
}
END_TEST

START_TEST(peer__connections_are_counted_by_address_and_by_network)
{
    static const char *const from[] = {"192.0.2.1",         "::ffff:192.0.2.1",  "192.0.2.2",
                                       "2001:db8:1:2:a::1", "2001:db8:1:2:b::9", "2001:db8:1:3::1"};
    enum {
        N = sizeof from / sizeof from[0]
    };
    static sl_peers all;
    sl_peer one[N] = {{.counted = false}};
    uint8_t key[N][SL_PEER_BYTES];
    memset(&all, 0, sizeof all);
    for (size_t i = 0; i < N; i++) {
        ck_assert(sl_peer_key(from[i], key[i]));
        ck_assert_uint_eq(sl_peers_count(&all, key[i]), i == 1 || i == 4 ? 1 : 0);
        sl_peers_add(&all, &one[i], key[i]);
    }
    ck_assert_uint_eq(sl_peers_count(&all, key[0]), 2); /* mapped it is the same */
    ck_assert_uint_eq(sl_peers_count(&all, key[3]), 2); /* one network */
    ck_assert_uint_eq(sl_peers_count(&all, key[5]), 1);
    sl_peers_remove(&all, &one[0]);
    sl_peers_remove(&all, &one[0]);
    ck_assert_uint_eq(sl_peers_count(&all, key[0]), 1);
    for (size_t i = 0; i < N; i++) {
        sl_peers_remove(&all, &one[i]);
        ck_assert_uint_eq(sl_peers_count(&all, key[i]), i == 0 || i == 3 ? 1 : 0);
    }
    ck_assert(!sl_peer_key("", key[0]));
    ck_assert(!sl_peer_key("unknown", key[0]));
    ck_assert(!sl_peer_key("192.0.2.1:80", key[0]));
}
END_TEST

START_TEST(options__connections_have_limits_unless_nothing_has)
{
    sl_options o;
    ck_assert_int_eq(parse(&o, "--data=d", NULL, NULL, NULL), SL_OK);
    ck_assert_int_eq(o.address_conns, 1000);
    ck_assert_int_eq(o.user_conns, 100);
    ck_assert_int_eq(parse(&o, "--data=d", "--no-limits", NULL, NULL), SL_OK);
    ck_assert_int_eq(o.address_conns, 0);
    ck_assert_int_eq(o.user_conns, 0);
    ck_assert_int_eq(
        parse(&o, "--data=d", "--no-limits", "--address-connections=7", "--user-connections=0"),
        SL_OK);
    ck_assert_int_eq(o.address_conns, 7);
    ck_assert_int_eq(o.user_conns, 0);
    ck_assert_int_eq(parse(&o, "--data=d", "--user-connections", "-1", NULL), SL_E_INVALID);
}
END_TEST

/* ---- answers ---- */

START_TEST(reply__the_head_has_the_bodys_length)
{
    sl_http_out out;
    sl_buf head = {0};
    sl_reply_error(&out, 404, "not \"here\"");
    ck_assert(sl_reply_head(&head, &out, "", true));
    const char *text = sl_buf_text(&head);
    ck_assert_ptr_eq(strstr(text, "HTTP/1.1 404 Not Found\r\n"), text);
    ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Type: application/json\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Length: 46\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "\r\nConnection: close\r\n\r\n"));
    ck_assert_str_eq((const char *)sl_bytes_data(out.body),
                     "{\"error\":\"not_found\",\"message\":\"not \\\"here\\\"\"}");
    ck_assert_uint_eq(sl_bytes_len(out.body), 46);
    sl_buf_free(&head);
    sl_http_out_free(&out);
}
END_TEST

START_TEST(reply__every_answer_has_one_request_id)
{
    sl_http_out out;
    sl_buf head = {0};
    sl_reply_error(&out, 431, "too long");
    ck_assert(sl_reply_head(&head, &out, "01890000-0000-7000-8000-000000000001", true));
    ck_assert_ptr_nonnull(
        strstr(sl_buf_text(&head), "\r\nX-Request-Id: 01890000-0000-7000-8000-000000000001\r\n"));
    ck_assert_ptr_eq(strstr(sl_buf_text(&head), "HTTP/1.1 431 Request Header Fields Too Large"),
                     sl_buf_text(&head));
    sl_buf_free(&head);
    sl_http_out_free(&out);
    sl_http_out own = {.status = 200, .headers = sl_text_dup("X-Request-Id: mine\r\n")};
    memset(&head, 0, sizeof head);
    ck_assert(sl_reply_head(&head, &own, "other", false));
    ck_assert_ptr_nonnull(strstr(sl_buf_text(&head), "\r\nX-Request-Id: mine\r\n"));
    ck_assert_ptr_null(strstr(sl_buf_text(&head), "other"));
    sl_buf_free(&head);
    sl_http_out_free(&own);
}
END_TEST

START_TEST(reply__what_may_come_again_says_when)
{
    sl_http_out out;
    sl_reply_error(&out, 429, "too many");
    ck_assert_ptr_nonnull(strstr(out.headers, "Retry-After: 60\r\n"));
    ck_assert_str_eq((const char *)sl_bytes_data(out.body),
                     "{\"error\":\"rate_limit_exceeded\",\"retry_after\":60}");
    sl_http_out_free(&out);
    sl_reply_error(&out, 503, "busy");
    ck_assert_ptr_nonnull(strstr(out.headers, "Retry-After: 5\r\n"));
    sl_http_out_free(&out);
    sl_reply_error(&out, 400, "wrong");
    ck_assert_ptr_null(strstr(out.headers, "Retry-After"));
    sl_http_out_free(&out);
}
END_TEST

START_TEST(reply__a_length_given_by_the_service_stays)
{
    sl_http_out out = {.status = 200, .headers = sl_text_dup("content-LENGTH: 7\r\n")};
    sl_buf head = {0};
    ck_assert(sl_reply_head(&head, &out, "", false));
    const char *text = sl_buf_text(&head);
    ck_assert_ptr_null(strstr(text, "Content-Length"));
    ck_assert_ptr_null(strstr(text, "Connection"));
    sl_buf_free(&head);
    out.status = 204;
    sl_mem_free(out.headers);
    out.headers = NULL;
    memset(&head, 0, sizeof head);
    ck_assert(sl_reply_head(&head, &out, "", false));
    ck_assert_ptr_null(strstr(sl_buf_text(&head), "Content-Length"));
    sl_buf_free(&head);
}
END_TEST

START_TEST(reply__headers_that_end_the_head_early_are_refused)
{
    static const char *const bad[] = {"A: b\n", "A: b", "A b\r\n", "A: b\r\n\r\nbody", ": b\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *headers = sl_text_dup(bad[i]);
        sl_http_out out = {.status = 200, .headers = headers};
        sl_buf head = {0};
        ck_assert(!sl_reply_head(&head, &out, "", false));
        sl_buf_free(&head);
        sl_mem_free(headers);
    }
}
END_TEST

/* ---- passwords ---- */

static sl_status count_up(void *user, void *dst, size_t n)
{
    (void)user;
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)dst)[i] = (uint8_t)(i + 1);
    }
    return SL_OK;
}

START_TEST(password__a_hash_fits_its_own_secret_only)
{
    sl_random_ops random = {.struct_size = sizeof random, .fill = count_up};
    sl_platform platform = {.struct_size = sizeof platform, .random = &random};
    char *hash = NULL;
    ck_assert_int_eq(sl_password_hash(&platform, "secret", &hash, NULL), SL_OK);
    ck_assert_int_eq(strncmp(hash, "$2b$10$", 7), 0);
    ck_assert(sl_password_check("secret", hash));
    ck_assert(!sl_password_check("Secret", hash));
    ck_assert(!sl_password_check("", hash));
    sl_mem_free(hash);
    ck_assert(!sl_password_check("secret", "secret"));
    ck_assert(!sl_password_check("secret", "$2b$10$short"));
}
END_TEST

START_TEST(password__a_hash_of_a_lower_cost_is_old)
{
    ck_assert(sl_password_old("$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"));
    ck_assert(sl_password_old("$2b$09$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"));
    ck_assert(!sl_password_old("$2b$10$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"));
    ck_assert(!sl_password_old("$2b$12$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"));
    ck_assert(!sl_password_old("-")); /* no password is right */
}
END_TEST

START_TEST(password__a_published_hash_is_understood)
{
    /* A test vector of the bcrypt package of Python. */
    static const char hash[] = "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm";
    ck_assert(sl_password_check("Kk4DQuMMfZL9o", hash));
    ck_assert(!sl_password_check("Kk4DQuMMfZL9p", hash));
}
END_TEST

START_TEST(password__more_than_bcrypt_looks_at_is_refused)
{
    char secret[74];
    char *hash = NULL;
    memset(secret, 'x', sizeof secret);
    secret[73] = '\0';
    sl_random_ops random = {.struct_size = sizeof random, .fill = count_up};
    sl_platform platform = {.struct_size = sizeof platform, .random = &random};
    ck_assert_int_eq(sl_password_hash(&platform, secret, &hash, NULL), SL_E_LIMIT);
    secret[72] = '\0';
    ck_assert_int_eq(sl_password_hash(&platform, secret, &hash, NULL), SL_OK);
    sl_mem_free(hash);
}
END_TEST

/* ---- pool ---- */

enum {
    STRANDS = 8,
    WORKS = 200
};

typedef struct numbered {
    sl_work work;
    int strand;
    int number;
} numbered;

static struct {
    sl_mutex *lock;
    int next[STRANDS];
    int running[STRANDS];
    bool out_of_order;
} seen;

static void note(sl_work *work)
{
    const numbered *n = (const numbered *)(const void *)work;
    sl_lock(seen.lock);
    seen.running[n->strand]++;
    bool wrong = seen.running[n->strand] != 1 || seen.next[n->strand] != n->number;
    seen.out_of_order = seen.out_of_order || wrong;
    seen.next[n->strand]++;
    sl_unlock(seen.lock);
    sl_lock(seen.lock);
    seen.running[n->strand]--;
    sl_unlock(seen.lock);
}

START_TEST(pool__works_of_a_strand_run_one_after_the_other_and_all_run)
{
    static numbered works[STRANDS][WORKS];
    sl_strand strands[STRANDS] = {{NULL, NULL, NULL, false}};
    memset(&seen, 0, sizeof seen);
    memset(works, 0, sizeof works);
    seen.lock = sl_mutex_new();
    sl_pool *pool = sl_pool_new(4);
    ck_assert_ptr_nonnull(pool);
    for (int i = 0; i < WORKS; i++) {
        for (int s = 0; s < STRANDS; s++) {
            numbered *n = &works[s][i];
            n->work.run = note;
            n->strand = s;
            n->number = i;
            sl_pool_post(pool, &strands[s], &n->work);
        }
    }
    sl_pool_free(pool);
    ck_assert(!seen.out_of_order);
    for (int s = 0; s < STRANDS; s++) {
        ck_assert_int_eq(seen.next[s], WORKS);
    }
    sl_mutex_free(seen.lock);
}
END_TEST

typedef struct owner {
    sl_strand strand;
    sl_work work;
} owner;

static void free_owner(sl_work *work)
{
    sl_mem_free((char *)work - offsetof(owner, work));
}

START_TEST(pool__the_last_work_may_free_its_strand)
{
    sl_pool *pool = sl_pool_new(2);
    for (int i = 0; i < WORKS; i++) {
        owner *o = sl_mem(sizeof *o);
        ck_assert_ptr_nonnull(o);
        o->work.run = free_owner;
        o->work.last = true;
        sl_pool_post(pool, &o->strand, &o->work);
    }
    sl_pool_free(pool);
    sl_pool_free(NULL);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

SL_TEST_MAIN(
    "server", options__a_data_folder_is_enough,
    options__values_come_after_a_blank_or_an_equals_sign, options__a_port_ends_at_65535,
    options__tls_is_of_version_1_3_unless_1_2_is_asked_for, options__what_is_not_known_is_refused,
    guard__a_plain_length_is_taken, guard__more_than_the_limit_is_413,
    guard__a_length_that_is_no_plain_number_is_400, guard__chunks_are_411_and_with_a_length_400,
    guard__exactly_one_host_is_needed, origin__our_own_pages_and_what_is_no_browser_are_let_in,
    origin__pages_of_others_are_not,
    origin__those_that_are_allowed_are_let_in_as_they_are_written_and_no_others,
    options__origins_add_up_and_are_urls, peer__the_last_of_a_list_is_what_our_proxy_has_added,
    peer__connections_are_counted_by_address_and_by_network,
    options__connections_have_limits_unless_nothing_has, reply__every_answer_has_one_request_id,
    reply__what_may_come_again_says_when, reply__the_head_has_the_bodys_length,
    reply__a_length_given_by_the_service_stays, reply__headers_that_end_the_head_early_are_refused,
    password__a_hash_fits_its_own_secret_only, password__a_hash_of_a_lower_cost_is_old,
    password__a_published_hash_is_understood, password__more_than_bcrypt_looks_at_is_refused,
    pool__works_of_a_strand_run_one_after_the_other_and_all_run,
    pool__the_last_work_may_free_its_strand)
