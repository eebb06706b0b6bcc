/* Who is signed in: signing up and in, the tokens, and keeping them. */
#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "crypto/hash.h"
#include "store/folder.h"

#include <stdio.h>
#include <string.h>

enum {
    RENEW_BEFORE_MS = 60000,
    LIFE_S_MIN = 10,
    LIFE_S_MAX = 30 * 86400,
    REFRESH_RETRY_MS_MIN = 2000,
    REFRESH_RETRY_MS_MAX = 30000
};

void sl_session_clear(sl_core *core)
{
    sl_session *s = &core->session;
    sl_mem_free(s->email);
    sl_mem_free(s->name);
    sl_mem_free(s->role);
    sl_mem_free(s->plan);
    sl_mem_free(s->refresh);
    sl_mem_free(s->ticket);
    sl_mem_free(s->access);
    memset(s, 0, sizeof *s);
}

static char *copy_of(const sl_json *j, const char *key)
{
    const char *v = sl_json_str(j, key);
    return sl_text_dup(v != NULL ? v : "");
}

/* Takes the user from {"id","email","name","role"}. */
static sl_status set_user(sl_core *core, const sl_json *user, const char *refresh, sl_error **err)
{
    const char *id = sl_json_str(user, "id");
    if (!sl_uuid_ok(id) || refresh == NULL) {
        return sl_fail(err, SL_E_NETWORK, "the server's answer makes no sense");
    }
    sl_session_clear(core);
    sl_session *s = &core->session;
    memcpy(s->user, id, sizeof s->user);
    sl_space_name(s->space, "user", id);
    s->email = copy_of(user, "email");
    s->name = copy_of(user, "name");
    s->role = copy_of(user, "role");
    s->plan = copy_of(user, "plan");
    s->plan_until_ms = sl_json_int_or(user, "plan_until_ms", 0);
    s->refresh = sl_text_dup(refresh);
    s->have = s->email != NULL && s->name != NULL && s->role != NULL && s->plan != NULL &&
              s->refresh != NULL;
    return s->have ? SL_OK : sl_fail_nomem(err);
}

