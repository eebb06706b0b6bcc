/* The app for browsers that sidelined serves: what it gives, what it leaves to the service, and that
 * nothing outside its folder can be had. */
#include "support.h"

#include "base/error.h"
#include "base/mem.h"
#include "server/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static const char *asked[2]; /* name, value of the one header sent besides Accept */

static const char *give(void *ctx, const char *name)
{
    if (strcmp(name, "accept") == 0) {
        return ctx;
    }
    return asked[0] != NULL && strcmp(name, asked[0]) == 0 ? asked[1] : NULL;
}

static void put(const char *name, const char *text)
{
    char *path = sl_text_fmt("%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
    sl_mem_free(path);
}

static sl_web *open_app(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/sl-web-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char *assets = sl_text_fmt("%s/assets", folder);
    char *link = sl_text_fmt("%s/passwd", folder);
    ck_assert_int_eq(mkdir(assets, 0700), 0);
    ck_assert_int_eq(symlink("/etc/passwd", link), 0);
    sl_mem_free(assets);
    sl_mem_free(link);
    put("index.html", "<!doctype html>");
    put("sw.js", "self");
    put(".secret", "key");
    put("assets/app-1a2b.js", "import");
    put("assets/app-1a2b.js.br", "br");
    sl_web *web = NULL;
    ck_assert_int_eq(sl_web_open(folder, &web, NULL), SL_OK);
    return web;
}

static void close_app(sl_web *web)
{
    static const char *const names[] = {
        "index.html", "sw.js", ".secret", "passwd", "assets/app-1a2b.js", "assets/app-1a2b.js.br",
        "assets",     ""};
    sl_web_close(web);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = sl_text_fmt("%s/%s", folder, names[i]);
        ck_assert_int_eq(remove(path), 0);
        sl_mem_free(path);
    }
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

static bool ask(const sl_web *web, const char *method, const char *path, const char *accept,
                sl_http_out *out)
{
    sl_http_in in = {.method = method,
                     .path = path,
                     .query = "",
                     .header = give,
                     .ctx = (void *)(uintptr_t)accept};
    memset(out, 0, sizeof *out);
    return sl_web_answer(web, &in, out);
}

static bool is_for_service(const sl_web *web, const char *path, const char *accept)
{
    sl_http_out out;
    bool ours = ask(web, "GET", path, accept, &out);
    if (ours) {
        sl_http_out_free(&out);
    }
    return !ours;
}

START_TEST(web__a_file_has_its_type_its_length_and_the_policy)
{
    sl_web *web = open_app();
    sl_http_out out;
    ck_assert(ask(web, "GET", "/", "*/*", &out));
    ck_assert_int_eq(out.status, 200);
    ck_assert_int_eq(out.file_len, 15);
    ck_assert_ptr_nonnull(strstr(out.headers, "Content-Type: text/html; charset=utf-8\r\n"));
    ck_assert_ptr_nonnull(strstr(out.headers, "Cache-Control: no-cache\r\n"));
    ck_assert_ptr_nonnull(strstr(out.headers, "Content-Security-Policy: default-src 'self'"));
    sl_http_out_free(&out);
    close_app(web);
}
END_TEST

START_TEST(web__what_has_its_hash_in_the_name_is_kept_for_ever)
{
    sl_web *web = open_app();
    sl_http_out out;
    ck_assert(ask(web, "GET", "/assets/app-1a2b.js", "*/*", &out));
    ck_assert_ptr_nonnull(strstr(out.headers, "immutable"));
    ck_assert_ptr_null(strstr(out.headers, "Content-Encoding"));
    ck_assert_int_eq(out.file_len, 6);
    sl_http_out_free(&out);
    close_app(web);
}
END_TEST

START_TEST(web__who_takes_it_gets_it_compressed)
{
    sl_web *web = open_app();
    sl_http_out out;
    asked[0] = "accept-encoding";
    asked[1] = "gzip, br";
    ck_assert(ask(web, "GET", "/assets/app-1a2b.js", "*/*", &out));
    ck_assert_int_eq(out.file_len, 2);
    ck_assert_ptr_nonnull(strstr(out.headers, "Content-Encoding: br\r\n"));
    ck_assert_ptr_nonnull(strstr(out.headers, "Content-Type: text/javascript"));
    sl_http_out_free(&out);
    asked[0] = NULL;
    close_app(web);
}
END_TEST

START_TEST(web__what_the_browser_has_is_not_sent_again)
{
    sl_web *web = open_app();
    sl_http_out out;
    char etag[80] = "";
    ck_assert(ask(web, "GET", "/sw.js", "*/*", &out));
    const char *at = strstr(out.headers, "ETag: ");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at, "ETag: %79s", etag), 1);
    sl_http_out_free(&out);
    asked[0] = "if-none-match";
    asked[1] = etag;
    ck_assert(ask(web, "GET", "/sw.js", "*/*", &out));
    ck_assert_int_eq(out.status, 304);
    ck_assert_ptr_null(out.file);
    sl_http_out_free(&out);
    asked[1] = "\"another\"";
    ck_assert(ask(web, "GET", "/sw.js", "*/*", &out));
    ck_assert_int_eq(out.status, 200);
    sl_http_out_free(&out);
    asked[0] = NULL;
    close_app(web);
}
END_TEST

