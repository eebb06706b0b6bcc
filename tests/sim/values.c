/* Values that the schema allows, by type and merge policy, with its limits among them. */
#include "base/mem.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    TEXT_MAX = 60,
    ELEMENTS = 8
};

/* Of a length within the field's limits, mostly short, unique where it has room for it. */
static sl_json *text_of(world *w, const sl_field *f)
{
    static const char *const letters[] = {
        "a", "b", "e", "z", "0", "7", " ", "\xC3\xA9", "\xF0\x9F\x8F\x83"};
    char text[TEXT_MAX + 40];
    size_t min = (size_t)f->min;
    size_t max = f->max < TEXT_MAX ? (size_t)f->max : TEXT_MAX;
    int n = snprintf(text, sizeof text, "v%u", ++w->named);
    size_t len = max >= (size_t)n ? (size_t)n : 0;
    size_t want = world_chance(w, 10) ? max : min + (size_t)world_dice(w, 12);
    want = want > max ? max : want < len ? len : want;
    want = want < min ? min : want;
    while (len < want) {
        const char *letter = letters[world_dice(w, sizeof letters / sizeof letters[0])];
        letter = len + strlen(letter) <= want ? letter : "x";
        memcpy(text + len, letter, strlen(letter));
        len += strlen(letter);
    }
    text[len] = 0;
    return sl_json_string(text);
}

static sl_json *int_of(world *w, const sl_field *f)
{
    int64_t max = f->max < SL_JSON_INT_MAX - 1 ? f->max : SL_JSON_INT_MAX - 1;
    int64_t span = max - f->min;
    int64_t pick = world_dice(w, 10);
    int64_t v = pick == 0 ? f->min
                : pick == 1
                    ? max
                    : f->min + (span > 0 ? world_dice(w, span < 100000 ? span : 100000) : 0);
    return sl_json_number((double)v);
}

static sl_json *hex_of(world *w)
{
    char hex[65];
    if (w->blob_count > 0 && world_chance(w, 50)) {
        return sl_json_string(w->blobs[world_dice(w, (int64_t)w->blob_count)].hex);
    }
    for (int i = 0; i < 64; i++) {
        hex[i] = "0123456789abcdef"[world_dice(w, 16)];
    }
    hex[64] = 0;
    return sl_json_string(hex);
}

static sl_json *object_of(world *w)
{
    sl_json *j = sl_json_object();
    if (j != NULL) {
        (void)sl_json_set_int(j, "k", ++w->named);
    }
    return j;
}

/* {"add":[..],"remove":[..]} of a small alphabet, so that devices meet in it. */
static sl_json *change_of(world *w)
{
    sl_json *j = sl_json_object();
    sl_json *lists[2] = {sl_json_array(), sl_json_array()};
    int64_t used = 0;
    for (int64_t i = world_dice(w, 3) + 1; i > 0; i--) {
        int64_t e = world_dice(w, ELEMENTS);
        char text[16];
        (void)snprintf(text, sizeof text, "e%d", (int)e);
        if ((used >> e & 1) == 0) {
            (void)sl_json_add_str(lists[world_chance(w, 30) ? 1 : 0], text);
        }
        used |= INT64_C(1) << e;
    }
    static const char *const names[] = {"add", "remove"};
    for (int i = 0; i < 2; i++) {
        if (sl_json_count(lists[i]) > 0) {
            (void)sl_json_set(j, names[i], lists[i]);
        } else {
            sl_json_free(lists[i]);
        }
    }
    return j;
}

sl_json *change_of_one(world *w, uint64_t hash)
{
    for (int e = 0; e < ELEMENTS; e++) {
        char text[40];
        (void)snprintf(text, sizeof text, "\"e%d\"", e);
        if (sl_sim_hash_of(text, strlen(text)) == hash) {
            const char *name = world_chance(w, 75) ? "remove" : "add";
            (void)snprintf(text, sizeof text, "{\"%s\":[\"e%d\"]}", name, e);
            return sl_json_parse(text, strlen(text));
        }
    }
    return NULL;
}

static sl_json *ref_of(world *w)
{
    char id[SL_UUID_LEN + 1];
    world_id(w, id);
    return sl_json_string(id);
}

static sl_json *enum_of(world *w, const sl_field *f)
{
    int64_t n = 0;
    while (f->values[n] != NULL) {
        n++;
    }
    return sl_json_string(f->values[world_dice(w, n)]);
}

sl_json *value_of(world *w, const sl_field *f)
{
    if (f->merge == SL_M_SET) {
        return change_of(w);
    }
    if (f->merge == SL_M_COUNTER) {
        return sl_json_number((double)(world_dice(w, 19) - 9));
    }
    switch (f->type) {
    case SL_T_TEXT: return text_of(w, f);
    case SL_T_INT: return int_of(w, f);
    case SL_T_REAL: return sl_json_number((double)(world_dice(w, 20001) - 10000) / 8);
    case SL_T_JSON: /* whom a text names goes with it: by itself nobody */
        return strcmp(f->name, "mentions") == 0 ? sl_json_array() : object_of(w);
    case SL_T_REF: return ref_of(w);
    case SL_T_BLOB: return hex_of(w);
    case SL_T_ENUM: return enum_of(w, f);
    case SL_T_BOOL: break;
    }
    const char *text = world_chance(w, 50) ? "true" : "false";
    return sl_json_parse(text, strlen(text));
}

static const char *deleted_one(world *w, const sl_entity *e, const char *space)
{
    const char *found = NULL;
    int64_t n = 0;
    for (size_t i = 0; i < w->fact_count; i++) {
        const fact *f = &w->facts[i];
        if (f->kind == FACT_DELETE && f->entity == e && strcmp(f->space, space) == 0 &&
            world_dice(w, ++n) == 0) {
            found = f->id;
        }
    }
    return found;
}

