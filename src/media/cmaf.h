/*
 * media/cmaf.h - one rung of a ladder as one fragmented MP4 (CMAF, ISO 23000-19), and the places of
 * its parts, from which HLS playlists with byte ranges are written.
 *
 * A part begins with a key frame and is SL_CMAF_PART_US long or longer, as the key frames allow;
 * the same key frames give the same cuts in every rung.
 */
#ifndef SL_MEDIA_CMAF_H
#define SL_MEDIA_CMAF_H

#include "base/error.h"
#include "base/json.h"

#include <stdbool.h>

enum {
    SL_CMAF_PART_US = 4000000,
    SL_CMAF_PARTS_MAX = 20000
};

typedef struct sl_cmaf_part {
    int64_t duration_us;
    int64_t at; /* bytes */
    int64_t len;
} sl_cmaf_part;

typedef struct sl_cmaf_index {
    char codecs[48]; /* RFC 6381 */
    int64_t size;
    int64_t head; /* bytes before the first part */
    int64_t peak; /* bits a second, of the densest part */
    int64_t mean;
    sl_cmaf_part *parts; /* sl_mem */
    size_t n;
} sl_cmaf_index;

void sl_cmaf_index_free(sl_cmaf_index *index);
/* {"codecs","size","head","peak","mean","parts":[[duration_us,at,len],..]}; NULL: out of memory. */
sl_json *sl_cmaf_index_json(const sl_cmaf_index *index);

#endif
