/*
 * Changes to mbedTLS's default configuration for WebAssembly: no sockets, timers, files or
 * processor instructions; random bytes come from mbedtls_hardware_poll in entropy.c. Callers
 * compile with MBEDTLS_USER_CONFIG_FILE=<sl_mbedtls.h>, so that both sides agree on structures.
 */
#undef MBEDTLS_AESNI_C
#undef MBEDTLS_FS_IO
#undef MBEDTLS_HAVE_ASM
#undef MBEDTLS_NET_C
#undef MBEDTLS_PADLOCK_C
#undef MBEDTLS_PSA_CRYPTO_STORAGE_C
#undef MBEDTLS_PSA_ITS_FILE_C
#undef MBEDTLS_SELF_TEST
#undef MBEDTLS_TIMING_C
#define MBEDTLS_ENTROPY_HARDWARE_ALT
#define MBEDTLS_NO_PLATFORM_ENTROPY
