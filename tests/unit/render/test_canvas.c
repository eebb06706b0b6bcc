/* A canvas over random changes, against drawing all anew. */
#include "render/canvas.h"

#include "annotation/drawing.h"
#include "annotation/stroke.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/prng.h"
#include "render/tiles.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

enum {
    W = 320,
    H = 180,
    ITEMS = 24
};

/* What fontconfig keeps until the process ends is not ours to free. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

static int32_t coordinate(sl_prng *r)
{
    return (int32_t)sl_prng_below(r, 30000);
}

static sl_item *random_item(sl_prng *r, int number)
{
    static const char *const kinds[] = {
        "line",  "rect",      "ellipse", "arrow", "ruler", "magnifier",   "marker", "stopwatch",
        "angle", "spotlight", "blur",    "grid",  "curve", "highlighter", "text",   "stamp"};
    static const char *const dashes[] = {"solid", "dashes", "dots"};
    char text[500];
    const char *kind = kinds[sl_prng_below(r, sizeof kinds / sizeof kinds[0])];
    const char *more = strcmp(kind, "text") == 0    ? ",\"text\":\"Hip\\nfirst\""
                       : strcmp(kind, "stamp") == 0 ? ",\"blob\":\"00112233445566778899aabbccddeeff"
                                                      "00112233445566778899aabbccddeeff\""
                                                    : "";
    int points =
        strcmp(kind, "magnifier") == 0 || strcmp(kind, "angle") == 0 || strcmp(kind, "curve") == 0
            ? 3
        : strcmp(kind, "marker") == 0 || strcmp(kind, "stopwatch") == 0 || strcmp(kind, "text") == 0
            ? 1
            : 2;
    int n = snprintf(text, sizeof text, "{\"kind\":\"%s\",\"points\":[", kind);
    for (int i = 0; i < points; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, "%s[%d,%d]", i > 0 ? "," : "",
                      (int)coordinate(r), (int)coordinate(r));
    }
    int in = (int)sl_prng_below(r, 50);
    (void)snprintf(
        text + n, sizeof text - (size_t)n,
        "]%s,\"style\":{\"width\":%d,\"opacity\":%s,\"length\":%d,\"dash\":\"%s\"},\"in\":"
        "%d,\"out\":%d}",
        more, 100 + (int)sl_prng_below(r, 400), sl_prng_below(r, 2) == 0 ? "1" : "0.5",
        (int)sl_prng_below(r, 2), dashes[sl_prng_below(r, 3)], in,
        in + 20 + (int)sl_prng_below(r, 80));
    sl_json *j = sl_json_parse(text, strlen(text));
    sl_item *item = NULL;
    ck_assert_int_eq(sl_item_from_json(j, &item, NULL), SL_OK);
    sl_json_free(j);
    (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012d", number);
    return item;
}

static void change_something(sl_drawing *d, sl_prng *r, int *number)
{
    size_t n = sl_drawing_count(d);
    const sl_item *item = n > 0 ? sl_drawing_at(d, (size_t)sl_prng_below(r, n)) : NULL;
    uint64_t what = sl_prng_below(r, 4);
    if (item == NULL || (what == 0 && n < ITEMS)) {
        ck_assert_int_eq(sl_drawing_add(d, random_item(r, ++*number), NULL), SL_OK);
    } else if (what == 1) {
        ck_assert(sl_drawing_remove(d, item->id));
    } else {
        sl_item *copy = sl_item_clone(item);
        (void)sl_item_move(copy, (int32_t)sl_prng_below(r, 2000) - 1000, 100, NULL);
        copy->z[0] = what == 2 ? (char)('1' + sl_prng_below(r, 9)) : copy->z[0];
        copy->z[1] = what == 2 ? 0 : copy->z[1];
        ck_assert_int_eq(sl_drawing_replace(d, copy, NULL), SL_OK);
    }
}

static size_t gather(const sl_drawing *d, const sl_stroke *stroke, sl_shown *shown)
{
    size_t n = 0;
    for (; n < sl_drawing_count(d); n++) {
        shown[n] = (sl_shown){sl_drawing_at(d, n), -1};
    }
    if (stroke != NULL && sl_stroke_now(stroke) != NULL) {
        shown[n++] = (sl_shown){sl_stroke_now(stroke), -1};
    }
    return n;
}

static bool is_in(const sl_box *box, int32_t x, int32_t y)
{
    return x >= box->x0 && x < box->x1 && y >= box->y0 && y < box->y1;
}

/* [CANVAS-1] [CANVAS-2] */
static void check_shown(sl_canvas *c, uint8_t *before, const sl_scene *scene, const sl_shown *shown,
                        size_t n)
{
    static uint8_t fresh[W * H * 4];
    sl_pixels all = {sizeof all, W, H, W * 4, fresh};
    const sl_pixels *p = sl_canvas_pixels(c);
    sl_box damage;
    memset(fresh, 0, sizeof fresh);
    memcpy(before, p->data, sizeof fresh);
    ck_assert_int_eq(sl_canvas_show(c, scene, shown, n, &damage, NULL), SL_OK);
    ck_assert_int_eq(sl_render_scene(scene, shown, n, &all, NULL), SL_OK);
    ck_assert_mem_eq(p->data, fresh, sizeof fresh);
    size_t boxes_n = 0;
    size_t wrong = 0;
    const sl_box *boxes = sl_canvas_damage(c, &boxes_n);
    for (int32_t y = 0; y < H; y++) {
        for (int32_t x = 0; x < W; x++) {
            size_t at = (size_t)(y * W + x) * 4;
            size_t in = 0;
            for (size_t i = 0; i < boxes_n; i++) {
                in += is_in(&boxes[i], x, y);
            }
            wrong += in > 1 || (in == 1 && !is_in(&damage, x, y)) ||
                     (in == 0 && memcmp(before + at, p->data + at, 4) != 0);
        }
    }
    ck_assert_uint_eq(wrong, 0);
}

