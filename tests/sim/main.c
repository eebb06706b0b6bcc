/*
 * sideline_sim - runs seeds of the simulator:
 *   sideline_sim [--seed N | --seeds A..B] [--verbose] [--calm] [--plant KIND]
 * A failing seed prints `seed N` and the reason; the same seed does the same again.
 */
#include "base/mem.h"
#include "sideline/base.h"
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const PLANTS[SL_PLANT_COUNT] = {"none", "lying-disk", "lost-frame",
                                                   "twice-frame"};

typedef struct args {
    uint64_t from;
    uint64_t to;
    run_options options;
} args;

static int usage(void)
{
    (void)fputs("usage: sideline_sim [--seed N | --seeds A..B] [--verbose] [--calm]\n"
                "                    [--plant lying-disk|lost-frame|twice-frame]\n",
                stderr);
    return EXIT_FAILURE;
}

static bool read_range(const char *text, args *out)
{
    char *end = NULL;
    out->from = strtoull(text, &end, 10);
    out->to = out->from;
    if (end == text) {
        return false;
    }
    if (strncmp(end, "..", 2) == 0) {
        text = end + 2;
        out->to = strtoull(text, &end, 10);
    }
    return end != text && *end == 0 && out->to >= out->from;
}

static bool read_plant(const char *text, run_options *out)
{
    for (int i = 0; i < SL_PLANT_COUNT; i++) {
        if (strcmp(text, PLANTS[i]) == 0) {
            out->plant = (sl_sim_plant)i;
            return true;
        }
    }
    return false;
}

static bool read_args(int argc, char **argv, args *out)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        bool seeds = strcmp(argv[i], "--seed") == 0 || strcmp(argv[i], "--seeds") == 0;
        bool plant = strcmp(argv[i], "--plant") == 0;
        if (strcmp(argv[i], "--verbose") == 0) {
            out->options.verbose = true;
        } else if (strcmp(argv[i], "--calm") == 0) {
            out->options.calm = true;
        } else if ((seeds && read_range(value, out)) ||
                   (plant && read_plant(value, &out->options))) {
            i++;
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    args a = {.from = 1, .to = 200};
    if (!read_args(argc, argv, &a)) {
        return usage();
    }
    char *key = run_key();
    unsigned failed = 0;
    uint64_t acts = 0;
    uint64_t faults = 0;
    for (uint64_t seed = a.from; key != NULL && seed <= a.to; seed++) {
        run_result r;
        a.options.seed = seed;
        run_seed(&a.options, key, &r);
        failed += r.ok ? 0 : 1;
        acts += r.acts;
        faults += r.faults;
        if (!r.ok || a.from == a.to) {
            printf("seed %" PRIu64 " %s%s\n", seed, r.ok ? "holds" : "FAILS: ", r.reason);
            printf("  trace %016" PRIx64 ", %" PRIu64 " events, %lld virtual ms, %u acts,"
                   " %u rejected, %" PRIu64 " faults\n",
                   r.hash, r.events, (long long)r.virtual_ms, r.acts, r.rejected, r.faults);
        }
    }
    printf("%" PRIu64 " seeds, %u failed; %" PRIu64 " acts, %" PRIu64 " faults\n",
           a.to - a.from + 1, failed, acts, faults);
    bool leaks = sl_debug_live_objects() != 0;
    if (leaks) {
        printf("%d objects were never released\n", (int)sl_debug_live_objects());
    }
    bool ok = key != NULL && failed == 0 && !leaks;
    sl_mem_free(key);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
