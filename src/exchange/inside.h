/* exchange/inside.h - what the readers of the formats share. */
#ifndef SL_EXCHANGE_INSIDE_H
#define SL_EXCHANGE_INSIDE_H

#include "base/buf.h"
#include "exchange/exchange.h"
#include "exchange/xml.h"

/* A point on its way, in units but not yet rounded. */
typedef struct sl_spot {
    double x;
    double y;
} sl_spot;

typedef struct sl_spots {
    sl_spot *p;
    uint32_t n;
    uint32_t room;
    bool failed; /* out of memory */
} sl_spots;

/* Beyond SL_PEN_POINTS_MAX + 1 nothing is added: no item can have as many. */
void sl_spots_add(sl_spots *s, double x, double y);
void sl_spots_free(sl_spots *s);

/* Fits w by h of the file into the frame, centred. False: it has no size. */
bool sl_import_fit(sl_import *im, double x, double y, double w, double h);
/* A new item of the import's times with default style, not yet among the items; NULL: out of
 * memory. */
sl_item *sl_import_item(const sl_import *im, sl_kind kind);
/* Rounds spots to the item's points. False: out of memory. */
bool sl_import_points(sl_item *item, const sl_spot *spots, uint32_t n);
/* Takes the item: among the items when it obeys the limits, else counted as skipped. */
sl_status sl_import_keep(sl_import *im, sl_item *item, sl_error **err);
/* A number of units as a style's value within a range. */
int32_t sl_import_size(double v, int32_t min, int32_t max);

/* A number at *s, past white space and commas, and *s beyond it; false: there is none. Finite, and
 * without the machine's locale. */
bool sl_number(const char **s, double *out);
/* A number that is all there is, or `otherwise`. */
double sl_number_or(const char *s, double otherwise);

sl_status sl_import_svg(sl_import *im, const sl_xml *root, sl_error **err);
sl_status sl_import_inkml(sl_import *im, const sl_xml *root, sl_error **err);
sl_status sl_import_kva(sl_import *im, const sl_xml *root, sl_error **err);

/* svg_path.c: the subpaths of d, in the file's own coordinates through `to`. Each is told when it is
 * whole; a status other than SL_OK ends the reading. */
typedef sl_status sl_subpath_fn(void *user, const sl_spots *spots, bool closed);
sl_status sl_svg_path(const char *d, const double to[6], sl_subpath_fn *tell, void *user);

/* svg_style.c */
typedef struct sl_look {
    int32_t stroke; /* 0xRRGGBB, -1: none */
    int32_t fill;
    double opacity;
    double above; /* the parent's */
    double stroke_opacity;
    double fill_opacity;
    double stop_opacity; /* of a gradient's stop */
    int32_t stop;
    double width; /* in the file's units */
    double font_size;
    int anchor; /* of text: 0 start, 1 middle, 2 end */
    bool dashed;
    bool dotted;
    bool shown;
    bool head; /* a marker at the end, or beginning */
    bool tail;
    bool clipped; /* by a clip path or a mask, which are not read */
} sl_look;

/* svg_sheet.c: what elements refer to. */
typedef struct sl_rule sl_rule;

typedef struct sl_sheet {
    const sl_xml **ids; /* those with an id, in its order */
    size_t ids_n;
    sl_rule *rules; /* the weightiest last */
    size_t rules_n;
    sl_buf text;
    uint32_t left_out;  /* rules that are not understood */
    uint32_t gradients; /* looked up so far */
    uint32_t patterns;
    bool mixing; /* a gradient's stops are looked at */
} sl_sheet;

bool sl_sheet_read(sl_sheet *sheet,
                   const sl_xml *root); /* false: out of memory; it is empty then */
void sl_sheet_free(sl_sheet *sheet);
/* What its href names; NULL: nothing of this file. */
const sl_xml *sl_sheet_target(const sl_sheet *sheet, const sl_xml *x);
/* The declarations meant for an element, the strongest last. */
void sl_sheet_each(const sl_sheet *sheet, const sl_xml *x,
                   void (*tell)(void *user, const char *set, size_t n), void *user);
/* A colour, or a gradient's mean; of a pattern the colour named beside it, else the mean of its own. */
int32_t sl_sheet_paint(sl_sheet *sheet, const char *value);

void sl_look_start(sl_look *look);
/* What the element changes of its parent's look. */
void sl_look_read(sl_look *look, sl_sheet *sheet, const sl_xml *x);
/* The colour of a gradient's stop, and how much it covers. */
int32_t sl_look_stop(sl_sheet *sheet, const sl_xml *x, double *covers);
/* 0xRRGGBB; -1: none or unknown. */
int32_t sl_css_color(const char *s);

#endif
