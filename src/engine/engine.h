/*
 * engine/engine.h - the one loop. It owns the store, the machines and the ports, and moves
 * values between them; nothing else does.
 *
 *   host threads ----- local calls, under `lock` -----> store, outbox, live queries
 *   platform threads - sl_host_* -> inbox -----------+
 *                                                    v
 *   engine thread (or the host's step): turn = inbox, sync steps, transfers, operations
 *   pool thread: jobs (media), which end through `events`
 *
 * Locks: `lock` guards all of struct sl_core but what says otherwise; `inbox.lock` and the
 * locks inside events and jobs are leaves. Time is read once per turn.
 */
#ifndef SL_ENGINE_ENGINE_H
#define SL_ENGINE_ENGINE_H

#include "base/buf.h"
#include "base/thread.h"
#include "engine/events.h"
#include "engine/signals.h"
#include "schema/policy.h"
#include "sideline/sync.h"
#include "store/store.h"
#include "sync/client.h"
#include "sync/transfer.h"

/* News from the platform's threads. */
typedef enum sl_news_port {
    SL_PORT_HTTP_HEAD,
    SL_PORT_HTTP_DATA,
    SL_PORT_HTTP_DONE,
    SL_PORT_WS_OPENED,
    SL_PORT_WS_MESSAGE,
    SL_PORT_WS_CLOSED
} sl_news_port;

typedef struct sl_mail {
    sl_news_port kind;
    sl_id id;
    int32_t number; /* HTTP status, transport status, close code */
    size_t len;
    uint8_t *data; /* owned, followed by a NUL */
    struct sl_mail *next;
} sl_mail;

typedef struct sl_inbox {
    sl_mutex *lock;
    sl_mail *first;
    sl_mail *last;
    sl_mail *ends; /* of requests and sockets under way: what ends one needs no memory */
    sl_id lost;    /* the last one that lost news for want of memory */
    bool kick;     /* something changed: run a turn */
    bool stop;
} sl_inbox;

typedef struct sl_session {
    bool have;
    char user[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX]; /* the user's own */
    char *email;
    char *name;
    char *role;
    char *plan; /* of the subscription to the service, "" for none */
    int64_t plan_until_ms;
    char *refresh;
    char *ticket;            /* of a sign-in with another provider that lacks something, or NULL */
    char *access;            /* NULL when it must be renewed */
    int64_t access_until_ms; /* monotonic */
    sl_id refreshing;        /* the request under way, 0 when none */
    unsigned refresh_failures;
    int64_t refresh_at_ms; /* not before */
} sl_session;

typedef enum sl_call_kind {
    SL_CALL_AUTH,
    SL_CALL_REFRESH,
    SL_CALL_TRANSFER,
    SL_CALL_ERRAND
} sl_call_kind;

typedef struct sl_transfer sl_transfer;
typedef struct sl_errand sl_errand;

/* One HTTP request on its way. */
typedef struct sl_call {
    sl_id id;
    sl_call_kind kind;
    sl_id op; /* of SL_CALL_AUTH, SL_CALL_ERRAND */
    sl_transfer *transfer;
    int32_t status;
    char *headers;
    sl_buf body;
    struct sl_call *next;
} sl_call;

struct sl_transfer {
    sl_xfer xfer;
    bool download;
    sl_upload upload;   /* hex in both directions */
    sl_blob_in *in;     /* what is sent, once it is open */
    sl_blob_out *out;   /* what is received */
    int64_t total;      /* of a download, once it is known, 0 before */
    int64_t told;       /* bytes, by the last event */
    int64_t tell_at_ms; /* not told before */
    const char *why;    /* it does not get on; NULL: it does, or was not tried */
    const char *why_told;
    sl_transfer *next;
};

/* Operations that wait for a condition. */
typedef struct sl_waiter {
    sl_id op;
    bool settle; /* for everything; else for the blob */
    char hex[65];
    int64_t total; /* of the settle's progress */
    struct sl_waiter *next;
} sl_waiter;

typedef struct sl_live_query {
    sl_id id;
    sl_query *query;
    struct sl_live_row *last; /* the rows of the last take, sorted by id */
    size_t count;
    struct sl_live_query *next;
} sl_live_query;

