/* service/make.h - records that one request makes. */
#ifndef SL_SERVICE_MAKE_H
#define SL_SERVICE_MAKE_H

#include "service/inside.h"

/* Creates the record as the one who asks, and answers with it: 201, or 200 when it was made before. */
void sl_sv_make(sl_sv_request *r, const char *entity, const char *space, const char *id,
                const sl_json *fields, sl_http_out *out);
/* What can be said of the fields alone. False: the answer is made. */
bool sl_sv_make_check(sl_service *s, const char *entity, const sl_json *fields, sl_http_out *out);
/* Answers why a change was not made; why may be NULL. */
void sl_sv_make_refuse(sl_service *s, sl_status status, const sl_error *why, sl_http_out *out);
/* The member that is an id, copied. False: the answer is made. */
bool sl_sv_make_id(const sl_json *body, const char *name, char out[SL_UUID_LEN + 1],
                   sl_http_out *answer);

void sl_sv_message_make(sl_sv_request *r, sl_http_out *out);
void sl_sv_annotation_make(sl_sv_request *r, sl_http_out *out);
void sl_sv_video_make(sl_sv_request *r, sl_http_out *out);

#endif
