/*
 * server/head.h - looks at the head of a request (RFC 9112), octet by octet, and says with which status it is to
 * be refused: what two readers could understand differently, what is too long, what is no request of ours.
 *
 * libwebsockets 4.1 hangs up on some of it without a word, waits for more on other, and answers the rest by a page
 * of its own. So it gets whole heads alone, of which nothing is left to be said but what guard.h says of their
 * framing.
 */
#ifndef SL_SERVER_HEAD_H
#define SL_SERVER_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_HEAD_MAX = 14 * 1024,       /* bytes, all in all */
    SL_HEAD_TARGET_MAX = 8 * 1024, /* of the address */
    SL_HEAD_LINES_MAX = 80,        /* headers, and parameters of the address */
    SL_HEAD_WORD_MAX = 17,         /* letters of "transfer-encoding" */
    SL_HEAD_DONE = -1
};

/* Zeroed at first, and for the next head. */
typedef struct sl_head {
    uint8_t state;
    uint8_t word_len;
    uint8_t escape;  /* digits of a %xx that are still to come */
    uint8_t octet;   /* it, so far */
    uint8_t upgrade; /* letters of "websocket" in the Upgrade */
    uint8_t digits;  /* of the length, but for noughts in front */
    uint16_t size;
    uint16_t target;
    uint16_t lines;
    bool has_length;
    bool spoilt; /* the length is not one plain number, or there are chunks: guard.h refuses it */
    uint64_t length;                 /* of the body */
    char word[SL_HEAD_WORD_MAX + 1]; /* method, version, name of a header: as far as it fits */
} sl_head;

/* Takes up to n octets, and no further than the head's end or the first that is wrong: how many. *status: 0 when
 * the head goes on, SL_HEAD_DONE at its end, else what it is to be refused with. */
size_t sl_head_take(sl_head *h, const uint8_t *p, size_t n, int32_t *status);

#endif
