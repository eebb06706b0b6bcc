/* clip.c - see the header. */
#include "clip.h"

#include "base/mem.h"
#include "media/av.h"
#include "media/movie.h"
#include "media/picture.h"
#include "media/sound.h"

#include <check.h>
#include <dirent.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void clip_folder(char path[CLIP_PATH_MAX])
{
    const char *base = getenv("TMPDIR");
    int n =
        snprintf(path, CLIP_PATH_MAX, "%s/sideline-media-XXXXXX", base != NULL ? base : "/var/tmp");
    ck_assert(n > 0 && n < CLIP_PATH_MAX);
    ck_assert_ptr_nonnull(mkdtemp(path));
}

void clip_join(char out[CLIP_PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(out, CLIP_PATH_MAX, "%s/%s", folder, name);
    ck_assert(n > 0 && n < CLIP_PATH_MAX);
}

void clip_folder_list(const char *path, char *text, size_t cap)
{
    struct dirent **names = NULL;
    int n = scandir(path, &names, NULL, alphasort);
    size_t len = 0;
    text[0] = '\0';
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.') {
            int k = snprintf(text + len, cap - len, "%s ", names[i]->d_name);
            ck_assert(k > 0 && (size_t)k < cap - len);
            len += (size_t)k;
        }
        free(names[i]);
    }
    free(names);
}

void clip_folder_drop(const char *path)
{
    DIR *dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char file[CLIP_PATH_MAX];
        if (e->d_name[0] != '.') {
            clip_join(file, path, e->d_name);
            (void)remove(file);
        }
    }
    closedir(dir);
    ck_assert_int_eq(rmdir(path), 0);
}

bool clip_read(const char *path, sl_buf *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    uint8_t step[4096];
    size_t n = 0;
    while ((n = fread(step, 1, sizeof step, file)) > 0) {
        sl_buf_put(out, step, n);
    }
    fclose(file);
    return !out->failed;
}

bool clip_write(const char *path, const void *p, size_t n)
{
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(p, 1, n, file) == n;
    if (file != NULL) {
        ok = fclose(file) == 0 && ok;
    }
    return ok;
}

double clip_hz(int second)
{
    return 400.0 + 200.0 * second;
}

double clip_heard(sl_sound *s, double hz, double from, double seconds)
{
    static float stereo[2 * SL_SOUND_RATE];
    int n = (int)(seconds * SL_SOUND_RATE);
    double re = 0.0;
    double im = 0.0;
    ck_assert_int_eq(sl_sound_read(s, (int64_t)(from * SL_SOUND_RATE), stereo, (size_t)n, NULL),
                     SL_OK);
    for (int i = 0; i < n; i++) {
        double a = 2.0 * 3.14159265358979323846 * hz * i / SL_SOUND_RATE;
        re += (double)stereo[2 * i] * cos(a);
        im += (double)stereo[2 * i] * sin(a);
    }
    return 2.0 * sqrt(re * re + im * im) / n;
}

/* Upper half: the number, its highest bit on the left. Lower half: grey. */
static void paint(AVFrame *f, int number)
{
    ck_assert_int_ge(av_frame_make_writable(f), 0);
    sl_picture_clear(f);
    for (int y = 0; y < f->height; y++) {
        for (int x = 0; x < f->width; x++) {
            int bit = CLIP_BITS - 1 - x * CLIP_BITS / f->width;
            bool bright = (number >> bit & 1) != 0;
            uint8_t luma = (uint8_t)(y >= f->height / 2 ? 110 : bright ? 210 : 40);
            f->data[0][(ptrdiff_t)y * f->linesize[0] + x] = luma;
        }
    }
}

static void add_sound(sl_movie *m, int64_t *at, int64_t until)
{
    while (*at < until) {
        float stereo[2];
        double t = (double)*at / SL_SOUND_RATE;
        double v = 0.5 * sin(2.0 * 3.14159265358979323846 * clip_hz((int)t) * t);
        stereo[0] = (float)v;
        stereo[1] = (float)v;
        ck_assert_int_eq(sl_movie_sound(m, stereo, 1, NULL), SL_OK);
        (*at)++;
    }
}

void clip_make(const char *path, int frames, int rate, bool sound)
{
    sl_movie_config config = {.path = path,
                              .width = CLIP_WIDTH,
                              .height = CLIP_HEIGHT,
                              .rate = {rate, 1},
                              .sound = sound};
    sl_movie *m = NULL;
    ck_assert_int_eq(sl_movie_open(&config, &m, NULL), SL_OK);
    AVFrame *f = sl_picture_new(AV_PIX_FMT_YUV420P, CLIP_WIDTH, CLIP_HEIGHT);
    int64_t at = 0;
    for (int k = 0; k < frames; k++) {
        paint(f, k);
        ck_assert_int_eq(sl_movie_picture(m, f, NULL), SL_OK);
        if (sound) {
            add_sound(m, &at, (int64_t)(k + 1) * SL_SOUND_RATE / rate);
        }
    }
    ck_assert_int_eq(sl_movie_finish(m, NULL), SL_OK);
    av_frame_free(&f);
    sl_movie_close(m);
}

