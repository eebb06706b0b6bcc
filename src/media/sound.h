/*
 * media/sound.h - a clip's own sound at any place, as stereo floats of 48 kHz.
 *
 * Frame 0 lies at the time of the first picture. Where the clip has no sound there is silence.
 */
#ifndef SL_MEDIA_SOUND_H
#define SL_MEDIA_SOUND_H

#include "base/error.h"
#include "media/source.h"

typedef struct sl_sound sl_sound;

enum {
    SL_SOUND_RATE = 48000
};

/* SL_E_NOT_FOUND: the file has no sound that can be read. */
sl_status sl_sound_open(const sl_source *source, sl_sound **out, sl_error **err);
void sl_sound_close(sl_sound *s);
/* Interleaved: 2 * n floats from frame `at` on. Quick when `at` follows the last call. */
sl_status sl_sound_read(sl_sound *s, int64_t at, float *dst, size_t n, sl_error **err);

#endif
