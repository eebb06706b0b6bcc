/*
 * service/make.c - records that one request makes: a message, a drawing, a video.
 *
 *   [MAKE-1] what a request makes passes the rules of the operation that a device would push, and has its
 *            effects: there is no second way in;
 *   [MAKE-2] the id, which the client makes, is the request's name: sent again it changes nothing and is
 *            answered with the record. An id that is another record's is a conflict.
 */
#include "service/make.h"

#include "base/error.h"
#include "service/account.h"

#include <string.h>

static const int64_t DAY_MS = INT64_C(86400) * 1000;

typedef struct wish {
    sl_op op;
    const char *user;
    sl_sv_rank rank;
    bool known; /* it was made before */
} wish;

/* ---- the transaction ---- */

/* One who may not read the space does not learn that it is there. A root makes its space. */
static sl_status find_space(sl_sv_tx *tx, const wish *w, sl_standing standing, sl_error **err)
{
    unsigned role = 0;
    bool exists = true;
    sl_status status = sl_sv_may_read(tx->s, w->user, standing, w->op.space, &role, err);
    if (status == SL_OK && role == 0 && w->op.entity->root) {
        status = sl_sv_space_exists(tx->s, w->op.space, &exists, err);
    }
    return status == SL_OK && role == 0 && exists
               ? sl_fail(err, SL_E_NOT_FOUND, "there is nothing here")
               : status;
}

/* Whether the record is what the request asked for when it came first: what was changed since then is
 * not looked at. */
static bool made_by(const wish *w, const sl_record *rec)
{
    const sl_op *op = &w->op;
    int author = op->entity->author_field;
    const char *by = author >= 0 ? sl_cell_str(&rec->values[author]) : NULL;
    bool same = !rec->deleted && by != NULL && strcmp(by, w->user) == 0;
    for (size_t i = 0; same && i < op->entity->field_count; i++) {
        const sl_field *f = &op->entity->fields[i];
        sl_hlc written = sl_record_written(rec, f);
        bool first = f->merge == SL_M_IMMUTABLE || written.time <= rec->birth.time;
        same = !first || (op->has >> i & 1) == 0 || sl_cell_same(&op->values[i], &rec->values[i]);
    }
    return same;
}

static sl_status make(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    wish *w = ctx;
    sl_sv_item *item = NULL;
    sl_sv_op o = {.op = &w->op, .user = w->user, .standing = sl_sv_standing(&w->rank, tx->now_ms)};
    w->op.hlc = (sl_hlc){(uint64_t)(tx->now_ms > 0 ? tx->now_ms : 0) << 16, 0};
    w->known = false;
    sl_status status = find_space(tx, w, o.standing, err);
    if (status == SL_OK) {
        status = sl_sv_get(tx, w->op.entity, w->op.space, w->op.id, &item, err);
    }
    if (status == SL_OK && item->rec.entity != NULL) {
        w->known = made_by(w, &item->rec);
        return w->known ? SL_OK
                        : sl_fail(err, SL_E_CONFLICT, "the id is that of another %s",
                                  w->op.entity->name);
    }
    return status == SL_OK ? sl_sv_apply(tx, &o, &item, err) : status;
}

/* ---- answers ---- */

static void answer_record(sl_service *s, const wish *w, sl_http_out *out)
{
    sl_record rec;
    sl_buf text = {0};
    memset(&rec, 0, sizeof rec);
    sl_status status = sl_sv_load(s, w->op.entity, w->op.space, w->op.id, &rec, NULL);
    if (status == SL_OK && rec.entity != NULL) {
        sl_record_put_public(&text, &rec, false);
        sl_sv_answer_text(out, &text, "application/json");
        out->status = out->status == 200 && !w->known ? 201 : out->status;
    } else {
        sl_sv_broken(out, status != SL_OK ? status : SL_E_INTERNAL);
    }
    sl_record_free(&rec);
}

