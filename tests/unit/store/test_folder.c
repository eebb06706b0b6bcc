/* Folders that are sealed and wiped, cut short at every change of the disk. */
#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "platform/sim/disk.h"
#include "scan.h"
#include "store/blob_file.h"
#include "store/draft.h"
#include "store/store.h"
#include "support.h"

#include <string.h>

#define CANARY "the canary sings at dawn"
#define DRAFT  "OggS and the canary sings at dawn"

enum {
    BLOB_LEN = 150000 /* three chunks */
};

static const uint8_t KEY[SL_SEAL_KEY_LEN] = {7, 7};
static const uint8_t OTHER[SL_SEAL_KEY_LEN] = {8};

/* The disk comes first. */
typedef struct host {
    sl_disk *disk;
    sl_platform platform;
    sl_prng prng;
    char hex[65];
} host;

static sl_status host_random(void *user, void *dst, size_t n)
{
    host *h = user;
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)dst)[i] = (uint8_t)sl_prng_next(&h->prng);
    }
    return SL_OK;
}

static int64_t host_ms(void *user)
{
    (void)user;
    return 1700000000000;
}

static const sl_random_ops host_randoms = {.struct_size = sizeof(sl_random_ops),
                                           .fill = host_random};
static const sl_clock_ops host_clock = {
    .struct_size = sizeof(sl_clock_ops), .mono_ms = host_ms, .wall_ms = host_ms};

static void host_start(host *h, uint64_t seed)
{
    memset(h, 0, sizeof *h);
    h->disk = sl_disk_new(seed);
    sl_prng_seed(&h->prng, seed);
    h->platform = (sl_platform){.struct_size = sizeof h->platform,
                                .user = h,
                                .files = &sl_disk_files,
                                .random = &host_randoms,
                                .clock = &host_clock};
    ck_assert_ptr_nonnull(h->disk);
}

static sl_store *open_with(host *h, const uint8_t *key, sl_status want)
{
    sl_store *s = NULL;
    sl_error *err = NULL;
    sl_keys keys = {key, NULL};
    sl_status status = sl_store_open_sealed(&h->platform, "d", &keys, &s, &err);
    ck_assert_msg(status == want, "%s: %s", sl_status_name(status),
                  err != NULL ? sl_error_message(err) : "");
    sl_error_release(err);
    return s;
}

/* A fact, a blob and a voice in the making, all with the canary. */
static void fill(host *h, sl_store *s)
{
    static char bytes[BLOB_LEN];
    sl_blob_out *out = NULL;
    sl_draft *draft = NULL;
    char *path = sl_store_part_path(s, "whole");
    for (size_t i = 0; i < BLOB_LEN; i++) {
        bytes[i] = CANARY[i % (sizeof CANARY - 1)];
    }
    ck_assert_int_eq(sl_store_set_meta(s, "fact", CANARY, NULL), SL_OK);
    ck_assert_int_eq(sl_blob_out_open(&h->platform, sl_store_seal(s), path, false, &out, NULL),
                     SL_OK);
    ck_assert_int_eq(sl_blob_out_append(out, bytes, BLOB_LEN), SL_OK);
    ck_assert_int_eq(sl_blob_out_finish(out, h->hex), SL_OK);
    sl_blob_out_close(out);
    ck_assert_int_eq(sl_store_blob_place(s, path, h->hex, BLOB_LEN, NULL, NULL), SL_OK);
    sl_mem_free(path);
    ck_assert_int_eq(sl_draft_open(&h->platform, sl_store_seal(s), "d/tmp/voice.ogg",
                                   SL_FILE_WRITE | SL_FILE_CREATE, &draft),
                     SL_OK);
    ck_assert_int_eq(sl_draft_write(draft, DRAFT, sizeof DRAFT, 0), SL_OK);
    ck_assert_int_eq(sl_draft_sync(draft), SL_OK);
    sl_draft_close(draft);
}

static void check_blob(host *h, sl_store *s)
{
    static char bytes[BLOB_LEN];
    sl_blob_in *in = NULL;
    char hex[65];
    ck_assert_int_eq(sl_store_blob_size(s, h->hex), BLOB_LEN);
    char *path = sl_store_blob_path(s, h->hex);
    ck_assert_int_eq(sl_blob_in_open(&h->platform, sl_store_seal(s), path, h->hex, &in, NULL),
                     SL_OK);
    ck_assert_int_eq(sl_blob_in_read(in, bytes, BLOB_LEN, 0), BLOB_LEN);
    sl_blob_in_close(in);
    sl_mem_free(path);
    sl_sha256_hex(bytes, BLOB_LEN, hex);
    ck_assert_str_eq(hex, h->hex);
}

static void check_all(host *h, sl_store *s)
{
    char *fact = NULL;
    char bytes[sizeof DRAFT];
    sl_draft *draft = NULL;
    ck_assert_int_eq(sl_store_meta(s, "fact", &fact, NULL), SL_OK);
    ck_assert_str_eq(fact, CANARY);
    sl_mem_free(fact);
    check_blob(h, s);
    ck_assert_int_eq(
        sl_draft_open(&h->platform, sl_store_seal(s), "d/tmp/voice.ogg", SL_FILE_READ, &draft),
        SL_OK);
    ck_assert_int_eq(sl_draft_read(draft, bytes, sizeof bytes, 0), sizeof bytes);
    ck_assert_mem_eq(bytes, DRAFT, sizeof bytes);
    sl_draft_close(draft);
}

