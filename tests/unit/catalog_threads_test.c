/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers pin versions and check that each is whole while one writer publishes and another publishes counted
 * features. The writer gives every product the same stock and note in one staging, so a version that mixes
 * two is seen at once. Meant for the thread sanitizer; correct without it too.
 */
#include <pthread.h>
#include <stdatomic.h>
#include "catalog_world.h"
#include "catalog/where.h"

enum { READERS = 3, PRODUCTS = 60, ROUNDS = 300 };
static struct at_catalog *catalog;
static _Atomic bool is_done;
static _Atomic uint32_t checked, wrong;

static struct at_json parse(struct at_json_parser *parser, const char *text) {
    struct at_json json = {0};
    if (at_json_parse(parser, text, strlen(text), false, &json, NULL) != AT_OK) abort();
    return json;
}

static void write_round(struct at_json_parser *parser, struct at_arena *arena, int round) {
    struct at_staging *staging;
    if (at_catalog_stage(catalog, arena, NULL, 0, &staging, NULL) != AT_OK) abort();
    for (int i = 0; i < PRODUCTS; i++) {
        char text[300];
        snprintf(text, sizeof text,
                 "{\"id\":\"P%d\",\"sku\":\"S%d-%d\",\"stock\":%d,\"note\":\"n%d\",\"colour\":\"c%d\","
                 "\"tags\":[\"t%d\",\"all\"]}",
                 i, i, round / 10, round, round, round % 5, round);
        struct at_change change = {.kind = AT_CHANGE_PUT, .document = parse(parser, text)};
        if (at_staging_add(staging, &change, 1) != AT_OK || change.status != AT_OK) abort();
    }
    if (round % 7 == 3)
        at_staging_cancel(staging);
    else if (at_staging_publish(staging) != AT_OK)
        abort();
    at_arena_reset(arena);
}

static void *write_products(void *arg) {
    struct at_json_parser *parser = at_json_parser_new(10000, 10);
    struct at_arena arena;
    at_arena_init(&arena, 1 << 22);
    for (int round = 1; round <= ROUNDS; round++) write_round(parser, &arena, round);
    at_arena_clear(&arena);
    at_json_parser_free(parser);
    atomic_store(&is_done, true);
    return arg;
}

static void *write_counted(void *arg) {
    float values[PRODUCTS];
    for (int round = 0; !atomic_load(&is_done); round++) {
        for (int i = 0; i < PRODUCTS; i++) values[i] = (float)round;
        const float *given[AT_COUNTED_COUNT] = {values, values, NULL};
        if (at_catalog_publish_counted(catalog, given, PRODUCTS) != AT_OK) abort();
        struct timespec pause = {0, 300000};
        nanosleep(&pause, NULL);
    }
    return arg;
}

static bool is_whole(const struct at_root *root, struct at_json_parser *parser, struct at_arena *arena) {
    int stock = attribute_of(root, "stock"), note = attribute_of(root, "note"),
        tags = attribute_of(root, "tags");
    if (note < 0) return at_root_rows(root) == 0;
    double first = at_root_number(root, stock, 0);
    char text[100], id[20];
    snprintf(text, sizeof text, "n%d", (int)first);
    const float *counted = at_root_counted(root, AT_COUNTED_POPULARITY, 0);
    for (uint32_t row = 0; row < PRODUCTS; row++) {
        uint32_t count;
        snprintf(id, sizeof id, "P%u", row);
        if (row_of(root, id) != row || !at_text_is(at_root_id(root, row), id)) return false;
        if (at_root_number(root, stock, row) != first) return false;
        if (!at_text_is(at_root_text_of(root, note, at_root_code(root, note, row)), text)) return false;
        const uint32_t *set = at_root_set(root, tags, at_root_code(root, tags, row), &count);
        if (count != 2 || set[0] >= set[1]) return false;
        if (counted && counted[row] != counted[0]) return false;
        if (at_root_body(root, row).length < 20) return false;
    }
    struct at_where *where;
    uint32_t rows[PRODUCTS], total;
    snprintf(text, sizeof text, "{\"note\":\"n%d\",\"tags\":\"all\"}", (int)first);
    if (at_where_parse(root, arena, parse(parser, text), &where, NULL) != AT_OK) return false;
    return at_where_rows(where, root, rows, PRODUCTS, &total) == PRODUCTS;
}

static void *read_versions(void *arg) {
    struct at_json_parser *parser = at_json_parser_new(10000, 10);
    struct at_arena arena;
    uint64_t last = 0;
    at_arena_init(&arena, 1 << 20);
    while (!atomic_load(&is_done)) {
        struct at_root *root = at_catalog_root(catalog), *again = at_root_ref(root);
        bool is_good = is_whole(root, parser, &arena) && at_root_version(root) >= last;
        last = at_root_version(root);
        at_root_unref(root);
        is_good = is_good && is_whole(again, parser, &arena);
        at_root_unref(again);
        atomic_fetch_add(&checked, 1);
        if (!is_good) atomic_fetch_add(&wrong, 1);
        at_arena_reset(&arena);
    }
    at_arena_clear(&arena);
    at_json_parser_free(parser);
    return arg;
}

static void every_pinned_version_is_whole(void **state) {
    (void)state;
    pthread_t threads[READERS + 2];
    assert_int_equal(at_catalog_new(&catalog, NULL, NULL), AT_OK);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_versions, NULL), 0);
    assert_int_equal(pthread_create(&threads[READERS], NULL, write_products, NULL), 0);
    assert_int_equal(pthread_create(&threads[READERS + 1], NULL, write_counted, NULL), 0);
    for (int i = 0; i < READERS + 2; i++) pthread_join(threads[i], NULL);
    print_message("%u versions checked\n", atomic_load(&checked));
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(atomic_load(&checked) > 0);
    at_catalog_free(catalog);
}

/* More pins through one version than its counter in the head can hold. */
static void a_version_can_be_pinned_very_often(void **state) {
    (void)state;
    enum { PINS = 200000 };
    struct world world;
    world_init(&world);
    struct at_root *root = NULL;
    for (int i = 0; i < PINS; i++) root = at_catalog_root(world.catalog);
    assert_int_equal(world_put(&world, "{\"id\":\"A\"}"), AT_OK);
    assert_int_equal(at_root_rows(root), 0);
    for (int i = 0; i < PINS; i++) at_root_unref(root);
    world_clear(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pinned_version_is_whole),
        cmocka_unit_test(a_version_can_be_pinned_very_often),
    };
    return cmocka_run_group_tests_name("catalog threads", tests, NULL, NULL);
}
