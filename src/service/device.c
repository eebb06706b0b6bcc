/* service/device.c - the devices that are signed in, and signing them out. */
#include "base/error.h"
#include "base/mem.h"
#include "service/account.h"

#include <string.h>

static sl_json *device_json(const sl_sv_rows *rows, size_t i, const char *own)
{
    sl_json *j = sl_json_object();
    const char *id = sl_sv_text(rows, i, 0);
    const char *name = sl_sv_text(rows, i, 3);
    const char *platform = sl_sv_text(rows, i, 4);
    bool ok = j != NULL && sl_json_set_str(j, "device", id) &&
              sl_json_set_int(j, "since_ms", sl_sv_int(rows, i, 1)) &&
              sl_json_set_int(j, "seen_ms", sl_sv_int(rows, i, 2)) &&
              sl_json_set_bool(j, "factor", sl_sv_int(rows, i, 5) != 0) &&
              sl_json_set_bool(j, "this", strcmp(id, own) == 0) &&
              (name[0] == 0 || sl_json_set_str(j, "name", name)) &&
              (platform[0] == 0 || sl_json_set_str(j, "platform", platform));
    if (!ok) {
        sl_json_free(j);
        return NULL;
    }
    return j;
}

void sl_sv_devices(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    sl_sv_rows rows;
    sl_sv_space own;
    sl_space_name(own, "user", r->who.user);
    sl_lock(s->lock);
    sl_status status = sl_sv_all(
        s,
        "SELECT s.device, s.created_ms, s.seen_ms, d.\"name\", d.\"platform\", s.factor FROM"
        " session s LEFT JOIN \"device\" d ON d.\"id\"=s.device AND d.\"space\"=$2 AND"
        " d.\"deleted\"=0 WHERE s.user_id=$1 ORDER BY s.created_ms, s.device",
        SL_SV_ARGS(sl_cell_text(r->who.user), sl_cell_text(own)), &rows, NULL);
    sl_unlock(s->lock);
    sl_json *j = sl_json_object();
    sl_json *list = sl_json_array();
    bool ok = j != NULL && list != NULL;
    for (size_t i = 0; ok && status == SL_OK && i < rows.count; i++) {
        ok = sl_json_add(list, device_json(&rows, i, r->who.device));
    }
    sl_sv_rows_free(&rows);
    if (ok) {
        ok = sl_json_set(j, "devices", list);
        list = NULL;
    }
    sl_json_free(list);
    if (!ok || status != SL_OK) {
        sl_json_free(j);
        sl_sv_broken(out, status != SL_OK ? status : SL_E_NOMEM);
    } else {
        sl_sv_answer(out, 200, j);
    }
}

typedef struct ending {
    const char *user;
    const char *device; /* NULL: all */
    size_t ended;
} ending;

static sl_status end_sessions(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    ending *e = ctx;
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        tx->s, "SELECT id FROM session WHERE user_id=$1 AND ($2='' OR device=$2)",
        SL_SV_ARGS(sl_cell_text(e->user), sl_cell_text(e->device != NULL ? e->device : "")), &rows,
        err);
    e->ended = rows.count;
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        status = sl_sv_session_end(tx->s, sl_sv_text(&rows, i, 0), err);
    }
    sl_sv_rows_free(&rows);
    return status;
}

/* Sessions, tokens and connections end together: nothing of them works after the answer. */
static void sign_out(sl_service *s, ending *e, sl_http_out *out)
{
    sl_lock(s->lock);
    sl_status status = sl_sv_change(s, end_sessions, e, NULL);
    if (status == SL_OK && e->device == NULL) {
        sl_sv_drop_user(s, e->user);
    } else if (status == SL_OK) {
        sl_sv_drop_device(s, e->user, e->device, NULL, 4401);
    }
    sl_unlock(s->lock);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (e->ended == 0) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    } else {
        out->status = 204;
    }
}

void sl_sv_device_end(sl_sv_request *r, sl_http_out *out)
{
    ending e = {.user = r->who.user, .device = r->rest};
    sign_out(r->s, &e, out);
}

void sl_sv_logout(sl_sv_request *r, sl_http_out *out)
{
    ending e = {.user = r->who.user, .device = r->who.device};
    sign_out(r->s, &e, out);
}

void sl_sv_logout_all(sl_sv_request *r, sl_http_out *out)
{
    ending e = {.user = r->who.user};
    sign_out(r->s, &e, out);
}
