/* Eraser, lasso and snapping. */
#include "make.h"

#include "annotation/drawing.h"
#include "annotation/erase.h"
#include "annotation/snap.h"
#include "annotation/stroke.h"
#include "base/prng.h"

#include <math.h>
#include <stdio.h>

/* A pen through n places, with all columns. */
static sl_item *pen(sl_prng *r, uint32_t n)
{
    sl_item *item = item_of("{'kind':'pen','points':[[0,0]],'in':10,'out':1000,'z':'V',"
                            "'style':{'color':'#123456','width':50}}");
    sl_geometry_clear(&item->geo);
    item->geo.n = n;
    item->geo.points = sl_mem_array(n, sizeof *item->geo.points);
    item->geo.pressure = sl_mem(n);
    item->geo.tilt = sl_mem(n);
    item->geo.dt_ms = sl_mem_array(n, sizeof *item->geo.dt_ms);
    for (uint32_t i = 0; i < n; i++) {
        item->geo.points[i] =
            (sl_point){(int32_t)sl_prng_below(r, 4000), (int32_t)sl_prng_below(r, 4000)};
        item->geo.pressure[i] = (uint8_t)sl_prng_below(r, 256);
        item->geo.tilt[i] = (uint8_t)sl_prng_below(r, 91);
        item->geo.dt_ms[i] = i * 10;
    }
    ck_assert_int_eq(sl_item_check(item, NULL), SL_OK);
    return item;
}

static double to_path(const sl_eraser *e, double x, double y)
{
    double least = HUGE_VAL;
    for (uint32_t i = 0; i < e->n; i++) {
        least = fmin(least, sl_step_distance(x, y, e->path[i], e->path[i + 1 < e->n ? i + 1 : i]));
    }
    return least;
}

static double to_item(const sl_item *item, double x, double y)
{
    double least = HUGE_VAL;
    const sl_geometry *geo = &item->geo;
    for (uint32_t i = 0; i < geo->n; i++) {
        least = fmin(
            least, sl_step_distance(x, y, geo->points[i], geo->points[i + 1 < geo->n ? i + 1 : i]));
    }
    return least;
}

/* Nothing of a piece is within the radius, and all of the stroke beyond it is in some piece: to 1.5 units,
 * for cuts are rounded to whole ones. */
static void check_pieces(const sl_item *item, const sl_eraser *e, const sl_pieces *p)
{
    enum {
        PARTS = 16
    };
    const double slack = 1.5;
    for (size_t k = 0; k < p->n; k++) {
        const sl_geometry *geo = &p->items[k]->geo;
        ck_assert_int_eq(sl_item_check(p->items[k], NULL), SL_OK);
        ck_assert_int_eq(p->items[k]->style.rgb, 0x123456);
        ck_assert_str_eq(p->items[k]->z, "V");
        ck_assert_str_eq(p->items[k]->id, "");
        for (uint32_t i = 0; i + 1 < geo->n; i++) {
            for (int t = 0; t <= PARTS; t++) {
                double x = geo->points[i].x +
                           ((double)geo->points[i + 1].x - geo->points[i].x) * t / PARTS;
                double y = geo->points[i].y +
                           ((double)geo->points[i + 1].y - geo->points[i].y) * t / PARTS;
                ck_assert_double_ge(to_path(e, x, y), e->radius - slack);
            }
        }
    }
    for (uint32_t i = 0; i + 1 < item->geo.n; i++) {
        const sl_point *q = item->geo.points;
        for (int t = 0; t <= PARTS; t++) {
            double x = q[i].x + ((double)q[i + 1].x - q[i].x) * t / PARTS;
            double y = q[i].y + ((double)q[i + 1].y - q[i].y) * t / PARTS;
            double least = HUGE_VAL;
            if (to_path(e, x, y) < e->radius + slack) {
                continue;
            }
            for (size_t k = 0; k < p->n; k++) {
                least = fmin(least, to_item(p->items[k], x, y));
            }
            ck_assert_double_le(least, slack);
        }
    }
}

