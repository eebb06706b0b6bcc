/* cli/message.c - what is done with one message, and with conversations by oneself. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t on(const cli *c)
{
    return c->option[OPT_OFF] == NULL;
}

static int done(cli *c, sl_status st, sl_error *err)
{
    return st == SL_OK ? cli_settle(c) : cli_error(st, err);
}

/* ---- one message ---- */

int cmd_edit(cli *c)
{
    char id[37];
    int code = cli_find(c, "message", c->args[0], id);
    if (code != CLI_OK) {
        return code;
    }
    sl_error *err = NULL;
    text json = {0};
    text_add(&json, "{\"body\":");
    text_json(&json, c->args[1]);
    text_add(&json, "}");
    sl_status st = sl_chat_edit(c->core, id, json.data, json.len, &err);
    text_free(&json);
    return done(c, st, err);
}

int cmd_unsend(cli *c)
{
    char id[37];
    sl_error *err = NULL;
    int code = cli_find(c, "message", c->args[0], id);
    return code == CLI_OK ? done(c, sl_chat_delete(c->core, id, &err), err) : code;
}

int cmd_react(cli *c)
{
    char id[37];
    sl_error *err = NULL;
    int code = cli_find(c, "message", c->args[0], id);
    return code == CLI_OK ? done(c, sl_chat_react(c->core, id, c->args[1], on(c), &err), err)
                          : code;
}

int cmd_pin(cli *c)
{
    char id[37];
    sl_error *err = NULL;
    int code = cli_find(c, "message", c->args[0], id);
    return code == CLI_OK ? done(c, sl_chat_pin(c->core, id, on(c), &err), err) : code;
}

int cmd_retry(cli *c)
{
    sl_error *err = NULL;
    sl_status st = c->option[OPT_OFF] == NULL ? sl_chat_retry(c->core, c->args[0], &err)
                                              : sl_chat_discard(c->core, c->args[0], &err);
    return done(c, st, err);
}

/* ---- not sent yet ---- */

int cmd_scheduled(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    if (c->args[0] != NULL) {
        return done(c, sl_chat_unschedule(c->core, c->args[0], &err), err);
    }
    sl_status st = sl_chat_scheduled(c->core, NULL, &out, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    (void)printf("%.*s\n", (int)sl_bytes_len(out), (const char *)sl_bytes_data(out));
    sl_bytes_release(out);
    return CLI_OK;
}

int cmd_begin(cli *c)
{
    char thread[37];
    char space[64];
    int code = cli_find_thread(c, c->args[0], thread);
    if (code != CLI_OK) {
        return code;
    }
    sl_error *err = NULL;
    sl_bytes *out = NULL;
    (void)snprintf(space, sizeof space, "thread:%s", thread);
    if (c->args[1] == NULL) {
        sl_status st = sl_chat_draft(c->core, space, &out, &err);
        if (st == SL_OK && out != NULL) {
            (void)printf("%.*s\n", (int)sl_bytes_len(out), (const char *)sl_bytes_data(out));
        }
        sl_bytes_release(out);
        return st == SL_OK ? CLI_OK : cli_error(st, err);
    }
    text json = {0};
    text_add(&json, "{\"body\":");
    text_json(&json, c->args[1]);
    text_add(&json, "}");
    bool none = c->args[1][0] == '\0';
    sl_status st =
        sl_chat_set_draft(c->core, space, none ? NULL : json.data, none ? 0 : json.len, &err);
    text_free(&json);
    return st == SL_OK ? CLI_OK : cli_error(st, err);
}

/* ---- conversations ---- */

int cmd_mute(cli *c)
{
    char thread[37];
    char space[64];
    sl_error *err = NULL;
    int code = cli_find_thread(c, c->args[0], thread);
    if (code != CLI_OK) {
        return code;
    }
    (void)snprintf(space, sizeof space, "thread:%s", thread);
    /* For ever, as far as a number of JSON goes. */
    int64_t until_ms = on(c) != 0 ? INT64_C(9007199254740991) : 0;
    return done(c, sl_chat_mute(c->core, space, until_ms, &err), err);
}

int cmd_block(cli *c)
{
    js *connection = NULL;
    sl_error *err = NULL;
    int code = cli_find_connection(c, c->args[0], "accepted", &connection);
    if (code != CLI_OK) {
        return code;
    }
    sl_status st = sl_chat_block(c->core, js_str(connection, "peer_id"), on(c), &err);
    js_free(connection);
    return done(c, st, err);
}

int cmd_report(cli *c)
{
    char id[37];
    char me[37];
    char space[64];
    text fields = {0};
    int code = cli_find(c, "message", c->args[0], id);
    if (code == CLI_OK) {
        code = cli_my_id(c, me);
    }
    js *message = code == CLI_OK ? cli_record(c, "message", id) : NULL;
    if (message == NULL) {
        return CLI_FAILED;
    }
    text_fmt(&fields,
             "{\"kind\":\"message\",\"target_space\":\"%s\",\"target_id\":\"%s\",\"reason\":",
             js_str(message, "space"), id);
    text_json(&fields, c->args[1]);
    text_add(&fields, "}");
    (void)snprintf(space, sizeof space, "user:%s", me);
    char report[37];
    code = cli_create(c, "report", space, fields.data, report);
    text_free(&fields);
    js_free(message);
    return code == CLI_OK ? cli_settle(c) : code;
}

int cmd_people(cli *c)
{
    char thread[37];
    char space[64];
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    int code = cli_find_thread(c, c->args[0], thread);
    if (code != CLI_OK) {
        return code;
    }
    (void)snprintf(space, sizeof space, "thread:%s", thread);
    sl_status st = sl_chat_people(c->core, space, &out, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    (void)printf("%.*s\n", (int)sl_bytes_len(out), (const char *)sl_bytes_data(out));
    sl_bytes_release(out);
    return CLI_OK;
}
