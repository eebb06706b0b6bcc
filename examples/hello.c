/* Opens a data folder, draws an arrow on an empty frame and writes it as arrow.png. */
#include <sideline/sideline.h>

#include <stdio.h>
#include <string.h>

static uint8_t pixels[360][640 * 4];

int main(int argc, char **argv)
{
    const char *arrow = "{\"kind\":\"arrow\",\"points\":[[6000,14000],[26000,8000]],"
                        "\"style\":{\"color\":\"#FFCC00\",\"width\":400},\"in\":0,\"out\":5000000}";
    sl_config config = {.struct_size = sizeof config, .dir = argc > 1 ? argv[1] : "sideline-data"};
    sl_pixels frame = {sizeof frame, 640, 360, 640 * 4, pixels[0]};
    sl_core *core = NULL;
    sl_doc *doc = NULL;
    sl_bytes *png = NULL;
    sl_error *err = NULL;
    if (sl_core_open(&config, &core, &err) == SL_OK && /* the store: works without a network */
        sl_doc_new(640, 360, &doc, &err) == SL_OK &&
        sl_doc_add(doc, arrow, strlen(arrow), NULL, &err) == SL_OK &&
        sl_render_draw(doc, 1000000, &frame, &err) == SL_OK && /* as it looks after 1 s */
        sl_render_png(&frame, &png, &err) == SL_OK) {
        FILE *file = fopen("arrow.png", "wb");
        if (file != NULL && fwrite(sl_bytes_data(png), 1, sl_bytes_len(png), file) > 0) {
            printf("arrow.png, drawn by Sideline %s\n", sl_version());
        }
        if (file != NULL) {
            fclose(file);
        }
    } else {
        fprintf(stderr, "%s\n", sl_error_message(err));
    }
    int failed = png == NULL;
    sl_error_release(err);
    sl_bytes_release(png);
    sl_doc_close(doc);
    sl_core_close(core);
    return failed;
}
