/* render/letters_pango.c - lines of text shaped by Pango. Its home. */
#include "render/letters.h"

#ifdef SL_WITH_PANGO
#include <pango/pangocairo.h>

/* The process's own: the fonts that are open stay so. */
static PangoContext *context;
static bool looked;

/* Whether any font is there: Pango ends the process when it is asked for letters and has none. */
static bool has_fonts(PangoFontMap *map)
{
    PangoFontFamily **families = NULL;
    int n = 0;
    pango_font_map_list_families(map, &families, &n);
    g_free(families);
    return n > 0;
}

static PangoContext *new_context(void)
{
    PangoFontMap *map = pango_cairo_font_map_new();
    if (map == NULL || !has_fonts(map)) {
        g_clear_object(&map);
        return NULL;
    }
    pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(map), 96);
    PangoContext *made = pango_font_map_create_context(map);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(made, options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(made, FALSE);
    /* Not the machine's: the same text is the same picture. */
    pango_context_set_language(made, pango_language_from_string("en"));
    g_object_unref(map);
    return made;
}

static PangoLayout *layout_of(const char *line, int em)
{
    PangoLayout *layout = pango_layout_new(context);
    PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans Bold");
    PangoAttrList *list = pango_attr_list_new();
    pango_font_description_set_absolute_size(font, (double)em * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_attr_list_insert(list, pango_attr_font_features_new("kern=0,liga=0,clig=0"));
    pango_layout_set_attributes(layout, list);
    pango_attr_list_unref(list);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_text(layout, line, -1);
    return layout;
}

bool sl_letters_shape(cairo_t *cr, const char *line, int em, double *advance, bool *rtl)
{
    if (!looked) {
        looked = true;
        context = new_context();
    }
    if (context == NULL) {
        return false;
    }
    PangoLayout *layout = layout_of(line, em);
    PangoLayoutLine *shaped = pango_layout_get_line_readonly(layout, 0);
    PangoRectangle logical;
    pango_layout_line_get_extents(shaped, NULL, &logical);
    *advance = (double)logical.width / PANGO_SCALE;
    *rtl = pango_layout_get_direction(layout, 0) == PANGO_DIRECTION_RTL;
    cairo_move_to(cr, 0, 0);
    pango_cairo_layout_line_path(cr, shaped);
    g_object_unref(layout);
    return true;
}
#else
bool sl_letters_shape(cairo_t *cr, const char *line, int em, double *advance, bool *rtl)
{
    (void)cr;
    (void)line;
    (void)em;
    (void)advance;
    (void)rtl;
    return false;
}
#endif
