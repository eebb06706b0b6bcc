/*
 * review/player.h - the player's states and who may follow whom (specification 3.1.2), in one place
 * for every shell. A pure function over the enumerations of sideline/review.h.
 */
#ifndef SL_REVIEW_PLAYER_H
#define SL_REVIEW_PLAYER_H

#include "sideline/review.h"

/* The state after the action; 0: it is refused. */
int32_t sl_player_after(int32_t state, int32_t action);
const char *sl_player_name(int32_t state);

#endif
