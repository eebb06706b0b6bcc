/*
 * service/table.c - the database's tables and their versions.
 *
 * STEPS are run once each, in order; the number done is kept in `meta`. The tables of records
 * follow the schema by themselves: a new entity makes a table, a new field a column. Here a
 * record's key is (space, id), because both sides of a connection hold a record of one id and
 * because an id taken in one space must not tell anything in another.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "service/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char META[] =
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)";

static const char *const STEPS[] = {
    "CREATE TABLE account (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
    " role TEXT NOT NULL, hash TEXT NOT NULL, created_ms BIGINT NOT NULL);"
    "CREATE TABLE session (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, device TEXT NOT NULL,"
    " created_ms BIGINT NOT NULL);"
    "CREATE INDEX session_user ON session (user_id, device);"
    "CREATE TABLE refresh (hash TEXT PRIMARY KEY, session_id TEXT NOT NULL,"
    " parent TEXT NOT NULL, spent BIGINT NOT NULL, expires_ms BIGINT NOT NULL);"
    "CREATE INDEX refresh_parent ON refresh (parent);"
    "CREATE INDEX refresh_session ON refresh (session_id);"
    "CREATE TABLE login_try (email TEXT PRIMARY KEY, start_ms BIGINT NOT NULL,"
    " tries BIGINT NOT NULL);"
    "CREATE INDEX login_try_start ON login_try (start_ms);"
    "CREATE TABLE space (space TEXT PRIMARY KEY, epoch TEXT NOT NULL, seq BIGINT NOT NULL,"
    " min_seq BIGINT NOT NULL);"
    "CREATE TABLE feed (space TEXT NOT NULL, entity TEXT NOT NULL, id TEXT NOT NULL,"
    " seq BIGINT NOT NULL, PRIMARY KEY (space, entity, id));"
    "CREATE UNIQUE INDEX feed_seq ON feed (space, seq);"
    "CREATE TABLE access (user_id TEXT NOT NULL, space TEXT NOT NULL, role TEXT NOT NULL,"
    " PRIMARY KEY (user_id, space));"
    "CREATE INDEX access_space ON access (space);"
    "CREATE TABLE device (user_id TEXT NOT NULL, device TEXT NOT NULL, floor BIGINT NOT NULL,"
    " PRIMARY KEY (user_id, device));"
    "CREATE TABLE receipt (user_id TEXT NOT NULL, device TEXT NOT NULL, n BIGINT NOT NULL,"
    " hlc TEXT NOT NULL, result TEXT NOT NULL, seq BIGINT NOT NULL, code TEXT, message TEXT,"
    " field TEXT,"
    " PRIMARY KEY (user_id, device, n));"
    "CREATE TABLE blob (sha256 TEXT PRIMARY KEY, size BIGINT NOT NULL, type TEXT NOT NULL);"
    "CREATE TABLE blob_ref (sha256 TEXT NOT NULL, space TEXT NOT NULL, user_id TEXT NOT NULL,"
    " PRIMARY KEY (sha256, space, user_id));"
    "CREATE TABLE blob_holder (sha256 TEXT NOT NULL, user_id TEXT NOT NULL,"
    " PRIMARY KEY (sha256, user_id));"
    "CREATE TABLE upload (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, length BIGINT NOT NULL,"
    " at BIGINT NOT NULL, sha256 TEXT NOT NULL, space TEXT NOT NULL, type TEXT NOT NULL,"
    " expires_ms BIGINT NOT NULL);"
    "CREATE INDEX upload_user ON upload (user_id, expires_ms)",
    "ALTER TABLE device RENAME TO device_floor", /* its name is an entity's */
    "ALTER TABLE space ADD COLUMN sum BIGINT",   /* sync/sum.h; null: not summed up yet */
    "CREATE TABLE media_job (space TEXT PRIMARY KEY, sha256 TEXT NOT NULL, step TEXT NOT NULL,"
    " tries BIGINT NOT NULL, due_ms BIGINT NOT NULL);"
    "CREATE INDEX media_job_due ON media_job (due_ms, space);"
    "CREATE TABLE media_part (space TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,"
    " size BIGINT NOT NULL, width BIGINT NOT NULL, height BIGINT NOT NULL, parts TEXT NOT NULL,"
    " PRIMARY KEY (space, name))",
    "ALTER TABLE account ADD COLUMN plan TEXT;" /* null: there are no plans */
    "ALTER TABLE account ADD COLUMN plan_until_ms BIGINT;"
    "CREATE TABLE quota (user_id TEXT NOT NULL, kind BIGINT NOT NULL, day BIGINT NOT NULL,"
    " used BIGINT NOT NULL, PRIMARY KEY (user_id, kind))",
    "ALTER TABLE account ADD COLUMN status TEXT;" /* null: active */
    "ALTER TABLE account ADD COLUMN verified_ms BIGINT;"
    "ALTER TABLE account ADD COLUMN birth TEXT;"
    "ALTER TABLE account ADD COLUMN totp TEXT;" /* sealed; in force when totp_step is not null */
    "ALTER TABLE account ADD COLUMN totp_step BIGINT;" /* the last one that served */
    "ALTER TABLE account ADD COLUMN external TEXT;"    /* issuer and subject of another provider */
    "CREATE UNIQUE INDEX account_external ON account (external);"
    "ALTER TABLE session ADD COLUMN factor BIGINT;" /* null: without the second one */
    "ALTER TABLE session ADD COLUMN seen_ms BIGINT;"
    "CREATE TABLE recovery (user_id TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (user_id, hash));"
    "CREATE TABLE ticket (hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, kind TEXT NOT NULL,"
    " expires_ms BIGINT NOT NULL);"
    "CREATE INDEX ticket_user ON ticket (user_id, kind);"
    "CREATE TABLE service_key (kid TEXT PRIMARY KEY, name TEXT NOT NULL, jwk TEXT NOT NULL,"
    " scope TEXT NOT NULL, expires_ms BIGINT NOT NULL);"
    "CREATE TABLE signing_key (kid TEXT PRIMARY KEY, pem TEXT NOT NULL, retired_ms BIGINT NOT NULL);"
    "CREATE TABLE audit (n BIGINT PRIMARY KEY, at_ms BIGINT NOT NULL, actor TEXT NOT NULL,"
    " action TEXT NOT NULL, object TEXT NOT NULL, outcome TEXT NOT NULL, hash TEXT NOT NULL)",
    /* Of spaces with places: the record's, 0 none. The second index is of what is not where it was
     * first stored. */
    "ALTER TABLE feed ADD COLUMN place BIGINT;"
    "CREATE INDEX feed_place ON feed (space, place) WHERE place IS NOT NULL;"
    "CREATE INDEX feed_moved ON feed (space, seq) WHERE place<seq",
    /* What an organisation gives (lend.c): null is given by other ways. */
    "ALTER TABLE access ADD COLUMN via TEXT;"
    "CREATE TABLE lent (organisation TEXT NOT NULL, space TEXT NOT NULL, id TEXT NOT NULL,"
    " PRIMARY KEY (organisation, space))",
    NULL, /* cluster() */
    "CREATE INDEX IF NOT EXISTS blob_ref_user ON blob_ref (user_id);"
    "CREATE INDEX IF NOT EXISTS blob_holder_user ON blob_holder (user_id);"
    "CREATE INDEX IF NOT EXISTS ticket_expires ON ticket (expires_ms)",
    "CREATE TABLE consent (user_id TEXT PRIMARY KEY, by_name TEXT NOT NULL, how TEXT NOT NULL,"
    " at_ms BIGINT NOT NULL, admin TEXT NOT NULL);"
    "CREATE INDEX audit_actor ON audit (actor);"
    "CREATE INDEX audit_object ON audit (object)",
    /* When the record was deleted (retain.c): null is there. Sums are of what is there alone. */
    "ALTER TABLE feed ADD COLUMN gone_ms BIGINT;"
    "CREATE INDEX feed_gone ON feed (gone_ms) WHERE gone_ms IS NOT NULL;"
    "UPDATE space SET sum=NULL",
    "CREATE TABLE IF NOT EXISTS charge (id TEXT PRIMARY KEY, user_id TEXT NOT NULL, coach_id TEXT NOT NULL,"
    " entity TEXT NOT NULL, object TEXT NOT NULL, program TEXT NOT NULL, amount BIGINT NOT NULL,"
    " currency TEXT NOT NULL, state TEXT NOT NULL, as_of_s BIGINT NOT NULL,"
    " until_ms BIGINT NOT NULL, made_ms BIGINT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS charge_user ON charge (user_id);"
    "CREATE INDEX IF NOT EXISTS charge_coach ON charge (coach_id);"
    "CREATE TABLE IF NOT EXISTS pay_ref (kind TEXT NOT NULL, id TEXT NOT NULL, ref TEXT NOT NULL,"
    " PRIMARY KEY (kind, id));"
    "CREATE INDEX IF NOT EXISTS pay_ref_ref ON pay_ref (ref);"
    "CREATE TABLE IF NOT EXISTS pay_event (id TEXT PRIMARY KEY, at_ms BIGINT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS pay_event_at ON pay_event (at_ms)",
};

