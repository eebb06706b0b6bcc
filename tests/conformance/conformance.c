#include "conformance.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum {
    PATH_SIZE = 512,
    RW = SL_FILE_READ | SL_FILE_WRITE,
    NEW = SL_FILE_READ | SL_FILE_WRITE | SL_FILE_CREATE
};

static const char *join(char out[PATH_SIZE], const char *dir, const char *name)
{
    int n = snprintf(out, PATH_SIZE, "%s/%s", dir, name);
    ck_assert(n > 0 && n < PATH_SIZE);
    return out;
}

static void *open_file(const sl_platform *p, const char *path, uint32_t flags)
{
    void *file = NULL;
    ck_assert_int_eq(p->files->open(p->user, path, flags, &file), SL_OK);
    ck_assert_ptr_nonnull(file);
    return file;
}

static void put(const sl_platform *p, const char *path, const char *text)
{
    void *file = open_file(p, path, NEW | SL_FILE_TRUNCATE);
    ck_assert_int_eq(p->files->write(p->user, file, text, strlen(text), 0), SL_OK);
    ck_assert_int_eq(p->files->sync(p->user, file), SL_OK);
    p->files->close(p->user, file);
}

static void expect(const sl_platform *p, const char *path, const char *text)
{
    char got[64];
    void *file = open_file(p, path, SL_FILE_READ);
    ck_assert_int_eq(p->files->size(p->user, file), (int64_t)strlen(text));
    ck_assert_int_eq(p->files->read(p->user, file, got, sizeof got, 0), (int64_t)strlen(text));
    ck_assert_mem_eq(got, text, strlen(text));
    p->files->close(p->user, file);
}

void sl_conform_tables(const sl_platform *p)
{
    ck_assert_uint_eq(p->struct_size, sizeof *p);
    ck_assert_ptr_nonnull(p->clock);
    ck_assert_uint_eq(p->clock->struct_size, sizeof *p->clock);
    ck_assert(p->clock->mono_ms != NULL && p->clock->wall_ms != NULL);
    ck_assert_ptr_nonnull(p->random);
    ck_assert_uint_eq(p->random->struct_size, sizeof *p->random);
    ck_assert(p->random->fill != NULL);
    const sl_file_ops *f = p->files;
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(f->struct_size, sizeof *f);
    ck_assert(f->open != NULL && f->close != NULL && f->read != NULL && f->write != NULL);
    ck_assert(f->truncate != NULL && f->sync != NULL && f->size != NULL && f->rename != NULL);
    ck_assert(f->remove != NULL && f->exists != NULL && f->mkdir != NULL);
    ck_assert(p->http == NULL || (p->http->start != NULL && p->http->cancel != NULL));
    ck_assert(p->ws == NULL ||
              (p->ws->open != NULL && p->ws->send != NULL && p->ws->close != NULL));
}

void sl_conform_clock(const sl_platform *p)
{
    int64_t last = p->clock->mono_ms(p->user);
    ck_assert_int_ge(last, 0);
    for (int i = 0; i < 10000; i++) {
        int64_t now = p->clock->mono_ms(p->user);
        ck_assert_int_ge(now, last);
        last = now;
    }
    ck_assert_int_gt(p->clock->wall_ms(p->user), INT64_C(1500000000000)); /* after 2017 */
}

void sl_conform_random(const sl_platform *p)
{
    /* Longer than any system call gives at once; the place behind stays as it was. */
    uint8_t a[1001] = {0};
    uint8_t b[1001] = {0};
    a[1000] = 77;
    ck_assert_int_eq(p->random->fill(p->user, a, 1000), SL_OK);
    ck_assert_int_eq(p->random->fill(p->user, b, 1000), SL_OK);
    ck_assert_uint_eq(a[1000], 77);
    for (size_t at = 0; at < 1000; at += 50) {
        ck_assert_mem_ne(a + at, b + at, 50);
    }
    ck_assert_int_eq(p->random->fill(p->user, a, 0), SL_OK);
}

