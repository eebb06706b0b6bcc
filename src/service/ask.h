/* service/ask.h - what a request asks for: the query of a GET, the JSON body of others; and forms that we send. */
#ifndef SL_SERVICE_ASK_H
#define SL_SERVICE_ASK_H

#include "base/buf.h"
#include "base/json.h"
#include "service/service.h"

typedef struct sl_sv_ask {
    sl_json *json; /* an object: owns the texts */
    bool query;    /* it was read from a query: all its values are texts */
} sl_sv_ask;

/* The parameters of a query as an object of texts, given. SL_E_INVALID: it is broken. */
sl_status sl_sv_query_read(const char *query, sl_json **out);
/* The query of a GET, the JSON body of others. Freed in any case. False: the answer is made. */
bool sl_sv_ask_read(const sl_http_in *in, sl_sv_ask *a, sl_http_out *out);
void sl_sv_ask_free(sl_sv_ask *a);
/* What may be missing: then 0, NULL, false. False: the answer is made. */
bool sl_sv_ask_number(const sl_sv_ask *a, const char *name, int64_t *to, sl_http_out *out);
bool sl_sv_ask_text(const sl_sv_ask *a, const char *name, const char **to, sl_http_out *out);
bool sl_sv_ask_flag(const sl_sv_ask *a, const char *name);

/* Adds a member to a form (application/x-www-form-urlencoded). The name needs no escape. */
void sl_sv_form_put(sl_buf *form, const char *name, const char *value);

#endif
