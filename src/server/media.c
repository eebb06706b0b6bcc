/* server/media.c - see the header. */
#include "server/media.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/thread.h"
#include "server/worker.h"
#include "service/media.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READ_STEP = 16 * 1024,
    FAILED_WAIT_MS = 10 * 1000
};

struct sl_media {
    sl_media_config config;
    sl_service *service;
    sl_thread *thread;
    sl_mutex *lock;
    bool woken;
    bool stopping;
    int stop[2]; /* a byte in it ends a step that is under way */
    char *folder;
};

static void empty_folder(void *ctx, const char *name)
{
    const sl_media *m = ctx;
    const sl_platform *p = m->config.platform;
    char *path = sl_text_fmt("%s/%s", m->folder, name);
    if (path != NULL) {
        (void)p->files->remove(p->user, path);
    }
    sl_mem_free(path);
}

/* What a step left that was killed. */
static void clean(sl_media *m)
{
    const sl_platform *p = m->config.platform;
    if (p->files->list != NULL) {
        (void)p->files->list(p->user, m->folder, empty_folder, m);
    }
}

sl_status sl_media_new(const sl_media_config *config, sl_media **out, sl_error **err)
{
    *out = NULL;
    sl_media *m = sl_mem(sizeof *m);
    if (m == NULL) {
        return sl_fail_nomem(err);
    }
    m->config = *config;
    m->stop[0] = -1;
    m->stop[1] = -1;
    m->lock = sl_mutex_new();
    m->folder = sl_text_fmt("%s/media", config->dir);
    if (m->lock == NULL || m->folder == NULL || pipe(m->stop) != 0) {
        sl_media_free(m);
        return sl_fail_nomem(err);
    }
    (void)fcntl(m->stop[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(m->stop[1], F_SETFD, FD_CLOEXEC);
    sl_status status = config->platform->files->mkdir(config->platform->user, m->folder);
    if (status != SL_OK) {
        status = sl_fail(err, status, "the folder %s cannot be made", m->folder);
        sl_media_free(m);
        return status;
    }
    *out = m;
    return SL_OK;
}

/* ---- processes ---- */

typedef struct child {
    pid_t pid;
    int out;
    sl_buf said;
    int64_t until_ms;
    bool killed;
} child;

static bool spawn(child *c, const char *program, char *const *argv)
{
    extern char **environ;
    int ends[2];
    posix_spawn_file_actions_t actions;
    if (program == NULL || pipe(ends) != 0) {
        return false;
    }
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    posix_spawnattr_t attr;
    sigset_t none;
    (void)sigemptyset(&none);
    (void)posix_spawnattr_init(&attr);
    (void)posix_spawnattr_setsigmask(&attr, &none);
    (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    int code = posix_spawnp(&c->pid, program, &actions, &attr, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attr);
    (void)close(ends[1]);
    c->out = ends[0];
    if (code != 0) {
        (void)close(ends[0]);
    }
    return code == 0;
}

/* Reads what it says until it ends, the time is over, or the server stops. */
static void listen_to(sl_media *m, child *c)
{
    const sl_platform *p = m->config.platform;
    for (;;) {
        struct pollfd fds[2] = {{c->out, POLLIN, 0}, {m->stop[0], POLLIN, 0}};
        int64_t left = c->until_ms - p->clock->mono_ms(p->user);
        int n = left > 0 ? poll(fds, 2, left < INT32_MAX ? (int)left : INT32_MAX) : 0;
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0 || fds[1].revents != 0 || c->said.len > SL_MEDIA_SAID_MAX) {
            c->killed = true;
            (void)kill(c->pid, SIGKILL);
            return;
        }
        uint8_t step[READ_STEP];
        ssize_t got = read(c->out, step, sizeof step);
        if (got <= 0) {
            return;
        }
        sl_buf_put(&c->said, step, (size_t)got);
    }
}

/* Its exit code; -1: it was killed or could not start. */
static int run_child(sl_media *m, child *c, const char *program, char *const *argv, int64_t seconds)
{
    const sl_platform *p = m->config.platform;
    int state = 0;
    c->until_ms = p->clock->mono_ms(p->user) + seconds * 1000;
    if (!spawn(c, program, argv)) {
        return -1;
    }
    listen_to(m, c);
    (void)close(c->out);
    while (waitpid(c->pid, &state, 0) < 0 && errno == EINTR) {
    }
    return !c->killed && WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

/* ---- steps ---- */

static void scan(sl_media *m, const sl_media_job *job, sl_media_result *result)
{
    child c = {.pid = 0};
    result->outcome = SL_MEDIA_PASSED;
    if (m->config.scan == NULL) {
        return;
    }
    char *program = sl_text_dup(m->config.scan);
    char *path = sl_text_dup(job->path);
    char *argv[] = {program, path, NULL};
    int code =
        program != NULL && path != NULL ? run_child(m, &c, program, argv, SL_MEDIA_SHORT_S) : -1;
    /* Whatever is neither says that nobody looked: that is not clean. */
    if (code == 1) {
        result->outcome = SL_MEDIA_REFUSED;
        result->why = "The scan for viruses refused the file";
    } else if (code != 0) {
        result->outcome = SL_MEDIA_BROKE;
        result->why = "The file could not be scanned for viruses";
    }
    sl_buf_free(&c.said);
    sl_mem_free(program);
    sl_mem_free(path);
}

/* Moves a text into the arena; NULL when there is none. */
static const char *keep(sl_arena *mem, char *text)
{
    const char *kept = text != NULL ? sl_arena_text(mem, text, strlen(text)) : NULL;
    sl_mem_free(text);
    return kept;
}

/* What a worker says is as good as the clip that it read: nothing of it is believed unseen. */
static bool take_made(const sl_media *m, const sl_json *j, sl_media_made *out, sl_arena *mem)
{
    static const char *const known[] = {"1080", "720", "480", "poster"};
    const char *name = sl_json_str(j, "name");
    int64_t width = sl_json_int_or(j, "width", 0);
    int64_t height = sl_json_int_or(j, "height", 0);
    bool ok = width > 0 && width <= 8192 && height > 0 && height <= 8192;
    bool listed = false;
    for (size_t i = 0; name != NULL && i < sizeof known / sizeof known[0]; i++) {
        listed = listed || strcmp(name, known[i]) == 0;
    }
    if (!ok || !listed) {
        return false;
    }
    bool still = strcmp(name, "poster") == 0;
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    out->path = keep(mem, sl_text_fmt("%s/%s.%s", m->folder, name, still ? "jpg" : "mp4"));
    out->media_type = still ? "image/jpeg" : "video/mp4";
    out->width = (int32_t)width;
    out->height = (int32_t)height;
    out->bitrate = sl_json_int_or(j, "bitrate", 0);
    out->index = NULL;
    if (!still) {
        out->index = keep(mem, sl_json_print(sl_json_get(j, "index")));
        ok = out->index != NULL && strlen(out->index) <= SL_MEDIA_INDEX_MAX;
    }
    return ok && out->path != NULL && out->bitrate >= 0;
}

static void read_said(const sl_media *m, const sl_json *said, sl_media_result *r, sl_arena *mem)
{
    const sl_json *made = sl_json_get(said, "made");
    const char *refused = sl_json_str(said, "refused");
    if (refused != NULL || sl_json_str(said, "later") != NULL) {
        r->outcome = refused != NULL ? SL_MEDIA_REFUSED : SL_MEDIA_LATER;
        r->why = refused != NULL ? sl_arena_text(mem, refused, strlen(refused)) : NULL;
        return;
    }
    if (!sl_json_is_array(made) || sl_json_count(made) > SL_MEDIA_MADE_MAX) {
        return;
    }
    for (const sl_json *j = sl_json_first(made); j != NULL; j = sl_json_next(j)) {
        if (!take_made(m, j, &r->made[r->made_n], mem)) {
            r->made_n = 0;
            return;
        }
        r->made_n++;
    }
    r->complete = sl_json_bool_or(said, "complete", false);
    r->outcome = SL_MEDIA_PASSED;
}

static void work(sl_media *m, const sl_media_job *job, sl_media_result *r, sl_arena *mem)
{
    const char *words[] = {m->config.program, SL_WORKER_WORD, sl_media_step_name(job->step),
                           job->path,         m->folder,      m->config.encoder};
    char *argv[sizeof words / sizeof words[0] + 1] = {NULL};
    child c = {.pid = 0};
    bool ok = true;
    r->outcome = SL_MEDIA_BROKE;
    r->why = "The video could not be worked on";
    for (size_t i = 0; i < sizeof words / sizeof words[0] && words[i] != NULL; i++) {
        argv[i] = sl_text_dup(words[i]);
        ok = ok && argv[i] != NULL;
    }
    int64_t seconds = job->step == SL_MEDIA_REST ? SL_MEDIA_LONG_S : SL_MEDIA_SHORT_S;
    if (ok && run_child(m, &c, m->config.program, argv, seconds) == 0 && !c.said.failed) {
        sl_json *said = sl_json_parse(sl_buf_text(&c.said), strcspn(sl_buf_text(&c.said), "\n"));
        read_said(m, said, r, mem);
        sl_json_free(said);
    }
    for (size_t i = 0; i < sizeof argv / sizeof argv[0]; i++) {
        sl_mem_free(argv[i]);
    }
    sl_buf_free(&c.said);
}

static bool is_stopping(sl_media *m)
{
    sl_lock(m->lock);
    bool yes = m->stopping;
    sl_unlock(m->lock);
    return yes;
}

/* Returns how long to wait for more, -1: until woken. */
static int64_t one_step(sl_media *m)
{
    sl_media_job job;
    bool any = false;
    int64_t wait_ms = -1;
    sl_arena mem = {NULL, NULL};
    sl_error *err = NULL;
    sl_status status = sl_service_media_next(m->service, &job, &any, &wait_ms, &err);
    if (status == SL_OK && any) {
        sl_media_result result = {.outcome = SL_MEDIA_BROKE};
        clean(m);
        if (job.step == SL_MEDIA_SCAN) {
            scan(m, &job, &result);
        } else {
            work(m, &job, &result, &mem);
        }
        if (!is_stopping(m)) {
            status = sl_service_media_done(m->service, &job, &result, &err);
        }
    }
    if (status != SL_OK) {
        (void)fprintf(stderr, "sidelined: media work: %s\n",
                      err != NULL ? sl_error_message(err) : sl_status_name(status));
        wait_ms = FAILED_WAIT_MS;
    }
    sl_error_release(err);
    sl_arena_free(&mem);
    sl_mem_free(job.path);
    return wait_ms;
}

static void run(void *arg)
{
    sl_media *m = arg;
    while (!is_stopping(m)) {
        int64_t wait_ms = one_step(m);
        sl_lock(m->lock);
        if (!m->woken && !m->stopping && wait_ms != 0) {
            sl_wait(m->lock, wait_ms);
        }
        m->woken = false;
        sl_unlock(m->lock);
    }
}

sl_status sl_media_run(sl_media *m, sl_service *service, sl_error **err)
{
    m->service = service;
    m->thread = sl_thread_start(run, m);
    return m->thread != NULL ? SL_OK : sl_fail(err, SL_E_NOMEM, "no thread can be started");
}

void sl_media_wake(sl_media *m)
{
    sl_lock(m->lock);
    m->woken = true;
    sl_signal(m->lock);
    sl_unlock(m->lock);
}

void sl_media_free(sl_media *m)
{
    if (m == NULL) {
        return;
    }
    if (m->thread != NULL) {
        sl_lock(m->lock);
        m->stopping = true;
        sl_signal(m->lock);
        sl_unlock(m->lock);
        (void)!write(m->stop[1], "", 1);
        sl_thread_join(m->thread);
    }
    for (int i = 0; i < 2; i++) {
        if (m->stop[i] >= 0) {
            (void)close(m->stop[i]);
        }
    }
    sl_mutex_free(m->lock);
    sl_mem_free(m->folder);
    sl_mem_free(m);
}
