#include "unit/service/world.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/hlc.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "crypto/totp.h"
#include "server/db_sqlite.h"
#include "service/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *g_pem;

/* ---- the machine ---- */

static int64_t clock_ms(void *user)
{
    return ((world *)user)->now_ms;
}

static void hold(world *w)
{
    if (w->lock != NULL) {
        sl_lock(w->lock);
    }
}

static void let_go(world *w)
{
    if (w->lock != NULL) {
        sl_unlock(w->lock);
    }
}

static sl_status random_fill(void *user, void *dst, size_t n)
{
    world *w = user;
    uint8_t *p = dst;
    hold(w);
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(sl_prng_next(&w->prng) >> 24);
    }
    let_go(w);
    return SL_OK;
}

mem_file *file_find(world *w, const char *path)
{
    for (size_t i = 0; i < WORLD_FILES; i++) {
        if (w->files[i].path != NULL && strcmp(w->files[i].path, path) == 0) {
            return &w->files[i];
        }
    }
    return NULL;
}

static sl_status file_open(void *user, const char *path, uint32_t flags, void **file)
{
    world *w = user;
    mem_file *f = file_find(w, path);
    for (size_t i = 0; f == NULL && (flags & SL_FILE_CREATE) != 0 && i < WORLD_FILES; i++) {
        if (w->files[i].path == NULL) {
            f = &w->files[i];
            f->path = strdup(path); /* not counted: the disk does not fail with memory */
        }
    }
    if (f != NULL && (flags & SL_FILE_TRUNCATE) != 0) {
        f->size = 0;
    }
    *file = f;
    return f != NULL ? SL_OK : SL_E_NOT_FOUND;
}

static void file_close(void *user, void *file)
{
    (void)user;
    (void)file;
}

static int64_t file_read(void *user, void *file, void *dst, size_t n, int64_t at)
{
    const mem_file *f = file;
    (void)user;
    if ((size_t)at >= f->size) {
        return 0;
    }
    size_t left = f->size - (size_t)at;
    size_t take = n < left ? n : left;
    memcpy(dst, f->data + at, take);
    return (int64_t)take;
}

static sl_status file_write(void *user, void *file, const void *src, size_t n, int64_t at)
{
    const world *w = user;
    mem_file *f = file;
    if (w->file_fault != SL_OK) {
        return w->file_fault;
    }
    size_t end = (size_t)at + n;
    if (end > f->size) {
        f->data = realloc(f->data, end);
        ck_assert_ptr_nonnull(f->data);
        memset(f->data + f->size, 0, end - f->size);
        f->size = end;
    }
    memcpy(f->data + at, src, n);
    return SL_OK;
}

static sl_status file_truncate(void *user, void *file, int64_t size)
{
    (void)user;
    ((mem_file *)file)->size = (size_t)size;
    return SL_OK;
}

static sl_status file_sync(void *user, void *file)
{
    (void)user;
    ((mem_file *)file)->syncs++;
    return SL_OK;
}

static int64_t file_size(void *user, void *file)
{
    (void)user;
    return (int64_t)((mem_file *)file)->size;
}

static void file_forget(mem_file *f)
{
    free(f->path);
    free(f->data);
    memset(f, 0, sizeof *f);
}

static sl_status file_rename(void *user, const char *from, const char *to)
{
    mem_file *f = file_find(user, from);
    mem_file *old = file_find(user, to);
    if (f == NULL) {
        return SL_E_NOT_FOUND;
    }
    if (old != NULL) {
        file_forget(old);
    }
    free(f->path);
    f->path = strdup(to);
    return SL_OK;
}

static sl_status file_remove(void *user, const char *path)
{
    mem_file *f = file_find(user, path);
    if (f == NULL) {
        return SL_E_NOT_FOUND;
    }
    file_forget(f);
    return SL_OK;
}

static int32_t file_exists(void *user, const char *path)
{
    return file_find(user, path) != NULL ? 1 : 0;
}

static sl_status file_mkdir(void *user, const char *path)
{
    (void)user;
    (void)path;
    return SL_OK;
}

static const sl_clock_ops CLOCK = {
    .struct_size = sizeof(sl_clock_ops), .mono_ms = clock_ms, .wall_ms = clock_ms};
