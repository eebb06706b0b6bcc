/*
 * store/inside.h - what the store's files share.
 *
 *   store.c    the folder, transactions, small facts     tables.c   tables and their versions
 *   migrate.c  databases of version 2 and before         rows.c     records in their tables
 *   replica.c  confirmed and visible records             outbox.c   operations that wait
 *   refs.c     references within a space                 undo.c     what local batches did
 *   rejected.c operations that were refused             status.c   how far spaces are
 *   spaces.c   spaces and their numbers                  query*.c, search.c   reading
 *   sums.c     sums of spaces                        holes.c    spaces held in part
 *   rest.c     syncing and copying the log beside writers
 *
 * A record's row is known by `rid`: its space's number << 32 | a number within the space, so that
 * a space's records lie together in their table, in the order in which they came, and need no index
 * to be read or dropped. Ids, references and names of blobs are bytes.
 */
#ifndef SL_STORE_INSIDE_H
#define SL_STORE_INSIDE_H

#include "base/thread.h"
#include "schema/record.h"
#include "store/store.h"
#include "store/vfs.h"

enum {
    /* Columns before those of the fields. */
    SL_ROW_RID,
    SL_ROW_ID,
    SL_ROW_SEQ,
    SL_ROW_DELETED,
    SL_ROW_PENDING, /* the newest operation that waits; null: none does */
    SL_ROW_CLOCKS,
    SL_ROW_EXT,
    SL_ROW_FIELDS
};

/* The statements of one entity. */
typedef struct sl_table {
    char *insert; /* of a whole row; does nothing when the id is there */
    char *update; /* all but rid and id, by rid ($1) */
    char *select; /* a row by id ($1) */
    char *last;   /* the greatest rid from $1 to $2 */
    bool search;  /* has a full-text index */
} sl_table;

/* A space's number, and where the next row of an entity goes: remembered until a rollback. */
enum {
    SL_PLACES = 512
};
typedef struct sl_place {
    char space[SL_SPACE_MAX]; /* "" when free */
    int64_t no;
} sl_place;
typedef struct sl_next {
    const sl_entity *entity; /* NULL when free */
    int64_t no;
    int64_t rid;
} sl_next;

/* Memory of queries that sort their rows: the next one finds it as large as the last one needed it. */
typedef struct sl_sorted sl_sorted;
typedef struct sl_ranked sl_ranked;
typedef struct sl_scratch {
    sl_buf text; /* rows one behind the other */
    sl_arena keys;
    sl_sorted *sorted;
    size_t room;
} sl_scratch;
void sl_scratch_free(sl_scratch *t);

/* What queries use, by any thread, one at a time. */
typedef struct sl_reader {
    sl_mutex *lock;
    sl_sql *sql;
    sl_place seen;
    sl_scratch scratch;
} sl_reader;
void sl_reader_close(sl_reader *reader);

/* Copies the log into the database beside the writer. */
typedef struct sl_copier {
    sl_mutex *lock; /* one copies at a time */
    sl_sql *sql;
    int had; /* pages in the log when it was last due */
} sl_copier;
void sl_copier_close(sl_copier *copier);

/* How many steps of undo a space has, remembered until a rollback. */
typedef struct sl_undo_count {
    int64_t space; /* 0: of none */
    int64_t steps; /* to be undone */
    int64_t bytes; /* of these */
    int64_t redo;
} sl_undo_count;

/* How many operations of each space wait for a receipt, by the space's number. */
typedef struct sl_waiting_move {
    int64_t no;
    int64_t by;
} sl_waiting_move;
typedef struct sl_waiting_count {
    bool known;
    int64_t *of;
    size_t room;
    int64_t total;
    sl_waiting_move *moves; /* of the transaction under way */
    size_t move_count;
    size_t move_room;
} sl_waiting_count;

/* A space's sum as it is within the transaction, remembered until a rollback. */
typedef struct sl_sum {
    int64_t no; /* 0: of none */
    bool known; /* false: not added up yet */
    bool changed;
    uint64_t sum;
} sl_sum;

