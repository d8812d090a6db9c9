/* SPDX-License-Identifier: Apache-2.0
 *
 * A Shopify order and its refunds as events. Revenue is what was ordered: after discounts, before tax and
 * shipping, whatever was given back since; what was given back are refunds of their own.
 */
#include <math.h>
#include <stdio.h>
#include "profile/shopify_event.h"

static double or_zero(double amount) {
    return at_is_missing(amount) ? 0 : amount;
}

static bool flag_of(struct at_json object, const char *name) {
    bool is_set = false;
    at_json_bool(at_json_get(object, name), &is_set);
    return is_set;
}

static double sum_of(struct at_json list, const char *name) {
    double sum = 0;
    struct at_json_each it = at_json_each(list);
    while (at_json_is_array(list) && at_json_next(&it)) sum += or_zero(shopify_money(it.value, name));
    return sum;
}

/* The taxes of all lines of a list. *is_said: some line names one. */
static double taxes_of(struct at_json lines, bool *is_said) {
    double sum = 0;
    struct at_json_each it = at_json_each(lines);
    while (at_json_is_array(lines) && at_json_next(&it)) {
        struct at_json taxes = at_json_get(it.value, "tax_lines");
        *is_said |= at_json_is_array(taxes) && at_json_count(taxes) > 0;
        sum += sum_of(taxes, "price");
    }
    return sum;
}

/* ---- refunds ---- */

/* Before tax, as a price without tax would have it. A refund does not say whether the shop's prices hold the
 * tax; its own figures do: the tax is either rate · price, or what of the price is beyond price / (1 + rate).
 */
static bool holds_tax(struct at_json line, double subtotal, double tax) {
    double rate = 0, number;
    struct at_json taxes = at_json_get(at_json_get(line, "line_item"), "tax_lines");
    struct at_json_each it = at_json_each(taxes);
    while (at_json_is_array(taxes) && at_json_next(&it))
        if (at_json_number(at_json_get(it.value, "rate"), &number)) rate += number;
    if (!(rate > 0) || !(tax > 0)) return false;
    double beside = fabs(tax - subtotal * rate), within = fabs(tax - subtotal * rate / (1 + rate));
    return within < beside && within <= 0.01 + 0.005 * tax;
}

static double subtotal_of(struct at_json line) {
    struct at_json item = at_json_get(line, "line_item");
    double subtotal = shopify_money(line, "subtotal"), tax = or_zero(shopify_money(line, "total_tax")),
           quantity;
    if (at_is_missing(subtotal)) {
        quantity = or_zero(shopify_money(line, "quantity"));
        subtotal = or_zero(shopify_money(item, "price")) * quantity;
    }
    return holds_tax(line, subtotal, tax) ? subtotal - tax : subtotal;
}

/* What was paid back beyond the lines (a good-will gesture), or kept of them (a fee). Shipping is no revenue.
 */
static double adjustments_of(struct at_json refund) {
    double sum = 0;
    struct at_json list = at_json_get(refund, "order_adjustments");
    struct at_json_each it = at_json_each(list);
    while (at_json_is_array(list) && at_json_next(&it))
        if (!at_text_is(shopify_text(it.value, "kind"), "shipping_refund"))
            sum -= or_zero(shopify_money(it.value, "amount"));
    return sum;
}

static double paid_back(struct at_json refund) {
    double sum = 0;
    struct at_json list = at_json_get(refund, "transactions");
    struct at_json_each it = at_json_each(list);
    while (at_json_is_array(list) && at_json_next(&it))
        if (at_text_is(shopify_text(it.value, "kind"), "refund") &&
            !at_text_is(shopify_text(it.value, "status"), "failure") &&
            !at_text_is(shopify_text(it.value, "status"), "error"))
            sum += or_zero(shopify_money(it.value, "amount"));
    return sum;
}

static double refunded_of(struct at_json refund) {
    double sum = 0;
    struct at_json lines = at_json_get(refund, "refund_line_items"),
                   adjustments = at_json_get(refund, "order_adjustments");
    struct at_json_each it = at_json_each(lines);
    bool has_lines = at_json_is_array(lines) && at_json_count(lines);
    while (has_lines && at_json_next(&it)) sum += subtotal_of(it.value);
    bool has_adjustments = at_json_is_array(adjustments) && at_json_count(adjustments);
    sum = has_lines || has_adjustments ? sum + adjustments_of(refund) : paid_back(refund);
    return sum > 0 ? shopify_round(sum) : 0;
}

