/* SPDX-License-Identifier: Apache-2.0
 *
 * Order lines of a history: what is wrong with a line by itself, and what lines make of orders, customers and
 * products.
 */
#include <math.h>
#include "base/hash.h"
#include "measure/audit_internal.h"

static struct at_text name_of(const struct at_audit_line *line) {
    return line->order.length ? line->order : line->where;
}

static bool has_digit(struct at_text text) {
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] >= '0' && text.data[i] <= '9') return true;
    return false;
}

static void judge_numbers(struct at_audit *audit, const struct at_audit_line *line) {
    struct at_text name = name_of(line);
    if (line->has_bad_number) audit_count(audit, LINES_NUMBER, name);
    if (!isnan(line->price) && line->price <= 0) audit_count(audit, LINES_PRICE, name);
    if (line->is_cancelled || isnan(line->quantity) || line->quantity > 0) return;
    audit_count(audit, LINES_QUANTITY, name);
    audit_part(audit, LINES_QUANTITY, line->quantity < 0 ? "negative" : "zero", 1);
}

static void judge_time(struct at_audit *audit, const struct at_audit_line *line) {
    bool is_future = line->at_ms > audit->options.now_ms;
    const char *what = line->has_bad_time ? "unreadable" : is_future ? "in the future" : "empty";
    if (!(line->roles & AT_ORDER_BIT(AT_ORDER_AT)) || (line->at_ms && !is_future)) {
        audit_moment(audit, line->at_ms);
        return;
    }
    audit_count(audit, LINES_TIME, name_of(line));
    audit_part(audit, LINES_TIME, what, 1);
}

static void judge_words(struct at_audit *audit, const struct at_audit_line *line, double sold) {
    struct at_text name = name_of(line);
    if ((line->roles & AT_ORDER_WHO) && !line->customer.length) {
        audit_count(audit, LINES_WITHOUT_CUSTOMER, name);
        audit_money(audit, LINES_WITHOUT_CUSTOMER, sold);
    }
    if ((line->roles & AT_ORDER_BIT(AT_ORDER_TITLE)) && !line->title.length)
        audit_count(audit, LINES_WITHOUT_TITLE, name);
    if (!line->product.length) {
        audit_count(audit, LINES_WITHOUT_PRODUCT, name);
        audit_money(audit, LINES_WITHOUT_PRODUCT, sold);
    } else if (has_digit(line->product))
        audit->digits++;
    else
        audit_count(audit, LINES_NO_PRODUCT, line->product);
}

static void judge_copy(struct at_audit *audit, const struct at_audit_line *line, double sold) {
    struct line *copies = audit_put(audit, &audit->lines, line->hash, line->hash, NULL);
    if (!copies) return;
    copies->amount = (float)sold;
    if (copies->count++) audit_example(audit, LINES_REPEATED, name_of(line));
}

/* ---- what they belong to ---- */

static void add_to_order(struct at_audit *audit, const struct at_audit_line *line) {
    if (!line->order.length) return;
    uint64_t key = audit_hash(SPACE_LINE_ORDER, line->order);
    struct order *order = audit_put(audit, &audit->orders, key, key, NULL);
    if (!order) return;
    order->is_line = order->has_order = true;
    order->is_cancelled |= line->is_cancelled;
    if (!isnan(line->amount)) order->revenue += line->amount;
    if (!isnan(line->revenue)) {
        order->subtotal = line->revenue;
        order->has_subtotal = true;
        order->discount = isnan(line->discount) ? 0 : line->discount;
    }
    audit_order_id(order, line->order);
    bool is_first = !order->lines++;
    if (is_first && !line->is_cancelled && line->currency.length)
        audit_currency_order(audit, line->currency, line->order);
    order->has_currency |= line->currency.length > 0;
    if (!line->is_cancelled) audit_largest(audit, key, order->revenue, line->order);
    if (!line->customer.length) return;
    uint64_t customer = audit_hash(SPACE_CUSTOMER, line->customer);
    if (order->customer && order->customer != customer && !order->has_other_customer) {
        order->has_other_customer = true;
        audit_example(audit, ORDERS_SEVERAL_CUSTOMERS, line->order);
    }
    if (!order->customer) order->customer = customer;
}

static void add_to_customer(struct at_audit *audit, const struct at_audit_line *line, double sold) {
    if (!line->customer.length) return;
    uint64_t key = audit_hash(SPACE_CUSTOMER, line->customer);
    struct person *person = audit_put(audit, &audit->people, key, key, NULL);
    if (!person) return;
    person->is_known = person->is_customer = true;
    person->revenue += sold;
    audit_country(audit, CUSTOMERS_COUNTRIES, person, line->country, line->customer);
}

static void add_to_product(struct at_audit *audit, const struct at_audit_line *line, double sold) {
    if (!line->product.length) return;
    uint64_t key = audit_hash(SPACE_PRODUCT, line->product);
    struct product *product = audit_put(audit, &audit->products, key, key, NULL);
    if (!product) return;
    product->revenue += sold;
    product->is_named = true;
    if (!line->title.length) return;
    uint64_t title = audit_hash(SPACE_TITLE, line->title);
    if (product->title && product->title != title && !product->has_other_title) {
        product->has_other_title = true;
        audit_example(audit, PRODUCTS_TITLES, line->product);
    }
    if (!product->title) product->title = title;
}

static void add_to_pair(struct at_audit *audit, const struct at_audit_line *line) {
    if (!line->customer.length || !line->product.length || isnan(line->quantity)) return;
    uint64_t key = at_mix64(audit_hash(SPACE_CUSTOMER, line->customer) +
                            at_mix64(audit_hash(SPACE_PRODUCT, line->product)));
    struct bought *bought = audit_put(audit, &audit->bought, key, key, NULL);
    if (!bought) return;
    bool was_below = bought->net < 0;
    bought->net += line->quantity;
    if (bought->net < 0 && !was_below) audit_candidate(&audit->unbought, key, name_of(line));
}

void at_audit_order_line(struct at_audit *audit, const struct at_audit_line *line) {
    double amount = isnan(line->amount) ? 0 : line->amount;
    double sold = amount > 0 && !line->is_cancelled ? amount : 0;
    audit->wholes[OF_ROWS]++;
    audit->wholes[OF_LINES]++;
    audit->line_roles |= line->roles;
    audit->revenue += sold;
    if (line->is_cancelled) {
        audit_count(audit, LINES_CANCELLED, name_of(line));
        audit_money(audit, LINES_CANCELLED, fabs(amount));
    }
    judge_numbers(audit, line);
    judge_time(audit, line);
    judge_words(audit, line, sold);
    judge_copy(audit, line, sold);
    if (sold > 0 && line->currency.length) audit_currency(audit, line->currency)->revenue += sold;
    add_to_order(audit, line);
    add_to_customer(audit, line, sold);
    add_to_product(audit, line, sold);
    add_to_pair(audit, line);
}

void at_audit_bad_row(struct at_audit *audit, struct at_text where) {
    audit->wholes[OF_ROWS]++;
    audit_count(audit, ROWS_UNREADABLE, where);
}
