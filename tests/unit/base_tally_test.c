/* SPDX-License-Identifier: Apache-2.0
 *
 * The tally against a count by hand: many hashes, one that comes very often, its ceiling, too little memory.
 */
#include "base_test.h"
#include "base_fail_malloc.h"
#include "base/tally.h"

enum { HASHES = 3000, STEPS = 200000 };

static void test_tally_counts_each_hash(void **state) {
    (void)state;
    static uint64_t counts[HASHES];
    struct at_tally tally;
    at_tally_init(&tally, 1000000);
    seed_random(STEPS);
    for (int i = 0; i < STEPS; i++) {
        size_t k = next_random() % HASHES;
        if (next_random() % 2) k %= 4; /* some come far more often than a slot can count */
        assert_int_equal(at_tally_add(&tally, at_mix64(k + 1)), ++counts[k]);
    }
    assert_true(counts[0] > 3 * 4095 && tally.count >= HASHES);
    at_tally_clear(&tally);
}

/* A part of zero and one count must not look like a free slot, and none is given twice. */
static void test_tally_takes_any_hash(void **state) {
    (void)state;
    struct at_tally tally;
    at_tally_init(&tally, 10);
    for (uint64_t i = 1; i <= 5000; i++) {
        assert_int_equal(at_tally_add(&tally, 0), i);
        assert_int_equal(at_tally_add(&tally, UINT64_MAX), i);
    }
    assert_int_equal(at_tally_add(&tally, 0xFFF), 5001); /* shares the upper bits of 0 */
    at_tally_clear(&tally);
}

static void test_tally_has_a_ceiling(void **state) {
    (void)state;
    struct at_tally tally;
    at_tally_init(&tally, 3);
    for (uint64_t i = 1; i <= 3; i++) assert_int_equal(at_tally_add(&tally, at_mix64(i)), 1);
    assert_int_equal(at_tally_add(&tally, at_mix64(4)), 0);
    assert_int_equal(at_tally_add(&tally, at_mix64(2)), 2);
    at_tally_clear(&tally);
}

static void test_too_little_memory_counts_nothing(void **state) {
    (void)state;
    struct at_tally tally;
    at_tally_init(&tally, 10000);
    allocations_left = 0;
    assert_int_equal(at_tally_add(&tally, 1), 0);
    allocations_left = -1;
    assert_int_equal(at_tally_add(&tally, 1), 1);
    for (uint64_t i = 1; i < 768; i++) assert_int_equal(at_tally_add(&tally, at_mix64(i)), 1);
    allocations_left = 0;
    assert_int_equal(at_tally_add(&tally, at_mix64(5)), 0);
    allocations_left = -1;
    assert_int_equal(at_tally_add(&tally, at_mix64(5)), 2);
    at_tally_clear(&tally);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tally_counts_each_hash),
        cmocka_unit_test(test_tally_takes_any_hash),
        cmocka_unit_test(test_tally_has_a_ceiling),
        cmocka_unit_test(test_too_little_memory_counts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
