/* exchange/kva.c - Kinovea's analyses, as its versions from 0.8.16 to 2025 write them. */
#include "exchange/kva.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    LONG_FADE = 25, /* ... of what belongs to no key image */
    GRID_MAX = 64,  /* a grid's rows, as annotation/style.c has it */
    FPS = 30        /* where the file names no rate */
};

double sl_kva_number(const sl_xml *x, const char *name, double otherwise)
{
    return sl_number_or(sl_xml_child_text(x, name), otherwise);
}

/* "x;y", in pixels of the file's picture. False: not there. */
bool sl_kva_point(const sl_kva *k, const char *text, sl_spot *out)
{
    double x = 0;
    double y = 0;
    if (text == NULL || !sl_number(&text, &x) || *text != ';') {
        return false;
    }
    text++;
    if (!sl_number(&text, &y)) {
        return false;
    }
    *out = (sl_spot){x * k->im->scale + k->im->dx, y * k->im->scale + k->im->dy};
    return true;
}

int64_t sl_kva_bounded(double us)
{
    return !(us > 0) ? 0 : us > (double)SL_ITEM_US_MAX ? SL_ITEM_US_MAX : (int64_t)floor(us + 0.5);
}

double sl_kva_us(const sl_kva *k, double stamp)
{
    return (stamp - k->first) / k->per_s * SL_KVA_US;
}

/* "h:m:s:cs" in seconds; 0 when it is none. */
static double clock_of(const char *s)
{
    static const double parts[] = {3600, 60, 1, 0.01};
    double sum = 0;
    for (int i = 0; s != NULL && i < 4; i++) {
        double v = 0;
        if (!sl_number(&s, &v)) {
            return 0;
        }
        sum += v * parts[i];
        if (*s != ':') {
            return i == 3 ? sum : 0;
        }
        s++;
    }
    return sum;
}

/* How many time stamps make a second: told by the latest key image that has both. */
static double stamps_by_clock(const sl_kva *k, const sl_xml *root)
{
    double best = 0;
    double latest = 0;
    const sl_xml *frames = sl_xml_child(root, "Keyframes");
    for (const sl_xml *f = frames != NULL ? frames->first : NULL; f != NULL; f = f->next) {
        const sl_xml *position = sl_xml_child(f, "Position");
        double stamp = position != NULL ? sl_number_or(position->text, 0) - k->first : 0;
        double s = position != NULL ? clock_of(sl_xml_attribute(position, "UserTime")) : 0;
        if (s > latest && stamp > 0) {
            latest = s;
            best = stamp / s;
        }
    }
    return best;
}

static void read_clock(sl_kva *k, const sl_xml *root)
{
    double per_frame = sl_kva_number(root, "AverageTimeStampsPerFrame", 0);
    double fps = sl_kva_number(root, "CaptureFramerate", 0);
    per_frame = per_frame > 0 ? per_frame : 1;
    k->first = sl_kva_number(root, "FirstTimeStamp", 0);
    k->per_s = sl_kva_number(root, "AverageTimeStampsPerSecond", 0);
    k->per_s = k->per_s > 0 ? k->per_s : fps > 0 ? fps * per_frame : stamps_by_clock(k, root);
    k->per_s = k->per_s > 0 ? k->per_s : FPS * per_frame;
    k->frame_us = per_frame / k->per_s * SL_KVA_US;
}

/* Around its key image a drawing comes and goes, or it is always there. */
void sl_kva_times(const sl_kva *k, const sl_xml *drawing, double at_us, double frames,
                  sl_item *item)
{
    const sl_xml *infos = sl_xml_child(drawing, "InfosFading");
    const char *always = sl_xml_child_text(infos, "AlwaysVisible");
    const char *enabled = sl_xml_child_text(infos, "Enabled");
    double fade = sl_kva_number(infos, "Frames", frames);
    double opaque = sl_kva_number(infos, "OpaqueFrames", 1);
    const char *fading = sl_xml_child_text(infos, "FadingFrames");
    fade = fading != NULL ? sl_number_or(fading, frames) : fade;
    fade = enabled != NULL && strcmp(enabled, "false") == 0 ? 0 : fmax(fade, 0);
    opaque = fmax(opaque, 1);
    if (always != NULL && strcmp(always, "true") == 0) {
        item->t_in = 0;
        item->t_out = SL_ITEM_US_MAX;
        return;
    }
    double fade_us = fmin(fade * k->frame_us, SL_FADE_US_MAX);
    item->t_in = sl_kva_bounded(at_us - fade_us);
    item->t_out = sl_kva_bounded(at_us + opaque * k->frame_us + fade_us);
    item->fade_us = sl_kva_bounded(fade_us);
}

