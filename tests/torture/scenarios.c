/* What is tortured: each thing that a store and its synchronisation do. */
#include "torture.h"

#include "base/mem.h"
#include "engine/engine.h"
#include "service/inside.h"
#include "sideline/chat.h"
#include "sideline/record.h"
#include "sideline/sync.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECOND = 1000
};

/* --- helpers ------------------------------------------------------------------------------ */

static sl_core *core_of(const torture *t)
{
    return t->at->node->core;
}

/* sl_apply with trouble; ' for ". SL_E_CLOSED when the core is down. */
static sl_status apply(torture *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static sl_status apply(torture *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = sl_text_vfmt(fmt, args);
    va_end(args);
    ck_assert_ptr_nonnull(text);
    for (char *p = text; *p != 0; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    sl_status status = SL_E_CLOSED;
    if (core_of(t) != NULL) {
        sl_bytes *out = NULL;
        sl_error *err = NULL;
        torture_in(t);
        status = sl_apply(core_of(t), text, strlen(text), &out, &err);
        torture_out(t);
        torture_need(t, (status == SL_OK) == (err == NULL) || status == SL_E_NOMEM,
                     "an error comes with a sentence");
        sl_sim_trace(t->l->sim, "%s applies %.200s: %s", t->at->node->host.name, text,
                     sl_status_name(status));
        sl_error_release(err);
        sl_bytes_release(out);
        sl_sim_node_touched(t->at->node);
    }
    torture_may(t, status);
    sl_mem_free(text);
    return status;
}

static void is(torture *t, lab_node *n, const char *entity, const char *id, const char *field,
               const char *want)
{
    char have[LAB_TEXT];
    lab_field(n, entity, id, field, have);
    if (strcmp(have, want) != 0) {
        (void)fprintf(stderr, "%s has %s, not %s\n", field, have, want);
    }
    torture_need(t, strcmp(have, want) == 0, "what was acknowledged is everywhere");
}

static const char *number(const torture *t, char out[32])
{
    (void)snprintf(out, 32, "%d", (int)t->round);
    return out;
}

/* --- local writes ------------------------------------------------------------------------- */

static void create(torture *t)
{
    lab_id(t->l, t->id);
    t->acked = apply(t,
                     "[{'op':'create','entity':'goal','id':'%s','space':'user:%s','fields':"
                     "{'title':'g%d','done':2}},"
                     "{'op':'create','entity':'comment','space':'%s','fields':{'body':'c%d'}},"
                     "{'op':'create','entity':'favourite','space':'user:%s','fields':"
                     "{'kind':'video','target_space':'%s','target_id':'%s','labels':"
                     "{'add':['a','b']}}}]",
                     t->id, t->ana->user, (int)t->round, t->space, (int)t->round, t->ana->user,
                     t->space, t->video) == SL_OK;
}

static void created(torture *t)
{
    char title[32];
    int comments = lab_count(t->cleo, "{'from':'comment','where':{'body':'c%d'}}", (int)t->round);
    int goals = lab_count(t->ana, "{'from':'goal','where':{'id':'%s'}}", t->id);
    torture_need(t, comments == goals, "a batch is all or nothing");
    (void)snprintf(title, sizeof title, "g%d", (int)t->round);
    if (t->acked) {
        torture_need(t, comments == 1, "what was acknowledged is there");
        is(t, t->ana, "goal", t->id, "title", title);
        is(t, t->ana, "goal", t->id, "done", "2");
    }
}

static void before_patch(torture *t)
{
    char done[LAB_TEXT];
    lab_field(t->ana, "goal", t->goal, "done", done);
    (void)snprintf(t->id, sizeof t->id, "%d", done[0] != 0 ? atoi(done) : 0);
}

static void patch(torture *t)
{
    t->acked = apply(t,
                     "[{'op':'patch','entity':'goal','id':'%s','fields':{'title':'%d','done':3}},"
                     "{'op':'patch','entity':'video','id':'%s','fields':{'title':'%d'}}]",
                     t->goal, (int)t->round, t->video, (int)t->round) == SL_OK;
}

static void patched(torture *t)
{
    char want[32];
    char done[LAB_TEXT];
    lab_field(t->ana, "goal", t->goal, "done", done);
    int had = atoi(t->id);
    int has = atoi(done);
    torture_need(t, has == had + 3 || (!t->acked && has == had), "a counter counts once");
    if (t->acked) {
        is(t, t->ana, "goal", t->goal, "title", number(t, want));
        is(t, t->cleo, "video", t->video, "title", number(t, want));
    }
}

static void patch_set(torture *t)
{
    t->acked = apply(t,
                     "[{'op':'patch','entity':'program','id':'%s','fields':{'tags':"
                     "{'add':['t%d'],'remove':['t%d']}}}]",
                     t->program, (int)t->round, (int)t->tag) == SL_OK;
    t->tag = t->acked ? t->round : t->tag; /* the set stays small, whatever fails */
}

static void patched_set(torture *t)
{
    char tags[LAB_TEXT];
    char element[32];
    lab_field(t->cleo, "program", t->program, "tags", tags);
    (void)snprintf(element, sizeof element, "\"t%d\"", (int)t->round);
    torture_need(t, !t->acked || strstr(tags, element) != NULL, "an element that was added is in");
}

static void something_to_delete(torture *t)
{
    lab_id(t->l, t->id);
    ck_assert_int_eq(lab_apply(t->ana,
                               "[{'op':'create','entity':'comment','id':'%s','space':'%s',"
                               "'fields':{'body':'to be deleted'}}]",
                               t->id, t->space),
                     SL_OK);
    lab_settle(t->l, 60 * SECOND);
}

static void delete (torture *t)
{
    t->acked = apply(t, "[{'op':'delete','entity':'comment','id':'%s'}]", t->id) == SL_OK;
}

static void deleted(torture *t)
{
    int here = lab_count(t->ana, "{'from':'comment','where':{'id':'%s'}}", t->id);
    int there = lab_count(t->cleo, "{'from':'comment','where':{'id':'%s'}}", t->id);
    torture_need(t, here == there && (!t->acked || here == 0), "a deletion is everywhere");
    if (here == 1) {
        ck_assert_int_eq(lab_apply(t->ana, "[{'op':'delete','entity':'comment','id':'%s'}]", t->id),
                         SL_OK);
    }
}

/* --- reading ------------------------------------------------------------------------------ */

static void query(torture *t)
{
    static const char *const queries[] = {
        ("{\"from\":\"video\",\"where\":{\"title\":{\"prefix\":\"c\"},\"or\":[{\"size\":{\"gt\":1}},"
         "{\"not\":{\"seq\":0}}]},\"order\":[\"-seq\"],\"limit\":5,\"select\":[\"title\"]}"),
        "{\"from\":\"video\",\"search\":\"clip\",\"snippet\":true}",
        "{\"from\":\"grant\",\"count\":true}"};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0] && core_of(t) != NULL; i++) {
        sl_bytes *out = NULL;
        torture_in(t);
        sl_status status = sl_query_once(core_of(t), queries[i], strlen(queries[i]), &out, NULL);
        torture_out(t);
        torture_may(t, status);
        torture_need(t, (status == SL_OK) == (out != NULL), "rows or an error");
        sl_bytes_release(out);
    }
    sl_bytes *one = NULL;
    torture_in(t);
    sl_status status = sl_record_get(core_of(t), "video", t->video, &one, NULL);
    torture_out(t);
    torture_may(t, status);
    sl_bytes_release(one);
}

