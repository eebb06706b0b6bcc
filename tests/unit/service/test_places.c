/* Spaces of which devices do not hold all: places, windows, pages on demand, sums of what is held. */
#include "support.h"
#include "sync/sum.h"
#include "unit/service/world.h"

#include <stdio.h>
#include <string.h>

typedef struct talk {
    world *w;
    person ana;
    person cleo;
    char thread[SL_SPACE_MAX];
    int64_t first; /* place of message 1 */
} talk;

static void talk_open(talk *t)
{
    memset(t, 0, sizeof *t);
    t->w = world_new();
    person_make(t->w, &t->ana, "a@x.y", "athlete", 1);
    person_make(t->w, &t->cleo, "c@x.y", "coach", 2);
    befriend(t->w, &t->ana, &t->cleo, t->thread);
}

static void message_id(char out[SL_UUID_LEN + 1], int64_t n)
{
    uuid_of(out, (uint32_t)(5000 + n));
}

/* Messages from..to, each in a place of its own. */
static void chat(talk *t, int64_t from, int64_t to)
{
    for (int64_t n = from; n <= to; n++) {
        char id[SL_UUID_LEN + 1];
        char fields[80];
        message_id(id, n);
        (void)snprintf(fields, sizeof fields, "{\"kind\":\"text\",\"body\":\"number %d\"}", (int)n);
        const sl_json *r = op(t->w, &t->cleo, "create", "message", t->thread, id, fields);
        must(r, "applied");
        t->first = n == 1 ? sl_json_int_or(r, "seq", 0) : t->first;
    }
}

static int64_t change(talk *t, const char *kind, int64_t n)
{
    char id[SL_UUID_LEN + 1];
    message_id(id, n);
    t->w->now_ms++;
    const sl_json *r = op(t->w, &t->cleo, kind, "message", t->thread, id,
                          strcmp(kind, "patch") == 0 ? "{\"body\":\"changed\"}" : NULL);
    must(r, "applied");
    return sl_json_int_or(r, "seq", 0);
}

static void subscribe_last(talk *t, int64_t from, const char *epoch, int64_t last)
{
    char text[200];
    (void)snprintf(
        text, sizeof text,
        "{\"t\":\"subscribe\",\"space\":\"%s\",\"epoch\":\"%s\",\"from\":%d,\"last\":%d}",
        t->thread, epoch, (int)from, (int)last);
    frames_clear(t->w);
    say(t->w, &t->ana, text);
}

/* Message number of a record, 0: another entity. */
static int64_t number_of(const sl_json *rec)
{
    const char *id = sl_json_str(rec, "id");
    for (int64_t n = 1; n <= 700 && strcmp(sl_json_str(rec, "entity"), "message") == 0; n++) {
        char is[SL_UUID_LEN + 1];
        message_id(is, n);
        if (strcmp(is, id) == 0) {
            return n;
        }
    }
    return 0;
}

/* "3 4 5": the messages in frames of a kind; others: how many records besides. */
static void messages_in(const talk *t, const char *kind, char *out, size_t room, size_t *others)
{
    size_t at = 0;
    out[0] = 0;
    *others = 0;
    for (size_t i = 0; i < frame_count(t->w, t->ana.conn, kind); i++) {
        const sl_json *f = frame_at(t->w, t->ana.conn, kind, i);
        for (const sl_json *r = sl_json_first(sl_json_get(f, "records")); r != NULL;
             r = sl_json_next(r)) {
            int64_t n = number_of(r);
            if (n == 0) {
                (*others)++;
            } else if (at < room) {
                at += (size_t)snprintf(out + at, room - at, "%s%d", at > 0 ? " " : "", (int)n);
            }
        }
    }
}

static void came(const talk *t, const char *kind, const char *expected)
{
    char text[400];
    size_t others = 0;
    messages_in(t, kind, text, sizeof text, &others);
    ck_assert_str_eq(text, expected);
}

