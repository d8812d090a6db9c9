/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes the bodies of Shopify's webhooks. The first byte chooses the topic and whether the person is known
 * beforehand. Whatever is written is a batch whose events the tracking routes take or refuse by a field's
 * name, the same when the delivery comes again. With -DAT_PLANT_FAULT a write past a buffer hides behind some
 * order numbers.
 */
// Covers: runtime/profile/shopify.c runtime/profile/shopify_event.c runtime/profile/shopify_order.c
#include <stdlib.h>
#include <string.h>
#include "profile/shopify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t NOW_MS = 1795680000000;
static const char *const topics[] = {
    "orders/create",    "orders/paid",      "orders/updated",   "orders/cancelled",
    "orders/fulfilled", "refunds/create",   "customers/create", "customers/disable",
    "customers/delete", "checkouts/create", "checkouts/update", "checkouts/delete",
    "carts/create",     "carts/update",     "customers/enable", "customers/update"};
static struct at_json_parser *body_parser, *batch_parser;
static struct at_identity_rules rules; /* as a shop with this source has them */
static struct at_arena arena;
static struct at_bytes first, second;

static void require(bool claim) {
    if (!claim) abort();
}

static void clean_up(void) {
    at_json_parser_free(body_parser);
    at_json_parser_free(batch_parser);
    at_arena_clear(&arena);
    at_bytes_clear(&first);
    at_bytes_clear(&second);
}

static void set_up(void) {
    body_parser = at_json_parser_new(1 << 20, 64);
    batch_parser = at_json_parser_new(1 << 24, 64);
    require(body_parser && batch_parser);
    at_identity_rules_default(&rules);
    rules.kinds[rules.kind_count++] =
        (struct at_identity_kind){AT_TEXT(AT_SHOPIFY_CUSTOMER_KIND), 1, 0, true};
    at_arena_init(&arena, 1 << 24);
    at_bytes_init(&first, 1 << 24);
    at_bytes_init(&second, 1 << 24);
    atexit(clean_up);
}

#ifdef AT_PLANT_FAULT
static void plant_fault(struct at_json body) {
    int64_t number = 0;
    at_json_int(at_json_get(body, "order_number"), &number);
    if (number < 1003 || number > 1900) return; /* the seeds: 1001 */
    volatile char *small = malloc(2);
    if (small) small[number - 1000] = 'x';
    free((void *)small);
}
#else
static void plant_fault(struct at_json body) {
    (void)body;
}
#endif

/* As the tracking routes take them. */
static void check_batch(const struct at_shopify_written *written) {
    struct at_json batch;
    struct at_event event;
    uint32_t count = 0;
    struct at_event_defaults defaults = {
        .received_ms = NOW_MS, .is_import = true, .any_identifier = true, .rules = &rules};
    require(at_json_parse(batch_parser, first.data, first.length, false, &batch, NULL) == AT_OK);
    struct at_json_each it = at_json_each(at_json_get(batch, "batch"));
    while (at_json_next(&it)) {
        struct at_error err = {0};
        at_arena_reset(&arena);
        enum at_status status = at_event_parse(&arena, it.value, &defaults, NULL, &event, &err);
        count++;
        require(status == AT_OK || (status == AT_INVALID && err.message[0] && err.field[0]));
        if (status != AT_OK) continue; /* an address that is none, an id too long: the answer says so */
        require(event.message_id.length > 0 && event.message_id.length <= 100 && event.identifier_count > 0);
    }
    require(count == written->events && count > 0);
}

/* What is kept of a refund that waits gives the same events as the whole. */
static void check_kept_refund(const struct at_shopify_webhook *webhook, struct at_json body) {
    struct at_bytes kept, whole, part;
    struct at_json json;
    struct at_shopify_written again;
    struct at_shopify_webhook waiting = *webhook;
    waiting.id = AT_TEXT("e-1"); /* else it is made of the body */
    at_bytes_init(&kept, 1 << 24);
    at_bytes_init(&whole, 1 << 24);
    at_bytes_init(&part, 1 << 24);
    at_shopify_refund_kept(body, &kept);
    require(!kept.failed && at_json_parse(batch_parser, kept.data, kept.length, false, &json, NULL) == AT_OK);
    enum at_status status = at_shopify_events(&waiting, body, &whole, &again, NULL);
    require(at_shopify_events(&waiting, json, &part, &again, NULL) == status);
    require(whole.length == part.length && (!whole.length || !memcmp(whole.data, part.data, whole.length)));
    at_bytes_clear(&kept);
    at_bytes_clear(&whole);
    at_bytes_clear(&part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct at_identifier known = {{"email", 5}, {"bob@example.com", 15}};
    struct at_json body;
    struct at_error err = {0};
    struct at_shopify_written written, again;
    char order[AT_SHOPIFY_NAME_MAX];
    if (!body_parser) set_up();
    if (size < 1 || at_json_parse(body_parser, (const char *)data + 1, size - 1, false, &body, NULL) != AT_OK)
        return 0;
    struct at_shopify_webhook webhook = {.topic = at_text_of(topics[data[0] % AT_LENGTH(topics)]),
                                         .id = data[0] & 32 ? AT_TEXT("") : AT_TEXT("e-1"),
                                         .at_ms = NOW_MS,
                                         .who = data[0] & 16 ? &known : NULL};
    if (!at_shopify_is_of_people(webhook.topic)) return 0;
    at_shopify_order_id(webhook.topic, body, order);
    require(strlen(order) < sizeof order);
    at_bytes_reset(&first);
    at_bytes_reset(&second);
    enum at_status status = at_shopify_events(&webhook, body, &first, &written, &err);
    require(status == AT_OK || (status == AT_INVALID && err.message[0]));
    require(at_shopify_events(&webhook, body, &second, &again, NULL) == status);
    if (status != AT_OK) return 0;
    plant_fault(body);
    if (at_text_is(webhook.topic, "refunds/create")) check_kept_refund(&webhook, body);
    require(!first.failed && first.length == second.length &&
            memcmp(first.data, second.data, first.length) == 0);
    if (written.outcome == AT_SHOPIFY_WRITTEN)
        check_batch(&written);
    else
        require(!first.length);
    return 0;
}
