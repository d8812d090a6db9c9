/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole shops written at random: nouns, rules with the words of the language, the library, and what means
 * harm, built, loaded under budgets and run over products and people by both back ends of the limiter.
 * Whatever they are: all ends in time and in its memory, no address gets out, and a state goes on right or
 * says it is spent.
 */
#include "language/state.h"
#include "language_world.h"
#include <signal.h>
#include <time.h>
#include "base/utf8.h"
#include "cases.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWNESS 10
#else
#define SLOWNESS 1
#endif
#define MS 1000000ULL

#define RULE_MS    3
#define LOAD_MS    40
#define SLACK_MS_W (150.0 * SLOWNESS)
#define MEMORY     (8u << 20)

static struct shop_world shop;
static uint64_t random_state;

/* Milliseconds of work of this thread: a busy machine does not add to them. */
static double worked_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- writing ---- */

struct writer {
    char text[24000];
    size_t length;
    int names, loops;
    bool is_mean;
};

static void put(struct writer *w, const char *fmt, ...) AT_PRINTF(2, 3);
static void put(struct writer *w, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(w->text + w->length, sizeof w->text - w->length, fmt, args);
    va_end(args);
    w->length += (size_t)n < sizeof w->text - w->length ? (size_t)n : sizeof w->text - w->length - 1;
}

static unsigned any_of(unsigned count) {
    return random_below(&random_state, count);
}
#define ONE_OF(list) list[any_of(AT_LENGTH(list))]

static void put_value(struct writer *w, int depth);

static void put_number(struct writer *w, int depth) {
    static const char *const leaves[] = {"product.price",
                                         "product.rating",
                                         "product.stock",
                                         "product.affinity",
                                         "customer.orders.count",
                                         "customer.orders.revenue",
                                         "#product.title",
                                         "1",
                                         "0.5",
                                         "-3",
                                         "2^53",
                                         "1e308",
                                         "0/0",
                                         "math.pi",
                                         "n"};
    static const char *const words[] = {"min", "max", "math.max", "math.fmod", "math.atan"};
    unsigned kind = depth > 0 ? any_of(7) : 0;
    if (kind < 2) return put(w, "%s", ONE_OF(leaves));
    if (kind == 2)
        put(w, "%s(", ONE_OF(words)), put_number(w, depth - 1), put(w, ", "), put_number(w, depth - 1),
            put(w, ")");
    if (kind == 3)
        put(w, "("), put_number(w, depth - 1), put(w, " %c ", "+-*/^%"[any_of(6)]), put_number(w, depth - 1),
            put(w, ")");
    if (kind == 4) put(w, "math.floor("), put_number(w, depth - 1), put(w, ")");
    if (kind == 5) put(w, "when("), put_value(w, 0), put(w, ", "), put_number(w, depth - 1), put(w, ", 1)");
    if (kind == 6) put(w, "(tonumber("), put_value(w, depth - 1), put(w, ") or 2)");
}

static void put_text(struct writer *w, int depth) {
    static const char *const leaves[] = {"product.title",     "product.brand",      "'b1'",
                                         "('x'):rep(300)",    "tostring(print)",    "tostring({})",
                                         "tostring(product)", "tostring(customer)", "('%a+'):rep(9)"};
    static const char *const calls[] = {
        "string.upper(tostring(%s))",      "(tostring(%s):gsub('%%w', '%%0%%0'))",
        "string.format('%%s %%q', %s, 1)", "table.concat({tostring(%s), 'x'})",
        "(tostring(%s)):rep(20)",          "(tostring(%s):match('(.-)%%d'))",
        "('a' .. tostring(%s))",           "type(%s)"};
    static const char *const inner[] = {"product", "n",  "t", "product.price", "customer.traits.tier",
                                        "f",       "nil"};
    (void)depth;
    if (any_of(2)) return put(w, "%s", ONE_OF(leaves));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    put(w, ONE_OF(calls), ONE_OF(inner));
#pragma GCC diagnostic pop
}

