/* The exported functions of sideline/core.h: check, convert, call the engine. */
#include "sideline/core.h"

#include "api/inside.h"
#include "base/error.h"
#include "base/mem.h"
#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

enum {
    ABI_MAJOR = 0,
    ABI_MINOR = 1
};

uint32_t sl_abi_version(void)
{
    return (uint32_t)ABI_MAJOR << 16 | ABI_MINOR;
}

const char *sl_version(void)
{
    return "0.1.0";
}

/* The configuration as this library knows it: one that an older header made is shorter. Whatever it
 * says, the platform is there to be released. */
static sl_status take_config(const sl_config *cfg, sl_config *out, sl_error **err)
{
    memset(out, 0, sizeof *out);
    if (cfg == NULL) {
        return sl_fail(err, SL_E_MISUSE, "a configuration is needed");
    }
    if (cfg->struct_size < offsetof(sl_config, keychain) || cfg->struct_size > sizeof *cfg ||
        (cfg->platform != NULL && (cfg->platform->struct_size < offsetof(sl_platform, audio) ||
                                   cfg->platform->struct_size > sizeof *cfg->platform))) {
        return sl_fail(err, SL_E_UNSUPPORTED,
                       "the configuration is not of the size this library knows");
    }
    memcpy(out, cfg, cfg->struct_size);
    return SL_OK;
}

static sl_status check_keychain(const sl_keychain *k, sl_error **err)
{
    if (k != NULL && k->struct_size != sizeof *k) {
        return sl_fail(err, SL_E_UNSUPPORTED, "the keychain is not of the size this library knows");
    }
    if (k != NULL && (k->seal == NULL || k->unseal == NULL)) {
        return sl_fail(err, SL_E_MISUSE, "the keychain lacks seal or unseal");
    }
    return SL_OK;
}

static sl_status check_config(const sl_config *cfg, const void *out, sl_error **err)
{
    if (out == NULL || cfg->dir == NULL || cfg->dir[0] == 0) {
        return sl_fail(err, SL_E_MISUSE, "opening a core needs a configuration with a folder");
    }
    if (cfg->thread_window < -1 || cfg->reserved != 0) {
        return sl_fail(err, SL_E_MISUSE, "a thread's window is a number of messages, 0 or -1");
    }
    const sl_platform *p = cfg->platform;
    if (p != NULL && (p->clock == NULL || p->random == NULL || p->files == NULL)) {
        return sl_fail(err, SL_E_MISUSE, "the platform lacks clock, random or files");
    }
    return check_keychain(cfg->keychain, err);
}

static void release_platform(const sl_platform *p)
{
    if (p != NULL && p->release != NULL) {
        p->release(p->user);
    }
}

sl_status sl_core_open(const sl_config *cfg, sl_core **out, sl_error **err)
{
    sl_error_start(err);
    sl_config known;
    sl_status status = take_config(cfg, &known, err);
    if (status != SL_OK) {
        return status;
    }
    status = check_config(&known, (const void *)out, err);
    if (status != SL_OK) {
        release_platform(known.platform);
        return status;
    }
    *out = NULL;
    status = sl_engine_open(&known, out, err);
    if (status == SL_OK) {
        sl_recordings_recover(*out);
        sl_live_add(1);
    }
    return status;
}

void sl_core_close(sl_core *core)
{
    if (core != NULL) {
        sl_engine_close(core);
        sl_live_add(-1);
    }
}

sl_status sl_core_rekey(sl_core *core, const uint8_t *key, const sl_keychain *keychain,
                        sl_error **err)
{
    sl_error_start(err);
    sl_status status = check_keychain(keychain, err);
    if (status != SL_OK) {
        return status;
    }
    if (core == NULL || (key == NULL) == (keychain == NULL)) {
        return sl_fail(err, SL_E_MISUSE, "a core and one of key and keychain are needed");
    }
    sl_keys keys = {key, keychain};
    sl_lock(core->lock);
    status = sl_store_rekey(core->store, &keys, err);
    sl_unlock(core->lock);
    return status;
}

static sl_status wipe_on(const sl_config *cfg, sl_error **err)
{
    sl_platform own = {.struct_size = sizeof own};
    if (cfg->platform != NULL) {
        return sl_store_wipe(cfg->platform, cfg->dir, err);
    }
    sl_status status = sl_platform_builtin(&own);
    if (status != SL_OK) {
        return sl_fail(err, status, "this build has no platform of its own");
    }
    status = sl_store_wipe(&own, cfg->dir, err);
    release_platform(&own);
    return status;
}

sl_status sl_core_wipe(const sl_config *cfg, sl_error **err)
{
    sl_error_start(err);
    sl_config known;
    sl_status status = take_config(cfg, &known, err);
    if (status == SL_OK) {
        status = check_config(&known, cfg, err);
    }
    if (status == SL_OK) {
        status = wipe_on(&known, err);
    }
    if (cfg != NULL) {
        release_platform(known.platform);
    }
    return status;
}

void sl_core_set_wake(sl_core *core, sl_wake_fn fn, void *ctx)
{
    sl_events_set_wake(core->events, fn, ctx);
}

