/* cli/coach.c - what a coach makes: drawings, a review. The voice-over is in voice.c. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POINT_FLOATS = 4,
    DT_DEFAULT_MS = 8, /* between points that bring no times: a 120 Hz pen */
    US_PER_S = 1000000
};

static void space_of(const char *video, char out[64])
{
    (void)snprintf(out, 64, "video:%s", video);
}

/* ---- drawings ---- */

/* The item without what a pen brings by its points. */
static void put_pen_style(text *out, const js *item)
{
    static const char *const left_out[] = {"points", "pressure", "dt"};
    text_add(out, "{");
    for (const js *m = item->first; m != NULL; m = m->next) {
        bool skip = false;
        for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
            skip = skip || strcmp(m->key, left_out[i]) == 0;
        }
        if (!skip) {
            if (out->len > 1) {
                text_add(out, ",");
            }
            text_json(out, m->key);
            text_add(out, ":");
            text_put(out, m->raw, m->raw_len);
        }
    }
    text_add(out, "}");
}

/* x, y, pressure, ms of each point; freed by the caller. */
static float *pen_points(const js *item, uint32_t *n)
{
    const js *points = js_get(item, "points");
    const js *pressure = js_get(item, "pressure");
    const js *dt = js_get(item, "dt");
    size_t count = js_count(points);
    *n = (uint32_t)count;
    float *xypt = calloc(count > 0 ? count : 1, POINT_FLOATS * sizeof *xypt);
    const js *p = js_first(pressure);
    const js *t = js_first(dt);
    const js *at = js_first(points);
    for (size_t i = 0; xypt != NULL && at != NULL; i++, at = at->next) {
        const js *x = js_at(at, 0);
        const js *y = js_at(at, 1);
        float *to = xypt + i * POINT_FLOATS;
        to[0] = x != NULL ? (float)x->number : 0.0F;
        to[1] = y != NULL ? (float)y->number : 0.0F;
        to[2] = p != NULL ? (float)(p->number / 255.0) : 0.5F;
        to[3] = t != NULL ? (float)t->number : (float)(i * DT_DEFAULT_MS);
        p = p != NULL ? p->next : NULL;
        t = t != NULL ? t->next : NULL;
    }
    return xypt;
}

/* A pen is drawn as it was: begun, led through its points in pieces, ended. */
static sl_status draw_pen(sl_doc *doc, const js *item, sl_bytes **id, sl_error **err)
{
    enum {
        BATCH = 8
    };
    text style = {0};
    uint32_t n = 0;
    sl_id stroke = 0;
    put_pen_style(&style, item);
    sl_status st = sl_doc_stroke_begin(doc, style.data, style.len, &stroke, err);
    text_free(&style);
    if (st != SL_OK) {
        return st;
    }
    float *xypt = pen_points(item, &n);
    st = xypt != NULL ? SL_OK : SL_E_NOMEM;
    for (uint32_t i = 0; st == SL_OK && i < n; i += BATCH) {
        uint32_t some = n - i < BATCH ? n - i : BATCH;
        st = sl_doc_stroke_points(doc, stroke, xypt + (size_t)i * POINT_FLOATS, some);
    }
    free(xypt);
    if (st != SL_OK) {
        (void)sl_doc_stroke_end(doc, stroke, 0, NULL, NULL);
        return st;
    }
    return sl_doc_stroke_end(doc, stroke, 1, id, err);
}

static int draw_all(cli *c, sl_doc *doc, const js *items)
{
    text ids = {0};
    text_add(&ids, "{\"ids\":[");
    int code = CLI_OK;
    for (const js *item = items->first; item != NULL && code == CLI_OK; item = item->next) {
        sl_bytes *id = NULL;
        sl_error *err = NULL;
        const char *kind = js_str(item, "kind");
        sl_status st = strcmp(kind, "pen") == 0 && js_get(item, "points") != NULL
                           ? draw_pen(doc, item, &id, &err)
                           : sl_doc_add(doc, item->raw, item->raw_len, &id, &err);
        if (st != SL_OK) {
            code = cli_error(st, err);
            break;
        }
        const char *text_id = id != NULL ? (const char *)sl_bytes_data(id) : "";
        text_fmt(&ids, "%s\"%s\"", item == items->first ? "" : ",", text_id);
        if (!cli_json(c)) {
            (void)printf("drew %-8s %s\n", kind, text_id);
        }
        sl_bytes_release(id);
    }
    text_add(&ids, "]}");
    if (code == CLI_OK && cli_json(c)) {
        (void)printf("%s\n", ids.data);
    }
    text_free(&ids);
    return code;
}

