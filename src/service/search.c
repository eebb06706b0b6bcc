/*
 * service/search.c - what the one who asks may read and has all the words looked for.
 *
 *   [SEARCH-1] nothing is found but what the policy lets the one who asks read: only the spaces are looked
 *              through that the user is in, and the storefronts, each after the policy was asked;
 *   [SEARCH-2] a search that goes on by `next` until there is none has looked at everything that was there
 *              and stayed as it was.
 *
 * There is no index of words: records are read and compared, the newest first within a kind. One request
 * looks at LOOKS_MAX records at most, some at a time under the lock, and then says where to go on, be it
 * without a result.
 */
#include "base/error.h"
#include "base/utf8.h"
#include "service/ask.h"
#include "service/fold.h"
#include "service/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP = 100, /* rows of one statement */
    LOOKS_MAX = 1000,
    QUERY_MAX = 200,
    AFTER_MAX = SL_SPACE_MAX + 20
};

/* In this order. */
static const char *const KINDS[] = {"coach", "program", "video", "message"};

enum {
    KIND_COUNT = sizeof KINDS / sizeof KINDS[0],
    MESSAGE = KIND_COUNT - 1
};

typedef struct hunt {
    sl_sv_list list;
    const char *words; /* folded */
    sl_buf folded;     /* the record looked at */
    size_t kind;
    size_t last_kind;
    sl_sv_space space; /* the one looked at last; "": none of this kind yet */
    int64_t below;     /* of a thread: what is left lies below this number; 0: nothing */
    size_t looks;
} hunt;

static const char *space_kind(size_t kind)
{
    return sl_entity_find(KINDS[kind])->space_kind;
}

/* ---- one record ---- */

static sl_status look(hunt *h, const char *space, const char *id)
{
    const sl_entity *e = sl_entity_find(KINDS[h->kind]);
    sl_record *rec = &h->list.rec;
    sl_status status = sl_sv_load(h->list.s, e, space, id, rec, NULL);
    h->looks++;
    if (status != SL_OK || rec->entity == NULL || rec->deleted) {
        return status;
    }
    sl_buf_clear(&h->folded);
    for (size_t i = 0; i < e->field_count; i++) {
        const char *text = e->fields[i].search ? sl_cell_str(&rec->values[i]) : NULL;
        sl_sv_fold(&h->folded, text != NULL ? text : "");
    }
    if (h->folded.failed) {
        return SL_E_NOMEM;
    }
    if (sl_sv_fold_has(sl_buf_text(&h->folded), h->words)) {
        sl_sv_list_put(&h->list);
    }
    return SL_OK;
}

static bool enough(const hunt *h)
{
    return sl_sv_list_full(&h->list) || h->looks >= LOOKS_MAX;
}

static void next_kind(hunt *h)
{
    h->kind++;
    h->space[0] = 0;
    h->below = 0;
}

/* ---- roots: one record in each space ---- */

static sl_status roots_below(const hunt *h, sl_sv_rows *rows)
{
    static const char storefronts[] =
        "SELECT \"space\" FROM \"coach\" WHERE $1=$1 AND $2=$2 AND \"id\"<$3"
        " ORDER BY \"id\" DESC LIMIT 100";
    static const char held[] = "SELECT space FROM access WHERE user_id=$1 AND space LIKE $2 AND"
                               " space<$3 ORDER BY space DESC LIMIT 100";
    char pattern[24];
    sl_sv_space below;
    const char *kind = space_kind(h->kind);
    bool all = strcmp(kind, "coach") == 0;
    (void)snprintf(pattern, sizeof pattern, "%s:%%", kind);
    sl_space_name(below, kind, h->space[0] != 0 ? sl_space_id(h->space) : "g"); /* above all ids */
    return sl_sv_all(h->list.s, all ? storefronts : held,
                     SL_SV_ARGS(sl_cell_text(h->list.user), sl_cell_text(pattern),
                                sl_cell_text(all ? sl_space_id(below) : below)),
                     rows, NULL);
}

