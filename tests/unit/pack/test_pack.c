/* Many files in one: against a model, over power cuts and failing writes; and the core's store on it. */
#include "platform/wasm/pack.h"

#include "base/prng.h"
#include "conformance.h"
#include "platform/sim/disk.h"
#include "support.h"

#include <string.h>

enum {
    FILES = 6,
    ROOM = 150000,
    STEPS = 250,
    NEW = SL_FILE_READ | SL_FILE_WRITE | SL_FILE_CREATE
};

/* The disk comes first. */
typedef struct host {
    sl_disk *disk;
    void *file;
    sl_pack *pack;
} host;

static int64_t device_size(void *user)
{
    host *h = user;
    return sl_disk_files.size(h, h->file);
}

static sl_status device_read(void *user, void *dst, size_t n, int64_t at)
{
    host *h = user;
    memset(dst, 0, n);
    int64_t got = sl_disk_files.read(h, h->file, dst, n, at);
    return got < 0 ? (sl_status)got : SL_OK;
}

static sl_status device_write(void *user, const void *src, size_t n, int64_t at)
{
    host *h = user;
    return sl_disk_files.write(h, h->file, src, n, at);
}

static sl_status device_truncate(void *user, int64_t size)
{
    host *h = user;
    return sl_disk_files.truncate(h, h->file, size);
}

static sl_status device_flush(void *user)
{
    host *h = user;
    return sl_disk_files.sync(h, h->file);
}

static sl_status mount(host *h)
{
    sl_pack_device d = {sizeof d,        0,           h, device_size, device_read, device_write,
                        device_truncate, device_flush};
    sl_status status = sl_disk_files.open(h, "pack", NEW, &h->file);
    return status == SL_OK ? sl_pack_open(&d, &h->pack) : status;
}

static void unmount(host *h)
{
    sl_pack_close(h->pack);
    h->pack = NULL;
    sl_disk_files.close(h, h->file);
}

static const sl_file_ops *ops(void)
{
    return sl_pack_files();
}

static void put_text(host *h, const char *path, const char *text)
{
    void *f = NULL;
    ck_assert_int_eq(ops()->open(h->pack, path, NEW | SL_FILE_TRUNCATE, &f), SL_OK);
    ck_assert_int_eq(ops()->write(h->pack, f, text, strlen(text), 0), SL_OK);
    ck_assert_int_eq(ops()->sync(h->pack, f), SL_OK);
    ops()->close(h->pack, f);
}

static void host_open(host *h, uint64_t seed)
{
    memset(h, 0, sizeof *h);
    h->disk = sl_disk_new(seed);
    ck_assert_ptr_nonnull(h->disk);
    ck_assert_int_eq(mount(h), SL_OK);
    ck_assert_int_eq(sl_pack_files()->mkdir(h->pack, "d"), SL_OK);
    ck_assert_int_eq(sl_pack_files()->mkdir(h->pack, "e"), SL_OK);
    ck_assert_int_eq(sl_pack_files()->mkdir(h->pack, "d/x"), SL_OK);
    put_text(h, "first", "of all"); /* and the folders with it */
}

static void host_close(host *h)
{
    unmount(h);
    sl_disk_free(h->disk);
}

static bool has_text(host *h, const char *path, const char *text)
{
    void *f = NULL;
    char got[64] = "";
    if (ops()->open(h->pack, path, SL_FILE_READ, &f) != SL_OK) {
        return false;
    }
    int64_t n = ops()->read(h->pack, f, got, sizeof got - 1, 0);
    ops()->close(h->pack, f);
    return n == (int64_t)strlen(text) && strcmp(got, text) == 0;
}

START_TEST(files_are_there_after_it_was_opened_again)
{
    host h;
    host_open(&h, 1);
    put_text(&h, "d/x/c", "one");
    put_text(&h, "d/y", "two");
    ck_assert_int_eq(ops()->rename(h.pack, "d/y", "e/z"), SL_OK);
    unmount(&h);
    ck_assert_int_eq(mount(&h), SL_OK);
    ck_assert(has_text(&h, "d/x/c", "one"));
    ck_assert(has_text(&h, "e/z", "two"));
    ck_assert(!has_text(&h, "d/y", "two"));
    ck_assert_int_eq(ops()->exists(h.pack, "d/x"), 1);
    ck_assert_int_eq(ops()->exists(h.pack, "d/xx"), 0);
    ck_assert_int_eq(ops()->remove(h.pack, "d/x/c"), SL_OK);
    unmount(&h);
    ck_assert_int_eq(mount(&h), SL_OK);
    ck_assert_int_eq(ops()->exists(h.pack, "d/x/c"), 0);
    host_close(&h);
}
END_TEST

