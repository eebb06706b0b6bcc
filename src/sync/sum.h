/*
 * sync/sum.h - the sum of a space: both ends keep it and are equal when it is.
 *
 * Of every record of the space that is not deleted sl_sum_of(id, seq), added modulo 2^64: the order does
 * not matter, and a change takes the old state's out and puts the new one's in. With
 *
 *   m(x):  x ^= x >> 30; x *= 0xbf58476d1ce4e5b9; x ^= x >> 27; x *= 0x94d049bb133111eb; x ^= x >> 31
 *
 * and the id's 16 bytes as two numbers a, b, high byte first, it is m(m(m(a) ^ b) ^ seq).
 */
#ifndef SL_SYNC_SUM_H
#define SL_SYNC_SUM_H

#include <stdint.h>

/* 0 when the id is none. */
uint64_t sl_sum_of(const char *id, int64_t seq);
/* The same for the id's 16 bytes. */
uint64_t sl_sum_of_bytes(const uint8_t *id, int64_t seq);

#endif
