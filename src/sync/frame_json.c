/* The encoding for eyes: one JSON object with a member "t" for each message. */
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "sync/frame_inside.h"

#include <stdio.h>
#include <string.h>

typedef struct kind_name {
    sl_frame_kind kind;
    const char *name;
} kind_name;

static const kind_name NAMES[] = {
    {SL_FRAME_CONNECT, "connect"},
    {SL_FRAME_SUBSCRIBE, "subscribe"},
    {SL_FRAME_UNSUBSCRIBE, "unsubscribe"},
    {SL_FRAME_PUSH, "push"},
    {SL_FRAME_MORE, "more"},
    {SL_FRAME_PREFER, "prefer"},
    {SL_FRAME_TYPING, "typing"},
    {SL_FRAME_LOAD, "load"},
    {SL_FRAME_CHECK, "check"},
    {SL_FRAME_SIGNAL, "signal"},
    {SL_FRAME_CONNECTED, "connected"},
    {SL_FRAME_PAGE, "page"},
    {SL_FRAME_SUBSCRIBED, "subscribed"},
    {SL_FRAME_CHANGE, "change"},
    {SL_FRAME_RECEIPTS, "receipts"},
    {SL_FRAME_RESET, "reset"},
    {SL_FRAME_REVOKED, "revoked"},
    {SL_FRAME_ERROR, "error"},
    {SL_FRAME_LOADED, "loaded"},
    {SL_FRAME_CHECKED, "checked"},
    {SL_FRAME_PUSH, "op"},          /* one alone, its members beside "t" */
    {SL_FRAME_RECEIPTS, "receipt"}, /* likewise */
};

static const char *const RESULTS[] = {"applied", "merged", "rejected"};

/* --- out ------------------------------------------------------------------------------------- */

static const char *name_of(sl_frame_kind kind)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (NAMES[i].kind == kind) {
            return NAMES[i].name;
        }
    }
    return "";
}

static void put_name(sl_buf *out, const char *name)
{
    sl_buf_str(out, ",\"");
    sl_buf_str(out, name);
    sl_buf_str(out, "\":");
}

static void put_text(sl_buf *out, const char *name, const char *text)
{
    if (text != NULL) {
        put_name(out, name);
        sl_json_put_text(out, text, strlen(text));
    }
}

static void put_int(sl_buf *out, const char *name, int64_t v)
{
    put_name(out, name);
    sl_json_put_int(out, v);
}

static void put_bool(sl_buf *out, const char *name, bool v)
{
    put_name(out, name);
    sl_buf_str(out, v ? "true" : "false");
}

static void put_receipt(sl_buf *out, const sl_receipt *r)
{
    put_int(out, "n", r->n);
    put_text(out, "result", RESULTS[r->result]);
    put_int(out, "seq", r->seq);
    put_text(out, "code", r->code);
    put_text(out, "message", r->message);
    put_text(out, "field", r->field);
}

/* One behind the other, with commas. */
static void put_items(sl_items *it)
{
    sl_buf *out = &it->json;
    if (it->have_json) {
        return;
    }
    sl_buf_clear(out);
    for (size_t i = 0; i < it->count; i++) {
        sl_buf_str(out, i > 0 ? "," : "");
        if (it->kind == SL_ITEMS_RECORDS) {
            sl_record_put_wire(out, &it->records[i]);
        } else if (it->kind == SL_ITEMS_OPS) {
            sl_op_put_json(out, &it->ops[i]);
        } else {
            sl_buf_str(out, "{\"t\":\"receipt\"");
            put_receipt(out, &it->receipts[i]);
            sl_buf_u8(out, '}');
        }
    }
    it->have_json = true;
}

static void put_list(sl_buf *out, const char *name, sl_items *it)
{
    put_name(out, name);
    sl_buf_u8(out, '[');
    if (it != NULL && it->count > 0) {
        put_items(it);
        sl_buf_put(out, it->json.data, it->json.len);
        out->failed = out->failed || it->json.failed;
    }
    sl_buf_u8(out, ']');
}

static void put_change(sl_buf *out, const sl_frame *f, sl_items *it)
{
    put_int(out, "seq", f->to);
    if (it != NULL && it->count == 1 && f->to == f->from + 1) {
        put_items(it);
        put_name(out, "record");
        sl_buf_put(out, it->json.data, it->json.len);
        out->failed = out->failed || it->json.failed;
        return;
    }
    put_int(out, "from", f->from);
    put_list(out, "records", it);
}

