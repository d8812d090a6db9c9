/* SPDX-License-Identifier: Apache-2.0
 *
 * The outlook is what somebody sees who asks at every single moment: never a change before it, and the change
 * itself where it can be known. Conditions are generated; the judge reads as a script would, only what it
 * comes to.
 */
#include "profile/segment.h"
#include "profile_world.h"

ONE_WORLD
GENERATED_CASES;

/* ---- a generated condition over steps in time, read from left to right as far as it matters ---- */

enum { MOMENTS = 400, LEAVES = 8 };
struct condition {
    int at[LEAVES];     /* the moment from which the leaf holds, or no longer does */
    bool falls[LEAVES]; /* it holds until then */
    bool is_and[LEAVES];
    uint32_t count;
    int fails_from; /* there is no answer from here on; 0: always one */
    bool is_blind;
    uint32_t asked;
};

static bool leaf_at(const struct condition *condition, uint32_t i, int64_t now_ms) {
    return (now_ms >= condition->at[i]) != condition->falls[i];
}

/* until: of what was looked at, the place that comes first. */
static bool value_at(const struct condition *condition, int64_t now_ms, int64_t *until_ms) {
    bool value = true, is_open = true;
    for (uint32_t i = 0; i < condition->count; i++) {
        if (!is_open) { /* "and" after a no, "or" after a yes: not looked at */
            is_open = condition->is_and[i] == value;
            if (!is_open) continue;
        }
        bool leaf = leaf_at(condition, i, now_ms);
        if (condition->at[i] > now_ms && condition->at[i] < *until_ms) *until_ms = condition->at[i];
        value = i == 0 ? leaf : condition->is_and[i] ? value && leaf : value || leaf;
        is_open = i + 1 < condition->count && condition->is_and[i + 1] == value;
    }
    return value;
}

static enum at_status ask(void *arg, const struct at_profile *profile, int64_t now_ms,
                          struct at_segment_answer *out, struct at_error *err) {
    struct condition *condition = arg;
    (void)profile;
    condition->asked++;
    if (condition->fails_from && now_ms >= condition->fails_from)
        return at_fail(err, AT_FAILED, NULL, "it fails");
    *out = (struct at_segment_answer){.is_blind = condition->is_blind, .until_ms = AT_NEVER};
    out->is_member = value_at(condition, now_ms, &out->until_ms);
    return AT_OK;
}

static struct condition random_condition(uint64_t *r) {
    struct condition condition = {.count = 1 + random_below(r, LEAVES)};
    for (uint32_t i = 0; i < condition.count; i++) {
        condition.at[i] = 1 + (int)random_below(r, MOMENTS);
        condition.falls[i] = random_below(r, 2);
        condition.is_and[i] = random_below(r, 2);
    }
    if (random_below(r, 8) == 0) condition.fails_from = 1 + (int)random_below(r, MOMENTS);
    return condition;
}

static void the_outlook_is_the_first_change_there_is(void **unused) {
    (void)unused;
    uint32_t flips = 0, never = 0;
    seed = first = first_seed(0x5E61);
    printf("# property: the_outlook_is_the_first_change_there_is, 20000 cases, seed %llu\n",
           (unsigned long long)first);
    for (number = 0; number < 20000; number++) {
        struct condition condition = random_condition(&seed);
        int64_t now_ms = random_below(&seed, MOMENTS), ignored = AT_NEVER;
        struct at_segment_judge judge = {ask, &condition};
        struct at_segment_outlook outlook;
        enum at_status status =
            at_segment_look(&judge, NULL, now_ms, AT_DAY_MS, &outlook, &(struct at_error){0});
        bool fails_now = condition.fails_from && now_ms >= condition.fails_from;
        CHECK(status == (fails_now ? AT_FAILED : AT_OK));
        if (fails_now) continue;
        CHECK(condition.asked <= AT_SEGMENT_STEPS_MAX + 1);
        CHECK(outlook.is_member == value_at(&condition, now_ms, &ignored));
        int64_t change_ms = now_ms + 1;
        while (change_ms <= MOMENTS && value_at(&condition, change_ms, &ignored) == outlook.is_member)
            change_ms++;
        bool is_reached = change_ms <= MOMENTS;
        if (condition.fails_from && condition.fails_from < change_ms) {
            CHECK(outlook.due_ms >= now_ms + 1); /* from there on nobody knows: asked again at some moment */
            continue;
        }
        CHECK(outlook.due_ms == (is_reached ? change_ms : AT_NEVER));
        flips += is_reached;
        never += !is_reached;
    }
    assert_true(flips > 4000 && never > 4000);
}

/* Every ten moments something may change, and never does. */
static enum at_status ask_in_vain(void *arg, const struct at_profile *profile, int64_t now_ms,
                                  struct at_segment_answer *out, struct at_error *err) {
    (void)profile, (void)err;
    ++*(uint32_t *)arg;
    *out = (struct at_segment_answer){.until_ms = now_ms + 10};
    return AT_OK;
}

static void many_places_without_a_change_end_at_one_of_them(void **unused) {
    (void)unused;
    uint32_t asked = 0;
    struct at_segment_judge judge = {ask_in_vain, &asked};
    struct at_segment_outlook outlook;
    assert_int_equal(at_segment_look(&judge, NULL, 0, AT_DAY_MS, &outlook, NULL), AT_OK);
    assert_int_equal(outlook.due_ms, 10 * AT_SEGMENT_STEPS_MAX);
    assert_int_equal(asked, 1 + AT_SEGMENT_STEPS_MAX);
}

