#include "make.h"

#include "annotation/stroke.h"
#include "base/prng.h"

#include <math.h>
#include <stdlib.h>

static sl_stroke *begin(void)
{
    sl_json *j = json_of("{'kind':'pen','style':{'color':'#FF0000','width':50},'in':0,'out':100}");
    sl_item *item = NULL;
    ck_assert_int_eq(sl_item_from_json_open(j, &item, NULL), SL_OK);
    sl_json_free(j);
    sl_stroke *s = sl_stroke_new(item);
    ck_assert_ptr_nonnull(s);
    return s;
}

/* A hand's loop at 120 Hz with half a pixel of noise. */
static void draw_loop(sl_stroke *s, uint32_t n, float noise)
{
    sl_prng r;
    sl_prng_seed(&r, 7);
    for (uint32_t i = 0; i < n; i++) {
        float a = (float)i * 0.01F;
        float jitter = noise * ((float)sl_prng_below(&r, 1000) / 500.0F - 1.0F);
        float q[4] = {16000.0F + 6000.0F * cosf(a) + jitter, 9000.0F + 4000.0F * sinf(a) - jitter,
                      0.5F + 0.4F * sinf(a * 3), (float)i * 8.333F};
        ck_assert_int_eq(sl_stroke_points(s, q, 1, NULL), SL_OK);
    }
}

/* Where and how hard the thinned stroke has the pen at a time. */
static void state_at(const sl_geometry *g, uint32_t ms, double out[3])
{
    uint32_t i = 0;
    while (i + 1 < g->n && g->dt_ms[i + 1] < ms) {
        i++;
    }
    uint32_t k = i + 1 < g->n ? i + 1 : i;
    double span = (double)g->dt_ms[k] - g->dt_ms[i];
    double part = span > 0 ? ((double)ms - g->dt_ms[i]) / span : 0;
    out[0] = g->points[i].x + part * (g->points[k].x - g->points[i].x);
    out[1] = g->points[i].y + part * (g->points[k].y - g->points[i].y);
    out[2] = g->pressure[i] + part * (g->pressure[k] - g->pressure[i]);
}

static double distance_to(const sl_geometry *g, sl_point p)
{
    sl_item probe = {0};
    probe.geo = *g;
    int32_t lo = 0;
    while (lo < 1000 && !sl_item_hit(&probe, p.x, p.y, lo)) {
        lo++;
    }
    return lo;
}

START_TEST(stroke__thinning_out_stays_within_its_bounds)
{
    sl_stroke *s = begin();
    draw_loop(s, 1500, 3.0F);
    const sl_item *now = sl_stroke_now(s);
    ck_assert_uint_eq(now->geo.n, 1500);
    sl_item *before = sl_item_clone(now);
    sl_item *after = NULL;
    ck_assert_int_eq(sl_stroke_finish(s, &after, NULL), SL_OK);
    ck_assert_uint_lt(after->geo.n, 1500 / 3);
    ck_assert_uint_gt(after->geo.n, 20);
    for (uint32_t i = 0; i < before->geo.n; i++) {
        double at[3];
        sl_point p = before->geo.points[i];
        state_at(&after->geo, before->geo.dt_ms[i], at);
        /* [STROKE-1] [STROKE-2] [STROKE-3] */
        ck_assert_double_le(distance_to(&after->geo, p), SL_STROKE_ERROR);
        ck_assert_double_le(hypot(at[0] - p.x, at[1] - p.y), SL_STROKE_LAG_ERROR + 0.001);
        ck_assert_double_le(fabs(at[2] - before->geo.pressure[i]), SL_STROKE_PRESSURE_ERROR + 3.0);
        ck_assert_int_eq(after->geo.points[i % after->geo.n].x % SL_STROKE_STEP, 0);
    }
    ck_assert_uint_eq(after->geo.dt_ms[after->geo.n - 1], before->geo.dt_ms[1499]);
    sl_item_free(before);
    sl_item_free(after);
}
END_TEST

