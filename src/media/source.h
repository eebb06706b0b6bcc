/* media/source.h - where a clip's bytes come from: a file, or whoever can read them. */
#ifndef SL_MEDIA_SOURCE_H
#define SL_MEDIA_SOURCE_H

#include <stddef.h>
#include <stdint.h>

typedef struct sl_source {
    const char *path; /* of a file; NULL: the rest counts */
    /* Up to n bytes from `at`: short only at the end, negative when it fails. Called by the thread
     * that opens and reads the clip, one call at a time. */
    int64_t (*read)(void *user, void *dst, size_t n, int64_t at);
    void *user;
    int64_t size;
} sl_source;

#define SL_SOURCE_FILE(name) (&(sl_source){.path = (name)})

#endif
