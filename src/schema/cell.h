/*
 * schema/cell.h - one value: of a field, of a row of a database, of a parameter.
 *
 * In memory ids, references and the names of blobs are text, as people and JSON have them;
 * databases and the binary encodings keep their bytes.
 */
#ifndef SL_SCHEMA_CELL_H
#define SL_SCHEMA_CELL_H

#include "base/arena.h"

#include <stdint.h>

typedef enum sl_cell_kind {
    SL_CELL_NULL,
    SL_CELL_INT,
    SL_CELL_REAL,
    SL_CELL_TEXT, /* followed by a NUL, none within */
    SL_CELL_BLOB
} sl_cell_kind;

typedef struct sl_cell {
    sl_cell_kind kind;
    uint32_t len; /* of text and blob, in bytes */
    union {
        int64_t i;
        double r;
        const char *text;
        const uint8_t *blob;
    };
} sl_cell;

/* Borrowed text; NULL gives a null. */
sl_cell sl_cell_text(const char *s);
sl_cell sl_cell_text_n(const char *s, size_t n);
sl_cell sl_cell_blob(const void *p, size_t n);
sl_cell sl_cell_int(int64_t v);
sl_cell sl_cell_real(double v);
/* The text; NULL for other kinds. */
const char *sl_cell_str(const sl_cell *c);
/* The number, a real one cut; `otherwise` for other kinds. */
int64_t sl_cell_int_or(const sl_cell *c, int64_t otherwise);
/* True when kind and content are the same. */
bool sl_cell_same(const sl_cell *a, const sl_cell *b);
/* The same value with its bytes in the arena. False: out of memory. */
bool sl_cell_keep(sl_cell *c, sl_arena *a);

#endif
