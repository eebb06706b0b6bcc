/* Frames: what goes in at one end comes out at the other, and nothing else does. */
#include "support.h"
#include "sync/zip.h"
#include "unit/sync/frames.h"

#include <stdio.h>
#include <string.h>

#define SPACE "video:01890000-0000-7000-8000-0000000000aa"
#define EPOCH "01890000-0000-7000-8000-0000000000ee"
#define WHO   "01890000-0000-7000-8000-0000000000bb"

enum {
    ROUNDS = 6,
    MANY = 150
};

static void records_pass(ends *e, const sl_entity *entity, size_t n)
{
    char space[SL_SPACE_MAX];
    sl_record *sent = calloc(n, sizeof *sent);
    sl_record rec = {0};
    bool got = false;
    space_for(entity, space);
    sl_items_clear(e->items);
    for (size_t i = 0; i < n; i++) {
        random_record(e, &sent[i], entity, space, (int64_t)(11 + i));
        ck_assert_int_eq(sl_items_record(e->items, &sent[i]), SL_OK);
    }
    sl_frame f = {.kind = SL_FRAME_PAGE,
                  .space = space,
                  .epoch = EPOCH,
                  .from = 10,
                  .to = 10 + (int64_t)n,
                  .more = true};
    sl_frame back = pass(e, false, &f, e->items);
    ck_assert_int_eq(back.kind, SL_FRAME_PAGE);
    ck_assert_str_eq(back.space, space);
    ck_assert_str_eq(back.epoch, EPOCH);
    ck_assert(back.from == f.from && back.to == f.to && back.more && back.count == n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(sl_frame_record(e->in, &rec, &got, NULL), SL_OK);
        ck_assert(got && rec.entity == entity);
        record_same(&sent[i], &rec);
        sl_record_free(&sent[i]);
    }
    ck_assert_int_eq(sl_frame_record(e->in, &rec, &got, NULL), SL_OK);
    ck_assert(!got);
    sl_record_free(&rec);
    free(sent);
}

START_TEST(frame__records_of_every_entity_come_through) /* [FRAME-1] */
{
    static const size_t counts[ROUNDS] = {1, 2, 3, 17, 64, MANY};
    for (int way = 0; way < 3; way++) {
        ends e;
        ends_open(&e, way > 0, way > 1);
        for (size_t k = 0; k < sl_entity_count; k++) {
            for (size_t i = 0; i < ROUNDS; i++) {
                records_pass(&e, &sl_entities[k], counts[i]);
            }
        }
        ends_close(&e);
    }
}
END_TEST

static void ops_pass(ends *e, size_t n, int64_t first)
{
    sl_op *sent = calloc(n, sizeof *sent);
    sl_op op = {0};
    bool got = false;
    bool bad = false;
    sl_items_clear(e->items);
    for (size_t i = 0; i < n; i++) {
        char space[SL_SPACE_MAX];
        const sl_entity *entity = &sl_entities[(i / 5) % sl_entity_count];
        space_for(entity, space);
        random_op(e, &sent[i], entity, space, first + (int64_t)(i + i / 7));
        ck_assert_int_eq(sl_items_op(e->items, &sent[i]), SL_OK);
    }
    sl_frame back = pass(e, true, &(sl_frame){.kind = SL_FRAME_PUSH}, e->items);
    ck_assert_int_eq(back.kind, SL_FRAME_PUSH);
    ck_assert_uint_eq(back.count, n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_int_eq(sl_frame_op(e->in, &op, &got, &bad, NULL), SL_OK);
        ck_assert(got && !bad);
        op_same(&sent[i], &op);
        sl_op_free(&sent[i]);
    }
    ck_assert_int_eq(sl_frame_op(e->in, &op, &got, &bad, NULL), SL_OK);
    ck_assert(!got);
    sl_op_free(&op);
    free(sent);
}

START_TEST(frame__operations_come_through_in_their_order) /* [FRAME-1] */
{
    for (int way = 0; way < 3; way++) {
        ends e;
        ends_open(&e, way > 0, way > 1);
        int64_t first = 1;
        for (size_t n = 1; n <= MANY; n += n < 4 ? 1 : n) {
            ops_pass(&e, n, first);
            first += 1000;
        }
        ends_close(&e);
    }
}
END_TEST

