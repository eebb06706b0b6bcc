/*
 * `test_sim`: the simulator itself. `test_sim PART PARTS`: that part of the seeds 1 to SL_SIM_SEEDS.
 * A seed that fails is replayed by `sideline_sim --seed N --trace`.
 */
#include "base/mem.h"
#include "support.h"
#include "world.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long g_part;
static unsigned long g_parts;

static run_result run_one(uint64_t seed, bool calm, sl_sim_plant plant)
{
    run_result r;
    run_options o = {.seed = seed, .calm = calm, .plant = plant};
    run_seed(&o, &r);
    return r;
}

START_TEST(sim__a_seed_does_the_same_again)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        run_result a = run_one(seed, false, SL_PLANT_NONE);
        run_result b = run_one(seed, false, SL_PLANT_NONE);
        ck_assert_uint_eq(a.hash, b.hash);
        ck_assert_uint_eq(a.events, b.events);
        ck_assert_str_eq(a.reason, b.reason);
        run_result other = run_one(seed + 100, false, SL_PLANT_NONE);
        ck_assert_uint_ne(a.hash, other.hash);
    }
}
END_TEST

START_TEST(sim__without_faults_all_goes_through)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        run_result r = run_one(seed, true, SL_PLANT_NONE);
        ck_assert_msg(r.ok, "seed %" PRIu64 " %s", seed, r.reason);
        ck_assert_uint_eq(r.faults, 0);
        ck_assert_uint_ge(r.acts, 20);
    }
}
END_TEST

/* A checker that finds nothing proves nothing: with a mistake planted some seed must fail. */
START_TEST(sim__planted_mistakes_are_found)
{
    static const sl_sim_plant plants[] = {SL_PLANT_LYING_DISK, SL_PLANT_LOST_FRAME};
    for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++) {
        bool found = false;
        for (uint64_t seed = 1; seed <= 60 && !found; seed++) {
            found = !run_one(seed, false, plants[i]).ok;
        }
        ck_assert_msg(found, "plant %zu is not found", i);
    }
}
END_TEST

START_TEST(sim__nothing_is_left_behind)
{
    (void)run_one(3, false, SL_PLANT_NONE);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

START_TEST(sim__every_seed_of_this_part_holds)
{
    const char *text = getenv("SL_SIM_SEEDS");
    uint64_t seeds = text != NULL ? strtoull(text, NULL, 10) : 0;
    unsigned failed = 0;
    seeds = seeds > 0 ? seeds : 500;
    for (uint64_t seed = g_part; seed <= seeds; seed += g_parts) {
        run_result r = run_one(seed, false, SL_PLANT_NONE);
        if (!r.ok) {
            printf("seed %" PRIu64 " %s\n", seed, r.reason);
            failed++;
        }
    }
    ck_assert_msg(failed == 0, "%u seeds failed", failed);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const whole[] = {sim__a_seed_does_the_same_again,
                                  sim__without_faults_all_goes_through,
                                  sim__planted_mistakes_are_found, sim__nothing_is_left_behind};
    if (argc == 3) {
        g_part = strtoul(argv[1], NULL, 10);
        g_parts = strtoul(argv[2], NULL, 10);
    }
    if ((argc != 1 && argc != 3) || (argc == 3 && (g_part < 1 || g_part > g_parts))) {
        (void)fputs("usage: test_sim [PART PARTS]\n", stderr);
        return EXIT_FAILURE;
    }
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 20); /* disks come and go: their memory stays */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    bool ready = run_init();
    Suite *suite = suite_create("sim");
    TCase *tcase = tcase_create("sim");
    tcase_set_timeout(tcase, 0); /* as long as the seeds asked for take */
    if (argc == 3) {
        tcase_add_test(tcase, sim__every_seed_of_this_part_holds);
    }
    for (size_t i = 0; argc == 1 && i < sizeof whole / sizeof whole[0]; i++) {
        tcase_add_test(tcase, whole[i]);
    }
    suite_add_tcase(suite, tcase);
    int code = ready ? sl_test_run(suite) : EXIT_FAILURE;
    run_done();
    return code;
}
