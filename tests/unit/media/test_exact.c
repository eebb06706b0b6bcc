/*
 * Every frame of a clip is the one that the ffmpeg program lists for its time, in any order: its
 * pictures by their MD5, of clips with uneven times, edit lists, turned, and with frames that
 * refer to later ones. And what an export shows is as the clip, to a floor of likeness.
 */
#include "clip.h"
#include "media/export.h"
#include "media/picture.h"
#include "media/probe.h"
#include "support.h"

#include <inttypes.h>
#include <libavutil/imgutils.h>
#include <libavutil/mathematics.h>
#include <libavutil/md5.h>
#include <stdio.h>
#include <string.h>

#define QUIET "ffmpeg -nostdin -v error -y "

enum {
    LISTED_MAX = 400,
    LINE = 512,
    ROUNDED_US = 500, /* Matroska's times are milliseconds */
    SHOW = 89 /* steps through the list in an order that jumps; prime to every length here */
};

typedef struct listed {
    int64_t t_us;
    char md5[33];
} listed;

static char dir[CLIP_PATH_MAX];
static char base[CLIP_PATH_MAX];
static char path[CLIP_PATH_MAX];
static listed list[LISTED_MAX];
static int listed_n;

static bool shell(const char *command)
{
    return system(command) == 0; /* NOLINT: the paths are this test's own */
}

static bool can_run(void)
{
    return shell("ffmpeg -version >/dev/null 2>&1");
}

static void set_up(void)
{
    clip_folder(dir);
    clip_join(base, dir, "base.mp4");
    clip_make(base, 90, 30, true);
}

static void tear_down(void)
{
    clip_folder_drop(dir);
}

/* What ffmpeg says of the clip: each frame's time from the first one, and its MD5. */
static void ask_ffmpeg(void)
{
    char command[2 * CLIP_PATH_MAX];
    char line[LINE];
    int64_t first = INT64_MIN;
    int num = 0;
    int den = 0;
    (void)snprintf(command, sizeof command,
                   "ffmpeg -nostdin -v error -noautorotate -i '%s' -map 0:v:0 -fps_mode passthrough"
                   " -f framemd5 -",
                   path);
    FILE *f = popen(command, "r"); /* NOLINT: the path is this test's own */
    ck_assert_ptr_nonnull(f);
    listed_n = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        int64_t pts = 0;
        (void)sscanf(line, "#tb 0: %d/%d", &num, &den);
        if (line[0] == '#' || listed_n == LISTED_MAX ||
            sscanf(line, "%*d, %*d, %" SCNd64 ", %*d, %*d, %32s", &pts, list[listed_n].md5) != 2) {
            continue;
        }
        first = first == INT64_MIN ? pts : first;
        list[listed_n++].t_us = av_rescale_q(pts - first, (AVRational){num, den}, AV_TIME_BASE_Q);
    }
    ck_assert_int_eq(pclose(f), 0);
}

static void md5_of(const AVFrame *f, char out[33])
{
    static uint8_t packed[1920 * 1088 * 2];
    uint8_t sum[16];
    int n = av_image_copy_to_buffer(packed, sizeof packed, (const uint8_t *const *)f->data,
                                    f->linesize, f->format, f->width, f->height, 1);
    ck_assert_int_gt(n, 0);
    av_md5_sum(sum, packed, (size_t)n);
    for (int i = 0; i < 16; i++) {
        (void)snprintf(out + (ptrdiff_t)2 * i, 3, "%02x", sum[i]);
    }
}

static void is_listed(const AVFrame *f, int64_t shown_us, int k)
{
    char md5[33];
    md5_of(f, md5);
    ck_assert_msg(strcmp(md5, list[k].md5) == 0, "frame %d of %s is another", k, path);
    ck_assert_int_le(llabs(shown_us - list[k].t_us), ROUNDED_US);
}

static void check_frames(int wanted)
{
    sl_frames *f = NULL;
    const AVFrame *frame = NULL;
    int64_t shown_us = 0;
    ask_ffmpeg();
    ck_assert_int_eq(listed_n, wanted);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(path), &f, NULL), SL_OK);
    for (int i = 0; i < listed_n; i++) {
        int k = i * SHOW % listed_n;
        int64_t end_us = k + 1 < listed_n ? list[k + 1].t_us - 1000 : INT64_C(99000000);
        ck_assert_int_eq(sl_frames_at(f, list[k].t_us, &frame, &shown_us, NULL), SL_OK);
        is_listed(frame, shown_us, k);
        if (i % 5 == 0) {
            ck_assert_int_eq(sl_frames_at(f, end_us, &frame, &shown_us, NULL), SL_OK);
            is_listed(frame, shown_us, k);
        }
    }
    ck_assert_int_eq(sl_frames_at(f, INT64_C(99000000), &frame, &shown_us, NULL), SL_OK);
    for (int k = listed_n - 1; k >= 0; k--) {
        is_listed(frame, shown_us, k);
        ck_assert_int_eq(sl_frames_step(f, -1, &frame, &shown_us, NULL), SL_OK);
    }
    for (int k = 0; k < listed_n; k++) {
        is_listed(frame, shown_us, k);
        ck_assert_int_eq(sl_frames_step(f, 1, &frame, &shown_us, NULL), SL_OK);
    }
    sl_frames_close(f);
}

