/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules written by hand, run both ways: what words mean, what is missing is harmless, which way a rule goes,
 * what is kept for the next decision; what goes wrong is said with file and line.
 */
#include "language/state.h"
#include "language_judge.h"
#include "script/internal.h"

/* ---- meaning ---- */

/* Product 0 has no price, brand, category, rating, tags, vegan, released; 7 no price; 1 has all. */
static void what_is_missing_is_harmless(void **state) {
    (void)state;
    assert_true(SCORE("return 1 + product.price", 0) == 1);
    assert_true(SCORE("return 1 - product.price", 0) == 1);
    assert_true(SCORE("return product.price - 1", 0) == -1);
    assert_true(at_is_missing(SCORE("return 2 * product.price", 0)));
    assert_true(at_is_missing(SCORE("return product.price / 2", 0)));
    assert_true(at_is_missing(SCORE("return product.price ^ 2", 0)));
    assert_true(at_is_missing(SCORE("return -product.price", 0)));
    assert_true(at_is_missing(SCORE("return product.price", 0)));
    assert_true(at_is_missing(SCORE("return nil", 0)));
    assert_true(SCORE("return product.price:or_else(3.5)", 0) == 3.5);
    assert_true(SCORE("return (product.price or 3.5)", 0) == 3.5);
    assert_true(SCORE("return when(product.price:above(-1), 1, 2)", 0) == 2);
    assert_true(SCORE("return when(product.price:below(1e9), 1, 2)", 0) == 2);
    assert_true(SCORE("return when(product.price:is_not(5), 1, 2)", 0) == 1);
    assert_true(SCORE("return when(product.brand:is 'b1', 1, 2)", 0) == 2);
    assert_true(SCORE("return when(product.brand:is_not 'b1', 1, 2)", 0) == 1);
    assert_true(SCORE("return when(product.tags:contains 't1', 1, 2)", 0) == 2);
    assert_true(SCORE("if product.price < 100 then return 1 else return 2 end", 0) == 2);
    assert_true(SCORE("if product.price ~= 100 then return 1 else return 2 end", 0) == 1);
    assert_true(SCORE("return min(product.price, 4)", 0) == 4);
    assert_true(at_is_missing(SCORE("return clamp(product.price, 1, 2)", 0)));
    assert_true(SCORE("return when(product.vegan, 1, 2)", 0) == 2);
    assert_true(SCORE("return customer.traits.nothing + product.stock", 1) == 1);
    assert_true(at_is_missing(SCORE("return customer.traits.nothing * product.stock", 1)));
    assert_true(SCORE("return product.margin + product.discount + product.taste", 0) == 0);
}

