/* SPDX-License-Identifier: Apache-2.0
 *
 * The secret file, the set in memory.
 */
#include "shop/forgotten.h"

#include <stdio.h>
#include <string.h>
#include "shop/folder.h"
#include "shop/internal.h"

#define KEY_FILE "erasure.key"

/* ---- the set ---- */

static uint64_t short_of(const char *hash) {
    uint8_t bytes[8];
    uint64_t number;
    if (!at_unhex(hash, 16, bytes)) return 0;
    memcpy(&number, bytes, sizeof number);
    return number ? number : 1;
}

void forgotten_hash(const struct forgotten *forgotten, struct at_text kind, struct at_text value,
                    char out[FORGOTTEN_HASH_SIZE]) {
    char text[640];
    uint8_t digest[AT_SHA256_SIZE];
    size_t length = kind.length + 1 + value.length;
    AT_ASSERT(length <= sizeof text); /* identifiers are bounded: profile/event.h */
    memcpy(text, kind.data, kind.length);
    text[kind.length] = 0;
    memcpy(text + kind.length + 1, value.data, value.length);
    at_hmac_sha256(forgotten->key, sizeof forgotten->key, text, length, digest);
    at_hex(digest, sizeof digest, out);
}

static int64_t moment_of(struct forgotten *forgotten, struct at_text kind, struct at_text value) {
    char hash[FORGOTTEN_HASH_SIZE];
    forgotten_hash(forgotten, kind, value, hash);
    pthread_mutex_lock(&forgotten->mutex);
    uint64_t *moment = at_intmap_get(&forgotten->moments, short_of(hash));
    int64_t at_ms = moment ? (int64_t)*moment : 0;
    pthread_mutex_unlock(&forgotten->mutex);
    return at_ms;
}

bool forgotten_holds(struct forgotten *forgotten, const struct at_event *event) {
    if (event->at_ms > atomic_load(&forgotten->last_ms)) return false;
    for (uint32_t i = 0; i < event->identifier_count; i++)
        if (event->at_ms <= moment_of(forgotten, event->identifiers[i].kind, event->identifiers[i].value))
            return true;
    return false;
}

bool forgotten_is_suppressed(struct forgotten *forgotten, struct at_text kind, struct at_text value) {
    return atomic_load(&forgotten->last_ms) && moment_of(forgotten, kind, value) != 0;
}

static enum at_status remember(struct forgotten *forgotten, const char *hash, int64_t at_ms) {
    pthread_mutex_lock(&forgotten->mutex);
    uint64_t *moment = at_intmap_put(&forgotten->moments, short_of(hash), NULL);
    if (moment && (int64_t)*moment < at_ms) *moment = (uint64_t)at_ms;
    pthread_mutex_unlock(&forgotten->mutex);
    if (!moment) return AT_NOMEM;
    if (at_ms > atomic_load(&forgotten->last_ms)) atomic_store(&forgotten->last_ms, at_ms);
    return AT_OK;
}

bool forgotten_sign(const struct forgotten *forgotten, struct at_text text,
                    char out[2 * AT_SIGNATURE_SIZE + 1]) {
    uint8_t signature[AT_SIGNATURE_SIZE];
    if (!at_sign(forgotten->seed, text.data, text.length, signature)) return false;
    at_hex(signature, sizeof signature, out);
    return true;
}

/* ---- the secret ---- */

static enum at_status make_secret(struct at_shop *shop, struct at_error *err) {
    struct forgotten *forgotten = &shop->forgotten;
    char key[2 * AT_SHA256_SIZE + 1], seed[2 * AT_SIGN_SEED_SIZE + 1], text[512];
    at_random(forgotten->key, sizeof forgotten->key);
    at_random(forgotten->seed, sizeof forgotten->seed);
    at_hex(forgotten->key, sizeof forgotten->key, key);
    at_hex(forgotten->seed, sizeof forgotten->seed, seed);
    int length = snprintf(text, sizeof text, "%s\n%s\n", key, seed);
    return forgotten_write_file(shop, KEY_FILE, (struct at_text){text, (size_t)length}, err);
}

static bool take_secret(struct forgotten *forgotten, struct at_text text) {
    size_t key = 2 * sizeof forgotten->key, seed = 2 * sizeof forgotten->seed;
    return text.length >= key + 1 + seed && text.data[key] == '\n' &&
           at_unhex(text.data, key, forgotten->key) && at_unhex(text.data + key + 1, seed, forgotten->seed);
}

