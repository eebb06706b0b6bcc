/*
 * schema/record.h - a record in memory.
 *
 * A value is the cell of its field, null where absent: text for text, ref, blob, enum; int for int
 * and bool (0, 1); real; json as the text of an object or array, canonical as base/json.h prints it.
 * What this version does not know, fields and values of a later one, is kept in `ext` and handed
 * on untouched: a JSON object by name, or by "#number" when only that came.
 *
 * A clock says when a field was last written: an lww field's stamp, or the marks of a set or a
 * counter (sync/set.h). A field without one is as old as the record's birth.
 *
 * A record is made in a zeroed struct or in the place of another, whose memory it uses. All that it
 * points to is its own and goes with sl_record_free. Numbers of JSON are exact to 2^53.
 */
#ifndef SL_SCHEMA_RECORD_H
#define SL_SCHEMA_RECORD_H

#include "base/buf.h"
#include "base/hlc.h"
#include "base/uuid.h"
#include "schema/schema.h"

typedef struct sl_clock {
    sl_hlc at;         /* time 0: none */
    const char *marks; /* JSON object, of a set or a counter; NULL: none */
} sl_clock;

typedef struct sl_record {
    const sl_entity *entity; /* NULL: no record */
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    int64_t seq;
    bool deleted;
    sl_hlc birth;
    sl_cell *values;  /* one for each field of the entity */
    sl_clock *clocks; /* likewise; NULL: none */
    const char *ext;  /* NULL: nothing */
    sl_arena mem;
} sl_record;

/* Without values. SL_E_NOMEM; SL_E_INVALID: entity NULL, or id or space is none. */
sl_status sl_record_make(sl_record *r, const sl_entity *e, const char *id, const char *space,
                         sl_error **err);
void sl_record_free(sl_record *r); /* the struct is then zeroed */
/* Into a zeroed struct or in the place of another record. SL_E_NOMEM. */
sl_status sl_record_copy(sl_record *to, const sl_record *from);
/* Gives up values, clocks and ext, for good. */
void sl_record_bury(sl_record *r);

/* The cell of a field by name: the schema's own names only. */
const sl_cell *sl_record_cell(const sl_record *r, const char *field);
/* Its text, NULL when absent; its number. */
const char *sl_record_text(const sl_record *r, const char *field);
int64_t sl_record_int(const sl_record *r, const char *field, int64_t otherwise);

/* Puts a copy of the value in, and a later version's value of the field out. SL_E_NOMEM. */
sl_status sl_record_set(sl_record *r, const sl_field *f, const sl_cell *v, sl_error **err);
/* The field's clock, made when there is none; NULL: out of memory. */
sl_clock *sl_record_clock(sl_record *r, const sl_field *f);
/* When an lww field was last written: its own stamp, or the birth's. */
sl_hlc sl_record_written(const sl_record *r, const sl_field *f);
/* Keeps a value of a later version under a name. SL_E_NOMEM. */
sl_status sl_record_set_ext(sl_record *r, const char *name, const sl_json *v, sl_error **err);

/* --- JSON (record_json.c) ------------------------------------------------------------------- */

/* {"entity","id","space","seq","deleted":true?,"fields":{..},"clocks":{..}}; clocks: "*" the birth's
 * stamp, then by field. */
void sl_record_put_wire(sl_buf *out, const sl_record *r);
/* SL_E_INVALID for what is no record of a known entity. */
sl_status sl_record_from_wire(sl_record *r, const sl_json *j, sl_error **err);
/* As sideline/record.h describes it. */
void sl_record_put_public(sl_buf *out, const sl_record *r, bool pending);
/* The members of an ext, each after a comma: for the text of a record that is being put together. */
void sl_ext_put_public(sl_buf *out, const char *ext, size_t n);
/* One value as JSON text. */
void sl_cell_put_json(sl_buf *out, const sl_field *f, const sl_cell *v);
/* A value from JSON, its bytes in the arena, its type checked, not its limits. null is a null. */
sl_status sl_cell_from_json(sl_cell *out, const sl_field *f, const sl_json *j, sl_arena *mem,
                            sl_error **err);

/* --- rows and packed records (record_pack.c) ------------------------------------------------- */

/* Clocks as bytes: birth, then those of fields, by number. */
void sl_record_put_clocks(sl_buf *out, const sl_record *r);
/* SL_E_CORRUPT. Clocks of unknown fields are left out. */
sl_status sl_record_read_clocks(sl_record *r, const uint8_t *p, size_t n, sl_error **err);

/* Bytes that tell fields by number and say their own types: what is kept in outbox and shadow. */
void sl_values_pack(sl_buf *out, const sl_entity *e, const sl_cell *values, uint64_t has);
void sl_record_pack(sl_buf *out, const sl_record *r);
/* *values: field_count cells in the arena, `has` a bit by index of those that were there. Fields of
 * unknown numbers are left out. SL_E_CORRUPT. */
sl_status sl_values_unpack(const sl_entity *e, const uint8_t *p, size_t n, sl_arena *mem,
                           sl_cell **values, uint64_t *has, sl_error **err);
sl_status sl_record_unpack(sl_record *r, const uint8_t *p, size_t n, sl_error **err);

#endif