START_TEST(canvas__after_any_changes_it_shows_what_drawing_all_shows)
{
    uint8_t *before = sl_mem((size_t)W * H * 4);
    sl_shown shown[ITEMS + 1];
    for (uint64_t seed = 1; seed <= 12; seed++) {
        sl_prng r;
        int number = 0;
        sl_drawing *d = sl_drawing_new(1920, 1080);
        sl_canvas *c = sl_canvas_new(W, H);
        sl_scene scene = {.frame_w = 1920, .frame_h = 1080, .t_us = 50};
        sl_prng_seed(&r, seed);
        for (int step = 0; step < 40; step++) {
            change_something(d, &r, &number);
            scene.t_us = sl_prng_below(&r, 4) == 0 ? (int64_t)sl_prng_below(&r, 100) : scene.t_us;
            check_shown(c, before, &scene, shown, gather(d, NULL, shown));
        }
        sl_canvas_free(c);
        sl_drawing_free(d);
    }
    sl_mem_free(before);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(canvas__a_live_stroke_damages_only_what_it_gains)
{
    uint8_t *before = sl_mem((size_t)W * H * 4);
    static const char style[] = "{\"kind\":\"pen\",\"style\":{\"width\":400},\"in\":0,\"out\":9}";
    sl_json *j = sl_json_parse(style, sizeof style - 1);
    sl_item *item = NULL;
    sl_shown shown[ITEMS + 1];
    sl_prng r;
    int number = 0;
    ck_assert_int_eq(sl_item_from_json_open(j, &item, NULL), SL_OK);
    sl_json_free(j);
    sl_drawing *d = sl_drawing_new(1920, 1080);
    sl_canvas *c = sl_canvas_new(W, H);
    sl_stroke *stroke = sl_stroke_new(item);
    sl_scene scene = {.frame_w = 1920, .frame_h = 1080, .t_us = 5};
    sl_prng_seed(&r, 3);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(sl_drawing_add(d, random_item(&r, ++number), NULL), SL_OK);
    }
    sl_box damage = {0, 0, 0, 0};
    for (int i = 0; i < 120; i++) {
        float q[4] = {4000.0F + (float)i * 200, 9000.0F + (float)(i % 7) * 300, 0.5F, (float)i * 8};
        ck_assert_int_eq(sl_stroke_points(stroke, q, 1, NULL), SL_OK);
        check_shown(c, before, &scene, shown, gather(d, stroke, shown));
    }
    size_t n = gather(d, stroke, shown);
    ck_assert_int_eq(sl_canvas_show(c, &scene, shown, n, &damage, NULL), SL_OK);
    ck_assert_int_eq(damage.x0, damage.x1);
    sl_stroke_free(stroke);
    sl_canvas_free(c);
    sl_drawing_free(d);
    sl_mem_free(before);
}
END_TEST

