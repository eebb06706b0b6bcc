/* server/password.h - password hashes: bcrypt ($2b$, cost 10) by libcrypt. Slow on purpose. */
#ifndef SL_SERVER_PASSWORD_H
#define SL_SERVER_PASSWORD_H

#include "sideline/platform.h"

#include <stdbool.h>

/* *out: the hash as text, freed with sl_mem_free. bcrypt looks at the first 72 bytes only: a longer
 * secret is refused. */
sl_status sl_password_hash(const sl_platform *platform, const char *secret, char **out,
                           sl_error **err);
bool sl_password_check(const char *secret, const char *hash);
/* Made at a lower cost than hashes are now. */
bool sl_password_old(const char *hash);

#endif
