/*
 * pack_fuzz - any bytes as a browser's file: it is refused, or is a pack whose files can be read to their
 * ends, written, and opened again.
 *
 * Checksums would keep everything out: bytes are put into a pack's log with the right ones.
 */
#include "base/error.h"
#include "platform/wasm/pack.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ROOM = 1 << 20,
    BLOCK = 16 * 1024
};

typedef struct memory {
    uint8_t bytes[ROOM];
    int64_t size;
} memory;

static int64_t memory_size(void *user)
{
    return ((memory *)user)->size;
}

static sl_status memory_read(void *user, void *dst, size_t n, int64_t at)
{
    const memory *m = user;
    size_t have = at >= m->size ? 0 : (size_t)(m->size - at);
    have = have < n ? have : n;
    memset(dst, 0, n);
    memcpy(dst, m->bytes + (have > 0 ? at : 0), have);
    return SL_OK;
}

static sl_status memory_write(void *user, const void *src, size_t n, int64_t at)
{
    memory *m = user;
    if (at > ROOM || n > (size_t)(ROOM - at)) {
        return SL_E_FULL;
    }
    memcpy(m->bytes + at, src, n);
    m->size = at + (int64_t)n > m->size ? at + (int64_t)n : m->size;
    return SL_OK;
}

static sl_status memory_truncate(void *user, int64_t size)
{
    memory *m = user;
    if (size < m->size) {
        memset(m->bytes + size, 0, (size_t)(m->size - size));
    }
    m->size = size;
    return SL_OK;
}

static sl_status memory_flush(void *user)
{
    (void)user;
    return SL_OK;
}

static void put(uint8_t *p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static uint32_t crc(const uint8_t *p, size_t n)
{
    uint32_t sum = 0xffffffffU;
    for (size_t i = 0; i < n; i++) {
        sum ^= p[i];
        for (int k = 0; k < 8; k++) {
            sum = (sum & 1U) != 0 ? (sum >> 1) ^ 0xedb88320U : sum >> 1;
        }
    }
    return ~sum;
}

/* Records of a length byte and so many bytes each, in a log of the first epoch. */
static void build(memory *m, const uint8_t *data, size_t size)
{
    uint8_t *s = m->bytes + 4096;
    memcpy(s, "SLPACK1\n", 8);
    put(s + 8, 1, 8);
    put(s + 16, 1, 4);
    put(s + 20, 2, 4);
    put(s + 24, crc(s, 24), 4);
    uint8_t *at = m->bytes + BLOCK;
    uint32_t number = 1;
    for (size_t i = 0; i < size && at < m->bytes + 3 * BLOCK - 300; number++) {
        size_t n = data[i++];
        n = n < size - i ? n : size - i;
        uint8_t whole[12 + 255];
        put(whole, 1, 8);
        put(whole + 8, number, 4);
        memcpy(whole + 12, data + i, n);
        put(at, n, 4);
        put(at + 4, crc(whole, 12 + n), 4);
        memcpy(at + 8, data + i, n);
        at += 8 + n;
        i += n;
    }
    m->size = 8 * (int64_t)BLOCK;
}

static void use(void *ctx, const char *name)
{
    sl_pack *pack = ctx;
    const sl_file_ops *ops = sl_pack_files();
    char path[1100] = "d/";
    void *file = NULL;
    strncat(path, name, sizeof path - 3);
    if (ops->open(pack, path, SL_FILE_READ, &file) == SL_OK) {
        static uint8_t got[4096];
        int64_t end = ops->size(pack, file);
        SL_ASSERT(end >= 0 && ops->read(pack, file, got, sizeof got, end) == 0);
        int64_t n = ops->read(pack, file, got, sizeof got, end > 4096 ? end - 4096 : 0);
        SL_ASSERT(n == (end < 4096 ? end : 4096));
        ops->close(pack, file);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memory *m = calloc(1, sizeof *m);
    SL_ASSERT(m != NULL);
    if (size > 0 && data[0] % 2 == 0) {
        build(m, data + 1, size - 1);
    } else {
        (void)memory_write(m, data, size < ROOM ? size : ROOM, 0);
    }
    sl_pack_device device = {
        sizeof device, 0, m, memory_size, memory_read, memory_write, memory_truncate, memory_flush};
    sl_pack *pack = NULL;
    if (sl_pack_open(&device, &pack) == SL_OK) {
        const sl_file_ops *ops = sl_pack_files();
        void *file = NULL;
        SL_ASSERT(ops->list(pack, "d", use, pack) == SL_OK);
        if (ops->open(pack, "new", SL_FILE_WRITE | SL_FILE_CREATE, &file) == SL_OK) {
            bool kept =
                ops->write(pack, file, "x", 1, 100) == SL_OK && ops->sync(pack, file) == SL_OK;
            ops->close(pack, file);
            sl_pack_close(pack);
            pack = NULL;
            SL_ASSERT(!kept || sl_pack_open(&device, &pack) == SL_OK);
            SL_ASSERT(!kept || ops->exists(pack, "new") == 1);
        }
    }
    sl_pack_close(pack);
    free(m);
    return 0;
}
