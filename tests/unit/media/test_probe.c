/* What a file is, and which files are refused. */
#include "media/probe.h"

#include "base/mem.h"
#include "clip.h"
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static sl_status probe(const char *path, sl_probe *out, char *why, size_t cap)
{
    sl_error *err = NULL;
    sl_status status = sl_probe_file(path, out, &err);
    ck_assert((status == SL_OK) == (err == NULL));
    (void)snprintf(why, cap, "%s", err != NULL ? sl_error_message(err) : "");
    sl_error_release(err);
    return status;
}

START_TEST(probe__tells_what_a_clip_is)
{
    char dir[CLIP_PATH_MAX];
    char path[CLIP_PATH_MAX];
    char why[200];
    sl_probe p;
    clip_folder(dir);
    clip_join(path, dir, "a:b %20 é.mp4"); /* no protocol, no escape: a name */
    clip_make(path, 60, 30, true);
    ck_assert_int_eq(probe(path, &p, why, sizeof why), SL_OK);
    ck_assert_int_eq(p.width, CLIP_WIDTH);
    ck_assert_int_eq(p.height, CLIP_HEIGHT);
    ck_assert_int_eq(p.rotation, 0);
    ck_assert_int_eq(p.duration_us, 2000000);
    ck_assert_int_eq(p.rate_num, 30);
    ck_assert_int_eq(p.rate_den, 1);
    ck_assert_int_eq(p.frames, 60);
    ck_assert_str_eq(p.video_codec, "h264");
    ck_assert_str_eq(p.audio_codec, "aac");
    ck_assert_int_eq(p.audio_rate, 48000);
    ck_assert_str_eq(p.format, "mp4");
    ck_assert_str_eq(p.media_type, "video/mp4");
    struct stat facts;
    ck_assert_int_eq(stat(path, &facts), 0);
    ck_assert_int_eq(p.size, facts.st_size);
    sl_json *j = sl_probe_json(&p);
    ck_assert_int_eq(sl_json_int_or(j, "duration_us", 0), 2000000);
    ck_assert_uint_eq(sl_json_count(sl_json_get(j, "frame_rate")), 2);
    sl_json_free(j);
    clip_folder_drop(dir);
}
END_TEST

START_TEST(probe__knows_the_other_containers_and_turned_pictures)
{
    static const struct {
        const char *name, *format;
        int rotation, width;
    } cases[] = {{"c.mkv", "mkv", 0, CLIP_WIDTH},     {"c.avi", "avi", 0, CLIP_WIDTH},
                 {"c.mov", "mov", 0, CLIP_WIDTH},     {"90.mp4", "mp4", 90, CLIP_HEIGHT},
                 {"180.mp4", "mp4", 180, CLIP_WIDTH}, {"270.mp4", "mp4", 270, CLIP_HEIGHT}};
    char dir[CLIP_PATH_MAX];
    char from[CLIP_PATH_MAX];
    char path[CLIP_PATH_MAX];
    char why[200];
    clip_folder(dir);
    clip_join(from, dir, "from.mp4");
    clip_make(from, 10, 25, false);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_probe p;
        clip_join(path, dir, cases[i].name);
        if (strcmp(cases[i].format, "avi") == 0) {
            clip_make_avi(path, 10, 25);
        } else {
            clip_remux(from, path, cases[i].rotation);
        }
        ck_assert_int_eq(probe(path, &p, why, sizeof why), SL_OK);
        ck_assert_str_eq(p.format, cases[i].format);
        ck_assert_int_eq(p.rotation, cases[i].rotation);
        ck_assert_int_eq(p.width, cases[i].width);
        ck_assert_str_eq(p.audio_codec, "");
    }
    clip_folder_drop(dir);
}
END_TEST

