/* What forward error correction is for: of a packet that was lost the next one brings most back. */
#include "support.h"
#include "unit/voice/recording.h"
#include "voice/listen.h"

#include <math.h>
#include <opus.h>
#include <string.h>

enum {
    SECOND = 48000,
    SECONDS = 4,
    FRAME = 960,
    LOST_EACH = 10, /* one packet in so many, as the encoder is told to expect */
    FIRST = 20
};

static float pcm[SECONDS * SECOND];

/* A buzz with formants that comes in syllables and rises and falls. */
static void speak(void)
{
    double phase = 0;
    for (size_t i = 0; i < sizeof pcm / sizeof pcm[0]; i++) {
        double t = (double)i / SECOND;
        double beat = sin(6.28318530717958648 * 3.0 * t);
        double v = 0.0;
        phase += 6.28318530717958648 * (140.0 + 40.0 * sin(5.0 * t)) / SECOND;
        for (int k = 1; k <= 16; k++) {
            double hill = exp(-fabs(k * 140.0 - (700.0 + 500.0 * sin(9.0 * t))) / 400.0);
            v += sin(phase * k) * hill;
        }
        pcm[i] = (float)(beat > 0.0 ? 0.4 * beat * v : 0.0);
    }
}

static void record(recording *r, bool fec)
{
    sl_take *t = NULL;
    sl_take_config config = recording_config(r, SECOND);
    config.spool.fec = fec;
    ck_assert_int_eq(sl_take_new(&config, &t, NULL), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_RECORD), SL_OK);
    ck_assert_int_eq(sl_take_push(t, pcm, sizeof pcm / sizeof pcm[0], NULL), SL_OK);
    ck_assert_int_eq(recording_run(t, SL_TAKE_FINISH), SL_OK);
    sl_take_free(t);
}

/* The energy of what differs from the undamaged sound where packets are lost, against its own. `mend`:
 * by the packet that follows, else by what the decoder makes up. */
static double harm(const recording *r, bool mend)
{
    static float clean[FRAME];
    static float heard[FRAME];
    sl_listener *l = NULL;
    sl_packet packet;
    bool gap = false;
    double wrong = 0;
    double all = 0;
    bool lost = false;
    OpusDecoder *whole = opus_decoder_create(SECOND, 1, NULL);
    OpusDecoder *torn = opus_decoder_create(SECOND, 1, NULL);
    float missed[FRAME];
    ck_assert_int_eq(sl_listen_open(r->file.data, r->file.len, &l, NULL), SL_OK);
    sl_listen_packets(l);
    for (int k = 0; sl_listen_packet(l, &packet, &gap) && packet.n > 0; k++) {
        ck_assert_int_eq(packet.frames, FRAME);
        if (lost) { /* the one before; this one is here */
            int n = mend ? opus_decode_float(torn, packet.p, (int)packet.n, heard, FRAME, 1)
                         : opus_decode_float(torn, NULL, 0, heard, FRAME, 0);
            ck_assert_int_eq(n, FRAME);
            for (int i = 0; i < FRAME; i++) {
                double d = (double)heard[i] - (double)missed[i];
                wrong += d * d;
                all += (double)missed[i] * (double)missed[i];
            }
        }
        ck_assert_int_eq(opus_decode_float(whole, packet.p, (int)packet.n, clean, FRAME, 0), FRAME);
        memcpy(missed, clean, sizeof missed);
        lost = k >= FIRST && k % LOST_EACH == 0;
        if (!lost) {
            ck_assert_int_eq(opus_decode_float(torn, packet.p, (int)packet.n, heard, FRAME, 0),
                             FRAME);
        }
    }
    sl_listen_close(l);
    opus_decoder_destroy(whole);
    opus_decoder_destroy(torn);
    ck_assert_double_gt(all, 0);
    return wrong / all;
}

START_TEST(loss__a_packet_brings_the_lost_one_before_back_only_when_asked_for)
{
    recording with = {0};
    recording without = {0};
    speak();
    record(&with, true);
    record(&without, false);
    ck_assert_double_lt(harm(&with, true), 0.6 * harm(&with, false));
    ck_assert_double_gt(harm(&without, true), 0.95 * harm(&without, false));
    sl_buf_free(&with.file);
    sl_buf_free(&without.file);
}
END_TEST

SL_TEST_MAIN("voice_loss", loss__a_packet_brings_the_lost_one_before_back_only_when_asked_for)
