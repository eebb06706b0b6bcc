/* cli/wait.c - the event loop: waits for operations, shows progress, remembers what went wrong. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TURN_MS = 100, /* Ctrl-C is seen within this time */
    BATCH_BYTES = 65536,
    BAR_AFTER_MS = 1000, /* shorter work needs no bar */
    BAR_EVERY_MS = 200,
    LINE_EVERY_MS = 1000,
    BAR_WIDTH = 30,
    CANCEL_MS = 3000
};

/* The operation being waited for. */
typedef struct waiting {
    sl_id op;
    const char *label;
    int64_t started_ms;
    int64_t shown_ms;
    int64_t shown; /* of `done`; nothing done is nothing to show */
    bool ended;
    bool ok;
    sl_status status;
    char *message;
    char *field;
    js *res;
} waiting;

static void replace(char **to, const char *s)
{
    free(*to);
    size_t n = strlen(s) + 1;
    *to = malloc(n);
    if (*to != NULL) {
        memcpy(*to, s, n);
    }
}

void cli_end_bar(cli *c)
{
    if (c->bar) {
        (void)fputs("\n", stderr);
        c->bar = false;
    }
}

static void show_bar(cli *c, int64_t done, int64_t total, const char *label)
{
    char bar[BAR_WIDTH + 1];
    int full = (int)(done * BAR_WIDTH / total);
    for (int i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i < full ? '#' : '.';
    }
    bar[BAR_WIDTH] = '\0';
    (void)fprintf(stderr, "\r%s [%s] %3d %% of %" PRId64 "  ", label, bar,
                  (int)(done * 100 / total), total);
    c->bar = true;
}

static void on_progress(cli *c, waiting *w, const js *event)
{
    int64_t done = js_int(event, "done");
    int64_t total = js_int(event, "total");
    int64_t now = cli_now_ms();
    bool terminal = isatty(STDERR_FILENO) != 0;
    if (total <= 0 || done < 0 || done > total ||
        (!terminal && now - w->started_ms < BAR_AFTER_MS) ||
        (now - w->shown_ms < (terminal ? BAR_EVERY_MS : LINE_EVERY_MS) && done < total) ||
        done == w->shown) {
        return;
    }
    w->shown_ms = now;
    w->shown = done;
    if (terminal) {
        show_bar(c, done, total, w->label);
    } else {
        (void)fprintf(stderr, "%s: %" PRId64 " of %" PRId64 " (%d %%)\n", w->label, done, total,
                      (int)(done * 100 / total));
    }
}

static void on_end(waiting *w, const js *event)
{
    const js *ok = js_get(event, "ok");
    const js *res = js_get(event, "res");
    w->ended = true;
    w->ok = ok != NULL && ok->truth;
    w->status = (sl_status)js_int(event, "code");
    replace(&w->message, js_str(event, "message"));
    replace(&w->field, js_str(event, "field"));
    if (res != NULL) {
        w->res = js_parse(res->raw, res->raw_len);
    }
}

static void on_event(cli *c, waiting *w, const js *event)
{
    bool ours = w != NULL && js_int(event, "op") == (int64_t)w->op;
    if (js_is(event, "ev", "op") && ours) {
        on_end(w, event);
        return;
    }
    if (js_is(event, "ev", "progress") && ours) {
        on_progress(c, w, event);
        return;
    }
    if (js_is(event, "ev", "sync")) {
        replace(&c->sync_state, js_str(event, "state"));
        replace(&c->sync_reason, js_str(event, "reason"));
    } else if (js_is(event, "ev", "rejected") && c->rejected == NULL) {
        const char *why = js_str(event, "message");
        replace(&c->rejected, why[0] != '\0' ? why : js_str(event, "code"));
    }
    if (c->on_event != NULL) {
        c->on_event(c, event);
    }
}

/* Takes all events that are queued. */
static int take_events(cli *c, waiting *w)
{
    for (;;) {
        sl_bytes *batch = NULL;
        sl_error *err = NULL;
        sl_status st = sl_core_poll(c->core, BATCH_BYTES, &batch, &err);
        if (st != SL_OK) {
            return cli_error(st, err);
        }
        if (batch == NULL) {
            return CLI_OK;
        }
        js *events = js_parse((const char *)sl_bytes_data(batch), sl_bytes_len(batch));
        sl_bytes_release(batch);
        for (const js *e = js_first(events); e != NULL; e = e->next) {
            on_event(c, w, e);
        }
        js_free(events);
    }
}

