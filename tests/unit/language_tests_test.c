/* SPDX-License-Identifier: Apache-2.0
 *
 * The tests beside the scripts: what passes and what is said of what does not, the world they run in, costs,
 * coverage, and the bound on all of them.
 */
#include "language/world.h"
#include "language_world.h"

GENERATED_CASES;

static struct shop_world world;
static struct at_test_report report;
static const char *fixture_path, *fixture_text;

/* ---- running ---- */

static enum at_status read_fixture(void *arg, const char *path, struct at_arena *arena, struct at_text *out,
                                   struct at_error *err) {
    (void)arg;
    (void)err;
    (void)arena;
    if (!fixture_path || strcmp(path, fixture_path) != 0) return AT_NOTFOUND;
    *out = at_text_of(fixture_text);
    return AT_OK;
}

static struct at_test_options options(void) {
    return (struct at_test_options){.generation = world.generation,
                                    .settings = world.settings,
                                    .read = read_fixture,
                                    .arena = &world.findings};
}

static void run_with(const char *text, bool covers, uint64_t bound_ns) {
    struct at_error err = {0};
    must_load(&world, text);
    struct at_test_options wanted = options();
    wanted.covers = covers;
    wanted.bound_ns = bound_ns;
    if (at_tests_run(&wanted, &report, &err) != AT_OK) fail_msg("%s", err.message);
}

static void run(const char *text) {
    run_with(text, false, 0);
}

static const char *failure(void) {
    static char text[600];
    for (uint32_t i = 0; i < report.count; i++) {
        const struct at_test_result *result = &report.results[i];
        if (result->outcome != AT_TEST_FAILED) continue;
        snprintf(text, sizeof text, "%s:%u:%u %s", result->path, result->finding.line, result->finding.column,
                 result->finding.message);
        return text;
    }
    return "";
}

static void must_pass(const char *text) {
    run(text);
    if (report.failed || report.passed != report.count) fail_msg("%s\n--- %s", failure(), text);
}

/* ---- expectations ---- */

#define PRODUCTS                                                                                             \
    "given = { products = {"                                                                                 \
    " { id = 'a', stock = 3, price = 10, brand = 'Acme', tags = { 'new', 'sale' } },"                        \
    " { id = 'b', stock = 0, price = 20, brand = 'Acme' },"                                                  \
    " { id = 'c', price = 5, brand = 'Birch', age = '3d', popularity = 0.5 } } },"
#define TEST(body) "test 't' { " PRODUCTS " run = function(world)\n" body "\nend }"
#define DEAREST    "ranking 'dear' { score = function(product) return product.price end }\n"

static void what_holds_passes(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "expect(1):is(1) expect('x'):is 'x' expect(nil):is(nil) expect(nil):is_nil() expect(1):is_not_nil()",
        "expect(days(2)):is '2d' expect(0.05):is '5%' expect(1):is_not(2) expect(nil):is_not(0)",
        "expect(2):above(1) expect(1):below '1d' expect(2):at_least(2) expect(2):at_most(2) "
        "expect(2):between(1, 3)",
        "expect({ 1, { 'a', b = 2 } }):is { 1, { 'a', b = 2 } } expect({ 1 }):is_not { 1, 2 }",
        "expect({ a = 1 }):is_not { a = 1, b = 2 } expect({ 'x', 'y' }):contains 'y' expect({}):lacks 'y'",
        "expect('b'):one_of { 'a', 'b' } expect({ 'x' }):contains { 'y', 'x' }",
        "expect(world:rank('dear')[1]):is 'b' expect(world:rank('dear')):is { 'b', 'a', 'c' }",
        "expect(world:rank('dear')):contains 'a' expect(world:rank 'dear'):lacks 'z'",
        "expect(world:rank('dear')):keeps { by = 'brand', at_most = 2, within = 3 }",
        "local a = world:rank('dear', { items = { 'a' } })[1] expect(a.tags):contains 'sale' "
        "expect(a.tags):is { 'new', 'sale' }",
        "expect(world:rank('dear', { where = { brand = 'Acme' }, sort = 'price', limit = 1 })):is { 'a' }",
        "expect(world:rank('dear', { offset = 1 })):is { 'a', 'c' }",
        "local answer = world:decide { ask = { one = { ranking = 'dear', limit = 1 }, "
        "two = { ranking = 'dear', where = { brand = 'Birch' } } } } "
        "expect(answer.one):is { 'b' } expect(answer.two):is { 'c' }",
    };
    for (size_t i = 0; i < AT_LENGTH(bodies); i++) {
        char text[1200];
        snprintf(text, sizeof text, DEAREST TEST("%s"), bodies[i]);
        must_pass(text);
    }
}

