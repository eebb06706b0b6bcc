/* The sums of spaces (sync/sum.h), over what is confirmed here. */
#include "store/inside.h"

#include "base/error.h"
#include "sync/sum.h"

#include <stdio.h>

/* --- moved along ----------------------------------------------------------------------------- */

void sl_sum_forget(sl_store *s)
{
    s->sum = (sl_sum){.no = 0};
}

sl_status sl_sum_flush(sl_store *s, sl_error **err)
{
    sl_cell params[] = {sl_cell_int(s->sum.no), sl_cell_int((int64_t)s->sum.sum)};
    if (!s->sum.changed) {
        return SL_OK;
    }
    sl_status status =
        sl_sql_run(s->sql, "UPDATE space SET sum=$2 WHERE no=$1", params, 2, NULL, NULL, err);
    s->sum.changed = status != SL_OK;
    return status;
}

static sl_status look_at(sl_store *s, int64_t no, sl_error **err)
{
    sl_cell cell;
    sl_cell params[] = {sl_cell_int(no)};
    if (s->sum.no == no) {
        return SL_OK;
    }
    sl_status status = sl_sum_flush(s, err);
    if (status == SL_OK) {
        status = sl_store_one(s, "SELECT sum FROM space WHERE no=$1", params, 1,
                              &(sl_taken){&cell, 1, NULL}, err);
        status = status != SL_E_NOT_FOUND
                     ? status
                     : sl_fail(err, SL_E_CORRUPT, "a stored record is in no space");
    }
    if (status == SL_OK) {
        s->sum = (sl_sum){.no = no, .known = cell.kind == SL_CELL_INT, .sum = (uint64_t)cell.i};
    }
    return status;
}

sl_status sl_sum_move(sl_store *s, int64_t no, const sl_record *rec, int64_t had, sl_error **err)
{
    sl_status status = look_at(s, no, err);
    if (status == SL_OK && s->sum.known) { /* else it is added up when somebody asks */
        s->sum.sum -= had > 0 ? sl_sum_of(rec->id, had) : 0;
        s->sum.sum += rec->seq > 0 && !rec->deleted ? sl_sum_of(rec->id, rec->seq) : 0;
        s->sum.changed = true;
    }
    return status;
}

/* --- asked for ------------------------------------------------------------------------------- */

sl_status sl_store_sum(sl_store *s, const char *space, sl_space_sum *out, sl_error **err)
{
    sl_cell cells[4];
    sl_cell params[] = {sl_cell_text(space)};
    sl_status status = sl_sum_flush(s, err);
    *out = (sl_space_sum){.sum = 0};
    if (status == SL_OK) {
        status = sl_store_one(s, "SELECT sum, counted, partial, healed FROM space WHERE name=$1",
                              params, 1, &(sl_taken){cells, 4, NULL}, err);
    }
    if (status == SL_E_NOT_FOUND) {
        return sl_fail(err, status, "the space %s is not on this device", space);
    }
    if (status == SL_OK) {
        bool known = cells[0].kind == SL_CELL_INT;
        out->sum = (uint64_t)sl_cell_int_or(&cells[0], 0);
        out->counted_ms = known ? sl_cell_int_or(&cells[1], 0) : 0;
        out->whole = sl_cell_int_or(&cells[2], 0) == 0;
        out->healed_ms = sl_cell_int_or(&cells[3], 0);
    }
    return status;
}

static bool add_row(void *ctx, const sl_cell *cells, size_t n)
{
    uint64_t *sum = ctx;
    (void)n;
    if (cells[0].kind == SL_CELL_BLOB && cells[0].len == SL_UUID_BYTES) { /* else it is damaged */
        *sum += sl_sum_of_bytes(cells[0].blob, cells[1].i);
    }
    return true;
}

/* A row says the number of the confirmed state, unless nothing of it is confirmed: then operations
 * wait and there is no shadow. */
sl_status sl_sum_add_rows(sl_store *s, const sl_entity *e, int64_t no, uint64_t *sum,
                          sl_error **err)
{
    char sql[240];
    sl_cell params[] = {sl_cell_int(sl_space_first_rid(no)), sl_cell_int(sl_space_last_rid(no)),
                        sl_cell_int(e->no)};
    (void)snprintf(sql, sizeof sql,
                   "SELECT id, seq FROM \"%s\" AS r WHERE rid BETWEEN $1 AND $2 AND seq>0 AND"
                   " (pending IS NULL OR EXISTS (SELECT 1 FROM shadow WHERE entity=$3 AND"
                   " shadow.rid=r.rid))",
                   e->name);
    return sl_sql_run(s->sql, sql, params, 3, add_row, sum, err);
}

sl_status sl_store_sum_count(sl_store *s, const char *space, int64_t wall_ms, sl_error **err)
{
    int64_t no = 0;
    uint64_t sum = 0;
    sl_status status = sl_space_no(s, space, false, &no, err);
    sl_sum_forget(s);
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        status = sl_sum_add_rows(s, &sl_entities[i], no, &sum, err);
    }
    sl_cell params[] = {sl_cell_int(no), sl_cell_int((int64_t)sum), sl_cell_int(wall_ms)};
    return status == SL_OK ? sl_sql_run(s->sql, "UPDATE space SET sum=$2, counted=$3 WHERE no=$1",
                                        params, 3, NULL, NULL, err)
                           : status;
}

static sl_status note(sl_store *s, const char *sql, const char *space, int64_t value,
                      sl_error **err)
{
    sl_cell params[] = {sl_cell_text(space), sl_cell_int(value)};
    return sl_sql_run(s->sql, sql, params, 2, NULL, NULL, err);
}

sl_status sl_store_sum_begun(sl_store *s, const char *space, int64_t wall_ms, sl_error **err)
{
    return note(s, "UPDATE space SET counted=$2 WHERE name=$1", space, wall_ms, err);
}

sl_status sl_store_sum_partial(sl_store *s, const char *space, sl_error **err)
{
    return note(s, "UPDATE space SET partial=$2 WHERE name=$1", space, 1, err);
}

sl_status sl_store_sum_healed(sl_store *s, const char *space, int64_t wall_ms, sl_error **err)
{
    return note(s, "UPDATE space SET healed=$2 WHERE name=$1", space, wall_ms, err);
}
