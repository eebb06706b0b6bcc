/*
 * sideline/platform.h - what the core asks of the machine it runs on.
 *
 * The host fills these tables once and gives them to sl_core_open(). They are the
 * only way out of the core: no other file opens a socket, reads a clock or opens
 * a file. A NULL table means that the machine cannot do it, and what needs it
 * answers SL_E_UNSUPPORTED. With sl_config.platform NULL the built-in tables are
 * used: POSIX files and clocks, libcurl for HTTP, libwebsockets for WebSocket.
 *
 * Clock, random and file operations are synchronous. HTTP and WebSocket
 * operations start the work and return; what they are given is borrowed for the
 * call. If start returns SL_OK the host reports the end exactly once
 * (sl_host_http_done, sl_host_ws_closed); if it fails, the host reports nothing.
 *
 * Threads: the core calls `http` and `ws` with its own lock held, on any of its
 * threads; an operation must not call the core back from inside the call. The sl_host_*
 * functions may be called on any thread: they queue the news and wake the core.
 * Requests and sockets are named by number: news about one that is gone is
 * ignored. After `stop` returns no sl_host_* call for this core may run.
 */
#ifndef SIDELINE_PLATFORM_H
#define SIDELINE_PLATFORM_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

typedef struct sl_core sl_core;

typedef struct sl_clock_ops {
    uint32_t struct_size;
    uint32_t reserved;
    int64_t (*mono_ms)(void *SL_NULLABLE user); /* never goes back */
    int64_t (*wall_ms)(void *SL_NULLABLE user); /* Unix time; may jump either way */
    /* The minute of the local day at this Unix time, 0 to 1439, for quiet hours. NULL, or not there by
     * struct_size: that of UTC. */
    int32_t (*day_minute)(void *SL_NULLABLE user, int64_t wall_ms);
} sl_clock_ops;

typedef struct sl_random_ops {
    uint32_t struct_size;
    uint32_t reserved;
    /* Fills dst with bytes fit for keys; SL_OK or SL_E_IO. */
    sl_status (*fill)(void *SL_NULLABLE user, void *dst, size_t n);
} sl_random_ops;

enum {
    SL_FILE_READ = 1,
    SL_FILE_WRITE = 2,
    SL_FILE_CREATE = 4,   /* create when absent */
    SL_FILE_TRUNCATE = 8, /* empty it when present */
    SL_FILE_LOCK = 16     /* one owner at a time, until close; SL_E_BUSY when taken */
};

/* Paths are UTF-8 with '/'. Offsets and sizes in bytes. Statuses: SL_OK, SL_E_IO,
 * SL_E_FULL, SL_E_NOT_FOUND, SL_E_BUSY, SL_E_NOMEM. */
typedef struct sl_file_ops {
    uint32_t struct_size;
    uint32_t reserved;
    sl_status (*open)(void *SL_NULLABLE user, const char *path, uint32_t flags,
                      void *SL_NULLABLE *SL_NULLABLE file);
    void (*close)(void *SL_NULLABLE user, void *file);
    /* Bytes read, 0 at the end, or a negative status. May be short only at the end. */
    int64_t (*read)(void *SL_NULLABLE user, void *file, void *dst, size_t n, int64_t at);
    sl_status (*write)(void *SL_NULLABLE user, void *file, const void *src, size_t n, int64_t at);
    sl_status (*truncate)(void *SL_NULLABLE user, void *file, int64_t size);
    sl_status (*sync)(void *SL_NULLABLE user, void *file); /* durable when it returns SL_OK */
    int64_t (*size)(void *SL_NULLABLE user, void *file);   /* or a negative status */
    sl_status (*rename)(void *SL_NULLABLE user, const char *from, const char *to); /* durable */
    sl_status (*remove)(void *SL_NULLABLE user, const char *path);
    int32_t (*exists)(void *SL_NULLABLE user, const char *path);  /* 1 or 0 */
    sl_status (*mkdir)(void *SL_NULLABLE user, const char *path); /* SL_OK when it exists */
    /* Calls fn for each name in a folder, in any order, without "." and ".."; fn changes no file.
     * NULL or beyond struct_size: the machine cannot, see sl_core_wipe. */
    sl_status (*SL_NULLABLE list)(void *SL_NULLABLE user, const char *path,
                                  void (*fn)(void *SL_NULLABLE ctx, const char *name),
                                  void *SL_NULLABLE ctx);
} sl_file_ops;

