/* cli/organisation.c - organisations: making one, inviting, agreeing, who is in, their numbers. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct organisation {
    char id[37];         /* of it */
    char membership[37]; /* the user's */
} organisation;

/* An organisation that one is in or asked to be, by its name or an id. */
static int find_organisation(cli *c, const char *what, organisation *out)
{
    int code = cli_find(c, "membership", what, out->membership);
    js *mine = code == CLI_OK ? cli_record(c, "membership", out->membership) : NULL;
    if (code == CLI_OK && mine == NULL) {
        code = CLI_FAILED;
    }
    (void)snprintf(out->id, sizeof out->id, "%s",
                   mine != NULL ? js_str(mine, "organisation_id") : "");
    js_free(mine);
    return code;
}

static js *members_of(cli *c, const char *id)
{
    text query = {0};
    text_fmt(&query,
             "{\"from\":\"member\",\"where\":{\"space\":\"organisation:%s\"},\"order\":[\"id\"]}",
             id);
    js *members = cli_query(c, query.data);
    text_free(&query);
    return members;
}

/* A member by name, address or id. */
static int find_member(cli *c, const organisation *o, const char *what, char out[37])
{
    js *members = members_of(c, o->id);
    int found = 0;
    if (members == NULL) {
        return CLI_FAILED;
    }
    for (const js *m = js_first(members); m != NULL; m = m->next) {
        if (js_is(m, "name", what) || js_is(m, "email", what) || js_is(m, "id", what)) {
            (void)snprintf(out, 37, "%s", js_str(m, "id"));
            found++;
        }
    }
    js_free(members);
    return found == 1  ? CLI_OK
           : found > 1 ? cli_fail("there are several members \"%s\": say the id", what)
                       : cli_fail("there is no member \"%s\" here", what);
}

/* One operation on a record, sent. fields NULL: a deletion. */
static int change(cli *c, const char *entity, const char *id, const char *fields)
{
    text ops = {0};
    text_fmt(&ops, "[{\"op\":\"%s\",\"entity\":\"%s\",\"id\":\"%s\"%s%s}]",
             fields != NULL ? "patch" : "delete", entity, id, fields != NULL ? ",\"fields\":" : "",
             fields != NULL ? fields : "");
    int code = cli_apply(c, ops.data, NULL);
    text_free(&ops);
    return code == CLI_OK ? cli_settle(c) : code;
}

/* A record with one field, in the space of the organisation, sent. */
static int make(cli *c, const char *entity, const char *id, const char *key, const char *value)
{
    char space[64];
    char made[37];
    text fields = {0};
    (void)snprintf(space, sizeof space, "organisation:%s", id);
    text_fmt(&fields, "{\"%s\":", key);
    text_json(&fields, value);
    text_add(&fields, "}");
    int code = cli_create(c, entity, space, fields.data, made);
    text_free(&fields);
    return code == CLI_OK ? cli_settle(c) : code;
}

/* ---- the list ---- */

static void print_one(cli *c, const js *mine)
{
    bool in = js_is(mine, "state", "active");
    (void)printf("%s  %s, %s%s\n", js_str(mine, "organisation_id"), js_str(mine, "name"),
                 in ? js_str(mine, "role") : "asked by ", in ? "" : js_str(mine, "by_name"));
    js *members = in ? members_of(c, js_str(mine, "organisation_id")) : NULL;
    for (const js *m = js_first(members); m != NULL; m = m->next) {
        const char *name = js_str(m, "name");
        (void)printf("  %-30s %s%s\n", name[0] != '\0' ? name : js_str(m, "email"),
                     js_str(m, "role"), js_is(m, "state", "active") ? "" : ", invited");
    }
    js_free(members);
}

static int list(cli *c)
{
    js *all = cli_query(c, "{\"from\":\"membership\",\"order\":[\"id\"]}");
    int code = all != NULL ? CLI_OK : CLI_FAILED;
    if (all != NULL && cli_json(c)) {
        (void)printf("%.*s\n", (int)all->raw_len, all->raw);
    }
    for (const js *m = js_first(all); m != NULL && !cli_json(c); m = m->next) {
        print_one(c, m);
    }
    js_free(all);
    return code;
}

