/* The list of conversations, and how much is unread in each and in all. */
#include "engine/chat.h"

#include "base/error.h"
#include "base/mem.h"
#include "chat/chat.h"

#include <stdlib.h>
#include <string.h>

enum {
    COUNT_MAX = 10000
};

/* One conversation on its way into the list. */
typedef struct line {
    sl_json *row;
    int64_t when_ms; /* of what happened last */
    const char *id;
} line;

typedef struct tally {
    int64_t unread;
    int64_t mentions;
    bool more; /* some are not on this device: there may be more */
} tally;

static bool same(const sl_json *j, const char *key, const char *value)
{
    const char *text = sl_json_str(j, key);
    return text != NULL && value != NULL && strcmp(text, value) == 0;
}

/* --- the participants of each ---------------------------------------------------------------- */

/* Those of all threads, one thread's side by side. */
typedef struct seat {
    const sl_json *who;
} seat;

typedef struct crowd {
    seat *at;
    size_t n;
} crowd;

static int by_space(const void *a, const void *b)
{
    const seat *x = a;
    const seat *y = b;
    return strcmp(sl_json_str(x->who, "space"), sl_json_str(y->who, "space"));
}

static sl_status crowd_make(const sl_chat_frame *f, crowd *c, sl_error **err)
{
    c->n = 0;
    c->at = sl_mem_array(sl_json_count(f->people) + 1, sizeof *c->at);
    if (c->at == NULL) {
        return sl_fail_nomem(err);
    }
    for (const sl_json *p = sl_json_first(f->people); p != NULL; p = sl_json_next(p)) {
        c->at[c->n++].who = p;
    }
    qsort(c->at, c->n, sizeof *c->at, by_space);
    return SL_OK;
}

/* Those of one thread, to be freed. NULL: out of memory. */
static sl_json *crowd_of(const crowd *c, const char *space)
{
    sl_json *list = sl_json_array();
    size_t first = 0;
    size_t behind = c->n;
    while (first < behind) {
        size_t mid = first + (behind - first) / 2;
        bool before = strcmp(sl_json_str(c->at[mid].who, "space"), space) < 0;
        first = before ? mid + 1 : first;
        behind = before ? behind : mid;
    }
    bool ok = list != NULL;
    for (size_t i = first; ok && i < c->n && same(c->at[i].who, "space", space); i++) {
        ok = sl_json_add(list, sl_json_clone(c->at[i].who));
    }
    if (!ok) {
        sl_json_free(list);
    }
    return ok ? list : NULL;
}

static int64_t read_mark(const sl_core *core, const sl_chat_frame *f, const char *space)
{
    const sl_json *p = sl_json_first(f->people);
    while (p != NULL && !(same(p, "space", space) && same(p, "user_id", core->session.user))) {
        p = sl_json_next(p);
    }
    return sl_json_int_or(p, "read", 0);
}

/* Messages of others with places above the mark: an edited one stands where it stood. */
static sl_status count_unread(sl_core *core, const sl_chat_frame *f, const char *space, tally *out,
                              sl_error **err)
{
    sl_buf query = {0};
    sl_json *rows = NULL;
    sl_holes holes;
    int64_t read = read_mark(core, f, space);
    memset(out, 0, sizeof *out);
    sl_buf_fmt(&query,
               "{\"from\":\"message\",\"where\":{\"space\":\"%s\",\"place\":{\"gt\":%lld},"
               "\"kind\":{\"ne\":\"notice\"},\"author_id\":{\"ne\":\"%s\"}",
               space, (long long)read, core->session.user);
    sl_buf_put(&query, f->unblocked.data, f->unblocked.len);
    sl_buf_fmt(&query, "},\"order\":[\"place\"],\"select\":[\"mentions\"],\"limit\":%d}",
               COUNT_MAX);
    sl_status status = sl_chat_ask(core, &query, &rows, err);
    if (status == SL_OK) {
        status = sl_store_holes(core->store, space, &holes, err);
    }
    for (const sl_json *r = sl_json_first(rows); status == SL_OK && r != NULL;
         r = sl_json_next(r)) {
        out->unread++;
        out->mentions += sl_chat_names(sl_json_get(r, "mentions"), core->session.user) ? 1 : 0;
    }
    for (size_t i = 0; status == SL_OK && i < holes.n; i++) {
        out->more = out->more || holes.at[i].upto > read;
    }
    sl_json_free(rows);
    return status;
}

