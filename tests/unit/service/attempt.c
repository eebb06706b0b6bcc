#include "unit/service/attempt.h"

#include "base/base64.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "golden.h"
#include "service/inside.h"

#include <stdio.h>
#include <string.h>

enum {
    LINES_MAX = 600,
    CELL = 9,
    TABLES_MAX = 100
};

typedef struct line {
    sl_route_id route;
    char what[48];
    char cells[SL_STANDINGS][CELL];
} line;

static line g_lines[LINES_MAX];
static size_t g_count;
static char *g_nothing[SL_ROUTES]; /* the body of a route's 404 */

/* ---- the table ---- */

static char *cell_of(const stand *here, const probe *p, const char *relation)
{
    char what[sizeof g_lines[0].what];
    int n = snprintf(what, sizeof what, "%s%s%s", p->what,
                     p->what[0] != 0 && relation[0] != 0 ? " " : "", relation);
    ck_assert_int_lt(n, (int)sizeof what);
    size_t i = 0;
    while (i < g_count && (g_lines[i].route != p->route || strcmp(g_lines[i].what, what) != 0)) {
        i++;
    }
    if (i == g_count) {
        ck_assert_uint_lt(g_count, LINES_MAX);
        g_lines[g_count].route = p->route;
        memcpy(g_lines[g_count++].what, what, sizeof what);
    }
    char *cell = g_lines[i].cells[here->s.standing];
    ck_assert_msg(cell[0] == 0, "%s %s is tried twice", sl_routes[p->route].id, what);
    return cell;
}

void attempt_none(const stand *here, const probe *p, const char *relation)
{
    (void)snprintf(cell_of(here, p, relation), CELL, ".");
}

static void put_line(sl_buf *out, const line *l)
{
    char name[80];
    (void)snprintf(name, sizeof name, "%s %s", sl_routes[l->route].id, l->what);
    sl_buf_fmt(out, "%-46s", name);
    for (size_t s = 0; s < SL_STANDINGS; s++) {
        ck_assert_msg(l->cells[s][0] != 0, "%s: not of %s", name, sl_standings[s]);
        sl_buf_fmt(out, s + 1 < SL_STANDINGS ? " %-8s" : " %s", l->cells[s]);
    }
    sl_buf_str(out, "\n");
}

void attempts_check(const char *path, size_t cells)
{
    static const char *const short_names[SL_STANDINGS] = {
        "guest", "ath.free", "ath.paid", "c.basic", "c.trial", "c.prem", "admin"};
    sl_buf out = {0};
    sl_buf_str(
        &out,
        "What every route answers to every standing, for what is its own, what it was let into (student, given,\n"
        "direct, peer, lead), what is public, a stranger's, and not there (none).\n"
        "200:2 is a list of two; yes or no behind a 200, that the operation was taken or rejected;\n"
        "a dot, that the standing cannot stand so.\n\n");
    sl_buf_fmt(&out, "%-46s", "");
    for (size_t s = 0; s < SL_STANDINGS; s++) {
        sl_buf_fmt(&out, s + 1 < SL_STANDINGS ? " %-8s" : " %s", short_names[s]);
    }
    sl_buf_str(&out, "\n");
    for (size_t r = 0; r < SL_ROUTES; r++) {
        bool any = false;
        for (size_t i = 0; i < g_count; i++) {
            if ((size_t)g_lines[i].route == r) {
                put_line(&out, &g_lines[i]);
                any = true;
            }
        }
        ck_assert_msg(any, "nobody asks %s %s", sl_routes[r].method, sl_routes[r].path);
    }
    sl_buf_fmt(&out, "\n%zu cells\n", g_count * SL_STANDINGS);
    ck_assert(!out.failed);
    sl_golden_check(path, sl_buf_text(&out));
    ck_assert_uint_eq(g_count * SL_STANDINGS, cells);
    sl_buf_free(&out);
}

void attempts_free(void)
{
    for (size_t r = 0; r < SL_ROUTES; r++) {
        sl_mem_free(g_nothing[r]);
        g_nothing[r] = NULL;
    }
    g_count = 0;
    memset(g_lines, 0, sizeof g_lines);
}

/* ---- where it is ---- */

