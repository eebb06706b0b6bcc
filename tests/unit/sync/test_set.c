/* The merge policies set and counter. */
#include "base/mem.h"
#include "base/prng.h"
#include "support.h"
#include "sync/merge.h"
#include "sync/set.h"

#include <stdio.h>
#include <string.h>

#define ID    "01890000-0000-7000-8000-000000000001"
#define SPACE "user:01890000-0000-7000-8000-000000000002"

static sl_op op_of(const char *kind, const char *entity, const char *fields, unsigned time,
                   unsigned device)
{
    char text[1000];
    (void)snprintf(text, sizeof text,
                   "{\"n\":1,\"op\":\"%s\",\"entity\":\"%s\",\"space\":\"" SPACE "\",\"id\":\"" ID
                   "\",\"hlc\":\"%016x%08x\",\"fields\":%s}",
                   kind, entity, time, device, fields);
    sl_json *j = sl_json_parse(text, strlen(text));
    sl_op op = {0};
    ck_assert_int_eq(sl_op_from_json(&op, j, NULL), SL_OK);
    ck_assert_int_eq(sl_schema_check(op.entity, op.values, op.has, op.kind == SL_OP_CREATE, NULL),
                     SL_OK);
    sl_json_free(j);
    return op;
}

static sl_merged merge(sl_record *rec, const sl_op *op)
{
    sl_merged merged;
    ck_assert_int_eq(sl_merge_op(rec, op, &merged, NULL), SL_OK);
    return merged;
}

static sl_record profile(void)
{
    sl_record rec = {0};
    sl_op op = op_of("create", "profile", "{}", 1, 1);
    merge(&rec, &op);
    sl_op_free(&op);
    return rec;
}

/* A device that sees `seen` adds to and removes from its sports; the operation as it is sent. */
static sl_op change(const sl_record *seen, const char *adds, const char *removes, unsigned time,
                    unsigned device)
{
    char fields[300];
    (void)snprintf(fields, sizeof fields, "{\"sports\":{\"add\":[%s],\"remove\":[%s]}}", adds,
                   removes);
    sl_op op = op_of("patch", "profile", fields, time, device);
    if (seen != NULL) {
        ck_assert_int_eq(sl_set_observe(seen, &op, NULL), SL_OK);
    }
    return op;
}

static const char *sports(const sl_record *rec)
{
    static char out[300];
    const char *value = sl_record_text(rec, "sports");
    sl_json *v = value != NULL ? sl_json_parse(value, strlen(value)) : NULL;
    out[0] = 0;
    for (size_t i = 0; i < sl_json_count(v); i++) {
        size_t n = strlen(out);
        (void)snprintf(out + n, sizeof out - n, "%s ", sl_json_text(sl_json_at(v, i)));
    }
    sl_json_free(v);
    return out;
}

START_TEST(set__is_sorted_and_has_each_element_once)
{
    sl_record rec = profile();
    sl_op op = change(&rec, "\"b\",\"a\",\"b\"", "", 5, 1);
    ck_assert_int_eq(merge(&rec, &op), SL_MERGED_ALL);
    ck_assert_int_eq(merge(&rec, &op), SL_MERGED_NOTHING);
    ck_assert_str_eq(sports(&rec), "a b ");
    sl_op_free(&op);
    op = change(&rec, "", "\"b\",\"never\"", 6, 1);
    ck_assert_int_eq(merge(&rec, &op), SL_MERGED_ALL);
    ck_assert_str_eq(sports(&rec), "a ");
    sl_op_free(&op);
    sl_record_free(&rec);
}
END_TEST

START_TEST(set__an_addition_that_a_removal_had_not_seen_outlives_it) /* [SET-2] */
{
    sl_record base = profile();
    sl_op first = change(&base, "\"a\"", "", 50, 1);
    merge(&base, &first);
    /* Two devices see "a". One removes it, with a clock that runs ahead; the other adds it again. */
    sl_op removal = change(&base, "", "\"a\"", 900, 2);
    sl_op addition = change(&base, "\"a\"", "", 40, 3);
    for (int turn = 0; turn < 2; turn++) {
        sl_record rec = {0};
        ck_assert_int_eq(sl_record_copy(&rec, &base), SL_OK);
        merge(&rec, turn == 0 ? &removal : &addition);
        merge(&rec, turn == 0 ? &addition : &removal);
        ck_assert_str_eq(sports(&rec), "a ");
        sl_op both = change(&rec, "", "\"a\"", 1, 4); /* has seen all */
        merge(&rec, &both);
        ck_assert_str_eq(sports(&rec), "");
        sl_op_free(&both);
        sl_record_free(&rec);
    }
    sl_op_free(&first);
    sl_op_free(&removal);
    sl_op_free(&addition);
    sl_record_free(&base);
}
END_TEST

