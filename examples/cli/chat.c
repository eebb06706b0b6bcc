/* cli/chat.c - conversations: the list, what is in them, sending. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The answer of a call of the library as parsed JSON; NULL after saying why. */
static js *answer_of(sl_status st, sl_bytes *out, sl_error *err)
{
    if (st != SL_OK) {
        (void)cli_error(st, err);
        return NULL;
    }
    js *j = js_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    sl_bytes_release(out);
    return j;
}

static bool yes(const js *j, const char *key)
{
    const js *v = js_get(j, key);
    return v != NULL && v->truth;
}

static void print_raw(const js *j)
{
    (void)printf("%.*s\n", (int)j->raw_len, j->raw);
}

/* ---- the list ---- */

static js *gaps_of(cli *c, const char *space)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_chat_gaps(c->core, space, &out, &err);
    return answer_of(st, out, err);
}

static int print_thread(cli *c, const js *line)
{
    const char *space = js_str(line, "thread");
    const char *id = strchr(space, ':') != NULL ? strchr(space, ':') + 1 : space;
    text query = {0};
    text_fmt(&query, "{\"from\":\"message\",\"where\":{\"space\":\"%s\"},\"count\":true}", space);
    js *count = cli_query(c, query.data);
    js *gaps = count != NULL ? gaps_of(c, space) : NULL;
    text_free(&query);
    if (gaps != NULL) {
        (void)printf("%s  %s%swith ", id, js_str(line, "title"),
                     js_str(line, "title")[0] != '\0' ? ", " : "");
        for (const js *p = js_first(js_get(line, "people")); p != NULL; p = p->next) {
            (void)printf("%s%s", js_str(p, "name"), p->next != NULL ? ", " : "");
        }
        (void)printf(", %" PRId64 "%s messages, %" PRId64 "%s unread",
                     js_int(js_first(count), "count"), js_count(gaps) > 0 ? "+" : "",
                     js_int(line, "unread"), yes(line, "more") ? "+" : "");
        if (js_int(line, "mentions") > 0) {
            (void)printf(", %" PRId64 " of them to you", js_int(line, "mentions"));
        }
        if (js_int(line, "failed") > 0) {
            (void)printf(", %" PRId64 " not sent", js_int(line, "failed"));
        }
        (void)printf("%s%s%s\n", js_get(line, "muted_until_ms") != NULL ? ", silent" : "",
                     yes(line, "blocked") ? ", blocked" : "",
                     js_get(line, "draft") != NULL ? ", begun" : "");
    }
    int code = gaps != NULL ? CLI_OK : CLI_FAILED;
    js_free(count);
    js_free(gaps);
    return code;
}

int cmd_threads(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_chat_threads(c->core, &out, &err);
    js *threads = answer_of(st, out, err);
    int code = threads != NULL ? CLI_OK : CLI_FAILED;
    if (threads != NULL && cli_json(c)) {
        print_raw(threads);
    }
    for (const js *t = js_first(threads); t != NULL && !cli_json(c) && code == CLI_OK;
         t = t->next) {
        code = print_thread(c, t);
    }
    js_free(threads);
    return code;
}

int cmd_unread(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_chat_counts(c->core, &out, &err);
    js *counts = answer_of(st, out, err);
    if (counts != NULL && cli_json(c)) {
        print_raw(counts);
    } else if (counts != NULL) {
        (void)printf("%" PRId64 "%s unread in %" PRId64 " conversations, %" PRId64
                     " of them to you; badge %" PRId64 "\n",
                     js_int(counts, "unread"), yes(counts, "more") ? "+" : "",
                     js_int(counts, "threads"), js_int(counts, "mentions"),
                     js_int(counts, "badge"));
    }
    int code = counts != NULL ? CLI_OK : CLI_FAILED;
    js_free(counts);
    return code;
}

/* ---- sending ---- */

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

/* How many UTF-16 units a text has. */
static size_t units(const char *s, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char b = (unsigned char)s[i];
        count += (b & 0xC0) == 0x80 ? 0 : b >= 0xF0 ? 2 : 1;
    }
    return count;
}

/* The participant whose whole name stands here; the longest of several. */
static const js *named_at(const js *people, const char *at)
{
    const js *best = NULL;
    for (const js *p = js_first(people); p != NULL; p = p->next) {
        const char *name = js_str(p, "name");
        size_t n = strlen(name);
        bool longer = best == NULL || n > strlen(js_str(best, "name"));
        best = n > 0 && longer && strncmp(at, name, n) == 0 ? p : best;
    }
    return best;
}

