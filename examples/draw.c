/*
 * draw - drawings on a real frame, as PNG, SVG and PDF.
 *
 *     ffmpeg -ss 1 -i clip.mp4 -frames:v 1 frame.ppm
 *     draw frame.ppm OUT          writes OUT.png, OUT.svg and OUT.pdf
 *
 * The contact sheet of all tools is tools.c.
 */
#include <sideline/sideline.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE_MAX = 8192
};

static const char *const ITEMS[] = {
    "{\"kind\":\"spotlight\",\"points\":[[9000,1500],[23500,17500]],\"in\":0,\"out\":1000000}",
    "{\"kind\":\"pen\",\"points\":[[7000,14000],[9000,9000],[13000,6000],[18000,5500],[23000,7500],"
    "[26000,11000]],\"pressure\":[60,140,220,255,200,90],\"in\":0,\"out\":1000000,\"style\":{"
    "\"color\":\"#FF9500\",\"width\":420}}",
    "{\"kind\":\"arrow\",\"points\":[[27500,3500],[20500,7000]],\"in\":0,\"out\":1000000,\"style\":{"
    "\"color\":\"#FF3B30\",\"width\":260}}",
    "{\"kind\":\"angle\",\"points\":[[12500,15500],[15500,9500],[20500,13500]],\"in\":0,"
    "\"out\":1000000,\"style\":{\"color\":\"#00E5FF\",\"width\":160,\"font_size\":1100}}",
    "{\"kind\":\"callout\",\"points\":[[1500,2000],[14500,8500]],\"text\":\"Elbow higher\",\"in\":0,"
    "\"out\":1000000,\"style\":{\"color\":\"#FFFFFF\",\"font_size\":1100,\"fill\":\"#0A5CFF\"}}",
};

/* The next number of a PPM's head; -1: there is none. */
static int32_t next_number(FILE *f)
{
    int c = fgetc(f);
    int32_t v = -1;
    while (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
        c = fgetc(f);
    }
    for (; c >= '0' && c <= '9' && v <= SIDE_MAX; c = fgetc(f)) {
        v = (v < 0 ? 0 : v) * 10 + (c - '0');
    }
    return v; /* and one white space beyond it */
}

/* A P6 picture of 8 bits as opaque pixels; data NULL after saying why. */
static sl_pixels read_ppm(const char *path)
{
    sl_pixels p = {.struct_size = sizeof p};
    FILE *f = fopen(path, "rb");
    if (f != NULL && fgetc(f) == 'P' && fgetc(f) == '6') {
        p.width = next_number(f);
        p.height = next_number(f);
    }
    if (p.width < 1 || p.height < 1 || p.width > SIDE_MAX || p.height > SIDE_MAX ||
        next_number(f) != 255) {
        (void)fprintf(stderr, "draw: \"%s\" is no PPM picture\n", path);
    } else {
        size_t n = (size_t)p.width * (size_t)p.height;
        p.stride = p.width * 4;
        p.data = malloc(n * 4);
        for (size_t i = 0; p.data != NULL && i < n; i++) {
            uint8_t rgb[3] = {0, 0, 0};
            (void)fread(rgb, 1, 3, f);
            uint32_t v = 0xFF000000U | (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
            memcpy(p.data + 4 * i, &v, 4);
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return p;
}

static int write_file(const char *base, const char *ending, sl_bytes *bytes)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s.%s", base, ending);
    FILE *f = fopen(path, "wb");
    size_t n = sl_bytes_len(bytes);
    int failed = f == NULL || fwrite(sl_bytes_data(bytes), 1, n, f) != n;
    failed = (f != NULL && fclose(f) != 0) || failed;
    sl_bytes_release(bytes);
    if (failed) {
        (void)fprintf(stderr, "draw: \"%s\" cannot be written\n", path);
    }
    return failed;
}

static sl_status draw(sl_doc *doc, const sl_pixels *frame, const char *out, sl_error **err)
{
    sl_bytes *bytes = NULL;
    sl_status s = SL_OK;
    for (size_t i = 0; s == SL_OK && i < sizeof ITEMS / sizeof ITEMS[0]; i++) {
        s = sl_doc_add(doc, ITEMS[i], strlen(ITEMS[i]), NULL, err);
    }
    /* The pages take the frame as it is: before anything is drawn onto it. */
    s = s == SL_OK ? sl_render_svg(doc, 500000, frame, &bytes, err) : s;
    s = s == SL_OK && write_file(out, "svg", bytes) != 0 ? SL_E_IO : s;
    s = s == SL_OK ? sl_render_pdf(doc, 500000, frame, &bytes, err) : s;
    s = s == SL_OK && write_file(out, "pdf", bytes) != 0 ? SL_E_IO : s;
    s = s == SL_OK ? sl_render_draw(doc, 500000, frame, err) : s;
    s = s == SL_OK ? sl_render_png(frame, &bytes, err) : s;
    return s == SL_OK && write_file(out, "png", bytes) != 0 ? SL_E_IO : s;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fputs("usage: draw FRAME.ppm OUT\n", stderr);
        return 2;
    }
    sl_pixels frame = read_ppm(argv[1]);
    if (frame.data == NULL) {
        return EXIT_FAILURE;
    }
    sl_doc *doc = NULL;
    sl_error *err = NULL;
    sl_status s = sl_doc_new(frame.width, frame.height, &doc, &err);
    s = s == SL_OK ? draw(doc, &frame, argv[2], &err) : s;
    if (err != NULL) {
        (void)fprintf(stderr, "draw: %s\n", sl_error_message(err));
    }
    sl_error_release(err);
    sl_doc_close(doc);
    free(frame.data);
    return s == SL_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
