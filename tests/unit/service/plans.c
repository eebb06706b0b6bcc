/* How the service's statements find their rows: none looks through a table that grows with all users,
 * however much there is of others (with SQLite's planner, which knows no figures of the tables here). */
#include "world.h"

#include "base/buf.h"
#include "base/mem.h"

#include <string.h>

enum {
    SEEN_MAX = 4096
};

/* What stays small: by their nature, because what is in them is soon taken out, or because
 * it is a list that the statement itself made. */
static const char *const SMALL[] = {"meta", "signing_key", "service_key", "receipt_log", "upload",
                                    "lent", "l",           "CONSTANT",    "unread",      "recent"};

/* Statements that are for the whole. */
static const char *const WHOLE[] = {
    "SELECT n, at_ms, actor, action, object, outcome, hash FROM audit",
    "UPDATE feed SET gone_ms=",          /* once, of databases from before */
    "SELECT r.\"space\", r.\"id\" FROM", /* what somebody who is erased wrote anywhere */
};

static const char *g_seen[SEEN_MAX];
static size_t g_count;

static bool is_one_of(const char *const *list, size_t n, const char *text, bool whole)
{
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(list[i]);
        found = found || (strncmp(text, list[i], len) == 0 &&
                          (!whole || text[len] == '\0' || text[len] == ' '));
    }
    return found;
}

static bool is_new(const char *sql)
{
    for (size_t i = 0; i < g_count; i++) {
        if (strcmp(g_seen[i], sql) == 0) {
            return false;
        }
    }
    ck_assert_uint_lt(g_count, SEEN_MAX);
    g_seen[g_count] = sl_text_dup(sql);
    ck_assert_ptr_nonnull(g_seen[g_count]);
    g_count++;
    return true;
}

typedef struct question {
    const char *sql;
} question;

static bool look(void *ctx, const sl_cell *cells, size_t n)
{
    const char *sql = ((const question *)ctx)->sql;
    const char *step = n == 4 ? sl_cell_str(&cells[3]) : NULL;
    ck_assert_ptr_nonnull(step);
    if (strncmp(step, "SCAN ", 5) == 0 &&
        !is_one_of(SMALL, sizeof SMALL / sizeof SMALL[0], step + 5, true) &&
        !(strstr(step, "USING") != NULL && strstr(sql, "LIMIT 1") != NULL)) {
        ck_abort_msg("\"%s\" in: %s", step, sql);
    }
    return true;
}

void plan_check(const sl_db *db, const char *sql, const sl_cell *params, size_t n)
{
    static const char *const kinds[] = {"SELECT", "UPDATE", "DELETE", "INSERT"};
    if (!is_one_of(kinds, sizeof kinds / sizeof kinds[0], sql, true) ||
        is_one_of(WHOLE, sizeof WHOLE / sizeof WHOLE[0], sql, false) || !is_new(sql)) {
        return;
    }
    sl_buf text = {0};
    sl_buf_fmt(&text, "EXPLAIN QUERY PLAN %s", sql);
    ck_assert_int_eq(db->run(db->user, sl_buf_text(&text), params, n, look, &(question){sql}, NULL),
                     SL_OK);
    sl_buf_free(&text);
}
