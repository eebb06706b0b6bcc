/*
 * service/audit.c - the audit log: what was done by whom, in a chain that shows every change of it.
 *
 * The number and the hash of the last line are kept beside the table, under the server's secret, and go to the
 * log as they come: lines cut off at the end are missed as well.
 */
#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "service/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINES_MAX = 500, /* of one answer */
    MAC_HEX = 2 * SL_SHA256_LEN
};

/* Of the hash before and the line's parts, each with its length before it: none flows into the next. */
static void chain(const sl_service *s, const char *before, const char *const parts[6],
                  char hex[MAC_HEX + 1])
{
    uint8_t mac[SL_SHA256_LEN];
    sl_buf b = {0};
    sl_buf_fmt(&b, "%zu:%s", strlen(before), before);
    for (size_t i = 0; i < 6; i++) {
        sl_buf_fmt(&b, "%zu:%s", strlen(parts[i]), parts[i]);
    }
    hex[0] = 0;
    if (!b.failed) {
        sl_hmac_sha256(s->pepper, sizeof s->pepper, b.data, b.len, mac);
        sl_hex(hex, mac, sizeof mac);
    }
    sl_buf_free(&b);
}

static void number(char out[24], int64_t v)
{
    (void)snprintf(out, 24, "%lld", (long long)v);
}

/* ---- the last line ---- */

static const char HEAD[] = "audit_head";

/* What is kept of it: the number, and both under the secret. sl_mem text, NULL: out of memory. */
static char *head_text(const sl_service *s, int64_t n, const char *hash)
{
    char n_text[24];
    char mac[MAC_HEX + 1];
    number(n_text, n);
    const char *const parts[6] = {n_text, hash, "", "", "", ""};
    chain(s, HEAD, parts, mac);
    return mac[0] != 0 ? sl_text_fmt("%s:%s", n_text, mac) : NULL;
}

static sl_status put_head(sl_service *s, int64_t n, const char *hash, sl_error **err)
{
    char *text = head_text(s, n, hash);
    sl_status status = text != NULL ? sl_sv_meta_set(s, HEAD, text, err) : sl_fail_nomem(err);
    sl_mem_free(text);
    return status;
}

/* The last line that is there. n 0: none. */
static sl_status last_line(sl_service *s, int64_t *n, char hash[MAC_HEX + 1], sl_error **err)
{
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(s, "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1", NULL, 0, &rows, err);
    *n = rows.count > 0 ? sl_sv_int(&rows, 0, 0) : 0;
    sl_sv_copy(hash, MAC_HEX + 1, rows.count > 0 ? sl_sv_text(&rows, 0, 1) : "");
    sl_sv_rows_free(&rows);
    return status;
}

/* *whole: the last line that is there is the last that was written. */
static sl_status check_head(sl_service *s, bool *whole, sl_error **err)
{
    char hash[MAC_HEX + 1];
    char *kept = NULL;
    int64_t n = 0;
    sl_status status = last_line(s, &n, hash, err);
    status = status == SL_OK ? sl_sv_meta_get(s, HEAD, &kept, err) : status;
    char *text = status == SL_OK ? head_text(s, n, hash) : NULL;
    if (status == SL_OK && text == NULL) {
        status = sl_fail_nomem(err);
    }
    *whole = kept != NULL && text != NULL && strcmp(kept, text) == 0;
    sl_mem_free(kept);
    sl_mem_free(text);
    return status;
}

static sl_status anchor(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    char hash[MAC_HEX + 1];
    char *kept = NULL;
    int64_t n = 0;
    (void)ctx;
    sl_status status = sl_sv_meta_get(tx->s, HEAD, &kept, err);
    bool has = kept != NULL;
    sl_mem_free(kept);
    if (status != SL_OK || has) {
        return status;
    }
    status = last_line(tx->s, &n, hash, err);
    return status == SL_OK ? put_head(tx->s, n, hash, err) : status;
}

sl_status sl_sv_audit_start(sl_service *s, sl_error **err)
{
    return s->migrated ? sl_sv_change(s, anchor, NULL, err) : SL_OK;
}