static const sl_random_ops RANDOM = {sizeof(sl_random_ops), 0, random_fill};
static const sl_file_ops FILES = {sizeof(sl_file_ops), 0,           file_open,     file_close,
                                  file_read,           file_write,  file_truncate, file_sync,
                                  file_size,           file_rename, file_remove,   file_exists,
                                  file_mkdir,          NULL};

/* ---- the adapter ---- */

static sent *next_frame(world *w)
{
    ck_assert_uint_lt(w->frame_count, WORLD_FRAMES);
    sent *f = &w->frames[w->frame_count++];
    memset(f, 0, sizeof *f);
    return f;
}

static void port_send(void *user, sl_id conn, const void *p, size_t n)
{
    world *w = user;
    if (conn == w->unheard_conn) {
        return;
    }
    if (conn == w->binary_conn) {
        sl_buf_u32le(&w->binary, (uint32_t)n);
        sl_buf_put(&w->binary, p, n);
        return;
    }
    sent *f = next_frame(w);
    f->conn = conn;
    sl_mem_spare(true); /* the memory that a test takes away is the service's */
    f->frame = sl_json_parse(p, n);
    sl_mem_spare(false);
    ck_assert_msg(f->frame != NULL, "not JSON: %.*s", (int)n, (const char *)p);
}

static void port_close(void *user, sl_id conn, int32_t code, const char *reason)
{
    sent *f = next_frame(user);
    ck_assert_uint_le(strlen(reason), 123);
    f->conn = conn;
    f->close = code;
}

/* Quick stand-ins for bcrypt with its shape: text that is not the secret. */
static sl_status port_hash(void *user, const char *secret, char **out, sl_error **err)
{
    world *w = user;
    (void)err;
    char hex[65];
    w->hashes++;
    sl_sha256_hex(secret, strlen(secret), hex);
    *out = w->cost != 0 ? sl_text_fmt("%c%s", w->cost, hex) : sl_text_dup(hex);
    return *out != NULL ? SL_OK : SL_E_NOMEM;
}

static bool port_check(void *user, const char *secret, const char *hash)
{
    char hex[65];
    ((world *)user)->hashes++;
    sl_sha256_hex(secret, strlen(secret), hex);
    return strcmp(hex, hash + (strlen(hash) == sizeof hex ? 1 : 0)) == 0;
}

static bool port_old(void *user, const char *hash)
{
    const world *w = user;
    return w->cost != 0 && hash[0] != w->cost;
}

static void port_push(void *user, const char *body)
{
    world *w = user;
    w->pushes++;
    (void)snprintf(w->push_text, sizeof w->push_text, "%s", body);
}

static void port_mail(void *user, const char *to, const char *subject, const char *text)
{
    world *w = user;
    (void)subject;
    w->mails++;
    (void)snprintf(w->mail_to, sizeof w->mail_to, "%s", to);
    (void)snprintf(w->mail_text, sizeof w->mail_text, "%s", text);
}

static void port_log(void *user, const char *line)
{
    world *w = user;
    hold(w);
    w->lines++;
    (void)snprintf(w->line, sizeof w->line, "%s", line);
    let_go(w);
}

/* ---- the database, with faults ---- */

static bool db_faulty(world *w)
{
    return w->db_fail_at > 0 && --w->db_fail_at == 0;
}

static sl_status db_run(void *user, const char *sql, const sl_cell *params, size_t n,
                        bool (*row)(void *ctx, const sl_cell *cells, size_t n), void *ctx,
                        sl_error **err)
{
    world *w = user;
    if (db_faulty(w)) {
        return sl_fail(err, w->db_fault, "planted");
    }
    sl_status status = w->db.run(w->db.user, sql, params, n, row, ctx, err);
    if (status == SL_OK) {
        plan_check(&w->db, sql, params, n);
    }
    return status;
}

static sl_status db_begin(void *user, sl_error **err)
{
    world *w = user;
    return db_faulty(w) ? sl_fail(err, w->db_fault, "planted") : w->db.begin(w->db.user, err);
}

static sl_status db_commit(void *user, sl_error **err)
{
    world *w = user;
    return db_faulty(w) ? sl_fail(err, w->db_fault, "planted") : w->db.commit(w->db.user, err);
}

static void db_rollback(void *user)
{
    world *w = user;
    w->db.rollback(w->db.user);
}

