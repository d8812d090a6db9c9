/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the language share: a catalog with every kind of attribute, a shopper with a past,
 * scripts built into a generation and loaded.
 */
#ifndef TESTS_UNIT_LANGUAGE_WORLD_H
#define TESTS_UNIT_LANGUAGE_WORLD_H

#include "base/time.h"
#include "catalog_world.h"
#include "language/language.h"
#include "profile/profile.h"

#define NOW_MS INT64_C(1796000000000) /* 2026-11-30 */

struct shop_world {
    struct world catalog;
    struct at_root *root;
    struct at_profile *somebody, *nobody;
    struct at_baseline *baseline;
    struct at_settings *settings;
    struct at_arena findings, request;
    struct at_build build;
    struct at_generation *generation;
    struct at_language *language;
    struct at_decision_view view;
    bool is_plain; /* decisions are without consent to personalization */
    struct at_profile *plain;
    uint32_t rows[512], row_count;
};

static inline const char *no_env(void *arg, const char *name) {
    (void)arg;
    (void)name;
    return NULL;
}

/* shop.lua with this text; what was loaded before is freed. */
static inline enum at_status load_settings(const char *text, struct at_settings **settings,
                                           struct at_error *err) {
    struct at_settings_source source = {.folder = ".", .env = no_env};
    at_settings_free(*settings);
    *settings = NULL;
    *err = (struct at_error){0};
    return at_settings_load(&source, text, strlen(text), settings, err);
}
#define assert_refused(text, settings, err, said)                                                            \
    do {                                                                                                     \
        assert_int_not_equal(load_settings(text, settings, err), AT_OK);                                     \
        assert_string_equal((err)->message, said);                                                           \
    } while (0)

static inline void put_products(struct world *world, int count) {
    for (int i = 0; i < count; i++) {
        char text[600];
        int at =
            snprintf(text, sizeof text, "{\"id\":\"P%03d\",\"title\":\"Thing %d\",\"stock\":%d", i, i, i % 6);
        if (i % 6) at += snprintf(text + at, sizeof text - (size_t)at, ",\"brand\":\"b%d\"", i % 5);
        if (i % 4) at += snprintf(text + at, sizeof text - (size_t)at, ",\"category\":\"c%d\"", i % 3);
        if (i % 7)
            at +=
                snprintf(text + at, sizeof text - (size_t)at,
                         ",\"price\":%d.%02d,\"list_price\":%d,\"cost\":7", 9 + i % 50, i % 100, 70 + i % 9);
        if (i % 3) at += snprintf(text + at, sizeof text - (size_t)at, ",\"rating\":%d.5", i % 5);
        if (i % 5)
            at += snprintf(text + at, sizeof text - (size_t)at, ",\"tags\":[\"t%d\",\"t%d\"]", i % 3, i % 4);
        if (i % 2)
            at +=
                snprintf(text + at, sizeof text - (size_t)at, ",\"vegan\":%s", i % 4 == 1 ? "true" : "false");
        if (i % 8)
            at += snprintf(text + at, sizeof text - (size_t)at, ",\"released\":\"2026-11-%02d\"", i % 28 + 1);
        snprintf(text + at, sizeof text - (size_t)at, ",\"balance\":%d}", i % 9 - 4);
        assert_int_equal(world_put(world, text), AT_OK);
    }
}

static inline void publish_counted(struct world *world, int count) {
    static float values[AT_COUNTED_COUNT][512];
    const float *const columns[AT_COUNTED_COUNT] = {values[0], values[1], values[2]};
    for (int which = 0; which < AT_COUNTED_COUNT; which++)
        for (int i = 0; i < count; i++) values[which][i] = (float)((i * 31 + which * 7) % 97) / 97;
    assert_int_equal(at_catalog_publish_counted(world->catalog, columns, (uint32_t)count), AT_OK);
}

