/*
 * ogg_fuzz - any bytes as a voice: found pages, recovery, counting, decoding. The first byte
 * chooses whether checksums are made right first, so that what lies behind them is reached.
 */
#include "base/mem.h"
#include "voice/listen.h"
#include "voice/ogg.h"

#include <string.h>

enum {
    AT_CRC = 22,
    READS_MAX = 2000 /* keeps one input within a second */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend_checksums(uint8_t *p, size_t n)
{
    for (size_t at = 0; at + SL_OGG_HEAD <= n; at++) {
        if (memcmp(p + at, "OggS", 4) != 0) {
            continue;
        }
        size_t segments = p[at + SL_OGG_HEAD - 1];
        size_t len = SL_OGG_HEAD + segments;
        for (size_t i = 0; i < segments && at + SL_OGG_HEAD + i < n; i++) {
            len += p[at + SL_OGG_HEAD + i];
        }
        if (len > n - at) {
            continue;
        }
        memset(p + at + AT_CRC, 0, 4);
        uint32_t crc = sl_ogg_crc(p + at, len);
        for (int i = 0; i < 4; i++) {
            p[at + AT_CRC + (size_t)i] = (uint8_t)(crc >> (8 * i));
        }
        at += len - 1;
    }
}

static void listen(const uint8_t *p, size_t n)
{
    float pcm[997];
    sl_listener *l = NULL;
    if (sl_listen_open(p, n, &l, NULL) != SL_OK) {
        return;
    }
    int64_t left = sl_listen_frames(l);
    for (int i = 0; i < READS_MAX; i++) {
        size_t got = sl_listen_read(l, pcm, 997);
        SL_ASSERT(got <= 997 && (int64_t)got <= left);
        left -= (int64_t)got;
        if (got == 0) {
            break;
        }
    }
    sl_listen_close(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t n = size - 1;
    uint8_t *copy = sl_mem(n);
    if (copy == NULL) {
        return 0;
    }
    if (n > 0) {
        memcpy(copy, data + 1, n);
    }
    if ((data[0] & 1) != 0) {
        mend_checksums(copy, n);
    }
    listen(copy, n);
    size_t whole = sl_ogg_recover(copy, n);
    SL_ASSERT(whole <= n);
    listen(copy, whole);
    sl_mem_free(copy);
    return 0;
}
