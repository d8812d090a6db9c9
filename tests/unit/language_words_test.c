/* SPDX-License-Identifier: Apache-2.0
 *
 * Words found before anything runs: fields of all that rules read, of locals and parameters that stand for
 * it, fields of nouns, options, events and attributes; with the exact message, the bytes and the cure. The
 * cure is applied, and the script passes then. Sound scripts stay silent.
 */
#include "language_world.h"

static struct shop_world world;

static void load_body(const char *body, char text[1000]) {
    snprintf(text, 1000, "ranking \"r\" { score = function(product, customer, page)\n%s\nreturn 1 end }",
             body);
    enum at_status status = shop_world_load_used(&world, text);
    if (status != AT_OK && status != AT_UNPROCESSABLE) fail_msg("%d: %s", status, text);
}

static uint32_t count_findings(void) {
    uint32_t count = 0;
    for (const struct at_file_finding *finding = world.build.findings; finding; finding = finding->next)
        count += strcmp(finding->finding.code, "unused") != 0; /* what only holds a value to look at */
    return count;
}

static void apply(const struct at_finding *finding, const char *text, char out[1100]) {
    snprintf(out, 1100, "%.*s%s%s", (int)finding->fix_from, text, finding->fix, text + finding->fix_to);
}

struct wrong {
    const char *text, *message, *about; /* about: the bytes it points at */
    bool has_cure;
};

/* One finding, and with its cure none. */
static void check_wrong(const struct wrong *wrong, const char *text) {
    char cured[1100];
    if (count_findings() != 1) fail_msg("%u findings: %s\n%s", count_findings(), text, first_finding(&world));
    const struct at_file_finding *told = world.build.findings;
    while (strcmp(told->finding.code, "unused") == 0) told = told->next;
    struct at_finding finding = told->finding;
    if (strcmp(finding.message, wrong->message) != 0) fail_msg("%s\n%s", text, finding.message);
    if (strlen(wrong->about) != finding.to - finding.from ||
        memcmp(text + finding.from, wrong->about, strlen(wrong->about)) != 0)
        fail_msg("%s\n%s: at %.*s", text, finding.message, (int)(finding.to - finding.from),
                 text + finding.from);
    assert_true(finding.line == 1 || text[finding.from - finding.column] == '\n');
    if ((finding.fix != NULL) != wrong->has_cure) fail_msg("%s\n%s: %s", text, finding.message, finding.fix);
    if (!finding.fix) return;
    apply(&finding, text, cured);
    if (shop_world_load_used(&world, cured) != AT_OK || count_findings())
        fail_msg("%s\n%s: %s", cured, finding.message, first_finding(&world));
}

static void check_bodies(const struct wrong *all, size_t count) {
    char text[1000];
    for (size_t i = 0; i < count; i++) {
        load_body(all[i].text, text);
        check_wrong(&all[i], text);
    }
}

static void fields_of_nested_things_are_known(void **state) {
    (void)state;
    static const struct wrong all[] = {
        {"if page.name then local x = customer.ordrs end",
         "customer has no field \"ordrs\" — did you mean \"orders\"?", "ordrs", true},
        {"local x = customer.orders.cuont",
         "customer.orders has no field \"cuont\" — did you mean \"count\"?", "cuont", true},
        {"local x = customer['contry']", "customer has no field \"contry\" — did you mean \"country\"?",
         "'contry'", true},
        {"local x = customer.session.zzz", "customer.session has no field \"zzz\"", "zzz", false},
        {"local x = page.prodct", "page has no field \"prodct\" — did you mean \"product\"?", "prodct", true},
        {"local x = page.product.prce", "a product has no attribute \"prce\" — did you mean \"price\"?",
         "prce", true},
        {"local x = customer.basket.first.brnd",
         "a product has no attribute \"brnd\" — did you mean \"brand\"?", "brnd", true},
        {"local x = customer.basket.items[1].quantiy",
         "an item has no field \"quantiy\" — did you mean \"quantity\"?", "quantiy", true},
        {"local x = customer.basket.items[1].product.stok",
         "a product has no attribute \"stok\" — did you mean \"stock\"?", "stok", true},
        {"for _, item in ipairs(customer.basket.items) do local x = item.product.titel end",
         "a product has no attribute \"titel\" — did you mean \"title\"?", "titel", true},
        {"for _, item in ipairs(customer:last('order_completed').items) do local x = item.pric end",
         "an item has no field \"pric\" — did you mean \"price\"?", "pric", true},
        {"local x = customer.affinity.bran['Acme']",
         "a product has no attribute \"bran\" — did you mean \"brand\"?", "bran", true},
        {"local x = product.prize:above(3)", "a product has no attribute \"prize\" — did you mean \"price\"?",
         "prize", true},
        {"local x = product.qqqqqq", "a product has no attribute \"qqqqqq\"", "qqqqqq", false},
        {"local x = product.price:abov(3)", "a number has no field \"abov\" — did you mean \"above\"?",
         "abov", true},
        {"local x = product.title:uper()", "a text has no field \"uper\" — did you mean \"upper\"?", "uper",
         true},
        {"local x = math.flor(1.5)", "math has no field \"flor\" — did you mean \"floor\"?", "flor", true},
        {"local x = customer.predicted", "customer.predicted is not in this version", "predicted", false},
        {"local x = customer.orders.last", "customer.orders.last is not in this version", "last", false},
        {"local x = customer:variant 'blue'", "customer.variant is not in this version", "variant", false},
        {"local x = random()", "random is not in this version", "random", false},
        {"local x = env 'KEY'", "env belongs in shop.lua", "env", false}};
    check_bodies(all, AT_LENGTH(all));
}

