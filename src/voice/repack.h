/*
 * voice/repack.h - the packets of a voice in another file, copied and not encoded again: a stretch
 * of it as Ogg Opus, or all of it in MP4 (Opus in ISOBMFF 0.6.8), which carries the gain as Ogg does, or
 * CAF, which cannot: a voice with a gain is encoded again for that (regain.h). A voice that lacks
 * pages in the middle is refused: SL_E_INVALID.
 */
#ifndef SL_VOICE_REPACK_H
#define SL_VOICE_REPACK_H

#include "base/buf.h"
#include "base/error.h"

/* Frames of 48 kHz; to -1: the end. The decoder gets 160 ms before the stretch to become right. */
sl_status sl_repack_cut(const uint8_t *p, size_t n, int64_t from, int64_t to, sl_buf *out,
                        sl_error **err);
sl_status sl_repack_mp4(const uint8_t *p, size_t n, sl_buf *out, sl_error **err);
/* SL_E_INVALID too when its packets are not all of one length. */
sl_status sl_repack_caf(const uint8_t *p, size_t n, sl_buf *out, sl_error **err);

#endif
