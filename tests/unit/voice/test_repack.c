/* Cutting by packets, and the other containers. What players make of them: tests/system/voice.sh. */
#include "voice/repack.h"

#include "base/mem.h"
#include "recording.h"
#include "support.h"
#include "tone.h"
#include "voice/listen.h"
#include "voice/ogg.h"
#include "voice/regroup.h"

#include <string.h>

enum {
    SECOND = 48000,
    LONG = 3 * SECOND
};

static float spoken[LONG];
static float straight[LONG];
static float heard[LONG + 1];
static recording voice;

static void set_up(void)
{
    for (size_t i = 0; i < LONG; i++) {
        double t = (double)i / SECOND;
        spoken[i] = (float)(0.4 * sin(6.28318530717958648 * (200.0 * t + 60.0 * t * t)));
    }
    voice = (recording){0};
    recording_of(&voice, spoken, LONG, SECOND);
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_listen_open(voice.file.data, voice.file.len, &l, NULL), SL_OK);
    ck_assert_uint_eq(sl_listen_read(l, straight, LONG), (size_t)LONG);
    sl_listen_close(l);
}

static void tear_down(void)
{
    sl_buf_free(&voice.file);
}

static size_t listen(const sl_buf *file)
{
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_listen_open(file->data, file->len, &l, NULL), SL_OK);
    size_t n = sl_listen_read(l, heard, LONG + 1);
    ck_assert_int_eq(sl_listen_frames(l), (int64_t)n);
    sl_listen_close(l);
    return n;
}