static int canaries(host *h)
{
    return sl_scan_for(&h->platform, "d", "canary", NULL);
}

START_TEST(folder__a_key_seals_all_that_is_written)
{
    host h;
    host_start(&h, 1);
    sl_store *s = open_with(&h, KEY, SL_OK);
    fill(&h, s);
    check_all(&h, s);
    ck_assert_int_eq(canaries(&h), 0);
    sl_store_close(s);
    ck_assert_int_eq(canaries(&h), 0);
    (void)open_with(&h, NULL, SL_E_DENIED);
    (void)open_with(&h, OTHER, SL_E_DENIED);
    s = open_with(&h, KEY, SL_OK);
    check_all(&h, s);
    sl_store_close(s);
    sl_disk_free(h.disk);
}
END_TEST

START_TEST(folder__without_a_key_all_is_in_the_clear)
{
    host h;
    host_start(&h, 1);
    sl_store *s = open_with(&h, NULL, SL_OK);
    fill(&h, s);
    check_all(&h, s);
    sl_store_close(s);
    ck_assert_int_eq(canaries(&h), 3); /* the scan would see it */
    sl_disk_free(h.disk);
}
END_TEST

/* Dies at the k-th change; false when it came through. */
static bool seal_and_die(host *h, uint64_t k)
{
    sl_store *s = NULL;
    sl_keys keys = {KEY, NULL};
    sl_disk_die_in(h->disk, k);
    sl_status status = sl_store_open_sealed(&h->platform, "d", &keys, &s, NULL);
    bool died = sl_disk_dead(h->disk);
    ck_assert(died || status == SL_OK);
    sl_store_close(s);
    sl_disk_power_cut(h->disk);
    return died;
}

START_TEST(folder__in_the_clear_is_sealed_by_its_first_key_wherever_that_is_cut_short)
{
    bool died = true;
    for (uint64_t k = 1; died; k++) {
        host h;
        host_start(&h, k);
        sl_store *s = open_with(&h, NULL, SL_OK);
        fill(&h, s);
        void *part = NULL;
        ck_assert_int_eq(
            sl_disk_files.open(&h, "d/tmp/x.part", SL_FILE_WRITE | SL_FILE_CREATE, &part), SL_OK);
        ck_assert_int_eq(sl_disk_files.write(&h, part, CANARY, sizeof CANARY, 0), SL_OK);
        ck_assert_int_eq(sl_disk_files.sync(&h, part), SL_OK);
        sl_disk_files.close(&h, part);
        sl_store_close(s);
        died = seal_and_die(&h, k);
        died = seal_and_die(&h, 1 + k / 2) || died; /* and once more */
        s = open_with(&h, KEY, SL_OK);
        check_all(&h, s);
        sl_store_close(s);
        ck_assert_int_eq(canaries(&h), 0);
        sl_disk_power_cut(h.disk); /* nothing comes back */
        ck_assert_int_eq(canaries(&h), 0);
        (void)open_with(&h, NULL, SL_E_DENIED);
        sl_disk_free(h.disk);
        ck_assert_uint_lt(k, 2000);
    }
}
END_TEST

START_TEST(folder__a_wipe_leaves_nothing_wherever_it_is_cut_short)
{
    for (int sealed = 0; sealed < 2; sealed++) {
        bool died = true;
        for (uint64_t k = 1; died; k++) {
            host h;
            char *fact = NULL;
            host_start(&h, k);
            sl_store *s = open_with(&h, sealed ? KEY : NULL, SL_OK);
            fill(&h, s);
            ck_assert_int_eq(sl_store_wipe(&h.platform, "d", NULL), SL_E_BUSY);
            sl_store_close(s);
            sl_disk_die_in(h.disk, k);
            sl_status status = sl_store_wipe(&h.platform, "d", NULL);
            died = sl_disk_dead(h.disk);
            ck_assert(died || status == SL_OK);
            sl_disk_power_cut(h.disk);
            if (!sl_disk_files.exists(&h, "d/wiping") && died) {
                sl_disk_free(h.disk); /* it never began, or it ended */
                continue;
            }
            s = open_with(&h, sealed ? OTHER : NULL, SL_OK); /* as a new folder */
            ck_assert_int_eq(sl_store_meta(s, "fact", &fact, NULL), SL_OK);
            ck_assert_ptr_null(fact);
            ck_assert_int_eq(sl_store_blob_size(s, h.hex), -1);
            ck_assert_int_eq(sl_store_set_meta(s, "fact", "new", NULL), SL_OK);
            sl_store_close(s);
            sl_disk_power_cut(h.disk); /* neither the old nor the wipe comes back */
            ck_assert_int_eq(canaries(&h), 0);
            s = open_with(&h, sealed ? OTHER : NULL, SL_OK);
            ck_assert_int_eq(sl_store_meta(s, "fact", &fact, NULL), SL_OK);
            ck_assert_str_eq(fact, "new");
            sl_mem_free(fact);
            sl_store_close(s);
            sl_disk_free(h.disk);
            ck_assert_uint_lt(k, 2000);
        }
    }
}
END_TEST

