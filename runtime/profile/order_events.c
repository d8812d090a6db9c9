/* SPDX-License-Identifier: Apache-2.0
 *
 * What an order comes to once all its rows are there, and the events it is written as.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "profile/event.h"
#include "profile/order_book.h"

#define PRODUCTS_BYTES_MAX 29000 /* of the 32 KiB an event may have */
#define MESSAGE_ID_MAX     100

struct finishing {
    const struct at_order_rules *rules;
    struct order *order;
    struct at_order_seen *out;
};

static struct at_text said(const struct finishing *finishing, enum at_order_role role) {
    return order_text(finishing->order, finishing->order->cells[role]);
}

/* Sums of decimal prices are written as decimals. */
static double rounded(double sum) {
    return fabs(sum) < 1e9 ? round(sum * 1e6) / 1e6 : sum;
}

/* NAN: not said. */
static double amount_said(struct finishing *finishing, enum at_order_role role) {
    struct at_text text = said(finishing, role);
    double amount;
    if (!at_order_amount(text, &amount))
        order_refuse_number(finishing->order, finishing->order->first_line, role, text);
    return amount;
}

/* ---- who and when ---- */

static void read_person(struct finishing *finishing) {
    struct at_order_seen *out = finishing->out;
    out->user_id = at_order_person_id(said(finishing, AT_ORDER_USER_ID));
    out->anonymous_id = said(finishing, AT_ORDER_ANONYMOUS_ID);
    out->email = said(finishing, AT_ORDER_EMAIL);
    out->phone = said(finishing, AT_ORDER_PHONE);
    out->country = said(finishing, AT_ORDER_COUNTRY);
    out->coupon = said(finishing, AT_ORDER_COUPON);
    out->currency = said(finishing, AT_ORDER_CURRENCY);
    if (!out->currency.length) out->currency = at_text_of(finishing->rules->currency);
    out->has_person =
        out->user_id.length || out->anonymous_id.length || out->email.length || out->phone.length;
}

static void read_times(struct finishing *finishing) {
    struct at_error err = {0};
    struct at_text at = said(finishing, AT_ORDER_AT), refunded = said(finishing, AT_ORDER_REFUNDED_AT);
    if (!at.length)
        order_refuse(finishing->order, finishing->order->first_line, "it does not say when it was");
    else if (at_order_time(finishing->rules, at, &finishing->out->at_ms, &err) != AT_OK)
        order_refuse(finishing->order, finishing->order->first_line, err.message);
    finishing->out->refunded_ms = finishing->out->at_ms;
    if (refunded.length &&
        at_order_time(finishing->rules, refunded, &finishing->out->refunded_ms, &err) != AT_OK)
        order_refuse(finishing->order, finishing->order->first_line, err.message);
}

/* ---- products ---- */

static void write_product(struct at_json_out *out, const struct at_order_product *product) {
    at_json_open(out, '{');
    at_json_add_text(out, "product_id", product->id);
    if (!isnan(product->price)) at_json_add_number(out, "price", product->price);
    at_json_add_number(out, "quantity", product->quantity);
    at_json_close(out, '}');
}

static int by_amount(const void *a, const void *b) {
    const struct at_order_product *x = a, *y = b;
    double one = isnan(x->price) ? 0 : x->price * x->quantity,
           other = isnan(y->price) ? 0 : y->price * y->quantity;
    if (one != other) return one > other ? -1 : 1;
    return at_text_order(x->id, y->id);
}

/* As many as an event has room for. */
static uint32_t count_fitting(const struct at_order_product *products, uint32_t count) {
    struct at_bytes bytes;
    at_bytes_init(&bytes, PRODUCTS_BYTES_MAX);
    uint32_t n = 0;
    for (; n < count && n < AT_EVENT_ITEMS_MAX; n++) {
        struct at_json_out out = at_json_out(&bytes);
        out.needs_comma = n > 0;
        write_product(&out, &products[n]);
        if (bytes.failed) break;
    }
    at_bytes_clear(&bytes);
    return n;
}

static void add_product(struct order *order, const struct order_line *line, double quantity,
                        uint32_t *count) {
    struct at_text id = order_text(order, line->product);
    for (uint32_t i = 0; i < *count; i++) {
        struct at_order_product *product = &order->products[i];
        bool is_same_price = product->price == line->price || (isnan(product->price) && isnan(line->price));
        if (!is_same_price || !at_text_equal(product->id, id)) continue;
        product->quantity += quantity;
        return;
    }
    order->products[(*count)++] = (struct at_order_product){id, line->price, quantity};
}

