/* The ports of a service that a fuzz target drives: nobody listens, passwords are kept as they are. */
#ifndef FUZZ_SERVICE_RIG_H
#define FUZZ_SERVICE_RIG_H

#include "base/mem.h"
#include "service/service.h"

#include <string.h>

static void no_close(void *user, sl_id conn, int32_t code, const char *reason)
{
    (void)user;
    (void)conn;
    (void)code;
    (void)reason;
}

static sl_status hash(void *user, const char *secret, char **out, sl_error **err)
{
    (void)user;
    (void)err;
    *out = sl_text_dup(secret);
    return *out != NULL ? SL_OK : SL_E_NOMEM;
}

static bool check(void *user, const char *secret, const char *stored)
{
    (void)user;
    return strcmp(secret, stored) == 0;
}

static const char *no_header(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

#endif
