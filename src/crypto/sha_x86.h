/* crypto/sha_x86.h - SHA-256's blocks with the processor's own instructions, where it has them. */
#ifndef SL_CRYPTO_SHA_X86_H
#define SL_CRYPTO_SHA_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool sl_sha_x86_have(void);
/* Only when it is there. p: so many blocks of 64 bytes. */
void sl_sha_x86(uint32_t state[8], const uint8_t *p, size_t blocks);

#endif
