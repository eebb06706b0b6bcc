/* What is shown of messages: how far they came, who is named, who answered by a sign. */
#include "base/error.h"
#include "chat/chat.h"

#include <string.h>

static bool same(const sl_json *j, const char *key, const char *value)
{
    const char *text = sl_json_str(j, key);
    return text != NULL && strcmp(text, value) == 0;
}

const char *sl_chat_state(const sl_json *participants, const char *space, const char *me,
                          int64_t place)
{
    bool any = false;
    bool read = true;
    bool delivered = true;
    for (const sl_json *p = sl_json_first(participants); p != NULL; p = sl_json_next(p)) {
        bool gone = sl_json_bool_or(p, "gone", false);
        if (same(p, "space", space) && !same(p, "user_id", me) && !gone) {
            any = true;
            read = read && sl_json_int_or(p, "read", 0) >= place;
            delivered = delivered && sl_json_int_or(p, "delivered", 0) >= place;
        }
    }
    return !any ? "sent" : read ? "read" : delivered ? "delivered" : "sent";
}

bool sl_chat_names(const sl_json *mentions, const char *user)
{
    for (const sl_json *m = sl_json_first(mentions); m != NULL; m = sl_json_next(m)) {
        if (same(m, "user", user)) {
            return true;
        }
    }
    return false;
}

/* Who gave it: one that waits to be sent has no author yet, and is the user's own. */
static const char *giver(const sl_json *reaction, const char *me)
{
    const char *author = sl_json_str(reaction, "author_id");
    return author != NULL ? author : me;
}

/* True when a reaction before this one says the same. */
static bool repeats(const sl_json *reactions, const sl_json *one, const char *me)
{
    for (const sl_json *r = sl_json_first(reactions); r != one; r = sl_json_next(r)) {
        if (same(r, "message_id", sl_json_str(one, "message_id")) &&
            same(r, "emoji", sl_json_str(one, "emoji")) &&
            strcmp(giver(r, me), giver(one, me)) == 0) {
            return true;
        }
    }
    return false;
}

/* One line for the emoji of `first`, whose givers from there on are counted. */
static bool add_line(sl_json *lines, const sl_json *reactions, const sl_json *first, const char *me)
{
    const char *message = sl_json_str(first, "message_id");
    const char *emoji = sl_json_str(first, "emoji");
    int64_t count = 0;
    bool mine = false;
    for (const sl_json *r = first; r != NULL; r = sl_json_next(r)) {
        if (same(r, "message_id", message) && same(r, "emoji", emoji) &&
            !repeats(reactions, r, me)) {
            count++;
            mine = mine || strcmp(giver(r, me), me) == 0;
        }
    }
    sl_json *line = sl_json_object();
    bool ok = line != NULL && sl_json_set_str(line, "emoji", emoji) &&
              sl_json_set_int(line, "count", count) && sl_json_set_bool(line, "mine", mine);
    if (!ok) {
        sl_json_free(line);
        return false;
    }
    return sl_json_add(lines, line);
}

static bool has_line(const sl_json *lines, const char *emoji)
{
    const sl_json *line = sl_json_first(lines);
    while (line != NULL && !same(line, "emoji", emoji)) {
        line = sl_json_next(line);
    }
    return line != NULL;
}

sl_status sl_chat_reactions(const sl_json *reactions, const char *message, const char *me,
                            sl_json **out, sl_error **err)
{
    sl_json *lines = NULL;
    bool ok = true;
    *out = NULL;
    for (const sl_json *r = sl_json_first(reactions); ok && r != NULL; r = sl_json_next(r)) {
        const char *emoji = sl_json_str(r, "emoji");
        if (emoji == NULL || !same(r, "message_id", message) || has_line(lines, emoji)) {
            continue;
        }
        lines = lines != NULL ? lines : sl_json_array();
        ok = lines != NULL && add_line(lines, reactions, r, me);
    }
    if (!ok) {
        sl_json_free(lines);
        return sl_fail_nomem(err);
    }
    *out = lines;
    return SL_OK;
}
