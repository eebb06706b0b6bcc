/*
 * service/hls.c - a video's variants as an HLS stream (RFC 8216): playlists, their files, and the
 * right to them.
 *
 *   GET /api/v1/videos/ID/playback     {"url","expires_ms"}: a signed address of master.m3u8
 *   GET /api/v1/videos/ID/master.m3u8  the rungs
 *   GET /api/v1/videos/ID/720.m3u8     the parts of one, as byte ranges of
 *   GET /api/v1/videos/ID/720.mp4      its file
 *   GET /api/v1/videos/ID/poster.jpg   the still
 *
 * Players send no headers of ours, so that an address may carry its right instead: ?u=USER&e=SECONDS
 * &s=SIGNATURE. It opens one video for one user until then, and no longer than the user may hold the
 * video's space. `playback` is asked with a token; all else with a token or a signature.
 */
#include "base/error.h"
#include "service/sign.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_MAX_LEN = 15
};

typedef struct asked {
    sl_sv_id video;
    sl_sv_space space;
    char what[NAME_MAX_LEN + 1]; /* behind the id */
    sl_sv_who who;
    int64_t until_s; /* of the addresses given out */
} asked;

/* What a signed address opens: the video, for who asks. */
static sl_sv_right right_of(const asked *a)
{
    sl_sv_right right = {.purpose = "sideline stream", .what = a->video, .until_s = a->until_s};
    memcpy(right.user, a->who.user, sizeof right.user);
    return right;
}

static bool signature_holds(const sl_service *s, const char *query, asked *a)
{
    sl_sv_right right = right_of(a);
    bool holds = sl_sv_sign_holds(s, query, &right);
    memcpy(a->who.user, right.user, sizeof right.user);
    a->until_s = right.until_s;
    return holds;
}

/* Who asks, and that they hold the video. False: the answer is made. */
static bool admit(sl_sv_request *r, asked *a, sl_http_out *out)
{
    sl_service *s = r->s;
    const sl_http_in *in = r->in;
    bool is_signed = sl_sv_sign_is(in) && in->header(in->ctx, "authorization") == NULL &&
                     strcmp(a->what, "playback") != 0;
    if (is_signed) {
        if (!signature_holds(s, in->query, a)) {
            sl_sv_refuse(out, 403, "forbidden", "the address has expired or was changed");
            return false;
        }
    } else if (!sl_sv_signed_in(r, out)) {
        return false;
    } else {
        a->who = r->who;
        a->until_s = sl_sv_now(s) / 1000 + SL_SV_SIGNED_S;
    }
    unsigned role = 0;
    sl_sv_rank rank;
    sl_lock(s->lock);
    sl_status status = sl_sv_rank_of(s, a->who.user, &rank, NULL);
    if (status == SL_OK) {
        status = sl_sv_may_read(s, a->who.user, sl_sv_standing(&rank, sl_sv_now(s)), a->space,
                                &role, NULL);
    }
    sl_unlock(s->lock);
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (role == 0) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    }
    return status == SL_OK && role != 0;
}

static void put_right(const sl_service *s, const asked *a, sl_buf *out)
{
    sl_sv_right right = right_of(a);
    sl_sv_sign_put(s, &right, out);
}

static void answer_text(sl_http_out *out, sl_buf *text, const char *type)
{
    sl_sv_answer_text(out, text, type);
    sl_sv_header(out, "Cache-Control", "private, no-store");
}

static const char playlist_type[] = "application/vnd.apple.mpegurl";

/* ---- what there is ---- */

static sl_status parts_of(sl_service *s, const asked *a, const char *name, sl_sv_rows *rows)
{
    static const char columns[] = "SELECT name, sha256, size, width, height, parts FROM media_part"
                                  " WHERE space=$1 AND name=$2";
    static const char rungs[] = "SELECT name, sha256, size, width, height, parts FROM media_part"
                                " WHERE space=$1 AND parts<>$2 ORDER BY size DESC";
    sl_lock(s->lock);
    sl_status status = sl_sv_all(
        s, name != NULL ? columns : rungs,
        SL_SV_ARGS(sl_cell_text(a->space), sl_cell_text(name != NULL ? name : "")), rows, NULL);
    sl_unlock(s->lock);
    return status;
}

static sl_json *index_of(const sl_sv_rows *rows, size_t i)
{
    const char *text = sl_sv_text(rows, i, 5);
    return sl_json_parse(text, strlen(text));
}

static void playback(sl_service *s, const asked *a, sl_http_out *out)
{
    sl_buf url = {0};
    sl_sv_right right = right_of(a);
    sl_buf_fmt(&url, "/api/v1/videos/%s/master.m3u8", a->video);
    sl_sv_sign_answer(s, &right, &url, out);
}

