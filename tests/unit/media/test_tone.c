/*
 * High dynamic range, wide colours and other matrices: every path gives ordinary pictures.
 *
 * The expected colours were computed apart from the library, from the chromaticities and formulas of
 * BT.2020, BT.2100, BT.2390 (1,000 to 203 cd/m2) and BT.709, the strength that stays in the gamut by
 * bisection.
 */
#include "media/tone.h"

#include "clip.h"
#include "media/av.h"
#include "media/export.h"
#include "media/jpeg.h"
#include "media/ladder.h"
#include "media/picture.h"
#include "media/scrub.h"
#include "media/thumb.h"
#include "support.h"

#include <libavutil/mastering_display_metadata.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    PATCHES = 16,
    COLUMNS = 8,
    WIDTH = 320,
    HEIGHT = 192,
    RATE = 10,
    FRAMES = 10
};

typedef struct patch {
    double from[3];            /* R', G', B' of BT.2020 */
    double to[SL_LIGHT_PQ][3]; /* of BT.709, as wide, HLG and PQ; 0 to 255 */
} patch;

/* Greys, white, peak; bars of 75 %; skin, skin, grass, sky. */
static const patch patches[PATCHES] = {
    {{0, 0, 0}, {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}},
    {{.25, .25, .25}, {{63.7, 63.7, 63.7}, {71.5, 71.5, 71.5}, {55.2, 55.2, 55.2}}},
    {{.5, .5, .5}, {{127.5, 127.5, 127.5}, {143.1, 143.1, 143.1}, {183.5, 183.5, 183.5}}},
    {{.75, .75, .75}, {{191.2, 191.2, 191.2}, {230.4, 230.4, 230.4}, {255, 255, 255}}},
    {{.9, .9, .9}, {{229.5, 229.5, 229.5}, {253.2, 253.2, 253.2}, {255, 255, 255}}},
    {{1, 1, 1}, {{255, 255, 255}, {255, 255, 255}, {255, 255, 255}}},
    {{.75, .75, 0}, {{195.8, 191.3, 0}, {235.3, 229.9, 0}, {255, 251.9, 185.4}}},
    {{0, .75, .75}, {{0, 186.5, 181.8}, {0, 222, 216.4}, {0, 248.7, 242.4}}},
    {{0, .75, 0}, {{0, 184.9, 109.3}, {0, 219.3, 129.6}, {0, 246.5, 145.7}}},
    {{.75, 0, .75}, {{207.6, 0, 180.7}, {238.3, 0, 207.4}, {255, 88.2, 224.8}}},
    {{.75, 0, 0}, {{207.1, 0, 64}, {235.3, 0, 72.7}, {255, 78.1, 103.4}}},
    {{0, 0, .75}, {{0, 43.7, 147.3}, {0, 45.5, 153.5}, {0, 58.3, 196.5}}},
    {{.62, .52, .46}, {{172.9, 129, 114.6}, {198.1, 146.2, 133.1}, {255, 163.4, 147.2}}},
    {{.42, .32, .27}, {{120.6, 77.7, 66.4}, {129.4, 89.3, 78.3}, {152.2, 71.2, 57}}},
    {{.38, .45, .27}, {{85.8, 117, 60.6}, {100.9, 129.6, 76}, {73.1, 152.8, 33.5}}},
    {{.45, .55, .68}, {{86.9, 142.7, 177.1}, {103.4, 158.4, 205.1}, {0, 154.4, 246.2}}}};

static char g_folder[CLIP_PATH_MAX];
static char g_clip[CLIP_PATH_MAX];

static void setup(void)
{
    clip_folder(g_folder);
}

static void teardown(void)
{
    clip_folder_drop(g_folder);
}

static void to_yuv(const double rgb[3], double red, double blue, double yuv[3])
{
    yuv[0] = red * rgb[0] + (1.0 - red - blue) * rgb[1] + blue * rgb[2];
    yuv[1] = (rgb[2] - yuv[0]) / (2.0 * (1.0 - blue));
    yuv[2] = (rgb[0] - yuv[0]) / (2.0 * (1.0 - red));
}

static void to_rgb(const double yuv[3], double red, double blue, double rgb[3])
{
    rgb[0] = yuv[0] + 2.0 * (1.0 - red) * yuv[2];
    rgb[2] = yuv[0] + 2.0 * (1.0 - blue) * yuv[1];
    rgb[1] = (yuv[0] - red * rgb[0] - blue * rgb[2]) / (1.0 - red - blue);
}

