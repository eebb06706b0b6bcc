/* Blobs on their way: executes the transfer machines' steps. */
#include "engine/engine.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIMULTANEOUS_MAX = 3,
    FAILURES_OF_ONE = 4 /* one that failed more often in a row does not keep others waiting */
};

static sl_transfer *add(sl_core *core)
{
    sl_transfer *t = sl_mem(sizeof *t);
    if (t != NULL) {
        t->next = core->transfers;
        core->transfers = t;
    }
    return t;
}

static uint64_t chance(const sl_core *core)
{
    uint64_t seed = 0;
    (void)core->platform.random->fill(core->platform.user, &seed, sizeof seed);
    return seed;
}

/* A request that is still out is answered to nobody. */
static void halt(sl_core *core, sl_transfer *t)
{
    for (sl_call *c = core->calls; c != NULL; c = c->next) {
        if (c->transfer == t) {
            c->transfer = NULL;
            core->platform.http->cancel(core->platform.user, c->id);
        }
    }
    t->xfer.busy = false;
}

static void end(sl_core *core, sl_transfer *t)
{
    halt(core, t);
    sl_transfer **at = &core->transfers;
    while (*at != t) {
        at = &(*at)->next;
    }
    *at = t->next;
    sl_blob_in_close(t->in);
    sl_blob_out_close(t->out);
    sl_mem_free(t);
}

void sl_transfers_stop(sl_core *core)
{
    while (core->transfers != NULL) {
        end(core, core->transfers);
    }
}

void sl_transfers_drop(sl_core *core, const char *space)
{
    sl_transfer *t = core->transfers;
    while (t != NULL) {
        sl_transfer *next = t->next;
        if (!t->download && strcmp(t->upload.space, space) == 0) {
            end(core, t);
        }
        t = next;
    }
}

static sl_transfer *find(const sl_core *core, bool download, const char *hex, const char *space)
{
    for (sl_transfer *t = core->transfers; t != NULL; t = t->next) {
        if (t->download == download && strcmp(t->upload.hex, hex) == 0 &&
            (space == NULL || strcmp(t->upload.space, space) == 0)) {
            return t;
        }
    }
    return NULL;
}

void sl_transfers_drop_upload(sl_core *core, const char *hex, const char *space)
{
    sl_transfer *t = find(core, false, hex, space);
    if (t != NULL) {
        end(core, t);
    }
}

void sl_transfers_forget(sl_core *core, const char *hex)
{
    sl_transfer *t = find(core, true, hex, NULL);
    if (t != NULL) {
        sl_waiters_blob(core, hex, SL_E_NOT_FOUND, "the space of the file was taken away");
        end(core, t);
    }
}

void sl_transfers_cancel(sl_core *core, const char *hex)
{
    sl_transfer *t = core->transfers;
    while (t != NULL) {
        sl_transfer *next = t->next;
        if (strcmp(t->upload.hex, hex) == 0) {
            if (t->download) {
                sl_waiters_blob(core, hex, SL_E_CANCELLED, "the transfer was cancelled");
            }
            end(core, t);
        }
        t = next;
    }
}

bool sl_transfers_fetching(const sl_core *core, const char *hex)
{
    return find(core, true, hex, NULL) != NULL;
}

/* --- uploads ------------------------------------------------------------------------------ */

typedef struct pick {
    sl_core *core;
    size_t running;
    bool failed;
} pick;

/* Starts what waits, smallest first, where the server knows the space already. */
static bool pick_upload(void *ctx, const sl_upload *u)
{
    pick *p = ctx;
    sl_space space;
    bool ready =
        sl_store_space(p->core->store, u->space, &space, NULL) == SL_OK && space.epoch[0] != 0;
    if (!ready || find(p->core, false, u->hex, u->space) != NULL ||
        sl_hold_blocks(p->core, u->hex, u->size)) {
        return true;
    }
    sl_transfer *t = add(p->core);
    if (t == NULL) {
        return false;
    }
    t->upload = *u;
    t->total = u->size;
    sl_xfer_upload(&t->xfer, u->size, u->url[0] != 0, chance(p->core));
    return ++p->running < SIMULTANEOUS_MAX;
}

