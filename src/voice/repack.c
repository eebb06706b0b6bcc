/*
 * voice/repack.c - a stretch of a voice, and CAF. MP4 is in mp4.c.
 */
#include "voice/repack.h"

#include "voice/listen.h"
#include "voice/ogg.h"
#include "voice/packets.h"
#include "voice/regain.h"

enum {
    BEFORE = 7680,     /* frames for the decoder to become right: 160 ms */
    PAGE_FRAMES = 9600 /* 200 ms */
};

sl_status sl_packets_open(const uint8_t *p, size_t n, sl_listener **l, sl_error **err)
{
    sl_status status = sl_listen_open(p, n, l, err);
    if (status == SL_OK && sl_listen_frames(*l) == 0) {
        status = sl_fail(err, SL_E_INVALID, "There is no sound in the voice");
    }
    if (status != SL_OK) {
        sl_listen_close(*l);
        *l = NULL;
    }
    return status;
}

sl_status sl_packets_next(sl_listener *l, sl_packet *packet, sl_error **err)
{
    bool gap = false;
    packet->n = sl_listen_packet(l, packet, &gap) ? packet->n : 0;
    return gap ? sl_fail(err, SL_E_INVALID, "Part of the voice is missing") : SL_OK;
}

/* --- a stretch ---------------------------------------------------------------------------- */

typedef struct cutting {
    sl_listener *l;
    sl_ogg_writer ogg;
    sl_buf *out;
    int64_t from; /* frames, the skipped ones included */
    int64_t to;
    int64_t begin;   /* of the first packet copied */
    int64_t page_at; /* where the page in the making begins */
} cutting;

static void put_header(cutting *c, sl_buf *packet, uint8_t flags)
{
    if (packet->failed) {
        c->out->failed = true;
    } else {
        (void)sl_ogg_packet(&c->ogg, packet->data, packet->len);
        sl_ogg_page(&c->ogg, 0, flags, c->out);
    }
    sl_buf_free(packet);
}

static void put_headers(cutting *c)
{
    sl_head head = *sl_listen_head(c->l);
    sl_buf packet = {0};
    head.skip = (uint16_t)(c->from - c->begin);
    sl_head_put(&packet, &head);
    put_header(c, &packet, SL_OGG_FIRST);
    sl_head_tags(&packet);
    put_header(c, &packet, 0);
}

/* The packet into the page in the making, which is ended before when it is long enough. */
static sl_status put_sound(cutting *c, const sl_packet *packet, sl_error **err)
{
    bool long_enough = packet->at - c->page_at >= PAGE_FRAMES;
    if (long_enough || !sl_ogg_packet(&c->ogg, packet->p, packet->n)) {
        sl_ogg_page(&c->ogg, (uint64_t)(packet->at - c->begin), 0, c->out);
        c->page_at = packet->at;
        if (!sl_ogg_packet(&c->ogg, packet->p, packet->n)) {
            return sl_fail(err, SL_E_INVALID, "A packet of the voice is too long");
        }
    }
    return SL_OK;
}

static sl_status copy_stretch(cutting *c, sl_error **err)
{
    sl_packet packet;
    sl_status status = SL_OK;
    bool begun = false;
    sl_listen_packets(c->l);
    while ((status = sl_packets_next(c->l, &packet, err)) == SL_OK && packet.n > 0 &&
           packet.at < c->to) {
        if (packet.at + packet.frames <= c->from - BEFORE) {
            continue;
        }
        if (!begun) {
            c->begin = packet.at;
            c->page_at = packet.at;
            put_headers(c);
            begun = true;
        }
        status = put_sound(c, &packet, err);
        if (status != SL_OK) {
            return status;
        }
    }
    if (status == SL_OK) {
        sl_ogg_page(&c->ogg, (uint64_t)(c->to - c->begin), SL_OGG_LAST, c->out);
    }
    return status;
}

sl_status sl_repack_cut(const uint8_t *p, size_t n, int64_t from, int64_t to, sl_buf *out,
                        sl_error **err)
{
    cutting c = {.out = out};
    sl_status status = sl_packets_open(p, n, &c.l, err);
    if (status != SL_OK) {
        return status;
    }
    int64_t total = sl_listen_frames(c.l);
    int64_t end = to < 0 || to > total ? total : to;
    if (from < 0 || from >= end) {
        status = sl_fail(err, SL_E_INVALID, "The stretch to keep is empty");
    } else {
        c.from = from + sl_listen_head(c.l)->skip;
        c.to = end + sl_listen_head(c.l)->skip;
        c.ogg.serial = sl_ogg_crc(p, n < 4096 ? n : 4096) ^ (uint32_t)from; /* any number */
        status = copy_stretch(&c, err);
    }
    sl_listen_close(c.l);
    sl_ogg_writer_free(&c.ogg);
    return status == SL_OK && out->failed ? sl_fail_nomem(err) : status;
}

