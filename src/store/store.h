/*
 * store/store.h - what a device holds: records, the outbox, spaces, blobs, the session.
 *
 * The folder: sideline.db (SQLite, WAL), lock, blobs/<2 hex>/<62 hex>, tmp/, and key when sealed.
 *
 * A record's visible state is the confirmed state with the pending operations replayed
 * on it. The entity's table holds the visible state; `shadow` holds the confirmed one
 * of the records that have pending operations and one, and of no others.
 *
 *   [STORE-1] what a committed transaction wrote survives a crash at any later moment; that of a soft one
 *             from the next that is not soft on, or from sl_store_harden or sl_store_rest on, and before
 *             that it survives with all that came before it or not at all;
 *   [STORE-2] confirmed records and the cursor that covers them change in one transaction;
 *   [STORE-3] visible = confirmed + pending operations in order of n, at every commit;
 *   [STORE-4] the sum of a space is that of its confirmed records, at every commit;
 *   [STORE-5] of the records that the server has up to the cursor all are here, in the state that they
 *             had then or a newer one, but for those with a place in one of the space's holes.
 *
 * One thread at a time, but for sl_store_query, which any thread may call at any time: it sees what
 * was committed. Writers run inside sl_store_begin .. sl_store_commit.
 */
#ifndef SL_STORE_STORE_H
#define SL_STORE_STORE_H

#include "sideline/platform.h"
#include "store/blob_file.h"
#include "store/keyfile.h"
#include "store/sql.h"
#include "sync/holes.h"
#include "sync/op.h"

typedef struct sl_store sl_store;

/* platform is borrowed until close. SL_E_BUSY: the folder is in use. SL_E_TOO_NEW, SL_E_CORRUPT. */
sl_status sl_store_open(const sl_platform *platform, const char *dir, sl_store **out,
                        sl_error **err);
/* The same for a folder that is to be sealed (store/folder.h), keys borrowed for the call, NULL for
 * none. SL_E_DENIED: it is sealed, and this is not its key. */
sl_status sl_store_open_sealed(const sl_platform *platform, const char *dir, const sl_keys *keys,
                               sl_store **out, sl_error **err);
void sl_store_close(sl_store *s);
/* Wraps the folder's key anew. SL_E_MISUSE: it is not sealed. */
sl_status sl_store_rekey(sl_store *s, const sl_keys *keys, sl_error **err);
/* NULL: in the clear. Borrowed until the store is closed; for any thread. */
const sl_seal *sl_store_seal(const sl_store *s);
/* Destroys the key of a closed folder, then its files. SL_E_BUSY: it is open. */
sl_status sl_store_wipe(const sl_platform *platform, const char *dir, sl_error **err);
const char *sl_store_dir(const sl_store *s);

sl_status sl_store_begin(sl_store *s, sl_error **err);
/* A transaction of what the server has and gives again, or of what is made again then and was sent to
 * nobody: its commit waits for no disk. */
sl_status sl_store_begin_soft(sl_store *s, sl_error **err);
sl_status sl_store_commit(sl_store *s, sl_error **err); /* rolled back when it fails */
void sl_store_rollback(sl_store *s);                    /* nothing when there is no transaction */
/* Makes what soft transactions wrote durable, when something of it is not. */
sl_status sl_store_harden(sl_store *s, sl_error **err);

/* What waits for a disk and needs no writer to wait: asked for by whoever may write, done by the same thread
 * beside writers and readers. What fails is due again. */
typedef struct sl_rest {
    bool sync; /* soft transactions become durable */
    bool copy; /* the log is long: it is copied into the database */
} sl_rest;
/* sync: of soft transactions too, which may else wait for more of them to share it. */
sl_rest sl_store_rest_due(sl_store *s, bool sync);
/* True when something that was committed is not durable yet. */
bool sl_store_is_soft(const sl_store *s);
/* True when copying is due. */
bool sl_store_log_long(const sl_store *s);
void sl_store_rest(sl_store *s, sl_rest due);