static enum at_status open_secret(struct at_shop *shop, bool is_needed, struct at_error *err) {
    struct forgotten *forgotten = &shop->forgotten;
    struct at_arena arena;
    struct at_text text = {NULL, 0};
    uint8_t public_key[AT_SIGN_PUBLIC_SIZE];
    at_arena_init(&arena, 1 << 16);
    enum at_status status = folder_read_file(shop->data, KEY_FILE, &arena, &text, err);
    bool is_lost = status == AT_NOTFOUND, is_given_up = text.length >= 4 && memcmp(text.data, "lost", 4) == 0;
    if (is_lost && is_needed)
        status = at_fail(err, AT_UNSUPPORTED, "no_erasure_key",
                         KEY_FILE
                         " is missing from %s: without it nobody can tell who was erased. Put it back "
                         "from where you keep it; or write the word lost into it, and people who were erased "
                         "can come in again with old data",
                         shop->data);
    else if (is_lost || is_given_up)
        status = make_secret(shop, err);
    else if (status == AT_OK && !take_secret(forgotten, text))
        status = at_fail(err, AT_INVALID, "bad_erasure_key",
                         KEY_FILE " of %s is not two lines of 64 hexadecimal digits: put the right one back",
                         shop->data);
    if (status == AT_OK && !at_sign_public(forgotten->seed, public_key)) status = AT_NOMEM;
    if (status == AT_OK) at_hex(public_key, sizeof public_key, forgotten->public_key);
    if (status == AT_NOMEM) at_fail(err, status, NULL, "no memory to open " KEY_FILE);
    at_arena_clear(&arena);
    return status;
}

/* ---- who was erased ---- */

struct opening {
    struct at_read read;
    struct forgotten *forgotten;
    struct at_map ids; /* of the erasures the database knows */
    uint64_t count;
    enum at_status status;
};

static bool take_suppressed(void *arg, const struct at_suppressed_row *row) {
    struct opening *opening = arg;
    if (row->hash.length == FORGOTTEN_HASH_SIZE - 1)
        opening->status = remember(opening->forgotten, row->hash.data, row->at_ms);
    return opening->status == AT_OK;
}

static bool take_erasure(void *arg, const struct at_erasure_row *row, bool is_open) {
    struct opening *opening = arg;
    (void)is_open;
    opening->count++;
    if (!at_map_put(&opening->ids, row->id.data, row->id.length, NULL)) opening->status = AT_NOMEM;
    return opening->status == AT_OK;
}

static void read_erased(struct at_read *read, struct at_reader *reader) {
    struct opening *opening = (struct opening *)read;
    enum at_status status = at_reader_suppressed(reader, take_suppressed, opening);
    if (status == AT_OK && opening->status == AT_OK)
        status = at_reader_erasures(reader, take_erasure, opening);
    if (opening->status == AT_OK) opening->status = status;
}

enum at_status forgotten_remember(struct forgotten *forgotten, const struct at_erasure_row *erasure) {
    enum at_status status = AT_OK;
    for (size_t i = 0; i < erasure->suppressed_count && status == AT_OK; i++)
        status = remember(forgotten, erasure->suppressed[i].hash.data, erasure->at_ms);
    return status;
}

/* Without room for it a decision on its way may be kept under a number that leads nowhere. */
void forgotten_people(struct forgotten *forgotten, const uint64_t *people, size_t count) {
    pthread_mutex_lock(&forgotten->mutex);
    for (size_t i = 0; i < count; i++) (void)at_intmap_put(&forgotten->people, people[i], NULL);
    atomic_store(&forgotten->people_count, forgotten->people.count);
    pthread_mutex_unlock(&forgotten->mutex);
}

bool forgotten_has_person(struct forgotten *forgotten, uint64_t person) {
    if (!person || !atomic_load(&forgotten->people_count)) return false;
    pthread_mutex_lock(&forgotten->mutex);
    bool has = at_intmap_get(&forgotten->people, person) != NULL;
    pthread_mutex_unlock(&forgotten->mutex);
    return has;
}

enum at_status forgotten_open(struct at_shop *shop, struct at_error *err) {
    struct forgotten *forgotten = &shop->forgotten;
    struct opening opening = {.read = {.run = read_erased}, .forgotten = forgotten};
    pthread_mutex_init(&forgotten->mutex, NULL);
    at_intmap_init(&forgotten->moments);
    at_intmap_init(&forgotten->people);
    at_map_init(&opening.ids);
    forgotten->is_open = true;
    at_store_read_now(shop->store, &opening.read);
    enum at_status status = opening.status;
    if (status != AT_OK)
        at_fail(err, status, NULL, "who was erased could not be read (%s)", at_status_word(status));
    if (status == AT_OK) status = open_secret(shop, opening.count > 0, err);
    if (status == AT_OK) status = forgotten_again(shop, &opening.ids, err);
    at_map_clear(&opening.ids);
    return status;
}

void forgotten_close(struct at_shop *shop) {
    struct forgotten *forgotten = &shop->forgotten;
    if (!forgotten->is_open) return;
    at_intmap_clear(&forgotten->moments);
    at_intmap_clear(&forgotten->people);
    pthread_mutex_destroy(&forgotten->mutex);
    forgotten->is_open = false;
}
