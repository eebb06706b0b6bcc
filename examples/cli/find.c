/* cli/find.c - records by what a person types. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    UUID_LEN = 36,
    PREFIX_MIN = 4 /* of an id: shorter beginnings are more likely a title */
};

static js *bytes_to_js(sl_bytes *b)
{
    js *j = NULL;
    if (b != NULL) {
        j = js_parse((const char *)sl_bytes_data(b), sl_bytes_len(b));
        sl_bytes_release(b);
    }
    if (j == NULL) {
        (void)cli_fail("the library answered something that is no JSON");
    }
    return j;
}

js *cli_query(cli *c, const char *query)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_query_once(c->core, query, strlen(query), &out, &err);
    if (st != SL_OK) {
        (void)cli_error(st, err);
        return NULL;
    }
    return bytes_to_js(out);
}

js *cli_record(cli *c, const char *entity, const char *id)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    sl_status st = sl_record_get(c->core, entity, id, &out, &err);
    if (st != SL_OK) {
        (void)cli_error(st, err);
        return NULL;
    }
    return bytes_to_js(out);
}

int cli_my_id(cli *c, char out[37])
{
    sl_bytes *info = NULL;
    sl_error *err = NULL;
    sl_status st = sl_core_info(c->core, "session", &info, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    js *session = bytes_to_js(info);
    const js *user = js_get(session, "user");
    const char *id =
        user != NULL && user->type == JS_OBJECT ? js_str(user, "id") : js_str(session, "user");
    bool known = strlen(id) == UUID_LEN;
    if (known) {
        memcpy(out, id, UUID_LEN + 1);
    }
    js_free(session);
    return known ? CLI_OK : cli_fail("nobody is signed in in this data folder");
}

/* How well a record fits: 2 exactly, 1 by its beginning, 0 not. */
static int fit(const js *record, const char *what)
{
    size_t n = strlen(what);
    const char *id = js_str(record, "id");
    const char *title = js_str(record, "title");
    title = title[0] != '\0' ? title : js_str(record, "name");
    if (strcmp(id, what) == 0 || strcmp(title, what) == 0) {
        return 2;
    }
    bool by_id = n >= PREFIX_MIN && strncmp(id, what, n) == 0;
    return by_id || strncmp(title, what, n) == 0 ? 1 : 0;
}

typedef struct found {
    const js *record;
    bool several;
} found;

static found search(const js *records, const char *what)
{
    found best = {.record = NULL};
    int best_fit = 0;
    bool last = strcmp(what, "last") == 0;
    for (const js *r = records->first; r != NULL; r = r->next) {
        if (last) {
            /* Ids begin with the time of their making. */
            if (best.record == NULL || strcmp(js_str(r, "id"), js_str(best.record, "id")) > 0) {
                best.record = r;
            }
            continue;
        }
        int f = fit(r, what);
        if (f > best_fit) {
            best = (found){.record = r};
            best_fit = f;
        } else if (f == best_fit && f > 0) {
            best.several = true;
        }
    }
    return best;
}

/* CLI_OK and an empty `out` when there is none. */
static int find_local(cli *c, const char *entity, const char *what, char out[37])
{
    text query = {0};
    text_fmt(&query, "{\"from\":\"%s\",\"limit\":10000}", entity);
    js *records = cli_query(c, query.data);
    text_free(&query);
    out[0] = '\0';
    if (records == NULL) {
        return CLI_FAILED;
    }
    found f = search(records, what);
    int code = CLI_OK;
    if (f.several) {
        code = cli_fail("there are several %ss that begin with \"%s\"", entity, what);
    } else if (f.record != NULL) {
        (void)snprintf(out, UUID_LEN + 1, "%s", js_str(f.record, "id"));
    }
    js_free(records);
    return code;
}

static const char *noun(const char *entity)
{
    return strcmp(entity, "voice_over") == 0 ? "voice-over" : entity;
}

int cli_find(cli *c, const char *entity, const char *what, char out[37])
{
    int code = find_local(c, entity, what, out);
    if (code == CLI_OK && out[0] == '\0' && !cli_offline(c)) {
        code = cli_settle(c);
        if (code == CLI_OK) {
            code = find_local(c, entity, what, out);
        }
    }
    if (code == CLI_OK && out[0] == '\0') {
        return cli_fail("there is no %s \"%s\" here", noun(entity), what);
    }
    return code;
}

static const js *match_email(const js *records, const char *email, const char *status)
{
    const js *best = NULL;
    for (const js *r = records->first; r != NULL; r = r->next) {
        if (js_is(r, "peer_email", email) && (status == NULL || js_is(r, "status", status))) {
            best = r;
        }
    }
    return best;
}

static int connection_local(cli *c, const char *email, const char *status, js **out)
{
    js *records = cli_query(c, "{\"from\":\"connection\"}");
    if (records == NULL) {
        return CLI_FAILED;
    }
    const js *best = match_email(records, email, status);
    *out = best != NULL ? js_parse(best->raw, best->raw_len) : NULL;
    js_free(records);
    return CLI_OK;
}

int cli_find_connection(cli *c, const char *email, const char *status, js **out)
{
    int code = connection_local(c, email, status, out);
    if (code == CLI_OK && *out == NULL && !cli_offline(c)) {
        code = cli_settle(c);
        if (code == CLI_OK) {
            code = connection_local(c, email, status, out);
        }
    }
    if (code == CLI_OK && *out == NULL) {
        return cli_fail("there is no %s connection with %s", status != NULL ? status : "", email);
    }
    return code;
}

int cli_find_thread(cli *c, const char *what, char out[37])
{
    if (strchr(what, '@') == NULL) {
        return cli_find(c, "thread", what, out);
    }
    js *connection = NULL;
    int code = cli_find_connection(c, what, "accepted", &connection);
    if (code == CLI_OK) {
        (void)snprintf(out, UUID_LEN + 1, "%s", js_str(connection, "thread_id"));
        if (out[0] == '\0') {
            code = cli_fail("there is no conversation with %s yet", what);
        }
    }
    js_free(connection);
    return code;
}

int cli_apply(cli *c, const char *ops, char out[37])
{
    sl_bytes *bytes = NULL;
    sl_error *err = NULL;
    sl_status st = sl_apply(c->core, ops, strlen(ops), &bytes, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    js *answer = bytes_to_js(bytes);
    const js *first = js_at(js_get(answer, "ids"), 0);
    if (out != NULL) {
        (void)snprintf(out, UUID_LEN + 1, "%s",
                       first != NULL && first->string != NULL ? first->string : "");
    }
    js_free(answer);
    return CLI_OK;
}

int cli_create(cli *c, const char *entity, const char *space, const char *fields, char out[37])
{
    text ops = {0};
    text_fmt(&ops, "[{\"op\":\"create\",\"entity\":\"%s\",\"space\":\"%s\",\"fields\":%s}]", entity,
             space, fields);
    int code = cli_apply(c, ops.data, out);
    text_free(&ops);
    return code;
}
