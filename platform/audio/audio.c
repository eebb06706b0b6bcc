/*
 * platform/audio/audio.c - SDL's devices as sl_audio_ops. SDL keeps its list by itself as devices
 * come and go; one that goes while it is open stops, which is asked for and not waited for.
 */
#include "platform/audio/audio.h"

#include <SDL.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCKS_PER_S = 100 /* as often SDL gives what came */
};

#ifdef __APPLE__
static const char *const names[] = {"libSDL2-2.0.0.dylib", "libSDL2.dylib"};
#else
static const char *const names[] = {"libSDL2-2.0.so.0", "libSDL2-2.0.so"};
#endif

/* What is used of SDL. */
static struct {
    void *library;
    int (*init)(Uint32 flags);
    SDL_bool (*set_hint)(const char *name, const char *value);
    int (*count)(int capture);
    const char *(*name)(int index, int capture);
    SDL_AudioDeviceID (*open)(const char *name, int capture, const SDL_AudioSpec *want,
                              SDL_AudioSpec *have, int changes);
    void (*pause)(SDL_AudioDeviceID device, int on);
    SDL_AudioStatus (*status)(SDL_AudioDeviceID device);
    void (*close)(SDL_AudioDeviceID device);
} sdl;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* around all of `sdl` */

typedef struct stream {
    SDL_AudioDeviceID device;
    uint32_t channels;
    sl_audio_take take;
    void *ctx;
} stream;

/* C has no conversion from an object's pointer to a function's. */
static bool find(const char *symbol, void *function, size_t size)
{
    void *found = dlsym(sdl.library, symbol);
    memcpy(function, (const void *)&found, size);
    return found != NULL;
}

#define FIND(symbol, field) find(symbol, (void *)&sdl.field, sizeof sdl.field)

static bool find_all(void)
{
    return FIND("SDL_InitSubSystem", init) && FIND("SDL_SetHint", set_hint) &&
           FIND("SDL_GetNumAudioDevices", count) && FIND("SDL_GetAudioDeviceName", name) &&
           FIND("SDL_OpenAudioDevice", open) && FIND("SDL_PauseAudioDevice", pause) &&
           FIND("SDL_GetAudioDeviceStatus", status) && FIND("SDL_CloseAudioDevice", close);
}

/* Loaded once and never given back: SDL's threads may outlive any one use. Called locked. */
static sl_status load(void)
{
    if (sdl.library != NULL) {
        return SL_OK;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0] && sdl.library == NULL; i++) {
        sdl.library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    }
    bool ok = sdl.library != NULL && find_all();
    if (ok) {
        (void)sdl.set_hint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
        (void)sdl.set_hint("SDL_AUDIO_DEVICE_STREAM_ROLE", "Voice");
        ok = sdl.init(SDL_INIT_AUDIO) == 0;
    }
    if (!ok && sdl.library != NULL) {
        (void)dlclose(sdl.library);
        sdl.library = NULL;
    }
    return ok ? SL_OK : SL_E_UNSUPPORTED;
}

static sl_status audio_list(void *user, void (*fn)(void *ctx, const char *name), void *ctx)
{
    (void)user;
    (void)pthread_mutex_lock(&lock);
    sl_status status = load();
    int n = status == SL_OK ? sdl.count(1) : 0;
    for (int i = 0; i < n; i++) {
        const char *name = sdl.name(i, 1);
        if (name != NULL) {
            fn(ctx, name);
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return status;
}

static void SDLCALL on_sound(void *user, Uint8 *bytes, int n)
{
    const stream *s = user;
    s->take(s->ctx, (const float *)(const void *)bytes,
            (uint32_t)n / (uint32_t)sizeof(float) / s->channels);
}

static bool is_there(const char *name)
{
    int n = sdl.count(1);
    for (int i = 0; i < n; i++) {
        const char *other = sdl.name(i, 1);
        if (other != NULL && strcmp(other, name) == 0) {
            return true;
        }
    }
    return false;
}

static sl_status open_locked(stream *s, const char *name, int32_t rate)
{
    sl_status status = load();
    if (status != SL_OK) {
        return status;
    }
    if (name[0] != '\0' && !is_there(name)) {
        return SL_E_NOT_FOUND;
    }
    SDL_AudioSpec want = {.freq = rate,
                          .format = AUDIO_F32SYS,
                          .channels = (Uint8)s->channels,
                          .samples = (Uint16)(rate / BLOCKS_PER_S),
                          .callback = on_sound,
                          .userdata = s};
    SDL_AudioSpec have;
    s->device = sdl.open(name[0] != '\0' ? name : NULL, 1, &want, &have, 0);
    return s->device != 0 ? SL_OK : SL_E_NOT_FOUND;
}

static sl_status audio_open(void *user, const char *name, int32_t *rate, int32_t *channels,
                            sl_audio_take take, void *ctx, void **out)
{
    (void)user;
    *out = NULL;
    stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return SL_E_NOMEM;
    }
    s->channels = (uint32_t)*channels;
    s->take = take;
    s->ctx = ctx;
    (void)pthread_mutex_lock(&lock);
    sl_status status = open_locked(s, name, *rate); /* SDL brings what is wanted */
    (void)pthread_mutex_unlock(&lock);
    if (status != SL_OK) {
        free(s);
        return status;
    }
    *out = s;
    return SL_OK;
}

static sl_status audio_start(void *user, void *handle)
{
    (void)user;
    const stream *s = handle;
    sdl.pause(s->device, 0);
    return SL_OK;
}

static sl_status audio_status(void *user, void *handle)
{
    (void)user;
    const stream *s = handle;
    return sdl.status(s->device) == SDL_AUDIO_STOPPED ? SL_E_CLOSED : SL_OK;
}

static void audio_close(void *user, void *handle)
{
    (void)user;
    stream *s = handle;
    sdl.close(s->device); /* waits for the callback */
    free(s);
}

const sl_audio_ops sl_desktop_audio = {.struct_size = sizeof(sl_audio_ops),
                                       .list = audio_list,
                                       .open = audio_open,
                                       .start = audio_start,
                                       .status = audio_status,
                                       .close = audio_close};
