/* exchange/svg_style.c - how an SVG element is painted: attributes and style="..". */
#include "exchange/inside.h"

#include <math.h>
#include <string.h>

enum {
    NAME_MAX = 32,
    VALUE_MAX = 128
};

static const double OPAQUE = 1.0;

void sl_look_start(sl_look *look)
{
    *look = (sl_look){.stroke = -1,
                      .fill = 0,
                      .opacity = OPAQUE,
                      .stroke_opacity = OPAQUE,
                      .fill_opacity = OPAQUE,
                      .stop_opacity = OPAQUE,
                      .width = 1,
                      .font_size = 16,
                      .shown = true};
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static int32_t hex_color(const char *s)
{
    int32_t v = 0;
    int n = 0;
    for (; hex(s[n]) >= 0 && n < 6; n++) {
        v = v * 16 + hex(s[n]);
    }
    if (n == 3) {
        return (v >> 8) * 0x110000 + (v >> 4 & 15) * 0x1100 + (v & 15) * 0x11;
    }
    return n == 6 ? v : -1;
}

/* "rgb(255, 0, 10%)" from after the bracket. */
static int32_t rgb_color(const char *s)
{
    int32_t v = 0;
    for (int i = 0; i < 3; i++) {
        double part = 0;
        if (!sl_number(&s, &part)) {
            return -1;
        }
        part = *s == '%' ? part * 2.55 : part;
        s += *s == '%';
        v = v * 256 + sl_import_size(part, 0, 255);
    }
    return v;
}

int32_t sl_css_color(const char *s)
{
    static const struct {
        const char *name;
        int32_t rgb;
    } names[] = {{"black", 0x000000},   {"white", 0xFFFFFF},   {"red", 0xFF0000},
                 {"lime", 0x00FF00},    {"green", 0x008000},   {"blue", 0x0000FF},
                 {"yellow", 0xFFFF00},  {"cyan", 0x00FFFF},    {"aqua", 0x00FFFF},
                 {"magenta", 0xFF00FF}, {"fuchsia", 0xFF00FF}, {"orange", 0xFFA500},
                 {"gray", 0x808080},    {"grey", 0x808080},    {"silver", 0xC0C0C0},
                 {"maroon", 0x800000},  {"olive", 0x808000},   {"purple", 0x800080},
                 {"teal", 0x008080},    {"navy", 0x000080},    {"pink", 0xFFC0CB},
                 {"brown", 0xA52A2A},   {"gold", 0xFFD700},    {"currentColor", 0x000000}};
    s += strspn(s, " \t\r\n");
    if (*s == '#') {
        return hex_color(s + 1);
    }
    if (strncmp(s, "rgb(", 4) == 0) {
        return rgb_color(s + 4);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(s, names[i].name) == 0) {
            return names[i].rgb;
        }
    }
    return -1;
}

static double alpha(const char *value)
{
    double v = sl_number_or(value, OPAQUE);
    v = strchr(value, '%') != NULL ? v / 100 : v;
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static bool is_none(const char *value)
{
    return strncmp(value, "none", 4) == 0;
}

/* Round ends make dots of strokes next to nothing long. */
static void read_dashes(sl_look *look, const char *value)
{
    double first = sl_number_or(value, 0);
    look->dashed = !is_none(value);
    look->dotted = look->dashed && first < look->width;
}

static void read_property(sl_look *look, sl_sheet *sheet, const char *name, const char *value)
{
    if (strcmp(value, "inherit") == 0) {
        return;
    }
    if (strcmp(name, "stroke") == 0) {
        look->stroke = sl_sheet_paint(sheet, value);
    } else if (strcmp(name, "fill") == 0) {
        look->fill = sl_sheet_paint(sheet, value);
    } else if (strcmp(name, "opacity") == 0) {
        look->opacity = look->above * alpha(value);
    } else if (strcmp(name, "stroke-opacity") == 0) {
        look->stroke_opacity = alpha(value);
    } else if (strcmp(name, "fill-opacity") == 0) {
        look->fill_opacity = alpha(value);
    } else if (strcmp(name, "stroke-width") == 0) {
        look->width = fmax(sl_number_or(value, look->width), 0);
    } else if (strcmp(name, "font-size") == 0) {
        look->font_size = fmax(sl_number_or(value, look->font_size), 0);
    } else if (strcmp(name, "text-anchor") == 0) {
        look->anchor = strncmp(value, "middle", 6) == 0 ? 1 : strncmp(value, "end", 3) == 0 ? 2 : 0;
    } else if (strcmp(name, "stroke-dasharray") == 0) {
        read_dashes(look, value);
    } else if (strcmp(name, "display") == 0) {
        look->shown = look->shown && !is_none(value);
    } else if (strcmp(name, "marker-end") == 0) {
        look->head = !is_none(value);
    } else if (strcmp(name, "marker-start") == 0) {
        look->tail = !is_none(value);
    } else if (strcmp(name, "clip-path") == 0 || strcmp(name, "mask") == 0) {
        look->clipped = look->clipped || !is_none(value);
    } else if (strcmp(name, "stop-color") == 0) {
        look->stop = sl_css_color(value);
    } else if (strcmp(name, "stop-opacity") == 0) {
        look->stop_opacity = alpha(value);
    }
}

static bool copy_part(char *to, size_t room, const char *from, const char *end)
{
    while (from < end && (*from == ' ' || *from == '\n' || *from == '\t' || *from == '\r')) {
        from++;
    }
    while (end > from &&
           (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\t' || end[-1] == '\r')) {
        end--;
    }
    size_t n = (size_t)(end - from);
    if (n == 0 || n >= room) {
        return false;
    }
    memcpy(to, from, n);
    to[n] = 0;
    return true;
}

/* Whose look is read, and by what rules. */
typedef struct reading {
    sl_look *look;
    sl_sheet *sheet;
} reading;

static void read_style(void *user, const char *style, size_t n)
{
    const reading *r = user;
    for (const char *all = style + n; style < all;) {
        char name[NAME_MAX];
        char value[VALUE_MAX];
        const char *end = memchr(style, ';', (size_t)(all - style));
        end = end != NULL ? end : all;
        const char *colon = memchr(style, ':', (size_t)(end - style));
        const char *mark = memchr(style, '!', (size_t)(end - style)); /* important or not */
        if (colon != NULL && copy_part(name, sizeof name, style, colon) &&
            copy_part(value, sizeof value, colon + 1, mark != NULL && mark > colon ? mark : end)) {
            read_property(r->look, r->sheet, name, value);
        }
        style = end + 1;
    }
}

void sl_look_read(sl_look *look, sl_sheet *sheet, const sl_xml *x)
{
    reading r = {look, sheet};
    look->above = look->opacity;
    look->clipped = false; /* that is the parent's, and was told */
    /* Dashes are read against the width, whichever comes first. */
    const char *width = sl_xml_attribute(x, "stroke-width");
    if (width != NULL) {
        read_property(look, sheet, "stroke-width", width);
    }
    for (size_t i = 0; x->attributes[i] != NULL; i += 2) {
        read_property(look, sheet, x->attributes[i], x->attributes[i + 1]);
    }
    sl_sheet_each(sheet, x, read_style, &r); /* each stronger than what came before */
    const char *style = sl_xml_attribute(x, "style");
    if (style != NULL) {
        read_style(&r, style, strlen(style));
    }
}

int32_t sl_look_stop(sl_sheet *sheet, const sl_xml *x, double *covers)
{
    sl_look look;
    sl_look_start(&look);
    sl_look_read(&look, sheet, x);
    *covers = look.stop_opacity;
    return look.stop;
}
