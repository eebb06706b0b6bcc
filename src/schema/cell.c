#include "schema/cell.h"

#include <string.h>

sl_cell sl_cell_text(const char *s)
{
    return sl_cell_text_n(s, s != NULL ? strlen(s) : 0);
}

sl_cell sl_cell_text_n(const char *s, size_t n)
{
    sl_cell c = {.kind = SL_CELL_NULL};
    if (s != NULL) {
        c.kind = SL_CELL_TEXT;
        c.len = (uint32_t)n;
        c.text = s;
    }
    return c;
}

sl_cell sl_cell_blob(const void *p, size_t n)
{
    return (sl_cell){.kind = SL_CELL_BLOB, .len = (uint32_t)n, .blob = p};
}

sl_cell sl_cell_int(int64_t v)
{
    return (sl_cell){.kind = SL_CELL_INT, .i = v};
}

sl_cell sl_cell_real(double v)
{
    return (sl_cell){.kind = SL_CELL_REAL, .r = v};
}

const char *sl_cell_str(const sl_cell *c)
{
    return c->kind == SL_CELL_TEXT ? c->text : NULL;
}

int64_t sl_cell_int_or(const sl_cell *c, int64_t otherwise)
{
    if (c->kind == SL_CELL_REAL && c->r > -9.0e18 && c->r < 9.0e18) {
        return (int64_t)c->r;
    }
    return c->kind == SL_CELL_INT ? c->i : otherwise;
}

bool sl_cell_same(const sl_cell *a, const sl_cell *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case SL_CELL_NULL: return true;
    case SL_CELL_INT: return a->i == b->i;
    case SL_CELL_REAL: return a->r == b->r;
    case SL_CELL_TEXT:
    case SL_CELL_BLOB: return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
    }
    return false;
}

bool sl_cell_keep(sl_cell *c, sl_arena *a)
{
    if (c->kind == SL_CELL_TEXT || c->kind == SL_CELL_BLOB) {
        c->text = sl_arena_text(a, c->text, c->len);
        return c->text != NULL;
    }
    return true;
}