static sl_status pay(void *w, const char *path, const char *form, const char *key, sl_bytes **out,
                     sl_error **err)
{
    static const char said[] = "{\"id\":\"ref\",\"client_secret\":\"secret\"}";
    (void)w;
    (void)path;
    (void)form;
    (void)key;
    (void)err;
    *out = sl_bytes_copy(said, sizeof said - 1);
    return *out != NULL ? SL_OK : SL_E_NOMEM;
}

void attempt_open(stand *here, sl_standing standing)
{
    world *w = world_new();
    w->pay = pay;
    world_reopen(w);
    memset(here, 0, sizeof *here);
    stage_open_in(&here->s, standing, w);
    here->host = &here->s.coach;
}

/* ---- what is said ---- */

static void put_sign(stand *here, char sign, sl_buf *out)
{
    char sha[65];
    stage *s = &here->s;
    switch (sign) {
    case 'S': sl_buf_str(out, here->space); break;
    case 'I': sl_buf_str(out, sl_space_id(here->space)); break;
    case 'C': sl_buf_str(out, here->host->id); break;
    case 'N': sl_buf_str(out, stage_fresh(s)); break;
    case 'O': sl_buf_str(out, here->object); break;
    case 'P': sl_buf_str(out, here->plan); break;
    case 'U': sl_buf_str(out, here->address); break;
    case 'M': sl_buf_fmt(out, "%lld", (long long)++s->subject.n); break;
    case 'H':
        sl_buf_fmt(out, "%012llx%04x00000001", (unsigned long long)s->w->now_ms,
                   (unsigned)s->subject.n);
        break;
    case 'D': sl_buf_str(out, s->subject.device); break;
    case 'E': sl_buf_str(out, s->subject.email); break;
    case 's': sl_base64(out, here->space, strlen(here->space)); break;
    case 'B':
    case 'f':
        sha_of(sign == 'B' ? here->blob : "bytes that are nowhere", sha);
        if (sign == 'B') {
            sl_buf_str(out, sha);
        } else {
            sl_base64(out, sha, strlen(sha));
        }
        break;
    default: ck_abort_msg("@%c stands for nothing", sign);
    }
}

static char *fill_in(stand *here, const char *text)
{
    sl_buf b = {0};
    for (const char *p = text; *p != 0; p++) {
        if (p[0] == '@' && strchr("SICBNOPUMHDEsf", p[1]) != NULL && p[1] != 0) {
            put_sign(here, *++p, &b);
        } else {
            sl_buf_u8(&b, (uint8_t)*p);
        }
    }
    char *out = strdup(sl_buf_text(&b));
    ck_assert_ptr_nonnull(out);
    sl_buf_free(&b);
    return out;
}

/* ---- what is kept ---- */

typedef struct tables {
    char names[TABLES_MAX][64];
    size_t count;
} tables;

static bool add_name(void *ctx, const sl_cell *cells, size_t n)
{
    tables *t = ctx;
    ck_assert(n == 1 && t->count < TABLES_MAX);
    (void)snprintf(t->names[t->count++], sizeof t->names[0], "%s", sl_cell_str(&cells[0]));
    return true;
}

static bool add_row(void *ctx, const sl_cell *cells, size_t n)
{
    sl_sha256 *h = ctx;
    for (size_t i = 0; i < n; i++) {
        const sl_cell *c = &cells[i];
        bool bytes = c->kind == SL_CELL_TEXT || c->kind == SL_CELL_BLOB;
        int64_t head[2] = {c->kind, bytes ? c->len : c->kind != SL_CELL_NULL ? c->i : 0};
        sl_sha256_update(h, head, sizeof head);
        if (bytes) {
            sl_sha256_update(h, c->blob, c->len);
        }
    }
    return true;
}

/* The database and the files; but for what is written of refusals: the audit log, and how often somebody tried to
 * sign in. */
static void digest(const world *w, char out[65])
{
    sl_sha256 *h = sl_sha256_new();
    tables t = {.count = 0};
    ck_assert_ptr_nonnull(h);
    ck_assert_int_eq(w->db.run(w->db.user,
                               "SELECT name FROM sqlite_master WHERE type='table' AND name NOT IN"
                               " ('audit', 'login_try') ORDER BY name",
                               NULL, 0, add_name, &t, NULL),
                     SL_OK);
    ck_assert_uint_gt(t.count, 40);
    for (size_t i = 0; i < t.count; i++) {
        char sql[200];
        (void)snprintf(sql, sizeof sql, "SELECT * FROM \"%s\"%s", t.names[i],
                       strcmp(t.names[i], "meta") == 0 ? " WHERE name<>'audit_head'" : "");
        ck_assert_int_eq(w->db.run(w->db.user, sql, NULL, 0, add_row, h, NULL), SL_OK);
    }
    for (size_t i = 0; i < WORLD_FILES; i++) {
        if (w->files[i].path != NULL) {
            sl_sha256_update(h, w->files[i].path, strlen(w->files[i].path));
            sl_sha256_update(h, w->files[i].data, w->files[i].size);
        }
    }
    sl_sha256_final_hex(h, out);
    sl_sha256_free(h);
}

