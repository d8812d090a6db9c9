/* SPDX-License-Identifier: Apache-2.0
 *
 * state = fold(apply, events): the same for any batching, in runs, with storage in between, and with events
 * told of twice; and against a model that keeps all events and counts them again.
 */
#include <math.h>
#include <pthread.h>
#include "profile_world.h"

enum { CASES = 1500, EVENTS = 60, LONG = 2000 };
static const char nonsense[] =
    "[\"~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\"]";

ONE_WORLD
GENERATED_CASES;

static void check_same(const struct at_profile *a, const struct at_profile *b, const char *what) {
    const char *where = difference(a, b);
    if (where) fail_msg("seed %llu, case %d: %s: %s differs", (unsigned long long)first, number, what, where);
    CHECK(a->applied_seq == b->applied_seq);
    CHECK(at_profile_equal(a, b));
}

/* Random events; now and then hours, days or weeks pass, and one in five tells of earlier. */
static uint32_t random_events(struct stored *events, bool in_order) {
    uint32_t count = 1 + random_below(&seed, EVENTS);
    int64_t at_ms = NOW_MS;
    char text[4000];
    for (uint32_t i = 0; i < count; i++) {
        static const int64_t steps[] = {1000,           AT_MINUTE_MS, 20 * AT_MINUTE_MS, AT_HOUR_MS,
                                        9 * AT_HOUR_MS, AT_DAY_MS,    13 * AT_DAY_MS};
        int64_t span = steps[random_below(&seed, AT_LENGTH(steps))];
        span += random_below(&seed, 1000);
        at_ms += span;
        int64_t told = in_order || random_below(&seed, 5) ? at_ms : at_ms - 2 * span;
        random_event(&seed, text, sizeof text);
        if (parse_at(&world, text, told) != AT_OK) fail_msg("%s: %s", world.err.message, text);
        keep_event(&world, random_below(&seed, 4) > 0, &events[i]);
    }
    return count;
}

/* Every step a snapshot that others keep; it must not change under them. */
static struct at_profile *fold_public(const struct stored *events, uint32_t count) {
    struct at_profile *profile = new_profile();
    for (uint32_t i = 0; i < count; i++) {
        char *before = text_of_profile(&world, profile);
        struct at_profile *next = step(&world, profile, &events[i], false);
        char *after = text_of_profile(&world, profile);
        CHECK(strcmp(before, after) == 0);
        CHECK(next != profile);
        free(before);
        free(after);
        at_profile_unref(profile);
        profile = next;
    }
    return profile;
}

/* Batches of random size: within one the snapshot is private, between them it is published. */
static struct at_profile *fold_batches(const struct stored *events, uint32_t count) {
    struct at_profile *profile = new_profile();
    for (uint32_t i = 0; i < count;) {
        uint32_t end = i + 1 + random_below(&seed, 10);
        struct at_profile *published = at_profile_ref(profile);
        for (bool is_private = false; i < count && i < end; i++, is_private = true) {
            struct at_profile *next = step(&world, profile, &events[i], is_private);
            if (!is_private) at_profile_unref(profile);
            profile = next;
        }
        at_profile_unref(published);
    }
    return profile;
}

static struct at_profile *fold_stored(const struct stored *events, uint32_t count) {
    struct at_profile *profile = new_profile();
    for (uint32_t i = 0; i < count; i++) {
        if (random_below(&seed, 3) == 0) profile = recode(&world, profile);
        profile = step(&world, profile, &events[i], true);
        if (random_below(&seed, 6) == 0) /* told twice */
            profile = step(&world, profile, &events[random_below(&seed, i + 1)], true);
    }
    return recode(&world, profile);
}

