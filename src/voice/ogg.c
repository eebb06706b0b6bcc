/*
 * voice/ogg.c - see the header. Integers in Ogg are little-endian; the checksum is CRC-32 with
 * polynomial 04c11db7, not reflected, taken with its own field zero.
 */
#include "voice/ogg.h"

#include <string.h>

enum {
    AT_FLAGS = 5,
    AT_GRANULE = 6,
    AT_SERIAL = 14,
    AT_SEQUENCE = 18,
    AT_CRC = 22,
    AT_SEGMENTS = 26,
    HEADER_PAGES = 2 /* before the first sound: OpusHead, OpusTags */
};

static uint32_t crc_byte(uint32_t crc, uint8_t byte)
{
    crc ^= (uint32_t)byte << 24;
    for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 0x80000000U) != 0 ? (crc << 1) ^ 0x04c11db7U : crc << 1;
    }
    return crc;
}

/* Four bits at a time: small enough to be made on the stack, fast enough for voice. */
static uint32_t crc_run(uint32_t crc, const uint8_t *p, size_t n)
{
    static const uint32_t nibble[16] = {0x00000000U, 0x04c11db7U, 0x09823b6eU, 0x0d4326d9U,
                                        0x130476dcU, 0x17c56b6bU, 0x1a864db2U, 0x1e475005U,
                                        0x2608edb8U, 0x22c9f00fU, 0x2f8ad6d6U, 0x2b4bcb61U,
                                        0x350c9b64U, 0x31cd86d3U, 0x3c8ea00aU, 0x384fbdbdU};
    for (size_t i = 0; i < n; i++) {
        crc = (crc << 4) ^ nibble[(crc >> 28) ^ (p[i] >> 4)];
        crc = (crc << 4) ^ nibble[(crc >> 28) ^ (p[i] & 15U)];
    }
    return crc;
}

uint32_t sl_ogg_crc(const uint8_t *p, size_t n)
{
    return crc_run(0, p, n);
}

bool sl_ogg_packet(sl_ogg_writer *w, const uint8_t *p, size_t n)
{
    size_t need = n / 255 + 1;
    if (need > SL_OGG_SEGMENTS_MAX - w->segments) {
        return false;
    }
    for (size_t i = 0; i < need; i++) {
        size_t left = n - i * 255;
        w->lacing[w->segments++] = (uint8_t)(left < 255 ? left : 255);
    }
    sl_buf_put(&w->body, p, n);
    w->packets++;
    return true;
}

static void put_crc(uint8_t *page, uint32_t crc)
{
    for (int i = 0; i < 4; i++) {
        page[AT_CRC + i] = (uint8_t)(crc >> (8 * i));
    }
}

void sl_ogg_page(sl_ogg_writer *w, uint64_t granule, uint8_t flags, sl_buf *out)
{
    size_t start = out->len;
    sl_buf_put(out, "OggS", 4);
    sl_buf_u8(out, 0);
    sl_buf_u8(out, flags);
    sl_buf_u64le(out, granule);
    sl_buf_u32le(out, w->serial);
    sl_buf_u32le(out, w->sequence);
    sl_buf_u32le(out, 0);
    sl_buf_u8(out, (uint8_t)w->segments);
    sl_buf_put(out, w->lacing, w->segments);
    sl_buf_put(out, w->body.data, w->body.len);
    if (!out->failed && w->body.failed) {
        out->failed = true;
    }
    if (!out->failed) {
        put_crc(out->data + start, sl_ogg_crc(out->data + start, out->len - start));
    }
    w->sequence++;
    w->packets = 0;
    w->segments = 0;
    sl_buf_clear(&w->body);
}

void sl_ogg_writer_free(sl_ogg_writer *w)
{
    sl_buf_free(&w->body);
}

static uint64_t le(const uint8_t *p, int bytes)
{
    uint64_t v = 0;
    for (int i = bytes - 1; i >= 0; i--) {
        v = v << 8 | p[i];
    }
    return v;
}

static uint32_t page_crc(const uint8_t *page, size_t len)
{
    uint32_t crc = crc_run(0, page, AT_CRC);
    for (int i = 0; i < 4; i++) {
        crc = crc_byte(crc, 0);
    }
    return crc_run(crc, page + AT_CRC + 4, len - AT_CRC - 4);
}

/* A whole, right page exactly at p. */
static bool page_at(const uint8_t *p, size_t n, sl_ogg_found *page)
{
    if (n < SL_OGG_HEAD || memcmp(p, "OggS", 4) != 0 || p[4] != 0) {
        return false;
    }
    size_t segments = p[AT_SEGMENTS];
    if (n < SL_OGG_HEAD + segments) {
        return false;
    }
    size_t body = 0;
    for (size_t i = 0; i < segments; i++) {
        body += p[SL_OGG_HEAD + i];
    }
    size_t len = SL_OGG_HEAD + segments + body;
    if (n < len || page_crc(p, len) != (uint32_t)le(p + AT_CRC, 4)) {
        return false;
    }
    page->len = len;
    page->flags = p[AT_FLAGS];
    page->granule = le(p + AT_GRANULE, 8);
    page->serial = (uint32_t)le(p + AT_SERIAL, 4);
    page->sequence = (uint32_t)le(p + AT_SEQUENCE, 4);
    page->segments = (uint32_t)segments;
    page->lacing = p + SL_OGG_HEAD;
    page->body = p + SL_OGG_HEAD + segments;
    page->body_len = body;
    return true;
}

bool sl_ogg_next(const uint8_t *p, size_t n, size_t *at, sl_ogg_found *page)
{
    while (*at < n) {
        const uint8_t *o = memchr(p + *at, 'O', n - *at);
        if (o == NULL) {
            break;
        }
        size_t place = (size_t)(o - p);
        if (page_at(o, n - place, page)) {
            page->at = place;
            *at = place + page->len;
            return true;
        }
        *at = place + 1;
    }
    *at = n;
    return false;
}

size_t sl_ogg_recover(uint8_t *p, size_t n)
{
    sl_ogg_found page;
    sl_ogg_found last = {0};
    size_t at = 0;
    uint32_t serial = 0;
    uint32_t pages = 0;
    while (sl_ogg_next(p, n, &at, &page)) {
        serial = pages == 0 ? page.serial : serial;
        if (page.serial != serial) {
            continue;
        }
        pages++;
        if (pages > HEADER_PAGES && page.granule != UINT64_MAX) {
            last = page;
        }
        if ((page.flags & SL_OGG_LAST) != 0) {
            break;
        }
    }
    if (last.len == 0) {
        return 0;
    }
    uint8_t *end = p + last.at;
    end[AT_FLAGS] |= SL_OGG_LAST;
    put_crc(end, page_crc(end, last.len));
    return last.at + last.len;
}