START_TEST(touch__an_eraser_takes_what_it_goes_over_and_nothing_else)
{
    sl_prng r;
    size_t touched = 0;
    size_t pieces = 0;
    sl_prng_seed(&r, 3);
    for (int round = 0; round < 200; round++) {
        sl_item *item = pen(&r, 2 + (uint32_t)sl_prng_below(&r, 40));
        sl_point path[8];
        sl_eraser e = {path, 1 + (uint32_t)sl_prng_below(&r, 8),
                       20 + (int32_t)sl_prng_below(&r, 300)};
        for (uint32_t i = 0; i < e.n; i++) {
            path[i] =
                (sl_point){(int32_t)sl_prng_below(&r, 4000), (int32_t)sl_prng_below(&r, 4000)};
        }
        sl_pieces p;
        ck_assert_int_eq(sl_item_erase(item, 50, &e, &p, NULL), SL_OK);
        if (p.touched) {
            check_pieces(item, &e, &p);
            touched++;
            pieces += p.n;
        } else {
            for (uint32_t i = 0; i < item->geo.n; i++) {
                ck_assert_double_gt(to_path(&e, item->geo.points[i].x, item->geo.points[i].y),
                                    e.radius);
            }
        }
        sl_pieces_clear(&p);
        sl_item_free(item);
    }
    ck_assert_uint_gt(touched, 100);
    ck_assert_uint_gt(pieces, 400);
}
END_TEST

START_TEST(touch__points_that_stay_keep_their_pressure_tilt_and_the_times_between_them)
{
    sl_item *item =
        item_of("{'kind':'pen','points':[[0,0],[1000,0],[2000,0],[3000,0],[4000,0]],"
                "'pressure':[10,20,30,40,50],'tilt':[1,2,3,4,5],'dt':[0,100,200,300,400],"
                "'in':0,'out':9}");
    sl_point path[1] = {{1500, 0}};
    sl_eraser e = {path, 1, 250};
    sl_pieces p;
    ck_assert_int_eq(sl_item_erase(item, 5, &e, &p, NULL), SL_OK);
    ck_assert(p.touched);
    ck_assert_uint_eq(p.n, 2);
    const sl_geometry *a = &p.items[0]->geo;
    const sl_geometry *b = &p.items[1]->geo;
    ck_assert_uint_eq(a->n, 3);
    ck_assert_int_eq(a->points[2].x, 1250);
    ck_assert_uint_eq(a->pressure[1], 20);
    ck_assert_uint_ge(a->pressure[2], 22); /* a quarter of the way to 30 */
    ck_assert_uint_le(a->pressure[2], 23);
    ck_assert_uint_eq(a->dt_ms[2], 125);
    ck_assert_uint_eq(b->n, 4);
    ck_assert_int_eq(b->points[0].x, 1750);
    ck_assert_uint_eq(b->dt_ms[0], 0);
    ck_assert_uint_eq(b->dt_ms[1], 25);
    ck_assert_uint_eq(b->dt_ms[3], 225);
    ck_assert_uint_eq(b->tilt[3], 5);
    sl_pieces_clear(&p);
    sl_point beside[1] = {{1500, 251}};
    e.path = beside;
    ck_assert_int_eq(sl_item_erase(item, 5, &e, &p, NULL), SL_OK);
    ck_assert(!p.touched);
    sl_pieces_clear(&p);
    sl_point all[2] = {{0, 0}, {4000, 0}};
    e = (sl_eraser){all, 2, 10};
    ck_assert_int_eq(sl_item_erase(item, 5, &e, &p, NULL), SL_OK);
    ck_assert(p.touched);
    ck_assert_uint_eq(p.n, 0);
    sl_pieces_clear(&p);
    sl_item_free(item);
}
END_TEST

