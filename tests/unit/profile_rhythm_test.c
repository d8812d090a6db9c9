/* SPDX-License-Identifier: Apache-2.0
 *
 * How often somebody buys: what is a purchase, gaps against a model of its own over orders told in any order
 * by several copies, refunds and cancellations; the shop's median against a sorted list; and the weight of
 * the shop's against a public history of purchases.
 */
#include <math.h>
#include "profile/rhythm.h"
#include "profile_world.h"

ONE_WORLD
GENERATED_CASES;

static struct at_zone *berlin;

static void assert_rhythm(const struct at_profile *profile, uint32_t gaps, uint32_t days) {
    struct at_rhythm rhythm = at_rhythm_of(profile, NULL);
    if (rhythm.gaps != gaps || rhythm.days != days)
        fail_msg("%u gaps of %u days, not %u of %u", rhythm.gaps, rhythm.days, gaps, days);
}

/* ---- by hand ---- */

static void a_purchase_is_a_day_with_an_order(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    assert_rhythm(p, 0, 0);
    happen(&world, &p, NOW_MS, TRACK("Order Completed", "{\"order_id\":\"1\",\"revenue\":10}"));
    assert_rhythm(p, 0, 0);
    happen(&world, &p, NOW_MS + AT_HOUR_MS, TRACK("Order Completed", "{\"order_id\":\"2\",\"revenue\":10}"));
    assert_rhythm(p, 0, 0); /* of the same day */
    happen(&world, &p, NOW_MS + 30 * AT_DAY_MS,
           TRACK("Order Completed", "{\"order_id\":\"3\",\"revenue\":9}"));
    assert_rhythm(p, 1, 30);
    happen(&world, &p, NOW_MS + 10 * AT_DAY_MS,
           TRACK("Order Completed", "{\"order_id\":\"4\",\"revenue\":9}"));
    assert_rhythm(p, 2, 30); /* told of later */
    happen(&world, &p, NOW_MS + 31 * AT_DAY_MS,
           TRACK("Order Completed", "{\"order_id\":\"3\",\"revenue\":9}"));
    assert_rhythm(p, 2, 30); /* a copy */
    at_profile_unref(p);
}

static void what_was_cancelled_or_given_back_is_none(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    for (int i = 0; i < 6; i++) {
        char text[200];
        snprintf(text, sizeof text, TRACK("Order Completed", "{\"order_id\":\"o%d\",\"revenue\":10}"), i);
        happen(&world, &p, NOW_MS + i * 10 * AT_DAY_MS, text);
    }
    int64_t later_ms = NOW_MS + 100 * AT_DAY_MS;
    assert_rhythm(p, 5, 50);
    happen(&world, &p, later_ms, TRACK("Order Refunded", "{\"order_id\":\"o1\",\"amount\":9.99}"));
    assert_rhythm(p, 5, 50); /* something of it stays */
    happen(&world, &p, later_ms, TRACK("Order Refunded", "{\"order_id\":\"o1\",\"amount\":0.01}"));
    assert_rhythm(p, 4, 50); /* nothing does */
    happen(&world, &p, later_ms, TRACK("Order Refunded", "{\"order_id\":\"o5\"}"));
    assert_rhythm(p, 3, 40);
    happen(&world, &p, later_ms, TRACK("Order Cancelled", "{\"order_id\":\"o0\"}"));
    assert_rhythm(p, 2, 20);
    happen(&world, &p, later_ms, TRACK("Order Cancelled", "{\"order_id\":\"o9\"}"));
    assert_rhythm(p, 2, 20); /* nobody told of that one */
    happen(&world, &p, later_ms, TRACK("Order Completed", "{\"order_id\":\"o9\",\"revenue\":10}"));
    assert_rhythm(p, 2, 20);
    assert_true(p->orders.last_ms == NOW_MS + 50 * AT_DAY_MS); /* last_at: what was given back was ordered */
    at_profile_unref(p);
}

