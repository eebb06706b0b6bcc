/* One run: people act while faults strike, the faults end, everything comes to rest. */
#include "base/mem.h"
#include "organisations.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

enum {
    REST_MS_MAX = 150000, /* until everything must be at rest, without a word from anybody */
    LOOK_MS = 500,
    CALM_MS = 1500, /* at rest it stays so */
    MORE_MS = 6000  /* to act, where there are organisations */
};

static char *g_key;
static sl_disk *g_blank_node;
static sl_disk *g_blank_server;

/* --- what all runs share ------------------------------------------------------------------ */

static sl_status key_random(void *user, void *dst, size_t n)
{
    uint8_t *p = dst;
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(sl_prng_next(user) >> 32);
    }
    return SL_OK;
}

/* A key made from a fixed seed: making one takes longer than a run. */
static char *make_key(void)
{
    sl_prng prng;
    sl_key *key = NULL;
    char *pem = NULL;
    sl_prng_seed(&prng, 2048);
    if (sl_key_generate(SL_KEY_BITS_MIN, key_random, &prng, &key, NULL) == SL_OK) {
        (void)sl_key_to_pem(key, &pem, NULL);
    }
    sl_key_free(key);
    return pem;
}

/* The disks of machines on which the databases were made already. */
static bool make_blanks(void)
{
    sl_sim *s = sl_sim_new(1, g_key);
    sl_sim_host host = {0};
    sl_store *store = NULL;
    g_blank_node = sl_disk_new(1);
    g_blank_server = sl_disk_new(1);
    bool ok = s != NULL && g_blank_node != NULL && g_blank_server != NULL &&
              sl_sim_host_init(s, &host, "blank", 1) && sl_sim_server_start(s, 1);
    if (ok && sl_store_open(&host.platform, "core", &store, NULL) == SL_OK) {
        sl_store_close(store);
        sl_sim_server_close(s);
        ok = sl_disk_copy(g_blank_node, host.disk) &&
             sl_disk_copy(g_blank_server, s->server.host.disk);
    }
    sl_disk_free(host.disk);
    sl_sim_free(s);
    return ok && store != NULL;
}

bool run_init(void)
{
    g_key = make_key();
    return g_key != NULL && make_blanks();
}

void run_done(void)
{
    sl_disk_free(g_blank_node);
    sl_disk_free(g_blank_server);
    sl_mem_free(g_key);
    g_blank_node = NULL;
    g_blank_server = NULL;
    g_key = NULL;
}

sl_sim *run_sim(uint64_t seed)
{
    sl_sim *s = sl_sim_new(seed, g_key);
    if (s != NULL) {
        s->blank_node = g_blank_node;
        s->blank_server = g_blank_server;
    }
    return s;
}

/* --- the run ------------------------------------------------------------------------------ */

/* Each run has its own set of faults, so that what one hides another shows. */
static uint32_t choose_faults(world *w)
{
    uint32_t faults = 0;
    int64_t share = 1 + world_dice(w, 3); /* of the kinds, in quarters */
    for (int i = 0; i < SL_FAULT_COUNT; i++) {
        faults |= world_dice(w, 4) < share ? UINT32_C(1) << i : 0u;
    }
    return faults;
}

/* Most runs are small and many; some are large, some long. */
static void choose_size(world *w, unsigned cores)
{
    int64_t dice = world_dice(w, 100);
    unsigned count = dice < 84   ? 6
                     : dice < 97 ? 6 + (unsigned)world_dice(w, 7)
                                 : 13 + (unsigned)world_dice(w, ACTORS_MAX - 12);
    w->act_ms = dice < 84 ? 3000 + world_dice(w, 2400) : dice == 99 ? 4500 : 6500;
    if (dice == 0) {
        w->act_ms = 40000;
    }
    w->act_ms += w->clubs != NULL ? MORE_MS : 0;
    people_make(w, cores != 0 ? cores : count);
    w->backup_at_ms = w->act_ms / 4 + world_dice(w, w->act_ms / 2);
}

/* A backup from before somebody had an account would make an orphan of his devices. */
static void maybe_backup(world *w)
{
    bool all = w->sim->now_ms >= w->backup_at_ms;
    for (unsigned i = 0; i < w->actor_count; i++) {
        all = all && w->actors[i].who->account;
    }
    if (all && (w->sim->faults & UINT32_C(1) << SL_FAULT_SERVER_RESTORE) != 0) {
        (void)sl_sim_server_backup(w->sim);
    }
}

static void look(sl_sim *s, void *arg)
{
    world *w = arg;
    check_now(w);
    maybe_backup(w);
    if (w->acting) {
        sl_sim_at(s, s->now_ms + LOOK_MS, look, w, false);
    }
}

static void run_until(world *w, int64_t until_ms)
{
    while (w->sim->now_ms < until_ms && sl_sim_next(w->sim)) {
    }
}

static void end_faults(world *w)
{
    bool gap = w->sim->fault_counts[SL_FAULT_GAP] > 0;
    sl_sim_fate_end(w->sim);
    for (unsigned i = 0; i < w->actor_count; i++) {
        actor_rest(&w->actors[i]);
        /* A frame lost on a socket that goes on shows only by the next: sockets do not do that. */
        if (gap && w->actors[i].node != NULL) {
            sl_sim_net_cut_node(w->actors[i].node);
        }
    }
}

