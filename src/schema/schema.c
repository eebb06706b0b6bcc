#include "schema/schema.h"

#include "base/error.h"
#include "base/uuid.h"

#include <stdio.h>
#include <string.h>

const sl_entity *sl_entity_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < sl_entity_count; i++) {
        if (strcmp(sl_entities[i].name, name) == 0) {
            return &sl_entities[i];
        }
    }
    return NULL;
}

const sl_field *sl_field_find(const sl_entity *e, const char *name)
{
    for (size_t i = 0; i < e->field_count; i++) {
        if (strcmp(e->fields[i].name, name) == 0) {
            return &e->fields[i];
        }
    }
    return NULL;
}

const sl_entity *sl_entity_of(uint64_t no)
{
    for (size_t i = 0; i < sl_entity_count; i++) {
        if (sl_entities[i].no == no) {
            return &sl_entities[i];
        }
    }
    return NULL;
}

const sl_field *sl_field_of(const sl_entity *e, uint64_t no)
{
    if (no > 0 && no <= e->field_count && e->fields[no - 1].no == no) {
        return &e->fields[no - 1]; /* the common case: numbers in order of the schema */
    }
    for (size_t i = 0; i < e->field_count; i++) {
        if (e->fields[i].no == no) {
            return &e->fields[i];
        }
    }
    return NULL;
}

bool sl_space_is(const char *space, const char *kind)
{
    size_t n = strlen(kind);
    return space != NULL && strncmp(space, kind, n) == 0 && space[n] == ':' &&
           sl_uuid_ok(space + n + 1);
}

/* Their places are their numbers in binary encodings: appended to only. */
static const char *const KINDS[] = {"user", "video", "thread", "program", "coach", "organisation"};

enum {
    KIND_COUNT = sizeof KINDS / sizeof KINDS[0]
};

bool sl_space_ok(const char *space)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (sl_space_is(space, KINDS[i])) {
            return true;
        }
    }
    return false;
}

bool sl_space_has_places(const char *space)
{
    for (size_t i = 0; i < sl_entity_count; i++) {
        if (sl_entities[i].place_field >= 0 && sl_space_is(space, sl_entities[i].space_kind)) {
            return true;
        }
    }
    return false;
}

bool sl_space_encode(uint8_t out[SL_SPACE_BYTES], const char *space)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (sl_space_is(space, KINDS[i])) {
            out[0] = (uint8_t)i;
            return sl_uuid_decode(out + 1, sl_space_id(space));
        }
    }
    return false;
}

bool sl_space_decode(char out[SL_SPACE_MAX], const uint8_t bytes[SL_SPACE_BYTES])
{
    char id[SL_UUID_LEN + 1];
    if (bytes[0] >= KIND_COUNT) {
        return false;
    }
    sl_uuid_encode(id, bytes + 1);
    sl_space_name(out, KINDS[bytes[0]], id);
    return true;
}

const char *sl_space_id(const char *space)
{
    return strchr(space, ':') + 1;
}

void sl_space_name(char out[SL_SPACE_MAX], const char *kind, const char *id)
{
    (void)snprintf(out, SL_SPACE_MAX, "%s:%s", kind, id);
}

static bool in_values(const sl_field *f, const char *v)
{
    for (size_t i = 0; f->values[i] != NULL; i++) {
        if (strcmp(f->values[i], v) == 0) {
            return true;
        }
    }
    return false;
}

