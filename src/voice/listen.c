/*
 * voice/listen.c - two passes over the same packets: one that only counts, at open, and one
 * that decodes, as it is read. A packet that does not decode is silence of its length.
 */
#include "voice/listen.h"

#include "base/mem.h"
#include "voice/ogg.h"
#include "voice/resample.h"

#include <opus.h>
#include <string.h>

enum {
    PACKET_MAX = 61440, /* of any stream that makes sense: RFC 7845, 6 */
    FRAMES_MAX = 5760,  /* 120 ms, the longest packet */
    CONVERGE = 11520,   /* frames until a decoder that began in the middle is right: 240 ms */
    MARK_SPAN = SL_VOICE_RATE / 2
};

/* A page that reading can begin with. */
typedef struct mark {
    int64_t place; /* frames before its first packet */
    size_t at;
} mark;

static const int64_t total_max = (int64_t)SL_LISTEN_HOURS_MAX * 3600 * SL_VOICE_RATE;

struct sl_listener {
    const uint8_t *p;
    size_t n;
    uint32_t serial;
    size_t sound_at; /* the first page after the head */
    sl_head head;
    int64_t skip; /* frames before the sound begins */
    sl_buf marks; /* at least MARK_SPAN apart */
    bool marking;
    int64_t total; /* frames of sound */
    OpusDecoder *decoder;
    /* The walk: */
    size_t at;
    sl_ogg_found page;
    uint32_t segment; /* of the page, the next one */
    size_t offset;    /* in its body */
    uint32_t sequence;
    bool sequenced; /* a page came before this one */
    bool tags_seen;
    bool ended;
    int64_t place;   /* frames walked over, the skipped ones included */
    int64_t silence; /* of missing pages, to come before the next packet */
    uint64_t granule_last;
    bool last_page;
    size_t partial; /* bytes of a packet begun on an earlier page */
    size_t held;    /* bytes of the packet found and not decoded yet */
    int held_frames;
    uint8_t *packet;
    /* Decoded and not given yet: */
    float *pcm;
    size_t pcm_at;
    size_t pcm_len;
    int64_t skip_left;
    int64_t given;
};

static void rewind_walk(sl_listener *l)
{
    l->at = l->sound_at;
    l->page = (sl_ogg_found){0};
    l->segment = 0;
    l->offset = 0;
    l->sequenced = false;
    l->tags_seen = false;
    l->ended = false;
    l->place = 0;
    l->silence = 0;
    l->last_page = false;
    l->granule_last = UINT64_MAX;
    l->partial = 0;
    l->held = 0;
    l->pcm_at = 0;
    l->pcm_len = 0;
    l->skip_left = l->skip;
    l->given = 0;
}

/* Frames of the packets that begin and end on this page. */
static int64_t page_frames(const sl_ogg_found *page)
{
    int64_t sum = 0;
    size_t at = 0;
    size_t begin = 0;
    for (uint32_t i = 0; i < page->segments; i++) {
        at += page->lacing[i];
        if (page->lacing[i] < 255) {
            int n = at > begin ? opus_packet_get_nb_samples(page->body + begin,
                                                            (int32_t)(at - begin), SL_VOICE_RATE)
                               : 0;
            sum += n > 0 ? n : 0;
            begin = at;
        }
    }
    return sum;
}

/* Pages are missing before this one: how much sound they held follows from its granule. */
static void note_missing(sl_listener *l)
{
    l->partial = 0;
    if (l->page.granule > (uint64_t)total_max * 2) {
        return;
    }
    int64_t begin = (int64_t)l->page.granule - page_frames(&l->page);
    if (begin > l->place && l->tags_seen) {
        l->silence = begin - l->place;
    }
}

/* The page goes on with a packet whose beginning is gone. */
static void pass_rest(sl_listener *l)
{
    uint8_t lace = 255;
    while (lace == 255 && l->segment < l->page.segments) {
        lace = l->page.lacing[l->segment++];
        l->offset += lace;
    }
}

static void note_mark(sl_listener *l)
{
    mark m = {l->place + l->silence, l->page.at};
    mark last = {-MARK_SPAN, 0};
    if (l->marks.len > 0) {
        memcpy(&last, l->marks.data + l->marks.len - sizeof last, sizeof last);
    }
    if (l->tags_seen && m.place - last.place >= MARK_SPAN) {
        sl_buf_put(&l->marks, &m, sizeof m);
    }
}