static void add_json(sl_drawing *d, const char *text)
{
    sl_json *j = sl_json_parse(text, strlen(text));
    sl_item *item = NULL;
    ck_assert_int_eq(sl_item_from_json(j, &item, NULL), SL_OK);
    sl_json_free(j);
    (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012zu",
                   sl_drawing_count(d) + 1);
    ck_assert_int_eq(sl_drawing_add(d, item, NULL), SL_OK);
}

/* A lens of 10 pixels at (40, 40) on the five pixels around (200, 40). */
START_TEST(canvas__a_magnifier_is_drawn_again_only_when_it_or_what_it_shows_changes)
{
    static const struct {
        const char *points; /* of what is added */
        int32_t width;      /* of the damage, at least and at most */
        int32_t most;
    } cases[] = {{"[[27000,15000],[28000,16000]]", 10, 40},
                 {"[[20300,4000],[20600,4200]]", 160, 224},
                 {"[[4000,4000],[4200,4200]]", 160, 224},
                 {"[[12000,3900],[12500,4400]]", 5, 40}};
    uint8_t *before = sl_mem((size_t)W * H * 4);
    sl_shown shown[ITEMS];
    sl_scene scene = {.frame_w = 1920, .frame_h = 1080};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        sl_drawing *d = sl_drawing_new(1920, 1080);
        sl_canvas *c = sl_canvas_new(W, H);
        add_json(d, "{\"kind\":\"magnifier\",\"points\":[[4096,4096],[5120,4096],[20480,4096]],"
                    "\"in\":0,\"out\":9,\"style\":{\"width\":100}}");
        check_shown(c, before, &scene, shown, gather(d, NULL, shown));
        (void)snprintf(text, sizeof text,
                       "{\"kind\":\"rect\",\"points\":%s,\"in\":0,\"out\":9,"
                       "\"style\":{\"width\":100}}",
                       cases[i].points);
        add_json(d, text);
        check_shown(c, before, &scene, shown, gather(d, NULL, shown));
        size_t n = 0;
        sl_box all = {0, 0, 0, 0};
        const sl_box *boxes = sl_canvas_damage(c, &n);
        for (size_t k = 0; k < n; k++) {
            all = k == 0 ? boxes[0] : all;
            sl_box_grow(&all, &boxes[k]);
        }
        ck_assert_int_ge(all.x1 - all.x0, cases[i].width);
        ck_assert_int_le(all.x1 - all.x0, cases[i].most);
        ck_assert_int_le(all.y1 - all.y0, 40);
        sl_canvas_free(c);
        sl_drawing_free(d);
    }
    sl_mem_free(before);
}
END_TEST

/* A lens that wanders, over and under other things: equal to all drawn anew, and little of it is. */
START_TEST(canvas__a_magnifier_that_moves_is_drawn_again_where_it_was_is_and_looks)
{
    uint8_t *before = sl_mem((size_t)W * H * 4);
    sl_shown shown[ITEMS];
    sl_scene scene = {.frame_w = 1920, .frame_h = 1080};
    sl_drawing *d = sl_drawing_new(1920, 1080);
    sl_canvas *c = sl_canvas_new(W, H);
    add_json(d, "{\"kind\":\"rect\",\"points\":[[1000,1000],[30000,17000]],\"in\":0,\"out\":900,"
                "\"style\":{\"width\":100}}");
    add_json(d, "{\"kind\":\"ellipse\",\"points\":[[5200,3500],[6500,4800]],\"in\":0,\"out\":900,"
                "\"style\":{\"width\":300}}");
    add_json(d, "{\"kind\":\"magnifier\",\"points\":[[4096,4096],[5120,4096],[6000,4096]],"
                "\"in\":0,\"out\":900,\"style\":{\"width\":100,\"keys\":["
                "{\"t\":0,\"move\":[0,0]},{\"t\":800,\"move\":[8000,4000],\"scale\":1.5}]}}");
    add_json(d, "{\"kind\":\"line\",\"points\":[[3000,3000],[14000,9000]],\"in\":0,\"out\":900,"
                "\"style\":{\"width\":200}}");
    size_t items = gather(d, NULL, shown);
    for (int step = 0; step < 20; step++) {
        scene.t_us = step * 40;
        check_shown(c, before, &scene, shown, items);
        size_t n = 0;
        const sl_box *boxes = sl_canvas_damage(c, &n);
        for (size_t k = 0; step > 0 && k < n; k++) {
            ck_assert_int_lt(boxes[k].x1 - boxes[k].x0, 100);
            ck_assert_int_lt(boxes[k].y1 - boxes[k].y0, 80);
        }
    }
    sl_canvas_free(c);
    sl_drawing_free(d);
    sl_mem_free(before);
}
END_TEST

