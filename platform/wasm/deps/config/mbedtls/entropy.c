/* Random bytes for mbedTLS, from the browser's or Node's own generator. */
#include <mbedtls/config.h>
#include <mbedtls/entropy.h>
#include <mbedtls/entropy_poll.h>
#include <unistd.h>

enum {
    REQUEST_MAX = 256 /* of getentropy */
};

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen)
{
    (void)data;
    *olen = 0;
    while (*olen < len) {
        size_t n = len - *olen < REQUEST_MAX ? len - *olen : REQUEST_MAX;
        if (getentropy(output + *olen, n) != 0) {
            return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
        }
        *olen += n;
    }
    return 0;
}
