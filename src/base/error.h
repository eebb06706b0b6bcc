/*
 * base/error.h - making errors. Every error is made by sl_fail or sl_fail_field: one
 * place for a breakpoint.
 */
#ifndef SL_BASE_ERROR_H
#define SL_BASE_ERROR_H

#include "sideline/base.h"

#include <stdbool.h>

/* Sets *err (when err is not NULL) to a new error and returns `code`. The message is one
 * sentence for a person, without a full stop needed at the end. The first error of a compound
 * operation is kept: an *err that is already set is left alone. */
sl_status sl_fail(sl_error **err, sl_status code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, naming the field of the input that is at fault. */
sl_status sl_fail_field(sl_error **err, sl_status code, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* SL_E_NOMEM with the usual sentence. */
sl_status sl_fail_nomem(sl_error **err);
/* Sets *err to NULL: first line of every public function. */
void sl_error_start(sl_error **err);
/* The field an error names, or NULL. Borrowed until the error is released. */
const char *sl_error_field(const sl_error *e);
/* True for what may succeed when tried again unchanged. */
bool sl_status_retryable(sl_status status);

/* Our own mistakes: aborts in every build; data from outside is never an assertion. */
void sl_assert_fail(const char *what, const char *file, int line) __attribute__((noreturn));
#define SL_ASSERT(x) ((x) ? (void)0 : sl_assert_fail(#x, __FILE__, __LINE__))

#endif
