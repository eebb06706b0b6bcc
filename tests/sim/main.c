/*
 * sideline_sim - runs seeds of the simulator:
 *   sideline_sim [--seed N | --seeds COUNT [--from K]] [--trace] [--calm] [--cores N]
 *                [--plant NAME] [--until-fail]
 * A plant is lying-disk or lost-frame, and in a build with SL_PLANTS one of the
 * mistakes in src (base/plant.h).
 * A failing seed prints `seed N` and the reason; the same seed does the same again, and with
 * --trace says what it does.
 */
#include "base/mem.h"
#include "base/plant.h"
#include "sideline/base.h"
#include "world.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const PLANTS[SL_PLANT_COUNT] = {"none", "lying-disk", "lost-frame"};

typedef struct args {
    uint64_t from;
    uint64_t count;
    bool one;
    bool until_fail;
    run_options options;
} args;

static int usage(void)
{
    (void)fputs("usage: sideline_sim [--seed N | --seeds COUNT [--from K]] [--trace] [--calm]\n"
                "                    [--cores N] [--plant NAME] [--until-fail]\n",
                stderr);
    return EXIT_FAILURE;
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end = NULL;
    *out = strtoull(text, &end, 10);
    return end != text && *end == 0 && text[0] != '-';
}

static bool read_plant(const char *text, run_options *out)
{
    for (int i = 0; i < SL_PLANT_COUNT; i++) {
        if (strcmp(text, PLANTS[i]) == 0) {
            out->plant = (sl_sim_plant)i;
            return true;
        }
    }
#ifdef SL_PLANTS
    sl_plant(text);
    return true;
#else
    return false;
#endif
}

static bool read_value(const char *name, const char *value, args *out)
{
    uint64_t n = 0;
    if (strcmp(name, "--plant") == 0) {
        return read_plant(value, &out->options);
    }
    if (!read_number(value, &n)) {
        return false;
    }
    if (strcmp(name, "--seed") == 0) {
        out->from = n;
        out->one = true;
        out->count = 1;
    } else if (strcmp(name, "--seeds") == 0) {
        out->count = n;
    } else if (strcmp(name, "--from") == 0) {
        out->from = n;
    } else if (strcmp(name, "--cores") == 0 && n >= 6 && n <= ACTORS_MAX) {
        out->options.cores = (unsigned)n;
    } else {
        return false;
    }
    return true;
}

static bool read_args(int argc, char **argv, args *out)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            out->options.verbose = true;
        } else if (strcmp(argv[i], "--until-fail") == 0) {
            out->until_fail = true;
        } else if (strcmp(argv[i], "--calm") == 0) {
            out->options.calm = true;
        } else if (i + 1 < argc && read_value(argv[i], argv[i + 1], out)) {
            i++;
        } else {
            return false;
        }
    }
    return out->count > 0;
}

typedef struct sums {
    unsigned failed;
    uint64_t cores;
    uint64_t acts;
    uint64_t faults;
    uint64_t runs_with[SL_FAULT_COUNT];
} sums;

static void show(const run_result *r, uint64_t seed)
{
    printf("seed %" PRIu64 " %s%s\n", seed, r->ok ? "holds" : "FAILS: ", r->reason);
    printf("  trace %016" PRIx64 ", %" PRIu64 " events, %lld virtual ms, %u cores, %u acts,"
           " %u rejected, %" PRIu64 " faults:",
           r->hash, r->events, (long long)r->virtual_ms, r->cores, r->acts, r->rejected, r->faults);
    const char *comma = " ";
    for (int i = 0; i < SL_FAULT_COUNT; i++) {
        if ((r->kinds >> i & 1U) != 0) {
            printf("%s%s", comma, sl_sim_fault_name((sl_sim_fault)i));
            comma = ", ";
        }
    }
    (void)putchar('\n');
    (void)fflush(stdout);
}

static sums run_all(args *a)
{
    sums s = {0};
    for (uint64_t seed = a->from; seed < a->from + a->count && (s.failed == 0 || !a->until_fail);
         seed++) {
        run_result r;
        a->options.seed = seed;
        run_seed(&a->options, &r);
        s.failed += r.ok ? 0 : 1;
        s.cores += r.cores;
        s.acts += r.acts;
        s.faults += r.faults;
        for (int i = 0; i < SL_FAULT_COUNT; i++) {
            s.runs_with[i] += r.kinds >> i & 1U;
        }
        if (!r.ok || a->one) {
            show(&r, seed);
        }
    }
    return s;
}

int main(int argc, char **argv)
{
    args a = {.from = 1, .count = 200};
    if (!read_args(argc, argv, &a)) {
        return usage();
    }
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 20); /* disks come and go: their memory stays */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    bool ok = run_init();
    sums s = ok ? run_all(&a) : (sums){.failed = 1};
    run_done();
    printf("%" PRIu64 " seeds, %u failed; %" PRIu64 " cores, %" PRIu64 " acts, %" PRIu64
           " faults\n",
           a.count, s.failed, s.cores, s.acts, s.faults);
    for (int i = 0; !a.one && i < SL_FAULT_COUNT; i++) {
        printf("%s%s in %" PRIu64, i == 0 ? "runs with " : ", ", sl_sim_fault_name((sl_sim_fault)i),
               s.runs_with[i]);
    }
    (void)putchar('\n');
    if (sl_debug_live_objects() != 0) {
        printf("%d objects were never released\n", (int)sl_debug_live_objects());
        ok = false;
    }
    return ok && s.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
