/* annotation/lasso.c - what lies within a loop drawn by hand. */
#include "annotation/drawing.h"
#include "annotation/tool.h"

enum {
    SAMPLES = 64 /* of a long stroke */
};

typedef struct lasso {
    const sl_point *loop;
    uint32_t n;
    int64_t t_us;
    const sl_item **out;
    size_t found;
} lasso;

/* By how often a line to the right crosses the loop. */
static bool is_within(const lasso *l, sl_point p)
{
    bool within = false;
    for (uint32_t i = 0, k = l->n - 1; i < l->n; k = i++) {
        sl_point a = l->loop[i];
        sl_point b = l->loop[k];
        if ((a.y > p.y) != (b.y > p.y)) {
            double x = a.x + ((double)b.x - a.x) * ((double)p.y - a.y) / ((double)b.y - a.y);
            within = within != (p.x < x);
        }
    }
    return within;
}

/* The points that stand for an item; how many. */
static uint32_t samples_of(const sl_item *item, int64_t t_us, sl_point out[SAMPLES])
{
    sl_form form = sl_tool_of(item->geo.kind)->form;
    sl_point handles[SL_EDIT_POINTS_MAX];
    uint32_t n = sl_item_handles(item, t_us, handles, SL_EDIT_POINTS_MAX);
    if (form == SL_FORM_BOX || form == SL_FORM_OVAL || form == SL_FORM_AREA) {
        out[0] = handles[0];
        out[1] = (sl_point){handles[1].x, handles[0].y};
        out[2] = handles[1];
        out[3] = (sl_point){handles[0].x, handles[1].y};
        return 4;
    }
    if (item->geo.n <= SL_EDIT_POINTS_MAX || sl_item_is_posed(item)) {
        for (uint32_t i = 0; i < n; i++) {
            out[i] = handles[i];
        }
        return n;
    }
    for (uint32_t i = 0; i < SAMPLES; i++) {
        out[i] = item->geo.points[(uint64_t)i * (item->geo.n - 1) / (SAMPLES - 1)];
    }
    return SAMPLES;
}

static bool try_item(void *user, const sl_item *item)
{
    lasso *l = user;
    sl_point samples[SAMPLES];
    uint32_t n = samples_of(item, l->t_us, samples);
    uint32_t within = 0;
    for (uint32_t i = 0; i < n; i++) {
        within += is_within(l, samples[i]);
    }
    if (2 * within > n) {
        l->out[l->found++] = item;
    }
    return true;
}

/* Shell's, with Ciura's gaps: the index tells in no order. */
static void sort_items(const sl_item **items, size_t n)
{
    static const size_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        size_t gap = gaps[g];
        for (size_t i = gap; i < n; i++) {
            const sl_item *item = items[i];
            size_t at = i;
            for (; at >= gap && sl_item_compare(items[at - gap], item) > 0; at -= gap) {
                items[at] = items[at - gap];
            }
            items[at] = item;
        }
    }
}

size_t sl_drawing_lasso(const sl_drawing *d, const sl_point *loop, uint32_t n, int64_t t_us,
                        const sl_item **out)
{
    lasso l = {loop, n, t_us, out, 0};
    sl_box box = {INT32_MAX, INT32_MAX, INT32_MIN, INT32_MIN};
    for (uint32_t i = 0; i < n; i++) {
        box.x0 = loop[i].x < box.x0 ? loop[i].x : box.x0;
        box.y0 = loop[i].y < box.y0 ? loop[i].y : box.y0;
        box.x1 = loop[i].x > box.x1 ? loop[i].x : box.x1;
        box.y1 = loop[i].y > box.y1 ? loop[i].y : box.y1;
    }
    if (n >= 3) {
        sl_drawing_near(d, box, t_us, try_item, &l);
        sort_items(out, l.found);
    }
    return l.found;
}