static void words_mean_what_they_say(void **state) {
    (void)state;
    assert_true(SCORE("return when(product.brand:one_of{'b1', 'b2'}, 1, 2)", 1) == 1);
    assert_true(SCORE("return when(product.brand:one_of('b3', 'b2'), 1, 2)", 1) == 2);
    assert_true(SCORE("return when(product.tags:contains 't1', 1)", 1) == 1);
    assert_true(SCORE("return when(product.tags:contains 't0', 1)", 1) == 0);
    assert_true(SCORE("return when(product.title:contains 'hing 1', 1)", 1) == 1);
    assert_true(SCORE("return when(product.vegan:is(true), 1, 2)", 1) == 1);
    assert_true(SCORE("return when(product.price:between(10, 11), 1, 2)", 1) == 1);
    assert_true(SCORE("return when(all(product.stock:above(0), product.vegan), 1, 2)", 1) == 1);
    assert_true(SCORE("return when(any(product.stock:above(9), no(product.vegan)), 1, 2)", 1) == 2);
    assert_true(SCORE("return when(product.released:above(0), 1, 2)", 1) == 1);
    assert_true(SCORE("return when(product.age:below '60d', 1, 2)", 1) == 1);
    assert_true(SCORE("return when(product.age:below(days(1)), 1, 2)", 1) == 2);
    assert_true(SCORE("return clamp(product.price, 0, 5) + max(1, product.stock) + sqrt(16) + log(1)", 1) ==
                10);
    assert_true(SCORE("return rank_of(product.balance)", 8) == 1);
    assert_true(SCORE("return normalize(product.balance)", 8) == 1);
    assert_true(SCORE("return normalize(product.balance)", 0) == 0);
    assert_true(SCORE("return normalize(5) + rank_of(5)", 0) == 1);
    assert_true(SCORE("return product.bought", 1) == 1);
    assert_true(SCORE("return product.bought", 2) == 0);
    assert_true(SCORE("return product.affinity", 1) > 0);
    assert_true(score_of("return product.affinity", 1, world.nobody) == 0);
    assert_true(SCORE("return customer.affinity.brand[product.brand]", 1) > 0);
    assert_true(SCORE("return customer.affinity.brand[product.brand]", 0) == 0);
    assert_true(SCORE("return customer.orders.count + customer.basket.count + customer.traits.points", 0) ==
                14);
    assert_true(SCORE("return when(page.product.brand:is(product.brand), 1, 2)", 8) == 1);
    assert_true(SCORE("return when(product.id == 'P005', 1, 2)", 5) == 1);
    assert_true(SCORE("local n = 0 for _, t in ipairs(product.tags) do n = n + 1 end return n", 1) == 1);
    assert_true(SCORE("local s = 0 for i = 1, 3 do s = s + i * product.stock end return s", 1) == 6);
}

static void a_rule_that_catches_errors_goes_product_by_product(void **state) {
    (void)state;
    assert_true(
        SCORE("local ok, r = pcall(function() return product.price > 1 end) return when(ok and r, 1, 2)",
              1) == 1);
    assert_true(
        SCORE("local function dear() return product.price > 1 end if dear() then return 1 end return 2", 1) ==
        1);
    assert_true(
        SCORE("local function dear(p) if p > 1 then return 1 end return 2 end return dear(product.price)",
              1) == 1);
    assert_true(SCORE("local t = {b1 = 3} return t[product.brand]", 1) == 3);
    assert_true(SCORE("local t = {p = product.price} if t.p > 1 then return 1 end return 2", 1) == 1);
    assert_true(SCORE("return #product.title", 1) == 7);
    assert_true(SCORE("return product.stock % 2 + product.stock // 1", 1) == 2);
    assert_true(SCORE("if product.title:upper() == 'THING 1' then return 1 end return 2", 1) == 1);
    assert_true(SCORE("return product.vegan and 1 or 2", 1) == 1);
    assert_true(SCORE("return not product.brand and 1 or 2", 0) == 1);
}

static void the_way_a_product_comes_in_does_not_matter(void **state) {
    (void)state;
    uint32_t columns = 0;
    must_load(&world, "ranking \"r\" { score = function(...) local p = ... if p.price > 11 then return 1 end "
                      "return 2 end }");
    const struct at_ranking *ranking = &world.generation->rankings[0];
    assert_false(ranking->score_report.is_columnar);
    assert_both_ways(&ranking->score_report, ranking->score, false, "varargs", &columns);
    must_load(&world, "ranking \"r\" { score = function() return 7 end }");
    ranking = &world.generation->rankings[0];
    assert_both_ways(&ranking->score_report, ranking->score, false, "no parameter", &columns);
    assert_int_equal(columns, 3); /* once a person */
}

