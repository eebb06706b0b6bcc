/* What is seen of WebSocket frames before libwebsockets sees them. */
#include "support.h"

#include "base/mem.h"
#include "server/strict.h"

#include <string.h>

enum {
    MAX = 1000,
    ROOM = 4096
};

typedef struct wire {
    sl_strict s;
    uint8_t out[ROOM];
    size_t n;
} wire;

static void begin(wire *w)
{
    memset(w, 0, sizeof *w);
    uint8_t head[ROOM] = "GET / HTTP/1.1\r\n\r\n";
    ck_assert_uint_eq(sl_strict_filter(&w->s, head, strlen((char *)head)), strlen((char *)head));
    ck_assert(sl_strict_begin(&w->s, MAX));
}

/* Puts bytes through, `step` at a time. */
static void feed(wire *w, const void *p, size_t n, size_t step)
{
    const uint8_t *from = p;
    for (size_t at = 0; at < n; at += step) {
        uint8_t chunk[ROOM];
        size_t take = step < n - at ? step : n - at;
        memcpy(chunk, from + at, take);
        size_t got = sl_strict_filter(&w->s, chunk, take);
        ck_assert_uint_le(got, take + SL_STRICT_ROOM);
        memcpy(w->out + w->n, chunk, got);
        w->n += got;
    }
}

/* The code of the close frame that came last in the place of what was wrong; 0: none. */
static unsigned fault(const wire *w)
{
    static const uint8_t head[6] = {0x88, 0x82, 0, 0, 0, 0};
    const uint8_t *end = w->out + w->n;
    return w->n >= 8 && memcmp(end - 8, head, sizeof head) == 0 ? (unsigned)end[-2] << 8 | end[-1]
                                                                : 0;
}

static unsigned fault_of(const void *p, size_t n)
{
    wire whole;
    wire parts;
    begin(&whole);
    begin(&parts);
    feed(&whole, p, n, n);
    feed(&parts, p, n, 1);
    ck_assert_uint_eq(fault(&whole), fault(&parts));
    ck_assert_uint_eq(whole.n, parts.n);
    ck_assert_mem_eq(whole.out, parts.out, whole.n);
    if (fault(&whole) == 0) {
        ck_assert_mem_eq(whole.out, p, whole.n);
    }
    sl_strict_end(&whole.s);
    sl_strict_end(&parts.s);
    return fault(&whole);
}

#define FAULT(...) fault_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define MASK       1, 2, 3, 4

START_TEST(strict__right_frames_pass_as_they_came_however_they_are_cut)
{
    ck_assert_uint_eq(FAULT(0x81, 0x80, MASK), 0);
    ck_assert_uint_eq(FAULT(0x81, 0x82, MASK, 'a' ^ 1, 'b' ^ 2), 0);
    ck_assert_uint_eq(FAULT(0x01, 0x81, MASK, 'a', 0x89, 0x81, MASK, 'p', 0x80, 0x81, MASK, 'b'),
                      0);
    ck_assert_uint_eq(FAULT(0x82, 0xFE, 0, 2, MASK, 9, 9, 0x8A, 0x80, MASK), 0);
    ck_assert_uint_eq(FAULT(0x88, 0x80, MASK), 0);
    ck_assert_uint_eq(FAULT(0x88, 0x82, MASK, 3 ^ 1, 0xE8 ^ 2), 0);
}
END_TEST

START_TEST(strict__what_is_wrong_with_a_head_closes_with_1002)
{
    ck_assert_uint_eq(FAULT(0x81, 0x01, 'a'), 1002);                    /* not masked */
    ck_assert_uint_eq(FAULT(0xC1, 0x80, MASK), 1002);                   /* reserved bits */
    ck_assert_uint_eq(FAULT(0x83, 0x80, MASK), 1002);                   /* no such opcode */
    ck_assert_uint_eq(FAULT(0x8B, 0x80, MASK), 1002);                   /* nor this */
    ck_assert_uint_eq(FAULT(0x09, 0x80, MASK), 1002);                   /* a ping in pieces */
    ck_assert_uint_eq(FAULT(0x89, 0xFE, 0, 126, MASK), 1002);           /* and too long */
    ck_assert_uint_eq(FAULT(0x80, 0x80, MASK), 1002);                   /* goes on with nothing */
    ck_assert_uint_eq(FAULT(0x01, 0x80, MASK, 0x81, 0x80, MASK), 1002); /* begins within */
    ck_assert_uint_eq(FAULT(0x89, 0x81, MASK, 'p', 0x81, 0x00, 0x81), 1002); /* behind a ping */
}
END_TEST

