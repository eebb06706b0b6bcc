/*
 * voice/chain.c - without a stage that needs blocks, sound passes as it comes; else in blocks of
 * 20 ms. A stage that delays says by how much, and as much is thrown away at the beginning.
 */
#include "voice/chain.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

#ifdef SL_WITH_SPEEXDSP
#include <speex/speex_preprocess.h>
#endif

enum {
    BLOCK = SL_CHAIN_BLOCK,
    LOOK_AHEAD = 96,    /* of the limiter: 2 ms */
    LEVEL_STEP = 480,   /* frames between two looks at the level */
    CREST_STEP = 4800,  /* between two looks at how much speech there is */
    CREST_LOOKS = 20,   /* of which the mean is made */
    SPEECH_BEGINS = 60, /* percent */
    SPEECH_GOES_ON = 35,
    NOISE_DOWN_DB = -15
};

static const double pi = 3.14159265358979323846;
static const float level_target = 0.126F; /* -18 dBFS of RMS */
static const float level_most = 8.0F;     /* +18 dB */
static const float level_least = 0.25F;   /* -12 dB */
static const float level_up = 1.00346F;   /* 3 dB a second, in steps of 10 ms */
static const float level_down = 0.98627F; /* 12 dB a second */
static const float crest_most = 2.9F;     /* 9.2 dB */
static const double crest_silence = 1e-5; /* -50 dBFS: a room */
static const double crest_pause = 0.1;
static const double crest_fade = 0.98; /* in a pause, each 100 ms */
static const double crest_jump = 8.0;
static const float ceiling = 0.841F; /* -1.5 dBFS */

typedef struct biquad {
    double b0, b1, b2, a1, a2;
    double s1, s2;
} biquad;

typedef struct leveller {
    float gain;
    float floor;  /* RMS of the background */
    float energy; /* of this step */
    uint32_t fill;
} leveller;

/* How much speech there is, as power, from which the highest peak follows. */
typedef struct crest {
    double energy; /* of this step */
    uint32_t fill;
    double mean;    /* 0: nothing heard yet */
    uint32_t looks; /* that it is made of */
} crest;

/* Looks ahead: the gain has fallen to where a peak needs it when the peak leaves the line. */
typedef struct limiter {
    float line[LOOK_AHEAD];
    float gains[LOOK_AHEAD];
    uint32_t place;
    double sum; /* of gains */
    float gain;
    uint32_t hold; /* frames until it may rise */
} limiter;

struct sl_chain {
    sl_chain_config config;
    biquad high;
    leveller level;
    crest crest;
    limiter limiter;
    uint32_t delay;
    uint32_t skip; /* of the delay, what is still to be thrown away */
    uint64_t in;   /* frames since the beginning */
    uint64_t out;
    float block[BLOCK];
    uint32_t filled;
    bool speaking;
    sl_buf speech;
    size_t speech_from; /* where in it this beginning lies */
#ifdef SL_WITH_SPEEXDSP
    SpeexPreprocessState *speex;
#endif
};

static void highpass_start(biquad *f)
{
    double w = 2.0 * pi * 80.0 / SL_VOICE_RATE;
    double alpha = sin(w) / (2.0 * 0.70710678118654752);
    double a0 = 1.0 + alpha;
    f->b0 = (1.0 + cos(w)) / 2.0 / a0;
    f->b1 = -(1.0 + cos(w)) / a0;
    f->b2 = f->b0;
    f->a1 = -2.0 * cos(w) / a0;
    f->a2 = (1.0 - alpha) / a0;
}

static void highpass(biquad *f, float *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double x = (double)pcm[i];
        double y = f->b0 * x + f->s1;
        f->s1 = f->b1 * x - f->a1 * y + f->s2;
        f->s2 = f->b2 * x - f->a2 * y;
        pcm[i] = (float)y;
    }
    /* Silence lets the state become denormal, which is slow. */
    if (fabs(f->s1) < 1e-20) {
        f->s1 = 0.0;
        f->s2 = 0.0;
    }
}

/* --- level -------------------------------------------------------------------------------- */

/* Every 10 ms: the gain moves only while there is speech, 10 dB above the background. */
static void level_look(leveller *l)
{
    float rms = sqrtf(l->energy / LEVEL_STEP);
    l->energy = 0.0F;
    l->fill = 0;
    l->floor = rms < l->floor ? rms : l->floor * 1.002F + 1e-7F;
    if (rms < 3.16F * l->floor || rms < 0.003F) {
        return;
    }
    bool loud = rms * l->gain > level_target;
    float gain = l->gain * (loud ? level_down : level_up);
    l->gain = gain > level_most ? level_most : gain < level_least ? level_least : gain;
}

