/*
 * service/lend.c - the programs that coaches read because of an organisation: its admins those of all members, all
 * members those that are shared with it.
 *
 *   [LEND-1] `access` has a row for each, marked by `via`, so that what somebody holds by another way stays. After
 *            each change of who is in, who leads, what is shared, and what programs there are, the rows are made
 *            what the organisations give: nothing else adds to them or takes away.
 */
#include "base/error.h"
#include "base/plant.h"
#include "service/effect.h"

#include <string.h>

/* By the index, which LIKE does not use: whoever has thousands of spaces has few organisations. */
#define IN_ORGANISATION(row) " " row ".space>='organisation:' AND " row ".space<'organisation;'"

/* Of r, the reader's row in an organisation, and a program: that all of it may be read. */
#define MAY_READ(program)                                                              \
    "(r.role='coach' OR EXISTS (SELECT 1 FROM lent l WHERE l.organisation=r.space AND" \
    " l.space=" program "))"

/* Of a, a row that an organisation gave: none gives it any more. */
#define NOT_GIVEN                                                                                   \
    " NOT EXISTS (SELECT 1 FROM access o JOIN access i ON i.user_id=o.user_id AND" IN_ORGANISATION( \
        "i") " JOIN access r ON r.space=i.space AND"                                                \
             " r.user_id=a.user_id WHERE o.space=a.space AND o.role='owner' AND " MAY_READ(         \
                 "a.space") ")"

/* r reads p, a program of i who is in the organisation too. $2 and $3: the first and the last program. */
#define TO_GIVE                                                                                             \
    "SELECT r.user_id, p.space FROM access r JOIN access i ON i.space=r.space AND"                          \
    " i.user_id<>r.user_id AND" IN_ORGANISATION(                                                            \
        "i") " JOIN access p ON p.user_id=i.user_id AND"                                                    \
             " p.role='owner' AND p.space>=$2 AND p.space<=$3 WHERE" IN_ORGANISATION("r") " AND " MAY_READ( \
                 "p.space") " AND NOT EXISTS (SELECT 1 FROM access h WHERE h.user_id=r.user_id AND"         \
                            " h.space=p.space) AND NOT EXISTS (SELECT 1 FROM \"program\" d WHERE"           \
                            " d.\"id\"=substr(p.space, 9) AND d.\"space\"=p.space AND d.\"deleted\"=1) AND "

static sl_status take_stale(sl_sv_tx *tx, const char *user, sl_error **err)
{
    return sl_sv_revoke_all(
        tx,
        "SELECT a.user_id, a.space FROM access a WHERE a.user_id=$1 AND"
        " a.via='organisation' AND" NOT_GIVEN
        " UNION SELECT a.user_id, a.space FROM access p JOIN access a ON a.space=p.space"
        " AND a.via='organisation' WHERE p.user_id=$1 AND p.role='owner' AND" NOT_GIVEN
        " ORDER BY 1, 2",
        SL_SV_ARGS(sl_cell_text(user)), err);
}

