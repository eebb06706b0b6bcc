/*
 * service/inside.h - what the files of the service share.
 *
 *   http.c, about.c, ask.c, account.c, token.c, rest.c, upload.c, blob.c   requests
 *   make.c, list.c, search.c, fold.c                records that one request makes, reads or looks for
 *   flow.c, digest.c, tus.c                       the bytes of uploads, the hashes of those under way, checksums
 *   media.c, hls.c                                the work on videos, and their streaming
 *   sign.c                                        addresses that carry their right with them
 *   factor.c, mail.c, device.c, admin.c, privacy.c   more of them, about accounts
 *   price.c, pay.c, paid.c, subscribed.c, charge.c   money
 *   age.c, password.c                             what an account must say, and must not
 *   oidc.c, arrive.c                              sign-in with another provider, and whose account that is
 *   keys.c, limit.c, audit.c, metric.c              what stands behind them
 *   conn.c, topic.c, feed.c, batch.c              connections and what they listen to
 *   push.c, op.c, refs.c, effect.c, thread.c        operations
 *   organisation.c, lend.c, numbers.c               organisations
 *   policy.c                                        who may do what
 *   places.c                                      pages of what devices do not hold
 *   retain.c                                      what was deleted long ago
 *   signal.c                                      what passes by and is not stored
 *   news.c, notify.c, words.c                     what people are told of: kept, and pushed
 *   tx.c, rows.c, table.c, head.c, known.c        the database, and what need not be asked of it again
 *
 * Invariants:
 *   - everything below is used with the service's lock held, but for password hashing and the
 *     bytes of an upload, which then has a flow;
 *   - a transaction's function may run more than once and has no effect but through the
 *     transaction; what it changed is told to connections after the commit, under the same lock;
 *   - nothing depends on an address: connections are walked in order of their numbers, changes
 *     in order of space and seq.
 */
#ifndef SL_SERVICE_INSIDE_H
#define SL_SERVICE_INSIDE_H

#include "base/thread.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "schema/policy.h"
#include "service/route.h"
#include "service/service.h"
#include "sync/frame.h"
#include "sync/holes.h"
#include "sync/merge.h"

enum {
    SL_SV_FRAME_MAX = 1024 * 1024,
    SL_SV_PUSH_MAX = 1024, /* operations of one frame */
    SL_SV_BODY_MAX = 64 * 1024,
    SL_SV_PAGE_RECORDS = 500,
    SL_SV_PAGE_BYTES = 256 * 1024, /* about, not packed */
    SL_SV_PLACES_MAX = 500,        /* that a device asks for at once */
    SL_SV_CHANGE_RECORDS = 1000,
    SL_SV_FLIGHT = 1024 * 1024, /* of pages that the client has not said to be done with */
    SL_SV_SUBS_MAX = 20000,
    SL_SV_CONNECT_MS = 5000,
    SL_SV_HLC_AHEAD_MS = 60000,
    SL_SV_CELLS = 8,
    SL_SV_FIXED = 6, /* columns before a record's fields */
    SL_SV_SHA_LEN = 64,
    SL_SV_DEVICES = 1024, /* places of the table of connections by device */
    SL_SV_KNOWN = 1024,
    SL_SV_DIGESTS = 32,
    SL_SV_PAYING_MAX = 2 /* requests that wait for the provider of payments */
};

typedef char sl_sv_id[SL_UUID_LEN + 1];
typedef char sl_sv_space[SL_SPACE_MAX];

/* The statements of one entity, made from the schema. */
typedef struct sl_sv_sql {
    char *select;
    char *upsert;
    char *where; /* the spaces that have the id */
} sl_sv_sql;

/* What an account is, as its row says. */
typedef struct sl_sv_rank {
    char role[16];
    char plan[16]; /* "": there are no plans */
    int64_t until_ms;
} sl_sv_rank;

typedef struct sl_sv_conn sl_sv_conn;
typedef struct sl_sv_topic sl_sv_topic;

/* One connection listens to one space. */
typedef struct sl_sv_sub {
    sl_sv_conn *conn;
    sl_sv_topic *topic;
    bool live;    /* at the head; else it catches up */
    int64_t at;   /* how far pages went */
    int64_t base; /* the number that the space had when its first page was sent */
    sl_hole hole; /* places that the pages leave out; upto 0: none */
    bool told;    /* of the hole */
    unsigned role;
    struct sl_sv_sub *next; /* in the queue of those that catch up */
} sl_sv_sub;

struct sl_sv_topic {
    sl_sv_space space;
    sl_sv_sub **subs; /* in order of the connections' numbers */
    size_t count;
    size_t cap;
    sl_sv_topic *next; /* of the same hash */
};

/* The numbers of a space that the transaction under way has taken. */
typedef struct sl_sv_head {
    sl_sv_space space; /* "": a free place */
    int64_t seq;
    uint64_t sum;
} sl_sv_head;

typedef struct sl_sv_flow sl_sv_flow;

