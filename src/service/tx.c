/*
 * service/tx.c - one transaction: records are read and changed in memory; at the end each
 * changed one takes the next number of its space and is written.
 *
 *   [SEQ-1] numbers of a space are dense: a number is taken by the transaction that commits it;
 *   [SEQ-2] one transaction changes a record under one number, however often it touches it.
 */
#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "service/news.h"
#include "sync/sum.h"

#include <string.h>

enum {
    TRIES = 5
};

int64_t sl_sv_now(const sl_service *s)
{
    const sl_platform *p = s->ports.platform;
    return p->clock->wall_ms(p->user);
}

sl_status sl_sv_random(const sl_service *s, void *dst, size_t n, sl_error **err)
{
    const sl_platform *p = s->ports.platform;
    return p->random->fill(p->user, dst, n) == SL_OK
               ? SL_OK
               : sl_fail(err, SL_E_IO, "the source of random numbers failed");
}

sl_status sl_sv_uuid(const sl_service *s, sl_sv_id out, sl_error **err)
{
    uint8_t random[10];
    sl_status status = sl_sv_random(s, random, sizeof random, err);
    if (status == SL_OK) {
        sl_uuid7(out, sl_sv_now(s), random);
    }
    return status;
}

static void forget_before(sl_sv_tx *tx)
{
    for (size_t i = 0; i < tx->before_count; i++) {
        sl_record_free(&tx->before[i].rec);
    }
    tx->before_count = 0;
}

void sl_sv_tx_clear(sl_sv_tx *tx)
{
    for (size_t i = 0; i < tx->item_count; i++) {
        sl_record_free(&tx->items[i]->rec);
        sl_mem_free(tx->items[i]);
    }
    forget_before(tx);
    sl_mem_free(tx->items);
    sl_mem_free(tx->places);
    sl_mem_free(tx->losses);
    sl_mem_free(tx->before);
    sl_service *s = tx->s;
    memset(tx, 0, sizeof *tx);
    tx->s = s;
}

static sl_status once(sl_sv_tx *tx, sl_sv_fn fn, void *ctx, sl_error **err)
{
    sl_status status = sl_sv_batch_enter(tx->s, err);
    if (status != SL_OK) {
        return status;
    }
    status = fn(tx, ctx, err);
    if (status == SL_OK) {
        status = sl_sv_flush(tx, err);
    }
    if (status == SL_OK) {
        status = sl_sv_batch_leave(tx->s, err);
    }
    if (status != SL_OK) {
        sl_sv_batch_undo(tx->s);
    }
    return status;
}

sl_status sl_sv_transact(sl_service *s, sl_sv_tx *tx, sl_sv_fn fn, void *ctx, sl_error **err)
{
    memset(tx, 0, sizeof *tx);
    tx->s = s;
    sl_status status = SL_E_BUSY;
    for (int i = 0; i < TRIES && status == SL_E_BUSY; i++) {
        sl_sv_tx_clear(tx);
        if (err != NULL && *err != NULL) {
            sl_error_release(*err);
            *err = NULL;
        }
        tx->now_ms = sl_sv_now(s);
        status = once(tx, fn, ctx, err);
    }
    return status;
}

sl_status sl_sv_change(sl_service *s, sl_sv_fn fn, void *ctx, sl_error **err)
{
    sl_sv_tx tx;
    sl_status status = sl_sv_transact(s, &tx, fn, ctx, err);
    if (status == SL_OK) {
        sl_sv_publish(s, &tx);
    }
    sl_sv_tx_clear(&tx);
    return status;
}

static size_t hash_of(const char *id)
{
    uint32_t h = 2166136261U; /* FNV-1a */
    for (; *id != 0; id++) {
        h = (h ^ (uint8_t)*id) * 16777619U;
    }
    return h;
}

static sl_sv_item *find_item(const sl_sv_tx *tx, const sl_entity *e, const char *space,
                             const char *id)
{
    size_t mask = tx->place_count - 1;
    for (size_t i = hash_of(id); tx->place_count > 0 && tx->places[i & mask] != 0; i++) {
        sl_sv_item *item = tx->items[tx->places[i & mask] - 1];
        if (item->entity == e && strcmp(item->id, id) == 0 && strcmp(item->space, space) == 0) {
            return item;
        }
    }
    return NULL;
}

