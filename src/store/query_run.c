/*
 * Running a query: rows become JSON text as they are stepped, without anything between.
 *
 * Queries run on a connection of their own, beside the writer: they see what was committed when
 * they began and wait for no transaction.
 */
#include "store/query.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/uuid.h"

typedef struct taking {
    sl_rows rows;
    sl_query_row fn;
    void *ctx;
} taking;

static bool take_row(void *ctx, const sl_cell *cells, size_t n)
{
    taking *t = ctx;
    char id[SL_UUID_LEN + 1];
    size_t from = t->rows.out->len;
    (void)n;
    if (sl_query_put_row(&t->rows, cells, id) && !t->fn(t->ctx, id, from)) {
        t->rows.status = sl_fail_nomem(t->rows.err);
    }
    return t->rows.status == SL_OK;
}

static sl_status run(sl_reader *reader, const sl_query *q, sl_buf *out, sl_query_row fn, void *ctx,
                     sl_error **err)
{
    taking t = {{reader, q, out, SL_OK, err}, fn, ctx};
    bool many = true;
    sl_status status = q->plain != NULL ? sl_query_sorted(&t.rows, fn, ctx, &many) : SL_OK;
    if (status != SL_OK || !many) {
        return status;
    }
    status = sl_sql_run(reader->sql, q->sql, q->params, q->param_count, take_row, &t, err);
    return status != SL_OK ? status : t.rows.status;
}

/* The conditions as the query has them, and the id. */
static bool make_one(sl_query *q)
{
    if (q->one == NULL) {
        q->one_id = q->one_id > 0 ? q->one_id : sl_query_param_int(q, 0);
        q->one = q->one_id > 0
                     ? sl_text_fmt("SELECT 1%.*s AND \"%s\".\"id\"=$%zu", (int)q->rest_len,
                                   q->sql + q->rest_at, q->entity->name, q->one_id)
                     : NULL;
    }
    return q->one != NULL;
}

static bool take_met(void *ctx, const sl_cell *cells, size_t n)
{
    bool *met = ctx;
    (void)cells;
    (void)n;
    *met = true;
    return false;
}

/* On the writer's connection: who reads may have the other one for long. */
bool sl_store_meets(sl_store *s, sl_query *q, const char *id)
{
    uint8_t bytes[SL_UUID_BYTES];
    bool met = false;
    if (!make_one(q) || !sl_uuid_decode(bytes, id)) {
        return true;
    }
    sl_cell *param = &q->params[q->one_id - 1];
    *param = sl_cell_blob(bytes, sizeof bytes);
    sl_status status = sl_sql_run(s->sql, q->one, q->params, q->param_count, take_met, &met, NULL);
    *param = sl_cell_int(0);
    return met || status != SL_OK;
}

void sl_reader_close(sl_reader *reader)
{
    sl_sql_close(reader->sql);
    sl_mutex_free(reader->lock);
    sl_scratch_free(&reader->scratch);
}

/* The connection is made by the first query. */
static sl_status open_reader(sl_store *s, sl_error **err)
{
    if (s->reader.sql != NULL) {
        return SL_OK;
    }
    char *path = sl_store_path(s, "sideline.db");
    sl_status status = path != NULL
                           ? sl_sql_open_reader(path, sl_vfs_name(s->vfs), &s->reader.sql, err)
                           : sl_fail_nomem(err);
    sl_mem_free(path);
    return status;
}

sl_status sl_store_query(sl_store *s, const sl_query *q, sl_buf *out, sl_query_row fn, void *ctx,
                         sl_error **err)
{
    sl_lock(s->reader.lock);
    sl_status status = open_reader(s, err);
    if (status == SL_OK) {
        status = run(&s->reader, q, out, fn, ctx, err);
    }
    sl_unlock(s->reader.lock);
    return status;
}
