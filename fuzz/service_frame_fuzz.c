/*
 * fuzz/service_frame_fuzz.c - frames and requests from a signed-in user, line by line, against a
 * service over a database in memory.
 *
 * A line "P path body" is a POST, "H METHOD path|name: value|..|body" a request of the user's with
 * headers; every other line is a frame. "@T" stands for a valid token, "@U" for the user's id, "@L" for
 * where the last upload is, so that inputs get past the door. Input that begins with a byte 1
 * is binary frames on a connection that has greeted, each behind its length (two bytes, low first).
 */
#include "service_rig.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/prng.h"
#include "crypto/key.h"
#include "platform/sim/disk.h"
#include "server/db_sqlite.h"
#include "sync/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct rig {
    sl_disk *disk; /* first: sl_disk_files looks for it here */
    sl_prng prng;
    int64_t now_ms;
    sl_service *s;
    char *token;
    char *user;
    char *place;
    sl_wire wire; /* the client's end */
    sl_frame_in *in;
} rig;

static int64_t clock_ms(void *user)
{
    return ((rig *)user)->now_ms;
}

static sl_status random_fill(void *user, void *dst, size_t n)
{
    uint8_t *p = dst;
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(sl_prng_next(&((rig *)user)->prng) >> 24);
    }
    return SL_OK;
}

/* What the service sends can always be read. */
static void see_send(void *user, sl_id conn, const void *p, size_t n)
{
    rig *r = user;
    sl_frame f;
    (void)conn;
    if (sl_frame_read(r->in, &r->wire, p, n, &f, NULL) != SL_OK || f.kind == SL_FRAME_NONE) {
        abort();
    }
}

static const sl_clock_ops CLOCK = {
    .struct_size = sizeof(sl_clock_ops), .mono_ms = clock_ms, .wall_ms = clock_ms};
static const sl_random_ops RANDOM = {sizeof(sl_random_ops), 0, random_fill};

static sl_json *post(rig *r, const char *path, const char *body, size_t n)
{
    sl_http_in in = {"POST", path, "", no_header, NULL, (const uint8_t *)body, n, false, NULL};
    sl_http_out out;
    sl_service_http(r->s, &in, &out);
    if (out.status < 200 || out.status > 599) {
        abort();
    }
    sl_json *j = out.body != NULL
                     ? sl_json_parse((const char *)sl_bytes_data(out.body), sl_bytes_len(out.body))
                     : NULL;
    sl_http_out_free(&out);
    return j;
}

static char *read_key(rig *r)
{
    static char *pem;
    if (pem == NULL) {
        sl_key *key = NULL;
        if (sl_key_generate(2048, random_fill, r, &key, NULL) != SL_OK ||
            sl_key_to_pem(key, &pem, NULL) != SL_OK) {
            abort();
        }
        sl_key_free(key);
    }
    return pem;
}

static void open_rig(rig *r, sl_platform *platform)
{
    static const char signup[] =
        "{\"email\":\"a@b.c\",\"password\":\"long enough\",\"name\":\"A\",\"role\":\"coach\","
        "\"birth_date\":\"1990-01-31\","
        "\"device\":\"018b0000-0000-7000-8000-000000000001\"}";
    sl_prng_seed(&r->prng, 1);
    r->disk = sl_disk_new(1);
    if (r->disk == NULL) {
        abort();
    }
    r->now_ms = INT64_C(1700000000000);
    *platform = (sl_platform){.struct_size = sizeof *platform,
                              .user = r,
                              .clock = &CLOCK,
                              .random = &RANDOM,
                              .files = &sl_disk_files};
    sl_service_ports ports = {.platform = platform,
                              .user = r,
                              .send = see_send,
                              .close = no_close,
                              .hash_password = hash,
                              .check_password = check};
    sl_service_config config = {.dir = "none", .key_pem = read_key(r)};
    if (sl_db_sqlite_open(":memory:", NULL, &ports.db, NULL) != SL_OK ||
        sl_service_open(&ports, &config, &r->s, NULL) != SL_OK) {
        abort();
    }
    sl_json *j = post(r, "/api/v1/auth/signup", signup, strlen(signup));
    r->token = sl_text_dup(sl_json_str(j, "access_token"));
    r->user = sl_text_dup(sl_json_str(sl_json_get(j, "user"), "id"));
    sl_json_free(j);
}

/* The text with what the signs stand for in their place. */
static void fill_in(const rig *r, sl_buf *b, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char sign = p[i] == '@' && i + 1 < n ? p[i + 1] : 0;
        const char *is = sign == 'T'   ? r->token
                         : sign == 'U' ? r->user
                         : sign == 'L' ? r->place
                                       : NULL;
        if (is != NULL) {
            sl_buf_str(b, is);
            i++;
        } else {
            sl_buf_u8(b, (uint8_t)p[i]);
        }
    }
}

static void frame(rig *r, const char *p, size_t n)
{
    sl_buf b = {0};
    fill_in(r, &b, p, n);
    sl_service_ws_message(r->s, 1, sl_buf_text(&b), b.len);
    sl_buf_free(&b);
}

