/*
 * server/media.h - does the work on videos that the service says is to be done (service/media.h), one
 * step at a time, in processes of its own (server/worker.h).
 */
#ifndef SL_SERVER_MEDIA_H
#define SL_SERVER_MEDIA_H

#include "service/service.h"

typedef struct sl_media sl_media;

typedef struct sl_media_config {
    const sl_platform *platform;
    const char *dir;     /* the data folder; DIR/media is for this alone */
    const char *encoder; /* only this one, or NULL */
    const char *scan;    /* run with a clip's path: ends with 0 for clean, 1 for not, or NULL */
    const char *program; /* sidelined itself */
} sl_media_config;

enum {
    SL_MEDIA_SHORT_S = 900, /* check, scan, first: by the clock */
    SL_MEDIA_LONG_S = 12 * 3600,
    SL_MEDIA_SAID_MAX = 16 * 1024 * 1024
};

/* What is in config is borrowed until sl_media_free. */
sl_status sl_media_new(const sl_media_config *config, sl_media **out, sl_error **err);
/* Starts the thread. */
sl_status sl_media_run(sl_media *m, sl_service *service, sl_error **err);
void sl_media_wake(sl_media *m); /* only signals */
/* Stops a step that is under way: it is begun again next time. */
void sl_media_free(sl_media *m);

#endif
