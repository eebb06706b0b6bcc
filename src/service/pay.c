/* service/pay.c - payments and subscriptions that users begin and end: pay.h says what is promised. */
#include "service/pay.h"

#include "base/buf.h"
#include "base/error.h"
#include "service/ask.h"
#include "service/make.h"

#include <stdio.h>
#include <string.h>

enum {
    AGAIN_MS = 20 * 3600 * 1000
};

/* What a request wants to be paid for. */
typedef struct order {
    sl_sv_charge charge;
    sl_sv_rank rank;
    sl_sv_space space;
    const char *field; /* of the request, that names the object */
    bool known;        /* it was begun before */
    char title[204];
    char period[12];
    int64_t trial_days;
    char customer[96]; /* what the provider calls the user, */
    char product[96];  /* and the plan: "" when it is to be told of */
} order;

static sl_status none_such(const order *o, sl_error **err)
{
    return sl_fail_field(err, SL_E_NOT_FOUND, o->field, "is not offered");
}

/* ---- what is offered ---- */

static sl_status not_own(const order *o, sl_error **err)
{
    return strcmp(o->charge.coach, o->charge.user) == 0
               ? sl_fail_field(err, SL_E_INVALID, o->field, "is your own")
               : SL_OK;
}

/* [PAY-4] */
static sl_status may_open(sl_sv_tx *tx, const order *o, sl_error **err)
{
    sl_policy_ask ask = {sl_sv_standing(&o->rank, tx->now_ms), SL_REL_GIVEN, SL_DEED_READ,
                         sl_entity_find("program"), false};
    sl_sv_space program;
    unsigned role = 0;
    sl_space_name(program, "program", o->charge.program);
    if (sl_policy_rule(&ask) != SL_RULING_ALLOW) {
        return sl_fail(err, SL_E_DENIED, "it could not be opened");
    }
    sl_status status = sl_sv_role(tx->s, o->charge.user, program, &role, err);
    return status == SL_OK && role != 0 ? sl_fail(err, SL_E_CONFLICT, "you have it already")
                                        : status;
}

/* The program that is sold is there, and is its seller's. */
static sl_status check_program(sl_sv_tx *tx, order *o, sl_error **err)
{
    sl_sv_space space;
    sl_sv_item *item = NULL;
    sl_space_name(space, "program", o->charge.program);
    sl_status status =
        sl_sv_get(tx, sl_entity_find("program"), space, o->charge.program, &item, err);
    if (status != SL_OK) {
        return status;
    }
    const sl_record *rec = &item->rec;
    const char *coach = rec->entity != NULL ? sl_record_text(rec, "coach_id") : NULL;
    const char *is = rec->entity != NULL ? sl_record_text(rec, "status") : NULL;
    if (coach == NULL || is == NULL || rec->deleted || strcmp(is, "published") != 0 ||
        (o->charge.coach[0] != 0 && strcmp(coach, o->charge.coach) != 0)) {
        return none_such(o, err);
    }
    sl_sv_copy(o->charge.coach, sizeof o->charge.coach, coach);
    status = not_own(o, err);
    return status == SL_OK ? may_open(tx, o, err) : status;
}

/* Of a product or a plan. */
static bool is_offered(const sl_record *rec)
{
    const char *is = sl_record_text(rec, "status");
    return is != NULL && strcmp(is, "offered") == 0;
}

static void copy_text(char *to, size_t room, const sl_record *rec, const char *field)
{
    const char *text = sl_record_text(rec, field);
    sl_sv_copy(to, room, text != NULL ? text : "");
}

static sl_status read_offer(sl_sv_tx *tx, order *o, sl_error **err)
{
    sl_sv_item *item = NULL;
    sl_sv_charge *c = &o->charge;
    const sl_entity *e = sl_entity_find(c->entity);
    bool program = strcmp(c->entity, "program") == 0;
    sl_status status = sl_sv_get(tx, e, o->space, c->object, &item, err);
    if (status != SL_OK) {
        return status;
    }
    const sl_record *rec = &item->rec;
    if (rec->entity == NULL || rec->deleted || (!program && !is_offered(rec))) {
        return none_such(o, err);
    }
    c->amount = sl_record_int(rec, "price_minor", 0);
    copy_text(c->currency, sizeof c->currency, rec, "currency");
    copy_text(o->title, sizeof o->title, rec, "title");
    if (sl_sv_charge_is_plan(c)) {
        copy_text(o->period, sizeof o->period, rec, "period");
        o->trial_days = sl_record_int(rec, "trial_days", 0);
    } else if (program) {
        sl_sv_copy(c->program, sizeof c->program, c->object);
    } else {
        copy_text(c->program, sizeof c->program, rec, "program_id");
    }
    if (c->amount <= 0 || c->currency[0] == 0) {
        return none_such(o, err);
    }
    return c->program[0] != 0 ? check_program(tx, o, err) : not_own(o, err);
}

