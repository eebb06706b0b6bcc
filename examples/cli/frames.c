/* cli/frames.c - looking at clips: frames one by one, thumbnails, sheets of them. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    US_PER_S = 1000000,
    FRAMES_MAX = 1000,
    SCRUB_WAIT_MS = 10
};

static const double SECONDS_MAX = 36000.0;

int cli_seconds(const cli *c, int option, const char *name, int64_t *us)
{
    const char *value = c->option[option];
    char *end = NULL;
    *us = 0;
    if (value == NULL) {
        return CLI_OK;
    }
    double seconds = strtod(value, &end);
    if (end == value || *end != '\0' || !(seconds >= 0 && seconds <= SECONDS_MAX)) {
        (void)cli_fail("--%s takes seconds of the video, not \"%s\"", name, value);
        return CLI_USAGE;
    }
    *us = llround(seconds * US_PER_S);
    return CLI_OK;
}

/* A whole number from 1 to max; `usual` when the option is not given. */
static int number(const cli *c, int option, const char *name, int32_t usual, int32_t max,
                  int32_t *out)
{
    const char *value = c->option[option];
    char *end = NULL;
    *out = usual;
    if (value == NULL) {
        return CLI_OK;
    }
    errno = 0;
    long v = strtol(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || v < 1 || v > max) {
        (void)cli_fail("--%s takes a number from 1 to %d, not \"%s\"", name, (int)max, value);
        return CLI_USAGE;
    }
    *out = (int32_t)v;
    return CLI_OK;
}

static int write_bytes(const char *path, const sl_bytes *bytes)
{
    FILE *f = fopen(path, "wb");
    bool ok =
        f != NULL && fwrite(sl_bytes_data(bytes), 1, sl_bytes_len(bytes), f) == sl_bytes_len(bytes);
    if (f != NULL && fclose(f) != 0) {
        ok = false;
    }
    return ok ? CLI_OK : cli_fail("\"%s\" cannot be written: %s", path, strerror(errno));
}

/* ---- thumbnail ---- */

