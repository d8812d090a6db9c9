/* SPDX-License-Identifier: Apache-2.0
 *
 * The stubs against the runtime, in both directions. The file that editors get is read as they would: every
 * class, field, function and option in it is tried in a real state, on a customer and a product that have
 * everything, and must be there with that type; calls with the arguments it says must be taken. And whatever
 * the runtime answers must be in the file: globals and libraries are walked, and everything that can be read
 * is asked for every name that occurs in the sources of language/.
 */
#include "language/state.h"
#include "language/stubs.h"
#include "language_judge.h"
#include "script/internal.h"

/* ---- the stubs, read ---- */

struct said {
    char owner[32], name[40], type[300]; /* owner "": a global */
    bool is_optional;
};
static struct {
    struct said words[600];
    uint32_t count;
} stubs;

static struct said *say(const char *owner, const char *name, size_t name_length, const char *type) {
    struct said *said = &stubs.words[stubs.count++];
    assert_true(stubs.count <= AT_LENGTH(stubs.words) && strlen(type) < sizeof said->type);
    memset(said, 0, sizeof *said);
    snprintf(said->owner, sizeof said->owner, "%s", owner);
    said->is_optional = name[name_length - 1] == '?';
    snprintf(said->name, sizeof said->name, "%.*s", (int)(name_length - said->is_optional), name);
    snprintf(said->type, sizeof said->type, "%s", type);
    return said;
}

static struct said *find_said(const char *owner, const char *name) {
    for (uint32_t i = 0; i < stubs.count; i++)
        if (strcmp(stubs.words[i].owner, owner) == 0 && strcmp(stubs.words[i].name, name) == 0)
            return &stubs.words[i];
    return NULL;
}

static const char *after(const char *line, const char *start) {
    size_t length = strlen(start);
    return strncmp(line, start, length) == 0 ? line + length : NULL;
}

struct reading {
    char owner[32], parameters[300], results[200], library[40];
};

static void read_line(struct reading *reading, const char *line) {
    const char *rest;
    char type[600];
    if ((rest = after(line, "---@class ")))
        snprintf(reading->owner, sizeof reading->owner, "%s", rest);
    else if ((rest = after(line, "---@field "))) {
        size_t length = strcspn(rest, " ");
        say(reading->owner, rest, length, rest + length + 1);
    } else if ((rest = after(line, "---@param "))) {
        size_t length = strcspn(rest, " "), at = strlen(reading->parameters);
        snprintf(reading->parameters + at, sizeof reading->parameters - at, "%s%.*s: %s", at ? ", " : "",
                 (int)length, rest, rest + length + 1);
    } else if ((rest = after(line, "---@return "))) {
        size_t at = strlen(reading->results);
        snprintf(reading->results + at, sizeof reading->results - at, "%s%s", at ? ", " : ": ", rest);
    } else if ((rest = after(line, "---@type ")))
        snprintf(reading->library, sizeof reading->library, "%s", rest);
    else if ((rest = after(line, "function "))) {
        snprintf(type, sizeof type, "fun(%s)%s", reading->parameters, reading->results);
        say("", rest, strcspn(rest, "("), type);
        *reading->parameters = *reading->results = 0;
    } else if (*reading->library && strstr(line, " = {}")) {
        say("", line, strcspn(line, " "), reading->library);
        *reading->library = 0;
    }
}

static void read_stubs(void) {
    struct at_declared_attribute attributes[AT_ATTRIBUTE_MAX];
    static const char *const kinds[] = {"number", "bool", "date", "text", "list"};
    struct at_stubs own = {.attributes = attributes, .is_whole = true};
    struct reading reading = {.owner = ""};
    struct at_bytes text;
    for (int i = 0; i < at_root_attribute_count(world.root); i++)
        attributes[own.attribute_count++] = (struct at_declared_attribute){
            at_root_attribute_at(world.root, i)->name, kinds[at_root_attribute_at(world.root, i)->kind]};
    at_bytes_init(&text, SIZE_MAX);
    at_stubs_write(&own, &text);
    assert_false(text.failed);
    for (char *line = strtok(text.data, "\n"); line; line = strtok(NULL, "\n")) read_line(&reading, line);
    at_bytes_clear(&text);
    assert_true(stubs.count > 150);
}

