/*
 * What a device's own batches did, so that they can be undone and redone: steps, by space, the newest
 * last; those to be redone are steps like the others.
 *
 *   step    entry..
 *   entry   length varint | kind u8 | entity number varint | id 16 |
 *           patch: length varint, values before | length varint, values after
 *           delete: length varint, values before
 *
 * Of a counter `after` is what was added, of a set {"add":[..],"remove":[..]} what really came in and
 * went; both have a null before. Ids in a step are 16 bytes, in entries and in values.
 */
#include "store/inside.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    STEPS_MAX = 100, /* of a space, those to be undone */
    BYTES_MAX = 1024 * 1024,
    STEP_OPS_MAX = 1000, /* so that undoing it is a batch */
    PARTS_MAX = 16       /* spaces of a batch: one of more is an import, not an edit to take back */
};

/* --- noting ---------------------------------------------------------------------------------- */

void sl_undo_log_free(sl_undo_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        sl_buf_free(&log->parts[i].entries);
    }
    sl_mem_free(log->parts);
    memset(log, 0, sizeof *log);
}

static sl_undo_part *part_of(sl_undo_log *log, int64_t space)
{
    for (size_t i = 0; i < log->count; i++) {
        if (log->parts[i].space == space) {
            return &log->parts[i];
        }
    }
    sl_undo_part *grown = sl_mem_resize(log->parts, log->count + 1, sizeof *grown);
    if (grown == NULL) {
        return NULL;
    }
    log->parts = grown;
    sl_undo_part *part = &log->parts[log->count++];
    memset(part, 0, sizeof *part);
    part->space = space;
    return part;
}

static bool holds(const sl_json *list, const char *element)
{
    for (const sl_json *e = sl_json_first(list); e != NULL; e = sl_json_next(e)) {
        if (strcmp(sl_json_text(e), element) == 0) {
            return true;
        }
    }
    return false;
}

/* Of these elements those that were, or were not, in the set. */
static bool put_elements(sl_json *out, const char *key, const sl_json *list, const sl_json *set,
                         bool were, size_t *n)
{
    sl_json *some = sl_json_array();
    bool ok = some != NULL;
    for (const sl_json *e = sl_json_first(list); ok && e != NULL; e = sl_json_next(e)) {
        const char *name = sl_json_text(e);
        if (holds(set, name) == were && !holds(some, name)) {
            ok = sl_json_add_str(some, name);
            ++*n;
        }
    }
    return sl_json_set(out, key, some) && ok;
}

/* What the operation changed of the set, a null when nothing. False: out of memory. */
static bool set_effect(sl_cell *out, const sl_cell *op, const sl_cell *old, sl_arena *mem)
{
    size_t n = 0;
    sl_json *change = op->kind == SL_CELL_TEXT ? sl_json_parse(op->text, op->len) : NULL;
    sl_json *had = old->kind == SL_CELL_TEXT ? sl_json_parse(old->text, old->len) : NULL;
    sl_json *effect = sl_json_object();
    bool ok = effect != NULL && change != NULL && (had != NULL || old->kind != SL_CELL_TEXT) &&
              put_elements(effect, "add", sl_json_get(change, "add"), had, false, &n) &&
              put_elements(effect, "remove", sl_json_get(change, "remove"), had, true, &n);
    char *text = ok ? sl_json_print(effect) : NULL;
    *out = sl_cell_text(n > 0 ? text : NULL);
    ok = text != NULL && sl_cell_keep(out, mem);
    sl_mem_free(text);
    sl_json_free(effect);
    sl_json_free(had);
    sl_json_free(change);
    return ok;
}

/* What a patch made of one field; *changed: anything. False: out of memory. */
static bool field_effect(const sl_store *s, const sl_op *op, size_t i, sl_cell *before,
                         sl_cell *after, bool *changed, sl_arena *mem)
{
    const sl_field *f = &op->entity->fields[i];
    bool ok = true;
    *before = sl_cell_text(NULL);
    if (f->merge == SL_M_COUNTER) {
        *after = op->values[i];
        *changed = sl_cell_int_or(after, 0) != 0;
    } else if (f->merge == SL_M_SET) {
        ok = set_effect(after, &op->values[i], &s->old.values[i], mem);
        *changed = after->kind != SL_CELL_NULL;
    } else {
        *before = s->old.values[i];
        *after = s->rec.values[i];
        *changed = !sl_cell_same(before, after);
    }
    return ok;
}

