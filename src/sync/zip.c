#include "sync/zip.h"

#include "base/error.h"

#ifdef SL_WITH_ZSTD

#include <zstd.h>

enum {
    LEVEL = 3
};

bool sl_zip_have(void)
{
    return true;
}

bool sl_zip(sl_buf *out, const void *p, size_t n)
{
    size_t room = ZSTD_compressBound(n);
    uint8_t *to = sl_buf_room(out, room);
    if (to == NULL) {
        out->failed = false; /* it goes unpacked */
        return false;
    }
    size_t got = ZSTD_compress(to, room, p, n, LEVEL);
    bool smaller = ZSTD_isError(got) == 0 && got < n;
    out->len += smaller ? got : 0;
    return smaller;
}

sl_status sl_unzip(sl_buf *out, const void *p, size_t n, size_t max, sl_error **err)
{
    unsigned long long size = ZSTD_getFrameContentSize(p, n);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > max) {
        return sl_fail(err, SL_E_INVALID, "packed bytes do not say how many they are, or too many");
    }
    uint8_t *to = sl_buf_room(out, (size_t)size);
    if (to == NULL) {
        return sl_fail_nomem(err);
    }
    size_t got = ZSTD_decompress(to, (size_t)size, p, n);
    if (ZSTD_isError(got) != 0 || got != size) {
        return sl_fail(err, SL_E_INVALID, "packed bytes are broken");
    }
    out->len += got;
    return SL_OK;
}

#else

bool sl_zip_have(void)
{
    return false;
}

bool sl_zip(sl_buf *out, const void *p, size_t n)
{
    (void)out;
    (void)p;
    (void)n;
    return false;
}

sl_status sl_unzip(sl_buf *out, const void *p, size_t n, size_t max, sl_error **err)
{
    (void)out;
    (void)p;
    (void)n;
    (void)max;
    return sl_fail(err, SL_E_UNSUPPORTED, "packed bytes cannot be read by this build");
}

#endif
