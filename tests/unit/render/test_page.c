/*
 * Pages against the renderer's own pixels: what rsvg-convert makes of the SVG and pdftocairo of the PDF
 * differs from them by less than SVG_MEAN_MAX and PDF_MEAN_MAX of 255 in the mean (PDF viewers scale
 * a small picture up in a way of their own), and by more than PAGE_FAR in at most
 * PAGE_FAR_MAX per mille of the values: edges are smoothed in other ways, and pictures scaled.
 */
#include "render/render.h"

#include "base/base64.h"
#include "base/error.h"
#include "tools.h"

#include <cairo.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PAGE_W = 480,
    PAGE_H = 270,
    PAGE_FAR = 64,
    PAGE_FAR_MAX = 4
};

static const double SVG_MEAN_MAX = 0.25;
static const double PDF_MEAN_MAX = 1.5;

/* What fontconfig keeps until the process ends is not ours to free. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

static int64_t time_of(const sl_item *item)
{
    return item->t_out > 350000 ? 350000 : 5;
}

static sl_scene scene_of(const sl_item *item, sl_pixels *stamp)
{
    sl_scene scene = {.frame_w = FRAME_W,
                      .frame_h = FRAME_H,
                      .t_us = time_of(item),
                      .stamp = stamp_picture,
                      .user = stamp};
    return scene;
}

static void write_file(const char *path, const sl_buf *bytes)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes->data, 1, bytes->len, f), bytes->len);
    ck_assert_int_eq(fclose(f), 0);
}

static void compare(const char *path, const sl_pixels *p, const char *what, double mean_max)
{
    cairo_surface_t *there = cairo_image_surface_create_from_png(path);
    ck_assert_msg(cairo_surface_status(there) == CAIRO_STATUS_SUCCESS, "cannot read %s", path);
    ck_assert_int_eq(cairo_image_surface_get_width(there), p->width);
    ck_assert_int_eq(cairo_image_surface_get_height(there), p->height);
    const uint8_t *data = cairo_image_surface_get_data(there);
    size_t stride = (size_t)cairo_image_surface_get_stride(there);
    size_t values = (size_t)p->width * (size_t)p->height * 3;
    size_t sum = 0;
    size_t far = 0;
    for (int32_t y = 0; y < p->height; y++) {
        for (int32_t x = 0; x < p->width; x++) {
            uint32_t v = 0;
            memcpy(&v, data + (size_t)y * stride + (size_t)x * 4, 4);
            for (int k = 0; k < 24; k += 8) {
                int d = abs((int)(v >> k & 0xFF) - (int)(pixel(p, x, y) >> k & 0xFF));
                sum += (size_t)d;
                far += d > PAGE_FAR;
            }
        }
    }
    cairo_surface_destroy(there);
    double mean = (double)sum / (double)values;
    if (getenv("SL_PAGES") != NULL) {
        printf("%-24s mean %.3f far %.2f per mille\n", what, mean,
               1000.0 * (double)far / (double)values);
    }
    ck_assert_msg(mean < mean_max && far * 1000 <= PAGE_FAR_MAX * values,
                  "%s: mean %.2f, far %zu of %zu", what, mean, far, values);
}

typedef sl_status write_page(const sl_page *page, const sl_shown *shown, size_t n, sl_buf *out,
                             sl_error **err);

/* Every tool by an outside program. */
static void compare_all(write_page *write, const char *ending)
{
    bool svg = write == sl_page_svg;
    char folder[] = "/tmp/sideline-pages-XXXXXX";
    const char *kept = getenv("SL_PAGES");
    const char *into = kept != NULL ? kept : mkdtemp(folder);
    ck_assert_ptr_nonnull(into);
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        char line[600];
        char page_path[200];
        char png_path[200];
        uint32_t squares[4] = {0xFFFF0000U, 0xFF00FF00U, 0xFF0000FFU, 0x80800000U};
        sl_pixels stamp = {sizeof stamp, 2, 2, 8, (uint8_t *)squares};
        sl_item *item = tool(i);
        sl_pixels frame = pixels(PAGE_W, PAGE_H);
        sl_shown shown = {item, -1};
        sl_buf bytes = {0};
        gradient(&frame);
        sl_page page = {.scene = scene_of(item, &stamp), .frame = &frame};
        sl_error *err = NULL;
        sl_status s = write(&page, &shown, 1, &bytes, &err);
        ck_assert_msg(s == SL_OK, "%s", sl_error_message(err));
        const char *name = sl_kind_name(item->geo.kind);
        (void)snprintf(page_path, sizeof page_path, "%s/%s.%s", into, name, ending);
        (void)snprintf(png_path, sizeof png_path, "%s/%s_%s", into, name, ending);
        write_file(page_path, &bytes);
        if (svg) {
            (void)snprintf(line, sizeof line, "rsvg-convert '%s' -o '%s.png'", page_path, png_path);
        } else {
            (void)snprintf(line, sizeof line, "pdftocairo -png -r 72 -singlefile '%s' '%s'",
                           page_path, png_path);
        }
        ck_assert_msg(system(line) == 0, "%s", line);
        (void)snprintf(line, sizeof line, "%s.png", png_path);
        ck_assert_int_eq(sl_render_scene(&page.scene, &shown, 1, &frame, NULL), SL_OK);
        compare(line, &frame, page_path, svg ? SVG_MEAN_MAX : PDF_MEAN_MAX);
        if (kept == NULL) {
            (void)unlink(page_path);
            (void)unlink(line);
        }
        sl_buf_free(&bytes);
        sl_mem_free(frame.data);
        sl_item_free(item);
    }
    if (kept == NULL) {
        (void)rmdir(folder);
    }
}

