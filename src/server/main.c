/*
 * server/main.c - sidelined: one process, one data folder.
 *
 * DIR/lock is held while it runs, DIR/server.db is the database, the service keeps its files
 * beside it. Ends with 0 after SIGINT or SIGTERM, 2 for a wrong command line, 1 otherwise.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "platform/curl/outside.h"
#include "platform/posix/posix.h"
#include "server/adapter.h"
#include "server/database.h"
#ifdef SL_SERVER_MEDIA
#include "server/media.h"
#include "server/worker.h"
#endif
#include "server/mailer.h"
#include "server/options.h"
#include "server/password.h"
#include "server/pusher.h"
#include "server/strict.h"
#include "server/waits.h"
#include "server/web.h"
#include "service/service.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct daemon_state {
    sl_options options;
    sl_platform platform;
    void *lock;
    sl_database *database;
    sl_adapter *adapter;
    sl_service *service;
    struct sl_media *media; /* NULL: videos are not worked on */
    sl_mailer *mailer;
    sl_pusher *pusher; /* NULL: nobody is notified */
    sl_web *web;       /* NULL: no app for browsers */
    FILE *log;
    sigset_t signals;
    const char *program; /* as it was called */
} daemon_state;

/* The service's ports have one user; the adapter's functions and the passwords share it. */
typedef struct port_user {
    sl_adapter *adapter;
    struct sl_media *media;
    sl_mailer *mailer;
    sl_pusher *pusher;
    FILE *log;
    const sl_platform *platform;
    const char *pay_url;
    const char *pay_key;
} port_user;

static void port_send(void *user, sl_id conn, const void *p, size_t n)
{
    const port_user *u = user;
    sl_adapter_send(u->adapter, conn, p, n);
}

static void port_offer(void *user, const sl_id *conns, size_t count, const void *p, size_t n)
{
    const port_user *u = user;
    sl_adapter_offer(u->adapter, conns, count, p, n);
}

static void port_flush(void *user)
{
    const port_user *u = user;
    sl_adapter_flush(u->adapter);
}

static void port_close(void *user, sl_id conn, int32_t code, const char *reason)
{
    const port_user *p = user;
    sl_adapter_close_conn(p->adapter, conn, code, reason);
}

static sl_status hash_password(void *user, const char *secret, char **out, sl_error **err)
{
    const port_user *p = user;
    return sl_password_hash(p->platform, secret, out, err);
}

static bool check_password(void *user, const char *secret, const char *hash)
{
    (void)user;
    return sl_password_check(secret, hash);
}

static bool old_hash(void *user, const char *hash)
{
    (void)user;
    return sl_password_old(hash);
}

/* True when the command line asks for one thing instead of serving. */
static bool one_thing(const daemon_state *d)
{
    return d->options.make_admin != NULL || d->options.verify_audit;
}

#ifdef SL_SERVER_MEDIA
static void port_media(void *user)
{
    const port_user *p = user;
    sl_media_wake(p->media);
}

/* This very program, from which the workers are started. */
static const char *own_program(const char *called)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) {
        return called;
    }
    path[n] = 0;
    return path;
}

static sl_status open_media(daemon_state *d, sl_error **err)
{
    sl_media_config config = {.platform = &d->platform,
                              .dir = d->options.data,
                              .encoder = d->options.encoder,
                              .scan = d->options.scan,
                              .program = own_program(d->program)};
    return d->options.no_media || one_thing(d) ? SL_OK : sl_media_new(&config, &d->media, err);
}
#endif

static void send_mail(void *user, const char *to, const char *subject, const char *text)
{
    const port_user *p = user;
    sl_mailer_send(p->mailer, to, subject, text);
}

static void push(void *user, const char *body)
{
    const port_user *p = user;
    sl_pusher_send(p->pusher, body);
}

static void push_counts(void *user, sl_push_counts *out)
{
    const port_user *p = user;
    sl_pusher_counts c = sl_pusher_count(p->pusher);
    *out = (sl_push_counts){.queued = c.queued,
                            .sent = c.sent,
                            .gone = c.gone,
                            .failed = c.failed,
                            .dropped = c.dropped,
                            .retried = c.retried,
                            .waiting = c.waiting};
}

/* The device of a notification is not there any more. */
static void push_gone(void *user, const char *body)
{
    const daemon_state *d = user;
    sl_json *j = sl_json_parse(body, strlen(body));
    const char *who = sl_json_str(j, "user");
    const char *device = sl_json_str(j, "device");
    const char *token = sl_json_str(j, "token");
    if (who != NULL && device != NULL && token != NULL) {
        sl_service_push_gone(d->service, who, device, token);
    }
    sl_json_free(j);
}

