/*
 * sideline/render.h - drawings to pixels.
 *
 * Pixels are the caller's memory: premultiplied ARGB, 32 bits in native byte order
 * (Cairo's CAIRO_FORMAT_ARGB32), sRGB. Output is deterministic: the same document,
 * time and view give the same bytes.
 *
 * Texts are in DejaVu Sans Bold. Built with Pango, every script that the system has a font for is
 * shaped as it must be: joined, combined, from right to left; an emoji is a silhouette in the text's
 * colour. What bytes they give then depends on the fonts too. Without Pango (WebAssembly) letters are
 * set one by one in the one font; Latin text is the same in both, without kerning and ligatures.
 * Outlines of texts are kept for the process, up to 4 MB.
 */
#ifndef SIDELINE_RENDER_H
#define SIDELINE_RENDER_H

#include "annotation.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

typedef struct sl_pixels {
    uint32_t struct_size;
    int32_t width;
    int32_t height;
    int32_t stride; /* bytes from row to row, a multiple of 4 */
    uint8_t *data;
} sl_pixels;

/* The picture of a stamp by its blob's name, borrowed until the next call; NULL: not at hand, a frame
 * is drawn in its place. It is asked while drawing, on the thread that draws, and calls nothing of the
 * document. NULL takes it away. */
typedef const sl_pixels *SL_NULLABLE (*sl_stamp_fn)(void *SL_NULLABLE user, const char *blob);
SL_API sl_status sl_render_stamps(sl_doc *doc, sl_stamp_fn SL_NULLABLE stamp,
                                  void *SL_NULLABLE user);

/* Draws the items visible at t_us over what `into` holds, the frame filling it. */
SL_API sl_status sl_render_draw(sl_doc *doc, int64_t t_us, const sl_pixels *into,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
/* The overlay of one view, kept from picture to picture: a picture in which nothing changed touches
 * no pixel, one in which a stroke gained points draws only around these. It borrows the document,
 * which outlives it; one thread at a time. */
typedef struct sl_overlay sl_overlay;
SL_API sl_status sl_overlay_new(sl_doc *doc, int32_t width, int32_t height,
                                sl_overlay *SL_NULLABLE *SL_NULLABLE out,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API void sl_overlay_free(sl_overlay *SL_NULLABLE overlay);
/* *pixels (with struct_size set): the overlay at t_us on transparent ground, borrowed until the next
 * call. damage: four numbers, x, y, width and height of what changed since the last call; a width of
 * 0: nothing did. */
SL_API sl_status sl_overlay_show(sl_overlay *overlay, int64_t t_us, sl_pixels *pixels,
                                 int32_t *damage, sl_error *SL_NULLABLE *SL_NULLABLE err);
/* The same damage as boxes none of which meet, for whoever hands parts to a GPU: two strokes far apart
 * are a few small boxes, not all that lies between. boxes: room for so many times x, y, width and
 * height; *n: how many there are, which may be more than there is room for. Of the last show, on the
 * same thread; after one that failed, take *pixels as a whole. */
SL_API sl_status sl_overlay_boxes(const sl_overlay *overlay, int32_t *SL_NULLABLE boxes,
                                  size_t room, size_t *n);
/* PNG of the pixels. */
SL_API sl_status sl_render_png(const sl_pixels *from, sl_bytes *SL_NULLABLE *SL_NULLABLE png,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);

/* A page of lines and letters' outlines, which needs no font to be seen: what is visible at t_us, or
 * for t_us -1 the whole document, each item as it stands at the end of its time. frame: the picture
 * under it, put into the page with every blur carried out, and the page's size; NULL: none, the size
 * of the video's frame, and a blur covers with grey. The same document gives the same bytes.
 * SVG has all of each item in attributes data-*: sl_doc_import reads it back without loss. */
SL_API sl_status sl_render_svg(sl_doc *doc, int64_t t_us, const sl_pixels *SL_NULLABLE frame,
                               sl_bytes *SL_NULLABLE *SL_NULLABLE svg,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
/* SL_E_UNSUPPORTED where the library is built without (WebAssembly). */
SL_API sl_status sl_render_pdf(sl_doc *doc, int64_t t_us, const sl_pixels *SL_NULLABLE frame,
                               sl_bytes *SL_NULLABLE *SL_NULLABLE pdf,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