/* ---- a rule that looks at one product which has everything ---- */

static const char *run(const char *script, const struct at_profile *profile) {
    static struct outcome outcome;
    const struct at_source_file files[] = {{AT_TEXT("scripts/a.lua"), at_text_of(script)}};
    if (shop_world_load_files(&world, files, 1) != AT_OK) fail_msg("%s\n%s", first_finding(&world), script);
    struct at_rule_report rows_only = world.generation->rankings[0].score_report;
    rows_only.is_columnar = false;
    begin_decision(&world, profile);
    world.view.deadline_ns = at_ticks_ns() + UINT64_C(60000000000);
    world.view.page_product = 1;
    world.view.page_query = AT_TEXT("sofa");
    world.view.page_url = AT_TEXT("https://shop.example/");
    judge(&rows_only, world.generation->rankings[0].score, false, false, &outcome);
    at_decision_end(world.language, &world.view);
    return outcome.status == AT_OK ? "" : outcome.err.message;
}

static struct at_bytes script;

static void begin_rule(void) {
    at_bytes_reset(&script);
    at_bytes_add_text(
        &script,
        "segment \"all\" { when = function(customer) return true end }\n"
        "ranking \"r\" { score = function(product, customer, page)\n"
        "local wrong\n"
        "local function note(label, wanted, may_miss, ok, value)\n"
        "  local is = ok and type(value) or tostring(value)\n"
        "  if ok and (is == wanted or wanted == 'any' or may_miss and value == nil) then return end\n"
        "  wrong = wrong or label .. ' is ' .. is .. ', not ' .. wanted\nend\n");
}
static const char *end_rule(const struct at_profile *profile) {
    at_bytes_add_text(&script, "if wrong then error(wrong) end\nreturn 1 end }\n");
    assert_false(script.failed);
    return run(script.data, profile);
}

/* What to write for one of that class; NULL: nothing to read. */
static const char *example_of(const char *class_name) {
    static const char *const all[][2] = {{"Product", "product"},
                                         {"Customer", "customer"},
                                         {"Traits", "customer.traits"},
                                         {"Session", "customer.session"},
                                         {"Acquired", "customer.acquired"},
                                         {"Orders", "customer.orders"},
                                         {"Basket", "customer.basket"},
                                         {"Item", "customer.basket.items[1]"},
                                         {"Affinity", "customer.affinity"},
                                         {"Taste", "customer.affinity.brand"},
                                         {"Consent", "customer.consent"},
                                         {"Page", "page"},
                                         {"Event", "customer:last('order_completed')"},
                                         {"number", "(product.price)"},
                                         {"string", "({ '7d' })[1]"},
                                         {"boolean", "(product.vegan)"},
                                         {"List", "({ product.tags })[1]"},
                                         {"mathlib", "math"},
                                         {"stringlib", "string"},
                                         {"tablelib", "table"},
                                         {"utf8lib", "utf8"}};
    for (size_t i = 0; i < AT_LENGTH(all); i++)
        if (strcmp(all[i][0], class_name) == 0) return all[i][1];
    return NULL;
}

/* What type() says of it. */
static const char *lua_type_of(const char *text) {
    bool is_list;
    struct at_text core = at_type_plain(at_text_of(text), &is_list);
    char name[300];
    snprintf(name, sizeof name, "%.*s", (int)core.length, core.data);
    if (!*name) return "nil";
    if (is_list || strcmp(name, "Item") == 0 || after(name, "table")) return "table";
    if (after(name, "fun(")) return "function";
    if (strcmp(name, "any") == 0) return "any";
    const struct at_owner *owner = at_owner_of(at_text_of(name));
    if (!owner) fail_msg("the type %s is no class and no alias", name);
    bool is_view = owner->kind != AT_OWNER_VALUE || strcmp(name, "List") == 0;
    return is_view ? "product" : owner->class_name; /* all views are called so */
}

static bool may_miss(const char *type) {
    size_t length = strlen(type);
    return length && type[length - 1] == '?';
}

/* ---- direction one: what the stubs say is there ---- */