/* The hash of the first bytes of an upload. */
typedef struct sl_sv_digest {
    sl_sv_id id;
    int64_t at;
    sl_sha256 *hash; /* NULL: a free place */
} sl_sv_digest;

/* What is known of a user in a space. */
typedef struct sl_sv_known {
    uint64_t age;
    sl_sv_id user;
    sl_sv_space space;
    unsigned role;   /* 0: not known */
    bool met_coach;  /* it is known whether a coach is in it */
    bool with_coach; /* and so it is */
    bool unblocked;  /* nobody in the thread has blocked the user */
} sl_sv_known;

/* How much of something may come: thousandths, filled up to a time. */
typedef struct sl_sv_pace {
    int64_t at_ms;
    int64_t milli;
} sl_sv_pace;

struct sl_sv_conn {
    sl_id id;
    sl_wire wire;
    bool ready; /* `connect` was accepted; what follows is set */
    int64_t opened_ms;
    int64_t exp_s;
    int64_t floor;
    int64_t top; /* no operation with a number above it has a receipt; -1: not known */
    sl_sv_id user;
    sl_sv_id device;
    sl_sv_id session;
    sl_sv_rank rank;
    sl_sv_sub **subs; /* in order of space */
    size_t sub_count;
    size_t sub_cap;
    sl_sv_sub *queue;               /* that catch up, the next first */
    size_t flight;                  /* bytes of pages on the way */
    struct sl_sv_conn *next_device; /* of the same hash, once it is ready */
    struct sl_sv_conn *next_user;   /* likewise */
    sl_sv_pace words;               /* of what passes by (signal.c) */
    sl_sv_pace strokes;
};

/* A key that signed until a while ago. */
typedef struct sl_sv_old_key {
    sl_key *key;
    int64_t retired_ms;
} sl_sv_old_key;

typedef struct sl_sv_buckets sl_sv_buckets;
typedef struct sl_sv_oidc sl_sv_oidc;

enum {
    SL_SV_CLASSES = 6, /* of statuses: 1xx to 5xx by their first digit */
    SL_SV_TIMES = 9    /* buckets of the histogram, the last without end */
};

/* Counted since the start. */
typedef struct sl_sv_counts {
    uint64_t requests[SL_ROUTES + 1][SL_SV_CLASSES]; /* the last: no such address */
    uint64_t times[SL_SV_TIMES];
    uint64_t time_ms; /* all requests together */
    uint64_t limited;
    uint64_t ops;
    uint64_t rejected;
    uint64_t audited;
} sl_sv_counts;

struct sl_service {
    sl_service_ports ports;
    sl_mutex *lock;
    char *dir;
    int64_t upload_max;
    int32_t trial_days;
    int32_t user_conns; /* of one user at a time; 0: any number */
    bool media;
    bool require_factor;
    bool key_given;    /* by the configuration: not ours to rotate */
    bool migrated;     /* its tables have changed at this start */
    bool retain_more;  /* there was more of what was deleted long ago */
    bool batching;     /* transactions are parts of one */
    bool batch_begun;  /* which has begun: what is to be sent is held */
    bool batch_broken; /* and cannot be committed */
    sl_key *key;
    sl_sv_old_key *old_keys;
    size_t old_key_count;
    struct sl_sv_seen *seen; /* tokens that were verified, made by the first */
    sl_sv_buckets *buckets;  /* NULL: nothing is limited */
    sl_sv_counts counts;
    int64_t audit_n; /* the last line that was written */
    char audit_hash[SL_SHA256_HEX_LEN + 1];
    char *public_url; /* NULL: mails say the token alone */
    char *oidc_issuer;
    char *oidc_client;
    char *pay_secret;
    int64_t pay_fee;  /* hundredths of a percent */
    int32_t paying;   /* requests that wait for the provider of payments */
    sl_sv_oidc *oidc; /* what is known of the other provider */
    uint8_t pepper[32];
    char *no_hash; /* checked when there is no account, for equal time */
    sl_sv_sql *sql;
    sl_buf clocks;      /* of the record being saved */
    sl_sv_conn **conns; /* in order of id */
    int64_t keep_deleted_ms;
    int64_t retained_ms; /* when what was deleted long ago was looked for last */
    int64_t swept_ms;    /* when those were looked for that never said who they are */
    sl_sv_conn *by_device[SL_SV_DEVICES]; /* those that are ready, by hash of the device */
    sl_sv_conn *by_user[SL_SV_DEVICES];   /* and of the user */
    size_t conn_count;
    size_t conn_cap;
    sl_sv_topic **topics; /* by hash */
    size_t topic_count;
    size_t topic_cap;
    sl_frame_in *in;    /* the frame being worked on */
    sl_items *items;    /* of a page or change going out */
    sl_items *receipts; /* of a push */
    sl_buf out;
    int64_t page_records;   /* of a page, */
    int64_t change_records; /* of a change, */
    int64_t page_flight;    /* and bytes of pages on the way, at most */
    sl_buf held;
    sl_sv_head *heads; /* by hash */
    size_t head_count;
    size_t head_cap;
    sl_sv_known *known;     /* by hash, SL_SV_KNOWN of them, made by the first */
    uint64_t known_age;     /* what is of another is known no more */
    sl_record rec;          /* of a page being read */
    size_t logged;          /* about so many receipts are in the log */
    struct sl_sv_job *jobs; /* of a push, with their memory: SL_SV_PUSH_MAX, made by the first */
    sl_sv_flow *flows;      /* those that have uploads */
    sl_sv_digest digests[SL_SV_DIGESTS];
    size_t digest_next;
};

