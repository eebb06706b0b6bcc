/*
 * Conversations by seeds, through kills, lost connections, several devices and wrong clocks:
 *
 *   [CHAT-1] each message that was sent is there once, on all devices, in one order, in which those of a
 *            device come as they were sent;
 *   [CHAT-2] at rest the counts are those of the messages that are there;
 *   [CHAT-3] one person gives one message one sign once.
 *
 * Odd seeds talk in a group, which is renamed meanwhile.
 */
#include "base/mem.h"
#include "engine/engine.h"
#include "platform/sim/sim.h"
#include "sideline/annotation.h"
#include "sideline/chat.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "support.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- by seeds -------------------------------------------------------------------------------- */

enum {
    DEVICES = 4,
    SAID_MAX = 400,
    ACT_SECONDS = 40
};

typedef struct saying {
    unsigned device;
    int number;   /* of what the device said */
    bool sure;    /* it was told that it is stored */
    bool planned; /* comes when it comes */
    bool deleted; /* perhaps */
    char id[40];
    char body[32];
} saying;

static bool g_group;
static saying g_sayings[SAID_MAX];
static int g_count;

/* True when the machine is still what it was: what it answered holds. */
static bool lives(const lab_node *n, unsigned life)
{
    return n->node->core != NULL && n->node->host.life == life && !sl_disk_dead(n->node->host.disk);
}

static void act_say(lab_node *n, unsigned device, bool later)
{
    char json[120];
    unsigned life = n->node->host.life;
    int64_t send_ms = server_ms() + sl_sim_dice(g_lab->sim, 20 * SECOND);
    if (g_count == SAID_MAX) {
        return;
    }
    saying *s = &g_sayings[g_count];
    *s = (saying){.device = device, .number = g_count, .planned = later};
    g_count++;
    (void)snprintf(s->body, sizeof s->body, "%u-%d", device, s->number);
    (void)snprintf(json, sizeof json, later ? "{'body':'%s','send_ms':%lld}" : "{'body':'%s'}",
                   s->body, (long long)send_ms);
    sl_status status = try_send(n, json, s->id);
    s->sure = status == SL_OK && lives(n, life);
}

/* Something of what this device said, or NULL. */
static saying *own(unsigned device)
{
    saying *found = NULL;
    int64_t n = 0;
    for (int i = 0; i < g_count; i++) {
        saying *s = &g_sayings[i];
        if (s->device == device && s->id[0] != 0 && !s->planned &&
            sl_sim_dice(g_lab->sim, ++n) == 0) {
            found = s;
        }
    }
    return found;
}

static void act(lab_node *n, unsigned device)
{
    int64_t pick = sl_sim_dice(g_lab->sim, 100);
    saying *s = own(device);
    if (n->node->core == NULL || !n->node->core->session.have) {
        return;
    }
    if (pick >= 98 && g_group) {
        char title[40];
        int len = snprintf(title, sizeof title, "{\"title\":\"T%d\"}", g_count);
        (void)sl_chat_group_edit(n->node->core, g_thread, title, (size_t)len, NULL);
    }
    if (pick < 45) {
        act_say(n, device, false);
    } else if (pick < 55) {
        act_say(n, device, true);
    } else if (pick < 65 && s != NULL) {
        char json[64]; /* the same text: it is found by it */
        int len = snprintf(json, sizeof json, "{\"body\":\"%s\"}", s->body);
        (void)sl_chat_edit(n->node->core, s->id, json, (size_t)len, NULL);
    } else if (pick < 70 && s != NULL) {
        s->deleted = true;
        (void)sl_chat_delete(n->node->core, s->id, NULL);
    } else if (pick < 80 && g_count > 0) {
        const saying *any = &g_sayings[sl_sim_dice(g_lab->sim, g_count)];
        (void)sl_chat_react(n->node->core, any->id[0] != 0 ? any->id : g_ana->user, "+",
                            (int32_t)sl_sim_dice(g_lab->sim, 3) > 0, NULL);
    } else if (pick < 95) {
        (void)sl_chat_mark(n->node->core, g_thread, SL_CHAT_READ, NULL, NULL);
    } else {
        (void)sl_chat_mark(n->node->core, g_thread, SL_CHAT_TYPING, NULL, NULL);
    }
    sl_sim_node_touched(n->node);
}