static void write_reads(bool needs_all) {
    for (uint32_t i = 0; i < stubs.count; i++) {
        const struct said *said = &stubs.words[i];
        const char *example = example_of(said->owner);
        if (!example || said->name[0] == '[') continue;
        at_bytes_printf(&script, "note('%s.%s', '%s', %s, pcall(function() return %s['%s'] end))\n",
                        said->owner, said->name, lua_type_of(said->type),
                        !needs_all && may_miss(said->type) ? "true" : "false", example, said->name);
    }
}

static void every_field_is_there_with_its_type(void **state) {
    (void)state;
    begin_rule();
    write_reads(true);
    assert_string_equal(end_rule(world.somebody), "");
}

/* Of nobody everything that may be missing may be, and nothing else. */
static void what_may_be_missing_says_so(void **state) {
    (void)state;
    begin_rule();
    for (uint32_t i = 0; i < stubs.count; i++) {
        const struct said *said = &stubs.words[i];
        const char *example = example_of(said->owner);
        bool is_of_person = example && after(example, "customer") && !strpbrk(example, "[(");
        if (!is_of_person || said->name[0] == '[') continue;
        at_bytes_printf(&script, "note('%s.%s', '%s', %s, pcall(function() return %s['%s'] end))\n",
                        said->owner, said->name, lua_type_of(said->type),
                        may_miss(said->type) ? "true" : "false", example, said->name);
    }
    assert_string_equal(end_rule(world.nobody), "");
}

/* An argument of that type, where a value of the class is asked. */
static const char *argument_of(const char *class_name, struct at_text type) {
    static const char *const all[][2] = {{"number", "2"},
                                         {"string", "'77'"},
                                         {"Amount", "2"},
                                         {"Time", "'7d'"},
                                         {"Moment", "now()"},
                                         {"EventName", "'order_completed'"},
                                         {"SegmentName", "'all'"},
                                         {"Purpose", "'personalization'"},
                                         {"Window", "{ within = '7d', since = now() - days(3) }"},
                                         {"table", "{ 3, 4 }"},
                                         {"function", "function() return true end"},
                                         {"number|string", "2"},
                                         {"boolean", "false"}};
    static char wanted[200];
    bool is_list;
    struct at_text core = at_type_core(type, &is_list);
    snprintf(wanted, sizeof wanted, "%.*s", (int)core.length, core.data);
    for (size_t i = 0; i < AT_LENGTH(all); i++)
        if (strcmp(all[i][0], wanted) == 0) return all[i][1];
    if (strcmp(wanted, "any") != 0) fail_msg("no argument of type %s", wanted);
    if (strcmp(class_name, "boolean") == 0) return "true";
    return strcmp(class_name, "string") == 0 || strcmp(class_name, "List") == 0 ? "'7'" : "3";
}

/* Calls that need other arguments than those of their types. */
static const char *own_arguments(const char *owner, const char *name) {
    static const char *const all[][3] = {{"", "tonumber", "'11', 2"},
                                         {"", "next", "{ 3 }, 1"},
                                         {"", "ipairs", "{ 3 }"},
                                         {"stringlib", "gsub", "'7', '7', '8', 1"},
                                         {"string", "gsub", "'7', '8', 1"}};
    for (size_t i = 0; i < AT_LENGTH(all); i++)
        if (strcmp(all[i][0], owner) == 0 && strcmp(all[i][1], name) == 0) return all[i][2];
    return NULL;
}

static void write_arguments(const struct said *said, bool with_optional, struct at_bytes *out) {
    struct at_parameter one;
    bool is_method = after(said->type, "fun(self:") != NULL;
    const char *own = own_arguments(said->owner, said->name);
    if (own) {
        at_bytes_add_text(out, own);
        return;
    }
    for (uint32_t i = is_method; at_type_parameter(at_text_of(said->type), i, &one); i++) {
        bool is_rest = at_text_is(one.name, "...");
        if ((one.is_optional || is_rest) && !with_optional) return;
        at_bytes_printf(out, "%s%s", i > is_method ? ", " : "", argument_of(said->owner, one.type));
    }
}

