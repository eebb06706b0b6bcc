/*
 * What the signed-in user may do, by what this device knows: the same function that the server asks
 * (schema/policy.h), with the relation taken from the grants and connections that are here.
 */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"
#include "schema/policy.h"

#include <stdio.h>
#include <string.h>

/* The first row of a query by one field, an object; *out NULL when there is none. */
static sl_status first_row(sl_core *core, const char *entity, const char *field, const char *value,
                           sl_json **out, sl_error **err)
{
    sl_buf text = {0};
    sl_json *q = sl_json_object();
    sl_json *where = sl_json_object();
    bool ok = where != NULL && sl_json_set_str(where, field, value);
    ok = q != NULL && sl_json_set_str(q, "from", entity) && ok;
    if (!ok || !sl_json_set(q, "where", where)) {
        sl_json_free(ok ? NULL : where);
        sl_json_free(q);
        return sl_fail_nomem(err);
    }
    sl_status status = sl_local_query(core, q, &text, err);
    sl_json *rows = status == SL_OK ? sl_json_parse(sl_buf_text(&text), text.len) : NULL;
    const sl_json *row = sl_json_first(rows);
    *out = row != NULL ? sl_json_clone(row) : NULL;
    if (status == SL_OK && (rows == NULL || (row != NULL && *out == NULL))) {
        status = sl_fail_nomem(err);
    }
    sl_json_free(rows);
    sl_json_free(q);
    sl_buf_free(&text);
    return status;
}

static unsigned role_bit(const char *name)
{
    return name == NULL                  ? 0
           : strcmp(name, "owner") == 0  ? (unsigned)SL_R_OWNER
           : strcmp(name, "coach") == 0  ? (unsigned)SL_R_COACH
           : strcmp(name, "member") == 0 ? (unsigned)SL_R_MEMBER
                                         : 0U;
}

/* The role in a space: by its grant; own and public spaces have none, nor has one whose root was made
 * here and waits to be sent, or is about to be made. Who makes a group or an organisation leads it. */
static sl_status role_in(sl_core *core, const char *space, bool makes_root, unsigned *role,
                         sl_error **err)
{
    sl_json *grant = NULL;
    sl_json *root = NULL;
    char kind[16];
    (void)snprintf(kind, sizeof kind, "%.*s", (int)strcspn(space, ":"), space);
    sl_status status = first_row(core, "grant", "target", space, &grant, err);
    *role = role_bit(sl_json_str(grant, "role"));
    if (status == SL_OK && *role == 0) {
        status = first_row(core, kind, "id", sl_space_id(space), &root, err);
        bool waits = root != NULL && sl_json_bool_or(root, "pending", false);
        bool own_id = core->session.have && strcmp(sl_space_id(space), core->session.user) == 0;
        bool named = strcmp(kind, "user") == 0 || strcmp(kind, "coach") == 0;
        bool led = strcmp(kind, "thread") == 0 || strcmp(kind, "organisation") == 0;
        if (waits && led) {
            *role = SL_R_COACH;
        } else if (named ? own_id : waits || (makes_root && root == NULL)) {
            *role = SL_R_OWNER;
        } else if (strcmp(kind, "coach") == 0) {
            *role = SL_R_MEMBER;
        }
    }
    sl_json_free(grant);
    sl_json_free(root);
    return status;
}

/* Whether somebody who is in this group leads it. */
static sl_status is_led(sl_core *core, const char *space, bool *yes, sl_error **err)
{
    sl_buf text = {0};
    sl_buf query = {0};
    sl_buf_fmt(&query,
               "{\"from\":\"participant\",\"where\":{\"space\":\"%s\",\"role\":\"coach\","
               "\"gone\":{\"ne\":true}},\"limit\":1}",
               space);
    sl_json *q = query.failed ? NULL : sl_json_parse(sl_buf_text(&query), query.len);
    sl_status status = q != NULL ? sl_local_query(core, q, &text, err) : sl_fail_nomem(err);
    *yes = status == SL_OK && text.len > 2; /* more than [] */
    sl_json_free(q);
    sl_buf_free(&query);
    sl_buf_free(&text);
    return status;
}

static sl_status is_coached(sl_core *core, const char *space, sl_standing standing, bool *yes,
                            sl_error **err)
{
    sl_json *connection = NULL;
    *yes = standing >= SL_S_COACH_BASIC;
    sl_status status =
        *yes ? SL_OK
             : first_row(core, "connection", "thread_id", sl_space_id(space), &connection, err);
    const char *peer = sl_json_str(connection, "peer_role");
    *yes = *yes || (peer != NULL && strcmp(peer, "athlete") != 0);
    sl_json_free(connection);
    return status == SL_OK && !*yes ? is_led(core, space, yes, err) : status;
}

sl_status sl_can_relation(sl_core *core, const char *space, sl_relation *out, sl_error **err)
{
    char kind[16];
    unsigned role = 0;
    (void)snprintf(kind, sizeof kind, "%.*s", (int)strcspn(space, ":"), space);
    sl_status status = role_in(core, space, false, &role, err);
    *out = sl_relation_of(kind, role, false);
    return status;
}

