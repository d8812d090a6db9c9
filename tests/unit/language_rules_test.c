/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules run both ways: whole columns and product by product give the same bits, for rules written by hand and
 * for generated ones; what is missing is harmless; terms of an explanation add up; what goes wrong is said
 * with file and line.
 */
#include "language/state.h"
#include "language_world.h"
#include "script/internal.h"

enum { PRODUCTS = 300, BATCHES = 20, BATCH = 40 };

static struct shop_world world;

/* ---- running one ranking's score, or its first, either way ---- */

struct outcome {
    enum at_status status;
    struct at_error err;
    double out[512];
    struct at_rule_use use;
};

static void judge(const struct at_rule_report *report, int function, bool is_condition, bool explains,
                  struct outcome *outcome) {
    struct at_candidates candidates = {world.root, world.rows, world.row_count, &world.request};
    memset(outcome, 0, sizeof *outcome);
    world.view.explains = explains;
    outcome->use = (struct at_rule_use){.language = world.language,
                                        .view = &world.view,
                                        .report = report,
                                        .function = function,
                                        .is_condition = is_condition,
                                        .path = "scripts/a.lua",
                                        .name = "r",
                                        .line = 1};
    memset(outcome->use.reads, 0xff, sizeof outcome->use.reads);
    outcome->status = at_rule_judge(&outcome->use, &candidates, outcome->out, &outcome->err);
}

static bool is_same(double a, double b) {
    if (at_is_missing(a) || at_is_missing(b)) return at_is_missing(a) && at_is_missing(b);
    return (a != a && b != b) || memcmp(&a, &b, sizeof a) == 0;
}

/* As analysed, and product by product. *columns counts runs on columns. */
static void assert_both_ways(const struct at_rule_report *report, int function, bool is_condition,
                             const char *text, uint32_t *columns) {
    static struct outcome fast, slow;
    /* the second time with what was kept of the first */
    const struct at_profile *const people[] = {world.nobody, world.somebody, world.nobody};
    struct at_rule_report rows_only = *report;
    rows_only.is_columnar = false;
    for (size_t p = 0; p < AT_LENGTH(people); p++) {
        begin_decision(&world, people[p]);
        judge(report, function, is_condition, false, &fast);
        judge(&rows_only, function, is_condition, false, &slow);
        if (fast.status != slow.status)
            fail_msg("%d (%s), %d (%s)\n%s", fast.status, fast.err.message, slow.status, slow.err.message,
                     text);
        if (fast.status == AT_OK) *columns += fast.use.ran_on_columns;
        for (uint32_t i = 0; i < world.row_count && fast.status == AT_OK; i++)
            if (!is_same(fast.out[i], slow.out[i]))
                fail_msg("product %u: %.17g on columns, %.17g alone\n%s", i, fast.out[i], slow.out[i], text);
        at_decision_end(world.language, &world.view);
    }
}

/* One rule by hand: its score for a product. */
static double score_of(const char *body, uint32_t row, const struct at_profile *profile) {
    static struct outcome outcome;
    char text[2000];
    snprintf(text, sizeof text, "ranking \"r\" { score = function(product, customer, page)\n%s\nend }", body);
    must_load(&world, text);
    const struct at_ranking *ranking = &world.generation->rankings[0];
    uint32_t columns = 0;
    assert_both_ways(&ranking->score_report, ranking->score, false, text, &columns);
    begin_decision(&world, profile);
    judge(&ranking->score_report, ranking->score, false, false, &outcome);
    if (outcome.status != AT_OK) fail_msg("%s\n%s", outcome.err.message, text);
    double value = outcome.out[row];
    at_decision_end(world.language, &world.view);
    return value;
}
#define SCORE(body, row) score_of(body, row, world.somebody)

