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

sl_status sl_media_thumbnail(const char *path, int64_t t_us, int32_t side, sl_bytes **out,
                             sl_error **err)
{
    (void)t_us;
    (void)side;
    return sl_media_probe(path, out, err);
}

sl_status sl_media_sheet(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    return sl_media_still(core, json, n, op, err);
}

sl_status sl_viewer_open(sl_core *core, const char *what, sl_viewer **out, sl_error **err)
{
    (void)core;
    (void)what;
    if (out != NULL) {
        *out = NULL;
    }
    return none(err);
}

void sl_viewer_close(sl_viewer *v)
{
    (void)v;
}

void sl_viewer_size(const sl_viewer *v, int32_t *width, int32_t *height)
{
    (void)v;
    *width = 0;
    *height = 0;
}

sl_status sl_viewer_frame(sl_viewer *v, int64_t t_us, const sl_pixels *into, int64_t *shown_us,
                          sl_error **err)
{
    (void)v;
    (void)t_us;
    (void)into;
    (void)shown_us;
    return none(err);
}

sl_status sl_viewer_step(sl_viewer *v, int32_t by, const sl_pixels *into, int64_t *shown_us,
                         sl_error **err)
{
    return sl_viewer_frame(v, by, into, shown_us, err);
}

sl_status sl_viewer_prepare(sl_viewer *v, int64_t *until_us, int32_t *whole, sl_error **err)
{
    (void)v;
    (void)until_us;
    (void)whole;
    return none(err);
}

sl_status sl_viewer_scrub(sl_viewer *v, int64_t t_us, const sl_pixels *into, int64_t *shown_us,
                          sl_error **err)
{
    return sl_viewer_frame(v, t_us, into, shown_us, err);
}

bool sl_media_built(void)
{
    return false;
}