/* Asks and compares: the messages that came, and the range, as numbers of messages. */
static void load(talk *t, const char *what, const char *expected, int64_t from, int64_t to)
{
    char text[260];
    (void)snprintf(text, sizeof text, "{\"t\":\"load\",\"space\":\"%s\",%s}", t->thread, what);
    frames_clear(t->w);
    say(t->w, &t->ana, text);
    ck_assert_uint_eq(frame_count(t->w, t->ana.conn, "loaded"), 1);
    came(t, "loaded", expected);
    const sl_json *f = frame_at(t->w, t->ana.conn, "loaded", 0);
    ck_assert_int_eq(sl_json_int_or(f, "from", -1), from);
    ck_assert_int_eq(sl_json_int_or(f, "to", -1), to);
}

static int64_t place_in(const talk *t, const char *kind, int64_t n)
{
    for (size_t i = 0; i < frame_count(t->w, t->ana.conn, kind); i++) {
        const sl_json *f = frame_at(t->w, t->ana.conn, kind, i);
        for (const sl_json *r = sl_json_first(sl_json_get(f, "records")); r != NULL;
             r = sl_json_next(r)) {
            if (number_of(r) == n) {
                return sl_json_int_or(sl_json_get(r, "fields"), "place", 0);
            }
        }
    }
    return -1;
}

START_TEST(place__is_the_first_number_and_stays)
{
    talk t;
    talk_open(&t);
    chat(&t, 1, 3);
    ck_assert_int_gt(change(&t, "patch", 2), t.first + 2);
    subscribe_last(&t, 0, "", 0);
    for (int64_t n = 1; n <= 3; n++) {
        ck_assert_int_eq(place_in(&t, "page", n), t.first + n - 1);
    }
    char id[SL_UUID_LEN + 1];
    message_id(id, 2);
    must_reject(op(t.w, &t.cleo, "patch", "message", t.thread, id, "{\"place\":7}"), "SL_E_DENIED");
    world_free(t.w);
}
END_TEST

START_TEST(window__is_the_newest_and_all_that_has_no_place)
{
    talk t;
    char text[400];
    size_t others = 0;
    talk_open(&t);
    chat(&t, 1, 20);
    (void)change(&t, "delete", 4);
    (void)change(&t, "patch", 5); /* old, for all that it was changed late */
    (void)change(&t, "patch", 19);
    subscribe_last(&t, 0, "", 3);
    messages_in(&t, "page", text, sizeof text, &others);
    ck_assert_str_eq(text, "18 20 4 19");
    ck_assert_uint_eq(others, 3); /* the thread and its participants */
    const sl_json *page = frame_at(t.w, t.ana.conn, "page", 0);
    ck_assert_int_eq(sl_json_int_or(page, "hole", 0), t.first + 16);
    ck_assert_uint_eq(frame_count(t.w, t.ana.conn, "subscribed"), 1);
    subscribe_last(&t, 0, "", 19); /* as many as there are */
    ck_assert_ptr_null(sl_json_get(frame_at(t.w, t.ana.conn, "page", 0), "hole"));
    subscribe_last(&t, 0, "", 18);
    ck_assert_int_eq(sl_json_int_or(frame_at(t.w, t.ana.conn, "page", 0), "hole", 0), t.first);
    world_free(t.w);
}
END_TEST

START_TEST(window__after_a_long_time_brings_what_was_held_up_to_date) /* [PLACE-1] */
{
    talk t;
    char epoch[64];
    talk_open(&t);
    chat(&t, 1, 10);
    subscribe_last(&t, 0, "", 0);
    const sl_json *head = frame_at(t.w, t.ana.conn, "subscribed", 0);
    int64_t at = sl_json_int_or(head, "seq", -1);
    (void)snprintf(epoch, sizeof epoch, "%s", sl_json_str(head, "epoch"));
    chat(&t, 11, 30);
    (void)change(&t, "patch", 2);
    (void)change(&t, "delete", 3);
    (void)change(&t, "patch", 12);
    (void)change(&t, "delete", 13);
    subscribe_last(&t, at, epoch, 4);
    came(&t, "page", "27 28 29 30 2 3 13");
    const sl_json *page = frame_at(t.w, t.ana.conn, "page", 0);
    ck_assert_int_eq(sl_json_int_or(page, "from", -1), at);
    ck_assert_int_eq(sl_json_int_or(page, "hole", 0), t.first + 25);
    subscribe_last(&t, at, epoch, 19); /* 19 of 20 are there */
    ck_assert_ptr_null(sl_json_get(frame_at(t.w, t.ana.conn, "page", 0), "hole"));
    world_free(t.w);
}
END_TEST