/* "name: value" parts behind one another, each with a NUL behind it, an empty one at the end. */
static const char *header_of(void *ctx, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = ctx; *p != 0; p += strlen(p) + 1) {
        if (strncmp(p, name, n) == 0 && p[n] == ':') {
            return p + n + 1 + strspn(p + n + 1, " ");
        }
    }
    return NULL;
}

static void keep_place(rig *r, const sl_http_out *out)
{
    const char *at = out->headers != NULL ? strstr(out->headers, "Location: ") : NULL;
    if (at != NULL) {
        at += strlen("Location: ");
        sl_mem_free(r->place);
        r->place = sl_text_ndup(at, strcspn(at, "\r"));
    }
}

/* METHOD path|name: value|..|body */
static void request(rig *r, const char *p, size_t n)
{
    sl_buf b = {0};
    sl_http_out out;
    fill_in(r, &b, p, n);
    sl_buf_u8(&b, 0);
    sl_buf_u8(&b, 0);
    char *text = b.failed ? NULL : (char *)b.data;
    char *path = text != NULL ? strchr(text, ' ') : NULL;
    char *body = text != NULL ? strrchr(text, '|') : NULL;
    if (path == NULL || body == NULL || body < path) {
        sl_buf_free(&b);
        return;
    }
    *path++ = 0;
    size_t body_len = strlen(body + 1);
    *body = 0;
    char *headers = path + strcspn(path, "|");
    for (char *c = headers; c < body; c++) {
        *c = *c == '|' ? 0 : *c;
    }
    headers += headers < body ? 1 : 0;
    char *query = strchr(path, '?');
    if (query != NULL) {
        *query++ = 0;
    }
    sl_http_in in = {text,      path,    query != NULL ? query : "",
                     header_of, headers, (const uint8_t *)body + 1,
                     body_len,  false,   "192.0.2.1"};
    sl_service_http(r->s, &in, &out);
    if (out.status < 200 || out.status > 599) {
        abort();
    }
    keep_place(r, &out);
    sl_http_out_free(&out);
    sl_buf_free(&b);
}

static void line(rig *r, const char *p, size_t n)
{
    if (n > 2 && p[0] == 'H' && p[1] == ' ') {
        request(r, p + 2, n - 2);
        return;
    }
    const char *space = n > 2 && p[0] == 'P' && p[1] == ' ' ? memchr(p + 2, ' ', n - 2) : NULL;
    if (space == NULL) {
        frame(r, p, n);
        return;
    }
    char *path = sl_text_ndup(p + 2, (size_t)(space - p - 2));
    sl_json_free(post(r, path, space + 1, (size_t)(p + n - space - 1)));
    sl_mem_free(path);
}

/* Greets in binary, and lets the input speak. */
static void speak_binary(rig *r, const uint8_t *p, size_t left)
{
    sl_buf b = {0};
    sl_frame hello = {.kind = SL_FRAME_CONNECT,
                      .version = 1,
                      .token = r->token,
                      .device = "018b0000-0000-7000-8000-000000000001",
                      .floor = 1};
    r->wire.binary = true;
    sl_service_ws_open(r->s, 1, true);
    sl_frame_put(&r->wire, &b, &hello, NULL);
    sl_service_ws_message(r->s, 1, b.data, b.len);
    sl_buf_clear(&b);
    char space[SL_SPACE_MAX];
    sl_space_name(space, "user", r->user);
    sl_frame_put(&r->wire, &b, &(sl_frame){.kind = SL_FRAME_SUBSCRIBE, .space = space}, NULL);
    sl_service_ws_message(r->s, 1, b.data, b.len);
    sl_buf_free(&b);
    while (left > 2) {
        size_t n = p[0] | (size_t)p[1] << 8;
        p += 2;
        left -= 2;
        n = n < left ? n : left;
        sl_service_ws_message(r->s, 1, p, n);
        p += n;
        left -= n;
    }
}

static void speak_lines(rig *r, const char *p, size_t left)
{
    static const char hello[] = "{\"t\":\"connect\",\"v\":1,\"token\":\"@T\","
                                "\"device\":\"018b0000-0000-7000-8000-000000000001\"}";
    sl_service_ws_open(r->s, 1, false);
    frame(r, hello, strlen(hello));
    for (int lines = 0; left > 0 && lines < 200; lines++) {
        const char *end = memchr(p, '\n', left);
        size_t n = end != NULL ? (size_t)(end - p) : left;
        line(r, p, n);
        n += end != NULL;
        p += n;
        left -= n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rig r = {.in = sl_frame_in_new()};
    sl_platform platform;
    open_rig(&r, &platform);
    if (size > 0 && data[0] == 1) {
        speak_binary(&r, data + 1, size - 1);
    } else {
        speak_lines(&r, (const char *)data, size);
    }
    sl_service_close(r.s);
    sl_mem_free(r.token);
    sl_mem_free(r.user);
    sl_mem_free(r.place);
    sl_disk_free(r.disk);
    sl_wire_free(&r.wire);
    sl_frame_in_free(r.in);
    return 0;
}
