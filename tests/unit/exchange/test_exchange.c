#include "exchange/exchange.h"

#include "annotation/drawing.h"
#include "annotation/tool.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "exchange/xml.h"
#include "render/render.h"
#include "support.h"
#include "unit/exchange/read.h"
#include "unit/render/tools.h"

#include <math.h>
#include <string.h>

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

static void refuse(sl_format format, const char *text, size_t n, sl_status want, const char *words)
{
    sl_import im = import_of();
    sl_error *err = NULL;
    sl_status s = sl_import_read(&im, format, text, n, &err);
    ck_assert_int_eq(s, want);
    ck_assert_ptr_nonnull(err);
    ck_assert_msg(strstr(sl_error_message(err), words) != NULL, "%s", sl_error_message(err));
    ck_assert_uint_eq(im.n, 0);
    sl_error_release(err);
}

static const sl_item *only(const sl_import *im, sl_kind kind)
{
    ck_assert_msg(im->n == 1, "%zu items, %zu skipped", im->n, im->skipped);
    ck_assert_str_eq(sl_kind_name(im->items[0]->geo.kind), sl_kind_name(kind));
    ck_assert_int_eq(sl_item_check(im->items[0], NULL), SL_OK);
    return im->items[0];
}

#define SVG(body) "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1920 1080'>" body "</svg>"

/* --- our own SVG --- */

static sl_buf svg_of(const sl_item *const *items, size_t n)
{
    sl_shown shown[64];
    sl_buf out = {0};
    for (size_t i = 0; i < n; i++) {
        shown[i] = (sl_shown){items[i], -1};
    }
    sl_page page = {.scene = {.frame_w = 1920, .frame_h = 1080}, .whole = true};
    ck_assert_int_eq(sl_page_svg(&page, shown, n, &out, NULL), SL_OK);
    return out;
}

START_TEST(exchange__every_tool_comes_back_from_its_svg_as_it_was)
{
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        sl_item *item = tool(i);
        (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012x", (unsigned)i + 1);
        (void)snprintf(item->z, sizeof item->z, "V%c", (char)('a' + i));
        ck_assert_int_eq(sl_item_move(item, 100, -50, NULL), SL_OK);
        const sl_item *list[1] = {item};
        sl_buf svg = svg_of(list, 1);
        sl_import im = import_of();
        ck_assert_int_eq(sl_import_read(&im, SL_FORMAT_SVG, svg.data, svg.len, NULL), SL_OK);
        ck_assert_uint_eq(im.n, 1);
        ck_assert_uint_eq(im.skipped, 0);
        sl_json *a = sl_item_to_json(item);
        sl_json *b = sl_item_to_json(im.items[0]);
        ck_assert(sl_json_equal(a, b));
        sl_json_free(a);
        sl_json_free(b);
        sl_import_clear(&im);
        sl_buf_free(&svg);
        sl_item_free(item);
    }
}
END_TEST

START_TEST(exchange__a_text_of_marks_and_lines_and_a_bookmark_come_back)
{
    sl_item *items[2] = {
        item_of(
            "{'kind':'text','points':[[9,9]],'text':'a<b & c>d\\n\\tsay \\u00e9','in':0,'out':9}"),
        item_of("{'kind':'bookmark','points':[[0,0]],'in':5,'out':9}")};
    const sl_item *list[2] = {items[0], items[1]};
    sl_buf svg = svg_of(list, 2);
    sl_import im = import_of();
    ck_assert_int_eq(sl_import_read(&im, SL_FORMAT_SVG, svg.data, svg.len, NULL), SL_OK);
    ck_assert_uint_eq(im.n, 2);
    ck_assert_str_eq(im.items[0]->geo.text, items[0]->geo.text);
    ck_assert_int_eq(im.items[1]->geo.kind, SL_KIND_BOOKMARK);
    ck_assert_int_eq(im.items[1]->t_in, 5);
    sl_import_clear(&im);
    sl_buf_free(&svg);
    sl_item_free(items[0]);
    sl_item_free(items[1]);
}
END_TEST

