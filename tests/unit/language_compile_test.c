/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled rules: plain Lua with branches gives on columns the bits it gives product by product. The rules
 * are generated; every form of the subset is drawn from a deck, so that 20 rules have each of them.
 */
#include "language/compile.h"
#include "language_judge.h"
#include "language/state.h"

enum { BATCH = 20, BATCHES = 52, DEPTH_MAX = 6 };

struct deck { /* forms in a random order, again and again */
    const char *const *forms;
    uint32_t count, next;
    uint8_t order[64];
    uint8_t is_used[64]; /* in this batch */
};

static const char *const numbers[] = {"(%n + %n)",
                                      "(%n - %n)",
                                      "(%n * %n)",
                                      "(%n / %n)",
                                      "(%n ^ %n)",
                                      "(%n // 3)",
                                      "(%n // -2.5)",
                                      "(%n % 5)",
                                      "(%n % -3.0)",
                                      "-(%n)",
                                      "(%n or %n)",
                                      "(%c and %n or %n)",
                                      "(%n and %n)",
                                      "when(%c, %n, %n)",
                                      "min(%n, %n)",
                                      "max(%n, %n, 1)",
                                      "clamp(%n, -2, %n)",
                                      "log(%n)",
                                      "sqrt(%n)",
                                      "(%n):or_else(%n)",
                                      "math.floor(%n or 1)",
                                      "math.ceil((%n):or_else(0.5))",
                                      "math.abs(%n or -3)",
                                      "math.max(%n or 0, 2)",
                                      "math.min(%n or 0, 0.5)",
                                      "math.sqrt(%n or 4)",
                                      "math.log(%n or 2)",
                                      "step(%n)",
                                      "worth(product, %n)",
                                      "customer.affinity.brand[product.brand]"};
static const char *const conditions[] = {"%n < %n",
                                         "%n <= %n",
                                         "%n > %n",
                                         "%n >= %n",
                                         "%n == %n",
                                         "%n ~= %n",
                                         "%n == nil",
                                         "product.brand == \"b1\"",
                                         "product.brand ~= \"b2\"",
                                         "product.category == nil",
                                         "product.vegan",
                                         "product.vegan == false",
                                         "product.vegan ~= nil",
                                         "product.tags ~= nil",
                                         "not (%c)",
                                         "(%c and %c)",
                                         "(%c or %c)",
                                         "(%n):above(%n)",
                                         "(%n):below(%n)",
                                         "(%n):at_least(%n)",
                                         "(%n):at_most(%n)",
                                         "(%n):between(%n, %n)",
                                         "(%n):is(%n)",
                                         "(%n):is_not(%n)",
                                         "product.brand:one_of{\"b1\", \"b4\", \"zz\"}",
                                         "product.tags:contains \"t1\"",
                                         "product.brand:is(customer.traits.nothing)",
                                         "all(%c, %c)",
                                         "any(%c, %c)",
                                         "no(%c)",
                                         "c == true",
                                         "cheap(%n)",
                                         "(%c and %n)",
                                         "t == \"much\"",
                                         "product.discount:above \"20%\""};
static const char *const leaves[] = {"product.price",
                                     "product.stock",
                                     "product.rating",
                                     "product.popularity",
                                     "product.balance",
                                     "product.age",
                                     "product.seen",
                                     "product.list_price",
                                     "product.affinity",
                                     "a",
                                     "b",
                                     "a",
                                     "b",
                                     "0",
                                     "1",
                                     "3",
                                     "3.0",
                                     "-2",
                                     "0.5",
                                     "1e300",
                                     "-0.0",
                                     "(0/0)",
                                     "(1/0)",
                                     "(-1/0)",
                                     "9007199254740991.0",
                                     "9007199254740993.0",
                                     "(9007199254740993 - 9007199254740992)",
                                     "customer.orders.count",
                                     "customer.traits.points",
                                     "customer.traits.nothing",
                                     "page.product.price"};