static bool is_there(const char *program)
{
    char line[100];
    (void)snprintf(line, sizeof line, "command -v %s >/dev/null 2>&1", program);
    bool there = system(line) == 0;
    if (!there) {
        printf("skipped: there is no %s\n", program);
    }
    return there;
}

START_TEST(page__rsvg_draws_each_tools_svg_as_the_renderer_draws_the_tool)
{
    if (is_there("rsvg-convert")) {
        compare_all(sl_page_svg, "svg");
    }
}
END_TEST

/* Whether this build's Cairo writes PDF. */
static bool has_pdf(void)
{
    sl_buf bytes = {0};
    sl_page page = {.scene = {.frame_w = 9, .frame_h = 9}};
    sl_status s = sl_page_pdf(&page, NULL, 0, &bytes, NULL);
    ck_assert(s == SL_OK || s == SL_E_UNSUPPORTED);
    sl_buf_free(&bytes);
    return s == SL_OK;
}

START_TEST(page__poppler_draws_each_tools_pdf_as_the_renderer_draws_the_tool)
{
    if (has_pdf() && is_there("pdftocairo")) {
        compare_all(sl_page_pdf, "pdf");
    }
}
END_TEST

static sl_buf page_of(write_page *write, const sl_page *page, const sl_item *item)
{
    sl_buf bytes = {0};
    sl_shown shown = {item, -1};
    ck_assert_int_eq(write(page, &shown, 1, &bytes, NULL), SL_OK);
    return bytes;
}

START_TEST(page__the_same_document_gives_the_same_bytes)
{
    bool pdf = has_pdf();
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        sl_item *item = tool(i);
        sl_page page = {.scene = {.frame_w = FRAME_W, .frame_h = FRAME_H}, .whole = true};
        sl_buf a = page_of(sl_page_svg, &page, item);
        sl_buf b = page_of(sl_page_svg, &page, item);
        ck_assert_uint_eq(a.len, b.len);
        ck_assert_mem_eq(a.data, b.data, a.len);
        sl_buf_free(&a);
        sl_buf_free(&b);
        if (pdf) {
            a = page_of(sl_page_pdf, &page, item);
            b = page_of(sl_page_pdf, &page, item);
            ck_assert_uint_eq(a.len, b.len);
            ck_assert_mem_eq(a.data, b.data, a.len);
            sl_buf_free(&a);
            sl_buf_free(&b);
        }
        sl_item_free(item);
    }
}
END_TEST

START_TEST(page__a_moment_has_what_is_visible_and_a_whole_document_everything)
{
    sl_item *item = item_of("{'kind':'line','points':[[0,0],[9,9]],'in':100,'out':200,'fade':50}");
    sl_item *mark =
        item_of("{'kind':'bookmark','points':[[0,0]],'text':'a<b&\\'c','in':0,'out':9}");
    sl_page page = {.scene = {.frame_w = FRAME_W, .frame_h = FRAME_H, .t_us = 200}};
    sl_buf out = page_of(sl_page_svg, &page, item);
    ck_assert_ptr_null(strstr(sl_buf_text(&out), "data-kind"));
    sl_buf_free(&out);
    page.scene.t_us = 199;
    out = page_of(sl_page_svg, &page, item);
    ck_assert_ptr_nonnull(strstr(sl_buf_text(&out), "data-kind=\"line\""));
    ck_assert_ptr_nonnull(strstr(sl_buf_text(&out), " opacity=\".02\""));
    sl_buf_free(&out);
    page.whole = true;
    out = page_of(sl_page_svg, &page, item);
    ck_assert_ptr_nonnull(strstr(sl_buf_text(&out), "<path"));
    ck_assert_ptr_null(strstr(sl_buf_text(&out), " opacity="));
    sl_buf_free(&out);
    out = page_of(sl_page_svg, &page, mark);
    ck_assert_ptr_nonnull(strstr(sl_buf_text(&out), "data-kind=\"bookmark\""));
    ck_assert_ptr_null(strstr(sl_buf_text(&out), "<path"));
    sl_buf_free(&out);
    sl_item_free(item);
    sl_item_free(mark);
}
END_TEST

