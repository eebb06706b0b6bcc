#include "sync/client.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "base/prng.h"

#include <stdio.h>
#include <string.h>

enum {
    FRAMES_MAX = 64, /* of operations, without a receipt */
    GONE_WORDS = (SL_SYNC_WINDOW + 63) / 64 + 1,
    RETRY_MS_MIN = 500,
    RETRY_MS_MAX = 30000,
    FAILURES_MANY = 6, /* the delay is at its limit then */
    GREET_MS_MAX = 15000,
    TOLD_S_MAX = 3600,    /* no server keeps a client away for longer */
    SILENT_MS_MAX = 60000 /* as long as a page may take on a slow link */
};

typedef enum link_state {
    LINK_DOWN,    /* no socket */
    LINK_OPENING, /* asked for */
    LINK_OPEN,    /* connect frame to be sent */
    LINK_GREETED, /* connect frame sent */
    LINK_UP
} link_state;

typedef enum space_state {
    SPACE_IDLE,
    SPACE_ASKED,
    SPACE_LIVE
} space_state;

typedef struct space_slot {
    char name[SL_SPACE_MAX];
    char epoch[SL_UUID_LEN + 1];
    int64_t cursor;
    space_state state;
    bool again;    /* ask once more when this question is answered */
    uint64_t rank; /* the greater comes first; 0: nobody asked */
} space_slot;

typedef struct push_frame {
    int64_t last;
    size_t bytes;
} push_frame;

struct sl_sync {
    bool want;
    bool must_close;
    link_state link;
    int64_t retry_at_ms; /* 0: at once */
    int64_t told_s;      /* on this connection: not to come before so many seconds */
    int64_t told_at_ms;  /* and so not before then */
    int64_t greet_by_ms;
    int64_t silent_from_ms; /* of a connection that owes an answer; -1: it owes none */
    bool heard;             /* a frame came since then */
    unsigned failures;
    sl_prng prng;
    int64_t next_n;   /* to be sent next on this connection */
    int64_t answered; /* all up to here have receipts */
    int64_t last_n;
    uint64_t gone[GONE_WORDS];     /* bit n modulo their number: operation n was skipped */
    push_frame frames[FRAMES_MAX]; /* without a receipt for their last operation, in order */
    size_t frame_count;
    size_t flight;       /* their bytes */
    int64_t push_window; /* operations without a receipt, */
    int64_t push_frame;  /* and of one frame, at most */
    size_t page_bytes;   /* of pages that are done with, not told yet */
    int64_t window;      /* places of a space, 0: all */
    size_t asked;        /* answers on their way, on this connection */
    uint64_t last_rank;
    char urge[SL_SPACE_MAX]; /* to be told that it comes first */
    space_slot *spaces;      /* in order of name */
    size_t count;
    size_t cap;
    size_t live; /* how many are at the head */
};

sl_sync *sl_sync_new(uint64_t seed)
{
    sl_sync *s = sl_mem(sizeof *s);
    if (s != NULL) {
        sl_prng_seed(&s->prng, seed);
        s->next_n = 1;
        sl_sync_push_limits(s, SL_SYNC_WINDOW, SL_SYNC_PUSH);
    }
    return s;
}

void sl_sync_push_limits(sl_sync *s, int64_t window, int64_t frame)
{
    s->push_window = window;
    s->push_frame = frame;
}

void sl_sync_free(sl_sync *s)
{
    if (s != NULL) {
        sl_mem_free(s->spaces);
        sl_mem_free(s);
    }
}

void sl_sync_want(sl_sync *s, bool online)
{
    s->want = online;
    s->must_close = !online && s->link != LINK_DOWN;
    if (online) {
        s->retry_at_ms = 0;
        s->failures = 0;
    }
}

void sl_sync_opened(sl_sync *s)
{
    if (s->link == LINK_OPENING) {
        s->link = LINK_OPEN;
    }
}

