/*
 * tests/unit/schema/random.h - values, records and clocks of any entity, made by a seed: what the
 * schema allows, its limits among them.
 */
#ifndef SL_TESTS_RANDOM_H
#define SL_TESTS_RANDOM_H

#include "base/mem.h"
#include "base/prng.h"
#include "schema/record.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

static inline void random_uuid(sl_prng *r, char out[SL_UUID_LEN + 1])
{
    uint8_t bytes[SL_UUID_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)sl_prng_below(r, 256);
    }
    sl_uuid_encode(out, bytes);
}

static inline void random_space(sl_prng *r, const sl_entity *e, char out[SL_SPACE_MAX])
{
    char id[SL_UUID_LEN + 1];
    random_uuid(r, id);
    sl_space_name(out, e->space_kind, id);
}

static inline sl_hlc random_stamp(sl_prng *r)
{
    return (sl_hlc){1 + sl_prng_next(r) % ((uint64_t)1 << 62), (uint32_t)sl_prng_next(r)};
}

/* Text of the field's length, at a limit now and then. */
static inline sl_cell random_text(sl_prng *r, const sl_field *f, sl_arena *mem)
{
    static const char *const parts[] = {"a",  "Z",    " ",    "\"",       "\\",
                                        "\n", "\x01", "\x7F", "\xC3\xA9", "\xF0\x9F\x8E\xBE"};
    int64_t most = f->max < 60 ? f->max : 60;
    int64_t want = sl_prng_below(r, 8) == 0 && f->max < 5000 ? f->max
                   : sl_prng_below(r, 8) == 0
                       ? f->min
                       : f->min + (int64_t)sl_prng_below(r, (uint64_t)(most - f->min) + 1);
    char *text = sl_arena_take(mem, (size_t)want + 1);
    ck_assert_ptr_nonnull(text);
    size_t n = 0;
    while (n < (size_t)want) {
        const char *part = parts[sl_prng_below(r, sizeof parts / sizeof parts[0])];
        size_t len = strlen(part);
        part = n + len <= (size_t)want ? part : "b";
        len = strlen(part);
        memcpy(text + n, part, len);
        n += len;
    }
    text[n] = 0;
    return sl_cell_text_n(text, n);
}

static inline sl_cell random_number(sl_prng *r, const sl_field *f)
{
    if (f->type == SL_T_BOOL) {
        return sl_cell_int((int64_t)sl_prng_below(r, 2));
    }
    if (f->type == SL_T_REAL) {
        return sl_cell_real((double)(int64_t)sl_prng_below(r, 2000) / 7.0 - 99);
    }
    uint64_t kind = sl_prng_below(r, 4);
    return sl_cell_int(kind == 0 ? f->min
                       : kind == 1
                           ? f->max
                           : f->min + (int64_t)sl_prng_below(r, (uint64_t)(f->max - f->min)));
}

static inline sl_cell random_cell(sl_prng *r, const sl_field *f, sl_arena *mem)
{
    static const char *const trees[] = {"{}", "[]", "{\"width\":3.25,\"c\":[1,null,\"\\\"\"]}",
                                        "[true]"};
    char text[65];
    sl_cell c = sl_cell_text(NULL);
    switch (f->type) {
    case SL_T_TEXT: return random_text(r, f, mem);
    case SL_T_INT:
    case SL_T_REAL:
    case SL_T_BOOL: return random_number(r, f);
    case SL_T_JSON:
        return sl_cell_text(f->merge == SL_M_SET ? "[\"golf\",\"judo\"]"
                                                 : trees[sl_prng_below(r, 4)]);
    case SL_T_REF:
        random_uuid(r, text);
        c = sl_cell_text(text);
        break;
    case SL_T_BLOB:
        for (size_t i = 0; i < 64; i++) {
            text[i] = "0123456789abcdef"[sl_prng_below(r, 16)];
        }
        c = sl_cell_text_n(text, 64);
        break;
    case SL_T_ENUM: {
        size_t n = 0;
        while (f->values[n] != NULL) {
            n++;
        }
        return sl_cell_text(f->values[sl_prng_below(r, n)]);
    }
    }
    ck_assert(sl_cell_keep(&c, mem));
    return c;
}

static inline void random_clock(sl_prng *r, sl_record *rec, const sl_field *f)
{
    sl_clock *clock = sl_record_clock(rec, f);
    ck_assert_ptr_nonnull(clock);
    if (f->merge == SL_M_SET) {
        clock->marks = "{\"add\":{\"golf\":{\"0000000a\":\"018b000000000001\"}},\"remove\":{}}";
    } else if (f->merge == SL_M_COUNTER) {
        clock->marks = "{\"0000000a\":\"018b000000000001\"}";
    } else {
        clock->at = random_stamp(r);
    }
}

/* A record of the id and space; in a zeroed struct or in the place of another. */
static inline void random_record_of(sl_prng *r, const sl_entity *e, const char *id,
                                    const char *space, sl_record *rec)
{
    sl_json *later = sl_json_parse("[1,\"x\"]", 7);
    ck_assert_int_eq(sl_record_make(rec, e, id, space, NULL), SL_OK);
    rec->seq = (int64_t)sl_prng_below(r, (uint64_t)SL_JSON_INT_MAX);
    rec->birth = random_stamp(r);
    for (size_t i = 0; i < e->field_count; i++) {
        if (sl_prng_below(r, 4) > 0) {
            rec->values[i] = random_cell(r, &e->fields[i], &rec->mem);
            ck_assert_int_eq(sl_schema_check_value(&e->fields[i], &rec->values[i], NULL), SL_OK);
        }
        if (sl_prng_below(r, 3) == 0) {
            random_clock(r, rec, &e->fields[i]);
        }
    }
    if (sl_prng_below(r, 4) == 0) {
        ck_assert_int_eq(sl_record_set_ext(rec, "later", later, NULL), SL_OK);
    }
    if (sl_prng_below(r, 10) == 0) {
        sl_record_bury(rec);
    }
    sl_json_free(later);
}

static inline void random_record(sl_prng *r, const sl_entity *e, sl_record *rec)
{
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    random_uuid(r, id);
    random_space(r, e, space);
    random_record_of(r, e, id, space, rec);
}

/* All of it: values, clocks, ext, by their bytes. */
static inline void same_record(const sl_record *a, const sl_record *b)
{
    sl_buf x = {0};
    sl_buf y = {0};
    ck_assert_ptr_nonnull(b->entity);
    sl_record_pack(&x, a);
    sl_record_pack(&y, b);
    ck_assert(!x.failed && !y.failed);
    ck_assert_msg(x.len == y.len && memcmp(x.data, y.data, x.len) == 0, "two %s differ",
                  a->entity->name);
    sl_buf_free(&x);
    sl_buf_free(&y);
}

#endif
