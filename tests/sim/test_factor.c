/* A second factor set up by a device that is online: over the network's whims it stays signed in, with its codes. */
#include "lab.h"

#include "crypto/totp.h"
#include "sideline/core.h"
#include "support.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum {
    NETWORKS = 60,
    RECOVERY_CODES = 20,
    MINUTE = 60000
};

static char g_secret[64];
static size_t g_codes;

static void hear(lab_node *n, const sl_json *event)
{
    const sl_json *res = sl_json_get(event, "res");
    const char *secret = sl_json_str(res, "secret");
    (void)n;
    if (secret != NULL) {
        (void)snprintf(g_secret, sizeof g_secret, "%s", secret);
    }
    g_codes += sl_json_count(sl_json_get(res, "recovery_codes"));
}

static void account(lab_node *n, const char *json)
{
    n->op_ended = false;
    ck_assert_int_eq(sl_account_do(n->node->core, json, strlen(json), &n->op, NULL), SL_OK);
    sl_sim_node_touched(n->node);
    lab_wait_op(n);
}

/* RFC 4648, the other way. */
static void key_of(const char *base32, uint8_t key[SL_TOTP_KEY_LEN])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint64_t bits = 0;
    unsigned n = 0;
    size_t at = 0;
    for (const char *p = base32; *p != 0 && at < SL_TOTP_KEY_LEN; p++) {
        const char *digit = strchr(digits, *p);
        ck_assert_ptr_nonnull(digit);
        bits = bits << 5 | (uint64_t)(digit - digits);
        for (n += 5; n >= 8; n -= 8) {
            key[at++] = (uint8_t)(bits >> (n - 8));
        }
    }
    ck_assert_uint_eq(at, SL_TOTP_KEY_LEN);
}

static int64_t wall_s(const lab *l)
{
    const sl_platform *of = &l->sim->server.host.platform;
    return of->clock->wall_ms(of->user) / 1000;
}

static void confirm_over(uint64_t network)
{
    uint8_t key[SL_TOTP_KEY_LEN];
    char confirm[80];
    lab *l = lab_open_seed(network);
    l->hear = hear;
    g_codes = 0;
    lab_node *n = lab_device(l, "cleo");
    lab_sign_up(n, "cleo@lab.test", "athlete");
    lab_online(n, true);
    lab_settle(l, MINUTE);
    account(n, "{\"do\":\"totp\"}");
    key_of(g_secret, key);
    (void)snprintf(confirm, sizeof confirm, "{\"do\":\"totp_confirm\",\"code\":\"%06u\"}",
                   (unsigned)sl_totp_code(key, sizeof key, (uint64_t)(wall_s(l) / SL_TOTP_STEP_S),
                                          SL_TOTP_DIGITS));
    account(n, confirm);
    ck_assert(n->op_ok);
    lab_settle(l, MINUTE);
    ck_assert_msg(n->sign_outs == 0, "signed out over network %d", (int)network);
    ck_assert_uint_eq(g_codes, RECOVERY_CODES);
    lab_close(l);
}

/* The server ends the old session when the factor is there: the end of its socket may be heard before the answer. */
START_TEST(factor__that_is_confirmed_signs_nobody_out_whatever_is_heard_first)
{
    ck_assert(run_init());
    for (uint64_t network = 1; network <= NETWORKS; network++) {
        confirm_over(network);
    }
    run_done();
}
END_TEST

SL_TEST_MAIN("sim_factor", factor__that_is_confirmed_signs_nobody_out_whatever_is_heard_first)
