#include "sync/set.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

#define ANYONE "*"

enum {
    TIME_LEN = 16 /* of a stamp's text; the device follows */
};

typedef struct stamp {
    char time[TIME_LEN + 1];
    const char *device; /* borrowed from the stamp's text */
} stamp;

static stamp stamp_of(const char *hlc)
{
    stamp s = {.device = hlc + TIME_LEN};
    memcpy(s.time, hlc, TIME_LEN);
    return s;
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

static bool add(sl_json *adds, const sl_json *elements, const char *hlc, bool *raised)
{
    stamp s = stamp_of(hlc);
    bool ok = true;
    for (size_t i = 0; ok && i < sl_json_count(elements); i++) {
        ok = mark(adds, sl_json_text(sl_json_at(elements, i)), s.device, s.time, raised);
    }
    return ok;
}

static bool take_out(sl_json *removes, const sl_json *v, const char *hlc, bool *raised)
{
    stamp s = stamp_of(hlc);
    const sl_json *elements = sl_json_get(v, "remove");
    const sl_json *seen = sl_json_get(v, "seen");
    bool ok = true;
    for (size_t i = 0; ok && i < sl_json_count(elements); i++) {
        const char *element = sl_json_text(sl_json_at(elements, i));
        if (seen == NULL) {
            ok = mark(removes, element, ANYONE, s.time, raised);
        }
        const sl_json *d = sl_json_first(sl_json_get(seen, element));
        for (; ok && d != NULL; d = sl_json_next(d)) {
            ok = mark(removes, element, sl_json_key(d), sl_json_text(d), raised);
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

/* Puts marks and value into the record; both are taken. */
static sl_status put(sl_record *rec, const char *field, sl_json *value, sl_json *marks,
                     sl_error **err)
{
    bool ok = sl_json_set(rec->fields, field, value);
    ok = sl_json_set(rec->clocks, field, marks) && ok;
    return ok ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_set_take(sl_record *rec, const sl_field *f, const sl_json *v, const char *hlc,
                      bool *taken, sl_error **err)
{
    const sl_json *old = sl_json_get(rec->clocks, f->name);
    sl_json *adds = own(old, "add");
    sl_json *removes = own(old, "remove");
    sl_json *marks = sl_json_object();
    sl_json *value = NULL;
    bool raised = false;
    *taken = false;
    bool ok = adds != NULL && removes != NULL && marks != NULL &&
              add(adds, sl_json_get(v, "add"), hlc, &raised) && take_out(removes, v, hlc, &raised);
    value = ok ? elements_of(adds, removes) : NULL;
    sl_status status = value != NULL ? SL_OK : sl_fail_nomem(err);
    if (status == SL_OK && count_marks(adds) + count_marks(removes) > SL_SET_MARKS_MAX) {
        status = sl_fail_field(err, SL_E_LIMIT, f->name, "%s was changed too often", f->name);
    }
    if (status == SL_OK) {
        status = sl_schema_check_value(f, value, err);
    }
    if (status == SL_OK && raised) {
        ok = sl_json_set(marks, "add", adds);
        adds = NULL;
        ok = sl_json_set(marks, "remove", removes) && ok;
        removes = NULL;
        status = ok ? put(rec, f->name, value, marks, err) : sl_fail_nomem(err);
        value = ok ? NULL : value;
        marks = ok ? NULL : marks;
        *taken = status == SL_OK;
    }
    sl_json_free(adds);
    sl_json_free(removes);
    sl_json_free(marks);
    sl_json_free(value);
    return status;
}

sl_status sl_counter_take(sl_record *rec, const sl_field *f, const sl_json *v, const char *hlc,
                          bool *taken, sl_error **err)
{
    static const double limit = 9007199254740991.0; /* whole numbers are exact to here */
    stamp s = stamp_of(hlc);
    double sum = sl_json_value(sl_json_get(rec->fields, f->name)) + sl_json_value(v);
    bool raised = false;
    *taken = false;
    if (sl_json_value(v) == 0) {
        return SL_OK;
    }
    if (!(sum >= -limit && sum <= limit)) {
        return sl_fail_field(err, SL_E_LIMIT, f->name, "%s has reached its limit", f->name);
    }
    sl_json *clocks = sl_json_object();
    sl_json *devices = own(rec->clocks, f->name);
    bool ok = clocks != NULL && devices != NULL && sl_json_set(clocks, f->name, devices);
    devices = ok || clocks != NULL ? NULL : devices;
    ok = ok && mark(clocks, f->name, s.device, s.time, &raised);
    ok = ok && sl_json_set(rec->clocks, f->name, sl_json_clone(sl_json_get(clocks, f->name))) &&
         sl_json_set(rec->fields, f->name, sl_json_number(sum));
    sl_json_free(devices);
    sl_json_free(clocks);
    *taken = ok;
    return ok ? SL_OK : sl_fail_nomem(err);
}

bool sl_counter_has(const sl_record *rec, const sl_field *f, const char *hlc)
{
    stamp s = stamp_of(hlc);
    const char *time = sl_json_str(sl_json_get(rec->clocks, f->name), s.device);
    return time != NULL && strcmp(s.time, time) <= 0;
}

/* What the record has seen of the elements that v removes. */
static sl_json *seen_of(const sl_record *rec, const sl_json *v)
{
    const sl_json *elements = sl_json_get(v, "remove");
    const sl_json *adds = sl_json_get(sl_json_get(rec->clocks, sl_json_key(v)), "add");
    sl_json *seen = sl_json_object();
    bool ok = seen != NULL;
    for (size_t i = 0; ok && i < sl_json_count(elements); i++) {
        const char *element = sl_json_text(sl_json_at(elements, i));
        const sl_json *devices = sl_json_get(adds, element);
        ok = devices == NULL || sl_json_set(seen, element, sl_json_clone(devices));
    }
    if (!ok) {
        sl_json_free(seen);
        return NULL;
    }
    return seen;
}

sl_status sl_set_observe(const sl_record *rec, sl_op *op, sl_error **err)
{
    sl_json *out = sl_json_object();
    bool ok = out != NULL;
    for (const sl_json *v = sl_json_first(op->fields); ok && v != NULL; v = sl_json_next(v)) {
        const sl_field *f = sl_field_find(op->entity, sl_json_key(v));
        sl_json *copy = sl_json_clone(v);
        if (f != NULL && f->merge == SL_M_SET && sl_json_get(v, "remove") != NULL) {
            ok = sl_json_set(copy, "seen", seen_of(rec, v));
        }
        ok = sl_json_set(out, sl_json_key(v), copy) && ok;
    }
    if (!ok) {
        sl_json_free(out);
        return sl_fail_nomem(err);
    }
    sl_json_free(op->fields);
    op->fields = out;
    return SL_OK;
}
