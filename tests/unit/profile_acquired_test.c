/* SPDX-License-Identifier: Apache-2.0
 *
 * Where somebody came from the very first time: what counts, and the same from any order of arrival, against
 * a model that sees all events at once.
 */
#include "profile_world.h"

ONE_WORLD
GENERATED_CASES;

#define PAGE(page) "{\"type\":\"page\",\"anonymousId\":\"a\",\"context\":{\"page\":{" page "}}}"
#define CAMPAIGN(page, campaign)                                                                             \
    "{\"type\":\"page\",\"anonymousId\":\"a\",\"context\":{\"page\":{" page "},\"campaign\":{" campaign "}}" \
    "}"
#define BARE "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"E\"}"
#define GONE "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"E\",\"context\":{\"active\":false}}"

static void assert_acquired(const struct at_profile *p, int64_t at_ms, const char *source,
                            const char *campaign, const char *landing) {
    const struct at_acquired *got = &p->acquired;
    struct at_text from = at_acquired_source(got);
    if (got->at_ms != at_ms || !at_text_is(from, source) || !at_text_is(got->campaign, campaign) ||
        !at_text_is(got->landing, landing))
        fail_msg("%+lld ms, \"%.*s\", \"%.*s\", \"%.*s\"", (long long)(got->at_ms - at_ms), (int)from.length,
                 from.data, (int)got->campaign.length, got->campaign.data, (int)got->landing.length,
                 got->landing.data);
}

/* ---- by hand ---- */

static void one(const char *text, const char *source, const char *campaign, const char *landing) {
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS, text);
    p = recode(&world, p);
    assert_acquired(p, NOW_MS, source, campaign, landing);
    at_profile_unref(p);
}

static void the_source_is_the_campaigns_or_the_referrers_or_direct(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    assert_acquired(p, 0, "", "", "");
    happen(&world, &p, NOW_MS, GONE); /* a system tells it, nobody was here */
    assert_acquired(p, 0, "", "", "");
    at_profile_unref(p);
    one(BARE, "direct", "", "");
    one(PAGE("\"path\":\"/a\""), "direct", "", "/a");
    one(PAGE("\"path\":\"/a\",\"url\":\"https://shop.example/a?x=1\""), "direct", "",
        "https://shop.example/a?x=1");
    one(PAGE("\"url\":\"https://shop.example/\",\"referrer\":\"https://www.search.example/?q=x\""),
        "www.search.example", "", "https://shop.example/");
    one(CAMPAIGN("\"url\":\"https://shop.example/\",\"referrer\":\"https://search.example/\"",
                 "\"source\":\"mail\",\"name\":\"spring\",\"medium\":\"email\""),
        "mail", "spring", "https://shop.example/");
    one(CAMPAIGN("\"referrer\":\"https://search.example/\"", "\"name\":\"spring\""), "search.example",
        "spring", "");
    one(PAGE("\"url\":\"https://www.shop.example/b\",\"referrer\":\"https://shop.example/a\""), "direct", "",
        "https://www.shop.example/b");
}

static void the_host_of_a_referrer(void **state) {
    (void)state;
    static const char *const hosts[][2] = {
        {"http://a.example", "a.example"},
        {"http://a.example:8080/x", "a.example"},
        {"https://user:word@a.example/x@y", "a.example"},
        {"https://a.example?x=//b", "a.example"},
        {"https://a.example#x", "a.example"},
        {"android-app://com.mail.example/", "com.mail.example"},
        {"https://[2001:db8::1]:443/", "[2001:db8::1]"},
        {"https://[2001", "direct"},
        {"https://", "direct"},
        {"https:///x", "direct"},
        {"a.example/x", "direct"},
        {"", "direct"},
    };
    char text[400];
    for (size_t i = 0; i < AT_LENGTH(hosts); i++) {
        snprintf(text, sizeof text, PAGE("\"url\":\"https://shop.example/\",\"referrer\":\"%s\""),
                 hosts[i][0]);
        one(text, hosts[i][1], "", "https://shop.example/");
    }
}

