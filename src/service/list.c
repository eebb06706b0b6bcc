/*
 * service/list.c - pages of records, the newest first, for whoever may read them: reviews, and what coaches
 * show to all.
 *
 *   [LIST-1] nothing is in a page but what the policy lets the one who asks read, guests too;
 *   [LIST-2] pages that follow each other by `after` = `next` have each record once, whatever is made meanwhile.
 *
 * A page is as long as was asked for or less: when much of what was looked at is not for the one who asks, it
 * ends sooner, and `next` says where to go on.
 */
#include "service/list.h"
#include "service/ask.h"

#include "base/error.h"

#include <string.h>

enum {
    BATCHES_MAX = 10 /* of one request */
};

/* ---- a page ---- */

bool sl_sv_list_begin(sl_sv_list *l, const sl_sv_request *r, const sl_sv_ask *ask, const char *name,
                      sl_http_out *out)
{
    memset(l, 0, sizeof *l);
    l->s = r->s;
    l->user = r->who.user;
    l->standing = sl_sv_standing(&r->who.rank, sl_sv_now(r->s));
    l->name = name;
    if (!sl_sv_ask_number(ask, "limit", &l->limit, out)) {
        return false;
    }
    bool said = sl_json_get(ask->json, "limit") != NULL;
    if (said && (l->limit < 1 || l->limit > SL_SV_LIST_MAX)) {
        sl_sv_invalid(out, "limit", "is a number from 1 to 100");
        return false;
    }
    l->limit = said ? l->limit : SL_SV_LIST_USUAL;
    sl_buf_fmt(&l->text, "{\"%s\":[", name);
    return true;
}

bool sl_sv_list_full(const sl_sv_list *l)
{
    return (int64_t)l->count >= l->limit;
}

sl_status sl_sv_list_may(const sl_sv_list *l, const char *space, bool *may)
{
    unsigned role = 0;
    sl_status status = sl_sv_may_read(l->s, l->user, l->standing, space, &role, NULL);
    *may = status == SL_OK && role != 0;
    return status;
}

void sl_sv_list_put(sl_sv_list *l)
{
    sl_buf_str(&l->text, l->count > 0 ? "," : "");
    sl_record_put_public(&l->text, &l->rec, false);
    l->count++;
}

sl_status sl_sv_list_add(sl_sv_list *l, const char *entity, const char *space, const char *id)
{
    sl_status status = sl_sv_load(l->s, sl_entity_find(entity), space, id, &l->rec, NULL);
    if (status == SL_OK && l->rec.entity != NULL && !l->rec.deleted) {
        sl_sv_list_put(l);
    }
    return status;
}

void sl_sv_list_answer(sl_sv_list *l, sl_status status, const char *next, sl_http_out *out)
{
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else {
        sl_buf_str(&l->text, "]");
        if (next[0] != 0) {
            sl_buf_fmt(&l->text, ",\"next\":\"%s\"", next);
        }
        sl_buf_str(&l->text, "}");
        sl_sv_answer_text(out, &l->text, "application/json");
    }
}

void sl_sv_list_free(sl_sv_list *l)
{
    sl_buf_free(&l->text);
    sl_record_free(&l->rec);
}

/* ---- rows ---- */

/* A program that the one who asks may read stands for the product that offers it. */
static sl_status stands_in(const sl_sv_list *l, const char *program, bool *yes)
{
    sl_sv_space space;
    *yes = false;
    if (!sl_uuid_ok(program)) {
        return SL_OK;
    }
    sl_space_name(space, "program", program);
    return sl_sv_list_may(l, space, yes);
}

static sl_status add_row(sl_sv_list *l, const sl_sv_rows *rows, size_t i)
{
    bool may = false;
    bool other = false;
    const char *space = sl_sv_text(rows, i, 1);
    sl_status status = sl_sv_list_may(l, space, &may);
    if (status == SL_OK && may) {
        status = stands_in(l, sl_sv_text(rows, i, 3), &other);
    }
    return status == SL_OK && may && !other
               ? sl_sv_list_add(l, sl_sv_text(rows, i, 0), space, sl_sv_text(rows, i, 2))
               : status;
}

sl_status sl_sv_list_fill(sl_sv_list *l, const sl_sv_source *from, bool *end)
{
    sl_status status = SL_OK;
    *end = false;
    for (size_t n = 0; status == SL_OK && !*end && n < BATCHES_MAX && !sl_sv_list_full(l); n++) {
        sl_sv_rows rows;
        size_t i = 0;
        status = from->read(from->ctx, l->s, &rows);
        for (; status == SL_OK && i < rows.count && !sl_sv_list_full(l); i++) {
            status = add_row(l, &rows, i);
            from->move(from->ctx, &rows, i);
        }
        *end = i == rows.count && rows.count < SL_SV_LIST_BATCH;
        sl_sv_rows_free(&rows);
    }
    return status;
}

/* ---- by id ---- */

/* A statement as sl_sv_source has it, for $1 and $2, with ids below $3, $4 being one more word; the greatest id first. */
typedef struct source {
    const char *sql;
    const char *a;
    const char *b;
    const char *more;
    sl_sv_id at; /* the last id looked at */
} source;

static sl_status read_source(void *ctx, sl_service *s, sl_sv_rows *rows)
{
    const source *from = ctx;
    return sl_sv_all(s, from->sql,
                     SL_SV_ARGS(sl_cell_text(from->a), sl_cell_text(from->b),
                                sl_cell_text(from->at[0] != 0 ? from->at : "g"), /* above all ids */
                                sl_cell_text(from->more)),
                     rows, NULL);
}

