/*
 * engine/signals.h - what passes by: who is writing, who is there, lines while they are drawn. Nothing of it
 * is stored. How long it holds is said by the server, in its own time. All called locked.
 */
#ifndef SL_ENGINE_SIGNALS_H
#define SL_ENGINE_SIGNALS_H

#include "base/json.h"
#include "sync/frame.h"

enum {
    SL_SIGNALS_PENS = 8,     /* strokes drawn here at a time */
    SL_SIGNALS_MARKS = 1000, /* remembered of others */
    SL_SIGNALS_NUMBERS = 512 /* of a call's points */
};

struct sl_passing;

/* A stroke drawn here, with the points not sent yet. */
typedef struct sl_pen {
    char stroke[SL_UUID_LEN + 1]; /* "" when free */
    char space[SL_SPACE_MAX];
    int64_t sent;   /* numbers of its points */
    int64_t n;      /* numbers in: */
    sl_buf waiting; /* "1,2,3" */
    int64_t flush_at_ms;
} sl_pen;

typedef struct sl_signals {
    struct sl_passing *marks;
    size_t count;
    bool present;          /* the user is there, and others are to know */
    int64_t present_at_ms; /* when they are told next; 0: at once */
    char typed_in[SL_SPACE_MAX];
    int64_t typed_ms;
    sl_pen pens[SL_SIGNALS_PENS];
} sl_signals;

struct sl_core;

sl_status sl_signal_typing(struct sl_core *core, const char *thread, sl_error **err);
void sl_signal_present(struct sl_core *core, bool present);
/* in: sl_stroke_live's. */
sl_status sl_signal_stroke(struct sl_core *core, const char *space, const sl_json *in,
                           sl_error **err);
void sl_signals_heard(struct sl_core *core, const sl_frame *frame);
/* A message of this user has come: it is written no longer. */
void sl_signals_said(struct sl_core *core, const char *space, const char *user);
void sl_signals_connected(struct sl_core *core);
/* Sends what is due and forgets what holds no longer; when to look again (mono ms), -1: never. */
int64_t sl_signals_turn(struct sl_core *core, int64_t now_ms);
void sl_signals_stop(struct sl_core *core);
bool sl_signals_is_typing(const struct sl_core *core, const char *space, const char *user);
bool sl_signals_is_present(const struct sl_core *core, const char *user);

#endif
