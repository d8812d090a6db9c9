/* SPDX-License-Identifier: Apache-2.0
 *
 * Out of memory at every single allocation of parsing, folding, reading, showing and learning: the answer
 * says so, nothing is leaked or half done, what was there is untouched, and the same call succeeds
 * afterwards.
 */
#include <pthread.h>
#include "base_fail_malloc.h"
#include "profile_world.h"

ONE_WORLD
static struct at_account account = {"profiles", SIZE_MAX, 0};

/* for (SWEEP(n)) { arm(n); what may fail; is_through = disarm(); … } : one failure, then that and all later
 * ones. */
static bool is_through;
#define SWEEP(n)                                                                                             \
    long n = is_through = 0;                                                                                 \
    !is_through;                                                                                             \
    n++
static void arm(long n) {
    has_failed = false;
    fails_once = n % 2 == 0;
    allocations_left = n / 2;
}
static bool disarm(void) {
    allocations_left = -1;
    return is_through = !has_failed;
}

static const char identify[] =
    "{\"type\":\"identify\",\"userId\":12,\"anonymousId\":1.5,\"messageId\":7,\"traits\":{\"email\":\"A@b."
    "c\",\"phone\":\"+49 30 123456\","
    "\"plan\":\"pro\",\"t\":null,\"likes\":{\"brand\":[\"Acme\",\"Q\"]},\"dislikes\":{\"category\":7,"
    "\"brand\":\"Birch\"}},\"context\":{\"traits\":{\"x\":[1,2,{\"y\":\"z\"}]},\"locale\":\"de\"}}";
static const char order[] = "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Order "
                            "Completed\",\"properties\":{\"order_id\":5,\"products\":["
                            "{\"product_id\":1,\"brand\":\"Acme\",\"category\":\"Lamps\",\"price\":\"2.5\"},{"
                            "\"sku\":\"B\",\"brand\":\"Birch\"}]}}";
static const char *const texts[] = {
    identify, order, "{\"type\":\"page\",\"userId\":\"u\",\"context\":{\"page\":{\"path\":\"/\"}}}"};

static void parsing_says_so(void **state) {
    (void)state;
    struct at_event_defaults defaults = {.received_ms = NOW_MS};
    for (size_t i = 0; i < AT_LENGTH(texts); i++) {
        struct at_json json = json_of(world.event_parser, texts[i]);
        for (SWEEP(n)) {
            struct at_arena arena; /* small blocks of its own, so that each allocation shows */
            at_arena_init(&arena, 1 << 20);
            arm(n);
            enum at_status status = at_event_parse(&arena, json, &defaults, NULL, &world.event, &world.err);
            disarm();
            assert_int_equal(status, is_through ? AT_OK : AT_NOMEM); /* not "no id", and no email forgotten */
            at_arena_clear(&arena);
        }
        assert_int_equal(world.event.identifier_count, i == 0 ? 4 : 1);
    }
}

/* The arena's ceiling is another way to run out: at every size. */
static void a_full_arena_says_so(void **state) {
    (void)state;
    struct at_event_defaults defaults = {.received_ms = NOW_MS};
    for (size_t i = 0; i < AT_LENGTH(texts); i++) {
        struct at_json json = json_of(world.event_parser, texts[i]);
        bool is_enough = false;
        for (size_t bytes = 0; !is_enough; bytes += 16) {
            struct at_arena arena;
            at_arena_init(&arena, bytes);
            enum at_status status = at_event_parse(&arena, json, &defaults, NULL, &world.event, &world.err);
            assert_true(status == AT_OK || status == AT_NOMEM);
            if (status == AT_OK) assert_int_equal(world.event.identifier_count, i == 0 ? 4 : 1);
            is_enough = status == AT_OK;
            assert_true(bytes < 1 << 16);
            at_arena_clear(&arena);
        }
    }
}