/* ---- writing ---- */

sl_status sl_sv_audit_add(sl_service *s, int64_t now_ms, const char *actor, const char *action,
                          const char *object, const char *outcome, sl_error **err)
{
    char n_text[24];
    char at_text[24];
    char before[MAC_HEX + 1];
    char hash[MAC_HEX + 1];
    int64_t n = 0;
    sl_status status = last_line(s, &n, before, err);
    if (status != SL_OK) {
        return status;
    }
    n++;
    number(n_text, n);
    number(at_text, now_ms);
    const char *const parts[6] = {n_text, at_text, actor, action, object, outcome};
    chain(s, before, parts, hash);
    if (hash[0] == 0) {
        return sl_fail_nomem(err);
    }
    status = sl_sv_run(s,
                       "INSERT INTO audit (n, at_ms, actor, action, object, outcome, hash)"
                       " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                       SL_SV_ARGS(sl_cell_int(n), sl_cell_int(now_ms), sl_cell_text(actor),
                                  sl_cell_text(action), sl_cell_text(object), sl_cell_text(outcome),
                                  sl_cell_text(hash)),
                       err);
    if (status == SL_OK) {
        status = put_head(s, n, hash, err);
    }
    if (status == SL_OK) {
        s->counts.audited++;
        s->audit_n = n;
        sl_sv_copy(s->audit_hash, sizeof s->audit_hash, hash);
    }
    return status;
}

/* To the log, which lies elsewhere. */
static void log_head(const sl_service *s)
{
    char text[200];
    if (s->ports.log != NULL) {
        (void)snprintf(text, sizeof text, "{\"t\":%lld,\"audit\":%lld,\"hash\":\"%s\"}",
                       (long long)sl_sv_now(s), (long long)s->audit_n, s->audit_hash);
        s->ports.log(s->ports.user, text);
    }
}

typedef struct note {
    const char *actor;
    const char *action;
    const char *object;
    const char *outcome;
} note;

static sl_status add_note(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    const note *x = ctx;
    return sl_sv_audit_add(tx->s, tx->now_ms, x->actor, x->action, x->object, x->outcome, err);
}

void sl_sv_audit_note(sl_service *s, const char *actor, const char *action, const char *object,
                      const char *outcome)
{
    note x = {actor, action, object, outcome};
    if (sl_sv_change(s, add_note, &x, NULL) == SL_OK) {
        log_head(s);
    }
}

/* ---- requests ---- */

void sl_sv_about(sl_sv_request *r, const char *user, const char *email)
{
    uint8_t mac[SL_SHA256_LEN];
    char hex[MAC_HEX + 1];
    if (user[0] != 0) {
        sl_sv_copy(r->about, sizeof r->about, user);
    } else if (email != NULL) {
        sl_buf b = {0};
        sl_buf_fmt(&b, "mail:%s", email);
        if (!b.failed) {
            sl_hmac_sha256(r->s->pepper, sizeof r->s->pepper, b.data, b.len, mac);
            sl_hex(hex, mac, sizeof mac);
            (void)snprintf(r->about, sizeof r->about, "mail:%.32s", hex);
        }
        sl_buf_free(&b);
    }
}

/* The space that was asked for, as far as the request itself says it. */
static void asked_space(sl_sv_request *r, const char *kind)
{
    char id[SL_UUID_LEN + 1] = "";
    if (strlen(r->rest) >= SL_UUID_LEN) {
        memcpy(id, r->rest, SL_UUID_LEN);
    }
    if (sl_uuid_ok(id)) {
        sl_space_name(r->hidden, kind, id);
    }
}

