#include "unit/sync/frames.h"

#include "base/base64.h"

#include <stdio.h>
#include <string.h>

void ends_open(ends *e, bool binary, bool zip)
{
    memset(e, 0, sizeof *e);
    e->client.binary = binary;
    e->server.binary = binary;
    e->server.server = true;
    e->client.zip = zip;
    e->server.zip = zip;
    e->in = sl_frame_in_new();
    e->items = sl_items_new();
    ck_assert_ptr_nonnull(e->in);
    ck_assert_ptr_nonnull(e->items);
    sl_prng_seed(&e->prng, 5);
}

void ends_close(ends *e)
{
    sl_wire_free(&e->client);
    sl_wire_free(&e->server);
    sl_frame_in_free(e->in);
    sl_items_free(e->items);
    sl_buf_free(&e->bytes);
}

sl_frame pass(ends *e, bool to_server, const sl_frame *f, sl_items *items)
{
    sl_frame got;
    sl_buf_clear(&e->bytes);
    sl_frame_put(to_server ? &e->client : &e->server, &e->bytes, f, items);
    ck_assert(!e->bytes.failed);
    sl_status status = sl_frame_read(e->in, to_server ? &e->server : &e->client, e->bytes.data,
                                     e->bytes.len, &got, NULL);
    ck_assert_int_eq(status, SL_OK);
    return got;
}

static int64_t below(ends *e, int64_t n)
{
    return (int64_t)sl_prng_below(&e->prng, (uint64_t)n);
}

static void random_id(ends *e, char out[SL_UUID_LEN + 1])
{
    uint8_t tail[10] = {0x70, 0x12, 0x80};
    e->low += 1 + (uint64_t)below(e, 3);
    for (int i = 0; i < 7; i++) {
        tail[9 - i] = (uint8_t)(below(e, 8) == 0 ? below(e, 256) : (int64_t)(e->low >> (8 * i)));
    }
    sl_uuid7(out, INT64_C(1700000000000) + below(e, 1000), tail);
    if (below(e, 20) == 0) {
        out[14] = '4'; /* of another version */
    }
}

static sl_hlc random_stamp(ends *e)
{
    return (sl_hlc){((uint64_t)(1700000000000 + below(e, 100000)) << 16) + (uint64_t)below(e, 3),
                    (uint32_t)below(e, 3)};
}

/* Text within the limits, now and then not only of ASCII. */
static size_t random_text(ends *e, char *text, const sl_field *f)
{
    int64_t most = f->max < 40 ? f->max : 40;
    int64_t n = f->min + below(e, most - f->min + 1);
    for (int64_t i = 0; i < n; i++) {
        text[i] = (char)('a' + below(e, 26));
    }
    if (n % 4 == 0 && n >= 16 && below(e, 2) == 0) {
        memcpy(text + n - 4, below(e, 2) == 0 ? "eQ==" : "eR==", 4); /* base64, or not quite */
    } else if (n > 6 && below(e, 3) == 0) {
        memcpy(text + 1, "\xc3\xa4\"\\", 4);
    }
    return (size_t)n;
}

static sl_cell random_value(ends *e, const sl_field *f, char text[200])
{
    uint8_t hash[32];
    int64_t span = f->max - f->min;
    size_t count = 0;
    switch (f->type) {
    case SL_T_INT:
        return sl_cell_int(f->min + below(e, (span > 0 && span < 1000000 ? span : 1000000) + 1));
    case SL_T_BOOL: return sl_cell_int(below(e, 2));
    case SL_T_REAL: return sl_cell_real((double)f->min + (double)below(e, 1000) / 1024.0);
    case SL_T_TEXT: return sl_cell_text_n(text, random_text(e, text, f));
    case SL_T_JSON:
        (void)snprintf(text, 200, "{\"k\":[%lld,null,\"\xc3\xa4\"]}", (long long)below(e, 100));
        break;
    case SL_T_REF: random_id(e, text); break;
    case SL_T_BLOB:
        for (size_t i = 0; i < sizeof hash; i++) {
            hash[i] = (uint8_t)below(e, 256);
        }
        sl_hex(text, hash, sizeof hash);
        break;
    case SL_T_ENUM:
        while (f->values[count] != NULL) {
            count++;
        }
        (void)snprintf(text, 200, "%s", f->values[below(e, (int64_t)count)]);
        break;
    }
    return sl_cell_text(text);
}

