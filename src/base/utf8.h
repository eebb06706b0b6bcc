/* base/utf8.h - strict UTF-8 (RFC 3629): no surrogates, no overlong forms. */
#ifndef SL_BASE_UTF8_H
#define SL_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool sl_utf8_ok(const char *s, size_t n);
/* Code points of valid text. */
size_t sl_utf8_count(const char *s, size_t n);

#endif
