/*
 * service/form.h - reads multipart/form-data (RFC 7578) that is in memory: part after part.
 *
 *   [FORM-1] no bytes make it read beyond them, and it allocates nothing.
 *
 * Strict: lines end with CR LF, each part has one Content-Disposition with a name, and behind the last
 * boundary there is nothing but a line's end. A file's name is not looked at: it names nothing here.
 */
#ifndef SL_SERVICE_FORM_H
#define SL_SERVICE_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_FORM_BOUNDARY_MAX = 70,
    SL_FORM_PARTS_MAX = 8,
    SL_FORM_HEAD_MAX = 4096, /* bytes of one part's headers */
    SL_FORM_TEXT_MAX = 100
};

typedef struct sl_form {
    char boundary[SL_FORM_BOUNDARY_MAX + 5]; /* with the CR LF and the dashes before it */
    size_t boundary_len;
    const uint8_t *at;
    const uint8_t *end;
    size_t parts;
} sl_form;

typedef struct sl_form_part {
    char name[SL_FORM_TEXT_MAX + 1];
    char type[SL_FORM_TEXT_MAX + 1]; /* "" when it is not said */
    const uint8_t *data;
    size_t len;
} sl_form_part;

/* The bytes are borrowed while parts are read. NULL, or what is wrong. */
const char *sl_form_begin(sl_form *f, const char *content_type, const uint8_t *body, size_t n);
/* The next part; *got false behind the last. NULL, or what is wrong. */
const char *sl_form_next(sl_form *f, sl_form_part *part, bool *got);

#endif
