/* api/media_none.c - sideline/media.h in builds without media. */
#include "api/inside.h"
#include "base/error.h"
#include "sideline/media.h"

static sl_status none(sl_error **err)
{
    sl_error_start(err);
    return sl_fail(err, SL_E_UNSUPPORTED, "This build has no media");
}

sl_status sl_media_probe(const char *path, sl_bytes **out, sl_error **err)
{
    (void)path;
    if (out != NULL) {
        *out = NULL;
    }
    return none(err);
}

sl_status sl_media_import(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    (void)core;
    (void)json;
    (void)n;
    (void)op;
    return none(err);
}

sl_status sl_media_still(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    (void)core;
    (void)json;
    (void)n;
    (void)op;
    return none(err);
}

sl_status sl_media_export(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    (void)core;
    (void)json;
    (void)n;
    (void)op;
    return none(err);
}

bool sl_media_built(void)
{
    return false;
}
