/*
 * Rows in columns:
 *
 *   rows     numbers (ints) | marks (ints) | ids | stamps | count of columns varint | columns
 *   ids      mode u8: 0 16 bytes each; 1, 2 version 7: ms (ints), then 1: 10 bytes each,
 *            2: high (ints) the 16 bits behind ms, low: zig-zag differences of the last 64 bits
 *   stamps   by_id u8: 1 when ms count from the id's | ms (ints) | counters (ints) | devices (ints)
 *   column   number varint | type u8 (+0x80: nulls) | length varint |
 *            bits: which rows have it | with nulls, bits: which of these are null | values
 *   values   int: ints; bool: bits; real: atoms of 8; text, json, marks: texts; base64: texts of its
 *            bytes; id, sha: atoms;
 *            stamp: ms since the row's stamp (ints), counters (ints), devices (ints)
 */
#include "base/base64.h"
#include "sync/frame_inside.h"

#include <string.h>

enum {
    BASE64_MIN = 16 /* digits: a word that looks so by chance is shorter */
};

typedef struct column {
    sl_items *it;
    const sl_row *rows;
    size_t n;
    int64_t *ints;
    uint8_t *bits;
    uint8_t *nulls;
    uint8_t *atoms;
    sl_span *spans;
    int64_t *places;
} column;

int64_t sl_row_id_ms(const uint8_t id[SL_UUID_BYTES])
{
    uint64_t ms = 0;
    for (int i = 0; i < 6; i++) {
        ms = ms << 8 | id[i];
    }
    return id[6] >> 4 == 7 ? (int64_t)ms : -1;
}

static uint64_t high_of(const uint8_t id[SL_UUID_BYTES])
{
    return (uint64_t)id[6] << 8 | id[7];
}

static uint64_t low_of(const uint8_t id[SL_UUID_BYTES])
{
    uint64_t v = 0;
    for (int i = 8; i < SL_UUID_BYTES; i++) {
        v = v << 8 | id[i];
    }
    return v;
}

sl_row_type sl_row_type_of(const sl_field *f, const sl_cell *v)
{
    uint8_t bytes[SL_ROW_HASH];
    switch (f->type) {
    case SL_T_INT: return SL_ROW_INT;
    case SL_T_BOOL: return SL_ROW_BOOL;
    case SL_T_REAL: return SL_ROW_REAL;
    case SL_T_JSON: return SL_ROW_JSON;
    case SL_T_REF: return v->len == SL_UUID_LEN && sl_uuid_ok(v->text) ? SL_ROW_ID : SL_ROW_TEXT;
    case SL_T_BLOB:
        return v->len == 2 * SL_ROW_HASH && sl_hex_decode(bytes, SL_ROW_HASH, v->text)
                   ? SL_ROW_SHA
                   : SL_ROW_TEXT;
    case SL_T_TEXT:
    case SL_T_ENUM: break;
    }
    return SL_ROW_TEXT;
}

static void put_ints(const column *c, sl_buf *out, size_t n, int64_t base)
{
    sl_column_put_ints(out, c->ints, n, base, &c->it->tmp[3]);
}

static void put_ids(const column *c, sl_buf *out)
{
    bool timed = true;
    for (size_t i = 0; i < c->n; i++) {
        c->ints[i] = sl_row_id_ms(c->rows[i].id);
        timed = timed && c->ints[i] >= 0;
    }
    if (!timed) {
        sl_buf_u8(out, 0);
        for (size_t i = 0; i < c->n; i++) {
            sl_buf_put(out, c->rows[i].id, SL_UUID_BYTES);
        }
        return;
    }
    sl_buf *steps = &c->it->tmp[0];
    uint64_t last = 0;
    sl_buf_clear(steps);
    for (size_t i = 0; i < c->n; i++) {
        uint64_t low = low_of(c->rows[i].id);
        sl_buf_zigzag(steps, (int64_t)(low - last));
        last = low;
    }
    bool near = steps->len < 8 * c->n;
    sl_buf_u8(out, near ? 2 : 1);
    put_ints(c, out, c->n, 0);
    if (near) {
        for (size_t i = 0; i < c->n; i++) {
            c->ints[i] = (int64_t)high_of(c->rows[i].id);
        }
        put_ints(c, out, c->n, 0);
        sl_buf_put(out, steps->data, steps->len);
        out->failed = out->failed || steps->failed;
        return;
    }
    for (size_t i = 0; i < c->n; i++) {
        sl_buf_put(out, c->rows[i].id + 6, SL_UUID_BYTES - 6);
    }
}

