/*
 * Records and values as bytes.
 *
 *   values   {field number varint, tag u8, content}.. 0
 *   clocks   birth 12 | {field number varint, 0, stamp 12 | 1, marks text}.. 0
 *   record   1 | entity number varint | id 16 | space text | seq zig-zag | deleted u8 |
 *            clocks | ext text | values
 *   text     length varint, bytes; a stamp is its time and device, high bytes first
 */
#include "base/base64.h"
#include "base/error.h"
#include "schema/record.h"

#include <string.h>

enum {
    VERSION = 1,
    SHA_BYTES = 32
};

typedef enum tag {
    TAG_NULL,
    TAG_INT,  /* zig-zag */
    TAG_REAL, /* IEEE 754, low byte first */
    TAG_TEXT,
    TAG_ID,  /* 16 bytes */
    TAG_HASH /* 32 bytes */
} tag;

static sl_status corrupt(sl_error **err)
{
    return sl_fail(err, SL_E_CORRUPT, "a stored record cannot be read");
}

static void put_text(sl_buf *out, const char *s, size_t n)
{
    sl_buf_varint(out, n);
    sl_buf_put(out, s, n);
}

static void put_stamp(sl_buf *out, sl_hlc h)
{
    uint8_t b[12];
    for (int i = 0; i < 8; i++) {
        b[i] = (uint8_t)(h.time >> (56 - 8 * i));
    }
    for (int i = 0; i < 4; i++) {
        b[8 + i] = (uint8_t)(h.device >> (24 - 8 * i));
    }
    sl_buf_put(out, b, sizeof b);
}

static sl_hlc read_stamp(sl_rd *in)
{
    sl_hlc h = {0, 0};
    const uint8_t *b = sl_rd_take(in, 12);
    for (int i = 0; b != NULL && i < 8; i++) {
        h.time = h.time << 8 | b[i];
    }
    for (int i = 8; b != NULL && i < 12; i++) {
        h.device = h.device << 8 | b[i];
    }
    return h;
}

/* A text of the input in the arena; NULL: too short or out of memory. */
static const char *read_text(sl_rd *in, sl_arena *mem, size_t *n)
{
    uint64_t len = sl_rd_varint(in);
    const uint8_t *p = len <= in->left ? sl_rd_take(in, (size_t)len) : NULL;
    in->bad = in->bad || p == NULL || memchr(p, 0, (size_t)len) != NULL;
    *n = (size_t)len;
    return in->bad ? NULL : sl_arena_text(mem, (const char *)p, (size_t)len);
}

/* --- clocks ---------------------------------------------------------------------------------- */

void sl_record_put_clocks(sl_buf *out, const sl_record *r)
{
    put_stamp(out, r->birth);
    for (size_t i = 0; r->clocks != NULL && i < r->entity->field_count; i++) {
        const sl_clock *c = &r->clocks[i];
        if (c->marks != NULL) {
            sl_buf_varint(out, r->entity->fields[i].no);
            sl_buf_u8(out, 1);
            put_text(out, c->marks, strlen(c->marks));
        } else if (c->at.time != 0) {
            sl_buf_varint(out, r->entity->fields[i].no);
            sl_buf_u8(out, 0);
            put_stamp(out, c->at);
        }
    }
    sl_buf_u8(out, 0);
}

/* SL_E_CORRUPT, SL_E_NOMEM without an error. */
static sl_status read_clock(sl_record *r, sl_rd *in, uint64_t no)
{
    const sl_field *f = sl_field_of(r->entity, no);
    sl_clock read = {.at = {0, 0}};
    size_t n = 0;
    if (sl_rd_u8(in) == 0) {
        read.at = read_stamp(in);
    } else {
        read.marks = read_text(in, &r->mem, &n);
        if (read.marks == NULL && !in->bad) {
            return SL_E_NOMEM;
        }
    }
    if (in->bad || f == NULL) {
        return in->bad ? SL_E_CORRUPT : SL_OK;
    }
    sl_clock *clock = sl_record_clock(r, f);
    if (clock == NULL) {
        return SL_E_NOMEM;
    }
    *clock = read;
    return SL_OK;
}

