/*
 * sync/frame_inside.h - what the files of the frames share.
 *
 *   frame.c        spaces' numbers, what a frame carries, which encoding
 *   frame_json.c   the one for eyes
 *   frame_bin_*.c  the binary one: fields of frames, one row by itself, receipts
 *   rows_put.c     many rows in columns, written
 *   rows_get.c     and read
 */
#ifndef SL_SYNC_FRAME_INSIDE_H
#define SL_SYNC_FRAME_INSIDE_H

#include "sync/column.h"
#include "sync/frame.h"

enum {
    SL_ROW_HASH = 32, /* bytes of a blob's name */
    SL_ROW_NULLS = 0x80
};

/* Types of values say how long they are: a reader passes over what it does not know. */
typedef enum sl_row_type {
    SL_ROW_INT = 1,
    SL_ROW_BOOL = 2,
    SL_ROW_REAL = 3,
    SL_ROW_TEXT = 4,
    SL_ROW_JSON = 5,
    SL_ROW_ID = 6,     /* 16 bytes */
    SL_ROW_SHA = 7,    /* 32 bytes */
    SL_ROW_STAMP = 8,  /* when a field was last written */
    SL_ROW_MARKS = 9,  /* JSON, of a set or a counter */
    SL_ROW_NULL = 10,  /* in a row by itself */
    SL_ROW_BASE64 = 11 /* text that is base64 (RFC 4648, padded), as the bytes that it says */
} sl_row_type;

/* Numbers beside those of fields: 0 is a record's `ext`. */
enum {
    SL_ROW_EXT = 0
};

/* A record or an operation. */
typedef struct sl_row {
    const sl_entity *entity;
    uint8_t id[SL_UUID_BYTES];
    int64_t number; /* seq or n */
    unsigned mark;  /* deleted, or the operation's kind */
    sl_hlc stamp;   /* birth or the operation's */
    uint64_t has;
    const sl_cell *values;
    const sl_clock *clocks;
    const char *ext;
    const char *space;
} sl_row;

/* A value on its way in. */
typedef struct sl_row_value {
    uint64_t no;
    unsigned type;
    int64_t i; /* bool too */
    double r;
    sl_span s;
    sl_hlc at;
} sl_row_value;

typedef enum sl_items_kind {
    SL_ITEMS_NONE,
    SL_ITEMS_RECORDS,
    SL_ITEMS_OPS,
    SL_ITEMS_RECEIPTS
} sl_items_kind;

struct sl_items {
    sl_items_kind kind;
    size_t count;
    size_t cap;
    size_t size;
    sl_record *records;
    sl_op *ops;
    sl_receipt *receipts;
    sl_arena mem;
    /* As encoded; records keep theirs until they change. */
    bool have_bin;
    bool have_json;
    bool tried_zip;
    int64_t bin_from;
    sl_buf bin;
    sl_buf zip; /* empty: not worth it */
    sl_buf json;
    /* On the way. */
    sl_arena scratch;
    sl_buf body;
    sl_buf tmp[4];
};

enum {
    SL_ROW_COLUMNS = 160 /* of a run: values and clocks of all fields, and some unknown */
};

typedef struct sl_row_column {
    uint64_t no;
    unsigned type;
    bool nulls;
    sl_bits has;
    sl_bits null;
    sl_bits bits;
    sl_ints ints;
    sl_ints counters;
    sl_ints devices;
    sl_spans spans;
} sl_row_column;

/* A run being read. */
typedef struct sl_run {
    size_t left;
    const sl_entity *entity; /* NULL: unknown, and `left` rows to be passed over */
    char space[SL_SPACE_MAX];
    sl_ints numbers;
    sl_ints marks;
    unsigned ids_mode;
    sl_rd ids;
    sl_ints id_ms;
    sl_ints id_high;
    uint64_t id_low;
    bool stamps_by_id;
    sl_ints stamp_ms;
    sl_ints stamp_counter;
    sl_ints stamp_device;
    size_t column_count;
    sl_row_column columns[SL_ROW_COLUMNS];
} sl_run;

