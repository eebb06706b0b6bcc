/* The binary encoding, written; frame_bin_get.c reads it. */
#include "base/base64.h"
#include "sync/frame_bin.h"
#include "sync/zip.h"

#include <string.h>

/* --- fields out ------------------------------------------------------------------------------ */

/* 0 none, 1 a UUID's 16 bytes, else length + 2 and the bytes. */
static void put_text(sl_buf *out, const char *s)
{
    uint8_t id[SL_UUID_BYTES];
    size_t n = s != NULL ? strlen(s) : 0;
    if (n == 0) {
        sl_buf_u8(out, 0);
    } else if (n == SL_UUID_LEN && sl_uuid_decode(id, s)) {
        sl_buf_u8(out, 1);
        sl_buf_put(out, id, sizeof id);
    } else {
        sl_buf_varint(out, n + 2);
        sl_buf_put(out, s, n);
    }
}

static void put_range(sl_buf *out, const sl_frame *f)
{
    sl_buf_varint(out, (uint64_t)f->from);
    sl_buf_varint(out, (uint64_t)(f->to - f->from));
}

static void put_greeting(sl_wire *w, sl_buf *out, const sl_frame *f)
{
    if (f->kind == SL_FRAME_CONNECT) {
        sl_buf_varint(out, (uint64_t)f->version);
        put_text(out, f->token);
        put_text(out, f->device);
        sl_buf_varint(out, (uint64_t)f->floor);
        sl_buf_u32le(out, f->clock);
        w->clock = f->clock;
        w->last_n = f->floor - 1;
    } else {
        put_text(out, f->user);
        sl_buf_varint(out, (uint64_t)f->now_ms);
        w->base_ms = f->now_ms;
    }
}

/* Ranges of numbers or places. */
static void put_page(sl_buf *out, const sl_frame *f)
{
    if (f->kind == SL_FRAME_PAGE) {
        put_text(out, f->epoch);
    } else if (f->kind == SL_FRAME_LOAD) {
        put_text(out, f->id);
    }
    put_range(out, f);
    if (f->kind == SL_FRAME_LOAD) {
        sl_buf_varint(out, (uint64_t)f->limit);
    } else if (f->hole > 0) {
        sl_buf_varint(out, (uint64_t)f->hole);
    }
}

static void put_signal(const sl_wire *w, sl_buf *out, const sl_frame *f)
{
    if (f->kind == SL_FRAME_SIGNAL) {
        put_text(out, f->what);
        put_text(out, f->data);
    }
    if (w->server) {
        put_text(out, f->user);
    }
    if (f->until_ms > 0) {
        sl_buf_varint(out, (uint64_t)f->until_ms);
    }
}

static void put_fields(sl_wire *w, sl_buf *out, const sl_frame *f)
{
    if (f->space != NULL) {
        sl_wire_put_space(w, out, f->space);
    }
    switch (f->kind) {
    case SL_FRAME_CONNECT:
    case SL_FRAME_CONNECTED: put_greeting(w, out, f); break;
    case SL_FRAME_SUBSCRIBE:
        put_text(out, f->epoch);
        sl_buf_varint(out, (uint64_t)f->from);
        if (f->last > 0) {
            sl_buf_varint(out, (uint64_t)f->last);
        }
        break;
    case SL_FRAME_MORE: sl_buf_varint(out, (uint64_t)f->bytes); break;
    case SL_FRAME_TYPING:
    case SL_FRAME_SIGNAL: put_signal(w, out, f); break;
    case SL_FRAME_PAGE:
    case SL_FRAME_LOAD:
    case SL_FRAME_LOADED:
    case SL_FRAME_CHANGE: put_page(out, f); break;
    case SL_FRAME_CHECK: put_text(out, f->holes); break;
    case SL_FRAME_CHECKED:
        sl_buf_varint(out, (uint64_t)f->to);
        sl_buf_u64le(out, f->sum);
        put_text(out, f->holes);
        break;
    case SL_FRAME_SUBSCRIBED:
        put_text(out, f->epoch);
        sl_buf_varint(out, (uint64_t)f->to);
        put_text(out, f->role);
        if (f->summed) {
            sl_buf_u64le(out, f->sum);
        }
        break;
    case SL_FRAME_RESET: put_text(out, f->epoch); break;
    case SL_FRAME_ERROR:
        put_text(out, f->code);
        put_text(out, f->message);
        if (f->retry_s > 0) {
            sl_buf_varint(out, (uint64_t)f->retry_s);
        }
        break;
    case SL_FRAME_UNSUBSCRIBE:
    case SL_FRAME_PREFER:
    case SL_FRAME_REVOKED:
    case SL_FRAME_PUSH:
    case SL_FRAME_RECEIPTS:
    case SL_FRAME_NONE: break;
    }
}

