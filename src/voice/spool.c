/*
 * voice/spool.c - frames of 20 ms, eight to a page. The page in the making is in memory; pages in
 * the file all hold eight packets, so that packet k is in page k / 8, whose place is remembered.
 */
#include "voice/spool.h"

#include "base/mem.h"
#include "voice/head.h"
#include "voice/loudness.h"
#include "voice/ogg.h"
#include "voice/resample.h"

#include <math.h>
#include <opus.h>
#include <string.h>

enum {
    FRAME = SL_VOICE_RATE / 50, /* 20 ms */
    PAGE_PACKETS = 8,
    HEADER_PAGES = 2,
    PACKET_MAX = 1275,
    LOSS_PERCENT = 10, /* expected, with FEC */
    CONVERGE = 6,      /* packets until a decoder that began in the middle is right */
    WARM = 6,          /* frames an encoder is to have heard before it goes on */
    FADE = 120,        /* frames to each side of a cut: 2.5 ms */
    LOOK = 50,         /* packets between two looks at what was spent */
    MEND = 10          /* seconds in which too much is made up for */
};

struct sl_spool {
    sl_spool_config config;
    OpusEncoder *encoder;
    OpusDecoder *decoder; /* when it is heard */
    sl_true_peak between;
    sl_buf peaks; /* float of each packet kept, as decoded */
    sl_ogg_writer ogg;
    sl_buf bytes;
    sl_buf places; /* int64_t of each page with sound in the file */
    int64_t size;  /* of the file */
    int32_t lookahead;
    int64_t put;     /* frames */
    int64_t encoded; /* frames given to the encoder */
    int64_t kept;    /* packets in pages: a packet before is encoded and thrown away */
    int64_t over;    /* bits spent beyond those asked for, since the beginning or the last cut */
    float frame[FRAME];
    size_t filled;
    int64_t end;   /* what is to be encoded in all, once that is known */
    uint32_t fade; /* frames until the sound after a cut has its full strength */
    bool begun;
};

static sl_status start_encoder(sl_spool *s, sl_error **err)
{
    int code = OPUS_OK;
    s->encoder = opus_encoder_create(
        SL_VOICE_RATE, 1, s->config.again ? OPUS_APPLICATION_AUDIO : OPUS_APPLICATION_VOIP, &code);
    if (s->encoder == NULL) {
        return sl_fail(err, code == OPUS_ALLOC_FAIL ? SL_E_NOMEM : SL_E_INTERNAL,
                       "The voice encoder did not start: %s", opus_strerror(code));
    }
    const sl_spool_config *c = &s->config;
    if (opus_encoder_ctl(s->encoder, OPUS_SET_BITRATE(c->bitrate)) != OPUS_OK ||
        opus_encoder_ctl(s->encoder, OPUS_SET_COMPLEXITY(c->complexity)) != OPUS_OK ||
        opus_encoder_ctl(s->encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE)) != OPUS_OK ||
        opus_encoder_ctl(s->encoder, OPUS_SET_DTX(c->dtx ? 1 : 0)) != OPUS_OK ||
        opus_encoder_ctl(s->encoder, OPUS_SET_INBAND_FEC(c->fec ? 1 : 0)) != OPUS_OK ||
        opus_encoder_ctl(s->encoder, OPUS_SET_PACKET_LOSS_PERC(c->fec ? LOSS_PERCENT : 0)) !=
            OPUS_OK ||
        opus_encoder_ctl(s->encoder, OPUS_GET_LOOKAHEAD(&s->lookahead)) != OPUS_OK) {
        return sl_fail(err, SL_E_INTERNAL, "The voice encoder refused its settings");
    }
    if (c->heard) {
        s->decoder = opus_decoder_create(SL_VOICE_RATE, 1, &code);
    }
    return c->heard && s->decoder == NULL ? sl_fail_nomem(err) : SL_OK;
}

sl_status sl_spool_new(const sl_spool_config *config, sl_spool **out, sl_error **err)
{
    *out = NULL;
    sl_spool *s = sl_mem(sizeof *s);
    if (s == NULL) {
        return sl_fail_nomem(err);
    }
    s->config = *config;
    s->ogg.serial = config->serial;
    s->end = INT64_MAX;
    sl_status status = start_encoder(s, err);
    if (status != SL_OK) {
        sl_spool_free(s);
        return status;
    }
    *out = s;
    return SL_OK;
}