/* ---- table.c: the database's tables ---- */

sl_status sl_sv_migrate(sl_service *s, sl_error **err);
sl_status sl_sv_meta_get(sl_service *s, const char *name, char **value, sl_error **err);
sl_status sl_sv_meta_set(sl_service *s, const char *name, const char *value, sl_error **err);
sl_status sl_sv_sql_make(sl_service *s, sl_error **err);
void sl_sv_sql_free(sl_service *s);

/* ---- rows.c: statements and their rows ---- */

#define SL_SV_ARGS(...) \
    (const sl_cell[]){__VA_ARGS__}, (sizeof((const sl_cell[]){__VA_ARGS__}) / sizeof(sl_cell))

typedef struct sl_sv_row {
    sl_cell cells[SL_SV_CELLS];
} sl_sv_row;
typedef struct sl_sv_rows {
    sl_sv_row *rows;
    size_t count;
    size_t cap;
    bool failed;
    sl_arena mem; /* of the cells */
} sl_sv_rows;

sl_status sl_sv_run(sl_service *s, const char *sql, const sl_cell *args, size_t n, sl_error **err);
/* All rows; freed with sl_sv_rows_free, also after a failure. */
sl_status sl_sv_all(sl_service *s, const char *sql, const sl_cell *args, size_t n, sl_sv_rows *out,
                    sl_error **err);
void sl_sv_rows_free(sl_sv_rows *rows);
/* "" for null. */
const char *sl_sv_text(const sl_sv_rows *rows, size_t row, size_t cell);
int64_t sl_sv_int(const sl_sv_rows *rows, size_t row, size_t cell);
/* Copies text, cut off where it does not fit. */
void sl_sv_copy(char *to, size_t room, const char *from);
/* Into a zeroed record or in the place of another; out->entity is NULL when there is no such row. */
sl_status sl_sv_load(sl_service *s, const sl_entity *e, const char *space, const char *id,
                     sl_record *out, sl_error **err);
/* `had`: the number that it has in the feed, 0: it is not there yet. */
sl_status sl_sv_save(sl_service *s, const sl_record *rec, int64_t had, sl_error **err);

/* ---- tx.c: transactions ---- */

typedef struct sl_sv_tx sl_sv_tx;

typedef struct sl_sv_item {
    sl_sv_tx *tx;
    const sl_entity *entity;
    sl_sv_space space;
    sl_sv_id id;
    sl_record rec; /* entity NULL: there is none */
    int64_t had;   /* seq before this transaction, 0: none */
    bool summed;   /* under that it is in the sum of its space: it was not deleted */
    bool dirty;
    bool saved;
    bool fresh;    /* saved, and was not there before */
    unsigned mark; /* of the part that it was noted in */
} sl_sv_item;

/* An item as it was before a part changed it. */
typedef struct sl_sv_before_part {
    sl_sv_item *item;
    sl_record rec;
    bool dirty;
} sl_sv_before_part;

typedef struct sl_sv_loss {
    sl_sv_id user;
    sl_sv_space space;
} sl_sv_loss;

struct sl_sv_tx {
    sl_service *s;
    int64_t now_ms;
    sl_sv_item **items; /* once saved: in order of space and seq */
    size_t item_count;
    size_t item_cap;
    uint32_t *places; /* by hash of id: item + 1, 0 for none */
    size_t place_count;
    sl_sv_loss *losses; /* who may no longer hold what */
    size_t loss_count;
    /* The part under way, 0: none. */
    unsigned mark;
    bool part_saved; /* the database has a savepoint for it */
    size_t part_items;
    size_t part_losses;
    sl_sv_before_part *before;
    size_t before_count;
    size_t before_cap;
};

typedef sl_status (*sl_sv_fn)(sl_sv_tx *tx, void *ctx, sl_error **err);

/* Runs fn in a transaction, again when the database says busy, and commits. After SL_OK the
 * caller publishes; in any case it clears. */
sl_status sl_sv_transact(sl_service *s, sl_sv_tx *tx, sl_sv_fn fn, void *ctx, sl_error **err);
/* The same, and tells what changed to those who listen. */
sl_status sl_sv_change(sl_service *s, sl_sv_fn fn, void *ctx, sl_error **err);
void sl_sv_tx_clear(sl_sv_tx *tx);

/* A part of a transaction that can be undone by itself, as an operation of many. */
void sl_sv_part_begin(sl_sv_tx *tx);
sl_status sl_sv_part_keep(sl_sv_tx *tx, sl_error **err);
sl_status sl_sv_part_undo(sl_sv_tx *tx, sl_error **err);
/* Writes to the database beside the items. */
sl_status sl_sv_write(sl_sv_tx *tx, const char *sql, const sl_cell *args, size_t n, sl_error **err);
/* Before a change of the item's record. */
sl_status sl_sv_touch(sl_sv_item *item, sl_error **err);