static void db_close(void *user)
{
    world *w = user;
    w->db.close(w->db.user);
}

void world_start(void)
{
    world w = {.now_ms = 0};
    sl_key *key = NULL;
    sl_prng_seed(&w.prng, 7);
    bool ok = sl_key_generate(2048, random_fill, &w, &key, NULL) == SL_OK &&
              sl_key_to_pem(key, &g_pem, NULL) == SL_OK;
    if (!ok) {
        abort(); /* no test is running that could fail */
    }
    sl_key_free(key);
}

void world_end(void)
{
    sl_mem_free(g_pem);
    g_pem = NULL;
}

static void port_media(void *user)
{
    ((world *)user)->wakes++;
}

static void open_service(world *w)
{
    sl_service_ports ports = {.platform = &w->platform,
                              .user = w,
                              .send = port_send,
                              .close = port_close,
                              .hash_password = port_hash,
                              .check_password = port_check,
                              .old_hash = port_old,
                              .media = port_media,
                              .mail = port_mail,
                              .push = w->push ? port_push : NULL,
                              .log = port_log,
                              .fetch = w->fetch,
                              .pay = w->pay};
    sl_service_config config = {.dir = "data",
                                .key_pem = w->own_key ? NULL : g_pem,
                                .upload_max = 1000000,
                                .limit_rates = w->limit_rates,
                                .user_conns = w->user_conns,
                                .require_factor = w->require_factor,
                                .trial_days = w->trial_days,
                                .public_url = "https://x.y",
                                .oidc_issuer = w->fetch != NULL ? WORLD_ISSUER : NULL,
                                .oidc_client = w->fetch != NULL ? WORLD_CLIENT : NULL,
                                .pay_secret = w->pay != NULL ? WORLD_SECRET : NULL,
                                .pay_fee = 1000,
                                .media = w->media};
    sl_error *err = NULL;
    ck_assert_int_eq(sl_db_sqlite_open(w->path, NULL, &w->db, NULL), SL_OK);
    ports.db = (sl_db){w, db_run, db_begin, db_commit, db_rollback, db_close, w->db.clustered};
    sl_status status = sl_service_open(&ports, &config, &w->s, &err);
    ck_assert_msg(status == SL_OK, "%s", sl_error_message(err));
}

world *world_new_at(const char *db_path)
{
    world *w = sl_mem(sizeof *w);
    ck_assert_ptr_nonnull(w);
    w->lock = sl_mutex_new();
    ck_assert_ptr_nonnull(w->lock);
    w->platform = (sl_platform){.struct_size = sizeof(sl_platform),
                                .user = w,
                                .clock = &CLOCK,
                                .random = &RANDOM,
                                .files = &FILES};
    w->now_ms = INT64_C(1700000000000);
    sl_prng_seed(&w->prng, 1);
    (void)snprintf(w->path, sizeof w->path, "%s", db_path);
    open_service(w);
    return w;
}

world *world_new(void)
{
    return world_new_at(":memory:");
}

void world_reopen(world *w)
{
    sl_service_close(w->s);
    w->s = NULL;
    open_service(w);
}

void frames_clear(world *w)
{
    for (size_t i = 0; i < w->frame_count; i++) {
        sl_json_free(w->frames[i].frame);
    }
    w->frame_count = 0;
}

typedef struct found {
    size_t count;
    char *text; /* NULL: not wanted */
} found;

static bool keep(void *ctx, const sl_cell *cells, size_t n)
{
    found *f = ctx;
    const char *text = n > 0 ? sl_cell_str(&cells[0]) : NULL;
    f->count++;
    if (f->text != NULL) {
        (void)snprintf(f->text, 512, "%s", text != NULL ? text : "");
    }
    return true;
}

size_t world_rows(const world *w, char *text, const char *sql, const char *a, const char *b)
{
    found f = {.text = text};
    const sl_cell args[] = {sl_cell_text(a), sl_cell_text(b)};
    sl_error *err = NULL;
    if (text != NULL) {
        text[0] = '\0';
    }
    sl_status status = w->db.run(w->db.user, sql, args, 2, keep, &f, &err);
    ck_assert_msg(status == SL_OK, "%s: %s", sql, sl_error_message(err));
    sl_sv_known_forget(w->s);
    return f.count;
}

