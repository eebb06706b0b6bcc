/*
 * sync/client.h - the client's side of the protocol, without I/O: news in, steps out.
 *
 *            want            opened           connected
 *   OFFLINE -----> WAITING --------> GREETING ---------> ONLINE
 *      ^  not want   ^  back-off passed   |                 |
 *      +-------------+<------- closed ----+-----------------+
 *
 * The machine knows spaces and their cursors and the numbers of the outbox, not what is
 * in them: the engine loads, stores and sends what the steps name.
 *
 *   [SYNC-1] a page is handed on only when it starts at the cursor, a change only when it is
 *            the cursor's next: a gap leads to a new subscription, never to a skip;
 *   [SYNC-2] every queued operation is sent on each connection until its receipt came,
 *            at most 64 without one, in order;
 *   [SYNC-3] after a lost connection the machine asks for a new one by itself, after a
 *            delay that doubles from 0.5 s to 30 s, with jitter, until not wanted; it starts over
 *            once every space held was at the head;
 *   [SYNC-4] a connection that was asked something and says nothing for a minute is closed: it may
 *            be dead without either end knowing.
 */
#ifndef SL_SYNC_CLIENT_H
#define SL_SYNC_CLIENT_H

#include "schema/record.h"

typedef struct sl_sync sl_sync;

typedef enum sl_sync_state {
    SL_SYNC_OFFLINE,
    SL_SYNC_WAITING,  /* for the next try, or for the socket to open */
    SL_SYNC_GREETING, /* open, not connected yet */
    SL_SYNC_ONLINE
} sl_sync_state;

typedef enum sl_sync_kind {
    SL_STEP_IDLE,      /* nothing until the next news */
    SL_STEP_WAIT,      /* nothing until `until_ms` */
    SL_STEP_OPEN,      /* open the socket */
    SL_STEP_CLOSE,     /* close the socket */
    SL_STEP_GREET,     /* send the connect frame: the engine has token, device and floor */
    SL_STEP_SUBSCRIBE, /* send subscribe for `space` from (`epoch`, `from`) */
    SL_STEP_SEND_OP    /* send operation `n` */
} sl_sync_kind;

typedef struct sl_sync_step {
    sl_sync_kind kind;
    int64_t until_ms;
    int64_t n;
    int64_t from;
    char space[SL_SPACE_MAX];
    char epoch[SL_UUID_LEN + 1];
} sl_sync_step;

/* What a frame asks the engine to do. Pointers are borrowed from the frame. */
typedef enum sl_news_kind {
    SL_NEWS_NONE,
    SL_NEWS_CONNECTED,
    SL_NEWS_APPLY,   /* records of (space, epoch] up to `seq`; page or single change */
    SL_NEWS_HEAD,    /* the space is at the head */
    SL_NEWS_RECEIPT, /* n, result, seq, code, message */
    SL_NEWS_RESET,
    SL_NEWS_REVOKED,
    SL_NEWS_TYPING
} sl_news_kind;

typedef struct sl_news {
    sl_news_kind kind;
    const char *space;
    const char *epoch;
    int64_t seq;
    const sl_json *records; /* an array, */
    const sl_json *record;  /* or one */
    int64_t n;
    bool rejected;
    const char *code;
    const char *message;
    const char *user;
    int64_t now_ms; /* the server's clock, when connected */
} sl_news;

/* seed: for the jitter. NULL: out of memory. */
sl_sync *sl_sync_new(uint64_t seed);
void sl_sync_free(sl_sync *s);

/* To be online or not. Wanting it anew tries at once. */
void sl_sync_want(sl_sync *s, bool online);
void sl_sync_opened(sl_sync *s);
void sl_sync_closed(sl_sync *s, int64_t now_ms);
/* The next try is as late as after many failures. */
void sl_sync_slow_down(sl_sync *s);
/* A space that is held, or is no more. SL_E_NOMEM. */
sl_status sl_sync_hold(sl_sync *s, const char *space, const char *epoch, int64_t cursor);
void sl_sync_drop(sl_sync *s, const char *space);
/* The outbox as stored: when connected, and after operations were queued. */
void sl_sync_outbox(sl_sync *s, int64_t floor, int64_t last);
/* Operation n, just asked for, is not in the outbox any more: it counts as answered. */
void sl_sync_skip(sl_sync *s, int64_t n);
/* A frame from the server. SL_E_INVALID: it breaks the protocol; close and start over. */
sl_status sl_sync_frame(sl_sync *s, const sl_json *frame, sl_news *out, sl_error **err);
/* What SL_NEWS_APPLY named could not be stored: the cursor stands where it stood. */
void sl_sync_not_applied(sl_sync *s, const char *space, int64_t cursor);

sl_sync_step sl_sync_next(sl_sync *s, int64_t now_ms);

sl_sync_state sl_sync_state_of(const sl_sync *s);
/* True when online, every space held is at the head and no operation waits for a receipt. */
bool sl_sync_settled(const sl_sync *s);
/* True when this space is subscribed and at the head. */
bool sl_sync_live(const sl_sync *s, const char *space);

#endif
