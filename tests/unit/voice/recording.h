/* recording.h - a take whose file is memory. */
#ifndef SL_TESTS_VOICE_RECORDING_H
#define SL_TESTS_VOICE_RECORDING_H

#include "base/buf.h"
#include "voice/take.h"

#include <check.h>

typedef struct recording {
    sl_buf file;
    uint32_t writes;
    uint32_t fail_at; /* this write fails; 0: none */
} recording;

static inline sl_status recording_write(void *user, const uint8_t *p, size_t n, int64_t at,
                                        sl_error **err)
{
    recording *r = user;
    r->writes++;
    if (r->writes == r->fail_at) {
        return sl_fail(err, SL_E_FULL, "The disk is full");
    }
    ck_assert_int_le(at, (int64_t)r->file.len); /* no holes */
    size_t over = r->file.len - (size_t)at;
    over = over < n ? over : n;
    if (over > 0) {
        memcpy(r->file.data + at, p, over);
    }
    sl_buf_put(&r->file, p + over, n - over);
    return r->file.failed ? sl_fail_nomem(err) : SL_OK;
}

static inline sl_status recording_read(void *user, uint8_t *p, size_t n, int64_t at, sl_error **err)
{
    const recording *r = user;
    if ((uint64_t)at + n > r->file.len) {
        return sl_fail(err, SL_E_IO, "Beyond the end");
    }
    memcpy(p, r->file.data + at, n);
    return SL_OK;
}

static inline sl_status recording_truncate(void *user, int64_t size, sl_error **err)
{
    recording *r = user;
    if ((uint64_t)size > r->file.len) {
        return sl_fail(err, SL_E_IO, "Beyond the end");
    }
    r->file.len = (size_t)size;
    return SL_OK;
}

/* Plain: no stage of the chain, no gain. */
static inline sl_take_config recording_config(recording *r, int32_t rate)
{
    sl_take_config config = {
        .spool = {.file = {recording_write, recording_read, recording_truncate, r},
                  .serial = 7,
                  .rate = rate,
                  .bitrate = SL_TAKE_BITRATE,
                  .complexity = SL_TAKE_COMPLEXITY}};
    return config;
}

static inline sl_take *recording_start(recording *r, int32_t rate)
{
    sl_take_config config = recording_config(r, rate);
    sl_take *t = NULL;
    ck_assert_int_eq(sl_take_new(&config, &t, NULL), SL_OK);
    return t;
}

static inline sl_status recording_run(sl_take *t, sl_take_command command)
{
    return sl_take_command_run(t, command, 0, NULL);
}

/* Records all of pcm and finishes: a whole file. */
static inline void recording_of(recording *r, const float *pcm, size_t n, int32_t rate)
{
    sl_take *t = recording_start(r, rate);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    ck_assert_int_eq(sl_take_push(t, pcm, n, NULL), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
    sl_take_free(t);
}

#endif
