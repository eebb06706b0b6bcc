/* A coach who sells, an athlete who buys, and a provider of payments. */
#ifndef TESTS_SERVICE_SHOP_H
#define TESTS_SERVICE_SHOP_H

#include "unit/service/world.h"

/* The provider: what it was asked last, and how it answers. */
typedef struct provider {
    char path[200];
    char form[2000];
    char key[128];
    size_t asked;
    size_t made; /* requests with a key that is new */
    char keys[32][128];
    sl_status fault;
} provider;

typedef struct shop {
    world *w;
    provider p;
    person coach;
    person athlete;
    char shop[SL_SPACE_MAX];
    char program[SL_SPACE_MAX];
    uint32_t events;
} shop;

int32_t shop_ask(shop *s, const person *p, const char *path, const char *body);

int32_t shop_price(shop *s, const person *p, const char *entity, uint32_t id, int64_t price);

/* A coach with a shop: program 0x200 for 49.99, product 0x300 of it for 25.00, plan 0x400 for 9.90 a month. */
void shop_open(shop *s);

void shop_close(shop *s);

answer shop_buy(shop *s, const person *p, uint32_t id, const char *what, uint32_t object);

int32_t shop_buy_status(shop *s, const person *p, uint32_t id, const char *what, uint32_t object);

int32_t send_signed(shop *s, const char *body, int64_t at_s, const char *secret);

/* An event of its own, or a second time the one with this number. */
int32_t tell_numbered(shop *s, uint32_t number, const char *type, int64_t created,
                      const char *object);

void tell(shop *s, const char *type, int64_t created, const char *object);

void tell_paid(shop *s, uint32_t id, int64_t amount);

void tell_refunded(shop *s, uint32_t id, bool whole);

/* until: days from now. */
void tell_subscribed(shop *s, uint32_t id, const char *status, int64_t created, int until);

/* A field of the record in this person's own space that is there; "" when it is not. */
const char *shop_kept(const shop *s, const char *entity, const person *p, const char *id,
                      const char *field);

bool shop_holds(const shop *s, const person *p);

#endif
