#include "golden.h"

#include "base/base64.h"
#include "base/mem.h"
#include "render/render.h"
#include "support.h"

#include <cairo.h>
#include <stdio.h>
#include <string.h>

static bool mode_is(const char *mode)
{
    const char *set = getenv("SL_GOLDEN");
    return set != NULL && strcmp(set, mode) == 0;
}

static void write_file(const char *path, const sl_buf *bytes)
{
    FILE *f = fopen(path, "wb");
    ck_assert_msg(f != NULL, "cannot write %s", path);
    ck_assert_uint_eq(fwrite(bytes->data, 1, bytes->len, f), bytes->len);
    ck_assert_int_eq(fclose(f), 0);
}

static sl_pixels same_size(const sl_pixels *p)
{
    sl_pixels out = {sizeof out, p->width, p->height, p->width * 4, NULL};
    out.data = sl_mem_array((size_t)p->width * (size_t)p->height, 4);
    ck_assert_ptr_nonnull(out.data);
    return out;
}

static sl_pixels read_golden(const char *path, const sl_pixels *like)
{
    sl_pixels out = same_size(like);
    cairo_surface_t *golden = cairo_image_surface_create_from_png(path);
    ck_assert_msg(cairo_surface_status(golden) == CAIRO_STATUS_SUCCESS, "cannot read %s", path);
    ck_assert_int_eq(cairo_image_surface_get_width(golden), like->width);
    ck_assert_int_eq(cairo_image_surface_get_height(golden), like->height);
    for (int32_t y = 0; y < like->height; y++) {
        memcpy(out.data + (ptrdiff_t)y * out.stride,
               cairo_image_surface_get_data(golden) +
                   (ptrdiff_t)y * cairo_image_surface_get_stride(golden),
               (size_t)out.stride);
    }
    cairo_surface_destroy(golden);
    return out;
}

typedef struct figures {
    double mean;
    size_t far;
    int most;
} figures;

/* How they differ, and a picture of that, four times as bright. */
static figures compare(const sl_pixels *want, const sl_pixels *have, const sl_pixels *apart)
{
    figures f = {0, 0, 0};
    size_t sum = 0;
    for (int32_t y = 0; y < want->height; y++) {
        for (int32_t i = 0; i < want->width * 4; i++) {
            int a = want->data[(ptrdiff_t)y * want->stride + i];
            int d = abs(a - have->data[(ptrdiff_t)y * have->stride + i]);
            bool alpha = i % 4 == 3;
            apart->data[(ptrdiff_t)y * apart->stride + i] =
                (uint8_t)(alpha || 4 * d > 255 ? 255 : 4 * d);
            sum += alpha ? 0 : (size_t)d;
            f.far += !alpha && d > GOLDEN_FAR;
            f.most = !alpha && d > f.most ? d : f.most;
        }
    }
    f.mean = (double)sum / ((double)want->width * want->height * 3);
    return f;
}

static void put_picture(sl_buf *page, const sl_pixels *p)
{
    sl_buf png = {0};
    ck_assert_int_eq(sl_pixels_png(p, &png, NULL), SL_OK);
    sl_buf_str(page, "<td><img src=\"data:image/png;base64,");
    sl_base64(page, png.data, png.len);
    sl_buf_str(page, "\"></td>");
    sl_buf_free(&png);
}

static void put_row(sl_buf *page, const char *name, bool good, figures f, const sl_pixels *three)
{
    char text[300];
    (void)snprintf(
        text, sizeof text,
        "<tr class=\"%s\"><th>%s</th><td>mean %.3f of at most %.1f<br>most %d<br>%zu values "
        "off by more than %d</td>",
        good ? "good" : "bad", name, f.mean, GOLDEN_MEAN_MAX, f.most, f.far, GOLDEN_FAR);
    sl_buf_str(page, text);
    for (int i = 0; i < 3; i++) {
        put_picture(page, &three[i]);
    }
    sl_buf_str(page, "</tr>\n");
}

void golden_check(golden_run *g, const char *name, const sl_pixels *p)
{
    char path[64];
    (void)snprintf(path, sizeof path, "tests/golden/%s.png", name);
    if (mode_is("write")) {
        sl_buf png = {0};
        ck_assert_int_eq(sl_pixels_png(p, &png, NULL), SL_OK);
        write_file(path, &png);
        sl_buf_free(&png);
        return;
    }
    sl_pixels three[3] = {read_golden(path, p), *p, same_size(p)};
    figures f = compare(&three[0], p, &three[2]);
    size_t values = (size_t)p->width * (size_t)p->height * 3;
    bool good = f.mean < GOLDEN_MEAN_MAX && f.far * 1000 <= GOLDEN_FAR_MAX * values;
    put_row(&g->page, name, good, f, three);
    g->failed += !good;
    sl_mem_free(three[0].data);
    sl_mem_free(three[2].data);
}

void golden_end(golden_run *g)
{
    const char *path = g->path != NULL ? g->path : GOLDEN_PAGE;
    if (g->failed > 0 || mode_is("report")) {
        sl_buf all = {0};
        sl_buf_str(&all,
                   "<!DOCTYPE html><meta charset=\"utf-8\"><title>Golden pictures</title>\n"
                   "<style>body{font:14px sans-serif}td,th{padding:4px}"
                   ".bad th{color:#c00}.good th{color:#080}</style>\n<table>\n<tr><th></th>"
                   "<th></th><th>golden</th><th>now</th><th>difference, times four</th></tr>\n");
        sl_buf_put(&all, g->page.data, g->page.len);
        sl_buf_str(&all, "</table>\n");
        ck_assert(!all.failed);
        write_file(path, &all);
        sl_buf_free(&all);
    }
    sl_buf_free(&g->page);
    ck_assert_msg(g->failed == 0, "%d pictures differ from their goldens: see %s", g->failed, path);
}
