/*
 * voice/mp4.c - all of a voice as an MP4 that begins with its index. One second of packets makes a
 * chunk; an edit takes off what the decoder needs first and what lies behind the end; the roll
 * group says that a decoder that begins in the middle wants 80 ms before.
 */
#include "voice/packets.h"
#include "voice/repack.h"
#include "voice/resample.h"

enum {
    CHUNK_PACKETS = 50,
    ROLL_FRAMES = 3840,
    BOXES_MAX = 8,
    SIZE_MAX_BYTES = 1 << 30
};

typedef struct mp4 {
    sl_buf *out;
    size_t box[BOXES_MAX]; /* where the open ones begin */
    int depth;
    sl_buf sizes;  /* uint32_t of each packet */
    sl_buf frames; /* uint32_t of each packet */
    sl_buf sound;
    uint32_t packets;
    int64_t total;    /* frames of all packets */
    size_t chunks_at; /* where the places of the chunks are to be written */
} mp4;

static void be16(mp4 *m, uint32_t v)
{
    sl_buf_u8(m->out, (uint8_t)(v >> 8));
    sl_buf_u8(m->out, (uint8_t)v);
}

static void be32(mp4 *m, uint32_t v)
{
    be16(m, v >> 16);
    be16(m, v & 0xffff);
}

static void be64(mp4 *m, uint64_t v)
{
    be32(m, (uint32_t)(v >> 32));
    be32(m, (uint32_t)v);
}

static void zeros(mp4 *m, int n)
{
    for (int i = 0; i < n; i++) {
        sl_buf_u8(m->out, 0);
    }
}

static void set32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

static void open_box(mp4 *m, const char *type)
{
    m->box[m->depth++] = m->out->len;
    be32(m, 0);
    sl_buf_put(m->out, type, 4);
}

static void open_full(mp4 *m, const char *type, uint32_t version_and_flags)
{
    open_box(m, type);
    be32(m, version_and_flags);
}

static void close_box(mp4 *m)
{
    size_t at = m->box[--m->depth];
    if (!m->out->failed) {
        set32(m->out->data + at, (uint32_t)(m->out->len - at));
    }
}

static uint32_t value(const sl_buf *list, uint32_t i)
{
    uint32_t v = 0;
    memcpy(&v, list->data + (size_t)i * sizeof v, sizeof v);
    return v;
}

static sl_status collect(sl_listener *l, mp4 *m, sl_error **err)
{
    sl_packet packet;
    sl_status status = SL_OK;
    sl_listen_packets(l);
    while ((status = sl_packets_next(l, &packet, err)) == SL_OK && packet.n > 0) {
        uint32_t size = (uint32_t)packet.n;
        uint32_t frames = (uint32_t)packet.frames;
        sl_buf_put(&m->sizes, &size, sizeof size);
        sl_buf_put(&m->frames, &frames, sizeof frames);
        sl_buf_put(&m->sound, packet.p, packet.n);
        m->packets++;
        m->total += packet.frames;
        if (m->sound.len > SIZE_MAX_BYTES) {
            return sl_fail(err, SL_E_LIMIT, "The voice is too long");
        }
    }
    if (status == SL_OK && (m->sizes.failed || m->frames.failed || m->sound.failed)) {
        return sl_fail_nomem(err);
    }
    return status;
}

static void put_matrix(mp4 *m)
{
    static const uint32_t unity[9] = {0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};
    for (int i = 0; i < 9; i++) {
        be32(m, unity[i]);
    }
}

static void put_movie_head(mp4 *m, int64_t frames)
{
    open_full(m, "mvhd", 1U << 24);
    be64(m, 0); /* made, changed: not told */
    be64(m, 0);
    be32(m, SL_VOICE_RATE);
    be64(m, (uint64_t)frames);
    be32(m, 0x10000); /* rate */
    be16(m, 0x100);   /* volume */
    zeros(m, 10);
    put_matrix(m);
    zeros(m, 24);
    be32(m, 2); /* the next track */
    close_box(m);
}

static void put_track_head(mp4 *m, const sl_head *head, int64_t frames)
{
    open_full(m, "tkhd", 1U << 24 | 3); /* enabled, in the movie */
    be64(m, 0);
    be64(m, 0);
    be32(m, 1);
    zeros(m, 4);
    be64(m, (uint64_t)frames);
    zeros(m, 12);
    be16(m, 0x100);
    zeros(m, 2);
    put_matrix(m);
    zeros(m, 8);
    close_box(m);
    open_box(m, "edts");
    open_full(m, "elst", 1U << 24);
    be32(m, 1);
    be64(m, (uint64_t)frames);
    be64(m, head->skip);
    be32(m, 0x10000);
    close_box(m);
    close_box(m);
}

static void put_sample_entry(mp4 *m, const sl_head *head)
{
    open_full(m, "stsd", 0);
    be32(m, 1);
    open_box(m, "Opus");
    zeros(m, 6);
    be16(m, 1); /* where the data is */
    zeros(m, 8);
    be16(m, head->channels);
    be16(m, 16);
    zeros(m, 4);
    be32(m, (uint32_t)SL_VOICE_RATE << 16);
    open_box(m, "dOps");
    sl_buf_u8(m->out, 0);
    sl_buf_u8(m->out, head->channels);
    be16(m, head->skip);
    be32(m, head->rate);
    be16(m, (uint16_t)head->gain);
    sl_buf_u8(m->out, 0);
    close_box(m);
    close_box(m);
    close_box(m);
}

