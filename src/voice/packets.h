/* voice/packets.h - the packets of a voice in turn, for those that copy them (repack.c, mp4.c). */
#ifndef SL_VOICE_PACKETS_H
#define SL_VOICE_PACKETS_H

#include "voice/listen.h"

/* SL_E_INVALID also for a voice without sound. */
sl_status sl_packets_open(const uint8_t *p, size_t n, sl_listener **l, sl_error **err);
/* packet->n is 0 at the end. SL_E_INVALID when sound is missing before this one. */
sl_status sl_packets_next(sl_listener *l, sl_packet *packet, sl_error **err);

#endif