static void master(sl_service *s, const asked *a, const sl_sv_rows *rows, sl_http_out *out)
{
    sl_buf text = {0};
    sl_buf_str(&text, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for (size_t i = 0; i < rows->count; i++) {
        sl_json *index = index_of(rows, i);
        const char *codecs = sl_json_str(index, "codecs");
        sl_buf_fmt(&text,
                   "#EXT-X-STREAM-INF:BANDWIDTH=%lld,AVERAGE-BANDWIDTH=%lld,RESOLUTION=%lldx%lld,"
                   "CODECS=\"%s\"\n%s.m3u8",
                   (long long)sl_json_int_or(index, "peak", 1),
                   (long long)sl_json_int_or(index, "mean", 1), (long long)sl_sv_int(rows, i, 3),
                   (long long)sl_sv_int(rows, i, 4), codecs != NULL ? codecs : "",
                   sl_sv_text(rows, i, 0));
        put_right(s, a, &text);
        sl_buf_str(&text, "\n");
        sl_json_free(index);
    }
    answer_text(out, &text, playlist_type);
}

static void put_part(sl_buf *text, const sl_json *part, const char *file, const char *right)
{
    int64_t us = (int64_t)sl_json_value(sl_json_at(part, 0));
    sl_buf_fmt(text, "#EXTINF:%lld.%06lld,\n#EXT-X-BYTERANGE:%lld@%lld\n%s.mp4%s\n",
               (long long)(us / 1000000), (long long)(us % 1000000),
               (long long)sl_json_value(sl_json_at(part, 2)),
               (long long)sl_json_value(sl_json_at(part, 1)), file, right);
}

static void playlist(sl_service *s, const asked *a, const sl_sv_rows *rows, sl_http_out *out)
{
    sl_buf text = {0};
    sl_buf right = {0};
    sl_json *index = index_of(rows, 0);
    const sl_json *parts = sl_json_get(index, "parts");
    const char *file = sl_sv_text(rows, 0, 0);
    int64_t longest = 0;
    for (const sl_json *p = sl_json_first(parts); p != NULL; p = sl_json_next(p)) {
        int64_t us = (int64_t)sl_json_value(sl_json_at(p, 0));
        longest = us > longest ? us : longest;
    }
    put_right(s, a, &right);
    sl_buf_fmt(&text,
               "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%lld\n#EXT-X-PLAYLIST-TYPE:VOD\n"
               "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"%s.mp4%s\",BYTERANGE=\"%lld@0\"\n",
               (long long)((longest + 500000) / 1000000), file, sl_buf_text(&right),
               (long long)sl_json_int_or(index, "head", 0));
    for (const sl_json *p = sl_json_first(parts); p != NULL; p = sl_json_next(p)) {
        put_part(&text, p, file, sl_buf_text(&right));
    }
    sl_buf_str(&text, "#EXT-X-ENDLIST\n");
    text.failed = text.failed || right.failed;
    sl_buf_free(&right);
    sl_json_free(index);
    answer_text(out, &text, playlist_type);
}

/* ---- routes ---- */

static void answer(sl_service *s, const sl_http_in *in, const asked *a, sl_http_out *out)
{
    char name[NAME_MAX_LEN + 1];
    const char *dot = strrchr(a->what, '.');
    sl_sv_rows rows;
    (void)snprintf(name, sizeof name, "%.*s", dot != NULL ? (int)(dot - a->what) : 0, a->what);
    bool is_master = strcmp(a->what, "master.m3u8") == 0;
    sl_status status = parts_of(s, a, is_master ? NULL : name, &rows);
    bool found = status == SL_OK && dot != NULL && rows.count > 0;
    bool rung = found && sl_sv_text(&rows, 0, 5)[0] != 0;
    if (status != SL_OK) {
        sl_sv_broken(out, status);
    } else if (is_master && found) {
        master(s, a, &rows, out);
    } else if (rung && strcmp(dot, ".m3u8") == 0) {
        playlist(s, a, &rows, out);
    } else if (found && strcmp(dot, rung ? ".mp4" : ".jpg") == 0) {
        sl_sv_send_blob(s, in, sl_sv_text(&rows, 0, 1), sl_sv_int(&rows, 0, 2),
                        rung ? "video/mp4" : "image/jpeg", out);
    } else {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
    }
    sl_sv_rows_free(&rows);
}

void sl_sv_videos(sl_sv_request *r, sl_http_out *out)
{
    sl_service *s = r->s;
    const char *rest = r->rest;
    asked a = {.until_s = 0};
    size_t n = strcspn(rest, "/");
    if (n == SL_UUID_LEN && rest[n] == '/' && strlen(rest + n + 1) <= NAME_MAX_LEN) {
        memcpy(a.video, rest, n);
        sl_sv_copy(a.what, sizeof a.what, rest + n + 1);
    }
    if (!sl_uuid_ok(a.video)) {
        sl_sv_refuse(out, 404, "not_found", "there is nothing here");
        return;
    }
    (void)snprintf(a.space, sizeof a.space, "video:%s", a.video);
    if (!admit(r, &a, out)) {
        return;
    }
    if (strcmp(a.what, "playback") == 0) {
        playback(s, &a, out);
    } else {
        answer(s, r->in, &a, out);
    }
}
