/* Ladders: which rungs a clip has, what is copied, and where they are cut. */
#include "clip.h"
#include "media/av.h"
#include "media/ladder.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

static char g_folder[CLIP_PATH_MAX];

static void setup(void)
{
    clip_folder(g_folder);
}

static void teardown(void)
{
    clip_folder_drop(g_folder);
}

static void rungs_are(int32_t width, int32_t height, const char *expected)
{
    sl_rung rungs[SL_LADDER_RUNGS];
    char text[128] = "";
    size_t n = sl_ladder_rungs(width, height, rungs);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, "%d:%dx%d ", (int)rungs[i].lines,
                       (int)rungs[i].width, (int)rungs[i].height);
    }
    ck_assert_str_eq(text, expected);
}

START_TEST(ladder__no_rung_is_larger_than_the_clip)
{
    rungs_are(3840, 2160, "1080:1920x1080 720:1280x720 480:854x480 ");
    rungs_are(1920, 1080, "1080:1920x1080 720:1280x720 480:854x480 ");
    rungs_are(1080, 1920, "1080:1080x1920 720:720x1280 480:480x854 ");
    rungs_are(1280, 720, "720:1280x720 480:854x480 ");
    rungs_are(1282, 722, "1080:1282x722 720:1278x720 480:852x480 ");
    rungs_are(720, 576, "720:720x576 480:600x480 ");
    rungs_are(640, 480, "480:640x480 ");
    rungs_are(320, 240, "480:320x240 ");
}
END_TEST

static sl_ladder plan_of(const char *path)
{
    sl_ladder ladder;
    sl_error *err = NULL;
    sl_status status = sl_ladder_plan(path, &ladder, &err);
    ck_assert_msg(status == SL_OK, "%s", err != NULL ? sl_error_message(err) : "");
    return ladder;
}

typedef struct packets {
    int count;
    int keys;
    int64_t bytes;
    uint32_t sum; /* of all bytes of all pictures */
} packets;

static packets read_packets(const char *path, int kind)
{
    packets p = {0};
    sl_clip c = {0};
    ck_assert_int_eq(sl_clip_open(&c, SL_SOURCE_FILE(path), NULL), SL_OK);
    ck_assert_int_eq(sl_clip_decode(&c, (enum AVMediaType)kind, NULL), SL_OK);
    while (av_read_frame(c.format, c.packet) >= 0) {
        if (c.packet->stream_index == c.stream->index) {
            p.count++;
            p.keys += (c.packet->flags & AV_PKT_FLAG_KEY) != 0 ? 1 : 0;
            p.bytes += c.packet->size;
            for (int i = 0; i < c.packet->size; i++) {
                p.sum = p.sum * 31 + c.packet->data[i];
            }
        }
        av_packet_unref(c.packet);
    }
    sl_clip_close(&c);
    return p;
}

/* The parts follow one another, fill the file, and are as long as the clip together. */
static void check_parts(const sl_cmaf_index *index, int64_t duration_us)
{
    int64_t at = index->head;
    int64_t length = 0;
    ck_assert_int_gt(index->head, 0);
    for (size_t i = 0; i < index->n; i++) {
        ck_assert_int_eq(index->parts[i].at, at);
        ck_assert_int_gt(index->parts[i].duration_us, 0);
        at += index->parts[i].len;
        length += index->parts[i].duration_us;
    }
    ck_assert_int_eq(at, index->size);
    ck_assert_int_le(length > duration_us ? length - duration_us : duration_us - length, 50000);
}

