/* render/shapes.c - the drawn shapes, one function a tool, and the table of all that draw. */
#include "render/inside.h"

#include <math.h>
#include <stdio.h>

static const double PI = 3.141592653589793;

static void move_to(const ink *k, sl_point p)
{
    double x = 0;
    double y = 0;
    sl_ink_at(k, p, &x, &y);
    cairo_move_to(k->cr, x, y);
}

static void line_to(const ink *k, sl_point p)
{
    double x = 0;
    double y = 0;
    sl_ink_at(k, p, &x, &y);
    cairo_line_to(k->cr, x, y);
}

static double font_px(const ink *k)
{
    return k->item->style.font_size * k->scale;
}

static void path_points(const ink *k)
{
    const sl_geometry *geo = &k->item->geo;
    move_to(k, geo->points[0]);
    for (uint32_t i = 1; i < geo->n; i++) {
        line_to(k, geo->points[i]);
    }
}

static bool draw_line(const ink *k)
{
    path_points(k);
    sl_ink_line(k);
    return true;
}

static bool draw_polygon(const ink *k)
{
    path_points(k);
    cairo_close_path(k->cr);
    sl_ink_fill_style(k);
    sl_ink_line(k);
    return true;
}

/* The box's corners, each through the matrix: a turned picture turns it too. */
static void path_box(const ink *k)
{
    sl_point a = k->item->geo.points[0];
    sl_point b = k->item->geo.points[1];
    move_to(k, a);
    line_to(k, (sl_point){b.x, a.y});
    line_to(k, b);
    line_to(k, (sl_point){a.x, b.y});
    cairo_close_path(k->cr);
}

static bool draw_rect(const ink *k)
{
    path_box(k);
    sl_ink_fill_style(k);
    sl_ink_line(k);
    return true;
}

static void path_ellipse(const ink *k)
{
    double rx = fabs(sl_ink_x(k, 1) - sl_ink_x(k, 0)) * 0.5;
    double ry = fabs(sl_ink_y(k, 1) - sl_ink_y(k, 0)) * 0.5;
    cairo_save(k->cr);
    cairo_translate(k->cr, (sl_ink_x(k, 0) + sl_ink_x(k, 1)) * 0.5,
                    (sl_ink_y(k, 0) + sl_ink_y(k, 1)) * 0.5);
    cairo_scale(k->cr, fmax(rx, 0.01), fmax(ry, 0.01)); /* a scale of 0 has no way back */
    cairo_new_sub_path(k->cr);
    cairo_arc(k->cr, 0, 0, 1, 0, 2 * PI);
    cairo_close_path(k->cr);
    cairo_restore(k->cr);
}

static bool draw_ellipse(const ink *k)
{
    path_ellipse(k);
    sl_ink_fill_style(k);
    sl_ink_line(k);
    return true;
}

/* A head's length and half width; a shaft too short for it makes it smaller. */
static double head_of(const ink *k, double len, double *wing)
{
    double head = fmin(4.5 * k->width, (k->item->style.heads > 1 ? 0.45 : 0.6) * len);
    *wing = fmax(0.4 * head, k->width * 0.5);
    return head;
}

/* The outline of one end seen along (ux, uy): with a head or round. */
static void end_of_arrow(const ink *k, double x, double y, double ux, double uy, double head,
                         double wing)
{
    double half = k->width * 0.5;
    if (head <= 0) {
        double along = atan2(uy, ux);
        cairo_arc(k->cr, x, y, half, along - PI / 2, along + PI / 2);
        return;
    }
    double cx = x - ux * head;
    double cy = y - uy * head;
    cairo_line_to(k->cr, cx + uy * half, cy - ux * half);
    cairo_line_to(k->cr, cx + uy * wing, cy - ux * wing);
    cairo_line_to(k->cr, x, y);
    cairo_line_to(k->cr, cx - uy * wing, cy + ux * wing);
    cairo_line_to(k->cr, cx - uy * half, cy + ux * half);
}

static void path_head(const ink *k, double x, double y, double ux, double uy, double head,
                      double wing)
{
    cairo_move_to(k->cr, x, y);
    cairo_line_to(k->cr, x - ux * head - uy * wing, y - uy * head + ux * wing);
    cairo_line_to(k->cr, x - ux * head + uy * wing, y - uy * head - ux * wing);
    cairo_close_path(k->cr);
}

