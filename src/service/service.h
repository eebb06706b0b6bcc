/*
 * service/service.h - the server's rules: sign-in, policy, the feed, fan-out, uploads.
 *
 * No sockets, no threads: requests and frames come in as values, answers go out through
 * the ports. The server's adapter and the simulator drive the same object. PROTOCOL.md in
 * src/sync says what it speaks.
 *
 * Threads: sl_service_* may be called from several threads; the service serialises what
 * must be (one lock around the database; password hashing is done outside it). The ports'
 * functions are called with that lock held, except `hash_password` and `check_password`.
 */
#ifndef SL_SERVICE_SERVICE_H
#define SL_SERVICE_SERVICE_H

#include "schema/record.h"
#include "sideline/platform.h"

typedef struct sl_service sl_service;

/* The database port: one SQL dialect, the part SQLite and PostgreSQL share, parameters $1, $2, ... */
typedef struct sl_db sl_db;
struct sl_db {
    void *user;
    /* Runs one statement or, without parameters, several. `row` (may be NULL) gets each row; cells
     * are borrowed for the call; false from it stops. */
    sl_status (*run)(void *user, const char *sql, const sl_cell *params, size_t n,
                     bool (*row)(void *ctx, const sl_cell *cells, size_t n), void *ctx,
                     sl_error **err);
    /* begin ... commit; SL_E_BUSY from any of the three or from run: the caller starts over. */
    sl_status (*begin)(void *user, sl_error **err);
    sl_status (*commit)(void *user, sl_error **err); /* durable when it returns SL_OK */
    void (*rollback)(void *user);
    void (*close)(void *user);
    /* Behind a CREATE TABLE whose rows are to lie by their key and nowhere else; NULL: nothing is. */
    const char *clustered;
};

/* What became of push notifications since the start. */
typedef struct sl_push_counts {
    uint64_t queued;
    uint64_t sent;
    uint64_t gone;    /* for tokens that reach nobody */
    uint64_t failed;  /* refused, or given up */
    uint64_t dropped; /* there was no room for them */
    uint64_t retried; /* tries after the first */
    uint64_t waiting; /* now */
} sl_push_counts;

typedef struct sl_service_ports {
    const sl_platform
        *platform; /* clock, random, files; http and ws unused; borrowed until close */
    sl_db db;      /* taken: closed by sl_service_close */
    void *user;
    /* Sends a frame to a connection, in order of calls; never blocks, never calls back. */
    void (*send)(void *user, sl_id conn, const void *p, size_t n);
    /* The same to many, for a frame that may be lost: it is when a connection has much to be sent. NULL:
     * sent like all others. */
    void (*offer)(void *user, const sl_id *conns, size_t count, const void *p, size_t n);
    /* The service is about to wait for the disk: what was queued goes. NULL: nothing waits for it. */
    void (*flush)(void *user);
    void (*close)(void *user, sl_id conn, int32_t code, const char *reason);
    /* bcrypt or equal; out is sl_mem text. */
    sl_status (*hash_password)(void *user, const char *secret, char **out, sl_error **err);
    bool (*check_password)(void *user, const char *secret, const char *hash);
    /* The hash cost less to make than hashes do now: it is made anew when its password is given. NULL: none
     * is. */
    bool (*old_hash)(void *user, const char *hash);
    /* There may be work for sl_service_media_next. Only signals: the lock is held. May be NULL. */
    void (*media)(void *user);
    /* Queues a mail of plain text and returns at once. NULL: no mail is sent. */
    void (*mail)(void *user, const char *to, const char *subject, const char *text);
    /* Queues a push notification for one device and returns at once: the body of a request to whoever
     * hands it on (src/sync/PROTOCOL.md). NULL: nobody is notified. */
    void (*push)(void *user, const char *body);
    /* For the metrics; from any thread, without the service's lock. NULL: they say nothing of pushes. */
    void (*push_counts)(void *user, sl_push_counts *out);
    /* One line of JSON, without anything that users wrote. NULL: nothing is logged. */
    void (*log)(void *user, const char *line);
    /* Fetches a page over HTTP, at most 1 MiB within 10 s; form NULL: GET, else POST of a form.
     * The service's lock is not held. NULL: there is no sign-in with other providers. */
    sl_status (*fetch)(void *user, const char *url, const char *form, sl_bytes **out,
                       sl_error **err);
    /* Asks the provider of payments (service/pay.h): POST of a form to the path below its address, DELETE when
     * form is NULL. Sent again with this key it is the same request. SL_E_INVALID: it does not take it;
     * SL_E_NOT_FOUND: it does not know what the path names. The service's lock is not held. NULL: nothing is
     * paid for. */
    sl_status (*pay)(void *user, const char *path, const char *form, const char *key,
                     sl_bytes **out, sl_error **err);
} sl_service_ports;

