/*
 * server/web.h - a folder of an app for browsers, served beside the service.
 *
 * The folder is listed once, when it is opened: a request is looked up among those names and never
 * becomes a path of its own. Files under /assets/ have their hash in the name and are kept for ever
 * by browsers; all others are asked for anew each time, by their ETag. Where the app has no file and
 * a page is wanted, it gets index.html: the app's own addresses.
 */
#ifndef SL_SERVER_WEB_H
#define SL_SERVER_WEB_H

#include "service/service.h"

typedef struct sl_web sl_web;

/* Reads the names and hashes of all files of a folder, up to 4096 and 8 folders deep; names with a
 * leading dot and symbolic links are left out. SL_E_NOT_FOUND: no folder, or no index.html in it. */
sl_status sl_web_open(const char *dir, sl_web **out, sl_error **err);
void sl_web_close(sl_web *web); /* NULL accepted */

/* True: the request was for the app, and out is filled. False: it is the service's. Any thread. */
bool sl_web_answer(const sl_web *web, const sl_http_in *in, sl_http_out *out);

#endif
