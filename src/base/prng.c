#include "base/prng.h"

void sl_prng_seed(sl_prng *r, uint64_t seed)
{
    /* One round of splitmix64, so that neighbouring seeds have nothing in common. */
    uint64_t z = seed + 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    r->state = z != 0 ? z : 1;
}

uint64_t sl_prng_next(sl_prng *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545F4914F6CDD1Du;
}

uint64_t sl_prng_below(sl_prng *r, uint64_t below)
{
    return sl_prng_next(r) % below;
}
