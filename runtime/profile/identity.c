/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/identity.h"
#include <string.h>
#include "base/time.h"
void at_identity_rules_default(struct at_identity_rules *rules) {
    memset(rules, 0, sizeof *rules);
    rules->kinds[0] = (struct at_identity_kind){AT_TEXT("user_id"), 1, 0, true};
    rules->kinds[1] = (struct at_identity_kind){AT_TEXT("email"), 5, 0, true};
    rules->kinds[2] = (struct at_identity_kind){AT_TEXT("phone"), 5, 0, true};
    rules->kinds[3] = (struct at_identity_kind){AT_TEXT("anonymous_id"), 5, 30 * AT_DAY_MS, false};
    rules->kind_count = 4;
}
uint32_t at_identity_kind_find(const struct at_identity_rules *rules, struct at_text name) {
    for (uint32_t i = 0; i < rules->kind_count; i++)
        if (at_text_equal(rules->kinds[i].name, name)) return i;
    return AT_IDENTITY_KINDS_MAX;
}
struct at_text at_identity_normal(const struct at_identity_rules *rules, struct at_text kind,
                                  struct at_text value, struct at_arena *arena) {
    (void)rules;
    if (!at_text_is(kind, "email")) return value;
    char *copy = at_arena_dup(arena, value.data, value.length);
    for (size_t i = 0; copy && i < value.length; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z') copy[i] += 32;
    return (struct at_text){copy, copy ? value.length : 0};
}
