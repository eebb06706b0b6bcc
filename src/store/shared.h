/*
 * store/shared.h - what the connections of one process share about one database: SQLite's locks and
 * the index of the WAL, which lives in this process's memory and nowhere else.
 *
 * No other process comes in (the folder's lock file sees to that), so memory serves. The locks of
 * the WAL are atomic words: a connection that is alone waits for nothing. A new index is empty, and
 * SQLite then reads it out of the WAL, as after a crash.
 *
 *   [SHARED-1] many may hold a place shared, or one exclusive, and who is refused holds nothing new;
 *   [SHARED-2] the index is zero when the first connection maps it, and stays where it is until the
 *              last one lets go.
 */
#ifndef SL_STORE_SHARED_H
#define SL_STORE_SHARED_H

#include "base/thread.h"

#include <stdatomic.h>

enum {
    SL_SHARED_PLACES = 8 /* as many as SQLite has (SQLITE_SHM_NLOCK) */
};

/* One database, by its path. */
typedef struct sl_shared {
    struct sl_shared *next;
    char *path;
    unsigned files;  /* connections that have it open */
    unsigned shared; /* ... that hold SHARED or more */
    bool reserved;   /* one of them holds RESERVED or EXCLUSIVE */
    bool exclusive;
    _Atomic int places[SL_SHARED_PLACES]; /* how many hold it shared, -1: one alone */
    void **regions;                       /* the WAL's index */
    size_t count;
    unsigned mapped; /* connections that use it */
} sl_shared;

/* All of one VFS. */
typedef struct sl_shared_list {
    sl_mutex *lock;
    sl_shared *first;
} sl_shared_list;

/* What one connection holds. Zero-initialise, then sl_shared_join; used by one thread at a time. */
typedef struct sl_hold {
    sl_shared_list *list;
    sl_shared *of;
    int level; /* SQLITE_LOCK_... of the database */
    bool mapped;
    unsigned places_shared; /* bits */
    unsigned places_alone;
} sl_hold;

bool sl_shared_list_open(sl_shared_list *list); /* false: out of memory */
void sl_shared_list_close(sl_shared_list *list);

/* False: out of memory. */
bool sl_shared_join(sl_hold *h, sl_shared_list *list, const char *path);
/* Lets go of everything. */
void sl_shared_leave(sl_hold *h);

/* The rest as in sqlite3_io_methods, with SQLite's codes. */
int sl_shared_lock(sl_hold *h, int level);
int sl_shared_unlock(sl_hold *h, int level);
bool sl_shared_reserved(const sl_hold *h);
int sl_shared_map(sl_hold *h, int region, int size, bool extend, void volatile **out);
int sl_shared_place(sl_hold *h, int first, int n, int flags);
void sl_shared_unmap(sl_hold *h);

#endif