/* What was answered as if it were not there is there, and this user may not see it. */
static bool is_hidden(sl_sv_request *r)
{
    sl_service *s = r->s;
    sl_route_id id = (sl_route_id)(r->route - sl_routes);
    const char *sql =
        id == SL_ROUTE_BLOB ? "SELECT sha256 FROM blob WHERE sha256=$1"
        : id == SL_ROUTE_UPLOAD_HEAD || id == SL_ROUTE_UPLOAD_PATCH || id == SL_ROUTE_UPLOAD_DELETE
            ? "SELECT id FROM upload WHERE id=$1"
            : NULL;
    bool there = false;
    unsigned role = 0;
    if (id == SL_ROUTE_VIDEO || id == SL_ROUTE_VIDEO_HEAD) {
        asked_space(r, "video");
    } else if (id == SL_ROUTE_ORGANISATION) {
        asked_space(r, "organisation");
    }
    if (sql != NULL) {
        sl_sv_rows rows;
        sl_status status = sl_sv_all(s, sql, SL_SV_ARGS(sl_cell_text(r->rest)), &rows, NULL);
        there = status == SL_OK && rows.count > 0;
        sl_sv_rows_free(&rows);
    } else if (sl_space_ok(r->hidden)) {
        sl_standing standing = sl_sv_standing(&r->who.rank, sl_sv_now(s));
        there = sl_sv_space_exists(s, r->hidden, &there, NULL) == SL_OK && there &&
                sl_sv_may_read(s, r->who.user, standing, r->hidden, &role, NULL) == SL_OK &&
                role == 0;
    }
    return there;
}

/* Whoever shows no good token is where it comes from. */
static const char *actor_of(const sl_sv_request *r)
{
    const char *peer = r->in->peer;
    bool plain = peer != NULL && peer[0] != 0 && strlen(peer) < 64 &&
                 strspn(peer, "0123456789abcdefABCDEF:.") == strlen(peer);
    return r->who.user[0] != 0 ? r->who.user : r->service[0] != 0 ? r->service : plain ? peer : "-";
}

static const char *object_of(const sl_sv_request *r)
{
    bool names = sl_uuid_ok(r->rest) || strlen(r->rest) == SL_KEY_ID_LEN || sl_sv_sha_ok(r->rest);
    return r->about[0] != 0 ? r->about : names ? r->rest : r->hidden[0] != 0 ? r->hidden : "-";
}

void sl_sv_audit_request(sl_sv_request *r, int32_t status)
{
    char outcome[16];
    if (r->route == NULL) {
        return;
    }
    bool refused = status == 401 || status == 403 || status == 429 ||
                   (status == 404 && r->who.user[0] != 0 && is_hidden(r));
    if (!refused && !r->route->audit) {
        return;
    }
    (void)snprintf(outcome, sizeof outcome, "%d", (int)status);
    sl_sv_audit_note(r->s, actor_of(r), r->route->id, object_of(r), outcome);
}

void sl_service_refused(sl_service *s, const char *peer, const char *what, int32_t code)
{
    char outcome[16];
    (void)snprintf(outcome, sizeof outcome, "%d", (int)code);
    sl_lock(s->lock);
    sl_sv_audit_note(s, "-", what, peer[0] != 0 ? peer : "-", outcome);
    sl_unlock(s->lock);
}

/* ---- reading ---- */

typedef struct walk {
    const sl_service *s;
    char before[MAC_HEX + 1];
    int64_t first;  /* its hash is only what the next goes on from; 0: none such */
    int64_t lines;  /* the number of the last one */
    int64_t broken; /* the first line that is not as it was written, 0: none */
    sl_json *out;   /* the lines after the first; may be NULL */
    bool failed;
} walk;

static const char *text_of(const sl_cell *c)
{
    const char *text = sl_cell_str(c);
    return text != NULL ? text : "";
}