static void locals_and_parameters_stand_for_what_they_hold(void **state) {
    (void)state;
    static const struct wrong all[] = {
        {"local orders = customer.orders\nlocal x = orders.cuont",
         "customer.orders has no field \"cuont\" — did you mean \"count\"?", "cuont", true},
        {"local who <const> = customer\nlocal s = who.session\nlocal x = s.intnt",
         "customer.session has no field \"intnt\" — did you mean \"intent\"?", "intnt", true},
        {"local o = (customer.orders)\nlocal f = function() return o.revenu end",
         "customer.orders has no field \"revenu\" — did you mean \"revenue\"?", "revenu", true},
        {"local last = customer:last 'order_completed'\nlocal t = last and last.items[1].prce",
         "an item has no field \"prce\" — did you mean \"price\"?", "prce", true},
        {"local function often(who) return who.orders.coun > 3 end\nif often(customer) then return 2 end",
         "customer.orders has no field \"coun\" — did you mean \"count\"?", "coun", true},
        {"local a, b = product, customer\nlocal x = a.pricee + b.orders.count",
         "a product has no attribute \"pricee\" — did you mean \"price\"?", "pricee", true},
        {"local function deep(o) return o.averag end\nlocal function outer(c) return deep(c.orders) end\n"
         "local x = outer(customer)",
         "customer.orders has no field \"averag\" — did you mean \"average\"?", "averag", true},
        {"local function down(c, n) if n > 0 then return down(c, n - 1) end return c.contry end\n"
         "local x = down(customer, 3)",
         "customer has no field \"contry\" — did you mean \"country\"?", "contry", true}};
    check_bodies(all, AT_LENGTH(all));
}

static void dots_and_colons_are_told_apart(void **state) {
    (void)state;
    static const struct wrong all[] = {
        {"local x = customer.count('order_completed')",
         "a dot reads, a colon asks: before count stands a colon", "customer.count", true},
        {"local x = customer.did 'order_completed'", "a dot reads, a colon asks: before did stands a colon",
         "customer.did", true},
        {"local x = product.price.above(3)", "a dot reads, a colon asks: before above stands a colon",
         "product.price.above", true},
        {"local x = product.tags.contains 'new'", "a dot reads, a colon asks: before contains stands a colon",
         "product.tags.contains", true},
        {"local x = customer.affinity.brand.top(3)", "a dot reads, a colon asks: before top stands a colon",
         "customer.affinity.brand.top", true},
        {"if customer.did then return 2 end", "did is a question: customer:did(…)", "did", false},
        {"local x = not customer.did", "did is a question: customer:did(…)", "did", false},
        {"local x = customer.count > 3", "count is a question: customer:count(…)", "count", false},
        {"local x = customer:country()", "country is read with a dot: customer.country", "country", true},
        {"local x = customer.orders:count()", "count is read with a dot: customer.orders.count", "count",
         true},
        {"local x = page.product:price()", "price is read with a dot: product.price", "price", true},
        {"local x = customer : country ( )", "country is read with a dot: customer.country", "country",
         true}};
    check_bodies(all, AT_LENGTH(all));
}

