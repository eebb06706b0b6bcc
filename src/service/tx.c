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
#include "service/inside.h"

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

void sl_sv_tx_clear(sl_sv_tx *tx)
{
    for (size_t i = 0; i < tx->item_count; i++) {
        sl_record_free(&tx->items[i]->rec);
        sl_mem_free(tx->items[i]);
    }
    sl_mem_free(tx->items);
    sl_mem_free(tx->losses);
    tx->items = NULL;
    tx->item_count = 0;
    tx->item_cap = 0;
    tx->losses = NULL;
    tx->loss_count = 0;
}

static sl_status once(sl_sv_tx *tx, sl_sv_fn fn, void *ctx, sl_error **err)
{
    const sl_db *db = &tx->s->ports.db;
    sl_status status = db->begin(db->user, err);
    if (status != SL_OK) {
        return status;
    }
    status = fn(tx, ctx, err);
    if (status == SL_OK) {
        status = sl_sv_flush(tx, err);
    }
    if (status == SL_OK) {
        status = db->commit(db->user, err);
    }
    if (status != SL_OK) {
        db->rollback(db->user);
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

static sl_sv_item *find_item(const sl_sv_tx *tx, const sl_entity *e, const char *space,
                             const char *id)
{
    for (size_t i = 0; i < tx->item_count; i++) {
        sl_sv_item *item = tx->items[i];
        if (item->entity == e && strcmp(item->id, id) == 0 && strcmp(item->space, space) == 0) {
            return item;
        }
    }
    return NULL;
}

static sl_sv_item *add_item(sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id)
{
    if (tx->item_count == tx->item_cap) {
        size_t cap = tx->item_cap == 0 ? 8 : tx->item_cap * 2;
        sl_sv_item **grown = sl_mem_resize(tx->items, cap, sizeof(void *));
        if (grown == NULL) {
            return NULL;
        }
        tx->items = grown;
        tx->item_cap = cap;
    }
    sl_sv_item *item = sl_mem(sizeof *item);
    if (item != NULL) {
        item->entity = e;
        memcpy(item->space, space, strlen(space) + 1);
        memcpy(item->id, id, strlen(id) + 1);
        tx->items[tx->item_count++] = item;
    }
    return item;
}

sl_status sl_sv_get(sl_sv_tx *tx, const sl_entity *e, const char *space, const char *id,
                    sl_sv_item **out, sl_error **err)
{
    *out = find_item(tx, e, space, id);
    if (*out != NULL) {
        return SL_OK;
    }
    *out = add_item(tx, e, space, id);
    if (*out == NULL) {
        (void)sl_fail_nomem(err);
        return SL_E_NOMEM;
    }
    return sl_sv_load(tx->s, e, space, id, &(*out)->rec, err);
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
    status = sl_record_make(&item->rec, e, item->id, item->space, err);
    item->rec.birth = server_stamp(tx);
    item->dirty = true;
    return status;
}

static sl_status set_cell(sl_sv_item *item, const char *field, const sl_cell *v, sl_error **err)
{
    const sl_field *f = sl_field_find(item->entity, field);
    SL_ASSERT(f != NULL);
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

sl_status sl_sv_bury(sl_sv_tx *tx, sl_sv_item *item, sl_error **err)
{
    (void)tx;
    (void)err;
    if (item->rec.entity != NULL && !item->rec.deleted) {
        item->dirty = true;
        sl_record_bury(&item->rec);
    }
    return SL_OK;
}

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

static sl_status flush_space(sl_sv_tx *tx, size_t from, size_t to, sl_error **err)
{
    int64_t n = 0;
    for (size_t i = from; i < to; i++) {
        n += tx->items[i]->dirty ? 1 : 0;
    }
    if (n == 0) {
        return SL_OK;
    }
    const char *space = tx->items[from]->space;
    sl_sv_rows rows;
    sl_status status = sl_sv_all(tx->s, "UPDATE space SET seq=seq+$1 WHERE space=$2 RETURNING seq",
                                 SL_SV_ARGS(sl_cell_int(n), sl_cell_text(space)), &rows, err);
    if (status == SL_OK && rows.count != 1) {
        status = sl_fail(err, SL_E_INTERNAL, "the space of a record is not there");
    }
    int64_t seq = status == SL_OK ? sl_sv_int(&rows, 0, 0) - n : 0;
    sl_sv_rows_free(&rows);
    for (size_t i = from; status == SL_OK && i < to; i++) {
        if (tx->items[i]->dirty) {
            tx->items[i]->rec.seq = ++seq;
            tx->items[i]->dirty = false;
            tx->items[i]->saved = true;
            status = sl_sv_save(tx->s, &tx->items[i]->rec, err);
        }
    }
    return status;
}

sl_status sl_sv_flush(sl_sv_tx *tx, sl_error **err)
{
    sort_items(tx);
    sl_status status = SL_OK;
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

sl_status sl_sv_space_make(sl_sv_tx *tx, const char *space, sl_error **err)
{
    sl_sv_id epoch;
    sl_status status = sl_sv_uuid(tx->s, epoch, err);
    if (status != SL_OK) {
        return status;
    }
    return sl_sv_run(tx->s, "INSERT INTO space (space, epoch, seq, min_seq) VALUES ($1, $2, 0, 0)",
                     SL_SV_ARGS(sl_cell_text(space), sl_cell_text(epoch)), err);
}

sl_status sl_sv_space_exists(sl_service *s, const char *space, bool *yes, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT seq FROM space WHERE space=$1",
                                 SL_SV_ARGS(sl_cell_text(space)), &rows, err);
    *yes = rows.count > 0;
    sl_sv_rows_free(&rows);
    return status;
}

static const char *const ROLES[] = {"owner", "coach", "member"};

sl_status sl_sv_role(sl_service *s, const char *user, const char *space, unsigned *role,
                     sl_error **err)
{
    *role = 0;
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT role FROM access WHERE user_id=$1 AND space=$2",
                                 SL_SV_ARGS(sl_cell_text(user), sl_cell_text(space)), &rows, err);
    for (unsigned i = 0; status == SL_OK && rows.count > 0 && i < 3; i++) {
        if (strcmp(sl_sv_text(&rows, 0, 0), ROLES[i]) == 0) {
            *role = 1U << i;
        }
    }
    sl_sv_rows_free(&rows);
    if (status == SL_OK && *role == 0 && sl_space_is(space, "coach")) {
        bool open = false; /* a storefront is for all to read */
        status = sl_sv_space_exists(s, space, &open, err);
        *role = open ? SL_R_MEMBER : 0;
    }
    return status;
}

const char *sl_sv_role_name(unsigned role)
{
    for (unsigned i = 0; i < 3; i++) {
        if ((role & (1U << i)) != 0) {
            return ROLES[i];
        }
    }
    return "";
}

sl_status sl_sv_grant(sl_sv_tx *tx, const char *user, const char *space, const char *role,
                      sl_error **err)
{
    sl_sv_space own;
    sl_space_name(own, "user", user);
    sl_status status =
        sl_sv_run(tx->s, "INSERT INTO access (user_id, space, role) VALUES ($1, $2, $3)",
                  SL_SV_ARGS(sl_cell_text(user), sl_cell_text(space), sl_cell_text(role)), err);
    if (status != SL_OK || strcmp(own, space) == 0) {
        return status; /* one's own space needs no grant to be known */
    }
    sl_sv_item *grant = NULL;
    status = sl_sv_new(tx, "grant", own, NULL, &grant, err);
    if (status == SL_OK) {
        status = sl_sv_set(grant, "target", space, err);
    }
    return status == SL_OK ? sl_sv_set(grant, "role", role, err) : status;
}

static sl_status note_loss(sl_sv_tx *tx, const char *user, const char *space, sl_error **err)
{
    sl_sv_loss *grown = sl_mem_resize(tx->losses, tx->loss_count + 1, sizeof *grown);
    if (grown == NULL) {
        return sl_fail_nomem(err);
    }
    tx->losses = grown;
    sl_sv_loss *loss = &grown[tx->loss_count++];
    memset(loss, 0, sizeof *loss);
    memcpy(loss->user, user, strlen(user) + 1);
    memcpy(loss->space, space, strlen(space) + 1);
    return SL_OK;
}

sl_status sl_sv_revoke(sl_sv_tx *tx, const char *user, const char *space, sl_error **err)
{
    sl_sv_space own;
    sl_space_name(own, "user", user);
    sl_status status = sl_sv_run(tx->s, "DELETE FROM access WHERE user_id=$1 AND space=$2",
                                 SL_SV_ARGS(sl_cell_text(user), sl_cell_text(space)), err);
    if (status != SL_OK) {
        return status;
    }
    sl_sv_rows rows;
    status = sl_sv_all(
        tx->s,
        "SELECT \"id\" FROM \"grant\" WHERE \"space\"=$1 AND \"target\"=$2 AND \"deleted\"=0",
        SL_SV_ARGS(sl_cell_text(own), sl_cell_text(space)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_sv_item *grant = NULL;
        status = sl_sv_get(tx, sl_entity_find("grant"), own, sl_sv_text(&rows, i, 0), &grant, err);
        if (status == SL_OK) {
            status = sl_sv_bury(tx, grant, err);
        }
    }
    sl_sv_rows_free(&rows);
    return status == SL_OK ? note_loss(tx, user, space, err) : status;
}