void world_free(world *w)
{
    sl_service_close(w->s);
    frames_clear(w);
    sl_buf_free(&w->binary);
    for (size_t i = 0; i < WORLD_FILES; i++) {
        file_forget(&w->files[i]);
    }
    sl_mutex_free(w->lock);
    sl_mem_free(w);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

/* ---- requests ---- */

typedef struct header_ctx {
    const char *lines;
    const person *who;
    char value[4096];
} header_ctx;

static const char *header_of(void *ctx, const char *name)
{
    header_ctx *c = ctx;
    size_t n = strlen(name);
    if (c->who != NULL && strcmp(name, "authorization") == 0) {
        (void)snprintf(c->value, sizeof c->value, "Bearer %s", c->who->access);
        return c->value;
    }
    for (const char *p = c->lines; p != NULL && *p != 0;) {
        size_t len = strcspn(p, "\n");
        if (len > n + 1 && strncmp(p, name, n) == 0 && p[n] == ':') {
            (void)snprintf(c->value, sizeof c->value, "%.*s", (int)(len - n - 2), p + n + 2);
            return c->value;
        }
        p += len + (p[len] == '\n');
    }
    return NULL;
}

answer signed_request(world *w, const person *p, const char *method, const char *path,
                      const char *headers, const void *body, size_t n)
{
    header_ctx ctx = {headers, p, ""};
    char only_path[256];
    const char *query = strchr(path, '?');
    (void)snprintf(only_path, sizeof only_path, "%.*s",
                   query != NULL ? (int)(query - path) : (int)strlen(path), path);
    sl_http_in in = {method, only_path, query != NULL ? query + 1 : "", header_of, &ctx, body, n,
                     w->cut, w->peer};
    sl_http_out out;
    sl_service_http(w->s, &in, &out);
    answer a = {.status = out.status, .file_at = out.file_at, .file_len = out.file_len};
    if (out.body != NULL) {
        a.body = sl_json_parse((const char *)sl_bytes_data(out.body), sl_bytes_len(out.body));
    }
    a.headers = out.headers;
    a.file = out.file;
    out.headers = NULL;
    out.file = NULL;
    sl_http_out_free(&out);
    return a;
}

answer request(world *w, const char *method, const char *path, const char *headers,
               const void *body, size_t n)
{
    return signed_request(w, NULL, method, path, headers, body, n);
}

answer post(world *w, const char *path, const char *json)
{
    return request(w, "POST", path, "content-type: application/json\n", json, strlen(json));
}

void answer_free(answer *a)
{
    sl_json_free(a->body);
    sl_mem_free(a->headers);
    sl_mem_free(a->file);
}

const char *answer_header(const answer *a, const char *name)
{
    static char value[256];
    char start[64];
    (void)snprintf(start, sizeof start, "%s: ", name);
    const char *p = a->headers != NULL ? strstr(a->headers, start) : NULL;
    value[0] = 0;
    if (p != NULL) {
        p += strlen(start);
        (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(p, "\r"), p);
    }
    return value;
}

/* ---- people ---- */

void uuid_of(char out[SL_UUID_LEN + 1], uint32_t number)
{
    (void)snprintf(out, SL_UUID_LEN + 1, "018b0000-0000-7000-8000-0000%08x", number);
}

const char *id_of(uint32_t number)
{
    static char text[4][SL_UUID_LEN + 1];
    static size_t turn;
    char *out = text[turn++ % 4];
    uuid_of(out, number);
    return out;
}

void person_make(world *w, person *p, const char *email, const char *role, uint32_t device)
{
    char json[512];
    memset(p, 0, sizeof *p);
    uuid_of(p->device, device);
    (void)snprintf(p->email, sizeof p->email, "%s", email);
    (void)snprintf(json, sizeof json,
                   "{\"email\":\"%s\",\"password\":\"long enough\",\"name\":\"Name of %s\","
                   "\"role\":\"%s\",\"birth_date\":\"1990-01-31\",\"device\":\"%s\"}",
                   email, email, role, p->device);
    answer a = post(w, "/api/v1/auth/signup", json);
    ck_assert_int_eq(a.status, 201);
    (void)snprintf(p->id, sizeof p->id, "%s", sl_json_str(sl_json_get(a.body, "user"), "id"));
    (void)snprintf(p->access, sizeof p->access, "%s", sl_json_str(a.body, "access_token"));
    (void)snprintf(p->refresh, sizeof p->refresh, "%s", sl_json_str(a.body, "refresh_token"));
    sl_space_name(p->own, "user", p->id);
    answer_free(&a);
    person_connect(w, p);
}

const char *code_at(const char *secret, int64_t now_ms)
{
    static char text[16];
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint8_t key[20] = {0};
    uint32_t bits = 0;
    unsigned count = 0;
    size_t n = 0;
    for (; *secret != 0; secret++) {
        bits = bits << 5 | (uint32_t)(strchr(letters, *secret) - letters);
        count += 5;
        if (count >= 8) {
            key[n++] = (uint8_t)(bits >> (count - 8));
            count -= 8;
        }
    }
    ck_assert_uint_eq(n, 20);
    (void)snprintf(text, sizeof text, "%06u",
                   (unsigned)sl_totp_code(key, 20, (uint64_t)(now_ms / 30000), 6));
    return text;
}

void person_connect(world *w, person *p)
{
    char text[3000];
    p->conn = ++w->conn_next;
    sl_service_ws_open(w->s, p->conn, false);
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"connect\",\"v\":1,\"token\":\"%s\",\"device\":\"%s\",\"floor\":0}",
                   p->access, p->device);
    say(w, p, text);
}

