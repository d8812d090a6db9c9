/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders of a profile. Each is what all copies of it that came so far say together: names are united, of
 * moments the earliest holds, of amounts the newest version, of products the most pieces; so it does not
 * matter which copy came first, and what was counted is taken back exactly. An order counts from the copy on
 * that has the claim; what is told of it before waits in the second list. Called by apply.c; pure like all of
 * the fold.
 */
#include <math.h>
#include <string.h>
#include "profile/draft.h"
#include "profile/names.h"

#define ORDER_INTEREST 6

struct copy { /* what one event says of an order */
    struct at_order_names names;
    double amount; /* missing: not said */
    int64_t version_ms;
    bool is_won;
};
struct tally { /* what an order adds to the sums */
    int64_t count;
    double revenue, refunded;
};
struct place { /* where an order stands */
    bool is_counted, is_found;
    uint32_t at;
};

static struct at_text or_empty(struct at_text text) {
    return text.data && text.length <= 500 ? text : AT_TEXT("");
}

/* Sums of decimals stay those decimals, in whatever order they are added: what binary fractions lose in the
 * last digits is put right. */
static double exact(double sum) {
    double scaled = sum * 1e6;
    return fabs(scaled) < 9e15 ? nearbyint(scaled) / 1e6 : sum;
}

struct at_order_names at_order_names_of(const struct at_logged_event *event) {
    struct at_order_names names = {.at_ms = event->at_ms};
    struct at_json_each also = at_json_each(at_json_get(event->facts, "also"));
    names.names[0] = or_empty(at_json_text(at_json_get(event->facts, "order")));
    for (int i = 1; i <= AT_ORDER_ALSO_MAX; i++)
        names.names[i] = at_json_next(&also) ? or_empty(at_json_text(also.value)) : AT_TEXT("");
    return names;
}

static struct copy read_copy(const struct at_logged_event *event) {
    struct copy copy = {.names = at_order_names_of(event), .amount = at_missing(), .is_won = true};
    at_json_number(at_json_get(event->facts, "revenue"), &copy.amount);
    if (!at_is_missing(copy.amount)) copy.amount = exact(copy.amount);
    at_json_int(at_json_get(event->facts, "updated"), &copy.version_ms);
    at_json_bool(at_json_get(event->facts, "claim"), &copy.is_won);
    return copy;
}

/* ---- which order ---- */

static bool has_name(const struct at_order *order, struct at_text name) {
    bool is_its = at_text_equal(order->id, name);
    for (int i = 0; i < AT_ORDER_ALSO_MAX && !is_its; i++) is_its = at_text_equal(order->also[i], name);
    return is_its && name.length;
}

/* Of an order that only its refunds tell of, nobody knows when it was. */
static bool is_near(const struct at_order *order, int64_t at_ms) {
    int64_t apart = order->at_ms > at_ms ? order->at_ms - at_ms : at_ms - order->at_ms;
    return !order->is_completed || apart <= AT_ORDER_SAME_MS;
}

static bool is_same(const struct at_order *order, const struct at_order_names *names, bool is_copy) {
    if (at_text_equal(order->id, names->names[0])) return true;
    if (is_copy && !is_near(order, names->at_ms)) return false;
    for (int i = 0; i <= AT_ORDER_ALSO_MAX; i++)
        if (has_name(order, names->names[i])) return true;
    return false;
}

/* from: where to go on looking. The first name of both goes before all others. */
static uint32_t find_in(const struct at_order *orders, uint32_t count, const struct at_order_names *names,
                        bool is_copy) {
    for (uint32_t i = 0; i < count; i++)
        if (at_text_equal(orders[i].id, names->names[0])) return i;
    for (uint32_t i = 0; i < count; i++)
        if (is_same(&orders[i], names, is_copy)) return i;
    return count;
}

static struct place find(const struct at_profile *profile, const struct at_order_names *names, bool is_copy) {
    if (!names->names[0].length) return (struct place){false, false, 0};
    uint32_t at = find_in(profile->order_list, profile->order_count, names, is_copy);
    if (at < profile->order_count) return (struct place){true, true, at};
    at = find_in(profile->awaited, profile->awaited_count, names, is_copy);
    return (struct place){false, at < profile->awaited_count, at};
}