static void level(leveller *l, float *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        l->energy += pcm[i] * pcm[i];
        l->fill++;
        if (l->fill == LEVEL_STEP) {
            level_look(l);
        }
        pcm[i] *= l->gain;
    }
}

/* --- crest and limiter -------------------------------------------------------------------- */

/* Every 100 ms: of the speech of the last two seconds or so, pauses left out. What is so much louder
 * shows that it was none until now: the first word must not be held down to the room before it. */
static void crest_look(crest *c)
{
    double power = c->energy / CREST_STEP;
    c->energy = 0.0;
    c->fill = 0;
    if (power < crest_silence || power < c->mean * crest_pause) {
        c->mean *= crest_fade;
        return;
    }
    c->looks = power > c->mean * crest_jump ? 1 : c->looks + 1;
    c->looks = c->looks > CREST_LOOKS ? CREST_LOOKS : c->looks;
    c->mean += (power - c->mean) / c->looks;
}

static float ceiling_now(const sl_chain *c)
{
    float most = c->config.level ? ceiling : 1e9F;
    if (!c->config.crest || c->crest.mean <= 0.0) {
        return most;
    }
    float peak = crest_most * sqrtf((float)c->crest.mean);
    return peak < most ? peak : most;
}

static float limit_one(limiter *l, float x, float most)
{
    float size = fabsf(x);
    float want = size > most ? most / size : 1.0F;
    if (want <= l->gain) {
        l->gain = want;
        l->hold = LOOK_AHEAD;
    } else if (l->hold > 0) {
        l->hold--;
    } else {
        l->gain += (1.0F - l->gain) * 0.0005F;
        l->gain = l->gain > want ? want : l->gain;
    }
    float out = l->line[l->place];
    l->sum += (double)l->gain - (double)l->gains[l->place];
    l->line[l->place] = x;
    l->gains[l->place] = l->gain;
    l->place = (l->place + 1) % LOOK_AHEAD;
    return out * (float)(l->sum / LOOK_AHEAD);
}

static void limit(sl_chain *c, float *pcm, size_t n)
{
    float most = ceiling_now(c);
    for (size_t i = 0; i < n; i++) {
        c->crest.energy += (double)pcm[i] * (double)pcm[i];
        c->crest.fill++;
        if (c->crest.fill == CREST_STEP) {
            crest_look(&c->crest);
            most = ceiling_now(c);
        }
        pcm[i] = limit_one(&c->limiter, pcm[i], most);
    }
}

static void limiter_start(limiter *l)
{
    l->gain = 1.0F;
    l->sum = LOOK_AHEAD;
    for (int i = 0; i < LOOK_AHEAD; i++) {
        l->gains[i] = 1.0F;
    }
}

/* --- denoise and speech ------------------------------------------------------------------- */

#ifdef SL_WITH_SPEEXDSP
bool sl_chain_has_dsp(void)
{
    return true;
}

static bool dsp_start(sl_chain *c)
{
    c->speex = speex_preprocess_state_init(BLOCK, SL_VOICE_RATE);
    if (c->speex == NULL) {
        return false;
    }
    int on = c->config.denoise ? 1 : 0;
    int off = 0;
    int down = NOISE_DOWN_DB;
    (void)speex_preprocess_ctl(c->speex, SPEEX_PREPROCESS_SET_DENOISE, &on);
    (void)speex_preprocess_ctl(c->speex, SPEEX_PREPROCESS_SET_AGC, &off);
    (void)speex_preprocess_ctl(c->speex, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, &down);
    c->delay += BLOCK;
    return true;
}

static void dsp_free(sl_chain *c)
{
    if (c->speex != NULL) {
        speex_preprocess_state_destroy(c->speex);
    }
}

/* Its own switch for speech prints a warning; the probability is there without it. */
static void note_speech(sl_chain *c)
{
    int32_t percent = 0;
    (void)speex_preprocess_ctl(c->speex, SPEEX_PREPROCESS_GET_PROB, &percent);
    c->speaking = percent >= (c->speaking ? SPEECH_GOES_ON : SPEECH_BEGINS);
    sl_buf_u8(&c->speech, c->speaking ? 1 : 0);
}

