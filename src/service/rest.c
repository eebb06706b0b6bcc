/*
 * service/rest.c - the feed and pushes as requests, in JSON: the same rules, receipts and pages as the
 * live channel has, for whoever has no WebSocket.
 *
 *   [REST-1] a push answers with exactly one receipt for each operation, however often it is sent, and
 *            whichever way it was sent before;
 *   [REST-2] pages that follow each other by `from`, under one epoch and with the same `holes`, lose
 *            nothing, as those of the live channel.
 */
#include "base/buf.h"
#include "base/error.h"
#include "service/account.h"
#include "service/ask.h"
#include "service/inside.h"

#include <string.h>

/* What is asked for, as the live channel has it. */
typedef struct asked {
    sl_sv_ask ask; /* owns the texts */
    sl_frame frame;
} asked;

/* --- parameters ------------------------------------------------------------------------------ */

static bool take_space(asked *a, sl_http_out *out)
{
    a->frame.space = sl_json_str(a->ask.json, "space");
    if (!sl_space_ok(a->frame.space)) {
        sl_sv_invalid(out, "space", "names a space, kind:id");
        return false;
    }
    return true;
}

/* --- answers --------------------------------------------------------------------------------- */

/* A frame as the live channel writes it in JSON, with s->items or s->receipts. */
static void put_frame(sl_buf *out, const sl_frame *f, sl_items *items)
{
    sl_wire wire = {.server = true};
    sl_frame_put(&wire, out, f, items);
    sl_wire_free(&wire);
}

/* The space for a user who may read it. False: the answer is made. */
static bool open_space(sl_service *s, const sl_sv_who *who, sl_sv_state *space, unsigned *role,
                       sl_http_out *out)
{
    bool found = false;
    sl_status status = sl_sv_may_read(s, who->user, sl_sv_standing(&who->rank, sl_sv_now(s)),
                                      space->name, role, NULL);
    if (status == SL_OK && *role != 0) {
        status = sl_sv_state_read(s, space, &found, NULL);
    }
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (!found) {
        sl_sv_refuse(out, 404, "not_found", "there is no such space for you");
    }
    return status == SL_OK && found;
}

/* For the audit log. */
static void note_hidden(sl_sv_request *r, const asked *a, const sl_http_out *out)
{
    if (out->status == 404) {
        sl_sv_copy(r->hidden, sizeof r->hidden, a->frame.space);
    }
}

/* --- pull ------------------------------------------------------------------------------------ */

/* What the page leaves out: as it was told with the first one, or by `last`. False: the answer is
 * made. */
static bool choose_hole(sl_service *s, const asked *a, sl_hole *hole, sl_http_out *out)
{
    const sl_frame *f = &a->frame;
    sl_holes holes;
    if (!sl_holes_read(&holes, f->holes) || holes.n > 1) {
        sl_sv_invalid(out, "holes", "is the range that the first page told");
        return false;
    }
    *hole = holes.n > 0 ? holes.at[0] : (sl_hole){0, 0};
    sl_status status = holes.n == 0 ? sl_sv_hole(s, f->space, f->from, f->last, hole) : SL_OK;
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    }
    return status == SL_OK;
}

/* A page as on the live channel; the last one says what `subscribed` says there. */
static void put_page(sl_service *s, sl_buf *out, const sl_sv_state *space, const sl_frame *page,
                     const sl_hole *hole, unsigned role)
{
    char text[SL_HOLES_TEXT];
    sl_holes holes = {.n = hole->upto > 0 ? 1 : 0, .at = {*hole}};
    put_frame(out, page, s->items);
    if (out->len > 0) {
        out->len--; /* goes on */
    }
    sl_holes_print(text, &holes);
    sl_buf_fmt(out, ",\"role\":\"%s\"", sl_sv_role_name(role));
    if (holes.n > 0) {
        sl_buf_fmt(out, ",\"holes\":\"%s\"", text);
    }
    if (!page->more && space->summed) {
        sl_buf_fmt(out, ",\"sum\":\"%016llx\"", (unsigned long long)space->sum);
    }
    sl_buf_u8(out, '}');
}

