/* What a conversation shows: a page of its messages, each with how far it came and what was said of it. */
#include "engine/chat.h"

#include "base/error.h"
#include "base/mem.h"
#include "chat/chat.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE_DEFAULT = 50,
    PAGE_MAX = 200,
    FOUND_MAX = 500,
    PREVIEW_UNITS = 100 /* characters of a message that is answered */
};

/* --- what the lists share -------------------------------------------------------------------- */

static bool same(const sl_json *j, const char *key, const char *value)
{
    const char *text = sl_json_str(j, key);
    return text != NULL && value != NULL && strcmp(text, value) == 0;
}

/* At most so many as a query takes. */
static void put_unblocked(sl_buf *out, const sl_json *blocked)
{
    size_t n = 0;
    for (const sl_json *b = sl_json_first(blocked); b != NULL && n < 200; b = sl_json_next(b)) {
        sl_buf_str(out, n++ == 0 ? ",\"not\":{\"author_id\":{\"in\":[" : ",");
        sl_json_put_text(out, sl_json_str(b, "user_id"), SL_UUID_LEN);
    }
    sl_buf_str(out, n > 0 ? "]}}" : "");
}

sl_status sl_chat_frame_make(sl_core *core, const char *thread, sl_chat_frame *out, sl_error **err)
{
    sl_buf query = {0};
    memset(out, 0, sizeof *out);
    sl_buf_str(&query, "{\"from\":\"participant\",\"limit\":10000");
    if (thread != NULL) {
        sl_buf_fmt(&query, ",\"where\":{\"space\":\"%s\"}", thread);
    }
    sl_buf_u8(&query, '}');
    sl_status status = sl_chat_ask(core, &query, &out->people, err);
    if (status == SL_OK) {
        sl_buf_str(&query, "{\"from\":\"block\"}");
        status = sl_chat_ask(core, &query, &out->blocked, err);
    }
    if (status == SL_OK) {
        put_unblocked(&out->unblocked, out->blocked);
        status = out->unblocked.failed ? sl_fail_nomem(err) : SL_OK;
    }
    return status == SL_OK ? sl_drafts_list(core, thread, 0, &out->failed, err) : status;
}

void sl_chat_frame_free(sl_chat_frame *f)
{
    sl_json_free(f->people);
    sl_json_free(f->blocked);
    sl_json_free(f->failed);
    sl_buf_free(&f->unblocked);
}

bool sl_chat_is_blocked(const sl_chat_frame *f, const char *user)
{
    const sl_json *b = sl_json_first(f->blocked);
    while (b != NULL && !same(b, "user_id", user)) {
        b = sl_json_next(b);
    }
    return b != NULL;
}

static const sl_json *person(const sl_chat_frame *f, const char *space, const char *user)
{
    const sl_json *p = sl_json_first(f->people);
    while (p != NULL && !(same(p, "space", space) && same(p, "user_id", user))) {
        p = sl_json_next(p);
    }
    return p;
}

/* --- one message ----------------------------------------------------------------------------- */

static bool put_name(const sl_chat_frame *f, const char *space, const char *user, const char *key,
                     sl_json *message)
{
    const char *name = sl_json_str(person(f, space, user), "name");
    return name == NULL || sl_json_set_str(message, key, name);
}

/* Mentions that do not fit the text, changed by somebody who does not know of them, are not shown. */
static bool put_mentioned(const char *me, sl_json *message)
{
    const sl_json *mentions = sl_json_get(message, "mentions");
    if (mentions == NULL) {
        return true;
    }
    if (sl_chat_check_mentions(sl_json_str(message, "body"), mentions, NULL) != SL_OK) {
        sl_json_remove(message, "mentions");
        return true;
    }
    return !sl_chat_names(mentions, me) || sl_json_set_bool(message, "mentioned", true);
}

