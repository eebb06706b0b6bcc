/* Rows in columns, read: rows_put.c says how they lie. Every row costs at least a byte of its id. */
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "sync/frame_inside.h"

#include <string.h>

static void *take(void *ctx, size_t n)
{
    return sl_arena_take(ctx, n);
}

static size_t width_of(unsigned type)
{
    return type == SL_ROW_ID     ? SL_UUID_BYTES
           : type == SL_ROW_SHA  ? SL_ROW_HASH
           : type == SL_ROW_REAL ? 8
                                 : 0;
}

static bool column_start(sl_row_column *c, sl_rd *from, size_t rows, sl_arena *mem)
{
    c->no = sl_rd_varint(from);
    unsigned type = sl_rd_u8(from);
    uint64_t n = sl_rd_varint(from);
    const uint8_t *p = n <= from->left ? sl_rd_take(from, (size_t)n) : NULL;
    if (from->bad || p == NULL) {
        return false;
    }
    sl_rd in = {p, (size_t)n, false};
    c->nulls = (type & SL_ROW_NULLS) != 0;
    c->type = type & ~(unsigned)SL_ROW_NULLS;
    sl_bits_start(&c->has, &in);
    if (c->nulls) {
        sl_bits_start(&c->null, &in);
    }
    switch (c->type) {
    case SL_ROW_INT: sl_ints_start(&c->ints, &in, 0); break;
    case SL_ROW_BOOL: sl_bits_start(&c->bits, &in); break;
    case SL_ROW_STAMP:
        sl_ints_start(&c->ints, &in, 0);
        sl_ints_start(&c->counters, &in, 0);
        sl_ints_start(&c->devices, &in, 0);
        break;
    case SL_ROW_REAL:
    case SL_ROW_TEXT:
    case SL_ROW_JSON:
    case SL_ROW_MARKS:
    case SL_ROW_BASE64:
    case SL_ROW_ID:
    case SL_ROW_SHA: sl_spans_start(&c->spans, &in, width_of(c->type), rows, take, mem); break;
    default: return false;
    }
    return !in.bad && in.left == 0;
}

bool sl_run_start(sl_frame_in *in, sl_rd *body, size_t rows, int64_t base)
{
    sl_run *run = &in->run;
    run->left = rows;
    sl_ints_start(&run->numbers, body, base);
    sl_ints_start(&run->marks, body, 0);
    run->ids_mode = sl_rd_u8(body);
    run->id_low = 0;
    if (run->ids_mode > 2) {
        return false;
    }
    if (run->ids_mode > 0) {
        sl_ints_start(&run->id_ms, body, 0);
    }
    if (run->ids_mode == 2) {
        sl_ints_start(&run->id_high, body, 0);
        run->ids = *body; /* zig-zags: as many bytes as they take */
        for (size_t i = 0; i < rows; i++) {
            (void)sl_rd_zigzag(body);
        }
        run->ids.left -= body->left;
    } else {
        size_t n = rows * (run->ids_mode == 1 ? SL_UUID_BYTES - 6 : SL_UUID_BYTES);
        run->ids = (sl_rd){sl_rd_take(body, n), n, false};
    }
    run->stamps_by_id = sl_rd_u8(body) != 0;
    sl_ints_start(&run->stamp_ms, body, 0);
    sl_ints_start(&run->stamp_counter, body, 0);
    sl_ints_start(&run->stamp_device, body, 0);
    uint64_t count = sl_rd_varint(body);
    if (body->bad || count > SL_ROW_COLUMNS) {
        return false;
    }
    run->column_count = (size_t)count;
    for (size_t i = 0; i < run->column_count; i++) {
        memset(&run->columns[i], 0, sizeof run->columns[i]);
        if (!column_start(&run->columns[i], body, rows, &in->mem)) {
            return false;
        }
    }
    return !body->bad && body->left == 0;
}

static void big_endian(uint8_t *to, uint64_t v, size_t n)
{
    for (size_t i = n; i-- > 0;) {
        to[i] = (uint8_t)v;
        v >>= 8;
    }
}

static bool next_id(sl_run *run, uint8_t id[SL_UUID_BYTES])
{
    uint64_t ms = run->ids_mode > 0 ? (uint64_t)sl_ints_next(&run->id_ms) : 0;
    if (run->ids_mode == 2) {
        uint64_t high = (uint64_t)sl_ints_next(&run->id_high);
        run->id_low += (uint64_t)sl_rd_zigzag(&run->ids);
        big_endian(id + 6, high, 2);
        big_endian(id + 8, run->id_low, 8);
        if (high > 0xFFFF || run->id_high.in.bad) {
            return false;
        }
    } else {
        size_t n = run->ids_mode == 1 ? SL_UUID_BYTES - 6 : SL_UUID_BYTES;
        const uint8_t *p = sl_rd_take(&run->ids, n);
        if (p == NULL) {
            return false;
        }
        memcpy(id + SL_UUID_BYTES - n, p, n);
    }
    if (run->ids_mode == 0) {
        return true;
    }
    big_endian(id, ms, 6);
    return ms >> 48 == 0 && !run->id_ms.in.bad && !run->ids.bad;
}

