/* cli/data.c - records and facts as they are. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_answer(sl_status st, sl_bytes *out, sl_error *err)
{
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    (void)printf("%.*s\n", (int)sl_bytes_len(out), (const char *)sl_bytes_data(out));
    sl_bytes_release(out);
    return CLI_OK;
}

int cmd_get(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_record_get(c->core, c->args[0], c->args[1], &out, &err);
    return print_answer(st, out, err);
}

/* The question as JSON, or in words: read|create|patch|delete ENTITY SPACE-or-ID. */
int cmd_can(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    text ask = {0};
    if (c->args[0][0] == '{') {
        text_add(&ask, c->args[0]);
    } else if (c->args[1] != NULL && c->args[2] != NULL) {
        text_add(&ask, "{\"do\":");
        text_json(&ask, c->args[0]);
        text_add(&ask, ",\"entity\":");
        text_json(&ask, c->args[1]);
        text_add(&ask, strchr(c->args[2], ':') != NULL ? ",\"space\":" : ",\"id\":");
        text_json(&ask, c->args[2]);
        text_add(&ask, "}");
    } else {
        text_add(&ask, "{\"feature\":");
        text_json(&ask, c->args[0]);
        text_add(&ask, "}");
    }
    sl_status st = sl_can(c->core, ask.data, ask.len, &out, &err);
    text_free(&ask);
    return print_answer(st, out, err);
}

int cmd_query(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_query_once(c->core, c->args[0], strlen(c->args[0]), &out, &err);
    return print_answer(st, out, err);
}

static int undo_or_redo(cli *c, bool redo)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st =
        redo ? sl_redo(c->core, c->args[0], &out, &err) : sl_undo(c->core, c->args[0], &out, &err);
    if (st != SL_OK || cli_json(c)) {
        return print_answer(st, out, err);
    }
    js *answer = js_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    sl_bytes_release(out);
    (void)printf("%lld changed; %lld more to undo, %lld to redo\n",
                 (long long)js_int(answer, "changed"), (long long)js_int(answer, "undo"),
                 (long long)js_int(answer, "redo"));
    for (const js *l = js_first(js_get(answer, "left")); l != NULL; l = l->next) {
        (void)printf("left as it is: %s %s %s: %s\n", js_str(l, "entity"), js_str(l, "id"),
                     js_str(l, "field"), js_str(l, "why"));
    }
    js_free(answer);
    return cli_settle(c);
}

int cmd_undo(cli *c)
{
    return undo_or_redo(c, false);
}

int cmd_redo(cli *c)
{
    return undo_or_redo(c, true);
}

int cmd_drafts(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_drafts(c->core, c->args[0], 0, &out, &err);
    return print_answer(st, out, err);
}

int cmd_resend(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    const char *fields = c->args[1] != NULL ? c->args[1] : "{}";
    sl_id draft = strtoull(c->args[0], NULL, 10);
    sl_status st = sl_draft_send(c->core, draft, fields, strlen(fields), &out, &err);
    int code = print_answer(st, out, err);
    return code == CLI_OK ? cli_settle(c) : code;
}

int cmd_discard(cli *c)
{
    sl_error *err = NULL;
    sl_status st = sl_draft_discard(c->core, strtoull(c->args[0], NULL, 10), &err);
    return st == SL_OK ? CLI_OK : cli_error(st, err);
}

int cmd_info(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_core_info(c->core, c->args[0] != NULL ? c->args[0] : "sync", &out, &err);
    return print_answer(st, out, err);
}