START_TEST(page__an_item_of_a_hidden_layer_is_there_and_not_seen)
{
    sl_item *item = item_of("{'kind':'line','points':[[0,0],[9,9]],'in':100,'out':200}");
    sl_shown shown = {item, SL_SHOWN_HIDDEN};
    sl_page page = {.scene = {.frame_w = FRAME_W, .frame_h = FRAME_H}, .whole = true};
    sl_buf out = {0};
    ck_assert_int_eq(sl_page_svg(&page, &shown, 1, &out, NULL), SL_OK);
    ck_assert_ptr_nonnull(strstr(sl_buf_text(&out), " display=\"none\""));
    sl_buf_free(&out);
    sl_item_free(item);
}
END_TEST

/* Red dots within the box on white: none may be in the page's picture. */
START_TEST(page__what_a_blur_hides_is_not_in_the_file)
{
    sl_item *item = item_of("{'kind':'blur','points':[[8000,4000],[24000,14000]],'in':0,'out':10,"
                            "'fade':5,'style':{'opacity':0.5}}");
    sl_pixels frame = pixels(64, 36);
    fill(&frame, 0xFFFFFFFFU);
    for (int32_t y = 9; y < 27; y += 2) {
        for (int32_t x = 17; x < 46; x += 2) {
            uint32_t red = 0xFFFF0000U;
            memcpy(frame.data + (size_t)y * (size_t)frame.stride + (size_t)x * 4, &red, 4);
        }
    }
    sl_page page = {.scene = {.frame_w = 64, .frame_h = 36}, .frame = &frame, .whole = true};
    sl_buf bytes = page_of(sl_page_svg, &page, item);
    const char *image = strstr(sl_buf_text(&bytes), "base64,");
    ck_assert_ptr_nonnull(image);
    sl_buf plain = {0};
    ck_assert_int_eq(sl_pixels_png(&frame, &plain, NULL), SL_OK);
    sl_buf text = {0};
    sl_base64(&text, plain.data, plain.len);
    ck_assert_int_ne(strncmp(image + 7, sl_buf_text(&text), text.len), 0);
    ck_assert_uint_eq(pixel(&frame, 17, 9), 0xFFFF0000U);
    sl_buf_free(&bytes);
    sl_buf_free(&plain);
    sl_buf_free(&text);
    sl_mem_free(frame.data);
    sl_item_free(item);
}
END_TEST

START_TEST(page__every_failed_allocation_is_reported)
{
    sl_item *item = tool(TOOL_COUNT - 1);
    sl_shown shown = {item, -1};
    sl_pixels frame = pixels(32, 18);
    sl_page page = {.scene = {.frame_w = FRAME_W, .frame_h = FRAME_H}, .frame = &frame};
    sl_status s = SL_E_NOMEM;
    for (uint64_t k = 1; s != SL_OK && k < 10000; k++) {
        sl_buf bytes = {0};
        (void)sl_mem_fail_at(k, false);
        s = sl_page_svg(&page, &shown, 1, &bytes, NULL);
        (void)sl_mem_fail_at(0, false);
        ck_assert(s == SL_OK || s == SL_E_NOMEM);
        sl_buf_free(&bytes);
    }
    ck_assert_int_eq(s, SL_OK);
    sl_mem_free(frame.data);
    sl_item_free(item);
}
END_TEST

SL_TEST_MAIN("page", page__rsvg_draws_each_tools_svg_as_the_renderer_draws_the_tool,
             page__poppler_draws_each_tools_pdf_as_the_renderer_draws_the_tool,
             page__the_same_document_gives_the_same_bytes,
             page__a_moment_has_what_is_visible_and_a_whole_document_everything,
             page__an_item_of_a_hidden_layer_is_there_and_not_seen,
             page__what_a_blur_hides_is_not_in_the_file, page__every_failed_allocation_is_reported)