static void a_blind_answer_is_asked_again_after_recheck(void **unused) {
    (void)unused;
    struct condition condition = {.at = {500}, .count = 1, .is_blind = true};
    struct at_segment_judge judge = {ask, &condition};
    struct at_segment_outlook outlook;
    assert_int_equal(at_segment_look(&judge, NULL, 100, 50, &outlook, NULL), AT_OK);
    assert_true(outlook.is_blind);
    assert_int_equal(outlook.due_ms, 150);
    assert_int_equal(at_segment_look(&judge, NULL, 100, AT_DAY_MS, &outlook, NULL), AT_OK);
    assert_int_equal(outlook.due_ms, 500); /* what is known comes first */
    assert_int_equal(at_segment_look(&judge, NULL, 100, AT_NEVER, &outlook, NULL), AT_OK);
    assert_int_equal(outlook.due_ms, 500);
}

/* ---- until when a profile's words stand ---- */

static struct at_profile *random_past(uint64_t *r, uint32_t events) {
    struct at_profile *profile = at_profile_new(1, NULL);
    char text[300];
    for (uint32_t i = 0; i < events; i++) {
        DRAW(ago, 60 * 24 * 60);
        DRAW(second, 60);
        int64_t at_ms = NOW_MS - (int64_t)ago * AT_MINUTE_MS - second * AT_SECOND_MS;
        snprintf(text, sizeof text, "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"Looked\"}");
        happen(&world, &profile, at_ms, text);
    }
    return profile;
}

static void a_count_stands_until_its_window_moves(void **unused) {
    (void)unused;
    uint32_t changes = 0;
    seed = first = first_seed(0xC0117);
    printf("# property: a_count_stands_until_its_window_moves, 300 cases, seed %llu\n",
           (unsigned long long)first);
    for (number = 0; number < 300; number++) {
        uint32_t events = random_below(&seed, 12);
        uint32_t within_hours = random_below(&seed, 24 * 40);
        uint32_t before = random_below(&seed, 60 * 24 * 60);
        struct at_profile *profile = random_past(&seed, 1 + events);
        int64_t now_ms = NOW_MS - (int64_t)before * AT_MINUTE_MS, within_ms = (1 + within_hours) * AT_HOUR_MS;
        struct at_text name = AT_TEXT("looked");
        for (int step = 0; step < 60 && now_ms < AT_NEVER; step++) {
            int64_t until_ms = at_profile_count_until(profile, name, within_ms, now_ms);
            uint64_t count = at_profile_count(profile, name, within_ms, now_ms);
            CHECK(until_ms > now_ms);
            int64_t last_ms = until_ms == AT_NEVER ? now_ms + 800 * AT_DAY_MS : until_ms - 1;
            int64_t pace_ms = (last_ms - now_ms) / 200 + 1;
            for (int64_t at_ms = now_ms; at_ms <= last_ms; at_ms += pace_ms)
                CHECK(at_profile_count(profile, name, within_ms, at_ms) == count);
            CHECK(at_profile_count(profile, name, within_ms, last_ms) == count);
            changes += until_ms < AT_NEVER && at_profile_count(profile, name, within_ms, until_ms) != count;
            now_ms = until_ms;
        }
        CHECK(now_ms == AT_NEVER);
        at_profile_unref(profile);
    }
    assert_true(changes > 500);
}

static void a_visit_and_a_consent_stand_until_they_end(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(1, NULL);
    assert_true(at_visit_until(profile, NOW_MS) == AT_NEVER);
    happen(&world, &profile, NOW_MS,
           "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"Looked\",\"timestamp\":\"2026-11-26T08:00:"
           "00Z\"}");
    assert_true(at_visit_until(profile, NOW_MS) == NOW_MS + AT_SESSION_GAP_MS);
    assert_true(at_visit_until(profile, NOW_MS + AT_SESSION_GAP_MS - 1) == NOW_MS + AT_SESSION_GAP_MS);
    assert_true(at_visit_until(profile, NOW_MS + AT_SESSION_GAP_MS) == AT_NEVER);
    struct at_consent_statement said[] = {{.purpose = AT_TEXT("a"), .at_ms = 1, .expires_ms = 500},
                                          {.purpose = AT_TEXT("b"), .at_ms = 1, .expires_ms = 0},
                                          {.purpose = AT_TEXT("c"), .at_ms = 1, .expires_ms = 300}};
    profile->consents = said;
    profile->consent_count = 3;
    assert_true(at_consent_until(profile, 299) == 300 && at_consent_until(profile, 300) == 500);
    assert_true(at_consent_until(profile, 500) == AT_NEVER);
    profile->consent_count = 0;
    at_profile_unref(profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_outlook_is_the_first_change_there_is),
        cmocka_unit_test(many_places_without_a_change_end_at_one_of_them),
        cmocka_unit_test(a_blind_answer_is_asked_again_after_recheck),
        cmocka_unit_test(a_count_stands_until_its_window_moves),
        cmocka_unit_test(a_visit_and_a_consent_stand_until_they_end),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
