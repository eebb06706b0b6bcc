/* Rows of a query that are sorted by us: written in the order in which they lie, handed on in that of
 * their keys. */
#include "store/query.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

/* A row, its text in the scratch. */
struct sl_sorted {
    char id[SL_UUID_LEN + 1];
    size_t from;
    size_t len;
    const sl_cell *keys;
};

/* Rows whose leads differ are in the order of their leads; of others all keys are compared. */
struct sl_ranked {
    int64_t lead;
    size_t row;
};

enum {
    KEEP_MAX = 1 << 20 /* bytes of text that stay for the next query */
};

typedef struct sorting {
    sl_rows rows; /* into the scratch */
    sl_scratch *scratch;
    size_t count;
} sorting;

/* --- gathering ------------------------------------------------------------------------------- */

static sl_sorted *new_row(sorting *s)
{
    sl_scratch *t = s->scratch;
    if (s->count == t->room || t->sorted == NULL) {
        size_t room = t->room > 0 ? t->room * 2 : 64;
        sl_sorted *grown = sl_mem_resize(t->sorted, room, sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        t->sorted = grown;
        t->room = room;
    }
    return &t->sorted[s->count];
}

static const sl_cell *keep_keys(sorting *s, const sl_cell *cells)
{
    const sl_query *q = s->rows.query;
    sl_cell *keys = sl_arena_take(&s->scratch->keys, q->key_count * sizeof *keys);
    for (size_t i = 0; keys != NULL && i < q->key_count; i++) {
        keys[i] = cells[q->key_at[i]];
        bool id = q->key_at[i] == SL_QUERY_ID; /* the row has it as text */
        keys = id || sl_cell_keep(&keys[i], &s->scratch->keys) ? keys : NULL;
    }
    return keys;
}

static bool gather_row(void *ctx, const sl_cell *cells, size_t n)
{
    sorting *s = ctx;
    size_t from = s->rows.out->len;
    sl_sorted *row = new_row(s);
    const sl_cell *keys = row != NULL ? keep_keys(s, cells) : NULL;
    (void)n;
    if (keys == NULL) {
        s->rows.status = sl_fail_nomem(s->rows.err);
        return false;
    }
    if (sl_query_put_row(&s->rows, cells, row->id)) {
        row->from = from;
        row->len = s->rows.out->len - from;
        row->keys = keys;
        s->count++;
    }
    return s->rows.status == SL_OK && s->count <= SL_QUERY_SORT_MAX;
}

/* --- order ----------------------------------------------------------------------------------- */

static int rank(const sl_cell *c)
{
    return c->kind == SL_CELL_NULL   ? 0
           : c->kind == SL_CELL_TEXT ? 2
           : c->kind == SL_CELL_BLOB ? 3
                                     : 1;
}

/* As SQLite compares: null, numbers, text, bytes. */
static int compare_cells(const sl_cell *a, const sl_cell *b)
{
    int by = rank(a) - rank(b);
    if (by != 0 || rank(a) == 0) {
        return by;
    }
    if (rank(a) == 1 && a->kind == SL_CELL_INT && b->kind == SL_CELL_INT) {
        return (a->i > b->i) - (a->i < b->i);
    }
    if (rank(a) == 1) {
        double x = a->kind == SL_CELL_INT ? (double)a->i : a->r;
        double y = b->kind == SL_CELL_INT ? (double)b->i : b->r;
        return (x > y) - (x < y);
    }
    by = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return by != 0 ? by : (a->len > b->len) - (a->len < b->len);
}

static bool comes_before(const sl_query *q, const sl_sorted *a, const sl_sorted *b)
{
    for (size_t i = 0; i < q->key_count; i++) {
        int by = q->key_at[i] == SL_QUERY_ID ? memcmp(a->id, b->id, SL_UUID_LEN)
                                             : compare_cells(&a->keys[i], &b->keys[i]);
        if (by != 0) {
            return q->down[i] ? by > 0 : by < 0;
        }
    }
    return false;
}

/* Of two values in order the lead of the first is not greater: null, numbers, the first bytes of others. */
static int64_t lead_of(const sl_query *q, const sl_sorted *row)
{
    const sl_cell *c = &row->keys[0];
    int64_t lead = 0;
    if (q->key_at[0] == SL_QUERY_ID || c->kind == SL_CELL_REAL) {
        return 0;
    }
    if (c->kind == SL_CELL_NULL) {
        lead = INT64_MIN;
    } else if (c->kind == SL_CELL_INT) {
        lead = c->i;
    } else {
        for (size_t i = 0; i < 7; i++) {
            lead = lead << 8 | (i < c->len ? c->blob[i] : 0);
        }
    }
    return q->down[0] ? ~lead : lead;
}

static bool is_before(const sorting *s, const sl_ranked *a, const sl_ranked *b)
{
    const sl_sorted *rows = s->scratch->sorted;
    return a->lead != b->lead ? a->lead < b->lead
                              : comes_before(s->rows.query, &rows[a->row], &rows[b->row]);
}

static void sort_few(const sorting *s, sl_ranked *list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        sl_ranked it = list[i];
        size_t to = i;
        for (; to > 0 && is_before(s, &it, &list[to - 1]); to--) {
            list[to] = list[to - 1];
        }
        list[to] = it;
    }
}

