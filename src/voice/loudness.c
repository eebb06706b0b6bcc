/*
 * voice/loudness.c - the weighting is the recommendation's pair of biquads for 48 kHz; the peak
 * between samples comes from its four interpolating filters, each of twelve taps.
 */
#include "voice/loudness.h"

#include <math.h>
#include <string.h>

enum {
    PHASES = 4,
    WINDOW = 4 /* blocks: 400 ms, each 100 ms */
};

static const double gate_absolute = -70.0;
static const double gate_relative = -10.0;
static const double offset = -0.691;

/* BS.1770-4, annex 2. The other two filters are these backwards. */
static const float phase0[SL_LOUDNESS_TAPS] = {
    0.0017089843750F,  0.0109863281250F,  -0.0196533203125F, 0.0332031250000F,
    -0.0594482421875F, 0.1373291015625F,  0.9721679687500F,  -0.1022949218750F,
    0.0476074218750F,  -0.0266113281250F, 0.0148925781250F,  -0.0083007812500F};
static const float phase1[SL_LOUDNESS_TAPS] = {
    -0.0291748046875F, 0.0292968750000F,  -0.0517578125000F, 0.0891113281250F,
    -0.1665039062500F, 0.4650878906250F,  0.7797851562500F,  -0.2003173828125F,
    0.1015625000000F,  -0.0582275390625F, 0.0330810546875F,  -0.0189208984375F};

static double weigh(sl_loudness *l, double x)
{
    double *s = l->state[0];
    double w = x + 1.69065929318241 * s[0] - 0.73248077421585 * s[1];
    double y = 1.53512485958697 * w - 2.69169620938640 * s[0] + 1.19839281085285 * s[1];
    s[1] = s[0];
    s[0] = w;
    s = l->state[1];
    w = y + 1.99004745483398 * s[0] - 0.99007225036621 * s[1];
    double z = w - 2.0 * s[0] + s[1];
    s[1] = s[0];
    s[0] = w;
    return z;
}

/* The largest of the four points between the newest samples. `in`: oldest of TAPS first. */
static float between(const float *in)
{
    float sum[PHASES] = {0.0F};
    for (int i = 0; i < SL_LOUDNESS_TAPS; i++) {
        float newest = in[SL_LOUDNESS_TAPS - 1 - i];
        sum[0] += phase0[i] * newest;
        sum[1] += phase1[i] * newest;
        sum[2] += phase1[SL_LOUDNESS_TAPS - 1 - i] * newest;
        sum[3] += phase0[SL_LOUDNESS_TAPS - 1 - i] * newest;
    }
    float peak = 0.0F;
    for (int i = 0; i < PHASES; i++) {
        float size = fabsf(sum[i]);
        peak = size > peak ? size : peak;
    }
    return peak;
}

float sl_true_peak_of(sl_true_peak *t, const float *pcm, size_t n, float least)
{
    for (size_t i = 0; i < n; i++) {
        /* Twice, so that the last TAPS always lie in a row. */
        t->recent[t->place] = pcm[i];
        t->recent[t->place + SL_LOUDNESS_TAPS] = pcm[i];
        t->place = (t->place + 1) % SL_LOUDNESS_TAPS;
        /* Interpolation adds at most half to a sample: only what could be a new peak is looked at. */
        if (fabsf(pcm[i]) * 2.0F > least) {
            float peak = between(t->recent + t->place);
            least = peak > least ? peak : least;
        }
    }
    return least;
}

static void end_block(sl_loudness *l)
{
    float block = (float)(l->sum / SL_LOUDNESS_BLOCK);
    sl_buf_put(&l->blocks, &block, sizeof block);
    l->sum = 0.0;
    l->fill = 0;
}

void sl_loudness_add(sl_loudness *l, const float *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double w = weigh(l, (double)pcm[i]);
        l->sum += w * w;
        l->fill++;
        if (l->fill == SL_LOUDNESS_BLOCK) {
            end_block(l);
        }
    }
}

void sl_loudness_cut(sl_loudness *l, int64_t frames)
{
    size_t keep = (size_t)(frames / SL_LOUDNESS_BLOCK) * sizeof(float);
    l->blocks.len = keep < l->blocks.len ? keep : l->blocks.len;
    l->fill = 0;
    l->sum = 0.0;
}

void sl_loudness_free(sl_loudness *l)
{
    sl_buf_free(&l->blocks);
}

static size_t block_count(const sl_loudness *l)
{
    return l->blocks.len / sizeof(float);
}

static float block_value(const sl_loudness *l, size_t i)
{
    float v = 0.0F;
    memcpy(&v, l->blocks.data + i * sizeof v, sizeof v);
    return v;
}

static double lufs_of(double power)
{
    return power > 0.0 ? offset + 10.0 * log10(power) : SL_LOUDNESS_SILENT;
}

/* The mean power of all windows louder than the gate; 0 when there is none. */
static double gated(const sl_loudness *l, double gate)
{
    double sum = 0.0;
    size_t used = 0;
    for (size_t i = 0; i + WINDOW <= block_count(l); i++) {
        double power = 0.0;
        for (size_t k = 0; k < WINDOW; k++) {
            power += (double)block_value(l, i + k);
        }
        power /= WINDOW;
        if (lufs_of(power) > gate) {
            sum += power;
            used++;
        }
    }
    return used > 0 ? sum / (double)used : 0.0;
}

double sl_loudness_lufs(const sl_loudness *l)
{
    double all = gated(l, gate_absolute);
    if (all <= 0.0) {
        return SL_LOUDNESS_SILENT;
    }
    double relative = lufs_of(all) + gate_relative;
    return lufs_of(gated(l, relative > gate_absolute ? relative : gate_absolute));
}
