/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes, digests, encodings, random bytes, ULIDs: thin doors to xxhash, libcrypto and getrandom, used by
 * every room. Holds no state. at_hash64's values are stored in data folders and never change.
 */
#include "base/hash.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "base/status.h"

uint64_t at_hash64(const void *data, size_t length) {
    return XXH3_64bits(data, length);
}

uint64_t at_hash64_seed(const void *data, size_t length, uint64_t seed) {
    return XXH3_64bits_withSeed(data, length, seed);
}

uint64_t at_mix64(uint64_t x) {
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9U;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

void at_sha256(const void *data, size_t length, uint8_t out[AT_SHA256_SIZE]) {
    AT_ASSERT(EVP_Digest(data, length, out, NULL, EVP_sha256(), NULL) == 1);
}

void at_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
                    uint8_t out[AT_SHA256_SIZE]) {
    unsigned written = 0;
    /* libcrypto takes a NULL key for "the one before" */
    const void *given = key_length ? key : "";
    AT_ASSERT(key_length <= INT32_MAX);
    AT_ASSERT(HMAC(EVP_sha256(), given, (int)key_length, data, length, out, &written) &&
              written == AT_SHA256_SIZE);
}

void at_hex(const uint8_t *data, size_t length, char *out) {
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = DIGITS[data[i] >> 4];
        out[2 * i + 1] = DIGITS[data[i] & 15];
    }
    out[2 * length] = '\0';
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool at_unhex(const char *text, size_t length, uint8_t *out) {
    if (length % 2) return false;
    for (size_t i = 0; i < length; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool at_equal_secret(const void *a, size_t a_length, const void *b, size_t b_length) {
    /* of different lengths: b against itself, so that the time tells nothing about a */
    bool is_same_length = a_length == b_length;
    int differs = b_length ? CRYPTO_memcmp(is_same_length ? a : b, b, b_length) : 0;
    return is_same_length && differs == 0;
}

static int value_of(unsigned char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* A group's count of letters before the padding, or 0 if it is malformed. */
static int read_group(const char *text, bool is_last, uint32_t *bits) {
    int letters = 4;
    if (is_last && text[3] == '=') letters = text[2] == '=' ? 2 : 3;
    *bits = 0;
    for (int i = 0; i < letters; i++) {
        int value = value_of((unsigned char)text[i]);
        if (value < 0) return 0;
        *bits |= (uint32_t)value << (18 - 6 * i);
    }
    /* bits that no byte holds must be zero, so that a text has one spelling */
    uint32_t unused = letters == 2 ? 0xFFFF : letters == 3 ? 0xFF : 0;
    return *bits & unused ? 0 : letters;
}

long at_base64_decode(const char *text, size_t length, uint8_t *out) {
    if (length % 4) return -1;
    long written = 0;
    for (size_t i = 0; i < length; i += 4) {
        uint32_t bits;
        int letters = read_group(text + i, i + 4 == length, &bits);
        if (!letters) return -1;
        for (int k = 0; k < letters - 1; k++) out[written++] = (uint8_t)(bits >> (16 - 8 * k));
    }
    return written;
}

void at_random(void *out, size_t length) {
    uint8_t *p = out;
    while (length) {
        ssize_t n = getrandom(p, length, 0);
        if (n < 0 && errno == EINTR) continue;
        AT_ASSERT(n > 0); /* a system without random bytes must not mint keys */
        p += n;
        length -= (size_t)n;
    }
}

void at_ulid(int64_t now_ms, char out[AT_ULID_SIZE]) {
    static const char CROCKFORD[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint8_t noise[16]; /* 5 bits of each byte: 80 random bits */
    uint64_t ms = (now_ms < 0 ? 0 : (uint64_t)now_ms) & 0xFFFFFFFFFFFFU;
    at_random(noise, sizeof(noise));
    for (int i = 0; i < 10; i++) out[i] = CROCKFORD[ms >> (45 - 5 * i) & 31];
    for (int i = 0; i < 16; i++) out[10 + i] = CROCKFORD[noise[i] & 31];
    out[26] = '\0';
}
