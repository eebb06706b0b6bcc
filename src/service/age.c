/*
 * service/age.c - the date of birth, and what a parent has agreed to.
 *
 *   [AGE-1] no account is signed in to before its date of birth is known, but for those from before it was
 *           asked for; one of a child waits for a parent;
 *   [AGE-2] who agreed, when, in which way and to whom it was shown is kept, and a line of the audit log.
 */
#include "base/error.h"
#include "service/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AGE_MIN = 13
};

static bool leap(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Days since 1970-01-01 of a date as year-month-day; false: there is no such day. */
static bool day_of(const char *text, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || strspn(text, "0123456789") != 4 ||
        strspn(text + 5, "0123456789") != 2 || strspn(text + 8, "0123456789") != 2) {
        return false;
    }
    int64_t y = strtoll(text, NULL, 10);
    int64_t m = strtoll(text + 5, NULL, 10);
    int64_t d = strtoll(text + 8, NULL, 10);
    if (y < 1900 || m < 1 || m > 12 || d < 1 || d > lengths[m - 1] + (m == 2 && leap(y) ? 1 : 0)) {
        return false;
    }
    *days = (y - 1970) * 365 + (y - 1969) / 4 - (y - 1901) / 100 + (y - 1601) / 400 + d - 1;
    for (int64_t i = 1; i < m; i++) {
        *days += lengths[i - 1] + (i == 2 && leap(y) ? 1 : 0);
    }
    return true;
}

/* Who is born on February 29 is a year older on March 1 of other years; the day is that of the latest time
 * zone, so that nobody counts as older too early. */
static int64_t today_of(const sl_service *s)
{
    return (sl_sv_now(s) - INT64_C(12) * 3600000) / INT64_C(86400000);
}

bool sl_sv_is_child(const sl_service *s, const char *birth)
{
    char then[32];
    int64_t day = 0;
    int64_t grown = 0;
    if (!day_of(birth, &day)) {
        return false;
    }
    (void)snprintf(then, sizeof then, "%04d%s", (int)strtol(birth, NULL, 10) + AGE_MIN, birth + 4);
    if (!day_of(then, &grown)) { /* February 29 */
        (void)snprintf(then, sizeof then, "%04d-03-01", (int)strtol(birth, NULL, 10) + AGE_MIN);
        (void)day_of(then, &grown);
    }
    return today_of(s) < grown;
}

bool sl_sv_take_birth(const sl_json *j, const sl_service *s, sl_sv_account *a, sl_http_out *out)
{
    const sl_json *given = sl_json_get(j, "birth_date");
    const char *birth = sl_json_text(given);
    int64_t day = 0;
    if (given == NULL) {
        sl_sv_invalid(out, "birth_date", "birth_date is required");
        return false;
    }
    if (birth == NULL || !day_of(birth, &day) || day > today_of(s) + 1) {
        sl_sv_invalid(out, "birth_date", "birth_date must be a day, as 2001-12-31");
        return false;
    }
    sl_sv_copy(a->birth, sizeof a->birth, birth);
    sl_sv_copy(a->status, sizeof a->status, sl_sv_is_child(s, birth) ? "consent" : "");
    return true;
}

/* ---- a parent ---- */

const char *sl_sv_take_consent(const sl_json *j, sl_sv_consent *c, sl_http_out *out)
{
    static const char *const ways[] = {"form", "card", "phone", "video", "identity", "mail"};
    const sl_json *given = sl_json_get(j, "consent");
    memset(c, 0, sizeof *c);
    if (given == NULL) {
        return "";
    }
    const char *by = sl_json_str(given, "by");
    const char *how = sl_json_str(given, "how");
    for (size_t i = 0; how != NULL && i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(how, ways[i]) == 0) {
            c->how = ways[i];
        }
    }
    if (by == NULL || by[0] == 0 || strlen(by) > 200 || c->how == NULL) {
        sl_sv_invalid(out, "consent",
                      "consent says by whom, and how: form, card, phone, video, identity or mail");
        return NULL;
    }
    c->by = by;
    return by;
}

sl_status sl_sv_consent_due(sl_service *s, const sl_sv_account *a, bool *due, sl_error **err)
{
    sl_sv_rows rows;
    *due = false;
    if (!sl_sv_is_child(s, a->birth)) {
        return SL_OK;
    }
    sl_status status = sl_sv_all(s, "SELECT user_id FROM consent WHERE user_id=$1",
                                 SL_SV_ARGS(sl_cell_text(a->id)), &rows, err);
    *due = status == SL_OK && rows.count == 0;
    sl_sv_rows_free(&rows);
    return status;
}

/* [AGE-2] */
sl_status sl_sv_consent_keep(sl_sv_tx *tx, const char *user, const char *admin,
                             const sl_sv_consent *c, sl_error **err)
{
    sl_status status = sl_sv_run(
        tx->s,
        "INSERT INTO consent (user_id, by_name, how, at_ms, admin) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (user_id) DO UPDATE SET by_name=excluded.by_name, how=excluded.how,"
        " at_ms=excluded.at_ms, admin=excluded.admin",
        SL_SV_ARGS(sl_cell_text(user), sl_cell_text(c->by), sl_cell_text(c->how),
                   sl_cell_int(tx->now_ms), sl_cell_text(admin)),
        err);
    return status == SL_OK ? sl_sv_audit_add(tx->s, tx->now_ms, admin, "consent", user, c->how, err)
                           : status;
}
