#include "engine/events.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"

#include <string.h>

typedef enum node_kind {
    NODE_JSON,
    NODE_ONCE, /* as NODE_JSON, without an equal one beside it */
    NODE_ROWS,
    NODE_OP_END,
    NODE_PROGRESS
} node_kind;

typedef struct node {
    node_kind kind;
    sl_id id; /* subscription or operation */
    sl_json *json;
    sl_status code;
    char *message;
    char *field; /* of the input, that is at fault; or NULL */
    int64_t done;
    int64_t total;
    bool queued;
    struct node *next;
} node;

typedef struct op {
    sl_id id;
    bool cancelled;
    node *end;
    node *progress;
    struct op *next;
} op;

struct sl_events {
    sl_mutex *lock;      /* the queue and the operations */
    sl_mutex *wake_lock; /* held while the wake runs */
    sl_wake_fn wake;
    void *wake_ctx;
    bool armed;
    bool interrupted;
    bool polling;
    node *first;
    node *last;
    op *ops;
    sl_id next_id;
};

static void node_free(node *n)
{
    if (n != NULL) {
        sl_json_free(n->json);
        sl_mem_free(n->message);
        sl_mem_free(n->field);
        sl_mem_free(n);
    }
}

sl_events *sl_events_new(void)
{
    sl_events *e = sl_mem(sizeof *e);
    if (e == NULL) {
        return NULL;
    }
    e->lock = sl_mutex_new();
    e->wake_lock = sl_mutex_new();
    e->armed = true;
    if (e->lock == NULL || e->wake_lock == NULL) {
        sl_events_free(e);
        return NULL;
    }
    return e;
}

static void op_free(op *o)
{
    if (o->end != NULL && !o->end->queued) {
        node_free(o->end);
    }
    if (o->progress != NULL && !o->progress->queued) {
        node_free(o->progress);
    }
    sl_mem_free(o);
}

void sl_events_free(sl_events *e)
{
    if (e == NULL) {
        return;
    }
    while (e->ops != NULL) {
        op *o = e->ops;
        e->ops = o->next;
        op_free(o);
    }
    while (e->first != NULL) {
        node *n = e->first;
        e->first = n->next;
        node_free(n);
    }
    sl_mutex_free(e->lock);
    sl_mutex_free(e->wake_lock);
    sl_mem_free(e);
}

void sl_events_set_wake(sl_events *e, sl_wake_fn fn, void *ctx)
{
    sl_lock(e->wake_lock);
    e->wake = fn;
    e->wake_ctx = ctx;
    sl_unlock(e->wake_lock);
    sl_lock(e->lock);
    e->armed = e->first == NULL;
    bool now = e->first != NULL;
    sl_unlock(e->lock);
    if (now && fn != NULL) {
        sl_lock(e->wake_lock);
        if (e->wake != NULL) {
            e->wake(e->wake_ctx);
        }
        sl_unlock(e->wake_lock);
    }
}

/* Called locked; true when the wake must run once unlocked. */
static bool enqueue(sl_events *e, node *n)
{
    n->queued = true;
    n->next = NULL;
    if (e->last != NULL) {
        e->last->next = n;
    } else {
        e->first = n;
    }
    e->last = n;
    sl_signal(e->lock);
    bool fire = e->armed;
    e->armed = false;
    return fire;
}

static void unlock_and_wake(sl_events *e, bool fire)
{
    sl_unlock(e->lock);
    if (fire) {
        sl_lock(e->wake_lock);
        if (e->wake != NULL) {
            e->wake(e->wake_ctx);
        }
        sl_unlock(e->wake_lock);
    }
}

void sl_events_push(sl_events *e, sl_json *event)
{
    node *n = event != NULL ? sl_mem(sizeof *n) : NULL;
    if (n == NULL) {
        sl_json_free(event);
        return;
    }
    n->kind = NODE_JSON;
    n->json = event;
    sl_lock(e->lock);
    unlock_and_wake(e, enqueue(e, n));
}

void sl_events_push_few(sl_events *e, sl_json *event, size_t max)
{
    size_t waiting = 0;
    sl_lock(e->lock);
    for (const node *n = e->first; n != NULL && waiting < max; n = n->next) {
        waiting++;
    }
    sl_unlock(e->lock);
    if (waiting < max) {
        sl_events_push(e, event);
    } else {
        sl_json_free(event);
    }
}

