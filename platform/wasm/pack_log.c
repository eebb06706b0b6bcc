/*
 * The log of a pack: what files there are and where.
 *
 *   superblock  "SLPACK1\n" 8 | epoch 8 | first block of the log 4 | its blocks 4 | crc 4
 *   record      length 4 | crc 4 | what 1 | id 4 | ...
 *     SET       size 8 | name's length 2 | name | (first block 4, blocks 4)*   all there is of a file; another
 *                                                                          of that name is gone
 *     SIZE      size 8
 *     GONE
 * Numbers are little-endian. A record's crc is over epoch, number and payload. The log ends where the next
 * record is not.
 */
#include "platform/wasm/pack_inside.h"

#include <stdlib.h>
#include <string.h>

#ifndef SL_PACK_LOG_LEAST /* tests want to fill it */
#define SL_PACK_LOG_LEAST (256 * 1024)
#endif

enum {
    MAGIC_LEN = 8,
    SUPER_LEN = 28,
    SUPER_GAP = 4096, /* the second one lies so far behind the first: never in the same sector */
    HEAD_LEN = 8,
    SET_HEAD = 15,
    LOG_LEAST = SL_PACK_LOG_LEAST,
    LOG_MOST = 256 * 1024 * 1024,
    AHEAD_BLOCKS = 1 << 20,
    SPARE_BLOCKS = 256, /* so much unused at the end is given back */
    OP_SET = 1,
    OP_SIZE = 2,
    OP_GONE = 3
};

static const char MAGIC[] = "SLPACK1\n";

