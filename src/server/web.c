#include "server/web.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "server/reply.h"
#include "service/route.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FILES_MAX = 4096,
    DEPTH_MAX = 8,
    PIECE = 32 * 1024
};

typedef struct web_file {
    char *name; /* "/assets/x.js" */
    char *path; /* on the disk */
    int64_t size;
    char etag[SL_SHA256_HEX_LEN + 3]; /* quoted */
} web_file;

struct sl_web {
    web_file *files; /* by name */
    size_t n;
    size_t cap;
};

static const struct {
    const char *end;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".wasm", "application/wasm"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
};

/* What a page may do: its own scripts, workers and sockets, WebAssembly, pictures and films it made. */
static const char policy[] =
    "Content-Security-Policy: default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(self), microphone=(self), geolocation=()\r\n";

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static const char *type_of(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (ends_with(name, types[i].end)) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

/* ---- reading the folder ---- */

static int by_name(const void *a, const void *b)
{
    const web_file *x = a;
    const web_file *y = b;
    return strcmp(x->name, y->name);
}

static sl_status hash_file(web_file *file, sl_error **err)
{
    FILE *f = fopen(file->path, "rb");
    sl_sha256 *hash = sl_sha256_new();
    uint8_t *piece = sl_mem(PIECE);
    sl_status st = f != NULL && hash != NULL && piece != NULL ? SL_OK : SL_E_IO;
    while (st == SL_OK) {
        size_t n = fread(piece, 1, PIECE, f);
        if (n == 0) {
            st = ferror(f) != 0 ? SL_E_IO : SL_OK;
            break;
        }
        sl_sha256_update(hash, piece, n);
        file->size += (int64_t)n;
    }
    if (st == SL_OK) {
        file->etag[0] = '"';
        sl_sha256_final_hex(hash, file->etag + 1);
        memcpy(file->etag + 1 + SL_SHA256_HEX_LEN, "\"", 2);
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    sl_sha256_free(hash);
    sl_mem_free(piece);
    return st == SL_OK ? SL_OK : sl_fail(err, st, "\"%s\" cannot be read", file->path);
}

/* Takes path over. */
static sl_status add_file(sl_web *web, size_t root, char *path, sl_error **err)
{
    if (web->n == FILES_MAX) {
        sl_mem_free(path);
        return sl_fail(err, SL_E_LIMIT, "an app has at most %d files", FILES_MAX);
    }
    if (web->n == web->cap) {
        size_t cap = web->cap == 0 ? 64 : web->cap * 2;
        web_file *files = sl_mem_resize(web->files, cap, sizeof *files);
        if (files == NULL) {
            sl_mem_free(path);
            return sl_fail_nomem(err);
        }
        web->files = files;
        web->cap = cap;
    }
    web_file *file = &web->files[web->n];
    memset(file, 0, sizeof *file);
    file->path = path;
    file->name = sl_text_dup(path + root);
    web->n++;
    return file->name != NULL ? hash_file(file, err) : sl_fail_nomem(err);
}

/* NOLINTNEXTLINE(misc-no-recursion): folders in folders, DEPTH_MAX deep */
static sl_status read_folder(sl_web *web, size_t root, const char *dir, int depth, sl_error **err)
{
    DIR *d = depth < DEPTH_MAX ? opendir(dir) : NULL;
    if (d == NULL) {
        return sl_fail(err, SL_E_NOT_FOUND, "the folder \"%s\" cannot be read, or is too deep",
                       dir);
    }
    sl_status st = SL_OK;
    const struct dirent *entry = NULL;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread, before the server listens */
    while (st == SL_OK && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char *path = sl_text_fmt("%s/%s", dir, entry->d_name);
        struct stat facts;
        if (path == NULL) {
            st = sl_fail_nomem(err);
        } else if (lstat(path, &facts) != 0 ||
                   !(S_ISDIR(facts.st_mode) || S_ISREG(facts.st_mode))) {
            sl_mem_free(path);
        } else if (S_ISDIR(facts.st_mode)) {
            st = read_folder(web, root, path, depth + 1, err);
            sl_mem_free(path);
        } else {
            st = add_file(web, root, path, err);
        }
    }
    (void)closedir(d);
    return st;
}

static const web_file *find(const sl_web *web, const char *name)
{
    web_file key = {.name = (char *)(uintptr_t)name};
    return web->n > 0 ? bsearch(&key, web->files, web->n, sizeof key, by_name) : NULL;
}

sl_status sl_web_open(const char *dir, sl_web **out, sl_error **err)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') {
        n--;
    }
    sl_web *web = sl_mem(sizeof *web);
    char *root = sl_text_ndup(dir, n);
    if (web == NULL || root == NULL) {
        sl_mem_free(root);
        sl_web_close(web);
        return sl_fail_nomem(err);
    }
    sl_status st = read_folder(web, n, root, 0, err);
    if (st == SL_OK) {
        if (web->n > 0) {
            qsort(web->files, web->n, sizeof *web->files, by_name);
        }
        if (find(web, "/index.html") == NULL) {
            st = sl_fail(err, SL_E_NOT_FOUND, "there is no index.html in \"%s\"", dir);
        }
    }
    sl_mem_free(root);
    if (st != SL_OK) {
        sl_web_close(web);
        return st;
    }
    *out = web;
    return SL_OK;
}

