/*
 * store/query.h - a parsed query, shared by the files that parse, search and run it.
 *
 * Values become parameters; the only names in the SQL are the schema's own. A condition
 * on an absent value is false, and `not` of it true: never unknown.
 */
#ifndef SL_STORE_QUERY_H
#define SL_STORE_QUERY_H

#include "base/buf.h"
#include "store/inside.h"

enum {
    SL_QUERY_DEPTH_MAX = 8,
    SL_QUERY_CONDITIONS_MAX = 64,
    SL_QUERY_IN_MAX = 256,
    SL_QUERY_TEXT_MAX = 1000, /* bytes of a prefix, a text or a search */
    SL_QUERY_WORDS_MAX = 32,
    SL_QUERY_ORDER_MAX = 4,
    SL_QUERY_KEYS_MAX = SL_QUERY_ORDER_MAX * 2 + 1,
    SL_QUERY_SORT_MAX = 2000, /* rows sorted by us */
    SL_QUERY_LIMIT_MAX = 10000,
    SL_QUERY_LIMIT_DEFAULT = 1000
};

/* A member of a row. */
typedef enum sl_out_kind {
    SL_OUT_GIVEN, /* the same in every row: the key has the value too */
    SL_OUT_ENTITY,
    SL_OUT_SPACE,
    SL_OUT_SEQ,
    SL_OUT_PENDING,
    SL_OUT_EXT, /* all of it */
    SL_OUT_FIELD,
    SL_OUT_SNIPPET
} sl_out_kind;
typedef struct sl_out {
    sl_out_kind kind;
    const sl_field *field;
    const char *key; /* ,"name": of the member, in the query's memory */
    size_t key_len;
    size_t column; /* of the row; 0: it needs none */
} sl_out;

struct sl_query {
    const sl_entity *entity;
    char space[SL_SPACE_MAX]; /* "" when any */
    char *sql;
    char *plain;    /* the same without order, for few rows; NULL: never */
    char *one;      /* asks whether one record meets the conditions; made when it is wanted */
    size_t one_id;  /* its parameter for the id */
    size_t rest_at; /* in sql: from FROM up to the order */
    size_t rest_len;
    int64_t limit;
    size_t key_count;
    size_t key_at[SL_QUERY_KEYS_MAX]; /* columns of `plain` */
    bool down[SL_QUERY_KEYS_MAX];
    sl_cell *params; /* their bytes are in mem */
    size_t param_count;
    size_t param_room;
    sl_arena mem;
    sl_out out[SL_CELLS_MAX]; /* a row after its id, in order of the columns */
    size_t out_count;
    size_t column_count; /* of a row: rid, id, what `out` needs */
    bool indexed;        /* an index gives the order within a space */
    bool placed;         /* all that is found has a place */
    bool count;
    bool search;
    bool snippet;
    bool tells_space;
};

enum {
    SL_QUERY_ID = 1 /* the column of the id in every row */
};

/* What a query may name: a field, or "id", "space", "seq". */
typedef struct sl_column {
    const char *name; /* the schema's */
    sl_type type;
    bool nullable;
} sl_column;
bool sl_query_column(const sl_entity *e, const char *name, sl_column *out);
/* The column as SQL. */
void sl_query_put_column(const sl_query *q, sl_buf *sql, const sl_column *c);

/* SL_E_INVALID, naming the column, when the value is not of its type. null is no value. */
sl_status sl_query_check_value(const sl_column *c, const sl_json *v, sl_error **err);
/* The same for what comes before or after the value: ids and names of blobs only as wholes. */
sl_status sl_query_check_rank(const sl_column *c, const sl_json *v, sl_error **err);
/* The number of the new parameter, a value to be compared with the column; 0: out of memory. */
size_t sl_query_param(sl_query *q, const sl_column *c, const sl_json *v);
size_t sl_query_param_int(sl_query *q, int64_t v);
size_t sl_query_param_text(sl_query *q, const char *text, size_t len);

/* Adds the SQL of a "where" object as one expression and finds the query's space. */
sl_status sl_query_where(sl_query *q, const sl_json *where, sl_buf *sql, sl_error **err);

/* Rows as they are written. */
typedef struct sl_rows {
    sl_reader *reader;
    const sl_query *query;
    sl_buf *out;
    sl_status status; /* of the row last put */
    sl_error **err;
} sl_rows;
/* Writes the row; its id into `id`, "" for a count. False: see status. */
bool sl_query_put_row(sl_rows *r, const sl_cell *cells, char id[SL_UUID_LEN + 1]);
/* Runs `plain` and hands its rows on in order. *many: they are too many for us, none was given. */
sl_status sl_query_sorted(const sl_rows *r, sl_query_row fn, void *ctx, bool *many);

/* True when the entity has a field marked for search. */
bool sl_search_covers(const sl_entity *e);
/* The words of a person as an FTS5 expression that finds all of them, the last one as a prefix.
 * Any text is fine: one without words finds nothing. SL_E_INVALID when it is too long. */
sl_status sl_search_expression(const char *words, sl_buf *out, sl_error **err);

#endif