static void write_call(const struct said *said, bool with_optional) {
    struct at_text result = at_type_result(at_text_of(said->type)), first = {"", 0};
    const char *example = example_of(said->owner);
    bool is_method = after(said->type, "fun(self:") != NULL;
    char type[200];
    at_type_piece(result, 0, &first);
    snprintf(type, sizeof type, "%.*s", (int)first.length, first.data);
    at_bytes_printf(&script, "note('%s.%s()', '%s', %s, pcall(function() return (%s%s%s(", said->owner,
                    said->name, lua_type_of(type), may_miss(type) || !*type ? "true" : "false",
                    example ? example : "",
                    !example    ? ""
                    : is_method ? ":"
                                : ".",
                    said->name);
    write_arguments(said, with_optional, &script);
    at_bytes_add_text(&script, ")) end))\n");
}

/* What ends a call, belongs in shop.lua, or declares. */
static bool is_callable(const struct said *said) {
    const struct at_word *word = *said->owner ? NULL : at_word_of(at_vocabulary(), at_text_of(said->name));
    if (!after(said->type, "fun(") || (*said->owner && !example_of(said->owner))) return false;
    if (!word) return true;
    bool is_other = strcmp(word->name, "error") == 0 || strcmp(word->name, "require") == 0 ||
                    strcmp(word->name, "expect") == 0; /* of tests: language_tests_test.c */
    return word->kind == AT_WORD_FUNCTION && !is_other;
}

static void every_signature_is_taken(void **state) {
    (void)state;
    uint32_t count = 0;
    begin_rule();
    for (uint32_t i = 0; i < stubs.count; i++) {
        if (!is_callable(&stubs.words[i])) continue;
        write_call(&stubs.words[i], false);
        write_call(&stubs.words[i], true);
        count++;
    }
    print_message("# %u functions and methods called\n", count);
    assert_true(count > 90);
    assert_string_equal(end_rule(world.somebody), "");
}

static void every_global_is_there(void **state) {
    (void)state;
    begin_rule();
    for (uint32_t i = 0; i < stubs.count; i++) {
        const struct said *said = &stubs.words[i];
        const struct at_word *word = at_word_of(at_vocabulary(), at_text_of(said->name));
        if (*said->owner) continue;
        assert_non_null(word);
        if (word->kind != AT_WORD_SETTING)
            at_bytes_printf(&script, "note('%s', '%s', false, true, %s)\n", said->name,
                            word->kind == AT_WORD_LIBRARY ? "table" : "function", said->name);
    }
    assert_string_equal(end_rule(world.somebody), "");
}

/* ---- options: one of the right type is taken, one of another is refused, so it is read ---- */