enum {
    STEP_COUNT = sizeof STEPS / sizeof STEPS[0],
    STEP_PLACES = 7, /* places are there from this one on */
    STEP_GONE = 12   /* and when records were deleted */
};

sl_status sl_sv_meta_get(sl_service *s, const char *name, char **value, sl_error **err)
{
    *value = NULL;
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT value FROM meta WHERE name=$1",
                                 SL_SV_ARGS(sl_cell_text(name)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        *value = sl_text_dup(sl_sv_text(&rows, 0, 0));
        status = *value != NULL ? SL_OK : sl_fail_nomem(err);
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_meta_set(sl_service *s, const char *name, const char *value, sl_error **err)
{
    return sl_sv_run(s,
                     "INSERT INTO meta (name, value) VALUES ($1, $2)"
                     " ON CONFLICT (name) DO UPDATE SET value=excluded.value",
                     SL_SV_ARGS(sl_cell_text(name), sl_cell_text(value)), err);
}

static sl_status meta_int(sl_service *s, const char *name, int64_t *out, sl_error **err)
{
    char *text = NULL;
    sl_status status = sl_sv_meta_get(s, name, &text, err);
    *out = text != NULL ? strtoll(text, NULL, 10) : 0;
    sl_mem_free(text);
    return status;
}

static sl_status meta_set_int(sl_service *s, const char *name, int64_t v, sl_error **err)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)v);
    return sl_sv_meta_set(s, name, text, err);
}