static void pick_uploads(sl_core *core)
{
    pick p = {core, 0, false};
    for (const sl_transfer *t = core->transfers; t != NULL; t = t->next) {
        p.running += t->download || t->xfer.failures > FAILURES_OF_ONE ? 0 : 1;
    }
    if (p.running < SIMULTANEOUS_MAX) {
        (void)sl_store_uploads(core->store, pick_upload, &p, NULL);
    }
}

static void meta_item(sl_buf *out, const char *key, const char *value)
{
    sl_buf_str(out, key);
    sl_buf_str(out, " ");
    sl_base64(out, value, strlen(value));
}

static sl_status request(sl_core *core, sl_transfer *t, const char *method, const char *url,
                         sl_buf *headers, const sl_buf *body)
{
    sl_buf_fmt(headers, "Authorization: Bearer %s\r\n", core->session.access);
    sl_call *call = NULL;
    sl_http_request r = {.method = method,
                         .url = url,
                         .headers = sl_buf_text(headers),
                         .body = body != NULL ? body->data : NULL,
                         .body_len = body != NULL ? body->len : 0};
    sl_status status =
        headers->failed ? SL_E_NOMEM : sl_call_start(core, SL_CALL_TRANSFER, &r, &call);
    if (status == SL_OK) {
        call->transfer = t;
    }
    sl_buf_free(headers);
    return status;
}

static sl_status do_create(sl_core *core, sl_transfer *t)
{
    sl_buf h = {0};
    sl_buf_fmt(&h, "Tus-Resumable: 1.0.0\r\nUpload-Length: %lld\r\nUpload-Metadata: ",
               (long long)t->upload.size);
    meta_item(&h, "sha256", t->upload.hex);
    meta_item(&h, ",space", t->upload.space);
    meta_item(&h, ",type", t->upload.type);
    sl_buf_str(&h, "\r\n");
    return request(core, t, "POST", "/api/v1/uploads", &h, NULL);
}

static sl_status do_offset(sl_core *core, sl_transfer *t)
{
    sl_buf h = {0};
    sl_buf_str(&h, "Tus-Resumable: 1.0.0\r\n");
    return request(core, t, "HEAD", t->upload.url, &h, NULL);
}

static sl_status open_blob(sl_core *core, sl_transfer *t)
{
    return t->in != NULL ? SL_OK : sl_store_blob_open(core->store, t->upload.hex, &t->in, NULL);
}

static sl_status do_send(sl_core *core, sl_transfer *t, const sl_xfer_step *step)
{
    sl_buf body = {0};
    sl_status status = open_blob(core, t);
    if (status == SL_E_NOT_FOUND || status == SL_E_CORRUPT) {
        t->xfer.failed = status; /* the bytes are gone from this device: no try will find them */
    }
    uint8_t *room = status == SL_OK ? sl_buf_room(&body, (size_t)step->len) : NULL;
    if (status == SL_OK && room == NULL) {
        status = SL_E_NOMEM;
    }
    if (status == SL_OK) {
        int64_t got = sl_blob_in_read(t->in, room, (size_t)step->len, step->at);
        body.len = got > 0 ? (size_t)got : 0;
        status = got == step->len ? SL_OK : SL_E_IO;
    }
    if (status == SL_OK) {
        sl_buf h = {0};
        sl_buf_fmt(&h,
                   "Tus-Resumable: 1.0.0\r\nUpload-Offset: %lld\r\n"
                   "Content-Type: application/offset+octet-stream\r\n",
                   (long long)step->at);
        status = request(core, t, "PATCH", t->upload.url, &h, &body);
    }
    sl_buf_free(&body);
    return status;
}

