/* Groups: who makes them, who is let in, what they then see, and what is left to those who go. */
#include "sideline/chat.h"
#include "sideline/record.h"
#include "support.h"
#include "talk.h"

#include <stdio.h>
#include <string.h>

static lab_node *g_ben; /* an athlete of the coach too */
static char g_group[SL_SPACE_MAX];

/* Whatever the tests of conversations say is said in the group. */
static void talk_in(const char *thread)
{
    (void)snprintf(g_thread, sizeof g_thread, "%s", thread);
}

static sl_status try_group(lab_node *n, const char *json, char space[SL_SPACE_MAX])
{
    char text[300];
    sl_bytes *out = NULL;
    (void)snprintf(text, sizeof text, "%s", json);
    quoted(text);
    sl_status status = sl_chat_group(n->node->core, text, strlen(text), &out, NULL);
    sl_sim_node_touched(n->node);
    if (status == SL_OK) {
        sl_json *j = taken(out);
        (void)snprintf(space, SL_SPACE_MAX, "%s", sl_json_str(j, "thread"));
        sl_json_free(j);
    }
    return status;
}

static sl_status try_edit(lab_node *n, const char *json)
{
    char text[300];
    (void)snprintf(text, sizeof text, "%s", json);
    quoted(text);
    sl_status status = sl_chat_group_edit(n->node->core, g_group, text, strlen(text), NULL);
    sl_sim_node_touched(n->node);
    return status;
}

/* key: add, remove. */
static void people(lab_node *n, const char *key, const lab_node *who)
{
    char json[120];
    (void)snprintf(json, sizeof json, "{'%s':['%s']}", key, who->user);
    ck_assert_int_eq(try_edit(n, json), SL_OK);
    rest();
}

/* A group of the coach with both athletes, where everything is said from now on. */
static void make_group(void)
{
    char json[200];
    (void)snprintf(json, sizeof json, "{'title':'Throwers','members':['%s','%s']}", g_ana->user,
                   g_ben->user);
    ck_assert_int_eq(try_group(g_cleo, json, g_group), SL_OK);
    rest();
    talk_in(g_group);
}

static void set_up_three(void)
{
    set_up();
    g_ben = lab_device(g_lab, "ben");
    lab_sign_up(g_ben, "ben@lab.test", "athlete");
    lab_connect(g_ben, g_cleo);
}

/* How many rows of the group a device has. */
static int rows_of(lab_node *n)
{
    return lab_count(n, "{'from':'message','where':{'space':'%s'}}", g_group) +
           lab_count(n, "{'from':'participant','where':{'space':'%s'}}", g_group) +
           lab_count(n, "{'from':'thread','where':{'space':'%s'}}", g_group);
}

/* Who is in it, as this device knows: how many. */
static int members(lab_node *n)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_chat_people(n->node->core, g_group, &out, NULL), SL_OK);
    sl_json *list = taken(out);
    int count = (int)sl_json_count(list);
    sl_json_free(list);
    return count;
}

/* The notices of the group as "event:name", in order. */
static void told(lab_node *n, const char *expected)
{
    char text[600] = "";
    size_t at = 0;
    sl_json *page = page_of(n, "{'limit':200}");
    const sl_json *list = sl_json_get(page, "messages");
    for (const sl_json *m = sl_json_first(list); m != NULL; m = sl_json_next(m)) {
        if (strcmp(sl_json_str(m, "kind"), "notice") == 0) {
            const char *about = sl_json_str(m, "about");
            const char *body = sl_json_str(m, "body");
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s:%s", at > 0 ? " " : "",
                                   sl_json_str(m, "event"),
                                   about != NULL  ? about
                                   : body != NULL ? body
                                                  : "");
            ck_assert_ptr_null(sl_json_get(m, "unread"));
        }
    }
    ck_assert_str_eq(text, expected);
    sl_json_free(page);
}

/* What people said, without notices, as "author:body". */
static void said(lab_node *n, const char *expected)
{
    char text[600] = "";
    size_t at = 0;
    sl_json *page = page_of(n, "{'limit':200}");
    const sl_json *list = sl_json_get(page, "messages");
    for (const sl_json *m = sl_json_first(list); m != NULL; m = sl_json_next(m)) {
        const char *author = sl_json_str(m, "author");
        if (strcmp(sl_json_str(m, "kind"), "notice") != 0) {
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s:%s", at > 0 ? " " : "",
                                   author != NULL ? author : "me", sl_json_str(m, "body"));
        }
    }
    ck_assert_str_eq(text, expected);
    sl_json_free(page);
}

