/*
 * sideline/record.h - records: reading, atomic batches, live queries.
 *
 * A record is (space, entity, id, fields). Entities, fields, types and merge
 * policies are those of the schema: SCHEMA.md beside this file. In an operation the
 * value of a counter is what to add, that of a set {"add":[..],"remove":[..]}. In JSON a record is an object with its fields
 * and "id", "space", "entity", "seq" (0 until the server has it) and "pending"
 * (true while local changes wait to be accepted).
 */
#ifndef SIDELINE_RECORD_H
#define SIDELINE_RECORD_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

/* SL_E_NOT_FOUND when absent or deleted. */
SL_API sl_status sl_record_get(sl_core *core, const char *entity, const char *id,
                               sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);

/* One atomic batch, durable when it returns and sent when there is a connection.
 * ops: [{"op":"create","entity":"..","space":"..","id":".."?,"fields":{..}},
 *       {"op":"patch","entity":"..","id":"..","fields":{..}},
 *       {"op":"delete","entity":"..","id":".."}]
 * A space that does not exist yet is made by creating its root record with
 * "space":"video:<id>" and the same id, or without a space, which then has an id of its own. *out: {"ids":[..]}. SL_E_INVALID names field and rule.
 * A field that refers to an entity (SCHEMA.md) names a record of the same space, one that is there or
 * that this batch made before: else SL_E_NOT_FOUND names the field. Deleting a record leaves the
 * references to it as they are: sl_record_get then finds nothing, and no new ones can be made. */
SL_API sl_status sl_apply(sl_core *core, const char *ops, size_t n,
                          sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                          sl_error *SL_NULLABLE *SL_NULLABLE err);

/* The same, as part of a group: batches given the same group, a name of 1 to 64 bytes, one right after
 * the other are undone together, such as those of one drag. "" is no group. */
SL_API sl_status sl_apply_group(sl_core *core, const char *group, const char *ops, size_t n,
                                sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Undoes the newest step of a space by a new batch, which is sent like any other; redo undoes that
 * again. A step is what one batch, or the batches of one group, did in the space; only what was
 * applied through this folder is undone, never what came from others. At most 100 steps and 1 MB are
 * kept for a space, also after a restart; the oldest are forgotten. A batch over more than 16 spaces
 * is an import and cannot be undone. A new batch forgets what could be redone.
 *   a creation   is deleted, unless another device has changed the record since
 *   a deletion   the record is made again with the same fields, under a new id, for an id is never used
 *                again: "ids" tells it, and later steps follow. What referred to the old id still does
 *   a patch      each field goes back to what it was, unless it has changed since; a counter and a set
 *                take back what was added, or removed; a field with merge max stays
 * *out: {"changed":operations made,"ids":{"old":"new",..},"left":[{"entity","id","field"?,"why"}],
 * "undo":n,"redo":n}: what was left as it is and why, and how many steps there are now. A step of which
 * nothing can be undone changes nothing and is done with.
 * SL_E_NOT_FOUND: there is nothing to undo, or redo. */
SL_API sl_status sl_undo(sl_core *core, const char *space, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                         sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API sl_status sl_redo(sl_core *core, const char *space, sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                         sl_error *SL_NULLABLE *SL_NULLABLE err);

/* Operations that the server refused, or that waited in a space that was taken away, are drafts: undone
 * in the records, kept with all they carried until they are sent again or discarded. Each is told by a
 * "rejected" event, and holds up no other.
 * *out: JSON array, oldest first, at most 1000 with a number above `after` (0: from the start); space
 * NULL: of all spaces.
 *   {"draft":n,"op","entity","space","id","fields"?,"code","message","field"?,"needs":[n,..]?}
 * "needs": drafts among these that make the record, or one it refers to. */
SL_API sl_status sl_drafts(sl_core *core, const char *SL_NULLABLE space, sl_id after,
                           sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                           sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Makes a new operation of a draft, which is gone then. json: an object of fields that take the place
 * of the draft's own, {} for none. *out: {"id":".."}: the record's, a new one when its id was another
 * record's. SL_E_NOT_FOUND: no such draft, or no such record to patch or delete any more. When it
 * fails, the draft stays. */
SL_API sl_status sl_draft_send(sl_core *core, sl_id draft, const char *json, size_t n,
                               sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
/* Uploads of files that nothing else names are given up with it; what is here of them stays. */
SL_API sl_status sl_draft_discard(sl_core *core, sl_id draft,
                                  sl_error *SL_NULLABLE *SL_NULLABLE err);

/* query, a JSON object; *out: JSON array of records. All but "from" may be left out:
 *   "from"     the entity
 *   "where"    {"field":condition,..}: all must hold. Fields are the schema's, "id", "space", "seq".
 *              A condition is a value it equals, or {"eq","ne","lt","le","gt","ge":value,
 *              "in":[values],"prefix":text,"text":part of the text, ASCII letters in any case}
 *              (these two of text and enum fields only; "lt" to "ge" of ids take whole ids), of
 *              which all given must hold. null is an absent value: it equals null, differs from
 *              every value and is neither more nor less. Also in "where": "and":[{..},..],
 *              "or":[{..},..], "not":{..}, each of objects like itself. At most 64 conditions,
 *              8 deep, 256 values in "in", 1000 bytes of "prefix" and "text".
 *   "search"   words that must all be in the record's searched text, the last one as a beginning;
 *              accents and case make no difference
 *   "snippet"  true: with a search, "snippet" is the place found, hits in [ ]
 *   "order"    ["field" or "-field",..], at most 4; then by id. Absent comes before all values, a
 *              record without a seq after all that have one. Without it: a search by how well the
 *              words were met, else by id.
 *   "after"    {order's fields.., "id":..}: only records after this one in "order", so the last
 *              record of one page is the start of the next
 *   "limit"    1 to 10000; 1000 when absent
 *   "select"   ["field",..]: these and "id" only; "entity", "space", "seq", "pending" too are named
 *   "count"    true: *out is [{"count":n}] of all that match, whatever the limit
 * SL_E_INVALID and SL_E_LIMIT name the part or field at fault. */
SL_API sl_status sl_query_once(sl_core *core, const char *query, size_t n,
                               sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
/* A live query: one "rows" event now and after each change that may matter. One with "space" among
 * the conditions that must hold hears of that space only; of a few records that change one hears that had
 * one of them in its last answer, or whose conditions one meets now, its limit aside. Counts and searches,
 * and all after many changes at once, hear of each record of their entity. The row of a "count" has
 * the id "count". */
SL_API sl_status sl_query_watch(sl_core *core, const char *query, size_t n, sl_id *sub,
                                sl_error *SL_NULLABLE *SL_NULLABLE err);
/* The difference since the last take: {"upserts":[records],"removed":[ids],"order":[ids]}. */
SL_API sl_status sl_query_take(sl_core *core, sl_id sub, sl_bytes *SL_NULLABLE *SL_NULLABLE diff,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
SL_API sl_status sl_query_unwatch(sl_core *core, sl_id sub);

SL_END
#ifdef __cplusplus
}
#endif

#endif