static void put_values(sl_buf *out, const sl_entity *e, const sl_cell *values, uint64_t has)
{
    sl_buf packed = {0};
    sl_values_pack(&packed, e, values, has);
    sl_buf_varint(out, packed.len);
    sl_buf_put(out, packed.data, packed.len);
    out->failed = out->failed || packed.failed;
    sl_buf_free(&packed);
}

/* False: nothing changed, or the buffer has failed. */
static bool put_patch(sl_buf *out, const sl_store *s, const sl_op *op)
{
    sl_cell before[SL_FIELDS_MAX] = {0};
    sl_cell after[SL_FIELDS_MAX] = {0};
    sl_arena mem = {NULL, NULL};
    uint64_t has = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < op->entity->field_count; i++) {
        bool changed = false;
        if ((op->has >> i & 1) != 0) {
            ok = field_effect(s, op, i, &before[i], &after[i], &changed, &mem);
            has |= (uint64_t)changed << i;
        }
    }
    out->failed = out->failed || !ok;
    if (ok) {
        put_values(out, op->entity, before, has);
        put_values(out, op->entity, after, has);
    }
    sl_arena_free(&mem);
    return has != 0 && !out->failed;
}

static void put_deleted(sl_buf *out, const sl_store *s, const sl_op *op)
{
    uint64_t has = 0;
    for (size_t i = 0; i < op->entity->field_count; i++) {
        bool own = op->entity->fields[i].merge != SL_M_SERVER;
        has |= (uint64_t)(own && s->old.values[i].kind != SL_CELL_NULL) << i;
    }
    put_values(out, op->entity, s->old.values, has);
}

sl_status sl_store_undo_note(sl_store *s, const sl_op *op, sl_undo_log *log, sl_error **err)
{
    int64_t space = 0;
    uint8_t id[SL_UUID_BYTES] = {0};
    sl_buf b = {0};
    sl_status status = sl_space_no(s, op->space, true, &space, err);
    if (log->wide) {
        return status;
    }
    sl_undo_part *part = status == SL_OK ? part_of(log, space) : NULL;
    if (part != NULL && log->count > PARTS_MAX) {
        sl_undo_log_free(log);
        log->wide = true;
        return SL_OK;
    }
    if (part == NULL) {
        return status == SL_OK ? sl_fail_nomem(err) : status;
    }
    (void)sl_uuid_decode(id, op->id);
    sl_buf_u8(&b, (uint8_t)op->kind);
    sl_buf_varint(&b, op->entity->no);
    sl_buf_put(&b, id, sizeof id);
    bool changed = true;
    if (op->kind == SL_OP_PATCH) {
        changed = put_patch(&b, s, op);
    } else if (op->kind == SL_OP_DELETE) {
        put_deleted(&b, s, op);
    }
    if (changed && !b.failed) {
        sl_buf_varint(&part->entries, b.len);
        sl_buf_put(&part->entries, b.data, b.len);
    }
    bool failed = b.failed || part->entries.failed;
    sl_buf_free(&b);
    return failed ? sl_fail_nomem(err) : SL_OK;
}

/* --- keeping --------------------------------------------------------------------------------- */

void sl_undo_forget_counts(sl_store *s)
{
    memset(s->undo, 0, sizeof s->undo);
}

/* The counts of a space, once count_steps was asked for them. */
static sl_undo_count *count_of(sl_store *s, int64_t space)
{
    return &s->undo[space % SL_PLACES];
}

static sl_status count_steps(sl_store *s, int64_t space, sl_error **err)
{
    if (count_of(s, space)->space == space) {
        return SL_OK;
    }
    sl_cell cells[3];
    sl_cell params[] = {sl_cell_int(space)};
    sl_status status = sl_store_one(s,
                                    "SELECT sum(redo=0), sum((redo=0)*length(step)), sum(redo=1)"
                                    " FROM undo WHERE space=$1",
                                    params, 1, &(sl_taken){cells, 3, NULL}, err);
    if (status == SL_OK) {
        *count_of(s, space) =
            (sl_undo_count){space, sl_cell_int_or(&cells[0], 0), sl_cell_int_or(&cells[1], 0),
                            sl_cell_int_or(&cells[2], 0)};
    }
    return status;
}

