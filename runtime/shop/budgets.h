/* SPDX-License-Identifier: Apache-2.0
 *
 * What scripts take of their budgets: counted for /metrics, and told of when something takes more than half
 * of one: once for each rule and generation, with the line that spends most.
 */
#ifndef AT_SHOP_BUDGETS_H
#define AT_SHOP_BUDGETS_H

#include "base/bytes.h"
#include "language/language.h"

struct at_shop;
struct serving;

#define BUDGET_BUCKETS 11
struct budget_use { /* of one budget; any thread */
    _Atomic uint64_t buckets[BUDGET_BUCKETS + 1], total_us, slow;
};
struct budgets {
    struct budget_use uses[AT_BUDGET_COUNT];
    _Atomic uint64_t state_bytes; /* the most a state held after a decision */
};
void budget_took(struct at_shop *shop, enum at_budget which, uint64_t took_ns);
/* serving may be NULL: while a generation is being loaded nothing is told twice anyway. */
void budget_tell_slow(struct at_shop *shop, struct serving *serving, const struct at_slow *slow);
/* The end of a decision. language may be NULL. */
void budgets_note(struct at_shop *shop, struct serving *serving, const struct at_language *language,
                  const struct at_decision_view *view);
/* A state was made for the serving. */
void budgets_note_load(struct at_shop *shop, struct serving *serving, const struct at_language *language);
/* When a decision that begins now is over. */
uint64_t decision_deadline(const struct at_shop *shop);
void budgets_write(struct at_shop *shop, struct at_bytes *out);

#endif
