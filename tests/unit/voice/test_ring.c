/* The ring between the audio thread and the encoder: order, losses, one writer and one reader. */
#include "voice/ring.h"

#include "base/mem.h"
#include "base/thread.h"
#include "support.h"

#include <math.h>
#include <stdatomic.h>

enum {
    SIZE = 64
};

static sl_meter ring_put(sl_ring *r, const float *floats, uint32_t frames, uint32_t channels)
{
    sl_pcm pcm = {.floats = floats, .frames = frames, .channels = channels};
    sl_meter meter;
    sl_ring_write(r, &pcm, &meter);
    return meter;
}

static void fill(float *pcm, uint32_t n, uint32_t from)
{
    for (uint32_t i = 0; i < n; i++) {
        pcm[i] = (float)(from + i + 1) / 65536.0F;
    }
}

START_TEST(ring__what_goes_in_comes_out_in_order)
{
    sl_ring *r = sl_ring_new(SIZE);
    float in[40];
    float out[40];
    for (uint32_t round = 0; round < 20; round++) {
        fill(in, 40, round * 40);
        (void)ring_put(r, in, 40, 1);
        ck_assert_uint_eq(sl_ring_read(r, out, 40), 40);
        ck_assert_mem_eq(in, out, sizeof in);
    }
    ck_assert_uint_eq(sl_ring_read(r, out, 40), 0);
    ck_assert_uint_eq(sl_ring_taken(r), 800);
    ck_assert_uint_eq(sl_ring_dropped(r), 0);
    sl_ring_free(r);
}
END_TEST

START_TEST(ring__a_full_ring_takes_exactly_its_size)
{
    sl_ring *r = sl_ring_new(SIZE);
    float in[SIZE + 1];
    fill(in, SIZE + 1, 0);
    (void)ring_put(r, in, SIZE, 1);
    ck_assert_uint_eq(sl_ring_dropped(r), 0);
    (void)ring_put(r, in + SIZE, 1, 1);
    ck_assert_uint_eq(sl_ring_dropped(r), 1);
    sl_ring_free(r);
}
END_TEST

START_TEST(ring__a_loss_is_silence_of_its_length_at_its_place)
{
    sl_ring *r = sl_ring_new(SIZE);
    float in[100];
    float out[300];
    fill(in, 100, 0);
    (void)ring_put(r, in, 100, 1); /* 64 fit, 36 do not */
    (void)ring_put(r, in, 10, 1);  /* 10 more do not */
    ck_assert_uint_eq(sl_ring_read(r, out, 50), 50);
    fill(in, 20, 1000);
    (void)ring_put(r, in, 20, 1);
    ck_assert_uint_eq(sl_ring_read(r, out + 50, 250), 14 + 46 + 20);
    for (uint32_t i = 0; i < 130; i++) {
        float want = i < 64 ? (float)(i + 1) / 65536.0F : i < 110 ? 0.0F : in[i - 110];
        ck_assert(out[i] == want);
    }
    ck_assert_uint_eq(sl_ring_taken(r), 130);
    ck_assert_uint_eq(sl_ring_dropped(r), 46);
    ck_assert_uint_eq(sl_ring_tail(r), 0);
    sl_ring_free(r);
}
END_TEST

START_TEST(ring__a_loss_at_the_very_end_is_told_by_the_tail)
{
    sl_ring *r = sl_ring_new(SIZE);
    float in[100] = {0};
    float out[100];
    (void)ring_put(r, in, 100, 1);
    ck_assert_uint_eq(sl_ring_read(r, out, 100), 64);
    ck_assert_uint_eq(sl_ring_tail(r), 36);
    ck_assert_uint_eq(sl_ring_tail(r), 0);
    sl_ring_free(r);
}
END_TEST

START_TEST(ring__more_losses_than_notes_still_add_up)
{
    sl_ring *r = sl_ring_new(SIZE);
    float in[SIZE + 1] = {0};
    float out[8];
    uint64_t read = 0;
    (void)ring_put(r, in, SIZE, 1);
    for (int i = 0; i < 500; i++) {
        (void)ring_put(r, in, 3, 1);
        read += sl_ring_read(r, out, 2);
    }
    uint32_t n = 0;
    while ((n = sl_ring_read(r, out, 8)) > 0) {
        read += n;
    }
    read += sl_ring_tail(r);
    ck_assert_uint_eq(read, sl_ring_taken(r));
    ck_assert_uint_eq(read, SIZE + 1500);
    sl_ring_free(r);
}
END_TEST

