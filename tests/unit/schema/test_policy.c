/*
 * Who may do what, all of it: every standing, entity, deed and relation, written as text and compared
 * with tests/golden/policy.txt, which people have read line by line. A change of the policy is a change
 * of that file: SL_GOLDEN_WRITE=1 writes it.
 */
#include "base/buf.h"
#include "golden.h"
#include "schema/policy.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char PATH[] = "tests/golden/policy.txt";
static const char LETTERS[] = "osgdpuxl"; /* of the relations, in their order */

typedef struct way {
    const char *name;
    sl_deed deed;
    bool author;
} way;

static const way WAYS[] = {
    {"read", SL_DEED_READ, false},     {"create", SL_DEED_CREATE, false},
    {"patch", SL_DEED_PATCH, false},   {"patch own", SL_DEED_PATCH, true},
    {"delete", SL_DEED_DELETE, false}, {"delete own", SL_DEED_DELETE, true},
};

/* The relations towards which it is allowed; *cells counts them all. */
static void put_cell(sl_buf *out, const sl_entity *e, const way *w, sl_standing s, size_t *cells)
{
    char text[SL_RELATIONS + 1] = "";
    size_t n = 0;
    for (unsigned r = 0; r < SL_RELATIONS; r++) {
        sl_policy_ask ask = {s, (sl_relation)r, w->deed, e, w->author};
        if (sl_policy_rule(&ask) == SL_RULING_ALLOW) {
            text[n++] = LETTERS[r];
        }
        ++*cells;
    }
    text[n] = 0;
    sl_buf_fmt(out, " %-8s", n > 0 ? text : "-");
}

static void put_entities(sl_buf *out, size_t *cells)
{
    static const char *const short_names[SL_STANDINGS] = {
        "guest", "ath.free", "ath.paid", "c.basic", "c.trial", "c.prem", "admin"};
    sl_buf_fmt(out, "%-32s", "");
    for (unsigned s = 0; s < SL_STANDINGS; s++) {
        sl_buf_fmt(out, " %-8s", short_names[s]);
    }
    sl_buf_str(out, "\n");
    for (size_t i = 0; i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        for (size_t k = 0; k < sizeof WAYS / sizeof WAYS[0]; k++) {
            char name[64];
            (void)snprintf(name, sizeof name, "%s %s", e->name, WAYS[k].name);
            sl_buf_fmt(out, "%-32s", name);
            for (unsigned s = 0; s < SL_STANDINGS; s++) {
                put_cell(out, e, &WAYS[k], (sl_standing)s, cells);
            }
            sl_buf_str(out, "\n");
        }
    }
}

static void put_features(sl_buf *out, size_t *cells)
{
    static const char *const limits[SL_LIMITS] = {"messages_day", "students"};
    for (size_t i = 0; i < sl_feature_count; i++) {
        sl_buf_fmt(out, "%-32s", sl_features[i].name);
        for (unsigned s = 0; s < SL_STANDINGS; s++) {
            bool yes = sl_policy_feature((sl_standing)s, sl_features[i].name);
            sl_buf_fmt(out, " %-8s", yes ? "yes" : "-");
            ++*cells;
        }
        sl_buf_str(out, "\n");
    }
    for (size_t i = 0; i < SL_LIMITS; i++) {
        sl_buf_fmt(out, "limit %-26s", limits[i]);
        for (unsigned s = 0; s < SL_STANDINGS; s++) {
            char text[24] = "-";
            if (sl_policy_limits[i][s] >= 0) {
                (void)snprintf(text, sizeof text, "%lld", (long long)sl_policy_limits[i][s]);
            }
            sl_buf_fmt(out, " %-8s", text);
            ++*cells;
        }
        sl_buf_str(out, "\n");
    }
}

static void trim_line_ends(sl_buf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++) {
        if (b->data[i] == '\n') {
            while (n > 0 && b->data[n - 1] == ' ') {
                n--;
            }
        }
        b->data[n++] = b->data[i];
    }
    b->len = n;
    b->data[n] = 0;
}

START_TEST(policy__is_what_was_reviewed)
{
    sl_buf out = {0};
    size_t cells = 0;
    sl_buf_str(
        &out,
        "Relations: o own, s student, g given, d direct, p peer, u public, x stranger, l lead.\n"
        "own after patch and delete: of a record whose author one is.\n\n");
    put_entities(&out, &cells);
    sl_buf_str(&out, "\n");
    put_features(&out, &cells);
    sl_buf_fmt(&out, "\n%zu cells\n", cells);
    ck_assert(!out.failed);
    ck_assert_uint_ge(cells, 2000);
    trim_line_ends(&out);
    sl_golden_check(PATH, sl_buf_text(&out));
    sl_buf_free(&out);
}
END_TEST

