/*
 * service/effect.h - what the rules of single entities share.
 *
 *   effect.c   connections, shares, videos; which rule is whose
 *   thread.c   conversations: groups, who takes part, messages, reactions
 *   organisation.c, lend.c   organisations: who is in, and the programs that they read
 */
#ifndef SL_SERVICE_EFFECT_H
#define SL_SERVICE_EFFECT_H

#include "service/inside.h"

/* An account, as others may know it. */
typedef struct sl_sv_person {
    bool found;
    sl_sv_id id;
    char email[256];
    char name[104];
    sl_sv_rank rank;
} sl_sv_person;

sl_status sl_sv_person_by_id(sl_service *s, const char *id, sl_sv_person *out, sl_error **err);
sl_status sl_sv_person_by_email(sl_service *s, const char *email, sl_sv_person *out,
                                sl_error **err);
/* A field that merges, to what the operation of this stamp says, whatever the devices' clocks say. */
sl_status sl_sv_overrule(sl_sv_item *item, const char *field, const char *value, sl_hlc stamp,
                         sl_error **err);
/* Whether two users are connected, or, when asked_counts, one of them has asked. */
sl_status sl_sv_connected(sl_service *s, const char *user, const char *peer, bool asked_counts,
                          bool *yes, sl_error **err);
/* Whether `user` has blocked `by`. */
sl_status sl_sv_has_blocked(sl_service *s, const char *user, const char *by, bool *yes,
                            sl_error **err);
bool sl_sv_op_is(const sl_sv_op *o, sl_op_kind kind, const char *entity);

/* ---- thread.c ---- */

/* A conversation of two. */
sl_status sl_sv_thread_make(sl_sv_tx *tx, const sl_sv_person *a, const sl_sv_person *b, sl_sv_id id,
                            sl_error **err);
/* sl_sv_before and sl_sv_after for what lies in a thread's space. */
sl_status sl_sv_thread_before(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err);
sl_status sl_sv_thread_after(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err);

/* ---- organisation.c ---- */

/* Whether the rules of its entity are there. */
bool sl_sv_organisation_has(const sl_entity *e);
sl_status sl_sv_organisation_before(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err);
sl_status sl_sv_organisation_after(sl_sv_tx *tx, sl_sv_op *o, sl_sv_item *item, sl_error **err);

/* ---- lend.c ---- */

/* This user, and all others of this user's programs, read what organisations give. */
sl_status sl_sv_lend_settle(sl_sv_tx *tx, const char *user, sl_error **err);
/* What is shared with the organisation, of the program, by the user is so no more; "": of any. To be settled. */
sl_status sl_sv_lend_end(sl_sv_tx *tx, const char *organisation, const char *program,
                         const char *user, sl_error **err);
/* Before and after the merge of a program_share; after that of a program. */
sl_status sl_sv_lend_before(sl_sv_tx *tx, const sl_sv_op *o, const sl_sv_item *share,
                            sl_error **err);
sl_status sl_sv_lend_made(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err);
sl_status sl_sv_lend_program(sl_sv_tx *tx, const sl_sv_op *o, sl_error **err);

#endif
