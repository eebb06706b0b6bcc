/* Live queries: told that they may have changed, they give the difference when it is taken. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sl_live_query *find(sl_core *core, sl_id id)
{
    sl_live_query *q = core->queries;
    while (q != NULL && q->id != id) {
        q = q->next;
    }
    return q;
}

static void live_free(sl_live_query *q)
{
    sl_query_free(q->query);
    sl_mem_free(q->last);
    sl_mem_free(q);
}

sl_status sl_live_watch(sl_core *core, const sl_json *query, sl_id *sub, sl_error **err)
{
    sl_live_query *q = sl_mem(sizeof *q);
    if (q == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_query_parse(query, &q->query, err);
    if (status != SL_OK) {
        sl_mem_free(q);
        return status;
    }
    q->id = ++core->next_id;
    q->next = core->queries;
    core->queries = q;
    *sub = q->id;
    sl_events_rows(core->events, q->id);
    return SL_OK;
}

sl_status sl_live_unwatch(sl_core *core, sl_id sub)
{
    for (sl_live_query **at = &core->queries; *at != NULL; at = &(*at)->next) {
        if ((*at)->id == sub) {
            sl_live_query *q = *at;
            *at = q->next;
            live_free(q);
            return SL_OK;
        }
    }
    return SL_E_NOT_FOUND;
}

void sl_live_stop(sl_core *core)
{
    while (core->queries != NULL) {
        sl_live_query *q = core->queries;
        core->queries = q->next;
        live_free(q);
    }
}

typedef struct sl_live_row {
    char id[SL_UUID_LEN + 1];
    uint64_t hash; /* of its text */
    size_t from;   /* in the text of now */
    size_t len;
} sl_live_row;

typedef struct gather {
    sl_buf text; /* rows one behind the other */
    sl_live_row *rows;
    size_t count;
    size_t room;
} gather;

/* FNV-1a over words: two states of one row must not look alike, no enemy makes them. */
static uint64_t hash_of(const uint8_t *p, size_t n)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ n;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        h = (h ^ word) * UINT64_C(1099511628211);
        h ^= h >> 29;
    }
    for (; n > 0; p++, n--) {
        h = (h ^ *p) * UINT64_C(1099511628211);
    }
    return h ^ h >> 32;
}

static bool gather_row(void *ctx, const char *id, size_t from)
{
    gather *g = ctx;
    if (g->count == g->room) {
        size_t room = g->room > 0 ? g->room * 2 : 16;
        sl_live_row *grown = sl_mem_resize(g->rows, room, sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        g->rows = grown;
        g->room = room;
    }
    sl_live_row *row = &g->rows[g->count++];
    (void)snprintf(row->id, sizeof row->id, "%s", id[0] != 0 ? id : "count");
    row->from = from;
    row->len = g->text.len - from;
    row->hash = hash_of(g->text.data + from, row->len);
    return true;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const sl_live_row *)a)->id, ((const sl_live_row *)b)->id);
}

static const sl_live_row *row_of(const sl_live_row *rows, size_t n, const char *id)
{
    sl_live_row key;
    (void)snprintf(key.id, sizeof key.id, "%s", id);
    return rows != NULL && n > 0 ? bsearch(&key, rows, n, sizeof *rows, by_id) : NULL;
}

/* --- who hears of a change ------------------------------------------------------------------- */

enum {
    TESTS_MAX = 256 /* records that are looked at for one change, whose maker waits meanwhile */
};

void sl_live_touch(sl_core *core, const sl_entity *e, const char *space)
{
    for (const sl_live_query *q = core->queries; q != NULL; q = q->next) {
        if (sl_query_concerns(q->query, e, space)) {
            sl_events_rows(core->events, q->id);
        }
    }
}

void sl_live_touch_space(sl_core *core, const char *space)
{
    for (size_t i = 0; i < sl_entity_count; i++) {
        if (sl_space_is(space, sl_entities[i].space_kind)) {
            sl_live_touch(core, &sl_entities[i], space);
        }
    }
}

void sl_few_add(sl_few *few, const sl_entity *e, const char *space, const char *id, bool gone)
{
    const sl_touched *last = few->count > 0 ? &few->list[few->count - 1] : NULL;
    bool same = last != NULL && last->entity == e && strcmp(last->id, id) == 0;
    if (few->count > SL_FEW || (same && last->gone == gone)) {
        return;
    }
    if (few->count < SL_FEW) {
        sl_touched *t = &few->list[few->count];
        t->entity = e;
        t->gone = gone;
        (void)snprintf(t->space, sizeof t->space, "%s", space);
        (void)snprintf(t->id, sizeof t->id, "%s", id);
    }
    few->count++;
}