/* ---- an answer ---- */

static void check_words(const probe *p, const answer *a, const char *text)
{
    static const char *const denied[] = {
        "{\"error\":\"forbidden\",\"message\":\"Insufficient permissions\"}",
        "{\"error\":\"forbidden\",\"message\":\"the address has expired or was changed\"}"};
    const char *id = sl_routes[p->route].id;
    if (strcmp(sl_routes[p->route].method, "HEAD") == 0) {
        ck_assert_ptr_null(a->body);
    } else if (a->status == 401 && sl_routes[p->route].need != SL_NEED_NONE) {
        ck_assert_str_eq(text, "{\"error\":\"unauthorized\",\"message\":\"Invalid token\"}");
    } else if (a->status == 403) {
        ck_assert_msg(strcmp(text, denied[p->open ? 1 : 0]) == 0, "%s: %s", id, text);
    } else if (a->status == 404 && g_nothing[p->route] != NULL) {
        ck_assert_msg(strcmp(text, g_nothing[p->route]) == 0, "%s: %s", id, text);
    } else if (a->status == 404) {
        g_nothing[p->route] = sl_text_dup(text);
    }
}

static void check_effect(const stand *here, const probe *p, const answer *a, const char *before)
{
    char after[65];
    const world *w = here->s.w;
    const char *id = sl_routes[p->route].id;
    const char *method = sl_routes[p->route].method;
    bool safe =
        strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0;
    digest(w, after);
    bool same = strcmp(before, after) == 0;
    if (safe || a->status >= 400) {
        ck_assert_msg(same, "%s %s: %d, and something has changed", id, p->what, a->status);
        ck_assert_msg(w->frame_count == 0, "%s %s: %d, and somebody was told", id, p->what,
                      a->status);
    } else if (a->status == 201) {
        ck_assert_msg(!same, "%s %s: 201, and nothing was made", id, p->what);
    }
}

/* What became of the operation of a push: in the answer, whose status is 200. */
static const char *receipt_of(const answer *a)
{
    const sl_json *receipt = sl_json_at(sl_json_get(a->body, "receipts"), 0);
    const char *result = sl_json_str(receipt, "result");
    ck_assert_ptr_nonnull(result);
    return strcmp(result, "rejected") == 0 ? "no" : "yes";
}

static void note(char *cell, const probe *p, const answer *a)
{
    if (a->status == 200 && p->list != NULL) {
        (void)snprintf(cell, CELL, "200:%zu", sl_json_count(sl_json_get(a->body, p->list)));
    } else if (a->status == 200 && p->route == SL_ROUTE_SYNC_PUSH) {
        (void)snprintf(cell, CELL, "200 %s", receipt_of(a));
    } else {
        (void)snprintf(cell, CELL, "%d", (int)a->status);
    }
}

void attempt(stand *here, const probe *p, const char *relation)
{
    char before[65];
    stage *s = &here->s;
    if (p->prepare != NULL) {
        p->prepare(here);
    }
    char *path = fill_in(here, p->path);
    char *headers =
        fill_in(here, p->headers != NULL ? p->headers : "content-type: application/json\n");
    char *body = p->body != NULL ? fill_in(here, p->body) : NULL;
    bool guest = p->open || s->standing == SL_S_GUEST;
    frames_clear(s->w);
    digest(s->w, before);
    answer a = signed_request(s->w, guest ? NULL : &s->subject, sl_routes[p->route].method, path,
                              headers, body, body != NULL ? strlen(body) : 0);
    char *text = a.body != NULL ? sl_json_print(a.body) : NULL;
    check_words(p, &a, text != NULL ? text : "");
    check_effect(here, p, &a, before);
    note(cell_of(here, p, relation), p, &a);
    sl_mem_free(text);
    answer_free(&a);
    free(path);
    free(headers);
    free(body);
}