bool sl_sv_has(const sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id)
{
    return find_item(tx, e, space, id) != NULL;
}

bool sl_sv_has_elsewhere(const sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id)
{
    size_t mask = tx->place_count - 1;
    for (size_t i = hash_of(id); tx->place_count > 0 && tx->places[i & mask] != 0; i++) {
        const sl_sv_item *item = tx->items[tx->places[i & mask] - 1];
        if (item->entity == e && item->rec.entity != NULL && strcmp(item->id, id) == 0 &&
            strcmp(item->space, space) != 0) {
            return true;
        }
    }
    return false;
}

static void note_place(sl_sv_tx *tx, size_t item)
{
    size_t mask = tx->place_count - 1;
    size_t i = hash_of(tx->items[item]->id);
    while (tx->places[i & mask] != 0) {
        i++;
    }
    tx->places[i & mask] = (uint32_t)item + 1;
}

static bool grow_items(sl_sv_tx *tx)
{
    size_t cap = tx->item_cap == 0 ? 8 : tx->item_cap * 2;
    sl_sv_item **grown = sl_mem_resize(tx->items, cap, sizeof(void *));
    if (grown == NULL) {
        return false;
    }
    tx->items = grown;
    uint32_t *places = sl_mem_array(cap * 2, sizeof *places);
    if (places == NULL) {
        return false;
    }
    sl_mem_free(tx->places);
    tx->places = places;
    tx->place_count = cap * 2;
    tx->item_cap = cap;
    for (size_t i = 0; i < tx->item_count; i++) {
        note_place(tx, i);
    }
    return true;
}

static sl_sv_item *add_item(sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id)
{
    if (tx->item_count == tx->item_cap && !grow_items(tx)) {
        return NULL;
    }
    sl_sv_item *item = sl_mem(sizeof *item);
    if (item != NULL) {
        item->tx = tx;
        item->entity = e;
        item->mark = tx->mark;
        memcpy(item->space, space, strlen(space) + 1);
        memcpy(item->id, id, strlen(id) + 1);
        tx->items[tx->item_count] = item;
        note_place(tx, tx->item_count++);
    }
    return item;
}

/* The last one added: no other was placed behind it. */
static void remove_last(sl_sv_tx *tx)
{
    size_t mask = tx->place_count - 1;
    sl_sv_item *item = tx->items[--tx->item_count];
    size_t i = hash_of(item->id);
    while (tx->places[i & mask] != (uint32_t)tx->item_count + 1) {
        i++;
    }
    tx->places[i & mask] = 0;
    sl_record_free(&item->rec);
    sl_mem_free(item);
}

/* ---- parts ---- */

void sl_sv_part_begin(sl_sv_tx *tx)
{
    tx->mark++;
    tx->part_saved = false;
    tx->part_items = tx->item_count;
    tx->part_losses = tx->loss_count;
    forget_before(tx);
}

sl_status sl_sv_part_keep(sl_sv_tx *tx, sl_error **err)
{
    return tx->part_saved ? sl_sv_run(tx->s, "RELEASE SAVEPOINT part", NULL, 0, err) : SL_OK;
}

sl_status sl_sv_part_undo(sl_sv_tx *tx, sl_error **err)
{
    for (size_t i = 0; i < tx->before_count; i++) {
        sl_sv_before_part *was = &tx->before[i];
        sl_record now = was->item->rec;
        was->item->rec = was->rec;
        was->item->dirty = was->dirty;
        was->rec = now; /* freed with the list */
    }
    forget_before(tx);
    while (tx->item_count > tx->part_items) {
        remove_last(tx);
    }
    tx->loss_count = tx->part_losses;
    if (!tx->part_saved) {
        return SL_OK;
    }
    sl_sv_known_forget(tx->s);
    sl_status status = sl_sv_run(tx->s, "ROLLBACK TO SAVEPOINT part", NULL, 0, err);
    return status == SL_OK ? sl_sv_part_keep(tx, err) : status;
}

