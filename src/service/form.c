#include "service/form.h"

#include <string.h>
#include <strings.h>

static const char NOT_FORM[] = "the body is not multipart/form-data";
static const char BROKEN[] = "a part of the form is broken";

static const uint8_t *find(const uint8_t *p, const uint8_t *end, const char *what, size_t n)
{
    for (; (size_t)(end - p) >= n; p++) {
        p = memchr(p, what[0], (size_t)(end - p) - n + 1);
        if (p == NULL) {
            return NULL;
        }
        if (memcmp(p, what, n) == 0) {
            return p;
        }
    }
    return NULL;
}

/* The value of a parameter, "; name=value" or quoted, of n bytes of text; false: absent or too long. */
static bool parameter(const char *text, size_t n, const char *name, char *out, size_t room)
{
    size_t name_len = strlen(name);
    for (size_t i = 0; i + 1 < n; i++) {
        if (text[i] != ';') {
            continue;
        }
        size_t at = i + 1;
        while (at < n && text[at] == ' ') {
            at++;
        }
        if (n - at <= name_len || strncasecmp(text + at, name, name_len) != 0 ||
            text[at + name_len] != '=') {
            continue;
        }
        at += name_len + 1;
        bool quoted = at < n && text[at] == '"';
        at += quoted ? 1 : 0;
        size_t len = 0;
        while (at + len < n &&
               (quoted ? text[at + len] != '"' : strchr("; \t", text[at + len]) == NULL)) {
            len++;
        }
        bool ends = !quoted || at + len < n;
        if (!ends || len == 0 || len >= room || memchr(text + at, 0, len) != NULL) {
            return false;
        }
        memcpy(out, text + at, len);
        out[len] = 0;
        return true;
    }
    return false;
}

const char *sl_form_begin(sl_form *f, const char *content_type, const uint8_t *body, size_t n)
{
    static const char type[] = "multipart/form-data";
    static const char lead[4] = {'\r', '\n', '-', '-'};
    memset(f, 0, sizeof *f);
    memcpy(f->boundary, lead, sizeof lead);
    if (content_type == NULL || strncasecmp(content_type, type, sizeof type - 1) != 0 ||
        !parameter(content_type, strlen(content_type), "boundary", f->boundary + 4,
                   SL_FORM_BOUNDARY_MAX + 1)) {
        return NOT_FORM;
    }
    f->boundary_len = strlen(f->boundary);
    size_t first = f->boundary_len - 2; /* the first has no line before it */
    if (n < first || memcmp(body, f->boundary + 2, first) != 0) {
        return NOT_FORM;
    }
    f->at = body + first;
    f->end = body + n;
    return NULL;
}

static bool is_header(const char *line, size_t n, const char *name)
{
    size_t len = strlen(name);
    return n > len && strncasecmp(line, name, len) == 0 && line[len] == ':';
}

/* The headers, n bytes of whole lines. */
static const char *read_head(const char *p, size_t n, sl_form_part *part)
{
    static const char disposition[] = "content-disposition";
    static const char type[] = "content-type";
    bool named = false;
    while (n > 0) {
        const char *end = (const char *)find((const uint8_t *)p, (const uint8_t *)p + n, "\r\n", 2);
        size_t len = end != NULL ? (size_t)(end - p) : n;
        if (is_header(p, len, disposition)) {
            if (named || !parameter(p, len, "name", part->name, sizeof part->name)) {
                return BROKEN;
            }
            named = true;
        } else if (is_header(p, len, type)) {
            const char *value = p + sizeof type;
            size_t left = len - sizeof type;
            while (left > 0 && *value == ' ') {
                value++;
                left--;
            }
            if (left >= sizeof part->type || memchr(value, 0, left) != NULL) {
                return BROKEN;
            }
            memcpy(part->type, value, left);
            part->type[left] = 0;
        }
        size_t step = end != NULL ? len + 2 : len;
        p += step;
        n -= step;
    }
    return named ? NULL : BROKEN;
}

const char *sl_form_next(sl_form *f, sl_form_part *part, bool *got)
{
    size_t left = (size_t)(f->end - f->at);
    memset(part, 0, sizeof *part);
    *got = false;
    if (left >= 2 && memcmp(f->at, "--", 2) == 0) {
        bool clean = left == 2 || (left == 4 && memcmp(f->at + 2, "\r\n", 2) == 0);
        return clean ? NULL : BROKEN;
    }
    if (left < 2 || memcmp(f->at, "\r\n", 2) != 0) {
        return BROKEN;
    }
    if (++f->parts > SL_FORM_PARTS_MAX) {
        return "the form has too many parts";
    }
    const uint8_t *head = f->at + 2;
    const uint8_t *limit = left - 2 > SL_FORM_HEAD_MAX ? head + SL_FORM_HEAD_MAX : f->end;
    const uint8_t *body = find(head, limit, "\r\n\r\n", 4);
    if (body == NULL) {
        return BROKEN;
    }
    const char *why = read_head((const char *)head, (size_t)(body - head), part);
    part->data = body + 4;
    /* The boundary may follow at once: its line's end is then the head's. */
    const uint8_t *end = find(body + 2, f->end, f->boundary, f->boundary_len);
    if (why != NULL || end == NULL) {
        return why != NULL ? why : BROKEN;
    }
    part->len = end > part->data ? (size_t)(end - part->data) : 0;
    f->at = end + f->boundary_len;
    *got = true;
    return NULL;
}