static void move_source(void *ctx, const sl_sv_rows *rows, size_t i)
{
    source *from = ctx;
    sl_sv_copy(from->at, sizeof from->at, sl_sv_text(rows, i, 2));
}

/* A member of the question that is an id, or "". False: the answer is made. */
static bool take_id(const sl_sv_ask *ask, const char *name, const char **to, sl_http_out *out)
{
    if (!sl_sv_ask_text(ask, name, to, out)) {
        return false;
    }
    if (*to != NULL && !sl_uuid_ok(*to)) {
        sl_sv_invalid(out, name, "is a UUID, in lower case");
        return false;
    }
    *to = *to != NULL ? *to : "";
    return true;
}

void sl_sv_list_page(sl_sv_list *l, const sl_sv_source *from, const char *needs,
                     const char *(*place)(void *ctx), sl_http_out *out)
{
    bool there = true;
    bool end = false;
    sl_lock(l->s->lock);
    sl_status status = sl_sv_list_fill(l, from, &end);
    if (status == SL_OK && needs != NULL && l->count == 0) {
        status = sl_sv_list_may(l, needs, &there);
    }
    sl_unlock(l->s->lock);
    if (status == SL_OK && !there) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else {
        const char *next = end ? "" : place(from->ctx);
        sl_sv_list_answer(l, next != NULL ? status : SL_E_NOMEM, next, out);
    }
}

static const char *place_of_source(void *ctx)
{
    return ((const source *)ctx)->at;
}

/* Answers with a page of the source. needs: as sl_sv_list_page has it. */
static void answer_page(sl_sv_request *r, const char *name, source *from, const char *needs,
                        sl_http_out *out)
{
    sl_sv_list l;
    sl_sv_ask ask;
    const char *after = "";
    sl_sv_source rows = {read_source, move_source, from};
    if (sl_sv_ask_read(r->in, &ask, out) && take_id(&ask, "after", &after, out) &&
        sl_sv_list_begin(&l, r, &ask, name, out)) {
        sl_sv_copy(from->at, sizeof from->at, after);
        sl_sv_list_page(&l, &rows, needs, place_of_source, out);
        sl_sv_list_free(&l);
    }
    sl_sv_ask_free(&ask);
}

/* ---- reviews ---- */

void sl_sv_reviews(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_ask ask;
    const char *video = "";
    const char *author = "";
    char space[SL_SPACE_MAX] = "";
    if (sl_sv_ask_read(r->in, &ask, out) && take_id(&ask, "video", &video, out) &&
        take_id(&ask, "author", &author, out)) {
        if (video[0] != 0) {
            sl_space_name(space, "video", video);
        }
        /* Of one video, be it nobody's that one knows: the policy is asked; else of those that one is in. */
        static const char one[] =
            "SELECT 'review', f.space, f.id, '' FROM feed f JOIN \"review\" v ON v.\"id\"=f.id AND"
            " v.\"space\"=f.space WHERE $1=$1 AND f.space=$2 AND f.listed='review' AND"
            " v.\"deleted\"=0 AND f.id<$3 AND ($4='' OR v.\"author_id\"=$4)"
            " ORDER BY f.id DESC LIMIT 100";
        static const char held[] =
            "SELECT 'review', f.space, f.id, '' FROM access x JOIN feed f ON f.space=x.space AND"
            " f.listed='review' JOIN \"review\" v ON v.\"id\"=f.id AND v.\"space\"=f.space WHERE"
            " x.user_id=$1 AND x.space LIKE 'video:%' AND v.\"deleted\"=0 AND $2=''"
            " AND f.id<$3 AND ($4='' OR v.\"author_id\"=$4) ORDER BY f.id DESC LIMIT 100";
        source from = {video[0] != 0 ? one : held, r->who.user, space, author, ""};
        answer_page(r, "reviews", &from, NULL, out);
    }
    sl_sv_ask_free(&ask);
}

/* ---- coaches ---- */

void sl_sv_coaches(sl_sv_request *r, sl_http_out *out)
{
    source from = {"SELECT 'coach', \"space\", \"id\", '' FROM \"coach\" WHERE \"deleted\"=0 AND"
                   " $1=$2 AND \"id\"<$3 AND $4='' ORDER BY \"id\" DESC LIMIT 100",
                   "", "", "", ""};
    answer_page(r, "coaches", &from, NULL, out);
}

void sl_sv_coach(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_list l = {.s = r->s, .user = r->who.user};
    sl_sv_space space;
    sl_status status = SL_OK;
    bool may = false;
    l.standing = sl_sv_standing(&r->who.rank, sl_sv_now(r->s));
    sl_lock(r->s->lock);
    if (sl_uuid_ok(r->rest)) {
        sl_space_name(space, "coach", r->rest);
        status = sl_sv_list_may(&l, space, &may);
        status = may ? sl_sv_list_add(&l, "coach", space, r->rest) : status;
    }
    sl_unlock(r->s->lock);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (l.count == 0) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else {
        sl_sv_answer_text(out, &l.text, "application/json");
    }
    sl_sv_list_free(&l);
}

void sl_sv_coach_posts(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_space space;
    if (!sl_uuid_ok(r->rest)) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
        return;
    }
    sl_space_name(space, "coach", r->rest);
    source from = {
        "SELECT 'post', f.space, f.id, '' FROM feed f JOIN \"post\" p ON p.\"id\"=f.id AND"
        " p.\"space\"=f.space WHERE $1=$1 AND f.space=$2 AND f.listed='post' AND"
        " p.\"deleted\"=0 AND f.id<$3 AND $4='' ORDER BY f.id DESC LIMIT 100",
        r->rest, space, "", ""};
    answer_page(r, "posts", &from, space, out);
}