START_TEST(cut__keeps_exactly_the_stretch)
{
    static const int64_t cases[][2] = {{0, -1},          {0, 1},           {0, 960},
                                       {1, 961},         {3839, 9000},     {3840, 9001},
                                       {48000, 96000},   {47999, 96001},   {100000, -1},
                                       {LONG - 1, LONG}, {60000, LONG + 5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t from = cases[i][0];
        int64_t to = cases[i][1] < 0 || cases[i][1] > LONG ? LONG : cases[i][1];
        sl_buf out = {0};
        ck_assert_int_eq(
            sl_repack_cut(voice.file.data, voice.file.len, from, cases[i][1], &out, NULL), SL_OK);
        ck_assert_int_eq((int64_t)listen(&out), to - from);
        ck_assert_double_lt(tone_error_db(straight + from, heard, (size_t)(to - from)), -30.0);
        sl_buf_free(&out);
    }
}
END_TEST

START_TEST(cut__two_cuts_split_a_voice_and_add_up)
{
    sl_buf a = {0};
    sl_buf b = {0};
    ck_assert_int_eq(sl_repack_cut(voice.file.data, voice.file.len, 0, 70001, &a, NULL), SL_OK);
    ck_assert_int_eq(sl_repack_cut(voice.file.data, voice.file.len, 70001, -1, &b, NULL), SL_OK);
    ck_assert_uint_eq(listen(&a), 70001);
    ck_assert_uint_eq(listen(&b), LONG - 70001);
    /* Of a cut again. */
    sl_buf c = {0};
    ck_assert_int_eq(sl_repack_cut(b.data, b.len, 10000, 20000, &c, NULL), SL_OK);
    ck_assert_uint_eq(listen(&c), 10000);
    ck_assert_double_lt(tone_error_db(straight + 80001, heard, 10000), -30.0);
    sl_buf_free(&a);
    sl_buf_free(&b);
    sl_buf_free(&c);
}
END_TEST

/* Not encoded again: every packet is one of the old file's. */
START_TEST(cut__copies_the_packets)
{
    sl_buf out = {0};
    ck_assert_int_eq(sl_repack_cut(voice.file.data, voice.file.len, 48000, 96000, &out, NULL),
                     SL_OK);
    sl_listener *l = NULL;
    sl_packet packet;
    bool gap = false;
    uint32_t packets = 0;
    ck_assert_int_eq(sl_listen_open(out.data, out.len, &l, NULL), SL_OK);
    sl_listen_packets(l);
    while (sl_listen_packet(l, &packet, &gap)) {
        bool found = false;
        for (size_t i = 0; i + packet.n <= voice.file.len && !found; i++) {
            found = memcmp(voice.file.data + i, packet.p, packet.n) == 0;
        }
        ck_assert(found);
        packets++;
    }
    ck_assert_uint_ge(packets, 58); /* a second and 160 ms before */
    ck_assert_uint_le(packets, 60);
    sl_listen_close(l);
    sl_buf_free(&out);
}
END_TEST

START_TEST(cut__an_empty_stretch_is_refused)
{
    static const int64_t cases[][2] = {{LONG, -1}, {LONG + 1, -1}, {10, 10}, {11, 10}, {0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_buf out = {0};
        ck_assert_int_eq(
            sl_repack_cut(voice.file.data, voice.file.len, cases[i][0], cases[i][1], &out, NULL),
            SL_E_INVALID);
        sl_buf_free(&out);
    }
}
END_TEST

typedef sl_status (*repack)(const uint8_t *p, size_t n, sl_buf *out, sl_error **err);

static sl_status cut_all(const uint8_t *p, size_t n, sl_buf *out, sl_error **err)
{
    return sl_repack_cut(p, n, 0, -1, out, err);
}

static const repack all[] = {cut_all, sl_repack_mp4, sl_repack_caf};

START_TEST(repack__what_lacks_a_page_or_is_no_voice_is_refused)
{
    sl_ogg_found page;
    size_t at = 0;
    for (int i = 0; i < 6; i++) {
        ck_assert(sl_ogg_next(voice.file.data, voice.file.len, &at, &page));
    }
    for (size_t i = 0; i < 3; i++) {
        sl_buf out = {0};
        voice.file.data[page.at + 40] ^= 1;
        ck_assert_int_eq(all[i](voice.file.data, voice.file.len, &out, NULL), SL_E_INVALID);
        sl_buf_clear(&out);
        voice.file.data[page.at + 40] ^= 1;
        ck_assert_int_eq(all[i]((const uint8_t *)"OggS", 4, &out, NULL), SL_E_INVALID);
        sl_buf_clear(&out);
        ck_assert_int_eq(all[i](voice.file.data, voice.file.len, &out, NULL), SL_OK);
        ck_assert_uint_gt(out.len, 3000);
        sl_buf_free(&out);
    }
}
END_TEST

START_TEST(repack__running_out_of_memory_is_only_an_error)
{
    for (size_t i = 0; i < 3; i++) {
        bool enough = false;
        for (uint64_t k = 1; k < 200 && !enough; k++) {
            sl_buf out = {0};
            (void)sl_mem_fail_at(k, false);
            sl_status status = all[i](voice.file.data, voice.file.len, &out, NULL);
            enough = sl_mem_fail_at(0, false) < k;
            ck_assert_int_eq(status, enough ? SL_OK : SL_E_NOMEM);
            sl_buf_free(&out);
        }
        ck_assert(enough);
    }
}
END_TEST

/* In pieces of `step` bytes. */
static sl_status regroup(const sl_buf *file, size_t step, sl_buf *out)
{
    sl_regroup g = {.ended = false};
    sl_status status = SL_OK;
    for (size_t at = 0; status == SL_OK && at < file->len; at += step) {
        size_t n = file->len - at < step ? file->len - at : step;
        status = sl_regroup_put(&g, file->data + at, n, out, NULL);
    }
    status = status == SL_OK ? sl_regroup_end(&g, NULL) : status;
    sl_regroup_free(&g);
    return status;
}

START_TEST(regroup__the_packets_are_the_same_on_fewer_pages)
{
    static const size_t steps[] = {1 << 20, 1, 4096};
    sl_buf pages[3] = {{0}};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(regroup(&voice.file, steps[i], &pages[i]), SL_OK);
        ck_assert_uint_eq(pages[i].len, pages[0].len);
        ck_assert_mem_eq(pages[i].data, pages[0].data, pages[0].len);
    }
    sl_ogg_found page;
    size_t at = 0;
    uint32_t count = 0;
    uint64_t granule = 0;
    while (sl_ogg_next(pages[0].data, pages[0].len, &at, &page)) {
        ck_assert_uint_eq(page.sequence, count);
        ck_assert_uint_eq(page.flags & SL_OGG_FIRST, count == 0 ? SL_OGG_FIRST : 0);
        ck_assert_uint_eq(page.flags & SL_OGG_LAST, at == pages[0].len ? SL_OGG_LAST : 0);
        ck_assert_uint_le(page.granule - granule, SECOND);
        granule = page.granule;
        count++;
    }
    ck_assert_uint_eq(granule, LONG + 312);
    ck_assert_uint_eq(count, 2 + 4); /* 151 packets and 48 to a page; it were 19 */
    ck_assert_uint_eq(pages[0].len, voice.file.len - 15 * (size_t)SL_OGG_HEAD);
    ck_assert_uint_eq(listen(&pages[0]), LONG);
    ck_assert_mem_eq(heard, straight, sizeof straight);
    for (size_t i = 0; i < 3; i++) {
        sl_buf_free(&pages[i]);
    }
}
END_TEST

START_TEST(regroup__what_is_not_whole_is_refused)
{
    sl_buf out = {0};
    voice.file.data[voice.file.len / 2] ^= 1;
    ck_assert_int_eq(regroup(&voice.file, 4096, &out), SL_E_CORRUPT);
    voice.file.data[voice.file.len / 2] ^= 1;
    sl_buf_put(&voice.file, "O", 1); /* after the end */
    ck_assert_int_eq(regroup(&voice.file, 4096, &out), SL_E_CORRUPT);
    voice.file.len -= 2; /* before it */
    ck_assert_int_eq(regroup(&voice.file, 4096, &out), SL_E_CORRUPT);
    sl_buf_free(&out);
}
END_TEST

START_TEST(regroup__running_out_of_memory_is_only_an_error)
{
    bool enough = false;
    for (uint64_t k = 1; k < 50 && !enough; k++) {
        sl_buf out = {0};
        (void)sl_mem_fail_at(k, false);
        sl_status status = regroup(&voice.file, 1 << 20, &out);
        enough = sl_mem_fail_at(0, false) < k;
        ck_assert_int_eq(status, enough ? SL_OK : SL_E_NOMEM);
        sl_buf_free(&out);
    }
    ck_assert(enough);
}
END_TEST

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The index comes first and the boxes fill the file. */
START_TEST(repack__an_mp4_begins_with_its_index)
{
    sl_buf out = {0};
    ck_assert_int_eq(sl_repack_mp4(voice.file.data, voice.file.len, &out, NULL), SL_OK);
    static const char *const types[] = {"ftyp", "moov", "mdat"};
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        ck_assert_mem_eq(out.data + at + 4, types[i], 4);
        at += be32(out.data + at);
    }
    ck_assert_uint_eq(at, out.len);
    sl_buf_free(&out);
}
END_TEST

SL_TEST_MAIN_WITH("voice_repack", set_up, tear_down, cut__keeps_exactly_the_stretch,
                  cut__two_cuts_split_a_voice_and_add_up, cut__copies_the_packets,
                  cut__an_empty_stretch_is_refused,
                  repack__what_lacks_a_page_or_is_no_voice_is_refused,
                  repack__running_out_of_memory_is_only_an_error,
                  repack__an_mp4_begins_with_its_index,
                  regroup__the_packets_are_the_same_on_fewer_pages,
                  regroup__what_is_not_whole_is_refused,
                  regroup__running_out_of_memory_is_only_an_error)