static int64_t ms_of(sl_hlc h)
{
    return (int64_t)(h.time >> 16);
}

static void put_stamps(const column *c, sl_buf *out)
{
    sl_buf *plain = &c->it->tmp[0];
    sl_buf *by_id = &c->it->tmp[1];
    bool timed = true;
    sl_buf_clear(plain);
    sl_buf_clear(by_id);
    for (size_t i = 0; i < c->n; i++) {
        c->ints[i] = ms_of(c->rows[i].stamp);
    }
    put_ints(c, plain, c->n, 0);
    for (size_t i = 0; i < c->n; i++) {
        int64_t id_ms = sl_row_id_ms(c->rows[i].id);
        timed = timed && id_ms >= 0;
        c->ints[i] -= id_ms;
    }
    put_ints(c, by_id, c->n, 0);
    bool near = timed && by_id->len < plain->len;
    const sl_buf *best = near ? by_id : plain;
    sl_buf_u8(out, near ? 1 : 0);
    sl_buf_put(out, best->data, best->len);
    out->failed = out->failed || best->failed;
    for (size_t i = 0; i < c->n; i++) {
        c->ints[i] = (int64_t)(c->rows[i].stamp.time & 0xFFFF);
    }
    put_ints(c, out, c->n, 0);
    for (size_t i = 0; i < c->n; i++) {
        c->ints[i] = c->rows[i].stamp.device;
    }
    put_ints(c, out, c->n, 0);
}

/* What is in the buffer as a column of the run, and empties it. */
static void put_column(const column *c, sl_buf *out, unsigned no, unsigned type)
{
    sl_buf *body = &c->it->body;
    sl_buf_varint(out, no);
    sl_buf_u8(out, (uint8_t)type);
    sl_buf_varint(out, body->len);
    sl_buf_put(out, body->data, body->len);
    out->failed = out->failed || body->failed;
    sl_buf_clear(body);
}

bool sl_row_is_base64(const sl_cell *v)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (v->len < BASE64_MIN || v->len % 4 != 0) {
        return false;
    }
    size_t n = strspn(v->text, digits);
    size_t pad = v->len - n;
    if (pad > 2 || strspn(v->text + n, "=") != pad) {
        return false;
    }
    /* Of the last digit before padding some bits say nothing, and must be clear. */
    size_t last = n > 0 ? (size_t)(strchr(digits, v->text[n - 1]) - digits) : 0;
    return pad == 0 || (last & (pad == 1 ? 3U : 15U)) == 0;
}

static sl_row_type column_type(const column *c, const sl_field *f)
{
    sl_row_type type = (sl_row_type)0;
    bool base64 = f->type == SL_T_TEXT;
    for (size_t i = 0; i < c->n; i++) {
        const sl_row *r = &c->rows[i];
        if ((r->has >> f->index & 1) != 0 && r->values[f->index].kind != SL_CELL_NULL) {
            sl_row_type own = sl_row_type_of(f, &r->values[f->index]);
            type = type == 0 || type == own ? own : SL_ROW_TEXT;
            base64 = base64 && sl_row_is_base64(&r->values[f->index]);
        }
    }
    type = type != 0 && base64 ? SL_ROW_BASE64 : type;
    return type != 0 ? type : SL_ROW_TEXT; /* nothing but nulls */
}