struct sl_store {
    const sl_platform *platform;
    char *dir;
    void *lock;    /* the folder's lock file */
    sl_seal *seal; /* NULL: the folder is in the clear */
    sl_vfs *vfs;
    sl_sql *sql;
    sl_reader reader;
    sl_copier copier;
    bool soft_open;   /* the transaction under way is soft, */
    bool soft;        /* or one that was is not durable yet, */
    bool soft_still;  /* after sl_store_rest neither, whose thread this is for */
    sl_table *tables; /* by index of the entity */
    sl_place places[SL_PLACES];
    sl_next nexts[SL_PLACES];
    sl_place seen;  /* the space last looked up by number */
    int64_t last_n; /* the newest operation's number; -1: to be read */
    bool last_n_new;
    bool dropped; /* a space's records: the log still has them */
    sl_undo_count undo[SL_PLACES];
    sl_waiting_count waiting;
    sl_sum sum;
    sl_buf scratch; /* of one call, */
    sl_arena cells; /* and what the cells of a row point into */
    bool here;      /* the record of the last apply_remote had a row */
    sl_record rec;  /* of apply_local and apply_remote */
    sl_record old;
    sl_record made; /* whose values an operation has left in its row */
};

/* path under the folder; sl_mem text */
char *sl_store_path(const sl_store *s, const char *name);

/* Where a row's first cells go, and what their bytes are copied into (NULL: numbers only). */
typedef struct sl_taken {
    sl_cell *cells;
    size_t n;
    sl_arena *mem;
} sl_taken;
/* Runs a statement that gives at most one row and takes its cells. SL_E_NOT_FOUND, without an error,
 * when there is none: the cells are then null. */
sl_status sl_store_one(sl_store *s, const char *sql, const sl_cell *params, size_t np,
                       const sl_taken *out, sl_error **err);

/* --- tables.c, migrate.c --- */

sl_status sl_tables_make(sl_store *s, sl_error **err);
/* The entity's statements, made when they are first wanted. */
sl_status sl_table_of(sl_store *s, const sl_entity *e, const sl_table **out, sl_error **err);
void sl_tables_free(sl_store *s);
/* The statement that makes an entity's table. */
void sl_table_ddl(sl_buf *sql, const sl_entity *e);
/* Makes the tables, or brings those of an older version to this one. SL_E_TOO_NEW. */
sl_status sl_tables_follow(sl_store *s, sl_error **err);
/* Adds what the schema has and the tables have not: columns and indexes. In a transaction. */
sl_status sl_tables_grow(sl_store *s, sl_error **err);
/* From version 1 or 2, in a transaction. */
sl_status sl_migrate_old(sl_store *s, int64_t from, sl_error **err);
extern const char sl_store_tables[]; /* the store's own, as SQL */

/* --- rows.c --- */

/* What is known of a stored row besides the record. */
typedef struct sl_row {
    int64_t rid; /* 0: there is none */
    int64_t pending;
} sl_row;

/* Reads the row of an id; row->rid is 0 and rec->entity NULL when there is none. */
sl_status sl_row_load(sl_store *s, const sl_entity *e, const char *id, sl_record *rec, sl_row *row,
                      sl_error **err);
/* Writes a new row; row->rid is 0 when the id is there already. */
sl_status sl_row_insert(sl_store *s, const sl_record *rec, sl_row *row, sl_error **err);
/* `old`: what the row holds; NULL: not known. */
sl_status sl_row_update(sl_store *s, const sl_record *rec, const sl_record *old, const sl_row *row,
                        sl_error **err);
sl_status sl_row_delete(sl_store *s, const sl_record *old, const sl_row *row, sl_error **err);
/* Cells of a row as the select gives them, into a record. */
sl_status sl_row_read(sl_store *s, const sl_entity *e, const sl_cell *cells, sl_record *rec,
                      sl_error **err);

/* --- spaces.c --- */

/* The number of a space; make: given one when it has none. *no 0: none. */
sl_status sl_space_no(sl_store *s, const char *name, bool make, int64_t *no, sl_error **err);
/* The name of a numbered space into out. */
sl_status sl_space_of(sl_store *s, int64_t no, char out[SL_SPACE_MAX], sl_error **err);
/* A new row's rid. SL_E_LIMIT. */
sl_status sl_space_next_rid(sl_store *s, const sl_entity *e, int64_t no, int64_t *rid,
                            sl_error **err);
void sl_space_forget_numbers(sl_store *s);
/* The bounds of a space's rids. */
int64_t sl_space_first_rid(int64_t no);
int64_t sl_space_last_rid(int64_t no);

/* --- outbox.c --- */

/* The lowest number without a receipt, by its own index: accepted ones wait in any number. */
#define SL_OUTBOX_FLOOR "SELECT n FROM outbox WHERE seq IS NULL ORDER BY n LIMIT 1"
/* Gives the operation its number. */
sl_status sl_outbox_number(sl_store *s, sl_op *op, sl_error **err);
/* Queues it; prev: the record's newest before it, 0 none; seq: 0 unless it was accepted. in_row: the
 * record's row has the values of this creation, and nothing else. */
