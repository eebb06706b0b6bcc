#include "base/mem.h"
#include "base/prng.h"
#include "support.h"
#include "sync/merge.h"

#include <stdio.h>
#include <string.h>

static const char ID[] = "01890000-0000-7000-8000-000000000001";
static const char SPACE[] = "video:01890000-0000-7000-8000-000000000002";

static sl_op op_of(const char *kind, const char *entity, const char *fields, unsigned stamp)
{
    char text[600];
    (void)snprintf(text, sizeof text,
                   "{\"n\":1,\"op\":\"%s\",\"entity\":\"%s\",\"space\":\"%s\",\"id\":\"%s\","
                   "\"hlc\":\"%016x00000001\",\"fields\":%s}",
                   kind, entity, SPACE, ID, stamp, fields);
    sl_json *j = sl_json_parse(text, strlen(text));
    sl_op op = {0};
    ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_OK);
    sl_json_free(j);
    return op;
}

static sl_merged merge(sl_record *rec, const char *kind, const char *fields, unsigned stamp,
                       sl_status expected)
{
    sl_op op = op_of(kind, "annotation", fields, stamp);
    sl_merged merged = SL_MERGED_ALL;
    ck_assert_int_eq(sl_merge_op(rec, &op, &merged, NULL), expected);
    sl_op_free(&op);
    return merged;
}

#define ITEM "{\"kind\":\"pen\",\"geometry\":\"AA==\",\"style\":{},\"t_in\":0,\"t_out\":9}"

START_TEST(merge__the_greater_stamp_wins_field_by_field) /* [MERGE-2] */
{
    sl_record rec = {0};
    merge(&rec, "create", ITEM, 1, SL_OK);
    ck_assert_int_eq(merge(&rec, "patch", "{\"t_in\":5,\"z\":\"b\"}", 10, SL_OK), SL_MERGED_ALL);
    ck_assert_int_eq(merge(&rec, "patch", "{\"t_in\":4,\"t_out\":8}", 9, SL_OK), SL_MERGED_PART);
    ck_assert_int_eq(merge(&rec, "patch", "{\"t_in\":3}", 2, SL_OK), SL_MERGED_NOTHING);
    ck_assert_int_eq(sl_record_int(&rec, "t_in", -1), 5);
    ck_assert_int_eq(sl_record_int(&rec, "t_out", -1), 8);
    sl_record_free(&rec);
}
END_TEST

START_TEST(merge__replaces_a_value_that_was_kept_aside)
{
    sl_record rec = {0};
    merge(&rec, "create", ITEM, 1, SL_OK);
    sl_json *soon = sl_json_string("soon");
    ck_assert_int_eq(sl_record_set_ext(&rec, "t_in", soon, NULL), SL_OK);
    ck_assert_int_eq(sl_record_set_ext(&rec, "later", soon, NULL), SL_OK);
    sl_json_free(soon);
    ck_assert_int_eq(merge(&rec, "patch", "{\"t_in\":5}", 10, SL_OK), SL_MERGED_ALL);
    ck_assert_int_eq(sl_record_int(&rec, "t_in", -1), 5);
    ck_assert_str_eq(rec.ext, "{\"later\":\"soon\"}");
    sl_record_free(&rec);
}
END_TEST

START_TEST(merge__a_deletion_wins_for_ever) /* [MERGE-3] */
{
    sl_record rec = {0};
    merge(&rec, "create", ITEM, 1, SL_OK);
    merge(&rec, "delete", "null", 2, SL_OK);
    ck_assert_int_eq(merge(&rec, "patch", "{\"t_in\":5}", 99, SL_OK), SL_MERGED_NOTHING);
    ck_assert(rec.deleted);
    for (size_t i = 0; i < rec.entity->field_count; i++) {
        ck_assert_int_eq(rec.values[i].kind, SL_CELL_NULL);
    }
    merge(&rec, "create", ITEM, 100, SL_E_CONFLICT);
    sl_record_free(&rec);
}
END_TEST

START_TEST(merge__without_a_record_only_a_create_fits)
{
    sl_record rec = {0};
    merge(&rec, "patch", "{\"t_in\":5}", 1, SL_E_NOT_FOUND);
    merge(&rec, "delete", "null", 1, SL_E_NOT_FOUND);
    merge(&rec, "create", ITEM, 1, SL_OK);
    merge(&rec, "create", ITEM, 1, SL_E_CONFLICT);
    sl_record_free(&rec);
}
END_TEST

START_TEST(merge__a_max_field_only_grows)
{
    sl_record rec = {0};
    ck_assert_int_eq(sl_record_make(&rec, sl_entity_find("participant"), ID, SPACE, NULL), SL_OK);
    sl_merged merged;
    for (int i = 0; i < 3; i++) {
        static const char *const patches[] = {"{\"read\":5}", "{\"read\":3}", "{\"read\":5}"};
        sl_op op = op_of("patch", "participant", patches[i], (unsigned)(10 - i));
        ck_assert_int_eq(sl_merge_op(&rec, &op, &merged, NULL), SL_OK);
        ck_assert_int_eq(merged, i == 0 ? SL_MERGED_ALL : SL_MERGED_NOTHING);
        sl_op_free(&op);
    }
    ck_assert_int_eq(sl_record_int(&rec, "read", 0), 5);
    sl_record_free(&rec);
}
END_TEST