START_TEST(frame__receipts_come_through)
{
    static const sl_receipt list[] = {
        {.n = 5, .result = SL_APPLIED, .seq = 100},
        {.n = 6, .result = SL_APPLIED, .seq = 101},
        {.n = 7, .result = SL_MERGED, .seq = 0},
        {.n = 8, .result = SL_MERGED, .seq = 0},
        {.n = 9, .result = SL_REJECTED, .code = "SL_E_DENIED", .message = "no", .field = "body"},
        {.n = 10, .result = SL_REJECTED, .code = "SL_E_DENIED", .message = "no"},
        {.n = 12, .result = SL_APPLIED, .seq = 7},
        {.n = 13, .result = SL_APPLIED, .seq = 7},
        {.n = 14, .result = SL_APPLIED, .seq = 7}};
    enum {
        N = sizeof list / sizeof list[0]
    };
    for (int way = 0; way < 2; way++) {
        for (size_t n = 1; n <= N; n++) {
            ends e;
            ends_open(&e, way > 0, false);
            for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(sl_items_receipt(e.items, &list[i]), SL_OK);
            }
            sl_frame back = pass(&e, false, &(sl_frame){.kind = SL_FRAME_RECEIPTS}, e.items);
            ck_assert_uint_eq(back.count, n);
            for (size_t i = 0; i < n; i++) {
                sl_receipt r;
                bool got = false;
                ck_assert_int_eq(sl_frame_receipt(e.in, &r, &got, NULL), SL_OK);
                ck_assert(got && r.n == list[i].n && r.seq == list[i].seq &&
                          r.result == list[i].result);
                ck_assert_pstr_eq(r.code, list[i].code);
                ck_assert_pstr_eq(r.message, list[i].message);
                ck_assert_pstr_eq(r.field, list[i].field);
            }
            ends_close(&e);
        }
    }
}
END_TEST

static void texts_same(const sl_frame *a, const sl_frame *b)
{
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_pstr_eq(a->space, b->space);
    ck_assert_pstr_eq(a->epoch, b->epoch);
    ck_assert_pstr_eq(a->token, b->token);
    ck_assert_pstr_eq(a->device, b->device);
    ck_assert_pstr_eq(a->user, b->user);
    ck_assert_pstr_eq(a->role, b->role);
    ck_assert_pstr_eq(a->code, b->code);
    ck_assert_pstr_eq(a->message, b->message);
    ck_assert_pstr_eq(a->what, b->what);
    ck_assert(a->until_ms == b->until_ms &&
              (a->data == NULL || a->data[0] == 0 || strcmp(a->data, b->data) == 0));
    ck_assert(a->version == b->version && a->floor == b->floor && a->now_ms == b->now_ms &&
              a->from == b->from && a->to == b->to && a->bytes == b->bytes &&
              a->summed == b->summed && a->sum == b->sum && a->retry_s == b->retry_s);
}

static const sl_frame FROM_CLIENT[] = {
    {.kind = SL_FRAME_CONNECT, .version = 1, .token = "a.b.c", .device = WHO, .floor = 9},
    {.kind = SL_FRAME_SUBSCRIBE, .space = SPACE, .epoch = EPOCH, .from = 300},
    {.kind = SL_FRAME_SUBSCRIBE, .space = SPACE, .epoch = "e", .from = 0},
    {.kind = SL_FRAME_UNSUBSCRIBE, .space = SPACE},
    {.kind = SL_FRAME_MORE, .bytes = 70000},
    {.kind = SL_FRAME_PREFER, .space = SPACE},
    {.kind = SL_FRAME_SIGNAL, .space = SPACE, .what = "stroke", .data = "{\"do\":\"\"}"},
    {.kind = SL_FRAME_SIGNAL, .space = SPACE, .what = "present", .data = "1"},
    {.kind = SL_FRAME_TYPING, .space = SPACE}};

