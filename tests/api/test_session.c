/*
 * A core on host transport: the test is the host. It takes the core's requests and answers them
 * itself, as a shell with a transport of its own does. Public headers only.
 */
#include "support.h"

#include <sideline/sideline.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char g_dir[64];
static sl_platform g_base;
static sl_id g_request; /* the last one started */
static char g_url[200];
static char g_body[1000];

static sl_status on_start(void *user, sl_id req, const sl_http_request *request)
{
    (void)user;
    g_request = req;
    (void)snprintf(g_url, sizeof g_url, "%s %s", request->method, request->url);
    (void)snprintf(g_body, sizeof g_body, "%.*s", (int)request->body_len,
                   request->body != NULL ? (const char *)request->body : "");
    return SL_OK;
}

static void on_cancel(void *user, sl_id req)
{
    (void)user;
    (void)req;
}

static sl_status on_open(void *user, sl_id ws, const char *url, const char *subprotocol)
{
    (void)user;
    (void)ws;
    (void)url;
    (void)subprotocol;
    return SL_E_NETWORK;
}

static sl_status on_send(void *user, sl_id ws, int32_t kind, const uint8_t *p, size_t n)
{
    (void)user;
    (void)ws;
    (void)kind;
    (void)p;
    (void)n;
    return SL_E_NETWORK;
}

static void on_close(void *user, sl_id ws, int32_t code, const char *reason)
{
    (void)user;
    (void)ws;
    (void)code;
    (void)reason;
}

static const sl_http_ops HTTP = {sizeof HTTP, 0, on_start, on_cancel};
static const sl_ws_ops WS = {sizeof WS, 0, on_open, on_send, on_close};

static void setup(void)
{
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-session-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
    g_base.struct_size = sizeof g_base;
    ck_assert_int_eq(sl_platform_builtin(&g_base), SL_OK);
    g_request = 0;
}

