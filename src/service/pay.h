/*
 * service/pay.h - money: what costs how much, who pays, and what is had for it.
 *
 *   price.c      what coaches ask for what they sell
 *   pay.c        payments and subscriptions that users begin and end
 *   paid.c, subscribed.c   what the provider of payments tells of them
 *   charge.c     what they have in common: the rows, and the way to the provider
 *
 *   [PAY-1] nothing is given for money, nor taken away, before the provider says so in an event that it has signed;
 *   [PAY-2] an event has its effects once, in one transaction with the note that it came. In whatever order events
 *           come, a payment that succeeded does not fail later, and a subscription is what the newest says;
 *   [PAY-3] the id, which the client makes, names the charge for us and for the provider: sent again it is the same
 *           one, and nobody pays twice;
 *   [PAY-4] whoever could not open what was bought is not let pay for it.
 *
 * The provider is Stripe, or who speaks as its API of 2024-06-20. No number of a card comes here: the app hands it to
 * the provider, with the client_secret that it gets from us. Amounts are integers of the currency's smallest unit.
 */
#ifndef SL_SERVICE_PAY_H
#define SL_SERVICE_PAY_H

#include "service/inside.h"

#define SL_SV_PLAN "subscription_plan"

/* What somebody pays for, once or, of a plan, period by period. */
typedef struct sl_sv_charge {
    bool found;
    sl_sv_id id;
    sl_sv_id user;
    sl_sv_id coach;
    char entity[20]; /* of the object: product, program, subscription_plan */
    sl_sv_id object;
    sl_sv_id program; /* that is had for it, "": none */
    int64_t amount;
    char currency[4]; /* ISO 4217 */
    char state
        [12]; /* pending, succeeded, failed, refunded; of a plan as its subscription's status */
} sl_sv_charge;

bool sl_sv_charge_is_plan(const sl_sv_charge *c);
sl_status sl_sv_charge_find(sl_service *s, const char *id, sl_sv_charge *out, sl_error **err);
/* By the provider's name for it. */
sl_status sl_sv_charge_by_ref(sl_service *s, const char *ref, sl_sv_charge *out, sl_error **err);
sl_status sl_sv_charge_add(sl_sv_tx *tx, const sl_sv_charge *c, sl_error **err);
sl_status sl_sv_charge_state(sl_sv_tx *tx, sl_sv_charge *c, const char *state, sl_error **err);

/* What the provider calls something of ours: the customer that a user is, the product that a plan is. "": nothing yet. */
sl_status sl_sv_ref_get(sl_service *s, const char *kind, const char *id, char out[96],
                        sl_error **err);
sl_status sl_sv_ref_set(sl_service *s, const char *kind, const char *id, const char *ref,
                        sl_error **err);

/* False, and the answer is made, when there is no provider. */
bool sl_sv_pay_is_on(const sl_service *s, sl_http_out *out);
/* Asks the provider, without the lock; the form is freed, NULL asks to delete. key: sent again with it, a request is
 * the same one. SL_E_INVALID, SL_E_NOT_FOUND: it does not take it; SL_E_NETWORK: it does not answer. */
sl_status sl_sv_provider_ask(sl_service *s, const char *path, sl_buf *form, const char *key,
                             sl_json **out);
void sl_sv_provider_refuse(sl_status status, sl_http_out *out);

/* ---- charge.c: records of users ---- */

/* Whether the account is there and not erased. */
sl_status sl_sv_pays(sl_service *s, const char *user, bool *there, sl_error **err);

typedef struct sl_sv_value {
    const char *field;
    const char *text; /* NULL: the number; "": nothing */
    int64_t number;
} sl_sv_value;

/* The record of this id in the user's own space, made when it is not there, with these values. Of a user who is gone:
 * nothing. */
sl_status sl_sv_pay_put(sl_sv_tx *tx, const char *entity, const char *user, const char *id,
                        const sl_sv_value *values, size_t n, sl_error **err);
#define SL_SV_PUT(tx, entity, user, id, err, ...)                           \
    sl_sv_pay_put(tx, entity, user, id, (const sl_sv_value[]){__VA_ARGS__}, \
                  sizeof((const sl_sv_value[]){__VA_ARGS__}) / sizeof(sl_sv_value), err)
sl_status sl_sv_pay_bury(sl_sv_tx *tx, const char *entity, const char *user, const char *id,
                         sl_error **err);
/* What the coach has of a payment of this id, and what was kept of it. */
sl_status sl_sv_earning_put(sl_sv_tx *tx, const sl_sv_charge *c, const char *id, int64_t amount,
                            sl_error **err);

/* ---- paid.c, subscribed.c: events ---- */

typedef struct sl_sv_paid {
    const char *id;
    const char *type;
    int64_t created_s;
    const sl_json *object;
    sl_sv_id user; /* whose account may do other things now; "": nobody's */
    char stop
        [96]; /* a subscription that nobody is left to end, as the provider calls it; "": none */
} sl_sv_paid;

sl_status sl_sv_on_subscription(sl_sv_tx *tx, sl_sv_charge *c, sl_sv_paid *e, sl_error **err);
sl_status sl_sv_on_invoice(sl_sv_tx *tx, sl_sv_charge *c, sl_sv_paid *e, sl_error **err);

/* ---- requests ---- */

void sl_sv_price_set(sl_sv_request *r, sl_http_out *out);
void sl_sv_payment_make(sl_sv_request *r, sl_http_out *out);
void sl_sv_subscription_make(sl_sv_request *r, sl_http_out *out);
void sl_sv_subscription_end(sl_sv_request *r, sl_http_out *out);
void sl_sv_pay_event(sl_sv_request *r, sl_http_out *out);
/* Ends at once what the user pays for period by period, or others pay the user for, before the account goes. What the
 * provider does not know, or does not end, is noted in the audit log and stops nothing. False: it does not answer, and
 * that is the answer. */
bool sl_sv_subscriptions_stop(sl_service *s, const char *user, sl_http_out *out);
/* One, by the provider's name for it. */
sl_status sl_sv_subscription_stop(sl_service *s, const char *ref);

#endif
