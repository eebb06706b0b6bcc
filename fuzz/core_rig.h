/*
 * fuzz/core_rig.h - a core on a disk in memory whose server is the input: signed in, with a video that it
 * holds. What all inputs begin with is made once and copied.
 */
#ifndef SL_FUZZ_CORE_RIG_H
#define SL_FUZZ_CORE_RIG_H

#include "base/json.h"
#include "base/mem.h"
#include "base/prng.h"
#include "platform/sim/disk.h"
#include "sideline/sideline.h"

#include <stdlib.h>
#include <string.h>

#define RIG_USER  "01890000-0000-7000-8000-00000000000a"
#define RIG_VIDEO "01890000-0000-7000-8000-000000000002"
#define RIG_EPOCH "01890000-0000-7000-8000-0000000000ee"

typedef struct rig {
    sl_disk *disk; /* first: sl_disk_files looks for it here */
    sl_prng prng;
    int64_t now_ms;
    sl_core *core;
    sl_id request;
    sl_id ws;     /* 0: none */
    sl_id closed; /* by the core, which has not been told yet; 0: none */
} rig;

static sl_disk *rig_blank; /* what a core that was online has left */

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static int64_t rig_clock(void *user)
{
    return ((rig *)user)->now_ms;
}

static sl_status rig_random(void *user, void *dst, size_t n)
{
    uint8_t *p = dst;
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(sl_prng_next(&((rig *)user)->prng) >> 24);
    }
    return SL_OK;
}

static sl_status rig_http(void *user, sl_id req, const sl_http_request *request)
{
    (void)request;
    ((rig *)user)->request = req;
    return SL_OK;
}

static void rig_cancel(void *user, sl_id req)
{
    (void)user;
    (void)req;
}

static sl_status rig_ws(void *user, sl_id ws, const char *url, const char *subprotocol)
{
    (void)url;
    (void)subprotocol;
    ((rig *)user)->ws = ws;
    return SL_OK;
}

static sl_status rig_send(void *user, sl_id ws, int32_t kind, const uint8_t *p, size_t n)
{
    (void)user;
    (void)ws;
    (void)kind;
    (void)p;
    return n > 0 ? SL_OK : SL_E_INVALID;
}

static void rig_close_ws(void *user, sl_id ws, int32_t code, const char *reason)
{
    rig *r = user;
    (void)code;
    (void)reason;
    r->ws = r->ws == ws ? 0 : r->ws;
    r->closed = ws;
}

/* Lets the core work, and takes what it has to say. */
static void rig_step(rig *r)
{
    sl_bytes *said = NULL;
    r->now_ms += 10;
    if (r->closed != 0) {
        sl_host_ws_closed(r->core, r->closed, 1000);
        r->closed = 0;
    }
    (void)sl_core_step(r->core);
    must(sl_core_poll(r->core, 10000, &said, NULL) == SL_OK);
    must(said == NULL || sl_json_ok((const char *)sl_bytes_data(said), sl_bytes_len(said)));
    sl_bytes_release(said);
}

static void rig_answer(rig *r, int32_t status, const char *body)
{
    sl_id request = r->request;
    if (request != 0) {
        r->request = 0;
        sl_host_http_head(r->core, request, status, "Content-Type: application/json\r\n");
        sl_host_http_data(r->core, request, (const uint8_t *)body, strlen(body));
        sl_host_http_done(r->core, request, SL_OK);
        rig_step(r);
    }
}

static void rig_frame(rig *r, int32_t kind, const void *p, size_t n)
{
    if (r->ws != 0) {
        sl_host_ws_message(r->core, r->ws, kind, p, n);
        rig_step(r);
    }
}

static void rig_say(rig *r, const char *text)
{
    rig_frame(r, SL_WS_TEXT, text, strlen(text));
}

static void rig_open(rig *r, bool binary)
{
    static const sl_clock_ops clock = {
        .struct_size = sizeof(sl_clock_ops), .mono_ms = rig_clock, .wall_ms = rig_clock};
    static const sl_random_ops random = {sizeof(sl_random_ops), 0, rig_random};
    static const sl_http_ops http = {sizeof(sl_http_ops), 0, rig_http, rig_cancel};
    static const sl_ws_ops ws = {sizeof(sl_ws_ops), 0, rig_ws, rig_send, rig_close_ws};
    sl_platform platform = {.struct_size = sizeof platform,
                            .user = r,
                            .clock = &clock,
                            .random = &random,
                            .files = &sl_disk_files,
                            .http = &http,
                            .ws = &ws};
    sl_config config = {.struct_size = sizeof config,
                        .flags = SL_CORE_STEPPED | (binary ? 0 : SL_CORE_PLAIN),
                        .dir = "core",
                        .server = "http://server.example/",
                        .platform = &platform};
    r->request = 0;
    r->ws = 0;
    r->closed = 0;
    must(sl_core_open(&config, &r->core, NULL) == SL_OK);
}

