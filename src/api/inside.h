/*
 * api/inside.h - what the exported functions of other subjects (drawings, voice, media)
 * need from a core and the public headers do not offer. Implemented by api/core.c.
 */
#ifndef SL_API_INSIDE_H
#define SL_API_INSIDE_H

#include "base/json.h"
#include "engine/jobs.h"
#include "sideline/core.h"

#include <stdbool.h>

/* The tables the core was opened with. Borrowed until the core closes. Files may be used from
 * any thread, each open file by one thread at a time. */
const sl_platform *sl_core_platform(const sl_core *core);
/* True when the host steps the core: no threads may be started. */
bool sl_core_is_stepped(const sl_core *core);
/* A fresh path for a file in the making, in the data folder's place for such; sl_mem_free it. */
char *sl_core_temp_path(sl_core *core, const char *suffix);

/* Notes that a recorder begins to write the file at `path` (made with sl_core_temp_path), or that it
 * needs it no more: a file whose recorder was killed is mended when a core opens the folder. */
sl_status sl_core_recording(sl_core *core, const char *path, bool begins, sl_error **err);
/* Mends what was interrupted; nothing that fails here keeps the core from opening. */
void sl_recordings_recover(sl_core *core);
/* What is offered: [{"path","duration_us"}]. Called locked. NULL: out of memory. */
sl_json *sl_recordings_info(sl_core *core);

/* Moves the file at `path` (closed, made with sl_core_temp_path) into the blob store, where its
 * name is the SHA-256 of its bytes, and queues its upload for `space`. hex holds 65 characters.
 * The file is taken. */
sl_status sl_core_blob_add_file(sl_core *core, const char *space, const char *path,
                                const char *media_type, char *hex, sl_error **err);
/* The path of a blob that is here, sl_mem_free it; SL_E_NOT_FOUND when it is not. */
sl_status sl_core_blob_path(sl_core *core, const char *hex, char **path, sl_error **err);

/* Whether this build has media. */
bool sl_media_built(void);

#endif
