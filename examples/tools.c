/*
 * tools - a contact sheet of all drawing tools, as a PNG.
 *
 *     tools FILE.png
 *
 * Each cell is a document of its own with one item and its name, drawn through the public headers.
 */
#include <sideline/sideline.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELL_W = 240,
    CELL_H = 135,
    COLS = 5,
    ROWS = 5,
    SHEET_W = CELL_W * COLS,
    SHEET_H = CELL_H * ROWS
};

/* kind, points, what else the item has, style. */
static const char *const TOOLS[][4] = {
    {"pen",
     "[4000,12000],[7000,6000],[10000,12500],[14000,5000],[18000,13000],[22000,6000],[28000,11000]",
     "\"pressure\":[40,200,255,120,255,90,20],", "\"color\":\"#FF9500\",\"width\":900"},
    {"highlighter", "[4000,9000],[12000,8000],[20000,10000],[28000,9000]", "",
     "\"color\":\"#FFD400\",\"width\":2500"},
    {"line", "[4000,13000],[28000,5000]", "", "\"color\":\"#34C759\",\"width\":350"},
    {"arrow", "[4000,5000],[27000,13000]", "", "\"color\":\"#FF3B30\",\"width\":450"},
    {"curve", "[5000,13000],[16000,-1000],[27000,13000]", "",
     "\"color\":\"#FF3B30\",\"width\":400,\"heads\":2"},
    {"polyline", "[4000,5000],[12000,14000],[20000,5000],[28000,13000]", "",
     "\"color\":\"#FF2D92\",\"width\":350,\"dash\":\"dashes\""},
    {"polygon", "[6000,14500],[16000,5000],[26000,14500]", "",
     "\"color\":\"#34C759\",\"width\":300,\"fill\":\"#34C759\""},
    {"rect", "[6000,5000],[26000,14000]", "", "\"color\":\"#00E5FF\",\"width\":300"},
    {"ellipse", "[6000,4500],[26000,14500]", "", "\"color\":\"#FFD400\",\"width\":350"},
    {"angle", "[25000,14000],[6000,12500],[21000,4500]", "",
     "\"color\":\"#00E5FF\",\"width\":250,\"font_size\":2200"},
    {"protractor", "[16000,10000],[20500,6500]", "",
     "\"color\":\"#FFD400\",\"width\":200,\"font_size\":1500,\"vertical\":true"},
    {"text", "[7000,6000]", "\"text\":\"Elbow\\nhigher\",",
     "\"color\":\"#FFFFFF\",\"font_size\":3200"},
    {"callout", "[8000,5000],[23000,14500]", "\"text\":\"Hip first\",",
     "\"color\":\"#FFFFFF\",\"font_size\":2600,\"fill\":\"#0A5CFF\""},
    {"ruler", "[4000,13000],[28000,8000]", "",
     "\"color\":\"#FFFFFF\",\"width\":250,\"font_size\":1900,\"length\":1.83,\"unit\":\"m\""},
    {"path", "[3000,14500],[9000,9000],[16000,6500],[24000,8000],[29000,12500]",
     "\"dt\":[0,100,200,300,400],", "\"color\":\"#00E5FF\",\"width\":250,\"font_size\":1500"},
    {"stopwatch", "[16000,9500]", "", "\"color\":\"#FFFFFF\",\"font_size\":3200"},
    {"counter", "[16000,9500]", "", "\"color\":\"#FFD400\",\"font_size\":3600,\"value\":42"},
    {"marker", "[16000,9500]", "", "\"color\":\"#FF3B30\",\"font_size\":3000,\"value\":7"},
    {"grid", "[5000,5000],[27000,15000]", "",
     "\"color\":\"#FFFFFF\",\"width\":120,\"rows\":3,\"cols\":6"},
    {"perspective", "[12000,5000],[20000,5000],[28000,15500],[4000,15500]", "",
     "\"color\":\"#FFD400\",\"width\":150,\"rows\":5,\"cols\":4"},
    {"spotlight", "[9000,3500],[23000,16000]", "", "\"color\":\"#FFFFFF\""},
    {"magnifier", "[10000,9500],[15500,9500],[24000,9500]", "",
     "\"color\":\"#FFFFFF\",\"width\":300,\"zoom\":3"},
    {"figure",
     "[16000,4000],[16000,5500],[14000,6000],[12000,8000],[13500,10000],[18000,6000],[20500,7500],"
     "[23500,6200],[15000,10000],[14000,13000],[11500,16000],[17000,10000],[18500,13000],"
     "[18000,16500]",
     "", "\"color\":\"#00E5FF\",\"width\":220,\"font_size\":1800"},
    {"stamp", "[9000,5000],[23000,14500]",
     "\"blob\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",",
     "\"color\":\"#FFFFFF\",\"width\":200"},
    {"blur", "[10000,5000],[22000,15000]", "", "\"color\":\"#FFFFFF\""},
};

