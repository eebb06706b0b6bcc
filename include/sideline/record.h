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
 * "space":"video:<id>" and the same id. *out: {"ids":[..]}. SL_E_INVALID names field and rule. */
SL_API sl_status sl_apply(sl_core *core, const char *ops, size_t n,
                          sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                          sl_error *SL_NULLABLE *SL_NULLABLE err);

/* query: {"from":entity,"where":{field or "space" or "id": value},"order":["field"|"-field"],
 * "limit":n}. *out: JSON array of records. */
SL_API sl_status sl_query_once(sl_core *core, const char *query, size_t n,
                               sl_bytes *SL_NULLABLE *SL_NULLABLE out,
                               sl_error *SL_NULLABLE *SL_NULLABLE err);
/* A live query: one "rows" event now and after each change that may matter. */
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
