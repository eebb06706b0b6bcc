/*
 * voice/regroup.h - a finished recording with fewer pages. The recorder ends one each 160 ms, so that
 * little is lost when it is killed; what is kept and sent has one each second or so, which saves a
 * twentieth of the bytes. The packets stay as they are.
 */
#ifndef SL_VOICE_REGROUP_H
#define SL_VOICE_REGROUP_H

#include "base/error.h"
#include "voice/ogg.h"

/* Zero-initialise; sl_regroup_free. */
typedef struct sl_regroup {
    sl_ogg_writer ogg;
    sl_buf bytes;     /* of a page that has not come whole */
    uint64_t granule; /* of the last page taken */
    bool ended;
} sl_regroup;

/* The next bytes of the recording; appends to `out` the pages that are whole with them. SL_E_CORRUPT:
 * they are not pages of whole packets, one after another. */
sl_status sl_regroup_put(sl_regroup *g, const uint8_t *p, size_t n, sl_buf *out, sl_error **err);
/* SL_E_CORRUPT when the recording has not come to its end. */
sl_status sl_regroup_end(const sl_regroup *g, sl_error **err);
void sl_regroup_free(sl_regroup *g);

#endif