/* ---- the transaction ---- */

/* One subscription to a plan at a time, and one trial ever. */
static sl_status not_twice(sl_sv_tx *tx, order *o, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        tx->s, "SELECT state FROM charge WHERE user_id=$1 AND object=$2 AND state<>'pending'",
        SL_SV_ARGS(sl_cell_text(o->charge.user), sl_cell_text(o->charge.object)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        const char *state = sl_sv_text(&rows, i, 0);
        o->trial_days = 0;
        if (strcmp(state, "cancelled") != 0 && strcmp(state, "expired") != 0) {
            status = sl_fail(err, SL_E_CONFLICT, "you are subscribed to it");
        }
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* The record that says where it stands; a subscription has one once it runs. */
static sl_status note_pending(sl_sv_tx *tx, const sl_sv_charge *c, sl_error **err)
{
    sl_sv_space own;
    sl_sv_item *item = NULL;
    if (sl_sv_charge_is_plan(c)) {
        return SL_OK;
    }
    sl_space_name(own, "user", c->user);
    sl_status status = sl_sv_new(tx, "payment", own, c->id, &item, err);
    if (status == SL_OK) {
        status = sl_sv_set_int(item, "amount_minor", c->amount, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(item, "currency", c->currency, err);
    }
    return status == SL_OK ? sl_sv_set(item, "status", "pending", err) : status;
}

/* The provider knows a request again for a day: after it, another would be made. */
static sl_status not_old(sl_sv_tx *tx, const char *id, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(tx->s, "SELECT made_ms FROM charge WHERE id=$1",
                                 SL_SV_ARGS(sl_cell_text(id)), &rows, err);
    if (status == SL_OK && rows.count > 0 && tx->now_ms - sl_sv_int(&rows, 0, 0) >= AGAIN_MS) {
        status = sl_fail(err, SL_E_CONFLICT, "it was begun too long ago; begin another");
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status place(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    order *o = ctx;
    sl_sv_charge had;
    sl_status status = sl_sv_charge_find(tx->s, o->charge.id, &had, err);
    o->known = had.found;
    if (o->charge.id[14] == '8') { /* the server makes these, of invoices */
        return sl_fail_field(err, SL_E_INVALID, "id", "is a UUID, but not of version 8");
    }
    if (status == SL_OK && had.found &&
        (strcmp(had.user, o->charge.user) != 0 || strcmp(had.entity, o->charge.entity) != 0 ||
         strcmp(had.object, o->charge.object) != 0)) {
        return sl_fail(err, SL_E_CONFLICT, "the id is that of another charge");
    }
    if (status == SL_OK && had.found && strcmp(had.state, "pending") != 0) {
        o->charge = had; /* what is offered now says nothing of it */
        return SL_OK;
    }
    if (status == SL_OK && had.found) {
        status = not_old(tx, had.id, err);
    }
    if (status == SL_OK) {
        status = read_offer(tx, o, err);
    }
    if (status == SL_OK && sl_sv_charge_is_plan(&o->charge)) {
        status = not_twice(tx, o, err);
    }
    if (status == SL_OK && had.found) {
        sl_sv_copy(o->charge.state, sizeof o->charge.state, had.state);
        o->charge.amount = had.amount; /* as the provider was told */
        sl_sv_copy(o->charge.currency, sizeof o->charge.currency, had.currency);
    } else if (status == SL_OK) {
        sl_sv_copy(o->charge.state, sizeof o->charge.state, "pending");
        status = sl_sv_charge_add(tx, &o->charge, err);
        status = status == SL_OK ? note_pending(tx, &o->charge, err) : status;
    }
    if (status == SL_OK) {
        status = sl_sv_ref_get(tx->s, "customer", o->charge.user, o->customer, err);
    }
    return status == SL_OK ? sl_sv_ref_get(tx->s, "plan", o->charge.object, o->product, err)
                           : status;
}

/* ---- the provider ---- */

typedef struct named {
    const char *kind;
    const char *id;
    const char *ref;
} named;

static sl_status keep_name(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    const named *n = ctx;
    return sl_sv_ref_set(tx->s, n->kind, n->id, n->ref, err);
}

/* Keeps what the provider calls it. False: the answer is made. */
static bool keep_ref(sl_service *s, const char *kind, const char *id, const sl_json *said,
                     sl_http_out *out)
{
    named n = {kind, id, sl_json_str(said, "id")};
    if (n.ref == NULL || n.ref[0] == 0 || strlen(n.ref) > 95) {
        sl_sv_refuse(out, 503, "unavailable", "the provider of payments does not answer");
        return false;
    }
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, keep_name, &n, NULL);
    sl_unlock(s->lock);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    }
    return status == SL_OK;
}

static void put_int(sl_buf *form, const char *name, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    sl_sv_form_put(form, name, text);
}

static void put_currency(sl_buf *form, const char *name, const char *currency)
{
    char lower[4];
    for (size_t i = 0; i < sizeof lower; i++) {
        lower[i] = (char)(currency[i] >= 'A' && currency[i] <= 'Z' ? currency[i] - 'A' + 'a'
                                                                   : currency[i]);
    }
    sl_sv_form_put(form, name, lower);
}

static void put_about(sl_buf *form, const sl_sv_charge *c)
{
    sl_sv_form_put(form, "metadata[id]", c->id);
    sl_sv_form_put(form, "metadata[user]", c->user);
}

/* False: the answer is made. */
static bool ask(sl_service *s, const char *path, sl_buf *form, const char *key, sl_json **said,
                sl_http_out *out)
{
    sl_status status = sl_sv_provider_ask(s, path, form, key, said);
    if (status != SL_OK) {
        sl_sv_provider_refuse(status, out);
    }
    return status == SL_OK;
}

static bool ask_payment(sl_service *s, order *o, sl_json **said, sl_http_out *out)
{
    sl_buf form = {0};
    put_int(&form, "amount", o->charge.amount);
    put_currency(&form, "currency", o->charge.currency);
    sl_sv_form_put(&form, "automatic_payment_methods[enabled]", "true");
    put_about(&form, &o->charge); /* and nothing that may change: sent again it is the same form */
    return ask(s, "payment_intents", &form, o->charge.id, said, out);
}

/* Tells the provider of something of ours, once. */
static bool tell(sl_service *s, const char *path, sl_buf *form, const char *kind, const char *id,
                 char ref[96], sl_http_out *out)
{
    char key[64];
    sl_json *said = NULL;
    (void)snprintf(key, sizeof key, "%s:%s", kind, id);
    bool ok = ask(s, path, form, key, &said, out) && keep_ref(s, kind, id, said, out);
    if (ok) {
        sl_sv_copy(ref, 96, sl_json_str(said, "id"));
    }
    sl_json_free(said);
    return ok;
}

static bool tell_customer(sl_service *s, order *o, sl_http_out *out)
{
    sl_buf form = {0};
    sl_sv_form_put(&form, "metadata[user]", o->charge.user);
    return tell(s, "customers", &form, "customer", o->charge.user, o->customer, out);
}

static bool tell_plan(sl_service *s, order *o, sl_http_out *out)
{
    sl_buf form = {0};
    sl_sv_form_put(&form, "name", o->title);
    sl_sv_form_put(&form, "metadata[plan]", o->charge.object);
    return tell(s, "products", &form, "plan", o->charge.object, o->product, out);
}

static bool ask_subscription(sl_service *s, order *o, sl_json **said, sl_http_out *out)
{
    bool quarter = strcmp(o->period, "quarter") == 0;
    sl_buf form = {0};
    if ((o->customer[0] == 0 && !tell_customer(s, o, out)) ||
        (o->product[0] == 0 && !tell_plan(s, o, out))) {
        return false;
    }
    sl_sv_form_put(&form, "customer", o->customer);
    sl_sv_form_put(&form, "items[0][price_data][product]", o->product);
    put_currency(&form, "items[0][price_data][currency]", o->charge.currency);
    put_int(&form, "items[0][price_data][unit_amount]", o->charge.amount);
    sl_sv_form_put(&form, "items[0][price_data][recurring][interval]",
                   quarter ? "month" : o->period);
    put_int(&form, "items[0][price_data][recurring][interval_count]", quarter ? 3 : 1);
    if (o->trial_days > 0) {
        put_int(&form, "trial_period_days", o->trial_days);
    }
    sl_sv_form_put(&form, "payment_behavior", "default_incomplete");
    sl_sv_form_put(&form, "payment_settings[save_default_payment_method]", "on_subscription");
    sl_sv_form_put(&form, "expand[0]", "latest_invoice.payment_intent");
    sl_sv_form_put(&form, "expand[1]", "pending_setup_intent"); /* of a trial: the card for later */
    put_about(&form, &o->charge);
    return ask(s, "subscriptions", &form, o->charge.id, said, out);
}

/* ---- requests ---- */

/* What the app pays with: of a subscription that of its first invoice, of a trial what keeps the card for later. */
static const char *secret_in(const order *o, const sl_json *said)
{
    const sl_json *from = said;
    if (said != NULL && sl_sv_charge_is_plan(&o->charge)) {
        from = sl_json_get(sl_json_get(said, "latest_invoice"), "payment_intent");
        from = sl_json_is_object(from) ? from : sl_json_get(said, "pending_setup_intent");
    }
    return from != NULL ? sl_json_str(from, "client_secret") : NULL;
}

static void answer_order(const order *o, const sl_json *said, sl_http_out *out)
{
    const char *secret = secret_in(o, said);
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "id", o->charge.id) &&
              sl_json_set_str(j, "status", o->charge.state) &&
              sl_json_set_int(j, "amount_minor", o->charge.amount) &&
              sl_json_set_str(j, "currency", o->charge.currency) &&
              (secret == NULL || sl_json_set_str(j, "client_secret", secret));
    if (!ok) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, o->known ? 200 : 201, j);
}

static void run_order(sl_sv_request *r, order *o, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_error *why = NULL;
    sl_json *said = NULL;
    o->rank = r->who.rank;
    sl_sv_copy(o->charge.user, sizeof o->charge.user, r->who.user);
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, place, o, &why);
    sl_unlock(s->lock);
    bool due = status == SL_OK && strcmp(o->charge.state, "pending") == 0;
    bool ok = true;
    if (status != SL_OK) {
        sl_sv_make_refuse(s, status, why, out);
    } else if (due) {
        ok = (sl_sv_charge_is_plan(&o->charge) ? ask_subscription(s, o, &said, out)
                                               : ask_payment(s, o, &said, out)) &&
             keep_ref(s, "charge", o->charge.id, said, out);
    }
    if (status == SL_OK && ok) {
        answer_order(o, said, out);
    }
    sl_json_free(said);
    sl_error_release(why);
}