typedef struct sl_http_request {
    uint32_t struct_size;
    int32_t timeout_ms; /* 0: the transport's default */
    const char *method;
    const char *url;
    const char *headers; /* "Name: value\r\n" lines, may be empty */
    const uint8_t *SL_NULLABLE body;
    size_t body_len;
} sl_http_request;

typedef struct sl_http_ops {
    uint32_t struct_size;
    uint32_t reserved;
    /* Then: at most one head, any data, exactly one done. */
    sl_status (*start)(void *SL_NULLABLE user, sl_id req, const sl_http_request *request);
    /* Ends soon with done(SL_E_CANCELLED), or as it would have. */
    void (*cancel)(void *SL_NULLABLE user, sl_id req);
} sl_http_ops;

enum {
    SL_WS_TEXT = 1,
    SL_WS_BINARY = 2
};

typedef struct sl_ws_ops {
    uint32_t struct_size;
    uint32_t reserved;
    /* Connects. Then: at most one opened, any messages, exactly one closed. */
    sl_status (*open)(void *SL_NULLABLE user, sl_id ws, const char *url, const char *subprotocol);
    /* Queues one whole message; order is kept. */
    sl_status (*send)(void *SL_NULLABLE user, sl_id ws, int32_t kind, const uint8_t *p, size_t n);
    void (*close)(void *SL_NULLABLE user, sl_id ws, int32_t code, const char *reason);
} sl_ws_ops;

/* Microphones. `pcm` is interleaved, -1..1; called on a thread of the machine's own, from start
 * until close has returned, a block of some 10 ms at a time. */
typedef void (*sl_audio_take)(void *SL_NULLABLE ctx, const float *pcm, uint32_t frames);

typedef struct sl_audio_ops {
    uint32_t struct_size;
    uint32_t reserved;
    /* Calls fn with the name of each microphone there is now. */
    sl_status (*list)(void *SL_NULLABLE user, void (*fn)(void *SL_NULLABLE ctx, const char *name),
                      void *SL_NULLABLE ctx);
    /* name "": the machine's own choice, which may follow the user's. *rate and *channels: what is
     * wanted, and then what will come. SL_E_NOT_FOUND: no such microphone. */
    sl_status (*open)(void *SL_NULLABLE user, const char *name, int32_t *rate, int32_t *channels,
                      sl_audio_take take, void *SL_NULLABLE ctx,
                      void *SL_NULLABLE *SL_NULLABLE stream);
    sl_status (*start)(void *SL_NULLABLE user, void *stream);
    /* SL_OK, or SL_E_CLOSED once the microphone is gone. */
    sl_status (*status)(void *SL_NULLABLE user, void *stream);
    void (*close)(void *SL_NULLABLE user, void *stream);
} sl_audio_ops;

typedef struct sl_platform {
    uint32_t struct_size;
    uint32_t reserved;
    void *SL_NULLABLE user; /* passed to every operation */
    const sl_clock_ops *clock;
    const sl_random_ops *random;
    const sl_file_ops *files;
    const sl_http_ops *SL_NULLABLE http;
    const sl_ws_ops *SL_NULLABLE ws;
    /* Called once when the core is ready to hear sl_host_*; and once before it closes. */
    sl_status (*SL_NULLABLE start)(void *SL_NULLABLE user, sl_core *core);
    void (*SL_NULLABLE stop)(void *SL_NULLABLE user);
    /* Called once, after the last use of `user`, even if opening failed. */
    void (*SL_NULLABLE release)(void *SL_NULLABLE user);
    const sl_audio_ops *SL_NULLABLE audio; /* may lie beyond struct_size */
} sl_platform;

/* Fills `out` with the built-in platform; `out->user` is given, freed by `release`.
 * SL_E_UNSUPPORTED in builds without one. */
SL_API sl_status sl_platform_builtin(sl_platform *out);

SL_API void sl_host_http_head(sl_core *core, sl_id req, int32_t status, const char *headers);
SL_API void sl_host_http_data(sl_core *core, sl_id req, const uint8_t *p, size_t n);
/* status: SL_OK when the whole answer arrived, SL_E_NETWORK, SL_E_CANCELLED. */
SL_API void sl_host_http_done(sl_core *core, sl_id req, sl_status status);
SL_API void sl_host_ws_opened(sl_core *core, sl_id ws);
SL_API void sl_host_ws_message(sl_core *core, sl_id ws, int32_t kind, const uint8_t *p, size_t n);
SL_API void sl_host_ws_closed(sl_core *core, sl_id ws, int32_t code);

SL_END
#ifdef __cplusplus
}
#endif

#endif
