/* What passes by and is not stored: who is writing, who is there, lines while they are drawn. */
#include "base/mem.h"
#include "platform/sim/sim.h"
#include "sideline/annotation.h"
#include "sideline/chat.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "support.h"
#include "talk.h"

#include <stdio.h>
#include <string.h>

/* --- who is there, what is drawn ------------------------------------------------------------- */

static char g_heard[2000];

static void hear(lab_node *n, const sl_json *e)
{
    const char *ev = sl_json_str(e, "ev");
    size_t at = strlen(g_heard);
    char *to = g_heard + at;
    size_t room = sizeof g_heard - at;
    if (strcmp(ev, "typing") == 0) {
        (void)snprintf(to, room, " %s:typing%d", n->node->host.name, sl_json_bool_or(e, "on", 0));
    } else if (strcmp(ev, "presence") == 0) {
        (void)snprintf(to, room, " %s:here%d", n->node->host.name, sl_json_bool_or(e, "online", 0));
    } else if (strcmp(ev, "stroke") == 0) {
        (void)snprintf(to, room, " %s:%s%zu", n->node->host.name, sl_json_str(e, "do"),
                       sl_json_count(sl_json_get(e, "points")) / 2);
    }
}

static void heard(const char *expected)
{
    ck_assert_str_eq(g_heard, expected);
    g_heard[0] = 0;
}

static void types(lab_node *n, sl_status expected)
{
    ck_assert_int_eq(sl_chat_mark(n->node->core, g_thread, SL_CHAT_TYPING, NULL, NULL), expected);
    sl_sim_node_touched(n->node);
}