/* Lua says only the lines a function stands on: what could be either is run product by product. */
static void rules_on_one_line_are_told_apart(void **state) {
    (void)state;
    static const char same[] = "ranking \"r\" { score = function(product) return 1 end, first = "
                               "function(product) return product.stock == 3 end }";
    static const char helper[] = "local function id(product) return product.stock end ranking \"r\" { score "
                                 "= id, first = function(product) return id(product) == 3 end }";
    static const char apart[] = "local function id(x) return x end ranking \"r\" { score = function() return "
                                "1 end, first = function(product) return id(product.stock) == 3 end }";
    const char *const files[] = {same, helper, apart};
    static struct outcome outcome;
    uint32_t columns = 0;
    for (size_t i = 0; i < AT_LENGTH(files); i++) {
        must_load(&world, files[i]);
        const struct at_ranking *ranking = &world.generation->rankings[0];
        assert_both_ways(&ranking->first_report, ranking->first, true, files[i], &columns);
        begin_decision(&world, world.nobody);
        judge(&ranking->first_report, ranking->first, true, false, &outcome);
        assert_true(outcome.status == AT_OK && outcome.out[3] == 1 && outcome.out[4] == 0);
        at_decision_end(world.language, &world.view);
    }
    assert_int_equal(columns, 3); /* the last is compiled */
    const struct at_source_file both[] = {
        {AT_TEXT("scripts/a.lua"),
         AT_TEXT("local one = require('lib.one')\nlocal other = function(product) return 1 end\n"
                 "ranking \"r\" { score = other, first = one.is_three }")},
        {AT_TEXT("scripts/lib/one.lua"),
         AT_TEXT("return {\nis_three = function(product) return product.stock == 3 end }")}};
    assert_int_equal(shop_world_load_files(&world, both, 2), AT_OK);
    const struct at_ranking *ranking = &world.generation->rankings[0];
    assert_both_ways(&ranking->first_report, ranking->first, true, "a module's function", &columns);
    assert_int_equal(columns, 6); /* compiled, too */
}

static void every_name_that_the_check_knows_is_there(void **state) {
    (void)state;
    for (const struct at_word *word = global_words(); word->name; word++) {
        char text[200];
        bool is_here = word->since && word->kind != AT_WORD_SETTING;
        snprintf(text, sizeof text, "local it = %s if it == nil then error('none') end", word->name);
        assert_int_equal(shop_world_load(&world, text), is_here ? AT_OK : AT_UNPROCESSABLE);
    }
}

/* ---- what goes wrong ---- */

/* The graph of a rule is kept for the next decision, but not of one that could give another. */
static void what_may_change_is_run_again(void **state) {
    static struct outcome one, two;
    (void)state;
    must_load(&world, "local seen = {}\nranking \"r\" { score = function(product)\n"
                      "table.insert(seen, 1)\nreturn product.price * #seen\nend }");
    const struct at_ranking *ranking = &world.generation->rankings[0];
    assert_true(ranking->score_report.is_columnar);
    begin_decision(&world, world.somebody);
    judge(&ranking->score_report, ranking->score, false, false, &one);
    judge(&ranking->score_report, ranking->score, false, false, &two);
    assert_true(one.use.ran_on_columns && two.use.ran_on_columns);
    assert_true(two.out[1] == 2 * one.out[1] && one.out[1] > 0);
    at_decision_end(world.language, &world.view);
    must_load(&world, "local weight = 3\nranking \"r\" { score = function(product, customer)\n"
                      "return product.price * weight + customer.orders.count\nend }");
    ranking = &world.generation->rankings[0];
    begin_decision(&world, world.nobody);
    judge(&ranking->score_report, ranking->score, false, false, &one);
    at_decision_end(world.language, &world.view);
    begin_decision(&world, world.somebody);
    judge(&ranking->score_report, ranking->score, false, false, &two);
    assert_true(two.out[1] == one.out[1] + (double)world.somebody->orders.count);
    assert_true(world.somebody->orders.count > 0);
    at_decision_end(world.language, &world.view);
}

static void errors_name_file_and_line(void **state) {
    (void)state;
    assert_non_null(strstr(rule_failure("local x = 1\nreturn product.price + {}"), "scripts/a.lua:3"));
    assert_non_null(strstr(rule_failure("return 'text'"), "scripts/a.lua:1"));
    assert_non_null(strstr(rule_failure("return 'text'"), "a score must be a number"));
    assert_non_null(strstr(rule_failure("\nerror 'no luck'"), "scripts/a.lua:3: no luck"));
    assert_non_null(strstr(rule_failure("local b b = product.brand return b * 2"), "scripts/a.lua:2"));
    assert_non_null(strstr(rule_failure("return product.price:above(product)"), "scripts/a.lua:2"));
    assert_non_null(strstr(rule_failure("local p p = product.price return p:below '7x'"), "scripts/a.lua:2"));
}

