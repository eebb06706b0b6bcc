/*
 * Full-text search: one FTS5 index for each entity with fields marked `search`, over the entity's
 * own table, so that no text is stored twice. Whoever changes a record takes its old text out of
 * the index before and puts its new text in after, in the same transaction.
 *
 * An index that is missing, or made of other fields than the schema says now, is made anew from the
 * records when the store opens; one that is damaged is filled anew when it is next written. FTS5 also
 * says that an index is damaged when memory ran out while it was read: a second try tells.
 */
#include "store/query.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

bool sl_search_covers(const sl_entity *e)
{
    bool any = false;
    for (size_t i = 0; i < e->field_count; i++) {
        any = any || e->fields[i].search;
    }
    return any;
}

/* The searched fields, each after `before`, joined by `between`. */
static void put_fields(sl_buf *sql, const sl_entity *e, const char *before, const char *between)
{
    bool first = true;
    for (size_t i = 0; i < e->field_count; i++) {
        if (e->fields[i].search) {
            sl_buf_fmt(sql, "%s%s\"%s\"", first ? "" : between, before, e->fields[i].name);
            first = false;
        }
    }
}

/* The statement that makes the index. */
static void put_create(sl_buf *sql, const sl_entity *e)
{
    sl_buf_fmt(sql, "CREATE VIRTUAL TABLE \"%s_fts\" USING fts5(", e->name);
    put_fields(sql, e, "", ", ");
    sl_buf_fmt(sql,
               ", content='%s', content_rowid='rid',"
               " tokenize='unicode61 remove_diacritics 2')",
               e->name);
}

sl_status sl_search_make(sl_store *s, const sl_entity *e, sl_error **err)
{
    sl_buf sql = {0};
    sl_buf_fmt(&sql, "DROP TABLE IF EXISTS \"%s_fts\"; ", e->name);
    put_create(&sql, e);
    sl_buf_fmt(&sql, "; INSERT INTO \"%s_fts\" (\"%s_fts\") VALUES ('rebuild')", e->name, e->name);
    sl_status status =
        sql.failed ? sl_fail_nomem(err) : sl_sql_script(s->sql, sl_buf_text(&sql), err);
    sl_buf_free(&sql);
    return status;
}

static sl_status make_index(sl_store *s, const sl_entity *e, sl_error **err)
{
    sl_status status = sl_store_begin(s, err);
    if (status == SL_OK) {
        status = sl_search_make(s, e, err);
    }
    if (status == SL_OK) {
        return sl_store_commit(s, err);
    }
    sl_store_rollback(s);
    return status;
}

/* Which entities have their index, as it should be: bits by index of the entity. */
typedef struct found {
    uint64_t have;
    bool failed;
} found;

static bool note_index(void *ctx, const sl_cell *cells, size_t n)
{
    found *f = ctx;
    (void)n;
    for (size_t i = 0; i < sl_entity_count && cells[0].kind == SL_CELL_TEXT; i++) {
        if (sl_search_covers(&sl_entities[i]) && (f->have >> i & 1) == 0) {
            sl_buf sql = {0};
            put_create(&sql, &sl_entities[i]);
            f->failed = f->failed || sql.failed;
            bool same = !sql.failed && sql.len == cells[0].len &&
                        memcmp(sql.data, cells[0].text, sql.len) == 0;
            f->have |= (uint64_t)same << i;
            sl_buf_free(&sql);
        }
    }
    return !f->failed;
}

/* What has no page of its own is a virtual table. */
sl_status sl_search_prepare(sl_store *s, sl_error **err)
{
    found f = {0, false};
    sl_status status =
        sl_sql_run(s->sql, "SELECT sql FROM sqlite_schema WHERE type='table' AND rootpage=0", NULL,
                   0, note_index, &f, err);
    if (status == SL_OK && f.failed) {
        status = sl_fail_nomem(err);
    }
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        if (sl_search_covers(&sl_entities[i]) && (f.have >> i & 1) == 0) {
            status = make_index(s, &sl_entities[i], err);
        }
    }
    return status;
}

/* An order to the index. */
static sl_status order(sl_store *s, const sl_entity *e, const char *word, sl_error **err)
{
    sl_buf sql = {0};
    sl_buf_fmt(&sql, "INSERT INTO \"%s_fts\" (\"%s_fts\") VALUES ('%s')", e->name, e->name, word);
    sl_status status = sql.failed ? sl_fail_nomem(err)
                                  : sl_sql_run(s->sql, sl_buf_text(&sql), NULL, 0, NULL, NULL, err);
    sl_buf_free(&sql);
    return status;
}

/* Runs a statement that writes to the index. *filled: the index was damaged and is filled anew, and the
 * statement has not run. */