bool sl_chat_dress(const sl_core *core, const sl_chat_frame *f, sl_json *message)
{
    const char *me = core->session.user;
    const char *space = sl_json_str(message, "space");
    const char *author = sl_json_str(message, "author_id");
    int64_t place = sl_json_int_or(message, "place", 0);
    bool mine = author == NULL || strcmp(author, me) == 0;
    const char *state = place == 0 ? "queued"
                        : mine     ? sl_chat_state(f->people, space, me, place)
                                   : "received";
    bool notice = same(message, "kind", "notice");
    bool unread = !mine && !notice && place > sl_json_int_or(person(f, space, me), "read", 0);
    return sl_json_set_bool(message, "mine", mine) && sl_json_set_str(message, "state", state) &&
           (mine || put_name(f, space, author, "author", message)) &&
           put_name(f, space, sl_json_str(message, "about_id"), "about", message) &&
           (!unread || sl_json_set_bool(message, "unread", true)) && put_mentioned(me, message);
}

/* Taken; adds it dressed. */
static bool add_dressed(const sl_core *core, const sl_chat_frame *f, sl_json *list,
                        sl_json *message)
{
    if (message == NULL || !sl_chat_dress(core, f, message)) {
        sl_json_free(message);
        return false;
    }
    return sl_json_add(list, message);
}

static sl_json *failed_of(const sl_json *draft)
{
    sl_json *m = sl_json_clone(sl_json_get(draft, "fields"));
    bool ok = m != NULL && sl_json_set_str(m, "id", sl_json_str(draft, "id")) &&
              sl_json_set_str(m, "space", sl_json_str(draft, "space")) &&
              sl_json_set_bool(m, "mine", true) && sl_json_set_str(m, "state", "failed") &&
              sl_json_set_str(m, "code", sl_json_str(draft, "code")) &&
              sl_json_set_str(m, "message", sl_json_str(draft, "message")) &&
              sl_json_set_int(m, "draft", sl_json_int_or(draft, "draft", 0));
    if (!ok) {
        sl_json_free(m);
        return NULL;
    }
    return m;
}

bool sl_chat_add_failed(const sl_core *core, const sl_chat_frame *f, const char *thread,
                        sl_json *list)
{
    bool ok = true;
    (void)core;
    for (const sl_json *d = sl_json_first(f->failed); ok && d != NULL; d = sl_json_next(d)) {
        if (same(d, "entity", "message") && same(d, "op", "create") && same(d, "space", thread)) {
            sl_json *m = failed_of(d);
            ok = m != NULL && sl_json_add(list, m);
        }
    }
    return ok;
}

/* --- those that wait ------------------------------------------------------------------------- */

typedef struct queued {
    int64_t n; /* of the operation that makes it */
    const sl_json *row;
} queued;

static int by_number(const void *a, const void *b)
{
    int64_t x = ((const queued *)a)->n;
    int64_t y = ((const queued *)b)->n;
    return (x > y) - (x < y);
}

static sl_status number_of(sl_core *core, const sl_json *row, int64_t *n, sl_error **err)
{
    int64_t *numbers = NULL;
    size_t count = 0;
    sl_status status = sl_store_pending_of(core->store, sl_entity_find("message"),
                                           sl_json_str(row, "id"), &numbers, &count, err);
    *n = status == SL_OK && count > 0 ? numbers[0] : 0;
    sl_mem_free(numbers);
    return status;
}

sl_status sl_chat_add_queued(sl_core *core, const sl_chat_frame *f, const char *thread,
                             sl_json *list, sl_error **err)
{
    sl_buf query = {0};
    sl_json *rows = NULL;
    size_t n = 0;
    sl_buf_fmt(&query,
               "{\"from\":\"message\",\"where\":{\"space\":\"%s\",\"place\":null},"
               "\"order\":[\"place\"],\"limit\":1000}",
               thread);
    sl_status status = sl_chat_ask(core, &query, &rows, err);
    queued *all = sl_mem_array(sl_json_count(rows) + 1, sizeof *all);
    if (status == SL_OK && all == NULL) {
        status = sl_fail_nomem(err);
    }
    const sl_json *first = all != NULL ? sl_json_first(rows) : NULL;
    for (const sl_json *r = first; status == SL_OK && r != NULL; r = sl_json_next(r)) {
        all[n].row = r;
        status = number_of(core, r, &all[n++].n, err);
    }
    if (status == SL_OK && n > 0) {
        qsort(all, n, sizeof *all, by_number);
    }
    for (size_t i = 0; status == SL_OK && i < n; i++) {
        status = add_dressed(core, f, list, sl_json_clone(all[i].row)) ? SL_OK : sl_fail_nomem(err);
    }
    sl_mem_free(all);
    sl_json_free(rows);
    return status;
}

