/*
 * service/notify.c - push notifications: who is told of what, on which devices.
 *
 *   [PUSH-1] a new message is told to the others who hold its thread, an answer or request to connect to
 *            whom it is for, a review or comment to the owner of the video; never to who caused it;
 *   [PUSH-2] not to those who blocked the author or want no pushes of the kind; of a silent thread those
 *            alone who are named;
 *   [PUSH-3] to devices that are signed in and gave a push token, connected or not: a connection that
 *            sleeps cannot be told from one that listens, and the core knows what it has shown.
 */
#include "base/buf.h"
#include "base/json.h"
#include "chat/chat.h"
#include "chat/notice.h"
#include "service/effect.h"

#include <stdio.h>
#include <string.h>

enum {
    TEXT_MAX = 240, /* bytes of a text: what providers take is 4 KiB in all */
    BADGE_MAX = 999
};

/* What is told, before it is known to whom. */
typedef struct news {
    const char *kind;
    const sl_sv_item *item;
    const char *to_space; /* those who hold this */
    const char *to_role;  /* as this, "" any */
    const char *author;
    char title[SL_NOTICE_TEXT];
    char body[TEXT_MAX + 1];
    int64_t now_ms;
} news;

/* Cut at a character. */
static void copy_cut(char *to, size_t room, const char *from)
{
    size_t n = strnlen(from, room);
    if (n == room) {
        n--;
        while (n > 0 && ((uint8_t)from[n] & 0xC0) == 0x80) {
            n--;
        }
    }
    memcpy(to, from, n);
    to[n] = 0;
}

static const char *text_of(const news *n, const char *field)
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

static bool is_named(const news *n, const char *user)
{
    const char *text = text_of(n, "mentions");
    sl_json *mentions = text[0] != 0 ? sl_json_parse(text, strlen(text)) : NULL;
    bool named = sl_chat_names(mentions, user);
    sl_json_free(mentions);
    return named;
}

/* Of several settings the one with the greatest id holds. */
static bool is_silent(sl_service *s, const news *n, const char *own)
{
    int64_t until_ms = 0;
    bool ok =
        number(s,
               "SELECT t.\"muted_until_ms\" FROM feed f JOIN \"thread_setting\" t ON"
               " t.\"id\"=f.id AND t.\"space\"=f.space WHERE f.space=$1 AND"
               " f.entity='thread_setting' AND t.\"thread_id\"=$2 AND t.\"deleted\"=0"
               " ORDER BY f.id DESC LIMIT 1",
               SL_SV_ARGS(sl_cell_text(own), sl_cell_text(sl_space_id(n->item->space))), &until_ms);
    return !ok || until_ms > n->now_ms;
}

static bool wants(sl_service *s, const news *n, const char *own)
{
    int64_t off = 0;
    bool ok = number(s,
                     "SELECT CASE WHEN t.\"push\"=0 THEN 1 ELSE 0 END FROM feed f JOIN"
                     " \"notification_setting\" t ON t.\"id\"=f.id AND t.\"space\"=f.space WHERE"
                     " f.space=$1 AND f.entity='notification_setting' AND t.\"topic\"=$2 AND"
                     " t.\"deleted\"=0 ORDER BY f.id DESC LIMIT 1",
                     SL_SV_ARGS(sl_cell_text(own), sl_cell_text(n->kind)), &off);
    return ok && off == 0;
}