/* --- settings -------------------------------------------------------------------------------- */

static int64_t muted_until(const sl_json *settings, const char *space)
{
    const sl_json *best = NULL;
    for (const sl_json *s = sl_json_first(settings); s != NULL; s = sl_json_next(s)) {
        bool later = best == NULL || strcmp(sl_json_str(s, "id"), sl_json_str(best, "id")) > 0;
        best = same(s, "thread_id", sl_space_id(space)) && later ? s : best;
    }
    return sl_json_int_or(best, "muted_until_ms", 0);
}

static bool is_muted(const sl_core *core, int64_t until_ms)
{
    return until_ms > sl_engine_server_ms(core);
}

bool sl_chat_is_silent(const sl_core *core, const sl_json *settings, const char *space)
{
    return is_muted(core, muted_until(settings, space));
}

static sl_status read_all(sl_core *core, const char *entity, sl_json **rows, sl_error **err)
{
    sl_buf query = {0};
    sl_buf_fmt(&query, "{\"from\":\"%s\",\"limit\":10000}", entity);
    return sl_chat_ask(core, &query, rows, err);
}

/* --- the list -------------------------------------------------------------------------------- */

/* The message that happened last: one that waits, else the newest. *out NULL: there is none. */
static sl_status last_of(sl_core *core, const sl_chat_frame *f, const char *space, sl_json **out,
                         int64_t *queued, sl_error **err)
{
    sl_buf query = {0};
    sl_json *rows = NULL;
    sl_json *list = sl_json_array();
    *out = NULL;
    sl_status status =
        list != NULL ? sl_chat_add_queued(core, f, space, list, err) : sl_fail_nomem(err);
    *queued = (int64_t)sl_json_count(list);
    if (status == SL_OK && *queued > 0) {
        *out = sl_json_clone(sl_json_at(list, (size_t)*queued - 1));
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    } else if (status == SL_OK) {
        sl_buf_fmt(&query, "{\"from\":\"message\",\"where\":{\"space\":\"%s\",\"place\":{\"gt\":0}",
                   space);
        sl_buf_put(&query, f->unblocked.data, f->unblocked.len);
        sl_buf_str(&query, "},\"order\":[\"-place\"],\"limit\":1}");
        status = sl_chat_ask(core, &query, &rows, err);
        const sl_json *newest = sl_json_first(rows);
        *out = newest != NULL ? sl_json_clone(newest) : NULL;
        bool ok = newest == NULL || (*out != NULL && sl_chat_dress(core, f, *out));
        status = status == SL_OK && !ok ? sl_fail_nomem(err) : status;
    }
    sl_json_free(rows);
    sl_json_free(list);
    return status;
}

/* The others of a thread; *shut: all of them are blocked. */
static bool put_people(const sl_core *core, const sl_chat_frame *f, const char *space, sl_json *row)
{
    sl_json *list = sl_json_array();
    bool ok = list != NULL;
    bool any = false;
    bool open = false;
    for (const sl_json *p = sl_json_first(f->people); ok && p != NULL; p = sl_json_next(p)) {
        const char *user = sl_json_str(p, "user_id");
        const char *name = sl_json_str(p, "name");
        if (!same(p, "space", space) || user == NULL || strcmp(user, core->session.user) == 0 ||
            sl_json_bool_or(p, "gone", false)) {
            continue;
        }
        any = true;
        open = open || !sl_chat_is_blocked(f, user);
        sl_json *one = sl_json_object();
        ok = one != NULL && sl_json_set_str(one, "user", user) &&
             (name == NULL || sl_json_set_str(one, "name", name));
        if (!ok) {
            sl_json_free(one);
        }
        ok = ok && sl_json_add(list, one);
    }
    if (!ok) {
        sl_json_free(list);
        return false;
    }
    return sl_json_set(row, "people", list) &&
           (!any || open || sl_json_set_bool(row, "blocked", true));
}

static int64_t count_failed(const sl_chat_frame *f, const char *space)
{
    int64_t n = 0;
    for (const sl_json *d = sl_json_first(f->failed); d != NULL; d = sl_json_next(d)) {
        n += same(d, "entity", "message") && same(d, "op", "create") && same(d, "space", space);
    }
    return n;
}

