/*
 * ogg_fuzz - any bytes as a voice: found pages, recovery, counting, decoding, playing at another
 * rate, cutting, other containers. The first byte
 * chooses whether checksums are made right first, so that what lies behind them is reached.
 */
#include "base/mem.h"
#include "voice/listen.h"
#include "voice/ogg.h"
#include "voice/player.h"
#include "voice/repack.h"

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

/* From somewhere in it, at a rate; what the place says must follow. */
static void play(const uint8_t *p, size_t n, uint8_t choice)
{
    float pcm[997];
    sl_player *v = NULL;
    if (sl_player_open(p, n, &v, NULL) != SL_OK) {
        return;
    }
    int64_t total = sl_player_frames(v);
    for (int i = 0; i < 4; i++) {
        int64_t at = total * (choice % 7 + i) / 9;
        sl_player_set_rate(v, SL_PLAYER_RATE_MIN + (choice * 7 + i * 350) % 1750);
        sl_player_seek(v, at);
        SL_ASSERT(sl_player_place(v) == (at < total ? at : total));
        (void)sl_player_read(v, pcm, 997);
        SL_ASSERT(sl_player_place(v) >= at && sl_player_place(v) <= total);
    }
    sl_player_close(v);
}

/* What could be cut is a voice of that length. */
static void repack(const uint8_t *p, size_t n, uint8_t choice)
{
    sl_buf out = {0};
    int64_t from = choice * 131;
    if (sl_repack_cut(p, n, from, from + 5000, &out, NULL) == SL_OK) {
        sl_listener *l = NULL;
        SL_ASSERT(sl_listen_open(out.data, out.len, &l, NULL) == SL_OK);
        SL_ASSERT(sl_listen_frames(l) <= 5000 && sl_listen_frames(l) > 0);
        sl_listen_close(l);
    }
    sl_buf_clear(&out);
    (void)sl_repack_mp4(p, n, &out, NULL);
    sl_buf_clear(&out);
    (void)sl_repack_caf(p, n, &out, NULL);
    sl_buf_free(&out);
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
    play(copy, n, data[0]);
    repack(copy, n, data[0]);
    size_t whole = sl_ogg_recover(copy, n);
    SL_ASSERT(whole <= n);
    listen(copy, whole);
    sl_mem_free(copy);
    return 0;
}