static const char *good_option(const struct said *said) {
    static const char *const all[][2] = {
        {"Ranking.diversify", "{ by = 'brand', at_most = 2, within = 8 }"},
        {"Ranking.explore", "'5%'"},
        {"Diversify.by", "'brand'"},
        {"Diversify.at_most", "2"},
        {"Diversify.within", "8"},
        {"Rail.pin", "{ 'P001', [5] = 'P002' }"},
        {"Rail.on", "'collection'"},
        {"Rail.from", "'2026-12-01'"},
        {"Rail.to", "'2026-12-24'"},
        {"Segment.recheck", "'1d'"},
        {"Window.within", "'7d'"},
        {"Window.since", "now()"},
        {"Shop.currency", "'EUR'"},
        {"Shop.timezone", "'UTC'"},
        {"Shop.country", "'DE'"},
        {"Test.given", "{}"},
        {"Test.events", "'fixtures/week.jsonl'"},
        {"Test.catalog", "'fixtures/mini.jsonl'"},
        {"Test.at", "'2026-11-27 21:30'"},
        {"Given.customer", "{}"},
        {"Given.products", "{}"},
        {"GivenCustomer.traits", "{}"},
        {"GivenCustomer.orders", "{ count = 2 }"},
        {"GivenCustomer.session", "{ source = 'google' }"},
        {"GivenCustomer.affinity", "{}"},
        {"GivenCustomer.consent", "{}"},
        {"GivenCustomer.is_known", "true"},
        {"GivenOrders.count", "2"},
        {"GivenOrders.revenue", "20"},
        {"GivenOrders.since_last", "'3d'"},
        {"GivenOrders.last_at", "days(3)"},
        {"ListAsk.where", "{}"},
        {"ListAsk.items", "{}"},
        {"ListAsk.limit", "2"},
        {"ListAsk.offset", "2"},
        {"ListAsk.customer", "{}"},
        {"Decision.ask", "{}"},
        {"Decision.customer", "{}"},
        {"Keeps.by", "'brand'"},
        {"Keeps.at_most", "2"},
        {"Keeps.within", "8"},
        {"Budgets.memory", "'32MB'"},
        {"Budgets.load", "'500ms'"},
        {"Shop.locale", "'de'"},
        {"Keys.write", "'abcdefgh1'"},
        {"Keys.secret", "'abcdefgh2'"},
        {"Keys.origins", "{ 'https://shop.example' }"},
        {"ConsentRules.analytics", "'opt-in'"},
        {"ConsentRules.personalization", "{ EU = 'opt-in', US = 'opt-out', elsewhere = 'opt-in' }"},
        {"ConsentRules.never_use", "{ 'traits.religion' }"},
        {"ConsentRegions.EU", "'opt-in'"},
        {"ConsentRegions.US", "'opt-in'"},
        {"ConsentRegions.elsewhere", "'opt-in'"},
        {"ConsentRegions.own_customers", "'opt-out'"},
        {"Identity.kinds", "{ loyalty_id = { at_most = 1 } }"},
        {"Identity.blocked", "{ 'test@example.com' }"},
        {"Identity.fold_mailboxes", "true"},
        {"Identity.prove", "'required'"},
        {"IdentityKind.at_most", "1"},
        {"IdentityKind.within", "'30d'"},
        {"Sources.shopify", "{ secrets = { 'abcdefgh' } }"},
        {"ShopifySource.secrets", "{ 'abcdefgh' }"},
        {"ShopifySource.secret", "'abcdefgh'"},
        {"ShopifySource.domain", "'outfitter.myshopify.com'"}};
    char name[80];
    snprintf(name, sizeof name, "%s.%s", said->owner, said->name);
    for (size_t i = 0; i < AT_LENGTH(all); i++)
        if (strcmp(all[i][0], name) == 0) return all[i][1];
    if (after(said->type, "fun(")) return "function() return 1 end";
    if (strcmp(said->owner, "Budgets") == 0) return "'20ms'";
    if (after(said->type, "string")) return "'de'"; /* of what tests say any text is taken by the load */
    fail_msg("no example of %s", name);
    return "";
}

/* The table of that owner with this one field and what it needs besides, where it belongs. */
static void write_table(const struct said *said, const char *value, char out[800]) {
    static const struct {
        const char *owner, *before, *after;
    } places[] = {
        {"Ranking", "ranking 'r' { ", " }"},
        {"Diversify", "ranking 'r' { score = function() return 1 end, diversify = { ", " } }"},
        {"Rail", "rail 'r' { ", " }"},
        {"Segment", "segment 's' { ", " }"},
        {"Window", "ranking 'r' { score = function(p, customer) return customer:count('order_completed', { ",
         " }) end }"},
        {"Test", "test 't' { ", " }"},
        {"Given", "test 't' { run = function(world) end, given = { ", " } }"},
        {"GivenCustomer", "test 't' { run = function(world) end, given = { customer = { ", " } } }"},
        {"GivenOrders", "test 't' { run = function(world) end, given = { customer = { orders = { ",
         " } } } }"},
        {"GivenSession", "test 't' { run = function(world) end, given = { customer = { session = { ",
         " } } } }"},
        {"ListAsk", "test 't' { run = function(world) world:rank('r', { ", " }) end }"},
        {"Decision", "test 't' { run = function(world) world:decide { ", " } end }"},
        {"Keeps", "test 't' { run = function(world) expect({}):keeps { ", " } end }"},
        {"Budgets", "budgets { ", " }"},
        {"Shop", "shop 's' { ", " }"},
        {"Keys", "keys { ", " }"},
        {"ConsentRules", "consent { ", " }"},
        {"ConsentRegions", "consent { analytics = 'opt-in', personalization = 'opt-in', sale = { ", " } }"},
        {"Identity", "identity { ", " }"},
        {"IdentityKind", "identity { kinds = { loyalty_id = { ", " } } }"},
        {"Sources", "sources { ", " }"},
        {"ShopifySource", "sources { shopify = { ", " } }"}};
    size_t i = 0;
    while (i < AT_LENGTH(places) && strcmp(places[i].owner, said->owner) != 0) i++;
    if (i == AT_LENGTH(places)) fail_msg("no place for %s", said->owner);
    int at = snprintf(out, 800, "%s%s = %s", places[i].before, said->name, value);
    for (uint32_t k = 0; k < stubs.count; k++) {
        const struct said *other = &stubs.words[k];
        bool is_needed = strcmp(other->owner, said->owner) == 0 && other != said && !other->is_optional;
        if (is_needed && other->name[0] != '[')
            at += snprintf(out + at, 800 - (size_t)at, ", %s = %s", other->name, good_option(other));
    }
    if (strcmp(said->name, "domain") == 0)
        at += snprintf(out + at, 800 - (size_t)at, ", secret = 'abcdefgh'");
    if (strcmp(said->owner, "Rail") == 0 && strlen(said->name) == 2 + 2 * (said->name[0] == 'f'))
        at += snprintf(out + at, 800 - (size_t)at, ", hide = function() return false end");
    snprintf(out + at, 800 - (size_t)at, "%s", places[i].after);
}

