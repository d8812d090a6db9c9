/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told in any order comes to the same: orders with their refunds, copies of orders as several systems
 * tell of them, traits.
 */
#include "profile_world.h"

ONE_WORLD
GENERATED_CASES;

static void shuffle(struct stored *events, uint32_t count) {
    for (uint32_t i = count; i > 1; i--) {
        uint32_t with = random_below(&seed, i);
        struct stored one = events[i - 1];
        events[i - 1] = events[with];
        events[with] = one;
    }
    for (uint32_t i = 0; i < count; i++) events[i].seq = world.seq + i + 1; /* its place in another log */
}

/* Folded as they are and shuffled, stored and read now and then, they must be the same to check; frees them.
 */
static void in_any_order(struct stored *events, uint32_t count,
                         void (*check)(const struct at_profile *a, const struct at_profile *b)) {
    struct at_profile *expected = new_profile(), *shuffled = new_profile();
    for (uint32_t i = 0; i < count; i++) expected = step(&world, expected, &events[i], true);
    shuffle(events, count);
    for (uint32_t i = 0; i < count; i++) {
        shuffled = step(&world, shuffled, &events[i], true);
        if (random_below(&seed, 4) == 0) shuffled = recode(&world, shuffled);
    }
    check(expected, shuffled);
    at_profile_unref(expected);
    at_profile_unref(shuffled);
    free_events(events, count);
}

/* ---- orders ---- */

/* One order of one to three events: itself, and refunds that name an amount or mean the whole of it.
 * Quarters, so that sums are exact in any order. */
static uint32_t random_orders(struct stored *events) {
    char text[300];
    uint32_t count = 0, orders = 1 + random_below(&seed, 6);
    for (uint32_t i = 0; i < orders; i++) {
        for (uint32_t j = 0, refunds = random_below(&seed, 4); j <= refunds; j++) {
            char amount[40] = "";
            uint32_t quarters = random_below(&seed, 200);
            bool is_order = j == 0, is_lost = is_order && random_below(&seed, 8) == 0;
            if (is_order || random_below(&seed, 2))
                snprintf(amount, sizeof amount, ",\"%s\":%g", is_order ? "revenue" : "amount",
                         quarters / 4.0);
            snprintf(text, sizeof text, TRACK("%s", "{\"order_id\":\"o%u\",\"refund_id\":\"r%u-%u\"%s}"),
                     is_order ? "Order Completed" : "Order Refunded", i, i, j, amount);
            if (is_lost) continue; /* never told of */
            assert_int_equal(parse_at(&world, text, NOW_MS + random_below(&seed, 3)), AT_OK);
            keep_event(&world, true, &events[count++]);
        }
    }
    return count;
}

/* The orders block as it is shown, and what is kept of each order. */
static void check_same_orders(const struct at_profile *a, const struct at_profile *b) {
    CHECK(a->orders.count == b->orders.count && a->orders.revenue == b->orders.revenue &&
          a->orders.refunded == b->orders.refunded && a->orders.first_ms == b->orders.first_ms &&
          a->orders.last_ms == b->orders.last_ms);
    CHECK(a->order_count == b->order_count && a->awaited_count == b->awaited_count);
    for (uint32_t i = 0; i < a->order_count; i++) CHECK(same_order(&a->order_list[i], &b->order_list[i]));
}

static void orders_and_refunds_come_in_any_order(void **state) {
    (void)state;
    static struct stored events[6 * 4];
    seed = first = first_seed(1001);
    for (number = 0; number < 3000; number++) {
        uint32_t count = random_orders(events);
        in_any_order(events, count, check_same_orders);
    }
    print_message("property: orders in any order, 3000 cases, seed %llu\n", (unsigned long long)first);
}

/* ---- copies of orders ---- */

static uint32_t keep_copy(struct stored *out, const char *name, const char *properties, int64_t at_ms,
                          bool is_won) {
    char text[1000];
    snprintf(text, sizeof text, TRACK("%s", "%s"), name, properties);
    if (parse_at(&world, text, at_ms) != AT_OK) fail_msg("%s: %s", world.err.message, text);
    keep_event(&world, is_won, out);
    return 1;
}

/* Orders as several systems tell of them: each has an id and a number, a copy names it by one of the two or
 * by both, has a version or none, an amount or none, some of its products; now and then it is cancelled or
 * part of it given back. The number is the id of nothing else. All copies of an order have its moment. */
