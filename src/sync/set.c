#include "sync/set.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"

#include <string.h>

#define ANYONE "*"

enum {
    TIME_LEN = 16 /* of a stamp's text; the device follows */
};

typedef struct stamp {
    char time[TIME_LEN + 1];
    char device[SL_HLC_LEN - TIME_LEN + 1];
} stamp;

static stamp stamp_of(sl_hlc hlc)
{
    char text[SL_HLC_LEN + 1];
    stamp s = {.time = ""};
    sl_hlc_print(text, hlc);
    memcpy(s.time, text, TIME_LEN);
    memcpy(s.device, text + TIME_LEN, sizeof s.device);
    return s;
}

/* The field's marks, an empty object when there are none; NULL: out of memory. */
static sl_json *marks_of(const sl_record *rec, const sl_field *f)
{
    const char *text = rec->clocks != NULL ? rec->clocks[f->index].marks : NULL;
    sl_json *marks = text != NULL ? sl_json_parse(text, strlen(text)) : NULL;
    return marks != NULL || text != NULL ? marks : sl_json_object();
}

/* A value as text in the arena, by its JSON; NULL: out of memory. */
static const char *text_in(sl_arena *mem, const sl_json *j)
{
    char *text = sl_json_print(j);
    const char *copy = text != NULL ? sl_arena_text(mem, text, strlen(text)) : NULL;
    sl_mem_free(text);
    return copy;
}

/* The object under `key` as one's own, empty when there is none; NULL: out of memory. */
static sl_json *own(const sl_json *parent, const char *key)
{
    const sl_json *v = sl_json_get(parent, key);
    return sl_json_is_object(v) ? sl_json_clone(v) : sl_json_object();
}

/* Raises the mark to `time`. */
static bool mark(sl_json *marks, const char *element, const char *device, const char *time,
                 bool *raised)
{
    const char *old = sl_json_str(sl_json_get(marks, element), device);
    if (old != NULL && strcmp(old, time) >= 0) {
        return true;
    }
    sl_json *devices = own(marks, element);
    if (!sl_json_set_str(devices, device, time)) {
        sl_json_free(devices);
        return false;
    }
    *raised = true;
    return sl_json_set(marks, element, devices);
}

static bool add(sl_json *adds, const sl_json *elements, sl_hlc hlc, bool *raised)
{
    stamp s = stamp_of(hlc);
    bool ok = true;
    for (size_t i = SL_PLANTED("set-drops-first") ? 1 : 0; ok && i < sl_json_count(elements); i++) {
        ok = mark(adds, sl_json_text(sl_json_at(elements, i)), s.device, s.time, raised);
    }
    return ok;
}

/* A device has seen nothing of its own that is later than the removal: else the removal's stamp was cut. */
static const char *saw(const sl_json *mark_seen, const stamp *s)
{
    const char *time = sl_json_text(mark_seen);
    bool cut = time != NULL && strcmp(sl_json_key(mark_seen), s->device) == 0 &&
               strcmp(time, s->time) > 0 && !SL_PLANTED("seen-uncut");
    return cut ? s->time : time;
}

static bool take_out(sl_json *removes, const sl_json *v, sl_hlc hlc, bool *raised)
{
    stamp s = stamp_of(hlc);
    const sl_json *elements = sl_json_get(v, "remove");
    const sl_json *seen = sl_json_get(v, "seen");
    bool ok = true;
    for (size_t i = SL_PLANTED("set-keeps-first") ? 1 : 0; ok && i < sl_json_count(elements); i++) {
        const char *element = sl_json_text(sl_json_at(elements, i));
        if (seen == NULL) {
            ok = mark(removes, element, ANYONE, s.time, raised);
        }
        const sl_json *d = sl_json_first(sl_json_get(seen, element));
        for (; ok && d != NULL; d = sl_json_next(d)) {
            ok = mark(removes, element, sl_json_key(d), saw(d, &s), raised);
        }
    }
    return ok;
}

static size_t count_marks(const sl_json *marks)
{
    size_t n = 0;
    for (const sl_json *e = sl_json_first(marks); e != NULL; e = sl_json_next(e)) {
        n += sl_json_count(e);
    }
    return n;
}

