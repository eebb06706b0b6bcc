/*
 * kill_voice [--cycles N] [--seed S] [--dir DIR] - a process records at the speed of a microphone
 * and says through a pipe how much it has pushed; it is killed at a random moment, in the middle of
 * gestures and retakes too. A core that opens the folder must offer a whole voice that lacks at
 * most 250 ms of it and sounds like what was pushed. Several run at once. Ends with 0 when all did.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/prng.h"
#include "sideline/voice.h"
#include "voice/listen.h"

#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CYCLES = 20,
    AT_ONCE = 8,
    RATE = 48000,
    BLOCK = RATE / 100,
    LIFE_MIN_MS = 300,
    LIFE_MAX_MS = 3300,
    LOST_MAX_US = 250000,
    BLOCK_NS = 10000000,
    RETAKE_EVERY = 97, /* blocks */
    SETTLED = RATE     /* frames from which on the sound is compared */
};

typedef struct victim {
    pid_t pid;
    int pipe;
    int64_t kill_at_ms;
    char dir[300];
} victim;

typedef struct tally {
    int32_t cycles;
    int64_t lost_max_us;
    int64_t lost_sum_us;
    int32_t nothing; /* killed before there was any sound to keep */
} tally;

static void fail(const char *what, long long number)
{
    (void)fprintf(stderr, "kill_voice: %s (%lld)\n", what, number);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What is said at each moment of the voice: a tone whose loudness rises and falls. */
static float voice_at(int64_t frame)
{
    double t = (double)frame / RATE;
    return (float)(0.3 * (1.0 + 0.8 * sin(t * 6.28318530717958648)) *
                   sin(t * 300.0 * 6.28318530717958648) / 1.8);
}

/* --- the process that is killed ----------------------------------------------------------- */

static void must(sl_status status, const char *what)
{
    if (status != SL_OK) {
        (void)fprintf(stderr, "kill_voice: %s: %s\n", what, sl_status_name(status));
        _exit(3);
    }
}

/* Goes back a little now and then: what is said after it is what belongs there. */
static int64_t retake(sl_recorder *r, int64_t frame)
{
    int64_t back = frame - RATE / 3;
    must(sl_recorder_command(r, SL_RECORDER_PAUSE, NULL), "pause");
    must(sl_recorder_retake(r, back * 125 / 6, NULL), "retake");
    must(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), "record");
    return back;
}

static void record_for_ever(const char *dir, int out)
{
    static const char json[] = "{\"rate\":48000,\"channels\":1,\"highpass\":false}";
    static float pcm[BLOCK];
    sl_core *core = NULL;
    sl_recorder *r = NULL;
    sl_config config = {.struct_size = sizeof config, .dir = dir};
    must(sl_core_open(&config, &core, NULL), "open");
    must(sl_recorder_new(core, json, sizeof json - 1, &r, NULL), "new");
    must(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), "record");
    int64_t begin = now_ns();
    int64_t frame = 0;
    for (int64_t i = 1;; i++) {
        for (int k = 0; k < BLOCK; k++) {
            pcm[k] = voice_at(frame + k);
        }
        must(sl_recorder_write(r, pcm, BLOCK, NULL), "write");
        frame += BLOCK;
        if (i % RETAKE_EVERY == 0) {
            /* Less of it is owed from before the cut begins. */
            int64_t less = frame - RATE / 3;
            must(write(out, &less, sizeof less) == (ssize_t)sizeof less ? SL_OK : SL_E_IO, "tell");
            frame = retake(r, frame);
        }
        must(write(out, &frame, sizeof frame) == (ssize_t)sizeof frame ? SL_OK : SL_E_IO, "tell");
        int64_t wait = begin + i * BLOCK_NS - now_ns();
        struct timespec t = {.tv_sec = 0, .tv_nsec = wait > 0 ? (long)(wait % 1000000000) : 0};
        (void)nanosleep(&t, NULL);
    }
}

static void start(victim *v, const char *base, int number, sl_prng *prng)
{
    int ends[2];
    (void)snprintf(v->dir, sizeof v->dir, "%s/%d", base, number);
    if (pipe(ends) != 0) {
        fail("there is no pipe", 0);
    }
    v->kill_at_ms =
        now_ns() / 1000000 + LIFE_MIN_MS + (int64_t)sl_prng_below(prng, LIFE_MAX_MS - LIFE_MIN_MS);
    v->pid = fork();
    if (v->pid == 0) {
        (void)close(ends[0]);
        record_for_ever(v->dir, ends[1]);
    }
    (void)close(ends[1]);
    v->pipe = ends[0];
}

/* --- what is left ------------------------------------------------------------------------- */

/* The last thing that was said; -1 for nothing. Not more than a pipe holds is ever unread. */
static int64_t last_said(const victim *v, int64_t *said)
{
    int64_t frame = 0;
    while (read(v->pipe, &frame, sizeof frame) == (ssize_t)sizeof frame) {
        *said = frame;
    }
    return *said;
}

static double likeness(const float *pcm, int64_t from, int64_t n)
{
    double same = 0.0;
    double a = 1e-9;
    double b = 1e-9;
    for (int64_t i = 0; i < n; i++) {
        double x = (double)pcm[i];
        double y = (double)voice_at(from + i);
        same += x * y;
        a += x * x;
        b += y * y;
    }
    return same / sqrt(a * b);
}

