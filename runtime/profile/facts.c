/* SPDX-License-Identifier: Apache-2.0
 *
 * What is stored with an event: the event as sent, and beside it the facts apply needs, taken from the
 * catalog at this moment, so that a later fold needs no catalog.
 */
#include <string.h>
#include "profile/draft.h"
#include "profile/event.h"

struct facets { /* of one product */
    struct at_json_out *out;
    const struct at_root *root;
    size_t bytes; /* so far */
    bool is_cut;
};

/* A description is no taste; a category may be a long path. */
static bool is_told(struct at_text name, struct at_text value) {
    return value.length <= TASTE_VALUE_MAX || at_text_is(name, "category");
}

static bool has_room(struct facets *facets, size_t bytes) {
    if (facets->bytes + bytes > AT_FACETS_BYTES_MAX) {
        facets->is_cut = true;
        return false;
    }
    facets->bytes += bytes;
    return true;
}

static void put_list(struct facets *facets, int attribute, struct at_text name, uint32_t set) {
    uint32_t count;
    const uint32_t *codes = at_root_set(facets->root, attribute, set, &count);
    if (!has_room(facets, name.length)) return;
    at_json_key_text(facets->out, name);
    at_json_open(facets->out, '[');
    for (uint32_t i = 0; i < count; i++) {
        struct at_text value = at_root_text_of(facets->root, attribute, codes[i]);
        if (is_told(name, value) && has_room(facets, value.length)) at_json_put_text(facets->out, value);
    }
    at_json_close(facets->out, ']');
}

static void put_value(struct facets *facets, int attribute, struct at_text name, uint32_t code) {
    struct at_text value = at_root_text_of(facets->root, attribute, code);
    if (is_told(name, value) && has_room(facets, name.length + value.length)) {
        at_json_key_text(facets->out, name);
        at_json_put_text(facets->out, value);
    }
}

/* False: not all had room. */
static bool put_facets(struct at_json_out *out, const struct at_root *root,
                       const struct at_event_item *item) {
    struct facets facets = {out, root, 0, false};
    at_json_key(out, "facets");
    at_json_open(out, '{');
    if (item->row == AT_ROW_NONE) {
        if (item->category.length) at_json_add_text(out, "category", item->category);
        if (item->brand.length) at_json_add_text(out, "brand", item->brand);
    } else {
        int attributes = at_root_attribute_count(root);
        for (int i = 0; i < attributes; i++) {
            const struct at_attribute *attribute = at_root_attribute_at(root, i);
            uint32_t code = attribute->is_facet ? at_root_code(root, i, item->row) : 0;
            if (code && attribute->kind == AT_ATTRIBUTE_LIST)
                put_list(&facets, i, at_text_of(attribute->name), code);
            else if (code)
                put_value(&facets, i, at_text_of(attribute->name), code);
        }
    }
    at_json_close(out, '}');
    return !facets.is_cut;
}

static void put_number(struct at_json_out *out, const char *name, double value) {
    if (!at_is_missing(value)) at_json_add_number(out, name, value);
}

static bool put_item(struct at_json_out *out, const struct at_root *root, const struct at_event_item *item) {
    at_json_open(out, '{');
    at_json_add_text(out, "product", item->product);
    if (!at_text_equal(item->product, item->named)) at_json_add_text(out, "named", item->named);
    put_number(out, "price", item->price);
    at_json_add_number(out, "quantity", item->quantity);
    if (item->is_again) at_json_add_bool(out, "again", true);
    bool is_whole = put_facets(out, root, item);
    at_json_close(out, '}');
    return is_whole;
}

static bool is_money(const struct at_event *event) {
    return at_text_is(event->name, "order_completed") || at_text_is(event->name, "order_refunded") ||
           at_text_is(event->name, "order_cancelled");
}

