/* SPDX-License-Identifier: Apache-2.0
 *
 * Words found before a run, by generation: a path through what rules read, with or without a slip of the
 * finger in one word, wherever a rule can hide it (branches, locals, helpers, loops). Without a slip the
 * check is silent; with one it says exactly that, at those bytes, and its cure makes the script pass. And
 * what is no script at all is checked without harm.
 */
#include "cases.h"
#include "language_world.h"

static struct shop_world world;

GENERATED_CASES;
static struct at_bytes text;

static uint32_t below(uint32_t limit) {
    return random_below(&seed, limit);
}

static void begin_cases(const char *property, int cases) {
    seed = first = first_seed(419);
    print_message("# property: %s, %d cases, seed %llu\n", property, cases, (unsigned long long)first);
}

/* ---- a path, and where a slip may be ---- */

struct path {
    const char *base,
        *steps[4]; /* "customer", ".orders", ".count"; a step without a word to slip in has a space first */
};
static const struct path paths[] = {{"customer", {".country"}},
                                    {"customer", {".orders", ".revenue"}},
                                    {"customer", {".orders", ".typical_interval"}},
                                    {"customer", {".session", ".started_at"}},
                                    {"customer", {".session", ".referrer"}},
                                    {"customer", {".acquired", ".campaign"}},
                                    {"customer", {".basket", ".updated_at"}},
                                    {"customer", {".basket", ".items", " [1]", ".quantity"}},
                                    {"customer", {".basket", ".first", ".released"}},
                                    {"customer", {".affinity", ".category", " ['c1']"}},
                                    {"customer", {":count", " ('order_completed')"}},
                                    {"customer", {":in_segment", " 'vip'"}},
                                    {"page", {".category"}},
                                    {"page", {".product", ".discount"}},
                                    {"product", {".popularity"}},
                                    {"product", {".rating", ":at_least", " (3)"}},
                                    {"product", {".title", ":upper", " ()"}},
                                    {"product", {".tags", ":contains", " 'new'"}},
                                    {"math", {".floor", " (1.5)"}}};

static uint32_t step_count(const struct path *path) {
    uint32_t count = 0;
    while (count < AT_LENGTH(path->steps) && path->steps[count]) count++;
    return count;
}

/* Two letters change places, one is left out, or one comes twice. */
static void slip(const char *word, char out[64]) {
    size_t length = strlen(word), at = 1 + below((uint32_t)length - 2);
    snprintf(out, 64, "%s", word);
    switch (below(3)) {
    case 0:
        out[at] = word[at + 1];
        out[at + 1] = word[at];
        break;
    case 1: snprintf(out + at, 64 - at, "%s", word + at + 1); break;
    default: snprintf(out + at, 64 - at, "%c%s", word[at], word + at); break;
    }
}

/* Steps from .. to; wrong: the step that has a slip, or more than there are. */
static void add_steps(const struct path *path, uint32_t from, uint32_t to, uint32_t wrong,
                      const char *slipped) {
    for (uint32_t i = from; i < to; i++)
        at_bytes_printf(&text, "%c%s", path->steps[i][0], i == wrong ? slipped : path->steps[i] + 1);
}

/* ---- where it is hidden ---- */

static const char *const places[] = {"local x = %",
                                     "if product.stock > 1e9 then local x = % end",
                                     "if page.name then return 1 else local x = not % end",
                                     "for i = 1, 0 do local x = { y = % } end",
                                     "local f = function() return % end",
                                     "while false do local x = (%) break end",
                                     "local x = false and % or 3",
                                     "repeat local x = % until true"};

static void add_placed(const char *place, const struct path *path, const char *base, uint32_t from,
                       uint32_t wrong, const char *slipped) {
    const char *hole = strchr(place, '%');
    at_bytes_add(&text, place, (size_t)(hole - place));
    at_bytes_add_text(&text, base);
    add_steps(path, from, step_count(path), wrong, slipped);
    at_bytes_add_text(&text, hole + 1);
}

/* Where the path may be cut in two: not within a question. */
static uint32_t cut_of(const struct path *path) {
    uint32_t count = step_count(path), cut = below(count + 1);
    while (cut < count && (path->steps[cut][0] == ':' || path->steps[cut][0] == ' ')) cut++;
    return cut;
}

static void write_script(const struct path *path, uint32_t wrong, const char *slipped) {
    const char *place = places[below(AT_LENGTH(places))];
    uint32_t cut = cut_of(path), way = strcmp(path->base, "math") == 0 ? 0 : below(4);
    at_bytes_reset(&text);
    at_bytes_add_text(&text, "segment 'vip' { when = function(customer) return true end }\n"
                             "ranking 'r' { score = function(product, customer, page)\n");
    if (way == 0) {
        add_placed(place, path, path->base, 0, wrong, slipped);
    } else if (way == 1) { /* by a local */
        at_bytes_printf(&text, "local part = %s", path->base);
        add_steps(path, 0, cut, wrong, slipped);
        at_bytes_add_text(&text, "\n");
        add_placed(place, path, "part", cut, wrong, slipped);
    } else { /* by a helper, or a helper of a helper */
        at_bytes_add_text(&text, "local function helper(part)\n");
        add_placed(place, path, "part", cut, wrong, slipped);
        at_bytes_add_text(&text, "\nend\n");
        if (way == 3) at_bytes_add_text(&text, "local function outer(part) return helper(part) end\n");
        at_bytes_printf(&text, "local y = %s(%s", way == 3 ? "outer" : "helper", path->base);
        add_steps(path, 0, cut, wrong, slipped);
        at_bytes_add_text(&text, ")");
    }
    at_bytes_add_text(&text, "\nreturn 1 end }\n");
    assert_false(text.failed);
}