/* 2026-11-26 22:30 and 23:30 UTC: one day in Reykjavik, two in Berlin; 23:30 and 00:30 UTC the other way. */
static void the_day_is_the_shops(void **state) {
    (void)state;
    int64_t day_ms = NOW_MS - NOW_MS % AT_DAY_MS;
    const int minutes[2][2] = {{22 * 60 + 30, 23 * 60 + 30}, {23 * 60 + 30, 24 * 60 + 30}};
    for (int i = 0; i < 2; i++) {
        struct at_profile *p = new_profile();
        happen(&world, &p, day_ms + minutes[i][0] * AT_MINUTE_MS,
               TRACK("Order Completed", "{\"order_id\":\"1\"}"));
        happen(&world, &p, day_ms + minutes[i][1] * AT_MINUTE_MS,
               TRACK("Order Completed", "{\"order_id\":\"2\"}"));
        assert_int_equal(at_rhythm_of(p, NULL).gaps, i);
        assert_int_equal(at_rhythm_of(p, berlin).gaps, 1 - i);
        at_profile_unref(p);
    }
}

static void the_interval_goes_from_the_shops_to_the_persons(void **state) {
    (void)state;
    assert_true(at_rhythm_interval_ms((struct at_rhythm){0, 0}, 0) == 0);
    assert_true(at_rhythm_interval_ms((struct at_rhythm){0, 0}, 40) == 40 * AT_DAY_MS);
    assert_true(at_rhythm_interval_ms((struct at_rhythm){1, 10}, 40) == 25 * AT_DAY_MS);
    assert_true(at_rhythm_interval_ms((struct at_rhythm){3, 30}, 40) == 17 * AT_DAY_MS + 12 * AT_HOUR_MS);
    assert_true(at_rhythm_interval_ms((struct at_rhythm){3, 30}, 0) == 10 * AT_DAY_MS);
    assert_true(at_rhythm_interval_ms((struct at_rhythm){3, 31}, 0) == 892800000); /* 10 days 8 hours */
    int64_t before_ms = at_rhythm_interval_ms((struct at_rhythm){0, 0}, 40);
    for (uint32_t gaps = 1; gaps < 100; gaps++) { /* nearer with each gap, never past it */
        int64_t now_ms = at_rhythm_interval_ms((struct at_rhythm){gaps, 10 * gaps}, 40);
        assert_true(now_ms < before_ms && now_ms > 10 * AT_DAY_MS);
        before_ms = now_ms;
    }
    assert_int_equal(at_rhythm_mean_days((struct at_rhythm){0, 0}), 0);
    assert_int_equal(at_rhythm_mean_days((struct at_rhythm){2, 5}), 3);
    assert_int_equal(at_rhythm_mean_days((struct at_rhythm){3, 4}), 1);
    assert_int_equal(at_rhythm_mean_days((struct at_rhythm){1, 9000}), AT_RHYTHM_DAYS_MAX);
}

/* ---- orders in any order, against what they were ---- */

enum { ORDERS = 12, EVENTS = ORDERS * 7 };

static uint32_t tell(struct stored *out, const char *text, int64_t at_ms, bool is_won) {
    if (parse_at(&world, text, at_ms) != AT_OK) fail_msg("%s: %s", world.err.message, text);
    keep_event(&world, is_won, out);
    return 1;
}

struct told { /* what came of one order, as the model has it */
    int64_t at_ms;
    bool is_purchase;
};

static uint32_t random_order(uint32_t id, struct stored *events, struct told *told) {
    char text[300];
    uint32_t count = 0, copies = 1 + random_below(&seed, 3), counted = random_below(&seed, copies);
    uint32_t refunds = random_below(&seed, 4), quarter = random_below(&seed, 4);
    int64_t at_ms = NOW_MS + (int64_t)random_below(&seed, 40) * AT_DAY_MS;
    told->at_ms = INT64_MAX;
    told->is_purchase = true;
    for (uint32_t i = 0; i < copies; i++) {
        int64_t copy_ms = at_ms + random_below(&seed, 24 * 60) * AT_MINUTE_MS;
        if (copy_ms < told->at_ms) told->at_ms = copy_ms;
        snprintf(text, sizeof text, TRACK("Order Completed", "{\"order_id\":\"o%u\",\"revenue\":20}"), id);
        count += tell(&events[count], text, copy_ms, i == counted);
    }
    if (refunds > 2) refunds = 0;
    for (uint32_t i = 0; i < refunds; i++) { /* of two, both halves or less */
        snprintf(text, sizeof text,
                 TRACK("Order Refunded", "{\"order_id\":\"o%u\",\"refund_id\":\"r%u-%u\",\"amount\":%d}"), id,
                 id, i, quarter ? 10 : 5);
        count += tell(&events[count], text, at_ms + AT_DAY_MS, true);
    }
    if (refunds == 2 && quarter) told->is_purchase = false;
    if (random_below(&seed, 6) == 0) {
        snprintf(text, sizeof text, TRACK("Order Refunded", "{\"order_id\":\"o%u\",\"refund_id\":\"w%u\"}"),
                 id, id);
        count += tell(&events[count], text, at_ms + AT_DAY_MS, true);
        told->is_purchase = false;
    }
    if (random_below(&seed, 6) == 0) {
        snprintf(text, sizeof text, TRACK("Order Cancelled", "{\"order_id\":\"o%u\"}"), id);
        count += tell(&events[count], text, at_ms + AT_HOUR_MS, true);
        told->is_purchase = false;
    }
    return count;
}