static const sl_frame FROM_SERVER[] = {
    {.kind = SL_FRAME_CONNECTED, .user = WHO, .now_ms = INT64_C(1700000000000)},
    {.kind = SL_FRAME_SUBSCRIBED, .space = SPACE, .epoch = EPOCH, .to = 7, .role = "owner"},
    {.kind = SL_FRAME_SUBSCRIBED,
     .space = SPACE,
     .epoch = EPOCH,
     .to = 7,
     .role = "member",
     .summed = true,
     .sum = UINT64_C(0xfedcba9876543210)},
    {.kind = SL_FRAME_RESET, .space = SPACE, .epoch = EPOCH},
    {.kind = SL_FRAME_REVOKED, .space = SPACE},
    {.kind = SL_FRAME_TYPING, .space = SPACE, .user = WHO},
    {.kind = SL_FRAME_TYPING, .space = SPACE, .user = WHO, .until_ms = INT64_C(1700000000000)},
    {.kind = SL_FRAME_SIGNAL,
     .space = SPACE,
     .what = "stroke",
     .data = "{\"points\":[1,2]}",
     .user = WHO,
     .until_ms = INT64_C(1700000000000)},
    {.kind = SL_FRAME_SIGNAL, .space = SPACE, .what = "later", .data = "", .user = WHO},
    {.kind = SL_FRAME_ERROR, .code = "SL_E_AUTH", .message = "sign in again"},
    {.kind = SL_FRAME_ERROR, .code = "SL_E_LIMIT", .message = "later", .retry_s = 300}};

enum {
    CLIENT_KINDS = sizeof FROM_CLIENT / sizeof FROM_CLIENT[0],
    SERVER_KINDS = sizeof FROM_SERVER / sizeof FROM_SERVER[0]
};

START_TEST(frame__every_kind_comes_through)
{
    for (int way = 0; way < 2; way++) {
        ends e;
        ends_open(&e, way > 0, false);
        for (size_t i = 0; i < CLIENT_KINDS; i++) {
            sl_frame back = pass(&e, true, &FROM_CLIENT[i], NULL);
            texts_same(&FROM_CLIENT[i], &back);
        }
        for (size_t i = 0; i < SERVER_KINDS; i++) {
            sl_frame back = pass(&e, false, &FROM_SERVER[i], NULL);
            texts_same(&FROM_SERVER[i], &back);
        }
        ends_close(&e);
    }
}
END_TEST

/* Reads all that a message carries. */
static sl_status read_all(ends *e, bool at_server, const uint8_t *p, size_t n)
{
    sl_wire scratch = at_server ? e->server : e->client; /* what is learned is thrown away */
    sl_frame f;
    sl_record rec = {0};
    sl_op op = {0};
    sl_receipt r;
    bool got = true;
    bool bad = false;
    sl_status status = sl_frame_read(e->in, &scratch, p, n, &f, NULL);
    while (status == SL_OK && got) {
        if (f.kind == SL_FRAME_PUSH) {
            status = sl_frame_op(e->in, &op, &got, &bad, NULL);
            status = bad ? SL_E_INVALID : status;
        } else if (f.kind == SL_FRAME_RECEIPTS) {
            status = sl_frame_receipt(e->in, &r, &got, NULL);
        } else {
            status = sl_frame_record(e->in, &rec, &got, NULL);
        }
    }
    sl_record_free(&rec);
    sl_op_free(&op);
    return status;
}

/* No beginning of the bytes is a frame. */
static void refuses_beginnings(ends *e, bool at_server)
{
    for (size_t n = 0; n < e->bytes.len; n++) {
        uint8_t *copy = malloc(n > 0 ? n : 1); /* to the byte: a sanitizer sees beyond */
        memcpy(copy, e->bytes.data, n);
        ck_assert_msg(read_all(e, at_server, copy, n) != SL_OK, "%zu of %zu", n, e->bytes.len);
        free(copy);
    }
    ck_assert_int_eq(read_all(e, at_server, e->bytes.data, e->bytes.len), SL_OK);
}

START_TEST(frame__no_beginning_of_a_frame_is_a_frame) /* [FRAME-2] */
{
    for (int way = 0; way < 3; way++) {
        ends e;
        ends_open(&e, way > 0, way > 1);
        (void)pass(&e, true, &FROM_CLIENT[1], NULL); /* the space has its number */
        for (size_t i = 1; i < CLIENT_KINDS; i++) {
            (void)pass(&e, true, &FROM_CLIENT[i], NULL);
            refuses_beginnings(&e, true);
        }
        for (size_t i = 0; i < SERVER_KINDS; i++) {
            (void)pass(&e, false, &FROM_SERVER[i], NULL);
            refuses_beginnings(&e, false);
        }
        for (size_t k = 0; k < sl_entity_count; k += 5) {
            records_pass(&e, &sl_entities[k], 1);
            refuses_beginnings(&e, false);
            records_pass(&e, &sl_entities[k], 4);
            refuses_beginnings(&e, false);
        }
        ends_close(&e);
    }
}
END_TEST