static void live(torture *t)
{
    static const char text[] = "{\"from\":\"video\",\"order\":[\"title\"]}";
    sl_id sub = 0;
    sl_bytes *out = NULL;
    torture_in(t);
    sl_status status = sl_query_watch(core_of(t), text, sizeof text - 1, &sub, NULL);
    torture_out(t);
    torture_may(t, status);
    for (int i = 0; status == SL_OK && i < 2; i++) {
        torture_in(t);
        sl_status taken = sl_query_take(core_of(t), sub, &out, NULL);
        torture_out(t);
        torture_may(t, taken);
        sl_bytes_release(out);
        out = NULL;
    }
    if (status == SL_OK) { /* a take that failed lost nothing */
        ck_assert_int_eq(sl_query_unwatch(core_of(t), sub), SL_OK);
    }
}

/* --- synchronisation ---------------------------------------------------------------------- */

static void a_word_of_the_other(torture *t)
{
    lab_id(t->l, t->id);
    ck_assert_int_eq(lab_apply(t->cleo,
                               "[{'op':'create','entity':'comment','id':'%s','space':'%s',"
                               "'fields':{'body':'for all'}}]",
                               t->id, t->space),
                     SL_OK);
}

static void hear(torture *t)
{
    a_word_of_the_other(t);
    lab_run(t->l, 2 * SECOND);
}