static bool put_counts(const sl_core *core, sl_json *row, const tally *t, int64_t muted_ms)
{
    return sl_json_set_int(row, "unread", t->unread) &&
           sl_json_set_int(row, "mentions", t->mentions) &&
           sl_json_set_bool(row, "more", t->more) &&
           (!is_muted(core, muted_ms) || sl_json_set_int(row, "muted_until_ms", muted_ms));
}

static sl_status line_of(sl_core *core, const sl_chat_frame *f, const sl_json *thread,
                         const sl_json *settings, line *out, sl_error **err)
{
    const char *space = sl_json_str(thread, "space");
    const char *title = sl_json_str(thread, "title");
    sl_json *row = sl_json_object();
    sl_json *last = NULL;
    sl_json *draft = NULL;
    int64_t queued = 0;
    tally t;
    sl_status status =
        row != NULL ? last_of(core, f, space, &last, &queued, err) : sl_fail_nomem(err);
    if (status == SL_OK) {
        status = count_unread(core, f, space, &t, err);
    }
    if (status == SL_OK) {
        status = sl_chat_draft_read(core, space, &draft, err);
    }
    int64_t failed = count_failed(f, space);
    out->when_ms = queued > 0 ? SL_JSON_INT_MAX : sl_json_int_or(last, "sent_ms", 0);
    bool ok = status == SL_OK && sl_json_set_str(row, "thread", space) &&
              (title == NULL || sl_json_set_str(row, "title", title)) &&
              (!sl_json_bool_or(thread, "group", false) || sl_json_set_bool(row, "group", true)) &&
              put_people(core, f, space, row) &&
              put_counts(core, row, &t, muted_until(settings, space)) &&
              (queued == 0 || sl_json_set_int(row, "queued", queued)) &&
              (failed == 0 || sl_json_set_int(row, "failed", failed));
    if (ok && last != NULL) {
        ok = sl_json_set(row, "last", last);
        last = NULL;
    }
    if (ok && draft != NULL) {
        ok = sl_json_set(row, "draft", draft);
        draft = NULL;
    }
    sl_json_free(last);
    sl_json_free(draft);
    if (!ok) {
        sl_json_free(row);
        return status != SL_OK ? status : sl_fail_nomem(err);
    }
    out->row = row;
    out->id = space;
    return SL_OK;
}

static int newest_first(const void *a, const void *b)
{
    const line *x = a;
    const line *y = b;
    return x->when_ms != y->when_ms ? (x->when_ms < y->when_ms) - (x->when_ms > y->when_ms)
                                    : strcmp(x->id, y->id);
}

static sl_status gather(sl_core *core, const sl_chat_frame *f, const sl_json *threads,
                        const sl_json *settings, sl_json *list, sl_error **err)
{
    size_t n = 0;
    crowd all = {0};
    line *lines = sl_mem_array(sl_json_count(threads) + 1, sizeof *lines);
    if (lines == NULL) {
        return sl_fail_nomem(err);
    }
    sl_status status = crowd_make(f, &all, err);
    const sl_json *first = status == SL_OK ? sl_json_first(threads) : NULL;
    for (const sl_json *t = first; status == SL_OK && t != NULL; t = sl_json_next(t)) {
        sl_chat_frame own = *f;
        own.people = crowd_of(&all, sl_json_str(t, "space"));
        status = own.people != NULL ? line_of(core, &own, t, settings, &lines[n], err)
                                    : sl_fail_nomem(err);
        sl_json_free(own.people);
        n += status == SL_OK;
    }
    sl_mem_free(all.at);
    if (status == SL_OK && n > 0) {
        qsort(lines, n, sizeof *lines, newest_first);
    }
    for (size_t i = 0; i < n; i++) {
        if (status != SL_OK) {
            sl_json_free(lines[i].row);
        } else if (!sl_json_add(list, lines[i].row)) {
            status = sl_fail_nomem(err);
        }
    }
    sl_mem_free(lines);
    return status;
}

sl_status sl_chat_list(sl_core *core, sl_json **out, sl_error **err)
{
    sl_chat_frame f;
    sl_json *threads = NULL;
    sl_json *settings = NULL;
    sl_json *list = sl_json_array();
    sl_status status = sl_chat_frame_make(core, NULL, &f, err);
    if (status == SL_OK && list == NULL) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        status = read_all(core, "thread", &threads, err);
    }
    if (status == SL_OK) {
        status = read_all(core, "thread_setting", &settings, err);
    }
    if (status == SL_OK) {
        status = gather(core, &f, threads, settings, list, err);
    }
    if (status != SL_OK) {
        sl_json_free(list);
        list = NULL;
    }
    *out = list;
    sl_json_free(threads);
    sl_json_free(settings);
    sl_chat_frame_free(&f);
    return status;
}

