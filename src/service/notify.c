/*
 * service/notify.c - push notifications: who is told of what, on which devices.
 *
 *   [PUSH-1] a new message is told to the others who hold its thread, all else as news.c says;
 *   [PUSH-2] not to those who want no pushes of the kind or blocked the author; of a silent thread those alone
 *            who are named. Quiet hours are the device's to keep: it knows its time;
 *   [PUSH-3] to devices that are signed in and gave a push token, connected or not: a connection that
 *            sleeps cannot be told from one that listens, and the core knows what it has shown;
 *   [PUSH-4] in the language of the user's profile, as far as there are words of it; else in English.
 */
#include "base/buf.h"
#include "base/json.h"
#include "chat/chat.h"
#include "service/news.h"

#include <stdio.h>
#include <string.h>

enum {
    BADGE_MAX = 999
};

/* What is told to one user. */
typedef struct note {
    const sl_sv_news *news;
    bool named; /* a message that names the user */
    int64_t badge;
    char title[SL_NOTICE_TEXT];
    char body[SL_SV_NEWS_TEXT + 1];
} note;

static const char *text_of(const sl_sv_news *n, const char *field)
{
    const char *text = sl_record_text(&n->item->rec, field);
    return text != NULL ? text : "";
}

/* One number, 0 when there is none; false: it failed. */
static bool number(sl_service *s, const char *sql, const sl_cell *args, size_t n, int64_t *out)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, sql, args, n, &rows, NULL);
    *out = status == SL_OK && rows.count > 0 ? sl_sv_int(&rows, 0, 0) : 0;
    sl_sv_rows_free(&rows);
    return status == SL_OK;
}

/* ---- what the user wants ---- */

static bool is_named(const sl_sv_news *n, const char *user)
{
    const char *text = text_of(n, "mentions");
    sl_json *mentions = text[0] != 0 ? sl_json_parse(text, strlen(text)) : NULL;
    bool named = sl_chat_names(mentions, user);
    sl_json_free(mentions);
    return named;
}

/* Of several settings the one with the greatest id holds. */
static bool is_silent(sl_service *s, const sl_sv_news *n, const char *own)
{
    int64_t until_ms = 0;
    bool ok =
        number(s,
               "SELECT t.\"muted_until_ms\" FROM feed f JOIN \"thread_setting\" t ON"
               " t.\"id\"=f.id AND t.\"space\"=f.space WHERE f.space=$1 AND"
               " f.listed='thread_setting' AND t.\"thread_id\"=$2 AND t.\"deleted\"=0"
               " ORDER BY f.id DESC LIMIT 1",
               SL_SV_ARGS(sl_cell_text(own), sl_cell_text(sl_space_id(n->item->space))), &until_ms);
    return !ok || until_ms > n->now_ms;
}

static bool may_tell(sl_service *s, const sl_sv_news *n, const char *user, bool *named)
{
    sl_sv_space own;
    bool wanted = false;
    bool message = n->event == SL_SV_SAID;
    sl_space_name(own, "user", user);
    *named = message && is_named(n, user);
    return sl_sv_news_wanted(s, n, user, true, &wanted, NULL) == SL_OK && wanted &&
           (!message || *named || !is_silent(s, n, own));
}