static AVCodecContext *open_mpeg4(int rate)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    AVCodecContext *c = avcodec_alloc_context3(codec);
    ck_assert_ptr_nonnull(c);
    c->width = CLIP_WIDTH;
    c->height = CLIP_HEIGHT;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->time_base = (AVRational){1, rate};
    c->gop_size = 20;
    c->bit_rate = 400000;
    ck_assert_int_ge(avcodec_open2(c, codec, NULL), 0);
    return c;
}

void clip_make_avi(const char *path, int frames, int rate)
{
    AVCodecContext *c = open_mpeg4(rate);
    AVFormatContext *out = NULL;
    AVPacket *p = av_packet_alloc();
    ck_assert_int_ge(avformat_alloc_output_context2(&out, NULL, "avi", path), 0);
    AVStream *s = avformat_new_stream(out, NULL);
    ck_assert_int_ge(avcodec_parameters_from_context(s->codecpar, c), 0);
    s->time_base = c->time_base;
    ck_assert_int_ge(avio_open(&out->pb, path, AVIO_FLAG_WRITE), 0);
    ck_assert_int_ge(avformat_write_header(out, NULL), 0);
    AVFrame *f = sl_picture_new(AV_PIX_FMT_YUV420P, CLIP_WIDTH, CLIP_HEIGHT);
    for (int k = 0; k <= frames; k++) {
        if (k < frames) {
            paint(f, k);
            f->pts = k;
        }
        ck_assert_int_ge(avcodec_send_frame(c, k < frames ? f : NULL), 0);
        while (avcodec_receive_packet(c, p) >= 0) {
            av_packet_rescale_ts(p, c->time_base, s->time_base);
            ck_assert_int_ge(av_interleaved_write_frame(out, p), 0);
        }
    }
    ck_assert_int_ge(av_write_trailer(out), 0);
    av_frame_free(&f);
    av_packet_free(&p);
    avio_closep(&out->pb);
    avformat_free_context(out);
    avcodec_free_context(&c);
}

static void set_rotation(AVStream *s, int rotation)
{
    size_t size = 9 * sizeof(int32_t);
    int32_t *matrix = av_malloc(size);
    ck_assert_ptr_nonnull(matrix);
    av_display_rotation_set(matrix, rotation % SL_MIRRORED);
    if (rotation >= SL_MIRRORED) { /* what was on the left is turned from the right */
        matrix[0] = -matrix[0];
        matrix[1] = -matrix[1];
    }
#if LIBAVCODEC_VERSION_MAJOR >= 61
    ck_assert_ptr_nonnull(av_packet_side_data_add(&s->codecpar->coded_side_data,
                                                  &s->codecpar->nb_coded_side_data,
                                                  AV_PKT_DATA_DISPLAYMATRIX, matrix, size, 0));
#else
    ck_assert_int_eq(av_stream_add_side_data(s, AV_PKT_DATA_DISPLAYMATRIX, (uint8_t *)matrix, size),
                     0);
#endif
}

static AVCodecContext *open_recipe(const clip_recipe *r)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(r->encoder);
    AVCodecContext *c = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
    if (c == NULL) {
        return NULL;
    }
    c->width = r->width;
    c->height = r->height;
    c->pix_fmt = (enum AVPixelFormat)r->format;
    c->time_base = (AVRational){1, r->rate};
    c->framerate = (AVRational){r->rate, 1};
    c->sample_aspect_ratio = r->wide > 0 ? (AVRational){r->wide, r->high} : (AVRational){1, 1};
    c->gop_size = 5;
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_QSCALE;
    c->global_quality = 3 * FF_QP2LAMBDA;
    (void)av_opt_set(c->priv_data, "preset", "ultrafast", 0);
    (void)av_opt_set(c->priv_data, "crf", "8", 0);
    (void)av_opt_set(c->priv_data, "x265-params", "log-level=none", 0);
    (void)av_opt_set(c->priv_data, "forced-idr", "1", 0);
    if (r->tag != NULL) {
        r->tag(c, r->user);
    }
    if (avcodec_open2(c, codec, NULL) < 0) {
        avcodec_free_context(&c);
    }
    return c;
}

/* The picture, or NULL at the end. */
static void encode_one(AVCodecContext *c, const AVFrame *f, AVFormatContext *out, int length)
{
    AVPacket *p = av_packet_alloc();
    ck_assert_int_ge(avcodec_send_frame(c, f), 0);
    while (avcodec_receive_packet(c, p) >= 0) {
        p->duration = length;
        av_packet_rescale_ts(p, c->time_base, out->streams[0]->time_base);
        ck_assert_int_ge(av_interleaved_write_frame(out, p), 0);
    }
    av_packet_free(&p);
}