START_TEST(touch__a_moved_stroke_is_cut_where_it_is_and_a_keyframed_one_not_at_all)
{
    sl_item *item =
        item_of("{'kind':'pen','points':[[0,0],[1000,0]],'in':0,'out':9,'style':{'move':"
                "[0,500]}}");
    sl_point path[1] = {{500, 500}};
    sl_eraser e = {path, 1, 100};
    sl_pieces p;
    ck_assert(sl_item_can_be_cut(item));
    ck_assert_int_eq(sl_item_erase(item, 5, &e, &p, NULL), SL_OK);
    ck_assert_uint_eq(p.n, 2);
    ck_assert_int_eq(p.items[0]->geo.points[1].x, 400);
    ck_assert_int_eq(p.items[0]->geo.points[1].y, 500);
    ck_assert(!sl_item_is_posed(p.items[0]));
    sl_pieces_clear(&p);
    sl_item_free(item);
    item = item_of(
        "{'kind':'pen','points':[[0,0]],'in':0,'out':9,'style':{'keys':[{'t':0,'move':[0,0]}"
        "]}}");
    ck_assert(!sl_item_can_be_cut(item));
    sl_item_free(item);
    item = item_of("{'kind':'line','points':[[0,0],[1,1]],'in':0,'out':9}");
    ck_assert(!sl_item_can_be_cut(item));
    sl_item_free(item);
}
END_TEST

/* A comb: each step crosses the eraser once. */
static sl_item *comb(uint32_t n)
{
    sl_item *item = item_of("{'kind':'pen','points':[[0,0]],'in':0,'out':9}");
    sl_geometry_clear(&item->geo);
    item->geo.n = n;
    item->geo.points = sl_mem_array(n, sizeof *item->geo.points);
    for (uint32_t i = 0; i < n; i++) {
        item->geo.points[i] = (sl_point){(int32_t)i * 4, i % 2 == 0 ? -1000 : 1000};
    }
    return item;
}

START_TEST(touch__pieces_have_a_limit_on_both_sides)
{
    sl_point path[2] = {{-100, 0}, {5000, 0}};
    sl_eraser e = {path, 2, 50};
    sl_pieces p;
    sl_item *item = comb(SL_PIECES_MAX);
    ck_assert_int_eq(sl_item_erase(item, 5, &e, &p, NULL), SL_OK);
    ck_assert_uint_eq(p.n, SL_PIECES_MAX);
    sl_pieces_clear(&p);
    sl_item_free(item);
    item = comb(SL_PIECES_MAX + 1);
    ck_assert_int_eq(sl_item_erase(item, 5, &e, &p, NULL), SL_E_LIMIT);
    ck_assert_ptr_null(p.items);
    sl_item_free(item);
    item = comb(9);
    sl_status s = SL_E_NOMEM;
    for (uint64_t k = 1; s != SL_OK && k < 1000; k++) {
        (void)sl_mem_fail_at(k, false);
        s = sl_item_erase(item, 5, &e, &p, NULL);
        (void)sl_mem_fail_at(0, false);
        ck_assert(s == SL_OK || (s == SL_E_NOMEM && p.items == NULL));
        sl_pieces_clear(&p);
    }
    ck_assert_int_eq(s, SL_OK);
    sl_item_free(item);
}
END_TEST

