/*
 * store/pages.h - a file of SQLite's, hidden with AES-256-XTS, read and written at any place.
 *
 * Byte n of the file is byte n on the disk; nothing is added and nothing moves. The file is cut into
 * units, each hidden under its first byte's place: 4096 bytes in the database and the journal; in
 * the WAL its header (32), and of each frame the header (24) and the page (4096). A write that does
 * not cover a unit reads it first and writes the blocks of 16 that it touches; a frame's header is
 * one whole.
 *
 * Why a power cut takes no more than without hiding:
 *   [PAGES-1] SQLite writes whole units of the database and of the WAL, and a unit's bytes on the
 *             disk depend on that unit alone. So a write changes the bytes that it names and no
 *             others, and what was synced before stays readable whatever becomes of the write. What
 *             is torn is as in the clear: the WAL's frame does not fit its checksum, and a page of
 *             the database is written again out of the WAL. Frames that a reader is looking at are
 *             never written again for the sake of their neighbours.
 *   [PAGES-2] In the journal a record shares a block of 16 with the next. Both are in one aligned
 *             block, and no disk tears those (512 is the least); an old and a new form of it hold the
 *             same bytes of the record before.
 *
 * What was never written opens as noise, not as zeros: SQLite reads no such place. A file ends on a
 * whole block: the journal may look up to 15 bytes longer, which SQLite takes for part of a record.
 */
#ifndef SL_STORE_PAGES_H
#define SL_STORE_PAGES_H

#include "crypto/xts.h"
#include "sideline/platform.h"

#include <stdbool.h>

enum {
    SL_PAGE_LEN = 4096 /* of the database */
};

/* Used by one thread at a time. */
typedef struct sl_pages {
    const sl_platform *platform;
    void *handle; /* an open file, not owned */
    const sl_xts *xts;
    bool wal;
    uint8_t *unit; /* room for one */
    uint8_t *many; /* room for several, hidden, so that they are written at once; may be missing */
} sl_pages;

/* A database, a journal, or what is like them; all borrowed until sl_pages_close. False: out of
 * memory. */
bool sl_pages_open(sl_pages *f, const sl_platform *platform, void *handle, const sl_xts *xts);
/* The WAL. */
bool sl_pages_open_wal(sl_pages *f, const sl_platform *platform, void *handle, const sl_xts *xts);
void sl_pages_close(sl_pages *f); /* not the handle */

/* As sl_file_ops has them. */
int64_t sl_pages_read(sl_pages *f, void *dst, size_t n, int64_t at);
sl_status sl_pages_write(sl_pages *f, const void *src, size_t n, int64_t at);
sl_status sl_pages_truncate(sl_pages *f, int64_t size);

#endif