START_TEST(exchange__an_item_that_another_program_moved_comes_back_moved)
{
    sl_item *item = item_of("{'kind':'line','points':[[100,200],[300,400]],'in':0,'out':9}");
    const sl_item *list[1] = {item};
    sl_buf svg = svg_of(list, 1);
    char moved[4096];
    const char *g = strstr(sl_buf_text(&svg), "<g id");
    (void)snprintf(moved, sizeof moved, "%.*s<g transform=\"translate(10,20)\" %s",
                   (int)(g - sl_buf_text(&svg)), sl_buf_text(&svg), g + 3);
    sl_import im = read_ok(SL_FORMAT_SVG, moved);
    const sl_item *back = only(&im, SL_KIND_LINE);
    ck_assert_int_eq(back->geo.points[0].x, 100);
    ck_assert_int_eq(back->edit.dx, 171); /* 10 pixels of 1920 */
    ck_assert_int_eq(back->edit.dy, 341);
    sl_import_clear(&im);
    sl_buf_free(&svg);
    sl_item_free(item);
}
END_TEST

START_TEST(exchange__a_damaged_item_of_ours_is_left_out_and_counted)
{
    sl_import im = read_ok(SL_FORMAT_SVG, SVG("<g data-kind='pen' data-geometry='AAAA'/>"));
    ck_assert_uint_eq(im.n, 0);
    ck_assert_uint_eq(im.skipped, 1);
    sl_import_clear(&im);
}
END_TEST

/* --- other SVG --- */

START_TEST(exchange__svg_shapes_become_items_with_their_colours)
{
    sl_import im = read_ok(SL_FORMAT_SVG, SVG("<line x1='10' y1='20' x2='30' y2='40' stroke='#f00' "
                                              "stroke-width='3' stroke-opacity='.5'/>"));
    const sl_item *item = only(&im, SL_KIND_LINE);
    at(item, 0, 10, 20);
    at(item, 1, 30, 40);
    ck_assert_int_eq(item->style.rgb, 0xFF0000);
    ck_assert_int_eq(item->style.opacity, 500);
    ck_assert_int_eq(item->style.width, 51);
    ck_assert_int_eq(item->t_in, 1000);
    sl_import_clear(&im);
    im = read_ok(SL_FORMAT_SVG, SVG("<rect x='10' y='20' width='30' height='40' "
                                    "style='fill: rgb(0,128,255) ; stroke:none'/>"));
    item = only(&im, SL_KIND_RECT);
    at(item, 1, 40, 60);
    ck_assert_int_eq(item->style.fill, 0x0080FF);
    sl_import_clear(&im);
    im =
        read_ok(SL_FORMAT_SVG, SVG("<circle cx='100' cy='100' r='10' stroke='blue' fill='none'/>"));
    item = only(&im, SL_KIND_ELLIPSE);
    at(item, 0, 90, 90);
    at(item, 1, 110, 110);
    ck_assert_int_eq(item->style.fill, -1);
    sl_import_clear(&im);
    im = read_ok(SL_FORMAT_SVG, SVG("<polygon points='0,0 10,0 10 10' fill='gold'/>"));
    at(only(&im, SL_KIND_POLYGON), 2, 10, 10);
    sl_import_clear(&im);
    im = read_ok(SL_FORMAT_SVG, SVG("<text x='10' y='100' font-size='50' fill='white'>Hip "
                                    "<tspan x='10' dy='60'>first</tspan></text>"));
    item = only(&im, SL_KIND_TEXT);
    ck_assert_str_eq(item->geo.text, "Hip\nfirst");
    ck_assert_int_eq(item->style.font_size, 853);
    at(item, 0, 10, 53.5);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__markers_make_arrows_and_dashes_dashes)
{
    sl_import im = read_ok(SL_FORMAT_SVG, SVG("<line x1='0' y1='0' x2='9' y2='9' stroke='red' "
                                              "marker-end='url(#a)'/>"));
    ck_assert_int_eq(only(&im, SL_KIND_ARROW)->style.heads, 1);
    sl_import_clear(&im);
    im = read_ok(SL_FORMAT_SVG, SVG("<line x1='0' y1='0' x2='9' y2='9' stroke='red' "
                                    "marker-start='url(#a)'/>"));
    at(only(&im, SL_KIND_ARROW), 1, 0, 0);
    sl_import_clear(&im);
    im = read_ok(SL_FORMAT_SVG, SVG("<path d='M0 0L9 9' stroke='red' marker-start='url(#a)' "
                                    "marker-end='url(#a)' stroke-dasharray='5 3'/>"));
    ck_assert_int_eq(only(&im, SL_KIND_ARROW)->style.heads, 2);
    ck_assert_int_eq(im.items[0]->style.dash, SL_DASH_DASHES);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__transforms_nest_and_a_turned_box_becomes_its_outline)
{
    sl_import im = read_ok(SL_FORMAT_SVG, SVG("<g transform='translate(100,50) scale(2)'><g "
                                              "transform='rotate(90)'><line x1='0' y1='0' x2='10' "
                                              "y2='0' stroke='red'/></g></g>"));
    at(only(&im, SL_KIND_LINE), 0, 100, 50);
    at(im.items[0], 1, 100, 70);
    ck_assert_int_eq(im.items[0]->style.width, 34);
    sl_import_clear(&im);
    im = read_ok(SL_FORMAT_SVG, SVG("<rect x='0' y='0' width='20' height='10' fill='red' "
                                    "transform='rotate(90)'/>"));
    at(only(&im, SL_KIND_RECT), 1, -10, 20);
    sl_import_clear(&im);
    im = read_ok(SL_FORMAT_SVG, SVG("<rect x='-10' y='-10' width='20' height='20' fill='red' "
                                    "transform='matrix(.6 .8 -.8 .6 500 500)'/>"));
    ck_assert_uint_eq(only(&im, SL_KIND_POLYGON)->geo.n, 4);
    at(im.items[0], 0, 500 + 10 * .6 - 10 * .8, 500 + 10 * .8 + 10 * .6);
    sl_import_clear(&im);
}
END_TEST

