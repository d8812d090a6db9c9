/* SPDX-License-Identifier: Apache-2.0
 *
 * customer:count, customer:did and customer:last: what they answer, the same both ways, with and without
 * consent; what of an event can be read; and what the check says of names and options.
 */
#include "language/state.h"
#include "language_judge.h"

#define QUIZ(id, when, properties)                                                                           \
    "{\"type\":\"track\",\"event\":\"Quiz Finished\",\"userId\":\"u1\",\"messageId\":\"" id                  \
    "\",\"timestamp\":\"" when "\",\"properties\":{" properties "}}"

/* The shopper of language_world.h: 12 products viewed from the 20th to the 28th at 11:00, an order on the
 * 29th at 11:00, one product added at 23:50; now it is the 30th, 00:53:20. Besides, two quizzes. */
static int begin(void **state) {
    (void)state;
    shop_world_init(&world, PRODUCTS);
    live(&world, 100,
         QUIZ("q1", "2026-11-28T10:00:00Z",
              "\"score\":0.5,\"style\":\"nordic\",\"religion\":\"secret\",\"category\":\"intimate\","
              "\"is_done\":true,\"none\":null,\"list\":[1],\"time\":5,\"products\":[{\"product_id\":"
              "\"P001\",\"quantity\":3},{\"product_id\":\"P002\",\"price\":7.5},{\"product_id\":\"gone\"}]"));
    live(&world, 101, QUIZ("q0", "2026-11-21T10:00:00Z", "\"score\":0.1"));
    return 0;
}
static int end(void **state) {
    (void)state;
    shop_world_clear(&world);
    return 0;
}

static bool is_true(const char *condition) {
    char body[600];
    snprintf(body, sizeof body, "return (%s) and 1 or 0", condition);
    return SCORE(body, 1) == 1;
}
#define YES(condition)                                                                                       \
    if (!is_true(condition)) fail_msg("no: %s", condition)
#define NO(condition)                                                                                        \
    if (is_true(condition)) fail_msg("yes: %s", condition)

/* ---- count and did ---- */

static void counts_of_all_time_and_of_a_window(void **state) {
    (void)state;
    assert_true(SCORE("return customer:count 'product_viewed'", 1) == 12);
    assert_true(SCORE("return customer:count('product_viewed', { within = '7d' })", 1) == 6);
    assert_true(SCORE("return customer:count('product_viewed', { within = days(7) })", 1) == 6);
    assert_true(SCORE("return customer:count('product_viewed', { within = '1h' })", 1) == 0);
    assert_true(SCORE("return customer:count('product_added', { within = '2h' })", 1) == 1);
    assert_true(SCORE("return customer:count('product_added', { within = '1h' })", 1) == 0);
    assert_true(SCORE("return customer:count('product_viewed', {})", 1) == 12);
    assert_true(SCORE("return customer:count('product_viewed', { within = nil })", 1) == 12);
    assert_true(SCORE("return customer:count('product_viewed', { since = customer.orders.last_at })", 1) ==
                0);
    assert_true(SCORE("return customer:count('product_viewed', { since = now() - days(7) })", 1) == 6);
    assert_true(score_of("return customer:count 'product_viewed'", 1, world.nobody) == 0);
}

static void names_are_taken_as_those_of_events(void **state) {
    (void)state;
    assert_true(SCORE("return customer:count 'Product Viewed'", 1) == 12);
    assert_true(SCORE("return customer:count 'viewed_product'", 1) == 12);
    YES("customer:did 'orderCompleted'");
    YES("customer:last('purchase').name == 'order_completed'");
    assert_true(SCORE("return customer:count(('x'):rep(1000))", 1) == 0);
    assert_true(SCORE("local name = 'product_' .. 'vewed' return customer:count(name)", 1) == 0);
}