void say(world *w, const person *p, const char *text)
{
    sl_service_ws_message(w->s, p->conn, text, strlen(text));
}

void subscribe(world *w, const person *p, const char *space, int64_t from, const char *epoch)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"subscribe\",\"space\":\"%s\",\"epoch\":\"%s\",\"from\":%lld}", space,
                   epoch, (long long)from);
    say(w, p, text);
}

const sl_json *frame_at(const world *w, sl_id conn, const char *t, size_t i)
{
    for (size_t k = 0; k < w->frame_count; k++) {
        const sent *f = &w->frames[k];
        if (f->conn != conn || f->frame == NULL || strcmp(sl_json_str(f->frame, "t"), t) != 0) {
            continue;
        }
        if (i-- == 0) {
            return f->frame;
        }
    }
    return NULL;
}

size_t frame_count(const world *w, sl_id conn, const char *t)
{
    size_t n = 0;
    while (frame_at(w, conn, t, n) != NULL) {
        n++;
    }
    return n;
}

int32_t closed_with(const world *w, sl_id conn)
{
    for (size_t i = 0; i < w->frame_count; i++) {
        if (w->frames[i].conn == conn && w->frames[i].close != 0) {
            return w->frames[i].close;
        }
    }
    return 0;
}

const sl_json *op(world *w, person *p, const char *kind, const char *entity, const char *space,
                  const char *id, const char *fields)
{
    char hlc[SL_HLC_LEN + 1];
    sl_buf b = {0};
    p->n++;
    (void)snprintf(hlc, sizeof hlc, "%012llx%04x00000001", (unsigned long long)w->now_ms,
                   (unsigned)p->n);
    sl_buf_fmt(&b,
               "{\"t\":\"op\",\"n\":%lld,\"op\":\"%s\",\"entity\":\"%s\",\"space\":\"%s\","
               "\"id\":\"%s\",\"hlc\":\"%s\"",
               (long long)p->n, kind, entity, space, id, hlc);
    if (fields != NULL) {
        sl_buf_fmt(&b, ",\"fields\":%s", fields);
    }
    sl_buf_str(&b, "}");
    size_t had = frame_count(w, p->conn, "receipt");
    say(w, p, sl_buf_text(&b));
    sl_buf_free(&b);
    const sl_json *receipt = frame_at(w, p->conn, "receipt", had);
    ck_assert_ptr_nonnull(receipt);
    ck_assert_int_eq(sl_json_int_or(receipt, "n", 0), p->n);
    return receipt;
}

void must(const sl_json *receipt, const char *result)
{
    const char *message = sl_json_str(receipt, "message");
    ck_assert_msg(strcmp(sl_json_str(receipt, "result"), result) == 0, "%s, not %s: %s",
                  sl_json_str(receipt, "result"), result, message != NULL ? message : "");
}