static sl_status forget(sl_store *s, int64_t no, sl_error **err)
{
    sl_cell params[] = {sl_cell_int(no)};
    return sl_sql_run(s->sql, "DELETE FROM undo WHERE no=$1", params, 1, NULL, NULL, err);
}

/* The oldest go until the rest is within the limits. */
static sl_status trim(sl_store *s, int64_t space, sl_error **err)
{
    sl_undo_count *count = count_of(s, space);
    sl_status status = SL_OK;
    while (status == SL_OK && (count->steps > STEPS_MAX || count->bytes > BYTES_MAX)) {
        sl_cell cells[2];
        sl_cell params[] = {sl_cell_int(space)};
        status = sl_store_one(s,
                              "SELECT no, length(step) FROM undo WHERE space=$1 AND redo=0"
                              " ORDER BY no LIMIT 1",
                              params, 1, &(sl_taken){cells, 2, NULL}, err);
        if (status == SL_OK) {
            status = forget(s, cells[0].i, err);
            count->steps--;
            count->bytes -= cells[1].i;
        }
    }
    return status;
}

static sl_status clear_redo(sl_store *s, int64_t space, sl_error **err)
{
    sl_cell params[] = {sl_cell_int(space)};
    sl_undo_count *count = count_of(s, space);
    sl_status status = count->redo > 0
                           ? sl_sql_run(s->sql, "DELETE FROM undo WHERE space=$1 AND redo=1",
                                        params, 1, NULL, NULL, err)
                           : SL_OK;
    count->redo = 0;
    return status;
}

static size_t count_entries(const uint8_t *p, size_t n)
{
    sl_rd in = {p, n, false};
    size_t count = 0;
    while (in.left > 0 && !in.bad) {
        (void)sl_rd_take(&in, (size_t)sl_rd_varint(&in));
        count++;
    }
    return count;
}

/* Adds to the newest step when that is of the same group. *done: it was. */
static sl_status join(sl_store *s, const sl_undo_part *part, const char *group, bool *done,
                      sl_error **err)
{
    sl_cell cells[2];
    sl_arena mem = {NULL, NULL};
    sl_cell params[] = {sl_cell_int(part->space), sl_cell_text(group)};
    sl_status status = sl_store_one(s,
                                    "SELECT no, step FROM undo WHERE no=(SELECT max(no) FROM undo"
                                    " WHERE space=$1 AND redo=0) AND \"group\"=$2",
                                    params, 2, &(sl_taken){cells, 2, &mem}, err);
    *done = status == SL_OK && cells[1].kind == SL_CELL_BLOB &&
            count_entries(cells[1].blob, cells[1].len) +
                    count_entries(part->entries.data, part->entries.len) <=
                STEP_OPS_MAX;
    if (*done) {
        sl_buf step = {0};
        sl_buf_put(&step, cells[1].blob, cells[1].len);
        sl_buf_put(&step, part->entries.data, part->entries.len);
        sl_cell to[] = {cells[0], sl_cell_blob(step.data, step.len)};
        status = step.failed ? sl_fail_nomem(err)
                             : sl_sql_run(s->sql, "UPDATE undo SET step=$2 WHERE no=$1", to, 2,
                                          NULL, NULL, err);
        count_of(s, part->space)->bytes += (int64_t)part->entries.len;
        sl_buf_free(&step);
    }
    sl_arena_free(&mem);
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

static sl_status keep_part(sl_store *s, const sl_undo_part *part, sl_undo_kind kind,
                           const char *group, sl_error **err)
{
    bool redo = kind == SL_UNDO_UNDID;
    bool joined = false;
    sl_status status = count_steps(s, part->space, err);
    if (status == SL_OK && kind == SL_UNDO_BATCH) {
        status = clear_redo(s, part->space, err);
    }
    if (status == SL_OK && kind == SL_UNDO_BATCH && group[0] != 0) {
        status = join(s, part, group, &joined, err);
    }
    if (status != SL_OK || joined) {
        return status == SL_OK ? trim(s, part->space, err) : status;
    }
    sl_cell params[] = {sl_cell_int(part->space), sl_cell_int(redo ? 1 : 0), sl_cell_text(group),
                        sl_cell_blob(part->entries.data, part->entries.len)};
    status = sl_sql_run(s->sql,
                        "INSERT INTO undo (space, redo, \"group\", step) VALUES ($1, $2, $3, $4)",
                        params, 4, NULL, NULL, err);
    sl_undo_count *count = count_of(s, part->space);
    count->redo += redo ? 1 : 0;
    count->steps += redo ? 0 : 1;
    count->bytes += redo ? 0 : (int64_t)part->entries.len;
    return status == SL_OK && !redo ? trim(s, part->space, err) : status;
}

sl_status sl_store_undo_keep(sl_store *s, const sl_undo_log *log, sl_undo_kind kind,
                             const char *group, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < log->count; i++) {
        if (log->parts[i].entries.len > 0) {
            status = keep_part(s, &log->parts[i], kind, group, err);
        }
    }
    return status;
}

