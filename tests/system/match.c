/*
 * match A.wav B.wav [SHIFT_MAX_MS LIKE_MIN [FROM_MS TO_MS]] - where in B the sound of A is: both are
 * brought to 8 kHz mono, and the shift at which they correlate best is looked for from FROM_MS (-50)
 * to TO_MS (50). Prints "shift_ms likeness"; ends with 1 beyond the limits.
 */
#include "examples/cli/wav.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RATE = 8000,
    RANGE_MS = 50,
    COARSE = 8
};

typedef struct sound {
    float *pcm;
    long n;
} sound;

/* The mean of each 1/8000 s. */
static sound load(const char *path)
{
    wav w;
    const char *fault = wav_read(path, &w);
    if (fault != NULL) {
        (void)fprintf(stderr, "match: %s %s\n", path, fault);
        exit(2);
    }
    sound s = {NULL, (long)((double)w.frames * RATE / w.rate)};
    s.pcm = calloc((size_t)s.n + 1, sizeof *s.pcm);
    for (long i = 0; s.pcm != NULL && i < s.n; i++) {
        uint32_t from = (uint32_t)((double)i * w.rate / RATE);
        uint32_t to = (uint32_t)((double)(i + 1) * w.rate / RATE);
        double sum = 0.0;
        for (uint32_t k = from; k < to && k < w.frames; k++) {
            sum += w.samples[(size_t)k * w.channels];
        }
        s.pcm[i] = (float)(sum / (to > from ? to - from : 1));
    }
    wav_free(&w);
    return s;
}

/* All of A counts, wherever in B it lies; every step-th sample is looked at. */
static double likeness(const sound *a, const sound *b, long shift, long step)
{
    double same = 0.0;
    double pa = 1e-9;
    double pb = 1e-9;
    for (long i = 0; i < a->n; i += step) {
        double x = (double)a->pcm[i];
        bool inside = i + shift >= 0 && i + shift < b->n;
        double y = inside ? (double)b->pcm[i + shift] : 0.0;
        same += x * y;
        pa += x * x;
        pb += y * y;
    }
    return same / sqrt(pa * pb);
}

static long search(const sound *a, const sound *b, long from, long to, long step)
{
    long best = from;
    double most = -2.0;
    for (long shift = from; shift <= to; shift++) {
        double like = likeness(a, b, shift, step);
        if (like > most) {
            most = like;
            best = shift;
        }
    }
    return best;
}

static long limit(int argc, char **argv, int i, long otherwise)
{
    return (argc > i ? strtol(argv[i], NULL, 10) : otherwise) * RATE / 1000;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: match A.wav B.wav [SHIFT_MAX_MS LIKE_MIN [FROM_MS TO_MS]]\n");
        return 2;
    }
    sound a = load(argv[1]);
    sound b = load(argv[2]);
    long from = limit(argc, argv, 5, -RANGE_MS);
    long to = limit(argc, argv, 6, RANGE_MS);
    long near = search(&a, &b, from, to, COARSE);
    long best = search(&a, &b, near - COARSE, near + COARSE, 1);
    double most = likeness(&a, &b, best, 1);
    double ms = (double)best * 1000.0 / RATE;
    (void)printf("%.2f %.4f\n", ms, most);
    free(a.pcm);
    free(b.pcm);
    bool far = argc > 3 && fabs(ms) > strtod(argv[3], NULL);
    bool unlike = argc > 4 && most < strtod(argv[4], NULL);
    return far || unlike ? 1 : 0;
}