static void put_also(struct at_json_out *out, const struct at_event *event) {
    if (!event->order_also[0].length) return;
    at_json_key(out, "also");
    at_json_open(out, '[');
    for (int i = 0; i < AT_ORDER_ALSO_MAX; i++)
        if (event->order_also[i].length) at_json_put_text(out, event->order_also[i]);
    at_json_close(out, ']');
}

struct at_text at_event_write_facts(const struct at_event *event, const struct at_root *root, bool claim_won,
                                    struct at_bytes *bytes) {
    struct at_json_out out = at_json_out(bytes);
    struct at_text cut = {NULL, 0};
    at_json_open(&out, '{');
    if (event->is_backfill) at_json_add_bool(&out, "backfill", true); /* first: at_event_is_backfill */
    if (event->order_id.length) at_json_add_text(&out, "order", event->order_id);
    put_also(&out, event);
    if (event->order_updated_ms) at_json_add_int(&out, "updated", event->order_updated_ms);
    if (event->refund_id.length) at_json_add_text(&out, "refund", event->refund_id);
    if (is_money(event) && (event->order_id.length || event->refund_id.length || !claim_won))
        at_json_add_bool(&out, "claim", claim_won);
    if (event->is_hearsay) at_json_add_bool(&out, "hearsay", true);
    if (event->brings_items) at_json_add_bool(&out, "brings_items", true);
    put_number(&out, "revenue", event->revenue);
    if (event->consent_again) at_json_add_int(&out, "consent_again", (int64_t)event->consent_again);
    if (event->is_unlearned) at_json_add_bool(&out, "learn", false);
    if (event->is_unproven) at_json_add_bool(&out, "unproven", true);
    if (event->item_count) {
        at_json_key(&out, "items");
        at_json_open(&out, '[');
        for (uint32_t i = 0; i < event->item_count; i++) {
            if (!put_item(&out, root, &event->items[i]) && !cut.data) cut = event->items[i].product;
        }
        at_json_close(&out, ']');
    }
    at_json_close(&out, '}');
    return cut;
}

/* Keys and proofs are not for keeping; what is set anew comes behind. */
static bool is_left_out(struct at_text name) {
    switch (name.length) {
    case 4: return at_text_is(name, "type");
    case 5: return at_text_is(name, "proof");
    case 6: return at_text_is(name, "apiKey");
    case 7: return at_text_is(name, "api_key");
    case 8: return at_text_is(name, "writeKey");
    case 9: return at_text_is(name, "write_key");
    case 10: return at_text_is(name, "receivedAt");
    default: return false;
    }
}

/* A proof of who somebody is opens doors: it is looked at and forgotten. */
static void write_context(struct at_json_out *out, struct at_json context) {
    if (!at_json_get(context, "proof").tape) {
        at_json_put_value(out, context);
        return;
    }
    struct at_json_each it = at_json_each(context);
    at_json_open(out, '{');
    while (at_json_next(&it)) {
        if (at_text_is(it.key, "proof")) continue;
        at_json_key_text(out, it.key);
        at_json_put_value(out, it.value);
    }
    at_json_close(out, '}');
}

void at_event_write_body(const struct at_event *event, struct at_bytes *bytes) {
    struct at_json_out out = at_json_out(bytes);
    struct at_json_each it = at_json_each(event->json);
    bool has_context = false;
    at_json_open(&out, '{');
    while (at_json_next(&it)) {
        if (is_left_out(it.key)) continue;
        has_context |= at_text_is(it.key, "context") && !at_json_is_null(it.value);
        if (at_text_is(it.key, "context") && at_json_is_null(it.value)) continue;
        at_json_key_text(&out, it.key);
        if (at_text_is(it.key, "context"))
            write_context(&out, it.value);
        else
            at_json_put_value(&out, it.value);
    }
    at_json_add_text(&out, "type", event->type_word); /* what it was taken as: the route has a say */
    if (!has_context && event->context.tape) {        /* the batch's */
        at_json_key(&out, "context");
        write_context(&out, event->context);
    }
    at_json_add_time(&out, "receivedAt", event->received_ms);
    at_json_close(&out, '}');
}
