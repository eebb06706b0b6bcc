/* service/metric.c - numbers for Prometheus: counted in memory, told in its text form. */
#include "base/buf.h"
#include "base/mem.h"
#include "service/inside.h"

#include <inttypes.h>
#include <string.h>

static const int64_t TIMES_MS[SL_SV_TIMES - 1] = {1, 5, 25, 100, 250, 500, 1000, 5000};
static const char *const TIMES_TEXT[SL_SV_TIMES] = {"0.001", "0.005", "0.025", "0.1", "0.25",
                                                    "0.5",   "1",     "5",     "+Inf"};

void sl_sv_count_request(sl_service *s, const sl_route *route, int32_t status, int64_t took_ms)
{
    size_t which = route != NULL ? (size_t)(route - sl_routes) : (size_t)SL_ROUTES;
    size_t kind = status >= 100 && status < 600 ? (size_t)status / 100 : 5;
    size_t i = 0;
    while (i < SL_SV_TIMES - 1 && took_ms > TIMES_MS[i]) {
        i++;
    }
    s->counts.requests[which][kind]++;
    s->counts.times[i]++;
    s->counts.time_ms += (uint64_t)(took_ms > 0 ? took_ms : 0);
}

static void put_requests(const sl_sv_counts *c, sl_buf *b)
{
    sl_buf_str(b, "# HELP sidelined_http_requests_total Requests answered.\n"
                  "# TYPE sidelined_http_requests_total counter\n");
    for (size_t i = 0; i <= SL_ROUTES; i++) {
        for (size_t k = 1; k < SL_SV_CLASSES; k++) {
            if (c->requests[i][k] > 0) {
                sl_buf_fmt(
                    b, "sidelined_http_requests_total{route=\"%s\",status=\"%zuxx\"} %" PRIu64 "\n",
                    i < SL_ROUTES ? sl_routes[i].id : "none", k, c->requests[i][k]);
            }
        }
    }
    sl_buf_str(b, "# HELP sidelined_http_request_seconds How long an answer took to make.\n"
                  "# TYPE sidelined_http_request_seconds histogram\n");
    uint64_t sum = 0;
    for (size_t i = 0; i < SL_SV_TIMES; i++) {
        sum += c->times[i];
        sl_buf_fmt(b, "sidelined_http_request_seconds_bucket{le=\"%s\"} %" PRIu64 "\n",
                   TIMES_TEXT[i], sum);
    }
    sl_buf_fmt(b,
               "sidelined_http_request_seconds_sum %" PRIu64 ".%03u\n"
               "sidelined_http_request_seconds_count %" PRIu64 "\n",
               c->time_ms / 1000, (unsigned)(c->time_ms % 1000), sum);
}

static void put_one(sl_buf *b, const char *name, const char *type, const char *help, uint64_t v)
{
    sl_buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help, name, type, name, v);
}

static void put_pushes(const sl_service *s, sl_buf *b)
{
    sl_push_counts c = {0};
    if (s->ports.push_counts == NULL) {
        return;
    }
    s->ports.push_counts(s->ports.user, &c);
    put_one(b, "sidelined_push_queued_total", "counter", "Push notifications that were made.",
            c.queued);
    put_one(b, "sidelined_push_sent_total", "counter", "Those that the webhook has taken.", c.sent);
    put_one(b, "sidelined_push_gone_total", "counter", "Those for tokens that reach nobody.",
            c.gone);
    put_one(b, "sidelined_push_failed_total", "counter",
            "Those that were refused, or given up after the last try.", c.failed);
    put_one(b, "sidelined_push_dropped_total", "counter", "Those that there was no room for.",
            c.dropped);
    put_one(b, "sidelined_push_retries_total", "counter", "Tries after the first.", c.retried);
    put_one(b, "sidelined_push_waiting", "gauge", "Those that wait to be sent.", c.waiting);
}

void sl_sv_metrics(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_buf b = {0};
    sl_lock(s->lock);
    sl_sv_counts c = s->counts;
    size_t conns = s->conn_count;
    size_t topics = s->topic_count;
    sl_unlock(s->lock);
    put_requests(&c, &b);
    put_one(&b, "sidelined_connections", "gauge", "Live connections.", conns);
    put_one(&b, "sidelined_topics", "gauge", "Spaces that somebody listens to, or did.", topics);
    put_one(&b, "sidelined_operations_total", "counter", "Operations with a receipt.", c.ops);
    put_one(&b, "sidelined_operations_rejected_total", "counter", "Those that were rejected.",
            c.rejected);
    put_one(&b, "sidelined_rate_limited_total", "counter", "Requests over a rate limit.",
            c.limited);
    put_one(&b, "sidelined_audit_lines_total", "counter", "Lines added to the audit log.",
            c.audited);
    put_pushes(s, &b);
    out->status = 200;
    out->body = sl_buf_bytes(&b);
    if (out->body == NULL) {
        sl_sv_broken(out, SL_E_NOMEM);
        return;
    }
    sl_sv_header(out, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
}