void space_for(const sl_entity *entity, char out[SL_SPACE_MAX])
{
    sl_space_name(out, entity->space_kind, "01890000-0000-7000-8000-0000000000aa");
}

static void random_clock(ends *e, sl_record *rec, const sl_field *f)
{
    sl_clock *clock = sl_record_clock(rec, f);
    ck_assert_ptr_nonnull(clock);
    if (f->merge == SL_M_SET || f->merge == SL_M_COUNTER) {
        static const char marks[] = "{\"00000001\":12}";
        clock->marks = sl_arena_text(&rec->mem, marks, strlen(marks));
    } else {
        clock->at = random_stamp(e);
    }
}

void random_record(ends *e, sl_record *rec, const sl_entity *entity, const char *space, int64_t seq)
{
    char id[SL_UUID_LEN + 1];
    random_id(e, id);
    ck_assert_int_eq(sl_record_make(rec, entity, id, space, NULL), SL_OK);
    rec->seq = seq;
    rec->deleted = below(e, 10) == 0;
    if (rec->deleted) {
        return;
    }
    rec->birth = random_stamp(e);
    for (size_t i = 0; i < entity->field_count; i++) {
        char text[200];
        const sl_field *f = &entity->fields[i];
        if (below(e, 2) == 0) {
            sl_cell v = random_value(e, f, text);
            ck_assert_int_eq(sl_record_set(rec, f, &v, NULL), SL_OK);
        }
        if (below(e, 4) == 0) {
            random_clock(e, rec, f);
        }
    }
    if (below(e, 8) == 0) {
        sl_json *v = sl_json_parse("{\"of\":[\"later\"]}", 16);
        ck_assert_int_eq(sl_record_set_ext(rec, "hologram", v, NULL), SL_OK);
        sl_json_free(v);
    }
}

void random_op(ends *e, sl_op *op, const sl_entity *entity, const char *space, int64_t n)
{
    sl_op_clear(op);
    op->n = n;
    op->kind = (sl_op_kind)(1 + below(e, 3));
    op->entity = entity;
    (void)snprintf(op->space, sizeof op->space, "%s", space);
    random_id(e, op->id);
    op->hlc = random_stamp(e);
    if (op->kind == SL_OP_DELETE) {
        return;
    }
    op->values = sl_arena_take(&op->mem, entity->field_count * sizeof *op->values);
    memset(op->values, 0, entity->field_count * sizeof *op->values);
    for (size_t i = 0; i < entity->field_count; i++) {
        char text[200];
        if (below(e, 2) == 0) {
            sl_cell v =
                below(e, 5) == 0 ? sl_cell_text(NULL) : random_value(e, &entity->fields[i], text);
            ck_assert(sl_cell_keep(&v, &op->mem));
            op->values[i] = v;
            op->has |= UINT64_C(1) << i;
        }
    }
}

void record_same(const sl_record *a, const sl_record *b)
{
    sl_buf x = {0};
    sl_buf y = {0};
    sl_record_put_wire(&x, a);
    sl_record_put_wire(&y, b);
    ck_assert_str_eq(sl_buf_text(&x), sl_buf_text(&y));
    sl_buf_clear(&x);
    sl_buf_clear(&y);
    sl_record_pack(&x, a);
    sl_record_pack(&y, b);
    ck_assert(x.len == y.len && memcmp(x.data, y.data, x.len) == 0);
    sl_buf_free(&x);
    sl_buf_free(&y);
}

void op_same(const sl_op *a, const sl_op *b)
{
    sl_buf x = {0};
    sl_buf y = {0};
    sl_op_put_json(&x, a);
    sl_op_put_json(&y, b);
    ck_assert_str_eq(sl_buf_text(&x), sl_buf_text(&y));
    sl_buf_free(&x);
    sl_buf_free(&y);
}