/* Frames of the voice that was offered, 0 when none was; its sound is checked. */
static int64_t recovered(const char *dir)
{
    sl_core *core = NULL;
    sl_bytes *info = NULL;
    sl_bytes *ogg = NULL;
    sl_listener *l = NULL;
    sl_config config = {.struct_size = sizeof config, .dir = dir, .flags = SL_CORE_STEPPED};
    int64_t frames = 0;
    if (sl_core_open(&config, &core, NULL) != SL_OK ||
        sl_core_info(core, "recordings", &info, NULL) != SL_OK) {
        fail("the folder does not open", 0);
    }
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(info), sl_bytes_len(info));
    if (sl_json_count(j) > 0) {
        const char *path = sl_json_str(sl_json_at(j, 0), "path");
        if (sl_recording_read(core, path, &ogg, NULL) != SL_OK ||
            sl_listen_open(sl_bytes_data(ogg), sl_bytes_len(ogg), &l, NULL) != SL_OK) {
            fail("the voice cannot be read", 0);
        }
        frames = sl_listen_frames(l);
        float *pcm = sl_mem_array((size_t)frames + 1, sizeof *pcm);
        if (pcm == NULL || (int64_t)sl_listen_read(l, pcm, (size_t)frames) != frames) {
            fail("the voice is not whole", frames);
        }
        if (frames > SETTLED && likeness(pcm, 0, frames) < 0.9) {
            fail("the voice is another one, likeness in percent",
                 (long long)(100.0 * likeness(pcm, 0, frames)));
        }
        sl_mem_free(pcm);
        sl_listen_close(l);
    }
    sl_bytes_release(ogg);
    sl_bytes_release(info);
    sl_json_free(j);
    sl_core_close(core);
    return frames;
}

static void end(victim *v, int64_t said, tally *t)
{
    int status = 0;
    char command[400];
    (void)kill(v->pid, SIGKILL);
    if (waitpid(v->pid, &status, 0) != v->pid || !WIFSIGNALED(status)) {
        fail("a process ended by itself", status);
    }
    said = last_said(v, &said);
    (void)close(v->pipe);
    int64_t have = recovered(v->dir);
    int64_t lost_us = said > have ? (said - have) * 125 / 6 : 0;
    t->cycles++;
    t->nothing += have == 0 ? 1 : 0;
    t->lost_sum_us += lost_us;
    t->lost_max_us = lost_us > t->lost_max_us ? lost_us : t->lost_max_us;
    if (lost_us > LOST_MAX_US) {
        fail("too much is lost, in us", lost_us);
    }
    (void)snprintf(command, sizeof command, "rm -rf '%s'", v->dir);
    if (system(command) != 0) { /* NOLINT: the path is ours */
        fail("the folder stays", 0);
    }
}

/* Reads what all say until the first is to be killed; returns which. */
static int next_to_end(victim *v, int n, int64_t *said)
{
    for (;;) {
        struct pollfd fds[AT_ONCE];
        int first = 0;
        for (int i = 0; i < n; i++) {
            fds[i] = (struct pollfd){.fd = v[i].pipe, .events = POLLIN};
            first = v[i].kill_at_ms < v[first].kill_at_ms ? i : first;
        }
        int64_t wait = v[first].kill_at_ms - now_ns() / 1000000;
        if (wait <= 0) {
            return first;
        }
        (void)poll(fds, (nfds_t)n, (int)wait);
        for (int i = 0; i < n; i++) {
            if ((fds[i].revents & POLLIN) != 0) {
                int64_t frame = 0;
                if (read(v[i].pipe, &frame, sizeof frame) == (ssize_t)sizeof frame) {
                    said[i] = frame;
                }
            }
        }
    }
}

int main(int argc, char **argv)
{
    int cycles = CYCLES;
    uint64_t seed = 1;
    const char *given = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        cycles = strcmp(argv[i], "--cycles") == 0 ? (int)strtol(argv[i + 1], NULL, 10) : cycles;
        seed = strcmp(argv[i], "--seed") == 0 ? strtoull(argv[i + 1], NULL, 10) : seed;
        given = strcmp(argv[i], "--dir") == 0 ? argv[i + 1] : given;
    }
    char base[256];
    (void)snprintf(base, sizeof base, "%s/kill-voice-XXXXXX", given != NULL ? given : "/var/tmp");
    if (mkdtemp(base) == NULL) {
        fail("there is no folder", 0);
    }
    sl_prng prng;
    sl_prng_seed(&prng, seed);
    victim v[AT_ONCE];
    int64_t said[AT_ONCE] = {0};
    tally t = {0};
    int n = cycles < AT_ONCE ? cycles : AT_ONCE;
    int made = 0;
    for (; made < n; made++) {
        start(&v[made], base, made, &prng);
    }
    while (n > 0) {
        int i = next_to_end(v, n, said);
        end(&v[i], said[i], &t);
        if (made < cycles) {
            said[i] = 0;
            start(&v[i], base, made++, &prng);
        } else {
            n--;
            v[i] = v[n];
            said[i] = said[n];
        }
    }
    (void)rmdir(base);
    (void)printf("kill_voice: %d kills, lost at most %" PRId64 " ms, %" PRId64
                 " ms on average; %d before any sound\n",
                 t.cycles, t.lost_max_us / 1000,
                 t.lost_sum_us / 1000 / (t.cycles > 0 ? t.cycles : 1), t.nothing);
    return 0;
}
