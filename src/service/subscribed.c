/* service/subscribed.c - what the provider of payments tells of subscriptions: pay.h says what is promised. */
#include "base/error.h"
#include "base/uuid.h"
#include "service/pay.h"

#include <string.h>

/* What is paid for period by period may be paid so much too late. */
static const int64_t GRACE_MS = INT64_C(3) * 24 * 3600 * 1000;

/* What the provider says of a subscription, and we. "": it does not run yet. */
static const char *state_of(const sl_json *object)
{
    static const char *const words[][2] = {
        {"trialing", "trialing"}, {"active", "active"},  {"past_due", "past_due"},
        {"paused", "past_due"},   {"unpaid", "expired"}, {"incomplete_expired", "expired"},
        {"canceled", "cancelled"}};
    const char *is = sl_json_str(object, "status");
    for (size_t i = 0; is != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i][0], is) == 0) {
            return words[i][1];
        }
    }
    return "";
}

static bool runs(const char *state)
{
    return strcmp(state, "trialing") == 0 || strcmp(state, "active") == 0 ||
           strcmp(state, "past_due") == 0;
}

/* True when this event is older than what is known. */
static sl_status is_old(sl_sv_tx *tx, const sl_sv_charge *c, const sl_sv_paid *e, bool *old,
                        sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(tx->s, "SELECT as_of_s FROM charge WHERE id=$1",
                                 SL_SV_ARGS(sl_cell_text(c->id)), &rows, err);
    int64_t as_of_s = status == SL_OK && rows.count > 0 ? sl_sv_int(&rows, 0, 0) : 0;
    sl_sv_rows_free(&rows);
    /* Of the same second: an end is the last word. */
    *old = e->created_s < as_of_s || (e->created_s == as_of_s && c->state[0] != 0 &&
                                      strcmp(c->state, "pending") != 0 && !runs(c->state));
    if (status != SL_OK || *old) {
        return status;
    }
    return sl_sv_write(tx, "UPDATE charge SET as_of_s=$1 WHERE id=$2",
                       SL_SV_ARGS(sl_cell_int(e->created_s), sl_cell_text(c->id)), err);
}

static sl_status put_records(sl_sv_tx *tx, const sl_sv_charge *c, const sl_json *object,
                             int64_t until_ms, sl_error **err)
{
    int64_t from_ms = sl_json_int_or(object, "current_period_start", 0) * 1000;
    int64_t ends = sl_json_bool_or(object, "cancel_at_period_end", false) ? 1 : 0;
    const char *whose[] = {c->user, c->coach};
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < 2; i++) {
        status = SL_SV_PUT(tx, "subscription", whose[i], c->id, err, {"plan_id", c->object, 0},
                           {"subscriber_id", c->user, 0}, {"coach_id", c->coach, 0},
                           {"status", c->state, 0}, {"amount_minor", NULL, c->amount},
                           {"currency", c->currency, 0}, {"period_from_ms", NULL, from_ms},
                           {"period_to_ms", NULL, until_ms}, {"cancel_at_end", NULL, ends});
    }
    return status;
}

static sl_status put_right(sl_sv_tx *tx, const sl_sv_charge *c, int64_t until_ms, sl_error **err)
{
    sl_sv_space coach;
    sl_space_name(coach, "coach", c->coach);
    until_ms = runs(c->state) || until_ms < tx->now_ms ? until_ms : tx->now_ms;
    return SL_SV_PUT(tx, "access_right", c->user, c->id, err, {"target", coach, 0},
                     {"source", "subscription", 0}, {"source_id", c->id, 0},
                     {"until_ms", NULL, until_ms});
}

/* Where there are plans, an athlete who pays a coach is a paying one, as long as the longest subscription goes. */
static sl_status put_standing(sl_sv_tx *tx, const sl_sv_charge *c, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        tx->s,
        "SELECT max(s.\"period_to_ms\") FROM charge c JOIN \"subscription\" s ON s.\"id\"=c.id AND"
        " s.\"space\"='user:' || c.user_id WHERE c.user_id=$1 AND c.id<>$2 AND c.state IN"
        " ('trialing', 'active', 'past_due')",
        SL_SV_ARGS(sl_cell_text(c->user), sl_cell_text(c->id)), &rows, err);
    int64_t other_ms = status == SL_OK && rows.count > 0 ? sl_sv_int(&rows, 0, 0) : 0;
    sl_sv_rows_free(&rows);
    if (status != SL_OK) {
        return status;
    }
    sl_sv_known_forget(tx->s);
    return sl_sv_write(tx,
                       "UPDATE account SET plan=$1, plan_until_ms=$2 WHERE id=$3 AND role='athlete'"
                       " AND plan IS NOT NULL",
                       SL_SV_ARGS(sl_cell_text(other_ms > 0 ? "active" : "expired"),
                                  sl_cell_int(other_ms > 0 ? other_ms + GRACE_MS : tx->now_ms),
                                  sl_cell_text(c->user)),
                       err);
}

static sl_status put_paying(sl_sv_tx *tx, const sl_sv_charge *c, int64_t until_ms, sl_error **err)
{
    sl_sv_known_forget(tx->s);
    return sl_sv_write(tx,
                       "UPDATE account SET plan='active', plan_until_ms=$1 WHERE id=$2 AND"
                       " role='athlete' AND plan IS NOT NULL AND (plan<>'active' OR"
                       " plan_until_ms<$1)",
                       SL_SV_ARGS(sl_cell_int(until_ms + GRACE_MS), sl_cell_text(c->user)), err);
}

sl_status sl_sv_on_subscription(sl_sv_tx *tx, sl_sv_charge *c, sl_sv_paid *e, sl_error **err)
{
    const char *state = state_of(e->object);
    int64_t until_ms = sl_json_int_or(e->object, "current_period_end", 0) * 1000;
    bool old = false;
    sl_status status = is_old(tx, c, e, &old, err);
    if (status != SL_OK || old || state[0] == 0) {
        return status;
    }
    status = sl_sv_charge_state(tx, c, state, err);
    status = status == SL_OK ? put_records(tx, c, e->object, until_ms, err) : status;
    status = status == SL_OK ? put_right(tx, c, until_ms, err) : status;
    if (status == SL_OK) {
        status = runs(state) ? put_paying(tx, c, until_ms, err) : put_standing(tx, c, err);
    }
    sl_sv_copy(e->user, sizeof e->user, c->user);
    return status;
}

/* Each period is a payment of its own, under an id that is made of the invoice's: sent again it is the same. */
sl_status sl_sv_on_invoice(sl_sv_tx *tx, sl_sv_charge *c, sl_sv_paid *e, sl_error **err)
{
    uint8_t hash[SL_SHA256_LEN];
    sl_sv_id id;
    const char *invoice = sl_json_str(e->object, "id");
    int64_t amount = sl_json_int_or(e->object, "amount_paid", 0);
    if (invoice == NULL || amount <= 0) {
        return SL_OK; /* of a trial */
    }
    sl_sha256_of(invoice, strlen(invoice), hash);
    hash[6] = (uint8_t)(0x80 | (hash[6] & 0x0F)); /* version 8 (RFC 9562) */
    hash[8] = (uint8_t)(0x80 | (hash[8] & 0x3F));
    sl_uuid_encode(id, hash);
    sl_status status = SL_SV_PUT(tx, "payment", c->user, id, err, {"amount_minor", NULL, amount},
                                 {"currency", c->currency, 0}, {"status", "succeeded", 0},
                                 {"paid_ms", NULL, tx->now_ms});
    return status == SL_OK ? sl_sv_earning_put(tx, c, id, amount, err) : status;
}
