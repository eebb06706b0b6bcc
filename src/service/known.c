/* service/known.c - what users are in spaces, as it was read before: the newest of each hash. */
#include "base/mem.h"
#include "service/inside.h"

#include <string.h>

static uint32_t hash_of(uint32_t h, const char *s)
{
    for (; *s != 0; s++) {
        h = (h ^ (uint8_t)*s) * 16777619U; /* FNV-1a */
    }
    return h;
}

sl_sv_known *sl_sv_known_of(sl_service *s, const char *user, const char *space)
{
    if (s->known == NULL) {
        s->known = sl_mem_array(SL_SV_KNOWN, sizeof *s->known);
    }
    if (s->known == NULL) {
        return NULL;
    }
    sl_sv_known *k = &s->known[hash_of(hash_of(2166136261U, user), space) % SL_SV_KNOWN];
    if (k->age != s->known_age || strcmp(k->user, user) != 0 || strcmp(k->space, space) != 0) {
        memset(k, 0, sizeof *k);
        k->age = s->known_age;
        sl_sv_copy(k->user, sizeof k->user, user);
        sl_sv_copy(k->space, sizeof k->space, space);
    }
    return k;
}

void sl_sv_known_forget(sl_service *s)
{
    s->known_age++;
}
