#include "engine/signals.h"

#include "base/error.h"
#include "base/mem.h"
#include "engine/chat.h"

#include <stdio.h>
#include <string.h>

enum {
    TYPED_MS = 2500,     /* between two words that one is writing in the same thread */
    PRESENT_MS = 30000,  /* between two words that one is there */
    ARRIVED_MS = 1000,   /* after a connection, until its spaces are listened to */
    FLUSH_MS = 50,       /* points are gathered for so long */
    FLUSH_NUMBERS = 200, /* or until there are so many */
    STYLE_MAX = 2000,
    EVENTS_MAX = 500 /* strokes are dropped when so many events wait */
};

typedef enum passing_kind {
    PASS_TYPING,
    PASS_PRESENT,
    PASS_STROKE
} passing_kind;

/* What holds until a time of the server's clock. */
typedef struct sl_passing {
    passing_kind kind;
    char space[SL_SPACE_MAX]; /* "" of presence */
    char user[SL_UUID_LEN + 1];
    char stroke[SL_UUID_LEN + 1];
    int64_t until_ms;
    struct sl_passing *next;
} sl_passing;

/* --- what holds ------------------------------------------------------------------------------ */

static sl_passing *find(const sl_signals *s, passing_kind kind, const char *space, const char *user,
                        const char *stroke)
{
    sl_passing *p = s->marks;
    while (p != NULL && (p->kind != kind || strcmp(p->space, space) != 0 ||
                         strcmp(p->user, user) != 0 || strcmp(p->stroke, stroke) != 0)) {
        p = p->next;
    }
    return p;
}

/* Holds until then. *fresh: it did not before. False: too many, or out of memory. */
static bool hold(sl_signals *s, const sl_passing *like, bool *fresh)
{
    sl_passing *p = find(s, like->kind, like->space, like->user, like->stroke);
    *fresh = p == NULL;
    if (p == NULL) {
        p = s->count < SL_SIGNALS_MARKS ? sl_mem(sizeof *p) : NULL;
        if (p == NULL) {
            return false;
        }
        *p = *like;
        p->next = s->marks;
        s->marks = p;
        s->count++;
    }
    p->until_ms = like->until_ms;
    return true;
}

/* False: it did not hold. */
static bool let_go(sl_signals *s, const sl_passing *p)
{
    for (sl_passing **at = &s->marks; p != NULL && *at != NULL; at = &(*at)->next) {
        if (*at == p) {
            sl_passing *gone = *at;
            *at = gone->next;
            s->count--;
            sl_mem_free(gone);
            return true;
        }
    }
    return false;
}

bool sl_signals_is_typing(const sl_core *core, const char *space, const char *user)
{
    return find(&core->signals, PASS_TYPING, space, user, "") != NULL;
}

bool sl_signals_is_present(const sl_core *core, const char *user)
{
    return find(&core->signals, PASS_PRESENT, "", user, "") != NULL;
}

/* --- events ---------------------------------------------------------------------------------- */

static void tell(sl_core *core, const char *ev, const char *space, const char *user, bool on)
{
    sl_json *e = sl_json_object();
    bool typing = strcmp(ev, "typing") == 0;
    bool ok = e != NULL && sl_json_set_str(e, "ev", ev) &&
              (!typing || sl_json_set_str(e, "space", space)) && sl_json_set_str(e, "user", user) &&
              sl_json_set_bool(e, typing ? "on" : "online", on);
    if (ok) {
        sl_events_push_once(core->events, e);
    } else {
        sl_json_free(e);
    }
}

static bool copy(sl_json *to, const sl_json *from, const char *key)
{
    const sl_json *v = sl_json_get(from, key);
    return v == NULL || sl_json_set(to, key, sl_json_clone(v));
}

