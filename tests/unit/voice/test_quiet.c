/*
 * [VOICE-1]: the calls of the audio thread neither allocate nor lock nor wait. This program stands
 * before the C library's own functions and counts what one thread calls while it is watched.
 */
#include "studio.h"

#include "base/mem.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

static _Thread_local bool watched;
static _Thread_local int allocations;
static _Thread_local int waits;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

void *malloc(size_t n)
{
    allocations += watched ? 1 : 0;
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    allocations += watched ? 1 : 0;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    allocations += watched ? 1 : 0;
    return __libc_realloc(p, n);
}

void free(void *p)
{
    allocations += watched ? 1 : 0;
    __libc_free(p);
}

/* The real function behind one of ours. */
#define REAL(name, type)                                          \
    static type real;                                             \
    if (real == NULL) {                                           \
        void *found = dlsym(RTLD_NEXT, name);                     \
        memcpy((void *)&real, (const void *)&found, sizeof real); \
    }                                                             \
    waits += watched ? 1 : 0

typedef int (*mutex_fn)(pthread_mutex_t *);

int pthread_mutex_lock(pthread_mutex_t *m)
{
    REAL("pthread_mutex_lock", mutex_fn);
    return real(m);
}

int pthread_mutex_trylock(pthread_mutex_t *m)
{
    REAL("pthread_mutex_trylock", mutex_fn);
    return real(m);
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
    REAL("pthread_mutex_unlock", mutex_fn);
    return real(m);
}

int pthread_cond_signal(pthread_cond_t *c)
{
    typedef int (*fn)(pthread_cond_t *);
    REAL("pthread_cond_signal", fn);
    return real(c);
}

int pthread_cond_broadcast(pthread_cond_t *c)
{
    typedef int (*fn)(pthread_cond_t *);
    REAL("pthread_cond_broadcast", fn);
    return real(c);
}

int nanosleep(const struct timespec *want, struct timespec *left)
{
    typedef int (*fn)(const struct timespec *, struct timespec *);
    REAL("nanosleep", fn);
    return real(want, left);
}

ssize_t write(int fd, const void *p, size_t n)
{
    typedef ssize_t (*fn)(int, const void *, size_t);
    REAL("write", fn);
    return real(fd, p, n);
}

/* Without this the tests below would prove nothing. */
START_TEST(quiet__the_watch_sees_allocations_and_locks)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    watched = true;
    void *volatile p = sl_mem(10);
    sl_mem_free(p);
    (void)pthread_mutex_lock(&m);
    (void)pthread_mutex_unlock(&m);
    watched = false;
    ck_assert_int_eq(allocations, 2);
    ck_assert_int_eq(waits, 2);
}
END_TEST

static void write_watched(sl_recorder *r, const int16_t *words, int blocks)
{
    float level = 0.0F;
    sl_status status = SL_OK;
    struct rusage before;
    struct rusage after;
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &before), 0);
    watched = true;
    for (int i = 0; i < blocks && status == SL_OK; i++) {
        status = words != NULL ? sl_recorder_write16(r, words, 480, &level)
                               : sl_recorder_write(r, pcm, 480, &level);
        (void)sl_recorder_position(r);
        sl_recorder_meter(r, &level, NULL);
    }
    watched = false;
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &after), 0);
    ck_assert_int_eq(status, SL_OK);
    ck_assert_int_eq(allocations, 0);
    ck_assert_int_eq(waits, 0);
}

/* While the pump works on the other side, and long after the ring is full. */
START_TEST(quiet__writing_never_allocates_or_locks)
{
    static int16_t words[480];
    open_core(0);
    sl_recorder *r = start_mono();
    write_watched(r, NULL, 100); /* paused */
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    write_watched(r, NULL, 1000);
    write_watched(r, words, 3000);
    sl_recorder_free(r);
    close_core();
}
END_TEST

START_TEST(quiet__playing_never_allocates_or_locks)
{
    open_core(SL_CORE_STEPPED);
    sl_recorder *r = start_mono();
    sl_bytes *out = NULL;
    sl_bytes *ogg = NULL;
    sl_voice *v = NULL;
    static float heard[480];
    ck_assert_int_eq(sl_recorder_command(r, SL_RECORDER_RECORD, NULL), SL_OK);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(sl_recorder_write(r, pcm, RATE, NULL), SL_OK);
    }
    ck_assert_int_eq(sl_recorder_finish(r, SPACE, 1, &out, NULL), SL_OK);
    sl_json *j = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    ck_assert_int_eq(sl_blob_get(core, sl_json_str(j, "blob"), &ogg, NULL), SL_OK);
    ck_assert_int_eq(sl_voice_open(sl_bytes_data(ogg), sl_bytes_len(ogg), &v, NULL), SL_OK);
    watched = true;
    for (int32_t rate = SL_VOICE_SLOWEST; rate <= SL_VOICE_FASTEST; rate += 250) {
        (void)sl_voice_set_rate(v, rate, NULL);
        sl_voice_seek(v, 1000000);
        for (int i = 0; i < 50; i++) {
            (void)sl_voice_read(v, heard, 480);
            (void)sl_voice_position(v);
        }
    }
    watched = false;
    ck_assert_int_eq(allocations, 0);
    ck_assert_int_eq(waits, 0);
    sl_voice_close(v);
    sl_json_free(j);
    sl_bytes_release(ogg);
    sl_bytes_release(out);
    sl_recorder_free(r);
    close_core();
}
END_TEST

SL_TEST_MAIN("voice_quiet", quiet__the_watch_sees_allocations_and_locks,
             quiet__writing_never_allocates_or_locks, quiet__playing_never_allocates_or_locks)