/* One event through parse, facts and fold, as shop/ does it. */
static inline void live(struct shop_world *world, uint64_t seq, const char *text) {
    struct at_event event;
    struct at_error err;
    struct at_bytes body, facts;
    struct at_event_defaults defaults = {.received_ms = NOW_MS, .is_import = true};
    struct at_json_parser *body_parser = at_json_parser_new(1 << 16, 32),
                          *facts_parser = at_json_parser_new(1 << 16, 32);
    at_bytes_init(&body, SIZE_MAX);
    at_bytes_init(&facts, SIZE_MAX);
    at_arena_reset(&world->request);
    if (at_event_parse(&world->request, world_json(&world->catalog, text), &defaults, world->root, &event,
                       &err) != AT_OK)
        fail_msg("%s: %s", text, err.message);
    at_event_write_body(&event, &body);
    at_event_write_facts(&event, world->root, true, &facts);
    struct at_logged_event logged = {.seq = seq,
                                     .at_ms = event.at_ms,
                                     .received_ms = NOW_MS,
                                     .name = event.name,
                                     .message_id = event.message_id.length ? event.message_id : AT_TEXT("m")};
    assert_int_equal(at_json_parse(body_parser, body.data, body.length, false, &logged.body, NULL), AT_OK);
    assert_int_equal(at_json_parse(facts_parser, facts.data, facts.length, false, &logged.facts, NULL),
                     AT_OK);
    struct at_profile *next = at_profile_apply(world->somebody, &logged, false);
    assert_non_null(next);
    at_profile_unref(world->somebody);
    world->somebody = next;
    at_json_parser_free(body_parser);
    at_json_parser_free(facts_parser);
    at_bytes_clear(&body);
    at_bytes_clear(&facts);
}

static inline void live_a_past(struct shop_world *world) {
    char text[400];
    uint64_t seq = 0;
    live(world, ++seq,
         "{\"type\":\"identify\",\"userId\":\"u1\",\"timestamp\":\"2026-11-20T10:00:00Z\",\"traits\":{"
         "\"email\":\"a@b.example\","
         "\"tier\":\"gold\",\"points\":12,\"member\":true,\"nested\":{\"a\":[1,2]},\"likes\":{\"brand\":"
         "\"b3\",\"tags\":[\"t1\"]},"
         "\"dislikes\":{\"category\":[\"c2\"],\"tags\":\"t3\"}}}");
    for (int i = 0; i < 12; i++) {
        snprintf(text, sizeof text,
                 "{\"type\":\"track\",\"event\":\"Product "
                 "Viewed\",\"userId\":\"u1\",\"timestamp\":\"2026-11-2%dT11:00:00Z\","
                 "\"properties\":{\"product_id\":\"P%03d\"}}",
                 i % 9, i * 5 + 1);
        live(world, ++seq, text);
    }
    live(world, ++seq,
         "{\"type\":\"track\",\"event\":\"Order "
         "Completed\",\"userId\":\"u1\",\"timestamp\":\"2026-11-29T11:00:00Z\",\"properties\":"
         "{\"order_id\":\"o1\",\"revenue\":120.5,\"products\":[{\"product_id\":\"P001\",\"quantity\":2},{"
         "\"product_id\":\"P006\"}]}}");
    live(world, ++seq,
         "{\"type\":\"track\",\"event\":\"Product "
         "Added\",\"userId\":\"u1\",\"timestamp\":\"2026-11-29T23:50:00Z\",\"properties\":"
         "{\"product_id\":\"P011\",\"quantity\":1,\"price\":20}}");
}

static inline void shop_world_init(struct shop_world *world, int products) {
    struct at_settings_source source = {.folder = ".", .env = no_env};
    struct at_error err;
    memset(world, 0, sizeof *world);
    world_init(&world->catalog);
    put_products(&world->catalog, products);
    if (products) publish_counted(&world->catalog, products);
    world->root = at_catalog_root(world->catalog.catalog);
    at_arena_init(&world->findings, 1 << 26);
    at_arena_init(&world->request, 1 << 28);
    assert_int_equal(at_settings_load(&source, NULL, 0, &world->settings, &err), AT_OK);
    for (int i = 0; i < AT_BUDGET_LOAD; i++) world->settings->budgets.ns[i] = 100 * AT_DECISION_BUDGET_NS;
    world->nobody = at_profile_new(0, NULL);
    world->somebody = at_profile_new(77, NULL);
    assert_true(world->nobody && world->somebody);
    if (products) live_a_past(world);
    for (uint32_t row = 0; row < at_root_rows(world->root) && row < AT_LENGTH(world->rows); row++)
        world->rows[world->row_count++] = row;
}