/* "alpha;red;green;blue". */
static void set_color(const char *s, sl_style *style, bool ground)
{
    int32_t v[4] = {255, 0, 0, 0};
    for (int i = 0; s != NULL && i < 4; i++) {
        double d = 0;
        if (!sl_number(&s, &d)) {
            return;
        }
        v[i] = sl_import_size(d, 0, 255);
        s += *s == ';';
    }
    int32_t rgb = v[1] << 16 | v[2] << 8 | v[3];
    style->opacity = v[0] * SL_OPACITY_MAX / 255;
    if (ground) {
        style->fill = rgb;
        style->box = 1;
        bool bright = 2 * v[1] + 5 * v[2] + v[3] > 8 * 128;
        style->rgb = bright ? 0 : 0xFFFFFF;
    } else {
        style->rgb = rgb;
    }
}

/* As many ways across as down. */
static void set_grid(const char *value, sl_style *style)
{
    style->rows = sl_import_size(sl_number_or(value, 0), 1, GRID_MAX);
    style->cols = style->rows;
}

void sl_kva_style(const sl_kva *k, const sl_xml *drawing, sl_item *item)
{
    const sl_xml *style = sl_xml_child(drawing, "DrawingStyle");
    item->style.width = sl_import_size(2 * k->im->scale, 1, SL_WIDTH_MAX);
    for (const sl_xml *s = style != NULL ? style->first : NULL; s != NULL; s = s->next) {
        const char *value = sl_xml_child_text(s, "Value");
        if (value == NULL) {
            continue;
        }
        if (sl_xml_is(s, "Color")) {
            set_color(value, &item->style, item->geo.kind == SL_KIND_TEXT);
        } else if (sl_xml_is(s, "LineSize") || sl_xml_is(s, "PenSize")) {
            double px = sl_number_or(value, 2);
            item->style.width = sl_import_size(px * k->im->scale, 1, SL_WIDTH_MAX);
        } else if (sl_xml_is(s, "FontSize")) {
            /* Points of 96 a screen's inch. */
            double px = sl_number_or(value, 16) * 4 / 3;
            item->style.font_size = sl_import_size(px * k->im->scale, SL_FONT_MIN, SL_FONT_MAX);
        } else if (sl_xml_is(s, "GridDivisions")) {
            set_grid(value, &item->style);
        } else if (sl_xml_is(s, "Arrows") && strstr(value, "Arrow") != NULL) {
            const char *half = strchr(value, ';');
            const char *at = strstr(value, "Arrow");
            bool both = half != NULL && at < half && strstr(half, "Arrow") != NULL;
            item->geo.kind = item->geo.kind == SL_KIND_LINE ? SL_KIND_ARROW : item->geo.kind;
            item->style.heads = both ? 2 : 1;
        }
    }
}

sl_status sl_kva_keep(sl_kva *k, sl_item *item, const sl_spots *spots)
{
    if (item == NULL || spots->failed || !sl_import_points(item, spots->p, spots->n)) {
        sl_item_free(item);
        return sl_fail_nomem(k->err);
    }
    return sl_import_keep(k->im, item, k->err);
}

/* Children of a drawing that hold its points, in the order of ours; NULL for the rest. */
typedef struct form {
    const char *name;
    sl_kind kind;
    const char *points[5];
} form;