START_TEST(tone__the_formulas_are_those_of_the_standards)
{
    sl_light light = (sl_light)(_i + 1);
    for (int i = 0; i < PATCHES; i++) {
        double in[3];
        double out[3];
        double rgb[3];
        to_yuv(patches[i].from, 0.2627, 0.0593, in);
        sl_tone_exact(light, 1000, in, out);
        to_rgb(out, 0.2126, 0.0722, rgb);
        for (int k = 0; k < 3; k++) {
            ck_assert_double_le(fabs(rgb[k] * 255.0 - patches[i].to[_i][k]), 0.3);
        }
    }
}
END_TEST

/* Numbers that are the same everywhere. */
static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static uint16_t *deep(AVFrame *f, int plane)
{
    return (uint16_t *)(void *)f->data[plane];
}

/* Of a picture of 2 by 2 in one colour. */
static bool is_near(const sl_tone *t, sl_light light, AVFrame *from, AVFrame *to,
                    const double rgb[3], double most)
{
    double yuv[3];
    double exact[3];
    to_yuv(rgb, 0.2627, 0.0593, yuv);
    for (int i = 0; i < 2; i++) {
        for (int x = 0; x < 2; x++) {
            deep(from, 0)[i * from->linesize[0] / 2 + x] = (uint16_t)lround(64 + 876 * yuv[0]);
        }
    }
    for (int k = 1; k < 3; k++) {
        deep(from, k)[0] = (uint16_t)lround(512 + 896 * yuv[k]);
        yuv[k] = (deep(from, k)[0] - 512) / 896.0;
    }
    yuv[0] = (deep(from, 0)[0] - 64) / 876.0;
    sl_tone_exact(light, 1000, yuv, exact);
    sl_tone_apply(t, from, to);
    bool near = fabs(to->data[0][0] - (16 + 219 * exact[0])) <= most &&
                to->data[0][to->linesize[0] + 1] == to->data[0][0];
    for (int k = 1; k < 3; k++) {
        near = near && fabs(to->data[k][0] - (128 + 224 * exact[k])) <= most;
    }
    return near;
}

START_TEST(tone__pictures_are_what_the_formulas_say)
{
    enum {
        MANY = 20000
    };
    sl_light light = (sl_light)(_i + 1);
    sl_tone *t = sl_tone_new(light, 1000);
    AVFrame *from = sl_picture_new(AV_PIX_FMT_YUV420P10, 2, 2);
    AVFrame *to = sl_picture_new(AV_PIX_FMT_YUV420P, 2, 2);
    uint32_t seed = 1;
    int far = 0;
    ck_assert(t != NULL && from != NULL && to != NULL);
    for (int i = 0; i < MANY; i++) {
        double rgb[3];
        for (int k = 0; k < 3; k++) {
            rgb[k] = next(&seed) / 16777215.0;
        }
        far += is_near(t, light, from, to, rgb, 1.0) ? 0 : 1;
        rgb[1] = rgb[0];
        rgb[2] = rgb[0];
        ck_assert(is_near(t, light, from, to, rgb, 1.0));
    }
    ck_assert_int_le(far, MANY / 40); /* 1 or 2 in 100: where BT.709 ends */
    sl_tone_free(t);
    av_frame_free(&from);
    av_frame_free(&to);
}
END_TEST

START_TEST(tone__every_code_is_taken_and_stays_in_its_plane)
{
    /* 5 by 3: odd on both sides, with codes that no colour has. */
    static const uint16_t codes[] = {0, 1, 63, 64, 512, 940, 960, 1022, 1023, 0xffff};
    AVFrame *from = sl_picture_new(AV_PIX_FMT_YUV420P10, 5, 3);
    AVFrame *to = sl_picture_new(AV_PIX_FMT_YUV420P, 5, 3);
    sl_tone *t = sl_tone_new((sl_light)(_i + 1), 1000);
    ck_assert(t != NULL && from != NULL && to != NULL);
    memset(to->data[0], 0, (size_t)to->linesize[0] * 3);
    for (int i = 0; i < 1000; i++) {
        for (int p = 0; p < 3; p++) {
            int n = from->linesize[p] / 2 * (p == 0 ? 3 : 2);
            for (int k = 0; k < n; k++) {
                deep(from, p)[k] = codes[p == 0 ? (i + k) % 10 : p == 1 ? i / 10 % 10 : i / 100];
            }
        }
        sl_tone_apply(t, from, to);
        for (int y = 0; y < 3; y++) {
            ck_assert_int_eq(to->data[0][y * to->linesize[0] + 5], 0);
            for (int x = 0; x < 5; x++) {
                int v = to->data[0][y * to->linesize[0] + x];
                ck_assert(v >= 16 && v <= 235);
            }
        }
    }
    sl_tone_free(t);
    av_frame_free(&from);
    av_frame_free(&to);
}
END_TEST

