/*
 * exchange/xml.h - an XML file as a tree. The home of expat.
 *
 * What comes from outside is bounded: size, depth and number of elements by the limits below, and a
 * file that declares entities or any other markup of its own is refused, so that none grows while it
 * is read. Nothing outside the file is fetched. Names are without their prefix, but that of
 * attributes stays.
 */
#ifndef SL_EXCHANGE_XML_H
#define SL_EXCHANGE_XML_H

#include "base/arena.h"
#include "sideline/base.h"

#include <stdint.h>

enum {
    SL_XML_BYTES_MAX = 64 * 1024 * 1024,
    SL_XML_DEPTH_MAX = 128,
    SL_XML_ELEMENTS_MAX = 500000
};

typedef struct sl_xml {
    const char *name;
    const char *const *attributes; /* name, value, .., NULL */
    const char *text;              /* of the element itself; "" when none */
    struct sl_xml *first;
    struct sl_xml *last;
    struct sl_xml *next;
    struct sl_xml *parent;
} sl_xml;

/* *root lives as long as the arena. SL_E_INVALID: no well-formed XML; SL_E_LIMIT: beyond a limit. */
sl_status sl_xml_read(const void *data, size_t n, sl_arena *arena, const sl_xml **root,
                      sl_error **err);

/* NULL when absent. */
const char *sl_xml_attribute(const sl_xml *x, const char *name);
const sl_xml *sl_xml_child(const sl_xml *x, const char *name);
/* The text of a child; NULL when there is none. */
const char *sl_xml_child_text(const sl_xml *x, const char *name);
bool sl_xml_is(const sl_xml *x, const char *name);
/* The next element of a walk through all below `top`, parents first; NULL at the end. */
const sl_xml *sl_xml_walk(const sl_xml *top, const sl_xml *at);

#endif
