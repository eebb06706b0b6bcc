/*
 * tests/api/host.h - a core whose server is played by the test, which is the host of its transport.
 */
#ifndef SL_TESTS_HOST_H
#define SL_TESTS_HOST_H

#include "support.h"

#include <sideline/sideline.h>
#include <stdbool.h>

#define ANN   "01890000-0000-7000-8000-00000000000a"
#define OWN   "user:" ANN
#define VIDEO "video:01890000-0000-7000-8000-000000000002"
#define EPOCH "01890000-0000-7000-8000-0000000000ee"
#define NOTE  "01890000-0000-7000-8000-00000000000c"
#define HEX   "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define SESSION                                                                     \
    "{\"user\":{\"id\":\"" ANN "\",\"email\":\"ann@example.org\",\"name\":\"Ann\"," \
    "\"role\":\"athlete\"},\"access_token\":\"acc\",\"expires_in\":3600,"           \
    "\"refresh_token\":\"ref\"}"

extern char g_dir[64];
extern sl_platform g_base;
extern sl_id g_request; /* the last one started, and the last one cancelled */
extern sl_id g_cancelled;
extern sl_id g_ws;
extern int32_t g_closed;     /* the code the core closed the socket with */
extern int64_t g_now_ms;     /* where the clock stands, 0 when it goes */
extern int32_t g_minute;     /* of the local day */
extern bool g_full;          /* the disk takes no byte */
extern char g_url[200];      /* method and URL of the last request */
extern unsigned g_refreshes; /* how often the session was asked to be renewed */
extern char g_sent[8000];    /* frames, since it was emptied */

void host_set_up(void);
void host_tear_down(void);

sl_core *open_core(bool transport);
void answer(sl_core *core, sl_id request, int32_t status, const char *body);
/* All that wait; until the next call. */
const char *events(sl_core *core);
bool info(sl_core *core, const char *what, const char *part);
void frame(sl_core *core, const char *text);
/* A signed-in core that wants to be online; its socket is not open yet. */
sl_core *signed_in(void);
/* Online, with nothing but the user's own space, or with a video as well. */
sl_core *online(bool video);

#endif
