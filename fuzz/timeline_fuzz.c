/*
 * timeline_fuzz - review timelines from bytes and, when the input is a JSON array, from events.
 *
 * What is accepted writes the same bytes again, and its states stay within the clip.
 */
#include "base/error.h"
#include "review/timeline.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_states(const sl_timeline *t)
{
    int64_t end_us = sl_timeline_duration_us(t);
    for (int64_t i = -1; i <= 16; i++) {
        sl_timeline_state_t s;
        sl_timeline_shown shown[4];
        int64_t t_us = end_us / 15 * i;
        sl_timeline_at(t, t_us, &s);
        SL_ASSERT(s.position_us >= 0 && s.position_us <= sl_timeline_media_us(t));
        SL_ASSERT(s.rate >= SL_RATE_MIN && s.rate <= SL_RATE_MAX);
        (void)sl_timeline_visible(t, t_us, shown, 4);
    }
}

static void check_round_trip(const sl_timeline *t, const uint8_t *data, size_t size)
{
    sl_buf out = {0};
    sl_timeline_write(t, &out);
    SL_ASSERT(!out.failed);
    SL_ASSERT(data == NULL || (out.len == size && memcmp(out.data, data, size) == 0));
    sl_timeline *back = NULL;
    SL_ASSERT(sl_timeline_read(out.data, out.len, &back, NULL) == SL_OK);
    check_states(back);
    sl_timeline_drop(back);
    sl_buf_free(&out);
}

static void check_events(const sl_json *events)
{
    sl_timeline *t = NULL;
    if (sl_timeline_make(5000000, &t, NULL) != SL_OK) {
        return;
    }
    for (const sl_json *e = sl_json_first(events); e != NULL; e = sl_json_next(e)) {
        (void)sl_timeline_push_json(t, e, NULL);
    }
    check_round_trip(t, NULL, 0);
    sl_timeline_drop(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_timeline *t = NULL;
    if (sl_timeline_read(data, size, &t, NULL) == SL_OK) {
        check_round_trip(t, data, size);
        sl_timeline_drop(t);
    }
    sl_json *j = sl_json_parse((const char *)data, size);
    if (sl_json_is_array(j)) {
        check_events(j);
    }
    sl_json_free(j);
    return 0;
}
