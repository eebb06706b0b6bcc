#include "store/blob_file.h"

#include "base/error.h"
#include "base/mem.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

#include <string.h>

enum {
    MAGIC_LEN = 8,
    SALT_LEN = 16,
    WHOSE_LEN = 16,
    WHOSE_AT = MAGIC_LEN + SALT_LEN,
    HEAD_LEN = WHOSE_AT + WHOSE_LEN,
    EXTRA_LEN = SL_AEAD_NONCE_LEN + SL_AEAD_TAG_LEN,
    STORED_CHUNK = SL_BLOB_CHUNK + EXTRA_LEN,
    NAME_LEN = 64
};

static const char MAGIC[] = "SLBLOB1\n";

/* An open file with its key, and room for one chunk. */
typedef struct file {
    const sl_platform *platform;
    const sl_seal *seal; /* NULL: in the clear */
    void *handle;
    uint8_t head[HEAD_LEN];
    uint8_t key[SL_SEAL_KEY_LEN];
    uint8_t *stored; /* STORED_CHUNK bytes */
} file;

struct sl_blob_in {
    file f;
    int64_t size;
    int64_t chunk; /* the number of the one in `clear`, -1: none */
    size_t clear_n;
    uint8_t *clear;
};

struct sl_blob_out {
    file f;
    sl_sha256 *hash;
    int64_t size;
    uint8_t *clear; /* what waits for its chunk to be full */
    size_t clear_n;
};

static sl_status file_open(file *f, const sl_platform *platform, const sl_seal *seal,
                           const char *path, uint32_t flags)
{
    f->platform = platform;
    f->seal = seal;
    sl_status status = platform->files->open(platform->user, path, flags, &f->handle);
    if (status == SL_OK && seal != NULL) {
        f->stored = sl_mem(STORED_CHUNK);
        status = f->stored != NULL ? SL_OK : SL_E_NOMEM;
    }
    return status;
}

static void file_close(file *f)
{
    if (f->handle != NULL) {
        f->platform->files->close(f->platform->user, f->handle);
    }
    sl_wipe(f->key, sizeof f->key);
    sl_mem_free(f->stored);
}

static int64_t file_read(const file *f, void *dst, size_t n, int64_t at)
{
    return f->platform->files->read(f->platform->user, f->handle, dst, n, at);
}

static sl_status file_write(const file *f, const void *src, size_t n, int64_t at)
{
    return f->platform->files->write(f->platform->user, f->handle, src, n, at);
}

static void whose(const file *f, const char *hex, uint8_t out[WHOSE_LEN])
{
    uint8_t mac[SL_SHA256_LEN];
    sl_hmac_sha256(f->key, sizeof f->key, hex, NAME_LEN, mac);
    memcpy(out, mac, WHOSE_LEN);
}

/* SL_E_CORRUPT: this is no sealed blob. */
static sl_status read_head(file *f)
{
    int64_t got = file_read(f, f->head, HEAD_LEN, 0);
    if (got < 0) {
        return (sl_status)got;
    }
    if (got != HEAD_LEN || memcmp(f->head, MAGIC, MAGIC_LEN) != 0) {
        return SL_E_CORRUPT;
    }
    sl_seal_blob_key(f->seal, f->head + MAGIC_LEN, f->key);
    return SL_OK;
}

/* What is sealed with a chunk and not hidden. */
static sl_aad extra_of(uint8_t room[9], int64_t number, bool last)
{
    for (int i = 0; i < 8; i++) {
        room[i] = (uint8_t)((uint64_t)number >> (8 * i));
    }
    room[8] = last ? 1 : 0;
    return (sl_aad){room, 9};
}

static int64_t place_of(int64_t number)
{
    return HEAD_LEN + number * STORED_CHUNK;
}