struct sl_frame_in {
    sl_wire *wire;
    sl_frame frame;
    bool binary;
    bool single;
    size_t left; /* items not read yet */
    sl_rd items;
    sl_buf unpacked;
    sl_arena mem; /* texts of the frame, dictionaries of the run */
    sl_run run;
    int64_t last_n; /* receipts */
    int64_t last_seq;
    size_t same_left; /* receipts left in the group */
    unsigned same_head;
    sl_json *json;
    const sl_json *item;
};

/* --- frame.c --- */

/* A space by its number, by its name, or by its name with a number from now on. */
void sl_wire_put_space(sl_wire *w, sl_buf *out, const char *space);
/* False: not a space that this end may be told so. */
bool sl_wire_read_space(sl_wire *w, sl_rd *in, char out[SL_SPACE_MAX]);
/* Which end sends this kind. */
bool sl_frame_from_client(sl_frame_kind kind);
bool sl_frame_from_server(sl_frame_kind kind);
sl_items_kind sl_frame_carries(sl_frame_kind kind);
bool sl_frame_names_space(sl_frame_kind kind);
sl_status sl_frame_broken(sl_error **err);
/* A text in the reader's memory; NULL: out of memory. */
const char *sl_frame_text(sl_frame_in *in, const void *p, size_t n);

/* --- frame_json.c --- */

void sl_frame_json_put(sl_buf *out, const sl_frame *f, sl_items *items);
sl_status sl_frame_json_read(sl_frame_in *in, const void *p, size_t n, sl_error **err);
sl_status sl_frame_json_record(sl_frame_in *in, sl_record *rec, sl_error **err);
sl_status sl_frame_json_op(sl_frame_in *in, sl_op *op, bool *bad, sl_error **why);
sl_status sl_frame_json_receipt(sl_frame_in *in, sl_receipt *r, sl_error **err);

/* --- frame_bin_put.c, frame_bin_get.c --- */

void sl_frame_bin_put(sl_wire *w, sl_buf *out, const sl_frame *f, sl_items *items);
sl_status sl_frame_bin_read(sl_frame_in *in, const void *p, size_t n, sl_error **err);
sl_status sl_frame_bin_record(sl_frame_in *in, sl_record *rec, sl_error **err);
sl_status sl_frame_bin_op(sl_frame_in *in, sl_op *op, bool *bad, sl_error **why);
sl_status sl_frame_bin_receipt(sl_frame_in *in, sl_receipt *r, sl_error **err);

/* --- rows_put.c --- */

/* Everything of rows of one entity but the head. `base`: the number before the first. */
void sl_rows_put(sl_items *it, sl_buf *out, const sl_row *rows, size_t n, int64_t base);
/* True for text worth to be sent as the bytes that it says in base64. */
bool sl_row_is_base64(const sl_cell *v);
/* The type of one value of a field; base64 is text here. */
sl_row_type sl_row_type_of(const sl_field *f, const sl_cell *v);
/* The ms of a version 7 id; -1 for another. */
int64_t sl_row_id_ms(const uint8_t id[SL_UUID_BYTES]);

/* --- rows_get.c --- */

/* Starts on a run of `rows` rows. False: broken, or out of memory (in->mem). */
bool sl_run_start(sl_frame_in *in, sl_rd *body, size_t rows, int64_t base);
/* The next row but its values: id, number, mark, stamp. */
bool sl_run_next(sl_run *run, sl_row *row);
/* The value of column i in this row; false: none. */
bool sl_run_value(sl_run *run, size_t i, sl_hlc birth, sl_row_value *v);
/* True when the run was right to its last byte. */
bool sl_run_done(const sl_run *run);
/* Puts a value in. SL_E_INVALID: broken, or what this version's operations do not have; SL_E_NOMEM. */
sl_status sl_row_into_record(sl_record *rec, const sl_row_value *v, sl_error **err);
sl_status sl_row_into_op(sl_op *op, const sl_row_value *v, sl_error **err);

#endif
