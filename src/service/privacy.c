/*
 * service/privacy.c - an account's right to have what is kept of it, and to have it erased.
 *
 *   [PRIV-1] an export has every record of the spaces that the user owns, and every record elsewhere
 *            whose author the user is, and every row of the tables beside them that is about the user, but
 *            for secrets;
 *   [PRIV-2] erasing leaves of the account an id with nothing behind it: its records become
 *            tombstones, others lose what it shared, its sessions end, and bytes that nobody else
 *            brought are removed.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "service/account.h"
#include "service/pay.h"

#include <stdio.h>
#include <string.h>

typedef bool (*sink)(void *ctx, const sl_entity *e, const char *space, const char *id);

typedef struct bundle {
    sl_service *s;
    sl_buf out;
    size_t records;
    sl_status status;
} bundle;

/* Calls for each record that is the user's, by the two rules of [PRIV-1]; some come twice. */
static sl_status each_record(sl_service *s, const char *user, sink fn, void *ctx, sl_error **err)
{
    sl_sv_rows rows;
    bool go = true;
    sl_status status = sl_sv_all(s,
                                 "SELECT f.space, f.entity, f.id FROM feed f JOIN access a ON"
                                 " a.space=f.space WHERE a.user_id=$1 AND a.role='owner'"
                                 " ORDER BY f.space, f.seq",
                                 SL_SV_ARGS(sl_cell_text(user)), &rows, err);
    for (size_t i = 0; status == SL_OK && go && i < rows.count; i++) {
        const sl_entity *e = sl_entity_find(sl_sv_text(&rows, i, 1));
        go = e == NULL || fn(ctx, e, sl_sv_text(&rows, i, 0), sl_sv_text(&rows, i, 2));
    }
    sl_sv_rows_free(&rows);
    for (size_t k = 0; status == SL_OK && go && k < sl_entity_count; k++) {
        const sl_entity *e = &sl_entities[k];
        char sql[300];
        if (e->author_field < 0) {
            continue;
        }
        (void)snprintf(sql, sizeof sql,
                       "SELECT r.\"space\", r.\"id\" FROM \"%s\" r WHERE r.\"%s\"=$1 AND NOT EXISTS"
                       " (SELECT 1 FROM access a WHERE a.space=r.\"space\" AND a.user_id=$1 AND"
                       " a.role='owner') ORDER BY r.\"space\", r.\"id\"",
                       e->name, e->fields[e->author_field].name);
        status = sl_sv_all(s, sql, SL_SV_ARGS(sl_cell_text(user)), &rows, err);
        for (size_t i = 0; status == SL_OK && go && i < rows.count; i++) {
            go = fn(ctx, e, sl_sv_text(&rows, i, 0), sl_sv_text(&rows, i, 1));
        }
        sl_sv_rows_free(&rows);
    }
    return status;
}

static bool write_record(void *ctx, const sl_entity *e, const char *space, const char *id)
{
    bundle *x = ctx;
    sl_record rec = {.entity = NULL};
    x->status = sl_sv_load(x->s, e, space, id, &rec, NULL);
    if (x->status == SL_OK && rec.entity != NULL && !rec.deleted) {
        sl_buf_str(&x->out, x->records++ > 0 ? "," : "");
        sl_record_put_wire(&x->out, &rec);
        x->status = x->out.failed ? SL_E_NOMEM : SL_OK;
    }
    sl_record_free(&rec);
    return x->status == SL_OK;
}

/* What is read of a table, and the names that its columns get. */
typedef struct listed {
    const char *name;
    const char *columns[SL_SV_CELLS + 1]; /* a NULL ends them */
    const char *sql;                      /* $1: the user */
} listed;

/* What is kept beside the records. Secrets are not given: of passwords, authenticators and tokens there are
 * hashes and sealed texts only. Receipts are of operations, whose records are there. */
static const listed ACCOUNT[] = {
    {"account",
     {"id", "email", "name", "role", "status", "birth_date", "external", "created_ms", NULL},
     "SELECT id, email, name, role, status, birth, external, created_ms FROM account WHERE id=$1"},
    {"account",
     {"verified_ms", "plan", "plan_until_ms", "authenticator", NULL},
     "SELECT verified_ms, plan, plan_until_ms, CASE WHEN totp_step IS NULL THEN 0 ELSE 1 END"
     " FROM account WHERE id=$1"},
};