static void options_and_names_are_known(void **state) {
    (void)state;
    static const struct wrong all[] = {
        {"local n = customer:count('order_completed', { witin = '7d' })",
         "customer:count has no option \"witin\" — did you mean \"within\"?", "witin", true},
        {"local n = customer:did('order_completed', { ['sinc'] = now() })",
         "customer:did has no option \"sinc\" — did you mean \"since\"?", "'sinc'", true},
        {"local n = customer:did('order_completed', { from = 1 })",
         "customer:did has no option \"from\"; it has within and since", "from", false},
        {"local n = customer:count('order_completed', { within = 7 })", "within = 7: 7 what? write \"7d\"",
         "7", true},
        {"local who = customer\nlocal n = who:did 'order_complted'",
         "there is no event \"order_complted\" — did you mean \"order_completed\"?", "'order_complted'",
         true},
        {"local n = customer:last('Product Vewed')",
         "there is no event \"Product Vewed\" — did you mean \"product_viewed\"?", "'Product Vewed'", true},
        {"local n = customer:last('order_completed', {})", "customer:last takes a name only", "{}", false}};
    check_bodies(all, AT_LENGTH(all));
}

static void fields_of_nouns_are_known_before_the_load(void **state) {
    (void)state;
#define SCORE_1 "score = function() return 1 end"
    static const struct wrong all[] = {
        {"ranking 'r' { scor = function() return 1 end }",
         "a ranking has no field \"scor\" — did you mean \"score\"?", "scor", true},
        {"ranking 'r' { " SCORE_1 ", diversify = { by = 'brand', atmost = 2, within = 8 } }",
         "ranking.diversify has no field \"atmost\" — did you mean \"at_most\"?", "atmost", true},
        {"ranking 'r' { " SCORE_1 ", diversify = { by = 'brnd', at_most = 2, within = 8 } }",
         "a product has no attribute \"brnd\" — did you mean \"brand\"?", "'brnd'", true},
        {"rail 'r' { hyde = function(product) return product.stock:at_most(0) end }",
         "a rail has no field \"hyde\" — did you mean \"hide\"?", "hyde", true},
        {"rail 'r' { grant = 'x', whom = function(customer) return customer.nonsense end }",
         "rail.grant is not in this version", "grant", false},
        {"segment 's' { wen = function(customer) return true end }",
         "a segment has no field \"wen\" — did you mean \"when\"?", "wen", true},
        {"local function vip(c) return c.orders.cuont end\nsegment 's' { when = vip }",
         "customer.orders has no field \"cuont\" — did you mean \"count\"?", "cuont", true},
        {"flow 'x' { on = 'y', run = function(customer) wait '1h' return customer.zzz end }",
         "flow is not in this version", "flow", false},
        {"keys { write = 'x' }", "keys belongs in shop.lua", "keys", false},
        {"wait = 3", "'wait' is a word of the language and cannot be set", "wait", false}};
    for (size_t i = 0; i < AT_LENGTH(all); i++) {
        assert_int_equal(shop_world_load_used(&world, all[i].text), AT_UNPROCESSABLE);
        check_wrong(&all[i], all[i].text);
    }
}

/* A function that only the load shows to be a rule. */
static void rules_of_modules_are_looked_at(void **state) {
    (void)state;
    const struct at_source_file files[] = {
        {AT_TEXT("scripts/a.lua"),
         AT_TEXT("local lib = require 'lib.one'\nranking 'r' { score = lib.score }\n"
                 "ranking 's' { score = lib.score }")},
        {AT_TEXT("scripts/lib/one.lua"),
         AT_TEXT("local function often(c) return c.orders.cuont end\n"
                 "return { score = function(p, c) return p.price + often(c) end }")}};
    assert_int_equal(shop_world_load_files(&world, files, 2), AT_UNPROCESSABLE);
    assert_int_equal(count_findings(), 1);
    assert_string_equal(first_finding(&world),
                        "customer.orders has no field \"cuont\" — did you mean \"count\"?");
    assert_string_equal(world.build.findings->path, "scripts/lib/one.lua");
}