static void put_page(sl_buf *out, const sl_frame *f, sl_items *it)
{
    put_int(out, "from", f->from);
    put_int(out, "to", f->to);
    if (f->kind == SL_FRAME_PAGE) {
        put_bool(out, "more", f->more);
    }
    if (f->hole > 0) {
        put_int(out, "hole", f->hole);
    }
    put_list(out, "records", it);
}

static void put_signal(sl_buf *out, const sl_frame *f)
{
    put_text(out, "what", f->what);
    put_text(out, "data", f->data);
    put_text(out, "user", f->user);
    if (f->until_ms > 0) {
        put_int(out, "until", f->until_ms);
    }
}

static void put_load(sl_buf *out, const sl_frame *f)
{
    put_text(out, "id", f->id);
    put_int(out, "from", f->from);
    put_int(out, "to", f->to);
    put_int(out, "limit", f->limit);
    put_bool(out, "up", f->up);
}

static void put_subscribe(sl_buf *out, const sl_frame *f)
{
    put_int(out, "from", f->from);
    if (f->last > 0) {
        put_int(out, "last", f->last);
    }
}

static void put_connect(sl_buf *out, const sl_frame *f)
{
    put_int(out, "v", f->version);
    put_text(out, "token", f->token);
    put_text(out, "device", f->device);
    put_int(out, "floor", f->floor);
}

/* Sixteen digits: a number of JSON has not so many bits. */
static void put_sum(sl_buf *out, uint64_t sum)
{
    char text[17];
    (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)sum);
    put_text(out, "sum", text);
}

static void put_fields(sl_buf *out, const sl_frame *f, sl_items *it)
{
    put_text(out, "space", f->space);
    put_text(out, "epoch", f->epoch);
    switch (f->kind) {
    case SL_FRAME_CONNECT: put_connect(out, f); break;
    case SL_FRAME_SUBSCRIBE: put_subscribe(out, f); break;
    case SL_FRAME_PUSH: put_list(out, "ops", it); break;
    case SL_FRAME_MORE: put_int(out, "bytes", f->bytes); break;
    case SL_FRAME_TYPING:
    case SL_FRAME_SIGNAL: put_signal(out, f); break;
    case SL_FRAME_CONNECTED:
        put_text(out, "user", f->user);
        put_int(out, "now", f->now_ms);
        break;
    case SL_FRAME_PAGE:
    case SL_FRAME_LOADED: put_page(out, f, it); break;
    case SL_FRAME_LOAD: put_load(out, f); break;
    case SL_FRAME_CHECK: put_text(out, "holes", f->holes); break;
    case SL_FRAME_CHECKED:
    case SL_FRAME_SUBSCRIBED:
        put_text(out, "holes", f->holes);
        put_int(out, "seq", f->to);
        put_text(out, "role", f->role);
        if (f->summed) {
            put_sum(out, f->sum);
        }
        break;
    case SL_FRAME_CHANGE: put_change(out, f, it); break;
    case SL_FRAME_RECEIPTS: put_list(out, "receipts", it); break;
    case SL_FRAME_ERROR:
        put_text(out, "code", f->code);
        put_text(out, "message", f->message);
        if (f->retry_s > 0) {
            put_int(out, "retry_after", f->retry_s);
        }
        break;
    case SL_FRAME_UNSUBSCRIBE:
    case SL_FRAME_PREFER:
    case SL_FRAME_RESET:
    case SL_FRAME_REVOKED:
    case SL_FRAME_NONE: break;
    }
}

void sl_frame_json_put(sl_buf *out, const sl_frame *f, sl_items *items)
{
    bool alone = items != NULL && items->count == 1;
    if (alone && f->kind == SL_FRAME_PUSH) {
        sl_op_put_json(out, &items->ops[0]);
        return;
    }
    if (alone && f->kind == SL_FRAME_RECEIPTS) {
        sl_buf_str(out, "{\"t\":\"receipt\"");
        put_receipt(out, &items->receipts[0]);
        sl_buf_u8(out, '}');
        return;
    }
    sl_buf_str(out, "{\"t\":\"");
    sl_buf_str(out, name_of(f->kind));
    sl_buf_u8(out, '"');
    put_fields(out, f, items);
    sl_buf_u8(out, '}');
}

/* --- in -------------------------------------------------------------------------------------- */

static sl_frame_kind kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (strcmp(NAMES[i].name, name) == 0) {
            return NAMES[i].kind;
        }
    }
    return SL_FRAME_NONE;
}

