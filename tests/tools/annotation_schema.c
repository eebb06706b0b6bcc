/*
 * annotation_schema - the JSON Schema of sl_doc_json's documents, from the tables of tools and styles;
 * or, with the word "documents", one document with every tool, least and most of everything, for a
 * schema's test.
 */
#include "annotation/drawing.h"
#include "annotation/style.h"
#include "annotation/tool.h"
#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sl_json *parse(const char *text)
{
    sl_json *j = sl_json_parse(text, strlen(text));
    SL_ASSERT(j != NULL);
    return j;
}

static sl_json *parsef(const char *fmt, long long a, long long b)
{
    char text[400];
    /* The format is one of ours, always with two %lld. */
    char *at = text;
    const char *f = fmt;
    long long values[2] = {a, b};
    for (int i = 0; *f != 0 && at < text + sizeof text - 32;) {
        if (*f == '%') {
            at += snprintf(at, 24, "%lld", values[i++]);
            f++;
        } else {
            *at++ = *f++;
        }
    }
    *at = 0;
    return parse(text);
}

static sl_json *style_member(const sl_member *m)
{
    switch (m->type) {
    case SL_MEMBER_COLOR: return parse("{\"type\":\"string\",\"pattern\":\"^#[0-9A-Fa-f]{6}$\"}");
    case SL_MEMBER_FLAG: return parse("{\"type\":\"boolean\"}");
    case SL_MEMBER_DASH: return parse("{\"enum\":[\"solid\",\"dashes\",\"dots\"]}");
    case SL_MEMBER_MILLI: {
        sl_json *j = parse("{\"type\":\"number\"}");
        SL_ASSERT(sl_json_set_num(j, "minimum", m->min / 1000.0) &&
                  sl_json_set_num(j, "maximum", m->max / 1000.0));
        return j;
    }
    case SL_MEMBER_WHOLE: break;
    }
    return parsef("{\"type\":\"integer\",\"minimum\":%,\"maximum\":%}", m->min, m->max);
}

static void set(sl_json *to, const char *key, sl_json *v)
{
    SL_ASSERT(sl_json_set(to, key, v));
}

static const char *const POINTS = "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/point\"}}";

static void set_edits(sl_json *members)
{
    set(members, "move",
        parse(
            "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2,\"maxItems\":2}"));
    set(members, "scale",
        parsef("{\"type\":\"number\",\"minimum\":0.00%,\"maximum\":%}", 1,
               SL_EDIT_SCALE_MAX / SL_EDIT_SCALE_ONE));
    sl_json *points = parse(POINTS);
    SL_ASSERT(sl_json_set_int(points, "maxItems", SL_EDIT_POINTS_MAX));
    set(members, "points", points);
}

static sl_json *style_schema(void)
{
    size_t n = 0;
    const sl_member *members = sl_style_members(&n);
    sl_json *all = sl_json_object();
    sl_json *required = sl_json_array();
    for (size_t i = 0; i < n; i++) {
        set(all, members[i].name, style_member(&members[i]));
        SL_ASSERT(!members[i].always || sl_json_add_str(required, members[i].name));
    }
    set(all, "unit", parse("{\"type\":\"string\",\"pattern\":\"^[A-Za-z]{1,8}$\"}"));
    set(all, "layer", parse("{\"$ref\":\"#/$defs/id\"}"));
    set_edits(all);
    sl_json *key = sl_json_object();
    set(key, "t", parsef("{\"type\":\"integer\",\"minimum\":%,\"maximum\":%}", 0, SL_ITEM_US_MAX));
    set(key, "opacity", parse("{\"type\":\"number\",\"minimum\":0,\"maximum\":1}"));
    set_edits(key);
    sl_json *keys =
        parse("{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"t\"]}}");
    SL_ASSERT(sl_json_set_int(keys, "maxItems", SL_KEYS_MAX));
    sl_json *one = sl_json_clone(sl_json_get(keys, "items"));
    set(one, "properties", key);
    set(keys, "items", one);
    set(all, "keys", keys);
    sl_json *j =
        parse("{\"type\":\"object\",\"description\":\"Members that are not named here are a "
              "newer version's and are kept.\"}");
    set(j, "properties", all);
    set(j, "required", required);
    return j;
}

