/*
 * store/blob_file.h - a blob's file: in the clear the bytes themselves, sealed with AES-256-GCM in
 * chunks, so that any range can be read and what was changed, swapped or cut off is noticed.
 *
 *   "SLBLOB1\n" 8 | salt 16 | whose 16 | chunk* | last chunk
 *   chunk: nonce 12 | 65536 bytes | tag 16; the last one: 0..65536 bytes
 *
 * The salt is random and gives the file a key of its own (store/seal.h). Each chunk has a random
 * nonce: a download goes on where it stopped, and may write a chunk again with other bytes. Sealed
 * with a chunk go its number and whether it is the last; `whose` is an HMAC of the blob's name, made
 * when the file is whole.
 *
 *   [BLOB-1] a file whose end is missing, whose chunks were moved or that is under another blob's
 *            name does not open, or fails where that is read: SL_E_CORRUPT;
 *   [BLOB-2] a chunk is written once it is full: when the writer is killed, up to 64 KiB are lost.
 *
 * One thread at a time each.
 */
#ifndef SL_STORE_BLOB_FILE_H
#define SL_STORE_BLOB_FILE_H

#include "sideline/platform.h"
#include "store/seal.h"

#include <stdbool.h>

enum {
    SL_BLOB_CHUNK = 64 * 1024
};

typedef struct sl_blob_in sl_blob_in;
typedef struct sl_blob_out sl_blob_out;

/* hex: the name the file must bear, NULL for any. seal NULL: in the clear. platform and seal are
 * borrowed until it is closed. SL_E_NOT_FOUND, SL_E_CORRUPT. */
sl_status sl_blob_in_open(const sl_platform *platform, const sl_seal *seal, const char *path,
                          const char *hex, sl_blob_in **out, sl_error **err);
int64_t sl_blob_in_size(const sl_blob_in *in);
/* As sl_file_ops.read: short only at the end; a negative status. */
int64_t sl_blob_in_read(sl_blob_in *in, void *dst, size_t n, int64_t at);
void sl_blob_in_close(sl_blob_in *in); /* NULL accepted */

/* Makes the file, or with `resume` goes on after what is whole in it. */
sl_status sl_blob_out_open(const sl_platform *platform, const sl_seal *seal, const char *path,
                           bool resume, sl_blob_out **out, sl_error **err);
/* How many bytes it has taken. */
int64_t sl_blob_out_size(const sl_blob_out *out);
sl_status sl_blob_out_append(sl_blob_out *out, const void *p, size_t n);
/* Forgets all bytes. */
sl_status sl_blob_out_restart(sl_blob_out *out);
/* Makes the file whole and durable; hex: the SHA-256 of the bytes, 64 digits. Nothing follows but
 * closing. */
sl_status sl_blob_out_finish(sl_blob_out *out, char hex[65]);
void sl_blob_out_close(sl_blob_out *out); /* NULL accepted */

/* The size of a blob of which only the file's size is known; -1: no whole file is of that size. */
int64_t sl_blob_size_of(const sl_seal *seal, int64_t file_size);

#endif