static sl_status write_index(sl_store *s, const sl_entity *e, const sl_buf *sql,
                             const sl_cell *params, size_t n, bool *filled, sl_error **err)
{
    sl_error *why = NULL;
    sl_status status = sql->failed ? sl_fail_nomem(&why) : SL_E_CORRUPT;
    for (int i = 0; i < 2 && status == SL_E_CORRUPT; i++) {
        sl_error_release(why);
        why = NULL;
        status = sl_sql_run(s->sql, sl_buf_text(sql), params, n, NULL, NULL, &why);
    }
    *filled = status == SL_E_CORRUPT;
    if (*filled) {
        status = order(s, e, "rebuild", err);
    } else if (status != SL_OK) {
        (void)sl_fail(err, status, "%s", sl_error_message(why));
    }
    sl_error_release(why);
    return status;
}

/* Hands the record's searched text to the index; `head` is the statement up to its columns. */
static sl_status hand(sl_store *s, const sl_record *rec, int64_t rid, bool out, sl_error **err)
{
    const sl_entity *e = rec->entity;
    sl_buf sql = {0};
    sl_cell params[SL_FIELDS_MAX + 1] = {sl_cell_int(rid)};
    size_t n = 1;
    sl_buf_fmt(&sql, "INSERT INTO \"%s_fts\" (", e->name);
    if (out) {
        sl_buf_fmt(&sql, "\"%s_fts\", ", e->name);
    }
    sl_buf_str(&sql, "rowid, ");
    put_fields(&sql, e, "", ", ");
    sl_buf_str(&sql, out ? ") VALUES ('delete', $1" : ") VALUES ($1");
    for (size_t i = 0; i < e->field_count; i++) {
        if (e->fields[i].search) {
            params[n++] = rec->values[i];
            sl_buf_fmt(&sql, ", $%zu", n);
        }
    }
    sl_buf_str(&sql, ")");
    bool filled = false;
    sl_status status = write_index(s, e, &sql, params, n, &filled, err);
    if (status == SL_OK && filled && out) { /* else it is in with the others */
        status = sl_sql_run(s->sql, sl_buf_text(&sql), params, n, NULL, NULL, err);
    }
    sl_buf_free(&sql);
    return status;
}

sl_status sl_search_take_out(sl_store *s, const sl_record *rec, int64_t rid, sl_error **err)
{
    return hand(s, rec, rid, true, err);
}

sl_status sl_search_put_in(sl_store *s, const sl_record *rec, int64_t rid, sl_error **err)
{
    return hand(s, rec, rid, false, err);
}

sl_status sl_search_take_range(sl_store *s, const sl_entity *e, int64_t from, int64_t to, bool keep,
                               sl_error **err)
{
    sl_buf sql = {0};
    sl_cell params[] = {sl_cell_int(from), sl_cell_int(to)};
    sl_buf_fmt(&sql, "INSERT INTO \"%s_fts\" (\"%s_fts\", rowid, ", e->name, e->name);
    put_fields(&sql, e, "", ", ");
    sl_buf_str(&sql, ") SELECT 'delete', rid, ");
    put_fields(&sql, e, "", ", ");
    sl_buf_fmt(&sql, " FROM \"%s\" WHERE \"rid\" BETWEEN $1 AND $2%s", e->name,
               keep ? " AND \"pending\" IS NULL" : "");
    bool filled = false;
    sl_status status = write_index(s, e, &sql, params, 2, &filled, err);
    if (status == SL_OK && filled) {
        status = sl_sql_run(s->sql, sl_buf_text(&sql), params, 2, NULL, NULL, err);
    }
    sl_buf_free(&sql);
    return status;
}

sl_status sl_search_purge(sl_store *s, const sl_entity *e, sl_error **err)
{
    return order(s, e, "optimize", err);
}

bool sl_search_same(const sl_record *a, const sl_record *b)
{
    bool same = true;
    for (size_t i = 0; same && i < a->entity->field_count; i++) {
        same = !a->entity->fields[i].search || sl_cell_same(&a->values[i], &b->values[i]);
    }
    return same;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

sl_status sl_search_expression(const char *words, sl_buf *out, sl_error **err)
{
    size_t count = 0;
    if (strlen(words) > SL_QUERY_TEXT_MAX) {
        return sl_fail_field(err, SL_E_LIMIT, "search", "a search has at most %d bytes",
                             SL_QUERY_TEXT_MAX);
    }
    while (is_space(*words)) {
        words++;
    }
    /* A quoted string is a phrase to FTS5, whatever is in it; side by side, all must be found. */
    while (*words != 0) {
        sl_buf_str(out, count > 0 ? " \"" : "\"");
        for (; *words != 0 && !is_space(*words); words++) {
            sl_buf_str(out, *words == '"' ? "\"" : "");
            sl_buf_u8(out, (uint8_t)*words);
        }
        while (is_space(*words)) {
            words++;
        }
        sl_buf_str(out, "\"");
        count++;
    }
    sl_buf_str(out, count > 0 ? "*" : "\"\"");
    return count <= SL_QUERY_WORDS_MAX
               ? SL_OK
               : sl_fail_field(err, SL_E_LIMIT, "search", "a search has at most %d words",
                               SL_QUERY_WORDS_MAX);
}
