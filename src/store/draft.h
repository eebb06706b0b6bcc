/*
 * store/draft.h - a file in the making that is written bit by bit and must not lose what was: a
 * voice while it is recorded. In the clear, or sealed with AES-256-XTS under a key of its own, made
 * of the file's name (which is random). One thread at a time.
 *
 * Sealed, it may look up to 15 zero bytes longer than it is.
 */
#ifndef SL_STORE_DRAFT_H
#define SL_STORE_DRAFT_H

#include "sideline/platform.h"
#include "store/seal.h"

typedef struct sl_draft sl_draft;

/* seal NULL: in the clear. flags: those of sl_file_ops.open. Both are borrowed until it is closed. */
sl_status sl_draft_open(const sl_platform *platform, const sl_seal *seal, const char *path,
                        uint32_t flags, sl_draft **out);
/* The same for a file that will be renamed to `name`. */
sl_status sl_draft_open_as(const sl_platform *platform, const sl_seal *seal, const char *path,
                           const char *name, uint32_t flags, sl_draft **out);
void sl_draft_close(sl_draft *d); /* NULL accepted */

/* As sl_file_ops has them. */
int64_t sl_draft_read(sl_draft *d, void *dst, size_t n, int64_t at);
sl_status sl_draft_write(sl_draft *d, const void *src, size_t n, int64_t at);
sl_status sl_draft_truncate(sl_draft *d, int64_t size);
sl_status sl_draft_sync(sl_draft *d);
int64_t sl_draft_size(sl_draft *d);

#endif