/* What a kind asks of its item beside what all have. */
static sl_json *kind_schema(const sl_tool *tool)
{
    sl_json *then = sl_json_object();
    sl_json *members = sl_json_object();
    sl_json *required = sl_json_array();
    sl_json *points = parsef("{\"minItems\":%,\"maxItems\":%}", tool->points_min, tool->points_max);
    set(members, "points", points);
    static const struct {
        const char *name;
        uint8_t bit;
    } columns[] = {{"pressure", SL_HAS_PRESSURE}, {"tilt", SL_HAS_TILT}, {"dt", SL_HAS_DT}};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        if ((tool->may & columns[i].bit) == 0) {
            set(members, columns[i].name, parse("false"));
        } else if ((tool->must & columns[i].bit) != 0) {
            SL_ASSERT(sl_json_add_str(required, columns[i].name));
        }
    }
    bool blob = tool->text_key != NULL && strcmp(tool->text_key, "blob") == 0;
    if (blob || (tool->may & SL_HAS_TEXT) == 0) {
        set(members, "text", parse("false"));
    }
    if (!blob) {
        set(members, "blob", parse("false"));
    }
    if ((tool->must & SL_HAS_TEXT) != 0) {
        SL_ASSERT(sl_json_add_str(required, tool->text_key));
    }
    set(then, "properties", members);
    set(then, "required", required);
    sl_json *j = parse("{\"if\":{\"properties\":{\"kind\":{}}}}");
    sl_json *when = sl_json_object();
    sl_json *kind = sl_json_object();
    sl_json *value = sl_json_object();
    SL_ASSERT(sl_json_set_str(value, "const", tool->name));
    set(kind, "kind", value);
    set(when, "properties", kind);
    set(j, "if", when);
    set(j, "then", then);
    return j;
}

