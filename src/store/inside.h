/* store/inside.h - the store's struct and helpers shared by its files. */
#ifndef SL_STORE_INSIDE_H
#define SL_STORE_INSIDE_H

#include "store/store.h"
#include "store/vfs.h"

struct sl_store {
    const sl_platform *platform;
    char *dir;
    void *lock; /* the folder's lock file */
    sl_vfs *vfs;
    sl_sql *sql;
};

/* path under the folder; sl_mem text */
char *sl_store_path(const sl_store *s, const char *name);

/* Runs a statement that gives at most one row and copies up to n of its cells (text owned).
 * SL_E_NOT_FOUND, without an error, when there is none: the cells are then null. */
sl_status sl_store_one(sl_store *s, const char *sql, const sl_cell *params, size_t np, sl_cell *out,
                       size_t n, sl_error **err);

/* Makes the table of blobs when it is missing, and removes what a crash brought back. */
sl_status sl_store_blobs_prepare(sl_store *s, sl_error **err);
/* Makes the full-text indexes that are missing or of another choice of fields. */
sl_status sl_search_prepare(sl_store *s, sl_error **err);
/* Takes the records that `where` finds out of the index, before they change or go. */
sl_status sl_search_take_out(sl_store *s, const sl_entity *e, const char *where,
                             const sl_cell *params, size_t n, sl_error **err);
/* Puts a stored record of an entity that is searched into the index. */
sl_status sl_search_put_in(sl_store *s, const sl_entity *e, const char *id, sl_error **err);
/* *out: the stored record is there with the same searched text, or nothing in it is searched. */
sl_status sl_search_same(sl_store *s, const sl_record *rec, bool *out, sl_error **err);

#endif
