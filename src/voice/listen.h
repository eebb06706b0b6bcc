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
/* The next frames; fewer than max only at the end. */
size_t sl_listen_read(sl_listener *l, float *dst, size_t max);

#endif