static sl_json *item_schema(void)
{
    sl_json *members = sl_json_object();
    sl_json *kinds = sl_json_array();
    sl_json *cases = sl_json_array();
    for (int i = 0; i < SL_KIND_COUNT; i++) {
        const sl_tool *tool = sl_tool_of((sl_kind)i);
        if (!tool->live_only) {
            SL_ASSERT(sl_json_add_str(kinds, tool->name) && sl_json_add(cases, kind_schema(tool)));
        }
    }
    sl_json *kind = sl_json_object();
    set(kind, "enum", kinds);
    set(members, "id", parse("{\"$ref\":\"#/$defs/id\"}"));
    set(members, "kind", kind);
    set(members, "points", parse(POINTS));
    set(members, "pressure",
        parse("{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0,"
              "\"maximum\":255}}"));
    set(members, "tilt",
        parsef("{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":%,\"maximum\":%}}",
               0, SL_TILT_MAX));
    set(members, "dt",
        parsef("{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":%,\"maximum\":%}}",
               0, SL_DT_MS_MAX));
    set(members, "text",
        parsef("{\"type\":\"string\",\"minLength\":%,\"maxLength\":%}", 1, SL_ITEM_TEXT_MAX));
    set(members, "blob", parse("{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"}"));
    set(members, "unknown", parse("{\"type\":\"string\",\"contentEncoding\":\"base64\"}"));
    set(members, "style", parse("{\"$ref\":\"#/$defs/style\"}"));
    set(members, "in",
        parsef("{\"type\":\"integer\",\"minimum\":%,\"maximum\":%}", 0, SL_ITEM_US_MAX - 1));
    set(members, "out",
        parsef("{\"type\":\"integer\",\"minimum\":%,\"maximum\":%}", 1, SL_ITEM_US_MAX));
    set(members, "fade",
        parsef("{\"type\":\"integer\",\"minimum\":%,\"maximum\":%}", 0, SL_FADE_US_MAX));
    set(members, "z",
        parse("{\"type\":\"string\",\"pattern\":\"^[0-9A-Za-z]{0,127}[1-9A-Za-z]$\"}"));
    sl_json *j =
        parse("{\"type\":\"object\",\"required\":[\"id\",\"kind\",\"points\",\"style\",\"in\","
              "\"out\",\"fade\",\"z\"]}");
    set(j, "properties", members);
    set(j, "allOf", cases);
    return j;
}

static sl_json *document_schema(void)
{
    sl_json *j =
        parse("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
              "\"$id\":\"urn:sideline:annotation:1\",\"title\":\"The drawings on one video, as "
              "sl_doc_json has them\",\"description\":\"Made by tests/tools/annotation_schema.c. "
              "What the points of a kind mean is in sideline/annotation.h.\","
              "\"type\":\"object\",\"required\":[\"width\",\"height\",\"items\"],"
              "\"properties\":{\"width\":{\"type\":\"integer\",\"minimum\":1},\"height\":{"
              "\"type\":\"integer\",\"minimum\":1},\"items\":{\"type\":\"array\",\"items\":{"
              "\"$ref\":\"#/$defs/item\"}}}}");
    sl_json *defs = sl_json_object();
    set(defs, "id",
        parse("{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
              "\"}"));
    sl_json *point =
        parsef("{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":%,\"maximum\":%},"
               "\"minItems\":2,\"maxItems\":2}",
               -SL_COORD_MAX, SL_COORD_MAX);
    set(defs, "point", point);
    set(defs, "style", style_schema());
    set(defs, "item", item_schema());
    set(j, "$defs", defs);
    return j;
}

/* --- a document with everything --- */

static sl_item *item_of(sl_kind kind, bool most)
{
    const sl_tool *tool = sl_tool_of(kind);
    sl_item *item = sl_mem(sizeof *item);
    SL_ASSERT(item != NULL);
    sl_style_defaults(&item->style);
    uint32_t n = most ? tool->points_max : tool->points_min;
    n = n > 2000 ? 2000 : n;
    item->geo.kind = kind;
    item->geo.n = n;
    item->geo.points = sl_mem_array(n, sizeof *item->geo.points);
    item->t_out = most ? SL_ITEM_US_MAX : 1;
    item->t_in = most ? SL_ITEM_US_MAX - 1 : 0;
    item->fade_us = most ? SL_FADE_US_MAX : 0;
    uint8_t columns = most ? tool->may : tool->must;
    item->geo.pressure = (columns & SL_HAS_PRESSURE) != 0 ? sl_mem(n) : NULL;
    item->geo.tilt = (columns & SL_HAS_TILT) != 0 ? sl_mem(n) : NULL;
    item->geo.dt_ms = (columns & SL_HAS_DT) != 0 ? sl_mem_array(n, sizeof *item->geo.dt_ms) : NULL;
    for (uint32_t i = 0; most && i < n; i++) {
        item->geo.points[i] = (sl_point){i % 2 == 0 ? SL_COORD_MAX : -SL_COORD_MAX, (int32_t)i};
    }
    if (item->geo.dt_ms != NULL && n > 1) {
        item->geo.dt_ms[n - 1] = SL_DT_MS_MAX;
    }
    if ((columns & SL_HAS_TEXT) != 0) {
        char hash[65];
        memset(hash, 'f', 64);
        hash[64] = 0;
        item->geo.text = sl_text_dup(kind == SL_KIND_STAMP ? hash : "x");
    }
    (void)snprintf(item->id, sizeof item->id, "00000000-0000-7000-8000-%012x",
                   (unsigned)kind * 2 + most);
    return item;
}

static void set_extremes(sl_item *item)
{
    size_t n = 0;
    const sl_member *members = sl_style_members(&n);
    for (size_t i = 0; i < n; i++) {
        memcpy((char *)&item->style + members[i].at, &members[i].max, sizeof members[i].max);
    }
    (void)snprintf(item->style.unit, sizeof item->style.unit, "m");
    (void)snprintf(item->style.layer, sizeof item->style.layer, "%s", item->id);
    sl_json *edits =
        parse("{\"move\":[1,-1],\"scale\":100,\"made_later\":1,\"keys\":[{\"t\":0,\"move\":"
              "[0,5],\"opacity\":0},{\"t\":36000000000,\"scale\":0.001}]}");
    SL_ASSERT(sl_style_read(edits, item, NULL) == SL_OK);
    sl_json_free(edits);
}

static sl_json *documents(void)
{
    sl_drawing *d = sl_drawing_new(1920, 1080);
    SL_ASSERT(d != NULL);
    for (int i = 0; i < 2 * SL_KIND_COUNT; i++) {
        sl_kind kind = (sl_kind)(i / 2);
        bool most = i % 2 == 1;
        if (sl_tool_of(kind)->live_only) {
            continue;
        }
        sl_item *item = item_of(kind, most);
        if (most) {
            set_extremes(item);
        }
        SL_ASSERT(sl_item_check(item, NULL) == SL_OK);
        SL_ASSERT(sl_drawing_add(d, item, NULL) == SL_OK);
    }
    sl_json *j = sl_drawing_json(d);
    sl_drawing_free(d);
    return j;
}

/* For people: two spaces a level, short arrays in one line. */
static void print_pretty(const sl_json *j, int depth)
{
    char *text = sl_json_print(j);
    SL_ASSERT(text != NULL);
    bool list = sl_json_is_array(j) || sl_json_is_object(j);
    if (!list || strlen(text) + 2 * (size_t)depth < 88) {
        (void)fputs(text, stdout);
        sl_mem_free(text);
        return;
    }
    sl_mem_free(text);
    (void)puts(sl_json_is_array(j) ? "[" : "{");
    for (const sl_json *m = sl_json_first(j); m != NULL; m = sl_json_next(m)) {
        (void)printf("%*s", 2 * depth + 2, "");
        if (sl_json_is_object(j)) {
            (void)printf("\"%s\": ", sl_json_key(m));
        }
        print_pretty(m, depth + 1);
        (void)puts(sl_json_next(m) != NULL ? "," : "");
    }
    (void)printf("%*s%s", 2 * depth, "", sl_json_is_array(j) ? "]" : "}");
}

int main(int argc, char **argv)
{
    bool examples = argc > 1 && strcmp(argv[1], "documents") == 0;
    sl_json *j = examples ? documents() : document_schema();
    print_pretty(j, 0);
    (void)puts("");
    sl_json_free(j);
    return EXIT_SUCCESS;
}