START_TEST(window__of_several_pages_says_once_what_it_leaves_out)
{
    talk t;
    talk_open(&t);
    chat(&t, 1, 520);
    for (int64_t n = 1; n <= 15; n++) {
        (void)change(&t, "delete", n);
    }
    subscribe_last(&t, 0, "", 500);
    ck_assert_uint_eq(frame_count(t.w, t.ana.conn, "page"), 2);
    ck_assert_int_eq(sl_json_int_or(frame_at(t.w, t.ana.conn, "page", 0), "hole", 0), t.first + 19);
    ck_assert_ptr_null(sl_json_get(frame_at(t.w, t.ana.conn, "page", 1), "hole"));
    ck_assert_uint_eq(frame_count(t.w, t.ana.conn, "subscribed"), 1);
    world_free(t.w);
}
END_TEST

START_TEST(load__gives_older_and_newer_and_says_how_far) /* [PLACE-2] */
{
    talk t;
    char what[100];
    talk_open(&t);
    chat(&t, 1, 20);
    (void)change(&t, "delete", 14);
    (void)change(&t, "patch", 13);
    subscribe_last(&t, 0, "", 2);
    int64_t f = t.first - 1; /* message n is at f + n */
    (void)snprintf(what, sizeof what, "\"from\":0,\"to\":%d,\"limit\":3", (int)(f + 18));
    load(&t, what, "18 17 16", f + 15, f + 18);
    (void)snprintf(what, sizeof what, "\"from\":0,\"to\":%d,\"limit\":3", (int)(f + 15));
    load(&t, what, "15 13 12", f + 11, f + 15); /* what was deleted is not there, and not missing */
    (void)snprintf(what, sizeof what, "\"from\":%d,\"to\":%d,\"limit\":500", (int)(f + 9),
                   (int)(f + 11));
    load(&t, what, "11 10", f + 9, f + 11);
    (void)snprintf(what, sizeof what, "\"from\":0,\"to\":%d,\"limit\":9", (int)(f + 9));
    load(&t, what, "9 8 7 6 5 4 3 2 1", 0, f + 9); /* the first is the last */
    (void)snprintf(what, sizeof what, "\"from\":%d,\"to\":%d,\"limit\":2,\"up\":true", (int)(f + 3),
                   (int)(f + 9));
    load(&t, what, "4 5", f + 3, f + 5);
    (void)snprintf(what, sizeof what, "\"from\":%d,\"to\":9999,\"limit\":20,\"up\":true",
                   (int)(f + 19));
    load(&t, what, "20", f + 19, f + 22); /* no further than the space */
    load(&t, "\"from\":7000,\"to\":9999,\"limit\":20", "", 0, 0);
    load(&t, "\"from\":0,\"to\":9999,\"limit\":0", "", 0, 0);
    world_free(t.w);
}
END_TEST

