/*
 * voice/ogg.h - Ogg pages (RFC 3533): writing them, and finding the whole ones in bytes that may
 * be torn, damaged or hostile.
 */
#ifndef SL_VOICE_OGG_H
#define SL_VOICE_OGG_H

#include "base/buf.h"

enum {
    SL_OGG_CONTINUED = 1, /* the page begins with the rest of a packet */
    SL_OGG_FIRST = 2,
    SL_OGG_LAST = 4,
    SL_OGG_HEAD = 27, /* bytes before the lacing values */
    SL_OGG_SEGMENTS_MAX = 255
};

/* Zero-initialise but for the serial number; sl_ogg_writer_free. */
typedef struct sl_ogg_writer {
    uint32_t serial;
    uint32_t sequence;
    uint32_t packets; /* on the page in the making */
    uint32_t segments;
    uint8_t lacing[SL_OGG_SEGMENTS_MAX];
    sl_buf body;
} sl_ogg_writer;

/* Adds a packet to the page in the making; false when it does not fit in it any more. */
bool sl_ogg_packet(sl_ogg_writer *w, const uint8_t *p, size_t n);
/* Appends the page to `out` and begins the next. */
void sl_ogg_page(sl_ogg_writer *w, uint64_t granule, uint8_t flags, sl_buf *out);
void sl_ogg_writer_free(sl_ogg_writer *w);

/* A whole page. Pointers are into the bytes it was found in. */
typedef struct sl_ogg_found {
    size_t at;  /* where it begins */
    size_t len; /* of the whole page */
    uint8_t flags;
    uint32_t serial;
    uint32_t sequence;
    uint64_t granule;
    uint32_t segments;
    const uint8_t *lacing;
    const uint8_t *body;
    size_t body_len;
} sl_ogg_found;

/* The next whole page with a right checksum at or after *at, which then follows it. */
bool sl_ogg_next(const uint8_t *p, size_t n, size_t *at, sl_ogg_found *page);

uint32_t sl_ogg_crc(const uint8_t *p, size_t n);

/* Makes a file whose writer died a whole one, in place: the last whole page of the first stream
 * becomes its end. Returns the new length, 0 when there is no page with sound. */
size_t sl_ogg_recover(uint8_t *p, size_t n);

#endif