static void note(void *ctx, const char *name)
{
    char *all = ctx;
    strcat(all, name); /* NOLINT: a few short names */
    strcat(all, " ");
}

START_TEST(a_folder_lists_files_and_each_folder_once)
{
    host h;
    char all[200] = "";
    host_open(&h, 1);
    put_text(&h, "d/x/1", "1");
    put_text(&h, "d/x/2", "2");
    put_text(&h, "d/y", "3");
    put_text(&h, "e/z", "4");
    ck_assert_int_eq(ops()->list(h.pack, "d", note, all), SL_OK);
    ck_assert(strcmp(all, "y x ") == 0 || strcmp(all, "x y ") == 0);
    host_close(&h);
}
END_TEST

START_TEST(between_the_end_and_a_write_beyond_it_there_are_zeros)
{
    host h;
    uint8_t dirt[40000];
    uint8_t got[40000];
    void *f = NULL;
    host_open(&h, 1);
    memset(dirt, 0xee, sizeof dirt);
    ck_assert_int_eq(ops()->open(h.pack, "f", NEW, &f), SL_OK);
    ck_assert_int_eq(ops()->write(h.pack, f, dirt, sizeof dirt, 0), SL_OK);
    ck_assert_int_eq(ops()->truncate(h.pack, f, 10), SL_OK);
    ck_assert_int_eq(ops()->sync(h.pack, f), SL_OK);
    ck_assert_int_eq(ops()->write(h.pack, f, dirt, 1, 39999), SL_OK);
    ck_assert_int_eq(ops()->read(h.pack, f, got, sizeof got, 0), 40000);
    for (size_t i = 0; i < sizeof got; i++) {
        ck_assert_uint_eq(got[i], i < 10 || i == 39999 ? 0xee : 0);
    }
    ops()->close(h.pack, f);
    host_close(&h);
}
END_TEST

static void in_a_folder(void (*ask)(const sl_platform *p, const char *dir))
{
    host h;
    host_open(&h, 1);
    sl_platform p = {.struct_size = sizeof p, .user = h.pack, .files = ops()};
    ask(&p, "e");
    ck_assert_int_eq(ops()->mkdir(h.pack, "e/f/"), SL_OK); /* with a '/' at its end too */
    ck_assert_int_eq(ops()->exists(h.pack, "e/f"), 1);
    ck_assert_int_eq(ops()->remove(h.pack, "e/f"), SL_OK);
    ck_assert_int_eq(ops()->remove(h.pack, "e"), SL_OK); /* each leaves nothing behind */
    host_close(&h);
}

START_TEST(it_keeps_what_every_platform_promises_of_files)
{
    in_a_folder(sl_conform_open);
    in_a_folder(sl_conform_read_write);
    in_a_folder(sl_conform_truncate);
    in_a_folder(sl_conform_lock);
    in_a_folder(sl_conform_rename);
    in_a_folder(sl_conform_folders);
}
END_TEST

START_TEST(a_removed_file_lives_until_it_is_closed)
{
    host h;
    void *f = NULL;
    char got[4] = "";
    host_open(&h, 1);
    put_text(&h, "f", "old");
    ck_assert_int_eq(ops()->open(h.pack, "f", SL_FILE_READ, &f), SL_OK);
    ck_assert_int_eq(ops()->remove(h.pack, "f"), SL_OK);
    put_text(&h, "f", "new");
    ck_assert_int_eq(ops()->read(h.pack, f, got, 3, 0), 3);
    ck_assert_str_eq(got, "old");
    ops()->close(h.pack, f);
    ck_assert(has_text(&h, "f", "new"));
    ck_assert_int_eq(ops()->remove(h.pack, "f"), SL_OK);
    ck_assert_int_eq(ops()->remove(h.pack, "f"), SL_E_NOT_FOUND);
    host_close(&h);
}
END_TEST