/* Until there is a socket, which has greeted unless frames are binary. */
static void rig_connect(rig *r, bool binary)
{
    static const char session[] =
        "{\"user\":{\"id\":\"" RIG_USER
        "\",\"email\":\"ann@example.org\",\"name\":\"Ann\",\"role\":"
        "\"athlete\"},\"access_token\":\"acc\",\"expires_in\":3600,\"refresh_token\":\"ref\"}";
    (void)sl_sync_control(r->core, SL_SYNC_START, NULL);
    for (int i = 0; i < 8 && r->ws == 0; i++) {
        rig_step(r);
        rig_answer(r, 200, session);
        r->now_ms += r->ws == 0 ? 60000 : 0;
    }
    if (r->ws != 0) {
        sl_host_ws_opened(r->core, r->ws);
        rig_step(r);
    }
    if (!binary) {
        rig_say(r, "{\"t\":\"connected\",\"user\":\"" RIG_USER "\",\"now\":1700000000000}");
    }
}

static void rig_make_blank(rig *r)
{
    static const char who[] = "{\"email\":\"ann@example.org\",\"password\":\"correct-horse\"}";
    static const char *const frames[] = {
        "{\"t\":\"page\",\"space\":\"user:" RIG_USER "\",\"epoch\":\"" RIG_EPOCH
        "\",\"from\":0,\"to\":1,\"more\":false,\"records\":[{\"entity\":\"grant\",\"id\":"
        "\"01890000-0000-7000-8000-000000000009\",\"space\":\"user:" RIG_USER
        "\",\"seq\":1,\"fields\":{\"target\":\"video:" RIG_VIDEO
        "\",\"role\":\"owner\"},\"clocks\":{}}]}",
        "{\"t\":\"subscribed\",\"space\":\"user:" RIG_USER "\",\"epoch\":\"" RIG_EPOCH
        "\",\"seq\":1,\"role\":\"owner\"}",
        "{\"t\":\"page\",\"space\":\"video:" RIG_VIDEO "\",\"epoch\":\"" RIG_EPOCH
        "\",\"from\":0,\"to\":1,\"more\":false,\"records\":[{\"entity\":\"video\",\"id\":\"" RIG_VIDEO
        "\",\"space\":\"video:" RIG_VIDEO
        "\",\"seq\":1,\"fields\":{\"title\":\"Serve\",\"owner_id\":\"" RIG_USER
        "\"},\"clocks\":{}}]}",
        "{\"t\":\"subscribed\",\"space\":\"video:" RIG_VIDEO "\",\"epoch\":\"" RIG_EPOCH
        "\",\"seq\":1,\"role\":\"owner\"}"};
    sl_id op = 0;
    rig_open(r, false);
    must(sl_session_login(r->core, who, strlen(who), &op, NULL) == SL_OK);
    rig_connect(r, false);
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        rig_say(r, frames[i]);
    }
    sl_core_close(r->core);
    rig_blank = sl_disk_new(1);
    must(rig_blank != NULL && sl_disk_copy(rig_blank, r->disk));
}

static void rig_begin(rig *r)
{
    memset(r, 0, sizeof *r);
    sl_prng_seed(&r->prng, 1);
    r->now_ms = INT64_C(1700000000000);
    r->disk = sl_disk_new(1);
    must(r->disk != NULL);
    if (rig_blank == NULL) {
        rig_make_blank(r);
    }
    must(sl_disk_copy(r->disk, rig_blank));
}

/* How many records of an entity are to be seen. */
static int64_t rig_count(rig *r, const char *query)
{
    sl_bytes *rows = NULL;
    must(sl_query_once(r->core, query, strlen(query), &rows, NULL) == SL_OK);
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(rows), sl_bytes_len(rows));
    must(j != NULL);
    int64_t n = (int64_t)sl_json_count(j);
    sl_json_free(j);
    sl_bytes_release(rows);
    return n;
}

/* Whatever came, the folder opens again and answers. */
static void rig_end(rig *r)
{
    static const char query[] = "{\"from\":\"comment\",\"limit\":10000}";
    int64_t before = rig_count(r, query);
    sl_core_close(r->core);
    rig_open(r, false);
    must(rig_count(r, query) == before);
    sl_core_close(r->core);
    sl_disk_free(r->disk);
}

#endif
