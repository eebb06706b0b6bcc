/*
 * fuzz/database_fuzz.c - databases of every version, with bytes changed, opened and used.
 *
 * The first byte chooses the version (tests/compat; the present one is made here), what follows are
 * changes: where (three bytes, low first), how many (one), the bytes. Opening migrates, or says in an
 * error why not; after that nothing crashes.
 */
#include "base/error.h"
#include "base/mem.h"
#include "platform/sim/disk.h"
#include "store/inside.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIR_NAME "folder"
#define SPACE    "video:01890000-0000-7000-8000-000000000002"

enum {
    VERSIONS = 9,
    TEXT_MAX = 200000,
    IMAGE_MAX = 4 * 1024 * 1024,
    CHANGES_MAX = 64,
    OPS = 16
};

typedef struct image {
    uint8_t *bytes;
    size_t n;
} image;

static sl_disk *g_disk; /* sl_disk_files looks for it through `user` */
static sl_platform g_platform;
static image g_images[VERSIONS];

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void *open_file(const char *path, uint32_t flags)
{
    void *file = NULL;
    must(sl_disk_files.open(&g_disk, path, flags, &file) == SL_OK);
    return file;
}

static void put_file(const uint8_t *bytes, size_t n)
{
    void *f = open_file(DIR_NAME "/sideline.db", SL_FILE_READ | SL_FILE_WRITE | SL_FILE_CREATE);
    must(sl_disk_files.truncate(&g_disk, f, 0) == SL_OK);
    must(sl_disk_files.write(&g_disk, f, bytes, n, 0) == SL_OK);
    sl_disk_files.close(&g_disk, f);
}

static void take_file(image *out)
{
    void *f = open_file(DIR_NAME "/sideline.db", SL_FILE_READ);
    out->bytes = malloc(IMAGE_MAX);
    must(out->bytes != NULL);
    int64_t n = sl_disk_files.read(&g_disk, f, out->bytes, IMAGE_MAX, 0);
    must(n > 0 && n < IMAGE_MAX);
    out->n = (size_t)n;
    sl_disk_files.close(&g_disk, f);
}

static int64_t no_time(void *user)
{
    (void)user;
    return INT64_C(1700000000000);
}

static sl_status no_chance(void *user, void *dst, size_t n)
{
    (void)user;
    memset(dst, 7, n);
    return SL_OK;
}

static const sl_clock_ops CLOCK = {
    .struct_size = sizeof(sl_clock_ops), .mono_ms = no_time, .wall_ms = no_time};
static const sl_random_ops RANDOM = {sizeof(sl_random_ops), 0, no_chance};

static bool put_op(void *ctx, const sl_op *op)
{
    sl_op_put_json(ctx, op);
    return true;
}

static bool any_row(void *ctx, const char *id, size_t from)
{
    (void)ctx;
    (void)id;
    (void)from;
    return true;
}

static void query(sl_store *s, const char *text)
{
    sl_query *q = NULL;
    sl_buf rows = {0};
    sl_json *j = sl_json_parse(text, strlen(text));
    must(sl_query_parse(j, &q, NULL) == SL_OK);
    (void)sl_store_query(s, q, &rows, any_row, NULL, NULL);
    sl_query_free(q);
    sl_json_free(j);
    sl_buf_free(&rows);
}

static void write_one(sl_store *s, int64_t n)
{
    static const char text[] =
        "{\"n\":1,\"op\":\"%s\",\"entity\":\"comment\",\"space\":\"" SPACE "\",\"id\":"
        "\"01890000-0000-7000-8000-00000000%04x\",\"hlc\":\"000000000000%04x00000001\","
        "\"fields\":{\"body\":\"b%d\"}}";
    char one[400];
    sl_op op = {0};
    (void)snprintf(one, sizeof one, text, n % 2 == 0 ? "create" : "patch", (unsigned)(n / 2),
                   (unsigned)n + 1, (int)n);
    sl_json *j = sl_json_parse(one, strlen(one));
    must(sl_op_from_json(&op, j, NULL) == SL_OK);
    (void)sl_store_apply_local(s, &op, NULL);
    sl_op_free(&op);
    sl_json_free(j);
}

