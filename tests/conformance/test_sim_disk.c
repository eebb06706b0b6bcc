/* The simulator's disk: what every platform promises of files, and what a power cut may take. */
#include "conformance.h"
#include "platform/sim/disk.h"
#include "support.h"

#include <string.h>

/* As the simulator's machines: the disk comes first. */
typedef struct host {
    sl_disk *disk;
    sl_platform platform;
} host;

enum {
    RW = SL_FILE_READ | SL_FILE_WRITE,
    NEW = RW | SL_FILE_CREATE,
    SECTOR = 512
};

static void host_open(host *h, uint64_t seed)
{
    memset(h, 0, sizeof *h);
    h->disk = sl_disk_new(seed);
    h->platform =
        (sl_platform){.struct_size = sizeof h->platform, .user = h, .files = &sl_disk_files};
    ck_assert_ptr_nonnull(h->disk);
    ck_assert_int_eq(sl_disk_files.mkdir(h, "dir"), SL_OK);
}

static void in_a_folder(void (*ask)(const sl_platform *p, const char *dir))
{
    host h;
    host_open(&h, 1);
    ask(&h.platform, "dir");
    ck_assert_int_eq(sl_disk_files.remove(&h, "dir"), SL_OK); /* each leaves nothing behind */
    sl_disk_free(h.disk);
}

static void *open_file(host *h, const char *path, uint32_t flags)
{
    void *file = NULL;
    ck_assert_int_eq(sl_disk_files.open(h, path, flags, &file), SL_OK);
    return file;
}

START_TEST(disk__files_open_as_the_flags_say)
{
    in_a_folder(sl_conform_open);
}
END_TEST

START_TEST(disk__bytes_written_are_read_back)
{
    in_a_folder(sl_conform_read_write);
}
END_TEST

START_TEST(disk__truncation_cuts_and_extends)
{
    in_a_folder(sl_conform_truncate);
}
END_TEST

START_TEST(disk__a_lock_has_one_owner)
{
    in_a_folder(sl_conform_lock);
}
END_TEST

START_TEST(disk__rename_replaces_at_once)
{
    in_a_folder(sl_conform_rename);
}
END_TEST

START_TEST(disk__folders_are_made_once)
{
    in_a_folder(sl_conform_folders);
}
END_TEST

/* Eight sectors "a" synced, overwritten by "b": returns how many "b" a power cut leaves. */
static int survivors(uint64_t seed, bool synced, bool lying)
{
    host h;
    char block[8 * SECTOR];
    host_open(&h, seed);
    void *file = open_file(&h, "dir/f", NEW);
    memset(block, 'a', sizeof block);
    ck_assert_int_eq(sl_disk_files.write(&h, file, block, sizeof block, 0), SL_OK);
    ck_assert_int_eq(sl_disk_files.sync(&h, file), SL_OK);
    sl_disk_set_lying(h.disk, lying);
    memset(block, 'b', sizeof block);
    ck_assert_int_eq(sl_disk_files.write(&h, file, block, sizeof block, 0), SL_OK);
    if (synced) {
        ck_assert_int_eq(sl_disk_files.sync(&h, file), SL_OK);
    }
    sl_disk_kill(h.disk);
    sl_disk_files.close(&h, file);
    sl_disk_power_cut(h.disk);
    file = open_file(&h, "dir/f", SL_FILE_READ);
    ck_assert_int_eq(sl_disk_files.read(&h, file, block, sizeof block, 0), sizeof block);
    int kept = 0;
    for (int i = 0; i < 8; i++) {
        char first = block[i * SECTOR];
        ck_assert(first == 'a' || first == 'b');
        for (int k = 1; k < SECTOR; k++) {
            ck_assert_int_eq(block[i * SECTOR + k], first); /* a sector is whole */
        }
        kept += first == 'b';
    }
    sl_disk_files.close(&h, file);
    sl_disk_free(h.disk);
    return kept;
}