/* The record as this transaction has it; the item lives as long as the transaction, or as the part
 * that it was first asked for in. */
sl_status sl_sv_get(sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id,
                    sl_sv_item **out, sl_error **err);
/* A record that is in no space: the item is as sl_sv_get would make it. */
sl_status sl_sv_get_none(sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id,
                         sl_sv_item **out, sl_error **err);
/* True when this transaction has asked for the record; when it has one of the id in another space. */
bool sl_sv_has(const sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id);
bool sl_sv_has_elsewhere(const sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id);
/* A new record made by the server, under an id of its own when id is NULL. */
sl_status sl_sv_new(sl_sv_tx *tx, const char *entity, const char *space, const char *id,
                    sl_sv_item **out, sl_error **err);
sl_status sl_sv_set(sl_sv_item *item, const char *field, const char *value, sl_error **err);
sl_status sl_sv_set_int(sl_sv_item *item, const char *field, int64_t value, sl_error **err);
/* Makes it a tombstone. */
sl_status sl_sv_bury(sl_sv_item *item, sl_error **err);
/* Gives the changed records their numbers and writes them: the last step of a transaction. */
sl_status sl_sv_flush(sl_sv_tx *tx, sl_error **err);

/* ---- head.c: the numbers of spaces ---- */

/* [HEAD-1] a space's row is locked by the first number that is taken, and written when the transaction is
 * committed: until then the newest number is here. */

/* Takes the next n numbers. *seq: the one before the first. *out, until the next call: where their sum is
 * to be added. */
sl_status sl_sv_head_take(sl_service *s, const char *space, int64_t n, int64_t *seq,
                          sl_sv_head **out, sl_error **err);
/* NULL: the space's row says it. */
const sl_sv_head *sl_sv_head_find(const sl_service *s, const char *space);
/* Before the commit. */
sl_status sl_sv_heads_write(sl_service *s, sl_error **err);
/* After the commit, or when there is none. */
void sl_sv_heads_forget(sl_service *s);

/* ---- retain.c: what was deleted long ago ---- */

/* Under what time a record deleted now stands in the feed. */
int64_t sl_sv_gone_ms(const sl_entity *e, int64_t now_ms);
/* Now and then; outside transactions. */
void sl_sv_retain(sl_service *s);

/* ---- known.c: what was asked of the database before ---- */

/* [KNOWN-1] nothing that was read within a transaction is known after that was undone, nor anything that
 * a change of access, accounts, sessions, participants or blocks may have made wrong. */

/* Where it is noted, until the next call; NULL: out of memory. */
sl_sv_known *sl_sv_known_of(sl_service *s, const char *user, const char *space);
void sl_sv_known_forget(sl_service *s);

/* ---- access.c: spaces and who may hold them ---- */

sl_status sl_sv_space_make(sl_sv_tx *tx, const char *space, sl_error **err);
sl_status sl_sv_space_exists(sl_service *s, const char *space, bool *yes, sl_error **err);
/* The user's role as a bit, 0 for none. */
sl_status sl_sv_role(sl_service *s, const char *user, const char *space, unsigned *role,
                     sl_error **err);
const char *sl_sv_role_name(unsigned role);
sl_status sl_sv_grant(sl_sv_tx *tx, const char *user, const char *space, const char *role,
                      sl_error **err);
/* Another role for who holds it. */
sl_status sl_sv_regrant(sl_sv_tx *tx, const char *user, const char *space, const char *role,
                        sl_error **err);
sl_status sl_sv_revoke(sl_sv_tx *tx, const char *user, const char *space, sl_error **err);
/* Of each row of the question: a user and a space. */
sl_status sl_sv_revoke_all(sl_sv_tx *tx, const char *sql, const sl_cell *args, size_t n,
                           sl_error **err);

int64_t sl_sv_now(const sl_service *s);
sl_status sl_sv_random(const sl_service *s, void *dst, size_t n, sl_error **err);
sl_status sl_sv_uuid(const sl_service *s, sl_sv_id out, sl_error **err);

/* ---- push.c, op.c, effect.c: operations ---- */

typedef struct sl_sv_op {
    sl_op *op;
    const char *user;
    sl_standing standing;
    sl_relation relation;
    unsigned role;
    sl_merged merged;
    bool done; /* the entity's own rule took the place of the merge */
} sl_sv_op;

/* Before receipts are read, or given up by their numbers. Within a transaction. */
sl_status sl_sv_receipts_sort(sl_service *s, sl_error **err);

/* Whose operations they are. Receipts below the floor are forgotten. */
typedef struct sl_sv_from {
    sl_sv_id user;
    sl_sv_id device;
    sl_sv_rank rank;
    int64_t floor;
    int64_t top; /* as of a connection */
} sl_sv_from;
#define SL_SV_PUSH_BROKEN "operations have numbers that rise, at most 1024"
/* Applies the operations of the frame in s->in. After each transaction that was committed fn finds its
 * receipts in s->receipts, and clears them or leaves them to the next; false ends the push.
 * SL_E_INVALID: they are no push, and nothing was done. */