static void put_condition(struct writer *w, int depth) {
    static const char *const leaves[] = {
        "product.price:above(20)",    "product.brand:is 'b1'",
        "product.tags:contains 't1'", "customer.has_ordered",
        "product.stock > 3",          "customer:in_segment 'seg'",
        "page.name == 'x'",           "customer:did('order_completed', { within = '7d' })"};
    unsigned kind = depth > 0 ? any_of(5) : 0;
    if (kind < 2) return put(w, "%s", ONE_OF(leaves));
    if (kind == 2)
        put(w, "%s(", any_of(2) ? "all" : "any"), put_condition(w, depth - 1), put(w, ", "),
            put_condition(w, depth - 1), put(w, ")");
    if (kind == 3)
        put(w, "("), put_number(w, depth - 1), put(w, " < "), put_number(w, depth - 1), put(w, ")");
    if (kind == 4) put(w, "(not ("), put_condition(w, depth - 1), put(w, "))");
}

static void put_value(struct writer *w, int depth) {
    unsigned kind = any_of(6);
    if (kind < 2) return put_number(w, depth);
    if (kind == 2) return put_text(w, depth);
    if (kind < 5) return put_condition(w, depth);
    put(w, "%s", any_of(2) ? "t" : "{1, 2, x = 3}");
}

static void put_harm(struct writer *w) {
    static const char *const harm[] = {
        "while true do n = n + 1 end",
        "while true do pcall(function() while true do end end) end",
        "repeat t[#t + 1] = {} until false",
        "do local s = 'x' while true do s = s .. s end end",
        "do local s = 'x' while true do pcall(function() s = s .. s end) end end",
        "for i = 1, 1e9 do t['k' .. i] = i end",
        "for i = 1, 1e9 do t[i * 131071] = i end",
        "string.find(('a'):rep(26), ('a-'):rep(26) .. 'b')",
        "while true do pcall(string.find, ('a'):rep(3000), '.-.-.-b') end",
        "pcall(string.rep, 'x', 1 << 40)",
        "table.sort(t, function() return true end)",
        "table.sort({3, 1, 2}, function() while true do end end)",
        "pcall(table.concat, t, '', 1, 1 << 50)",
        "pcall(table.unpack, {}, 1, 1 << 50)",
        "do local function g() return 1 + g() end g() end",
        "do local function g() return pcall(g) end g() end",
        "xpcall(error, function() while true do end end)",
        "xpcall(error, function(m) error(m) end)",
        "error({tostring = print})",
        "error(('x'):rep(100000))",
        "print(print, t, product, customer, function() end, ('x'):rep(3000))",
        "for i = 1, 1e9 do print(i) end",
        "string.format('%99.99f', 1e308)",
        "pcall(function() math.floor = nil end)",
        "pcall(function() string.upper = print end)",
        "pcall(function() customer.email = 'x' end)",
        "pcall(function() for k in pairs(product) do n = k end end)",
        "for k, v in pairs(_ENV) do print(k, v) end",
        "pcall(function() return _ENV['getmetatable']('').__index end)",
        "pcall(function() return ('').__index.x end)",
        "for w in ('a b '):rep(3000):gmatch('%a+') do t[w] = n end",
        "goto again",
    };
    put(w, "%s\n", ONE_OF(harm));
}

static void put_statements(struct writer *w, int depth);

static void put_block(struct writer *w, int depth) {
    static const char *const heads[] = {
        "for i = 1, 5 do n = n + i ", "for i, v in ipairs({1, 2, 3}) do n = n + v ",
        "for k, v in pairs({a = 1, b = 2}) do n = n + v ", "do local product = product "};
    unsigned kind = any_of(7);
    if (kind < 4) put(w, "%s\n", heads[kind]);
    if (kind == 4) put(w, "if "), put_condition(w, 1), put(w, " then\n");
    if (kind == 5) put(w, "local ok, got = pcall(function()\n");
    if (kind == 6) put(w, "t[%u] = function()\n", any_of(5));
    put_statements(w, depth - 1);
    put(w, kind == 5 ? "end) n = n + (ok and 1 or 0)\n" : "end\n");
}

