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
        uint32_t item; /* its number; pair: that of the pair */
        sl_view view;
        struct {
            size_t at;
            size_t len;
        } extra; /* bytes in sl_timeline.extra */
    } u;
} row;

/* From t_us on. The position is that of anchor_us, so that what does not move it (the view) does
 * not round it either; before anchor_us the picture stands. */
typedef struct segment {
    int64_t t_us;
    int64_t anchor_us;
    int32_t rest; /* thousandths of a microsecond of the position */
    sl_timeline_state_t state;
} segment;

typedef struct pair_row {
    int64_t t_us;
    sl_pair pair;
} pair_row;

/* The spans that are open when a span with a number that is a multiple of SPANS_EACH begins. */
enum {
    SPANS_EACH = 64
};
typedef struct snapshot {
    size_t at; /* in `open` */
    size_t n;
} snapshot;

typedef struct span {
    int64_t since_us;
    int64_t until_us;
    uint32_t item;
    bool growing;
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
    snapshot *snapshots; /* one for each SPANS_EACH spans */
    size_t n_snapshots;
    size_t snapshots_room;
    uint32_t *open; /* numbers of spans */
    size_t n_open;
    size_t open_room;
    pair_row *pairs;
    size_t n_pairs;
    size_t pairs_room;
    item_row *items; /* in the order of the first mention */
    size_t n_items;
    size_t items_room;
    uint32_t *by_id; /* numbers of items, sorted by id */
    size_t by_id_room;
    sl_buf extra;
};

/* Makes room for one more in an array that doubles. */
bool sl_timeline_room(void **array, size_t n, size_t *room, size_t size);
/* Not after the end. */
int64_t sl_timeline_within(const sl_timeline *t, int64_t t_us);
/* Before the next span begins: false when out of memory. */
bool sl_timeline_snapshot(sl_timeline *t);
sl_status sl_timeline_check_event(const sl_event *e, sl_error **err);
sl_status sl_timeline_push_unknown(sl_timeline *t, int64_t t_us, uint64_t type,
                                   const uint8_t *content, size_t n, sl_error **err);
void sl_timeline_id_bytes(const char *text, uint8_t out[16]);
void sl_timeline_id_text(const uint8_t id[16], char out[SL_UUID_LEN + 1]);

#endif
