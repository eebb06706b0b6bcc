/* service/price.c - what coaches ask for what they sell: records say it, and only the server writes it there. */
#include "base/error.h"
#include "service/make.h"
#include "service/pay.h"

#include <string.h>

enum {
    PRICE_MAX = 99999999 /* the most that the provider takes */
};

typedef struct wanted {
    const char *user;
    sl_sv_rank rank;
    const sl_entity *entity;
    sl_sv_space space;
    sl_sv_id id;
    int64_t price;
    const char *currency;
} wanted;

/* Whoever may change the rest of the record and owns it. */
static sl_status may_set(sl_sv_tx *tx, const wanted *w, sl_error **err)
{
    sl_standing standing = sl_sv_standing(&w->rank, tx->now_ms);
    unsigned role = 0;
    sl_relation relation = SL_REL_STRANGER;
    sl_status status = sl_sv_role(tx->s, w->user, w->space, &role, err);
    if (status == SL_OK && (role & SL_R_OWNER) == 0) {
        return sl_fail(err, SL_E_NOT_FOUND, "there is nothing here");
    }
    if (status == SL_OK) {
        status = sl_sv_relation(tx->s, w->user, standing, w->space, role, &relation, err);
    }
    sl_policy_ask ask = {standing, relation, SL_DEED_PATCH, w->entity, true};
    return status == SL_OK && sl_policy_rule(&ask) != SL_RULING_ALLOW
               ? sl_fail(err, SL_E_DENIED, "the policy does not allow it")
               : status;
}

static sl_status set_price(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    const wanted *w = ctx;
    sl_sv_item *item = NULL;
    sl_status status = may_set(tx, w, err);
    if (status == SL_OK) {
        status = sl_sv_get(tx, w->entity, w->space, w->id, &item, err);
    }
    if (status == SL_OK && (item->rec.entity == NULL || item->rec.deleted)) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is nothing here");
    }
    if (status == SL_OK) {
        status = sl_sv_set_int(item, "price_minor", w->price, err);
    }
    return status == SL_OK ? sl_sv_set(item, "currency", w->currency, err) : status;
}

static bool is_currency(const char *text)
{
    return text != NULL && strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* False: the answer is made. */
static bool read_wanted(const sl_sv_request *r, wanted *w, sl_http_out *out)
{
    static const char *const sold[] = {"product", "program", SL_SV_PLAN};
    const char *entity = sl_json_str(r->body, "entity");
    for (size_t i = 0; entity != NULL && i < sizeof sold / sizeof sold[0]; i++) {
        w->entity = strcmp(sold[i], entity) == 0 ? sl_entity_find(entity) : w->entity;
    }
    w->price = sl_json_int_or(r->body, "price_minor", -1);
    w->currency = sl_json_str(r->body, "currency");
    if (w->entity == NULL) {
        sl_sv_invalid(out, "entity", "is product, program or subscription_plan");
    } else if (w->price < 0 || w->price > PRICE_MAX) {
        sl_sv_invalid(out, "price_minor", "is a number from 0 to 99999999");
    } else if (!is_currency(w->currency)) {
        sl_sv_invalid(out, "currency", "is a code of ISO 4217, in capitals");
    } else {
        return sl_sv_make_id(r->body, "id", w->id, out);
    }
    return false;
}

void sl_sv_price_set(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    wanted w = {.user = r->who.user, .rank = r->who.rank};
    sl_error *why = NULL;
    if (!read_wanted(r, &w, out)) {
        return;
    }
    bool program = strcmp(w.entity->name, "program") == 0;
    sl_space_name(w.space, program ? "program" : "coach", program ? w.id : r->who.user);
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, set_price, &w, &why);
    sl_unlock(s->lock);
    if (status == SL_OK) {
        out->status = 204;
    } else {
        sl_sv_make_refuse(s, status, why, out);
    }
    sl_error_release(why);
}
