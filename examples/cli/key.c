/*
 * cli/key.c - the key that seals the folder: 32 bytes in a file of the user's own. An app on a
 * phone takes it from the system's keychain instead.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static int make_key(const char *path, uint8_t key[CLI_KEY_LEN])
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        return cli_fail("the key file \"%s\" cannot be made: %s", path, strerror(errno));
    }
    bool made = getrandom(key, CLI_KEY_LEN, 0) == CLI_KEY_LEN &&
                write(fd, key, CLI_KEY_LEN) == CLI_KEY_LEN && fsync(fd) == 0;
    (void)close(fd);
    if (!made) {
        (void)unlink(path);
        return cli_fail("the key file \"%s\" cannot be written", path);
    }
    return CLI_OK;
}

int cli_load_key(const char *path, uint8_t key[CLI_KEY_LEN])
{
    int fd = open(path, O_RDONLY);
    if (fd < 0 && errno == ENOENT) {
        return make_key(path, key);
    }
    if (fd < 0) {
        return cli_fail("the key file \"%s\" cannot be opened: %s", path, strerror(errno));
    }
    uint8_t bytes[CLI_KEY_LEN + 1];
    ssize_t got = read(fd, bytes, sizeof bytes);
    (void)close(fd);
    if (got != CLI_KEY_LEN) {
        return cli_fail("the key file \"%s\" does not hold %d bytes", path, CLI_KEY_LEN);
    }
    memcpy(key, bytes, CLI_KEY_LEN);
    return CLI_OK;
}
