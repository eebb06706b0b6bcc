/*
 * sideline/base.h - status codes, errors, owned bytes: what every other header stands on.
 *
 * Ownership words, used everywhere with these meanings:
 *   borrowed for the call   the callee neither keeps nor frees it
 *   borrowed until X        valid until X happens
 *   copied                  the callee keeps its own copy
 *   given                   yours now: release it with the function named
 *   taken                   the callee releases it, even when the call fails
 *
 * Errors: every call that can fail returns sl_status, 0 for success, and takes an
 * `sl_error **err` last, which may be NULL. It is set to NULL on entry and, on
 * failure, to an error that is given. Nothing is thread-local, nothing aborts.
 *
 * Text is UTF-8. Identifiers of type sl_id stay below 2^53, so that JavaScript
 * and JSON carry them exactly.
 */
#ifndef SIDELINE_BASE_H
#define SIDELINE_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifndef SL_API
#define SL_API __attribute__((visibility("default")))
#endif

#if defined(__clang__)
#define SL_BEGIN                                                        \
    _Pragma("clang diagnostic push")                                    \
        _Pragma("clang diagnostic ignored \"-Wnullability-extension\"") \
            _Pragma("clang assume_nonnull begin")
#define SL_END      _Pragma("clang assume_nonnull end") _Pragma("clang diagnostic pop")
#define SL_NULLABLE _Nullable
#else
#define SL_BEGIN
#define SL_END
#define SL_NULLABLE
#endif

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

typedef int32_t sl_status;
typedef uint64_t sl_id;

/* Append only; numbers are never reused. */
enum {
    SL_OK = 0,
    SL_E_MISUSE = -1,       /* the caller's mistake: NULL, wrong state, bad option */
    SL_E_NOMEM = -2,        /* out of memory */
    SL_E_IO = -3,           /* the disk or a file failed */
    SL_E_NOT_FOUND = -4,    /* no such record, file, operation */
    SL_E_INVALID = -5,      /* the data breaks a rule: a field, a format */
    SL_E_LIMIT = -6,        /* larger than a stated limit */
    SL_E_BUSY = -7,         /* in use by someone else */
    SL_E_CLOSED = -8,       /* the object was closed */
    SL_E_CANCELLED = -9,    /* ended on request */
    SL_E_UNSUPPORTED = -10, /* not in this build or on this platform */
    SL_E_CORRUPT = -11,     /* stored data is damaged */
    SL_E_FULL = -12,        /* the disk is full */
    SL_E_NETWORK = -13,     /* the server cannot be reached; try again */
    SL_E_AUTH = -14,        /* sign in again */
    SL_E_DENIED = -15,      /* signed in, but not allowed */
    SL_E_CONFLICT = -16,    /* the other side has it differently */
    SL_E_INTERNAL = -17,    /* our mistake */
    SL_E_TOO_NEW = -18      /* made by a newer version of this library */
};

typedef struct sl_bytes sl_bytes; /* immutable, followed by a NUL that is not counted */
typedef struct sl_error sl_error;

/* major << 16 | minor. A shell checks it once, at load. */
SL_API uint32_t sl_abi_version(void);
SL_API const char *sl_version(void);

/* For shells without a malloc of their own. sl_free accepts NULL. */
SL_API void *SL_NULLABLE sl_alloc(size_t n);
SL_API void sl_free(void *SL_NULLABLE p);

/* Owned bytes: given by the call that returns them, valid after the core closes. */
SL_API const uint8_t *sl_bytes_data(const sl_bytes *b);
SL_API size_t sl_bytes_len(const sl_bytes *b);
SL_API void sl_bytes_release(sl_bytes *SL_NULLABLE b);

SL_API sl_status sl_error_code(const sl_error *e);
/* One sentence for a person. Borrowed until the error is released. */
SL_API const char *sl_error_message(const sl_error *e);
/* JSON: {"code":n,"name":"...","retryable":bool,"field":"..."?}. Borrowed likewise. */
SL_API const char *sl_error_detail(const sl_error *e);
SL_API void sl_error_release(sl_error *SL_NULLABLE e);
/* The name of a status, "SL_E_IO"; never NULL, static. */
SL_API const char *sl_status_name(sl_status status);

/* Objects given to callers and not yet released. 0 at the end of a clean run. */
SL_API int64_t sl_debug_live_objects(void);

SL_END
#ifdef __cplusplus
}
#endif

#endif