int64_t sl_blob_size_of(const sl_seal *seal, int64_t file_size)
{
    if (seal == NULL || file_size < 0) {
        return file_size < 0 ? -1 : file_size;
    }
    int64_t body = file_size - HEAD_LEN;
    if (body < EXTRA_LEN) {
        return -1;
    }
    int64_t full = (body - EXTRA_LEN) / STORED_CHUNK;
    int64_t rest = body - full * STORED_CHUNK - EXTRA_LEN;
    bool whole = rest <= SL_BLOB_CHUNK && (rest > 0 || full == 0);
    return whole ? full * SL_BLOB_CHUNK + rest : -1;
}

/* --- reading ------------------------------------------------------------------------------ */

static bool is_last(const sl_blob_in *in, int64_t number)
{
    return (number + 1) * SL_BLOB_CHUNK >= in->size;
}

static sl_status open_chunk(sl_blob_in *in, int64_t number)
{
    uint8_t room[9];
    bool last = is_last(in, number);
    size_t n = last ? (size_t)(in->size - number * SL_BLOB_CHUNK) : SL_BLOB_CHUNK;
    in->chunk = -1;
    int64_t got = file_read(&in->f, in->f.stored, n + EXTRA_LEN, place_of(number));
    if (got != (int64_t)(n + EXTRA_LEN)) {
        return got < 0 ? (sl_status)got : SL_E_CORRUPT;
    }
    sl_status status =
        sl_aead_open(in->f.key, in->f.stored, extra_of(room, number, last),
                     in->f.stored + SL_AEAD_NONCE_LEN, n + SL_AEAD_TAG_LEN, in->clear, NULL);
    in->chunk = status == SL_OK ? number : -1;
    in->clear_n = n;
    return status;
}

static sl_status start_sealed(sl_blob_in *in, const char *hex)
{
    uint8_t mac[WHOSE_LEN];
    sl_status status = read_head(&in->f);
    if (status != SL_OK) {
        return status;
    }
    if (hex != NULL) {
        whose(&in->f, hex, mac);
    }
    if (in->size < 0 || (hex != NULL && !sl_equal_ct(mac, in->f.head + WHOSE_AT, WHOSE_LEN))) {
        return SL_E_CORRUPT;
    }
    in->clear = sl_mem(SL_BLOB_CHUNK);
    if (in->clear == NULL) {
        return SL_E_NOMEM;
    }
    return in->size > 0 ? SL_OK : open_chunk(in, 0); /* nothing else will look at its seal */
}

sl_status sl_blob_in_open(const sl_platform *platform, const sl_seal *seal, const char *path,
                          const char *hex, sl_blob_in **out, sl_error **err)
{
    *out = NULL;
    sl_blob_in *in = sl_mem(sizeof *in);
    if (in == NULL) {
        return sl_fail_nomem(err);
    }
    in->chunk = -1;
    sl_status status = file_open(&in->f, platform, seal, path, SL_FILE_READ);
    if (status == SL_OK) {
        int64_t size = platform->files->size(platform->user, in->f.handle);
        in->size = sl_blob_size_of(seal, size);
        status = size < 0 ? (sl_status)size : seal != NULL ? start_sealed(in, hex) : SL_OK;
    }
    if (status != SL_OK) {
        sl_blob_in_close(in);
        return sl_fail(err, status,
                       status == SL_E_NOT_FOUND ? "the file is not on this device"
                       : status == SL_E_CORRUPT ? "the file on this device is damaged"
                                                : "the file on this device cannot be read");
    }
    *out = in;
    return SL_OK;
}

int64_t sl_blob_in_size(const sl_blob_in *in)
{
    return in->size;
}

int64_t sl_blob_in_read(sl_blob_in *in, void *dst, size_t n, int64_t at)
{
    if (in->f.seal == NULL) {
        return file_read(&in->f, dst, n, at);
    }
    uint8_t *to = dst;
    size_t done = 0;
    while (done < n && at + (int64_t)done < in->size) {
        int64_t from = at + (int64_t)done;
        int64_t number = from / SL_BLOB_CHUNK;
        sl_status status = number == in->chunk ? SL_OK : open_chunk(in, number);
        if (status != SL_OK) {
            return status;
        }
        size_t skip = (size_t)(from - number * SL_BLOB_CHUNK);
        size_t take = in->clear_n - skip < n - done ? in->clear_n - skip : n - done;
        memcpy(to + done, in->clear + skip, take);
        done += take;
    }
    return (int64_t)done;
}

