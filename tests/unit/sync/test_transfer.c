#include "support.h"
#include "sync/transfer.h"

START_TEST(upload__goes_from_creation_to_the_end_in_chunks)
{
    sl_xfer x;
    int64_t size = SL_XFER_CHUNK + 100;
    sl_xfer_upload(&x, size, false, 1);
    ck_assert_int_eq(sl_xfer_next(&x, 0).kind, SL_XFER_CREATE);
    ck_assert_int_eq(sl_xfer_next(&x, 0).kind, SL_XFER_BUSY);
    sl_xfer_answer(&x, SL_OK, 201, -1, 0);
    ck_assert_int_eq(sl_xfer_next(&x, 0).kind, SL_XFER_OFFSET);
    sl_xfer_answer(&x, SL_OK, 200, 0, 0);
    sl_xfer_step step = sl_xfer_next(&x, 0);
    ck_assert_int_eq(step.kind, SL_XFER_SEND);
    ck_assert_int_eq(step.len, SL_XFER_CHUNK);
    sl_xfer_answer(&x, SL_OK, 204, SL_XFER_CHUNK, 0);
    step = sl_xfer_next(&x, 0);
    ck_assert_int_eq(step.at, SL_XFER_CHUNK);
    ck_assert_int_eq(step.len, 100);
    sl_xfer_answer(&x, SL_OK, 204, size, 0);
    ck_assert_int_eq(sl_xfer_next(&x, 0).kind, SL_XFER_DONE);
}
END_TEST

START_TEST(upload__asks_where_it_stands_after_a_lost_connection) /* [XFER-1] */
{
    sl_xfer x;
    sl_xfer_upload(&x, 1000, true, 1);
    ck_assert_int_eq(sl_xfer_next(&x, 0).kind, SL_XFER_OFFSET);
    sl_xfer_answer(&x, SL_OK, 200, 400, 0);
    ck_assert_int_eq(sl_xfer_next(&x, 0).at, 400);
    sl_xfer_answer(&x, SL_E_NETWORK, 0, -1, 0);
    ck_assert_int_eq(sl_xfer_next(&x, 0).kind, SL_XFER_WAIT);
    ck_assert_int_eq(sl_xfer_next(&x, 500).kind, SL_XFER_OFFSET);
    sl_xfer_answer(&x, SL_OK, 200, 700, 500);
    ck_assert_int_eq(sl_xfer_next(&x, 500).at, 700);
}
END_TEST

START_TEST(upload__is_created_anew_when_the_server_forgot_it)
{
    sl_xfer x;
    sl_xfer_upload(&x, 1000, true, 1);
    (void)sl_xfer_next(&x, 0);
    sl_xfer_answer(&x, SL_OK, 404, -1, 0);
    ck_assert_int_eq(sl_xfer_next(&x, 500).kind, SL_XFER_CREATE);
    sl_xfer_answer(&x, SL_OK, 404, -1, 500);
    ck_assert_msg(sl_xfer_next(&x, 500).kind == SL_XFER_WAIT, "the space may come yet");
}
END_TEST

START_TEST(upload__ends_on_what_cannot_pass) /* [XFER-2] */
{
    sl_xfer x;
    sl_xfer_upload(&x, 1000, false, 1);
    (void)sl_xfer_next(&x, 0);
    sl_xfer_answer(&x, SL_OK, 413, -1, 0);
    sl_xfer_step step = sl_xfer_next(&x, 0);
    ck_assert_int_eq(step.kind, SL_XFER_FAILED);
    ck_assert_int_eq(step.status, SL_E_LIMIT);
    sl_xfer_upload(&x, 0, false, 1);
    (void)sl_xfer_next(&x, 0);
    sl_xfer_answer(&x, SL_OK, 422, -1, 0);
    ck_assert_int_eq(sl_xfer_next(&x, 0).status, SL_E_INVALID);
}
END_TEST

START_TEST(upload__of_bytes_that_are_not_what_their_name_says_ends)
{
    sl_xfer x;
    sl_xfer_upload(&x, 1000, true, 1);
    int64_t now_ms = 0;
    int sent = 0;
    for (sl_xfer_step step = sl_xfer_next(&x, 0); step.kind != SL_XFER_FAILED;
         step = sl_xfer_next(&x, now_ms)) {
        ck_assert_int_lt(sent, 10);
        if (step.kind == SL_XFER_WAIT) {
            now_ms = step.until_ms;
        } else if (step.kind == SL_XFER_CREATE) {
            sl_xfer_answer(&x, SL_OK, 201, -1, now_ms);
        } else if (step.kind == SL_XFER_OFFSET) {
            sl_xfer_answer(&x, SL_OK, 200, 0, now_ms);
        } else {
            sent++;
            sl_xfer_answer(&x, SL_OK, 460, -1, now_ms);
        }
    }
    ck_assert_int_eq(sent, 3);
    ck_assert_int_eq(x.failed, SL_E_CORRUPT);
}
END_TEST

START_TEST(upload__never_believes_an_offset_beyond_its_size)
{
    sl_xfer x;
    sl_xfer_upload(&x, 1000, true, 1);
    (void)sl_xfer_next(&x, 0);
    sl_xfer_answer(&x, SL_OK, 200, 1001, 0);
    ck_assert_int_eq(sl_xfer_next(&x, 0).kind, SL_XFER_WAIT);
}
END_TEST

