/* What the load generator says to sidelined, to a server on npm's ws, and to nats-server. */
#include "load.h"

#include "schema/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- sidelined: the binary protocol, as the core speaks it ---------------------------------------- */

static void put(load *l, load_client *c, const sl_frame *f, sl_items *items)
{
    sl_buf b = {0};
    sl_frame_put(&c->wire, &b, f, items);
    if (b.failed) {
        load_die("out of memory");
    }
    load_say(l, c, b.data, b.len);
    sl_buf_free(&b);
}

static void sideline_greet(load *l, load_client *c)
{
    c->wire.binary = true;
    sl_frame f = {.kind = SL_FRAME_CONNECT,
                  .version = 1,
                  .token = c->who->token,
                  .device = c->who->device,
                  .floor = LOAD_FIRST_N + c->sent,
                  .clock = c->index + 1};
    c->wire.clock = f.clock;
    put(l, c, &f, NULL);
}

static void subscribe(load *l, load_client *c)
{
    sl_frame f = {.kind = SL_FRAME_SUBSCRIBE,
                  .space = c->space,
                  .epoch = c->epoch,
                  .from = c->seq,
                  .last = c->seq == 0 ? 1 : 0};
    put(l, c, &f, NULL);
}

/* Pages and changes cover (from, to]: what does not follow the cursor is a gap. */
static void cover(load *l, load_client *c, const sl_frame *f)
{
    l->faults += f->from != c->seq ? 1 : 0;
    c->seq = f->to;
}

static void count_receipts(load *l, load_client *c)
{
    sl_receipt r;
    bool got = true;
    while (sl_frame_receipt(l->reader, &r, &got, NULL) == SL_OK && got) {
        c->receipts++;
        if (r.result != SL_APPLIED) {
            load_die("sidelined refuses a message: %s", r.message);
        }
    }
}

static void sideline_message(load *l, load_client *c, const uint8_t *p, size_t n)
{
    sl_frame f;
    if (sl_frame_read(l->reader, &c->wire, p, n, &f, NULL) != SL_OK) {
        load_die("sidelined sends what is no frame");
    }
    switch ((int)f.kind) { /* of the server's only */
    case SL_FRAME_CONNECTED:
        c->wire.base_ms = f.now_ms;
        subscribe(l, c);
        break;
    case SL_FRAME_PAGE:
        (void)snprintf(c->epoch, sizeof c->epoch, "%s", f.epoch);
        if (c->seq > 0) {
            load_deliveries(l, c, p, n);
        }
        cover(l, c, &f);
        put(l, c, &(sl_frame){.kind = SL_FRAME_MORE, .bytes = (int64_t)n}, NULL);
        break;
    case SL_FRAME_SUBSCRIBED: load_is_ready(l, c); break;
    case SL_FRAME_CHANGE:
        cover(l, c, &f);
        load_deliveries(l, c, p, n);
        break;
    case SL_FRAME_RECEIPTS: count_receipts(l, c); break;
    case SL_FRAME_SIGNAL: load_deliveries(l, c, p, n); break;
    case SL_FRAME_ERROR: load_die("sidelined: %s", f.message);
    default: break;
    }
}

static void sideline_publish(load *l, load_client *c, const char *text)
{
    static const sl_entity *message;
    sl_cell values[SL_FIELDS_MAX];
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    int64_t ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    if (message == NULL) {
        message = sl_entity_find("message");
    }
    sl_op op = {.n = LOAD_FIRST_N + c->sent, .kind = SL_OP_CREATE, .entity = message};
    uint8_t random[10] = {0};
    memcpy(random + 3, &c->sent, 4); /* bytes 0 and 2 are in part the version's */
    memcpy(random + 7, &c->index, 3);
    sl_uuid7(op.id, ms, random);
    (void)snprintf(op.space, sizeof op.space, "%s", c->space);
    op.hlc = (sl_hlc){(uint64_t)ms << 16 | (uint64_t)(c->sent & 0xFFFF), c->index + 1};
    memset(values, 0, sizeof values);
    int kind = sl_field_find(message, "kind")->index;
    int body = sl_field_find(message, "body")->index;
    values[kind] = sl_cell_text("text");
    values[body] = sl_cell_text(text);
    op.values = values;
    op.has = UINT64_C(1) << kind | UINT64_C(1) << body;
    sl_items_clear(l->items);
    if (sl_items_op(l->items, &op) != SL_OK) {
        load_die("out of memory");
    }
    put(l, c, &(sl_frame){.kind = SL_FRAME_PUSH}, l->items);
}

