/*
 * voice/regain.h - a voice with its gain in the samples, for players that know no gain of a file.
 *
 * It is decoded and encoded again, which costs about 2 % of its length of a core each time, and a
 * little of its quality: twice the bits keep that small. Codecs make other peaks than they were given:
 * the new file is heard while it is made, and made again quieter, at most twice, when its true peak
 * passes full scale. Mono comes out.
 */
#ifndef SL_VOICE_REGAIN_H
#define SL_VOICE_REGAIN_H

#include "base/buf.h"
#include "base/error.h"

/* p: Ogg Opus; out: the same without a gain to be applied. Appends. */
sl_status sl_regain(const uint8_t *p, size_t n, sl_buf *out, sl_error **err);

#endif
