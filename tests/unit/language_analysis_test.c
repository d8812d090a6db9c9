/* SPDX-License-Identifier: Apache-2.0
 *
 * What a look at the source finds: which way a rule runs, with the words that prevent columns; the terms of
 * its score; and the mistakes of a file, as a marketer reads them.
 */
#include "catalog_world.h"
#include "language/analysis.h"

static struct at_arena arena;
static const char *const globals[] = {"ranking", "rail",   "when", "all",         "any",
                                      "no",      "min",    "max",  "math",        "string",
                                      "pairs",   "ipairs", "type", "customer_of", NULL};
static const char *const words[] = {"when", "min", "max", "all", "any", "no", NULL};
static const char *const methods[] = {"above",  "below",    "at_least", "is", "is_not",
                                      "one_of", "contains", "or_else",  NULL};
static const struct at_vocabulary vocabulary = {globals, words, methods, NULL, NULL};

/* ---- rules ---- */

/* The value of the local r, which the file ends with. */
static struct at_node *rule_of(const struct at_node *block) {
    const struct at_node *last = block->list;
    while (last->next) last = last->next;
    assert_true(last->kind == AT_NODE_LOCALS && last->list2->kind == AT_NODE_FUNCTION);
    return last->list2;
}

static struct at_rule_report analyse(const char *text) {
    struct at_node *block;
    struct at_rule_report report;
    struct at_fault *faults;
    at_arena_reset(&arena);
    assert_int_equal(at_parse(&arena, at_text_of(text), &block, &faults), AT_OK);
    if (faults) fail_msg("%s: %s", text, faults->message);
    assert_int_equal(at_rule_analyse(&arena, at_text_of(text), block, rule_of(block), &vocabulary, &report),
                     AT_OK);
    return report;
}

static char last_text[2000];
static struct at_rule_report analyse_body(const char *body) {
    snprintf(last_text, sizeof last_text, "local r = function(product, customer, page) %s end", body);
    return analyse(last_text);
}

static void rules_that_run_on_columns(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "return product.price",
        "return 0.4 * product.affinity + 0.2 * product.taste - product.seen ^ 2 / 3",
        "return -product.price",
        "local a = product.price local b = a + 1 return b",
        "return when(product.age:below '14d', 0.1)",
        "if customer.session.intent == 'buy' then return product.price end return 0",
        "local p = product return p.price",
        "return all(product.age:below '30d', customer.affinity.brand[product.brand]:above(0.5))",
        "return product.tags:contains 'sale'",
        "local n = 0 for i = 1, 3 do n = n + i * product.price end return n",
        "return max(product.price, customer.orders.average)",
        "local n = 0 for _, t in ipairs(customer.traits.tags) do n = n + product.price end return n",
        "return 5",
        "return customer.is_known and product.price",
        "local x x = product.price return x",
        "return product['price']",
        "return customer.orders.average:below(product.price)",
        "return product.brand:one_of(page.product.rival_brands)",
        "local function half(x) return x / 2 end return half(product.price)",
        "local t = { customer.country } return product.price + #t",
        "return product.price + math.max(1, customer.orders.count)",
        "do local a = 1 return product.price + a end",
        "while customer.x do return product.price end return 1",
        "local t = {} t.x = 1 return product.price + t.x"};
    for (size_t i = 0; i < AT_LENGTH(bodies); i++) {
        struct at_rule_report report = analyse_body(bodies[i]);
        if (!report.is_columnar) fail_msg("%s: %.*s", bodies[i], (int)report.text.length, report.text.data);
        assert_int_equal(report.line, 0);
    }
}

