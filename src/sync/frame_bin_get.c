/*
 * The binary encoding, read: type u8 | flags u8 | fields | items. PROTOCOL.md lists the fields of each kind.
 *
 * Items of one frame are runs of rows of one entity, in columns, or one row by itself; receipts are
 * groups of like ones.
 */
#include "base/error.h"
#include "sync/frame_bin.h"
#include "sync/zip.h"

#include <string.h>

/* --- fields in ------------------------------------------------------------------------------- */

static const char *read_text(sl_frame_in *in, sl_rd *rd)
{
    char id[SL_UUID_LEN + 1];
    uint64_t head = sl_rd_varint(rd);
    if (rd->bad || head == 0) {
        return NULL;
    }
    if (head == 1) {
        const uint8_t *bytes = sl_rd_take(rd, SL_UUID_BYTES);
        if (bytes == NULL) {
            return NULL;
        }
        sl_uuid_encode(id, bytes);
        return sl_frame_text(in, id, SL_UUID_LEN);
    }
    const uint8_t *p = head > 2 && head - 2 <= rd->left ? sl_rd_take(rd, (size_t)(head - 2)) : NULL;
    const char *text = p != NULL ? sl_frame_text(in, p, (size_t)(head - 2)) : NULL;
    rd->bad = rd->bad || text == NULL;
    return text;
}

static int64_t read_number(sl_rd *rd)
{
    uint64_t v = sl_rd_varint(rd);
    rd->bad = rd->bad || v > (uint64_t)SL_JSON_INT_MAX;
    return rd->bad ? 0 : (int64_t)v;
}

static void read_range(sl_rd *rd, sl_frame *f)
{
    f->from = read_number(rd);
    f->to = f->from + read_number(rd);
    rd->bad = rd->bad || f->to > SL_JSON_INT_MAX;
}

static void read_greeting(sl_frame_in *in, sl_rd *rd, unsigned flags)
{
    sl_frame *f = &in->frame;
    f->zip = (flags & FLAG_YES) != 0;
    if (f->kind == SL_FRAME_CONNECT) {
        f->version = read_number(rd);
        f->token = read_text(in, rd);
        f->device = read_text(in, rd);
        f->floor = read_number(rd);
        f->clock = sl_rd_u32le(rd);
        in->wire->clock = f->clock;
        in->wire->last_n = f->floor - 1;
    } else {
        f->user = read_text(in, rd);
        f->now_ms = read_number(rd);
        in->wire->base_ms = f->now_ms;
    }
}

/* Ranges of numbers or places. */
static void read_page(sl_frame_in *in, sl_rd *rd, unsigned flags)
{
    sl_frame *f = &in->frame;
    bool yes = (flags & FLAG_YES) != 0;
    if (f->kind == SL_FRAME_PAGE) {
        f->epoch = read_text(in, rd);
    } else if (f->kind == SL_FRAME_LOAD) {
        f->id = read_text(in, rd);
    }
    read_range(rd, f);
    f->more = yes && f->kind == SL_FRAME_PAGE;
    f->up = yes && f->kind == SL_FRAME_LOAD;
    f->limit = f->kind == SL_FRAME_LOAD ? read_number(rd) : 0;
    f->hole = (flags & FLAG_PLUS) != 0 && f->kind == SL_FRAME_PAGE ? read_number(rd) : 0;
}

static void read_signal(sl_frame_in *in, sl_rd *rd, unsigned flags)
{
    sl_frame *f = &in->frame;
    if (f->kind == SL_FRAME_SIGNAL) {
        f->what = read_text(in, rd);
        f->data = read_text(in, rd);
    }
    f->user = in->wire->server ? NULL : read_text(in, rd);
    f->until_ms = (flags & FLAG_PLUS) != 0 ? read_number(rd) : 0;
}