START_TEST(strict__closes_have_codes_that_may_be_sent_and_reasons_that_are_text)
{
    ck_assert_uint_eq(FAULT(0x88, 0x81, MASK, 3), 1002);
    ck_assert_uint_eq(FAULT(0x88, 0x82, MASK, 3 ^ 1, 0xE7 ^ 2), 1002);    /* 999 */
    ck_assert_uint_eq(FAULT(0x88, 0x82, MASK, 3 ^ 1, 0xED ^ 2), 1002);    /* 1005 */
    ck_assert_uint_eq(FAULT(0x88, 0x82, MASK, 0x0B ^ 1, 0xB7 ^ 2), 1002); /* 2999 */
    ck_assert_uint_eq(FAULT(0x88, 0x82, MASK, 0x0B ^ 1, 0xB8 ^ 2), 0);    /* 3000 */
    ck_assert_uint_eq(FAULT(0x88, 0x82, MASK, 0x13 ^ 1, 0x87 ^ 2), 0);    /* 4999 */
    ck_assert_uint_eq(FAULT(0x88, 0x82, MASK, 0x13 ^ 1, 0x88 ^ 2), 1002); /* 5000 */
    ck_assert_uint_eq(FAULT(0x88, 0x83, MASK, 3 ^ 1, 0xE8 ^ 2, 0x80 ^ 3), 1007);
}
END_TEST

START_TEST(strict__codes_that_libwebsockets_does_not_know_are_kept_aside)
{
    const uint8_t bytes[] = {0x88, 0x82, MASK, 3 ^ 1, 0xF4 ^ 2}; /* 1012 */
    wire w;
    begin(&w);
    feed(&w, bytes, sizeof bytes, 1);
    ck_assert_uint_eq(w.s.said, 1012);
    ck_assert_uint_eq(w.n, sizeof bytes);
    ck_assert_uint_eq((unsigned)(w.out[6] ^ 1) << 8 | (w.out[7] ^ 2), 1000);
    sl_strict_end(&w.s);
}
END_TEST

START_TEST(strict__a_message_has_a_size_in_all_its_frames)
{
    ck_assert_uint_eq(FAULT(0x82, 0xFE, 0x03, 0xE9, MASK), 1009); /* 1001 */
    ck_assert_uint_eq(FAULT(0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, MASK),
                      1009);
    uint8_t two[8 + MAX + 7] = {0x02, 0xFE, 0x03, 0xE8, MASK};
    two[8 + MAX] = 0x80;
    two[8 + MAX + 1] = 0x80;
    ck_assert_uint_eq(fault_of(two, 8 + MAX + 6), 0);
    two[8 + MAX + 1] = 0x81;
    ck_assert_uint_eq(fault_of(two, 8 + MAX + 7), 1009);
}
END_TEST

START_TEST(strict__a_text_does_not_end_within_a_character)
{
    ck_assert_uint_eq(FAULT(0x01, 0x81, MASK, 0xCE ^ 1, 0x80, 0x80, MASK), 1007);
    ck_assert_uint_eq(FAULT(0x01, 0x83, MASK, 0xF0 ^ 1, 0x9F ^ 2, 0x8E ^ 3, 0x80, 0x80, MASK),
                      1007);
    ck_assert_uint_eq(FAULT(0x01, 0x82, MASK, 0xCE ^ 1, 0xBA ^ 2, 0x80, 0x80, MASK), 0);
    ck_assert_uint_eq(FAULT(0x02, 0x81, MASK, 0xCE ^ 1, 0x80, 0x80, MASK), 0); /* no text */
}
END_TEST

START_TEST(strict__nothing_passes_behind_a_fault_or_a_close)
{
    const uint8_t bad[] = {0x81, 0x00};
    const uint8_t more[] = {0x81, 0x81, MASK, 'a'};
    const uint8_t end[] = {0x88, 0x80, MASK, 0x81, 0x81, MASK, 'a'};
    wire w;
    begin(&w);
    feed(&w, bad, sizeof bad, 2);
    size_t had = w.n;
    feed(&w, more, sizeof more, 3);
    ck_assert_uint_eq(w.n, had);
    sl_strict_end(&w.s);
    begin(&w);
    feed(&w, end, sizeof end, sizeof end);
    ck_assert_uint_eq(w.n, 6);
    sl_strict_end(&w.s);
}
END_TEST

