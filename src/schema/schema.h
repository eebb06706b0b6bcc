/*
 * schema/schema.h - entities, fields and who may write them, as tables (tables.c, generated
 * from schema.toml), and the checks that walk them.
 */
#ifndef SL_SCHEMA_SCHEMA_H
#define SL_SCHEMA_SCHEMA_H

#include "base/json.h"
#include "schema/cell.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum sl_type {
    SL_T_TEXT,
    SL_T_INT,
    SL_T_REAL,
    SL_T_BOOL,
    SL_T_JSON,
    SL_T_REF,
    SL_T_BLOB,
    SL_T_ENUM
} sl_type;

typedef enum sl_merge {
    SL_M_LWW,
    SL_M_IMMUTABLE,
    SL_M_MAX,
    SL_M_SERVER,
    SL_M_COUNTER, /* an operation carries what to add */
    SL_M_SET      /* an operation carries elements to add and to remove */
} sl_merge;

typedef enum sl_class {
    SL_C_PUBLIC,
    SL_C_INTERNAL,
    SL_C_SENSITIVE,
    SL_C_HIGHLY_SENSITIVE
} sl_class;

/* Roles in a space, as bits; SL_R_AUTHOR is a relation to one record. */
enum {
    SL_R_OWNER = 1,
    SL_R_COACH = 2,
    SL_R_MEMBER = 4,
    SL_R_AUTHOR = 8
};

typedef struct sl_field {
    const char *name;
    int index;   /* in its entity's fields */
    unsigned no; /* in binary encodings: never changes, never used again */
    sl_type type;
    sl_merge merge;
    sl_class data_class;
    bool required;
    bool search;  /* found by full-text search on the device */
    bool ordered; /* devices read a space's records in this order */
    int64_t min;  /* of the value; of the length in bytes for text and json */
    int64_t max;
    const char *const *values; /* of an enum, ends with NULL */
    /* Of a ref: names a record of this entity in the same space, one that was there when it was
     * written. NULL: whatever it names is of another space, or not looked at. */
    const struct sl_entity *to;
} sl_field;

typedef struct sl_entity {
    const char *name;
    const char *space_kind;
    unsigned no; /* in binary encodings: never changes, never used again */
    int index;
    unsigned create; /* SL_R_* that may */
    unsigned patch;
    unsigned remove;
    int author_field; /* index of the field that names the author, -1 when none */
    int place_field;  /* index of the field with the record's place in its space, -1 when none:
                       * devices read a space's records in this order, and need not hold old ones */
    bool root;        /* its id is the id of its space */
    uint64_t refs;    /* bits of the fields with `to` */
    const sl_field *fields;
    size_t field_count;
} sl_entity;

enum {
    SL_FIELDS_MAX = 40 /* of an entity; its sets of fields are bits of 64 */
};

extern const sl_entity sl_entities[];
extern const size_t sl_entity_count;
extern const int sl_schema_version;

const sl_entity *sl_entity_find(const char *name); /* NULL when unknown or name is NULL */
const sl_field *sl_field_find(const sl_entity *e, const char *name);
const sl_entity *sl_entity_of(uint64_t no); /* NULL when unknown */
const sl_field *sl_field_of(const sl_entity *e, uint64_t no);

/* A space's name is kind:uuid. */
enum {
    SL_SPACE_MAX = 56
};
bool sl_space_ok(const char *space);
/* True when records of some entity have places in spaces of this kind: these can be held in part. */
bool sl_space_has_places(const char *space);
/* True when the space is of this kind. */
bool sl_space_is(const char *space, const char *kind);
/* The id in the name: borrowed from it. The space must be ok. */
const char *sl_space_id(const char *space);
enum {
    SL_SPACE_BYTES = 17
};
/* A space's name as bytes: the number of its kind, its id. False: not a name, or no such kind. */
bool sl_space_encode(uint8_t out[SL_SPACE_BYTES], const char *space);
bool sl_space_decode(char out[SL_SPACE_MAX], const uint8_t bytes[SL_SPACE_BYTES]);
/* Writes kind:id. */
void sl_space_name(char out[SL_SPACE_MAX], const char *kind, const char *id);

/* What a client may write: `values` by index of the field, `has` the bits of those that are there.
 * create: required fields must be there; otherwise immutable ones must not. Fields of the server
 * are refused. SL_E_INVALID or SL_E_DENIED with the field named. A null is allowed for fields that
 * are not required. */
sl_status sl_schema_check(const sl_entity *e, const sl_cell *values, uint64_t has, bool create,
                          sl_error **err);
/* True when the value's kind is the field's, or it is null. */
bool sl_schema_kind_ok(const sl_field *f, const sl_cell *v);
/* A field's value against its type and limits. */
sl_status sl_schema_check_value(const sl_field *f, const sl_cell *v, sl_error **err);

#endif
