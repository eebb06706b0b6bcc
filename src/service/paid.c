/*
 * service/paid.c - what the provider of payments tells of them: pay.h says what is promised.
 *
 * A request is signed by HMAC-SHA-256 over its time and body (header Stripe-Signature: t=SECONDS,v1=HEX), and is not
 * older than five minutes, so that one that was overheard cannot be sent again later.
 */
#include "service/pay.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/error.h"
#include "service/effect.h"

#include <stdlib.h>
#include <string.h>

enum {
    EVENT_MAX = 512 * 1024,
    SIGNED_S = 300
};

/* The provider sends an event again for three days. */
static const int64_t KNOWN_MS = INT64_C(30) * 24 * 3600 * 1000;

/* ---- the signature ---- */

/* SL_E_AUTH: it is another's. */
static sl_status check_one(const sl_service *s, const char *time, const sl_http_in *in,
                           const char *hex)
{
    uint8_t given[SL_SHA256_LEN];
    uint8_t made[SL_SHA256_LEN];
    sl_buf text = {0};
    if (strlen(hex) != sizeof given * 2 || !sl_hex_decode(given, sizeof given, hex)) {
        return SL_E_AUTH;
    }
    sl_buf_fmt(&text, "%s.", time);
    sl_buf_put(&text, in->body, in->body_len);
    sl_status status = text.failed ? SL_E_NOMEM : SL_OK;
    if (status == SL_OK) {
        sl_hmac_sha256(s->pay_secret, strlen(s->pay_secret), text.data, text.len, made);
        status = sl_equal_ct(given, made, sizeof made) ? SL_OK : SL_E_AUTH;
    }
    sl_buf_free(&text);
    return status;
}

/* One of several signatures will do: while the secret is changed, the provider signs with both. */
static sl_status check_signature(const sl_service *s, const sl_http_in *in)
{
    const char *header = in->header(in->ctx, "stripe-signature");
    char text[1024] = "";
    char time[24] = "";
    char *rest = text;
    sl_status status = SL_E_AUTH;
    if (header == NULL || strlen(header) >= sizeof text) {
        return SL_E_AUTH;
    }
    sl_sv_copy(text, sizeof text, header);
    for (char *part = strtok_r(text, ",", &rest); part != NULL; part = strtok_r(NULL, ",", &rest)) {
        part += strspn(part, " ");
        if (strncmp(part, "t=", 2) == 0) {
            sl_sv_copy(time, sizeof time, part + 2);
        } else if (strncmp(part, "v1=", 3) == 0 && status == SL_E_AUTH) {
            status = check_one(s, time, in, part + 3);
        }
    }
    if (status != SL_OK) {
        return status;
    }
    int64_t age_s = sl_sv_now(s) / 1000 - strtoll(time, NULL, 10);
    return age_s <= SIGNED_S && age_s >= -SIGNED_S ? SL_OK : SL_E_AUTH;
}

/* ---- whose it is ---- */

/* The charge that the object is about: it bears our id, or names what bears it. */
static sl_status charge_of(sl_sv_tx *tx, const sl_json *object, sl_sv_charge *c, sl_error **err)
{
    static const char *const refs[] = {"payment_intent", "subscription"};
    const char *id = sl_json_str(sl_json_get(object, "metadata"), "id");
    sl_status status = SL_OK;
    memset(c, 0, sizeof *c);
    for (size_t i = 0; id == NULL && i < 2;
         i++) { /* of an invoice; in newer versions of the API it is within */
        const sl_json *from = i == 0 ? object : sl_json_get(object, "parent");
        const sl_json *details = sl_json_get(from, "subscription_details");
        id = sl_json_str(sl_json_get(details, "metadata"), "id");
    }
    if (id != NULL && sl_uuid_ok(id)) {
        status = sl_sv_charge_find(tx->s, id, c, err);
    }
    for (size_t i = 0; status == SL_OK && !c->found && i < 2; i++) {
        const char *ref = sl_json_str(object, refs[i]);
        status = ref != NULL ? sl_sv_charge_by_ref(tx->s, ref, c, err) : SL_OK;
    }
    return status;
}

/* ---- records ---- */

static sl_status put_purchase(sl_sv_tx *tx, const sl_sv_charge *c, const char *state,
                              sl_error **err)
{
    const char *product = strcmp(c->entity, "product") == 0 ? c->object : "";
    const char *whose[] = {c->user, c->coach};
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < 2; i++) {
        status = SL_SV_PUT(tx, "purchase", whose[i], c->id, err, {"product_id", product, 0},
                           {"program_id", c->program, 0}, {"buyer_id", c->user, 0},
                           {"coach_id", c->coach, 0}, {"amount_minor", NULL, c->amount},
                           {"currency", c->currency, 0}, {"status", state, 0},
                           {"bought_ms", NULL, tx->now_ms});
    }
    return status;
}

