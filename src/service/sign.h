/* service/sign.h - addresses that carry their right with them. */
#ifndef SL_SERVICE_SIGN_H
#define SL_SERVICE_SIGN_H

#include "service/inside.h"

enum {
    SL_SV_SIGNED_S = 6 * 3600
};

typedef struct sl_sv_right {
    const char *purpose; /* what kind of thing it opens */
    const char *what;    /* which one: at most SL_SV_SHA_LEN bytes */
    sl_sv_id user;       /* for whom */
    int64_t until_s;
} sl_sv_right;

/* Whether the address is a signed one, be it wrongly. */
bool sl_sv_sign_is(const sl_http_in *in);
/* Reads user and until_s from the query. False: it is not signed so, or it has expired. */
bool sl_sv_sign_holds(const sl_service *s, const char *query, sl_sv_right *right);
/* ?u=..&e=..&s=.. */
void sl_sv_sign_put(const sl_service *s, const sl_sv_right *right, sl_buf *out);
/* {"url","expires_ms"}; url is the path, and is freed. */
void sl_sv_sign_answer(const sl_service *s, const sl_sv_right *right, sl_buf *url,
                       sl_http_out *out);

#endif
