/* cli/drawing.c - the drawings of a video from and to files of other programs. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double US_PER_S = 1e6;
static const int64_t US_MAX = INT64_C(36000000000);

static bool ends_in(const char *path, const char *ending)
{
    const char *dot = strrchr(path, '.');
    return dot != NULL && strcmp(dot + 1, ending) == 0;
}

/* --at in microseconds, `otherwise` when it is not given; -2 after saying what is wrong. */
static int64_t time_given(const cli *c, int64_t otherwise)
{
    const char *at = c->option[OPT_AT];
    char *end = NULL;
    if (at == NULL) {
        return otherwise;
    }
    double seconds = strtod(at, &end);
    if (end == at || *end != '\0' || !(seconds >= 0 && seconds * US_PER_S < (double)US_MAX)) {
        (void)cli_fail("--at takes seconds of the video, not \"%s\"", at);
        return -2;
    }
    return (int64_t)llround(seconds * US_PER_S);
}

static int open_doc(cli *c, const char *what, sl_doc **doc)
{
    char video[37];
    char space[64];
    int code = cli_find(c, "video", what, video);
    if (code != CLI_OK) {
        return code;
    }
    sl_error *err = NULL;
    (void)snprintf(space, sizeof space, "video:%s", video);
    sl_status st = sl_doc_open(c->core, space, doc, &err);
    return st == SL_OK ? CLI_OK : cli_error(st, err);
}

const char *cli_drawing_format(const char *path)
{
    static const char *const formats[] = {"svg", "inkml", "kva"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (ends_in(path, formats[i])) {
            return formats[i];
        }
    }
    return NULL;
}

static void tell(int64_t n, const char *what)
{
    if (n > 0) {
        (void)printf("  %" PRId64 " %s\n", n, what);
    }
}

int cli_draw_file(cli *c, const char *format)
{
    size_t n = 0;
    sl_doc *doc = NULL;
    int64_t from = time_given(c, 0);
    if (from < 0) {
        return CLI_USAGE;
    }
    char *content = cli_read_file(c->args[1], &n);
    if (content == NULL) {
        return CLI_FAILED;
    }
    int code = open_doc(c, c->args[0], &doc);
    if (code == CLI_OK) {
        int64_t range[2] = {from, US_MAX};
        sl_bytes *out = NULL;
        sl_error *err = NULL;
        sl_status st = sl_doc_import(doc, format, content, n, range, &out, &err);
        code = st == SL_OK ? CLI_OK : cli_error(st, err);
        js *answer =
            code == CLI_OK ? js_parse((const char *)sl_bytes_data(out), sl_bytes_len(out)) : NULL;
        if (answer != NULL && cli_json(c)) {
            (void)printf("%.*s\n", (int)answer->raw_len, answer->raw);
        } else if (answer != NULL) {
            (void)printf("%s: %zu drawings, %" PRId64 " things left out\n", c->args[1],
                         js_count(js_get(answer, "ids")), js_int(answer, "skipped"));
            tell(js_int(answer, "gradients"), "gradients became one colour");
            tell(js_int(answer, "patterns"), "patterns became one colour");
            tell(js_int(answer, "clipped"), "clipped things are there whole");
            tell(js_int(answer, "rules"), "rules of style sheets left out");
        }
        js_free(answer);
        sl_bytes_release(out);
    }
    sl_doc_close(doc);
    free(content);
    return code == CLI_OK ? cli_settle(c) : code;
}

static int write_bytes(const char *path, const sl_bytes *bytes)
{
    FILE *f = fopen(path, "wb");
    size_t n = sl_bytes_len(bytes);
    bool ok = f != NULL && fwrite(sl_bytes_data(bytes), 1, n, f) == n;
    int why = errno;
    if (f != NULL && fclose(f) != 0) {
        ok = false;
        why = errno;
    }
    return ok ? CLI_OK : cli_fail("the file \"%s\" cannot be written: %s", path, strerror(why));
}

int cmd_drawing(cli *c)
{
    const char *path = c->args[1];
    int64_t t_us = time_given(c, -1);
    bool svg = ends_in(path, "svg");
    bool pdf = ends_in(path, "pdf");
    bool csv = ends_in(path, "csv");
    if (t_us < -1) {
        return CLI_USAGE;
    }
    if (!svg && !pdf && !csv && !ends_in(path, "json")) {
        (void)cli_fail("a drawing is written as .svg, .pdf, .csv or .json, not as \"%s\"", path);
        return CLI_USAGE;
    }
    sl_doc *doc = NULL;
    int code = open_doc(c, c->args[0], &doc);
    if (code == CLI_OK) {
        sl_bytes *out = NULL;
        sl_error *err = NULL;
        sl_status st = svg   ? sl_render_svg(doc, t_us, NULL, &out, &err)
                       : pdf ? sl_render_pdf(doc, t_us, NULL, &out, &err)
                       : csv ? sl_doc_csv(doc, &out, &err)
                             : sl_doc_json(doc, &out, &err);
        code = st == SL_OK ? write_bytes(path, out) : cli_error(st, err);
        if (code == CLI_OK && !cli_json(c)) {
            (void)printf("%s: %zu bytes\n", path, sl_bytes_len(out));
        }
        sl_bytes_release(out);
    }
    sl_doc_close(doc);
    return code;
}
