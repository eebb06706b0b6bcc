/*
 * media/mix.c - block by block the timeline says whether and where the clip plays. While it plays
 * on, its sound is read on without a jump; its loudness moves to its aim within a block.
 */
#include "media/mix.h"

#include "base/mem.h"
#include "media/sound.h"
#include "voice/listen.h"

#include <stdlib.h>
#include <string.h>

enum {
    JUMP_FRAMES = 96 /* 2 ms: less than this is rounding, not a seek */
};

static const float duck = 0.3F; /* the clip under a voice */
static const float half = 0.5F; /* each of two clips */

/* A clip's own sound. */
typedef struct heard {
    const char *of; /* the second: its record's id, whether it can be heard or not */
    sl_sound *sound;
    int64_t cursor; /* its next frame */
    float gain;     /* where the last block ended */
} heard;

struct sl_mix {
    const sl_export_job *job;
    sl_listener *voice;
    heard clip;
    heard second;
    int64_t at; /* frames made */
    float own[2 * SL_MIX_BLOCK];
    float spoken[SL_MIX_BLOCK];
};

/* Without sound of its own a clip is silent. */
static sl_status open_sound(heard *h, const sl_source *source, sl_error **err)
{
    return sl_sound_open(source, &h->sound, NULL) == SL_E_NOMEM ? sl_fail_nomem(err) : SL_OK;
}

sl_status sl_mix_open(const sl_export_job *job, sl_mix **out, sl_error **err)
{
    *out = NULL;
    sl_mix *m = sl_mem(sizeof *m);
    if (m == NULL) {
        return sl_fail_nomem(err);
    }
    m->job = job;
    sl_status status = SL_OK;
    if (job->voice != NULL) {
        status = sl_listen_open(job->voice, job->voice_len, &m->voice, err);
    }
    if (status == SL_OK) {
        status = open_sound(&m->clip, &job->source, err);
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
        sl_sound_close(m->clip.sound);
        sl_sound_close(m->second.sound);
        sl_mem_free(m);
    }
}

/* Whether the second video sounds while the first plays; opens it. */
static sl_status look_for_second(sl_mix *m, int64_t t_us, int64_t *position_us, bool *sounds,
                                 sl_error **err)
{
    const sl_pair *pair = NULL;
    const sl_export_second *found = NULL;
    sl_status status = SL_OK;
    *sounds = false;
    if (!sl_timeline_second(m->job->timeline, t_us, &pair, position_us) ||
        pair->rate != SL_RATE_ONE || *position_us <= 0 || *position_us >= pair->media_us) {
        return SL_OK; /* it stands, or is slow */
    }
    for (size_t i = 0; i < m->job->seconds_n; i++) {
        found = strcmp(m->job->seconds[i].video, pair->video) == 0 ? &m->job->seconds[i] : found;
    }
    if (found != NULL && m->second.of != found->video) {
        sl_sound_close(m->second.sound);
        m->second = (heard){.of = found->video};
        status = open_sound(&m->second, &found->source, err);
    }
    *sounds = found != NULL && m->second.sound != NULL;
    return status;
}

static sl_status add(sl_mix *m, heard *h, int64_t position_us, float aim, float *stereo,
                     sl_error **err)
{
    if (h->sound == NULL || (aim == 0.0F && h->gain == 0.0F)) {
        return SL_OK;
    }
    if (aim > 0.0F) {
        int64_t place = position_us * SL_SOUND_RATE / 1000000;
        if (llabs(place - h->cursor) > JUMP_FRAMES) {
            h->cursor = place;
        }
    }
    sl_status status = sl_sound_read(h->sound, h->cursor, m->own, SL_MIX_BLOCK, err);
    h->cursor += SL_MIX_BLOCK;
    float step = (aim - h->gain) / SL_MIX_BLOCK;
    for (int i = 0; i < SL_MIX_BLOCK; i++) {
        h->gain += step;
        stereo[2 * i] += m->own[2 * i] * h->gain;
        stereo[2 * i + 1] += m->own[2 * i + 1] * h->gain;
    }
    h->gain = aim;
    return status;
}

static sl_status add_clips(sl_mix *m, float *stereo, sl_error **err)
{
    sl_timeline_state_t state;
    int64_t t_us = m->at * 1000000 / SL_SOUND_RATE;
    int64_t second_us = 0;
    bool two = false;
    sl_timeline_at(m->job->timeline, t_us, &state);
    bool plays = state.playing && state.rate == SL_RATE_ONE;
    sl_status status = plays ? look_for_second(m, t_us, &second_us, &two, err) : SL_OK;
    float aim = !plays ? 0.0F : m->voice != NULL ? duck : 1.0F;
    aim = two && m->clip.sound != NULL ? aim * half : aim;
    if (status == SL_OK) {
        status = add(m, &m->clip, state.position_us, aim, stereo, err);
    }
    if (status == SL_OK) {
        status = add(m, &m->second, second_us, two ? aim : 0.0F, stereo, err);
    }
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
    sl_status status = add_clips(m, stereo, err);
    for (size_t i = 0; i < 2 * (size_t)SL_MIX_BLOCK; i++) {
        stereo[i] = limit(stereo[i]);
    }
    m->at += SL_MIX_BLOCK;
    return status;
}
