/*
 * service/signal.c - what passes by: who is writing, who is there, a line while it is drawn. Told to the
 * others who listen to the space now, never stored, never a reason to cut somebody off.
 *
 *   [SIG-1] it is told in spaces that the sender is let into and listens to, by those who may write
 *           there what it announces: a message, a drawing;
 *   [SIG-2] who sends too much, or has much waiting to be read, misses some.
 */
#include "service/inside.h"

#include <string.h>

enum {
    WORDS_BURST = 10, /* of typing and presence, for a connection */
    WORDS_SECOND = 2,
    STROKES_BURST = 60,
    STROKES_SECOND = 30,
    TYPING_MS = 6000, /* how long it holds */
    PRESENT_MS = 75000,
    STROKE_MS = 10000, /* between two parts of one */
    TELL_MAX = 64      /* told at once */
};

static bool allowed_by(const sl_service *s, sl_sv_pace *p, int64_t now_ms, int64_t burst,
                       int64_t second)
{
    if (s->buckets == NULL) { /* nothing is limited */
        return true;
    }
    int64_t filled = p->milli + (now_ms - p->at_ms) * second;
    p->milli = now_ms < p->at_ms ? p->milli : filled < burst * 1000 ? filled : burst * 1000;
    p->at_ms = now_ms;
    if (p->milli < 1000) {
        return false;
    }
    p->milli -= 1000;
    return true;
}

static bool is_live(const sl_sv_sub *sub)
{
    return sub != NULL && sub->live;
}

/* Whether the connection's user may make a record of this entity in a space that it listens to. */
static bool may_make(sl_service *s, const sl_sv_conn *c, const sl_sv_sub *sub, const char *entity,
                     int64_t now_ms)
{
    sl_policy_ask ask = {.standing = sl_sv_standing(&c->rank, now_ms),
                         .deed = SL_DEED_CREATE,
                         .entity = sl_entity_find(entity)};
    return sl_sv_relation(s, c->user, ask.standing, sub->topic->space, sub->role, &ask.relation,
                          NULL) == SL_OK &&
           (ask.entity->create & sub->role) != 0 && sl_policy_rule(&ask) == SL_RULING_ALLOW;
}

/* Whom the user has blocked: they are told nothing of it. */
static sl_status read_blocked(sl_service *s, const char *user, sl_sv_rows *rows)
{
    sl_sv_space own;
    sl_space_name(own, "user", user);
    return sl_sv_all(s,
                     "SELECT b.\"user_id\" FROM feed u JOIN \"block\" b ON b.\"id\"=u.id AND"
                     " b.\"space\"=u.space WHERE u.space=$1 AND u.listed='block' AND"
                     " b.\"deleted\"=0",
                     SL_SV_ARGS(sl_cell_text(own)), rows, NULL);
}

static bool is_among(const sl_sv_rows *rows, const char *user)
{
    bool found = false;
    for (size_t i = 0; i < rows->count; i++) {
        found = found || strcmp(sl_sv_text(rows, i, 0), user) == 0;
    }
    return found;
}

/* A frame for those whose wires have it alike, in s->out, and who of them are to be told. */
typedef struct telling {
    bool binary;
    uint32_t number;
    size_t count;
    sl_id conns[TELL_MAX];
} telling;

static void telling_end(sl_service *s, telling *r)
{
    const sl_service_ports *to = &s->ports;
    if (r->count > 0 && to->offer != NULL) {
        to->offer(to->user, r->conns, r->count, s->out.data, s->out.len);
    }
    for (size_t i = 0; i < r->count && to->offer == NULL; i++) {
        to->send(to->user, r->conns[i], s->out.data, s->out.len);
    }
    r->count = 0;
}

/* To one who can be told at once: encoded once for all who have one number for the space. */
static void telling_add(sl_service *s, telling *r, sl_sv_conn *c, const sl_frame *f)
{
    bool binary = c->wire.binary;
    uint32_t number = binary ? sl_wire_number(&c->wire, f->space) : 0;
    if (r->count == TELL_MAX || binary != r->binary || number != r->number) {
        telling_end(s, r);
    }
    if (r->count == 0) {
        sl_buf_clear(&s->out);
        sl_frame_put(&c->wire, &s->out, f, NULL);
        r->binary = binary;
        r->number = number;
    }
    if (!s->out.failed) {
        r->conns[r->count++] = c->id;
    }
}

