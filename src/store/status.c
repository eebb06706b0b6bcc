/*
 * How far each space is: what waits in the outbox is counted in memory, once from the outbox and then
 * with every change, so that asking costs the same whatever waits.
 */
#include "store/inside.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* --- counting -------------------------------------------------------------------------------- */

void sl_waiting_forget(sl_store *s)
{
    s->waiting.known = false;
}

void sl_waiting_free(sl_store *s)
{
    sl_mem_free(s->waiting.of);
    sl_mem_free(s->waiting.moves);
    memset(&s->waiting, 0, sizeof s->waiting);
}

static bool grow(sl_waiting_count *w, int64_t no)
{
    size_t room = (size_t)no + 1;
    if (room <= w->room) {
        return true;
    }
    room = room < 16 ? 16 : room + room / 2;
    int64_t *grown = sl_mem_resize(w->of, room, sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    memset(grown + w->room, 0, (room - w->room) * sizeof *grown);
    w->of = grown;
    w->room = room;
    return true;
}

/* What a rollback takes back. */
static bool note_move(sl_waiting_count *w, int64_t no, int64_t by)
{
    if (w->move_count > 0 && w->moves[w->move_count - 1].no == no) {
        w->moves[w->move_count - 1].by += by;
        return true;
    }
    if (w->move_count == w->move_room) {
        size_t room = w->move_room > 0 ? w->move_room * 2 : 8;
        sl_waiting_move *grown = sl_mem_resize(w->moves, room, sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        w->moves = grown;
        w->move_room = room;
    }
    w->moves[w->move_count++] = (sl_waiting_move){no, by};
    return true;
}

void sl_waiting_add(sl_store *s, int64_t no, int64_t by)
{
    sl_waiting_count *w = &s->waiting;
    if (!w->known || no < 0) {
        return;
    }
    if (!grow(w, no) || !note_move(w, no, by)) {
        w->known = false; /* counted anew when somebody asks */
        return;
    }
    w->of[no] += by;
    w->total += by;
}

void sl_waiting_commit(sl_store *s)
{
    s->waiting.move_count = 0;
}

void sl_waiting_rollback(sl_store *s)
{
    sl_waiting_count *w = &s->waiting;
    for (size_t i = 0; w->known && i < w->move_count; i++) {
        w->of[w->moves[i].no] -= w->moves[i].by;
        w->total -= w->moves[i].by;
    }
    w->move_count = 0;
}

static bool count_one(void *ctx, const sl_cell *cells, size_t n)
{
    sl_waiting_count *w = ctx;
    (void)n;
    int64_t no = sl_cell_int_or(&cells[0], -1);
    w->known = no >= 0 && grow(w, no);
    if (w->known) {
        w->of[no] = sl_cell_int_or(&cells[1], 0);
        w->total += w->of[no];
    }
    return w->known;
}

static sl_status count(sl_store *s, sl_error **err)
{
    sl_waiting_count *w = &s->waiting;
    if (w->known) {
        return SL_OK;
    }
    if (w->room > 0) {
        memset(w->of, 0, w->room * sizeof *w->of);
    }
    w->total = 0;
    w->move_count = 0;
    w->known = true;
    sl_status status =
        sl_sql_run(s->sql, "SELECT space, count(*) FROM outbox WHERE seq IS NULL GROUP BY space",
                   NULL, 0, count_one, w, err);
    if (status == SL_OK && !w->known) {
        status = sl_fail_nomem(err);
    }
    w->known = status == SL_OK;
    return status;
}

sl_status sl_store_waiting(sl_store *s, int64_t *total, sl_error **err)
{
    sl_status status = count(s, err);
    *total = status == SL_OK ? s->waiting.total : 0;
    return status;
}

/* --- spaces ---------------------------------------------------------------------------------- */

typedef struct each_fact {
    sl_store *store;
    bool (*fn)(void *ctx, const sl_space_facts *facts);
    void *ctx;
    bool failed;
} each_fact;

static bool one_fact(void *ctx, const sl_cell *cells, size_t n)
{
    each_fact *each = ctx;
    const sl_waiting_count *w = &each->store->waiting;
    int64_t no = sl_cell_int_or(&cells[0], 0);
    sl_space_facts f = {.held = sl_cell_int_or(&cells[2], 0) != 0,
                        .cursor = sl_cell_int_or(&cells[3], 0),
                        .as_of_ms = sl_cell_int_or(&cells[4], 0),
                        .rejected = sl_cell_int_or(&cells[5], 0),
                        .uploads = sl_cell_int_or(&cells[6], 0),
                        .upload_bytes = sl_cell_int_or(&cells[7], 0)};
    (void)n;
    f.waiting = no >= 0 && (size_t)no < w->room ? w->of[no] : 0;
    if (!sl_space_ok(sl_cell_str(&cells[1]))) {
        return true; /* damaged: nothing of it can be read */
    }
    (void)snprintf(f.name, sizeof f.name, "%s", cells[1].text);
    if (!f.held && f.waiting == 0) {
        return true;
    }
    each->failed = !each->fn(each->ctx, &f);
    return !each->failed;
}

sl_status sl_store_space_facts(sl_store *s, bool (*fn)(void *ctx, const sl_space_facts *facts),
                               void *ctx, sl_error **err)
{
    each_fact each = {s, fn, ctx, false};
    sl_status status = count(s, err);
    if (status == SL_OK) {
        status = sl_sql_run(
            s->sql,
            "SELECT no, name, held, cursor, as_of,"
            " (SELECT count(*) FROM rejected WHERE rejected.space=name),"
            " (SELECT count(*) FROM upload WHERE upload.space=name),"
            " (SELECT sum(size) FROM upload WHERE upload.space=name) FROM space ORDER BY name",
            NULL, 0, one_fact, &each, err);
    }
    return status == SL_OK && each.failed ? sl_fail_nomem(err) : status;
}

sl_status sl_store_space_as_of(sl_store *s, const char *name, int64_t *out, sl_error **err)
{
    sl_cell cell;
    sl_cell params[] = {sl_cell_text(name)};
    sl_status status = sl_store_one(s, "SELECT as_of FROM space WHERE name=$1", params, 1,
                                    &(sl_taken){&cell, 1, NULL}, err);
    *out = sl_cell_int_or(&cell, 0);
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

sl_status sl_store_space_older(sl_store *s, int64_t wall_ms, bool *yes, sl_error **err)
{
    sl_cell cell;
    sl_cell params[] = {sl_cell_int(wall_ms)};
    sl_status status = sl_store_one(s, "SELECT 1 FROM space WHERE as_of<$1 LIMIT 1", params, 1,
                                    &(sl_taken){&cell, 1, NULL}, err);
    *yes = status == SL_OK;
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

sl_status sl_store_space_seen(sl_store *s, const char *name, int64_t wall_ms, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(name), sl_cell_int(wall_ms)};
    return sl_sql_run(s->sql, "UPDATE space SET as_of=$2 WHERE name=$1", params, 2, NULL, NULL,
                      err);
}
