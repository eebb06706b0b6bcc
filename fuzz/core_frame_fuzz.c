/*
 * fuzz/core_frame_fuzz.c - what a server may say to a core, line by line, and what its user does meanwhile.
 *
 * A line is a frame as JSON has it; "A ops" is sl_apply, "U space" sl_undo, "C" loses the connection and
 * makes a new one. Input that begins with a byte 1 is binary frames, each behind its length (two bytes, low
 * first). The core may leave; its folder opens again with what was there.
 */
#include "fuzz/core_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    LINES_MAX = 100
};

static void line(rig *r, const char *p, size_t n)
{
    if (n > 2 && p[0] == 'A' && p[1] == ' ') {
        (void)sl_apply(r->core, p + 2, n - 2, NULL, NULL);
        rig_step(r);
    } else if (n > 2 && p[0] == 'U' && p[1] == ' ') {
        char *space = sl_text_ndup(p + 2, n - 2);
        (void)sl_undo(r->core, space, NULL, NULL);
        rig_step(r);
        sl_mem_free(space);
    } else if (n == 1 && p[0] == 'C') {
        if (r->ws != 0) {
            sl_host_ws_closed(r->core, r->ws, 1006);
            r->ws = 0;
        }
        rig_connect(r, false);
    } else {
        rig_frame(r, SL_WS_TEXT, p, n);
    }
}

static void speak_lines(rig *r, const char *p, size_t left)
{
    for (int lines = 0; left > 0 && lines < LINES_MAX; lines++) {
        const char *end = memchr(p, '\n', left);
        size_t n = end != NULL ? (size_t)(end - p) : left;
        line(r, p, n);
        n += end != NULL;
        p += n;
        left -= n;
    }
}

static void speak_binary(rig *r, const uint8_t *p, size_t left)
{
    while (left > 2) {
        size_t n = p[0] | (size_t)p[1] << 8;
        p += 2;
        left -= 2;
        n = n < left ? n : left;
        rig_frame(r, SL_WS_BINARY, p, n);
        p += n;
        left -= n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rig r;
    bool binary = size > 0 && data[0] == 1;
    rig_begin(&r);
    rig_open(&r, binary);
    rig_connect(&r, binary);
    if (binary) {
        speak_binary(&r, data + 1, size - 1);
    } else {
        speak_lines(&r, (const char *)data, size);
    }
    rig_end(&r);
    return 0;
}
