/* Operations as bytes and JSON, by property over every entity. */
#include "base/error.h"
#include "sync/op.h"
#include "unit/schema/random.h"

#define ID    "01890000-0000-7000-8000-000000000001"
#define SPACE "video:01890000-0000-7000-8000-000000000002"

enum {
    ROUNDS = 40 /* of each entity */
};

static void random_op(sl_prng *r, const sl_entity *e, sl_op *op)
{
    sl_op_clear(op);
    op->n = 1 + (int64_t)sl_prng_below(r, (uint64_t)SL_JSON_INT_MAX - 1);
    op->kind = (sl_op_kind)(1 + sl_prng_below(r, 3));
    op->entity = e;
    op->hlc = random_stamp(r);
    random_uuid(r, op->id);
    random_space(r, e, op->space);
    if (op->kind == SL_OP_DELETE) {
        return;
    }
    op->values = sl_arena_take(&op->mem, e->field_count * sizeof *op->values);
    ck_assert_ptr_nonnull(op->values);
    memset(op->values, 0, e->field_count * sizeof *op->values);
    for (size_t i = 0; i < e->field_count; i++) {
        uint64_t kind = sl_prng_below(r, 4);
        op->has |= (uint64_t)(kind > 0) << i;
        if (kind > 1) { /* kind 1: a null */
            op->values[i] = e->fields[i].merge == SL_M_SET
                                ? sl_cell_text("{\"add\":[\"golf\"],\"remove\":[]}")
                                : random_cell(r, &e->fields[i], &op->mem);
        }
    }
}

static void same_op(const sl_op *a, const sl_op *b)
{
    ck_assert_int_eq(a->n, b->n);
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_ptr_eq(a->entity, b->entity);
    ck_assert_str_eq(a->id, b->id);
    ck_assert_str_eq(a->space, b->space);
    ck_assert_int_eq(sl_hlc_compare(a->hlc, b->hlc), 0);
    ck_assert_uint_eq(a->has, b->has);
    for (size_t i = 0; i < a->entity->field_count; i++) {
        ck_assert((a->has >> i & 1) == 0 || sl_cell_same(&a->values[i], &b->values[i]));
    }
}

static void over_ops(void (*fn)(sl_prng *r, const sl_op *op))
{
    sl_prng r;
    sl_op op = {0};
    sl_prng_seed(&r, 31);
    for (size_t e = 0; e < sl_entity_count; e++) {
        for (int i = 0; i < ROUNDS; i++) {
            random_op(&r, &sl_entities[e], &op);
            fn(&r, &op);
        }
    }
    sl_op_free(&op);
}

static void pack_and_unpack(sl_prng *r, const sl_op *op)
{
    sl_buf bytes = {0};
    sl_op back = {0};
    random_op(r, &sl_entities[sl_prng_below(r, sl_entity_count)], &back);
    sl_op_pack(&bytes, op);
    ck_assert_int_eq(sl_op_unpack(&back, bytes.data, bytes.len, NULL), SL_OK);
    same_op(op, &back);
    for (size_t n = 0; n < bytes.len; n += 1 + bytes.len / 100) {
        ck_assert_int_eq(sl_op_unpack(&back, bytes.data, n, NULL), SL_E_CORRUPT);
    }
    sl_buf_u8(&bytes, 0);
    ck_assert_int_eq(sl_op_unpack(&back, bytes.data, bytes.len, NULL), SL_E_CORRUPT);
    sl_op_free(&back);
    sl_buf_free(&bytes);
}

START_TEST(pack__is_read_back_and_refused_when_cut_or_followed)
{
    over_ops(pack_and_unpack);
}
END_TEST

static void spoil(sl_prng *r, const sl_op *op)
{
    sl_buf bytes = {0};
    sl_buf out = {0};
    sl_op back = {0};
    sl_op_pack(&bytes, op);
    for (int i = 0; i < 10; i++) {
        uint8_t *at = &bytes.data[sl_prng_below(r, bytes.len < 80 ? bytes.len : 80)];
        uint8_t was = *at;
        *at = (uint8_t)sl_prng_below(r, 256);
        sl_status status = sl_op_unpack(&back, bytes.data, bytes.len, NULL);
        ck_assert(status == SL_OK || status == SL_E_CORRUPT);
        if (status == SL_OK) {
            ck_assert_int_gt(back.n, 0);
            ck_assert(sl_space_ok(back.space));
            sl_op_put_json(&out, &back);
            sl_op_pack(&out, &back);
        }
        *at = was;
    }
    sl_op_free(&back);
    sl_buf_free(&bytes);
    sl_buf_free(&out);
}

START_TEST(pack__spoiled_bytes_are_an_operation_or_refused)
{
    over_ops(spoil);
}
END_TEST

static void json_back(sl_prng *r, const sl_op *op)
{
    sl_buf text = {0};
    sl_op back = {0};
    (void)r;
    sl_op_put_json(&text, op);
    ck_assert_msg(sl_json_ok(sl_buf_text(&text), text.len), "%s", sl_buf_text(&text));
    sl_json *j = sl_json_parse(sl_buf_text(&text), text.len);
    ck_assert_str_eq(sl_json_str(j, "t"), "op");
    ck_assert_int_eq(sl_op_from_json(&back, j, NULL), SL_OK);
    same_op(op, &back);
    sl_json_free(j);
    sl_op_free(&back);
    sl_buf_free(&text);
}

START_TEST(json__is_read_back_for_every_entity)
{
    over_ops(json_back);
}
END_TEST

