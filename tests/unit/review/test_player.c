/* The player's states: every arc of the specification's chart, and every other pair refused. */
#include "review/player.h"
#include "support.h"

#include <stdbool.h>
#include <stddef.h>

/* The chart as a matrix: rows are states, columns actions in their order; 0: refused. */
static const int32_t AFTER[SL_PLAYER_CLOSED + 1][SL_PLAYER_CLOSE + 1] = {
    /*                       open play pause finish annotate choose look draw speak save close */
    [SL_PLAYER_NONE] = {0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    [SL_PLAYER_PLAYING] = {0, 0, 0, 3, 4, 5, 0, 0, 0, 0, 0, 12},
    [SL_PLAYER_PAUSED] = {0, 0, 2, 0, 0, 5, 0, 0, 0, 0, 0, 12},
    [SL_PLAYER_FINISHED] = {0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 12},
    [SL_PLAYER_TOOLS] = {0, 0, 0, 0, 0, 0, 6, 0, 9, 10, 0, 0},
    [SL_PLAYER_ACTIVE] = {0, 0, 0, 0, 0, 0, 0, 7, 9, 10, 0, 0},
    [SL_PLAYER_PREVIEW] = {0, 0, 0, 0, 8, 0, 0, 0, 9, 10, 0, 0},
    [SL_PLAYER_ANNOTATED] = {0, 0, 0, 0, 0, 0, 0, 0, 9, 10, 0, 0},
    [SL_PLAYER_DRAWING] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0},
    [SL_PLAYER_VOICE_OVER] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0},
    [SL_PLAYER_SAVING] = {0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0},
};

START_TEST(player__every_arc_is_there_and_every_other_is_refused)
{
    for (int32_t state = 0; state <= SL_PLAYER_CLOSED + 1; state++) {
        for (int32_t action = 0; action <= SL_PLAYER_CLOSE + 1; action++) {
            bool known = state <= SL_PLAYER_CLOSED && action <= SL_PLAYER_CLOSE;
            int32_t wanted = known ? AFTER[state][action] : 0;
            ck_assert_msg(sl_player_after(state, action) == wanted, "state %d, action %d", state,
                          action);
        }
    }
}
END_TEST

START_TEST(player__every_state_is_reached_and_named)
{
    bool reached[SL_PLAYER_CLOSED + 1] = {[SL_PLAYER_NONE] = true};
    for (int round = 0; round < SL_PLAYER_CLOSED; round++) {
        for (int32_t s = SL_PLAYER_NONE; s <= SL_PLAYER_CLOSED; s++) {
            for (int32_t a = SL_PLAYER_OPEN; reached[s] && a <= SL_PLAYER_CLOSE; a++) {
                reached[sl_player_after(s, a)] = true;
            }
        }
    }
    for (int32_t s = SL_PLAYER_NONE; s <= SL_PLAYER_CLOSED; s++) {
        ck_assert(reached[s]);
        ck_assert_int_ne(sl_player_name(s)[0], 0);
    }
    ck_assert_str_eq(sl_player_name(SL_PLAYER_CLOSED), "closed");
    ck_assert_str_eq(sl_player_name(0), "");
}
END_TEST

SL_TEST_MAIN("review_player", player__every_arc_is_there_and_every_other_is_refused,
             player__every_state_is_reached_and_named)