static void upload_answer(sl_core *core, sl_transfer *t, const sl_call *call, sl_status net,
                          int64_t now_ms)
{
    bool was_created = t->xfer.created;
    char *text = sl_header_value(call->headers, "upload-offset");
    int64_t offset =
        text != NULL && text[0] >= '0' && text[0] <= '9' ? strtoll(text, NULL, 10) : -1;
    sl_mem_free(text);
    char *location = sl_header_value(call->headers, "location");
    sl_xfer_answer(&t->xfer, net, call->status, offset, now_ms);
    if (t->xfer.created && !was_created) {
        (void)snprintf(t->upload.url, sizeof t->upload.url, "%s", location);
        (void)sl_store_upload_url(core->store, &t->upload, NULL);
    } else if (!t->xfer.created && was_created) {
        t->upload.url[0] = 0;
        (void)sl_store_upload_url(core->store, &t->upload, NULL);
    }
    sl_mem_free(location);
}

/* --- downloads ---------------------------------------------------------------------------- */

static sl_status open_part(sl_core *core, sl_transfer *t)
{
    char *path = sl_store_part_path(core->store, t->upload.hex);
    sl_status status =
        path != NULL ? sl_store_blob_make(core->store, path, true, &t->out, NULL) : SL_E_NOMEM;
    sl_mem_free(path);
    return status;
}

sl_status sl_transfers_fetch(sl_core *core, const char *hex, sl_error **err)
{
    if (find(core, true, hex, NULL) != NULL) {
        return SL_OK;
    }
    sl_transfer *t = add(core);
    if (t == NULL) {
        return sl_fail_nomem(err);
    }
    t->download = true;
    (void)snprintf(t->upload.hex, sizeof t->upload.hex, "%s", hex);
    sl_status status = sl_store_blob_note(core->store, hex, err);
    if (status == SL_OK) {
        status = open_part(core, t);
    }
    if (status != SL_OK) {
        end(core, t);
        return sl_fail(err, status, "there is no place for the download");
    }
    sl_xfer_download(&t->xfer, sl_blob_out_size(t->out), chance(core));
    return SL_OK;
}

static sl_status do_fetch(sl_core *core, sl_transfer *t, const sl_xfer_step *step)
{
    sl_buf h = {0};
    char url[128];
    (void)snprintf(url, sizeof url, "/api/v1/blobs/%s", t->upload.hex);
    if (step->at > 0) {
        sl_buf_fmt(&h, "Range: bytes=%lld-\r\n", (long long)step->at);
    }
    return request(core, t, "GET", url, &h, NULL);
}

void sl_transfers_data(sl_core *core, sl_call *call, const uint8_t *p, size_t n, int64_t now_ms)
{
    (void)now_ms;
    sl_transfer *t = call->transfer;
    sl_status status = SL_OK;
    if (t == NULL || !t->download || !sl_answer_is_blob(t, call)) {
        return;
    }
    if (call->status == 200 && call->body.len == 0 && t->xfer.at > 0) {
        t->xfer.at = 0; /* the range was not honoured */
        status = sl_blob_out_restart(t->out);
    }
    if (call->body.len == 0) {
        char *length = sl_header_value(call->headers, "content-length");
        t->total = length != NULL ? t->xfer.at + strtoll(length, NULL, 10) : 0;
        sl_mem_free(length);
    }
    sl_buf_u8(&call->body, 1); /* marks that data came; the bytes go to the file */
    call->body.len = 1;
    if (status == SL_OK) {
        status = sl_blob_out_append(t->out, p, n);
    }
    if (status == SL_OK) {
        sl_xfer_received(&t->xfer, (int64_t)n);
        t->why = NULL;
    } else {
        t->xfer.failed = status;
        core->platform.http->cancel(core->platform.user, call->id);
    }
}

