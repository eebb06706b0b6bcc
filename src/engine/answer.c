/*
 * Whose answer it is. Between a device and its server stand captive portals, proxies and gateways that
 * answer in its place, mostly with a page and 200. Only what bears the server's own mark counts as its word:
 * the ETag that names the blob, the place or offset of an upload, the kind of text that its refusals and its
 * answers about accounts have.
 * Everything else is as if the server had not been reached.
 */
#include "engine/engine.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool has_header(const sl_call *call, const char *name)
{
    char *value = sl_header_value(call->headers, name);
    sl_mem_free(value);
    return value != NULL;
}

static bool header_holds(const sl_call *call, const char *name, const char *part)
{
    char *value = sl_header_value(call->headers, name);
    bool holds = value != NULL && strstr(value, part) != NULL;
    sl_mem_free(value);
    return holds;
}

/* The part that came begins where ours ends; a page of another origin may not be told where it does. */
static bool follows(const sl_call *call, int64_t at)
{
    static const char unit[] = "bytes ";
    char *value = call->status == 206 ? sl_header_value(call->headers, "content-range") : NULL;
    bool yes = value == NULL || (strncasecmp(value, unit, sizeof unit - 1) == 0 &&
                                 strtoll(value + sizeof unit - 1, NULL, 10) == at);
    sl_mem_free(value);
    return yes;
}

bool sl_answer_is_blob(const sl_transfer *t, const sl_call *call)
{
    return (call->status == 200 || call->status == 206) &&
           header_holds(call, "etag", t->upload.hex) &&
           (call->body.len > 0 || follows(call, t->xfer.at));
}

bool sl_answer_is_word(const sl_call *call, const sl_json *body)
{
    bool mute = call->status == 204 || (call->status == 202 && call->body.len == 0);
    return mute || (body != NULL && header_holds(call, "content-type", "application/json"));
}

bool sl_answer_is_servers(const sl_transfer *t, const sl_call *call)
{
    int32_t status = call->status;
    if (status >= 200 && status < 300) {
        return t->download ? sl_answer_is_blob(t, call)
                           : has_header(call, status == 201 ? "location" : "upload-offset");
    }
    return (t->download && status == 416) || has_header(call, "tus-resumable") ||
           header_holds(call, "content-type", "application/json");
}

const char *sl_answer_why(const sl_transfer *t, const sl_call *call, sl_status net)
{
    if (net != SL_OK) {
        return "unreachable";
    }
    if (call->status == 429 || sl_call_wait_ms(call) > 0) {
        return "throttled";
    }
    if (call->status >= 500) {
        return "unreachable";
    }
    if (!sl_answer_is_servers(t, call)) {
        return "portal";
    }
    return call->status == 401   ? "auth"
           : call->status == 403 ? "denied"
           : call->status == 404 ? "not_found"
                                 : NULL;
}

void sl_answer_note(sl_core *core, const char *why)
{
    bool way = why != NULL && (strcmp(why, "portal") == 0 || strcmp(why, "throttled") == 0);
    core->kept_off = way ? why : NULL;
}