/* Records that changed together, when they are few. */
enum {
    SL_FEW = 8
};
typedef struct sl_touched {
    const sl_entity *entity;
    char space[SL_SPACE_MAX];
    char id[SL_UUID_LEN + 1];
    bool gone; /* or it may be */
} sl_touched;
typedef struct sl_few {
    sl_touched list[SL_FEW];
    size_t count; /* SL_FEW + 1: there are more */
} sl_few;

typedef struct sl_jobs sl_jobs;
typedef struct sl_follow sl_follow;
typedef struct sl_load sl_load;
typedef struct sl_hold sl_hold;

/* What the live channel is written and read with. */
typedef struct sl_link {
    bool plain; /* JSON, for eyes */
    sl_wire wire;
    sl_frame_in *in;
    sl_items *items;
    sl_buf out;
} sl_link;

/* Pages whose transaction is open (kept.c). */
enum {
    SL_KEPT_MAX = 8
};
typedef struct sl_kept_page {
    char space[SL_SPACE_MAX];
    int64_t cursor;   /* before the page */
    uint64_t touched; /* entities, by bit of their index */
} sl_kept_page;
typedef struct sl_kept {
    sl_kept_page pages[SL_KEPT_MAX];
    size_t count; /* 0: no transaction is open */
    int64_t records;
    unsigned alone; /* so many pages are stored one by one */
} sl_kept;

struct sl_core {
    sl_platform platform;
    bool stepped;
    bool soft_ops; /* what is not durable yet may be operations: not to be sent before */
    unsigned
        hurry_every; /* stepped: so often sl_kept_hurry says yes, as if somebody waited; 0: never */
    unsigned hurry_asked;
    unsigned held_no;       /* the how manieth time `lock` was taken to store what comes */
    int64_t soft_until_ms;  /* what is not durable yet waits no longer to be; 0: all is */
    int64_t lease_seen_ms;  /* the highest time since the server was heard of (lease.c), */
    int64_t lease_kept_ms;  /* as the folder has it */
    int64_t lease_ahead_ms; /* how far the clock was ahead then */
    int64_t lease_turn_ms;  /* when it is noted again that the server is heard of; 0: not set */
    char *server;
    sl_mutex *lock;
    sl_events *events;
    sl_inbox inbox;
    sl_store *store;
    sl_sync *sync;
    sl_kept kept;
    int64_t held_ms;   /* since when the thread that stores what comes has `lock` */
    int64_t others_ms; /* when others were last seen to use it, 0: never */
    sl_session session;
    sl_id auth_after; /* answers to requests up to this one sign nobody in: something came after */
    char device[SL_UUID_LEN + 1];
    sl_hlc clock;
    uint8_t id_tail[10]; /* of the last id made */
    uint32_t id_left;    /* ids until there is a new beginning */
    bool want_online;
    bool metered;
    bool status_asked;    /* somebody shows the status: tell when it changes */
    bool transfers_asked; /* somebody shows transfers: tell how far they are */
    int32_t close_code;   /* of the last socket */
    const char
        *kept_off;      /* what the last answer says of the way: portal, throttled; NULL: nothing */
    bool outbox_unread; /* the sync machine is to hear of the outbox, which could not be read */
    sl_sync_state told; /* last state told by event */
    sl_id next_id;      /* of requests, sockets and live queries */
    sl_id ws;           /* the socket in use, 0 when none */
    sl_link link;
    bool server_known;       /* there was a connection since the core was opened */
    int64_t server_ahead_ms; /* the server's clock, before the monotonic one */
    sl_signals signals;
    int64_t planned_due_ms; /* of the first message planned, the server's clock; INT64_MAX: none */
    int64_t differed;       /* how often a space was found to be not as the server has it */
    int64_t retry_at_ms;    /* when the next one is tried; -1: not to be waited for */
    uint64_t status_print;  /* of what was told last */
    int64_t status_at_ms;   /* not told before */
    sl_call *calls;
    sl_errand *errands;
    sl_transfer *transfers;
    sl_hold *holds;
    int64_t metered_limit; /* larger blobs wait for another network, when this one is metered */
    sl_waiter *waiters;
    sl_follow *follows;
    sl_load *loads;
    int64_t progress_at_ms; /* of settling: not told before */
    sl_live_query *queries;
    sl_jobs *jobs;
    sl_thread *thread;
    bool started;                   /* the platform heard of this core and must be told to stop */
    sl_json *recordings;            /* interrupted ones, mended when the core opened */
    struct sl_blob_writer *writers; /* blobs that the host stores piece by piece (api) */
};

