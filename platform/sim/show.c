/* Binary frames as JSON has them: what looks on at the network reads one language. */
#include "base/mem.h"
#include "platform/sim/sim.h"

struct sl_sim_show {
    sl_frame_in *in;
    sl_items *items;
    sl_buf text;
};

sl_sim_show *sl_sim_show_new(void)
{
    sl_sim_show *show = sl_mem(sizeof *show);
    if (show != NULL) {
        show->in = sl_frame_in_new();
        show->items = sl_items_new();
    }
    if (show != NULL && (show->in == NULL || show->items == NULL)) {
        sl_sim_show_free(show);
        return NULL;
    }
    return show;
}

void sl_sim_show_free(sl_sim_show *show)
{
    if (show != NULL) {
        sl_frame_in_free(show->in);
        sl_items_free(show->items);
        sl_buf_free(&show->text);
        sl_mem_free(show);
    }
}

/* What the frame carries, but for what this version does not know. */
static bool read_items(sl_sim_show *show, sl_frame_kind kind)
{
    sl_record rec = {0};
    sl_op op = {0};
    sl_receipt r;
    bool got = true;
    bool bad = false;
    sl_status status = SL_OK;
    while (status == SL_OK && got) {
        if (kind == SL_FRAME_PUSH) {
            status = sl_frame_op(show->in, &op, &got, &bad, NULL);
            status = status == SL_OK && got && !bad ? sl_items_op(show->items, &op) : status;
        } else if (kind == SL_FRAME_RECEIPTS) {
            status = sl_frame_receipt(show->in, &r, &got, NULL);
            status = status == SL_OK && got ? sl_items_receipt(show->items, &r) : status;
        } else {
            status = sl_frame_record(show->in, &rec, &got, NULL);
            status = status == SL_OK && got && rec.entity != NULL
                         ? sl_items_record(show->items, &rec)
                         : status;
        }
    }
    sl_record_free(&rec);
    sl_op_free(&op);
    return status == SL_OK;
}

const sl_buf *sl_sim_show_frame(sl_sim_show *show, sl_wire *ends, bool to_server, const void *p,
                                size_t n)
{
    sl_wire plain = {.server = !to_server};
    sl_frame f;
    ends->server = to_server; /* the end that reads */
    ends->binary = true;
    sl_items_clear(show->items);
    sl_buf_clear(&show->text);
    if (sl_frame_read(show->in, ends, p, n, &f, NULL) != SL_OK || !read_items(show, f.kind)) {
        return NULL;
    }
    sl_frame_put(&plain, &show->text, &f, show->items);
    return show->text.failed ? NULL : &show->text;
}
