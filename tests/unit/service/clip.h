/* A clip that is uploaded for a video: whose it is, who may see it, who may not. */
#ifndef TESTS_SERVICE_CLIP_H
#define TESTS_SERVICE_CLIP_H

#include "unit/service/world.h"

static const char CLIP[] = "0123456789abcdef";
#define TYPE "content-type: application/offset+octet-stream\n"

typedef struct scene {
    world *w;
    person owner;
    person coach;
    person stranger;
    char thread[SL_SPACE_MAX];
    char space[SL_SPACE_MAX];
    char sha[65];
    char blob[128];
} scene;

/* People and the video's record; no bytes are there yet. */
void clip_scene(scene *s);
int32_t get_status(const scene *s, const person *p);
/* -1: the upload is not there. */
int64_t head_offset(const scene *s, const person *p, const char *location);
/* As the owner is told it, until the next call. */
const char *video_status(scene *s);

#endif