START_TEST(tone__a_picture_s_peak_is_the_next_above_what_it_says)
{
    static const struct {
        unsigned cll;
        int master, peak;
    } cases[] = {{0, 0, 1000},       {0, 1000, 1000},  {0, 1001, 2000},  {400, 4000, 1000},
                 {2001, 1000, 4000}, {0, 4001, 10000}, {65535, 0, 10000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AVFrame *f = av_frame_alloc();
        ck_assert_ptr_nonnull(f);
        if (cases[i].cll > 0) {
            av_content_light_metadata_create_side_data(f)->MaxCLL = cases[i].cll;
        }
        if (cases[i].master > 0) {
            AVMasteringDisplayMetadata *m = av_mastering_display_metadata_create_side_data(f);
            m->has_luminance = 1;
            m->max_luminance = (AVRational){cases[i].master, 1};
        }
        ck_assert_int_eq(sl_tone_peak(f, SL_LIGHT_PQ), cases[i].peak);
        ck_assert_int_eq(sl_tone_peak(f, SL_LIGHT_HLG), 1000);
        av_frame_free(&f);
    }
}
END_TEST

/* ---- clips ---- */

typedef struct recipe {
    const char *encoder;
    enum AVPixelFormat format;
    sl_light light;
} recipe;

static void tag(AVCodecContext *c, void *user)
{
    sl_light light = *(const sl_light *)user;
    bool plain = light == SL_LIGHT_PLAIN;
    c->color_range = AVCOL_RANGE_MPEG;
    c->color_primaries = plain ? AVCOL_PRI_BT709 : AVCOL_PRI_BT2020;
    c->colorspace = plain ? AVCOL_SPC_BT709 : AVCOL_SPC_BT2020_NCL;
    c->color_trc = light == SL_LIGHT_HLG  ? AVCOL_TRC_ARIB_STD_B67
                   : light == SL_LIGHT_PQ ? AVCOL_TRC_SMPTE2084
                   : plain                ? AVCOL_TRC_BT709
                                          : AVCOL_TRC_BT2020_10;
}

static void put(uint8_t *row, int x, int bits, double v)
{
    uint16_t wide = (uint16_t)lround(v * 4);
    if (bits == 8) {
        row[x] = (uint8_t)lround(v);
    } else {
        memcpy(row + (ptrdiff_t)x * 2, &wide, 2);
    }
}

/* The patches in two rows, in any planar YUV of 8 or 10 bits. */
static void paint(AVFrame *f, int number, void *user)
{
    int bits = f->format == AV_PIX_FMT_YUV420P ? 8 : 10;
    int down = f->format == AV_PIX_FMT_YUV422P10 ? 1 : 2;
    (void)number;
    (void)user;
    for (int p = 0; p < 3; p++) {
        int w = p == 0 ? WIDTH : WIDTH / 2;
        int h = p == 0 ? HEIGHT : HEIGHT / down;
        for (int i = 0; i < w * h; i++) {
            int x = i % w;
            int y = i / w;
            double yuv[3];
            to_yuv(patches[x * COLUMNS / w + y * 2 / h * COLUMNS].from, 0.2627, 0.0593, yuv);
            put(f->data[p] + (ptrdiff_t)y * f->linesize[p], x, bits,
                p == 0 ? 16 + 219 * yuv[0] : 128 + 224 * yuv[p]);
        }
    }
}

/* False: this build of FFmpeg has no such encoder. */
static bool make(const recipe *r, const char *name)
{
    sl_light light = r->light;
    clip_recipe clip = {.encoder = r->encoder,
                        .format = r->format,
                        .width = WIDTH,
                        .height = HEIGHT,
                        .rate = RATE,
                        .frames = FRAMES,
                        .tag = tag,
                        .paint = paint,
                        .user = &light};
    clip_join(g_clip, g_folder, name);
    return clip_encode(&clip, g_clip);
}

static void check_patches(const sl_pixels *p, sl_light light, double most, const char *what)
{
    for (int i = 0; i < PATCHES; i++) {
        uint32_t v = 0;
        int32_t x = (2 * (i % COLUMNS) + 1) * p->width / (2 * COLUMNS);
        int32_t y = (2 * (i / COLUMNS) + 1) * p->height / 4;
        memcpy(&v, p->data + (ptrdiff_t)y * p->stride + (ptrdiff_t)x * 4, sizeof v);
        for (int k = 0; k < 3; k++) {
            double wanted = patches[i].to[light - 1][k];
            int got = (int)(v >> (16 - 8 * k) & 255U);
            ck_assert_msg(fabs(got - wanted) <= most, "%s, patch %d, part %d: %d instead of %.1f",
                          what, i, k, got, wanted);
        }
    }
}

/* The picture at t_us of a movie. */
static void check_movie(const char *path, sl_light light, double most, const char *what)
{
    sl_frames *f = NULL;
    sl_pixels p = clip_pixels(WIDTH, HEIGHT);
    ck_assert_int_eq(sl_frames_open(SL_SOURCE_FILE(path), &f, NULL), SL_OK);
    ck_assert_int_eq(sl_frames_pixels(f, 500000, &p, NULL, NULL), SL_OK);
    check_patches(&p, light, most, what);
    sl_frames_close(f);
    clip_pixels_free(&p);
}

static void check_tags(const char *path)
{
    sl_clip c = {0};
    ck_assert_int_eq(sl_clip_open(&c, SL_SOURCE_FILE(path), NULL), SL_OK);
    ck_assert_int_eq(sl_clip_decode(&c, AVMEDIA_TYPE_VIDEO, NULL), SL_OK);
    const AVCodecParameters *p = c.stream->codecpar;
    ck_assert_int_eq(p->format, AV_PIX_FMT_YUV420P);
    ck_assert_int_eq(p->color_space, AVCOL_SPC_BT709);
    ck_assert_int_eq(p->color_primaries, AVCOL_PRI_BT709);
    ck_assert_int_eq(p->color_trc, AVCOL_TRC_BT709);
    ck_assert_int_ne(p->color_range, AVCOL_RANGE_JPEG);
    sl_clip_close(&c);
}

/* One picture of a JPEG: a part of it of that size. */
static void check_jpeg(const sl_buf *jpeg, int32_t width, int32_t height, sl_light light)
{
    sl_unjpeg *reader = NULL;
    const AVFrame *picture = NULL;
    sl_scaler scaler = {0};
    AVFrame *rgb = NULL;
    ck_assert_int_eq(sl_unjpeg_open(&reader, NULL), SL_OK);
    ck_assert_int_eq(sl_unjpeg_read(reader, jpeg->data, jpeg->len, &picture, NULL), SL_OK);
    ck_assert_int_ne(picture->colorspace, AVCOL_SPC_BT709);
    rgb = sl_picture_new(AV_PIX_FMT_RGB32, picture->width, picture->height);
    ck_assert_int_eq(sl_picture_convert(&scaler, picture, 0, true, rgb, NULL), SL_OK);
    sl_pixels p = {
        .width = width, .height = height, .stride = rgb->linesize[0], .data = rgb->data[0]};
    check_patches(&p, light, 8.0, "a still");
    sl_unjpeg_close(reader);
    sl_scaler_free(&scaler);
    av_frame_free(&rgb);
}

static void check_stills(sl_light light)
{
    sl_buf jpeg = {0};
    sl_thumb thumb;
    sl_sheet sheet;
    sl_sheet_job job = {
        .source = {.path = g_clip}, .duration_us = 1000000, .count = 4, .columns = 2};
    ck_assert_int_eq(sl_thumb_make(SL_SOURCE_FILE(g_clip), 0, 200, &jpeg, &thumb, NULL), SL_OK);
    check_jpeg(&jpeg, thumb.width, thumb.height, light);
    sl_buf_clear(&jpeg);
    ck_assert_int_eq(sl_sheet_make(&job, &jpeg, &sheet, NULL), SL_OK);
    check_jpeg(&jpeg, sheet.width, sheet.height, light);
    sl_buf_free(&jpeg);
}

static void check_scrub(sl_light light)
{
    sl_scrub *s = NULL;
    sl_pixels p = clip_pixels(WIDTH, HEIGHT);
    ck_assert_int_eq(sl_scrub_open(SL_SOURCE_FILE(g_clip), 0, &s, NULL), SL_OK);
    sl_scrub_wait(s);
    ck_assert_int_eq(sl_scrub_pixels(s, 500000, &p, NULL, NULL), SL_OK);
    check_patches(&p, light, 8.0, "a scrubbed still");
    sl_scrub_close(s);
    clip_pixels_free(&p);
}

static void check_export(sl_light light)
{
    char out[CLIP_PATH_MAX];
    sl_timeline *timeline = NULL;
    sl_export_result made;
    const char *event = "{\"t\":0,\"do\":\"play\"}";
    clip_join(out, g_folder, "export.mp4");
    ck_assert_int_eq(sl_timeline_make(1000000, &timeline, NULL), SL_OK);
    sl_json *j = sl_json_parse(event, strlen(event));
    ck_assert_int_eq(sl_timeline_push_json(timeline, j, NULL), SL_OK);
    sl_json_free(j);
    ck_assert_int_eq(sl_timeline_finish(timeline, 1000000, NULL), SL_OK);
    sl_export_job job = {.source = {.path = g_clip}, .timeline = timeline, .path = out};
    ck_assert_int_eq(sl_export(&job, &made, NULL), SL_OK);
    ck_assert_int_eq(made.copied, 0);
    check_tags(out);
    check_movie(out, light, 6.0, "an export");
    sl_timeline_drop(timeline);
}

static void check_ladder(sl_light light)
{
    char out[CLIP_PATH_MAX];
    sl_ladder ladder;
    sl_cmaf_index index[SL_LADDER_RUNGS];
    clip_join(out, g_folder, "rung.mp4");
    ck_assert_int_eq(sl_ladder_plan(g_clip, &ladder, NULL), SL_OK);
    ck_assert_uint_eq(ladder.n, 1);
    ck_assert(!ladder.rungs[0].copied);
    sl_ladder_job job = {.path = g_clip, .ladder = &ladder, .to = {out}};
    ck_assert_int_eq(sl_ladder_encode(&job, index, NULL), SL_OK);
    sl_cmaf_index_free(&index[0]);
    check_tags(out);
    check_movie(out, light, 6.0, "a rung");
}

static void check_all(sl_light light)
{
    check_movie(g_clip, light, 4.0, "an exact frame");
    check_stills(light);
    check_scrub(light);
    check_export(light);
    check_ladder(light);
}

START_TEST(tone__clips_of_10_bits_are_ordinary_everywhere)
{
    static const recipe recipes[] = {{"libx265", AV_PIX_FMT_YUV420P10, SL_LIGHT_HLG},
                                     {"libx265", AV_PIX_FMT_YUV420P10, SL_LIGHT_PQ},
                                     {"prores_ks", AV_PIX_FMT_YUV422P10, SL_LIGHT_HLG},
                                     {"prores_ks", AV_PIX_FMT_YUV422P10, SL_LIGHT_WIDE}};
    if (make(&recipes[_i], "clip.mov")) {
        check_all(recipes[_i].light);
    } else {
        ck_assert_str_ne(recipes[_i].encoder, "prores_ks"); /* FFmpeg's own */
    }
}
END_TEST

START_TEST(tone__no_such_clip_is_copied_even_if_it_is_H264_of_8_bits)
{
    static const recipe bright = {"libx264", AV_PIX_FMT_YUV420P, SL_LIGHT_HLG};
    static const recipe plain = {"libx264", AV_PIX_FMT_YUV420P, SL_LIGHT_PLAIN};
    sl_ladder ladder;
    if (!make(&plain, "plain.mp4")) {
        return;
    }
    ck_assert_int_eq(sl_ladder_plan(g_clip, &ladder, NULL), SL_OK);
    ck_assert(ladder.rungs[0].copied);
    ck_assert(make(&bright, "bright.mp4"));
    check_ladder(SL_LIGHT_HLG);
    check_export(SL_LIGHT_HLG);
}
END_TEST

/* ---- matrices and ranges ---- */

typedef struct coding {
    int format;
    enum AVColorSpace space;
    int width, height;
    bool full;
    bool is_709; /* what it means */
} coding;

static void code(const double rgb[3], bool is_709, bool full, double out[3])
{
    to_yuv(rgb, is_709 ? 0.2126 : 0.299, is_709 ? 0.0722 : 0.114, out);
    out[0] = full ? 255 * out[0] : 16 + 219 * out[0];
    out[1] = 128 + (full ? 255 : 224) * out[1];
    out[2] = 128 + (full ? 255 : 224) * out[2];
}

static void check_coding(const coding *c, const double rgb[3], bool full, bool to_709, int part)
{
    sl_scaler scaler = {0};
    double in[3];
    double wanted[3];
    AVFrame *from = sl_picture_new(c->format, c->width, c->height);
    AVFrame *to = sl_picture_new(AV_PIX_FMT_YUV420P, c->width / part, c->height / part);
    code(rgb, c->is_709, c->full, in);
    code(rgb, to_709, full, wanted);
    for (int p = 0; p < 3; p++) {
        int h = p == 0 || c->format == AV_PIX_FMT_YUV422P ? c->height : c->height / 2;
        memset(from->data[p], (int)lround(in[p]), (size_t)from->linesize[p] * (size_t)h);
    }
    from->colorspace = c->space;
    from->color_range =
        c->full && c->format != AV_PIX_FMT_YUVJ420P ? AVCOL_RANGE_JPEG : AVCOL_RANGE_UNSPECIFIED;
    ck_assert_int_eq(sl_picture_convert(&scaler, from, 0, full, to, NULL), SL_OK);
    for (int p = 0; p < 3; p++) {
        ck_assert_double_le(fabs(to->data[p][to->linesize[p] + 1] - wanted[p]), 2.0);
    }
    ck_assert_int_eq(to->colorspace == AVCOL_SPC_BT709, to_709);
    sl_scaler_free(&scaler);
    av_frame_free(&from);
    av_frame_free(&to);
}

START_TEST(picture__matrices_and_ranges_are_followed)
{
    static const double colours[][3] = {{.9, .2, .15}, {.1, .7, .3}, {.2, .25, .8}, {.8, .6, .5}};
    static const coding codings[] = {
        {AV_PIX_FMT_YUV420P, AVCOL_SPC_BT709, 320, 180, false, true},
        {AV_PIX_FMT_YUV420P, AVCOL_SPC_SMPTE170M, 320, 180, false, false},
        {AV_PIX_FMT_YUV420P, AVCOL_SPC_BT470BG, 1280, 720, false, false},
        {AV_PIX_FMT_YUV420P, AVCOL_SPC_UNSPECIFIED, 1280, 720, false, true},
        {AV_PIX_FMT_YUV420P, AVCOL_SPC_UNSPECIFIED, 718, 1280, false, false},
        {AV_PIX_FMT_YUV422P, AVCOL_SPC_SMPTE170M, 320, 180, true, false},
        {AV_PIX_FMT_YUVJ420P, AVCOL_SPC_BT470BG, 320, 180, true, false},
        {AV_PIX_FMT_YUVJ420P, AVCOL_SPC_BT709, 320, 180, true, true}};
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        for (size_t k = 0; k < sizeof colours / sizeof colours[0]; k++) {
            for (int part = 1; part <= 2; part++) { /* as large, half as large */
                check_coding(&codings[i], colours[k], false, true, part);
                check_coding(&codings[i], colours[k], true, false, part); /* as JPEG */
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("media tone");
    TCase *tcase = tcase_create("tone");
    tcase_set_timeout(tcase, SL_TEST_TIMEOUT_S);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, tone__the_formulas_are_those_of_the_standards, 0, SL_LIGHT_PQ);
    tcase_add_loop_test(tcase, tone__pictures_are_what_the_formulas_say, 0, SL_LIGHT_PQ);
    tcase_add_loop_test(tcase, tone__every_code_is_taken_and_stays_in_its_plane, 0, SL_LIGHT_PQ);
    tcase_add_test(tcase, tone__a_picture_s_peak_is_the_next_above_what_it_says);
    tcase_add_loop_test(tcase, tone__clips_of_10_bits_are_ordinary_everywhere, 0, 4);
    tcase_add_test(tcase, tone__no_such_clip_is_copied_even_if_it_is_H264_of_8_bits);
    tcase_add_test(tcase, picture__matrices_and_ranges_are_followed);
    suite_add_tcase(suite, tcase);
    return sl_test_run(suite);
}