void sl_sync_closed(sl_sync *s, int64_t now_ms)
{
    if (s->link == LINK_DOWN) {
        return;
    }
    s->link = LINK_DOWN;
    s->must_close = false;
    for (size_t i = 0; i < s->count; i++) {
        s->spaces[i].state = SPACE_IDLE;
        s->spaces[i].again = false;
    }
    s->live = 0;
    s->page_bytes = 0;
    s->asked = 0;
    s->urge[0] = 0;
    int64_t ceiling = RETRY_MS_MIN;
    for (unsigned i = 0; i < s->failures && ceiling < RETRY_MS_MAX; i++) {
        ceiling *= 2;
    }
    ceiling = ceiling < RETRY_MS_MAX ? ceiling : RETRY_MS_MAX;
    s->failures++;
    s->told_at_ms = s->told_s > 0 ? now_ms + s->told_s * 1000 : s->told_at_ms;
    s->told_s = 0;
    if (SL_PLANTED("retry-never")) {
        ceiling = INT64_MAX / 4;
    }
    s->retry_at_ms =
        now_ms + ceiling / 2 + (int64_t)sl_prng_below(&s->prng, (uint64_t)(ceiling / 2 + 1));
}

void sl_sync_window(sl_sync *s, int64_t last)
{
    s->window = last;
}

void sl_sync_asked(sl_sync *s)
{
    s->asked++;
}

void sl_sync_slow_down(sl_sync *s)
{
    s->failures = s->failures < FAILURES_MANY ? FAILURES_MANY : s->failures;
}