/* [CANVAS-3], and an item that comes again is copied or blended as it was. */
START_TEST(canvas__what_is_kept_stays_within_its_limits_and_is_right)
{
    static const size_t limits[][2] = {{0, 0}, {3000, 20000}, {60000, 0}, {1 << 20, 1 << 20}};
    uint8_t *before = sl_mem((size_t)W * H * 4);
    sl_shown shown[ITEMS];
    sl_prng r;
    sl_prng_seed(&r, 21);
    sl_drawing *d = sl_drawing_new(1920, 1080);
    for (int i = 0; i < ITEMS; i++) {
        sl_item *item = random_item(&r, i + 1);
        while (item->geo.kind == SL_KIND_MAGNIFIER || item->geo.kind == SL_KIND_BLUR) {
            sl_item_free(item);
            item = random_item(&r, i + 1);
        }
        item->fade_us = i % 4 == 0 ? 10 : 0;
        ck_assert_int_eq(sl_drawing_add(d, item, NULL), SL_OK);
    }
    size_t n = gather(d, NULL, shown);
    for (size_t k = 0; k < sizeof limits / sizeof limits[0]; k++) {
        sl_canvas *c = sl_canvas_new(W, H);
        sl_scene scene = {.frame_w = 1920, .frame_h = 1080};
        ck_assert(sl_canvas_limit(c, limits[k][0], limits[k][1]));
        for (int step = 0; step < 60; step++) {
            scene.t_us = (int64_t)sl_prng_below(&r, 8) * 12;
            check_shown(c, before, &scene, shown, n);
            ck_assert_uint_le(sl_canvas_kept(c), limits[k][0] + limits[k][1]);
        }
        ck_assert((sl_canvas_kept(c) > 0) == (limits[k][0] > 0));
        sl_canvas_free(c);
    }
    sl_drawing_free(d);
    sl_mem_free(before);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(canvas__every_failed_allocation_is_reported_and_mended)
{
    uint8_t *before = sl_mem((size_t)W * H * 4);
    sl_shown shown[ITEMS + 1];
    sl_prng r;
    sl_prng_seed(&r, 9);
    sl_drawing *d = sl_drawing_new(1920, 1080);
    sl_scene scene = {.frame_w = 1920, .frame_h = 1080, .t_us = 50};
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(sl_drawing_add(d, random_item(&r, i + 1), NULL), SL_OK);
    }
    size_t n = gather(d, NULL, shown);
    for (uint64_t k = 1; k < 200; k++) {
        sl_box damage;
        (void)sl_mem_fail_at(k / 2 + 1, k % 2 == 1);
        sl_canvas *c = sl_canvas_new(W, H);
        sl_status s = c != NULL ? sl_canvas_show(c, &scene, shown, n, &damage, NULL) : SL_E_NOMEM;
        scene.t_us = s == SL_OK ? 40 : 50; /* and again, with what could be kept */
        s = s == SL_OK ? sl_canvas_show(c, &scene, shown, n, &damage, NULL) : s;
        (void)sl_mem_fail_at(0, false);
        ck_assert(s == SL_OK || s == SL_E_NOMEM);
        if (c != NULL) {
            check_shown(c, before, &scene, shown, n);
        }
        sl_canvas_free(c);
    }
    ck_assert_ptr_null(sl_canvas_new(0, 5));
    sl_drawing_free(d);
    sl_mem_free(before);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

SL_TEST_MAIN("canvas", canvas__after_any_changes_it_shows_what_drawing_all_shows,
             canvas__a_live_stroke_damages_only_what_it_gains,
             canvas__a_magnifier_is_drawn_again_only_when_it_or_what_it_shows_changes,
             canvas__a_magnifier_that_moves_is_drawn_again_where_it_was_is_and_looks,
             canvas__what_is_kept_stays_within_its_limits_and_is_right,
             canvas__every_failed_allocation_is_reported_and_mended)
