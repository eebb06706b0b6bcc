/*
 * service/offers.c - the programs of a coach: as programs for those who may read them, for all others as the products by
 * which the storefront offers them; those that were asked for, in the order that was asked for.
 *
 * Both have title, level, language, price and currency, and what is chosen by is what the one who asks is shown: by a
 * filter nobody finds out about a program what its product does not say. Prices are compared within a currency alone.
 */
#include "base/base64.h"
#include "base/error.h"
#include "base/utf8.h"
#include "service/list.h"

#include <stdlib.h>
#include <string.h>

typedef enum order {
    NEWEST,
    TITLE,
    PRICE,
    PRICE_DOWN,
    ORDERS
} order;

static const char *const SORTS[ORDERS] = {"newest", "title", "price", "-price"};

enum {
    LANGUAGE_MAX = 35,
    TITLE_MAX = 200, /* bytes */
    PRICE_DIGITS = 16
};

static const int64_t PRICE_MAX = INT64_C(9007199254740991);

/* What was asked for, and how far it was read. */
typedef struct offers {
    const char *coach; /* the account */
    const char *user;  /* who asks */
    bool everywhere;   /* and may read all programs */
    sl_sv_space front;
    order order;
    const char *level; /* "": any, as of the next two */
    const char *currency;
    char language[LANGUAGE_MAX + 1]; /* in small letters */
    int64_t price_min;               /* -1: any */
    int64_t price_max;
    sl_sv_id at; /* the last one looked at: its id; "" at the start */
    char title[TITLE_MAX + 1];
    int64_t price;
    sl_buf place; /* the same as text */
} offers;

/* ---- rows ---- */

/* $1 the coach, $2 the storefront, $3 level, $4 currency, $5 language, $6 and $7 prices, $8 id and $9 key of the
 * place, $10 whether who asks may read what nobody has let them into, $11 who. What they have no access to is not even
 * looked at: the place, which they are told, may be that of any row. */
#define COLUMNS                                                    \
    " p.\"level\" AS v, p.\"currency\" AS c, p.\"language\" AS w," \
    " COALESCE(p.\"price_minor\", 0) AS m, lower(p.\"title\") AS t"
#define HELD                                                                                   \
    "SELECT 'program' AS e, p.\"space\" AS s, p.\"id\" AS i, '' AS g," COLUMNS                 \
    " FROM access x JOIN \"program\" p ON p.\"id\"=substr(x.space, 9) AND p.\"space\"=x.space" \
    " WHERE x.user_id=$1 AND x.role='owner' AND x.space LIKE 'program:%' AND p.\"deleted\"=0"  \
    " AND ($10=1 OR EXISTS (SELECT 1 FROM access y WHERE y.user_id=$11 AND y.space=x.space))"
#define OFFERED                                                                                     \
    "SELECT 'product', f.space, f.id, p.\"program_id\"," COLUMNS                                    \
    " FROM feed f JOIN \"product\" p ON p.\"id\"=f.id AND p.\"space\"=f.space WHERE f.space=$2 AND" \
    " f.listed='product' AND p.\"kind\"='program' AND p.\"status\"='offered' AND p.\"deleted\"=0"
#define WANTED                                \
    "($3='' OR v=$3) AND ($4='' OR c=$4) AND" \
    " ($5='' OR lower(w)=$5 OR lower(w) LIKE $5 || '-%') AND ($6<0 OR m>=$6) AND ($7<0 OR m<=$7)"
#define ROWS \
    "SELECT e, s, i, g, t, m FROM (" HELD " UNION ALL " OFFERED ") AS l WHERE " WANTED " AND "