START_TEST(a_lock_has_one_owner)
{
    host h;
    void *f = NULL;
    void *g = NULL;
    host_open(&h, 1);
    ck_assert_int_eq(ops()->open(h.pack, "l", NEW | SL_FILE_LOCK, &f), SL_OK);
    ck_assert_int_eq(ops()->open(h.pack, "l", NEW | SL_FILE_LOCK, &g), SL_E_BUSY);
    ops()->close(h.pack, f);
    ck_assert_int_eq(ops()->open(h.pack, "l", NEW | SL_FILE_LOCK, &g), SL_OK);
    ops()->close(h.pack, g);
    host_close(&h);
}
END_TEST

START_TEST(what_files_give_up_is_used_again)
{
    host h;
    static uint8_t bytes[ROOM];
    host_open(&h, 1);
    for (int i = 0; i < 200; i++) {
        void *f = NULL;
        ck_assert_int_eq(ops()->open(h.pack, "f", NEW | SL_FILE_TRUNCATE, &f), SL_OK);
        ck_assert_int_eq(ops()->write(h.pack, f, bytes, sizeof bytes, 0), SL_OK);
        ck_assert_int_eq(ops()->sync(h.pack, f), SL_OK);
        ops()->close(h.pack, f);
    }
    ck_assert_int_lt(device_size(&h), 4 * ROOM);
    host_close(&h);
}
END_TEST

START_TEST(what_is_no_pack_is_refused)
{
    host h;
    host_open(&h, 1);
    put_text(&h, "f", "text");
    ck_assert_int_eq(device_write(&h, "garbage", 7, 0), SL_OK);
    ck_assert_int_eq(device_write(&h, "garbage", 7, 4096), SL_OK);
    unmount(&h);
    ck_assert_int_eq(mount(&h), SL_E_CORRUPT);
    ck_assert_int_eq(device_write(&h, "SLPACK2\n", 8, 0), SL_OK);
    unmount(&h);
    ck_assert_int_eq(mount(&h), SL_E_TOO_NEW);
    host_close(&h);
}
END_TEST

/* --- a model --------------------------------------------------------------------------------- */

typedef struct model_file {
    bool here;
    bool touched; /* since the last commit */
    size_t len;
    uint8_t bytes[ROOM];
} model_file;

typedef struct model {
    model_file now[FILES];
    model_file durable[FILES];
} model;

static char *name_of(int i)
{
    static char names[FILES][8] = {"d/0", "d/1", "d/2", "e/3", "e/4", "5"};
    return names[i];
}

static void committed(model *m)
{
    for (int i = 0; i < FILES; i++) {
        m->now[i].touched = false;
        m->durable[i] = m->now[i];
    }
}

static sl_status change(host *h, model_file *f, void *file, sl_prng *prng)
{
    size_t at = (size_t)(sl_prng_next(prng) % (f->len + 1000));
    size_t n = 1 + (size_t)(sl_prng_next(prng) % 9000);
    n = at + n > ROOM ? ROOM - at : n;
    f->touched = true;
    if (sl_prng_next(prng) % 6 == 0) {
        sl_status status = ops()->truncate(h->pack, file, (int64_t)at);
        if (status == SL_OK) {
            if (at > f->len) {
                memset(f->bytes + f->len, 0, at - f->len);
            }
            f->len = at;
        }
        return status;
    }
    uint8_t bytes[9000];
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)sl_prng_next(prng);
    }
    sl_status status = ops()->write(h->pack, file, bytes, n, (int64_t)at);
    if (status == SL_OK) {
        if (at > f->len) {
            memset(f->bytes + f->len, 0, at - f->len);
        }
        memcpy(f->bytes + at, bytes, n);
        f->len = at + n > f->len ? at + n : f->len;
    }
    return status;
}

static sl_status move(host *h, model *m, int from, int to)
{
    if (!m->now[from].here || from == to) {
        return SL_OK;
    }
    m->now[from].touched = true;
    m->now[to].touched = true;
    sl_status status = ops()->rename(h->pack, name_of(from), name_of(to));
    if (status == SL_OK) {
        m->now[to] = m->now[from];
        m->now[from].here = false;
        m->now[from].len = 0;
        committed(m);
    }
    return status;
}