static sl_status read_clocks(sl_record *r, sl_rd *in, sl_error **err)
{
    r->birth = read_stamp(in);
    sl_status status = in->bad ? SL_E_CORRUPT : SL_OK;
    uint64_t no = status == SL_OK ? sl_rd_varint(in) : 0;
    while (status == SL_OK && no != 0) {
        status = read_clock(r, in, no);
        no = sl_rd_varint(in);
    }
    return status == SL_E_NOMEM         ? sl_fail_nomem(err)
           : status != SL_OK || in->bad ? corrupt(err)
                                        : SL_OK;
}

sl_status sl_record_read_clocks(sl_record *r, const uint8_t *p, size_t n, sl_error **err)
{
    sl_rd in = {p, n, false};
    sl_status status = read_clocks(r, &in, err);
    return status == SL_OK && in.left > 0 ? corrupt(err) : status;
}

/* --- values ---------------------------------------------------------------------------------- */

static void pack_text(sl_buf *out, const sl_field *f, const sl_cell *v)
{
    uint8_t bytes[SHA_BYTES];
    if (f->type == SL_T_REF && sl_uuid_decode(bytes, v->text)) {
        sl_buf_u8(out, TAG_ID);
        sl_buf_put(out, bytes, SL_UUID_BYTES);
    } else if (f->type == SL_T_BLOB && sl_hex_decode(bytes, SHA_BYTES, v->text)) {
        sl_buf_u8(out, TAG_HASH);
        sl_buf_put(out, bytes, SHA_BYTES);
    } else {
        sl_buf_u8(out, TAG_TEXT);
        put_text(out, v->text, v->len);
    }
}

static void pack_value(sl_buf *out, const sl_field *f, const sl_cell *v)
{
    sl_buf_varint(out, f->no);
    switch (v->kind) {
    case SL_CELL_NULL: sl_buf_u8(out, TAG_NULL); break;
    case SL_CELL_INT:
        sl_buf_u8(out, TAG_INT);
        sl_buf_zigzag(out, v->i);
        break;
    case SL_CELL_REAL: {
        uint64_t bits;
        memcpy(&bits, &v->r, sizeof bits);
        sl_buf_u8(out, TAG_REAL);
        sl_buf_u64le(out, bits);
        break;
    }
    case SL_CELL_TEXT: pack_text(out, f, v); break;
    case SL_CELL_BLOB: SL_ASSERT(v->kind != SL_CELL_BLOB); break; /* no field holds bytes */
    }
}

void sl_values_pack(sl_buf *out, const sl_entity *e, const sl_cell *values, uint64_t has)
{
    for (size_t i = 0; i < e->field_count; i++) {
        if ((has >> i & 1) != 0) {
            pack_value(out, &e->fields[i], &values[i]);
        }
    }
    sl_buf_u8(out, 0);
}

/* False: out of memory. What is too short or unknown makes the input bad. */
static bool unpack_value(sl_rd *in, sl_arena *mem, sl_cell *out)
{
    *out = (sl_cell){.kind = SL_CELL_NULL};
    size_t n = 0;
    char text[2 * SHA_BYTES + 1];
    const uint8_t *p = NULL;
    switch (sl_rd_u8(in)) {
    case TAG_NULL: return true;
    case TAG_INT: *out = sl_cell_int(sl_rd_zigzag(in)); return true;
    case TAG_REAL: {
        uint64_t bits = sl_rd_u64le(in);
        *out = (sl_cell){.kind = SL_CELL_REAL};
        memcpy(&out->r, &bits, sizeof bits);
        return true;
    }
    case TAG_TEXT: {
        const char *s = read_text(in, mem, &n);
        *out = sl_cell_text_n(s, n);
        return s != NULL || in->bad;
    }
    case TAG_ID:
        p = sl_rd_take(in, SL_UUID_BYTES);
        if (p != NULL) {
            sl_uuid_encode(text, p);
        }
        break;
    case TAG_HASH:
        p = sl_rd_take(in, SHA_BYTES);
        if (p != NULL) {
            sl_hex(text, p, SHA_BYTES);
        }
        break;
    default: in->bad = true; break;
    }
    if (p == NULL) {
        return true;
    }
    *out = sl_cell_text(text);
    return sl_cell_keep(out, mem);
}