static uint32_t random_copies(struct stored *events) {
    char text[600], products[300];
    uint32_t count = 0, orders = 1 + random_below(&seed, 4);
    for (uint32_t i = 0; i < orders; i++) {
        uint32_t copies = 1 + random_below(&seed, 5), links = random_below(&seed, copies);
        int64_t at_ms = NOW_MS + random_below(&seed, 100000);
        for (uint32_t j = 0; j < copies; j++) {
            uint32_t by = random_below(&seed, 2);
            uint32_t version = random_below(&seed, 3);
            uint32_t quarters = random_below(&seed, 200);
            uint32_t has_amount = random_below(&seed, 3);
            size_t n = 0;
            products[0] = 0;
            for (uint32_t k = 0; k < 5; k++) {
                uint32_t has = random_below(&seed, 2);
                uint32_t pieces = random_below(&seed, 3);
                if (has)
                    n += (size_t)snprintf(products + n, sizeof products - n,
                                          "%s{\"product_id\":\"P%u\",\"price\":%u,\"quantity\":%u}",
                                          n ? "," : "", (i + k) % 7, k + 1, pieces + 1);
            }
            bool is_link = j == links;
            n = (size_t)snprintf(text, sizeof text, "{\"order_id\":\"%s%u\"", by || is_link ? "id" : "n", i);
            if (is_link) n += (size_t)snprintf(text + n, sizeof text - n, ",\"order_number\":\"#n%u\"", i);
            if (version)
                n += (size_t)snprintf(text + n, sizeof text - n, ",\"updated_at\":\"2026-11-26T10:00:0%uZ\"",
                                      j);
            if (has_amount)
                n += (size_t)snprintf(text + n, sizeof text - n, ",\"revenue\":%g", quarters / 4.0);
            snprintf(text + n, sizeof text - n, ",\"products\":[%s]}", products);
            count +=
                keep_copy(&events[count], "Order Completed", text, at_ms, is_link || random_below(&seed, 2));
        }
        snprintf(text, sizeof text, "{\"order_id\":\"n%u\",\"refund_id\":\"r%u\",\"amount\":1.25}", i, i);
        if (random_below(&seed, 3) == 0)
            count += keep_copy(&events[count], "Order Refunded", text, at_ms + 20 * AT_DAY_MS, true);
        if (random_below(&seed, 4) == 0)
            count += keep_copy(&events[count], "Order Cancelled", text, at_ms + 9, true);
    }
    return count;
}

static int by_product(const void *a, const void *b) {
    return at_text_order(((const struct at_met_product *)a)->product,
                         ((const struct at_met_product *)b)->product);
}

static void check_same_products(const struct at_profile *a, const struct at_profile *b) {
    CHECK(a->product_count == b->product_count);
    struct at_met_product x[PRODUCTS_MAX], y[PRODUCTS_MAX];
    memcpy(x, a->products, a->product_count * sizeof *x);
    memcpy(y, b->products, b->product_count * sizeof *y);
    qsort(x, a->product_count, sizeof *x, by_product);
    qsort(y, b->product_count, sizeof *y, by_product);
    for (uint32_t i = 0; i < a->product_count; i++) CHECK(same_met(&x[i], &y[i]));
}

/* As same_order, but for how the names and products are listed. */
static void check_same_order(const struct at_order *a, const struct at_order *b) {
    CHECK(a->at_ms == b->at_ms && a->revenue == b->revenue && a->revenue_said == b->revenue_said);
    CHECK(a->refunded == b->refunded && a->is_cancelled == b->is_cancelled);
    CHECK(a->dearest == b->dearest && at_text_equal(a->first_product, b->first_product));
    CHECK(a->quantity == b->quantity && a->item_count == b->item_count);
    for (uint32_t i = 0; i < a->item_count; i++) {
        uint32_t j = 0;
        while (j < b->item_count && !at_text_equal(a->items[i].product, b->items[j].product)) j++;
        CHECK(j < b->item_count && a->items[i].quantity == b->items[j].quantity);
    }
}

static void check_same_copies(const struct at_profile *a, const struct at_profile *b) {
    CHECK(a->orders.count == b->orders.count && a->orders.revenue == b->orders.revenue);
    CHECK(a->orders.refunded == b->orders.refunded && a->orders.first_ms == b->orders.first_ms);
    CHECK(a->orders.last_ms == b->orders.last_ms);
    CHECK(a->order_count == b->order_count && a->awaited_count == b->awaited_count);
    for (uint32_t i = 0; i < a->order_count; i++) { /* moments may be alike: found by a name */
        struct at_order_names names = {{a->order_list[i].id, a->order_list[i].also[0], AT_TEXT("")},
                                       a->order_list[i].at_ms};
        const struct at_order *other = at_profile_order(b, &names, true);
        CHECK(other != NULL);
        check_same_order(&a->order_list[i], other);
    }
    check_same_products(a, b);
    struct at_text name = AT_TEXT("order_completed");
    const struct at_event_count *x = at_profile_counted(a, name), *y = at_profile_counted(b, name);
    CHECK(x && y && x->total == y->total && x->first_ms == y->first_ms && x->last_ms == y->last_ms);
}

