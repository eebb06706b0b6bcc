/*
 * server/peer.h - where somebody comes from, by the address of the socket or what a proxy of ours says of it, and
 * how many live connections come from there.
 *
 * Addresses are compared as 16 bytes: IPv4 mapped into IPv6, and of IPv6 the network of 64 bits, which is one
 * household's. The loop's thread alone.
 */
#ifndef SL_SERVER_PEER_H
#define SL_SERVER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_PEER_TEXT = 64,
    SL_PEER_BYTES = 16,
    SL_PEER_LISTS = 1024
};

/* The last address of the list in X-Forwarded-For: the one that our own proxy has added. */
void sl_peer_forwarded(const char *list, char out[SL_PEER_TEXT]);
/* False: not an address. */
bool sl_peer_key(const char *text, uint8_t out[SL_PEER_BYTES]);

/* One of those that are counted, within whatever else is kept of it. */
typedef struct sl_peer {
    struct sl_peer *next;
    uint8_t key[SL_PEER_BYTES];
    bool counted;
} sl_peer;

typedef struct sl_peers {
    sl_peer *lists[SL_PEER_LISTS]; /* by hash */
} sl_peers;

/* How many come from there. */
size_t sl_peers_count(const sl_peers *all, const uint8_t key[SL_PEER_BYTES]);
void sl_peers_add(sl_peers *all, sl_peer *one, const uint8_t key[SL_PEER_BYTES]);
void sl_peers_remove(sl_peers *all, sl_peer *one); /* one that was not added too */

#endif
