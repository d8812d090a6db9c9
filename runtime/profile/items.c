/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsing one event: which products it names, and how much money it moves.
 */
#include <math.h>
#include <string.h>
#include "profile/names.h"
#include "profile/parse.h"

#define AMOUNT_MAX                                                                                           \
    1e12 /* of a price, quantity or sum; sums over a lifetime stay exact enough, and finite                  \
          */

static enum at_status check_amount(struct parsing *parsing, const char *name, double amount) {
    if (at_is_missing(amount) || fabs(amount) <= AMOUNT_MAX) return AT_OK;
    return at_fail_field(parsing->err, AT_INVALID, "bad_amount", name,
                         "%s of %g is no amount: %g is the most", name, amount, AMOUNT_MAX);
}

static enum at_status check_id(struct parsing *parsing, const char *name, struct at_text id) {
    if (id.length <= ID_MAX) return AT_OK;
    return at_fail_field(parsing->err, AT_INVALID, "id_too_long", name, "%s may have %d bytes", name, ID_MAX);
}

/* ---- products ---- */

enum told { TOLD_PRICE = 7, TOLD_QUANTITY, TOLD_CATEGORY, TOLD_BRAND, TOLD }; /* before them its ids */
static const struct at_text told_names[TOLD] = {
    AT_TEXT_OF_TABLE("product_id"), AT_TEXT_OF_TABLE("productId"), AT_TEXT_OF_TABLE("sku"),
    AT_TEXT_OF_TABLE("variant_id"), AT_TEXT_OF_TABLE("variantId"), AT_TEXT_OF_TABLE("variant"),
    AT_TEXT_OF_TABLE("id"),         AT_TEXT_OF_TABLE("price"),     AT_TEXT_OF_TABLE("quantity"),
    AT_TEXT_OF_TABLE("category"),   AT_TEXT_OF_TABLE("brand")};

/* The first id the catalog knows, else the first there is. */
static enum at_status read_name(struct parsing *parsing, struct at_json json, const struct at_json *told,
                                struct at_event_item *item) {
    bool is_object = at_json_is_object(json);
    for (size_t i = 0; i < (is_object ? TOLD_PRICE : 1); i++) {
        struct at_text id = plain_text(parsing, is_object ? told[i] : json);
        enum at_status status = check_id(parsing, is_object ? told_names[i].data : "products", id);
        if (status != AT_OK) return status;
        if (!id.length) continue;
        if (!item->named.length) item->named = id;
        item->row = parsing->root ? at_root_row(parsing->root, id.data, id.length) : AT_ROW_NONE;
        if (item->row == AT_ROW_NONE) continue;
        item->named = id;
        break;
    }
    item->product = item->row == AT_ROW_NONE ? item->named : at_root_id(parsing->root, item->row);
    return AT_OK;
}

/* item->named is "" if it names no product. */
static enum at_status read_item(struct parsing *parsing, struct at_json json, struct at_event_item *item) {
    *item = (struct at_event_item){
        .named = {"", 0}, .row = AT_ROW_NONE, .price = at_missing(), .quantity = 1, .category = {"", 0}};
    struct at_json told[TOLD];
    at_json_members(json, told_names, TOLD, told);
    enum at_status status = read_name(parsing, json, told, item);
    if (status != AT_OK || !item->named.length) return status;
    item->price = at_amount(told[TOLD_PRICE]);
    double quantity = at_amount(told[TOLD_QUANTITY]);
    if (!at_is_missing(quantity) && quantity >= 0) item->quantity = quantity;
    item->category = plain_text(parsing, told[TOLD_CATEGORY]);
    item->brand = plain_text(parsing, told[TOLD_BRAND]);
    int attribute = item->row != AT_ROW_NONE && at_is_missing(item->price)
                        ? at_root_attribute(parsing->root, "price", 5)
                        : -1;
    status = check_amount(parsing, "price", item->price);
    if (status == AT_OK) status = check_amount(parsing, "quantity", item->quantity);
    if (attribute >= 0) item->price = at_root_number(parsing->root, attribute, item->row);
    return status;
}

static enum at_status add_item(struct parsing *parsing, struct at_json json) {
    struct at_event *event = parsing->event;
    enum at_status status = read_item(parsing, json, &event->items[event->item_count]);
    if (status == AT_OK && event->items[event->item_count].named.length) event->item_count++;
    return status;
}

enum at_status read_items(struct parsing *parsing) {
    struct at_event *event = parsing->event;
    struct at_json products = at_json_get(event->properties, "products");
    bool is_list = at_json_is_array(products), is_one = !is_list && event->type == AT_EVENT_TRACK &&
                                                        names_one_product(event->name) &&
                                                        event->properties.tape;
    uint32_t count = is_list ? at_json_count(products) : is_one;
    if (count > AT_EVENT_ITEMS_MAX)
        return at_fail_field(parsing->err, AT_INVALID, "too_many_products", "products",
                             "an event may name %d products, these are %u", AT_EVENT_ITEMS_MAX, count);
    if (!count) return AT_OK;
    event->items = at_arena_alloc(parsing->arena, count * sizeof *event->items);
    if (!event->items) return at_fail(parsing->err, AT_NOMEM, NULL, "out of memory");
    if (is_one) return add_item(parsing, event->properties);
    struct at_json_each it = at_json_each(products);
    enum at_status status = AT_OK;
    for (uint32_t i = 0; status == AT_OK && at_json_next(&it); i++) {
        status = add_item(parsing, it.value);
        if (status == AT_INVALID) at_error_prefix(parsing->err, "products[%u]: ", i);
    }
    return status;
}

