/*
 * fuzz/frame_fuzz.c - frames to either end, in either encoding, and what they carry.
 *
 * The first byte says which: bit 0 the server's end, bit 1 JSON. Then messages, each behind its
 * length (two bytes, low one first). What was read is written again, and must be read the same.
 */
#include "base/mem.h"
#include "sync/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct rig {
    sl_wire wire;
    sl_frame_in *in;
    sl_items *items;
    sl_record rec;
    sl_op op;
} rig;

/* Everything that the frame carries into the items. *bad: an operation of a later version. */
static sl_status read_items(rig *r, sl_frame_kind kind, bool *bad)
{
    sl_status status = SL_OK;
    bool got = true;
    while (status == SL_OK && got) {
        sl_receipt receipt;
        sl_error *why = NULL;
        bool later = false;
        if (kind == SL_FRAME_PUSH) {
            status = sl_frame_op(r->in, &r->op, &got, &later, &why);
            status = status == SL_OK && got && !later ? sl_items_op(r->items, &r->op) : status;
        } else if (kind == SL_FRAME_RECEIPTS) {
            status = sl_frame_receipt(r->in, &receipt, &got, NULL);
            status = status == SL_OK && got ? sl_items_receipt(r->items, &receipt) : status;
        } else {
            status = sl_frame_record(r->in, &r->rec, &got, NULL);
            later = got && r->rec.entity == NULL;
            status = status == SL_OK && got && !later ? sl_items_record(r->items, &r->rec) : status;
        }
        *bad = *bad || later;
        sl_error_release(why);
    }
    return status;
}

/* The items as JSON, which says all that is in them. */
static void put_plain(rig *r, sl_buf *out, sl_frame_kind kind)
{
    sl_wire plain = {.server = kind >= SL_FRAME_CONNECTED};
    sl_frame f = {.kind = kind};
    sl_frame_put(&plain, out, &f, r->items);
}

/* Writes what was read as binary, and reads that. */
static void again(rig *r, const sl_frame *f)
{
    bool at_client = f->kind >= SL_FRAME_CONNECTED;
    sl_wire from = {.binary = true, .server = at_client, .zip = true};
    sl_wire to = {.binary = true, .server = !at_client};
    sl_buf first = {0};
    sl_buf bytes = {0};
    sl_buf second = {0};
    sl_frame copy = *f;
    char space[SL_SPACE_MAX] = "";
    bool bad = false;
    if (f->space != NULL) { /* it is the reader's */
        memcpy(space, f->space, strlen(f->space) + 1);
        copy.space = space;
    }
    copy.epoch = NULL;
    put_plain(r, &first, f->kind);
    sl_frame_put(&from, &bytes, &copy, r->items);
    sl_frame back;
    sl_items_clear(r->items);
    bool ok = !first.failed && !bytes.failed &&
              sl_frame_read(r->in, &to, bytes.data, bytes.len, &back, NULL) == SL_OK &&
              read_items(r, f->kind, &bad) == SL_OK && !bad;
    put_plain(r, &second, f->kind);
    if (!ok || first.len != second.len || memcmp(first.data, second.data, first.len) != 0) {
        abort();
    }
    sl_buf_free(&first);
    sl_buf_free(&bytes);
    sl_buf_free(&second);
    sl_wire_free(&from);
    sl_wire_free(&to);
}

static void message(rig *r, const uint8_t *p, size_t n)
{
    sl_frame f;
    bool bad = false;
    sl_items_clear(r->items);
    if (sl_frame_read(r->in, &r->wire, p, n, &f, NULL) != SL_OK) {
        return;
    }
    if (f.space != NULL && !sl_space_ok(f.space)) {
        abort();
    }
    bool whole = read_items(r, f.kind, &bad) == SL_OK && !bad && sl_items_count(r->items) > 0;
    if (whole && r->wire.binary) {
        again(r, &f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    rig r = {.wire = {.server = (data[0] & 1) != 0, .binary = (data[0] & 2) == 0},
             .in = sl_frame_in_new(),
             .items = sl_items_new()};
    if (r.in == NULL || r.items == NULL) {
        abort();
    }
    size_t at = 1;
    while (at + 2 <= size) {
        size_t n = data[at] | (size_t)data[at + 1] << 8;
        at += 2;
        n = n < size - at ? n : size - at;
        uint8_t *copy = sl_mem(n); /* to the byte */
        if (copy == NULL) {
            abort();
        }
        if (n > 0) {
            memcpy(copy, data + at, n);
        }
        message(&r, copy, n);
        sl_mem_free(copy);
        at += n;
    }
    sl_wire_free(&r.wire);
    sl_frame_in_free(r.in);
    sl_items_free(r.items);
    sl_record_free(&r.rec);
    sl_op_free(&r.op);
    return 0;
}
