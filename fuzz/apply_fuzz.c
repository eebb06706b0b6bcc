/*
 * fuzz/apply_fuzz.c - batches of operations from an app, line by line, on a core without a network.
 *
 * A line is a batch for sl_apply; "G name ops" one for sl_apply_group, "U space" and "R space" are sl_undo and
 * sl_redo. A batch that is refused leaves nothing behind, and what was done can be undone.
 */
#include "fuzz/core_rig.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    LINES_MAX = 100
};

/* All that the seeds write, as text: a refused batch changes none of it. */
static sl_bytes *state(rig *r, const char *entity)
{
    char query[80];
    sl_bytes *rows = NULL;
    int n = snprintf(query, sizeof query, "{\"from\":\"%s\",\"order\":[\"id\"],\"limit\":10000}",
                     entity);
    must(sl_query_once(r->core, query, (size_t)n, &rows, NULL) == SL_OK);
    return rows;
}

static bool same(const sl_bytes *a, const sl_bytes *b)
{
    return sl_bytes_len(a) == sl_bytes_len(b) &&
           memcmp(sl_bytes_data(a), sl_bytes_data(b), sl_bytes_len(a)) == 0;
}

static sl_status run(rig *r, const char *p, size_t n)
{
    const char *end = n > 2 ? memchr(p + 2, ' ', n - 2) : NULL;
    if (n > 2 && p[1] == ' ' && (p[0] == 'U' || p[0] == 'R')) {
        char *space = sl_text_ndup(p + 2, n - 2);
        sl_status status =
            p[0] == 'U' ? sl_undo(r->core, space, NULL, NULL) : sl_redo(r->core, space, NULL, NULL);
        sl_mem_free(space);
        return status;
    }
    if (n > 2 && p[0] == 'G' && p[1] == ' ' && end != NULL) {
        char *group = sl_text_ndup(p + 2, (size_t)(end - p - 2));
        sl_status status =
            sl_apply_group(r->core, group, end + 1, (size_t)(p + n - end - 1), NULL, NULL);
        sl_mem_free(group);
        return status;
    }
    return sl_apply(r->core, p, n, NULL, NULL);
}

static void line(rig *r, const char *p, size_t n)
{
    static const char *const entities[] = {"video", "comment", "annotation"};
    sl_bytes *before[3];
    for (size_t i = 0; i < 3; i++) {
        before[i] = state(r, entities[i]);
    }
    sl_status status = run(r, p, n);
    for (size_t i = 0; i < 3; i++) {
        sl_bytes *after = state(r, entities[i]);
        must(status == SL_OK || same(before[i], after));
        sl_bytes_release(after);
        sl_bytes_release(before[i]);
    }
    rig_step(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rig r;
    const char *p = (const char *)data;
    rig_begin(&r);
    rig_open(&r, false);
    for (int lines = 0; size > 0 && lines < LINES_MAX; lines++) {
        const char *end = memchr(p, '\n', size);
        size_t n = end != NULL ? (size_t)(end - p) : size;
        line(&r, p, n);
        n += end != NULL;
        p += n;
        size -= n;
    }
    rig_end(&r);
    return 0;
}
