/*
 * sync/zip.h - Zstandard, where the build has it (SL_WITH_ZSTD). The home of libzstd.
 */
#ifndef SL_SYNC_ZIP_H
#define SL_SYNC_ZIP_H

#include "base/buf.h"

#include <stdbool.h>

bool sl_zip_have(void);
/* Appends p packed. False: nothing was appended, as it would not be smaller, or out of memory. */
bool sl_zip(sl_buf *out, const void *p, size_t n);
/* Appends what was packed. SL_E_INVALID: not packed bytes, or more than `max` of content;
 * SL_E_UNSUPPORTED: not built in; SL_E_NOMEM. */
sl_status sl_unzip(sl_buf *out, const void *p, size_t n, size_t max, sl_error **err);

#endif
