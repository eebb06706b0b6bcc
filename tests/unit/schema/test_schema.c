#include "base/error.h"
#include "base/mem.h"
#include "schema/record.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

static const char ID[] = "01890000-0000-7000-8000-000000000001";
static const char SPACE[] = "video:01890000-0000-7000-8000-000000000002";

static sl_status check(const char *entity, const char *fields, bool create, const char *at_field)
{
    sl_json *j = sl_json_parse(fields, strlen(fields));
    ck_assert_ptr_nonnull(j);
    sl_error *err = NULL;
    sl_status status = sl_schema_check(sl_entity_find(entity), j, create, &err);
    if (at_field != NULL) {
        ck_assert_ptr_nonnull(sl_error_field(err));
        ck_assert_str_eq(sl_error_field(err), at_field);
    }
    sl_error_release(err);
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

START_TEST(record__survives_a_row_and_the_wire_with_what_is_unknown)
{
    sl_record rec;
    make(&rec, "{\"kind\":\"pen\",\"geometry\":\"AA==\",\"style\":{\"width\":3},\"t_in\":0,"
               "\"t_out\":5,\"later\":[1,2]}");
    sl_cell cells[SL_CELLS_MAX];
    ck_assert_int_eq(sl_record_to_cells(&rec, cells, NULL), SL_OK);
    sl_record back;
    ck_assert_int_eq(sl_record_from_cells(&back, rec.entity, cells, NULL), SL_OK);
    sl_json *a = sl_record_to_wire(&rec);
    sl_json *b = sl_record_to_wire(&back);
    ck_assert(sl_json_equal(a, b));
    ck_assert_ptr_nonnull(sl_json_get(sl_json_get(b, "fields"), "later"));
    sl_json_free(a);
    sl_json_free(b);
    sl_cells_free(cells, SL_CELLS_MAX);
    sl_record_free(&rec);
    sl_record_free(&back);
}
END_TEST

START_TEST(record__keeps_values_of_a_later_version_aside)
{
    const char *text = "{\"entity\":\"comment\",\"id\":\"01890000-0000-7000-8000-000000000001\","
                       "\"space\":\"video:01890000-0000-7000-8000-000000000002\",\"seq\":1,"
                       "\"fields\":{\"body\":5,\"t\":9}}";
    sl_json *j = sl_json_parse(text, strlen(text));
    sl_record rec;
    ck_assert_int_eq(sl_record_from_wire(&rec, j, NULL), SL_OK);
    ck_assert_ptr_null(sl_json_get(rec.fields, "body"));
    ck_assert_int_eq(sl_json_int_or(rec.ext, "body", 0), 5);
    sl_json *wire = sl_record_to_wire(&rec);
    sl_json *shown = sl_record_to_public(&rec, false);
    ck_assert(sl_json_equal(sl_json_get(wire, "fields"), sl_json_get(j, "fields")));
    ck_assert_int_eq(sl_json_int_or(shown, "body", 0), 5);
    sl_json_free(wire);
    sl_json_free(shown);
    sl_json_free(j);
    sl_record_free(&rec);
    ck_assert_int_eq(sl_record_from_wire(&rec, NULL, NULL), SL_E_INVALID);
}
END_TEST

START_TEST(tables__every_entity_fits_a_row_and_names_its_author_by_a_server_field)
{
    for (size_t i = 0; i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        ck_assert_int_eq(e->index, (int)i);
        ck_assert_uint_le(sl_record_cell_count(e), SL_CELLS_MAX);
        if (e->author_field >= 0) {
            ck_assert_int_eq(e->fields[e->author_field].merge, SL_M_SERVER);
        }
    }
}
END_TEST

SL_TEST_MAIN("schema", check__a_create_needs_the_required_fields, check__both_sides_of_a_limit,
             check__refuses_unknown_server_and_immutable_fields, space__names_are_kind_and_uuid,
             record__survives_a_row_and_the_wire_with_what_is_unknown,
             record__keeps_values_of_a_later_version_aside,
             tables__every_entity_fits_a_row_and_names_its_author_by_a_server_field)
