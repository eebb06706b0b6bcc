/* Organisations on devices: made without a network, what a membership brings, and that its end takes it from
 * the device; what the core says may be done is what the server allows. */
#include "lab.h"
#include "sideline/core.h"
#include "sideline/record.h"
#include "support.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    MINUTE = 60000
};

static lab *g_lab;
static lab_node *g_ada; /* leads the organisation */
static lab_node *g_ben; /* a coach */
static lab_node *g_ana; /* an athlete of his */
static char g_id[40];   /* the organisation */
static char g_org[SL_SPACE_MAX];
static char g_program[40]; /* ben's */

static lab_node *signs_up(const char *name, const char *role)
{
    char email[40];
    lab_node *n = lab_device(g_lab, name);
    (void)snprintf(email, sizeof email, "%s@lab.test", name);
    lab_sign_up(n, email, role);
    lab_online(n, true);
    return n;
}

static void rest(void)
{
    lab_settle(g_lab, MINUTE);
}

static void set_up(void)
{
    ck_assert(run_init());
    g_lab = lab_open();
    g_ada = signs_up("ada", "coach");
    g_ben = signs_up("ben", "coach");
    g_ana = signs_up("ana", "athlete");
    rest();
    lab_id(g_lab, g_id);
    lab_id(g_lab, g_program);
    (void)snprintf(g_org, sizeof g_org, "organisation:%s", g_id);
}

static void take_down(void)
{
    lab_close(g_lab);
    run_done();
}

static void found(void)
{
    ck_assert_int_eq(lab_apply(g_ada,
                               "[{'op':'create','entity':'organisation','id':'%s','space':'%s',"
                               "'fields':{'name':'Club'}}]",
                               g_id, g_org),
                     SL_OK);
}

static void invite(lab_node *by, const lab_node *who)
{
    ck_assert_int_eq(lab_apply(by,
                               "[{'op':'create','entity':'member','space':'%s',"
                               "'fields':{'email':'%s'}}]",
                               g_org, who->email),
                     SL_OK);
}