static void tell_stroke(sl_core *core, const char *space, const char *user, const sl_json *data)
{
    static const char *const members[] = {"stroke", "do",   "tool",   "style",
                                          "at_us",  "from", "points", "item"};
    sl_json *e = sl_json_object();
    bool ok = e != NULL && sl_json_set_str(e, "ev", "stroke") &&
              sl_json_set_str(e, "space", space) && sl_json_set_str(e, "user", user);
    for (size_t i = 0; ok && i < sizeof members / sizeof members[0]; i++) {
        ok = copy(e, data, members[i]);
    }
    if (ok) {
        sl_events_push_few(core->events, e, EVENTS_MAX);
    } else {
        sl_json_free(e);
    }
}

static void end_of(sl_core *core, const sl_passing *p)
{
    if (p->kind == PASS_TYPING) {
        tell(core, "typing", p->space, p->user, false);
    } else if (p->kind == PASS_PRESENT) {
        tell(core, "presence", "", p->user, false);
    } else {
        sl_json *data = sl_json_object();
        if (data != NULL && sl_json_set_str(data, "stroke", p->stroke) &&
            sl_json_set_str(data, "do", "cancel")) {
            tell_stroke(core, p->space, p->user, data);
        }
        sl_json_free(data);
    }
}

/* --- heard ----------------------------------------------------------------------------------- */

static bool is_blocked(sl_core *core, const char *user)
{
    sl_buf query = {0};
    sl_json *rows = NULL;
    sl_buf_fmt(&query, "{\"from\":\"block\",\"where\":{\"user_id\":\"%s\"},\"limit\":1}", user);
    sl_status status = sl_chat_ask(core, &query, &rows, NULL);
    bool blocked = status != SL_OK || sl_json_count(rows) > 0;
    sl_json_free(rows);
    return blocked;
}

static void heard_typing(sl_core *core, const sl_frame *f)
{
    sl_passing p = {.kind = PASS_TYPING, .until_ms = f->until_ms};
    bool fresh = false;
    (void)snprintf(p.space, sizeof p.space, "%s", f->space);
    (void)snprintf(p.user, sizeof p.user, "%s", f->user);
    if (!is_blocked(core, p.user) && hold(&core->signals, &p, &fresh)) {
        tell(core, "typing", p.space, p.user, true);
    }
}

static void heard_present(sl_core *core, const sl_frame *f, bool here)
{
    sl_passing p = {.kind = PASS_PRESENT, .until_ms = f->until_ms};
    bool fresh = false;
    (void)snprintf(p.user, sizeof p.user, "%s", f->user);
    if (!here) {
        if (let_go(&core->signals, find(&core->signals, PASS_PRESENT, "", p.user, ""))) {
            tell(core, "presence", "", p.user, false);
        }
    } else if (!is_blocked(core, p.user) && hold(&core->signals, &p, &fresh)) {
        tell(core, "presence", "", p.user, true);
        if (fresh && core->signals.present) { /* whoever came has not heard of this user yet */
            core->signals.present_at_ms = 0;
        }
    }
}

static bool stroke_ok(const sl_json *j)
{
    static const char *const deeds[] = {"begin", "points", "end", "cancel"};
    const char *stroke = sl_json_str(j, "stroke");
    const char *deed = sl_json_str(j, "do");
    const sl_json *points = sl_json_get(j, "points");
    bool known = false;
    for (size_t i = 0; deed != NULL && i < sizeof deeds / sizeof deeds[0]; i++) {
        known = known || strcmp(deed, deeds[i]) == 0;
    }
    bool ok = known && stroke != NULL && sl_uuid_ok(stroke) &&
              (points == NULL || (sl_json_is_array(points) && sl_json_count(points) % 2 == 0));
    for (const sl_json *v = sl_json_first(points); ok && v != NULL; v = sl_json_next(v)) {
        ok = sl_json_is_number(v);
    }
    return ok;
}

