/*
 * server/mailer.h - where mails go: over SMTP by a thread of its own, or, without a mail server, as
 * files into DIR/outbox, for an operator or a test to look at.
 */
#ifndef SL_SERVER_MAILER_H
#define SL_SERVER_MAILER_H

#include "sideline/platform.h"

typedef struct sl_mailer sl_mailer;

typedef struct sl_mailer_config {
    const sl_platform *platform; /* borrowed until free */
    const char *dir;             /* data folder */
    const char *url;             /* smtp://host:port; NULL: files */
    const char *from;
    const char *user; /* or NULL */
    const char *password;
    /* Sends one over SMTP and waits for it: sl_outside_mail. */
    sl_status (*send)(const char *url, const char *user, const char *password, const char *from,
                      const char *to, const char *subject, const char *text);
} sl_mailer_config;

sl_status sl_mailer_new(const sl_mailer_config *config, sl_mailer **out, sl_error **err);
/* Ends the thread; mails that wait are given up. NULL accepted. */
void sl_mailer_free(sl_mailer *m);
/* Returns at once; any thread. What cannot be sent in three tries is lost: who asked asks again. */
void sl_mailer_send(sl_mailer *m, const char *to, const char *subject, const char *text);

#endif
