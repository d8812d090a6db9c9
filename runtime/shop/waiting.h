/* SPDX-License-Identifier: Apache-2.0
 *
 * What was told of something that is not there yet, kept until it comes: a refund before its order, a stock
 * level before its product. Durable; WAITING_MAX of them, the one that waits longest goes first (counted,
 * told once). The back worker's only, but waiting_count.
 */
#ifndef AT_SHOP_WAITING_H
#define AT_SHOP_WAITING_H

#include "store/store.h"

struct at_shop;
#define WAITING_MAX    10000
#define WAITING_REFUND "refund" /* key: the order, part: the refund */
#define WAITING_STOCK  "stock"  /* key: the inventory item, part: the place, or "item" */

struct waiting;
struct waiting_one {
    struct waiting_one *next; /* in the order they came */
    uint64_t number;
    int64_t at_ms;
    struct at_text part, body; /* of the arena, AT_JSON_PADDING behind the body */
};

enum at_status waiting_open(struct at_shop *shop, struct at_error *err) AT_MUST_CHECK;
void waiting_close(struct at_shop *shop);
size_t waiting_count(const struct at_shop *shop); /* any thread */
bool waiting_has(const struct at_shop *shop, const char *kind, struct at_text key);
/* row: all but its number. absent: what must not be claimed at that moment, else AT_STALE: it has come. */
enum at_status waiting_add(struct at_shop *shop, const struct at_waiting_row *row,
                           const struct at_claim *absent, uint32_t absent_count) AT_MUST_CHECK;
/* What waits for that; NULL: nothing, or *status says why it is not known. */
struct waiting_one *waiting_list(struct at_shop *shop, const char *kind, struct at_text key,
                                 struct at_arena *arena, enum at_status *status);
/* It has come. Into a unit of the caller's, and, once that is committed: */
enum at_status waiting_gone_write(struct at_unit *unit, struct at_arena *arena,
                                  const struct waiting_one *list) AT_MUST_CHECK;
void waiting_gone(struct at_shop *shop, const struct waiting_one *list);
/* Both, with a commit of its own. */
enum at_status waiting_drop(struct at_shop *shop, const struct waiting_one *list) AT_MUST_CHECK;

#endif
