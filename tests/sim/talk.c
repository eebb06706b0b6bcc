#include "talk.h"

#include "base/mem.h"
#include "sideline/chat.h"
#include "sideline/record.h"
#include "support.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

lab *g_lab;
lab_node *g_ana;
lab_node *g_cleo;
char g_thread[SL_SPACE_MAX];

sl_json *taken(sl_bytes *b)
{
    ck_assert_ptr_nonnull(b);
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(b), sl_bytes_len(b));
    ck_assert_ptr_nonnull(j);
    sl_bytes_release(b);
    return j;
}

static void find_thread(void)
{
    sl_bytes *out = NULL;
    static const char query[] = "{\"from\":\"thread\"}";
    ck_assert_int_eq(sl_query_once(g_ana->node->core, query, strlen(query), &out, NULL), SL_OK);
    sl_json *rows = taken(out);
    (void)snprintf(g_thread, sizeof g_thread, "%s", sl_json_str(sl_json_first(rows), "space"));
    sl_json_free(rows);
}

static void connect_in(lab *l)
{
    g_lab = l;
    lab_connected(g_lab, &g_ana, &g_cleo);
    find_thread();
}

void set_up_seed(uint64_t seed)
{
    ck_assert(run_init());
    connect_in(lab_open_seed(seed));
}

void set_up(void)
{
    ck_assert(run_init());
    connect_in(lab_open());
}

void tear_down(void)
{
    lab_close(g_lab);
    run_done();
}

/* ' for ". */
void quoted(char *text)
{
    for (char *p = text; *p != 0; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
}

sl_status try_send(lab_node *n, const char *json, char id[40])
{
    char text[400];
    sl_bytes *out = NULL;
    (void)snprintf(text, sizeof text, "%s", json);
    quoted(text);
    sl_status status = sl_chat_send(n->node->core, g_thread, text, strlen(text), &out, NULL);
    sl_sim_node_touched(n->node);
    id[0] = 0;
    if (status == SL_OK) {
        sl_json *j = taken(out);
        (void)snprintf(id, 40, "%s", sl_json_str(j, "id"));
        sl_json_free(j);
    }
    return status;
}

void sends(lab_node *n, const char *json, char id[40])
{
    ck_assert_int_eq(try_send(n, json, id), SL_OK);
}

void says(lab_node *n, const char *body, char id[40])
{
    char json[200];
    (void)snprintf(json, sizeof json, "{'body':'%s'}", body);
    sends(n, json, id);
}

void repeats(lab_node *n, const char *message, char id[40])
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_chat_forward(n->node->core, message, g_thread, &out, NULL), SL_OK);
    sl_json *answer = taken(out);
    (void)snprintf(id, 40, "%s", sl_json_str(answer, "id"));
    sl_json_free(answer);
}

sl_json *page_of(lab_node *n, const char *json)
{
    sl_bytes *out = NULL;
    char text[200];
    (void)snprintf(text, sizeof text, "%s", json);
    quoted(text);
    ck_assert_int_eq(sl_chat_messages(n->node->core, g_thread, text, strlen(text), &out, NULL),
                     SL_OK);
    return taken(out);
}

/* The conversation as "body:state" with marks behind: @ mentioned, ! unread, ^ pinned, reactions. */
void shows(lab_node *n, const char *expected)
{
    char text[2000] = "";
    size_t at = 0;
    sl_json *page = page_of(n, "{'limit':200}");
    const sl_json *list = sl_json_get(page, "messages");
    for (const sl_json *m = sl_json_first(list); m != NULL; m = sl_json_next(m)) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s:%s%s%s%s", at > 0 ? " " : "",
                               sl_json_str(m, "body"), sl_json_str(m, "state"),
                               sl_json_bool_or(m, "mentioned", false) ? "@" : "",
                               sl_json_bool_or(m, "unread", false) ? "!" : "",
                               sl_json_bool_or(m, "pinned", false) ? "^" : "");
        const sl_json *signs = sl_json_get(m, "reactions");
        for (const sl_json *r = sl_json_first(signs); r != NULL; r = sl_json_next(r)) {
            at +=
                (size_t)snprintf(text + at, sizeof text - at, "[%s%lld%s]", sl_json_str(r, "emoji"),
                                 (long long)sl_json_int_or(r, "count", 0),
                                 sl_json_bool_or(r, "mine", false) ? "*" : "");
        }
    }
    ck_assert_str_eq(text, expected);
    sl_json_free(page);
}

void counts(lab_node *n, int unread, int mentions, int badge)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_chat_counts(n->node->core, &out, NULL), SL_OK);
    sl_json *j = taken(out);
    ck_assert_int_eq(sl_json_int_or(j, "unread", -1), unread);
    ck_assert_int_eq(sl_json_int_or(j, "mentions", -1), mentions);
    ck_assert_int_eq(sl_json_int_or(j, "badge", -1), badge);
    sl_json_free(j);
}

/* The only conversation's line. */
sl_json *line_of(lab_node *n)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_chat_threads(n->node->core, &out, NULL), SL_OK);
    sl_json *list = taken(out);
    ck_assert_uint_eq(sl_json_count(list), 1);
    sl_json *line = sl_json_clone(sl_json_first(list));
    sl_json_free(list);
    return line;
}

void reads(lab_node *n, const char *message)
{
    ck_assert_int_eq(sl_chat_mark(n->node->core, g_thread, SL_CHAT_READ, message, NULL), SL_OK);
    sl_sim_node_touched(n->node);
}

void rest(void)
{
    lab_settle(g_lab, 3 * MINUTE);
}

/* Another device of the athlete. */
lab_node *second(void)
{
    lab_node *n = lab_device(g_lab, "tablet");
    lab_log_in(n, "ana@lab.test");
    ck_assert(n->op_ok);
    rest();
    return n;
}

void restart(lab_node *n)
{
    sl_sim_node_restart(n->node);
    lab_run(g_lab, 5 * SECOND);
    ck_assert_ptr_nonnull(n->node->core);
}

int64_t server_ms(void)
{
    sl_sim_host *host = &g_lab->sim->server.host;
    return host->platform.clock->wall_ms(host);
}

void planned(lab_node *n, int count)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_chat_scheduled(n->node->core, g_thread, &out, NULL), SL_OK);
    sl_json *list = taken(out);
    ck_assert_int_eq((int)sl_json_count(list), count);
    sl_json_free(list);
}