void sl_web_close(sl_web *web)
{
    if (web == NULL) {
        return;
    }
    for (size_t i = 0; i < web->n; i++) {
        sl_mem_free(web->files[i].name);
        sl_mem_free(web->files[i].path);
    }
    sl_mem_free(web->files);
    sl_mem_free(web);
}

/* ---- answering ---- */

static const char *header(const sl_http_in *in, const char *name)
{
    const char *value = in->header(in->ctx, name);
    return value != NULL ? value : "";
}

/* The file beside this one that is it, compressed, when the browser takes that. */
static const web_file *compressed(const sl_web *web, const sl_http_in *in, const web_file *file)
{
    if (strstr(header(in, "accept-encoding"), "br") == NULL) {
        return NULL;
    }
    char *name = sl_text_fmt("%s.br", file->name);
    const web_file *found = name != NULL ? find(web, name) : NULL;
    sl_mem_free(name);
    return found;
}

static void answer_file(const sl_web *web, const sl_http_in *in, const web_file *file,
                        sl_http_out *out)
{
    const web_file *small = compressed(web, in, file);
    const web_file *sent = small != NULL ? small : file;
    bool same = strstr(header(in, "if-none-match"), sent->etag) != NULL;
    bool for_ever = strncmp(file->name, "/assets/", 8) == 0;
    sl_buf lines = {0};
    sl_buf_fmt(&lines, "Content-Type: %s\r\nETag: %s\r\nCache-Control: %s\r\n%s%s",
               type_of(file->name), sent->etag,
               for_ever ? "public, max-age=31536000, immutable" : "no-cache",
               small != NULL ? "Content-Encoding: br\r\n" : "", "Vary: Accept-Encoding\r\n");
    if (ends_with(file->name, ".html") || ends_with(file->name, ".js")) {
        sl_buf_str(&lines, policy);
    }
    memset(out, 0, sizeof *out);
    out->status = same ? 304 : 200;
    out->headers = lines.failed ? NULL : sl_text_dup(sl_buf_text(&lines));
    out->file = same ? NULL : sl_text_dup(sent->path);
    out->file_len = same ? 0 : sent->size;
    sl_buf_free(&lines);
    if (out->headers == NULL || (!same && out->file == NULL)) {
        sl_http_out_free(out);
        sl_reply_error(out, 503, "the server is out of memory");
    }
}

/* Whether the service has addresses that begin with the same word. */
static bool of_service(const char *path)
{
    size_t n = 1 + strcspn(path + 1, "/");
    bool found = false;
    for (size_t i = 0; i < SL_ROUTES && !found; i++) {
        const char *own = sl_routes[i].path;
        found = strncmp(own, path, n) == 0 && (own[n] == '/' || own[n] == '\0');
    }
    return found;
}

bool sl_web_answer(const sl_web *web, const sl_http_in *in, sl_http_out *out)
{
    if ((strcmp(in->method, "GET") != 0 && strcmp(in->method, "HEAD") != 0) || in->path[0] != '/') {
        return false;
    }
    const web_file *file = find(web, strcmp(in->path, "/") == 0 ? "/index.html" : in->path);
    if (file == NULL && !of_service(in->path) &&
        strstr(header(in, "accept"), "text/html") != NULL) {
        file = find(web, "/index.html");
    }
    if (file == NULL) {
        return false;
    }
    answer_file(web, in, file, out);
    return true;
}