typedef bool (*sl_sv_receipts_fn)(void *ctx);
sl_status sl_sv_push(sl_service *s, sl_sv_from *from, sl_sv_receipts_fn fn, void *ctx);
void sl_sv_on_push(sl_service *s, sl_sv_conn *c);
void sl_sv_jobs_free(sl_service *s);
/* Known already or not, allowed, valid: merges and has its effects. *item: the record. */
sl_status sl_sv_apply(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item **item, sl_error **err);
/* Before the merge: what the roles do not say. After it: what the operation causes. */
sl_status sl_sv_before(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err);
sl_status sl_sv_after(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err);
/* True when its rules ask the database for records that operations before it may have changed. */
bool sl_sv_stands_alone(const sl_op *op);
/* The fields with `to` that the operation writes: each names a record of the space that is there and
 * not deleted, or what the record named before. SL_E_NOT_FOUND names the field. (refs.c) */
sl_status sl_sv_check_refs(sl_sv_tx *tx, const sl_op *op, const sl_record *old, sl_error **err);

/* ---- organisation.c ---- */

/* The account ends, or is a coach no more: it is in none, nor asked to be. */
sl_status sl_sv_organisations_leave(sl_sv_tx *tx, const char *user, sl_error **err);

/* ---- policy.c: who may do what ---- */

/* From cells role, plan, plan_until_ms of account. */
void sl_sv_rank_read(sl_sv_rank *rank, const sl_sv_rows *rows, size_t row, size_t cell);
/* All zero, a guest, when there is no such account. */
sl_status sl_sv_rank_of(sl_service *s, const char *user, sl_sv_rank *rank, sl_error **err);
sl_standing sl_sv_standing(const sl_sv_rank *rank, int64_t now_ms);
/* When the standing changes by itself; INT64_MAX: never. */
int64_t sl_sv_rank_until(const sl_sv_rank *rank, int64_t now_ms);
sl_status sl_sv_relation(sl_service *s, const char *user, sl_standing standing, const char *space,
                         unsigned role, sl_relation *relation, sl_error **err);
/* *role: 0 when the user may not read the space. The space may not be there. */
sl_status sl_sv_may_read(sl_service *s, const char *user, sl_standing standing, const char *space,
                         unsigned *role, sl_error **err);
/* *may: the user may write something in the space that names bytes. */
sl_status sl_sv_may_bring(sl_service *s, const char *user, sl_standing standing, const char *space,
                          bool *may, sl_error **err);
/* Whether this space, which is not there yet, may be made by creating its root. */
bool sl_sv_may_make(sl_standing standing, const char *user, const char *space);
/* Counts one use of what has a limit a day; SL_E_LIMIT. */
sl_status sl_sv_use(sl_sv_tx *tx, const char *user, sl_limit limit, sl_standing standing,
                    sl_error **err);
sl_status sl_sv_room_for_student(sl_service *s, const char *coach, sl_standing standing,
                                 sl_error **err);

/* ---- batch.c: many messages as one transaction ---- */

/* Sends or closes, after the commit when one is due. */
void sl_sv_tell(sl_service *s, sl_id conn, const void *p, size_t n);
void sl_sv_end(sl_service *s, sl_id conn, int32_t code, const char *reason);
/* A push notification, after the commit too. */
void sl_sv_tell_push(sl_service *s, const char *body);
/* Begins, commits and undoes one transaction, which may be a part of the batch's. */
sl_status sl_sv_batch_enter(sl_service *s, sl_error **err);
sl_status sl_sv_batch_leave(sl_service *s, sl_error **err);
void sl_sv_batch_undo(sl_service *s);

/* ---- conn.c: connections ---- */

void sl_sv_ws_event(sl_service *s, const sl_ws_event *e); /* locked */

/* Sends an error frame, closes and forgets the connection. */
void sl_sv_drop(sl_service *s, sl_sv_conn *c, int32_t code, sl_status status, const char *message);
/* The device has sent operations by another way. */
void sl_sv_top_unknown(sl_service *s, const char *user, const char *device);
/* The same: what came is too much, and may come again after so many seconds. */
void sl_sv_drop_limited(sl_service *s, sl_sv_conn *c, int64_t wait_s, const char *message);
/* Drops the connections of one device; except may be NULL. */
void sl_sv_drop_device(sl_service *s, const char *user, const char *device,
                       const sl_sv_conn *except, int32_t code);
/* All of one user: what the account may do has changed, or it is signed out everywhere. */
void sl_sv_drop_user(sl_service *s, const char *user);
/* Receipts below from->floor are forgotten; from->floor is then that of the device: it never goes back. */
sl_status sl_sv_keep_floor(sl_service *s, sl_sv_from *from);
void sl_sv_conns_free(sl_service *s);
sl_sv_conn *sl_sv_conn_find(const sl_service *s, sl_id id); /* NULL when it has ended */

