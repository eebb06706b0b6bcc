/*
 * curl/outside.h - what a server asks of others, one thing at a time and waiting for it: a page over
 * HTTP, a mail over SMTP. For its worker threads; the core's own requests are curl.h's.
 */
#ifndef SL_PLATFORM_CURL_OUTSIDE_H
#define SL_PLATFORM_CURL_OUTSIDE_H

#include "sideline/base.h"

enum {
    SL_OUTSIDE_MAX = 1024 * 1024, /* bytes of a page */
    SL_OUTSIDE_S = 10             /* seconds for all of it */
};

/* GET, or POST of a form when form is not NULL. No redirects are followed, https is asked for but of
 * loopback addresses. *text (freed with free) is followed by a NUL. SL_E_AUTH for 400 and 401,
 * SL_E_NETWORK for whatever else is not a page. */
sl_status sl_outside_fetch(const char *url, const char *form, char **text, size_t *n);

/* The same with "Authorization: Bearer <secret>" and a NULL-ended list of further headers, whole lines; DELETE when
 * form is NULL. *text, also of a refusal, is freed with free, and NULL when there is none. *status: the answer's.
 * SL_E_NETWORK: there was no answer. */
sl_status sl_outside_form(const char *url, const char *secret, const char *const *headers,
                          const char *form, char **text, size_t *n, int32_t *status);

/* POSTs JSON, with "Authorization: Bearer <secret>" when there is one; what comes back is not read.
 * *status: the answer's. Addresses as for sl_outside_fetch. SL_E_NETWORK: there was no answer. */
sl_status sl_outside_post(const char *url, const char *secret, const char *json, int32_t *status);

/* One mail of plain text. url: smtp://host:port or smtps://; user and password may be NULL. TLS is used
 * when the other side has it, and must be when there is a password. Addresses and subject are without
 * line ends. */
sl_status sl_outside_mail(const char *url, const char *user, const char *password, const char *from,
                          const char *to, const char *subject, const char *text);

#endif