void sl_blob_in_close(sl_blob_in *in)
{
    if (in != NULL) {
        file_close(&in->f);
        if (in->clear != NULL) {
            sl_wipe(in->clear, SL_BLOB_CHUNK);
        }
        sl_mem_free(in->clear);
        sl_mem_free(in);
    }
}

/* --- writing ------------------------------------------------------------------------------ */

static sl_status write_head(sl_blob_out *o)
{
    file *f = &o->f;
    memcpy(f->head, MAGIC, MAGIC_LEN);
    memset(f->head + WHOSE_AT, 0, WHOSE_LEN);
    if (f->platform->random->fill(f->platform->user, f->head + MAGIC_LEN, SALT_LEN) != SL_OK) {
        return SL_E_IO;
    }
    sl_seal_blob_key(f->seal, f->head + MAGIC_LEN, f->key);
    return file_write(f, f->head, HEAD_LEN, 0);
}

static sl_status write_chunk(sl_blob_out *o, int64_t number, bool last)
{
    uint8_t room[9];
    file *f = &o->f;
    if (f->platform->random->fill(f->platform->user, f->stored, SL_AEAD_NONCE_LEN) != SL_OK) {
        return SL_E_IO;
    }
    sl_status status = sl_aead_seal(f->key, f->stored, extra_of(room, number, last), o->clear,
                                    o->clear_n, f->stored + SL_AEAD_NONCE_LEN, NULL);
    if (status == SL_OK) {
        status = file_write(f, f->stored, o->clear_n + EXTRA_LEN, place_of(number));
    }
    return status;
}

sl_status sl_blob_out_restart(sl_blob_out *o)
{
    uint8_t none[SL_SHA256_LEN];
    o->size = 0;
    o->clear_n = 0;
    sl_sha256_final(o->hash, none);
    sl_status status = o->f.platform->files->truncate(o->f.platform->user, o->f.handle, 0);
    return status == SL_OK && o->f.seal != NULL ? write_head(o) : status;
}

/* Takes what is whole in the file as taken. Of a sealed one that are chunks that others followed. */
static sl_status take_over(sl_blob_out *o, sl_blob_in *in)
{
    int64_t got = 1;
    int64_t whole = o->f.seal == NULL ? in->size : in->size - in->size % SL_BLOB_CHUNK;
    while (got > 0 && o->size < whole) {
        if (o->f.seal == NULL) {
            got = file_read(&in->f, o->clear, SL_BLOB_CHUNK, o->size);
        } else {
            got = open_chunk(in, o->size / SL_BLOB_CHUNK) == SL_OK ? SL_BLOB_CHUNK : 0;
            memcpy(o->clear, in->clear, SL_BLOB_CHUNK);
        }
        if (got > 0) {
            sl_sha256_update(o->hash, o->clear, (size_t)got);
            o->size += got;
        }
    }
    return got < 0 ? (sl_status)got : SL_OK;
}

/* The last of the whole chunks waits again, since it may be the last of all; what followed is cut
 * off. */
static sl_status wait_again(sl_blob_out *o)
{
    o->clear_n = o->size > 0 ? SL_BLOB_CHUNK : 0;
    int64_t kept = (o->size - (int64_t)o->clear_n) / SL_BLOB_CHUNK;
    return o->f.platform->files->truncate(o->f.platform->user, o->f.handle, place_of(kept));
}

static sl_status resume(sl_blob_out *o)
{
    sl_blob_in in = {.f = o->f, .chunk = -1, .clear = NULL};
    int64_t size = o->f.platform->files->size(o->f.platform->user, o->f.handle);
    if (size < 0) {
        return (sl_status)size;
    }
    if (o->f.seal == NULL) {
        in.size = size;
        return take_over(o, &in);
    }
    sl_status status = read_head(&o->f);
    if (status != SL_OK) {
        return status == SL_E_CORRUPT ? sl_blob_out_restart(o) : status;
    }
    in.f = o->f;
    in.size = (size - HEAD_LEN) / STORED_CHUNK * SL_BLOB_CHUNK + 1; /* the last is not there */
    in.clear = sl_mem(SL_BLOB_CHUNK);
    status = in.clear != NULL ? take_over(o, &in) : SL_E_NOMEM;
    if (in.clear != NULL) {
        sl_wipe(in.clear, SL_BLOB_CHUNK);
    }
    sl_mem_free(in.clear);
    return status == SL_OK ? wait_again(o) : status;
}

