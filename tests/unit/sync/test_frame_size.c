/* How many bytes frames take: bounds, so that no change makes them grow unseen. */
#include "base/base64.h"
#include "support.h"
#include "sync/zip.h"
#include "unit/sync/frames.h"

#include <stdio.h>
#include <string.h>

#define SPACE  "video:01890000-0000-7000-8000-0000000000aa"
#define DEVICE "01890000-0000-7000-8000-0000000000dd"
#define NOW    INT64_C(1700000000000)

enum {
    CLOCK = 77
};

/* Ends that have greeted each other and speak of the space. */
static void open_greeted(ends *e)
{
    ends_open(e, true, true);
    sl_frame connect = {.kind = SL_FRAME_CONNECT,
                        .version = 1,
                        .token = "t",
                        .device = DEVICE,
                        .floor = 1,
                        .clock = CLOCK};
    (void)pass(e, true, &connect, NULL);
    (void)pass(e, false, &(sl_frame){.kind = SL_FRAME_CONNECTED, .user = DEVICE, .now_ms = NOW},
               NULL);
    (void)pass(e, true, &(sl_frame){.kind = SL_FRAME_SUBSCRIBE, .space = SPACE}, NULL);
}

/* The k-th id of a device that counts within a start, or of one that throws dice. */
static void make_id(ends *e, char out[SL_UUID_LEN + 1], int64_t k, bool counted)
{
    uint8_t tail[10] = {0x7a, 0xbc, 0x9d, 0x11, 0x22, 0x33};
    for (int i = 0; i < 4; i++) {
        tail[9 - i] = (uint8_t)(k >> (8 * i));
    }
    for (int i = 0; !counted && i < 10; i++) {
        tail[i] = (uint8_t)sl_prng_next(&e->prng);
    }
    sl_uuid7(out, NOW - 1000000 + k * 3 + (int64_t)sl_prng_below(&e->prng, 3), tail);
}

static void make_edit(ends *e, sl_op *op, int64_t n, bool counted)
{
    sl_op_clear(op);
    op->n = n;
    op->kind = SL_OP_PATCH;
    op->entity = sl_entity_find("annotation");
    memcpy(op->space, SPACE, sizeof SPACE);
    make_id(e, op->id, n, counted);
    op->hlc = (sl_hlc){(uint64_t)(NOW + 500000) << 16 | (uint64_t)(n % 1000), CLOCK};
    op->values = sl_arena_take(&op->mem, op->entity->field_count * sizeof *op->values);
    memset(op->values, 0, op->entity->field_count * sizeof *op->values);
    const sl_field *f = sl_field_find(op->entity, "t_out");
    op->values[f->index] = sl_cell_int((int64_t)sl_prng_below(&e->prng, 60) * 100000);
    op->has = UINT64_C(1) << f->index;
}

START_TEST(size__one_edit_takes_at_most_32_bytes)
{
    ends e;
    sl_op op = {0};
    open_greeted(&e);
    for (int64_t n = 1; n < 4; n++) {
        make_edit(&e, &op, n, false);
        sl_items_clear(e.items);
        ck_assert_int_eq(sl_items_op(e.items, &op), SL_OK);
        (void)pass(&e, true, &(sl_frame){.kind = SL_FRAME_PUSH}, e.items);
        bool got = false;
        bool bad = false;
        ck_assert_int_eq(sl_frame_op(e.in, &op, &got, &bad, NULL), SL_OK);
        ck_assert(got && !bad && op.n == n);
        printf("one edit: %zu bytes\n", e.bytes.len);
        ck_assert_uint_le(e.bytes.len, 32);
    }
    sl_items_clear(e.items);
    sl_receipt r = {.n = 3, .result = SL_APPLIED, .seq = 20};
    ck_assert_int_eq(sl_items_receipt(e.items, &r), SL_OK);
    (void)pass(&e, false, &(sl_frame){.kind = SL_FRAME_RECEIPTS}, e.items);
    ck_assert_uint_le(e.bytes.len, 8);
    sl_op_free(&op);
    ends_close(&e);
}
END_TEST

static size_t push_edits(bool counted)
{
    ends e;
    sl_op op = {0};
    size_t bytes = 0;
    open_greeted(&e);
    for (int64_t n = 1; n <= 10000; n++) {
        make_edit(&e, &op, n, counted);
        ck_assert_int_eq(sl_items_op(e.items, &op), SL_OK);
        if (n % 500 == 0) {
            sl_buf_clear(&e.bytes);
            sl_frame_put(&e.client, &e.bytes, &(sl_frame){.kind = SL_FRAME_PUSH}, e.items);
            bytes += e.bytes.len;
            sl_items_clear(e.items);
        }
    }
    sl_op_free(&op);
    ends_close(&e);
    return bytes;
}

START_TEST(size__ten_thousand_edits_take_at_most_4_bytes_each)
{
    size_t counted = push_edits(true);
    size_t diced = push_edits(false);
    printf("10,000 edits: %zu bytes, with random ids %zu\n", counted, diced);
    if (sl_zip_have()) {
        ck_assert_uint_le(counted, 40000);
        ck_assert_uint_le(diced, 160000); /* ten bytes of an id cannot be packed */
    }
}
END_TEST

