/*
 * sync/frame.h - frames of the live channel, in both encodings of PROTOCOL.md: JSON for eyes and
 * binary for speed. A frame's plain fields are in sl_frame; the records, operations or receipts
 * that it carries are written through sl_items and read one at a time.
 *
 *   [FRAME-1] what one end wrote the other end reads as it was, in either encoding;
 *   [FRAME-2] no bytes from outside make a reader read beyond them, take more memory than
 *             SL_FRAME_ITEMS_MAX asks for, or hand on text that is no UTF-8 or has a NUL in it, or
 *             JSON that is none.
 *
 * One thread at a time for each object.
 */
#ifndef SL_SYNC_FRAME_H
#define SL_SYNC_FRAME_H

#include "sync/op.h"

enum {
    SL_FRAME_MAX = 4 * 1024 * 1024,       /* bytes of a message */
    SL_FRAME_ITEMS_MAX = 4 * 1024 * 1024, /* bytes of its items, unpacked */
    SL_FRAME_COUNT_MAX = 4096,            /* items of a frame */
    SL_FRAME_SPACES_MAX = 4096,           /* spaces that have numbers on a connection */
    SL_FRAME_ZIP_MIN = 200,               /* bytes of items that are worth packing */
    SL_FRAME_SIGNAL_MAX = 8192            /* bytes of a signal's data */
};

#define SL_FRAME_PROTOCOL_BIN  "sideline.v1"
#define SL_FRAME_PROTOCOL_JSON "sideline.v1.json"

typedef enum sl_frame_kind {
    SL_FRAME_NONE = 0, /* of a later version: ignored */
    /* client to server */
    SL_FRAME_CONNECT = 1,
    SL_FRAME_SUBSCRIBE = 2,
    SL_FRAME_UNSUBSCRIBE = 3,
    SL_FRAME_PUSH = 4, /* operations */
    SL_FRAME_MORE = 5,
    SL_FRAME_PREFER = 6,
    SL_FRAME_TYPING = 7, /* both ways */
    SL_FRAME_LOAD = 8,
    SL_FRAME_CHECK = 9,
    SL_FRAME_SIGNAL = 10, /* both ways */
    /* server to client */
    SL_FRAME_CONNECTED = 16,
    SL_FRAME_PAGE = 17, /* records */
    SL_FRAME_SUBSCRIBED = 18,
    SL_FRAME_CHANGE = 19,   /* records */
    SL_FRAME_RECEIPTS = 20, /* receipts */
    SL_FRAME_RESET = 21,
    SL_FRAME_REVOKED = 22,
    SL_FRAME_ERROR = 23,
    SL_FRAME_LOADED = 24, /* records */
    SL_FRAME_CHECKED = 25
} sl_frame_kind;

/* What a kind does not use is 0 or NULL. Texts of a frame that was read are the reader's, until its
 * next frame. */
typedef struct sl_frame {
    sl_frame_kind kind;
    const char *space;
    const char *epoch;  /* NULL is "" */
    const char *token;  /* connect */
    const char *device; /* connect */
    const char *user;   /* connected; typing, signal from the server */
    const char *what;   /* signal: "present", "stroke" */
    const char *data;   /* signal */
    int64_t
        until_ms; /* typing, signal from the server: how long it holds, by its clock; 0: not said */
    const char *role;    /* subscribed */
    const char *code;    /* error */
    const char *message; /* error */
    int64_t retry_s;     /* error: not before so many seconds; 0: not said */
    int64_t version;     /* connect */
    int64_t floor;       /* connect */
    uint32_t clock;      /* connect: the device's number in its stamps */
    bool zip;            /* connect, connected: packed items can be read */
    int64_t now_ms;      /* connected */
    int64_t from;      /* subscribe: the cursor; page, change: what is covered is (from, to]; load,
                          * loaded: the same of places */
    int64_t to;        /* and subscribed: the head; checked: the number that it was at */
    int64_t last;      /* subscribe: so many of the newest places will do; 0: all */
    int64_t hole;      /* page: places above `from`, up to here, are left out; 0: none */
    int64_t limit;     /* load: of places */
    bool up;           /* load: from the lower end */
    const char *id;    /* load: around the place of this record; NULL: in the range */
    const char *holes; /* check, checked: as text (sync/holes.h) */
    bool more;         /* page */
    int64_t bytes;     /* more: of pages stored since the last time */
    bool summed;       /* subscribed, checked: `sum` is there */
    uint64_t sum;      /* of the space at `to`; checked: but for what is in the holes */
    size_t count;      /* of what it carries; set by the reader, and by sl_frame_put */
} sl_frame;

