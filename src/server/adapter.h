/*
 * server/adapter.h - between sockets and the service: one libwebsockets context on the calling
 * thread, requests and frames to a few workers, answers queued back.
 *
 *      sockets --> loop thread --> strands of the pool --> sl_service_*
 *         ^                                                   |
 *         +---- loop thread <-- queues (lock, then wake) <----+
 *
 * libwebsockets is touched by the loop's thread alone; from others only its wake-up call.
 */
#ifndef SL_SERVER_ADAPTER_H
#define SL_SERVER_ADAPTER_H

#include "server/origin.h"
#include "server/web.h"
#include "service/service.h"

typedef struct sl_adapter sl_adapter;

/* Who reads the sockets in libwebsockets' stead (strict.h), and waits for them (waits.h). */
typedef struct sl_adapter_watch {
    void (*serve)(bool on); /* the calling thread is the loop's */
    void (*open)(int fd);
    void (*heads)(int fd);                       /* what comes from it are requests */
    bool (*close)(int fd);                       /* true: the peer may still be sending */
    bool (*begin)(int fd, uint64_t message_max); /* false: the connection is to be ended */
    int32_t (*said)(int fd); /* the code of the client's close when it was changed, else 0 */
    int32_t (*fault)(
        int fd); /* the status or code by which what it sent is refused, 0: it is not */
    void (*peer)(int fd, char *out, size_t cap); /* its address as text, "": not known */
} sl_adapter_watch;

typedef struct sl_adapter_config {
    const sl_platform *platform; /* borrowed until free */
    const char *host;
    int32_t port;        /* 0: any free one */
    int64_t upload_rate; /* bytes per second, 0: no limit */
    bool verbose;
    const sl_web *web;             /* an app for browsers, borrowed until free, or NULL */
    const sl_adapter_watch *watch; /* borrowed until free */
    const char *tls_cert;          /* PEM, a chain; NULL: plain HTTP */
    const char *tls_key;
    bool tls_old;          /* TLS 1.2 too; else 1.3 alone */
    sl_origins origins;    /* whose pages may open the live channel; the texts are borrowed */
    int32_t address_conns; /* live connections that may come from one address; 0: any number */
    bool behind_proxy;     /* the last address of X-Forwarded-For is where a request comes from */
} sl_adapter_config;

sl_status sl_adapter_new(const sl_adapter_config *config, sl_adapter **out, sl_error **err);
void sl_adapter_free(sl_adapter *a);

/* For sl_service_ports: user is the adapter. */
void sl_adapter_send(void *user, sl_id conn, const void *p, size_t n);
/* To many, of what may be lost: a connection is spared it that has 64 KiB to be sent already. */
void sl_adapter_offer(void *user, const sl_id *conns, size_t count, const void *p, size_t n);
/* The loop is woken for what was queued while the service worked on what connections say. */
void sl_adapter_flush(void *user);
void sl_adapter_close_conn(void *user, sl_id conn, int32_t code, const char *reason);

/* Listens; *port is the one taken. SL_E_BUSY: in use. The service is borrowed until free. */
sl_status sl_adapter_listen(sl_adapter *a, sl_service *service, int32_t *port, sl_error **err);
/* Serves until stop; when it returns no call into the service is running or will be made. */
sl_status sl_adapter_run(sl_adapter *a, sl_error **err);
void sl_adapter_stop(sl_adapter *a); /* any thread */

#endif