/* The part file, whole and closed, becomes the blob, or goes. */
static sl_status place_download(sl_core *core, const sl_transfer *t, const char *hex, int64_t size,
                                sl_error **err)
{
    sl_status status = SL_OK;
    char *path = sl_store_part_path(core->store, t->upload.hex);
    if (path == NULL) {
        return sl_fail_nomem(err);
    }
    if (strcmp(hex, t->upload.hex) != 0 && !SL_PLANTED("blob-unchecked")) {
        (void)core->platform.files->remove(core->platform.user, path);
        status = sl_fail(err, SL_E_CORRUPT, "the bytes that arrived are not those of the blob");
    }
    if (status == SL_OK) {
        status = sl_store_blob_place(core->store, path, hex, size, NULL, err);
    }
    sl_mem_free(path);
    return status;
}

/* All bytes are here: are they the ones? */
static void finish_download(sl_core *core, sl_transfer *t, int64_t now_ms)
{
    sl_error *err = NULL;
    char hex[65];
    int64_t size = sl_blob_out_size(t->out);
    sl_status status = sl_blob_out_finish(t->out, hex);
    sl_blob_out_close(t->out);
    t->out = NULL;
    if (status == SL_OK) {
        status = place_download(core, t, hex, size, &err);
    }
    if (status == SL_E_CORRUPT && sl_xfer_restart(&t->xfer, now_ms)) {
        sl_error_release(err);
        err = NULL;
        status = open_part(core, t); /* when that fails, it is what ends it */
        if (status == SL_OK) {
            t->why = "damaged";
            return;
        }
    }
    sl_waiters_blob(core, t->upload.hex, status, err != NULL ? sl_error_message(err) : NULL);
    sl_error_release(err);
    end(core, t);
}

void sl_transfers_answer(sl_core *core, sl_call *call, sl_status net, int64_t now_ms)
{
    sl_transfer *t = call->transfer;
    if (t == NULL) {
        return;
    }
    if (net == SL_OK && call->status == 401) {
        sl_mem_free(core->session.access);
        core->session.access = NULL;
    }
    t->why = sl_answer_why(t, call, net);
    sl_answer_note(core, t->why);
    sl_status heard = net == SL_OK && !sl_answer_is_servers(t, call) ? SL_E_NETWORK : net;
    if (t->download) {
        sl_xfer_answer(&t->xfer, heard, call->status, -1, now_ms);
    } else {
        upload_answer(core, t, call, heard, now_ms);
    }
    int64_t wait_ms = net == SL_OK ? sl_call_wait_ms(call) : 0;
    if (wait_ms > 0 && t->xfer.retry_at_ms < now_ms + wait_ms) {
        t->xfer.retry_at_ms = now_ms + wait_ms;
    }
}

/* The bytes stay on this device; nothing sends them any more. */
static void give_up_upload(sl_core *core, const sl_transfer *t, sl_status why)
{
    const char *message = why == SL_E_NOT_FOUND ? "the file is not on this device any more"
                          : why == SL_E_CORRUPT ? "the file's bytes are not those of its name"
                          : why == SL_E_LIMIT   ? "the server does not take files of this size"
                                                : "the server does not take the file";
    (void)sl_store_upload_done(core->store, &t->upload, NULL);
    sl_json *event = sl_json_object();
    bool ok = event != NULL && sl_json_set_str(event, "ev", "upload_failed") &&
              sl_json_set_str(event, "sha256", t->upload.hex) &&
              sl_json_set_str(event, "space", t->upload.space) &&
              sl_json_set_str(event, "code", sl_status_name(why)) &&
              sl_json_set_str(event, "message", message);
    if (ok) {
        sl_events_push(core->events, event);
    } else {
        sl_json_free(event);
    }
}

/* --- the loop ----------------------------------------------------------------------------- */