/* --- engine.c --- */
/* Opens everything; out is not started yet. */
sl_status sl_engine_open(const sl_config *cfg, sl_core **out, sl_error **err);
void sl_engine_close(sl_core *core);
int64_t sl_engine_mono(const sl_core *core);
int64_t sl_engine_wall(const sl_core *core);
int32_t sl_engine_day_minute(const sl_core *core); /* now, of the local day */
/* The server's clock as it is now; before there was a connection that of this device. */
int64_t sl_engine_server_ms(const sl_core *core);
sl_status sl_engine_uuid(sl_core *core, char out[SL_UUID_LEN + 1], sl_error **err);
/* Stores the hybrid clock, in the transaction under way: after a restart a stamp is still greater
 * than all that this device made or saw. */
sl_status sl_engine_keep_clock(sl_core *core, sl_error **err);
/* Asks for a turn; any thread, locked or not. */
void sl_engine_kick(sl_core *core);
/* One turn, called unlocked. Returns ms until the next deadline, -1 for none. */
int64_t sl_engine_turn(sl_core *core);
/* The end of a request or socket, made when it begins; false: out of memory. */
bool sl_engine_expect(sl_core *core, sl_id id);
void sl_engine_expect_no_more(sl_core *core, sl_id id);
/* An end that is not expected goes nowhere. */
void sl_engine_post(sl_core *core, sl_news_port kind, sl_id id, int32_t number, const void *p,
                    size_t n);

/* --- session.c --- */
/* A session sealed by itself, as it was before folders were: now the folder seals it. */
sl_status sl_session_from_before(sl_core *core, const uint8_t *key, sl_error **err);
sl_status sl_session_load(sl_core *core, sl_error **err);
void sl_session_clear(sl_core *core); /* in memory */
/* Signs out: forgets the tokens, here and in the folder. */
sl_status sl_session_forget(sl_core *core, sl_error **err);
sl_status sl_session_start(sl_core *core, const char *path, const sl_json *body, sl_id *op,
                           sl_error **err);
/* True when there is a token good for a while; else sees to getting one. */
bool sl_session_token(sl_core *core, int64_t now_ms, int64_t *until_ms);
void sl_session_answer(sl_core *core, sl_call *call, sl_status net);
/* Keeps the session that an answer brings: all of it or none. */
sl_status sl_session_accept(sl_core *core, const sl_json *body, sl_error **err);
/* What a status of an answer means; the sentence in its body, borrowed. */
sl_status sl_session_status_of(int32_t http);
const char *sl_session_sentence_of(const sl_json *body);

/* --- redirect.c --- */
/* What another provider of sign-in sent back, checked: the body that our server takes. */
sl_status sl_session_redirect(const sl_json *in, sl_json **body, sl_error **err);
/* What was missing then, with the ticket that the server gave for it. */
sl_status sl_session_step(const sl_core *core, const sl_json *in, sl_json **body, sl_error **err);

/* --- errand.c --- */
/* in: sl_account_do's wish. */
sl_status sl_errand_start(sl_core *core, const sl_json *in, sl_id *op, sl_error **err);
/* Sends those that can be; returns when to look again (mono ms), -1: not by itself. */
int64_t sl_errands_run(sl_core *core, int64_t now_ms);
/* One is on its way whose answer brings a new session: the old one is not to be refreshed meanwhile. */
bool sl_errand_renews(const sl_core *core);
void sl_errand_answer(sl_core *core, const sl_call *call, sl_status net);
void sl_errands_stop(sl_core *core);

/* --- online.c --- */
sl_status sl_online_start(sl_core *core, sl_error **err);
void sl_online_stop(sl_core *core); /* forgets all, at close */
void sl_online_want(sl_core *core, bool online);
/* Runs what the sync machine asks for; returns its next deadline (mono ms), -1 for none. */
int64_t sl_online_run(sl_core *core, int64_t now_ms);
void sl_online_opened(sl_core *core);
void sl_online_message(sl_core *core, const void *p, size_t n);
void sl_online_closed(sl_core *core, int32_t code, int64_t now_ms);
void sl_online_outbox_changed(sl_core *core);
/* A frame that is not stored: only when online, else SL_E_NETWORK. */
sl_status sl_online_send(sl_core *core, const sl_frame *frame);
/* The records of SL_NEWS_LOADED; *count: how many. */
sl_status sl_online_loaded(sl_core *core, const sl_news *news, int64_t *count, sl_error **err);

