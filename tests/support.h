/* tests/support.h - what every Check program shares. */
#ifndef SL_TESTS_SUPPORT_H
#define SL_TESTS_SUPPORT_H

#include <check.h>
#include <stdlib.h>

/* A test case's timeout in seconds: generous, because sanitizers and busy machines are slow. */
enum {
    SL_TEST_TIMEOUT_S = 120
};

/* Of loops over very many cases the sanitizers, which are some five times as slow, run every so many; all are run
 * without them. */
#if defined(__has_feature)
#define SL_TEST_HAS(name) __has_feature(name)
#else
#define SL_TEST_HAS(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    SL_TEST_HAS(address_sanitizer) || SL_TEST_HAS(thread_sanitizer)
enum {
    SL_TEST_STRIDE = 7
};
#else
enum {
    SL_TEST_STRIDE = 1
};
#endif

/* Runs one suite and answers for main(). */
static inline int sl_test_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline Suite *sl_test_suite(const char *name, const TTest *const *tests, size_t n)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, SL_TEST_TIMEOUT_S);
    for (size_t i = 0; i < n; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    return suite;
}

/* The same with a fixture around each test. */
#define SL_TEST_MAIN_WITH(name, setup, teardown, ...)                 \
    int main(void)                                                    \
    {                                                                 \
        const TTest *tests[] = {__VA_ARGS__};                         \
        Suite *suite = suite_create(name);                            \
        TCase *tcase = tcase_create(name);                            \
        tcase_set_timeout(tcase, SL_TEST_TIMEOUT_S);                  \
        tcase_add_checked_fixture(tcase, setup, teardown);            \
        for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) { \
            tcase_add_test(tcase, tests[i]);                          \
        }                                                             \
        suite_add_tcase(suite, tcase);                                \
        return sl_test_run(suite);                                    \
    }

#define SL_TEST_MAIN(name, ...)                                                         \
    int main(void)                                                                      \
    {                                                                                   \
        const TTest *const tests[] = {__VA_ARGS__};                                     \
        return sl_test_run(sl_test_suite(name, tests, sizeof tests / sizeof tests[0])); \
    }

#endif
