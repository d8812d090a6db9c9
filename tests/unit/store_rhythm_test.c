/* SPDX-License-Identifier: Apache-2.0
 *
 * How many people have which gap between purchases is what the stored profiles say, whatever wrote, filled
 * in, dropped or erased them, and after the folder was opened again.
 */
#include "cases.h"
#include "store_help.h"

GENERATED_CASES;

enum { PEOPLE = 40, DAYS = 6 };

ONE_STORE(NULL)

static struct model {
    uint64_t applied[PEOPLE + 1]; /* 0: no profile */
    uint32_t days[PEOPLE + 1];
} model;

static void add_profile(struct sent *sent, uint64_t person) {
    uint64_t applied = 1 + random_below(&seed, 30);
    uint32_t days = random_below(&seed, DAYS);
    add_write(sent, AT_WRITE_PROFILE)->profile =
        (struct at_profile_row){person, applied, text_in(sent, "{}"), days};
    if (applied < model.applied[person]) return; /* a newer one is there */
    model.applied[person] = applied;
    model.days[person] = days;
}

static void add_filled(struct sent *sent, uint64_t person) {
    uint32_t days = random_below(&seed, DAYS);
    struct at_write *write = add_write(sent, AT_WRITE_RHYTHM);
    write->profile.person = person;
    write->profile.rhythm_days = days;
    if (model.applied[person]) model.days[person] = days;
}

static void forget(uint64_t person) {
    model.applied[person] = 0;
    model.days[person] = 0;
}

static void add_erasure(struct sent *sent, uint64_t person) {
    struct at_write *write = add_write(sent, AT_WRITE_ERASE);
    uint64_t *people = at_arena_alloc(&sent->arena, sizeof *people);
    char id[32];
    assert_non_null(people);
    *people = person;
    snprintf(id, sizeof id, "e-%d", number);
    write->erasure = (struct at_erasure_row){.id = text_in(sent, id),
                                             .person = person,
                                             .author = AT_TEXT(""),
                                             .people = people,
                                             .person_count = 1};
    forget(person);
}

static void random_unit(void) {
    struct sent *sent = new_sent();
    uint32_t writes = 1 + random_below(&seed, 12);
    for (uint32_t i = 0; i < writes; i++) {
        uint64_t person = 1 + random_below(&seed, PEOPLE);
        uint32_t kind = random_below(&seed, 10);
        if (kind < 6) add_profile(sent, person);
        if (kind == 6 || kind == 7) add_filled(sent, person);
        if (kind < 8) continue;
        add_write(sent, AT_WRITE_PROFILE_GONE)->profile.person = person;
        forget(person);
    }
    if (random_below(&seed, 20) == 0) add_erasure(sent, 1 + random_below(&seed, PEOPLE));
    assert_int_equal(finish_sent(store, sent, true), AT_OK);
}

struct read_counts {
    uint64_t people[DAYS], before;
};

static bool note_count(void *arg, uint64_t days, uint64_t people) {
    struct read_counts *read = arg;
    CHECK(days < DAYS && days > read->before && people > 0);
    read->people[days] = people;
    read->before = days;
    return true;
}

static void check_counts(struct at_reader *reader, void *arg) {
    (void)arg;
    struct read_counts read = {.before = 0};
    uint64_t expected[DAYS] = {0};
    for (int person = 1; person <= PEOPLE; person++)
        if (model.days[person]) expected[model.days[person]]++;
    assert_int_equal(at_reader_rhythms(reader, note_count, &read), AT_OK);
    for (int days = 1; days < DAYS; days++) CHECK(read.people[days] == expected[days]);
}

static void rhythms_are_counted_as_the_profiles_say(void **state) {
    (void)state;
    seed = first = first_seed(0x5714);
    printf("# property: rhythms_are_counted_as_the_profiles_say, 400 cases, seed %llu\n",
           (unsigned long long)first);
    for (number = 0; number < 400; number++) {
        random_unit();
        read_store(store, check_counts, NULL);
        if (number % 100) continue;
        at_store_close(store);
        store = open_store(folder, NULL);
        read_store(store, check_counts, NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rhythms_are_counted_as_the_profiles_say, open_fresh, close_fresh)};
    return cmocka_run_group_tests_name("store_rhythm", tests, NULL, NULL);
}
