/*
 * service/route.h - the addresses of the HTTP side: route_table.c, openapi_text.c, docs_page.c and openapi.json are generated from
 * routes.toml. The server finds its way by this table, so that what is described is what is there.
 */
#ifndef SL_SERVICE_ROUTE_H
#define SL_SERVICE_ROUTE_H

#include "service/route_table.h"

#include <stdbool.h>

typedef enum sl_need {
    SL_NEED_NONE,
    SL_NEED_GUEST,   /* anybody; who shows a token is who it says */
    SL_NEED_SESSION, /* signed in; the second factor may be missing */
    SL_NEED_USER,
    SL_NEED_ADMIN,
    SL_NEED_SERVICE
} sl_need;

typedef enum sl_rate {
    SL_RATE_PUBLIC,
    SL_RATE_AUTHENTICATED,
    SL_RATE_UPLOAD,
    SL_RATE_WEBHOOK,
    SL_RATE_ANALYTICS,
    SL_RATE_MAIL,
    SL_RATE_PUSH,   /* operations */
    SL_RATE_FRAMES, /* of the live channel */
    SL_RATES,
    SL_RATE_NONE = SL_RATES
} sl_rate;

typedef struct sl_route {
    const char *id;
    const char *method;
    const char *path;   /* with `rest`: up to and with the last slash before the id */
    const char *behind; /* what follows the id: a slash and a word; "" */
    bool rest;          /* one more word follows: an id */
    bool tail;          /* or several, with slashes between */
    sl_need need;
    const char *scope; /* of a service; "" */
    sl_rate rate;
    bool audit;
    bool json;  /* has a JSON body */
    bool large; /* of up to SL_SV_FRAME_MAX bytes */
} sl_route;

extern const sl_route sl_routes[SL_ROUTES];
extern const char *const sl_openapi[];   /* the pieces of the text, NULL at the end */
extern const char *const sl_docs_page[]; /* likewise, of the same for readers, as HTML */

#endif