void sl_sv_payment_make(sl_sv_request *r, sl_http_out *out)
{
    order o = {.field = "program_id"};
    bool product = sl_json_get(r->body, "product_id") != NULL;
    if (!sl_sv_pay_is_on(r->s, out) || !sl_sv_make_id(r->body, "id", o.charge.id, out)) {
        return;
    }
    if (product) {
        o.field = "product_id";
        if (!sl_sv_make_id(r->body, "coach_id", o.charge.coach, out)) {
            return;
        }
    }
    if (!sl_sv_make_id(r->body, o.field, o.charge.object, out)) {
        return;
    }
    sl_sv_copy(o.charge.entity, sizeof o.charge.entity, product ? "product" : "program");
    sl_space_name(o.space, product ? "coach" : "program",
                  product ? o.charge.coach : o.charge.object);
    run_order(r, &o, out);
}

void sl_sv_subscription_make(sl_sv_request *r, sl_http_out *out)
{
    order o = {.field = "plan_id", .charge.entity = SL_SV_PLAN};
    if (sl_sv_pay_is_on(r->s, out) && sl_sv_make_id(r->body, "id", o.charge.id, out) &&
        sl_sv_make_id(r->body, "coach_id", o.charge.coach, out) &&
        sl_sv_make_id(r->body, "plan_id", o.charge.object, out)) {
        sl_space_name(o.space, "coach", o.charge.coach);
        run_order(r, &o, out);
    }
}