/* ---- topic.c: who listens to what ---- */

sl_sv_topic *sl_sv_topic_find(const sl_service *s, const char *space); /* NULL: nobody */
void sl_sv_topics_free(sl_service *s);
sl_sv_sub *sl_sv_sub_find(const sl_sv_conn *c, const char *space);
/* SL_E_LIMIT, SL_E_NOMEM. */
sl_status sl_sv_sub_add(sl_service *s, sl_sv_conn *c, const char *space, sl_sv_sub **out);
/* To the end of the queue of those that catch up, or to its front. */
void sl_sv_sub_queue(sl_sv_sub *sub, bool first);
void sl_sv_sub_live(sl_sv_sub *sub);
void sl_sv_sub_remove(sl_sv_sub *sub);

/* ---- feed.c: pages and changes ---- */

/* Returns the frame's size; 0: out of memory, nothing was sent. */
size_t sl_sv_send(sl_service *s, sl_sv_conn *c, const sl_frame *f, sl_items *items);
void sl_sv_on_subscribe(sl_service *s, sl_sv_conn *c, const sl_frame *frame);
void sl_sv_on_more(sl_service *s, sl_sv_conn *c, const sl_frame *frame);
/* Drops a connection that could not be served. */
void sl_sv_drop_failed(sl_service *s, sl_sv_conn *c, sl_status status);
void sl_sv_on_prefer(const sl_sv_conn *c, const sl_frame *frame);
/* What passes by: typing, signal. (signal.c) */
void sl_sv_on_signal(sl_service *s, sl_sv_conn *c, const sl_frame *frame);
void sl_sv_unsubscribe(sl_sv_conn *c, const char *space);
/* Tells connections what a committed transaction changed. */
void sl_sv_publish(sl_service *s, const sl_sv_tx *tx);

typedef struct sl_sv_state {
    const char *name;
    char epoch[64]; /* as this device is told it, after sl_sv_cursor_ok */
    int64_t seq;
    int64_t min_seq; /* what was deleted up to it may have been taken away (retain.c) */
    int64_t base;    /* of this device: the number at which it began to read; what is deleted up to
                      * that it never saw */
    bool summed;
    uint64_t sum;
} sl_sv_state;
sl_status sl_sv_state_read(sl_service *s, sl_sv_state *space, bool *found, sl_error **err);
/* True when a device with this cursor can go on; its base is in space->base then. epoch NULL: none. */
bool sl_sv_cursor_ok(sl_sv_state *space, const char *epoch, int64_t from);
/* True when nothing that the device must hear of was taken away. */
bool sl_sv_hears_all(const sl_sv_state *space, int64_t at);
/* The epoch as a device of this base is told it, in place of the space's. */
void sl_sv_epoch_tell(sl_sv_state *space);
/* The records that follow `at`, but for those in the hole, into s->items; *to: the number they reach. */
sl_status sl_sv_page(sl_service *s, const sl_sv_state *space, int64_t at, const sl_hole *hole,
                     int64_t *to);
/* A record's newest state to s->items. */
sl_status sl_sv_item_add(sl_service *s, const char *space, const char *entity, const char *id);

/* ---- notify.c: push notifications ---- */

/* Tells devices of a record that a transaction has saved. */
void sl_sv_notify(sl_service *s, const sl_sv_item *item, int64_t now_ms);

/* ---- places.c: spaces of which not all is held ---- */

/* What is left out when from this cursor on `last` places will do. */
sl_status sl_sv_hole(sl_service *s, const char *space, int64_t from, int64_t last, sl_hole *out);
/* What comes after `at` but for what is in the hole: seq, entity, id, a page's worth. */
sl_status sl_sv_rows_beside(sl_service *s, const char *space, int64_t at, const sl_hole *hole,
                            sl_sv_rows *rows);
/* What a `load` asks for into s->items, and the range that it covers. */
sl_status sl_sv_load_places(sl_service *s, const sl_sv_state *space, const sl_frame *frame,
                            sl_hole *out);
void sl_sv_on_load(sl_service *s, sl_sv_conn *c, const sl_frame *frame);
void sl_sv_on_check(sl_service *s, sl_sv_conn *c, const sl_frame *frame);

/* ---- account.c, token.c: who ---- */

typedef struct sl_sv_who {
    sl_sv_id user;
    sl_sv_id device;
    sl_sv_id session;
    sl_sv_rank rank;
    bool factor_due; /* the second factor is asked of the account and the session lacks it */
    int64_t exp_s;
} sl_sv_who;

/* One request, its way found. */
typedef struct sl_sv_request {
    sl_service *s;
    const sl_http_in *in;
    const sl_route *route; /* NULL: none */
    const char *rest;      /* the id in the path, "" when there is none */
    char word[SL_SV_SHA_LEN + 2];
    sl_sv_who who;    /* set when the route needs it; "" is a guest */
    char service[64]; /* the name of a service, "" for a user */
    sl_json *body;
    bool held;                /* the lock is, all the way: sl_sv_hold does nothing */
    bool later;               /* and this is not answered so */
    char about[48];           /* the account, for the audit log; "": none but the user's own */
    sl_sv_space hidden;       /* a space that was asked for and not shown */
    char *rate_headers;       /* lines for the answer, or NULL */
    char id[SL_UUID_LEN + 1]; /* of the request */
} sl_sv_request;