/* A number that must be there and may not be negative. */
static bool number(const sl_json *j, const char *name, int64_t *out)
{
    return sl_json_int(j, name, out) && *out >= 0;
}

/* Items are the members of a list, or the one object. */
static bool take_items(sl_frame_in *in, const char *list, const sl_json *alone)
{
    const sl_json *items = sl_json_get(in->json, list);
    if (alone != NULL) {
        in->frame.count = 1;
        in->item = alone;
        return sl_json_is_object(alone);
    }
    in->frame.count = sl_json_count(items);
    in->item = sl_json_first(items);
    return sl_json_is_array(items) && in->frame.count <= SL_FRAME_COUNT_MAX;
}

static bool read_change(sl_frame_in *in)
{
    const sl_json *j = in->json;
    sl_frame *f = &in->frame;
    const sl_json *record = sl_json_get(j, "record");
    if (!number(j, "seq", &f->to) || !take_items(in, "records", record)) {
        return false;
    }
    f->from = record != NULL ? f->to - 1 : sl_json_int_or(j, "from", -1);
    return f->from >= 0 && f->from <= f->to;
}

static bool read_page(sl_frame_in *in)
{
    const sl_json *j = in->json;
    sl_frame *f = &in->frame;
    f->more = f->kind == SL_FRAME_PAGE && sl_json_bool_or(j, "more", false);
    f->hole = f->kind == SL_FRAME_PAGE ? sl_json_int_or(j, "hole", 0) : 0;
    return f->hole >= 0 && number(j, "from", &f->from) && number(j, "to", &f->to) &&
           f->from <= f->to && take_items(in, "records", NULL);
}

/* False: not sixteen digits. */
static bool read_sum(const char *text, uint64_t *out)
{
    uint8_t bytes[8];
    if (text == NULL || strlen(text) != 2 * sizeof bytes ||
        !sl_hex_decode(bytes, sizeof bytes, text)) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        *out = *out << 8 | bytes[i];
    }
    return true;
}

static bool read_subscribed(const sl_json *j, sl_frame *f)
{
    f->role = sl_json_str(j, "role");
    f->holes = f->kind == SL_FRAME_CHECKED ? sl_json_str(j, "holes") : NULL;
    f->summed = read_sum(sl_json_str(j, "sum"), &f->sum);
    return number(j, "seq", &f->to);
}

static bool read_subscribe(const sl_json *j, sl_frame *f)
{
    f->from = sl_json_int_or(j, "from", -1);
    f->last = sl_json_int_or(j, "last", 0);
    return f->last >= 0;
}

static bool read_load(const sl_json *j, sl_frame *f)
{
    f->id = sl_json_str(j, "id");
    f->up = sl_json_bool_or(j, "up", false);
    f->from = sl_json_int_or(j, "from", 0);
    f->to = sl_json_int_or(j, "to", f->from);
    return number(j, "limit", &f->limit) && f->from >= 0 && f->from <= f->to;
}

static bool read_signal(const sl_json *j, sl_frame *f)
{
    f->user = sl_json_str(j, "user");
    f->until_ms = sl_json_int_or(j, "until", 0);
    if (f->kind == SL_FRAME_SIGNAL) {
        f->what = sl_json_str(j, "what");
        f->data = sl_json_str(j, "data");
    }
    return f->until_ms >= 0;
}

static bool read_connect(const sl_json *j, sl_frame *f)
{
    f->version = sl_json_int_or(j, "v", 0);
    f->token = sl_json_str(j, "token");
    f->device = sl_json_str(j, "device");
    f->floor = sl_json_int_or(j, "floor", 0);
    return f->floor >= 0;
}

