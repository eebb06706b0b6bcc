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
#include "base/mem.h"
#include "base/utf8.h"
#include "service/account.h"
#include "service/upload.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

void sl_sv_make_refuse(sl_service *s, sl_status status, const sl_error *why, sl_http_out *out)
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
        sl_sv_make_refuse(s, status, why, out);
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
        sl_sv_make_refuse(s, status, why, out);
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

/* ---- a video ---- */

typedef struct video_form {
    sl_json *body; /* the parts that are no file: id, and fields of the record */
    char sha256[SL_SV_SHA_LEN + 1];
    sl_form_part file;
} video_form;

/* Parts of a form are texts: a field that is a number is read as one. */
static bool set_part(sl_json *body, const char *name, const char *text)
{
    const sl_field *f = sl_field_find(sl_entity_find("video"), name);
    size_t n = strlen(text);
    bool number =
        f != NULL && f->type == SL_T_INT && n > 0 && n <= 15 && strspn(text, "0123456789") == n;
    return number ? sl_json_set_int(body, name, strtoll(text, NULL, 10))
                  : sl_json_set_str(body, name, text);
}

static sl_status take_part(video_form *v, const sl_form_part *part)
{
    if (strcmp(part->name, "file") == 0) {
        v->file = *part;
        return SL_OK;
    }
    const char *bytes = (const char *)part->data;
    if (memchr(bytes, 0, part->len) != NULL || !sl_utf8_ok(bytes, part->len) ||
        !sl_utf8_ok(part->name, strlen(part->name))) {
        return SL_E_INVALID;
    }
    char *text = sl_text_fmt("%.*s", (int)part->len, bytes);
    bool ok = text != NULL;
    if (ok && strcmp(part->name, "sha256") == 0) {
        sl_sv_copy(v->sha256, sizeof v->sha256, text);
    } else if (ok) {
        ok = set_part(v->body, part->name, text);
    }
    sl_mem_free(text);
    return ok ? SL_OK : SL_E_NOMEM;
}

/* False: the answer is made. */
static bool read_parts(const sl_http_in *in, video_form *v, sl_http_out *out)
{
    sl_form f;
    sl_form_part part;
    bool got = true;
    const char *why =
        sl_form_begin(&f, in->header(in->ctx, "content-type"), in->body, in->body_len);
    sl_status status = v->body != NULL ? SL_OK : SL_E_NOMEM;
    while (why == NULL && got && status == SL_OK) {
        why = sl_form_next(&f, &part, &got);
        status = why == NULL && got ? take_part(v, &part) : status;
    }
    if (status == SL_E_NOMEM) {
        sl_sv_broken(out, status);
    } else if (why != NULL || status != SL_OK || in->cut) {
        sl_sv_refuse(out, 400, "bad_request", why != NULL ? why : "a part of the form is no text");
    } else if (v->file.len == 0) {
        sl_sv_invalid(out, "file", "the form has no file, or an empty one");
    } else {
        return true;
    }
    return false;
}

/* What the file says of itself. */
static bool describe_file(video_form *v)
{
    bool typed = sl_json_get(v->body, "media_type") != NULL || v->file.type[0] == 0;
    return sl_json_set_str(v->body, "blob", v->sha256) &&
           sl_json_set_int(v->body, "size", (int64_t)v->file.len) &&
           (typed || sl_json_set_str(v->body, "media_type", v->file.type));
}

/* All that can be wrong with the record is looked at before the bytes are stored. */
static void video_by_form(sl_sv_request *r, sl_http_out *out)
{
    video_form v = {.body = sl_json_object()};
    sl_sv_id id;
    sl_sv_space space;
    if (read_parts(r->in, &v, out) && sl_sv_make_id(v.body, "id", id, out)) {
        char given[SL_SV_SHA_LEN + 1]; /* "": any */
        memcpy(given, v.sha256, sizeof given);
        sl_sha256_hex(v.file.data, v.file.len, v.sha256);
        sl_space_name(space, "video", id);
        sl_json_remove(v.body, "id");
        if (!describe_file(&v)) {
            sl_sv_broken(out, SL_E_NOMEM);
        } else if (sl_sv_make_check(r->s, "video", v.body, out) &&
                   sl_sv_upload_bring(r, space, given, &v.file, out)) {
            sl_sv_make(r, "video", space, id, v.body, out);
        }
    }
    sl_json_free(v.body);
}

void sl_sv_video_make(sl_sv_request *r, sl_http_out *out)
{
    static const char form[] = "multipart/form-data";
    const char *type = r->in->header(r->in->ctx, "content-type");
    sl_sv_id id;
    sl_sv_space space;
    if (type != NULL && strncasecmp(type, form, sizeof form - 1) == 0) {
        video_by_form(r, out);
    } else if (sl_sv_read_body(r, out) && sl_sv_make_id(r->body, "id", id, out)) {
        sl_space_name(space, "video", id);
        sl_json_remove(r->body, "id");
        sl_sv_make(r, "video", space, id, r->body, out);
    }
}
