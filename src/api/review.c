/* api/review.c - sideline/review.h over review/timeline.h. */
#include "review/player.h"
#include "review/timeline.h"

#include "base/error.h"
#include "base/mem.h"

static sl_status misuse(sl_error **err)
{
    return sl_fail(err, SL_E_MISUSE, "a required argument is NULL");
}

sl_status sl_timeline_new(int64_t media_duration_us, sl_timeline **out, sl_error **err)
{
    sl_error_start(err);
    if (out == NULL) {
        return misuse(err);
    }
    sl_status s = sl_timeline_make(media_duration_us, out, err);
    sl_live_add(s == SL_OK ? 1 : 0);
    return s;
}

sl_status sl_timeline_decode(const uint8_t *p, size_t n, sl_timeline **out, sl_error **err)
{
    sl_error_start(err);
    if (p == NULL || out == NULL) {
        return misuse(err);
    }
    sl_status s = sl_timeline_read(p, n, out, err);
    sl_live_add(s == SL_OK ? 1 : 0);
    return s;
}

void sl_timeline_free(sl_timeline *t)
{
    if (t != NULL) {
        sl_timeline_drop(t);
        sl_live_add(-1);
    }
}

sl_status sl_timeline_add(sl_timeline *t, const char *event, size_t n, sl_error **err)
{
    sl_error_start(err);
    if (t == NULL || event == NULL) {
        return misuse(err);
    }
    sl_json *j = NULL;
    sl_status s = sl_json_read(event, n, &j, err);
    s = s == SL_OK ? sl_timeline_push_json(t, j, err) : s;
    sl_json_free(j);
    return s;
}

sl_status sl_timeline_end(sl_timeline *t, int64_t t_us, sl_error **err)
{
    sl_error_start(err);
    return t != NULL ? sl_timeline_finish(t, t_us, err) : misuse(err);
}

sl_status sl_timeline_encode(const sl_timeline *t, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (t == NULL || out == NULL) {
        return misuse(err);
    }
    sl_buf bytes = {0};
    sl_timeline_write(t, &bytes);
    *out = sl_buf_bytes(&bytes);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_timeline_state(const sl_timeline *t, int64_t t_us, sl_bytes **out, sl_error **err)
{
    sl_error_start(err);
    if (t == NULL || out == NULL) {
        return misuse(err);
    }
    sl_json *j = sl_timeline_state_json(t, t_us);
    *out = j != NULL ? sl_json_bytes(j) : NULL;
    sl_json_free(j);
    return *out != NULL ? SL_OK : sl_fail_nomem(err);
}

sl_status sl_player_next(int32_t state, int32_t action, int32_t *next, sl_error **err)
{
    sl_error_start(err);
    if (next == NULL || state < SL_PLAYER_NONE || state > SL_PLAYER_CLOSED ||
        action < SL_PLAYER_OPEN || action > SL_PLAYER_CLOSE) {
        return misuse(err);
    }
    int32_t after = sl_player_after(state, action);
    if (after == 0) {
        return sl_fail(err, SL_E_CONFLICT, "the player is %s: this cannot be done now",
                       sl_player_name(state));
    }
    *next = after;
    return SL_OK;
}
