/* A machine with a core on it. */
#include "platform/sim/sim.h"

#include "base/mem.h"
#include "engine/engine.h"

#include <string.h>

enum {
    SPINS_MAX = 5000,
    REOPEN_MS_MIN = 50,
    REOPEN_MS_MAX = 3000
};

static void open_core(sl_sim *s, void *arg);

void sl_sim_guard(const sl_sim_node *n, bool in)
{
    const sl_sim *s = n->host.sim;
    if (s->guard != NULL) {
        s->guard(s->guard_ctx, n, in);
    }
}

static sl_status on_start(void *user, sl_core *core)
{
    sl_sim_node *n = user;
    n->listening = core;
    return SL_OK;
}

static void on_stop(void *user)
{
    sl_sim_node *n = user;
    n->listening = NULL;
}

sl_sim_node *sl_sim_node_new(sl_sim *s, const char *name, uint64_t seed)
{
    sl_sim_node *n = sl_mem(sizeof *n);
    if (n == NULL || !sl_sim_host_init(s, &n->host, name, seed)) {
        sl_mem_free(n);
        return NULL;
    }
    if (s->blank_node != NULL && !sl_disk_copy(n->host.disk, s->blank_node)) {
        sl_disk_free(n->host.disk);
        sl_mem_free(n);
        return NULL;
    }
    n->host.platform.http = &sl_sim_http;
    n->host.platform.ws = &sl_sim_ws;
    n->host.platform.start = on_start;
    n->host.platform.stop = on_stop;
    n->index = s->node_count++;
    n->wanted = true;
    sl_sim_node **at = &s->nodes;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = n;
    sl_sim_at(s, s->now_ms, open_core, n, false);
    return n;
}

static void close_core(sl_sim_node *n, bool power)
{
    sl_core *core = n->core;
    n->core = NULL;
    sl_sim_net_node_gone(n, power);
    sl_sim_guard(n, true);
    sl_core_close(core);
    sl_sim_guard(n, false);
}

static void open_later(sl_sim_node *n)
{
    sl_sim *s = n->host.sim;
    int64_t wait_ms = REOPEN_MS_MIN + sl_sim_dice(s, REOPEN_MS_MAX - REOPEN_MS_MIN);
    sl_sim_at(s, s->now_ms + wait_ms, open_core, n, false);
}

/* The power went off in the middle of a call: what the memory held is gone, what the disk held is
 * what a cut leaves. */
static void power_off(sl_sim_node *n)
{
    sl_sim *s = n->host.sim;
    sl_sim_trace(s, "%s power off", n->host.name);
    if (n->core != NULL) {
        close_core(n, true);
    }
    sl_disk_power_cut(n->host.disk);
    open_later(n);
}

static void step(sl_sim *s, void *arg)
{
    sl_sim_node *n = arg;
    if (n->core == NULL || n->step_at_ms != s->now_ms) {
        return;
    }
    n->step_at_ms = -1;
    sl_sim_guard(n, true);
    int32_t wait_ms = sl_core_step(n->core);
    sl_sim_guard(n, false);
    if (sl_disk_dead(n->host.disk)) {
        power_off(n);
        return;
    }
    n->spins = wait_ms == 0 ? n->spins + 1 : 0;
    if (n->spins > SPINS_MAX) {
        sl_sim_fail(s, "%s: the core asks for steps without end", n->host.name);
    }
    if (wait_ms >= 0 && (n->step_at_ms < 0 || n->step_at_ms > s->now_ms + wait_ms)) {
        n->step_at_ms = s->now_ms + wait_ms;
        sl_sim_at(s, n->step_at_ms, step, n, false);
    }
}

void sl_sim_node_touched(sl_sim_node *n)
{
    sl_sim *s = n->host.sim;
    if (n->core != NULL && sl_disk_dead(n->host.disk)) {
        power_off(n);
    }
    if (n->core != NULL && n->step_at_ms != s->now_ms) {
        n->step_at_ms = s->now_ms;
        sl_sim_at(s, s->now_ms, step, n, false);
    }
}

static void open_core(sl_sim *s, void *arg)
{
    sl_sim_node *n = arg;
    if (n->core != NULL || !n->wanted) {
        return;
    }
    n->host.life++;
    n->host.mono_start_ms = sl_sim_dice(s, 1000000);
    n->step_at_ms = -1;
    n->spins = 0;
    sl_config cfg = {.struct_size = sizeof cfg,
                     .flags = SL_CORE_STEPPED,
                     .dir = "core",
                     .server = "http://server",
                     .platform = &n->host.platform,
                     .key = s->node_key,
                     .thread_window = s->windows[n->index % 4]};
    sl_error *err = NULL;
    sl_sim_guard(n, true);
    sl_status status = sl_core_open(&cfg, &n->core, &err);
    sl_sim_guard(n, false);
    sl_sim_trace(s, "%s opens: %s", n->host.name, sl_status_name(status));
    if (status == SL_E_CORRUPT || status == SL_E_INTERNAL || status == SL_E_TOO_NEW ||
        status == SL_E_BUSY) {
        sl_sim_fail(s, "%s cannot be opened: %s", n->host.name, sl_error_message(err));
    }
    sl_error_release(err);
    if (status != SL_OK) {
        n->core = NULL;
        if (sl_disk_dead(n->host.disk)) {
            power_off(n);
        } else {
            open_later(n);
        }
        return;
    }
    n->core->hurry_every = s->hurry_every;
    if (s->push_window > 0) {
        sl_sync_push_limits(n->core->sync, s->push_window, s->push_frame);
    }
    sl_sim_node_touched(n);
}

void sl_sim_node_restart(sl_sim_node *n)
{
    if (n->core == NULL) {
        return;
    }
    sl_sim_trace(n->host.sim, "%s restarts", n->host.name);
    close_core(n, false);
    if (sl_disk_dead(n->host.disk)) {
        power_off(n);
    } else {
        open_later(n);
    }
}

void sl_sim_node_close(sl_sim_node *n)
{
    n->wanted = false;
    if (n->core != NULL) {
        close_core(n, false);
    }
}

void sl_sim_node_open(sl_sim_node *n)
{
    n->wanted = true;
    sl_sim_at(n->host.sim, n->host.sim->now_ms, open_core, n, false);
}