static const char *failure_of(const char *body) {
    static struct outcome outcome;
    char text[2000];
    snprintf(text, sizeof text, "ranking \"r\" { score = function(product, customer, page)\n%s\nend }", body);
    must_load(&world, text);
    const struct at_ranking *ranking = &world.generation->rankings[0];
    begin_decision(&world, world.somebody);
    world.view.deadline_ns = at_ticks_ns() + AT_DECISION_BUDGET_NS;
    judge(&ranking->score_report, ranking->score, false, false, &outcome);
    assert_int_not_equal(outcome.status, AT_OK);
    at_decision_end(world.language, &world.view);
    return outcome.err.message;
}

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
    static const char *const files[] = {
        "ranking \"r\" { score = function(product) return 1 end, first = function(product) return "
        "product.stock == 3 "
        "end }",
        "local function id(product) return product.stock end ranking \"r\" { score = id, first = "
        "function(product) "
        "return id(product) == 3 end }",
        "local function id(x) return x end ranking \"r\" { score = function() return 1 end, first = "
        "function(product) return id(product.stock) == 3 end }"};
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
    assert_int_equal(columns, 0);
    const struct at_source_file both[] = {
        {AT_TEXT("scripts/a.lua"),
         AT_TEXT("local one = require('lib.one')\nlocal other = function(product) return 1 end\n"
                 "ranking \"r\" { score = other, first = one.is_three }")},
        {AT_TEXT("scripts/lib/one.lua"),
         AT_TEXT("return {\nis_three = function(product) return product.stock == 3 end }")}};
    assert_int_equal(shop_world_load_files(&world, both, 2), AT_OK);
    const struct at_ranking *ranking = &world.generation->rankings[0];
    assert_both_ways(&ranking->first_report, ranking->first, true, "a module's function", &columns);
    assert_int_equal(columns, 0);
}