/* --- lost.c --- */
/* The event of an operation that was refused; NULL: out of memory. */
sl_json *sl_rejected_event(const sl_op *op, const char *code, const char *message);
/* Drops a space, inside a transaction. lost: gets the events of the operations that go with it. */
sl_status sl_lost_space(sl_core *core, const char *space, sl_json *lost, sl_error **err);
/* Tells the events of a list. */
void sl_lost_tell(sl_core *core, sl_json *lost);

/* --- receipts.c --- */
/* The receipts of the frame that was read. */
void sl_online_receipts(sl_core *core);

/* --- kept.c: called locked; whoever begins a transaction or gives up the lock commits before --- */

bool sl_kept_open(const sl_core *core);
/* The page that was stored last stays in the open transaction; false: it is to be committed, with all. */
bool sl_kept_add(sl_core *core, const sl_space *before, uint64_t touched, int64_t records);
/* Commits what is open and tells of it. When that fails its spaces are asked for again. */
sl_status sl_kept_commit(sl_core *core);
/* What was open has been committed, or rolled back. */
void sl_kept_stored(sl_core *core);
void sl_kept_lost(sl_core *core);
/* True when what is being stored should be committed and the lock given away for a moment: somebody waits
 * for it, or it was held for long. */
bool sl_kept_hurry(sl_core *core);
void sl_kept_give_way(sl_core *core);
/* The lock was just taken to store what comes. */
void sl_kept_held(sl_core *core);

/* --- window.c: spaces that are held in part --- */
enum {
    SL_WINDOW_DEFAULT = 100, /* places of a space that are held without being asked for */
    SL_WINDOW_LOAD = 100,
    SL_WINDOW_LOAD_MAX = 500
};
typedef enum sl_window_way {
    SL_WINDOW_OLDER,
    SL_WINDOW_NEWER,
    SL_WINDOW_AROUND
} sl_window_way;
/* An operation that loads up to `limit` records of the nearest hole below, or above, the record, or of what
 * is on both sides of it; id NULL: below the newest. */
sl_status sl_window_load(sl_core *core, const char *space, sl_window_way way, const char *id,
                         int64_t limit, sl_id *op, sl_error **err);
/* Asks for what is to be loaded. */
void sl_window_run(sl_core *core);
void sl_window_loaded(sl_core *core, const sl_news *news);
/* The space is at the head: what was asked for before is asked for again, and the sum of what is held
 * when its time has come. */
void sl_window_head(sl_core *core, const char *space);
void sl_window_stop(sl_core *core);
/* [{"above","upto"},..] */
sl_status sl_window_gaps(sl_core *core, const char *space, sl_bytes **out, sl_error **err);

/* --- integrity.c --- */
/* At the head: true when what is here is not what the server has, and is to be read again. */
bool sl_integrity_differs(sl_core *core, const char *space, uint64_t sum);
/* True when what is held of a space is to be compared. */
bool sl_integrity_due(sl_core *core, const char *space);
/* The same as the first of what is held, when these still are the holes. */
bool sl_integrity_held_differs(sl_core *core, const char *space, const char *holes, uint64_t sum);

/* --- calls.c --- */
/* Starts a request to the server: its url is a path, or whole. On SL_OK the call is in the list. */
sl_status sl_call_start(sl_core *core, sl_call_kind kind, const sl_http_request *request,
                        sl_call **out);
/* POSTs JSON text. */
sl_status sl_call_post(sl_core *core, sl_call_kind kind, const char *path, const char *json,
                       sl_call **out);
sl_call *sl_call_find(sl_core *core, sl_id id);
void sl_call_end(sl_core *core, sl_call *call); /* takes it off the list and frees it */
/* How long the server asks to wait, by Retry-After in seconds; 0 when it does not. */
int64_t sl_call_wait_ms(const sl_call *call);
/* The value of a header in "Name: value\r\n" lines; sl_mem text or NULL. */
char *sl_header_value(const char *headers, const char *name);