static sl_status give_missing(sl_sv_tx *tx, const char *user, const char *first, const char *last,
                              sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        tx->s, TO_GIVE "r.user_id=$1 UNION " TO_GIVE "i.user_id=$1 ORDER BY 1, 2",
        SL_SV_ARGS(sl_cell_text(user), sl_cell_text(first), sl_cell_text(last)), &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        const char *reader = sl_sv_text(&rows, i, 0);
        const char *program = sl_sv_text(&rows, i, 1);
        status = sl_sv_grant(tx, reader, program, "member", err);
        if (status == SL_OK) {
            status = sl_sv_write(
                tx, "UPDATE access SET via='organisation' WHERE user_id=$1 AND space=$2",
                SL_SV_ARGS(sl_cell_text(reader), sl_cell_text(program)), err);
        }
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_lend_settle(sl_sv_tx *tx, const char *user, sl_error **err)
{
    sl_status status = SL_PLANTED("lent-stays") ? SL_OK : take_stale(tx, user, err);
    return status == SL_OK ? give_missing(tx, user, "program:", "program;", err) : status;
}

sl_status sl_sv_lend_end(sl_sv_tx *tx, const char *organisation, const char *program,
                         const char *user, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(
        tx->s,
        "SELECT s.\"space\", s.\"id\", l.space FROM lent l JOIN \"program_share\" s ON s.\"id\"=l.id"
        " AND s.\"space\"=l.organisation WHERE ($1='' OR l.organisation=$1) AND ($2='' OR"
        " l.space=$2) AND ($3='' OR s.\"user_id\"=$3) ORDER BY 1, 2",
        SL_SV_ARGS(sl_cell_text(organisation), sl_cell_text(program), sl_cell_text(user)), &rows,
        err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_sv_item *share = NULL;
        status = sl_sv_get(tx, sl_entity_find("program_share"), sl_sv_text(&rows, i, 0),
                           sl_sv_text(&rows, i, 1), &share, err);
        status = status == SL_OK ? sl_sv_bury(share, err) : status;
        if (status == SL_OK) {
            status = sl_sv_write(tx, "DELETE FROM lent WHERE organisation=$1 AND space=$2",
                                 SL_SV_ARGS(sl_cell_text(sl_sv_text(&rows, i, 0)),
                                            sl_cell_text(sl_sv_text(&rows, i, 2))),
                                 err);
        }
    }
    sl_sv_rows_free(&rows);
    return status;
}

static void program_of(const sl_op *op, sl_sv_space out)
{
    sl_space_name(out, "program", sl_op_text(op, "program_id"));
}

/* Whoever made one that was deleted holds its space on. */
static sl_status has_program(sl_sv_tx *tx, const char *user, const char *space, bool *yes,
                             sl_error **err)
{
    sl_sv_item *root = NULL;
    unsigned role = 0;
    sl_status status = sl_sv_role(tx->s, user, space, &role, err);
    *yes = status == SL_OK && (role & SL_R_OWNER) != 0;
    if (*yes) {
        status = sl_sv_get(tx, sl_entity_find("program"), space, sl_space_id(space), &root, err);
        *yes = status == SL_OK && root->rec.entity != NULL &&
               (!root->rec.deleted || SL_PLANTED("deleted-program-shared"));
    }
    return status;
}

static sl_status share_before(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err)
{
    sl_sv_space program;
    sl_sv_rows rows;
    bool mine = false;
    program_of(o->op, program);
    sl_status status = has_program(tx, o->user, program, &mine, err);
    if (status == SL_OK && !mine) {
        return sl_fail_field(err, SL_E_NOT_FOUND, "program_id", "you have no such program");
    }
    if (status != SL_OK) {
        return status;
    }
    status = sl_sv_all(tx->s, "SELECT 1 FROM lent WHERE organisation=$1 AND space=$2",
                       SL_SV_ARGS(sl_cell_text(o->op->space), sl_cell_text(program)), &rows, err);
    if (status == SL_OK && rows.count > 0) {
        status = sl_fail_field(err, SL_E_CONFLICT, "program_id",
                               "the program is shared with the organisation");
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_lend_made(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err)
{
    sl_sv_space program;
    program_of(o->op, program);
    sl_status status = sl_sv_write(
        tx, "INSERT INTO lent (organisation, space, id) VALUES ($1, $2, $3)",
        SL_SV_ARGS(sl_cell_text(o->op->space), sl_cell_text(program), sl_cell_text(o->op->id)),
        err);
    return status == SL_OK ? sl_sv_lend_settle(tx, o->user, err) : status;
}

static sl_status unshared(sl_sv_tx *tx, const sl_sv_op *o, const char *owner, sl_error **err)
{
    sl_status status =
        sl_sv_write(tx, "DELETE FROM lent WHERE organisation=$1 AND id=$2",
                    SL_SV_ARGS(sl_cell_text(o->op->space), sl_cell_text(o->op->id)), err);
    return status == SL_OK ? sl_sv_lend_settle(tx, owner, err) : status;
}

/* Nobody reads on in a program that was deleted because of an organisation. */
static sl_status program_deleted(sl_sv_tx *tx, const char *space, sl_error **err)
{
    sl_status status = sl_sv_lend_end(tx, "", space, "", err);
    return status == SL_OK
               ? sl_sv_revoke_all(
                     tx,
                     "SELECT user_id, space FROM access WHERE space=$1 AND via='organisation'"
                     " ORDER BY user_id",
                     SL_SV_ARGS(sl_cell_text(space)), err)
               : status;
}

sl_status sl_sv_lend_before(sl_sv_tx *tx, const sl_sv_op *o, const sl_sv_item *share,
                            sl_error **err)
{
    const char *owner = share->rec.entity != NULL ? sl_record_text(&share->rec, "user_id") : NULL;
    if (o->op->kind == SL_OP_CREATE) {
        return share_before(tx, o, err);
    }
    return o->op->kind == SL_OP_DELETE && owner != NULL ? unshared(tx, o, owner, err) : SL_OK;
}

sl_status sl_sv_lend_program(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err)
{
    if (o->op->kind == SL_OP_CREATE) { /* nothing else has changed */
        return give_missing(tx, o->user, o->op->space, o->op->space, err);
    }
    return o->op->kind == SL_OP_DELETE ? program_deleted(tx, o->op->space, err) : SL_OK;
}