START_TEST(ladder__a_conforming_original_is_copied_picture_by_picture)
{
    char from[CLIP_PATH_MAX];
    char to[CLIP_PATH_MAX];
    sl_cmaf_index index;
    clip_join(from, g_folder, "a.mp4");
    clip_join(to, g_folder, "480.mp4");
    clip_make(from, 300, 30, true);
    sl_ladder ladder = plan_of(from);
    ck_assert_uint_eq(ladder.n, 1);
    ck_assert(ladder.rungs[0].copied);
    sl_ladder_job job = {.path = from, .ladder = &ladder, .to = {to}};
    ck_assert_int_eq(sl_ladder_copy(&job, &index, NULL), SL_OK);
    packets a = read_packets(from, AVMEDIA_TYPE_VIDEO);
    packets b = read_packets(to, AVMEDIA_TYPE_VIDEO);
    ck_assert_int_eq(b.count, 300);
    ck_assert_int_eq(b.bytes, a.bytes);
    ck_assert_uint_eq(b.sum, a.sum);
    a = read_packets(from, AVMEDIA_TYPE_AUDIO);
    b = read_packets(to, AVMEDIA_TYPE_AUDIO);
    ck_assert_uint_eq(b.sum, a.sum);
    check_parts(&index, ladder.probe.duration_us);
    ck_assert_uint_ge(index.n, 2);
    ck_assert_int_eq(strncmp(index.codecs, "avc1.", 5), 0);
    ck_assert_ptr_nonnull(strstr(index.codecs, ",mp4a.40.2"));
    sl_cmaf_index_free(&index);
    /* The same pictures at the same times, from another reader's view. */
    sl_frames *f = NULL;
    sl_pixels p = clip_pixels(CLIP_WIDTH, CLIP_HEIGHT);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(to), &f, NULL), SL_OK);
    for (int k = 0; k < 300; k += 37) {
        ck_assert_int_eq(sl_frames_pixels(f, (int64_t)k * 1000000 / 30, &p, NULL, NULL), SL_OK);
        ck_assert_int_eq(clip_number(&p), k % 256);
    }
    sl_frames_close(f);
    clip_pixels_free(&p);
}
END_TEST

START_TEST(ladder__what_players_do_not_take_is_encoded_at_its_own_size)
{
    char from[CLIP_PATH_MAX];
    char to[CLIP_PATH_MAX];
    sl_cmaf_index index[SL_LADDER_RUNGS];
    clip_join(from, g_folder, "a.avi");
    clip_join(to, g_folder, "480.mp4");
    clip_make_avi(from, 150, 25);
    sl_ladder ladder = plan_of(from);
    ck_assert_uint_eq(ladder.n, 1);
    ck_assert(!ladder.rungs[0].copied);
    sl_ladder_job job = {.path = from, .ladder = &ladder, .to = {to}};
    ck_assert_int_eq(sl_ladder_encode(&job, index, NULL), SL_OK);
    packets p = read_packets(to, AVMEDIA_TYPE_VIDEO);
    ck_assert_int_eq(p.count, 150);
    ck_assert_int_eq(p.keys, 3); /* each two seconds */
    check_parts(&index[0], ladder.probe.duration_us);
    ck_assert_uint_eq(index[0].n, 2);
    ck_assert_int_eq(index[0].parts[0].duration_us, SL_CMAF_PART_US);
    sl_cmaf_index_free(&index[0]);
}
END_TEST

START_TEST(ladder__rungs_below_a_copied_one_are_cut_where_it_is)
{
    char paths[2][CLIP_PATH_MAX];
    sl_cmaf_index copied;
    sl_cmaf_index index[SL_LADDER_RUNGS];
    clip_join(paths[0], g_folder, "720.mp4");
    clip_join(paths[1], g_folder, "480.mp4");
    sl_ladder ladder = plan_of("tests/data/hd.mp4");
    ck_assert_uint_eq(ladder.n, 2);
    ck_assert(ladder.rungs[0].copied && !ladder.rungs[1].copied);
    sl_ladder_job job = {
        .path = "tests/data/hd.mp4", .ladder = &ladder, .to = {paths[0], paths[1]}};
    ck_assert_int_eq(sl_ladder_copy(&job, &copied, NULL), SL_OK);
    ck_assert_int_eq(sl_ladder_encode(&job, index, NULL), SL_OK);
    ck_assert_uint_eq(copied.n, index[1].n);
    for (size_t i = 0; i < copied.n; i++) {
        ck_assert_int_le(copied.parts[i].duration_us - index[1].parts[i].duration_us, 20);
        ck_assert_int_ge(copied.parts[i].duration_us - index[1].parts[i].duration_us, -20);
    }
    packets a = read_packets("tests/data/hd.mp4", AVMEDIA_TYPE_VIDEO);
    packets b = read_packets(paths[1], AVMEDIA_TYPE_VIDEO);
    ck_assert_int_eq(b.count, a.count);
    ck_assert_int_eq(b.keys, a.keys);
    sl_cmaf_index_free(&copied);
    for (size_t i = 0; i < SL_LADDER_RUNGS; i++) {
        sl_cmaf_index_free(&index[i]);
    }
}
END_TEST

