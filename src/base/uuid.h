/* base/uuid.h - UUID version 7 (RFC 9562), lower case with dashes: 36 characters. */
#ifndef SL_BASE_UUID_H
#define SL_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SL_UUID_LEN = 36
};

/* From Unix time in ms and 10 random bytes; out holds 37 characters. */
void sl_uuid7(char out[SL_UUID_LEN + 1], int64_t wall_ms, const uint8_t random[10]);
/* True for 36 characters of the canonical form, whatever the version. */
bool sl_uuid_ok(const char *s);

enum {
    SL_UUID_BYTES = 16
};
/* False for what is not the canonical form. */
bool sl_uuid_decode(uint8_t out[SL_UUID_BYTES], const char *s);
void sl_uuid_encode(char out[SL_UUID_LEN + 1], const uint8_t bytes[SL_UUID_BYTES]);

#endif