static void heard(torture *t)
{
    is(t, t->ana, "comment", t->id, "body", "for all");
}

static void behind(torture *t)
{
    lab_online(t->ana, false);
    lab_run(t->l, SECOND);
    for (int i = 0; i < 3; i++) {
        a_word_of_the_other(t);
    }
    lab_run(t->l, SECOND);
}

static void catch_up(torture *t)
{
    lab_online(t->ana, true);
    lab_run(t->l, 4 * SECOND);
}

static void push(torture *t)
{
    create(t);
    lab_run(t->l, 2 * SECOND);
}

static void poison(torture *t)
{
    lab_id(t->l, t->id);
    t->acked = apply(t,
                     "[{'op':'create','entity':'connection','id':'%s','space':'user:%s',"
                     "'fields':{'peer_email':'nobody@lab.test'}}]",
                     t->id, t->ana->user) == SL_OK;
    lab_run(t->l, 2 * SECOND);
}

static void refused(torture *t)
{
    torture_need(t, lab_count(t->ana, "{'from':'connection','where':{'id':'%s'}}", t->id) == 0,
                 "what was refused is undone");
}

/* As when the server was restored: all that is held is of no use. */
static void reset(torture *t)
{
    sl_service *s = t->l->sim->server.service;
    ck_assert_int_eq(s->ports.db.run(s->ports.db.user,
                                     "UPDATE space SET epoch='01890000-0000-7000-8000-' ||"
                                     " lower(hex(randomblob(6)))",
                                     NULL, 0, NULL, NULL, NULL),
                     SL_OK);
    sl_sim_net_cut_node(t->ana->node);
    sl_sim_net_cut_node(t->cleo->node);
    lab_run(t->l, 4 * SECOND);
}

static void whole(torture *t)
{
    torture_need(t, lab_count(t->ana, "{'from':'video'}") == 1, "all came again");
    torture_need(t,
                 lab_count(t->ana, "{'from':'comment','limit':10000}") ==
                     lab_count(t->cleo, "{'from':'comment','limit':10000}"),
                 "both have the same");
}

static void fetched(torture *t)
{
    char hex[LAB_TEXT];
    lab_field(t->cleo, "video", t->video, "blob", hex);
    t->cleo->op_ended = false;
    ck_assert_int_eq(sl_blob_fetch(t->cleo->node->core, hex, &t->cleo->op, NULL), SL_OK);
    sl_sim_node_touched(t->cleo->node);
    lab_wait_op(t->cleo);
}

static void lose(torture *t)
{
    ck_assert_int_eq(lab_apply(t->ana, "[{'op':'delete','entity':'share','id':'%s'}]", t->share),
                     SL_OK);
    lab_run(t->l, 4 * SECOND);
}

static void lost(torture *t)
{
    torture_need(t, lab_count(t->cleo, "{'from':'video'}") == 0, "what was taken away is gone");
    lab_share(t->ana, t->space, t->cleo, t->share);
    lab_settle(t->l, 60 * SECOND);
    torture_need(t, lab_count(t->cleo, "{'from':'video'}") == 1, "what was given again is there");
}

/* --- blobs, chat, session, start ---------------------------------------------------------- */

