/* cli/chat.c - conversations. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* "thread:<id>" -> participants of that space. */
static js *participants(cli *c, const char *thread)
{
    text query = {0};
    if (thread != NULL) {
        text_fmt(&query, "{\"from\":\"participant\",\"where\":{\"space\":\"thread:%s\"}}", thread);
    } else {
        text_add(&query, "{\"from\":\"participant\"}");
    }
    js *list = cli_query(c, query.data);
    text_free(&query);
    return list;
}

static js *messages_of(cli *c, const char *thread)
{
    text query = {0};
    text_fmt(&query,
             "{\"from\":\"message\",\"where\":{\"space\":\"thread:%s\"},\"order\":[\"place\"],"
             "\"limit\":10000}",
             thread);
    js *list = cli_query(c, query.data);
    text_free(&query);
    return list;
}

static void print_names(const js *people, const char *space, const char *me)
{
    bool first = true;
    for (const js *p = js_first(people); p != NULL; p = p->next) {
        if (js_is(p, "space", space) && !js_is(p, "user_id", me)) {
            (void)printf("%s%s", first ? "" : ", ", js_str(p, "name"));
            first = false;
        }
    }
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

/* True when messages are missing between two places. */
static bool missing(const js *gaps, int64_t after, int64_t before)
{
    bool any = false;
    for (const js *g = js_first(gaps); g != NULL; g = g->next) {
        any = any || (js_int(g, "upto") > after && js_int(g, "above") < before);
    }
    return any;
}

static js *gaps_of(cli *c, const char *space)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_chat_gaps(c->core, space, &out, &err);
    if (st != SL_OK) {
        (void)cli_error(st, err);
        return NULL;
    }
    js *gaps = js_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    sl_bytes_release(out);
    return gaps;
}

static int print_thread(cli *c, const js *thread, const js *people, const char *me)
{
    const char *space = js_str(thread, "space");
    js *messages = messages_of(c, js_str(thread, "id"));
    js *gaps = messages != NULL ? gaps_of(c, space) : NULL;
    if (gaps == NULL) {
        js_free(messages);
        return CLI_FAILED;
    }
    size_t unread = 0;
    int64_t read = my_read(people, space, me);
    for (const js *m = messages->first; m != NULL; m = m->next) {
        if (js_int(m, "seq") > read && !js_is(m, "author_id", me)) {
            unread++;
        }
    }
    (void)printf("%s  with ", js_str(thread, "id"));
    print_names(people, space, me);
    (void)printf(", %zu%s messages, %zu%s unread\n", js_count(messages),
                 missing(gaps, 0, INT64_MAX) ? "+" : "", unread,
                 missing(gaps, read, INT64_MAX) ? "+" : "");
    js_free(gaps);
    js_free(messages);
    return CLI_OK;
}

int cmd_threads(cli *c)
{
    char me[37];
    js *threads = cli_query(c, "{\"from\":\"thread\"}");
    if (threads == NULL) {
        return CLI_FAILED;
    }
    if (cli_json(c)) {
        (void)printf("%.*s\n", (int)threads->raw_len, threads->raw);
        js_free(threads);
        return CLI_OK;
    }
    js *people = NULL;
    int code = cli_my_id(c, me);
    if (code == CLI_OK) {
        people = participants(c, NULL);
        code = people != NULL ? CLI_OK : CLI_FAILED;
    }
    for (const js *t = threads->first; t != NULL && code == CLI_OK; t = t->next) {
        code = print_thread(c, t, people, me);
    }
    js_free(people);
    js_free(threads);
    return code;
}

/* The record that goes with a message, its kind and space. */
static int put_reference(cli *c, text *json, const char *kind, const char *what)
{
    char id[37];
    int code = cli_find(c, kind, what, id);
    js *record = code == CLI_OK ? cli_record(c, kind, id) : NULL;
    if (record == NULL) {
        return CLI_FAILED;
    }
    text_fmt(json, ",\"kind\":\"%s\",\"ref_space\":\"%s\",\"ref_id\":\"%s\"", kind,
             js_str(record, "space"), id);
    js_free(record);
    return CLI_OK;
}

int cmd_send(cli *c)
{
    char thread[37];
    if (c->option[OPT_REVIEW] != NULL && c->option[OPT_VIDEO] != NULL) {
        (void)cli_fail("a message carries a review or a video, not both");
        return CLI_USAGE;
    }
    int code = cli_find_thread(c, c->args[0], thread);
    text json = {0};
    text_add(&json, "{\"body\":");
    text_json(&json, c->args[1]);
    if (code == CLI_OK && c->option[OPT_REVIEW] != NULL) {
        code = put_reference(c, &json, "review", c->option[OPT_REVIEW]);
    } else if (code == CLI_OK && c->option[OPT_VIDEO] != NULL) {
        code = put_reference(c, &json, "video", c->option[OPT_VIDEO]);
    }
    text_add(&json, "}");
    sl_bytes *out = NULL;
    if (code == CLI_OK) {
        sl_error *err = NULL;
        char space[64];
        (void)snprintf(space, sizeof space, "thread:%s", thread);
        sl_status st = sl_chat_send(c->core, space, json.data, json.len, &out, &err);
        code = st == SL_OK ? cli_settle(c) : cli_error(st, err);
    }
    text_free(&json);
    if (code == CLI_OK && cli_json(c)) {
        (void)printf("%.*s\n", (int)sl_bytes_len(out), (const char *)sl_bytes_data(out));
    } else if (code == CLI_OK) {
        (void)printf("%s\n", cli_offline(c) ? "queued" : "sent");
    }
    sl_bytes_release(out);
    return code;
}

