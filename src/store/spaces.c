/* Spaces: their numbers, their cursors, and dropping what one holds. */
#include "store/inside.h"

#include "base/error.h"
#include "base/plant.h"

#include <stdio.h>
#include <string.h>

/* --- numbers --------------------------------------------------------------------------------- */

int64_t sl_space_first_rid(int64_t no)
{
    return no << 32;
}

int64_t sl_space_last_rid(int64_t no)
{
    return no << 32 | UINT32_MAX;
}

void sl_space_forget_numbers(sl_store *s)
{
    memset(s->places, 0, sizeof s->places);
    memset(s->nexts, 0, sizeof s->nexts);
    memset(&s->seen, 0, sizeof s->seen);
}

/* The name's place, or one that it may have. Names differ at their ends. */
static sl_place *place_of(sl_store *s, const char *name)
{
    enum {
        TAIL = 12,
        NEAR = 4
    };
    uint32_t h = 2166136261U;
    size_t len = strlen(name);
    for (size_t i = len > TAIL ? len - TAIL : 0; i < len; i++) {
        h = (h ^ (uint8_t)name[i]) * 16777619U;
    }
    h ^= h >> 16;
    for (uint32_t i = 0; i < NEAR; i++) {
        sl_place *place = &s->places[(h + i) % SL_PLACES];
        if (place->space[0] == 0 || strcmp(place->space, name) == 0) {
            return place;
        }
    }
    return &s->places[h % SL_PLACES];
}

