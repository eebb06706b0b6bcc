/*
 * server/linger.c - the lingering close (as servers do it since NCSA httpd): a socket that is closed while
 * bytes of its peer are unread is reset, and the reset may overtake what was written last. So the socket
 * is handed on, as another descriptor of the same, to a protocol that only throws away what comes.
 */
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#include "server/inside.h"

#include <fcntl.h>
#include <unistd.h>

static const uint64_t BYTES_MAX = 64U << 20;

void sl_linger(sl_adapter *a, struct lws *wsi)
{
    int fd = lws_get_socket_fd(wsi);
    if (!a->watch->close(fd) || a->closing || a->n_lingering >= SL_SERVER_LINGER_MAX) {
        return;
    }
    lws_sock_file_fd_type again = {.sockfd = fcntl(fd, F_DUPFD_CLOEXEC, 0)};
    if (again.sockfd < 0) {
        return;
    }
    a->watch->open(again.sockfd);
    /* Closes the descriptor when it fails. */
    struct lws *rest = lws_adopt_descriptor_vhost(lws_get_vhost(wsi), LWS_ADOPT_SOCKET, again,
                                                  SL_SERVER_LINGER_NAME, NULL);
    if (rest == NULL) {
        (void)a->watch->close(again.sockfd);
        return;
    }
    a->n_lingering++;
    lws_set_timeout(rest, PENDING_TIMEOUT_USER_OK, SL_SERVER_LINGER_S);
}

int sl_linger_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t n)
{
    sl_adapter *a = lws_context_user(lws_get_context(wsi));
    uint64_t *thrown = user;
    (void)in;
    switch ((int)reason) {
    case LWS_CALLBACK_RAW_RX: *thrown += n; return *thrown > BYTES_MAX ? -1 : 0;
    case LWS_CALLBACK_RAW_CLOSE:
        (void)a->watch->close(lws_get_socket_fd(wsi));
        a->n_lingering--;
        return 0;
    default: return 0;
    }
}