static bool later(const char *time, const char *than)
{
    return than == NULL || strcmp(time, than) > 0;
}

static bool is_in(const sl_json *added, const sl_json *removed)
{
    const char *anyone = sl_json_str(removed, ANYONE);
    for (const sl_json *d = sl_json_first(added); d != NULL; d = sl_json_next(d)) {
        const char *time = sl_json_text(d);
        if (time != NULL && later(time, anyone) &&
            later(time, sl_json_str(removed, sl_json_key(d)))) {
            return true;
        }
    }
    return false;
}

/* Puts a name into the sorted array of n. */
static void insert(const char **names, size_t n, const char *name)
{
    size_t from = 0;
    size_t to = n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        bool before = strcmp(names[middle], name) < 0;
        from = before ? middle + 1 : from;
        to = before ? to : middle;
    }
    memmove(&names[from + 1], &names[from], (n - from) * sizeof *names);
    names[from] = name;
}

/* The elements that are in, sorted; NULL: out of memory. */
static sl_json *elements_of(const sl_json *adds, const sl_json *removes)
{
    size_t n = 0;
    const char **names = sl_mem_array(sl_json_count(adds) + 1, sizeof *names);
    sl_json *out = sl_json_array();
    bool ok = names != NULL && out != NULL;
    for (const sl_json *e = sl_json_first(adds); ok && e != NULL; e = sl_json_next(e)) {
        if (is_in(e, sl_json_get(removes, sl_json_key(e)))) {
            insert(names, n++, sl_json_key(e));
        }
    }
    for (size_t i = 0; ok && i < n; i++) {
        ok = sl_json_add_str(out, names[i]);
    }
    sl_mem_free(names);
    if (!ok) {
        sl_json_free(out);
        return NULL;
    }
    return out;
}

/* Puts marks and value into the record. */
static sl_status put(sl_record *rec, const sl_field *f, const sl_cell *value, const sl_json *marks,
                     sl_error **err)
{
    sl_clock *clock = sl_record_clock(rec, f);
    const char *text = text_in(&rec->mem, marks);
    if (clock == NULL || text == NULL) {
        return sl_fail_nomem(err);
    }
    clock->marks = text;
    return sl_record_set(rec, f, value, err);
}

/* The marks {"add","remove"} with v in them; NULL: out of memory. */
static sl_json *with_change(const sl_record *rec, const sl_field *f, const sl_json *v, sl_hlc hlc,
                            bool *raised)
{
    sl_json *old = marks_of(rec, f);
    sl_json *adds = own(old, "add");
    sl_json *removes = own(old, "remove");
    sl_json *marks = old != NULL ? sl_json_object() : NULL;
    bool ok = adds != NULL && removes != NULL && marks != NULL &&
              add(adds, sl_json_get(v, "add"), hlc, raised) && take_out(removes, v, hlc, raised);
    sl_json_free(old);
    if (!ok) {
        sl_json_free(adds);
        sl_json_free(removes);
        sl_json_free(marks);
        return NULL;
    }
    ok = sl_json_set(marks, "add", adds);
    ok = sl_json_set(marks, "remove", removes) && ok;
    if (!ok) {
        sl_json_free(marks);
        return NULL;
    }
    return marks;
}

sl_status sl_set_take(sl_record *rec, const sl_field *f, const sl_cell *v, sl_hlc hlc, bool *taken,
                      sl_error **err)
{
    bool raised = false;
    *taken = false;
    sl_json *change = v->kind == SL_CELL_TEXT ? sl_json_parse(v->text, v->len) : NULL;
    sl_json *marks = change != NULL ? with_change(rec, f, change, hlc, &raised) : NULL;
    const sl_json *adds = sl_json_get(marks, "add");
    const sl_json *removes = sl_json_get(marks, "remove");
    sl_json *elements = marks != NULL ? elements_of(adds, removes) : NULL;
    const char *text = elements != NULL ? text_in(&rec->mem, elements) : NULL;
    sl_cell value = sl_cell_text(text);
    sl_status status = text != NULL ? SL_OK : sl_fail_nomem(err);
    if (status == SL_OK && count_marks(adds) + count_marks(removes) > SL_SET_MARKS_MAX) {
        status = sl_fail_field(err, SL_E_LIMIT, f->name, "%s was changed too often", f->name);
    }
    if (status == SL_OK) {
        status = sl_schema_check_value(f, &value, err);
    }
    if (status == SL_OK && raised) {
        status = put(rec, f, &value, marks, err);
        *taken = status == SL_OK;
    }
    sl_json_free(change);
    sl_json_free(elements);
    sl_json_free(marks);
    return status;
}