static const struct at_finding *only_finding(const char *script, bool is_refused) {
    enum at_status status = shop_world_load_used(&world, script);
    const struct at_file_finding *told = world.build.findings;
    if ((status != AT_OK) != is_refused || (told != NULL) != is_refused || (told && told->next))
        fail_msg("case %d, %s %s %s\n%s", number,
                 is_refused ? "a slip:" : "sound:", told ? told->finding.message : "silent",
                 told && told->next ? told->next->finding.message : "", script);
    return told ? &told->finding : NULL;
}

static void check_slip(void) {
    const struct path *path = &paths[below(AT_LENGTH(paths))];
    uint32_t wrong = below(step_count(path));
    char slipped[64], cured[1400];
    if (path->steps[wrong][0] == ' ') wrong = 0;
    slip(path->steps[wrong] + 1, slipped);
    if (strcmp(slipped, path->steps[wrong] + 1) == 0) return; /* two equal letters changed places */
    uint64_t same = seed;
    write_script(path, AT_LENGTH(path->steps), "");
    only_finding(text.data, false);
    seed = same; /* the same place */
    write_script(path, wrong, slipped);
    const struct at_finding finding = *only_finding(text.data, true);
    if (finding.to - finding.from != strlen(slipped) ||
        memcmp(text.data + finding.from, slipped, strlen(slipped)) != 0 || !finding.fix)
        fail_msg("case %d: %s\n%s (%s)", number, text.data, finding.message,
                 finding.fix ? finding.fix : "no cure");
    snprintf(cured, sizeof cured, "%.*s%s%s", (int)finding.fix_from, text.data, finding.fix,
             text.data + finding.fix_to);
    only_finding(cured, false);
}

static void any_slip_is_found_where_it_is_and_cured(void **state) {
    (void)state;
    const int cases = 1500;
    begin_cases(__func__, cases);
    for (number = 0; number < cases; number++) check_slip();
}

/* ---- what is no script ---- */

/* Something goes somewhere, and a piece comes in its place. */
static void break_script(const char *piece) {
    size_t at = below((uint32_t)text.length), gone = below(2) ? below(12) : 0;
    if (at + gone > text.length) gone = text.length - at;
    char *rest = strdup(text.data + at + gone);
    assert_non_null(rest);
    text.length = at;
    at_bytes_add_text(&text, piece);
    at_bytes_add_text(&text, rest);
    free(rest);
}

static void anything_is_checked_without_harm(void **state) {
    (void)state;
    static const char sample[] =
        "local function often(c, n) return c.orders.count > (n or 3) end\n"
        "ranking \"r\" {\n  score = function(product, customer, page)\n"
        "    local o, last = customer.orders, customer:last \"order_completed\"\n"
        "    for i, item in ipairs(last and last.items or {}) do if item.product.price > 3 then return i end "
        "end\n"
        "    return often(customer) and o.revenue or product.price:above(3) and 1 or #product.tags\n  end,\n"
        "  first = function() for key in pairs({ 1 }) do return key end end,\n"
        "  diversify = { by = \"brand\", at_most = 2, within = 8 },\n}\n";
    static const char *const pieces[] = {"customer", ".orders", ":count", "(", ")",      "{",         "}",
                                         "[1]",      "\"x\"",   "=",      ",", "local ", "function ", " end ",
                                         "...",      "nil",     "..",     ":", ".",      " or ",      "#"};
    const int cases = 3000;
    uint32_t parsed = 0;
    begin_cases(__func__, cases);
    for (number = 0; number < cases; number++) {
        at_bytes_reset(&text);
        at_bytes_add_text(&text, sample);
        for (uint32_t n = below(3); n > 0; n--) break_script(pieces[below(AT_LENGTH(pieces))]);
        enum at_status status = shop_world_load_used(&world, text.data);
        CHECK(status == AT_OK || (status == AT_UNPROCESSABLE && world.build.findings));
        parsed += world.build.trees[0] != NULL;
    }
    print_message("# %u of them parsed\n", parsed);
    assert_true(parsed > 1000);
}

/* A chain as long as a file may have, and as deep as the parser goes, costs no more than its length. */
static void long_chains_are_cheap(void **state) {
    (void)state;
    at_bytes_reset(&text);
    at_bytes_add_text(&text, "ranking 'r' { score = function(product, customer)\nlocal x = customer.traits");
    for (int i = 0; i < 150; i++) at_bytes_add_text(&text, ".a['b']");
    at_bytes_add_text(&text, "\nlocal y = customer.orders");
    for (int i = 0; i < 150; i++) at_bytes_add_text(&text, " or customer.orders");
    at_bytes_add_text(&text, "\nreturn y.count end }");
    uint64_t begun = at_ticks_ns();
    enum at_status status = shop_world_load_used(&world, text.data);
    assert_true(status == AT_OK || status == AT_UNPROCESSABLE);
    assert_true(at_ticks_ns() - begun < UINT64_C(5000000000));
}

static int set_up(void **state) {
    (void)state;
    shop_world_init(&world, 12);
    at_bytes_init(&text, 1 << 16);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    at_bytes_clear(&text);
    shop_world_clear(&world);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_slip_is_found_where_it_is_and_cured),
        cmocka_unit_test(anything_is_checked_without_harm),
        cmocka_unit_test(long_chains_are_cheap),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
