/*
 * render/letters.h - a line of text as outlines, of any size.
 *
 * With Pango (SL_WITH_PANGO) lines are shaped for every script that the system has a font for: letters
 * join, combine and run from right to left as theirs does, and what DejaVu Sans lacks comes from
 * another font. Without it, or where Pango finds no font at all, each letter stands for itself, left to
 * right, in the one font that Cairo finds. Latin text is the same either way: no kerning, no optional
 * ligatures, no hints.
 *
 * A colour emoji is its silhouette in the text's colour. Its font holds a bitmap of one size where others
 * hold outlines: in colours it would be blurred where it is enlarged, have no halo, and be a picture in
 * the middle of a line that is one outline everywhere else: in the cache, the rasteriser and the PDF.
 *
 * Shaped lines are kept for the process, up to a limit: whoever draws a text again only walks along its
 * outline. Any thread may call. GLib ends the process where Pango runs out of memory; Pango starts a
 * thread, once, that reads the fonts' configuration.
 */
#ifndef SL_RENDER_LETTERS_H
#define SL_RENDER_LETTERS_H

#include <cairo.h>
#include <stdbool.h>

/* In pixels, from where the line begins on its baseline, y downwards. */
typedef struct sl_letters {
    double x0; /* of the ink; all 0 when there is none */
    double y0;
    double x1;
    double y1;
    double advance;
    bool rtl; /* its first letter with a direction runs from right to left */
} sl_letters;

/* All: a font of px pixels. False: out of memory. */
bool sl_letters_measure(const char *line, double px, sl_letters *out);
/* Adds the outline to the current path of cr, the line's beginning at (x, y). */
bool sl_letters_path(cairo_t *cr, const char *line, double px, double x, double y);
/* From a line's top down to its baseline. */
bool sl_letters_ascent(double px, double *out);

/* Pango's part (letters_pango.c): puts the outline of the line onto cr's path at (0, 0), in a font of
 * em pixels, and says how wide it is. False: there is no font, or no Pango. Not for two at a time. */
bool sl_letters_shape(cairo_t *cr, const char *line, int em, double *advance, bool *rtl);

#endif