static void put_statements(struct writer *w, int depth) {
    for (unsigned count = any_of(3) + 1; count > 0; count--) {
        unsigned kind = any_of(depth > 0 ? 8 : 5);
        if (kind == 0) put(w, "n = ("), put_number(w, 2), put(w, ") or 0\n");
        if (kind == 1) put(w, "local v%d = ", ++w->names), put_value(w, 2), put(w, "\n");
        if (kind == 2) put(w, "t[#t + 1] = "), put_value(w, 1), put(w, "\n");
        if (kind == 3) put(w, "print("), put_value(w, 1), put(w, ")\n");
        if (kind == 4 && w->is_mean) put_harm(w);
        if (kind >= 5) put_block(w, depth);
    }
}

static void put_rule(struct writer *w, const char *parameters, bool is_condition) {
    bool is_plain = any_of(3) == 0;
    put(w, "function(%s)\n", parameters);
    if (!is_plain) {
        put(w, "local n, t = 0, {} local f = tostring ::again::\n");
        put_statements(w, 3);
    } else
        put(w, "local n, t, f = 1, {}, print\n");
    put(w, "return ");
    if (is_condition)
        put_condition(w, 2);
    else
        put_number(w, 3);
    put(w, "\nend");
}

/* A rail, a segment that others ask for, rankings, and one that must always come out right. */
static void write_shop(struct writer *w) {
    static const char *const kinds[] = {"hide", "only", "bury"};
    memset(w, 0, sizeof *w);
    w->is_mean = any_of(2) == 0;
    put(w, "ranking 'probe' { score = function(product) if product.stock then return product.stock * 2 end "
           "return -1 end }\n");
    if (w->is_mean && any_of(20) == 0) put(w, "local n, t, product, customer = 0, {}, {}, {}\n"), put_harm(w);
    put(w, "segment 'seg' { when = function(customer) return customer.orders.count > 0 end }\n");
    put(w, "segment 'wild' { when = function(customer)\nlocal product, page = {price = 1, tags = {}}, {} "
           "local n, t, f = 0, {}, print\n");
    if (w->is_mean && any_of(3) == 0) put_harm(w);
    put(w, "return customer.orders.revenue > %u and customer:in_segment 'seg'\nend }\n", any_of(200));
    for (unsigned i = any_of(2) + 1; i > 0; i--) {
        put(w, "rail 'r%u' { %s = ", i, ONE_OF(kinds));
        put_rule(w, "product, customer, page", true);
        put(w, "%s }\n", any_of(3) ? "" : ", on = 'sale'");
    }
    for (unsigned i = any_of(2) + 1; i > 0; i--) {
        put(w, "ranking 'k%u' { score = ", i);
        put_rule(w, "product, customer, page", false);
        put(w, "%s }\n", any_of(3) ? "" : ", diversify = { by = 'brand', at_most = 2, within = 5 }");
    }
}

/* ---- running ---- */

struct tallies {
    int loaded, refused, ok, failed, stopped, spent, probes;
};
static struct tallies tallies;
static struct writer shop_text;
static struct at_account account;
static struct at_watchdog *watchdog;
static struct at_guard guard;

/* "0x" and digits: the texts written here have none. */
static void check_text(const char *text) {
    for (const char *at = text; (at = strstr(at, "0x")); at += 2)
        if (strspn(at + 2, "0123456789abcdef") >= 6) fail_msg("an address: %s\n%s", text, shop_text.text);
    size_t bad;
    if (!at_utf8_valid(text, strlen(text), &bad)) fail_msg("not UTF-8: %s\n%s", text, shop_text.text);
}