START_TEST(ladder__a_turned_clip_stays_turned)
{
    char from[CLIP_PATH_MAX];
    char turned[CLIP_PATH_MAX];
    char to[CLIP_PATH_MAX];
    sl_cmaf_index index;
    sl_probe probe;
    clip_join(from, g_folder, "a.mp4");
    clip_join(turned, g_folder, "b.mp4");
    clip_join(to, g_folder, "480.mp4");
    clip_make(from, 60, 30, false);
    clip_remux(from, turned, 90);
    sl_ladder ladder = plan_of(turned);
    ck_assert_int_eq(ladder.rungs[0].width, CLIP_HEIGHT);
    sl_ladder_job job = {.path = turned, .ladder = &ladder, .to = {to}};
    ck_assert_int_eq(sl_ladder_copy(&job, &index, NULL), SL_OK);
    ck_assert_int_eq(sl_probe_file(to, &probe, NULL), SL_OK);
    ck_assert_int_eq(probe.rotation, 90);
    ck_assert_int_eq(probe.width, CLIP_HEIGHT);
    ck_assert_int_eq(probe.height, CLIP_WIDTH);
    ck_assert_ptr_null(strstr(index.codecs, "mp4a"));
    sl_cmaf_index_free(&index);
}
END_TEST

static bool stop(void *user)
{
    int *left = user;
    return (*left)-- == 0;
}

START_TEST(ladder__can_be_cancelled_and_refuses_what_is_damaged)
{
    char from[CLIP_PATH_MAX];
    char to[CLIP_PATH_MAX];
    sl_cmaf_index index[SL_LADDER_RUNGS];
    int left = 20;
    clip_join(from, g_folder, "a.mp4");
    clip_join(to, g_folder, "480.mp4");
    clip_make(from, 60, 30, true);
    sl_ladder ladder = plan_of(from);
    sl_ladder_job job = {
        .path = from, .ladder = &ladder, .to = {to}, .cancelled = stop, .user = &left};
    ck_assert_int_eq(sl_ladder_copy(&job, &index[0], NULL), SL_E_CANCELLED);
    ladder.rungs[0].copied = false;
    left = 20;
    ck_assert_int_eq(sl_ladder_encode(&job, index, NULL), SL_E_CANCELLED);
    sl_buf bytes = {0};
    ck_assert(clip_read(from, &bytes));
    ck_assert(clip_write(to, bytes.data, bytes.len / 2));
    ck_assert_int_eq(sl_ladder_plan(to, &ladder, NULL), SL_E_INVALID);
    sl_buf_free(&bytes);
}
END_TEST

SL_TEST_MAIN_WITH("ladder", setup, teardown, ladder__no_rung_is_larger_than_the_clip,
                  ladder__a_conforming_original_is_copied_picture_by_picture,
                  ladder__what_players_do_not_take_is_encoded_at_its_own_size,
                  ladder__rungs_below_a_copied_one_are_cut_where_it_is,
                  ladder__a_turned_clip_stays_turned,
                  ladder__can_be_cancelled_and_refuses_what_is_damaged)