void sl_spool_free(sl_spool *s)
{
    if (s == NULL) {
        return;
    }
    if (s->encoder != NULL) {
        opus_encoder_destroy(s->encoder);
    }
    if (s->decoder != NULL) {
        opus_decoder_destroy(s->decoder);
    }
    sl_buf_free(&s->peaks);
    sl_ogg_writer_free(&s->ogg);
    sl_buf_free(&s->bytes);
    sl_buf_free(&s->places);
    sl_mem_free(s);
}

int64_t sl_spool_frames(const sl_spool *s)
{
    return s->put;
}

/* --- pages -------------------------------------------------------------------------------- */

/* Ends the page in the making and writes it where the file ends. */
static sl_status end_page(sl_spool *s, int64_t granule, uint8_t flags, sl_error **err)
{
    sl_buf_clear(&s->bytes);
    sl_ogg_page(&s->ogg, (uint64_t)granule, flags, &s->bytes);
    if (s->bytes.failed) {
        return sl_fail_nomem(err);
    }
    const sl_spool_file *f = &s->config.file;
    sl_status status = f->write(f->user, s->bytes.data, s->bytes.len, s->size, err);
    if (status == SL_OK) {
        s->size += (int64_t)s->bytes.len;
    }
    return status;
}

/* A head or the tags as the packet of a page. */
static void put_packet(sl_ogg_writer *ogg, sl_buf *packet)
{
    if (packet->failed) {
        ogg->body.failed = true;
    } else {
        (void)sl_ogg_packet(ogg, packet->data, packet->len);
    }
    sl_buf_free(packet);
}

static void put_head(const sl_spool *s, int16_t gain, sl_ogg_writer *ogg)
{
    sl_head head = {1, (uint16_t)s->lookahead, (uint32_t)s->config.rate, gain};
    sl_buf packet = {0};
    sl_head_put(&packet, &head);
    put_packet(ogg, &packet);
}

/* The two header packets, each on a page of its own. */
static sl_status begin(sl_spool *s, sl_error **err)
{
    put_head(s, 0, &s->ogg);
    sl_status status = end_page(s, 0, SL_OGG_FIRST, err);
    if (status == SL_OK) {
        sl_buf tags = {0};
        sl_head_tags(&tags);
        put_packet(&s->ogg, &tags);
        status = end_page(s, 0, 0, err);
    }
    s->begun = status == SL_OK;
    return status;
}

/* A page of eight packets that have all been kept goes to the file. */
static sl_status end_full_page(sl_spool *s, sl_error **err)
{
    sl_buf_put(&s->places, &s->size, sizeof s->size);
    if (s->places.failed) {
        return sl_fail_nomem(err);
    }
    return end_page(s, s->kept * FRAME, 0, err);
}

/* --- sound -------------------------------------------------------------------------------- */

/* libopus spends more than was asked for on one who speaks without a pause: what is too much is made
 * up for, by a tenth at most. What silence leaves over is spared for later, at the rate asked for. */
static void hold_rate(sl_spool *s, int32_t bytes)
{
    int32_t asked = s->config.bitrate;
    s->over += (int64_t)bytes * 8 - asked / (SL_VOICE_RATE / FRAME);
    if (s->kept % LOOK == 0) {
        int64_t less = s->over > 0 ? s->over / MEND : 0;
        less = less < asked / 10 ? less : asked / 10;
        (void)opus_encoder_ctl(s->encoder, OPUS_SET_BITRATE(asked - (int32_t)less));
    }
}

/* What a decoder makes of the packet. */
static sl_status hear(void *user, int64_t packet, const uint8_t *p, size_t n)
{
    sl_spool *s = user;
    float pcm[FRAME];
    (void)packet;
    if (opus_decode_float(s->decoder, p, (int32_t)n, pcm, FRAME, 0) != FRAME) {
        return SL_E_CORRUPT;
    }
    float peak = sl_true_peak_of(&s->between, pcm, FRAME, 0.0F);
    sl_buf_put(&s->peaks, &peak, sizeof peak);
    return s->peaks.failed ? SL_E_NOMEM : SL_OK;
}