static void put_blob(torture *t)
{
    char bytes[64];
    sl_bytes *hex = NULL;
    int n = snprintf(bytes, sizeof bytes, "voice %d", (int)t->round);
    torture_in(t);
    sl_status status = sl_blob_put(core_of(t), t->space, (const uint8_t *)bytes, (size_t)n,
                                   "audio/ogg", &hex, NULL);
    torture_out(t);
    torture_may(t, status);
    t->acked = status == SL_OK;
    (void)snprintf(t->id, sizeof t->id, "%.39s",
                   hex != NULL ? (const char *)sl_bytes_data(hex) : "");
    sl_bytes_release(hex);
    sl_sim_node_touched(t->at->node);
    lab_run(t->l, 2 * SECOND);
}

/* As if it were not here. */
static void forget_blob(torture *t)
{
    const sl_platform *p = &t->cleo->node->host.platform;
    lab_field(t->cleo, "video", t->video, "blob", t->hex);
    char *path = sl_store_blob_path(t->cleo->node->core->store, t->hex);
    ck_assert_ptr_nonnull(path);
    (void)p->files->remove(p->user, path);
    sl_mem_free(path);
}

static void fetch_blob(torture *t)
{
    sl_id op = 0;
    torture_in(t);
    sl_status status = sl_blob_fetch(core_of(t), t->hex, &op, NULL);
    torture_out(t);
    torture_may(t, status);
    sl_sim_node_touched(t->at->node);
    lab_run(t->l, 3 * SECOND);
}

static void find_thread(torture *t)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_query_once(core_of(t), "{\"from\":\"thread\"}", 17, &out, NULL), SL_OK);
    sl_json *rows = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    sl_space_name(t->thread, "thread", sl_json_str(sl_json_first(rows), "id"));
    sl_json_free(rows);
    sl_bytes_release(out);
}

static void say(torture *t)
{
    char json[64];
    sl_bytes *out = NULL;
    int n = snprintf(json, sizeof json, "{\"body\":\"m%d\"}", (int)t->round);
    torture_in(t);
    sl_status status = sl_chat_send(core_of(t), t->thread, json, (size_t)n, &out, NULL);
    torture_out(t);
    torture_may(t, status);
    t->acked = status == SL_OK;
    sl_bytes_release(out);
    torture_in(t);
    (void)sl_chat_mark(core_of(t), t->thread, SL_CHAT_READ, NULL, NULL);
    torture_out(t);
    sl_sim_node_touched(t->at->node);
    lab_run(t->l, 2 * SECOND);
}

static void said(torture *t)
{
    int n = lab_count(t->cleo, "{'from':'message','where':{'body':'m%d'}}", (int)t->round);
    torture_need(t, n == 1 || (n == 0 && !t->acked), "a message comes once");
}

static int gaps(torture *t)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_chat_gaps(core_of(t), t->thread, &out, NULL), SL_OK);
    sl_json *list = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    int n = (int)sl_json_count(list);
    sl_json_free(list);
    sl_bytes_release(out);
    return n;
}

/* A thread of which the newest messages are held, the others are missing. */
static void in_part(torture *t)
{
    enum {
        WINDOW = 3,
        SAID = 12
    };
    find_thread(t);
    if (t->l->sim->windows[0] != WINDOW) {
        for (size_t i = 0; i < 4; i++) {
            t->l->sim->windows[i] = WINDOW;
        }
        sl_sim_node_restart(t->ana->node);
        for (int i = 0; i < SAID; i++) {
            ck_assert_int_eq(lab_apply(t->cleo,
                                       "[{'op':'create','entity':'message','space':'%s','fields':"
                                       "{'kind':'text','body':'m%d'}}]",
                                       t->thread, i),
                             SL_OK);
        }
        lab_run(t->l, 5 * SECOND);
    }
    reset(t);
    lab_settle(t->l, 60 * SECOND);
    ck_assert_int_eq(gaps(t), 1);
}

static void load(torture *t)
{
    sl_id op = 0;
    torture_in(t);
    sl_status status = sl_chat_load(core_of(t), t->thread, SL_CHAT_OLDER, NULL, 4, &op, NULL);
    torture_out(t);
    torture_may(t, status);
    sl_sim_node_touched(t->at->node);
    lab_run(t->l, 3 * SECOND);
}