static const listed LISTS[] = {
    {"consents",
     {"by_name", "how", "at_ms", NULL},
     "SELECT by_name, how, at_ms FROM consent WHERE user_id=$1"},
    {"sessions",
     {"device", "created_ms", "seen_ms", "factor", NULL},
     "SELECT device, created_ms, seen_ms, factor FROM session WHERE user_id=$1"
     " ORDER BY created_ms, device"},
    {"access",
     {"space", "role", "via", NULL},
     "SELECT space, role, via FROM access WHERE user_id=$1 ORDER BY space"},
    {"quotas",
     {"kind", "day", "used", NULL},
     "SELECT kind, day, used FROM quota WHERE user_id=$1 ORDER BY kind, day"},
    {"charges",
     {"id", "entity", "object", "amount", "currency", "state", "made_ms", NULL},
     "SELECT id, entity, object, amount, currency, state, made_ms FROM charge WHERE user_id=$1"
     " ORDER BY id"},
    {"files",
     {"sha256", "size", "type", NULL},
     "SELECT h.sha256, b.size, b.type FROM blob_holder h LEFT JOIN blob b ON b.sha256=h.sha256"
     " WHERE h.user_id=$1 ORDER BY h.sha256"},
    {"uploads",
     {"id", "length", "at", "sha256", "space", "type", "expires_ms", NULL},
     "SELECT id, length, at, sha256, space, type, expires_ms FROM upload WHERE user_id=$1"
     " ORDER BY id"},
    {"audit",
     {"n", "at_ms", "actor", "action", "object", "outcome", NULL},
     "SELECT n, at_ms, actor, action, object, outcome FROM audit WHERE actor=$1 UNION"
     " SELECT n, at_ms, actor, action, object, outcome FROM audit WHERE object=$1 ORDER BY 1"},
};

/* One row as members of an object. */
static void put_members(sl_buf *b, const sl_sv_row *row, const char *const *names)
{
    for (size_t i = 0; i < SL_SV_CELLS && names[i] != NULL; i++) {
        const sl_cell *c = &row->cells[i];
        const char *text = sl_cell_str(c);
        sl_buf_fmt(b, "%s\"%s\":", i > 0 ? "," : "", names[i]);
        if (c->kind == SL_CELL_INT) {
            sl_json_put_int(b, sl_cell_int_or(c, 0));
        } else if (text != NULL) {
            sl_json_put_text(b, text, strlen(text));
        } else {
            sl_buf_str(b, "null");
        }
    }
}

/* The rows, each between `from` and `to`. */
static sl_status put_rows(bundle *x, const listed *l, const char *user, const char *from,
                          const char *to)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(x->s, l->sql, SL_SV_ARGS(sl_cell_text(user)), &rows, NULL);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_buf_fmt(&x->out, "%s%s", i > 0 ? "," : "", from);
        put_members(&x->out, &rows.rows[i], l->columns);
        sl_buf_str(&x->out, to);
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status put_lists(bundle *x, const char *user)
{
    sl_status status = put_rows(x, &ACCOUNT[0], user, "{\"account\":{", ",");
    if (status == SL_OK) {
        status = put_rows(x, &ACCOUNT[1], user, "", "}");
    }
    for (size_t i = 0; status == SL_OK && i < sizeof LISTS / sizeof LISTS[0]; i++) {
        sl_buf_fmt(&x->out, ",\"%s\":[", LISTS[i].name);
        status = put_rows(x, &LISTS[i], user, "{", "}");
        sl_buf_str(&x->out, "]");
    }
    return status;
}

void sl_sv_export(sl_sv_request *r, sl_http_out *out)
{
    bundle x = {.s = r->s};
    sl_lock(r->s->lock);
    sl_status status = put_lists(&x, r->who.user);
    sl_buf_str(&x.out, ",\"records\":[");
    if (status == SL_OK) {
        status = each_record(r->s, r->who.user, write_record, &x, NULL);
    }
    sl_unlock(r->s->lock);
    sl_buf_str(&x.out, "]}");
    status = status == SL_OK ? x.status : status;
    out->body = status == SL_OK ? sl_buf_bytes(&x.out) : NULL;
    sl_buf_free(&x.out);
    if (out->body == NULL) {
        sl_sv_broken(out, status != SL_OK ? status : SL_E_NOMEM);
    } else {
        out->status = 200;
        sl_sv_header(out, "Content-Type", "application/json");
        sl_sv_header(out, "Content-Disposition", "attachment; filename=\"sideline.json\"");
    }
}

