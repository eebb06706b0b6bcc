/* Opens a data folder without any server, draws an arrow and makes a picture of it. */
#include <sideline/sideline.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(sl_status status, sl_error *err)
{
    if (status != SL_OK) {
        fprintf(stderr, "%s\n", err != NULL ? sl_error_message(err) : sl_status_name(status));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    sl_error *err = NULL;
    sl_core *core = NULL;
    sl_config cfg = {.struct_size = sizeof cfg, .dir = argc > 1 ? argv[1] : "sideline-data"};
    check(sl_core_open(&cfg, &core, &err), err); /* the whole store, no network needed */

    const char *arrow = "{\"kind\":\"arrow\",\"points\":[[6000,14000],[26000,8000]],"
                        "\"style\":{\"color\":\"#FFCC00\",\"width\":400},"
                        "\"in\":0,\"out\":5000000}";
    sl_doc *doc = NULL;
    check(sl_doc_new(640, 360, &doc, &err), err);
    check(sl_doc_add(doc, arrow, strlen(arrow), NULL, &err), err);

    sl_pixels frame = {.struct_size = sizeof frame, .width = 640, .height = 360, .stride = 2560};
    frame.data = calloc(360, 2560);
    sl_bytes *png = NULL;
    check(sl_render_draw(doc, 1000000, &frame, &err), err); /* as it looks after one second */
    check(sl_render_png(&frame, &png, &err), err);
    printf("a PNG of %zu bytes, drawn with Sideline %s\n", sl_bytes_len(png), sl_version());

    free(frame.data);
    sl_bytes_release(png);
    sl_doc_close(doc);
    sl_core_close(core);
    return sl_debug_live_objects() == 0 ? 0 : 1;
}