/* The JSON body into r->body, when the route has not had it read. False: the answer is made. */
bool sl_sv_read_body(sl_sv_request *r, sl_http_out *out);
/* For a route that anybody may ask, and that tells users by itself: r->who; false: the answer is made. */
bool sl_sv_signed_in(sl_sv_request *r, sl_http_out *out);

/* The service's lock, for handlers that may run with it held. */
void sl_sv_hold(const sl_sv_request *r);
void sl_sv_let_go(const sl_sv_request *r);

typedef void (*sl_sv_handler)(sl_sv_request *r, sl_http_out *out);
sl_sv_handler sl_sv_handler_of(sl_route_id id);

/* Those that were verified are verified anew: the keys have changed. */
void sl_sv_tokens_forget(sl_service *s);
/* SL_E_AUTH for a token that is wrong, expired or of a session that has ended. */
sl_status sl_sv_token_check(sl_service *s, const char *token, sl_sv_who *who, sl_error **err);
sl_status sl_sv_account_start(sl_service *s, const char *key_pem, sl_error **err);
void sl_sv_signup(sl_sv_request *r, sl_http_out *out);
void sl_sv_login(sl_sv_request *r, sl_http_out *out);
void sl_sv_refresh(sl_sv_request *r, sl_http_out *out);
void sl_sv_jwks(sl_sv_request *r, sl_http_out *out);
void sl_sv_keys_rotate(sl_sv_request *r, sl_http_out *out);
void sl_sv_oidc_about(sl_sv_request *r, sl_http_out *out);
void sl_sv_oidc_login(sl_sv_request *r, sl_http_out *out);
void sl_sv_oidc_step(sl_sv_request *r, sl_http_out *out); /* arrive.c */
void sl_sv_oidc_free(sl_service *s);
void sl_sv_verify(sl_sv_request *r, sl_http_out *out);
void sl_sv_verify_send(sl_sv_request *r, sl_http_out *out);
void sl_sv_reset(sl_sv_request *r, sl_http_out *out);
void sl_sv_reset_send(sl_sv_request *r, sl_http_out *out);
void sl_sv_totp(sl_sv_request *r, sl_http_out *out);
void sl_sv_totp_confirm(sl_sv_request *r, sl_http_out *out);
void sl_sv_recovery(sl_sv_request *r, sl_http_out *out);
void sl_sv_devices(sl_sv_request *r, sl_http_out *out);
void sl_sv_device_end(sl_sv_request *r, sl_http_out *out);
void sl_sv_logout(sl_sv_request *r, sl_http_out *out);
void sl_sv_logout_all(sl_sv_request *r, sl_http_out *out);
void sl_sv_export(sl_sv_request *r, sl_http_out *out);
void sl_sv_erase(sl_sv_request *r, sl_http_out *out);
void sl_sv_organisation(sl_sv_request *r, sl_http_out *out); /* numbers.c */
void sl_sv_accounts(sl_sv_request *r, sl_http_out *out);
void sl_sv_account_set(sl_sv_request *r, sl_http_out *out);
void sl_sv_service_key_add(sl_sv_request *r, sl_http_out *out);
void sl_sv_service_key_end(sl_sv_request *r, sl_http_out *out);
/* The service whose token this is and that has the scope: its name. SL_E_AUTH, SL_E_DENIED. */
sl_status sl_sv_service_check(sl_service *s, const char *token, const char *scope, char name[64],
                              sl_error **err);

/* ---- limit.c: so much in so long ---- */

sl_sv_buckets *sl_sv_buckets_new(void); /* NULL: out of memory */
void sl_sv_buckets_free(sl_sv_buckets *b);
typedef struct sl_sv_allowance {
    bool ok;
    int64_t left;    /* more that may come at once */
    int64_t reset_s; /* until it is full again */
    int64_t wait_s;  /* when not ok: until the next may come */
} sl_sv_allowance;
/* What an address counts as: an IPv6 network of 64 bits is one, however it is written. */
void sl_sv_peer_key(const char *peer, char *out, size_t n);
/* n of this category by this key, at this time: all or none. n: no more than a full bucket has. */
sl_sv_allowance sl_sv_bucket_take(sl_sv_buckets *b, sl_rate rate, const char *key, int64_t n,
                                  int64_t now_ms);
/* The user pushes so many operations. False: so many seconds too early. */
bool sl_sv_may_push(sl_service *s, const char *user, size_t count, int64_t *wait_s);
const char *sl_sv_rate_name(sl_rate rate);
int64_t sl_sv_rate_limit(sl_rate rate);
int64_t sl_sv_rate_window_s(sl_rate rate);

/* ---- audit.c ---- */