/* As the service has it of a device whose clock runs ahead: its stamps are cut. */
static void merge_cut(sl_record *rec, sl_record *own, const char *adds, const char *removes,
                      unsigned time, unsigned cut)
{
    sl_op op = change(own, adds, removes, time, 1);
    merge(own, &op);
    op.hlc.time = cut;
    merge(rec, &op);
    sl_op_free(&op);
}

START_TEST(set__what_a_removal_saw_of_its_device_is_cut_with_its_stamp) /* [SET-2] */
{
    sl_record rec = profile();
    sl_record own = profile();
    merge_cut(&rec, &own, "\"a\",\"b\"", "", 900, 100);
    merge_cut(&rec, &own, "", "\"a\"", 901, 101);
    ck_assert_str_eq(sports(&rec), "b ");
    merge_cut(&rec, &own, "\"a\"", "", 902, 102);
    ck_assert_str_eq(sports(&own), "a b ");
    ck_assert_str_eq(sports(&rec), "a b ");
    sl_record_free(&own);
    sl_record_free(&rec);
}
END_TEST

START_TEST(set__without_what_it_saw_a_removal_takes_what_is_older)
{
    sl_record rec = profile();
    sl_op ops[] = {change(NULL, "\"a\"", "", 5, 1), change(NULL, "", "\"a\"", 9, 2),
                   change(NULL, "\"a\"", "", 8, 3), change(NULL, "\"a\"", "", 10, 3)};
    static const char *const after[] = {"a ", "", "", "a "};
    for (size_t i = 0; i < 4; i++) {
        merge(&rec, &ops[i]);
        ck_assert_str_eq(sports(&rec), after[i]);
        sl_op_free(&ops[i]);
    }
    sl_record_free(&rec);
}
END_TEST

enum {
    OPS = 14
};

/* Merges the operations in an order of the seed's, some of them twice. */
static char *fold(const sl_op *ops, uint64_t seed)
{
    sl_prng r;
    sl_prng_seed(&r, seed);
    size_t order[OPS];
    for (size_t i = 0; i < OPS; i++) {
        order[i] = i;
    }
    for (size_t i = OPS - 1; i > 0; i--) {
        size_t k = (size_t)sl_prng_below(&r, i + 1);
        size_t t = order[i];
        order[i] = order[k];
        order[k] = t;
    }
    sl_record rec = profile();
    for (size_t i = 0; i < OPS; i++) {
        for (uint64_t times = 1 + sl_prng_below(&r, 2); times > 0; times--) {
            merge(&rec, &ops[order[i]]);
        }
    }
    char *out = sl_text_dup(sports(&rec));
    sl_record_free(&rec);
    return out;
}

/* Three devices that have each seen a part of what was done before. */
static void history(sl_prng *r, sl_op *ops)
{
    static const char *const names[] = {"\"a\"", "\"b\"", "\"c\""};
    sl_record devices[3] = {profile(), profile(), profile()};
    for (unsigned i = 0; i < OPS; i++) {
        unsigned d = (unsigned)sl_prng_below(r, 3);
        const char *name = names[sl_prng_below(r, 3)];
        bool adds = sl_prng_below(r, 2) == 0;
        bool blind = sl_prng_below(r, 6) == 0;
        ops[i] = change(blind ? NULL : &devices[d], adds ? name : "", adds ? "" : name,
                        10 + i * 3 + d, d + 1);
        for (unsigned k = 0; k < 3; k++) {
            if (k == d || sl_prng_below(r, 2) == 0) {
                merge(&devices[k], &ops[i]);
            }
        }
    }
    for (size_t k = 0; k < 3; k++) {
        sl_record_free(&devices[k]);
    }
}