static inline void shop_world_unload(struct shop_world *world) {
    at_language_free(world->language);
    at_generation_free(world->generation);
    world->language = NULL;
    world->generation = NULL;
}

static inline void shop_world_clear(struct shop_world *world) {
    if (world->baseline) at_baseline_unref(world->baseline);
    shop_world_unload(world);
    if (world->plain) at_profile_unref(world->plain);
    at_settings_free(world->settings);
    at_profile_unref(world->nobody);
    at_profile_unref(world->somebody);
    at_root_unref(world->root);
    at_arena_clear(&world->findings);
    at_arena_clear(&world->request);
    world_clear(&world->catalog);
}

/* Build what the files say; AT_OK: it is loaded too. */
static inline enum at_status shop_world_load_files(struct shop_world *world,
                                                   const struct at_source_file *files, uint32_t count) {
    struct at_error err;
    shop_world_unload(world);
    at_arena_reset(&world->findings);
    world->build = (struct at_build){.files = files,
                                     .file_count = count,
                                     .settings = world->settings,
                                     .root = world->root,
                                     .arena = &world->findings};
    enum at_status status = at_generation_build(&world->build, &world->generation, &err);
    if (status != AT_OK) return status;
    assert_int_equal(at_language_new(&world->language, world->generation, world->settings, NULL, NULL, &err),
                     AT_OK);
    return AT_OK;
}

static inline enum at_status shop_world_load(struct shop_world *world, const char *text) {
    struct at_source_file file = {AT_TEXT("scripts/a.lua"), at_text_of(text)};
    return shop_world_load_files(world, &file, 1);
}

/* Without the word on locals that nobody uses and conditions like "while false": a test of other words has
 * many. */
static inline enum at_status shop_world_load_used(struct shop_world *world, const char *text) {
    enum at_status status = shop_world_load(world, text);
    for (struct at_file_finding **at = &world->build.findings; *at;)
        if (strcmp((*at)->finding.code, "unused") == 0 || strcmp((*at)->finding.code, "always_the_same") == 0)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    return status;
}

static inline const char *first_finding(const struct shop_world *world) {
    const struct at_file_finding *at = world->build.findings;
    while (at && at->finding.is_warning && at->next) at = at->next;
    return at ? at->finding.message : "";
}

static inline void must_load(struct shop_world *world, const char *text) {
    if (shop_world_load(world, text) != AT_OK) fail_msg("%s\n--- %s", first_finding(world), text);
}

/* Everyone's baseline, of a shop whose typical interval is so many days; 0: it has none. */
static inline void be_a_shop_of(struct shop_world *world, uint32_t days) {
    struct at_crowd *crowd = at_crowd_new();
    assert_non_null(crowd);
    assert_int_equal(at_crowd_set_shop_days(crowd, days), days > 0);
    if (world->baseline) at_baseline_unref(world->baseline);
    world->baseline = at_crowd_baseline(crowd);
    assert_non_null(world->baseline);
    at_crowd_free(crowd);
}

/* A fresh decision: nothing cached, the whole budget. */
static inline void begin_decision(struct shop_world *world, const struct at_profile *profile) {
    at_arena_reset(&world->request);
    if (world->plain) at_profile_unref(world->plain);
    world->plain = world->is_plain ? at_profile_plain(profile) : NULL;
    world->view = (struct at_decision_view){.root = world->root,
                                            .profile = world->is_plain ? world->plain : profile,
                                            .whole = profile,
                                            .is_plain = world->is_plain,
                                            .baseline = world->baseline,
                                            .now_ms = NOW_MS,
                                            .page_name = AT_TEXT("product/P003"),
                                            .page_category = AT_TEXT("c1"),
                                            .page_product = world->row_count > 3 ? 3 : AT_ROW_NONE,
                                            .arena = &world->request,
                                            .deadline_ns = at_ticks_ns() + 100 * AT_DECISION_BUDGET_NS};
}

#endif
