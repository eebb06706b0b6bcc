/* What happens to the machines: power, full disks, bad sectors, clocks, restarts. */
#include "platform/sim/sim.h"

enum {
    ROUND_MS = 1500,
    FULL_MS = 3000,
    JUMP_MS = 3600 * 1000,
    SLIP_MS = 90 * 1000, /* around what the service lets pass */
    DAY_MS = 24 * JUMP_MS,
    PORTAL_MS = 4000,
    RETAIN_MS = 3000,
    RETAIN_MAX = 40,
    TOKEN_MS = 65 * 60 * 1000 /* longer than an access token lives */
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

static void clock_back(sl_sim *s, void *arg)
{
    (void)arg;
    s->server.host.wall_off_ms -= TOKEN_MS;
    sl_sim_trace(s, "server clock back");
}

static void strike_network(sl_sim *s, sl_sim_node *n)
{
    if (sl_sim_strikes(s, SL_FAULT_PORTAL, 10)) {
        n->portal_until_ms = s->now_ms + 1 + sl_sim_dice(s, PORTAL_MS);
        sl_sim_trace(s, "%s is behind a portal until %lld", n->host.name,
                     (long long)n->portal_until_ms);
        sl_sim_net_cut_node(n);
    }
}

static void strike_node(sl_sim *s, sl_sim_node *n)
{
    strike_network(s, n);
    if (sl_sim_strikes(s, SL_FAULT_NODE_POWER, 6)) {
        if (sl_sim_dice(s, 3) == 0) { /* at any moment, whatever the disk does */
            sl_disk_kill(n->host.disk);
            sl_sim_node_touched(n);
        } else {
            sl_disk_die_in(n->host.disk, (uint64_t)(1 + sl_sim_dice(s, 40)));
        }
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
    if (sl_sim_strikes(s, SL_FAULT_NODE_DAY, 12)) {
        n->host.wall_off_ms = sl_sim_dice(s, 2) == 0 ? DAY_MS : -DAY_MS;
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
        if (sl_sim_dice(s, 3) == 0) {
            sl_disk_kill(h->disk);
            sl_sim_server_touched(s);
        } else {
            sl_disk_die_in(h->disk, (uint64_t)(1 + sl_sim_dice(s, 60)));
        }
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
    if (sl_sim_strikes(s, SL_FAULT_TOKEN, 6)) {
        h->wall_off_ms += TOKEN_MS;
        sl_sim_trace(s, "server clock past all tokens");
        sl_sim_at(s, s->now_ms + 1 + sl_sim_dice(s, FULL_MS), clock_back, NULL, false);
    }
    if (s->server.backup != NULL && s->server.restored == 0 &&
        sl_sim_strikes(s, SL_FAULT_SERVER_RESTORE, 4)) {
        sl_sim_server_restore(s);
    }
    if (sl_sim_strikes(s, SL_FAULT_RETENTION, 3)) {
        sl_sim_server_retain(s, sl_sim_dice(s, RETAIN_MS), 1 + sl_sim_dice(s, RETAIN_MAX));
    }
    if (sl_sim_strikes(s, SL_FAULT_SERVER_RESTART, 12)) {
        sl_sim_server_restart(s);
    }
}

/* What does no harm whenever it strikes needs no end. */
static const uint32_t LASTING = UINT32_C(1) << SL_FAULT_TWICE;

static void fate_round(sl_sim *s, void *arg)
{
    (void)arg;
    if ((s->faults & ~LASTING) == 0) {
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
    s->faults &= LASTING;
    sl_disk_set_full(s->server.host.disk, false);
    sl_disk_die_in(s->server.host.disk, 0);
    sl_disk_fail_in(s->server.host.disk, 0);
    for (sl_sim_node *n = s->nodes; n != NULL; n = n->next) {
        n->portal_until_ms = 0;
        sl_disk_set_full(n->host.disk, false);
        sl_disk_die_in(n->host.disk, 0);
        sl_disk_fail_in(n->host.disk, 0);
    }
}