static void what_does_not_hold_is_said_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *body, *says;
    } cases[] = {
        {"local x = 1\n  expect(x):is(2)", "scripts/a.lua:4:3 test \"t\": expected 2, got 1"},
        {"expect(nil):above(0)", "scripts/a.lua:3:1 test \"t\": expected above 0, got nothing"},
        {"expect(3):between(1, 2)", "scripts/a.lua:3:1 test \"t\": expected between 1 and 2, got 3"},
        {"expect('a'):is_not 'a'", "scripts/a.lua:3:1 test \"t\": expected anything but \"a\", got \"a\""},
        {"expect(world:rank('dear')):is { 'a' }",
         "scripts/a.lua:3:1 test \"t\": expected { \"a\" }, got { b, a, c }"},
        {"expect(world:rank('dear')):keeps { by = 'brand', at_most = 1, within = 2 }",
         "scripts/a.lua:3:1 test \"t\": expected at most 1 of one brand among 2 neighbours, got { b, a, c }"},
        {"expect({}):contains 'x'", "scripts/a.lua:3:1 test \"t\": expected a list with \"x\", got {}"},
        {"pcall(function() expect(1):is(2) end)", "scripts/a.lua:3:18 test \"t\": expected 2, got 1"},
        {"for _, p in ipairs(world:rank('dear', { items = {} })) do expect(p):is(1) end",
         "scripts/a.lua:2:1 test \"t\": nothing was expected, so nothing was tested"},
        {"local x = nil + {}", "scripts/a.lua:3:1 test \"t\": this value cannot be calculated with"},
        {"world:rank 'deer'",
         "scripts/a.lua:3:1 test \"t\": there is no ranking \"deer\" — did you mean \"dear\"?"},
        {"world:rank('dear', { where = { bramd = 'x' } })",
         "scripts/a.lua:3:1 test \"t\": products have no attribute \"bramd\" — did you mean \"brand\"?"},
        {"world:rank('dear', { items = { 'z' } })",
         "scripts/a.lua:3:1 test \"t\": items: there is no product \"z\" in this test"},
        {"world:wait(2)", "scripts/a.lua:3:1 test \"t\": world:wait(2): 2 what? write \"2d\""},
        {"world:rank('dear', { customer = { user_id = 'nobody' } })",
         "scripts/a.lua:3:1 test \"t\": nobody in this test is that customer"},
        {"world:rank('dear', { customer = { user_id = ('x'):rep(100000) } })",
         "scripts/a.lua:3:1 test \"t\": nobody in this test is that customer"},
        {"world:rank('dear', { customer = { [('x'):rep(100000)] = 'x' } })",
         "scripts/a.lua:3:1 test \"t\": nobody in this test is that customer"},
        {"expect({ 1 }):above(0)",
         "scripts/a.lua:3:1 test \"t\": expect(…):above is about one value, this is a list"},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        char text[1200];
        snprintf(text, sizeof text, DEAREST TEST("%s"), cases[i].body);
        run(text);
        assert_string_equal(failure(), cases[i].says);
        assert_int_equal(report.failed, 1);
    }
}

static void a_rule_that_fails_fails_the_test(void **state) {
    (void)state;
    run("ranking 'r' { score = function(product) error 'no' end }\n" TEST("world:rank 'r'"));
    assert_string_equal(failure(), "scripts/a.lua:3:1 test \"t\": ranking \"r\" failed: scripts/a.lua:1: no");
    run(DEAREST "rail 'bad' { hide = function(product) error 'oh' end }\n" TEST("world:rank 'dear'"));
    assert_non_null(strstr(failure(), "ranking \"dear\" failed: scripts/a.lua:2: oh"));
}