/* Small facts by name. *out NULL when absent; sl_mem text. value NULL removes. */
sl_status sl_store_meta(sl_store *s, const char *key, char **out, sl_error **err);
sl_status sl_store_set_meta(sl_store *s, const char *key, const char *value, sl_error **err);

/* The fact that a record, field or value of a later version came: when this folder is opened by a
 * later schema, all cursors go to 0 and everything is read again. */
#define SL_STORE_LATER "later"

/* --- records ------------------------------------------------------------------------ */

/* The visible record, deleted ones too; out->entity is NULL when there is none. Here and below an
 * out-record or out-operation is zeroed or holds another, whose memory it uses. */
sl_status sl_store_record(sl_store *s, const sl_entity *e, const char *id, sl_record *out,
                          sl_error **err);
/* True while local operations on it wait. */
bool sl_store_pending(sl_store *s, const sl_entity *e, const char *id);

/* Merges a local operation into the visible record and queues it. op->n is set. SL_E_NOT_FOUND: no
 * such record, or a field with `to` names none. */
sl_status sl_store_apply_local(sl_store *s, sl_op *op, sl_error **err);
/* The server's state of a record: becomes the confirmed state, and ends the accepted operations
 * that it holds. Left out when another space holds the id. */
sl_status sl_store_apply_remote(sl_store *s, const sl_record *rec, sl_error **err);

/* --- outbox ------------------------------------------------------------------------- */

typedef struct sl_outbox_state {
    int64_t floor; /* lowest number without a receipt, last + 1 when none */
    int64_t keep;  /* lowest number that may be sent again: accepted ones wait for their echo */
    int64_t last;  /* highest number ever given */
    bool empty;    /* none waits, not even an accepted one for its echo */
} sl_outbox_state;

sl_status sl_store_outbox(sl_store *s, sl_outbox_state *out, sl_error **err);
sl_status sl_store_outbox_count(sl_store *s, int64_t *out, sl_error **err);
/* SL_E_NOT_FOUND when it is gone. */
sl_status sl_store_outbox_op(sl_store *s, int64_t n, sl_op *out, sl_error **err);
/* The numbers of the operations on a record that wait, oldest first; sl_mem. None: the record is as the
 * server has it, or is not there. */
sl_status sl_store_pending_of(sl_store *s, const sl_entity *e, const char *id, int64_t **numbers,
                              size_t *count, sl_error **err);
/* Whether the operation is in the outbox, and has a receipt. */
sl_status sl_store_outbox_state(sl_store *s, int64_t n, bool *waits, bool *accepted,
                                sl_error **err);
/* Accepted with its effect at `seq` of its space: kept until the space's cursor covers it. What it is about
 * goes to `out`, NULL when nobody asks; the entity is NULL when it is gone, or was accepted before. */
typedef struct sl_accepted {
    const sl_entity *entity;
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
} sl_accepted;
sl_status sl_store_outbox_accepted(sl_store *s, int64_t n, int64_t seq, sl_accepted *out,
                                   sl_error **err);
/* Refused: undone in the visible record, the operation moved to `rejected` with its fields. field: the
 * one at fault, "" none. */
sl_status sl_store_outbox_rejected(sl_store *s, int64_t n, const char *code, const char *message,
                                   const char *field, sl_error **err);
typedef bool (*sl_op_fn)(void *ctx, const sl_op *op); /* false: out of memory */
/* Drops the accepted operations that the cursor covers and shows the confirmed state; calls fn, NULL for
 * nothing, for each, without its values. Only at the space's head: before, a record's newest state may come
 * with a later page. */
sl_status sl_store_outbox_settle(sl_store *s, const char *space, sl_op_fn fn, void *ctx,
                                 sl_error **err);
/* Drops the accepted operations of spaces that are not held: their state will not come. Only when all that
 * are to be held are. */
sl_status sl_store_outbox_settle_unheld(sl_store *s, sl_error **err);
/* Calls fn for each operation in this space without a receipt, in order of n. */
sl_status sl_store_outbox_of(sl_store *s, const char *space, sl_op_fn fn, void *ctx,
                             sl_error **err);