START_TEST(folder__another_key_opens_it_once_it_was_wrapped_anew)
{
    bool died = true;
    for (uint64_t k = 1; died; k++) {
        host h;
        sl_keys other = {OTHER, NULL};
        host_start(&h, k);
        sl_store *s = open_with(&h, KEY, SL_OK);
        fill(&h, s);
        sl_disk_die_in(h.disk, k);
        sl_status status = sl_store_rekey(s, &other, NULL);
        died = sl_disk_dead(h.disk);
        sl_store_close(s);
        sl_disk_power_cut(h.disk);
        if (status == SL_OK) {
            (void)open_with(&h, KEY, SL_E_DENIED);
        }
        s = open_with(&h, status == SL_OK ? OTHER : KEY, SL_OK); /* one of the two, always */
        check_all(&h, s);
        sl_store_close(s);
        sl_disk_free(h.disk);
    }
}
END_TEST

START_TEST(folder__that_lost_its_key_file_is_not_taken_for_a_new_one)
{
    host h;
    host_start(&h, 1);
    sl_store *s = open_with(&h, KEY, SL_OK);
    fill(&h, s);
    sl_store_close(s);
    ck_assert_int_eq(sl_disk_files.remove(&h, "d/key"), SL_OK);
    (void)open_with(&h, KEY, SL_E_CORRUPT);
    (void)open_with(&h, NULL, SL_E_CORRUPT);
    sl_disk_free(h.disk);
}
END_TEST

START_TEST(folder__with_a_damaged_key_file_says_so)
{
    static const struct {
        int64_t at;
        char byte;
        sl_status want;
    } damages[] = {{0, 'x', SL_E_CORRUPT},
                   {15, 'z', SL_E_CORRUPT},
                   {15, 'c', SL_E_DENIED},
                   {40, '?', SL_E_DENIED}};
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        host h;
        void *file = NULL;
        host_start(&h, 1);
        sl_store_close(open_with(&h, KEY, SL_OK));
        ck_assert_int_eq(sl_disk_files.open(&h, "d/key", SL_FILE_WRITE, &file), SL_OK);
        ck_assert_int_eq(sl_disk_files.write(&h, file, &damages[i].byte, 1, damages[i].at), SL_OK);
        sl_disk_files.close(&h, file);
        (void)open_with(&h, KEY, damages[i].want);
        sl_disk_free(h.disk);
    }
}
END_TEST

START_TEST(folder__without_memory_nothing_is_lost)
{
    for (uint64_t k = 1;; k += 1 + k / 16) { /* an opening asks for some thousand pieces */
        host h;
        sl_store *s = NULL;
        sl_keys keys = {KEY, NULL};
        host_start(&h, 1);
        s = open_with(&h, NULL, SL_OK);
        fill(&h, s);
        sl_store_close(s);
        (void)sl_mem_fail_at(k, false);
        sl_status status = sl_store_open_sealed(&h.platform, "d", &keys, &s, NULL);
        uint64_t asked = sl_mem_fail_at(0, false);
        ck_assert(status == SL_OK || status == SL_E_NOMEM);
        sl_store_close(s);
        s = open_with(&h, KEY, SL_OK);
        check_all(&h, s);
        sl_store_close(s);
        sl_disk_free(h.disk);
        if (asked < k) {
            return;
        }
    }
}
END_TEST

/* A removed name may come back when the power goes off, also long after: each start before it found nothing. */
START_TEST(folder__a_file_that_went_stays_away_over_starts_and_power_cuts)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        host h;
        host_start(&h, seed);
        sl_store *s = open_with(&h, NULL, SL_OK);
        fill(&h, s);
        ck_assert_int_eq(sl_store_sweep_blobs(s, NULL, NULL, NULL), SL_OK);
        sl_store_close(s);
        for (uint64_t starts = 0; starts < seed % 4; starts++) {
            sl_store_close(open_with(&h, NULL, SL_OK));
        }
        sl_disk_power_cut(h.disk);
        s = open_with(&h, NULL, SL_OK);
        ck_assert_int_eq(sl_store_blob_size(s, h.hex), -1);
        sl_store_close(s);
        sl_disk_free(h.disk);
    }
}
END_TEST

SL_TEST_MAIN("folder", folder__a_key_seals_all_that_is_written,
             folder__without_a_key_all_is_in_the_clear,
             folder__in_the_clear_is_sealed_by_its_first_key_wherever_that_is_cut_short,
             folder__a_wipe_leaves_nothing_wherever_it_is_cut_short,
             folder__another_key_opens_it_once_it_was_wrapped_anew,
             folder__that_lost_its_key_file_is_not_taken_for_a_new_one,
             folder__with_a_damaged_key_file_says_so, folder__without_memory_nothing_is_lost,
             folder__a_file_that_went_stays_away_over_starts_and_power_cuts)