static void dsp(sl_chain *c)
{
    int16_t words[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        float v = c->block[i] * 32768.0F;
        words[i] = (int16_t)lrintf(v > 32767.0F ? 32767.0F : v < -32768.0F ? -32768.0F : v);
    }
    (void)speex_preprocess_run(c->speex, words);
    for (int i = 0; i < BLOCK; i++) {
        c->block[i] = (float)words[i] / 32768.0F;
    }
    if (c->config.speech) {
        note_speech(c);
    }
}
#else
bool sl_chain_has_dsp(void)
{
    return false;
}

static bool dsp_start(sl_chain *c)
{
    (void)c;
    return false;
}

static void dsp_free(sl_chain *c)
{
    (void)c;
}

static void dsp(sl_chain *c)
{
    (void)c;
}
#endif

/* --- the chain ---------------------------------------------------------------------------- */

static bool in_blocks(const sl_chain *c)
{
    return c->config.denoise || c->config.speech;
}

sl_status sl_chain_new(const sl_chain_config *config, sl_chain **out, sl_error **err)
{
    *out = NULL;
    if ((config->denoise || config->speech) && !sl_chain_has_dsp()) {
        return sl_fail_field(err, SL_E_UNSUPPORTED, config->denoise ? "denoise" : "speech",
                             "This build is without libspeexdsp");
    }
    sl_chain *c = sl_mem(sizeof *c);
    if (c == NULL) {
        return sl_fail_nomem(err);
    }
    c->config = *config;
    c->level.gain = 1.0F;
    c->level.floor = 1.0F;
    limiter_start(&c->limiter);
    highpass_start(&c->high);
    if (in_blocks(c) && !dsp_start(c)) {
        sl_chain_free(c);
        return sl_fail_nomem(err);
    }
    c->delay += config->level || config->crest ? LOOK_AHEAD : 0;
    c->skip = c->delay;
    *out = c;
    return SL_OK;
}

void sl_chain_free(sl_chain *c)
{
    if (c != NULL) {
        dsp_free(c);
        sl_buf_free(&c->speech);
        sl_mem_free(c);
    }
}

/* What is in the block through all stages and out, without the delay and no more than went in. */
static bool run(sl_chain *c, sl_resampler_out out, void *user)
{
    uint32_t n = c->filled;
    c->filled = 0;
    if (c->config.highpass) {
        highpass(&c->high, c->block, n);
    }
    if (in_blocks(c)) {
        dsp(c);
    }
    if (c->config.level) {
        level(&c->level, c->block, n);
    }
    if (c->config.level || c->config.crest) {
        limit(c, c->block, n);
    }
    uint32_t from = c->skip < n ? c->skip : n;
    c->skip -= from;
    uint64_t most = c->in - c->out;
    n = n - from < most ? n - from : (uint32_t)most;
    c->out += n;
    return n == 0 || out(user, c->block + from, n);
}

static bool feed(sl_chain *c, const float *pcm, size_t n, sl_resampler_out out, void *user)
{
    if (c->in == 0) {
        c->speech_from = c->speech.len;
    }
    while (n > 0) {
        size_t room = BLOCK - c->filled;
        size_t some = n < room ? n : room;
        if (pcm != NULL) {
            memcpy(c->block + c->filled, pcm, some * sizeof *pcm);
            pcm += some;
            c->in += some;
        } else {
            memset(c->block + c->filled, 0, some * sizeof *c->block);
        }
        c->filled += (uint32_t)some;
        n -= some;
        if ((c->filled == BLOCK || !in_blocks(c)) && !run(c, out, user)) {
            return false;
        }
    }
    return true;
}

bool sl_chain_push(sl_chain *c, const float *pcm, size_t n, sl_resampler_out out, void *user)
{
    return feed(c, pcm, n, out, user);
}

bool sl_chain_flush(sl_chain *c, sl_resampler_out out, void *user)
{
    size_t blocks = c->speech_from + (size_t)((c->in + BLOCK - 1) / BLOCK);
    while (c->out < c->in) {
        if (!feed(c, NULL, BLOCK - c->filled, out, user)) {
            return false;
        }
    }
    c->in = 0;
    c->out = 0;
    c->skip = c->delay;
    if (c->speech.len > blocks) {
        c->speech.len = blocks;
    }
    return true;
}

sl_buf *sl_chain_speech(sl_chain *c)
{
    return &c->speech;
}
