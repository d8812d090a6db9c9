/* SPDX-License-Identifier: Apache-2.0
 *
 * Out of memory at every single allocation of building scripts, loading them, judging and explaining: a
 * status with a message, nothing leaked or half there, and the same call succeeds afterwards. The n-th
 * allocation fails, alone or with all behind it.
 */
#include "base_fail_malloc.h"
#include "language_world.h"
#include "language/test.h"

#include <math.h>

static void arm(long n) {
    has_failed = false;
    fails_once = n % 2 == 0;
    allocations_left = n / 2;
}
static bool disarm(void) {
    allocations_left = -1;
    return has_failed;
}

/* A script that asks in vain fails like any other, and its failure says why. */
static bool says_so(enum at_status status, const char *message) {
    return status == AT_OK || status == AT_NOMEM || strstr(message, "memory");
}

static struct shop_world world;

/* On columns, product by product, everything over all candidates, a rail, tests, a condition. */
static const char SCRIPTS[] =
    "local near = { c1 = 2 }\n"
    "ranking \"columns\" {\n"
    "  score = function(product, customer, page)\n"
    "    local fit = 0.6 * product.affinity + customer.affinity.brand[product.brand]\n"
    "    return fit + normalize(log(product.price)) - 0.2 * product.seen + when(product.vegan, 1, 2)\n"
    "  end,\n"
    "  first = function(product) return product.tags:contains \"t1\" end,\n"
    "}\n"
    "ranking \"rows\" {\n"
    "  score = function(product)\n"
    "    local words = {}\n"
    "    for word in tostring(product.title):gmatch(\"%a+\") do words[#words + 1] = word:upper() end\n"
    "    return #table.concat(words, ' ') + (near[product.category] or 0)\n"
    "  end,\n"
    "}\n"
    "rail \"in stock\" { only = function(product) return product.stock:above(0) end }\n";

static const struct at_source_file file = {AT_TEXT("scripts/a.lua"), {SCRIPTS, sizeof SCRIPTS - 1}};

/* With one of every slip that is told before anything runs. */
static const char SLIPS[] =
    "local function often(c) return c.orders.cuont > 3 end\n"
    "ranking \"r\" {\n"
    "  score = function(product, customer, page)\n"
    "    local s = customer:count(\"order_complted\", { witin = \"7d\", within = 7 }) + customer:country()\n"
    "    return often(customer) + product.prise + page.product.brnd:abov(3) + customer.did(\"x\") + "
    "random()\n"
    "  end,\n"
    "  diversify = { by = \"brnd\", atmost = 2 },\n"
    "}\n";

static const struct at_source_file slips = {AT_TEXT("scripts/b.lua"), {SLIPS, sizeof SLIPS - 1}};

static enum at_status build_file(const struct at_source_file *one, struct at_error *err) {
    at_arena_clear(&world.findings);
    at_arena_init(&world.findings, 1 << 26);
    world.build = (struct at_build){.files = one,
                                    .file_count = 1,
                                    .settings = world.settings,
                                    .root = world.root,
                                    .arena = &world.findings};
    return at_generation_build(&world.build, &world.generation, err);
}
static enum at_status build(struct at_error *err) {
    return build_file(&file, err);
}

static void count_told(uint32_t *count, uint32_t *cures) {
    *count = *cures = 0;
    for (const struct at_file_finding *told = world.build.findings; told; told = told->next) {
        ++*count;
        *cures += told->finding.fix != NULL;
    }
}

/* All findings with all cures, or that memory is short. */
static void checking_says_so(void **state) {
    (void)state;
    long n = 0;
    struct at_error err = {0};
    uint32_t all, all_cures, count, cures;
    assert_int_equal(build_file(&slips, &err), AT_UNPROCESSABLE);
    count_told(&all, &all_cures);
    assert_true(all > 9 && all_cures > 7);
    for (bool has_more = true; has_more; n++) {
        err = (struct at_error){0};
        arm(n);
        enum at_status status = build_file(&slips, &err);
        has_more = disarm();
        count_told(&count, &cures);
        assert_true(!world.generation && err.message[0]);
        if (status != AT_NOMEM && (status != AT_UNPROCESSABLE || count != all || cures != all_cures))
            fail_msg("allocation %ld: %d, %s, %u findings, %u cures", n, status, err.message, count, cures);
    }
    print_message("property: checking, %ld allocations failed\n", n);
    assert_true(n > 5);
}

