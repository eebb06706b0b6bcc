/* voice/regroup.c - a page of the old ones goes whole into one of the new, so that its mark fits. */
#include "voice/regroup.h"

#include <string.h>

enum {
    PACKETS = 48, /* to a page: 960 ms */
    HEADERS = 2
};

static sl_status corrupt(sl_error **err)
{
    return sl_fail(err, SL_E_CORRUPT, "The recorded voice is damaged");
}

/* The packets of a page; all end in it. */
static uint32_t packets_of(const sl_ogg_found *page)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < page->segments; i++) {
        n += page->lacing[i] < 255;
    }
    return n;
}

static sl_status put_packets(sl_regroup *g, const sl_ogg_found *page, sl_error **err)
{
    size_t from = 0;
    size_t to = 0;
    for (uint32_t i = 0; i < page->segments; i++) {
        to += page->lacing[i];
        if (page->lacing[i] < 255) {
            if (!sl_ogg_packet(&g->ogg, page->body + from, to - from)) {
                return corrupt(err);
            }
            from = to;
        }
    }
    return from == page->body_len ? SL_OK : corrupt(err);
}

static sl_status put_page(sl_regroup *g, const sl_ogg_found *page, sl_buf *out, sl_error **err)
{
    bool header = g->ogg.sequence < HEADERS;
    if (g->ended || (page->flags & SL_OGG_CONTINUED) != 0) {
        return corrupt(err);
    }
    if (g->ogg.packets > 0 && (g->ogg.packets + packets_of(page) > PACKETS ||
                               g->ogg.segments + page->segments > SL_OGG_SEGMENTS_MAX)) {
        sl_ogg_page(&g->ogg, g->granule, 0, out);
    }
    g->ogg.serial = page->serial;
    g->granule = page->granule;
    g->ended = (page->flags & SL_OGG_LAST) != 0;
    sl_status status = put_packets(g, page, err);
    if (status == SL_OK && (header || g->ended)) {
        sl_ogg_page(&g->ogg, g->granule, page->flags, out);
    }
    return status;
}

sl_status sl_regroup_put(sl_regroup *g, const uint8_t *p, size_t n, sl_buf *out, sl_error **err)
{
    sl_ogg_found page;
    size_t at = 0;
    size_t taken = 0;
    sl_status status = SL_OK;
    sl_buf_put(&g->bytes, p, n);
    while (status == SL_OK && !g->bytes.failed &&
           sl_ogg_next(g->bytes.data, g->bytes.len, &at, &page)) {
        status = page.at == taken ? put_page(g, &page, out, err) : corrupt(err);
        taken = at;
    }
    if (g->bytes.failed || out->failed) {
        return sl_fail_nomem(err);
    }
    if (taken > 0) {
        memmove(g->bytes.data, g->bytes.data + taken, g->bytes.len - taken);
        g->bytes.len -= taken;
    }
    return status;
}

sl_status sl_regroup_end(const sl_regroup *g, sl_error **err)
{
    return g->ended && g->bytes.len == 0 ? SL_OK : corrupt(err);
}

void sl_regroup_free(sl_regroup *g)
{
    sl_ogg_writer_free(&g->ogg);
    sl_buf_free(&g->bytes);
}