/* Those that were bought; of a refund by itself those that came back. */
static enum at_status list_products(struct finishing *finishing, bool of_refund) {
    struct order *order = finishing->order;
    uint32_t count = 0;
    order->products = malloc((order->line_count + 1) * sizeof *order->products);
    if (!order->products) return AT_NOMEM;
    for (uint32_t i = 0; i < order->line_count; i++) {
        const struct order_line *line = &order->lines[i];
        double quantity = of_refund ? fabs(line->quantity) : line->quantity;
        /* a price below nothing is a discount, no product */
        if (line->product.length && quantity > 0 && !(line->price < 0))
            add_product(order, line, quantity, &count);
    }
    uint32_t fitting = count_fitting(order->products, count);
    if (fitting < count) {
        qsort(order->products, count, sizeof *order->products, by_amount);
        fitting = count_fitting(order->products, count);
    }
    finishing->out->products = order->products;
    finishing->out->product_count = fitting;
    finishing->out->left_out = count - fitting;
    return AT_OK;
}

/* ---- money ---- */

struct sums {
    double sold, returned;
    bool has_sold, has_returned;
    uint64_t unpriced; /* line of a row without a price; 0: none */
};

static struct sums sum_up(const struct order *order) {
    struct sums sums = {.sold = 0};
    for (uint32_t i = 0; i < order->line_count; i++) {
        const struct order_line *line = &order->lines[i];
        if (line->quantity == 0) continue;
        if (isnan(line->total) && !sums.unpriced) sums.unpriced = line->line;
        double total = isnan(line->total) ? 0 : line->total;
        sums.has_sold |= line->quantity > 0;
        sums.has_returned |= line->quantity < 0;
        *(line->quantity > 0 ? &sums.sold : &sums.returned) += total;
    }
    return sums;
}

/* A refund by itself. */
static void finish_refund(const struct at_order_book *book, struct finishing *finishing,
                          const struct sums *sums) {
    struct at_order_seen *out = finishing->out;
    double amount = amount_said(finishing, AT_ORDER_REVENUE);
    out->is_refunded = true;
    out->refund_id = out->id;
    out->refund_of = said(finishing, AT_ORDER_REFUND_OF);
    if (!out->refund_of.length && at_order_is_refund_id(finishing->rules, out->id)) {
        size_t length = strlen(finishing->rules->cancelled_prefix);
        struct at_text rest = {out->id.data + length, out->id.length - length};
        if (order_is_noted(book, rest)) out->refund_of = rest;
    }
    if (isnan(amount) && sums->unpriced)
        order_refuse(finishing->order, sums->unpriced, "the row has no price");
    out->refunded = rounded(fabs(isnan(amount) ? sums->sold + sums->returned : amount));
}

static void finish_order(struct finishing *finishing, const struct sums *sums, bool is_wholly) {
    struct at_order_seen *out = finishing->out;
    double revenue = amount_said(finishing, AT_ORDER_REVENUE),
           discount = amount_said(finishing, AT_ORDER_DISCOUNT),
           refunded = amount_said(finishing, AT_ORDER_REFUNDED);
    char why[160];
    out->is_order = true;
    if (isnan(revenue) && sums->unpriced)
        order_refuse(finishing->order, sums->unpriced, "the row has no price");
    if (isnan(revenue)) revenue = sums->sold - (isnan(discount) ? 0 : fabs(discount));
    out->revenue = rounded(revenue);
    if (out->revenue < 0) {
        snprintf(why, sizeof why, "it comes to %.2f: that is no order", out->revenue);
        order_refuse(finishing->order, out->line, why);
    }
    double given_back = isnan(refunded) || refunded == 0 ? fabs(sums->returned) : fabs(refunded);
    out->refunded = rounded(given_back);
    out->is_whole = is_wholly && given_back == 0;
    out->is_refunded = out->is_whole || given_back > 0;
    out->refund_of = out->id;
}

