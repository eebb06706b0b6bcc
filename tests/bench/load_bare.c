/*
 * What a bare libwebsockets handler does: answers each request with so many bytes. For load_http.c.
 *
 *   bench_bare_http PORT-FILE BYTES
 */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char g_answer[LWS_PRE + 16384];
static size_t g_len;

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                   size_t n)
{
    (void)user, (void)in, (void)n;
    switch ((int)reason) {
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return 1;
    case LWS_CALLBACK_HTTP: lws_callback_on_writable(wsi); return 0;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        if (lws_write(wsi, g_answer + LWS_PRE, g_len, LWS_WRITE_HTTP_FINAL) < (int)g_len) {
            return -1;
        }
        return lws_http_transaction_completed(wsi) != 0 ? -1 : 0;
    default: return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "http", .callback = on_http, .tx_packet_size = 65536},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    struct lws_context_creation_info info;
    size_t total = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    char part[400];
    memset(&info, 0, sizeof info);
    lws_set_log_level(0, NULL);
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6;
    struct lws_context *context = lws_create_context(&info);
    struct lws_vhost *vhost = context != NULL ? lws_create_vhost(context, &info) : NULL;
    if (vhost == NULL || total < 100 || total > 16000) {
        return 1;
    }
    char *at = (char *)g_answer + LWS_PRE;
    int head = snprintf(at, 200, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", total - 60);
    memset(at + head, 'x', total - 60);
    g_len = (size_t)head + total - 60;
    (void)snprintf(part, sizeof part, "%s.part", argv[1]);
    FILE *f = fopen(part, "w");
    if (f == NULL || fprintf(f, "%d\n", lws_get_vhost_listen_port(vhost)) < 0 || fclose(f) != 0 ||
        rename(part, argv[1]) != 0) {
        return 1;
    }
    while (lws_service(context, 0) >= 0) {
    }
    lws_context_destroy(context);
    return 0;
}