static int32_t color_of(const char *text)
{
    sl_import im = read_ok(SL_FORMAT_SVG, text);
    int32_t rgb = only(&im, SL_KIND_LINE)->style.rgb;
    sl_import_clear(&im);
    return rgb;
}

#define SHEET(rules, line) \
    SVG("<style>" rules "</style><line class='a b' id='one' x2='9' y2='9' stroke='red' " line "/>")

START_TEST(exchange__style_sheets_choose_by_name_class_and_id)
{
    ck_assert_int_eq(color_of(SHEET("line{stroke:#123456}", "")), 0x123456);
    ck_assert_int_eq(color_of(SHEET("*{stroke:#010203} rect{stroke:#ffffff}", "")), 0x010203);
    ck_assert_int_eq(color_of(SHEET(".b{stroke:#00ff00} line{stroke:#123456}", "")), 0x00FF00);
    ck_assert_int_eq(color_of(SHEET("#one{stroke:blue}.a.b{stroke:lime}", "")), 0x0000FF);
    ck_assert_int_eq(color_of(SHEET(".a{stroke:blue}.b{stroke:lime}", "")), 0x00FF00);
    ck_assert_int_eq(color_of(SHEET("rect , line.a{stroke:blue}", "")), 0x0000FF);
    ck_assert_int_eq(color_of(SHEET(".a.c{stroke:blue} .bb{stroke:lime}", "")), 0xFF0000);
    ck_assert_int_eq(color_of(SHEET("/* { */ line{ /* } */stroke:#123456 !important}", "")),
                     0x123456);
    ck_assert_int_eq(color_of(SHEET("line{stroke:lime}", "style='stroke:blue'")), 0x0000FF);
    ck_assert_int_eq(color_of(SHEET("line{stroke:lime", "")), 0xFF0000);
}
END_TEST