static void check_print(void *arg, const char *line) {
    (void)arg;
    check_text(line);
}

static void check_after(double worked, double most_ms, enum at_status status, const struct at_error *err) {
    if (worked > most_ms + SLACK_MS_W) fail_msg("%.0f ms of %.0f\n%s", worked, most_ms, shop_text.text);
    if (at_account_used(&account) > MEMORY + (1u << 20))
        fail_msg("%zu bytes of %u\n%s", at_account_used(&account), MEMORY, shop_text.text);
    if (status == AT_OK) return;
    if (!err->message[0]) fail_msg("ends with %d and says nothing\n%s", status, shop_text.text);
    check_text(err->message);
    if ((status == AT_STOPPED) && !at_language_is_spent(shop.language))
        fail_msg("stopped, not spent\n%s", shop_text.text);
}

static bool open_language(void) {
    struct at_error err;
    at_language_free(shop.language);
    shop.language = NULL;
    double before = worked_ms();
    enum at_status status = at_language_new(&shop.language, shop.generation, shop.settings,
                                            any_of(2) ? &guard : NULL, &account, &err);
    if (worked_ms() - before > LOAD_MS + SLACK_MS_W) fail_msg("loading took too long\n%s", shop_text.text);
    if (status != AT_OK) check_text(err.message);
    return status == AT_OK; /* on a busy machine a load may be stopped that was not before */
}

static enum at_status run_rule(const struct at_rule_report *report, int function, bool is_condition,
                               double *out, struct at_error *err) {
    struct at_candidates rows = {shop.root, shop.rows, shop.row_count, &shop.request};
    begin_decision(&shop, any_of(2) ? shop.somebody : shop.nobody);
    shop.view.explains = any_of(8) == 0;
    struct at_rule_use use = {.language = shop.language,
                              .view = &shop.view,
                              .report = report,
                              .function = function,
                              .is_condition = is_condition,
                              .path = "scripts/a.lua",
                              .name = "rule",
                              .line = 1};
    memset(use.reads, 0xff, sizeof use.reads);
    double before = worked_ms();
    *err = (struct at_error){0};
    enum at_status status = at_rule_judge(&use, &rows, out, err);
    check_after(worked_ms() - before, 3 * RULE_MS, status, err);
    at_decision_end(shop.language, &shop.view);
    at_script_take_prints(shop.language->script, check_print, NULL);
    tallies.ok += status == AT_OK;
    tallies.failed += status == AT_FAILED;
    tallies.stopped += status == AT_STOPPED;
    return status;
}

/* Whatever ran before: right, or spent. */
static bool probe(void) {
    const struct at_ranking *ranking = at_generation_ranking(shop.generation, AT_TEXT("probe"));
    static double out[512];
    struct at_error err;
    if (at_language_is_spent(shop.language)) {
        tallies.spent++;
        if (!open_language()) return false;
    }
    enum at_status status = run_rule(&ranking->score_report, ranking->score, false, out, &err);
    if (status == AT_STOPPED) return open_language(); /* a busy machine */
    if (status != AT_OK) fail_msg("the probe: %s\n%s", err.message, shop_text.text);
    for (uint32_t i = 0; i < shop.row_count; i++)
        if (out[i] != shop.rows[i] % 6 * 2.0)
            fail_msg("the probe gives %g for %u\n%s", out[i], i, shop_text.text);
    tallies.probes++;
    return true;
}