/* Every "@Name" of somebody who takes part is a mention. */
static int put_mentions(cli *c, text *json, const char *space, const char *body)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_chat_people(c->core, space, &out, &err);
    js *people = answer_of(st, out, err);
    bool first = true;
    for (const char *at = strchr(body, '@'); people != NULL && at != NULL;
         at = strchr(at + 1, '@')) {
        const js *p = named_at(people, at + 1);
        if (p == NULL) {
            continue;
        }
        size_t n = strlen(js_str(p, "name")) + 1;
        text_fmt(json, "%s{\"user\":\"%s\",\"at\":%zu,\"len\":%zu}",
                 first ? ",\"mentions\":[" : ",", js_str(p, "user"),
                 units(body, (size_t)(at - body)), units(at, n));
        first = false;
        at += n - 1;
    }
    text_add(json, first ? "" : "]");
    int code = people != NULL ? CLI_OK : CLI_FAILED;
    js_free(people);
    return code;
}

/* --at: a moment of the video; --in: not now. */
static int put_times(const cli *c, text *json)
{
    const char *at = c->option[OPT_AT];
    const char *in = c->option[OPT_IN];
    char *end = NULL;
    double seconds = at != NULL ? strtod(at, &end) : 0;
    if (at != NULL && (end == at || *end != '\0' || seconds < 0 || seconds > 36000)) {
        (void)cli_fail("--at takes seconds of the video, not \"%s\"", at);
        return CLI_USAGE;
    }
    if (at != NULL) {
        text_fmt(json, ",\"at_us\":%" PRId64, (int64_t)(seconds * 1e6 + 0.5));
    }
    seconds = in != NULL ? strtod(in, &end) : 0;
    if (in != NULL && (end == in || *end != '\0' || seconds < 0 || seconds > 366.0 * 86400)) {
        (void)cli_fail("--in takes seconds from now, not \"%s\"", in);
        return CLI_USAGE;
    }
    if (in != NULL) {
        text_fmt(json, ",\"send_ms\":%" PRId64,
                 (int64_t)time(NULL) * 1000 + (int64_t)(seconds * 1000));
    }
    return CLI_OK;
}

static int put_all(cli *c, text *json, const char *space)
{
    int code = CLI_OK;
    text_add(json, "{\"body\":");
    text_json(json, c->args[1]);
    if (c->option[OPT_REVIEW] != NULL) {
        code = put_reference(c, json, "review", c->option[OPT_REVIEW]);
    } else if (c->option[OPT_VIDEO] != NULL) {
        code = put_reference(c, json, "video", c->option[OPT_VIDEO]);
    }
    if (code == CLI_OK && c->option[OPT_REPLY] != NULL) {
        char id[37];
        code = cli_find(c, "message", c->option[OPT_REPLY], id);
        text_fmt(json, ",\"reply_to\":\"%s\"", code == CLI_OK ? id : "");
    }
    if (code == CLI_OK) {
        code = put_times(c, json);
    }
    if (code == CLI_OK) {
        code = put_mentions(c, json, space, c->args[1]);
    }
    text_add(json, "}");
    return code;
}

/* What became of a message that was sent. */
static int tell_sent(const cli *c, int code, const sl_bytes *out, const char *done)
{
    if (code == CLI_OK && cli_json(c)) {
        (void)printf("%.*s\n", (int)sl_bytes_len(out), (const char *)sl_bytes_data(out));
    } else if (code == CLI_OK) {
        (void)printf("%s\n", cli_offline(c) ? "queued" : done);
    }
    return code;
}

int cmd_send(cli *c)
{
    char thread[37];
    char space[64];
    if (c->option[OPT_REVIEW] != NULL && c->option[OPT_VIDEO] != NULL) {
        (void)cli_fail("a message carries a review or a video, not both");
        return CLI_USAGE;
    }
    text json = {0};
    sl_bytes *out = NULL;
    int code = cli_find_thread(c, c->args[0], thread);
    (void)snprintf(space, sizeof space, "thread:%s", code == CLI_OK ? thread : "");
    if (code == CLI_OK) {
        code = put_all(c, &json, space);
    }
    if (code == CLI_OK) {
        sl_error *err = NULL;
        sl_status st = sl_chat_send(c->core, space, json.data, json.len, &out, &err);
        code = st == SL_OK ? cli_settle(c) : cli_error(st, err);
    }
    text_free(&json);
    code = tell_sent(c, code, out, c->option[OPT_IN] != NULL ? "planned" : "sent");
    sl_bytes_release(out);
    return code;
}

int cmd_forward(cli *c)
{
    char message[37];
    char thread[37];
    char space[64];
    sl_bytes *out = NULL;
    int code = cli_find(c, "message", c->args[0], message);
    if (code == CLI_OK) {
        code = cli_find_thread(c, c->args[1], thread);
    }
    if (code == CLI_OK) {
        sl_error *err = NULL;
        (void)snprintf(space, sizeof space, "thread:%s", thread);
        sl_status st = sl_chat_forward(c->core, message, space, &out, &err);
        code = st == SL_OK ? cli_settle(c) : cli_error(st, err);
    }
    code = tell_sent(c, code, out, "sent");
    sl_bytes_release(out);
    return code;
}