static const form FORMS[] = {
    {"Line", SL_KIND_LINE, {"Start", "End"}},
    {"Line2D", SL_KIND_LINE, {"m_StartPoint", "m_EndPoint"}},
    {"Angle", SL_KIND_ANGLE, {"PointA", "PointO", "PointB"}},
    {"CrossMark", SL_KIND_MARKER, {"CenterPoint"}},
    {"Label", SL_KIND_TEXT, {"Position"}},
    {"Rectangle",
     SL_KIND_POLYGON,
     {"PointUpperLeft", "PointUpperRight", "PointLowerRight", "PointLowerLeft"}},
    {"Plane",
     SL_KIND_PERSPECTIVE,
     {"PointUpperLeft", "PointUpperRight", "PointLowerRight", "PointLowerLeft"}},
    {"Circle", SL_KIND_ELLIPSE, {"Origin"}},
    {"Pencil", SL_KIND_PEN, {NULL}},
    {"Polyline", SL_KIND_POLYLINE, {NULL}},
};

static const form *form_of(const sl_xml *drawing)
{
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        if (sl_xml_is(drawing, FORMS[i].name)) {
            return &FORMS[i];
        }
    }
    return NULL;
}

/* False: one of them is not there. */
static bool take_points(const sl_kva *k, const form *f, const sl_xml *drawing, sl_spots *spots)
{
    sl_spot p;
    for (size_t i = 0; f->points[i] != NULL; i++) {
        if (!sl_kva_point(k, sl_xml_child_text(drawing, f->points[i]), &p)) {
            return false;
        }
        sl_spots_add(spots, p.x, p.y);
    }
    const sl_xml *list = sl_xml_child(drawing, "PointList");
    for (const sl_xml *x = list != NULL ? list->first : NULL; x != NULL; x = x->next) {
        if (sl_kva_point(k, x->text, &p)) {
            sl_spots_add(spots, p.x, p.y);
        }
    }
    if (f->kind == SL_KIND_ELLIPSE) {
        double r = sl_kva_number(drawing, "Radius", 0) * k->im->scale;
        sl_spot middle = spots->p != NULL ? spots->p[0] : (sl_spot){0, 0};
        spots->n = 0;
        sl_spots_add(spots, middle.x - r, middle.y - r);
        sl_spots_add(spots, middle.x + r, middle.y + r);
        return r > 0;
    }
    return spots->n > 0;
}

static bool is_measured(const sl_xml *drawing)
{
    const char *measure = sl_xml_child_text(drawing, "MeasureVisible");
    return measure != NULL && strcmp(measure, "true") == 0;
}

static sl_status read_drawing(sl_kva *k, const sl_xml *drawing, double at_us)
{
    if (sl_xml_is(drawing, "GenericPosture")) {
        return sl_kva_posture(k, drawing, at_us);
    }
    const form *f = form_of(drawing);
    sl_spots spots = {0};
    if (f == NULL || !take_points(k, f, drawing, &spots)) {
        sl_status s = spots.failed ? sl_fail_nomem(k->err) : SL_OK;
        sl_spots_free(&spots);
        k->im->skipped++;
        return s;
    }
    sl_item *item = sl_import_item(k->im, f->kind);
    bool failed = item == NULL;
    if (item != NULL) {
        sl_kva_times(k, drawing, at_us, SL_KVA_FADE_FRAMES, item);
        sl_kva_style(k, drawing, item);
        if (item->geo.kind == SL_KIND_LINE && is_measured(drawing)) {
            item->geo.kind = SL_KIND_RULER;
        } else if (item->geo.kind == SL_KIND_MARKER) {
            item->style.value = ++k->markers;
        } else if (sl_xml_child(drawing, "Divisions") != NULL) { /* before it was a style */
            set_grid(sl_xml_child_text(drawing, "Divisions"), &item->style);
        } else if (item->geo.kind == SL_KIND_TEXT) {
            const char *text = sl_xml_child_text(drawing, "Text");
            item->geo.text = sl_text_dup(text != NULL ? text : "");
            failed = item->geo.text == NULL;
        }
    }
    sl_status s = failed ? sl_fail_nomem(k->err) : sl_kva_keep(k, item, &spots);
    if (failed) {
        sl_item_free(item);
    }
    sl_spots_free(&spots);
    return s;
}

/* A text mark of our own making: a bookmark, or a stopwatch without one. */
sl_status sl_kva_keep_mark(sl_kva *k, sl_item *item, sl_spot at, const char *text)
{
    sl_spots spots = {0};
    bool ok = item != NULL;
    if (ok && text != NULL && text[0] != 0) {
        item->geo.text = sl_text_dup(text);
        ok = item->geo.text != NULL;
    }
    sl_spots_add(&spots, at.x, at.y);
    sl_status s = ok ? sl_kva_keep(k, item, &spots) : sl_fail_nomem(k->err);
    if (!ok) {
        sl_item_free(item);
    }
    sl_spots_free(&spots);
    return s;
}

