#include "unit/service/stage.h"

#include "base/buf.h"
#include "service/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *role;
    const char *plan;
} STANDINGS[SL_STANDINGS] = {{"athlete", "expired"}, {"athlete", "expired"}, {"athlete", "active"},
                             {"coach", "expired"},   {"coach", "trial"},     {"coach", "active"},
                             {"admin", NULL}};

void stage_sql(stage *s, const char *text)
{
    sl_error *err = NULL;
    sl_status status = s->w->db.run(s->w->db.user, text, NULL, 0, NULL, NULL, &err);
    ck_assert_msg(status == SL_OK, "%s: %s", text, sl_error_message(err));
    sl_sv_known_forget(s->w->s); /* behind its back */
}

const char *stage_fresh(stage *s)
{
    static char text[4][SL_UUID_LEN + 1];
    static size_t turn;
    char *out = text[turn++ % 4];
    uuid_of(out, ++s->next_id);
    return out;
}

void stage_let_in(stage *s, const char *space, const char *role)
{
    char text[300];
    (void)snprintf(text, sizeof text,
                   "INSERT INTO access (user_id, space, role) VALUES ('%s', '%s', '%s')",
                   s->subject.id, space, role);
    stage_sql(s, text);
}

void stage_rank(stage *s, const person *p, const char *role, const char *plan)
{
    char text[300];
    const char *mark = plan != NULL ? "'" : "";
    (void)snprintf(text, sizeof text, "UPDATE account SET role='%s', plan=%s%s%s WHERE id='%s'",
                   role, mark, plan != NULL ? plan : "NULL", mark, p->id);
    stage_sql(s, text);
}

void stage_premium(stage *s, bool on)
{
    stage_rank(s, &s->subject, on ? "coach" : STANDINGS[s->standing].role,
               on ? NULL : STANDINGS[s->standing].plan);
    person_connect(s->w, &s->subject);
}

void stage_open_in(stage *s, sl_standing standing, world *w)
{
    memset(s, 0, sizeof *s);
    s->standing = standing;
    s->next_id = 0x10000;
    s->w = w;
    person_make(s->w, &s->subject, "subject@x.y", "athlete", 1);
    person_make(s->w, &s->coach, "coach@x.y", "coach", 2);
    person_make(s->w, &s->athlete, "athlete@x.y", "athlete", 3);
    person_make(s->w, &s->friend, "friend@x.y", "athlete", 4);
    befriend(s->w, &s->athlete, &s->coach, s->direct);
    befriend(s->w, &s->athlete, &s->friend, s->peer);
    sl_space_name(s->group, "thread", stage_fresh(s));
    must(op(s->w, &s->coach, "create", "thread", s->group, sl_space_id(s->group),
            "{\"title\":\"x\",\"group\":true}"),
         "applied");
    stage_premium(s, false);
}

void stage_open(stage *s, sl_standing standing)
{
    stage_open_in(s, standing, world_new());
}

/* The smallest value that the field takes. */
static void put_value(sl_buf *b, stage *s, const sl_field *f, const char *message)
{
    switch (f->type) {
    case SL_T_TEXT:
        sl_buf_str(b, "\"");
        for (int64_t i = 0; i < (f->min > 0 ? f->min : 1); i++) {
            sl_buf_str(b, "x");
        }
        sl_buf_str(b, "\"");
        break;
    case SL_T_INT: sl_buf_fmt(b, "%lld", (long long)(f->min > 0 ? f->min : 1)); break;
    case SL_T_REAL: sl_buf_str(b, "1.5"); break;
    case SL_T_BOOL: sl_buf_str(b, "true"); break;
    case SL_T_JSON: sl_buf_str(b, f->merge == SL_M_SET ? "{\"add\":[\"x\"]}" : "{}"); break;
    case SL_T_REF: sl_buf_fmt(b, "\"%s\"", f->to != NULL ? message : stage_fresh(s)); break;
    case SL_T_BLOB:
        sl_buf_str(b, "\"");
        for (int i = 0; i < 64; i++) {
            sl_buf_str(b, "a");
        }
        sl_buf_str(b, "\"");
        break;
    case SL_T_ENUM: sl_buf_fmt(b, "\"%s\"", f->values[0]); break;
    }
}