static const char *const statements[] = {
    "a = %n\n",
    "b = %n\n",
    "a, b = b, %n\n",
    "c = %c\n",
    "t = %c and \"much\" or \"little\"\n",
    "if %c then %b end\n",
    "if %c then %b else %b end\n",
    "if %c then %b elseif %c then %b else %b end\n",
    "if customer.is_known then %b end\n",
    "for i = 1, 3 do a = a + i * %n %b end\n",
    "do local a = %n %b end\n",
    "if %c then return %r end\n",
    "if %c then %b return %r else %b end\n",
    "local d = %n; a = d\n",
    "for i = 1, 2 do if customer.orders.count > i then break end %b end\n"};
/* What the subset does not have. */
static const char *const others[] = {"a = #(product.tags or {})\n", "t = \"x\" .. %n\n",
                                     "a = select(1, %n)\n", "local f = function(x) return x end a = f(%n)\n"};
static struct deck decks[] = {{.forms = numbers, .count = AT_LENGTH(numbers)},
                              {.forms = conditions, .count = AT_LENGTH(conditions)},
                              {.forms = leaves, .count = AT_LENGTH(leaves)},
                              {.forms = statements, .count = AT_LENGTH(statements)}};

struct writer {
    uint64_t *random;
    char text[400000];
    size_t length;
    int depth;
    const char *answer; /* the form of what the rule returns */
};

static void put(struct writer *w, const char *text, size_t length) {
    assert_true(w->length + length + 1 < sizeof w->text);
    memcpy(w->text + w->length, text, length);
    w->length += length;
    w->text[w->length] = 0;
}

static const char *draw(struct writer *w, struct deck *deck) {
    if (deck->next == 0)
        for (uint32_t i = 0; i < deck->count; i++) {
            uint32_t k = random_below(w->random, i + 1);
            deck->order[i] = deck->order[k];
            deck->order[k] = (uint8_t)i;
        }
    uint32_t at = deck->order[deck->next];
    deck->next = (deck->next + 1) % deck->count;
    deck->is_used[at] = 1;
    return deck->forms[at];
}

static void put_form(struct writer *w, const char *form);

static void put_drawn(struct writer *w, char what) {
    w->depth++;
    bool is_deep = w->depth > DEPTH_MAX || random_below(w->random, 10) < (uint32_t)w->depth;
    if (what == 'n')
        put_form(w, draw(w, is_deep ? &decks[2] : &decks[0]));
    else if (what == 'c' && w->depth > DEPTH_MAX + 1)
        put_form(w, "product.stock > 2");
    else if (what == 'c')
        put_form(w, draw(w, &decks[1]));
    else if (what == 'r')
        put_form(w, w->answer);
    else if (w->depth > DEPTH_MAX)
        put_form(w, "a = 1 ");
    else
        put_form(w, draw(w, &decks[3]));
    w->depth--;
}

static void put_form(struct writer *w, const char *form) {
    while (*form) {
        size_t n = 0;
        while (form[n] && !(form[n] == '%' && strchr("ncbr", form[n + 1]) && form[n + 1])) n++;
        put(w, form, n);
        form += n;
        if (!*form) break;
        if (form[1] == 'b') put(w, "\n", 1);
        put_drawn(w, form[1]);
        form += 2;
    }
}

static const char helpers[] =
    "local weight = 0.25\n"
    "local function step(x)\nif x == nil then return -0.0 end\nif x > 20 then return 1 end\nreturn x end\n"
    "local function cheap(x) return x < 20 and x ~= 9 end\n"
    "local function worth(product, x)\nlocal w = weight\nif product.stock < 3 then w = w * x "
    "elseif cheap(x) then w = step(x) end\nreturn w + 1 end\n";

static void put_function(struct writer *w, const char *name, const char *answer) {
    w->answer = answer;
    put_form(w, name);
    put_form(w,
             " = function(product, customer, page)\nlocal a, b, c, t = 0, product.stock, false, \"none\"\n");
    uint32_t count = 1 + random_below(w->random, 4);
    for (uint32_t i = 0; i < count; i++) put_form(w, draw(w, &decks[3]));
    if (random_below(w->random, 8) == 0) put_form(w, others[random_below(w->random, AT_LENGTH(others))]);
    put_form(w, "return ");
    put_form(w, answer);
    put_form(w, "\nend");
}

