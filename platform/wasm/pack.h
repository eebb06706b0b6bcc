/*
 * platform/wasm/pack.h - many files in one: what a browser gives, a single file that can be read and
 * written at once (a synchronous access handle of OPFS, or its likeness over IndexedDB), becomes the
 * files that the core asks for (sl_file_ops). All of them share one flush.
 *
 * The file is in blocks of 16 KiB. Two superblocks, in the first block, name the place of a log, which
 * tells of each file its name, size and blocks: records that follow one another, each with a checksum
 * over its epoch and number. Full, the log is written anew elsewhere and the other superblock changed.
 *
 *   [PACK-1] what was synced, and names that were changed, are there after a crash at any later moment,
 *            whichever of the writes after the last flush reached the disk;
 *   [PACK-2] a block that a file gave up is not used again before the log says so durably;
 *   [PACK-3] bytes between a file's end and a write beyond it are zero.
 *
 * One thread.
 */
#ifndef SL_PLATFORM_WASM_PACK_H
#define SL_PLATFORM_WASM_PACK_H

#include "sideline/platform.h"

#ifdef __cplusplus
extern "C" {
#endif
SL_BEGIN

/* The one file. Bytes that were never written are zero, also when they are read beyond its end. */
typedef struct sl_pack_device {
    uint32_t struct_size;
    uint32_t reserved;
    void *SL_NULLABLE user;
    int64_t (*size)(void *SL_NULLABLE user); /* or a negative status */
    sl_status (*read)(void *SL_NULLABLE user, void *dst, size_t n, int64_t at);
    sl_status (*write)(void *SL_NULLABLE user, const void *src, size_t n, int64_t at);
    sl_status (*truncate)(void *SL_NULLABLE user, int64_t size);
    sl_status (*flush)(void *SL_NULLABLE user); /* all that was written is durable */
} sl_pack_device;

typedef struct sl_pack sl_pack;

/* An empty device becomes an empty pack. The device is copied. SL_E_CORRUPT: it is something else, or
 * damaged. SL_E_TOO_NEW. */
sl_status sl_pack_open(const sl_pack_device *device, sl_pack *SL_NULLABLE *SL_NULLABLE out);
/* All files are closed. Syncs once more, so that removed files stay removed; where that fails, what was
 * not synced may be lost. NULL accepted. */
void sl_pack_close(sl_pack *SL_NULLABLE pack);
/* Its files: operations whose `user` is the pack. Static. */
const sl_file_ops *sl_pack_files(void);

/* A platform on a pack: clock, random numbers and these files; no network. `release` closes the pack. */
sl_status sl_pack_platform(const sl_pack_device *device, sl_platform *out);

SL_END
#ifdef __cplusplus
}
#endif

#endif