static void teardown(void)
{
    char command[160];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", g_dir);
    ck_assert_int_eq(system(command), 0); /* NOLINT: the path is this test's own */
    if (g_base.release != NULL) {
        g_base.release(g_base.user);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

static sl_status open_with(const uint8_t *key, sl_core **core)
{
    sl_platform host = {.struct_size = sizeof host,
                        .user = g_base.user,
                        .clock = g_base.clock,
                        .random = g_base.random,
                        .files = g_base.files,
                        .http = &HTTP,
                        .ws = &WS};
    sl_config cfg = {.struct_size = sizeof cfg,
                     .flags = SL_CORE_STEPPED,
                     .dir = g_dir,
                     .server = "http://server.example/",
                     .platform = &host,
                     .key = key};
    return sl_core_open(&cfg, core, NULL);
}

static void answer(sl_core *core, int32_t status, const char *body)
{
    sl_host_http_head(core, g_request, status, "Content-Type: application/json\r\n");
    sl_host_http_data(core, g_request, (const uint8_t *)body, strlen(body));
    sl_host_http_done(core, g_request, SL_OK);
    (void)sl_core_step(core);
}

static const char *events(sl_core *core)
{
    static char text[2000];
    sl_bytes *b = NULL;
    ck_assert_int_eq(sl_core_poll(core, 10000, &b, NULL), SL_OK);
    (void)snprintf(text, sizeof text, "%s", b != NULL ? (const char *)sl_bytes_data(b) : "");
    sl_bytes_release(b);
    return text;
}

#define WHO "{\"email\":\"ann@example.org\",\"password\":\"correct-horse\"}"
#define SESSION(id)                                                                \
    "{\"user\":{\"id\":\"" id "\",\"email\":\"ann@example.org\",\"name\":\"Ann\"," \
    "\"role\":\"athlete\"},\"access_token\":\"acc-token\",\"expires_in\":3600,"    \
    "\"refresh_token\":\"refresh-token-in-the-clear\"}"
#define ANN  "01890000-0000-7000-8000-00000000000a"
#define MIKE "01890000-0000-7000-8000-00000000000b"

static sl_id log_in(sl_core *core)
{
    sl_id op = 0;
    ck_assert_int_eq(sl_session_login(core, WHO, strlen(WHO), &op, NULL), SL_OK);
    return op;
}

static bool whoami(sl_core *core, const char *what)
{
    sl_bytes *b = NULL;
    ck_assert_int_eq(sl_core_info(core, "session", &b, NULL), SL_OK);
    bool found = strstr((const char *)sl_bytes_data(b), what) != NULL;
    sl_bytes_release(b);
    return found;
}

/* True when a file of the data folder holds these bytes. */
static bool stored(const char *name, const char *what)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", g_dir, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return false;
    }
    static char bytes[1 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    size_t want = strlen(what);
    for (size_t i = 0; i + want <= n; i++) {
        if (memcmp(bytes + i, what, want) == 0) {
            return true;
        }
    }
    return false;
}

START_TEST(login__sends_what_the_server_needs_and_ends_with_one_event) /* [OP-1] */
{
    sl_core *core = NULL;
    ck_assert_int_eq(open_with(NULL, &core), SL_OK);
    (void)log_in(core);
    ck_assert_str_eq(g_url, "POST http://server.example/api/v1/auth/login");
    ck_assert_ptr_nonnull(strstr(g_body, "\"device\":\""));
    ck_assert_str_eq(events(core), "");
    answer(core, 200, SESSION(ANN));
    ck_assert_ptr_nonnull(strstr(events(core), "\"ok\":true"));
    ck_assert(whoami(core, "ann@example.org"));
    sl_core_close(core);
    ck_assert_int_eq(open_with(NULL, &core), SL_OK);
    ck_assert_msg(whoami(core, "ann@example.org"), "the session is kept");
    sl_core_close(core);
}
END_TEST

START_TEST(login__refused_or_unreachable_says_why)
{
    sl_core *core = NULL;
    ck_assert_int_eq(open_with(NULL, &core), SL_OK);
    (void)log_in(core);
    answer(core, 401, "{\"error\":\"unauthorized\",\"message\":\"Wrong e-mail or password\"}");
    ck_assert_ptr_nonnull(strstr(events(core), "\"SL_E_AUTH\",\"message\":\"Wrong e-mail or"));
    (void)log_in(core);
    sl_host_http_done(core, g_request, SL_E_NETWORK);
    (void)sl_core_step(core);
    ck_assert_ptr_nonnull(strstr(events(core), "http://server.example cannot be reached"));
    (void)log_in(core);
    answer(core, 200, "not json");
    ck_assert_ptr_nonnull(strstr(events(core), "\"ok\":false"));
    ck_assert(!whoami(core, "ann@example.org"));
    sl_core_close(core);
}
END_TEST

START_TEST(login__a_folder_belongs_to_its_first_user)
{
    sl_core *core = NULL;
    ck_assert_int_eq(open_with(NULL, &core), SL_OK);
    (void)log_in(core);
    answer(core, 200, SESSION(ANN));
    (void)events(core);
    ck_assert_int_eq(sl_session_logout(core, NULL), SL_OK);
    ck_assert(!whoami(core, "ann@example.org"));
    (void)log_in(core);
    answer(core, 200, SESSION(MIKE));
    ck_assert_ptr_nonnull(strstr(events(core), "\"SL_E_CONFLICT\""));
    sl_core_close(core);
}
END_TEST

START_TEST(key__seals_the_folder_and_the_session_with_it)
{
    static const uint8_t key[32] = {1, 2, 3};
    static const uint8_t other[32] = {9};
    sl_core *core = NULL;
    ck_assert_int_eq(open_with(key, &core), SL_OK);
    (void)log_in(core);
    answer(core, 200, SESSION(ANN));
    sl_core_close(core);
    ck_assert(!stored("sideline.db", "refresh-token-in-the-clear"));
    ck_assert(!stored("sideline.db-wal", "refresh-token-in-the-clear"));
    ck_assert(!stored("sideline.db", "SQLite format"));
    ck_assert_int_eq(open_with(NULL, &core), SL_E_DENIED);
    ck_assert_int_eq(open_with(other, &core), SL_E_DENIED);
    ck_assert_int_eq(open_with(key, &core), SL_OK);
    ck_assert(whoami(core, "ann@example.org"));
    sl_core_close(core);
}
END_TEST

/* The question that {"do":"oidc"} gave, and an address that came back for it. */
#define BACK                                                                                \
    "{\"state\":\"S\",\"nonce\":\"N\",\"verifier\":\"V\",\"issuer\":\"https://p.example\"," \
    "\"redirect_uri\":\"https://app.example/oidc\","                                        \
    "\"redirect\":\"https://app.example/oidc?code=C&state=S&iss=https%3A%2F%2Fp.example\"}"

static sl_status oidc(sl_core *core, const char *json)
{
    sl_id op = 0;
    return sl_session_oidc(core, json, strlen(json), &op, NULL);
}

START_TEST(oidc__a_code_that_is_missing_is_given_without_the_provider)
{
    sl_core *core = NULL;
    ck_assert_int_eq(open_with(NULL, &core), SL_OK);
    ck_assert_int_eq(oidc(core, "{\"code\":\"123456\"}"), SL_E_DENIED);
    ck_assert_int_eq(oidc(core, BACK), SL_OK);
    ck_assert_str_eq(g_url, "POST http://server.example/api/v1/auth/oidc");
    answer(core, 403,
           "{\"error\":\"mfa_required\",\"message\":\"a code\",\"ticket\":\"the-ticket\"}");
    ck_assert_ptr_nonnull(
        strstr(events(core), "\"name\":\"SL_E_DENIED\",\"message\":\"a code\",\"field\":\"code\""));
    static const int32_t statuses[] = {401, 200};
    for (size_t i = 0; i < 2; i++) { /* a slip of the finger, then the code */
        ck_assert_int_eq(oidc(core, "{\"code\":\"123456\"}"), SL_OK);
        ck_assert_str_eq(g_url, "POST http://server.example/api/v1/auth/oidc/step");
        ck_assert_ptr_nonnull(strstr(g_body, "\"ticket\":\"the-ticket\",\"code\":\"123456\""));
        answer(core, statuses[i], SESSION(ANN));
    }
    ck_assert_ptr_nonnull(strstr(events(core), "\"ok\":true"));
    ck_assert(whoami(core, "ann@example.org"));
    ck_assert_int_eq(oidc(core, "{\"code\":\"123456\"}"), SL_E_DENIED);
    sl_core_close(core);
}
END_TEST

START_TEST(signup__what_is_at_fault_is_named)
{
    sl_core *core = NULL;
    sl_id op = 0;
    ck_assert_int_eq(open_with(NULL, &core), SL_OK);
    ck_assert_int_eq(sl_session_signup(core, WHO, strlen(WHO), &op, NULL), SL_OK);
    answer(core, 422, "{\"error\":\"validation_failed\",\"fields\":{\"password\":\"too easy\"}}");
    ck_assert_ptr_nonnull(strstr(events(core), "\"message\":\"too easy\",\"field\":\"password\""));
    sl_core_close(core);
}
END_TEST

START_TEST(close__ends_with_a_request_still_out)
{
    sl_core *core = NULL;
    ck_assert_int_eq(open_with(NULL, &core), SL_OK);
    sl_id op = log_in(core);
    ck_assert_int_eq(sl_op_cancel(core, op), SL_OK);
    sl_host_http_done(core, g_request + 5, SL_OK); /* news about one that never was */
    (void)sl_core_step(core);
    sl_core_close(core);
}
END_TEST

SL_TEST_MAIN_WITH("session", setup, teardown,
                  login__sends_what_the_server_needs_and_ends_with_one_event,
                  login__refused_or_unreachable_says_why, login__a_folder_belongs_to_its_first_user,
                  key__seals_the_folder_and_the_session_with_it,
                  oidc__a_code_that_is_missing_is_given_without_the_provider,
                  signup__what_is_at_fault_is_named, close__ends_with_a_request_still_out)