START_TEST(set__any_order_and_any_repetition_converge) /* [SET-1] */
{
    sl_prng r;
    sl_prng_seed(&r, 7);
    for (int round = 0; round < 150; round++) {
        sl_op ops[OPS];
        history(&r, ops);
        char *first = fold(ops, 1);
        for (uint64_t seed = 2; seed < 8; seed++) {
            char *other = fold(ops, seed);
            ck_assert_str_eq(first, other);
            sl_mem_free(other);
        }
        sl_mem_free(first);
        for (size_t i = 0; i < OPS; i++) {
            sl_op_free(&ops[i]);
        }
    }
}
END_TEST

START_TEST(set__both_sides_of_its_limit_of_marks)
{
    sl_record rec = profile();
    for (unsigned i = 0; i <= SL_SET_MARKS_MAX; i += 2) {
        char name[32];
        (void)snprintf(name, sizeof name, "\"n%u\"", i);
        sl_op add = change(&rec, name, "", 10 + i, 1);
        sl_merged merged;
        sl_status expected = i < SL_SET_MARKS_MAX ? SL_OK : SL_E_LIMIT;
        ck_assert_int_eq(sl_merge_op(&rec, &add, &merged, NULL), expected);
        sl_op_free(&add);
        if (expected == SL_OK) {
            sl_op out = change(&rec, "", name, 11 + i, 1);
            merge(&rec, &out);
            sl_op_free(&out);
        }
    }
    ck_assert_str_eq(sports(&rec), "");
    sl_record_free(&rec);
}
END_TEST

/* What the schema says to a patch of a profile. */
static sl_status check(const char *fields)
{
    sl_op op = {.entity = sl_entity_find("profile")};
    sl_json *j = sl_json_parse(fields, strlen(fields));
    ck_assert_ptr_nonnull(j);
    sl_status status = sl_op_set_fields(&op, j, NULL);
    if (status == SL_OK) {
        status = sl_schema_check(op.entity, op.values, op.has, false, NULL);
    }
    sl_json_free(j);
    sl_op_free(&op);
    return status;
}

START_TEST(set__an_operation_that_is_malformed_is_refused)
{
    static const char *const bad[] = {"{\"sports\":[\"a\"]}",
                                      "{\"sports\":null}",
                                      "{\"sports\":{\"add\":\"a\"}}",
                                      "{\"sports\":{\"add\":[1]}}",
                                      "{\"sports\":{\"add\":[\"\"]}}",
                                      "{\"sports\":{\"put\":[\"a\"]}}",
                                      "{\"sports\":{\"seen\":{\"a\":{\"x\":\"y\"}}}}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(check(bad[i]), SL_E_INVALID);
    }
    for (int n = 64; n <= 65; n++) {
        char text[128];
        (void)snprintf(text, sizeof text, "{\"sports\":{\"add\":[\"%0*d\"]}}", n, 0);
        ck_assert_int_eq(check(text), n == 64 ? SL_OK : SL_E_INVALID);
    }
}
END_TEST

START_TEST(set__survives_every_allocation_failure)
{
    sl_record base = profile();
    sl_op first = change(&base, "\"a\"", "", 5, 1);
    merge(&base, &first);
    for (uint64_t k = 1;; k++) {
        sl_record rec = {0};
        ck_assert_int_eq(sl_record_copy(&rec, &base), SL_OK);
        sl_op op = change(NULL, "\"b\"", "\"a\"", 9, 2);
        sl_merged merged;
        sl_mem_fail_at(k, false);
        sl_status status = sl_set_observe(&rec, &op, NULL);
        status = status == SL_OK ? sl_merge_op(&rec, &op, &merged, NULL) : status;
        sl_mem_fail_at(0, false);
        bool done = status == SL_OK;
        ck_assert(done || status == SL_E_NOMEM);
        sl_op_free(&op);
        sl_record_free(&rec);
        if (done) {
            break;
        }
    }
    sl_op_free(&first);
    sl_record_free(&base);
}
END_TEST

static int64_t done_of(const sl_record *rec)
{
    return sl_record_int(rec, "done", 0);
}