static void add(sl_drawing *d, int number, const char *text)
{
    sl_item *item = item_of(text);
    (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012d", number);
    ck_assert_int_eq(sl_drawing_add(d, item, NULL), SL_OK);
}

START_TEST(touch__a_lasso_takes_what_lies_in_it_for_more_than_its_half)
{
    sl_drawing *d = sl_drawing_new(1920, 1080);
    const sl_item *found[8];
    sl_point loop[4] = {{0, 0}, {10000, 0}, {10000, 10000}, {0, 10000}};
    add(d, 1, "{'kind':'rect','points':[[100,100],[9000,9000]],'in':0,'out':100}");
    add(d, 2,
        "{'kind':'rect','points':[[9000,9000],[19000,9500]],'in':0,'out':100}"); /* half of it */
    add(d, 3, "{'kind':'polyline','points':[[1,1],[5,5],[20000,5]],'in':0,'out':100}");
    add(d, 4, "{'kind':'polyline','points':[[1,1],[12000,5],[20000,5]],'in':0,'out':100}");
    add(d, 5, "{'kind':'marker','points':[[9999,9999]],'in':50,'out':100}");
    add(d, 6,
        "{'kind':'layer','points':[[0,0]],'text':'l','in':0,'out':9,'style':{'locked':true}}");
    add(d, 7,
        "{'kind':'marker','points':[[500,500]],'in':0,'out':100,'style':{'layer':"
        "'00000000-0000-7000-8000-000000000006'}}");
    ck_assert_uint_eq(sl_drawing_lasso(d, loop, 4, 60, found), 3);
    ck_assert_int_eq(found[0]->id[35], '1');
    ck_assert_int_eq(found[1]->id[35], '3');
    ck_assert_int_eq(found[2]->id[35], '5');
    ck_assert_uint_eq(sl_drawing_lasso(d, loop, 4, 49, found), 2);
    ck_assert_uint_eq(sl_drawing_lasso(d, loop, 2, 49, found), 0);
    sl_drawing_free(d);
}
END_TEST

START_TEST(touch__points_snap_to_points_then_directions_then_the_frame)
{
    sl_drawing *d = sl_drawing_new(1920, 1080);
    sl_point from = {5000, 5000};
    add(d, 1, "{'kind':'line','points':[[1000,1000],[2000,2000]],'in':0,'out':100}");
    const char *id = sl_drawing_at(d, 0)->id;
    static const struct {
        sl_point to;
        sl_point want;
        uint32_t how;
        bool from;
    } cases[] = {
        {{1060, 1080}, {1000, 1000}, SL_SNAP_POINT, true}, /* 100 away: the tolerance itself */
        {{1061, 1080}, {1061, 1080}, 0, false},
        {{9000, 5100}, {9000, 5000}, SL_SNAP_ANGLE, true},
        {{9000, 5101}, {9000, 5101}, 0, true},
        {{8000, 8100}, {8050, 8050}, SL_SNAP_ANGLE, true},
        {{2000, 7950}, {2025, 7975}, SL_SNAP_ANGLE, true},
        {{5050, 900}, {5000, 900}, SL_SNAP_ANGLE, true},
        {{10900, 3000}, {10922, 3000}, SL_SNAP_ACROSS, false},
        {{16400, 9300}, {16384, 9216}, SL_SNAP_ACROSS | SL_SNAP_DOWN, false},
        {{30, 18400}, {0, 18432}, SL_SNAP_ACROSS | SL_SNAP_DOWN, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_point to = cases[i].to;
        uint32_t how = sl_snap(d, NULL, cases[i].from ? &from : NULL, &to, 100, 5);
        ck_assert_msg(how == cases[i].how && to.x == cases[i].want.x && to.y == cases[i].want.y,
                      "case %zu: %u at %d %d", i, how, to.x, to.y);
    }
    sl_point to = {1060, 1080};
    ck_assert_uint_eq(sl_snap(d, id, NULL, &to, 100, 5), 0);     /* not to itself */
    ck_assert_uint_eq(sl_snap(d, NULL, NULL, &to, 100, 100), 0); /* not there any more */
    sl_drawing_free(d);
}
END_TEST

START_TEST(touch__a_prediction_goes_on_as_the_pen_went)
{
    sl_json *j = json_of("{'kind':'pen','in':0,'out':9}");
    sl_item *style = NULL;
    sl_point at;
    ck_assert_int_eq(sl_item_from_json_open(j, &style, NULL), SL_OK);
    sl_stroke *s = sl_stroke_new(style);
    ck_assert(!sl_stroke_predict(s, 16, &at));
    for (int i = 0; i <= 100; i++) {
        float q[4] = {(float)(100 * i), 3000, 0.5F, (float)(10 * i)};
        ck_assert_int_eq(sl_stroke_points(s, q, 1, NULL), SL_OK);
    }
    ck_assert(sl_stroke_predict(s, 0, &at));
    ck_assert_int_eq(at.x, 10000);
    ck_assert(sl_stroke_predict(s, 20, &at)); /* 10 units a ms */
    ck_assert_int_ge(at.x, 10150);
    ck_assert_int_le(at.x, 10250);
    ck_assert_int_eq(at.y, 3000);
    sl_stroke_free(s);
    sl_json_free(j);
}
END_TEST

static sl_item *drawn_with(const double *tilts, int n)
{
    sl_json *j = json_of("{'kind':'pen','in':0,'out':9}");
    sl_item *style = NULL;
    sl_item *item = NULL;
    ck_assert_int_eq(sl_item_from_json_open(j, &style, NULL), SL_OK);
    sl_stroke *s = sl_stroke_new(style);
    for (int i = 0; i < n; i++) {
        float q[4] = {(float)(100 * i), 3000, 0.5F, (float)(10 * i)};
        if (tilts[i] >= 0) {
            ck_assert_int_eq(sl_stroke_tilt(s, tilts[i], NULL), SL_OK);
        }
        ck_assert_int_eq(sl_stroke_points(s, q, 1, NULL), SL_OK);
    }
    ck_assert_int_eq(sl_stroke_tilt(s, -1, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_stroke_tilt(s, 90.5, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_stroke_tilt(s, (double)NAN, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_stroke_finish(s, &item, NULL), SL_OK);
    sl_json_free(j);
    return item;
}

/* [STROKE-4] The pen goes straight at an even pace: but for its tilt the two ends would say it all. */
START_TEST(touch__the_tilt_that_a_pen_tells_is_kept_within_its_bound)
{
    enum {
        N = 400 /* more than the first room */
    };
    double tilts[N];
    for (int i = 0; i < N; i++) {
        tilts[i] = i < 2 ? -1 : i < N / 2 ? 90.0 * i / N : 90 - 90.0 * i / N;
    }
    sl_item *item = drawn_with(tilts, N);
    const sl_geometry *g = &item->geo;
    ck_assert_ptr_nonnull(g->tilt);
    ck_assert_uint_le(g->n, 8);
    for (uint32_t k = 0; k + 1 < g->n; k++) {
        for (int i = 2; i < N; i++) {
            double part =
                ((double)(10 * i) - g->dt_ms[k]) / ((double)g->dt_ms[k + 1] - g->dt_ms[k]);
            if (part >= 0 && part <= 1) {
                double meant = g->tilt[k] + part * ((double)g->tilt[k + 1] - g->tilt[k]);
                ck_assert_double_le(fabs(meant - tilts[i]), SL_STROKE_TILT_ERROR + 0.5);
            }
        }
    }
    sl_item_free(item);
    for (int i = 0; i < N; i++) {
        tilts[i] = -1;
    }
    item = drawn_with(tilts, N);
    ck_assert_ptr_null(item->geo.tilt);
    sl_item_free(item);
}
END_TEST

SL_TEST_MAIN("annotation_touch", touch__an_eraser_takes_what_it_goes_over_and_nothing_else,
             touch__points_that_stay_keep_their_pressure_tilt_and_the_times_between_them,
             touch__a_moved_stroke_is_cut_where_it_is_and_a_keyframed_one_not_at_all,
             touch__pieces_have_a_limit_on_both_sides,
             touch__a_lasso_takes_what_lies_in_it_for_more_than_its_half,
             touch__points_snap_to_points_then_directions_then_the_frame,
             touch__a_prediction_goes_on_as_the_pen_went,
             touch__the_tilt_that_a_pen_tells_is_kept_within_its_bound)