/* Returns the machine's deadline, -1 when it waits for an answer or is over. */
static int64_t run_one(sl_core *core, sl_transfer *t, int64_t now_ms)
{
    sl_xfer_step step = sl_xfer_next(&t->xfer, now_ms);
    sl_status status = SL_OK;
    switch (step.kind) {
    case SL_XFER_BUSY: return -1;
    case SL_XFER_WAIT: return step.until_ms;
    case SL_XFER_CREATE: status = do_create(core, t); break;
    case SL_XFER_OFFSET: status = do_offset(core, t); break;
    case SL_XFER_SEND: status = do_send(core, t, &step); break;
    case SL_XFER_FETCH: status = do_fetch(core, t, &step); break;
    case SL_XFER_DONE:
        if (t->download) {
            finish_download(core, t, now_ms);
        } else {
            sl_transfer_tell(core, t, now_ms);
            (void)sl_store_upload_done(core->store, &t->upload, NULL);
            sl_sync_check(core->sync, t->upload.space); /* what it caused there */
            end(core, t);
        }
        return now_ms;
    case SL_XFER_FAILED:
        if (t->download) {
            sl_waiters_blob(core, t->upload.hex, step.status, "the server does not give this blob");
        } else {
            give_up_upload(core, t, step.status);
        }
        end(core, t);
        return now_ms;
    }
    if (status != SL_OK) {
        sl_xfer_answer(&t->xfer, status, 0, -1, now_ms);
        return now_ms;
    }
    return -1;
}

int64_t sl_transfers_run(sl_core *core, int64_t now_ms)
{
    int64_t until_ms = -1;
    if (!core->want_online || !sl_session_token(core, now_ms, &until_ms)) {
        return until_ms;
    }
    if (sl_sync_state_of(core->sync) == SL_SYNC_ONLINE) {
        pick_uploads(core);
    }
    sl_transfer *t = core->transfers;
    while (t != NULL) {
        sl_transfer *next = t->next;
        int64_t at = -1;
        if (t->xfer.done || !sl_hold_blocks(core, t->upload.hex, t->total)) {
            at = run_one(core, t, now_ms);
        } else if (t->download) {
            halt(core, t); /* its part stays, and whoever waits for it */
        } else {
            end(core, t); /* queued as before */
        }
        until_ms = until_ms < 0 || (at >= 0 && at < until_ms) ? at : until_ms;
        t = next;
    }
    int64_t tell_ms = sl_transfers_tell(core, now_ms);
    return until_ms < 0 || (tell_ms >= 0 && tell_ms < until_ms) ? tell_ms : until_ms;
}

typedef struct sum {
    sl_core *core;
    int64_t bytes;
    size_t count;
    size_t expected; /* of spaces held or being made, not held back: settling waits for these */
} sum;

static bool add_upload(void *ctx, const sl_upload *u)
{
    sum *s = ctx;
    s->count++;
    if (sl_store_space_expected(s->core->store, u->space) &&
        !sl_hold_blocks(s->core, u->hex, u->size)) {
        const sl_transfer *t = find(s->core, false, u->hex, u->space);
        s->bytes += u->size - (t != NULL ? t->xfer.at : 0);
        s->expected++;
    }
    return true;
}

int64_t sl_transfers_bytes_left(sl_core *core)
{
    sum s = {core, 0, 0, 0};
    (void)sl_store_uploads(core->store, add_upload, &s, NULL);
    return s.bytes;
}

bool sl_transfers_settled(sl_core *core)
{
    sum s = {core, 0, 0, 0};
    return sl_store_uploads(core->store, add_upload, &s, NULL) == SL_OK && s.expected == 0;
}

size_t sl_transfers_waiting(sl_core *core, bool download)
{
    sum s = {core, 0, 0, 0};
    if (!download) {
        (void)sl_store_uploads(core->store, add_upload, &s, NULL);
        return s.count;
    }
    for (const sl_transfer *t = core->transfers; t != NULL; t = t->next) {
        s.count += t->download ? 1 : 0;
    }
    return s.count;
}
