/* unit/sync/frames.h - two ends of a connection, and random records and operations to send. */
#ifndef SL_TESTS_UNIT_SYNC_FRAMES_H
#define SL_TESTS_UNIT_SYNC_FRAMES_H

#include "base/prng.h"
#include "sync/frame.h"

#include <check.h>

typedef struct ends {
    sl_wire client;
    sl_wire server;
    sl_frame_in *in;
    sl_items *items;
    sl_buf bytes; /* of the last frame put */
    sl_prng prng;
    uint64_t low; /* of ids: they rise */
} ends;

void ends_open(ends *e, bool binary, bool zip);
void ends_close(ends *e);
/* Written at one end and read at the other. */
sl_frame pass(ends *e, bool to_server, const sl_frame *f, sl_items *items);
/* A record of the entity with about half its fields, marks and stamps, right by the schema. */
void random_record(ends *e, sl_record *rec, const sl_entity *entity, const char *space,
                   int64_t seq);
void random_op(ends *e, sl_op *op, const sl_entity *entity, const char *space, int64_t n);
/* Whatever is in them, as text. */
void record_same(const sl_record *a, const sl_record *b);
void op_same(const sl_op *a, const sl_op *b);
/* A space of the kind the entity lives in. */
void space_for(const sl_entity *entity, char out[SL_SPACE_MAX]);

#endif
