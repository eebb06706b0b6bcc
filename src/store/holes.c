/*
 * Spaces that are held in part (sync/holes.h): their holes, and the sum of what is held.
 *
 * A record that changes comes whether its place is in a hole or not: what is here of a hole is as new
 * as the rest, but not all there is.
 */
#include "store/inside.h"

#include "base/error.h"
#include "base/plant.h"
#include "sync/sum.h"

#include <stdio.h>
#include <string.h>

enum {
    LEAVE_MAX = 200 /* rows that leave between two reads */
};

static bool take_holes(void *ctx, const sl_cell *cells, size_t n)
{
    sl_holes *holes = ctx;
    (void)n;
    (void)sl_holes_read(holes, sl_cell_str(&cells[0])); /* what is damaged is none: the sum tells */
    return false;
}

sl_status sl_store_holes(sl_store *s, const char *space, sl_holes *out, sl_error **err)
{
    sl_cell params[] = {sl_cell_text(space)};
    out->n = 0;
    return sl_sql_run(s->sql, "SELECT holes FROM space WHERE name=$1", params, 1, take_holes, out,
                      err);
}

/* They are to be compared anew: nothing of them has been counted. */
static sl_status set_holes(sl_store *s, const char *space, const sl_holes *holes, sl_error **err)
{
    char text[SL_HOLES_TEXT];
    sl_holes_print(text, holes);
    sl_cell params[] = {sl_cell_text(space), sl_cell_text(text)};
    return sl_sql_run(s->sql, "UPDATE space SET holes=$2, counted=0 WHERE name=$1", params, 2, NULL,
                      NULL, err);
}

/* --- what leaves ----------------------------------------------------------------------------- */

typedef struct leaving {
    size_t n;
    uint8_t ids[LEAVE_MAX][SL_UUID_BYTES];
} leaving;

static bool note_id(void *ctx, const sl_cell *cells, size_t n)
{
    leaving *l = ctx;
    (void)n;
    if (cells[0].kind == SL_CELL_BLOB && cells[0].len == SL_UUID_BYTES) {
        memcpy(l->ids[l->n++], cells[0].blob, SL_UUID_BYTES);
    }
    return l->n < LEAVE_MAX;
}

/* The next ids in the range that no operation waits for; with a range from 0 also those of records
 * without a place, which come anew. */
static sl_status next_leaving(sl_store *s, const sl_entity *e, int64_t no, const sl_hole *range,
                              leaving *l, sl_error **err)
{
    char sql[400];
    const char *place = e->fields[e->place_field].name;
    sl_cell params[] = {sl_cell_int(no), sl_cell_int(range->above), sl_cell_int(range->upto)};
    (void)snprintf(
        sql, sizeof sql,
        "SELECT id FROM \"%s\" WHERE rid>>32=$1 AND pending IS NULL AND ((\"%s\" IS NULL)"
        "=0 AND \"%s\">$2 AND \"%s\"<=$3 OR $2=0 AND (\"%s\" IS NULL)=1)",
        e->name, place, place, place, place);
    l->n = 0;
    return sl_sql_run(s->sql, sql, params, 3, note_id, l, err);
}

static sl_status leave_one(sl_store *s, const sl_entity *e, const uint8_t *id, sl_error **err)
{
    char text[SL_UUID_LEN + 1];
    sl_row row;
    sl_uuid_encode(text, id);
    sl_status status = sl_row_load(s, e, text, &s->old, &row, err);
    return status == SL_OK && row.rid != 0 ? sl_row_delete(s, &s->old, &row, err) : status;
}

/* Of records that operations wait for only the confirmed state goes. */
static sl_status leave_shadows(sl_store *s, const sl_entity *e, int64_t no, sl_error **err)
{
    sl_cell params[] = {sl_cell_int(e->no), sl_cell_int(sl_space_first_rid(no)),
                        sl_cell_int(sl_space_last_rid(no))};
    return sl_sql_run(s->sql, "DELETE FROM shadow WHERE entity=$1 AND rid BETWEEN $2 AND $3",
                      params, 3, NULL, NULL, err);
}