const load_protocol load_sideline = {.name = "sidelined",
                                     .path = "/api/v1/ws",
                                     .subprotocol = SL_FRAME_PROTOCOL_BIN,
                                     .opcode = 2,
                                     .receipts = true,
                                     .greet = sideline_greet,
                                     .message = sideline_message,
                                     .publish = sideline_publish};

static void sideline_draw(load *l, load_client *c, const char *text)
{
    put(l, c,
        &(sl_frame){.kind = SL_FRAME_SIGNAL, .space = c->space, .what = "stroke", .data = text},
        NULL);
}

const load_protocol load_sideline_strokes = {.name = "sidelined",
                                             .path = "/api/v1/ws",
                                             .subprotocol = SL_FRAME_PROTOCOL_BIN,
                                             .opcode = 2,
                                             .strokes = true,
                                             .greet = sideline_greet,
                                             .message = sideline_message,
                                             .publish = sideline_draw};

/* --- peers/chat.mjs: JSON ------------------------------------------------------------------------- */

static void say_text(load *l, load_client *c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say_text(load *l, load_client *c, const char *fmt, ...)
{
    char text[LOAD_TOKEN_MAX + 400];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    load_say(l, c, text, (size_t)n);
}

static void ws_greet(load *l, load_client *c)
{
    say_text(l, c, "{\"t\":\"connect\",\"token\":\"%s\",\"space\":\"%s\"}", c->who->token,
             c->space);
}

static void ws_message(load *l, load_client *c, const uint8_t *p, size_t n)
{
    if (n > 6 && memcmp(p, "{\"t\":\"", 6) == 0) {
        if (p[6] == 'm') {
            load_deliveries(l, c, p, n);
        } else if (p[6] == 'r') {
            c->receipts++;
        } else {
            load_is_ready(l, c);
        }
    }
}

static void ws_publish(load *l, load_client *c, const char *text)
{
    char id[24];
    (void)snprintf(id, sizeof id, "%x-%llx", (unsigned)c->index, (unsigned long long)c->sent);
    say_text(l, c, "{\"t\":\"send\",\"id\":\"%s\",\"body\":\"%s\"}", id, text);
}

const load_protocol load_ws = {.name = "ws",
                               .path = "/",
                               .opcode = 1,
                               .receipts = true,
                               .greet = ws_greet,
                               .message = ws_message,
                               .publish = ws_publish};

static void ws_draw(load *l, load_client *c, const char *text)
{
    say_text(l, c, "{\"t\":\"stroke\",\"body\":\"%s\"}", text);
}

const load_protocol load_ws_strokes = {.name = "ws",
                                       .path = "/",
                                       .opcode = 1,
                                       .strokes = true,
                                       .greet = ws_greet,
                                       .message = ws_message,
                                       .publish = ws_draw};

/* --- nats-server: its own text protocol ------------------------------------------------------------- */

static void nats_greet(load *l, load_client *c)
{
    say_text(l, c,
             "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":%s,\"user\":\"bench\","
             "\"pass\":\"bench\"}\r\nSUB %s 1\r\nPING\r\n",
             l->protocol->strokes ? "false" : "true", c->space);
}

static void nats_message(load *l, load_client *c, const uint8_t *p, size_t n)
{
    load_deliveries(l, c, p, n);
    if (c->state != LOAD_READY && memmem(p, n, "PONG", 4) != NULL) {
        load_is_ready(l, c);
    }
    if (n >= 6 && memcmp(p + n - 6, "PING\r\n", 6) == 0) {
        load_say(l, c, "PONG\r\n", 6);
    }
}

static void nats_publish(load *l, load_client *c, const char *text)
{
    char line[LOAD_BODY + SL_SPACE_MAX + 32];
    int n = snprintf(line, sizeof line, "PUB %s %d\r\n%s\r\n", c->space, LOAD_BODY, text);
    load_say(l, c, line, (size_t)n);
}

const load_protocol load_nats = {.name = "nats-server",
                                 .path = "/",
                                 .opcode = 2,
                                 .receipts = false,
                                 .greet = nats_greet,
                                 .message = nats_message,
                                 .publish = nats_publish};

const load_protocol load_nats_strokes = {.name = "nats-server",
                                         .path = "/",
                                         .opcode = 2,
                                         .strokes = true,
                                         .greet = nats_greet,
                                         .message = nats_message,
                                         .publish = nats_publish};