typedef enum sl_result {
    SL_APPLIED,
    SL_MERGED,
    SL_REJECTED
} sl_result;

typedef struct sl_receipt {
    int64_t n;
    sl_result result;
    int64_t seq;
    const char *code; /* of a rejection, as the two below; may be NULL */
    const char *message;
    const char *field;
} sl_receipt;

/* --- one end of a connection: zero-initialise, set `binary` and `server`; free ------------------ */

typedef struct sl_wire {
    bool binary;
    bool server;                  /* this end is the server's */
    bool zip;                     /* the other end reads packed items */
    int64_t base_ms;              /* the server's clock as it greeted */
    uint32_t clock;               /* of the client's stamps */
    uint32_t last;                /* the number asked for last, mostly asked for again; 0: none */
    int64_t last_n;               /* of the last operation sent */
    char (*spaces)[SL_SPACE_MAX]; /* those that have numbers */
    size_t space_count;
    size_t space_cap;
    uint32_t *places; /* by hash of name: number + 1, 0 for none */
    size_t place_count;
} sl_wire;

void sl_wire_free(sl_wire *w); /* the struct is then zeroed */
/* The number by which this end calls the space; 0: it has none. Of the server's frames without items those
 * are equal, octet by octet, whose wires are of one kind and have one number for their space. */
uint32_t sl_wire_number(sl_wire *w, const char *space);

/* --- what a frame carries ----------------------------------------------------------------------- */

typedef struct sl_items sl_items;

sl_items *sl_items_new(void); /* NULL: out of memory */
void sl_items_free(sl_items *it);
void sl_items_clear(sl_items *it);
/* Take a copy. All of one kind until cleared, at most SL_FRAME_COUNT_MAX. SL_E_NOMEM, SL_E_LIMIT. */
sl_status sl_items_record(sl_items *it, const sl_record *rec);
sl_status sl_items_op(sl_items *it, const sl_op *op);
sl_status sl_items_receipt(sl_items *it, const sl_receipt *r);
size_t sl_items_count(const sl_items *it);
/* About how many bytes they take, not packed. */
size_t sl_items_size(const sl_items *it);

/* Appends a frame as this connection has it. Records are encoded once for all connections that they
 * are put to under the same `from`. items: NULL when there are none. Failure shows in `out`. */
void sl_frame_put(sl_wire *w, sl_buf *out, const sl_frame *f, sl_items *items);

/* --- reading ------------------------------------------------------------------------------------ */

typedef struct sl_frame_in sl_frame_in;

sl_frame_in *sl_frame_in_new(void); /* NULL: out of memory */
void sl_frame_in_free(sl_frame_in *in);

/* One message. The bytes are borrowed until the last item was read. SL_E_INVALID: not a frame of
 * this version, or of the other end's; SL_E_LIMIT: too large; SL_E_NOMEM. */
sl_status sl_frame_read(sl_frame_in *in, sl_wire *w, const void *p, size_t n, sl_frame *out,
                        sl_error **err);
/* The next record of a page or change, into a zeroed one or in the place of another; *got is false
 * behind the last. rec->entity NULL: of a later version, left out. */
sl_status sl_frame_record(sl_frame_in *in, sl_record *rec, bool *got, sl_error **err);
/* The next operation. *bad: n and hlc are right, but it is not one that this version knows, for the
 * reason in *why (owned by the caller; may be NULL). */
sl_status sl_frame_op(sl_frame_in *in, sl_op *op, bool *got, bool *bad, sl_error **why);
/* Texts are the reader's, until its next frame. */
sl_status sl_frame_receipt(sl_frame_in *in, sl_receipt *r, bool *got, sl_error **err);

#endif