sl_status sl_space_no(sl_store *s, const char *name, bool make, int64_t *no, sl_error **err)
{
    sl_place *place = place_of(s, name);
    if (strcmp(place->space, name) == 0) {
        *no = place->no;
        return SL_OK;
    }
    sl_cell cell;
    sl_cell params[] = {sl_cell_text(name)};
    const char *find = "SELECT no FROM space WHERE name=$1";
    sl_status status = sl_store_one(s, find, params, 1, &(sl_taken){&cell, 1, NULL}, err);
    if (status == SL_E_NOT_FOUND && make) {
        status = sl_sql_run(s->sql,
                            "INSERT INTO space (name, held, epoch, cursor) VALUES ($1, 0, '', 0)",
                            params, 1, NULL, NULL, err);
        if (status == SL_OK) {
            status = sl_store_one(s, find, params, 1, &(sl_taken){&cell, 1, NULL}, err);
        }
    }
    *no = status == SL_OK ? cell.i : 0;
    if (status == SL_OK && *no <= 0) {
        return sl_fail(err, SL_E_CORRUPT, "a space has no number");
    }
    if (status == SL_OK && *no >= (int64_t)1 << 31) {
        return sl_fail(err, SL_E_LIMIT, "this folder has known too many spaces");
    }
    if (status == SL_OK) {
        (void)snprintf(place->space, sizeof place->space, "%s", name);
        place->no = *no;
    }
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

sl_status sl_space_of(sl_store *s, int64_t no, char out[SL_SPACE_MAX], sl_error **err)
{
    if (s->seen.no == no && no != 0) {
        memcpy(out, s->seen.space, SL_SPACE_MAX);
        return SL_OK;
    }
    sl_arena mem = {NULL, NULL};
    sl_cell cell;
    sl_cell params[] = {sl_cell_int(no)};
    sl_status status = sl_store_one(s, "SELECT name FROM space WHERE no=$1", params, 1,
                                    &(sl_taken){&cell, 1, &mem}, err);
    if (status == SL_OK && !sl_space_ok(sl_cell_str(&cell))) {
        status = sl_fail(err, SL_E_CORRUPT, "a space has no name");
    } else if (status == SL_OK) {
        (void)snprintf(out, SL_SPACE_MAX, "%s", cell.text);
        memcpy(s->seen.space, out, SL_SPACE_MAX);
        s->seen.no = no;
    } else if (status == SL_E_NOT_FOUND) {
        status = sl_fail(err, SL_E_CORRUPT, "a stored record is in no space");
    }
    sl_arena_free(&mem);
    return status;
}

sl_status sl_space_next_rid(sl_store *s, const sl_entity *e, int64_t no, int64_t *rid,
                            sl_error **err)
{
    sl_next *next = &s->nexts[((size_t)no * 37 + (size_t)e->index) % SL_PLACES];
    if (next->entity != e || next->no != no) {
        sl_cell cell;
        sl_cell params[] = {sl_cell_int(sl_space_first_rid(no)),
                            sl_cell_int(sl_space_last_rid(no))};
        const sl_table *t = NULL;
        sl_status status = sl_table_of(s, e, &t, err);
        if (status == SL_OK) {
            status = sl_store_one(s, t->last, params, 2, &(sl_taken){&cell, 1, NULL}, err);
        }
        if (status != SL_OK) {
            return status;
        }
        *next = (sl_next){e, no, sl_cell_int_or(&cell, sl_space_first_rid(no))};
    }
    if (next->rid == sl_space_last_rid(no)) {
        return sl_fail(err, SL_E_LIMIT, "the space has too many records");
    }
    *rid = ++next->rid;
    return SL_OK;
}

/* --- cursors --------------------------------------------------------------------------------- */

typedef struct each_space {
    bool (*fn)(void *ctx, const sl_space *space);
    void *ctx;
} each_space;

static bool one_space(void *ctx, const sl_cell *cells, size_t n)
{
    each_space *each = ctx;
    (void)n;
    const char *epoch = sl_cell_str(&cells[1]);
    sl_space space = {.cursor = sl_cell_int_or(&cells[2], 0)};
    if (!sl_space_ok(sl_cell_str(&cells[0]))) {
        return true; /* damaged: nothing of it can be read */
    }
    (void)snprintf(space.name, sizeof space.name, "%s", cells[0].text);
    (void)snprintf(space.epoch, sizeof space.epoch, "%s", epoch != NULL ? epoch : "");
    return each->fn(each->ctx, &space);
}

sl_status sl_store_spaces(sl_store *s, bool (*fn)(void *ctx, const sl_space *space), void *ctx,
                          sl_error **err)
{
    each_space each = {fn, ctx};
    return sl_sql_run(s->sql, "SELECT name, epoch, cursor FROM space WHERE held=1 ORDER BY name",
                      NULL, 0, one_space, &each, err);
}

static bool copy_space(void *ctx, const sl_space *space)
{
    sl_space *out = ctx;
    *out = *space;
    return false;
}

sl_status sl_store_space(sl_store *s, const char *name, sl_space *out, sl_error **err)
{
    memset(out, 0, sizeof *out);
    each_space each = {copy_space, out};
    sl_cell params[] = {sl_cell_text(name)};
    sl_status status =
        sl_sql_run(s->sql, "SELECT name, epoch, cursor FROM space WHERE name=$1 AND held=1", params,
                   1, one_space, &each, err);
    if (status == SL_OK && out->name[0] == 0) {
        return sl_fail(err, SL_E_NOT_FOUND, "the space %s is not on this device", name);
    }
    return status;
}

bool sl_store_space_expected(sl_store *s, const char *name)
{
    sl_cell params[] = {sl_cell_text(name)};
    sl_cell one;
    return sl_store_one(s,
                        "SELECT 1 FROM space WHERE name=$1 AND (held=1 OR EXISTS"
                        " (SELECT 1 FROM outbox WHERE space=no))",
                        params, 1, &(sl_taken){&one, 1, NULL}, NULL) == SL_OK;
}

sl_status sl_store_set_space(sl_store *s, const sl_space *space, sl_error **err)
{
    int64_t no = 0;
    sl_status status = sl_space_no(s, space->name, true, &no, err);
    sl_cell params[] = {sl_cell_int(no), sl_cell_text(space->epoch), sl_cell_int(space->cursor)};
    return status == SL_OK
               ? sl_sql_run(s->sql, "UPDATE space SET held=1, epoch=$2, cursor=$3 WHERE no=$1",
                            params, 3, NULL, NULL, err)
               : status;
}

/* --- dropping -------------------------------------------------------------------------------- */

/* The records that no operation waits for, or all. */
static sl_status drop_records(sl_store *s, const sl_entity *e, int64_t no, bool keep,
                              sl_error **err)
{
    char sql[160];
    int64_t from = sl_space_first_rid(no);
    int64_t to = sl_space_last_rid(no);
    sl_cell params[] = {sl_cell_int(from), sl_cell_int(to)};
    bool search = s->tables[e->index].search;
    sl_cell one;
    (void)snprintf(sql, sizeof sql, "SELECT 1 FROM \"%s\" WHERE \"rid\" BETWEEN $1 AND $2 LIMIT 1",
                   e->name);
    sl_status status = sl_store_one(s, sql, params, 2, &(sl_taken){&one, 1, NULL}, err);
    if (status == SL_E_NOT_FOUND) {
        return SL_OK;
    }
    if (status == SL_OK && search) {
        status = sl_search_take_range(s, e, from, to, keep, err);
    }
    if (status == SL_OK && search && !keep) {
        status = sl_search_purge(s, e, err);
    }
    (void)snprintf(sql, sizeof sql, "DELETE FROM \"%s\" WHERE \"rid\" BETWEEN $1 AND $2%s", e->name,
                   keep ? " AND \"pending\" IS NULL" : "");
    return status == SL_OK ? sl_sql_run(s->sql, sql, params, 2, NULL, NULL, err) : status;
}

static sl_status drop_shadows(sl_store *s, int64_t no, sl_error **err)
{
    sl_cell params[] = {sl_cell_int(sl_space_first_rid(no)), sl_cell_int(sl_space_last_rid(no))};
    return sl_sql_run(s->sql, "DELETE FROM shadow WHERE rid BETWEEN $1 AND $2", params, 2, NULL,
                      NULL, err);
}

sl_status sl_store_drop_space(sl_store *s, const char *name, bool keep_space, sl_error **err)
{
    static const char *const gone[] = {
        ("INSERT OR REPLACE INTO rejected SELECT n, op, 'SL_E_DENIED', '" SL_STORE_TAKEN_AWAY
         "', '', $2 FROM outbox WHERE space=$1 AND seq IS NULL"),
        "DELETE FROM outbox WHERE space=$1", "DELETE FROM undo WHERE space=$1",
        "DELETE FROM upload WHERE space=$2", "DELETE FROM space WHERE no=$1"};
    static const char *const again[] = {"UPDATE space SET epoch='', cursor=0, sum=0, counted=0,"
                                        " partial=0, holes='' WHERE no=$1"};
    int64_t no = 0;
    sl_status status = sl_space_no(s, name, false, &no, err);
    if (status != SL_OK || no == 0) {
        return status;
    }
    if (!keep_space) { /* what is told of them as rejected */
        status = sl_outbox_fill_space(s, no, err);
    }
    for (size_t i = SL_PLANTED("drop-keeps-rows") ? sl_entity_count : 0;
         status == SL_OK && i < sl_entity_count; i++) {
        status = drop_records(s, &sl_entities[i], no, keep_space, err);
    }
    if (status == SL_OK) {
        status = drop_shadows(s, no, err);
    }
    s->dropped = s->dropped || !keep_space;
    const char *const *list = keep_space ? again : gone;
    size_t n = keep_space ? sizeof again / sizeof again[0] : sizeof gone / sizeof gone[0];
    for (size_t i = 0; status == SL_OK && i < n; i++) {
        sl_cell params[] = {sl_cell_int(no), sl_cell_text(name)};
        status = sl_sql_run(s->sql, list[i], params, 2, NULL, NULL, err);
    }
    if (s->sum.no == no) {
        sl_sum_forget(s);
    }
    sl_space_forget_numbers(s);
    sl_undo_forget_counts(s);
    sl_waiting_forget(s);
    if (status == SL_OK && keep_space) {
        status = sl_store_outbox_again(s, name, err);
    }
    return status;
}
