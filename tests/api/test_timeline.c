/* The review timeline through its public header. */
#include "sideline/review.h"
#include "support.h"

#include <string.h>

static sl_status add(sl_timeline *t, const char *event)
{
    return sl_timeline_add(t, event, strlen(event), NULL);
}

static void check_state(const sl_timeline *t, int64_t t_us, const char *expected)
{
    sl_bytes *state = NULL;
    ck_assert_int_eq(sl_timeline_state(t, t_us, &state, NULL), SL_OK);
    ck_assert_str_eq((const char *)sl_bytes_data(state), expected);
    sl_bytes_release(state);
}

START_TEST(timeline__a_review_is_recorded_stored_and_replayed)
{
    sl_timeline *t = NULL;
    ck_assert_int_eq(sl_timeline_new(10000000, &t, NULL), SL_OK);
    ck_assert_int_eq(add(t, "{\"t\":0,\"do\":\"play\"}"), SL_OK);
    ck_assert_int_eq(add(t, "{\"t\":2000000,\"do\":\"pause\"}"), SL_OK);
    ck_assert_int_eq(add(t, "{\"t\":2500000,\"do\":\"show\",\"item\":"
                            "\"00000000-0000-7000-8000-000000000001\"}"),
                     SL_OK);
    ck_assert_int_eq(add(t, "{\"t\":3000000,\"do\":\"play\",\"rate\":0.25}"), SL_OK);
    ck_assert_int_eq(add(t, "{\"t\":2000000,\"do\":\"pause\"}"), SL_E_INVALID);
    ck_assert_int_eq(add(t, "{\"t\":3000000,\"do\":\"jump\"}"), SL_E_INVALID);
    ck_assert_int_eq(add(t, "nonsense"), SL_E_INVALID);
    ck_assert_int_eq(sl_timeline_end(t, 4000000, NULL), SL_OK);

    sl_bytes *bytes = NULL;
    ck_assert_int_eq(sl_timeline_encode(t, &bytes, NULL), SL_OK);
    ck_assert_uint_lt(sl_bytes_len(bytes), 80);
    sl_timeline_free(t);
    ck_assert_int_eq(sl_timeline_decode(sl_bytes_data(bytes), sl_bytes_len(bytes), &t, NULL),
                     SL_OK);
    check_state(
        t, 1000000,
        "{\"position\":1000000,\"rate\":1,\"playing\":true,\"frozen\":false,\"view\":{\"x\":0,\"y\":0,"
        "\"scale\":1},\"items\":[],\"duration\":4000000}");
    check_state(
        t, 4000000,
        "{\"position\":2250000,\"rate\":0.25,\"playing\":true,\"frozen\":false,\"view\":{\"x\":0,\"y\":0,"
        "\"scale\":1},\"items\":[{\"id\":\"00000000-0000-7000-8000-000000000001\","
        "\"since\":2500000,\"growing\":false}],\"duration\":4000000}");
    sl_timeline_free(t);
    sl_error *err = NULL;
    ck_assert_int_eq(sl_timeline_decode(sl_bytes_data(bytes), sl_bytes_len(bytes) - 1, &t, &err),
                     SL_E_INVALID);
    ck_assert_ptr_null(t);
    sl_error_release(err);
    sl_bytes_release(bytes);
    sl_timeline_free(NULL);
    int32_t next = 0;
    ck_assert_int_eq(sl_player_next(SL_PLAYER_PLAYING, SL_PLAYER_PAUSE, &next, NULL), SL_OK);
    ck_assert_int_eq(next, SL_PLAYER_PAUSED);
    ck_assert_int_eq(sl_player_next(next, SL_PLAYER_SAVE, &next, NULL), SL_E_CONFLICT);
    ck_assert_int_eq(next, SL_PLAYER_PAUSED);
    ck_assert_int_eq(sl_player_next(0, SL_PLAYER_OPEN, &next, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

SL_TEST_MAIN("api_timeline", timeline__a_review_is_recorded_stored_and_replayed)
