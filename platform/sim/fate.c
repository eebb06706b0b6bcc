/* What happens to the machines: power, full disks, bad sectors, clocks, restarts. */
#include "platform/sim/sim.h"

enum {
    ROUND_MS = 1500,
    FULL_MS = 3000,
    JUMP_MS = 3600 * 1000,
    SLIP_MS = 90 * 1000 /* around what the service lets pass */
};

static void node_well(sl_sim *s, void *arg)
{
    (void)s;
    sl_sim_node *n = arg;
    sl_disk_set_full(n->host.disk, false);
    sl_sim_node_touched(n);
}

static void server_well(sl_sim *s, void *arg)
{
    (void)arg;
    sl_disk_set_full(s->server.host.disk, false);
}

static void strike_node(sl_sim *s, sl_sim_node *n)
{
    if (sl_sim_strikes(s, SL_FAULT_NODE_POWER, 6)) {
        sl_disk_die_in(n->host.disk, (uint64_t)(1 + sl_sim_dice(s, 40)));
    }
    if (sl_sim_strikes(s, SL_FAULT_NODE_IO, 6)) {
        sl_disk_fail_in(n->host.disk, (uint64_t)(1 + sl_sim_dice(s, 30)));
    }
    if (sl_sim_strikes(s, SL_FAULT_NODE_FULL, 8)) {
        sl_sim_trace(s, "%s full", n->host.name);
        sl_disk_set_full(n->host.disk, true);
        sl_sim_at(s, s->now_ms + sl_sim_dice(s, FULL_MS), node_well, n, false);
    }
    if (sl_sim_strikes(s, SL_FAULT_NODE_CLOCK, 10)) {
        int64_t jump_ms = sl_sim_dice(s, 2) == 0 ? JUMP_MS : SLIP_MS;
        n->host.wall_off_ms = sl_sim_dice(s, 2 * jump_ms) - jump_ms;
        sl_sim_trace(s, "%s clock %lld", n->host.name, (long long)n->host.wall_off_ms);
    }
    if (sl_sim_strikes(s, SL_FAULT_NODE_RESTART, 12)) {
        sl_sim_node_restart(n);
    }
}

static void strike_server(sl_sim *s)
{
    sl_sim_host *h = &s->server.host;
    if (sl_sim_strikes(s, SL_FAULT_SERVER_POWER, 6)) {
        sl_disk_die_in(h->disk, (uint64_t)(1 + sl_sim_dice(s, 60)));
    }
    if (sl_sim_strikes(s, SL_FAULT_SERVER_IO, 6)) {
        sl_disk_fail_in(h->disk, (uint64_t)(1 + sl_sim_dice(s, 60)));
    }
    if (sl_sim_strikes(s, SL_FAULT_SERVER_FULL, 8)) {
        sl_sim_trace(s, "server full");
        sl_disk_set_full(h->disk, true);
        sl_sim_at(s, s->now_ms + sl_sim_dice(s, FULL_MS), server_well, NULL, false);
    }
    if (sl_sim_strikes(s, SL_FAULT_SERVER_CLOCK, 12)) {
        h->wall_off_ms = sl_sim_dice(s, 2 * JUMP_MS) - JUMP_MS;
        sl_sim_trace(s, "server clock %lld", (long long)h->wall_off_ms);
    }
    if (sl_sim_strikes(s, SL_FAULT_SERVER_RESTART, 12)) {
        sl_sim_server_restart(s);
    }
}

static void fate_round(sl_sim *s, void *arg)
{
    (void)arg;
    if (s->faults == 0) {
        return;
    }
    for (sl_sim_node *n = s->nodes; n != NULL; n = n->next) {
        strike_node(s, n);
    }
    strike_server(s);
    sl_sim_at(s, s->now_ms + 1 + sl_sim_dice(s, ROUND_MS), fate_round, NULL, false);
}

void sl_sim_fate_start(sl_sim *s)
{
    sl_sim_at(s, s->now_ms + sl_sim_dice(s, ROUND_MS), fate_round, NULL, false);
}

void sl_sim_fate_end(sl_sim *s)
{
    s->faults = 0;
    sl_disk_set_full(s->server.host.disk, false);
    sl_disk_die_in(s->server.host.disk, 0);
    sl_disk_fail_in(s->server.host.disk, 0);
    for (sl_sim_node *n = s->nodes; n != NULL; n = n->next) {
        sl_disk_set_full(n->host.disk, false);
        sl_disk_die_in(n->host.disk, 0);
        sl_disk_fail_in(n->host.disk, 0);
    }
}