START_TEST(web__the_apps_own_addresses_are_its_page)
{
    sl_web *web = open_app();
    sl_http_out out;
    ck_assert(ask(web, "GET", "/chat/0190", "text/html,*/*", &out));
    ck_assert_ptr_nonnull(strstr(out.file, "/index.html"));
    sl_http_out_free(&out);
    ck_assert(is_for_service(web, "/chat/0190", "application/json"));
    close_app(web);
}
END_TEST

START_TEST(web__the_services_addresses_stay_its_own)
{
    sl_web *web = open_app();
    sl_http_out out;
    ck_assert(is_for_service(web, "/api/v1/sync", "text/html"));
    ck_assert(is_for_service(web, "/metrics", "text/html"));
    ck_assert(!ask(web, "POST", "/", "text/html", &out));
    ck_assert(!ask(web, "DELETE", "/index.html", "text/html", &out));
    close_app(web);
}
END_TEST

START_TEST(web__nothing_outside_the_folder_can_be_had)
{
    static const char *const paths[] = {"/../etc/passwd",
                                        "/assets/../../etc/passwd",
                                        "//etc/passwd",
                                        "/..%2fetc/passwd",
                                        "/passwd",
                                        "/.secret",
                                        "/assets",
                                        "/assets/",
                                        "/assets/../index.html",
                                        "index.html",
                                        ""};
    sl_web *web = open_app();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ck_assert_msg(is_for_service(web, paths[i], "*/*"), "%s", paths[i]);
    }
    close_app(web);
}
END_TEST

START_TEST(web__a_folder_without_a_page_is_refused)
{
    sl_web *web = NULL;
    sl_error *err = NULL;
    ck_assert_int_eq(sl_web_open("/nowhere/at/all", &web, &err), SL_E_NOT_FOUND);
    sl_error_release(err);
    err = NULL;
    ck_assert_int_eq(sl_web_open("/proc/self/fd", &web, &err), SL_E_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(sl_error_message(err), "index.html"));
    sl_error_release(err);
    ck_assert_ptr_null(web);
}
END_TEST

SL_TEST_MAIN("web", web__a_file_has_its_type_its_length_and_the_policy,
             web__what_has_its_hash_in_the_name_is_kept_for_ever,
             web__who_takes_it_gets_it_compressed, web__what_the_browser_has_is_not_sent_again,
             web__the_apps_own_addresses_are_its_page, web__the_services_addresses_stay_its_own,
             web__nothing_outside_the_folder_can_be_had, web__a_folder_without_a_page_is_refused)