static void rules_that_go_product_by_product_and_why(void **state) {
    (void)state;
    static const struct {
        const char *body, *text, *advice;
    } cases[] = {
        {"if product.price > 100 then return 1 end return 0", "product.price > 100",
         "product.price:above(100)"},
        {"local a = product.price local b = a if b then return 1 end", "b", "when(condition, yes, no)"},
        {"return product.rating or 3.5", "product.rating or 3.5", ":or_else(value)"},
        {"return product.a and product.b", "product.a and product.b", "all(a, b)"},
        {"return not product.vegan", "not product.vegan", "no(condition)"},
        {"return #product.tags", "#product.tags", ""},
        {"return 'a' .. product.brand", "'a' .. product.brand", ""},
        {"return product.price % 2", "product.price % 2", ""},
        {"return product.price // 2", "product.price // 2", ""},
        {"return 1 & product.price", "1 & product.price", ""},
        {"return math.floor(product.price)", "math.floor(product.price)", ""},
        {"return product.title:upper()", "product.title:upper()", ""},
        {"return product:unknown()", "product:unknown()", ""},
        {"for i = 1, product.stock do end", "product.stock", ""},
        {"for _, t in ipairs(product.tags) do end", "ipairs(product.tags)", ""},
        {"while product.price:above(3) do end", "product.price:above(3)", ""},
        {"repeat local x = product.price until x", "x", ""},
        {"local t = { product.price } return 1", "product.price", ""},
        {"local t = {} return t[product.brand]", "t[product.brand]", ""},
        {"local t = {} t.x = product.price", "t.x = product.price", "local"},
        {"local f = function() return product.price end return f()", "function() return product.price end",
         ""},
        {"local function f() return product.price > 1 end if f() then return 1 end",
         "local function f() return product.price > 1 end", ""},
        {"local function f(x) return x > 1 end return f(product.price)", "x > 1", ":above"},
        {"local function f(...) return ... end return f(product.price)", "f(product.price)", ""},
        {"local f = function(x) return x end f = math.floor return f(product.price)", "f(product.price)", ""},
        {"return customer_of(product)", "customer_of(product)", ""},
        {"return product.id:is 'x'", "product.id", ""},
        {"local t = { above = function(s, x) return x > 1 end } return t:above(product.price)",
         "t:above(product.price)", ""},
        {"goto done ::done:: return product.price", "goto done", ""},
        {"return product == page.product", "product == page.product", ""},
        {"local max = function(a, b) if a > b then return a end return b end return max(product.price, 1)",
         "a > b", ""},
        {"for i = 1, 2 do local y = x end x = product.price", "x = product.price", ""},
        {"local a, b, c for i = 1, 3 do if a then return 1 end a = b b = c c = product.price end", "a", ""},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct at_rule_report report = analyse_body(cases[i].body);
        if (report.is_columnar) fail_msg("on columns: %s", cases[i].body);
        if (!at_text_is(report.text, cases[i].text))
            fail_msg("%s: %.*s, not %s", cases[i].body, (int)report.text.length, report.text.data,
                     cases[i].text);
        assert_non_null(strstr(report.advice, cases[i].advice));
        assert_int_equal(report.line, 1);
        assert_int_equal(report.column - 1, report.text.data - last_text);
    }
    struct at_rule_report report =
        analyse("local t = {} local r = function(product) t.n = 1 return product.price end");
    assert_false(report.is_columnar); /* once a call, or once a product: not the same */
    report = analyse("local r = function(...) local p = ... return p.price end");
    assert_false(report.is_columnar);
    report = analyse("local r = function(product, ...) return product.price end");
    assert_false(report.is_columnar);
    report = analyse("local r = function(a, customer) return customer.affinity.brand[a.brand] end");
    assert_true(report.is_columnar);
    report = analyse("local r = function(a, b) b = {} return b.affinity.brand[a.brand] end");
    assert_false(report.is_columnar);
}

