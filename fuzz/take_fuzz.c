/*
 * take_fuzz - any bytes as what a coach does to a recorder: gestures, retakes, sound, other rates,
 * a disk that fails. Whatever comes, the length is the sum of what was taken, a refusal changes
 * nothing, and a finished file is a voice of exactly that length.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "voice/listen.h"
#include "voice/take.h"

#include <string.h>

enum {
    STEPS_MAX = 400,
    PUSH_MAX = 255 * 64
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct disk {
    sl_buf file;
    bool full;
} disk;

static sl_status disk_write(void *user, const uint8_t *p, size_t n, int64_t at, sl_error **err)
{
    disk *d = user;
    SL_ASSERT(at >= 0 && (uint64_t)at <= d->file.len);
    if (d->full) {
        return sl_fail(err, SL_E_FULL, "full");
    }
    size_t over = d->file.len - (size_t)at;
    over = over < n ? over : n;
    if (over > 0) {
        memcpy(d->file.data + at, p, over);
    }
    sl_buf_put(&d->file, p + over, n - over);
    return d->file.failed ? sl_fail_nomem(err) : SL_OK;
}

static sl_status disk_read(void *user, uint8_t *p, size_t n, int64_t at, sl_error **err)
{
    const disk *d = user;
    (void)err;
    SL_ASSERT(at >= 0 && (uint64_t)at + n <= d->file.len);
    memcpy(p, d->file.data + at, n);
    return SL_OK;
}

static sl_status disk_truncate(void *user, int64_t size, sl_error **err)
{
    disk *d = user;
    (void)err;
    SL_ASSERT(size >= 0 && (uint64_t)size <= d->file.len);
    d->file.len = (size_t)size;
    return SL_OK;
}

static void check_file(const disk *d, int64_t length)
{
    sl_listener *l = NULL;
    static float pcm[960];
    SL_ASSERT(sl_listen_open(d->file.data, d->file.len, &l, NULL) == SL_OK);
    SL_ASSERT(sl_listen_frames(l) == length);
    int64_t heard = 0;
    size_t n = 0;
    while ((n = sl_listen_read(l, pcm, 960)) > 0) {
        heard += (int64_t)n;
    }
    SL_ASSERT(heard == length);
    sl_listen_close(l);
}

/* Sound of some kind: loud, silent, or not finite. */
static void push(sl_take *t, uint8_t kind, size_t n)
{
    static float pcm[PUSH_MAX];
    for (size_t i = 0; i < n; i++) {
        pcm[i] = kind % 3 == 0 ? 0.0F : (float)((i * (kind + 1U)) % 200) / 100.0F - 1.0F;
    }
    (void)sl_take_push(t, pcm, n, NULL);
}

static void step(sl_take *t, disk *d, uint8_t what, uint8_t how)
{
    int64_t before = sl_take_length(t);
    sl_take_state state = sl_take_state_of(t);
    if (what % 16 < 10) {
        int64_t at = before * how / 250; /* sometimes beyond the end */
        sl_status got = sl_take_command_run(t, (sl_take_command)(what % 16), at, NULL);
        if (got != SL_OK && sl_take_failure(t) == SL_OK) {
            SL_ASSERT(sl_take_state_of(t) == state && sl_take_length(t) == before);
        }
    } else if (what % 16 < 14) {
        push(t, what, (size_t)how * 64);
        bool takes = sl_machine_takes(state) && sl_take_failure(t) == SL_OK;
        SL_ASSERT(takes || sl_take_length(t) - before <= (int64_t)how * 64 * 6 + 1);
        SL_ASSERT(sl_machine_takes(state) || sl_take_length(t) == before);
    } else if (what % 16 == 14) {
        (void)sl_take_set_rate(t, 7000 + how * 800, NULL);
    } else {
        d->full = how % 16 == 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    disk d = {{0}, false};
    sl_take *t = NULL;
    sl_take_config config = {.spool = {.file = {disk_write, disk_read, disk_truncate, &d},
                                       .serial = 1,
                                       .rate = 8000 + data[0] * 700,
                                       .bitrate = 6000 + data[1] * 400,
                                       .complexity = data[1] % 3,
                                       .dtx = (data[0] & 1) != 0,
                                       .fec = (data[0] & 2) != 0},
                             .chain = {(data[1] & 1) != 0, sl_chain_has_dsp() && (data[1] & 2) != 0,
                                       (data[1] & 4) != 0, sl_chain_has_dsp() && (data[1] & 8) != 0,
                                       false},
                             .loudness = (data[1] & 16) != 0};
    if (sl_take_new(&config, &t, NULL) != SL_OK) {
        return 0;
    }
    for (size_t i = 2; i + 1 < size && i < 2 * STEPS_MAX; i += 2) {
        step(t, &d, data[i], data[i + 1]);
        if (sl_take_state_of(t) == SL_TAKE_FINISHED) {
            check_file(&d, sl_take_length(t));
            break;
        }
    }
    sl_take_free(t);
    sl_buf_free(&d.file);
    return 0;
}
