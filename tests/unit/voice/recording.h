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

static inline sl_status recording_write(void *user, const uint8_t *p, size_t n, sl_error **err)
{
    recording *r = user;
    r->writes++;
    if (r->writes == r->fail_at) {
        return sl_fail(err, SL_E_FULL, "The disk is full");
    }
    sl_buf_put(&r->file, p, n);
    return r->file.failed ? sl_fail_nomem(err) : SL_OK;
}

static inline sl_take *recording_start(recording *r, int32_t rate)
{
    sl_take_config config = {
        .rate = rate, .bitrate = SL_TAKE_BITRATE, .serial = 7, .write = recording_write, .user = r};
    sl_take *t = NULL;
    ck_assert_int_eq(sl_take_new(&config, &t, NULL), SL_OK);
    return t;
}

/* Records all of pcm and finishes: a whole file. */
static inline void recording_of(recording *r, const float *pcm, size_t n, int32_t rate)
{
    sl_take *t = recording_start(r, rate);
    ck_assert_int_eq(sl_take_command_run(t, SL_TAKE_RECORD, NULL), SL_OK);
    ck_assert_int_eq(sl_take_push(t, pcm, n, NULL), SL_OK);
    ck_assert_int_eq(sl_take_command_run(t, SL_TAKE_FINISH, NULL), SL_OK);
    sl_take_free(t);
}

#endif
