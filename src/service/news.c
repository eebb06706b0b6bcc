/*
 * service/news.c - what people are told of, and what is kept of it: a `notification` in the user's own space,
 * made in the transaction of the record that it speaks of.
 *
 *   [NEWS-1] a request to connect, an accepted one and an invitation are told to whom they are for; a video that is shared to
 *            whom it is shared with; a review to the owner of the video; a comment to the owner and to those
 *            who have reviewed or commented on it; never to who caused it, nor to who blocked them;
 *   [NEWS-2] messages are kept in their thread, which counts what is unread: a second list of them would be
 *            two places to read each. They are told by pushes alone (notify.c);
 *   [NEWS-3] a notification has the id of the record that it speaks of, and goes with it: what was taken back is
 *            no news, and of an account that is erased nothing is left with others;
 *   [NEWS-4] nobody's words are copied: they are read where they stand, as they are now, as long as one may.
 *            Whoever loses a space loses what was told of it too;
 *   [NEWS-5] of a user the newest 500 are kept.
 *
 * What is kept is the author's name: the sentence is the app's, in the language of its screen.
 */
#include "service/news.h"

#include "base/error.h"

#include <string.h>

void sl_sv_copy_cut(char *to, size_t room, const char *from)
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

static bool is(const sl_sv_item *item, const char *entity)
{
    return strcmp(item->entity->name, entity) == 0;
}

static const char *text_of(const sl_sv_item *item, const char *field)
{
    const char *text = sl_record_text(&item->rec, field);
    return text != NULL ? text : "";
}

/* ---- what is told ---- */

static bool of_connection(const sl_sv_item *item, bool fresh, sl_sv_news *n)
{
    bool in = strcmp(text_of(item, "direction"), "in") == 0;
    bool asked = in && fresh && strcmp(text_of(item, "status"), "requested") == 0;
    bool accepted = !in && strcmp(text_of(item, "status"), "accepted") == 0;
    n->kind = "connection";
    n->event = asked ? SL_SV_ASKED : SL_SV_ACCEPTED;
    sl_sv_copy(n->author, sizeof n->author, text_of(item, "peer_id"));
    return asked || accepted;
}

static bool of_membership(const sl_sv_item *item, bool fresh, sl_sv_news *n)
{
    n->kind = "connection";
    n->event = SL_SV_INVITED;
    sl_sv_copy(n->author, sizeof n->author, text_of(item, "by_id"));
    return fresh && n->author[0] != 0;
}

static bool of_message(const sl_sv_item *item, sl_sv_news *n)
{
    n->kind = "message";
    n->event = SL_SV_SAID;
    sl_sv_copy(n->author, sizeof n->author, text_of(item, "author_id"));
    n->text = text_of(item, "body");
    return strcmp(text_of(item, "kind"), "notice") != 0;
}

/* What is said of a video, or that it was shared. */
static bool of_video(const sl_sv_item *item, sl_sv_news *n)
{
    bool said = is(item, "review") || is(item, "comment");
    if (said) {
        sl_sv_copy(n->author, sizeof n->author, text_of(item, "author_id"));
    }
    if (is(item, "review")) {
        n->event = SL_SV_REVIEWED;
        n->kind = "review";
        n->text = text_of(item, "title");
        n->to = "owner";
    } else if (is(item, "comment")) {
        n->event = SL_SV_COMMENTED;
        n->kind = "comment";
        n->text = text_of(item, "body");
        n->to = "part";
    } else if (is(item, "share")) {
        n->event = SL_SV_SHARED;
        n->kind = "review"; /* it is sent for one */
        n->ref_id = sl_space_id(item->space);
        sl_space_name(n->to_space, "user", text_of(item, "user_id"));
    } else {
        return false;
    }
    return true;
}

bool sl_sv_news_of(const sl_sv_item *item, int64_t now_ms, sl_sv_news *out)
{
    bool fresh = item->fresh || item->had == 0;
    *out = (sl_sv_news){.item = item,
                        .to = "",
                        .ref_space = item->space,
                        .ref_id = item->id,
                        .text = "",
                        .now_ms = now_ms};
    if (item->rec.entity == NULL || item->rec.deleted) {
        return false;
    }
    memcpy(out->to_space, item->space, sizeof out->to_space);
    if (is(item, "connection")) {
        return of_connection(item, fresh, out);
    }
    if (is(item, "membership")) {
        return of_membership(item, fresh, out);
    }
    return fresh && (is(item, "message") ? of_message(item, out) : of_video(item, out));
}

/* ---- whom ---- */