START_TEST(standing__follows_the_plan_to_the_millisecond)
{
    const int64_t end = INT64_C(1700000000000);
    ck_assert_int_eq(sl_standing_of("coach", NULL, 0, end), SL_S_COACH_PREMIUM);
    ck_assert_int_eq(sl_standing_of("coach", "", 5, end), SL_S_COACH_PREMIUM);
    ck_assert_int_eq(sl_standing_of("coach", "trial", end, end - 1), SL_S_COACH_TRIAL);
    ck_assert_int_eq(sl_standing_of("coach", "trial", end, end), SL_S_COACH_BASIC);
    ck_assert_int_eq(sl_standing_of("coach", "active", end, end + SL_PLAN_GRACE_MS - 1),
                     SL_S_COACH_PREMIUM);
    ck_assert_int_eq(sl_standing_of("coach", "active", end, end + SL_PLAN_GRACE_MS),
                     SL_S_COACH_BASIC);
    ck_assert_int_eq(sl_standing_of("coach", "active", 0, INT64_MAX), SL_S_COACH_PREMIUM);
    ck_assert_int_eq(sl_standing_of("coach", "expired", 0, end), SL_S_COACH_BASIC);
    ck_assert_int_eq(sl_standing_of("coach", "unheard of", 0, end), SL_S_COACH_BASIC);
    ck_assert_int_eq(sl_standing_of("athlete", "trial", end, end - 1), SL_S_ATHLETE_PAID);
    ck_assert_int_eq(sl_standing_of("athlete", "trial", end, end), SL_S_ATHLETE_FREE);
    ck_assert_int_eq(sl_standing_of("athlete", NULL, 0, end), SL_S_ATHLETE_PAID);
    ck_assert_int_eq(sl_standing_of("admin", "expired", 0, end), SL_S_ADMIN);
    ck_assert_int_eq(sl_standing_of("root", NULL, 0, end), SL_S_GUEST);
    ck_assert_int_eq(sl_standing_of(NULL, NULL, 0, end), SL_S_GUEST);
}
END_TEST

START_TEST(relation__comes_from_the_role_in_the_space)
{
    ck_assert_int_eq(sl_relation_of("video", SL_R_OWNER, false), SL_REL_OWN);
    ck_assert_int_eq(sl_relation_of("video", SL_R_COACH, false), SL_REL_STUDENT);
    ck_assert_int_eq(sl_relation_of("video", SL_R_MEMBER, true), SL_REL_GIVEN);
    ck_assert_int_eq(sl_relation_of("video", 0, true), SL_REL_STRANGER);
    ck_assert_int_eq(sl_relation_of("thread", SL_R_MEMBER, true), SL_REL_DIRECT);
    ck_assert_int_eq(sl_relation_of("thread", SL_R_MEMBER, false), SL_REL_PEER);
    ck_assert_int_eq(sl_relation_of("thread", 0, true), SL_REL_STRANGER);
    ck_assert_int_eq(sl_relation_of("thread", SL_R_COACH, true), SL_REL_LEAD);
    ck_assert_int_eq(sl_relation_of("thread", SL_R_COACH, false), SL_REL_LEAD);
    ck_assert_int_eq(sl_relation_of("thread", SL_R_OWNER, false), SL_REL_OWN);
    ck_assert_int_eq(sl_relation_of("organisation", SL_R_COACH, false), SL_REL_LEAD);
    ck_assert_int_eq(sl_relation_of("organisation", SL_R_MEMBER, false), SL_REL_GIVEN);
    ck_assert_int_eq(sl_relation_of("organisation", 0, false), SL_REL_STRANGER);
    ck_assert_int_eq(sl_relation_of("coach", SL_R_MEMBER, false), SL_REL_PUBLIC);
    ck_assert_int_eq(sl_relation_of("coach", SL_R_OWNER, false), SL_REL_OWN);
}
END_TEST

START_TEST(feature__unknown_is_nobodys)
{
    ck_assert(!sl_policy_feature(SL_S_ADMIN, "fly"));
    ck_assert(sl_policy_feature(SL_S_ADMIN, "admin_tools"));
    ck_assert(!sl_policy_feature(SL_S_COACH_PREMIUM, "admin_tools"));
}
END_TEST

SL_TEST_MAIN("policy", policy__is_what_was_reviewed, standing__follows_the_plan_to_the_millisecond,
             relation__comes_from_the_role_in_the_space, feature__unknown_is_nobodys)