static void read_fields(sl_frame_in *in, sl_rd *rd, unsigned flags)
{
    sl_frame *f = &in->frame;
    switch (f->kind) {
    case SL_FRAME_CONNECT:
    case SL_FRAME_CONNECTED: read_greeting(in, rd, flags); break;
    case SL_FRAME_SUBSCRIBE:
        f->epoch = read_text(in, rd);
        f->from = read_number(rd);
        f->last = (flags & FLAG_PLUS) != 0 ? read_number(rd) : 0;
        break;
    case SL_FRAME_MORE: f->bytes = read_number(rd); break;
    case SL_FRAME_TYPING:
    case SL_FRAME_SIGNAL: read_signal(in, rd, flags); break;
    case SL_FRAME_PAGE:
    case SL_FRAME_LOAD:
    case SL_FRAME_LOADED:
    case SL_FRAME_CHANGE: read_page(in, rd, flags); break;
    case SL_FRAME_SUBSCRIBED:
        f->epoch = read_text(in, rd);
        f->to = read_number(rd);
        f->role = read_text(in, rd);
        f->summed = (flags & FLAG_PLUS) != 0;
        f->sum = f->summed ? sl_rd_u64le(rd) : 0;
        break;
    case SL_FRAME_CHECK: f->holes = read_text(in, rd); break;
    case SL_FRAME_CHECKED:
        f->to = read_number(rd);
        f->sum = sl_rd_u64le(rd);
        f->summed = true;
        f->holes = read_text(in, rd);
        break;
    case SL_FRAME_RESET: f->epoch = read_text(in, rd); break;
    case SL_FRAME_ERROR:
        f->code = read_text(in, rd);
        f->message = read_text(in, rd);
        f->retry_s = (flags & FLAG_PLUS) != 0 ? read_number(rd) : 0;
        break;
    case SL_FRAME_UNSUBSCRIBE:
    case SL_FRAME_PREFER:
    case SL_FRAME_REVOKED:
    case SL_FRAME_PUSH:
    case SL_FRAME_RECEIPTS:
    case SL_FRAME_NONE: break;
    }
}

/* The items: as they lie, or unpacked. */
static sl_status open_items(sl_frame_in *in, sl_rd *rd, unsigned flags, sl_error **err)
{
    sl_frame *f = &in->frame;
    sl_items_kind carries = sl_frame_carries(f->kind);
    in->single = (flags & FLAG_SINGLE) != 0;
    if (carries == SL_ITEMS_NONE) {
        return rd->bad || rd->left > 0 || (flags & (FLAG_ZIP | FLAG_SINGLE)) != 0
                   ? sl_frame_broken(err)
                   : SL_OK;
    }
    uint64_t count = in->single ? 1 : sl_rd_varint(rd);
    if (rd->bad || count > SL_FRAME_COUNT_MAX || (in->single && carries == SL_ITEMS_RECEIPTS) ||
        (count == 0 && (rd->left > 0 || (flags & FLAG_ZIP) != 0))) {
        return sl_frame_broken(err);
    }
    f->count = (size_t)count;
    in->left = f->count;
    in->items = *rd;
    if ((flags & FLAG_ZIP) == 0) {
        return SL_OK;
    }
    sl_buf_clear(&in->unpacked);
    sl_status status = sl_unzip(&in->unpacked, rd->p, rd->left, SL_FRAME_ITEMS_MAX, err);
    in->items = (sl_rd){in->unpacked.data, in->unpacked.len, false};
    return status;
}

sl_status sl_frame_bin_read(sl_frame_in *in, const void *p, size_t n, sl_error **err)
{
    sl_rd rd = {p, n, false};
    char space[SL_SPACE_MAX];
    sl_frame *f = &in->frame;
    f->kind = (sl_frame_kind)sl_rd_u8(&rd);
    unsigned flags = sl_rd_u8(&rd);
    if (rd.bad || f->kind == 0) {
        return sl_frame_broken(err);
    }
    if (in->wire->server ? !sl_frame_from_client(f->kind) : !sl_frame_from_server(f->kind)) {
        f->kind = SL_FRAME_NONE;
        return SL_OK;
    }
    if ((flags & ~(unsigned)FLAGS_ALL) != 0) {
        return sl_frame_broken(err);
    }
    if (sl_frame_names_space(f->kind)) {
        if (!sl_wire_read_space(in->wire, &rd, space)) {
            return sl_frame_broken(err);
        }
        f->space = sl_frame_text(in, space, strlen(space));
        rd.bad = rd.bad || f->space == NULL;
    }
    read_fields(in, &rd, flags);
    return rd.bad ? sl_frame_broken(err) : open_items(in, &rd, flags, err);
}

/* --- rows in --------------------------------------------------------------------------------- */