#define SL_STORE_TAKEN_AWAY "the space was taken away before this was accepted"
sl_status sl_store_rejected_count(sl_store *s, int64_t *out, sl_error **err);
/* Calls fn for rejected operations with numbers above `after`, in order, at most `limit`; space NULL:
 * of all. */
typedef bool (*sl_rejected_fn)(void *ctx, const sl_op *op, const char *code, const char *message,
                               const char *field); /* false: out of memory */
sl_status sl_store_rejected(sl_store *s, const char *space, int64_t after, int64_t limit,
                            sl_rejected_fn fn, void *ctx, sl_error **err);
/* Takes one off the list. SL_E_NOT_FOUND. */
sl_status sl_store_rejected_take(sl_store *s, int64_t n, sl_op *out, char *code, size_t room,
                                 sl_error **err);

/* True when a field with `to` may name this record of the space. */
sl_status sl_store_refers(sl_store *s, const sl_field *f, const char *space, const char *id,
                          bool *yes, sl_error **err);

/* --- undo --------------------------------------------------------------------------- */

/* What the operations of a batch did, by space. Zero-initialise it; free it. */
typedef struct sl_undo_part {
    int64_t space;
    sl_buf entries;
} sl_undo_part;
typedef struct sl_undo_log {
    sl_undo_part *parts;
    size_t count;
    bool wide; /* too many spaces: nothing is noted */
} sl_undo_log;
void sl_undo_log_free(sl_undo_log *log);

typedef enum sl_undo_kind {
    SL_UNDO_BATCH, /* something new: what could be redone is forgotten */
    SL_UNDO_UNDID, /* the batch undid a step: it is to be redone */
    SL_UNDO_REDID
} sl_undo_kind;

/* Notes what sl_store_apply_local just did. */
sl_status sl_store_undo_note(sl_store *s, const sl_op *op, sl_undo_log *log, sl_error **err);
/* Keeps the log as a step of each of its spaces, or adds it to the newest one when that has the same
 * group, not "". At most 100 steps to be undone and 1 MB of a space: the oldest are forgotten. */
sl_status sl_store_undo_keep(sl_store *s, const sl_undo_log *log, sl_undo_kind kind,
                             const char *group, sl_error **err);

typedef struct sl_undo_entry {
    sl_op_kind kind; /* what was done */
    const sl_entity *entity;
    char id[SL_UUID_LEN + 1];
    uint64_t has;    /* bits of the fields in: */
    sl_cell *before; /* of a delete, what a client may write; of a patch */
    sl_cell *after;  /* of a patch; of a counter what was added, of a set {"add","remove"} */
} sl_undo_entry;
typedef struct sl_undo_step {
    sl_undo_entry *entries; /* in order */
    size_t count;
    sl_arena mem;
} sl_undo_step;
void sl_undo_step_free(sl_undo_step *step);

/* Takes the newest step off the space's list. SL_E_NOT_FOUND: there is none. */
sl_status sl_store_undo_take(sl_store *s, const char *space, bool redo, sl_undo_step *out,
                             sl_error **err);
/* A record came back under another id: all steps of the space speak of that from now on. */
sl_status sl_store_undo_rename(sl_store *s, const char *space, const char *from, const char *to,
                               sl_error **err);
sl_status sl_store_undo_count(sl_store *s, const char *space, int64_t *undo, int64_t *redo,
                              sl_error **err);
/* Calls fn for each space that has steps. */
sl_status sl_store_undo_spaces(sl_store *s,
                               void (*fn)(void *ctx, const char *space, int64_t undo, int64_t redo),
                               void *ctx, sl_error **err);

/* --- spaces ------------------------------------------------------------------------- */

typedef struct sl_space {
    char name[SL_SPACE_MAX];
    char epoch[SL_UUID_LEN + 1]; /* "" before the first page */
    int64_t cursor;
} sl_space;

/* Calls fn for each space held, in order of name; false stops. */
sl_status sl_store_spaces(sl_store *s, bool (*fn)(void *ctx, const sl_space *space), void *ctx,
                          sl_error **err);