static void heard_stroke(sl_core *core, const sl_frame *f)
{
    sl_json *data = sl_json_parse(f->data, strlen(f->data));
    if (stroke_ok(data)) {
        sl_passing p = {.kind = PASS_STROKE, .until_ms = f->until_ms};
        const char *deed = sl_json_str(data, "do");
        bool over = strcmp(deed, "end") == 0 || strcmp(deed, "cancel") == 0;
        bool fresh = false;
        (void)snprintf(p.space, sizeof p.space, "%s", f->space);
        (void)snprintf(p.user, sizeof p.user, "%s", f->user);
        (void)snprintf(p.stroke, sizeof p.stroke, "%s", sl_json_str(data, "stroke"));
        if (over) {
            (void)let_go(&core->signals,
                         find(&core->signals, PASS_STROKE, p.space, p.user, p.stroke));
        }
        if (over || hold(&core->signals, &p, &fresh)) {
            tell_stroke(core, p.space, p.user, data);
        }
    }
    sl_json_free(data);
}

/* A word that was long on its way holds no longer. */
void sl_signals_heard(sl_core *core, const sl_frame *f)
{
    bool over = f->until_ms <= sl_engine_server_ms(core);
    bool typing = f->kind == SL_FRAME_TYPING;
    bool here = f->data != NULL && strcmp(f->data, "1") == 0;
    if (f->user == NULL || !sl_uuid_ok(f->user) ||
        (!typing && (f->what == NULL || f->data == NULL))) {
        return;
    }
    if (typing && !over) {
        heard_typing(core, f);
    } else if (!typing && strcmp(f->what, "present") == 0 && (!over || !here)) {
        heard_present(core, f, here);
    } else if (!typing && strcmp(f->what, "stroke") == 0 && !over) {
        heard_stroke(core, f);
    }
}

void sl_signals_said(sl_core *core, const char *space, const char *user)
{
    if (let_go(&core->signals, find(&core->signals, PASS_TYPING, space, user, ""))) {
        tell(core, "typing", space, user, false);
    }
}

/* --- said ------------------------------------------------------------------------------------ */

static sl_status nobody(sl_error **err)
{
    return sl_fail(err, SL_E_NETWORK, "nobody can be told now");
}

sl_status sl_signal_typing(sl_core *core, const char *thread, sl_error **err)
{
    sl_signals *s = &core->signals;
    int64_t now_ms = sl_engine_mono(core);
    bool told = strcmp(s->typed_in, thread) == 0 && now_ms < s->typed_ms + TYPED_MS;
    if (told && sl_sync_state_of(core->sync) == SL_SYNC_ONLINE) {
        return SL_OK;
    }
    (void)snprintf(s->typed_in, sizeof s->typed_in, "%s", thread);
    s->typed_ms = now_ms;
    sl_frame f = {.kind = SL_FRAME_TYPING, .space = thread};
    return sl_online_send(core, &f) == SL_OK ? SL_OK : nobody(err);
}

static void say_present(sl_core *core)
{
    sl_frame f = {.kind = SL_FRAME_SIGNAL,
                  .space = core->session.space,
                  .what = "present",
                  .data = core->signals.present ? "1" : "0"};
    if (core->session.have) {
        (void)sl_online_send(core, &f);
    }
}

void sl_signal_present(sl_core *core, bool present)
{
    sl_signals *s = &core->signals;
    bool gone = s->present && !present;
    s->present = present;
    s->present_at_ms = 0;
    if (gone) {
        say_present(core);
    }
    sl_engine_kick(core);
}

void sl_signals_connected(sl_core *core)
{
    core->signals.present_at_ms = sl_engine_mono(core) + ARRIVED_MS;
}

/* --- drawn here ------------------------------------------------------------------------------ */

static sl_pen *pen_of(sl_signals *s, const char *stroke)
{
    sl_pen *found = NULL;
    for (size_t i = 0; i < SL_SIGNALS_PENS; i++) {
        found = strcmp(s->pens[i].stroke, stroke) == 0 ? &s->pens[i] : found;
    }
    return found;
}

static void put_down(sl_pen *pen)
{
    sl_buf_free(&pen->waiting);
    memset(pen, 0, sizeof *pen);
}

static void begin_data(sl_buf *out, const sl_pen *pen, const char *deed)
{
    sl_buf_fmt(out, "{\"stroke\":\"%s\",\"do\":\"%s\"", pen->stroke, deed);
}