static void what_is_too_long_is_cut_where_it_still_says_something(void **state) {
    (void)state;
    static char text[3000], tail[1001];
    memset(tail, 'x', sizeof tail - 1);
    snprintf(text, sizeof text,
             PAGE("\"path\":\"/in\",\"url\":\"https://shop.example/in?%s\",\"referrer\":\"https://"
                  "search.example/%s\""),
             tail, tail);
    one(text, "search.example", "", "https://shop.example/in");
    snprintf(text, sizeof text, PAGE("\"path\":\"/in\",\"url\":\"https://shop.example/%s\""), tail);
    one(text, "direct", "", "/in");
    snprintf(text, sizeof text, PAGE("\"url\":\"/%s\",\"referrer\":\"%s\""), tail, tail);
    one(text, "direct", "", "");
}

static void only_what_is_of_the_first_half_hour_counts(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    const char *mail =
        CAMPAIGN("\"url\":\"https://shop.example/sale\"", "\"source\":\"mail\",\"name\":\"sale\"");
    happen(&world, &p, NOW_MS, mail);
    assert_acquired(p, NOW_MS, "mail", "sale", "https://shop.example/sale");
    happen(&world, &p, NOW_MS + 1, PAGE("\"url\":\"https://shop.example/b\""));
    assert_acquired(p, NOW_MS, "mail", "sale", "https://shop.example/sale");
    happen(&world, &p, NOW_MS - AT_SESSION_GAP_MS, BARE); /* told of later, and just near enough */
    assert_acquired(p, NOW_MS - AT_SESSION_GAP_MS, "mail", "sale", "https://shop.example/sale");
    happen(&world, &p, NOW_MS - AT_SESSION_GAP_MS - 1, BARE); /* then the mail was of another visit */
    assert_acquired(p, NOW_MS - AT_SESSION_GAP_MS - 1, "direct", "", "");
    happen(&world, &p, NOW_MS - AT_DAY_MS,
           PAGE("\"url\":\"https://shop.example/\",\"referrer\":\"https://ads.example/\""));
    assert_acquired(p, NOW_MS - AT_DAY_MS, "ads.example", "", "https://shop.example/");
    happen(&world, &p, NOW_MS + 9 * AT_DAY_MS, mail);
    assert_acquired(p, NOW_MS - AT_DAY_MS, "ads.example", "", "https://shop.example/");
    assert_true(at_text_is(p->visit.source, "mail")); /* the visit going on is another matter */
    at_profile_unref(p);
}

static void a_profile_of_before_keeps_what_it_knew(void **state) {
    (void)state;
    const char *rest =
        "\"traits\":{},\"orders\":{\"list\":[]},\"basket\":{\"list\":[]},\"tastes\":[],\"products\":[],"
        "\"counts\":[],\"identifiers\":[]";
    char text[800];
    struct at_profile *p;
    snprintf(text, sizeof text,
             "{\"version\":1,\"person\":7,\"applied\":1,\"sessions\":1,\"visit\":{},\"acquired\":{"
             "\"started\":%lld,"
             "\"last\":%lld,\"pages\":3,\"events\":4,\"source\":\"mail\",\"landing\":\"/in\"},%s}",
             NOW_MS, NOW_MS + 5, rest);
    assert_int_equal(at_profile_read(json_of(world.profile_parser, text), NULL, &p, NULL), AT_OK);
    world.seq = 1;
    assert_acquired(p, NOW_MS, "mail", "", "/in");
    happen(&world, &p, NOW_MS + 1, PAGE("\"url\":\"https://shop.example/b\""));
    assert_acquired(p, NOW_MS, "mail", "", "/in");
    happen(&world, &p, NOW_MS - 1, PAGE("\"url\":\"https://shop.example/c\""));
    assert_acquired(p, NOW_MS - 1, "direct", "", "https://shop.example/c");
    at_profile_unref(p);
}

/* ---- any order, against a model ---- */

enum { EVENTS = 12 };

struct told {
    int64_t at_ms;
    bool is_here;
    char source[8], campaign[8], path[8], referrer[40]; /* "" not said */
};

