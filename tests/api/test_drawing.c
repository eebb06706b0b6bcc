/* Drawings out to other programs and in from them, and steps that are undone together. */
#include "doc.h"

static const int64_t RANGE[2] = {0, 100};

static const char *const ITEMS[] = {
    "{\"kind\":\"line\",\"points\":[[0,0],[1000,1000]],\"in\":0,\"out\":100}",
    "{\"kind\":\"text\",\"points\":[[5,5]],\"text\":\"a<b>&c\\\"\",\"in\":0,\"out\":100,\"fade\":5}",
    "{\"kind\":\"pen\",\"points\":[[0,0],[5,9],[100,50]],\"pressure\":[1,2,3],\"dt\":[0,8,16],"
    "\"tilt\":[0,5,9],\"in\":50,\"out\":100,\"style\":{\"color\":\"#123456\",\"move\":[5,6],"
    "\"made_later\":[1]}}",
    "{\"kind\":\"layer\",\"points\":[[0,0]],\"text\":\"Coach\",\"in\":0,\"out\":9,\"style\":{"
    "\"hidden\":true}}",
    "{\"kind\":\"ruler\",\"points\":[[0,0],[3000,4000]],\"in\":0,\"out\":100,\"style\":{\"length\":2,"
    "\"unit\":\"m\"}}",
};

static sl_doc *full_doc(void)
{
    sl_doc *doc = new_doc();
    char id[64];
    for (size_t i = 0; i < sizeof ITEMS / sizeof ITEMS[0]; i++) {
        add(doc, ITEMS[i], id);
    }
    add(doc,
        "{\"kind\":\"rect\",\"points\":[[0,0],[9,9]],\"in\":0,\"out\":100,\"style\":{\"layer\":"
        "\"00000000-0000-7000-8000-000000000004\"}}",
        id);
    return doc;
}