static const char *column_type(const sl_field *f)
{
    switch (f->type) {
    case SL_T_INT:
    case SL_T_BOOL: return "BIGINT";
    case SL_T_REAL: return "DOUBLE PRECISION";
    case SL_T_TEXT:
    case SL_T_JSON:
    case SL_T_REF:
    case SL_T_BLOB:
    case SL_T_ENUM: return "TEXT";
    }
    return "TEXT";
}

static sl_status run_text(sl_service *s, sl_buf *sql, sl_error **err)
{
    sl_status status =
        sql->failed ? sl_fail_nomem(err) : sl_sv_run(s, sl_buf_text(sql), NULL, 0, err);
    sl_buf_free(sql);
    return status;
}

static sl_status make_table(sl_service *s, const sl_entity *e, sl_error **err)
{
    sl_buf sql = {0};
    sl_buf_fmt(&sql,
               "CREATE TABLE \"%s\" (\"space\" TEXT NOT NULL, \"id\" TEXT NOT NULL, \"seq\" BIGINT"
               " NOT NULL, \"deleted\" BIGINT NOT NULL, \"clocks\" BYTEA NOT NULL, \"ext\" TEXT",
               e->name);
    for (size_t i = 0; i < e->field_count; i++) {
        sl_buf_fmt(&sql, ", \"%s\" %s", e->fields[i].name, column_type(&e->fields[i]));
    }
    sl_buf_str(&sql, ", PRIMARY KEY (\"id\", \"space\"))");
    return run_text(s, &sql, err);
}

/* True when the comma-ended list `have` names the column. */
static bool has_column(const char *have, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = have; *p != 0;) {
        size_t len = strcspn(p, ",");
        if (len == n && strncmp(p, name, n) == 0) {
            return true;
        }
        p += len + (p[len] == ',');
    }
    return false;
}

