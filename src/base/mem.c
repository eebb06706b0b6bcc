#include "base/mem.h"

#include "sideline/base.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t g_calls;
static _Atomic uint64_t g_fail_at;
static _Atomic bool g_fail_forever;
static _Atomic bool g_spare;
static _Atomic int64_t g_live;
static _Atomic bool g_counted;
static _Atomic int64_t g_blocks;

static bool must_fail(void)
{
    if (atomic_load(&g_spare)) {
        return false;
    }
    uint64_t call = atomic_fetch_add(&g_calls, 1) + 1;
    uint64_t at = atomic_load(&g_fail_at);
    return at != 0 && (call == at || (call > at && atomic_load(&g_fail_forever)));
}

uint64_t sl_mem_fail_at(uint64_t k, bool forever)
{
    atomic_store(&g_fail_at, 0);
    uint64_t calls = atomic_exchange(&g_calls, 0);
    atomic_store(&g_fail_forever, forever);
    atomic_store(&g_fail_at, k);
    return calls;
}

void sl_mem_spare(bool on)
{
    atomic_store(&g_spare, on);
}

void sl_mem_count(bool on)
{
    atomic_store(&g_counted, on);
}

int64_t sl_mem_blocks(void)
{
    return atomic_load(&g_blocks);
}

static void tally(bool any, int delta)
{
    if (any && atomic_load_explicit(&g_counted, memory_order_relaxed)) {
        atomic_fetch_add(&g_blocks, delta);
    }
}

void *sl_mem(size_t n)
{
    void *p = must_fail() ? NULL : calloc(1, n > 0 ? n : 1);
    tally(p != NULL, 1);
    return p;
}

void *sl_mem_array(size_t count, size_t size)
{
    size_t n = 0;
    return sl_size_mul(count, size, &n) ? sl_mem(n) : NULL;
}

void *sl_mem_resize(void *p, size_t count, size_t size)
{
    size_t n = 0;
    if (!sl_size_mul(count, size, &n) || must_fail()) {
        return NULL;
    }
    void *now = realloc(p, n > 0 ? n : 1);
    tally(p == NULL && now != NULL, 1);
    return now;
}

void sl_mem_free(void *p)
{
    tally(p != NULL, -1);
    free(p);
}

char *sl_text_ndup(const char *s, size_t n)
{
    size_t room = 0;
    char *copy = sl_size_add(n, 1, &room) ? sl_mem(room) : NULL;
    if (copy != NULL && n > 0) {
        memcpy(copy, s, n);
    }
    return copy;
}

char *sl_text_dup(const char *s)
{
    return sl_text_ndup(s, strlen(s));
}

char *sl_text_vfmt(const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = n < 0 ? NULL : sl_mem((size_t)n + 1);
    if (text != NULL) {
        (void)vsnprintf(text, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    return text;
}

char *sl_text_fmt(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = sl_text_vfmt(fmt, args);
    va_end(args);
    return text;
}

bool sl_size_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b) {
        return false;
    }
    *out = a + b;
    return true;
}

bool sl_size_mul(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b) {
        return false;
    }
    *out = a * b;
    return true;
}

void sl_live_add(int delta)
{
    atomic_fetch_add(&g_live, delta);
}

int64_t sl_debug_live_objects(void)
{
    return atomic_load(&g_live);
}

void *sl_alloc(size_t n)
{
    return sl_mem(n);
}

void sl_free(void *p)
{
    sl_mem_free(p);
}