/* What a test may not say stops the load, also where it would not run. */
static void words_that_are_not_there_are_found_before_anything_runs(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"test 't' { run = function(world) if false then world:ramk 'x' end end }",
         "world has no field \"ramk\" — did you mean \"rank\"?"},
        {"test 't' { run = function(w) if false then expect(w.sent[1]):is 'x' end end }",
         "world.sent is not in this version"},
        {"test 't' { run = function(w) if false then expect(1):iss(1) end end }",
         "expect has no field \"iss\" — did you mean \"is\"?"},
        {"test 't' { run = function(world) if false then world:rank('dear', { wher = {} }) end end }",
         "an ask has no field \"wher\" — did you mean \"where\"?"},
        {"test 't' { run = function(world) return world.customer.predicted end }",
         "customer.predicted is not in this version"},
        {"test 't' { given = { customer = { predicted = {} } }, run = function(world) end }",
         "given.customer.predicted is not in this version"},
        {"test 't' { run = function(world) if false then world:event('product_veiwed') end end }",
         "there is no event \"product_veiwed\" — did you mean \"product_viewed\"?"},
        {"test 't' { given = { custmer = {} }, run = function(world) end }",
         "given has no field \"custmer\" — did you mean \"customer\"?"},
        {"test 't' { runs = function() end }", "a test has no field \"runs\" — did you mean \"run\"?"},
        {"test 't' { given = {} }", "test \"t\" needs run = function(world) … end"},
        {"test 't' { run = function() end }\ntest 't' { run = function() end }",
         "there is already a test \"t\", in scripts/a.lua:1"},
        {"expect(1):is(1)", "expect belongs in the run of a test"},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        assert_int_equal(shop_world_load_used(&world, cases[i].text), AT_UNPROCESSABLE);
        assert_string_equal(first_finding(&world), cases[i].says);
    }
}

/* ---- what is given ---- */

#define GIVEN(customer, body)                                                                                \
    "test 't' { given = { customer = {" customer                                                             \
    "} }, run = function(world) local c = world.customer\n" body "\nend }"

static void given_changes_what_it_names(void **state) {
    (void)state;
    static const char *const tests[] = {
        GIVEN("", "expect(c.email):is 'customer@shop.example' expect(c.phone):is '+4915123456789' "
                  "expect(c.is_known):is(true) expect(c.has_ordered):is(false) "
                  "expect(c.consent.sms_marketing):is 'granted' expect(c:may 'personalization'):is(true)"),
        GIVEN("is_known = false", "expect(c.email):is_nil() expect(c.is_known):is(false)"),
        GIVEN("email = 'A@B.example', phone = false",
              "expect(c.email):is 'a@b.example' expect(c.phone):is_nil()"),
        GIVEN("orders = { count = 6 }",
              "expect(c.orders.count):is(6) expect(c.orders.revenue):is(300) "
              "expect(c.orders.since_last):is '30d' expect(c.is_returning):is(true)"),
        GIVEN("orders = { count = 3, revenue = 100, since_last = '2d' }",
              "expect(c.orders.revenue):is(100) expect(c.orders.since_last):is '2d' "
              "expect(c.orders.first_at):is(now() - days(62))"),
        GIVEN("traits = { tier = 'gold', likes = { brand = { 'Acme' } } }, first_name = 'Ann'",
              "expect(c.traits.tier):is 'gold' expect(c.first_name):is 'Ann' "
              "expect(c.traits.likes.brand):contains 'Acme'"),
        GIVEN("country = 'FR', locale = 'fr', timezone = 'Europe/Paris'",
              "expect(c.country):is 'FR' expect(c.locale):is 'fr' expect(c.timezone):is 'Europe/Paris'"),
        GIVEN("affinity = { brand = { Acme = 0.8, Birch = 0.2 } }",
              "expect(c.affinity.brand['Acme']):is(0.8) expect(c.affinity.brand['Birch']):is(0.2) "
              "world:event('product_viewed', { product_id = 'x' }) "
              "expect(c.affinity.brand['Acme']):is(0.8)"),
        GIVEN("affinity = { brand = { Acme = 0.8 } }, consent = { personalization = false }",
              "expect(c.affinity.brand['Acme']):is(0) expect(c.consent.personalization):is 'denied' "
              "expect(c:may 'personalization'):is(false)"),
        GIVEN("consent = { email_marketing = 'unknown' }", "expect(c.consent.email_marketing):is 'unknown' "
                                                           "expect(c:may 'email_marketing'):is(false)"),
        GIVEN("session = { source = 'newsletter', device = 'mobile', landing = '/sale' }",
              "expect(c.session.source):is 'newsletter' expect(c.session.device):is 'mobile' "
              "expect(c.session.is_live):is(true) expect(c.acquired.landing):is '/sale'"),
        "test 't' { run = function(world) expect(world.now):is(1780394400000) end }", /* Tuesday, 10:00 */
        "test 't' { at = '2026-11-27 21:30', run = function(world) expect(world.now):is(1795815000000) end }",
    };
    for (size_t i = 0; i < AT_LENGTH(tests); i++) must_pass(tests[i]);
}

