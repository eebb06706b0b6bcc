/*
 * voice/player.c - every 10 ms of what is given are a piece of the voice near the place due: the
 * one, at most 8 ms away, that best goes on from the piece before, faded in over that one's
 * continuation.
 */
#include "voice/player.h"

#include "base/mem.h"
#include "voice/listen.h"

#include <math.h>
#include <string.h>

enum {
    HOP = 480,
    REACH = 384, /* to each side of the place due */
    COARSE = 4,  /* the search looks at every fourth place and frame first */
    HELD_MAX = 16384
};

struct sl_player {
    sl_listener *listener;
    int64_t total;
    int32_t rate;
    int64_t due;  /* thousandths of a frame: the place of the next piece */
    int64_t from; /* the frame that held begins with */
    size_t held_len;
    float held[HELD_MAX];
    bool has_tail;
    float tail[HOP]; /* how the piece before would go on */
    float piece[HOP];
    size_t piece_at;
    size_t piece_len;
    int64_t piece_due; /* the place of its first frame, in thousandths */
};

sl_status sl_player_open(const uint8_t *p, size_t n, sl_player **out, sl_error **err)
{
    *out = NULL;
    sl_player *v = sl_mem(sizeof *v);
    if (v == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = sl_listen_open(p, n, &v->listener, err);
    if (status != SL_OK) {
        sl_mem_free(v);
        return status;
    }
    v->total = sl_listen_frames(v->listener);
    v->rate = SL_PLAYER_RATE_ONE;
    *out = v;
    return SL_OK;
}

void sl_player_close(sl_player *p)
{
    if (p != NULL) {
        sl_listen_close(p->listener);
        sl_mem_free(p);
    }
}

int64_t sl_player_frames(const sl_player *p)
{
    return p->total;
}

int64_t sl_player_place(const sl_player *p)
{
    int64_t left =
        p->piece_at < p->piece_len ? p->piece_due + (int64_t)p->piece_at * p->rate : p->due;
    int64_t place = left / SL_PLAYER_RATE_ONE;
    return place < p->total ? place : p->total;
}

static void go_to(sl_player *p, int64_t frame)
{
    p->due = frame * SL_PLAYER_RATE_ONE;
    p->from = frame > REACH ? frame - REACH : 0;
    p->held_len = 0;
    p->piece_at = 0;
    p->piece_len = 0;
    sl_listen_seek(p->listener, p->from);
}

void sl_player_seek(sl_player *p, int64_t frame)
{
    go_to(p, frame < 0 ? 0 : frame > p->total ? p->total : frame);
    p->has_tail = false;
}

void sl_player_set_rate(sl_player *p, int32_t rate)
{
    int64_t place = sl_player_place(p);
    if (rate == p->rate) {
        return;
    }
    /* What is left of the piece is how the sound would have gone on. */
    size_t left = p->piece_len - p->piece_at;
    memmove(p->tail + left, p->tail, (HOP - left) * sizeof *p->tail);
    memcpy(p->tail, p->piece + p->piece_at, left * sizeof *p->tail);
    p->has_tail = p->piece_len > 0;
    go_to(p, place);
    p->rate = rate;
}

/* Holds the frames from `first` to below `end`; silence beyond the end of the voice. */
static void hold(sl_player *p, int64_t first, int64_t end)
{
    if (first > p->from) {
        size_t drop = (size_t)(first - p->from);
        drop = drop < p->held_len ? drop : p->held_len;
        memmove(p->held, p->held + drop, (p->held_len - drop) * sizeof *p->held);
        p->held_len -= drop;
        p->from += (int64_t)drop;
    }
    while (p->from < first) { /* what is passed over at a fast rate */
        size_t skip = first - p->from < HELD_MAX ? (size_t)(first - p->from) : HELD_MAX;
        size_t got = sl_listen_read(p->listener, p->held, skip);
        p->from += (int64_t)(got > 0 ? got : skip);
    }
    while (p->from + (int64_t)p->held_len < end) {
        size_t want = (size_t)(end - p->from) - p->held_len;
        size_t got = sl_listen_read(p->listener, p->held + p->held_len, want);
        if (got == 0) {
            memset(p->held + p->held_len, 0, want * sizeof *p->held);
            got = want;
        }
        p->held_len += got;
    }
}

/* How well what lies at x goes on from the tail; every step-th frame is looked at. */
static float likeness(const float *tail, const float *x, int step)
{
    float same = 0.0F;
    float power = 1e-9F;
    for (int i = 0; i < HOP; i += step) {
        same += tail[i] * x[i];
        power += x[i] * x[i];
    }
    return same / sqrtf(power);
}

static int64_t search(const sl_player *p, int64_t first, int64_t last, int step)
{
    int64_t best = first;
    float most = -1e30F;
    for (int64_t at = first; at <= last; at += step) {
        float like = likeness(p->tail, p->held + (at - p->from), step);
        if (like > most) {
            most = like;
            best = at;
        }
    }
    return best;
}

/* The frame that the next piece begins with. */
static int64_t choose(const sl_player *p, int64_t place)
{
    if (!p->has_tail || p->rate == SL_PLAYER_RATE_ONE) {
        return place;
    }
    int64_t first = place > REACH ? place - REACH : 0;
    int64_t near = search(p, first, place + REACH, COARSE);
    int64_t low = near - COARSE > first ? near - COARSE : first;
    int64_t high = near + COARSE < place + REACH ? near + COARSE : place + REACH;
    return search(p, low, high, 1);
}

static void make_piece(sl_player *p)
{
    int64_t place = p->due / SL_PLAYER_RATE_ONE;
    hold(p, place > REACH ? place - REACH : 0, place + REACH + 2 * HOP);
    const float *at = p->held + (choose(p, place) - p->from);
    memcpy(p->piece, at, sizeof p->piece);
    for (int i = 0; i < HOP && p->has_tail; i++) {
        float part = ((float)i + 0.5F) / HOP;
        p->piece[i] = part * at[i] + (1.0F - part) * p->tail[i];
    }
    memcpy(p->tail, at + HOP, sizeof p->tail);
    /* At the usual rate the next piece is the tail itself: nothing is to be faded. */
    p->has_tail = p->rate != SL_PLAYER_RATE_ONE;
    p->piece_due = p->due;
    p->piece_at = 0;
    p->piece_len = HOP;
    int64_t left = (p->total * SL_PLAYER_RATE_ONE - p->due + p->rate - 1) / p->rate;
    if (left < HOP) {
        p->piece_len = (size_t)left;
    }
    p->due += (int64_t)HOP * p->rate;
}

size_t sl_player_read(sl_player *p, float *dst, size_t max)
{
    size_t done = 0;
    while (done < max) {
        if (p->piece_at == p->piece_len) {
            if (p->due >= p->total * SL_PLAYER_RATE_ONE) {
                break;
            }
            make_piece(p);
        }
        size_t left = p->piece_len - p->piece_at;
        size_t n = left < max - done ? left : max - done;
        memcpy(dst + done, p->piece + p->piece_at, n * sizeof *dst);
        p->piece_at += n;
        done += n;
    }
    return done;
}
