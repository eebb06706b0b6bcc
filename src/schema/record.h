/*
 * schema/record.h - a record in memory, on the wire and in a row.
 *
 * fields: name -> value; absent and null mean the same. clocks: name -> hybrid stamp
 * (text) of the last write of an lww field; "*" is the stamp of the creation and counts
 * for every lww field without its own. Fields this version does not know, and values that it
 * does not allow in those it knows, are kept in `ext` and handed on untouched.
 *
 * Columns of a row, in order: id, space, seq, deleted, clocks, ext, then the fields.
 */
#ifndef SL_SCHEMA_RECORD_H
#define SL_SCHEMA_RECORD_H

#include "base/uuid.h"
#include "schema/schema.h"

typedef struct sl_record {
    const sl_entity *entity; /* NULL: no record */
    char id[SL_UUID_LEN + 1];
    char space[SL_SPACE_MAX];
    int64_t seq;
    bool deleted;
    sl_json *fields;
    sl_json *clocks;
    sl_json *ext; /* NULL or an object */
} sl_record;

void sl_record_free(sl_record *r); /* what it holds; the struct is then empty */
sl_status sl_record_copy(sl_record *to, const sl_record *from); /* SL_E_NOMEM */

/* {"entity","id","space","seq","deleted":true?,"fields":{..},"clocks":{..}}; NULL: out of memory */
sl_json *sl_record_to_wire(const sl_record *r);
/* SL_E_INVALID for what is no record of a known entity. */
sl_status sl_record_from_wire(sl_record *out, const sl_json *j, sl_error **err);

/* As sideline/record.h describes it. NULL: out of memory. */
sl_json *sl_record_to_public(const sl_record *r, bool pending);

/* One value of a row or of a parameter. */
typedef enum sl_cell_kind {
    SL_CELL_NULL,
    SL_CELL_INT,
    SL_CELL_REAL,
    SL_CELL_TEXT
} sl_cell_kind;
typedef struct sl_cell {
    sl_cell_kind kind;
    int64_t i;
    double r;
    char *text; /* owned in what these two functions make */
} sl_cell;

enum {
    SL_CELLS_MAX = 40
};
size_t sl_record_cell_count(const sl_entity *e);
void sl_cells_free(sl_cell *cells, size_t n);
sl_status sl_record_to_cells(const sl_record *r, sl_cell cells[SL_CELLS_MAX], sl_error **err);
sl_status sl_record_from_cells(sl_record *out, const sl_entity *e, const sl_cell *cells,
                               sl_error **err);

#endif