static int print_numbers(cli *c, const char *id)
{
    js *res = NULL;
    int code = cli_account_do(c, "organisation", "organisation", id, &res);
    if (code == CLI_OK && cli_json(c)) {
        (void)printf("%.*s\n", (int)res->raw_len, res->raw);
    }
    for (const js *m = js_first(js_get(res, "members"));
         code == CLI_OK && m != NULL && !cli_json(c); m = m->next) {
        (void)printf("%-30s %" PRId64 " athletes, %" PRId64 " messages in %" PRId64
                     " conversations, %" PRId64 " reviews\n",
                     js_str(m, "name"), js_int(m, "athletes"), js_int(m, "messages"),
                     js_int(m, "conversations"), js_int(m, "reviews"));
    }
    js_free(res);
    return code;
}

/* ---- what is done ---- */

static int found_one(cli *c, const char *name)
{
    char id[37] = "";
    text ops = {0};
    text_add(&ops, "[{\"op\":\"create\",\"entity\":\"organisation\",\"fields\":{\"name\":");
    text_json(&ops, name);
    text_add(&ops, "}}]");
    int code = cli_apply(c, ops.data, id);
    text_free(&ops);
    code = code == CLI_OK ? cli_settle(c) : code;
    if (code == CLI_OK) {
        (void)printf(cli_json(c) ? "{\"id\":\"%s\"}\n" : "made (%s)\n", id);
    }
    return code;
}

static int change_member(cli *c, const organisation *o, const char *who, const char *fields)
{
    char id[37];
    int code = find_member(c, o, who, id);
    return code == CLI_OK ? change(c, "member", id, fields) : code;
}

static int share(cli *c, const organisation *o, const char *program, bool on)
{
    char id[37];
    text query = {0};
    int code = cli_find(c, "program", program, id);
    if (code != CLI_OK || on) {
        return code == CLI_OK ? make(c, "program_share", o->id, "program_id", id) : code;
    }
    text_fmt(&query,
             "{\"from\":\"program_share\",\"where\":{\"space\":\"organisation:%s\",\"program_id\":"
             "\"%s\"}}",
             o->id, id);
    js *shares = cli_query(c, query.data);
    text_free(&query);
    const js *first = js_first(shares);
    code = shares == NULL  ? CLI_FAILED
           : first == NULL ? cli_fail("the program is not shared with the organisation")
                           : change(c, "program_share", js_str(first, "id"), NULL);
    js_free(shares);
    return code;
}

/* What needs somebody or something beside the organisation. */
static int do_with(cli *c, const char *what, const organisation *o, const char *arg)
{
    return strcmp(what, "invite") == 0    ? make(c, "member", o->id, "email", arg)
           : strcmp(what, "remove") == 0  ? change_member(c, o, arg, NULL)
           : strcmp(what, "admin") == 0   ? change_member(c, o, arg, "{\"role\":\"admin\"}")
           : strcmp(what, "coach") == 0   ? change_member(c, o, arg, "{\"role\":\"coach\"}")
           : strcmp(what, "share") == 0   ? share(c, o, arg, true)
           : strcmp(what, "unshare") == 0 ? share(c, o, arg, false)
                                          : CLI_USAGE;
}

static int do_alone(cli *c, const char *what, const organisation *o)
{
    return strcmp(what, "accept") == 0
               ? change(c, "membership", o->membership, "{\"state\":\"active\"}")
           : strcmp(what, "leave") == 0   ? change(c, "membership", o->membership, NULL)
           : strcmp(what, "close") == 0   ? change(c, "organisation", o->id, NULL)
           : strcmp(what, "numbers") == 0 ? print_numbers(c, o->id)
                                          : CLI_USAGE;
}

int cmd_organisation(cli *c)
{
    static const char *const words[] = {"make",    "invite", "remove", "admin", "coach",  "share",
                                        "unshare", "accept", "leave",  "close", "numbers"};
    const char *what = c->args[0];
    bool known = false;
    for (size_t i = 0; what != NULL && i < sizeof words / sizeof words[0]; i++) {
        bool pair = i > 0 && i < 7;
        known = known ||
                (strcmp(what, words[i]) == 0 && c->args[1] != NULL && (c->args[2] != NULL) == pair);
    }
    if (what == NULL) {
        return list(c);
    }
    if (!known) {
        (void)cli_fail("an organisation is made, invites .., as \"sideline help\" says");
        return CLI_USAGE;
    }
    if (strcmp(what, "make") == 0) {
        return found_one(c, c->args[1]);
    }
    organisation o;
    int code = find_organisation(c, c->args[1], &o);
    if (code != CLI_OK) {
        return code;
    }
    return c->args[2] != NULL ? do_with(c, what, &o, c->args[2]) : do_alone(c, what, &o);
}