void sl_few_exceed(sl_few *few)
{
    few->count = SL_FEW + 1;
}

/* A record is in the answer before the change or after it, or the answer is the same. One that is gone and
 * was beyond the limit changes nothing here, but maybe in what is shown beside it. */
static bool hears_of(sl_core *core, const sl_live_query *q, const sl_touched *t, unsigned *tests)
{
    if (!sl_query_concerns(q->query, t->entity, t->space)) {
        return false;
    }
    bool known = q->last != NULL && sl_query_is_plain(q->query);
    if (!known || (t->gone && sl_query_is_cut(q->query, q->count)) ||
        row_of(q->last, q->count, t->id) != NULL) {
        return true;
    }
    if (SL_PLANTED("live-misses-new")) {
        return false;
    }
    return *tests >= TESTS_MAX || ((*tests)++, sl_store_meets(core->store, q->query, t->id));
}

bool sl_live_touch_few(sl_core *core, const sl_few *few)
{
    unsigned tests = 0;
    if (few->count > SL_FEW) {
        return false;
    }
    for (const sl_live_query *q = core->queries; q != NULL; q = q->next) {
        bool hears = false;
        for (size_t i = 0; i < few->count && !hears; i++) {
            hears = hears_of(core, q, &few->list[i], &tests);
        }
        if (hears) {
            sl_events_rows(core->events, q->id);
        }
    }
    return true;
}

/* --- the difference -------------------------------------------------------------------------- */

static void put_id(sl_buf *out, const char *id)
{
    sl_json_put_text(out, id, strlen(id));
}

static void put_comma(sl_buf *out, bool *first)
{
    sl_buf_put(out, ",", *first ? 0 : 1);
    *first = false;
}

/* order: the rows as the query gave them; sorted: the same by id. */
static void put_diff(sl_buf *out, const sl_live_query *q, const gather *now,
                     const sl_live_row *sorted)
{
    size_t count = now->rows != NULL ? now->count : 0;
    size_t had = q->last != NULL ? q->count : 0;
    bool first = true;
    sl_buf_str(out, "{\"upserts\":[");
    for (size_t i = 0; i < count; i++) {
        const sl_live_row *row = &now->rows[i];
        const sl_live_row *was = row_of(q->last, had, row->id);
        if (was == NULL || was->hash != row->hash || was->len != row->len) {
            put_comma(out, &first);
            sl_buf_put(out, now->text.data + row->from, row->len);
        }
    }
    first = true;
    sl_buf_str(out, "],\"removed\":[");
    for (size_t i = 0; i < had; i++) {
        if (row_of(sorted, count, q->last[i].id) == NULL && !SL_PLANTED("live-forgets-removed")) {
            put_comma(out, &first);
            put_id(out, q->last[i].id);
        }
    }
    first = true;
    sl_buf_str(out, "],\"order\":[");
    for (size_t i = 0; i < count; i++) {
        put_comma(out, &first);
        put_id(out, now->rows[i].id);
    }
    sl_buf_str(out, "]}");
}

sl_status sl_live_take(sl_core *core, sl_id sub, sl_bytes **out, sl_error **err)
{
    sl_live_query *q = find(core, sub);
    if (q == NULL) {
        return sl_fail(err, SL_E_NOT_FOUND, "there is no such live query");
    }
    gather now = {.count = 0};
    sl_buf diff = {0};
    sl_live_row *sorted = NULL;
    sl_status status = sl_store_query(core->store, q->query, &now.text, gather_row, &now, err);
    if (status == SL_OK) {
        sorted = sl_mem_array(now.count + 1, sizeof *sorted);
        status = sorted != NULL ? SL_OK : sl_fail_nomem(err);
    }
    if (sorted != NULL && now.rows != NULL) {
        memcpy(sorted, now.rows, now.count * sizeof *sorted);
        qsort(sorted, now.count, sizeof *sorted, by_id);
    }
    if (status == SL_OK) {
        put_diff(&diff, q, &now, sorted);
        *out = sl_buf_bytes(&diff);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        sl_mem_free(q->last);
        q->last = sorted;
        q->count = now.count;
        sorted = NULL;
    }
    sl_mem_free(sorted);
    sl_mem_free(now.rows);
    sl_buf_free(&now.text);
    sl_buf_free(&diff);
    return status;
}