START_TEST(disk__a_power_cut_takes_sectors_that_were_not_synced)
{
    bool all = false;
    bool none = false;
    bool some = false;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        int kept = survivors(seed, false, false);
        all = all || kept == 8;
        none = none || kept == 0;
        some = some || (kept > 0 && kept < 8);
        ck_assert_int_eq(kept, survivors(seed, false, false));
        ck_assert_int_eq(survivors(seed, true, false), 8);
    }
    ck_assert(all && none && some);
}
END_TEST

START_TEST(disk__a_lying_disk_loses_what_was_synced)
{
    bool lost = false;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        lost = lost || survivors(seed, true, true) < 8;
    }
    ck_assert(lost);
}
END_TEST

START_TEST(disk__a_power_cut_may_bring_a_removed_name_back)
{
    int back = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        host h;
        host_open(&h, seed);
        sl_disk_files.close(&h, open_file(&h, "dir/a", NEW));
        sl_disk_files.close(&h, open_file(&h, "dir/b", NEW));
        ck_assert_int_eq(sl_disk_files.remove(&h, "dir/a"), SL_OK);
        sl_disk_files.close(&h, open_file(&h, "dir/c", NEW)); /* settles the folder */
        ck_assert_int_eq(sl_disk_files.remove(&h, "dir/b"), SL_OK);
        sl_disk_kill(h.disk);
        sl_disk_power_cut(h.disk);
        ck_assert_int_eq(sl_disk_files.exists(&h, "dir/a"), 0);
        ck_assert_int_eq(sl_disk_files.exists(&h, "dir/c"), 1);
        back += sl_disk_files.exists(&h, "dir/b");
        sl_disk_free(h.disk);
    }
    ck_assert_int_gt(back, 0);
    ck_assert_int_lt(back, 60);
}
END_TEST

START_TEST(disk__fails_and_dies_at_the_change_that_was_chosen)
{
    host h;
    host_open(&h, 1);
    void *file = open_file(&h, "dir/f", NEW);
    sl_disk_fail_in(h.disk, 2);
    ck_assert_int_eq(sl_disk_files.write(&h, file, "1", 1, 0), SL_OK);
    ck_assert_int_eq(sl_disk_files.write(&h, file, "2", 1, 1), SL_E_IO);
    ck_assert_int_eq(sl_disk_files.size(&h, file), 1);
    ck_assert_int_eq(sl_disk_files.write(&h, file, "3", 1, 1), SL_OK);
    sl_disk_set_full(h.disk, true);
    ck_assert_int_eq(sl_disk_files.write(&h, file, "4", 1, 2), SL_E_FULL);
    ck_assert_int_eq(sl_disk_files.write(&h, file, "5", 1, 0), SL_OK); /* in place */
    sl_disk_set_full(h.disk, false);
    sl_disk_die_in(h.disk, 2);
    ck_assert_int_eq(sl_disk_files.sync(&h, file), SL_OK);
    ck_assert_int_eq(sl_disk_files.write(&h, file, "6", 1, 0), SL_E_IO);
    ck_assert(sl_disk_dead(h.disk));
    ck_assert_int_eq(sl_disk_files.sync(&h, file), SL_E_IO);
    ck_assert_int_lt(sl_disk_files.read(&h, file, &(char){0}, 1, 0), 0);
    sl_disk_files.close(&h, file);
    sl_disk_power_cut(h.disk);
    char got[4] = "";
    file = open_file(&h, "dir/f", SL_FILE_READ);
    ck_assert_int_eq(sl_disk_files.read(&h, file, got, 3, 0), 2);
    ck_assert_str_eq(got, "53");
    sl_disk_files.close(&h, file);
    sl_disk_free(h.disk);
}
END_TEST

SL_TEST_MAIN("conformance_sim_disk", disk__files_open_as_the_flags_say,
             disk__bytes_written_are_read_back, disk__truncation_cuts_and_extends,
             disk__a_lock_has_one_owner, disk__rename_replaces_at_once, disk__folders_are_made_once,
             disk__a_power_cut_takes_sectors_that_were_not_synced,
             disk__a_lying_disk_loses_what_was_synced,
             disk__a_power_cut_may_bring_a_removed_name_back,
             disk__fails_and_dies_at_the_change_that_was_chosen)
