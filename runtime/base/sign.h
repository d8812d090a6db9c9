/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures that anybody can check: Ed25519 (RFC 8032) by OpenSSL's libcrypto. The same key and text give
 * the same signature.
 */
#ifndef AT_BASE_SIGN_H
#define AT_BASE_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AT_SIGN_SEED_SIZE   32 /* the private key; any 32 random bytes */
#define AT_SIGN_PUBLIC_SIZE 32
#define AT_SIGNATURE_SIZE   64

/* false: out of memory. */
bool at_sign_public(const uint8_t seed[AT_SIGN_SEED_SIZE], uint8_t out[AT_SIGN_PUBLIC_SIZE]);
bool at_sign(const uint8_t seed[AT_SIGN_SEED_SIZE], const void *text, size_t length,
             uint8_t out[AT_SIGNATURE_SIZE]);
/* Whether the text is as it was signed by the holder of that key. */
bool at_sign_check(const uint8_t public_key[AT_SIGN_PUBLIC_SIZE], const void *text, size_t length,
                   const uint8_t signature[AT_SIGNATURE_SIZE]);

#endif
