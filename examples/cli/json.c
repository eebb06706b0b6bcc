#include "json.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = 64,
    NUMBER_LEN_MAX = 64
};

typedef struct reader {
    const char *at;
    const char *end;
    int depth;
} reader;

static void *need(void *p)
{
    if (p == NULL) {
        (void)fputs("sideline: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

/* ---- text ---- */

void text_put(text *t, const char *s, size_t n)
{
    if (t->len + n + 1 > t->cap) {
        t->cap = (t->len + n + 1) * 2;
        t->data = need(realloc(t->data, t->cap));
    }
    if (n > 0) {
        memcpy(t->data + t->len, s, n);
    }
    t->len += n;
    t->data[t->len] = '\0';
}

void text_add(text *t, const char *s)
{
    text_put(t, s, strlen(s));
}

void text_int(text *t, int64_t v)
{
    text_fmt(t, "%" PRId64, v);
}

void text_fmt(text *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n > 0) {
        char *line = need(malloc((size_t)n + 1));
        (void)vsnprintf(line, (size_t)n + 1, fmt, again);
        text_put(t, line, (size_t)n);
        free(line);
    }
    va_end(again);
}

void text_json(text *t, const char *s)
{
    text_add(t, "\"");
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\') {
            text_put(t, "\\", 1);
            text_put(t, s, 1);
        } else if ((unsigned char)*s < 0x20) {
            text_fmt(t, "\\u%04x", (unsigned)(unsigned char)*s);
        } else {
            text_put(t, s, 1);
        }
    }
    text_add(t, "\"");
}

void text_free(text *t)
{
    free(t->data);
    memset(t, 0, sizeof *t);
}

/* ---- reading ---- */

static void skip_blanks(reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) != NULL && *r->at != '\0') {
        r->at++;
    }
}

static bool take_char(reader *r, char c)
{
    skip_blanks(r);
    if (r->at < r->end && *r->at == c) {
        r->at++;
        return true;
    }
    return false;
}

static bool take_word(reader *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0) {
        return false;
    }
    r->at += n;
    return true;
}

static bool read_hex4(reader *r, uint32_t *out)
{
    if (r->end - r->at < 4) {
        return false;
    }
    char digits[5] = {r->at[0], r->at[1], r->at[2], r->at[3], '\0'};
    for (int i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)digits[i])) {
            return false;
        }
    }
    *out = (uint32_t)strtoul(digits, NULL, 16);
    r->at += 4;
    return true;
}

static void put_utf8(text *t, uint32_t c)
{
    char b[4];
    size_t n = 0;
    if (c < 0x80) {
        b[n++] = (char)c;
    } else if (c < 0x800) {
        b[n++] = (char)(0xC0 | (c >> 6));
        b[n++] = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        b[n++] = (char)(0xE0 | (c >> 12));
        b[n++] = (char)(0x80 | ((c >> 6) & 0x3F));
        b[n++] = (char)(0x80 | (c & 0x3F));
    } else {
        b[n++] = (char)(0xF0 | (c >> 18));
        b[n++] = (char)(0x80 | ((c >> 12) & 0x3F));
        b[n++] = (char)(0x80 | ((c >> 6) & 0x3F));
        b[n++] = (char)(0x80 | (c & 0x3F));
    }
    text_put(t, b, n);
}

static bool read_unicode(reader *r, text *out)
{
    uint32_t c = 0;
    if (!read_hex4(r, &c) || c == 0) {
        return false;
    }
    if (c >= 0xD800 && c < 0xDC00) {
        uint32_t low = 0;
        if (!take_word(r, "\\u") || !read_hex4(r, &low) || low < 0xDC00 || low > 0xDFFF) {
            return false;
        }
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    } else if (c >= 0xDC00 && c < 0xE000) {
        return false;
    }
    put_utf8(out, c);
    return true;
}

static bool read_escape(reader *r, text *out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (r->at >= r->end) {
        return false;
    }
    char c = *r->at++;
    if (c == 'u') {
        return read_unicode(r, out);
    }
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    if (found == NULL) {
        return false;
    }
    text_put(out, &to[found - from], 1);
    return true;
}

/* After the opening quote. NULL when broken. */
static char *read_string(reader *r)
{
    text out = {0};
    text_put(&out, "", 0);
    while (r->at < r->end && *r->at != '"') {
        char c = *r->at++;
        bool ok = (unsigned char)c >= 0x20;
        if (c == '\\') {
            ok = read_escape(r, &out);
        } else {
            text_put(&out, &c, 1);
        }
        if (!ok) {
            text_free(&out);
            return NULL;
        }
    }
    if (r->at >= r->end) {
        text_free(&out);
        return NULL;
    }
    r->at++;
    return out.data;
}

