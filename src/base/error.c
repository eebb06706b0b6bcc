#include "base/error.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sl_error {
    sl_status code;
    char *message;
    char *detail;
    char *field;
};

typedef struct status_row {
    const char *name;
    const char *sentence;
    sl_status code;
    bool retryable;
} status_row;

static const status_row ROWS[] = {
    {"SL_OK", "no error", SL_OK, false},
    {"SL_E_MISUSE", "the call was not allowed here", SL_E_MISUSE, false},
    {"SL_E_NOMEM", "out of memory", SL_E_NOMEM, true},
    {"SL_E_IO", "the disk or a file failed", SL_E_IO, true},
    {"SL_E_NOT_FOUND", "there is no such thing", SL_E_NOT_FOUND, false},
    {"SL_E_INVALID", "the data breaks a rule", SL_E_INVALID, false},
    {"SL_E_LIMIT", "larger than the limit", SL_E_LIMIT, false},
    {"SL_E_BUSY", "in use", SL_E_BUSY, true},
    {"SL_E_CLOSED", "already closed", SL_E_CLOSED, false},
    {"SL_E_CANCELLED", "cancelled", SL_E_CANCELLED, false},
    {"SL_E_UNSUPPORTED", "not in this build", SL_E_UNSUPPORTED, false},
    {"SL_E_CORRUPT", "stored data is damaged", SL_E_CORRUPT, false},
    {"SL_E_FULL", "the disk is full", SL_E_FULL, true},
    {"SL_E_NETWORK", "the server cannot be reached", SL_E_NETWORK, true},
    {"SL_E_AUTH", "sign in again", SL_E_AUTH, false},
    {"SL_E_DENIED", "not allowed", SL_E_DENIED, false},
    {"SL_E_CONFLICT", "the other side has it differently", SL_E_CONFLICT, false},
    {"SL_E_INTERNAL", "internal error", SL_E_INTERNAL, false},
    {"SL_E_TOO_NEW", "made by a newer version", SL_E_TOO_NEW, false},
};

static const status_row *row_of(sl_status status)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        if (ROWS[i].code == status) {
            return &ROWS[i];
        }
    }
    return NULL;
}

/* What is handed out when there is no memory for an error; never freed. */
static sl_error g_nomem = {SL_E_NOMEM, NULL, NULL, NULL};

const char *sl_status_name(sl_status status)
{
    const status_row *row = row_of(status);
    return row != NULL ? row->name : "SL_E_UNKNOWN";
}

bool sl_status_retryable(sl_status status)
{
    const status_row *row = row_of(status);
    return row != NULL && row->retryable;
}

static char *make_detail(sl_status code, const char *field)
{
    sl_json *json = sl_json_object();
    bool ok = json != NULL && sl_json_set_int(json, "code", code) &&
              sl_json_set_str(json, "name", sl_status_name(code)) &&
              sl_json_set_bool(json, "retryable", sl_status_retryable(code)) &&
              (field == NULL || sl_json_set_str(json, "field", field));
    char *text = ok ? sl_json_print(json) : NULL;
    sl_json_free(json);
    return text;
}

static void error_free(sl_error *e)
{
    sl_mem_free(e->message);
    sl_mem_free(e->detail);
    sl_mem_free(e->field);
    sl_mem_free(e);
}

__attribute__((format(printf, 3, 0))) static sl_error *error_make(sl_status code, const char *field,
                                                                  const char *fmt, va_list args)
{
    sl_error *e = sl_mem(sizeof *e);
    if (e == NULL) {
        return &g_nomem;
    }
    e->code = code;
    e->message = sl_text_vfmt(fmt, args);
    e->field = field != NULL ? sl_text_dup(field) : NULL;
    e->detail = make_detail(code, field);
    if (e->message == NULL || e->detail == NULL || (field != NULL && e->field == NULL)) {
        error_free(e);
        return &g_nomem;
    }
    sl_live_add(1);
    return e;
}

sl_status sl_fail(sl_error **err, sl_status code, const char *fmt, ...)
{
    if (err != NULL && *err == NULL) {
        va_list args;
        va_start(args, fmt);
        *err = error_make(code, NULL, fmt, args);
        va_end(args);
    }
    return code;
}

sl_status sl_fail_field(sl_error **err, sl_status code, const char *field, const char *fmt, ...)
{
    if (err != NULL && *err == NULL) {
        va_list args;
        va_start(args, fmt);
        *err = error_make(code, field, fmt, args);
        va_end(args);
    }
    return code;
}

sl_status sl_fail_nomem(sl_error **err)
{
    if (err != NULL && *err == NULL) {
        *err = &g_nomem;
    }
    return SL_E_NOMEM;
}

void sl_error_start(sl_error **err)
{
    if (err != NULL) {
        *err = NULL;
    }
}

sl_status sl_error_code(const sl_error *e)
{
    return e != NULL ? e->code : SL_OK;
}

const char *sl_error_message(const sl_error *e)
{
    if (e == NULL || e->message != NULL) {
        return e == NULL ? "no error" : e->message;
    }
    return row_of(SL_E_NOMEM)->sentence;
}

const char *sl_error_detail(const sl_error *e)
{
    if (e == NULL) {
        return "{}";
    }
    return e->detail != NULL ? e->detail
                             : "{\"code\":-2,\"name\":\"SL_E_NOMEM\",\"retryable\":true}";
}

const char *sl_error_field(const sl_error *e)
{
    return e != NULL ? e->field : NULL;
}

void sl_error_release(sl_error *e)
{
    if (e != NULL && e != &g_nomem) {
        error_free(e);
        sl_live_add(-1);
    }
}

void sl_assert_fail(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "sideline: assertion failed: %s (%s:%d)\n", what, file, line);
    abort();
}