static void a_rule_over_its_budget_is_stopped_and_named(void **state) {
    (void)state;
    uint64_t begin = at_ticks_ns();
    const char *message = rule_failure("local n = 0\nwhile true do n = n + 1 end");
    uint64_t took = at_ticks_ns() - begin;
    assert_non_null(strstr(message, "scripts/a.lua:3"));
    assert_non_null(strstr(message, "took longer"));
    assert_true(at_language_is_spent(world.language));
    assert_true(took <
                4000 * UINT64_C(1000000)); /* sanitizers are slow; the bound itself is script/'s test */
    static struct outcome again;
    const struct at_ranking *ranking = &world.generation->rankings[0];
    begin_decision(&world, world.somebody);
    judge(&ranking->score_report, ranking->score, false, false, &again);
    assert_int_equal(again.status, AT_STOPPED);
}

/* A condition is protected for each product; memory that has run out ends the rule all the same. */
static void a_condition_out_of_memory_says_so(void **state) {
    (void)state;
    static struct outcome outcome;
    const char *text = "rail \"r\" { hide = function(product)\n"
                       "local words = {} for i = 1, 3 do words[i] = product.title .. i end\n"
                       "return #words > 3 end }";
    uint64_t n = 0;
    do {
        must_load(&world, text);
        const struct at_rail_declaration *rail = &world.generation->rails[0];
        struct at_script_memory *memory = &world.language->script->memory;
        memory->fail_at = memory->growth_count + ++n;
        memory->is_failing_forever = true; /* Lua asks twice */
        begin_decision(&world, world.nobody);
        judge(&rail->report, rail->condition, true, false, &outcome);
        if (outcome.status != AT_OK && strcmp(outcome.err.code, "memory") != 0)
            fail_msg("request %d: %d %s: %s", (int)n, outcome.status, outcome.err.code, outcome.err.message);
        assert_int_equal(at_language_is_spent(world.language), outcome.status != AT_OK);
        at_decision_end(world.language, &world.view);
    } while (outcome.status != AT_OK && n < 60);
    assert_int_equal(n, 60); /* three texts and a table for each of 300 products */
}

static void a_condition_that_fails_for_one_product_fails_for_that_one(void **state) {
    (void)state;
    static struct outcome outcome;
    must_load(&world, "rail \"r\" { hide = function(product) if product.stock == 3 then error('x') end "
                      "return product.stock == 4 end }");
    const struct at_rail_declaration *rail = &world.generation->rails[0];
    begin_decision(&world, world.nobody);
    judge(&rail->report, rail->condition, true, false, &outcome);
    assert_int_equal(outcome.status, AT_OK);
    assert_true(outcome.out[4] == 1 && outcome.out[5] == 0);
    assert_true(outcome.out[3] != outcome.out[3] && !at_is_missing(outcome.out[3]));
    assert_non_null(strstr(outcome.err.message, "scripts/a.lua:1"));
}

/* ---- what the person said of their taste: likes brand b3 and tag t1, dislikes category c2 and tag t3 ----
 */

