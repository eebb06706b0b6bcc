/* api/voice_play.c - sl_voice: playing a voice, and other files made of one. */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "sideline/voice.h"
#include "voice/player.h"
#include "voice/repack.h"
#include "voice/resample.h"

struct sl_voice {
    sl_player *player;
};

static int64_t to_us(int64_t frames)
{
    return frames * 125 / 6;
}

/* Rounded up, so that a place that was told leads back to its frame. */
static int64_t to_frames(int64_t us)
{
    int64_t most = INT64_MAX / 8;
    int64_t v = us < 0 ? 0 : us > most ? most : us;
    return (v * 6 + 124) / 125;
}

sl_status sl_voice_open(const uint8_t *bytes, size_t n, sl_voice **out, sl_error **err)
{
    sl_error_start(err);
    if (bytes == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_voice_open needs bytes and a result");
    }
    *out = NULL;
    sl_voice *v = sl_mem(sizeof *v);
    if (v == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_player_open(bytes, n, &v->player, err);
    if (status != SL_OK) {
        sl_mem_free(v);
        return status;
    }
    sl_live_add(1);
    *out = v;
    return SL_OK;
}

void sl_voice_close(sl_voice *v)
{
    if (v != NULL) {
        sl_player_close(v->player);
        sl_mem_free(v);
        sl_live_add(-1);
    }
}

int64_t sl_voice_duration(const sl_voice *v)
{
    return v == NULL ? 0 : to_us(sl_player_frames(v->player));
}

uint32_t sl_voice_read(sl_voice *v, float *pcm, uint32_t max)
{
    return v == NULL || pcm == NULL ? 0 : (uint32_t)sl_player_read(v->player, pcm, max);
}

void sl_voice_seek(sl_voice *v, int64_t at_us)
{
    if (v != NULL) {
        sl_player_seek(v->player, to_frames(at_us));
    }
}

sl_status sl_voice_set_rate(sl_voice *v, int32_t rate, sl_error **err)
{
    sl_error_start(err);
    if (v == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_voice_set_rate needs a voice");
    }
    if (rate < SL_VOICE_SLOWEST || rate > SL_VOICE_FASTEST) {
        return sl_fail_field(err, SL_E_INVALID, "rate",
                             "The rate of a voice must be %d to %d thousandths", SL_VOICE_SLOWEST,
                             SL_VOICE_FASTEST);
    }
    sl_player_set_rate(v->player, rate);
    return SL_OK;
}

int64_t sl_voice_position(const sl_voice *v)
{
    return v == NULL ? 0 : to_us(sl_player_place(v->player));
}

static sl_status give(sl_buf *made, sl_status status, sl_bytes **out, sl_error **err)
{
    if (status != SL_OK) {
        sl_buf_free(made);
        return status;
    }
    *out = sl_buf_bytes(made);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_voice_cut(const uint8_t *bytes, size_t n, int64_t from_us, int64_t until_us,
                       sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (bytes == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_voice_cut needs bytes and a result");
    }
    *out = NULL;
    if (from_us < 0) {
        return sl_fail_field(err, SL_E_INVALID, "from", "A voice begins at 0");
    }
    sl_buf made = {0};
    int64_t to = until_us < 0 ? -1 : to_frames(until_us);
    return give(&made, sl_repack_cut(bytes, n, to_frames(from_us), to, &made, err), out, err);
}

sl_status sl_voice_repack(const uint8_t *bytes, size_t n, int32_t container, sl_bytes **out,
                          sl_error **err)
{
    sl_error_start(err);
    if (bytes == NULL || out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "sl_voice_repack needs bytes and a result");
    }
    *out = NULL;
    sl_buf made = {0};
    if (container == SL_VOICE_MP4) {
        return give(&made, sl_repack_mp4(bytes, n, &made, err), out, err);
    }
    if (container == SL_VOICE_CAF) {
        return give(&made, sl_repack_caf(bytes, n, &made, err), out, err);
    }
    return sl_fail_field(err, SL_E_INVALID, "container", "There is no such container");
}
