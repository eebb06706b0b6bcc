#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/events.h"
#include "support.h"

#include <stdatomic.h>
#include <string.h>

static sl_json *poll_all(sl_events *e)
{
    sl_bytes *bytes = NULL;
    ck_assert_int_eq(sl_events_poll(e, 1 << 20, &bytes, NULL), SL_OK);
    if (bytes == NULL) {
        return NULL;
    }
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(bytes), sl_bytes_len(bytes));
    ck_assert_ptr_nonnull(j);
    sl_bytes_release(bytes);
    return j;
}

static void count_wake(void *ctx)
{
    atomic_fetch_add((_Atomic int *)ctx, 1);
}

START_TEST(op__ends_with_exactly_one_event) /* [OP-1] */
{
    sl_events *e = sl_events_new();
    sl_id op = sl_events_op(e);
    sl_events_op_failed(e, op, SL_E_IO, "a \"quoted\" reason");
    sl_events_op_done(e, op, NULL);
    sl_events_op_done(e, op + 7, sl_json_object());
    sl_json *events = poll_all(e);
    ck_assert_uint_eq(sl_json_count(events), 1);
    const sl_json *event = sl_json_at(events, 0);
    ck_assert_int_eq(sl_json_int_or(event, "op", 0), (int64_t)op);
    ck_assert(!sl_json_bool_or(event, "ok", true));
    ck_assert_str_eq(sl_json_str(event, "message"), "a \"quoted\" reason");
    ck_assert_int_eq(sl_json_int_or(event, "code", 0), SL_E_IO);
    sl_json_free(events);
    ck_assert_ptr_null(poll_all(e));
    sl_events_free(e);
}
END_TEST

START_TEST(op__its_end_needs_no_memory) /* [OP-1] */
{
    sl_events *e = sl_events_new();
    sl_id op = sl_events_op(e);
    sl_mem_fail_at(1, true);
    sl_events_op_failed(e, op, SL_E_NOMEM, "gone");
    sl_mem_fail_at(0, false);
    sl_json *events = poll_all(e);
    ck_assert_uint_eq(sl_json_count(events), 1);
    sl_json_free(events);
    sl_events_free(e);
}
END_TEST

START_TEST(progress__only_the_newest_is_kept)
{
    sl_events *e = sl_events_new();
    sl_id op = sl_events_op(e);
    sl_events_progress(e, op, 1, 10);
    sl_events_progress(e, op, 2, 10);
    sl_json *events = poll_all(e);
    ck_assert_uint_eq(sl_json_count(events), 1);
    ck_assert_int_eq(sl_json_int_or(sl_json_at(events, 0), "done", 0), 2);
    sl_json_free(events);
    sl_events_progress(e, op, 3, 10);
    sl_events_op_done(e, op, NULL);
    events = poll_all(e);
    ck_assert_uint_eq(sl_json_count(events), 2);
    sl_json_free(events);
    sl_events_free(e);
}
END_TEST

START_TEST(rows__one_event_waits_per_query)
{
    sl_events *e = sl_events_new();
    sl_events_rows(e, 1);
    sl_events_rows(e, 2);
    sl_events_rows(e, 1);
    sl_json *events = poll_all(e);
    ck_assert_uint_eq(sl_json_count(events), 2);
    sl_json_free(events);
    sl_events_rows(e, 1);
    events = poll_all(e);
    ck_assert_uint_eq(sl_json_count(events), 1);
    sl_json_free(events);
    sl_events_free(e);
}
END_TEST

START_TEST(wake__comes_once_until_the_next_poll)
{
    _Atomic int wakes = 0;
    sl_events *e = sl_events_new();
    sl_events_set_wake(e, count_wake, &wakes);
    sl_events_rows(e, 1);
    sl_events_rows(e, 2);
    ck_assert_int_eq(atomic_load(&wakes), 1);
    sl_json_free(poll_all(e));
    sl_events_rows(e, 3);
    ck_assert_int_eq(atomic_load(&wakes), 2);
    sl_events_set_wake(e, NULL, NULL);
    sl_json_free(poll_all(e));
    sl_events_rows(e, 4);
    ck_assert_int_eq(atomic_load(&wakes), 2);
    sl_events_set_wake(e, count_wake, &wakes);
    ck_assert_msg(atomic_load(&wakes) == 3, "what waits is told to a new wake");
    sl_events_free(e);
}
END_TEST