START_TEST(signals__typing_ends_by_itself_or_with_the_message)
{
    char id[40];
    g_heard[0] = 0;
    g_lab->hear = hear;
    rest();
    types(g_ana, SL_OK);
    types(g_ana, SL_OK); /* not told again so soon */
    lab_run(g_lab, SECOND);
    heard(" coach:typing1");
    lab_run(g_lab, 10 * SECOND);
    heard(" coach:typing0");
    types(g_ana, SL_OK);
    lab_run(g_lab, SECOND);
    says(g_ana, "one", id);
    lab_run(g_lab, 2 * SECOND);
    heard(" coach:typing1 coach:typing0");
    lab_online(g_ana, false);
    lab_run(g_lab, SECOND);
    types(g_ana, SL_E_NETWORK);
    lab_online(g_ana, true);
    ck_assert_int_eq(sl_chat_block(g_cleo->node->core, g_ana->user, 1, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    rest();
    types(g_ana, SL_OK);
    types(g_cleo, SL_OK);
    lab_run(g_lab, SECOND);
    heard("");
    g_lab->hear = NULL;
}
END_TEST

/* What people of the thread are told of another. */
static bool person_is(lab_node *n, const lab_node *who, const char *what)
{
    sl_bytes *out = NULL;
    bool is = false;
    ck_assert_int_eq(sl_chat_people(n->node->core, g_thread, &out, NULL), SL_OK);
    sl_json *list = taken(out);
    ck_assert_uint_eq(sl_json_count(list), 2);
    for (const sl_json *p = sl_json_first(list); p != NULL; p = sl_json_next(p)) {
        is = is ||
             (strcmp(sl_json_str(p, "user"), who->user) == 0 && sl_json_bool_or(p, what, false));
    }
    sl_json_free(list);
    return is;
}

START_TEST(signals__presence_is_told_to_both_and_ends_with_the_device)
{
    g_heard[0] = 0;
    g_lab->hear = hear;
    rest();
    ck_assert_int_eq(sl_chat_presence(g_ana->node->core, 1, NULL), SL_OK);
    sl_sim_node_touched(g_ana->node);
    lab_run(g_lab, 2 * SECOND);
    heard(" coach:here1");
    ck_assert(person_is(g_cleo, g_ana, "online"));
    ck_assert(person_is(g_ana, g_ana, "me"));
    ck_assert_int_eq(sl_chat_presence(g_cleo->node->core, 1, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    lab_run(g_lab, 2 * SECOND);
    ck_assert(person_is(g_ana, g_cleo, "online"));
    g_heard[0] = 0;
    ck_assert_int_eq(sl_chat_presence(g_cleo->node->core, 0, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    lab_run(g_lab, 2 * SECOND);
    heard(" athlete:here0");
    ck_assert(!person_is(g_ana, g_cleo, "online"));
    lab_online(g_ana, false);
    lab_run(g_lab, 40 * SECOND);
    ck_assert(person_is(g_cleo, g_ana, "online"));
    lab_run(g_lab, 40 * SECOND);
    ck_assert(!person_is(g_cleo, g_ana, "online"));
    heard(" coach:here0");
    g_lab->hear = NULL;
}
END_TEST

static sl_status draws(lab_node *n, const char *space, const char *json)
{
    char text[400];
    (void)snprintf(text, sizeof text, "%s", json);
    quoted(text);
    sl_status status = sl_stroke_live(n->node->core, space, text, strlen(text), NULL);
    sl_sim_node_touched(n->node);
    return status;
}

#define STROKE "'stroke':'01890000-0000-7000-8000-0000000000e1'"
#define BEGIN  "{" STROKE ",'do':'begin','tool':'pen','at_us':5,'points':[1,2]}"

START_TEST(signals__a_stroke_is_seen_while_it_is_drawn_by_those_who_see_the_video)
{
    char video[40];
    char share[40];
    char space[SL_SPACE_MAX];
    lab_node *tablet = second();
    lab_video(g_ana, video, space);
    rest();
    g_heard[0] = 0;
    g_lab->hear = hear;
    ck_assert_int_eq(draws(g_ana, space, BEGIN), SL_OK);
    ck_assert_int_eq(draws(g_ana, space, "{" STROKE ",'do':'cancel'}"), SL_OK);
    lab_run(g_lab, SECOND);
    heard(" tablet:begin1 tablet:cancel0"); /* the coach does not see the video */
    lab_share(g_ana, space, g_cleo, share);
    rest();
    lab_online(tablet, false);
    lab_run(g_lab, SECOND);
    g_heard[0] = 0;
    ck_assert_int_eq(draws(g_ana, space, "{" STROKE ",'do':'points','points':[1,2]}"),
                     SL_E_NOT_FOUND);
    ck_assert_int_eq(draws(g_ana, space, BEGIN), SL_OK);
    ck_assert_int_eq(draws(g_ana, space, BEGIN), SL_E_LIMIT);
    for (int i = 0; i < 5; i++) { /* gathered */
        ck_assert_int_eq(draws(g_ana, space, "{" STROKE ",'do':'points','points':[3.4,4.6,5,6]}"),
                         SL_OK);
    }
    lab_run(g_lab, SECOND);
    heard(" coach:begin1 coach:points10");
    ck_assert_int_eq(draws(g_ana, space, "{" STROKE ",'do':'points','points':[3]}"), SL_E_INVALID);
    ck_assert_int_eq(draws(g_ana, space, "{" STROKE ",'do':'points','points':['a','b']}"),
                     SL_E_INVALID);
    ck_assert_int_eq(draws(g_ana, space, "{" STROKE ",'do':'points','points':[7,8]}"), SL_OK);
    ck_assert_int_eq(draws(g_ana, space, "{" STROKE ",'do':'end'}"), SL_OK);
    lab_run(g_lab, SECOND);
    heard(" coach:points1 coach:end0");
    ck_assert_int_eq(draws(g_cleo, space, BEGIN), SL_OK);
    lab_run(g_lab, SECOND);
    lab_online(g_cleo, false);
    lab_run(g_lab, 12 * SECOND);
    heard(" athlete:begin1 athlete:cancel0"); /* silent for ten seconds */
    g_lab->hear = NULL;
}
END_TEST

START_TEST(signals__too_many_strokes_are_dropped_and_nothing_else_suffers)
{
    char video[40];
    char share[40];
    char id[40];
    char space[SL_SPACE_MAX];
    unsigned begun = 0;
    lab_video(g_ana, video, space);
    lab_share(g_ana, space, g_cleo, share);
    rest();
    g_lab->sim->limit_rates = true;
    sl_sim_server_restart(g_lab->sim);
    rest();
    g_heard[0] = 0;
    g_lab->hear = hear;
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(draws(g_ana, space, BEGIN), SL_OK);
        ck_assert_int_eq(draws(g_ana, space, "{" STROKE ",'do':'cancel'}"), SL_OK);
        lab_run(g_lab, 20);
        for (const char *p = strstr(g_heard, "begin"); p != NULL; p = strstr(p + 1, "begin")) {
            begun++;
        }
        g_heard[0] = 0;
    }
    says(g_ana, "still here", id);
    rest();
    shows(g_cleo, "still here:received!");
    ck_assert_uint_ge(begun, 30);
    ck_assert_uint_lt(begun, 150);
    ck_assert(lab_settled(g_ana));
    g_lab->hear = NULL;
}
END_TEST

SL_TEST_MAIN_WITH("sim_signals", set_up, tear_down,
                  signals__typing_ends_by_itself_or_with_the_message,
                  signals__presence_is_told_to_both_and_ends_with_the_device,
                  signals__a_stroke_is_seen_while_it_is_drawn_by_those_who_see_the_video,
                  signals__too_many_strokes_are_dropped_and_nothing_else_suffers)