/* Days that have an order, ticked off in a calendar. */
static struct at_rhythm model_of(const struct told *told, uint32_t count, const struct at_zone *zone) {
    static bool has_order[100];
    struct at_rhythm rhythm = {0, 0};
    int64_t first_day = NOW_MS / AT_DAY_MS - 1;
    int at = -1;
    memset(has_order, 0, sizeof has_order);
    for (uint32_t i = 0; i < count; i++)
        if (told[i].is_purchase)
            has_order[(told[i].at_ms + at_zone_offset_ms(zone, told[i].at_ms)) / AT_DAY_MS - first_day] =
                true;
    for (int day = 0; day < 100; day++) {
        if (!has_order[day]) continue;
        if (at >= 0) {
            rhythm.gaps++;
            rhythm.days += (uint32_t)(day - at);
        }
        at = day;
    }
    return rhythm;
}

static void shuffle(struct stored *events, uint32_t count) {
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = random_below(&seed, i);
        struct stored kept = events[i - 1];
        uint64_t seq = kept.seq; /* the log's order is that of arrival */
        events[i - 1] = events[j];
        events[j] = kept;
        events[j].seq = events[i - 1].seq;
        events[i - 1].seq = seq;
    }
    for (uint32_t i = 0; i < count; i++) events[i].seq = i + 1;
}

static void orders_in_any_order_have_the_models_rhythm(void **state) {
    (void)state;
    static struct stored events[EVENTS];
    uint32_t with_gaps = 0;
    seed = first = first_seed(0x4247);
    printf("# property: orders_in_any_order_have_the_models_rhythm, 3000 cases, seed %llu\n",
           (unsigned long long)first);
    for (number = 0; number < 3000; number++) {
        struct told told[ORDERS];
        uint32_t orders = random_below(&seed, ORDERS + 1), count = 0;
        for (uint32_t i = 0; i < orders; i++) count += random_order(i, &events[count], &told[i]);
        const struct at_zone *zone = random_below(&seed, 2) ? berlin : NULL;
        struct at_rhythm expected = model_of(told, orders, zone);
        for (int round = 0; round < 2; round++) {
            struct at_profile *profile = new_profile();
            shuffle(events, count);
            for (uint32_t i = 0; i < count; i++) {
                profile = step(&world, profile, &events[i], true);
                if (random_below(&seed, 8) == 0) profile = recode(&world, profile);
            }
            struct at_rhythm rhythm = at_rhythm_of(profile, zone);
            CHECK(rhythm.gaps == expected.gaps && rhythm.days == expected.days);
            at_profile_unref(profile);
        }
        with_gaps += expected.gaps > 1;
        for (uint32_t i = 0; i < count; i++) stored_free(&events[i]);
    }
    assert_true(with_gaps > 1500);
}

/* ---- the shop's ---- */