/* What an event was read into is written over before the next one comes. */
static void lend(struct at_profile_run *run, const struct stored *event) {
    struct stored lent = *event;
    struct at_logged_event logged = logged_of(&world, &lent);
    CHECK(at_profile_run_apply(run, &logged));
    memset(lent.name, '~', sizeof lent.name - 1);
    memset(lent.id, '~', sizeof lent.id - 1);
    (void)json_of(world.body_parser, nonsense);
    (void)json_of(world.facts_parser, nonsense);
}

static struct at_profile *fold_runs(const struct stored *events, uint32_t count) {
    struct at_profile *profile = new_profile();
    for (uint32_t i = 0; i < count;) {
        uint32_t end = i + 1 + random_below(&seed, EVENTS);
        char *before = text_of_profile(&world, profile);
        struct at_profile_run *run = at_profile_run_begin(profile);
        CHECK(run != NULL);
        for (; i < count && i < end; i++) lend(run, &events[i]);
        char *after = text_of_profile(&world, profile);
        CHECK(strcmp(before, after) == 0);
        free(before);
        free(after);
        at_profile_unref(profile);
        profile = at_profile_run_end(run);
        CHECK(profile != NULL);
    }
    return profile;
}

static void any_way_of_folding_gives_the_same(void **state) {
    (void)state;
    struct stored events[EVENTS];
    seed = first = first_seed(20261126);
    for (number = 0; number < CASES; number++) {
        uint32_t count = random_events(events, false);
        struct at_profile *a = fold_public(events, count), *b = fold_batches(events, count),
                          *c = fold_stored(events, count), *d = fold_runs(events, count);
        check_same(a, b, "batches");
        check_same(a, c, "through storage");
        check_same(a, d, "runs");
        at_profile_unref(a);
        at_profile_unref(b);
        at_profile_unref(c);
        at_profile_unref(d);
        free_events(events, count);
    }
    print_message("property: fold, %d cases, seed %llu\n", CASES, (unsigned long long)first);
}

/* So long that it is packed on the way, many times; at its end it can be asked as a snapshot can. */
static void a_long_run_gives_the_same(void **state) {
    (void)state;
    static struct stored events[LONG];
    uint32_t count = 0;
    seed = first = first_seed(815);
    while (count + EVENTS <= LONG) count += random_events(&events[count], false);
    struct at_profile *stepped = new_profile(), *base = new_profile();
    for (uint32_t i = 0; i < count; i++) stepped = step(&world, stepped, &events[i], true);
    struct at_profile_run *run = at_profile_run_begin(base);
    for (uint32_t i = 0; i < count; i++) lend(run, &events[i]);
    char *expected = text_of_profile(&world, stepped),
         *so_far = text_of_profile(&world, at_profile_run_state(run));
    if (strcmp(so_far, expected) != 0)
        fail_msg("seed %llu:\n%s\n%s", (unsigned long long)first, so_far, expected);
    struct at_profile *folded = at_profile_run_end(run);
    check_same(stepped, folded, "a long run");
    print_message("property: a long run, %u events, seed %llu\n", count, (unsigned long long)first);
    run = at_profile_run_begin(folded);
    CHECK(at_profile_run_end(run) == folded); /* nothing happened in it */
    at_profile_unref(folded);
    at_profile_unref(folded);
    at_profile_unref(base);
    at_profile_unref(stepped);
    free(expected);
    free(so_far);
    free_events(events, count);
}

/* ---- against a model ---- */

static uint64_t count_between(const struct stored *events, uint32_t count, const char *name, int64_t from,
                              int64_t to) {
    uint64_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += strcmp(events[i].name, name) == 0 && events[i].at_ms > from && events[i].at_ms <= to;
    return n;
}

static void check_window(const struct at_profile *profile, const struct stored *events, uint32_t count,
                         const char *name, int64_t within, int64_t now) {
    int64_t grain = within <= 2 * AT_DAY_MS ? AT_HOUR_MS : AT_DAY_MS;
    uint64_t told = at_profile_count(profile, at_text_of(name), within, now);
    CHECK(told >= count_between(events, count, name, now - within + grain, now));
    CHECK(told <= count_between(events, count, name, now - within - grain, now));
}

