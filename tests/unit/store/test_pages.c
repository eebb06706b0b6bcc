/* Hidden files against a model in the clear, at any place and length, over torn writes too. */
#include "store/pages.h"

#include "base/mem.h"
#include "platform/sim/disk.h"
#include "store/seal.h"
#include "support.h"

#include <string.h>

enum {
    ROOM = 5 * SL_PAGE_LEN,
    FRAME = 24 + SL_PAGE_LEN,
    NEW = SL_FILE_READ | SL_FILE_WRITE | SL_FILE_CREATE
};

/* The disk comes first. */
typedef struct host {
    sl_disk *disk;
    sl_platform platform;
    sl_prng prng;
    sl_seal *seal;
    void *file;
    sl_pages pages;
} host;

static void host_open(host *h, uint64_t seed, sl_seal_kind kind)
{
    static const uint8_t key[SL_SEAL_KEY_LEN] = {4, 2};
    memset(h, 0, sizeof *h);
    h->disk = sl_disk_new(seed);
    sl_prng_seed(&h->prng, seed);
    h->platform =
        (sl_platform){.struct_size = sizeof h->platform, .user = h, .files = &sl_disk_files};
    h->seal = sl_seal_new(key);
    ck_assert(h->disk != NULL && h->seal != NULL);
    ck_assert_int_eq(sl_disk_files.open(h, "f", NEW, &h->file), SL_OK);
    const sl_xts *xts = sl_seal_xts(h->seal, kind);
    ck_assert(kind == SL_SEAL_WAL ? sl_pages_open_wal(&h->pages, &h->platform, h->file, xts)
                                  : sl_pages_open(&h->pages, &h->platform, h->file, xts));
}

static void host_close(host *h)
{
    sl_pages_close(&h->pages);
    sl_disk_files.close(h, h->file);
    sl_seal_free(h->seal);
    sl_disk_free(h->disk);
}

static void fill(host *h, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)sl_prng_next(&h->prng);
    }
}

static void check_all(host *h, const uint8_t *model, size_t n)
{
    static uint8_t got[ROOM];
    ck_assert_int_eq(sl_pages_read(&h->pages, got, n, 0), (int64_t)n);
    ck_assert_mem_eq(got, model, n);
}

/* Writes that leave no hole, reads anywhere, cuts. */
static void live_beside_a_model(sl_seal_kind kind, uint64_t seed)
{
    static uint8_t model[ROOM];
    static uint8_t got[ROOM];
    host h;
    host_open(&h, seed, kind);
    size_t size = 0;
    for (int step = 0; step < 200; step++) {
        size_t at = (size_t)sl_prng_below(&h.prng, size + 1);
        size_t n = (size_t)sl_prng_below(&h.prng, 5000);
        n = n < ROOM - at ? n : ROOM - at;
        switch (sl_prng_below(&h.prng, 8)) {
        case 0:
            size = at;
            ck_assert_int_eq(sl_pages_truncate(&h.pages, (int64_t)size), SL_OK);
            break;
        case 1:
        case 2:
        case 3:
            fill(&h, model + at, n);
            ck_assert_int_eq(sl_pages_write(&h.pages, model + at, n, (int64_t)at), SL_OK);
            size = at + n > size ? at + n : size;
            break;
        default:
            n = n < size - at ? n : size - at;
            ck_assert_int_eq(sl_pages_read(&h.pages, got, n, (int64_t)at), (int64_t)n);
            ck_assert_mem_eq(got, model + at, n);
        }
        int64_t on_disk = sl_disk_files.size(&h, h.file);
        ck_assert(on_disk >= (int64_t)size && on_disk < (int64_t)size + 24);
    }
    check_all(&h, model, size);
    host_close(&h);
}

START_TEST(pages__any_place_and_length_is_read_as_it_was_written)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        live_beside_a_model(SL_SEAL_DATABASE, seed);
        live_beside_a_model(SL_SEAL_WAL, seed);
        live_beside_a_model(SL_SEAL_JOURNAL, seed);
    }
}
END_TEST

START_TEST(pages__nothing_lies_in_the_clear)
{
    static uint8_t plain[ROOM];
    static uint8_t raw[ROOM];
    for (int kind = 0; kind < SL_SEAL_KINDS; kind++) {
        host h;
        host_open(&h, 3, (sl_seal_kind)kind);
        memset(plain, 'a', sizeof plain);
        ck_assert_int_eq(sl_pages_write(&h.pages, plain, 4000, 0), SL_OK);
        ck_assert_int_eq(sl_pages_write(&h.pages, plain, sizeof plain - 4000, 4000), SL_OK);
        ck_assert_int_eq(sl_disk_files.read(&h, h.file, raw, sizeof raw, 0), sizeof raw);
        for (size_t i = 0; i + 8 <= sizeof raw; i++) {
            ck_assert(memcmp(raw + i, plain, 8) != 0);
        }
        host_close(&h);
    }
}
END_TEST

