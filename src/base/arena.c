#include "base/arena.h"

#include "base/mem.h"

#include <stdint.h>
#include <string.h>

enum {
    BLOCK = 1024,
    BLOCK_MAX = 64 * 1024
};

struct sl_arena_block {
    sl_arena_block *next;
    size_t size;
    size_t used;
    max_align_t bytes[];
};

static sl_arena_block *add_block(sl_arena *a, size_t n)
{
    size_t size = a->last != NULL ? a->last->size * 2 : BLOCK;
    size = size > BLOCK_MAX ? BLOCK_MAX : size;
    size = size < n ? n : size;
    sl_arena_block *b = sl_mem_resize(NULL, 1, sizeof *b + size);
    if (b == NULL) {
        return NULL;
    }
    b->next = NULL;
    b->size = size;
    b->used = 0;
    if (a->last != NULL) {
        a->last->next = b;
    } else {
        a->first = b;
    }
    a->last = b;
    return b;
}

void *sl_arena_take(sl_arena *a, size_t n)
{
    if (n > SIZE_MAX / 4) {
        return NULL;
    }
    n = (n + 7) & ~(size_t)7;
    sl_arena_block *b = a->last;
    if (b == NULL || b->size - b->used < n) {
        b = add_block(a, n);
        if (b == NULL) {
            return NULL;
        }
    }
    void *p = (char *)b->bytes + b->used;
    b->used += n;
    return p;
}

char *sl_arena_text(sl_arena *a, const char *s, size_t n)
{
    char *to = sl_arena_take(a, n + 1);
    if (to != NULL) {
        if (n > 0) {
            memcpy(to, s, n);
        }
        to[n] = 0;
    }
    return to;
}

static void free_from(sl_arena_block *b)
{
    while (b != NULL) {
        sl_arena_block *next = b->next;
        sl_mem_free(b);
        b = next;
    }
}

void sl_arena_clear(sl_arena *a)
{
    if (a->first != NULL) {
        free_from(a->first->next);
        a->first->next = NULL;
        a->first->used = 0;
        a->last = a->first;
    }
}

void sl_arena_free(sl_arena *a)
{
    free_from(a->first);
    a->first = NULL;
    a->last = NULL;
}