static void put_batch(struct writer *w) {
    for (size_t i = 0; i < AT_LENGTH(decks); i++) memset(decks[i].is_used, 0, sizeof decks[i].is_used);
    put_form(w, helpers);
    for (int n = 0; n < BATCH / 2; n++) {
        char head[40];
        put(w, head, (size_t)snprintf(head, sizeof head, "ranking \"r%02d\" {\n", n));
        put_function(w, "score", "%n");
        put_form(w, ",\n");
        put_function(w, "first", "%c");
        put_form(w, "}\n");
    }
    for (size_t i = 0; i < AT_LENGTH(decks); i++)
        for (uint32_t k = 0; k < decks[i].count; k++)
            if (!decks[i].is_used[k]) fail_msg("20 rules without %s", decks[i].forms[k]);
}

struct counts {
    uint32_t rules, compiled, columnar, columns;
};

static void check_rule(const struct at_rule_report *report, int function, bool is_condition, const char *text,
                       struct counts *counts) {
    counts->rules++;
    counts->compiled += report->compiled != NULL;
    counts->columnar += report->is_columnar;
    assert_both_ways(report, function, is_condition, text, &counts->columns);
}

static void compiled_rules_agree_bit_for_bit(void **state) {
    (void)state;
    uint64_t seed = first_seed(20261127), random = seed;
    const char *asked = getenv("RUNS");
    int batches = asked ? atoi(asked) : BATCHES;
    struct counts counts = {0};
    struct writer *w = malloc(sizeof *w);
    assert_non_null(w);
    for (int batch = 0; batch < batches; batch++) {
        *w = (struct writer){.random = &random};
        for (size_t i = 0; i < AT_LENGTH(decks); i++) decks[i].next = 0;
        put_batch(w);
        must_load(&world, w->text);
        for (uint32_t i = 0; i < world.generation->ranking_count; i++) {
            const struct at_ranking *ranking = &world.generation->rankings[i];
            const char *text = strstr(w->text, ranking->name);
            check_rule(&ranking->score_report, ranking->score, false, text, &counts);
            check_rule(&ranking->first_report, ranking->first, true, text, &counts);
        }
    }
    free(w);
    uint32_t fast = counts.compiled + counts.columnar;
    printf("property: seed %llu, %u rules, %u compiled and %u all at once (%u %%), %u of %u runs were on "
           "columns, "
           "%u rows\n",
           (unsigned long long)seed, counts.rules, counts.compiled, counts.columnar,
           100 * fast / counts.rules, counts.columns, 3 * counts.rules, 3 * counts.rules * world.row_count);
    assert_true(100 * fast >= 60 * counts.rules);
    assert_true(2 * counts.columns >= 3 * counts.rules); /* most of them ran so, too */
}

/* ---- by hand ---- */

static bool runs_compiled(const char *body) {
    static struct outcome outcome;
    char text[4000];
    uint32_t columns = 0;
    snprintf(text, sizeof text,
             "local weights = { b1 = 2 }\nlocal bonus = 0.25\nlocal function half(x) return x / 2 end\n"
             "ranking \"r\" { score = function(product, customer, page)\n%s\nend }",
             body);
    must_load(&world, text);
    const struct at_ranking *ranking = &world.generation->rankings[0];
    assert_both_ways(&ranking->score_report, ranking->score, false, text, &columns);
    begin_decision(&world, world.somebody);
    judge(&ranking->score_report, ranking->score, false, false, &outcome);
    at_decision_end(world.language, &world.view);
    assert_int_equal(outcome.status, AT_OK);
    return ranking->score_report.compiled && outcome.use.ran_on_columns;
}