static void every_name_that_the_check_knows_is_there(void **state) {
    (void)state;
    for (const char *const *name = at_global_names; *name; name++) {
        char text[200];
        snprintf(text, sizeof text, "local it = %s if it == nil then error('none') end", *name);
        must_load(&world, text);
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
    assert_non_null(strstr(failure_of("local x = 1\nreturn product.price + {}"), "scripts/a.lua:3"));
    assert_non_null(strstr(failure_of("return 'text'"), "scripts/a.lua:1"));
    assert_non_null(strstr(failure_of("return 'text'"), "a score must be a number"));
    assert_non_null(strstr(failure_of("\nerror 'no luck'"), "scripts/a.lua:3: no luck"));
    assert_non_null(strstr(failure_of("return product.brand * 2"), "scripts/a.lua:2"));
    assert_non_null(strstr(failure_of("return product.price:above(product)"), "scripts/a.lua:2"));
    assert_non_null(strstr(failure_of("return product.price:below '7x'"), "scripts/a.lua:2"));
}

static void a_rule_over_its_budget_is_stopped_and_named(void **state) {
    (void)state;
    uint64_t begin = at_ticks_ns();
    const char *message = failure_of("local n = 0\nwhile true do n = n + 1 end");
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

/* ---- generated rules ---- */

struct writer {
    uint64_t *random;
    char text[60000];
    size_t length;
    int depth;
    bool has_sums; /* mostly, one within another */
};

static void put(struct writer *w, const char *text) {
    size_t length = strlen(text);
    assert_true(w->length + length < sizeof w->text);
    memcpy(w->text + w->length, text, length + 1);
    w->length += length;
}
#define ONE_OF(w, list) (list)[random_below((w)->random, AT_LENGTH(list))]
static bool chance(struct writer *w, uint32_t percent) {
    return random_below(w->random, 100) < percent;
}

static void put_number(struct writer *w);
static void put_condition(struct writer *w);
static void put_help(struct writer *w);

static void put_call(struct writer *w, const char *word, int arguments, void (*one)(struct writer *w)) {
    put(w, word);
    put(w, "(");
    for (int i = 0; i < arguments; i++) {
        if (i) put(w, ", ");
        one(w);
    }
    put(w, ")");
}

static void put_leaf(struct writer *w) {
    static const char *const leaves[] = {"product.price",
                                         "product.stock",
                                         "product.rating",
                                         "product.popularity",
                                         "product.trending",
                                         "product.conversion",
                                         "product.affinity",
                                         "product.taste",
                                         "product.seen",
                                         "product.bought",
                                         "product.margin",
                                         "product.discount",
                                         "product.age",
                                         "product.balance",
                                         "product.released",
                                         "0.5",
                                         "2",
                                         "-3",
                                         "0",
                                         "1e300",
                                         "0.1",
                                         "a",
                                         "b",
                                         "customer.orders.count",
                                         "customer.traits.points",
                                         "customer.traits.nothing",
                                         "customer.basket.value",
                                         "customer.affinity.brand[product.brand]",
                                         "customer.affinity.brand.b1",
                                         "page.product.price",
                                         "product.list_price"};
    put(w, ONE_OF(w, leaves));
}

static void put_number(struct writer *w) {
    static const char *const operators[] = {" + ", " + ", " - ", " * ", " * ", " / ", " ^ "};
    static const char *const functions[] = {"log", "sqrt", "normalize", "rank_of"};
    if (++w->depth > 5)
        put_leaf(w);
    else if (w->has_sums && chance(w, 60))
        put(w, "("), put_number(w), put(w, chance(w, 50) ? " + " : " - "), put_number(w), put(w, ")");
    else if (chance(w, 10))
        put_help(w);
    else
        switch (random_below(w->random, 10)) {
        case 0:
        case 1:
        case 2: put_leaf(w); break;
        case 3:
        case 4:
        case 5: put(w, "("), put_number(w), put(w, ONE_OF(w, operators)), put_number(w), put(w, ")"); break;
        case 6:
            put_call(w, "when", 0, NULL), w->length--, put_condition(w), put(w, ", "), put_number(w),
                put(w, ", "), put_number(w), put(w, ")");
            break;
        case 7:
            put_call(w, chance(w, 50) ? "min" : "max", 1 + (int)random_below(w->random, 3), put_number);
            break;
        case 8:
            if (chance(w, 30))
                put_call(w, "clamp", 3, put_number);
            else
                put_call(w, functions[random_below(w->random, chance(w, 20) ? 4 : 2)], 1, put_number);
            break;
        default: put(w, "("), put_number(w), put(w, "):or_else("), put_number(w), put(w, ")");
        }
    w->depth--;
}

static void put_text_condition(struct writer *w) {
    static const char *const conditions[] = {"product.brand:is \"b1\"",
                                             "product.brand:is_not \"b2\"",
                                             "product.brand:one_of{\"b1\", \"b3\", \"zz\"}",
                                             "product.tags:contains \"t1\"",
                                             "product.category:is(page.category)",
                                             "product.tags:contains(customer.traits.nothing)",
                                             "product.brand:is(page.product.brand)",
                                             "product.vegan",
                                             "product.age:below \"14d\"",
                                             "product.discount:above \"20%\"",
                                             "customer.is_known",
                                             "customer.has_ordered",
                                             "customer.traits.tier:is \"gold\"",
                                             "product.vegan:is(true)",
                                             "product.title:contains \"1\"",
                                             "product.category:one_of(\"c1\", \"c2\")"};
    put(w, ONE_OF(w, conditions));
}

static void put_condition(struct writer *w) {
    static const char *const methods[] = {"above", "below", "at_least", "at_most", "is", "is_not"};
    static const char *const words[] = {"all", "any", "no"};
    if (++w->depth > 5 || chance(w, 40))
        put_text_condition(w);
    else if (chance(w, 55)) {
        put(w, "("), put_number(w), put(w, "):"), put_call(w, ONE_OF(w, methods), 1, put_number);
    } else if (chance(w, 20))
        put(w, "("), put_number(w), put(w, "):"), put_call(w, "between", 2, put_number);
    else
        put_call(w, ONE_OF(w, words), 1 + (int)random_below(w->random, 3), put_condition);
    w->depth--;
}

/* Functions of the file, which rules call: the last two look at what they are given. */
static const char helpers[] =
    "local weight = 0.25\n"
    "local function half(x) return x / 2 end\n"
    "local function fit(product, customer)\n"
    "local taste = customer.affinity.brand[product.brand]\n"
    "if customer.is_known then taste = taste + weight end\n"
    "return taste + half(product.rating) end\n"
    "local function both(x, y) return max(x, y), min(x, y) end\n"
    "local function sum(x, n) if n == 0 then return x end return x + sum(x, n - 1) end\n"
    "local function cheap(x) return x:below(20) end\n"
    "local function step(x) if x and x > 20 then return 1 end return x end\n"
    "local function parity(x) return x // 2 end\n";

static void put_help(struct writer *w) {
    static const char *const calls[] = {"half(%)",
                                        "half(% + %)",
                                        "fit(product, customer)",
                                        "sum(%, 3)",
                                        "(both(%, %))",
                                        "when(cheap(%), %, %)",
                                        "(both(half(%), fit(product, customer)))"};
    static const char *const rare[] = {"step(%)", "parity(%)", "fit(product, page)"};
    const char *form = chance(w, 10) ? ONE_OF(w, rare) : ONE_OF(w, calls);
    for (; *form; form++) {
        if (*form == '%')
            put_number(w);
        else
            put(w, (const char[]){*form, 0});
    }
}

/* What only one product at a time can answer, or what depends on the customer alone. */
static void put_branch(struct writer *w) {
    static const char *const heads[] = {"if customer.is_known then ",
                                        "if customer.orders.count > 0 then ",
                                        "if product.price > 20 then ",
                                        "if product.brand == \"b1\" then ",
                                        "for i = 1, 3 do ",
                                        "if not product.vegan then ",
                                        "do "};
    put(w, ONE_OF(w, heads));
    put(w, chance(w, 50) ? "a = " : "b = ");
    put_number(w);
    put(w, " end\n");
}

static void put_rule(struct writer *w, int n) {
    char head[120];
    snprintf(head, sizeof head,
             "ranking \"r%d\" {\nscore = function(product, customer, page)\nlocal a, b = 1, "
             "product.stock\na, b = ",
             n);
    put(w, head);
    put_number(w), put(w, ", "), put_number(w), put(w, "\n");
    if (chance(w, 30)) put_branch(w);
    put(w, "return ");
    put_number(w);
    if (chance(w, 70)) put(w, chance(w, 80) ? " + a" : " - b * 2");
    put(w, "\nend,\nfirst = function(product, customer, page)\nlocal a, b = 1, product.stock\nreturn ");
    put_condition(w);
    put(w, "\nend\n}\n");
}

static void both_ways_agree_bit_for_bit(void **state) {
    (void)state;
    uint64_t seed = first_seed(20261126), random = seed;
    uint32_t columns = 0, rules = 0, columnar = 0;
    struct writer *w = malloc(sizeof *w);
    assert_non_null(w);
    for (int batch = 0; batch < BATCHES; batch++) {
        *w = (struct writer){.random = &random};
        put(w, helpers);
        for (int n = 0; n < BATCH && w->length < sizeof w->text - 12000; n++) put_rule(w, n);
        must_load(&world, w->text);
        for (uint32_t i = 0; i < world.generation->ranking_count; i++) {
            const struct at_ranking *ranking = &world.generation->rankings[i];
            const char *text = strstr(w->text, ranking->name);
            rules += 2;
            columnar += ranking->score_report.is_columnar + ranking->first_report.is_columnar;
            assert_both_ways(&ranking->score_report, ranking->score, false, text, &columns);
            assert_both_ways(&ranking->first_report, ranking->first, true, text, &columns);
        }
    }
    free(w);
    printf("property: seed %llu, %u rules both ways, %u by analysis on columns, %u of %u runs were\n",
           (unsigned long long)seed, rules, columnar, columns, 3 * rules);
    assert_true(rules >= 1000);
    assert_true(columns > rules / 2);
}

/* ---- explaining ---- */

static void assert_terms_add_up(const struct at_ranking *ranking, const char *text, uint32_t *checked) {
    static struct outcome outcome;
    begin_decision(&world, world.somebody);
    judge(&ranking->score_report, ranking->score, false, true, &outcome);
    for (uint32_t row = 0; row < world.row_count && outcome.status == AT_OK; row += 17) {
        struct at_explained_term *terms;
        uint32_t count;
        double sum = 0, size = 0;
        assert_int_equal(at_rule_terms(&outcome.use, row, outcome.out[row], &terms, &count), AT_OK);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(terms[i].text.length && terms[i].line);
            if (!at_is_missing(terms[i].value)) sum += terms[i].value, size += fabs(terms[i].value);
        }
        double score = at_is_missing(outcome.out[row]) ? 0 : outcome.out[row];
        if (!isfinite(score) || !isfinite(size) || size > 1e200) continue;
        *checked += 1;
        if (fabs(sum - score) > 1e-9 * (1 + size))
            fail_msg("product %u: %u terms add up to %.17g, not %.17g\n%s", row, count, sum, score, text);
    }
    at_decision_end(world.language, &world.view);
}

static void terms_add_up_to_the_score(void **state) {
    (void)state;
    uint64_t seed = first_seed(5), random = seed;
    uint32_t checked = 0;
    struct writer *w = malloc(sizeof *w);
    assert_non_null(w);
    for (int batch = 0; batch < 8; batch++) {
        *w = (struct writer){.random = &random, .has_sums = true};
        put(w, helpers);
        for (int n = 0; n < BATCH && w->length < sizeof w->text - 12000; n++) put_rule(w, n);
        must_load(&world, w->text);
        for (uint32_t i = 0; i < world.generation->ranking_count; i++)
            assert_terms_add_up(&world.generation->rankings[i],
                                strstr(w->text, world.generation->rankings[i].name), &checked);
    }
    free(w);
    printf("property: seed %llu, %u explanations\n", (unsigned long long)seed, checked);
    assert_true(checked >= 1000);
}

struct told {
    char text[2000];
};
static void tell(void *arg, const char *name, double value, struct at_text text) {
    struct told *told = arg;
    size_t at = strlen(told->text);
    if (text.data)
        snprintf(told->text + at, sizeof told->text - at, "%s=%.*s ", name, (int)text.length, text.data);
    else if (at_is_missing(value))
        snprintf(told->text + at, sizeof told->text - at, "%s=? ", name);
    else
        snprintf(told->text + at, sizeof told->text - at, "%s=%g ", name, value);
}

static void the_terms_of_a_rule_as_people_write_it(void **state) {
    (void)state;
    static struct outcome outcome;
    must_load(&world, "ranking \"r\" {\n  score = function(product, customer)\n"
                      "    local fit = 0.40 * product.taste + 0.20 * product.stock\n"          /* 3 */
                      "    local proof = 0.10 * product.rating:or_else(3.5) / 5\n"             /* 4 */
                      "    if customer.has_ordered then proof = proof + product.balance end\n" /* 5 */
                      "    return fit + proof - 0.30 * product.price\n"                        /* 6 */
                      "      + when(product.brand:is 'b1', 0.5)\n  end }");                    /* 7 */
    const struct at_ranking *ranking = &world.generation->rankings[0];
    assert_true(ranking->score_report.is_columnar);
    begin_decision(&world, world.somebody);
    judge(&ranking->score_report, ranking->score, false, true, &outcome);
    assert_int_equal(outcome.status, AT_OK);
    assert_true(outcome.use.ran_on_columns);
    struct at_explained_term *terms;
    uint32_t count;
    assert_int_equal(at_rule_terms(&outcome.use, 1, outcome.out[1], &terms, &count), AT_OK);
    static const struct {
        uint32_t line;
        const char *text;
        double value;
    } expected[] = {{3, "0.40 * product.taste", 0},
                    {3, "0.20 * product.stock", 0.2},
                    {4, "0.10 * product.rating:or_else(3.5) / 5", 0.03},
                    {5, "product.balance", -3},
                    {6, "0.30 * product.price", -3.003},
                    {7, "when(product.brand:is 'b1', 0.5)", 0.5}};
    assert_int_equal(count, AT_LENGTH(expected));
    for (uint32_t i = 0; i < count; i++) {
        assert_true(at_text_is(terms[i].text, expected[i].text));
        assert_int_equal(terms[i].line, expected[i].line);
        assert_true(fabs(terms[i].value - expected[i].value) < 1e-9);
    }
    struct told told = {""};
    at_rule_features(&outcome.use, 1, tell, &told);
    assert_non_null(strstr(told.text, "price=10.01 "));
    assert_non_null(strstr(told.text, "brand=b1 "));
    assert_non_null(strstr(told.text, "taste=0 "));
    at_decision_end(world.language, &world.view);
}

/* The terms of a function of the file stand on its lines. */
static void the_terms_of_a_helper(void **state) {
    (void)state;
    static struct outcome outcome;
    must_load(&world, "local function worth(x, y)\n  return x / 2 - y\nend\n"
                      "ranking \"r\" { score = function(product)\n"
                      "  return worth(product.stock * 3, product.balance) + 0.5 * product.price\nend }");
    const struct at_ranking *ranking = &world.generation->rankings[0];
    assert_true(ranking->score_report.is_columnar);
    begin_decision(&world, world.somebody);
    judge(&ranking->score_report, ranking->score, false, true, &outcome);
    assert_true(outcome.status == AT_OK && outcome.use.ran_on_columns);
    struct at_explained_term *terms;
    uint32_t count;
    assert_int_equal(at_rule_terms(&outcome.use, 1, outcome.out[1], &terms, &count), AT_OK);
    static const struct {
        uint32_t line;
        const char *text;
        double value;
    } expected[] = {{2, "x / 2", 1.5}, {5, "product.balance", 3}, {5, "0.5 * product.price", 5.005}};
    assert_int_equal(count, AT_LENGTH(expected));
    for (uint32_t i = 0; i < count; i++) {
        assert_true(at_text_is(terms[i].text, expected[i].text));
        assert_int_equal(terms[i].line, expected[i].line);
        assert_true(fabs(terms[i].value - expected[i].value) < 1e-9);
    }
    at_decision_end(world.language, &world.view);
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
        cmocka_unit_test(both_ways_agree_bit_for_bit),
        cmocka_unit_test(terms_add_up_to_the_score),
        cmocka_unit_test(the_terms_of_a_rule_as_people_write_it),
        cmocka_unit_test(the_terms_of_a_helper),
    };
    shop_world_init(&world, PRODUCTS);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    shop_world_clear(&world);
    return failed;
}