static void write_refund(struct writing *w, struct at_json refund, struct at_json order_id) {
    char id[AT_SHOPIFY_NAME_MAX], part[AT_SHOPIFY_NAME_MAX + 20];
    if (!at_shopify_id(at_json_get(refund, "id"), id)) return;
    snprintf(part, sizeof part, "refund.%s", id);
    struct at_json moment = at_json_get(refund, "processed_at");
    if (!at_json_is_string(moment)) moment = at_json_get(refund, "created_at");
    shopify_begin(
        w, &(struct event_head){.type = "track", .name = "Order Refunded", .part = part, .moment = moment});
    shopify_put_id(w, "order_id", order_id);
    at_json_add_string(&w->out, "refund_id", id);
    at_json_add_number(&w->out, "amount", refunded_of(refund));
    shopify_put_products(w, at_json_get(refund, "refund_line_items"));
    shopify_end(w);
}

enum at_status shopify_write_refund(struct writing *w) {
    char id[AT_SHOPIFY_NAME_MAX];
    struct at_json order_id = at_json_get(w->body, "order_id");
    if (!at_shopify_id(at_json_get(w->body, "id"), id) || !at_shopify_id(order_id, id))
        return at_fail_field(w->err, AT_INVALID, "no_id", "order_id", "a refund has an id and an order_id");
    if (!w->webhook->who)
        w->written->outcome = AT_SHOPIFY_NOBODY;
    else
        write_refund(w, w->body, order_id);
    return AT_OK;
}

/* All that is read of a refund above, and of its lines in shopify_event.c; wherever it stands. */
static const char *const kept_names[] = {
    "id",       "order_id",     "created_at", "processed_at",      "order_adjustments",
    "kind",     "amount",       "amount_set", "refund_line_items", "quantity",
    "subtotal", "subtotal_set", "total_tax",  "tax_lines",         "total_tax_set",
    "rate",     "line_item",    "product_id", "variant_id",        "sku",
    "title",    "vendor",       "price",      "price_set",         "transactions",
    "status",   "shop_money"};
#define KEPT_DEPTH 8

static bool is_kept(struct at_text name) {
    for (size_t i = 0; i < AT_LENGTH(kept_names); i++)
        if (at_text_is(name, kept_names[i])) return true;
    return false;
}

static void put_kept(struct at_json_out *out, struct at_json value, int depth) {
    bool is_object = at_json_is_object(value);
    struct at_json_each it = at_json_each(value);
    if (!is_object && !at_json_is_array(value)) return at_json_put_value(out, value);
    if (depth == KEPT_DEPTH) return at_json_put_null(out);
    at_json_open(out, is_object ? '{' : '[');
    while (at_json_next(&it)) {
        if (is_object && !is_kept(it.key)) continue;
        if (is_object) at_json_key_text(out, it.key);
        put_kept(out, it.value, depth + 1);
    }
    at_json_close(out, is_object ? '}' : ']');
}

void at_shopify_refund_kept(struct at_json body, struct at_bytes *out) {
    struct at_json_out writer = at_json_out(out);
    put_kept(&writer, body, 0);
}

/* ---- orders ---- */

/* As it was ordered: what it is now, and what was given back of it. Lines that were added or taken away since
 * are in the figures of now only. */
static double ordered_of(struct at_json order) {
    double now = shopify_money(order, "current_subtotal_price"),
           subtotal = shopify_money(order, "subtotal_price");
    struct at_json refunds = at_json_get(order, "refunds");
    struct at_json_each it = at_json_each(refunds);
    if (!at_is_missing(now) && at_json_is_array(refunds)) {
        while (at_json_next(&it)) now += sum_of(at_json_get(it.value, "refund_line_items"), "subtotal");
        return now;
    }
    if (!at_is_missing(subtotal)) return subtotal;
    double lines = shopify_money(order, "total_line_items_price");
    return at_is_missing(lines) ? lines : lines - or_zero(shopify_money(order, "total_discounts"));
}

/* The tax on what was ordered, without that on shipping. */
static double tax_of(struct at_json order) {
    bool is_said = false;
    double lines = taxes_of(at_json_get(order, "line_items"), &is_said);
    if (is_said) return lines;
    return or_zero(shopify_money(order, "total_tax")) -
           taxes_of(at_json_get(order, "shipping_lines"), &is_said);
}

static double revenue_of(struct at_json order) {
    double revenue = ordered_of(order);
    if (at_is_missing(revenue)) return revenue;
    if (flag_of(order, "taxes_included")) revenue -= tax_of(order);
    return revenue > 0 ? shopify_round(revenue) : 0;
}

