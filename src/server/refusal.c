/* What is refused before the service sees it: a line of the audit log, written by a worker. */
#include "base/mem.h"
#include "server/inside.h"

#include <string.h>

enum {
    WAITING_MAX = 64 /* lines to be written: what is refused beyond is not noted */
};

typedef struct refusal {
    sl_work work;
    sl_strand strand;
    sl_adapter *adapter;
    char peer[64];
    const char *what; /* static */
    int32_t code;
} refusal;

static void write_line(sl_work *work)
{
    refusal *r = (refusal *)(void *)work;
    sl_adapter *a = r->adapter;
    sl_service_refused(a->service, r->peer, r->what, r->code);
    sl_mem_free(r);
    sl_lock(a->lock);
    a->n_refusals--;
    sl_unlock(a->lock);
}

void sl_refusal_note(sl_adapter *a, struct lws *wsi, const char *what, int32_t code)
{
    sl_lock(a->lock);
    bool room = a->n_refusals < WAITING_MAX;
    sl_unlock(a->lock);
    refusal *r = room ? sl_mem(sizeof *r) : NULL;
    if (r == NULL) {
        return;
    }
    r->adapter = a;
    r->what = what;
    r->code = code;
    r->work.run = write_line;
    r->work.last = true;
    a->watch->peer(lws_get_socket_fd(wsi), r->peer, sizeof r->peer);
    sl_lock(a->lock);
    a->n_refusals++;
    sl_unlock(a->lock);
    sl_pool_post(a->pool, &r->strand, &r->work);
}