/* False: no stamp can be so. */
static bool stamp_of(sl_hlc *out, int64_t ms, int64_t counter, int64_t device)
{
    *out = (sl_hlc){(uint64_t)ms << 16 | (uint64_t)(counter & 0xFFFF), (uint32_t)device};
    return (uint64_t)ms >> 48 == 0 && counter >= 0 && counter <= 0xFFFF && device >= 0 &&
           device <= UINT32_MAX;
}

static int64_t sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

bool sl_run_next(sl_run *run, sl_row *row)
{
    if (run->left == 0) {
        return false;
    }
    run->left--;
    row->number = sl_ints_next(&run->numbers);
    int64_t mark = sl_ints_next(&run->marks);
    row->mark = mark >= 0 && mark <= 255 ? (unsigned)mark : 255;
    if (!next_id(run, row->id)) {
        return false;
    }
    int64_t ms = sl_ints_next(&run->stamp_ms);
    int64_t id_ms = sl_row_id_ms(row->id);
    if (run->stamps_by_id && id_ms < 0) {
        return false;
    }
    bool ok = stamp_of(&row->stamp, run->stamps_by_id ? sum(ms, id_ms) : ms,
                       sl_ints_next(&run->stamp_counter), sl_ints_next(&run->stamp_device));
    return ok && !run->numbers.in.bad && !run->marks.in.bad && !run->stamp_ms.in.bad &&
           !run->stamp_counter.in.bad && !run->stamp_device.in.bad && row->number >= 0 &&
           row->number <= SL_JSON_INT_MAX;
}

static double real_of(sl_span s)
{
    uint64_t bits = 0;
    double r = 0;
    for (size_t i = 0; s.p != NULL && i < 8; i++) {
        bits |= (uint64_t)s.p[i] << (8 * i);
    }
    memcpy(&r, &bits, sizeof r);
    return r;
}

bool sl_run_value(sl_run *run, size_t i, sl_hlc birth, sl_row_value *v)
{
    sl_row_column *c = &run->columns[i];
    if (!sl_bits_next(&c->has)) {
        return false;
    }
    memset(v, 0, sizeof *v);
    v->no = c->no;
    v->type = c->type;
    if (c->nulls && sl_bits_next(&c->null)) {
        v->type = SL_ROW_NULL;
    } else if (c->type == SL_ROW_INT) {
        v->i = sl_ints_next(&c->ints);
    } else if (c->type == SL_ROW_BOOL) {
        v->i = sl_bits_next(&c->bits) ? 1 : 0;
    } else if (c->type == SL_ROW_STAMP) {
        int64_t ms = sum(sl_ints_next(&c->ints), (int64_t)(birth.time >> 16));
        if (!stamp_of(&v->at, ms, sl_ints_next(&c->counters), sl_ints_next(&c->devices))) {
            c->ints.in.bad = true;
        }
    } else {
        v->s = sl_spans_next(&c->spans);
        v->r = c->type == SL_ROW_REAL ? real_of(v->s) : 0;
    }
    return true;
}

static bool column_done(const sl_row_column *c)
{
    bool ok = sl_bits_done(&c->has) && (!c->nulls || sl_bits_done(&c->null));
    switch (c->type) {
    case SL_ROW_INT: return ok && sl_ints_done(&c->ints);
    case SL_ROW_BOOL: return ok && sl_bits_done(&c->bits);
    case SL_ROW_STAMP:
        return ok && sl_ints_done(&c->ints) && sl_ints_done(&c->counters) &&
               sl_ints_done(&c->devices);
    default: return ok && sl_spans_done(&c->spans);
    }
}

bool sl_run_done(const sl_run *run)
{
    bool ok = run->left == 0 && sl_ints_done(&run->numbers) && sl_ints_done(&run->marks) &&
              !run->ids.bad && run->ids.left == 0 && sl_ints_done(&run->stamp_ms) &&
              sl_ints_done(&run->stamp_counter) && sl_ints_done(&run->stamp_device) &&
              (run->ids_mode == 0 || sl_ints_done(&run->id_ms)) &&
              (run->ids_mode != 2 || sl_ints_done(&run->id_high));
    for (size_t i = 0; ok && i < run->column_count; i++) {
        ok = column_done(&run->columns[i]);
    }
    return ok;
}

