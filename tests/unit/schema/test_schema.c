#include "base/error.h"
#include "base/mem.h"
#include "schema/record.h"
#include "support.h"
#include "sync/op.h"

#include <stdio.h>
#include <string.h>

static const char ID[] = "01890000-0000-7000-8000-000000000001";
static const char SPACE[] = "video:01890000-0000-7000-8000-000000000002";

static sl_status check(const char *entity, const char *fields, bool create, const char *at_field)
{
    sl_json *j = sl_json_parse(fields, strlen(fields));
    ck_assert_ptr_nonnull(j);
    sl_error *err = NULL;
    sl_op op = {.entity = sl_entity_find(entity)};
    sl_status status = sl_op_set_fields(&op, j, &err);
    if (status == SL_OK) {
        status = sl_schema_check(op.entity, op.values, op.has, create, &err);
    }
    if (at_field != NULL) {
        ck_assert_ptr_nonnull(sl_error_field(err));
        ck_assert_str_eq(sl_error_field(err), at_field);
    }
    sl_error_release(err);
    sl_op_free(&op);
    sl_json_free(j);
    return status;
}

START_TEST(check__a_create_needs_the_required_fields)
{
    ck_assert_int_eq(check("comment", "{\"body\":\"x\"}", true, NULL), SL_OK);
    ck_assert_int_eq(check("comment", "{}", true, "body"), SL_E_INVALID);
    ck_assert_int_eq(check("comment", "{}", false, NULL), SL_OK);
    ck_assert_int_eq(check("comment", "{\"body\":null}", false, "body"), SL_E_INVALID);
}
END_TEST

START_TEST(check__both_sides_of_a_limit)
{
    char fields[5000];
    memset(fields, 'x', sizeof fields);
    memcpy(fields, "{\"body\":\"", 9);
    memcpy(fields + 9 + 4000, "\"}", 3);
    ck_assert_int_eq(check("comment", fields, true, NULL), SL_OK);
    memset(fields + 9 + 4000, 'x', 4);
    memcpy(fields + 9 + 4001, "\"}", 3);
    ck_assert_int_eq(check("comment", fields, true, "body"), SL_E_INVALID);
    ck_assert_int_eq(check("comment", "{\"body\":\"\"}", true, "body"), SL_E_INVALID);
    ck_assert_int_eq(check("comment", "{\"body\":\"x\",\"at_us\":0}", true, NULL), SL_OK);
    ck_assert_int_eq(check("comment", "{\"body\":\"x\",\"at_us\":-1}", true, "at_us"),
                     SL_E_INVALID);
    ck_assert_int_eq(check("comment", "{\"body\":\"x\",\"at_us\":1.5}", true, "at_us"),
                     SL_E_INVALID);
}
END_TEST

START_TEST(check__refuses_unknown_server_and_immutable_fields)
{
    ck_assert_int_eq(check("comment", "{\"body\":\"x\",\"nope\":1}", true, "nope"), SL_E_INVALID);
    ck_assert_int_eq(check("comment", "{\"body\":\"x\",\"author_id\":\"a\"}", true, "author_id"),
                     SL_E_DENIED);
    ck_assert_int_eq(check("comment", "{\"at_us\":5}", false, "at_us"), SL_E_INVALID);
    ck_assert_int_eq(check("message", "{\"kind\":\"song\"}", true, "kind"), SL_E_INVALID);
    ck_assert_int_eq(check("share", "{\"user_id\":\"me\",\"role\":\"coach\"}", true, "user_id"),
                     SL_E_INVALID);
}
END_TEST

START_TEST(space__names_are_kind_and_uuid)
{
    ck_assert(sl_space_ok(SPACE));
    ck_assert_str_eq(sl_space_id(SPACE), SPACE + 6);
    ck_assert(!sl_space_ok("video:"));
    ck_assert(!sl_space_ok("movie:01890000-0000-7000-8000-000000000002"));
    ck_assert(!sl_space_ok("video:01890000-0000-7000-8000-00000000000"));
    ck_assert(!sl_space_ok(NULL));
}
END_TEST

static void make(sl_record *rec, const char *fields)
{
    char text[1000];
    (void)snprintf(text, sizeof text,
                   "{\"entity\":\"annotation\",\"id\":\"%s\",\"space\":\"%s\",\"seq\":7,"
                   "\"fields\":%s,\"clocks\":{\"*\":\"000000000000000000000001\"}}",
                   ID, SPACE, fields);
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_int_eq(sl_record_from_wire(rec, j, NULL), SL_OK);
    sl_json_free(j);
}