static void copies_of_orders_come_in_any_order(void **state) {
    (void)state;
    static struct stored events[4 * 7];
    seed = first = first_seed(450789469);
    for (number = 0; number < 4000; number++) {
        uint32_t count = random_copies(events);
        in_any_order(events, count, check_same_copies);
    }
    print_message("property: copies of orders, 4000 cases, seed %llu\n", (unsigned long long)first);
}

/* ---- traits ---- */

static struct at_json traits_of(const struct at_profile *profile) {
    struct at_json traits;
    assert_int_equal(at_json_parse(world.profile_parser, profile->traits.data, profile->traits.length, false,
                                   &traits, NULL),
                     AT_OK);
    return traits;
}

/* What each trait is by the latest that was said of it, and nothing for what was taken away. */
static void check_traits(const struct at_profile *profile, char latest[5][16]) {
    struct at_json traits = traits_of(profile);
    char name[3] = "t0";
    for (int i = 0; i < 5; i++, name[1]++) {
        struct at_json value = at_json_get(traits, name);
        CHECK(!latest[i][0] ? !value.tape : at_text_is(at_json_text(value), latest[i]));
    }
}

static uint32_t random_identifies(struct stored *events, char latest[5][16], const char **country) {
    static const char *const countries[] = {"AT", "DE", "FR"};
    uint32_t count = 2 + random_below(&seed, 12);
    char text[300];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t trait = random_below(&seed, 5), is_gone = random_below(&seed, 4) == 0,
                 is_context = random_below(&seed, 2), place = random_below(&seed, 3);
        snprintf(latest[trait], 16, is_gone ? "" : "v%u", i);
        *country = countries[place];
        snprintf(
            text, sizeof text,
            is_context
                ? "{\"type\":\"track\",\"event\":\"E\",\"anonymousId\":\"a\",\"context\":{\"active\":false,"
                  "\"traits\":{\"t%u\":%s%s%s,\"country\":\"%s\"}}}"
                : "{\"type\":\"identify\",\"anonymousId\":\"a\",\"context\":{\"active\":false},\"traits\":"
                  "{\"t%u\":%s%s%s,\"address\":{\"country\":\"%s\"}}}",
            trait, is_gone ? "" : "\"", is_gone ? "null" : latest[trait], is_gone ? "" : "\"", *country);
        if (parse_at(&world, text, NOW_MS + i) != AT_OK) fail_msg("%s: %s", world.err.message, text);
        keep_event(&world, true, &events[i]);
    }
    return count;
}

static void traits_are_told_in_any_order(void **state) {
    (void)state;
    struct stored events[14];
    seed = first = first_seed(77);
    for (number = 0; number < 3000; number++) {
        char latest[5][16] = {""};
        const char *country;
        uint32_t count = random_identifies(events, latest, &country);
        shuffle(events, count);
        struct at_profile *profile = new_profile();
        for (uint32_t i = 0; i < count; i++) {
            profile = step(&world, profile, &events[i], true);
            if (random_below(&seed, 4) == 0) profile = recode(&world, profile);
        }
        check_traits(profile, latest);
        CHECK(at_text_is(profile->country, country));
        CHECK(profile->first_seen_ms == NOW_MS && !profile->last_seen_ms && !profile->sessions);
        at_profile_unref(profile);
        free_events(events, count);
    }
    print_message("property: traits in any order, 3000 cases, seed %llu\n", (unsigned long long)first);
}

static void of_many_traits_the_oldest_moment_is_forgotten(void **state) {
    (void)state;
    char text[200];
    struct at_profile *profile = new_profile();
    for (int i = 0; i < MOMENTS_MAX + 3; i++) {
        snprintf(text, sizeof text, "{\"type\":\"identify\",\"anonymousId\":\"a\",\"traits\":{\"t%d\":1}}",
                 i);
        happen(&world, &profile, NOW_MS + i, text);
    }
    assert_int_equal(profile->trait_moment_count, MOMENTS_MAX);
    assert_true(at_text_is(profile->trait_moments[0].name, "t3"));
    happen(&world, &profile, NOW_MS,
           "{\"type\":\"identify\",\"anonymousId\":\"a\",\"traits\":{\"t9\":2,\"t1\":3}}");
    struct at_json traits = traits_of(profile);
    int64_t known = 0, forgotten = 0;
    assert_true(at_json_int(at_json_get(traits, "t9"), &known) && known == 1);
    assert_true(at_json_int(at_json_get(traits, "t1"), &forgotten) && forgotten == 3);
    at_profile_unref(profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_and_refunds_come_in_any_order),
        cmocka_unit_test(copies_of_orders_come_in_any_order),
        cmocka_unit_test(traits_are_told_in_any_order),
        cmocka_unit_test(of_many_traits_the_oldest_moment_is_forgotten),
    };
    return cmocka_run_group_tests_name("in any order", tests, begin, end);
}
