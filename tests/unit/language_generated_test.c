/* SPDX-License-Identifier: Apache-2.0
 *
 * Generated rules: whole columns and product by product give the same bits, and the terms of an explanation
 * add up to the score; what the terms of rules as people write them say.
 */
#include "language_judge.h"
#include "language/state.h"

enum { BATCHES = 20, BATCH = 40 };

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
                                         "customer:count('product_viewed', { within = '7d' })",
                                         "customer:last('order_completed').revenue",
                                         "customer:last('product_removed').value",
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
                                             "customer:did('product_viewed', { within = '3d' })",
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

#ifdef AT_DEBUG
enum { SLOWER = 4 }; /* under the sanitizers a part: all of it runs without */
#else
enum { SLOWER = 1 };
#endif

static void both_ways_agree_bit_for_bit(void **state) {
    (void)state;
    uint64_t seed = first_seed(20261126), random = seed;
    uint32_t columns = 0, rules = 0, columnar = 0;
    struct writer *w = malloc(sizeof *w);
    assert_non_null(w);
    for (int batch = 0; batch < BATCHES / SLOWER; batch++) {
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
    assert_true(rules >= 1000 / SLOWER);
    assert_true(columns > rules / 2);
}

/* Sums whose terms are kept: missing ones, computed NaNs, both signs of zero, more than a line holds. */
static void kept_rows_agree_bit_for_bit(void **state) {
    (void)state;
    static const char *const scores[] = {
        "0.4 * product.affinity + 0.25 * product.popularity + 0.15 * product.rating / 5 - product.margin",
        "product.affinity - product.rating - product.stock / product.stock + product.price",
        "-0.0 * product.affinity - product.rating + 0 * product.stock",
        "product.rating - product.affinity + product.age - product.stock",
        "product.rating + product.seen - product.bought / product.bought - product.stock / 0 - product.price",
        "normalize(product.price + product.affinity) + product.rating - rank_of(product.stock)",
        "when(product.brand:is 'b1', product.price, product.rating) * product.trending",
        "when(product.tags:contains 't1', product.affinity, product.age:or_else(3)) + product.price + 1",
        "product.seen + product.price + product.rating + product.stock + product.margin + product.discount"
        " + product.list_price - product.balance - product.popularity - product.trending - product.price",
        "product.affinity * (product.seen + product.price) - (product.seen + product.price)",
    };
    uint32_t columns = 0;
    for (size_t i = 0; i < AT_LENGTH(scores); i++) {
        char text[600];
        snprintf(text, sizeof text, "ranking \"r\" { score = function(product) return %s end }", scores[i]);
        must_load(&world, text);
        const struct at_ranking *ranking = &world.generation->rankings[0];
        for (int k = 0; k < 2; k++) /* the second time with a person's tastes over what is kept */
            assert_both_ways(&ranking->score_report, ranking->score, false, text, &columns);
        assert_true(world.language->packs.used > 0);
    }
    assert_int_equal(columns, 6 * AT_LENGTH(scores));
}

/* Conditions that the row alone decides: a bit of each row is kept, and what is missing is no. */
static void kept_verdicts_agree(void **state) {
    (void)state;
    static const char *const conditions[] = {
        "product.stock:above(0)",
        "product.rating:at_most(product.stock)",
        "no(product.rating:above(3))",
        "any(product.brand:one_of { 'b1', 'b3' }, product.tags:contains 't1')",
        "all(product.price:between(2, 30), product.rating:is_not(4))",
        "product.vegan",
    };
    uint32_t columns = 0;
    for (size_t i = 0; i < AT_LENGTH(conditions); i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "ranking \"r\" { score = function(product) return product.price end,\n"
                 "first = function(product) return %s end }",
                 conditions[i]);
        must_load(&world, text);
        const struct at_ranking *ranking = &world.generation->rankings[0];
        for (int k = 0; k < 2; k++)
            assert_both_ways(&ranking->first_report, ranking->first, true, text, &columns);
        size_t used = world.language->packs.used;
        assert_true(used > 0 && used < world.row_count / 8 + 100);
    }
    assert_int_equal(columns, 6 * AT_LENGTH(conditions));
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
    for (int batch = 0; batch < 8 / SLOWER; batch++) {
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
    assert_true(checked >= 1000 / SLOWER);
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
        cmocka_unit_test(both_ways_agree_bit_for_bit),
        cmocka_unit_test(kept_rows_agree_bit_for_bit),
        cmocka_unit_test(kept_verdicts_agree),
        cmocka_unit_test(terms_add_up_to_the_score),
        cmocka_unit_test(the_terms_of_a_rule_as_people_write_it),
        cmocka_unit_test(the_terms_of_a_helper),
    };
    shop_world_init(&world, PRODUCTS);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    shop_world_clear(&world);
    return failed;
}
