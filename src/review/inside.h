/* review/inside.h - what the files of this module share: the rows of a timeline. */
#ifndef SL_REVIEW_INSIDE_H
#define SL_REVIEW_INSIDE_H

#include "review/timeline.h"

#define NO_SPAN UINT32_MAX

/* An event as it is kept: `type` is an sl_event_kind or one of a later version. */
typedef struct row {
    int64_t t_us;
    uint64_t type;
    union {
        int64_t to_us;
        int32_t rate;
        uint32_t item; /* its number */
        sl_view view;
        struct {
            size_t at;
            size_t len;
        } extra; /* bytes in sl_timeline.extra */
    } u;
} row;

/* From t_us on. The position is that of anchor_us, so that what does not move it (the view) does
 * not round it either. */
typedef struct segment {
    int64_t t_us;
    int64_t anchor_us;
    sl_timeline_state_t state;
} segment;

typedef struct span {
    int64_t since_us;
    int64_t until_us;
    uint32_t item;
} span;

typedef struct item_row {
    uint8_t id[16];
    uint32_t span; /* the open one, or NO_SPAN */
} item_row;

struct sl_timeline {
    int64_t media_us;
    int64_t end_us; /* -1: not ended */
    row *events;
    size_t n_events;
    size_t events_room;
    segment *segments; /* one for each event that moves the state */
    size_t n_segments;
    size_t segments_room;
    span *spans; /* in the order of since_us */
    size_t n_spans;
    size_t spans_room;
    item_row *items; /* in the order of the first mention */
    size_t n_items;
    size_t items_room;
    uint32_t *by_id; /* numbers of items, sorted by id */
    size_t by_id_room;
    sl_buf extra;
};

sl_status sl_timeline_push_unknown(sl_timeline *t, int64_t t_us, uint64_t type,
                                   const uint8_t *content, size_t n, sl_error **err);
void sl_timeline_id_bytes(const char *text, uint8_t out[16]);
void sl_timeline_id_text(const uint8_t id[16], char out[SL_UUID_LEN + 1]);

#endif