/* Of both copies of a purchase or an enrollment. */
static sl_status put_status(sl_sv_tx *tx, const char *entity, const sl_sv_charge *c,
                            const char *state, sl_error **err)
{
    sl_status status = SL_SV_PUT(tx, entity, c->user, c->id, err, {"status", state, 0});
    return status == SL_OK ? SL_SV_PUT(tx, entity, c->coach, c->id, err, {"status", state, 0})
                           : status;
}

/* ---- what is had ---- */

static sl_status count_in(sl_sv_tx *tx, const char *program, int64_t by, sl_error **err)
{
    sl_sv_space space;
    sl_sv_item *item = NULL;
    sl_space_name(space, "program", program);
    sl_status status = sl_sv_get(tx, sl_entity_find("program"), space, program, &item, err);
    if (status != SL_OK || item->rec.entity == NULL || item->rec.deleted) {
        return status;
    }
    int64_t n = sl_record_int(&item->rec, "enrolled_count", 0) + by;
    return sl_sv_set_int(item, "enrolled_count", n > 0 ? n : 0, err);
}

static sl_status put_enrollment(sl_sv_tx *tx, const sl_sv_charge *c, const char *state,
                                sl_error **err)
{
    const char *whose[] = {c->user, c->coach};
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < 2; i++) {
        status = SL_SV_PUT(tx, "enrollment", whose[i], c->id, err, {"program_id", c->program, 0},
                           {"athlete_id", c->user, 0}, {"coach_id", c->coach, 0},
                           {"status", state, 0}, {"enrolled_ms", NULL, tx->now_ms});
    }
    return status;
}

/* What an organisation gave is bought now, and stays when that ends. */
static sl_status let_in(sl_sv_tx *tx, const sl_sv_charge *c, const char *program, sl_error **err)
{
    unsigned role = 0;
    sl_status status = sl_sv_role(tx->s, c->user, program, &role, err);
    if (status == SL_OK && role == 0) {
        status = sl_sv_grant(tx, c->user, program, "member", err);
    }
    const char *was = role == 0 ? "" : "organisation";
    return status == SL_OK
               ? sl_sv_write(
                     tx,
                     "UPDATE access SET via='purchase' WHERE user_id=$1 AND space=$2 AND"
                     " COALESCE(via, '')=$3",
                     SL_SV_ARGS(sl_cell_text(c->user), sl_cell_text(program), sl_cell_text(was)),
                     err)
               : status;
}

static sl_status give(sl_sv_tx *tx, const sl_sv_charge *c, sl_error **err)
{
    sl_sv_space program;
    bool payer = false;
    bool there = false;
    sl_space_name(program, "program", c->program);
    sl_status status = sl_sv_pays(tx->s, c->user, &payer, err);
    if (status == SL_OK) {
        status = sl_sv_space_exists(tx->s, program, &there, err);
    }
    if (status != SL_OK || !payer) {
        return status;
    }
    status = there ? let_in(tx, c, program, err) : SL_OK;
    if (status == SL_OK) {
        status = SL_SV_PUT(tx, "access_right", c->user, c->id, err, {"target", program, 0},
                           {"source", "purchase", 0}, {"source_id", c->id, 0},
                           {"from_ms", NULL, tx->now_ms});
    }
    status = status == SL_OK ? put_enrollment(tx, c, "active", err) : status;
    return status == SL_OK ? count_in(tx, c->program, 1, err) : status;
}

/* Whoever holds it by another way goes on so. */
static sl_status take_back(sl_sv_tx *tx, const sl_sv_charge *c, sl_error **err)
{
    sl_sv_space program;
    sl_space_name(program, "program", c->program);
    sl_status status = sl_sv_revoke_all(
        tx,
        "SELECT user_id, space FROM access WHERE user_id=$1 AND space=$2 AND via='purchase' AND"
        " NOT EXISTS (SELECT 1 FROM charge WHERE user_id=$1 AND program=$3 AND id<>$4 AND"
        " state='succeeded')",
        SL_SV_ARGS(sl_cell_text(c->user), sl_cell_text(program), sl_cell_text(c->program),
                   sl_cell_text(c->id)),
        err);
    status = status == SL_OK ? sl_sv_lend_settle(tx, c->user, err) : status;
    if (status == SL_OK) {
        status = sl_sv_pay_bury(tx, "access_right", c->user, c->id, err);
    }
    status = status == SL_OK ? put_status(tx, "enrollment", c, "cancelled", err) : status;
    return status == SL_OK ? count_in(tx, c->program, -1, err) : status;
}

