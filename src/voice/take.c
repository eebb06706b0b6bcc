/*
 * voice/take.c - resampler, 20 ms frames, encoder, pages. The page in the making is held back
 * until a packet comes that does not belong to it, so that the last one can carry the end mark.
 */
#include "voice/take.h"

#include "base/mem.h"
#include "voice/ogg.h"

#include <opus.h>
#include <string.h>

enum {
    FRAME = SL_VOICE_RATE / 50, /* 20 ms */
    PAGE_PACKETS = 10,
    PACKET_MAX = 1275,
    COMPLEXITY = 5
};

struct sl_take {
    sl_take_config config;
    sl_take_state state;
    sl_status failure; /* in SL_TAKE_FAILED */
    sl_resampler *resampler;
    OpusEncoder *encoder;
    sl_ogg_writer ogg;
    sl_buf bytes;
    sl_peaks peaks;
    int32_t lookahead;
    uint64_t pushed;  /* frames in, at the rate of the source */
    uint64_t made;    /* frames out of the resampler */
    uint64_t encoded; /* frames given to the encoder */
    float frame[FRAME];
    size_t filled;
    sl_error **err; /* of the call being served */
};

static sl_status fail(sl_take *t, sl_status code)
{
    t->state = SL_TAKE_FAILED;
    t->failure = code;
    return code;
}

static sl_status start_encoder(sl_take *t, sl_error **err)
{
    int code = OPUS_OK;
    t->encoder = opus_encoder_create(SL_VOICE_RATE, 1, OPUS_APPLICATION_VOIP, &code);
    if (t->encoder == NULL) {
        return sl_fail(err, code == OPUS_ALLOC_FAIL ? SL_E_NOMEM : SL_E_INTERNAL,
                       "The voice encoder did not start: %s", opus_strerror(code));
    }
    if (opus_encoder_ctl(t->encoder, OPUS_SET_BITRATE(t->config.bitrate)) != OPUS_OK ||
        opus_encoder_ctl(t->encoder, OPUS_SET_COMPLEXITY(COMPLEXITY)) != OPUS_OK ||
        opus_encoder_ctl(t->encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)) != OPUS_OK ||
        opus_encoder_ctl(t->encoder, OPUS_GET_LOOKAHEAD(&t->lookahead)) != OPUS_OK) {
        return sl_fail(err, SL_E_INTERNAL, "The voice encoder refused its settings");
    }
    return SL_OK;
}

sl_status sl_take_new(const sl_take_config *config, sl_take **out, sl_error **err)
{
    *out = NULL;
    if (config->rate < SL_VOICE_RATE_MIN || config->rate > SL_VOICE_RATE_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "rate", "The rate must be %d to %d frames a second",
                             SL_VOICE_RATE_MIN, SL_VOICE_RATE_MAX);
    }
    if (config->bitrate < SL_TAKE_BITRATE_MIN || config->bitrate > SL_TAKE_BITRATE_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "bitrate",
                             "The bit rate must be %d to %d bits a second", SL_TAKE_BITRATE_MIN,
                             SL_TAKE_BITRATE_MAX);
    }
    sl_take *t = sl_mem(sizeof *t);
    if (t == NULL) {
        return sl_fail_nomem(err);
    }
    t->config = *config;
    t->ogg.serial = config->serial;
    t->resampler = sl_resampler_new(config->rate);
    sl_status status = t->resampler == NULL ? sl_fail_nomem(err) : start_encoder(t, err);
    if (status != SL_OK) {
        sl_take_free(t);
        return status;
    }
    *out = t;
    return SL_OK;
}

void sl_take_free(sl_take *t)
{
    if (t == NULL) {
        return;
    }
    if (t->encoder != NULL) {
        opus_encoder_destroy(t->encoder);
    }
    sl_resampler_free(t->resampler);
    sl_ogg_writer_free(&t->ogg);
    sl_buf_free(&t->bytes);
    sl_mem_free(t);
}

/* Ends the page in the making and hands it to the caller. */
static sl_status end_page(sl_take *t, uint64_t granule, uint8_t flags)
{
    sl_buf_clear(&t->bytes);
    sl_ogg_page(&t->ogg, granule, flags, &t->bytes);
    if (t->bytes.failed) {
        return fail(t, sl_fail_nomem(t->err));
    }
    sl_status status = t->config.write(t->config.user, t->bytes.data, t->bytes.len, t->err);
    return status == SL_OK ? SL_OK : fail(t, status);
}

/* The two header packets, each on a page of its own. */
static sl_status write_headers(sl_take *t)
{
    static const char vendor[] = "libsideline";
    sl_buf head = {0};
    sl_buf_str(&head, "OpusHead");
    sl_buf_u8(&head, 1); /* version */
    sl_buf_u8(&head, 1); /* channels */
    sl_buf_u16le(&head, (uint16_t)t->lookahead);
    sl_buf_u32le(&head, (uint32_t)t->config.rate); /* for information only */
    sl_buf_u16le(&head, 0);                        /* gain */
    sl_buf_u8(&head, 0);                           /* mapping family: mono or stereo */
    sl_buf tags = {0};
    sl_buf_str(&tags, "OpusTags");
    sl_buf_u32le(&tags, sizeof vendor - 1);
    sl_buf_str(&tags, vendor);
    sl_buf_u32le(&tags, 0); /* comments */
    sl_status status = SL_OK;
    if (head.failed || tags.failed) {
        status = fail(t, sl_fail_nomem(t->err));
    }
    if (status == SL_OK) {
        (void)sl_ogg_packet(&t->ogg, head.data, head.len);
        status = end_page(t, 0, SL_OGG_FIRST);
    }
    if (status == SL_OK) {
        (void)sl_ogg_packet(&t->ogg, tags.data, tags.len);
        status = end_page(t, 0, 0);
    }
    sl_buf_free(&head);
    sl_buf_free(&tags);
    return status;
}

