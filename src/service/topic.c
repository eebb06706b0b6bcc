/*
 * service/topic.c - who listens to which space: found by connection and by space.
 *
 * A topic without listeners stays until the table grows, so that whoever walks one may end
 * connections on the way.
 */
#include "base/mem.h"
#include "service/inside.h"

#include <string.h>

static uint32_t hash_of(const char *s)
{
    uint32_t h = 2166136261U; /* FNV-1a */
    for (; *s != 0; s++) {
        h = (h ^ (uint8_t)*s) * 16777619U;
    }
    return h;
}

sl_sv_topic *sl_sv_topic_find(const sl_service *s, const char *space)
{
    sl_sv_topic *t = s->topic_cap > 0 ? s->topics[hash_of(space) & (s->topic_cap - 1)] : NULL;
    while (t != NULL && strcmp(t->space, space) != 0) {
        t = t->next;
    }
    return t;
}

static void topic_free(sl_sv_topic *t)
{
    sl_mem_free(t->subs);
    sl_mem_free(t);
}

/* Twice the room, without the topics that nobody listens to. */
static bool grow(sl_service *s)
{
    size_t cap = s->topic_cap == 0 ? 64 : s->topic_cap * 2;
    sl_sv_topic **topics = sl_mem_array(cap, sizeof(void *));
    if (topics == NULL) {
        return false;
    }
    s->topic_count = 0;
    for (size_t i = 0; i < s->topic_cap; i++) {
        for (sl_sv_topic *t = s->topics[i], *next = NULL; t != NULL; t = next) {
            next = t->next;
            if (t->count == 0) {
                topic_free(t);
                continue;
            }
            sl_sv_topic **slot = &topics[hash_of(t->space) & (cap - 1)];
            t->next = *slot;
            *slot = t;
            s->topic_count++;
        }
    }
    sl_mem_free(s->topics);
    s->topics = topics;
    s->topic_cap = cap;
    return true;
}

static sl_sv_topic *topic_for(sl_service *s, const char *space)
{
    sl_sv_topic *t = sl_sv_topic_find(s, space);
    if (t != NULL || (s->topic_count == s->topic_cap && !grow(s))) {
        return t;
    }
    t = sl_mem(sizeof *t);
    if (t != NULL) {
        sl_sv_topic **slot = &s->topics[hash_of(space) & (s->topic_cap - 1)];
        memcpy(t->space, space, strlen(space) + 1);
        t->next = *slot;
        *slot = t;
        s->topic_count++;
    }
    return t;
}

void sl_sv_topics_free(sl_service *s)
{
    for (size_t i = 0; i < s->topic_cap; i++) {
        for (sl_sv_topic *t = s->topics[i], *next = NULL; t != NULL; t = next) {
            next = t->next;
            topic_free(t);
        }
    }
    sl_mem_free(s->topics);
    s->topics = NULL;
    s->topic_cap = 0;
}

/* Place of the space among a connection's subscriptions, or where it would be. */
static size_t place_in_conn(const sl_sv_conn *c, const char *space)
{
    size_t from = 0;
    size_t to = c->sub_count;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (strcmp(c->subs[mid]->topic->space, space) < 0) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

/* Place of the connection among a topic's listeners, likewise. */
static size_t place_in_topic(const sl_sv_topic *t, sl_id conn)
{
    size_t from = 0;
    size_t to = t->count;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (t->subs[mid]->conn->id < conn) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

sl_sv_sub *sl_sv_sub_find(const sl_sv_conn *c, const char *space)
{
    size_t i = place_in_conn(c, space);
    return i < c->sub_count && strcmp(c->subs[i]->topic->space, space) == 0 ? c->subs[i] : NULL;
}

/* Room for one more in a list of subscriptions. */
static bool room(sl_sv_sub ***list, size_t count, size_t *cap)
{
    if (count < *cap) {
        return true;
    }
    size_t more = *cap == 0 ? 4 : *cap * 2;
    sl_sv_sub **grown = sl_mem_resize(*list, more, sizeof(void *));
    if (grown != NULL) {
        *list = grown;
        *cap = more;
    }
    return grown != NULL;
}

static void insert(sl_sv_sub **list, size_t *count, size_t i, sl_sv_sub *sub)
{
    memmove(&list[i + 1], &list[i], (*count - i) * sizeof(void *));
    list[i] = sub;
    (*count)++;
}

static void take_out(sl_sv_sub **list, size_t *count, size_t i)
{
    (*count)--;
    memmove(&list[i], &list[i + 1], (*count - i) * sizeof(void *));
}

sl_status sl_sv_sub_add(sl_service *s, sl_sv_conn *c, const char *space, sl_sv_sub **out)
{
    if (c->sub_count == SL_SV_SUBS_MAX) {
        return SL_E_LIMIT;
    }
    sl_sv_topic *t = topic_for(s, space);
    sl_sv_sub *sub = t != NULL ? sl_mem(sizeof *sub) : NULL;
    if (sub == NULL || !room(&t->subs, t->count, &t->cap) ||
        !room(&c->subs, c->sub_count, &c->sub_cap)) {
        sl_mem_free(sub);
        return SL_E_NOMEM;
    }
    sub->conn = c;
    sub->topic = t;
    insert(c->subs, &c->sub_count, place_in_conn(c, space), sub);
    insert(t->subs, &t->count, place_in_topic(t, c->id), sub);
    *out = sub;
    return SL_OK;
}

/* Takes it out of the queue of those that catch up. */
static void unqueue(sl_sv_conn *c, const sl_sv_sub *sub)
{
    for (sl_sv_sub **at = &c->queue; *at != NULL; at = &(*at)->next) {
        if (*at == sub) {
            *at = sub->next;
            return;
        }
    }
}

void sl_sv_sub_queue(sl_sv_sub *sub, bool first)
{
    sl_sv_sub **at = &sub->conn->queue;
    unqueue(sub->conn, sub);
    while (!first && *at != NULL) {
        at = &(*at)->next;
    }
    sub->next = *at;
    *at = sub;
}

void sl_sv_sub_live(sl_sv_sub *sub)
{
    unqueue(sub->conn, sub);
    sub->live = true;
}

void sl_sv_sub_remove(sl_sv_sub *sub)
{
    sl_sv_conn *c = sub->conn;
    sl_sv_topic *t = sub->topic;
    unqueue(c, sub);
    take_out(c->subs, &c->sub_count, place_in_conn(c, t->space));
    take_out(t->subs, &t->count, place_in_topic(t, c->id));
    sl_mem_free(sub);
}
