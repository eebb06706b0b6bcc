#include "sync/sum.h"

#include "base/uuid.h"

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t number(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

uint64_t sl_sum_of_bytes(const uint8_t *id, int64_t seq)
{
    return mix(mix(mix(number(id)) ^ number(id + 8)) ^ (uint64_t)seq);
}

uint64_t sl_sum_of(const char *id, int64_t seq)
{
    uint8_t bytes[SL_UUID_BYTES];
    return sl_uuid_decode(bytes, id) ? sl_sum_of_bytes(bytes, seq) : 0;
}