sl_status sl_core_poll(sl_core *core, uint32_t max_bytes, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "there is no place for the answer");
    }
    return sl_events_poll(core->events, max_bytes, out, err);
}

int32_t sl_core_wait(sl_core *core, int32_t timeout_ms)
{
    return sl_events_wait(core->events, timeout_ms);
}

void sl_core_interrupt(sl_core *core)
{
    sl_events_interrupt(core->events);
}

int32_t sl_core_step(sl_core *core)
{
    if (!core->stepped) {
        return -1;
    }
    bool worked = sl_jobs_step(core);
    int64_t wait_ms = sl_engine_turn(core);
    return worked ? 0 : wait_ms > INT32_MAX ? INT32_MAX : (int32_t)wait_ms;
}

static sl_json *session_info(const sl_core *core)
{
    const sl_session *s = &core->session;
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "device", core->device) &&
              (core->server == NULL || sl_json_set_str(j, "server", core->server));
    if (ok && s->have) {
        ok = sl_json_set_str(j, "user", s->user) && sl_json_set_str(j, "email", s->email) &&
             sl_json_set_str(j, "name", s->name) && sl_json_set_str(j, "role", s->role);
    }
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static bool count_space(void *ctx, const sl_space *space)
{
    (void)space;
    ++*(int64_t *)ctx;
    return true;
}

static sl_json *sync_info(sl_core *core)
{
    static const char *const names[] = {"offline", "connecting", "connecting", "online"};
    int64_t outbox = 0;
    int64_t rejected = 0;
    int64_t spaces = 0;
    (void)sl_store_outbox_count(core->store, &outbox, NULL);
    (void)sl_store_rejected_count(core->store, &rejected, NULL);
    (void)sl_store_spaces(core->store, count_space, &spaces, NULL);
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "state", names[sl_sync_state_of(core->sync)]) &&
              sl_json_set_int(j, "outbox", outbox) && sl_json_set_int(j, "rejected", rejected) &&
              sl_json_set_int(j, "integrity", core->differed) &&
              sl_json_set_int(j, "uploads", (int64_t)sl_transfers_waiting(core, false)) &&
              sl_json_set_int(j, "downloads", (int64_t)sl_transfers_waiting(core, true)) &&
              sl_json_set_int(j, "spaces", spaces);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

static sl_json *build_info(const sl_core *core)
{
    sl_json *j = sl_json_object();
    bool ok = j != NULL && sl_json_set_str(j, "version", sl_version()) &&
              sl_json_set_bool(j, "media", sl_media_built()) &&
              sl_json_set_bool(j, "transport", core->platform.http != NULL) &&
              sl_json_set_int(j, "schema", sl_schema_version);
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

sl_status sl_core_info(sl_core *core, const char *what, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "there is no place for the answer");
    }
    *out = NULL;
    sl_json *j = NULL;
    if (strcmp(what, "microphones") == 0) { /* may take a while, and needs nothing of the core */
        j = sl_microphones_info(core);
        *out = j != NULL ? sl_json_bytes(j) : NULL;
        sl_json_free(j);
        return *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_lock(core->lock);
    if (strcmp(what, "session") == 0) {
        j = session_info(core);
    } else if (strcmp(what, "sync") == 0) {
        j = sync_info(core);
    } else if (strcmp(what, "build") == 0) {
        j = build_info(core);
    } else if (strcmp(what, "status") == 0) {
        j = sl_status_info(core);
    } else if (strcmp(what, "transfers") == 0) {
        j = sl_transfers_info(core);
    } else if (strcmp(what, "undo") == 0) {
        j = sl_local_undo_info(core);
    } else if (strcmp(what, "recordings") == 0) {
        j = sl_recordings_info(core);
    } else {
        sl_unlock(core->lock);
        return sl_fail(err, SL_E_INVALID, "there are no facts about \"%s\"", what);
    }
    sl_unlock(core->lock);
    *out = j != NULL ? sl_json_bytes(j) : NULL;
    sl_json_free(j);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_op_cancel(sl_core *core, sl_id op)
{
    sl_lock(core->lock);
    sl_status status = sl_events_op_cancel(core->events, op);
    for (sl_call *c = core->calls; c != NULL; c = c->next) {
        if ((c->kind == SL_CALL_AUTH || c->kind == SL_CALL_ERRAND) && c->op == op) {
            core->platform.http->cancel(core->platform.user, c->id);
        }
    }
    sl_signal(core->lock); /* a job may wait for a blob */
    sl_unlock(core->lock);
    sl_engine_kick(core);
    return status;
}

sl_status sl_can(sl_core *core, const char *json, size_t n, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (out == NULL) {
        return sl_fail(err, SL_E_MISUSE, "there is no place for the answer");
    }
    *out = NULL;
    sl_json *in = NULL;
    sl_json *answer = NULL;
    sl_status status = sl_json_read(json, n, &in, err);
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_engine_can(core, in, &answer, err);
        sl_unlock(core->lock);
    }
    if (status == SL_OK) {
        *out = sl_json_bytes(answer);
        status = *out != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_json_free(answer);
    sl_json_free(in);
    return status;
}

static sl_status begin_session(sl_core *core, const char *path, const char *json, size_t n,
                               sl_id *op, sl_error **err)
{
    sl_error_start(err);
    sl_json *body = NULL;
    sl_status status = sl_json_read(json, n, &body, err);
    if (status == SL_OK &&
        (sl_json_str(body, "email") == NULL || sl_json_str(body, "password") == NULL)) {
        status = sl_fail_field(err, SL_E_INVALID, "email", "signing in needs email and password");
    }
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_session_start(core, path, body, op, err);
        sl_unlock(core->lock);
    }
    sl_json_free(body);
    return status;
}