/* Unread messages of all the user's threads, as the core counts them for the icon. */
static bool count_badge(sl_service *s, const char *user, int64_t now_ms, int64_t *badge)
{
    sl_sv_space own;
    char pattern[SL_UUID_LEN + 5];
    sl_space_name(own, "user", user);
    (void)snprintf(pattern, sizeof pattern, "%%\"%s\"%%", user);
    return number(
        s,
        "SELECT count(*) FROM (SELECT 1 FROM access x JOIN feed pf ON pf.space=x.space AND"
        " pf.listed='participant' JOIN \"participant\" p ON p.\"id\"=pf.id AND"
        " p.\"space\"=pf.space AND p.\"user_id\"=x.user_id JOIN feed mf ON"
        " mf.space=x.space AND mf.seq>COALESCE(p.\"read\", 0) AND"
        " mf.place>COALESCE(p.\"read\", 0) JOIN \"message\" m ON"
        " m.\"id\"=mf.id AND m.\"space\"=mf.space WHERE x.user_id=$1 AND mf.entity="
        "'message' AND m.\"deleted\"=0 AND m.\"kind\"<>'notice' AND m.\"author_id\"<>$1"
        " AND NOT EXISTS (SELECT 1 FROM feed bf JOIN \"block\" b ON b.\"id\"=bf.id AND"
        " b.\"space\"=bf.space WHERE bf.space=$2 AND bf.listed='block' AND"
        " b.\"user_id\"=m.\"author_id\" AND b.\"deleted\"=0) AND (m.\"mentions\" LIKE $3 OR"
        " NOT EXISTS (SELECT 1 FROM feed sf JOIN \"thread_setting\" t ON t.\"id\"=sf.id AND"
        " t.\"space\"=sf.space WHERE sf.space=$2 AND sf.listed='thread_setting' AND"
        " 'thread:' || t.\"thread_id\"=x.space AND t.\"deleted\"=0 AND"
        " t.\"muted_until_ms\">$4)) LIMIT $5) AS unread",
        SL_SV_ARGS(sl_cell_text(user), sl_cell_text(own), sl_cell_text(pattern),
                   sl_cell_int(now_ms), sl_cell_int(BADGE_MAX)),
        badge);
}

/* ---- what is sent ---- */

static void put_text(sl_buf *b, const char *key, const char *value)
{
    sl_buf_fmt(b, "\"%s\":", key);
    sl_json_put_text(b, value, strlen(value));
    sl_buf_u8(b, ',');
}

/* What the core reads (chat/notice.h). */
static void put_notice(sl_buf *b, const note *x, const char *user)
{
    const sl_sv_news *n = x->news;
    sl_buf_str(b, "{\"sideline\":{\"v\":1,");
    put_text(b, "to", user);
    put_text(b, "kind", n->kind);
    put_text(b, "space", n->ref_space);
    put_text(b, "id", n->ref_id);
    put_text(b, "user", n->author);
    put_text(b, "title", x->title);
    put_text(b, "body", x->body);
    if (n->event == SL_SV_SAID) {
        int64_t place = sl_record_int(&n->item->rec, "place", 0);
        put_text(b, "what", text_of(n, "kind"));
        sl_buf_fmt(b, "\"place\":%lld,", (long long)place);
    }
    sl_buf_fmt(b, "\"named\":%s}}", x->named ? "true" : "false");
}

/* rows: device, platform, token. */
static void tell_device(sl_service *s, const note *x, const char *user, const sl_sv_rows *rows,
                        size_t i)
{
    static const char *const keys[] = {"device", "platform", "token"};
    sl_buf b = {0};
    sl_buf_u8(&b, '{');
    for (size_t k = 0; k < 3; k++) {
        put_text(&b, keys[k], sl_sv_text(rows, i, k));
    }
    put_text(&b, "user", user);
    sl_buf_fmt(&b, "\"badge\":%lld,\"payload\":", (long long)x->badge);
    put_notice(&b, x, user);
    sl_buf_u8(&b, '}');
    if (!b.failed) {
        sl_sv_tell_push(s, sl_buf_text(&b));
    }
    sl_buf_free(&b);
}

/* ---- what it says ---- */

/* The one that the user has chosen; of several profiles the one with the greatest id holds. */
static bool language_of(sl_service *s, const char *user, size_t *out)
{
    sl_sv_space own;
    sl_sv_rows rows;
    sl_space_name(own, "user", user);
    bool ok = sl_sv_all(s,
                        "SELECT p.\"locale\" FROM feed f JOIN \"profile\" p ON p.\"id\"=f.id AND"
                        " p.\"space\"=f.space WHERE f.space=$1 AND f.listed='profile' AND"
                        " p.\"deleted\"=0 AND p.\"locale\" IS NOT NULL ORDER BY f.id DESC LIMIT 1",
                        SL_SV_ARGS(sl_cell_text(own)), &rows, NULL) == SL_OK;
    *out = sl_sv_language(ok && rows.count > 0 ? sl_sv_text(&rows, 0, 0) : "");
    sl_sv_rows_free(&rows);
    return ok;
}