const struct at_order *at_profile_order(const struct at_profile *profile, const struct at_order_names *names,
                                        bool is_copy) {
    struct place place = find(profile, names, is_copy);
    if (!place.is_found) return NULL;
    return place.is_counted ? &profile->order_list[place.at] : &profile->awaited[place.at];
}

bool at_order_is_news(const struct at_logged_event *event) {
    bool is_won = true, brings_items = false;
    if (!at_text_is(event->name, "order_completed")) return true;
    at_json_bool(at_json_get(event->facts, "claim"), &is_won);
    at_json_bool(at_json_get(event->facts, "brings_items"), &brings_items);
    return is_won || brings_items;
}

bool at_item_is_news(struct at_json item) {
    return !at_json_get(item, "again").tape;
}

/* ---- sums ---- */

static struct tally tally_of(const struct at_order *order, bool is_counted) {
    if (order->is_cancelled) return (struct tally){0, 0, 0};
    if (!is_counted) return (struct tally){0, 0, order->refunded};
    return (struct tally){1, order->revenue, at_order_refunded(order)};
}

static void add_up(struct at_profile *profile, const struct tally *tally, int sign) {
    profile->orders.count += (uint64_t)(sign * tally->count);
    profile->orders.revenue = exact(profile->orders.revenue + sign * tally->revenue);
    profile->orders.refunded = exact(profile->orders.refunded + sign * tally->refunded);
}

/* The first and the last order that counts. Those that left the list are older than all in it. */
static void set_ends(struct at_profile *profile) {
    uint64_t live = 0;
    int64_t oldest = 0, newest = 0;
    for (uint32_t i = 0; i < profile->order_count; i++) {
        const struct at_order *order = &profile->order_list[i];
        if (order->is_cancelled) continue;
        if (!live++) oldest = order->at_ms;
        newest = order->at_ms;
    }
    bool has_older = profile->orders.count > live;
    if (!has_older || (live && oldest < profile->orders.first_ms)) profile->orders.first_ms = oldest;
    if (live || !has_older) profile->orders.last_ms = newest;
}

/* ---- the lists ---- */

/* Orders of one moment stand by their names, so that it does not matter which came first. */
static bool is_later(const struct at_order *a, const struct at_order *b) {
    if (a->at_ms != b->at_ms) return a->at_ms > b->at_ms;
    return at_text_order(a->id, b->id) > 0;
}

static struct at_order take_out(struct draft *draft, struct place place) {
    struct at_profile *profile = &draft->profile;
    struct at_order *list = place.is_counted ? draft->orders : draft->awaited, order = list[place.at];
    uint32_t *count = place.is_counted ? &profile->order_count : &profile->awaited_count;
    memmove(&list[place.at], &list[place.at + 1], (--*count - place.at) * sizeof *list);
    return order;
}

static void put_counted(struct draft *draft, const struct at_order *order) {
    struct at_profile *profile = &draft->profile;
    uint32_t at = profile->order_count++;
    while (at && is_later(&draft->orders[at - 1], order)) {
        draft->orders[at] = draft->orders[at - 1];
        at--;
    }
    draft->orders[at] = *order;
    if (!order->is_cancelled && (profile->orders.count == 1 || order->at_ms < profile->orders.first_ms))
        profile->orders.first_ms = order->at_ms;
    if (profile->order_count > ORDERS_MAX) { /* the oldest goes, be it this one */
        profile->order_count = ORDERS_MAX;
        memmove(draft->orders, draft->orders + 1, ORDERS_MAX * sizeof *draft->orders);
    }
}

/* Over the ceiling the one that waits longest goes. */
static void put_awaited(struct draft *draft, const struct at_order *order) {
    struct at_profile *profile = &draft->profile;
    if (profile->awaited_count == ORDERS_MAX)
        memmove(draft->awaited, draft->awaited + 1, --profile->awaited_count * sizeof *draft->awaited);
    draft->awaited[profile->awaited_count++] = *order;
}

/* Products are kept of the newest orders: of the others a later copy counts none. */
static void trim_items(struct draft *draft) {
    struct at_profile *profile = &draft->profile;
    uint32_t room = ORDERS_ITEMS;
    for (uint32_t i = profile->order_count + profile->awaited_count; i-- > 0;) {
        struct at_order *order =
            i < profile->awaited_count ? &draft->awaited[i] : &draft->orders[i - profile->awaited_count];
        if (order->item_count <= room) {
            room -= order->item_count;
            continue;
        }
        order->item_count = 0;
        order->is_closed = true;
    }
}