#define OP(n, op, entity, space, id, hlc, fields)                                     \
    "{\"n\":" n ",\"op\":" op ",\"entity\":" entity ",\"space\":" space ",\"id\":" id \
    ",\"hlc\":" hlc ",\"fields\":" fields "}"
#define GOOD_HLC "\"000000000000000000000001\""

static sl_status from_json(const char *text, char field[32])
{
    sl_op op = {0};
    sl_error *err = NULL;
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_msg(j != NULL, "%s", text);
    sl_status status = sl_op_from_json(&op, j, &err);
    (void)snprintf(field, 32, "%s", err != NULL && sl_error_field(err) ? sl_error_field(err) : "");
    ck_assert((status == SL_OK) == (err == NULL));
    sl_error_release(err);
    sl_json_free(j);
    sl_op_free(&op);
    return status;
}

START_TEST(json__that_is_no_operation_is_refused)
{
    static const char *const bad[] = {
        OP("0", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, "{}"),
        OP("-1", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, "{}"),
        OP("1.5", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, "{}"),
        OP("\"1\"", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, "{}"),
        OP("1", "\"\"", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, "{}"),
        OP("1", "2", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, "{}"),
        OP("1", "\"patch\"", "\"nothing\"", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, "{}"),
        OP("1", "\"patch\"", "null", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, "{}"),
        OP("1", "\"patch\"", "\"comment\"", "\"video:x\"", "\"" ID "\"", GOOD_HLC, "{}"),
        OP("1", "\"patch\"", "\"comment\"", "1", "\"" ID "\"", GOOD_HLC, "{}"),
        OP("1", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "\"x\"", GOOD_HLC, "{}"),
        OP("1", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "null", GOOD_HLC, "{}"),
        OP("1", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", "\"1\"", "{}"),
        OP("1", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", "null", "{}"),
        OP("1", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, "[]"),
        OP("1", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, "null"),
        "7",
        "null",
        "\"op\"",
    };
    char field[32];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(from_json(bad[i], field) == SL_E_INVALID, "%s", bad[i]);
    }
}
END_TEST

START_TEST(json__names_the_field_that_is_unknown_or_of_another_type)
{
#define FIELDS(f) OP("1", "\"patch\"", "\"comment\"", "\"" SPACE "\"", "\"" ID "\"", GOOD_HLC, f)
    static const struct {
        const char *text;
        const char *field;
    } bad[] = {{FIELDS("{\"nobody\":1}"), "nobody"},
               {FIELDS("{\"body\":1}"), "body"},
               {FIELDS("{\"body\":\"x\",\"at_us\":\"1\"}"), "at_us"},
               {FIELDS("{\"at_us\":1.5}"), "at_us"},
               {FIELDS("{\"at_us\":true}"), "at_us"},
               {FIELDS("{\"at_us\":9007199254740994}"), "at_us"},
               {FIELDS("{\"author_id\":[]}"), "author_id"}};
    char field[32];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(from_json(bad[i].text, field), SL_E_INVALID);
        ck_assert_str_eq(field, bad[i].field);
    }
    ck_assert_int_eq(from_json(FIELDS("{\"body\":null,\"at_us\":5}"), field), SL_OK);
#undef FIELDS
}
END_TEST

START_TEST(op__tells_values_from_nulls_and_what_is_not_there)
{
    static const char text[] = "{\"body\":null,\"at_us\":5}";
    sl_op op = {.entity = sl_entity_find("comment"), .kind = SL_OP_PATCH};
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_op_set_fields(&op, j, NULL), SL_OK);
    ck_assert_int_eq(sl_op_value(&op, "body")->kind, SL_CELL_NULL);
    ck_assert_int_eq(sl_op_value(&op, "at_us")->i, 5);
    ck_assert_ptr_null(sl_op_value(&op, "author_id"));
    ck_assert_ptr_null(sl_op_value(&op, "nobody"));
    ck_assert_ptr_null(sl_op_text(&op, "body"));
    ck_assert_ptr_null(sl_op_text(&op, "at_us"));
    sl_buf out = {0};
    sl_op_put_fields(&out, &op);
    ck_assert_str_eq(sl_buf_text(&out), text);
    sl_buf_free(&out);
    sl_op_clear(&op);
    ck_assert_ptr_null(op.entity);
    sl_json_free(j);
    sl_op_free(&op);
}
END_TEST

START_TEST(op__survives_every_allocation_failure)
{
    sl_prng r;
    sl_op op = {0};
    sl_op back = {0};
    sl_buf bytes = {0};
    sl_prng_seed(&r, 8);
    do {
        random_op(&r, sl_entity_find("annotation"), &op);
    } while (op.kind == SL_OP_DELETE || sl_op_text(&op, "style") == NULL);
    sl_op_pack(&bytes, &op);
    sl_status status = SL_E_NOMEM;
    for (uint64_t k = 1; status != SL_OK; k++) {
        ck_assert_uint_lt(k, 100);
        sl_op_free(&back);
        sl_mem_fail_at(k, false);
        status = sl_op_unpack(&back, bytes.data, bytes.len, NULL);
        sl_mem_fail_at(0, false);
        ck_assert(status == SL_OK || status == SL_E_NOMEM);
    }
    same_op(&op, &back);
    sl_op_free(&op);
    sl_op_free(&back);
    sl_buf_free(&bytes);
}
END_TEST

SL_TEST_MAIN("op", pack__is_read_back_and_refused_when_cut_or_followed,
             pack__spoiled_bytes_are_an_operation_or_refused, json__is_read_back_for_every_entity,
             json__that_is_no_operation_is_refused,
             json__names_the_field_that_is_unknown_or_of_another_type,
             op__tells_values_from_nulls_and_what_is_not_there,
             op__survives_every_allocation_failure)
