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

static sl_status check_config(const sl_config *cfg, sl_core *const *out, sl_error **err)
{
    if (out == NULL || cfg->dir == NULL || cfg->dir[0] == 0) {
        return sl_fail(err, SL_E_MISUSE, "opening a core needs a configuration with a folder");
    }
    const sl_platform *p = cfg->platform;
    if (p != NULL && (p->clock == NULL || p->random == NULL || p->files == NULL)) {
        return sl_fail(err, SL_E_MISUSE, "the platform lacks clock, random or files");
    }
    return SL_OK;
}

sl_status sl_core_open(const sl_config *cfg, sl_core **out, sl_error **err)
{
    sl_error_start(err);
    if (cfg == NULL || cfg->struct_size != sizeof *cfg ||
        (cfg->platform != NULL && cfg->platform->struct_size != sizeof *cfg->platform)) {
        return sl_fail(err, cfg == NULL ? SL_E_MISUSE : SL_E_UNSUPPORTED,
                       "the configuration is not of the size this library knows");
    }
    sl_status status = check_config(cfg, out, err);
    if (status != SL_OK) {
        if (cfg->platform != NULL && cfg->platform->release != NULL) {
            cfg->platform->release(cfg->platform->user);
        }
        return status;
    }
    *out = NULL;
    status = sl_engine_open(cfg, out, err);
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
    sl_lock(core->lock);
    int64_t wait_ms = sl_engine_turn(core);
    sl_unlock(core->lock);
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
    sl_lock(core->lock);
    if (strcmp(what, "session") == 0) {
        j = session_info(core);
    } else if (strcmp(what, "sync") == 0) {
        j = sync_info(core);
    } else if (strcmp(what, "build") == 0) {
        j = build_info(core);
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
        if (c->kind == SL_CALL_AUTH && c->op == op) {
            core->platform.http->cancel(core->platform.user, c->id);
        }
    }
    sl_signal(core->lock); /* a job may wait for a blob */
    sl_unlock(core->lock);
    sl_engine_kick(core);
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

sl_status sl_core_blob_add_file(sl_core *core, const char *space, const char *path,
                                const char *media_type, char *hex, sl_error **err)
{
    sl_upload upload = {.size = 0};
    (void)snprintf(upload.space, sizeof upload.space, "%s", space);
    (void)snprintf(upload.type, sizeof upload.type, "%s", media_type);
    int64_t size = 0;
    sl_status status = sl_store_blob_hash(&core->platform, path, hex, &size, err);
    if (status != SL_OK) {
        (void)core->platform.files->remove(core->platform.user, path);
        return status;
    }
    sl_lock(core->lock);
    status = sl_store_blob_place(core->store, path, hex, size, &upload, err);
    sl_unlock(core->lock);
    sl_engine_kick(core);
    return status;
}

sl_status sl_core_blob_path(sl_core *core, const char *hex, char **path, sl_error **err)
{
    *path = NULL;
    sl_lock(core->lock);
    bool here = sl_store_blob_size(core->store, hex) >= 0;
    *path = here ? sl_store_blob_path(core->store, hex) : NULL;
    sl_unlock(core->lock);
    if (!here) {
        return sl_fail(err, SL_E_NOT_FOUND, "the file is not on this device");
    }
    return *path != NULL ? SL_OK : sl_fail_nomem(err);
}
