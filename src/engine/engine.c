#include "engine/chat.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

enum {
    BODY_MAX = 1024 * 1024, /* of an answer that is read as a whole */
    IDS_COUNTED = 1 << 20,  /* between two random beginnings */
    SOFT_MS = 1000 /* that first reads may wait for the disk, for others to share the sync */
};

int64_t sl_engine_mono(const sl_core *core)
{
    return core->platform.clock->mono_ms(core->platform.user);
}

int64_t sl_engine_wall(const sl_core *core)
{
    return core->platform.clock->wall_ms(core->platform.user);
}

int32_t sl_engine_day_minute(const sl_core *core)
{
    const sl_clock_ops *clock = core->platform.clock;
    int64_t now_ms = sl_engine_wall(core);
    size_t needed = offsetof(sl_clock_ops, day_minute) + sizeof clock->day_minute;
    if (clock->struct_size >= needed && clock->day_minute != NULL) {
        return clock->day_minute(core->platform.user, now_ms);
    }
    return (int32_t)(now_ms / 60000 % 1440);
}

int64_t sl_engine_server_ms(const sl_core *core)
{
    return core->server_known ? sl_engine_mono(core) + core->server_ahead_ms : sl_engine_wall(core);
}

/* Ids of one start count up behind a random beginning: neighbours on disk and, as differences, a
 * byte or two on the wire (RFC 9562, 6.2). */
sl_status sl_engine_uuid(sl_core *core, char out[SL_UUID_LEN + 1], sl_error **err)
{
    uint8_t *tail = core->id_tail;
    if (core->id_left == 0) {
        if (core->platform.random->fill(core->platform.user, tail, sizeof core->id_tail) != SL_OK) {
            return sl_fail(err, SL_E_IO, "the system gives no random numbers");
        }
        core->id_left = IDS_COUNTED;
    }
    core->id_left--;
    size_t i = sizeof core->id_tail - 1;
    while (++tail[i] == 0 && i > 2) {
        i--;
    }
    sl_uuid7(out, sl_engine_wall(core), tail);
    return SL_OK;
}

sl_status sl_engine_keep_clock(sl_core *core, sl_error **err)
{
    char clock[SL_HLC_LEN + 1];
    sl_hlc_print(clock, core->clock);
    if (SL_PLANTED("clock-not-kept")) {
        return SL_OK;
    }
    return sl_store_set_meta(core->store, "clock", clock, err);
}

void sl_engine_kick(sl_core *core)
{
    sl_lock(core->inbox.lock);
    core->inbox.kick = true;
    sl_signal(core->inbox.lock);
    sl_unlock(core->inbox.lock);
}

static void mail_free(sl_mail *m)
{
    sl_mem_free(m->data);
    sl_mem_free(m);
}

/* Called locked. */
static void enqueue(sl_inbox *inbox, sl_mail *m)
{
    m->next = NULL;
    if (inbox->last != NULL) {
        inbox->last->next = m;
    } else {
        inbox->first = m;
    }
    inbox->last = m;
    sl_signal(inbox->lock);
}

/* Called locked. The place in the list, which holds NULL when there is no such end. */
static sl_mail **end_of(sl_inbox *inbox, sl_id id)
{
    sl_mail **at = &inbox->ends;
    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    return at;
}

bool sl_engine_expect(sl_core *core, sl_id id)
{
    sl_mail *m = sl_mem(sizeof *m);
    if (m != NULL) {
        m->id = id;
        sl_lock(core->inbox.lock);
        m->next = core->inbox.ends;
        core->inbox.ends = m;
        sl_unlock(core->inbox.lock);
    }
    return m != NULL;
}

void sl_engine_expect_no_more(sl_core *core, sl_id id)
{
    sl_lock(core->inbox.lock);
    sl_mail **at = end_of(&core->inbox, id);
    sl_mail *m = *at;
    if (m != NULL) {
        *at = m->next;
        sl_mem_free(m);
    }
    sl_unlock(core->inbox.lock);
}

static void post_end(sl_core *core, sl_news_port kind, sl_id id, int32_t number)
{
    sl_lock(core->inbox.lock);
    sl_mail **at = end_of(&core->inbox, id);
    sl_mail *m = *at;
    if (m != NULL) {
        *at = m->next;
        m->kind = kind;
        m->number = m->number != SL_OK ? m->number : number;
        enqueue(&core->inbox, m);
    }
    sl_unlock(core->inbox.lock);
}

/* What follows would make no sense: a request fails, a socket is closed by the next turn. */
static void post_lost(sl_core *core, sl_news_port kind, sl_id id)
{
    sl_lock(core->inbox.lock);
    sl_mail *end = *end_of(&core->inbox, id);
    if (end != NULL && (kind == SL_PORT_HTTP_HEAD || kind == SL_PORT_HTTP_DATA)) {
        end->number = SL_E_NOMEM;
    } else if (end != NULL) {
        core->inbox.lost = id;
        core->inbox.kick = true;
        sl_signal(core->inbox.lock);
    }
    sl_unlock(core->inbox.lock);
}

