/* What is told to all who listen: the same whichever encoding a connection speaks. */
#include "support.h"
#include "sync/frame.h"
#include "unit/service/world.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* The other end of a binary connection. */
typedef struct listener {
    sl_wire wire;
    sl_frame_in *in;
    sl_id conn;
    sl_json *records; /* all that came in pages and changes, as JSON has them */
    size_t changes;
    size_t receipts;
    char stroke[16 + SL_SPACE_MAX]; /* the last one, and where */
} listener;

static void tell(world *w, listener *l, const sl_frame *f, sl_items *items)
{
    sl_buf out = {0};
    sl_frame_put(&l->wire, &out, f, items);
    ck_assert(!out.failed);
    sl_service_ws_message(w->s, l->conn, out.data, out.len);
    sl_buf_free(&out);
}

static void note_records(listener *l)
{
    sl_record rec = {0};
    bool got = true;
    while (got) {
        ck_assert_int_eq(sl_frame_record(l->in, &rec, &got, NULL), SL_OK);
        if (got) {
            sl_buf text = {0};
            ck_assert_ptr_nonnull(rec.entity);
            sl_record_put_wire(&text, &rec);
            sl_json *j = sl_json_parse(sl_buf_text(&text), text.len);
            ck_assert(j != NULL && sl_json_add(l->records, j));
            sl_buf_free(&text);
        }
    }
    sl_record_free(&rec);
}

/* Reads what was sent since the last time. */
static void hear(world *w, listener *l)
{
    sl_rd rd = {w->binary.data, w->binary.len, false};
    while (rd.left > 0) {
        sl_frame f;
        size_t n = sl_rd_u32le(&rd);
        const uint8_t *p = sl_rd_take(&rd, n);
        ck_assert_ptr_nonnull(p);
        ck_assert_int_eq(sl_frame_read(l->in, &l->wire, p, n, &f, NULL), SL_OK);
        ck_assert_msg(f.kind != SL_FRAME_ERROR, "%s", f.message);
        l->changes += f.kind == SL_FRAME_CHANGE;
        l->receipts += f.kind == SL_FRAME_RECEIPTS;
        if (f.kind == SL_FRAME_SIGNAL) {
            (void)snprintf(l->stroke, sizeof l->stroke, "%s in %s", f.data, f.space);
        }
        if (f.kind == SL_FRAME_PAGE || f.kind == SL_FRAME_CHANGE) {
            note_records(l);
        }
    }
    sl_buf_clear(&w->binary);
}

/* By its own space first, which has the number 1 then, when it has one. */
static void listen_in_binary(world *w, listener *l, const person *p, const char *first,
                             const char *space)
{
    memset(l, 0, sizeof *l);
    l->wire.binary = true;
    l->in = sl_frame_in_new();
    l->records = sl_json_array();
    l->conn = ++w->conn_next;
    w->binary_conn = l->conn;
    sl_service_ws_open(w->s, l->conn, true);
    tell(w, l,
         &(sl_frame){.kind = SL_FRAME_CONNECT,
                     .version = 1,
                     .token = p->access,
                     .device = p->device,
                     .clock = 7,
                     .zip = true},
         NULL);
    hear(w, l);
    if (first != NULL) {
        tell(w, l, &(sl_frame){.kind = SL_FRAME_SUBSCRIBE, .space = first}, NULL);
        hear(w, l);
    }
    tell(w, l, &(sl_frame){.kind = SL_FRAME_SUBSCRIBE, .space = space}, NULL);
    hear(w, l);
}

/* Another device of the person. */
static person second_device(world *w, const person *p, uint32_t device)
{
    char json[300];
    person other = *p;
    other.n = 0;
    uuid_of(other.device, device);
    (void)snprintf(json, sizeof json,
                   "{\"email\":\"%s\",\"password\":\"long enough\",\"device\":\"%s\"}", p->email,
                   other.device);
    answer a = post(w, "/api/v1/auth/login", json);
    ck_assert_int_eq(a.status, 200);
    (void)snprintf(other.access, sizeof other.access, "%s", sl_json_str(a.body, "access_token"));
    answer_free(&a);
    return other;
}

static void listener_end(listener *l)
{
    sl_json_free(l->records);
    sl_frame_in_free(l->in);
    sl_wire_free(&l->wire);
}

/* The records that a JSON connection was sent are those of the binary one, in the same order. */
static void same_records(const world *w, sl_id conn, const listener *l)
{
    const sl_json *other = sl_json_first(l->records);
    size_t n = 0;
    for (size_t i = 0; i < frame_count(w, conn, "page"); i++) {
        const sl_json *list = sl_json_get(frame_at(w, conn, "page", i), "records");
        for (const sl_json *r = sl_json_first(list); r != NULL; r = sl_json_next(r), n++) {
            ck_assert(sl_json_equal(r, other));
            other = sl_json_next(other);
        }
    }
    for (size_t i = 0; i < frame_count(w, conn, "change"); i++, n++) {
        ck_assert(sl_json_equal(sl_json_get(frame_at(w, conn, "change", i), "record"), other));
        other = sl_json_next(other);
    }
    ck_assert_ptr_null(other);
    ck_assert_uint_eq(n, sl_json_count(l->records));
}