static sl_status read_keyframe(sl_kva *k, const sl_xml *frame)
{
    double at_us = sl_kva_us(k, sl_kva_number(frame, "Position", 0));
    sl_item *mark = sl_import_item(k->im, SL_KIND_BOOKMARK);
    if (mark != NULL) {
        mark->t_in = sl_kva_bounded(at_us);
        mark->t_out = sl_kva_bounded(at_us + k->frame_us);
    }
    sl_status s = sl_kva_keep_mark(k, mark, (sl_spot){0, 0}, sl_xml_child_text(frame, "Title"));
    const sl_xml *drawings = sl_xml_child(frame, "Drawings");
    for (const sl_xml *d = drawings != NULL ? drawings->first : NULL; s == SL_OK && d != NULL;
         d = d->next) {
        s = read_drawing(k, d, at_us);
    }
    return s;
}

static sl_status read_chrono(sl_kva *k, const sl_xml *chrono)
{
    const sl_xml *values = sl_xml_child(chrono, "Values");
    double from = sl_kva_number(values, "StartCounting", -1);
    double to = sl_kva_number(values, "Invisible", -1);
    sl_spot at;
    const sl_xml *parts = sl_xml_child(values, "Sections"); /* "from;to" each; the first is it */
    if (from < 0 && parts != NULL && parts->first != NULL) {
        from = sl_number_or(parts->first->text, -1);
    }
    from = from >= 0 ? from : sl_kva_number(values, "Visible", 0);
    if (!sl_kva_point(k, sl_xml_child_text(chrono, "Position"), &at)) {
        k->im->skipped++;
        return SL_OK;
    }
    if (sl_xml_is(chrono, "Counter")) {
        return sl_kva_counter(k, chrono, at);
    }
    sl_item *item = sl_import_item(k->im, SL_KIND_STOPWATCH);
    if (item != NULL) {
        item->t_in = sl_kva_bounded(sl_kva_us(k, from));
        item->t_out = to > from ? sl_kva_bounded(sl_kva_us(k, to)) : SL_ITEM_US_MAX;
        sl_kva_style(k, chrono, item);
    }
    return sl_kva_keep_mark(k, item, at, NULL);
}

/* A number of a sequence, or a spotlight: at a time of its own; numbers share a style. */
static sl_status read_alone(sl_kva *k, const sl_xml *x)
{
    bool number = sl_xml_is(x, "AutoNumber");
    double r = sl_kva_number(x, "Radius", 0) * k->im->scale;
    sl_spot at = {0, 0};
    if (sl_xml_is(x, "DrawingStyle")) {
        return SL_OK;
    }
    if (!sl_kva_point(k, sl_xml_child_text(x, number ? "Location" : "Center"), &at) ||
        (!number && !(r > 0))) {
        k->im->skipped++;
        return SL_OK;
    }
    sl_item *item = sl_import_item(k->im, number ? SL_KIND_MARKER : SL_KIND_SPOTLIGHT);
    sl_spots spots = {0};
    if (item != NULL) {
        sl_kva_times(k, x, sl_kva_us(k, sl_kva_number(x, "Time", 0)), LONG_FADE, item);
        sl_kva_style(k, x->parent, item);
    }
    if (item != NULL && number) {
        double half = 0.75 * item->style.font_size; /* it names its upper left corner */
        item->style.value = sl_import_size(sl_kva_number(x, "Value", 1), 0, SL_IMPORT_ITEMS_MAX);
        sl_spots_add(&spots, at.x + half, at.y + half);
    } else {
        sl_spots_add(&spots, at.x - r, at.y - r);
        sl_spots_add(&spots, at.x + r, at.y + r);
    }
    sl_status s = sl_kva_keep(k, item, &spots);
    sl_spots_free(&spots);
    return s;
}