bool clip_encode(const clip_recipe *r, const char *path)
{
    AVFormatContext *out = NULL;
    sl_av_be_quiet();
    AVCodecContext *c = open_recipe(r);
    if (c == NULL) {
        return false;
    }
    AVFrame *f = sl_picture_new(r->format, r->width, r->height);
    f->color_range = c->color_range;
    f->colorspace = c->colorspace;
    f->color_primaries = c->color_primaries;
    f->color_trc = c->color_trc;
    ck_assert_int_ge(avformat_alloc_output_context2(&out, NULL, NULL, path), 0);
    AVStream *s = avformat_new_stream(out, NULL);
    ck_assert_int_ge(avcodec_parameters_from_context(s->codecpar, c), 0);
    s->time_base = c->time_base;
    s->avg_frame_rate = c->framerate;
    s->sample_aspect_ratio = c->sample_aspect_ratio;
    if (r->rotation != 0) {
        set_rotation(s, r->rotation);
    }
    ck_assert_int_ge(avio_open(&out->pb, path, AVIO_FLAG_WRITE), 0);
    ck_assert_int_ge(avformat_write_header(out, NULL), 0);
    for (int k = 0; k < r->frames; k++) {
        ck_assert_int_ge(av_frame_make_writable(f), 0);
        r->paint(f, k, r->user);
        f->pts = r->at != NULL ? r->at[k] : k;
        encode_one(c, f, out, 1);
    }
    encode_one(c, NULL, out, 1);
    ck_assert_int_ge(av_write_trailer(out), 0);
    av_frame_free(&f);
    avio_closep(&out->pb);
    avformat_free_context(out);
    avcodec_free_context(&c);
    return true;
}

void clip_remux(const char *from, const char *to, int rotation)
{
    AVFormatContext *in = NULL;
    AVFormatContext *out = NULL;
    ck_assert_int_ge(avformat_open_input(&in, from, NULL, NULL), 0);
    ck_assert_int_ge(avformat_find_stream_info(in, NULL), 0);
    ck_assert_int_ge(avformat_alloc_output_context2(&out, NULL, NULL, to), 0);
    for (unsigned i = 0; i < in->nb_streams; i++) {
        AVStream *s = avformat_new_stream(out, NULL);
        ck_assert_ptr_nonnull(s);
        ck_assert_int_ge(avcodec_parameters_copy(s->codecpar, in->streams[i]->codecpar), 0);
        s->codecpar->codec_tag = 0;
        s->time_base = in->streams[i]->time_base;
        s->avg_frame_rate = in->streams[i]->avg_frame_rate;
        if (rotation != 0 && s->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
            set_rotation(s, rotation);
        }
    }
    ck_assert_int_ge(avio_open(&out->pb, to, AVIO_FLAG_WRITE), 0);
    ck_assert_int_ge(avformat_write_header(out, NULL), 0);
    AVPacket *p = av_packet_alloc();
    while (av_read_frame(in, p) >= 0) {
        av_packet_rescale_ts(p, in->streams[p->stream_index]->time_base,
                             out->streams[p->stream_index]->time_base);
        ck_assert_int_ge(av_interleaved_write_frame(out, p), 0);
    }
    ck_assert_int_ge(av_write_trailer(out), 0);
    av_packet_free(&p);
    avio_closep(&out->pb);
    avformat_free_context(out);
    avformat_close_input(&in);
}

static int green_at(const sl_pixels *picture, int32_t x, int32_t y)
{
    uint32_t v = 0;
    memcpy(&v, picture->data + (ptrdiff_t)y * picture->stride + (ptrdiff_t)x * 4, sizeof v);
    return (int)(v >> 8 & 255U);
}

int clip_number(const sl_pixels *picture)
{
    int number = 0;
    for (int i = 0; i < CLIP_BITS; i++) {
        int32_t x = (2 * i + 1) * picture->width / (2 * CLIP_BITS);
        number = number * 2 + (green_at(picture, x, picture->height / 4) > 128 ? 1 : 0);
    }
    return number;
}

sl_pixels clip_pixels(int32_t width, int32_t height)
{
    uint8_t *data = sl_mem_array((size_t)width * (size_t)height, 4);
    ck_assert_ptr_nonnull(data);
    return (sl_pixels){.struct_size = sizeof(sl_pixels),
                       .width = width,
                       .height = height,
                       .stride = width * 4,
                       .data = data};
}

void clip_pixels_free(sl_pixels *p)
{
    sl_mem_free(p->data);
}

double clip_seconds(const char *path, bool video)
{
    AVFormatContext *in = NULL;
    ck_assert_int_ge(avformat_open_input(&in, path, NULL, NULL), 0);
    int i =
        av_find_best_stream(in, video ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
    ck_assert_int_ge(i, 0);
    double s = (double)in->streams[i]->duration * av_q2d(in->streams[i]->time_base);
    avformat_close_input(&in);
    return s;
}