START_TEST(load__around_a_message_has_it_and_both_sides)
{
    talk t;
    char what[100];
    char id[SL_UUID_LEN + 1];
    talk_open(&t);
    chat(&t, 1, 20);
    (void)change(&t, "delete", 12);
    subscribe_last(&t, 0, "", 2);
    int64_t f = t.first - 1;
    message_id(id, 10);
    (void)snprintf(what, sizeof what, "\"id\":\"%s\",\"limit\":4", id);
    load(&t, what, "10 9 8 11 13", f + 7, f + 13);
    (void)snprintf(what, sizeof what, "\"id\":\"%s\",\"limit\":1", id);
    load(&t, what, "10", f + 9, f + 10);
    message_id(id, 12);
    (void)snprintf(what, sizeof what, "\"id\":\"%s\",\"limit\":4", id);
    load(&t, what, "", 0, 0);
    load(&t, "\"id\":\"no id\",\"limit\":4", "", 0, 0);
    world_free(t.w);
}
END_TEST

START_TEST(load__is_for_who_holds_the_space_and_is_at_its_head)
{
    talk t;
    person eve;
    char text[200];
    talk_open(&t);
    person_make(t.w, &eve, "e@x.y", "athlete", 3);
    chat(&t, 1, 5);
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"load\",\"space\":\"%s\",\"from\":0,\"to\":99,\"limit\":9}", t.thread);
    frames_clear(t.w);
    say(t.w, &eve, text); /* answered, with nothing */
    say(t.w, &t.ana, text);
    ck_assert_int_eq(sl_json_int_or(frame_at(t.w, eve.conn, "loaded", 0), "to", -1), 0);
    ck_assert_uint_eq(sl_json_count(sl_json_get(frame_at(t.w, eve.conn, "loaded", 0), "records")),
                      0);
    ck_assert_int_eq(sl_json_int_or(frame_at(t.w, t.ana.conn, "loaded", 0), "to", -1), 0);
    ck_assert_int_eq(closed_with(t.w, eve.conn), 0);
    world_free(t.w);
}
END_TEST

START_TEST(load__ends_at_about_a_quarter_of_a_mebibyte)
{
    talk t;
    static char fields[8100];
    talk_open(&t);
    for (int64_t n = 1; n <= 60; n++) {
        char id[SL_UUID_LEN + 1];
        message_id(id, n);
        memset(fields, 0, sizeof fields);
        int at = snprintf(fields, sizeof fields, "{\"kind\":\"text\",\"body\":\"");
        memset(fields + at, 'x', 7900);
        (void)snprintf(fields + at + 7900, sizeof fields - (size_t)at - 7900, "\"}");
        const sl_json *r = op(t.w, &t.cleo, "create", "message", t.thread, id, fields);
        must(r, "applied");
        t.first = n == 1 ? sl_json_int_or(r, "seq", 0) : t.first;
    }
    subscribe_last(&t, 0, "", 1);
    char text[200];
    (void)snprintf(text, sizeof text,
                   "{\"t\":\"load\",\"space\":\"%s\",\"from\":0,\"to\":%d,\"limit\":500}", t.thread,
                   (int)(t.first + 58));
    frames_clear(t.w);
    say(t.w, &t.ana, text);
    const sl_json *f = frame_at(t.w, t.ana.conn, "loaded", 0);
    size_t n = sl_json_count(sl_json_get(f, "records"));
    ck_assert(n >= 30 && n <= 40);
    ck_assert_int_eq(sl_json_int_or(f, "from", -1), t.first + 58 - (int64_t)n);
    world_free(t.w);
}
END_TEST

/* The sum of the records that the last subscription sent. */
static uint64_t sum_of_pages(const talk *t)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < frame_count(t->w, t->ana.conn, "page"); i++) {
        const sl_json *f = frame_at(t->w, t->ana.conn, "page", i);
        for (const sl_json *r = sl_json_first(sl_json_get(f, "records")); r != NULL;
             r = sl_json_next(r)) {
            sum += !sl_json_bool_or(r, "deleted", false)
                       ? sl_sum_of(sl_json_str(r, "id"), sl_json_int_or(r, "seq", 0))
                       : 0;
        }
    }
    return sum;
}