static sl_status add(sl_doc *doc, const char *const tool[4], sl_error **err)
{
    char item[1200];
    int n = snprintf(item, sizeof item,
                     "{\"kind\":\"%s\",\"points\":[%s],%s\"style\":{%s},\"in\":0,\"out\":2000000}",
                     tool[0], tool[1], tool[2], tool[3]);
    return sl_doc_add(doc, item, (size_t)n, NULL, err);
}

/* The name in a corner, an item like the others. */
static sl_status add_name(sl_doc *doc, const char *name, sl_error **err)
{
    char text[64];
    (void)snprintf(text, sizeof text, "\"text\":\"%s\",", name);
    const char *const label[4] = {"text", "[900,600]", text,
                                  "\"color\":\"#FFFFFF\",\"font_size\":1700"};
    return add(doc, label, err);
}

/* A floor and a wall, checked, so that lens and blur have something to look at. */
static void paint_ground(const sl_pixels *p)
{
    for (int32_t y = 0; y < p->height; y++) {
        for (int32_t x = 0; x < p->width; x++) {
            int32_t level = (x / 12 + y / 12) % 2 * 14;
            int32_t green = y * 3 > p->height * 2 ? 70 : 92;
            uint8_t bgra[4] = {(uint8_t)(88 + level), (uint8_t)(green + level),
                               (uint8_t)(58 + x * 40 / p->width + level), 255};
            memcpy(p->data + (size_t)y * (size_t)p->stride + (size_t)x * 4, bgra, 4);
        }
    }
}

static sl_status draw_cell(const char *const tool[4], const sl_pixels *cell, sl_error **err)
{
    sl_doc *doc = NULL;
    sl_status s = sl_doc_new(1920, 1080, &doc, err);
    if (s != SL_OK || doc == NULL) {
        return s;
    }
    paint_ground(cell);
    s = add(doc, tool, err);
    s = s == SL_OK ? add_name(doc, tool[0], err) : s;
    s = s == SL_OK ? sl_render_draw(doc, 350000, cell, err) : s;
    sl_doc_close(doc);
    return s;
}

static int write_file(const char *path, const sl_bytes *bytes)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL) {
        return 0;
    }
    size_t n = sl_bytes_len(bytes);
    int written = fwrite(sl_bytes_data(bytes), 1, n, f) == n;
    return fclose(f) == 0 && written;
}

int main(int argc, char **argv)
{
    static uint8_t sheet[SHEET_W * SHEET_H * 4];
    sl_pixels all = {sizeof all, SHEET_W, SHEET_H, SHEET_W * 4, sheet};
    sl_error *err = NULL;
    sl_bytes *png = NULL;
    sl_status s = SL_OK;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: tools FILE.png\n");
        return 2;
    }
    for (size_t i = 0; s == SL_OK && i < sizeof TOOLS / sizeof TOOLS[0]; i++) {
        size_t at = (i / COLS * CELL_H * SHEET_W + i % COLS * CELL_W) * 4;
        sl_pixels cell = {sizeof cell, CELL_W, CELL_H, SHEET_W * 4, sheet + at};
        s = draw_cell(TOOLS[i], &cell, &err);
    }
    s = s == SL_OK ? sl_render_png(&all, &png, &err) : s;
    if (s != SL_OK || png == NULL) {
        (void)fprintf(stderr, "tools: %s\n", err != NULL ? sl_error_message(err) : "no picture");
        sl_error_release(err);
        return 1;
    }
    int written = write_file(argv[1], png);
    sl_bytes_release(png);
    if (!written) {
        (void)fprintf(stderr, "tools: %s cannot be written\n", argv[1]);
    }
    return written ? 0 : 1;
}