/* --- taking ---------------------------------------------------------------------------------- */

void sl_undo_step_free(sl_undo_step *step)
{
    sl_arena_free(&step->mem);
    sl_mem_free(step->entries);
    memset(step, 0, sizeof *step);
}

static sl_status corrupt(sl_error **err)
{
    return sl_fail(err, SL_E_CORRUPT, "a stored step of undo cannot be read");
}

static sl_status read_values(const sl_entity *e, sl_rd *in, sl_arena *mem, sl_cell **values,
                             uint64_t *has, sl_error **err)
{
    uint64_t n = sl_rd_varint(in);
    const uint8_t *p = n <= in->left ? sl_rd_take(in, (size_t)n) : NULL;
    return p != NULL ? sl_values_unpack(e, p, (size_t)n, mem, values, has, err) : corrupt(err);
}

static sl_status read_entry(sl_undo_entry *out, sl_rd *in, sl_arena *mem, sl_error **err)
{
    unsigned kind = sl_rd_u8(in);
    out->entity = sl_entity_of(sl_rd_varint(in));
    const uint8_t *id = sl_rd_take(in, SL_UUID_BYTES);
    if (in->bad || out->entity == NULL || kind < SL_OP_CREATE || kind > SL_OP_DELETE) {
        return corrupt(err);
    }
    out->kind = (sl_op_kind)kind;
    sl_uuid_encode(out->id, id);
    sl_status status = SL_OK;
    if (out->kind != SL_OP_CREATE) {
        status = read_values(out->entity, in, mem, &out->before, &out->has, err);
    }
    if (status == SL_OK && out->kind == SL_OP_PATCH) {
        status = read_values(out->entity, in, mem, &out->after, &out->has, err);
    }
    return status;
}

static sl_status read_step(sl_undo_step *step, const sl_cell *blob, sl_error **err)
{
    sl_rd in = {blob->blob, blob->len, blob->kind != SL_CELL_BLOB};
    size_t n = in.bad ? 0 : count_entries(in.p, in.left);
    step->entries = sl_mem_array(n + 1, sizeof *step->entries);
    sl_status status = step->entries != NULL ? SL_OK : sl_fail_nomem(err);
    while (status == SL_OK && step->entries != NULL && step->count < n) {
        uint64_t len = sl_rd_varint(&in);
        const uint8_t *p = len <= in.left ? sl_rd_take(&in, (size_t)len) : NULL;
        sl_rd entry = {p, p != NULL ? (size_t)len : 0, p == NULL};
        status = read_entry(&step->entries[step->count++], &entry, &step->mem, err);
    }
    return status;
}

sl_status sl_store_undo_take(sl_store *s, const char *space, bool redo, sl_undo_step *out,
                             sl_error **err)
{
    sl_cell cells[2] = {0};
    int64_t no = 0;
    memset(out, 0, sizeof *out);
    sl_status status = sl_space_no(s, space, false, &no, err);
    sl_cell params[] = {sl_cell_int(no), sl_cell_int(redo ? 1 : 0)};
    if (status == SL_OK) {
        status = sl_store_one(s,
                              "SELECT no, step FROM undo WHERE space=$1 AND redo=$2"
                              " ORDER BY no DESC LIMIT 1",
                              params, 2, &(sl_taken){cells, 2, &out->mem}, err);
    }
    if (status == SL_E_NOT_FOUND) {
        status = sl_fail(err, status, "there is nothing to %s here", redo ? "redo" : "undo");
    }
    if (status == SL_OK) {
        status = read_step(out, &cells[1], err);
    }
    if (status == SL_OK) {
        status = forget(s, cells[0].i, err);
    }
    sl_undo_forget_counts(s);
    if (status != SL_OK) {
        sl_undo_step_free(out);
    }
    return status;
}

