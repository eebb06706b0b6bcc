/* Blobs' files in the clear and sealed: ranges, going on after a kill, and every kind of damage. */
#include "store/blob_file.h"

#include "base/mem.h"
#include "crypto/hash.h"
#include "platform/sim/disk.h"
#include "support.h"

#include <string.h>

enum {
    MOST = 3 * SL_BLOB_CHUNK + 100,
    RW = SL_FILE_READ | SL_FILE_WRITE
};

/* The disk comes first. */
typedef struct host {
    sl_disk *disk;
    sl_platform platform;
    sl_prng prng;
} host;

static host g_host;
static sl_seal *g_seal;
static uint8_t g_bytes[MOST];

static sl_status host_random(void *user, void *dst, size_t n)
{
    host *h = user;
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)dst)[i] = (uint8_t)sl_prng_next(&h->prng);
    }
    return SL_OK;
}

static const sl_random_ops host_randoms = {.struct_size = sizeof(sl_random_ops),
                                           .fill = host_random};

static void setup(void)
{
    static const uint8_t key[SL_SEAL_KEY_LEN] = {3};
    memset(&g_host, 0, sizeof g_host);
    g_host.disk = sl_disk_new(1);
    g_host.platform = (sl_platform){.struct_size = sizeof g_host.platform,
                                    .user = &g_host,
                                    .files = &sl_disk_files,
                                    .random = &host_randoms};
    sl_prng_seed(&g_host.prng, 1);
    g_seal = sl_seal_new(key);
    ck_assert(g_host.disk != NULL && g_seal != NULL);
    for (size_t i = 0; i < MOST; i++) {
        g_bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
}

static void teardown(void)
{
    sl_seal_free(g_seal);
    sl_disk_free(g_host.disk);
}

static sl_blob_out *make(const sl_seal *seal, const char *path, bool resume)
{
    sl_blob_out *out = NULL;
    ck_assert_int_eq(sl_blob_out_open(&g_host.platform, seal, path, resume, &out, NULL), SL_OK);
    return out;
}

static void write_blob(const sl_seal *seal, const char *path, size_t n, char hex[65])
{
    char want[65];
    sl_blob_out *out = make(seal, path, false);
    for (size_t at = 0; at < n;) { /* in pieces of all sizes */
        size_t piece = 1 + (size_t)sl_prng_below(&g_host.prng, 40000);
        piece = piece < n - at ? piece : n - at;
        ck_assert_int_eq(sl_blob_out_append(out, g_bytes + at, piece), SL_OK);
        at += piece;
    }
    ck_assert_int_eq(sl_blob_out_size(out), (int64_t)n);
    ck_assert_int_eq(sl_blob_out_finish(out, hex), SL_OK);
    sl_blob_out_close(out);
    sl_sha256_hex(g_bytes, n, want);
    ck_assert_str_eq(hex, want);
}

static sl_status try_open(const sl_seal *seal, const char *path, const char *hex, sl_blob_in **in)
{
    return sl_blob_in_open(&g_host.platform, seal, path, hex, in, NULL);
}

static int64_t file_size(const char *path)
{
    void *f = NULL;
    ck_assert_int_eq(sl_disk_files.open(&g_host, path, SL_FILE_READ, &f), SL_OK);
    int64_t n = sl_disk_files.size(&g_host, f);
    sl_disk_files.close(&g_host, f);
    return n;
}

START_TEST(blob__of_any_size_is_read_back_in_any_range)
{
    static const size_t sizes[] = {
        0, 1, SL_BLOB_CHUNK - 1, SL_BLOB_CHUNK, SL_BLOB_CHUNK + 1, 2 * SL_BLOB_CHUNK, MOST};
    static uint8_t got[MOST];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int k = 0; k < 2; k++) {
            const sl_seal *seal = k == 0 ? NULL : g_seal;
            size_t n = sizes[i];
            char hex[65];
            sl_blob_in *in = NULL;
            write_blob(seal, "f", n, hex);
            ck_assert_int_eq(sl_blob_size_of(seal, file_size("f")), (int64_t)n);
            ck_assert_int_eq(try_open(seal, "f", hex, &in), SL_OK);
            ck_assert_int_eq(sl_blob_in_size(in), (int64_t)n);
            for (int r = 0; r < 40; r++) {
                size_t at = (size_t)sl_prng_below(&g_host.prng, n + 10);
                size_t want = (size_t)sl_prng_below(&g_host.prng, MOST);
                size_t have = at >= n ? 0 : want < n - at ? want : n - at;
                ck_assert_int_eq(sl_blob_in_read(in, got, want, (int64_t)at), (int64_t)have);
                ck_assert(have == 0 || memcmp(got, g_bytes + at, have) == 0);
            }
            sl_blob_in_close(in);
        }
    }
}
END_TEST

