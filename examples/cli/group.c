/* cli/group.c - groups: making one, letting in, removing, renaming, leaving. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static int done(cli *c, sl_status st, sl_error *err)
{
    return st == SL_OK ? cli_settle(c) : cli_error(st, err);
}

/* "key":[ids] of the people with these addresses, a comma between. */
static int put_people(cli *c, text *json, const char *key, const char *emails)
{
    int code = CLI_OK;
    const char *at = emails;
    text_fmt(json, ",\"%s\":[", key);
    while (code == CLI_OK && *at != '\0') {
        char email[256];
        size_t n = strcspn(at, ",");
        js *connection = NULL;
        (void)snprintf(email, sizeof email, "%.*s", (int)n, at);
        code = cli_find_connection(c, email, "accepted", &connection);
        text_fmt(json, "%s\"%s\"", at != emails ? "," : "",
                 connection != NULL ? js_str(connection, "peer_id") : "");
        js_free(connection);
        at += n + (at[n] == ',');
    }
    text_add(json, "]");
    return code;
}

int cmd_group(cli *c)
{
    text json = {0};
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    text_add(&json, "{\"title\":");
    text_json(&json, c->args[0]);
    int code = put_people(c, &json, "members", c->args[1]);
    text_add(&json, "}");
    if (code == CLI_OK) {
        sl_status st = sl_chat_group(c->core, json.data, json.len, &out, &err);
        code = done(c, st, err);
    }
    if (code == CLI_OK) {
        (void)printf("%.*s\n", (int)sl_bytes_len(out), (const char *)sl_bytes_data(out));
    }
    text_free(&json);
    sl_bytes_release(out);
    return code;
}

/* json: all but its braces and the first comma. */
static int edit(cli *c, const char *space, const text *json)
{
    text object = {0};
    sl_error *err = NULL;
    text_fmt(&object, "{%s}", json->data + 1);
    sl_status st = sl_chat_group_edit(c->core, space, object.data, object.len, &err);
    text_free(&object);
    return done(c, st, err);
}

static int find_space(cli *c, char space[64])
{
    char thread[37];
    int code = cli_find_thread(c, c->args[0], thread);
    (void)snprintf(space, 64, "thread:%s", code == CLI_OK ? thread : "");
    return code;
}

static int edit_people(cli *c, const char *key)
{
    char space[64];
    text json = {0};
    int code = find_space(c, space);
    if (code == CLI_OK) {
        code = put_people(c, &json, key, c->args[1]);
    }
    if (code == CLI_OK) {
        code = edit(c, space, &json);
    }
    text_free(&json);
    return code;
}

int cmd_invite(cli *c)
{
    return edit_people(c, "add");
}

int cmd_remove(cli *c)
{
    return edit_people(c, "remove");
}

int cmd_rename(cli *c)
{
    char space[64];
    text json = {0};
    int code = find_space(c, space);
    text_add(&json, ",\"title\":");
    text_json(&json, c->args[1]);
    if (code == CLI_OK) {
        code = edit(c, space, &json);
    }
    text_free(&json);
    return code;
}

int cmd_leave(cli *c)
{
    char space[64];
    sl_error *err = NULL;
    int code = find_space(c, space);
    return code == CLI_OK ? done(c, sl_chat_leave(c->core, space, &err), err) : code;
}
