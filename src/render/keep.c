#include "render/keep.h"

#include "base/mem.h"

typedef struct entry {
    sl_keep_key key;
    void *thing;
    size_t bytes;
    uint64_t turn;
    struct entry *next; /* with the same hash */
    struct entry *newer;
    struct entry *older;
} entry;

struct sl_keep {
    entry **heads;
    size_t heads_n; /* a power of two */
    size_t count;
    size_t bytes;
    size_t bytes_max;
    uint64_t turn;
    entry *newest;
    entry *oldest;
    void (*drop)(void *thing);
};

enum {
    HEADS_FIRST = 64
};

static size_t head_of(const sl_keep *k, sl_keep_key key)
{
    uint64_t h = (key.a ^ key.b * UINT64_C(0x9E3779B97F4A7C15)) * UINT64_C(0xD6E8FEB86659FD93);
    return (size_t)(h >> 32) & (k->heads_n - 1);
}

sl_keep *sl_keep_new(size_t bytes, void (*drop)(void *thing))
{
    sl_keep *k = sl_mem(sizeof *k);
    entry **heads = sl_mem_array(HEADS_FIRST, sizeof(entry *));
    if (k == NULL || heads == NULL) {
        sl_mem_free(k);
        sl_mem_free(heads);
        return NULL;
    }
    k->heads = heads;
    k->heads_n = HEADS_FIRST;
    k->bytes_max = bytes;
    k->drop = drop;
    return k;
}

static void unlink_entry(sl_keep *k, entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &k->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &k->oldest) = e->newer;
}

static void link_newest(sl_keep *k, entry *e)
{
    e->newer = NULL;
    e->older = k->newest;
    *(k->newest != NULL ? &k->newest->newer : &k->oldest) = e;
    k->newest = e;
    e->turn = k->turn;
}

static void remove_entry(sl_keep *k, entry *e)
{
    entry **at = &k->heads[head_of(k, e->key)];
    while (*at != e) {
        at = &(*at)->next;
    }
    *at = e->next;
    unlink_entry(k, e);
    k->bytes -= e->bytes;
    k->count--;
    k->drop(e->thing);
    sl_mem_free(e);
}

void sl_keep_clear(sl_keep *k)
{
    while (k->oldest != NULL) {
        remove_entry(k, k->oldest);
    }
}

void sl_keep_free(sl_keep *k)
{
    if (k != NULL) {
        sl_keep_clear(k);
        sl_mem_free(k->heads);
        sl_mem_free(k);
    }
}

void sl_keep_turn(sl_keep *k)
{
    k->turn++;
}

static entry *find(const sl_keep *k, sl_keep_key key)
{
    entry *e = k->heads[head_of(k, key)];
    while (e != NULL && (e->key.a != key.a || e->key.b != key.b)) {
        e = e->next;
    }
    return e;
}

void *sl_keep_find(sl_keep *k, sl_keep_key key)
{
    entry *e = find(k, key);
    if (e == NULL) {
        return NULL;
    }
    unlink_entry(k, e);
    link_newest(k, e);
    return e->thing;
}

/* More heads when entries are more than they; without memory the lists grow longer. */
static void grow(sl_keep *k)
{
    size_t n = k->heads_n * 2;
    entry **heads = k->count >= k->heads_n ? sl_mem_array(n, sizeof(entry *)) : NULL;
    if (heads == NULL) {
        return;
    }
    sl_mem_free(k->heads);
    k->heads = heads;
    k->heads_n = n;
    for (entry *e = k->oldest; e != NULL; e = e->newer) {
        size_t h = head_of(k, e->key);
        e->next = heads[h];
        heads[h] = e;
    }
}

bool sl_keep_put(sl_keep *k, sl_keep_key key, void *thing, size_t bytes)
{
    size_t all = bytes + sizeof(entry);
    if (all > k->bytes_max || find(k, key) != NULL) {
        return false;
    }
    while (k->bytes + all > k->bytes_max && k->oldest->turn != k->turn) {
        remove_entry(k, k->oldest);
    }
    entry *e = k->bytes + all <= k->bytes_max ? sl_mem(sizeof *e) : NULL;
    if (e == NULL) {
        return false;
    }
    grow(k);
    e->key = key;
    e->thing = thing;
    e->bytes = all;
    size_t h = head_of(k, key);
    e->next = k->heads[h];
    k->heads[h] = e;
    link_newest(k, e);
    k->bytes += all;
    k->count++;
    return true;
}

size_t sl_keep_bytes(const sl_keep *k)
{
    return k->bytes;
}