sl_status sl_store_space(sl_store *s, const char *name, sl_space *out, sl_error **err);
/* True when the space is held or a waiting operation names it. */
bool sl_store_space_expected(sl_store *s, const char *name);
/* What is known of a space for those who watch sync. */
typedef struct sl_space_facts {
    char name[SL_SPACE_MAX];
    bool held; /* else it is being made */
    int64_t cursor;
    int64_t as_of_ms; /* wall clock, when it was last known to be at the head; 0: never */
    int64_t waiting;  /* operations without a receipt */
    int64_t rejected; /* drafts */
    int64_t uploads;
    int64_t upload_bytes;
} sl_space_facts;
/* Calls fn for each space that is held or made, in order of name; false: out of memory. Costs nothing
 * more when much waits. */
sl_status sl_store_space_facts(sl_store *s, bool (*fn)(void *ctx, const sl_space_facts *facts),
                               void *ctx, sl_error **err);
/* All operations without a receipt. */
sl_status sl_store_waiting(sl_store *s, int64_t *total, sl_error **err);
/* As of when a space is known; 0: never at the head, or not here. */
sl_status sl_store_space_as_of(sl_store *s, const char *name, int64_t *out, sl_error **err);
/* Whether any space was at the head before this time only. */
sl_status sl_store_space_older(sl_store *s, int64_t wall_ms, bool *yes, sl_error **err);
/* The space was at the head at this time of the wall clock. */
sl_status sl_store_space_seen(sl_store *s, const char *name, int64_t wall_ms, sl_error **err);
sl_status sl_store_set_space(sl_store *s, const sl_space *space, sl_error **err);
/* The accepted operations of this space, and of spaces not held, are to be sent again: the server
 * may not know them any more. */
sl_status sl_store_outbox_again(sl_store *s, const char *space, sl_error **err);
/* At the server's head: operations that were accepted beyond it are unknown to this server, which was
 * restored meanwhile, and are to be sent again. */
sl_status sl_store_outbox_unknown(sl_store *s, const char *space, sl_error **err);
/* Drops the space's confirmed records. keep_space: for a reset; pending operations stay, accepted
 * ones are to be sent again. Else
 * the space and its blobs' uploads go too, and its pending operations are kept as rejected. */
sl_status sl_store_drop_space(sl_store *s, const char *name, bool keep_space, sl_error **err);

/* --- sums of spaces ----------------------------------------------------------------- */

/* sync/sum.h, over the confirmed records: compared with the server's at the head.
 * Confirming a record moves it along; only sl_store_sum_count looks at the records that are there,
 * and sees what became of them since. */
typedef struct sl_space_sum {
    uint64_t sum;
    bool whole;         /* false: records were left out: the server's is another */
    int64_t counted_ms; /* wall clock, when it was last counted or begun; 0: it must be counted */
    int64_t healed_ms;  /* when it was last found wrong, and the space reset; 0: never */
} sl_space_sum;
sl_status sl_store_sum(sl_store *s, const char *space, sl_space_sum *out, sl_error **err);
/* Adds the sum up from the records. */
sl_status sl_store_sum_count(sl_store *s, const char *space, int64_t wall_ms, sl_error **err);
/* The space's records come from the first on, or were found right: there is nothing to count. */
sl_status sl_store_sum_begun(sl_store *s, const char *space, int64_t wall_ms, sl_error **err);
/* A record of this space was left out, until a reset or a later version. */
sl_status sl_store_sum_partial(sl_store *s, const char *space, sl_error **err);
sl_status sl_store_sum_healed(sl_store *s, const char *space, int64_t wall_ms, sl_error **err);

/* --- holes of spaces ------------------------------------------------------------------ */

/* None when the space is not known. */
sl_status sl_store_holes(sl_store *s, const char *space, sl_holes *out, sl_error **err);
/* The server left these places out as it sent what changed after `above`. What is here of them goes,
 * unless operations wait for it. Before the records that it did send. */
sl_status sl_store_hole_add(sl_store *s, const char *space, int64_t above, int64_t upto,
                            sl_error **err);
/* All records with these places have come. */
sl_status sl_store_hole_take(sl_store *s, const char *space, int64_t above, int64_t upto,
                             sl_error **err);