/* --- rows out -------------------------------------------------------------------------------- */

static sl_row row_of_record(const sl_record *rec)
{
    sl_row r = {.entity = rec->entity,
                .number = rec->seq,
                .mark = rec->deleted ? 1 : 0,
                .stamp = rec->birth,
                .values = rec->values,
                .clocks = rec->clocks,
                .ext = rec->ext,
                .space = rec->space};
    for (size_t i = 0; !rec->deleted && i < rec->entity->field_count; i++) {
        r.has |= rec->values[i].kind != SL_CELL_NULL ? UINT64_C(1) << i : 0;
    }
    (void)sl_uuid_decode(r.id, rec->id);
    return r;
}

static sl_row row_of_op(const sl_op *op)
{
    sl_row r = {.entity = op->entity,
                .number = op->n,
                .mark = (unsigned)op->kind,
                .stamp = op->hlc,
                .has = op->values != NULL ? op->has : 0,
                .values = op->values,
                .space = op->space};
    (void)sl_uuid_decode(r.id, op->id);
    return r;
}

static void put_bytes(sl_buf *out, const char *s, size_t n)
{
    sl_buf_varint(out, n);
    sl_buf_put(out, s, n);
}

static void put_stamp(sl_buf *out, sl_hlc at, int64_t base_ms)
{
    sl_buf_zigzag(out, sl_hlc_ms(at) - base_ms);
    sl_buf_varint(out, at.time & 0xFFFF);
    sl_buf_u32le(out, at.device);
}

static void put_value(sl_buf *out, const sl_field *f, const sl_cell *v, sl_buf *tmp)
{
    uint8_t id[SL_UUID_BYTES];
    uint64_t bits = 0;
    sl_row_type type = v->kind == SL_CELL_NULL ? SL_ROW_NULL : sl_row_type_of(f, v);
    if (type == SL_ROW_TEXT && f->type == SL_T_TEXT && sl_row_is_base64(v)) {
        type = SL_ROW_BASE64;
    }
    sl_buf_varint(out, f->no);
    sl_buf_u8(out, (uint8_t)type);
    switch (type) {
    case SL_ROW_INT: sl_buf_zigzag(out, v->i); break;
    case SL_ROW_BOOL: sl_buf_u8(out, v->i != 0 ? 1 : 0); break;
    case SL_ROW_REAL:
        memcpy(&bits, &v->r, sizeof bits);
        sl_buf_u64le(out, bits);
        break;
    case SL_ROW_ID:
        (void)sl_uuid_decode(id, v->text);
        sl_buf_put(out, id, sizeof id);
        break;
    case SL_ROW_SHA: {
        uint8_t sha[SL_ROW_HASH] = {0};
        (void)sl_hex_decode(sha, sizeof sha, v->text);
        sl_buf_put(out, sha, sizeof sha);
        break;
    }
    case SL_ROW_TEXT:
    case SL_ROW_JSON: put_bytes(out, v->text, v->len); break;
    case SL_ROW_BASE64:
        sl_buf_clear(tmp);
        out->failed = out->failed || !sl_base64_decode(tmp, v->text, v->len) || tmp->failed;
        put_bytes(out, sl_buf_text(tmp), tmp->len);
        break;
    case SL_ROW_STAMP:
    case SL_ROW_MARKS:
    case SL_ROW_NULL: break;
    }
}

