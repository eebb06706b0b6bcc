#include "server/mailer.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"

#include <string.h>

enum {
    WAITING_MAX = 1000,
    TRIES = 3,
    RETRY_MS = 5000
};

typedef struct mail {
    char *to;
    char *subject;
    char *text;
    int tries;
    struct mail *next;
} mail;

struct sl_mailer {
    sl_mailer_config config;
    sl_mutex *lock;
    sl_thread *thread; /* NULL: files */
    mail *first;       /* lock */
    size_t waiting;    /* lock */
    uint64_t count;    /* lock: of files */
    bool stopping;     /* lock */
};

static void mail_free(mail *m)
{
    if (m != NULL) {
        sl_mem_free(m->to);
        sl_mem_free(m->subject);
        sl_mem_free(m->text);
        sl_mem_free(m);
    }
}

static mail *mail_new(const char *to, const char *subject, const char *text)
{
    mail *m = sl_mem(sizeof *m);
    if (m != NULL) {
        m->to = sl_text_dup(to);
        m->subject = sl_text_dup(subject);
        m->text = sl_text_dup(text);
        if (m->to == NULL || m->subject == NULL || m->text == NULL) {
            mail_free(m);
            return NULL;
        }
    }
    return m;
}

/* To the end. Called locked. */
static void put(sl_mailer *m, mail *x)
{
    mail **at = &m->first;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    x->next = NULL;
    *at = x;
    m->waiting++;
}

/* The next mail, taken out; NULL: the thread is to end. */
static mail *wait_for_mail(sl_mailer *m)
{
    sl_lock(m->lock);
    while (m->first == NULL && !m->stopping) {
        sl_wait(m->lock, -1);
    }
    mail *x = m->stopping ? NULL : m->first;
    if (x != NULL) {
        m->first = x->next;
        m->waiting--;
    }
    sl_unlock(m->lock);
    return x;
}

static void send_all(void *arg)
{
    sl_mailer *m = arg;
    const sl_mailer_config *c = &m->config;
    for (mail *x = wait_for_mail(m); x != NULL; x = wait_for_mail(m)) {
        sl_status status =
            c->send(c->url, c->user, c->password, c->from, x->to, x->subject, x->text);
        if (status == SL_OK || ++x->tries == TRIES) {
            mail_free(x);
            continue;
        }
        sl_lock(m->lock);
        put(m, x);
        if (!m->stopping) {
            sl_wait(m->lock, RETRY_MS);
        }
        sl_unlock(m->lock);
    }
}

static void write_file(sl_mailer *m, const char *to, const char *subject, const char *text)
{
    const sl_platform *p = m->config.platform;
    sl_lock(m->lock);
    uint64_t n = ++m->count;
    sl_unlock(m->lock);
    char *path = sl_text_fmt("%s/outbox/%lld-%llu.eml", m->config.dir,
                             (long long)p->clock->wall_ms(p->user), (unsigned long long)n);
    char *letter =
        sl_text_fmt("From: %s\nTo: %s\nSubject: %s\n\n%s", m->config.from, to, subject, text);
    void *file = NULL;
    if (path != NULL && letter != NULL &&
        p->files->open(p->user, path, SL_FILE_WRITE | SL_FILE_CREATE | SL_FILE_TRUNCATE, &file) ==
            SL_OK) {
        (void)p->files->write(p->user, file, letter, strlen(letter), 0);
        p->files->close(p->user, file);
    }
    sl_mem_free(path);
    sl_mem_free(letter);
}

void sl_mailer_send(sl_mailer *m, const char *to, const char *subject, const char *text)
{
    if (m->thread == NULL) {
        write_file(m, to, subject, text);
        return;
    }
    mail *x = mail_new(to, subject, text);
    sl_lock(m->lock);
    if (x != NULL && m->waiting < WAITING_MAX) {
        put(m, x);
        x = NULL;
        sl_signal(m->lock);
    }
    sl_unlock(m->lock);
    mail_free(x);
}

sl_status sl_mailer_new(const sl_mailer_config *config, sl_mailer **out, sl_error **err)
{
    const sl_platform *p = config->platform;
    sl_mailer *m = sl_mem(sizeof *m);
    if (m == NULL) {
        return sl_fail_nomem(err);
    }
    m->config = *config;
    m->lock = sl_mutex_new();
    char *folder = config->url == NULL ? sl_text_fmt("%s/outbox", config->dir) : NULL;
    bool ok = m->lock != NULL && (config->url != NULL || folder != NULL);
    if (ok && folder != NULL) {
        ok = p->files->mkdir(p->user, folder) == SL_OK;
    } else if (ok) {
        m->thread = sl_thread_start(send_all, m);
        ok = m->thread != NULL;
    }
    sl_mem_free(folder);
    if (!ok) {
        sl_mailer_free(m);
        return sl_fail(err, SL_E_IO, "the outgoing mail cannot be set up");
    }
    *out = m;
    return SL_OK;
}

void sl_mailer_free(sl_mailer *m)
{
    if (m == NULL) {
        return;
    }
    if (m->thread != NULL) {
        sl_lock(m->lock);
        m->stopping = true;
        sl_signal(m->lock);
        sl_unlock(m->lock);
        sl_thread_join(m->thread);
    }
    while (m->first != NULL) {
        mail *x = m->first;
        m->first = x->next;
        mail_free(x);
    }
    sl_mutex_free(m->lock);
    sl_mem_free(m);
}
