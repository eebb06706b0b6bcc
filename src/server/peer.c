#include "server/peer.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    MAPPED_LEN = 12, /* before an IPv4 address in an IPv6 one (RFC 4291, 2.5.5.2) */
    NETWORK_LEN = 8
};

void sl_peer_forwarded(const char *list, char out[SL_PEER_TEXT])
{
    const char *last = strrchr(list, ',');
    last = last != NULL ? last + 1 : list;
    last += strspn(last, " \t");
    size_t n = strcspn(last, " \t");
    n = n < SL_PEER_TEXT ? n : SL_PEER_TEXT - 1;
    memcpy(out, last, n);
    out[n] = '\0';
}

bool sl_peer_key(const char *text, uint8_t out[SL_PEER_BYTES])
{
    static const uint8_t mapped[MAPPED_LEN] = {[10] = 0xff, [11] = 0xff};
    memset(out, 0, SL_PEER_BYTES);
    if (inet_pton(AF_INET, text, out + MAPPED_LEN) == 1) {
        memcpy(out, mapped, sizeof mapped);
        return true;
    }
    if (inet_pton(AF_INET6, text, out) != 1) {
        return false;
    }
    if (memcmp(out, mapped, sizeof mapped) != 0) {
        memset(out + NETWORK_LEN, 0, SL_PEER_BYTES - NETWORK_LEN);
    }
    return true;
}

static size_t list_of(const uint8_t key[SL_PEER_BYTES])
{
    uint32_t h = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < SL_PEER_BYTES; i++) {
        h = (h ^ key[i]) * 16777619U;
    }
    return h % SL_PEER_LISTS;
}

size_t sl_peers_count(const sl_peers *all, const uint8_t key[SL_PEER_BYTES])
{
    size_t n = 0;
    for (const sl_peer *p = all->lists[list_of(key)]; p != NULL; p = p->next) {
        n += memcmp(p->key, key, SL_PEER_BYTES) == 0 ? 1 : 0;
    }
    return n;
}

void sl_peers_add(sl_peers *all, sl_peer *one, const uint8_t key[SL_PEER_BYTES])
{
    sl_peer **first = &all->lists[list_of(key)];
    memcpy(one->key, key, SL_PEER_BYTES);
    one->counted = true;
    one->next = *first;
    *first = one;
}

void sl_peers_remove(sl_peers *all, sl_peer *one)
{
    if (!one->counted) {
        return;
    }
    one->counted = false;
    for (sl_peer **at = &all->lists[list_of(one->key)]; *at != NULL; at = &(*at)->next) {
        if (*at == one) {
            *at = one->next;
            return;
        }
    }
}