START_TEST(blob__goes_on_where_its_writer_was_killed)
{
    for (size_t n = 0; n < MOST; n += 20011) {
        for (int k = 0; k < 2; k++) {
            const sl_seal *seal = k == 0 ? NULL : g_seal;
            char hex[65];
            char want[65];
            sl_blob_in *in = NULL;
            sl_blob_out *out = make(seal, "f", false);
            ck_assert_int_eq(sl_blob_out_append(out, g_bytes, n), SL_OK);
            sl_blob_out_close(out); /* killed */
            out = make(seal, "f", true);
            size_t have = (size_t)sl_blob_out_size(out);
            ck_assert_uint_le(have, n);
            ck_assert_uint_le(n - have, seal != NULL ? SL_BLOB_CHUNK : 0); /* [BLOB-2] */
            ck_assert_int_eq(sl_blob_out_append(out, g_bytes + have, MOST - have), SL_OK);
            ck_assert_int_eq(sl_blob_out_finish(out, hex), SL_OK);
            sl_blob_out_close(out);
            sl_sha256_hex(g_bytes, MOST, want);
            ck_assert_str_eq(hex, want);
            ck_assert_int_eq(try_open(seal, "f", hex, &in), SL_OK);
            sl_blob_in_close(in);
        }
    }
}
END_TEST

START_TEST(blob__a_whole_one_can_be_gone_on_with_too)
{
    char hex[65];
    sl_blob_in *in = NULL;
    for (size_t n = SL_BLOB_CHUNK - 1; n <= 2 * SL_BLOB_CHUNK + 1; n += SL_BLOB_CHUNK / 2) {
        write_blob(g_seal, "f", n, hex);
        sl_blob_out *out = make(g_seal, "f", true);
        size_t have = (size_t)sl_blob_out_size(out);
        ck_assert_int_eq(sl_blob_out_append(out, g_bytes + have, n - have), SL_OK);
        ck_assert_int_eq(sl_blob_out_finish(out, hex), SL_OK);
        sl_blob_out_close(out);
        ck_assert_int_eq(try_open(g_seal, "f", hex, &in), SL_OK);
        ck_assert_int_eq(sl_blob_in_size(in), (int64_t)n);
        sl_blob_in_close(in);
    }
}
END_TEST

START_TEST(blob__begins_anew_when_it_is_told_to)
{
    for (int k = 0; k < 2; k++) {
        char hex[65];
        char want[65];
        sl_blob_out *out = make(k == 0 ? NULL : g_seal, "f", false);
        ck_assert_int_eq(sl_blob_out_append(out, g_bytes, MOST), SL_OK);
        ck_assert_int_eq(sl_blob_out_restart(out), SL_OK);
        ck_assert_int_eq(sl_blob_out_size(out), 0);
        ck_assert_int_eq(sl_blob_out_append(out, "hello", 5), SL_OK);
        ck_assert_int_eq(sl_blob_out_finish(out, hex), SL_OK);
        sl_blob_out_close(out);
        sl_sha256_hex("hello", 5, want);
        ck_assert_str_eq(hex, want);
    }
}
END_TEST

/* True when all of it can be read. */
static bool readable(const char *hex)
{
    static uint8_t got[MOST];
    sl_blob_in *in = NULL;
    sl_status status = try_open(g_seal, "f", hex, &in);
    int64_t n = status == SL_OK ? sl_blob_in_read(in, got, MOST, 0) : (int64_t)status;
    ck_assert(n >= 0 || n == SL_E_CORRUPT);
    sl_blob_in_close(in);
    return n >= 0;
}

