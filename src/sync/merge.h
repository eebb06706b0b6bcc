/*
 * sync/merge.h - what an operation does to a record. Client and server link this same code.
 *
 *   [MERGE-1] operations on one record give the same result in any order in which each comes
 *             after the creation, however often each is applied; a counter adds as often as it
 *             is merged, which receipts make once;
 *   [MERGE-2] an lww field keeps the value with the greatest stamp;
 *   [MERGE-3] a deletion wins over everything, for ever: an id is never used again.
 */
#ifndef SL_SYNC_MERGE_H
#define SL_SYNC_MERGE_H

#include "sync/op.h"

typedef enum sl_merged {
    SL_MERGED_NOTHING, /* the record is as it was */
    SL_MERGED_PART,    /* some fields had later values already */
    SL_MERGED_ALL
} sl_merged;

/* rec->entity NULL means that there is no record; a create then makes it. The fields must have
 * passed sl_schema_check. SL_E_NOT_FOUND: no record to patch or delete. SL_E_CONFLICT: one to
 * create is there. SL_E_LIMIT, SL_E_INVALID: a set or sum would grow too large. After these last
 * and SL_E_NOMEM rec must be read again. */
sl_status sl_merge_op(sl_record *rec, const sl_op *op, sl_merged *out, sl_error **err);
/* The same for a pending operation over a confirmed state that may hold it already, as when the
 * echo comes before the receipt: a counter leaves out what the state has counted. */
sl_status sl_merge_replay(sl_record *rec, const sl_op *op, sl_merged *out, sl_error **err);

#endif
