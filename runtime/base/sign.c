/* SPDX-License-Identifier: Apache-2.0
 *
 * Ed25519 by OpenSSL's libcrypto.
 */
#include "base/sign.h"

#include <openssl/evp.h>

bool at_sign_public(const uint8_t seed[AT_SIGN_SEED_SIZE], uint8_t out[AT_SIGN_PUBLIC_SIZE]) {
    size_t length = AT_SIGN_PUBLIC_SIZE;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, AT_SIGN_SEED_SIZE);
    bool is_good =
        key && EVP_PKEY_get_raw_public_key(key, out, &length) == 1 && length == AT_SIGN_PUBLIC_SIZE;
    EVP_PKEY_free(key);
    return is_good;
}

bool at_sign(const uint8_t seed[AT_SIGN_SEED_SIZE], const void *text, size_t length,
             uint8_t out[AT_SIGNATURE_SIZE]) {
    size_t written = AT_SIGNATURE_SIZE;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, AT_SIGN_SEED_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_good = key && context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                   EVP_DigestSign(context, out, &written, text, length) == 1 && written == AT_SIGNATURE_SIZE;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return is_good;
}

bool at_sign_check(const uint8_t public_key[AT_SIGN_PUBLIC_SIZE], const void *text, size_t length,
                   const uint8_t signature[AT_SIGNATURE_SIZE]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, AT_SIGN_PUBLIC_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_good = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                   EVP_DigestVerify(context, signature, AT_SIGNATURE_SIZE, text, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return is_good;
}