/* The refund of an order by its own row: one a order, so its id follows from the order's. */
static enum at_status name_refund(struct finishing *finishing) {
    struct order *order = finishing->order;
    struct at_order_seen *out = finishing->out;
    static const char ending[] = "-refunded";
    char *id = malloc(out->id.length + sizeof ending);
    if (!id) return AT_NOMEM;
    memcpy(id, out->id.data, out->id.length);
    memcpy(id + out->id.length, ending, sizeof ending);
    free(order->refund_id);
    order->refund_id = id;
    out->refund_id = (struct at_text){id, out->id.length + sizeof ending - 1};
    return AT_OK;
}

enum at_status order_finish(const struct at_order_book *book, struct order *order,
                            struct at_order_seen *out) {
    struct finishing finishing = {order_rules(book), order, out};
    struct sums sums = sum_up(order);
    *out = (struct at_order_seen){.line = order->first_line, .rows = order->rows};
    out->id = said(&finishing, AT_ORDER_ID);
    if (!out->id.length) out->id = order_text(order, order->key);
    read_person(&finishing);
    read_times(&finishing);
    enum at_order_fate fate = at_order_fate(said(&finishing, AT_ORDER_STATUS));
    bool is_refund = at_order_is_refund_id(finishing.rules, out->id) || (sums.has_returned && !sums.has_sold);
    out->is_void = fate == AT_ORDER_NEVER_WAS;
    enum at_status status = list_products(&finishing, is_refund);
    if (is_refund)
        finish_refund(book, &finishing, &sums);
    else
        finish_order(&finishing, &sums, fate == AT_ORDER_WHOLLY_REFUNDED);
    if (status == AT_OK && !is_refund && out->is_refunded) status = name_refund(&finishing);
    out->wrong = order->wrong[0] ? order->wrong : NULL;
    out->wrong_line = order->wrong_line;
    return status;
}

/* ---- as events ---- */

/* Kind and id, or its hash where that is too long. */
static void put_message_id(struct at_json_out *out, const char *kind, struct at_text id) {
    char text[MESSAGE_ID_MAX + 1];
    size_t room = sizeof text - strlen(kind) - 1;
    if (id.length < room)
        snprintf(text, sizeof text, "%s-%.*s", kind, (int)id.length, id.data);
    else
        snprintf(text, sizeof text, "%s-%016llx", kind, (unsigned long long)at_hash64(id.data, id.length));
    at_json_add_string(out, "messageId", text);
}

static void put_if(struct at_json_out *out, const char *name, struct at_text text) {
    if (text.length) at_json_add_text(out, name, text);
}

static void put_person(struct at_json_out *out, const struct at_order_seen *order) {
    put_if(out, "userId", order->user_id);
    put_if(out, "anonymousId", order->anonymous_id);
    if (!order->email.length && !order->phone.length && !order->country.length) return;
    at_json_key(out, "context");
    at_json_open(out, '{');
    at_json_key(out, "traits");
    at_json_open(out, '{');
    put_if(out, "email", order->email);
    put_if(out, "phone", order->phone);
    put_if(out, "country", order->country);
    at_json_close(out, '}');
    at_json_close(out, '}');
}

static void put_products(struct at_json_out *out, const struct at_order_seen *order) {
    if (!order->product_count) return;
    at_json_key(out, "products");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < order->product_count; i++) write_product(out, &order->products[i]);
    at_json_close(out, ']');
}

bool at_order_write(const struct at_order_seen *order, int which, struct at_bytes *bytes) {
    bool is_refund = which == 1;
    if (is_refund ? !order->is_refunded : !order->is_order) return false;
    struct at_json_out out = at_json_out(bytes);
    at_json_open(&out, '{');
    at_json_add_string(&out, "type", "track");
    at_json_add_string(&out, "event", is_refund ? "Order Refunded" : "Order Completed");
    put_message_id(&out, is_refund ? "refund" : "order", is_refund ? order->refund_id : order->id);
    at_json_add_time(&out, "timestamp", is_refund ? order->refunded_ms : order->at_ms);
    put_person(&out, order);
    at_json_key(&out, "properties");
    at_json_open(&out, '{');
    put_if(&out, "order_id", is_refund ? order->refund_of : order->id);
    if (is_refund) at_json_add_text(&out, "refund_id", order->refund_id);
    if (is_refund && !order->is_whole) at_json_add_number(&out, "total", order->refunded);
    if (!is_refund) at_json_add_number(&out, "revenue", order->revenue);
    put_if(&out, "currency", order->currency);
    if (!is_refund) put_if(&out, "coupon", order->coupon);
    if (!is_refund || !order->is_order) put_products(&out, order);
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    return true;
}
