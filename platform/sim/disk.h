/*
 * platform/sim/disk.h - a disk in memory that behaves as badly as a real one may.
 *
 *   [DISK-1] a file's bytes are durable after sync; names after create, rename and mkdir, and a
 *            removal after the next of these in its folder;
 *   [DISK-2] at a power cut every 512-byte sector written since the last sync is kept or lost by
 *            itself, the size is the old or the new one, and removed names may come back;
 *   [DISK-3] once dead, every operation fails and changes nothing, until it is revived.
 */
#ifndef SL_PLATFORM_SIM_DISK_H
#define SL_PLATFORM_SIM_DISK_H

#include "base/prng.h"
#include "sideline/platform.h"

#include <stdbool.h>

typedef struct sl_disk sl_disk;

sl_disk *sl_disk_new(uint64_t seed); /* NULL: out of memory */
void sl_disk_free(sl_disk *d);       /* no file may be open */
/* `d` holds what `from` holds now, all of it durable; no file of d may be open. False: out of
 * memory, d is then empty. */
bool sl_disk_copy(sl_disk *d, const sl_disk *from);

/* The faults. A change is a write, truncation, sync, rename, removal or a new name. */
void sl_disk_die_in(sl_disk *d, uint64_t changes);  /* the k-th change from now kills it; 0: none */
void sl_disk_fail_in(sl_disk *d, uint64_t changes); /* the k-th change fails with SL_E_IO, once */
/* The k-th operation of any kind from now fails with this status, with `forever` also all after it; 0
 * switches it off. Returns how many there were since the last call. */
uint64_t sl_disk_break(sl_disk *d, uint64_t k, bool forever, sl_status status);
/* How often something was synced since the disk was made. */
uint64_t sl_disk_syncs(const sl_disk *d);
void sl_disk_set_full(sl_disk *d, bool full);   /* what grows a file gets SL_E_FULL */
void sl_disk_set_lying(sl_disk *d, bool lying); /* sync says yes and does nothing */
void sl_disk_kill(sl_disk *d);
bool sl_disk_dead(const sl_disk *d);
/* After all files were closed: decides what survived, and lets the disk live again. */
void sl_disk_power_cut(sl_disk *d);
/* The path of a file that holds the words, as it is or as a power cut may leave it; NULL: none. */
const char *sl_disk_holds(const sl_disk *d, const char *words);

/* The operations of sideline/platform.h; `files` takes a pointer to a struct whose first member
 * is the disk's pointer as its `user`. */
extern const sl_file_ops sl_disk_files;

#endif
