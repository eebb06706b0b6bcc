#include "sync/transfer.h"

#include "base/plant.h"

#include <string.h>

enum {
    RETRY_MS_MIN = 500,
    RETRY_MS_MAX = 30000,
    RESTARTS_MAX = 3
};

void sl_xfer_upload(sl_xfer *x, int64_t size, bool created, uint64_t seed)
{
    memset(x, 0, sizeof *x);
    x->size = size;
    x->created = created;
    sl_prng_seed(&x->prng, seed);
    x->done = SL_PLANTED("upload-done-early");
}

void sl_xfer_download(sl_xfer *x, int64_t have, uint64_t seed)
{
    memset(x, 0, sizeof *x);
    x->download = true;
    x->at = have;
    sl_prng_seed(&x->prng, seed);
}

static sl_xfer_step ask(sl_xfer *x, sl_xfer_kind kind, int64_t len)
{
    x->busy = true;
    return (sl_xfer_step){.kind = kind, .at = x->at, .len = len};
}

sl_xfer_step sl_xfer_next(sl_xfer *x, int64_t now_ms)
{
    if (x->failed != SL_OK) {
        return (sl_xfer_step){.kind = SL_XFER_FAILED, .status = x->failed};
    }
    if (x->done || x->busy) {
        return (sl_xfer_step){.kind = x->done ? SL_XFER_DONE : SL_XFER_BUSY};
    }
    if (x->retry_at_ms > now_ms) {
        return (sl_xfer_step){.kind = SL_XFER_WAIT, .until_ms = x->retry_at_ms};
    }
    if (x->download) {
        return ask(x, SL_XFER_FETCH, 0);
    }
    if (!x->created) {
        return ask(x, SL_XFER_CREATE, 0);
    }
    if (!x->offset_known) {
        return ask(x, SL_XFER_OFFSET, 0);
    }
    int64_t left = x->size - x->at;
    return ask(x, SL_XFER_SEND, left < SL_XFER_CHUNK ? left : SL_XFER_CHUNK);
}

/* Half of the wait is by chance: a server that comes back is not asked by all at once. */
static void retry(sl_xfer *x, int64_t now_ms)
{
    int64_t wait = RETRY_MS_MIN;
    for (unsigned i = 0; i < x->failures && wait < RETRY_MS_MAX; i++) {
        wait *= 2;
    }
    wait = wait < RETRY_MS_MAX ? wait : RETRY_MS_MAX;
    x->failures++;
    x->retry_at_ms = now_ms + wait / 2 + (int64_t)sl_prng_below(&x->prng, (uint64_t)(wait / 2 + 1));
    x->offset_known = false;
}

static void progress(sl_xfer *x)
{
    x->failures = 0;
    x->retry_at_ms = 0;
}

static void take_offset(sl_xfer *x, int64_t offset, int64_t now_ms)
{
    if (offset < 0 || offset > x->size) {
        retry(x, now_ms);
        return;
    }
    if (offset > x->at || x->offset_known) {
        progress(x);
    }
    x->at = offset;
    x->offset_known = true;
    x->done = offset == x->size;
}

static void upload_answer(sl_xfer *x, int32_t http, int64_t offset, int64_t now_ms)
{
    if (http == 201 && !x->created) {
        x->created = true;
        progress(x);
    } else if (http == 200 || http == 204) {
        take_offset(x, offset, now_ms);
    } else if (http == 460 && ++x->restarts >= RESTARTS_MAX) {
        x->failed = SL_E_CORRUPT; /* it is our bytes that are not what their name says */
    } else if ((http == 404 || http == 410 || http == 460) && x->created) {
        x->created = false; /* forgotten by the server, or its bytes went wrong: anew */
        x->at = 0;
        retry(x, now_ms);
    } else if (http == 413 || http == 415 || http == 400 || http == 422) {
        x->failed = http == 413 ? SL_E_LIMIT : http == 422 ? SL_E_INVALID : SL_E_INTERNAL;
    } else {
        retry(x, now_ms); /* 409: ask for the offset; 401, 403, 404: until the space is ours */
    }
}

static void download_answer(sl_xfer *x, int32_t http, int64_t now_ms)
{
    /* 416: nothing follows our part, which is the blob, or it is not and goes. */
    if (http == 200 || http == 206 || (http == 416 && x->at > 0)) {
        x->done = true;
    } else if (http == 404 && x->failures >= 4) {
        x->failed = SL_E_NOT_FOUND;
    } else {
        retry(x, now_ms);
    }
}

void sl_xfer_answer(sl_xfer *x, sl_status net, int32_t http, int64_t offset, int64_t now_ms)
{
    x->busy = false;
    if (net != SL_OK) {
        retry(x, now_ms);
    } else if (x->download) {
        download_answer(x, http, now_ms);
    } else {
        upload_answer(x, http, offset, now_ms);
    }
}

void sl_xfer_received(sl_xfer *x, int64_t n)
{
    x->at += n;
    progress(x);
}

bool sl_xfer_restart(sl_xfer *x, int64_t now_ms)
{
    if (++x->restarts >= RESTARTS_MAX) {
        x->failed = SL_E_CORRUPT;
        return false;
    }
    x->done = false;
    x->at = 0;
    retry(x, now_ms);
    return true;
}