/* Makes `name` of the base clip by the ffmpeg program. */
static void made_by(const char *before, const char *after, const char *name)
{
    char command[3 * CLIP_PATH_MAX];
    clip_join(path, dir, name);
    (void)snprintf(command, sizeof command, QUIET "%s -i '%s' %s '%s'", before, base, after, path);
    ck_assert(shell(command));
}

START_TEST(exact__a_clip_with_an_even_rate_and_one_that_is_turned)
{
    set_up();
    memcpy(path, base, sizeof path);
    check_frames(90);
    clip_join(path, dir, "turned.mp4");
    clip_remux(base, path, 90);
    check_frames(90);
    tear_down();
}
END_TEST

/* Of each seven frames three, at their own times: steps of one and of five thirtieths. */
START_TEST(exact__a_clip_with_uneven_times)
{
    static const char how[] = "-an -vf \"select='lt(mod(n,7),3)'\" -fps_mode passthrough "
                              "-enc_time_base 1/90000 -c:v libx264 -preset veryfast -g 20";
    set_up();
    made_by("", how, "uneven.mp4");
    check_frames(39);
    made_by("", how, "uneven.mkv");
    check_frames(39);
    tear_down();
}
END_TEST

/* Cut where no key frame is: an edit list hides what is only needed for decoding. */
START_TEST(exact__a_clip_with_an_edit_list)
{
    set_up();
    made_by("-ss 1.03", "-c copy", "edited.mp4");
    check_frames(59);
    tear_down();
}
END_TEST

START_TEST(exact__a_clip_of_mpeg4_in_avi_and_of_vp9_in_webm)
{
    set_up();
    clip_join(path, dir, "a.avi");
    clip_make_avi(path, 30, 25);
    check_frames(30);
    made_by("", "-an -frames:v 20 -c:v libvpx-vp9 -deadline realtime -cpu-used 8", "a.webm");
    check_frames(20);
    tear_down();
}
END_TEST

static bool can_encode(const char *codec)
{
    char command[128];
    (void)snprintf(command, sizeof command, "ffmpeg -v error -h encoder=%s 2>&1 | grep -q ^Encoder",
                   codec);
    return shell(command);
}

/* What phones and cameras write, as far as this FFmpeg can make it: ten bits, 4:2:2, frames that
 * refer to later ones and are never shown themselves. */
START_TEST(exact__a_clip_of_hevc_of_av1_and_of_prores)
{
    static const struct {
        const char *encoder, *how, *name, *codec;
    } cases[] = {
        {"libx265",
         "-frames:v 40 -c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=15:bframes=3 "
         "-pix_fmt yuv420p10le -tag:v hvc1",
         "hevc.mov", "hevc"},
        {"libaom-av1", "-frames:v 12 -c:v libaom-av1 -usage realtime -cpu-used 8", "a.mp4", "av1"},
        {"prores_ks", "-frames:v 12 -c:v prores_ks -profile:v standard -pix_fmt yuv422p10le",
         "prores.mov", "prores"}};
    static const int frames[] = {40, 12, 12};
    set_up();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_probe p;
        if (!can_encode(cases[i].encoder)) {
            continue;
        }
        made_by("", cases[i].how, cases[i].name);
        check_frames(frames[i]);
        ck_assert_int_eq(sl_probe_file(path, &p, NULL), SL_OK);
        ck_assert_str_eq(p.video_codec, cases[i].codec);
        ck_assert_int_eq(p.frames, frames[i]);
        ck_assert_int_eq(p.width, CLIP_WIDTH);
    }
    tear_down();
}
END_TEST

/* As browsers write it while they film: no length, no index, no rate. */
START_TEST(exact__a_clip_that_does_not_say_how_long_it_is)
{
    sl_probe p;
    set_up();
    made_by(
        "",
        "-an -t 1 -vf \"select='lt(mod(n,7),3)'\" -fps_mode passthrough "
        "-enc_time_base 1/90000 -c:v libvpx -deadline realtime -cpu-used 8 -g 20 -f webm -live 1",
        "live.webm");
    check_frames(14);
    ck_assert_int_eq(sl_probe_file(path, &p, NULL), SL_OK);
    ck_assert_int_eq(p.frames, 14);
    ck_assert_int_le(llabs(p.duration_us - 1000000), 50000);
    tear_down();
}
END_TEST

