/*
 * sideline/sync.h - talking to the server, and blobs.
 *
 * Blobs (clips, voices, timelines, thumbnails) are named by the SHA-256 of their
 * bytes, in lower-case hex. Uploads and downloads resume where they stopped, also
 * after the process died.
 */
#ifndef SIDELINE_SYNC_H
#define SIDELINE_SYNC_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

enum {
    SL_SYNC_START = 1, /* connect and stay connected, with back-off */
    SL_SYNC_STOP = 2   /* go offline */
};

SL_API sl_status sl_sync_control(sl_core *core, int32_t action,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);
/* An operation that ends when every local change is accepted, every space is at the
 * server's head and no upload waits; SL_E_CANCELLED when stopped. Starts sync if needed.
 * Progress events count bytes of uploads. */
SL_API sl_status sl_sync_settle(sl_core *core, sl_id *op, sl_error *SL_NULLABLE *SL_NULLABLE err);

/* An operation that ends when the changes of this record that wait now are part of what the server
 * sends to everybody: at once when none waits. On the way {"ev":"stage","op":op,"stage":"sent"} and
 * "accepted" tell how far all of them are; that they are durable on this device sl_apply has said. Fails
 * as the server refused one of them. It waits through times without a connection. Of a batch, the
 * operations are sent in order: wait for the record changed last. */
SL_API sl_status sl_sync_wait(sl_core *core, const char *entity, const char *id, sl_id *op,
                              sl_error *SL_NULLABLE *SL_NULLABLE err);
/* This space is on the screen: what is new in it comes before all others, until another is. */
SL_API sl_status sl_sync_focus(sl_core *core, const char *space,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Stores bytes as a blob of `space` and queues its upload. *sha256: 64 hex digits, as bytes. */
SL_API sl_status sl_blob_put(sl_core *core, const char *space, const uint8_t *p, size_t n,
                             const char *media_type, sl_bytes *SL_NULLABLE *SL_NULLABLE sha256,
                             sl_error *SL_NULLABLE *SL_NULLABLE err);
/* The same piece by piece, for what is larger than memory: hashed and sealed on the way. The writer is
 * given, used by one thread at a time, and dropped before the core closes. draft: a name of the host's
 * (1 to 1000 bytes) under which bytes that were appended are kept when the writer is dropped, or the
 * process dies, up to 64 KiB before its end; the next writer of that name goes on after them: *size tells
 * how many there are. NULL: nothing is kept. SL_E_BUSY: somebody writes that draft. */
typedef struct sl_blob_writer sl_blob_writer;
SL_API sl_status sl_blob_begin(sl_core *core, const char *SL_NULLABLE draft,
                               sl_blob_writer *SL_NULLABLE *SL_NULLABLE out,
                               int64_t *SL_NULLABLE size, sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API sl_status sl_blob_append(sl_blob_writer *w, const uint8_t *p, size_t n,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
/* The blob is stored and its upload queued, as by sl_blob_put; its draft is gone. */
SL_API sl_status sl_blob_finish(sl_blob_writer *w, const char *space, const char *media_type,
                                sl_bytes *SL_NULLABLE *SL_NULLABLE sha256,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
/* keep 1: what was appended to a named draft stays for its next writer; 0: it is removed. */
SL_API void sl_blob_drop(sl_blob_writer *SL_NULLABLE w, int32_t keep);

enum {
    SL_NETWORK_FREE = 0,   /* at the start */
    SL_NETWORK_METERED = 1 /* a byte costs: large blobs wait */
};
/* The host tells what network it is on. Metered: blobs of more than `limit` bytes, up or down, wait
 * until it is free again, or until they are resumed one by one; the part that is there stays. */
SL_API sl_status sl_sync_network(sl_core *core, int32_t kind, int64_t limit,
                                 sl_error *SL_NULLABLE *SL_NULLABLE err);

enum {
    SL_TRANSFER_PAUSE = 1,
    SL_TRANSFER_RESUME = 2, /* on a metered network too */
    SL_TRANSFER_CANCEL = 3  /* an upload is given up, its bytes stay here; a fetch ends cancelled */
};
/* The transfers of one blob, up and down, until the core is closed; cancelling is for good. What is
 * paused or waits for another network does not keep sl_sync_settle. SL_E_NOT_FOUND: there is none.
 * sl_core_info "transfers" lists them. */
SL_API sl_status sl_transfer_control(sl_core *core, const char *sha256, int32_t action,
                                     sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Local blobs only; SL_E_NOT_FOUND when it must be fetched first; SL_E_DENIED: sl_can says no to "watch". */
SL_API sl_status sl_blob_get(sl_core *core, const char *sha256,
                             sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                             sl_error *SL_NULLABLE *SL_NULLABLE err);
/* An operation that ends when the blob is here and verified, or with SL_E_CANCELLED when sync is
 * stopped. res: {"sha256","size"}. */
SL_API sl_status sl_blob_fetch(sl_core *core, const char *sha256, sl_id *op,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);

SL_END
#ifdef __cplusplus
}
#endif

#endif
