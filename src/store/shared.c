#include "store/shared.h"

#include "base/mem.h"

#include <sqlite3.h>
#include <string.h>

bool sl_shared_list_open(sl_shared_list *list)
{
    list->first = NULL;
    list->lock = sl_mutex_new();
    return list->lock != NULL;
}

void sl_shared_list_close(sl_shared_list *list)
{
    sl_mutex_free(list->lock);
    list->lock = NULL;
}

/* Called locked. */
static sl_shared *find(const sl_shared_list *list, const char *path)
{
    sl_shared *s = list->first;
    while (s != NULL && strcmp(s->path, path) != 0) {
        s = s->next;
    }
    return s;
}

/* Called locked. NULL: out of memory. */
static sl_shared *add(sl_shared_list *list, const char *path)
{
    sl_shared *s = sl_mem(sizeof *s);
    char *copy = sl_text_dup(path);
    if (s == NULL || copy == NULL) {
        sl_mem_free(s);
        sl_mem_free(copy);
        return NULL;
    }
    s->path = copy;
    s->next = list->first;
    list->first = s;
    return s;
}

bool sl_shared_join(sl_hold *h, sl_shared_list *list, const char *path)
{
    memset(h, 0, sizeof *h);
    sl_lock(list->lock);
    sl_shared *s = find(list, path);
    s = s != NULL ? s : add(list, path);
    if (s != NULL) {
        s->files++;
        h->list = list;
        h->of = s;
    }
    sl_unlock(list->lock);
    return s != NULL;
}

/* Called locked. */
static void drop_index(sl_shared *s)
{
    for (size_t i = 0; i < s->count; i++) {
        sl_mem_free(s->regions[i]);
    }
    sl_mem_free(s->regions);
    s->regions = NULL;
    s->count = 0;
}

/* Called locked. */
static void drop(sl_shared_list *list, sl_shared *s)
{
    sl_shared **at = &list->first;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    drop_index(s);
    sl_mem_free(s->path);
    sl_mem_free(s);
}

void sl_shared_leave(sl_hold *h)
{
    if (h->of == NULL) {
        return;
    }
    sl_shared_unmap(h);
    (void)sl_shared_unlock(h, SQLITE_LOCK_NONE);
    sl_lock(h->list->lock);
    if (--h->of->files == 0) {
        drop(h->list, h->of);
    }
    sl_unlock(h->list->lock);
    h->of = NULL;
}

/* --- the database ------------------------------------------------------------------------- */

/* Called locked. There is no PENDING: who wants the database alone asks again. */
static bool may_have(const sl_hold *h, int level)
{
    const sl_shared *s = h->of;
    bool mine = h->level >= SQLITE_LOCK_RESERVED;
    switch (level) {
    case SQLITE_LOCK_SHARED: return !s->exclusive;
    case SQLITE_LOCK_RESERVED: return !s->reserved || mine;
    default: return (!s->reserved || mine) && s->shared == 1 && h->level > SQLITE_LOCK_NONE;
    }
}

int sl_shared_lock(sl_hold *h, int level)
{
    if (h->level >= level) {
        return SQLITE_OK;
    }
    sl_lock(h->list->lock);
    bool ok = may_have(h, level);
    if (ok) {
        h->of->shared += h->level == SQLITE_LOCK_NONE ? 1 : 0;
        h->of->reserved = h->of->reserved || level >= SQLITE_LOCK_RESERVED;
        h->of->exclusive = level == SQLITE_LOCK_EXCLUSIVE;
        h->level = level;
    }
    sl_unlock(h->list->lock);
    return ok ? SQLITE_OK : SQLITE_BUSY;
}

int sl_shared_unlock(sl_hold *h, int level)
{
    if (h->level <= level) {
        return SQLITE_OK;
    }
    sl_lock(h->list->lock);
    if (h->level >= SQLITE_LOCK_RESERVED) {
        h->of->reserved = false;
        h->of->exclusive = false;
    }
    h->of->shared -= level == SQLITE_LOCK_NONE ? 1 : 0;
    h->level = level;
    sl_unlock(h->list->lock);
    return SQLITE_OK;
}