void sl_engine_post(sl_core *core, sl_news_port kind, sl_id id, int32_t number, const void *p,
                    size_t n)
{
    if (kind == SL_PORT_HTTP_DONE || kind == SL_PORT_WS_CLOSED) {
        post_end(core, kind, id, number);
        return;
    }
    sl_mail *m = sl_mem(sizeof *m);
    uint8_t *data = sl_mem(n + 1);
    if (m == NULL || data == NULL) {
        sl_mem_free(m);
        sl_mem_free(data);
        post_lost(core, kind, id);
        return;
    }
    if (n > 0) {
        memcpy(data, p, n);
    }
    *m = (sl_mail){.kind = kind, .id = id, .number = number, .len = n, .data = data};
    sl_lock(core->inbox.lock);
    enqueue(&core->inbox, m);
    sl_unlock(core->inbox.lock);
}

static sl_mail *take_mail(sl_core *core)
{
    sl_lock(core->inbox.lock);
    sl_mail *m = core->inbox.first;
    if (m != NULL) {
        core->inbox.first = m->next;
        if (core->inbox.first == NULL) {
            core->inbox.last = NULL;
        }
    }
    core->inbox.kick = false;
    sl_unlock(core->inbox.lock);
    return m;
}

static void on_http(sl_core *core, const sl_mail *m, int64_t now_ms)
{
    sl_call *call = sl_call_find(core, m->id);
    if (call == NULL) {
        return;
    }
    if (m->kind == SL_PORT_HTTP_HEAD) {
        call->status = m->number;
        sl_mem_free(call->headers);
        call->headers = sl_text_dup((const char *)m->data);
    } else if (m->kind == SL_PORT_HTTP_DATA) {
        if (call->kind == SL_CALL_TRANSFER) {
            sl_transfers_data(core, call, m->data, m->len, now_ms);
        } else if (m->len <= BODY_MAX - call->body.len) { /* else it makes no sense to anybody */
            sl_buf_put(&call->body, m->data, m->len);
        }
    } else {
        sl_status net = call->status == 0 && m->number == SL_OK ? SL_E_NETWORK : m->number;
        if (call->kind == SL_CALL_TRANSFER) {
            sl_transfers_answer(core, call, net, now_ms);
        } else if (call->kind == SL_CALL_ERRAND) {
            sl_errand_answer(core, call, net);
        } else {
            sl_session_answer(core, call, net);
        }
        sl_call_end(core, call);
    }
}