void sl_events_push_once(sl_events *e, sl_json *event)
{
    node *n = event != NULL ? sl_mem(sizeof *n) : NULL;
    bool waits = false;
    bool fire = false;
    sl_lock(e->lock);
    for (const node *old = e->first; n != NULL && old != NULL && !waits; old = old->next) {
        waits = old->kind == NODE_ONCE && sl_json_equal(old->json, event);
    }
    if (n != NULL && !waits) {
        n->kind = NODE_ONCE;
        n->json = event;
        fire = enqueue(e, n);
    }
    unlock_and_wake(e, fire);
    if (n == NULL || waits) {
        sl_mem_free(n);
        sl_json_free(event);
    }
}

void sl_events_rows(sl_events *e, sl_id sub)
{
    sl_lock(e->lock);
    for (node *n = e->first; n != NULL; n = n->next) {
        if (n->kind == NODE_ROWS && n->id == sub) {
            sl_unlock(e->lock);
            return;
        }
    }
    node *n = sl_mem(sizeof *n);
    bool fire = false;
    if (n != NULL) {
        n->kind = NODE_ROWS;
        n->id = sub;
        fire = enqueue(e, n);
    }
    unlock_and_wake(e, fire);
}

sl_id sl_events_op(sl_events *e)
{
    op *o = sl_mem(sizeof *o);
    node *end = sl_mem(sizeof *end);
    node *progress = sl_mem(sizeof *progress);
    if (o == NULL || end == NULL || progress == NULL) {
        sl_mem_free(o);
        node_free(end);
        node_free(progress);
        return 0;
    }
    sl_lock(e->lock);
    o->id = ++e->next_id;
    end->kind = NODE_OP_END;
    end->id = o->id;
    progress->kind = NODE_PROGRESS;
    progress->id = o->id;
    o->end = end;
    o->progress = progress;
    o->next = e->ops;
    e->ops = o;
    sl_id id = o->id;
    sl_unlock(e->lock);
    return id;
}

static op *find_op(const sl_events *e, sl_id id)
{
    op *o = e->ops;
    while (o != NULL && o->id != id) {
        o = o->next;
    }
    return o;
}

typedef struct ending {
    sl_status code;
    const char *message; /* NULL: none; so the field */
    const char *field;
} ending;

/* res is taken. */
static void end_op(sl_events *e, sl_id id, const ending *how, sl_json *res)
{
    char *text = how->message != NULL ? sl_text_dup(how->message) : NULL;
    char *field = how->field != NULL ? sl_text_dup(how->field) : NULL;
    sl_lock(e->lock);
    op **at = &e->ops;
    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    op *o = *at;
    if (o == NULL) {
        sl_unlock(e->lock);
        sl_mem_free(text);
        sl_mem_free(field);
        sl_json_free(res);
        return;
    }
    *at = o->next;
    node *end = o->end;
    end->code = how->code;
    end->message = text;
    end->field = field;
    end->json = res;
    bool fire = enqueue(e, end);
    op_free(o);
    unlock_and_wake(e, fire);
}

void sl_events_op_done(sl_events *e, sl_id id, sl_json *res)
{
    end_op(e, id, &(ending){.code = SL_OK}, res);
}

void sl_events_op_failed(sl_events *e, sl_id id, sl_status code, const char *message)
{
    end_op(e, id, &(ending){.code = code, .message = message}, NULL);
}

void sl_events_op_error(sl_events *e, sl_id id, sl_error *err)
{
    ending how = {.code = err != NULL ? sl_error_code(err) : SL_E_INTERNAL,
                  .message = sl_error_message(err),
                  .field = err != NULL ? sl_error_field(err) : NULL};
    end_op(e, id, &how, NULL);
    sl_error_release(err);
}

void sl_events_progress(sl_events *e, sl_id id, int64_t done, int64_t total)
{
    sl_lock(e->lock);
    op *o = find_op(e, id);
    bool fire = false;
    if (o != NULL) {
        o->progress->done = done;
        o->progress->total = total;
        if (!o->progress->queued) {
            fire = enqueue(e, o->progress);
        }
    }
    unlock_and_wake(e, fire);
}

sl_status sl_events_op_cancel(sl_events *e, sl_id id)
{
    sl_lock(e->lock);
    op *o = find_op(e, id);
    if (o != NULL) {
        o->cancelled = true;
    }
    sl_unlock(e->lock);
    return o != NULL ? SL_OK : SL_E_NOT_FOUND;
}