static bool run_segments(void) {
    static struct at_arena answers;
    static bool is_open;
    if (!is_open) at_arena_init(&answers, 1 << 24);
    is_open = true;
    for (uint32_t i = 0; i < shop.generation->segment_count; i++) {
        struct at_error err = {0};
        struct at_segment_answer answer;
        struct at_segment_use use = {.language = shop.language,
                                     .segment = &shop.generation->segments[i],
                                     .root = shop.root,
                                     .arena = &answers};
        struct at_segment_judge judge = at_segment_judge(&use);
        double before = worked_ms();
        enum at_status status = judge.ask(judge.arg, shop.somebody, NOW_MS, &answer, &err);
        check_after(worked_ms() - before, 3 * RULE_MS, status, &err);
        if (!probe()) return false;
    }
    at_arena_reset(&answers);
    return true;
}

static void run_shop(void) {
    static double out[512];
    struct at_error err;
    if (!open_language()) return;
    for (uint32_t i = 0; i < shop.generation->rail_count; i++) {
        run_rule(&shop.generation->rails[i].report, shop.generation->rails[i].condition, true, out, &err);
        if (!probe()) return;
    }
    for (uint32_t i = 0; i < shop.generation->ranking_count; i++) {
        run_rule(&shop.generation->rankings[i].score_report, shop.generation->rankings[i].score, false, out,
                 &err);
        if (!probe()) return;
    }
    run_segments();
}

static void any_shop_is_survived(void **state) {
    (void)state;
    const int cases = getenv("SHOP_CASES") ? atoi(getenv("SHOP_CASES")) : 1000;
    random_state = first_seed(20261127);
    printf("property: seed %llu, %d shops\n", (unsigned long long)random_state, cases);
    for (int i = 0; i < cases; i++) {
        struct at_error err = {0};
        struct at_source_file file = {AT_TEXT("scripts/a.lua"), {shop_text.text, 0}};
        write_shop(&shop_text);
        file.text.length = shop_text.length;
        at_arena_reset(&shop.findings);
        shop.build = (struct at_build){.files = &file,
                                       .file_count = 1,
                                       .settings = shop.settings,
                                       .root = shop.root,
                                       .guard = &guard,
                                       .arena = &shop.findings};
        enum at_status status = at_generation_build(&shop.build, &shop.generation, &err);
        for (const struct at_file_finding *at = shop.build.findings; at; at = at->next)
            check_text(at->finding.message);
        tallies.loaded += status == AT_OK;
        tallies.refused += status != AT_OK;
        if (status == AT_OK) run_shop();
        if (status != AT_OK && !shop.build.findings)
            fail_msg("refused, and says nothing: %s\n%s", err.message, shop_text.text);
        if (status != AT_OK && getenv("SHOP_SHOW")) print_message("%s\n", first_finding(&shop));
        shop_world_unload(&shop);
        if (at_account_used(&account))
            fail_msg("%zu bytes stay\n%s", at_account_used(&account), shop_text.text);
    }
    print_message(
        "%d loaded, %d refused; rules: %d ok, %d failed, %d stopped; %d states spent, %d probes right\n",
        tallies.loaded, tallies.refused, tallies.ok, tallies.failed, tallies.stopped, tallies.spent,
        tallies.probes);
    assert_true(tallies.loaded > cases / 2 && tallies.failed > cases / 20 && tallies.stopped > cases / 20);
}

static int open_shop(void **state) {
    struct at_error err;
    (void)state;
    shop_world_init(&shop, 48);
    for (int i = 0; i < AT_BUDGET_COUNT; i++)
        shop.settings->budgets.ns[i] = (i == AT_BUDGET_LOAD ? LOAD_MS : RULE_MS) * MS;
    shop.settings->budgets.memory_bytes = MEMORY;
    account.limit = 64u << 20;
    if (at_watchdog_start(&watchdog, AT_WATCHDOG_SIGNAL, &err) != AT_OK) return -1;
    at_guard_register(watchdog, &guard);
    return 0;
}

static int close_shop(void **state) {
    (void)state;
    at_guard_unregister(&guard);
    at_watchdog_stop(watchdog);
    shop_world_clear(&shop);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_shop_is_survived)};
    return cmocka_run_group_tests(tests, open_shop, close_shop);
}
