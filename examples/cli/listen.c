/* cli/listen.c - staying connected and showing what comes. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LISTEN_DEFAULT_S = 0, /* until Ctrl-C */
    LISTEN_MAX_S = 86400,
    TURN_MS = 100
};

/* The record of a list with this value in a field, or NULL. */
static const js *with(const js *records, const char *field, const char *value)
{
    for (const js *r = js_first(records); r != NULL; r = r->next) {
        if (js_is(r, field, value)) {
            return r;
        }
    }
    return NULL;
}

static js *participants(cli *c)
{
    return cli_query(c, "{\"from\":\"participant\"}");
}

static int64_t my_read(const js *people, const char *space, const char *me)
{
    for (const js *p = js_first(people); p != NULL; p = p->next) {
        if (js_is(p, "space", space) && js_is(p, "user_id", me)) {
            return js_int(p, "read");
        }
    }
    return 0;
}

typedef struct listening {
    sl_id messages; /* live queries */
    sl_id people_sub;
    js *people; /* as last taken together */
    char me[37];
    bool first; /* the first difference is all there is: only what is unread is news */
    bool found; /* what --until waits for was seen */
    bool mark;
    char state[16]; /* of the connection, as last said */
} listening;

static js *take(cli *c, sl_id sub)
{
    sl_bytes *diff = NULL;
    if (sl_query_take(c->core, sub, &diff, NULL) != SL_OK || diff == NULL) {
        return NULL;
    }
    js *j = js_parse((const char *)sl_bytes_data(diff), sl_bytes_len(diff));
    sl_bytes_release(diff);
    return j;
}

static void check_until(cli *c, listening *l, const char *s)
{
    const char *until = c->option[OPT_UNTIL];
    if (until != NULL && strstr(s, until) != NULL) {
        l->found = true;
    }
}

static void hear_message(cli *c, listening *l, const js *m)
{
    bool mine = js_is(m, "author_id", l->me) || js_int(m, "place") == 0;
    int64_t read = my_read(l->people, js_str(m, "space"), l->me);
    if (mine || (l->first && js_int(m, "place") <= read)) {
        return;
    }
    if (cli_json(c)) {
        (void)printf("%.*s\n", (int)m->raw_len, m->raw);
    } else {
        const js *who = with(l->people, "user_id", js_str(m, "author_id"));
        cli_print_message(m, js_str(who, "name"), "");
    }
    (void)fflush(stdout);
    check_until(c, l, js_str(m, "body"));
    if (l->mark) {
        (void)sl_chat_mark(c->core, js_str(m, "space"), SL_CHAT_READ, js_str(m, "id"), NULL);
    }
}

static void hear_marks(cli *c, listening *l, const js *changed)
{
    for (const js *p = js_first(changed); p != NULL && !l->first; p = p->next) {
        const js *old = with(l->people, "id", js_str(p, "id"));
        if (js_is(p, "user_id", l->me)) {
            continue;
        }
        bool read = js_int(p, "read") > js_int(old, "read");
        if (!read && js_int(p, "delivered") <= js_int(old, "delivered")) {
            continue;
        }
        text line = {0};
        text_fmt(&line, "%s: %s up to %" PRId64, js_str(p, "name"), read ? "read" : "delivered",
                 js_int(p, read ? "read" : "delivered"));
        if (!cli_json(c)) {
            (void)printf("%s\n", line.data);
            (void)fflush(stdout);
        }
        check_until(c, l, line.data);
        text_free(&line);
    }
}

static void hear_rows(cli *c, listening *l)
{
    js *people = take(c, l->people_sub);
    if (people != NULL) {
        hear_marks(c, l, js_get(people, "upserts"));
        js *all = participants(c);
        if (all != NULL) {
            js_free(l->people);
            l->people = all;
        }
        js_free(people);
    }
    js *news = l->people != NULL ? take(c, l->messages) : NULL;
    const js *upserts = js_get(news, "upserts");
    for (const js *m = js_first(upserts); m != NULL; m = m->next) {
        hear_message(c, l, m);
    }
    if (news != NULL) {
        l->first = false;
    }
    js_free(news);
}

