/* The program's own way into libwebsockets' sorted lists ends where the library's does. */
#include "support.h"

#include "base/prng.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <string.h>

enum {
    NODES = 300
};

typedef struct node {
    struct lws_dll2 list; /* the first, as the library has it */
    uint64_t at;
} node;

static int later(const lws_dll2_t *a, const lws_dll2_t *b)
{
    uint64_t x = ((const node *)(const void *)a)->at;
    uint64_t y = ((const node *)(const void *)b)->at;
    return x < y ? -1 : x > y ? 1 : 0;
}

/* The place as the library looks for it: before the first that is not less. */
static const lws_dll2_t *place_of(const lws_dll2_owner_t *own, const node *n)
{
    const lws_dll2_t *p = own->head;
    while (p != NULL && later(p, &n->list) < 0) {
        p = p->next;
    }
    return p;
}

static bool is_right(const lws_dll2_owner_t *own, size_t count)
{
    const lws_dll2_t *before = NULL;
    size_t n = 0;
    bool right = true;
    for (const lws_dll2_t *p = own->head; p != NULL; p = p->next) {
        right = right && p->prev == before && p->owner == own;
        right = right && (before == NULL || later(before, p) <= 0);
        before = p;
        n++;
    }
    return right && own->tail == before && n == count && own->count == count;
}

/* Keys below `below`: small, so that many are equal, or large. */
static void fill(uint64_t seed, uint64_t below)
{
    static node nodes[NODES];
    lws_dll2_owner_t own = {0};
    sl_prng r;
    memset(nodes, 0, sizeof nodes);
    sl_prng_seed(&r, seed);
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].at = sl_prng_below(&r, below);
        const lws_dll2_t *next = place_of(&own, &nodes[i]);
        lws_dll2_add_sorted(&nodes[i].list, &own, later);
        ck_assert_ptr_eq(nodes[i].list.next, next);
        ck_assert(is_right(&own, i + 1));
    }
}

START_TEST(inserts__a_list_is_sorted_as_the_library_sorts_it)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        fill(seed, 1000000);
    }
}
END_TEST

START_TEST(inserts__among_equals_the_newest_is_the_first)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        fill(seed, 10);
        fill(seed, 1);
    }
}
END_TEST

static int g_lines;

static void count_line(int level, const char *line)
{
    (void)level;
    (void)line;
    g_lines++;
}

START_TEST(inserts__what_is_to_be_logged_is)
{
    g_lines = 0;
    lws_set_log_level(LLL_ERR | LLL_WARN, count_line);
    lwsl_err("%d\n", 1);
    lwsl_warn("%d\n", 2);
    ck_assert_int_eq(g_lines, 2);
    lwsl_notice("%d\n", 3);
    lwsl_info("%d\n", 4);
    ck_assert_int_eq(g_lines, 2);
    lws_set_log_level(0, count_line);
    lwsl_err("%d\n", 5);
    ck_assert_int_eq(g_lines, 2);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        inserts__a_list_is_sorted_as_the_library_sorts_it,
        inserts__among_equals_the_newest_is_the_first,
        inserts__what_is_to_be_logged_is,
    };
    return sl_test_run(sl_test_suite("inserts", tests, sizeof tests / sizeof tests[0]));
}
