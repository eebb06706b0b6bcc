/*
 * service/digest.c - the hashes of uploads under way, each of as many bytes as were written: so the last
 * request of one need not read all of it again. What is not here any more is read.
 */
#include "service/inside.h"

#include <string.h>

sl_sha256 *sl_sv_digest_take(sl_service *s, const char *id, int64_t at)
{
    sl_sha256 *h = NULL;
    for (size_t i = 0; i < SL_SV_DIGESTS; i++) {
        sl_sv_digest *d = &s->digests[i];
        if (d->hash == NULL || strcmp(d->id, id) != 0) {
            continue;
        }
        if (d->at == at) {
            h = d->hash;
        } else {
            sl_sha256_free(d->hash);
        }
        d->hash = NULL;
    }
    return h == NULL && at == 0 ? sl_sha256_new() : h;
}

void sl_sv_digest_keep(sl_service *s, const char *id, int64_t at, sl_sha256 *hash)
{
    sl_sv_digest *d = &s->digests[s->digest_next];
    s->digest_next = (s->digest_next + 1) % SL_SV_DIGESTS;
    sl_sha256_free(d->hash);
    d->hash = hash;
    d->at = at;
    sl_sv_copy(d->id, sizeof d->id, id);
}

void sl_sv_digests_free(sl_service *s)
{
    for (size_t i = 0; i < SL_SV_DIGESTS; i++) {
        sl_sha256_free(s->digests[i].hash);
        s->digests[i].hash = NULL;
    }
}