/* ---- payments ---- */

/* The provider took what was asked for, and nothing else. */
static bool is_whole(const sl_sv_charge *c, const sl_json *object)
{
    const char *currency = sl_json_str(object, "currency");
    bool same = currency != NULL && strlen(currency) == 3;
    for (size_t i = 0; same && i < 3; i++) {
        same = (currency[i] | 0x20) == (c->currency[i] | 0x20);
    }
    return same && sl_json_int_or(object, "amount_received", -1) == c->amount;
}

static sl_status put_payment(sl_sv_tx *tx, const sl_sv_charge *c, const char *state, sl_error **err)
{
    return SL_SV_PUT(tx, "payment", c->user, c->id, err, {"amount_minor", NULL, c->amount},
                     {"currency", c->currency, 0}, {"status", state, 0}, {"purchase_id", c->id, 0},
                     {"paid_ms", NULL, tx->now_ms});
}

static sl_status succeed(sl_sv_tx *tx, sl_sv_charge *c, sl_error **err)
{
    sl_status status = sl_sv_charge_state(tx, c, "succeeded", err);
    status = status == SL_OK ? put_purchase(tx, c, "paid", err) : status;
    status = status == SL_OK ? put_payment(tx, c, "succeeded", err) : status;
    status = status == SL_OK ? sl_sv_earning_put(tx, c, c->id, c->amount, err) : status;
    return status == SL_OK && c->program[0] != 0 ? give(tx, c, err) : status;
}

static sl_status on_succeeded(sl_sv_tx *tx, sl_sv_charge *c, sl_sv_paid *e, sl_error **err)
{
    const char *ref = sl_json_str(e->object, "id");
    sl_status status = ref != NULL && strlen(ref) < 96 /* its answer may have been lost */
                           ? sl_sv_ref_set(tx->s, "charge", c->id, ref, err)
                           : SL_OK;
    if (status != SL_OK || strcmp(c->state, "succeeded") == 0 ||
        strcmp(c->state, "refunded") == 0) {
        return status; /* [PAY-2] */
    }
    return is_whole(c, e->object) ? succeed(tx, c, err)
                                  : sl_sv_audit_add(tx->s, tx->now_ms, "provider", "payment.amount",
                                                    c->id, "refused", err);
}

static sl_status on_failed(sl_sv_tx *tx, sl_sv_charge *c, sl_sv_paid *e, sl_error **err)
{
    (void)e;
    if (strcmp(c->state, "pending") != 0) {
        return SL_OK;
    }
    return SL_SV_PUT(tx, "payment", c->user, c->id, err,
                     {"status", "failed", 0}); /* another try may go well */
}

/* That it was paid is told later: nothing was given, and nothing is. */
static sl_status refund_unpaid(sl_sv_tx *tx, const sl_sv_charge *c, sl_error **err)
{
    sl_status status = put_purchase(tx, c, "refunded", err);
    status = status == SL_OK ? put_payment(tx, c, "refunded", err) : status;
    return status == SL_OK && c->program[0] != 0 ? put_enrollment(tx, c, "cancelled", err) : status;
}

static sl_status refund(sl_sv_tx *tx, sl_sv_charge *c, sl_error **err)
{
    bool paid = strcmp(c->state, "succeeded") == 0;
    if (strcmp(c->state, "refunded") == 0) {
        return SL_OK;
    }
    sl_status status = sl_sv_charge_state(tx, c, "refunded", err);
    if (status != SL_OK || !paid) {
        return status == SL_OK ? refund_unpaid(tx, c, err) : status;
    }
    status = SL_SV_PUT(tx, "payment", c->user, c->id, err, {"status", "refunded", 0});
    status = status == SL_OK ? put_status(tx, "purchase", c, "refunded", err) : status;
    status = status == SL_OK ? sl_sv_pay_bury(tx, "earning", c->coach, c->id, err) : status;
    return status == SL_OK && c->program[0] != 0 ? take_back(tx, c, err) : status;
}

/* Of a part: what was bought stays. */
static sl_status on_refunded(sl_sv_tx *tx, sl_sv_charge *c, sl_sv_paid *e, sl_error **err)
{
    return sl_json_bool_or(e->object, "refunded", false) ? refund(tx, c, err) : SL_OK;
}

/* While it is not decided everything stays. One that is lost is paid back. */
static sl_status on_disputed(sl_sv_tx *tx, sl_sv_charge *c, sl_sv_paid *e, sl_error **err)
{
    const char *is = sl_json_str(e->object, "status");
    bool closed = strcmp(e->type, "charge.dispute.closed") == 0;
    if (closed && is != NULL && strcmp(is, "lost") == 0) {
        return refund(tx, c, err);
    }
    return strcmp(c->state, "succeeded") == 0
               ? SL_SV_PUT(tx, "payment", c->user, c->id, err,
                           {"status", closed ? "succeeded" : "disputed", 0})
               : SL_OK;
}

