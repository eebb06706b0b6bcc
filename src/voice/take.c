/*
 * voice/take.c - holds the parts together. Sound that is on its way through the resampler and the
 * chain belongs to the length: before a cut or a new rate it is let through to its end.
 */
#include "voice/take.h"

#include "base/mem.h"
#include "voice/loudness.h"

#include <math.h>

static const double loudness_target = -16.0;
static const double peak_most =
    0.0; /* behind the codec, where no room for its own peaks is needed */
static const double gain_most = 24.0;

struct sl_take {
    sl_take_config config;
    sl_machine machine;
    sl_status failure;
    int32_t rate;
    sl_resampler *resampler;
    sl_chain *chain;
    sl_spool *spool;
    sl_peaks peaks;
    sl_loudness loudness;
    sl_take_facts facts;
    int64_t before;  /* frames of 48 kHz before the resampler began */
    uint64_t pushed; /* frames since, at the rate of the source */
    sl_error **err;  /* of the call being served */
};

static sl_status fail(sl_take *t, sl_status code)
{
    if (code != SL_OK) {
        t->failure = code;
    }
    return code;
}

static sl_status check_rate(int32_t rate, sl_error **err)
{
    if (rate >= SL_VOICE_RATE_MIN && rate <= SL_VOICE_RATE_MAX) {
        return SL_OK;
    }
    return sl_fail_field(err, SL_E_INVALID, "rate", "The rate must be %d to %d frames a second",
                         SL_VOICE_RATE_MIN, SL_VOICE_RATE_MAX);
}

static sl_status check(const sl_take_config *config, sl_error **err)
{
    const sl_spool_config *s = &config->spool;
    if (s->bitrate < SL_TAKE_BITRATE_MIN || s->bitrate > SL_TAKE_BITRATE_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "bitrate",
                             "The bit rate must be %d to %d bits a second", SL_TAKE_BITRATE_MIN,
                             SL_TAKE_BITRATE_MAX);
    }
    if (s->complexity < 0 || s->complexity > SL_TAKE_COMPLEXITY_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "complexity", "The complexity must be 0 to %d",
                             SL_TAKE_COMPLEXITY_MAX);
    }
    return check_rate(s->rate, err);
}

sl_status sl_take_new(const sl_take_config *config, sl_take **out, sl_error **err)
{
    *out = NULL;
    sl_status status = check(config, err);
    if (status != SL_OK) {
        return status;
    }
    sl_take *t = sl_mem(sizeof *t);
    if (t == NULL) {
        return sl_fail_nomem(err);
    }
    t->config = *config;
    t->config.chain.crest = t->config.chain.crest || config->loudness;
    t->config.spool.heard = config->loudness;
    t->machine.tap_at = -1;
    t->rate = config->spool.rate;
    t->resampler = sl_resampler_new(t->rate);
    status =
        t->resampler == NULL ? sl_fail_nomem(err) : sl_chain_new(&t->config.chain, &t->chain, err);
    if (status == SL_OK) {
        status = sl_spool_new(&t->config.spool, &t->spool, err);
    }
    if (status != SL_OK) {
        sl_take_free(t);
        return status;
    }
    *out = t;
    return SL_OK;
}

void sl_take_free(sl_take *t)
{
    if (t != NULL) {
        sl_resampler_free(t->resampler);
        sl_chain_free(t->chain);
        sl_spool_free(t->spool);
        sl_loudness_free(&t->loudness);
        sl_mem_free(t);
    }
}

int64_t sl_take_length(const sl_take *t)
{
    uint64_t rate = (uint64_t)t->rate;
    return t->before + (int64_t)((t->pushed * SL_VOICE_RATE + rate - 1) / rate);
}

int64_t sl_take_position_us(const sl_take *t)
{
    return t->before * 125 / 6 + (int64_t)(t->pushed * 1000000U / (uint64_t)t->rate);
}

static bool from_chain(void *user, const float *pcm, size_t n)
{
    sl_take *t = user;
    sl_peaks_add(&t->peaks, pcm, n);
    if (t->config.loudness) {
        sl_loudness_add(&t->loudness, pcm, n);
    }
    return fail(t, sl_spool_put(t->spool, pcm, n, t->err)) == SL_OK;
}

static bool from_resampler(void *user, const float *pcm, size_t n)
{
    sl_take *t = user;
    return sl_chain_push(t->chain, pcm, n, from_chain, t);
}