/* "x;y;t", t from the track's own time on in files that start at 0. */
static sl_status read_track(sl_kva *k, const sl_xml *track)
{
    const sl_xml *list = sl_xml_child(track, "TrackPointList");
    double from = sl_kva_number(track, "TimePosition", 0);
    sl_kva_trail trail = {0};
    for (const sl_xml *x = list != NULL ? list->first : NULL; x != NULL; x = x->next) {
        const char *third = strchr(x->text, ';');
        third = third != NULL ? strchr(third + 1, ';') : NULL;
        sl_spot p;
        if (third != NULL && sl_kva_point(k, x->text, &p)) {
            sl_kva_trail_add(k, &trail, p, sl_number_or(third + 1, 0));
        }
    }
    double start = trail.start > 0 ? trail.start : from;
    return sl_kva_trail_keep(k, &trail, start, track);
}

/* Kinovea knows how long a pixel is, we how long a ruler: one along the lower edge. */
static sl_status read_calibration(sl_kva *k, const sl_xml *root, double w, double h)
{
    const sl_xml *now = sl_xml_child(root, "Calibration");
    const sl_xml *then = sl_xml_child(root, "CalibrationHelp");
    const sl_xml *unit = now != NULL ? sl_xml_child(now, "Unit") : sl_xml_child(then, "LengthUnit");
    const char *name = unit == NULL  ? NULL
                       : now != NULL ? sl_xml_attribute(unit, "Abbreviation")
                                     : sl_xml_attribute(unit, "UserUnitLength");
    double per_px = now != NULL ? sl_kva_number(sl_xml_child(now, "CalibrationLine"), "Scale", 0)
                                : sl_kva_number(then, "PixelToUnit", 0);
    double length = floor(per_px * w * 0.2 * 1000 + 0.5);
    if (name == NULL || strcmp(name, "px") == 0 || strlen(name) > 8 || !(length >= 1) ||
        length > 1e9) {
        return SL_OK;
    }
    sl_item *item = sl_import_item(k->im, SL_KIND_RULER);
    sl_spots spots = {0};
    for (int i = 0; i < 2; i++) {
        sl_spots_add(&spots, (0.05 + 0.2 * i) * w * k->im->scale + k->im->dx,
                     0.95 * h * k->im->scale + k->im->dy);
    }
    if (item != NULL) {
        item->style.length = (int32_t)length;
        memcpy(item->style.unit, name, strlen(name) + 1);
        item->t_in = 0;
        item->t_out = SL_ITEM_US_MAX;
    }
    sl_status s = sl_kva_keep(k, item, &spots);
    sl_spots_free(&spots);
    return s;
}

static sl_status each_child(sl_kva *k, const sl_xml *list,
                            sl_status (*read)(sl_kva *, const sl_xml *))
{
    sl_status s = SL_OK;
    for (const sl_xml *x = list != NULL ? list->first : NULL; s == SL_OK && x != NULL;
         x = x->next) {
        s = read(k, x);
    }
    return s;
}

sl_status sl_import_kva(sl_import *im, const sl_xml *root, sl_error **err)
{
    sl_kva k = {.im = im, .err = err};
    const char *size = sl_xml_child_text(root, "ImageSize");
    double w = 0;
    double h = 0;
    bool sized = size != NULL && sl_number(&size, &w) && *size == ';';
    size = sized ? size + 1 : size;
    if (!sized || !sl_number(&size, &h) || !sl_import_fit(im, 0, 0, w, h)) {
        return sl_fail(err, SL_E_INVALID, "the file does not say how large its picture is");
    }
    read_clock(&k, root);
    sl_status s = read_calibration(&k, root, w, h);
    s = s == SL_OK ? each_child(&k, sl_xml_child(root, "Keyframes"), read_keyframe) : s;
    s = s == SL_OK ? each_child(&k, sl_xml_child(root, "Chronos"), read_chrono) : s;
    s = s == SL_OK ? each_child(&k, sl_xml_child(root, "Tracks"), read_track) : s;
    s = s == SL_OK ? each_child(&k, sl_xml_child(root, "Trackability"), sl_kva_tracked) : s;
    static const char *const alone[] = {"Spotlights", "AutoNumbers", "NumberSequence"};
    for (size_t i = 0; s == SL_OK && i < sizeof alone / sizeof alone[0]; i++) {
        s = each_child(&k, sl_xml_child(root, alone[i]), read_alone);
    }
    return s;
}
