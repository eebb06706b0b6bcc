#include "exchange/xml.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"

#include <expat.h>
#include <string.h>

enum {
    CHUNK = 1 << 20 /* bytes given to expat at a time */
};

typedef struct reader {
    XML_Parser parser;
    sl_arena *arena;
    sl_xml *root;
    sl_xml *at;
    sl_buf texts[SL_XML_DEPTH_MAX]; /* of the elements that are open */
    size_t depth;
    size_t elements;
    sl_status status;
    sl_error **err;
} reader;

static void *take(size_t n)
{
    return sl_mem(n);
}

static void *retake(void *p, size_t n)
{
    return sl_mem_resize(p, n, 1);
}

static void stop(reader *r, sl_status status)
{
    r->status = status;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static const char *without_prefix(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon != NULL ? colon + 1 : name;
}

static const char **copy_attributes(reader *r, const XML_Char **from)
{
    size_t n = 0;
    while (from[n] != NULL) {
        n++;
    }
    const char **to = sl_arena_take(r->arena, (n + 1) * sizeof *to);
    for (size_t i = 0; to != NULL && i < n; i++) {
        to[i] = sl_arena_text(r->arena, from[i], strlen(from[i]));
        if (to[i] == NULL) {
            return NULL;
        }
    }
    if (to != NULL) {
        to[n] = NULL;
    }
    return to;
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
    reader *r = user;
    if (r->status != SL_OK) {
        return;
    }
    if (r->depth >= SL_XML_DEPTH_MAX || ++r->elements > SL_XML_ELEMENTS_MAX) {
        stop(r, sl_fail(r->err, SL_E_LIMIT, "the file has elements deeper than %d or more than %d",
                        SL_XML_DEPTH_MAX, SL_XML_ELEMENTS_MAX));
        return;
    }
    const char *local = without_prefix(name);
    sl_xml *x = sl_arena_take(r->arena, sizeof *x);
    const char *copy = sl_arena_text(r->arena, local, strlen(local));
    const char **list = copy_attributes(r, attributes);
    if (x == NULL || copy == NULL || list == NULL) {
        stop(r, sl_fail_nomem(r->err));
        return;
    }
    *x = (sl_xml){.name = copy, .attributes = list, .text = "", .parent = r->at};
    if (r->at == NULL) {
        r->root = x;
    } else if (r->at->last == NULL) {
        r->at->first = x;
    } else {
        r->at->last->next = x;
    }
    if (r->at != NULL) {
        r->at->last = x;
    }
    r->at = x;
    sl_buf_clear(&r->texts[r->depth++]);
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
    reader *r = user;
    (void)name;
    if (r->status != SL_OK || r->depth == 0) {
        return;
    }
    sl_buf *text = &r->texts[--r->depth];
    if (text->len > 0) {
        r->at->text = sl_arena_text(r->arena, (const char *)text->data, text->len);
    }
    if (text->failed || r->at->text == NULL) {
        r->at->text = "";
        stop(r, sl_fail_nomem(r->err));
    }
    r->at = r->at->parent;
}

static void XMLCALL on_text(void *user, const XML_Char *s, int n)
{
    reader *r = user;
    if (r->depth > 0 && n > 0) {
        sl_buf_put(&r->texts[r->depth - 1], s, (size_t)n);
    }
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int own)
{
    reader *r = user;
    (void)name;
    (void)system;
    (void)public;
    if (own != 0 && r->status == SL_OK) {
        stop(r,
             sl_fail(r->err, SL_E_INVALID,
                     "the file declares entities or other markup of its own, which is not read"));
    }
}

static sl_status malformed(const reader *r, sl_error **err)
{
    enum XML_Error code = XML_GetErrorCode(r->parser);
    if (code == XML_ERROR_NO_MEMORY) {
        return sl_fail_nomem(err);
    }
    return sl_fail(err, SL_E_INVALID, "the file is not well-formed XML: line %lu: %s",
                   (unsigned long)XML_GetCurrentLineNumber(r->parser), XML_ErrorString(code));
}

static sl_status feed(reader *r, const char *data, size_t n, sl_error **err)
{
    for (size_t from = 0;;) {
        size_t part = n - from < CHUNK ? n - from : CHUNK;
        bool last = from + part == n;
        enum XML_Status s = XML_Parse(r->parser, data + from, (int)part, last);
        if (r->status != SL_OK) {
            return r->status;
        }
        if (s != XML_STATUS_OK) {
            return malformed(r, err);
        }
        if (last) {
            return SL_OK;
        }
        from += part;
    }
}

sl_status sl_xml_read(const void *data, size_t n, sl_arena *arena, const sl_xml **root,
                      sl_error **err)
{
    static const XML_Memory_Handling_Suite memory = {take, retake, sl_mem_free};
    *root = NULL;
    if (n > SL_XML_BYTES_MAX) {
        return sl_fail(err, SL_E_LIMIT, "the file has more than %d bytes", SL_XML_BYTES_MAX);
    }
    reader *r = sl_mem(sizeof *r);
    if (r == NULL) {
        return sl_fail_nomem(err);
    }
    r->arena = arena;
    r->err = err;
    r->parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    sl_status s = r->parser != NULL ? SL_OK : sl_fail_nomem(err);
    if (s == SL_OK) {
        XML_SetUserData(r->parser, r);
        XML_SetElementHandler(r->parser, on_start, on_end);
        XML_SetCharacterDataHandler(r->parser, on_text);
        XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
        s = feed(r, data, n, err);
        XML_ParserFree(r->parser);
    }
    for (size_t i = 0; i < SL_XML_DEPTH_MAX; i++) {
        sl_buf_free(&r->texts[i]);
    }
    *root = s == SL_OK ? r->root : NULL;
    sl_mem_free(r);
    return s;
}

const char *sl_xml_attribute(const sl_xml *x, const char *name)
{
    for (size_t i = 0; x->attributes[i] != NULL; i += 2) {
        if (strcmp(x->attributes[i], name) == 0) {
            return x->attributes[i + 1];
        }
    }
    return NULL;
}

bool sl_xml_is(const sl_xml *x, const char *name)
{
    return strcmp(x->name, name) == 0;
}

const sl_xml *sl_xml_child(const sl_xml *x, const char *name)
{
    const sl_xml *child = x != NULL ? x->first : NULL;
    while (child != NULL && !sl_xml_is(child, name)) {
        child = child->next;
    }
    return child;
}

const char *sl_xml_child_text(const sl_xml *x, const char *name)
{
    const sl_xml *child = sl_xml_child(x, name);
    return child != NULL ? child->text : NULL;
}

const sl_xml *sl_xml_walk(const sl_xml *top, const sl_xml *at)
{
    if (at->first != NULL) {
        return at->first;
    }
    while (at != top && at->next == NULL) {
        at = at->parent;
    }
    return at != top ? at->next : NULL;
}
