/* cli/data.c - records and facts as they are. */
#include "cli.h"

#include <stdio.h>
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

int cmd_query(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_query_once(c->core, c->args[0], strlen(c->args[0]), &out, &err);
    return print_answer(st, out, err);
}

int cmd_info(cli *c)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_core_info(c->core, c->args[0] != NULL ? c->args[0] : "sync", &out, &err);
    return print_answer(st, out, err);
}
