/* service/tus.c - what extensions of tus 1.0 say in headers: the checksum of a request's bytes, and when an upload
 * ends. */
#include "service/upload.h"

#include "base/base64.h"
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

/* ---- checksum ---- */

bool sl_sv_checksum_asked(const sl_sv_checksum *c)
{
    return c->sha1 != NULL || c->sha256 != NULL;
}

static sl_status begin(sl_sv_checksum *c, const sl_buf *given, bool sha1)
{
    size_t len = sha1 ? SL_SHA1_LEN : SL_SHA256_LEN;
    if (given->failed) {
        return SL_E_NOMEM;
    }
    if (given->len != len) {
        return SL_E_INVALID;
    }
    memcpy(c->wanted, given->data, len);
    if (sha1) {
        c->sha1 = sl_sha1_new();
    } else {
        c->sha256 = sl_sha256_new();
    }
    return sl_sv_checksum_asked(c) ? SL_OK : SL_E_NOMEM;
}

sl_status sl_sv_checksum_begin(sl_sv_checksum *c, const char *text, uint64_t len)
{
    memset(c, 0, sizeof *c);
    c->left = len;
    if (text == NULL) {
        return SL_OK;
    }
    bool sha1 = strncmp(text, "sha1 ", 5) == 0;
    const char *value = text + (sha1 ? 5 : 7);
    if (!sha1 && strncmp(text, "sha256 ", 7) != 0) {
        return SL_E_INVALID;
    }
    sl_buf given = {0};
    sl_status status =
        sl_base64_decode(&given, value, strlen(value)) ? begin(c, &given, sha1) : SL_E_INVALID;
    sl_buf_free(&given);
    return status;
}

void sl_sv_checksum_put(sl_sv_checksum *c, const uint8_t *p, size_t n)
{
    c->left -= n < c->left ? n : c->left;
    if (c->sha1 != NULL) {
        sl_sha1_update(c->sha1, p, n);
    } else if (c->sha256 != NULL) {
        sl_sha256_update(c->sha256, p, n);
    }
}

bool sl_sv_checksum_holds(sl_sv_checksum *c)
{
    uint8_t found[SL_SHA256_LEN] = {0};
    if (c->sha1 != NULL) {
        sl_sha1_final(c->sha1, found);
    } else if (c->sha256 != NULL) {
        sl_sha256_final(c->sha256, found);
    } else {
        return true;
    }
    return c->left == 0 && memcmp(found, c->wanted, sizeof found) == 0;
}

void sl_sv_checksum_free(sl_sv_checksum *c)
{
    sl_sha1_free(c->sha1);
    sl_sha256_free(c->sha256);
    memset(c, 0, sizeof *c);
}

/* ---- expiration ---- */

/* The day since 1970 in the Gregorian calendar, counted in eras of 400 years that begin in March. */
static void put_date(char *out, size_t room, int64_t ms)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Mar", "Apr", "May", "Jun", "Jul", "Aug",
                                         "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"};
    int64_t s = ms / 1000;
    int64_t day = s / 86400;
    int64_t z = day + 719468;
    int64_t era = z / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t year = year_of_era + era * 400 + (month >= 10 ? 1 : 0);
    (void)snprintf(out, room, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[day % 7],
                   (int)(of_year - (153 * month + 2) / 5 + 1), months[month], (int)year,
                   (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

void sl_sv_tell_expiry(const sl_sv_upload *u, sl_http_out *out)
{
    char text[64];
    if (u->at < u->length) {
        put_date(text, sizeof text, u->expires_ms);
        sl_sv_header(out, "Upload-Expires", text);
    }
}