/* ---- events ---- */

typedef sl_status (*event_fn)(sl_sv_tx *tx, sl_sv_charge *c, sl_sv_paid *e, sl_error **err);

static const struct {
    const char *type;
    bool plan; /* it is about what is paid for period by period */
    event_fn fn;
} EVENTS[] = {
    {"payment_intent.succeeded", false, on_succeeded},
    {"payment_intent.payment_failed", false, on_failed},
    {"charge.refunded", false, on_refunded},
    {"charge.dispute.created", false, on_disputed},
    {"charge.dispute.closed", false, on_disputed},
    {"customer.subscription.created", true, sl_sv_on_subscription},
    {"customer.subscription.updated", true, sl_sv_on_subscription},
    {"customer.subscription.deleted", true, sl_sv_on_subscription},
    {"invoice.paid", true, sl_sv_on_invoice},
};

/* What is not ours, and what says nothing here, is taken all the same: else it would come again and again. */
static sl_status take_event(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    sl_sv_paid *e = ctx;
    sl_sv_rows rows;
    sl_sv_charge c;
    e->user[0] = 0;
    e->stop[0] = 0;
    sl_status status = sl_sv_all(tx->s, "SELECT 1 FROM pay_event WHERE id=$1",
                                 SL_SV_ARGS(sl_cell_text(e->id)), &rows, err);
    bool known = rows.count > 0;
    sl_sv_rows_free(&rows);
    if (status != SL_OK || known) {
        return status; /* [PAY-2] */
    }
    status = sl_sv_write(tx, "INSERT INTO pay_event (id, at_ms) VALUES ($1, $2)",
                         SL_SV_ARGS(sl_cell_text(e->id), sl_cell_int(tx->now_ms)), err);
    if (status == SL_OK) {
        status = sl_sv_write(tx, "DELETE FROM pay_event WHERE at_ms<$1",
                             SL_SV_ARGS(sl_cell_int(tx->now_ms - KNOWN_MS)), err);
    }
    if (status == SL_OK) {
        status = charge_of(tx, e->object, &c, err);
    }
    for (size_t i = 0; status == SL_OK && c.found && i < sizeof EVENTS / sizeof EVENTS[0]; i++) {
        if (strcmp(EVENTS[i].type, e->type) == 0 && EVENTS[i].plan == sl_sv_charge_is_plan(&c)) {
            return EVENTS[i].fn(tx, &c, e, err);
        }
    }
    return status;
}

static void answer_event(sl_service *s, const sl_json *body, sl_http_out *out)
{
    sl_sv_paid e = {.id = sl_json_str(body, "id"),
                    .type = sl_json_str(body, "type"),
                    .created_s = sl_json_int_or(body, "created", 0),
                    .object = sl_json_get(sl_json_get(body, "data"), "object")};
    if (e.id == NULL || e.type == NULL || !sl_json_is_object(e.object)) {
        sl_sv_refuse(out, 400, "bad_request", "not an event");
        return;
    }
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, take_event, &e, NULL);
    if (status == SL_OK && e.user[0] != 0) {
        sl_sv_drop_user(s, e.user);
    }
    sl_unlock(s->lock);
    if (status == SL_OK && e.stop[0] != 0) {
        (void)sl_sv_subscription_stop(s, e.stop); /* else the next event of it has it stopped */
    }
    if (status != SL_OK) {
        sl_sv_broken(out, status); /* it will be sent again */
    } else {
        out->status = 204;
    }
}

void sl_sv_pay_event(sl_sv_request *r, sl_http_out *out)
{
    sl_json *body = NULL;
    if (!sl_sv_pay_is_on(r->s, out)) {
        return;
    }
    if (r->in->body_len > EVENT_MAX) {
        sl_sv_refuse(out, 413, "too_large", "the body is too large");
        return;
    }
    sl_status status = r->in->cut ? (sl_status)SL_E_AUTH : check_signature(r->s, r->in);
    if (status == SL_E_AUTH) {
        sl_sv_refuse(out, 400, "bad_request", "the signature is wrong, or not of now");
        return;
    }
    if (status == SL_OK) {
        status = sl_json_read((const char *)r->in->body, r->in->body_len, &body, NULL);
    }
    if (status == SL_OK) {
        answer_event(r->s, body, out);
    } else if (status == SL_E_NOMEM) {
        sl_sv_broken(out, status);
    } else {
        sl_sv_refuse(out, 400, "bad_request", "not an event");
    }
    sl_json_free(body);
}