static void given_that_says_nothing_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *test, *says;
    } cases[] = {
        {GIVEN("ordres = {}", ""),
         "scripts/a.lua:1:1 test \"t\": given.customer has no field \"ordres\" — did you mean \"orders\"?"},
        {GIVEN("affinity = { brand = 0.8 }", ""),
         "scripts/a.lua:1:1 test \"t\": given.customer.affinity is like "
         "{ brand = { Acme = 0.8 } }, from 0 to 1"},
        {GIVEN("consent = { analytics = 'maybe' }", ""),
         "scripts/a.lua:1:1 test \"t\": given.customer.consent.analytics is \"granted\", \"denied\" or "
         "\"unknown\""},
        {GIVEN("orders = { count = 1.5 }", ""),
         "scripts/a.lua:1:1 test \"t\": given.customer.orders.count is a whole number up to 500"},
        {"test 't' { given = { products = { { id = 'a', age = 1e300 } } }, run = function(world) end }",
         "scripts/a.lua:1:1 test \"t\": age of a product is a time, like \"3d\""},
        {"test 't' { at = 'tomorrow', run = function(world) end }",
         "scripts/a.lua:1:1 test \"t\": at is a moment in the shop's zone, like \"2026-11-27 21:30\""},
        {"test 't' { catalog = '../secret.jsonl', run = function(world) end }",
         "scripts/a.lua:1:1 test \"t\": \"../secret.jsonl\" is not a file of a test's: it lies below "
         "fixtures/ in "
         "the shop's folder, like \"fixtures/mini.jsonl\""},
        {"test 't' { catalog = 'fixtures/../shop.lua', run = function(world) end }",
         "scripts/a.lua:1:1 test \"t\": \"fixtures/../shop.lua\" is not a file of a test's: it lies below "
         "fixtures/ in the shop's folder, like \"fixtures/mini.jsonl\""},
        {"test 't' { events = 'fixtures/none.jsonl', run = function(world) end }",
         "scripts/a.lua:1:1 test \"t\": there is no fixtures/none.jsonl in the shop's folder"},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        run(cases[i].test);
        assert_string_equal(failure(), cases[i].says);
    }
}

static void files_bring_products_and_people(void **state) {
    (void)state;
    fixture_path = "fixtures/catalog.jsonl";
    fixture_text = "{\"id\":\"x\",\"price\":1}\n{\"id\":\"y\",\"price\":2}\n";
    must_pass(DEAREST "test 't' { run = function(world) expect(world:rank('dear')):is { 'y', 'x' } end }");
    fixture_text = "{\"id\":\"x\",\"price\":1}\n{\"id\":\"y\",\"price\":\"cheap\"}\n";
    run(DEAREST "test 't' { run = function(world) expect(#world:rank('dear')):is(2) end }");
    assert_non_null(
        strstr(failure(), "fixtures/catalog.jsonl: line 2: price must be a number, got \"cheap\""));
    fixture_path = "fixtures/week.jsonl";
    fixture_text = "{\"type\":\"track\",\"event\":\"Product "
                   "Viewed\",\"userId\":\"u1\",\"timestamp\":\"2026-11-23T10:00:00Z\"}\n"
                   "{\"type\":\"track\",\"event\":\"Product "
                   "Viewed\",\"userId\":\"u1\",\"timestamp\":\"2026-11-25T10:00:00Z\"}\n";
    must_pass(
        "test 't' { events = 'fixtures/week.jsonl', given = { customer = { user_id = 'u1' } },\n"
        "run = function(world) local c = world.customer\n"
        "expect(c:count 'product_viewed'):is(1) world:wait '1d' expect(c:count 'product_viewed'):is(1)\n"
        "world:wait '1d' expect(c:count 'product_viewed'):is(2) expect(now()):is(1795600800000) end }");
    must_pass("test 't' { events = 'fixtures/week.jsonl', at = '2026-11-27 10:00',\n"
              "given = { customer = { user_id = 'u1' } },\n"
              "run = function(world) expect(world.customer:count 'product_viewed'):is(2) end }");
    fixture_path = NULL;
}

/* ---- the world ---- */