/* A stroke of a steady hand: where it begins, then small steps whose direction changes slowly. */
static void make_stroke(ends *e, char out[100])
{
    uint8_t raw[60] = {1, 17};
    int dx = (int)sl_prng_below(&e->prng, 61) - 30;
    int dy = (int)sl_prng_below(&e->prng, 61) - 30;
    for (size_t i = 2; i < 7; i++) {
        raw[i] = (uint8_t)sl_prng_next(&e->prng);
    }
    for (size_t i = 9; i + 2 < sizeof raw; i += 3) {
        dx += (int)sl_prng_below(&e->prng, 9) - 4;
        dy += (int)sl_prng_below(&e->prng, 9) - 4;
        raw[i] = (uint8_t)(dx < 0 ? -2 * dx - 1 : 2 * dx);
        raw[i + 1] = (uint8_t)(dy < 0 ? -2 * dy - 1 : 2 * dy);
        raw[i + 2] = (uint8_t)(16 + (sl_prng_below(&e->prng, 8) == 0));
    }
    sl_buf b = {0};
    sl_base64(&b, raw, sizeof raw);
    (void)snprintf(out, 100, "%s", sl_buf_text(&b));
    sl_buf_free(&b);
}

static void set_text(sl_record *rec, const char *field, const char *text)
{
    sl_cell v = sl_cell_text(text);
    ck_assert_int_eq(sl_record_set(rec, sl_field_find(rec->entity, field), &v, NULL), SL_OK);
}

static void set_int(sl_record *rec, const char *field, int64_t n)
{
    sl_cell v = sl_cell_int(n);
    ck_assert_int_eq(sl_record_set(rec, sl_field_find(rec->entity, field), &v, NULL), SL_OK);
}

static void make_annotation(ends *e, sl_record *rec, int64_t k)
{
    static const char *const kinds[] = {"pen", "pen", "pen", "arrow", "line", "rect", "ellipse"};
    static const char *const colors[] = {"#FFCC00", "#FF3B30", "#34C759", "#007AFF", "#FFFFFF"};
    char id[SL_UUID_LEN + 1];
    char text[100];
    make_id(e, id, k, false);
    ck_assert_int_eq(sl_record_make(rec, sl_entity_find("annotation"), id, SPACE, NULL), SL_OK);
    rec->seq = k;
    rec->birth = (sl_hlc){(uint64_t)(NOW - 1000000 + k * 3) << 16, CLOCK};
    set_text(rec, "kind", kinds[sl_prng_below(&e->prng, 7)]);
    make_stroke(e, text);
    set_text(rec, "geometry", text);
    (void)snprintf(text, sizeof text, "{\"color\":\"%s\",\"opacity\":1,\"width\":%d}",
                   colors[sl_prng_below(&e->prng, 5)], 200 * (1 + (int)sl_prng_below(&e->prng, 4)));
    set_text(rec, "style", text);
    (void)snprintf(text, sizeof text, "a%03d", (int)(k % 1000));
    set_text(rec, "z", text);
    int64_t from = (int64_t)sl_prng_below(&e->prng, 60000) * 1000;
    set_int(rec, "t_in", from);
    set_int(rec, "t_out", from + 2000000 + (int64_t)sl_prng_below(&e->prng, 30) * 100000);
    set_text(rec, "author_id", DEVICE);
}

START_TEST(size__of_drawings_at_most_90_bytes_each)
{
    enum {
        N = 20000
    };
    ends e;
    sl_record rec = {0};
    size_t bytes = 0;
    size_t json = 0;
    open_greeted(&e);
    for (int64_t k = 1; k <= N; k++) {
        make_annotation(&e, &rec, k);
        ck_assert_int_eq(sl_items_record(e.items, &rec), SL_OK);
        if (k % 500 == 0) {
            sl_wire plain = {.server = true};
            sl_frame f = {
                .kind = SL_FRAME_PAGE, .space = SPACE, .epoch = DEVICE, .from = k - 500, .to = k};
            sl_buf_clear(&e.bytes);
            sl_frame_put(&e.server, &e.bytes, &f, e.items);
            bytes += e.bytes.len;
            sl_buf_clear(&e.bytes);
            sl_frame_put(&plain, &e.bytes, &f, e.items);
            json += e.bytes.len;
            sl_items_clear(e.items);
        }
    }
    printf("%d drawings: %.1f bytes each, %.1f as JSON\n", N, (double)bytes / N, (double)json / N);
    if (sl_zip_have()) {
        ck_assert_uint_le(bytes, (size_t)N * 90);
    }
    sl_record_free(&rec);
    ends_close(&e);
}
END_TEST

SL_TEST_MAIN("frame_size", size__one_edit_takes_at_most_32_bytes,
             size__ten_thousand_edits_take_at_most_4_bytes_each,
             size__of_drawings_at_most_90_bytes_each)