static double roughness(const sl_geometry *g)
{
    double sum = 0;
    for (uint32_t i = 1; i + 1 < g->n; i++) {
        sum += hypot(g->points[i + 1].x - 2.0 * g->points[i].x + g->points[i - 1].x,
                     g->points[i + 1].y - 2.0 * g->points[i].y + g->points[i - 1].y);
    }
    return sum / g->n;
}

START_TEST(stroke__a_trembling_hand_is_calmed_and_the_end_is_where_the_pen_is)
{
    sl_stroke *calm = begin();
    sl_stroke *still = begin();
    float q[4] = {5000, 5000, 1, 0};
    sl_prng r;
    sl_prng_seed(&r, 3);
    double raw = 0;
    float before[2] = {5000, 5000};
    for (int i = 0; i < 400; i++) {
        q[0] = 5000.0F + (float)i * 2 + (float)sl_prng_below(&r, 60);
        q[1] = 5000.0F + (float)sl_prng_below(&r, 60);
        q[3] = (float)i * 8;
        raw += hypot((double)(q[0] - before[0]), (double)(q[1] - before[1]));
        before[0] = q[0];
        before[1] = q[1];
        ck_assert_int_eq(sl_stroke_points(calm, q, 1, NULL), SL_OK);
    }
    ck_assert_double_lt(roughness(&sl_stroke_now(calm)->geo), 0.5 * raw / 400);
    sl_item *item = NULL;
    ck_assert_int_eq(sl_stroke_finish(calm, &item, NULL), SL_OK);
    sl_point last = item->geo.points[item->geo.n - 1];
    ck_assert_int_le(abs(last.x - (int32_t)floorf(q[0] + 0.5F)), SL_STROKE_STEP / 2);
    ck_assert_int_le(abs(last.y - (int32_t)floorf(q[1] + 0.5F)), SL_STROKE_STEP / 2);
    sl_item_free(item);
    ck_assert_ptr_null(sl_stroke_now(still));
    ck_assert_int_eq(sl_stroke_finish(still, &item, NULL), SL_E_INVALID);
    ck_assert_ptr_null(item);
}
END_TEST

START_TEST(stroke__strange_numbers_do_no_harm)
{
    sl_stroke *s = begin();
    const float bad[][4] = {
        {NAN, 0, 0, 0}, {0, INFINITY, 0, 0}, {0, 0, -INFINITY, 0}, {0, 0, 0, NAN}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(sl_stroke_points(s, bad[i], 1, NULL), SL_E_INVALID);
    }
    const float odd[] = {1e30F, -1e30F, 7, 1e30F, 5, 5, -3, -1e30F, 5, 5, 0.5F, 0, 6, 6, 0.5F, 0};
    ck_assert_int_eq(sl_stroke_points(s, odd, 4, NULL), SL_OK);
    sl_item *item = NULL;
    ck_assert_int_eq(sl_stroke_finish(s, &item, NULL), SL_OK);
    ck_assert_int_eq(sl_item_check(item, NULL), SL_OK);
    sl_item_free(item);
}
END_TEST

START_TEST(stroke__it_holds_65535_points_and_no_more)
{
    sl_stroke *s = begin();
    float q[4] = {0, 0, 0.5F, 0};
    for (int i = 0; i < SL_PEN_POINTS_MAX - 1; i++) {
        q[0] = (float)(i % 30000);
        q[1] = (float)(i % 177) * 40;
        q[3] = (float)i;
        ck_assert_int_eq(sl_stroke_points(s, q, 1, NULL), SL_OK);
    }
    ck_assert_int_eq(sl_stroke_points(s, q, 1, NULL), SL_E_LIMIT);
    sl_item *item = NULL;
    ck_assert_int_eq(sl_stroke_finish(s, &item, NULL), SL_OK);
    ck_assert_int_eq(sl_item_check(item, NULL), SL_OK);
    sl_item_free(item);
}
END_TEST