static sl_status leave(sl_store *s, const sl_entity *e, int64_t no, const sl_hole *range,
                       sl_error **err)
{
    leaving l;
    bool any = false;
    sl_status status = range->above == 0 ? leave_shadows(s, e, no, err) : SL_OK;
    do {
        status = status == SL_OK ? next_leaving(s, e, no, range, &l, err) : status;
        for (size_t i = 0; status == SL_OK && i < l.n; i++) {
            status = leave_one(s, e, l.ids[i], err);
            any = true;
        }
    } while (status == SL_OK && l.n == LEAVE_MAX);
    if (status == SL_OK && (any || range->above == 0)) { /* added up when somebody asks */
        sl_cell params[] = {sl_cell_int(no)};
        sl_sum_forget(s);
        status =
            sl_sql_run(s->sql, "UPDATE space SET sum=NULL WHERE no=$1", params, 1, NULL, NULL, err);
    }
    return status;
}

sl_status sl_store_hole_add(sl_store *s, const char *space, int64_t above, int64_t upto,
                            sl_error **err)
{
    sl_holes holes;
    sl_hole range = {above, upto};
    int64_t no = 0;
    sl_status status = sl_sum_flush(s, err);
    if (status == SL_OK) {
        status = sl_space_no(s, space, false, &no, err);
    }
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        if (e->place_field >= 0 && sl_space_is(space, e->space_kind)) {
            status = leave(s, e, no, &range, err);
        }
    }
    if (status == SL_OK) {
        status = sl_store_holes(s, space, &holes, err);
    }
    if (status != SL_OK || SL_PLANTED("hole-forgotten")) {
        return status;
    }
    sl_holes_add(&holes, above, upto);
    return set_holes(s, space, &holes, err);
}

sl_status sl_store_hole_take(sl_store *s, const char *space, int64_t above, int64_t upto,
                             sl_error **err)
{
    sl_holes holes;
    sl_status status = sl_store_holes(s, space, &holes, err);
    if (status == SL_OK) {
        sl_holes_take(&holes, above, upto);
        status = set_holes(s, space, &holes, err);
    }
    return status;
}

/* --- the sum --------------------------------------------------------------------------------- */

typedef struct adding {
    const sl_entity *entity;
    const sl_holes *holes;
    uint64_t sum;
    sl_record rec;
    sl_status status;
    sl_error **err;
} adding;

/* id, seq, place, the confirmed state where operations wait: the place of that counts. */
static bool add_row(void *ctx, const sl_cell *cells, size_t n)
{
    adding *a = ctx;
    int64_t place = sl_cell_int_or(&cells[2], 0);
    (void)n;
    if (cells[0].kind != SL_CELL_BLOB || cells[0].len != SL_UUID_BYTES) {
        return true; /* damaged */
    }
    if (cells[3].kind == SL_CELL_BLOB) {
        a->status = sl_record_unpack(&a->rec, cells[3].blob, cells[3].len, a->err);
        if (a->status != SL_OK) {
            return false;
        }
        bool same = a->rec.entity == a->entity && !a->rec.deleted;
        place = same ? sl_cell_int_or(&a->rec.values[a->entity->place_field], 0) : 0;
    }
    if (sl_holes_at(a->holes, place) == NULL) {
        a->sum += sl_sum_of_bytes(cells[0].blob, cells[1].i);
    }
    return true;
}

static sl_status add_placed(sl_store *s, int64_t no, adding *a)
{
    char sql[400];
    const sl_entity *e = a->entity;
    sl_cell params[] = {sl_cell_int(sl_space_first_rid(no)), sl_cell_int(sl_space_last_rid(no)),
                        sl_cell_int(e->no)};
    (void)snprintf(
        sql, sizeof sql,
        "SELECT r.id, r.seq, r.\"%s\", shadow.record FROM \"%s\" AS r LEFT JOIN shadow ON"
        " shadow.entity=$3 AND shadow.rid=r.rid WHERE r.rid BETWEEN $1 AND $2 AND r.seq>0"
        " AND (r.pending IS NULL OR shadow.record IS NOT NULL)",
        e->fields[e->place_field].name, e->name);
    sl_status status = sl_sql_run(s->sql, sql, params, 3, add_row, a, a->err);
    return status != SL_OK ? status : a->status;
}

sl_status sl_store_sum_held(sl_store *s, const char *space, uint64_t *out, sl_error **err)
{
    sl_holes holes;
    int64_t no = 0;
    adding a = {.holes = &holes, .err = err};
    sl_status status = sl_store_holes(s, space, &holes, err);
    if (status == SL_OK) {
        status = sl_space_no(s, space, false, &no, err);
    }
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        a.entity = &sl_entities[i];
        status = a.entity->place_field >= 0 ? add_placed(s, no, &a)
                                            : sl_sum_add_rows(s, a.entity, no, &a.sum, err);
    }
    sl_record_free(&a.rec);
    *out = a.sum;
    return status;
}
