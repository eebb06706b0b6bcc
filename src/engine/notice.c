/*
 * Push notifications, understood without a connection: whether to show one, and the number for the app's
 * icon. A message that was told so and has not come yet counts until the space's cursor has passed it.
 */
#include "engine/chat.h"

#include "base/error.h"
#include "base/mem.h"
#include "chat/notice.h"

#include <string.h>

enum {
    TOLD_MAX = 200 /* messages remembered */
};

static const char TOLD[] = "chat.told";

static sl_status read_told(sl_core *core, sl_json **out, sl_error **err)
{
    char *text = NULL;
    sl_status status = sl_store_meta(core->store, TOLD, &text, err);
    *out = text != NULL ? sl_json_parse(text, strlen(text)) : sl_json_array();
    if (status == SL_OK && *out == NULL) {
        status = sl_fail_nomem(err);
    }
    sl_mem_free(text);
    return status;
}

/* What was told and has not come, of threads that are held. */
static bool still_missing(sl_core *core, const sl_json *t)
{
    sl_space space;
    return sl_store_space(core->store, sl_json_str(t, "space"), &space, NULL) == SL_OK &&
           space.cursor < sl_json_int_or(t, "place", 0);
}

static int64_t read_mark(const sl_core *core, const sl_chat_frame *f, const char *space)
{
    for (const sl_json *p = sl_json_first(f->people); p != NULL; p = sl_json_next(p)) {
        const char *user = sl_json_str(p, "user_id");
        if (strcmp(sl_json_str(p, "space"), space) == 0 && user != NULL &&
            strcmp(user, core->session.user) == 0) {
            return sl_json_int_or(p, "read", 0);
        }
    }
    return 0;
}

sl_status sl_chat_told(sl_core *core, const sl_chat_frame *f, const sl_json *settings,
                       int64_t *badge, sl_error **err)
{
    sl_json *list = NULL;
    sl_status status = read_told(core, &list, err);
    for (const sl_json *t = sl_json_first(list); status == SL_OK && t != NULL;
         t = sl_json_next(t)) {
        const char *space = sl_json_str(t, "space");
        bool counts =
            still_missing(core, t) && sl_json_int_or(t, "place", 0) > read_mark(core, f, space) &&
            !sl_chat_is_blocked(f, sl_json_str(t, "user")) &&
            (sl_json_bool_or(t, "named", false) || !sl_chat_is_silent(core, settings, space));
        *badge += counts ? 1 : 0;
    }
    sl_json_free(list);
    return status;
}

static sl_json *entry_of(const sl_notice *n)
{
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "space", n->space) &&
              sl_json_set_str(j, "id", n->id) && sl_json_set_str(j, "user", n->user) &&
              sl_json_set_int(j, "place", n->place) && sl_json_set_bool(j, "named", n->named);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

/* Remembers the message, once, and forgets what has come. */
static sl_status remember(sl_core *core, const sl_notice *n, sl_error **err)
{
    sl_json *list = NULL;
    sl_json *next = sl_json_array();
    sl_status status = read_told(core, &list, err);
    bool ok = next != NULL;
    for (const sl_json *t = sl_json_first(list); status == SL_OK && ok && t != NULL;
         t = sl_json_next(t)) {
        bool keep = strcmp(sl_json_str(t, "id"), n->id) != 0 && still_missing(core, t) &&
                    sl_json_count(next) < TOLD_MAX - 1;
        ok = !keep || sl_json_add(next, sl_json_clone(t));
    }
    ok = ok && (status != SL_OK || sl_json_add(next, entry_of(n)));
    char *text = ok ? sl_json_print(next) : NULL;
    if (status == SL_OK) {
        status =
            text != NULL ? sl_store_set_meta(core->store, TOLD, text, err) : sl_fail_nomem(err);
    }
    sl_mem_free(text);
    sl_json_free(next);
    sl_json_free(list);
    return status;
}

/* ---- what the user wants ---- */

/* From a minute of the day to another, over midnight when that is the lesser. */
static bool in_hours(int64_t from, int64_t to, int64_t now)
{
    return from <= to ? now >= from && now < to : now >= from || now < to;
}

/* By the setting of the topic; of several the one with the greatest id holds. */
static sl_status wish_of(sl_core *core, const char *topic, const char **why, sl_error **err)
{
    sl_buf query = {0};
    sl_json *rows = NULL;
    sl_buf_fmt(&query,
               "{\"from\":\"notification_setting\",\"where\":{\"topic\":\"%s\"},\"order\":"
               "[\"-id\"],\"limit\":1}",
               topic);
    sl_status status = sl_chat_ask(core, &query, &rows, err);
    const sl_json *row = status == SL_OK ? sl_json_first(rows) : NULL;
    int64_t from = sl_json_int_or(row, "quiet_from_min", -1);
    int64_t to = sl_json_int_or(row, "quiet_to_min", -1);
    bool quiet = from >= 0 && to >= 0 && in_hours(from, to, sl_engine_day_minute(core));
    *why = !sl_json_bool_or(row, "push", true) ? "off" : quiet ? "quiet" : NULL;
    sl_json_free(rows);
    return status;
}