/* What libwebsockets is to close for passes to the frame's end, and no ping behind it. */
static void ends_behind(const void *text, size_t n)
{
    const uint8_t ping[] = {0x89, 0x85, MASK, 'p', 'r', 'o', 'b', 'e'};
    for (size_t step = 1; step <= n; step++) {
        wire w;
        begin(&w);
        feed(&w, text, n, step);
        ck_assert_uint_eq(w.n, n);
        feed(&w, ping, sizeof ping, step);
        ck_assert_uint_eq(w.n, n);
        ck_assert_uint_eq(w.s.fault, 1007);
        sl_strict_end(&w.s);
    }
}

#define ENDS_BEHIND(...) \
    ends_behind((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

START_TEST(strict__nothing_passes_behind_a_frame_whose_text_is_wrong)
{
    ENDS_BEHIND(0x81, 0x83, MASK, 'a' ^ 1, 0xFF ^ 2, 'b' ^ 3);
    ENDS_BEHIND(0x01, 0x82, MASK, 0xC0 ^ 1, 0x80 ^ 2); /* in a frame that is not the last */
    ENDS_BEHIND(0x81, 0x82, MASK, 'a' ^ 1, 0xCE ^ 2);  /* cut short */
    ENDS_BEHIND(0x81, 0x83, MASK, 0xE0 ^ 1, 0x80 ^ 2, 0x80 ^ 3); /* longer than needed */
    ENDS_BEHIND(0x81, 0x83, MASK, 0xED ^ 1, 0xA0 ^ 2, 0x80 ^ 3); /* a surrogate */
    ENDS_BEHIND(0x81, 0x84, MASK, 0xF4 ^ 1, 0x90 ^ 2, 0x80 ^ 3, 0x80 ^ 4);
    ENDS_BEHIND(0x01, 0x81, MASK, 0xCE ^ 1, 0x80, 0x81, MASK, 'a' ^ 1); /* over two frames */
    ck_assert_uint_eq(
        FAULT(0x81, 0x84, MASK, 0xF4 ^ 1, 0x8F ^ 2, 0xBF ^ 3, 0xBF ^ 4, 0x89, 0x80, MASK), 0);
    ck_assert_uint_eq(FAULT(0x81, 0x83, MASK, 0xED ^ 1, 0x9F ^ 2, 0xBF ^ 3, 0x89, 0x80, MASK), 0);
    ck_assert_uint_eq(FAULT(0x82, 0x81, MASK, 0xFF ^ 1, 0x89, 0x80, MASK), 0); /* no text */
}
END_TEST

START_TEST(strict__bytes_that_came_with_the_request_for_the_upgrade_are_refused)
{
    sl_strict s = {.framing = false};
    uint8_t early[ROOM] = "GET / HTTP/1.1\r\n\r\n\x81";
    (void)sl_strict_filter(&s, early, strlen((char *)early));
    ck_assert(!sl_strict_begin(&s, MAX));
}
END_TEST

START_TEST(strict__what_cannot_be_held_for_want_of_memory_closes_with_1011)
{
    const uint8_t start[] = {0x82, 0xFE, 0x01};
    wire w;
    begin(&w);
    (void)sl_mem_fail_at(1, true);
    feed(&w, start, sizeof start, sizeof start);
    (void)sl_mem_fail_at(0, false);
    ck_assert_uint_eq(fault(&w), 1011);
    ck_assert_uint_eq(w.n, SL_STRICT_CLOSE_LEN);
    sl_strict_end(&w.s);
}
END_TEST

SL_TEST_MAIN("strict", strict__right_frames_pass_as_they_came_however_they_are_cut,
             strict__what_is_wrong_with_a_head_closes_with_1002,
             strict__closes_have_codes_that_may_be_sent_and_reasons_that_are_text,
             strict__codes_that_libwebsockets_does_not_know_are_kept_aside,
             strict__a_message_has_a_size_in_all_its_frames,
             strict__a_text_does_not_end_within_a_character,
             strict__nothing_passes_behind_a_fault_or_a_close,
             strict__nothing_passes_behind_a_frame_whose_text_is_wrong,
             strict__bytes_that_came_with_the_request_for_the_upgrade_are_refused,
             strict__what_cannot_be_held_for_want_of_memory_closes_with_1011)