/* Of an order's copies one counts, at the earliest moment that one says. */
static uint32_t happenings(struct stored *out, const struct stored *events, uint32_t count) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t same = 0;
        const char *order = strstr(events[i].facts, "\"order\":\"");
        out[n] = events[i];
        for (; order && same < n; same++)
            if (strcmp(events[i].name, "order_completed") == 0 &&
                strcmp(out[same].name, "order_completed") == 0 &&
                strncmp(strstr(out[same].facts, "\"order\":\"") + 9, order + 9, 4) == 0)
                break;
        if (!order || same == n)
            n++;
        else if (events[i].at_ms < out[same].at_ms)
            out[same].at_ms = events[i].at_ms;
    }
    return n;
}

static void check_counts(const struct at_profile *profile, const struct stored *all, uint32_t all_count) {
    struct stored events[EVENTS];
    uint32_t count = happenings(events, all, all_count);
    int64_t now = 0;
    for (uint32_t i = 0; i < count; i++)
        if (events[i].at_ms > now) now = events[i].at_ms;
    for (uint32_t i = 0; i < count; i++) {
        const struct at_event_count *counted = at_profile_counted(profile, at_text_of(events[i].name));
        CHECK(counted != NULL);
        CHECK(counted->total == count_between(events, count, events[i].name, INT64_MIN, INT64_MAX));
        CHECK(events[i].at_ms >= counted->first_ms && events[i].at_ms <= counted->last_ms);
        CHECK(count_between(events, count, events[i].name, counted->first_ms - 1, counted->first_ms) > 0);
        CHECK(count_between(events, count, events[i].name, counted->last_ms - 1, counted->last_ms) > 0);
        /* A count that moves to an earlier moment leaves the grain as it was where it stood. */
        if (count_between(all, all_count, events[i].name, INT64_MIN, INT64_MAX) != counted->total) continue;
        check_window(profile, events, count, events[i].name, (1 + random_below(&seed, 48)) * AT_HOUR_MS, now);
        check_window(profile, events, count, events[i].name, (3 + random_below(&seed, 300)) * AT_DAY_MS, now);
    }
    CHECK(at_profile_count(profile, AT_TEXT("never"), AT_DAY_MS, now) == 0);
}

struct model_order { /* as its copies together say */
    bool is_won;
    double revenue;
    int64_t said_ms; /* when the copy of the revenue was; INT64_MAX: none */
    bool has[14];
};
struct model {
    struct model_order orders[10];
    double refunded;
    uint32_t views[14], adds[14], bought[14];
    double brand[5], category[3];
};

static bool is_won(struct at_json facts) {
    bool won = true;
    at_json_bool(at_json_get(facts, "claim"), &won);
    return won;
}

static struct model_order *order_of(struct model *model, struct at_json facts) {
    return &model->orders[atoi(at_json_text(at_json_get(facts, "order")).data + 1)]; /* "O7" */
}

static void model_order(struct model *model, const struct stored *event, struct at_json facts) {
    struct model_order *order = order_of(model, facts);
    double revenue;
    order->is_won |= is_won(facts);
    if (!at_json_number(at_json_get(facts, "revenue"), &revenue) || event->at_ms > order->said_ms) return;
    if (event->at_ms < order->said_ms || revenue > order->revenue) order->revenue = revenue;
    order->said_ms = event->at_ms;
}

