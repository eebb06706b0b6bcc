/*
 * golden.h - pictures against those in tests/golden, and a page that shows what differs.
 *
 * The mean difference of all colour values stays under GOLDEN_MEAN_MAX and at most GOLDEN_FAR_MAX per
 * mille of them differ by more than GOLDEN_FAR, which other versions of Cairo and FreeType keep to.
 * SL_GOLDEN=write in the environment: they are written instead; SL_GOLDEN=report: the page is written
 * also when all are as they should be.
 */
#ifndef SL_TESTS_RENDER_GOLDEN_H
#define SL_TESTS_RENDER_GOLDEN_H

#include "base/buf.h"
#include "sideline/render.h"

enum {
    GOLDEN_FAR = 48,
    GOLDEN_FAR_MAX = 10
};

#define GOLDEN_MEAN_MAX 1.5
#define GOLDEN_PAGE     "build/golden.html"

typedef struct golden_run {
    const char *path; /* of the page; NULL: GOLDEN_PAGE */
    sl_buf page;
    int failed;
} golden_run;

/* Compares with tests/golden/NAME.png, or writes it. */
void golden_check(golden_run *g, const char *name, const sl_pixels *p);
/* Writes the page when it is wanted; the test fails when a picture did. */
void golden_end(golden_run *g);

#endif