static sl_json *session_json(const sl_core *core)
{
    const sl_session *s = &core->session;
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "id", s->user) &&
              sl_json_set_str(j, "email", s->email) && sl_json_set_str(j, "name", s->name) &&
              sl_json_set_str(j, "role", s->role);
    if (ok && s->plan[0] != 0) {
        ok = sl_json_set_str(j, "plan", s->plan) &&
             sl_json_set_int(j, "plan_until_ms", s->plan_until_ms);
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

sl_status sl_session_from_before(sl_core *core, const uint8_t *key, sl_error **err)
{
    char *stored = NULL;
    char *text = NULL;
    sl_status status = sl_store_meta(core->store, "session", &stored, err);
    if (status == SL_OK && stored != NULL && sl_folder_old_session(stored)) {
        status = sl_folder_open_session(key, stored, &text, err);
        if (status == SL_OK) {
            status = sl_store_set_meta(core->store, "session", text, err);
            sl_wipe(text, strlen(text));
        }
    }
    sl_mem_free(text);
    sl_mem_free(stored);
    return status;
}

static sl_status keep(sl_core *core, sl_error **err)
{
    sl_json *j = session_json(core);
    bool ok = j != NULL && sl_json_set_str(j, "refresh", core->session.refresh);
    char *text = ok ? sl_json_print(j) : NULL;
    sl_json_free(j);
    sl_status status =
        text != NULL ? sl_store_set_meta(core->store, "session", text, err) : sl_fail_nomem(err);
    sl_mem_free(text);
    return status;
}

static void tell(sl_core *core, const char *state)
{
    sl_json *event = sl_json_object();
    if (event != NULL && sl_json_set_str(event, "ev", "session") &&
        sl_json_set_str(event, "state", state)) {
        sl_events_push(core->events, event);
    } else {
        sl_json_free(event);
    }
}

sl_status sl_session_load(sl_core *core, sl_error **err)
{
    char *stored = NULL;
    sl_status status = sl_store_meta(core->store, "session", &stored, err);
    if (status == SL_OK && stored != NULL) {
        sl_json *j = sl_json_parse(stored, strlen(stored));
        status = set_user(core, j, sl_json_str(j, "refresh"), NULL);
        sl_json_free(j);
        if (status == SL_E_NOMEM) {
            status = sl_fail_nomem(err);
        } else if (status != SL_OK) { /* damaged: signing in again mends it, all else is here */
            status = sl_store_set_meta(core->store, "session", NULL, err);
            tell(core, "signed_out");
        }
    }
    sl_mem_free(stored);
    return status;
}

sl_status sl_session_forget(sl_core *core, sl_error **err)
{
    sl_status status = sl_store_set_meta(core->store, "session", NULL, err);
    if (status == SL_OK) {
        bool had = core->session.have;
        core->auth_after = core->next_id;
        sl_session_clear(core);
        sl_online_want(core, false);
        if (had) {
            tell(core, "signed_out");
        }
    }
    return status;
}

sl_status sl_session_start(sl_core *core, const char *path, const sl_json *body, sl_id *op,
                           sl_error **err)
{
    sl_json *full = sl_json_clone(body);
    bool ok = full != NULL && sl_json_set_str(full, "device", core->device);
    char *text = ok ? sl_json_print(full) : NULL;
    sl_json_free(full);
    sl_id id = text != NULL ? sl_events_op(core->events) : 0;
    if (id == 0) {
        sl_mem_free(text);
        return sl_fail_nomem(err);
    }
    *op = id;
    sl_call *call = NULL;
    sl_status status = sl_call_post(core, SL_CALL_AUTH, path, text, &call);
    sl_mem_free(text);
    if (status == SL_OK) {
        call->op = id;
    } else {
        sl_events_op_failed(core->events, id, status,
                            core->server == NULL ? "no server is set" : "the server is away");
    }
    return SL_OK;
}

sl_status sl_session_status_of(int32_t http)
{
    switch (http) {
    case 401: return SL_E_AUTH;
    case 403: return SL_E_DENIED;
    case 404: return SL_E_NOT_FOUND;
    case 409: return SL_E_CONFLICT;
    case 413: return SL_E_LIMIT;
    case 400:
    case 422: return SL_E_INVALID;
    default: return SL_E_NETWORK;
    }
}

/* The sentence in an error's body, and for a validation the first field's. */
const char *sl_session_sentence_of(const sl_json *body)
{
    const sl_json *field = sl_json_first(sl_json_get(body, "fields"));
    const char *of_field = field != NULL ? sl_json_text(field) : NULL;
    const char *message = sl_json_str(body, "message");
    return of_field != NULL  ? of_field
           : message != NULL ? message
                             : "the server refused without a reason";
}

/* The folder belongs to the first user who signed in here. */
static sl_status check_owner(sl_core *core, const sl_json *user, sl_error **err)
{
    char *owner = NULL;
    const char *id = sl_json_str(user, "id");
    sl_status status = sl_store_meta(core->store, "owner", &owner, err);
    if (status == SL_OK && owner != NULL && id != NULL && strcmp(owner, id) != 0 &&
        !SL_PLANTED("any-owner")) {
        status = sl_fail(err, SL_E_CONFLICT, "this data folder belongs to another user");
    } else if (status == SL_OK && owner == NULL && sl_uuid_ok(id)) {
        status = sl_store_set_meta(core->store, "owner", id, err);
    }
    sl_mem_free(owner);
    return status;
}

/* *fresh: the space was not held before. */
static sl_status store_own_space(sl_core *core, bool *fresh, sl_error **err)
{
    sl_space space;
    sl_status status = sl_store_space(core->store, core->session.space, &space, NULL);
    *fresh = status == SL_E_NOT_FOUND;
    if (*fresh) {
        memset(&space, 0, sizeof space);
        memcpy(space.name, core->session.space, sizeof space.name);
        status = sl_store_set_space(core->store, &space, NULL);
    }
    return status == SL_OK ? SL_OK : sl_fail(err, status, "the session cannot be kept");
}

/* How long a token is used: until a minute before its end, of a short one for half its life. */
static int64_t use_ms(const sl_json *body)
{
    int64_t life_s = sl_json_int_or(body, "expires_in", 0);
    life_s = life_s < LIFE_S_MIN ? LIFE_S_MIN : life_s > LIFE_S_MAX ? LIFE_S_MAX : life_s;
    int64_t life_ms = life_s * 1000;
    return life_ms > 2 * RENEW_BEFORE_MS ? life_ms - RENEW_BEFORE_MS : life_ms / 2;
}

static sl_status take_session(sl_core *core, const sl_json *body, bool *fresh, sl_error **err)
{
    const sl_json *user = sl_json_get(body, "user");
    const char *access = sl_json_str(body, "access_token");
    sl_status status = check_owner(core, user, err);
    if (status == SL_OK && access == NULL) {
        status = sl_fail(err, SL_E_NETWORK, "the server's answer makes no sense");
    }
    if (status == SL_OK) {
        status = set_user(core, user, sl_json_str(body, "refresh_token"), err);
    }
    if (status != SL_OK) {
        return status;
    }
    core->session.access = sl_text_dup(access);
    core->session.access_until_ms = sl_engine_mono(core) + use_ms(body);
    status = core->session.access != NULL ? keep(core, err) : sl_fail_nomem(err);
    return status == SL_OK ? store_own_space(core, fresh, err) : status;
}

/* A session whose own space is not held would learn of nothing. */
sl_status sl_session_accept(sl_core *core, const sl_json *body, sl_error **err)
{
    bool fresh = false;
    sl_status status = sl_store_begin(core->store, err);
    if (status == SL_OK) {
        status = take_session(core, body, &fresh, err);
        if (status == SL_OK) {
            status = sl_store_commit(core->store, err);
        } else {
            sl_store_rollback(core->store);
        }
    }
    if (status == SL_OK && fresh) {
        status = sl_sync_hold(core->sync, core->session.space, "", 0);
    }
    return status;
}

/* What is missing, or at fault, as a field of the question. */
static const char *field_of(const sl_json *body)
{
    const char *name = sl_json_str(body, "error");
    const sl_json *field = sl_json_first(sl_json_get(body, "fields"));
    if (field != NULL || name == NULL) {
        return field != NULL ? sl_json_key(field) : NULL;
    }
    return strcmp(name, "mfa_required") == 0          ? "code"
           : strcmp(name, "birth_date_required") == 0 ? "birth_date"
                                                      : NULL;
}

static void auth_refused(sl_core *core, const sl_call *call, const sl_json *body)
{
    sl_error *err = NULL;
    const char *ticket = sl_json_str(body, "ticket");
    const char *field = field_of(body);
    sl_status status = sl_session_status_of(call->status);
    const char *sentence = sl_session_sentence_of(body);
    char *kept = ticket != NULL ? sl_text_dup(ticket) : NULL;
    if (ticket != NULL && kept == NULL) {
        (void)sl_fail_nomem(&err);
    } else if (field != NULL) {
        (void)sl_fail_field(&err, status, field, "%s", sentence);
    } else {
        (void)sl_fail(&err, status, "%s", sentence);
    }
    if (kept != NULL) {
        sl_mem_free(core->session.ticket);
        core->session.ticket = kept;
    }
    if (err != NULL) {
        sl_events_op_error(core->events, call->op, err);
    } else { /* out of memory */
        sl_events_op_failed(core->events, call->op, status, sentence);
    }
}

static void auth_answer(sl_core *core, const sl_call *call, const sl_json *body)
{
    sl_error *err = NULL;
    if (call->status != 200 && call->status != 201) {
        auth_refused(core, call, body);
        return;
    }
    if (call->id <= core->auth_after) {
        sl_events_op_failed(core->events, call->op, SL_E_CANCELLED,
                            "signed out, or in anew, before the server answered");
        return;
    }
    sl_status status = sl_session_accept(core, body, &err);
    if (status != SL_OK) {
        sl_session_clear(core); /* what could not be stored does not count: what is stored does */
        (void)sl_session_load(core, NULL);
        sl_events_op_error(core->events, call->op, err);
        return;
    }
    core->auth_after = call->id;
    sl_events_op_done(core->events, call->op, session_json(core));
    tell(core, "signed_in");
    sl_online_want(core, core->want_online);
}

/* Half of the delay is by chance: a server that comes back is not asked by all at once. */
static void delay_refresh(sl_core *core, int64_t now_ms)
{
    sl_session *s = &core->session;
    uint32_t chance = 0;
    int64_t wait_ms = REFRESH_RETRY_MS_MIN;
    for (unsigned i = 0; i < s->refresh_failures && wait_ms < REFRESH_RETRY_MS_MAX; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < REFRESH_RETRY_MS_MAX ? wait_ms : REFRESH_RETRY_MS_MAX;
    (void)core->platform.random->fill(core->platform.user, &chance, sizeof chance);
    s->refresh_failures++;
    s->refresh_at_ms = now_ms + wait_ms / 2 + (int64_t)chance % (wait_ms / 2 + 1);
}

/* An answer that comes after signing out, or in anew, is about a session that is no more. */
static void refresh_answer(sl_core *core, const sl_call *call, sl_status net, const sl_json *body)
{
    if (core->session.refreshing != call->id) {
        return;
    }
    core->session.refreshing = 0;
    int64_t now_ms = sl_engine_mono(core);
    int64_t wait_ms = net == SL_OK ? sl_call_wait_ms(call) : 0;
    sl_answer_note(core, wait_ms > 0                                          ? "throttled"
                         : net == SL_OK && body == NULL && call->status < 500 ? "portal"
                                                                              : NULL);
    delay_refresh(core, now_ms);
    if (core->session.refresh_at_ms < now_ms + wait_ms) {
        core->session.refresh_at_ms = now_ms + wait_ms;
    }
    if (net == SL_OK && call->status == 200) {
        (void)sl_session_accept(core, body, NULL);
    } else if (net == SL_OK && call->status == 401 && sl_json_str(body, "error") != NULL) {
        sl_session_clear(core); /* the server's word, not that of somebody on the way to it */
        (void)sl_store_set_meta(core->store, "session", NULL, NULL);
        tell(core, "signed_out");
        sl_online_want(core, core->want_online);
    }
}

void sl_session_answer(sl_core *core, sl_call *call, sl_status net)
{
    sl_json *body = sl_json_parse(sl_buf_text(&call->body), call->body.len);
    if (call->kind == SL_CALL_REFRESH) {
        refresh_answer(core, call, net, body);
    } else if (sl_events_op_cancelled(core->events, call->op)) {
        sl_events_op_failed(core->events, call->op, SL_E_CANCELLED, "cancelled");
    } else if (net != SL_OK || !sl_answer_is_word(call, body)) {
        char *message = sl_text_fmt("the server %s cannot be reached", core->server);
        sl_events_op_failed(core->events, call->op, net != SL_OK ? net : SL_E_NETWORK, message);
        sl_mem_free(message);
    } else {
        auth_answer(core, call, body);
    }
    sl_json_free(body);
}

bool sl_session_token(sl_core *core, int64_t now_ms, int64_t *until_ms)
{
    sl_session *s = &core->session;
    if (!s->have) {
        return false;
    }
    if (s->access != NULL && now_ms < s->access_until_ms) {
        return true;
    }
    if (s->refreshing != 0 || sl_errand_renews(core) || SL_PLANTED("no-refresh")) {
        return false;
    }
    if (now_ms < s->refresh_at_ms) {
        *until_ms = *until_ms < 0 || s->refresh_at_ms < *until_ms ? s->refresh_at_ms : *until_ms;
        return false;
    }
    char *text =
        sl_text_fmt("{\"refresh_token\":\"%s\",\"device\":\"%s\"}", s->refresh, core->device);
    sl_call *call = NULL;
    sl_status status =
        text != NULL ? sl_call_post(core, SL_CALL_REFRESH, "/api/v1/auth/refresh", text, &call)
                     : SL_E_NOMEM;
    sl_mem_free(text);
    s->refreshing = status == SL_OK ? call->id : 0;
    if (status != SL_OK) {
        delay_refresh(core, now_ms);
        *until_ms = s->refresh_at_ms;
    }
    return false;
}