static void check_sum(talk *t, const char *holes, uint64_t expected)
{
    char text[200];
    char hex[17];
    (void)snprintf(text, sizeof text, "{\"t\":\"check\",\"space\":\"%s\",\"holes\":\"%s\"}",
                   t->thread, holes);
    say(t->w, &t->ana, text);
    size_t n = frame_count(t->w, t->ana.conn, "checked");
    const sl_json *f = frame_at(t->w, t->ana.conn, "checked", n - 1);
    (void)snprintf(hex, sizeof hex, "%016llx", (unsigned long long)expected);
    ck_assert_str_eq(sl_json_str(f, "sum"), hex);
    ck_assert_str_eq(sl_json_str(f, "holes"), holes);
}

START_TEST(check__sums_what_is_in_no_hole)
{
    talk t;
    char holes[64];
    talk_open(&t);
    chat(&t, 1, 20);
    (void)change(&t, "delete", 4);
    (void)change(&t, "patch", 5);
    subscribe_last(&t, 0, "", 3);
    uint64_t window = sum_of_pages(&t);
    (void)snprintf(holes, sizeof holes, "0-%d", (int)(t.first + 16));
    check_sum(&t, holes, window);
    subscribe_last(&t, 0, "", 0);
    uint64_t all = sum_of_pages(&t);
    ck_assert(all != window);
    check_sum(&t, "", all);
    char id[SL_UUID_LEN + 1];
    message_id(id, 7);
    (void)snprintf(holes, sizeof holes, "2-3,%d-%d", (int)(t.first + 5), (int)(t.first + 6));
    check_sum(&t, holes, all - sl_sum_of(id, t.first + 6));
    say(t.w, &t.ana, "{\"t\":\"check\",\"space\":\"thread:01890000-0000-7000-8000-000000000001\"}");
    ck_assert_int_eq(closed_with(t.w, t.ana.conn), 0);
    char text[200];
    (void)snprintf(text, sizeof text, "{\"t\":\"check\",\"space\":\"%s\",\"holes\":\"9-2\"}",
                   t.thread);
    say(t.w, &t.ana, text);
    ck_assert_int_eq(closed_with(t.w, t.ana.conn), 4400);
    world_free(t.w);
}
END_TEST

static void run_sql(world *w, const char *sql)
{
    ck_assert_int_eq(w->db.run(w->db.user, sql, NULL, 0, NULL, NULL, NULL), SL_OK);
}

/* The database as it was before the feed lay by number, and receipts by device. */
static void forget_order(world *w)
{
    run_sql(
        w, "CREATE TABLE feed_old (space TEXT NOT NULL, entity TEXT NOT NULL, id TEXT NOT NULL,"
           " seq BIGINT NOT NULL, place BIGINT, PRIMARY KEY (space, entity, id));"
           "INSERT INTO feed_old SELECT space, entity, id, seq, place FROM feed; DROP TABLE feed;"
           "ALTER TABLE feed_old RENAME TO feed; CREATE UNIQUE INDEX feed_seq ON feed (space, seq);"
           "CREATE INDEX feed_place ON feed (space, place) WHERE place IS NOT NULL;"
           "CREATE INDEX feed_moved ON feed (space, seq) WHERE place<seq;"
           "CREATE TABLE receipt_old (user_id TEXT NOT NULL, device TEXT NOT NULL,"
           " n BIGINT NOT NULL, hlc TEXT NOT NULL, result TEXT NOT NULL, seq BIGINT NOT NULL,"
           " code TEXT, message TEXT, field TEXT, PRIMARY KEY (user_id, device, n));"
           "INSERT INTO receipt_old SELECT * FROM receipt UNION ALL SELECT * FROM receipt_log;"
           "DROP TABLE receipt; DROP TABLE receipt_log;"
           "ALTER TABLE receipt_old RENAME TO receipt;"
           "DROP TABLE consent; DROP INDEX audit_actor; DROP INDEX audit_object;"
           "UPDATE meta SET value='8' WHERE name='steps'");
}

