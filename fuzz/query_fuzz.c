/*
 * query_fuzz - queries from JSON, run over a small store; other input is the words of a search.
 *
 * A query that is accepted compiles and runs: the store never refuses what the parser took.
 */
#include "base/error.h"
#include "base/mem.h"
#include "store/store.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sl_platform g_platform;
static sl_store *g_store;
static char g_dir[64];

static void close_store(void)
{
    static const char *const names[] = {"sideline.db", "sideline.db-wal", "lock"};
    static const char *const dirs[] = {"blobs", "tmp", "."};
    char path[160];
    sl_store_close(g_store);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", g_dir, names[i]);
        (void)unlink(path);
    }
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", g_dir, dirs[i]);
        (void)rmdir(path);
    }
    if (g_platform.release != NULL) {
        g_platform.release(g_platform.user);
    }
}

static void put_comment(int i)
{
    static const char *const bodies[] = {"keep the elbow up", "100% \\\"still\\\"", "a_b"};
    char text[400];
    sl_record rec = {0};
    (void)snprintf(text, sizeof text,
                   "{\"entity\":\"comment\",\"id\":\"01890000-0000-7000-8000-%012x\","
                   "\"space\":\"video:01890000-0000-7000-8000-000000000001\",\"seq\":%d,"
                   "\"fields\":{\"body\":\"%s\",\"at_us\":%d},\"clocks\":{}}",
                   (unsigned)i, i, bodies[i % 3], i * 10);
    sl_json *j = sl_json_parse(text, strlen(text));
    SL_ASSERT(sl_record_from_wire(&rec, j, NULL) == SL_OK);
    SL_ASSERT(sl_store_apply_remote(g_store, &rec, NULL) == SL_OK);
    sl_record_free(&rec);
    sl_json_free(j);
}

static void open_store(void)
{
    g_platform.struct_size = sizeof g_platform;
    SL_ASSERT(sl_platform_builtin(&g_platform) == SL_OK);
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-fuzz-XXXXXX");
    SL_ASSERT(mkdtemp(g_dir) != NULL);
    SL_ASSERT(sl_store_open(&g_platform, g_dir, &g_store, NULL) == SL_OK);
    (void)atexit(close_store);
    for (int i = 1; i <= 6; i++) {
        put_comment(i);
    }
}

/* Each row is one JSON object. */
static bool take(void *ctx, const char *id, size_t from)
{
    const sl_buf *rows = ctx;
    (void)id;
    SL_ASSERT(sl_json_ok(sl_buf_text(rows) + from, rows->len - from));
    return true;
}

static void run(const sl_json *j)
{
    sl_query *q = NULL;
    if (sl_query_parse(j, &q, NULL) == SL_OK) {
        sl_buf rows = {0};
        SL_ASSERT(sl_store_query(g_store, q, &rows, take, &rows, NULL) == SL_OK);
        sl_buf_free(&rows);
        sl_query_free(q);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (g_store == NULL) {
        open_store();
    }
    sl_json *j = sl_json_parse((const char *)data, size);
    if (j == NULL) {
        char *words = sl_text_ndup((const char *)data, size);
        j = sl_json_object();
        (void)sl_json_set_str(j, "from", "comment");
        (void)sl_json_set_str(j, "search", words);
        (void)sl_json_set_bool(j, "snippet", true);
        sl_mem_free(words);
    }
    run(j);
    sl_json_free(j);
    return 0;
}
