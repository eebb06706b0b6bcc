/*
 * service/effect.h - what the rules of single entities share.
 *
 *   effect.c   connections, shares, videos; which rule is whose
 *   thread.c   conversations: groups, who takes part, messages, reactions
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

#endif