START_TEST(frame__no_beginning_of_a_push_is_a_push) /* [FRAME-2] */
{
    for (int way = 0; way < 3; way++) {
        ends e;
        ends_open(&e, way > 0, way > 1);
        for (size_t n = 1; n < 20; n += 6) {
            sl_wire before = e.server;
            ops_pass(&e, n, 1 + (int64_t)n * 100);
            sl_wire after = e.server;
            e.server.last_n = before.last_n;
            for (size_t k = 0; k < e.bytes.len; k++) {
                ck_assert_msg(read_all(&e, true, e.bytes.data, k) != SL_OK, "%zu", k);
            }
            e.server = after;
        }
        ends_close(&e);
    }
}
END_TEST

START_TEST(frame__a_changed_byte_harms_nothing) /* [FRAME-2] */
{
    for (int way = 1; way < 3; way++) {
        ends e;
        ends_open(&e, true, way > 1);
        (void)pass(&e, true, &FROM_CLIENT[1], NULL);
        for (size_t k = 0; k < sl_entity_count; k += 3) {
            records_pass(&e, &sl_entities[k], 1 + 5 * (k % 2));
            for (size_t i = 0; i < e.bytes.len; i++) {
                uint8_t was = e.bytes.data[i];
                e.bytes.data[i] = (uint8_t)sl_prng_next(&e.prng);
                (void)read_all(&e, false, e.bytes.data, e.bytes.len);
                e.bytes.data[i] = was;
            }
        }
        ends_close(&e);
    }
}
END_TEST

START_TEST(frame__a_value_of_a_later_version_is_kept_aside)
{
    const sl_entity *entity = sl_entity_find("comment");
    for (int single = 0; single < 2; single++) {
        ends e;
        sl_record rec = {0};
        bool got = false;
        ends_open(&e, true, false);
        ck_assert_int_eq(sl_record_make(&rec, entity, WHO, SPACE, NULL), SL_OK);
        sl_json *v = sl_json_number(5);
        ck_assert_int_eq(sl_record_set_ext(&rec, "#4711", v, NULL), SL_OK);
        ck_assert_int_eq(sl_record_set_ext(&rec, "body", v, NULL), SL_OK);
        sl_json_free(v);
        rec.seq = 1;
        for (int i = 0; i < 2 - single; i++) {
            ck_assert_int_eq(sl_items_record(e.items, &rec), SL_OK);
        }
        sl_frame f = {.kind = SL_FRAME_CHANGE, .space = SPACE, .to = 2 - single};
        (void)pass(&e, false, &f, e.items);
        ck_assert_int_eq(sl_frame_record(e.in, &rec, &got, NULL), SL_OK);
        ck_assert_ptr_nonnull(rec.ext);
        ck_assert_ptr_nonnull(strstr(rec.ext, "\"#4711\":5"));
        ck_assert_ptr_nonnull(strstr(rec.ext, "\"body\":5"));
        sl_record_free(&rec);
        ends_close(&e);
    }
}
END_TEST

START_TEST(frame__a_number_kept_aside_is_a_value_for_who_knows_it)
{
    const sl_entity *entity = sl_entity_find("comment");
    char name[16];
    ends e;
    sl_record rec = {0};
    bool got = false;
    ends_open(&e, true, false);
    (void)snprintf(name, sizeof name, "#%u", sl_field_find(entity, "body")->no);
    ck_assert_int_eq(sl_record_make(&rec, entity, WHO, SPACE, NULL), SL_OK);
    sl_json *v = sl_json_string("from afar");
    ck_assert_int_eq(sl_record_set_ext(&rec, name, v, NULL), SL_OK);
    sl_json_free(v);
    rec.seq = 1;
    ck_assert_int_eq(sl_items_record(e.items, &rec), SL_OK);
    (void)pass(&e, false, &(sl_frame){.kind = SL_FRAME_CHANGE, .space = SPACE, .to = 1}, e.items);
    ck_assert_int_eq(sl_frame_record(e.in, &rec, &got, NULL), SL_OK);
    ck_assert_str_eq(sl_record_text(&rec, "body"), "from afar");
    ck_assert_ptr_null(rec.ext);
    sl_record_free(&rec);
    ends_close(&e);
}
END_TEST