/* The conversation as text, without what differs by who looks. */
static char *transcript(lab_node *n)
{
    sl_buf b = {0};
    sl_json *page = page_of(n, "{'limit':200}");
    ck_assert(!sl_json_bool_or(page, "older", true));
    const sl_json *list = sl_json_get(page, "messages");
    for (const sl_json *m = sl_json_first(list); m != NULL; m = sl_json_next(m)) {
        ck_assert_msg(sl_json_int_or(m, "place", 0) > 0, "%s of %s is %s: %s",
                      sl_json_str(m, "body"), n->node->host.name, sl_json_str(m, "state"),
                      sl_json_str(m, "message") != NULL ? sl_json_str(m, "message") : "");
        sl_buf_fmt(&b, "%s %s %s", sl_json_str(m, "id"), sl_json_str(m, "kind"),
                   sl_json_str(m, "body"));
        const sl_json *signs = sl_json_get(m, "reactions");
        for (const sl_json *r = sl_json_first(signs); r != NULL; r = sl_json_next(r)) {
            sl_buf_fmt(&b, " %s%lld", sl_json_str(r, "emoji"),
                       (long long)sl_json_int_or(r, "count", 0));
        }
        sl_buf_u8(&b, '\n');
    }
    sl_json_free(page);
    char *text = sl_text_dup(sl_buf_text(&b));
    sl_buf_free(&b);
    return text;
}

static bool is_notice(const sl_json *message)
{
    return strcmp(sl_json_str(message, "kind"), "notice") == 0;
}

/* [CHAT-1] */
static void check_once_in_order(lab_node *n)
{
    int last[DEVICES];
    int seen[SAID_MAX] = {0};
    memset(last, -1, sizeof last);
    sl_json *page = page_of(n, "{'limit':200}");
    const sl_json *list = sl_json_get(page, "messages");
    for (const sl_json *m = sl_json_first(list); m != NULL; m = sl_json_next(m)) {
        if (is_notice(m)) {
            continue;
        }
        int i = (int)strtol(strchr(sl_json_str(m, "body"), '-') + 1, NULL, 10);
        const saying *s = &g_sayings[i];
        seen[i]++;
        ck_assert_str_eq(sl_json_str(m, "body"), s->body);
        if (!s->planned) {
            ck_assert_msg(i > last[s->device], "%s comes after %d", s->body, last[s->device]);
            last[s->device] = i;
        }
    }
    for (int i = 0; i < g_count; i++) {
        const saying *s = &g_sayings[i];
        ck_assert_msg(seen[i] <= 1 && (seen[i] == 1 || s->deleted || !s->sure),
                      "%s%s is there %d times on %s", s->body, s->planned ? ", planned," : "",
                      seen[i], n->node->host.name);
    }
    sl_json_free(page);
}

/* [CHAT-2] */
static void check_counts(lab_node *n)
{
    int unread = 0;
    sl_json *page = page_of(n, "{'limit':200}");
    int64_t read = sl_json_int_or(page, "read", 0);
    const sl_json *list = sl_json_get(page, "messages");
    for (const sl_json *m = sl_json_first(list); m != NULL; m = sl_json_next(m)) {
        bool others = strcmp(sl_json_str(m, "author_id"), n->user) != 0 && !is_notice(m);
        unread += others && sl_json_int_or(m, "place", 0) > read ? 1 : 0;
    }
    counts(n, unread, 0, unread);
    sl_json_free(page);
}