static bool is_taken(const struct said *said, const char *text) {
    struct at_settings *settings = NULL;
    struct at_error err;
    const struct at_owner *owner = at_owner_of(at_text_of(said->owner)), *shop = at_owner_of(AT_TEXT("Shop"));
    if (owner < shop) {
        if (shop_world_load(&world, text) != AT_OK) return false;
        return strcmp(said->owner, "Window") != 0 || !*run(text, world.somebody);
    }
    enum at_status status = load_settings(text, &settings, &err);
    at_settings_free(settings);
    return status == AT_OK;
}

static void every_option_is_read(void **state) {
    (void)state;
    char text[800];
    uint32_t count = 0;
    for (uint32_t i = 0; i < stubs.count; i++) {
        const struct said *said = &stubs.words[i];
        const struct at_owner *owner = *said->owner ? at_owner_of(at_text_of(said->owner)) : NULL;
        if (!owner || owner->kind != AT_OWNER_TABLE || said->name[0] == '[') continue;
        write_table(said, good_option(said), text);
        if (!is_taken(said, text)) fail_msg("%s is refused: %s", text, first_finding(&world));
        write_table(said, strcmp(said->type, "boolean") == 0 ? "'x'" : "true", text);
        bool is_read_later = owner > at_owner_of(AT_TEXT("Test")) && owner <= at_owner_of(AT_TEXT("Keeps"));
        if (!is_read_later && is_taken(said, text)) fail_msg("%s is not read", text); /* else: by a test */
        snprintf(text, sizeof text, "%s", said->name);
        count++;
    }
    print_message("# %u options\n", count);
    assert_true(count > 30);
}

static void what_is_needed_is_needed(void **state) {
    (void)state;
    static const struct said nothing[] = {{"Ranking", "explore", "", true}, {"Segment", "recheck", "", true}};
    assert_false(is_taken(&nothing[0], "ranking 'r' { explore = '5%' }"));
    assert_false(is_taken(&nothing[1], "segment 's' { recheck = '1d' }"));
    for (uint32_t i = 0; i < stubs.count; i++) {
        const struct at_owner *owner = at_owner_of(at_text_of(stubs.words[i].owner));
        const struct at_word *word = owner ? at_word_of(owner, at_text_of(stubs.words[i].name)) : NULL;
        if (owner && owner->kind == AT_OWNER_TABLE && word)
            assert_int_equal(stubs.words[i].is_optional, !word->is_required);
    }
}

/* ---- direction two: what the runtime answers is in the stubs ---- */

static int walk_globals(lua_State *L, void *arg) {
    uint32_t *count = arg;
    at_script_push_globals(L);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        const char *name = lua_tostring(L, -2);
        const struct at_word *word = at_word_of(at_vocabulary(), at_text_of(name));
        if (!word || (word->since && !find_said("", name)))
            return at_script_raise(L, "%s is not in the stubs", name);
        ++*count;
    }
    return 0;
}

static void every_global_of_the_state_is_in_the_stubs(void **state) {
    (void)state;
    struct at_error err = {0};
    uint32_t count = 0;
    must_load(&world, "");
    if (at_script_call(world.language->script, AT_LOAD_BUDGET_NS, walk_globals, &count, NULL, &err) != AT_OK)
        fail_msg("%s", err.message);
    assert_true(count > 60);
}