static void building_says_so(void **state) {
    (void)state;
    long n = 0;
    for (bool has_more = true; has_more; n++) {
        struct at_error err = {0};
        arm(n);
        enum at_status status = build(&err);
        has_more = disarm();
        if (!says_so(status, status == AT_UNPROCESSABLE ? first_finding(&world) : err.message))
            fail_msg("allocation %ld: %d, %s, %s", n, status, err.message, first_finding(&world));
        assert_true(status == AT_OK || (err.message[0] && !world.generation));
        at_generation_free(world.generation);
        world.generation = NULL;
    }
    print_message("property: building, %ld allocations failed\n", n);
    assert_true(n > 100);
}

static void loading_says_so(void **state) {
    (void)state;
    struct at_error err = {0};
    long n = 0;
    assert_int_equal(build(&err), AT_OK);
    for (bool has_more = true; has_more; n++) {
        arm(n);
        enum at_status status =
            at_language_new(&world.language, world.generation, world.settings, NULL, NULL, &err);
        has_more = disarm();
        if (!says_so(status, err.message)) fail_msg("allocation %ld: %d, %s", n, status, err.message);
        at_language_free(world.language);
        world.language = NULL;
    }
    print_message("property: loading, %ld allocations failed\n", n);
    assert_true(n > 100);
    shop_world_unload(&world);
}

struct outcome {
    double out[512];
    struct at_rule_use use;
    struct at_explained_term *terms;
    uint32_t term_count;
};

static enum at_status judge(const struct at_ranking *ranking, bool is_first, struct outcome *outcome,
                            struct at_error *err) {
    struct at_candidates candidates = {world.root, world.rows, world.row_count, &world.request};
    at_arena_clear(&world.request);
    at_arena_init(&world.request, 1 << 28);
    begin_decision(&world, world.somebody);
    world.view.explains = true;
    outcome->use = (struct at_rule_use){.language = world.language,
                                        .view = &world.view,
                                        .report = is_first ? &ranking->first_report : &ranking->score_report,
                                        .function = is_first ? ranking->first : ranking->score,
                                        .is_condition = is_first,
                                        .path = "scripts/a.lua",
                                        .name = "r",
                                        .line = 1};
    memset(outcome->use.reads, 0xff, sizeof outcome->use.reads);
    enum at_status status = at_rule_judge(&outcome->use, &candidates, outcome->out, err);
    if (status == AT_OK && !is_first)
        status = at_rule_terms(&outcome->use, 1, outcome->out[1], &outcome->terms, &outcome->term_count);
    at_decision_end(world.language, &world.view);
    return status;
}

static void load_anew(void) {
    struct at_error err;
    at_language_free(world.language);
    assert_int_equal(at_language_new(&world.language, world.generation, world.settings, NULL, NULL, &err),
                     AT_OK);
}

/* A fresh state each time: nothing is warm; where it was spent, as the shop would make another. */
static long sweep(const struct at_ranking *ranking, bool is_first) {
    static struct outcome wanted, got;
    struct at_error err = {0};
    long n = 0, refused = 0;
    load_anew();
    assert_int_equal(judge(ranking, is_first, &wanted, &err), AT_OK);
    for (bool has_more = true; has_more; n++) {
        load_anew();
        err = (struct at_error){0};
        arm(n);
        enum at_status status = judge(ranking, is_first, &got, &err);
        has_more = disarm();
        refused += status != AT_OK;
        if (!says_so(status, err.message)) fail_msg("allocation %ld: %d, %s", n, status, err.message);
        if (at_language_is_spent(world.language)) load_anew();
        if (status == AT_OK) assert_memory_equal(got.out, wanted.out, world.row_count * sizeof *got.out);
        assert_int_equal(judge(ranking, is_first, &got, &err), AT_OK);
        assert_memory_equal(got.out, wanted.out, world.row_count * sizeof *got.out);
    }
    assert_true(refused > 0);
    return n;
}

