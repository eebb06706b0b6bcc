/*
 * The data folder that the load generator's sidelined serves: made by the service itself in this process,
 * with passwords that are not hashed, because ten thousand of them would take an hour.
 */
#include "load.h"

#include "base/json.h"
#include "base/mem.h"
#include "platform/posix/posix.h"
#include "server/db_sqlite.h"
#include "service/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct seed {
    sl_service *service;
    sl_db db;
    sl_platform platform;
    const char *token; /* of the request under way */
} seed;

static void port_send(void *user, sl_id conn, const void *p, size_t n)
{
    (void)user, (void)conn, (void)p, (void)n;
}

static void port_close(void *user, sl_id conn, int32_t code, const char *reason)
{
    (void)user, (void)conn, (void)code, (void)reason;
}

static sl_status port_hash(void *user, const char *secret, char **out, sl_error **err)
{
    (void)user, (void)err;
    *out = sl_text_dup(secret);
    return *out != NULL ? SL_OK : SL_E_NOMEM;
}

static bool port_check(void *user, const char *secret, const char *hash)
{
    (void)user;
    return strcmp(secret, hash) == 0;
}

static const char *header(void *ctx, const char *name)
{
    static char value[LOAD_TOKEN_MAX + 8];
    const seed *s = ctx;
    if (s->token == NULL || strcmp(name, "authorization") != 0) {
        return NULL;
    }
    (void)snprintf(value, sizeof value, "Bearer %s", s->token);
    return value;
}