/* Where the space is, or would be. */
static size_t place_of(const sl_sync *s, const char *name)
{
    size_t from = 0;
    size_t to = s->count;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (strcmp(s->spaces[mid].name, name) < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

static space_slot *find(const sl_sync *s, const char *name)
{
    size_t i = name != NULL ? place_of(s, name) : s->count;
    return i < s->count && strcmp(s->spaces[i].name, name) == 0 ? &s->spaces[i] : NULL;
}

static void set_state(sl_sync *s, space_slot *slot, space_state state)
{
    s->live -= slot->state == SPACE_LIVE;
    s->live += state == SPACE_LIVE;
    slot->state = state;
}

static space_slot *add_slot(sl_sync *s, const char *space)
{
    if (s->count == s->cap) {
        size_t cap = s->cap == 0 ? 8 : s->cap * 2;
        space_slot *grown = sl_mem_resize(s->spaces, cap, sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        s->spaces = grown;
        s->cap = cap;
    }
    size_t i = place_of(s, space);
    space_slot *slot = &s->spaces[i];
    memmove(slot + 1, slot, (s->count - i) * sizeof *slot);
    s->count++;
    memset(slot, 0, sizeof *slot);
    (void)snprintf(slot->name, sizeof slot->name, "%s", space);
    return slot;
}

sl_status sl_sync_hold(sl_sync *s, const char *space, const char *epoch, int64_t cursor)
{
    space_slot *slot = find(s, space);
    slot = slot != NULL ? slot : add_slot(s, space);
    if (slot == NULL) {
        return SL_E_NOMEM;
    }
    (void)snprintf(slot->epoch, sizeof slot->epoch, "%s", epoch);
    slot->cursor = cursor;
    set_state(s, slot, SPACE_IDLE);
    return SL_OK;
}

void sl_sync_drop(sl_sync *s, const char *space)
{
    space_slot *slot = find(s, space);
    if (slot != NULL) {
        size_t at = (size_t)(slot - s->spaces);
        set_state(s, slot, SPACE_IDLE);
        memmove(slot, slot + 1, (s->count - at - 1) * sizeof *slot);
        s->count--;
    }
}

void sl_sync_prefer(sl_sync *s, const char *space)
{
    space_slot *slot = find(s, space);
    if (slot != NULL) {
        slot->rank = ++s->last_rank;
        if (slot->state == SPACE_ASKED) {
            memcpy(s->urge, slot->name, sizeof s->urge);
        }
    }
}

void sl_sync_check(sl_sync *s, const char *space)
{
    space_slot *slot = find(s, space);
    if (slot == NULL || SL_PLANTED("upload-unchecked")) {
        return;
    }
    slot->again = slot->state == SPACE_ASKED;
    if (slot->state == SPACE_LIVE) {
        set_state(s, slot, SPACE_IDLE);
    }
}

/* --- operations ------------------------------------------------------------------------------ */

void sl_sync_outbox(sl_sync *s, int64_t floor, int64_t last)
{
    s->last_n = last;
    if (s->link != LINK_UP && (s->next_n == 1 || !SL_PLANTED("not-resent"))) {
        s->answered = floor - 1;
        s->next_n = floor;
        memset(s->gone, 0, sizeof s->gone);
        s->frame_count = 0;
        s->flight = 0;
    }
}

static uint64_t *gone_word(sl_sync *s, int64_t n, uint64_t *bit)
{
    uint64_t place = (uint64_t)n % (GONE_WORDS * 64);
    *bit = UINT64_C(1) << (place % 64);
    return &s->gone[place / 64];
}

/* True once when the operation was skipped. */
static bool take_gone(sl_sync *s, int64_t n)
{
    uint64_t bit = 0;
    uint64_t *word = gone_word(s, n, &bit);
    bool was = (*word & bit) != 0;
    *word &= ~bit;
    return was;
}

/* Operation answered + 1 is over, and with it the skipped ones behind it. */
static void advance(sl_sync *s)
{
    do {
        s->answered++;
    } while (take_gone(s, s->answered + 1));
    size_t done = 0;
    while (done < s->frame_count && s->frames[done].last <= s->answered) {
        s->flight -= s->frames[done].bytes;
        done++;
    }
    s->frame_count -= done;
    memmove(s->frames, s->frames + done, s->frame_count * sizeof s->frames[0]);
}

void sl_sync_skip(sl_sync *s, int64_t n)
{
    if (n == s->answered + 1) {
        advance(s);
    } else if (n > s->answered && n - s->answered <= SL_SYNC_WINDOW) {
        uint64_t bit = 0;
        uint64_t *word = gone_word(s, n, &bit);
        *word |= bit;
    }
}

void sl_sync_pushed(sl_sync *s, int64_t n, size_t bytes)
{
    s->next_n = n + 1;
    if (bytes > 0 && n > s->answered && s->frame_count < FRAMES_MAX) {
        s->frames[s->frame_count++] = (push_frame){n, bytes};
        s->flight += bytes;
    }
}

void sl_sync_page_done(sl_sync *s, size_t bytes)
{
    s->page_bytes += bytes;
}

void sl_sync_not_applied(sl_sync *s, const char *space, int64_t cursor)
{
    space_slot *slot = find(s, space);
    if (slot != NULL) {
        slot->cursor = cursor;
        set_state(s, slot, SPACE_IDLE);
        if (cursor == 0) {
            slot->epoch[0] = 0; /* maybe not stored either */
        }
    }
}

static bool epoch_ok(const char *epoch)
{
    return epoch != NULL && epoch[0] != 0 && strlen(epoch) <= SL_UUID_LEN;
}

static sl_status bad_frame(sl_error **err)
{
    return sl_fail(err, SL_E_INVALID, "the server sent a frame that breaks the protocol");
}

static sl_status on_page(sl_sync *s, const sl_frame *f, sl_news *out, sl_error **err)
{
    space_slot *slot = find(s, f->space);
    bool hole_ok = f->hole == 0 || (f->hole > f->from && sl_space_has_places(f->space));
    if (!epoch_ok(f->epoch) || !hole_ok) {
        return bad_frame(err);
    }
    if (slot == NULL || slot->state == SPACE_IDLE) {
        return SL_OK; /* given up meanwhile */
    }
    /* At the head one page may still come: of an answer to a question that was asked twice. Meanwhile the
     * server told no changes. */
    bool same_epoch = slot->cursor == 0 || strcmp(slot->epoch, f->epoch) == 0;
    if (same_epoch && f->to <= slot->cursor && f->from < f->to) {
        return SL_OK; /* it came before, and what follows it is on its way */
    }
    if (f->from != slot->cursor || !same_epoch) {
        set_state(s, slot, SPACE_IDLE);
        return SL_OK;
    }
    (void)snprintf(slot->epoch, sizeof slot->epoch, "%s", f->epoch);
    slot->cursor = f->to;
    *out = (sl_news){.kind = SL_NEWS_APPLY,
                     .space = slot->name,
                     .epoch = slot->epoch,
                     .seq = f->to,
                     .from = f->from,
                     .hole = f->hole};
    return SL_OK;
}

static sl_status on_change(sl_sync *s, const sl_frame *f, sl_news *out, sl_error **err)
{
    space_slot *slot = find(s, f->space);
    if (f->to - f->from != (int64_t)f->count || f->count == 0) {
        return bad_frame(err);
    }
    if (slot == NULL || slot->state == SPACE_IDLE || f->to <= slot->cursor) {
        return SL_OK;
    }
    if (f->from != slot->cursor && !SL_PLANTED("gap-ignored")) {
        set_state(s, slot, SPACE_IDLE); /* a gap: ask again from the cursor */
        return SL_OK;
    }
    slot->cursor = f->to;
    *out = (sl_news){.kind = SL_NEWS_APPLY,
                     .space = slot->name,
                     .epoch = slot->epoch,
                     .seq = f->to,
                     .from = f->from};
    return SL_OK;
}

static sl_status on_subscribed(sl_sync *s, const sl_frame *f, sl_news *out, sl_error **err)
{
    space_slot *slot = find(s, f->space);
    if (!epoch_ok(f->epoch)) {
        return bad_frame(err);
    }
    if (slot == NULL || slot->state == SPACE_IDLE ||
        (slot->state == SPACE_LIVE && f->to <= slot->cursor)) {
        return SL_OK;
    }
    if (f->to != slot->cursor || slot->again) {
        slot->again = false;
        set_state(s, slot, SPACE_IDLE);
        return SL_OK;
    }
    set_state(s, slot, SPACE_LIVE);
    if (s->live == s->count) {
        s->failures = 0; /* only now is the connection worth something */
    }
    *out = (sl_news){.kind = SL_NEWS_HEAD,
                     .space = slot->name,
                     .seq = f->to,
                     .summed = f->summed,
                     .sum = f->sum};
    if (slot->cursor == 0 && strcmp(slot->epoch, f->epoch) != 0) {
        /* An empty space: its epoch is all there is to store. */
        (void)snprintf(slot->epoch, sizeof slot->epoch, "%s", f->epoch);
        *out = (sl_news){
            .kind = SL_NEWS_APPLY, .space = slot->name, .epoch = slot->epoch, .seq = f->to};
    }
    return SL_OK;
}

sl_status sl_sync_receipt(sl_sync *s, const sl_receipt *r, bool *fresh, sl_error **err)
{
    *fresh = r->n == s->answered + 1 && r->n < s->next_n;
    if (!*fresh) {
        return r->n <= s->answered ? SL_OK : bad_frame(err);
    }
    advance(s);
    return SL_OK;
}

/* What was asked for while the space was at the head, and still is: no change was passed over. */
static void on_answer(sl_sync *s, const sl_frame *f, sl_news *out)
{
    const space_slot *slot = find(s, f->space);
    s->asked -= s->asked > 0;
    if (slot == NULL || slot->state != SPACE_LIVE) {
        return;
    }
    *out = (sl_news){.kind = f->kind == SL_FRAME_LOADED ? SL_NEWS_LOADED : SL_NEWS_CHECKED,
                     .space = slot->name,
                     .epoch = slot->epoch,
                     .from = f->from,
                     .seq = f->to,
                     .summed = f->summed && f->to == slot->cursor,
                     .sum = f->sum};
}

static sl_status on_loss(sl_sync *s, const sl_frame *f, sl_news *out)
{
    space_slot *slot = find(s, f->space);
    bool reset = f->kind == SL_FRAME_RESET;
    if (slot == NULL) {
        return SL_OK;
    }
    *out = (sl_news){.kind = reset ? SL_NEWS_RESET : SL_NEWS_REVOKED, .space = f->space};
    if (reset) {
        slot->epoch[0] = 0;
        slot->cursor = 0;
        set_state(s, slot, SPACE_IDLE);
    } else {
        sl_sync_drop(s, f->space);
    }
    return SL_OK;
}

static sl_status on_connected(sl_sync *s, const sl_frame *f, sl_news *out, sl_error **err)
{
    if (s->link != LINK_GREETED) {
        return bad_frame(err);
    }
    s->link = LINK_UP;
    s->silent_from_ms = -1;
    *out = (sl_news){.kind = SL_NEWS_CONNECTED, .now_ms = f->now_ms};
    return SL_OK;
}

sl_status sl_sync_frame(sl_sync *s, const sl_frame *frame, sl_news *out, sl_error **err)
{
    memset(out, 0, sizeof *out);
    s->heard = true;
    if (frame->kind == SL_FRAME_ERROR) {
        s->told_s = frame->retry_s < TOLD_S_MAX ? frame->retry_s : TOLD_S_MAX;
        return SL_OK;
    }
    if (frame->kind == SL_FRAME_CONNECTED) {
        return on_connected(s, frame, out, err);
    }
    if (s->link != LINK_UP) {
        return bad_frame(err);
    }
    switch (frame->kind) {
    case SL_FRAME_PAGE: return on_page(s, frame, out, err);
    case SL_FRAME_CHANGE: return on_change(s, frame, out, err);
    case SL_FRAME_SUBSCRIBED: return on_subscribed(s, frame, out, err);
    case SL_FRAME_RECEIPTS: out->kind = SL_NEWS_RECEIPTS; break;
    case SL_FRAME_RESET:
    case SL_FRAME_REVOKED: return on_loss(s, frame, out);
    case SL_FRAME_TYPING:
    case SL_FRAME_SIGNAL: out->kind = SL_NEWS_SIGNAL; break;
    case SL_FRAME_LOADED:
    case SL_FRAME_CHECKED: on_answer(s, frame, out); break;
    case SL_FRAME_ERROR:
    case SL_FRAME_NONE: break; /* kinds of a later version are ignored */
    case SL_FRAME_CONNECT:
    case SL_FRAME_SUBSCRIBE:
    case SL_FRAME_UNSUBSCRIBE:
    case SL_FRAME_PUSH:
    case SL_FRAME_MORE:
    case SL_FRAME_PREFER:
    case SL_FRAME_LOAD:
    case SL_FRAME_CHECK:
    case SL_FRAME_CONNECTED: return bad_frame(err);
    }
    return SL_OK;
}

static sl_sync_step step_of(sl_sync_kind kind)
{
    sl_sync_step step;
    memset(&step, 0, sizeof step);
    step.kind = kind;
    return step;
}

static sl_sync_step step_until(int64_t until_ms)
{
    sl_sync_step step = step_of(SL_STEP_WAIT);
    step.until_ms = until_ms;
    return step;
}

static sl_sync_step next_down(sl_sync *s, int64_t now_ms)
{
    if (!s->want) {
        return step_of(SL_STEP_IDLE);
    }
    int64_t at_ms = s->retry_at_ms > s->told_at_ms ? s->retry_at_ms : s->told_at_ms;
    if (at_ms > now_ms) {
        return step_until(at_ms);
    }
    s->link = LINK_OPENING;
    s->greet_by_ms = now_ms + GREET_MS_MAX;
    return step_of(SL_STEP_OPEN);
}

/* Every space that is not at the head was asked for. */
static bool owes_answer(const sl_sync *s)
{
    return s->next_n - 1 > s->answered || s->live < s->count || s->asked > 0;
}

/* Nothing more to say. A socket may be dead without either end knowing: who was asked and says
 * nothing for long is given up. */
static sl_sync_step listen(sl_sync *s, int64_t now_ms)
{
    if (!owes_answer(s)) {
        s->silent_from_ms = -1;
        return step_of(SL_STEP_IDLE);
    }
    if (s->heard || s->silent_from_ms < 0) {
        s->heard = false;
        s->silent_from_ms = now_ms;
    }
    if (now_ms - s->silent_from_ms >= SILENT_MS_MAX) {
        s->silent_from_ms = now_ms;
        return step_of(SL_STEP_CLOSE);
    }
    return step_until(s->silent_from_ms + SILENT_MS_MAX);
}

/* The space to ask for next: what is on the screen first. */
static space_slot *next_space(const sl_sync *s)
{
    space_slot *best = NULL;
    for (size_t i = 0; i < s->count; i++) {
        space_slot *slot = &s->spaces[i];
        if (slot->state == SPACE_IDLE && (best == NULL || slot->rank > best->rank)) {
            best = slot;
        }
    }
    return best;
}

static bool may_push(const sl_sync *s)
{
    return s->next_n <= s->last_n && s->next_n - s->answered <= s->push_window &&
           s->frame_count < FRAMES_MAX && s->flight < SL_SYNC_WINDOW_BYTES;
}

static sl_sync_step step_push(const sl_sync *s)
{
    sl_sync_step step = step_of(SL_STEP_PUSH);
    int64_t waiting = s->last_n - s->next_n + 1;
    int64_t room = s->push_window - (s->next_n - 1 - s->answered);
    step.n = s->next_n;
    step.count = waiting < room ? waiting : room;
    step.count = step.count < s->push_frame ? step.count : s->push_frame;
    return step;
}

static sl_sync_step next_up(sl_sync *s, int64_t now_ms)
{
    if (s->page_bytes > 0) {
        sl_sync_step step = step_of(SL_STEP_MORE);
        step.n = (int64_t)s->page_bytes;
        s->page_bytes = 0;
        return step;
    }
    space_slot *slot = s->live < s->count ? next_space(s) : NULL;
    if (slot != NULL) {
        set_state(s, slot, SPACE_ASKED);
        sl_sync_step step = step_of(SL_STEP_SUBSCRIBE);
        memcpy(step.space, slot->name, sizeof step.space);
        memcpy(step.epoch, slot->epoch, sizeof step.epoch);
        step.from = slot->cursor;
        step.last = sl_space_has_places(slot->name) ? s->window : 0;
        return step;
    }
    if (s->urge[0] != 0) {
        sl_sync_step step = step_of(SL_STEP_PREFER);
        memcpy(step.space, s->urge, sizeof step.space);
        s->urge[0] = 0;
        return step;
    }
    return may_push(s) ? step_push(s) : listen(s, now_ms);
}

sl_sync_step sl_sync_next(sl_sync *s, int64_t now_ms)
{
    if (s->must_close) {
        s->must_close = false;
        return step_of(SL_STEP_CLOSE);
    }
    switch (s->link) {
    case LINK_DOWN: return next_down(s, now_ms);
    case LINK_OPEN: s->link = LINK_GREETED; return step_of(SL_STEP_GREET);
    case LINK_OPENING:
    case LINK_GREETED:
        if (now_ms >= s->greet_by_ms) {
            s->greet_by_ms = now_ms + GREET_MS_MAX;
            return step_of(SL_STEP_CLOSE);
        }
        return step_until(s->greet_by_ms);
    case LINK_UP: return next_up(s, now_ms);
    }
    return step_of(SL_STEP_IDLE);
}

sl_sync_state sl_sync_state_of(const sl_sync *s)
{
    switch (s->link) {
    case LINK_UP: return SL_SYNC_ONLINE;
    case LINK_OPEN:
    case LINK_GREETED: return SL_SYNC_GREETING;
    case LINK_OPENING: return SL_SYNC_WAITING;
    case LINK_DOWN: break;
    }
    return s->want ? SL_SYNC_WAITING : SL_SYNC_OFFLINE;
}

bool sl_sync_settled(const sl_sync *s)
{
    return s->link == LINK_UP && s->answered >= s->last_n && s->live == s->count;
}

bool sl_sync_sent(const sl_sync *s, int64_t n)
{
    return n <= s->answered || (s->link == LINK_UP && n < s->next_n);
}

int64_t sl_sync_unanswered(const sl_sync *s)
{
    return s->link == LINK_UP && s->next_n - 1 > s->answered ? s->next_n - 1 - s->answered : 0;
}

bool sl_sync_live(const sl_sync *s, const char *space)
{
    const space_slot *slot = find(s, space);
    return slot != NULL && slot->state == SPACE_LIVE;
}