sl_status sl_sv_write(sl_sv_tx *tx, const char *sql, const sl_cell *args, size_t n, sl_error **err)
{
    sl_status status = SL_OK;
    if (tx->mark > 0 && !tx->part_saved) {
        status = sl_sv_run(tx->s, "SAVEPOINT part", NULL, 0, err);
        tx->part_saved = status == SL_OK;
    }
    return status == SL_OK ? sl_sv_run(tx->s, sql, args, n, err) : status;
}

sl_status sl_sv_touch(sl_sv_item *item, sl_error **err)
{
    sl_sv_tx *tx = item->tx;
    if (item->mark == tx->mark) {
        return SL_OK; /* noted, or not there before this part */
    }
    if (tx->before_count == tx->before_cap) {
        size_t cap = tx->before_cap == 0 ? 8 : tx->before_cap * 2;
        sl_sv_before_part *grown = sl_mem_resize(tx->before, cap, sizeof *grown);
        if (grown == NULL) {
            return sl_fail_nomem(err);
        }
        tx->before = grown;
        tx->before_cap = cap;
    }
    sl_sv_before_part *was = &tx->before[tx->before_count];
    memset(was, 0, sizeof *was);
    was->item = item;
    was->dirty = item->dirty;
    if (item->rec.entity != NULL && sl_record_copy(&was->rec, &item->rec) != SL_OK) {
        return sl_fail_nomem(err);
    }
    tx->before_count++;
    item->mark = tx->mark;
    return SL_OK;
}