static bool read_stamp(sl_rd *rd, int64_t base_ms, bool counter, bool device, sl_hlc *out)
{
    uint64_t ms = (uint64_t)base_ms + (uint64_t)sl_rd_zigzag(rd);
    uint64_t count = counter ? sl_rd_varint(rd) : 0;
    uint32_t clock = device ? sl_rd_u32le(rd) : out->device;
    *out = (sl_hlc){ms << 16 | (count & 0xFFFF), clock};
    return !rd->bad && ms >> 48 == 0 && count <= 0xFFFF;
}

static sl_span read_span(sl_rd *rd, uint64_t n)
{
    const uint8_t *p = n <= rd->left ? sl_rd_take(rd, (size_t)n) : NULL;
    rd->bad = rd->bad || p == NULL;
    return (sl_span){p, p != NULL ? (size_t)n : 0};
}

static bool read_value(sl_rd *rd, sl_hlc birth, sl_row_value *v)
{
    uint64_t bits = 0;
    memset(v, 0, sizeof *v);
    v->no = sl_rd_varint(rd);
    v->type = sl_rd_u8(rd);
    switch (v->type) {
    case SL_ROW_INT: v->i = sl_rd_zigzag(rd); break;
    case SL_ROW_BOOL:
        v->i = sl_rd_u8(rd);
        rd->bad = rd->bad || v->i > 1;
        break;
    case SL_ROW_REAL:
        v->s = read_span(rd, 8);
        for (size_t i = 0; i < v->s.n; i++) {
            bits |= (uint64_t)v->s.p[i] << (8 * i);
        }
        memcpy(&v->r, &bits, sizeof v->r);
        break;
    case SL_ROW_TEXT:
    case SL_ROW_JSON:
    case SL_ROW_BASE64:
    case SL_ROW_MARKS: v->s = read_span(rd, sl_rd_varint(rd)); break;
    case SL_ROW_ID: v->s = read_span(rd, SL_UUID_BYTES); break;
    case SL_ROW_SHA: v->s = read_span(rd, SL_ROW_HASH); break;
    case SL_ROW_STAMP:
        rd->bad = rd->bad || !read_stamp(rd, sl_hlc_ms(birth), true, true, &v->at);
        break;
    case SL_ROW_NULL: break;
    default: rd->bad = true; break;
    }
    return !rd->bad;
}

/* A record without values yet. */
static sl_status start_record(sl_frame_in *in, sl_record *rec, const sl_row *row, sl_error **err)
{
    char id[SL_UUID_LEN + 1];
    sl_uuid_encode(id, row->id);
    sl_status status = sl_record_make(rec, row->entity, id, in->frame.space, err);
    rec->seq = row->number;
    rec->deleted = row->mark == 1;
    rec->birth = row->stamp;
    return status == SL_OK && row->mark > 1 ? sl_frame_broken(err) : status;
}

static sl_status single_record(sl_frame_in *in, sl_record *rec, sl_error **err)
{
    sl_rd *rd = &in->items;
    sl_row row = {.entity = sl_entity_of(sl_rd_varint(rd))};
    row.mark = sl_rd_u8(rd);
    row.number = (int64_t)((uint64_t)sl_rd_zigzag(rd) + (uint64_t)in->frame.from + 1);
    const uint8_t *id = sl_rd_take(rd, SL_UUID_BYTES);
    if (id == NULL || row.number < 0 || row.number > SL_JSON_INT_MAX) {
        return sl_frame_broken(err);
    }
    memcpy(row.id, id, sizeof row.id);
    if (!read_stamp(rd, sl_row_base(row.id), true, true, &row.stamp)) {
        return sl_frame_broken(err);
    }
    sl_status status = row.entity != NULL ? start_record(in, rec, &row, err) : SL_OK;
    uint64_t count = sl_rd_varint(rd);
    for (uint64_t i = 0; status == SL_OK && i < count; i++) {
        sl_row_value v;
        if (!read_value(rd, row.stamp, &v)) {
            return sl_frame_broken(err);
        }
        if (row.entity != NULL && !rec->deleted) {
            status = sl_row_into_record(rec, &v, err);
        }
    }
    return status == SL_OK && (rd->bad || rd->left > 0) ? sl_frame_broken(err) : status;
}