static int by_days(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void the_shops_is_the_median_of_people(void **state) {
    (void)state;
    seed = first = first_seed(0x3ED1);
    printf("# property: the_shops_is_the_median_of_people, 3000 cases, seed %llu\n",
           (unsigned long long)first);
    for (number = 0; number < 3000; number++) {
        uint32_t people = random_below(&seed, 80), days[80], most = 1 + random_below(&seed, 60);
        struct at_rhythm_count counts[64] = {{0, 0}};
        size_t count = 0;
        for (uint32_t i = 0; i < people; i++) days[i] = 1 + random_below(&seed, most);
        qsort(days, people, sizeof *days, by_days);
        for (uint32_t i = 0; i < people; i++) {
            if (!count || counts[count - 1].days != days[i])
                counts[count++] = (struct at_rhythm_count){days[i], 0};
            counts[count - 1].people++;
        }
        uint32_t shop = at_rhythm_shop_days(counts, count);
        CHECK(shop == (people < AT_RHYTHM_PEOPLE_MIN ? 0 : days[(people - 1) / 2]));
    }
}

/* ---- a public history ---- */

enum { BUYERS = 2400, DAYS = 600 };
static bool bought[BUYERS][DAYS];

static int day_since(const char *text) {
    int64_t at_ms, from_ms;
    char moment[32];
    snprintf(moment, sizeof moment, "%.4s-%.2s-%.2sT00:00:00Z", text, text + 4, text + 6);
    assert_int_equal(at_time_parse(moment, strlen(moment), &at_ms, NULL), AT_OK);
    assert_int_equal(at_time_parse("1997-01-01T00:00:00Z", 20, &from_ms, NULL), AT_OK);
    return (int)((at_ms - from_ms) / AT_DAY_MS);
}

/* The tenth of CDNOW's buyers that the papers use: 1997-01 to 1998-06. */
static bool read_history(void) {
    const char *data = getenv("SHARED_DATA");
    char path[600], line[200], date[16];
    unsigned id;
    snprintf(path, sizeof path, "%s/cdnow/CDNOW_sample.txt", data ? data : "../shared/data");
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    memset(bought, 0, sizeof bought);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%*u %u %15s", &id, date) != 2) continue;
        int day = day_since(date);
        assert_true(id < BUYERS && day >= 0 && day < DAYS);
        bought[id][day] = true;
    }
    fclose(file);
    return true;
}

static uint32_t shop_of_history(void) {
    struct at_rhythm_count counts[DAYS];
    for (uint32_t i = 0; i < DAYS; i++) counts[i] = (struct at_rhythm_count){i, 0};
    for (int id = 0; id < BUYERS; id++) {
        struct at_rhythm rhythm = {0, 0};
        for (int day = 0, at = -1; day < DAYS; day++) {
            if (!bought[id][day]) continue;
            if (at >= 0) rhythm = (struct at_rhythm){rhythm.gaps + 1, rhythm.days + (uint32_t)(day - at)};
            at = day;
        }
        if (rhythm.gaps) counts[at_rhythm_mean_days(rhythm)].people++;
    }
    return at_rhythm_shop_days(counts, DAYS);
}

struct misses { /* days, from what was foretold to the next gap */
    double shrunk, own, shop;
    uint32_t count;
};

static void foretell(int id, uint32_t shop_days, struct misses *misses) {
    struct at_rhythm rhythm = {0, 0};
    for (int day = 0, at = -1; day < DAYS; day++) {
        if (!bought[id][day]) continue;
        double gap = day - at;
        if (rhythm.gaps) {
            misses->shrunk += fabs(gap - (double)at_rhythm_interval_ms(rhythm, shop_days) / AT_DAY_MS);
            misses->own += fabs(gap - (double)at_rhythm_interval_ms(rhythm, 0) / AT_DAY_MS);
            misses->shop += fabs(gap - shop_days);
            misses->count++;
        }
        if (at >= 0) rhythm = (struct at_rhythm){rhythm.gaps + 1, rhythm.days + (uint32_t)(day - at)};
        at = day;
    }
}

static void the_next_gap_is_foretold_better_than_by_either_alone(void **state) {
    (void)state;
    struct misses misses = {0};
    if (!read_history()) {
        printf("skipped: no data\n");
        return;
    }
    uint32_t shop_days = shop_of_history();
    for (int id = 0; id < BUYERS; id++) foretell(id, shop_days, &misses);
    printf(
        "# CDNOW, %u gaps: missed by %.1f days; by the person's own alone %.1f, by the shop's %u days alone "
        "%.1f\n",
        misses.count, misses.shrunk / misses.count, misses.own / misses.count, shop_days,
        misses.shop / misses.count);
    assert_true(misses.count > 2000);
    assert_true(misses.shrunk < 0.97 * misses.own && misses.shrunk < 0.9 * misses.shop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_purchase_is_a_day_with_an_order),
        cmocka_unit_test(what_was_cancelled_or_given_back_is_none),
        cmocka_unit_test(the_day_is_the_shops),
        cmocka_unit_test(the_interval_goes_from_the_shops_to_the_persons),
        cmocka_unit_test(orders_in_any_order_have_the_models_rhythm),
        cmocka_unit_test(the_shops_is_the_median_of_people),
        cmocka_unit_test(the_next_gap_is_foretold_better_than_by_either_alone),
    };
    struct at_error err;
    if (at_zone_load("Europe/Berlin", &berlin, &err) != AT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, begin, end);
    at_zone_free(berlin);
    return failed;
}