START_TEST(exchange__rules_that_choose_by_more_are_left_out_and_counted)
{
    sl_import im =
        read_ok(SL_FORMAT_SVG, SHEET("@media print{line{stroke:blue}} g line{stroke:lime}"
                                     "line:hover{stroke:lime} line{stroke:#123456}"
                                     "@import 'x.css'; .a>.b,.a{opacity:.5}",
                                     "opacity='.25'"));
    const sl_item *item = only(&im, SL_KIND_LINE);
    ck_assert_uint_eq(im.rules, 5);
    ck_assert_int_eq(item->style.rgb, 0x123456);
    ck_assert_int_eq(item->style.opacity, SL_OPACITY_MAX / 2);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__what_is_clipped_or_masked_is_there_whole_and_counted)
{
    sl_import im = read_ok(
        SL_FORMAT_SVG,
        SVG("<style>.m{mask:url(#m)}</style><clipPath id='c'><rect width='1' height='1'/></clipPath>"
            "<g clip-path='url(#c)'><line x2='9' y2='9' stroke='red'/>"
            "<line x2='9' y2='9' stroke='red' clip-path='none'/></g>"
            "<line x2='9' y2='9' stroke='red' class='m'/>"
            "<line x2='9' y2='9' stroke='red' style='clip-path: url(#c)'/>"
            "<line x2='9' y2='9' stroke='red' clip-path='url(#c)' display='none'/>"));
    ck_assert_uint_eq(im.n, 4);
    ck_assert_uint_eq(im.clipped, 3);
    ck_assert_uint_eq(im.skipped, 0);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__a_pattern_is_the_colour_beside_it_or_the_mean_of_its_own_and_counted)
{
    sl_import im = read_ok(
        SL_FORMAT_SVG,
        SVG("<defs><pattern id='p'><rect fill='#ff0000'/><path fill='none' stroke='#0000ff'/>"
            "<circle fill='none'/></pattern><pattern id='self'><rect fill='url(#self)'/></pattern>"
            "</defs><line x2='9' y2='9' stroke='url(#p)'/>"
            "<line x2='9' y2='9' stroke='url(#p) lime'/><line x2='9' y2='9' stroke='url(#self)'/>"));
    ck_assert_uint_eq(im.n, 2);
    ck_assert_uint_eq(im.patterns, 3);
    ck_assert_uint_eq(im.gradients, 0);
    ck_assert_int_eq(im.items[0]->style.rgb, 0x800080);
    ck_assert_int_eq(im.items[1]->style.rgb, 0x00FF00);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__a_gradient_whose_stops_are_painted_with_it_ends)
{
    sl_import im = read_ok(
        SL_FORMAT_SVG, SVG("<style>stop{fill:url(#g);stroke:url(#h)}</style><linearGradient id='g'>"
                           "<stop stop-color='#ff0000'/></linearGradient><linearGradient id='h'>"
                           "<stop stop-color='#0000ff'/></linearGradient>"
                           "<line x2='9' y2='9' stroke='url(#g)'/>"));
    ck_assert_uint_eq(im.n, 1);
    ck_assert_int_eq(im.items[0]->style.rgb, 0xFF0000);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__a_gradient_is_the_mean_of_its_stops_and_counted)
{
    sl_import im = read_ok(
        SL_FORMAT_SVG,
        SVG("<style>.s{stop-color:#0000ff}</style><defs><linearGradient id='g'>"
            "<stop stop-color='#ff0000'/><stop class='s' offset='1'/></linearGradient>"
            "<radialGradient id='h' xlink:href='#g' xmlns:xlink='http://www.w3.org/1999/xlink'/>"
            "<linearGradient id='round' href='#round'/>"
            "<linearGradient id='half'><stop style='stop-color:white;stop-opacity:0'/>"
            "<stop stop-color='#204060'/></linearGradient></defs>"
            "<line x2='9' y2='9' stroke='url(#g)'/><line x2='9' y2='9' stroke='url(\"#h\")'/>"
            "<line x2='9' y2='9' stroke='url(#half)'/><line x2='9' y2='9' stroke='url(#round)'/>"
            "<line x2='9' y2='9' stroke='url(#none) lime'/>"));
    ck_assert_uint_eq(im.n, 4);
    ck_assert_uint_eq(im.gradients, 4);
    ck_assert_int_eq(im.items[0]->style.rgb, 0x800080);
    ck_assert_int_eq(im.items[1]->style.rgb, 0x800080);
    ck_assert_int_eq(im.items[2]->style.rgb, 0x204060);
    ck_assert_int_eq(im.items[3]->style.rgb, 0x00FF00);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__use_draws_what_it_names_where_it_says)
{
    sl_import im = read_ok(
        SL_FORMAT_SVG,
        SVG("<defs><line id='l' x1='10' y1='10' x2='20' y2='30'/></defs>"
            "<symbol id='s' viewBox='10 10 20 10'><line x1='10' y1='10' x2='30' y2='20'/></symbol>"
            "<use href='#l' x='100' y='200' stroke='blue'/>"
            "<g transform='scale(2)'><use href='#s' x='50' y='60' width='40' height='40' "
            "stroke='red'/></g><use href='#away'/><use href='else.svg#l'/>"));
    ck_assert_uint_eq(im.n, 2);
    ck_assert_uint_eq(im.skipped, 2);
    ck_assert_int_eq(im.items[0]->style.rgb, 0x0000FF);
    at(im.items[0], 0, 110, 210);
    at(im.items[0], 1, 120, 230);
    at(im.items[1], 0, 100, 140);
    at(im.items[1], 1, 180, 180);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__uses_within_themselves_end)
{
    sl_import im = read_ok(SL_FORMAT_SVG, SVG("<g id='a'><use href='#a'/><line x2='9' y2='9' "
                                              "stroke='red'/></g>"));
    ck_assert_uint_eq(im.n, 17);
    ck_assert_uint_eq(im.skipped, 1);
    sl_import_clear(&im);
    sl_buf laughs = {0};
    sl_buf_str(&laughs, "<svg viewBox='0 0 9 9'><g id='u0'/>");
    for (int i = 1; i < 16; i++) {
        sl_buf_fmt(&laughs, "<g id='u%d'>", i);
        for (int k = 0; k < 8; k++) {
            sl_buf_fmt(&laughs, "<use href='#u%d'/>", i - 1);
        }
        sl_buf_str(&laughs, "</g>");
    }
    sl_buf_str(&laughs, "</svg>");
    refuse(SL_FORMAT_SVG, sl_buf_text(&laughs), laughs.len, SL_E_LIMIT, "uses its elements");
    sl_buf_free(&laughs);
}
END_TEST