sl_status sl_sv_get_none(sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id,
                         sl_sv_item **out, sl_error **err)
{
    *out = add_item(tx, e, space, id);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_sv_get(sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id,
                    sl_sv_item **out, sl_error **err)
{
    *out = find_item(tx, e, space, id);
    if (*out != NULL) {
        return SL_OK;
    }
    sl_status status = sl_sv_get_none(tx, e, space, id, out, err);
    if (status != SL_OK) {
        return status;
    }
    status = sl_sv_load(tx->s, e, space, id, &(*out)->rec, err);
    (*out)->had = (*out)->rec.entity != NULL ? (*out)->rec.seq : 0;
    (*out)->summed = (*out)->had > 0 && !(*out)->rec.deleted;
    return status;
}

/* The stamp of what the server writes by itself. */
static sl_hlc server_stamp(const sl_sv_tx *tx)
{
    return (sl_hlc){(uint64_t)(tx->now_ms > 0 ? tx->now_ms : 0) << 16, 0};
}

sl_status sl_sv_new(sl_sv_tx *tx, const char *entity, const char *space, const char *id,
                    sl_sv_item **out, sl_error **err)
{
    sl_sv_id fresh;
    sl_status status = id == NULL ? sl_sv_uuid(tx->s, fresh, err) : SL_OK;
    if (status != SL_OK) {
        return status;
    }
    const sl_entity *e = sl_entity_find(entity);
    SL_ASSERT(e != NULL);
    status = sl_sv_get(tx, e, space, id != NULL ? id : fresh, out, err);
    if (status != SL_OK) {
        return status;
    }
    sl_sv_item *item = *out;
    if (item->rec.entity != NULL) {
        return sl_fail(err, SL_E_CONFLICT, "the %s already exists", entity);
    }
    status = sl_sv_touch(item, err);
    if (status == SL_OK) {
        status = sl_record_make(&item->rec, e, item->id, item->space, err);
    }
    item->rec.birth = server_stamp(tx);
    item->dirty = true;
    return status;
}

static sl_status set_cell(sl_sv_item *item, const char *field, const sl_cell *v, sl_error **err)
{
    const sl_field *f = sl_field_find(item->entity, field);
    SL_ASSERT(f != NULL);
    sl_status status = sl_sv_touch(item, err);
    if (status != SL_OK) {
        return status;
    }
    item->dirty = true;
    return sl_record_set(&item->rec, f, v, err);
}

sl_status sl_sv_set(sl_sv_item *item, const char *field, const char *value, sl_error **err)
{
    sl_cell v = sl_cell_text(value);
    return set_cell(item, field, &v, err);
}

sl_status sl_sv_set_int(sl_sv_item *item, const char *field, int64_t value, sl_error **err)
{
    sl_cell v = sl_cell_int(value);
    return set_cell(item, field, &v, err);
}

sl_status sl_sv_bury(sl_sv_item *item, sl_error **err)
{
    if (item->rec.entity == NULL || item->rec.deleted || SL_PLANTED("bury-noop")) {
        return SL_OK;
    }
    sl_status status = sl_sv_touch(item, err);
    if (status == SL_OK) {
        item->dirty = true;
        sl_record_bury(&item->rec);
    }
    return status;
}

/* ---- the end ---- */

/* Puts the items in order of space; order among equals is kept. */
static void sort_items(sl_sv_tx *tx)
{
    for (size_t i = 1; i < tx->item_count; i++) {
        sl_sv_item *item = tx->items[i];
        size_t k = i;
        while (k > 0 && strcmp(tx->items[k - 1]->space, item->space) > 0) {
            tx->items[k] = tx->items[k - 1];
            k--;
        }
        tx->items[k] = item;
    }
}

/* A record that is new stands for good where it is first stored. */
static sl_status give_place(sl_sv_item *item, sl_error **err)
{
    const sl_entity *e = item->entity;
    bool new =
        (item->had == 0 || SL_PLANTED("place-moves")) && e->place_field >= 0 && !item->rec.deleted;
    sl_cell place = sl_cell_int(item->rec.seq);
    return new ? sl_record_set(&item->rec, &e->fields[e->place_field], &place, err) : SL_OK;
}

/* What a change of it may make wrong is not known any more. */
static void forget_by(const sl_sv_item *item)
{
    const char *name = item->entity->name;
    if (strcmp(name, "block") == 0 ||
        (strcmp(name, "participant") == 0 && (item->had == 0 || item->rec.deleted))) {
        sl_sv_known_forget(item->tx->s);
    }
}

static sl_status flush_space(sl_sv_tx *tx, size_t from, size_t to, sl_error **err)
{
    int64_t n = 0;
    int64_t seq = 0;
    sl_sv_head *head = NULL;
    for (size_t i = from; i < to; i++) {
        n += tx->items[i]->dirty ? 1 : 0;
    }
    if (n == 0) {
        return SL_OK;
    }
    sl_status status = sl_sv_head_take(tx->s, tx->items[from]->space, n, &seq, &head, err);
    for (size_t i = from; status == SL_OK && i < to; i++) {
        sl_sv_item *item = tx->items[i];
        if (item->dirty) {
            forget_by(item);
            item->rec.seq = ++seq;
            item->dirty = false;
            item->saved = true;
            item->fresh = item->fresh || item->had == 0;
            head->sum -= item->summed ? sl_sum_of(item->id, item->had) : 0;
            head->sum += !item->rec.deleted ? sl_sum_of(item->id, seq) : 0;
            item->summed = !item->rec.deleted;
            status = give_place(item, err);
            status = status == SL_OK ? sl_sv_save(tx->s, &item->rec, item->had, err) : status;
            item->had = seq;
        }
    }
    return status;
}

sl_status sl_sv_flush(sl_sv_tx *tx, sl_error **err)
{
    sl_status status = sl_sv_news_keep(tx, err);
    if (status != SL_OK) {
        return status;
    }
    sort_items(tx);
    if (tx->item_count > 0) {
        memset(tx->places, 0, tx->place_count * sizeof *tx->places);
    }
    for (size_t i = 0; i < tx->item_count; i++) {
        note_place(tx, i);
    }
    size_t from = 0;
    while (status == SL_OK && from < tx->item_count) {
        size_t to = from + 1;
        while (to < tx->item_count && strcmp(tx->items[to]->space, tx->items[from]->space) == 0) {
            to++;
        }
        status = flush_space(tx, from, to, err);
        from = to;
    }
    return status;
}
