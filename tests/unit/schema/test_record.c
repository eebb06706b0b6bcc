/* Cells, and records as bytes and JSON, by property over every entity. */
#include "base/error.h"
#include "unit/schema/random.h"

#include <math.h>

enum {
    ROUNDS = 40 /* of each entity */
};

START_TEST(cell__is_the_same_when_kind_and_content_are)
{
    const sl_cell cells[] = {sl_cell_text(NULL),     sl_cell_text(""),    sl_cell_text("a"),
                             sl_cell_text("b"),      sl_cell_text("ab"),  sl_cell_int(0),
                             sl_cell_int(1),         sl_cell_real(0),     sl_cell_real(1.5),
                             sl_cell_blob("a", 1),   sl_cell_blob("", 0), sl_cell_blob("a\0b", 3),
                             sl_cell_blob("a\0c", 3)};
    size_t n = sizeof cells / sizeof cells[0];
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            ck_assert(sl_cell_same(&cells[i], &cells[k]) == (i == k));
        }
    }
}
END_TEST

START_TEST(cell__gives_its_number_or_the_other)
{
    const sl_cell cells[] = {sl_cell_int(7),     sl_cell_real(7.9), sl_cell_real(-7.9),
                             sl_cell_real(1e30), sl_cell_text("7"), sl_cell_text(NULL)};
    static const int64_t numbers[] = {7, 7, -7, -1, -1, -1};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        ck_assert_int_eq(sl_cell_int_or(&cells[i], -1), numbers[i]);
    }
    const sl_cell nan = sl_cell_real((double)NAN);
    ck_assert_int_eq(sl_cell_int_or(&nan, -1), -1);
    ck_assert_ptr_null(sl_cell_str(&cells[0]));
    ck_assert_str_eq(sl_cell_str(&cells[4]), "7");
}
END_TEST

START_TEST(cell__keeps_its_bytes_in_the_arena)
{
    char text[] = "elbow";
    sl_arena mem = {NULL, NULL};
    sl_cell t = sl_cell_text_n(text, 3);
    sl_cell b = sl_cell_blob("a\0b", 3);
    sl_cell n = sl_cell_int(5);
    sl_mem_fail_at(1, true);
    sl_cell none = t;
    ck_assert(!sl_cell_keep(&none, &mem));
    ck_assert(sl_cell_keep(&n, &mem));
    sl_mem_fail_at(0, false);
    ck_assert(sl_cell_keep(&t, &mem) && sl_cell_keep(&b, &mem));
    memset(text, 'x', 5);
    ck_assert_str_eq(t.text, "elb");
    ck_assert_mem_eq(b.blob, "a\0b", 3);
    sl_arena_free(&mem);
}
END_TEST

/* Runs fn over records of every entity. */
static void over_records(void (*fn)(sl_prng *r, const sl_record *rec))
{
    sl_prng r;
    sl_record rec = {0};
    sl_prng_seed(&r, 21);
    for (size_t e = 0; e < sl_entity_count; e++) {
        for (int i = 0; i < ROUNDS; i++) {
            random_record(&r, &sl_entities[e], &rec);
            fn(&r, &rec);
        }
    }
    sl_record_free(&rec);
}

static void pack_and_unpack(sl_prng *r, const sl_record *rec)
{
    sl_buf bytes = {0};
    sl_record back = {0};
    (void)r;
    sl_record_pack(&bytes, rec);
    ck_assert_int_eq(sl_record_unpack(&back, bytes.data, bytes.len, NULL), SL_OK);
    same_record(rec, &back);
    for (size_t i = 0; i < rec->entity->field_count; i++) {
        ck_assert(sl_cell_same(&rec->values[i], &back.values[i]));
        ck_assert_int_eq(sl_hlc_compare(sl_record_written(rec, &rec->entity->fields[i]),
                                        sl_record_written(&back, &rec->entity->fields[i])),
                         0);
    }
    ck_assert_int_eq(rec->seq, back.seq);
    ck_assert(rec->deleted == back.deleted);
    ck_assert_str_eq(rec->id, back.id);
    ck_assert_str_eq(rec->space, back.space);
    sl_record_free(&back);
    sl_buf_free(&bytes);
}

START_TEST(pack__is_read_back_for_every_entity)
{
    over_records(pack_and_unpack);
}
END_TEST