START_TEST(exchange__the_view_box_is_fitted_into_the_frame)
{
    const char *text = "<svg viewBox='-50 -50 100 100'><line x1='-50' y1='-50' x2='50' y2='50' "
                       "stroke='red'/></svg>";
    sl_import im = read_ok(SL_FORMAT_SVG, text);
    at(only(&im, SL_KIND_LINE), 0, 420, 0);
    at(im.items[0], 1, 1500, 1080);
    sl_import_clear(&im);
}
END_TEST

/* The largest distance of the curve's points from the circle of radius r around (x, y), in units. */
static double off_circle(const sl_item *item, double x, double y, double r)
{
    double k = SL_UNITS / 1920.0;
    double worst = 0;
    for (uint32_t i = 0; i + 1 < item->geo.n; i++) {
        sl_point a = item->geo.points[i];
        sl_point b = item->geo.points[i + 1];
        double mx = (a.x + b.x) / 2.0 - x * k;
        double my = (a.y + b.y) / 2.0 - y * k;
        worst = fmax(worst, fabs(sqrt(mx * mx + my * my) - r * k));
    }
    return worst;
}

START_TEST(exchange__paths_with_curves_and_arcs_stay_within_the_curve_error)
{
    sl_import im = read_ok(
        SL_FORMAT_SVG, SVG("<path fill='none' stroke='red' d='M400,200a200 200 0 01200 200'/>"));
    const sl_item *item = only(&im, SL_KIND_POLYLINE);
    at(item, 0, 400, 200);
    at(item, item->geo.n - 1, 600, 400);
    ck_assert_double_le(off_circle(item, 400, 400, 200), SL_CURVE_ERROR + 1);
    sl_import_clear(&im);
    im = read_ok(SL_FORMAT_SVG,
                 SVG("<path fill='none' stroke='red' d='M400 200c110.457 0 200 89.543 "
                     "200 200'/>"));
    item = only(&im, SL_KIND_POLYLINE);
    at(item, item->geo.n - 1, 600, 400);
    ck_assert_double_le(off_circle(item, 400, 400, 200), SL_CURVE_ERROR + 1.5);
    sl_import_clear(&im);
    im = read_ok(
        SL_FORMAT_SVG,
        SVG("<path stroke='red' fill='none' d='M10 10h10v10H10z m50 0 l5 5 5-5Q80 0 90 10T110 10'/>"));
    ck_assert_uint_eq(im.n, 2);
    ck_assert_int_eq(im.items[0]->geo.kind, SL_KIND_POLYGON);
    ck_assert_uint_eq(im.items[0]->geo.n, 4);
    at(im.items[1], 0, 60, 10);
    at(im.items[1], 2, 70, 10);
    at(im.items[1], im.items[1]->geo.n - 1, 110, 10);
    sl_import_clear(&im);
    im = read_ok(SL_FORMAT_SVG, SVG("<path stroke='red' fill='none' d='M0 0 10 10 L oops 5 5'/>"));
    ck_assert_uint_eq(only(&im, SL_KIND_LINE)->geo.n, 2);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__what_is_hidden_or_has_no_place_is_left_out)
{
    sl_import im = read_ok(
        SL_FORMAT_SVG,
        SVG("<defs><rect width='9' height='9'/></defs><g display='none'><rect width='9' height='9'/></g>"
            "<rect width='9' height='9' fill='none'/><image href='x.png'/><use href='#a'/>"
            "<rect width='0' height='9'/><title>t</title>"));
    ck_assert_uint_eq(im.n, 0);
    ck_assert_uint_eq(im.skipped, 2);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__a_path_of_too_many_points_becomes_a_stroke)
{
    sl_buf b = {0};
    sl_buf_str(&b, "<svg viewBox='0 0 1920 1080'><path fill='none' stroke='red' d='M0 0");
    for (int i = 1; i < 3000; i++) {
        sl_buf_fmt(&b, " %d %d", i / 2, 100 + (i * 37) % 200);
    }
    sl_buf_str(&b, "'/></svg>");
    sl_import im = read_ok(SL_FORMAT_SVG, sl_buf_text(&b));
    ck_assert_uint_gt(only(&im, SL_KIND_PEN)->geo.n, SL_SHAPE_POINTS_MAX);
    sl_import_clear(&im);
    sl_buf_free(&b);
}
END_TEST

