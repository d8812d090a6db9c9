/* SPDX-License-Identifier: Apache-2.0
 *
 * The bounded table: exact while all fit, a fair sample beyond, groups whole, never over its bound, and
 * usable when memory for a larger one cannot be had.
 */
#include "base_test.h"
#include "base_fail_malloc.h"
#include "measure/sample.h"

struct record {
    uint64_t count;
};

static void begin(struct at_sample *sample, size_t max_bytes, bool has_groups, struct at_account *account) {
    at_sample_init(sample,
                   &(struct at_sample_options){sizeof(struct record), max_bytes, has_groups, account});
}

static uint64_t sum_of(const struct at_sample *sample) {
    const struct record *record;
    uint64_t sum = 0;
    for (size_t i = 0; (record = at_sample_next(sample, &i));) sum += record->count;
    return sum;
}

static void exact_while_all_fit(void **state) {
    (void)state;
    struct at_sample sample;
    begin(&sample, 1 << 20, false, NULL);
    for (int round = 0; round < 3; round++)
        for (uint64_t key = 0; key < 10000; key++) {
            bool is_new;
            struct record *record = at_sample_put(&sample, key, 0, &is_new);
            assert_non_null(record);
            assert_int_equal(is_new, round == 0);
            record->count += key;
        }
    assert_int_equal(sample.count, 10000);
    assert_int_equal(sample.level, 0);
    assert_int_equal(sum_of(&sample), 3ULL * 9999 * 10000 / 2);
    assert_true(at_sample_error(&sample, 17) <= 0);
    for (uint64_t key = 0; key < 10000; key++)
        assert_int_equal(((struct record *)at_sample_get(&sample, key))->count, 3 * key);
    assert_null(at_sample_get(&sample, 10000));
    at_sample_clear(&sample);
}

/* A million keys where about 13,000 have room: a tenth of them has a property; the estimate is within three
 * times its stated error (a fair one misses that once in 10^8). */
static void fair_beyond(void **state) {
    (void)state;
    enum { KEYS = 1000000 };
    struct at_sample sample;
    struct at_account account = {.limit = SIZE_MAX};
    size_t most = 0;
    begin(&sample, 1 << 20, false, &account);
    for (int round = 0; round < 2; round++)
        for (uint64_t key = 1; key <= KEYS; key++) {
            struct record *record = at_sample_put(&sample, at_mix64(key), 0, NULL);
            if (at_account_used(&account) > most) most = at_account_used(&account);
            if (record) record->count += key % 10 == 0;
        }
    uint64_t marked = sum_of(&sample) / 2;
    assert_true(sample.level > 4 && sample.count > 5000);
    assert_true(most <= 1 << 20);
    double error = at_sample_error(&sample, marked), estimate = (double)at_sample_scaled(&sample, marked);
    assert_true(error > 0.01 && error < 0.1);
    assert_true(estimate > 100000 * (1 - 3 * error) && estimate < 100000 * (1 + 3 * error));
    assert_int_equal(sum_of(&sample) % 2, 0); /* whoever is in it was in it from the beginning */
    at_sample_clear(&sample);
    assert_int_equal(at_account_used(&account), 0);
}

static void groups_stay_whole(void **state) {
    (void)state;
    enum { GROUPS = 20000, EACH = 7 };
    struct at_sample sample;
    begin(&sample, 1 << 20, true, NULL);
    for (uint64_t key = 0; key < GROUPS * EACH; key++)
        (void)at_sample_put(&sample, at_mix64(key), key % GROUPS, NULL);
    assert_true(sample.level > 0);
    for (uint64_t group = 0; group < GROUPS; group++) {
        int there = 0;
        for (uint64_t k = 0; k < EACH; k++)
            there += at_sample_get(&sample, at_mix64(group + k * GROUPS)) != NULL;
        assert_true(there == 0 || there == EACH);
    }
    at_sample_clear(&sample);
}

/* Taking out shifts what lies behind a hole: against a plain list, with keys that collide. */
static void nothing_is_lost_when_it_halves(void **state) {
    (void)state;
    seed_random(300);
    for (int round = 0; round < 300; round++) {
        struct at_sample sample;
        uint64_t keys[400];
        begin(&sample, 0, false, NULL); /* the smallest: 64 slots */
        for (int i = 0; i < 400; i++) {
            keys[i] = next_random() | 1;
            uint32_t level = sample.level;
            struct record *record = at_sample_put(&sample, keys[i], 0, NULL);
            if (record) record->count = keys[i];
            assert_true(sample.level >= level && sample.count <= 64);
        }
        size_t there = 0;
        for (int i = 0; i < 400; i++) {
            const struct record *record = at_sample_get(&sample, keys[i]);
            there += record != NULL;
            assert_true(!record || record->count == keys[i]);
        }
        assert_int_equal(there, sample.count);
        at_sample_clear(&sample);
    }
}

static void without_memory_it_samples(void **state) {
    (void)state;
    struct at_sample sample;
    begin(&sample, 1 << 24, false, NULL);
    assert_non_null(at_sample_put(&sample, 1, 0, NULL));
    allocations_left = 0; /* none from here on */
    for (uint64_t key = 2; key < 5000; key++) (void)at_sample_put(&sample, key, 0, NULL);
    allocations_left = -1;
    assert_false(sample.has_failed);
    assert_true(sample.level > 0 && sample.capacity == 64);
    at_sample_clear(&sample);
    allocations_left = 0;
    begin(&sample, 1 << 24, false, NULL);
    assert_null(at_sample_put(&sample, 1, 0, NULL));
    allocations_left = -1;
    assert_true(sample.has_failed);
    assert_null(at_sample_get(&sample, 1));
    at_sample_clear(&sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_while_all_fit),       cmocka_unit_test(fair_beyond),
        cmocka_unit_test(groups_stay_whole),         cmocka_unit_test(nothing_is_lost_when_it_halves),
        cmocka_unit_test(without_memory_it_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