/* What base64 says, in the scratch memory. */
static sl_span bytes_of(const column *c, const sl_cell *v)
{
    sl_buf *tmp = &c->it->tmp[3];
    sl_buf_clear(tmp);
    bool ok = sl_base64_decode(tmp, v->text, v->len) && !tmp->failed;
    uint8_t *bytes = ok ? sl_arena_take(&c->it->scratch, tmp->len) : NULL;
    if (bytes == NULL) {
        c->it->body.failed = true;
        return (sl_span){NULL, 0};
    }
    memcpy(bytes, tmp->data, tmp->len);
    return (sl_span){bytes, tmp->len};
}

/* One value as bytes. */
static sl_span span_of(const column *c, size_t k, sl_row_type type, const sl_cell *v)
{
    uint8_t *to = c->atoms + k * SL_ROW_HASH;
    if (type == SL_ROW_ID) {
        (void)sl_uuid_decode(to, v->text);
        return (sl_span){to, SL_UUID_BYTES};
    }
    if (type == SL_ROW_SHA) {
        (void)sl_hex_decode(to, SL_ROW_HASH, v->text);
        return (sl_span){to, SL_ROW_HASH};
    }
    if (type == SL_ROW_REAL) {
        uint64_t bits;
        memcpy(&bits, &v->r, sizeof bits);
        for (int i = 0; i < 8; i++) {
            to[i] = (uint8_t)(bits >> (8 * i));
        }
        return (sl_span){to, 8};
    }
    if (type == SL_ROW_BASE64) {
        return bytes_of(c, v);
    }
    return (sl_span){(const uint8_t *)v->text, v->len};
}

static size_t width_of(sl_row_type type)
{
    return type == SL_ROW_ID     ? SL_UUID_BYTES
           : type == SL_ROW_SHA  ? SL_ROW_HASH
           : type == SL_ROW_REAL ? 8
                                 : 0;
}

/* The values that are there, in the order of rows. */
static void put_values(const column *c, const sl_field *f, sl_row_type type)
{
    sl_buf *body = &c->it->body;
    size_t k = 0;
    for (size_t i = 0; i < c->n; i++) {
        const sl_row *r = &c->rows[i];
        bool has = (r->has >> f->index & 1) != 0; /* without any there are no values */
        const sl_cell *v = has ? &r->values[f->index] : NULL;
        if (v == NULL || v->kind == SL_CELL_NULL) {
            continue;
        }
        if (type == SL_ROW_INT) {
            c->ints[k] = v->i;
        } else if (type == SL_ROW_BOOL) {
            c->nulls[k] = v->i != 0;
        } else {
            c->spans[k] = span_of(c, k, type, v);
        }
        k++;
    }
    if (type == SL_ROW_INT) {
        put_ints(c, body, k, 0);
    } else if (type == SL_ROW_BOOL) {
        sl_column_put_bits(body, c->nulls, k, &c->it->tmp[3]);
    } else {
        sl_column_put_spans(body, c->spans, k, width_of(type), c->places, c->it->tmp);
    }
}

static bool put_field(const column *c, sl_buf *out, const sl_field *f)
{
    bool any = false;
    size_t had = 0;
    bool null = false;
    for (size_t i = 0; i < c->n; i++) {
        c->bits[i] = c->rows[i].has >> f->index & 1;
        if (c->bits[i] != 0) {
            c->nulls[had] = c->rows[i].values[f->index].kind == SL_CELL_NULL;
            null = null || c->nulls[had] != 0;
            had++;
        }
        any = any || c->bits[i] != 0;
    }
    if (!any) {
        return false;
    }
    sl_row_type type = column_type(c, f);
    sl_column_put_bits(&c->it->body, c->bits, c->n, &c->it->tmp[3]);
    if (null) {
        sl_column_put_bits(&c->it->body, c->nulls, had, &c->it->tmp[3]);
    }
    put_values(c, f, type);
    put_column(c, out, f->no, (unsigned)type | (null ? SL_ROW_NULLS : 0));
    return true;
}