static void put_shipping(struct writing *w) {
    double shipping = shopify_money(w->body, "total_shipping_price");
    struct at_json lines = at_json_get(w->body, "shipping_lines");
    if (at_is_missing(shipping) && at_json_is_array(lines)) shipping = shopify_round(sum_of(lines, "price"));
    shopify_put_money(w, "shipping", shipping);
}

static struct at_text coupon_of(struct at_json order) {
    struct at_json_each it = at_json_each(at_json_get(order, "discount_codes"));
    if (!at_json_is_array(at_json_get(order, "discount_codes")) || !at_json_next(&it)) return AT_TEXT("");
    return shopify_text(it.value, "code");
}

/* It was placed when it was processed: an order that was imported was created later. */
static struct at_json placed_at(struct at_json order) {
    struct at_json moment = at_json_get(order, "processed_at");
    return at_json_is_string(moment) ? moment : at_json_get(order, "created_at");
}

static void put_ids(struct writing *w) {
    shopify_put_id(w, "order_id", at_json_get(w->body, "id"));
    shopify_put_id(w, "order_number", at_json_get(w->body, "order_number"));
    shopify_put_text(w, "order_name", shopify_text(w->body, "name"));
}

static void write_copy(struct writing *w) {
    struct at_json order = w->body;
    shopify_begin(
        w, &(struct event_head){
               .type = "track", .name = "Order Completed", .part = "order", .moment = placed_at(order)});
    put_ids(w);
    shopify_put_text(w, "updated_at", shopify_text(order, "updated_at"));
    shopify_put_money(w, "revenue", revenue_of(order));
    shopify_put_text(w, "currency", shopify_text(order, "currency"));
    shopify_put_money(w, "total", shopify_money(order, "total_price"));
    shopify_put_money(w, "tax", shopify_money(order, "total_tax"));
    shopify_put_money(w, "discount", shopify_money(order, "total_discounts"));
    put_shipping(w);
    shopify_put_text(w, "coupon", coupon_of(order));
    shopify_put_text(w, "checkout_id", shopify_text(order, "checkout_token"));
    shopify_put_text(w, "cart_id", shopify_text(order, "cart_token"));
    shopify_put_text(w, "channel", shopify_text(order, "source_name"));
    shopify_put_products(w, at_json_get(order, "line_items"));
    shopify_end(w);
}

/* What happened to the order. */
static void write_happening(struct writing *w, const char *name, const char *part, struct at_json moment) {
    shopify_begin(w, &(struct event_head){.type = "track", .name = name, .part = part, .moment = moment});
    put_ids(w);
    shopify_put_text(w, "financial_status", shopify_text(w->body, "financial_status"));
    shopify_put_text(w, "fulfillment_status", shopify_text(w->body, "fulfillment_status"));
    shopify_put_text(w, "cancel_reason", shopify_text(w->body, "cancel_reason"));
    shopify_end(w);
}

static void write_happenings(struct writing *w) {
    static const char *const names[][2] = {{"orders/updated", "Order Updated"},
                                           {"orders/paid", "Order Paid"},
                                           {"orders/fulfilled", "Order Fulfilled"}};
    struct at_json cancelled = at_json_get(w->body, "cancelled_at"),
                   refunds = at_json_get(w->body, "refunds");
    for (size_t i = 0; i < AT_LENGTH(names); i++)
        if (at_text_is(w->webhook->topic, names[i][0]))
            write_happening(w, names[i][1], "happened", at_json_get(w->body, "updated_at"));
    if (at_json_is_string(cancelled)) write_happening(w, "Order Cancelled", "cancelled", cancelled);
    struct at_json_each it = at_json_each(refunds);
    while (at_json_is_array(refunds) && at_json_next(&it))
        write_refund(w, it.value, at_json_get(w->body, "id"));
}

enum at_status shopify_write_order(struct writing *w) {
    char id[AT_SHOPIFY_NAME_MAX];
    if (!at_shopify_id(at_json_get(w->body, "id"), id))
        return at_fail_field(w->err, AT_INVALID, "no_id", "id", "an order has an id");
    shopify_find_who(w);
    if (flag_of(w->body, "test"))
        w->written->outcome = AT_SHOPIFY_TEST;
    else if (!shopify_has_who(w))
        w->written->outcome = AT_SHOPIFY_NOBODY;
    else {
        if (at_json_is_object(w->customer)) shopify_write_customer(w, w->customer);
        write_copy(w);
        write_happenings(w);
    }
    return AT_OK;
}