static void hear(cli *c, const js *event)
{
    listening *l = c->event_ctx;
    if (js_is(event, "ev", "rows")) {
        hear_rows(c, l);
        return;
    }
    if (cli_json(c)) {
        (void)printf("%.*s\n", (int)event->raw_len, event->raw);
    } else if (js_is(event, "ev", "sync") && !js_is(event, "state", l->state)) {
        const char *reason = js_str(event, "reason");
        (void)printf("-- %s%s%s\n", js_str(event, "state"), reason[0] != '\0' ? ": " : "", reason);
        (void)snprintf(l->state, sizeof l->state, "%s", js_str(event, "state"));
    } else if (js_is(event, "ev", "typing")) {
        const js *who = with(l->people, "user_id", js_str(event, "user"));
        bool on = js_get(event, "on") != NULL && js_get(event, "on")->truth;
        (void)printf("-- %s %s typing\n", js_str(who, "name"), on ? "is" : "stopped");
    } else if (js_is(event, "ev", "presence")) {
        const js *who = with(l->people, "user_id", js_str(event, "user"));
        bool online = js_get(event, "online") != NULL && js_get(event, "online")->truth;
        (void)printf("-- %s is %s\n", js_str(who, "name"), online ? "here" : "gone");
    }
    (void)fflush(stdout);
    check_until(c, l, js_str(event, "state"));
}

static int watch(cli *c, const char *query, sl_id *sub)
{
    sl_error *err = NULL;
    sl_status st = sl_query_watch(c->core, query, strlen(query), sub, &err);
    return st == SL_OK ? CLI_OK : cli_error(st, err);
}

static int listen_until(cli *c, const listening *l, int64_t seconds)
{
    int64_t until = cli_now_ms() + seconds * 1000;
    int code = CLI_OK;
    while (code == CLI_OK && !l->found && !cli_interrupted() &&
           (seconds == 0 || cli_now_ms() < until)) {
        code = cli_turn(c, TURN_MS);
    }
    if (code == CLI_OK && cli_interrupted()) {
        return CLI_INTERRUPTED;
    }
    if (code == CLI_OK && c->option[OPT_UNTIL] != NULL && !l->found) {
        return cli_fail("nothing with \"%s\" came within %d seconds", c->option[OPT_UNTIL],
                        (int)seconds);
    }
    return code;
}

static int parse_seconds(const cli *c, int64_t *out)
{
    const char *given = c->option[OPT_SECONDS];
    *out = LISTEN_DEFAULT_S;
    if (given == NULL) {
        return CLI_OK;
    }
    char *end = NULL;
    long value = strtol(given, &end, 10);
    if (end == given || *end != '\0' || value < 1 || value > LISTEN_MAX_S) {
        (void)cli_fail("--seconds takes a number from 1 to %d, not \"%s\"", LISTEN_MAX_S, given);
        return CLI_USAGE;
    }
    *out = value;
    return CLI_OK;
}

int cmd_listen(cli *c)
{
    listening l = {.first = true, .mark = c->option[OPT_READ] != NULL};
    int64_t seconds = 0;
    int code = parse_seconds(c, &seconds);
    if (code == CLI_OK && cli_offline(c)) {
        code = cli_fail("listening needs the server, and --offline forbids it");
    }
    if (code == CLI_OK) {
        code = cli_my_id(c, l.me);
    }
    if (code != CLI_OK) {
        return code;
    }
    c->event_ctx = &l;
    c->on_event = hear;
    code = watch(c, "{\"from\":\"participant\"}", &l.people_sub);
    if (code == CLI_OK) {
        code = watch(c, "{\"from\":\"message\"}", &l.messages);
    }
    if (code == CLI_OK) {
        code = cli_start_sync(c);
    }
    if (code == CLI_OK) {
        code = listen_until(c, &l, seconds);
    }
    /* The marks made by what was heard should reach the others before the end. */
    if (code == CLI_OK) {
        code = cli_settle(c);
    }
    c->on_event = NULL;
    c->event_ctx = NULL;
    js_free(l.people);
    return code;
}
