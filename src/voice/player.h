/*
 * voice/player.h - a voice read at another speed with its pitch kept (WSOLA), from any frame.
 *
 *   [PLAYER-1] at the usual rate every frame is the listener's, from the frame sought on;
 *   [PLAYER-2] the place is a straight line: a frame read at rate r is r / 1000 frames further than
 *              the one before; what is heard is within 8 ms of it.
 */
#ifndef SL_VOICE_PLAYER_H
#define SL_VOICE_PLAYER_H

#include "base/error.h"

enum {
    SL_PLAYER_RATE_ONE = 1000,
    SL_PLAYER_RATE_MIN = 250,
    SL_PLAYER_RATE_MAX = 2000
};

typedef struct sl_player sl_player;

/* As sl_listen_open. */
sl_status sl_player_open(const uint8_t *p, size_t n, sl_player **out, sl_error **err);
void sl_player_close(sl_player *p);
int64_t sl_player_frames(const sl_player *p); /* of 48 kHz at the usual rate */
/* Never allocates. Fewer than max only at the end. */
size_t sl_player_read(sl_player *p, float *dst, size_t max);
void sl_player_seek(sl_player *p, int64_t frame);
/* Within the limits. */
void sl_player_set_rate(sl_player *p, int32_t rate);
/* The frame of the voice that the next one read stands for. */
int64_t sl_player_place(const sl_player *p);

#endif
