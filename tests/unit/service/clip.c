#include "unit/service/clip.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void clip_scene(scene *s)
{
    s->w = world_new();
    person_make(s->w, &s->owner, "owner@x.y", "athlete", 1);
    person_make(s->w, &s->coach, "coach@x.y", "coach", 2);
    person_make(s->w, &s->stranger, "stranger@x.y", "athlete", 3);
    befriend(s->w, &s->owner, &s->coach, s->thread);
    video_make(s->w, &s->owner, s->space, 0x100, CLIP);
    sha_of(CLIP, s->sha);
    (void)snprintf(s->blob, sizeof s->blob, "/api/v1/blobs/%s", s->sha);
}

int32_t get_status(const scene *s, const person *p)
{
    answer a = signed_request(s->w, p, "GET", s->blob, "", NULL, 0);
    int32_t status = a.status;
    answer_free(&a);
    return status;
}

int64_t head_offset(const scene *s, const person *p, const char *location)
{
    answer a = signed_request(s->w, p, "HEAD", location, "tus-resumable: 1.0.0\n", NULL, 0);
    int64_t at = -1;
    if (a.status == 200) {
        at = strtoll(answer_header(&a, "Upload-Offset"), NULL, 10);
    }
    answer_free(&a);
    return at;
}

const char *video_status(scene *s)
{
    static char text[32];
    frames_clear(s->w);
    subscribe(s->w, &s->owner, s->space, 0, "");
    const sl_json *records = sl_json_get(frame_at(s->w, s->owner.conn, "page", 0), "records");
    for (const sl_json *r = sl_json_first(records); r != NULL; r = sl_json_next(r)) {
        if (strcmp(sl_json_str(r, "entity"), "video") == 0) {
            (void)snprintf(text, sizeof text, "%s",
                           sl_json_str(sl_json_get(r, "fields"), "status"));
        }
    }
    return text;
}
