/*
 * Pages of first reads that are stored by one transaction. Every page changes a few entries in nearly all
 * of an index's pages, which are written to the log once for each transaction: several pages in one cost a
 * third of it. The transaction ends before the core is given to anybody else and before anything but
 * another page is stored, so that nobody sees it open; what is told of the pages is told after it. It also
 * ends when somebody waits for the core or it was held for long, at any record. It is soft: its end
 * waits for no disk.
 */
#include "engine/engine.h"

#include <stdio.h>
#include <string.h>

enum {
    RECORDS_MAX = 2000,
    HELD_MS = 3,        /* until it is to end, before the commit: while others use the core, */
    HELD_ALONE_MS = 12, /* and when nobody was seen */
    AROUND_MS = 1000,   /* for so long */
    ALONE =
        2 * SL_KEPT_MAX /* pages after a loss: one that cannot be stored takes no others with it */
};

bool sl_kept_open(const sl_core *core)
{
    return core->kept.count > 0;
}

void sl_kept_held(sl_core *core)
{
    unsigned no = sl_lock_count(core->lock);
    core->held_ms = sl_engine_mono(core);
    core->others_ms = no - core->held_no > 1 ? core->held_ms : core->others_ms;
    core->held_no = no;
}

/* Each end costs the pages of the index once more: without others they are fewer, and a stepped core has one
 * thread, for whom nobody waits. */
bool sl_kept_hurry(sl_core *core)
{
    if (core->stepped) {
        return sl_wanted(core->lock) ||
               (core->hurry_every > 0 && ++core->hurry_asked % core->hurry_every == 0);
    }
    int64_t now_ms = sl_engine_mono(core);
    bool alone = core->others_ms == 0 || now_ms - core->others_ms > AROUND_MS;
    return sl_wanted(core->lock) || now_ms - core->held_ms >= (alone ? HELD_ALONE_MS : HELD_MS);
}

void sl_kept_give_way(sl_core *core)
{
    sl_give_way(core->lock);
    sl_kept_held(core);
}

bool sl_kept_add(sl_core *core, const sl_space *before, uint64_t touched, int64_t records)
{
    sl_kept *k = &core->kept;
    if (k->alone > 0 || k->count == SL_KEPT_MAX || k->records + records > RECORDS_MAX) {
        k->alone -= k->alone > 0;
        return false;
    }
    sl_kept_page *page = &k->pages[k->count++];
    (void)snprintf(page->space, sizeof page->space, "%s", before->name);
    page->cursor = before->cursor;
    page->touched = touched;
    k->records += records;
    return true;
}

void sl_kept_stored(sl_core *core)
{
    for (size_t i = 0; i < core->kept.count; i++) {
        const sl_kept_page *page = &core->kept.pages[i];
        for (size_t e = 0; e < sl_entity_count; e++) {
            if ((page->touched >> e & 1) != 0) {
                sl_live_touch(core, &sl_entities[e], page->space);
            }
        }
    }
    core->kept.count = 0;
    core->kept.records = 0;
}

void sl_kept_lost(sl_core *core)
{
    core->kept.alone = core->kept.count > 0 ? ALONE : core->kept.alone;
    while (core->kept.count > 0) { /* the first page of a space says where it was */
        const sl_kept_page *page = &core->kept.pages[--core->kept.count];
        sl_sync_not_applied(core->sync, page->space, page->cursor);
    }
    core->kept.records = 0;
}

sl_status sl_kept_commit(sl_core *core)
{
    if (!sl_kept_open(core)) {
        return SL_OK;
    }
    sl_status status = sl_store_commit(core->store, NULL);
    if (status == SL_OK) {
        sl_kept_stored(core);
    } else {
        sl_kept_lost(core);
        core->platform.ws->close(core->platform.user, core->ws, 1011, "cannot store");
    }
    return status;
}