typedef struct shaft {
    double a[2]; /* tail */
    double c[2]; /* what it is drawn towards */
    double b[2]; /* tip */
} shaft;

static void pull_back(double end[2], const double from[2], double by, double u[2])
{
    double len = hypot(end[0] - from[0], end[1] - from[1]);
    u[0] = len > 1e-6 ? (end[0] - from[0]) / len : 1;
    u[1] = len > 1e-6 ? (end[1] - from[1]) / len : 0;
    end[0] -= u[0] * by;
    end[1] -= u[1] * by;
}

/* Shaft and heads apart, for what is curved or dashed: the halo of all first, then all. */
static bool draw_shaft(const ink *k, shaft s)
{
    double wing = 0;
    double len = hypot(s.c[0] - s.a[0], s.c[1] - s.a[1]) + hypot(s.b[0] - s.c[0], s.b[1] - s.c[1]);
    double head = head_of(k, len, &wing);
    double tip[2] = {s.b[0], s.b[1]};
    double tail[2] = {s.a[0], s.a[1]};
    double u[2];
    double v[2];
    int heads = k->item->style.heads;
    pull_back(s.b, s.c, heads > 0 ? head * 0.8 : 0, u);
    pull_back(s.a, s.c, heads > 1 ? head * 0.8 : 0, v);
    cairo_move_to(k->cr, s.a[0], s.a[1]);
    cairo_curve_to(k->cr, s.a[0] + (s.c[0] - s.a[0]) * 2 / 3, s.a[1] + (s.c[1] - s.a[1]) * 2 / 3,
                   s.b[0] + (s.c[0] - s.b[0]) * 2 / 3, s.b[1] + (s.c[1] - s.b[1]) * 2 / 3, s.b[0],
                   s.b[1]);
    sl_ink_line(k);
    if (heads > 0) {
        path_head(k, tip[0], tip[1], u[0], u[1], head, wing);
    }
    if (heads > 1) {
        path_head(k, tail[0], tail[1], v[0], v[1], head, wing);
    }
    if (heads > 0) {
        sl_ink_body(k);
    }
    return true;
}

/* One outline of shaft and heads. */
static bool draw_arrow(const ink *k)
{
    shaft s = {{sl_ink_x(k, 0), sl_ink_y(k, 0)}, {0, 0}, {sl_ink_x(k, 1), sl_ink_y(k, 1)}};
    double len = hypot(s.b[0] - s.a[0], s.b[1] - s.a[1]);
    if (k->item->style.dash != SL_DASH_SOLID && len >= 1) {
        s.c[0] = (s.a[0] + s.b[0]) * 0.5;
        s.c[1] = (s.a[1] + s.b[1]) * 0.5;
        return draw_shaft(k, s);
    }
    if (len < 1e-6) {
        cairo_new_sub_path(k->cr);
        cairo_arc(k->cr, s.a[0], s.a[1], k->width * 0.5, 0, 2 * PI);
    } else {
        double wing = 0;
        double head = head_of(k, len, &wing);
        double ux = (s.b[0] - s.a[0]) / len;
        double uy = (s.b[1] - s.a[1]) / len;
        int heads = k->item->style.heads;
        cairo_new_sub_path(k->cr);
        end_of_arrow(k, s.a[0], s.a[1], -ux, -uy, heads > 1 ? head : 0, wing);
        end_of_arrow(k, s.b[0], s.b[1], ux, uy, heads > 0 ? head : 0, wing);
    }
    cairo_close_path(k->cr);
    sl_ink_body(k);
    return true;
}

static bool draw_curve(const ink *k)
{
    shaft s = {{sl_ink_x(k, 0), sl_ink_y(k, 0)},
               {sl_ink_x(k, 1), sl_ink_y(k, 1)},
               {sl_ink_x(k, 2), sl_ink_y(k, 2)}};
    return draw_shaft(k, s);
}

static void label_of(const ink *k, char out[SL_LABEL_MAX])
{
    sl_measure m;
    sl_measure_at(k->item, k->scene->t_us, k->units, &m);
    sl_measure_label(&m, out);
}

typedef struct angle {
    double v[2]; /* the vertex, in pixels */
    double from; /* direction of the first arm */
    double turn; /* to the second, the shorter way round */
    double r;    /* of the arc */
} angle;