/* --- a page ---------------------------------------------------------------------------------- */

typedef struct page {
    const char *thread;
    sl_chat_frame frame;
    sl_json *messages; /* in order */
    int64_t below;     /* place of the one before the first; 0: there is none here */
    int64_t above;     /* and after the last; SL_JSON_INT_MAX: none */
} page;

/* Rows above, or below, a place; one more than `limit`, to see whether there is one. */
static sl_status fetch(sl_core *core, const page *p, const char *sign, int64_t place, int64_t limit,
                       sl_json **rows, sl_error **err)
{
    sl_buf query = {0};
    bool down = sign[0] == 'l';
    sl_buf_fmt(&query, "{\"from\":\"message\",\"where\":{\"space\":\"%s\",\"place\":{\"%s\":%lld}",
               p->thread, sign, (long long)place);
    sl_buf_put(&query, p->frame.unblocked.data, p->frame.unblocked.len);
    sl_buf_fmt(&query, "},\"order\":[\"%splace\"],\"limit\":%lld}", down ? "-" : "",
               (long long)limit + 1);
    return sl_chat_ask(core, &query, rows, err);
}

static sl_status take_below(sl_core *core, page *p, const char *sign, int64_t place, int64_t limit,
                            sl_error **err)
{
    sl_json *rows = NULL;
    sl_status status = fetch(core, p, sign, place, limit, &rows, err);
    size_t n = sl_json_count(rows);
    if (n > (size_t)limit) {
        n = (size_t)limit;
        p->below = sl_json_int_or(sl_json_at(rows, n), "place", 0);
    }
    for (size_t i = n; status == SL_OK && i-- > 0;) {
        status = add_dressed(core, &p->frame, p->messages, sl_json_clone(sl_json_at(rows, i)))
                     ? SL_OK
                     : sl_fail_nomem(err);
    }
    sl_json_free(rows);
    return status;
}

static sl_status take_above(sl_core *core, page *p, int64_t place, int64_t limit, sl_error **err)
{
    sl_json *rows = NULL;
    int64_t n = 0;
    sl_status status = fetch(core, p, "gt", place, limit, &rows, err);
    for (const sl_json *r = sl_json_first(rows); status == SL_OK && r != NULL;
         r = sl_json_next(r)) {
        if (n++ == limit) {
            p->above = sl_json_int_or(r, "place", 0);
        } else if (!add_dressed(core, &p->frame, p->messages, sl_json_clone(r))) {
            status = sl_fail_nomem(err);
        }
    }
    sl_json_free(rows);
    return status;
}

static sl_status take_messages(sl_core *core, page *p, const sl_json *in, sl_error **err)
{
    int64_t limit = sl_json_int_or(in, "limit", PAGE_DEFAULT);
    const char *around = sl_json_str(in, "around");
    int64_t place = 0;
    if (limit < 1 || limit > PAGE_MAX) {
        return sl_fail_field(err, SL_E_INVALID, "limit", "a page has 1 to %d messages", PAGE_MAX);
    }
    if (around != NULL) {
        sl_status status = sl_chat_reach(core, p->thread, around, &place, err);
        if (status == SL_OK) {
            status = take_below(core, p, "le", place, limit / 2 + 1, err);
        }
        return status == SL_OK ? take_above(core, p, place, limit - limit / 2, err) : status;
    }
    if (sl_json_int(in, "after", &place)) {
        sl_status status = take_above(core, p, place, limit, err);
        const sl_json *first = sl_json_first(p->messages);
        p->below = first != NULL && place > 0 ? place : 0;
        return status;
    }
    bool before = sl_json_int(in, "before", &place);
    sl_status status = take_below(core, p, "lt", before ? place : SL_JSON_INT_MAX - 1, limit, err);
    p->above = before ? place : SL_JSON_INT_MAX;
    return status;
}