static void come_to_rest(world *w)
{
    const char *why = NULL;
    int64_t start_ms = w->sim->now_ms;
    int64_t calm_ms = -1;
    w->acting = false;
    sl_sim_trace(w->sim, "the faults end");
    end_faults(w);
    while (w->sim->failure == NULL && (calm_ms < 0 || w->sim->now_ms - calm_ms < CALM_MS)) {
        run_until(w, w->sim->now_ms + LOOK_MS);
        bool rest = check_rest(w, &why);
        calm_ms = !rest ? -1 : calm_ms < 0 ? w->sim->now_ms : calm_ms;
        if (w->sim->now_ms - start_ms > REST_MS_MAX) {
            check_explain(w);
            sl_sim_fail(w->sim, "no rest after %d s: %s", REST_MS_MAX / 1000,
                        why != NULL ? why : "it does not last");
        }
    }
}

/* What rests says so when asked. */
static void settle(world *w)
{
    int64_t until_ms = w->sim->now_ms + 2 * CALM_MS;
    for (unsigned i = 0; i < w->actor_count && w->sim->failure == NULL; i++) {
        actor_settle(&w->actors[i]);
    }
    run_until(w, until_ms);
    for (unsigned i = 0; i < w->actor_count && w->sim->failure == NULL; i++) {
        if (w->actors[i].settle != 0) {
            sl_sim_fail(w->sim, "%s does not settle", w->actors[i].node->host.name);
        }
    }
}

/* Of every second seed; most of the folders are there in the clear then, and are sealed by it. */
static const uint8_t NODE_KEY[32] = {0x5e, 0xa1};

/* A run makes tens of records: in half of the runs pages are so small that a space has many of them, and
 * so with frames of operations, and with what a device stores in one turn. */
void run_limits(sl_sim *s, uint64_t seed)
{
    sl_prng prng;
    sl_prng_seed(&prng, seed ^ UINT64_C(0x9A6E5));
    if (sl_prng_below(&prng, 2) == 0) {
        s->page_records = 1 + (int32_t)sl_prng_below(&prng, 7);
        s->page_flight = 1 + (int64_t)sl_prng_below(&prng, 2000);
    }
    if (sl_prng_below(&prng, 2) == 0) {
        s->push_window = 1 + (int64_t)sl_prng_below(&prng, 12);
        s->push_frame = 1 + (int64_t)sl_prng_below(&prng, 4);
    }
    if (sl_prng_below(&prng, 2) == 0) {
        s->hurry_every = 2 + (unsigned)sl_prng_below(&prng, 6);
    }
}

static bool begin(world *w, const run_options *o)
{
    sl_prng_seed(&w->prng, o->seed ^ UINT64_C(0xACDC));
    w->sim = sl_sim_new(o->seed, g_key);
    if (w->sim == NULL) {
        return false;
    }
    w->sim->verbose = o->verbose;
    w->sim->plant = o->plant;
    w->sim->on_frame = o->plant == SL_PLANT_NONE ? world_frame : NULL;
    w->sim->on_frame_ctx = w;
    for (size_t i = 0; i < 4; i++) { /* small ones, so that threads of a run have gaps */
        static const int32_t sizes[] = {1, 2, 0, 4, -1, 1, 3};
        w->sim->windows[i] = sizes[(o->seed * 3 + i * 5) % 7];
    }
    run_limits(w->sim, o->seed);
    w->sim->node_key = o->seed % 2 == 1 ? NODE_KEY : NULL;
    w->acting = true;
    w->chatty = o->seed % 4 == 0;
    w->clubs = clubs_new(o->seed);
    uint32_t faults = choose_faults(w);
    choose_size(w, o->cores);
    if (world_dice(w, 10) != 0) { /* else they make their databases while faults strike */
        w->sim->blank_node = g_blank_node;
        w->sim->blank_server = g_blank_server;
    }
    if (!sl_sim_server_start(w->sim, o->seed + 1)) {
        return false;
    }
    w->sim->faults = o->calm ? 0 : faults;
    for (unsigned i = 0; i < w->actor_count; i++) {
        actor_start(w, i);
    }
    sl_sim_fate_start(w->sim);
    sl_sim_at(w->sim, LOOK_MS, look, w, false);
    return w->sim->failure == NULL;
}

static void summarize(const world *w, run_result *out)
{
    const sl_sim *s = w->sim;
    out->ok = s->failure == NULL;
    out->hash = s->hash;
    out->events = s->traced;
    out->virtual_ms = s->now_ms;
    out->cores = w->actor_count;
    out->acts = w->acts;
    for (unsigned i = 0; i < SL_FAULT_COUNT; i++) {
        out->faults += s->fault_counts[i];
        out->kinds |= s->fault_counts[i] > 0 ? UINT32_C(1) << i : 0u;
    }
    for (unsigned i = 0; i < w->actor_count; i++) {
        out->rejected += (unsigned)w->actors[i].rejected_events;
    }
    (void)snprintf(out->reason, sizeof out->reason, "%s", s->failure != NULL ? s->failure : "");
}

void run_seed(const run_options *o, run_result *out)
{
    world *w = sl_mem(sizeof *w);
    memset(out, 0, sizeof *out);
    if (w != NULL && begin(w, o)) {
        run_until(w, w->act_ms);
        come_to_rest(w);
        settle(w);
        if (w->sim->failure == NULL) {
            check_end(w);
        }
    }
    if (w != NULL && w->sim != NULL) {
        summarize(w, out);
    } else {
        (void)snprintf(out->reason, sizeof out->reason, "out of memory");
    }
    if (w != NULL) {
        world_free(w);
    }
    sl_mem_free(w);
}