static bool put_field_stamps(const column *c, sl_buf *out, const sl_field *f)
{
    size_t k = 0;
    sl_hlc *at = (sl_hlc *)(void *)c->atoms; /* room for n of them */
    for (size_t i = 0; i < c->n; i++) {
        const sl_row *r = &c->rows[i];
        c->bits[i] = r->clocks != NULL && r->clocks[f->index].at.time != 0;
        if (c->bits[i] != 0) {
            at[k] = r->clocks[f->index].at;
            c->ints[k] = ms_of(at[k]) - ms_of(r->stamp);
            k++;
        }
    }
    if (k == 0) {
        return false;
    }
    sl_buf *body = &c->it->body;
    sl_column_put_bits(body, c->bits, c->n, &c->it->tmp[3]);
    put_ints(c, body, k, 0);
    for (size_t i = 0; i < k; i++) {
        c->ints[i] = (int64_t)(at[i].time & 0xFFFF);
    }
    put_ints(c, body, k, 0);
    for (size_t i = 0; i < k; i++) {
        c->ints[i] = at[i].device;
    }
    put_ints(c, body, k, 0);
    put_column(c, out, f->no, SL_ROW_STAMP);
    return true;
}

/* Texts that hang at rows: marks of a field, or ext when f is NULL. */
static bool put_aside(const column *c, sl_buf *out, const sl_field *f)
{
    size_t k = 0;
    for (size_t i = 0; i < c->n; i++) {
        const sl_row *r = &c->rows[i];
        const char *text = f == NULL           ? r->ext
                           : r->clocks != NULL ? r->clocks[f->index].marks
                                               : NULL;
        c->bits[i] = text != NULL;
        if (text != NULL) {
            c->spans[k++] = (sl_span){(const uint8_t *)text, strlen(text)};
        }
    }
    if (k == 0) {
        return false;
    }
    sl_column_put_bits(&c->it->body, c->bits, c->n, &c->it->tmp[3]);
    sl_column_put_spans(&c->it->body, c->spans, k, 0, c->places, c->it->tmp);
    put_column(c, out, f == NULL ? SL_ROW_EXT : f->no, f == NULL ? SL_ROW_JSON : SL_ROW_MARKS);
    return true;
}

static bool make_room(column *c, sl_arena *mem)
{
    c->ints = sl_arena_take(mem, c->n * sizeof *c->ints);
    c->bits = sl_arena_take(mem, c->n);
    c->nulls = sl_arena_take(mem, c->n);
    c->atoms = sl_arena_take(mem, c->n * SL_ROW_HASH);
    c->spans = sl_arena_take(mem, c->n * sizeof *c->spans);
    c->places = sl_arena_take(mem, c->n * sizeof *c->places);
    return c->ints != NULL && c->bits != NULL && c->nulls != NULL && c->atoms != NULL &&
           c->spans != NULL && c->places != NULL;
}

void sl_rows_put(sl_items *it, sl_buf *out, const sl_row *rows, size_t n, int64_t base)
{
    column c = {.it = it, .rows = rows, .n = n};
    sl_buf columns = {0};
    size_t count = 0;
    if (!make_room(&c, &it->scratch)) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        c.ints[i] = rows[i].number;
    }
    put_ints(&c, out, n, base);
    for (size_t i = 0; i < n; i++) {
        c.ints[i] = rows[i].mark;
    }
    put_ints(&c, out, n, 0);
    put_ids(&c, out);
    put_stamps(&c, out);
    const sl_entity *e = rows[0].entity;
    for (size_t i = 0; i < e->field_count; i++) {
        count += put_field(&c, &columns, &e->fields[i]);
        count += put_field_stamps(&c, &columns, &e->fields[i]);
        count += put_aside(&c, &columns, &e->fields[i]);
    }
    count += put_aside(&c, &columns, NULL);
    sl_buf_varint(out, count);
    sl_buf_put(out, columns.data, columns.len);
    out->failed = out->failed || columns.failed;
    sl_buf_free(&columns);
}