static void write_log(void *user, const char *line)
{
    const port_user *p = user;
    (void)fprintf(p->log, "%s\n", line); /* one call: lines of several threads stay whole */
    (void)fflush(p->log);
}

static sl_status fetch(void *user, const char *url, const char *form, sl_bytes **out,
                       sl_error **err)
{
    char *text = NULL;
    size_t n = 0;
    (void)user;
    sl_status st = sl_outside_fetch(url, form, &text, &n);
    *out = st == SL_OK ? sl_bytes_copy(text, n) : NULL;
    free(text);
    if (st == SL_OK && *out == NULL) {
        return sl_fail_nomem(err);
    }
    return st == SL_OK ? SL_OK : sl_fail(err, st, "the other server did not answer as hoped");
}

static bool is_said(const char *text)
{
    return text != NULL && text[0] != 0;
}

/* As the API of this version answers, whatever the account's own is. */
static sl_status pay(void *user, const char *path, const char *form, const char *key,
                     sl_bytes **out, sl_error **err)
{
    const port_user *p = user;
    char id[128];
    const char *const headers[] = {"Stripe-Version: 2024-06-20", id, NULL};
    char *text = NULL;
    size_t n = 0;
    int32_t status = 0;
    *out = NULL;
    (void)snprintf(id, sizeof id, "Idempotency-Key: %s", key);
    char *url = sl_text_fmt("%s/%s", p->pay_url, path);
    sl_status st = url != NULL ? sl_outside_form(url, p->pay_key, headers, form, &text, &n, &status)
                               : (sl_status)SL_E_NOMEM;
    sl_mem_free(url);
    if (st == SL_OK && status == 200 && text != NULL) {
        *out = sl_bytes_copy(text, n);
        st = *out != NULL ? SL_OK : SL_E_NOMEM;
    } else if (st == SL_OK) { /* 409: the same request is under way */
        bool ours = status >= 400 && status < 500 && status != 401 && status != 403 &&
                    status != 409 && status != 429;
        st = status == 404 ? SL_E_NOT_FOUND : ours ? SL_E_INVALID : SL_E_NETWORK;
    }
    free(text);
    return st == SL_OK ? SL_OK : sl_fail(err, st, "the provider of payments answered %d", status);
}

static sl_status lock_folder(daemon_state *d, sl_error **err)
{
    const sl_file_ops *files = d->platform.files;
    sl_status st = files->mkdir(d->platform.user, d->options.data);
    if (st != SL_OK) {
        return sl_fail(err, st, "the data folder \"%s\" cannot be made", d->options.data);
    }
    char *path = sl_text_fmt("%s/lock", d->options.data);
    if (path == NULL) {
        return sl_fail_nomem(err);
    }
    st = files->open(d->platform.user, path, SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_LOCK,
                     &d->lock);
    sl_mem_free(path);
    if (st == SL_E_BUSY) {
        return sl_fail(err, st, "the data folder \"%s\" is in use by another sidelined",
                       d->options.data);
    }
    if (st == SL_E_FULL) {
        return sl_fail(err, st, "the disk with the data folder \"%s\" is full", d->options.data);
    }
    if (st != SL_OK) {
        return sl_fail(err, st, "the data folder \"%s\" cannot be written to", d->options.data);
    }
    return SL_OK;
}

