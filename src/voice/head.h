/* voice/head.h - the two packets before the sound (RFC 7845, 5): OpusHead and OpusTags. */
#ifndef SL_VOICE_HEAD_H
#define SL_VOICE_HEAD_H

#include "base/buf.h"

typedef struct sl_head {
    uint8_t channels; /* 1 or 2 */
    uint16_t skip;    /* frames of 48 kHz before the sound begins */
    uint32_t rate;    /* of the source: for information only */
    int16_t gain;     /* dB in 1/256, for every player to apply */
} sl_head;

void sl_head_put(sl_buf *out, const sl_head *head);
/* False: not the head of a stream of one or two channels. */
bool sl_head_read(const uint8_t *p, size_t n, sl_head *head);
bool sl_head_is(const uint8_t *p, size_t n); /* of any kind */
void sl_head_tags(sl_buf *out);
bool sl_head_is_tags(const uint8_t *p, size_t n);

#endif
