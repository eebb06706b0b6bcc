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
    DAYS_MAX = 3650,
    FEE_MAX = 10000,
    CONNS_MAX = 1000000,
    ADDRESS_CONNS = 1000,
    USER_CONNS = 100,
    NOT_SAID = -1
};

const char sl_options_usage[] =
    "usage: sidelined --data DIR [options]\n"
    "\n"
    "  --data DIR           folder for the database and the files; made when absent\n"
    "  --port N             TCP port, 0 for any free one (default 7420)\n"
    "  --host ADDRESS       address to listen on (default 127.0.0.1)\n"
    "  --tls-cert FILE, --tls-key FILE\n"
    "                       serve HTTPS with this chain and key (PEM)\n"
    "  --tls-min 1.2|1.3    the oldest TLS that is spoken (1.3)\n"
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
    "  --origin URL         let pages of this origin open the live channel, besides our own and those of\n"
    "                       --public-url; may be given several times\n"
    "  --oidc-issuer URL, --oidc-client ID\n"
    "                       another provider of sign-in (OpenID Connect)\n"
    "  --pay URL            the provider of payments, https://api.stripe.com/v1; SIDELINED_PAY_KEY is\n"
    "                       our secret key there, and by SIDELINED_PAY_SECRET it signs what it sends\n"
    "                       to /webhooks/stripe\n"
    "  --pay-fee N          of what coaches are paid, keep N hundredths of a percent (0)\n"
    "  --behind-proxy       believe X-Forwarded-For: only when all comes through a proxy of yours\n"
    "  --no-limits          do not limit how often one may ask, nor these, for measurements\n"
    "  --address-connections N, --user-connections N\n"
    "                       live connections from one address (1000) and of one user (100); 0: any\n"
    "                       number\n"
    "  --log FILE           a line of JSON for each request; - for the standard output\n"
    "  --make-admin EMAIL   make the account an admin, and end\n"
    "  --verify-audit       check that the audit log is as it was written, and end\n"
    "  --restored           DIR was restored from a backup: devices read everything anew\n"
    "  --verbose            also print what the socket layer has to say\n"
    "  --version, --help\n";

static sl_status parse_number(const char *name, const char *text, int64_t min, int64_t max,
                              int64_t *out, sl_error **err)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '9' ||
        value < min || value > max) {
        return sl_fail(err, SL_E_INVALID, "--%s takes a number from %lld to %lld, not \"%s\"", name,
                       (long long)min, (long long)max, text);
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
    {"pay", offsetof(sl_options, pay)},
    {"log", offsetof(sl_options, log)},
    {"web", offsetof(sl_options, web)},
    {"tls-cert", offsetof(sl_options, tls_cert)},
    {"tls-key", offsetof(sl_options, tls_key)},
    {"scan", offsetof(sl_options, scan)},
    {"encoder", offsetof(sl_options, encoder)},
};

/* Those whose value is a number. */
static const struct {
    const char *name;
    size_t at;
    int64_t min;
    int64_t max;
} numbers[] = {
    {"port", offsetof(sl_options, port), 0, PORT_MAX},
    {"trial-days", offsetof(sl_options, trial_days), 0, DAYS_MAX},
    {"keep-deleted", offsetof(sl_options, keep_deleted_days), 1, DAYS_MAX},
    {"pay-fee", offsetof(sl_options, pay_fee), 0, FEE_MAX},
    {"address-connections", offsetof(sl_options, address_conns), 0, CONNS_MAX},
    {"user-connections", offsetof(sl_options, user_conns), 0, CONNS_MAX},
};

enum {
    TEXTS = sizeof texts / sizeof texts[0],
    NUMBERS = sizeof numbers / sizeof numbers[0]
};

static sl_status set_factor(sl_options *o, const char *value, sl_error **err)
{
    o->open_factor = strcmp(value, "optional") == 0;
    return o->open_factor || strcmp(value, "required") == 0
               ? SL_OK
               : sl_fail(err, SL_E_INVALID, "--mfa is required or optional, not \"%s\"", value);
}

static sl_status set_tls_min(sl_options *o, const char *value, sl_error **err)
{
    o->tls_old = strcmp(value, "1.2") == 0;
    return o->tls_old || strcmp(value, "1.3") == 0
               ? SL_OK
               : sl_fail(err, SL_E_INVALID, "--tls-min is 1.2 or 1.3, not \"%s\"", value);
}

static sl_status add_origin(sl_options *o, const char *value, sl_error **err)
{
    if (!sl_origin_is(value)) {
        return sl_fail(err, SL_E_INVALID, "--origin is like https://app.example.org, not \"%s\"",
                       value);
    }
    if (o->origins.count == SL_ORIGINS_MAX) {
        return sl_fail(err, SL_E_INVALID, "--origin can be given %d times", SL_ORIGINS_MAX);
    }
    o->origins.allowed[o->origins.count++] = value;
    return SL_OK;
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
    if (strcmp(name, "tls-min") == 0) {
        return set_tls_min(o, value, err);
    }
    if (strcmp(name, "origin") == 0) {
        return add_origin(o, value, err);
    }
    for (size_t i = 0; i < NUMBERS; i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            sl_status st = parse_number(name, value, numbers[i].min, numbers[i].max, &number, err);
            int32_t small = (int32_t)number;
            memcpy((char *)o + numbers[i].at, &small, sizeof small);
            return st;
        }
    }
    return parse_number(name, value, 0, INT64_C(1) << 40, &o->upload_rate, err);
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
    static const char *const names[] = {"upload-rate", "mfa", "origin", "tls-min"};
    for (size_t i = 0; i < TEXTS; i++) {
        if (strlen(texts[i].name) == n && memcmp(texts[i].name, text, n) == 0) {
            return texts[i].name;
        }
    }
    for (size_t i = 0; i < NUMBERS; i++) {
        if (strlen(numbers[i].name) == n && memcmp(numbers[i].name, text, n) == 0) {
            return numbers[i].name;
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
    out->address_conns = NOT_SAID;
    out->user_conns = NOT_SAID;
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
    if (out->address_conns == NOT_SAID) {
        out->address_conns = out->no_limits ? 0 : ADDRESS_CONNS;
    }
    if (out->user_conns == NOT_SAID) {
        out->user_conns = out->no_limits ? 0 : USER_CONNS;
    }
    if (out->data == NULL && !out->help && !out->version) {
        return sl_fail(err, SL_E_INVALID, "--data DIR is required");
    }
    if ((out->tls_cert == NULL) != (out->tls_key == NULL)) {
        return sl_fail(err, SL_E_INVALID, "--tls-cert and --tls-key come together");
    }
    return SL_OK;
}
