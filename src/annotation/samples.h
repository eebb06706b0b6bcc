/*
 * annotation/samples.h - the samples section of annotation/codec.h: what a geometry has of every point.
 */
#ifndef SL_ANNOTATION_SAMPLES_H
#define SL_ANNOTATION_SAMPLES_H

#include "annotation/item.h"
#include "base/buf.h"

/* Appends the section's bytes in SL_GEOMETRY_UNSHARED or SL_GEOMETRY_VERSION; check out->failed. */
void sl_samples_put(sl_buf *out, const sl_geometry *geo, int version);
/* Reads all of r into a geometry of which kind and n are known. */
sl_status sl_samples_take(sl_rd *r, int version, sl_geometry *geo, sl_error **err);

/* Room for n points and the columns named, SL_HAS_. */
sl_status sl_geometry_columns(sl_geometry *geo, int columns, sl_error **err);
sl_status sl_geometry_damaged(sl_error **err);

#endif