static void put(uint8_t *p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static uint64_t get(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
}

static uint32_t crc(uint32_t sum, const uint8_t *p, size_t n)
{
    static const uint32_t nibble[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    sum = ~sum;
    for (size_t i = 0; i < n; i++) {
        sum = nibble[(sum ^ p[i]) & 15] ^ (sum >> 4);
        sum = nibble[(sum ^ (uint32_t)(p[i] >> 4)) & 15] ^ (sum >> 4);
    }
    return ~sum;
}

static uint32_t record_crc(const pack *p, uint32_t number, const uint8_t *payload, size_t n)
{
    uint8_t where[12];
    put(where, p->epoch, 8);
    put(where + 8, number, 4);
    return crc(crc(0, where, sizeof where), payload, n);
}

/* --- writing --------------------------------------------------------------------------------- */

/* Room for one record's payload; its head is filled in by finish. NULL: no memory. */
static uint8_t *begin(pack *p, size_t n)
{
    size_t need = p->out_len + HEAD_LEN + n;
    if (need > p->out_room) {
        size_t room = need > 2 * p->out_room ? need : 2 * p->out_room;
        uint8_t *grown = realloc(p->out, room);
        if (grown == NULL) {
            return NULL;
        }
        p->out = grown;
        p->out_room = room;
    }
    uint8_t *head = p->out + p->out_len;
    put(head, n, 4);
    p->out_len = need;
    return head + HEAD_LEN;
}

static void finish(const pack *p, uint8_t *payload, uint32_t number)
{
    uint8_t *head = payload - HEAD_LEN;
    put(head + 4, record_crc(p, number, payload, (size_t)get(head, 4)), 4);
}

static size_t set_len(const node *n)
{
    return SET_HEAD + strlen(n->name) + (size_t)n->where.count * 8;
}

static bool write_set(pack *p, const node *n, uint32_t number)
{
    size_t name = strlen(n->name);
    uint8_t *at = begin(p, set_len(n));
    if (at == NULL) {
        return false;
    }
    at[0] = OP_SET;
    put(at + 1, n->id, 4);
    put(at + 5, (uint64_t)n->size, 8);
    put(at + 13, name, 2);
    memcpy(at + SET_HEAD, n->name, name);
    uint8_t *e = at + SET_HEAD + name;
    for (uint32_t i = 0; i < n->where.count; i++, e += 8) {
        put(e, n->where.all[i].start, 4);
        put(e + 4, n->where.all[i].count, 4);
    }
    finish(p, at, number);
    return true;
}

static bool write_short(pack *p, uint8_t what, uint32_t id, int64_t size, uint32_t number)
{
    uint8_t *at = begin(p, what == OP_SIZE ? 13 : 5);
    if (at == NULL) {
        return false;
    }
    at[0] = what;
    put(at + 1, id, 4);
    if (what == OP_SIZE) {
        put(at + 5, (uint64_t)size, 8);
    }
    finish(p, at, number);
    return true;
}

/* The records of all changes; *next: the number after them. What takes another's name comes before the
 * other is gone: a log that breaks off in between has one of the two. */
static bool write_changes(pack *p, uint32_t *next)
{
    bool ok = true;
    p->out_len = 0;
    for (const node *n = p->files; ok && n != NULL; n = n->next) {
        if (n->gone || (!n->moved && !n->resized)) {
            continue;
        }
        ok = n->moved ? write_set(p, n, *next) : write_short(p, OP_SIZE, n->id, n->size, *next);
        (*next)++;
    }
    for (uint32_t i = 0; ok && i < p->removed_count; i++) {
        ok = write_short(p, OP_GONE, p->removed[i], 0, (*next)++);
    }
    return ok;
}

static void settled(pack *p)
{
    for (node *n = p->files; n != NULL; n = n->next) {
        if (!n->gone) {
            n->moved = false;
            n->resized = false;
        }
    }
    p->removed_count = 0;
    pack_reclaim(p);
}

static sl_status flush(pack *p)
{
    return p->device.flush(p->device.user);
}

static sl_status write_super(pack *p)
{
    uint8_t s[SUPER_LEN];
    memcpy(s, MAGIC, MAGIC_LEN);
    put(s + 8, p->epoch, 8);
    put(s + 16, p->log.start, 4);
    put(s + 20, p->log.count, 4);
    put(s + 24, crc(0, s, 24), 4);
    sl_status status =
        p->device.write(p->device.user, s, sizeof s, (int64_t)(p->epoch % 2) * SUPER_GAP);
    return status == SL_OK ? flush(p) : status;
}

/* All there is as a new log, written to `log` under the next epoch. */
static sl_status write_whole(pack *p, extent log)
{
    uint32_t next = 1;
    bool ok = true;
    p->out_len = 0;
    for (const node *n = p->files; ok && n != NULL; n = n->next) {
        ok = n->gone || write_set(p, n, next++);
    }
    if (!ok) {
        return SL_E_NOMEM;
    }
    sl_status status = SL_OK;
    if (p->out_len > 0) {
        status =
            p->device.write(p->device.user, p->out, p->out_len, (int64_t)log.start * PACK_BLOCK);
    }
    p->log_next = next;
    p->log_at = p->out_len;
    return status == SL_OK ? flush(p) : status;
}

static void trim(pack *p)
{
    int64_t end = (int64_t)pack_end(p) * PACK_BLOCK;
    int64_t size = p->device.size(p->device.user);
    if (size - end > (int64_t)SPARE_BLOCKS * PACK_BLOCK) {
        (void)p->device.truncate(p->device.user, end); /* it only saves room */
    }
}

/* The old log holds. Once the superblock was tried, either of the two may be found after a crash, and both
 * are whole: then nothing more goes into the old one, and the next commit makes a third. */
static void back_out(pack *p, extent log, extent old, uint64_t old_at, uint32_t old_next)
{
    bool tried = p->log.start == log.start;
    p->log = old;
    p->log_at = tried ? (uint64_t)old.count * PACK_BLOCK : old_at;
    p->log_next = old_next;
    if (!tried) {
        p->epoch--;
        pack_free(p, log);
    }
}

/* The log anew, elsewhere. */
static sl_status rewrite(pack *p)
{
    size_t need = 0;
    for (const node *n = p->files; n != NULL; n = n->next) {
        need += n->gone ? 0 : HEAD_LEN + set_len(n);
    }
    size_t bytes = 4 * need > LOG_LEAST ? 4 * need : LOG_LEAST;
    extent old = p->log;
    uint64_t old_at = p->log_at;
    uint32_t old_next = p->log_next;
    extent log = {0};
    sl_status status =
        bytes > LOG_MOST
            ? SL_E_FULL
            : pack_find(p, (uint32_t)((bytes + PACK_BLOCK - 1) / PACK_BLOCK), 0, true, &log);
    if (status != SL_OK) {
        return status;
    }
    p->epoch++;
    status = write_whole(p, log);
    if (status == SL_OK) {
        p->log = log;
        status = write_super(p);
    }
    if (status != SL_OK) {
        back_out(p, log, old, old_at, old_next);
        return status;
    }
    if (old.count > 0) {
        pack_free(p, old);
    }
    settled(p);
    trim(p);
    return SL_OK;
}

static sl_status format(pack *p)
{
    sl_status status = SL_OK;
    return pack_take(p, (extent){0, 1}, &status) ? rewrite(p) : status;
}

sl_status pack_commit(pack *p)
{
    uint32_t next = p->log_next;
    if (!write_changes(p, &next)) {
        return SL_E_NOMEM;
    }
    if (p->out_len == 0) {
        sl_status status = flush(p);
        if (status == SL_OK) {
            pack_reclaim(p);
        }
        return status;
    }
    if (p->log_at + p->out_len > (uint64_t)p->log.count * PACK_BLOCK) {
        return rewrite(p);
    }
    sl_status status = p->device.write(p->device.user, p->out, p->out_len,
                                       (int64_t)p->log.start * PACK_BLOCK + (int64_t)p->log_at);
    if (status == SL_OK) {
        status = flush(p);
    }
    if (status == SL_OK) {
        p->log_at += p->out_len;
        p->log_next = next;
        settled(p);
    }
    return status;
}

sl_status pack_forget(pack *p, uint32_t id)
{
    if (p->removed_count == p->removed_room) {
        uint32_t room = p->removed_room > 0 ? p->removed_room * 2 : 16;
        uint32_t *grown = realloc(p->removed, room * sizeof *grown);
        if (grown == NULL) {
            return SL_E_NOMEM;
        }
        p->removed = grown;
        p->removed_room = room;
    }
    p->removed[p->removed_count++] = id;
    return SL_OK;
}

/* --- reading --------------------------------------------------------------------------------- */

static sl_status read_extents(const pack *p, node *f, const uint8_t *at, const uint8_t *end)
{
    for (; at < end; at += 8) {
        extent one = {(uint32_t)get(at, 4), (uint32_t)get(at + 4, 4)};
        if (one.start > p->limit || one.count > p->limit - one.start ||
            one.count > p->limit - f->blocks) {
            return SL_E_CORRUPT;
        }
        f->blocks += one.count;
        if (!extents_add(&f->where, one)) {
            return SL_E_NOMEM;
        }
    }
    return SL_OK;
}

static sl_status apply_set(pack *p, uint32_t id, const uint8_t *at, size_t n)
{
    size_t name = n >= SET_HEAD ? (size_t)get(at + 13, 2) : 0;
    uint64_t size = n >= SET_HEAD ? get(at + 5, 8) : 0;
    if (name == 0 || name > PACK_NAME_MAX || n < SET_HEAD + name ||
        (n - SET_HEAD - name) % 8 != 0 || memchr(at + SET_HEAD, 0, name) != NULL ||
        size > INT64_MAX) {
        return SL_E_CORRUPT;
    }
    node *f = node_of_id(p, id);
    if (f != NULL) {
        node_unlink(p, f);
    }
    char text[PACK_NAME_MAX + 1];
    memcpy(text, at + SET_HEAD, name);
    text[name] = '\0';
    node *other = node_of_name(p, text);
    if (other != NULL) {
        node_unlink(p, other);
    }
    f = node_new(p, text, name, id);
    if (f == NULL) {
        return SL_E_NOMEM;
    }
    f->size = (int64_t)size;
    return read_extents(p, f, at + SET_HEAD + name, at + n);
}

static sl_status apply(pack *p, const uint8_t *at, size_t n)
{
    if (n < 5) {
        return SL_E_CORRUPT;
    }
    uint32_t id = (uint32_t)get(at + 1, 4);
    p->last_id = id > p->last_id ? id : p->last_id;
    if (at[0] == OP_SET) {
        return apply_set(p, id, at, n);
    }
    node *f = node_of_id(p, id);
    if (at[0] == OP_SIZE && n == 13 && f != NULL && get(at + 5, 8) <= INT64_MAX) {
        f->size = (int64_t)get(at + 5, 8);
        return SL_OK;
    }
    if (at[0] == OP_GONE && n == 5) {
        if (f != NULL) {
            node_unlink(p, f);
        }
        return SL_OK;
    }
    return SL_E_CORRUPT;
}

/* The log's records, up to the first that is not one. */
static sl_status apply_all(pack *p, const uint8_t *bytes, size_t n)
{
    p->log_at = 0;
    p->log_next = 1;
    while (n - p->log_at >= HEAD_LEN) {
        const uint8_t *head = bytes + p->log_at;
        size_t len = (size_t)get(head, 4);
        if (len > n - p->log_at - HEAD_LEN ||
            get(head + 4, 4) != record_crc(p, p->log_next, head + HEAD_LEN, len)) {
            break;
        }
        sl_status status = apply(p, head + HEAD_LEN, len);
        if (status != SL_OK) {
            return status;
        }
        p->log_at += HEAD_LEN + len;
        p->log_next++;
    }
    return SL_OK;
}

/* Every block has one owner, and no file is larger than its blocks. */
static sl_status take_all(pack *p)
{
    sl_status status = SL_OK;
    if (!pack_take(p, (extent){0, 1}, &status) || !pack_take(p, p->log, &status)) {
        return status;
    }
    for (const node *n = p->files; n != NULL; n = n->next) {
        if (n->size > (int64_t)n->blocks * PACK_BLOCK) {
            return SL_E_CORRUPT;
        }
        for (uint32_t i = 0; i < n->where.count; i++) {
            if (!pack_take(p, n->where.all[i], &status)) {
                return status;
            }
        }
    }
    return SL_OK;
}

static bool read_super(pack *p, const uint8_t *s)
{
    uint64_t epoch = get(s + 8, 8);
    if (memcmp(s, MAGIC, MAGIC_LEN) != 0 || get(s + 24, 4) != crc(0, s, 24)) {
        return false;
    }
    if (epoch > p->epoch) {
        p->epoch = epoch;
        p->log = (extent){(uint32_t)get(s + 16, 4), (uint32_t)get(s + 20, 4)};
    }
    return true;
}

static bool is_blank(const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] != 0) {
            return false;
        }
    }
    return true;
}