static sl_status read_rows(void *ctx, sl_service *s, sl_sv_rows *rows)
{
    static const char *const statements[ORDERS] = {
        ROWS "i<$8 AND $9='' ORDER BY i DESC LIMIT 100",
        ROWS "(t>$9 OR (t=$9 AND i<$8)) ORDER BY t, i DESC LIMIT 100",
        ROWS "(m>$9 OR (m=$9 AND i<$8)) ORDER BY m, i DESC LIMIT 100",
        ROWS "(m<$9 OR (m=$9 AND i<$8)) ORDER BY m DESC, i DESC LIMIT 100"};
    const offers *o = ctx;
    bool by_price = o->order == PRICE || o->order == PRICE_DOWN;
    return sl_sv_all(s, statements[o->order],
                     SL_SV_ARGS(sl_cell_text(o->coach), sl_cell_text(o->front),
                                sl_cell_text(o->level), sl_cell_text(o->currency),
                                sl_cell_text(o->language), sl_cell_int(o->price_min),
                                sl_cell_int(o->price_max),
                                sl_cell_text(o->at[0] != 0 ? o->at : "g"), /* above all ids */
                                by_price ? sl_cell_int(o->price) : sl_cell_text(o->title),
                                sl_cell_int(o->everywhere ? 1 : 0), sl_cell_text(o->user)),
                     rows, NULL);
}

static void move(void *ctx, const sl_sv_rows *rows, size_t i)
{
    offers *o = ctx;
    sl_sv_copy(o->at, sizeof o->at, sl_sv_text(rows, i, 2));
    if (o->order == TITLE) {
        sl_sv_copy(o->title, sizeof o->title, sl_sv_text(rows, i, 4));
    }
    o->price = sl_sv_int(rows, i, 5);
}

/* ---- the place: the id, behind the key by which the list goes and a dot ---- */

static const char *place_of(void *ctx)
{
    offers *o = ctx;
    if (o->order == TITLE) {
        sl_base64url(&o->place, o->title, strlen(o->title));
    } else if (o->order != NEWEST) {
        sl_buf_fmt(&o->place, "%lld", (long long)o->price);
    }
    sl_buf_fmt(&o->place, "%s%s", o->order != NEWEST ? "." : "", o->at);
    return o->place.failed ? NULL : sl_buf_text(&o->place);
}

static bool read_title(offers *o, const char *text, size_t n)
{
    sl_buf b = {0};
    bool ok = sl_base64url_decode(&b, text, n) && b.len > 0 && b.len <= TITLE_MAX &&
              memchr(b.data, 0, b.len) == NULL && sl_utf8_ok((const char *)b.data, b.len);
    if (ok) {
        memcpy(o->title, b.data, b.len);
        o->title[b.len] = 0;
    }
    sl_buf_free(&b);
    return ok;
}

static bool read_price(offers *o, const char *text, size_t n)
{
    o->price = strtoll(text, NULL, 10);
    return n > 0 && n <= PRICE_DIGITS && strspn(text, "0123456789") == n && o->price <= PRICE_MAX;
}

static bool read_place(offers *o, const char *after)
{
    const char *dot = strchr(after, '.');
    const char *id = dot != NULL ? dot + 1 : after;
    size_t n = dot != NULL ? (size_t)(dot - after) : 0;
    bool ok = sl_uuid_ok(id) && (dot != NULL) == (o->order != NEWEST);
    sl_sv_copy(o->at, sizeof o->at, id);
    return ok && (o->order == NEWEST ||
                  (o->order == TITLE ? read_title(o, after, n) : read_price(o, after, n)));
}

/* ---- the question ---- */

/* A text of the question that passes; "" when it is not there. False: the answer is made. */
static bool take(const sl_sv_ask *ask, const char *name, bool (*ok)(const char *text),
                 const char *message, const char **to, sl_http_out *out)
{
    const char *text = NULL;
    if (!sl_sv_ask_text(ask, name, &text, out)) {
        return false;
    }
    if (text != NULL && !ok(text)) {
        sl_sv_invalid(out, name, message);
        return false;
    }
    *to = text != NULL ? text : "";
    return true;
}

static bool is_level(const char *text)
{
    const char *const *levels = sl_field_find(sl_entity_find("program"), "level")->values;
    while (*levels != NULL && strcmp(text, *levels) != 0) {
        levels++;
    }
    return *levels != NULL;
}