static sl_status unpack_values(const sl_entity *e, sl_rd *in, sl_arena *mem, sl_cell *values,
                               uint64_t *has, sl_error **err)
{
    uint64_t no = sl_rd_varint(in);
    *has = 0;
    while (no != 0 && !in->bad) {
        const sl_field *f = sl_field_of(e, no);
        sl_cell v;
        if (!unpack_value(in, mem, &v)) {
            return sl_fail_nomem(err);
        }
        if (f != NULL && !sl_schema_kind_ok(f, &v)) {
            return corrupt(err);
        }
        if (f != NULL) {
            values[f->index] = v;
            *has |= UINT64_C(1) << f->index;
        }
        no = sl_rd_varint(in);
    }
    return in->bad ? corrupt(err) : SL_OK;
}

sl_status sl_values_unpack(const sl_entity *e, const uint8_t *p, size_t n, sl_arena *mem,
                           sl_cell **values, uint64_t *has, sl_error **err)
{
    sl_rd in = {p, n, false};
    size_t size = e->field_count * sizeof **values;
    *values = sl_arena_take(mem, size);
    if (*values == NULL) {
        return sl_fail_nomem(err);
    }
    memset(*values, 0, size);
    sl_status status = unpack_values(e, &in, mem, *values, has, err);
    return status == SL_OK && in.left > 0 ? corrupt(err) : status;
}

/* --- records --------------------------------------------------------------------------------- */

void sl_record_pack(sl_buf *out, const sl_record *r)
{
    uint8_t id[SL_UUID_BYTES] = {0};
    uint64_t has = 0;
    (void)sl_uuid_decode(id, r->id);
    for (size_t i = 0; i < r->entity->field_count; i++) {
        has |= (uint64_t)(r->values[i].kind != SL_CELL_NULL) << i;
    }
    sl_buf_u8(out, VERSION);
    sl_buf_varint(out, r->entity->no);
    sl_buf_put(out, id, sizeof id);
    put_text(out, r->space, strlen(r->space));
    sl_buf_zigzag(out, r->seq);
    sl_buf_u8(out, r->deleted ? 1 : 0);
    sl_record_put_clocks(out, r);
    put_text(out, r->ext != NULL ? r->ext : "", r->ext != NULL ? strlen(r->ext) : 0);
    sl_values_pack(out, r->entity, r->values, has);
}

static sl_status unpack_head(sl_record *r, sl_rd *in, sl_error **err)
{
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX] = "";
    bool ok = sl_rd_u8(in) == VERSION;
    const sl_entity *e = sl_entity_of(sl_rd_varint(in));
    const uint8_t *bytes = sl_rd_take(in, SL_UUID_BYTES);
    uint64_t len = sl_rd_varint(in);
    const uint8_t *name = len < SL_SPACE_MAX ? sl_rd_take(in, (size_t)len) : NULL;
    if (!ok || e == NULL || bytes == NULL || name == NULL) {
        return corrupt(err);
    }
    sl_uuid_encode(id, bytes);
    memcpy(space, name, (size_t)len);
    sl_status status = sl_record_make(r, e, id, space, NULL);
    return status == SL_E_INVALID ? corrupt(err) : status == SL_OK ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_record_unpack(sl_record *r, const uint8_t *p, size_t n, sl_error **err)
{
    sl_rd in = {p, n, false};
    sl_status status = unpack_head(r, &in, err);
    if (status == SL_OK) {
        r->seq = sl_rd_zigzag(&in);
        r->deleted = sl_rd_u8(&in) != 0;
        status = read_clocks(r, &in, err);
    }
    if (status == SL_OK) {
        size_t len = 0;
        const char *ext = read_text(&in, &r->mem, &len);
        r->ext = len > 0 ? ext : NULL;
        status = in.bad ? corrupt(err) : ext == NULL ? sl_fail_nomem(err) : SL_OK;
    }
    uint64_t has = 0;
    if (status == SL_OK) {
        status = unpack_values(r->entity, &in, &r->mem, r->values, &has, err);
    }
    if (status == SL_OK && in.left > 0) {
        status = corrupt(err);
    }
    if (status != SL_OK) {
        sl_record_free(r);
    }
    return status;
}