/* Out of the place where they were joined, which the next order needs. */
static void keep_items(struct draft *draft, struct at_order *order) {
    if (order->items != draft->order_items || !order->item_count) return;
    order->items = draft_copy(draft, order->items, order->item_count * sizeof *order->items);
    if (!order->items) order->item_count = 0;
}

/* Back into its list, or the other. */
static void put_back(struct draft *draft, struct at_order *order, bool is_counted,
                     const struct tally *before) {
    keep_items(draft, order);
    struct tally after = tally_of(order, is_counted);
    add_up(&draft->profile, before, -1);
    add_up(&draft->profile, &after, 1);
    if (is_counted)
        put_counted(draft, order);
    else
        put_awaited(draft, order);
    set_ends(&draft->profile);
    trim_items(draft);
}

/* ---- one more copy ---- */

static void add_name(struct draft *draft, struct at_order *order, struct at_text name) {
    if (!name.length || has_name(order, name)) return;
    if (!order->id.length) {
        order->id = draft_text(draft, name);
        return;
    }
    for (int i = 0; i < AT_ORDER_ALSO_MAX; i++) {
        if (order->also[i].length) continue;
        order->also[i] = draft_text(draft, name);
        return;
    }
}

/* A copy whose version somebody vouches for, the newest of them; else the earliest; of two alike the larger.
 */
static void join_amount(struct at_order *order, double amount, int64_t said) {
    if (!said || (order->revenue_said &&
                  (said < order->revenue_said || (said == order->revenue_said && amount <= order->revenue))))
        return;
    order->revenue = amount;
    order->revenue_said = said;
}

static int64_t said_of(const struct copy *copy) {
    if (at_is_missing(copy->amount)) return 0;
    return copy->version_ms > 0 ? copy->version_ms : INT64_MIN / 2 - copy->names.at_ms;
}

/* The dearest of the event, as the copies agree on it. */
static void join_dearest(struct draft *draft, struct at_order *order, struct at_json items) {
    struct item best = {.price = -1};
    double quantity = 0;
    struct at_json_each it = at_json_each(items);
    while (at_json_next(&it)) {
        struct item item = item_of(it.value);
        quantity += item.quantity;
        if (at_is_missing(item.price)) item.price = 0;
        if (item.price > best.price) best = item;
    }
    if (quantity > order->quantity) order->quantity = quantity;
    if (best.price < order->dearest || best.price < 0 ||
        (best.price == order->dearest && at_text_order(best.product, order->first_product) >= 0))
        return;
    struct at_json category = at_json_get(best.facets, "category");
    if (at_json_is_array(category)) {
        struct at_json_each first = at_json_each(category);
        if (at_json_next(&first)) category = first.value;
    }
    order->dearest = best.price;
    order->first_product = draft_text(draft, best.product);
    order->category = draft_text(draft, or_empty(at_json_text(category)));
}

static struct at_order_item *own_items(struct draft *draft, struct at_order *order) {
    if (order->items != draft->order_items && order->item_count)
        memcpy(draft->order_items, order->items, order->item_count * sizeof *draft->order_items);
    order->items = draft->order_items;
    return draft->order_items;
}

/* What a product was met as: bought once an order, so many pieces of it. */
static void meet(struct draft *draft, struct at_text product, bool is_new, double pieces, int64_t at_ms) {
    struct at_met_product *met = draft_product(draft, product);
    met->bought += is_new;
    met->bought_quantity = exact(met->bought_quantity + pieces);
    if (at_ms > met->bought_at_ms) met->bought_at_ms = at_ms;
    met->shown = 0; /* it did interest */
}

static struct at_order_item *find_item(const struct at_order *order, struct at_order_item *kept,
                                       struct at_text product) {
    for (uint32_t i = 0; i < order->item_count; i++)
        if (at_text_equal(kept[i].product, product)) return &kept[i];
    return NULL;
}