static sl_status add_columns(sl_service *s, const sl_entity *e, const char *have, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < e->field_count; i++) {
        if (!has_column(have, e->fields[i].name)) {
            sl_buf sql = {0};
            sl_buf_fmt(&sql, "ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s", e->name, e->fields[i].name,
                       column_type(&e->fields[i]));
            status = run_text(s, &sql, err);
        }
    }
    return status;
}

/* What lists of records go by that belong to another. */
static sl_status make_indexes(sl_service *s, const sl_entity *e, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < e->field_count; i++) {
        const sl_field *f = &e->fields[i];
        if (f->ordered && f->to != NULL) {
            sl_buf sql = {0};
            sl_buf_fmt(&sql, "CREATE INDEX IF NOT EXISTS \"%s_%s\" ON \"%s\" (\"%s\")", e->name,
                       f->name, e->name, f->name);
            status = run_text(s, &sql, err);
        }
    }
    return status;
}

/* What the service finds by more than a record's id, or the list of its space: however much there is of
 * others, it costs the same. */
static const struct {
    const char *entity;
    const char *index; /* of the entity's own name */
} FOUND_BY[] = {
    {"connection", "peer\" ON \"connection\" (\"space\", \"peer_id\")"},
    {"grant", "target\" ON \"grant\" (\"space\", \"target\")"},
    {"share", "space\" ON \"share\" (\"space\", \"id\")"},
    {"notification",
     "live\" ON \"notification\" (\"space\", \"sent_ms\", \"id\") WHERE \"deleted\"=0"},
};

static sl_status make_found_by(sl_service *s, const sl_entity *e, sl_error **err)
{
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < sizeof FOUND_BY / sizeof FOUND_BY[0]; i++) {
        if (strcmp(FOUND_BY[i].entity, e->name) == 0) {
            sl_buf sql = {0};
            sl_buf_fmt(&sql, "CREATE INDEX IF NOT EXISTS \"%s_%s", e->name, FOUND_BY[i].index);
            status = run_text(s, &sql, err);
        }
    }
    return status;
}

static sl_status migrate_entity(sl_service *s, const sl_entity *e, sl_error **err)
{
    char key[80];
    (void)snprintf(key, sizeof key, "columns.%s", e->name);
    char *have = NULL;
    sl_status status = sl_sv_meta_get(s, key, &have, err);
    if (status == SL_OK) {
        status = have == NULL ? make_table(s, e, err) : add_columns(s, e, have, err);
    }
    if (status == SL_OK) {
        status = make_indexes(s, e, err);
    }
    if (status == SL_OK) {
        status = make_found_by(s, e, err);
    }
    sl_buf now = {0};
    for (size_t i = 0; i < e->field_count; i++) {
        sl_buf_fmt(&now, "%s,", e->fields[i].name);
    }
    if (status == SL_OK && now.failed) {
        status = sl_fail_nomem(err);
    }
    if (status == SL_OK && (have == NULL || strcmp(have, sl_buf_text(&now)) != 0)) {
        status = sl_sv_meta_set(s, key, sl_buf_text(&now), err);
    }
    sl_buf_free(&now);
    sl_mem_free(have);
    return status;
}

/* Records from before there were places stand where they were changed last. Devices read them anew. */
static sl_status give_places(sl_service *s, const sl_entity *e, sl_error **err)
{
    const char *place = e->fields[e->place_field].name;
    sl_buf sql = {0};
    sl_buf_fmt(&sql, "UPDATE feed SET place=0 WHERE space LIKE '%s:%%';", e->space_kind);
    sl_buf_fmt(&sql,
               "UPDATE feed SET place=seq WHERE entity='%s' AND EXISTS (SELECT 1 FROM \"%s\" AS r"
               " WHERE r.id=feed.id AND r.space=feed.space AND r.deleted=0);",
               e->name, e->name);
    sl_buf_fmt(&sql, "UPDATE \"%s\" SET \"%s\"=seq WHERE deleted=0", e->name, place);
    return run_text(s, &sql, err);
}