static bool hex64(const char *s)
{
    return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static sl_status check_length(const sl_field *f, const sl_cell *v, sl_error **err)
{
    int64_t n = v->len;
    if (f->type == SL_T_JSON && n > f->max) {
        return sl_fail_field(err, SL_E_INVALID, f->name, "%s is larger than %lld bytes", f->name,
                             (long long)f->max);
    }
    if (f->type != SL_T_JSON && (n < f->min || n > f->max)) {
        return sl_fail_field(err, SL_E_INVALID, f->name,
                             "%s must be %lld to %lld bytes long and has %lld", f->name,
                             (long long)f->min, (long long)f->max, (long long)n);
    }
    return SL_OK;
}

static sl_status check_text(const sl_field *f, const sl_cell *v, sl_error **err)
{
    if (f->type == SL_T_ENUM && !in_values(f, v->text)) {
        return sl_fail_field(err, SL_E_INVALID, f->name, "%s may not be \"%s\"", f->name, v->text);
    }
    if (f->type == SL_T_REF && !sl_uuid_ok(v->text)) {
        return sl_fail_field(err, SL_E_INVALID, f->name, "%s must be an id", f->name);
    }
    if (f->type == SL_T_BLOB && !hex64(v->text)) {
        return sl_fail_field(err, SL_E_INVALID, f->name, "%s must be a SHA-256 in hex", f->name);
    }
    return check_length(f, v, err);
}

static sl_status check_number(const sl_field *f, const sl_cell *v, sl_error **err)
{
    double x = v->kind == SL_CELL_REAL ? v->r : (double)v->i;
    if (!(x >= (double)f->min && x <= (double)f->max)) {
        return sl_fail_field(err, SL_E_INVALID, f->name, "%s must be from %lld to %lld", f->name,
                             (long long)f->min, (long long)f->max);
    }
    return SL_OK;
}

/* The kind of cell that a value of this type is. */
static sl_cell_kind kind_of(sl_type type)
{
    switch (type) {
    case SL_T_INT:
    case SL_T_BOOL: return SL_CELL_INT;
    case SL_T_REAL: return SL_CELL_REAL;
    case SL_T_TEXT:
    case SL_T_REF:
    case SL_T_BLOB:
    case SL_T_ENUM:
    case SL_T_JSON: return SL_CELL_TEXT;
    }
    return SL_CELL_NULL;
}

bool sl_schema_kind_ok(const sl_field *f, const sl_cell *v)
{
    return v->kind == SL_CELL_NULL || v->kind == kind_of(f->type);
}

sl_status sl_schema_check_value(const sl_field *f, const sl_cell *v, sl_error **err)
{
    if (v->kind == SL_CELL_NULL) {
        return f->required ? sl_fail_field(err, SL_E_INVALID, f->name, "%s is required", f->name)
                           : SL_OK;
    }
    if (!sl_schema_kind_ok(f, v)) {
        return sl_fail_field(err, SL_E_INVALID, f->name, "%s has a value of another type", f->name);
    }
    switch (f->type) {
    case SL_T_TEXT:
    case SL_T_REF:
    case SL_T_BLOB:
    case SL_T_ENUM: return check_text(f, v, err);
    case SL_T_INT:
    case SL_T_REAL: return check_number(f, v, err);
    case SL_T_BOOL:
        return v->i == 0 || v->i == 1
                   ? SL_OK
                   : sl_fail_field(err, SL_E_INVALID, f->name, "%s is true or false", f->name);
    case SL_T_JSON: return check_length(f, v, err);
    }
    return sl_fail(err, SL_E_INTERNAL, "field %s has no type", f->name);
}

enum {
    SET_NAMES_MAX = 64, /* of one operation */
    SET_NAME_MAX = 64   /* bytes */
};

static bool is_names(const sl_json *v)
{
    bool ok = sl_json_is_array(v) && sl_json_count(v) <= SET_NAMES_MAX;
    for (size_t i = 0; ok && i < sl_json_count(v); i++) {
        const char *name = sl_json_text(sl_json_at(v, i));
        ok = name != NULL && name[0] != 0 && strlen(name) <= SET_NAME_MAX;
    }
    return ok;
}

static bool hex_of(const char *s, size_t n)
{
    return s != NULL && strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

/* {element: {device: time}} */
static bool is_seen(const sl_json *v)
{
    bool ok = sl_json_is_object(v) && sl_json_count(v) <= SET_NAMES_MAX;
    for (const sl_json *e = sl_json_first(v); ok && e != NULL; e = sl_json_next(e)) {
        ok = sl_json_is_object(e) && strlen(sl_json_key(e)) <= SET_NAME_MAX;
        for (const sl_json *d = ok ? sl_json_first(e) : NULL; ok && d != NULL;
             d = sl_json_next(d)) {
            ok = hex_of(sl_json_key(d), 8) && hex_of(sl_json_text(d), 16);
        }
    }
    return ok;
}

/* What an operation does to a set. */
static sl_status check_set_op(const sl_field *f, const sl_cell *v, sl_error **err)
{
    sl_json *op = NULL;
    if (v->kind == SL_CELL_TEXT && sl_json_read(v->text, v->len, &op, NULL) == SL_E_NOMEM) {
        return sl_fail_nomem(err); /* it may well be valid */
    }
    bool ok = sl_json_is_object(op);
    for (const sl_json *m = ok ? sl_json_first(op) : NULL; ok && m != NULL; m = sl_json_next(m)) {
        const char *key = sl_json_key(m);
        ok = strcmp(key, "add") == 0 || strcmp(key, "remove") == 0
                 ? is_names(m)
                 : strcmp(key, "seen") == 0 && is_seen(m);
    }
    sl_json_free(op);
    return ok ? SL_OK
              : sl_fail_field(err, SL_E_INVALID, f->name,
                              "%s takes {\"add\":[..],\"remove\":[..]} of up to %d names of 1 to"
                              " %d bytes",
                              f->name, (int)SET_NAMES_MAX, (int)SET_NAME_MAX);
}

static sl_status check_field(const sl_entity *e, const sl_field *f, const sl_cell *v, bool create,
                             sl_error **err)
{
    if (f->merge == SL_M_SERVER) {
        return sl_fail_field(err, SL_E_DENIED, f->name, "%s.%s is written by the server", e->name,
                             f->name);
    }
    if (f->merge == SL_M_IMMUTABLE && !create) {
        return sl_fail_field(err, SL_E_INVALID, f->name, "%s.%s never changes", e->name, f->name);
    }
    if (f->merge == SL_M_SET) {
        return check_set_op(f, v, err);
    }
    if (f->merge == SL_M_COUNTER && v->kind != SL_CELL_INT) {
        return sl_fail_field(err, SL_E_INVALID, f->name, "%s must be a number to add", f->name);
    }
    return sl_schema_check_value(f, v, err);
}

sl_status sl_schema_check(const sl_entity *e, const sl_cell *values, uint64_t has, bool create,
                          sl_error **err)
{
    for (size_t i = 0; i < e->field_count; i++) {
        const sl_field *f = &e->fields[i];
        bool here = (has >> i & 1) != 0;
        if (create && f->required && !here) {
            return sl_fail_field(err, SL_E_INVALID, f->name, "%s needs %s", e->name, f->name);
        }
        sl_status status = here ? check_field(e, f, &values[i], create, err) : SL_OK;
        if (status != SL_OK) {
            return status;
        }
    }
    return SL_OK;
}
