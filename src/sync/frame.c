#include "sync/frame.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "sync/frame_inside.h"

#include <string.h>

sl_status sl_frame_broken(sl_error **err)
{
    return sl_fail(err, SL_E_INVALID, "not a frame of this protocol");
}

bool sl_frame_from_client(sl_frame_kind kind)
{
    return kind >= SL_FRAME_CONNECT && kind <= SL_FRAME_SIGNAL;
}

bool sl_frame_from_server(sl_frame_kind kind)
{
    return (kind >= SL_FRAME_CONNECTED && kind <= SL_FRAME_CHECKED) || kind == SL_FRAME_TYPING ||
           kind == SL_FRAME_SIGNAL;
}

sl_items_kind sl_frame_carries(sl_frame_kind kind)
{
    if (kind == SL_FRAME_PUSH) {
        return SL_ITEMS_OPS;
    }
    if (kind == SL_FRAME_RECEIPTS) {
        return SL_ITEMS_RECEIPTS;
    }
    bool records = kind == SL_FRAME_PAGE || kind == SL_FRAME_CHANGE || kind == SL_FRAME_LOADED;
    return records ? SL_ITEMS_RECORDS : SL_ITEMS_NONE;
}

bool sl_frame_names_space(sl_frame_kind kind)
{
    static const sl_frame_kind without[] = {SL_FRAME_NONE, SL_FRAME_CONNECT,   SL_FRAME_PUSH,
                                            SL_FRAME_MORE, SL_FRAME_CONNECTED, SL_FRAME_RECEIPTS,
                                            SL_FRAME_ERROR};
    bool names = true;
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++) {
        names = names && kind != without[i];
    }
    return names;
}

/* --- spaces by number ------------------------------------------------------------------------ */

void sl_wire_free(sl_wire *w)
{
    sl_mem_free(w->spaces);
    sl_mem_free(w->places);
    memset(w, 0, sizeof *w);
}

static uint32_t hash_of(const char *s)
{
    uint32_t h = 2166136261U; /* FNV-1a */
    for (; *s != 0; s++) {
        h = (h ^ (uint8_t)*s) * 16777619U;
    }
    return h;
}

/* The place where the space is, or would be. There is always an empty one. */
static uint32_t *place_of(const sl_wire *w, const char *space)
{
    size_t mask = w->place_count - 1;
    size_t i = hash_of(space) & mask;
    while (w->places[i] != 0 && strcmp(w->spaces[w->places[i] - 1], space) != 0) {
        i = (i + 1) & mask;
    }
    return &w->places[i];
}

static bool grow(sl_wire *w)
{
    size_t cap = w->space_cap == 0 ? 8 : w->space_cap * 2;
    char(*spaces)[SL_SPACE_MAX] = sl_mem_resize(w->spaces, cap, SL_SPACE_MAX);
    if (spaces == NULL) {
        return false;
    }
    w->spaces = spaces;
    uint32_t *places = sl_mem_array(cap * 2, sizeof *places);
    if (places == NULL) {
        return false;
    }
    sl_mem_free(w->places);
    w->places = places;
    w->place_count = cap * 2;
    w->space_cap = cap;
    for (size_t i = 0; i < w->space_count; i++) {
        *place_of(w, w->spaces[i]) = (uint32_t)i + 1;
    }
    return true;
}

static bool add_space(sl_wire *w, const char *space)
{
    if (w->space_count == w->space_cap && !grow(w)) {
        return false;
    }
    memcpy(w->spaces[w->space_count], space, strlen(space) + 1);
    w->space_count++;
    *place_of(w, space) = (uint32_t)w->space_count;
    return true;
}

static void put_name(sl_buf *out, const char *space)
{
    uint8_t id[SL_UUID_BYTES] = {0};
    const char *colon = strchr(space, ':');
    size_t n = colon != NULL ? (size_t)(colon - space) : 0;
    sl_buf_u8(out, (uint8_t)n);
    sl_buf_put(out, space, n);
    out->failed = out->failed || colon == NULL || !sl_uuid_decode(id, colon + 1);
    sl_buf_put(out, id, sizeof id);
}

uint32_t sl_wire_number(sl_wire *w, const char *space)
{
    if (w->last == 0 || strcmp(w->spaces[w->last - 1], space) != 0) {
        w->last = w->place_count > 0 ? *place_of(w, space) : 0;
    }
    return w->last;
}

void sl_wire_put_space(sl_wire *w, sl_buf *out, const char *space)
{
    uint32_t number = sl_wire_number(w, space);
    if (number > 0) {
        sl_buf_varint(out, number);
    } else if (w->server || w->space_count == SL_FRAME_SPACES_MAX) {
        sl_buf_u8(out, 0);
        put_name(out, space);
    } else if (add_space(w, space)) {
        sl_buf_varint(out, w->space_count);
        put_name(out, space);
    } else {
        out->failed = true;
    }
}