/* What was deleted before that was kept is as good as deleted now. */
static sl_status date_deleted(sl_sv_tx *tx, const sl_entity *e, sl_error **err)
{
    sl_buf sql = {0};
    sl_buf_fmt(&sql,
               "UPDATE feed SET gone_ms=%lld WHERE entity='%s' AND EXISTS (SELECT 1 FROM \"%s\" AS"
               " r WHERE r.id=feed.id AND r.space=feed.space AND r.deleted=1)",
               (long long)sl_sv_gone_ms(e, tx->now_ms), e->name, e->name);
    return run_text(tx->s, &sql, err);
}

/* The feed lies by number: a record writes in one place what it wrote in four. What is found by its entity,
 * which messages are not, has that in `listed` too; what stands where it was first stored is found by its
 * number. The rows are copied in the order in which they are to lie. */
static sl_status cluster_feed(sl_service *s, const char *clustered, sl_error **err)
{
    sl_buf sql = {0};
    sl_buf_fmt(
        &sql,
        "CREATE TABLE feed_new (space TEXT NOT NULL, seq BIGINT NOT NULL, entity TEXT NOT NULL,"
        " id TEXT NOT NULL, place BIGINT, listed TEXT, PRIMARY KEY (space, seq))%s;"
        "INSERT INTO feed_new SELECT space, seq, entity, id, place, CASE entity",
        clustered);
    for (size_t i = 0; i < sl_entity_count; i++) {
        if (sl_entities[i].place_field >= 0) {
            sl_buf_fmt(&sql, " WHEN '%s' THEN NULL", sl_entities[i].name);
        }
    }
    sl_buf_str(&sql,
               " ELSE entity END FROM feed ORDER BY space, seq; DROP TABLE feed;"
               "ALTER TABLE feed_new RENAME TO feed;"
               "CREATE INDEX feed_listed ON feed (space, listed, id) WHERE listed IS NOT NULL;"
               "CREATE INDEX feed_place ON feed (space, place) WHERE place<seq;"
               "CREATE INDEX feed_moved ON feed (space, seq) WHERE place<seq");
    return run_text(s, &sql, err);
}

#define RECEIPT_COLUMNS                                                                   \
    "(user_id TEXT NOT NULL, device TEXT NOT NULL, n BIGINT NOT NULL, hlc TEXT NOT NULL," \
    " result TEXT NOT NULL, seq BIGINT NOT NULL, code TEXT, message TEXT, field TEXT"

/* Receipts lie by device, and in the log as they come (push.c). */
static sl_status cluster_receipts(sl_service *s, const char *clustered, sl_error **err)
{
    sl_buf sql = {0};
    sl_buf_fmt(&sql,
               "CREATE TABLE receipt_log " RECEIPT_COLUMNS ");"
               "INSERT INTO receipt_log SELECT user_id, device, n, hlc, result, seq, code, message,"
               " field FROM receipt; DROP TABLE receipt;"
               "CREATE TABLE receipt " RECEIPT_COLUMNS ", PRIMARY KEY (user_id, device, n))%s",
               clustered);
    return run_text(s, &sql, err);
}

static sl_status cluster(sl_service *s, sl_error **err)
{
    const char *clustered = s->ports.db.clustered != NULL ? s->ports.db.clustered : "";
    sl_status status = cluster_feed(s, clustered, err);
    if (status == SL_OK) {
        status = cluster_receipts(s, clustered, err);
    }
    return status == SL_OK ? sl_sv_receipts_sort(s, err) : status;
}

static sl_status steps(sl_sv_tx *tx, void *ctx, sl_error **err)
{
    (void)ctx;
    sl_service *s = tx->s;
    int64_t done = 0;
    int64_t schema = 0;
    sl_status status = sl_sv_run(s, META, NULL, 0, err);
    if (status == SL_OK) {
        status = meta_int(s, "steps", &done, err);
    }
    if (status == SL_OK) {
        status = meta_int(s, "schema", &schema, err);
    }
    if (status == SL_OK && (done > STEP_COUNT || schema > sl_schema_version)) {
        status = sl_fail(err, SL_E_TOO_NEW, "the database was made by a newer server");
    }
    bool placed = done >= STEP_PLACES;
    s->migrated = done < STEP_COUNT;
    bool dated = done >= STEP_GONE;
    for (; status == SL_OK && done < STEP_COUNT; done++) {
        status = STEPS[done] != NULL ? sl_sv_run(s, STEPS[done], NULL, 0, err) : cluster(s, err);
    }
    for (size_t i = 0; status == SL_OK && i < sl_entity_count; i++) {
        const sl_entity *e = &sl_entities[i];
        status = migrate_entity(s, e, err);
        if (status == SL_OK && !placed && e->place_field >= 0) {
            status = give_places(s, e, err);
        }
        if (status == SL_OK && !dated) {
            status = date_deleted(tx, e, err);
        }
    }
    if (status == SL_OK) {
        status = meta_set_int(s, "steps", STEP_COUNT, err);
    }
    return status == SL_OK ? meta_set_int(s, "schema", sl_schema_version, err) : status;
}

