/*
 * review/timeline.h - the log of sideline/review.h with types, for those inside the library.
 *
 * Events are kept in the order they came; beside them grow the segments of the playback position
 * (voice time -> position, linear in between) and the intervals in which items are shown, so that
 *   [TIMELINE-1] the state at T is that of all events at or before T applied in turn,
 *   [TIMELINE-2] it is found by binary search, whatever the length of the log,
 *   [TIMELINE-3] events of a later version survive a round trip through bytes,
 *   [TIMELINE-4] the position is exact to a thousandth of a microsecond, so that no number of events
 *                makes it drift.
 * The position never leaves [0, media duration]; reaching the end while playing stops there.
 *
 * Bytes: "SLRT" | version u8 = 1 | media duration varint | end + 1 or 0 varint | count varint |
 * events: time since the event before varint, type varint, length varint, content.
 * An item's first mention carries its 16 bytes, later ones its number. They are canonical.
 */
#ifndef SL_REVIEW_TIMELINE_H
#define SL_REVIEW_TIMELINE_H

#include "base/buf.h"
#include "base/json.h"
#include "base/uuid.h"
#include "sideline/review.h"

enum {
    SL_TIMELINE_VERSION = 1,
    SL_TIMELINE_EVENTS_MAX = 250000,
    SL_TIMELINE_ITEMS_MAX = 65536,
    SL_RATE_ONE = 1000, /* rates are thousandths */
    SL_RATE_MIN = 10,
    SL_RATE_MAX = 16000,
    SL_SCALE_ONE = 1000, /* scales of the view too */
    SL_SCALE_MIN = 100,
    SL_SCALE_MAX = 100000,
    SL_VIEW_MAX = 131072
};

#define SL_VOICE_US_MAX ((int64_t)24 * 3600 * 1000000)
#define SL_MEDIA_US_MAX ((int64_t)1 << 50)

typedef enum sl_event_kind {
    SL_EVENT_PLAY = 1,
    SL_EVENT_PAUSE = 2,
    SL_EVENT_SEEK = 3,
    SL_EVENT_RATE = 4,
    SL_EVENT_SHOW = 5,
    SL_EVENT_HIDE = 6,
    SL_EVENT_VIEW = 7,
    SL_EVENT_DRAW = 8,    /* shown from here on, growing as it was drawn */
    SL_EVENT_ERASE = 9,   /* hidden: the coach took it off */
    SL_EVENT_STEP = 10,   /* paused at a frame */
    SL_EVENT_FREEZE = 11, /* the picture stands for a while, then goes on */
    SL_EVENT_PAIR = 12    /* a second video beside or over the first */
} sl_event_kind;
enum {
    SL_EVENT_LAST = SL_EVENT_PAIR
};

typedef enum sl_layout {
    SL_LAYOUT_SINGLE = 0,
    SL_LAYOUT_SIDE = 1,  /* the second on the right */
    SL_LAYOUT_STACK = 2, /* below */
    SL_LAYOUT_OVER = 3   /* over the first, as opaque as said */
} sl_layout;

/* The part of the frame that is seen: its top left in units of the frame, and how much larger
 * than the whole frame it appears. */
typedef struct sl_view {
    int32_t x;
    int32_t y;
    int32_t scale;
} sl_view;

/* The second video has no clock of its own: it is where the first is, seen from the moment that both
 * have in common, at its own speed. */
typedef struct sl_pair {
    sl_layout layout;
    char video[SL_UUID_LEN + 1]; /* its record's id */
    int64_t mark_us;             /* the moment in the first, ... */
    int64_t mark2_us;            /* ... and in the second */
    int64_t media_us;            /* the second's length */
    int32_t rate;                /* of the second against the first, thousandths */
    int32_t opacity;             /* over: thousandths */
} sl_pair;

typedef struct sl_event {
    int64_t t_us;
    sl_event_kind kind;
    int32_t rate;               /* rate; play: 0 keeps the rate */
    int64_t to_us;              /* seek, step; freeze: for how long */
    char item[SL_UUID_LEN + 1]; /* show, hide, draw, erase */
    sl_view view;               /* view */
    sl_pair pair;               /* pair */
} sl_event;

typedef struct sl_timeline_state_t {
    int64_t position_us;
    int32_t rate;
    bool playing;
    bool frozen; /* it plays on by itself */
    sl_view view;
} sl_timeline_state_t;

typedef struct sl_timeline_shown {
    char id[SL_UUID_LEN + 1];
    int64_t since_us;
    bool growing; /* it was drawn then, and not only shown */
} sl_timeline_shown;

sl_status sl_timeline_make(int64_t media_duration_us, sl_timeline **out, sl_error **err);
void sl_timeline_drop(sl_timeline *t);
sl_status sl_timeline_push(sl_timeline *t, const sl_event *event, sl_error **err);
sl_status sl_timeline_push_json(sl_timeline *t, const sl_json *event, sl_error **err);
sl_status sl_timeline_finish(sl_timeline *t, int64_t t_us, sl_error **err);
/* Appends; check out->failed. */
void sl_timeline_write(const sl_timeline *t, sl_buf *out);
/* SL_E_TOO_NEW: a later version. SL_E_INVALID: no timeline, or not its canonical bytes. */
sl_status sl_timeline_read(const uint8_t *p, size_t n, sl_timeline **out, sl_error **err);

int64_t sl_timeline_media_us(const sl_timeline *t);
/* Where it was ended, else the time of the last event. */
int64_t sl_timeline_duration_us(const sl_timeline *t);
/* Before the first event: paused at 0, rate 1, the whole frame. */
void sl_timeline_at(const sl_timeline *t, int64_t t_us, sl_timeline_state_t *out);
/* The second video at t_us and its position; false: there is none. *out is borrowed until the
 * timeline changes. */
bool sl_timeline_second(const sl_timeline *t, int64_t t_us, const sl_pair **out,
                        int64_t *position_us);
/* The i-th pair that was ever shown, for what they need; NULL: there are no more. Borrowed likewise. */
const sl_pair *sl_timeline_pair(const sl_timeline *t, size_t i);
/* The items shown at t_us in the order in which they were shown. Fills at most max, returns how
 * many there are. */
size_t sl_timeline_visible(const sl_timeline *t, int64_t t_us, sl_timeline_shown *out, size_t max);
/* The object of sideline/review.h; NULL when out of memory. */
sl_json *sl_timeline_state_json(const sl_timeline *t, int64_t t_us);

#endif
