/*
 * sync/set.h - the merge policies `set` and `counter`.
 *
 * A set's value is the sorted array of its elements. What decides is kept in the record's clocks,
 * clocks[field] = {"add": {element: {device: time}}, "remove": {element: {device: time}}}: the
 * newest addition by each device, and the newest one of it that a removal has seen. An element is
 * in while one device's addition is later than what removals have seen of that device.
 *
 *   [SET-1] operations give the same set in any order and however often each is applied;
 *   [SET-2] an addition that a removal had not seen outlives it, whatever the clocks say.
 *
 * An operation's value is {"add": [..], "remove": [..], "seen": {element: {device: time}}}. A
 * device writes `seen` from its own record; without it a removal takes what is older than itself. Where the
 * service cuts the stamps of a clock that runs ahead, additions are there with stamps that were cut, each later
 * than the one before: what a removal saw of its own device counts up to its own stamp.
 *
 * A counter's value is the sum of what operations carry, clocks[field] = {device: time} the newest
 * operation of each device in it. Adding twice counts twice: that each operation is merged once is
 * the receipts' part. A device that replays what is pending over a confirmed state leaves out what
 * that state has counted.
 */
#ifndef SL_SYNC_SET_H
#define SL_SYNC_SET_H

#include "sync/op.h"

enum {
    SL_SET_MARKS_MAX = 1024 /* additions and removals remembered by one field */
};

/* Merges v, the operation's value of field f. *taken: the record changed. SL_E_LIMIT, SL_E_INVALID:
 * the set or sum would grow too large, nothing changed. SL_E_NOMEM. */
sl_status sl_set_take(sl_record *rec, const sl_field *f, const sl_cell *v, sl_hlc hlc, bool *taken,
                      sl_error **err);
sl_status sl_counter_take(sl_record *rec, const sl_field *f, const sl_cell *v, sl_hlc hlc,
                          bool *taken, sl_error **err);
/* True when the record's sum has the operation of this stamp in it. */
bool sl_counter_has(const sl_record *rec, const sl_field *f, sl_hlc hlc);

/* Writes into the operation's removals what the record has seen of them. SL_E_NOMEM. */
sl_status sl_set_observe(const sl_record *rec, sl_op *op, sl_error **err);

#endif