/* The moment itself is not since then. */
static void did_since_excludes_the_moment(void **state) {
    (void)state;
    YES("customer:did 'order_completed'");
    NO("customer:did('order_completed', { since = customer.orders.last_at })");
    YES("customer:did('order_completed', { since = customer.orders.last_at - 1 })");
    YES("customer:did('product_added', { since = customer.orders.last_at })");
    NO("customer:did('product_added', { since = customer:last('product_added').time })");
    NO("customer:did('product_added', { since = customer.orders.last_at, within = '30m' })");
    YES("customer:did('product_added', { since = customer.orders.last_at, within = '2h' })");
    NO("customer:did('order_completed', { since = customer:last('order_completed').time, within = '9w' })");
    NO("customer:did('product_viewed', { since = now() + days(1) })");
    NO("customer:did 'never_heard_of'");
}

/* ---- last ---- */

static void an_event_has_its_own_fields_and_its_properties(void **state) {
    (void)state;
    YES("customer:last('never_heard_of') == nil");
    YES("customer:last('never_heard_of').value == nil");
    YES("customer:last('quiz_finished').id == 'q1'"); /* by its moment, not by when it came in */
    YES("customer:last('quiz_finished').name == 'quiz_finished'");
    assert_true(SCORE("return now() - customer:last('quiz_finished').time", 1) ==
                (double)(NOW_MS - INT64_C(1795860000000)));
    assert_true(SCORE("return customer:last('quiz_finished').score + product.stock", 1) == 1.5);
    YES("customer:last('quiz_finished').style == 'nordic'");
    YES("customer:last('quiz_finished').is_done == true");
    YES("customer:last('quiz_finished').none == nil");
    YES("customer:last('quiz_finished').list == nil");
    YES("customer:last('quiz_finished').time ~= 5"); /* its own, whatever a property is called */
    YES("customer:last('quiz_finished').style:is 'nordic'");
    YES("customer:last('order_completed').revenue == 120.5");
}

static void its_products_are_read_as_in_the_basket(void **state) {
    (void)state;
    YES("#customer:last('quiz_finished').items == 3");
    YES("#customer:last('identified').items == 0");
    YES("customer:last('quiz_finished').items[1].product.title == 'Thing 1'");
    YES("customer:last('quiz_finished').items[1].quantity == 3");
    YES("customer:last('quiz_finished').items[2].price == 7.5");
    YES("customer:last('quiz_finished').items[2].quantity == 1");
    YES("customer:last('quiz_finished').items[3].product == nil"); /* the catalog does not know it */
    assert_true(SCORE("local n = 0 for _, item in ipairs(customer:last('order_completed').items) do\n"
                      "if item.product.brand == product.brand then n = n + item.quantity end end return n",
                      1) > 0);
}

static void an_event_can_only_be_read(void **state) {
    (void)state;
    assert_non_null(
        strstr(rule_failure("customer:last('quiz_finished').score = 1 return 1"), "only be read"));
    assert_non_null(
        strstr(rule_failure("return customer:last('quiz_finished')"), "a score must be a number"));
    YES("tostring(customer:last('quiz_finished')) == 'an event'");
}

