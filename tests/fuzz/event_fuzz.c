/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes events as the tracking SDKs send them. The first byte chooses: by a route or in a batch, imported or
 * not, with the batch's context and sentAt or without. What is refused says why; what is taken is within its
 * bounds, is written as JSON, and, read back from the log, is the same event. With -DAT_PLANT_FAULT a write
 * past a buffer hides behind one quantity.
 */
// Covers: runtime/profile/event.c runtime/profile/items.c
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "profile/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t NOW_MS = 1795680000000;
static struct at_arena arena, again_arena;
static struct at_json_parser *parser, *body_parser, *facts_parser, *batch_parser;
static struct at_catalog *catalog;

static void require(bool claim) {
    if (!claim) abort();
}

#ifdef AT_PLANT_FAULT
static void plant_fault(const struct at_event *event) {
    if (!event->item_count || !(event->items[0].quantity >= 3 && event->items[0].quantity < 100))
        return; /* the seeds: 2 */
    volatile char *small = malloc(3);
    if (small) small[(size_t)event->items[0].quantity] = 'x';
    free((void *)small);
}
#else
static void plant_fault(const struct at_event *event) {
    (void)event;
}
#endif

static struct at_json json_of(struct at_json_parser *reader, const char *text, size_t length) {
    struct at_json json;
    require(at_json_parse(reader, text, length, false, &json, NULL) == AT_OK);
    return json;
}

static void clean_up(void) {
    at_catalog_free(catalog);
}

static void set_up(void) {
    static const char product[] = "{\"id\":\"A\",\"title\":\"T\",\"price\":9.5,\"category\":\"c\","
                                  "\"variants\":[{\"id\":\"A-red\",\"price\":8}]}";
    struct at_staging *staging;
    atexit(clean_up);
    at_arena_init(&arena, 1 << 24);
    at_arena_init(&again_arena, 1 << 24);
    parser = at_json_parser_new(1 << 20, 64);
    body_parser = at_json_parser_new(1 << 20, 80);
    facts_parser = at_json_parser_new(1 << 20, 80);
    batch_parser = at_json_parser_new(1 << 20, 64);
    require(parser && body_parser && facts_parser && batch_parser &&
            at_catalog_new(&catalog, NULL, NULL) == AT_OK);
    struct at_change change = {.kind = AT_CHANGE_PUT,
                               .document = json_of(parser, product, sizeof product - 1)};
    require(at_catalog_stage(catalog, &arena, &change, 1, &staging, NULL) == AT_OK && change.status == AT_OK);
    require(at_staging_publish(staging) == AT_OK);
}

static bool is_amount(double value) {
    return isfinite(value) || at_is_missing(value);
}

static void check_bounds(const struct at_event *event, bool is_import) {
    require(event->name.length > 0);
    if (!is_import)
        require(event->anonymous_id.length || event->user_id.length); /* of the past an address does */
    require(event->identifier_count >= 1 && event->identifier_count <= AT_EVENT_IDENTIFIERS_MAX);
    for (uint32_t i = 0; i < event->identifier_count; i++) require(event->identifiers[i].value.length > 0);
    require(event->received_ms == NOW_MS && event->at_ms <= NOW_MS + AT_DAY_MS);
    require(event->item_count <= AT_EVENT_ITEMS_MAX && event->message_id.length <= 100);
    require(is_amount(event->revenue));
    for (uint32_t i = 0; i < event->item_count; i++)
        require(is_amount(event->items[i].price) && isfinite(event->items[i].quantity));
}

/* What tells one event from another with the same messageId, and what names one that has none. */
static void check_name(const struct at_event *event) {
    char id[AT_EVENT_DERIVED_ID_SIZE];
    uint64_t payload = at_event_payload(event);
    require(payload == at_event_payload(event));
    at_event_derived_id(payload, 18446744073709551615u, id);
    require(strlen(id) < sizeof id && strlen(id) > 17);
    require(!event->message_id.length || at_event_has_message_id(event->json));
}

/* As the log keeps it and a fold reads it. */
static void check_kept(const struct at_event *event, const struct at_root *root) {
    struct at_bytes body, facts;
    at_bytes_init(&body, 1 << 22);
    at_bytes_init(&facts, 1 << 22);
    at_event_write_body(event, &body);
    at_event_write_facts(event, root, true, &facts);
    require(!body.failed && !facts.failed);
    require(at_json_is_object(json_of(facts_parser, facts.data, facts.length)));
    struct at_event_defaults defaults = {
        .type = event->type_word, .received_ms = NOW_MS, .any_identifier = true};
    struct at_event again;
    struct at_error err = {0};
    at_arena_reset(&again_arena);
    require(at_event_parse(&again_arena, json_of(body_parser, body.data, body.length), &defaults, root,
                           &again, &err) == AT_OK);
    require(at_text_equal(again.name, event->name) && again.item_count == event->item_count);
    require(again.identifier_count == event->identifier_count);
    for (uint32_t i = 0; i < event->identifier_count; i++)
        require(at_text_equal(again.identifiers[i].value, event->identifiers[i].value));
    at_bytes_clear(&body);
    at_bytes_clear(&facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char batch[] =
        "{\"context\":{\"traits\":{\"email\":\"b@example.com\"}},\"sentAt\":\"2026-11-26T07:00:00Z\"}";
    struct at_event event;
    struct at_error err = {0};
    struct at_json json;
    if (!catalog) set_up();
    if (size < 1 || size > AT_EVENT_BYTES_MAX) return 0;
    if (at_json_parse(parser, (const char *)data + 1, size - 1, false, &json, NULL) != AT_OK) return 0;
    struct at_event_defaults defaults = {.received_ms = NOW_MS, .is_import = data[0] & 2};
    if (data[0] & 1) defaults.type = AT_TEXT("track");
    if (data[0] & 4) {
        struct at_json of_batch = json_of(batch_parser, batch, sizeof batch - 1);
        defaults.context = at_json_get(of_batch, "context");
        defaults.sent_at = at_json_get(of_batch, "sentAt");
    }
    struct at_root *root = data[0] & 8 ? NULL : at_catalog_root(catalog);
    at_arena_reset(&arena);
    enum at_status status = at_event_parse(&arena, json, &defaults, root, &event, &err);
    require(status == AT_OK || (status == AT_INVALID && err.message[0] && err.code[0]));
    if (status == AT_OK) {
        plant_fault(&event);
        check_bounds(&event, defaults.is_import);
        check_name(&event);
        check_kept(&event, root);
    }
    if (root) at_root_unref(root);
    return 0;
}