static void check_refused(const uint8_t *p, size_t n)
{
    sl_record back = {0};
    uint8_t *exact = malloc(n > 0 ? n : 1); /* a sanitizer sees one byte too far */
    ck_assert_ptr_nonnull(exact);
    if (n > 0) {
        memcpy(exact, p, n);
    }
    ck_assert_int_eq(sl_record_unpack(&back, exact, n, NULL), SL_E_CORRUPT);
    ck_assert_ptr_null(back.entity);
    sl_record_free(&back);
    free(exact);
}

static void cut(sl_prng *r, const sl_record *rec)
{
    sl_buf bytes = {0};
    sl_record_pack(&bytes, rec);
    for (size_t n = 0; n < bytes.len;
         n += 1 + (bytes.len > 300 ? (size_t)sl_prng_below(r, 30) : 0)) {
        check_refused(bytes.data, n);
    }
    sl_buf_u8(&bytes, 0);
    check_refused(bytes.data, bytes.len);
    sl_buf_free(&bytes);
}

START_TEST(pack__refuses_every_truncation_and_what_follows)
{
    over_records(cut);
}
END_TEST

/* Values of fields that this version does not know, of every tag, before the closing zero. */
static void with_unknown(sl_buf *out, const uint8_t *bytes, size_t n)
{
    static const uint8_t tags[] = {0, 1, 2, 3, 4, 5};
    static const uint8_t content[40] = {0x81, 1};
    static const size_t lengths[] = {0, 2, 8, 0, 16, 32};
    sl_buf_put(out, bytes, n - 1);
    for (size_t i = 0; i < sizeof tags; i++) {
        sl_buf_varint(out, 5000 + i);
        sl_buf_u8(out, tags[i]);
        if (tags[i] == 3) {
            sl_buf_u8(out, 2);
            sl_buf_str(out, "hi");
        }
        sl_buf_put(out, content, lengths[i]);
    }
    sl_buf_u8(out, 0);
}

static void add_unknown(sl_prng *r, const sl_record *rec)
{
    sl_buf bytes = {0};
    sl_buf more = {0};
    sl_record back = {0};
    (void)r;
    sl_record_pack(&bytes, rec);
    with_unknown(&more, bytes.data, bytes.len);
    ck_assert_int_eq(sl_record_unpack(&back, more.data, more.len, NULL), SL_OK);
    same_record(rec, &back);
    sl_record_free(&back);
    sl_buf_free(&bytes);
    sl_buf_free(&more);
}

START_TEST(pack__leaves_unknown_fields_out)
{
    over_records(add_unknown);
}
END_TEST

/* A record of no values with these bytes as its values. */
static sl_status unpack_values(const char *entity, const void *p, size_t n)
{
    sl_arena mem = {NULL, NULL};
    sl_cell *values = NULL;
    uint64_t has = 0;
    sl_status status = sl_values_unpack(sl_entity_find(entity), p, n, &mem, &values, &has, NULL);
    sl_arena_free(&mem);
    return status;
}

START_TEST(values__of_another_kind_or_unknown_tag_are_refused)
{
#define VALUES(s) unpack_values("comment", (s), sizeof(s) - 1)
    ck_assert_int_eq(VALUES("\x01\x03\x01x\x00"), SL_OK); /* body */
    ck_assert_int_eq(VALUES("\x00"), SL_OK);
    ck_assert_int_eq(VALUES("\x01\x01\x02\x00"), SL_E_CORRUPT);  /* a number for it */
    ck_assert_int_eq(VALUES("\x02\x03\x01x\x00"), SL_E_CORRUPT); /* text for at_us */
    ck_assert_int_eq(VALUES("\x01\x06\x00"), SL_E_CORRUPT);
    ck_assert_int_eq(VALUES("\x01\xFF\x00"), SL_E_CORRUPT);
    ck_assert_int_eq(VALUES("\x01\x03\x02x\x00\x00"), SL_E_CORRUPT); /* a NUL in text */
    ck_assert_int_eq(VALUES("\x01\x03\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7Fx\x00"), SL_E_CORRUPT);
    ck_assert_int_eq(VALUES("\x01\x03\x01x"), SL_E_CORRUPT);
    ck_assert_int_eq(VALUES(""), SL_E_CORRUPT);
#undef VALUES
}
END_TEST