static void several_people_live_in_one_world(void **state) {
    (void)state;
    must_pass(DEAREST TEST(
        "local c = world.customer\n"
        "world:event('product_viewed', { product_id = 'a', anonymous_id = 'b1' })\n"
        "expect(c:count 'product_viewed'):is(0)\n"
        "world:event('product_viewed', { product_id = 'a' }) expect(c:count 'product_viewed'):is(1)\n"
        "world:event('product_viewed', { anonymous_id = 'b1', user_id = 'customer' })\n" /* it was them */
        "expect(c:count 'product_viewed'):is(3)\n"
        "world:event('order_completed', { order_id = 'o', revenue = 10 })\n"
        "world:event('order_completed', { order_id = 'o', revenue = 10 })\n"
        "expect(c.orders.count):is(1)\n"
        "world:event('order_refunded', { order_id = 'o', amount = 4 }) expect(c.orders.revenue):is(6)\n"
        "world:event('product_added', { product_id = 'a', quantity = 1 }) expect(c.basket.count):is(1)\n"
        "expect(c.basket.first.id):is 'a' expect(c.session.intent):is 'buy'"));
}

static void consent_holds_in_the_world(void **state) {
    (void)state;
    must_pass("test 't' { given = { customer = { consent = { analytics = false } } },\n"
              "run = function(world) expect(world:event 'product_viewed'):is(false)\n"
              "expect(world.customer:count 'product_viewed'):is(0) end }");
}

static void segments_and_rails_are_those_of_the_shop(void **state) {
    (void)state;
    must_pass(
        "segment 'vip' { when = function(customer) return customer.orders.count >= 5 end }\n"
        "ranking 'r' { score = function(product, customer)\n"
        "  if customer:in_segment 'vip' then return product.price end return -product.price end }\n"
        "rail 'stock' { only = function(product) return product.stock:above(0) end }\n"
        "rail 'there' { on = 'product/a', hide = function(product, customer, page)\n"
        "  return product.brand:is(page.product.brand) end }\n"
        "test 'a' { " PRODUCTS " run = function(world)\n"
        "  expect(world:rank('r')):is { 'a' } expect(world:rank('r', { page = 'product/a' })):is {} end }\n"
        "test 'b' { given = { customer = { orders = { count = 5 } }, products = {\n"
        "  { id = 'x', stock = 1, price = 1 }, { id = 'y', stock = 1, price = 2 } } },\n"
        "run = function(world) expect(world:rank('r')):is { 'y', 'x' }\n"
        "  expect(world.customer:in_segment 'vip'):is(true) end }");
}

static void a_test_leaves_nothing_behind(void **state) {
    (void)state;
    must_pass(DEAREST
              "test 'a' { given = { products = { { id = 'x', price = 1 }, { id = 'y', price = 2 } } },\n"
              "run = function(world) expect(world:rank('dear')):is { 'y', 'x' }\n"
              "world:event('product_viewed', { product_id = 'x' }) end }\n"
              "test 'b' { given = { products = { { id = 'x', price = 2 }, { id = 'y', price = 1 } } },\n"
              "run = function(world) expect(world:rank('dear')):is { 'x', 'y' }\n"
              "expect(world.customer:count 'product_viewed'):is(0) end }");
}

/* ---- bounds ---- */

static void what_does_not_end_is_stopped_and_the_rest_runs(void **state) {
    (void)state;
    run(DEAREST "test 'a' { run = function() while true do end end }\n"
                "test 'b' { run = function(world) expect(1):is(1) end }");
    assert_int_equal(report.passed, 1);
    assert_string_equal(failure(), "scripts/a.lua:2:1 test \"a\": stopped: it ran longer than 900 ms");
    run("ranking 'slow' { score = function(product) while true do end end }\n" DEAREST "test 'a' { " PRODUCTS
        " run = function(world) world:rank 'slow' end }\n"
        "test 'b' { " PRODUCTS " run = function(world) expect(#world:rank 'dear'):is(3) end }");
    assert_int_equal(report.passed, 1);
    assert_non_null(strstr(failure(), "\"slow\" took longer than"));
}

static void all_of_them_have_a_bound(void **state) {
    (void)state;
    struct at_error err = {0};
    run_with("test 'a' { run = function() for i = 1, 3000000 do end expect(1):is(1) end }\n"
             "test 'b' { run = function() expect(1):is(1) end }",
             false, 1000000);
    assert_true(report.is_over);
    assert_int_equal(report.results[1].outcome, AT_TEST_NOT_RUN);
    assert_int_equal(at_tests_judge(&report, &world.build, &err), AT_UNPROCESSABLE);
    assert_non_null(strstr(first_finding(&world), "test \"a\" took"));
}

static void a_filter_chooses(void **state) {
    (void)state;
    struct at_error err = {0};
    must_load(&world, "test 'one' { run = function() expect(1):is(1) end }\n"
                      "test 'two' { run = function() expect(1):is(1) end }");
    struct at_test_options wanted = options();
    wanted.filter = "tw";
    assert_int_equal(at_tests_run(&wanted, &report, &err), AT_OK);
    assert_int_equal(report.count, 1);
    assert_string_equal(report.results[0].test->name, "two");
}

