/* The data folder: opened, and destroyed. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Makes the folders above `path`; the last one is the core's to make. */
static void make_parents(char *path)
{
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
}

static char *data_folder(const cli *c)
{
    text path = {0};
    const char *home = getenv("HOME");
    const char *given = c->option[OPT_DATA];
    if (given == NULL) {
        given = getenv("SIDELINE_DATA");
    }
    if (given != NULL && given[0] != '\0') {
        text_add(&path, given);
    } else if (home != NULL && home[0] != '\0') {
        text_fmt(&path, "%s/.local/share/sideline", home);
        make_parents(path.data);
    }
    return path.data;
}

int cli_open(cli *c)
{
    char *dir = data_folder(c);
    if (dir == NULL || dir[0] == '\0') {
        free(dir);
        (void)cli_fail("no data folder: give --data DIR (see sideline help)");
        return CLI_USAGE;
    }
    const char *server = c->option[OPT_SERVER];
    if (server == NULL) {
        server = getenv("SIDELINE_SERVER");
    }
    uint8_t key[CLI_KEY_LEN];
    const char *key_file = c->option[OPT_KEY] != NULL ? c->option[OPT_KEY] : getenv("SIDELINE_KEY");
    bool sealed = key_file != NULL && key_file[0] != '\0';
    if (sealed && cli_load_key(key_file, key) != CLI_OK) {
        free(dir);
        return CLI_FAILED;
    }
    sl_config cfg = {.struct_size = sizeof cfg,
                     .dir = dir,
                     .server = server != NULL && server[0] != '\0' ? server : NULL,
                     .key = sealed ? key : NULL};
    sl_error *err = NULL;
    sl_status st = sl_core_open(&cfg, &c->core, &err);
    free(dir);
    return st == SL_OK ? CLI_OK : cli_error(st, err);
}

int cli_wipe(const cli *c)
{
    char *dir = data_folder(c);
    sl_error *err = NULL;
    sl_config cfg = {.struct_size = sizeof cfg, .dir = dir};
    sl_status st = sl_core_wipe(&cfg, &err);
    free(dir);
    return st == SL_OK ? CLI_OK : cli_error(st, err);
}