/* Merge sort of [0, n), from `list` by way of `spare`. */
static void sort_ranked(const sorting *s, sl_ranked *list, sl_ranked *spare, size_t n)
{
    enum {
        FEW = 8
    };
    if (n <= FEW) {
        sort_few(s, list, n);
        return;
    }
    size_t half = n / 2;
    sort_ranked(s, list, spare, half);
    sort_ranked(s, list + half, spare, n - half);
    if (!is_before(s, &list[half], &list[half - 1])) {
        return; /* one behind the other already */
    }
    memcpy(spare, list, half * sizeof *list);
    size_t i = 0;
    size_t k = half;
    for (size_t to = 0; i < half; to++) {
        bool right = k < n && is_before(s, &list[k], &spare[i]);
        list[to] = right ? list[k++] : spare[i++];
    }
}

/* --- handing on ------------------------------------------------------------------------------ */

static sl_status give(const sorting *s, const sl_rows *r, const sl_ranked *order, sl_query_row fn,
                      void *ctx)
{
    const sl_scratch *t = s->scratch;
    size_t n = (int64_t)s->count < r->query->limit ? s->count : (size_t)r->query->limit;
    size_t bytes = n;
    for (size_t i = 0; i < n; i++) {
        bytes += t->sorted[order[i].row].len;
    }
    (void)sl_buf_room(r->out, bytes + 1);
    for (size_t i = 0; i < n; i++) {
        const sl_sorted *row = &t->sorted[order[i].row];
        size_t from = r->out->len;
        sl_buf_put(r->out, t->text.data + row->from, row->len);
        if (r->out->failed || !fn(ctx, row->id, from)) {
            return sl_fail_nomem(r->err);
        }
    }
    return SL_OK;
}

static sl_status sort_and_give(const sorting *s, const sl_rows *r, sl_query_row fn, void *ctx)
{
    sl_ranked *order = sl_mem_array(s->count + 1, 2 * sizeof *order);
    if (order == NULL) {
        return sl_fail_nomem(r->err);
    }
    for (size_t i = 0; i < s->count; i++) {
        order[i] = (sl_ranked){lead_of(r->query, &s->scratch->sorted[i]), i};
    }
    sort_ranked(s, order, order + s->count, s->count);
    sl_status status = give(s, r, order, fn, ctx);
    sl_mem_free(order);
    return status;
}

sl_status sl_query_sorted(const sl_rows *r, sl_query_row fn, void *ctx, bool *many)
{
    const sl_query *q = r->query;
    sl_scratch *t = &r->reader->scratch;
    sorting s = {.rows = *r, .scratch = t};
    s.rows.out = &t->text;
    sl_buf_clear(&t->text);
    sl_arena_clear(&t->keys);
    sl_status status =
        sl_sql_gather(r->reader->sql, q->plain, q->params, q->param_count, gather_row, &s, r->err);
    status = status != SL_OK ? status : s.rows.status;
    *many = s.count > SL_QUERY_SORT_MAX;
    if (status == SL_OK && !*many) {
        status = sort_and_give(&s, r, fn, ctx);
    }
    if (t->text.cap > KEEP_MAX) {
        sl_scratch_free(t);
    }
    return status;
}

void sl_scratch_free(sl_scratch *t)
{
    sl_buf_free(&t->text);
    sl_arena_free(&t->keys);
    sl_mem_free(t->sorted);
    t->sorted = NULL;
    t->room = 0;
}