START_TEST(probe__a_cut_video_is_called_so_wherever_it_is_cut)
{
    static const char *const names[] = {"front.mp4", "back.mp4"};
    char dir[CLIP_PATH_MAX];
    char path[CLIP_PATH_MAX];
    char cut[CLIP_PATH_MAX];
    char why[200];
    sl_probe p;
    clip_folder(dir);
    clip_join(cut, dir, "cut.mp4");
    for (int i = 0; i < 2; i++) {
        sl_buf bytes = {0};
        clip_join(path, dir, names[i]);
        if (i == 0) {
            clip_make(path, 20, 25, true); /* the index in front */
        } else {
            char front[CLIP_PATH_MAX];
            clip_join(front, dir, names[0]);
            clip_remux(front, path, 0); /* the index behind */
        }
        ck_assert(clip_read(path, &bytes));
        for (size_t n = 32; n < bytes.len; n += bytes.len / 13) {
            ck_assert(clip_write(cut, bytes.data, n));
            ck_assert_int_eq(probe(cut, &p, why, sizeof why), SL_E_INVALID);
            ck_assert_str_eq(why, "The video is cut off or damaged");
        }
        ck_assert(clip_write(cut, bytes.data, bytes.len - 1));
        ck_assert_int_eq(probe(cut, &p, why, sizeof why), SL_E_INVALID);
        ck_assert(clip_write(cut, bytes.data, bytes.len));
        ck_assert_int_eq(probe(cut, &p, why, sizeof why), SL_OK);
        sl_buf_free(&bytes);
    }
    clip_folder_drop(dir);
}
END_TEST

START_TEST(probe__what_is_no_video_is_refused)
{
    static const struct {
        const char *text;
    } cases[] = {{""},
                 {"Hello, this is only text, and rather more than a few bytes of it."},
                 {"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n"},
                 {"ffconcat version 1.0\nfile '/etc/passwd'\n"},
                 {"RIFF\xff\xff\0\0AVI LIST"},
                 {"OggS"},
                 {"\x1a\x45\xdf\xa3"}};
    char dir[CLIP_PATH_MAX];
    char path[CLIP_PATH_MAX];
    char why[200];
    sl_probe p;
    clip_folder(dir);
    clip_join(path, dir, "x.mp4");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert(clip_write(path, cases[i].text, strlen(cases[i].text)));
        ck_assert_int_eq(probe(path, &p, why, sizeof why), SL_E_INVALID);
    }
    clip_join(path, dir, "absent.mp4");
    ck_assert_int_eq(probe(path, &p, why, sizeof why), SL_E_NOT_FOUND);
    ck_assert_int_eq(probe(dir, &p, why, sizeof why), SL_E_IO);
    clip_folder_drop(dir);
}
END_TEST

START_TEST(probe__random_damage_never_breaks_it)
{
    char dir[CLIP_PATH_MAX];
    char path[CLIP_PATH_MAX];
    char why[200];
    sl_probe p;
    sl_buf bytes = {0};
    clip_folder(dir);
    clip_join(path, dir, "x.mp4");
    clip_make(path, 12, 25, true);
    ck_assert(clip_read(path, &bytes));
    uint32_t random = 1;
    for (int i = 0; i < 60; i++) {
        random = random * 1664525U + 1013904223U;
        size_t at = (random >> 8) % (bytes.len < 3000 ? bytes.len : 3000); /* mostly the index */
        uint8_t old = bytes.data[at];
        bytes.data[at] = (uint8_t)(random >> 24);
        ck_assert(clip_write(path, bytes.data, bytes.len));
        (void)probe(path, &p, why, sizeof why);
        bytes.data[at] = old;
    }
    sl_buf_free(&bytes);
    clip_folder_drop(dir);
}
END_TEST

SL_TEST_MAIN("media_probe", probe__tells_what_a_clip_is,
             probe__knows_the_other_containers_and_turned_pictures,
             probe__a_cut_video_is_called_so_wherever_it_is_cut, probe__what_is_no_video_is_refused,
             probe__random_damage_never_breaks_it)