START_TEST(group__is_made_without_a_network_and_then_all_talk_in_it)
{
    char id[40];
    char json[200];
    lab_online(g_cleo, false);
    (void)snprintf(json, sizeof json, "{'title':'Throwers','members':['%s','%s']}", g_ana->user,
                   g_ben->user);
    ck_assert_int_eq(try_group(g_cleo, json, g_group), SL_OK);
    talk_in(g_group);
    says(g_cleo, "welcome", id);
    ck_assert_int_eq(lab_count(g_ana, "{'from':'thread'}"), 1);
    lab_online(g_cleo, true);
    rest();
    says(g_ana, "hi", id);
    rest();
    says(g_ben, "hello", id);
    rest();
    said(g_cleo, "me:welcome ana@lab.:hi ben@lab.:hello");
    said(g_ben, "cleo@lab:welcome ana@lab.:hi me:hello");
    told(g_ana, "made:Throwers"); /* those with whom it begins are no news */
    ck_assert_int_eq(members(g_ana), 3);
    counts(g_ben, 2, 0, 2);
    reads(g_ben, NULL);
    reads(g_cleo, NULL);
    rest();
    shows(g_ana, "Throwers:received welcome:received! hi:read hello:received!");
    ck_assert_uint_eq(g_cleo->rejected + g_ana->rejected + g_ben->rejected, 0);
}
END_TEST

START_TEST(group__is_made_and_led_by_coaches_with_people_they_know)
{
    char space[SL_SPACE_MAX];
    char json[200];
    lab_node *eve = lab_device(g_lab, "eve");
    lab_sign_up(eve, "eve@lab.test", "athlete");
    ck_assert_int_eq(try_group(g_ana, "{'title':'Us'}", space), SL_E_DENIED);
    ck_assert_int_eq(try_group(g_cleo, "{'members':[]}", space), SL_E_INVALID);
    ck_assert_int_eq(try_group(g_cleo, "{'title':'','members':[]}", space), SL_E_INVALID);
    ck_assert_int_eq(try_group(g_cleo, "{'title':'A','members':['x']}", space), SL_E_INVALID);
    ck_assert_int_eq(try_group(g_cleo, "{'title':'A','size':3}", space), SL_E_INVALID);
    (void)snprintf(json, sizeof json, "{'title':'A','members':['%s']}", g_cleo->user);
    ck_assert_int_eq(try_group(g_cleo, json, space), SL_E_INVALID);
    make_group();
    ck_assert_int_eq(try_edit(g_ana, "{'title':'Ours'}"), SL_E_DENIED);
    (void)snprintf(json, sizeof json, "{'remove':['%s']}", eve->user);
    ck_assert_int_eq(try_edit(g_cleo, json), SL_E_NOT_FOUND);
    people(g_cleo, "add", eve); /* not connected: the server says no */
    ck_assert_uint_eq(g_cleo->rejected, 1);
    ck_assert_str_eq(g_cleo->reject_code, "SL_E_DENIED");
    ck_assert_int_eq(members(g_cleo), 3);
    ck_assert_int_eq(rows_of(eve), 0);
    lab_connect(eve, g_cleo);
    people(g_cleo, "add", eve);
    ck_assert_int_eq(members(g_cleo), 4);
    told(eve, "made:Throwers added:eve@lab.");
}
END_TEST

/* What the core refuses to send is refused by the server too, when another core sends it. */
START_TEST(group__the_server_keeps_athletes_from_leading)
{
    char id[40];
    make_group();
    lab_id(g_lab, id);
    ck_assert_int_eq(lab_apply(g_ana,
                               "[{'op':'patch','entity':'thread','id':'%s','fields':"
                               "{'title':'Ours'}}]",
                               g_group + strlen("thread:")),
                     SL_OK);
    rest();
    ck_assert_str_eq(g_ana->reject_code, "SL_E_DENIED");
    ck_assert_int_eq(lab_apply(g_ana,
                               "[{'op':'create','entity':'thread','id':'%s','space':"
                               "'thread:%s','fields':{'title':'Us','group':true}}]",
                               id, id),
                     SL_OK);
    rest();
    ck_assert_uint_eq(g_ana->rejected, 2);
    ck_assert_str_eq(g_ana->reject_code, "SL_E_DENIED");
    ck_assert_int_eq(lab_count(g_ana, "{'from':'thread'}"), 2);
    told(g_cleo, "made:Throwers");
}
END_TEST

START_TEST(group__who_is_let_in_finds_the_history_read_and_who_goes_keeps_nothing)
{
    char id[40];
    make_group();
    people(g_cleo, "remove", g_ben);
    ck_assert_int_eq(rows_of(g_ben), 0);
    ck_assert_int_eq(lab_count(g_ben, "{'from':'thread'}"), 1);
    says(g_cleo, "one", id);
    says(g_cleo, "two", id);
    rest();
    ck_assert_int_eq(rows_of(g_ben), 0);
    people(g_cleo, "add", g_ben);
    said(g_ben, "cleo@lab:one cleo@lab:two");
    counts(g_ben, 0, 0, 0);
    says(g_cleo, "three", id);
    rest();
    counts(g_ben, 1, 0, 1);
    ck_assert_int_eq(sl_chat_leave(g_ben->node->core, g_group, NULL), SL_OK);
    sl_sim_node_touched(g_ben->node);
    rest();
    ck_assert_int_eq(rows_of(g_ben), 0);
    ck_assert_int_eq(members(g_cleo), 2);
    told(g_ana, "made:Throwers removed:ben@lab. added:ben@lab. left:ben@lab.");
    ck_assert_uint_eq(g_ben->rejected, 0);
    talk_in("thread:00000000-0000-7000-8000-000000000000");
    ck_assert_int_eq(sl_chat_leave(g_ben->node->core, g_thread, NULL), SL_E_NOT_FOUND);
}
END_TEST