/* ---- money ---- */

static double first_number(struct parsing *parsing, const char *const *names) {
    for (; *names; names++) {
        double number = at_amount(at_json_get(parsing->event->properties, *names));
        if (!at_is_missing(number)) return number;
    }
    return at_missing();
}

static double or_zero(double number) {
    return at_is_missing(number) ? 0 : number;
}

static double sum_of_items(const struct at_event *event) {
    double sum = 0;
    if (!event->item_count) return at_missing();
    for (uint32_t i = 0; i < event->item_count; i++) {
        if (at_is_missing(event->items[i].price)) return at_missing();
        sum += event->items[i].price * event->items[i].quantity;
    }
    return sum;
}

static double refund_of(struct parsing *parsing) {
    static const char *const names[] = {"refund", "refund_amount", "amount", "revenue",
                                        "value",  "total",         NULL};
    double amount = first_number(parsing, names);
    if (at_is_missing(amount)) amount = sum_of_items(parsing->event);
    return at_is_missing(amount) ? amount : fabs(amount);
}

/* After discounts, before tax and shipping: as said, or worked out of what is said. */
static double revenue_of(struct parsing *parsing) {
    static const char *const revenues[] = {"revenue", NULL}, *const subtotals[] = {"subtotal", NULL},
                             *const totals[] = {"total", "value", NULL};
    struct at_json properties = parsing->event->properties;
    double revenue = first_number(parsing, revenues), subtotal = first_number(parsing, subtotals),
           total = first_number(parsing, totals);
    if (!at_is_missing(revenue)) return revenue;
    if (!at_is_missing(subtotal)) return subtotal - or_zero(at_amount(at_json_get(properties, "discount")));
    if (!at_is_missing(total))
        return total - or_zero(at_amount(at_json_get(properties, "tax"))) -
               or_zero(at_amount(at_json_get(properties, "shipping")));
    return sum_of_items(parsing->event);
}

/* "undefined" claimed once would make every later order a duplicate. Shops write an order's number with a #
 * before it and without. */
static struct at_text order_id_of(struct parsing *parsing, struct at_json said, struct at_json other) {
    struct at_text id = plain_text(parsing, said.tape ? said : other);
    if (at_identity_is_blocked(NULL, id)) return AT_TEXT("");
    bool has_sign = id.length > 1 && id.data[0] == '#';
    return has_sign ? (struct at_text){id.data + 1, id.length - 1} : id;
}

/* Its other names and its version. */
static enum at_status read_order(struct parsing *parsing) {
    struct at_event *event = parsing->event;
    struct at_json number = member_of(event->properties, "order_number", "orderNumber"),
                   name = member_of(event->properties, "order_name", "orderName");
    struct at_text names[] = {order_id_of(parsing, number, number), order_id_of(parsing, name, name)};
    struct at_text updated = at_json_text(member_of(event->properties, "updated_at", "updatedAt"));
    uint32_t count = 0;
    for (size_t i = 0; i < AT_LENGTH(names) && event->order_id.length; i++) {
        enum at_status status = check_id(parsing, i ? "order_name" : "order_number", names[i]);
        if (status != AT_OK) return status;
        if (!names[i].length || at_text_equal(names[i], event->order_id) ||
            (count && at_text_equal(names[i], event->order_also[0])))
            continue;
        event->order_also[count++] = names[i];
    }
    if (updated.length) (void)at_time_parse(updated.data, updated.length, &event->order_updated_ms, NULL);
    return AT_OK;
}

enum at_status read_money(struct parsing *parsing) {
    struct at_event *event = parsing->event;
    static const struct at_text names[] = {AT_TEXT_OF_TABLE("order_id"), AT_TEXT_OF_TABLE("orderId"),
                                           AT_TEXT_OF_TABLE("refund_id"), AT_TEXT_OF_TABLE("refundId"),
                                           AT_TEXT_OF_TABLE("currency")};
    struct at_json said[AT_LENGTH(names)];
    at_json_members(event->properties, names, AT_LENGTH(names), said);
    event->order_id = order_id_of(parsing, said[0], said[1]);
    event->refund_id = order_id_of(parsing, said[2], said[3]);
    event->currency = plain_text(parsing, said[4]);
    event->revenue = at_missing();
    for (int i = 0; i < AT_ORDER_ALSO_MAX; i++) event->order_also[i] = AT_TEXT("");
    enum at_status status = check_id(parsing, "order_id", event->order_id);
    if (status == AT_OK) status = check_id(parsing, "refund_id", event->refund_id);
    if (status != AT_OK) return status;
    if (at_text_is(event->name, "order_refunded"))
        event->revenue = refund_of(parsing);
    else if (at_text_is(event->name, "order_completed")) {
        event->revenue = revenue_of(parsing);
        status = read_order(parsing);
        if (status != AT_OK) return status;
    }
    return check_amount(parsing, "revenue", event->revenue);
}