/* Values, clocks and ext, with their count before them. */
static void put_values(sl_items *it, sl_buf *out, const sl_row *r)
{
    sl_buf *body = &it->body;
    unsigned count = 0;
    sl_buf_clear(body);
    for (size_t i = 0; i < r->entity->field_count; i++) {
        const sl_field *f = &r->entity->fields[i];
        if ((r->has >> i & 1) != 0) {
            put_value(body, f, &r->values[i], &it->tmp[0]);
            count++;
        }
        if (r->clocks != NULL && r->clocks[i].at.time != 0) {
            sl_buf_varint(body, f->no);
            sl_buf_u8(body, SL_ROW_STAMP);
            put_stamp(body, r->clocks[i].at, sl_hlc_ms(r->stamp));
            count++;
        }
        if (r->clocks != NULL && r->clocks[i].marks != NULL) {
            sl_buf_varint(body, f->no);
            sl_buf_u8(body, SL_ROW_MARKS);
            put_bytes(body, r->clocks[i].marks, strlen(r->clocks[i].marks));
            count++;
        }
    }
    if (r->ext != NULL) {
        sl_buf_varint(body, SL_ROW_EXT);
        sl_buf_u8(body, SL_ROW_JSON);
        put_bytes(body, r->ext, strlen(r->ext));
        count++;
    }
    sl_buf_varint(out, count);
    sl_buf_put(out, body->data, body->len);
    out->failed = out->failed || body->failed;
    sl_buf_clear(body);
}

static void put_single_record(sl_items *it, sl_buf *out, int64_t from)
{
    sl_row r = row_of_record(&it->records[0]);
    sl_buf_varint(out, r.entity->no);
    sl_buf_u8(out, (uint8_t)r.mark);
    sl_buf_zigzag(out, r.number - from - 1);
    sl_buf_put(out, r.id, sizeof r.id);
    put_stamp(out, r.stamp, sl_row_base(r.id));
    put_values(it, out, &r);
}

static void put_single_op(sl_wire *w, sl_items *it, sl_buf *out)
{
    sl_row r = row_of_op(&it->ops[0]);
    uint64_t counter = r.stamp.time & 0xFFFF;
    unsigned bits = r.mark | (r.number != w->last_n + 1 ? OP_N : 0) |
                    (r.stamp.device != w->clock ? OP_CLOCK : 0) | (counter != 0 ? OP_COUNTER : 0);
    sl_buf_u8(out, (uint8_t)bits);
    if ((bits & OP_N) != 0) {
        sl_buf_zigzag(out, r.number - w->last_n);
    }
    sl_wire_put_space(w, out, r.space);
    sl_buf_varint(out, r.entity->no);
    sl_buf_put(out, r.id, sizeof r.id);
    sl_buf_zigzag(out, sl_hlc_ms(r.stamp) - w->base_ms);
    if ((bits & OP_COUNTER) != 0) {
        sl_buf_varint(out, counter);
    }
    if ((bits & OP_CLOCK) != 0) {
        sl_buf_u32le(out, r.stamp.device);
    }
    put_values(it, out, &r);
    w->last_n = r.number;
}

static void put_run(sl_items *it, sl_buf *out, const sl_row *rows, size_t n, int64_t base)
{
    sl_buf body = {0};
    sl_rows_put(it, &body, rows, n, base);
    sl_buf_varint(out, rows[0].entity->no);
    sl_buf_varint(out, n);
    sl_buf_varint(out, body.len);
    sl_buf_put(out, body.data, body.len);
    out->failed = out->failed || body.failed;
    sl_buf_free(&body);
}

/* Records of one entity go together, wherever they came. */
static void put_records(sl_items *it, sl_buf *out, int64_t from)
{
    sl_row *rows = sl_arena_take(&it->scratch, it->count * sizeof *rows);
    bool *done = sl_arena_take(&it->scratch, it->count * sizeof *done);
    if (rows == NULL || done == NULL) {
        out->failed = true;
        return;
    }
    memset(done, 0, it->count * sizeof *done);
    for (size_t i = 0; i < it->count; i++) {
        size_t n = 0;
        for (size_t k = i; !done[i] && k < it->count; k++) {
            if (it->records[k].entity == it->records[i].entity) {
                rows[n++] = row_of_record(&it->records[k]);
                done[k] = k != i;
            }
        }
        if (n > 0) {
            put_run(it, out, rows, n, from);
        }
    }
}

/* Operations keep their order: a run ends where space or entity change. */
static void put_ops(sl_wire *w, sl_items *it, sl_buf *out)
{
    sl_row *rows = sl_arena_take(&it->scratch, it->count * sizeof *rows);
    if (rows == NULL) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < it->count;) {
        const sl_op *first = &it->ops[i];
        size_t n = 0;
        while (i < it->count && it->ops[i].entity == first->entity &&
               strcmp(it->ops[i].space, first->space) == 0) {
            rows[n++] = row_of_op(&it->ops[i++]);
        }
        sl_wire_put_space(w, out, first->space);
        put_run(it, out, rows, n, w->last_n);
        w->last_n = rows[n - 1].number;
    }
}

