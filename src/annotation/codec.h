/*
 * annotation/codec.h - geometry and text in bytes.
 *
 *   version u8 = 1 | kind u8 | columns u8 (1 pressure, 2 dt, 4 text) | n varint
 *   x column | y column | pressure column? | dt column? | text length varint, text?
 *
 * x, y and dt are residuals of a linear prediction from the two values before, pressure of the one
 * before, each a zig-zag varint. The bytes delimit themselves and are canonical: the same geometry
 * gives the same bytes, and bytes that no geometry gives are refused.
 */
#ifndef SL_ANNOTATION_CODEC_H
#define SL_ANNOTATION_CODEC_H

#include "annotation/item.h"
#include "base/buf.h"

enum {
    SL_GEOMETRY_VERSION = 1
};

/* Appends; check out->failed. */
void sl_geometry_encode(sl_buf *out, const sl_geometry *geo);
/* *used: bytes read, may be NULL: then all of them must be. SL_E_TOO_NEW: a later version. */
sl_status sl_geometry_decode(const uint8_t *p, size_t n, size_t *used, sl_geometry *out,
                             sl_error **err);

#endif
