/* SPDX-License-Identifier: Apache-2.0
 *
 * A person is forgotten, for shop/ and its faces: erase.c does it, forgotten.c remembers what may be.
 */
#ifndef AT_SHOP_ERASE_H
#define AT_SHOP_ERASE_H

#include "base/json.h"
#include "shop/internal.h"

struct erasing { /* one erasure; the texts are the caller's */
    struct at_shop *shop;
    struct at_text id, author;
    int64_t at_ms;                         /* what happened until then does not come in again */
    uint64_t person;                       /* 0: nobody, only the addresses */
    struct at_text source, reference;      /* who asked, by what name there */
    const struct at_suppressed_row *known; /* addresses beside the person's own */
    size_t known_count;
    bool is_logged; /* erasures.log has it */
};
/* The back worker, or before it runs. In one commit: afterwards no read finds the person, and no event of
 * before comes in. AT_NOTFOUND: there is no such person (any more). What is to stay of it is taken out by
 * erase_count. */
enum at_status erase_person(struct erasing *erasing, struct at_error *err) AT_MUST_CHECK;
/* What an erased person paid is kept without them; from then on the rows go. Once, however often it is
 * called. */
enum at_status erase_count(struct at_shop *shop, struct at_text id) AT_MUST_CHECK;
/* At start: those an earlier process did not come to count. */
enum at_status erase_resume(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
/* The back worker: one could not be counted; all that are open are tried again, now and then and at the end.
 */
void erase_later(struct at_shop *shop);
void erase_tend(struct at_shop *shop, bool is_end);
/* requests.c, the back worker: a request of another system about that person (0: nobody known), durable.
 * AT_NOTFOUND: the person is gone meanwhile. */
enum at_status request_take(struct at_job *job, struct at_text kind, uint64_t person,
                            struct at_text reference) AT_MUST_CHECK;
/* The signed receipt of an erasure. false: out of memory. */
bool erase_receipt(struct at_shop *shop, const struct at_erasure_row *erasure, struct at_bytes *out);

#endif