static js *read_list(const char *path)
{
    size_t n = 0;
    char *content = cli_read_file(path, &n);
    if (content == NULL) {
        return NULL;
    }
    js *list = js_parse(content, n);
    free(content);
    if (list == NULL || list->type != JS_ARRAY) {
        js_free(list);
        (void)cli_fail("the file \"%s\" is not a JSON array", path);
        return NULL;
    }
    return list;
}

int cmd_draw(cli *c)
{
    char video[37];
    char space[64];
    const char *format = cli_drawing_format(c->args[1]);
    if (format != NULL) {
        return cli_draw_file(c, format);
    }
    js *items = read_list(c->args[1]);
    if (items == NULL) {
        return CLI_FAILED;
    }
    int code = cli_find(c, "video", c->args[0], video);
    if (code == CLI_OK) {
        sl_doc *doc = NULL;
        sl_error *err = NULL;
        space_of(video, space);
        sl_status st = sl_doc_open(c->core, space, &doc, &err);
        code = st == SL_OK ? draw_all(c, doc, items) : cli_error(st, err);
        sl_doc_close(doc);
    }
    js_free(items);
    return code == CLI_OK ? cli_settle(c) : code;
}

/* The drawings of a video as JSON; NULL after saying why. */
static js *drawings(cli *c, const char *video)
{
    char space[64];
    sl_doc *doc = NULL;
    sl_bytes *out = NULL;
    sl_error *err = NULL;
    space_of(video, space);
    sl_status st = sl_doc_open(c->core, space, &doc, &err);
    if (st == SL_OK) {
        st = sl_doc_json(doc, &out, &err);
    }
    sl_doc_close(doc);
    if (st != SL_OK) {
        (void)cli_error(st, err);
        return NULL;
    }
    js *j = js_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    sl_bytes_release(out);
    return j;
}

int cmd_items(cli *c)
{
    char video[37];
    int code = cli_find(c, "video", c->args[0], video);
    if (code != CLI_OK) {
        return code;
    }
    js *doc = drawings(c, video);
    if (doc == NULL) {
        return CLI_FAILED;
    }
    if (cli_json(c)) {
        (void)printf("%.*s\n", (int)doc->raw_len, doc->raw);
    }
    const js *items = js_get(doc, "items");
    const js *item = items != NULL && !cli_json(c) ? items->first : NULL;
    for (; item != NULL; item = item->next) {
        (void)printf("%s  %-8s %6.2f-%.2f s  %zu points  %s\n", js_str(item, "id"),
                     js_str(item, "kind"), js_num(item, "in") / US_PER_S,
                     js_num(item, "out") / US_PER_S, js_count(js_get(item, "points")),
                     js_str(item, "text"));
    }
    js_free(doc);
    return CLI_OK;
}

/* ---- review ---- */

/* An event as it goes to the timeline: "item":"@2" stands for the video's second drawing. */
static int put_event(text *out, const js *event, const js *items)
{
    const char *item = js_str(event, "item");
    if (item[0] != '@') {
        text_put(out, event->raw, event->raw_len);
        return CLI_OK;
    }
    long number = strtol(item + 1, NULL, 10);
    const js *found = number > 0 ? js_at(items, (size_t)number - 1) : NULL;
    if (found == NULL) {
        return cli_fail("the script names drawing %s, but the video has %zu", item,
                        js_count(items));
    }
    text_add(out, "{");
    for (const js *m = event->first; m != NULL; m = m->next) {
        if (out->len > 1) {
            text_add(out, ",");
        }
        text_json(out, m->key);
        text_add(out, ":");
        if (strcmp(m->key, "item") == 0) {
            text_json(out, js_str(found, "id"));
        } else {
            text_put(out, m->raw, m->raw_len);
        }
    }
    text_add(out, "}");
    return CLI_OK;
}