static unsigned seqs_of(const sl_receipt *r, size_t left)
{
    if (r[0].seq == 0) {
        return SEQ_NONE;
    }
    return left > 1 && r[1].seq == r[0].seq ? SEQ_SAME : SEQ_RISES;
}

/* How many of the receipts go with the first, whose seqs do that. */
static size_t group_of(const sl_receipt *r, size_t left, unsigned seqs)
{
    size_t n = 1;
    while (n < left && r[0].result != SL_REJECTED && r[n].result == r[0].result &&
           r[n].n == r[0].n + (int64_t)n &&
           r[n].seq == r[0].seq + (seqs == SEQ_RISES ? (int64_t)n : 0)) {
        n++;
    }
    return n;
}

static void put_receipts(const sl_items *it, sl_buf *out)
{
    int64_t last_n = 0;
    int64_t last_seq = 0;
    for (size_t i = 0; i < it->count;) {
        const sl_receipt *r = &it->receipts[i];
        unsigned seqs = seqs_of(r, it->count - i);
        size_t n = group_of(r, it->count - i, seqs);
        sl_buf_u8(out, (uint8_t)((unsigned)r->result | seqs << 2));
        sl_buf_varint(out, n);
        sl_buf_zigzag(out, r->n - last_n - 1);
        if (seqs != SEQ_NONE) {
            sl_buf_zigzag(out, r->seq - last_seq);
            last_seq = r[n - 1].seq;
        }
        if (r->result == SL_REJECTED) {
            put_text(out, r->code);
            put_text(out, r->message);
            put_text(out, r->field);
        }
        last_n = r[n - 1].n;
        i += n;
    }
}

static void encode(sl_wire *w, const sl_frame *f, sl_items *it, bool single)
{
    sl_arena_clear(&it->scratch);
    sl_buf_clear(&it->bin);
    sl_buf_clear(&it->zip);
    it->tried_zip = false;
    if (it->kind == SL_ITEMS_RECORDS) {
        if (single) {
            put_single_record(it, &it->bin, f->from);
        } else {
            put_records(it, &it->bin, f->from);
        }
    } else if (it->kind == SL_ITEMS_OPS) {
        if (single) {
            put_single_op(w, it, &it->bin);
        } else {
            put_ops(w, it, &it->bin);
        }
    } else {
        put_receipts(it, &it->bin);
    }
    it->have_bin = it->kind == SL_ITEMS_RECORDS;
    it->bin_from = f->from;
}

static bool worth_packing(sl_items *it)
{
    if (!it->tried_zip) {
        it->tried_zip = true;
        if (it->bin.len < SL_FRAME_ZIP_MIN || !sl_zip(&it->zip, it->bin.data, it->bin.len)) {
            sl_buf_clear(&it->zip);
        }
    }
    return it->zip.len > 0;
}

static unsigned flags_of(const sl_frame *f)
{
    bool plus = f->last > 0 || f->hole > 0 || f->until_ms > 0 || f->retry_s > 0 ||
                (f->summed && f->kind == SL_FRAME_SUBSCRIBED);
    return (f->zip || f->more || f->up ? FLAG_YES : 0) | (plus ? FLAG_PLUS : 0);
}

void sl_frame_bin_put(sl_wire *w, sl_buf *out, const sl_frame *f, sl_items *items)
{
    unsigned flags = flags_of(f);
    bool single = items != NULL && items->count == 1 && items->kind != SL_ITEMS_RECEIPTS;
    bool zip = false;
    if (items != NULL && items->count > 0) {
        if (!items->have_bin || items->bin_from != f->from) {
            encode(w, f, items, single);
        }
        zip = w->zip && worth_packing(items);
    }
    flags |= (single ? FLAG_SINGLE : 0) | (zip ? FLAG_ZIP : 0);
    sl_buf_u8(out, (uint8_t)f->kind);
    sl_buf_u8(out, (uint8_t)flags);
    put_fields(w, out, f);
    if (sl_frame_carries(f->kind) != SL_ITEMS_NONE && !single) {
        sl_buf_varint(out, items != NULL ? items->count : 0);
    }
    if (items != NULL && items->count > 0) {
        const sl_buf *body = zip ? &items->zip : &items->bin;
        sl_buf_put(out, body->data, body->len);
        out->failed = out->failed || items->bin.failed;
    }
}
