/* server/options.c - the command line of sidelined: long options only, "--name value" or
 * "--name=value". */
#include "server/options.h"

#include "base/error.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
    PORT_DEFAULT = 7420,
    PORT_MAX = 65535,
    DAYS_MAX = 3650
};

const char sl_options_usage[] =
    "usage: sidelined --data DIR [options]\n"
    "\n"
    "  --data DIR           folder for the database and the files; made when absent\n"
    "  --port N             TCP port, 0 for any free one (default 7420)\n"
    "  --host ADDRESS       address to listen on (default 127.0.0.1)\n"
    "  --tls-cert FILE, --tls-key FILE\n"
    "                       serve HTTPS, TLS 1.3 or 1.2, with this chain and key (PEM)\n"
    "  --port-file PATH     write the port number there once listening\n"
    "  --web DIR            serve the app for browsers in this folder at /\n"
    "  --upload-rate BYTES  take uploads at this many bytes per second at most, all together\n"
    "  --scan PROGRAM       look at each clip first: PROGRAM FILE ends with 0 for clean, 1 for not\n"
    "  --encoder NAME       make streams with this H.264 encoder of FFmpeg's, such as libopenh264\n"
    "  --no-media           keep clips as they came: no checks, no streams\n"
    "  --mfa required|optional\n"
    "                       whether coaches and admins need an authenticator (required)\n"
    "  --trial-days N       new accounts begin with a trial of N days; 0: no plans, all is open\n"
    "  --keep-deleted DAYS  so long it is known what was deleted (90): a device that was away for\n"
    "                       longer reads its spaces anew\n"
    "  --mail URL           smtp://host:port; SIDELINED_MAIL_USER and SIDELINED_MAIL_PASSWORD say\n"
    "                       who we are there. Without: mails are files in DIR/outbox\n"
    "  --mail-from ADDRESS  (default sideline@localhost)\n"
    "  --push-url URL       hand push notifications to this webhook, https or on this machine;\n"
    "                       SIDELINED_PUSH_SECRET says who we are there\n"
    "  --public-url URL     where people reach the server, for links in mails\n"
    "  --oidc-issuer URL, --oidc-client ID\n"
    "                       another provider of sign-in (OpenID Connect)\n"
    "  --behind-proxy       believe X-Forwarded-For: only when all comes through a proxy of yours\n"
    "  --no-limits          do not limit how often one may ask, for measurements\n"
    "  --log FILE           a line of JSON for each request; - for the standard output\n"
    "  --make-admin EMAIL   make the account an admin, and end\n"
    "  --verify-audit       check that the audit log is as it was written, and end\n"
    "  --restored           DIR was restored from a backup: devices read everything anew\n"
    "  --verbose            also print what the socket layer has to say\n"
    "  --version, --help\n";

static sl_status parse_number(const char *name, const char *text, int64_t max, int64_t *out,
                              sl_error **err)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '9' ||
        value > max) {
        return sl_fail(err, SL_E_INVALID, "--%s takes a number from 0 to %lld, not \"%s\"", name,
                       (long long)max, text);
    }
    *out = value;
    return SL_OK;
}

/* Options whose value is kept as it is. */
static const struct {
    const char *name;
    size_t at;
} texts[] = {
    {"data", offsetof(sl_options, data)},
    {"host", offsetof(sl_options, host)},
    {"port-file", offsetof(sl_options, port_file)},
    {"make-admin", offsetof(sl_options, make_admin)},
    {"mail", offsetof(sl_options, mail)},
    {"mail-from", offsetof(sl_options, mail_from)},
    {"push-url", offsetof(sl_options, push_url)},
    {"public-url", offsetof(sl_options, public_url)},
    {"oidc-issuer", offsetof(sl_options, oidc_issuer)},
    {"oidc-client", offsetof(sl_options, oidc_client)},
    {"log", offsetof(sl_options, log)},
    {"web", offsetof(sl_options, web)},
    {"tls-cert", offsetof(sl_options, tls_cert)},
    {"tls-key", offsetof(sl_options, tls_key)},
    {"scan", offsetof(sl_options, scan)},
    {"encoder", offsetof(sl_options, encoder)},
};

enum {
    TEXTS = sizeof texts / sizeof texts[0]
};