static bool read_name(sl_rd *in, char out[SL_SPACE_MAX])
{
    size_t n = sl_rd_u8(in);
    const uint8_t *kind = sl_rd_take(in, n);
    const uint8_t *id = sl_rd_take(in, SL_UUID_BYTES);
    if (id == NULL || n == 0 || n + 1 + SL_UUID_LEN >= SL_SPACE_MAX || memchr(kind, 0, n) != NULL) {
        return false;
    }
    memcpy(out, kind, n);
    out[n] = ':';
    sl_uuid_encode(out + n + 1, id);
    return sl_space_ok(out);
}

bool sl_wire_read_space(sl_wire *w, sl_rd *in, char out[SL_SPACE_MAX])
{
    uint64_t number = sl_rd_varint(in);
    if (in->bad) {
        return false;
    }
    if (number == 0) {
        return read_name(in, out);
    }
    if (number <= w->space_count) {
        memcpy(out, w->spaces[number - 1], SL_SPACE_MAX);
        return true;
    }
    bool may = w->server && number == w->space_count + 1 && number <= SL_FRAME_SPACES_MAX;
    return may && read_name(in, out) && (w->place_count == 0 || *place_of(w, out) == 0) &&
           add_space(w, out);
}

/* --- what a frame carries -------------------------------------------------------------------- */

sl_items *sl_items_new(void)
{
    return sl_mem(sizeof(sl_items));
}

void sl_items_clear(sl_items *it)
{
    it->count = 0;
    it->size = 0;
    it->kind = SL_ITEMS_NONE;
    it->have_bin = false;
    it->have_json = false;
    it->tried_zip = false;
    sl_arena_clear(&it->mem);
}

static void free_lists(sl_items *it)
{
    sl_mem_free(it->records);
    sl_mem_free(it->ops);
    sl_mem_free(it->receipts);
    it->records = NULL;
    it->ops = NULL;
    it->receipts = NULL;
    it->cap = 0;
}

void sl_items_free(sl_items *it)
{
    if (it == NULL) {
        return;
    }
    free_lists(it);
    sl_arena_free(&it->mem);
    sl_arena_free(&it->scratch);
    sl_buf_free(&it->bin);
    sl_buf_free(&it->zip);
    sl_buf_free(&it->json);
    sl_buf_free(&it->body);
    for (size_t i = 0; i < sizeof it->tmp / sizeof it->tmp[0]; i++) {
        sl_buf_free(&it->tmp[i]);
    }
    sl_mem_free(it);
}

size_t sl_items_count(const sl_items *it)
{
    return it->count;
}

size_t sl_items_size(const sl_items *it)
{
    return it->size;
}

/* Room for one more in the list of this size of element. */
static sl_status make_room(sl_items *it, sl_items_kind kind, void **list, size_t size)
{
    SL_ASSERT(it->count == 0 || it->kind == kind);
    if (it->count == SL_FRAME_COUNT_MAX) {
        return SL_E_LIMIT;
    }
    if (it->kind != kind && *list == NULL) {
        free_lists(it);
    }
    if (it->count == it->cap) {
        size_t cap = it->cap == 0 ? 16 : it->cap * 2;
        void *grown = sl_mem_resize(*list, cap, size);
        if (grown == NULL) {
            return SL_E_NOMEM;
        }
        *list = grown;
        it->cap = cap;
    }
    it->kind = kind;
    it->have_bin = false;
    it->have_json = false;
    return SL_OK;
}

/* A copy of n cells; NULL: out of memory. */
static sl_cell *copy_cells(sl_items *it, const sl_cell *from, size_t n)
{
    sl_cell *to = sl_arena_take(&it->mem, n * sizeof *to);
    for (size_t i = 0; to != NULL && i < n; i++) {
        to[i] = from[i];
        it->size += from[i].kind == SL_CELL_TEXT ? from[i].len + 4 : 2;
        to = sl_cell_keep(&to[i], &it->mem) ? to : NULL;
    }
    return to;
}

static const char *copy_text(sl_items *it, const char *s)
{
    size_t n = strlen(s);
    it->size += n;
    return sl_arena_text(&it->mem, s, n);
}

static bool copy_clocks(sl_items *it, sl_record *to, const sl_record *from)
{
    size_t n = from->entity->field_count;
    sl_clock *clocks = sl_arena_take(&it->mem, n * sizeof *clocks);
    for (size_t i = 0; clocks != NULL && i < n; i++) {
        clocks[i] = from->clocks[i];
        if (clocks[i].marks != NULL) {
            clocks[i].marks = copy_text(it, clocks[i].marks);
            clocks = clocks[i].marks != NULL ? clocks : NULL;
        }
    }
    to->clocks = clocks;
    return clocks != NULL;
}

sl_status sl_items_record(sl_items *it, const sl_record *rec)
{
    void *list = it->records;
    sl_status status = make_room(it, SL_ITEMS_RECORDS, &list, sizeof *it->records);
    if (status != SL_OK) {
        return status;
    }
    it->records = list;
    sl_record *to = &it->records[it->count];
    *to = *rec;
    memset(&to->mem, 0, sizeof to->mem);
    it->size += 48;
    to->values = copy_cells(it, rec->values, rec->entity->field_count);
    bool ok = to->values != NULL && (rec->clocks == NULL || copy_clocks(it, to, rec));
    if (ok && rec->ext != NULL) {
        to->ext = copy_text(it, rec->ext);
        ok = to->ext != NULL;
    }
    it->count += ok;
    return ok ? SL_OK : SL_E_NOMEM;
}