/* ---- a conversation ---- */

void cli_print_message(const js *m, const char *who, const char *state)
{
    char when[32] = "--:--";
    time_t sent = (time_t)(js_int(m, "sent_ms") / 1000);
    struct tm local;
    if (sent > 0 && localtime_r(&sent, &local) != NULL) {
        (void)strftime(when, sizeof when, "%H:%M", &local);
    }
    const js *reply = js_get(m, "reply");
    (void)printf("%s  %s: ", when, who);
    if (reply != NULL) {
        (void)printf("> %s > ", yes(reply, "missing") ? "..." : js_str(reply, "body"));
    }
    if (js_is(m, "kind", "notice")) {
        (void)printf("%s %s", js_str(m, "event"), js_str(m, "about"));
    }
    (void)printf("%s", js_str(m, "body"));
    if (js_str(m, "ref_id")[0] != '\0') {
        (void)printf("  [%s %s", js_str(m, "kind"), js_str(m, "ref_id"));
        if (js_get(m, "at_us") != NULL) {
            (void)printf(" at %.3f s", js_num(m, "at_us") / 1e6);
        }
        (void)printf("]");
    }
    for (const js *r = js_first(js_get(m, "reactions")); r != NULL; r = r->next) {
        (void)printf("  %s %" PRId64, js_str(r, "emoji"), js_int(r, "count"));
    }
    (void)printf("%s%s%s", yes(m, "pinned") ? "  (pinned)" : "",
                 js_get(m, "edited_ms") != NULL ? "  (edited)" : "",
                 js_str(m, "forward_of")[0] != '\0' ? "  (forwarded)" : "");
    (void)printf("%s%s%s\n", state[0] != '\0' ? "  (" : "", state, state[0] != '\0' ? ")" : "");
}

static void print_gap(bool gap)
{
    if (gap) {
        (void)printf("        ... messages are missing here; --older COUNT loads some\n");
    }
}

static void print_page(const js *page)
{
    for (const js *m = js_first(js_get(page, "messages")); m != NULL; m = m->next) {
        bool mine = yes(m, "mine");
        const char *state = js_is(m, "state", "queued") ? "waiting" : js_str(m, "state");
        print_gap(yes(m, "gap"));
        cli_print_message(m, mine ? "me" : js_str(m, "author"), mine ? state : "");
        if (js_is(m, "state", "failed")) {
            (void)printf("        %s (sideline retry %s)\n", js_str(m, "message"), js_str(m, "id"));
        }
    }
    print_gap(yes(page, "gap_after"));
}

static js *page_before(cli *c, const char *space, int64_t before)
{
    text json = {0};
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    text_add(&json, "{\"limit\":200");
    if (before > 0) {
        text_fmt(&json, ",\"before\":%" PRId64, before);
    }
    text_add(&json, "}");
    sl_status st = sl_chat_messages(c->core, space, json.data, json.len, &out, &err);
    text_free(&json);
    return answer_of(st, out, err);
}

/* All that is here, from the oldest page to the newest. */
static int print_from(cli *c, const char *space, int64_t before)
{
    js *page = page_before(c, space, before);
    int code = page != NULL ? CLI_OK : CLI_FAILED;
    if (page != NULL && yes(page, "older")) {
        code = print_from(c, space, js_int(js_first(js_get(page, "messages")), "place"));
    }
    if (code == CLI_OK) {
        print_page(page);
    }
    js_free(page);
    return code;
}

static int print_all(cli *c, const char *space)
{
    if (!cli_json(c)) {
        return print_from(c, space, 0);
    }
    js *page = page_before(c, space, 0);
    if (page == NULL) {
        return CLI_FAILED;
    }
    print_raw(js_get(page, "messages"));
    js_free(page);
    return CLI_OK;
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
    int code = cli_find_thread(c, c->args[0], thread);
    (void)snprintf(space, sizeof space, "thread:%s", code == CLI_OK ? thread : "");
    if (code == CLI_OK) {
        code = load_older(c, space);
    }
    return code == CLI_OK ? print_all(c, space) : code;
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

int cmd_search(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    text json = {0};
    text_add(&json, "{\"words\":");
    text_json(&json, c->args[0]);
    text_add(&json, "}");
    sl_status st = sl_chat_search(c->core, json.data, json.len, &out, &err);
    text_free(&json);
    js *found = answer_of(st, out, err);
    if (found != NULL && cli_json(c)) {
        print_raw(found);
    }
    for (const js *m = js_first(found); m != NULL && !cli_json(c); m = m->next) {
        (void)printf("%s  %s: %s\n", js_str(m, "id"), yes(m, "mine") ? "me" : js_str(m, "author"),
                     js_str(m, "snippet"));
    }
    int code = found != NULL ? CLI_OK : CLI_FAILED;
    js_free(found);
    return code;
}