/* Head and body of the next run. */
static sl_status next_run(sl_frame_in *in, bool ops, sl_error **err)
{
    sl_rd *rd = &in->items;
    sl_run *run = &in->run;
    run->space[0] = 0;
    if (ops && !sl_wire_read_space(in->wire, rd, run->space)) {
        return sl_frame_broken(err);
    }
    run->entity = sl_entity_of(sl_rd_varint(rd));
    uint64_t count = sl_rd_varint(rd);
    sl_span body = read_span(rd, sl_rd_varint(rd));
    if (rd->bad || count == 0 || count > in->left) {
        return sl_frame_broken(err);
    }
    sl_rd content = {body.p, body.n, false};
    if (run->entity == NULL && !ops) {
        run->left = (size_t)count; /* passed over whole */
        return SL_OK;
    }
    return sl_run_start(in, &content, (size_t)count, ops ? in->wire->last_n : in->frame.from)
               ? SL_OK
               : sl_frame_broken(err);
}

/* Behind the last row of a run, and of the frame. */
static sl_status end_row(sl_frame_in *in, sl_error **err)
{
    bool ok = in->run.left > 0 || sl_run_done(&in->run);
    return ok && (in->left > 1 || (in->run.left == 0 && in->items.left == 0))
               ? SL_OK
               : sl_frame_broken(err);
}

sl_status sl_frame_bin_record(sl_frame_in *in, sl_record *rec, sl_error **err)
{
    rec->entity = NULL;
    if (in->single) {
        return single_record(in, rec, err);
    }
    sl_run *run = &in->run;
    sl_status status = run->left == 0 ? next_run(in, false, err) : SL_OK;
    if (status == SL_OK && run->entity == NULL) {
        run->left--;
        return in->left > 1 || in->items.left == 0 ? SL_OK : sl_frame_broken(err);
    }
    sl_row row = {.entity = run->entity};
    if (status == SL_OK && !sl_run_next(run, &row)) {
        status = sl_frame_broken(err);
    }
    if (status == SL_OK) {
        status = start_record(in, rec, &row, err);
    }
    for (size_t i = 0; status == SL_OK && i < run->column_count; i++) {
        sl_row_value v;
        if (sl_run_value(run, i, row.stamp, &v) && !rec->deleted) {
            status = sl_row_into_record(rec, &v, err);
        }
    }
    return status == SL_OK ? end_row(in, err) : status;
}

/* An operation without values yet. */
static sl_status start_op(sl_op *op, const sl_row *row, const char *space, sl_error **why)
{
    sl_op_clear(op);
    op->n = row->number;
    op->hlc = row->stamp;
    op->entity = row->entity;
    op->kind = (sl_op_kind)row->mark;
    memcpy(op->space, space, strlen(space) + 1);
    sl_uuid_encode(op->id, row->id);
    if (op->entity == NULL || op->kind < SL_OP_CREATE || op->kind > SL_OP_DELETE) {
        return sl_fail(why, SL_E_INVALID, "not an operation");
    }
    if (op->kind == SL_OP_DELETE) {
        return SL_OK;
    }
    size_t size = op->entity->field_count * sizeof *op->values;
    op->values = sl_arena_take(&op->mem, size);
    if (op->values == NULL) {
        return sl_fail_nomem(why);
    }
    memset(op->values, 0, size);
    return SL_OK;
}

static sl_status single_head(sl_frame_in *in, sl_row *row, char space[SL_SPACE_MAX])
{
    sl_rd *rd = &in->items;
    const sl_wire *w = in->wire;
    unsigned bits = sl_rd_u8(rd);
    row->mark = bits & OP_KIND;
    row->number = w->last_n + 1;
    if ((bits & OP_N) != 0) {
        row->number = (int64_t)((uint64_t)w->last_n + (uint64_t)sl_rd_zigzag(rd));
    }
    if (!sl_wire_read_space(in->wire, rd, space)) {
        return SL_E_INVALID;
    }
    row->entity = sl_entity_of(sl_rd_varint(rd));
    const uint8_t *id = sl_rd_take(rd, SL_UUID_BYTES);
    if (id == NULL) {
        return SL_E_INVALID;
    }
    memcpy(row->id, id, sizeof row->id);
    row->stamp.device = w->clock;
    bool ok =
        read_stamp(rd, w->base_ms, (bits & OP_COUNTER) != 0, (bits & OP_CLOCK) != 0, &row->stamp);
    return ok && bits < 2 * OP_COUNTER && row->number > 0 && row->number <= SL_JSON_INT_MAX
               ? SL_OK
               : SL_E_INVALID;
}