sl_status sl_session_signup(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    return begin_session(core, "/api/v1/auth/signup", json, n, op, err);
}

sl_status sl_session_login(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    return begin_session(core, "/api/v1/auth/login", json, n, op, err);
}

sl_status sl_session_oidc(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    sl_error_start(err);
    sl_json *in = NULL;
    sl_json *body = NULL;
    sl_status status = sl_json_read(json, n, &in, err);
    bool steps = sl_json_get(in, "redirect") == NULL &&
                 (sl_json_get(in, "code") != NULL || sl_json_get(in, "birth_date") != NULL);
    sl_lock(core->lock);
    if (status == SL_OK) {
        status =
            steps ? sl_session_step(core, in, &body, err) : sl_session_redirect(in, &body, err);
    }
    if (status == SL_OK) {
        status = sl_session_start(core, steps ? "/api/v1/auth/oidc/step" : "/api/v1/auth/oidc",
                                  body, op, err);
    }
    sl_unlock(core->lock);
    sl_json_free(body);
    sl_json_free(in);
    return status;
}

sl_status sl_account_do(sl_core *core, const char *json, size_t n, sl_id *op, sl_error **err)
{
    sl_error_start(err);
    sl_json *in = NULL;
    sl_status status = sl_json_read(json, n, &in, err);
    if (status == SL_OK) {
        sl_lock(core->lock);
        status = sl_errand_start(core, in, op, err);
        sl_unlock(core->lock);
    }
    sl_json_free(in);
    return status;
}

sl_status sl_session_logout(sl_core *core, sl_error **err)
{
    sl_error_start(err);
    sl_lock(core->lock);
    sl_status status = sl_session_forget(core, err);
    sl_unlock(core->lock);
    return status;
}

/* --- api/inside.h --------------------------------------------------------------------------- */

const sl_platform *sl_core_platform(const sl_core *core)
{
    return &core->platform;
}

bool sl_core_is_stepped(const sl_core *core)
{
    return core->stepped;
}

char *sl_core_temp_path(sl_core *core, const char *suffix)
{
    char id[SL_UUID_LEN + 1];
    sl_lock(core->lock);
    sl_status status = sl_engine_uuid(core, id, NULL);
    sl_unlock(core->lock);
    return status == SL_OK ? sl_text_fmt("%s/tmp/%s%s", sl_store_dir(core->store), id, suffix)
                           : NULL;
}

sl_status sl_core_blob_begin(sl_core *core, sl_core_blob *b, sl_error **err)
{
    b->path = sl_core_temp_path(core, ".blob");
    return b->path != NULL ? sl_store_blob_make(core->store, b->path, false, &b->out, err)
                           : sl_fail_nomem(err);
}

sl_status sl_core_blob_end(sl_core *core, sl_core_blob *b, const char *space,
                           const char *media_type, char *hex, sl_error **err)
{
    sl_upload upload = {.size = 0};
    (void)snprintf(upload.space, sizeof upload.space, "%s", space);
    (void)snprintf(upload.type, sizeof upload.type, "%s", media_type);
    int64_t size = sl_blob_out_size(b->out);
    sl_status status = sl_blob_out_finish(b->out, hex);
    if (status != SL_OK) {
        return sl_fail(err, status,
                       status == SL_E_FULL ? "the disk is full" : "the blob cannot be written");
    }
    sl_blob_out_close(b->out);
    b->out = NULL;
    sl_lock(core->lock);
    status = sl_store_blob_place(core->store, b->path, hex, size, &upload, err);
    sl_unlock(core->lock);
    sl_engine_kick(core);
    return status;
}

void sl_core_blob_drop(sl_core *core, sl_core_blob *b)
{
    if (b->out != NULL) {
        sl_blob_out_close(b->out);
        (void)core->platform.files->remove(core->platform.user, b->path);
    }
    sl_mem_free(b->path);
    memset(b, 0, sizeof *b);
}

sl_status sl_core_blob_open(sl_core *core, const char *hex, sl_blob_in **out, sl_error **err)
{
    sl_lock(core->lock);
    sl_status status = sl_lease_open(core, hex, out, err);
    sl_unlock(core->lock);
    return status;
}

sl_status sl_core_draft_open(sl_core *core, const char *path, uint32_t flags, sl_draft **out)
{
    return sl_draft_open(&core->platform, sl_store_seal(core->store), path, flags, out);
}