/* Whether the order did not have this product yet. */
static bool join_item(struct draft *draft, struct at_order *order, const struct item *line, int64_t at_ms,
                      bool *overflows) {
    struct at_order_item *kept = own_items(draft, order), *known = find_item(order, kept, line->product);
    if (known && at_profile_met(&draft->profile, line->product)) {
        double more = line->quantity > known->quantity ? line->quantity - known->quantity : 0;
        meet(draft, line->product, false, more, at_ms);
        known->quantity += more;
    }
    if (known || order->is_closed) return false;
    meet(draft, line->product, true, line->quantity, at_ms);
    if (order->item_count < ORDER_ITEMS_MAX)
        kept[order->item_count++] = (struct at_order_item){draft_text(draft, line->product), line->quantity};
    else
        *overflows = true;
    return true;
}

/* The event's products, each once, with all its pieces. */
static uint32_t gather(struct draft *draft, struct at_json items) {
    uint32_t count = 0;
    struct at_json_each it = at_json_each(items);
    while (at_json_next(&it)) {
        struct item item = item_of(it.value);
        uint32_t at = 0;
        while (at < count && !at_text_equal(draft->lines[at].product, item.product)) at++;
        if (at < count)
            draft->lines[at].quantity += item.quantity;
        else if (item.product.length && count < AT_EVENT_ITEMS_MAX)
            draft->lines[count++] = item;
    }
    return count;
}

static void join_items(struct draft *draft, struct at_order *order, struct at_json items, int64_t at_ms) {
    uint32_t count = gather(draft, items);
    bool overflows = false;
    for (uint32_t i = 0; i < count; i++)
        if (join_item(draft, order, &draft->lines[i], at_ms, &overflows))
            apply_tastes(draft, &draft->lines[i], ORDER_INTEREST, at_ms);
    order->is_closed |= overflows;
}

/* ---- two that are found to be one ---- */

/* Bought once, not twice. */
static void unite_items(struct draft *draft, struct at_order *order, const struct at_order *other) {
    struct at_order_item *kept = own_items(draft, order);
    for (uint32_t i = 0; i < other->item_count; i++) {
        struct at_order_item *known = find_item(order, kept, other->items[i].product);
        if (!known && order->item_count < ORDER_ITEMS_MAX)
            kept[order->item_count++] = other->items[i];
        else if (!known)
            order->is_closed = true;
        if (!known || !at_profile_met(&draft->profile, known->product)) continue;
        double both = known->quantity < other->items[i].quantity ? known->quantity : other->items[i].quantity;
        struct at_met_product *met = draft_product(draft, known->product);
        met->bought -= met->bought > 0;
        met->bought_quantity = exact(met->bought_quantity - both);
        if (other->items[i].quantity > known->quantity) known->quantity = other->items[i].quantity;
    }
    order->is_closed |= other->is_closed;
}

static void unite(struct draft *draft, struct at_order *order, const struct at_order *other) {
    if (other->is_completed && order->is_completed) {
        int64_t later = order->at_ms > other->at_ms ? order->at_ms : other->at_ms;
        draft_uncount(draft, AT_TEXT("order_completed"), later);
        if (other->at_ms < order->at_ms) order->at_ms = other->at_ms;
    } else if (other->is_completed)
        order->at_ms = other->at_ms;
    add_name(draft, order, other->id);
    for (int i = 0; i < AT_ORDER_ALSO_MAX; i++) add_name(draft, order, other->also[i]);
    join_amount(order, other->revenue, other->revenue_said);
    order->refunded = exact(order->refunded + other->refunded);
    order->is_returned |= other->is_returned;
    order->is_cancelled |= other->is_cancelled;
    order->is_completed |= other->is_completed;
    if (other->quantity > order->quantity) order->quantity = other->quantity;
    if (other->dearest > order->dearest) {
        order->dearest = other->dearest;
        order->first_product = other->first_product;
        order->category = other->category;
    }
    unite_items(draft, order, other);
}

static struct at_order new_order(struct draft *draft) {
    struct at_order order = {.items = draft->order_items, .dearest = -1};
    order.id = order.first_product = order.category = AT_TEXT("");
    for (int i = 0; i < AT_ORDER_ALSO_MAX; i++) order.also[i] = AT_TEXT("");
    return order;
}