/* Functions of the file that the rule calls by their names. */
static void helpers_of_the_file_are_looked_at(void **state) {
    (void)state;
    static const struct {
        const char *helpers, *body, *text; /* text: what prevents columns; NULL: nothing */
    } cases[] = {
        {"local function half(x) return x / 2 end", "return half(product.price)", NULL},
        {"local half = function(x) return x / 2 end", "return half(product.price)", NULL},
        {"local w = 3 local function f(p) return p.price * w end", "return f(product)", NULL},
        {"local function f(x) return x / 2 end local function g(x) return f(x) + 1 end",
         "return g(product.a)", NULL},
        {"local function f(x, n) if n == 0 then return x end return f(x, n - 1) end",
         "return f(product.a, 3)", NULL},
        {"local function f(p, c) return c.affinity.brand[p.brand] end", "return f(product, customer)", NULL},
        {"local function f(x) local t = {} t.n = 1 return x + t.n end", "return f(product.a)", NULL},
        {"local function f(c) if c.is_known then return 1 end return 2 end", "return f(customer) * product.a",
         NULL},
        {"local function f(x) if x > 1 then return 1 end return 2 end", "return f(2) * product.a", NULL},
        {"local function f(x) if x > 1 then return 1 end return 2 end", "return f(product.a)", "x > 1"},
        {"local function f(x) return x % 2 end local function g(x) return f(x) end", "return g(product.a)",
         "x % 2"},
        {"local function f(p, c) return c.affinity.brand[p.brand] end",
         "return f(product, customer) + f(product, page)", "c.affinity.brand[p.brand]"},
        {"local function f(p, c) return c.affinity.brand[p.brand] end", "return f(product)",
         "c.affinity.brand[p.brand]"},
        {"local function f(p, c) c = page return c.affinity.brand[p.brand] end",
         "return f(product, customer)", "c.affinity.brand[p.brand]"},
        {"local f = function(x) return x end f = math.floor", "return f(product.a)", "f(product.a)"},
        {"local f = function(x) return x end function f(x) return x > 1 end", "return f(product.a)",
         "f(product.a)"},
        {"local function f(x) f = x return x end", "return f(product.a)", "f(product.a)"},
        {"local function f(...) return ... end", "return f(product.a)", "f(product.a)"},
        {"local last local function f(x) local y = last last = x return y end", "return f(product.a)",
         "last = x"},
        {"local t = {} local function f(x) t.n = 1 return x end", "return f(product.a)", "t.n = 1"},
        {"local t = {n = 0} local function f() t.n = t.n + 1 return t.n end", "return f() * product.a",
         "t.n = t.n + 1"},
        {"local kept = {} local function f(t, x) t.n = 1 return x end", "return f(kept, product.a)",
         "t.n = 1"},
        {"local fs = {f = function(x) return x end}", "return fs.f(product.a)", "fs.f(product.a)"},
        {"local function f(x) local function g() return x end return g() end", "return f(product.a)",
         "local function g() return x end"},
        {"local function f(x) return function() return x end end", "return f(product.a)()",
         "function() return x end"},
        {"local function apply(f, x) return f(x) end local function h(x) return x end",
         "return apply(h, product.a)", "f(x)"},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        char text[400];
        snprintf(text, sizeof text, "%s\nlocal r = function(product, customer, page) %s end",
                 cases[i].helpers, cases[i].body);
        struct at_rule_report report = analyse(text);
        if (report.is_columnar != !cases[i].text)
            fail_msg("%s: %.*s", text, (int)report.text.length, report.text.data);
        if (cases[i].text && !at_text_is(report.text, cases[i].text))
            fail_msg("%s: %.*s", text, (int)report.text.length, report.text.data);
    }
    struct at_rule_report report =
        analyse("local r r = 1 local function score(p, c) return c.affinity.brand[p.brand] "
                "end local r = function(product) return score(product, r) end");
    assert_false(report.is_columnar);
}

/* What was found out about a helper for one rule says nothing of another, and a rule may not call itself. */
static void rules_of_one_file_do_not_mix(void **state) {
    (void)state;
    const char *text =
        "local function f(x) if x > 1 then return 1 end return 2 end\n"
        "local function one(product) return f(product.a) end\n"
        "local function two(product) return f(3) * product.a end\n"
        "local function three(p, c) if c == 1 then return three({}, 2) end return three(p, c) end";
    static const bool expected[] = {false, false, true, false};
    struct at_node *block;
    struct at_rule_report report;
    struct at_fault *faults;
    at_arena_reset(&arena);
    assert_int_equal(at_parse(&arena, at_text_of(text), &block, &faults), AT_OK);
    assert_null(faults);
    for (int round = 0; round < 2; round++) {
        const bool *is_columnar = expected;
        for (const struct at_node *node = block->list; node; node = node->next, is_columnar++) {
            assert_int_equal(at_rule_analyse(&arena, at_text_of(text), block, node->b, &vocabulary, &report),
                             AT_OK);
            assert_int_equal(report.is_columnar, *is_columnar);
        }
    }
}

static void terms_of_helpers_stand_where_they_are_written(void **state) {
    (void)state;
    struct at_rule_report report =
        analyse("local function sum(x, y)\n  return x + 2 * y\nend\n"
                "local r = function(product)\n"
                "  return sum(3 * product.a, product.b) +\n    sum(product.c / 2 - product.d, 4)\nend");
    static const struct {
        uint32_t line;
        const char *text;
    } expected[] = {{2, "2 * y"}, {2, "2 * y"}, {5, "3 * product.a"}, {6, "product.c / 2"}, {6, "product.d"}};
    assert_int_equal(report.term_count, AT_LENGTH(expected));
    for (size_t i = 0; i < report.term_count; i++) {
        assert_true(at_text_is(report.terms[i].text, expected[i].text));
        assert_int_equal(report.terms[i].line, expected[i].line);
    }
}