bool sl_shared_reserved(const sl_hold *h)
{
    sl_lock(h->list->lock);
    bool reserved = h->of->reserved;
    sl_unlock(h->list->lock);
    return reserved;
}

/* --- the WAL's index ---------------------------------------------------------------------- */

/* Called locked. */
static bool grow(sl_shared *s, size_t count, size_t size)
{
    void **grown = sl_mem_resize(s->regions, count, sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    s->regions = grown;
    while (s->count < count) {
        void *region = sl_mem(size);
        if (region == NULL) {
            return false;
        }
        s->regions[s->count++] = region;
    }
    return true;
}

int sl_shared_map(sl_hold *h, int region, int size, bool extend, void volatile **out)
{
    int code = SQLITE_OK;
    size_t at = (size_t)region;
    sl_lock(h->list->lock);
    sl_shared *s = h->of;
    if (!h->mapped) {
        h->mapped = true;
        s->mapped++;
    }
    if (at >= s->count && extend && !grow(s, at + 1, (size_t)size)) {
        code = SQLITE_NOMEM;
    }
    *out = code == SQLITE_OK && at < s->count ? s->regions[at] : NULL;
    sl_unlock(h->list->lock);
    return code;
}

static bool take_shared(_Atomic int *place)
{
    int held = atomic_load_explicit(place, memory_order_relaxed);
    while (held >= 0) {
        if (atomic_compare_exchange_weak_explicit(place, &held, held + 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

static bool take_alone(_Atomic int *place)
{
    int none = 0;
    return atomic_compare_exchange_strong_explicit(place, &none, -1, memory_order_acquire,
                                                   memory_order_relaxed);
}

static void give_back(sl_hold *h, int i)
{
    unsigned bit = 1u << i;
    if ((h->places_alone & bit) != 0) {
        atomic_store_explicit(&h->of->places[i], 0, memory_order_release);
    } else if ((h->places_shared & bit) != 0) {
        (void)atomic_fetch_sub_explicit(&h->of->places[i], 1, memory_order_release);
    }
    h->places_alone &= ~bit;
    h->places_shared &= ~bit;
}

/* False: refused. */
static bool take(sl_hold *h, int i, bool alone)
{
    bool ok = alone ? take_alone(&h->of->places[i]) : take_shared(&h->of->places[i]);
    if (ok && alone) {
        h->places_alone |= 1u << i;
    } else if (ok) {
        h->places_shared |= 1u << i;
    }
    return ok;
}

static unsigned bits(int first, int n)
{
    return ((1u << n) - 1u) << first;
}

/* Gives back those of the places from `first` up to `end` that these bits name. */
static void give_back_all(sl_hold *h, int first, int end, unsigned which)
{
    for (int i = first; i < end; i++) {
        if ((which & (1u << i)) != 0) {
            give_back(h, i);
        }
    }
}

int sl_shared_place(sl_hold *h, int first, int n, int flags)
{
    bool alone = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    unsigned before = h->places_alone | h->places_shared;
    unsigned enough = alone ? h->places_alone : before;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        give_back_all(h, first, first + n, bits(first, n));
        return SQLITE_OK;
    }
    for (int i = first; i < first + n; i++) {
        if ((enough & (1u << i)) == 0 && !take(h, i, alone)) {
            give_back_all(h, first, i, ~before); /* all or nothing */
            return SQLITE_BUSY;
        }
    }
    return SQLITE_OK;
}

void sl_shared_unmap(sl_hold *h)
{
    for (int i = 0; i < SL_SHARED_PLACES; i++) {
        give_back(h, i);
    }
    if (h->mapped) {
        sl_lock(h->list->lock);
        h->mapped = false;
        if (--h->of->mapped == 0) {
            drop_index(h->of);
        }
        sl_unlock(h->list->lock);
    }
}