static int fill_timeline(sl_timeline *t, const js *script, const js *items, int64_t end_us)
{
    int code = CLI_OK;
    sl_error *err = NULL;
    for (const js *e = script->first; e != NULL && code == CLI_OK; e = e->next) {
        text event = {0};
        code = put_event(&event, e, items);
        if (code == CLI_OK) {
            sl_status st = sl_timeline_add(t, event.data, event.len, &err);
            code = st == SL_OK ? CLI_OK : cli_error(st, err);
        }
        text_free(&event);
    }
    if (code == CLI_OK) {
        sl_status st = sl_timeline_end(t, end_us, &err);
        code = st == SL_OK ? CLI_OK : cli_error(st, err);
    }
    return code;
}

/* The timeline of a script as a blob of the video's space. sha holds 65 characters. */
static int store_timeline(cli *c, const js *script, const js *video, int64_t end_us, char sha[65])
{
    char space[64];
    sl_timeline *t = NULL;
    sl_bytes *coded = NULL;
    sl_bytes *name = NULL;
    sl_error *err = NULL;
    js *doc = drawings(c, js_str(video, "id"));
    if (doc == NULL) {
        return CLI_FAILED;
    }
    space_of(js_str(video, "id"), space);
    sl_status st = sl_timeline_new(js_int(video, "duration_us"), &t, &err);
    int code =
        st == SL_OK ? fill_timeline(t, script, js_get(doc, "items"), end_us) : cli_error(st, err);
    js_free(doc);
    if (code == CLI_OK) {
        st = sl_timeline_encode(t, &coded, &err);
        if (st == SL_OK) {
            st = sl_blob_put(c->core, space, sl_bytes_data(coded), sl_bytes_len(coded),
                             "application/x-sideline-timeline", &name, &err);
        }
        code = st == SL_OK ? CLI_OK : cli_error(st, err);
    }
    if (code == CLI_OK) {
        (void)snprintf(sha, 65, "%s", (const char *)sl_bytes_data(name));
    }
    sl_bytes_release(name);
    sl_bytes_release(coded);
    sl_timeline_free(t);
    return code;
}

static int keep_review(cli *c, const js *script, const js *video, const js *voice)
{
    char id[37];
    char sha[65];
    char space[64];
    int64_t duration_us = js_int(voice, "duration_us");
    int code = store_timeline(c, script, video, duration_us, sha);
    if (code != CLI_OK) {
        return code;
    }
    text fields = {0};
    space_of(js_str(video, "id"), space);
    text_add(&fields, "{\"title\":");
    text_json(&fields, c->option[OPT_TITLE] != NULL ? c->option[OPT_TITLE] : "Review");
    text_fmt(&fields, ",\"voice_over_id\":\"%s\",\"timeline\":\"%s\",\"duration_us\":%" PRId64 "}",
             js_str(voice, "id"), sha, duration_us);
    code = cli_create(c, "review", space, fields.data, id);
    text_free(&fields);
    if (code == CLI_OK) {
        (void)printf(cli_json(c) ? "{\"id\":\"%s\",\"duration_us\":%" PRId64 "}\n"
                                 : "review %s, %" PRId64 " us\n",
                     id, duration_us);
    }
    return code;
}

int cmd_review(cli *c)
{
    char video_id[37];
    char voice_id[37];
    js *script = read_list(c->option[OPT_SCRIPT]);
    js *video = NULL;
    js *voice = NULL;
    int code = script != NULL ? cli_find(c, "video", c->args[0], video_id) : CLI_FAILED;
    if (code == CLI_OK) {
        code = cli_find(c, "voice_over", c->option[OPT_VOICE], voice_id);
    }
    if (code == CLI_OK) {
        video = cli_record(c, "video", video_id);
        voice = cli_record(c, "voice_over", voice_id);
        code = video != NULL && voice != NULL ? keep_review(c, script, video, voice) : CLI_FAILED;
    }
    js_free(script);
    js_free(video);
    js_free(voice);
    return code == CLI_OK ? cli_settle(c) : code;
}