START_TEST(ring__stereo_is_mixed_and_nonsense_is_cleaned)
{
    sl_ring *r = sl_ring_new(SIZE);
    const float in[] = {0.5F, -0.25F, NAN, 0.5F, INFINITY, 1.0F, -INFINITY, -7.0F};
    const float want[] = {0.125F, 0.25F, 1.0F, -1.0F};
    float out[4] = {0};
    ck_assert(ring_put(r, in, 4, 2).peak == 1.0F);
    ck_assert_uint_eq(sl_ring_read(r, out, 4), 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert(out[i] == want[i]);
    }
    sl_ring_free(r);
}
END_TEST

START_TEST(ring__words_of_16_bits_are_the_same_sound)
{
    sl_ring *r = sl_ring_new(SIZE);
    const int16_t in[] = {-32768, -32768, 16384, 0, 32767, 32767, 0, -16384};
    const float want[] = {-1.0F, 0.25F, 32767.0F / 32768.0F, -0.25F};
    float out[4] = {0};
    sl_pcm pcm = {.words = in, .frames = 4, .channels = 2};
    sl_meter meter;
    sl_ring_write(r, &pcm, &meter);
    ck_assert(meter.peak == 1.0F);
    ck_assert_float_eq_tol(meter.rms, 0.7289F, 0.001F);
    ck_assert_uint_eq(sl_ring_read(r, out, 4), 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert(out[i] == want[i]);
    }
    sl_meter alone;
    sl_ring_measure(&pcm, &alone);
    ck_assert(alone.peak == meter.peak && alone.rms == meter.rms);
    sl_ring_free(r);
}
END_TEST

typedef struct stream {
    sl_ring *ring;
    atomic_bool done;
} stream;

enum {
    STREAM_FRAMES = 400000,
    STREAM_CHUNK = 37
};

static void write_stream(void *arg)
{
    stream *s = arg;
    float chunk[STREAM_CHUNK];
    for (uint32_t at = 0; at < STREAM_FRAMES; at += STREAM_CHUNK) {
        uint32_t n = STREAM_FRAMES - at < STREAM_CHUNK ? STREAM_FRAMES - at : STREAM_CHUNK;
        for (uint32_t i = 0; i < n; i++) {
            chunk[i] = (float)((at + i) % 65536 + 1) / 131072.0F;
        }
        (void)ring_put(s->ring, chunk, n, 1);
    }
    atomic_store(&s->done, true);
}

START_TEST(ring__between_two_threads_nothing_moves)
{
    stream s = {.ring = sl_ring_new(4096)};
    sl_thread *writer = sl_thread_start(write_stream, &s);
    if (writer == NULL) {
        sl_ring_free(s.ring);
        return; /* a machine without threads */
    }
    uint32_t at = 0;
    float out[500];
    for (;;) {
        bool last = atomic_load(&s.done);
        uint32_t n = sl_ring_read(s.ring, out, 500);
        for (uint32_t i = 0; i < n; i++, at++) {
            float want = (float)(at % 65536 + 1) / 131072.0F;
            ck_assert(out[i] == 0.0F || out[i] == want);
        }
        if (n == 0 && last) {
            break;
        }
    }
    sl_thread_join(writer);
    ck_assert_uint_eq(at + sl_ring_tail(s.ring), STREAM_FRAMES);
    sl_ring_free(s.ring);
}
END_TEST

START_TEST(ring__no_memory_is_no_ring)
{
    for (uint64_t k = 1; k <= 2; k++) {
        (void)sl_mem_fail_at(k, false);
        ck_assert_ptr_null(sl_ring_new(SIZE));
    }
    (void)sl_mem_fail_at(0, false);
}
END_TEST

SL_TEST_MAIN("voice_ring", ring__what_goes_in_comes_out_in_order,
             ring__a_full_ring_takes_exactly_its_size,
             ring__a_loss_is_silence_of_its_length_at_its_place,
             ring__a_loss_at_the_very_end_is_told_by_the_tail,
             ring__more_losses_than_notes_still_add_up,
             ring__stereo_is_mixed_and_nonsense_is_cleaned,
             ring__words_of_16_bits_are_the_same_sound, ring__between_two_threads_nothing_moves,
             ring__no_memory_is_no_ring)