sl_status sl_blob_out_open(const sl_platform *platform, const sl_seal *seal, const char *path,
                           bool resumes, sl_blob_out **out, sl_error **err)
{
    *out = NULL;
    sl_blob_out *o = sl_mem(sizeof *o);
    if (o == NULL) {
        return sl_fail_nomem(err);
    }
    o->hash = sl_sha256_new();
    o->clear = sl_mem(SL_BLOB_CHUNK);
    sl_status status = o->hash != NULL && o->clear != NULL ? SL_OK : SL_E_NOMEM;
    if (status == SL_OK) {
        status =
            file_open(&o->f, platform, seal, path, SL_FILE_READ | SL_FILE_WRITE | SL_FILE_CREATE);
    }
    if (status == SL_OK) {
        status = resumes ? resume(o) : sl_blob_out_restart(o);
    }
    if (status != SL_OK) {
        sl_blob_out_close(o);
        return status == SL_E_NOMEM
                   ? sl_fail_nomem(err)
                   : sl_fail(err, status,
                             status == SL_E_FULL ? "the disk is full" : "a file cannot be written");
    }
    *out = o;
    return SL_OK;
}

int64_t sl_blob_out_size(const sl_blob_out *o)
{
    return o->size;
}

static sl_status append_clear(sl_blob_out *o, const uint8_t *p, size_t n)
{
    sl_status status = file_write(&o->f, p, n, o->size);
    o->size += status == SL_OK ? (int64_t)n : 0;
    return status;
}

static sl_status append_sealed(sl_blob_out *o, const uint8_t *p, size_t n)
{
    while (n > 0) {
        if (o->clear_n == SL_BLOB_CHUNK) { /* more follows: it is not the last */
            sl_status status = write_chunk(o, o->size / SL_BLOB_CHUNK - 1, false);
            if (status != SL_OK) {
                return status;
            }
            o->clear_n = 0;
        }
        size_t take = SL_BLOB_CHUNK - o->clear_n < n ? SL_BLOB_CHUNK - o->clear_n : n;
        memcpy(o->clear + o->clear_n, p, take);
        o->clear_n += take;
        o->size += (int64_t)take;
        p += take;
        n -= take;
    }
    return SL_OK;
}

sl_status sl_blob_out_append(sl_blob_out *o, const void *p, size_t n)
{
    sl_status status = o->f.seal != NULL ? append_sealed(o, p, n) : append_clear(o, p, n);
    if (status == SL_OK) {
        sl_sha256_update(o->hash, p, n);
    }
    return status;
}

sl_status sl_blob_out_finish(sl_blob_out *o, char hex[65])
{
    sl_status status = SL_OK;
    sl_sha256_final_hex(o->hash, hex);
    if (o->f.seal != NULL) {
        status = write_chunk(o, (o->size - (int64_t)o->clear_n) / SL_BLOB_CHUNK, true);
        if (status == SL_OK) {
            whose(&o->f, hex, o->f.head + WHOSE_AT);
            status = file_write(&o->f, o->f.head, HEAD_LEN, 0);
        }
    }
    return status == SL_OK ? o->f.platform->files->sync(o->f.platform->user, o->f.handle) : status;
}

void sl_blob_out_close(sl_blob_out *o)
{
    if (o != NULL) {
        file_close(&o->f);
        sl_sha256_free(o->hash);
        if (o->clear != NULL) {
            sl_wipe(o->clear, SL_BLOB_CHUNK);
        }
        sl_mem_free(o->clear);
        sl_mem_free(o);
    }
}