bool sl_events_op_cancelled(sl_events *e, sl_id id)
{
    sl_lock(e->lock);
    const op *o = find_op(e, id);
    bool cancelled = o != NULL && o->cancelled;
    sl_unlock(e->lock);
    return cancelled;
}

static void write_op_end(sl_buf *out, const node *n)
{
    sl_buf_fmt(out, "{\"ev\":\"op\",\"op\":%llu,\"ok\":%s", (unsigned long long)n->id,
               n->code == SL_OK ? "true" : "false");
    if (n->code != SL_OK) {
        sl_json *message = sl_json_string(n->message != NULL ? n->message : "out of memory");
        char *text = message != NULL ? sl_json_print(message) : NULL;
        sl_buf_fmt(out, ",\"code\":%d,\"name\":\"%s\",\"message\":%s", n->code,
                   sl_status_name(n->code), text != NULL ? text : "\"\"");
        if (n->field != NULL) {
            sl_buf_str(out, ",\"field\":");
            sl_json_put_text(out, n->field, strlen(n->field));
        }
        sl_mem_free(text);
        sl_json_free(message);
    } else if (n->json != NULL) {
        char *text = sl_json_print(n->json);
        sl_buf_str(out, ",\"res\":");
        sl_buf_str(out, text != NULL ? text : "");
        out->failed = out->failed || text == NULL;
        sl_mem_free(text);
    }
    sl_buf_str(out, "}");
}

static void write_node(sl_buf *out, const node *n)
{
    char *text = NULL;
    switch (n->kind) {
    case NODE_JSON:
    case NODE_ONCE:
        text = sl_json_print(n->json);
        sl_buf_str(out, text != NULL ? text : "");
        out->failed = out->failed || text == NULL;
        sl_mem_free(text);
        break;
    case NODE_ROWS:
        sl_buf_fmt(out, "{\"ev\":\"rows\",\"sub\":%llu}", (unsigned long long)n->id);
        break;
    case NODE_OP_END: write_op_end(out, n); break;
    case NODE_PROGRESS:
        sl_buf_fmt(out, "{\"ev\":\"progress\",\"op\":%llu,\"done\":%lld,\"total\":%lld}",
                   (unsigned long long)n->id, (long long)n->done, (long long)n->total);
        break;
    }
}

/* Called locked: takes the first event off the queue. Its operation, if it lives, keeps the node. */
static void drop_first(sl_events *e)
{
    node *n = e->first;
    e->first = n->next;
    if (e->first == NULL) {
        e->last = NULL;
    }
    n->queued = false;
    const op *o = n->kind == NODE_PROGRESS ? find_op(e, n->id) : NULL;
    if (o == NULL) {
        node_free(n);
    }
}

sl_status sl_events_poll(sl_events *e, size_t max_bytes, sl_bytes **out, sl_error **err)
{
    *out = NULL;
    sl_lock(e->lock);
    if (e->polling) {
        sl_unlock(e->lock);
        return sl_fail(err, SL_E_BUSY, "another thread is polling this core");
    }
    e->polling = true;
    e->armed = true;
    sl_buf text = {0};
    size_t count = 0;
    for (const node *n = e->first; n != NULL && (count == 0 || text.len < max_bytes); n = n->next) {
        sl_buf_str(&text, count == 0 ? "[" : ",");
        write_node(&text, n);
        count++;
    }
    sl_buf_str(&text, "]");
    *out = count > 0 ? sl_buf_bytes(&text) : NULL;
    for (size_t i = 0; *out != NULL && i < count; i++) {
        drop_first(e); /* only what was handed over: out of memory they all stay queued */
    }
    sl_buf_free(&text);
    e->polling = false;
    sl_unlock(e->lock);
    return *out != NULL || count == 0 ? SL_OK : sl_fail_nomem(err);
}

int32_t sl_events_wait(sl_events *e, int32_t timeout_ms)
{
    sl_lock(e->lock);
    if (e->first == NULL && !e->interrupted && timeout_ms != 0) {
        sl_wait(e->lock, timeout_ms);
    }
    int32_t result = e->interrupted ? -1 : e->first != NULL ? 1 : 0;
    e->interrupted = false;
    sl_unlock(e->lock);
    return result;
}

void sl_events_interrupt(sl_events *e)
{
    sl_lock(e->lock);
    e->interrupted = true;
    sl_signal(e->lock);
    sl_unlock(e->lock);
}
