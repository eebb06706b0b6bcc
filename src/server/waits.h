/*
 * server/waits.h - the loop waits for many sockets without the kernel looking at each of them every time.
 *
 * libwebsockets' own loop calls poll() with all its sockets, the idle ones too. Debian's is built without
 * the interface for other loops, so the program has a `poll` of its own: from the loop's thread, and with
 * more than a few sockets, it keeps an epoll that knows them and asks that. The answer is poll's: level by
 * level, errors and hang-ups unasked for. From other threads, and with few sockets, it is the kernel's poll.
 *
 * A socket that is closed leaves the epoll by itself; that its number is another's then has to be said.
 */
#ifndef SL_SERVER_WAITS_H
#define SL_SERVER_WAITS_H

#include <stdbool.h>

enum {
    SL_WAITS_FEW = 16 /* so many sockets and fewer are asked one by one */
};

/* From now on the calling thread is the loop's, or is not any more. One thread at a time. */
void sl_waits_serve(bool on);
/* The number is a new socket's. The loop's thread. */
void sl_waits_new(int fd);

#endif
