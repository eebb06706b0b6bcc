/*
 * bench_voice SPEECH.wav [ROUNDS] - what recording and playing a voice cost, as CPU time against the
 * length of the voice, and against opusenc on the same file in the same run, taking turns; the best of
 * the rounds. The speech is repeated to two minutes at 48 kHz.
 */
#include "base/mem.h"
#include "examples/cli/wav.h"
#include "sideline/voice.h"
#include "voice/player.h"
#include "voice/repack.h"
#include "voice/take.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
    RATE = 48000,
    SECONDS = 120,
    BLOCK = 480,
    ROUNDS = 3,
    PUSHES = 20000,
    SEEKS = 2000
};

static float *pcm; /* SECONDS of speech */
static size_t frames;
static char wav_path[] = "/tmp/bench-voice-XXXXXX";

static void must(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "bench_voice: %s failed\n", what);
        exit(1);
    }
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

static double children(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_CHILDREN, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* --- the speech --------------------------------------------------------------------------- */

static bool collect(void *user, const float *p, size_t n)
{
    (void)user;
    size_t room = (size_t)RATE * SECONDS - frames;
    n = n < room ? n : room;
    memcpy(pcm + frames, p, n * sizeof *p);
    frames += n;
    return true;
}

static void load(const char *path)
{
    wav w;
    const char *fault = wav_read(path, &w);
    must(fault == NULL && w.channels == 1, "reading the speech (one channel)");
    float *in = sl_mem_array(w.frames, sizeof *in);
    pcm = sl_mem_array((size_t)RATE * SECONDS, sizeof *pcm);
    must(in != NULL && pcm != NULL, "memory");
    for (uint32_t i = 0; i < w.frames; i++) {
        in[i] = (float)w.samples[i] / 32768.0F;
    }
    while (frames < (size_t)RATE * SECONDS) {
        sl_resampler *r = sl_resampler_new((int32_t)w.rate);
        must(r != NULL && sl_resampler_push(r, in, w.frames, collect, NULL), "resampling");
        sl_resampler_free(r);
    }
    wav_free(&w);
    sl_mem_free(in);
    text file = {0};
    wav_head(&file, RATE, (uint32_t)frames * 2);
    for (size_t i = 0; i < frames; i++) {
        int16_t word = (int16_t)(pcm[i] * 32767.0F);
        text_put(&file, (const char *)&word, sizeof word);
    }
    int fd = mkstemp(wav_path);
    must(fd >= 0 && write(fd, file.data, file.len) == (ssize_t)file.len, "writing the speech");
    (void)close(fd);
    text_free(&file);
}

/* --- ours --------------------------------------------------------------------------------- */

static sl_status keep(void *user, const uint8_t *p, size_t n, int64_t at, sl_error **err)
{
    sl_buf *b = user;
    (void)err;
    if ((size_t)at < b->len) {
        memcpy(b->data + at, p, n); /* the head again */
    } else {
        sl_buf_put(b, p, n);
    }
    return SL_OK;
}

static double take_seconds(const sl_take_config *given, sl_buf *out)
{
    sl_take_config config = *given;
    sl_take *t = NULL;
    sl_buf_clear(out);
    config.spool.file = (sl_spool_file){keep, NULL, NULL, out};
    double began = cpu();
    must(sl_take_new(&config, &t, NULL) == SL_OK, "a take");
    must(sl_take_command_run(t, SL_TAKE_RECORD, 0, NULL) == SL_OK, "recording");
    for (size_t at = 0; at < frames; at += BLOCK) {
        must(sl_take_push(t, pcm + at, BLOCK, NULL) == SL_OK, "pushing");
    }
    must(sl_take_command_run(t, SL_TAKE_FINISH, 0, NULL) == SL_OK, "finishing");
    sl_take_free(t);
    return cpu() - began;
}

/* --- opusenc ------------------------------------------------------------------------------ */

static double opusenc_seconds(int complexity)
{
    char line[200];
    char *argv[16] = {NULL};
    int argc = 0;
    (void)snprintf(line, sizeof line,
                   "opusenc --quiet --speech --bitrate 24 --comp %d --framesize 20 %s /dev/null",
                   complexity, wav_path);
    for (char *word = line; word != NULL && argc < 15;) {
        argv[argc++] = word;
        word = strchr(word, ' ');
        if (word != NULL) {
            *word++ = '\0';
        }
    }
    pid_t pid = 0;
    int status = 0;
    double began = children();
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0) {
        return -1.0;
    }
    return children() - began;
}

static double least(double a, double b)
{
    return a < 0.0 || b < a ? b : a;
}

static void bench_encode(int complexity, int rounds, sl_buf *out)
{
    sl_take_config config = {
        .spool = {.rate = RATE, .bitrate = 24000, .complexity = complexity, .serial = 1}};
    double ours = -1.0;
    double theirs = -1.0;
    for (int i = 0; i < rounds; i++) {
        ours = least(ours, take_seconds(&config, out));
        theirs = least(theirs, opusenc_seconds(complexity));
    }
    (void)printf("encode, complexity %2d: %.3f s, %.2f %% of a core, %.0f x real time", complexity,
                 ours, 100.0 * ours / SECONDS, SECONDS / ours);
    if (theirs > 0.0) {
        (void)printf("; opusenc %.3f s: %.2f times as fast\n", theirs, theirs / ours);
    } else {
        (void)printf("; opusenc is not here\n");
    }
}

