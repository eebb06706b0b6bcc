/* A platform for browsers: the files of a pack; clock and random numbers as Emscripten has them. */
#include "platform/posix/posix.h"
#include "platform/wasm/pack.h"

static void release(void *user)
{
    sl_pack_close(user);
}

sl_status sl_pack_platform(const sl_pack_device *device, sl_platform *out)
{
    sl_pack *p = NULL;
    sl_status status = sl_pack_open(device, &p);
    if (status == SL_OK) {
        out->user = p;
        out->clock = &sl_posix_clock;
        out->random = &sl_posix_random;
        out->files = sl_pack_files();
        out->release = release;
    }
    return status;
}