START_TEST(group__names_stay_with_what_those_who_left_wrote)
{
    char id[40];
    make_group();
    says(g_ben, "bye", id);
    rest();
    people(g_cleo, "remove", g_ben);
    said(g_ana, "ben@lab.:bye");
    said(g_cleo, "ben@lab.:bye");
    says(g_ana, "alone?", id);
    rest();
    reads(g_cleo, NULL);
    rest();
    shows(g_ana, "Throwers:received bye:received! (null):received alone?:read");
}
END_TEST

START_TEST(group__athletes_that_the_coach_has_left_can_only_read)
{
    char id[40];
    make_group();
    says(g_ana, "before", id);
    rest();
    ck_assert_int_eq(sl_chat_leave(g_cleo->node->core, g_group, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    rest();
    ck_assert_int_eq(rows_of(g_cleo), 0);
    says(g_ana, "among us", id);
    rest();
    ck_assert_uint_eq(g_ana->rejected, 1);
    ck_assert_str_eq(g_ana->reject_code, "SL_E_DENIED");
    said(g_ben, "ana@lab.:before");
}
END_TEST

START_TEST(group__renaming_is_told_once_and_conversations_of_two_are_no_groups)
{
    char direct[SL_SPACE_MAX];
    (void)snprintf(direct, sizeof direct, "%s", g_thread);
    ck_assert_int_eq(sl_chat_leave(g_ana->node->core, direct, NULL), SL_E_INVALID);
    make_group();
    ck_assert_int_eq(try_edit(g_cleo, "{'title':'Javelin'}"), SL_OK);
    rest();
    ck_assert_int_eq(try_edit(g_cleo, "{'title':'Javelin'}"), SL_OK);
    rest();
    told(g_ben, "made:Throwers renamed:Javelin");
    (void)snprintf(g_group, sizeof g_group, "%s", direct);
    ck_assert_int_eq(try_edit(g_cleo, "{'title':'Two'}"), SL_E_INVALID);
}
END_TEST

START_TEST(group__what_is_told_is_nobodys_to_change)
{
    char id[40];
    make_group();
    sl_json *page = page_of(g_cleo, "{}");
    const sl_json *first = sl_json_first(sl_json_get(page, "messages"));
    (void)snprintf(id, sizeof id, "%s", sl_json_str(first, "id"));
    sl_json_free(page);
    ck_assert_int_eq(sl_chat_delete(g_cleo->node->core, id, NULL), SL_OK);
    sl_sim_node_touched(g_cleo->node);
    rest();
    ck_assert_str_eq(g_cleo->reject_code, "SL_E_DENIED");
    told(g_cleo, "made:Throwers");
    ck_assert_int_eq(sl_chat_forward(g_cleo->node->core, id, g_thread, NULL, NULL), SL_E_INVALID);
    ck_assert_int_eq(try_send(g_cleo, "{'kind':'notice','body':'x'}", id), SL_E_INVALID);
}
END_TEST

/* In a conversation of two a block stops the messages; in a group it hides them from who blocked. */
START_TEST(group__a_block_hides_messages_from_one_and_not_from_the_rest)
{
    char id[40];
    char direct[SL_SPACE_MAX];
    (void)snprintf(direct, sizeof direct, "%s", g_thread);
    make_group();
    ck_assert_int_eq(sl_chat_block(g_ana->node->core, g_cleo->user, 1, NULL), SL_OK);
    sl_sim_node_touched(g_ana->node);
    rest();
    says(g_cleo, "to all", id);
    rest();
    said(g_ben, "cleo@lab:to all");
    said(g_ana, "");
    counts(g_ana, 0, 0, 0);
    ck_assert_uint_eq(g_cleo->rejected, 0);
    talk_in(direct);
    says(g_cleo, "to you", id);
    rest();
    ck_assert_uint_eq(g_cleo->rejected, 1);
    people(g_cleo, "remove", g_ana);
    people(g_cleo, "add", g_ana); /* nobody lets in who has blocked them */
    ck_assert_uint_eq(g_cleo->rejected, 2);
    ck_assert_int_eq(rows_of(g_ana), 0);
}
END_TEST

SL_TEST_MAIN_WITH("groups", set_up_three, tear_down,
                  group__is_made_without_a_network_and_then_all_talk_in_it,
                  group__is_made_and_led_by_coaches_with_people_they_know,
                  group__the_server_keeps_athletes_from_leading,
                  group__who_is_let_in_finds_the_history_read_and_who_goes_keeps_nothing,
                  group__names_stay_with_what_those_who_left_wrote,
                  group__athletes_that_the_coach_has_left_can_only_read,
                  group__renaming_is_told_once_and_conversations_of_two_are_no_groups,
                  group__what_is_told_is_nobodys_to_change,
                  group__a_block_hides_messages_from_one_and_not_from_the_rest)