/* ---- the end of a subscription ---- */

/* What has no end yet. One that is not paid may be paid still. */
#define NOT_ENDED " c.entity='" SL_SV_PLAN "' AND c.state<>'cancelled'"
#define WITH_REF \
    "SELECT p.ref, c.id, c.state FROM charge c JOIN pay_ref p ON p.kind='charge' AND p.id=c.id"

sl_status sl_sv_subscription_stop(sl_service *s, const char *ref)
{
    char path[120];
    char key[120];
    sl_json *said = NULL;
    (void)snprintf(path, sizeof path, "subscriptions/%s", ref);
    (void)snprintf(key, sizeof key, "%s:stop", ref);
    sl_status status = sl_sv_provider_ask(s, path, NULL, key, &said);
    sl_json_free(said);
    return status;
}

static sl_status end_with_period(sl_service *s, const char *ref, const char *id)
{
    char path[120];
    char key[64];
    sl_json *said = NULL;
    sl_buf form = {0};
    (void)snprintf(path, sizeof path, "subscriptions/%s", ref);
    (void)snprintf(key, sizeof key, "%s:end", id);
    sl_sv_form_put(&form, "cancel_at_period_end", "true");
    sl_status status = sl_sv_provider_ask(s, path, &form, key, &said);
    sl_json_free(said);
    return status;
}

