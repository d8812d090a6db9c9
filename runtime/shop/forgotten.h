/* SPDX-License-Identifier: Apache-2.0
 *
 * Who was erased, as far as it may be remembered: for each address a hash keyed by a secret that is a file of
 * its own (erasure.key, beside the database and never in it), and the moment. What such an address did until
 * then is not taken in again; what it does later is somebody new. The same secret file holds the key that
 * receipts are signed with. erasures.log beside it says line by line who was erased, so that a restored
 * backup forgets them again. Any thread.
 */
#ifndef AT_SHOP_FORGOTTEN_H
#define AT_SHOP_FORGOTTEN_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/hash.h"
#include "base/map.h"
#include "base/sign.h"
#include "profile/event.h"
#include "store/store.h"

#define FORGOTTEN_HASH_SIZE (2 * AT_SHA256_SIZE + 1)

struct at_shop;
struct forgotten {
    uint8_t key[AT_SHA256_SIZE], seed[AT_SIGN_SEED_SIZE];
    char public_key[2 * AT_SIGN_PUBLIC_SIZE + 1]; /* hex: receipts are checked with it */
    pthread_mutex_t mutex;
    struct at_intmap moments; /* first 64 bits of a hash → until when (ms) */
    struct at_intmap people;  /* erased by this process: what was on its way about them is not kept */
    _Atomic int64_t last_ms;  /* the latest moment; 0: nobody was erased */
    _Atomic uint64_t people_count;
    bool is_open;
};

/* Reads the secret (makes it in a new folder) and who was erased; erases again whom erasures.log names and
 * the database, restored from a backup, does not. A lost secret with people erased is an error that says
 * what to do. */
enum at_status forgotten_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void forgotten_close(struct at_shop *shop);
/* The keyed hash of an address (normal form), hex. */
void forgotten_hash(const struct forgotten *forgotten, struct at_text kind, struct at_text value,
                    char out[FORGOTTEN_HASH_SIZE]);
/* One of the event's identifiers was erased at or after the event's moment. */
bool forgotten_holds(struct forgotten *forgotten, const struct at_event *event);
/* Whether the address was ever erased: nothing is sent to it until it says yes again. */
bool forgotten_is_suppressed(struct forgotten *forgotten, struct at_text kind, struct at_text value);
/* ---- forgotten_log.c ---- */
/* An erasure that is to be made becomes a line of erasures.log. AT_NOMEM, AT_IO, AT_FULL. */
enum at_status forgotten_log(struct at_shop *shop, const struct at_erasure_row *erasure,
                             struct at_error *err) AT_MUST_CHECK;
/* Lends every line, the oldest first, with its end; also what was cut off. False: no more. */
typedef bool forgotten_line_fn(void *arg, struct at_text line);
enum at_status forgotten_lines(struct at_shop *shop, forgotten_line_fn *take, void *arg,
                               struct at_error *err) AT_MUST_CHECK;
/* A file of the data folder, whole or as it was. */
enum at_status forgotten_write_file(struct at_shop *shop, const char *name, struct at_text text,
                                    struct at_error *err) AT_MUST_CHECK;

/* One that is made: its addresses are known from now on. */
enum at_status forgotten_remember(struct forgotten *forgotten,
                                  const struct at_erasure_row *erasure) AT_MUST_CHECK;
void forgotten_people(struct forgotten *forgotten, const uint64_t *people, size_t count);
bool forgotten_has_person(struct forgotten *forgotten, uint64_t person);
/* forgotten_again.c: who is in erasures.log and not among the ids that the database knows. */
enum at_status forgotten_again(struct at_shop *shop, const struct at_map *known,
                               struct at_error *err) AT_MUST_CHECK;
/* The text's signature, hex. */
bool forgotten_sign(const struct forgotten *forgotten, struct at_text text,
                    char out[2 * AT_SIGNATURE_SIZE + 1]);

#endif