char *stage_fields(stage *s, const sl_entity *e, bool create, const char *message)
{
    sl_buf b = {0};
    bool any = false;
    sl_buf_str(&b, "{");
    for (size_t i = 0; i < e->field_count; i++) {
        const sl_field *f = &e->fields[i];
        bool body = strcmp(e->name, "message") == 0 && strcmp(f->name, "body") == 0;
        bool take =
            create ? f->required || body
                   : !any && f->merge != SL_M_SERVER && f->merge != SL_M_IMMUTABLE && f->to == NULL;
        if (take) {
            sl_buf_fmt(&b, "%s\"%s\":", any ? "," : "", f->name);
            if (strcmp(f->name, "peer_email") == 0) {
                sl_buf_str(&b, "\"nobody@x.y\"");
            } else {
                put_value(&b, s, f, message);
            }
            any = true;
        }
    }
    sl_buf_str(&b, "}");
    char *text = strdup(sl_buf_text(&b));
    sl_buf_free(&b);
    return text;
}

/* The space of this kind to which the subject has the relation; false: there is none such. */
static bool find(stage *s, const char *kind, sl_relation r, char *space)
{
    bool is_coach = s->standing >= SL_S_COACH_BASIC;
    bool thread = strcmp(kind, "thread") == 0;
    bool user = strcmp(kind, "user") == 0;
    bool shop = strcmp(kind, "coach") == 0;
    const person *owner = r == SL_REL_OWN ? &s->subject : &s->coach;
    if (thread) {
        (void)snprintf(space, SL_SPACE_MAX, "%s",
                       r == SL_REL_PEER   ? s->peer
                       : r == SL_REL_LEAD ? s->group
                                          : s->direct);
        return r == SL_REL_DIRECT || r == SL_REL_STRANGER || r == SL_REL_LEAD ||
               (r == SL_REL_PEER && !is_coach);
    }
    if (user || shop) {
        sl_space_name(space, kind, owner->id);
        return r == SL_REL_OWN || (user && r == SL_REL_STRANGER) || (shop && r == SL_REL_PUBLIC);
    }
    if (strcmp(kind, "organisation") == 0) {
        return r == SL_REL_LEAD || r == SL_REL_GIVEN || r == SL_REL_STRANGER;
    }
    return r == SL_REL_OWN || r == SL_REL_STUDENT || r == SL_REL_GIVEN || r == SL_REL_STRANGER;
}

person *stage_host(stage *s, sl_relation r, const char *space)
{
    return r == SL_REL_OWN ? &s->subject : strcmp(space, s->peer) == 0 ? &s->athlete : &s->coach;
}

/* A root with its space; threads and user spaces are there. */
static void make(stage *s, const char *kind, sl_relation r, char *space)
{
    const sl_entity *root = sl_entity_find(kind);
    person *host = stage_host(s, r, space);
    if (strcmp(kind, "thread") == 0 || strcmp(kind, "user") == 0) {
        return;
    }
    if (strcmp(kind, "coach") != 0) {
        sl_space_name(space, kind, stage_fresh(s));
    }
    char *fields = stage_fields(s, root, true, NULL);
    must(op(s->w, host, "create", kind, space, sl_space_id(space), fields), "applied");
    free(fields);
    if (r == SL_REL_STUDENT || r == SL_REL_GIVEN || r == SL_REL_LEAD) {
        stage_let_in(s, space, r == SL_REL_GIVEN ? "member" : "coach");
    }
}

bool stage_space(stage *s, const char *kind, sl_relation r, char *space)
{
    if (!find(s, kind, r, space)) {
        return false;
    }
    if (r == SL_REL_OWN) {
        stage_premium(s, true);
    }
    make(s, kind, r, space);
    if (r == SL_REL_OWN) {
        stage_premium(s, false);
    }
    if (strcmp(kind, "thread") == 0 && r != SL_REL_STRANGER) {
        stage_let_in(s, space, r == SL_REL_LEAD ? "coach" : "member");
    }
    return true;
}
