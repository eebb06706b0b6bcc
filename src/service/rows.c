#include "base/error.h"
#include "base/mem.h"
#include "service/inside.h"

#include <string.h>

sl_status sl_sv_run(sl_service *s, const char *sql, const sl_cell *args, size_t n, sl_error **err)
{
    return s->ports.db.run(s->ports.db.user, sql, args, n, NULL, NULL, err);
}

static bool keep_row(void *ctx, const sl_cell *cells, size_t n)
{
    sl_sv_rows *rows = ctx;
    if (rows->count == rows->cap) {
        size_t cap = rows->cap == 0 ? 4 : rows->cap * 2;
        sl_sv_row *grown = sl_mem_resize(rows->rows, cap, sizeof *grown);
        if (grown == NULL) {
            rows->failed = true;
            return false;
        }
        rows->rows = grown;
        rows->cap = cap;
    }
    sl_sv_row *row = &rows->rows[rows->count++];
    memset(row, 0, sizeof *row);
    for (size_t i = 0; i < n && i < SL_SV_CELLS && !rows->failed; i++) {
        row->cells[i] = cells[i];
        rows->failed = !sl_cell_keep(&row->cells[i], &rows->mem);
    }
    return !rows->failed;
}

sl_status sl_sv_all(sl_service *s, const char *sql, const sl_cell *args, size_t n, sl_sv_rows *out,
                    sl_error **err)
{
    memset(out, 0, sizeof *out);
    sl_status status = s->ports.db.run(s->ports.db.user, sql, args, n, keep_row, out, err);
    if (status == SL_OK && out->failed) {
        status = sl_fail_nomem(err);
    }
    return status;
}

void sl_sv_rows_free(sl_sv_rows *rows)
{
    sl_mem_free(rows->rows);
    sl_arena_free(&rows->mem);
    memset(rows, 0, sizeof *rows);
}

const char *sl_sv_text(const sl_sv_rows *rows, size_t row, size_t cell)
{
    const char *text = sl_cell_str(&rows->rows[row].cells[cell]);
    return text != NULL ? text : "";
}

int64_t sl_sv_int(const sl_sv_rows *rows, size_t row, size_t cell)
{
    const sl_cell *c = &rows->rows[row].cells[cell];
    return c->kind == SL_CELL_INT ? c->i : 0;
}

void sl_sv_copy(char *to, size_t room, const char *from)
{
    size_t n = strnlen(from, room - 1);
    memcpy(to, from, n);
    to[n] = 0;
}

/* ---- records: id, space, seq, deleted, clocks, ext, then the fields ---- */

/* Clocks as JSON by name, as older servers kept them. */
static sl_status read_old_clocks(sl_record *rec, const sl_cell *c, sl_error **err)
{
    sl_json *j = sl_json_parse(c->text, c->len);
    sl_status status = sl_json_is_object(j) ? SL_OK : SL_E_CORRUPT;
    (void)sl_hlc_parse(&rec->birth, sl_json_str(j, "*"));
    for (const sl_json *v = sl_json_first(j); status == SL_OK && v != NULL; v = sl_json_next(v)) {
        const sl_field *f = sl_field_find(rec->entity, sl_json_key(v));
        sl_clock *clock = f != NULL ? sl_record_clock(rec, f) : NULL;
        if (f == NULL) {
            continue; /* the birth, or of a field that is no more */
        }
        char *marks = sl_json_is_object(v) ? sl_json_print(v) : NULL;
        bool ok = clock != NULL && (!sl_json_is_object(v) || marks != NULL);
        if (ok && marks != NULL) {
            clock->marks = sl_arena_text(&rec->mem, marks, strlen(marks));
            ok = clock->marks != NULL;
        } else if (ok) {
            (void)sl_hlc_parse(&clock->at, sl_json_text(v));
        }
        sl_mem_free(marks);
        status = ok ? SL_OK : SL_E_NOMEM;
    }
    sl_json_free(j);
    return status == SL_E_CORRUPT ? sl_fail(err, status, "a stored record's clocks are broken")
           : status != SL_OK      ? sl_fail_nomem(err)
                                  : SL_OK;
}

static sl_status read_clocks(sl_record *rec, const sl_cell *c, sl_error **err)
{
    return c->kind == SL_CELL_BLOB   ? sl_record_read_clocks(rec, c->blob, c->len, err)
           : c->kind == SL_CELL_TEXT ? read_old_clocks(rec, c, err)
                                     : SL_OK;
}

/* Real columns may hand out whole numbers as such. */
static bool take_value(sl_record *rec, const sl_field *f, const sl_cell *c)
{
    sl_cell *v = &rec->values[f->index];
    *v = *c;
    if (f->type == SL_T_REAL && c->kind == SL_CELL_INT) {
        *v = sl_cell_real((double)c->i);
    }
    sl_cell_kind wanted = f->type == SL_T_REAL                          ? SL_CELL_REAL
                          : f->type == SL_T_INT || f->type == SL_T_BOOL ? SL_CELL_INT
                                                                        : SL_CELL_TEXT;
    return v->kind == SL_CELL_NULL || v->kind == wanted;
}