/* --- InkML --- */

START_TEST(exchange__inkml_differences_add_up)
{
    /* The W3C's example of differences: explicit, first, second. */
    sl_import im =
        read_ok(SL_FORMAT_INKML, "<ink><trace>1125 18432,'23'43,\"7\"-8,3-5,7 -3</trace></ink>");
    const sl_item *item = only(&im, SL_KIND_PEN);
    static const double want[5][2] = {
        {1125, 18432}, {1148, 18475}, {1178, 18510}, {1211, 18540}, {1251, 18567}};
    ck_assert_uint_eq(item->geo.n, 5);
    double k = (item->geo.points[4].y - item->geo.points[0].y) / (want[4][1] - want[0][1]);
    for (int i = 1; i < 5; i++) {
        ck_assert_double_eq_tol(item->geo.points[i].x - item->geo.points[0].x,
                                (want[i][0] - want[0][0]) * k, 1.01);
        ck_assert_double_eq_tol(item->geo.points[i].y - item->geo.points[0].y,
                                (want[i][1] - want[0][1]) * k, 1.01);
    }
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__inkml_channels_and_brushes_are_kept)
{
    sl_import im = read_ok(
        SL_FORMAT_INKML,
        "<ink xmlns='http://www.w3.org/2003/InkML'><definitions><brush xml:id='b'><brushProperty "
        "name='color' value='#0000FF'/><brushProperty name='width' value='4'/><brushProperty "
        "name='transparency' value='127.5'/></brush><context xml:id='c'><traceFormat><channel "
        "name='X' type='integer'/><channel name='Y' type='integer'/><channel name='F' "
        "type='integer' max='1000'/><channel name='T' units='s'/></traceFormat></context>"
        "</definitions><trace brushRef='#b'>100 200 500 5, 200 300 1000 5.25, 300 300 0 5.5</trace>"
        "</ink>");
    const sl_item *item = only(&im, SL_KIND_PEN);
    at(item, 0, 100, 200);
    at(item, 2, 300, 300);
    ck_assert_uint_eq(item->geo.pressure[0], 128);
    ck_assert_uint_eq(item->geo.pressure[1], 255);
    ck_assert_uint_eq(item->geo.dt_ms[1], 250);
    ck_assert_uint_eq(item->geo.dt_ms[2], 500);
    ck_assert_int_eq(item->style.rgb, 0x0000FF);
    ck_assert_int_eq(item->style.width, 68);
    ck_assert_int_eq(item->style.opacity, 500);
    sl_import_clear(&im);
}
END_TEST

