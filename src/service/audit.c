/* service/audit.c - the audit log: what was done by whom, in a chain that shows every change of it. */
#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "service/inside.h"

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

sl_status sl_sv_audit_add(sl_service *s, int64_t now_ms, const char *actor, const char *action,
                          const char *object, const char *outcome, sl_error **err)
{
    char n_text[24];
    char at_text[24];
    char before[MAC_HEX + 1] = "";
    char hash[MAC_HEX + 1];
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(s, "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1", NULL, 0, &rows, err);
    int64_t n = status == SL_OK && rows.count > 0 ? sl_sv_int(&rows, 0, 0) + 1 : 1;
    sl_sv_copy(before, sizeof before, rows.count > 0 ? sl_sv_text(&rows, 0, 1) : "");
    sl_sv_rows_free(&rows);
    if (status != SL_OK) {
        return status;
    }
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
    s->counts.audited += status == SL_OK ? 1 : 0;
    return status;
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
    (void)sl_sv_change(s, add_note, &x, NULL);
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
    int64_t lines;
    int64_t broken; /* the first line that is not as it was written, 0: none */
    int64_t after;
    sl_json *out; /* lines after `after`, may be NULL */
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
    chain(w->s, w->before, parts, hash);
    w->lines++;
    if (w->broken == 0 && (number_of != w->lines || strcmp(hash, text_of(&cells[6])) != 0)) {
        w->broken = w->lines;
    }
    sl_sv_copy(w->before, sizeof w->before, text_of(&cells[6]));
    if (w->out != NULL && number_of > w->after && sl_json_count(w->out) < LINES_MAX) {
        w->failed = w->failed || !sl_json_add(w->out, line_json(cells));
    }
    return !w->failed;
}

static sl_status walk_all(sl_service *s, walk *w, sl_error **err)
{
    w->s = s;
    return s->ports.db.run(s->ports.db.user,
                           "SELECT n, at_ms, actor, action, object, outcome, hash FROM audit"
                           " ORDER BY n",
                           NULL, 0, walk_line, w, err);
}

sl_status sl_service_audit_verify(sl_service *s, int64_t *lines, sl_error **err)
{
    sl_error_start(err);
    walk w = {.lines = 0};
    sl_lock(s->lock);
    sl_status status = walk_all(s, &w, err);
    sl_unlock(s->lock);
    *lines = w.lines;
    if (status == SL_OK && w.broken > 0) {
        status = sl_fail(err, SL_E_CORRUPT, "line %lld of the audit log is not as it was written",
                         (long long)w.broken);
    }
    return status;
}

void sl_sv_audit_read(sl_sv_request *r, sl_http_out *out)
{
    const char *q = r->in->query != NULL ? r->in->query : "";
    walk w = {.out = sl_json_array()};
    w.after = strncmp(q, "after=", 6) == 0 ? strtoll(q + 6, NULL, 10) : 0;
    sl_lock(r->s->lock);
    sl_status status = w.out != NULL ? walk_all(r->s, &w, NULL) : SL_E_NOMEM;
    sl_unlock(r->s->lock);
    sl_json *j = sl_json_object();
    bool ok =
        status == SL_OK && !w.failed && j != NULL && sl_json_set_bool(j, "whole", w.broken == 0);
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
