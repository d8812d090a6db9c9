/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of identifiers under adding and forgetting, against a list: whatever is forgotten, what is left
 * is found, rings stay whole, places are used again.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/hash.h"
#include "base/time.h"
#include "shop/internal.h"

enum { VALUES = 400, STEPS = 60000 };

struct world {
    struct identity identity;
    struct at_ledger ledger;
    uint64_t person[VALUES]; /* 0: unknown */
    uint32_t place[VALUES];
};

static uint64_t dice(uint64_t *seed, uint64_t below) {
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    return at_mix64(*seed) % below;
}

static struct at_text value_of(uint32_t n, char out[16]) {
    return (struct at_text){out, (size_t)snprintf(out, 16, "v-%u", n)};
}

static void add(struct world *world, uint32_t n, uint64_t person) {
    char text[16];
    uint32_t beside = NO_PLACE;
    for (uint32_t i = 0; i < VALUES; i++)
        if (world->person[i] == person) beside = world->place[i];
    struct identity_entry entry = {.hash =
                                       identity_hash(&world->identity, AT_TEXT("user_id"), value_of(n, text)),
                                   .id = n + 1,
                                   .person = person,
                                   .is_committed = true};
    assert_int_equal(identity_make_room(&world->identity, 1), AT_OK);
    world->place[n] = identity_add(&world->identity, &entry, beside);
    world->person[n] = person;
}

static uint32_t ring_length(struct world *world, uint32_t first) {
    uint32_t length = 0, place = first;
    do {
        place = identity_at(&world->identity, place)->next;
        length++;
    } while (place != first && length <= VALUES);
    return length;
}

static void check(struct world *world) {
    for (uint32_t n = 0; n < VALUES; n++) {
        char text[16];
        uint32_t of_person = 0;
        uint64_t found = identity_find(&world->identity, AT_TEXT("user_id"), value_of(n, text));
        assert_int_equal(found, world->person[n]);
        if (!found) continue;
        for (uint32_t i = 0; i < VALUES; i++) of_person += world->person[i] == world->person[n];
        assert_int_equal(ring_length(world, world->place[n]), of_person);
    }
}

static void what_is_left_is_found(void **state) {
    (void)state;
    static struct world world;
    static struct at_identity_rules rules;
    uint64_t seed = (uint64_t)at_clock_now(NULL);
    print_message("property: adding and forgetting, seed %llu, %d steps\n", (unsigned long long)seed, STEPS);
    at_ledger_init(&world.ledger, 0);
    at_identity_rules_default(&rules);
    identity_init(&world.identity, &rules, 7, &world.ledger.accounts[AT_ACCOUNT_IDENTITY]);
    for (int step = 0; step < STEPS; step++) {
        uint32_t n = (uint32_t)dice(&seed, VALUES);
        char text[16];
        if (!world.person[n]) {
            add(&world, n, 1 + dice(&seed, VALUES / 4));
        } else {
            uint64_t person = world.person[n];
            identity_forget(&world.identity, person + 1, AT_TEXT("user_id"),
                            value_of(n, text)); /* not theirs */
            identity_forget(&world.identity, person, AT_TEXT("user_id"), value_of(n, text));
            for (uint32_t i = 0; i < VALUES; i++)
                if (world.person[i] == person) world.person[i] = 0;
        }
        if (step % 500 == 0) check(&world);
    }
    check(&world);
    assert_true(world.identity.count <= VALUES); /* places are used again */
    identity_forget(&world.identity, 1, AT_TEXT("user_id"), AT_TEXT("never seen"));
    identity_clear(&world.identity);
}

/* The evidence waits for the back worker, and an erasure was before it there. */
static void who_was_forgotten_is_joined_with_nobody(void **state) {
    (void)state;
    static struct world world;
    static struct at_identity_rules rules;
    char text[16];
    at_ledger_init(&world.ledger, 0);
    at_identity_rules_default(&rules);
    identity_init(&world.identity, &rules, 7, &world.ledger.accounts[AT_ACCOUNT_IDENTITY]);
    add(&world, 1, 11);
    add(&world, 2, 12);
    struct evidence evidence = {
        .hash_a = identity_hash(&world.identity, AT_TEXT("user_id"), value_of(1, text)),
        .hash_b = identity_hash(&world.identity, AT_TEXT("user_id"), value_of(2, text))};
    struct identity_pair pair;
    identity_forget(&world.identity, 12, AT_TEXT("user_id"), value_of(2, text));
    assert_false(identity_pair(&world.identity, &evidence, &pair));
    identity_forget(&world.identity, 11, AT_TEXT("user_id"), value_of(1, text));
    assert_false(identity_pair(&world.identity, &evidence, &pair));
    identity_clear(&world.identity);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_left_is_found),
                                       cmocka_unit_test(who_was_forgotten_is_joined_with_nobody)};
    return cmocka_run_group_tests_name("shop_identity", tests, NULL, NULL);
}
