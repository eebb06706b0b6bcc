/* server/worker.c - see the header. */
#include "server/worker.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "media/ladder.h"
#include "media/thumb.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#if defined(__has_feature)
#define SL_HAS_FEATURE(name) __has_feature(name)
#else
#define SL_HAS_FEATURE(name) 0
#endif
/* Sanitizers reserve terabytes. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    SL_HAS_FEATURE(address_sanitizer) || SL_HAS_FEATURE(thread_sanitizer)
#define SL_MEMORY_LIMITED 0
#else
#define SL_MEMORY_LIMITED 1
#endif

enum {
    ARGS = 5, /* program, word, step, file, folder; then the encoder */
    FDS_MAX = 4096,
    POSTER_US = 1000000
};

typedef struct work {
    const char *step;
    const char *path;
    const char *folder;
    const char *encoder;
    sl_ladder ladder;
    sl_json *made;
} work;

static void limit(int what, rlim_t most)
{
    struct rlimit l = {most, most};
    (void)setrlimit(what, &l);
}

static void limit_all(bool is_long)
{
    const rlim_t mb = (rlim_t)1024 * 1024;
#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#endif
    for (int fd = 3; fd < FDS_MAX; fd++) {
        (void)close(fd);
    }
    if (SL_MEMORY_LIMITED) {
        limit(RLIMIT_AS, SL_WORKER_MEMORY_MB * mb);
    }
    limit(RLIMIT_FSIZE, SL_WORKER_FILE_MB * mb);
    limit(RLIMIT_NOFILE, SL_WORKER_FILES);
    limit(RLIMIT_CPU, is_long ? SL_WORKER_LONG_S : SL_WORKER_SHORT_S);
    limit(RLIMIT_CORE, 0);
    (void)signal(SIGXFSZ, SIG_IGN); /* writes fail instead */
}

static bool add_made(work *w, const char *name, const char *file, int32_t width, int32_t height,
                     const sl_cmaf_index *index)
{
    sl_json *j = sl_json_object();
    bool ok = sl_json_set_str(j, "name", name) && sl_json_set_str(j, "file", file) &&
              sl_json_set_str(j, "media_type", index != NULL ? "video/mp4" : "image/jpeg") &&
              sl_json_set_int(j, "width", width) && sl_json_set_int(j, "height", height) &&
              sl_json_set_int(j, "bitrate", index != NULL ? index->peak : 0);
    if (ok && index != NULL) {
        ok = sl_json_set(j, "index", sl_cmaf_index_json(index));
    }
    if (!ok) {
        sl_json_free(j);
        return false;
    }
    return sl_json_add(w->made, j);
}

static sl_status write_file(const char *path, const sl_buf *bytes, sl_error **err)
{
    FILE *f = fopen(path, "wb");
    bool ok = f != NULL && fwrite(bytes->data, 1, bytes->len, f) == bytes->len;
    if (f != NULL && fclose(f) != 0) {
        ok = false;
    }
    return ok ? SL_OK : sl_fail(err, SL_E_FULL, "The still could not be written");
}

static sl_status make_poster(work *w, sl_error **err)
{
    sl_buf jpeg = {0};
    sl_thumb made = {0};
    int64_t half = w->ladder.probe.duration_us / 2;
    char *path = sl_text_fmt("%s/poster.jpg", w->folder);
    sl_status status =
        path == NULL ? sl_fail_nomem(err)
                     : sl_thumb_make(SL_SOURCE_FILE(w->path), half < POSTER_US ? half : POSTER_US,
                                     SL_THUMB_SIDE, &jpeg, &made, err);
    if (status == SL_OK) {
        status = write_file(path, &jpeg, err);
    }
    if (status == SL_OK && !add_made(w, "poster", "poster.jpg", made.width, made.height, NULL)) {
        status = sl_fail_nomem(err);
    }
    sl_buf_free(&jpeg);
    sl_mem_free(path);
    return status;
}

