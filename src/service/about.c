/* service/about.c - what the server says of itself: that it is there, its version, its addresses. */
#include "base/buf.h"
#include "service/inside.h"

#ifndef SL_SERVICE_VERSION
#define SL_SERVICE_VERSION "0"
#endif

void sl_sv_health(sl_sv_request *r, sl_http_out *out)
{
    (void)r;
    sl_json *j = sl_json_object();
    if (j == NULL || !sl_json_set_bool(j, "ok", true) ||
        !sl_json_set_str(j, "version", SL_SERVICE_VERSION)) {
        sl_json_free(j);
        j = NULL;
    }
    sl_sv_answer(out, 200, j);
}

void sl_sv_livez(sl_sv_request *r, sl_http_out *out)
{
    (void)r;
    out->status = 204;
}

void sl_sv_readyz(sl_sv_request *r, sl_http_out *out)
{
    sl_sv_rows rows;
    sl_lock(r->s->lock);
    sl_status status = sl_sv_all(r->s, "SELECT 1 FROM meta LIMIT 1", NULL, 0, &rows, NULL);
    sl_sv_rows_free(&rows);
    sl_unlock(r->s->lock);
    out->status = 204;
    if (status != SL_OK) {
        sl_sv_refuse(out, 503, "unavailable", "the database does not answer");
    }
}

static void answer_pieces(const char *const *pieces, const char *type, sl_http_out *out)
{
    sl_buf b = {0};
    for (size_t i = 0; pieces[i] != NULL; i++) {
        sl_buf_str(&b, pieces[i]);
    }
    sl_sv_answer_text(out, &b, type);
}

void sl_sv_openapi(sl_sv_request *r, sl_http_out *out)
{
    (void)r;
    answer_pieces(sl_openapi, "application/json", out);
}

/* Nothing is fetched for it, and nothing runs in it. */
void sl_sv_docs(sl_sv_request *r, sl_http_out *out)
{
    (void)r;
    answer_pieces(sl_docs_page, "text/html; charset=utf-8", out);
    sl_sv_header(out, "Content-Security-Policy",
                 "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
}