/* --- transfers.c --- */
int64_t sl_transfers_run(sl_core *core, int64_t now_ms);
sl_status sl_transfers_fetch(sl_core *core, const char *hex, sl_error **err);
void sl_transfers_data(sl_core *core, sl_call *call, const uint8_t *p, size_t n, int64_t now_ms);
void sl_transfers_answer(sl_core *core, sl_call *call, sl_status net, int64_t now_ms);
void sl_transfers_stop(sl_core *core); /* forgets all, at close */
/* Ends the uploads for a space that was taken away. */
void sl_transfers_drop(sl_core *core, const char *space);
/* Ends the upload of a blob that is no longer queued. */
void sl_transfers_drop_upload(sl_core *core, const char *hex, const char *space);
/* Ends the download of a blob that was taken away. */
void sl_transfers_forget(sl_core *core, const char *hex);
int64_t sl_transfers_bytes_left(sl_core *core);
/* True when no upload waits but those of spaces that nobody holds or makes. */
bool sl_transfers_settled(sl_core *core);
size_t sl_transfers_waiting(sl_core *core, bool download);
/* Ends all transfers of a blob at the user's wish. */
void sl_transfers_cancel(sl_core *core, const char *hex);
bool sl_transfers_fetching(const sl_core *core, const char *hex);

/* --- answer.c --- */
/* What came is bytes of the blob that a download is of, from where its part ends; asked before and after
 * they are taken. */
bool sl_answer_is_blob(const sl_transfer *t, const sl_call *call);
/* The answer is the server's, and not that of somebody on the way to it. */
bool sl_answer_is_servers(const sl_transfer *t, const sl_call *call);
/* The same of what was asked about an account. body: of the answer, NULL when that is no JSON. */
bool sl_answer_is_word(const sl_call *call, const sl_json *body);
/* Notes what an answer says of the way to the server. */
void sl_answer_note(sl_core *core, const char *why);
/* Why a transfer is not further after an answer, as sideline/core.h has it; NULL: it is. */
const char *sl_answer_why(const sl_transfer *t, const sl_call *call, sl_status net);

/* --- holds.c --- */
/* True when a blob of this size does not move now. size 0: not known. */
bool sl_hold_blocks(const sl_core *core, const char *hex, int64_t size);
void sl_holds_network(sl_core *core, bool metered, int64_t limit);
sl_status sl_holds_control(sl_core *core, const char *hex, int32_t action, sl_error **err);
void sl_holds_stop(sl_core *core);
/* Tells how far a transfer is, if somebody asked and it moved. */
void sl_transfer_tell(sl_core *core, sl_transfer *t, int64_t now_ms);
/* The same for all whose time has come; returns the next one's, -1 for none. */
int64_t sl_transfers_tell(sl_core *core, int64_t now_ms);
sl_json *sl_transfers_info(sl_core *core);

/* --- waiters.c --- */
sl_status sl_wait_settled(sl_core *core, sl_id *op, sl_error **err);
sl_status sl_wait_blob(sl_core *core, const char *hex, sl_id *op, sl_error **err);
void sl_waiters_run(sl_core *core, int64_t now_ms);
void sl_waiters_stop(sl_core *core);
/* A download ended for good. */
void sl_waiters_blob(sl_core *core, const char *hex, sl_status status, const char *message);

/* --- batch.c --- */
typedef struct sl_touched_space {
    const sl_entity *entity;
    char space[SL_SPACE_MAX];
} sl_touched_space;
typedef struct sl_batch {
    sl_touched_space *touched;
    size_t count;
    size_t room;
    sl_few few;
    bool unnoted; /* is not to be undone */
    sl_undo_log log;
} sl_batch;
/* Begins a transaction of the store; once it has begun, sl_batch_end must follow. */
sl_status sl_batch_begin(sl_core *core, sl_batch *b, sl_error **err);
/* The same for what the core would do again: it becomes durable before it is sent. */
sl_status sl_batch_begin_soft(sl_core *core, sl_batch *b, sl_error **err);
/* Stamps and applies the operation. After a failure the batch must end with it. */
sl_status sl_batch_op(sl_core *core, sl_batch *b, sl_op *op, sl_error **err);
/* Commits when status is SL_OK, else rolls back, and returns how it went; frees the batch. */
sl_status sl_batch_end(sl_core *core, sl_batch *b, sl_status status, sl_undo_kind kind,
                       const char *group, sl_error **err);

/* --- drafts.c --- */
sl_status sl_drafts_list(sl_core *core, const char *space, int64_t after, sl_json **out,
                         sl_error **err);
/* id: gets the record's. */
sl_status sl_drafts_send(sl_core *core, int64_t draft, const sl_json *edits, char *id,
                         sl_error **err);
