/* SPDX-License-Identifier: Apache-2.0
 *
 * What an erased person paid, kept without them: a row an order and a refund. An order is what all its copies
 * together say (profile/orders.c), so their events are folded once more; of what the profile's list has no
 * room for the copy that won the claim stands alone. Orders that were cancelled are none. It sums up to what
 * the person's orders said.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/erase.h"
#include "shop/kept.h"

struct line { /* a product of an order */
    struct line *next;
    struct at_text product;
    double quantity, price; /* price: missing, if no copy names one */
};
struct bill { /* an order of the profile's list */
    struct line *lines;
    struct at_text currency; /* as the copy said that came last */
    bool is_returned;        /* what was left of it is in a refund */
};
struct counting {
    struct at_read read;
    struct at_shop *shop;
    struct at_text id;
    struct at_arena arena;
    struct at_unit unit;
    struct at_json_parser *parser;
    struct at_logged_event event; /* the one looked at: valid until the next is */
    struct kept_events kept;
    struct at_profile *profile;
    struct bill *bills; /* of its order_list */
    uint64_t events;
    bool is_done; /* it was counted before */
    enum at_status status;
};

/* ---- their events ---- */

static bool is_of_order(struct at_text name) {
    return at_text_is(name, "order_completed") || at_text_is(name, "order_refunded") ||
           at_text_is(name, "order_cancelled");
}

static bool keep_event(void *arg, const struct at_event_row *row) {
    struct counting *counting = arg;
    counting->events++;
    if (!is_of_order(row->name)) return true;
    counting->status = kept_add(&counting->kept, &counting->arena, row);
    return counting->status == AT_OK;
}

static void read_events(struct at_read *read, struct at_reader *reader) {
    struct counting *counting = (struct counting *)read;
    struct at_erasure_row row = {.is_counted = false};
    enum at_status status = at_reader_erasure(reader, counting->id, &row, &counting->arena);
    counting->is_done = row.is_counted;
    if (status == AT_OK && !counting->is_done)
        status = at_reader_erased_events(reader, counting->id, keep_event, counting);
    if (counting->status == AT_OK) counting->status = status;
}

/* False: it cannot be read, and nothing in it counted. */
static bool look(struct counting *counting, const struct kept_event *kept) {
    enum at_status status = kept_read(kept, counting->parser, &counting->event);
    if (status == AT_NOMEM) counting->status = status;
    return status == AT_OK;
}

static void fold(struct counting *counting) {
    kept_sort(&counting->kept);
    counting->profile = at_profile_new(0, &counting->shop->ledger.accounts[AT_ACCOUNT_PROFILES]);
    for (size_t i = 0; counting->profile && i < counting->kept.count && counting->status == AT_OK; i++)
        if (look(counting, &counting->kept.list[i]))
            counting->profile = at_profile_apply(counting->profile, &counting->event, true);
    if (!counting->profile) counting->status = AT_NOMEM;
    if (counting->status != AT_OK) return;
    counting->bills =
        at_arena_zalloc(&counting->arena, (counting->profile->order_count + 1) * sizeof *counting->bills);
    if (!counting->bills) counting->status = AT_NOMEM;
}

/* ---- rows ---- */

static void put_item(struct at_json_out *out, struct at_text product, double quantity, double price) {
    at_json_open(out, '{');
    at_json_add_text(out, "product", product);
    at_json_add_number(out, "quantity", quantity);
    if (!at_is_missing(price)) at_json_add_number(out, "price", price);
    at_json_close(out, '}');
}

/* The row, to which the caller gives its amount; lines: [{"product","quantity","price"}]. NULL: out of
 * memory. */
static struct at_money_row *add_row(struct counting *counting, const char *kind, int64_t at_ms,
                                    struct at_text currency, const struct line *lines) {
    struct at_write *write = at_unit_write(&counting->unit, &counting->arena, AT_WRITE_MONEY);
    struct at_bytes bytes;
    at_bytes_init(&bytes, 1 << 22);
    struct at_json_out out = at_json_out(&bytes);
    at_json_open(&out, '[');
    for (; lines; lines = lines->next) put_item(&out, lines->product, lines->quantity, lines->price);
    at_json_close(&out, ']');
    char *items = bytes.failed ? NULL : at_arena_dup(&counting->arena, bytes.data, bytes.length);
    char *copy = at_arena_dup(&counting->arena, currency.data ? currency.data : "", currency.length);
    if (write && items && copy)
        write->money = (struct at_money_row){.day_ms = at_ms - ((at_ms % AT_DAY_MS) + AT_DAY_MS) % AT_DAY_MS,
                                             .kind = at_text_of(kind),
                                             .amount = at_missing(),
                                             .currency = {copy, currency.length},
                                             .items = {items, bytes.length}};
    else
        counting->status = AT_NOMEM;
    at_bytes_clear(&bytes);
    return counting->status == AT_OK ? &write->money : NULL;
}

static struct line *find_line(struct counting *counting, struct line **lines, struct at_text product) {
    for (; *lines; lines = &(*lines)->next)
        if (at_text_equal((*lines)->product, product)) return *lines;
    char *copy = at_arena_dup(&counting->arena, product.data, product.length);
    *lines = at_arena_zalloc(&counting->arena, sizeof **lines);
    if (!*lines || !copy) {
        counting->status = AT_NOMEM;
        return NULL;
    }
    **lines = (struct line){NULL, {copy, product.length}, 0, at_missing()};
    return *lines;
}