START_TEST(values__tell_absent_ones_from_nulls)
{
    const sl_entity *e = sl_entity_find("comment");
    sl_arena mem = {NULL, NULL};
    sl_buf bytes = {0};
    sl_cell in[3] = {sl_cell_text(NULL), sl_cell_int(-5), sl_cell_text(NULL)};
    sl_cell *out = NULL;
    uint64_t has = 0;
    ck_assert_uint_eq(e->field_count, 3);
    sl_values_pack(&bytes, e, in, 3);
    ck_assert_int_eq(sl_values_unpack(e, bytes.data, bytes.len, &mem, &out, &has, NULL), SL_OK);
    ck_assert_uint_eq(has, 3);
    ck_assert_int_eq(out[0].kind, SL_CELL_NULL);
    ck_assert_int_eq(out[1].i, -5);
    sl_arena_free(&mem);
    sl_buf_free(&bytes);
}
END_TEST

static void spoil(sl_prng *r, const sl_record *rec)
{
    sl_buf bytes = {0};
    sl_buf out = {0};
    sl_record back = {0};
    sl_record_pack(&bytes, rec);
    for (int i = 0; i < 10; i++) {
        uint8_t *at = &bytes.data[sl_prng_below(r, bytes.len)];
        uint8_t was = *at;
        *at = (uint8_t)sl_prng_below(r, 256);
        sl_status status = sl_record_unpack(&back, bytes.data, bytes.len, NULL);
        ck_assert(status == SL_OK || status == SL_E_CORRUPT);
        if (status == SL_OK) { /* another record, but one */
            sl_record_put_wire(&out, &back);
            sl_record_pack(&out, &back);
        }
        *at = was;
    }
    sl_record_free(&back);
    sl_buf_free(&bytes);
    sl_buf_free(&out);
}

START_TEST(pack__spoiled_bytes_are_a_record_or_refused)
{
    over_records(spoil);
}
END_TEST

static void clocks_back(sl_prng *r, const sl_record *rec)
{
    sl_buf bytes = {0};
    sl_buf again = {0};
    sl_record back = {0};
    (void)r;
    sl_record_put_clocks(&bytes, rec);
    ck_assert_int_eq(sl_record_make(&back, rec->entity, rec->id, rec->space, NULL), SL_OK);
    ck_assert_int_eq(sl_record_read_clocks(&back, bytes.data, bytes.len, NULL), SL_OK);
    sl_record_put_clocks(&again, &back);
    ck_assert_uint_eq(again.len, bytes.len);
    ck_assert_mem_eq(again.data, bytes.data, bytes.len);
    for (size_t n = 0; n < bytes.len; n++) {
        ck_assert_int_eq(sl_record_read_clocks(&back, bytes.data, n, NULL), SL_E_CORRUPT);
    }
    bytes.data[bytes.len - 1] = 0x7F; /* clocks of an unknown field: a stamp, marks */
    sl_buf_u8(&bytes, 0);
    sl_buf_put(&bytes, "123456789012\x7F\x01\x02{}", 17);
    sl_buf_u8(&bytes, 0);
    ck_assert_int_eq(sl_record_make(&back, rec->entity, rec->id, rec->space, NULL), SL_OK);
    ck_assert_int_eq(sl_record_read_clocks(&back, bytes.data, bytes.len, NULL), SL_OK);
    sl_buf_clear(&bytes);
    sl_record_put_clocks(&bytes, &back);
    ck_assert_uint_eq(again.len, bytes.len);
    ck_assert_mem_eq(again.data, bytes.data, bytes.len);
    sl_record_free(&back);
    sl_buf_free(&bytes);
    sl_buf_free(&again);
}

START_TEST(clocks__are_read_back_cut_and_with_unknown_ones)
{
    over_records(clocks_back);
}
END_TEST

static void wire_back(sl_prng *r, const sl_record *rec)
{
    sl_buf text = {0};
    sl_record back = {0};
    (void)r;
    sl_record_put_wire(&text, rec);
    ck_assert_msg(sl_json_ok(sl_buf_text(&text), text.len), "%s", sl_buf_text(&text));
    sl_json *j = sl_json_parse(sl_buf_text(&text), text.len);
    ck_assert_int_eq(sl_record_from_wire(&back, j, NULL), SL_OK);
    back.birth = rec->deleted ? rec->birth : back.birth;
    for (size_t i = 0; i < rec->entity->field_count; i++) { /* real ones too, to the last bit */
        ck_assert(sl_cell_same(&rec->values[i], &back.values[i]));
    }
    sl_buf_clear(&text);
    sl_record_put_public(&text, &back, true);
    ck_assert(sl_json_ok(sl_buf_text(&text), text.len));
    same_record(rec, &back);
    sl_json_free(j);
    sl_record_free(&back);
    sl_buf_free(&text);
}