static angle angle_of(const ink *k, const sl_point p[3], double font)
{
    double xy[3][2];
    for (int i = 0; i < 3; i++) {
        sl_ink_at(k, p[i], &xy[i][0], &xy[i][1]);
    }
    double ax = xy[0][0] - xy[1][0];
    double ay = xy[0][1] - xy[1][1];
    double bx = xy[2][0] - xy[1][0];
    double by = xy[2][1] - xy[1][1];
    angle g = {{xy[1][0], xy[1][1]}, atan2(ay, ax), atan2(ax * by - ay * bx, ax * bx + ay * by), 0};
    g.r = fmin(0.4 * fmin(hypot(ax, ay), hypot(bx, by)), font);
    return g;
}

static void path_arc(const ink *k, const angle *g)
{
    cairo_new_sub_path(k->cr);
    if (g->turn > 0) {
        cairo_arc(k->cr, g->v[0], g->v[1], g->r, g->from, g->from + g->turn);
    } else {
        cairo_arc_negative(k->cr, g->v[0], g->v[1], g->r, g->from, g->from + g->turn);
    }
}

static bool draw_angle(const ink *k)
{
    char label[SL_LABEL_MAX];
    sl_point p[3];
    sl_angle_points(k->item, p);
    angle g = angle_of(k, p, 1.5 * font_px(k));
    move_to(k, p[0]);
    line_to(k, p[1]);
    line_to(k, p[2]);
    if (g.r > 0.5) {
        path_arc(k, &g);
    }
    sl_ink_line(k);
    label_of(k, label);
    double middle = g.from + g.turn * 0.5;
    double away = g.r + 1.5 * font_px(k);
    sl_ink_label(k, label, g.v[0] + away * cos(middle), g.v[1] + away * sin(middle), 1);
    return true;
}

/* An angle against the level or the plumb line, on a dial of ten-degree marks. */
static bool draw_protractor(const ink *k)
{
    sl_point p[3];
    sl_angle_points(k->item, p);
    angle g = angle_of(k, p, HUGE_VAL);
    double r = hypot(sl_ink_x(k, 1) - g.v[0], sl_ink_y(k, 1) - g.v[1]);
    cairo_new_sub_path(k->cr);
    cairo_arc(k->cr, g.v[0], g.v[1], r, 0, 2 * PI);
    for (int i = 0; i < 36; i++) {
        double a = i * PI / 18;
        double in = i % 9 == 0 ? 0.86 : 0.93;
        cairo_move_to(k->cr, g.v[0] + r * cos(a), g.v[1] + r * sin(a));
        cairo_line_to(k->cr, g.v[0] + in * r * cos(a), g.v[1] + in * r * sin(a));
    }
    sl_ink_thin(k, fmax(k->width * 0.4, 1));
    return draw_angle(k);
}

/* Marks at both ends and at every tenth; the length beside the middle. */
static bool draw_ruler(const ink *k)
{
    char label[SL_LABEL_MAX];
    double x0 = sl_ink_x(k, 0);
    double y0 = sl_ink_y(k, 0);
    double dx = sl_ink_x(k, 1) - x0;
    double dy = sl_ink_y(k, 1) - y0;
    double len = hypot(dx, dy);
    double nx = len > 1e-6 ? -dy / len : 0;
    double ny = len > 1e-6 ? dx / len : 1;
    path_points(k);
    for (int i = 0; i <= 10; i++) {
        double mark = (i % 10 == 0 ? 2.5 : i == 5 ? 1.8 : 1.1) * k->width;
        double x = x0 + dx * i / 10;
        double y = y0 + dy * i / 10;
        cairo_move_to(k->cr, x - nx * mark, y - ny * mark);
        cairo_line_to(k->cr, x + nx * mark, y + ny * mark);
    }
    sl_ink_line(k);
    label_of(k, label);
    double away = (ny < 0 ? 1 : -1) * (3 * k->width + 0.8 * font_px(k));
    sl_ink_label(k, label, x0 + dx / 2 + nx * away, y0 + dy / 2 + ny * away, 1);
    return true;
}