static void terms_are_the_summands_line_by_line(void **state) {
    (void)state;
    struct at_rule_report report = analyse(
        "local r = function(product, customer)\n"
        "  local fit = 0.40 * product.affinity +\n    0.20   *   product.taste\n"
        "  local proof = (product.popularity - product.rating / 5)\n"
        "  if customer.x then proof = proof + 0.15 * product.conversion end\n"
        "  return fit + proof + customer.orders.count - 0.30 * product.seen + min(product.a + product.b, 2)\n"
        "end");
    static const struct {
        uint32_t line;
        const char *text;
    } expected[] = {{2, "0.40 * product.affinity"},      {3, "0.20 * product.taste"},
                    {4, "product.popularity"},           {4, "product.rating / 5"},
                    {5, "0.15 * product.conversion"},    {6, "0.30 * product.seen"},
                    {6, "min(product.a + product.b, 2)"}};
    assert_int_equal(report.term_count, AT_LENGTH(expected));
    for (size_t i = 0; i < report.term_count; i++) {
        assert_true(at_text_is(report.terms[i].text, expected[i].text));
        assert_int_equal(report.terms[i].line, expected[i].line);
    }
}

static void long_sums_and_tangled_locals_end(void **state) {
    (void)state;
    char text[20000], *at = text + sprintf(text, "local r = function(product) return product.a");
    for (int i = 0; i < 100; i++) at += sprintf(at, " + product.a%d", i);
    sprintf(at, " end");
    assert_int_equal(analyse(text).term_count, 101);
    at = text + sprintf(text, "local r = function(product) local a0 = product.a ");
    for (int i = 1; i < 60; i++) at += sprintf(at, "local a%d = a%d + a%d ", i, i - 1, i - 1);
    sprintf(at, "return a59 end");
    assert_true(analyse(text).term_count > 0); /* 2^59 summands */
    at = text + sprintf(text, "local r = function(product) local a0");
    for (int i = 1; i < 14; i++) at += sprintf(at, ", a%d", i);
    at += sprintf(at, " = product.a ");
    for (int i = 0; i < 14; i++) {
        at += sprintf(at, "a%d = 1", i);
        for (int k = 0; k < 14; k++) at += sprintf(at, " + a%d", k);
        at += sprintf(at, " ");
    }
    sprintf(at, "return a0 end");
    analyse(text);
    at = text + sprintf(text, "local r = function(product) ");
    for (int i = 0; i < 12; i++) {
        at += sprintf(at, "local function f%d(x) ", i);
        for (int k = 0; i && k < 30; k++) at += sprintf(at, "f%d(x) ", i - 1);
        at += sprintf(at, "return x end ");
    }
    sprintf(at, "return f11(product.a) end");
    assert_true(analyse(text).is_columnar); /* 30^11 calls */
}

/* ---- files ---- */

/* The errors; of warnings language_wrong_test.c knows. */
static struct at_finding *check(const char *text) {
    struct at_finding *findings;
    at_arena_reset(&arena);
    assert_int_equal(at_source_check(&arena, at_text_of(text), &vocabulary, &findings), AT_OK);
    for (struct at_finding **at = &findings; *at;)
        if ((*at)->is_warning)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    return findings;
}

static void a_good_file_has_no_findings(void **state) {
    (void)state;
    assert_null(check(""));
    assert_null(check("local x = 1\nlocal function f(a) a = a + x return a end\nranking 'x' { score = f, [x] "
                      "= pairs }\nfor i = 1, 2 do x = i end"));
    assert_null(
        check("local t = {}\nlocal function f() t.x = 1 end")); /* the table is refused where it is frozen */
}

