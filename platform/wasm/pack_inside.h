/* platform/wasm/pack_inside.h - what the parts of a pack share. */
#ifndef SL_PLATFORM_WASM_PACK_INSIDE_H
#define SL_PLATFORM_WASM_PACK_INSIDE_H

#include "platform/wasm/pack.h"

#include <stdbool.h>

enum {
    PACK_BLOCK = 16 * 1024,
    PACK_NAME_MAX = 1000
};

typedef struct extent {
    uint32_t start; /* block */
    uint32_t count;
} extent;

typedef struct extents {
    extent *all;
    uint32_t count;
    uint32_t room;
} extents;

/* A file. */
typedef struct node {
    struct node *next;
    char *name;
    uint32_t id;
    int64_t size;
    extents where;
    uint32_t blocks; /* of `where` */
    unsigned opens;
    bool locked;
    bool gone;    /* removed; its blocks are given up when it is closed */
    bool resized; /* the log does not know its size */
    bool moved;   /* ... its name or blocks, or that it is there */
} node;

struct sl_pack {
    sl_pack_device device;
    node *files;
    uint32_t last_id;
    /* blocks */
    uint8_t *used;        /* bits */
    uint32_t used_blocks; /* that `used` has room for */
    uint32_t lowest;      /* none below is free */
    uint32_t limit;       /* no file that is read has a block from here on */
    extents given_up;     /* free once the log is durable */
    /* log */
    uint64_t epoch;
    extent log;
    uint64_t log_at;   /* bytes of records in it */
    uint32_t log_next; /* number of the next record */
    uint32_t *removed; /* ids that the log still has */
    uint32_t removed_count;
    uint32_t removed_room;
    uint8_t *out; /* records to be written */
    size_t out_len;
    size_t out_room;
};
typedef sl_pack pack;

/* --- pack_space.c: which blocks are whose --- */
bool extents_add(extents *e,
                 extent one); /* joined with the last where it follows; false: no memory */
/* True when all were free until now. False: one was not, or no memory (*status tells). */
bool pack_take(pack *p, extent e, sl_status *status);
/* 1 to `want` blocks in a row, `near` if that is free; exact: not fewer. */
sl_status pack_find(pack *p, uint32_t want, uint32_t near, bool exact, extent *out);
void pack_free(pack *p, extent e);
/* Free once the log is durable. */
sl_status pack_give_up(pack *p, extent e);
void pack_reclaim(pack *p);
uint32_t pack_end(const pack *p); /* the first block after which all are free */

/* --- pack_log.c: what is durable --- */
/* What is on the device; of an empty one nothing. */
sl_status pack_read(pack *p);
/* Everything written so far, and every change of a name, is durable. */
sl_status pack_commit(pack *p);
/* Tells the log, with the next commit, that this file is gone. */
sl_status pack_forget(pack *p, uint32_t id);

/* --- pack_names.c --- */
node *node_of_name(const pack *p, const char *name);
bool node_is_folder(const pack *p, const char *path);
bool node_has_place(const pack *p, const char *path); /* the folder it would be in is there */
sl_status pack_rename(void *user, const char *from, const char *to);
sl_status pack_remove(void *user, const char *path);
int32_t pack_exists(void *user, const char *path);
sl_status pack_mkdir(void *user, const char *path);
sl_status pack_list(void *user, const char *path, void (*fn)(void *ctx, const char *name),
                    void *ctx);

/* --- pack.c --- */
node *node_of_id(const pack *p, uint32_t id);
node *node_new(pack *p, const char *name, size_t n, uint32_t id); /* NULL: no memory */
void node_unlink(pack *p, node *n);
sl_status node_drop(pack *p, node *f); /* when it is gone and nobody has it open */

#endif