int cmd_thumbnail(cli *c)
{
    int64_t at_us = 0;
    int32_t side = 0;
    sl_bytes *jpeg = NULL;
    sl_error *err = NULL;
    int code = cli_seconds(c, OPT_AT, "at", &at_us);
    if (code == CLI_OK) {
        code = number(c, OPT_SIDE, "side", 0, INT16_MAX, &side);
    }
    if (code != CLI_OK) {
        return code;
    }
    sl_status st = sl_media_thumbnail(c->args[0], at_us, side, &jpeg, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    code = write_bytes(c->args[1], jpeg);
    if (code == CLI_OK && !cli_json(c)) {
        (void)printf("%s: %zu bytes\n", c->args[1], sl_bytes_len(jpeg));
    }
    sl_bytes_release(jpeg);
    return code;
}

/* ---- sheet ---- */

/* The name with another ending. */
static void beside(text *out, const char *path, const char *ending)
{
    const char *dot = strrchr(path, '.');
    const char *slash = strrchr(path, '/');
    bool has = dot != NULL && (slash == NULL || dot > slash + 1);
    text_put(out, path, has ? (size_t)(dot - path) : strlen(path));
    text_add(out, ending);
}

int cmd_sheet(cli *c)
{
    char video[37];
    int32_t count = 0;
    int32_t side = 0;
    int code = number(c, OPT_NUMBER, "count", 0, INT16_MAX, &count);
    if (code == CLI_OK) {
        code = number(c, OPT_SIDE, "side", 0, INT16_MAX, &side);
    }
    if (code == CLI_OK) {
        code = cli_find(c, "video", c->args[0], video);
    }
    if (code != CLI_OK) {
        return code;
    }
    text json = {0};
    text index = {0};
    beside(&index, c->args[1], ".vtt");
    text_fmt(&json, "{\"space\":\"video:%s\",\"count\":%d,\"side\":%d,\"path\":", video, (int)count,
             (int)side);
    text_json(&json, c->args[1]);
    text_add(&json, ",\"index\":");
    text_json(&json, index.data);
    text_add(&json, "}");
    js *res = NULL;
    code = cli_media(c, &json, "sheet", sl_media_sheet, &res);
    if (code == CLI_OK && !cli_json(c)) {
        (void)printf("%s, %s: %" PRId64 " pictures of %" PRId64 "x%" PRId64 "\n", c->args[1],
                     index.data, js_int(res, "count"), js_int(res, "width"), js_int(res, "height"));
    }
    text_free(&index);
    js_free(res);
    return code;
}

/* ---- frames ---- */

static int write_png(const char *path, const sl_pixels *pixels)
{
    sl_bytes *png = NULL;
    sl_error *err = NULL;
    sl_status st = sl_render_png(pixels, &png, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    int code = write_bytes(path, png);
    sl_bytes_release(png);
    return code;
}

/* The still, once they have been made so far. */
static sl_status scrub(sl_viewer *v, int64_t at_us, const sl_pixels *pixels, int64_t *shown_us,
                       sl_error **err)
{
    int64_t until_us = -1;
    int32_t whole = 0;
    sl_status st = SL_OK;
    while (st == SL_OK && whole == 0 && until_us <= at_us && !cli_interrupted()) {
        st = sl_viewer_prepare(v, &until_us, &whole, err);
        cli_sleep_ms(SCRUB_WAIT_MS);
    }
    return st == SL_OK ? sl_viewer_scrub(v, at_us, pixels, shown_us, err) : st;
}

typedef struct walk {
    int64_t at_us;
    int32_t count;
    int32_t step;
    bool scrub;
} walk;

/* One frame is written under the name itself, several with their number in it. */
static int write_frames(cli *c, sl_viewer *v, const walk *w, const sl_pixels *pixels)
{
    int64_t shown_us = 0;
    int64_t before_us = -1;
    int code = CLI_OK;
    for (int32_t i = 0; code == CLI_OK && i < w->count && !cli_interrupted(); i++) {
        sl_error *err = NULL;
        sl_status st = w->scrub ? scrub(v, w->at_us, pixels, &shown_us, &err)
                       : i == 0 ? sl_viewer_frame(v, w->at_us, pixels, &shown_us, &err)
                                : sl_viewer_step(v, w->step, pixels, &shown_us, &err);
        if (st != SL_OK) {
            return cli_error(st, err);
        }
        if (shown_us == before_us) {
            break; /* the end of the clip */
        }
        before_us = shown_us;
        text name = {0};
        char ending[24];
        (void)snprintf(ending, sizeof ending, "-%04d.png", (int)i);
        beside(&name, c->args[1], w->count > 1 ? ending : ".png");
        code = write_png(name.data, pixels);
        if (code == CLI_OK && cli_json(c)) {
            (void)printf("{\"path\":\"%s\",\"shown_us\":%" PRId64 "}\n", name.data, shown_us);
        } else if (code == CLI_OK) {
            (void)printf("%s: the frame at %.6f s\n", name.data, (double)shown_us / US_PER_S);
        }
        text_free(&name);
    }
    return cli_interrupted() ? CLI_INTERRUPTED : code;
}

static int look(cli *c, const char *space, const walk *w)
{
    sl_viewer *v = NULL;
    sl_error *err = NULL;
    sl_status st = sl_viewer_open(c->core, space, &v, &err);
    if (st != SL_OK) {
        return cli_error(st, err);
    }
    sl_pixels pixels = {.struct_size = sizeof pixels};
    sl_viewer_size(v, &pixels.width, &pixels.height);
    pixels.stride = pixels.width * 4;
    pixels.data = malloc((size_t)pixels.stride * (size_t)pixels.height);
    int code = pixels.data != NULL ? write_frames(c, v, w, &pixels) : cli_fail("out of memory");
    free(pixels.data);
    sl_viewer_close(v);
    return code;
}

int cmd_frames(cli *c)
{
    char video[37];
    walk w = {.step = c->option[OPT_BACK] != NULL ? -1 : 1, .scrub = c->option[OPT_SCRUB] != NULL};
    int code = cli_seconds(c, OPT_AT, "at", &w.at_us);
    if (code == CLI_OK) {
        code = number(c, OPT_NUMBER, "count", 1, FRAMES_MAX, &w.count);
    }
    if (code == CLI_OK && w.scrub && w.count > 1) {
        (void)cli_fail("--scrub shows one still, --count counts frames");
        code = CLI_USAGE;
    }
    if (code == CLI_OK) {
        code = cli_find(c, "video", c->args[0], video);
    }
    if (code != CLI_OK) {
        return code;
    }
    text space = {0};
    text_fmt(&space, "video:%s", video);
    code = look(c, space.data, &w);
    text_free(&space);
    return code;
}
