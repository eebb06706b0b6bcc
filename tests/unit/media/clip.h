/*
 * clip.h - clips made by the tests themselves: every picture says its number in bright and dark
 * blocks, every second has a tone of its own.
 */
#ifndef SL_TESTS_MEDIA_CLIP_H
#define SL_TESTS_MEDIA_CLIP_H

#include "base/buf.h"
#include "media/frame.h"
#include "media/sound.h"

#include <stdbool.h>

enum {
    CLIP_WIDTH = 320,
    CLIP_HEIGHT = 192,
    CLIP_BITS = 8,
    CLIP_PATH_MAX = 256
};

struct AVCodecContext;
struct AVFrame;

/* A folder for this test alone, emptied and removed by clip_folder_drop. */
void clip_folder(char path[CLIP_PATH_MAX]);
void clip_folder_drop(const char *path);
/* Names of the files in it, sorted, with a space after each. */
void clip_folder_list(const char *path, char *text, size_t cap);
void clip_join(char out[CLIP_PATH_MAX], const char *folder, const char *name);
bool clip_read(const char *path, sl_buf *out);
bool clip_write(const char *path, const void *p, size_t n);

/* An MP4 of `frames` pictures; with sound when `sound`: a tone of clip_hz(second) at 0.5. */
void clip_make(const char *path, int frames, int rate, bool sound);
/* An AVI of MPEG-4 pictures, without sound. */
void clip_make_avi(const char *path, int frames, int rate);
double clip_hz(int second);
/* How strong a frequency is in a stretch of at most a second. */
double clip_heard(sl_sound *s, double hz, double from, double seconds);
/* A clip of any kind. */
typedef struct clip_recipe {
    const char *encoder; /* FFmpeg's name */
    int format;          /* AV_PIX_FMT_... */
    int width, height;
    int wide, high; /* of a pixel; 0: square */
    int rate, frames;
    const int *at; /* when each is shown, in frames; NULL: one after the other */
    int rotation;  /* as sl_clip_rotation */
    void (*tag)(struct AVCodecContext *c, void *user); /* may be NULL */
    void (*paint)(struct AVFrame *f, int number, void *user);
    void *user;
} clip_recipe;
/* False: this build of FFmpeg has no such encoder. */
bool clip_encode(const clip_recipe *r, const char *path);
/* The same streams in another container (by the name's ending), to be turned clockwise. */
void clip_remux(const char *from, const char *to, int rotation);
/* The number that a picture says; in `into`'s upright orientation. */
int clip_number(const sl_pixels *picture);
/* Pixels with memory of their own; clip_pixels_free. */
sl_pixels clip_pixels(int32_t width, int32_t height);
void clip_pixels_free(sl_pixels *p);
/* Seconds of the first stream of a kind, as the container says. */
double clip_seconds(const char *path, bool video);

#endif