static sl_status step(host *h, model *m, sl_prng *prng)
{
    int i = (int)(sl_prng_next(prng) % FILES);
    unsigned what = (unsigned)(sl_prng_next(prng) % 10);
    model_file *f = &m->now[i];
    if (what == 0 && f->here) {
        f->touched = true;
        f->here = false;
        f->len = 0;
        return ops()->remove(h->pack, name_of(i));
    }
    if (what == 1) {
        return move(h, m, i, (int)(sl_prng_next(prng) % FILES));
    }
    void *file = NULL;
    sl_status status = ops()->open(h->pack, name_of(i), NEW, &file);
    if (status != SL_OK) {
        return status;
    }
    f->touched = f->touched || !f->here;
    f->here = true;
    status = change(h, f, file, prng);
    if (status == SL_OK && what < 6) {
        status = ops()->sync(h->pack, file);
        if (status == SL_OK) {
            committed(m);
        }
    }
    ops()->close(h->pack, file);
    return status;
}

static void check_file(host *h, const model_file *f, const char *name)
{
    static uint8_t got[ROOM];
    void *file = NULL;
    sl_status status = ops()->open(h->pack, name, SL_FILE_READ, &file);
    ck_assert_int_eq(status, f->here ? SL_OK : SL_E_NOT_FOUND);
    if (status == SL_OK) {
        ck_assert_int_eq(ops()->size(h->pack, file), (int64_t)f->len);
        ck_assert_int_eq(ops()->read(h->pack, file, got, sizeof got, 0), (int64_t)f->len);
        ck_assert_int_eq(memcmp(got, f->bytes, f->len), 0);
        ops()->close(h->pack, file);
    }
}

/* What may be wanted of each file after a crash, and then taken for what is there. */
static void check_after_crash(host *h, model *m)
{
    for (int i = 0; i < FILES; i++) {
        model_file *now = &m->now[i];
        if (!now->touched) {
            check_file(h, &m->durable[i], name_of(i));
            *now = m->durable[i];
            continue;
        }
        void *file = NULL;
        now->here = ops()->open(h->pack, name_of(i), SL_FILE_READ, &file) == SL_OK;
        now->len = 0;
        if (now->here) {
            now->len = (size_t)ops()->read(h->pack, file, now->bytes, ROOM, 0);
            ck_assert_int_eq(ops()->size(h->pack, file), (int64_t)now->len);
            ops()->close(h->pack, file);
        }
    }
    committed(m);
}

static void play(uint64_t seed, bool fails)
{
    static model m;
    host h;
    sl_prng prng;
    memset(&m, 0, sizeof m);
    host_open(&h, seed);
    sl_prng_seed(&prng, seed);
    for (int round = 0; round < 4; round++) {
        uint64_t when = 1 + sl_prng_next(&prng) % (3 * STEPS);
        (fails ? sl_disk_fail_in : sl_disk_die_in)(h.disk, when);
        sl_status status = SL_OK;
        for (int i = 0; i < STEPS && (status == SL_OK || fails); i++) {
            status = step(&h, &m, &prng);
        }
        ck_assert(status == SL_OK || fails || sl_disk_dead(h.disk));
        unmount(&h);
        if (!sl_disk_dead(h.disk)) {
            sl_disk_kill(h.disk);
        }
        sl_disk_power_cut(h.disk);
        sl_disk_die_in(h.disk, 0);
        ck_assert_int_eq(mount(&h), SL_OK);
        check_after_crash(&h, &m);
    }
    host_close(&h);
}

START_TEST(a_power_cut_loses_nothing_that_was_synced)
{
    for (uint64_t seed = 1; seed <= 15; seed++) {
        play(seed, false);
    }
}
END_TEST

START_TEST(a_write_that_fails_once_costs_nothing_that_was_synced)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        play(1000 + seed, true);
    }
}
END_TEST

SL_TEST_MAIN("pack", files_are_there_after_it_was_opened_again,
             a_folder_lists_files_and_each_folder_once,
             between_the_end_and_a_write_beyond_it_there_are_zeros,
             it_keeps_what_every_platform_promises_of_files,
             a_removed_file_lives_until_it_is_closed, a_lock_has_one_owner,
             what_files_give_up_is_used_again, what_is_no_pack_is_refused,
             a_power_cut_loses_nothing_that_was_synced,
             a_write_that_fails_once_costs_nothing_that_was_synced)