static void what_people_write_runs_on_columns(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "local score = product.popularity\n"
        "if product.stock < 5 and customer.is_returning then score = score + 0.2 end\nreturn score",
        "local score = 0\nif product.rating and product.rating > 4 then score = score + 1 end\n"
        "if product.brand == 'b1' then score = score + bonus elseif product.vegan then score = score - 1 "
        "end\n"
        "return score * 2",
        "if product.stock == 0 then return -1 end\nif product.price > 30 then return half(product.price) "
        "end\n"
        "return product.price",
        "local n = 0\nfor i = 1, 3 do if product.stock > i then n = n + i end end\nreturn n",
        "local label\nif product.stock > 2 then label = 'many' end\nif label == 'many' then return 2 "
        "end\nreturn 1",
        "return product.rating or 3.5",
        "return product.vegan and 1 or 0",
        "return product.stock % 2 == 0 and product.stock // 2 or -product.balance",
        "return math.floor((product.price or 0) / 10) + math.max(product.stock or 0, 2)",
        "local w = weights[customer.traits.tier] or 1\nif product.stock > 1 then w = w + 1 end\nreturn w",
        "if not (product.price and product.stock > 1) then return end\nreturn product.price",
    };
    for (size_t i = 0; i < AT_LENGTH(bodies); i++)
        if (!runs_compiled(bodies[i])) fail_msg("not on columns: %s", bodies[i]);
}

/* Rules whose integers show: the sign of a zero, a division by zero that fails, numbers that doubles lose. */
static void integers_are_luas(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "local x = 0\nif product.stock > 2 then x = 3 end\nreturn x * -1",
        "local x = 0\nif product.stock > 2 then x = 0.0 end\nreturn -x",
        "local x = -5\nif product.stock > 2 then x = 5 end\nreturn 0 * x",
        "local x = -5\nif product.stock > 2 then x = 5 end\nreturn x % 5 + x // 5 * 0",
        "local x = -5\nif product.stock > 2 then x = -5.0 end\nreturn x % 5",
        "return product.rating:or_else(0) * -2",
        "return (product.rating + 0) * -3",
        "return when(product.vegan, 0, 1) * -1",
        "local x = 9007199254740993\nif product.stock > 2 then x = 1 end\nreturn x - 9007199254740992",
        "local x = 2^53\nif product.stock > 2 then x = 1 end\nreturn x + 1",
        "return math.floor(product.balance * -0.1) * -1",
        "return math.max(product.balance * 0, 0)",
        "local x = 4503599627370496\nif product.stock > 2 then x = 3 end\nreturn x * x",
    };
    for (size_t i = 0; i < AT_LENGTH(bodies); i++) runs_compiled(bodies[i]);
}

/* What fails for a product fails both ways, and only if a product comes there. */
static void what_fails_fails_both_ways(void **state) {
    (void)state;
    static const struct {
        const char *body;
        bool fails;
    } cases[] = {
        {"return math.floor(product.rating)", true},
        {"if product.rating then return math.floor(product.rating) end return 0", false},
        {"local bound = customer.traits.nothing or 3 return product.brand < bound", true},
        {"local more = customer.traits.nothing or 1 if product.stock > 99 then return product.brand + more end return 0",
         false},
        {"if product.stock > 2 then return product.vegan == true end return 0", true},
        {"if product.stock > 99 then return 'text' end return 0", false},
        {"local x = 0 if product.stock > 99 then x = 1 end return 5 // (x + 1)", false},
        {"local x = 0 if product.stock > 2 then x = 1 end return 5 // x", true},
        {"if product.stock > 2 then error('no') end return 0", true},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        static struct outcome outcome;
        char text[2000];
        uint32_t columns = 0;
        snprintf(text, sizeof text, "ranking \"r\" { score = function(product, customer, page)\n%s\nend }",
                 cases[i].body);
        must_load(&world, text);
        const struct at_ranking *ranking = &world.generation->rankings[0];
        assert_both_ways(&ranking->score_report, ranking->score, false, text, &columns);
        begin_decision(&world, world.nobody);
        judge(&ranking->score_report, ranking->score, false, false, &outcome);
        at_decision_end(world.language, &world.view);
        if ((outcome.status != AT_OK) != cases[i].fails)
            fail_msg("%s: %s", cases[i].body, outcome.err.message);
    }
}