/* --- values into records and operations -------------------------------------------------------- */

static bool text_ok(sl_span s)
{
    return s.p != NULL && s.n <= UINT32_MAX && memchr(s.p, 0, s.n) == NULL &&
           sl_utf8_ok((const char *)s.p, s.n);
}

static bool json_ok(sl_span s)
{
    return s.p != NULL && s.n <= UINT32_MAX && sl_json_ok((const char *)s.p, s.n);
}

/* Bytes as the text that says them. */
static sl_status base64_of(sl_cell *out, sl_span s, sl_arena *mem)
{
    sl_buf b = {0};
    if (s.p == NULL) {
        return SL_E_INVALID;
    }
    sl_base64(&b, s.p, s.n);
    *out = sl_cell_text_n(sl_buf_text(&b), b.len);
    bool ok = !b.failed && sl_cell_keep(out, mem);
    sl_buf_free(&b);
    return ok ? SL_OK : SL_E_NOMEM;
}

/* The value as a cell in the arena. SL_E_INVALID: broken. */
static sl_status cell_of(sl_cell *out, const sl_row_value *v, sl_arena *mem)
{
    char text[2 * SL_ROW_HASH + 1];
    switch (v->type) {
    case SL_ROW_NULL: *out = sl_cell_text(NULL); return SL_OK;
    case SL_ROW_INT:
    case SL_ROW_BOOL:
        *out = sl_cell_int(v->i);
        return v->i >= -SL_JSON_INT_MAX && v->i <= SL_JSON_INT_MAX ? SL_OK : SL_E_INVALID;
    case SL_ROW_REAL:
        *out = sl_cell_real(v->r);
        return v->s.p != NULL && v->r - v->r == 0 ? SL_OK : SL_E_INVALID;
    case SL_ROW_TEXT:
        *out = sl_cell_text_n((const char *)v->s.p, v->s.n);
        if (!text_ok(v->s)) {
            return SL_E_INVALID;
        }
        break;
    case SL_ROW_JSON:
    case SL_ROW_MARKS:
        *out = sl_cell_text_n((const char *)v->s.p, v->s.n);
        if (!json_ok(v->s)) {
            return SL_E_INVALID;
        }
        break;
    case SL_ROW_BASE64: return base64_of(out, v->s, mem);
    case SL_ROW_ID:
    case SL_ROW_SHA:
        if (v->s.p == NULL) {
            return SL_E_INVALID;
        }
        if (v->type == SL_ROW_ID) {
            sl_uuid_encode(text, v->s.p);
        } else {
            sl_hex(text, v->s.p, SL_ROW_HASH);
        }
        *out = sl_cell_text(text);
        break;
    default: return SL_E_INVALID;
    }
    return sl_cell_keep(out, mem) ? SL_OK : SL_E_NOMEM;
}

/* Whether a field's value can come as this. */
static bool suits(const sl_field *f, const sl_row_value *v)
{
    switch (f->type) {
    case SL_T_INT: return v->type == SL_ROW_INT;
    case SL_T_BOOL: return v->type == SL_ROW_BOOL;
    case SL_T_REAL: return v->type == SL_ROW_REAL;
    case SL_T_JSON:
        return v->type == SL_ROW_JSON && v->s.n > 0 && (v->s.p[0] == '{' || v->s.p[0] == '[');
    case SL_T_TEXT:
    case SL_T_REF:
    case SL_T_BLOB:
    case SL_T_ENUM: break;
    }
    return v->type == SL_ROW_TEXT || v->type == SL_ROW_ID || v->type == SL_ROW_SHA ||
           v->type == SL_ROW_BASE64;
}

static sl_json *json_of(const sl_row_value *v, const sl_cell *c)
{
    switch (v->type) {
    case SL_ROW_INT: return sl_json_number((double)c->i);
    case SL_ROW_BOOL: return c->i != 0 ? sl_json_parse("true", 4) : sl_json_parse("false", 5);
    case SL_ROW_REAL: return sl_json_number(c->r);
    case SL_ROW_JSON: return sl_json_parse(c->text, c->len);
    default: return sl_json_string(c->text);
    }
}

/* A value that this version does not know. */
static sl_status keep_aside(sl_record *rec, const sl_field *f, const sl_row_value *v,
                            const sl_cell *c, sl_error **err)
{
    char *name = f != NULL ? sl_text_dup(f->name) : sl_text_fmt("#%llu", (unsigned long long)v->no);
    sl_json *j = json_of(v, c);
    sl_status status =
        name != NULL && j != NULL ? sl_record_set_ext(rec, name, j, err) : sl_fail_nomem(err);
    sl_json_free(j);
    sl_mem_free(name);
    return status;
}

