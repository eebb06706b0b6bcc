/*
 * annotation/codec.h - geometry and text in bytes.
 *
 * Plain, for short shapes:
 *   version u8 = 1 | kind u8 | columns u8 (1 pressure, 2 dt, 4 text) | n varint
 *   x column | y column | pressure column? | dt column? | text length varint, text?
 * x, y and dt are residuals of a linear prediction from the two values before, pressure of the one
 * before, each a zig-zag varint.
 *
 * In sections, from SL_GEOMETRY_SECTIONS_FROM points on and for all that the plain form has no
 * place for:
 *   version u8 = 3 | kind u8 | n varint | sections of rising tag: tag, length varint, bytes | 0
 *   1 samples: columns (1 pressure, 2 dt, 8 tilt) + 16 * guess u8 | step u8 | pressure's step u8? |
 *              range-coded (annotation/rc.h) dt?, x, y, pressure?, tilt? of one point after another,
 *              as what a guess leaves over; x, y and pressure in steps, the largest that all of
 *              them are multiples of
 *   2 text
 * Version 2 is read too: it has no steps and fewer guesses, and its columns share no contexts.
 * Sections of a higher tag are a newer version's: they are kept and written again as they were.
 *
 * The bytes delimit themselves and are canonical: the same geometry gives the same bytes, and bytes
 * that no geometry gives are refused, but that plain bytes of any length and those of version 2 are
 * read.
 */
#ifndef SL_ANNOTATION_CODEC_H
#define SL_ANNOTATION_CODEC_H

#include "annotation/item.h"
#include "base/buf.h"

enum {
    SL_GEOMETRY_PLAIN = 1,
    SL_GEOMETRY_UNSHARED = 2,
    SL_GEOMETRY_VERSION = 3,
    SL_GEOMETRY_SECTIONS_FROM = 12,
    SL_UNKNOWN_BYTES_MAX = 65536
};

/* Appends; check out->failed. */
void sl_geometry_encode(sl_buf *out, const sl_geometry *geo);
/* *used: bytes read, may be NULL: then all of them must be. SL_E_TOO_NEW: a later version. */
sl_status sl_geometry_decode(const uint8_t *p, size_t n, size_t *used, sl_geometry *out,
                             sl_error **err);

/* Whether bytes are sections of rising tags above those known here, as geo->unknown holds them. */
bool sl_geometry_unknown_ok(const sl_buf *sections);

#endif