static void begin_page(sl_listener *l)
{
    l->segment = 0;
    l->offset = 0;
    if (l->sequenced && l->page.sequence != l->sequence + 1) {
        note_missing(l);
    }
    if ((l->page.flags & SL_OGG_CONTINUED) == 0) {
        l->partial = 0;
    } else if (l->partial == 0) {
        pass_rest(l);
    }
    if (l->marking && (l->page.flags & SL_OGG_CONTINUED) == 0) {
        note_mark(l);
    }
    l->sequence = l->page.sequence;
    l->sequenced = true;
    l->last_page = (l->page.flags & SL_OGG_LAST) != 0;
    if (l->page.granule != UINT64_MAX) {
        l->granule_last = l->page.granule;
    }
}

static bool next_page(sl_listener *l)
{
    while (!l->ended && sl_ogg_next(l->p, l->n, &l->at, &l->page)) {
        if (l->page.serial == l->serial) {
            begin_page(l);
            return true;
        }
    }
    l->ended = true;
    return false;
}

/* One segment of the page into the packet; the packet's length when that ends it, else 0. */
static size_t take_segment(sl_listener *l)
{
    uint8_t lace = l->page.lacing[l->segment++];
    size_t room = PACKET_MAX - l->partial;
    size_t some = lace < room ? lace : room; /* what is longer is no sound */
    memcpy(l->packet + l->partial, l->page.body + l->offset, some);
    l->partial += some;
    l->offset += lace;
    if (lace == 255) {
        return 0;
    }
    size_t n = l->partial;
    l->partial = 0;
    return n;
}

/* The next packet, whole, in l->packet; its length, 0 at the end. */
static size_t next_packet(sl_listener *l)
{
    for (;;) {
        while (l->segment < l->page.segments) {
            size_t n = take_segment(l);
            if (n > 0) {
                return n;
            }
        }
        if (l->last_page || !next_page(l)) {
            return 0;
        }
    }
}

/* The next packet with sound: past the tags. *frames: how long it is. */
static size_t next_sound(sl_listener *l, int *frames)
{
    for (;;) {
        size_t n = next_packet(l);
        if (n == 0) {
            return 0;
        }
        if (!l->tags_seen) {
            l->tags_seen = true;
            if (sl_head_is_tags(l->packet, n)) {
                continue;
            }
        }
        *frames = opus_packet_get_nb_samples(l->packet, (int32_t)n, SL_VOICE_RATE);
        if (*frames > 0 && *frames <= FRAMES_MAX) {
            return n;
        }
    }
}

static sl_status count(sl_listener *l, sl_error **err)
{
    int frames = 0;
    rewind_walk(l);
    l->marking = true;
    while (next_sound(l, &frames) > 0) {
        l->place += l->silence + frames;
        l->silence = 0;
        if (l->place > total_max) {
            return sl_fail(err, SL_E_LIMIT, "The voice is longer than %d hours",
                           SL_LISTEN_HOURS_MAX);
        }
    }
    l->marking = false;
    if (l->marks.failed) {
        return sl_fail_nomem(err);
    }
    if (l->last_page && l->granule_last < (uint64_t)l->place) {
        l->place = (int64_t)l->granule_last;
    }
    l->total = l->place > l->skip ? l->place - l->skip : 0;
    rewind_walk(l);
    return SL_OK;
}

/* The first page of the first Opus stream. */
static sl_status find_head(sl_listener *l, sl_error **err)
{
    sl_ogg_found page;
    size_t at = 0;
    while (sl_ogg_next(l->p, l->n, &at, &page)) {
        if ((page.flags & SL_OGG_FIRST) == 0 || !sl_head_is(page.body, page.body_len)) {
            continue;
        }
        if (!sl_head_read(page.body, page.body_len, &l->head)) {
            return sl_fail(err, SL_E_INVALID, "The voice is not Opus of one or two channels");
        }
        l->skip = l->head.skip;
        l->serial = page.serial;
        l->sound_at = at;
        return SL_OK;
    }
    return sl_fail(err, SL_E_INVALID, "The voice is not an Ogg Opus file");
}

sl_status sl_listen_open(const uint8_t *p, size_t n, sl_listener **out, sl_error **err)
{
    *out = NULL;
    sl_listener *l = sl_mem(sizeof *l);
    if (l == NULL) {
        return sl_fail_nomem(err);
    }
    l->p = p;
    l->n = n;
    int code = OPUS_OK;
    sl_status status = find_head(l, err);
    if (status == SL_OK) {
        l->packet = sl_mem(PACKET_MAX);
        l->pcm = sl_mem_array(FRAMES_MAX, sizeof *l->pcm);
        l->decoder = opus_decoder_create(SL_VOICE_RATE, 1, &code);
        if (l->packet == NULL || l->pcm == NULL || l->decoder == NULL ||
            opus_decoder_ctl(l->decoder, OPUS_SET_GAIN(l->head.gain)) != OPUS_OK) {
            status = sl_fail_nomem(err);
        }
    }
    if (status == SL_OK) {
        status = count(l, err);
    }
    if (status != SL_OK) {
        sl_listen_close(l);
        return status;
    }
    *out = l;
    return SL_OK;
}