int cli_turn(cli *c, int32_t timeout_ms)
{
    (void)sl_core_wait(c->core, timeout_ms < TURN_MS ? timeout_ms : TURN_MS);
    return take_events(c, NULL);
}

/* Ends the operation and waits for its last event, which comes soon. */
static void cancel(cli *c, waiting *w)
{
    (void)sl_op_cancel(c->core, w->op);
    int64_t until = cli_now_ms() + CANCEL_MS;
    while (!w->ended && cli_now_ms() < until && take_events(c, w) == CLI_OK) {
        (void)sl_core_wait(c->core, TURN_MS);
    }
}

static int say_timeout(const cli *c, const char *label, int32_t timeout_ms)
{
    const char *state = c->sync_state != NULL ? c->sync_state : "";
    const char *reason = c->sync_reason != NULL ? c->sync_reason : "";
    if (strcmp(state, "online") == 0) {
        return cli_fail("%s did not end within %d seconds; it goes on next time", label,
                        (int)(timeout_ms / 1000));
    }
    return cli_fail("the server does not answer (waited %d seconds%s%s); what was done here is "
                    "kept and sent later",
                    (int)(timeout_ms / 1000), reason[0] != '\0' ? ": " : "", reason);
}

/* Until the operation ended; CLI_OK also when it failed. */
static int wait_end(cli *c, waiting *w, int32_t timeout_ms)
{
    int64_t until = w->started_ms + timeout_ms;
    for (;;) {
        int code = take_events(c, w);
        if (code != CLI_OK || w->ended) {
            return code;
        }
        if (cli_interrupted()) {
            cancel(c, w);
            cli_end_bar(c);
            (void)cli_fail("interrupted");
            return CLI_INTERRUPTED;
        }
        if (timeout_ms > 0 && cli_now_ms() >= until) {
            cancel(c, w);
            cli_end_bar(c);
            return say_timeout(c, w->label, timeout_ms);
        }
        (void)sl_core_wait(c->core, TURN_MS);
    }
}

static int say_failed(const waiting *w)
{
    return cli_say(w->status, w->message != NULL && w->message[0] != '\0'
                                  ? w->message
                                  : sl_status_name(w->status));
}

int cli_wait_op(cli *c, sl_id op, const char *label, int32_t timeout_ms, js **res)
{
    waiting w = {
        .op = op,
        .label = label,
        .started_ms = cli_now_ms(),
    };
    int code = wait_end(c, &w, timeout_ms);
    cli_end_bar(c);
    if (code == CLI_OK && !w.ok) {
        code = say_failed(&w);
    }
    free(w.message);
    free(w.field);
    if (code == CLI_OK && res != NULL) {
        *res = w.res;
    } else {
        js_free(w.res);
    }
    return code;
}

int cli_wait_sign_in(cli *c, sl_id op, char lacks[CLI_FIELD_MAX])
{
    waiting w = {.op = op, .label = "sign-in", .started_ms = cli_now_ms()};
    int code = wait_end(c, &w, c->timeout_ms);
    cli_end_bar(c);
    bool asks = w.status == SL_E_DENIED && w.field != NULL;
    (void)snprintf(lacks, CLI_FIELD_MAX, "%s", code == CLI_OK && !w.ok && asks ? w.field : "");
    if (code == CLI_OK && !w.ok) {
        code = lacks[0] != '\0' ? CLI_FAILED : say_failed(&w);
    }
    free(w.message);
    free(w.field);
    js_free(w.res);
    return code;
}

int cli_settle(cli *c)
{
    if (cli_offline(c)) {
        return CLI_OK;
    }
    sl_error *err = NULL;
    sl_id op = 0;
    sl_status st = sl_sync_settle(c->core, &op, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    int code = cli_wait_op(c, op, "sync", c->timeout_ms, NULL);
    if (code == CLI_OK && c->rejected != NULL) {
        return cli_fail("the server did not take it: %s", c->rejected);
    }
    return code;
}

int cli_start_sync(cli *c)
{
    if (cli_offline(c)) {
        return CLI_OK;
    }
    sl_error *err = NULL;
    sl_status st = sl_sync_control(c->core, SL_SYNC_START, &err);
    return st == SL_OK ? CLI_OK : cli_error(st, err);
}
