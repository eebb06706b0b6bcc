/*
 * voice/resample.c - the kernel is tabulated at PHASES places per input frame and interpolated
 * between them; when the rate goes down it is stretched, so that nothing above 24 kHz folds.
 */
#include "voice/resample.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    HALF = 16,      /* zero crossings to each side */
    PHASES = 256,   /* table entries per zero crossing */
    BLOCK = 960,    /* frames given at once */
    STRETCH_MAX = 4 /* 192 kHz to 48 kHz */
};

/* Where the filter lets go, as a part of the lower of the two Nyquist frequencies. */
static const double passband = 0.94;
static const double pi = 3.14159265358979323846;

struct sl_resampler {
    int32_t rate;
    int32_t half;      /* input frames to each side of the kernel */
    double step;       /* table entries per input frame */
    double gain;       /* keeps the level when the kernel is stretched */
    float *table;      /* one wing of the kernel, HALF * PHASES + 2 entries */
    float *in;         /* the last 2 * half input frames and those of this call */
    size_t held;       /* frames in `in` */
    size_t at;         /* the input frame at or before the next output frame */
    int64_t fraction;  /* how far past it, in 1/48000 */
    uint64_t total_in; /* frames pushed */
    uint64_t total_out;
    float out[BLOCK];
    size_t made;
};

static double kernel(double x)
{
    if (x >= HALF) {
        return 0.0;
    }
    double window = 0.42 + 0.5 * cos(pi * x / HALF) + 0.08 * cos(2.0 * pi * x / HALF);
    double y = pi * x * passband;
    return passband * window * (y == 0.0 ? 1.0 : sin(y) / y);
}

sl_resampler *sl_resampler_new(int32_t rate)
{
    sl_resampler *r = sl_mem(sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    double stretch = rate > SL_VOICE_RATE ? (double)rate / SL_VOICE_RATE : 1.0;
    r->rate = rate;
    r->half = (int32_t)ceil(HALF * stretch);
    r->step = PHASES / stretch;
    r->gain = 1.0 / stretch;
    r->table = sl_mem_array(HALF * PHASES + 2, sizeof *r->table);
    r->in = sl_mem_array(2 * (size_t)HALF * STRETCH_MAX + BLOCK, sizeof *r->in);
    if (r->table == NULL || r->in == NULL) {
        sl_resampler_free(r);
        return NULL;
    }
    for (int i = 0; i < HALF * PHASES; i++) {
        r->table[i] = (float)kernel((double)i / PHASES);
    }
    sl_resampler_restart(r);
    return r;
}

void sl_resampler_restart(sl_resampler *r)
{
    /* Silence before the first frame, so that the first output lies on the first input. */
    r->held = (size_t)r->half;
    r->at = (size_t)r->half;
    memset(r->in, 0, r->held * sizeof *r->in);
    r->fraction = 0;
    r->total_in = 0;
    r->total_out = 0;
    r->made = 0;
}

void sl_resampler_free(sl_resampler *r)
{
    if (r != NULL) {
        sl_mem_free(r->table);
        sl_mem_free(r->in);
        sl_mem_free(r);
    }
}

/* The kernel at a distance of `x` input frames. */
static float weight(const sl_resampler *r, double x)
{
    double place = x * r->step;
    if (place >= HALF * PHASES) {
        return 0.0F;
    }
    int i = (int)place;
    float part = (float)(place - i);
    return r->table[i] + part * (r->table[i + 1] - r->table[i]);
}

static float one(const sl_resampler *r)
{
    double part = (double)r->fraction / SL_VOICE_RATE;
    const float *mid = r->in + r->at;
    float sum = 0.0F;
    for (int32_t i = 0; i < r->half; i++) {
        sum += mid[-i] * weight(r, part + i);
        sum += mid[i + 1] * weight(r, 1.0 - part + i);
    }
    return sum * (float)r->gain;
}

static bool give(sl_resampler *r, sl_resampler_out out, void *user)
{
    size_t n = r->made;
    r->made = 0;
    return n == 0 || out(user, r->out, n);
}

/* Makes what the held input allows, at most up to `limit` frames in all. */
static bool make(sl_resampler *r, uint64_t limit, sl_resampler_out out, void *user)
{
    while (r->at + (size_t)r->half < r->held && r->total_out < limit) {
        r->out[r->made] = r->rate == SL_VOICE_RATE ? r->in[r->at] : one(r);
        r->made++;
        r->total_out++;
        r->fraction += r->rate;
        r->at += (size_t)(r->fraction / SL_VOICE_RATE);
        r->fraction %= SL_VOICE_RATE;
        if (r->made == BLOCK && !give(r, out, user)) {
            return false;
        }
    }
    size_t first = r->at - (size_t)r->half;
    size_t drop = first < r->held ? first : r->held;
    memmove(r->in, r->in + drop, (r->held - drop) * sizeof *r->in);
    r->held -= drop;
    r->at -= drop;
    return true;
}

bool sl_resampler_push(sl_resampler *r, const float *pcm, size_t n, sl_resampler_out out,
                       void *user)
{
    while (n > 0) {
        size_t some = n < BLOCK / 2 ? n : BLOCK / 2;
        memcpy(r->in + r->held, pcm, some * sizeof *pcm);
        r->held += some;
        r->total_in += some;
        pcm += some;
        n -= some;
        if (!make(r, UINT64_MAX, out, user)) {
            return false;
        }
    }
    return give(r, out, user);
}

bool sl_resampler_flush(sl_resampler *r, sl_resampler_out out, void *user)
{
    uint64_t rate = (uint64_t)r->rate;
    uint64_t limit = (r->total_in * SL_VOICE_RATE + rate - 1) / rate;
    while (r->total_out < limit) {
        memset(r->in + r->held, 0, (BLOCK / 2) * sizeof *r->in);
        r->held += BLOCK / 2;
        if (!make(r, limit, out, user)) {
            return false;
        }
    }
    return give(r, out, user);
}
