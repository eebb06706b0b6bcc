/* engine/jobs.h - blocking work beside the engine: media, encoding. */
#ifndef SL_ENGINE_JOBS_H
#define SL_ENGINE_JOBS_H

#include "base/json.h"
#include "sideline/core.h"
#include "store/blob_file.h"

#include <stdbool.h>

/* A job: blocking work on the media pool's thread, ended by one "op" event [OP-1]. `run` must end
 * it with exactly one of sl_job_done and sl_job_fail. `arg` is taken: `drop` frees it when the
 * job is over, also when it never ran. */
typedef struct sl_job sl_job;
sl_status sl_core_job(sl_core *core, void (*run)(sl_job *job, void *arg), void (*drop)(void *arg),
                      void *arg, sl_id *op, sl_error **err);
sl_core *sl_job_core(sl_job *job);
/* At most one event is kept per job, so call it as often as is easy. */
void sl_job_progress(sl_job *job, int64_t done, int64_t total);
bool sl_job_cancelled(sl_job *job); /* then end soon with SL_E_CANCELLED */
/* Blocks until the blob is here (asks for it when it is not) and opens it. Threaded cores only. */
sl_status sl_job_need_blob(sl_job *job, const char *hex, sl_blob_in **out, sl_error **err);
void sl_job_done(sl_job *job, sl_json *res);  /* res is taken, may be NULL */
void sl_job_fail(sl_job *job, sl_error *err); /* err is taken */

#endif
