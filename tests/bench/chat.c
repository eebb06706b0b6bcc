/*
 * What it costs to open a long conversation: 100,000 messages of which each tenth has a sign, the first page of 50 with all that
 * belongs to them, as an app asks for it when somebody taps on the thread.
 */
#include "bench.h"

#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

enum {
    MESSAGES = 100000,
    SIGNS_EACH = 10,
    READ_UPTO = MESSAGES - 20, /* so many are unread */
    TIMES = 50
};

#define REACH_MS 5

#define ME     "01890000-0000-7000-8000-0000000000a1"
#define OTHER  "01890000-0000-7000-8000-0000000000a2"
#define THREAD "thread:01890000-0000-7000-8000-0000000000d1"
#define OWN    "user:" ME

static sl_core *open_core(const char *dir)
{
    sl_config cfg = {.struct_size = sizeof cfg, .flags = SL_CORE_STEPPED, .dir = dir};
    sl_core *core = NULL;
    sl_error *err = NULL;
    bench_must(sl_core_open(&cfg, &core, &err), err, "sl_core_open");
    return core;
}

static void must(sl_status status, const char *what)
{
    bench_must(status, NULL, what);
}

/* A record as the server sends it. */
static void put(sl_core *core, sl_record *rec, const char *text)
{
    sl_json *j = sl_json_parse(text, strlen(text));
    must(j != NULL ? sl_record_from_wire(rec, j, NULL) : SL_E_INVALID, "a record");
    must(sl_store_apply_remote(core->store, rec, NULL), "sl_store_apply_remote");
    sl_json_free(j);
}

static void put_message(sl_core *core, sl_record *rec, int i)
{
    char text[700];
    (void)snprintf(
        text, sizeof text,
        "{\"entity\":\"message\",\"id\":\"01890000-0000-7000-8000-%012x\",\"space\":\"" THREAD
        "\",\"seq\":%d,\"fields\":{\"kind\":\"text\",\"body\":\"message number %d, which is "
        "about as long as what people write to each other\",\"sent_ms\":%lld,"
        "\"author_id\":\"%s\",\"place\":%d},\"clocks\":{\"*\":\"018900000000000000000001\"}}",
        i + 10, i + 10, i, 1700000000000LL + i * 60000LL, i % 2 == 0 ? OTHER : ME, i + 10);
    put(core, rec, text);
    if (i % SIGNS_EACH == 0) {
        (void)snprintf(
            text, sizeof text,
            "{\"entity\":\"reaction\",\"id\":\"01890000-0000-7000-9000-%012x\",\"space\":\"" THREAD
            "\",\"seq\":%d,\"fields\":{\"message_id\":\"01890000-0000-7000-8000-%012x\","
            "\"emoji\":\"+\",\"author_id\":\"" ME
            "\"},\"clocks\":{\"*\":\"018900000000000000000001\"}}",
            i, MESSAGES + i + 10, i + 10);
        put(core, rec, text);
    }
}

static void put_people(sl_core *core, sl_record *rec)
{
    static const char *const users[] = {ME, OTHER};
    char text[600];
    for (int i = 0; i < 2; i++) {
        (void)snprintf(
            text, sizeof text,
            "{\"entity\":\"participant\",\"id\":\"01890000-0000-7000-a000-%012x\",\"space\":\"" THREAD
            "\",\"seq\":%d,\"fields\":{\"user_id\":\"%s\",\"name\":\"%s\",\"read\":%d,"
            "\"delivered\":%d},\"clocks\":{\"*\":\"018900000000000000000001\"}}",
            i, i + 1, users[i], i == 0 ? "Ana" : "Cleo", READ_UPTO + 10, MESSAGES + 10);
        put(core, rec, text);
    }
    put(core, rec,
        "{\"entity\":\"thread\",\"id\":\"01890000-0000-7000-8000-0000000000d1\",\"space\":\"" THREAD
        "\",\"seq\":3,\"fields\":{},\"clocks\":{\"*\":\"018900000000000000000001\"}}");
}

static void fill(const char *dir)
{
    sl_core *core = open_core(dir);
    sl_record rec = {0};
    sl_space spaces[] = {{.name = OWN, .epoch = "e", .cursor = 1},
                         {.name = THREAD, .epoch = "e", .cursor = 2 * MESSAGES + 20}};
    must(sl_store_begin(core->store, NULL), "begin");
    must(sl_store_set_meta(core->store, "session",
                           "{\"id\":\"" ME "\",\"email\":\"ana@example.org\",\"name\":\"Ana\","
                           "\"role\":\"athlete\",\"refresh\":\"r\"}",
                           NULL),
         "session");
    for (size_t i = 0; i < 2; i++) {
        must(sl_store_set_space(core->store, &spaces[i], NULL), "sl_store_set_space");
    }
    put_people(core, &rec);
    for (int i = 0; i < MESSAGES; i++) {
        put_message(core, &rec, i);
    }
    must(sl_store_commit(core->store, NULL), "commit");
    sl_record_free(&rec);
    sl_core_close(core);
}

/* CPU ms. */
static double page_ms(sl_core *core, const char *json)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    double began = bench_cpu_s();
    sl_status status = sl_chat_messages(core, THREAD, json, strlen(json), &out, &err);
    double took = bench_cpu_s() - began;
    bench_must(status, err, "sl_chat_messages");
    const char *text = (const char *)sl_bytes_data(out);
    const char *last = strstr(text, "\"messages\":[{");
    if (last == NULL || strstr(text, "\"count\":1,\"mine\":true") == NULL) {
        bench_die("the page is not what it should be: %.300s", text);
    }
    sl_bytes_release(out);
    return took * 1000;
}

static double counts_ms(sl_core *core)
{
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    double began = bench_cpu_s();
    sl_status status = sl_chat_counts(core, &out, &err);
    double took = bench_cpu_s() - began;
    bench_must(status, err, "sl_chat_counts");
    if (strstr((const char *)sl_bytes_data(out), "\"unread\":9") ==
        NULL) { /* each second is of the other */
        bench_die("the counts are not what they should be: %s", (const char *)sl_bytes_data(out));
    }
    sl_bytes_release(out);
    return took * 1000;
}

void bench_chat(void)
{
    const char *dir = bench_quick_dir("chat");
    double first = BENCH_BEST;
    double warm = BENCH_BEST;
    double middle = BENCH_BEST;
    double counts = BENCH_BEST;
    fill(dir);
    for (unsigned r = 0; r < g_bench.rounds; r++) {
        sl_core *core = open_core(dir);
        bench_best(&first, page_ms(core, "{}"));
        for (int i = 0; i < TIMES; i++) {
            bench_best(&warm, page_ms(core, "{}"));
            bench_best(&middle, page_ms(core, "{\"before\":50000}"));
            bench_best(&counts, counts_ms(core));
        }
        sl_core_close(core);
    }
    bench_value("first page of a thread of 100,000 messages, after opening", "ms CPU", first,
                REACH_MS);
    bench_value("the same again", "ms CPU", warm, REACH_MS);
    bench_value("a page in its middle", "ms CPU", middle, REACH_MS);
    bench_value("counts of all conversations", "ms CPU", counts, 0);
}