static bool read_fields(sl_frame_in *in, const char *t)
{
    const sl_json *j = in->json;
    sl_frame *f = &in->frame;
    switch (f->kind) {
    case SL_FRAME_CONNECT: return read_connect(j, f);
    case SL_FRAME_SUBSCRIBE: return read_subscribe(j, f);
    case SL_FRAME_PUSH: return take_items(in, "ops", strcmp(t, "op") == 0 ? j : NULL);
    case SL_FRAME_MORE: return number(j, "bytes", &f->bytes);
    case SL_FRAME_TYPING:
    case SL_FRAME_SIGNAL: return read_signal(j, f);
    case SL_FRAME_CONNECTED:
        f->user = sl_json_str(j, "user");
        f->now_ms = sl_json_int_or(j, "now", 0);
        return true;
    case SL_FRAME_PAGE:
    case SL_FRAME_LOADED: return read_page(in);
    case SL_FRAME_LOAD: return read_load(j, f);
    case SL_FRAME_CHECK: f->holes = sl_json_str(j, "holes"); return true;
    case SL_FRAME_CHECKED:
    case SL_FRAME_SUBSCRIBED: return read_subscribed(j, f);
    case SL_FRAME_CHANGE: return read_change(in);
    case SL_FRAME_RECEIPTS: return take_items(in, "receipts", strcmp(t, "receipt") == 0 ? j : NULL);
    case SL_FRAME_ERROR:
        f->code = sl_json_str(j, "code");
        f->message = sl_json_str(j, "message");
        f->retry_s = sl_json_int_or(j, "retry_after", 0);
        return f->retry_s >= 0;
    case SL_FRAME_UNSUBSCRIBE:
    case SL_FRAME_PREFER:
    case SL_FRAME_RESET:
    case SL_FRAME_REVOKED:
    case SL_FRAME_NONE: break;
    }
    return true;
}

sl_status sl_frame_json_read(sl_frame_in *in, const void *p, size_t n, sl_error **err)
{
    sl_frame *f = &in->frame;
    if (sl_json_read(p, n, &in->json, NULL) == SL_E_NOMEM) {
        return sl_fail_nomem(err);
    }
    const char *t = sl_json_str(in->json, "t");
    if (t == NULL) {
        return sl_frame_broken(err);
    }
    f->kind = kind_of(t);
    if (in->wire->server ? !sl_frame_from_client(f->kind) : !sl_frame_from_server(f->kind)) {
        f->kind = SL_FRAME_NONE;
        return SL_OK;
    }
    f->epoch = sl_json_str(in->json, "epoch");
    if (sl_frame_names_space(f->kind)) {
        f->space = sl_json_str(in->json, "space");
        if (!sl_space_ok(f->space)) {
            return sl_frame_broken(err);
        }
    }
    if (!read_fields(in, t)) {
        return sl_frame_broken(err);
    }
    in->left = f->count;
    return SL_OK;
}

static const sl_json *next_item(sl_frame_in *in)
{
    const sl_json *item = in->item;
    in->item = in->left > 1 ? sl_json_next(item) : NULL;
    return item;
}

sl_status sl_frame_json_record(sl_frame_in *in, sl_record *rec, sl_error **err)
{
    const sl_json *j = next_item(in);
    const sl_json *fields = sl_json_get(j, "fields");
    rec->entity = NULL;
    if (sl_json_str(j, "entity") == NULL || (fields != NULL && !sl_json_is_object(fields))) {
        return sl_frame_broken(err);
    }
    if (sl_entity_find(sl_json_str(j, "entity")) == NULL) {
        return SL_OK;
    }
    sl_status status = sl_record_from_wire(rec, j, err);
    if (status == SL_OK && strcmp(rec->space, in->frame.space) != 0) {
        status = sl_fail(err, SL_E_INVALID, "a record came in a space that is not its own");
    }
    return status;
}

sl_status sl_frame_json_op(sl_frame_in *in, sl_op *op, bool *bad, sl_error **why)
{
    const sl_json *j = next_item(in);
    int64_t n = 0;
    if (!sl_json_int(j, "n", &n) || n <= 0) {
        return SL_E_INVALID;
    }
    sl_status status = sl_op_from_json(op, j, why);
    if (status == SL_E_INVALID) {
        *bad = true;
        op->n = n;
        if (!sl_hlc_parse(&op->hlc, sl_json_str(j, "hlc"))) {
            op->hlc = (sl_hlc){0, 0};
        }
        return SL_OK;
    }
    return status;
}

sl_status sl_frame_json_receipt(sl_frame_in *in, sl_receipt *r, sl_error **err)
{
    const sl_json *j = next_item(in);
    const char *result = sl_json_str(j, "result");
    bool known = false;
    for (int i = SL_APPLIED; result != NULL && i <= SL_REJECTED; i++) {
        if (strcmp(RESULTS[i], result) == 0) {
            r->result = (sl_result)i;
            known = true;
        }
    }
    r->seq = sl_json_int_or(j, "seq", 0);
    r->code = sl_json_str(j, "code");
    r->message = sl_json_str(j, "message");
    r->field = sl_json_str(j, "field");
    return known && sl_json_int(j, "n", &r->n) && r->n > 0 && r->seq >= 0 ? SL_OK
                                                                          : sl_frame_broken(err);
}