static bool may_tell(sl_service *s, const news *n, const char *user, bool *named)
{
    sl_sv_space own;
    bool blocked = true;
    bool message = strcmp(n->kind, "message") == 0;
    sl_space_name(own, "user", user);
    *named = message && is_named(n, user);
    return sl_sv_has_blocked(s, user, n->author, &blocked, NULL) == SL_OK && !blocked &&
           wants(s, n, own) && (!message || *named || !is_silent(s, n, own));
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
        " pf.entity='participant' JOIN \"participant\" p ON p.\"id\"=pf.id AND"
        " p.\"space\"=pf.space AND p.\"user_id\"=x.user_id JOIN feed mf ON"
        " mf.space=x.space AND mf.place>COALESCE(p.\"read\", 0) JOIN \"message\" m ON"
        " m.\"id\"=mf.id AND m.\"space\"=mf.space WHERE x.user_id=$1 AND mf.entity="
        "'message' AND m.\"deleted\"=0 AND m.\"kind\"<>'notice' AND m.\"author_id\"<>$1"
        " AND NOT EXISTS (SELECT 1 FROM feed bf JOIN \"block\" b ON b.\"id\"=bf.id AND"
        " b.\"space\"=bf.space WHERE bf.space=$2 AND bf.entity='block' AND"
        " b.\"user_id\"=m.\"author_id\" AND b.\"deleted\"=0) AND (m.\"mentions\" LIKE $3 OR"
        " NOT EXISTS (SELECT 1 FROM feed sf JOIN \"thread_setting\" t ON t.\"id\"=sf.id AND"
        " t.\"space\"=sf.space WHERE sf.space=$2 AND sf.entity='thread_setting' AND"
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
static void put_notice(sl_buf *b, const news *n, const char *user, bool named)
{
    sl_buf_str(b, "{\"sideline\":{\"v\":1,");
    put_text(b, "to", user);
    put_text(b, "kind", n->kind);
    put_text(b, "space", n->item->space);
    put_text(b, "id", n->item->id);
    put_text(b, "user", n->author);
    put_text(b, "title", n->title);
    put_text(b, "body", n->body);
    if (strcmp(n->kind, "message") == 0) {
        int64_t place = sl_record_int(&n->item->rec, "place", 0);
        put_text(b, "what", text_of(n, "kind"));
        sl_buf_fmt(b, "\"place\":%lld,", (long long)place);
    }
    sl_buf_fmt(b, "\"named\":%s}}", named ? "true" : "false");
}

/* rows: device, platform, token, user. */
static void tell_device(sl_service *s, const news *n, const sl_sv_rows *rows, size_t i, bool named,
                        int64_t badge)
{
    static const char *const keys[] = {"device", "platform", "token", "user"};
    sl_buf b = {0};
    sl_buf_u8(&b, '{');
    for (size_t k = 0; k < 4; k++) {
        put_text(&b, keys[k], sl_sv_text(rows, i, k));
    }
    sl_buf_fmt(&b, "\"badge\":%lld,\"payload\":", (long long)badge);
    put_notice(&b, n, sl_sv_text(rows, i, 3), named);
    sl_buf_u8(&b, '}');
    if (!b.failed) {
        sl_sv_tell_push(s, sl_buf_text(&b));
    }
    sl_buf_free(&b);
}

/* ---- what is told ---- */

static bool is(const sl_sv_item *item, const char *entity)
{
    return strcmp(item->entity->name, entity) == 0;
}

/* The name of who caused it, behind it that of the group. */
static bool put_title(sl_service *s, news *n)
{
    sl_sv_person who;
    sl_sv_rows rows;
    bool ok = sl_sv_person_by_id(s, n->author, &who, NULL) == SL_OK && who.found;
    if (!ok) {
        return false;
    }
    copy_cut(n->title, sizeof n->title, who.name);
    if (strcmp(n->kind, "message") != 0) {
        return true;
    }
    ok = sl_sv_all(
             s,
             "SELECT \"title\" FROM \"thread\" WHERE \"id\"=$1 AND \"space\"=$2 AND"
             " \"group\"=1",
             SL_SV_ARGS(sl_cell_text(sl_space_id(n->item->space)), sl_cell_text(n->item->space)),
             &rows, NULL) == SL_OK;
    if (ok && rows.count > 0) {
        char both[2 * SL_NOTICE_TEXT];
        (void)snprintf(both, sizeof both, "%s (%.200s)", who.name, sl_sv_text(&rows, 0, 0));
        copy_cut(n->title, sizeof n->title, both);
    }
    sl_sv_rows_free(&rows);
    return ok;
}

static void tell_all(sl_service *s, news *n)
{
    sl_sv_rows rows;
    bool tell = false;
    bool named = false;
    int64_t badge = 0;
    sl_status status = sl_sv_all(
        s,
        "SELECT d.\"id\", d.\"platform\", d.\"push_token\", a.user_id FROM access a JOIN"
        " feed f ON f.space='user:' || a.user_id AND f.entity='device' JOIN \"device\" d"
        " ON d.\"id\"=f.id AND d.\"space\"=f.space JOIN session s ON s.user_id=a.user_id"
        " AND s.device=d.\"id\" WHERE a.space=$1 AND a.user_id<>$2 AND ($3='' OR"
        " a.role=$3) AND d.\"deleted\"=0 AND d.\"push_token\" IS NOT NULL"
        " ORDER BY a.user_id, d.\"id\"",
        SL_SV_ARGS(sl_cell_text(n->to_space), sl_cell_text(n->author), sl_cell_text(n->to_role)),
        &rows, NULL);
    bool ready = status == SL_OK && rows.count > 0 && put_title(s, n);
    for (size_t i = 0; ready && i < rows.count; i++) {
        const char *user = sl_sv_text(&rows, i, 3);
        if (i == 0 || strcmp(user, sl_sv_text(&rows, i - 1, 3)) != 0) {
            tell = may_tell(s, n, user, &named) && count_badge(s, user, n->now_ms, &badge);
        }
        if (tell) {
            tell_device(s, n, &rows, i, named, badge);
        }
    }
    sl_sv_rows_free(&rows);
}

/* False: nobody is told of such a record. */
static bool describe(const sl_sv_item *item, news *n)
{
    const char *body = "";
    n->item = item;
    n->to_space = item->space;
    n->to_role = "";
    if (is(item, "message") && item->fresh && strcmp(text_of(n, "kind"), "notice") != 0) {
        n->kind = "message";
        n->author = text_of(n, "author_id");
        body = text_of(n, "body");
    } else if (is(item, "connection")) {
        const char *state = text_of(n, "status");
        bool in = strcmp(text_of(n, "direction"), "in") == 0;
        n->kind = in == (strcmp(state, "requested") == 0) && strcmp(state, "declined") != 0
                      ? "connection"
                      : NULL; /* asked, or accepted what one asked for */
        n->author = text_of(n, "peer_id");
        body = state;
    } else if ((is(item, "review") || is(item, "comment")) && item->fresh) {
        n->kind = item->entity->name;
        n->to_role = "owner";
        n->author = text_of(n, "author_id");
        body = text_of(n, is(item, "review") ? "title" : "body");
    }
    copy_cut(n->body, sizeof n->body, body);
    return n->kind != NULL;
}

void sl_sv_notify(sl_service *s, const sl_sv_item *item, int64_t now_ms)
{
    news n = {.now_ms = now_ms};
    bool there = item->saved && item->rec.entity != NULL && !item->rec.deleted;
    if (there && describe(item, &n)) {
        tell_all(s, &n);
    }
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