START_TEST(poll__gives_whole_events_up_to_the_bound_and_the_rest_later)
{
    sl_events *e = sl_events_new();
    for (sl_id i = 1; i <= 10; i++) {
        sl_events_rows(e, i);
    }
    size_t total = 0;
    for (;;) {
        sl_bytes *bytes = NULL;
        ck_assert_int_eq(sl_events_poll(e, 50, &bytes, NULL), SL_OK);
        if (bytes == NULL) {
            break;
        }
        sl_json *j = sl_json_parse((const char *)sl_bytes_data(bytes), sl_bytes_len(bytes));
        ck_assert_uint_gt(sl_json_count(j), 0);
        ck_assert_uint_lt(sl_json_count(j), 10);
        total += sl_json_count(j);
        sl_json_free(j);
        sl_bytes_release(bytes);
    }
    ck_assert_uint_eq(total, 10);
    sl_events_free(e);
}
END_TEST

/* A flag that is freed memory for a late wake: the sanitizers would see it touched. */
typedef struct context {
    _Atomic int calls;
} context;

static void use_context(void *ctx)
{
    atomic_fetch_add(&((context *)ctx)->calls, 1);
}

typedef struct pusher {
    sl_events *events;
    _Atomic bool stop;
} pusher;

START_TEST(poll__out_of_memory_loses_nothing) /* [OP-1] */
{
    for (uint64_t k = 1; k < 40; k++) {
        sl_events *e = sl_events_new();
        for (int i = 0; i < 3; i++) {
            sl_events_op_failed(e, sl_events_op(e), SL_E_IO, "gone");
        }
        sl_bytes *out = NULL;
        sl_mem_fail_at(k, false);
        sl_status status = sl_events_poll(e, 1 << 20, &out, NULL);
        sl_mem_fail_at(0, false);
        if (status != SL_OK) {
            ck_assert_int_eq(status, SL_E_NOMEM);
            ck_assert_int_eq(sl_events_poll(e, 1 << 20, &out, NULL), SL_OK);
        }
        sl_json *events = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
        ck_assert_uint_eq(sl_json_count(events), 3);
        sl_json_free(events);
        sl_bytes_release(out);
        sl_events_free(e);
    }
}
END_TEST

static void push_many(void *arg)
{
    pusher *p = arg;
    while (!atomic_load(&p->stop)) {
        sl_events_rows(p->events, 1);
        sl_json_free(poll_all(p->events));
    }
}

static sl_json *typing(const char *user)
{
    sl_json *event = sl_json_object();
    ck_assert(sl_json_set_str(event, "ev", "typing") && sl_json_set_str(event, "user", user));
    return event;
}

START_TEST(push_once__keeps_one_of_a_kind_until_it_is_polled)
{
    sl_events *e = sl_events_new();
    for (int i = 0; i < 100; i++) {
        sl_events_push_once(e, typing(i % 2 == 0 ? "ann" : "mike"));
    }
    sl_events_push_once(e, NULL);
    sl_json *events = poll_all(e);
    ck_assert_uint_eq(sl_json_count(events), 2);
    sl_json_free(events);
    sl_events_push_once(e, typing("ann"));
    events = poll_all(e);
    ck_assert_uint_eq(sl_json_count(events), 1);
    sl_json_free(events);
    sl_json *event = sl_json_object();
    sl_mem_fail_at(1, true);
    sl_events_push_once(e, event);
    sl_mem_fail_at(0, false);
    ck_assert_ptr_null(poll_all(e));
    sl_events_free(e);
}
END_TEST

START_TEST(wake__never_runs_after_it_was_taken_away) /* [WAKE-1] */
{
    pusher p = {sl_events_new(), false};
    sl_thread *thread = sl_thread_start(push_many, &p);
    for (int i = 0; i < 500; i++) {
        context *ctx = sl_mem(sizeof *ctx);
        sl_events_set_wake(p.events, use_context, ctx);
        sl_events_set_wake(p.events, NULL, NULL);
        sl_mem_free(ctx);
    }
    atomic_store(&p.stop, true);
    sl_thread_join(thread);
    sl_events_free(p.events);
}
END_TEST

SL_TEST_MAIN("events", op__ends_with_exactly_one_event, op__its_end_needs_no_memory,
             progress__only_the_newest_is_kept, rows__one_event_waits_per_query,
             wake__comes_once_until_the_next_poll,
             poll__gives_whole_events_up_to_the_bound_and_the_rest_later,
             poll__out_of_memory_loses_nothing, push_once__keeps_one_of_a_kind_until_it_is_polled,
             wake__never_runs_after_it_was_taken_away)