static void writing_says_so(void **state) {
    (void)state;
    struct at_profile *p = at_profile_new(1, NULL);
    for (size_t i = 0; i < AT_LENGTH(texts); i++) happen(&world, &p, NOW_MS, texts[i]);
    assert_int_equal(parse_at(&world, order, NOW_MS), AT_OK);
    for (int what = 0; what < 4; what++)
        for (SWEEP(n)) {
            struct at_bytes bytes;
            at_bytes_init(&bytes, 1 << 20);
            arm(n);
            if (what == 0) at_event_write_facts(&world.event, NULL, true, &bytes);
            if (what == 1) at_event_write_body(&world.event, &bytes);
            if (what == 2) at_profile_write(p, &bytes);
            if (what == 3) at_profile_show(p, &(struct at_showing){.now_ms = NOW_MS}, &bytes);
            disarm();
            assert_int_equal(bytes.failed, !is_through); /* a face without its affinity would be a lie */
            at_bytes_clear(&bytes);
        }
    at_profile_unref(p);
}

static void a_step_is_whole_or_not_there(void **state) {
    (void)state;
    struct at_profile *base = at_profile_new(1, &account);
    for (size_t i = 0; i < AT_LENGTH(texts); i++) happen(&world, &base, NOW_MS, texts[i]);
    for (size_t i = 0; i < 2 * AT_LENGTH(texts); i++) {
        bool is_private = i % 2;
        struct stored stored;
        assert_int_equal(parse_at(&world, texts[i / 2], NOW_MS + AT_DAY_MS), AT_OK);
        keep_event(&world, true, &stored);
        struct at_logged_event logged = logged_of(&world, &stored);
        for (SWEEP(n)) {
            struct at_profile *mine =
                is_private ? recode(&world, at_profile_ref(base)) : at_profile_ref(base);
            mine->account = is_private ? NULL : mine->account;
            char *before = text_of_profile(&world, base);
            size_t used = at_account_used(&account);
            arm(n);
            struct at_profile *next = at_profile_apply(mine, &logged, is_private);
            disarm();
            assert_int_equal(next != NULL, is_through);
            char *after = text_of_profile(&world, base);
            assert_string_equal(before, after);
            if (next) at_profile_unref(next);
            if (!is_private) at_profile_unref(mine);
            assert_int_equal(at_account_used(&account), used);
            free(before);
            free(after);
        }
        stored_free(&stored);
    }
    struct at_identifier identifier = {AT_TEXT("email"), AT_TEXT("a@b.c")};
    for (SWEEP(n)) {
        arm(n);
        struct at_profile *next = at_profile_with_identifier(base, &identifier, NOW_MS, false);
        disarm();
        assert_int_equal(next != NULL, is_through);
        if (next) at_profile_unref(next);
    }
    for (SWEEP(n)) {
        arm(n);
        struct at_profile *fresh = at_profile_new(2, &account);
        disarm();
        assert_int_equal(fresh != NULL, is_through);
        if (fresh) at_profile_unref(fresh);
    }
    at_profile_unref(base);
    assert_int_equal(at_account_used(&account), 0);
}

/* Long enough to be packed on the way. */
static void a_run_is_whole_or_not_there(void **state) {
    (void)state;
    struct stored stored;
    assert_int_equal(parse_at(&world, order, NOW_MS), AT_OK);
    keep_event(&world, true, &stored);
    struct at_logged_event logged = logged_of(&world, &stored);
    struct at_profile *base = at_profile_new(1, &account);
    struct at_identifier identifier = {AT_TEXT("email"), AT_TEXT("a@b.c")};
    for (SWEEP(n)) {
        logged.seq = 0;
        arm(n);
        struct at_profile_run *run = at_profile_run_begin(base);
        bool is_whole = run && at_profile_run_identifier(run, &identifier, NOW_MS);
        while (is_whole && ++logged.seq < 1000) is_whole = at_profile_run_apply(run, &logged);
        struct at_profile *next = run ? at_profile_run_end(run) : NULL;
        disarm();
        assert_int_equal(next != NULL, is_through);
        assert_true(is_whole || !next);
        if (next) at_profile_unref(next);
        assert_int_equal(at_account_used(&account), base->bytes);
    }
    stored_free(&stored);
    at_profile_unref(base);
}

