/*
 * sync/transfer.h - moving one blob, without I/O: an upload by tus 1.0, or a download by range.
 *
 *   upload:    CREATE --201--> OFFSET --200--> SEND --204--> SEND ... --> DONE
 *                 ^ 404 (gone)    |  ^  409 or a lost connection  |
 *                 +---------------+  +-----------------------------+
 *   download:  FETCH --200, 206--> DONE; a lost connection fetches from where it stopped
 *
 *   [XFER-1] what the other side acknowledged is not sent again, also after a restart (the
 *            upload's URL and the part file are what must be remembered);
 *   [XFER-2] failures that may pass are tried again after 0.5 s doubling to 30 s, of which half is
 *            by chance; others end it.
 */
#ifndef SL_SYNC_TRANSFER_H
#define SL_SYNC_TRANSFER_H

#include "base/prng.h"
#include "sideline/base.h"

#include <stdbool.h>

typedef enum sl_xfer_kind {
    SL_XFER_CREATE, /* POST the upload */
    SL_XFER_OFFSET, /* HEAD: how far is it */
    SL_XFER_SEND,   /* PATCH `len` bytes from `at` */
    SL_XFER_FETCH,  /* GET from `at` */
    SL_XFER_WAIT,   /* until `until_ms` */
    SL_XFER_BUSY,   /* a request is out */
    SL_XFER_DONE,
    SL_XFER_FAILED /* `status` says why */
} sl_xfer_kind;

typedef struct sl_xfer_step {
    sl_xfer_kind kind;
    int64_t at;
    int64_t len;
    int64_t until_ms;
    sl_status status;
} sl_xfer_step;

typedef struct sl_xfer {
    bool download;
    bool created; /* the upload has a URL */
    bool offset_known;
    bool busy;
    bool done;
    sl_status failed;
    unsigned failures;
    unsigned restarts;
    int64_t retry_at_ms;
    sl_prng prng;
    int64_t size; /* of an upload */
    int64_t at;   /* bytes the other side (upload) or we (download) have */
} sl_xfer;

enum {
    SL_XFER_CHUNK = 256 * 1024
};

/* created: a URL is remembered from before. seed: of the waits' chance. */
void sl_xfer_upload(sl_xfer *x, int64_t size, bool created, uint64_t seed);
void sl_xfer_download(sl_xfer *x, int64_t have, uint64_t seed);

sl_xfer_step sl_xfer_next(sl_xfer *x, int64_t now_ms); /* a request kind makes it busy */

/* The request's end. net SL_OK: `http` is its status code; offset: Upload-Offset, -1 when none. */
void sl_xfer_answer(sl_xfer *x, sl_status net, int32_t http, int64_t offset, int64_t now_ms);
/* A download's bytes were stored. */
void sl_xfer_received(sl_xfer *x, int64_t n);
/* What arrived is not what was asked for: from the start. False when that happened too often. */
bool sl_xfer_restart(sl_xfer *x, int64_t now_ms);

#endif