START_TEST(exchange__ink_beyond_the_frame_is_fitted_into_it)
{
    sl_import im = read_ok(SL_FORMAT_INKML, "<ink><trace>-5000 0, 5000 10000</trace></ink>");
    at(only(&im, SL_KIND_PEN), 0, 420, 0);
    at(im.items[0], 1, 1500, 1080);
    sl_import_clear(&im);
    im = read_ok(SL_FORMAT_INKML, "<ink><trace> , oops</trace><trace/></ink>");
    ck_assert_uint_eq(im.n, 0);
    sl_import_clear(&im);
}
END_TEST

/* --- what is hostile --- */

START_TEST(exchange__other_files_and_damaged_ones_are_refused_in_words)
{
    static const char *const texts[] = {
        "", "x", "<svg", "<svg></sv>", "<svg>&nope;</svg>", "<svg/><svg/>", "<svg a='1' a='2'/>"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        refuse(SL_FORMAT_SVG, texts[i], strlen(texts[i]), SL_E_INVALID, "well-formed");
    }
    refuse(SL_FORMAT_SVG, "<html/>", 7, SL_E_INVALID, "not <svg> but <html>");
    refuse(SL_FORMAT_SVG, "<svg/>", 6, SL_E_INVALID, "no viewBox");
    refuse(SL_FORMAT_SVG, "<svg viewBox='0 0 0 5'/>", 24, SL_E_INVALID, "no viewBox");
    refuse(SL_FORMAT_INKML, "<svg/>", 6, SL_E_INVALID, "not <ink>");
    refuse(SL_FORMAT_KVA, "<KinoveaVideoAnalysis/>", 23, SL_E_INVALID, "how large");
}
END_TEST

START_TEST(exchange__entities_are_refused_however_they_grow)
{
    static const char laughs[] =
        "<!DOCTYPE svg [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c "
        "'&b;&b;&b;&b;&b;&b;&b;&b;'>]><svg viewBox='0 0 1 1'><text>&c;&c;</text></svg>";
    static const char outside[] =
        "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg><text>&x;</text></svg>";
    static const char harmless[] = "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' "
                                   "'http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd'>"
                                   "<svg viewBox='0 0 1 1'/>";
    refuse(SL_FORMAT_SVG, laughs, sizeof laughs - 1, SL_E_INVALID, "entities");
    refuse(SL_FORMAT_SVG, outside, sizeof outside - 1, SL_E_INVALID, "entities");
    sl_import im = read_ok(SL_FORMAT_SVG, harmless);
    sl_import_clear(&im);
}
END_TEST

static sl_buf nested(size_t depth)
{
    sl_buf b = {0};
    sl_buf_str(&b, "<svg viewBox='0 0 1920 1080'>");
    for (size_t i = 1; i < depth; i++) {
        sl_buf_str(&b, "<g>");
    }
    for (size_t i = 1; i < depth; i++) {
        sl_buf_str(&b, "</g>");
    }
    sl_buf_str(&b, "</svg>");
    return b;
}