typedef struct sl_service_config {
    const char *dir; /* data folder: blobs and uploads in the making, through platform->files */
    const char
        *key_pem;       /* RSA private key that signs tokens; NULL: made and kept in the database */
    int64_t upload_max; /* bytes; 0: 4 GiB */
    bool require_factor;     /* coaches and admins need an authenticator for all but signing in */
    bool limit_rates;        /* how often one may ask, and signal */
    int32_t user_conns;      /* live connections that one user may have; 0: any number */
    int32_t trial_days;      /* new accounts begin with a trial of so many days; 0: no plans */
    const char *public_url;  /* where people reach it, for links in mails; may be NULL */
    const char *oidc_issuer; /* another provider of sign-in (OpenID Connect); NULL: none */
    const char *oidc_client; /* our client id there */
    const char *pay_secret;  /* by which the provider of payments signs what it tells; NULL: none */
    int32_t pay_fee;         /* of what coaches are paid, kept as fee: hundredths of a percent */
    bool restored; /* the database is that of a backup: all spaces get a new epoch, so that
                         * devices read them anew and send again what the backup does not know */
    bool media;    /* videos are worked on before they are ready (service/media.h) */
    /* Small ones let tests of little data cross the boundaries that much data has. */
    int32_t page_records; /* of a page, and of a change that is told at once; 0: 500 and 1000 */
    int64_t page_flight;  /* bytes of pages that a client has not said to be done with; 0: 1 MiB */
    int32_t keep_deleted_days; /* so long is known what was deleted; 0: 90 */
} sl_service_config;

/* Makes or migrates the tables. SL_E_TOO_NEW for a database of a newer server. */
sl_status sl_service_open(const sl_service_ports *ports, const sl_service_config *config,
                          sl_service **out, sl_error **err);
void sl_service_close(sl_service *s);

typedef struct sl_http_in {
    const char *method;
    const char *path;  /* without query */
    const char *query; /* may be empty */
    /* A header by lower-case name, or NULL. Borrowed until the next question. */
    const char *(*header)(void *ctx, const char *name);
    void *ctx;
    const uint8_t *body;
    size_t body_len;
    bool cut; /* the connection was lost before the whole body came; tus keeps what did */
    const char
        *peer; /* the address it comes from, as text; NULL: not known, and not limited by it */
} sl_http_in;

typedef struct sl_http_out {
    int32_t status;
    char *headers;  /* "Name: value\r\n" lines; sl_mem text */
    sl_bytes *body; /* or NULL */
    char *file;     /* or a file to send (sl_mem text), from file_at, file_len bytes */
    int64_t file_at;
    int64_t file_len;
} sl_http_out;

/* Makes the account of this address an admin, or makes it so when it is there. SL_E_NOT_FOUND. */
sl_status sl_service_make_admin(sl_service *s, const char *email, sl_error **err);
/* Reads the whole audit log. *lines: how many there are; SL_E_CORRUPT names the first that is not as it
 * was written. */
sl_status sl_service_audit_verify(sl_service *s, int64_t *lines, sl_error **err);

/* What whoever serves it refused before the service saw it: a line of the audit log. what: "http.refused" or
 * "ws.refused"; code: the status or close code. */
void sl_service_refused(sl_service *s, const char *peer, const char *what, int32_t code);
/* Takes away the records that were deleted before `before_ms`, `max` of them at most: devices that have not
 * heard of them read their spaces anew. The service does so by itself, by keep_deleted_days. */
sl_status sl_service_retain(sl_service *s, int64_t before_ms, int64_t max, sl_error **err);
/* The device of this user can no longer be reached by this push token: it is forgotten, if it is still
 * that of the device. */
void sl_service_push_gone(sl_service *s, const char *user, const char *device, const char *token);

/* Always fills out, with a 5xx at worst. */
void sl_service_http(sl_service *s, const sl_http_in *in, sl_http_out *out);
void sl_http_out_free(sl_http_out *out);

/* The same for what is asked for most and takes little, on a thread that must not wait. False: not this one, or
 * not now; it is for sl_service_http. */
bool sl_service_http_now(sl_service *s, const sl_http_in *in, sl_http_out *out);

/* A request whose body goes to its place while it comes, however long it is: the bytes of an upload.
 * (sl_service_http takes such a one too, with all of its body.) One call at a time, from any thread. */
typedef struct sl_inflow sl_inflow;
bool sl_service_flows(const sl_http_in *in); /* by its method and path */
/* in, and what it has, is borrowed until the end; its body is not looked at. len: how many bytes will come.
 * NULL: out of memory. */
sl_inflow *sl_service_flow_begin(sl_service *s, const sl_http_in *in, uint64_t len);
/* False: the answer is known, and more is not wanted. */
bool sl_service_flow_put(sl_inflow *f, const void *p, size_t n);
/* All has come, or nothing more will: what has is kept. Fills out as sl_service_http; the flow is gone. */
void sl_service_flow_end(sl_inflow *f, sl_http_out *out);

/* conn: a number the adapter chose, never used twice. binary: its subprotocol is
 * SL_FRAME_PROTOCOL_BIN, and all its messages are binary ones; else they are text. */
void sl_service_ws_open(sl_service *s, sl_id conn, bool binary);
void sl_service_ws_message(sl_service *s, sl_id conn, const void *p, size_t n);
void sl_service_ws_closed(sl_service *s, sl_id conn);

/* Several of these three, in order. What they change is one transaction of the database, and what they
 * cause is sent after its commit: group commit. */
typedef enum sl_ws_what {
    SL_WS_OPENED,
    SL_WS_SAID,
    SL_WS_LEFT
} sl_ws_what;

typedef struct sl_ws_event {
    sl_id conn;
    sl_ws_what what;
    bool binary;   /* opened */
    const void *p; /* said; borrowed for the call */
    size_t n;
} sl_ws_event;

void sl_service_ws_events(sl_service *s, const sl_ws_event *list, size_t n);

#endif