static sl_status set_factor(sl_options *o, const char *value, sl_error **err)
{
    o->open_factor = strcmp(value, "optional") == 0;
    return o->open_factor || strcmp(value, "required") == 0
               ? SL_OK
               : sl_fail(err, SL_E_INVALID, "--mfa is required or optional, not \"%s\"", value);
}

static sl_status set_value(sl_options *o, const char *name, const char *value, sl_error **err)
{
    int64_t number = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        if (strcmp(name, texts[i].name) == 0) {
            memcpy((char *)o + texts[i].at, &value, sizeof value);
            return value[0] != '\0' ? SL_OK
                                    : sl_fail(err, SL_E_INVALID, "--%s must not be empty", name);
        }
    }
    if (strcmp(name, "mfa") == 0) {
        return set_factor(o, value, err);
    }
    if (strcmp(name, "port") == 0) {
        sl_status st = parse_number(name, value, PORT_MAX, &number, err);
        o->port = (int32_t)number;
        return st;
    }
    if (strcmp(name, "trial-days") == 0) {
        sl_status st = parse_number(name, value, DAYS_MAX, &number, err);
        o->trial_days = (int32_t)number;
        return st;
    }
    if (strcmp(name, "keep-deleted") == 0) {
        sl_status st = parse_number(name, value, DAYS_MAX, &number, err);
        o->keep_deleted_days = (int32_t)number;
        return st == SL_OK && number == 0
                   ? sl_fail(err, SL_E_INVALID, "--keep-deleted must be one day at least")
                   : st;
    }
    return parse_number(name, value, INT64_C(1) << 40, &o->upload_rate, err);
}

static bool set_flag(sl_options *o, const char *name)
{
    if (strcmp(name, "help") == 0) {
        o->help = true;
    } else if (strcmp(name, "version") == 0) {
        o->version = true;
    } else if (strcmp(name, "verbose") == 0) {
        o->verbose = true;
    } else if (strcmp(name, "restored") == 0) {
        o->restored = true;
    } else if (strcmp(name, "no-media") == 0) {
        o->no_media = true;
    } else if (strcmp(name, "no-limits") == 0) {
        o->no_limits = true;
    } else if (strcmp(name, "behind-proxy") == 0) {
        o->behind_proxy = true;
    } else if (strcmp(name, "verify-audit") == 0) {
        o->verify_audit = true;
    } else {
        return false;
    }
    return true;
}

/* The canonical name of an option that takes a value, from "name" or "name=value". */
static const char *value_name(const char *text, size_t n)
{
    static const char *const names[] = {"port", "upload-rate", "trial-days", "keep-deleted", "mfa"};
    for (size_t i = 0; i < TEXTS; i++) {
        if (strlen(texts[i].name) == n && memcmp(texts[i].name, text, n) == 0) {
            return texts[i].name;
        }
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == n && memcmp(names[i], text, n) == 0) {
            return names[i];
        }
    }
    return NULL;
}

sl_status sl_options_parse(int argc, char *const *argv, sl_options *out, sl_error **err)
{
    memset(out, 0, sizeof *out);
    out->host = "127.0.0.1";
    out->port = PORT_DEFAULT;
    out->mail_from = "sideline@localhost";
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strncmp(word, "--", 2) != 0 || word[2] == '\0') {
            return sl_fail(err, SL_E_INVALID, "unexpected argument \"%s\"", word);
        }
        word += 2;
        if (set_flag(out, word)) {
            continue;
        }
        size_t n = strcspn(word, "=");
        const char *name = value_name(word, n);
        if (name == NULL) {
            return sl_fail(err, SL_E_INVALID, "unknown option \"--%.*s\"", (int)(n < 64 ? n : 64),
                           word);
        }
        if (word[n] == '\0' && i + 1 >= argc) {
            return sl_fail(err, SL_E_INVALID, "--%s needs a value", name);
        }
        const char *value = word[n] == '=' ? word + n + 1 : argv[++i];
        sl_status st = set_value(out, name, value, err);
        if (st != SL_OK) {
            return st;
        }
    }
    if (out->data == NULL && !out->help && !out->version) {
        return sl_fail(err, SL_E_INVALID, "--data DIR is required");
    }
    if ((out->tls_cert == NULL) != (out->tls_key == NULL)) {
        return sl_fail(err, SL_E_INVALID, "--tls-cert and --tls-key come together");
    }
    return SL_OK;
}