sl_status sl_counter_take(sl_record *rec, const sl_field *f, const sl_cell *v, sl_hlc hlc,
                          bool *taken, sl_error **err)
{
    stamp s = stamp_of(hlc);
    int64_t by = sl_cell_int_or(v, 0);
    int64_t had = sl_cell_int_or(&rec->values[f->index], 0);
    bool raised = false;
    *taken = false;
    if (by == 0) {
        return SL_OK;
    }
    if (by > SL_JSON_INT_MAX || by < -SL_JSON_INT_MAX || had + by >= SL_JSON_INT_MAX ||
        had + by <= -SL_JSON_INT_MAX) { /* whole numbers are exact to here */
        return sl_fail_field(err, SL_E_LIMIT, f->name, "%s has reached its limit", f->name);
    }
    sl_json *all = sl_json_object();
    sl_json *devices = marks_of(rec, f);
    bool ok = all != NULL && devices != NULL && sl_json_set(all, f->name, devices);
    devices = ok || all != NULL ? NULL : devices;
    ok = ok && mark(all, f->name, s.device, s.time, &raised);
    sl_cell sum = sl_cell_int(had + by);
    sl_status status = ok ? put(rec, f, &sum, sl_json_get(all, f->name), err) : sl_fail_nomem(err);
    sl_json_free(devices);
    sl_json_free(all);
    *taken = status == SL_OK;
    return status;
}

bool sl_counter_has(const sl_record *rec, const sl_field *f, sl_hlc hlc)
{
    stamp s = stamp_of(hlc);
    sl_json *marks = marks_of(rec, f);
    const char *time = sl_json_str(marks, s.device);
    bool yes = time != NULL && strcmp(s.time, time) <= 0;
    sl_json_free(marks);
    return yes;
}

/* What the record has seen of the elements that v removes; NULL: out of memory. */
static sl_json *seen_of(const sl_record *rec, const sl_field *f, const sl_json *v)
{
    const sl_json *elements = sl_json_get(v, "remove");
    sl_json *marks = marks_of(rec, f);
    const sl_json *adds = sl_json_get(marks, "add");
    sl_json *seen = sl_json_object();
    bool ok = seen != NULL && marks != NULL;
    for (size_t i = 0; ok && i < sl_json_count(elements); i++) {
        const char *element = sl_json_text(sl_json_at(elements, i));
        const sl_json *devices = sl_json_get(adds, element);
        ok = devices == NULL || sl_json_set(seen, element, sl_json_clone(devices));
    }
    sl_json_free(marks);
    if (!ok) {
        sl_json_free(seen);
        return NULL;
    }
    return seen;
}

static sl_status observe(const sl_record *rec, sl_op *op, const sl_field *f, sl_error **err)
{
    sl_cell *v = &op->values[f->index];
    sl_json *change = v->kind == SL_CELL_TEXT ? sl_json_parse(v->text, v->len) : NULL;
    if (change == NULL || sl_json_get(change, "remove") == NULL) {
        sl_json_free(change);
        return SL_OK;
    }
    bool ok = sl_json_set(change, "seen", seen_of(rec, f, change));
    const char *text = ok ? text_in(&op->mem, change) : NULL;
    sl_json_free(change);
    *v = sl_cell_text(text);
    return text != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_set_observe(const sl_record *rec, sl_op *op, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < op->entity->field_count; i++) {
        const sl_field *f = &op->entity->fields[i];
        if (f->merge == SL_M_SET && (op->has >> i & 1) != 0) {
            status = observe(rec, op, f, err);
        }
    }
    return status;
}