static sl_status open_service(daemon_state *d, port_user *user, sl_error **err)
{
    sl_service_ports ports = {
        .platform = &d->platform,
        .user = user,
        .send = port_send,
        .offer = port_offer,
        .flush = port_flush,
        .close = port_close,
        .hash_password = hash_password,
        .check_password = check_password,
        .old_hash = old_hash,
        .mail = send_mail,
        .log = d->log != NULL ? write_log : NULL,
        .fetch = fetch,
        .pay = d->options.pay != NULL ? pay : NULL,
        .push = d->pusher != NULL ? push : NULL,
        .push_counts = d->pusher != NULL ? push_counts : NULL,
    };
#ifdef SL_SERVER_MEDIA
    ports.media = d->media != NULL ? port_media : NULL;
    user->media = d->media;
#endif
    user->pay_url = d->options.pay;
    user->pay_key = getenv("SIDELINED_PAY_KEY");
    if (user->pay_url != NULL &&
        (!is_said(user->pay_key) || !is_said(getenv("SIDELINED_PAY_SECRET")))) {
        return sl_fail(err, SL_E_INVALID,
                       "--pay needs SIDELINED_PAY_KEY and SIDELINED_PAY_SECRET in the environment");
    }
    sl_status st = sl_database_open(d->options.data, &d->platform, &d->database, &ports.db, err);
    if (st != SL_OK) {
        return st;
    }
    sl_service_config config = {
        .dir = d->options.data,
        .restored = d->options.restored,
        .media = d->media != NULL,
        .require_factor = !d->options.open_factor,
        .limit_rates = !d->options.no_limits,
        .user_conns = d->options.user_conns,
        .trial_days = d->options.trial_days,
        .keep_deleted_days = d->options.keep_deleted_days,
        .public_url = d->options.public_url,
        .oidc_issuer = d->options.oidc_issuer,
        .oidc_client = d->options.oidc_client,
        .pay_secret = getenv("SIDELINED_PAY_SECRET"),
        .pay_fee = d->options.pay_fee,
    };
    return sl_service_open(&ports, &config, &d->service, err);
}

static sl_status write_port_file(const char *path, int32_t port, sl_error **err)
{
    char *part = sl_text_fmt("%s.part", path);
    if (part == NULL) {
        return sl_fail_nomem(err);
    }
    FILE *f = fopen(part, "w");
    bool ok = f != NULL && fprintf(f, "%d\n", (int)port) > 0;
    if (f != NULL && fclose(f) != 0) {
        ok = false;
    }
    /* Whoever waits for the file, under whatever name, sees it whole or not at all. */
    ok = ok && chmod(part, 0644) == 0 && rename(part, path) == 0;
    sl_mem_free(part);
    return ok ? SL_OK : sl_fail(err, SL_E_IO, "the port file \"%s\" cannot be written", path);
}

static void *wait_for_signal(void *arg)
{
    daemon_state *d = arg;
    int which = 0;
    (void)sigwait(&d->signals, &which);
    sl_adapter_stop(d->adapter);
    return NULL;
}

static sl_status serve(daemon_state *d, sl_error **err)
{
    int32_t port = 0;
    sl_status st = sl_adapter_listen(d->adapter, d->service, &port, err);
    if (st == SL_OK && d->options.port_file != NULL) {
        st = write_port_file(d->options.port_file, port, err);
    }
    if (st != SL_OK) {
        return st;
    }
    pthread_t waiter;
    if (pthread_create(&waiter, NULL, wait_for_signal, d) != 0) {
        return sl_fail(err, SL_E_NOMEM, "no thread can be started");
    }
    (void)printf("sidelined listening on %s://%s:%d\n",
                 d->options.tls_cert != NULL ? "https" : "http", d->options.host, (int)port);
    (void)fflush(stdout);
    st = sl_adapter_run(d->adapter, err);
    /* When the loop ended by itself the waiter still waits. */
    (void)pthread_kill(waiter, SIGINT);
    (void)pthread_join(waiter, NULL);
    return st;
}

static sl_status open_outside(daemon_state *d, port_user *user, sl_error **err)
{
    sl_mailer_config mail = {
        .platform = &d->platform,
        .dir = d->options.data,
        .url = d->options.mail,
        .from = d->options.mail_from,
        .user = getenv("SIDELINED_MAIL_USER"),
        .password = getenv("SIDELINED_MAIL_PASSWORD"),
        .send = sl_outside_mail,
    };
    const char *log = d->options.log;
    if (log != NULL) {
        d->log = strcmp(log, "-") == 0 ? stdout : fopen(log, "ae");
        if (d->log == NULL) {
            return sl_fail(err, SL_E_IO, "the log \"%s\" cannot be written", log);
        }
    }
    sl_pusher_config pusher = {.url = d->options.push_url,
                               .secret = getenv("SIDELINED_PUSH_SECRET"),
                               .post = sl_outside_post,
                               .gone = push_gone,
                               .user = d};
    sl_status st = sl_mailer_new(&mail, &d->mailer, err);
    if (st == SL_OK && pusher.url != NULL) {
        st = sl_pusher_new(&pusher, &d->pusher, err);
    }
    user->mailer = d->mailer;
    user->pusher = d->pusher;
    user->log = d->log;
    return st;
}

static sl_status do_one_thing(const daemon_state *d, sl_error **err)
{
    int64_t lines = 0;
    if (d->options.make_admin != NULL) {
        return sl_service_make_admin(d->service, d->options.make_admin, err);
    }
    sl_status st = sl_service_audit_verify(d->service, &lines, err);
    if (st == SL_OK) {
        (void)printf("%lld lines, as they were written\n", (long long)lines);
    }
    return st;
}