static sl_json *line_json(const sl_cell *cells)
{
    static const char *const names[] = {"n", "at_ms", "actor", "action", "object", "outcome"};
    sl_json *j = sl_json_object();
    bool ok = j != NULL;
    for (size_t i = 0; ok && i < 6; i++) {
        ok = i < 2 ? sl_json_set_int(j, names[i], sl_cell_int_or(&cells[i], 0))
                   : sl_json_set_str(j, names[i], text_of(&cells[i]));
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static bool walk_line(void *ctx, const sl_cell *cells, size_t n)
{
    walk *w = ctx;
    char n_text[24];
    char at_text[24];
    char hash[MAC_HEX + 1];
    (void)n;
    int64_t number_of = sl_cell_int_or(&cells[0], 0);
    number(n_text, number_of);
    number(at_text, sl_cell_int_or(&cells[1], 0));
    const char *const parts[6] = {n_text,
                                  at_text,
                                  text_of(&cells[2]),
                                  text_of(&cells[3]),
                                  text_of(&cells[4]),
                                  text_of(&cells[5])};
    bool known = w->first > 0 && w->lines == 0;
    w->lines = known ? w->first : w->lines + 1;
    chain(w->s, w->before, parts, hash);
    bool same = known || strcmp(hash, text_of(&cells[6])) == 0;
    if (w->broken == 0 && (number_of != w->lines || !same)) {
        w->broken = w->lines;
    }
    sl_sv_copy(w->before, sizeof w->before, text_of(&cells[6]));
    if (w->out != NULL && !known) {
        w->failed = w->failed || !sl_json_add(w->out, line_json(cells));
    }
    return !w->failed;
}

/* `most` lines from the first on. */
static sl_status walk_from(sl_service *s, walk *w, int64_t most, sl_error **err)
{
    w->s = s;
    return s->ports.db.run(s->ports.db.user,
                           "SELECT n, at_ms, actor, action, object, outcome, hash FROM audit"
                           " WHERE n>=$1 ORDER BY n LIMIT $2",
                           SL_SV_ARGS(sl_cell_int(w->first), sl_cell_int(most)), walk_line, w, err);
}

sl_status sl_service_audit_verify(sl_service *s, int64_t *lines, sl_error **err)
{
    sl_error_start(err);
    walk w = {.lines = 0};
    bool ends = false;
    sl_lock(s->lock);
    sl_status status = walk_from(s, &w, INT64_MAX, err);
    if (status == SL_OK && w.broken == 0) {
        status = check_head(s, &ends, err);
    }
    sl_unlock(s->lock);
    *lines = w.lines;
    if (status == SL_OK && w.broken > 0) {
        status = sl_fail(err, SL_E_CORRUPT, "line %lld of the audit log is not as it was written",
                         (long long)w.broken);
    } else if (status == SL_OK && !ends) {
        status = sl_fail(err, SL_E_CORRUPT, "line %lld is not the last of the audit log",
                         (long long)w.lines);
    }
    return status;
}

/* A page: its lines, the one before them, and the end of the log are looked at. */
static sl_status read_page(sl_service *s, walk *w, bool *whole)
{
    sl_status status =
        w->out != NULL ? walk_from(s, w, LINES_MAX + (w->first > 0 ? 1 : 0), NULL) : SL_E_NOMEM;
    if (status == SL_OK) {
        status = check_head(s, whole, NULL);
    }
    *whole = *whole && w->broken == 0;
    return w->failed ? SL_E_NOMEM : status;
}

void sl_sv_audit_read(sl_sv_request *r, sl_http_out *out)
{
    const char *q = r->in->query != NULL ? r->in->query : "";
    walk w = {.out = sl_json_array()};
    int64_t after = strncmp(q, "after=", 6) == 0 ? strtoll(q + 6, NULL, 10) : 0;
    bool whole = false;
    w.first = after > 0 ? after : 0;
    sl_lock(r->s->lock);
    sl_status status = read_page(r->s, &w, &whole);
    sl_unlock(r->s->lock);
    sl_json *j = sl_json_object();
    bool ok = status == SL_OK && j != NULL && sl_json_set_bool(j, "whole", whole);
    if (ok) {
        ok = sl_json_set(j, "lines", w.out);
        w.out = NULL;
    }
    sl_json_free(w.out);
    if (!ok) {
        sl_json_free(j);
        sl_sv_broken(out, status != SL_OK ? status : SL_E_NOMEM);
    } else {
        sl_sv_answer(out, 200, j);
    }
}