static void pull(sl_service *s, const sl_sv_who *who, const asked *a, sl_http_out *out)
{
    sl_sv_state space = {.name = a->frame.space};
    sl_hole hole;
    unsigned role = 0;
    int64_t to = 0;
    if (!open_space(s, who, &space, &role, out)) {
        return;
    }
    if (!sl_sv_cursor_ok(&space, a->frame.epoch, a->frame.from)) {
        sl_sv_refuse(out, 409, "reset",
                     "the cursor is of no use any more: drop the space's records and begin at 0");
        return;
    }
    if (!choose_hole(s, a, &hole, out)) {
        return;
    }
    sl_status status = sl_sv_page(s, &space, a->frame.from, &hole, &to);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
        return;
    }
    sl_buf text = {0};
    sl_frame page = {.kind = SL_FRAME_PAGE,
                     .space = space.name,
                     .epoch = space.epoch,
                     .from = a->frame.from,
                     .to = to,
                     .more = to < space.seq};
    put_page(s, &text, &space, &page, &hole, role);
    sl_sv_answer_text(out, &text, "application/json");
}

void sl_sv_rest_pull(sl_sv_request *r, sl_http_out *out)
{
    asked a = {.frame = {.kind = SL_FRAME_NONE}};
    if (sl_sv_ask_read(r->in, &a.ask, out) && take_space(&a, out) &&
        sl_sv_ask_text(&a.ask, "epoch", &a.frame.epoch, out) &&
        sl_sv_ask_text(&a.ask, "holes", &a.frame.holes, out) &&
        sl_sv_ask_number(&a.ask, "from", &a.frame.from, out) &&
        sl_sv_ask_number(&a.ask, "last", &a.frame.last, out)) {
        sl_lock(r->s->lock);
        pull(r->s, &r->who, &a, out);
        note_hidden(r, &a, out);
        sl_unlock(r->s->lock);
    }
    sl_sv_ask_free(&a.ask);
}

/* --- load ------------------------------------------------------------------------------------ */

static void load(sl_service *s, const sl_sv_who *who, const asked *a, sl_http_out *out)
{
    sl_sv_state space = {.name = a->frame.space};
    sl_hole covered;
    unsigned role = 0;
    if (!open_space(s, who, &space, &role, out)) {
        return;
    }
    sl_status status = sl_sv_load_places(s, &space, &a->frame, &covered);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
        return;
    }
    sl_buf text = {0};
    sl_frame f = {.kind = SL_FRAME_LOADED,
                  .space = space.name,
                  .epoch = space.epoch,
                  .from = covered.above,
                  .to = covered.upto};
    put_frame(&text, &f, s->items);
    sl_sv_answer_text(out, &text, "application/json");
}

/* In one transaction: begun and ended once, not with each of its questions. */
static void load_at_once(sl_service *s, const sl_sv_who *who, const asked *a, sl_http_out *out)
{
    sl_status status = sl_sv_run(s, "BEGIN", NULL, 0, NULL);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
        return;
    }
    load(s, who, a, out);
    if (sl_sv_run(s, "COMMIT", NULL, 0, NULL) != SL_OK) { /* nothing was written */
        s->ports.db.rollback(s->ports.db.user);
    }
}

void sl_sv_rest_load(sl_sv_request *r, sl_http_out *out)
{
    asked a = {.frame = {.kind = SL_FRAME_NONE}};
    bool ok = sl_sv_ask_read(r->in, &a.ask, out) && take_space(&a, out) &&
              sl_sv_ask_text(&a.ask, "id", &a.frame.id, out) &&
              sl_sv_ask_number(&a.ask, "from", &a.frame.from, out) &&
              sl_sv_ask_number(&a.ask, "to", &a.frame.to, out) &&
              sl_sv_ask_number(&a.ask, "limit", &a.frame.limit, out);
    a.frame.up = sl_sv_ask_flag(&a.ask, "up");
    if (ok && a.frame.limit == 0) {
        sl_sv_invalid(out, "limit", "is a number from 1 to 500");
    } else if (ok) {
        sl_sv_hold(r);
        load_at_once(r->s, &r->who, &a, out);
        note_hidden(r, &a, out);
        sl_sv_let_go(r);
    }
    sl_sv_ask_free(&a.ask);
}

