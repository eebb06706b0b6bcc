/* sync/frame_bin.h - what both directions of the binary encoding share. */
#ifndef SL_SYNC_FRAME_BIN_H
#define SL_SYNC_FRAME_BIN_H

#include "sync/frame_inside.h"

enum {
    FLAG_ZIP = 1,
    FLAG_SINGLE = 2,
    FLAG_YES = 4,  /* connect, connected: zip; page: more; load: up */
    FLAG_PLUS = 8, /* subscribe: last; page: hole; subscribed: sum; typing, signal: until;
                    * error: retry */
    FLAGS_ALL = 15,
    OP_KIND = 3, /* bits of the first byte of an operation by itself */
    OP_N = 4,
    OP_CLOCK = 8,
    OP_COUNTER = 16,
    SEQ_NONE = 0, /* what the seqs of a group of receipts do */
    SEQ_RISES = 1,
    SEQ_SAME = 2
};

/* What the stamp of a row by itself counts from. */
static inline int64_t sl_row_base(const uint8_t id[SL_UUID_BYTES])
{
    int64_t ms = sl_row_id_ms(id);
    return ms >= 0 ? ms : 0;
}

#endif