/* What is not compiled says where, and what to write. */
static void what_prevents_it_is_told(void **state) {
    (void)state;
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"local n = #product.tags\nif n > 1 then return 1 end\nreturn 0", "#product.tags"},
        {"local t = {}\nt.x = product.price\nif product.stock > 1 then return 1 end return t.x",
         "t.x = product.price"},
        {"for i = 1, product.stock do if i == 2 then return 1 end end\nreturn 0",
         "for i = 1, product.stock do if i == 2 then return 1 end end"},
        {"if product.stock > 1 then return normalize(product.price) end\nreturn 0",
         "normalize(product.price)"},
        {"local n = 0\nwhile n < 3 do n = n + 1 if product.stock > n then return 1 end end\nreturn 0",
         "while n < 3 do n = n + 1 if product.stock > n then return 1 end end"},
        {"for i = 1, 2000 do if product.stock > i then return 1 end end\nreturn 0",
         "for i = 1, 2000 do if product.stock > i then return 1 end end"},
        {"if product.id == 'P001' then return 1 end\nreturn 0", "product.id"},
        {"if product.stock > 1 then return tostring(product.price) end\nreturn 0", "tostring(product.price)"},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        char text[2000];
        snprintf(text, sizeof text, "ranking \"r\" { score = function(product, customer, page)\n%s\nend }",
                 cases[i].body);
        must_load(&world, text);
        const struct at_rule_report *report = &world.generation->rankings[0].score_report;
        assert_true(!report->is_columnar && !report->compiled && report->line > 1);
        if (!at_text_is(report->text, cases[i].text))
            fail_msg("%s: \"%.*s\"", cases[i].body, (int)report->text.length, report->text.data);
    }
}

/* Each of the few graphs of a rule that asks for the customer is packed; one that is another each time is
 * not. */
static void a_rule_that_asks_for_the_customer_is_packed(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "local s = product.rating\nif product.stock < 5 and customer.has_ordered then s = s + product.price "
        "end\n"
        "if product.brand == 'b1' then s = s * product.balance end\nreturn s - product.age",
        "local s = product.affinity\nif product.stock > 1 then s = s + product.price * customer.orders.count "
        "+ "
        "product.seen end\nreturn s + product.rating",
        "if product.stock > 3 then return customer.affinity.brand[product.brand] end return product.price",
    };
    for (size_t i = 0; i < AT_LENGTH(bodies); i++) {
        char text[1000];
        uint32_t columns = 0;
        snprintf(text, sizeof text, "ranking \"r\" { score = function(product, customer)\n%s\nend }",
                 bodies[i]);
        must_load(&world, text);
        const struct at_ranking *ranking = &world.generation->rankings[0];
        for (int k = 0; k < 4; k++)
            assert_both_ways(&ranking->score_report, ranking->score, false, text, &columns);
        assert_int_equal(columns, 12);
        assert_true((world.language->packs.used > 0) == (i < 2));
    }
}

/* An explanation follows the branches that hold for the product. */
static void an_explanation_follows_the_branches(void **state) {
    (void)state;
    static struct outcome outcome;
    must_load(&world, "ranking \"r\" { score = function(product, customer)\n"
                      "local score = 0.5 * product.popularity\n" /* 2 */
                      "if product.stock < 3 then\n"
                      "  score = score + product.balance * 2\n" /* 4 */
                      "else\n"
                      "  score = score - product.stock * 3\n" /* 6 */
                      "end\n"
                      "if product.vegan then score = score + 0.2 end\n" /* 8 */
                      "return score\nend }");
    const struct at_ranking *ranking = &world.generation->rankings[0];
    assert_non_null(ranking->score_report.compiled);
    begin_decision(&world, world.somebody);
    judge(&ranking->score_report, ranking->score, false, true, &outcome);
    assert_true(outcome.status == AT_OK && outcome.use.ran_on_columns);
    for (uint32_t row = 0; row < 24; row++) {
        struct at_explained_term *terms;
        uint32_t count;
        double sum = 0;
        assert_int_equal(at_rule_terms(&outcome.use, row, outcome.out[row], &terms, &count), AT_OK);
        for (uint32_t i = 0; i < count; i++) sum += terms[i].value;
        assert_true(fabs(sum - outcome.out[row]) < 1e-12);
        assert_true(terms[0].line == 2 && at_text_is(terms[0].text, "0.5 * product.popularity"));
        bool is_low = row % 6 < 3;
        assert_true(terms[1].line == (is_low ? 4 : 6));
        assert_true(at_text_is(terms[1].text, is_low ? "product.balance * 2" : "product.stock * 3"));
        assert_int_equal(count, 2 + (row % 4 == 1));
        if (count == 3) assert_true(terms[2].line == 8 && terms[2].value == 0.2);
    }
    at_decision_end(world.language, &world.view);
}