static bool deed_of(const char *name, sl_deed *out)
{
    static const char *const names[SL_DEEDS] = {"read", "create", "patch", "delete"};
    for (unsigned i = 0; name != NULL && i < SL_DEEDS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (sl_deed)i;
            return true;
        }
    }
    return false;
}

static bool is_author(const sl_core *core, const sl_entity *e, const sl_json *record)
{
    const char *author =
        e->author_field >= 0 ? sl_json_str(record, e->fields[e->author_field].name) : NULL;
    return author != NULL && core->session.have && strcmp(author, core->session.user) == 0;
}

/* The question's record and its space. */
static sl_status find_object(sl_core *core, const sl_json *in, const sl_entity *e, sl_json **record,
                             char space[SL_SPACE_MAX], sl_error **err)
{
    const char *id = sl_json_str(in, "id");
    const char *named = sl_json_str(in, "space");
    sl_status status = SL_OK;
    if (id != NULL) {
        status = first_row(core, e->name, "id", id, record, err);
        named = *record != NULL ? sl_json_str(*record, "space") : named;
    }
    if (status == SL_OK && named == NULL) {
        status = sl_fail(err, SL_E_NOT_FOUND, "there is no %s with this id here", e->name);
    } else if (status == SL_OK && (!sl_space_ok(named) || !sl_space_is(named, e->space_kind))) {
        status = sl_fail_field(err, SL_E_INVALID, "space", "a %s lives in a %s space", e->name,
                               e->space_kind);
    } else if (status == SL_OK) {
        (void)snprintf(space, SL_SPACE_MAX, "%s", named);
    }
    return status;
}

static sl_status rule_record(sl_core *core, const sl_json *in, sl_policy_ask *ask, bool *allow,
                             sl_error **err)
{
    char space[SL_SPACE_MAX];
    sl_json *record = NULL;
    unsigned role = 0;
    bool coached = false;
    bool over = false;
    const char *deed = sl_json_str(in, "do");
    bool watch = deed != NULL && strcmp(deed, "watch") == 0;
    ask->entity = sl_entity_find(sl_json_str(in, "entity"));
    if (ask->entity == NULL || !deed_of(watch ? "read" : deed, &ask->deed)) {
        return sl_fail_field(err, SL_E_INVALID, "do",
                             "what is asked is read, watch, create, patch or delete of an entity");
    }
    bool makes = ask->deed == SL_DEED_CREATE && ask->entity->root;
    sl_status status = find_object(core, in, ask->entity, &record, space, err);
    if (status == SL_OK) {
        ask->author = is_author(core, ask->entity, record);
        status = role_in(core, space, makes, &role, err);
    }
    if (status == SL_OK && sl_space_is(space, "thread") && role != 0) {
        status = is_coached(core, space, ask->standing, &coached, err);
    }
    ask->relation = sl_relation_of(ask->entity->space_kind, role, coached);
    if (status == SL_OK && watch) {
        status = sl_lease_over(core, space, &over, err);
    }
    *allow = status == SL_OK && !over && sl_policy_rule(ask) == SL_RULING_ALLOW;
    sl_json_free(record);
    return status;
}

static sl_json *limits_of(sl_standing standing)
{
    static const char *const names[SL_LIMITS] = {"messages_day", "students"};
    sl_json *j = sl_json_object();
    bool ok = j != NULL;
    for (unsigned i = 0; ok && i < SL_LIMITS; i++) {
        int64_t most = sl_policy_limits[i][standing];
        ok = most < 0 || sl_json_set_int(j, names[i], most);
    }
    if (!ok) {
        sl_json_free(j);
    }
    return ok ? j : NULL;
}

static sl_json *verdict(const sl_policy_ask *ask, bool allow)
{
    sl_json *j = sl_json_object();
    bool ok =
        j != NULL && sl_json_set_bool(j, "allow", allow) &&
        sl_json_set_str(j, "standing", sl_standings[ask->standing]) &&
        (ask->entity == NULL || sl_json_set_str(j, "relation", sl_relations[ask->relation])) &&
        sl_json_set(j, "limits", limits_of(ask->standing));
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

sl_status sl_engine_can(sl_core *core, const sl_json *in, sl_json **out, sl_error **err)
{
    const sl_session *s = &core->session;
    const char *feature = sl_json_str(in, "feature");
    bool allow = false;
    sl_status status = SL_OK;
    sl_policy_ask ask = {.entity = NULL};
    ask.standing =
        sl_standing_of(s->have ? s->role : NULL, s->plan, s->plan_until_ms, sl_engine_wall(core));
    if (feature != NULL) {
        allow = sl_policy_feature(ask.standing, feature);
    } else {
        status = rule_record(core, in, &ask, &allow, err);
    }
    *out = status == SL_OK ? verdict(&ask, allow) : NULL;
    return status == SL_OK && *out == NULL ? sl_fail_nomem(err) : status;
}