static void bench_chain(int rounds, sl_buf *out)
{
    static const struct {
        const char *what;
        sl_chain_config chain;
        bool loudness;
    } cases[] = {{"nothing", {.highpass = false}, false},
                 {"high-pass", {.highpass = true}, false},
                 {"level", {.level = true}, false},
                 {"denoise", {.denoise = true}, false},
                 {"loudness and crest", {.highpass = false}, true},
                 {"all of them and speech", {true, true, true, true, true}, true}};
    double bare = 0.0;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        sl_take_config config = {.spool = {.rate = RATE, .bitrate = 24000, .complexity = 5},
                                 .chain = cases[k].chain,
                                 .loudness = cases[k].loudness};
        double best = -1.0;
        for (int i = 0; i < rounds; i++) {
            best = least(best, take_seconds(&config, out));
        }
        bare = k == 0 ? best : bare;
        (void)printf("record with %-22s %.2f %% of a core (%+.2f)\n", cases[k].what,
                     100.0 * best / SECONDS, 100.0 * (best - bare) / SECONDS);
    }
}

/* --- playing ------------------------------------------------------------------------------ */

static void bench_play(const sl_buf *file, int32_t rate)
{
    static float heard[BLOCK];
    sl_player *p = NULL;
    must(sl_player_open(file->data, file->len, &p, NULL) == SL_OK, "opening");
    sl_player_set_rate(p, rate);
    double began = cpu();
    size_t n = 0;
    size_t all = 0;
    while ((n = sl_player_read(p, heard, BLOCK)) > 0) {
        all += n;
    }
    double took = cpu() - began;
    (void)printf("play at %.2f: %.2f %% of a core\n", rate / 1000.0,
                 100.0 * took * RATE / (double)all);
    sl_player_close(p);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

static void bench_seek(const sl_buf *file)
{
    static double times[SEEKS];
    static float heard[BLOCK];
    sl_player *p = NULL;
    must(sl_player_open(file->data, file->len, &p, NULL) == SL_OK, "opening");
    for (int i = 0; i < SEEKS; i++) {
        double began = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        sl_player_seek(p, (int64_t)i * 48611 % (int64_t)frames);
        (void)sl_player_read(p, heard, BLOCK);
        times[i] = seconds_of(CLOCK_THREAD_CPUTIME_ID) - began;
    }
    qsort(times, SEEKS, sizeof times[0], by_size);
    (void)printf("seek and 10 ms of sound: median %.2f ms, p95 %.2f ms\n", 1e3 * times[SEEKS / 2],
                 1e3 * times[SEEKS * 95 / 100]);
    sl_player_close(p);
}

static void bench_repack(const sl_buf *file)
{
    sl_buf out = {0};
    double began = cpu();
    must(sl_repack_mp4(file->data, file->len, &out, NULL) == SL_OK, "repacking");
    double mp4 = cpu() - began;
    sl_buf_clear(&out);
    began = cpu();
    must(sl_repack_cut(file->data, file->len, RATE, (int64_t)frames - RATE, &out, NULL) == SL_OK,
         "cutting");
    (void)printf("two minutes into MP4: %.2f ms; cut: %.2f ms\n", 1e3 * mp4, 1e3 * (cpu() - began));
    sl_buf_free(&out);
}

/* --- the audio thread --------------------------------------------------------------------- */

/* Blocks of 10 ms in stereo, five times as fast as a microphone, while the core encodes beside. */
static void bench_push(void)
{
    static const char json[] = "{\"rate\":48000,\"channels\":2,\"denoise\":true}";
    static double times[PUSHES];
    static double work[PUSHES];
    static float block[2 * BLOCK];
    char dir[] = "/tmp/bench-voice-core-XXXXXX";
    char command[100];
    sl_core *core = NULL;
    sl_recorder *r = NULL;
    must(mkdtemp(dir) != NULL, "a folder");
    sl_config config = {.struct_size = sizeof config, .dir = dir};
    must(sl_core_open(&config, &core, NULL) == SL_OK &&
             sl_recorder_new(core, json, sizeof json - 1, &r, NULL) == SL_OK &&
             sl_recorder_command(r, SL_RECORDER_RECORD, NULL) == SL_OK,
         "a recorder");
    struct timespec pause = {0, 2000000};
    for (int i = 0; i < PUSHES; i++) {
        for (int k = 0; k < 2 * BLOCK; k++) {
            block[k] = pcm[((size_t)i * BLOCK + (size_t)k / 2) % frames];
        }
        double began = seconds_of(CLOCK_MONOTONIC);
        double cpu_began = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        must(sl_recorder_write(r, block, BLOCK, NULL) == SL_OK, "writing");
        work[i] = seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_began;
        times[i] = seconds_of(CLOCK_MONOTONIC) - began;
        (void)nanosleep(&pause, NULL);
    }
    qsort(times, PUSHES, sizeof times[0], by_size);
    qsort(work, PUSHES, sizeof work[0], by_size);
    (void)printf(
        "push of 10 ms: median %.4f ms, p99.9 %.4f ms by the clock; p99.9 %.4f ms of CPU\n",
        1e3 * times[PUSHES / 2], 1e3 * times[PUSHES - PUSHES / 1000],
        1e3 * work[PUSHES - PUSHES / 1000]);
    sl_recorder_free(r);
    sl_core_close(core);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    must(system(command) == 0, "removing the folder"); /* NOLINT: the path is ours */
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: bench_voice SPEECH.wav [ROUNDS]\n");
        return 2;
    }
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : ROUNDS;
    sl_buf out = {0};
    load(argv[1]);
    bench_encode(5, rounds, &out);
    bench_encode(10, rounds, &out);
    bench_chain(rounds, &out);
    bench_play(&out, 1000);
    bench_play(&out, 500);
    bench_play(&out, 1500);
    bench_seek(&out);
    bench_repack(&out);
    bench_push();
    sl_buf_free(&out);
    sl_mem_free(pcm);
    (void)unlink(wav_path);
    return 0;
}