static void every_function_of_a_library_is_in_the_stubs(void **state) {
    (void)state;
    static const char *const libraries[] = {"mathlib", "stringlib", "tablelib", "utf8lib"};
    begin_rule();
    for (size_t i = 0; i < AT_LENGTH(libraries); i++) {
        at_bytes_add_text(&script, "do local known = {}\n");
        for (uint32_t k = 0; k < stubs.count; k++)
            if (strcmp(stubs.words[k].owner, libraries[i]) == 0)
                at_bytes_printf(&script, "known['%s'] = true\n", stubs.words[k].name);
        at_bytes_printf(&script,
                        "local count = 0\nfor name in pairs(%s) do count = count + 1\n"
                        "if not known[name] then wrong = wrong or name .. ' is not in the stubs' end end\n"
                        "if count < 5 then wrong = wrong or 'nothing is walked' end end\n",
                        example_of(libraries[i]));
    }
    assert_string_equal(end_rule(world.somebody), "");
}

/* Every text of the sources that could be a name, once. */
static uint32_t add_names(const char *path, struct at_bytes *list, uint32_t count) {
    static char text[1 << 18];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = 0;
    fclose(file);
    for (char *at = strchr(text, '"'); at; at = strchr(at, '"')) {
        char quoted[64];
        size_t n = strspn(++at, "abcdefghijklmnopqrstuvwxyz_0123456789");
        if (!n || n > 40 || at[n] != '"' || (at[0] >= '0' && at[0] <= '9')) continue;
        snprintf(quoted, sizeof quoted, "'%.*s', ", (int)n, at);
        at += n + 1;
        if (list->length && strstr(list->data, quoted)) continue;
        at_bytes_add_text(list, quoted);
        count++;
    }
    return count;
}

static uint32_t gather_names(struct at_bytes *list) {
    static const char *const files[] = {"customer",
                                        "product",
                                        "history",
                                        "consent",
                                        "views",
                                        "words",
                                        "segment",
                                        "operators",
                                        "moving",
                                        "personal",
                                        "vocabulary_views",
                                        "vocabulary_nouns",
                                        "vocabulary_lua",
                                        "vocabulary_globals",
                                        "vocabulary_settings",
                                        "settings",
                                        "nouns",
                                        "explain"};
    const char *slash = strrchr(__FILE__, '/');
    uint32_t count = 0;
    for (size_t i = 0; i < AT_LENGTH(files); i++) {
        char path[500];
        snprintf(path, sizeof path, "%.*s../../runtime/language/%s.c",
                 slash ? (int)(slash - __FILE__ + 1) : 0, __FILE__, files[i]);
        count = add_names(path, list, count);
    }
    return count;
}

/* What has any name besides says nothing: its own words are few, and read above. */
static void every_name_that_is_answered_is_in_the_stubs(void **state) {
    (void)state;
    static const char *const classes[] = {"Product", "Customer", "Session", "Acquired", "Orders", "Basket",
                                          "Item",    "Page",     "number",  "string",   "List"};
    struct at_bytes names;
    at_bytes_init(&names, SIZE_MAX);
    uint32_t count = gather_names(&names);
    begin_rule();
    at_bytes_printf(&script, "local names = {%s}\nlocal answered = 0\n", names.data);
    for (size_t i = 0; i < AT_LENGTH(classes); i++) {
        at_bytes_add_text(&script, "do local known = {}\n");
        for (uint32_t k = 0; k < stubs.count; k++)
            if (strcmp(stubs.words[k].owner, classes[i]) == 0 ||
                (strcmp(classes[i], "List") == 0 && strcmp(stubs.words[k].owner, "number") == 0)) /* refuse */
                at_bytes_printf(&script, "known['%s'] = true\n", stubs.words[k].name);
        at_bytes_printf(
            &script,
            "local one = %s\nfor _, name in ipairs(names) do\n"
            "local ok, value = pcall(function() return one[name] end)\n"
            "if ok and value ~= nil then answered = answered + 1\n"
            "if not known[name] then wrong = wrong or '%s.' .. name .. ' is not in the stubs' end\n"
            "end end end\n",
            example_of(classes[i]), classes[i]);
    }
    at_bytes_add_text(&script, "if answered < 100 then wrong = wrong or 'too few: ' .. answered end\n");
    at_bytes_clear(&names);
    print_message("# %u names asked of %zu things\n", count, AT_LENGTH(classes));
    assert_true(count > 250);
    assert_string_equal(end_rule(world.somebody), "");
}

