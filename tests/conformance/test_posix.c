/* The built-in platform's clock, random numbers and files. */
#include "conformance.h"
#include "platform/posix/posix.h"
#include "support.h"

#include <stdlib.h>
#include <unistd.h>

static const sl_platform POSIX = {.struct_size = sizeof(sl_platform),
                                  .clock = &sl_posix_clock,
                                  .random = &sl_posix_random,
                                  .files = &sl_posix_files};

static void in_a_folder(void (*ask)(const sl_platform *p, const char *dir))
{
    char dir[] = "/tmp/sideline-conformance-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ask(&POSIX, dir);
    ck_assert_int_eq(rmdir(dir), 0); /* each leaves nothing behind */
}

START_TEST(posix__the_tables_are_whole)
{
    sl_conform_tables(&POSIX);
    sl_platform built;
    ck_assert_int_eq(sl_platform_builtin(&built), SL_OK);
    sl_conform_tables(&built);
    if (built.release != NULL) {
        built.release(built.user); /* may come without start */
    }
}
END_TEST

START_TEST(posix__clocks_go_forward)
{
    sl_conform_clock(&POSIX);
}
END_TEST

START_TEST(posix__random_bytes_differ)
{
    sl_conform_random(&POSIX);
}
END_TEST

START_TEST(posix__files_open_as_the_flags_say)
{
    in_a_folder(sl_conform_open);
}
END_TEST

START_TEST(posix__bytes_written_are_read_back)
{
    in_a_folder(sl_conform_read_write);
}
END_TEST

START_TEST(posix__truncation_cuts_and_extends)
{
    in_a_folder(sl_conform_truncate);
}
END_TEST

START_TEST(posix__a_lock_has_one_owner)
{
    in_a_folder(sl_conform_lock);
}
END_TEST

START_TEST(posix__rename_replaces_at_once)
{
    in_a_folder(sl_conform_rename);
}
END_TEST

START_TEST(posix__folders_are_made_once)
{
    in_a_folder(sl_conform_folders);
}
END_TEST

/* A device that is always full stands in for a full disk. */
START_TEST(posix__a_full_disk_is_called_so)
{
    void *file = NULL;
    if (access("/dev/full", W_OK) != 0) {
        return;
    }
    ck_assert_int_eq(sl_posix_files.open(NULL, "/dev/full", SL_FILE_READ | SL_FILE_WRITE, &file),
                     SL_OK);
    ck_assert_int_eq(sl_posix_files.write(NULL, file, "x", 1, 0), SL_E_FULL);
    sl_posix_files.close(NULL, file);
}
END_TEST

SL_TEST_MAIN("conformance_posix", posix__the_tables_are_whole, posix__clocks_go_forward,
             posix__random_bytes_differ, posix__files_open_as_the_flags_say,
             posix__bytes_written_are_read_back, posix__truncation_cuts_and_extends,
             posix__a_lock_has_one_owner, posix__rename_replaces_at_once,
             posix__folders_are_made_once, posix__a_full_disk_is_called_so)