/* Why it is not to be shown; NULL: it is. wish: what the user wants of the topic. */
static const char *reason_of(sl_core *core, const sl_notice *n, const sl_chat_frame *f,
                             const sl_json *settings, const char *wish)
{
    bool message = strcmp(n->kind, "message") == 0;
    return strcmp(n->to, core->session.user) != 0                                ? "other_user"
           : n->user[0] != 0 && sl_chat_is_blocked(f, n->user)                   ? "blocked"
           : message && n->place <= read_mark(core, f, n->space)                 ? "read"
           : message && !n->named && sl_chat_is_silent(core, settings, n->space) ? "muted"
                                                                                 : wish;
}

/* A message that is here and was edited since has its text of now. */
static sl_status put_text(sl_core *core, const sl_notice *n, sl_json *out, sl_error **err)
{
    sl_record rec = {0};
    sl_status status = SL_OK;
    const char *body = n->body;
    if (strcmp(n->kind, "message") == 0) {
        status = sl_store_record(core->store, sl_entity_find("message"), n->id, &rec, err);
        bool here = status == SL_OK && rec.entity != NULL && !rec.deleted;
        const char *now = here ? sl_record_text(&rec, "body") : NULL;
        body = now != NULL ? now : body;
    }
    if (status == SL_OK && !sl_json_set_str(out, "body", body)) {
        status = sl_fail_nomem(err);
    }
    sl_record_free(&rec);
    return status;
}

static bool put_rest(const sl_notice *n, const char *why, int64_t badge, sl_json *out)
{
    return sl_json_set_bool(out, "show", why == NULL) &&
           (why == NULL || sl_json_set_str(out, "why", why)) &&
           sl_json_set_str(out, "kind", n->kind) && sl_json_set_str(out, "title", n->title) &&
           (n->space[0] == 0 || sl_json_set_str(out, "space", n->space)) &&
           (n->id[0] == 0 || sl_json_set_str(out, "id", n->id)) &&
           (n->user[0] == 0 || sl_json_set_str(out, "user", n->user)) &&
           (!n->named || sl_json_set_bool(out, "named", true)) &&
           sl_json_set_int(out, "badge", badge);
}

static sl_status answer(sl_core *core, const sl_notice *n, sl_json *out, sl_error **err)
{
    sl_chat_frame f;
    sl_json *settings = NULL;
    sl_json *counts = NULL;
    sl_buf query = {0};
    sl_status status = sl_chat_frame_make(core, NULL, &f, err);
    if (status == SL_OK) {
        sl_buf_str(&query, "{\"from\":\"thread_setting\",\"limit\":10000}");
        status = sl_chat_ask(core, &query, &settings, err);
    }
    const char *wish = NULL;
    if (status == SL_OK) {
        status = wish_of(core, n->kind, &wish, err);
    }
    const char *why = status == SL_OK ? reason_of(core, n, &f, settings, wish) : NULL;
    bool counted = strcmp(n->kind, "message") == 0 && strcmp(n->to, core->session.user) == 0;
    if (status == SL_OK && counted) {
        status = remember(core, n, err);
    }
    if (status == SL_OK) {
        status = sl_chat_count(core, &counts, err);
    }
    if (status == SL_OK) {
        status = put_text(core, n, out, err);
    }
    if (status == SL_OK && !put_rest(n, why, sl_json_int_or(counts, "badge", 0), out)) {
        status = sl_fail_nomem(err);
    }
    sl_json_free(counts);
    sl_json_free(settings);
    sl_chat_frame_free(&f);
    return status;
}

sl_status sl_chat_notified(sl_core *core, const char *payload, size_t n, sl_json **out,
                           sl_error **err)
{
    sl_notice notice;
    *out = NULL;
    sl_status status = sl_notice_read(payload, n, &notice, err);
    if (status != SL_OK) {
        return status;
    }
    if (core->session.user[0] == 0) {
        return sl_fail(err, SL_E_AUTH, "nobody is signed in on this device");
    }
    sl_json *j = sl_json_object();
    status = j != NULL ? answer(core, &notice, j, err) : sl_fail_nomem(err);
    if (status != SL_OK) {
        sl_json_free(j);
        return status;
    }
    *out = j;
    return SL_OK;
}
