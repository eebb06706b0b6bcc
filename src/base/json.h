/*
 * base/json.h - JSON values. The home of cJSON: no other module includes it.
 *
 * Numbers are doubles: integers are exact up to 2^53. Readers accept NULL and answer
 * "absent"; writers answer false when out of memory, and what they were given to take
 * is freed then too.
 */
#ifndef SL_BASE_JSON_H
#define SL_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdbool.h>

typedef struct cJSON sl_json;

#define SL_JSON_INT_MAX ((int64_t)1 << 53)

/* NULL when malformed, nested deeper than 64, followed by more text, or out of memory. */
sl_json *sl_json_parse(const char *s, size_t n);
/* The same for input of a public call: SL_E_INVALID with a sentence. */
sl_status sl_json_read(const char *s, size_t n, sl_json **out, sl_error **err);
sl_json *sl_json_object(void);
sl_json *sl_json_array(void);
sl_json *sl_json_string(const char *s);
sl_json *sl_json_number(double v);
sl_json *sl_json_null(void);
sl_json *sl_json_clone(const sl_json *j);
void sl_json_free(sl_json *j);
void sl_json_put(sl_buf *out, const sl_json *j); /* without space; NULL fails the buffer */
char *sl_json_print(const sl_json *j);           /* the same; freed with sl_mem_free */
sl_bytes *sl_json_bytes(const sl_json *j);
bool sl_json_equal(const sl_json *a, const sl_json *b);

bool sl_json_is_object(const sl_json *j);
bool sl_json_is_array(const sl_json *j);
bool sl_json_is_string(const sl_json *j);
bool sl_json_is_number(const sl_json *j);
bool sl_json_is_int(const sl_json *j); /* a number without fraction, within 2^53 */
bool sl_json_is_bool(const sl_json *j);
bool sl_json_is_null(const sl_json *j); /* the value null; false for an absent value */

const char *sl_json_text(const sl_json *j); /* of a string value, else NULL */
double sl_json_value(const sl_json *j);     /* of a number, else 0 */
bool sl_json_truth(const sl_json *j);       /* of true */

const sl_json *sl_json_get(const sl_json *obj, const char *key);
const char *sl_json_str(const sl_json *obj, const char *key); /* NULL when absent or no string */
bool sl_json_int(const sl_json *obj, const char *key, int64_t *out); /* false: untouched */
int64_t sl_json_int_or(const sl_json *obj, const char *key, int64_t otherwise);
double sl_json_num_or(const sl_json *obj, const char *key, double otherwise);
bool sl_json_bool_or(const sl_json *obj, const char *key, bool otherwise);

/* Members of an array or object, in order. */
size_t sl_json_count(const sl_json *j);
const sl_json *sl_json_at(const sl_json *array, size_t i);
const sl_json *sl_json_first(const sl_json *j);
const sl_json *sl_json_next(const sl_json *member);
const char *sl_json_key(const sl_json *member);

/* A key already there is replaced. `v` is taken. */
bool sl_json_set(sl_json *obj, const char *key, sl_json *v);
bool sl_json_set_str(sl_json *obj, const char *key, const char *v);
bool sl_json_set_int(sl_json *obj, const char *key, int64_t v);
bool sl_json_set_num(sl_json *obj, const char *key, double v);
bool sl_json_set_bool(sl_json *obj, const char *key, bool v);
bool sl_json_set_null(sl_json *obj, const char *key);
bool sl_json_add(sl_json *array, sl_json *v);
bool sl_json_add_str(sl_json *array, const char *v);
bool sl_json_add_num(sl_json *array, double v);
void sl_json_remove(sl_json *obj, const char *key);

/* --- text without values between (json_text.c) --- */

/* Spelled as sl_json_print does. */
void sl_json_put_text(sl_buf *out, const char *s, size_t n); /* with its quotes */
void sl_json_put_int(sl_buf *out, int64_t v);
void sl_json_put_real(sl_buf *out, double v); /* null when not finite */
/* The same into memory that has room for the longest spelling; the place behind it. */
#define SL_JSON_TEXT_ROOM(n) (6 * (n) + 2)
enum {
    SL_JSON_INT_ROOM = 20
};
uint8_t *sl_json_text_at(uint8_t *to, const char *s, size_t n);
uint8_t *sl_json_int_at(uint8_t *to, int64_t v);
/* True for one JSON value (RFC 8259), nested at most 64 deep, strict UTF-8, without space around. */
bool sl_json_ok(const char *s, size_t n);

/* --- one element at a time (json_walk.c) --- */

/* The elements of an array, so that a long one is never in memory whole, and without an allocation for
 * each value. */
typedef struct sl_json_walk {
    const char *p;
    const char *end;
    size_t count; /* elements given */
    sl_arena mem;
} sl_json_walk;
/* The text is borrowed until the end of the walk, and checked as by sl_json_ok; space may be around it.
 * Without an error: SL_E_INVALID: it is no JSON; SL_E_NOT_FOUND: it is no array; SL_E_NOMEM. */
sl_status sl_json_walk_start(sl_json_walk *w, const char *s, size_t n);
/* SL_OK and *out NULL after the last one; *out is borrowed until the next call. Without an error:
 * SL_E_INVALID: a number longer than cJSON takes (63 bytes or any); SL_E_NOMEM. Ends the walk unless SL_OK. */
sl_status sl_json_walk_next(sl_json_walk *w, const sl_json **out);
/* Whatever the start said. */
void sl_json_walk_end(sl_json_walk *w);

#endif