START_TEST(merge__a_max_field_counts_the_number_that_was_kept_aside)
{
    for (int wish = 6; wish <= 8; wish++) {
        char patch[32];
        sl_record rec = {0};
        sl_merged merged;
        sl_json *seven = sl_json_number(7);
        ck_assert_int_eq(sl_record_make(&rec, sl_entity_find("participant"), ID, SPACE, NULL),
                         SL_OK);
        ck_assert_int_eq(sl_record_set_ext(&rec, "read", seven, NULL), SL_OK);
        sl_json_free(seven);
        (void)snprintf(patch, sizeof patch, "{\"read\":%d}", wish);
        sl_op op = op_of("patch", "participant", patch, 1);
        ck_assert_int_eq(sl_merge_op(&rec, &op, &merged, NULL), SL_OK);
        ck_assert_int_eq(merged, wish > 7 ? SL_MERGED_ALL : SL_MERGED_NOTHING);
        ck_assert_int_eq(sl_record_int(&rec, "read", 0), wish > 7 ? wish : 0);
        sl_op_free(&op);
        sl_record_free(&rec);
    }
}
END_TEST

/* Applies the patches in an order chosen by the seed, some of them twice. */
static char *fold(const sl_op *ops, size_t n, uint64_t seed)
{
    sl_prng r;
    sl_prng_seed(&r, seed);
    size_t order[32];
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    for (size_t i = n - 1; i > 0; i--) {
        size_t k = (size_t)sl_prng_below(&r, i + 1);
        size_t t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
    sl_record rec = {0};
    merge(&rec, "create", ITEM, 1, SL_OK);
    for (size_t i = 0; i < n; i++) {
        sl_merged merged;
        for (uint64_t times = 1 + sl_prng_below(&r, 2); times > 0; times--) {
            ck_assert_int_eq(sl_merge_op(&rec, &ops[order[i]], &merged, NULL), SL_OK);
        }
    }
    char text[400];
    (void)snprintf(text, sizeof text, "%d %lld %lld %s", rec.deleted,
                   (long long)sl_record_int(&rec, "t_in", -1),
                   (long long)sl_record_int(&rec, "t_out", -1),
                   sl_record_text(&rec, "z") != NULL ? sl_record_text(&rec, "z") : "-");
    sl_record_free(&rec);
    return sl_text_dup(text);
}

START_TEST(merge__any_order_and_any_repetition_converge) /* [MERGE-1] */
{
    sl_prng r;
    sl_prng_seed(&r, 42);
    for (int round = 0; round < 200; round++) {
        sl_op ops[12];
        for (size_t i = 0; i < 12; i++) {
            char fields[100];
            static const char *const before[] = {"\"t_in\":", "\"t_out\":", "\"z\":\""};
            uint64_t field = sl_prng_below(&r, 3);
            (void)snprintf(fields, sizeof fields, "%s%u%s", before[field], (unsigned)i + 1,
                           field == 2 ? "\"" : "");
            char patch[128];
            (void)snprintf(patch, sizeof patch, "{%s}", fields);
            bool last_word = round % 5 == 0 && i == 11;
            ops[i] = op_of(last_word ? "delete" : "patch", "annotation", last_word ? "null" : patch,
                           2 + (unsigned)i);
        }
        char *first = fold(ops, 12, 1);
        for (uint64_t seed = 2; seed < 8; seed++) {
            char *other = fold(ops, 12, seed);
            ck_assert_str_eq(first, other);
            sl_mem_free(other);
        }
        sl_mem_free(first);
        for (size_t i = 0; i < 12; i++) {
            sl_op_free(&ops[i]);
        }
    }
}
END_TEST

START_TEST(op__refuses_what_is_not_one)
{
    static const char *const bad[] = {
        "{}", "{\"n\":0,\"op\":\"patch\"}", "[]",
        "{\"n\":1,\"op\":\"steal\",\"entity\":\"comment\",\"space\":"
        "\"video:01890000-0000-7000-8000-000000000002\",\"id\":"
        "\"01890000-0000-7000-8000-000000000001\",\"hlc\":\"000000000000000000000001\","
        "\"fields\":{}}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sl_json *j = sl_json_parse(bad[i], strlen(bad[i]));
        sl_op op = {0};
        ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_E_INVALID);
        sl_op_free(&op);
        sl_json_free(j);
    }
}
END_TEST

SL_TEST_MAIN("merge", merge__the_greater_stamp_wins_field_by_field,
             merge__replaces_a_value_that_was_kept_aside, merge__a_deletion_wins_for_ever,
             merge__without_a_record_only_a_create_fits, merge__a_max_field_only_grows,
             merge__a_max_field_counts_the_number_that_was_kept_aside,
             merge__any_order_and_any_repetition_converge, op__refuses_what_is_not_one)
