/* service/list.h - pages of records that one request reads. */
#ifndef SL_SERVICE_LIST_H
#define SL_SERVICE_LIST_H

#include "service/ask.h"
#include "service/inside.h"

enum {
    SL_SV_LIST_MAX = 100,
    SL_SV_LIST_USUAL = 20,
    SL_SV_LIST_BATCH = 100 /* rows of one statement */
};

/* {"<name>":[records],"next":".."?} on its way. */
typedef struct sl_sv_list {
    sl_service *s;
    const char *user; /* "": a guest */
    sl_standing standing;
    const char *name;
    int64_t limit;
    size_t count;
    sl_buf text;
    sl_record rec;
} sl_sv_list;

/* Where a list is read from: rows of entity, space, id and the id of a record that stands for it or "". */
typedef struct sl_sv_source {
    /* Reads SL_SV_LIST_BATCH rows behind the place, less at the end. */
    sl_status (*read)(void *ctx, sl_service *s, sl_sv_rows *rows);
    void (*move)(void *ctx, const sl_sv_rows *rows, size_t i); /* this row is the place now */
    void *ctx;
} sl_sv_source;

/* With the limit that is asked for. Freed in any case. False: the answer is made. */
bool sl_sv_list_begin(sl_sv_list *l, const sl_sv_request *r, const sl_sv_ask *ask, const char *name,
                      sl_http_out *out);
bool sl_sv_list_full(const sl_sv_list *l);
/* *may: the one who asks may read the space. */
sl_status sl_sv_list_may(const sl_sv_list *l, const char *space, bool *may);
/* The record in `rec`. */
void sl_sv_list_put(sl_sv_list *l);
/* A record by its id, unless it is gone. */
sl_status sl_sv_list_add(sl_sv_list *l, const char *entity, const char *space, const char *id);
/* Rows until it is full or has looked at enough. *end: there is nothing behind it. */
sl_status sl_sv_list_fill(sl_sv_list *l, const sl_sv_source *from, bool *end);
/* The same, and the answer. needs: the space, or there is nothing when the page is empty; NULL: none. place: what
 * `after` is to be (until the next call); NULL: there is no memory. */
void sl_sv_list_page(sl_sv_list *l, const sl_sv_source *from, const char *needs,
                     const char *(*place)(void *ctx), sl_http_out *out);
/* next: what `after` is to be for what follows; "": nothing does. */
void sl_sv_list_answer(sl_sv_list *l, sl_status status, const char *next, sl_http_out *out);
void sl_sv_list_free(sl_sv_list *l);

void sl_sv_reviews(sl_sv_request *r, sl_http_out *out);
void sl_sv_coaches(sl_sv_request *r, sl_http_out *out);
void sl_sv_coach(sl_sv_request *r, sl_http_out *out);
void sl_sv_coach_programs(sl_sv_request *r, sl_http_out *out); /* offers.c */
void sl_sv_coach_posts(sl_sv_request *r, sl_http_out *out);
void sl_sv_search(sl_sv_request *r, sl_http_out *out); /* search.c */

#endif