sl_status sl_drafts_discard(sl_core *core, int64_t draft, sl_error **err);

/* --- follow.c --- */
sl_status sl_follow_record(sl_core *core, const char *entity, const char *id, sl_id *op,
                           sl_error **err);
void sl_follow_run(sl_core *core);
void sl_follow_stop(sl_core *core);

/* --- status.c --- */
sl_json *sl_status_info(sl_core *core);
/* Tells of a change; returns when it is to be looked at again, -1 for after the next turn. */
int64_t sl_status_turn(sl_core *core, int64_t now_ms);
/* Spaces at the head now were seen there: before the connection is forgotten. */
void sl_status_seen(sl_core *core);

/* --- undo.c --- */
sl_status sl_local_undo(sl_core *core, const char *space, bool redo, sl_json **out, sl_error **err);
sl_json *sl_local_undo_info(sl_core *core);

/* --- local.c --- */
/* ops as sideline/record.h; *answer (may be NULL), {"ids":[..]}, is given. */
sl_status sl_local_apply(sl_core *core, const char *ops, size_t n, const char *group,
                         sl_bytes **answer, sl_error **err);
/* These two run beside the engine: locked or not. */
sl_status sl_local_get(sl_core *core, const char *entity, const char *id, sl_bytes **out,
                       sl_error **err);
/* The rows' JSON array at the end of the buffer. */
sl_status sl_local_query(sl_core *core, const sl_json *query, sl_buf *rows, sl_error **err);
/* The id of the participant that is this user; "" when there is none. */
sl_status sl_local_own(sl_core *core, const char *space, char id[SL_UUID_LEN + 1], sl_error **err);
/* Moves this user's mark in a thread: field "delivered" or "read", up to a place. */
sl_status sl_local_mark(sl_core *core, const char *space, const char *field, int64_t place,
                        sl_error **err);
/* "delivered" for what just came: when the power fails it comes again, and is marked again. */
sl_status sl_local_reached(sl_core *core, const char *space, int64_t place, sl_error **err);

/* --- can.c --- */
/* in: sl_can's question; *out: its answer. Locked. */
sl_status sl_engine_can(sl_core *core, const sl_json *in, sl_json **out, sl_error **err);

/* The relation of the user to a space that is no thread. */
sl_status sl_can_relation(sl_core *core, const char *space, sl_relation *out, sl_error **err);

/* --- lease.c: called locked --- */
sl_status sl_lease_load(sl_core *core, sl_error **err);
/* Spaces are at their heads now: in the transaction that notes it. */
sl_status sl_lease_heard(sl_core *core, sl_error **err);
/* *over: the space is somebody else's and was not heard of for too long. */
sl_status sl_lease_over(sl_core *core, const char *space, bool *over, sl_error **err);
/* Opens a blob for somebody to see or hear. SL_E_DENIED when the lease of all that name it is over. */
sl_status sl_lease_open(sl_core *core, const char *hex, sl_blob_in **out, sl_error **err);
/* Returns when to look again (mono ms), -1: not by itself. */
int64_t sl_lease_turn(sl_core *core, int64_t now_ms);

/* --- live.c --- */
sl_status sl_live_watch(sl_core *core, const sl_json *query, sl_id *sub, sl_error **err);
sl_status sl_live_take(sl_core *core, sl_id sub, sl_bytes **out, sl_error **err);
sl_status sl_live_unwatch(sl_core *core, sl_id sub);
/* Any record of this entity in this space may have changed (committed). */
void sl_live_touch(sl_core *core, const sl_entity *e, const char *space);
/* Any record of this space. */
void sl_live_touch_space(sl_core *core, const char *space);
/* These records changed (committed), and no others. False: they are not few, nobody was told. */
bool sl_live_touch_few(sl_core *core, const sl_few *few);
void sl_few_add(sl_few *few, const sl_entity *e, const char *space, const char *id, bool gone);
/* Others changed too: it is not known which. */
void sl_few_exceed(sl_few *few);
void sl_live_stop(sl_core *core);

/* --- jobs.c --- */
sl_jobs *sl_jobs_new(sl_core *core);
void sl_jobs_stop(sl_core *core); /* cancels, joins and frees; not locked */
bool sl_jobs_step(sl_core *core); /* stepped cores: runs one; not locked */

#endif
