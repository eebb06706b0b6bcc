/* cli/video.c - clips: taking them in, sharing, stills, export; and plain sync. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    US_PER_S = 1000000
};

int cmd_sync(cli *c)
{
    if (cli_offline(c)) {
        return cli_fail("sync needs the server, and --offline forbids it");
    }
    int64_t from = cli_now_ms();
    int code = cli_settle(c);
    if (code == CLI_OK && !cli_json(c)) {
        (void)printf("in step with the server (%.1f s)\n", (double)(cli_now_ms() - from) / 1000.0);
    }
    return code;
}

/* The file's name without folders and ending. */
static void title_of(const char *path, text *out)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    text_put(out, name, dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name));
}

int cmd_import(cli *c)
{
    struct stat file;
    if (stat(c->args[0], &file) != 0) {
        return cli_fail("the file \"%s\" cannot be opened: %s", c->args[0], strerror(errno));
    }
    if (!S_ISREG(file.st_mode)) {
        return cli_fail("\"%s\" is not a file", c->args[0]);
    }
    text json = {0};
    text title = {0};
    if (c->option[OPT_TITLE] != NULL) {
        text_add(&title, c->option[OPT_TITLE]);
    } else {
        title_of(c->args[0], &title);
    }
    text_add(&json, "{\"path\":");
    text_json(&json, c->args[0]);
    text_add(&json, ",\"title\":");
    text_json(&json, title.data);
    text_add(&json, "}");
    sl_error *err = NULL;
    sl_id op = 0;
    sl_status st = sl_media_import(c->core, json.data, json.len, &op, &err);
    text_free(&json);
    text_free(&title);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    js *res = NULL;
    int code = cli_wait_op(c, op, "import", 0, &res);
    if (code == CLI_OK && cli_json(c)) {
        (void)printf("%.*s\n", (int)res->raw_len, res->raw);
    } else if (code == CLI_OK) {
        (void)printf("imported %s: %" PRId64 "x%" PRId64 ", %.2f s\n", js_str(res, "id"),
                     js_int(res, "width"), js_int(res, "height"),
                     js_num(res, "duration_us") / US_PER_S);
    }
    js_free(res);
    return code == CLI_OK ? cli_settle(c) : code;
}

int cmd_videos(cli *c)
{
    js *records = cli_query(c, "{\"from\":\"video\",\"order\":[\"id\"]}");
    if (records == NULL) {
        return CLI_FAILED;
    }
    if (cli_json(c)) {
        (void)printf("%.*s\n", (int)records->raw_len, records->raw);
    }
    for (const js *r = records->first; r != NULL && !cli_json(c); r = r->next) {
        const js *pending = js_get(r, "pending");
        const char *status = js_str(r, "status");
        (void)printf("%s  %6.2f s  %4" PRId64 "x%-4" PRId64 "  %-9s  %s%s\n", js_str(r, "id"),
                     js_num(r, "duration_us") / US_PER_S, js_int(r, "width"), js_int(r, "height"),
                     status[0] != '\0' ? status : "local", js_str(r, "title"),
                     pending != NULL && pending->truth ? "  (not sent yet)" : "");
    }
    js_free(records);
    return CLI_OK;
}

int cmd_share(cli *c)
{
    char video[37];
    char id[37];
    js *connection = NULL;
    int code = cli_find(c, "video", c->args[0], video);
    if (code == CLI_OK) {
        code = cli_find_connection(c, c->args[1], "accepted", &connection);
    }
    if (code != CLI_OK) {
        return code;
    }
    text space = {0};
    text fields = {0};
    text_fmt(&space, "video:%s", video);
    text_fmt(&fields, "{\"user_id\":\"%s\",\"role\":", js_str(connection, "peer_id"));
    text_json(&fields, c->option[OPT_ROLE] != NULL ? c->option[OPT_ROLE] : "coach");
    text_add(&fields, "}");
    js_free(connection);
    code = cli_create(c, "share", space.data, fields.data, id);
    text_free(&space);
    text_free(&fields);
    if (code == CLI_OK) {
        code = cli_settle(c);
    }
    if (code == CLI_OK && !cli_json(c)) {
        (void)printf("shared with %s\n", c->args[1]);
    }
    return code;
}

int cli_media(cli *c, text *json, const char *label,
              sl_status (*call)(sl_core *, const char *, size_t, sl_id *, sl_error **), js **res)
{
    sl_error *err = NULL;
    sl_id op = 0;
    int code = cli_start_sync(c);
    if (code != CLI_OK) {
        text_free(json);
        return code;
    }
    sl_status st = call(c->core, json->data, json->len, &op, &err);
    text_free(json);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    /* Work on the machine itself takes as long as it takes, unless a limit was asked for. */
    code = cli_wait_op(c, op, label, c->option[OPT_TIMEOUT] != NULL ? c->timeout_ms : 0, res);
    if (code == CLI_OK && cli_json(c)) {
        (void)printf("%.*s\n", (int)(*res)->raw_len, (*res)->raw);
    }
    return code;
}

int cmd_still(cli *c)
{
    char video[37];
    int64_t at_us = 0;
    int code = cli_seconds(c, OPT_AT, "at", &at_us);
    if (code == CLI_OK) {
        code = cli_find(c, "video", c->args[0], video);
    }
    if (code != CLI_OK) {
        return code;
    }
    text json = {0};
    text_fmt(&json, "{\"space\":\"video:%s\",\"t_us\":%" PRId64 ",\"path\":", video, at_us);
    text_json(&json, c->args[1]);
    text_add(&json, "}");
    js *res = NULL;
    code = cli_media(c, &json, "still", sl_media_still, &res);
    if (code == CLI_OK && !cli_json(c)) {
        (void)printf("%s: %" PRId64 "x%" PRId64 "\n", c->args[1], js_int(res, "width"),
                     js_int(res, "height"));
    }
    js_free(res);
    return code;
}

int cmd_export(cli *c)
{
    char review[37];
    int code = cli_find(c, "review", c->args[0], review);
    if (code != CLI_OK) {
        return code;
    }
    text json = {0};
    text_fmt(&json, "{\"review\":\"%s\",\"path\":", review);
    text_json(&json, c->args[1]);
    if (c->option[OPT_SLOW] != NULL) {
        text_add(&json, ",\"slow\":");
        text_json(&json, c->option[OPT_SLOW]);
    }
    text_add(&json, "}");
    js *res = NULL;
    code = cli_media(c, &json, "export", sl_media_export, &res);
    if (code == CLI_OK && !cli_json(c)) {
        (void)printf("%s: %" PRId64 " frames, %.2f s (%s)\n", c->args[1], js_int(res, "frames"),
                     js_num(res, "duration_us") / US_PER_S, js_str(res, "encoder"));
    }
    js_free(res);
    return code;
}