static bool is_currency(const char *text)
{
    return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* A tag of BCP 47, as far as its letters go. */
static bool is_language(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t n = strlen(text);
    size_t first = strspn(text, letters);
    return n <= LANGUAGE_MAX && first >= 2 && first <= 8 &&
           (text[first] == 0 || text[first] == '-') && text[n - 1] != '-' &&
           strspn(text + first, "-0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == n - first;
}

static bool is_sort(const char *text)
{
    bool found = false;
    for (size_t i = 0; i < ORDERS; i++) {
        found = found || strcmp(text, SORTS[i]) == 0;
    }
    return found;
}

static bool take_price(const sl_sv_ask *ask, const char *name, int64_t *to, sl_http_out *out)
{
    if (!sl_sv_ask_number(ask, name, to, out)) {
        return false;
    }
    *to = sl_json_get(ask->json, name) != NULL ? *to : -1;
    return true;
}

static bool take_filters(const sl_sv_ask *ask, offers *o, sl_http_out *out)
{
    const char *language = "";
    if (!take(ask, "level", is_level, "is beginner, intermediate, advanced or elite", &o->level,
              out) ||
        !take(ask, "currency", is_currency, "is a currency's three capital letters", &o->currency,
              out) ||
        !take(ask, "language", is_language, "is a language tag", &language, out) ||
        !take_price(ask, "price_min", &o->price_min, out) ||
        !take_price(ask, "price_max", &o->price_max, out)) {
        return false;
    }
    for (size_t i = 0; language[i] != 0; i++) {
        char c = language[i];
        o->language[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    bool compares =
        o->price_min >= 0 || o->price_max >= 0 || o->order == PRICE || o->order == PRICE_DOWN;
    if (compares && o->currency[0] == 0) {
        sl_sv_invalid(out, "currency", "is needed where prices are compared");
        return false;
    }
    if (o->price_max >= 0 && o->price_max < o->price_min) {
        sl_sv_invalid(out, "price_max", "is not below price_min");
        return false;
    }
    return true;
}

/* False: the answer is made. */
static bool read_question(const sl_sv_ask *ask, offers *o, sl_http_out *out)
{
    const char *sort = "";
    const char *after = NULL;
    if (!take(ask, "sort", is_sort, "is newest, title, price or -price", &sort, out)) {
        return false;
    }
    for (size_t i = 0; i < ORDERS; i++) {
        o->order = strcmp(sort, SORTS[i]) == 0 ? (order)i : o->order;
    }
    if (!take_filters(ask, o, out) || !sl_sv_ask_text(ask, "after", &after, out)) {
        return false;
    }
    o->price = o->order == PRICE_DOWN ? INT64_MAX : -1;
    if (after != NULL && !read_place(o, after)) {
        sl_sv_invalid(out, "after", "is what the page before gave as next");
        return false;
    }
    return true;
}

void sl_sv_coach_programs(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_list l;
    sl_sv_ask ask;
    offers o = {.coach = r->rest, .user = r->who.user, .order = NEWEST};
    sl_sv_source from = {read_rows, move, &o};
    if (!sl_uuid_ok(r->rest)) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
        return;
    }
    sl_space_name(o.front, "coach", r->rest);
    sl_policy_ask any = {sl_sv_standing(&r->who.rank, sl_sv_now(r->s)), SL_REL_STRANGER,
                         SL_DEED_READ, sl_entity_find("program"), false};
    o.everywhere = sl_policy_rule(&any) == SL_RULING_ALLOW;
    if (sl_sv_ask_read(r->in, &ask, out) && read_question(&ask, &o, out) &&
        sl_sv_list_begin(&l, r, &ask, "programs", out)) {
        sl_sv_list_page(&l, &from, o.front, place_of, out);
        sl_sv_list_free(&l);
    }
    sl_buf_free(&o.place);
    sl_sv_ask_free(&ask);
}
