/* voice/regain.c - a listener into a spool whose file is memory. */
#include "voice/regain.h"

#include "voice/listen.h"
#include "voice/resample.h"
#include "voice/spool.h"

enum {
    STEP = 960,
    TRIES = 3,
    COMPLEXITY = 5,
    BITRATE_MIN = 16000,
    BITRATE_MAX = 96000
};

static const float most = 1.0F;
static const float under = 0.994F; /* of what is needed: encoding again gives other peaks again */

static sl_status put(void *user, const uint8_t *p, size_t n, int64_t at, sl_error **err)
{
    sl_buf *file = user;
    if ((uint64_t)at != file->len) {
        return sl_fail(err, SL_E_INTERNAL, "The voice was not written in order");
    }
    sl_buf_put(file, p, n);
    return file->failed ? sl_fail_nomem(err) : SL_OK;
}

/* Twice what it has, on average: less costs what makes words clear. */
static int32_t bitrate_of(size_t n, int64_t frames)
{
    int64_t now = (int64_t)n * 8 * SL_VOICE_RATE / (frames > 0 ? frames : 1);
    int64_t wanted = 2 * now;
    return (int32_t)(wanted < BITRATE_MIN   ? BITRATE_MIN
                     : wanted > BITRATE_MAX ? BITRATE_MAX
                                            : wanted);
}

static sl_status copy(sl_listener *l, sl_spool *s, float scale, sl_error **err)
{
    float pcm[STEP];
    size_t n = 0;
    sl_status status = SL_OK;
    sl_listen_seek(l, 0);
    while (status == SL_OK && (n = sl_listen_read(l, pcm, STEP)) > 0) {
        for (size_t i = 0; i < n; i++) {
            pcm[i] *= scale;
        }
        status = sl_spool_put(s, pcm, n, err);
    }
    return status == SL_OK ? sl_spool_finish(s, 0.0, err) : status;
}

sl_status sl_regain(const uint8_t *p, size_t n, sl_buf *out, sl_error **err)
{
    sl_listener *l = NULL;
    sl_status status = sl_listen_open(p, n, &l, err);
    float scale = 1.0F;
    float peak = 2.0F * most;
    sl_buf file = {0};
    for (int i = 0; status == SL_OK && i < TRIES && peak > most; i++) {
        sl_spool_config config = {.file = {.write = put, .user = &file},
                                  .serial = 1,
                                  .rate = (int32_t)sl_listen_head(l)->rate,
                                  .bitrate = bitrate_of(n, sl_listen_frames(l)),
                                  .complexity = COMPLEXITY,
                                  .again = true,
                                  .heard = true};
        sl_spool *s = NULL;
        scale *= i > 0 ? most / peak * under : 1.0F;
        sl_buf_clear(&file);
        status = sl_spool_new(&config, &s, err);
        status = status == SL_OK ? copy(l, s, scale, err) : status;
        peak = status == SL_OK ? sl_spool_peak(s) : peak;
        sl_spool_free(s);
    }
    if (status == SL_OK) {
        sl_buf_put(out, file.data, file.len);
        status = out->failed ? sl_fail_nomem(err) : SL_OK;
    }
    sl_buf_free(&file);
    sl_listen_close(l);
    return status;
}