static void annotate(world *w, person *p, const char *space, uint32_t number)
{
    char id[SL_UUID_LEN + 1];
    char fields[300];
    uuid_of(id, number);
    (void)snprintf(fields, sizeof fields,
                   "{\"body\":\"\\\"%u\\\" \xC3\xA9\xE2\x82\xAC\\n\",\"at_us\":%u}", number,
                   number);
    must(op(w, p, "create", "comment", space, id, fields), "applied");
    must(op(w, p, "patch", "comment", space, id, "{\"body\":\"again\"}"), "applied");
    if (number % 2 == 0) {
        must(op(w, p, "delete", "comment", space, id, NULL), "applied");
    }
}

START_TEST(fanout__a_json_and_a_binary_connection_are_told_the_same)
{
    world *w = world_new();
    person a;
    person b;
    listener l;
    char thread[SL_SPACE_MAX];
    char space[SL_SPACE_MAX];
    person_make(w, &a, "a@x.y", "athlete", 1);
    person_make(w, &b, "b@x.y", "coach", 2);
    befriend(w, &a, &b, thread);
    video_make(w, &a, space, 1, "clip");
    share_with(w, &a, &b, space, "coach", 5);
    annotate(w, &a, space, 100);
    annotate(w, &a, space, 101);
    person other = second_device(w, &b, 77); /* the coach reads both ways, the athlete writes */
    frames_clear(w);
    subscribe(w, &b, space, 0, "");
    listen_in_binary(w, &l, &other, NULL, space);
    ck_assert_uint_ge(sl_json_count(l.records), 3);
    same_records(w, b.conn, &l);
    for (uint32_t i = 102; i < 110; i++) {
        annotate(w, &a, space, i);
    }
    hear(w, &l);
    ck_assert_uint_eq(l.changes, frame_count(w, b.conn, "change"));
    ck_assert_uint_eq(l.changes, 8 * 2 + 4);
    same_records(w, b.conn, &l);
    listener_end(&l);
    world_free(w);
}
END_TEST

START_TEST(fanout__what_a_binary_connection_says_comes_to_a_json_one)
{
    world *w = world_new();
    person a;
    listener l;
    sl_op said = {0};
    char space[SL_SPACE_MAX];
    person_make(w, &a, "a@x.y", "athlete", 1);
    video_make(w, &a, space, 1, "clip");
    frames_clear(w);
    subscribe(w, &a, space, 0, "");
    person other = second_device(w, &a, 78);
    listen_in_binary(w, &l, &other, NULL, space);
    said.n = 1;
    said.kind = SL_OP_CREATE;
    said.entity = sl_entity_find("comment");
    said.hlc = (sl_hlc){.time = (uint64_t)w->now_ms << 16, .device = 7};
    (void)snprintf(said.space, sizeof said.space, "%s", space);
    uuid_of(said.id, 300);
    sl_json *fields = sl_json_parse("{\"body\":\"by hand\"}", 18);
    ck_assert_int_eq(sl_op_set_fields(&said, fields, NULL), SL_OK);
    sl_json_free(fields);
    sl_items *items = sl_items_new();
    ck_assert_int_eq(sl_items_op(items, &said), SL_OK);
    tell(w, &l, &(sl_frame){.kind = SL_FRAME_PUSH}, items);
    hear(w, &l);
    ck_assert_uint_eq(l.receipts, 1);
    const sl_json *record = sl_json_get(frame_at(w, a.conn, "change", 0), "record");
    ck_assert_str_eq(sl_json_str(record, "id"), said.id);
    ck_assert_str_eq(sl_json_str(sl_json_get(record, "fields"), "body"), "by hand");
    same_records(w, a.conn, &l);
    sl_items_free(items);
    sl_op_free(&said);
    listener_end(&l);
    world_free(w);
}
END_TEST

static void draw(world *w, const person *p, const char *space, const char *data)
{
    char text[200];
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"signal\",\"space\":\"%s\",\"what\":\"stroke\",\"data\":\"%s\"}", space,
                   data);
    say(w, p, text);
}

START_TEST(fanout__a_stroke_comes_to_connections_that_number_the_space_otherwise)
{
    world *w = world_new();
    person a;
    listener one;
    listener two;
    char space[SL_SPACE_MAX];
    char want[16 + SL_SPACE_MAX];
    person_make(w, &a, "a@x.y", "athlete", 1);
    video_make(w, &a, space, 1, "clip");
    subscribe(w, &a, space, 0, "");
    person second = second_device(w, &a, 78);
    person third = second_device(w, &a, 79);
    person json = second_device(w, &a, 80);
    listen_in_binary(w, &one, &second, NULL, space);
    w->unheard_conn = one.conn;
    listen_in_binary(w, &two, &third, a.own, space);
    person_connect(w, &json);
    subscribe(w, &json, space, 0, "");
    draw(w, &a, space, "first");
    hear(w, &two);
    (void)snprintf(want, sizeof want, "first in %s", space);
    ck_assert_str_eq(two.stroke, want);
    w->binary_conn = one.conn;
    w->unheard_conn = two.conn;
    draw(w, &a, space, "then");
    hear(w, &one);
    (void)snprintf(want, sizeof want, "then in %s", space);
    ck_assert_str_eq(one.stroke, want);
    ck_assert_uint_eq(frame_count(w, json.conn, "signal"), 2);
    ck_assert_str_eq(sl_json_str(frame_at(w, json.conn, "signal", 1), "space"), space);
    listener_end(&one);
    listener_end(&two);
    world_free(w);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        fanout__a_json_and_a_binary_connection_are_told_the_same,
        fanout__what_a_binary_connection_says_comes_to_a_json_one,
        fanout__a_stroke_comes_to_connections_that_number_the_space_otherwise,
    };
    world_start();
    int status = sl_test_run(sl_test_suite("fanout", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return status;
}
