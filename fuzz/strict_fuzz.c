/* Frames of a WebSocket client, in pieces: the first byte says how large. */
#include "base/error.h"
#include "server/strict.h"

#include <string.h>

enum {
    PIECE_MAX = 255,
    MESSAGE_MAX = 4096
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_strict s;
    uint8_t room[PIECE_MAX + SL_STRICT_ROOM];
    memset(&s, 0, sizeof s);
    (void)sl_strict_begin(&s, MESSAGE_MAX);
    size_t step = size > 0 && data[0] > 0 ? data[0] : 1;
    size_t came = 0;
    size_t passed = 0;
    for (size_t at = 1; at < size; at += step) {
        size_t n = step < size - at ? step : size - at;
        memcpy(room, data + at, n);
        came += n;
        passed += sl_strict_filter(&s, room, n);
        SL_ASSERT(passed <= came + SL_STRICT_CLOSE_LEN);
    }
    sl_strict_end(&s);
    return 0;
}