static void model_items(struct model *model, const struct stored *event, struct at_json facts, int64_t end) {
    double interest =
        strcmp(event->name, "product_viewed") == 0 || strcmp(event->name, "product_clicked") == 0 ? 1
        : strcmp(event->name, "product_added_to_wishlist") == 0                                   ? 3
        : strcmp(event->name, "product_added") == 0                                               ? 4
        : strcmp(event->name, "order_completed") == 0                                             ? 6
                                                                                                  : 0;
    bool none[14] = {false}, *is_met = none;
    if (interest == 6) is_met = order_of(model, facts)->has;
    struct at_json_each it = at_json_each(at_json_get(facts, "items"));
    while (at_json_next(&it)) {
        int n = atoi(at_json_text(at_json_get(it.value, "product")).data + 1);
        if (is_met[n]) continue;
        is_met[n] = true;
        double weight = interest * pow(2, -(double)(end - event->at_ms) / AT_AFFINITY_HALF_MS);
        model->views[n] += interest == 1;
        model->adds[n] += interest == 4;
        model->bought[n] += interest == 6;
        model->brand[n % 5] += weight;
        model->category[n % 3] += weight;
    }
}

static void model_event(struct model *model, const struct stored *event, int64_t end) {
    struct at_json facts = json_of(world.facts_parser, event->facts);
    double amount;
    model_items(model, event, facts, end);
    if (strcmp(event->name, "order_completed") == 0) model_order(model, event, facts);
    if (!is_won(facts) || !at_json_number(at_json_get(facts, "revenue"), &amount)) amount = 0;
    if (strcmp(event->name, "order_refunded") == 0 && at_json_get(facts, "revenue").tape)
        model->refunded += amount;
}

static void check_near(double a, double b) {
    if (fabs(a - b) > 1e-9 * (1 + fabs(b)))
        fail_msg("seed %llu, case %d: %.17g is not %.17g", (unsigned long long)first, number, a, b);
}

static void check_products(const struct at_profile *profile, const struct model *model) {
    for (int n = 0; n < 14; n++) {
        char id[20];
        snprintf(id, sizeof id, "P%d", n);
        const struct at_met_product *met = at_profile_met(profile, at_text_of(id));
        struct at_met_product none = {0};
        if (!met) met = &none;
        CHECK(met->views == model->views[n] && met->adds == model->adds[n] &&
              met->bought == model->bought[n]);
    }
}

static void check_grouped(const struct at_profile *profile) {
    for (uint32_t i = 2; i < profile->taste_count; i++)
        for (uint32_t j = 0; j + 1 < i; j++)
            CHECK(!at_text_equal(profile->tastes[i].facet, profile->tastes[j].facet) ||
                  at_text_equal(profile->tastes[i].facet, profile->tastes[i - 1].facet));
}

static void check_tastes(const struct at_profile *profile, const struct model *model, int64_t end) {
    double found = 0, expected = 0;
    for (uint32_t i = 0; i < profile->taste_count; i++) {
        const struct at_taste *taste = &profile->tastes[i];
        double weight = taste->weight * pow(2, -(double)(end - taste->at_ms) / AT_AFFINITY_HALF_MS);
        int n = taste->value.data[taste->value.length - 1] - '0';
        check_near(weight, at_text_is(taste->facet, "brand") ? model->brand[n] : model->category[n]);
        found += weight;
    }
    for (int i = 0; i < 5; i++) expected += model->brand[i];
    for (int i = 0; i < 3; i++) expected += model->category[i];
    check_near(found, expected); /* none is missing */
}

static int64_t last_moment(const struct stored *events, uint32_t count) {
    int64_t end = events[0].at_ms;
    for (uint32_t i = 0; i < count; i++)
        if (events[i].at_ms > end) end = events[i].at_ms;
    return end;
}

static void check_model(const struct at_profile *profile, const struct stored *events, uint32_t count) {
    struct model model = {0};
    int64_t end = last_moment(events, count);
    uint64_t orders = 0;
    double revenue = 0;
    for (int i = 0; i < 10; i++) model.orders[i].said_ms = INT64_MAX;
    for (uint32_t i = 0; i < count; i++) model_event(&model, &events[i], end);
    for (int i = 0; i < 10; i++) {
        orders += model.orders[i].is_won;
        if (model.orders[i].is_won) revenue += model.orders[i].revenue;
    }
    CHECK(profile->orders.count == orders);
    check_near(profile->orders.revenue, revenue);
    CHECK(profile->orders.refunded >= model.refunded - 1e-6); /* and what "all of it" was */
    CHECK(profile->last_seen_ms == end);
    check_products(profile, &model);
    check_tastes(profile, &model, end);
    check_grouped(profile);
    check_counts(profile, events, count);
}