static sl_status send_data(sl_core *core, const sl_pen *pen, sl_buf *data)
{
    sl_status status = SL_E_NOMEM;
    sl_buf_u8(data, '}');
    if (!data->failed) {
        sl_frame f = {.kind = SL_FRAME_SIGNAL,
                      .space = pen->space,
                      .what = "stroke",
                      .data = sl_buf_text(data)};
        status = sl_online_send(core, &f);
    }
    sl_buf_free(data);
    return status;
}

static void put_points(sl_buf *data, sl_pen *pen)
{
    if (pen->n > 0) {
        sl_buf_fmt(data, ",\"from\":%lld,\"points\":[", (long long)pen->sent / 2);
        sl_buf_put(data, pen->waiting.data, pen->waiting.len);
        sl_buf_u8(data, ']');
        data->failed = data->failed || pen->waiting.failed;
        pen->sent += pen->n;
        pen->n = 0;
        sl_buf_clear(&pen->waiting);
    }
}

static void flush(sl_core *core, sl_pen *pen)
{
    sl_buf data = {0};
    if (pen->n > 0) {
        begin_data(&data, pen, "points");
        put_points(&data, pen);
        (void)send_data(core, pen, &data);
    }
}

/* Whole units are finer than a pixel. */
static sl_status take_points(sl_pen *pen, const sl_json *points, sl_error **err)
{
    size_t n = sl_json_count(points);
    bool ok = sl_json_is_array(points) && n % 2 == 0 && n <= SL_SIGNALS_NUMBERS;
    for (const sl_json *v = sl_json_first(points); ok && v != NULL; v = sl_json_next(v)) {
        double x = sl_json_value(v);
        ok = sl_json_is_number(v) && x > -1e6 && x < 1e6;
    }
    if (!ok) {
        return sl_fail_field(err, SL_E_INVALID, "points",
                             "points are up to %d coordinates, x and y by turns",
                             SL_SIGNALS_NUMBERS);
    }
    for (const sl_json *v = sl_json_first(points); v != NULL; v = sl_json_next(v)) {
        double x = sl_json_value(v);
        sl_buf_fmt(&pen->waiting, "%s%lld", pen->n++ > 0 ? "," : "",
                   (long long)(x < 0 ? x - 0.5 : x + 0.5));
    }
    return SL_OK;
}

static sl_status begin_stroke(sl_core *core, const char *space, const char *stroke,
                              const sl_json *in, sl_error **err)
{
    sl_buf data = {0};
    const char *tool = sl_json_str(in, "tool");
    const sl_json *style = sl_json_get(in, "style");
    const sl_json *points = sl_json_get(in, "points");
    int64_t at_us = sl_json_int_or(in, "at_us", -1);
    sl_pen *pen = pen_of(&core->signals, "");
    if (tool == NULL || strlen(tool) > 32 || at_us < 0 ||
        (style != NULL && !sl_json_is_object(style))) {
        return sl_fail_field(err, SL_E_INVALID, "tool",
                             "a stroke begins with a tool, a time at_us and perhaps a style");
    }
    if (pen == NULL || pen_of(&core->signals, stroke) != NULL) {
        return sl_fail(err, SL_E_LIMIT, "this stroke is drawn already, or %d others are",
                       SL_SIGNALS_PENS);
    }
    (void)snprintf(pen->stroke, sizeof pen->stroke, "%s", stroke);
    (void)snprintf(pen->space, sizeof pen->space, "%s", space);
    sl_status status = points != NULL ? take_points(pen, points, err) : SL_OK;
    if (status == SL_OK) {
        begin_data(&data, pen, "begin");
        sl_buf_str(&data, ",\"tool\":");
        sl_json_put_text(&data, tool, strlen(tool));
        sl_buf_fmt(&data, ",\"at_us\":%lld", (long long)at_us);
        if (style != NULL) {
            sl_buf_str(&data, ",\"style\":");
            sl_json_put(&data, style);
        }
        status = data.len > STYLE_MAX ? sl_fail_field(err, SL_E_LIMIT, "style",
                                                      "a style has up to %d bytes", STYLE_MAX)
                                      : SL_OK;
    }
    if (status != SL_OK) {
        sl_buf_free(&data);
        put_down(pen);
        return status;
    }
    put_points(&data, pen);
    (void)send_data(core, pen,
                    &data); /* whoever cannot be told sees the drawing when it is saved */
    return SL_OK;
}

