/* studio.h - a core in a folder of its own, recorders in it, what they kept. */
#ifndef SL_TESTS_VOICE_STUDIO_H
#define SL_TESTS_VOICE_STUDIO_H

#include "base/json.h"
#include "sideline/sync.h"
#include "sideline/voice.h"
#include "support.h"
#include "tone.h"
#include "voice/listen.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SPACE "video:01890000-0000-7000-8000-000000000002"

enum {
    RATE = 48000
};

static char dir[256];
static sl_core *core;
static float pcm[RATE];

static inline void open_core(uint32_t flags)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(dir, sizeof dir, "%s/sideline-voice-XXXXXX", base != NULL ? base : "/var/tmp");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    sl_config config = {.struct_size = sizeof config, .flags = flags, .dir = dir};
    ck_assert_int_eq(sl_core_open(&config, &core, NULL), SL_OK);
    tone_make(pcm, RATE, 500.0, RATE, 0.5);
}

static inline void close_core(void)
{
    char command[300];
    sl_core_close(core);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0); /* NOLINT: the path is this test's own */
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

static inline sl_status start(const char *json, sl_recorder **r)
{
    return sl_recorder_new(core, json, strlen(json), r, NULL);
}

static inline sl_recorder *start_mono(void)
{
    sl_recorder *r = NULL;
    ck_assert_int_eq(start("{\"rate\":48000,\"channels\":1}", &r), SL_OK);
    return r;
}

/* Files left in the making. */
static inline int leftovers(void)
{
    char command[300];
    (void)snprintf(command, sizeof command, "find '%s' -name '*.ogg' | grep -c .", dir);
    FILE *p = popen(command, "r"); /* NOLINT: the path is this test's own */
    int n = -1;
    char line[32] = "";
    ck_assert_ptr_nonnull(fgets(line, sizeof line, p));
    n = (int)strtol(line, NULL, 10);
    pclose(p);
    return n;
}

/* The kept voice: its length in frames, checked against what finish said. */
static inline int64_t kept(sl_recorder *r, int64_t *dropped)
{
    sl_bytes *out = NULL;
    sl_bytes *bytes = NULL;
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_recorder_finish(r, SPACE, 1, &out, NULL), SL_OK);
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    ck_assert_int_eq(sl_blob_get(core, sl_json_str(j, "blob"), &bytes, NULL), SL_OK);
    ck_assert_int_eq(sl_listen_open(sl_bytes_data(bytes), sl_bytes_len(bytes), &l, NULL), SL_OK);
    int64_t frames = sl_listen_frames(l);
    ck_assert_int_eq(sl_json_int_or(j, "duration_us", -1), (frames * 1000000 + RATE / 2) / RATE);
    ck_assert_uint_le(strlen(sl_json_str(j, "peaks")), 4000);
    *dropped = sl_json_int_or(j, "dropped", -1);
    sl_listen_close(l);
    sl_bytes_release(bytes);
    sl_bytes_release(out);
    sl_json_free(j);
    sl_recorder_free(r);
    return frames;
}

#endif
