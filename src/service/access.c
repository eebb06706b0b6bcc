/* service/access.c - spaces and who may hold them. */
#include "base/error.h"
#include "base/mem.h"
#include "base/plant.h"
#include "service/inside.h"

#include <string.h>

sl_status sl_sv_space_make(sl_sv_tx *tx, const char *space, sl_error **err)
{
    sl_sv_id epoch;
    sl_status status = sl_sv_uuid(tx->s, epoch, err);
    if (status != SL_OK) {
        return status;
    }
    return sl_sv_write(tx,
                       "INSERT INTO space (space, epoch, seq, min_seq, sum)"
                       " VALUES ($1, $2, 0, 0, 0)",
                       SL_SV_ARGS(sl_cell_text(space), sl_cell_text(epoch)), err);
}

sl_status sl_sv_space_exists(sl_service *s, const char *space, bool *yes, sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(s, "SELECT seq FROM space WHERE space=$1",
                                 SL_SV_ARGS(sl_cell_text(space)), &rows, err);
    *yes = rows.count > 0;
    sl_sv_rows_free(&rows);
    return status;
}

static const char *const ROLES[] = {"owner", "coach", "member"};

sl_status sl_sv_role(sl_service *s, const char *user, const char *space, unsigned *role,
                     sl_error **err)
{
    sl_sv_rows rows;
    sl_sv_known *known = sl_sv_known_of(s, user, space);
    *role = known != NULL ? known->role : 0;
    if (*role != 0) {
        return SL_OK;
    }
    sl_status status = sl_sv_all(s, "SELECT role FROM access WHERE user_id=$1 AND space=$2",
                                 SL_SV_ARGS(sl_cell_text(user), sl_cell_text(space)), &rows, err);
    for (unsigned i = 0; status == SL_OK && rows.count > 0 && i < 3; i++) {
        if (strcmp(sl_sv_text(&rows, 0, 0), ROLES[i]) == 0) {
            *role = 1U << i;
        }
    }
    sl_sv_rows_free(&rows);
    if (known != NULL) {
        known->role = *role;
    }
    if (status == SL_OK && *role == 0 && sl_space_is(space, "coach")) {
        bool open = false; /* a storefront is for all to read */
        status = sl_sv_space_exists(s, space, &open, err);
        *role = open ? SL_R_MEMBER : 0;
    }
    return status;
}

const char *sl_sv_role_name(unsigned role)
{
    for (unsigned i = 0; i < 3; i++) {
        if ((role & (1U << i)) != 0) {
            return ROLES[i];
        }
    }
    return "";
}

sl_status sl_sv_grant(sl_sv_tx *tx, const char *user, const char *space, const char *role,
                      sl_error **err)
{
    sl_sv_space own;
    sl_space_name(own, "user", user);
    sl_sv_known_forget(tx->s);
    sl_status status =
        sl_sv_write(tx, "INSERT INTO access (user_id, space, role) VALUES ($1, $2, $3)",
                    SL_SV_ARGS(sl_cell_text(user), sl_cell_text(space), sl_cell_text(role)), err);
    if (status != SL_OK || strcmp(own, space) == 0 || SL_PLANTED("grant-not-stored")) {
        return status; /* one's own space needs no grant to be known */
    }
    sl_sv_item *grant = NULL;
    status = sl_sv_new(tx, "grant", own, NULL, &grant, err);
    if (status == SL_OK) {
        status = sl_sv_set(grant, "target", space, err);
    }
    return status == SL_OK ? sl_sv_set(grant, "role", role, err) : status;
}

static sl_status note_loss(sl_sv_tx *tx, const char *user, const char *space, sl_error **err)
{
    sl_sv_loss *grown = sl_mem_resize(tx->losses, tx->loss_count + 1, sizeof *grown);
    if (grown == NULL) {
        return sl_fail_nomem(err);
    }
    tx->losses = grown;
    sl_sv_loss *loss = &grown[tx->loss_count++];
    memset(loss, 0, sizeof *loss);
    memcpy(loss->user, user, strlen(user) + 1);
    memcpy(loss->space, space, strlen(space) + 1);
    return SL_OK;
}

static sl_status grants_of(sl_service *s, const char *own, const char *space, sl_sv_rows *rows,
                           sl_error **err)
{
    return sl_sv_all(
        s, "SELECT \"id\" FROM \"grant\" WHERE \"space\"=$1 AND \"target\"=$2 AND \"deleted\"=0",
        SL_SV_ARGS(sl_cell_text(own), sl_cell_text(space)), rows, err);
}

sl_status sl_sv_regrant(sl_sv_tx *tx, const char *user, const char *space, const char *role,
                        sl_error **err)
{
    sl_sv_space own;
    sl_sv_rows rows;
    sl_space_name(own, "user", user);
    sl_sv_known_forget(tx->s);
    sl_status status =
        sl_sv_write(tx, "UPDATE access SET role=$1 WHERE user_id=$2 AND space=$3",
                    SL_SV_ARGS(sl_cell_text(role), sl_cell_text(user), sl_cell_text(space)), err);
    if (status != SL_OK) {
        return status;
    }
    status = grants_of(tx->s, own, space, &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        sl_sv_item *grant = NULL;
        status = sl_sv_get(tx, sl_entity_find("grant"), own, sl_sv_text(&rows, i, 0), &grant, err);
        status = status == SL_OK ? sl_sv_set(grant, "role", role, err) : status;
    }
    sl_sv_rows_free(&rows);
    return status;
}

sl_status sl_sv_revoke(sl_sv_tx *tx, const char *user, const char *space, sl_error **err)
{
    sl_sv_space own;
    sl_space_name(own, "user", user);
    sl_sv_known_forget(tx->s);
    sl_status status = SL_PLANTED("revoke-keeps-access")
                           ? SL_OK
                           : sl_sv_write(tx, "DELETE FROM access WHERE user_id=$1 AND space=$2",
                                         SL_SV_ARGS(sl_cell_text(user), sl_cell_text(space)), err);
    if (status != SL_OK) {
        return status;
    }
    sl_sv_rows rows;
    status = grants_of(tx->s, own, space, &rows, err);
    for (size_t i = SL_PLANTED("revoke-keeps-grant") ? rows.count : 0;
         status == SL_OK && i < rows.count; i++) {
        sl_sv_item *grant = NULL;
        status = sl_sv_get(tx, sl_entity_find("grant"), own, sl_sv_text(&rows, i, 0), &grant, err);
        if (status == SL_OK) {
            status = sl_sv_bury(grant, err);
        }
    }
    sl_sv_rows_free(&rows);
    return status == SL_OK ? note_loss(tx, user, space, err) : status;
}

sl_status sl_sv_revoke_all(sl_sv_tx *tx, const char *sql, const sl_cell *args, size_t n,
                           sl_error **err)
{
    sl_sv_rows rows;
    sl_status status = sl_sv_all(tx->s, sql, args, n, &rows, err);
    for (size_t i = 0; status == SL_OK && i < rows.count; i++) {
        status = sl_sv_revoke(tx, sl_sv_text(&rows, i, 0), sl_sv_text(&rows, i, 1), err);
    }
    sl_sv_rows_free(&rows);
    return status;
}