static sl_json *post(seed *s, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static sl_json *post(seed *s, const char *path, const char *fmt, ...)
{
    char body[2000];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(body, sizeof body, fmt, args);
    va_end(args);
    sl_http_in in = {.method = "POST",
                     .path = path,
                     .query = "",
                     .header = header,
                     .ctx = s,
                     .body = (const uint8_t *)body,
                     .body_len = (size_t)n};
    sl_http_out out;
    memset(&out, 0, sizeof out);
    sl_service_http(s->service, &in, &out);
    const char *text = out.body != NULL ? (const char *)sl_bytes_data(out.body) : "";
    sl_json *j = sl_json_parse(text, out.body != NULL ? sl_bytes_len(out.body) : 0);
    if (out.status / 100 != 2 || j == NULL) {
        load_die("the seed: %s answers %d %s", path, (int)out.status, text);
    }
    sl_http_out_free(&out);
    return j;
}

static void must(sl_status status, sl_error *err, const char *what)
{
    if (status != SL_OK) {
        load_die("%s: %s", what, err != NULL ? sl_error_message(err) : sl_status_name(status));
    }
}

static void uuid_of(char out[SL_UUID_LEN + 1], uint32_t number)
{
    uint8_t random[10] = {0};
    memcpy(random + 6, &number, sizeof number);
    sl_uuid7(out, INT64_C(1790000000000), random);
}

/* The i-th client's session: the first two of a group sign up, the others sign in as these. */
static void take_session(seed *s, load_who *who, size_t i)
{
    size_t group = i / LOAD_GROUP;
    bool athlete = i % 2 == 0;
    uuid_of(who->device, (uint32_t)i + 1);
    s->token = NULL;
    bool new = i % LOAD_GROUP < 2;
    sl_json *j = post(s, new ? "/api/v1/auth/signup" : "/api/v1/auth/login",
                      "{\"email\":\"%s%zu@example.org\",\"password\":\"a long enough password\","
                      "\"device\":\"%s\"%s%s}",
                      athlete ? "a" : "c", group, who->device,
                      new ? ",\"name\":\"N\",\"birth_date\":\"1990-01-31\",\"role\":" : "",
                      !new      ? ""
                      : athlete ? "\"athlete\""
                                : "\"coach\"");
    const char *token = sl_json_str(j, "access_token");
    const char *user = sl_json_str(sl_json_get(j, "user"), "id");
    (void)snprintf(who->user, sizeof who->user, "%s", user);
    who->token = strdup(token);
    sl_json_free(j);
}

static bool take_thread(void *ctx, const sl_cell *cells, size_t n)
{
    (void)n;
    (void)snprintf(ctx, SL_SPACE_MAX, "thread:%s", sl_cell_str(&cells[0]));
    return false;
}

/* The two people of a group connect, which makes their thread. */
static void connect_two(seed *s, load_who *who, size_t group)
{
    char id[SL_UUID_LEN + 1];
    char own[SL_SPACE_MAX];
    sl_error *err = NULL;
    uuid_of(id, (uint32_t)group + 1000000);
    s->token = who[0].token;
    sl_json_free(post(s, "/api/v1/sync/push",
                      "{\"ops\":[{\"n\":1,\"op\":\"create\",\"entity\":\"connection\",\"space\":"
                      "\"user:%s\",\"id\":\"%s\",\"fields\":{\"peer_email\":\"c%zu@example.org\"},"
                      "\"hlc\":\"000000000001000000000001\"}]}",
                      who[0].user, id, group));
    s->token = who[1].token;
    sl_json_free(post(s, "/api/v1/sync/push",
                      "{\"ops\":[{\"n\":1,\"op\":\"patch\",\"entity\":\"connection\",\"space\":"
                      "\"user:%s\",\"id\":\"%s\",\"fields\":{\"status\":\"accepted\"},"
                      "\"hlc\":\"000000000001000000000002\"}]}",
                      who[1].user, id));
    (void)snprintf(own, sizeof own, "user:%s", who[1].user);
    const sl_cell args[] = {sl_cell_text(own), sl_cell_text(id)};
    must(s->db.run(s->db.user, "SELECT thread_id FROM connection WHERE space=$1 AND id=$2", args, 2,
                   take_thread, who[0].space, &err),
         err, "the thread");
    for (size_t i = 1; i < LOAD_GROUP; i++) {
        memcpy(who[i].space, who[0].space, sizeof who[i].space);
    }
}

/* The athlete's video, on which the coach draws too. */
static void share_video(seed *s, load_who *who, size_t group)
{
    char id[SL_UUID_LEN + 1];
    uuid_of(id, (uint32_t)group + 3000000);
    (void)snprintf(who[0].video, sizeof who[0].video, "video:%s", id);
    s->token = who[0].token;
    sl_json_free(post(
        s, "/api/v1/sync/push",
        "{\"ops\":[{\"n\":3,\"op\":\"create\",\"entity\":\"video\",\"space\":\"%s\",\"id\":\"%s\","
        "\"fields\":{\"title\":\"Swing\",\"blob\":\"%064d\",\"media_type\":\"video/mp4\",\"size\":1,"
        "\"duration_us\":1,\"width\":2,\"height\":2},\"hlc\":\"000000000003000000000001\"},"
        "{\"n\":4,\"op\":\"create\",\"entity\":\"share\",\"space\":\"%s\",\"id\":\"%s\","
        "\"fields\":{\"user_id\":\"%s\",\"role\":\"coach\"},\"hlc\":\"000000000004000000000001\"}]}",
        who[0].video, id, 0, who[0].video, id, who[1].user));
    for (size_t i = 1; i < LOAD_GROUP; i++) {
        memcpy(who[i].video, who[0].video, sizeof who[i].video);
    }
}

static void write_record(seed *s, const load_who *who, char record[SL_UUID_LEN + 1])
{
    uuid_of(record, 2000000);
    s->token = who->token;
    sl_json_free(post(s, "/api/v1/sync/push",
                      "{\"ops\":[{\"n\":5,\"op\":\"create\",\"entity\":\"message\",\"space\":"
                      "\"%s\",\"id\":\"%s\",\"fields\":{\"kind\":\"text\",\"body\":\"one record\"},"
                      "\"hlc\":\"000000000002000000000001\"}]}",
                      who->space, record));
}

load_who *load_seed(const char *dir, size_t count, char record[SL_UUID_LEN + 1])
{
    char path[300];
    sl_error *err = NULL;
    seed s = {.platform = {.struct_size = sizeof s.platform,
                           .clock = &sl_posix_clock,
                           .random = &sl_posix_random,
                           .files = &sl_posix_files}};
    load_who *who = calloc(count, sizeof *who);
    sl_service_ports ports = {.platform = &s.platform,
                              .user = &s,
                              .send = port_send,
                              .close = port_close,
                              .hash_password = port_hash,
                              .check_password = port_check};
    sl_service_config config = {.dir = dir};
    if (who == NULL) {
        load_die("out of memory");
    }
    (void)snprintf(path, sizeof path, "%s/server.db", dir);
    must(sl_db_sqlite_open(path, NULL, &ports.db, &err), err, "the database");
    must(ports.db.run(ports.db.user, "PRAGMA synchronous=OFF", NULL, 0, NULL, NULL, &err), err,
         "the database");
    s.db = ports.db;
    must(sl_service_open(&ports, &config, &s.service, &err), err, "the service");
    for (size_t i = 0; i < count; i++) {
        take_session(&s, &who[i], i);
        if (i % LOAD_GROUP == LOAD_GROUP - 1) {
            load_who *group = &who[i + 1 - LOAD_GROUP];
            connect_two(&s, group, i / LOAD_GROUP);
            share_video(&s, group, i / LOAD_GROUP);
        }
    }
    write_record(&s, &who[0], record);
    sl_service_close(s.service);
    return who;
}