static void on_mail(sl_core *core, const sl_mail *m, int64_t now_ms)
{
    if (m->kind != SL_PORT_WS_MESSAGE) {
        (void)sl_kept_commit(core);
    }
    switch (m->kind) {
    case SL_PORT_HTTP_HEAD:
    case SL_PORT_HTTP_DATA:
    case SL_PORT_HTTP_DONE: on_http(core, m, now_ms); return;
    case SL_PORT_WS_OPENED:
    case SL_PORT_WS_MESSAGE:
    case SL_PORT_WS_CLOSED: break;
    }
    if (m->id != core->ws) {
        return; /* news about a socket that is gone */
    }
    if (m->kind == SL_PORT_WS_OPENED) {
        sl_online_opened(core);
    } else if (m->kind == SL_PORT_WS_MESSAGE) {
        /* Signed out, it is being closed: what comes until then is asked for again. */
        if (core->session.have) {
            sl_online_message(core, m->data, m->len);
        }
    } else {
        sl_online_closed(core, m->number, now_ms);
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

static void close_lost(sl_core *core)
{
    sl_lock(core->inbox.lock);
    sl_id lost = core->inbox.lost;
    core->inbox.lost = 0;
    sl_unlock(core->inbox.lock);
    if (lost != 0 && lost == core->ws) {
        core->platform.ws->close(core->platform.user, lost, 1011, "out of memory");
    }
}

/* Called locked. */
static int64_t turn(sl_core *core)
{
    int64_t now_ms = sl_engine_mono(core);
    sl_kept_held(core);
    sl_mail *m = take_mail(core);
    while (m != NULL) {
        on_mail(core, m, now_ms);
        mail_free(m);
        if (sl_kept_hurry(core)) {
            (void)sl_kept_commit(core);
            sl_kept_give_way(core);
        }
        /* What comes without end must not keep the log from being copied, and the turn from its end. */
        bool over = !core->stepped && sl_store_log_long(core->store);
        m = over ? NULL : take_mail(core);
    }
    (void)sl_kept_commit(core);
    close_lost(core);
    sl_window_run(core);
    int64_t planned_ms = sl_chat_later_turn(core, now_ms);
    int64_t until_ms = sl_online_run(core, now_ms);
    core->retry_at_ms = core->ws == 0 ? until_ms : -1;
    until_ms = sooner(until_ms, planned_ms);
    until_ms = sooner(until_ms, sl_signals_turn(core, now_ms));
    until_ms = sooner(until_ms, sl_transfers_run(core, now_ms));
    until_ms = sooner(until_ms, sl_errands_run(core, now_ms));
    sl_waiters_run(core, now_ms);
    sl_follow_run(core);
    until_ms = sooner(until_ms, sl_lease_turn(core, now_ms));
    until_ms = sooner(until_ms, sl_status_turn(core, now_ms));
    return until_ms < 0 ? -1 : until_ms > now_ms ? until_ms - now_ms : 0;
}

/* How long what is not durable may still wait to be; 0: no longer, -1: all is. */
static int64_t soft_left(sl_core *core)
{
    int64_t now_ms = sl_engine_mono(core);
    if (!sl_store_is_soft(core->store)) {
        core->soft_until_ms = 0;
        return -1;
    }
    core->soft_until_ms = core->soft_until_ms == 0 ? now_ms + SOFT_MS : core->soft_until_ms;
    return core->soft_until_ms > now_ms ? core->soft_until_ms - now_ms : 0;
}

int64_t sl_engine_turn(sl_core *core)
{
    sl_lock(core->lock);
    int64_t wait_ms = turn(core);
    int64_t soft_ms = soft_left(core);
    sl_rest rest = sl_store_rest_due(core->store, soft_ms == 0);
    core->soft_until_ms = soft_ms == 0 ? 0 : core->soft_until_ms;
    sl_kept_give_way(core); /* who waits comes before the next turn */
    sl_unlock(core->lock);
    sl_store_rest(core->store, rest);
    return soft_ms > 0 ? sooner(wait_ms, soft_ms) : wait_ms;
}

static void engine_main(void *arg)
{
    sl_core *core = arg;
    bool stop = false;
    while (!stop) {
        int64_t wait_ms = sl_engine_turn(core);
        sl_lock(core->inbox.lock);
        if (core->inbox.first == NULL && !core->inbox.kick && !core->inbox.stop) {
            sl_wait(core->inbox.lock, wait_ms);
        }
        stop = core->inbox.stop;
        sl_unlock(core->inbox.lock);
    }
}

/* --- opening -------------------------------------------------------------------------- */

/* The device's own id, made once; its hash gives the number that breaks ties of stamps. */
static sl_status load_device(sl_core *core, sl_error **err)
{
    char *stored = NULL;
    sl_status status = sl_store_meta(core->store, "device", &stored, err);
    if (status == SL_OK && sl_uuid_ok(stored)) {
        memcpy(core->device, stored, sizeof core->device);
    } else if (status == SL_OK) {
        status = sl_engine_uuid(core, core->device, err);
        if (status == SL_OK) {
            status = sl_store_set_meta(core->store, "device", core->device, err);
            core->id_left = 0; /* no other id tells it */
        }
    }
    sl_mem_free(stored);
    uint8_t digest[SL_SHA256_LEN];
    sl_sha256_of(core->device, SL_UUID_LEN, digest);
    for (int i = 0; i < 4; i++) {
        core->clock.device = (core->clock.device << 8) | digest[i];
    }
    return status;
}

static sl_status load_clock(sl_core *core, sl_error **err)
{
    char *stored = NULL;
    sl_status status = sl_store_meta(core->store, "clock", &stored, err);
    sl_hlc seen;
    if (status == SL_OK && stored != NULL && sl_hlc_parse(&seen, stored)) {
        sl_hlc_see(&core->clock, seen);
    }
    sl_mem_free(stored);
    return status;
}

static sl_status load_server(sl_core *core, const char *given, sl_error **err)
{
    if (given == NULL) {
        return sl_store_meta(core->store, "server", &core->server, err);
    }
    size_t n = strlen(given);
    while (n > 0 && given[n - 1] == '/') {
        n--;
    }
    core->server = sl_text_ndup(given, n);
    if (core->server == NULL) {
        return sl_fail_nomem(err);
    }
    if (strncmp(given, "http://", 7) != 0 && strncmp(given, "https://", 8) != 0) {
        return sl_fail(err, SL_E_INVALID, "the server must be an http:// or https:// address");
    }
    return sl_store_set_meta(core->store, "server", core->server, err);
}

static sl_status make_parts(sl_core *core, sl_error **err)
{
    uint64_t seed = 0;
    if (core->platform.random->fill(core->platform.user, &seed, sizeof seed) != SL_OK) {
        return sl_fail(err, SL_E_IO, "the system gives no random numbers");
    }
    core->lock = sl_mutex_new();
    core->inbox.lock = sl_mutex_new();
    core->events = sl_events_new();
    core->sync = sl_sync_new(seed);
    core->jobs = sl_jobs_new(core);
    bool ok = core->lock != NULL && core->inbox.lock != NULL && core->events != NULL &&
              core->sync != NULL && core->jobs != NULL;
    return ok ? SL_OK : sl_fail_nomem(err);
}

static sl_status load_all(sl_core *core, const sl_config *cfg, sl_error **err)
{
    sl_status status = make_parts(core, err);
    if (status == SL_OK) {
        sl_keys keys = {cfg->key, cfg->keychain};
        status = sl_store_open_sealed(&core->platform, cfg->dir, &keys, &core->store, err);
    }
    if (status == SL_OK) {
        status = load_device(core, err);
    }
    if (status == SL_OK) {
        status = load_clock(core, err);
    }
    if (status == SL_OK) {
        status = load_server(core, cfg->server, err);
    }
    if (status == SL_OK) {
        status = sl_session_from_before(core, cfg->key, err);
    }
    if (status == SL_OK) {
        status = sl_session_load(core, err);
    }
    if (status == SL_OK) {
        status = sl_chat_later_open(core, err);
    }
    if (status == SL_OK) {
        status = sl_lease_load(core, err);
    }
    if (status != SL_OK) {
        return status;
    }
    int64_t window = cfg->thread_window == 0 ? SL_WINDOW_DEFAULT : cfg->thread_window;
    sl_sync_window(core->sync, window > 0 ? window : 0);
    return sl_online_start(core, err);
}

static sl_status start(sl_core *core, sl_error **err)
{
    if (core->platform.start != NULL) {
        sl_status status = core->platform.start(core->platform.user, core);
        if (status != SL_OK) {
            return sl_fail(err, status, "the platform cannot be started");
        }
    }
    core->started = true;
    if (!core->stepped) {
        core->thread = sl_thread_start(engine_main, core);
        if (core->thread == NULL) {
            return sl_fail(err, SL_E_NOMEM, "a thread cannot be started");
        }
    }
    return SL_OK;
}

sl_status sl_engine_open(const sl_config *cfg, sl_core **out, sl_error **err)
{
    sl_platform platform;
    memset(&platform, 0, sizeof platform);
    if (cfg->platform != NULL) {
        memcpy(&platform, cfg->platform, cfg->platform->struct_size);
    } else {
        platform.struct_size = sizeof platform;
        sl_status made = sl_platform_builtin(&platform);
        if (made != SL_OK) {
            return sl_fail(err, made, "this build has no platform of its own");
        }
    }
    sl_core *core = sl_mem(sizeof *core);
    if (core == NULL) {
        if (platform.release != NULL) {
            platform.release(platform.user);
        }
        return sl_fail_nomem(err);
    }
    core->platform = platform;
    core->stepped = (cfg->flags & SL_CORE_STEPPED) != 0;
    core->link.plain = (cfg->flags & SL_CORE_PLAIN) != 0;
    sl_status status = load_all(core, cfg, err);
    if (status == SL_OK) {
        status = start(core, err);
    }
    if (status != SL_OK) {
        sl_engine_close(core);
        return status;
    }
    *out = core;
    return SL_OK;
}

void sl_engine_close(sl_core *core)
{
    if (core->jobs != NULL) {
        sl_jobs_stop(core);
    }
    if (core->thread != NULL) {
        sl_lock(core->inbox.lock);
        core->inbox.stop = true;
        sl_signal(core->inbox.lock);
        sl_unlock(core->inbox.lock);
        sl_thread_join(core->thread);
    }
    if (core->started && core->platform.stop != NULL) {
        core->platform.stop(core->platform.user);
    }
    while (core->calls != NULL) {
        sl_call_end(core, core->calls);
    }
    sl_errands_stop(core);
    sl_transfers_stop(core);
    sl_waiters_stop(core);
    sl_follow_stop(core);
    sl_window_stop(core);
    sl_signals_stop(core);
    sl_holds_stop(core);
    sl_live_stop(core);
    sl_session_clear(core);
    if (core->ws != 0) {
        sl_status_seen(core);
    }
    sl_online_stop(core);
    sl_sync_free(core->sync);
    sl_store_close(core->store);
    while (core->inbox.first != NULL) {
        sl_mail *m = core->inbox.first;
        core->inbox.first = m->next;
        mail_free(m);
    }
    while (core->inbox.ends != NULL) {
        sl_engine_expect_no_more(core, core->inbox.ends->id);
    }
    sl_events_free(core->events);
    sl_mutex_free(core->inbox.lock);
    sl_mutex_free(core->lock);
    sl_json_free(core->recordings);
    sl_mem_free(core->server);
    if (core->platform.release != NULL) {
        core->platform.release(core->platform.user);
    }
    sl_mem_free(core);
}