static sl_status hear_new(sl_spool *s, const uint8_t *p, size_t n, sl_error **err)
{
    sl_status status = s->decoder != NULL ? hear(s, s->kept, p, n) : SL_OK;
    return status == SL_E_NOMEM ? sl_fail_nomem(err)
           : status != SL_OK    ? sl_fail(err, SL_E_INTERNAL, "The voice cannot be decoded")
                                : SL_OK;
}

static sl_status encode(sl_spool *s, sl_error **err)
{
    uint8_t packet[PACKET_MAX];
    int32_t n = opus_encode_float(s->encoder, s->frame, FRAME, packet, PACKET_MAX);
    if (n <= 0) {
        return sl_fail(err, SL_E_INTERNAL, "The voice could not be encoded: %s", opus_strerror(n));
    }
    s->encoded += FRAME;
    s->filled = 0;
    if (s->encoded / FRAME <= s->kept) {
        return SL_OK; /* heard again after a cut: the packet is there */
    }
    sl_status status = hear_new(s, packet, (size_t)n, err);
    if (status != SL_OK) {
        return status;
    }
    (void)sl_ogg_packet(&s->ogg, packet, (size_t)n); /* 8 * 1275 bytes always fit in a page */
    s->kept++;
    hold_rate(s, n);
    /* The last page waits for its mark. */
    bool full = s->ogg.packets == PAGE_PACKETS && s->encoded < s->end;
    return full ? end_full_page(s, err) : SL_OK;
}

static sl_status put(sl_spool *s, const float *pcm, size_t n, sl_error **err)
{
    sl_status status = SL_OK;
    while (n > 0 && status == SL_OK) {
        size_t some = n < FRAME - s->filled ? n : FRAME - s->filled;
        float *to = s->frame + s->filled;
        memcpy(to, pcm, some * sizeof *pcm);
        for (size_t i = 0; i < some && s->fade > 0; i++, s->fade--) {
            to[i] *= 1.0F - (float)s->fade / FADE;
        }
        s->filled += some;
        pcm += some;
        n -= some;
        if (s->filled == FRAME) {
            status = encode(s, err);
        }
    }
    return status;
}

sl_status sl_spool_put(sl_spool *s, const float *pcm, size_t n, sl_error **err)
{
    sl_status status = s->begun ? SL_OK : begin(s, err);
    if (status == SL_OK) {
        status = put(s, pcm, n, err);
        s->put += (int64_t)n;
    }
    return status;
}

/* Encodes silence until all that was put can be decoded again. */
static sl_status drain(sl_spool *s, sl_error **err)
{
    sl_status status = SL_OK;
    while (status == SL_OK && s->encoded < s->put + s->lookahead) {
        memset(s->frame + s->filled, 0, (FRAME - s->filled) * sizeof *s->frame);
        status = encode(s, err);
    }
    return status;
}

/* --- cutting ------------------------------------------------------------------------------ */

/* What is needed of the old file around a cut. */
typedef struct again {
    sl_buf bytes;   /* its last pages */
    int64_t packet; /* the first one in them */
    float *pcm;     /* decoded, CONVERGE + WARM + 2 frames */
    int64_t from;   /* the frame of voice that pcm begins with; may be below 0 */
    size_t len;
} again;

static int64_t place_of(const sl_spool *s, int64_t page)
{
    int64_t at = 0;
    if ((size_t)page * sizeof at >= s->places.len) {
        return s->size;
    }
    memcpy(&at, s->places.data + (size_t)page * sizeof at, sizeof at);
    return at;
}

/* The pages from that of packet `first` to that of packet `last`; what is in the making too. */
static sl_status read_pages(sl_spool *s, int64_t first, int64_t last, again *a, sl_error **err)
{
    const sl_spool_file *f = &s->config.file;
    int64_t from = place_of(s, first / PAGE_PACKETS);
    int64_t to = place_of(s, last / PAGE_PACKETS + 1);
    a->packet = first / PAGE_PACKETS * PAGE_PACKETS;
    if (to > from) {
        uint8_t *room = sl_buf_room(&a->bytes, (size_t)(to - from));
        sl_status status = room != NULL ? f->read(f->user, room, (size_t)(to - from), from, err)
                                        : sl_fail_nomem(err);
        if (status != SL_OK) {
            return status;
        }
        a->bytes.len = (size_t)(to - from);
    }
    if (s->ogg.packets > 0) {
        sl_ogg_page(&s->ogg, 0, 0, &a->bytes);
    }
    return a->bytes.failed ? sl_fail_nomem(err) : SL_OK;
}