static void draw(struct told *told, uint64_t *r) {
    DRAW(minute, 90);
    DRAW(ms, 3);
    DRAW(here, 6);
    DRAW(says, 4);
    DRAW(source, 3);
    DRAW(path, 4);
    DRAW(referrer, 3);
    *told = (struct told){.at_ms = NOW_MS + minute * AT_MINUTE_MS + ms, .is_here = here > 0};
    if (says == 1) snprintf(told->source, sizeof told->source, "s%u", source);
    if (says == 1 && path) snprintf(told->campaign, sizeof told->campaign, "c%u", path);
    if (says) snprintf(told->path, sizeof told->path, "/p%u", path);
    if (says == 2) snprintf(told->referrer, sizeof told->referrer, "https://r%u.example/", referrer);
}

static void keep(const struct told *told, struct stored *out) {
    char text[500];
    snprintf(
        text, sizeof text,
        "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"E\",\"context\":{%s\"page\":{\"path\":\"%s\","
        "\"referrer\":\"%s\"},\"campaign\":{\"source\":\"%s\",\"name\":\"%s\"}}}",
        told->is_here ? "" : "\"active\":false,", told->path, told->referrer, told->source, told->campaign);
    if (parse_at(&world, text, told->at_ms) != AT_OK) fail_msg("%s", world.err.message);
    keep_event(&world, true, out);
}

/* Of two of one moment the larger texts: source, campaign, landing, referrer. */
static int compare(const struct told *a, const struct told *b) {
    if (a->at_ms != b->at_ms) return a->at_ms < b->at_ms ? -1 : 1;
    int order = strcmp(b->source, a->source);
    if (!order) order = strcmp(b->campaign, a->campaign);
    if (!order) order = strcmp(b->path, a->path);
    return order ? order : strcmp(b->referrer, a->referrer);
}

static void check(const struct at_profile *profile, const struct told *told, uint32_t count) {
    int64_t first_ms = INT64_MAX;
    const struct told *best = NULL;
    for (uint32_t i = 0; i < count; i++)
        if (told[i].is_here && told[i].at_ms < first_ms) first_ms = told[i].at_ms;
    for (uint32_t i = 0; i < count; i++) {
        bool says = told[i].is_here && (told[i].source[0] || told[i].path[0]);
        if (says && told[i].at_ms <= first_ms + 30 * AT_MINUTE_MS && (!best || compare(&told[i], best) < 0))
            best = &told[i];
    }
    const struct at_acquired *got = &profile->acquired;
    if (first_ms == INT64_MAX) {
        CHECK(!got->at_ms && !at_acquired_source(got).length);
        return;
    }
    char host[16] = "direct";
    if (best && best->referrer[0]) snprintf(host, sizeof host, "%.10s", best->referrer + 8);
    if (best && best->source[0]) snprintf(host, sizeof host, "%s", best->source);
    CHECK(got->at_ms == first_ms);
    CHECK(at_text_is(at_acquired_source(got), host));
    CHECK(at_text_is(got->campaign, best ? best->campaign : ""));
    CHECK(at_text_is(got->landing, best ? best->path : ""));
}

static void any_order_has_the_same_first_visit(void **state) {
    (void)state;
    struct told told[EVENTS];
    struct stored events[EVENTS];
    seed = first = first_seed(0xACC1);
    printf("# property: any_order_has_the_same_first_visit, 4000 cases, seed %llu\n",
           (unsigned long long)first);
    for (number = 0; number < 4000; number++) {
        uint32_t count = 1 + random_below(&seed, EVENTS);
        for (uint32_t i = 0; i < count; i++) draw(&told[i], &seed);
        for (uint32_t i = 0; i < count; i++)
            keep(&told[i], &events[i]); /* as they are drawn: no order at all */
        struct at_profile *profile = new_profile();
        for (uint32_t i = 0; i < count; i++) {
            profile = step(&world, profile, &events[i], true);
            if (random_below(&seed, 4) == 0) profile = recode(&world, profile);
        }
        check(profile, told, count);
        at_profile_unref(profile);
        for (uint32_t i = 0; i < count; i++) stored_free(&events[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_source_is_the_campaigns_or_the_referrers_or_direct),
        cmocka_unit_test(the_host_of_a_referrer),
        cmocka_unit_test(what_is_too_long_is_cut_where_it_still_says_something),
        cmocka_unit_test(only_what_is_of_the_first_half_hour_counts),
        cmocka_unit_test(a_profile_of_before_keeps_what_it_knew),
        cmocka_unit_test(any_order_has_the_same_first_visit),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
