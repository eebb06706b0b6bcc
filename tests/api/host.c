#include "api/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char g_dir[64];
sl_platform g_base;
static sl_file_ops g_files;
sl_id g_request;
sl_id g_cancelled;
sl_id g_ws;
int32_t g_closed;
int64_t g_now_ms;
int32_t g_minute;
bool g_full;
char g_url[200];
unsigned g_refreshes;
char g_sent[8000];

static sl_status on_start(void *user, sl_id req, const sl_http_request *request)
{
    (void)user;
    g_request = req;
    (void)snprintf(g_url, sizeof g_url, "%s %s", request->method, request->url);
    g_refreshes += strstr(request->url, "/auth/refresh") != NULL ? 1 : 0;
    return SL_OK;
}

static void on_cancel(void *user, sl_id req)
{
    (void)user;
    g_cancelled = req;
}

static sl_status on_open(void *user, sl_id ws, const char *url, const char *subprotocol)
{
    (void)user;
    (void)url;
    (void)subprotocol;
    g_ws = ws;
    return SL_OK;
}

static sl_status on_send(void *user, sl_id ws, int32_t kind, const uint8_t *p, size_t n)
{
    (void)user;
    (void)ws;
    (void)kind;
    size_t have = strlen(g_sent);
    (void)snprintf(g_sent + have, sizeof g_sent - have, "%.*s\n", (int)n, (const char *)p);
    return SL_OK;
}

static void on_close(void *user, sl_id ws, int32_t code, const char *reason)
{
    (void)user;
    (void)ws;
    (void)reason;
    g_closed = code;
}

static sl_status on_write(void *user, void *file, const void *src, size_t n, int64_t at)
{
    return g_full ? SL_E_FULL : g_base.files->write(user, file, src, n, at);
}

static int64_t on_mono(void *user)
{
    return g_now_ms != 0 ? g_now_ms : g_base.clock->mono_ms(user);
}

static int64_t on_wall(void *user)
{
    return g_base.clock->wall_ms(user);
}

static int32_t on_minute(void *user, int64_t wall_ms)
{
    (void)user;
    ck_assert_int_gt(wall_ms, 0);
    return g_minute;
}

static const sl_clock_ops CLOCK = {sizeof CLOCK, 0, on_mono, on_wall, on_minute};
static const sl_http_ops HTTP = {sizeof HTTP, 0, on_start, on_cancel};
static const sl_ws_ops WS = {sizeof WS, 0, on_open, on_send, on_close};

void host_set_up(void)
{
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-online-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
    g_base.struct_size = sizeof g_base;
    ck_assert_int_eq(sl_platform_builtin(&g_base), SL_OK);
    g_files = *g_base.files;
    g_files.write = on_write;
    g_request = 0;
    g_cancelled = 0;
    g_ws = 0;
    g_closed = 0;
    g_full = false;
    g_now_ms = 0;
    g_url[0] = 0;
    g_refreshes = 0;
    g_sent[0] = 0;
}

void host_tear_down(void)
{
    char command[160];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", g_dir);
    ck_assert_int_eq(system(command), 0); /* NOLINT: the path is this test's own */
    if (g_base.release != NULL) {
        g_base.release(g_base.user);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

sl_core *open_core(bool transport)
{
    sl_platform host = {.struct_size = sizeof host,
                        .user = g_base.user,
                        .clock = &CLOCK,
                        .random = g_base.random,
                        .files = &g_files,
                        .http = transport ? &HTTP : NULL,
                        .ws = transport ? &WS : NULL};
    sl_config cfg = {.struct_size = sizeof cfg,
                     .flags = SL_CORE_STEPPED | SL_CORE_PLAIN,
                     .dir = g_dir,
                     .server = "http://server.example/",
                     .platform = &host};
    sl_core *core = NULL;
    ck_assert_int_eq(sl_core_open(&cfg, &core, NULL), SL_OK);
    return core;
}

void answer(sl_core *core, sl_id request, int32_t status, const char *body)
{
    sl_host_http_head(core, request, status, "Content-Type: application/json\r\n");
    sl_host_http_data(core, request, (const uint8_t *)body, strlen(body));
    sl_host_http_done(core, request, SL_OK);
    (void)sl_core_step(core);
}

const char *events(sl_core *core)
{
    static char text[4000];
    sl_bytes *b = NULL;
    ck_assert_int_eq(sl_core_poll(core, 10000, &b, NULL), SL_OK);
    (void)snprintf(text, sizeof text, "%s", b != NULL ? (const char *)sl_bytes_data(b) : "");
    sl_bytes_release(b);
    return text;
}

bool info(sl_core *core, const char *what, const char *part)
{
    sl_bytes *b = NULL;
    ck_assert_int_eq(sl_core_info(core, what, &b, NULL), SL_OK);
    bool found = strstr((const char *)sl_bytes_data(b), part) != NULL;
    sl_bytes_release(b);
    return found;
}

void frame(sl_core *core, const char *text)
{
    sl_host_ws_message(core, g_ws, SL_WS_TEXT, (const uint8_t *)text, strlen(text));
    (void)sl_core_step(core);
}

sl_core *signed_in(void)
{
    static const char who[] = "{\"email\":\"ann@example.org\",\"password\":\"correct-horse\"}";
    sl_core *core = open_core(true);
    sl_id op = 0;
    ck_assert_int_eq(sl_session_login(core, who, strlen(who), &op, NULL), SL_OK);
    answer(core, g_request, 200, SESSION);
    ck_assert_int_eq(sl_sync_control(core, SL_SYNC_START, NULL), SL_OK);
    (void)sl_core_step(core);
    (void)events(core);
    return core;
}

sl_core *online(bool video)
{
    sl_core *core = signed_in();
    sl_host_ws_opened(core, g_ws);
    (void)sl_core_step(core);
    frame(core, "{\"t\":\"connected\",\"user\":\"" ANN "\",\"now\":5}");
    if (video) {
        frame(core, "{\"t\":\"page\",\"space\":\"" OWN "\",\"epoch\":\"" EPOCH
                    "\",\"from\":0,\"to\":1,\"more\":false,\"records\":[{\"entity\":\"grant\","
                    "\"id\":\"01890000-0000-7000-8000-000000000009\",\"space\":\"" OWN
                    "\",\"seq\":1,\"fields\":{\"target\":\"" VIDEO
                    "\",\"role\":\"owner\"},\"clocks\":{}}]}");
    }
    frame(core, video ? "{\"t\":\"subscribed\",\"space\":\"" OWN "\",\"epoch\":\"" EPOCH
                        "\",\"seq\":1,\"role\":\"owner\"}"
                      : "{\"t\":\"subscribed\",\"space\":\"" OWN "\",\"epoch\":\"" EPOCH
                        "\",\"seq\":0,\"role\":\"owner\"}");
    if (video) {
        frame(core, "{\"t\":\"subscribed\",\"space\":\"" VIDEO "\",\"epoch\":\"" EPOCH
                    "\",\"seq\":0,\"role\":\"owner\"}");
    }
    (void)events(core);
    return core;
}