/* Calls back with each packet from `first` to below `end`; each of ours lies on one page. */
typedef sl_status (*packet_fn)(void *user, int64_t packet, const uint8_t *p, size_t n);

static sl_status each_packet(const again *a, int64_t first, int64_t end, packet_fn fn, void *user)
{
    sl_ogg_found page;
    size_t at = 0;
    int64_t packet = a->packet;
    sl_status status = SL_OK;
    while (status == SL_OK && packet < end &&
           sl_ogg_next(a->bytes.data, a->bytes.len, &at, &page)) {
        size_t from = 0;
        size_t to = 0;
        for (uint32_t i = 0; i < page.segments && status == SL_OK; i++) {
            to += page.lacing[i];
            if (page.lacing[i] == 255) {
                continue;
            }
            if (packet >= first && packet < end) {
                status = fn(user, packet, page.body + from, to - from);
            }
            from = to;
            packet++;
        }
    }
    return status == SL_OK && packet < end ? SL_E_CORRUPT : status;
}

typedef struct decoding {
    OpusDecoder *decoder;
    float *pcm;
    size_t len;
} decoding;

static sl_status decode_packet(void *user, int64_t packet, const uint8_t *p, size_t n)
{
    decoding *d = user;
    (void)packet;
    if (opus_decode_float(d->decoder, p, (int32_t)n, d->pcm + d->len, FRAME, 0) != FRAME) {
        return SL_E_CORRUPT;
    }
    d->len += FRAME;
    return SL_OK;
}

static sl_status decode(again *a, int64_t first, int64_t end, sl_error **err)
{
    int code = OPUS_OK;
    decoding d = {.decoder = opus_decoder_create(SL_VOICE_RATE, 1, &code)};
    d.pcm = sl_mem_array((size_t)(end - first) * FRAME, sizeof *d.pcm);
    sl_status status = SL_E_NOMEM;
    if (d.decoder != NULL && d.pcm != NULL) {
        status = each_packet(a, first, end, decode_packet, &d);
    }
    if (status != SL_OK) {
        (void)sl_fail(err, status, "The voice recorded so far cannot be read back");
    }
    if (d.decoder != NULL) {
        opus_decoder_destroy(d.decoder);
    }
    a->pcm = d.pcm;
    a->len = d.len;
    return status;
}

static sl_status keep_packet(void *user, int64_t packet, const uint8_t *p, size_t n)
{
    sl_spool *s = user;
    (void)packet;
    return sl_ogg_packet(&s->ogg, p, n) ? SL_OK : SL_E_CORRUPT;
}

/* The file and the page in the making end with the last of `kept` packets. */
static sl_status drop_packets(sl_spool *s, const again *a, int64_t kept, sl_error **err)
{
    const sl_spool_file *f = &s->config.file;
    int64_t pages = kept / PAGE_PACKETS;
    int64_t size = place_of(s, pages);
    sl_status status = size < s->size ? f->truncate(f->user, size, err) : SL_OK;
    if (status != SL_OK) {
        return status;
    }
    s->size = size;
    if ((size_t)pages * sizeof size < s->places.len) {
        s->places.len = (size_t)pages * sizeof size;
    }
    s->ogg.sequence = (uint32_t)(HEADER_PAGES + pages);
    s->kept = kept;
    status = each_packet(a, pages * PAGE_PACKETS, kept, keep_packet, s);
    if (status == SL_OK && !s->ogg.body.failed) {
        return SL_OK;
    }
    return status != SL_OK ? sl_fail(err, status, "The voice recorded so far cannot be read back")
                           : sl_fail_nomem(err);
}

/* The decoder is where one is that has heard the packets up to `kept`, from `first` on. */
static sl_status listen_again(sl_spool *s, const again *a, int64_t first, int64_t kept,
                              sl_error **err)
{
    if (s->decoder == NULL) {
        return SL_OK;
    }
    (void)opus_decoder_ctl(s->decoder, OPUS_RESET_STATE);
    s->between = (sl_true_peak){0};
    sl_buf known = s->peaks;
    s->peaks = (sl_buf){0};
    sl_status status = each_packet(a, first, kept, hear, s);
    sl_buf_free(&s->peaks);
    s->peaks = known;
    s->peaks.len = (size_t)kept * sizeof(float);
    return status == SL_OK ? SL_OK
                           : sl_fail(err, status, "The voice recorded so far cannot be read back");
}

