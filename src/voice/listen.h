/*
 * voice/listen.h - reading an Ogg Opus file (RFC 7845) as mono 48 kHz floats.
 *
 * Takes files of any maker, also torn and damaged ones: whole pages with right checksums are
 * used; a missing page becomes silence of its length, so that what follows keeps its place. The
 * bytes stay the caller's and must outlive the listener.
 */
#ifndef SL_VOICE_LISTEN_H
#define SL_VOICE_LISTEN_H

#include "base/error.h"
#include "voice/head.h"

#include <stdbool.h>

typedef struct sl_listener sl_listener;

enum {
    SL_LISTEN_HOURS_MAX = 10
};

/* SL_E_INVALID: no Opus stream of one or two channels. SL_E_LIMIT: longer than the limit. */
sl_status sl_listen_open(const uint8_t *p, size_t n, sl_listener **out, sl_error **err);
void sl_listen_close(sl_listener *l);
/* Frames in all, the beginning and the end trimmed as the file says. */
int64_t sl_listen_frames(const sl_listener *l);
/* The next frames; fewer than max only at the end. Never allocates. */
size_t sl_listen_read(sl_listener *l, float *dst, size_t max);
/* The frame read next; beyond the ends, the end. */
void sl_listen_seek(sl_listener *l, int64_t frame);

/* --- the packets themselves, for copying them; not between reads ------------------------- */

typedef struct sl_packet {
    const uint8_t *p; /* borrowed until the next one */
    size_t n;
    int frames;
    int64_t at; /* frames of packets before it; the head's skip counts from 0 */
} sl_packet;

const sl_head *sl_listen_head(const sl_listener *l);
/* Back to the first one. */
void sl_listen_packets(sl_listener *l);
/* False at the end. *gap: sound is missing before this one. */
bool sl_listen_packet(sl_listener *l, sl_packet *packet, bool *gap);

#endif