static void refuse(sl_service *s, sl_status status, const sl_error *why, sl_http_out *out)
{
    const char *field = why != NULL ? sl_error_field(why) : NULL;
    const char *message = why != NULL ? sl_error_message(why) : "";
    bool named = field != NULL && field[0] != 0;
    if (why == NULL) {
        sl_sv_broken(out, status == SL_E_BUSY || status == SL_E_FULL ? status : SL_E_INTERNAL);
    } else if (status == SL_E_INVALID || (status == SL_E_NOT_FOUND && named)) {
        sl_sv_invalid(out, named ? field : "body", message);
    } else if (status == SL_E_NOT_FOUND) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else if (status == SL_E_DENIED) {
        sl_sv_refuse(out, 403, "forbidden", "Insufficient permissions");
    } else if (status == SL_E_CONFLICT) {
        sl_sv_refuse(out, 409, "conflict", message);
    } else if (status == SL_E_LIMIT) { /* of what is counted by the day */
        sl_sv_too_many(out, (DAY_MS - sl_sv_now(s) % DAY_MS + 999) / 1000);
    } else {
        sl_sv_broken(out, status);
    }
}

/* ---- requests ---- */

/* The operation, with all that can be checked without the database. */
static sl_status read_wish(const char *space, const char *id, const sl_json *fields, wish *w,
                           sl_error **err)
{
    w->op.kind = SL_OP_CREATE;
    sl_sv_copy(w->op.space, sizeof w->op.space, space);
    sl_sv_copy(w->op.id, sizeof w->op.id, id);
    sl_status status = sl_op_set_fields(&w->op, fields, err);
    return status == SL_OK ? sl_schema_check(w->op.entity, w->op.values, w->op.has, true, err)
                           : status;
}

bool sl_sv_make_check(sl_service *s, const char *entity, const sl_json *fields, sl_http_out *out)
{
    wish w = {.op = {.entity = sl_entity_find(entity)}};
    sl_error *why = NULL;
    sl_status status = read_wish("", "", fields, &w, &why);
    if (status != SL_OK) {
        refuse(s, status, why, out);
    }
    sl_op_free(&w.op);
    sl_error_release(why);
    return status == SL_OK;
}

void sl_sv_make(sl_sv_request *r, const char *entity, const char *space, const char *id,
                const sl_json *fields, sl_http_out *out)
{
    sl_service *s = r->s;
    wish w = {.op = {.entity = sl_entity_find(entity)}, .user = r->who.user, .rank = r->who.rank};
    sl_error *why = NULL;
    sl_status status = read_wish(space, id, fields, &w, &why);
    sl_lock(s->lock);
    if (status == SL_OK) {
        status = sl_sv_change(s, make, &w, &why);
        s->counts.ops += w.known ? 0 : 1;
        s->counts.rejected += status != SL_OK ? 1 : 0;
    }
    if (status == SL_OK) {
        answer_record(s, &w, out);
    } else {
        refuse(s, status, why, out);
    }
    sl_unlock(s->lock);
    sl_op_free(&w.op);
    sl_error_release(why);
}

bool sl_sv_make_id(const sl_json *body, const char *name, char out[SL_UUID_LEN + 1],
                   sl_http_out *answer)
{
    const char *id = sl_json_str(body, name);
    if (id == NULL || !sl_uuid_ok(id)) {
        sl_sv_invalid(answer, name, "is a UUID, in lower case");
        return false;
    }
    sl_sv_copy(out, SL_UUID_LEN + 1, id);
    return true;
}

void sl_sv_message_make(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_id id;
    sl_sv_id thread;
    sl_sv_space space;
    if (!sl_sv_make_id(r->body, "id", id, out) ||
        !sl_sv_make_id(r->body, "thread_id", thread, out)) {
        return;
    }
    sl_space_name(space, "thread", thread);
    sl_json_remove(r->body, "id");
    sl_json_remove(r->body, "thread_id");
    if (sl_json_get(r->body, "kind") == NULL && !sl_json_set_str(r->body, "kind", "text")) {
        sl_sv_broken(out, SL_E_NOMEM);
        return;
    }
    sl_sv_make(r, "message", space, id, r->body, out);
}

void sl_sv_annotation_make(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_id id;
    sl_sv_space space;
    if (!sl_uuid_ok(r->rest)) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
        return;
    }
    if (!sl_sv_make_id(r->body, "id", id, out)) {
        return;
    }
    sl_space_name(space, "video", r->rest);
    sl_json_remove(r->body, "id");
    sl_sv_make(r, "annotation", space, id, r->body, out);
}