/* The encoder hears again what came before the cut, from frame `begin` of 20 ms on. */
static sl_status hear_again(sl_spool *s, const again *a, int64_t begin, int64_t frames,
                            sl_error **err)
{
    (void)opus_encoder_ctl(s->encoder, OPUS_RESET_STATE);
    s->filled = 0;
    s->fade = 0;
    s->over = 0;
    s->encoded = begin * FRAME;
    s->put = frames;
    size_t offset = (size_t)(begin * FRAME - a->from);
    size_t n = (size_t)(frames - begin * FRAME);
    float *pcm = a->pcm + offset;
    for (size_t i = 0; i < FADE && i < n; i++) {
        pcm[n - 1 - i] *= (float)i / FADE;
    }
    sl_status status = put(s, pcm, n, err);
    s->fade = FADE;
    return status;
}

static int64_t at_least_zero(int64_t v)
{
    return v < 0 ? 0 : v;
}

sl_status sl_spool_cut(sl_spool *s, int64_t frames, sl_error **err)
{
    if (frames >= s->put) {
        return SL_OK;
    }
    sl_status status = drain(s, err);
    if (status != SL_OK) {
        return status;
    }
    /* Packet k is heard at frames k * FRAME - lookahead on. */
    int64_t kept = (frames + s->lookahead) / FRAME;
    int64_t begin = at_least_zero(frames / FRAME - WARM);
    int64_t first = at_least_zero(begin - CONVERGE);
    again a = {.from = first * FRAME - s->lookahead};
    status = read_pages(s, first, kept, &a, err);
    if (status == SL_OK) {
        status = decode(&a, first, kept + 1, err);
    }
    if (status == SL_OK) {
        status = drop_packets(s, &a, kept, err);
    }
    if (status == SL_OK) {
        status = listen_again(s, &a, first, kept, err);
    }
    if (status == SL_OK) {
        status = hear_again(s, &a, begin, frames, err);
    }
    sl_buf_free(&a.bytes);
    sl_mem_free(a.pcm);
    return status;
}

/* --- the end ------------------------------------------------------------------------------ */

/* The head again, with the gain; as long as the first one. */
static sl_status write_gain(sl_spool *s, double gain, sl_error **err)
{
    double q = round(gain * 256.0);
    sl_ogg_writer ogg = {.serial = s->config.serial};
    sl_buf page = {0};
    put_head(s, (int16_t)(q > 32767.0 ? 32767.0 : q < -32768.0 ? -32768.0 : q), &ogg);
    sl_ogg_page(&ogg, 0, SL_OGG_FIRST, &page);
    const sl_spool_file *f = &s->config.file;
    sl_status status =
        page.failed ? sl_fail_nomem(err) : f->write(f->user, page.data, page.len, 0, err);
    sl_ogg_writer_free(&ogg);
    sl_buf_free(&page);
    return status;
}

sl_status sl_spool_end(sl_spool *s, sl_error **err)
{
    sl_status status = s->begun ? SL_OK : begin(s, err);
    s->end = s->put + s->lookahead;
    while (status == SL_OK && (s->encoded < s->end || s->ogg.packets == 0)) {
        memset(s->frame + s->filled, 0, (FRAME - s->filled) * sizeof *s->frame);
        status = encode(s, err);
    }
    return status;
}

float sl_spool_peak(const sl_spool *s)
{
    float most = 0.0F;
    for (size_t at = 0; at + sizeof(float) <= s->peaks.len; at += sizeof(float)) {
        float peak = 0.0F;
        memcpy(&peak, s->peaks.data + at, sizeof peak);
        most = peak > most ? peak : most;
    }
    return most;
}

sl_status sl_spool_finish(sl_spool *s, double gain, sl_error **err)
{
    sl_status status = sl_spool_end(s, err);
    if (status == SL_OK && gain != 0.0) {
        status = write_gain(s, gain, err);
    }
    return status == SL_OK ? end_page(s, s->end, SL_OGG_LAST, err) : status;
}
