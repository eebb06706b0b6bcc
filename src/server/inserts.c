/*
 * server/inserts.c - two of libwebsockets' own functions, in the program and so before those of the
 * library, for what they cost with many connections. Their effects are the same.
 *
 * Every connection has timers, all of them are in one list by time, and the library looks for the place of a
 * new one from the list's head: with thousands of connections most of what it does. Here the place is looked
 * for from both ends, of which one is near: timers are short, or as long as most are.
 *
 * What is not logged at any level that the server sets is more than a thousand calls with a variable number
 * of arguments, some of them for each byte of a request.
 */
#include <libwebsockets.h>
#include <stdarg.h>

#define EXPORTED __attribute__((visibility("default")))

/* Before the first that compares as not less. */
EXPORTED void lws_dll2_add_sorted(lws_dll2_t *d, lws_dll2_owner_t *own,
                                  int (*compare)(const lws_dll2_t *d, const lws_dll2_t *i))
{
    struct lws_dll2 *front = own->head;
    struct lws_dll2 *back = own->tail;
    while (front != NULL && compare(front, d) < 0) {
        if (compare(back, d) < 0) { /* and so the one behind it is not, if there is one */
            front = back->next;
            break;
        }
        front = front->next;
        back = back->prev;
    }
    if (front != NULL) {
        lws_dll2_add_before(d, front);
    } else {
        lws_dll2_add_tail(d, own);
    }
}

EXPORTED void _lws_log(int filter, const char *format, ...)
{
    if ((filter & (LLL_ERR | LLL_WARN | LLL_NOTICE | LLL_USER)) != 0) {
        va_list args;
        va_start(args, format);
        _lws_logv(filter, format, args);
        va_end(args);
    }
}