/* Whatever came of it, the rest can be loaded, and all of it is there then. */
static void loaded(torture *t)
{
    t->ana->op_ended = false;
    ck_assert_int_eq(
        sl_chat_load(core_of(t), t->thread, SL_CHAT_OLDER, NULL, 100, &t->ana->op, NULL), SL_OK);
    sl_sim_node_touched(t->ana->node);
    lab_wait_op(t->ana);
    torture_need(t, t->ana->op_ok, "what is missing can be loaded");
    torture_need(t, gaps(t) == 0, "nothing is missing then");
    torture_need(
        t, lab_count(t->ana, "{'from':'message'}") == lab_count(t->cleo, "{'from':'message'}"),
        "both have the same");
}

static void leave(torture *t)
{
    static const char json[] = "{\"email\":\"ana@lab.test\",\"password\":\"correct horse\"}";
    sl_id op = 0;
    torture_in(t);
    sl_status status = sl_session_logout(core_of(t), NULL);
    torture_out(t);
    torture_may(t, status);
    torture_in(t);
    status = sl_session_login(core_of(t), json, sizeof json - 1, &op, NULL);
    torture_out(t);
    torture_may(t, status);
    sl_sim_node_touched(t->at->node);
    lab_run(t->l, SECOND);
}

static void open_again(torture *t)
{
    sl_sim_node_restart(t->at->node);
    lab_run(t->l, 5 * SECOND);
}

/* --- undo, drafts, keys --------------------------------------------------------------------- */

static void something_to_undo(torture *t)
{
    ck_assert_int_eq(lab_apply(t->ana,
                               "[{'op':'create','entity':'comment','space':'%s','fields':"
                               "{'body':'u%d'}}]",
                               t->space, (int)t->round),
                     SL_OK);
    lab_settle(t->l, 60 * SECOND);
}

/* SL_E_NOT_FOUND when there is nothing to redo. */
static sl_status undo_or_redo(torture *t, bool redo)
{
    sl_bytes *out = NULL;
    torture_in(t);
    sl_status status = redo ? sl_redo(core_of(t), t->space, &out, NULL)
                            : sl_undo(core_of(t), t->space, &out, NULL);
    torture_out(t);
    torture_may(t, redo && status == SL_E_NOT_FOUND ? SL_OK : status);
    torture_need(t, (status == SL_OK) == (out != NULL), "what was done, or an error");
    sl_bytes_release(out);
    sl_sim_node_touched(t->at->node);
    return status;
}

/* id: how many of it there must be then; "" when a failure leaves that open. */
static void undo(torture *t)
{
    sl_status status = undo_or_redo(t, false);
    (void)snprintf(t->id, sizeof t->id, "%s", status == SL_OK ? "0" : "");
    if (status == SL_OK && core_of(t) != NULL) {
        status = undo_or_redo(t, true);
        (void)snprintf(t->id, sizeof t->id, "%s", status == SL_OK ? "1" : "");
    }
    lab_run(t->l, SECOND);
}

static void undone(torture *t)
{
    int here = lab_count(t->ana, "{'from':'comment','where':{'body':'u%d'}}", (int)t->round);
    int there = lab_count(t->cleo, "{'from':'comment','where':{'body':'u%d'}}", (int)t->round);
    torture_need(t, here == there && here <= 1, "a step is undone once, everywhere");
    torture_need(t, t->id[0] == 0 || here == atoi(t->id), "what was undone, or redone, is so");
}

static sl_id first_draft(const torture *t)
{
    sl_bytes *out = NULL;
    ck_assert_int_eq(sl_drafts(core_of(t), NULL, 0, &out, NULL), SL_OK);
    sl_json *list = sl_json_parse((const char *)sl_bytes_data(out), sl_bytes_len(out));
    sl_id id = (sl_id)sl_json_int_or(sl_json_first(list), "draft", 0);
    sl_json_free(list);
    sl_bytes_release(out);
    return id;
}

