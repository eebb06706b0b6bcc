/* cli/account.c - accounts and connections. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Asks on the terminal without showing what is typed. False when there is none. */
static bool ask_password(char *out, size_t cap)
{
    struct termios shown;
    if (tcgetattr(STDIN_FILENO, &shown) != 0) {
        return false;
    }
    struct termios hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    (void)fputs("Password: ", stderr);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    bool got = fgets(out, (int)cap, stdin) != NULL;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    (void)fputs("\n", stderr);
    out[strcspn(out, "\r\n")] = '\0';
    return got;
}

int cli_password(cli *c, char out[CLI_PASSWORD_MAX])
{
    const char *given = c->option[OPT_PASSWORD];
    given = given != NULL ? given : getenv("SIDELINE_PASSWORD");
    if (given != NULL) {
        (void)snprintf(out, CLI_PASSWORD_MAX, "%s", given);
        return CLI_OK;
    }
    return ask_password(out, CLI_PASSWORD_MAX)
               ? CLI_OK
               : cli_fail("no password: give --password or set SIDELINE_PASSWORD");
}

static void add_member(text *json, const char *name, const char *value)
{
    if (value != NULL) {
        text_fmt(json, ",\"%s\":", name);
        text_json(json, value);
    }
}

static int sign_in(cli *c, bool is_new)
{
    char password[CLI_PASSWORD_MAX] = "";
    int code = cli_password(c, password);
    if (code != CLI_OK) {
        return code;
    }
    if (cli_offline(c)) {
        return cli_fail("signing in needs the server, and --offline forbids it");
    }
    text json = {0};
    text_add(&json, "{\"email\":");
    text_json(&json, c->args[0]);
    add_member(&json, "password", password);
    add_member(&json, "code", c->option[OPT_CODE]);
    if (is_new) {
        add_member(&json, "name", c->option[OPT_NAME]);
        add_member(&json, "role", c->option[OPT_ROLE] != NULL ? c->option[OPT_ROLE] : "athlete");
        add_member(&json, "birth_date", c->option[OPT_BIRTH]);
    }
    text_add(&json, "}");
    sl_error *err = NULL;
    sl_id op = 0;
    sl_status st = is_new ? sl_session_signup(c->core, json.data, json.len, &op, &err)
                          : sl_session_login(c->core, json.data, json.len, &op, &err);
    memset(json.data, 0, json.len);
    memset(password, 0, sizeof password);
    text_free(&json);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    return cli_wait_op(c, op, "sign-in", c->timeout_ms, NULL);
}

static int print_session(cli *c, const char *before)
{
    sl_bytes *info = NULL;
    sl_error *err = NULL;
    sl_status st = sl_core_info(c->core, "session", &info, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    int code = CLI_OK;
    js *session = js_parse((const char *)sl_bytes_data(info), sl_bytes_len(info));
    if (js_str(session, "email")[0] == '\0') {
        code = cli_fail("nobody is signed in in this data folder");
    } else if (cli_json(c)) {
        (void)printf("%s\n", (const char *)sl_bytes_data(info));
    } else {
        (void)printf("%s%s <%s>, %s\n", before, js_str(session, "name"), js_str(session, "email"),
                     js_str(session, "role"));
    }
    js_free(session);
    sl_bytes_release(info);
    return code;
}

int cmd_signup(cli *c)
{
    int code = sign_in(c, true);
    return code == CLI_OK ? print_session(c, "signed up: ") : code;
}

int cmd_login(cli *c)
{
    int code = sign_in(c, false);
    return code == CLI_OK ? print_session(c, "signed in: ") : code;
}

int cmd_whoami(cli *c)
{
    return print_session(c, "");
}

int cmd_connect(cli *c)
{
    char me[37];
    char id[37];
    int code = cli_my_id(c, me);
    if (code != CLI_OK) {
        return code;
    }
    text space = {0};
    text fields = {0};
    text_fmt(&space, "user:%s", me);
    text_add(&fields, "{\"peer_email\":");
    text_json(&fields, c->args[0]);
    text_add(&fields, "}");
    code = cli_create(c, "connection", space.data, fields.data, id);
    text_free(&space);
    text_free(&fields);
    if (code == CLI_OK) {
        code = cli_settle(c);
    }
    if (code == CLI_OK) {
        (void)printf(cli_json(c) ? "{\"id\":\"%s\"}\n" : "asked to connect (%s)\n", id);
    }
    return code;
}

int cmd_connections(cli *c)
{
    js *records = cli_query(c, "{\"from\":\"connection\"}");
    if (records == NULL) {
        return CLI_FAILED;
    }
    if (cli_json(c)) {
        (void)printf("%.*s\n", (int)records->raw_len, records->raw);
    }
    for (const js *r = records->first; r != NULL && !cli_json(c); r = r->next) {
        const char *status = js_str(r, "status");
        if (strcmp(status, "requested") == 0) {
            status = js_is(r, "direction", "in") ? "asks to connect" : "has been asked";
        }
        (void)printf("%-30s %-20s %-8s %s\n", js_str(r, "peer_email"), js_str(r, "peer_name"),
                     js_str(r, "peer_role"), status);
    }
    js_free(records);
    return CLI_OK;
}

int cmd_accept(cli *c)
{
    js *connection = NULL;
    int code = cli_find_connection(c, c->args[0], "requested", &connection);
    if (code != CLI_OK) {
        return code;
    }
    if (!js_is(connection, "direction", "in")) {
        js_free(connection);
        return cli_fail("it is for %s to accept", c->args[0]);
    }
    text ops = {0};
    text_fmt(&ops,
             "[{\"op\":\"patch\",\"entity\":\"connection\",\"id\":\"%s\","
             "\"fields\":{\"status\":\"accepted\"}}]",
             js_str(connection, "id"));
    js_free(connection);
    code = cli_apply(c, ops.data, NULL);
    text_free(&ops);
    if (code == CLI_OK) {
        code = cli_settle(c);
    }
    if (code == CLI_OK && !cli_json(c)) {
        (void)printf("connected with %s\n", c->args[0]);
    }
    return code;
}