/* Every owner of the table is a class of the stubs, every word of this version stands in it. */
static void every_word_of_the_table_is_in_the_stubs(void **state) {
    (void)state;
    for (const struct at_owner *owner = at_vocabulary(); owner->words; owner++)
        for (const struct at_word *word = owner->words; word->name; word++)
            if (!find_said(owner->class_name, word->name) != !word->since)
                fail_msg("%s.%s", owner->class_name, word->name);
}

/* ---- a customer and a product that have everything ---- */

static void give_identifier(struct at_text kind, struct at_text value) {
    struct at_identifier identifier = {kind, value};
    struct at_profile *next = at_profile_with_identifier(world.somebody, &identifier, NOW_MS - 1, false);
    assert_non_null(next);
    at_profile_unref(world.somebody);
    world.somebody = next;
}

static int set_up(void **state) {
    (void)state;
    shop_world_init(&world, 40);
    live(&world, 99,
         "{\"type\":\"page\",\"userId\":\"u1\",\"timestamp\":\"2026-11-01T10:00:00Z\",\"context\":{"
         "\"campaign\":{"
         "\"source\":\"mail\",\"name\":\"autumn\"},\"page\":{\"url\":\"https://shop.example/a\",\"path\":\"/"
         "a\"}}}");
    live(&world, 100,
         "{\"type\":\"page\",\"userId\":\"u1\",\"name\":\"Home\",\"timestamp\":\"2026-11-30T00:25:00Z\","
         "\"context\":{\"campaign\":{\"source\":\"newsletter\",\"name\":\"winter\"},\"page\":{\"url\":"
         "\"https://shop.example/?utm_source=newsletter&utm_campaign=winter\",\"path\":\"/\",\"referrer\":"
         "\"https://search.example/\"},\"userAgent\":\"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Mobile\"}}");
    live(&world, 101,
         "{\"type\":\"identify\",\"userId\":\"u1\",\"timestamp\":\"2026-11-30T00:26:00Z\",\"traits\":{"
         "\"phone\":"
         "\"+491701234567\",\"first_name\":\"Ann\",\"last_name\":\"Bee\"},\"context\":{\"locale\":\"de-DE\","
         "\"timezone\":\"Europe/Berlin\",\"location\":{\"country\":\"DE\"}}}");
    live(&world, 102,
         "{\"type\":\"track\",\"event\":\"Cart "
         "Updated\",\"userId\":\"u1\",\"timestamp\":\"2026-11-30T00:27:00Z\","
         "\"properties\":{\"cart_id\":\"c\",\"cart_url\":\"https://shop.example/cart\",\"checkout_url\":"
         "\"https://shop.example/"
         "cart\",\"products\":[{\"product_id\":\"P011\",\"quantity\":1,\"price\":20}]}}");
    give_identifier(AT_TEXT("email"), AT_TEXT("a@b.example")); /* who is who, shop/ decides */
    give_identifier(AT_TEXT("phone"), AT_TEXT("+491701234567"));
    be_a_shop_of(&world, 30);
    world.rows[0] = 1;
    world.row_count = 1;
    at_bytes_init(&script, SIZE_MAX);
    read_stubs();
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    at_bytes_clear(&script);
    shop_world_clear(&world);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_of_the_table_is_in_the_stubs),
        cmocka_unit_test(every_field_is_there_with_its_type),
        cmocka_unit_test(what_may_be_missing_says_so),
        cmocka_unit_test(every_signature_is_taken),
        cmocka_unit_test(every_global_is_there),
        cmocka_unit_test(every_option_is_read),
        cmocka_unit_test(what_is_needed_is_needed),
        cmocka_unit_test(every_global_of_the_state_is_in_the_stubs),
        cmocka_unit_test(every_function_of_a_library_is_in_the_stubs),
        cmocka_unit_test(every_name_that_is_answered_is_in_the_stubs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