static void stated_traits_read_as_lists(void **state) {
    (void)state;
    assert_true(SCORE("return when(customer.traits.likes.brand[1] == 'b3', #customer.traits.likes.brand, 0)",
                      1) == 1);
    assert_true(SCORE("return when(customer.traits.likes.brand:contains 'b3', 1, 2)", 1) == 1);
    assert_true(SCORE("return when(customer.traits.likes.brand:contains 'b', 1, 2)", 1) == 2);
    assert_true(SCORE("return when(customer.traits.likes.nothing:contains 'b3', 1, 2)", 1) == 2);
    assert_true(
        SCORE("local n = 0 for _, tag in ipairs(customer.traits.dislikes.tags) do n = n + #tag end return n",
              1) == 2);
    assert_true(
        SCORE("local n = 0 for facet, list in pairs(customer.traits.likes) do n = n + #list end return n",
              1) == 2);
    for (uint32_t row = 0; row < 12; row++) { /* product i has brand i % 5, none where i % 6 is 0 */
        bool is_liked = row % 6 && row % 5 == 3;
        assert_true(SCORE("return when(product.brand:one_of(customer.traits.likes.brand), 1, 2)", row) ==
                    (is_liked ? 1 : 2));
        assert_true(SCORE("return when(product.brand:one_of(customer.traits.likes.nothing), 1, 2)", row) ==
                    2);
    }
    assert_true(score_of("return when(customer.traits.likes.brand:contains 'b3', 1, 2)", 1, world.nobody) ==
                2);
}

static bool has_tag(uint32_t row, uint32_t tag) {
    return row % 5 && (row % 3 == tag || row % 4 == tag);
}

/* A product with a disliked value has no affinity, whatever else it has; on columns, alone, and from kept
 * rows. */
static void said_tastes_are_affinity(void **state) {
    (void)state;
    static struct outcome fast, slow;
    assert_true(SCORE("return customer.affinity.brand['b3'] + customer.affinity.tags['t1']", 1) == 2);
    assert_true(SCORE("return customer.affinity.category['c2'] + customer.affinity.tags['t3']", 1) == 0);
    assert_true(SCORE("return when(customer.affinity.brand:top(1)[1] == 'b3', 1, 2)", 1) == 1);
    assert_true(
        SCORE("for _, tag in ipairs(customer.affinity.tags:top(99)) do if tag == 't3' then return 1 end end "
              "return #customer.affinity.tags:top(99)",
              1) > 1);
    must_load(
        &world,
        "ranking \"r\" { score = function(product) return product.affinity + 0 * product.price:or_else(0) "
        "end }");
    const struct at_ranking *ranking = &world.generation->rankings[0];
    struct at_rule_report rows_only = ranking->score_report;
    rows_only.is_columnar = false;
    rows_only.compiled = NULL;
    for (int again = 0; again < 5; again++) {
        uint32_t liked = 0, disliked = 0;
        begin_decision(&world, world.somebody);
        judge(&ranking->score_report, ranking->score, false, false, &fast);
        judge(&rows_only, ranking->score, false, false, &slow);
        assert_true(fast.use.ran_on_columns && !slow.use.ran_on_columns);
        for (uint32_t i = 0; i < world.row_count; i++) {
            bool is_disliked = (i % 4 && i % 3 == 2) || has_tag(i, 3),
                 is_liked = (i % 6 && i % 5 == 3) || has_tag(i, 1);
            disliked += is_disliked;
            liked += is_liked && !is_disliked;
            if (!is_same(fast.out[i], slow.out[i]))
                fail_msg("product %u: %g, %g", i, fast.out[i], slow.out[i]);
            if (is_disliked ? fast.out[i] != 0 : is_liked && fast.out[i] < 0.1)
                fail_msg("product %u: %g", i, fast.out[i]);
        }
        assert_true(liked > 20 && disliked > 100);
        at_decision_end(world.language, &world.view);
    }
}

/* ---- consent ---- */

static void use_settings(const char *text) {
    struct at_settings_source source = {.folder = ".", .env = no_env};
    struct at_error err;
    shop_world_unload(&world);
    at_settings_free(world.settings);
    world.settings = NULL;
    if (at_settings_load(&source, text, strlen(text), &world.settings, &err) != AT_OK)
        fail_msg("%s", err.message);
}