/* Many different ones in one run: none is lost. */
static void many_products_are_all_there(void **state) {
    (void)state;
    char text[1200];
    for (int bundle = 0; bundle < 5; bundle++) {
        int n = snprintf(text, sizeof text,
                         "{\"type\":\"track\",\"event\":\"Bundle %d\",\"userId\":\"u1\",\"timestamp\":"
                         "\"2026-11-29T10:00:00Z\",\"properties\":{\"products\":[",
                         bundle);
        for (int i = 0; i < 12; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s{\"product_id\":\"P%03d\"}", i ? "," : "",
                          100 + bundle * 12 + i);
        snprintf(text + n, sizeof text - (size_t)n, "]}}");
        live(&world, 200 + (uint64_t)bundle, text);
    }
    assert_true(SCORE("local n = 0 for i = 0, 4 do\n"
                      "for _, item in ipairs(customer:last('bundle_' .. i).items) do\n"
                      "if item.product.title then n = n + 1 end end end return n",
                      1) == 60);
}

/* ---- which way, consent, never_use ---- */

static bool goes_by_columns(const char *body) {
    char text[600];
    snprintf(text, sizeof text, "ranking \"r\" { score = function(product, customer)\n%s\nend }", body);
    must_load(&world, text);
    return world.generation->rankings[0].score_report.is_columnar;
}

static void history_stays_on_columns(void **state) {
    (void)state;
    assert_true(
        goes_by_columns("return customer:count('product_viewed', { within = '7d' }) * product.price"));
    assert_true(goes_by_columns("if customer:did 'order_completed' then return product.price end return 0"));
    assert_true(goes_by_columns("return customer:last('quiz_finished').score * product.price"));
    assert_true(goes_by_columns("return when(product.brand:is(customer:last('quiz_finished').style), 1, 2)"));
    assert_true(goes_by_columns("return when(customer:count('quiz_finished'):below(product.stock), 1, 2)"));
    assert_true(
        goes_by_columns("return when(customer:last('quiz_finished').score:below(product.stock), 1, 2)"));
    assert_false(goes_by_columns("return customer:count(product.brand)"));
    assert_false(goes_by_columns("return customer:last(product.brand).score"));
    assert_true(SCORE("return customer:count(product.brand)", 1) == 0);
    assert_true(SCORE("return when(customer:count('quiz_finished'):above(product.stock), 1, 2)", 1) == 1);
}

static void without_consent_there_is_no_history(void **state) {
    (void)state;
    world.is_plain = true;
    assert_true(SCORE("return customer:count 'product_viewed'", 1) == 0);
    assert_true(SCORE("return customer:count('product_viewed', { within = '7d' })", 1) == 0);
    NO("customer:did 'order_completed'");
    YES("customer:last 'order_completed' == nil");
    world.is_plain = false;
}

static void use_settings(const char *text) {
    struct at_error err;
    shop_world_unload(&world);
    if (load_settings(text, &world.settings, &err) != AT_OK) fail_msg("%s", err.message);
}

static void what_is_never_used_reads_as_nil(void **state) {
    (void)state;
    YES("customer:last('quiz_finished').religion == 'secret'");
    YES("customer:last('quiz_finished').category == 'intimate'");
    use_settings("consent { analytics = 'opt-out', personalization = 'opt-out',\n"
                 "  never_use = { 'properties.religion', 'category.intimate' } }");
    YES("customer:last('quiz_finished').religion == nil");
    YES("customer:last('quiz_finished').category == nil");
    YES("customer:last('quiz_finished').style == 'nordic'");
    use_settings("");
}

/* ---- what is refused ---- */

static void what_is_wrong_when_it_runs_is_said(void **state) {
    (void)state;
    static const char *const all[][2] = {
        {"return customer:count()", "write customer:count \"order_completed\""},
        {"local did = customer.did return did 'order_completed'", "write customer:did \"order_completed\""},
        {"return customer:last(customer)", "write customer:last \"order_completed\""},
        {"return customer:count('order_completed', '7d')",
         "write customer:count(\"order_completed\", { within = \"7d\" })"},
        {"local n = 7 return customer:count('order_completed', { within = n })",
         "within = 7: 7 what? write \"7d\""},
        {"local n = 7 return customer:count('order_completed', { since = n })", "since = 7: 7 what?"},
        {"local n = '7x' return customer:count('order_completed', { within = n })", "within: \"7x\""},
        {"local n = '7' return customer:count('order_completed', { within = n })", "7 what?"},
        {"local n = true return customer:count('order_completed', { within = n })", "within must be a time"},
        {"local n = '7d' return customer:count('order_completed', { since = n })", "since must be a moment"},
        {"local n = 0 / 0 return customer:count('order_completed', { since = n })", "since must be a time"},
        {"local o = { withn = '7d' } return customer:count('order_completed', o)",
         "customer:count has no field \"withn\" — did you mean \"within\"?"},
        {"return customer:last({})", "write customer:last \"order_completed\""}};
    for (size_t i = 0; i < AT_LENGTH(all); i++) {
        const char *said = rule_failure(all[i][0]);
        if (!strstr(said, all[i][1])) fail_msg("%s\n%s", all[i][0], said);
    }
}

static const struct at_finding *finding_of(const char *body, bool is_refused) {
    static const char *const past[] = {"quiz_finished", "product_viewed_ar"};
    char text[600];
    struct at_source_file file = {AT_TEXT("scripts/a.lua"), {text, 0}};
    struct at_error err;
    file.text.length = (size_t)snprintf(
        text, sizeof text, "ranking \"r\" { score = function(product, customer)\n%s\nreturn 1 end }", body);
    shop_world_unload(&world);
    at_arena_reset(&world.findings);
    world.build = (struct at_build){.files = &file,
                                    .file_count = 1,
                                    .settings = world.settings,
                                    .root = world.root,
                                    .events = past,
                                    .event_count = AT_LENGTH(past),
                                    .arena = &world.findings};
    enum at_status status = at_generation_build(&world.build, &world.generation, &err);
    if ((status != AT_OK) != is_refused) fail_msg("%d: %s: %s", status, body, first_finding(&world));
    return world.build.findings ? &world.build.findings->finding : NULL;
}

static void names_and_options_are_checked_when_loaded(void **state) {
    (void)state;
    static const char *const refused[][2] = {
        {"if customer.is_known then customer:did 'order_complted' end",
         "there is no event \"order_complted\" — did you mean \"order_completed\"?"},
        {"local _n = customer:count 'quiz_finishd'",
         "there is no event \"quiz_finishd\" — did you mean \"quiz_finished\"?"},
        {"local _e = customer:last('Product Vewed')",
         "there is no event \"Product Vewed\" — did you mean \"product_viewed\"?"},
        {"local _n = customer:count('order_completed', { within = 7 })", "within = 7: 7 what? write \"7d\""},
        {"local _n = customer:did('order_completed', { since = 30 })", "since = 30: 30 what?"},
        {"local _n = customer:did('order_completed', { within = '7 days' })",
         "within: \"7 days\" is not a span"},
        {"local _n = customer:did('order_completed', { since = '7d' })", "since must be a moment"},
        {"local _n = customer:did('order_completed', { whithin = '7d' })",
         "customer:did has no option \"whithin\" — did you mean \"within\"?"},
        {"local _n = customer:did('order_completed', { from = 1 })",
         "customer:did has no option \"from\"; it has within and since"},
        {"local _n = customer:last('order_completed', { within = '7d' })", "customer:last takes a name only"},
        {"local _n = customer:counts 'order_completed'", "did you mean \"count\"?"}};
    static const char *const good[] = {
        "local _n = customer:count('order_completed', { within = '7d', ['since'] = now() })",
        "local _n = customer:did 'Order Completed'",
        "local _n = customer:last 'viewed_product'",
        "local _n = customer:did 'product_viewed_ar'",
        "local _n = customer:did(customer.traits.what)",
        "local _n = customer:count('email_clicked', { within = hours(1) })",
        "local _n = customer:did('order_delivered', customer.traits)"};
    for (size_t i = 0; i < AT_LENGTH(refused); i++) {
        const struct at_finding *finding = finding_of(refused[i][0], true);
        if (finding->is_warning || !strstr(finding->message, refused[i][1]))
            fail_msg("%s\n%s", refused[i][0], finding->message);
        assert_true(finding->line == 2 && finding->column > 1);
    }
    for (size_t i = 0; i < AT_LENGTH(good); i++)
        if (finding_of(good[i], false)) fail_msg("%s\n%s", good[i], first_finding(&world));
    const struct at_finding *finding = finding_of("local _n = customer:did 'lottery_won'", false);
    assert_true(finding && finding->is_warning);
    assert_string_equal(finding->code, "unknown_event");
    assert_non_null(strstr(finding->message, "no event \"lottery_won\" has come yet"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_all_time_and_of_a_window),
        cmocka_unit_test(names_are_taken_as_those_of_events),
        cmocka_unit_test(did_since_excludes_the_moment),
        cmocka_unit_test(an_event_has_its_own_fields_and_its_properties),
        cmocka_unit_test(its_products_are_read_as_in_the_basket),
        cmocka_unit_test(an_event_can_only_be_read),
        cmocka_unit_test(many_products_are_all_there),
        cmocka_unit_test(history_stays_on_columns),
        cmocka_unit_test(without_consent_there_is_no_history),
        cmocka_unit_test(what_is_never_used_reads_as_nil),
        cmocka_unit_test(what_is_wrong_when_it_runs_is_said),
        cmocka_unit_test(names_and_options_are_checked_when_loaded),
    };
    return cmocka_run_group_tests_name("language history", tests, begin, end);
}
