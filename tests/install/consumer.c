/*
 * tests/install/consumer.c - a stranger's program against an installed Sideline.
 *
 * Opens a core in the folder named, draws one item into a document of its own, and
 * ends with nothing alive.
 */
#include <sideline/sideline.h>

#include <stdio.h>
#include <string.h>

static int fail(const char *what, sl_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err != NULL ? sl_error_message(err) : "no reason given");
    sl_error_release(err);
    return 1;
}

static int draw(void)
{
    static const char item[] = "{\"kind\":\"line\",\"points\":[[100,100],[500,400]],"
                               "\"style\":{\"color\":\"#ff0000\",\"width\":60},"
                               "\"in\":0,\"out\":1000000}";
    sl_error *err = NULL;
    sl_doc *doc = NULL;
    sl_bytes *id = NULL;
    if (sl_doc_new(1280, 720, &doc, &err) != SL_OK) {
        return fail("sl_doc_new", err);
    }
    if (sl_doc_add(doc, item, strlen(item), &id, &err) != SL_OK) {
        sl_doc_close(doc);
        return fail("sl_doc_add", err);
    }
    printf("drew item %s\n", (const char *)sl_bytes_data(id));
    sl_bytes_release(id);
    sl_doc_close(doc);
    return 0;
}

int main(int argc, char **argv)
{
    sl_error *err = NULL;
    sl_core *core = NULL;
    sl_bytes *build = NULL;
    sl_config config;

    if (argc != 2) {
        fprintf(stderr, "usage: consumer <data folder>\n");
        return 2;
    }
    memset(&config, 0, sizeof config);
    config.struct_size = (uint32_t)sizeof config;
    config.dir = argv[1];
    if (sl_core_open(&config, &core, &err) != SL_OK) {
        return fail("sl_core_open", err);
    }
    if (sl_core_info(core, "build", &build, &err) != SL_OK) {
        sl_core_close(core);
        return fail("sl_core_info", err);
    }
    printf("sideline %s: %s\n", sl_version(), (const char *)sl_bytes_data(build));
    sl_bytes_release(build);
    sl_core_close(core);
    if (draw() != 0) {
        return 1;
    }
    if (sl_debug_live_objects() != 0) {
        fprintf(stderr, "objects still alive: %lld\n", (long long)sl_debug_live_objects());
        return 1;
    }
    return 0;
}
