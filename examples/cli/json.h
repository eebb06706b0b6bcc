/*
 * cli/json.h - a small JSON reader and a text builder: the client stands on the public headers and
 * the C library alone, as a shell in another language would stand on its own JSON.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum js_type {
    JS_NULL,
    JS_BOOL,
    JS_NUMBER,
    JS_STRING,
    JS_ARRAY,
    JS_OBJECT
} js_type;

typedef struct js {
    js_type type;
    bool truth;
    double number;
    char *string;    /* unescaped */
    char *key;       /* within an object */
    char *owned;     /* in the root: a copy of the input */
    const char *raw; /* its text within that copy */
    size_t raw_len;
    struct js *first; /* members */
    struct js *last;
    struct js *next; /* the one beside it */
} js;

/* NULL when it is no JSON. */
js *js_parse(const char *s, size_t n);
void js_free(js *j);

/* All accept NULL. */
const js *js_get(const js *object, const char *key);
const char *js_str(const js *object, const char *key); /* "" when absent */
double js_num(const js *object, const char *key);      /* 0 when absent */
int64_t js_int(const js *object, const char *key);
bool js_is(const js *object, const char *key, const char *value); /* a string equal to value */
size_t js_count(const js *j);
const js *js_first(const js *j);
const js *js_at(const js *array, size_t i);

/* Text that grows; out of memory ends the program. */
typedef struct text {
    char *data; /* never NULL after the first put */
    size_t len;
    size_t cap;
} text;

void text_put(text *t, const char *s, size_t n);
void text_add(text *t, const char *s);
void text_int(text *t, int64_t v);
void text_fmt(text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_json(text *t, const char *s); /* as a JSON string, with quotes */
void text_free(text *t);

#endif
