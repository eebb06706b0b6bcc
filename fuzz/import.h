/* fuzz/import.h - what the targets of the formats share. */
#ifndef FUZZ_IMPORT_H
#define FUZZ_IMPORT_H

#include "base/error.h"
#include "exchange/exchange.h"

/* Whatever the bytes, what comes out obeys every limit. */
static void fuzz_import(sl_format format, const uint8_t *data, size_t size)
{
    sl_import im = {.frame_w = 1920, .frame_h = 1080, .t_in = 0, .t_out = 1000000};
    sl_status s = sl_import_read(&im, format, data, size, NULL);
    SL_ASSERT(s == SL_OK || im.n == 0);
    for (size_t i = 0; i < im.n; i++) {
        SL_ASSERT(sl_item_check(im.items[i], NULL) == SL_OK);
    }
    sl_import_clear(&im);
}

#endif