/* --- push ------------------------------------------------------------------------------------ */

/* Receipts stay until the end of the push. */
static bool keep_all(void *ctx)
{
    (void)ctx;
    return true;
}

/* The receipts as a list, be it of one. */
static void put_receipts(sl_service *s, sl_buf *out)
{
    bool one = sl_items_count(s->receipts) == 1;
    sl_frame f = {.kind = SL_FRAME_RECEIPTS};
    sl_buf_str(out, one ? "{\"t\":\"receipts\",\"receipts\":[" : "");
    put_frame(out, &f, s->receipts);
    sl_buf_str(out, one ? "]}" : "");
}

/* The body is a push as the live channel has it, be its "t" missing. */
static sl_status read_push(sl_service *s, const sl_http_in *in, int64_t *floor, size_t *count)
{
    sl_wire wire = {.server = true};
    sl_frame f = {.count = 0};
    sl_json *j = NULL;
    sl_status status = sl_json_read((const char *)in->body, in->body_len, &j, NULL);
    *floor = sl_json_int_or(j, "floor", 0);
    bool ok = sl_json_is_object(j) && sl_json_is_array(sl_json_get(j, "ops")) && *floor >= 0;
    sl_json_free(j);
    if (status != SL_OK || !ok) {
        return status == SL_E_NOMEM ? status : SL_E_INVALID;
    }
    sl_buf_clear(&s->out);
    sl_buf_str(&s->out, "{\"t\":\"push\",");
    const char *from = memchr(in->body, '{', in->body_len);
    sl_buf_put(&s->out, from + 1, in->body_len - (size_t)(from + 1 - (const char *)in->body));
    status =
        s->out.failed ? SL_E_NOMEM : sl_frame_read(s->in, &wire, s->out.data, s->out.len, &f, NULL);
    sl_wire_free(&wire);
    *count = f.count;
    return status;
}

static void push(sl_service *s, const sl_sv_who *who, const sl_http_in *in, sl_http_out *out)
{
    sl_sv_from from;
    int64_t floor = 0;
    int64_t wait_s = 0;
    size_t count = 0;
    memcpy(from.user, who->user, sizeof from.user);
    memcpy(from.device, who->device, sizeof from.device);
    from.rank = who->rank;
    sl_status status = read_push(s, in, &floor, &count);
    if (status == SL_OK && !sl_sv_may_push(s, who->user, count, &wait_s)) {
        sl_sv_too_many(out, wait_s);
        return;
    }
    from.floor = floor;
    from.top = -1;
    sl_sv_top_unknown(s, from.user, from.device);
    if (status == SL_OK) {
        status = sl_sv_keep_floor(s, &from);
        status = status == SL_E_INVALID ? SL_E_INTERNAL : status;
    }
    if (status == SL_OK) {
        status = sl_sv_push(s, &from, keep_all, NULL);
    }
    if (status == SL_E_INVALID || status == SL_E_LIMIT) {
        sl_sv_refuse(out, 400, "bad_request", SL_SV_PUSH_BROKEN);
    } else if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else {
        sl_buf text = {0};
        put_receipts(s, &text);
        sl_sv_answer_text(out, &text, "application/json");
    }
}

void sl_sv_rest_push(sl_sv_request *r, sl_http_out *out)
{
    if (r->in->body_len > SL_SV_FRAME_MAX) {
        sl_sv_refuse(out, 413, "too_large", "the body is too large");
        return;
    }
    sl_lock(r->s->lock);
    push(r->s, &r->who, r->in, out);
    sl_unlock(r->s->lock);
}