sl_status sl_sv_migrate(sl_service *s, sl_error **err)
{
    return sl_sv_change(s, steps, NULL, err);
}

static const char *column_name(const sl_entity *e, size_t i)
{
    static const char *const fixed[SL_SV_FIXED] = {"id",      "space",  "seq",
                                                   "deleted", "clocks", "ext"};
    return i < SL_SV_FIXED ? fixed[i] : e->fields[i - SL_SV_FIXED].name;
}

static char *select_text(const sl_entity *e)
{
    sl_buf b = {0};
    for (size_t i = 0; i < SL_SV_FIXED + e->field_count; i++) {
        sl_buf_fmt(&b, "%s\"%s\"", i > 0 ? ", " : "SELECT ", column_name(e, i));
    }
    sl_buf_fmt(&b, " FROM \"%s\" WHERE \"space\"=$1 AND \"id\"=$2", e->name);
    char *text = !b.failed ? sl_text_dup(sl_buf_text(&b)) : NULL;
    sl_buf_free(&b);
    return text;
}

static char *upsert_text(const sl_entity *e)
{
    sl_buf b = {0};
    sl_buf values = {0};
    sl_buf update = {0};
    sl_buf_fmt(&b, "INSERT INTO \"%s\" (", e->name);
    for (size_t i = 0; i < SL_SV_FIXED + e->field_count; i++) {
        const char *name = column_name(e, i);
        sl_buf_fmt(&b, "%s\"%s\"", i > 0 ? ", " : "", name);
        sl_buf_fmt(&values, "%s$%zu", i > 0 ? ", " : "", i + 1);
        if (i >= 2) {
            sl_buf_fmt(&update, "%s\"%s\"=excluded.\"%s\"", i > 2 ? ", " : "", name, name);
        }
    }
    sl_buf_fmt(&b, ") VALUES (%s) ON CONFLICT (\"id\", \"space\") DO UPDATE SET %s",
               sl_buf_text(&values), sl_buf_text(&update));
    bool ok = !b.failed && !values.failed && !update.failed;
    char *text = ok ? sl_text_dup(sl_buf_text(&b)) : NULL;
    sl_buf_free(&b);
    sl_buf_free(&values);
    sl_buf_free(&update);
    return text;
}

sl_status sl_sv_sql_make(sl_service *s, sl_error **err)
{
    s->sql = sl_mem_array(sl_entity_count, sizeof *s->sql);
    for (size_t i = 0; s->sql != NULL && i < sl_entity_count; i++) {
        s->sql[i].select = select_text(&sl_entities[i]);
        s->sql[i].upsert = upsert_text(&sl_entities[i]);
        s->sql[i].where =
            sl_text_fmt("SELECT \"space\" FROM \"%s\" WHERE \"id\"=$1", sl_entities[i].name);
        if (s->sql[i].select == NULL || s->sql[i].upsert == NULL || s->sql[i].where == NULL) {
            return sl_fail_nomem(err);
        }
    }
    return s->sql != NULL ? SL_OK : sl_fail_nomem(err);
}

void sl_sv_sql_free(sl_service *s)
{
    for (size_t i = 0; s->sql != NULL && i < sl_entity_count; i++) {
        sl_mem_free(s->sql[i].select);
        sl_mem_free(s->sql[i].upsert);
        sl_mem_free(s->sql[i].where);
    }
    sl_mem_free(s->sql);
    s->sql = NULL;
}