/* ---- costs and coverage ---- */

static void a_cost_is_a_count(void **state) {
    (void)state;
    static const char script[] =
        "ranking 'columns' { score = function(product) return 2 * product.price end }\n"
        "ranking 'rows' { score = function(product) if product.price > 7 then return 1 end return 2 end "
        "}\n" TEST(
            "local a, b = world:cost 'columns', world:cost 'rows'\n"
            "expect(world:cost 'columns'):is(a) world:rank 'columns' expect(world:cost 'columns'):is(a)\n"
            "expect(world:cost('columns', { items = { 'a' } })):below(a)\n"
            "expect(b):above(3)");
    must_pass(script);
    run_with(script, true, 0); /* the counts at the places are not counted */
    assert_int_equal(report.failed, 0);
}

static bool has_uncovered(uint32_t line, const char *what) {
    for (uint32_t i = 0; i < report.uncovered_count; i++)
        if (report.uncovered[i].line == line && strcmp(report.uncovered[i].what, what) == 0) return true;
    return false;
}

static void coverage_names_what_no_test_came_by(void **state) {
    (void)state;
    run_with(
        "ranking 'r' {\n"                                                 /* 1 */
        "  score = function(product, customer)\n"                         /* 2 */
        "    local s = product.rating or 3.5\n"                           /* 3 */
        "    if product.stock > 2 then s = s + 1\n"                       /* 4 */
        "    elseif product.stock == 0 then s = s + 2 end\n"              /* 5 */
        "    if customer.has_ordered then s = 0 end\n"                    /* 6 */
        "    if product.price > 0 then s = s + 1 else s = 0 end\n"        /* 7 */
        "    return product.stock and product.stock > 1 and s or s + 1\n" /* 8 */
        "  end,\n"
        "  first = function(product) return product.stock > 2 end,\n" /* 10 */
        "}\n"
        "ranking 'never' { score = function(product) if product.price > 1 then return 1 end end }\n" /* 12 */
        "rail 'stock' { hide = function(product) return product.stock == 0 and product.price > 100 end }\n"
        "segment 's' { when = function(customer) return customer.has_ordered end }\n" TEST(
            "expect(#world:rank('r')):is(3)") "rail 'pins' { on = 'home', pin = { 'a' } }\n"
                                              "rail 'held' { pin = { 'a' } }\n",
        true, 0);
    if (report.failed) fail_msg("%s", failure());
    assert_true(has_uncovered(6, "this condition was never true"));
    assert_true(has_uncovered(7, "this condition was always true"));
    assert_true(has_uncovered(12, "ranking \"never\": no test ran it"));
    assert_true(has_uncovered(14, "segment \"s\": no test ran it"));
    assert_true(has_uncovered(17, "rail \"pins\": no test ran it"));
    assert_int_equal(report.uncovered_count, 5);
    assert_int_equal(report.covered_count + report.uncovered_count + 2, report.place_count);
}

/* ---- counting changes nothing ---- */

static struct at_bytes program, said;

static void put_value(int depth) {
    static const char *const leaves[] = {
        "product.price", "product.stock", "product.rating",       "nil", "s", "2",
        "false",         "-1.5",          "customer.orders.count"};
    static const char *const operators[] = {"and", "or", "and", "or", "==", "~="};
    uint32_t pick = depth ? random_below(&seed, 8) : 0;
    if (pick < 2) {
        at_bytes_add_text(&program, leaves[random_below(&seed, AT_LENGTH(leaves))]);
        return;
    }
    if (pick == 2) at_bytes_add_text(&program, "not ");
    at_bytes_add_text(&program, "(");
    put_value(depth - 1);
    if (pick > 2) {
        at_bytes_printf(&program, " %s ", operators[random_below(&seed, AT_LENGTH(operators))]);
        put_value(depth - 1);
    }
    at_bytes_add_text(&program, ")");
    if (pick < 5) return;
    at_bytes_printf(&program, " %s ", operators[random_below(&seed, 4)]);
    put_value(depth - 1);
}

