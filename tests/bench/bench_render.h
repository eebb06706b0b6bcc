/* bench_render.h - what the files of bench_render share. */
#ifndef SL_TESTS_BENCH_RENDER_H
#define SL_TESTS_BENCH_RENDER_H

#include "annotation/drawing.h"
#include "render/outline.h"

#include <stdbool.h>

enum {
    W = 1920,
    H = 1080,
    STROKES = 200,
    POINTS = 120,
    ROUNDS = 25
};

double now_us(void);
double best_of(const double *v, int n);
double part_of(double *v, int n, double part); /* 0.5: the median */
void must(bool ok, const char *what);

/* Where the peers and their scripts are; NULL: not measured. */
typedef struct peers {
    const char *dir;
    const char *scripts;
} peers;

/* What ours took, in microseconds. */
typedef struct ours {
    double fills;
    double outlines;
} ours;

/* Skia filling the same outlines, perfect-freehand making outlines of the same strokes. */
void bench_peers(const peers *p, const sl_outline *outlines, const sl_drawing *d, ours took);
/* What a stroke's points take as they are stored: of a drawing's first STROKES items; of a recording,
 * lines of "x y t_us pressure" in units, microseconds and 0..1, an empty line between two strokes. */
void bench_bytes(const sl_drawing *d);
void bench_recording(const char *path);
/* The overlay of a drawing onto pictures of 4:2:0. */
void bench_film(const char *name, const sl_drawing *d);

#endif