START_TEST(upload__waits_longer_each_time_up_to_30_s) /* [XFER-2] */
{
    static const int64_t waits[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    sl_xfer x;
    sl_xfer_upload(&x, 1000, false, 1);
    int64_t now_ms = 0;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        ck_assert_int_eq(sl_xfer_next(&x, now_ms).kind, SL_XFER_CREATE);
        sl_xfer_answer(&x, SL_OK, 503, -1, now_ms);
        sl_xfer_step step = sl_xfer_next(&x, now_ms);
        ck_assert_int_eq(step.kind, SL_XFER_WAIT);
        ck_assert_int_ge(step.until_ms - now_ms, waits[i] / 2);
        ck_assert_int_le(step.until_ms - now_ms, waits[i]);
        now_ms = step.until_ms;
    }
}
END_TEST

START_TEST(transfers__that_failed_together_do_not_come_back_together) /* [XFER-2] */
{
    bool met[501] = {0};
    int apart = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        sl_xfer x;
        if (seed % 2 == 0) {
            sl_xfer_upload(&x, 1000, false, seed);
        } else {
            sl_xfer_download(&x, 0, seed);
        }
        (void)sl_xfer_next(&x, 0);
        sl_xfer_answer(&x, SL_E_NETWORK, 0, -1, 0);
        int64_t until_ms = sl_xfer_next(&x, 0).until_ms;
        ck_assert(until_ms >= 250 && until_ms <= 500);
        apart += met[until_ms] ? 0 : 1;
        met[until_ms] = true;
    }
    ck_assert_int_gt(apart, 60);
}
END_TEST

START_TEST(download__goes_on_where_it_stopped)
{
    sl_xfer x;
    sl_xfer_download(&x, 300, 1);
    ck_assert_int_eq(sl_xfer_next(&x, 0).at, 300);
    sl_xfer_received(&x, 50);
    sl_xfer_answer(&x, SL_E_NETWORK, 206, -1, 0);
    sl_xfer_step step = sl_xfer_next(&x, 500);
    ck_assert_int_eq(step.kind, SL_XFER_FETCH);
    ck_assert_int_eq(step.at, 350);
    sl_xfer_answer(&x, SL_OK, 206, -1, 500);
    ck_assert_int_eq(sl_xfer_next(&x, 500).kind, SL_XFER_DONE);
}
END_TEST

START_TEST(download__of_what_the_server_lacks_ends_after_some_tries)
{
    sl_xfer x;
    sl_xfer_download(&x, 0, 1);
    int64_t now_ms = 0;
    int tries = 0;
    sl_xfer_step step = sl_xfer_next(&x, now_ms);
    while (step.kind != SL_XFER_FAILED) {
        if (step.kind == SL_XFER_FETCH) {
            tries++;
            sl_xfer_answer(&x, SL_OK, 404, -1, now_ms);
        } else {
            now_ms = step.until_ms;
        }
        step = sl_xfer_next(&x, now_ms);
    }
    ck_assert_int_eq(tries, 5);
    ck_assert_int_eq(step.status, SL_E_NOT_FOUND);
}
END_TEST

START_TEST(download__of_which_nothing_is_left_to_send_is_looked_at_first)
{
    sl_xfer x;
    sl_xfer_download(&x, 10, 1);
    ck_assert_int_eq(sl_xfer_next(&x, 0).at, 10);
    sl_xfer_answer(&x, SL_OK, 416, -1, 0);
    ck_assert_int_eq(sl_xfer_next(&x, 0).kind, SL_XFER_DONE);
    ck_assert(sl_xfer_restart(&x, 0)); /* it was another blob's */
    ck_assert_int_eq(sl_xfer_next(&x, 500).at, 0);
    sl_xfer_answer(&x, SL_OK, 416, -1, 500);
    ck_assert_int_eq(sl_xfer_next(&x, 500).kind, SL_XFER_WAIT);
}
END_TEST

START_TEST(download__that_is_damaged_starts_over_twice_and_then_ends)
{
    sl_xfer x;
    sl_xfer_download(&x, 10, 1);
    (void)sl_xfer_next(&x, 0);
    sl_xfer_answer(&x, SL_OK, 206, -1, 0);
    ck_assert(sl_xfer_restart(&x, 0));
    ck_assert_int_eq(sl_xfer_next(&x, 500).at, 0);
    sl_xfer_received(&x, 10);
    ck_assert(sl_xfer_restart(&x, 500));
    ck_assert(!sl_xfer_restart(&x, 500));
    sl_xfer_step step = sl_xfer_next(&x, 99999);
    ck_assert_int_eq(step.kind, SL_XFER_FAILED);
    ck_assert_int_eq(step.status, SL_E_CORRUPT);
}
END_TEST

SL_TEST_MAIN("transfer", upload__goes_from_creation_to_the_end_in_chunks,
             upload__asks_where_it_stands_after_a_lost_connection,
             upload__is_created_anew_when_the_server_forgot_it, upload__ends_on_what_cannot_pass,
             upload__of_bytes_that_are_not_what_their_name_says_ends,
             upload__never_believes_an_offset_beyond_its_size,
             upload__waits_longer_each_time_up_to_30_s,
             transfers__that_failed_together_do_not_come_back_together,
             download__goes_on_where_it_stopped,
             download__of_what_the_server_lacks_ends_after_some_tries,
             download__of_which_nothing_is_left_to_send_is_looked_at_first,
             download__that_is_damaged_starts_over_twice_and_then_ends)