static uint64_t visits_in_order(const struct stored *events, uint32_t count) {
    uint64_t visits = 1;
    for (uint32_t i = 1; i < count; i++) visits += events[i].at_ms - events[i - 1].at_ms > AT_SESSION_GAP_MS;
    return visits;
}

/* Sums, counts, tastes and what was met do not depend on the order in which events are told. */
static void the_fold_counts_what_the_model_counts(void **state) {
    (void)state;
    struct stored events[EVENTS];
    seed = first = first_seed(4711);
    for (number = 0; number < CASES; number++) {
        bool in_order = number % 2;
        uint32_t count = random_events(events, in_order);
        struct at_profile *profile = fold_public(events, count);
        check_model(profile, events, count);
        if (in_order) CHECK(profile->sessions == visits_in_order(events, count));
        at_profile_unref(profile);
        for (uint32_t i = count; i > 1; i--) { /* any other order */
            uint32_t j = random_below(&seed, i);
            struct stored swap = events[i - 1];
            events[i - 1] = events[j];
            events[j] = swap;
        }
        for (uint32_t i = 0; i < count; i++) events[i].seq = i + 1;
        profile = fold_public(events, count);
        check_model(profile, events, count);
        for (uint32_t i = 1; i < profile->order_count; i++)
            CHECK(profile->order_list[i - 1].at_ms <= profile->order_list[i].at_ms);
        at_profile_unref(profile);
        free_events(events, count);
    }
    print_message("property: model, %d cases, seed %llu\n", CASES, (unsigned long long)first);
}

/* ---- threads ---- */

struct shared {
    struct at_profile *profile;
    const struct stored *event;
    uint64_t views;
};

/* Readers hold references of their own and let them go, while every thread makes its own next snapshot. */
static void *read_and_follow(void *arg) {
    struct shared *shared = arg;
    struct world mine;
    world_init(&mine);
    for (int i = 0; i < 2000; i++) {
        struct at_profile *held = at_profile_ref(shared->profile);
        struct at_profile *next = step(&mine, held, shared->event, false);
        shared->views += at_profile_met(next, AT_TEXT("A"))->views;
        at_profile_unref(held);
        at_profile_unref(next);
    }
    world_clear(&mine);
    return NULL;
}

static void a_snapshot_is_read_by_many_threads(void **state) {
    (void)state;
    struct at_account account = {"profiles", SIZE_MAX, 0};
    struct at_profile *p = at_profile_new(7, &account);
    struct stored stored;
    struct shared shared[4];
    pthread_t threads[4];
    happen(&world, &p, NOW_MS, TRACK("Product Viewed", "{\"product_id\":\"A\"}"));
    assert_int_equal(parse_at(&world, TRACK("Product Viewed", "{\"product_id\":\"A\"}"), NOW_MS + 1), AT_OK);
    keep_event(&world, true, &stored);
    for (int i = 0; i < 4; i++) {
        shared[i] = (struct shared){p, &stored, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, read_and_follow, &shared[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(shared[i].views, 2 * 2000);
    }
    stored_free(&stored);
    at_profile_unref(p);
    assert_int_equal(at_account_used(&account), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_way_of_folding_gives_the_same),
        cmocka_unit_test(a_long_run_gives_the_same),
        cmocka_unit_test(the_fold_counts_what_the_model_counts),
        cmocka_unit_test(a_snapshot_is_read_by_many_threads),
    };
    return cmocka_run_group_tests_name("profile fold", tests, begin, end);
}