sl_status sl_outbox_add(sl_store *s, const sl_op *op, int64_t prev, int64_t seq, bool in_row,
                        sl_error **err);
/* Writes what the transaction changed of the outbox's small facts; the commit's part. */
sl_status sl_outbox_flush(sl_store *s, sl_error **err);
/* The operations of a record, from the oldest to the newest. */
typedef struct sl_waiting {
    int64_t n;
    int64_t prev; /* as stored; 0: it is the first */
    int64_t seq;  /* 0: not accepted */
} sl_waiting;
typedef struct sl_chain {
    sl_waiting *links; /* sl_mem */
    size_t count;
} sl_chain;
/* newest: as the record's row says. */
sl_status sl_outbox_chain(sl_store *s, int64_t newest, sl_chain *out, sl_error **err);
/* A creation that its record's row is still as it was made by leaves its values there. Before the row
 * changes or goes, they are written to the operation. Nothing happens to other operations. */
sl_status sl_outbox_fill(sl_store *s, int64_t n, sl_error **err);
/* The same for all of a space that are not accepted. */
sl_status sl_outbox_fill_space(sl_store *s, int64_t no, sl_error **err);
sl_status sl_outbox_remove(sl_store *s, int64_t n, sl_error **err);
sl_status sl_outbox_set_prev(sl_store *s, int64_t n, int64_t prev, sl_error **err);

/* --- replica.c --- */

/* The operation leaves its record: the visible record is made of the confirmed one and the rest. */
sl_status sl_replica_leave(sl_store *s, const sl_op *op, sl_error **err);
sl_status sl_shadow_put(sl_store *s, const sl_record *rec, int64_t rid, sl_error **err);

/* --- refs.c --- */

/* The fields of the operation with `to`: each names a record of its space that is there and not
 * deleted, or what `old` (NULL: there is none) has named already. SL_E_NOT_FOUND names the field. */
sl_status sl_refs_check(sl_store *s, const sl_op *op, const sl_record *old, sl_error **err);

/* --- status.c --- */

/* So many operations more of a space wait. */
void sl_waiting_add(sl_store *s, int64_t no, int64_t by);
void sl_waiting_commit(sl_store *s);
void sl_waiting_rollback(sl_store *s);
void sl_waiting_forget(sl_store *s); /* counted anew when somebody asks */
void sl_waiting_free(sl_store *s);

/* --- sums.c --- */

/* A confirmed record of this space is now as in `rec`; had: its number before, 0: there was none. */
sl_status sl_sum_move(sl_store *s, int64_t no, const sl_record *rec, int64_t had, sl_error **err);
/* Writes what the transaction changed; the commit's part. */
sl_status sl_sum_flush(sl_store *s, sl_error **err);
void sl_sum_forget(sl_store *s);
/* What the confirmed records of an entity in a space add to its sum. */
sl_status sl_sum_add_rows(sl_store *s, const sl_entity *e, int64_t no, uint64_t *sum,
                          sl_error **err);

/* --- undo.c --- */

void sl_undo_forget_counts(sl_store *s);

/* --- search.c --- */

/* Makes the table of blobs when it is missing, and removes what a crash brought back. */
void sl_store_blobs_prepare(sl_store *s);
/* Makes the full-text indexes that are missing or of another choice of fields. */
sl_status sl_search_prepare(sl_store *s, sl_error **err);
/* Makes one, empty or of the records that are there, inside a transaction. */
sl_status sl_search_make(sl_store *s, const sl_entity *e, sl_error **err);
/* Takes a record's text out of the index, or puts it in. */
sl_status sl_search_take_out(sl_store *s, const sl_record *rec, int64_t rid, sl_error **err);
sl_status sl_search_put_in(sl_store *s, const sl_record *rec, int64_t rid, sl_error **err);
/* Takes the text of all rows from one rid to another out, before they go; keep: but of those that
 * operations wait for. */
sl_status sl_search_take_range(sl_store *s, const sl_entity *e, int64_t from, int64_t to, bool keep,
                               sl_error **err);
/* Words of rows that were taken out stay in the index until its parts are merged: this merges them
 * all, in a time that grows with the index (0.1 s for 100,000 messages). */
sl_status sl_search_purge(sl_store *s, const sl_entity *e, sl_error **err);
/* True when the two have the same searched text. */
bool sl_search_same(const sl_record *a, const sl_record *b);

#endif