static void reading_says_so(void **state) {
    (void)state;
    struct at_profile *p = at_profile_new(1, NULL), *back;
    for (size_t i = 0; i < AT_LENGTH(texts); i++) happen(&world, &p, NOW_MS, texts[i]);
    char *text = text_of_profile(&world, p);
    struct at_json json = json_of(world.profile_parser, text);
    for (SWEEP(n)) {
        arm(n);
        enum at_status status = at_profile_read(json, &account, &back, &world.err);
        disarm();
        assert_int_equal(status, is_through ? AT_OK : AT_NOMEM);
        assert_int_equal(back != NULL, is_through);
        if (back) {
            assert_null(difference(p, back));
            at_profile_unref(back);
        }
        assert_int_equal(at_account_used(&account), 0);
    }
    free(text);
    at_profile_unref(p);
}

/* Each thread has its scratch for the profile it is changing, made when first needed. */
static void *first_step_of_a_thread(void *arg) {
    struct stored *stored = arg;
    struct at_logged_event logged = logged_of(&world, stored);
    struct at_profile *base = at_profile_new(1, NULL);
    allocations_left = 0;
    struct at_profile *next = at_profile_apply(base, &logged, false);
    bool is_refused = next == NULL;
    allocations_left = -1;
    next = at_profile_apply(base, &logged, false);
    at_profile_unref(base);
    if (!is_refused || !next) return NULL;
    at_profile_unref(next);
    return stored;
}

static void a_new_thread_says_so(void **state) {
    (void)state;
    struct stored stored;
    void *result = NULL;
    pthread_t thread;
    assert_int_equal(parse_at(&world, order, NOW_MS), AT_OK);
    keep_event(&world, true, &stored);
    assert_int_equal(pthread_create(&thread, NULL, first_step_of_a_thread, &stored), 0);
    pthread_join(thread, &result);
    assert_ptr_equal(result, &stored);
    stored_free(&stored);
}

static char *text_of_crowd(const struct at_crowd *crowd) {
    at_bytes_reset(&world.bytes);
    at_crowd_write(crowd, &world.bytes);
    return written(&world);
}

static void the_crowd_learns_all_of_an_event_or_nothing(void **state) {
    (void)state;
    char facts[20000];
    size_t length = (size_t)snprintf(facts, sizeof facts,
                                     "{\"items\":[{\"product\":\"old\",\"facets\":{\"brand\":\"b0\"}}");
    for (int i = 0; i < 300; i++) /* enough to grow both the list and the index */
        length += (size_t)snprintf(facts + length, sizeof facts - length,
                                   ",{\"product\":\"P%d\",\"facets\":{\"brand\":\"b%d\"}}", i, i);
    snprintf(facts + length, sizeof facts - length, "]}");
    struct at_logged_event first = {
        .at_ms = NOW_MS,
        .name = AT_TEXT("product_added"),
        .facts =
            json_of(world.body_parser,
                    "{\"items\":[{\"product\":\"a\",\"facets\":{\"brand\":\"b1\",\"c\":[\"x\",\"y\"]}}]}")};
    struct at_logged_event logged = {
        .at_ms = NOW_MS, .name = AT_TEXT("product_viewed"), .facts = json_of(world.facts_parser, facts)};
    for (SWEEP(n)) {
        struct at_crowd *crowd = at_crowd_new();
        assert_int_equal(at_crowd_learn(crowd, &first), AT_OK);
        char *before = text_of_crowd(crowd);
        arm(n);
        enum at_status status = at_crowd_learn(crowd, &logged);
        disarm();
        assert_int_equal(status, is_through ? AT_OK : AT_NOMEM);
        char *after = text_of_crowd(crowd);
        assert_int_equal(strcmp(before, after) == 0, !is_through);
        if (!is_through) assert_int_equal(at_crowd_learn(crowd, &logged), AT_OK);
        struct at_baseline *baseline = at_crowd_baseline(crowd);
        assert_true(at_baseline_share(baseline, AT_TEXT("brand"), AT_TEXT("b1")) == 5.0 / 305);
        at_baseline_unref(baseline);
        free(before);
        free(after);
        at_crowd_free(crowd);
        if (n > 40) n += 6; /* 600 copies of texts: all alike */
    }
}

