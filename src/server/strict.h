/*
 * server/strict.h - looks at what clients send before libwebsockets does: heads of requests (head.h), and frames
 * of WebSocket.
 *
 * A head is held back until it is whole. In the place of the first one that is not right libwebsockets gets a
 * request for SL_STRICT_REFUSED, which the adapter answers with the status that is kept here; what follows is thrown
 * away.
 *
 * libwebsockets 4.1 takes frames that RFC 6455 has a server refuse: frames that are not masked, control
 * frames that are too long or in pieces, messages begun within messages, close codes that nobody may
 * send. (Text that is no UTF-8 it finds itself at the end of a frame; here nothing passes behind that frame, for a ping that
 * came then would be sent back in the place of the close code.) It has no place to look at frames from outside; so this reads the socket
 * in its stead (`recv`, `SSL_read`, which libwebsockets gets from the program). What is right passes as it
 * came; in the place of the first frame that is not, libwebsockets gets a close frame with the code that
 * the client is to get, which it answers in kind. What follows is thrown away.
 *
 * Sockets that were not opened here, as those of libcurl, are left alone. Open, begin and close: the
 * loop's thread.
 */
#ifndef SL_SERVER_STRICT_H
#define SL_SERVER_STRICT_H

#include "server/head.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_STRICT_CONTROL_MAX = 125, /* bytes that a control frame carries */
    SL_STRICT_HELD_MAX = 132,    /* a head, or a control frame, that is not whole is held back */
    SL_STRICT_CLOSE_LEN = 8,
    SL_STRICT_ROOM = SL_STRICT_HELD_MAX + SL_STRICT_CLOSE_LEN,
    SL_STRICT_HEAD_ROOM = SL_HEAD_MAX + 128 /* a head that is held, and what comes in its place */
};

#define SL_STRICT_REFUSED "/.refused"

/* One connection, zeroed at first. */
typedef struct sl_strict {
    uint8_t last[4]; /* before the upgrade: the last bytes that came */
    bool
        heads; /* what comes are requests: else, and once it is false again, bytes pass as they are */
    uint8_t *held; /* what has come of a head, or of a frame's (sl_mem): NULL when it is none */
    uint16_t held_len;
    sl_head head;     /* the one under way */
    uint64_t body;    /* bytes of the body under way that are still to come */
    bool framing;     /* after the upgrade */
    bool dead;        /* what comes is thrown away */
    uint16_t fault;   /* why: the status or close code of the refusal, 0 when the client closed */
    bool in_message;  /* a message is not finished */
    uint64_t left;    /* bytes of the data frame under way that are still to come */
    uint64_t message; /* bytes of its message so far */
    uint64_t message_max;
    bool text; /* the message is text */
    uint8_t mask[4];
    uint8_t turn;     /* which byte of the mask is next */
    bool bad;         /* the text is no UTF-8, */
    uint8_t more;     /* or within a character of which so many bytes are to come, */
    uint8_t least;    /* the next of them from here */
    uint8_t most;     /* to here */
    uint16_t said;    /* the code of the client's close, when 1000 was put in its place */
    uint8_t peer[16]; /* its IPv6 address, or the mapped one of IPv4; zero: not known */
} sl_strict;

/* The bytes at p, n of them, have come, and there is room for sl_strict_room more. Returns how many there are
 * for libwebsockets, at p. */
size_t sl_strict_filter(sl_strict *s, uint8_t *p, size_t n);
size_t sl_strict_room(const sl_strict *s);
/* True when nothing came behind the request that asked for the upgrade. */
bool sl_strict_begin(sl_strict *s, uint64_t message_max);
void sl_strict_end(sl_strict *s); /* frees what it holds */

/* ---- by socket ---- */

void sl_strict_open(int fd); /* what cannot be watched for want of memory is refused in begin_fd */
void sl_strict_heads_fd(int fd); /* what comes are requests */
/* True when the client may still be sending: closed at once, the socket would be reset (linger.h). */
bool sl_strict_close(int fd);
/* The upgrade was made. False: the connection is to be ended. */
bool sl_strict_begin_fd(int fd, uint64_t message_max);
int32_t sl_strict_said_fd(int fd);
int32_t sl_strict_fault_fd(int fd);
/* The address it came from, as text; "" when it is not known. It was asked for by open: of a socket that
 * its peer has reset the kernel does not tell it any more. */
void sl_strict_peer_fd(int fd, char *out, size_t cap);

#endif