/* To the others of the space: of words other people, of strokes also other devices. */
static void tell(sl_service *s, const sl_sv_conn *from, const sl_sv_topic *t, const sl_frame *f,
                 const sl_sv_rows *blocked)
{
    telling r = {.count = 0};
    for (size_t i = 0; t != NULL && i < t->count; i++) {
        const sl_sv_sub *sub = t->subs[i];
        bool own = blocked != NULL ? strcmp(sub->conn->user, from->user) == 0 : sub->conn == from;
        if (sub->live && !own && (blocked == NULL || !is_among(blocked, sub->conn->user))) {
            telling_add(s, &r, sub->conn, f);
        }
    }
    telling_end(s, &r);
}

static void tell_typing(sl_service *s, sl_sv_conn *c, const char *space, int64_t now_ms)
{
    const sl_sv_sub *sub = sl_sv_sub_find(c, space);
    sl_sv_rows blocked;
    if (!is_live(sub) || !sl_space_is(space, "thread") ||
        !allowed_by(s, &c->words, now_ms, WORDS_BURST, WORDS_SECOND) ||
        !may_make(s, c, sub, "message", now_ms)) {
        return;
    }
    sl_frame f = {
        .kind = SL_FRAME_TYPING, .space = space, .user = c->user, .until_ms = now_ms + TYPING_MS};
    if (read_blocked(s, c->user, &blocked) == SL_OK) {
        tell(s, c, sub->topic, &f, &blocked);
    }
    sl_sv_rows_free(&blocked);
}

/* In all threads that it listens to. data: "1" here, "0" gone. */
static void tell_present(sl_service *s, sl_sv_conn *c, const sl_frame *frame, int64_t now_ms)
{
    sl_sv_rows blocked;
    bool here = strcmp(frame->data, "1") == 0;
    if (!allowed_by(s, &c->words, now_ms, WORDS_BURST, WORDS_SECOND)) {
        return;
    }
    sl_status status = read_blocked(s, c->user, &blocked);
    for (size_t i = 0; status == SL_OK && i < c->sub_count; i++) {
        const sl_sv_sub *sub = c->subs[i];
        sl_frame f = {.kind = SL_FRAME_SIGNAL,
                      .space = sub->topic->space,
                      .what = "present",
                      .data = here ? "1" : "0",
                      .user = c->user,
                      .until_ms = here ? now_ms + PRESENT_MS : now_ms};
        if (sub->live && sl_space_is(f.space, "thread")) {
            tell(s, c, sub->topic, &f, &blocked);
        }
    }
    sl_sv_rows_free(&blocked);
}

static void tell_stroke(sl_service *s, sl_sv_conn *c, const sl_frame *frame, int64_t now_ms)
{
    const sl_sv_sub *sub = sl_sv_sub_find(c, frame->space);
    if (!is_live(sub) || !sl_space_is(frame->space, "video") ||
        !allowed_by(s, &c->strokes, now_ms, STROKES_BURST, STROKES_SECOND) ||
        !may_make(s, c, sub, "annotation", now_ms)) {
        return;
    }
    sl_frame f = {.kind = SL_FRAME_SIGNAL,
                  .space = frame->space,
                  .what = "stroke",
                  .data = frame->data,
                  .user = c->user,
                  .until_ms = now_ms + STROKE_MS};
    tell(s, c, sub->topic, &f, NULL);
}

void sl_sv_on_signal(sl_service *s, sl_sv_conn *c, const sl_frame *frame)
{
    int64_t now_ms = sl_sv_now(s);
    if (frame->kind == SL_FRAME_TYPING) {
        tell_typing(s, c, frame->space, now_ms);
    } else if (frame->what == NULL || frame->data == NULL ||
               strlen(frame->data) > SL_FRAME_SIGNAL_MAX) {
        sl_sv_drop(s, c, 4400, SL_E_INVALID, "a signal says what it is, in up to 8192 bytes");
    } else if (strcmp(frame->what, "present") == 0) {
        tell_present(s, c, frame, now_ms);
    } else if (strcmp(frame->what, "stroke") == 0) {
        tell_stroke(s, c, frame, now_ms);
    } /* what a later version says is nobody's concern here */
}