static sl_status add_rung(work *w, size_t i, const sl_cmaf_index *index, sl_error **err)
{
    const sl_rung *r = &w->ladder.rungs[i];
    char name[12];
    char file[20];
    (void)snprintf(name, sizeof name, "%d", (int)r->lines);
    (void)snprintf(file, sizeof file, "%d.mp4", (int)r->lines);
    return add_made(w, name, file, r->width, r->height, index) ? SL_OK : sl_fail_nomem(err);
}

/* The copied rung or all others. */
static sl_status make_rungs(work *w, bool copied, sl_error **err)
{
    sl_cmaf_index index[SL_LADDER_RUNGS] = {{.size = 0}};
    char *paths[SL_LADDER_RUNGS] = {NULL};
    sl_ladder_job job = {.path = w->path, .ladder = &w->ladder, .encoder = w->encoder};
    sl_status status = SL_OK;
    for (size_t i = 0; status == SL_OK && i < w->ladder.n; i++) {
        paths[i] = sl_text_fmt("%s/%d.mp4", w->folder, (int)w->ladder.rungs[i].lines);
        job.to[i] = paths[i];
        status = paths[i] != NULL ? SL_OK : sl_fail_nomem(err);
    }
    if (status == SL_OK) {
        status = copied ? sl_ladder_copy(&job, &index[0], err) : sl_ladder_encode(&job, index, err);
    }
    for (size_t i = 0; i < w->ladder.n; i++) {
        if (status == SL_OK && index[i].n > 0) {
            status = add_rung(w, i, &index[i], err);
        }
        sl_cmaf_index_free(&index[i]);
        sl_mem_free(paths[i]);
    }
    return status;
}

static sl_status do_step(work *w, sl_error **err)
{
    sl_status status = sl_ladder_plan(w->path, &w->ladder, err);
    if (status == SL_OK && strcmp(w->step, "first") == 0) {
        status = make_poster(w, err);
        if (status == SL_OK && w->ladder.rungs[0].copied) {
            status = make_rungs(w, true, err);
        }
    } else if (status == SL_OK && strcmp(w->step, "rest") == 0) {
        status = make_rungs(w, false, err);
    }
    return status;
}

static int say(sl_json *j)
{
    char *text = j != NULL ? sl_json_print(j) : NULL;
    bool ok = text != NULL && printf("%s\n", text) > 0 && fflush(stdout) == 0;
    sl_mem_free(text);
    sl_json_free(j);
    return ok ? 0 : 1;
}

/* What the clip is to blame for is refused; a full disk passes; the rest is for another try. */
static int say_failed(sl_status status, const sl_error *err)
{
    const char *why = err != NULL ? sl_error_message(err) : "The video cannot be shown";
    const char *key = status == SL_E_INVALID || status == SL_E_NOT_FOUND ? "refused"
                      : status == SL_E_FULL || status == SL_E_IO         ? "later"
                                                                         : NULL;
    if (key == NULL) {
        (void)fprintf(stderr, "sidelined: media work: %s\n", why);
        return 1;
    }
    sl_json *j = sl_json_object();
    if (!sl_json_set_str(j, key, why)) {
        sl_json_free(j);
        j = NULL;
    }
    return say(j);
}

int sl_worker_main(int argc, char **argv)
{
    if (argc < ARGS || argc > ARGS + 1) {
        (void)fprintf(stderr, "sidelined: %s is for the server itself\n", SL_WORKER_WORD);
        return 2;
    }
    work w = {.step = argv[2],
              .path = argv[3],
              .folder = argv[4],
              .encoder = argc > ARGS ? argv[ARGS] : NULL,
              .made = sl_json_array()};
    sl_error *err = NULL;
    limit_all(strcmp(w.step, "rest") == 0);
    sl_status status = w.made != NULL ? do_step(&w, &err) : SL_E_NOMEM;
    int code = 1;
    if (status == SL_OK) {
        sl_json *j = sl_json_object();
        bool complete = w.ladder.n == 1 && w.ladder.rungs[0].copied;
        bool ok = sl_json_set(j, "made", w.made) && sl_json_set_bool(j, "complete", complete);
        w.made = NULL;
        code = ok ? say(j) : 1;
    } else {
        code = say_failed(status, err);
    }
    sl_json_free(w.made);
    sl_error_release(err);
    return code;
}
