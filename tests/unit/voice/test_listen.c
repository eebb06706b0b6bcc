/* Reading voices: torn, damaged, hostile ones. */
#include "voice/listen.h"

#include "base/mem.h"
#include "base/prng.h"
#include "recording.h"
#include "support.h"
#include "tone.h"
#include "voice/ogg.h"

#include <string.h>

enum {
    SECOND = 48000
};

static float pcm[2 * SECOND];
static float heard[3 * SECOND];

/* Two seconds: silence, then a tone. */
static recording two_seconds(void)
{
    recording r = {0};
    tone_make(pcm + SECOND, SECOND, 500.0, SECOND, 0.5);
    recording_of(&r, pcm, 2 * (size_t)SECOND, SECOND);
    return r;
}

/* The page at index i of a file. */
static sl_ogg_found page_of(const sl_buf *b, uint32_t i)
{
    sl_ogg_found page = {0};
    size_t at = 0;
    for (uint32_t k = 0; k <= i; k++) {
        ck_assert(sl_ogg_next(b->data, b->len, &at, &page));
    }
    return page;
}

START_TEST(listen__a_torn_file_gives_what_is_whole)
{
    recording r = two_seconds();
    int64_t last = 2 * (int64_t)SECOND;
    sl_ogg_found page = page_of(&r.file, 2);
    for (size_t n = r.file.len - 1; n > page.at + page.len; n -= 97) {
        sl_listener *l = NULL;
        ck_assert_int_eq(sl_listen_open(r.file.data, n, &l, NULL), SL_OK);
        int64_t frames = sl_listen_frames(l);
        ck_assert_int_le(frames, last);
        ck_assert_int_gt(frames, 0);
        ck_assert_int_eq((frames + 312) % 960, 0);
        ck_assert_int_eq((int64_t)sl_listen_read(l, heard, 3 * (size_t)SECOND), frames);
        last = frames;
        sl_listen_close(l);
        n = n > 97 ? n : 98;
    }
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(listen__a_missing_page_is_silence_and_the_rest_keeps_its_place)
{
    recording r = two_seconds();
    sl_ogg_found gone = page_of(&r.file, 4);
    sl_buf cut = {0};
    sl_buf_put(&cut, r.file.data, gone.at);
    sl_buf_put(&cut, r.file.data + gone.at + gone.len, r.file.len - gone.at - gone.len);
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_listen_open(cut.data, cut.len, &l, NULL), SL_OK);
    ck_assert_int_eq(sl_listen_frames(l), 2 * SECOND);
    ck_assert_uint_eq(sl_listen_read(l, heard, 3 * (size_t)SECOND), 2 * (size_t)SECOND);
    ck_assert_double_lt(tone_rms(heard, SECOND - 960), 0.01);
    ck_assert_double_gt(tone_rms(heard + SECOND + 480, SECOND - 960), 0.3);
    sl_listen_close(l);
    sl_buf_free(&cut);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(listen__a_damaged_page_counts_as_missing)
{
    recording r = two_seconds();
    sl_ogg_found page = page_of(&r.file, 5);
    r.file.data[page.at + 40] ^= 1;
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_listen_open(r.file.data, r.file.len, &l, NULL), SL_OK);
    ck_assert_int_eq(sl_listen_frames(l), 2 * SECOND);
    ck_assert_uint_eq(sl_listen_read(l, heard, 3 * (size_t)SECOND), 2 * (size_t)SECOND);
    sl_listen_close(l);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(listen__reading_in_small_pieces_gives_the_same)
{
    static float pieces[2 * SECOND];
    recording r = two_seconds();
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_listen_open(r.file.data, r.file.len, &l, NULL), SL_OK);
    ck_assert_uint_eq(sl_listen_read(l, heard, 3 * (size_t)SECOND), 2 * (size_t)SECOND);
    sl_listen_close(l);
    ck_assert_int_eq(sl_listen_open(r.file.data, r.file.len, &l, NULL), SL_OK);
    size_t at = 0;
    size_t n = 0;
    while ((n = sl_listen_read(l, pieces + at, at + 77 < 96000 ? 77 : 96000 - at)) > 0) {
        at += n;
    }
    sl_listen_close(l);
    ck_assert_uint_eq(at, 2 * (size_t)SECOND);
    ck_assert_mem_eq(pieces, heard, sizeof pieces);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(listen__what_is_no_voice_is_refused)
{
    recording r = two_seconds();
    sl_listener *l = NULL;
    ck_assert_int_eq(sl_listen_open((const uint8_t *)"", 0, &l, NULL), SL_E_INVALID);
    ck_assert_int_eq(sl_listen_open((const uint8_t *)"OggSOggSOggS", 12, &l, NULL), SL_E_INVALID);
    sl_ogg_found head = page_of(&r.file, 0);
    ck_assert_int_eq(sl_listen_open(r.file.data + head.len, r.file.len - head.len, &l, NULL),
                     SL_E_INVALID);
    /* Six channels. */
    sl_ogg_writer w = {.serial = 1};
    uint8_t packet[19] = "OpusHead\1\6";
    sl_buf six = {0};
    ck_assert(sl_ogg_packet(&w, packet, sizeof packet));
    sl_ogg_page(&w, 0, SL_OGG_FIRST, &six);
    ck_assert_int_eq(sl_listen_open(six.data, six.len, &l, NULL), SL_E_INVALID);
    sl_ogg_writer_free(&w);
    sl_buf_free(&six);
    /* A head and no sound: a voice of no length. */
    ck_assert_int_eq(sl_listen_open(r.file.data, head.len, &l, NULL), SL_OK);
    ck_assert_int_eq(sl_listen_frames(l), 0);
    ck_assert_uint_eq(sl_listen_read(l, heard, 100), 0);
    sl_listen_close(l);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(listen__random_damage_never_breaks_it)
{
    recording r = two_seconds();
    sl_prng random;
    sl_prng_seed(&random, 42);
    uint8_t *copy = sl_mem(r.file.len);
    for (int round = 0; round < 60; round++) {
        memcpy(copy, r.file.data, r.file.len);
        for (int k = 0; k < 5; k++) {
            copy[sl_prng_below(&random, r.file.len)] = (uint8_t)sl_prng_next(&random);
        }
        sl_listener *l = NULL;
        if (sl_listen_open(copy, r.file.len, &l, NULL) == SL_OK) {
            ck_assert_int_le((int64_t)sl_listen_read(l, heard, 3 * (size_t)SECOND),
                             sl_listen_frames(l));
            sl_listen_close(l);
        }
    }
    sl_mem_free(copy);
    sl_buf_free(&r.file);
}
END_TEST

START_TEST(ogg__a_packet_of_255_bytes_ends_with_an_empty_segment)
{
    static const size_t sizes[] = {1, 254, 255, 256, 510, 1275};
    uint8_t bytes[1275];
    memset(bytes, 'x', sizeof bytes);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        sl_ogg_writer w = {.serial = 9};
        sl_buf out = {0};
        ck_assert(sl_ogg_packet(&w, bytes, sizes[i]));
        sl_ogg_page(&w, 5, 0, &out);
        sl_ogg_found page = page_of(&out, 0);
        ck_assert_uint_eq(page.body_len, sizes[i]);
        ck_assert_uint_eq(page.segments, sizes[i] / 255 + 1);
        ck_assert_uint_eq(page.lacing[page.segments - 1], sizes[i] % 255);
        ck_assert_uint_eq(page.len, out.len);
        sl_ogg_writer_free(&w);
        sl_buf_free(&out);
    }
}
END_TEST

START_TEST(ogg__a_page_takes_255_segments_and_no_more)
{
    sl_ogg_writer w = {.serial = 9};
    for (int i = 0; i < 255; i++) {
        ck_assert(sl_ogg_packet(&w, (const uint8_t *)"x", 1));
    }
    ck_assert(!sl_ogg_packet(&w, (const uint8_t *)"x", 1));
    sl_ogg_writer_free(&w);
}
END_TEST

START_TEST(ogg__a_recovered_file_ends_with_the_end_mark)
{
    recording r = two_seconds();
    size_t whole = r.file.len;
    r.file.len -= 20;
    size_t n = sl_ogg_recover(r.file.data, r.file.len);
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_lt(n, whole);
    sl_ogg_found page;
    sl_ogg_found last = {0};
    size_t at = 0;
    while (sl_ogg_next(r.file.data, n, &at, &page)) {
        last = page;
    }
    ck_assert_uint_eq(last.at + last.len, n);
    ck_assert_uint_ne(last.flags & SL_OGG_LAST, 0);
    ck_assert_uint_eq(sl_ogg_recover(r.file.data, n), n);
    ck_assert_uint_eq(sl_ogg_recover(r.file.data, 100), 0);
    sl_buf_free(&r.file);
}
END_TEST

SL_TEST_MAIN("voice_listen", listen__a_torn_file_gives_what_is_whole,
             listen__a_missing_page_is_silence_and_the_rest_keeps_its_place,
             listen__a_damaged_page_counts_as_missing,
             listen__reading_in_small_pieces_gives_the_same, listen__what_is_no_voice_is_refused,
             listen__random_damage_never_breaks_it,
             ogg__a_packet_of_255_bytes_ends_with_an_empty_segment,
             ogg__a_page_takes_255_segments_and_no_more,
             ogg__a_recovered_file_ends_with_the_end_mark)
