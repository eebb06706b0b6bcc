/*
 * tests/abi/layout.c - the layout of every public struct, asserted.
 *
 * Shells write these structs in their own languages, field by field: a size or an
 * offset that moves breaks them silently. Compiled for 64-bit machines and, where
 * clang is at hand, for wasm32; there is nothing to run. Fields are appended, so
 * the offsets here stay for ever; only a size may grow.
 */
#include <stddef.h>

#include "sideline/sideline.h"

#define SIZE(type, at64, at32) \
    _Static_assert(sizeof(type) == (sizeof(void *) == 8 ? (at64) : (at32)), "size of " #type)
#define AT(type, field, at64, at32)                                                  \
    _Static_assert(offsetof(type, field) == (sizeof(void *) == 8 ? (at64) : (at32)), \
                   #type "." #field)

SIZE(sl_status, 4, 4);
SIZE(sl_id, 8, 8);

SIZE(sl_config, 56, 36);
AT(sl_config, struct_size, 0, 0);
AT(sl_config, flags, 4, 4);
AT(sl_config, dir, 8, 8);
AT(sl_config, server, 16, 12);
AT(sl_config, platform, 24, 16);
AT(sl_config, key, 32, 20);
AT(sl_config, keychain, 40, 24);
AT(sl_config, thread_window, 48, 28);
AT(sl_config, reserved, 52, 32);

SIZE(sl_keychain, 32, 20);
AT(sl_keychain, struct_size, 0, 0);
AT(sl_keychain, user, 8, 8);
AT(sl_keychain, seal, 16, 12);
AT(sl_keychain, unseal, 24, 16);

SIZE(sl_pixels, 24, 20);
AT(sl_pixels, struct_size, 0, 0);
AT(sl_pixels, width, 4, 4);
AT(sl_pixels, height, 8, 8);
AT(sl_pixels, stride, 12, 12);
AT(sl_pixels, data, 16, 16);

SIZE(sl_clock_ops, 32, 20);
AT(sl_clock_ops, mono_ms, 8, 8);
AT(sl_clock_ops, wall_ms, 16, 12);
AT(sl_clock_ops, day_minute, 24, 16);

SIZE(sl_random_ops, 16, 12);
AT(sl_random_ops, fill, 8, 8);

SIZE(sl_file_ops, 104, 56);
AT(sl_file_ops, open, 8, 8);
AT(sl_file_ops, close, 16, 12);
AT(sl_file_ops, read, 24, 16);
AT(sl_file_ops, write, 32, 20);
AT(sl_file_ops, truncate, 40, 24);
AT(sl_file_ops, sync, 48, 28);
AT(sl_file_ops, size, 56, 32);
AT(sl_file_ops, rename, 64, 36);
AT(sl_file_ops, remove, 72, 40);
AT(sl_file_ops, exists, 80, 44);
AT(sl_file_ops, mkdir, 88, 48);
AT(sl_file_ops, list, 96, 52);

SIZE(sl_http_request, 48, 28);
AT(sl_http_request, timeout_ms, 4, 4);
AT(sl_http_request, method, 8, 8);
AT(sl_http_request, url, 16, 12);
AT(sl_http_request, headers, 24, 16);
AT(sl_http_request, body, 32, 20);
AT(sl_http_request, body_len, 40, 24);

SIZE(sl_http_ops, 24, 16);
AT(sl_http_ops, start, 8, 8);
AT(sl_http_ops, cancel, 16, 12);

SIZE(sl_ws_ops, 32, 20);
AT(sl_ws_ops, open, 8, 8);
AT(sl_ws_ops, send, 16, 12);
AT(sl_ws_ops, close, 24, 16);

SIZE(sl_platform, 88, 48);
AT(sl_platform, user, 8, 8);
AT(sl_platform, clock, 16, 12);
AT(sl_platform, random, 24, 16);
AT(sl_platform, files, 32, 20);
AT(sl_platform, http, 40, 24);
AT(sl_platform, ws, 48, 28);
AT(sl_platform, start, 56, 32);
AT(sl_platform, stop, 64, 36);
AT(sl_platform, release, 72, 40);
AT(sl_platform, audio, 80, 44);
SIZE(sl_audio_ops, 48, 28);
AT(sl_audio_ops, list, 8, 8);
AT(sl_audio_ops, close, 40, 24);