/* ---- in production ---- */

/* The rule's text with another comparison: as if the compiler had written the wrong one. */
static struct at_compiled planted(const struct at_compiled *compiled, const char *right, const char *wrong) {
    struct at_compiled faulty = *compiled;
    char *text = at_arena_dup(&world.findings, compiled->text.data, compiled->text.length);
    assert_non_null(text);
    char *at = memmem(text, compiled->text.length, right, strlen(right));
    while (at) { /* not where the primitives are named */
        char *next = memmem(at + 1, (size_t)(text + compiled->text.length - at - 1), right, strlen(right));
        if (!next) break;
        at = next;
    }
    assert_true(at && strlen(right) == strlen(wrong));
    memcpy(at, wrong, strlen(wrong));
    faulty.text.data = text;
    return faulty;
}

/* Decisions until the rule is demoted. */
static int decide_until_demoted(const struct at_rule_report *report, int function, int most, char *said) {
    static struct outcome outcome, alone;
    struct at_rule_report rows_only = *report;
    rows_only.compiled = NULL;
    int decisions = 0;
    for (; decisions < most && !atomic_load(report->is_demoted); decisions++) {
        begin_decision(&world, decisions % 3 ? world.nobody : world.somebody);
        judge(report, function, false, false, &outcome);
        assert_int_equal(outcome.status, AT_OK);
        if (world.view.disagreements) {
            snprintf(said, 512, "%s", world.view.disagreement.message);
            judge(&rows_only, function, false, false, &alone); /* and it was answered the other way */
            assert_memory_equal(outcome.out, alone.out, world.row_count * sizeof(double));
        }
        at_decision_end(world.language, &world.view);
    }
    return decisions;
}

static void a_rule_that_disagrees_is_demoted(void **state) {
    (void)state;
    static const char body[] = "ranking \"r\" { score = function(product, customer)\n"
                               "if product.stock < 2 and not customer.has_ordered then return 3 end\n"
                               "return product.popularity end }";
    char said[512] = "";
    must_load(&world, body);
    const struct at_ranking *ranking = &world.generation->rankings[0];
    struct at_rule_report report = ranking->score_report;
    assert_non_null(report.compiled);
    assert_int_equal(decide_until_demoted(&report, ranking->score, 2 * AT_TWICE_EVERY, said),
                     2 * AT_TWICE_EVERY);
    must_load(&world, body);
    ranking = &world.generation->rankings[0];
    report = ranking->score_report;
    struct at_compiled faulty = planted(report.compiled, "__at_lt", "__at_le");
    report.compiled = &faulty;
    int decisions = decide_until_demoted(&report, ranking->score, 10000, said);
    printf("property: demoted after %d decisions: %s\n", decisions, said);
    assert_true(decisions < 10000);
    assert_non_null(strstr(said, "scripts/a.lua:1 \"r\" gives "));
    assert_non_null(strstr(said, "for product P"));
    static struct outcome outcome;
    begin_decision(&world, world.nobody);
    judge(&report, ranking->score, false, false, &outcome);
    assert_true(outcome.status == AT_OK && !outcome.use.ran_on_columns);
    at_decision_end(world.language, &world.view);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_write_runs_on_columns),
        cmocka_unit_test(integers_are_luas),
        cmocka_unit_test(what_fails_fails_both_ways),
        cmocka_unit_test(what_prevents_it_is_told),
        cmocka_unit_test(compiled_rules_agree_bit_for_bit),
        cmocka_unit_test(a_rule_that_disagrees_is_demoted),
        cmocka_unit_test(an_explanation_follows_the_branches),
        cmocka_unit_test(a_rule_that_asks_for_the_customer_is_packed),
    };
    shop_world_init(&world, 96);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    shop_world_clear(&world);
    return failed;
}
