/* service/subscribed.c - what the provider of payments tells of subscriptions: pay.h says what is promised. */
#include "base/error.h"
#include "base/uuid.h"
#include "service/pay.h"

#include <string.h>

#define RUNNING "('trialing', 'active', 'past_due')"

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

/* A time of the period, in ms; in newer versions of the API it is with the item. 0: it is not said. */
static int64_t period_ms(const sl_json *object, const char *name)
{
    const sl_json *items = sl_json_get(sl_json_get(object, "items"), "data");
    int64_t s = sl_json_int_or(object, name, 0);
    if (s <= 0) {
        s = sl_json_int_or(sl_json_first(items), name, 0);
    }
    return s > 0 ? s * 1000 : 0;
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
    return status;
}

static sl_status put_records(sl_sv_tx *tx, const sl_sv_charge *c, const sl_json *object,
                             sl_error **err)
{
    int64_t from_ms = period_ms(object, "current_period_start");
    int64_t until_ms = period_ms(object, "current_period_end");
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
    return SL_SV_PUT(tx, "access_right", c->user, c->id, err, {"target", coach, 0},
                     {"source", "subscription", 0}, {"source_id", c->id, 0},
                     {"until_ms", NULL, until_ms});
}

/* Until when the user's running subscriptions are paid for; 0: there is none. */
static sl_status paid_until(sl_service *s, const char *user, int64_t *out, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(s, "SELECT max(until_ms) FROM charge WHERE user_id=$1 AND state IN " RUNNING,
                  SL_SV_ARGS(sl_cell_text(user)), &rows, err);
    *out = status == SL_OK && rows.count > 0 ? sl_sv_int(&rows, 0, 0) : 0;
    sl_sv_rows_free(&rows);
    return status;
}

/* Where there are plans, an athlete is a paying one as long as a subscription is paid for. What the account has by
 * other ways, and for longer, stays. */
static sl_status put_standing(sl_sv_tx *tx, const sl_sv_charge *c, int64_t before_ms,
                              int64_t after_ms, sl_error **err)
{
    sl_sv_known_forget(tx->s);
    if (after_ms > before_ms) {
        return sl_sv_write(tx,
                           "UPDATE account SET plan='active', plan_until_ms=$1 WHERE id=$2 AND"
                           " role='athlete' AND (plan='expired' OR (plan IN ('active', 'trial') AND"
                           " plan_until_ms>0 AND plan_until_ms<$1))",
                           SL_SV_ARGS(sl_cell_int(after_ms), sl_cell_text(c->user)), err);
    }
    return sl_sv_write(tx,
                       "UPDATE account SET plan=$1, plan_until_ms=$2 WHERE id=$3 AND role='athlete'"
                       " AND plan='active' AND plan_until_ms=$4",
                       SL_SV_ARGS(sl_cell_text(after_ms > 0 ? "active" : "expired"),
                                  sl_cell_int(after_ms > 0 ? after_ms : tx->now_ms),
                                  sl_cell_text(c->user), sl_cell_int(before_ms)),
                       err);
}

/* A period that has begun and is not paid for counts to its beginning. */
static sl_status put_state(sl_sv_tx *tx, sl_sv_charge *c, const char *state, sl_sv_paid *e,
                           sl_error **err)
{
    bool paid = strcmp(state, "past_due") != 0;
    int64_t until_ms = period_ms(e->object, paid ? "current_period_end" : "current_period_start");
    int64_t before_ms = 0;
    int64_t after_ms = 0;
    bool ran = runs(c->state);
    sl_status status = paid_until(tx->s, c->user, &before_ms, err);
    if (status == SL_OK) {
        status = sl_sv_charge_state(tx, c, state, err);
    }
    if (status == SL_OK) {
        status = sl_sv_write(
            tx, "UPDATE charge SET as_of_s=$1, until_ms=$2 WHERE id=$3",
            SL_SV_ARGS(sl_cell_int(e->created_s), sl_cell_int(until_ms), sl_cell_text(c->id)), err);
    }
    if (status != SL_OK || (!ran && !runs(state))) {
        return status; /* it was never paid for */
    }
    status = put_records(tx, c, e->object, err);
    if (status == SL_OK) {
        bool over = !runs(state) && until_ms > tx->now_ms;
        status = put_right(tx, c, over ? tx->now_ms : until_ms, err);
    }
    status = status == SL_OK ? paid_until(tx->s, c->user, &after_ms, err) : status;
    if (status != SL_OK || after_ms == before_ms) {
        return status;
    }
    sl_sv_copy(e->user, sizeof e->user, c->user);
    return put_standing(tx, c, before_ms, after_ms, err);
}

sl_status sl_sv_on_subscription(sl_sv_tx *tx, sl_sv_charge *c, sl_sv_paid *e, sl_error **err)
{
    const char *state = state_of(e->object);
    const char *ref = sl_json_str(e->object, "id");
    bool old = false;
    bool payer = false;
    bool coach = false;
    sl_status status = sl_sv_pays(tx->s, c->user, &payer, err);
    if (status == SL_OK) {
        status = sl_sv_pays(tx->s, c->coach, &coach, err);
    }
    if (status == SL_OK && ref != NULL && strlen(ref) < sizeof e->stop) {
        status =
            sl_sv_ref_set(tx->s, "charge", c->id, ref, err); /* its answer may have been lost */
        sl_sv_copy(e->stop, sizeof e->stop, runs(state) && !(payer && coach) ? ref : "");
    }
    if (status == SL_OK) {
        status = is_old(tx, c, e, &old, err);
    }
    if (status == SL_OK && !old && state[0] != 0) {
        status = put_state(tx, c, state, e, err);
    }
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
    hash[6] = (uint8_t)(0x80 | (hash[6] &
                                0x0F)); /* version 8 (RFC 9562), which no request takes (pay.c) */
    hash[8] = (uint8_t)(0x80 | (hash[8] & 0x3F));
    sl_uuid_encode(id, hash);
    sl_status status = SL_SV_PUT(tx, "payment", c->user, id, err, {"amount_minor", NULL, amount},
                                 {"currency", c->currency, 0}, {"status", "succeeded", 0},
                                 {"paid_ms", NULL, tx->now_ms});
    return status == SL_OK ? sl_sv_earning_put(tx, c, id, amount, err) : status;
}