START_TEST(frame__an_entity_of_a_later_version_is_passed_over)
{
    static const uint8_t bytes[] = {SL_FRAME_CHANGE,
                                    0,
                                    0,
                                    5,
                                    'v',
                                    'i',
                                    'd',
                                    'e',
                                    'o',
                                    1,
                                    2,
                                    3,
                                    4,
                                    5,
                                    6,
                                    0x70,
                                    7,
                                    0x80,
                                    1,
                                    1,
                                    1,
                                    1,
                                    1,
                                    1,
                                    1, /* space */
                                    0,
                                    2,
                                    2, /* from, to, count */
                                    0xCE,
                                    0x10,
                                    2,
                                    3,
                                    9,
                                    9,
                                    9};
    ends e;
    sl_frame f;
    sl_record rec = {0};
    bool got = false;
    ends_open(&e, true, false);
    ck_assert_int_eq(sl_frame_read(e.in, &e.client, bytes, sizeof bytes, &f, NULL), SL_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(sl_frame_record(e.in, &rec, &got, NULL), SL_OK);
        ck_assert(got && rec.entity == NULL);
    }
    ck_assert_int_eq(sl_frame_record(e.in, &rec, &got, NULL), SL_OK);
    ck_assert(!got);
    ends_close(&e);
}
END_TEST

