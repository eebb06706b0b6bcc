/*
 * review/player.c - the state chart as a table.
 *
 * A border of a composite state is left from each state inside: a drawing or a voice-over begins in
 * any state of annotation, annotation in any of the player. What ends inside (a clip that played to
 * its end, a preview) waits there for one of the borders.
 */
#include "review/player.h"

#include <stddef.h>

typedef struct arc {
    int32_t from;
    int32_t action;
    int32_t to;
} arc;

static const arc ARCS[] = {
    {SL_PLAYER_NONE, SL_PLAYER_OPEN, SL_PLAYER_PLAYING},
    {SL_PLAYER_PLAYING, SL_PLAYER_PAUSE, SL_PLAYER_PAUSED},
    {SL_PLAYER_PAUSED, SL_PLAYER_PLAY, SL_PLAYER_PLAYING},
    {SL_PLAYER_PLAYING, SL_PLAYER_FINISH, SL_PLAYER_FINISHED},
    {SL_PLAYER_PLAYING, SL_PLAYER_CLOSE, SL_PLAYER_CLOSED},
    {SL_PLAYER_PAUSED, SL_PLAYER_CLOSE, SL_PLAYER_CLOSED},
    {SL_PLAYER_FINISHED, SL_PLAYER_CLOSE, SL_PLAYER_CLOSED},
    {SL_PLAYER_PLAYING, SL_PLAYER_ANNOTATE, SL_PLAYER_TOOLS},
    {SL_PLAYER_PAUSED, SL_PLAYER_ANNOTATE, SL_PLAYER_TOOLS},
    {SL_PLAYER_FINISHED, SL_PLAYER_ANNOTATE, SL_PLAYER_TOOLS},
    {SL_PLAYER_TOOLS, SL_PLAYER_CHOOSE, SL_PLAYER_ACTIVE},
    {SL_PLAYER_ACTIVE, SL_PLAYER_LOOK, SL_PLAYER_PREVIEW},
    {SL_PLAYER_PREVIEW, SL_PLAYER_FINISH, SL_PLAYER_ANNOTATED},
    {SL_PLAYER_TOOLS, SL_PLAYER_DRAW, SL_PLAYER_DRAWING},
    {SL_PLAYER_ACTIVE, SL_PLAYER_DRAW, SL_PLAYER_DRAWING},
    {SL_PLAYER_PREVIEW, SL_PLAYER_DRAW, SL_PLAYER_DRAWING},
    {SL_PLAYER_ANNOTATED, SL_PLAYER_DRAW, SL_PLAYER_DRAWING},
    {SL_PLAYER_TOOLS, SL_PLAYER_SPEAK, SL_PLAYER_VOICE_OVER},
    {SL_PLAYER_ACTIVE, SL_PLAYER_SPEAK, SL_PLAYER_VOICE_OVER},
    {SL_PLAYER_PREVIEW, SL_PLAYER_SPEAK, SL_PLAYER_VOICE_OVER},
    {SL_PLAYER_ANNOTATED, SL_PLAYER_SPEAK, SL_PLAYER_VOICE_OVER},
    {SL_PLAYER_DRAWING, SL_PLAYER_SAVE, SL_PLAYER_SAVING},
    {SL_PLAYER_VOICE_OVER, SL_PLAYER_SAVE, SL_PLAYER_SAVING},
    {SL_PLAYER_SAVING, SL_PLAYER_FINISH, SL_PLAYER_PLAYING},
};

int32_t sl_player_after(int32_t state, int32_t action)
{
    for (size_t i = 0; i < sizeof ARCS / sizeof ARCS[0]; i++) {
        if (ARCS[i].from == state && ARCS[i].action == action) {
            return ARCS[i].to;
        }
    }
    return 0;
}

const char *sl_player_name(int32_t state)
{
    static const char *const names[] = {"",           "none",   "playing", "paused",    "finished",
                                        "tools",      "active", "preview", "annotated", "drawing",
                                        "voice_over", "saving", "closed"};
    return state > 0 && (size_t)state < sizeof names / sizeof names[0] ? names[state] : names[0];
}