/* Runs of packets of the same length. */
static void put_times(mp4 *m)
{
    uint32_t runs = 0;
    open_full(m, "stts", 0);
    size_t count_at = m->out->len;
    be32(m, 0);
    for (uint32_t i = 0; i < m->packets;) {
        uint32_t n = 1;
        while (i + n < m->packets && value(&m->frames, i + n) == value(&m->frames, i)) {
            n++;
        }
        be32(m, n);
        be32(m, value(&m->frames, i));
        i += n;
        runs++;
    }
    if (!m->out->failed) {
        set32(m->out->data + count_at, runs);
    }
    close_box(m);
}

static void put_chunks(mp4 *m)
{
    uint32_t full = m->packets / CHUNK_PACKETS;
    uint32_t rest = m->packets % CHUNK_PACKETS;
    open_full(m, "stsc", 0);
    be32(m, (full > 0 ? 1U : 0U) + (rest > 0 ? 1U : 0U));
    for (int i = 0; i < 2; i++) {
        uint32_t n = i == 0 ? (full > 0 ? CHUNK_PACKETS : 0) : rest;
        if (n > 0) {
            be32(m, i == 0 ? 1 : full + 1);
            be32(m, n);
            be32(m, 1);
        }
    }
    close_box(m);
    open_full(m, "stsz", 0);
    be32(m, 0);
    be32(m, m->packets);
    for (uint32_t i = 0; i < m->packets; i++) {
        be32(m, value(&m->sizes, i));
    }
    close_box(m);
    open_full(m, "stco", 0);
    be32(m, full + (rest > 0 ? 1 : 0));
    m->chunks_at = m->out->len;
    zeros(m, (int)(full + (rest > 0 ? 1 : 0)) * 4);
    close_box(m);
}

static void put_roll(mp4 *m)
{
    uint32_t frames = value(&m->frames, 0);
    uint32_t back = (ROLL_FRAMES + frames - 1) / frames;
    open_full(m, "sgpd", 1U << 24);
    sl_buf_put(m->out, "roll", 4);
    be32(m, 2);
    be32(m, 1);
    be16(m, 0x10000 - back);
    close_box(m);
    open_full(m, "sbgp", 0);
    sl_buf_put(m->out, "roll", 4);
    be32(m, 1);
    be32(m, m->packets);
    be32(m, 1);
    close_box(m);
}

static void put_media(mp4 *m, const sl_head *head)
{
    open_box(m, "mdia");
    open_full(m, "mdhd", 1U << 24);
    be64(m, 0);
    be64(m, 0);
    be32(m, SL_VOICE_RATE);
    be64(m, (uint64_t)m->total);
    be16(m, 0x55c4); /* language: und */
    zeros(m, 2);
    close_box(m);
    open_full(m, "hdlr", 0);
    zeros(m, 4);
    sl_buf_put(m->out, "soun", 4);
    zeros(m, 12);
    sl_buf_put(m->out, "Voice", 6);
    close_box(m);
    open_box(m, "minf");
    open_full(m, "smhd", 0);
    zeros(m, 4);
    close_box(m);
    open_box(m, "dinf");
    open_full(m, "dref", 0);
    be32(m, 1);
    open_full(m, "url ", 1); /* in this file */
    close_box(m);
    close_box(m);
    close_box(m);
    open_box(m, "stbl");
    put_sample_entry(m, head);
    put_times(m);
    put_chunks(m);
    put_roll(m);
    close_box(m);
    close_box(m);
    close_box(m);
}

static void put_sound(mp4 *m)
{
    size_t at = m->out->len + 8;
    uint32_t chunk = 0;
    for (uint32_t i = 0; i < m->packets && !m->out->failed; i++) {
        if (i % CHUNK_PACKETS == 0) {
            set32(m->out->data + m->chunks_at + (size_t)chunk * 4, (uint32_t)at);
            chunk++;
        }
        at += value(&m->sizes, i);
    }
    open_box(m, "mdat");
    sl_buf_put(m->out, m->sound.data, m->sound.len);
    close_box(m);
}

static void put_file(mp4 *m, const sl_head *head, int64_t frames)
{
    open_box(m, "ftyp");
    sl_buf_put(m->out, "isom", 4);
    be32(m, 0x200);
    sl_buf_put(m->out, "isomiso2mp41", 12);
    close_box(m);
    open_box(m, "moov");
    put_movie_head(m, frames);
    open_box(m, "trak");
    put_track_head(m, head, frames);
    put_media(m, head);
    close_box(m);
    close_box(m);
    put_sound(m);
}

sl_status sl_repack_mp4(const uint8_t *p, size_t n, sl_buf *out, sl_error **err)
{
    mp4 m = {.out = out};
    sl_listener *l = NULL;
    sl_status status = sl_packets_open(p, n, &l, err);
    if (status != SL_OK) {
        return status;
    }
    status = collect(l, &m, err);
    if (status == SL_OK) {
        put_file(&m, sl_listen_head(l), sl_listen_frames(l));
    }
    sl_listen_close(l);
    sl_buf_free(&m.sizes);
    sl_buf_free(&m.frames);
    sl_buf_free(&m.sound);
    return status == SL_OK && out->failed ? sl_fail_nomem(err) : status;
}
