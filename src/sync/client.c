#include "sync/client.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/prng.h"

#include <stdio.h>
#include <string.h>

enum {
    WINDOW = 64,
    RETRY_MS_MIN = 500,
    RETRY_MS_MAX = 30000,
    FAILURES_MANY = 6, /* the delay is at its limit then */
    GREET_MS_MAX = 15000,
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
} space_slot;

struct sl_sync {
    bool want;
    bool must_close;
    link_state link;
    int64_t retry_at_ms; /* 0: at once */
    int64_t greet_by_ms;
    int64_t silent_from_ms; /* of a connection that owes an answer; -1: it owes none */
    bool heard;             /* a frame came since then */
    unsigned failures;
    sl_prng prng;
    int64_t next_n;   /* to be sent next on this connection */
    int64_t answered; /* all up to here have receipts */
    int64_t last_n;
    uint64_t gone; /* bit k: operation answered + 1 + k was skipped */
    space_slot *spaces;
    size_t count;
};

sl_sync *sl_sync_new(uint64_t seed)
{
    sl_sync *s = sl_mem(sizeof *s);
    if (s != NULL) {
        sl_prng_seed(&s->prng, seed);
        s->next_n = 1;
    }
    return s;
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
    }
    int64_t ceiling = RETRY_MS_MIN;
    for (unsigned i = 0; i < s->failures && ceiling < RETRY_MS_MAX; i++) {
        ceiling *= 2;
    }
    ceiling = ceiling < RETRY_MS_MAX ? ceiling : RETRY_MS_MAX;
    s->failures++;
    s->retry_at_ms =
        now_ms + ceiling / 2 + (int64_t)sl_prng_below(&s->prng, (uint64_t)(ceiling / 2 + 1));
}

void sl_sync_slow_down(sl_sync *s)
{
    s->failures = s->failures < FAILURES_MANY ? FAILURES_MANY : s->failures;
}

static space_slot *find(const sl_sync *s, const char *name)
{
    for (size_t i = 0; name != NULL && i < s->count; i++) {
        if (strcmp(s->spaces[i].name, name) == 0) {
            return &s->spaces[i];
        }
    }
    return NULL;
}

sl_status sl_sync_hold(sl_sync *s, const char *space, const char *epoch, int64_t cursor)
{
    space_slot *slot = find(s, space);
    if (slot == NULL) {
        space_slot *grown = sl_mem_resize(s->spaces, s->count + 1, sizeof *grown);
        if (grown == NULL) {
            return SL_E_NOMEM;
        }
        s->spaces = grown;
        slot = &s->spaces[s->count++];
        memset(slot, 0, sizeof *slot);
        (void)snprintf(slot->name, sizeof slot->name, "%s", space);
    }
    (void)snprintf(slot->epoch, sizeof slot->epoch, "%s", epoch);
    slot->cursor = cursor;
    slot->state = SPACE_IDLE;
    return SL_OK;
}

void sl_sync_drop(sl_sync *s, const char *space)
{
    space_slot *slot = find(s, space);
    if (slot != NULL) {
        size_t at = (size_t)(slot - s->spaces);
        memmove(slot, slot + 1, (s->count - at - 1) * sizeof *slot);
        s->count--;
    }
}

void sl_sync_outbox(sl_sync *s, int64_t floor, int64_t last)
{
    s->last_n = last;
    if (s->link != LINK_UP) {
        s->answered = floor - 1;
        s->next_n = floor;
        s->gone = 0;
    }
}

/* Operation answered + 1 is over, and with it the skipped ones behind it. */
static void advance(sl_sync *s)
{
    do {
        s->answered++;
        s->gone >>= 1;
    } while ((s->gone & 1) != 0);
}

void sl_sync_skip(sl_sync *s, int64_t n)
{
    if (n == s->answered + 1) {
        advance(s);
    } else if (n > s->answered && n - s->answered <= WINDOW) {
        s->gone |= UINT64_C(1) << (n - s->answered - 1);
    }
}

