#include "store/pages.h"

#include "base/mem.h"
#include "crypto/hash.h"

#include <string.h>

enum {
    WAL_HEAD = 32,
    FRAME_HEAD = 24,
    FRAME = FRAME_HEAD + SL_PAGE_LEN
};

typedef struct unit {
    int64_t at;
    size_t len;
} unit;

static unit unit_at(const sl_pages *f, int64_t at)
{
    if (!f->wal) {
        return (unit){at - at % SL_PAGE_LEN, SL_PAGE_LEN};
    }
    if (at < WAL_HEAD) {
        return (unit){0, WAL_HEAD};
    }
    int64_t frame = at - (at - WAL_HEAD) % FRAME;
    return at - frame < FRAME_HEAD ? (unit){frame, FRAME_HEAD}
                                   : (unit){frame + FRAME_HEAD, SL_PAGE_LEN};
}

static bool is_blocks(size_t n)
{
    return n % SL_XTS_BLOCK == 0;
}

static size_t block_down(size_t n)
{
    return n - n % SL_XTS_BLOCK;
}

/* What is written together with the n-th byte of a unit ends here. */
static size_t block_up(unit u, size_t n)
{
    return is_blocks(u.len) ? block_down(n + SL_XTS_BLOCK - 1) : n > 0 ? u.len : 0;
}

bool sl_pages_open(sl_pages *f, const sl_platform *platform, void *handle, const sl_xts *xts)
{
    *f = (sl_pages){.platform = platform, .handle = handle, .xts = xts};
    f->unit = sl_mem(SL_PAGE_LEN);
    return f->unit != NULL;
}

bool sl_pages_open_wal(sl_pages *f, const sl_platform *platform, void *handle, const sl_xts *xts)
{
    bool ok = sl_pages_open(f, platform, handle, xts);
    f->wal = true;
    return ok;
}

void sl_pages_close(sl_pages *f)
{
    if (f->unit != NULL) {
        sl_wipe(f->unit, SL_PAGE_LEN);
        sl_mem_free(f->unit);
        f->unit = NULL;
    }
}

/* The first n bytes of a unit in the clear; returns how many there are, the rest is zero. Of a unit
 * that the file's end cuts, the whole blocks. */
static int64_t read_unit(sl_pages *f, unit u, uint8_t *dst, size_t n)
{
    uint8_t head[FRAME_HEAD];
    uint8_t *to = is_blocks(u.len) ? dst : head;
    n = is_blocks(u.len) ? n : u.len;
    int64_t got = f->platform->files->read(f->platform->user, f->handle, to, n, u.at);
    if (got < 0) {
        return got;
    }
    size_t have = is_blocks(u.len) ? block_down((size_t)got) : (size_t)got == u.len ? u.len : 0;
    if (have > 0) {
        sl_xts_open(f->xts, (uint64_t)u.at, to, have, dst);
    }
    memset(dst + have, 0, n - have);
    return (int64_t)have;
}

int64_t sl_pages_read(sl_pages *f, void *dst, size_t n, int64_t at)
{
    uint8_t *to = dst;
    size_t done = 0;
    while (done < n) {
        unit u = unit_at(f, at + (int64_t)done);
        size_t skip = (size_t)(at + (int64_t)done - u.at);
        size_t take = u.len - skip < n - done ? u.len - skip : n - done;
        bool whole = take == u.len;
        int64_t got = read_unit(f, u, whole ? to + done : f->unit, block_up(u, skip + take));
        if (got < 0) {
            return got;
        }
        size_t have = (size_t)got > skip ? (size_t)got - skip : 0;
        have = have < take ? have : take;
        if (!whole) {
            memcpy(to + done, f->unit + skip, have);
        }
        done += have;
        if (have < take) {
            break;
        }
    }
    return (int64_t)done;
}

static sl_status write_unit(sl_pages *f, unit u, const uint8_t *src, size_t skip, size_t take)
{
    size_t end = block_up(u, skip + take);
    size_t from = is_blocks(u.len) ? block_down(skip) : 0;
    const uint8_t *plain = src;
    uint8_t head[FRAME_HEAD];
    if (skip != 0 || take != end) {
        int64_t got = read_unit(f, u, f->unit, end);
        if (got < 0) {
            return (sl_status)got;
        }
        memcpy(f->unit + skip, src, take);
        plain = f->unit;
    }
    uint8_t *hidden = is_blocks(u.len) ? f->unit : head;
    sl_xts_seal(f->xts, (uint64_t)u.at, plain, end, hidden);
    return f->platform->files->write(f->platform->user, f->handle, hidden + from, end - from,
                                     u.at + (int64_t)from);
}

sl_status sl_pages_write(sl_pages *f, const void *src, size_t n, int64_t at)
{
    const uint8_t *from = src;
    size_t done = 0;
    while (done < n) {
        unit u = unit_at(f, at + (int64_t)done);
        size_t skip = (size_t)(at + (int64_t)done - u.at);
        size_t take = u.len - skip < n - done ? u.len - skip : n - done;
        sl_status status = write_unit(f, u, from + done, skip, take);
        if (status != SL_OK) {
            return status;
        }
        done += take;
    }
    return SL_OK;
}

sl_status sl_pages_truncate(sl_pages *f, int64_t size)
{
    if (size > 0) {
        unit u = unit_at(f, size - 1);
        size = u.at + (int64_t)block_up(u, (size_t)(size - u.at));
    }
    return f->platform->files->truncate(f->platform->user, f->handle, size);
}
