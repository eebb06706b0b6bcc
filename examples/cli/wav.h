/* cli/wav.h - reads PCM WAV files: 16 bits, one or two channels, any rate. */
#ifndef CLI_WAV_H
#define CLI_WAV_H

#include "json.h"

#include <stdint.h>

typedef struct wav {
    uint32_t rate;
    uint32_t channels;
    uint32_t frames;
    int16_t *samples; /* interleaved */
} wav;

/* NULL, or what is wrong with the file, static text. */
const char *wav_read(const char *path, wav *out);
void wav_free(wav *w);
/* The head of a file of one channel whose samples are n bytes. */
void wav_head(text *out, uint32_t rate, uint32_t n);

#endif
