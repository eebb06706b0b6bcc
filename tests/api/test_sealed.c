/* Sealed folders through the public functions: keys, keychains, changing them, wiping. */
#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "crypto/aead.h"
#include "scan.h"
#include "sideline/core.h"
#include "sideline/record.h"
#include "sideline/sync.h"
#include "store/store.h"

#include <unistd.h>

#define SPACE  "video:01890000-0000-7000-8000-000000000002"
#define CANARY "the canary sings at dawn"

static sl_platform g_platform;
static char g_dir[64];

static void setup(void)
{
    g_platform.struct_size = sizeof g_platform;
    ck_assert_int_eq(sl_platform_builtin(&g_platform), SL_OK);
    (void)snprintf(g_dir, sizeof g_dir, "/tmp/sideline-sealed-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g_dir));
}

static void teardown(void)
{
    char command[160];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", g_dir);
    ck_assert_int_eq(system(command), 0); /* NOLINT: the path is this test's own */
    g_platform.release(g_platform.user);
    ck_assert_int_eq(sl_debug_live_objects(), 0);
}

static sl_core *open_with(const uint8_t *key, const sl_keychain *keychain, sl_status want,
                          const char *sentence)
{
    sl_core *core = NULL;
    sl_error *err = NULL;
    sl_config cfg = {.struct_size = sizeof cfg,
                     .flags = SL_CORE_STEPPED,
                     .dir = g_dir,
                     .key = key,
                     .keychain = keychain};
    sl_status status = sl_core_open(&cfg, &core, &err);
    ck_assert_int_eq(status, want);
    if (sentence != NULL) {
        ck_assert_ptr_nonnull(strstr(sl_error_message(err), sentence));
    }
    sl_error_release(err);
    return core;
}

static int canaries(void)
{
    return sl_scan_for(&g_platform, g_dir, "canary", NULL);
}

static void write_canaries(sl_core *core, char hex[65])
{
    sl_bytes *sha = NULL;
    static const char op[] = "[{\"op\":\"create\",\"entity\":\"comment\",\"space\":\"" SPACE
                             "\",\"fields\":{\"body\":\"" CANARY "\"}}]";
    sl_error *err = NULL;
    sl_status status = sl_apply(core, op, sizeof op - 1, NULL, &err);
    ck_assert_msg(status == SL_OK, "%s", sl_error_message(err));
    ck_assert_int_eq(
        sl_blob_put(core, SPACE, (const uint8_t *)CANARY, sizeof CANARY, "text/plain", &sha, NULL),
        SL_OK);
    (void)snprintf(hex, 65, "%s", (const char *)sl_bytes_data(sha));
    sl_bytes_release(sha);
}

static bool has_canaries(sl_core *core, const char *hex)
{
    static const char query[] = "{\"from\":\"comment\"}";
    sl_bytes *rows = NULL;
    sl_bytes *blob = NULL;
    ck_assert_int_eq(sl_query_once(core, query, sizeof query - 1, &rows, NULL), SL_OK);
    bool row = sl_scan_bytes((const char *)sl_bytes_data(rows), sl_bytes_len(rows), CANARY);
    bool bytes = sl_blob_get(core, hex, &blob, NULL) == SL_OK &&
                 sl_bytes_len(blob) == sizeof CANARY &&
                 memcmp(sl_bytes_data(blob), CANARY, sizeof CANARY) == 0;
    sl_bytes_release(rows);
    sl_bytes_release(blob);
    ck_assert(row == bytes);
    return row;
}

static const uint8_t KEY[32] = {1, 2, 3};
static const uint8_t OTHER[32] = {9};

START_TEST(sealed__a_folder_holds_nothing_in_the_clear)
{
    char hex[65];
    sl_core *core = open_with(KEY, NULL, SL_OK, NULL);
    write_canaries(core, hex);
    ck_assert_int_eq(canaries(), 0);
    ck_assert(has_canaries(core, hex));
    sl_core_close(core);
    ck_assert_int_eq(canaries(), 0);
    (void)open_with(NULL, NULL, SL_E_DENIED, "is sealed: its key is needed");
    (void)open_with(OTHER, NULL, SL_E_DENIED, "is sealed under another key");
    core = open_with(KEY, NULL, SL_OK, NULL);
    ck_assert(has_canaries(core, hex));
    sl_core_close(core);
}
END_TEST

START_TEST(sealed__a_folder_in_the_clear_is_sealed_when_it_is_opened_with_a_key)
{
    char hex[65];
    sl_core *core = open_with(NULL, NULL, SL_OK, NULL);
    write_canaries(core, hex);
    sl_core_close(core);
    ck_assert_int_ge(canaries(), 2);
    core = open_with(KEY, NULL, SL_OK, NULL);
    ck_assert(has_canaries(core, hex));
    sl_core_close(core);
    ck_assert_int_eq(canaries(), 0);
    (void)open_with(NULL, NULL, SL_E_DENIED, NULL);
}
END_TEST

/* A folder of the time when a key sealed the session and nothing else. */
static void make_old_folder(void)
{
    static const char session[] =
        "{\"id\":\"01890000-0000-7000-8000-00000000000a\",\"email\":\"ann@example.org\","
        "\"name\":\"Ann\",\"role\":\"athlete\",\"refresh\":\"r\"}";
    uint8_t raw[SL_AEAD_NONCE_LEN + sizeof session - 1 + SL_AEAD_TAG_LEN] = {5};
    sl_buf text = {0};
    sl_store *s = NULL;
    ck_assert_int_eq(sl_aead_seal(KEY, raw, (sl_aad){NULL, 0}, session, sizeof session - 1,
                                  raw + SL_AEAD_NONCE_LEN, NULL),
                     SL_OK);
    sl_buf_str(&text, "sealed:");
    sl_base64(&text, raw, sizeof raw);
    ck_assert_int_eq(sl_store_open(&g_platform, g_dir, &s, NULL), SL_OK);
    ck_assert_int_eq(sl_store_set_meta(s, "session", sl_buf_text(&text), NULL), SL_OK);
    sl_store_close(s);
    sl_buf_free(&text);
}

static bool signed_in(sl_core *core)
{
    sl_bytes *b = NULL;
    ck_assert_int_eq(sl_core_info(core, "session", &b, NULL), SL_OK);
    bool found = sl_scan_bytes((const char *)sl_bytes_data(b), sl_bytes_len(b), "ann@example.org");
    sl_bytes_release(b);
    return found;
}

START_TEST(sealed__a_folder_from_before_keeps_its_session_and_takes_no_other_key)
{
    make_old_folder();
    (void)open_with(NULL, NULL, SL_E_DENIED, NULL);
    (void)open_with(OTHER, NULL, SL_E_DENIED, "under another key");
    for (int i = 0; i < 2; i++) {
        sl_core *core = open_with(KEY, NULL, SL_OK, NULL);
        ck_assert(signed_in(core));
        sl_core_close(core);
    }
    (void)open_with(OTHER, NULL, SL_E_DENIED, NULL);
    ck_assert_int_eq(sl_scan_for(&g_platform, g_dir, "sealed:", NULL), 0);
}
END_TEST

/* --- keychains ---------------------------------------------------------------------------- */

typedef struct chain {
    uint8_t mask;
    sl_status says;
    int seals;
} chain;

static sl_status turn(const chain *c, const uint8_t *p, size_t n, uint8_t *out, size_t *out_n)
{
    if (c->says != SL_OK || *out_n < n) {
        return c->says != SL_OK ? c->says : SL_E_LIMIT;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = p[i] ^ c->mask;
    }
    *out_n = n;
    return SL_OK;
}

static sl_status chain_seal(void *user, const uint8_t *p, size_t n, uint8_t *out, size_t *out_n)
{
    chain *c = user;
    c->seals++;
    return turn(c, p, n, out, out_n);
}

static sl_status chain_unseal(void *user, const uint8_t *p, size_t n, uint8_t *out, size_t *out_n)
{
    return turn(user, p, n, out, out_n);
}

START_TEST(sealed__a_keychain_wraps_the_key)
{
    char hex[65];
    chain c = {.mask = 0x55};
    sl_keychain keychain = {sizeof keychain, 0, &c, chain_seal, chain_unseal};
    c.says = SL_E_DENIED;
    (void)open_with(NULL, &keychain, SL_E_DENIED, "the keychain did not take the key");
    c.says = SL_OK;
    sl_core *core = open_with(NULL, &keychain, SL_OK, NULL);
    write_canaries(core, hex);
    sl_core_close(core);
    ck_assert_int_eq(c.seals, 2);
    ck_assert_int_eq(canaries(), 0);
    c.says = SL_E_DENIED; /* the owner's thumb is another */
    (void)open_with(NULL, &keychain, SL_E_DENIED, "is sealed under another key");
    c.says = SL_OK;
    (void)open_with(KEY, NULL, SL_E_DENIED, NULL);
    c.mask = 0x56; /* the data key is then another */
    (void)open_with(NULL, &keychain, SL_E_CORRUPT, NULL);
    c.mask = 0x55;
    core = open_with(KEY, &keychain, SL_OK, NULL); /* the keychain comes first */
    ck_assert(has_canaries(core, hex));
    ck_assert_int_eq(c.seals, 2);
    sl_core_close(core);
}
END_TEST

START_TEST(sealed__the_key_is_changed_at_once)
{
    char hex[65];
    chain c = {.mask = 0x55};
    sl_keychain keychain = {sizeof keychain, 0, &c, chain_seal, chain_unseal};
    sl_keychain broken = {sizeof broken, 0, &c, chain_seal, NULL};
    sl_core *core = open_with(KEY, NULL, SL_OK, NULL);
    write_canaries(core, hex);
    ck_assert_int_eq(sl_core_rekey(core, OTHER, &keychain, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_core_rekey(core, NULL, NULL, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_core_rekey(core, NULL, &broken, NULL), SL_E_MISUSE);
    ck_assert_int_eq(sl_core_rekey(core, OTHER, NULL, NULL), SL_OK);
    ck_assert(has_canaries(core, hex));
    sl_core_close(core);
    (void)open_with(KEY, NULL, SL_E_DENIED, NULL);
    core = open_with(OTHER, NULL, SL_OK, NULL);
    ck_assert_int_eq(sl_core_rekey(core, NULL, &keychain, NULL), SL_OK);
    sl_core_close(core);
    (void)open_with(OTHER, NULL, SL_E_DENIED, NULL);
    core = open_with(NULL, &keychain, SL_OK, NULL);
    ck_assert(has_canaries(core, hex));
    sl_core_close(core);
}
END_TEST

START_TEST(sealed__a_folder_in_the_clear_has_no_key_to_change)
{
    sl_core *core = open_with(NULL, NULL, SL_OK, NULL);
    ck_assert_int_eq(sl_core_rekey(core, KEY, NULL, NULL), SL_E_MISUSE);
    sl_core_close(core);
}
END_TEST

START_TEST(sealed__a_wiped_folder_opens_empty_for_the_next_user)
{
    for (int i = 0; i < 2; i++) {
        const uint8_t *key = i == 0 ? KEY : NULL;
        int files = 0;
        char hex[65];
        sl_config cfg = {.struct_size = sizeof cfg, .dir = g_dir};
        sl_core *core = open_with(key, NULL, SL_OK, NULL);
        write_canaries(core, hex);
        ck_assert_int_eq(sl_core_wipe(&cfg, NULL), SL_E_BUSY);
        sl_core_close(core);
        ck_assert_int_eq(sl_core_wipe(&cfg, NULL), SL_OK);
        (void)sl_scan_for(&g_platform, g_dir, "x", &files);
        ck_assert_int_eq(files, 1); /* the lock */
        core = open_with(OTHER, NULL, SL_OK, NULL);
        ck_assert(!has_canaries(core, hex));
        sl_core_close(core);
        ck_assert_int_eq(sl_core_wipe(&cfg, NULL), SL_OK);
        ck_assert_int_eq(sl_core_wipe(&cfg, NULL), SL_OK); /* an empty one too */
    }
}
END_TEST

START_TEST(sealed__a_configuration_of_an_older_header_is_taken)
{
    sl_core *core = NULL;
    sl_config cfg = {.struct_size = offsetof(sl_config, keychain),
                     .flags = SL_CORE_STEPPED,
                     .dir = g_dir,
                     .key = KEY,
                     .keychain = (const sl_keychain *)(const void *)g_dir}; /* not looked at */
    ck_assert_int_eq(sl_core_open(&cfg, &core, NULL), SL_OK);
    sl_core_close(core);
    cfg.struct_size = sizeof cfg + 8;
    ck_assert_int_eq(sl_core_open(&cfg, &core, NULL), SL_E_UNSUPPORTED);
    cfg.struct_size = offsetof(sl_config, keychain) - 1;
    ck_assert_int_eq(sl_core_open(&cfg, &core, NULL), SL_E_UNSUPPORTED);
}
END_TEST

SL_TEST_MAIN_WITH("sealed", setup, teardown, sealed__a_folder_holds_nothing_in_the_clear,
                  sealed__a_folder_in_the_clear_is_sealed_when_it_is_opened_with_a_key,
                  sealed__a_folder_from_before_keeps_its_session_and_takes_no_other_key,
                  sealed__a_keychain_wraps_the_key, sealed__the_key_is_changed_at_once,
                  sealed__a_folder_in_the_clear_has_no_key_to_change,
                  sealed__a_wiped_folder_opens_empty_for_the_next_user,
                  sealed__a_configuration_of_an_older_header_is_taken)
