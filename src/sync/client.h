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
 *   [SYNC-2] every queued operation is sent on each connection until its receipt came, in
 *            order, at most SL_SYNC_WINDOW operations or SL_SYNC_WINDOW_BYTES without one;
 *   [SYNC-3] after a lost connection the machine asks for a new one by itself, after a
 *            delay that doubles from 0.5 s to 30 s, with jitter, until not wanted; it starts over
 *            once every space held was at the head; never before the time that the server told, whoever
 *            wants it;
 *   [SYNC-4] a connection that was asked something and says nothing for a minute is closed: it may
 *            be dead without either end knowing;
 *   [SYNC-5] the server hears of every page that was stored or given up, and of no other: it sends
 *            no more than it was told that there is room for.
 */
#ifndef SL_SYNC_CLIENT_H
#define SL_SYNC_CLIENT_H

#include "sync/frame.h"

typedef struct sl_sync sl_sync;

enum {
    SL_SYNC_WINDOW = 1000,
    SL_SYNC_WINDOW_BYTES = 256 * 1024,
    SL_SYNC_PUSH = 500, /* operations of one frame */
    SL_SYNC_PUSH_BYTES = 64 * 1024
};

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
    SL_STEP_PUSH,      /* send operations from `n`, up to `count` of them; then sl_sync_pushed */
    SL_STEP_MORE,      /* say that `n` bytes of pages are done with */
    SL_STEP_PREFER     /* say that `space`, asked for, should come first */
} sl_sync_kind;

typedef struct sl_sync_step {
    sl_sync_kind kind;
    int64_t until_ms;
    int64_t n;
    int64_t count;
    int64_t from;
    int64_t last; /* of subscribe: so many of the newest places will do; 0: all */
    char space[SL_SPACE_MAX];
    char epoch[SL_UUID_LEN + 1];
} sl_sync_step;

/* What a frame asks the engine to do. Pointers are borrowed from the frame or until the next call. */
typedef enum sl_news_kind {
    SL_NEWS_NONE,
    SL_NEWS_CONNECTED,
    SL_NEWS_APPLY,    /* the frame's records of (space, epoch] up to `seq` */
    SL_NEWS_HEAD,     /* the space is at the head */
    SL_NEWS_RECEIPTS, /* the frame's receipts, each through sl_sync_receipt */
    SL_NEWS_RESET,
    SL_NEWS_REVOKED,
    SL_NEWS_SIGNAL, /* the frame: typing, or another signal */
    SL_NEWS_LOADED, /* the frame's records: all with places in (from, seq] */
    SL_NEWS_CHECKED /* the sum that was asked for */
} sl_news_kind;

typedef struct sl_news {
    sl_news_kind kind;
    const char *space;
    const char *epoch;
    int64_t seq;
    int64_t from; /* apply: the cursor before */
    int64_t hole; /* apply: places above `from` up to here were left out; 0: none */
    const char *user;
    int64_t now_ms; /* the server's clock, when connected */
    bool summed;    /* at the head: the server's sum of the space is here */
    uint64_t sum;
} sl_news;

/* seed: for the jitter. NULL: out of memory. */
sl_sync *sl_sync_new(uint64_t seed);
void sl_sync_free(sl_sync *s);
/* At least 1, at most SL_SYNC_WINDOW and SL_SYNC_PUSH, which hold without this: for tests, whose outboxes are
 * short. */
void sl_sync_push_limits(sl_sync *s, int64_t window, int64_t frame);

/* To be online or not. Wanting it anew tries at once. */
void sl_sync_want(sl_sync *s, bool online);
void sl_sync_opened(sl_sync *s);
void sl_sync_closed(sl_sync *s, int64_t now_ms);
/* The next try is as late as after many failures. */
void sl_sync_slow_down(sl_sync *s);
/* In spaces with places, so many of the newest are asked for and the rest is left out; 0: none is. */
void sl_sync_window(sl_sync *s, int64_t last);
/* The server was asked for something that it answers by SL_NEWS_LOADED or SL_NEWS_CHECKED. */
void sl_sync_asked(sl_sync *s);
/* A space that is held, or is no more. SL_E_NOMEM. */
sl_status sl_sync_hold(sl_sync *s, const char *space, const char *epoch, int64_t cursor);
void sl_sync_drop(sl_sync *s, const char *space);
/* The outbox as stored: when connected, and after operations were queued. */
void sl_sync_outbox(sl_sync *s, int64_t floor, int64_t last);
/* Operation n, just asked for, is not in the outbox any more: it counts as answered. */
void sl_sync_skip(sl_sync *s, int64_t n);
/* All up to n that are there were sent, in one frame of so many bytes (0: none was there). */
void sl_sync_pushed(sl_sync *s, int64_t n, size_t bytes);
/* A frame from the server. SL_E_INVALID: it breaks the protocol; close and start over. */
sl_status sl_sync_frame(sl_sync *s, const sl_frame *frame, sl_news *out, sl_error **err);
/* A receipt of SL_NEWS_RECEIPTS. *fresh is false for one that came before. SL_E_INVALID as above. */
sl_status sl_sync_receipt(sl_sync *s, const sl_receipt *r, bool *fresh, sl_error **err);
/* A page, a message of so many bytes, is done with: stored or given up. */
void sl_sync_page_done(sl_sync *s, size_t bytes);
/* This space is on the screen: it comes before the others. */
void sl_sync_prefer(sl_sync *s, const char *space);
/* The server did something there for another reason than an operation, an upload: the space is at the
 * head again when a question asked from now on is answered. */
void sl_sync_check(sl_sync *s, const char *space);
/* What SL_NEWS_APPLY named could not be stored: the cursor stands where it stood. */
void sl_sync_not_applied(sl_sync *s, const char *space, int64_t cursor);

sl_sync_step sl_sync_next(sl_sync *s, int64_t now_ms);

sl_sync_state sl_sync_state_of(const sl_sync *s);
/* True when online, every space held is at the head and no operation waits for a receipt. */
bool sl_sync_settled(const sl_sync *s);
/* True when the operation was sent on this connection, or has a receipt. */
bool sl_sync_sent(const sl_sync *s, int64_t n);
/* How many operations were sent on this connection and have no receipt. */
int64_t sl_sync_unanswered(const sl_sync *s);
/* True when this space is subscribed and at the head. */
bool sl_sync_live(const sl_sync *s, const char *space);

#endif