/* Takes the values of a row, all of them, whatever the first wrong one says. */
static void into_op(sl_op *op, const sl_row_value *v, sl_status *verdict, sl_error **why)
{
    if (*verdict == SL_OK) {
        *verdict = sl_row_into_op(op, v, why);
    }
}

static sl_status single_op(sl_frame_in *in, sl_op *op, sl_status *verdict, sl_error **why)
{
    sl_row row = {.entity = NULL};
    sl_row_value v;
    char space[SL_SPACE_MAX];
    if (single_head(in, &row, space) != SL_OK) {
        return sl_frame_broken(NULL);
    }
    *verdict = start_op(op, &row, space, why);
    uint64_t count = sl_rd_varint(&in->items);
    for (uint64_t i = 0; i < count; i++) {
        if (!read_value(&in->items, row.stamp, &v)) {
            return SL_E_INVALID;
        }
        into_op(op, &v, verdict, why);
    }
    in->wire->last_n = row.number;
    return in->items.bad || in->items.left > 0 ? SL_E_INVALID : SL_OK;
}

static sl_status run_op(sl_frame_in *in, sl_op *op, sl_status *verdict, sl_error **why)
{
    sl_run *run = &in->run;
    sl_status status = run->left == 0 ? next_run(in, true, NULL) : SL_OK;
    sl_row row = {.entity = run->entity};
    if (status != SL_OK || !sl_run_next(run, &row) || row.number <= 0) {
        return SL_E_INVALID;
    }
    *verdict = start_op(op, &row, run->space, why);
    for (size_t i = 0; i < run->column_count; i++) {
        sl_row_value v;
        if (sl_run_value(run, i, row.stamp, &v)) {
            into_op(op, &v, verdict, why);
        }
    }
    in->wire->last_n = row.number;
    return end_row(in, NULL);
}

sl_status sl_frame_bin_op(sl_frame_in *in, sl_op *op, bool *bad, sl_error **why)
{
    sl_status verdict = SL_OK;
    sl_status status =
        in->single ? single_op(in, op, &verdict, why) : run_op(in, op, &verdict, why);
    *bad = verdict == SL_E_INVALID;
    return status != SL_OK ? status : verdict == SL_E_NOMEM ? verdict : SL_OK;
}

/* --- receipts in ----------------------------------------------------------------------------- */

static sl_status next_group(sl_frame_in *in, sl_receipt *r, sl_error **err)
{
    sl_rd *rd = &in->items;
    unsigned head = sl_rd_u8(rd);
    uint64_t count = sl_rd_varint(rd);
    uint64_t n = (uint64_t)in->last_n + 1 + (uint64_t)sl_rd_zigzag(rd);
    unsigned seqs = head >> 2;
    r->result = (sl_result)(head & 3);
    r->n = (int64_t)n;
    if (seqs == SEQ_RISES || seqs == SEQ_SAME) {
        in->last_seq = (int64_t)((uint64_t)in->last_seq + (uint64_t)sl_rd_zigzag(rd));
        r->seq = in->last_seq;
    }
    if (r->result == SL_REJECTED) {
        r->code = read_text(in, rd);
        r->message = read_text(in, rd);
        r->field = read_text(in, rd);
    }
    bool ok = !rd->bad && (head & 3) <= SL_REJECTED && seqs <= SEQ_SAME && count > 0 &&
              count <= in->left && (count == 1 || r->result != SL_REJECTED) && n > 0 &&
              n <= (uint64_t)SL_JSON_INT_MAX && r->seq >= 0 && r->seq <= SL_JSON_INT_MAX;
    in->same_left = ok ? (size_t)count : 0;
    in->same_head = head;
    return ok ? SL_OK : sl_frame_broken(err);
}

sl_status sl_frame_bin_receipt(sl_frame_in *in, sl_receipt *r, sl_error **err)
{
    if (in->same_left == 0) {
        sl_status status = next_group(in, r, err);
        if (status != SL_OK) {
            return status;
        }
    } else {
        unsigned seqs = in->same_head >> 2;
        in->last_seq += seqs == SEQ_RISES ? 1 : 0;
        r->result = (sl_result)(in->same_head & 3);
        r->n = in->last_n + 1;
        r->seq = seqs != SEQ_NONE ? in->last_seq : 0;
    }
    in->same_left--;
    in->last_n = r->n;
    return in->left > 1 || in->items.left == 0 ? SL_OK : sl_frame_broken(err);
}
