/*
 * probe_fuzz - any bytes as a clip: what it is, frames at some places, a thumbnail. What the probe
 * lets through keeps the limits of media/av.h.
 */
#include "base/mem.h"
#include "media/av.h"
#include "media/frame.h"
#include "media/probe.h"
#include "media/thumb.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bytes {
    const uint8_t *p;
    int64_t n;
} bytes;

static int64_t read_bytes(void *user, void *dst, size_t n, int64_t at)
{
    const bytes *b = user;
    int64_t left = at < b->n ? b->n - at : 0;
    size_t some = left < (int64_t)n ? (size_t)left : n;
    if (some > 0) {
        memcpy(dst, b->p + at, some);
    }
    return (int64_t)some;
}

static void look(const sl_source *source, int64_t duration_us)
{
    sl_frames *f = NULL;
    if (sl_frames_open(source, &f, NULL) != SL_OK) {
        return;
    }
    for (int64_t i = 0; i <= 4; i++) {
        const AVFrame *frame = NULL;
        int64_t shown_us = 0;
        int64_t t_us = duration_us / 4 * (4 - i);
        if (sl_frames_at(f, t_us, &frame, &shown_us, NULL) == SL_OK) {
            SL_ASSERT(frame->width <= SL_CLIP_SIDE_MAX && frame->height <= SL_CLIP_SIDE_MAX);
            (void)sl_frames_step(f, i % 2 == 0 ? 1 : -1, &frame, &shown_us, NULL);
        }
    }
    sl_frames_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bytes b = {data, (int64_t)size};
    sl_source source = {.read = read_bytes, .user = &b, .size = (int64_t)size};
    sl_probe p;
    sl_thumb made;
    sl_buf jpeg = {0};
    sl_status status = sl_probe_source(&source, &p, NULL);
    SL_ASSERT(status == SL_OK || status == SL_E_INVALID || status == SL_E_NOMEM ||
              status == SL_E_IO);
    if (status == SL_OK) {
        SL_ASSERT(p.width > 0 && p.width <= SL_CLIP_SIDE_MAX);
        SL_ASSERT(p.height > 0 && p.height <= SL_CLIP_SIDE_MAX);
        SL_ASSERT(p.duration_us > 0 &&
                  p.duration_us <= (int64_t)SL_CLIP_HOURS_MAX * 3600 * 1000000);
        look(&source, p.duration_us);
        (void)sl_thumb_make(&source, p.duration_us / 2, 64, &jpeg, &made, NULL);
    }
    sl_buf_free(&jpeg);
    return 0;
}