/* The record on the wire; text to be freed. */
static char *wire_of(const sl_record *rec)
{
    sl_buf out = {0};
    sl_record_put_wire(&out, rec);
    ck_assert(!out.failed);
    char *text = sl_text_dup(sl_buf_text(&out));
    sl_buf_free(&out);
    return text;
}

static sl_json *parse(const char *text)
{
    sl_json *j = sl_json_parse(text, strlen(text));
    ck_assert_msg(j != NULL, "no JSON: %s", text);
    return j;
}

START_TEST(record__survives_bytes_and_the_wire_with_what_is_unknown)
{
    sl_record rec = {0};
    sl_record back = {0};
    sl_record again = {0};
    sl_buf packed = {0};
    make(&rec, "{\"kind\":\"pen\",\"geometry\":\"AA==\",\"style\":{\"width\":3},\"t_in\":0,"
               "\"t_out\":5,\"later\":[1,2]}");
    sl_record_pack(&packed, &rec);
    ck_assert_int_eq(sl_record_unpack(&back, packed.data, packed.len, NULL), SL_OK);
    char *a = wire_of(&rec);
    char *b = wire_of(&back);
    ck_assert_str_eq(a, b);
    sl_json *j = parse(b);
    ck_assert_ptr_nonnull(sl_json_get(sl_json_get(j, "fields"), "later"));
    ck_assert_int_eq(sl_record_from_wire(&again, j, NULL), SL_OK);
    char *c = wire_of(&again);
    ck_assert_str_eq(a, c);
    sl_mem_free(a);
    sl_mem_free(b);
    sl_mem_free(c);
    sl_json_free(j);
    sl_buf_free(&packed);
    sl_record_free(&rec);
    sl_record_free(&back);
    sl_record_free(&again);
}
END_TEST

START_TEST(record__keeps_values_of_a_later_version_aside)
{
    const char *text = "{\"entity\":\"comment\",\"id\":\"01890000-0000-7000-8000-000000000001\","
                       "\"space\":\"video:01890000-0000-7000-8000-000000000002\",\"seq\":1,"
                       "\"fields\":{\"body\":5,\"t\":9}}";
    sl_json *j = parse(text);
    sl_record rec = {0};
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    ck_assert_ptr_null(sl_record_text(&rec, "body"));
    sl_json *ext = parse(rec.ext);
    ck_assert_int_eq(sl_json_int_or(ext, "body", 0), 5);
    char *text_of = wire_of(&rec);
    sl_json *wire = parse(text_of);
    sl_buf out = {0};
    sl_record_put_public(&out, &rec, false);
    sl_json *shown = parse(sl_buf_text(&out));
    ck_assert(sl_json_equal(sl_json_get(wire, "fields"), sl_json_get(j, "fields")));
    ck_assert_int_eq(sl_json_int_or(shown, "body", 0), 5);
    ck_assert(!sl_json_bool_or(shown, "pending", true));
    sl_mem_free(text_of);
    sl_buf_free(&out);
    sl_json_free(ext);
    sl_json_free(wire);
    sl_json_free(shown);
    sl_json_free(j);
    sl_record_free(&rec);
    ck_assert_int_eq(sl_record_from_wire(&rec, NULL, NULL), SL_E_INVALID);
}
END_TEST

START_TEST(tables__every_entity_has_its_number_and_names_its_author_by_a_field_that_stays)
{
    for (size_t i = 0; i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        ck_assert_int_eq(e->index, (int)i);
        ck_assert_uint_le(e->field_count, SL_FIELDS_MAX);
        ck_assert_ptr_eq(sl_entity_of(e->no), e);
        for (size_t k = 0; k < e->field_count; k++) {
            ck_assert_int_eq(e->fields[k].index, (int)k);
            ck_assert_ptr_eq(sl_field_of(e, e->fields[k].no), &e->fields[k]);
        }
        if (e->author_field >= 0) {
            sl_merge merge = e->fields[e->author_field].merge;
            ck_assert(merge == SL_M_SERVER || merge == SL_M_IMMUTABLE);
        }
    }
    ck_assert_ptr_null(sl_entity_of(0));
    ck_assert_ptr_null(sl_entity_of(UINT64_MAX));
    ck_assert_ptr_null(sl_field_of(&sl_entities[0], 0));
    ck_assert_ptr_null(sl_field_of(&sl_entities[0], UINT64_MAX));
}
END_TEST

SL_TEST_MAIN("schema", check__a_create_needs_the_required_fields, check__both_sides_of_a_limit,
             check__refuses_unknown_server_and_immutable_fields, space__names_are_kind_and_uuid,
             record__survives_bytes_and_the_wire_with_what_is_unknown,
             record__keeps_values_of_a_later_version_aside,
             tables__every_entity_has_its_number_and_names_its_author_by_a_field_that_stays)
