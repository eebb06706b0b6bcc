/* exchange/kva.h - what the files of Kinovea's reader share. */
#ifndef SL_EXCHANGE_KVA_H
#define SL_EXCHANGE_KVA_H

#include "exchange/inside.h"

static const double SL_KVA_US = 1e6;

enum {
    SL_KVA_FADE_FRAMES = 20 /* Kinovea's default */
};

typedef struct sl_kva {
    sl_import *im;
    sl_error **err;
    double first;    /* time stamp of the first frame */
    double per_s;    /* time stamps a second */
    double frame_us; /* how long a frame is seen */
    int32_t markers; /* numbered so far */
} sl_kva;

double sl_kva_number(const sl_xml *x, const char *name, double otherwise);
/* "x;y", in pixels of the file's picture. False: not there. */
bool sl_kva_point(const sl_kva *k, const char *text, sl_spot *out);
int64_t sl_kva_bounded(double us);
double sl_kva_us(const sl_kva *k, double stamp);
void sl_kva_times(const sl_kva *k, const sl_xml *drawing, double at_us, double frames,
                  sl_item *item);
void sl_kva_style(const sl_kva *k, const sl_xml *drawing, sl_item *item);
/* Takes the item; NULL: out of memory. */
sl_status sl_kva_keep(sl_kva *k, sl_item *item, const sl_spots *spots);
sl_status sl_kva_keep_mark(sl_kva *k, sl_item *item, sl_spot at, const char *text);

/* Where something was at which times. Zeroed: nowhere yet. */
typedef struct sl_kva_trail {
    sl_spots spots;
    sl_buf times; /* uint32_t each, milliseconds from the first */
    double start; /* time stamp */
    uint32_t last;
} sl_kva_trail;

void sl_kva_trail_add(const sl_kva *k, sl_kva_trail *trail, sl_spot at, double stamp);
/* A path in the style of `drawing`, from time stamp `start` on; a trail of no points is counted as
 * left out. Frees the trail. */
sl_status sl_kva_trail_keep(sl_kva *k, sl_kva_trail *trail, double start, const sl_xml *drawing);

/* A count that goes up at times: one counter from each to the next. */
sl_status sl_kva_counter(sl_kva *k, const sl_xml *counter, sl_spot at);
/* A figure where the tool's points are a body's, else what its points make. */
sl_status sl_kva_posture(sl_kva *k, const sl_xml *posture, double at_us);
/* Where the points of one drawing were tracked: a path each. */
sl_status sl_kva_tracked(sl_kva *k, const sl_xml *drawing);

#endif