/* [CHAT-3] */
static void check_signs(lab_node *n)
{
    static const char query[] = "{\"from\":\"reaction\"}";
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_query_once(n->node->core, query, strlen(query), &out, NULL), SL_OK);
    sl_json *rows = taken(out);
    for (const sl_json *r = sl_json_first(rows); r != NULL; r = sl_json_next(r)) {
        for (const sl_json *q = sl_json_first(rows); q != r; q = sl_json_next(q)) {
            bool same = strcmp(sl_json_str(q, "message_id"), sl_json_str(r, "message_id")) == 0 &&
                        strcmp(sl_json_str(q, "author_id"), sl_json_str(r, "author_id")) == 0;
            ck_assert_msg(!same, "a sign was given twice to %s", sl_json_str(r, "message_id"));
        }
    }
    sl_json_free(rows);
}

static void make_group(void)
{
    char json[120];
    sl_bytes *out = NULL;
    int len = snprintf(json, sizeof json, "{\"title\":\"T\",\"members\":[\"%s\"]}", g_ana->user);
    ck_assert_int_eq(sl_chat_group(g_cleo->node->core, json, (size_t)len, &out, NULL), SL_OK);
    sl_json *made = taken(out);
    (void)snprintf(g_thread, sizeof g_thread, "%s", sl_json_str(made, "thread"));
    sl_json_free(made);
    sl_sim_node_touched(g_cleo->node);
}

static void run_seed(uint64_t seed)
{
    set_up_seed(seed);
    g_group = seed % 2 == 1;
    if (g_group) {
        make_group();
    }
    lab_node *devices[DEVICES] = {g_ana, g_cleo, second(), lab_device(g_lab, "desk")};
    lab_log_in(devices[3], "cleo@lab.test");
    rest();
    g_count = 0;
    g_lab->may_differ = true;
    for (int f = 0; f < SL_FAULT_COUNT; f++) {
        bool server = f == SL_FAULT_SERVER_RESTORE || f == SL_FAULT_TOKEN || f == SL_FAULT_PORTAL;
        g_lab->sim->faults |= !server && sl_sim_dice(g_lab->sim, 2) == 0 ? 1U << (unsigned)f : 0;
    }
    sl_sim_fate_start(g_lab->sim);
    for (int i = 0; i < ACT_SECONDS * 2; i++) {
        unsigned d = (unsigned)sl_sim_dice(g_lab->sim, DEVICES);
        act(devices[d], d);
        lab_run(g_lab, SECOND / 2);
    }
    sl_sim_fate_end(g_lab->sim);
    g_lab->sim->server.host.wall_off_ms = HOUR; /* past all that its clock was: everything is due */
    for (unsigned d = 0; d < DEVICES; d++) {
        sl_sim_net_cut_node(devices[d]->node);
    }
    lab_run(g_lab, MINUTE);
    for (unsigned d = 0; d < DEVICES; d++) {
        if (!devices[d]->node->core->session.have) { /* an answer with new tokens was lost */
            lab_log_in(devices[d], d % 2 == 0 ? "ana@lab.test" : "cleo@lab.test");
        }
    }
    lab_settle(g_lab, 5 * MINUTE);
    char *first = transcript(devices[0]);
    for (unsigned d = 0; d < DEVICES; d++) {
        char *text = transcript(devices[d]);
        ck_assert_str_eq(text, first);
        sl_mem_free(text);
        planned(devices[d], 0);
        check_once_in_order(devices[d]);
        check_counts(devices[d]);
        check_signs(devices[d]);
    }
    sl_mem_free(first);
    tear_down();
}

/* SL_CHAT_SEEDS says how many, SL_CHAT_FROM the first. */
START_TEST(chat__seeds_come_through_once_and_in_order)
{
    const char *seeds = getenv("SL_CHAT_SEEDS");
    const char *from = getenv("SL_CHAT_FROM");
    long n = seeds != NULL ? strtol(seeds, NULL, 10) : 50 / SL_TEST_STRIDE;
    unsigned long long seed = from != NULL ? strtoull(from, NULL, 10) : 1;
    for (long i = 0; i < n; i++, seed++) {
        (void)printf("seed %llu\n", seed);
        (void)fflush(stdout);
        run_seed(seed);
    }
}
END_TEST

SL_TEST_MAIN("sim_chat_seeds", chat__seeds_come_through_once_and_in_order)
