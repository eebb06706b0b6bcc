/*
 * service/places.c - spaces of which devices do not hold all: what a subscription leaves out, pages of
 * older records on demand, and the sum of what a device does hold.
 *
 * A record's place is the number under which it was first stored; in the feed 0 stands for records
 * that have none: of other entities, and deleted ones. Those are in no hole.
 *
 *   [PLACE-1] a subscription that leaves out (from, upto] sends all else that changed after `from`:
 *             whatever a device held at `from` it holds in its newest state at the head;
 *   [PLACE-2] an answer to `load` has every record with a place in the range that it names.
 */
#include "service/inside.h"

#include "base/plant.h"
#include "sync/sum.h"

sl_status sl_sv_hole(sl_service *s, const char *space, int64_t from, int64_t last, sl_hole *out)
{
    *out = (sl_hole){from, 0};
    if (last <= 0 || !sl_space_has_places(space)) {
        return SL_OK;
    }
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        s,
        "SELECT seq FROM feed WHERE space=$1 AND seq>$2 AND place=seq UNION ALL SELECT place FROM"
        " feed WHERE space=$1 AND place>$2 AND place<seq ORDER BY 1 DESC LIMIT 1 OFFSET $3",
        SL_SV_ARGS(sl_cell_text(space), sl_cell_int(from), sl_cell_int(last)), &rows, NULL);
    if (status == SL_OK && rows.count > 0) {
        out->upto = sl_sv_int(&rows, 0, 0);
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* The newest by their places; the rest are records that have none, or were changed after the device
 * got them. */
sl_status sl_sv_rows_beside(sl_service *s, const char *space, int64_t at, const sl_hole *hole,
                            sl_sv_rows *rows)
{
    int64_t held = SL_PLANTED("window-drops-edits") ? 0 : hole->above;
    return sl_sv_all(
        s,
        "SELECT seq, entity, id FROM feed WHERE space=$1 AND seq>$2 AND place=seq UNION ALL"
        " SELECT seq, entity, id FROM feed WHERE space=$1 AND seq>$3 AND place<seq AND"
        " (place>$4 OR place<=$5) ORDER BY 1 LIMIT $6",
        SL_SV_ARGS(sl_cell_text(space), sl_cell_int(hole->upto > at ? hole->upto : at),
                   sl_cell_int(at), sl_cell_int(hole->upto), sl_cell_int(held),
                   sl_cell_int(s->page_records)),
        rows, NULL);
}

/* Where it stands, entity and id of what stands in a range: most of it where it was first stored. */
#define IN_RANGE                                                                 \
    "SELECT seq, entity, id FROM feed WHERE space=$1 AND seq>$2 AND seq<=$3 AND" \
    " place=seq UNION ALL SELECT place, entity, id FROM feed WHERE space=$1 AND" \
    " place>$2 AND place<=$3 AND place<seq"

/* --- on demand ------------------------------------------------------------------------------- */

typedef struct range {
    sl_hole of;
    bool up; /* from the lower end */
    int64_t limit;
    size_t bytes;
} range;

/* The records of the range from its end, until there are enough; then the range is what they are. */
static sl_status take_range(sl_service *s, const char *space, range *r)
{
    sl_sv_rows rows;
    const char *sql =
        r->up ? IN_RANGE " ORDER BY 1 LIMIT $4" : IN_RANGE " ORDER BY 1 DESC LIMIT $4";
    sl_status status = sl_sv_all(s, sql,
                                 SL_SV_ARGS(sl_cell_text(space), sl_cell_int(r->of.above),
                                            sl_cell_int(r->of.upto), sl_cell_int(r->limit + 1)),
                                 &rows, NULL);
    size_t i = 0;
    while (status == SL_OK && i < rows.count && (int64_t)i < r->limit &&
           (i == 0 || sl_items_size(s->items) < r->bytes)) {
        status = sl_sv_item_add(s, space, sl_sv_text(&rows, i, 1), sl_sv_text(&rows, i, 2));
        i++;
    }
    if (status == SL_OK && i < rows.count && !SL_PLANTED("load-says-all")) {
        int64_t next = sl_sv_int(&rows, i, 0);
        r->of.upto = r->up ? next - 1 : r->of.upto;
        r->of.above = r->up ? r->of.above : next;
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* The record is in s->rec then, when it has one. */
static sl_status place_of(sl_service *s, const char *space, const char *id, int64_t *place)
{
    sl_status status = SL_OK;
    *place = 0;
    for (size_t i = 0; status == SL_OK && *place == 0 && i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        if (e->place_field < 0) {
            continue;
        }
        status = sl_sv_load(s, e, space, id, &s->rec, NULL);
        if (status == SL_OK && s->rec.entity != NULL && !s->rec.deleted) {
            *place = sl_cell_int_or(&s->rec.values[e->place_field], 0);
        }
    }
    return status;
}

/* Half of them up to the record's place, half of them above. Nothing when it has none. One alone is its own
 * range: what is below it is not looked for. */
static sl_status take_around(sl_service *s, const sl_sv_state *space, const char *id, int64_t limit,
                             sl_hole *out)
{
    int64_t place = 0;
    sl_status status = place_of(s, space->name, id, &place);
    *out = (sl_hole){0, 0};
    if (status != SL_OK || place == 0) {
        return status;
    }
    if (limit == 1) {
        *out = (sl_hole){place - 1, place};
        return sl_items_record(s->items, &s->rec);
    }
    range below = {{0, place}, false, limit / 2 + 1, SL_SV_PAGE_BYTES / 2};
    range above = {{place, space->seq}, true, limit / 2, SL_SV_PAGE_BYTES};
    status = take_range(s, space->name, &below);
    if (status == SL_OK) {
        status = take_range(s, space->name, &above);
    }
    *out = (sl_hole){below.of.above, above.of.upto};
    return status;
}

static bool is_live(const sl_sv_conn *c, const char *space)
{
    const sl_sv_sub *sub = sl_sv_sub_find(c, space);
    return sub != NULL && sub->live;
}

sl_status sl_sv_load_places(sl_service *s, const sl_sv_state *space, const sl_frame *frame,
                            sl_hole *out)
{
    int64_t limit = frame->limit < SL_SV_PLACES_MAX ? frame->limit : SL_SV_PLACES_MAX;
    int64_t upto = frame->to < space->seq ? frame->to : space->seq;
    range r = {{frame->from, upto}, frame->up, limit, SL_SV_PAGE_BYTES};
    sl_status status = SL_OK;
    sl_items_clear(s->items);
    *out = (sl_hole){0, 0};
    if (limit <= 0) {
        return SL_OK;
    }
    if (frame->id != NULL) {
        return take_around(s, space, frame->id, limit, out);
    }
    if (r.of.above < r.of.upto) {
        status = take_range(s, space->name, &r);
        *out = r.of;
    }
    return status;
}

/* Always answered, be it with nothing: the device counts answers. */
void sl_sv_on_load(sl_service *s, sl_sv_conn *c, const sl_frame *frame)
{
    sl_sv_state space = {.name = frame->space};
    sl_frame f = {.kind = SL_FRAME_LOADED, .space = frame->space};
    sl_hole covered = {0, 0};
    bool found = false;
    sl_status status = SL_OK;
    sl_items_clear(s->items);
    if (is_live(c, frame->space)) {
        status = sl_sv_state_read(s, &space, &found, NULL);
    }
    if (found) {
        status = sl_sv_load_places(s, &space, frame, &covered);
    }
    f.from = covered.above;
    f.to = covered.upto;
    if (status == SL_OK && sl_sv_send(s, c, &f, s->items) == 0) {
        status = SL_E_NOMEM;
    }
    sl_sv_drop_failed(s, c, status);
}

/* --- sums ------------------------------------------------------------------------------------ */

static bool add_row(void *ctx, const sl_cell *cells, size_t n)
{
    uint64_t *sum = ctx;
    (void)n;
    *sum += sl_sum_of(sl_cell_str(&cells[0]), sl_cell_int_or(&cells[1], 0));
    return true;
}

static sl_status add_range(sl_service *s, const char *space, int64_t above, int64_t upto,
                           uint64_t *sum)
{
    const sl_cell args[] = {sl_cell_text(space), sl_cell_int(above), sl_cell_int(upto)};
    return s->ports.db.run(s->ports.db.user,
                           "SELECT id, seq FROM feed WHERE space=$1 AND seq>$2 AND seq<=$3 AND"
                           " place=seq UNION ALL SELECT id, seq FROM feed WHERE space=$1 AND"
                           " place>$2 AND place<=$3 AND place<seq AND gone_ms IS NULL",
                           args, sizeof args / sizeof args[0], add_row, sum, NULL);
}

void sl_sv_on_check(sl_service *s, sl_sv_conn *c, const sl_frame *frame)
{
    sl_holes holes;
    sl_sv_state space = {.name = frame->space};
    sl_frame f = {
        .kind = SL_FRAME_CHECKED, .space = frame->space, .holes = frame->holes, .summed = true};
    bool found = false;
    int64_t from = -1; /* records without a place are at 0 */
    if (!sl_holes_read(&holes, frame->holes)) {
        sl_sv_drop(s, c, 4400, SL_E_INVALID, "holes are ranges of places that rise");
        return;
    }
    bool may = is_live(c, frame->space) && sl_space_has_places(frame->space);
    sl_status status = may ? sl_sv_state_read(s, &space, &found, NULL) : SL_OK;
    for (size_t i = 0; status == SL_OK && found && i < holes.n; i++) {
        status = add_range(s, frame->space, from, holes.at[i].above, &f.sum);
        from = holes.at[i].upto;
    }
    if (status == SL_OK && found) {
        status = add_range(s, frame->space, from, INT64_MAX, &f.sum);
    }
    f.to = space.seq;
    if (status == SL_OK && sl_sv_send(s, c, &f, NULL) == 0) {
        status = SL_E_NOMEM;
    }
    sl_sv_drop_failed(s, c, status);
}
