/*
 * media/mix.c - block by block the timeline says whether and where the clip plays. While it plays
 * on, its sound is read on without a jump; its loudness moves to its aim within a block.
 */
#include "media/mix.h"

#include "base/mem.h"
#include "media/sound.h"
#include "voice/listen.h"

#include <stdlib.h>

enum {
    JUMP_FRAMES = 96 /* 2 ms: less than this is rounding, not a seek */
};

static const float duck = 0.3F; /* the clip under a voice */

struct sl_mix {
    sl_listener *voice;
    sl_sound *clip;
    const sl_timeline *timeline;
    int64_t at;     /* frames made */
    int64_t cursor; /* the clip's next frame */
    float gain;     /* of the clip, where the last block ended */
    float own[2 * SL_MIX_BLOCK];
    float spoken[SL_MIX_BLOCK];
};

sl_status sl_mix_open(const sl_source *clip, const uint8_t *voice, size_t voice_len,
                      const sl_timeline *timeline, sl_mix **out, sl_error **err)
{
    *out = NULL;
    sl_mix *m = sl_mem(sizeof *m);
    if (m == NULL) {
        return sl_fail_nomem(err);
    }
    m->timeline = timeline;
    sl_status status = SL_OK;
    if (voice != NULL) {
        status = sl_listen_open(voice, voice_len, &m->voice, err);
    }
    if (status == SL_OK) {
        status = sl_sound_open(clip, &m->clip, NULL);
        if (status == SL_E_NOMEM) {
            status = sl_fail_nomem(err);
        } else {
            status = SL_OK; /* without sound of its own the clip is silent */
        }
    }
    if (status != SL_OK) {
        sl_mix_close(m);
        return status;
    }
    *out = m;
    return SL_OK;
}

void sl_mix_close(sl_mix *m)
{
    if (m != NULL) {
        sl_listen_close(m->voice);
        sl_sound_close(m->clip);
        sl_mem_free(m);
    }
}

static sl_status add_clip(sl_mix *m, float *stereo, sl_error **err)
{
    sl_timeline_state_t state;
    sl_timeline_at(m->timeline, m->at * 1000000 / SL_SOUND_RATE, &state);
    bool plays = state.playing && state.rate == SL_RATE_ONE;
    float aim = !plays ? 0.0F : m->voice != NULL ? duck : 1.0F;
    if (aim == 0.0F && m->gain == 0.0F) {
        return SL_OK;
    }
    if (plays) {
        int64_t place = state.position_us * SL_SOUND_RATE / 1000000;
        if (llabs(place - m->cursor) > JUMP_FRAMES) {
            m->cursor = place;
        }
    }
    sl_status status = sl_sound_read(m->clip, m->cursor, m->own, SL_MIX_BLOCK, err);
    m->cursor += SL_MIX_BLOCK;
    float step = (aim - m->gain) / SL_MIX_BLOCK;
    for (int i = 0; i < SL_MIX_BLOCK; i++) {
        m->gain += step;
        stereo[2 * i] += m->own[2 * i] * m->gain;
        stereo[2 * i + 1] += m->own[2 * i + 1] * m->gain;
    }
    m->gain = aim;
    return status;
}

static float limit(float v)
{
    return v > 1.0F ? 1.0F : v < -1.0F ? -1.0F : v;
}

sl_status sl_mix_next(sl_mix *m, float stereo[2 * SL_MIX_BLOCK], sl_error **err)
{
    size_t n = m->voice != NULL ? sl_listen_read(m->voice, m->spoken, SL_MIX_BLOCK) : 0;
    for (size_t i = 0; i < SL_MIX_BLOCK; i++) {
        float v = i < n ? m->spoken[i] : 0.0F;
        stereo[2 * i] = v;
        stereo[2 * i + 1] = v;
    }
    sl_status status = m->clip != NULL ? add_clip(m, stereo, err) : SL_OK;
    for (size_t i = 0; i < 2 * (size_t)SL_MIX_BLOCK; i++) {
        stereo[i] = limit(stereo[i]);
    }
    m->at += SL_MIX_BLOCK;
    return status;
}
