/*
 * The elements of an array, one at a time. The text is checked as a whole first, so that what reads it
 * goes by what it must be: within it every string ends, every bracket is closed.
 */
#include "base/json.h"
#include "base/json_word.h"

#include <cjson/cJSON.h>
#include <string.h>

enum {
    ROOM = 8192, /* kept for the next element */
    EXACT = 15   /* digits that a double holds, whatever they are */
};

static void skip_space(sl_json_walk *w)
{
    while (w->p < w->end && (*w->p == ' ' || *w->p == '\t' || *w->p == '\n' || *w->p == '\r')) {
        w->p++;
    }
}

sl_status sl_json_walk_start(sl_json_walk *w, const char *s, size_t n)
{
    *w = (sl_json_walk){.p = s, .end = s + n};
    skip_space(w);
    while (w->end > w->p && strchr(" \t\n\r", w->end[-1]) != NULL && w->end[-1] != 0) {
        w->end--;
    }
    if (!sl_json_ok(w->p, (size_t)(w->end - w->p))) {
        return SL_E_INVALID;
    }
    if (*w->p != '[') {
        return SL_E_NOT_FOUND;
    }
    w->p++;
    if (sl_arena_take(&w->mem, ROOM) == NULL) {
        return SL_E_NOMEM;
    }
    return SL_OK;
}

void sl_json_walk_end(sl_json_walk *w)
{
    sl_arena_free(&w->mem);
}

/* --- strings --------------------------------------------------------------------------------- */

static unsigned unit_at(const char *p)
{
    unsigned unit = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (uint8_t)p[i];
        unit = unit << 4 | (c <= '9' ? c - '0' : (c & 15) + 9);
    }
    return unit;
}

static char *put_code(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *to++ = (char)((0xF0u << (3 - more) & 0xFFu) | code >> (6 * more));
    while (more-- > 0) {
        *to++ = (char)(0x80u | (code >> (6 * more) & 0x3Fu));
    }
    return to;
}

/* What is escaped at *p, which is behind the backslash; *p goes behind it. Never longer than it was. */
static char *put_escaped(char *to, const char **p)
{
    static const char letters[] = "b\bf\fn\nr\rt\t";
    char c = *(*p)++;
    if (c != 'u') {
        const char *known = strchr(letters, c);
        *to = known != NULL ? known[1] : c;
        return to + 1;
    }
    uint32_t code = unit_at(*p);
    *p += 4;
    if (code >= 0xD800 && code < 0xDC00) {
        code = 0x10000 + ((code - 0xD800) << 10) + (unit_at(*p + 2) - 0xDC00);
        *p += 6;
    }
    return put_code(to, code);
}

static char *read_string(sl_json_walk *w)
{
    const char *from = ++w->p;
    bool plain = true;
    for (;;) {
        w->p += sl_json_plain(w->p, (size_t)(w->end - w->p));
        if (*w->p == '"') {
            break;
        }
        w->p += 2; /* the backslash and what it is before */
        plain = false;
    }
    const char *end = w->p++;
    if (plain) {
        return sl_arena_text(&w->mem, from, (size_t)(end - from));
    }
    char *text = sl_arena_take(&w->mem, (size_t)(end - from) + 1);
    char *to = text;
    while (to != NULL && from < end) {
        char c = *from++;
        if (c == '\\') {
            to = put_escaped(to, &from);
        } else {
            *to++ = c;
        }
    }
    if (to != NULL) {
        *to = 0;
    }
    return text;
}

/* --- values ---------------------------------------------------------------------------------- */

static sl_status read_number(sl_json_walk *w, cJSON *to)
{
    const char *from = w->p;
    bool minus = *w->p == '-';
    int64_t whole = 0;
    to->type = cJSON_Number;
    for (w->p += minus; w->p < w->end && *w->p >= '0' && *w->p <= '9'; w->p++) {
        whole = w->p - from < EXACT ? whole * 10 + (*w->p - '0') : 0;
    }
    bool ends = w->p == w->end || strchr(".eE", *w->p) == NULL;
    if (ends && w->p - from <= EXACT && (whole != 0 || !minus)) {
        to->valuedouble = (double)(minus ? -whole : whole);
        return SL_OK;
    }
    while (w->p < w->end && strchr("0123456789+-.eE", *w->p) != NULL) {
        w->p++;
    }
    sl_json *number = NULL;
    sl_status status = sl_json_read(from, (size_t)(w->p - from), &number, NULL);
    to->valuedouble = sl_json_value(number);
    sl_json_free(number);
    return status;
}

static sl_status read_value(sl_json_walk *w, cJSON **out);

/* Members up to the closing bracket; w->p is behind the opening one. As deep as the text, which its
 * check limits. */
static sl_status read_members(sl_json_walk *w, cJSON *of)
{
    cJSON *last = NULL;
    bool object = of->type == cJSON_Object;
    for (skip_space(w); *w->p != (object ? '}' : ']'); skip_space(w)) {
        char *key = object ? read_string(w) : NULL;
        cJSON *v = NULL;
        if (object && key == NULL) {
            return SL_E_NOMEM;
        }
        skip_space(w);
        w->p += object; /* the colon */
        sl_status status = read_value(w, &v);
        if (status != SL_OK) {
            return status;
        }
        v->string = key;
        v->prev = last;
        *(last != NULL ? &last->next : &of->child) = v;
        last = v;
        skip_space(w);
        if (*w->p == ',') {
            w->p++;
        }
    }
    if (last != NULL) {
        of->child->prev = last;
    }
    w->p++;
    return SL_OK;
}

static sl_status read_value(sl_json_walk *w, cJSON **out)
{
    cJSON *v = sl_arena_take(&w->mem, sizeof *v);
    *out = v;
    if (v == NULL) {
        return SL_E_NOMEM;
    }
    memset(v, 0, sizeof *v);
    skip_space(w);
    switch (*w->p) {
    case '{':
    case '[': v->type = *w->p++ == '{' ? cJSON_Object : cJSON_Array; return read_members(w, v);
    case '"':
        v->type = cJSON_String;
        v->valuestring = read_string(w);
        return v->valuestring != NULL ? SL_OK : SL_E_NOMEM;
    case 't': v->type = cJSON_True; break;
    case 'f': v->type = cJSON_False; break;
    case 'n': v->type = cJSON_NULL; break;
    default: return read_number(w, v);
    }
    w->p += v->type == cJSON_False ? 5 : 4;
    return SL_OK;
}

sl_status sl_json_walk_next(sl_json_walk *w, const sl_json **out)
{
    cJSON *v = NULL;
    *out = NULL;
    sl_arena_clear(&w->mem);
    skip_space(w);
    if (*w->p == ']') { /* stays here */
        return SL_OK;
    }
    w->p += *w->p == ',';
    sl_status status = read_value(w, &v);
    w->count++;
    *out = status == SL_OK ? v : NULL;
    return status;
}
