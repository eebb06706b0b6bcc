/* Drawings and pixels through the public headers, standing alone and bound to a core. */
#include "doc.h"

START_TEST(doc__items_are_added_patched_hit_and_removed)
{
    sl_doc *doc = new_doc();
    char first[64];
    char second[64];
    char text[4096];
    add(doc, LINE, first);
    add(doc, LINE, second);
    ck_assert_str_eq(first, "00000000-0000-7000-8000-000000000001");
    ck_assert_str_eq(second, "00000000-0000-7000-8000-000000000002");
    sl_bytes *hit = NULL;
    ck_assert_int_eq(sl_doc_hit(doc, 500, 500, 10, 0, &hit), SL_OK);
    take_text(hit, text, sizeof text);
    ck_assert_str_eq(text, second);
    ck_assert_int_eq(patch(doc, second, "{\"z\":\"1\",\"style\":{\"color\":\"#010203\"}}"), SL_OK);
    ck_assert_int_eq(sl_doc_hit(doc, 500, 500, 10, 0, &hit), SL_OK);
    take_text(hit, text, sizeof text);
    ck_assert_str_eq(text, first);
    doc_text(doc, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "\"width\":1920,\"height\":1080"));
    ck_assert_ptr_nonnull(strstr(text, "#010203"));
    ck_assert(strstr(text, second) < strstr(text, first));
    ck_assert_int_eq(sl_doc_remove(doc, first, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_remove(doc, first, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(patch(doc, first, "{}"), SL_E_NOT_FOUND);
    ck_assert_int_eq(patch(doc, second, "{\"points\":[[1,1],[2,2]]}"), SL_E_INVALID);
    ck_assert_int_eq(patch(doc, second, "{"), SL_E_INVALID);
    ck_assert_int_eq(sl_doc_refresh(doc, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_hit(doc, 500, 500, 10, 100, &hit), SL_OK);
    ck_assert_ptr_null(hit);
    sl_doc_close(doc);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(doc__an_error_names_the_field_and_nothing_is_added)
{
    sl_doc *doc = new_doc();
    sl_error *err = NULL;
    sl_bytes *id = NULL;
    const char *bad = "{\"kind\":\"line\",\"points\":[[0,0],[1,1]],\"in\":5,\"out\":5}";
    ck_assert_int_eq(sl_doc_add(doc, bad, strlen(bad), &id, &err), SL_E_INVALID);
    ck_assert_ptr_null(id);
    ck_assert_ptr_nonnull(strstr(sl_error_detail(err), "\"field\":\"out\""));
    sl_error_release(err);
    char first[64];
    char twice[256];
    add(doc, LINE, first);
    (void)snprintf(twice, sizeof twice, "{\"id\":\"%s\",%s", first, &LINE[1]);
    ck_assert_int_eq(sl_doc_add(doc, twice, strlen(twice), NULL, NULL), SL_E_CONFLICT);
    char text[2048];
    doc_text(doc, text, sizeof text);
    ck_assert_ptr_null(strstr(strstr(text, "\"kind\"") + 1, "\"kind\""));
    sl_doc_close(doc);
    ck_assert_int_eq(sl_doc_new(0, 5, &doc, NULL), SL_E_INVALID);
    ck_assert_ptr_null(doc);
    sl_doc_close(NULL);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

static sl_id begin(sl_doc *doc)
{
    const char *style = "{\"kind\":\"pen\",\"style\":{\"color\":\"#FFFFFF\",\"width\":2000},"
                        "\"in\":50,\"out\":60}";
    sl_id stroke = 0;
    ck_assert_int_eq(sl_doc_stroke_begin(doc, style, strlen(style), &stroke, NULL), SL_OK);
    ck_assert_uint_ne(stroke, 0);
    return stroke;
}

static uint32_t middle_pixel(sl_doc *doc, int64_t t_us)
{
    static uint32_t data[160 * 90];
    memset(data, 0, sizeof data);
    sl_pixels p = {sizeof p, 160, 90, 640, (uint8_t *)data};
    ck_assert_int_eq(sl_render_draw(doc, t_us, &p, NULL), SL_OK);
    return data[45 * 160 + 80];
}

START_TEST(doc__handles_are_dragged_and_a_laser_is_never_kept)
{
    sl_doc *doc = NULL;
    sl_bytes *id = NULL;
    sl_bytes *handles = NULL;
    const char *line = "{\"kind\":\"line\",\"points\":[[0,0],[1000,0]],\"in\":0,\"out\":9}";
    ck_assert_int_eq(sl_doc_new(1920, 1080, &doc, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_add(doc, line, strlen(line), &id, NULL), SL_OK);
    const char *name = (const char *)sl_bytes_data(id);
    ck_assert_int_eq(sl_doc_drag(doc, name, 0, 1, 500, 600, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_move(doc, name, 10, -10, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_drag(doc, name, 0, 2, 0, 0, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_doc_handles(doc, name, 0, &handles, NULL), SL_OK);
    ck_assert_str_eq((const char *)sl_bytes_data(handles), "{\"handles\":[[10,-10],[510,590]]}");
    sl_bytes_release(handles);
    sl_bytes_release(id);

    const char *laser = "{\"kind\":\"laser\",\"in\":0,\"out\":9}";
    const float points[] = {0, 0, 1, 0, 9, 9, 1, 8};
    sl_id stroke = 0;
    ck_assert_int_eq(sl_doc_stroke_begin(doc, laser, strlen(laser), &stroke, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_stroke_points(doc, stroke, points, 2), SL_OK);
    ck_assert_int_eq(sl_doc_stroke_end(doc, stroke, 1, &id, NULL), SL_OK);
    ck_assert_ptr_null(id);
    ck_assert_int_eq(sl_doc_add(doc, laser, strlen(laser), NULL, NULL), SL_E_INVALID);
    sl_doc_close(doc);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(overlay__it_draws_what_changed_and_nothing_else)
{
    sl_doc *doc = NULL;
    sl_overlay *overlay = NULL;
    sl_pixels pixels = {.struct_size = sizeof pixels};
    int32_t damage[4];
    const char *line = "{\"kind\":\"line\",\"points\":[[0,0],[9000,0]],\"in\":0,\"out\":9}";
    const char *pen = "{\"kind\":\"pen\",\"in\":0,\"out\":9}";
    const float points[] = {20000, 9000, 1, 0, 20200, 9000, 1, 8};
    sl_id stroke = 0;
    ck_assert_int_eq(sl_doc_new(1920, 1080, &doc, NULL), SL_OK);
    ck_assert_int_eq(sl_overlay_new(doc, 0, 180, &overlay, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_overlay_new(doc, 320, 180, &overlay, NULL), SL_OK);
    ck_assert_int_eq(sl_overlay_show(overlay, 0, &pixels, damage, NULL), SL_OK);
    ck_assert_int_eq(pixels.width, 320);
    ck_assert_int_eq(sl_doc_add(doc, line, strlen(line), NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_overlay_show(overlay, 0, &pixels, damage, NULL), SL_OK);
    ck_assert_int_gt(damage[2], 80);
    ck_assert_int_lt(damage[3], 20);
    ck_assert_uint_ne(pixels.data[4 * 40 + 3], 0);
    ck_assert_int_eq(sl_overlay_show(overlay, 0, &pixels, damage, NULL), SL_OK);
    ck_assert_int_eq(damage[2], 0);
    ck_assert_int_eq(sl_doc_stroke_begin(doc, pen, strlen(pen), &stroke, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_stroke_points(doc, stroke, points, 2), SL_OK);
    ck_assert_int_eq(sl_overlay_show(overlay, 0, &pixels, damage, NULL), SL_OK);
    ck_assert(damage[2] > 0 && damage[2] < 30 && damage[0] > 180);
    sl_overlay_free(overlay);
    sl_doc_close(doc);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

static void add_dot(sl_doc *doc, const char *at)
{
    char item[256];
    (void)snprintf(item, sizeof item,
                   "{\"kind\":\"line\",\"points\":[%s],\"style\":{\"width\":200},\"in\":0,"
                   "\"out\":1000}",
                   at);
    ck_assert_int_eq(sl_doc_add(doc, item, strlen(item), NULL, NULL), SL_OK);
}

START_TEST(overlay__far_changes_are_boxes_of_their_own)
{
    sl_doc *doc = NULL;
    sl_overlay *overlay = NULL;
    sl_pixels pixels = {.struct_size = sizeof pixels};
    int32_t damage[4];
    int32_t boxes[4 * 4];
    size_t n = 9;
    ck_assert_int_eq(sl_doc_new(640, 360, &doc, NULL), SL_OK);
    ck_assert_int_eq(sl_overlay_new(doc, 640, 360, &overlay, NULL), SL_OK);
    ck_assert_int_eq(sl_overlay_show(overlay, 0, &pixels, damage, NULL), SL_OK);
    ck_assert_int_eq(sl_overlay_show(overlay, 0, &pixels, damage, NULL), SL_OK);
    ck_assert_int_eq(sl_overlay_boxes(overlay, NULL, 0, &n), SL_OK);
    ck_assert_uint_eq(n, 0);
    add_dot(doc, "[1000,1000],[1200,1100]");
    add_dot(doc, "[31000,17000],[31200,17100]");
    ck_assert_int_eq(sl_overlay_show(overlay, 0, &pixels, damage, NULL), SL_OK);
    ck_assert_int_gt(damage[2], 500);
    ck_assert_int_eq(sl_overlay_boxes(overlay, boxes, 4, &n), SL_OK);
    ck_assert_uint_eq(n, 2);
    for (size_t i = 0; i < n; i++) {
        const int32_t *box = boxes + 4 * i;
        ck_assert(box[2] > 0 && box[2] < 64 && box[3] > 0 && box[3] < 64);
        ck_assert(box[0] >= damage[0] && box[0] + box[2] <= damage[0] + damage[2]);
        ck_assert(box[1] >= damage[1] && box[1] + box[3] <= damage[1] + damage[3]);
    }
    boxes[4] = -1;
    ck_assert_int_eq(sl_overlay_boxes(overlay, boxes, 1, &n), SL_OK);
    ck_assert_uint_eq(n, 2);
    ck_assert_int_eq(boxes[4], -1);
    ck_assert_int_eq(sl_overlay_boxes(overlay, NULL, 1, &n), SL_E_MISUSE);
    sl_overlay_free(overlay);
    sl_doc_close(doc);
}
END_TEST

START_TEST(doc__a_live_stroke_is_seen_at_once_and_kept_or_cancelled)
{
    sl_doc *doc = new_doc();
    static const float points[] = {4000, 9216, 1, 0, 16000, 9216, 1, 100, 28000, 9216, 1, 200};
    sl_id stroke = begin(doc);
    ck_assert_uint_eq(middle_pixel(doc, 0), 0);
    ck_assert_int_eq(sl_doc_stroke_points(doc, stroke, points, 3), SL_OK);
    ck_assert_uint_eq(middle_pixel(doc, 0), 0xFFFFFFFFU);
    ck_assert_int_eq(sl_doc_stroke_end(doc, stroke, 0, NULL, NULL), SL_OK);
    ck_assert_uint_eq(middle_pixel(doc, 0), 0);
    ck_assert_int_eq(sl_doc_stroke_end(doc, stroke, 1, NULL, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_doc_stroke_points(doc, stroke, points, 3), SL_E_NOT_FOUND);

    stroke = begin(doc);
    ck_assert_int_eq(sl_doc_stroke_points(doc, stroke, points, 3), SL_OK);
    sl_bytes *id = NULL;
    ck_assert_int_eq(sl_doc_stroke_end(doc, stroke, 1, &id, NULL), SL_OK);
    char text[4096];
    take_text(id, text, sizeof text);
    ck_assert_str_eq(text, "00000000-0000-7000-8000-000000000001");
    ck_assert_uint_eq(middle_pixel(doc, 49), 0);
    ck_assert_uint_eq(middle_pixel(doc, 50), 0xFFFFFFFFU);
    doc_text(doc, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "[28000,9215]"));
    ck_assert_ptr_nonnull(strstr(text, "\"dt\":[0,"));

    sl_id many[16];
    for (int i = 0; i < 16; i++) {
        many[i] = begin(doc);
    }
    const char *style = "{\"kind\":\"pen\",\"in\":0,\"out\":1}";
    ck_assert_int_eq(sl_doc_stroke_begin(doc, style, strlen(style), &stroke, NULL), SL_E_LIMIT);
    ck_assert_int_eq(sl_doc_stroke_end(doc, many[3], 1, NULL, NULL), SL_E_INVALID);
    (void)begin(doc);
    sl_doc_close(doc); /* with strokes still live */
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(doc__a_bound_document_keeps_its_drawings_in_records)
{
    char dir[] = "/tmp/sideline-doc-XXXXXX";
    static char shown[4096];
    static char stored[4096];
    static const float points[] = {4000, 9216, 1, 0, 16000, 9216, 1, 100, 28000, 9216, 1, 200};
    sl_core *core = open_core(dir);
    sl_doc *doc = NULL;
    sl_doc *other = NULL;
    char line[64];
    char pen[64];
    sl_bytes *id = NULL;
    ck_assert_int_eq(sl_doc_open(core, "video:" SHA, &doc, NULL), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_doc_open(core, "thread:" VIDEO, &doc, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_doc_open(core, "video:" VIDEO, &doc, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_open(core, "video:" VIDEO, &other, NULL), SL_OK);
    add(doc, LINE, line);
    ck_assert_int_eq(patch(doc, line, "{\"out\":777,\"style\":{\"width\":9}}"), SL_OK);
    sl_id stroke = begin(doc);
    ck_assert_int_eq(sl_doc_stroke_points(doc, stroke, points, 3), SL_OK);
    ck_assert_int_eq(sl_doc_stroke_end(doc, stroke, 1, &id, NULL), SL_OK);
    take_text(id, pen, sizeof pen);
    doc_text(doc, shown, sizeof shown);
    ck_assert_ptr_nonnull(strstr(shown, "\"width\":720,\"height\":576"));
    ck_assert_ptr_nonnull(strstr(shown, "\"out\":777"));

    doc_text(other, stored, sizeof stored);
    ck_assert_ptr_null(strstr(stored, line));
    ck_assert_int_eq(sl_doc_refresh(other, NULL), SL_OK);
    doc_text(other, stored, sizeof stored);
    ck_assert_str_eq(stored, shown);
    ck_assert_int_eq(sl_doc_remove(other, line, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_refresh(doc, NULL), SL_OK);
    doc_text(doc, shown, sizeof shown);
    ck_assert_ptr_null(strstr(shown, line));
    ck_assert_ptr_nonnull(strstr(shown, pen));
    sl_doc_close(doc);
    sl_doc_close(other);
    sl_core_close(core);
    remove_folder(dir);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(render__a_png_of_the_pixels_is_given)
{
    uint32_t data[4] = {0xFFFF0000U, 0xFF00FF00U, 0, 0x80800000U};
    sl_pixels p = {sizeof p, 2, 2, 8, (uint8_t *)data};
    sl_bytes *png = NULL;
    ck_assert_int_eq(sl_render_png(&p, &png, NULL), SL_OK);
    ck_assert_uint_gt(sl_bytes_len(png), 60);
    ck_assert_mem_eq(sl_bytes_data(png), "\x89PNG\r\n\x1A\n", 8);
    sl_bytes_release(png);
    p.stride = 7;
    sl_error *err = NULL;
    ck_assert_int_eq(sl_render_png(&p, &png, &err), SL_E_MISUSE);
    ck_assert_ptr_null(png);
    sl_error_release(err);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

SL_TEST_MAIN("api_doc", doc__items_are_added_patched_hit_and_removed,
             doc__an_error_names_the_field_and_nothing_is_added,
             doc__a_live_stroke_is_seen_at_once_and_kept_or_cancelled,
             doc__handles_are_dragged_and_a_laser_is_never_kept,
             overlay__it_draws_what_changed_and_nothing_else,
             overlay__far_changes_are_boxes_of_their_own,
             doc__a_bound_document_keeps_its_drawings_in_records,
             render__a_png_of_the_pixels_is_given)