/* A member of the other end's ext: what it did not know this version may. */
static sl_status take_aside(sl_record *rec, const sl_json *j, sl_error **err)
{
    const char *name = sl_json_key(j);
    uint64_t no = 0;
    for (const char *p = name + 1; name[0] == '#' && *p >= '0' && *p <= '9' && no < 100000; p++) {
        no = no * 10 + (uint64_t)(*p - '0');
    }
    const sl_field *f =
        name[0] == '#' ? sl_field_of(rec->entity, no) : sl_field_find(rec->entity, name);
    sl_cell c = sl_cell_text(NULL);
    sl_status status = f != NULL ? sl_cell_from_json(&c, f, j, &rec->mem, NULL) : SL_E_INVALID;
    if (status == SL_OK) {
        status = sl_schema_check_value(f, &c, NULL);
    }
    if (status == SL_OK) {
        rec->values[f->index] = c;
        return SL_OK;
    }
    return status == SL_E_NOMEM ? sl_fail_nomem(err)
                                : sl_record_set_ext(rec, f != NULL ? f->name : name, j, err);
}

static sl_status take_ext(sl_record *rec, const sl_row_value *v, sl_error **err)
{
    sl_json *ext = json_ok(v->s) ? sl_json_parse((const char *)v->s.p, v->s.n) : NULL;
    sl_status status = sl_json_is_object(ext) ? SL_OK : sl_frame_broken(err);
    for (const sl_json *j = sl_json_first(ext); status == SL_OK && j != NULL; j = sl_json_next(j)) {
        status = take_aside(rec, j, err);
    }
    sl_json_free(ext);
    return status;
}

static sl_status take_clock(sl_record *rec, const sl_field *f, const sl_row_value *v,
                            sl_error **err)
{
    bool marked = f != NULL && (f->merge == SL_M_SET || f->merge == SL_M_COUNTER);
    if (v->type == SL_ROW_MARKS && !(json_ok(v->s) && v->s.n > 0 && v->s.p[0] == '{')) {
        return sl_frame_broken(err);
    }
    if (f == NULL || marked != (v->type == SL_ROW_MARKS)) {
        return SL_OK; /* of a field of a later version */
    }
    sl_clock *clock = sl_record_clock(rec, f);
    if (clock == NULL) {
        return sl_fail_nomem(err);
    }
    if (v->type == SL_ROW_STAMP) {
        clock->at = v->at;
        return SL_OK;
    }
    clock->marks = sl_arena_text(&rec->mem, (const char *)v->s.p, v->s.n);
    return clock->marks != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_row_into_record(sl_record *rec, const sl_row_value *v, sl_error **err)
{
    const sl_field *f = sl_field_of(rec->entity, v->no);
    if (v->no == SL_ROW_EXT) {
        return v->type == SL_ROW_JSON ? take_ext(rec, v, err) : sl_frame_broken(err);
    }
    if (v->type == SL_ROW_STAMP || v->type == SL_ROW_MARKS) {
        return take_clock(rec, f, v, err);
    }
    sl_cell c;
    sl_status status = v->type != SL_ROW_NULL ? cell_of(&c, v, &rec->mem) : SL_E_INVALID;
    if (status != SL_OK) {
        return status == SL_E_NOMEM ? sl_fail_nomem(err) : sl_frame_broken(err);
    }
    if (f == NULL || !suits(f, v) || sl_schema_check_value(f, &c, NULL) != SL_OK) {
        return keep_aside(rec, f, v, &c, err);
    }
    rec->values[f->index] = c;
    return SL_OK;
}

sl_status sl_row_into_op(sl_op *op, const sl_row_value *v, sl_error **err)
{
    const sl_field *f = sl_field_of(op->entity, v->no);
    if (f == NULL || op->kind == SL_OP_DELETE || (v->type != SL_ROW_NULL && !suits(f, v))) {
        return sl_fail(err, SL_E_INVALID, "the operation has a field that a %s has not, or not so",
                       op->entity->name);
    }
    sl_cell c;
    sl_status status = cell_of(&c, v, &op->mem);
    if (status != SL_OK) {
        return status == SL_E_NOMEM
                   ? sl_fail_nomem(err)
                   : sl_fail_field(err, SL_E_INVALID, f->name, "%s has a broken value", f->name);
    }
    op->values[f->index] = c;
    op->has |= UINT64_C(1) << f->index;
    return SL_OK;
}