/* Who caused it, and of a message the name of the group. */
static bool names_of(sl_service *s, const sl_sv_news *n, sl_sv_person *who, char group[201])
{
    sl_sv_rows rows;
    bool ok = sl_sv_person_by_id(s, n->author, who, NULL) == SL_OK && who->found;
    group[0] = 0;
    if (!ok || n->event != SL_SV_SAID) {
        return ok;
    }
    ok = sl_sv_all(
             s,
             "SELECT \"title\" FROM \"thread\" WHERE \"id\"=$1 AND \"space\"=$2 AND"
             " \"group\"=1",
             SL_SV_ARGS(sl_cell_text(sl_space_id(n->item->space)), sl_cell_text(n->item->space)),
             &rows, NULL) == SL_OK;
    if (ok && rows.count > 0) {
        sl_sv_copy_cut(group, 201, sl_sv_text(&rows, 0, 0));
    }
    sl_sv_rows_free(&rows);
    return ok;
}

/* False: the user has no device that can be told. */
static bool devices_of(sl_service *s, const char *user, sl_sv_rows *rows)
{
    sl_sv_space own;
    sl_space_name(own, "user", user);
    return sl_sv_all(s,
                     "SELECT d.\"id\", d.\"platform\", d.\"push_token\" FROM feed f JOIN \"device\""
                     " d ON d.\"id\"=f.id AND d.\"space\"=f.space JOIN session s ON s.user_id=$1"
                     " AND s.device=d.\"id\" WHERE f.space=$2 AND f.listed='device' AND"
                     " d.\"deleted\"=0 AND d.\"push_token\" IS NOT NULL ORDER BY d.\"id\"",
                     SL_SV_ARGS(sl_cell_text(user), sl_cell_text(own)), rows, NULL) == SL_OK &&
           rows->count > 0;
}

static void tell_user(sl_service *s, const sl_sv_news *n, const char *user)
{
    note x = {.news = n};
    char group[201];
    size_t language = 0;
    sl_sv_rows rows;
    sl_sv_person who;
    bool tell = devices_of(s, user, &rows) && may_tell(s, n, user, &x.named) &&
                count_badge(s, user, n->now_ms, &x.badge) && language_of(s, user, &language) &&
                names_of(s, n, &who, group) && sl_sv_news_text(s, n, x.body, NULL) == SL_OK;
    if (tell) {
        sl_sv_say_title(x.title, sizeof x.title, language, n->event, who.name, group);
        if (n->event == SL_SV_SAID && x.body[0] == 0) {
            sl_sv_copy_cut(x.body, sizeof x.body, sl_sv_say_kind(language, text_of(n, "kind")));
        }
    }
    for (size_t i = 0; tell && i < rows.count; i++) {
        tell_device(s, &x, user, &rows, i);
    }
    sl_sv_rows_free(&rows);
}

void sl_sv_notify(sl_service *s, const sl_sv_item *item, int64_t now_ms)
{
    sl_sv_news n;
    sl_sv_rows rows;
    if (!item->saved || !sl_sv_news_of(item, now_ms, &n)) {
        return;
    }
    bool ok = sl_sv_news_to(s, &n, &rows, NULL) == SL_OK;
    for (size_t i = 0; ok && i < rows.count; i++) {
        tell_user(s, &n, sl_sv_text(&rows, i, 0));
    }
    sl_sv_rows_free(&rows);
}

/* ---- tokens that are no more ---- */

typedef struct gone {
    const char *user;
    const char *device;
    const char *token;
} gone;

static sl_status forget_token(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    const gone *g = ctx;
    sl_sv_space own;
    sl_sv_item *item = NULL;
    sl_space_name(own, "user", g->user);
    sl_status status = sl_sv_get(tx, sl_entity_find("device"), own, g->device, &item, err);
    if (status != SL_OK || item->rec.entity == NULL || item->rec.deleted) {
        return status;
    }
    const char *token = sl_record_text(&item->rec, "push_token");
    return token != NULL && strcmp(token, g->token) == 0 ? sl_sv_set(item, "push_token", NULL, err)
                                                         : SL_OK;
}

void sl_service_push_gone(sl_service *s, const char *user, const char *device, const char *token)
{
    gone g = {user, device, token};
    if (sl_uuid_ok(user) && sl_uuid_ok(device)) {
        sl_lock(s->lock);
        (void)sl_sv_change(s, forget_token, &g, NULL);
        sl_unlock(s->lock);
    }
}
