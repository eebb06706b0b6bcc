/*
 * service/conn.c - the live connections: who they are, what they listen to, when they end.
 *
 * A connection that the service closes is forgotten at once: what the adapter still says about
 * it finds nothing.
 */
#include "base/error.h"
#include "base/mem.h"
#include "service/inside.h"
#include "sync/zip.h"

#include <string.h>

enum {
    CLOSE_BROKEN = 4400,
    CLOSE_SIGN_IN = 4401,
    CLOSE_FACTOR = 4403,
    CLOSE_REPLACED = 4409,
    CLOSE_LIMITED = 4429,
    CLOSE_INTERNAL = 1011,
    SWEEP_MS = 1000,
    CROWDED_S = 60 /* until a place may be free */
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

/* Where the list begins of those that may be of this device, or user. */
static sl_sv_conn **by_id(sl_sv_conn *lists[SL_SV_DEVICES], const char *id)
{
    uint32_t h = 2166136261U; /* FNV-1a */
    for (; *id != 0; id++) {
        h = (h ^ (uint8_t)*id) * 16777619U;
    }
    return &lists[h % SL_SV_DEVICES];
}

static sl_sv_conn **by_device(sl_service *s, const char *device)
{
    return by_id(s->by_device, device);
}

static void note_ready(sl_service *s, sl_sv_conn *c)
{
    sl_sv_conn **device = by_device(s, c->device);
    sl_sv_conn **user = by_id(s->by_user, c->user);
    c->next_device = *device;
    *device = c;
    c->next_user = *user;
    *user = c;
}

static void forget_ready(sl_service *s, const sl_sv_conn *c)
{
    for (sl_sv_conn **at = by_device(s, c->device); *at != NULL; at = &(*at)->next_device) {
        if (*at == c) {
            *at = c->next_device;
            break;
        }
    }
    for (sl_sv_conn **at = by_id(s->by_user, c->user); *at != NULL; at = &(*at)->next_user) {
        if (*at == c) {
            *at = c->next_user;
            break;
        }
    }
}

/* The user has as many connections as one may, this device's not counted: it replaces its own. */
static bool has_many(sl_service *s, const sl_sv_who *who)
{
    int32_t n = 0;
    for (const sl_sv_conn *c = *by_id(s->by_user, who->user); c != NULL; c = c->next_user) {
        n += strcmp(c->user, who->user) == 0 && strcmp(c->device, who->device) != 0 ? 1 : 0;
    }
    return s->user_conns > 0 && n >= s->user_conns;
}

static void conn_free(sl_sv_conn *c)
{
    while (c->sub_count > 0) {
        sl_sv_sub_remove(c->subs[c->sub_count - 1]);
    }
    sl_mem_free(c->subs);
    sl_wire_free(&c->wire);
    sl_mem_free(c);
}

static void forget(sl_service *s, sl_sv_conn *c)
{
    size_t i = place_of(s, c->id);
    s->conn_count--;
    memmove(&s->conns[i], &s->conns[i + 1], (s->conn_count - i) * sizeof(void *));
    forget_ready(s, c);
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

static void drop(sl_service *s, sl_sv_conn *c, int32_t code, const sl_frame *f)
{
    (void)sl_sv_send(s, c, f, NULL);
    sl_sv_end(s, c->id, code, f->message);
    forget(s, c);
}

void sl_sv_drop(sl_service *s, sl_sv_conn *c, int32_t code, sl_status status, const char *message)
{
    sl_frame f = {.kind = SL_FRAME_ERROR, .code = sl_status_name(status), .message = message};
    drop(s, c, code, &f);
}

void sl_sv_drop_limited(sl_service *s, sl_sv_conn *c, int64_t wait_s, const char *message)
{
    sl_frame f = {.kind = SL_FRAME_ERROR,
                  .code = sl_status_name(SL_E_LIMIT),
                  .message = message,
                  .retry_s = wait_s};
    sl_sv_audit_note(s, c->user, "ws.limited", "-", "4429");
    drop(s, c, CLOSE_LIMITED, &f);
}

void sl_sv_drop_device(sl_service *s, const char *user, const char *device,
                       const sl_sv_conn *except, int32_t code)
{
    sl_sv_conn *next = NULL;
    for (sl_sv_conn *c = *by_device(s, device); c != NULL; c = next) {
        next = c->next_device;
        if (c == except || strcmp(c->user, user) != 0 || strcmp(c->device, device) != 0) {
            continue;
        }
        if (code == CLOSE_REPLACED) {
            sl_sv_drop(s, c, code, SL_E_CONFLICT, "this device has connected anew");
        } else {
            sl_sv_drop(s, c, code, SL_E_AUTH, "sign in again");
        }
    }
}

void sl_sv_top_unknown(sl_service *s, const char *user, const char *device)
{
    for (sl_sv_conn *c = *by_device(s, device); c != NULL; c = c->next_device) {
        if (strcmp(c->user, user) == 0 && strcmp(c->device, device) == 0) {
            c->top = -1;
        }
    }
}

void sl_sv_drop_user(sl_service *s, const char *user)
{
    for (size_t i = s->conn_count; i-- > 0;) {
        sl_sv_conn *c = s->conns[i];
        if (c->ready && strcmp(c->user, user) == 0) {
            sl_sv_drop(s, c, CLOSE_SIGN_IN, SL_E_AUTH, "sign in again");
        }
    }
}

/* Connections that never said who they are. */
static void sweep(sl_service *s, int64_t now_ms)
{
    if (now_ms - s->swept_ms < SWEEP_MS && now_ms >= s->swept_ms) {
        return;
    }
    s->swept_ms = now_ms;
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

static void on_open(sl_service *s, sl_id conn, bool binary)
{
    int64_t now = sl_sv_now(s);
    sweep(s, now);
    if (sl_sv_conn_find(s, conn) == NULL) {
        sl_sv_conn *c = conn_add(s, conn);
        if (c != NULL) {
            c->opened_ms = now;
            c->wire.server = true;
            c->wire.binary = binary;
        } else {
            sl_sv_end(s, conn, CLOSE_INTERNAL, "out of memory");
        }
    }
}

/* Receipts below the floor are forgotten; the floor never goes back. */
static sl_status keep_floor(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    sl_sv_from *f = ctx;
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(tx->s, "SELECT floor FROM device_floor WHERE user_id=$1 AND device=$2",
                  SL_SV_ARGS(sl_cell_text(f->user), sl_cell_text(f->device)), &rows, err);
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
        SL_SV_ARGS(sl_cell_text(f->user), sl_cell_text(f->device), sl_cell_int(f->floor)), err);
    if (status == SL_OK) {
        status = sl_sv_receipts_sort(tx->s, err);
    }
    if (status != SL_OK) {
        return status;
    }
    return sl_sv_run(
        tx->s, "DELETE FROM receipt WHERE user_id=$1 AND device=$2 AND n<$3",
        SL_SV_ARGS(sl_cell_text(f->user), sl_cell_text(f->device), sl_cell_int(f->floor)), err);
}

sl_status sl_sv_keep_floor(sl_service *s, sl_sv_from *from)
{
    return sl_sv_change(s, keep_floor, from, NULL);
}

static bool same_device(const sl_sv_who *who, const char *device)
{
    return device != NULL && strcmp(device, who->device) == 0;
}

static void on_connect(sl_service *s, sl_sv_conn *c, const sl_frame *frame)
{
    if (frame->version != 1 || frame->token == NULL) {
        sl_sv_drop(s, c, CLOSE_BROKEN, SL_E_INVALID, "connect needs v 1 and a token");
        return;
    }
    sl_sv_who who;
    if (sl_sv_token_check(s, frame->token, &who, NULL) != SL_OK ||
        !same_device(&who, frame->device)) {
        sl_sv_audit_note(s, "-", "ws.connect", "-", "4401");
        sl_sv_drop(s, c, CLOSE_SIGN_IN, SL_E_AUTH, "sign in again");
        return;
    }
    if (who.factor_due) {
        sl_sv_audit_note(s, who.user, "ws.connect", "-", "4403");
        sl_sv_drop(s, c, CLOSE_FACTOR, SL_E_DENIED, "the second factor is missing");
        return;
    }
    memcpy(c->user, who.user, sizeof c->user);
    memcpy(c->device, who.device, sizeof c->device);
    if (has_many(s, &who)) {
        sl_sv_drop_limited(s, c, CROWDED_S, "too many devices of this account are connected");
        return;
    }
    memcpy(c->session, who.session, sizeof c->session);
    c->rank = who.rank;
    c->exp_s = who.exp_s;
    sl_sv_from from = {.floor = frame->floor};
    memcpy(from.user, who.user, sizeof from.user);
    memcpy(from.device, who.device, sizeof from.device);
    if (sl_sv_keep_floor(s, &from) != SL_OK) {
        sl_sv_drop(s, c, CLOSE_INTERNAL, SL_E_INTERNAL, "the server failed; try again");
        return;
    }
    c->floor = from.floor;
    c->top = -1;
    sl_sv_drop_device(s, c->user, c->device, c, CLOSE_REPLACED);
    c->ready = true;
    note_ready(s, c);
    c->wire.zip = frame->zip && sl_zip_have();
    sl_frame hello = {
        .kind = SL_FRAME_CONNECTED, .user = c->user, .now_ms = sl_sv_now(s), .zip = sl_zip_have()};
    (void)sl_sv_send(s, c, &hello, NULL);
}

/* By user: each frame, and each operation that is pushed. */
static bool within_rates(sl_service *s, const sl_sv_conn *c, const sl_frame *frame, int64_t *wait_s)
{
    if (s->buckets == NULL) {
        return true;
    }
    sl_sv_allowance a = sl_sv_bucket_take(s->buckets, SL_RATE_FRAMES, c->user, 1, sl_sv_now(s));
    s->counts.limited += a.ok ? 0 : 1;
    *wait_s = a.wait_s;
    return a.ok &&
           (frame->kind != SL_FRAME_PUSH || sl_sv_may_push(s, c->user, frame->count, wait_s));
}

static void on_frame(sl_service *s, sl_sv_conn *c, const sl_frame *frame)
{
    int64_t wait_s = 0;
    if (!within_rates(s, c, frame, &wait_s)) {
        sl_sv_drop_limited(s, c, wait_s, "too much at once; come again later");
        return;
    }
    switch (frame->kind) {
    case SL_FRAME_PUSH: sl_sv_on_push(s, c); break;
    case SL_FRAME_SUBSCRIBE: sl_sv_on_subscribe(s, c, frame); break;
    case SL_FRAME_UNSUBSCRIBE: sl_sv_unsubscribe(c, frame->space); break;
    case SL_FRAME_MORE: sl_sv_on_more(s, c, frame); break;
    case SL_FRAME_PREFER: sl_sv_on_prefer(c, frame); break;
    case SL_FRAME_TYPING:
    case SL_FRAME_SIGNAL: sl_sv_on_signal(s, c, frame); break;
    case SL_FRAME_LOAD: sl_sv_on_load(s, c, frame); break;
    case SL_FRAME_CHECK: sl_sv_on_check(s, c, frame); break;
    case SL_FRAME_CONNECT:
    case SL_FRAME_NONE:
    case SL_FRAME_CONNECTED:
    case SL_FRAME_PAGE:
    case SL_FRAME_SUBSCRIBED:
    case SL_FRAME_CHANGE:
    case SL_FRAME_RECEIPTS:
    case SL_FRAME_RESET:
    case SL_FRAME_REVOKED:
    case SL_FRAME_ERROR:
    case SL_FRAME_LOADED:
    case SL_FRAME_CHECKED:
        sl_sv_drop(s, c, CLOSE_BROKEN, SL_E_INVALID, "unknown kind of frame");
        break;
    }
}

static void on_message(sl_service *s, sl_sv_conn *c, const void *p, size_t n)
{
    sl_frame frame;
    sl_status status =
        n > SL_SV_FRAME_MAX ? SL_E_LIMIT : sl_frame_read(s->in, &c->wire, p, n, &frame, NULL);
    if (status == SL_E_LIMIT && n > SL_SV_FRAME_MAX) {
        sl_sv_drop(s, c, CLOSE_BROKEN, SL_E_LIMIT, "a frame may have 1 MiB");
    } else if (status == SL_E_NOMEM) {
        sl_sv_drop(s, c, CLOSE_INTERNAL, SL_E_INTERNAL, "the server failed; try again");
    } else if (status != SL_OK) {
        sl_sv_drop(s, c, CLOSE_BROKEN, SL_E_INVALID, "not a frame of this protocol");
    } else if (!c->ready && frame.kind != SL_FRAME_CONNECT) {
        sl_sv_drop(s, c, CLOSE_SIGN_IN, SL_E_AUTH, "connect comes first");
    } else if (!c->ready) {
        on_connect(s, c, &frame);
    } else if (c->exp_s <= sl_sv_now(s) / 1000) {
        sl_sv_drop(s, c, CLOSE_SIGN_IN, SL_E_AUTH, "the token has expired");
    } else {
        on_frame(s, c, &frame);
    }
}

void sl_sv_ws_event(sl_service *s, const sl_ws_event *e)
{
    sl_sv_conn *c = sl_sv_conn_find(s, e->conn);
    switch (e->what) {
    case SL_WS_OPENED: on_open(s, e->conn, e->binary); break;
    case SL_WS_SAID:
        sweep(s, sl_sv_now(s));
        c = sl_sv_conn_find(s, e->conn);
        if (c != NULL) {
            on_message(s, c, e->p, e->n);
        }
        break;
    case SL_WS_LEFT:
        if (c != NULL) {
            forget(s, c);
        }
        break;
    }
}

void sl_service_ws_open(sl_service *s, sl_id conn, bool binary)
{
    sl_ws_event e = {.conn = conn, .what = SL_WS_OPENED, .binary = binary};
    sl_service_ws_events(s, &e, 1);
}

void sl_service_ws_message(sl_service *s, sl_id conn, const void *p, size_t n)
{
    sl_ws_event e = {.conn = conn, .what = SL_WS_SAID, .p = p, .n = n};
    sl_service_ws_events(s, &e, 1);
}

void sl_service_ws_closed(sl_service *s, sl_id conn)
{
    sl_ws_event e = {.conn = conn, .what = SL_WS_LEFT};
    sl_service_ws_events(s, &e, 1);
}