/* Only the owner shares. */
static sl_status find_author(sl_service *s, sl_sv_news *n, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(s, "SELECT user_id FROM access WHERE space=$1 AND role='owner' ORDER BY user_id",
                  SL_SV_ARGS(sl_cell_text(n->ref_space)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        sl_sv_copy(n->author, sizeof n->author, sl_sv_text(&rows, 0, 0));
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_news_to(sl_service *s, sl_sv_news *n, sl_sv_rows *rows, sl_error **err)
{
    memset(rows, 0, sizeof *rows);
    sl_status status = n->author[0] == 0 ? find_author(s, n, err) : SL_OK;
    return status != SL_OK
               ? status
               : sl_sv_all(s,
                           "SELECT a.user_id FROM access a WHERE a.space=$1 AND a.user_id<>$2 AND"
                           " ($3='' OR a.role='owner' OR ($3='part' AND (EXISTS (SELECT 1 FROM feed"
                           " f JOIN \"comment\" c ON c.\"id\"=f.id AND c.\"space\"=f.space WHERE"
                           " f.space=$1 AND f.listed='comment' AND c.\"author_id\"=a.user_id AND"
                           " c.\"deleted\"=0) OR EXISTS (SELECT 1 FROM feed f JOIN \"review\" r ON"
                           " r.\"id\"=f.id AND r.\"space\"=f.space WHERE f.space=$1 AND"
                           " f.listed='review' AND r.\"author_id\"=a.user_id AND"
                           " r.\"deleted\"=0)))) ORDER BY a.user_id",
                           SL_SV_ARGS(sl_cell_text(n->to_space), sl_cell_text(n->author),
                                      sl_cell_text(n->to)),
                           rows, err);
}

/* Of several settings the one with the greatest id holds. */
sl_status sl_sv_news_wanted(sl_service *s, const sl_sv_news *n, const char *user, bool push,
                            bool *yes, sl_error **err)
{
    sl_sv_space own;
    sl_sv_rows rows;
    bool blocked = true;
    sl_space_name(own, "user", user);
    sl_status status = sl_sv_all(
        s,
        "SELECT CASE WHEN t.\"push\"=0 THEN 1 ELSE 0 END, CASE WHEN t.\"in_app\"=0 THEN 1 ELSE 0"
        " END FROM feed f JOIN \"notification_setting\" t ON t.\"id\"=f.id AND"
        " t.\"space\"=f.space WHERE f.space=$1 AND f.listed='notification_setting' AND"
        " t.\"topic\"=$2 AND t.\"deleted\"=0 ORDER BY f.id DESC LIMIT 1",
        SL_SV_ARGS(sl_cell_text(own), sl_cell_text(n->kind)), &rows, err);
    bool off = status == SL_OK && rows.count > 0 && sl_sv_int(&rows, 0, push ? 0 : 1) != 0;
    sl_sv_rows_free(&rows);
    if (status == SL_OK && !off) {
        status = sl_sv_has_blocked(s, user, n->author, &blocked, err);
    }
    *yes = status == SL_OK && !off && !blocked;
    return status;
}

sl_status sl_sv_news_text(sl_service *s, const sl_sv_news *n, char out[SL_SV_NEWS_TEXT + 1],
                          sl_error **err)
{
    sl_record video = {0};
    sl_status status = SL_OK;
    const char *text = n->text;
    if (n->event == SL_SV_SHARED) {
        status = sl_sv_load(s, sl_entity_find("video"), n->ref_space, n->ref_id, &video, err);
        const char *title =
            video.entity != NULL && !video.deleted ? sl_record_text(&video, "title") : NULL;
        text = title != NULL ? title : "";
    }
    sl_sv_copy_cut(out, SL_SV_NEWS_TEXT + 1, text);
    sl_record_free(&video);
    return status;
}

/* ---- what is kept ---- */

static sl_status fill(sl_sv_item *item, const sl_sv_news *n, const char *who, sl_error **err)
{
    sl_status status = sl_sv_set(item, "kind", n->kind, err);
    if (status == SL_OK) {
        status = sl_sv_set(item, "title", who, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(item, "ref_space", n->ref_space, err);
    }
    if (status == SL_OK) {
        status = sl_sv_set(item, "ref_id", n->ref_id, err);
    }
    return status == SL_OK ? sl_sv_set_int(item, "sent_ms", n->now_ms, err) : status;
}

/* Room for those of this transaction: the oldest go. */
static sl_status make_room(sl_sv_tx *tx, const char *own, int64_t coming, sl_error **err)
{
    const sl_entity *e = sl_entity_find("notification");
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(tx->s,
                  "SELECT \"id\" FROM \"notification\" WHERE \"space\"=$1 AND \"deleted\"=0"
                  " ORDER BY \"sent_ms\" DESC, \"id\" DESC LIMIT 2000 OFFSET $2",
                  SL_SV_ARGS(sl_cell_text(own),
                             sl_cell_int(coming < SL_SV_NEWS_KEPT ? SL_SV_NEWS_KEPT - coming : 0)),
                  &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_sv_item *old = NULL;
        status = sl_sv_get(tx, e, own, sl_sv_text(&rows, i, 0), &old, err);
        status = status == SL_OK ? sl_sv_bury(old, err) : status;
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status keep_for(sl_sv_tx *tx, const sl_sv_news *n, const char *user, const char *who,
                          sl_error **err)
{
    sl_sv_space own;
    sl_sv_item *item = NULL;
    bool wanted = false;
    const sl_entity *e = sl_entity_find("notification");
    sl_space_name(own, "user", user);
    sl_status status = sl_sv_news_wanted(tx->s, n, user, false, &wanted, err);
    if (status != SL_OK || !wanted) {
        return status;
    }
    status = sl_sv_get(tx, e, own, n->item->id, &item, err);
    if (status != SL_OK || item->rec.entity != NULL) {
        return status; /* told already */
    }
    status = sl_sv_new(tx, e->name, own, n->item->id, &item, err);
    return status == SL_OK ? fill(item, n, who, err) : status;
}

static sl_status keep(sl_sv_tx *tx, sl_sv_news *n, sl_error **err)
{
    sl_sv_rows rows;
    sl_sv_person who = {0};
    char name[201]; /* what a title holds */
    sl_status status = sl_sv_news_to(tx->s, n, &rows, err);
    if (status == SL_OK && rows.count > 0) {
        status = sl_sv_person_by_id(tx->s, n->author, &who, err);
    }
    sl_sv_copy_cut(name, sizeof name, who.name);
    for (size_t i = 0; status == SL_OK && who.found && i < rows.count; i++) {
        status = keep_for(tx, n, sl_sv_text(&rows, i, 0), name, err);
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* What was told of a record that is gone. */
static sl_status withdraw(sl_sv_tx *tx, const sl_sv_item *item, sl_error **err)
{
    const sl_entity *e = sl_entity_find("notification");
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(tx->s, "SELECT \"space\" FROM \"notification\" WHERE \"id\"=$1 AND \"deleted\"=0",
                  SL_SV_ARGS(sl_cell_text(item->id)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_sv_item *told = NULL;
        status = sl_sv_get(tx, e, sl_sv_text(&rows, i, 0), item->id, &told, err);
        status = status == SL_OK ? sl_sv_bury(told, err) : status;
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* What a user was told of a space that they may no longer hold. */
static sl_status forget_space(sl_sv_tx *tx, const sl_sv_loss *loss, sl_error **err)
{
    const sl_entity *e = sl_entity_find("notification");
    sl_sv_space own;
    sl_sv_rows rows;
    sl_space_name(own, "user", loss->user);
    sl_status status =
        sl_sv_all(tx->s,
                  "SELECT \"id\" FROM \"notification\" WHERE \"space\"=$1 AND \"deleted\"=0 AND"
                  " \"ref_space\"=$2",
                  SL_SV_ARGS(sl_cell_text(own), sl_cell_text(loss->space)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_sv_item *told = NULL;
        status = sl_sv_get(tx, e, own, sl_sv_text(&rows, i, 0), &told, err);
        status = status == SL_OK ? sl_sv_bury(told, err) : status;
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* Messages are not kept, and most transactions are of them. */
static bool may_be_kept(const sl_sv_item *item)
{
    static const char *const names[] = {"connection", "membership", "share", "review", "comment"};
    bool may = false;
    for (size_t i = 0; item->dirty && i < sizeof names / sizeof names[0]; i++) {
        may = may || is(item, names[i]);
    }
    return may;
}

/* Of the user's own space; *first: no notification before this one is of it. */
static int64_t coming_to(const sl_sv_tx *tx, size_t which, bool *first)
{
    const sl_sv_item *item = tx->items[which];
    int64_t n = 0;
    *first = true;
    for (size_t i = 0; i < tx->item_count; i++) {
        const sl_sv_item *other = tx->items[i];
        if (other->dirty && other->had == 0 && other->entity == item->entity &&
            strcmp(other->space, item->space) == 0) {
            *first = *first && i >= which;
            n++;
        }
    }
    return n;
}

sl_status sl_sv_news_keep(sl_sv_tx *tx, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < tx->loss_count; i++) {
        status = forget_space(tx, &tx->losses[i], err);
    }
    size_t before = tx->item_count;
    for (size_t i = 0; status == SL_OK && i < before; i++) {
        const sl_sv_item *item = tx->items[i];
        sl_sv_news n;
        if (may_be_kept(item)) {
            status = item->rec.deleted && item->had > 0    ? withdraw(tx, item, err)
                     : sl_sv_news_of(item, tx->now_ms, &n) ? keep(tx, &n, err)
                                                           : SL_OK;
        }
    }
    size_t after = tx->item_count;
    for (size_t i = before; status == SL_OK && i < after; i++) {
        const sl_sv_item *item = tx->items[i];
        bool first = false;
        if (item->dirty && item->had == 0 && is(item, "notification")) {
            int64_t n = coming_to(tx, i, &first);
            status = first ? make_room(tx, item->space, n, err) : SL_OK;
        }
    }
    return status;
}