/* What waits, or was refused, comes behind the newest. */
static sl_status take_rest(sl_core *core, page *p, sl_error **err)
{
    if (p->above != SL_JSON_INT_MAX) {
        return SL_OK;
    }
    sl_status status = sl_chat_add_queued(core, &p->frame, p->thread, p->messages, err);
    bool ok = status != SL_OK || sl_chat_add_failed(core, &p->frame, p->thread, p->messages);
    return ok ? status : sl_fail_nomem(err);
}

/* --- what belongs to the messages ------------------------------------------------------------ */

/* [ids] of the messages, or of what they answer. */
static size_t put_ids(sl_buf *out, const sl_json *messages, const char *key)
{
    size_t n = 0;
    sl_buf_u8(out, '[');
    for (const sl_json *m = sl_json_first(messages); m != NULL && n < 256; m = sl_json_next(m)) {
        const char *id = sl_json_str(m, key);
        if (id != NULL && (strcmp(key, "id") != 0 || sl_json_get(m, "place") != NULL)) {
            sl_buf_str(out, n++ > 0 ? "," : "");
            sl_json_put_text(out, id, strlen(id));
        }
    }
    sl_buf_u8(out, ']');
    return n;
}

/* Rows of an entity whose field is one of these. */
static sl_status related(sl_core *core, const page *p, const char *entity, const char *field,
                         const char *key, sl_json **rows, sl_error **err)
{
    sl_buf query = {0};
    bool reaction = strcmp(field, "message_id") == 0;
    sl_buf_fmt(&query, "{\"from\":\"%s\",\"where\":{\"space\":\"%s\",\"%s\":{\"in\":", entity,
               p->thread, field);
    size_t n = put_ids(&query, p->messages, key);
    sl_buf_fmt(&query, "}}%s,\"limit\":10000}", reaction ? ",\"order\":[\"message_id\"]" : "");
    if (n == 0) {
        sl_buf_free(&query);
        *rows = sl_json_array();
        return *rows != NULL ? SL_OK : sl_fail_nomem(err);
    }
    return sl_chat_ask(core, &query, rows, err);
}

/* The beginning of a text, whole characters. */
static bool set_preview(sl_json *to, const char *body)
{
    size_t n = 0;
    size_t units = 0;
    while (body[n] != 0 && units < PREVIEW_UNITS) {
        units += ((uint8_t)body[n] & 0xC0) != 0x80 ? 1 : 0;
        n++;
    }
    while (((uint8_t)body[n] & 0xC0) == 0x80) {
        n++;
    }
    char *text = sl_text_ndup(body, n);
    bool ok = text != NULL && sl_json_set_str(to, "body", text);
    sl_mem_free(text);
    return ok;
}

