#include "store/draft.h"

#include "base/mem.h"
#include "store/pages.h"

#include <string.h>

struct sl_draft {
    const sl_platform *platform;
    void *handle;
    sl_xts *xts; /* NULL: in the clear */
    sl_pages pages;
};

sl_status sl_draft_open(const sl_platform *platform, const sl_seal *seal, const char *path,
                        uint32_t flags, sl_draft **out)
{
    const char *slash = strrchr(path, '/');
    return sl_draft_open_as(platform, seal, path, slash != NULL ? slash + 1 : path, flags, out);
}

sl_status sl_draft_open_as(const sl_platform *platform, const sl_seal *seal, const char *path,
                           const char *name, uint32_t flags, sl_draft **out)
{
    *out = NULL;
    sl_draft *d = sl_mem(sizeof *d);
    if (d == NULL) {
        return SL_E_NOMEM;
    }
    d->platform = platform;
    sl_status status = SL_OK;
    if (seal != NULL) {
        flags |= SL_FILE_READ; /* the edges of what is written */
        d->xts = sl_seal_draft_xts(seal, name);
        status = d->xts != NULL ? SL_OK : SL_E_NOMEM;
    }
    if (status == SL_OK) {
        status = platform->files->open(platform->user, path, flags, &d->handle);
    }
    if (status == SL_OK && seal != NULL && !sl_pages_open(&d->pages, platform, d->handle, d->xts)) {
        status = SL_E_NOMEM;
    }
    if (status != SL_OK) {
        sl_draft_close(d);
        return status;
    }
    *out = d;
    return SL_OK;
}

void sl_draft_close(sl_draft *d)
{
    if (d != NULL) {
        sl_pages_close(&d->pages);
        sl_xts_free(d->xts);
        if (d->handle != NULL) {
            d->platform->files->close(d->platform->user, d->handle);
        }
        sl_mem_free(d);
    }
}

int64_t sl_draft_read(sl_draft *d, void *dst, size_t n, int64_t at)
{
    return d->xts != NULL ? sl_pages_read(&d->pages, dst, n, at)
                          : d->platform->files->read(d->platform->user, d->handle, dst, n, at);
}

sl_status sl_draft_write(sl_draft *d, const void *src, size_t n, int64_t at)
{
    return d->xts != NULL ? sl_pages_write(&d->pages, src, n, at)
                          : d->platform->files->write(d->platform->user, d->handle, src, n, at);
}

sl_status sl_draft_truncate(sl_draft *d, int64_t size)
{
    return d->xts != NULL ? sl_pages_truncate(&d->pages, size)
                          : d->platform->files->truncate(d->platform->user, d->handle, size);
}

sl_status sl_draft_sync(sl_draft *d)
{
    return d->platform->files->sync(d->platform->user, d->handle);
}

int64_t sl_draft_size(sl_draft *d)
{
    return d->platform->files->size(d->platform->user, d->handle);
}
