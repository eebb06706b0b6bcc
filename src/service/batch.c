/*
 * service/batch.c - many messages as one transaction of the database (group commit).
 *
 *   [BATCH-1] what a message causes is sent after the commit that makes it durable, in the order in
 *             which it was caused;
 *   [BATCH-2] what is refused takes back nothing but itself; a transaction that fails, for want of memory
 *             or by the disk, takes the whole with it: there is no savepoint for each;
 *   [BATCH-3] when the whole cannot be committed nothing of it was told, and whoever would have been told,
 *             or said something, is cut off: it comes again with its cursor and its operations.
 *
 * Nothing is held before the first write: a batch that only reads sends at once.
 */
#include "base/mem.h"
#include "service/inside.h"

#include <string.h>

enum {
    HELD_PUSH = -1,             /* the code of a push notification */
    HELD_MAX = 4 * 1024 * 1024, /* bytes to send: then what was done is committed */
    CLOSE_INTERNAL = 1011
};

/* One thing held back, its bytes behind it. */
typedef struct held {
    sl_id conn;
    size_t n;
    int32_t code; /* above 0: the connection is closed, and the bytes are the reason with its NUL;
                   * HELD_PUSH: they are a notification, and there is no connection */
} held;

void sl_sv_tell(sl_service *s, sl_id conn, const void *p, size_t n)
{
    if (!s->batch_begun) {
        s->ports.send(s->ports.user, conn, p, n);
        return;
    }
    held h = {conn, n, 0};
    sl_buf_put(&s->held, &h, sizeof h);
    sl_buf_put(&s->held, p, n);
}

void sl_sv_end(sl_service *s, sl_id conn, int32_t code, const char *reason)
{
    if (!s->batch_begun) {
        s->ports.close(s->ports.user, conn, code, reason);
        return;
    }
    held h = {conn, strlen(reason) + 1, code};
    sl_buf_put(&s->held, &h, sizeof h);
    sl_buf_put(&s->held, reason, h.n);
}

void sl_sv_tell_push(sl_service *s, const char *body)
{
    if (!s->batch_begun) {
        s->ports.push(s->ports.user, body);
        return;
    }
    held h = {0, strlen(body) + 1, HELD_PUSH};
    sl_buf_put(&s->held, &h, sizeof h);
    sl_buf_put(&s->held, body, h.n);
}

/* ---- transactions ---- */

sl_status sl_sv_batch_enter(sl_service *s, sl_error **err)
{
    const sl_db *db = &s->ports.db;
    if (!s->batching) {
        return db->begin(db->user, err);
    }
    sl_status status = s->batch_broken ? SL_E_INTERNAL : SL_OK;
    if (status == SL_OK && !s->batch_begun) {
        status = db->begin(db->user, err);
        s->batch_begun = status == SL_OK;
    }
    return status;
}

static sl_status commit_all(sl_service *s, sl_error **err)
{
    const sl_db *db = &s->ports.db;
    sl_status status = sl_sv_heads_write(s, err);
    if (status == SL_OK) {
        status = db->commit(db->user, err);
    }
    if (status == SL_OK) {
        sl_sv_heads_forget(s);
    }
    return status;
}

static void undo_all(sl_service *s)
{
    const sl_db *db = &s->ports.db;
    db->rollback(db->user);
    sl_sv_heads_forget(s);
    sl_sv_known_forget(s);
}

sl_status sl_sv_batch_leave(sl_service *s, sl_error **err)
{
    return s->batching ? SL_OK : commit_all(s, err);
}

void sl_sv_batch_undo(sl_service *s)
{
    if (s->batching) {
        s->batch_broken = true;
    } else {
        undo_all(s);
    }
}

/* ---- the end ---- */

/* The next of what is held. */
static const uint8_t *take(const sl_service *s, size_t *at, held *h)
{
    if (*at + sizeof *h > s->held.len) {
        return NULL;
    }
    memcpy(h, s->held.data + *at, sizeof *h);
    const uint8_t *p = s->held.data + *at + sizeof *h;
    *at += sizeof *h + h->n;
    return p;
}

static void send_held(sl_service *s)
{
    held h;
    size_t at = 0;
    for (const uint8_t *p = take(s, &at, &h); p != NULL; p = take(s, &at, &h)) {
        if (h.code > 0) {
            s->ports.close(s->ports.user, h.conn, h.code, (const char *)p);
        } else if (h.code == HELD_PUSH) {
            s->ports.push(s->ports.user, (const char *)p);
        } else {
            s->ports.send(s->ports.user, h.conn, p, h.n);
        }
    }
}

static void cut_off(sl_service *s, sl_id conn)
{
    sl_sv_conn *c = sl_sv_conn_find(s, conn);
    if (c != NULL) {
        sl_sv_drop(s, c, CLOSE_INTERNAL, SL_E_INTERNAL, "the server failed; try again");
    }
}

static void give_up(sl_service *s, const sl_ws_event *list, size_t n)
{
    held h;
    size_t at = 0;
    for (const uint8_t *p = take(s, &at, &h); p != NULL; p = take(s, &at, &h)) {
        if (h.code > 0) { /* it was forgotten already */
            s->ports.close(s->ports.user, h.conn, CLOSE_INTERNAL, "the server failed; try again");
        }
        if (h.code != HELD_PUSH) {
            cut_off(s, h.conn);
        }
    }
    for (size_t i = 0; i < n; i++) {
        cut_off(s, list[i].conn);
    }
}

static void commit(sl_service *s, const sl_ws_event *list, size_t n)
{
    if (!s->batch_begun) {
        s->batch_broken = false;
        return;
    }
    if (s->ports.flush != NULL) {
        s->ports.flush(s->ports.user);
    }
    bool ok = !s->batch_broken && !s->held.failed && commit_all(s, NULL) == SL_OK;
    if (!ok) {
        undo_all(s);
    }
    s->batch_begun = false;
    s->batch_broken = false;
    if (ok) {
        send_held(s);
    } else if (s->held.failed) {
        /* Not known who would have been told: all of them. */
        while (s->conn_count > 0) {
            cut_off(s, s->conns[s->conn_count - 1]->id);
        }
    } else {
        give_up(s, list, n);
    }
    sl_buf_clear(&s->held);
}

void sl_service_ws_events(sl_service *s, const sl_ws_event *list, size_t n)
{
    sl_lock(s->lock);
    sl_sv_retain(s);
    s->batching = n > 1;
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        sl_sv_ws_event(s, &list[i]);
        if (s->held.len > HELD_MAX || s->held.failed || s->batch_broken) {
            commit(s, list + from, i + 1 - from);
            from = i + 1;
        }
    }
    commit(s, list + from, n - from);
    s->batching = false;
    if (s->held.cap > HELD_MAX / 4) {
        sl_buf_free(&s->held);
        memset(&s->held, 0, sizeof s->held);
    }
    sl_unlock(s->lock);
}