/* ---- erasing ---- */

typedef struct erasure {
    const char *user;
    sl_sv_tx *tx;
    sl_status status;
    sl_error **err;
    sl_sv_rows dead; /* blobs that nobody holds any more */
} erasure;

static bool bury(void *ctx, const sl_entity *e, const char *space, const char *id)
{
    erasure *x = ctx;
    sl_sv_item *item = NULL;
    x->status = sl_sv_get(x->tx, e, space, id, &item, x->err);
    if (x->status == SL_OK) {
        x->status = sl_sv_bury(item, x->err);
    }
    return x->status == SL_OK;
}

/* Everybody else leaves the spaces that the user owns; the user leaves all others. */
static sl_status leave_all(sl_sv_tx *tx, const char *user, sl_error **err)
{
    return sl_sv_revoke_all(
        tx,
        "SELECT x.user_id, x.space FROM access x JOIN access o ON o.space=x.space AND"
        " o.user_id=$1 AND o.role='owner' WHERE x.user_id<>$1 UNION"
        " SELECT user_id, space FROM access WHERE user_id=$1 AND role<>'owner'"
        " ORDER BY 1, 2",
        SL_SV_ARGS(sl_cell_text(user)), err);
}

/* The other side of each connection goes too. */
static sl_status part_from_all(sl_sv_tx *tx, const char *user, sl_error **err)
{
    sl_sv_space own;
    sl_sv_rows rows;
    sl_space_name(own, "user", user);
    sl_status status =
        sl_sv_all(tx->s,
                  "SELECT t.\"space\", t.\"id\" FROM \"connection\" m JOIN \"connection\" t ON"
                  " t.\"id\"=m.\"id\" AND t.\"space\"<>m.\"space\" WHERE m.\"space\"=$1 AND"
                  " t.\"deleted\"=0 ORDER BY t.\"space\"",
                  SL_SV_ARGS(sl_cell_text(own)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_sv_item *item = NULL;
        status = sl_sv_get(tx, sl_entity_find("connection"), sl_sv_text(&rows, i, 0),
                           sl_sv_text(&rows, i, 1), &item, err);
        status = status == SL_OK ? sl_sv_bury(item, err) : status;
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status forget_account(sl_sv_tx *tx, const char *user, sl_error **err)
{
    static const char *const all[] = {
        "DELETE FROM login_try WHERE email=(SELECT email FROM account WHERE id=$1)",
        "UPDATE account SET email='deleted:' || id, name='', hash='-', status='deleted' WHERE id=$1",
        "UPDATE account SET birth=NULL, totp=NULL, totp_step=NULL, external=NULL WHERE id=$1",
        "UPDATE account SET plan=NULL, plan_until_ms=NULL, verified_ms=NULL WHERE id=$1",
        "DELETE FROM refresh WHERE session_id IN (SELECT id FROM session WHERE user_id=$1)",
        "DELETE FROM session WHERE user_id=$1",
        "DELETE FROM recovery WHERE user_id=$1",
        "DELETE FROM consent WHERE user_id=$1",
        "DELETE FROM ticket WHERE user_id=$1",
        "DELETE FROM quota WHERE user_id=$1",
        "DELETE FROM receipt WHERE user_id=$1",
        "DELETE FROM receipt_log WHERE user_id=$1",
        "DELETE FROM device_floor WHERE user_id=$1",
        "DELETE FROM blob_ref WHERE user_id=$1",
        "DELETE FROM blob_holder WHERE user_id=$1",
        "DELETE FROM upload WHERE user_id=$1",
        /* What was charged stays, under an id that is nobody's any more: books are kept. */
        "DELETE FROM pay_ref WHERE kind='customer' AND id=$1",
    };
    sl_status status = SL_OK;
    sl_sv_known_forget(tx->s);
    for (size_t i = 0; status == SL_OK && i < sizeof all / sizeof all[0]; i++) {
        status = sl_sv_run(tx->s, all[i], SL_SV_ARGS(sl_cell_text(user)), err);
    }
    return status;
}

static sl_status erase(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    erasure *x = ctx;
    x->tx = tx;
    x->err = err;
    x->status = SL_OK;
    sl_sv_rows_free(&x->dead);
    sl_status status = sl_sv_organisations_leave(tx, x->user, err);
    if (status == SL_OK) {
        status = leave_all(tx, x->user, err);
    }
    if (status == SL_OK) {
        status = part_from_all(tx, x->user, err);
    }
    if (status == SL_OK) {
        status = each_record(tx->s, x->user, bury, x, err);
        status = status == SL_OK ? x->status : status;
    }
    if (status == SL_OK) {
        status = sl_sv_flush(tx, err);
    }
    if (status == SL_OK) {
        status = sl_sv_all(tx->s,
                           "DELETE FROM blob WHERE sha256 IN (SELECT sha256 FROM blob_holder WHERE"
                           " user_id=$1) AND NOT EXISTS (SELECT 1 FROM blob_holder h WHERE"
                           " h.sha256=blob.sha256 AND h.user_id<>$1) RETURNING sha256",
                           SL_SV_ARGS(sl_cell_text(x->user)), &x->dead, err);
    }
    return status == SL_OK ? forget_account(tx, x->user, err) : status;
}

static void remove_files(sl_service *s, const sl_sv_rows *dead)
{
    const sl_platform *p = s->ports.platform;
    for (size_t i = 0; i < dead->count; i++) {
        char *path = sl_sv_blob_path(s, sl_sv_text(dead, i, 0));
        if (path != NULL) {
            (void)p->files->remove(p->user, path);
        }
        sl_mem_free(path);
    }
}

static sl_status count_try(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    sl_sv_account *a = ctx;
    char id[SL_UUID_LEN + 1];
    sl_sv_copy(id, sizeof id, a->id);
    sl_status status = sl_sv_account_load(tx->s, "id", id, a, err);
    return status == SL_OK && a->found ? sl_sv_count_try(tx, a, err) : status;
}

static sl_status forget_tries(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    return sl_sv_forget_tries(tx, ctx, err);
}

/* The password is asked for again: a device that was left open is not enough. Tries are counted with those to
 * sign in. */
static bool is_password(sl_service *s, const char *user, const char *password, sl_http_out *out)
{
    sl_sv_account a = {0};
    sl_sv_copy(a.id, sizeof a.id, user);
    sl_status status = sl_sv_locked_change(s, count_try, &a);
    bool asks = status == SL_OK && a.found && a.wait_s == 0;
    char *secret = asks ? sl_sv_password_prepare(s, password) : NULL;
    bool right = secret != NULL && s->ports.check_password(s->ports.user, secret, a.hash);
    if (status == SL_OK && right) {
        status = sl_sv_locked_change(s, forget_tries, &a);
    }
    if (status == SL_OK && a.wait_s > 0) {
        sl_sv_too_many(out, a.wait_s);
    } else if (secret == NULL || status != SL_OK) {
        sl_sv_broken(out, status != SL_OK ? status : SL_E_NOMEM);
    } else if (!right) {
        sl_sv_invalid(out, "password", "this is not the password");
    }
    if (secret != NULL) {
        sl_wipe(secret, strlen(secret));
    }
    sl_mem_free(secret);
    sl_sv_account_free(&a);
    return right && status == SL_OK;
}

void sl_sv_erase(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    erasure x = {.user = r->who.user};
    const char *password = sl_sv_need(r->body, "password", 1, 200, out);
    if (password == NULL || !is_password(s, r->who.user, password, out)) {
        return;
    }
    if (!sl_sv_subscriptions_stop(s, x.user, out)) {
        return;
    }
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, erase, &x, NULL);
    if (status == SL_OK) {
        sl_sv_drop_user(s, x.user);
        remove_files(s, &x.dead);
    }
    sl_unlock(s->lock);
    sl_sv_rows_free(&x.dead);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else {
        out->status = 204;
    }
}