/* The event's products, each once with all its pieces. */
static struct line *lines_of(struct counting *counting) {
    struct line *lines = NULL;
    struct at_json_each it = at_json_each(at_json_get(counting->event.facts, "items"));
    while (counting->status == AT_OK && at_json_next(&it)) {
        double quantity = 1;
        struct at_text product = at_json_text(at_json_get(it.value, "product"));
        struct line *line = product.length ? find_line(counting, &lines, product) : NULL;
        if (!line) continue;
        at_json_number(at_json_get(it.value, "quantity"), &quantity);
        line->quantity += quantity;
        if (at_is_missing(line->price)) at_json_number(at_json_get(it.value, "price"), &line->price);
    }
    return lines;
}

static struct at_text currency_of(const struct counting *counting) {
    struct at_json properties = at_json_get(counting->event.body, "properties");
    struct at_text currency = at_json_text(at_json_get(properties, "currency"));
    return currency.length && currency.length <= 8 ? currency : AT_TEXT("");
}

static double amount_of(const struct counting *counting) {
    double amount = at_missing();
    at_json_number(at_json_get(counting->event.facts, "revenue"), &amount);
    return amount;
}

static bool has_won(const struct counting *counting) {
    bool is_won = true;
    at_json_bool(at_json_get(counting->event.facts, "claim"), &is_won);
    return is_won;
}

static struct bill *bill_of(const struct counting *counting, const struct at_order *order) {
    const struct at_profile *profile = counting->profile;
    bool is_listed =
        order && order >= profile->order_list && order < profile->order_list + profile->order_count;
    return is_listed ? &counting->bills[order - profile->order_list] : NULL;
}

/* ---- orders ---- */

/* Of each product the most pieces that a copy says. */
static void add_copy(struct counting *counting, struct bill *bill) {
    struct at_text currency = currency_of(counting);
    for (const struct line *line = lines_of(counting); line; line = line->next) {
        struct line *known = find_line(counting, &bill->lines, line->product);
        if (!known) return;
        if (line->quantity > known->quantity) known->quantity = line->quantity;
        if (!at_is_missing(line->price)) known->price = line->price;
    }
    if (!currency.length) return;
    bill->currency =
        (struct at_text){at_arena_dup(&counting->arena, currency.data, currency.length), currency.length};
    if (!bill->currency.data) counting->status = AT_NOMEM;
}

static void count_completed(struct counting *counting) {
    struct at_order_names names = at_order_names_of(&counting->event);
    const struct at_order *order =
        names.names[0].length ? at_profile_order(counting->profile, &names, true) : NULL;
    struct bill *bill = bill_of(counting, order);
    if (bill) return add_copy(counting, bill);
    if (order || !has_won(counting)) return; /* it counts for somebody else */
    struct at_money_row *row =
        add_row(counting, "order", counting->event.at_ms, currency_of(counting), lines_of(counting));
    if (row) row->amount = amount_of(counting);
}

static void write_orders(struct counting *counting) {
    const struct at_profile *profile = counting->profile;
    for (uint32_t i = 0; i < profile->order_count && counting->status == AT_OK; i++) {
        const struct at_order *order = &profile->order_list[i];
        if (order->is_cancelled || !order->id.length) continue; /* without a name it stands alone */
        struct at_money_row *row =
            add_row(counting, "order", order->at_ms, counting->bills[i].currency, counting->bills[i].lines);
        if (row && order->revenue_said) row->amount = order->revenue;
    }
}

/* ---- refunds ---- */

static void count_refunded(struct counting *counting) {
    struct at_order_names names = at_order_names_of(&counting->event);
    const struct at_order *order =
        names.names[0].length ? at_profile_order(counting->profile, &names, false) : NULL;
    struct bill *bill = bill_of(counting, order);
    double amount = amount_of(counting);
    if (!has_won(counting) || (order && order->is_cancelled)) return;
    if (at_is_missing(amount) && bill) { /* what is left of it, once */
        amount = bill->is_returned ? 0 : at_order_refunded(order) - order->refunded;
        bill->is_returned = true;
    }
    struct at_money_row *row =
        add_row(counting, "refund", counting->event.at_ms, currency_of(counting), lines_of(counting));
    if (row) row->amount = amount;
}

/* ---- all of it ---- */

static void count_all(struct counting *counting) {
    fold(counting);
    for (size_t i = 0; i < counting->kept.count && counting->status == AT_OK; i++) {
        const struct kept_event *kept = &counting->kept.list[i];
        if (!look(counting, kept)) continue;
        if (at_text_is(kept->name, "order_completed")) count_completed(counting);
        if (at_text_is(kept->name, "order_refunded")) count_refunded(counting);
    }
    if (counting->status == AT_OK) write_orders(counting);
}

static enum at_status commit(struct counting *counting) {
    struct at_write *write = at_unit_write(&counting->unit, &counting->arena, AT_WRITE_ERASE_COUNTED);
    if (!write) return AT_NOMEM;
    write->name = counting->id;
    write->number = counting->events;
    return commit_and_wait(counting->shop, &counting->unit, false);
}

enum at_status erase_count(struct at_shop *shop, struct at_text id) {
    struct counting counting = {.read = {.run = read_events}, .shop = shop, .id = id};
    at_arena_init(&counting.arena, SIZE_MAX >> 1);
    counting.parser = parser_borrow(shop);
    counting.status = counting.parser ? AT_OK : AT_NOMEM;
    if (counting.status == AT_OK) at_store_read_now(shop->store, &counting.read);
    if (counting.status == AT_OK && !counting.is_done) count_all(&counting);
    if (counting.status == AT_OK && !counting.is_done) counting.status = commit(&counting);
    if (counting.profile) at_profile_unref(counting.profile);
    parser_return(shop, counting.parser);
    kept_clear(&counting.kept);
    at_arena_clear(&counting.arena);
    return counting.status;
}