START_TEST(wire__is_read_back_for_every_entity)
{
    over_records(wire_back);
}
END_TEST

static void copy_and_change(sl_prng *r, const sl_record *rec)
{
    sl_record copy = {0};
    sl_record other = {0};
    random_record(r, &sl_entities[sl_prng_below(r, sl_entity_count)], &copy);
    ck_assert_int_eq(sl_record_copy(&copy, rec), SL_OK); /* in the place of another */
    same_record(rec, &copy);
    ck_assert_int_eq(sl_record_copy(&other, &copy), SL_OK);
    sl_record_free(&copy);
    same_record(rec, &other);
    sl_record_free(&other);
}

START_TEST(record__a_copy_is_its_own)
{
    over_records(copy_and_change);
    sl_record none = {0};
    sl_record to = {0};
    ck_assert_int_eq(sl_record_copy(&to, &none), SL_OK);
    ck_assert_ptr_null(to.entity);
}
END_TEST

START_TEST(record__is_made_of_an_entity_an_id_and_a_space)
{
    static const char id[] = "01890000-0000-7000-8000-000000000001";
    static const char space[] = "video:01890000-0000-7000-8000-000000000002";
    const sl_entity *e = sl_entity_find("comment");
    sl_record rec = {0};
    ck_assert_int_eq(sl_record_make(&rec, NULL, id, space, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_record_make(&rec, e, "x", space, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_record_make(&rec, e, NULL, space, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_record_make(&rec, e, id, "video", NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_record_make(&rec, e, id, space, NULL), SL_OK);
    /* Again, of what it holds itself. */
    ck_assert_int_eq(sl_record_make(&rec, rec.entity, rec.id, rec.space, NULL), SL_OK);
    ck_assert_str_eq(rec.id, id);
    ck_assert_str_eq(rec.space, space);
    ck_assert_ptr_null(sl_record_text(&rec, "body"));
    ck_assert_int_eq(sl_record_int(&rec, "at_us", -1), -1);
    sl_record_free(&rec);
}
END_TEST

START_TEST(record__survives_every_allocation_failure)
{
    sl_prng r;
    sl_record rec = {0};
    sl_record back = {0};
    sl_buf bytes = {0};
    sl_prng_seed(&r, 4);
    do {
        random_record(&r, sl_entity_find("goal"), &rec);
    } while (rec.deleted || rec.ext == NULL || rec.clocks == NULL);
    sl_record_pack(&bytes, &rec);
    sl_status status = SL_E_NOMEM;
    for (uint64_t k = 1; status != SL_OK; k++) {
        ck_assert_uint_lt(k, 1000);
        sl_mem_fail_at(k, false);
        status = sl_record_unpack(&back, bytes.data, bytes.len, NULL);
        sl_mem_fail_at(0, false);
        ck_assert(status == SL_OK || status == SL_E_NOMEM);
        sl_record_free(&back);
    }
    status = SL_E_NOMEM;
    for (uint64_t k = 1; status != SL_OK; k++) {
        sl_mem_fail_at(k, false);
        status = sl_record_copy(&back, &rec);
        sl_mem_fail_at(0, false);
        ck_assert(status == SL_OK || (status == SL_E_NOMEM && back.entity == NULL));
    }
    same_record(&rec, &back);
    sl_record_free(&back);
    sl_record_free(&rec);
    sl_buf_free(&bytes);
}
END_TEST

SL_TEST_MAIN("record", cell__is_the_same_when_kind_and_content_are,
             cell__gives_its_number_or_the_other, cell__keeps_its_bytes_in_the_arena,
             pack__is_read_back_for_every_entity, pack__refuses_every_truncation_and_what_follows,
             pack__leaves_unknown_fields_out, values__of_another_kind_or_unknown_tag_are_refused,
             values__tell_absent_ones_from_nulls, pack__spoiled_bytes_are_a_record_or_refused,
             clocks__are_read_back_cut_and_with_unknown_ones, wire__is_read_back_for_every_entity,
             record__a_copy_is_its_own, record__is_made_of_an_entity_an_id_and_a_space,
             record__survives_every_allocation_failure)
