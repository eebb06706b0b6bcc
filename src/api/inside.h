/*
 * api/inside.h - what the exported functions of other subjects (drawings, voice, media)
 * need from a core and the public headers do not offer. Implemented by api/core.c.
 */
#ifndef SL_API_INSIDE_H
#define SL_API_INSIDE_H

#include "base/json.h"
#include "engine/jobs.h"
#include "sideline/core.h"
#include "store/blob_file.h"
#include "store/draft.h"

#include <stdbool.h>

/* The tables the core was opened with. Borrowed until the core closes. Files may be used from
 * any thread, each open file by one thread at a time. */
const sl_platform *sl_core_platform(const sl_core *core);
/* True when the host steps the core: no threads may be started. */
bool sl_core_is_stepped(const sl_core *core);
/* A fresh path for a file in the making, in the data folder's place for such; sl_mem_free it. */
char *sl_core_temp_path(sl_core *core, const char *suffix);

/* Notes that a recorder begins to write the file at `path` (made with sl_core_temp_path), or that it
 * needs it no more: a file whose recorder was killed is mended when a core opens the folder. note:
 * the host's own word on it, or NULL. */
sl_status sl_core_recording(sl_core *core, const char *path, bool begins, const char *note,
                            sl_error **err);
/* The same file, which cannot go on, is mended and offered now. */
void sl_recording_keep(sl_core *core, const char *path);
/* Mends what was interrupted; nothing that fails here keeps the core from opening. */
void sl_recordings_recover(sl_core *core);
/* What is offered: [{"path","duration_us","note"?}]. Called locked. NULL: out of memory. */
sl_json *sl_recordings_info(sl_core *core);

/* The names of what sl_recorder_capture takes; empty where the platform has no microphones. */
sl_json *sl_microphones_info(sl_core *core);

/* A blob in the making, sealed when the folder is. Zero-initialise; sl_core_blob_drop at the end. */
typedef struct sl_core_blob {
    char *path;
    sl_blob_out *out;
} sl_core_blob;

sl_status sl_core_blob_begin(sl_core *core, sl_core_blob *b, sl_error **err);
/* Puts what was appended to b->out into the blob store, where its name is the SHA-256 of its bytes,
 * and queues its upload for `space`. hex holds 65 characters. */
sl_status sl_core_blob_end(sl_core *core, sl_core_blob *b, const char *space,
                           const char *media_type, char *hex, sl_error **err);
/* What was not ended is removed. */
void sl_core_blob_drop(sl_core *core, sl_core_blob *b);
/* SL_E_NOT_FOUND when the blob is not here. */
sl_status sl_core_blob_open(sl_core *core, const char *hex, sl_blob_in **out, sl_error **err);
/* A file in the making under a path of sl_core_temp_path, sealed when the folder is. */
sl_status sl_core_draft_open(sl_core *core, const char *path, uint32_t flags, sl_draft **out);

/* Whether this build has media. */
bool sl_media_built(void);

#endif