sl_status pack_read(pack *p)
{
    uint8_t s[SUPER_GAP + SUPER_LEN];
    sl_status status = p->device.read(p->device.user, s, sizeof s, 0);
    if (status != SL_OK) {
        return status;
    }
    bool first = read_super(p, s);
    bool second = read_super(p, s + SUPER_GAP);
    int64_t size = p->device.size(p->device.user);
    if (size < 0) {
        return (sl_status)size;
    }
    if (is_blank(s, sizeof s)) {
        return format(p); /* empty, or the first opening was cut short */
    }
    if (!first && !second) {
        return memcmp(s, MAGIC, MAGIC_LEN - 2) == 0 && s[MAGIC_LEN - 2] > '1' ? SL_E_TOO_NEW
                                                                              : SL_E_CORRUPT;
    }
    int64_t log_at = (int64_t)p->log.start * PACK_BLOCK;
    if (p->log.count == 0 || p->log.count > LOG_MOST / PACK_BLOCK || log_at >= size) {
        return SL_E_CORRUPT;
    }
    /* Blocks are handed out before they are written, but never so many. */
    int64_t blocks = size / PACK_BLOCK + AHEAD_BLOCKS;
    p->limit = blocks < INT32_MAX ? (uint32_t)blocks : INT32_MAX;
    size_t n = (size_t)p->log.count * PACK_BLOCK;
    n = size - log_at < (int64_t)n ? (size_t)(size - log_at) : n;
    uint8_t *bytes = malloc(n);
    if (bytes == NULL) {
        return SL_E_NOMEM;
    }
    status = p->device.read(p->device.user, bytes, n, log_at);
    status = status == SL_OK ? apply_all(p, bytes, n) : status;
    free(bytes);
    return status == SL_OK ? take_all(p) : status;
}