static void put_if(int depth) {
    uint32_t branches = 1 + random_below(&seed, 2);
    for (uint32_t i = 0; i < branches; i++) {
        at_bytes_add_text(&program, i ? " elseif " : " if ");
        put_value(2);
        at_bytes_add_text(&program, " then s = ");
        put_value(2);
        if (depth && random_below(&seed, 2)) put_if(depth - 1);
        if (random_below(&seed, 8) == 0) at_bytes_add_text(&program, " return tonumber(s) or 1");
    }
    if (random_below(&seed, 2)) {
        at_bytes_add_text(&program, " else s = ");
        put_value(1);
    }
    at_bytes_add_text(&program, " end\n");
}

static void hear(void *arg, const char *line) {
    (void)arg;
    at_bytes_printf(&said, "%s\n", line);
}

static void run_program(bool covers) {
    struct at_error err = {0};
    struct at_test_options wanted = options();
    wanted.covers = covers;
    wanted.print = hear;
    CHECK(at_tests_run(&wanted, &report, &err) == AT_OK);
    if (report.count != 1 || report.passed != 1)
        fail_msg("seed %llu, case %d: %s\n%s", (unsigned long long)first, number, failure(), program.data);
}

/* The counts at the places change no value, no way that is taken and no line. */
static void counting_changes_no_rule(void **state) {
    (void)state;
    uint32_t places = 0, missed = 0, ran = 0;
    first = seed = first_seed(0xC0E);
    at_bytes_init(&program, 1 << 20);
    at_bytes_init(&said, 1 << 20);
    for (number = 0; ran < 1000 && number < 5000; number++) {
        at_bytes_reset(&program);
        at_bytes_reset(&said);
        at_bytes_add_text(&program,
                          "ranking 'r' { score = function(product, customer)\nlocal s = product.price\n");
        for (uint32_t i = 1 + random_below(&seed, 2); i > 0; i--) put_if(1);
        at_bytes_add_text(&program, "print(product.id, s)\nreturn tonumber(s) or 0 end }\n" TEST(
                                        "expect(#world:rank 'r'):is(3)"));
        if (shop_world_load(&world, program.data) != AT_OK) continue; /* a number compared with yes or no */
        ran++;
        run_program(false);
        size_t length = said.length;
        run_program(true);
        CHECK(said.length == 2 * length && memcmp(said.data, said.data + length, length) == 0);
        CHECK(report.covered_count <= report.place_count && report.place_count > 0);
        places += report.place_count;
        missed += report.uncovered_count;
    }
    assert_int_equal(ran, 1000);
    at_bytes_clear(&program);
    at_bytes_clear(&said);
    print_message(
        "# property: counting_changes_no_rule, %u cases, seed %llu\n# %u places, %u of them missed\n", ran,
        (unsigned long long)first, places, missed);
}

/* ---- the model: who is who ---- */

enum { USERS = 3, BROWSERS = 4, EVENTS_MAX = 14, GROUPS = EVENTS_MAX };
struct group { /* of one person, as told */
    bool is_there;
    uint32_t users, browsers; /* bits */
    uint32_t views, orders;
    double revenue;
};
static struct group groups[GROUPS];
static uint32_t group_count;

static struct group *group_with(uint32_t user, uint32_t browser) {
    for (uint32_t i = 0; i < group_count; i++)
        if (groups[i].is_there && ((groups[i].users & user) || (groups[i].browsers & browser)))
            return &groups[i];
    return NULL;
}

static struct group *meet(uint32_t user, uint32_t browser) {
    struct group *a = user ? group_with(user, 0) : NULL, *b = browser ? group_with(0, browser) : NULL;
    if (b && b->users && user && b->users != user) b = NULL; /* somebody else's account */
    if (a && b && a != b) {
        a->users |= b->users;
        a->browsers |= b->browsers;
        a->views += b->views;
        a->orders += b->orders;
        a->revenue += b->revenue;
        b->is_there = false;
    }
    struct group *found = a ? a : b;
    if (!found) {
        found = &groups[group_count++];
        *found = (struct group){.is_there = true};
    }
    found->users |= user;
    if (browser && !group_with(0, browser)) found->browsers |= browser;
    return found;
}

static void random_event(char *out, size_t size, int at) {
    uint32_t user = random_below(&seed, USERS + 2), browser = random_below(&seed, BROWSERS + 1);
    if (user >= USERS && browser == BROWSERS) browser = 0;
    struct group *group = meet(user < USERS ? 1u << user : 0, browser < BROWSERS ? 1u << browser : 0);
    bool is_order = random_below(&seed, 3) == 0;
    int used = snprintf(out, size, "{\"type\":\"track\"");
    if (user < USERS) used += snprintf(out + used, size - (size_t)used, ",\"userId\":\"user-%u\"", user);
    if (browser < BROWSERS)
        used += snprintf(out + used, size - (size_t)used, ",\"anonymousId\":\"browser-%u\"", browser);
    if (is_order)
        snprintf(out + used, size - (size_t)used,
                 ",\"event\":\"Order Completed\",\"properties\":{\"order_id\":\"o%d\",\"revenue\":%d}}", at,
                 at + 1);
    else
        snprintf(out + used, size - (size_t)used, ",\"event\":\"Product Viewed\",\"properties\":{}}");
    group->views += !is_order;
    group->orders += is_order;
    group->revenue += is_order ? at + 1 : 0;
}

