/* HTTP requests to the server, by number. */
#include "engine/engine.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    WAIT_S_MAX = 3600 /* no server keeps a client away for longer */
};

sl_call *sl_call_find(sl_core *core, sl_id id)
{
    sl_call *call = core->calls;
    while (call != NULL && call->id != id) {
        call = call->next;
    }
    return call;
}

void sl_call_end(sl_core *core, sl_call *call)
{
    sl_call **at = &core->calls;
    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
    sl_engine_expect_no_more(core, call->id);
    sl_mem_free(call->headers);
    sl_buf_free(&call->body);
    sl_mem_free(call);
}

sl_status sl_call_start(sl_core *core, sl_call_kind kind, const sl_http_request *request,
                        sl_call **out)
{
    const sl_http_ops *http = core->platform.http;
    if (http == NULL || core->server == NULL) {
        return core->server == NULL ? SL_E_NETWORK : SL_E_UNSUPPORTED;
    }
    const char *url = request->url;
    bool whole = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
    char *full = sl_text_fmt("%s%s", whole ? "" : core->server, url);
    sl_call *call = full != NULL ? sl_mem(sizeof *call) : NULL;
    if (call == NULL) {
        sl_mem_free(full);
        return SL_E_NOMEM;
    }
    call->id = ++core->next_id;
    call->kind = kind;
    call->next = core->calls;
    core->calls = call;
    sl_http_request sent = *request;
    sent.struct_size = sizeof sent;
    sent.url = full;
    sl_status status = sl_engine_expect(core, call->id)
                           ? http->start(core->platform.user, call->id, &sent)
                           : SL_E_NOMEM;
    sl_mem_free(full);
    if (status != SL_OK) {
        sl_call_end(core, call);
        return status;
    }
    *out = call;
    return SL_OK;
}

sl_status sl_call_post(sl_core *core, sl_call_kind kind, const char *path, const char *json,
                       sl_call **out)
{
    sl_http_request request = {.method = "POST",
                               .url = path,
                               .headers = "Content-Type: application/json\r\n",
                               .body = (const uint8_t *)json,
                               .body_len = strlen(json)};
    return sl_call_start(core, kind, &request, out);
}

int64_t sl_call_wait_ms(const sl_call *call)
{
    char *text = call->status == 429 || call->status == 503
                     ? sl_header_value(call->headers, "retry-after")
                     : NULL;
    int64_t wait_s = text != NULL && text[0] >= '0' && text[0] <= '9' ? strtoll(text, NULL, 10) : 0;
    sl_mem_free(text);
    return (wait_s < WAIT_S_MAX ? wait_s : WAIT_S_MAX) * 1000;
}

char *sl_header_value(const char *headers, const char *name)
{
    size_t n = strlen(name);
    const char *line = headers;
    while (line != NULL && *line != 0) {
        const char *end = strchr(line, '\n');
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *value = line + n + 1;
            while (*value == ' ') {
                value++;
            }
            return sl_text_ndup(value, strcspn(value, "\r\n"));
        }
        line = end != NULL ? end + 1 : NULL;
    }
    return NULL;
}
