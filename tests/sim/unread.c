/* How much every device says to be unread, against what is. */
#include "sideline/chat.h"
#include "world.h"

#include <string.h>

static bool has_blocked(const world *w, const char *user, const char *author)
{
    for (size_t i = 0; i < w->truth_count; i++) {
        const truth *t = &w->truths[i];
        bool own = sl_space_is(t->space, "user") && strcmp(sl_space_id(t->space), user) == 0;
        const sl_json *r = own ? sl_json_first(t->records) : NULL;
        for (; r != NULL; r = sl_json_next(r)) {
            const char *who = sl_json_str(sl_json_get(r, "fields"), "user_id");
            if (strcmp(sl_json_str(r, "entity"), "block") == 0 && who != NULL &&
                strcmp(who, author) == 0 && !sl_json_bool_or(r, "deleted", false)) {
                return true;
            }
        }
    }
    return false;
}

static int64_t mark_of(const truth *t, const char *user)
{
    for (const sl_json *r = sl_json_first(t->records); r != NULL; r = sl_json_next(r)) {
        const char *who = sl_json_str(sl_json_get(r, "fields"), "user_id");
        if (strcmp(sl_json_str(r, "entity"), "participant") == 0 && who != NULL &&
            strcmp(who, user) == 0) {
            return sl_json_int_or(sl_json_get(r, "fields"), "read", 0);
        }
    }
    return 0;
}

/* Messages of others above what was read, all of them and those that the device says to hold. */
static void count_thread(const world *w, const actor *a, const truth *t, int64_t *all,
                         int64_t *here)
{
    const char *user = a->who->user;
    int64_t read = mark_of(t, user);
    for (const sl_json *r = sl_json_first(t->records); r != NULL; r = sl_json_next(r)) {
        const sl_json *fields = sl_json_get(r, "fields");
        const char *author = sl_json_str(fields, "author_id");
        const char *kind = sl_json_str(fields, "kind");
        if (strcmp(sl_json_str(r, "entity"), "message") == 0 && author != NULL &&
            strcmp(author, user) != 0 && (kind == NULL || strcmp(kind, "notice") != 0) &&
            sl_json_int_or(fields, "place", 0) > read && !has_blocked(w, user, author)) {
            *all += 1;
            *here += in_gap(a, "message", t->space, fields) ? 0 : 1;
        }
    }
}

void check_unread(world *w, const actor *a)
{
    int64_t all = 0;
    int64_t here = 0;
    sl_bytes *out = NULL;
    for (size_t i = 0; i < w->truth_count; i++) {
        const char *space = w->truths[i].space;
        if (sl_space_is(space, "thread") && world_tied(&w->holds, a->who->index, space)) {
            count_thread(w, a, &w->truths[i], &all, &here);
        }
    }
    sl_status status = sl_chat_counts(a->node->core, &out, NULL);
    sl_json *said =
        status == SL_OK ? sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out)) : NULL;
    int64_t unread = sl_json_int_or(said, "unread", -1);
    bool more = sl_json_bool_or(said, "more", false);
    if (more ? unread < here || unread > all : unread != all) {
        sl_sim_fail(w->sim, "%s counts %lld unread messages%s, there are %lld", a->node->host.name,
                    (long long)unread, more ? " or more" : "", (long long)all);
    }
    sl_json_free(said);
    sl_bytes_release(out);
}