/* And before there were places. */
static void forget_places(world *w)
{
    forget_order(w);
    run_sql(w, "DROP INDEX feed_place; DROP INDEX feed_moved; ALTER TABLE feed DROP COLUMN place;"
               "DROP TABLE lent; ALTER TABLE access DROP COLUMN via;"
               "UPDATE message SET place=NULL; UPDATE meta SET value='6' WHERE name='steps'");
}

START_TEST(order__of_what_was_there_before_is_made_and_nothing_is_lost)
{
    talk t;
    char id[SL_UUID_LEN + 1];
    memset(&t, 0, sizeof t);
    (void)remove("order.db");
    t.w = world_new_at("order.db");
    person_make(t.w, &t.ana, "a@x.y", "athlete", 1);
    person_make(t.w, &t.cleo, "c@x.y", "coach", 2);
    befriend(t.w, &t.ana, &t.cleo, t.thread);
    chat(&t, 1, 6);
    (void)change(&t, "patch", 2);
    (void)change(&t, "delete", 3);
    subscribe_last(&t, 0, "", 0);
    uint64_t all = sum_of_pages(&t);
    forget_order(t.w);
    world_reopen(t.w);
    person_connect(t.w, &t.ana);
    person_connect(t.w, &t.cleo);
    subscribe_last(&t, 0, "", 0);
    came(&t, "page", "1 4 5 6 2 3");
    ck_assert_uint_eq(sum_of_pages(&t), all);
    check_sum(&t, "", all);
    load(&t, "\"from\":0,\"to\":9999,\"limit\":3,\"up\":false", "6 5 4", t.first + 1, t.first + 7);
    t.cleo.n--; /* the last operation again: its answer is known */
    message_id(id, 3);
    must(op(t.w, &t.cleo, "delete", "message", t.thread, id, NULL), "applied");
    chat(&t, 7, 7);
    subscribe_last(&t, 0, "", 1);
    ck_assert_int_eq(place_in(&t, "page", 7), t.first + 8);
    world_free(t.w);
    (void)remove("order.db");
}
END_TEST

START_TEST(place__of_what_was_there_before_is_where_it_was_changed_last)
{
    talk t;
    memset(&t, 0, sizeof t);
    (void)remove("places.db");
    t.w = world_new_at("places.db");
    person_make(t.w, &t.ana, "a@x.y", "athlete", 1);
    person_make(t.w, &t.cleo, "c@x.y", "coach", 2);
    befriend(t.w, &t.ana, &t.cleo, t.thread);
    chat(&t, 1, 6);
    int64_t late = change(&t, "patch", 2);
    (void)change(&t, "delete", 3);
    forget_places(t.w);
    world_reopen(t.w);
    person_connect(t.w, &t.ana);
    person_connect(t.w, &t.cleo);
    subscribe_last(&t, 0, "", 2);
    came(&t, "page", "6 2 3");
    ck_assert_int_eq(place_in(&t, "page", 6), t.first + 5);
    ck_assert_int_eq(place_in(&t, "page", 2), late);
    chat(&t, 7, 7);
    subscribe_last(&t, 0, "", 1);
    ck_assert_int_eq(place_in(&t, "page", 7), late + 2);
    world_free(t.w);
    (void)remove("places.db");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {place__is_the_first_number_and_stays,
                                  window__is_the_newest_and_all_that_has_no_place,
                                  window__after_a_long_time_brings_what_was_held_up_to_date,
                                  window__of_several_pages_says_once_what_it_leaves_out,
                                  load__gives_older_and_newer_and_says_how_far,
                                  load__around_a_message_has_it_and_both_sides,
                                  load__is_for_who_holds_the_space_and_is_at_its_head,
                                  load__ends_at_about_a_quarter_of_a_mebibyte,
                                  check__sums_what_is_in_no_hole,
                                  order__of_what_was_there_before_is_made_and_nothing_is_lost,
                                  place__of_what_was_there_before_is_where_it_was_changed_last};
    world_start();
    int code = sl_test_run(sl_test_suite("places", tests, sizeof tests / sizeof tests[0]));
    world_end();
    return code;
}