struct open_order { /* out of its list, to be put back */
    struct at_order order;
    struct tally before;
    bool is_counted;
};

/* All that these names mean, as one. */
static struct open_order open_order(struct draft *draft, const struct at_order_names *names, bool is_copy) {
    struct open_order open = {.order = new_order(draft)};
    for (uint32_t n = 0;; n++) {
        struct place place = find(&draft->profile, names, is_copy);
        if (!place.is_found) return open;
        struct at_order found = take_out(draft, place);
        struct tally tally = tally_of(&found, place.is_counted);
        open.before.count += tally.count;
        open.before.revenue += tally.revenue;
        open.before.refunded += tally.refunded;
        open.is_counted |= place.is_counted;
        if (n)
            unite(draft, &open.order, &found);
        else
            open.order = found;
    }
}

/* ---- events ---- */

/* When it was completed is when the earliest copy says. */
static void count_completed(struct draft *draft, const struct at_order *order, bool was_completed,
                            int64_t was_ms) {
    struct at_text name = AT_TEXT("order_completed");
    if (was_completed && order->at_ms == was_ms) return;
    if (was_completed) draft_uncount(draft, name, was_ms);
    draft_count(draft, name, order->at_ms);
    if (!was_completed) return;
    int64_t last_ms = order->at_ms;
    for (uint32_t i = 0; i < draft->profile.order_count; i++)
        if (draft->orders[i].at_ms > last_ms) last_ms = draft->orders[i].at_ms;
    for (uint32_t i = 0; i < draft->profile.awaited_count; i++)
        if (draft->awaited[i].is_completed && draft->awaited[i].at_ms > last_ms)
            last_ms = draft->awaited[i].at_ms;
    draft_count_last(draft, name, last_ms);
}

static void complete(struct draft *draft, const struct at_logged_event *event, bool learns) {
    struct at_json items = at_json_get(event->facts, "items");
    struct copy copy = read_copy(event);
    struct open_order open = open_order(draft, &copy.names, true);
    struct at_order *order = &open.order;
    bool was_completed = order->is_completed;
    int64_t was_ms = order->at_ms;
    for (int i = 0; i <= AT_ORDER_ALSO_MAX; i++) add_name(draft, order, copy.names.names[i]);
    if (!was_completed || event->at_ms < order->at_ms) order->at_ms = event->at_ms;
    order->is_completed = true;
    join_amount(order, copy.amount, said_of(&copy));
    join_dearest(draft, order, items);
    if (learns) join_items(draft, order, items, event->at_ms);
    if (!order->id.length) { /* no other copy can be told to be one */
        order->item_count = 0;
        order->is_closed = true;
    }
    count_completed(draft, order, was_completed, was_ms);
    put_back(draft, order, open.is_counted || copy.is_won, &open.before);
}

/* A missing amount is what is left of the order. */
static void refund(struct draft *draft, const struct copy *copy) {
    struct at_profile *profile = &draft->profile;
    bool is_whole = at_is_missing(copy->amount);
    if (!copy->names.names[0].length) {
        if (!is_whole) profile->orders.refunded = exact(profile->orders.refunded + copy->amount);
        return;
    }
    struct open_order open = open_order(draft, &copy->names, false);
    add_name(draft, &open.order, copy->names.names[0]);
    if (is_whole)
        open.order.is_returned = true;
    else
        open.order.refunded = exact(open.order.refunded + copy->amount);
    put_back(draft, &open.order, open.is_counted, &open.before);
}

static void cancel(struct draft *draft, const struct copy *copy) {
    if (!copy->names.names[0].length) return;
    struct open_order open = open_order(draft, &copy->names, false);
    add_name(draft, &open.order, copy->names.names[0]);
    open.order.is_cancelled = true;
    put_back(draft, &open.order, open.is_counted, &open.before);
}

void apply_order(struct draft *draft, const struct at_logged_event *event, bool learns) {
    if (at_text_is(event->name, "order_completed")) return complete(draft, event, learns);
    bool is_refund = at_text_is(event->name, "order_refunded");
    if (!is_refund && !at_text_is(event->name, "order_cancelled")) return;
    struct copy copy = read_copy(event);
    if (!copy.is_won) return;
    if (is_refund)
        refund(draft, &copy);
    else
        cancel(draft, &copy);
}