/* [AUD-1] lines are only ever added, and each carries the hash of the one before under the server's
 * secret. In the transaction that is under way. No part of what a user wrote is noted. */
sl_status sl_sv_audit_add(sl_service *s, int64_t now_ms, const char *actor, const char *action,
                          const char *object, const char *outcome, sl_error **err);
/* The same in a transaction of its own. Locked. */
void sl_sv_audit_note(sl_service *s, const char *actor, const char *action, const char *object,
                      const char *outcome);
/* Whom a request is about that nobody has signed: an account, or by a keyed hash who has that address. */
void sl_sv_about(sl_sv_request *r, const char *user, const char *email);
/* One line for what was refused, be it answered as if it were not there, and for all of the routes that ask
 * for it. Locked. */
void sl_sv_audit_request(sl_sv_request *r, int32_t status);
sl_status sl_sv_audit_start(sl_service *s, sl_error **err);
void sl_sv_audit_read(sl_sv_request *r, sl_http_out *out);

/* ---- metric.c ---- */

void sl_sv_metrics(sl_sv_request *r, sl_http_out *out);
void sl_sv_count_request(sl_service *s, const sl_route *route, int32_t status, int64_t took_ms);

/* ---- http.c: answers ---- */

void sl_sv_answer(sl_http_out *out, int32_t status, sl_json *body); /* body is taken */
void sl_sv_refuse(sl_http_out *out, int32_t status, const char *name, const char *message);
/* 500 or 503, with nothing about the inside. */
void sl_sv_broken(sl_http_out *out, sl_status status);
/* 422 naming one field. */
void sl_sv_invalid(sl_http_out *out, const char *field, const char *message);
/* 429, and when to come again. */
void sl_sv_too_many(sl_http_out *out, int64_t wait_s);
void sl_sv_header(sl_http_out *out, const char *name, const char *value);
void sl_sv_header_int(sl_http_out *out, const char *name, int64_t value);

/* JSON, or another text, as it is; the buffer is freed. */
void sl_sv_answer_text(sl_http_out *out, sl_buf *text, const char *type);

/* ---- about.c ---- */

void sl_sv_health(sl_sv_request *r, sl_http_out *out);
void sl_sv_livez(sl_sv_request *r, sl_http_out *out);
void sl_sv_readyz(sl_sv_request *r, sl_http_out *out);
void sl_sv_openapi(sl_sv_request *r, sl_http_out *out);
void sl_sv_docs(sl_sv_request *r, sl_http_out *out);

/* ---- rest.c: the feed and pushes as requests ---- */

void sl_sv_rest_push(sl_sv_request *r, sl_http_out *out);
void sl_sv_rest_pull(sl_sv_request *r, sl_http_out *out);
void sl_sv_rest_load(sl_sv_request *r, sl_http_out *out);

/* ---- upload.c, blob.c: bytes ---- */

void sl_sv_uploads(sl_sv_request *r, sl_http_out *out);
void sl_sv_upload_form(sl_sv_request *r, sl_http_out *out);
void sl_sv_blob(sl_sv_request *r, sl_http_out *out);
void sl_sv_blob_url(sl_sv_request *r, sl_http_out *out);
void sl_sv_file(sl_sv_request *r, sl_http_out *out);
bool sl_sv_sha_ok(const char *sha256);
/* The hash of the first `at` bytes of the upload, given; NULL: not known. (digest.c) */
sl_sha256 *sl_sv_digest_take(sl_service *s, const char *id, int64_t at);
/* Takes the hash; the oldest one is given up for it. */
void sl_sv_digest_keep(sl_service *s, const char *id, int64_t at, sl_sha256 *hash);
void sl_sv_digests_free(sl_service *s);
/* The file of a blob; NULL: out of memory. Freed with sl_mem_free. */
char *sl_sv_blob_path(const sl_service *s, const char *sha256);
/* The user speaks of a blob in a space. *here: its bytes are here and the user may read them. */
sl_status sl_sv_blob_refer(sl_sv_tx *tx, const char *sha256, const char *space, const char *user,
                           sl_standing standing, bool *here, sl_error **err);
/* *size is -1 when there is no such blob or the user may not read it. type may be NULL. */
sl_status sl_sv_blob_find(sl_service *s, const char *sha256, const char *user, sl_standing standing,
                          int64_t *size, char **type, sl_error **err);
/* The user has shown to hold the bytes: videos that wait for them become ready. */
sl_status sl_sv_blob_done(sl_sv_tx *tx, const char *sha256, const char *user, sl_error **err);

/* The file, or the part of it that the request wants, under the blob's hash as its ETag. */
void sl_sv_send_blob(sl_service *s, const sl_http_in *in, const char *sha256, int64_t size,
                     const char *type, sl_http_out *out);

/* ---- media.c, hls.c: videos ---- */

/* The bytes of the video are here. */
sl_status sl_sv_media_begin(sl_sv_tx *tx, sl_sv_item *video, sl_error **err);
/* What lies below /api/v1/videos/. */
void sl_sv_videos(sl_sv_request *r, sl_http_out *out);

#endif