START_TEST(frame__an_operation_of_a_later_version_is_told_from_a_broken_frame)
{
    ends e;
    sl_op op = {0};
    bool got = false;
    bool bad = false;
    sl_error *why = NULL;
    ends_open(&e, true, false);
    random_op(&e, &op, sl_entity_find("comment"), SPACE, 1);
    op.kind = SL_OP_PATCH;
    ck_assert_int_eq(sl_items_op(e.items, &op), SL_OK);
    sl_buf_clear(&e.bytes);
    sl_frame_put(&e.client, &e.bytes, &(sl_frame){.kind = SL_FRAME_PUSH}, e.items);
    uint8_t *entity = &e.bytes.data[3 + 1 + 1 + 5 + 16]; /* behind kind, flags, bits, space */
    ck_assert_uint_eq(*entity, op.entity->no);
    *entity = 0x7f;
    sl_frame f;
    ck_assert_int_eq(sl_frame_read(e.in, &e.server, e.bytes.data, e.bytes.len, &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frame_op(e.in, &op, &got, &bad, &why), SL_OK);
    ck_assert(got && bad && op.n == 1);
    ck_assert_ptr_nonnull(why);
    sl_error_release(why);
    sl_op_free(&op);
    ends_close(&e);
}
END_TEST

START_TEST(frame__only_the_client_gives_numbers_to_spaces)
{
    static const uint8_t revoked[] = {SL_FRAME_REVOKED,
                                      0,
                                      1,
                                      5,
                                      'v',
                                      'i',
                                      'd',
                                      'e',
                                      'o',
                                      1,
                                      2,
                                      3,
                                      4,
                                      5,
                                      6,
                                      0x70,
                                      7,
                                      0x80,
                                      1,
                                      1,
                                      1,
                                      1,
                                      1,
                                      1,
                                      1};
    uint8_t typing[sizeof revoked];
    ends e;
    sl_frame f;
    ends_open(&e, true, false);
    memcpy(typing, revoked, sizeof typing);
    typing[0] = SL_FRAME_TYPING;
    ck_assert_int_eq(sl_frame_read(e.in, &e.client, revoked, sizeof revoked, &f, NULL),
                     SL_E_INVALID);
    ck_assert_int_eq(sl_frame_read(e.in, &e.server, typing, sizeof typing, &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frame_read(e.in, &e.server, typing, 3, &f, NULL), SL_OK);
    ck_assert_ptr_nonnull(f.space);
    ck_assert_uint_eq(e.server.space_count, 1);
    ends_close(&e);
}
END_TEST

START_TEST(frame__spaces_beyond_the_limit_go_by_their_names)
{
    ends e;
    char space[SL_SPACE_MAX];
    ends_open(&e, true, false);
    for (int i = 0; i < SL_FRAME_SPACES_MAX + 2; i++) {
        (void)snprintf(space, sizeof space, "video:01890000-0000-7000-8000-%012x", (unsigned)i);
        sl_frame back = pass(&e, true, &(sl_frame){.kind = SL_FRAME_PREFER, .space = space}, NULL);
        ck_assert_str_eq(back.space, space);
    }
    ck_assert_uint_eq(e.client.space_count, SL_FRAME_SPACES_MAX);
    ck_assert_uint_eq(e.server.space_count, SL_FRAME_SPACES_MAX);
    ends_close(&e);
}
END_TEST

START_TEST(frame__takes_so_many_items_and_no_more)
{
    ends e;
    ends_open(&e, true, false);
    for (int i = 0; i < SL_FRAME_COUNT_MAX; i++) {
        sl_receipt r = {.n = i + 1};
        ck_assert_int_eq(sl_items_receipt(e.items, &r), SL_OK);
    }
    sl_receipt r = {.n = SL_FRAME_COUNT_MAX + 1};
    ck_assert_int_eq(sl_items_receipt(e.items, &r), SL_E_LIMIT);
    (void)pass(&e, false, &(sl_frame){.kind = SL_FRAME_RECEIPTS}, e.items);
    ck_assert_uint_lt(e.bytes.len, 16); /* one group */
    e.bytes.data[3]++;                  /* count: 4096 is 0x80 0x20 */
    ck_assert_int_eq(read_all(&e, false, e.bytes.data, e.bytes.len), SL_E_INVALID);
    ends_close(&e);
}
END_TEST

START_TEST(frame__text_that_is_none_is_refused) /* [FRAME-2] */
{
    static const char *const texts[] = {"ab\xff", "a\0b"};
    for (size_t i = 0; i < 2; i++) {
        ends e;
        sl_record rec = {0};
        ends_open(&e, true, false);
        ck_assert_int_eq(sl_record_make(&rec, sl_entity_find("comment"), WHO, SPACE, NULL), SL_OK);
        sl_cell v = sl_cell_text("abc");
        ck_assert_int_eq(sl_record_set(&rec, sl_field_find(rec.entity, "body"), &v, NULL), SL_OK);
        rec.seq = 1;
        ck_assert_int_eq(sl_items_record(e.items, &rec), SL_OK);
        (void)pass(&e, false, &(sl_frame){.kind = SL_FRAME_CHANGE, .space = SPACE, .to = 1},
                   e.items);
        size_t at = 0;
        while (memcmp(e.bytes.data + at, "abc", 3) != 0) {
            at++;
            ck_assert_uint_lt(at + 3, e.bytes.len + 1);
        }
        memcpy(e.bytes.data + at, texts[i], 3);
        ck_assert_int_eq(read_all(&e, false, e.bytes.data, e.bytes.len), SL_E_INVALID);
        sl_record_free(&rec);
        ends_close(&e);
    }
}
END_TEST

START_TEST(frame__packed_bytes_may_not_unfold_beyond_the_limit) /* [FRAME-2] */
{
    sl_buf plain = {0};
    sl_buf packed = {0};
    sl_buf out = {0};
    ck_assert_ptr_nonnull(sl_buf_room(&plain, SL_FRAME_ITEMS_MAX + 1));
    memset(plain.data, 7, SL_FRAME_ITEMS_MAX + 1);
    for (size_t over = 0; sl_zip_have() && over < 2; over++) {
        sl_buf_clear(&packed);
        ck_assert(sl_zip(&packed, plain.data, SL_FRAME_ITEMS_MAX + over));
        ck_assert_int_eq(sl_unzip(&out, packed.data, packed.len, SL_FRAME_ITEMS_MAX, NULL),
                         over == 0 ? SL_OK : SL_E_INVALID);
        sl_buf_clear(&out);
        ck_assert_int_eq(sl_unzip(&out, packed.data, packed.len - 1, SL_FRAME_ITEMS_MAX, NULL),
                         SL_E_INVALID);
    }
    sl_buf_free(&plain);
    sl_buf_free(&packed);
    sl_buf_free(&out);
}
END_TEST

SL_TEST_MAIN("frame", frame__records_of_every_entity_come_through,
             frame__operations_come_through_in_their_order, frame__receipts_come_through,
             frame__every_kind_comes_through, frame__no_beginning_of_a_frame_is_a_frame,
             frame__no_beginning_of_a_push_is_a_push, frame__a_changed_byte_harms_nothing,
             frame__a_value_of_a_later_version_is_kept_aside,
             frame__a_number_kept_aside_is_a_value_for_who_knows_it,
             frame__an_entity_of_a_later_version_is_passed_over,
             frame__an_operation_of_a_later_version_is_told_from_a_broken_frame,
             frame__only_the_client_gives_numbers_to_spaces,
             frame__spaces_beyond_the_limit_go_by_their_names,
             frame__takes_so_many_items_and_no_more, frame__text_that_is_none_is_refused,
             frame__packed_bytes_may_not_unfold_beyond_the_limit)