static void the_rhythm_is_read_as_spans(void **state) {
    (void)state;
    int64_t last_ms = world.somebody->orders.last_ms;
    be_a_shop_of(&world, 30);
    assert_true(SCORE("return customer.orders.since_last", 1) == (double)(NOW_MS - last_ms));
    assert_true(SCORE("return customer.orders.typical_interval / days(1)", 1) == 30);
    assert_true(SCORE("return customer.orders.typical_interval == days(30) and 1 or 0", 1) == 1);
    assert_true(SCORE("return when(customer.orders.typical_interval:above '29d', product.price, 0)", 1) ==
                SCORE("return product.price", 1));
    be_a_shop_of(&world, 0); /* one order, in a shop without a rhythm: nobody knows */
    assert_true(SCORE("return customer.orders.typical_interval == nil and 1 or 0", 1) == 1);
    assert_true(SCORE("return customer.orders.typical_interval:or_else(days(9)) / days(1)", 1) == 9);
    assert_true(score_of("return customer.orders.since_last == nil and 1 or 0", 1, world.nobody) == 1);
    assert_non_null(strstr(rule_failure("local field = 'since_lst'\nreturn customer.orders[field]"),
                           "customer.orders has no field \"since_lst\" — did you mean \"since_last\"?"));
}

static void the_first_visit_is_read(void **state) {
    (void)state;
    assert_true(
        SCORE("return customer.acquired.source == 'direct' and customer.acquired.campaign == nil and 1 or 0",
              1) == 1);
    assert_true(SCORE("return customer.acquired.at < now() - days(9) and 1 or 0", 1) == 1);
    assert_true(score_of("return customer.acquired.source == nil and customer.acquired.at == nil and 1 or 0",
                         1, world.nobody) == 1);
    assert_non_null(strstr(rule_failure("local field = 'landng'\nreturn customer.acquired[field]"),
                           "customer.acquired has no field \"landng\" — did you mean \"landing\"?"));
    assert_int_not_equal(shop_world_load(&world, "segment 'a' { when = function(customer)\n"
                                                 "return customer.acquired.soruce == 'mail' end }"),
                         AT_OK);
    assert_string_equal(first_finding(&world),
                        "customer.acquired has no field \"soruce\" — did you mean \"source\"?");
}

/* The same rule both ways (score_of compares them), with and without consent. */
static void without_consent_learned_is_zero_and_history_nil(void **state) {
    (void)state;
    static const char *const zero[] = {"product.affinity",
                                       "product.seen",
                                       "product.bought",
                                       "customer.affinity.brand[product.brand]",
                                       "customer.affinity.tags['t1'] + 0 * product.stock",
                                       "#customer.affinity.brand:top(3)"};
    static const char *const nothing[] = {
        "customer.traits.likes",   "customer.traits.tier",       "customer.orders.count",
        "customer.orders.revenue", "customer.has_ordered",       "customer.is_returning",
        "customer.orders.last_at", "customer.session.intent",    "customer.acquired.at",
        "customer.first_name",     "customer.orders.since_last", "customer.orders.typical_interval"};
    static const char *const kept[] = {"customer.basket.value", "customer.id", "customer.basket.count",
                                       "customer.session.started_at"};
    char body[200];
    be_a_shop_of(&world, 30);
    for (int plain = 0; plain < 2; plain++) {
        world.is_plain = plain;
        for (size_t i = 0; i < AT_LENGTH(zero); i++) {
            double sum = 0;
            snprintf(body, sizeof body, "return %s", zero[i]);
            for (uint32_t row = 0; row < 40; row++) {
                double value = SCORE(body, row);
                if (!at_is_missing(value)) sum += value;
            }
            if (plain) assert_true(sum == 0);
            if (!plain && strcmp(zero[i], "product.seen") != 0) assert_true(sum > 0);
        }
        for (size_t i = 0; i < AT_LENGTH(nothing); i++) {
            snprintf(body, sizeof body, "return %s == nil and 1 or 0", nothing[i]);
            bool is_given = strstr(nothing[i], "first_name") != NULL; /* this shopper told none */
            if (SCORE(body, 1) != (plain || is_given)) fail_msg("%s, plain %d", nothing[i], plain);
        }
        for (size_t i = 0; i < AT_LENGTH(kept); i++) {
            snprintf(body, sizeof body, "return %s ~= nil and 1 or 0", kept[i]);
            if (SCORE(body, 1) != 1) fail_msg("%s, plain %d", kept[i], plain);
        }
        assert_true(SCORE("return customer:may 'personalization' and 1 or 0", 1) == !plain);
        assert_true(SCORE("return customer:may('email_marketing') and 1 or product.price", 1) ==
                    SCORE("return product.price", 1));
    }
    world.is_plain = false;
}