static sl_status step_roots(hunt *h)
{
    sl_sv_rows rows;
    size_t i = 0;
    sl_status status = roots_below(h, &rows);
    for (; status == SL_OK && i < rows.count && !enough(h); i++) {
        bool may = false;
        sl_sv_copy(h->space, sizeof h->space, sl_sv_text(&rows, i, 0));
        status = sl_sv_list_may(&h->list, h->space, &may);
        if (status == SL_OK && may) {
            status = look(h, h->space, sl_space_id(h->space));
        } else {
            h->looks++;
        }
    }
    if (status == SL_OK && i == rows.count && rows.count < STEP) {
        next_kind(h);
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* ---- messages: many in each thread ---- */

static sl_status next_thread(hunt *h)
{
    sl_sv_rows rows;
    bool may = false;
    sl_status status = roots_below(h, &rows);
    size_t i = 0;
    for (; status == SL_OK && i < rows.count && !may; i++) {
        sl_sv_copy(h->space, sizeof h->space, sl_sv_text(&rows, i, 0));
        status = sl_sv_list_may(&h->list, h->space, &may);
        h->looks++;
    }
    h->below = may ? SL_JSON_INT_MAX : 0;
    if (status == SL_OK && !may && rows.count < STEP) {
        next_kind(h);
    }
    sl_sv_rows_free(&rows);
    return status;
}

static sl_status step_thread(hunt *h)
{
    sl_sv_rows rows;
    size_t i = 0;
    bool may = false;
    sl_status status =
        sl_sv_list_may(&h->list, h->space, &may); /* it may have been left meanwhile */
    if (status != SL_OK || !may) {
        h->below = 0;
        return status;
    }
    status = sl_sv_all(
        h->list.s,
        "SELECT seq, entity, id FROM feed WHERE space=$1 AND seq<$2 ORDER BY seq DESC LIMIT 100",
        SL_SV_ARGS(sl_cell_text(h->space), sl_cell_int(h->below)), &rows, NULL);
    for (; status == SL_OK && i < rows.count && !enough(h); i++) {
        h->below = sl_sv_int(&rows, i, 0);
        if (strcmp(sl_sv_text(&rows, i, 1), KINDS[MESSAGE]) == 0) {
            status = look(h, h->space, sl_sv_text(&rows, i, 2));
        } else {
            h->looks++;
        }
    }
    if (status == SL_OK && i == rows.count && rows.count < STEP) {
        h->below = 0;
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* ---- all ---- */

static sl_status step(hunt *h)
{
    if (h->kind != MESSAGE) {
        return step_roots(h);
    }
    return h->below > 0 ? step_thread(h) : next_thread(h);
}

static sl_status go(hunt *h)
{
    sl_status status = SL_OK;
    while (status == SL_OK && h->kind <= h->last_kind && !enough(h)) {
        sl_lock(h->list.s->lock);
        status = step(h);
        sl_unlock(h->list.s->lock);
    }
    return status;
}

/* Where the hunt is, for `after`: kind:id, or kind:id/number within a thread; kind: when the kind is
 * begun. */
static void put_place(const hunt *h, sl_buf *out)
{
    if (h->kind > h->last_kind) {
        return;
    }
    sl_buf_fmt(out, "%s:%s", KINDS[h->kind], h->space[0] != 0 ? sl_space_id(h->space) : "");
    if (h->below > 0) {
        sl_buf_fmt(out, "/%lld", (long long)h->below);
    }
}

/* False: it is no place. */
static bool read_place(hunt *h, const char *after)
{
    size_t n = strcspn(after, ":");
    while (h->kind <= h->last_kind &&
           (strlen(KINDS[h->kind]) != n || strncmp(KINDS[h->kind], after, n) != 0)) {
        h->kind++;
    }
    if (h->kind > h->last_kind || after[n] != ':') {
        return false;
    }
    const char *id = after + n + 1;
    if (id[0] == 0) {
        return true;
    }
    char copy[SL_UUID_LEN + 1];
    sl_sv_copy(copy, sizeof copy, id);
    bool ok = sl_uuid_ok(copy);
    const char *more = ok ? id + SL_UUID_LEN : "";
    if (ok && more[0] == '/' && h->kind == MESSAGE) {
        size_t digits = strspn(more + 1, "0123456789");
        h->below = strtoll(more + 1, NULL, 10);
        ok = digits > 0 && digits < 19 && h->below > 0;
        more += 1 + digits;
    }
    if (ok) {
        sl_space_name(h->space, space_kind(h->kind), copy);
    }
    return ok && more[0] == 0;
}

/* False: the answer is made. */
static bool read_question(hunt *h, const sl_sv_ask *ask, sl_buf *words, sl_http_out *out)
{
    const char *q = NULL;
    const char *type = NULL;
    const char *after = NULL;
    if (!sl_sv_ask_text(ask, "q", &q, out) || !sl_sv_ask_text(ask, "type", &type, out) ||
        !sl_sv_ask_text(ask, "after", &after, out)) {
        return false;
    }
    h->last_kind = KIND_COUNT - 1;
    for (size_t i = 0; type != NULL && i < KIND_COUNT; i++) {
        if (strcmp(type, KINDS[i]) == 0) {
            h->kind = i;
            h->last_kind = i;
            type = NULL;
        }
    }
    bool fits = q != NULL && strlen(q) <= QUERY_MAX && sl_utf8_ok(q, strlen(q));
    sl_sv_fold(words, fits ? q : "");
    if (words->failed) {
        sl_sv_broken(out, SL_E_NOMEM);
    } else if (words->len == 0) {
        sl_sv_invalid(out, "q", "has words to look for, in up to 200 bytes");
    } else if (type != NULL) {
        sl_sv_invalid(out, "type", "is coach, program, video or message");
    } else if (after != NULL && !read_place(h, after)) {
        sl_sv_invalid(out, "after", "is what the page before gave as next");
    } else {
        h->words = sl_buf_text(words);
        return true;
    }
    return false;
}

void sl_sv_search(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_ask ask;
    sl_buf words = {0};
    sl_buf place = {0};
    hunt h = {.kind = 0};
    if (sl_sv_ask_read(r->in, &ask, out) && sl_sv_list_begin(&h.list, r, &ask, "results", out)) {
        if (read_question(&h, &ask, &words, out)) {
            sl_status status = go(&h);
            put_place(&h, &place);
            status = status == SL_OK && place.failed ? SL_E_NOMEM : status;
            sl_sv_list_answer(&h.list, status, sl_buf_text(&place), out);
        }
        sl_sv_list_free(&h.list);
    }
    sl_buf_free(&h.folded);
    sl_buf_free(&words);
    sl_buf_free(&place);
    sl_sv_ask_free(&ask);
}