void sl_sv_subscription_end(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_sv_rows rows;
    if (!sl_sv_pay_is_on(s, out)) {
        return;
    }
    sl_lock(s->lock);
    sl_status status =
        sl_sv_all(s, WITH_REF " WHERE c.id=$1 AND c.user_id=$2 AND" NOT_ENDED,
                  SL_SV_ARGS(sl_cell_text(r->rest), sl_cell_text(r->who.user)), &rows, NULL);
    sl_unlock(s->lock);
    if (status == SL_OK && rows.count == 0) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else if (status == SL_OK) {
        const char *ref = sl_sv_text(&rows, 0, 0);
        const char *state = sl_sv_text(&rows, 0, 2);
        bool now = strcmp(state, "pending") == 0 || strcmp(state, "expired") == 0;
        status = now ? sl_sv_subscription_stop(s, ref)
                     : end_with_period(s, ref, sl_sv_text(&rows, 0, 1));
        out->status = 204;
        if (status != SL_OK) {
            sl_sv_provider_refuse(status, out);
        }
    } else {
        sl_sv_broken(out, status);
    }
    sl_sv_rows_free(&rows);
}

/* What the provider does not end, it does not know or has ended. */
static sl_status stop_all(sl_service *s, const sl_sv_rows *rows)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < rows->count; i++) {
        status = sl_sv_subscription_stop(s, sl_sv_text(rows, i, 0));
        if (status == SL_E_INVALID || status == SL_E_NOT_FOUND) {
            sl_lock(s->lock);
            sl_sv_audit_note(s, "provider", "subscription.stop", sl_sv_text(rows, i, 1), "refused");
            sl_unlock(s->lock);
            status = SL_OK;
        }
    }
    return status;
}

bool sl_sv_subscriptions_stop(sl_service *s, const char *user, sl_http_out *out)
{
    static const char *const questions[] = {WITH_REF " WHERE c.user_id=$1 AND" NOT_ENDED,
                                            WITH_REF " WHERE c.coach_id=$1 AND" NOT_ENDED};
    sl_status status = SL_OK;
    for (size_t i = 0; s->ports.pay != NULL && status == SL_OK && i < 2; i++) {
        sl_sv_rows rows;
        sl_lock(s->lock);
        status = sl_sv_all(s, questions[i], SL_SV_ARGS(sl_cell_text(user)), &rows, NULL);
        sl_unlock(s->lock);
        status = status == SL_OK ? stop_all(s, &rows) : status;
        sl_sv_rows_free(&rows);
    }
    if (status != SL_OK) {
        sl_sv_provider_refuse(status, out);
    }
    return status == SL_OK;
}