/* The way up to now and the place on it, with how far and how fast. */
static bool draw_path(const ink *k)
{
    char label[SL_LABEL_MAX];
    const sl_point *p = k->item->geo.points;
    uint32_t passed = 0;
    int32_t part = 0;
    sl_path_at(k->item, k->scene->t_us, &passed, &part);
    double x = sl_ink_x(k, passed);
    double y = sl_ink_y(k, passed);
    if (part > 0) {
        x += (sl_ink_x(k, passed + 1) - x) * part / 1000;
        y += (sl_ink_y(k, passed + 1) - y) * part / 1000;
    }
    move_to(k, p[0]);
    for (uint32_t i = 1; i <= passed; i++) {
        line_to(k, p[i]);
    }
    cairo_line_to(k->cr, x, y);
    sl_ink_line(k);
    for (uint32_t i = 0; i <= passed; i++) {
        cairo_new_sub_path(k->cr);
        cairo_arc(k->cr, sl_ink_x(k, i), sl_ink_y(k, i), k->width, 0, 2 * PI);
    }
    cairo_new_sub_path(k->cr);
    cairo_arc(k->cr, x, y, 2 * k->width, 0, 2 * PI);
    sl_ink_body(k);
    label_of(k, label);
    sl_ink_boxed_label(k, label, x, y - 2 * k->width - 1.2 * font_px(k), 1);
    return true;
}

static bool draw_sign(const ink *k)
{
    char label[SL_LABEL_MAX];
    label_of(k, label);
    sl_ink_boxed_label(k, label, sl_ink_x(k, 0), sl_ink_y(k, 0), 1);
    return true;
}

/* A number on a disc of the item's colour. */
static bool draw_marker(const ink *k)
{
    char label[SL_LABEL_MAX];
    cairo_new_sub_path(k->cr);
    cairo_arc(k->cr, sl_ink_x(k, 0), sl_ink_y(k, 0), font_px(k), 0, 2 * PI);
    cairo_close_path(k->cr);
    sl_ink_body(k);
    label_of(k, label);
    ink white = *k;
    sl_item plain = *k->item;
    plain.style.rgb = 0xFFFFFF;
    white.item = &plain;
    sl_ink_label(&white, label, sl_ink_x(k, 0), sl_ink_y(k, 0), 1);
    return true;
}

/* The unit square onto four corners (Heckbert 1989): u to the second, v to the fourth. */
typedef struct homography {
    double x0, y0; /* of (0, 0) */
    double ux, uy, vx, vy;
    double g, h;
} homography;

static homography make_homography(double q[4][2])
{
    double sx = q[0][0] - q[1][0] + q[2][0] - q[3][0];
    double sy = q[0][1] - q[1][1] + q[2][1] - q[3][1];
    double dx1 = q[1][0] - q[2][0];
    double dy1 = q[1][1] - q[2][1];
    double dx2 = q[3][0] - q[2][0];
    double dy2 = q[3][1] - q[2][1];
    double det = dx1 * dy2 - dx2 * dy1;
    homography m = {q[0][0], q[0][1], 0, 0, 0, 0, 0, 0};
    if (fabs(det) > 1e-9) {
        m.g = (sx * dy2 - dx2 * sy) / det;
        m.h = (dx1 * sy - sx * dy1) / det;
    }
    m.ux = q[1][0] - q[0][0] + m.g * q[1][0];
    m.uy = q[1][1] - q[0][1] + m.g * q[1][1];
    m.vx = q[3][0] - q[0][0] + m.h * q[3][0];
    m.vy = q[3][1] - q[0][1] + m.h * q[3][1];
    return m;
}

static void grid_point(const ink *k, const homography *m, double u, double v, bool first)
{
    double w = m->g * u + m->h * v + 1;
    w = fabs(w) < 1e-6 ? 1e-6 : w;
    double x = (m->ux * u + m->vx * v + m->x0) / w;
    double y = (m->uy * u + m->vy * v + m->y0) / w;
    if (first) {
        cairo_move_to(k->cr, x, y);
    } else {
        cairo_line_to(k->cr, x, y);
    }
}

static bool draw_grid_on(const ink *k, double corners[4][2])
{
    homography m = make_homography(corners);
    int cols = k->item->style.cols;
    int rows = k->item->style.rows;
    for (int i = 0; i <= cols; i++) {
        grid_point(k, &m, (double)i / cols, 0, true);
        grid_point(k, &m, (double)i / cols, 1, false);
    }
    for (int i = 0; i <= rows; i++) {
        grid_point(k, &m, 0, (double)i / rows, true);
        grid_point(k, &m, 1, (double)i / rows, false);
    }
    sl_ink_line(k);
    return true;
}

