/* server/options.h - the command line of sidelined. */
#ifndef SL_SERVER_OPTIONS_H
#define SL_SERVER_OPTIONS_H

#include "server/origin.h"
#include "sideline/base.h"

#include <stdbool.h>

typedef struct sl_options {
    const char *data;      /* data folder; borrowed from argv, like all text here */
    const char *host;      /* address to listen on */
    const char *port_file; /* or NULL */
    int32_t port;          /* 0: any free one */
    int64_t upload_rate;   /* bytes per second of all uploads together; 0: as fast as they come */
    const char *scan;      /* program that looks at clips, or NULL */
    const char *encoder;   /* H.264 encoder by FFmpeg's name, or NULL */
    const char *web;       /* folder of an app for browsers, or NULL */
    bool no_media;         /* videos are kept as they came */
    bool help;
    bool version;
    bool verbose;
    bool restored;         /* the data folder is that of a backup */
    bool open_factor;      /* coaches and admins need no authenticator */
    bool no_limits;        /* rates are not limited */
    int32_t address_conns; /* live connections from one address; 0: any number */
    int32_t user_conns;    /* and of one user */
    bool behind_proxy;     /* X-Forwarded-For is believed */
    bool verify_audit;     /* reads the audit log and ends */
    int32_t trial_days;
    int32_t keep_deleted_days; /* 0: as the service has it */
    const char *make_admin;    /* an e-mail address */
    const char *mail;          /* smtp://host:port */
    const char *mail_from;
    const char *push_url; /* NULL: nobody is notified */
    const char *public_url;
    sl_origins origins;   /* whose pages may open the live channel */
    const char *tls_cert; /* PEM; both or neither */
    const char *tls_key;
    bool tls_old; /* TLS 1.2 is spoken too */
    const char *oidc_issuer;
    const char *oidc_client;
    const char *pay; /* where the provider of payments is asked; NULL: nothing is paid for */
    int32_t pay_fee; /* hundredths of a percent */
    const char *log; /* a file, "-" for the standard output */
} sl_options;

extern const char sl_options_usage[];

/* SL_E_INVALID with one sentence when the line cannot be understood. */
sl_status sl_options_parse(int argc, char *const *argv, sl_options *out, sl_error **err);

#endif
