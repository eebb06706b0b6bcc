#include "server/reply.h"

#include "base/json.h"
#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

enum {
    CROWDED_S = 60, /* until a place may be free */
    BUSY_S = 5
};

static const struct {
    int32_t status;
    const char *reason;
    const char *name;
} statuses[] = {
    {200, "OK", ""},
    {201, "Created", ""},
    {202, "Accepted", ""},
    {204, "No Content", ""},
    {206, "Partial Content", ""},
    {304, "Not Modified", ""},
    {400, "Bad Request", "bad_request"},
    {401, "Unauthorized", "unauthorized"},
    {403, "Forbidden", "forbidden"},
    {404, "Not Found", "not_found"},
    {405, "Method Not Allowed", "method_not_allowed"},
    {408, "Request Timeout", "timeout"},
    {409, "Conflict", "conflict"},
    {410, "Gone", "gone"},
    {411, "Length Required", "length_required"},
    {412, "Precondition Failed", "precondition_failed"},
    {413, "Content Too Large", "too_large"},
    {414, "URI Too Long", "address_too_long"},
    {415, "Unsupported Media Type", "unsupported_media_type"},
    {416, "Range Not Satisfiable", "range_not_satisfiable"},
    {422, "Unprocessable Content", "validation_failed"},
    {423, "Locked", "locked"},
    {429, "Too Many Requests", "rate_limit_exceeded"},
    {431, "Request Header Fields Too Large", "headers_too_large"},
    {460, "Checksum Mismatch", "checksum_mismatch"},
    {500, "Internal Server Error", "internal"},
    {501, "Not Implemented", "not_implemented"},
    {503, "Service Unavailable", "unavailable"},
    {505, "HTTP Version Not Supported", "version_not_supported"},
    {507, "Insufficient Storage", "disk_full"},
};

static size_t find_status(int32_t status)
{
    size_t n = sizeof statuses / sizeof statuses[0];
    for (size_t i = 0; i < n; i++) {
        if (statuses[i].status == status) {
            return i;
        }
    }
    return n;
}

static const char *reason_of(int32_t status)
{
    size_t i = find_status(status);
    return i < sizeof statuses / sizeof statuses[0] ? statuses[i].reason : "Status";
}

/* Whole lines only, each "Name: value\r\n": nothing in them can end the head early. */
static bool headers_ok(const char *headers)
{
    const char *at = headers;
    while (*at != '\0') {
        size_t n = strcspn(at, "\r\n");
        const char *colon = memchr(at, ':', n);
        if (n == 0 || colon == NULL || colon == at || at[n] != '\r' || at[n + 1] != '\n') {
            return false;
        }
        at += n + 2;
    }
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool has_header(const char *headers, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = headers; *at != '\0'; at = strstr(at, "\r\n") + 2) {
        size_t i = 0;
        while (i < n && lower(at[i]) == name[i]) {
            i++;
        }
        if (i == n && at[n] == ':') {
            return true;
        }
    }
    return false;
}

static int64_t body_len(const sl_http_out *out)
{
    if (out->file != NULL) {
        return out->file_len;
    }
    return out->body != NULL ? (int64_t)sl_bytes_len(out->body) : 0;
}

bool sl_reply_head(sl_buf *to, const sl_http_out *out, const char *id, bool close_after)
{
    const char *headers = out->headers != NULL ? out->headers : "";
    if (!headers_ok(headers)) {
        return false;
    }
    sl_buf_fmt(to, "HTTP/1.1 %d %s\r\n%s", (int)out->status, reason_of(out->status), headers);
    bool bodiless = out->status == 204 || out->status == 304;
    if (!bodiless && !has_header(headers, "content-length")) {
        sl_buf_fmt(to, "Content-Length: %" PRId64 "\r\n", body_len(out));
    }
    if (!has_header(headers, "x-content-type-options")) {
        sl_buf_str(to, "X-Content-Type-Options: nosniff\r\n");
    }
    if (id[0] != '\0' && !has_header(headers, "x-request-id")) {
        sl_buf_fmt(to, "X-Request-Id: %s\r\n", id);
    }
    sl_buf_str(to, close_after ? "Connection: close\r\n\r\n" : "\r\n");
    return !to->failed;
}

void sl_reply_error(sl_http_out *out, int32_t status, const char *message)
{
    memset(out, 0, sizeof *out);
    out->status = status;
    size_t i = find_status(status);
    bool known = i < sizeof statuses / sizeof statuses[0];
    int64_t wait_s = status == 429 ? CROWDED_S : status == 503 ? BUSY_S : 0;
    sl_json *body = sl_json_object();
    if (body != NULL && sl_json_set_str(body, "error", known ? statuses[i].name : "internal") &&
        (status == 429 ? sl_json_set_int(body, "retry_after", wait_s)
                       : sl_json_set_str(body, "message", message))) {
        out->body = sl_json_bytes(body);
    }
    sl_json_free(body);
    sl_buf headers = {0};
    sl_buf_str(&headers, out->body != NULL ? "Content-Type: application/json\r\n" : "");
    if (wait_s > 0) {
        sl_buf_fmt(&headers, "Retry-After: %d\r\n", (int)wait_s);
    }
    out->headers = headers.failed ? NULL : sl_text_dup(sl_buf_text(&headers));
    sl_buf_free(&headers);
}