START_TEST(drawing__a_document_comes_back_from_its_svg_as_it_was)
{
    sl_doc *doc = full_doc();
    sl_doc *back = new_doc();
    static char a[8192];
    static char b[8192];
    sl_bytes *svg = NULL;
    sl_bytes *answer = NULL;
    ck_assert_int_eq(sl_render_svg(doc, -1, NULL, &svg, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr((const char *)sl_bytes_data(svg), "display=\"none\""));
    ck_assert_int_eq(
        sl_doc_import(back, "svg", sl_bytes_data(svg), sl_bytes_len(svg), RANGE, &answer, NULL),
        SL_OK);
    ck_assert_ptr_nonnull(strstr((const char *)sl_bytes_data(answer), "\"skipped\":0"));
    doc_text(doc, a, sizeof a);
    doc_text(back, b, sizeof b);
    ck_assert_str_eq(a, b);
    sl_bytes_release(answer);
    /* Once more into the same document: new ids, and no second layer. */
    ck_assert_int_eq(
        sl_doc_import(back, "svg", sl_bytes_data(svg), sl_bytes_len(svg), RANGE, &answer, NULL),
        SL_OK);
    size_t ids = 0;
    const char *c = strstr((const char *)sl_bytes_data(answer), "-7000-8000-");
    for (; c != NULL; c = strstr(c + 1, "-7000-8000-")) {
        ids++;
    }
    ck_assert_uint_eq(ids, 5);
    sl_bytes_release(answer);
    sl_bytes_release(svg);
    sl_doc_close(doc);
    sl_doc_close(back);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(drawing__pages_and_measures_are_given_or_refused)
{
    sl_doc *doc = full_doc();
    sl_bytes *out = NULL;
    uint32_t grey[4] = {0xFF808080U, 0xFF808080U, 0xFF808080U, 0xFF808080U};
    sl_pixels frame = {sizeof frame, 2, 2, 8, (uint8_t *)grey};
    ck_assert_int_eq(sl_render_pdf(doc, 50, &frame, &out, NULL), SL_OK);
    ck_assert_int_eq(memcmp(sl_bytes_data(out), "%PDF-", 5), 0);
    sl_bytes_release(out);
    ck_assert_int_eq(sl_render_svg(doc, 50, &frame, &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr((const char *)sl_bytes_data(out), "viewBox=\"0 0 2 2\""));
    sl_bytes_release(out);
    ck_assert_int_eq(sl_doc_csv(doc, &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr((const char *)sl_bytes_data(out), "ruler,0,length,2,m\r\n"));
    sl_bytes_release(out);
    frame.stride = 7;
    ck_assert_int_eq(sl_render_svg(doc, 50, &frame, &out, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_render_svg(doc, -2, NULL, &out, NULL), SL_E_MISUSE);
    sl_doc *no_doc = NULL;
    const char *no_format = NULL;
    ck_assert_int_eq(sl_render_pdf(no_doc, 0, NULL, &out, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_doc_csv(doc, NULL, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_doc_import(doc, "dxf", "", 0, NULL, NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_doc_import(doc, "svg", "<a/>", 4, NULL, NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_doc_import(doc, no_format, "<a/>", 4, NULL, NULL, NULL), SL_E_MISUSE);
    sl_doc_close(doc);
}
END_TEST

static const sl_pixels *red_stamp(void *user, const char *blob)
{
    static uint32_t red = 0xFFFF0000U;
    static sl_pixels picture = {sizeof picture, 1, 1, 4, NULL};
    picture.data = (uint8_t *)&red;
    *(int *)user += 1;
    return strncmp(blob, "00", 2) == 0 ? &picture : NULL;
}

START_TEST(drawing__a_stamp_gets_its_picture_from_the_callback)
{
    sl_doc *doc = new_doc();
    char id[64];
    int asked = 0;
    uint32_t pixel[64 * 36] = {0};
    sl_pixels into = {sizeof into, 64, 36, 256, (uint8_t *)pixel};
    add(doc,
        "{\"kind\":\"stamp\",\"points\":[[0,0],[32768,18432]],\"in\":0,\"out\":9,\"blob\":\"" SHA
        "\"}",
        id);
    ck_assert_int_eq(sl_render_stamps(doc, red_stamp, &asked), SL_OK);
    ck_assert_int_eq(sl_render_draw(doc, 5, &into, NULL), SL_OK);
    ck_assert_int_eq(asked, 1);
    ck_assert_uint_eq(pixel[18 * 64 + 32], 0xFFFF0000U);
    ck_assert_int_eq(sl_render_stamps(doc, NULL, NULL), SL_OK);
    memset(pixel, 0, sizeof pixel);
    ck_assert_int_eq(sl_render_draw(doc, 5, &into, NULL), SL_OK);
    ck_assert_int_eq(asked, 1);
    ck_assert_uint_ne(pixel[18 * 64 + 32], 0xFFFF0000U);
    sl_doc *none = NULL;
    ck_assert_int_eq(sl_render_stamps(none, NULL, NULL), SL_E_MISUSE);
    sl_doc_close(doc);
}
END_TEST

static size_t items_of(sl_doc *doc)
{
    static char text[65536];
    size_t n = 0;
    ck_assert_int_eq(sl_doc_refresh(doc, NULL), SL_OK);
    doc_text(doc, text, sizeof text);
    for (const char *c = strstr(text, "\"kind\""); c != NULL; c = strstr(c + 1, "\"kind\"")) {
        n++;
    }
    return n;
}

/* What is in a layer is in the one made for it; ids of the file are nobody's here. */
static void check_layer(sl_doc *doc)
{
    static char text[8192];
    char id[64];
    doc_text(doc, text, sizeof text);
    ck_assert_ptr_null(strstr(text, "00000000-0000-7000-8000-"));
    const char *layer = strstr(text, "\"layer\":\"");
    ck_assert_ptr_nonnull(layer);
    (void)snprintf(id, sizeof id, "\"id\":\"%.36s\"", layer + 9);
    ck_assert_ptr_nonnull(strstr(text, id));
}

START_TEST(drawing__what_was_deleted_or_is_elsewhere_can_be_imported)
{
    char dir[] = "/tmp/sideline-drawing-XXXXXX";
    sl_core *core = open_core(dir);
    sl_doc *from = full_doc();
    sl_doc *doc = NULL;
    sl_bytes *svg = NULL;
    ck_assert_int_eq(sl_render_svg(from, -1, NULL, &svg, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_open(core, "video:" VIDEO, &doc, NULL), SL_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(
            sl_doc_import(doc, "svg", sl_bytes_data(svg), sl_bytes_len(svg), RANGE, NULL, NULL),
            SL_OK);
        ck_assert_uint_eq(items_of(doc), items_of(from));
        check_layer(doc);
        sl_bytes_release(svg);
        ck_assert_int_eq(sl_render_svg(doc, -1, NULL, &svg, NULL), SL_OK);
        ck_assert_int_eq(sl_undo(core, "video:" VIDEO, NULL, NULL), SL_OK);
        ck_assert_uint_eq(items_of(doc), 0);
    }
    sl_bytes_release(svg);
    sl_doc_close(from);
    sl_doc_close(doc);
    sl_core_close(core);
    remove_folder(dir);
}
END_TEST

START_TEST(drawing__an_import_into_a_core_is_undone_by_one_undo)
{
    char dir[] = "/tmp/sideline-drawing-XXXXXX";
    static const char svg[] = "<svg viewBox='0 0 720 576'><rect width='9' height='9'/><line x2='9' "
                              "y2='9' stroke='red'/></svg>";
    sl_core *core = open_core(dir);
    sl_doc *doc = NULL;
    char id[64];
    ck_assert_int_eq(sl_doc_open(core, "video:" VIDEO, &doc, NULL), SL_OK);
    add(doc, LINE, id);
    ck_assert_int_eq(sl_doc_import(doc, "svg", svg, sizeof svg - 1, RANGE, NULL, NULL), SL_OK);
    ck_assert_uint_eq(items_of(doc), 3);
    ck_assert_int_eq(sl_undo(core, "video:" VIDEO, NULL, NULL), SL_OK);
    ck_assert_uint_eq(items_of(doc), 1);
    ck_assert_int_eq(sl_redo(core, "video:" VIDEO, NULL, NULL), SL_OK);
    ck_assert_uint_eq(items_of(doc), 3);
    sl_doc_close(doc);
    sl_core_close(core);
    remove_folder(dir);
}
END_TEST

START_TEST(drawing__the_steps_of_a_drag_are_undone_together)
{
    char dir[] = "/tmp/sideline-drawing-XXXXXX";
    static char before[4096];
    static char after[4096];
    sl_core *core = open_core(dir);
    sl_doc *doc = NULL;
    char id[64];
    char long_name[70];
    ck_assert_int_eq(sl_doc_open(core, "video:" VIDEO, &doc, NULL), SL_OK);
    add(doc, LINE, id);
    doc_text(doc, before, sizeof before);
    ck_assert_int_eq(sl_doc_group(doc, "drag 1", NULL), SL_OK);
    for (int32_t i = 1; i <= 20; i++) {
        ck_assert_int_eq(sl_doc_drag(doc, id, 0, 1, 1000 + 50 * i, 1000, NULL), SL_OK);
    }
    ck_assert_int_eq(sl_doc_group(doc, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_move(doc, id, 5, 5, NULL), SL_OK);
    ck_assert_int_eq(sl_undo(core, "video:" VIDEO, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_refresh(doc, NULL), SL_OK);
    doc_text(doc, after, sizeof after);
    ck_assert_ptr_nonnull(strstr(after, "[2000,1000]"));
    ck_assert_int_eq(sl_undo(core, "video:" VIDEO, NULL, NULL), SL_OK);
    ck_assert_int_eq(sl_doc_refresh(doc, NULL), SL_OK);
    doc_text(doc, after, sizeof after);
    ck_assert_str_eq(after, before);
    memset(long_name, 'x', 65);
    long_name[65] = 0;
    ck_assert_int_eq(sl_doc_group(doc, long_name, NULL), SL_E_INVALID);
    long_name[64] = 0;
    ck_assert_int_eq(sl_doc_group(doc, long_name, NULL), SL_OK);
    sl_doc_close(doc);
    sl_core_close(core);
    remove_folder(dir);
}
END_TEST

START_TEST(drawing__an_eraser_is_one_step_that_one_undo_takes_back)
{
    char dir[] = "/tmp/sideline-drawing-XXXXXX";
    static const int32_t path[] = {500, -1000, 500, 1000};
    static char before[4096];
    static char text[4096];
    sl_core *core = open_core(dir);
    sl_doc *doc = NULL;
    char pen[64];
    char line[64];
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_doc_open(core, "video:" VIDEO, &doc, NULL), SL_OK);
    add(doc, "{\"kind\":\"pen\",\"points\":[[0,0],[1000,0]],\"in\":0,\"out\":100}", pen);
    add(doc, LINE, line);
    doc_text(doc, before, sizeof before);
    ck_assert_int_eq(sl_doc_erase(doc, path, 2, 50, 5, &out, NULL), SL_OK);
    take_text(out, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, pen));
    ck_assert_ptr_null(strstr(text, line));
    ck_assert_uint_eq(items_of(doc), 3);
    doc_text(doc, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "[[0,0],[450,0]]"));
    ck_assert_ptr_nonnull(strstr(text, "[[550,0],[1000,0]]"));
    ck_assert_int_eq(sl_undo(core, "video:" VIDEO, NULL, NULL), SL_OK);
    ck_assert_uint_eq(items_of(doc), 2);
    doc_text(doc, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "[[0,0],[1000,0]]"));
    ck_assert_int_eq(sl_doc_erase_items(doc, path, 2, 50, 5, NULL, NULL), SL_OK);
    ck_assert_uint_eq(items_of(doc), 0);
    ck_assert_int_eq(sl_doc_erase(doc, path, 2, 0, 5, NULL, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_doc_erase(doc, path, 0, 5, 5, NULL, NULL), SL_E_LIMIT);
    sl_doc_close(doc);
    sl_core_close(core);
    remove_folder(dir);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(drawing__a_hand_selects_snaps_and_is_predicted)
{
    static const int32_t loop[] = {-5, -5, 2000, -5, 2000, 2000, -5, 2000};
    static const int32_t far[] = {200000, 0};
    int32_t to[2] = {1010, 990};
    uint32_t how = 0;
    char id[64];
    char text[256];
    sl_id stroke = 0;
    static const float points[] = {0, 0, 1, 0};
    sl_bytes *out = NULL;
    sl_doc *doc = new_doc();
    add(doc, LINE, id);
    ck_assert_int_eq(sl_doc_lasso(doc, loop, 4, 5, &out, NULL), SL_OK);
    take_text(out, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, id));
    ck_assert_int_eq(sl_doc_lasso(doc, far, 1, 5, &out, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_doc_lasso(doc, loop, 1025, 5, &out, NULL), SL_E_LIMIT);
    ck_assert_int_eq(sl_doc_snap(doc, NULL, NULL, to, 50, 5, &how), SL_OK);
    ck_assert_uint_eq(how, 1);
    ck_assert_int_eq(to[0], 1000);
    ck_assert_int_eq(sl_doc_snap(doc, NULL, NULL, to, -1, 5, &how), SL_E_MISUSE);
    ck_assert_int_eq(
        sl_doc_stroke_begin(doc, "{\"kind\":\"pen\",\"in\":0,\"out\":9}", 29, &stroke, NULL),
        SL_OK);
    ck_assert_int_eq(sl_doc_stroke_predict(doc, stroke, 16, to), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_doc_stroke_points(doc, stroke, points, 1), SL_OK);
    ck_assert_int_eq(sl_doc_stroke_predict(doc, stroke, 100, to), SL_OK);
    ck_assert_int_eq(sl_doc_stroke_predict(doc, stroke, 101, to), SL_E_MISUSE);
    ck_assert_int_eq(sl_doc_stroke_tilt(doc, stroke, 90), SL_OK);
    ck_assert_int_eq(sl_doc_stroke_tilt(doc, stroke, 91), SL_E_INVALID);
    ck_assert_int_eq(sl_doc_stroke_tilt(doc, stroke + 1, 45), SL_E_NOT_FOUND);
    ck_assert_int_eq(sl_doc_stroke_end(doc, stroke, 0, NULL, NULL), SL_OK);
    sl_doc_close(doc);
}
END_TEST

SL_TEST_MAIN("drawing", drawing__a_document_comes_back_from_its_svg_as_it_was,
             drawing__pages_and_measures_are_given_or_refused,
             drawing__a_stamp_gets_its_picture_from_the_callback,
             drawing__what_was_deleted_or_is_elsewhere_can_be_imported,
             drawing__an_import_into_a_core_is_undone_by_one_undo,
             drawing__the_steps_of_a_drag_are_undone_together,
             drawing__an_eraser_is_one_step_that_one_undo_takes_back,
             drawing__a_hand_selects_snaps_and_is_predicted)
