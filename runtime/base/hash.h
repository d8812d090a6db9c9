/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes, digests, encodings, random bytes. XXH3 (xxhash) for tables, OpenSSL's libcrypto for digests.
 */
#ifndef AT_BASE_HASH_H
#define AT_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t at_hash64(const void *data, size_t length); /* XXH3-64, seed 0; a stored contract */
uint64_t at_hash64_seed(const void *data, size_t length, uint64_t seed); /* XXH3-64 */
uint64_t at_mix64(uint64_t x);                                           /* splitmix64 finaliser */
#define AT_SHA256_SIZE 32
void at_sha256(const void *data, size_t length, uint8_t out[AT_SHA256_SIZE]);
void at_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
                    uint8_t out[AT_SHA256_SIZE]);
void at_hex(const uint8_t *data, size_t length, char *out); /* out: 2 * length + 1 */
/* out: length / 2 bytes. false: not pairs of hexadecimal digits. */
bool at_unhex(const char *text, size_t length, uint8_t *out);
/* Constant time in the length of b; false if the lengths differ. */
bool at_equal_secret(const void *a, size_t a_length, const void *b, size_t b_length);
/* Standard base64 with padding required as in RFC 4648; returns bytes written or -1. out: 3 * length / 4 + 3.
 */
long at_base64_decode(const char *text, size_t length, uint8_t *out);
void at_random(void *out, size_t length); /* from the system; aborts if it has none */
#define AT_ULID_SIZE 27
/* A ULID for the moment: 26 characters and NUL, sorts by time (48 bit ms + 80 random bits). */
void at_ulid(int64_t now_ms, char out[AT_ULID_SIZE]);

#endif