START_TEST(counter__sums_in_any_order)
{
    static const char *const deltas[] = {"{\"done\":5}", "{\"done\":-2}", "{\"done\":10}"};
    for (unsigned from = 0; from < 3; from++) {
        sl_record rec = {0};
        sl_op op = op_of("create", "goal", "{\"title\":\"x\",\"done\":1}", 1, 1);
        merge(&rec, &op);
        sl_op_free(&op);
        for (unsigned i = 0; i < 3; i++) {
            unsigned k = (from + i) % 3;
            op = op_of("patch", "goal", deltas[k], 10 + k, k + 1);
            ck_assert_int_eq(merge(&rec, &op), SL_MERGED_ALL);
            sl_op_free(&op);
        }
        ck_assert_int_eq(done_of(&rec), 14);
        op = op_of("patch", "goal", "{\"done\":0}", 20, 1);
        ck_assert_int_eq(merge(&rec, &op), SL_MERGED_NOTHING);
        sl_op_free(&op);
        sl_record_free(&rec);
    }
}
END_TEST

START_TEST(counter__a_replay_leaves_out_what_the_confirmed_state_has_counted)
{
    sl_record confirmed = {0};
    sl_op make = op_of("create", "goal", "{\"title\":\"x\"}", 1, 1);
    sl_op first = op_of("patch", "goal", "{\"done\":5,\"unit\":\"laps\"}", 10, 1);
    sl_op second = op_of("patch", "goal", "{\"done\":3}", 11, 1);
    sl_op theirs = op_of("patch", "goal", "{\"done\":100}", 12, 2);
    sl_merged merged;
    merge(&confirmed, &make);
    merge(&confirmed, &theirs);
    merge(&confirmed, &first); /* the echo is here before the receipt */
    for (int turn = 0; turn < 3; turn++) {
        sl_record visible = {0};
        ck_assert_int_eq(sl_record_copy(&visible, &confirmed), SL_OK);
        ck_assert_int_eq(sl_merge_replay(&visible, &first, &merged, NULL), SL_OK);
        ck_assert_int_eq(sl_merge_replay(&visible, &second, &merged, NULL), SL_OK);
        ck_assert_int_eq(done_of(&visible), 108);
        ck_assert_str_eq(sl_record_text(&visible, "unit"), "laps");
        sl_record_free(&visible);
    }
    sl_record visible = {0};
    ck_assert_int_eq(sl_record_copy(&visible, &confirmed), SL_OK);
    merge(&visible, &first); /* merged, not replayed: counted again */
    ck_assert_int_eq(done_of(&visible), 110);
    sl_record_free(&visible);
    sl_record_free(&confirmed);
    sl_op_free(&make);
    sl_op_free(&first);
    sl_op_free(&second);
    sl_op_free(&theirs);
}
END_TEST

START_TEST(counter__stops_where_whole_numbers_end)
{
    sl_record rec = {0};
    sl_merged merged;
    sl_op make = op_of("create", "goal", "{\"title\":\"x\"}", 1, 1);
    sl_op one = op_of("patch", "goal", "{\"done\":1}", 10, 1);
    merge(&rec, &make);
    const sl_cell most = sl_cell_int(9007199254740990);
    ck_assert_int_eq(sl_record_set(&rec, sl_field_find(rec.entity, "done"), &most, NULL), SL_OK);
    ck_assert_int_eq(sl_merge_op(&rec, &one, &merged, NULL), SL_OK);
    ck_assert_int_eq(sl_merge_op(&rec, &one, &merged, NULL), SL_E_LIMIT);
    sl_op_free(&make);
    sl_op_free(&one);
    sl_record_free(&rec);
}
END_TEST

SL_TEST_MAIN("set", set__is_sorted_and_has_each_element_once,
             set__an_addition_that_a_removal_had_not_seen_outlives_it,
             set__what_a_removal_saw_of_its_device_is_cut_with_its_stamp,
             set__without_what_it_saw_a_removal_takes_what_is_older,
             set__any_order_and_any_repetition_converge, set__both_sides_of_its_limit_of_marks,
             set__an_operation_that_is_malformed_is_refused, set__survives_every_allocation_failure,
             counter__sums_in_any_order,
             counter__a_replay_leaves_out_what_the_confirmed_state_has_counted,
             counter__stops_where_whole_numbers_end)
