/*
 * The names of a pack. A folder is a node too, of a name with '/' at its end; the root is always there.
 */
#include "platform/wasm/pack_inside.h"

#include <stdlib.h>
#include <string.h>

node *node_of_name(const pack *p, const char *name)
{
    for (node *n = p->files; n != NULL; n = n->next) {
        if (!n->gone && strcmp(n->name, name) == 0) {
            return n;
        }
    }
    return NULL;
}

/* Behind the folder's '/', when `name` is in the folder that the first n bytes of `path` name. */
static const char *within(const char *path, size_t n, const char *name)
{
    return strncmp(name, path, n) == 0 && name[n] == '/' ? name + n + 1 : NULL;
}

static node *folder(const pack *p, const char *path, size_t n)
{
    for (node *f = p->files; f != NULL; f = f->next) {
        const char *rest = f->gone ? NULL : within(path, n, f->name);
        if (rest != NULL && *rest == '\0') {
            return f;
        }
    }
    return NULL;
}

bool node_is_folder(const pack *p, const char *path)
{
    return folder(p, path, strlen(path)) != NULL;
}

bool node_has_place(const pack *p, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash == path || folder(p, path, (size_t)(slash - path)) != NULL;
}

static sl_status take_away(pack *p, node *f)
{
    sl_status status = pack_forget(p, f->id);
    if (status == SL_OK) {
        f->gone = true;
        status = node_drop(p, f);
    }
    return status;
}

sl_status pack_rename(void *user, const char *from, const char *to)
{
    pack *p = user;
    node *f = node_of_name(p, from);
    if (f != NULL && (node_is_folder(p, to) || !node_has_place(p, to))) {
        return node_is_folder(p, to) ? SL_E_IO : SL_E_NOT_FOUND;
    }
    size_t n = strlen(to);
    char *name = n > 0 && n <= PACK_NAME_MAX ? malloc(n + 1) : NULL;
    if (f == NULL || name == NULL) {
        free(name);
        return f == NULL ? SL_E_NOT_FOUND : n > 0 && n <= PACK_NAME_MAX ? SL_E_NOMEM : SL_E_IO;
    }
    memcpy(name, to, n + 1);
    node *old = node_of_name(p, to);
    old = old == f ? NULL : old;
    sl_status status = old != NULL ? pack_forget(p, old->id) : SL_OK;
    if (status != SL_OK) {
        free(name);
        return status;
    }
    char *before = f->name;
    f->name = name;
    f->moved = true;
    if (old != NULL) {
        old->gone = true;
    }
    status = pack_commit(p);
    if (status != SL_OK) { /* as if it had not been asked for */
        f->name = before;
        if (old != NULL) {
            old->gone = false;
            old->moved = true;
            p->removed_count--;
        }
        free(name);
        return status;
    }
    free(before);
    return old != NULL ? node_drop(p, old) : SL_OK;
}

static bool is_empty(const pack *p, const char *path)
{
    for (const node *n = p->files; n != NULL; n = n->next) {
        const char *rest = n->gone ? NULL : within(path, strlen(path), n->name);
        if (rest != NULL && *rest != '\0') {
            return false;
        }
    }
    return true;
}

sl_status pack_remove(void *user, const char *path)
{
    pack *p = user;
    node *f = node_of_name(p, path);
    if (f == NULL) {
        f = folder(p, path, strlen(path));
        if (f != NULL && !is_empty(p, path)) {
            return SL_E_IO;
        }
    }
    return f != NULL ? take_away(p, f) : SL_E_NOT_FOUND;
}

int32_t pack_exists(void *user, const char *path)
{
    return node_of_name(user, path) != NULL || node_is_folder(user, path) ? 1 : 0;
}

sl_status pack_mkdir(void *user, const char *path)
{
    pack *p = user;
    char name[PACK_NAME_MAX + 1];
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    if (n == 0 || n >= PACK_NAME_MAX) {
        return SL_E_IO;
    }
    memcpy(name, path, n);
    name[n] = '\0';
    if (node_is_folder(p, name)) {
        return SL_OK;
    }
    if (node_of_name(p, name) != NULL || !node_has_place(p, name)) {
        return node_of_name(p, name) != NULL ? SL_E_IO : SL_E_NOT_FOUND;
    }
    name[n++] = '/';
    node *f = node_new(p, name, n, p->last_id + 1);
    if (f == NULL) {
        return SL_E_NOMEM;
    }
    p->last_id++;
    f->moved = true;
    return SL_OK;
}

sl_status pack_list(void *user, const char *path, void (*fn)(void *ctx, const char *name),
                    void *ctx)
{
    const pack *p = user;
    for (const node *n = p->files; n != NULL; n = n->next) {
        const char *entry = n->gone ? NULL : within(path, strlen(path), n->name);
        size_t len = entry != NULL ? strcspn(entry, "/") : 0;
        if (len > 0 && (entry[len] == '\0' || entry[len + 1] == '\0')) {
            char name[PACK_NAME_MAX + 1];
            memcpy(name, entry, len);
            name[len] = '\0';
            fn(ctx, name);
        }
    }
    return SL_OK;
}