static void a_baseline_and_tastes_say_so(void **state) {
    (void)state;
    struct at_profile *p = at_profile_new(1, NULL);
    for (size_t i = 0; i < AT_LENGTH(texts); i++) happen(&world, &p, NOW_MS, texts[i]);
    struct at_crowd *crowd = NULL;
    for (SWEEP(n)) {
        arm(n);
        crowd = at_crowd_new();
        disarm();
        assert_int_equal(crowd != NULL, is_through);
    }
    struct at_json json = json_of(
        world.body_parser, "{\"as_of\":1,\"weights\":[[\"brand\",\"Acme\",2],[\"colour\",\"red\",1]]}");
    for (SWEEP(n)) {
        arm(n);
        enum at_status status = at_crowd_read(crowd, json);
        disarm();
        assert_int_equal(status, is_through ? AT_OK : AT_NOMEM);
    }
    for (SWEEP(n)) {
        arm(n);
        struct at_baseline *baseline = at_crowd_baseline(crowd);
        disarm();
        assert_int_equal(baseline != NULL, is_through);
        at_baseline_unref(baseline);
    }
    for (SWEEP(n)) {
        struct at_arena arena;
        struct at_tastes tastes;
        at_arena_init(&arena, 1 << 20);
        arm(n);
        enum at_status status = at_tastes_compute(p, NULL, NOW_MS, &arena, &tastes);
        disarm();
        assert_int_equal(status, is_through ? AT_OK : AT_NOMEM);
        at_arena_clear(&arena);
    }
    at_crowd_free(crowd);
    at_profile_unref(p);
}

static void a_notice_is_whole_or_not_there(void **state) {
    (void)state;
    struct at_json traits = at_json_get(json_of(world.body_parser, identify), "traits");
    for (SWEEP(n)) {
        struct at_arena arena;
        const char *notice;
        at_arena_init(&arena, 1 << 20);
        arm(n);
        enum at_status status = at_stated_notice(&arena, traits, NULL, &notice);
        disarm();
        assert_int_equal(status, is_through ? AT_OK : AT_NOMEM);
        assert_int_equal(notice != NULL, is_through);
        at_arena_clear(&arena);
    }
}

/* A crowd at its ceiling that cannot halve itself stays as it was. */
static void a_crowd_that_cannot_be_pruned_is_kept(void **state) {
    (void)state;
    struct at_crowd *crowd = at_crowd_new();
    char text[200];
    struct at_logged_event logged = {.name = AT_TEXT("product_viewed")};
    for (int i = 0; i < 100000; i++) {
        snprintf(text, sizeof text, "{\"items\":[{\"product\":\"A\",\"facets\":{\"brand\":\"b%d\"}}]}", i);
        logged.at_ms = NOW_MS + i;
        logged.facts = json_of(world.facts_parser, text);
        assert_int_equal(at_crowd_learn(crowd, &logged), AT_OK);
    }
    struct at_baseline *before = at_crowd_baseline(crowd);
    for (int n = 1; n < 200000; n = n * 3 + 1) {
        arm(n);
        enum at_status status = at_crowd_learn(crowd, &logged);
        disarm();
        if (is_through) break;
        assert_int_equal(status, AT_NOMEM);
        struct at_baseline *after = at_crowd_baseline(crowd);
        for (int i = 0; i < 100000; i += 997) {
            struct at_text value = {text, (size_t)snprintf(text, sizeof text, "b%d", i)};
            double x = at_baseline_share(before, AT_TEXT("brand"), value),
                   y = at_baseline_share(after, AT_TEXT("brand"), value);
            assert_true(x > 0 && y > x * (1 - 1e-9) && y < x * (1 + 1e-9));
        }
        at_baseline_unref(after);
    }
    at_baseline_unref(before);
    assert_int_equal(at_crowd_learn(crowd, &logged), AT_OK);
    at_crowd_free(crowd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_whole_or_not_there),
        cmocka_unit_test(a_run_is_whole_or_not_there),
        cmocka_unit_test(a_new_thread_says_so),
        cmocka_unit_test(parsing_says_so),
        cmocka_unit_test(a_full_arena_says_so),
        cmocka_unit_test(writing_says_so),
        cmocka_unit_test(reading_says_so),
        cmocka_unit_test(the_crowd_learns_all_of_an_event_or_nothing),
        cmocka_unit_test(a_baseline_and_tastes_say_so),
        cmocka_unit_test(a_notice_is_whole_or_not_there),
        cmocka_unit_test(a_crowd_that_cannot_be_pruned_is_kept),
    };
    return cmocka_run_group_tests_name("profile allocation failures", tests, begin, end);
}