/* How far a message of ours has come: the least advanced of the others counts. */
static const char *progress_of(const js *message, const js *people, const char *me)
{
    int64_t seq = js_int(message, "seq");
    if (seq == 0) {
        return "waiting";
    }
    bool read = true;
    bool delivered = true;
    for (const js *p = js_first(people); p != NULL; p = p->next) {
        if (!js_is(p, "user_id", me)) {
            read = read && js_int(p, "read") >= seq;
            delivered = delivered && js_int(p, "delivered") >= seq;
        }
    }
    if (read) {
        return "read";
    }
    return delivered ? "delivered" : "sent";
}

static void print_message(const js *m, const js *people, const char *me)
{
    char when[32] = "--:--";
    time_t sent = (time_t)(js_int(m, "sent_ms") / 1000);
    struct tm local;
    if (sent > 0 && localtime_r(&sent, &local) != NULL) {
        (void)strftime(when, sizeof when, "%H:%M", &local);
    }
    const char *author = js_str(m, "author_id");
    bool mine = author[0] == '\0' || strcmp(author, me) == 0;
    const js *person = with(people, "user_id", author);
    (void)printf("%s  %s: %s", when, mine ? "me" : js_str(person, "name"), js_str(m, "body"));
    if (js_str(m, "ref_id")[0] != '\0') {
        (void)printf("  [%s %s]", js_str(m, "kind"), js_str(m, "ref_id"));
    }
    (void)printf("%s%s%s\n", mine ? "  (" : "", mine ? progress_of(m, people, me) : "",
                 mine ? ")" : "");
}

static void print_gap(const js *gaps, int64_t after, int64_t before)
{
    if (missing(gaps, after, before)) {
        (void)printf("        ... messages are missing here; --older COUNT loads some\n");
    }
}

/* Accepted messages in the server's order, then those that wait. */
static void print_in_order(const js *messages, const js *gaps, const js *people, const char *me)
{
    int64_t shown = 0;
    for (const js *m = messages->first; m != NULL; m = m->next) {
        int64_t place = js_int(m, "place");
        if (place > 0) {
            print_gap(gaps, shown, place);
            shown = place;
        }
        print_message(m, people, me);
    }
    print_gap(gaps, shown, INT64_MAX);
}

/* Loads as many messages as --older says. */
static int load_older(cli *c, const char *space)
{
    const char *given = c->option[OPT_OLDER];
    char *end = NULL;
    long count = given != NULL ? strtol(given, &end, 10) : 0;
    if (given == NULL) {
        return CLI_OK;
    }
    if (end == given || *end != '\0' || count < 1 || count > 500) {
        (void)cli_fail("--older takes a number from 1 to 500, not \"%s\"", given);
        return CLI_USAGE;
    }
    int code = cli_settle(c);
    if (code != CLI_OK) {
        return code;
    }
    sl_id op = 0;
    sl_error *err = NULL;
    sl_status st = sl_chat_load(c->core, space, SL_CHAT_OLDER, NULL, (uint32_t)count, &op, &err);
    return st == SL_OK ? cli_wait_op(c, op, NULL, c->timeout_ms, NULL) : cli_error(st, err);
}

int cmd_messages(cli *c)
{
    char thread[37];
    char space[64];
    char me[37];
    int code = cli_find_thread(c, c->args[0], thread);
    (void)snprintf(space, sizeof space, "thread:%s", code == CLI_OK ? thread : "");
    if (code == CLI_OK) {
        code = cli_my_id(c, me);
    }
    if (code == CLI_OK) {
        code = load_older(c, space);
    }
    if (code != CLI_OK) {
        return code;
    }
    js *messages = messages_of(c, thread);
    js *people = participants(c, thread);
    js *gaps = gaps_of(c, space);
    code = messages != NULL && people != NULL && gaps != NULL ? CLI_OK : CLI_FAILED;
    if (code == CLI_OK && cli_json(c)) {
        (void)printf("%.*s\n", (int)messages->raw_len, messages->raw);
    } else if (code == CLI_OK) {
        print_in_order(messages, gaps, people, me);
    }
    js_free(messages);
    js_free(people);
    js_free(gaps);
    return code;
}

int cmd_read(cli *c)
{
    char thread[37];
    int code = cli_find_thread(c, c->args[0], thread);
    if (code != CLI_OK) {
        return code;
    }
    char space[64];
    sl_error *err = NULL;
    (void)snprintf(space, sizeof space, "thread:%s", thread);
    sl_status st = sl_chat_mark(c->core, space, SL_CHAT_READ, NULL, &err);
    return st == SL_OK ? cli_settle(c) : cli_error(st, err);
}

/* ---- listen ---- */

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
    bool mine = js_is(m, "author_id", l->me) || js_int(m, "seq") == 0;
    int64_t read = my_read(l->people, js_str(m, "space"), l->me);
    if (mine || (l->first && js_int(m, "seq") <= read)) {
        return;
    }
    if (cli_json(c)) {
        (void)printf("%.*s\n", (int)m->raw_len, m->raw);
    } else {
        print_message(m, l->people, l->me);
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
        js *all = participants(c, NULL);
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
        (void)printf("-- %s is typing\n", js_str(who, "name"));
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