/* Puts one id in the place of another; true when it was there. */
static bool replace_id(uint8_t *p, size_t n, const uint8_t *from, const uint8_t *to)
{
    bool found = false;
    for (size_t i = 0; i + SL_UUID_BYTES <= n; i++) {
        if (p[i] == from[0] && memcmp(p + i, from, SL_UUID_BYTES) == 0) {
            memcpy(p + i, to, SL_UUID_BYTES);
            found = true;
        }
    }
    return found;
}

static sl_status rename_in(sl_store *s, const sl_cell *no, const sl_cell *step, const uint8_t *from,
                           const uint8_t *to, sl_error **err)
{
    sl_buf b = {0};
    sl_buf_put(&b, step->blob, step->len);
    sl_status status = b.failed ? sl_fail_nomem(err) : SL_OK;
    if (status == SL_OK && replace_id(b.data, b.len, from, to)) {
        sl_cell params[] = {*no, sl_cell_blob(b.data, b.len)};
        status =
            sl_sql_run(s->sql, "UPDATE undo SET step=$2 WHERE no=$1", params, 2, NULL, NULL, err);
    }
    sl_buf_free(&b);
    return status;
}

sl_status sl_store_undo_rename(sl_store *s, const char *space, const char *from, const char *to,
                               sl_error **err)
{
    uint8_t old[SL_UUID_BYTES];
    uint8_t fresh[SL_UUID_BYTES];
    int64_t no = 0;
    int64_t at = 0;
    sl_status status = sl_space_no(s, space, false, &no, err);
    bool ok = sl_uuid_decode(old, from) && sl_uuid_decode(fresh, to);
    while (status == SL_OK && ok) {
        sl_cell cells[2];
        sl_arena mem = {NULL, NULL};
        sl_cell params[] = {sl_cell_int(no), sl_cell_int(at)};
        status = sl_store_one(s,
                              "SELECT no, step FROM undo WHERE space=$1 AND no>$2 ORDER BY no"
                              " LIMIT 1",
                              params, 2, &(sl_taken){cells, 2, &mem}, err);
        if (status == SL_OK && cells[1].kind == SL_CELL_BLOB) {
            at = cells[0].i;
            status = rename_in(s, &cells[0], &cells[1], old, fresh, err);
        }
        sl_arena_free(&mem);
    }
    return status == SL_E_NOT_FOUND ? SL_OK : status;
}

sl_status sl_store_undo_count(sl_store *s, const char *space, int64_t *undo, int64_t *redo,
                              sl_error **err)
{
    int64_t no = 0;
    sl_status status = sl_space_no(s, space, false, &no, err);
    *undo = 0;
    *redo = 0;
    if (status == SL_OK && no != 0) {
        status = count_steps(s, no, err);
        *undo = status == SL_OK ? count_of(s, no)->steps : 0;
        *redo = status == SL_OK ? count_of(s, no)->redo : 0;
    }
    return status;
}

typedef struct each_count {
    void (*fn)(void *ctx, const char *space, int64_t undo, int64_t redo);
    void *ctx;
} each_count;

static bool one_count(void *ctx, const sl_cell *cells, size_t n)
{
    const each_count *each = ctx;
    (void)n;
    each->fn(each->ctx, cells[0].text, cells[1].i, cells[2].i);
    return true;
}

sl_status sl_store_undo_spaces(sl_store *s,
                               void (*fn)(void *ctx, const char *space, int64_t undo, int64_t redo),
                               void *ctx, sl_error **err)
{
    each_count each = {fn, ctx};
    return sl_sql_run(s->sql,
                      "SELECT space.name, sum(redo=0), sum(redo=1) FROM undo JOIN space ON"
                      " space.no=undo.space GROUP BY space.no ORDER BY space.name",
                      NULL, 0, one_count, &each, err);
}
