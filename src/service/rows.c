#include "base/error.h"
#include "base/mem.h"
#include "service/inside.h"

#include <string.h>

sl_cell sl_sv_t(const char *s)
{
    sl_cell c = {s != NULL ? SL_CELL_TEXT : SL_CELL_NULL, 0, 0, NULL};
    memcpy(&c.text, &s, sizeof s);
    return c;
}

sl_cell sl_sv_i(int64_t v)
{
    return (sl_cell){SL_CELL_INT, v, 0, NULL};
}

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
    sl_sv_row *row = &rows->rows[rows->count];
    memset(row, 0, sizeof *row);
    rows->count++;
    for (size_t i = 0; i < n && i < SL_SV_CELLS; i++) {
        row->cells[i] = cells[i];
        if (cells[i].kind == SL_CELL_TEXT) {
            row->cells[i].text = sl_text_dup(cells[i].text);
            rows->failed = rows->failed || row->cells[i].text == NULL;
        }
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
    for (size_t i = 0; i < rows->count; i++) {
        for (size_t k = 0; k < SL_SV_CELLS; k++) {
            if (rows->rows[i].cells[k].kind == SL_CELL_TEXT) {
                sl_mem_free(rows->rows[i].cells[k].text);
            }
        }
    }
    sl_mem_free(rows->rows);
    memset(rows, 0, sizeof *rows);
}

const char *sl_sv_text(const sl_sv_rows *rows, size_t row, size_t cell)
{
    const sl_cell *c = &rows->rows[row].cells[cell];
    return c->kind == SL_CELL_TEXT ? c->text : "";
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

typedef struct load_ctx {
    const sl_entity *entity;
    sl_record *out;
    sl_status status;
    sl_error **err;
} load_ctx;

static bool load_row(void *ctx, const sl_cell *cells, size_t n)
{
    load_ctx *c = ctx;
    if (n != sl_record_cell_count(c->entity)) {
        c->status = sl_fail(c->err, SL_E_INTERNAL, "a stored row has a wrong number of columns");
    } else {
        c->status = sl_record_from_cells(c->out, c->entity, cells, c->err);
    }
    return false;
}

sl_status sl_sv_load(sl_service *s, const sl_entity *e, const char *space, const char *id,
                     sl_record *out, sl_error **err)
{
    memset(out, 0, sizeof *out);
    load_ctx c = {e, out, SL_OK, err};
    const sl_cell args[] = {sl_sv_t(space), sl_sv_t(id)};
    sl_status status =
        s->ports.db.run(s->ports.db.user, s->sql[e->index].select, args, 2, load_row, &c, err);
    if (status == SL_OK) {
        status = c.status;
    }
    if (status != SL_OK && out->entity != NULL) {
        sl_record_free(out);
    }
    return status;
}

sl_status sl_sv_save(sl_service *s, const sl_record *rec, sl_error **err)
{
    sl_cell cells[SL_CELLS_MAX];
    sl_status status = sl_record_to_cells(rec, cells, err);
    if (status != SL_OK) {
        return status;
    }
    size_t n = sl_record_cell_count(rec->entity);
    status = sl_sv_run(s, s->sql[rec->entity->index].upsert, cells, n, err);
    sl_cells_free(cells, n);
    if (status != SL_OK) {
        return status;
    }
    return sl_sv_run(s,
                     "INSERT INTO feed (space, seq, entity, id) VALUES ($1, $2, $3, $4)"
                     " ON CONFLICT (space, entity, id) DO UPDATE SET seq=excluded.seq",
                     SL_SV_ARGS(sl_sv_t(rec->space), sl_sv_i(rec->seq), sl_sv_t(rec->entity->name),
                                sl_sv_t(rec->id)),
                     err);
}