static sl_status read_record(sl_record *rec, const sl_entity *e, const sl_cell *cells,
                             sl_error **err)
{
    sl_status status = sl_record_make(rec, e, sl_cell_str(&cells[0]), sl_cell_str(&cells[1]), err);
    if (status != SL_OK) {
        return status;
    }
    rec->seq = sl_cell_int_or(&cells[2], 0);
    rec->deleted = sl_cell_int_or(&cells[3], 0) != 0;
    status = read_clocks(rec, &cells[4], err);
    const char *ext = sl_cell_str(&cells[5]);
    if (status == SL_OK && ext != NULL) {
        rec->ext = sl_arena_text(&rec->mem, ext, cells[5].len);
        status = rec->ext != NULL ? SL_OK : sl_fail_nomem(err);
    }
    for (size_t i = 0; status == SL_OK && i < e->field_count; i++) {
        if (!take_value(rec, &e->fields[i], &cells[SL_SV_FIXED + i])) {
            status = sl_fail(err, SL_E_CORRUPT, "a stored %s record cannot be read", e->name);
        } else if (!sl_cell_keep(&rec->values[i], &rec->mem)) {
            status = sl_fail_nomem(err);
        }
    }
    return status;
}

typedef struct load_ctx {
    const sl_entity *entity;
    sl_record *out;
    bool found;
    sl_status status;
    sl_error **err;
} load_ctx;

static bool load_row(void *ctx, const sl_cell *cells, size_t n)
{
    load_ctx *c = ctx;
    c->found = true;
    c->status = n == SL_SV_FIXED + c->entity->field_count
                    ? read_record(c->out, c->entity, cells, c->err)
                    : sl_fail(c->err, SL_E_INTERNAL, "a stored row has a wrong number of columns");
    return false;
}

sl_status sl_sv_load(sl_service *s, const sl_entity *e, const char *space, const char *id,
                     sl_record *out, sl_error **err)
{
    load_ctx c = {e, out, false, SL_OK, err};
    const sl_cell args[] = {sl_cell_text(space), sl_cell_text(id)};
    sl_status status =
        s->ports.db.run(s->ports.db.user, s->sql[e->index].select, args, 2, load_row, &c, err);
    status = status == SL_OK ? c.status : status;
    if (status != SL_OK || !c.found) {
        out->entity = NULL;
    }
    return status;
}

/* In the feed. */
static sl_cell place_of(const sl_record *rec)
{
    int field = rec->entity->place_field;
    if (!sl_space_has_places(rec->space)) {
        return sl_cell_text(NULL);
    }
    return sl_cell_int(field >= 0 && !rec->deleted ? sl_cell_int_or(&rec->values[field], 0) : 0);
}

/* In the feed, where it moves from one number to the next. */
static sl_status save_place(sl_service *s, const sl_record *rec, int64_t had, sl_error **err)
{
    sl_cell space = sl_cell_text(rec->space);
    sl_cell seq = sl_cell_int(rec->seq);
    sl_cell gone =
        rec->deleted ? sl_cell_int(sl_sv_gone_ms(rec->entity, sl_sv_now(s))) : sl_cell_text(NULL);
    const char *name = rec->entity->name;
    if (had > 0) {
        return sl_sv_run(s,
                         "UPDATE feed SET seq=$1, place=$2, gone_ms=$3 WHERE space=$4 AND seq=$5",
                         SL_SV_ARGS(seq, place_of(rec), gone, space, sl_cell_int(had)), err);
    }
    return sl_sv_run(s,
                     "INSERT INTO feed (space, seq, entity, id, place, listed, gone_ms)"
                     " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                     SL_SV_ARGS(space, seq, sl_cell_text(name),
                                sl_cell_text_n(rec->id, SL_UUID_LEN), place_of(rec),
                                sl_cell_text(rec->entity->place_field < 0 ? name : NULL), gone),
                     err);
}

sl_status sl_sv_save(sl_service *s, const sl_record *rec, int64_t had, sl_error **err)
{
    sl_cell cells[SL_SV_FIXED + SL_FIELDS_MAX];
    size_t n = SL_SV_FIXED + rec->entity->field_count;
    sl_buf_clear(&s->clocks);
    sl_record_put_clocks(&s->clocks, rec);
    if (s->clocks.failed) {
        return sl_fail_nomem(err);
    }
    cells[0] = sl_cell_text_n(rec->id, SL_UUID_LEN);
    cells[1] = sl_cell_text(rec->space);
    cells[2] = sl_cell_int(rec->seq);
    cells[3] = sl_cell_int(rec->deleted ? 1 : 0);
    cells[4] = sl_cell_blob(sl_buf_text(&s->clocks), s->clocks.len);
    cells[5] = sl_cell_text(rec->ext);
    for (size_t i = SL_SV_FIXED; i < n; i++) {
        cells[i] = rec->deleted ? sl_cell_text(NULL) : rec->values[i - SL_SV_FIXED];
    }
    sl_status status = sl_sv_run(s, s->sql[rec->entity->index].upsert, cells, n, err);
    if (status != SL_OK) {
        return status;
    }
    return save_place(s, rec, had, err);
}