sl_status sl_items_op(sl_items *it, const sl_op *op)
{
    void *list = it->ops;
    sl_status status = make_room(it, SL_ITEMS_OPS, &list, sizeof *it->ops);
    if (status != SL_OK) {
        return status;
    }
    it->ops = list;
    sl_op *to = &it->ops[it->count];
    *to = *op;
    memset(&to->mem, 0, sizeof to->mem);
    it->size += 48;
    if (op->values != NULL) {
        to->values = copy_cells(it, op->values, op->entity->field_count);
        if (to->values == NULL) {
            return SL_E_NOMEM;
        }
    }
    it->count++;
    return SL_OK;
}

sl_status sl_items_receipt(sl_items *it, const sl_receipt *r)
{
    void *list = it->receipts;
    sl_status status = make_room(it, SL_ITEMS_RECEIPTS, &list, sizeof *it->receipts);
    if (status != SL_OK) {
        return status;
    }
    it->receipts = list;
    sl_receipt *to = &it->receipts[it->count];
    *to = *r;
    const char **texts[] = {&to->code, &to->message, &to->field};
    for (size_t i = 0; i < 3; i++) {
        if (*texts[i] != NULL) {
            *texts[i] = copy_text(it, *texts[i]);
            if (*texts[i] == NULL) {
                return SL_E_NOMEM;
            }
        }
    }
    it->count++;
    return SL_OK;
}

void sl_frame_put(sl_wire *w, sl_buf *out, const sl_frame *f, sl_items *items)
{
    if (w->binary) {
        sl_frame_bin_put(w, out, f, items);
    } else {
        sl_frame_json_put(out, f, items);
    }
}

/* --- reading --------------------------------------------------------------------------------- */

sl_frame_in *sl_frame_in_new(void)
{
    return sl_mem(sizeof(sl_frame_in));
}

void sl_frame_in_free(sl_frame_in *in)
{
    if (in != NULL) {
        sl_buf_free(&in->unpacked);
        sl_arena_free(&in->mem);
        sl_json_free(in->json);
        sl_mem_free(in);
    }
}

const char *sl_frame_text(sl_frame_in *in, const void *p, size_t n)
{
    bool ok = n == 0 || (memchr(p, 0, n) == NULL && sl_utf8_ok(p, n));
    return ok ? sl_arena_text(&in->mem, p, n) : NULL;
}

sl_status sl_frame_read(sl_frame_in *in, sl_wire *w, const void *p, size_t n, sl_frame *out,
                        sl_error **err)
{
    sl_arena_clear(&in->mem);
    sl_json_free(in->json);
    in->json = NULL;
    in->item = NULL;
    in->wire = w;
    in->binary = w->binary;
    in->left = 0;
    in->single = false;
    in->items = (sl_rd){NULL, 0, false};
    in->run.left = 0;
    in->last_n = 0;
    in->last_seq = 0;
    in->same_left = 0;
    memset(&in->frame, 0, sizeof in->frame);
    memset(out, 0, sizeof *out);
    if (n > SL_FRAME_MAX) {
        return sl_fail(err, SL_E_LIMIT, "a frame may have 4 MiB");
    }
    sl_status status =
        w->binary ? sl_frame_bin_read(in, p, n, err) : sl_frame_json_read(in, p, n, err);
    if (status == SL_OK) {
        *out = in->frame;
    } else {
        in->left = 0;
    }
    return status;
}

sl_status sl_frame_record(sl_frame_in *in, sl_record *rec, bool *got, sl_error **err)
{
    *got = in->left > 0;
    if (!*got) {
        return SL_OK;
    }
    sl_status status =
        in->binary ? sl_frame_bin_record(in, rec, err) : sl_frame_json_record(in, rec, err);
    in->left = status == SL_OK ? in->left - 1 : 0;
    return status;
}

sl_status sl_frame_op(sl_frame_in *in, sl_op *op, bool *got, bool *bad, sl_error **why)
{
    *got = in->left > 0;
    *bad = false;
    if (!*got) {
        return SL_OK;
    }
    sl_status status =
        in->binary ? sl_frame_bin_op(in, op, bad, why) : sl_frame_json_op(in, op, bad, why);
    in->left = status == SL_OK ? in->left - 1 : 0;
    return status;
}

sl_status sl_frame_receipt(sl_frame_in *in, sl_receipt *r, bool *got, sl_error **err)
{
    memset(r, 0, sizeof *r);
    *got = in->left > 0;
    if (!*got) {
        return SL_OK;
    }
    sl_status status =
        in->binary ? sl_frame_bin_receipt(in, r, err) : sl_frame_json_receipt(in, r, err);
    in->left = status == SL_OK ? in->left - 1 : 0;
    return status;
}