/* The sum of the confirmed records that are in no hole, added up from the records. */
sl_status sl_store_sum_held(sl_store *s, const char *space, uint64_t *out, sl_error **err);

/* --- queries ------------------------------------------------------------------------ */

/* As sideline/record.h. */
typedef struct sl_query sl_query;
sl_status sl_query_parse(const sl_json *j, sl_query **out, sl_error **err);
void sl_query_free(sl_query *q);
/* True when a change of this entity in this space may change the answer. */
bool sl_query_concerns(const sl_query *q, const sl_entity *e, const char *space);
/* True when the answer is records, each in it for its own fields' sake: no count and no search. */
bool sl_query_is_plain(const sl_query *q);
/* True when so many rows are all that the query gives, whatever more there is. */
bool sl_query_is_cut(const sl_query *q, size_t rows);
/* Whether the record, of the query's entity, is what a plain query asks for, its order and limit aside; true
 * also when that cannot be found out. By who may write; not const: what it takes is made by the first. */
bool sl_store_meets(sl_store *s, sl_query *q, const char *id);
/* A row was written at the end of the buffer, from this place on; id "" for a count. False: out of
 * memory. */
typedef bool (*sl_query_row)(void *ctx, const char *id, size_t from);
sl_status sl_store_query(sl_store *s, const sl_query *q, sl_buf *out, sl_query_row fn, void *ctx,
                         sl_error **err);

/* --- blobs -------------------------------------------------------------------------- */

/* Paths; sl_mem text, NULL when out of memory. */
char *sl_store_blob_path(sl_store *s, const char *hex);
char *sl_store_part_path(sl_store *s, const char *hex); /* of a download in the making */
/* Opens a blob that is here (store/blob_file.h); used without a lock from then on. SL_E_NOT_FOUND. */
sl_status sl_store_blob_open(sl_store *s, const char *hex, sl_blob_in **out, sl_error **err);
/* A new blob in the making at `path`, or with `resume` what is there of it. */
sl_status sl_store_blob_make(sl_store *s, const char *path, bool resume, sl_blob_out **out,
                             sl_error **err);
/* -1 when the blob is not here, else its size. */
int64_t sl_store_blob_size(sl_store *s, const char *hex);
/* A blob is, or will be, in this folder: noted before its file is made. */
sl_status sl_store_blob_note(sl_store *s, const char *hex, sl_error **err);
/* Calls fn for the space of each record that names the blob, until it fails; once for each field at most. */
sl_status sl_store_blob_spaces(sl_store *s, const char *hex,
                               sl_status (*fn)(void *ctx, const char *space), void *ctx,
                               sl_error **err);
/* Whether a record or a draft names the blob. */
sl_status sl_store_blob_named(sl_store *s, const char *hex, bool *yes, sl_error **err);
/* Removes the files of the blobs that no record names and no upload waits for, and calls fn (may be
 * NULL) for each before. Inside the transaction that dropped a space: after a crash or rollback a
 * record may be without its file, which can be fetched again. */
sl_status sl_store_sweep_blobs(sl_store *s, void (*fn)(void *ctx, const char *hex), void *ctx,
                               sl_error **err);
typedef struct sl_upload {
    char hex[65];
    char space[SL_SPACE_MAX];
    char type[64];
    char url[256]; /* "" before creation */
    int64_t size;
} sl_upload;

/* Moves a blob's whole, closed file to its place and, with `upload` (space and type), queues its upload. The file
 * is taken. */
sl_status sl_store_blob_place(sl_store *s, const char *path, const char *hex, int64_t size,
                              const sl_upload *upload, sl_error **err);

/* Waiting uploads, smallest first; false stops. */
sl_status sl_store_uploads(sl_store *s, bool (*fn)(void *ctx, const sl_upload *u), void *ctx,
                           sl_error **err);
sl_status sl_store_upload_url(sl_store *s, const sl_upload *u, sl_error **err);
sl_status sl_store_upload_done(sl_store *s, const sl_upload *u, sl_error **err);

#endif