void sl_conform_open(const sl_platform *p, const char *dir)
{
    char path[PATH_SIZE];
    void *file = NULL;
    join(path, dir, "opened");
    ck_assert_int_eq(p->files->exists(p->user, path), 0);
    ck_assert_int_eq(p->files->open(p->user, path, RW, &file), SL_E_NOT_FOUND);
    ck_assert_ptr_null(file);
    ck_assert_int_eq(p->files->remove(p->user, path), SL_E_NOT_FOUND);
    file = open_file(p, path, NEW);
    ck_assert_int_eq(p->files->exists(p->user, path), 1);
    ck_assert_int_eq(p->files->size(p->user, file), 0);
    p->files->close(p->user, file);
    put(p, path, "abc");
    file = open_file(p, path, NEW); /* creating what is there changes nothing */
    p->files->close(p->user, file);
    expect(p, path, "abc");
    put(p, path, "x"); /* truncates */
    expect(p, path, "x");
    ck_assert_int_eq(p->files->remove(p->user, path), SL_OK);
    ck_assert_int_eq(p->files->exists(p->user, path), 0);
    char inside[PATH_SIZE];
    join(inside, dir, "nowhere/file");
    ck_assert_int_eq(p->files->open(p->user, inside, NEW, &file), SL_E_NOT_FOUND);
    ck_assert_int_lt(p->files->open(p->user, dir, SL_FILE_READ, &file), 0);
    ck_assert_ptr_null(file);
}

void sl_conform_read_write(const sl_platform *p, const char *dir)
{
    enum {
        BIG = 200000
    };
    static uint8_t block[BIG];
    static uint8_t back[BIG];
    char path[PATH_SIZE];
    for (size_t i = 0; i < BIG; i++) {
        block[i] = (uint8_t)(i * 31 + i / 256);
    }
    void *file = open_file(p, join(path, dir, "bytes"), NEW);
    ck_assert_int_eq(p->files->read(p->user, file, back, 1, 0), 0);
    ck_assert_int_eq(p->files->write(p->user, file, block, BIG, 0), SL_OK);
    ck_assert_int_eq(p->files->read(p->user, file, back, BIG, 0), BIG);
    ck_assert_mem_eq(back, block, BIG);
    ck_assert_int_eq(p->files->read(p->user, file, back, 100, BIG - 10), 10);
    ck_assert_mem_eq(back, block + BIG - 10, 10);
    ck_assert_int_eq(p->files->read(p->user, file, back, 100, BIG), 0);
    ck_assert_int_eq(p->files->read(p->user, file, back, 100, BIG + 5), 0);
    ck_assert_int_eq(p->files->write(p->user, file, "hello", 5, 4094), SL_OK);
    ck_assert_int_eq(p->files->write(p->user, file, "", 0, 0), SL_OK);
    ck_assert_int_eq(p->files->read(p->user, file, back, 7, 4093), 7);
    ck_assert_uint_eq(back[0], block[4093]);
    ck_assert_mem_eq(back + 1, "hello", 5);
    ck_assert_uint_eq(back[6], block[4099]);
    ck_assert_int_eq(p->files->size(p->user, file), BIG);
    /* A hole reads as zeros. */
    ck_assert_int_eq(p->files->write(p->user, file, "z", 1, BIG + 100), SL_OK);
    ck_assert_int_eq(p->files->size(p->user, file), BIG + 101);
    memset(back, 1, 101);
    const uint8_t zero[100] = {0};
    ck_assert_int_eq(p->files->read(p->user, file, back, 200, BIG), 101);
    ck_assert_mem_eq(back, zero, 100);
    ck_assert_uint_eq(back[100], 'z');
    ck_assert_int_eq(p->files->sync(p->user, file), SL_OK);
    p->files->close(p->user, file);
    file = open_file(p, path, SL_FILE_READ);
    ck_assert_int_lt(p->files->write(p->user, file, "x", 1, 0), 0);
    ck_assert_int_eq(p->files->size(p->user, file), BIG + 101);
    p->files->close(p->user, file);
    ck_assert_int_eq(p->files->remove(p->user, path), SL_OK);
}