static void judging_says_so(void **state) {
    (void)state;
    struct at_error err = {0};
    long n = 0;
    assert_int_equal(build(&err), AT_OK);
    assert_int_equal(world.generation->ranking_count, 2);
    for (uint32_t i = 0; i < 2; i++) n += sweep(&world.generation->rankings[i], false);
    for (uint32_t i = 0; i < 2; i++)
        if (world.generation->rankings[i].first > 0) n += sweep(&world.generation->rankings[i], true);
    print_message("property: judging, %ld allocations failed\n", n);
    shop_world_unload(&world);
}

/* A world with all that given can say, people who become one, a list and its cost; of a red test its words.
 */
static const char TESTS[] =
    "ranking \"r\" { score = function(product) return product.affinity + product.price end }\n"
    "rail \"x\" { hide = function(product) return product.stock:is(0) and product.price:above(3) end }\n"
    "test \"green\" {\n"
    "  given = { products = { { id = \"a\", price = 1, stock = 1, brand = \"b1\", age = \"2d\" }, { id = "
    "\"b\" } },\n"
    "    customer = { orders = { count = 2 }, affinity = { brand = { b1 = 0.5 } }, traits = { tier = \"x\" "
    "},\n"
    "    session = { source = \"s\" }, consent = { sms_marketing = false } } },\n"
    "  run = function(world)\n"
    "    world:event(\"product_viewed\", { product_id = \"a\", anonymous_id = \"b1\" })\n"
    "    world:event(\"product_viewed\", { anonymous_id = \"b1\", user_id = \"customer\" })\n"
    "    world:wait \"1h\"\n"
    "    expect(world:rank(\"r\", { where = { price = { at_most = 5 } } })):is { \"a\" }\n"
    "    expect(world:cost \"r\"):above(3)\n"
    "  end,\n"
    "}\n"
    "test \"red\" { run = function(world) expect({ 1, 2 }):is { \"x\" } end }\n";

static void must_say(const struct at_test_report *report, enum at_status status, const struct at_error *err,
                     long n) {
    if (status != AT_OK) {
        if (!says_so(status, err->message)) fail_msg("allocation %ld: %d, %s", n, status, err->message);
        return;
    }
    assert_int_equal(report->count, 2);
    const struct at_test_result *green = &report->results[0], *red = &report->results[1];
    if (green->outcome != AT_TEST_PASSED && !strstr(green->finding.message, "memory"))
        fail_msg("allocation %ld: %s", n, green->finding.message);
    assert_int_equal(red->outcome, AT_TEST_FAILED);
    if (!strstr(red->finding.message, "memory") && !strstr(red->finding.message, "got { 1, 2 }"))
        fail_msg("allocation %ld: %s", n, red->finding.message);
}

static void testing_says_so(void **state) {
    (void)state;
    struct at_test_report report;
    struct at_arena arena;
    long n = 0;
    must_load(&world, TESTS);
    for (int covers = 0; covers < 2; covers++) {
        long at = 0;
        for (bool has_more = true; has_more; n++, at += covers ? 11 : 3) {
            struct at_error err = {0};
            at_arena_init(&arena, (size_t)64 << 20);
            struct at_test_options options = {.generation = world.generation,
                                              .settings = world.settings,
                                              .root = world.root,
                                              .covers = covers,
                                              .arena = &arena};
            arm(at); /* a share of them: the seconds of a full run are few */
            enum at_status status = at_tests_run(&options, &report, &err);
            has_more = disarm();
            must_say(&report, status, &err, n);
            at_arena_clear(&arena);
        }
    }
    print_message("property: testing, %ld allocations failed\n", n);
    assert_true(n > 300);
    shop_world_unload(&world);
}

static int begin(void **state) {
    (void)state;
    shop_world_init(&world, 300);
    return 0;
}
static int end(void **state) {
    (void)state;
    shop_world_clear(&world);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checking_says_so), cmocka_unit_test(building_says_so),
        cmocka_unit_test(loading_says_so),  cmocka_unit_test(judging_says_so),
        cmocka_unit_test(testing_says_so),
    };
    return cmocka_run_group_tests_name("language allocations", tests, begin, end);
}