/* A record of the space that the actor sees, NULL when there is none; now and then one that is not
 * there or was deleted. */
static sl_json *named_by(actor *a, const sl_entity *to, const char *space)
{
    world *w = a->world;
    char query[160];
    int64_t dice = world_dice(w, 100);
    const char *deleted = dice < 14 ? deleted_one(w, to, space) : NULL;
    if (dice < 4) {
        w->dangles = true;
        return ref_of(w);
    }
    if (deleted != NULL) {
        return sl_json_string(deleted);
    }
    (void)snprintf(query, sizeof query,
                   "{\"from\":\"%s\",\"where\":{\"space\":\"%s\"},\"order\":[\"id\"]}", to->name,
                   space);
    sl_json *rows = actor_query(a, query);
    size_t n = sl_json_count(rows);
    const sl_json *row = n > 0 ? sl_json_at(rows, (size_t)world_dice(w, (int64_t)n)) : NULL;
    sl_json *id = row != NULL ? sl_json_string(sl_json_str(row, "id")) : NULL;
    sl_json_free(rows);
    return id;
}

static bool changes(const sl_field *f)
{
    return f->merge != SL_M_IMMUTABLE && f->merge != SL_M_SERVER;
}

/* A value for the field; NULL when what it must name is not there. */
static sl_json *field_value(actor *a, const sl_field *f, const char *space, bool create)
{
    bool none = !create && !f->required && f->merge == SL_M_LWW && world_chance(a->world, 8);
    return none            ? sl_json_null()
           : f->to != NULL ? named_by(a, f->to, space)
                           : value_of(a->world, f);
}

sl_json *values_of(actor *a, const sl_entity *e, const char *space, bool create)
{
    world *w = a->world;
    sl_json *fields = sl_json_object();
    int64_t sure = world_dice(w, (int64_t)e->field_count);
    w->dangles = false;
    for (size_t i = 0; i < e->field_count; i++) {
        const sl_field *f = &e->fields[i];
        bool may = create ? f->merge != SL_M_SERVER : changes(f);
        bool must = create ? f->required : (int64_t)i == sure;
        sl_json *v = may && (must || world_chance(w, 35)) ? field_value(a, f, space, create) : NULL;
        if (v == NULL && create && f->required && may) {
            v = ref_of(w);
            w->dangles = true;
        }
        if (v != NULL) {
            (void)sl_json_set(fields, f->name, v);
        }
    }
    for (size_t i = 0; !create && sl_json_count(fields) == 0 && i < e->field_count; i++) {
        if (changes(&e->fields[i]) && e->fields[i].to == NULL) {
            (void)sl_json_set(fields, e->fields[i].name, value_of(w, &e->fields[i]));
        }
    }
    return fields;
}

bool entity_plain(const sl_entity *e)
{
    static const char *const special[] = {
        "user",        "connection", "grant",        "video",  "share",      "thread",
        "participant", "message",    "organisation", "member", "membership", "program_share"};
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        if (strcmp(special[i], e->name) == 0) {
            return false;
        }
    }
    return e->create != 0;
}

/* What the operation's fields refer to; NULL: nothing. */
static const char *named_of(const sl_entity *e, const sl_json *fields)
{
    const char *id = NULL;
    for (size_t i = 0; i < e->field_count && id == NULL; i++) {
        id = e->fields[i].to != NULL ? sl_json_str(fields, e->fields[i].name) : NULL;
    }
    return id;
}

static void note_elements(world *w, fact f, fact_kind kind, const sl_json *list)
{
    f.kind = kind;
    for (const sl_json *v = sl_json_first(list); v != NULL; v = sl_json_next(v)) {
        f.value = world_hash(v);
        (void)world_fact(w, &f);
    }
}

static void note_field(world *w, fact f, const sl_json *v)
{
    f.field = sl_field_find(f.entity, sl_json_key(v));
    if (f.kind != FACT_BANNED && f.field->merge == SL_M_SET) {
        note_elements(w, f, FACT_ADD, sl_json_get(v, "add"));
        note_elements(w, f, FACT_REMOVE, sl_json_get(v, "remove"));
        return;
    }
    if (f.kind != FACT_BANNED) {
        f.kind = f.field->merge == SL_M_COUNTER ? FACT_ADD : FACT_VALUE;
    }
    f.value = world_hash(v);
    f.number = sl_json_value(v);
    (void)world_fact(w, &f);
}

void note_op(actor *a, fact_kind kind, const sl_entity *e, const char *id, const char *space,
             const sl_json *fields, sl_status status)
{
    if (status == SL_E_INVALID || status == SL_E_DENIED || status == SL_E_NOT_FOUND ||
        status == SL_E_CONFLICT || status == SL_E_LIMIT) {
        return; /* what the call refused outright has no effect */
    }
    fact f = {.kind = kind,
              .actor = a->index,
              .entity = e,
              .sure = status == SL_OK,
              .act = a->world->acts,
              .age = a->world->sim->server.restored};
    (void)snprintf(f.id, sizeof f.id, "%s", id);
    (void)snprintf(f.space, sizeof f.space, "%s", space);
    const char *names = named_of(e, fields);
    (void)snprintf(f.names, sizeof f.names, "%s", names != NULL ? names : "");
    if (kind != FACT_VALUE) {
        (void)world_fact(a->world, &f);
    }
    for (const sl_json *v = sl_json_first(fields); v != NULL && kind != FACT_DELETE;
         v = sl_json_next(v)) {
        note_field(a->world, f, v);
    }
}