/* ---- likeness ---- */

enum {
    BLOCK = 8
};

/* Of one block of luma (Wang and others, 2004), with its constants for eight bits. */
static double ssim_block(const uint8_t *a, int a_step, const uint8_t *b, int b_step)
{
    double n = BLOCK * BLOCK;
    double sa = 0;
    double sb = 0;
    double aa = 0;
    double bb = 0;
    double ab = 0;
    for (int y = 0; y < BLOCK; y++) {
        for (int x = 0; x < BLOCK; x++) {
            double p = a[y * a_step + x];
            double q = b[y * b_step + x];
            sa += p;
            sb += q;
            aa += p * p;
            bb += q * q;
            ab += p * q;
        }
    }
    sa /= n;
    sb /= n;
    double va = aa / n - sa * sa;
    double vb = bb / n - sb * sb;
    double cov = ab / n - sa * sb;
    return (2 * sa * sb + 6.5025) * (2 * cov + 58.5225) /
           ((sa * sa + sb * sb + 6.5025) * (va + vb + 58.5225));
}

static double ssim(const AVFrame *a, const AVFrame *b)
{
    double sum = 0;
    int n = 0;
    for (int y = 0; y + BLOCK <= a->height; y += BLOCK / 2) {
        for (int x = 0; x + BLOCK <= a->width; x += BLOCK / 2) {
            sum += ssim_block(a->data[0] + (ptrdiff_t)y * a->linesize[0] + x, a->linesize[0],
                              b->data[0] + (ptrdiff_t)y * b->linesize[0] + x, b->linesize[0]);
            n++;
        }
    }
    return sum / n;
}

START_TEST(exact__an_export_looks_as_the_clip_does)
{
    static const char play[] = "{\"t\":0,\"do\":\"play\"}";
    sl_timeline *t = NULL;
    sl_export_result made;
    sl_frames *f[2] = {NULL, NULL};
    clip_folder(dir);
    clip_join(path, dir, "out.mp4");
    ck_assert_int_eq(sl_timeline_make(2000000, &t, NULL), SL_OK);
    sl_json *j = sl_json_parse(play, sizeof play - 1);
    ck_assert_int_eq(sl_timeline_push_json(t, j, NULL), SL_OK);
    sl_json_free(j);
    ck_assert_int_eq(sl_timeline_finish(t, 1000000, NULL), SL_OK);
    sl_export_job job = {
        .source = {.path = "tests/data/hd.mp4"}, .timeline = t, .path = path, .encode_all = true};
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_OK);
    sl_timeline_drop(t);
    ck_assert_int_eq(sl_frames_open(&job.source, &f[0], NULL), SL_OK);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(path), &f[1], NULL), SL_OK);
    for (int64_t t_us = 0; t_us < 1000000; t_us += 200000) {
        const AVFrame *a = NULL;
        const AVFrame *b = NULL;
        ck_assert_int_eq(sl_frames_at(f[0], t_us, &a, NULL, NULL), SL_OK);
        ck_assert_int_eq(sl_frames_at(f[1], t_us, &b, NULL, NULL), SL_OK);
        ck_assert_int_eq(a->width, b->width);
        double like = ssim(a, b);
        ck_assert_double_gt(like, 0.95);
    }
    sl_frames_close(f[0]);
    sl_frames_close(f[1]);
    clip_folder_drop(dir);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("media_exact");
    TCase *tcase = tcase_create("exact");
    tcase_set_timeout(tcase, SL_TEST_TIMEOUT_S);
    if (can_run()) { /* the lists are the program's */
        tcase_add_test(tcase, exact__a_clip_with_an_even_rate_and_one_that_is_turned);
        tcase_add_test(tcase, exact__a_clip_with_uneven_times);
        tcase_add_test(tcase, exact__a_clip_with_an_edit_list);
        tcase_add_test(tcase, exact__a_clip_of_mpeg4_in_avi_and_of_vp9_in_webm);
        tcase_add_test(tcase, exact__a_clip_of_hevc_of_av1_and_of_prores);
        tcase_add_test(tcase, exact__a_clip_that_does_not_say_how_long_it_is);
    }
    tcase_add_test(tcase, exact__an_export_looks_as_the_clip_does);
    suite_add_tcase(suite, tcase);
    return sl_test_run(suite);
}