START_TEST(blob__what_was_cut_off_or_changed_is_noticed) /* [BLOB-1] */
{
    char hex[65];
    void *f = NULL;
    write_blob(g_seal, "f", MOST, hex);
    ck_assert(readable(hex));
    int64_t size = file_size("f");
    ck_assert_int_eq(sl_disk_files.open(&g_host, "f", RW, &f), SL_OK);
    for (int64_t at = 0; at < size; at += 997) {
        uint8_t byte = 0;
        ck_assert_int_eq(sl_disk_files.read(&g_host, f, &byte, 1, at), 1);
        byte ^= 0x10;
        ck_assert_int_eq(sl_disk_files.write(&g_host, f, &byte, 1, at), SL_OK);
        ck_assert(!readable(hex));
        byte ^= 0x10;
        ck_assert_int_eq(sl_disk_files.write(&g_host, f, &byte, 1, at), SL_OK);
    }
    ck_assert(readable(hex));
    for (int64_t n = size - 1; n >= 0; n -= n % 65564 == 40 || n > size - 140 ? 1 : 4001) {
        ck_assert_int_eq(sl_disk_files.truncate(&g_host, f, n), SL_OK);
        ck_assert(!readable(hex));
    }
    sl_disk_files.close(&g_host, f);
}
END_TEST

START_TEST(blob__chunks_that_changed_places_are_noticed)
{
    static uint8_t a[SL_BLOB_CHUNK + 28];
    static uint8_t b[SL_BLOB_CHUNK + 28];
    char hex[65];
    void *f = NULL;
    write_blob(g_seal, "f", MOST, hex);
    ck_assert_int_eq(sl_disk_files.open(&g_host, "f", RW, &f), SL_OK);
    ck_assert_int_eq(sl_disk_files.read(&g_host, f, a, sizeof a, 40), sizeof a);
    ck_assert_int_eq(sl_disk_files.read(&g_host, f, b, sizeof b, 40 + sizeof a), sizeof b);
    ck_assert_int_eq(sl_disk_files.write(&g_host, f, b, sizeof b, 40), SL_OK);
    ck_assert_int_eq(sl_disk_files.write(&g_host, f, a, sizeof a, 40 + sizeof a), SL_OK);
    sl_disk_files.close(&g_host, f);
    ck_assert(!readable(hex));
}
END_TEST

START_TEST(blob__under_another_name_does_not_open)
{
    char hex[65];
    char other[65];
    sl_blob_in *in = NULL;
    write_blob(g_seal, "f", 10, hex);
    (void)memset(other, 'a', 64);
    other[64] = 0;
    ck_assert_int_eq(try_open(g_seal, "f", other, &in), SL_E_CORRUPT);
    ck_assert_int_eq(try_open(g_seal, "f", NULL, &in), SL_OK);
    sl_blob_in_close(in);
    ck_assert_int_eq(try_open(g_seal, "none", hex, &in), SL_E_NOT_FOUND);
    write_blob(NULL, "f", 500, hex);
    ck_assert_int_eq(try_open(g_seal, "f", hex, &in), SL_E_CORRUPT); /* it is in the clear */
}
END_TEST

START_TEST(blob__without_memory_says_so)
{
    char hex[65];
    write_blob(g_seal, "f", MOST, hex);
    write_blob(g_seal, "g", MOST, hex);
    for (uint64_t k = 1; k < 30; k++) {
        sl_blob_in *in = NULL;
        sl_blob_out *out = NULL;
        (void)sl_mem_fail_at(k, false);
        sl_status a = try_open(g_seal, "f", hex, &in);
        sl_status b = sl_blob_out_open(&g_host.platform, g_seal, "g", true, &out, NULL);
        (void)sl_mem_fail_at(0, false);
        ck_assert_msg(a == SL_OK || a == SL_E_NOMEM, "%d at %d", a, (int)k);
        ck_assert(b == SL_OK || b == SL_E_NOMEM);
        sl_blob_in_close(in);
        sl_blob_out_close(out);
    }
}
END_TEST

SL_TEST_MAIN_WITH("blob_file", setup, teardown, blob__of_any_size_is_read_back_in_any_range,
                  blob__goes_on_where_its_writer_was_killed,
                  blob__a_whole_one_can_be_gone_on_with_too, blob__begins_anew_when_it_is_told_to,
                  blob__what_was_cut_off_or_changed_is_noticed,
                  blob__chunks_that_changed_places_are_noticed,
                  blob__under_another_name_does_not_open, blob__without_memory_says_so)
