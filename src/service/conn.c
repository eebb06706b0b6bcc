/*
 * service/conn.c - the live connections: who they are, what they listen to, when they end.
 *
 * A connection that the service closes is forgotten at once: what the adapter still says about
 * it finds nothing.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "service/inside.h"

#include <string.h>

enum {
    CLOSE_BROKEN = 4400,
    CLOSE_SIGN_IN = 4401,
    CLOSE_REPLACED = 4409,
    CLOSE_INTERNAL = 1011
};

/* Index of the connection, or where it would be. */
static size_t place_of(const sl_service *s, sl_id id)
{
    size_t from = 0;
    size_t to = s->conn_count;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (s->conns[mid]->id < id) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

sl_sv_conn *sl_sv_conn_find(const sl_service *s, sl_id id)
{
    size_t i = place_of(s, id);
    return i < s->conn_count && s->conns[i]->id == id ? s->conns[i] : NULL;
}

static void conn_free(sl_sv_conn *c)
{
    sl_mem_free(c->subs);
    sl_mem_free(c);
}

static void forget(sl_service *s, sl_sv_conn *c)
{
    size_t i = place_of(s, c->id);
    s->conn_count--;
    memmove(&s->conns[i], &s->conns[i + 1], (s->conn_count - i) * sizeof(void *));
    conn_free(c);
}

void sl_sv_conns_free(sl_service *s)
{
    for (size_t i = 0; i < s->conn_count; i++) {
        conn_free(s->conns[i]);
    }
    sl_mem_free(s->conns);
    s->conns = NULL;
    s->conn_count = 0;
}

void sl_sv_send(sl_service *s, const sl_sv_conn *c, const char *text, size_t n)
{
    s->ports.send(s->ports.user, c->id, text, n);
}

void sl_sv_drop(sl_service *s, sl_sv_conn *c, int32_t code, sl_status status, const char *message)
{
    sl_json *frame = sl_json_object();
    bool ok = frame != NULL && sl_json_set_str(frame, "t", "error") &&
              sl_json_set_str(frame, "code", sl_status_name(status)) &&
              sl_json_set_str(frame, "message", message);
    char *text = ok ? sl_json_print(frame) : NULL;
    sl_json_free(frame);
    if (text != NULL) {
        sl_sv_send(s, c, text, strlen(text));
    }
    sl_mem_free(text);
    s->ports.close(s->ports.user, c->id, code, message);
    forget(s, c);
}

void sl_sv_drop_device(sl_service *s, const char *user, const char *device,
                       const sl_sv_conn *except, int32_t code)
{
    for (size_t i = s->conn_count; i-- > 0;) {
        sl_sv_conn *c = s->conns[i];
        if (c == except || !c->ready || strcmp(c->user, user) != 0 ||
            strcmp(c->device, device) != 0) {
            continue;
        }
        if (code == CLOSE_REPLACED) {
            sl_sv_drop(s, c, code, SL_E_CONFLICT, "this device has connected anew");
        } else {
            sl_sv_drop(s, c, code, SL_E_AUTH, "sign in again");
        }
    }
}

/* Connections that never said who they are. */
static void sweep(sl_service *s, int64_t now_ms)
{
    for (size_t i = s->conn_count; i-- > 0;) {
        sl_sv_conn *c = s->conns[i];
        if (!c->ready && now_ms - c->opened_ms > SL_SV_CONNECT_MS) {
            sl_sv_drop(s, c, CLOSE_SIGN_IN, SL_E_AUTH, "the first frame did not come");
        }
    }
}

static sl_sv_conn *conn_add(sl_service *s, sl_id id)
{
    if (s->conn_count == s->conn_cap) {
        size_t cap = s->conn_cap == 0 ? 16 : s->conn_cap * 2;
        sl_sv_conn **grown = sl_mem_resize(s->conns, cap, sizeof(void *));
        if (grown == NULL) {
            return NULL;
        }
        s->conns = grown;
        s->conn_cap = cap;
    }
    sl_sv_conn *c = sl_mem(sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->id = id;
    size_t i = place_of(s, id);
    memmove(&s->conns[i + 1], &s->conns[i], (s->conn_count - i) * sizeof(void *));
    s->conns[i] = c;
    s->conn_count++;
    return c;
}

void sl_service_ws_open(sl_service *s, sl_id conn)
{
    sl_lock(s->lock);
    int64_t now = sl_sv_now(s);
    sweep(s, now);
    if (sl_sv_conn_find(s, conn) == NULL) {
        sl_sv_conn *c = conn_add(s, conn);
        if (c != NULL) {
            c->opened_ms = now;
        } else {
            s->ports.close(s->ports.user, conn, CLOSE_INTERNAL, "out of memory");
        }
    }
    sl_unlock(s->lock);
}

void sl_service_ws_closed(sl_service *s, sl_id conn)
{
    sl_lock(s->lock);
    sl_sv_conn *c = sl_sv_conn_find(s, conn);
    if (c != NULL) {
        forget(s, c);
    }
    sl_unlock(s->lock);
}

typedef struct floor_ctx {
    sl_sv_conn *c;
    int64_t floor;
} floor_ctx;

/* Receipts below the floor are forgotten; the floor never goes back. */
static sl_status keep_floor(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    floor_ctx *f = ctx;
    const sl_sv_conn *c = f->c;
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(tx->s, "SELECT floor FROM device_floor WHERE user_id=$1 AND device=$2",
                  SL_SV_ARGS(sl_cell_text(c->user), sl_cell_text(c->device)), &rows, err);
    int64_t had = status == SL_OK && rows.count > 0 ? sl_sv_int(&rows, 0, 0) : 0;
    bool known = rows.count > 0;
    sl_sv_rows_free(&rows);
    if (status != SL_OK || (known && f->floor <= had)) {
        f->floor = had;
        return status;
    }
    status = sl_sv_run(
        tx->s,
        "INSERT INTO device_floor (user_id, device, floor) VALUES ($1, $2, $3)"
        " ON CONFLICT (user_id, device) DO UPDATE SET floor=excluded.floor",
        SL_SV_ARGS(sl_cell_text(c->user), sl_cell_text(c->device), sl_cell_int(f->floor)), err);
    if (status != SL_OK) {
        return status;
    }
    return sl_sv_run(
        tx->s, "DELETE FROM receipt WHERE user_id=$1 AND device=$2 AND n<$3",
        SL_SV_ARGS(sl_cell_text(c->user), sl_cell_text(c->device), sl_cell_int(f->floor)), err);
}

static void greet(sl_service *s, const sl_sv_conn *c)
{
    char *text = sl_text_fmt("{\"t\":\"connected\",\"user\":\"%s\",\"now\":%lld}", c->user,
                             (long long)sl_sv_now(s));
    if (text != NULL) {
        sl_sv_send(s, c, text, strlen(text));
    }
    sl_mem_free(text);
}

static void on_connect(sl_service *s, sl_sv_conn *c, const sl_json *frame)
{
    const char *token = sl_json_str(frame, "token");
    const char *device = sl_json_str(frame, "device");
    if (sl_json_int_or(frame, "v", 0) != 1 || token == NULL) {
        sl_sv_drop(s, c, CLOSE_BROKEN, SL_E_INVALID, "connect needs v 1 and a token");
        return;
    }
    sl_sv_who who;
    if (sl_sv_token_check(s, token, &who, NULL) != SL_OK || device == NULL ||
        strcmp(device, who.device) != 0) {
        sl_sv_drop(s, c, CLOSE_SIGN_IN, SL_E_AUTH, "sign in again");
        return;
    }
    memcpy(c->user, who.user, sizeof c->user);
    memcpy(c->device, who.device, sizeof c->device);
    memcpy(c->session, who.session, sizeof c->session);
    c->exp_s = who.exp_s;
    floor_ctx floor = {c, sl_json_int_or(frame, "floor", 0)};
    if (sl_sv_change(s, keep_floor, &floor, NULL) != SL_OK) {
        sl_sv_drop(s, c, CLOSE_INTERNAL, SL_E_INTERNAL, "the server failed; try again");
        return;
    }
    c->floor = floor.floor;
    sl_sv_drop_device(s, c->user, c->device, c, CLOSE_REPLACED);
    c->ready = true;
    greet(s, c);
}

static void on_frame(sl_service *s, sl_sv_conn *c, const sl_json *frame)
{
    const char *t = sl_json_str(frame, "t");
    if (t == NULL) {
        sl_sv_drop(s, c, CLOSE_BROKEN, SL_E_INVALID, "a frame is a JSON object with a kind");
    } else if (!c->ready && strcmp(t, "connect") != 0) {
        sl_sv_drop(s, c, CLOSE_SIGN_IN, SL_E_AUTH, "connect comes first");
    } else if (!c->ready) {
        on_connect(s, c, frame);
    } else if (c->exp_s <= sl_sv_now(s) / 1000) {
        sl_sv_drop(s, c, CLOSE_SIGN_IN, SL_E_AUTH, "the token has expired");
    } else if (strcmp(t, "op") == 0) {
        sl_sv_on_op(s, c, frame);
    } else if (strcmp(t, "subscribe") == 0) {
        sl_sv_on_subscribe(s, c, frame);
    } else if (strcmp(t, "unsubscribe") == 0) {
        sl_sv_on_unsubscribe(c, frame);
    } else if (strcmp(t, "typing") == 0) {
        sl_sv_on_typing(s, c, frame);
    } else {
        sl_sv_drop(s, c, CLOSE_BROKEN, SL_E_INVALID, "unknown kind of frame");
    }
}

void sl_service_ws_message(sl_service *s, sl_id conn, const char *text, size_t n)
{
    sl_lock(s->lock);
    sweep(s, sl_sv_now(s));
    sl_sv_conn *c = sl_sv_conn_find(s, conn);
    if (c != NULL && n > SL_SV_FRAME_MAX) {
        sl_sv_drop(s, c, CLOSE_BROKEN, SL_E_LIMIT, "a frame may have 1 MiB");
    } else if (c != NULL) {
        sl_json *frame = sl_json_parse(text, n);
        on_frame(s, c, frame);
        sl_json_free(frame);
    }
    sl_unlock(s->lock);
}
