/*
 * voice/ring.h - sound from the audio thread to the encoder: one writer, one reader, no locks.
 *
 * Frames are mixed to mono, cleaned (no NaN, within -1..1) and kept until read. What does not
 * fit is counted and comes out as silence of the same length at the same place, so that the
 * voice never shifts against what it speaks about.
 */
#ifndef SL_VOICE_RING_H
#define SL_VOICE_RING_H

#include <stddef.h>
#include <stdint.h>

typedef struct sl_ring sl_ring;

/* Holds at least `frames`. NULL when out of memory. */
sl_ring *sl_ring_new(uint32_t frames);
void sl_ring_free(sl_ring *r);

/* Interleaved frames of a host: floats, or words of 16 bits. */
typedef struct sl_pcm {
    const float *floats; /* or NULL, then: */
    const int16_t *words;
    uint32_t frames;
    uint32_t channels;
} sl_pcm;

/* Of the frames of one call, mixed to mono: 0..1. */
typedef struct sl_meter {
    float peak;
    float rms;
} sl_meter;

/* The writer's: never locks, allocates or blocks. */
void sl_ring_write(sl_ring *r, const sl_pcm *pcm, sl_meter *meter);
/* The meter alone. */
void sl_ring_measure(const sl_pcm *pcm, sl_meter *meter);
/* The reader's: frames given, at most max; silence for what was lost. */
uint32_t sl_ring_read(sl_ring *r, float *dst, uint32_t max);
/* The reader's, once the writer has stopped and all was read: frames lost at the very end. */
uint64_t sl_ring_tail(sl_ring *r);

/* Anyone's. Frames taken from the writer, the lost ones included; and the lost ones alone. */
uint64_t sl_ring_taken(const sl_ring *r);
uint64_t sl_ring_dropped(const sl_ring *r);

#endif
