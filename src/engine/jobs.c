/*
 * The media pool: one thread that runs blocking jobs one after another, made with the
 * first job. A stepped core has no thread: the host's step runs them.
 */
#include "engine/jobs.h"

#include "engine/engine.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

struct sl_job {
    sl_core *core;
    void (*run)(sl_job *job, void *arg);
    void (*drop)(void *arg);
    void *arg;
    sl_id op;
    bool ended;
    sl_job *next;
};

struct sl_jobs {
    sl_mutex *lock;
    sl_thread *thread;
    sl_job *first;
    sl_job *last;
    bool stop;
};

sl_jobs *sl_jobs_new(sl_core *core)
{
    (void)core;
    sl_jobs *jobs = sl_mem(sizeof *jobs);
    if (jobs == NULL) {
        return NULL;
    }
    jobs->lock = sl_mutex_new();
    if (jobs->lock == NULL) {
        sl_mem_free(jobs);
        return NULL;
    }
    return jobs;
}

static void run_job(sl_job *job)
{
    if (sl_job_cancelled(job)) {
        sl_events_op_failed(job->core->events, job->op, SL_E_CANCELLED, "cancelled");
        job->ended = true;
    } else {
        job->run(job, job->arg);
    }
    SL_ASSERT(job->ended);
    job->drop(job->arg);
    sl_mem_free(job);
}

/* Called locked. */
static sl_job *take(sl_jobs *jobs)
{
    sl_job *job = jobs->first;
    if (job != NULL) {
        jobs->first = job->next;
        if (jobs->first == NULL) {
            jobs->last = NULL;
        }
    }
    return job;
}

static void jobs_main(void *arg)
{
    sl_jobs *jobs = arg;
    sl_lock(jobs->lock);
    while (!jobs->stop) {
        sl_job *job = take(jobs);
        if (job == NULL) {
            sl_wait(jobs->lock, -1);
            continue;
        }
        sl_unlock(jobs->lock);
        run_job(job);
        sl_lock(jobs->lock);
    }
    sl_unlock(jobs->lock);
}

sl_status sl_core_job(sl_core *core, void (*run)(sl_job *job, void *arg), void (*drop)(void *arg),
                      void *arg, sl_id *op, sl_error **err)
{
    sl_jobs *jobs = core->jobs;
    sl_job *job = sl_mem(sizeof *job);
    sl_id id = job != NULL ? sl_events_op(core->events) : 0;
    if (id == 0) {
        sl_mem_free(job);
        drop(arg);
        return sl_fail_nomem(err);
    }
    *job = (sl_job){.core = core, .run = run, .drop = drop, .arg = arg, .op = id};
    *op = id;
    sl_lock(jobs->lock);
    if (jobs->last != NULL) {
        jobs->last->next = job;
    } else {
        jobs->first = job;
    }
    jobs->last = job;
    if (jobs->thread == NULL && !core->stepped) {
        jobs->thread = sl_thread_start(jobs_main, jobs);
    }
    /* Nobody will run it: without a thread it is the only one. */
    bool stuck = jobs->thread == NULL && !core->stepped;
    if (stuck) {
        (void)take(jobs);
    }
    sl_signal(jobs->lock);
    sl_unlock(jobs->lock);
    if (stuck) {
        sl_events_op_failed(core->events, id, SL_E_NOMEM, "a thread cannot be started");
        drop(arg);
        sl_mem_free(job);
    }
    return SL_OK;
}

bool sl_jobs_step(sl_core *core)
{
    sl_lock(core->jobs->lock);
    sl_job *job = take(core->jobs);
    sl_unlock(core->jobs->lock);
    if (job != NULL) {
        run_job(job);
    }
    return job != NULL;
}

void sl_jobs_stop(sl_core *core)
{
    sl_jobs *jobs = core->jobs;
    sl_lock(jobs->lock);
    jobs->stop = true;
    sl_signal(jobs->lock);
    sl_unlock(jobs->lock);
    if (core->lock != NULL) {
        sl_lock(core->lock);
        sl_signal(core->lock); /* a job may wait for a blob */
        sl_unlock(core->lock);
    }
    sl_thread_join(jobs->thread);
    while (jobs->first != NULL) {
        sl_job *job = take(jobs);
        job->drop(job->arg);
        sl_mem_free(job);
    }
    sl_mutex_free(jobs->lock);
    sl_mem_free(jobs);
    core->jobs = NULL;
}

sl_core *sl_job_core(sl_job *job)
{
    return job->core;
}

void sl_job_progress(sl_job *job, int64_t done, int64_t total)
{
    sl_events_progress(job->core->events, job->op, done, total);
}

bool sl_job_cancelled(sl_job *job)
{
    sl_lock(job->core->jobs->lock);
    bool stop = job->core->jobs->stop;
    sl_unlock(job->core->jobs->lock);
    return stop || sl_events_op_cancelled(job->core->events, job->op);
}

sl_status sl_job_need_blob(sl_job *job, const char *hex, sl_blob_in **out, sl_error **err)
{
    sl_core *core = job->core;
    sl_status status = SL_OK;
    *out = NULL;
    sl_lock(core->lock);
    bool asked = false;
    while (status == SL_OK && sl_store_blob_size(core->store, hex) < 0) {
        if (!core->want_online || core->stepped) {
            status = sl_fail(err, SL_E_NETWORK,
                             "the file is not on this device and the core is offline");
        } else if (!core->session.have) {
            status = sl_fail(err, SL_E_AUTH, "the session has ended: sign in again");
        } else if (sl_job_cancelled(job)) {
            status = sl_fail(err, SL_E_CANCELLED, "cancelled");
        } else if (asked && !sl_transfers_fetching(core, hex)) {
            status = sl_fail(err, SL_E_NOT_FOUND, "the server does not give the file");
        } else {
            status = sl_transfers_fetch(core, hex, err);
            asked = true;
            if (status == SL_OK) {
                sl_engine_kick(core);
                sl_wait(core->lock, -1); /* signalled by blobs, cancellation and going offline */
            }
        }
    }
    if (status == SL_OK) {
        status = sl_lease_open(core, hex, out, err);
    }
    sl_unlock(core->lock);
    return status;
}

void sl_job_done(sl_job *job, sl_json *res)
{
    job->ended = true;
    sl_events_op_done(job->core->events, job->op, res);
}

void sl_job_fail(sl_job *job, sl_error *err)
{
    job->ended = true;
    sl_events_op_error(job->core->events, job->op, err);
}