static void what_was_said_can_be_read(void **state) {
    (void)state;
    use_settings("consent { analytics = 'opt-in', personalization = 'opt-out', email_marketing = 'opt-in' }");
    assert_true(SCORE("return customer.consent.analytics == 'unknown' and 1 or 0", 1) == 1);
    assert_true(SCORE("return customer:may 'analytics' and 1 or 0", 1) == 0);
    assert_true(SCORE("return customer:may 'personalization' and 1 or 0", 1) == 1);
    assert_true(SCORE("return customer:may 'nonsense' and 1 or 0", 1) == 0);
    assert_true(SCORE("return when(customer:may 'personalization', product.price, 7)", 1) ==
                SCORE("return product.price", 1));
    assert_non_null(
        strstr(rule_failure("local asked = 'analitics' return customer:may(asked) and 1 or 0"),
               "consent in shop.lua names no purpose \"analitics\" — did you mean \"analytics\"?"));
    assert_non_null(strstr(rule_failure("local asked = 'email_marketin' return customer.consent[asked]"),
                           "did you mean"));
    assert_non_null(
        strstr(rule_failure("return customer:may(7) and 1 or 0"), "customer:may \"personalization\""));
    use_settings("");
}

static void what_is_never_used_is_nil(void **state) {
    (void)state;
    assert_true(SCORE("return customer.traits.tier == nil and 1 or 0", 1) == 0);
    use_settings(
        "consent { analytics = 'opt-out', personalization = 'opt-out', never_use = { 'traits.tier' } }");
    assert_true(SCORE("return customer.traits.tier == nil and 1 or 0", 1) == 1);
    assert_true(SCORE("return customer.traits.points == nil and 1 or 0", 1) == 0);
    use_settings("consent { analytics = 'opt-out', personalization = 'opt-out', never_use = { 'tags.t3', "
                 "'traits.likes' } }");
    assert_true(SCORE("return customer.traits.likes == nil and 1 or 0", 1) == 1);
    assert_true(SCORE("return #customer.traits.dislikes.tags * 10 + #customer.traits.dislikes.category", 1) ==
                1);
    use_settings("");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_harmless),
        cmocka_unit_test(words_mean_what_they_say),
        cmocka_unit_test(a_rule_that_catches_errors_goes_product_by_product),
        cmocka_unit_test(the_way_a_product_comes_in_does_not_matter),
        cmocka_unit_test(rules_on_one_line_are_told_apart),
        cmocka_unit_test(every_name_that_the_check_knows_is_there),
        cmocka_unit_test(what_may_change_is_run_again),
        cmocka_unit_test(errors_name_file_and_line),
        cmocka_unit_test(a_rule_over_its_budget_is_stopped_and_named),
        cmocka_unit_test(a_condition_out_of_memory_says_so),
        cmocka_unit_test(a_condition_that_fails_for_one_product_fails_for_that_one),
        cmocka_unit_test(stated_traits_read_as_lists),
        cmocka_unit_test(said_tastes_are_affinity),
        cmocka_unit_test(the_rhythm_is_read_as_spans),
        cmocka_unit_test(the_first_visit_is_read),
        cmocka_unit_test(without_consent_learned_is_zero_and_history_nil),
        cmocka_unit_test(what_was_said_can_be_read),
        cmocka_unit_test(what_is_never_used_is_nil),
    };
    shop_world_init(&world, PRODUCTS);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    shop_world_clear(&world);
    return failed;
}