void sl_sync_not_applied(sl_sync *s, const char *space, int64_t cursor)
{
    space_slot *slot = find(s, space);
    if (slot != NULL) {
        slot->cursor = cursor;
        slot->state = SPACE_IDLE;
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

static sl_status on_page(sl_sync *s, const sl_json *frame, sl_news *out, sl_error **err)
{
    int64_t from = -1;
    int64_t to = -1;
    space_slot *slot = find(s, sl_json_str(frame, "space"));
    const char *epoch = sl_json_str(frame, "epoch");
    const sl_json *records = sl_json_get(frame, "records");
    if (!sl_json_int(frame, "from", &from) || !sl_json_int(frame, "to", &to) || from > to ||
        !epoch_ok(epoch) || !sl_json_is_array(records)) {
        return bad_frame(err);
    }
    if (slot == NULL || slot->state != SPACE_ASKED) {
        return SL_OK; /* given up meanwhile */
    }
    bool same_epoch = slot->cursor == 0 || strcmp(slot->epoch, epoch) == 0;
    if (from != slot->cursor || !same_epoch) {
        slot->state = SPACE_IDLE;
        return SL_OK;
    }
    (void)snprintf(slot->epoch, sizeof slot->epoch, "%s", epoch);
    slot->cursor = to;
    *out = (sl_news){.kind = SL_NEWS_APPLY,
                     .space = slot->name,
                     .epoch = slot->epoch,
                     .seq = to,
                     .records = records};
    return SL_OK;
}

static sl_status on_change(sl_sync *s, const sl_json *frame, sl_news *out, sl_error **err)
{
    int64_t seq = -1;
    space_slot *slot = find(s, sl_json_str(frame, "space"));
    const sl_json *record = sl_json_get(frame, "record");
    if (!sl_json_int(frame, "seq", &seq) || !sl_json_is_object(record)) {
        return bad_frame(err);
    }
    if (slot == NULL || slot->state == SPACE_IDLE || seq <= slot->cursor) {
        return SL_OK;
    }
    if (seq != slot->cursor + 1) {
        slot->state = SPACE_IDLE; /* a gap: ask again from the cursor */
        return SL_OK;
    }
    slot->cursor = seq;
    *out = (sl_news){.kind = SL_NEWS_APPLY,
                     .space = slot->name,
                     .epoch = slot->epoch,
                     .seq = seq,
                     .record = record};
    return SL_OK;
}

static bool all_live(const sl_sync *s)
{
    bool all = true;
    for (size_t i = 0; i < s->count; i++) {
        all = all && s->spaces[i].state == SPACE_LIVE;
    }
    return all;
}

static sl_status on_subscribed(sl_sync *s, const sl_json *frame, sl_news *out, sl_error **err)
{
    int64_t seq = -1;
    space_slot *slot = find(s, sl_json_str(frame, "space"));
    const char *epoch = sl_json_str(frame, "epoch");
    if (!sl_json_int(frame, "seq", &seq) || !epoch_ok(epoch)) {
        return bad_frame(err);
    }
    if (slot == NULL || slot->state != SPACE_ASKED) {
        return SL_OK;
    }
    if (seq != slot->cursor) {
        slot->state = SPACE_IDLE;
        return SL_OK;
    }
    slot->state = SPACE_LIVE;
    if (all_live(s)) {
        s->failures = 0; /* only now is the connection worth something */
    }
    *out = (sl_news){.kind = SL_NEWS_HEAD, .space = slot->name};
    if (slot->cursor == 0 && strcmp(slot->epoch, epoch) != 0) {
        /* An empty space: its epoch is all there is to store. */
        (void)snprintf(slot->epoch, sizeof slot->epoch, "%s", epoch);
        *out =
            (sl_news){.kind = SL_NEWS_APPLY, .space = slot->name, .epoch = slot->epoch, .seq = seq};
    }
    return SL_OK;
}

static sl_status on_receipt(sl_sync *s, const sl_json *frame, sl_news *out, sl_error **err)
{
    const char *result = sl_json_str(frame, "result");
    int64_t n = 0;
    if (!sl_json_int(frame, "n", &n) || result == NULL) {
        return bad_frame(err);
    }
    if (n != s->answered + 1 || n >= s->next_n) {
        return n <= s->answered ? SL_OK : bad_frame(err);
    }
    advance(s);
    *out = (sl_news){.kind = SL_NEWS_RECEIPT,
                     .n = n,
                     .rejected = strcmp(result, "rejected") == 0,
                     .seq = sl_json_int_or(frame, "seq", 0),
                     .code = sl_json_str(frame, "code"),
                     .message = sl_json_str(frame, "message")};
    return SL_OK;
}

static sl_status on_loss(sl_sync *s, const sl_json *frame, sl_news *out, bool reset)
{
    space_slot *slot = find(s, sl_json_str(frame, "space"));
    if (slot == NULL) {
        return SL_OK;
    }
    *out = (sl_news){.kind = reset ? SL_NEWS_RESET : SL_NEWS_REVOKED,
                     .space = sl_json_str(frame, "space")};
    if (reset) {
        slot->epoch[0] = 0;
        slot->cursor = 0;
        slot->state = SPACE_IDLE;
    } else {
        sl_sync_drop(s, out->space);
    }
    return SL_OK;
}

static sl_status on_connected(sl_sync *s, const sl_json *frame, sl_news *out, sl_error **err)
{
    if (s->link != LINK_GREETED) {
        return bad_frame(err);
    }
    s->link = LINK_UP;
    s->silent_from_ms = -1;
    *out = (sl_news){.kind = SL_NEWS_CONNECTED, .now_ms = sl_json_int_or(frame, "now", 0)};
    return SL_OK;
}

sl_status sl_sync_frame(sl_sync *s, const sl_json *frame, sl_news *out, sl_error **err)
{
    memset(out, 0, sizeof *out);
    const char *t = sl_json_str(frame, "t");
    s->heard = true;
    if (t == NULL) {
        return bad_frame(err);
    }
    if (strcmp(t, "connected") == 0) {
        return on_connected(s, frame, out, err);
    }
    if (s->link != LINK_UP) {
        return strcmp(t, "error") == 0 ? SL_OK : bad_frame(err);
    }
    if (strcmp(t, "page") == 0) {
        return on_page(s, frame, out, err);
    }
    if (strcmp(t, "change") == 0) {
        return on_change(s, frame, out, err);
    }
    if (strcmp(t, "subscribed") == 0) {
        return on_subscribed(s, frame, out, err);
    }
    if (strcmp(t, "receipt") == 0) {
        return on_receipt(s, frame, out, err);
    }
    if (strcmp(t, "reset") == 0 || strcmp(t, "revoked") == 0) {
        return on_loss(s, frame, out, strcmp(t, "reset") == 0);
    }
    if (strcmp(t, "typing") == 0) {
        *out = (sl_news){.kind = SL_NEWS_TYPING,
                         .space = sl_json_str(frame, "space"),
                         .user = sl_json_str(frame, "user")};
    }
    return SL_OK; /* kinds of a later version are ignored */
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
    if (s->retry_at_ms > now_ms) {
        return step_until(s->retry_at_ms);
    }
    s->link = LINK_OPENING;
    s->greet_by_ms = now_ms + GREET_MS_MAX;
    return step_of(SL_STEP_OPEN);
}

static bool owes_answer(const sl_sync *s)
{
    bool owes = s->next_n - 1 > s->answered;
    for (size_t i = 0; i < s->count; i++) {
        owes = owes || s->spaces[i].state == SPACE_ASKED;
    }
    return owes;
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

static sl_sync_step next_up(sl_sync *s, int64_t now_ms)
{
    for (size_t i = 0; i < s->count; i++) {
        space_slot *slot = &s->spaces[i];
        if (slot->state == SPACE_IDLE) {
            slot->state = SPACE_ASKED;
            sl_sync_step step = step_of(SL_STEP_SUBSCRIBE);
            memcpy(step.space, slot->name, sizeof step.space);
            memcpy(step.epoch, slot->epoch, sizeof step.epoch);
            step.from = slot->cursor;
            return step;
        }
    }
    if (s->next_n <= s->last_n && s->next_n - s->answered <= WINDOW) {
        sl_sync_step step = step_of(SL_STEP_SEND_OP);
        step.n = s->next_n++;
        return step;
    }
    return listen(s, now_ms);
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
    return s->link == LINK_UP && s->answered >= s->last_n && all_live(s);
}

bool sl_sync_live(const sl_sync *s, const char *space)
{
    const space_slot *slot = find(s, space);
    return slot != NULL && slot->state == SPACE_LIVE;
}