START_TEST(pages__a_write_of_a_unit_changes_no_other_byte_on_the_disk)
{
    static uint8_t plain[ROOM];
    static uint8_t before[ROOM];
    static uint8_t after[ROOM];
    static const struct {
        sl_seal_kind kind;
        int64_t at;
        size_t n;
    } units[] = {{SL_SEAL_DATABASE, 0, SL_PAGE_LEN},
                 {SL_SEAL_DATABASE, 2 * SL_PAGE_LEN, SL_PAGE_LEN},
                 {SL_SEAL_WAL, 0, 32},
                 {SL_SEAL_WAL, 32, 24},
                 {SL_SEAL_WAL, 56, SL_PAGE_LEN},
                 {SL_SEAL_WAL, 32 + FRAME, 24},
                 {SL_SEAL_WAL, 32 + FRAME + 24, SL_PAGE_LEN}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t at = (size_t)units[i].at;
        size_t end = at + units[i].n;
        host h;
        host_open(&h, i, units[i].kind);
        fill(&h, plain, sizeof plain);
        ck_assert_int_eq(sl_pages_write(&h.pages, plain, sizeof plain, 0), SL_OK);
        ck_assert_int_eq(sl_disk_files.read(&h, h.file, before, sizeof before, 0), sizeof before);
        fill(&h, plain + at, units[i].n);
        ck_assert_int_eq(sl_pages_write(&h.pages, plain + at, units[i].n, units[i].at), SL_OK);
        ck_assert_int_eq(sl_disk_files.read(&h, h.file, after, sizeof after, 0), sizeof after);
        ck_assert(memcmp(before + at, after + at, units[i].n) != 0);
        ck_assert_mem_eq(before, after, at);
        ck_assert_mem_eq(before + end, after + end, sizeof after - end);
        host_close(&h);
    }
}
END_TEST

/* Synced bytes, then a neighbour written and lost or half lost: the synced ones stay. */
START_TEST(pages__what_was_synced_stays_whatever_becomes_of_its_neighbour)
{
    static uint8_t model[ROOM];
    static uint8_t got[ROOM];
    for (uint64_t seed = 1; seed <= 300; seed++) {
        host h;
        host_open(&h, seed, (sl_seal_kind)(seed % SL_SEAL_KINDS));
        size_t n = 1 + (size_t)sl_prng_below(&h.prng, ROOM / 2);
        size_t more = 1 + (size_t)sl_prng_below(&h.prng, ROOM / 2);
        fill(&h, model, n + more);
        ck_assert_int_eq(sl_pages_write(&h.pages, model, n, 0), SL_OK);
        ck_assert_int_eq(sl_disk_files.sync(&h, h.file), SL_OK);
        ck_assert_int_eq(sl_pages_write(&h.pages, model + n, more, (int64_t)n), SL_OK);
        sl_disk_kill(h.disk);
        sl_disk_files.close(&h, h.file);
        sl_disk_power_cut(h.disk);
        ck_assert_int_eq(sl_disk_files.open(&h, "f", NEW, &h.file), SL_OK);
        h.pages.handle = h.file;
        ck_assert_int_eq(sl_pages_read(&h.pages, got, n, 0), (int64_t)n);
        ck_assert_mem_eq(got, model, n);
        host_close(&h);
    }
}
END_TEST

START_TEST(pages__what_fails_below_fails_here)
{
    uint8_t bytes[100] = {1};
    host h;
    host_open(&h, 1, SL_SEAL_DATABASE);
    ck_assert_int_eq(sl_pages_write(&h.pages, bytes, sizeof bytes, 0), SL_OK);
    sl_disk_set_full(h.disk, true);
    ck_assert_int_eq(sl_pages_write(&h.pages, bytes, sizeof bytes, SL_PAGE_LEN), SL_E_FULL);
    sl_disk_kill(h.disk);
    ck_assert_int_eq(sl_pages_write(&h.pages, bytes, sizeof bytes, 0), SL_E_IO);
    ck_assert_int_eq(sl_pages_read(&h.pages, bytes, sizeof bytes, 0), SL_E_IO);
    ck_assert_int_eq(sl_pages_truncate(&h.pages, 0), SL_E_IO);
    host_close(&h);
}
END_TEST

SL_TEST_MAIN("pages", pages__any_place_and_length_is_read_as_it_was_written,
             pages__nothing_lies_in_the_clear,
             pages__a_write_of_a_unit_changes_no_other_byte_on_the_disk,
             pages__what_was_synced_stays_whatever_becomes_of_its_neighbour,
             pages__what_fails_below_fails_here)
