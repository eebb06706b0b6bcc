/* tone.h - sines, and how strong a frequency is in a stretch of sound. */
#ifndef SL_TESTS_VOICE_TONE_H
#define SL_TESTS_VOICE_TONE_H

#include <math.h>
#include <stddef.h>

static inline void tone_make(float *pcm, size_t n, double hz, double rate, double level)
{
    for (size_t i = 0; i < n; i++) {
        pcm[i] = (float)(level * sin(2.0 * 3.14159265358979323846 * hz * (double)i / rate));
    }
}

/* The amplitude of one frequency (a single bin of a Fourier transform). */
static inline double tone_level(const float *pcm, size_t n, double hz, double rate)
{
    double re = 0.0;
    double im = 0.0;
    for (size_t i = 0; i < n; i++) {
        double a = 2.0 * 3.14159265358979323846 * hz * (double)i / rate;
        re += (double)pcm[i] * cos(a);
        im += (double)pcm[i] * sin(a);
    }
    return 2.0 * sqrt(re * re + im * im) / (double)n;
}

static inline double tone_rms(const float *pcm, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)pcm[i] * (double)pcm[i];
    }
    return n == 0 ? 0.0 : sqrt(sum / (double)n);
}

/* How far b is from a, as the power of the difference over that of a, in decibels. */
static inline double tone_error_db(const float *a, const float *b, size_t n)
{
    double wrong = 0.0;
    double all = 1e-12;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - (double)b[i];
        wrong += d * d;
        all += (double)a[i] * (double)a[i];
    }
    return 10.0 * log10(wrong / all + 1e-15);
}

#endif