/* --- CAF ---------------------------------------------------------------------------------- */

static void be(sl_buf *b, uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        sl_buf_u8(b, (uint8_t)(v >> (8 * i)));
    }
}

/* Seven bits a byte, the highest first; the top bit says that more come. */
static void caf_size(sl_buf *b, size_t n)
{
    if (n >= 1U << 14) {
        sl_buf_u8(b, (uint8_t)(n >> 14 | 0x80));
    }
    if (n >= 1U << 7) {
        sl_buf_u8(b, (uint8_t)((n >> 7 & 0x7f) | 0x80));
    }
    sl_buf_u8(b, (uint8_t)(n & 0x7f));
}

typedef struct caf {
    sl_buf sizes;
    sl_buf sound;
    int64_t packets;
    int frames; /* of each */
} caf;

static sl_status caf_collect(sl_listener *l, caf *c, sl_error **err)
{
    sl_packet packet;
    sl_status status = SL_OK;
    sl_listen_packets(l);
    while ((status = sl_packets_next(l, &packet, err)) == SL_OK && packet.n > 0) {
        c->frames = c->packets == 0 ? packet.frames : c->frames;
        if (packet.frames != c->frames) {
            return sl_fail(err, SL_E_INVALID, "The packets of the voice differ in length");
        }
        caf_size(&c->sizes, packet.n);
        sl_buf_put(&c->sound, packet.p, packet.n);
        c->packets++;
    }
    return status;
}

static void caf_write(const caf *c, const sl_head *head, int64_t frames, sl_buf *out)
{
    int64_t rest = c->packets * c->frames - head->skip - frames;
    sl_buf_str(out, "caff");
    be(out, 1U << 16, 4); /* version 1, no flags */
    sl_buf_str(out, "desc");
    be(out, 32, 8);
    be(out, 0x40e7700000000000U, 8); /* 48000.0 */
    sl_buf_str(out, "opus");
    be(out, 0, 4); /* flags */
    be(out, 0, 4); /* bytes of a packet: they differ */
    be(out, (uint32_t)c->frames, 4);
    be(out, head->channels, 4);
    be(out, 0, 4); /* bits */
    sl_buf_str(out, "pakt");
    be(out, 24 + c->sizes.len, 8);
    be(out, (uint64_t)c->packets, 8);
    be(out, (uint64_t)frames, 8);
    be(out, head->skip, 4);
    be(out, rest > 0 ? (uint64_t)rest : 0, 4);
    sl_buf_put(out, c->sizes.data, c->sizes.len);
    sl_buf_str(out, "data");
    be(out, 4 + c->sound.len, 8);
    be(out, 0, 4); /* edits */
    sl_buf_put(out, c->sound.data, c->sound.len);
}

/* Of a voice without a gain; out NULL: only whether it can be. */
static sl_status caf_of(sl_listener *l, sl_buf *out, sl_error **err)
{
    caf c = {{0}, {0}, 0, 0};
    sl_status status = caf_collect(l, &c, err);
    if (status == SL_OK && (c.sizes.failed || c.sound.failed)) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK && out != NULL) {
        caf_write(&c, sl_listen_head(l), sl_listen_frames(l), out);
    }
    sl_buf_free(&c.sizes);
    sl_buf_free(&c.sound);
    return status;
}

/* Of one with a gain, which is whole: its packets were all there. */
static sl_status caf_with_gain(const uint8_t *p, size_t n, sl_buf *out, sl_error **err)
{
    sl_buf made = {0};
    sl_listener *l = NULL;
    sl_status status = sl_regain(p, n, &made, err);
    if (status == SL_OK) {
        status = sl_packets_open(made.data, made.len, &l, err);
    }
    if (status == SL_OK) {
        status = caf_of(l, out, err);
        sl_listen_close(l);
    }
    sl_buf_free(&made);
    return status;
}

sl_status sl_repack_caf(const uint8_t *p, size_t n, sl_buf *out, sl_error **err)
{
    sl_listener *l = NULL;
    sl_status status = sl_packets_open(p, n, &l, err);
    if (status != SL_OK) {
        return status;
    }
    bool plain = sl_listen_head(l)->gain == 0;
    status = caf_of(l, plain ? out : NULL, err);
    if (status == SL_OK && !plain) {
        status = caf_with_gain(p, n, out, err);
    }
    sl_listen_close(l);
    return status == SL_OK && out->failed ? sl_fail_nomem(err) : status;
}