static void sound_scripts_stay_silent(void **state) {
    (void)state;
    static const char *const good[] = {
        "local orders = customer.orders\norders = { cuont = 3 }\nlocal x = orders.cuont",
        "local function get(t) return t.anything end\nlocal x = get(customer.traits) + get({ anything = 1 })",
        "local function get(t) return t.anything end\nlocal list = { get }\nlocal x = list[1]({ anything = 1 "
        "})\n"
        "local y = customer.orders.count",
        "local function f(c, t) return t.cuont end\nlocal x = f(customer, { cuont = 1 }) or f(customer)",
        "local x = customer.traits.whatever.nested.deep",
        "local e = customer:last 'order_completed'\nlocal x = e and e.anything_at_all",
        "for _, item in ipairs(customer.basket.items) do item.total = item.price * item.quantity end",
        "local did = customer.did\nlocal x = did(customer, 'order_completed')",
        "local ok, x = pcall(customer.did, customer, 'order_completed')",
        "local x = customer.count(customer, 'order_completed')",
        "local x = customer.affinity.brand['no such'] + customer.affinity.brand.Acme",
        "local x = customer.consent.sms_marketing == 'granted'",
        "local x = product.title:contains 'sofa' and product.title:upper():rep(2)",
        "local x = (customer.country or 'DE'):lower()",
        "local x = customer.orders and customer.orders.count:or_else(3):above(2)",
        "local x = #product.tags > 1 and product.tags[1]:upper()",
        "local t = { count = 1 }\nlocal x = t.cuont or t:nothing()",
        "local _, customer = 1, { anything = 2 }\nlocal x = customer.anything",
        "local x = string.format('%d', 3) .. ('x'):rep(3) .. math.floor(1.5)",
        "local product = customer.traits.product\nlocal x = product.anything"};
    char text[1000];
    for (size_t i = 0; i < AT_LENGTH(good); i++) {
        load_body(good[i], text);
        if (count_findings()) fail_msg("%s\n%s", good[i], first_finding(&world));
    }
}

static void a_folder_without_a_catalog_only_warns(void **state) {
    (void)state;
    struct shop_world empty;
    shop_world_init(&empty, 0);
    static const char text[] =
        "ranking 'r' { score = function(product, customer) return product.pric + product.season end,\n"
        "diversify = { by = 'colour', at_most = 1, within = 2 } }";
    static const char *const said[] = {"no product has an attribute \"pric\" yet — did you mean \"price\"?",
                                       "no product has an attribute \"season\" yet",
                                       "no product has an attribute \"colour\" yet"};
    assert_int_equal(shop_world_load(&empty, text), AT_OK);
    const struct at_file_finding *finding = empty.build.findings;
    for (size_t i = 0; i < AT_LENGTH(said); i++, finding = finding->next) {
        assert_non_null(finding);
        assert_string_equal(finding->finding.message, said[i]);
        assert_true(finding->finding.is_warning && (finding->finding.fix != NULL) == (i == 0));
    }
    assert_null(finding);
    shop_world_clear(&empty);
}

/* What consent in shop.lua names is known; nearly that is a slip. */
static void purposes_are_those_of_the_shop(void **state) {
    struct at_error err;
    char text[1000];
    (void)state;
    assert_int_equal(
        load_settings("consent { analytics = 'opt-in', personalization = 'opt-in' }", &world.settings, &err),
        AT_OK);
    static const struct wrong all[] = {
        {"local x = customer:may 'personalisation'",
         "consent in shop.lua names no purpose \"personalisation\" — did you mean \"personalization\"?",
         "'personalisation'", true},
        {"local x = customer.consent.analytic",
         "consent in shop.lua names no purpose \"analytic\" — did you mean \"analytics\"?", "analytic",
         true}};
    check_bodies(all, AT_LENGTH(all));
    load_body("local x = customer:may 'something_else'", text);
    assert_int_equal(count_findings(), 0);
    assert_int_equal(load_settings("", &world.settings, &err), AT_OK);
}

static int set_up(void **state) {
    (void)state;
    shop_world_init(&world, 40);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    shop_world_clear(&world);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_nested_things_are_known),
        cmocka_unit_test(locals_and_parameters_stand_for_what_they_hold),
        cmocka_unit_test(dots_and_colons_are_told_apart),
        cmocka_unit_test(options_and_names_are_known),
        cmocka_unit_test(fields_of_nouns_are_known_before_the_load),
        cmocka_unit_test(rules_of_modules_are_looked_at),
        cmocka_unit_test(sound_scripts_stay_silent),
        cmocka_unit_test(a_folder_without_a_catalog_only_warns),
        cmocka_unit_test(purposes_are_those_of_the_shop),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