static void new_socket(int fd)
{
    sl_strict_open(fd);
    sl_waits_new(fd);
}

static void hold_signals(daemon_state *d)
{
    (void)sigemptyset(&d->signals);
    (void)sigaddset(&d->signals, SIGINT);
    (void)sigaddset(&d->signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &d->signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static sl_status run(daemon_state *d, sl_error **err)
{
    hold_signals(d);
    /* The folder may be one that others can enter: what is in it, keys and hashes, is ours. */
    (void)umask(0077);
    sl_status st = d->options.web != NULL ? sl_web_open(d->options.web, &d->web, err) : SL_OK;
    static const sl_adapter_watch watch = {
        sl_waits_serve,     new_socket,        sl_strict_heads_fd, sl_strict_close,
        sl_strict_begin_fd, sl_strict_said_fd, sl_strict_fault_fd, sl_strict_peer_fd};
    sl_adapter_config config = {
        .platform = &d->platform,
        .web = d->web,
        .host = d->options.host,
        .port = d->options.port,
        .upload_rate = d->options.upload_rate,
        .verbose = d->options.verbose,
        .behind_proxy = d->options.behind_proxy,
        .watch = &watch,
        .tls_cert = d->options.tls_cert,
        .tls_key = d->options.tls_key,
        .tls_old = d->options.tls_old,
        .origins = d->options.origins,
        .address_conns = d->options.address_conns,
    };
    config.origins.public_url = d->options.public_url;
    port_user user = {.platform = &d->platform};
    if (st == SL_OK) {
        st = lock_folder(d, err);
    }
    if (st == SL_OK) {
        st = sl_adapter_new(&config, &d->adapter, err);
    }
    user.adapter = d->adapter;
#ifdef SL_SERVER_MEDIA
    if (st == SL_OK) {
        st = open_media(d, err);
    }
#endif
    if (st == SL_OK) {
        st = open_outside(d, &user, err);
    }
    if (st == SL_OK) {
        st = open_service(d, &user, err);
    }
#ifdef SL_SERVER_MEDIA
    if (st == SL_OK && d->media != NULL) {
        st = sl_media_run(d->media, d->service, err);
    }
#endif
    if (st == SL_OK) {
        st = one_thing(d) ? do_one_thing(d, err) : serve(d, err);
    }
#ifdef SL_SERVER_MEDIA
    sl_media_free(d->media); /* its thread calls the service */
#endif
    sl_pusher_free(d->pusher); /* its thread too */
    /* The adapter's workers end before the service goes, its sockets after. */
    if (d->service != NULL) {
        sl_service_close(d->service);
    }
    sl_database_free(d->database);
    sl_adapter_free(d->adapter);
    sl_mailer_free(d->mailer);
    sl_web_close(d->web);
    if (d->log != NULL && d->log != stdout) {
        (void)fclose(d->log);
    }
    return st;
}

int main(int argc, char **argv)
{
    enum {
        EXIT_USAGE = 2
    };
    daemon_state d = {.platform = {.struct_size = sizeof d.platform,
                                   .clock = &sl_posix_clock,
                                   .random = &sl_posix_random,
                                   .files = &sl_posix_files},
                      .program = argv[0]};
    sl_error *err = NULL;
#ifdef SL_SERVER_MEDIA
    if (argc > 1 && strcmp(argv[1], SL_WORKER_WORD) == 0) {
        return sl_worker_main(argc, argv);
    }
#endif
    if (sl_options_parse(argc, argv, &d.options, &err) != SL_OK) {
        (void)fprintf(stderr, "sidelined: %s (see sidelined --help)\n",
                      err != NULL ? sl_error_message(err) : "out of memory");
        sl_error_release(err);
        return EXIT_USAGE;
    }
    if (d.options.help || d.options.version) {
        (void)printf(d.options.help ? "%s" : "sidelined %s\n",
                     d.options.help ? sl_options_usage : SL_SERVER_VERSION);
        return 0;
    }
    sl_status st = run(&d, &err);
    if (d.lock != NULL) {
        d.platform.files->close(d.platform.user, d.lock);
    }
    if (st != SL_OK) {
        (void)fprintf(stderr, "sidelined: %s\n",
                      err != NULL ? sl_error_message(err) : sl_status_name(st));
        sl_error_release(err);
        return 1;
    }
    return 0;
}