/* --- who is there ---------------------------------------------------------------------------- */

static sl_json *who_of(const sl_core *core, const char *thread, const sl_json *p)
{
    const char *user = sl_json_str(p, "user_id");
    const char *name = sl_json_str(p, "name");
    sl_json *j = sl_json_object();
    bool ok = j != NULL && user != NULL && sl_json_set_str(j, "user", user) &&
              (name == NULL || sl_json_set_str(j, "name", name)) &&
              sl_json_set_int(j, "delivered", sl_json_int_or(p, "delivered", 0)) &&
              sl_json_set_int(j, "read", sl_json_int_or(p, "read", 0)) &&
              (!same(p, "role", "coach") || sl_json_set_bool(j, "leads", true));
    if (ok && strcmp(user, core->session.user) == 0) {
        ok = sl_json_set_bool(j, "me", true);
    } else if (ok) {
        ok = (!sl_signals_is_present(core, user) || sl_json_set_bool(j, "online", true)) &&
             (!sl_signals_is_typing(core, thread, user) || sl_json_set_bool(j, "typing", true));
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

sl_status sl_chat_who(sl_core *core, const char *thread, sl_json **out, sl_error **err)
{
    sl_json *rows = NULL;
    sl_json *list = sl_json_array();
    sl_space space;
    *out = NULL;
    sl_status status =
        list != NULL ? sl_store_space(core->store, thread, &space, err) : sl_fail_nomem(err);
    if (status == SL_OK) {
        status = sl_chat_members(core, thread, &rows, err);
    }
    for (const sl_json *p = sl_json_first(rows); status == SL_OK && p != NULL;
         p = sl_json_next(p)) {
        sl_json *one = who_of(core, thread, p);
        status = one != NULL && sl_json_add(list, one) ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(rows);
    if (status != SL_OK) {
        sl_json_free(list);
        return status;
    }
    *out = list;
    return SL_OK;
}

/* --- all together ---------------------------------------------------------------------------- */

typedef struct total {
    int64_t unread;
    int64_t mentions;
    int64_t badge;
    int64_t threads;
    bool more;
} total;

static sl_json *print_total(const total *t)
{
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_int(j, "unread", t->unread) &&
              sl_json_set_int(j, "mentions", t->mentions) &&
              sl_json_set_int(j, "badge", t->badge) && sl_json_set_int(j, "threads", t->threads) &&
              sl_json_set_bool(j, "more", t->more);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

sl_status sl_chat_count(sl_core *core, sl_json **out, sl_error **err)
{
    sl_chat_frame f;
    sl_json *threads = NULL;
    sl_json *settings = NULL;
    crowd people = {0};
    total all = {.more = false};
    *out = NULL;
    sl_status status = sl_chat_frame_make(core, NULL, &f, err);
    if (status == SL_OK) {
        status = crowd_make(&f, &people, err);
    }
    if (status == SL_OK) {
        status = read_all(core, "thread", &threads, err);
    }
    if (status == SL_OK) {
        status = read_all(core, "thread_setting", &settings, err);
    }
    for (const sl_json *t = sl_json_first(threads); status == SL_OK && t != NULL;
         t = sl_json_next(t)) {
        const char *space = sl_json_str(t, "space");
        tally one = {0};
        sl_chat_frame own = f;
        own.people = crowd_of(&people, space);
        status =
            own.people != NULL ? count_unread(core, &own, space, &one, err) : sl_fail_nomem(err);
        sl_json_free(own.people);
        bool silent = sl_chat_is_silent(core, settings, space);
        all.unread += one.unread;
        all.mentions += one.mentions;
        all.badge += silent ? one.mentions : one.unread;
        all.threads += one.unread > 0 ? 1 : 0;
        all.more = all.more || one.more;
    }
    if (status == SL_OK) {
        status = sl_chat_told(core, &f, settings, &all.badge, err);
    }
    if (status == SL_OK) {
        *out = print_total(&all);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(threads);
    sl_json_free(settings);
    sl_mem_free(people.at);
    sl_chat_frame_free(&f);
    return status;
}