START_TEST(exchange__depth_and_numbers_have_limits_on_both_sides)
{
    sl_buf b = nested(SL_XML_DEPTH_MAX);
    sl_import im = read_ok(SL_FORMAT_SVG, sl_buf_text(&b));
    sl_import_clear(&im);
    sl_buf_free(&b);
    b = nested(SL_XML_DEPTH_MAX + 1);
    refuse(SL_FORMAT_SVG, sl_buf_text(&b), b.len, SL_E_LIMIT, "deeper than 128");
    sl_buf_free(&b);
    for (size_t over = 0; over < 2; over++) {
        sl_buf_str(&b, "<svg viewBox='0 0 9 9'>");
        for (size_t i = 0; i < SL_IMPORT_ITEMS_MAX + over; i++) {
            sl_buf_str(&b, "<rect width='1' height='1'/>");
        }
        sl_buf_str(&b, "</svg>");
        if (over == 0) {
            im = read_ok(SL_FORMAT_SVG, sl_buf_text(&b));
            ck_assert_uint_eq(im.n, SL_IMPORT_ITEMS_MAX);
            sl_import_clear(&im);
        } else {
            refuse(SL_FORMAT_SVG, sl_buf_text(&b), b.len, SL_E_LIMIT, "more than 50000 drawings");
        }
        sl_buf_free(&b);
    }
    for (size_t i = 0; i < SL_XML_ELEMENTS_MAX; i++) {
        sl_buf_str(&b, i == 0 ? "<svg viewBox='0 0 9 9'>" : "<g/>");
    }
    sl_buf_str(&b, "<g/></svg>");
    refuse(SL_FORMAT_SVG, sl_buf_text(&b), b.len, SL_E_LIMIT, "500000");
    sl_buf_free(&b);
}
END_TEST

START_TEST(exchange__every_failed_allocation_is_reported)
{
    static const char *const texts[] = {
        [SL_FORMAT_SVG] = SVG(
            "<style>.a{fill:url(#g)}</style><linearGradient id='g'><stop/>"
            "</linearGradient><use href='#u'/><g id='u' class='a'><rect width='9' height='9'/><path d='M0 0c1 1 2 2 3 0z'/><text>a"
            "</text></g>"),
        [SL_FORMAT_INKML] = "<ink><trace>1 2,3 4</trace></ink>",
        [SL_FORMAT_KVA] =
            KVA_KEY("<Line><Start>1;1</Start><End>2;2</End></Line><Label><Text>a</Text>"
                    "<Position>1;1</Position></Label>")};
    for (int f = 0; f < 3; f++) {
        sl_status s = SL_E_NOMEM;
        for (uint64_t k = 1; s != SL_OK && k < 10000; k++) {
            sl_import im = import_of();
            (void)sl_mem_fail_at(k, false);
            s = sl_import_read(&im, (sl_format)f, texts[f], strlen(texts[f]), NULL);
            (void)sl_mem_fail_at(0, false);
            ck_assert(s == SL_OK || s == SL_E_NOMEM);
            ck_assert(s == SL_OK || im.n == 0);
            sl_import_clear(&im);
        }
        ck_assert_int_eq(s, SL_OK);
    }
}
END_TEST

SL_TEST_MAIN("exchange", exchange__every_tool_comes_back_from_its_svg_as_it_was,
             exchange__a_text_of_marks_and_lines_and_a_bookmark_come_back,
             exchange__an_item_that_another_program_moved_comes_back_moved,
             exchange__a_damaged_item_of_ours_is_left_out_and_counted,
             exchange__svg_shapes_become_items_with_their_colours,
             exchange__markers_make_arrows_and_dashes_dashes,
             exchange__transforms_nest_and_a_turned_box_becomes_its_outline,
             exchange__style_sheets_choose_by_name_class_and_id,
             exchange__rules_that_choose_by_more_are_left_out_and_counted,
             exchange__a_gradient_is_the_mean_of_its_stops_and_counted,
             exchange__a_gradient_whose_stops_are_painted_with_it_ends,
             exchange__what_is_clipped_or_masked_is_there_whole_and_counted,
             exchange__a_pattern_is_the_colour_beside_it_or_the_mean_of_its_own_and_counted,
             exchange__use_draws_what_it_names_where_it_says, exchange__uses_within_themselves_end,
             exchange__the_view_box_is_fitted_into_the_frame,
             exchange__paths_with_curves_and_arcs_stay_within_the_curve_error,
             exchange__what_is_hidden_or_has_no_place_is_left_out,
             exchange__a_path_of_too_many_points_becomes_a_stroke,
             exchange__inkml_differences_add_up, exchange__inkml_channels_and_brushes_are_kept,
             exchange__ink_beyond_the_frame_is_fitted_into_it,
             exchange__other_files_and_damaged_ones_are_refused_in_words,
             exchange__entities_are_refused_however_they_grow,
             exchange__depth_and_numbers_have_limits_on_both_sides,
             exchange__every_failed_allocation_is_reported)