static sl_status end_stroke(sl_core *core, sl_pen *pen, const char *deed, const sl_json *in,
                            sl_error **err)
{
    sl_buf data = {0};
    const char *item = sl_json_str(in, "item");
    if (item != NULL && !sl_uuid_ok(item)) {
        return sl_fail_field(err, SL_E_INVALID, "item", "an item is named by its id");
    }
    flush(core, pen);
    begin_data(&data, pen, deed);
    if (item != NULL) {
        sl_buf_fmt(&data, ",\"item\":\"%s\"", item);
    }
    (void)send_data(core, pen, &data);
    put_down(pen);
    return SL_OK;
}

sl_status sl_signal_stroke(sl_core *core, const char *space, const sl_json *in, sl_error **err)
{
    const char *stroke = sl_json_str(in, "stroke");
    const char *deed = sl_json_str(in, "do");
    if (stroke == NULL || !sl_uuid_ok(stroke) || deed == NULL) {
        return sl_fail_field(err, SL_E_INVALID, "stroke", "a stroke has an id and what it does");
    }
    if (strcmp(deed, "begin") == 0) {
        return begin_stroke(core, space, stroke, in, err);
    }
    sl_pen *pen = pen_of(&core->signals, stroke);
    if (pen == NULL) {
        return sl_fail(err, SL_E_NOT_FOUND, "no such stroke is drawn now");
    }
    if (strcmp(deed, "end") == 0 || strcmp(deed, "cancel") == 0) {
        return end_stroke(core, pen, deed, in, err);
    }
    if (strcmp(deed, "points") != 0) {
        return sl_fail_field(err, SL_E_INVALID, "do", "a stroke does begin, points, end or cancel");
    }
    bool first = pen->n == 0;
    sl_status status = take_points(pen, sl_json_get(in, "points"), err);
    if (first) {
        pen->flush_at_ms = sl_engine_mono(core) + FLUSH_MS;
        sl_engine_kick(core);
    }
    if (pen->n >= FLUSH_NUMBERS) {
        flush(core, pen);
    }
    return status;
}

/* --- time ------------------------------------------------------------------------------------ */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

static int64_t expire(sl_core *core, int64_t now_ms)
{
    sl_signals *s = &core->signals;
    int64_t server_ms = sl_engine_server_ms(core);
    int64_t until_ms = -1;
    sl_passing *p = s->marks;
    while (p != NULL) {
        sl_passing *next = p->next;
        if (p->until_ms <= server_ms) {
            end_of(core, p);
            (void)let_go(s, p);
        } else {
            until_ms = sooner(until_ms, now_ms + p->until_ms - server_ms);
        }
        p = next;
    }
    return until_ms;
}

int64_t sl_signals_turn(sl_core *core, int64_t now_ms)
{
    sl_signals *s = &core->signals;
    int64_t until_ms = expire(core, now_ms);
    bool online = sl_sync_state_of(core->sync) == SL_SYNC_ONLINE;
    if (s->present && online && s->present_at_ms <= now_ms) {
        say_present(core);
        s->present_at_ms = now_ms + PRESENT_MS;
    }
    for (size_t i = 0; i < SL_SIGNALS_PENS; i++) {
        sl_pen *pen = &s->pens[i];
        if (pen->n > 0 && pen->flush_at_ms <= now_ms) {
            flush(core, pen);
        } else if (pen->n > 0) {
            until_ms = sooner(until_ms, pen->flush_at_ms);
        }
    }
    return s->present && online ? sooner(until_ms, s->present_at_ms) : until_ms;
}

void sl_signals_stop(sl_core *core)
{
    sl_signals *s = &core->signals;
    while (s->marks != NULL) {
        (void)let_go(s, s->marks);
    }
    for (size_t i = 0; i < SL_SIGNALS_PENS; i++) {
        put_down(&s->pens[i]);
    }
}
