/*
 * service/retain.c - what was deleted long ago: its tombstone goes, of the feed and of its table.
 *
 *   [RETAIN-1] a device that may hold what was taken away, because its cursor is below the tombstone's number
 *              and its first page from before it, reads the space anew: min_seq is raised with it;
 *   [RETAIN-2] whoever is at that number or above notices nothing: tombstones are in no sum;
 *   [RETAIN-3] the root of a space stays: that it was deleted is what closes the space.
 *
 * It is done as connections come and speak, some records at a time, between transactions.
 */
#include "base/error.h"
#include "base/plant.h"
#include "service/inside.h"

#include <stdio.h>

enum {
    AT_ONCE = 200,
    NEXT_MS = 1000,          /* while there is more */
    LOOK_MS = 60 * 60 * 1000 /* else */
};

typedef struct taking {
    int64_t before_ms;
    int64_t max;
    int64_t taken;
} taking;

int64_t sl_sv_gone_ms(const sl_entity *e, int64_t now_ms)
{
    return e->root ? INT64_MAX : now_ms;
}

static sl_status take_one(sl_sv_tx *tx, const char *space, int64_t seq, const char *entity,
                          const char *id, sl_error **err)
{
    char sql[120];
    const sl_entity *e = sl_entity_find(entity);
    const sl_cell where[] = {sl_cell_text(space), sl_cell_text(id)};
    if (e == NULL) {
        return sl_fail(err, SL_E_CORRUPT, "the feed names what is no entity");
    }
    (void)snprintf(sql, sizeof sql,
                   "DELETE FROM \"%s\" WHERE \"space\"=$1 AND \"id\"=$2 AND \"deleted\"=1",
                   e->name);
    sl_status status = sl_sv_write(tx, sql, where, 2, err);
    if (status == SL_OK) {
        status = sl_sv_write(tx, "DELETE FROM feed WHERE space=$1 AND seq=$2",
                             SL_SV_ARGS(sl_cell_text(space), sl_cell_int(seq)), err);
    }
    return status != SL_OK || SL_PLANTED("retain-keeps-min")
               ? status
               : sl_sv_write(tx, "UPDATE space SET min_seq=$1 WHERE space=$2 AND min_seq<$1",
                             SL_SV_ARGS(sl_cell_int(seq), sl_cell_text(space)), err);
}

static sl_status take(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    taking *t = ctx;
    sl_sv_rows rows;
    sl_status status =
        sl_sv_all(tx->s,
                  "SELECT space, seq, entity, id FROM feed WHERE gone_ms<$1"
                  " ORDER BY gone_ms, space, seq LIMIT $2",
                  SL_SV_ARGS(sl_cell_int(t->before_ms), sl_cell_int(t->max)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        status = take_one(tx, sl_sv_text(&rows, i, 0), sl_sv_int(&rows, i, 1),
                          sl_sv_text(&rows, i, 2), sl_sv_text(&rows, i, 3), err);
    }
    t->taken = (int64_t)rows.count;
    sl_sv_rows_free(&rows);
    return status;
}

void sl_sv_retain(sl_service *s)
{
    int64_t now_ms = sl_sv_now(s);
    int64_t since_ms = now_ms - s->retained_ms;
    taking t = {.before_ms = now_ms - s->keep_deleted_ms, .max = AT_ONCE};
    if (since_ms >= 0 && since_ms < (s->retain_more ? NEXT_MS : LOOK_MS)) {
        return;
    }
    s->retained_ms = now_ms;
    sl_status status = sl_sv_change(s, take, &t, NULL);
    s->retain_more = status == SL_OK && t.taken == t.max; /* what failed is tried when it is due */
}

sl_status sl_service_retain(sl_service *s, int64_t before_ms, int64_t max, sl_error **err)
{
    taking t = {.before_ms = before_ms, .max = max};
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, take, &t, err);
    sl_unlock(s->lock);
    return status;
}