static sl_status encode(sl_take *t)
{
    uint8_t packet[PACKET_MAX];
    int32_t n = opus_encode_float(t->encoder, t->frame, FRAME, packet, PACKET_MAX);
    if (n <= 0) {
        return fail(t, sl_fail(t->err, SL_E_INTERNAL, "The voice could not be encoded: %s",
                               opus_strerror(n)));
    }
    if (t->ogg.packets == PAGE_PACKETS) {
        sl_status status = end_page(t, t->encoded, 0);
        if (status != SL_OK) {
            return status;
        }
    }
    (void)sl_ogg_packet(&t->ogg, packet, (size_t)n); /* 10 * 1275 bytes always fit in a page */
    t->encoded += FRAME;
    t->filled = 0;
    return SL_OK;
}

static bool take_frames(void *user, const float *pcm, size_t n)
{
    sl_take *t = user;
    sl_peaks_add(&t->peaks, pcm, n);
    t->made += n;
    while (n > 0) {
        size_t some = n < FRAME - t->filled ? n : FRAME - t->filled;
        memcpy(t->frame + t->filled, pcm, some * sizeof *pcm);
        t->filled += some;
        pcm += some;
        n -= some;
        if (t->filled == FRAME && encode(t) != SL_OK) {
            return false;
        }
    }
    return true;
}

sl_status sl_take_push(sl_take *t, const float *pcm, size_t n, sl_error **err)
{
    if (t->state == SL_TAKE_FAILED) {
        return sl_fail(err, t->failure, "The recording has failed");
    }
    if (t->state != SL_TAKE_RECORDING) {
        return SL_OK;
    }
    t->err = err;
    t->pushed += n;
    return sl_resampler_push(t->resampler, pcm, n, take_frames, t) ? SL_OK : t->failure;
}

static sl_status finish(sl_take *t, sl_error **err)
{
    if (t->pushed == 0) {
        return sl_fail(err, SL_E_MISUSE, "Nothing was recorded");
    }
    if (!sl_resampler_flush(t->resampler, take_frames, t)) {
        return t->failure;
    }
    sl_peaks_end(&t->peaks);
    uint64_t end = t->made + (uint64_t)t->lookahead;
    while (t->encoded < end) {
        memset(t->frame + t->filled, 0, (FRAME - t->filled) * sizeof *t->frame);
        sl_status status = encode(t);
        if (status != SL_OK) {
            return status;
        }
    }
    sl_status status = end_page(t, end, SL_OGG_LAST);
    if (status == SL_OK) {
        t->state = SL_TAKE_FINISHED;
    }
    return status;
}

static sl_status refuse(sl_error **err, const char *why)
{
    return sl_fail(err, SL_E_MISUSE, "The recorder is %s", why);
}

static sl_status run_open(sl_take *t, sl_take_command command, sl_error **err)
{
    if (command == SL_TAKE_RECORD) {
        if (t->state == SL_TAKE_RECORDING) {
            return refuse(err, "recording already");
        }
        sl_status status = t->state == SL_TAKE_IDLE ? write_headers(t) : SL_OK;
        if (status == SL_OK) {
            t->state = SL_TAKE_RECORDING;
        }
        return status;
    }
    if (command == SL_TAKE_PAUSE) {
        if (t->state != SL_TAKE_RECORDING) {
            return refuse(err, "not recording");
        }
        t->state = SL_TAKE_PAUSED;
        return SL_OK;
    }
    return finish(t, err);
}

sl_status sl_take_command_run(sl_take *t, sl_take_command command, sl_error **err)
{
    if (command < SL_TAKE_RECORD || command > SL_TAKE_CANCEL) {
        return sl_fail(err, SL_E_MISUSE, "Unknown recorder command");
    }
    if (t->state == SL_TAKE_FINISHED) {
        return refuse(err, "finished");
    }
    if (command == SL_TAKE_CANCEL) {
        fail(t, SL_E_CANCELLED);
        return SL_OK;
    }
    if (t->state == SL_TAKE_FAILED) {
        return sl_fail(err, t->failure, "The recording has failed");
    }
    t->err = err;
    return run_open(t, command, err);
}

sl_take_state sl_take_state_of(const sl_take *t)
{
    return t->state;
}

int64_t sl_take_position_us(const sl_take *t)
{
    return (int64_t)(t->pushed * 1000000U / (uint64_t)t->config.rate);
}

int64_t sl_take_frames(const sl_take *t)
{
    return (int64_t)t->made;
}

const sl_peaks *sl_take_peaks(const sl_take *t)
{
    return &t->peaks;
}
