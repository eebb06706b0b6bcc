/* service/head.c - the newest numbers of spaces within a transaction, which may be one for many messages. */
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "service/inside.h"
#include "sync/sum.h"

#include <string.h>

enum {
    HEADS_FIRST = 64
};

static uint32_t hash_of(const char *s)
{
    uint32_t h = 2166136261U; /* FNV-1a */
    for (; *s != 0; s++) {
        h = (h ^ (uint8_t)*s) * 16777619U;
    }
    return h;
}

/* The space's place, or the free one where it would be. */
static sl_sv_head *place_of(sl_sv_head *heads, size_t cap, const char *space)
{
    size_t i = hash_of(space) & (cap - 1);
    while (heads[i].space[0] != 0 && strcmp(heads[i].space, space) != 0) {
        i = (i + 1) & (cap - 1);
    }
    return &heads[i];
}

const sl_sv_head *sl_sv_head_find(const sl_service *s, const char *space)
{
    const sl_sv_head *h = s->head_count > 0 ? place_of(s->heads, s->head_cap, space) : NULL;
    return h != NULL && h->space[0] != 0 ? h : NULL;
}

static bool grow(sl_service *s)
{
    size_t cap = s->head_cap == 0 ? HEADS_FIRST : s->head_cap * 2;
    sl_sv_head *heads = sl_mem_array(cap, sizeof *heads);
    if (heads == NULL) {
        return false;
    }
    for (size_t i = 0; i < s->head_cap; i++) {
        if (s->heads[i].space[0] != 0) {
            *place_of(heads, cap, s->heads[i].space) = s->heads[i];
        }
    }
    sl_mem_free(s->heads);
    s->heads = heads;
    s->head_cap = cap;
    return true;
}

/* The sum of a space from before sums were kept, as it was before this transaction. */
static sl_status sum_up(sl_service *s, const char *space, uint64_t *sum, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT id, seq FROM feed WHERE space=$1 AND gone_ms IS NULL",
                                 SL_SV_ARGS(sl_cell_text(space)), &rows, err);
    *sum = 0;
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        *sum += sl_sum_of(sl_sv_text(&rows, i, 0), sl_sv_int(&rows, i, 1));
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* The first in this transaction: n numbers by the space's row. */
static sl_status take_first(sl_service *s, sl_sv_head *h, int64_t n, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "UPDATE space SET seq=seq+$1 WHERE space=$2 RETURNING seq, sum",
                                 SL_SV_ARGS(sl_cell_int(n), sl_cell_text(h->space)), &rows, err);
    if (status == SL_OK && rows.count != 1) {
        status = sl_fail(err, SL_E_INTERNAL, "the space of a record is not there");
    }
    bool summed = status == SL_OK && rows.rows[0].cells[1].kind == SL_CELL_INT;
    h->seq = status == SL_OK ? sl_sv_int(&rows, 0, 0) : 0;
    h->sum = summed ? (uint64_t)sl_sv_int(&rows, 0, 1) : 0;
    sl_sv_rows_free(&rows);
    return status == SL_OK && !summed ? sum_up(s, h->space, &h->sum, err) : status;
}

sl_status sl_sv_head_take(sl_service *s, const char *space, int64_t n, int64_t *seq,
                          sl_sv_head **out, sl_error **err)
{
    if (s->head_count * 2 >= s->head_cap && !grow(s)) {
        return sl_fail_nomem(err);
    }
    sl_sv_head *h = place_of(s->heads, s->head_cap, space);
    int64_t more = SL_PLANTED("seq-not-bumped") ? n - 1 : SL_PLANTED("seq-hole") ? n + 1 : n;
    sl_status status = SL_OK;
    if (h->space[0] != 0) {
        h->seq += more;
    } else {
        sl_sv_copy(h->space, sizeof h->space, space);
        s->head_count++;
        status = take_first(s, h, more, err);
    }
    *seq = h->seq - n;
    *out = h;
    return status;
}

sl_status sl_sv_heads_write(sl_service *s, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && s->head_count > 0 && i < s->head_cap; i++) {
        const sl_sv_head *h = &s->heads[i];
        if (h->space[0] != 0) {
            status = sl_sv_run(s, "UPDATE space SET seq=$1, sum=$2 WHERE space=$3",
                               SL_SV_ARGS(sl_cell_int(h->seq), sl_cell_int((int64_t)h->sum),
                                          sl_cell_text(h->space)),
                               err);
        }
    }
    return status;
}

void sl_sv_heads_forget(sl_service *s)
{
    if (s->head_count > 0) {
        memset(s->heads, 0, s->head_cap * sizeof *s->heads);
        s->head_count = 0;
    }
}