static void a_draft(torture *t)
{
    lab_id(t->l, t->id);
    ck_assert_int_eq(lab_apply(t->ana,
                               "[{'op':'create','entity':'connection','id':'%s','space':'user:%s',"
                               "'fields':{'peer_email':'nobody@lab.test'}}]",
                               t->id, t->ana->user),
                     SL_OK);
    lab_settle(t->l, 60 * SECOND);
    ck_assert(first_draft(t) != 0);
}

/* It is refused again, and is a draft again then. */
static void send_draft(torture *t)
{
    sl_bytes *out = NULL;
    sl_id draft = first_draft(t);
    torture_in(t);
    sl_status status = sl_draft_send(core_of(t), draft, "{}", 2, &out, NULL);
    torture_out(t);
    torture_may(t, status);
    t->acked = status == SL_OK;
    sl_bytes_release(out);
    sl_sim_node_touched(t->at->node);
    lab_run(t->l, 2 * SECOND);
}

static void discard_draft(torture *t)
{
    sl_id draft = first_draft(t);
    torture_in(t);
    sl_status status = sl_draft_discard(core_of(t), draft, NULL);
    torture_out(t);
    torture_may(t, status);
    t->acked = status == SL_OK;
    sl_sim_node_touched(t->at->node);
    lab_run(t->l, SECOND);
}

static void sent_draft(torture *t)
{
    refused(t);
    sl_id draft = first_draft(t);
    torture_need(t, draft != 0, "a draft is there until it is accepted");
    ck_assert_int_eq(sl_draft_discard(core_of(t), draft, NULL), SL_OK);
    sl_sim_node_touched(t->at->node);
    torture_need(t, first_draft(t) == 0, "there is one of it");
}

static void discarded_draft(torture *t)
{
    sl_id draft = first_draft(t);
    torture_need(t, !t->acked || draft == 0, "what was discarded is gone");
    if (draft != 0) {
        ck_assert_int_eq(sl_draft_discard(core_of(t), draft, NULL), SL_OK);
        sl_sim_node_touched(t->at->node);
    }
}

/* Of a sealed folder: the same key wraps its own anew; whatever comes of it, the folder opens with it. */
static void rekey(torture *t)
{
    if (t->l->sim->node_key == NULL) {
        return;
    }
    torture_in(t);
    sl_status status = sl_core_rekey(core_of(t), t->l->sim->node_key, NULL, NULL);
    torture_out(t);
    torture_may(t, status);
    sl_sim_node_touched(t->at->node);
    sl_sim_node_restart(t->at->node);
    lab_run(t->l, 5 * SECOND);
}

const scenario scenarios[] = {
    {"create", false, NULL, create, NULL, created},
    {"patch", false, before_patch, patch, NULL, patched},
    {"patch-set", true, NULL, patch_set, NULL, patched_set},
    {"delete", false, something_to_delete, delete, NULL, deleted},
    {"query", false, NULL, query, NULL, NULL},
    {"live", false, NULL, live, NULL, NULL},
    {"change", false, NULL, hear, NULL, heard},
    {"page", false, behind, catch_up, NULL, heard},
    {"push", false, NULL, push, NULL, created},
    {"reject", false, NULL, poison, NULL, refused},
    {"reset", false, NULL, reset, NULL, whole},
    {"revoke", true, fetched, lose, NULL, lost},
    {"blob-put", false, NULL, put_blob, NULL, whole},
    {"blob-fetch", true, forget_blob, fetch_blob, NULL, fetched},
    {"chat", false, find_thread, say, NULL, said},
    {"load", false, in_part, load, NULL, loaded},
    {"sign-out", false, NULL, leave, NULL, whole},
    {"undo", false, something_to_undo, undo, NULL, undone},
    {"draft-send", false, a_draft, send_draft, NULL, sent_draft},
    {"draft-discard", false, a_draft, discard_draft, NULL, discarded_draft},
    {"rekey", false, NULL, rekey, NULL, whole},
    {"wipe", false, something_to_wipe, sign_out_and_wipe, wipe_again, whole},
    {"wipe-open", false, wipe_in_part, open_after_wipe, opened_after_wipe, whole},
    {"open", false, NULL, open_again, NULL, whole},
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];
