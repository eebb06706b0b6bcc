/*
 * service/privacy.c - an account's right to have what is kept of it, and to have it erased.
 *
 *   [PRIV-1] an export has every record of the spaces that the user owns, and every record elsewhere
 *            whose author the user is;
 *   [PRIV-2] erasing leaves of the account an id with nothing behind it: its records become
 *            tombstones, others lose what it shared, its sessions end, and bytes that nobody else
 *            brought are removed.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "service/account.h"

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

static void put_account(sl_buf *b, const sl_sv_account *a)
{
    const char *const parts[][2] = {{"id", a->id},
                                    {"email", a->email},
                                    {"name", a->name},
                                    {"role", a->rank.role},
                                    {"plan", a->rank.plan},
                                    {"birth_date", a->birth},
                                    {"external", a->external}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        sl_buf_fmt(b, "%s\"%s\":", i > 0 ? "," : "{", parts[i][0]);
        sl_json_put_text(b, parts[i][1], strlen(parts[i][1]));
    }
    sl_buf_str(b, "}");
}

void sl_sv_export(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_account a = {0};
    bundle x = {.s = r->s};
    sl_buf_str(&x.out, "{\"account\":");
    sl_lock(r->s->lock);
    sl_status status = sl_sv_account_load(r->s, "id", r->who.user, &a, NULL);
    if (status == SL_OK && a.found) {
        put_account(&x.out, &a);
        sl_buf_str(&x.out, ",\"records\":[");
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
    sl_sv_account_free(&a);
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
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(tx->s,
                  "SELECT \"space\", \"id\" FROM \"connection\" WHERE \"peer_id\"=$1 AND"
                  " \"deleted\"=0 ORDER BY \"space\"",
                  SL_SV_ARGS(sl_cell_text(user)), &rows, err);
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
        status = forget_account(tx, x->user, err);
    }
    return status == SL_OK
               ? sl_sv_all(tx->s,
                           "DELETE FROM blob WHERE NOT EXISTS (SELECT 1 FROM blob_holder h WHERE"
                           " h.sha256=blob.sha256) RETURNING sha256",
                           NULL, 0, &x->dead, err)
               : status;
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

/* The password is asked for again: a device that was left open is not enough. */
static bool is_password(sl_service *s, const char *user, const char *password, sl_http_out *out)
{
    sl_sv_account a = {0};
    sl_lock(s->lock);
    sl_status status = sl_sv_account_load(s, "id", user, &a, NULL);
    sl_unlock(s->lock);
    char *secret = status == SL_OK && a.found ? sl_sv_password_prepare(s, password) : NULL;
    bool right = secret != NULL && s->ports.check_password(s->ports.user, secret, a.hash);
    if (secret == NULL) {
        sl_sv_broken(out, status != SL_OK ? status : SL_E_NOMEM);
    } else if (!right) {
        sl_sv_invalid(out, "password", "this is not the password");
    }
    if (secret != NULL) {
        sl_wipe(secret, strlen(secret));
    }
    sl_mem_free(secret);
    sl_sv_account_free(&a);
    return right;
}

void sl_sv_erase(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    erasure x = {.user = r->who.user};
    const char *password = sl_sv_need(r->body, "password", 1, 200, out);
    if (password == NULL || !is_password(s, r->who.user, password, out)) {
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
