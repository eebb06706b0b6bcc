/* Spaces: cursors, and dropping what a space holds. */
#include "store/inside.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

typedef struct each_space {
    bool (*fn)(void *ctx, const sl_space *space);
    void *ctx;
} each_space;

static bool one_space(void *ctx, const sl_cell *cells, size_t n)
{
    each_space *each = ctx;
    (void)n;
    sl_space space = {.cursor = cells[2].i};
    (void)snprintf(space.name, sizeof space.name, "%s", cells[0].text);
    (void)snprintf(space.epoch, sizeof space.epoch, "%s", cells[1].text);
    return each->fn(each->ctx, &space);
}

sl_status sl_store_spaces(sl_store *s, bool (*fn)(void *ctx, const sl_space *space), void *ctx,
                          sl_error **err)
{
    each_space each = {fn, ctx};
    return sl_sql_run(s->sql, "SELECT name, epoch, cursor FROM space ORDER BY name", NULL, 0,
                      one_space, &each, err);
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
    sl_status status = sl_sql_run(s->sql, "SELECT name, epoch, cursor FROM space WHERE name=$1",
                                  params, 1, one_space, &each, err);
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
                        "SELECT 1 FROM space WHERE name=$1 UNION ALL"
                        " SELECT 1 FROM outbox WHERE space=$1 LIMIT 1",
                        params, 1, &one, 1, NULL) == SL_OK;
}

sl_status sl_store_set_space(sl_store *s, const sl_space *space, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(space->name), sl_cell_text(space->epoch),
                        sl_cell_int(space->cursor)};
    return sl_sql_run(s->sql, "INSERT OR REPLACE INTO space VALUES ($1, $2, $3)", params, 3, NULL,
                      NULL, err);
}

/* With `keep` the records that have pending operations stay visible and their shadows become
 * "nothing confirmed". */
static sl_status drop_records(sl_store *s, const sl_entity *e, const char *name, bool keep,
                              sl_error **err)
{
    char sql[256];
    sl_cell params[] = {sl_cell_text(name), sl_cell_text(e->name)};
    const char *where = keep ? "\"space\"=$1 AND \"id\" NOT IN"
                               " (SELECT id FROM outbox WHERE entity=$2)"
                             : "\"space\"=$1";
    (void)snprintf(sql, sizeof sql, "DELETE FROM \"%s\" WHERE %s", e->name, where);
    sl_status status = sl_search_take_out(s, e, where, params, 2, err);
    return status == SL_OK ? sl_sql_run(s->sql, sql, params, 2, NULL, NULL, err) : status;
}

sl_status sl_store_drop_space(sl_store *s, const char *name, bool keep_space, sl_error **err)
{
    static const char *const gone[] = {
        ("DELETE FROM shadow WHERE EXISTS (SELECT 1 FROM outbox o WHERE o.space=$1"
         " AND o.entity=shadow.entity AND o.id=shadow.id)"),
        ("INSERT OR REPLACE INTO rejected SELECT n, op, 'SL_E_DENIED', '" SL_STORE_TAKEN_AWAY
         "' FROM outbox WHERE space=$1 AND seq IS NULL"),
        "DELETE FROM outbox WHERE space=$1", "DELETE FROM upload WHERE space=$1",
        "DELETE FROM space WHERE name=$1"};
    static const char *const again[] = {
        ("UPDATE shadow SET record=NULL WHERE EXISTS (SELECT 1 FROM outbox o WHERE o.space=$1"
         " AND o.entity=shadow.entity AND o.id=shadow.id)"),
        "UPDATE space SET epoch='', cursor=0 WHERE name=$1"};
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        status = drop_records(s, &sl_entities[i], name, keep_space, err);
    }
    const char *const *list = keep_space ? again : gone;
    size_t n = keep_space ? sizeof again / sizeof again[0] : sizeof gone / sizeof gone[0];
    for (size_t i = 0; status == SL_OK && i < n; i++) {
        sl_cell params[] = {sl_cell_text(name)};
        status = sl_sql_run(s->sql, list[i], params, 1, NULL, NULL, err);
    }
    if (status == SL_OK && keep_space) {
        status = sl_store_outbox_again(s, name, err);
    }
    return status;
}