static bool read_number(reader *r, double *out)
{
    char digits[NUMBER_LEN_MAX + 1];
    size_t n = 0;
    while (r->at + n < r->end && n < NUMBER_LEN_MAX && r->at[n] != '\0' &&
           strchr("+-0123456789.eE", r->at[n]) != NULL) {
        digits[n] = r->at[n];
        n++;
    }
    digits[n] = '\0';
    char *end = NULL;
    *out = strtod(digits, &end);
    if (n == 0 || end != digits + n) {
        return false;
    }
    r->at += n;
    return true;
}

static js *read_value(reader *r);

static void add_member(js *parent, js *member)
{
    if (parent->last != NULL) {
        parent->last->next = member;
    } else {
        parent->first = member;
    }
    parent->last = member;
}

static bool read_members(reader *r, js *parent, char closing)
{
    if (take_char(r, closing)) {
        return true;
    }
    do {
        char *key = NULL;
        if (closing == '}') {
            key = take_char(r, '"') ? read_string(r) : NULL;
            if (key == NULL || !take_char(r, ':')) {
                free(key);
                return false;
            }
        }
        js *member = read_value(r);
        if (member == NULL) {
            free(key);
            return false;
        }
        member->key = key;
        add_member(parent, member);
    } while (take_char(r, ','));
    return take_char(r, closing);
}

static bool read_into(reader *r, js *j)
{
    if (take_char(r, '{')) {
        j->type = JS_OBJECT;
        return read_members(r, j, '}');
    }
    if (take_char(r, '[')) {
        j->type = JS_ARRAY;
        return read_members(r, j, ']');
    }
    if (take_char(r, '"')) {
        j->type = JS_STRING;
        j->string = read_string(r);
        return j->string != NULL;
    }
    if (take_word(r, "true") || take_word(r, "false")) {
        j->type = JS_BOOL;
        j->truth = r->at[-2] == 'u';
        return true;
    }
    if (take_word(r, "null")) {
        return true;
    }
    j->type = JS_NUMBER;
    return read_number(r, &j->number);
}

static js *read_value(reader *r)
{
    skip_blanks(r);
    if (r->depth >= DEPTH_MAX) {
        return NULL;
    }
    js *j = need(calloc(1, sizeof *j));
    j->raw = r->at;
    r->depth++;
    bool ok = read_into(r, j);
    r->depth--;
    j->raw_len = (size_t)(r->at - j->raw);
    if (!ok) {
        js_free(j);
        return NULL;
    }
    return j;
}

js *js_parse(const char *s, size_t n)
{
    char *copy = need(malloc(n + 1));
    memcpy(copy, s, n);
    copy[n] = '\0';
    reader r = {.at = copy, .end = copy + n};
    js *j = read_value(&r);
    skip_blanks(&r);
    if (j != NULL && r.at != r.end) {
        js_free(j);
        j = NULL;
    }
    if (j != NULL) {
        j->owned = copy;
    } else {
        free(copy);
    }
    return j;
}

void js_free(js *j)
{
    if (j == NULL) {
        return;
    }
    js *member = j->first;
    while (member != NULL) {
        js *next = member->next;
        js_free(member);
        member = next;
    }
    free(j->string);
    free(j->key);
    free(j->owned);
    free(j);
}

const js *js_get(const js *object, const char *key)
{
    if (object == NULL || object->type != JS_OBJECT) {
        return NULL;
    }
    for (const js *m = object->first; m != NULL; m = m->next) {
        if (strcmp(m->key, key) == 0) {
            return m;
        }
    }
    return NULL;
}

const char *js_str(const js *object, const char *key)
{
    const js *m = js_get(object, key);
    return m != NULL && m->type == JS_STRING ? m->string : "";
}

double js_num(const js *object, const char *key)
{
    const js *m = js_get(object, key);
    return m != NULL && m->type == JS_NUMBER ? m->number : 0;
}

int64_t js_int(const js *object, const char *key)
{
    const double limit = 9007199254740991.0;
    double v = js_num(object, key);
    return v >= -limit && v <= limit ? (int64_t)v : 0;
}

bool js_is(const js *object, const char *key, const char *value)
{
    return strcmp(js_str(object, key), value) == 0;
}

size_t js_count(const js *j)
{
    size_t n = 0;
    for (const js *m = js_first(j); m != NULL; m = m->next) {
        n++;
    }
    return n;
}

const js *js_first(const js *j)
{
    return j != NULL ? j->first : NULL;
}

const js *js_at(const js *array, size_t i)
{
    const js *m = js_first(array);
    while (m != NULL && i > 0) {
        m = m->next;
        i--;
    }
    return m;
}