START_TEST(stroke__every_failed_allocation_is_reported)
{
    bool done = false;
    for (uint64_t k = 1; !done && k < 50; k++) {
        sl_stroke *s = begin();
        float q[4] = {1, 2, 1, 0};
        sl_item *item = NULL;
        (void)sl_mem_fail_at(k, false);
        sl_status a = sl_stroke_points(s, q, 1, NULL);
        sl_status b = sl_stroke_points(s, q, 1, NULL);
        q[0] = 500;
        sl_status c = sl_stroke_points(s, q, 1, NULL);
        sl_status d = sl_stroke_finish(s, &item, NULL);
        (void)sl_mem_fail_at(0, false);
        done = a == SL_OK && b == SL_OK && c == SL_OK && d == SL_OK;
        ck_assert(d == SL_OK || d == SL_E_NOMEM);
        sl_item_free(item);
    }
    ck_assert(done);
}
END_TEST

/* By how much points go on otherwise than the three before them, on average. */
static double unevenness(const sl_geometry *g)
{
    double sum = 0;
    uint32_t n = 0;
    for (uint32_t i = 20; i < g->n; i++, n++) { /* the pen's pace is known by then */
        const sl_point *p = &g->points[i];
        sum += hypot(p[0].x - 3.0 * p[-1].x + 3.0 * p[-2].x - p[-3].x,
                     p[0].y - 3.0 * p[-1].y + 3.0 * p[-2].y - p[-3].y);
    }
    return sum / n;
}

/* A pen of 133 Hz, whose times are told in whole milliseconds: 7 or 8. */
START_TEST(stroke__ragged_times_of_an_even_pen_do_not_show_in_the_line)
{
    sl_stroke *even = begin();
    sl_stroke *ragged = begin();
    for (int i = 0; i < 300; i++) {
        float a = (float)i * 0.05F;
        float q[4] = {16000 + 5000 * cosf(a), 9000 + 5000 * sinf(a), 1, (float)i * 7.5F};
        ck_assert_int_eq(sl_stroke_points(even, q, 1, NULL), SL_OK);
        q[3] = floorf(q[3]);
        ck_assert_int_eq(sl_stroke_points(ragged, q, 1, NULL), SL_OK);
    }
    ck_assert_double_lt(unevenness(&sl_stroke_now(ragged)->geo),
                        unevenness(&sl_stroke_now(even)->geo) + 2);
    sl_stroke_free(even);
    sl_stroke_free(ragged);
}
END_TEST

START_TEST(stroke__a_fast_curve_keeps_all_its_points_and_a_straight_line_few)
{
    sl_stroke *curve = begin();
    sl_stroke *line = begin();
    for (int i = 0; i < 100; i++) {
        float q[4] = {16000 + 5000 * cosf((float)i), 9000 + 5000 * sinf((float)i), 1, (float)i * 8};
        ck_assert_int_eq(sl_stroke_points(curve, q, 1, NULL), SL_OK);
        float straight[4] = {(float)i * 100, (float)i * 50, 1, (float)i * 8};
        ck_assert_int_eq(sl_stroke_points(line, straight, 1, NULL), SL_OK);
    }
    sl_item *item = NULL;
    ck_assert_int_eq(sl_stroke_finish(curve, &item, NULL), SL_OK);
    ck_assert_uint_ge(item->geo.n, 100);
    sl_item_free(item);
    ck_assert_int_eq(sl_stroke_finish(line, &item, NULL), SL_OK);
    ck_assert_uint_lt(item->geo.n, 20);
    ck_assert_uint_eq(item->geo.pressure[0], 255);
    sl_item_free(item);
}
END_TEST

SL_TEST_MAIN("annotation_stroke", stroke__ragged_times_of_an_even_pen_do_not_show_in_the_line,
             stroke__a_fast_curve_keeps_all_its_points_and_a_straight_line_few,
             stroke__thinning_out_stays_within_its_bounds,
             stroke__a_trembling_hand_is_calmed_and_the_end_is_where_the_pen_is,
             stroke__strange_numbers_do_no_harm, stroke__it_holds_65535_points_and_no_more,
             stroke__every_failed_allocation_is_reported)
