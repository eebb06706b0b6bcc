/* base/prng.h - a seeded generator (xorshift64*, Vigna 2016) for simulation, jitter and tests. */
#ifndef SL_BASE_PRNG_H
#define SL_BASE_PRNG_H

#include <stdint.h>

typedef struct sl_prng {
    uint64_t state;
} sl_prng;

void sl_prng_seed(sl_prng *r, uint64_t seed);
uint64_t sl_prng_next(sl_prng *r);
/* 0..below-1; below > 0. */
uint64_t sl_prng_below(sl_prng *r, uint64_t below);

#endif