static void findings_say_what_and_where(void **state) {
    (void)state;
    static const struct {
        const char *text, *code, *message, *hint;
        uint32_t line, column;
    } cases[] = {
        {"local x =\n  wen(1)", "unknown_name", "unknown name 'wen' — did you mean 'when'?", "write when", 2,
         3},
        {"local x = qqqqq", "unknown_name", "unknown name 'qqqqq'", "", 1, 11},
        {"local function f() if false then return prodct end end", "unknown_name", "unknown name 'prodct'",
         "", 1, 41},
        {"local max_price = 3 return max_prise", "unknown_name",
         "unknown name 'max_prise' — did you mean 'max_price'?", "write max_price", 1, 28},
        {"limit = 3", "assigned_global", "'limit' is not declared", "write local limit = …", 1, 1},
        {"when = 3", "assigned_global", "'when' is a word of the language and cannot be set", "local my_when",
         1, 1},
        {"local n = 0\nlocal function f() n = n + 1 end", "assigned_outside",
         "nothing lives in Lua between calls", "local n = …", 2, 20},
        {"function f() end", "assigned_global", "'f' is not declared", "", 1, 10},
        {"return _ENV", "unknown_name", "unknown name '_ENV'", "", 1, 8},
        {"local _ENV = {}", "unknown_name", "unknown name '_ENV'", "", 1, 7},
        {"if 1 != 2 then end", "syntax", "\"!=\" is not known here: \"is not\" is written ~=", "write ~=", 1,
         6},
        {"local x = 1\nx += 1", "syntax", "no short form", "x = x + 1", 2, 1},
        {"local x = \xE2\x80\x9Chi\xE2\x80\x9D", "syntax", "these quotes are curly", "write \"hi\"", 1, 11},
        {"if 1 then\nelse if 2 then\nend", "syntax", "\"else if\" begins an if of its own", "elseif", 2, 1},
        {"ranking 'a' {\n  score = 1\n  first = 2\n}", "syntax", "stands a comma", "comma", 2, 12},
        {"if 1 && 2 then end", "syntax", "\"&&\" is not known here", "write and", 1, 6},
        {"if x = 1 then end", "syntax", "one = sets a value", "==", 1, 6},
        {"local x = 'abc", "syntax", "closing quote", "", 1, 11},
        {"local x = 7d", "syntax", "a time stands in quotes", "\"7d\"", 1, 11},
        {"f(", "syntax", "the \"(\" of line 1 has no \")\"", "write )", 1, 2},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct at_finding *finding = check(cases[i].text);
        if (!finding) fail_msg("nothing found: %s", cases[i].text);
        if (strcmp(finding->code, cases[i].code) != 0 || !strstr(finding->message, cases[i].message) ||
            !strstr(finding->hint, cases[i].hint) || finding->line != cases[i].line ||
            finding->column != cases[i].column)
            fail_msg("%s\n%u:%u %s: %s (%s)", cases[i].text, finding->line, finding->column, finding->code,
                     finding->message, finding->hint);
    }
}

static void findings_come_in_order(void **state) {
    (void)state;
    struct at_finding *finding = check("b = aa\nlocal function f() c1 = bb.cc[dd] end\nee()");
    static const struct {
        uint32_t line, column;
    } places[] = {{1, 1}, {1, 5}, {2, 20}, {2, 25}, {2, 31}, {3, 1}};
    for (size_t i = 0; i < AT_LENGTH(places); i++, finding = finding->next) {
        assert_non_null(finding);
        assert_int_equal(finding->line, places[i].line);
        assert_int_equal(finding->column, places[i].column);
    }
    assert_null(finding);
}

static void a_finding_reads_like_this(void **state) {
    (void)state;
    const char *text = "local a = 1\r\n\tlocal b = \"ä\" .. wen(1)\r\n";
    struct at_finding *finding = check(text);
    struct at_bytes out;
    at_bytes_init(&out, 10000);
    at_finding_print(&out, "scripts/a.lua", at_text_of(text), finding);
    assert_string_equal(out.data, "scripts/a.lua:2:20  unknown name 'wen' — did you mean 'when'?\n"
                                  "    \tlocal b = \"ä\" .. wen(1)\n"
                                  "    \t                 ^^^\n"
                                  "    Hint: write when\n");
    at_bytes_clear(&out);
}

static void out_of_memory_is_a_status(void **state) {
    (void)state;
    const char *text = "local r = function(product, c) local a = product.x + product.y if a then zz = wen(1) "
                       "end return a * 2 + product.z end";
    for (size_t room = 0;; room += 64) {
        struct at_arena small;
        struct at_finding *findings;
        struct at_node *block = NULL;
        struct at_fault *faults;
        struct at_rule_report report;
        at_arena_init(&small, room);
        enum at_status status = at_source_check(&small, at_text_of(text), &vocabulary, &findings);
        if (status == AT_OK) status = at_parse(&small, at_text_of(text), &block, &faults);
        if (status == AT_OK)
            status = at_rule_analyse(&small, at_text_of(text), block, rule_of(block), &vocabulary, &report);
        at_arena_clear(&small);
        assert_true(status == AT_OK || status == AT_NOMEM);
        if (status == AT_OK) break;
        assert_true(room < 1 << 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_that_run_on_columns),
        cmocka_unit_test(rules_that_go_product_by_product_and_why),
        cmocka_unit_test(helpers_of_the_file_are_looked_at),
        cmocka_unit_test(rules_of_one_file_do_not_mix),
        cmocka_unit_test(terms_of_helpers_stand_where_they_are_written),
        cmocka_unit_test(terms_are_the_summands_line_by_line),
        cmocka_unit_test(long_sums_and_tangled_locals_end),
        cmocka_unit_test(a_good_file_has_no_findings),
        cmocka_unit_test(findings_say_what_and_where),
        cmocka_unit_test(findings_come_in_order),
        cmocka_unit_test(a_finding_reads_like_this),
        cmocka_unit_test(out_of_memory_is_a_status),
    };
    at_arena_init(&arena, 1 << 26);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    at_arena_clear(&arena);
    return failed;
}
