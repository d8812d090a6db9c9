/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders and refunds that events tell of: whose they are, in which currency, whether they add up.
 */
#include <math.h>
#include "base/hash.h"
#include "measure/audit_internal.h"

static struct at_text name_of(const struct at_audit_event *row) {
    if (row->event->order_id.length) return row->event->order_id;
    return row->event->message_id.length ? row->event->message_id : row->where;
}

static double amount_of(const struct at_event *event, const char *name) {
    return at_amount(at_json_get(event->properties, name));
}

static double or_zero(double amount) {
    return at_is_missing(amount) ? 0 : amount;
}

static bool is_near(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance;
}

/* By the prices the event says itself; missing: it does not say them all. */
static double sum_of_products(const struct at_event *event, uint32_t *count) {
    struct at_json products = at_json_get(event->properties, "products");
    double sum = 0;
    *count = 0;
    if (!at_json_is_array(products)) return at_missing();
    struct at_json_each it = at_json_each(products);
    while (at_json_next(&it)) {
        double price = at_amount(at_json_get(it.value, "price"));
        double quantity = at_amount(at_json_get(it.value, "quantity"));
        if (at_is_missing(price)) return at_missing();
        sum += price * (at_is_missing(quantity) ? 1 : quantity);
        ++*count;
    }
    return *count ? sum : at_missing();
}

/* Why it is another sum, as far as the numbers tell. */
static const char *reason_of(const struct at_event *event, double sum, double tolerance) {
    double discount = or_zero(amount_of(event, "discount")), tax = or_zero(amount_of(event, "tax")),
           shipping = or_zero(amount_of(event, "shipping")), revenue = event->revenue;
    if (is_near(revenue, sum, tolerance)) return "discount not taken off";
    if (is_near(revenue, sum - discount + tax + shipping, tolerance)) return "tax and shipping included";
    if (is_near(revenue, sum - discount + tax, tolerance)) return "tax included";
    if (is_near(revenue, sum - discount + shipping, tolerance)) return "shipping included";
    if (is_near(revenue, 100 * (sum - discount), 100 * tolerance)) return "cents for whole money";
    return "another reason";
}

static void judge_sum(struct at_audit *audit, const struct at_audit_event *row) {
    static const char *const said[] = {"revenue", "subtotal", "total", "value"};
    const struct at_event *event = row->event;
    bool is_said = false;
    uint32_t count;
    for (size_t i = 0; i < AT_LENGTH(said); i++) is_said |= !at_is_missing(amount_of(event, said[i]));
    double sum = sum_of_products(event, &count);
    if (!is_said || at_is_missing(sum) || at_is_missing(event->revenue)) return;
    double tolerance = 0.01 * (count + 1) + 0.001 * fabs(sum);
    if (is_near(event->revenue, sum - or_zero(amount_of(event, "discount")), tolerance)) return;
    audit_count(audit, ORDERS_SUM, name_of(row));
    audit_money(audit, ORDERS_SUM, fabs(event->revenue));
    audit_part(audit, ORDERS_SUM, reason_of(event, sum, tolerance), 1);
}

static void judge_money(struct at_audit *audit, const struct at_audit_event *row) {
    const struct at_event *event = row->event;
    double money = or_zero(event->revenue);
    audit_currency_order(audit, event->currency, name_of(row));
    audit_currency(audit, event->currency)->revenue += money;
    if (!event->currency.length) audit_example(audit, ORDERS_CURRENCY, name_of(row));
    if (at_is_missing(event->revenue))
        audit_count(audit, ORDERS_WITHOUT_REVENUE, name_of(row));
    else if (event->revenue <= 0) {
        audit_count(audit, ORDERS_NOT_POSITIVE, name_of(row));
        audit_part(audit, ORDERS_NOT_POSITIVE, event->revenue < 0 ? "negative" : "zero", 1);
    }
    if (!event->item_count) {
        audit_count(audit, ORDERS_EMPTY, name_of(row));
        audit_money(audit, ORDERS_EMPTY, money);
    }
    judge_sum(audit, row);
}

static void judge_buyer(struct at_audit *audit, const struct at_audit_event *row, const struct who *who) {
    double money = or_zero(row->event->revenue);
    struct person *person = who->person ? at_sample_get(&audit->people, who->person) : NULL;
    if (!person) return;
    person->orders++;
    person->revenue += money;
    if (!person->is_known) audit_candidate(&audit->nobody, who->person, name_of(row));
    if (person->has_visit) return;
    person->loose_orders++;
    person->loose_revenue += money;
    audit_example(audit, ORDERS_LOOSE, name_of(row));
}

/* False: it was told before, and counts no further. */
static bool note_order(struct at_audit *audit, const struct at_audit_event *row, double money) {
    uint64_t key = audit_hash(SPACE_ORDER, row->event->order_id);
    struct order *order = audit_put(audit, &audit->orders, key, key, NULL);
    if (!order) return !row->is_told_before;
    bool is_first = !order->has_order;
    order->has_order = true;
    audit_order_id(order, row->event->order_id);
    order->told++;
    if (is_first) {
        order->revenue = money;
        audit_largest(audit, key, money, row->event->order_id);
        return true;
    }
    order->has_other_amount |= !is_near(order->revenue, money, 0.01);
    audit_example(audit, ORDERS_TWICE, row->event->order_id);
    return false;
}

static void take_order(struct at_audit *audit, const struct at_audit_event *row, const struct who *who) {
    double money = or_zero(row->event->revenue);
    if (row->event->order_id.length) {
        if (!note_order(audit, row, money)) return;
    } else {
        audit_count(audit, ORDERS_WITHOUT_ID, name_of(row));
        audit_money(audit, ORDERS_WITHOUT_ID, money);
    }
    audit->wholes[OF_ORDERS]++;
    if (money > 0) audit->revenue += money;
    judge_money(audit, row);
    judge_buyer(audit, row, who);
}

static void take_refund(struct at_audit *audit, const struct at_audit_event *row) {
    const struct at_event *event = row->event;
    audit->wholes[OF_REFUNDS]++;
    if (!event->order_id.length) {
        audit_count(audit, REFUNDS_ORPHAN, name_of(row));
        audit_money(audit, REFUNDS_ORPHAN, or_zero(event->revenue));
        return;
    }
    uint64_t key = audit_hash(SPACE_ORDER, event->order_id);
    struct order *order = audit_put(audit, &audit->orders, key, key, NULL);
    if (!order) return;
    order->has_refund = true;
    order->refunded += or_zero(event->revenue);
    audit_order_id(order, event->order_id);
}

void audit_order_event(struct at_audit *audit, const struct at_audit_event *row, const struct who *who) {
    if (at_text_is(row->event->name, "order_completed"))
        take_order(audit, row, who);
    else if (at_text_is(row->event->name, "order_refunded") && !row->is_told_before)
        take_refund(audit, row);
}
