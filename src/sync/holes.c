#include "sync/holes.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* One more than fit, until two of them are made one. */
typedef struct list {
    size_t n;
    sl_hole at[SL_HOLES_MAX + 1];
} list;

static void append(list *l, int64_t above, int64_t upto)
{
    sl_hole *last = l->n > 0 ? &l->at[l->n - 1] : NULL;
    if (above >= upto) {
        return;
    }
    if (last != NULL && above <= last->upto) {
        last->upto = upto > last->upto ? upto : last->upto;
    } else {
        l->at[l->n++] = (sl_hole){above, upto};
    }
}

static void keep(sl_holes *h, list *l)
{
    if (l->n > SL_HOLES_MAX) {
        size_t least = 1;
        for (size_t i = 2; i < l->n; i++) {
            int64_t between = l->at[i].above - l->at[i - 1].upto;
            least = between < l->at[least].above - l->at[least - 1].upto ? i : least;
        }
        l->at[least - 1].upto = l->at[least].upto;
        memmove(&l->at[least], &l->at[least + 1], (l->n - least - 1) * sizeof l->at[0]);
        l->n--;
    }
    h->n = l->n;
    memcpy(h->at, l->at, l->n * sizeof l->at[0]);
}

void sl_holes_add(sl_holes *h, int64_t above, int64_t upto)
{
    list l = {.n = 0};
    bool added = false;
    for (size_t i = 0; i < h->n; i++) {
        if (!added && h->at[i].above >= above) {
            append(&l, above, upto);
            added = true;
        }
        append(&l, h->at[i].above, h->at[i].upto);
    }
    if (!added) {
        append(&l, above, upto);
    }
    keep(h, &l);
}

void sl_holes_take(sl_holes *h, int64_t above, int64_t upto)
{
    list l = {.n = 0};
    for (size_t i = 0; i < h->n && above < upto; i++) {
        const sl_hole *hole = &h->at[i];
        append(&l, hole->above, hole->upto < above ? hole->upto : above);
        append(&l, hole->above > upto ? hole->above : upto, hole->upto);
    }
    if (above < upto) {
        keep(h, &l);
    }
}

const sl_hole *sl_holes_at(const sl_holes *h, int64_t place)
{
    for (size_t i = 0; i < h->n; i++) {
        if (place > h->at[i].above && place <= h->at[i].upto) {
            return &h->at[i];
        }
    }
    return NULL;
}

/* --- as text --------------------------------------------------------------------------------- */

static bool read_number(const char **p, int64_t *out)
{
    const char *from = *p;
    *out = 0;
    while (**p >= '0' && **p <= '9' && *out <= SL_JSON_INT_MAX / 10) {
        *out = *out * 10 + (**p - '0');
        (*p)++;
    }
    return *p > from && *out <= SL_JSON_INT_MAX;
}

bool sl_holes_read(sl_holes *h, const char *text)
{
    const char *p = text != NULL ? text : "";
    h->n = 0;
    while (*p != 0) {
        sl_hole hole;
        if (h->n == SL_HOLES_MAX || (h->n > 0 && *p++ != ',') || !read_number(&p, &hole.above) ||
            *p++ != '-' || !read_number(&p, &hole.upto) || hole.above >= hole.upto ||
            (h->n > 0 && hole.above <= h->at[h->n - 1].upto)) {
            h->n = 0;
            return false;
        }
        h->at[h->n++] = hole;
    }
    return true;
}

void sl_holes_print(char out[SL_HOLES_TEXT], const sl_holes *h)
{
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < h->n && n < SL_HOLES_TEXT; i++) {
        n += (size_t)snprintf(out + n, SL_HOLES_TEXT - n, "%s%lld-%lld", i > 0 ? "," : "",
                              (long long)h->at[i].above, (long long)h->at[i].upto);
    }
}
