/* service/charge.c - what payments and subscriptions have in common: their rows, and the way to the provider. */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "service/pay.h"

#include <string.h>

bool sl_sv_charge_is_plan(const sl_sv_charge *c)
{
    return strcmp(c->entity, SL_SV_PLAN) == 0;
}

sl_status sl_sv_charge_find(sl_service *s, const char *id, sl_sv_charge *out, sl_error **err)
{
    sl_sv_rows rows;
    memset(out, 0, sizeof *out);
    sl_status status = sl_sv_all(s,
                                 "SELECT user_id, coach_id, entity, object, program, amount,"
                                 " currency, state FROM charge WHERE id=$1",
                                 SL_SV_ARGS(sl_cell_text(id)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        out->found = true;
        sl_sv_copy(out->id, sizeof out->id, id);
        sl_sv_copy(out->user, sizeof out->user, sl_sv_text(&rows, 0, 0));
        sl_sv_copy(out->coach, sizeof out->coach, sl_sv_text(&rows, 0, 1));
        sl_sv_copy(out->entity, sizeof out->entity, sl_sv_text(&rows, 0, 2));
        sl_sv_copy(out->object, sizeof out->object, sl_sv_text(&rows, 0, 3));
        sl_sv_copy(out->program, sizeof out->program, sl_sv_text(&rows, 0, 4));
        out->amount = sl_sv_int(&rows, 0, 5);
        sl_sv_copy(out->currency, sizeof out->currency, sl_sv_text(&rows, 0, 6));
        sl_sv_copy(out->state, sizeof out->state, sl_sv_text(&rows, 0, 7));
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_charge_by_ref(sl_service *s, const char *ref, sl_sv_charge *out, sl_error **err)
{
    sl_sv_rows rows;
    memset(out, 0, sizeof *out);
    sl_status status = sl_sv_all(s, "SELECT id FROM pay_ref WHERE ref=$1 AND kind='charge'",
                                 SL_SV_ARGS(sl_cell_text(ref)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        status = sl_sv_charge_find(s, sl_sv_text(&rows, 0, 0), out, err);
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_charge_add(sl_sv_tx *tx, const sl_sv_charge *c, sl_error **err)
{
    return sl_sv_write(
        tx,
        "INSERT INTO charge (id, user_id, coach_id, entity, object, program, amount, currency,"
        " state, as_of_s, until_ms, made_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0,"
        " $10)",
        SL_SV_ARGS(sl_cell_text(c->id), sl_cell_text(c->user), sl_cell_text(c->coach),
                   sl_cell_text(c->entity), sl_cell_text(c->object), sl_cell_text(c->program),
                   sl_cell_int(c->amount), sl_cell_text(c->currency), sl_cell_text(c->state),
                   sl_cell_int(tx->now_ms)),
        err);
}

sl_status sl_sv_charge_state(sl_sv_tx *tx, sl_sv_charge *c, const char *state, sl_error **err)
{
    sl_sv_copy(c->state, sizeof c->state, state);
    return sl_sv_write(tx, "UPDATE charge SET state=$1 WHERE id=$2",
                       SL_SV_ARGS(sl_cell_text(state), sl_cell_text(c->id)), err);
}

/* ---- records of users ---- */

sl_status sl_sv_pays(sl_service *s, const char *user, bool *there, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(s, "SELECT 1 FROM account WHERE id=$1 AND (status IS NULL OR status<>'deleted')",
                  SL_SV_ARGS(sl_cell_text(user)), &rows, err);
    *there = status == SL_OK && rows.count > 0;
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_pay_put(sl_sv_tx *tx, const char *entity, const char *user, const char *id,
                        const sl_sv_value *values, size_t n, sl_error **err)
{
    sl_sv_space own;
    sl_sv_item *item = NULL;
    bool there = false;
    sl_status status = sl_sv_pays(tx->s, user, &there, err);
    if (!there) {
        return status; /* whoever is gone keeps nothing */
    }
    sl_space_name(own, "user", user);
    status = sl_sv_get(tx, sl_entity_find(entity), own, id, &item, err);
    if (status == SL_OK && item->rec.entity == NULL) {
        status = sl_sv_new(tx, entity, own, id, &item, err);
    }
    for (size_t i = 0; status == SL_OK && i < n; i++) {
        if (values[i].text == NULL) {
            status = sl_sv_set_int(item, values[i].field, values[i].number, err);
        } else if (values[i].text[0] != 0) {
            status = sl_sv_set(item, values[i].field, values[i].text, err);
        }
    }
    return status;
}

sl_status sl_sv_pay_bury(sl_sv_tx *tx, const char *entity, const char *user, const char *id,
                         sl_error **err)
{
    sl_sv_space own;
    sl_sv_item *item = NULL;
    sl_space_name(own, "user", user);
    sl_status status = sl_sv_get(tx, sl_entity_find(entity), own, id, &item, err);
    return status == SL_OK && item->rec.entity != NULL && !item->rec.deleted ? sl_sv_bury(item, err)
                                                                             : status;
}

sl_status sl_sv_earning_put(sl_sv_tx *tx, const sl_sv_charge *c, const char *id, int64_t amount,
                            sl_error **err)
{
    /* Of a half the coach has it: what is kept and what remains are the whole, to the last unit. */
    int64_t fee = (amount * tx->s->pay_fee + 4999) / 10000;
    return SL_SV_PUT(tx, "earning", c->coach, id, err, {"amount_minor", NULL, amount - fee},
                     {"currency", c->currency, 0}, {"fee_minor", NULL, fee}, {"payment_id", id, 0},
                     {"earned_ms", NULL, tx->now_ms});
}

/* ---- the provider ---- */

sl_status sl_sv_ref_get(sl_service *s, const char *kind, const char *id, char out[96],
                        sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT ref FROM pay_ref WHERE kind=$1 AND id=$2",
                                 SL_SV_ARGS(sl_cell_text(kind), sl_cell_text(id)), &rows, err);
    sl_sv_copy(out, 96, status == SL_OK && rows.count > 0 ? sl_sv_text(&rows, 0, 0) : "");
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_ref_set(sl_service *s, const char *kind, const char *id, const char *ref,
                        sl_error **err)
{
    return sl_sv_run(s,
                     "INSERT INTO pay_ref (kind, id, ref) VALUES ($1, $2, $3)"
                     " ON CONFLICT (kind, id) DO UPDATE SET ref=excluded.ref",
                     SL_SV_ARGS(sl_cell_text(kind), sl_cell_text(id), sl_cell_text(ref)), err);
}

bool sl_sv_pay_is_on(const sl_service *s, sl_http_out *out)
{
    bool on = s->ports.pay != NULL && s->pay_secret != NULL && s->pay_secret[0] != 0;
    if (!on) {
        sl_sv_refuse(out, 404, "not_found", "there is no provider of payments");
    }
    return on;
}

/* The workers carry all else too: they do not all wait for the provider. */
static bool take_turn(sl_service *s)
{
    sl_lock(s->lock);
    bool free = s->paying < SL_SV_PAYING_MAX;
    s->paying += free ? 1 : 0;
    sl_unlock(s->lock);
    return free;
}

static void end_turn(sl_service *s)
{
    sl_lock(s->lock);
    s->paying--;
    sl_unlock(s->lock);
}

sl_status sl_sv_provider_ask(sl_service *s, const char *path, sl_buf *form, const char *key,
                             sl_json **out)
{
    sl_bytes *page = NULL;
    const char *text = form != NULL ? sl_buf_text(form) : NULL;
    sl_status status = form != NULL && (form->failed || text == NULL) ? SL_E_NOMEM : SL_OK;
    *out = NULL;
    if (status == SL_OK && !take_turn(s)) {
        status = SL_E_BUSY;
    } else if (status == SL_OK) {
        status = s->ports.pay(s->ports.user, path, text, key, &page, NULL);
        end_turn(s);
    }
    if (status == SL_OK) {
        status = sl_json_read((const char *)sl_bytes_data(page), sl_bytes_len(page), out, NULL);
        status = status == SL_E_NOMEM ? status : sl_json_is_object(*out) ? SL_OK : SL_E_NETWORK;
    }
    sl_bytes_release(page);
    if (form != NULL) {
        sl_buf_free(form);
    }
    if (status != SL_OK) {
        sl_json_free(*out);
        *out = NULL;
    }
    return status;
}

void sl_sv_provider_refuse(sl_status status, sl_http_out *out)
{
    if (status == SL_E_INVALID || status == SL_E_NOT_FOUND) {
        sl_sv_refuse(out, 409, "conflict", "the provider of payments does not take it");
    } else if (status == SL_E_NETWORK) {
        sl_sv_refuse(out, 503, "unavailable", "the provider of payments does not answer");
        sl_sv_header(out, "Retry-After", "5");
    } else {
        sl_sv_broken(out, status);
    }
}
