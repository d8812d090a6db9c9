/* SPDX-License-Identifier: Apache-2.0
 *
 * The index of names: many at once are found as each by itself, whatever their lengths, and as they were put.
 */
#include "base_test.h"
#include "catalog/names.h"

enum { NAMES = 20000, ASKED = 700 };

static char names[NAMES][48];
static uint32_t lengths[NAMES];

/* Of every length up to what goes through a pointer, many that begin or end alike; n makes it one of its own.
 */
static void make_name(uint32_t n) {
    int length = snprintf(names[n], sizeof names[n], n % 3 ? "%u" : "SKU-%u", n);
    int wanted = (int)(next_random() % 40);
    while (length < wanted) names[n][length++] = (char)('a' + next_random() % 2);
    lengths[n] = (uint32_t)length;
}

static void many_are_found_as_each_is(void **state) {
    (void)state;
    struct at_names index;
    struct at_name_slot entry;
    struct at_text asked[ASKED];
    uint32_t rows[ASKED], found = 0;
    seed_random(NAMES);
    assert_true(at_names_init(&index, NULL));
    for (uint32_t n = 0; n < NAMES; n++) {
        make_name(n);
        if (n % 4 == 3) continue; /* stays unknown */
        assert_true(at_names_prepare(&index, (struct at_text){names[n], lengths[n]}, n, &entry));
        assert_true(at_names_reserve(&index, 1));
        at_names_set(&index, &entry);
    }
    for (uint32_t round = 0; round < 200; round++) {
        uint32_t count = (uint32_t)(next_random() % ASKED), which[ASKED];
        for (uint32_t i = 0; i < count; i++) {
            which[i] = (uint32_t)(next_random() % NAMES);
            asked[i] = (struct at_text){names[which[i]], next_random() % 50 ? lengths[which[i]] : 0};
        }
        at_names_find_many(&index, asked, count, rows);
        for (uint32_t i = 0; i < count; i++) {
            bool is_known = asked[i].length && which[i] % 4 != 3;
            assert_int_equal(rows[i], is_known ? which[i] : UINT32_MAX);
            assert_int_equal(rows[i], at_names_find(&index, asked[i]));
            found += is_known;
        }
    }
    assert_true(found > 1000);
    at_names_clear(&index);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_are_found_as_each_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