/* {"id","kind","author_id"?,"author"?,"body"?} of what is answered; {"id","missing":true}. */
static sl_json *reply_of(const page *p, const sl_json *rows, const char *id)
{
    sl_json *j = sl_json_object();
    const sl_json *r = sl_json_first(rows);
    while (r != NULL && !same(r, "id", id)) {
        r = sl_json_next(r);
    }
    const char *author = sl_json_str(r, "author_id");
    bool hidden = r == NULL || sl_chat_is_blocked(&p->frame, author);
    bool ok = j != NULL && sl_json_set_str(j, "id", id);
    if (hidden) {
        ok = ok && sl_json_set_bool(j, "missing", true);
    } else {
        const char *body = sl_json_str(r, "body");
        const char *name = sl_json_str(person(&p->frame, p->thread, author), "name");
        ok = ok && sl_json_set_str(j, "kind", sl_json_str(r, "kind")) &&
             (author == NULL || sl_json_set_str(j, "author_id", author)) &&
             (name == NULL || sl_json_set_str(j, "author", name)) &&
             (body == NULL || set_preview(j, body));
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static bool is_pinned(const sl_json *pins, const char *message)
{
    const sl_json *r = sl_json_first(pins);
    while (r != NULL && !same(r, "message_id", message)) {
        r = sl_json_next(r);
    }
    return r != NULL;
}

/* Of one message. */
typedef struct extras {
    sl_json *reactions;
    sl_json *replies;
    sl_json *pins;
} extras;

static sl_status put_extras(const sl_core *core, const page *p, const extras *x, sl_json *message,
                            sl_error **err)
{
    const char *id = sl_json_str(message, "id");
    const char *reply = sl_json_str(message, "reply_to");
    sl_json *lines = NULL;
    sl_status status = sl_chat_reactions(x->reactions, id, core->session.user, &lines, err);
    bool ok = status == SL_OK && (lines == NULL || sl_json_set(message, "reactions", lines)) &&
              (reply == NULL || sl_json_set(message, "reply", reply_of(p, x->replies, reply))) &&
              (!is_pinned(x->pins, id) || sl_json_set_bool(message, "pinned", true));
    return status != SL_OK || ok ? status : sl_fail_nomem(err);
}

/* True when messages are missing between two places. */
static bool reaches(const sl_holes *holes, int64_t after, int64_t before)
{
    bool any = false;
    for (size_t i = 0; i < holes->n; i++) {
        any = any || (holes->at[i].upto > after && holes->at[i].above < before);
    }
    return any;
}

/* The messages with all that belongs to them, as a new list. */
static sl_status finish(sl_core *core, page *p, const extras *x, const sl_holes *holes,
                        sl_error **err)
{
    sl_json *done = sl_json_array();
    sl_status status = done != NULL ? SL_OK : sl_fail_nomem(err);
    int64_t before = p->below;
    for (const sl_json *m = sl_json_first(p->messages); status == SL_OK && m != NULL;
         m = sl_json_next(m)) {
        sl_json *copy = sl_json_clone(m);
        int64_t place = sl_json_int_or(m, "place", 0);
        status = copy != NULL ? put_extras(core, p, x, copy, err) : sl_fail_nomem(err);
        bool gap = place > 0 && reaches(holes, before, place);
        if (status == SL_OK && gap && !sl_json_set_bool(copy, "gap", true)) {
            status = sl_fail_nomem(err);
        }
        if (status != SL_OK) {
            sl_json_free(copy);
        } else if (!sl_json_add(done, copy)) {
            status = sl_fail_nomem(err);
        }
        before = place > 0 ? place : before;
    }
    sl_json_free(p->messages);
    p->messages = done;
    return status;
}

static sl_status dress_all(sl_core *core, page *p, const sl_holes *holes, sl_error **err)
{
    extras x = {NULL, NULL, NULL};
    sl_status status = related(core, p, "reaction", "message_id", "id", &x.reactions, err);
    if (status == SL_OK) {
        status = related(core, p, "message", "id", "reply_to", &x.replies, err);
    }
    if (status == SL_OK) {
        sl_buf query = {0};
        sl_buf_fmt(&query, "{\"from\":\"pin\",\"where\":{\"space\":\"%s\"}}", p->thread);
        status = sl_chat_ask(core, &query, &x.pins, err);
    }
    if (status == SL_OK) {
        status = finish(core, p, &x, holes, err);
    }
    sl_json_free(x.reactions);
    sl_json_free(x.replies);
    sl_json_free(x.pins);
    return status;
}

static int64_t last_place(const sl_json *messages)
{
    int64_t last = 0;
    for (const sl_json *m = sl_json_first(messages); m != NULL; m = sl_json_next(m)) {
        last = sl_json_int_or(m, "place", last);
    }
    return last;
}

/* The list is taken. */
static sl_json *answer_of(const sl_core *core, page *p, const sl_holes *holes)
{
    sl_json *j = sl_json_object();
    const sl_json *me = person(&p->frame, p->thread, core->session.user);
    int64_t last = last_place(p->messages);
    last = last > 0 ? last : p->below;
    bool ok = j != NULL && sl_json_set_str(j, "thread", p->thread) &&
              sl_json_set_bool(j, "older", p->below > 0) &&
              sl_json_set_bool(j, "newer", p->above != SL_JSON_INT_MAX) &&
              sl_json_set_bool(j, "gap_after", reaches(holes, last, p->above)) &&
              sl_json_set_int(j, "read", sl_json_int_or(me, "read", 0));
    if (ok) {
        ok = sl_json_set(j, "messages", p->messages);
        p->messages = NULL;
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

sl_status sl_chat_page(sl_core *core, const char *thread, const sl_json *in, sl_json **out,
                       sl_error **err)
{
    page p = {.thread = thread, .messages = sl_json_array(), .above = SL_JSON_INT_MAX};
    sl_holes holes;
    sl_space space;
    *out = NULL;
    sl_status status =
        p.messages != NULL ? sl_store_space(core->store, thread, &space, err) : sl_fail_nomem(err);
    if (status == SL_OK) {
        status = sl_store_holes(core->store, thread, &holes, err);
    }
    if (status == SL_OK) {
        status = sl_chat_frame_make(core, thread, &p.frame, err);
    }
    if (status == SL_OK) {
        status = take_messages(core, &p, in, err);
    }
    if (status == SL_OK) {
        status = take_rest(core, &p, err);
    }
    if (status == SL_OK) {
        status = dress_all(core, &p, &holes, err);
    }
    if (status == SL_OK) {
        *out = answer_of(core, &p, &holes);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(p.messages);
    sl_chat_frame_free(&p.frame);
    return status;
}

/* --- search ---------------------------------------------------------------------------------- */

sl_status sl_chat_find_text(sl_core *core, const sl_json *in, sl_json **out, sl_error **err)
{
    sl_chat_frame frame;
    sl_buf query = {0};
    sl_json *rows = NULL;
    const char *words = sl_json_str(in, "words");
    const char *thread = sl_json_str(in, "thread");
    int64_t limit = sl_json_int_or(in, "limit", PAGE_DEFAULT);
    if (words == NULL || limit < 1 || limit > FOUND_MAX ||
        (thread != NULL && !sl_space_is(thread, "thread"))) {
        return sl_fail(err, SL_E_INVALID,
                       "a search has words, perhaps a thread and a limit of 1 to %d", FOUND_MAX);
    }
    sl_status status = sl_chat_frame_make(core, thread, &frame, err);
    sl_buf_str(&query, "{\"from\":\"message\",\"search\":");
    sl_json_put_text(&query, words, strlen(words));
    sl_buf_fmt(&query, ",\"snippet\":true,\"limit\":%lld,\"order\":[\"-sent_ms\"],\"where\":{",
               (long long)limit);
    sl_buf_str(&query, "\"place\":{\"gt\":0}");
    if (thread != NULL) {
        sl_buf_fmt(&query, ",\"space\":\"%s\"", thread);
    }
    sl_buf_put(&query, frame.unblocked.data, frame.unblocked.len);
    sl_buf_str(&query, "}}");
    if (status == SL_OK) {
        status = sl_chat_ask(core, &query, &rows, err);
    }
    *out = status == SL_OK ? sl_json_array() : NULL;
    for (const sl_json *r = sl_json_first(rows); status == SL_OK && r != NULL;
         r = sl_json_next(r)) {
        bool ok = *out != NULL && add_dressed(core, &frame, *out, sl_json_clone(r));
        status = ok ? SL_OK : sl_fail_nomem(err);
    }
    if (status != SL_OK) {
        sl_json_free(*out);
        *out = NULL;
    }
    sl_buf_free(&query);
    sl_json_free(rows);
    sl_chat_frame_free(&frame);
    return status;
}
