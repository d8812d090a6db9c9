/* SPDX-License-Identifier: Apache-2.0
 *
 * The latest decisions: whatever sizes they have, what is found is what was put, the latest are found, and
 * memory stays within what was given; of who is forgotten nothing is left.
 */
#include "base_test.h"
#include "shop/internal.h"

enum { CASES = 4000, GIVEN = 300000 };

struct put {
    char id[AT_ULID_SIZE], *body;
    size_t length;
    uint64_t person;
    struct at_explored explored[40];
    uint32_t explored_count;
};

static struct at_catalog *catalog;
static struct at_root *root;
static struct at_shop *shop;
static struct at_worker *worker;
static struct at_account account;
static struct put made[CASES];

static int open_ring(void **state) {
    (void)state;
    struct at_catalog_options none = {0};
    account = (struct at_account){.name = "decisions", .limit = GIVEN};
    shop = calloc(1, sizeof *shop);
    worker = calloc(1, sizeof *worker);
    if (!shop || !worker || at_catalog_new(&catalog, &none, NULL) != AT_OK) return -1;
    root = at_catalog_root(catalog);
    shop->workers = worker;
    shop->worker_count = 1;
    worker->shop = shop;
    pthread_mutex_init(&shop->forgotten.mutex, NULL);
    at_intmap_init(&shop->forgotten.people);
    return ring_open(&worker->ring, GIVEN, &account) == AT_OK ? 0 : -1;
}

static int close_ring(void **state) {
    (void)state;
    ring_close(&worker->ring);
    at_intmap_clear(&shop->forgotten.people);
    at_root_unref(root);
    at_catalog_free(catalog);
    free(worker);
    free(shop);
    for (int i = 0; i < CASES; i++) free(made[i].body);
    memset(made, 0, sizeof made);
    return at_account_used(&account) ? -1 : 0;
}

/* Mostly small, some of many times the usual size, a few larger than all there is. */
static size_t random_length(void) {
    uint64_t n = next_random();
    return n % 40 == 0 ? n >> 20 & 0x7FFFF : n % 5 == 0 ? n >> 20 & 0x3FFF : 1 + (n >> 20) % 400;
}

static void put_one(struct put *put) {
    struct recorded record = {.root = root, .person = put->person = 1 + next_random() % 9};
    ring_id(worker, 1796000000000, put->id);
    memcpy(record.id, put->id, sizeof record.id);
    put->length = random_length();
    put->body = malloc(put->length + 1);
    assert_non_null(put->body);
    memset(put->body, 'a' + (int)(next_random() % 26), put->length);
    put->explored_count = next_random() % 3 ? 0 : next_random() % 40;
    for (uint32_t i = 0; i < put->explored_count; i++)
        put->explored[i] = (struct at_explored){i, (uint32_t)next_random()};
    record.body = put->body;
    record.body_length = put->length;
    record.explored = put->explored;
    record.explored_count = put->explored_count;
    ring_put(worker, &record);
}

static bool finds(const struct put *put) {
    struct at_arena arena;
    struct recorded found;
    at_arena_init(&arena, 1 << 20);
    bool is_there = ring_get(shop, at_text_of(put->id), &arena, &found);
    if (is_there) {
        assert_int_equal(found.body_length, put->length);
        assert_memory_equal(found.body, put->body, put->length);
        for (int i = 0; i < AT_JSON_PADDING; i++) assert_int_equal(found.body[put->length + (size_t)i], 0);
        assert_int_equal(found.explored_count, put->explored_count);
        if (put->explored_count)
            assert_memory_equal(found.explored, put->explored, put->explored_count * sizeof *put->explored);
        recorded_clear(&found);
    }
    at_arena_clear(&arena);
    return is_there;
}

/* Behind `from`, whether what came since leaves it there, half of the room being lost at most to what passes
 * over the end. */
static bool must_be_there(int from, int last) {
    size_t since = 0;
    for (int i = from; i <= last; i++)
        if (made[i].length < worker->ring.size) since += made[i].length + 80 + sizeof made[i].explored;
    return last - from < (int)worker->ring.count && made[from].length < worker->ring.size &&
           2 * since < worker->ring.size;
}

static void the_latest_are_found_as_they_were(void **state) {
    (void)state;
    int found = 0, owed = 0;
    seed_random(CASES);
    for (int i = 0; i < CASES; i++) {
        put_one(&made[i]);
        int earlier = i - (int)(next_random() % 60);
        if (earlier < 0) earlier = i;
        bool is_there = finds(&made[earlier]);
        found += is_there;
        owed += must_be_there(earlier, i);
        if (must_be_there(earlier, i)) assert_true(is_there);
        assert_true(at_account_used(&account) <= GIVEN);
    }
    print_message("%d found, %d had to be\n", found, owed);
    assert_true(owed > CASES / 10 && found < CASES);
}

static bool is_in_buffer(const struct put *put) {
    return memmem(worker->ring.bytes, worker->ring.size, put->body, put->length) != NULL;
}

static void of_the_forgotten_nothing_is_left(void **state) {
    (void)state;
    seed_random(1);
    for (int i = 0; i < 200; i++) {
        put_one(&made[i]);
        assert_true(finds(&made[i]) || made[i].length > worker->ring.size / 2);
    }
    struct put last = made[199];
    memset(last.body, '#', last.length); /* a text of its own */
    struct recorded record = {.root = root, .person = 77, .body = last.body, .body_length = last.length};
    ring_id(worker, 1796000000000, record.id);
    ring_put(worker, &record);
    assert_true(is_in_buffer(&last) || last.length > worker->ring.size / 2);
    bool is_new;
    assert_non_null(at_intmap_put(&shop->forgotten.people, 77, &is_new));
    atomic_store(&shop->forgotten.people_count, 1);
    ring_forget(&worker->ring, &shop->forgotten);
    assert_false(is_in_buffer(&last));
    memcpy(last.id, record.id, sizeof last.id);
    assert_false(finds(&last));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_latest_are_found_as_they_were, open_ring, close_ring),
        cmocka_unit_test_setup_teardown(of_the_forgotten_nothing_is_left, open_ring, close_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
