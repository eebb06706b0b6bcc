#include "platform/curl/outside.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t g_once = PTHREAD_ONCE_INIT;

static void init_global(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

typedef struct page {
    char *text;
    size_t n;
} page;

static size_t take(char *p, size_t size, size_t count, void *ctx)
{
    page *to = ctx;
    size_t n = size * count;
    char *grown = to->n + n <= SL_OUTSIDE_MAX ? realloc(to->text, to->n + n + 1) : NULL;
    if (grown == NULL) {
        return 0; /* ends the transfer */
    }
    memcpy(grown + to->n, p, n);
    to->text = grown;
    to->n += n;
    to->text[to->n] = '\0';
    return n;
}

static bool is_loopback(const char *url)
{
    static const char *const starts[] = {"http://127.0.0.1:", "http://127.0.0.1/",
                                         "http://localhost:", "http://localhost/", "http://[::1]:"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (strncmp(url, starts[i], strlen(starts[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* NULL: out of memory. */
static CURL *begin(const char *url)
{
    (void)pthread_once(&g_once, init_global);
    CURL *easy = curl_easy_init();
    if (easy != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_URL, url);
        (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)SL_OUTSIDE_S);
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, is_loopback(url) ? "" : NULL);
    }
    return easy;
}

static bool is_allowed(const char *url)
{
    return is_loopback(url) || strncmp(url, "https://", 8) == 0;
}

sl_status sl_outside_fetch(const char *url, const char *form, char **text, size_t *n)
{
    page got = {NULL, 0};
    long status = 0;
    *text = NULL;
    *n = 0;
    if (!is_allowed(url)) {
        return SL_E_INVALID;
    }
    CURL *easy = begin(url);
    if (easy == NULL) {
        return SL_E_NOMEM;
    }
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
    if (form != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, form);
    }
    CURLcode code = curl_easy_perform(easy);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(easy);
    if (code == CURLE_OK && status == 200 && got.text != NULL) {
        *text = got.text;
        *n = got.n;
        return SL_OK;
    }
    free(got.text);
    return code == CURLE_OK && (status == 400 || status == 401) ? SL_E_AUTH : SL_E_NETWORK;
}

/* NULL: out of memory. */
static struct curl_slist *list_of(const char *secret, const char *const *headers)
{
    char auth[600];
    (void)snprintf(auth, sizeof auth, "Authorization: Bearer %s", secret);
    struct curl_slist *list = curl_slist_append(NULL, auth);
    for (; list != NULL && *headers != NULL; headers++) {
        struct curl_slist *more = curl_slist_append(list, *headers);
        if (more == NULL) {
            curl_slist_free_all(list);
        }
        list = more;
    }
    return list;
}

sl_status sl_outside_form(const char *url, const char *secret, const char *const *headers,
                          const char *form, char **text, size_t *n, int32_t *status)
{
    page got = {NULL, 0};
    long answer = 0;
    *text = NULL;
    *n = 0;
    *status = 0;
    if (!is_allowed(url) || strlen(secret) > 512) {
        return SL_E_INVALID;
    }
    CURL *easy = begin(url);
    struct curl_slist *list = list_of(secret, headers);
    if (easy == NULL || list == NULL) {
        curl_easy_cleanup(easy);
        curl_slist_free_all(list);
        return SL_E_NOMEM;
    }
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &got);
    if (form != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, form);
    } else {
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
    }
    CURLcode code = curl_easy_perform(easy);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
    if (code != CURLE_OK) {
        free(got.text);
        return SL_E_NETWORK;
    }
    *status = (int32_t)answer;
    *text = got.text;
    *n = got.n;
    return SL_OK;
}

static size_t ignore(char *p, size_t size, size_t count, void *ctx)
{
    (void)p;
    (void)ctx;
    return size * count;
}

sl_status sl_outside_post(const char *url, const char *secret, const char *json, int32_t *status)
{
    long answer = 0;
    char auth[600];
    *status = 0;
    if (!is_allowed(url) || (secret != NULL && strlen(secret) > 512)) {
        return SL_E_INVALID;
    }
    CURL *easy = begin(url);
    struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *more = list;
    if (secret != NULL) {
        (void)snprintf(auth, sizeof auth, "Authorization: Bearer %s", secret);
        more = list != NULL ? curl_slist_append(list, auth) : NULL;
    }
    if (easy == NULL || list == NULL || more == NULL) {
        curl_easy_cleanup(easy);
        curl_slist_free_all(list);
        return SL_E_NOMEM;
    }
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, json);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    CURLcode code = curl_easy_perform(easy);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
    *status = (int32_t)answer;
    return code == CURLE_OK ? SL_OK : SL_E_NETWORK;
}

typedef struct letter {
    const char *text;
    size_t left;
} letter;

static size_t give(char *to, size_t size, size_t count, void *ctx)
{
    letter *l = ctx;
    size_t n = size * count < l->left ? size * count : l->left;
    memcpy(to, l->text, n);
    l->text += n;
    l->left -= n;
    return n;
}

/* With the line ends of mail. Freed with free. */
static char *write_letter(const char *from, const char *to, const char *subject, const char *text)
{
    static const char form[] = "From: %s\r\nTo: %s\r\nSubject: %s\r\nMIME-Version: 1.0\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n\r\n";
    int head = snprintf(NULL, 0, form, from, to, subject);
    size_t room = head > 0 ? (size_t)head + 2 * strlen(text) + 3 : 0;
    char *out = room > 0 ? malloc(room) : NULL;
    if (out == NULL) {
        return NULL;
    }
    char *at = out + snprintf(out, room, form, from, to, subject);
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            *at++ = '\r';
        }
        *at++ = *text;
    }
    *at = '\0';
    return out;
}

sl_status sl_outside_mail(const char *url, const char *user, const char *password, const char *from,
                          const char *to, const char *subject, const char *text)
{
    (void)pthread_once(&g_once, init_global);
    CURL *easy = curl_easy_init();
    char *mail = write_letter(from, to, subject, text);
    struct curl_slist *list = curl_slist_append(NULL, to);
    if (easy == NULL || mail == NULL || list == NULL) {
        curl_easy_cleanup(easy);
        free(mail);
        curl_slist_free_all(list);
        return SL_E_NOMEM;
    }
    letter l = {mail, strlen(mail)};
    (void)curl_easy_setopt(easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)SL_OUTSIDE_S);
    (void)curl_easy_setopt(easy, CURLOPT_USE_SSL,
                           password != NULL ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    if (user != NULL && password != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_USERNAME, user);
        (void)curl_easy_setopt(easy, CURLOPT_PASSWORD, password);
    }
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
    (void)curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, list);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, &l);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
    free(mail);
    return code == CURLE_OK ? SL_OK : SL_E_NETWORK;
}