/* The first row's id; "" when there is none. query: ' for ". */
static void first(lab_node *n, const char *query, char id[40])
{
    char text[300];
    sl_bytes *out = NULL;
    (void)snprintf(text, sizeof text, "%s", query);
    for (char *p = text; *p != 0; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    ck_assert_int_eq(sl_query_once(n->node->core, text, strlen(text), &out, NULL), SL_OK);
    sl_json *rows = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    const char *found_id = sl_json_str(sl_json_first(rows), "id");
    (void)snprintf(id, 40, "%s", found_id != NULL ? found_id : "");
    sl_json_free(rows);
    sl_bytes_release(out);
}

static void membership_of(lab_node *n, char id[40])
{
    first(n, "{'from':'membership'}", id);
    ck_assert_str_ne(id, "");
}

static void accept(lab_node *n)
{
    char id[40];
    membership_of(n, id);
    ck_assert_int_eq(
        lab_apply(n, "[{'op':'patch','entity':'membership','id':'%s','fields':{'state':'active'}}]",
                  id),
        SL_OK);
}

static void leave(lab_node *n)
{
    char id[40];
    membership_of(n, id);
    ck_assert_int_eq(lab_apply(n, "[{'op':'delete','entity':'membership','id':'%s'}]", id), SL_OK);
}

/* Ben's, with something in it. */
static void make_program(void)
{
    ck_assert_int_eq(lab_apply(g_ben,
                               "[{'op':'create','entity':'program','id':'%s','space':'program:%s',"
                               "'fields':{'title':'Winter throws'}},{'op':'create','entity':"
                               "'content_item','space':'program:%s','fields':{'kind':'text',"
                               "'title':'Warm up'}}]",
                               g_program, g_program, g_program),
                     SL_OK);
}

/* Rows of the organisation on a device. */
static int rows_of(lab_node *n)
{
    return lab_count(n, "{'from':'organisation'}") + lab_count(n, "{'from':'member'}") +
           lab_count(n, "{'from':'program_share'}");
}

static int programs(lab_node *n)
{
    return lab_count(n, "{'from':'program','search':'winter'}");
}

static bool can(lab_node *n, const char *what, const char *entity)
{
    char json[300];
    sl_bytes *out = NULL;
    (void)snprintf(json, sizeof json, "{\"do\":\"%s\",\"entity\":\"%s\",\"space\":\"%s\"}", what,
                   entity, g_org);
    ck_assert_int_eq(sl_can(n->node->core, json, strlen(json), &out, NULL), SL_OK);
    sl_json *answer = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    bool allow = sl_json_bool_or(answer, "allow", false);
    sl_json_free(answer);
    sl_bytes_release(out);
    return allow;
}

/* Whether the server tells the numbers. */
static bool numbers(lab_node *n)
{
    char json[120];
    (void)snprintf(json, sizeof json, "{\"do\":\"organisation\",\"organisation\":\"%s\"}", g_id);
    ck_assert_int_eq(sl_account_do(n->node->core, json, strlen(json), &n->op, NULL), SL_OK);
    n->op_ended = false;
    sl_sim_node_touched(n->node);
    lab_wait_op(n);
    return n->op_ok;
}

START_TEST(organisation__is_made_without_a_network_and_joined_by_who_agrees)
{
    lab_online(g_ada, false);
    ck_assert(can(g_ada, "create", "organisation"));
    ck_assert(!can(g_ana, "create", "organisation"));
    found();
    ck_assert(can(g_ada, "create", "member")); /* before the server knows of it */
    invite(g_ada, g_ben);
    lab_online(g_ada, true);
    rest();
    ck_assert_uint_eq(g_ada->rejected, 0);
    ck_assert_int_eq(lab_count(g_ben, "{'from':'membership','where':{'state':'invited'}}"), 1);
    ck_assert_int_eq(lab_count(g_ben, "{'from':'notification'}"), 1);
    ck_assert_int_eq(rows_of(g_ben), 0);
    accept(g_ben);
    rest();
    ck_assert_int_eq(rows_of(g_ben), 3); /* it, and two members */
    ck_assert_int_eq(lab_count(g_ada, "{'from':'member','where':{'state':'active'}}"), 2);
    ck_assert_int_eq(rows_of(g_ana), 0);
}
END_TEST

START_TEST(organisation__programs_come_and_go_with_the_membership)
{
    make_program();
    found();
    rest();
    invite(g_ada, g_ben);
    rest();
    ck_assert_int_eq(programs(g_ada), 0);
    accept(g_ben);
    rest();
    ck_assert_int_eq(programs(g_ada), 1);
    ck_assert_int_eq(lab_count(g_ada, "{'from':'content_item'}"), 1);
    lab_online(g_ada, false); /* the end comes to who was away */
    leave(g_ben);
    ck_assert_int_eq(lab_count(g_ben, "{'from':'membership'}"), 0);
    lab_run(g_lab, MINUTE);
    ck_assert_int_eq(rows_of(g_ben), 0);
    ck_assert_int_eq(programs(g_ada), 1);
    lab_online(g_ada, true);
    rest();
    ck_assert_int_eq(programs(g_ada), 0);
    ck_assert_int_eq(lab_count(g_ada, "{'from':'content_item'}"), 0);
    ck_assert_int_eq(programs(g_ben), 1);
    ck_assert_int_eq(rows_of(g_ada), 2);
}
END_TEST

START_TEST(organisation__can_says_what_the_server_will)
{
    found();
    rest();
    invite(g_ada, g_ben);
    rest();
    ck_assert(!can(g_ben, "read", "organisation"));
    ck_assert(!numbers(g_ben));
    accept(g_ben);
    rest();
    ck_assert(can(g_ben, "read", "organisation"));
    ck_assert(!can(g_ben, "patch", "organisation"));
    ck_assert(!numbers(g_ben));
    ck_assert(can(g_ada, "patch", "organisation"));
    ck_assert(numbers(g_ada));
    ck_assert(!can(g_ben, "create", "member"));
    invite(g_ben, g_ana);
    rest();
    ck_assert_uint_eq(g_ben->rejected, 1);
    ck_assert_str_eq(g_ben->reject_code, "SL_E_DENIED");
    char id[40];
    char query[200];
    (void)snprintf(query, sizeof query, "{'from':'member','where':{'user_id':'%s'}}", g_ben->user);
    first(g_ada, query, id);
    ck_assert_int_eq(
        lab_apply(g_ada, "[{'op':'patch','entity':'member','id':'%s','fields':{'role':'admin'}}]",
                  id),
        SL_OK);
    rest();
    ck_assert_int_eq(rows_of(g_ben), 3); /* all was kept while the role changed */
    ck_assert(can(g_ben, "create", "member"));
    ck_assert(can(g_ben, "patch", "organisation"));
    ck_assert(numbers(g_ben));
    ck_assert_int_eq(lab_apply(g_ben, "[{'op':'delete','entity':'organisation','id':'%s'}]", g_id),
                     SL_OK);
    rest();
    ck_assert_int_eq(rows_of(g_ada), 0);
    ck_assert_int_eq(rows_of(g_ben), 0);
    ck_assert_uint_eq(g_ben->rejected, 1); /* as before: it was not refused to him who deleted it */
    ck_assert(!can(g_ada, "read", "organisation"));
    ck_assert(!numbers(g_ada));
    ck_assert_int_eq(lab_count(g_ada, "{'from':'membership'}"), 0);
}
END_TEST

START_TEST(organisation__a_refused_leave_comes_back)
{
    found();
    rest();
    leave(g_ada);
    ck_assert_int_eq(lab_count(g_ada, "{'from':'membership'}"), 0);
    rest();
    ck_assert_uint_eq(g_ada->rejected, 1);
    ck_assert_str_eq(g_ada->reject_code, "SL_E_CONFLICT");
    ck_assert_int_eq(lab_count(g_ada, "{'from':'membership'}"), 1);
    ck_assert_int_eq(rows_of(g_ada), 2);
}
END_TEST

START_TEST(organisation__what_was_deleted_is_shared_with_nobody)
{
    lab_node *other = lab_device(g_lab, "ben.b");
    lab_log_in(other, "ben@lab.test");
    lab_online(other, true);
    make_program();
    found();
    rest();
    invite(g_ada, g_ben);
    rest();
    accept(g_ben);
    rest();
    lab_online(g_ben, false); /* shares what the other device deletes */
    ck_assert_int_eq(lab_apply(g_ben,
                               "[{'op':'create','entity':'program_share','space':'%s',"
                               "'fields':{'program_id':'%s'}}]",
                               g_org, g_program),
                     SL_OK);
    ck_assert_int_eq(lab_apply(other, "[{'op':'delete','entity':'program','id':'%s'}]", g_program),
                     SL_OK);
    rest();
    lab_online(g_ben, true);
    rest();
    ck_assert_uint_eq(g_ben->rejected, 1);
    ck_assert_str_eq(g_ben->reject_code, "SL_E_NOT_FOUND");
    ck_assert_int_eq(lab_count(g_ada, "{'from':'program_share'}"), 0);
}
END_TEST

SL_TEST_MAIN_WITH("organisations", set_up, take_down,
                  organisation__what_was_deleted_is_shared_with_nobody,
                  organisation__is_made_without_a_network_and_joined_by_who_agrees,
                  organisation__programs_come_and_go_with_the_membership,
                  organisation__can_says_what_the_server_will,
                  organisation__a_refused_leave_comes_back)
