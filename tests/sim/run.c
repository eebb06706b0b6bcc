/* One run: people act while faults strike, the faults end, everything comes to rest. */
#include "base/mem.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    ACT_MS = 20000,       /* how long people act, and faults strike */
    REST_MS_MAX = 240000, /* until everything must be at rest */
    LOOK_MS = 500,
    WORDS_MS = 20000,
    CALM_MS = 1500 /* at rest it stays so */
};

static sl_status key_random(void *user, void *dst, size_t n)
{
    uint8_t *p = dst;
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(sl_prng_next(user) >> 32);
    }
    return SL_OK;
}

char *run_key(void)
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

static void look(sl_sim *s, void *arg)
{
    world *w = arg;
    check_now(w);
    if (w->acting) {
        sl_sim_at(s, s->now_ms + LOOK_MS, look, w, false);
    }
}

static void run_until(world *w, int64_t until_ms)
{
    while (w->sim->now_ms < until_ms && sl_sim_next(w->sim)) {
    }
}

static void come_to_rest(world *w)
{
    const char *why = NULL;
    int64_t start_ms = w->sim->now_ms;
    int64_t calm_ms = -1;
    int64_t words_ms = start_ms + WORDS_MS;
    w->acting = false;
    sl_sim_fate_end(w->sim);
    for (unsigned i = 0; i < ACTORS; i++) {
        actor_rest(&w->actors[i]);
    }
    while (w->sim->failure == NULL && (calm_ms < 0 || w->sim->now_ms - calm_ms < CALM_MS)) {
        run_until(w, w->sim->now_ms + LOOK_MS);
        bool rest = check_rest(w, &why);
        if (!rest && w->sim->fault_counts[SL_FAULT_GAP] > 0 && w->sim->now_ms >= words_ms) {
            words_ms += WORDS_MS;
            for (unsigned i = 0; i < ACTORS; i++) {
                actor_last_words(&w->actors[i]);
            }
        }
        calm_ms = !rest ? -1 : calm_ms < 0 ? w->sim->now_ms : calm_ms;
        if (w->sim->now_ms - start_ms > REST_MS_MAX) {
            sl_sim_fail(w->sim, "no rest after %d s: %s", REST_MS_MAX / 1000,
                        why != NULL ? why : "it does not last");
        }
    }
}

/* What rests says so when asked. */
static void settle(world *w)
{
    int64_t until_ms = w->sim->now_ms + 3 * CALM_MS;
    for (unsigned i = 0; i < ACTORS && w->sim->failure == NULL; i++) {
        actor_settle(&w->actors[i]);
    }
    run_until(w, until_ms);
    for (unsigned i = 0; i < ACTORS && w->sim->failure == NULL; i++) {
        if (w->actors[i].settle != 0) {
            sl_sim_fail(w->sim, "%s does not settle", w->actors[i].node->host.name);
        }
    }
}

static bool begin(world *w, const run_options *o, const char *key_pem)
{
    sl_prng_seed(&w->prng, o->seed ^ UINT64_C(0xACDC));
    w->sim = sl_sim_new(o->seed, key_pem);
    if (w->sim == NULL) {
        return false;
    }
    w->sim->verbose = o->verbose;
    w->sim->plant = o->plant;
    w->sim->on_frame = o->plant == SL_PLANT_NONE ? world_frame : NULL;
    w->sim->on_frame_ctx = w;
    w->acting = true;
    uint32_t faults = choose_faults(w);
    if (!sl_sim_server_start(w->sim, o->seed + 1)) {
        return false;
    }
    w->sim->faults = o->calm ? 0 : faults;
    for (unsigned i = 0; i < ACTORS; i++) {
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
    out->acts = w->acts;
    for (unsigned i = 0; i < SL_FAULT_COUNT; i++) {
        out->faults += s->fault_counts[i];
    }
    for (unsigned i = 0; i < ACTORS; i++) {
        out->rejected += (unsigned)w->actors[i].rejected_events;
    }
    (void)snprintf(out->reason, sizeof out->reason, "%s", s->failure != NULL ? s->failure : "");
}

void run_seed(const run_options *o, const char *key_pem, run_result *out)
{
    world w;
    memset(&w, 0, sizeof w);
    memset(out, 0, sizeof *out);
    if (begin(&w, o, key_pem)) {
        run_until(&w, ACT_MS);
        come_to_rest(&w);
        settle(&w);
        if (w.sim->failure == NULL) {
            check_end(&w);
        }
    }
    if (w.sim != NULL) {
        summarize(&w, out);
    } else {
        (void)snprintf(out->reason, sizeof out->reason, "out of memory");
    }
    world_free(&w);
}
