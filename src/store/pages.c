#include "store/pages.h"

#include "base/mem.h"
#include "crypto/hash.h"

#include <string.h>

enum {
    MANY_LEN = 64 * 1024,
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
    sl_mem_free(f->many);
    f->many = NULL;
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

/* A part of the file, hidden. */
typedef struct part {
    const uint8_t *p;
    size_t n;
    int64_t at;
} part;

/* Hides a unit, or what is written of it with what must be written again around it; room for a whole
 * unit. */
static sl_status hide(sl_pages *f, unit u, const uint8_t *src, size_t skip, size_t take,
                      uint8_t *room, part *out)
{
    size_t end = block_up(u, skip + take);
    size_t from = is_blocks(u.len) ? block_down(skip) : 0;
    const uint8_t *plain = src;
    if (skip != 0 || take != end) {
        int64_t got = read_unit(f, u, f->unit, end);
        if (got < 0) {
            return (sl_status)got;
        }
        memcpy(f->unit + skip, src, take);
        plain = f->unit;
    }
    sl_xts_seal(f->xts, (uint64_t)u.at, plain, end, room);
    *out = (part){room + from, end - from, u.at + (int64_t)from};
    return SL_OK;
}

static sl_status write_part(const sl_pages *f, part p)
{
    return p.n > 0 ? f->platform->files->write(f->platform->user, f->handle, p.p, p.n, p.at)
                   : SL_OK;
}

/* Units one behind the other go out in one write, while there is room. */
sl_status sl_pages_write(sl_pages *f, const void *src, size_t n, int64_t at)
{
    const uint8_t *from = src;
    uint8_t one[SL_PAGE_LEN];
    part waits = {.n = 0};
    size_t used = 0; /* of f->many */
    sl_status status = SL_OK;
    if (n > SL_PAGE_LEN && f->many == NULL) {
        f->many = sl_mem(MANY_LEN);
    }
    for (size_t done = 0; status == SL_OK && done < n;) {
        unit u = unit_at(f, at + (int64_t)done);
        size_t skip = (size_t)(at + (int64_t)done - u.at);
        size_t take = u.len - skip < n - done ? u.len - skip : n - done;
        bool fits = f->many != NULL && used + u.len <= MANY_LEN;
        if (!fits) {
            status = write_part(f, waits);
            waits.n = 0;
            used = 0;
        }
        uint8_t *room = f->many != NULL ? f->many + used : one;
        part p = {.n = 0};
        if (status == SL_OK) {
            status = hide(f, u, from + done, skip, take, room, &p);
        }
        if (status == SL_OK && waits.n == 0) {
            waits = p;
        } else if (status == SL_OK) {
            waits.n += p.n;
        }
        used += f->many != NULL ? block_up(u, skip + take) : 0;
        done += take;
    }
    return status == SL_OK ? write_part(f, waits) : status;
}

sl_status sl_pages_truncate(sl_pages *f, int64_t size)
{
    if (size > 0) {
        unit u = unit_at(f, size - 1);
        size = u.at + (int64_t)block_up(u, (size_t)(size - u.at));
    }
    return f->platform->files->truncate(f->platform->user, f->handle, size);
}