sl_status sl_take_push(sl_take *t, const float *pcm, size_t n, sl_error **err)
{
    if (t->failure != SL_OK) {
        return sl_fail(err, t->failure, "The recording has failed");
    }
    if (!sl_machine_takes(t->machine.state)) {
        return SL_OK;
    }
    t->err = err;
    t->pushed += n;
    return sl_resampler_push(t->resampler, pcm, n, from_resampler, t) ? SL_OK : t->failure;
}

/* All that was pushed goes as far as the spool; the resampler begins anew. */
static sl_status settle(sl_take *t)
{
    t->before = sl_take_length(t);
    t->pushed = 0;
    bool ok = sl_resampler_flush(t->resampler, from_resampler, t) &&
              sl_chain_flush(t->chain, from_chain, t);
    sl_resampler_restart(t->resampler);
    return ok ? SL_OK : t->failure;
}

static sl_status cut(sl_take *t, int64_t frames)
{
    sl_status status = settle(t);
    if (status == SL_OK) {
        status = fail(t, sl_spool_cut(t->spool, frames, t->err));
    }
    t->before = frames;
    sl_peaks_cut(&t->peaks, frames);
    sl_loudness_cut(&t->loudness, frames);
    sl_buf *speech = sl_chain_speech(t->chain);
    size_t blocks = (size_t)(frames / SL_CHAIN_BLOCK);
    speech->len = blocks < speech->len ? blocks : speech->len;
    return status;
}

static double within(double v, double least, double most)
{
    return v < least ? least : v > most ? most : v;
}

static double peak_db(float peak)
{
    return peak > 0.0F ? 20.0 * log10((double)peak) : SL_LOUDNESS_SILENT;
}

static sl_status finish(sl_take *t)
{
    sl_status status = settle(t);
    sl_take_facts *f = &t->facts;
    sl_peaks_end(&t->peaks);
    f->frames = t->before;
    f->loudness = SL_LOUDNESS_SILENT;
    f->peak = SL_LOUDNESS_SILENT;
    if (t->config.loudness && status == SL_OK) {
        status = fail(t, sl_spool_end(t->spool, t->err));
        if (t->loudness.blocks.failed) {
            return fail(t, sl_fail_nomem(t->err));
        }
        f->loudness = sl_loudness_lufs(&t->loudness);
        f->peak = peak_db(sl_spool_peak(t->spool));
        if (f->loudness > SL_LOUDNESS_SILENT) {
            f->gain = within(loudness_target - f->loudness, -gain_most, gain_most);
            f->gain = f->gain > peak_most - f->peak ? peak_most - f->peak : f->gain;
        }
    }
    return status == SL_OK ? fail(t, sl_spool_finish(t->spool, f->gain, t->err)) : status;
}

sl_status sl_take_command_run(sl_take *t, sl_take_command command, int64_t at, sl_error **err)
{
    if (t->failure != SL_OK && command != SL_TAKE_SWIPE) {
        return sl_fail(err, t->failure, "The recording has failed");
    }
    sl_machine_step step;
    sl_status status = sl_machine_run(&t->machine, command, at, sl_take_length(t), &step, err);
    if (status != SL_OK) {
        return status;
    }
    t->err = err;
    if (step.cut >= 0) {
        status = cut(t, step.cut);
    }
    if (status == SL_OK && step.next.state == SL_TAKE_FINISHED) {
        status = finish(t);
    }
    if (status == SL_OK) {
        t->machine = step.next;
    }
    return status;
}

sl_status sl_take_set_rate(sl_take *t, int32_t rate, sl_error **err)
{
    sl_status status = check_rate(rate, err);
    if (status != SL_OK || rate == t->rate) {
        return status;
    }
    sl_resampler *fresh = sl_resampler_new(rate);
    if (fresh == NULL) {
        return sl_fail_nomem(err);
    }
    t->err = err;
    int64_t length = sl_take_length(t);
    status = sl_resampler_flush(t->resampler, from_resampler, t) ? SL_OK : t->failure;
    sl_resampler_free(t->resampler);
    t->resampler = fresh;
    t->before = length;
    t->pushed = 0;
    t->rate = rate;
    return status;
}

sl_take_state sl_take_state_of(const sl_take *t)
{
    return t->machine.state;
}

sl_status sl_take_failure(const sl_take *t)
{
    return t->failure;
}

void sl_take_tell(const sl_take *t, sl_take_facts *facts)
{
    *facts = t->facts;
}

const sl_peaks *sl_take_peaks(const sl_take *t)
{
    return &t->peaks;
}

const sl_buf *sl_take_speech(const sl_take *t)
{
    return sl_chain_speech(t->chain);
}