void sl_listen_close(sl_listener *l)
{
    if (l == NULL) {
        return;
    }
    if (l->decoder != NULL) {
        opus_decoder_destroy(l->decoder);
    }
    sl_buf_free(&l->marks);
    sl_mem_free(l->packet);
    sl_mem_free(l->pcm);
    sl_mem_free(l);
}

int64_t sl_listen_frames(const sl_listener *l)
{
    return l->total;
}

/* The next stretch of sound, or of silence for missing pages, into l->pcm. */
static bool refill(sl_listener *l)
{
    if (l->held == 0) {
        l->held = next_sound(l, &l->held_frames);
        if (l->held == 0) {
            return false;
        }
    }
    l->pcm_at = 0;
    if (l->silence > 0) {
        l->pcm_len = l->silence < FRAMES_MAX ? (size_t)l->silence : FRAMES_MAX;
        memset(l->pcm, 0, l->pcm_len * sizeof *l->pcm);
        l->silence -= (int64_t)l->pcm_len;
    } else {
        l->pcm_len = (size_t)l->held_frames;
        int n = opus_decode_float(l->decoder, l->packet, (int32_t)l->held, l->pcm, FRAMES_MAX, 0);
        if (n != l->held_frames) {
            memset(l->pcm, 0, l->pcm_len * sizeof *l->pcm);
        }
        l->held = 0;
    }
    l->place += (int64_t)l->pcm_len;
    return true;
}

size_t sl_listen_read(sl_listener *l, float *dst, size_t max)
{
    size_t done = 0;
    while (done < max && l->given < l->total) {
        size_t left = l->pcm_len - l->pcm_at;
        if (left == 0) {
            if (!refill(l)) {
                break;
            }
            continue;
        }
        if (l->skip_left > 0) {
            size_t drop = (uint64_t)l->skip_left < left ? (size_t)l->skip_left : left;
            l->pcm_at += drop;
            l->skip_left -= (int64_t)drop;
            continue;
        }
        size_t want = max - done;
        int64_t rest = l->total - l->given;
        size_t n = left < want ? left : want;
        n = (uint64_t)rest < n ? (size_t)rest : n;
        memcpy(dst + done, l->pcm + l->pcm_at, n * sizeof *dst);
        l->pcm_at += n;
        l->given += (int64_t)n;
        done += n;
    }
    return done;
}

/* The walk and the decoder as they are before the page of a mark. */
static void go_to(sl_listener *l, const mark *m)
{
    rewind_walk(l);
    l->at = m->at;
    l->place = m->place;
    l->tags_seen = true;
    (void)opus_decoder_ctl(l->decoder, OPUS_RESET_STATE);
}

void sl_listen_seek(sl_listener *l, int64_t frame)
{
    int64_t to = frame < 0 ? 0 : frame > l->total ? l->total : frame;
    int64_t want = to + l->skip - CONVERGE;
    size_t low = 0;
    size_t high = l->marks.len / sizeof(mark);
    mark m = {0, 0};
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        memcpy(&m, l->marks.data + mid * sizeof m, sizeof m);
        if (m.place <= want) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low > 0) {
        memcpy(&m, l->marks.data + (low - 1) * sizeof m, sizeof m);
        go_to(l, &m);
    } else {
        rewind_walk(l);
        (void)opus_decoder_ctl(l->decoder, OPUS_RESET_STATE);
    }
    l->skip_left = to + l->skip - l->place;
    l->given = to;
}

const sl_head *sl_listen_head(const sl_listener *l)
{
    return &l->head;
}

void sl_listen_packets(sl_listener *l)
{
    rewind_walk(l);
    (void)opus_decoder_ctl(l->decoder, OPUS_RESET_STATE);
}

bool sl_listen_packet(sl_listener *l, sl_packet *packet, bool *gap)
{
    packet->frames = 0;
    packet->n = next_sound(l, &packet->frames);
    packet->p = l->packet;
    *gap = l->silence > 0;
    l->place += l->silence;
    l->silence = 0;
    packet->at = l->place;
    l->place += packet->frames;
    return packet->n > 0;
}