static bool draw_perspective(const ink *k)
{
    double corners[4][2];
    for (uint32_t i = 0; i < 4; i++) {
        corners[i][0] = sl_ink_x(k, i);
        corners[i][1] = sl_ink_y(k, i);
    }
    return draw_grid_on(k, corners);
}

static bool draw_grid(const ink *k)
{
    sl_point a = k->item->geo.points[0];
    sl_point b = k->item->geo.points[1];
    sl_point p[4] = {a, {b.x, a.y}, b, {a.x, b.y}};
    double corners[4][2];
    for (int i = 0; i < 4; i++) {
        sl_ink_at(k, p[i], &corners[i][0], &corners[i][1]);
    }
    return draw_grid_on(k, corners);
}

/* Bones, joints, and the angles at elbows and knees. */
static bool draw_figure(const ink *k)
{
    const sl_point *p = k->item->geo.points;
    for (int i = 0; i < SL_BONES; i++) {
        move_to(k, p[sl_bones[i][0]]);
        line_to(k, p[sl_bones[i][1]]);
    }
    sl_ink_line(k);
    for (uint32_t i = 0; i < SL_JOINTS; i++) {
        cairo_new_sub_path(k->cr);
        cairo_arc(k->cr, sl_ink_x(k, i), sl_ink_y(k, i),
                  (i == SL_JOINT_HEAD ? 2.6 : 1.2) * k->width, 0, 2 * PI);
    }
    sl_ink_body(k);
    for (int i = 0; i < 4; i++) {
        char label[SL_LABEL_MAX];
        sl_point bend[3] = {p[sl_bends[i][0]], p[sl_bends[i][1]], p[sl_bends[i][2]]};
        angle g = angle_of(k, bend, 0);
        double away = 1.5 * k->width + 0.6 * font_px(k);
        double middle = g.from + g.turn * 0.5;
        (void)snprintf(label, sizeof label, "%d\xC2\xB0",
                       (int)floor(sl_angle_degrees(bend[0], bend[1], bend[2]) + 0.5));
        sl_ink_label(k, label, g.v[0] + away * cos(middle), g.v[1] + away * sin(middle), 0.5);
    }
    return true;
}

/* What has no row here draws nothing: key images, frozen frames, layers. */
static bool (*const DRAW[SL_KIND_COUNT])(const ink *k) = {
    [SL_KIND_PEN] = sl_ink_pen,
    [SL_KIND_ARROW] = draw_arrow,
    [SL_KIND_LINE] = draw_line,
    [SL_KIND_RECT] = draw_rect,
    [SL_KIND_ELLIPSE] = draw_ellipse,
    [SL_KIND_ANGLE] = draw_angle,
    [SL_KIND_TEXT] = sl_ink_text,
    [SL_KIND_HIGHLIGHTER] = sl_ink_pen,
    [SL_KIND_POLYLINE] = draw_line,
    [SL_KIND_POLYGON] = draw_polygon,
    [SL_KIND_CURVE] = draw_curve,
    [SL_KIND_CALLOUT] = sl_ink_text,
    [SL_KIND_PROTRACTOR] = draw_protractor,
    [SL_KIND_RULER] = draw_ruler,
    [SL_KIND_PATH] = draw_path,
    [SL_KIND_STOPWATCH] = draw_sign,
    [SL_KIND_COUNTER] = draw_sign,
    [SL_KIND_MARKER] = draw_marker,
    [SL_KIND_GRID] = draw_grid,
    [SL_KIND_PERSPECTIVE] = draw_perspective,
    [SL_KIND_SPOTLIGHT] = sl_ink_spotlight,
    [SL_KIND_MAGNIFIER] = sl_ink_magnifier,
    [SL_KIND_FIGURE] = draw_figure,
    [SL_KIND_STAMP] = sl_ink_stamp,
    [SL_KIND_BLUR] = sl_ink_blur,
    [SL_KIND_LASER] = sl_ink_pen,
};

bool sl_ink_draw(const ink *k)
{
    cairo_new_path(k->cr);
    bool (*draw)(const ink *) = DRAW[k->item->geo.kind];
    return draw == NULL || draw(k);
}