static void use(sl_store *s)
{
    static const char *const queries[] = {
        "{\"from\":\"comment\",\"order\":[\"-seq\"]}",
        "{\"from\":\"comment\",\"where\":{\"space\":\"" SPACE "\"},\"count\":true}",
        "{\"from\":\"comment\",\"search\":\"b\",\"snippet\":true}",
        "{\"from\":\"message\",\"search\":\"a\"}", "{\"from\":\"video\"}"};
    sl_buf out = {0};
    sl_op op = {0};
    sl_outbox_state outbox;
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        query(s, queries[i]);
    }
    (void)sl_store_outbox(s, &outbox, NULL);
    (void)sl_store_outbox_of(s, SPACE, put_op, &out, NULL);
    for (int64_t n = 1; n < OPS; n++) {
        if (sl_store_outbox_op(s, n, &op, NULL) == SL_OK) {
            sl_op_put_json(&out, &op);
        }
    }
    if (sl_store_begin(s, NULL) == SL_OK) {
        for (int64_t n = 0; n < OPS; n++) {
            write_one(s, n);
        }
        (void)sl_store_outbox_accepted(s, 1, 3, NULL, NULL);
        (void)sl_store_outbox_rejected(s, 2, "SL_E_DENIED", "no", "", NULL);
        (void)sl_store_outbox_settle(s, SPACE, NULL, NULL, NULL);
        (void)sl_store_drop_space(s, SPACE, false, NULL);
        (void)sl_store_commit(s, NULL);
    }
    sl_op_free(&op);
    sl_buf_free(&out);
}

/* The present version: what a store makes and some writes leave. */
static void make_present(image *out)
{
    sl_store *s = NULL;
    must(sl_store_open(&g_platform, DIR_NAME, &s, NULL) == SL_OK);
    must(sl_store_begin(s, NULL) == SL_OK);
    for (int64_t n = 0; n < OPS; n++) {
        write_one(s, n);
    }
    must(sl_store_commit(s, NULL) == SL_OK);
    sl_store_close(s);
    take_file(out);
}

static void make_version(const char *path, image *out)
{
    static char text[TEXT_MAX];
    sl_sql *db = NULL;
    sl_vfs *vfs = NULL;
    FILE *f = fopen(path, "rb");
    must(f != NULL);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    (void)fclose(f);
    put_file(NULL, 0);
    must(sl_vfs_new(&g_platform, NULL, &vfs, NULL) == SL_OK);
    must(sl_sql_open(DIR_NAME "/sideline.db", sl_vfs_name(vfs), &db, NULL) == SL_OK);
    must(sl_sql_script(db, text, NULL) == SL_OK);
    sl_sql_close(db);
    sl_vfs_free(vfs);
    take_file(out);
}

static void make_images(void)
{
    g_disk = sl_disk_new(1);
    must(g_disk != NULL);
    g_platform = (sl_platform){.struct_size = sizeof g_platform,
                               .user = &g_disk,
                               .clock = &CLOCK,
                               .random = &RANDOM,
                               .files = &sl_disk_files};
    make_present(&g_images[0]);
    must(sl_schema_version == VERSIONS);
    for (int i = 1; i < VERSIONS; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "tests/compat/client-v%d.sql", i);
        make_version(path, &g_images[i]);
    }
}

static void change(uint8_t *bytes, size_t n, const uint8_t *data, size_t size)
{
    for (int i = 0; i < CHANGES_MAX && size > 4; i++) {
        size_t at = (size_t)(data[0] | data[1] << 8 | data[2] << 16) % n;
        size_t some = data[3];
        data += 4;
        size -= 4;
        some = some < size ? some : size;
        some = some < n - at ? some : n - at;
        memcpy(bytes + at, data, some);
        data += some;
        size -= some;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_store *s = NULL;
    sl_error *err = NULL;
    if (g_images[0].bytes == NULL) {
        make_images();
    }
    const image *from = &g_images[size > 0 ? data[0] % VERSIONS : 0];
    uint8_t *bytes = malloc(from->n);
    must(bytes != NULL);
    memcpy(bytes, from->bytes, from->n);
    if (size > 1) {
        change(bytes, from->n, data + 1, size - 1);
    }
    (void)sl_disk_files.remove(&g_disk, DIR_NAME "/sideline.db-wal");
    put_file(bytes, from->n);
    free(bytes);
    sl_status status = sl_store_open(&g_platform, DIR_NAME, &s, &err);
    must((status == SL_OK) == (err == NULL));
    sl_error_release(err);
    if (status == SL_OK) {
        use(s);
        sl_store_close(s);
    }
    return 0;
}