void must_reject(const sl_json *receipt, const char *code)
{
    must(receipt, "rejected");
    ck_assert_str_eq(sl_json_str(receipt, "code"), code);
    ck_assert_ptr_nonnull(sl_json_str(receipt, "message"));
    ck_assert_int_eq(sl_json_int_or(receipt, "seq", -1), 0);
}

void befriend(world *w, person *a, person *b, char thread[SL_SPACE_MAX])
{
    char id[SL_UUID_LEN + 1];
    char fields[160];
    static uint32_t number = 0x9000;
    uuid_of(id, ++number);
    (void)snprintf(fields, sizeof fields, "{\"peer_email\":\"%s\"}", b->email);
    must(op(w, a, "create", "connection", a->own, id, fields), "applied");
    must(op(w, b, "patch", "connection", b->own, id, "{\"status\":\"accepted\"}"), "applied");
    frames_clear(w);
    subscribe(w, a, a->own, 0, "");
    const sl_json *page = frame_at(w, a->conn, "page", 0);
    const sl_json *records = sl_json_get(page, "records");
    thread[0] = 0;
    for (size_t i = 0; i < sl_json_count(records); i++) {
        const sl_json *r = sl_json_at(records, i);
        const char *made = sl_json_str(sl_json_get(r, "fields"), "thread_id");
        if (strcmp(sl_json_str(r, "id"), id) == 0 && made != NULL) { /* a notification shares it */
            sl_space_name(thread, "thread", made);
        }
    }
    ck_assert(sl_space_ok(thread));
    frames_clear(w);
}

void sha_of(const char *bytes, char out[65])
{
    sl_sha256_hex(bytes, strlen(bytes), out);
}

void video_make(world *w, person *p, char space[SL_SPACE_MAX], uint32_t number, const char *bytes)
{
    char id[SL_UUID_LEN + 1];
    char sha[65];
    char fields[512];
    uuid_of(id, number);
    sha_of(bytes, sha);
    sl_space_name(space, "video", id);
    (void)snprintf(fields, sizeof fields,
                   "{\"title\":\"Serve\",\"blob\":\"%s\",\"media_type\":\"video/mp4\",\"size\":%zu,"
                   "\"duration_us\":1000000,\"width\":640,\"height\":480}",
                   sha, strlen(bytes));
    must(op(w, p, "create", "video", space, id, fields), "applied");
}

void share_with(world *w, person *owner, const person *with, const char *space, const char *role,
                uint32_t number)
{
    char id[SL_UUID_LEN + 1];
    char fields[160];
    uuid_of(id, number);
    (void)snprintf(fields, sizeof fields, "{\"user_id\":\"%s\",\"role\":\"%s\"}", with->id, role);
    must(op(w, owner, "create", "share", space, id, fields), "applied");
}

int32_t upload_create(world *w, const person *p, const char *space, const char *sha256,
                      int64_t length, char location[128])
{
    sl_buf b = {0};
    sl_buf_fmt(&b, "tus-resumable: 1.0.0\nupload-length: %lld\nupload-metadata: sha256 ",
               (long long)length);
    sl_base64(&b, sha256, strlen(sha256));
    sl_buf_str(&b, ",space ");
    sl_base64(&b, space, strlen(space));
    sl_buf_str(&b, ",type ");
    sl_base64(&b, "video/mp4", 9);
    sl_buf_str(&b, "\n");
    answer a = signed_request(w, p, "POST", "/api/v1/uploads", sl_buf_text(&b), NULL, 0);
    sl_buf_free(&b);
    (void)snprintf(location, 128, "%s", answer_header(&a, "Location"));
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

int32_t upload_patch(world *w, const person *p, const char *location, int64_t at, const void *body,
                     size_t n)
{
    char headers[200];
    (void)snprintf(headers, sizeof headers,
                   "tus-resumable: 1.0.0\ncontent-type: application/offset+octet-stream\n"
                   "upload-offset: %lld\n",
                   (long long)at);
    answer a = signed_request(w, p, "PATCH", location, headers, body, n);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

int32_t upload(world *w, const person *p, const char *space, const char *bytes)
{
    char sha[65];
    char location[128];
    sha_of(bytes, sha);
    int32_t status = upload_create(w, p, space, sha, (int64_t)strlen(bytes), location);
    return status == 201 ? upload_patch(w, p, location, 0, bytes, strlen(bytes)) : status;
}