static void check_group(const struct at_world *made, const struct group *group) {
    char value[32];
    for (uint32_t i = 0; i < USERS + BROWSERS; i++) {
        bool is_user = i < USERS;
        uint32_t bit = 1u << (is_user ? i : i - USERS);
        if (!((is_user ? group->users : group->browsers) & bit)) continue;
        snprintf(value, sizeof value, "%s-%u", is_user ? "user" : "browser", is_user ? i : i - USERS);
        uint32_t person =
            world_find(made, is_user ? AT_TEXT("user_id") : AT_TEXT("anonymous_id"), at_text_of(value));
        CHECK(person != WORLD_NOBODY);
        const struct at_profile *profile = made->people[person].profile;
        const struct at_event_count *views = at_profile_counted(profile, AT_TEXT("product_viewed"));
        CHECK((views ? views->total : 0) == group->views);
        CHECK(profile->orders.count == group->orders);
        CHECK(profile->orders.revenue == group->revenue);
    }
}

/* Whoever turns out to be one person has both pasts, whatever came in between. */
static void people_are_who_the_model_says(void **state) {
    (void)state;
    struct at_test_options wanted;
    struct test_run all = {.options = &wanted};
    struct at_error err = {0};
    must_load(&world, "");
    wanted = options();
    assert_int_equal(at_language_new(&all.outer, world.generation, world.settings, NULL, NULL, &err), AT_OK);
    first = seed = first_seed(0x7E57);
    for (number = 0; number < 1500; number++) {
        struct at_world made;
        int count = 2 + (int)random_below(&seed, EVENTS_MAX - 1);
        group_count = 0;
        CHECK(world_open(&made, &all) == AT_OK);
        CHECK(world_use_catalog(&made, NULL, &err) == AT_OK);
        for (int i = 0; i < count; i++) {
            char text[300];
            uint32_t whom;
            struct world_happening happening = {.at_ms = NOW_MS + i * 1000, .person = WORLD_NOBODY};
            random_event(text, sizeof text, i);
            CHECK(at_json_parse(made.value_parser, text, strlen(text), false, &happening.json, &err) ==
                  AT_OK);
            CHECK(world_happen(&made, &happening, &whom, &err) == AT_OK);
            for (uint32_t k = 0; k < group_count; k++)
                if (groups[k].is_there) check_group(&made, &groups[k]);
        }
        world_close(&made);
    }
    world_free_catalogs(&all);
    at_language_free(all.outer);
    print_message("# property: people_are_who_the_model_says, %d cases, seed %llu\n", number,
                  (unsigned long long)first);
}

static int begin(void **state) {
    (void)state;
    shop_world_init(&world, 0);
    return 0;
}
static int end(void **state) {
    (void)state;
    shop_world_clear(&world);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_passes),
        cmocka_unit_test(what_does_not_hold_is_said_with_its_place),
        cmocka_unit_test(a_rule_that_fails_fails_the_test),
        cmocka_unit_test(words_that_are_not_there_are_found_before_anything_runs),
        cmocka_unit_test(given_changes_what_it_names),
        cmocka_unit_test(given_that_says_nothing_is_refused),
        cmocka_unit_test(files_bring_products_and_people),
        cmocka_unit_test(several_people_live_in_one_world),
        cmocka_unit_test(consent_holds_in_the_world),
        cmocka_unit_test(segments_and_rails_are_those_of_the_shop),
        cmocka_unit_test(a_test_leaves_nothing_behind),
        cmocka_unit_test(what_does_not_end_is_stopped_and_the_rest_runs),
        cmocka_unit_test(all_of_them_have_a_bound),
        cmocka_unit_test(a_filter_chooses),
        cmocka_unit_test(a_cost_is_a_count),
        cmocka_unit_test(coverage_names_what_no_test_came_by),
        cmocka_unit_test(counting_changes_no_rule),
        cmocka_unit_test(people_are_who_the_model_says),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