void sl_conform_truncate(const sl_platform *p, const char *dir)
{
    char path[PATH_SIZE];
    char got[8];
    put(p, join(path, dir, "cut"), "abcdef");
    void *file = open_file(p, path, RW);
    ck_assert_int_eq(p->files->truncate(p->user, file, 3), SL_OK);
    ck_assert_int_eq(p->files->size(p->user, file), 3);
    ck_assert_int_eq(p->files->truncate(p->user, file, 5), SL_OK);
    ck_assert_int_eq(p->files->read(p->user, file, got, sizeof got, 0), 5);
    ck_assert_mem_eq(got, "abc\0\0", 5);
    ck_assert_int_eq(p->files->truncate(p->user, file, 0), SL_OK);
    ck_assert_int_eq(p->files->size(p->user, file), 0);
    p->files->close(p->user, file);
    ck_assert_int_eq(p->files->remove(p->user, path), SL_OK);
}

void sl_conform_lock(const sl_platform *p, const char *dir)
{
    char path[PATH_SIZE];
    void *second = NULL;
    put(p, join(path, dir, "locked"), "mine");
    void *first = open_file(p, path, NEW | SL_FILE_LOCK);
    uint32_t greedy = NEW | SL_FILE_LOCK | SL_FILE_TRUNCATE;
    ck_assert_int_eq(p->files->open(p->user, path, greedy, &second), SL_E_BUSY);
    ck_assert_ptr_null(second);
    expect(p, path, "mine"); /* the loser has not emptied it; reading needs no lock */
    p->files->close(p->user, first);
    second = open_file(p, path, NEW | SL_FILE_LOCK);
    p->files->close(p->user, second);
    ck_assert_int_eq(p->files->remove(p->user, path), SL_OK);
}

void sl_conform_rename(const sl_platform *p, const char *dir)
{
    char a[PATH_SIZE];
    char b[PATH_SIZE];
    char sub[PATH_SIZE];
    char c[PATH_SIZE];
    put(p, join(a, dir, "a"), "first");
    put(p, join(b, dir, "b"), "second");
    ck_assert_int_eq(p->files->rename(p->user, a, b), SL_OK);
    ck_assert_int_eq(p->files->exists(p->user, a), 0);
    expect(p, b, "first");
    ck_assert_int_eq(p->files->rename(p->user, a, b), SL_E_NOT_FOUND);
    expect(p, b, "first");
    ck_assert_int_eq(p->files->mkdir(p->user, join(sub, dir, "sub")), SL_OK);
    ck_assert_int_eq(p->files->rename(p->user, b, join(c, sub, "c")), SL_OK);
    expect(p, c, "first");
    /* An open file follows its bytes, not its name. */
    void *file = open_file(p, c, RW);
    ck_assert_int_eq(p->files->rename(p->user, c, a), SL_OK);
    ck_assert_int_eq(p->files->write(p->user, file, "F", 1, 0), SL_OK);
    p->files->close(p->user, file);
    expect(p, a, "First");
    ck_assert_int_eq(p->files->remove(p->user, a), SL_OK);
    ck_assert_int_eq(p->files->remove(p->user, sub), SL_OK);
}

void sl_conform_folders(const sl_platform *p, const char *dir)
{
    char path[PATH_SIZE];
    char file[PATH_SIZE];
    join(path, dir, "d\xC3\xBCnn"); /* UTF-8 */
    ck_assert_int_eq(p->files->mkdir(p->user, path), SL_OK);
    ck_assert_int_eq(p->files->mkdir(p->user, path), SL_OK);
    ck_assert_int_eq(p->files->exists(p->user, path), 1);
    put(p, join(file, path, "f"), "x");
    ck_assert_int_lt(p->files->mkdir(p->user, file), 0);
    ck_assert_int_lt(p->files->remove(p->user, path), 0); /* not empty */
    expect(p, file, "x");
    ck_assert_int_eq(p->files->remove(p->user, file), SL_OK);
    ck_assert_int_eq(p->files->remove(p->user, path), SL_OK);
    join(file, dir, "no/where");
    ck_assert_int_eq(p->files->mkdir(p->user, file), SL_E_NOT_FOUND);
}
