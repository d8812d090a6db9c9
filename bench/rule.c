/* SPDX-License-Identifier: Apache-2.0
 *
 * The five-term rule over 1,000 products by itself: Lua and columns, no request, no rails, no order; another
 * customer and other candidates each call, limiter armed as in a decision. Beside it, over the same numbers,
 * a loop in plain Lua 5.4 and one in C. All three are compared before anything is timed. Usage: rule FOLDER,
 * made by bench/shop.mjs.
 *
 * "known": people who decided within the last minute (attune may have kept what their tastes come to; the two
 * loops have it ready too). "new": the clock moves two minutes with each call, so their tastes are computed.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/time.h"
#include "language/language.h"

#define PEOPLE  1000
#define VIEWS   20
#define SETS    200
#define LARGEST 5000
#define ROUNDS  7

struct item {
    uint32_t brand;
    double popularity, rating, margin, discount;
};
struct bench {
    struct at_catalog *catalog;
    struct at_root *root;
    struct at_json_parser *parsers[3];
    struct at_arena parsing, request;
    struct at_crowd *crowd;
    struct at_baseline *baseline;
    struct at_profile *people[PEOPLE];
    struct at_settings *settings;
    struct at_generation *generation;
    struct at_language *language;
    struct at_watchdog *watchdog;
    struct at_guard guard;
    uint32_t sets[2 * SETS][LARGEST]; /* anywhere in the catalog; then: standing together */
    struct item *items;               /* by row */
    double *tastes[PEOPLE];           /* by code of the brand */
    lua_State *lua;
    uint64_t seq, random;
    int64_t now_ms, later_ms;
};
static double out[LARGEST], other[LARGEST];

static void die(const char *what, const struct at_error *err) {
    fprintf(stderr, "rule: %s: %s\n", what, err ? err->message : "");
    exit(1);
}
static uint32_t below(struct bench *bench, uint32_t limit) {
    bench->random = bench->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((bench->random >> 33) % limit);
}
static char *read_file(const char *folder, const char *name, size_t *length) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file) die(path, NULL);
    char *text = malloc(64 << 20);
    *length = text ? fread(text, 1, (64 << 20) - 1, file) : 0;
    fclose(file);
    text[*length] = 0;
    return text;
}

/* ---- the shop ---- */

static void load_catalog(struct bench *bench, const char *folder) {
    size_t length;
    struct at_error err = {0};
    char *text = read_file(folder, "catalog.jsonl", &length), *rest = text;
    struct at_staging *staging = NULL;
    struct at_change change = {0};
    if (at_catalog_new(&bench->catalog, NULL, &err) != AT_OK ||
        at_catalog_stage(bench->catalog, &bench->parsing, &change, 0, &staging, &err) != AT_OK)
        die("catalog", &err);
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        change = (struct at_change){.kind = AT_CHANGE_PUT};
        if (at_json_parse(bench->parsers[0], line, strlen(line), false, &change.document, &err) != AT_OK)
            die(line, &err);
        if (at_staging_add(staging, &change, 1) != AT_OK || change.status != AT_OK) die(line, &change.error);
    }
    if (at_staging_publish(staging) != AT_OK) die("publish", NULL);
    free(text);
    bench->root = at_catalog_root(bench->catalog);
    uint32_t rows = at_root_rows(bench->root);
    float *popularity = malloc(rows * sizeof *popularity);
    for (uint32_t i = 0; i < rows; i++) popularity[i] = (float)(i * 31 % 997) / 997;
    const float *const counted[AT_COUNTED_COUNT] = {popularity, NULL, NULL};
    if (at_catalog_publish_counted(bench->catalog, counted, rows) != AT_OK) die("popularity", NULL);
    free(popularity);
    at_root_unref(bench->root);
    bench->root = at_catalog_root(bench->catalog);
}

/* One view through parse, facts and fold, as the shop does it. */
static void view_product(struct bench *bench, struct at_profile **person, struct at_bytes *body,
                         struct at_bytes *facts) {
    char text[300];
    struct at_event event;
    struct at_error err = {0};
    struct at_json json;
    struct at_event_defaults defaults = {.received_ms = bench->now_ms, .is_import = true};
    int length = snprintf(text, sizeof text,
                          "{\"type\":\"track\",\"event\":\"Product "
                          "Viewed\",\"userId\":\"u-1\",\"properties\":{\"product_id\":\"SKU-%u\"}}",
                          below(bench, at_root_rows(bench->root)));
    at_arena_reset(&bench->parsing);
    at_bytes_reset(body), at_bytes_reset(facts);
    if (at_json_parse(bench->parsers[0], text, (size_t)length, false, &json, &err) != AT_OK ||
        at_event_parse(&bench->parsing, json, &defaults, bench->root, &event, &err) != AT_OK)
        die(text, &err);
    at_event_write_body(&event, body);
    at_event_write_facts(&event, bench->root, true, facts);
    struct at_logged_event logged = {.seq = ++bench->seq,
                                     .at_ms = event.at_ms,
                                     .received_ms = bench->now_ms,
                                     .name = event.name,
                                     .message_id = AT_TEXT("m")};
    if (at_json_parse(bench->parsers[1], body->data, body->length, false, &logged.body, &err) != AT_OK ||
        at_json_parse(bench->parsers[2], facts->data, facts->length, false, &logged.facts, &err) != AT_OK ||
        at_crowd_learn(bench->crowd, &logged) != AT_OK)
        die("event", &err);
    *person = at_profile_apply(*person, &logged, true);
    if (!*person) die("out of memory", NULL);
}

static void make_people(struct bench *bench) {
    struct at_bytes body, facts;
    at_bytes_init(&body, 1 << 20), at_bytes_init(&facts, 1 << 20);
    bench->crowd = at_crowd_new();
    for (uint32_t i = 0; i < PEOPLE; i++) {
        bench->people[i] = at_profile_new(i + 1, NULL);
        for (int v = 0; v < VIEWS; v++) view_product(bench, &bench->people[i], &body, &facts);
    }
    bench->baseline = at_crowd_baseline(bench->crowd);
    at_bytes_clear(&body), at_bytes_clear(&facts);
}

static const char *no_env(void *arg, const char *name) {
    (void)arg, (void)name;
    return NULL;
}

static void load_rule(struct bench *bench, const char *folder) {
    size_t length;
    struct at_error err = {0};
    char *text = read_file(folder, "scripts/rankings/bench.lua", &length);
    struct at_source_file file = {AT_TEXT("scripts/rankings/bench.lua"), {text, length}};
    struct at_settings_source source = {.folder = ".", .env = no_env};
    if (at_settings_load(&source, NULL, 0, &bench->settings, &err) != AT_OK) die("settings", &err);
    struct at_build build = {.files = &file,
                             .file_count = 1,
                             .settings = bench->settings,
                             .root = bench->root,
                             .arena = &bench->parsing};
    if (at_generation_build(&build, &bench->generation, &err) != AT_OK) die("scripts", &err);
    if (at_watchdog_start(&bench->watchdog, AT_WATCHDOG_SIGNAL, &err) != AT_OK) die("watchdog", &err);
    at_guard_register(bench->watchdog, &bench->guard);
    if (at_language_new(&bench->language, bench->generation, bench->settings, &bench->guard, NULL, &err) !=
        AT_OK)
        die("language", &err);
    if (!bench->generation->rankings[0].score_report.is_columnar)
        die("the rule does not run on columns", NULL);
    free(text);
}

static void make_sets(struct bench *bench) {
    uint32_t rows = at_root_rows(bench->root), *all = malloc(rows * sizeof *all);
    for (uint32_t i = 0; i < rows; i++) all[i] = i;
    for (uint32_t s = 0; s < SETS; s++)
        for (uint32_t i = 0; i < LARGEST; i++) {
            uint32_t j = i + below(bench, rows - i), swap = all[i];
            all[i] = all[j], all[j] = swap;
            bench->sets[s][i] = all[i];
        }
    free(all);
    for (uint32_t s = SETS; s < 2 * SETS; s++) {
        uint32_t first = below(bench, rows - LARGEST);
        for (uint32_t i = 0; i < LARGEST; i++) bench->sets[s][i] = first + i;
    }
}

/* ---- attune ---- */

static void judge(struct bench *bench, struct at_decision_view *view, const uint32_t *rows, uint32_t count) {
    const struct at_ranking *ranking = &bench->generation->rankings[0];
    struct at_error err = {0};
    struct at_candidates candidates = {bench->root, rows, count, &bench->request};
    struct at_rule_use use = {.language = bench->language,
                              .view = view,
                              .report = &ranking->score_report,
                              .function = ranking->score,
                              .path = ranking->path,
                              .name = ranking->name,
                              .line = ranking->score_line};
    if (at_rule_judge(&use, &candidates, out, &err) != AT_OK) die("rule", &err);
    if (!use.ran_on_columns) die("the rule fell back to product by product", NULL);
}
static struct at_decision_view begin(struct bench *bench, uint32_t person, int64_t now_ms) {
    at_arena_reset(&bench->request);
    return (struct at_decision_view){.root = bench->root,
                                     .profile = bench->people[person],
                                     .baseline = bench->baseline,
                                     .now_ms = now_ms,
                                     .page_product = AT_ROW_NONE,
                                     .arena = &bench->request,
                                     .deadline_ns = at_ticks_ns() + AT_DECISION_BUDGET_NS};
}
static void run_known(struct bench *bench, uint32_t person, const uint32_t *rows, uint32_t count) {
    struct at_decision_view view = begin(bench, person, bench->now_ms);
    judge(bench, &view, rows, count);
    at_decision_end(bench->language, &view);
}
static void run_new(struct bench *bench, uint32_t person, const uint32_t *rows, uint32_t count) {
    bench->later_ms += 2 * AT_MINUTE_MS;
    struct at_decision_view view = begin(bench, person, bench->now_ms + bench->later_ms);
    judge(bench, &view, rows, count);
    at_decision_end(bench->language, &view);
}

/* ---- C by hand and plain Lua over the same numbers ---- */

static void make_items(struct bench *bench) {
    const struct at_root *root = bench->root;
    int brand = at_root_attribute(root, "brand", 5), rating = at_root_attribute(root, "rating", 6),
        margin = at_root_attribute(root, "margin", 6), discount = at_root_attribute(root, "discount", 8);
    uint32_t rows = at_root_rows(root);
    bench->items = calloc(rows, sizeof *bench->items);
    for (uint32_t i = 0; i < rows; i++)
        bench->items[i] = (struct item){at_root_code(root, brand, i),
                                        (double)at_root_counted(root, AT_COUNTED_POPULARITY,
                                                                i >> AT_CHUNK_SHIFT)[i & (AT_CHUNK_ROWS - 1)],
                                        at_root_number(root, rating, i), at_root_number(root, margin, i),
                                        at_root_number(root, discount, i)};
    for (uint32_t p = 0; p < PEOPLE;
         p++) { /* category and color follow from the brand: one table says it all */
        bench->tastes[p] = calloc((size_t)at_root_code_count(root, brand) + 1, sizeof(double));
        struct at_decision_view view = begin(bench, p, bench->now_ms);
        judge(bench, &view, bench->sets[0], 1);
        for (uint32_t i = 0; i < rows; i++)
            bench->tastes[p][bench->items[i].brand] = at_scalar_taste(root, view.facets, view.facet_count, i);
        at_decision_end(bench->language, &view);
    }
}
static void run_c(struct bench *bench, uint32_t person, const uint32_t *rows, uint32_t count) {
    const double *taste = bench->tastes[person];
    for (uint32_t i = 0; i < count; i++) {
        const struct item *p = &bench->items[rows[i]];
        out[i] = 0.40 * taste[p->brand] + 0.25 * p->popularity + 0.15 * p->rating / 5 + 0.10 * p->margin -
                 0.10 * p->discount;
    }
}

static const char PLAIN[] =
    "local items, tastes, sets, out = ...\n"
    "return function(person, set, count)\n"
    "  local taste, rows = tastes[person], sets[set]\n"
    "  for i = 1, count do\n"
    "    local p = items[rows[i]]\n"
    "    out[i] = 0.40 * (taste[p.brand] or 0) + 0.25 * p.popularity + 0.15 * (p.rating or 3) / 5\n"
    "      + 0.10 * p.margin - 0.10 * p.discount\n"
    "  end\n"
    "end\n";
static void set_number(lua_State *L, const char *name, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}
static void make_lua(struct bench *bench) {
    lua_State *L = bench->lua = luaL_newstate();
    uint32_t brands = at_root_code_count(bench->root, at_root_attribute(bench->root, "brand", 5));
    luaL_openlibs(L);
    if (luaL_loadstring(L, PLAIN)) die(lua_tostring(L, -1), NULL);
    lua_newtable(L);
    for (uint32_t i = 0; i < at_root_rows(bench->root); i++) {
        const struct item *item = &bench->items[i];
        lua_newtable(L);
        lua_pushinteger(L, item->brand);
        lua_setfield(L, -2, "brand");
        set_number(L, "popularity", item->popularity), set_number(L, "rating", item->rating);
        set_number(L, "margin", item->margin), set_number(L, "discount", item->discount);
        lua_rawseti(L, -2, i);
    }
    lua_newtable(L);
    for (uint32_t p = 0; p < PEOPLE; p++) {
        lua_newtable(L);
        for (uint32_t b = 1; b <= brands; b++) lua_pushnumber(L, bench->tastes[p][b]), lua_rawseti(L, -2, b);
        lua_rawseti(L, -2, p);
    }
    lua_newtable(L);
    for (uint32_t s = 0; s < 2 * SETS; s++) {
        lua_newtable(L);
        for (uint32_t i = 0; i < LARGEST; i++)
            lua_pushinteger(L, bench->sets[s][i]), lua_rawseti(L, -2, i + 1);
        lua_rawseti(L, -2, s);
    }
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setglobal(L, "out");
    if (lua_pcall(L, 4, 1, 0)) die(lua_tostring(L, -1), NULL);
}
static void run_lua(struct bench *bench, uint32_t person, const uint32_t *rows, uint32_t count) {
    lua_State *L = bench->lua;
    lua_pushvalue(L, 1);
    lua_pushinteger(L, person);
    lua_pushinteger(L, (lua_Integer)((rows - bench->sets[0]) / LARGEST));
    lua_pushinteger(L, count);
    lua_call(L, 3, 0);
}

/* ---- comparing and timing ---- */

typedef void (*run_fn)(struct bench *bench, uint32_t person, const uint32_t *rows, uint32_t count);

static void compare(struct bench *bench) {
    for (uint32_t k = 0; k < 2 * SETS; k++) {
        run_new(bench, k, bench->sets[k], LARGEST); /* and not a bit of it is in what follows */
        run_known(bench, k, bench->sets[k], LARGEST);
        memcpy(other, out, sizeof out);
        run_c(bench, k, bench->sets[k], LARGEST);
        run_lua(bench, k, bench->sets[k], LARGEST);
        lua_getglobal(bench->lua, "out");
        for (uint32_t i = 0; i < LARGEST; i++) {
            lua_rawgeti(bench->lua, -1, i + 1);
            double lua = lua_tonumber(bench->lua, -1);
            lua_pop(bench->lua, 1);
            if (!(fabs(other[i] - out[i]) < 1e-12) || !(fabs(other[i] - lua) < 1e-12)) {
                fprintf(stderr, "rule: row %u: attune %.17g, C %.17g, Lua %.17g\n", bench->sets[k][i],
                        other[i], out[i], lua);
                exit(1);
            }
        }
        lua_pop(bench->lua, 1);
    }
    printf("%d scores compared: equal\n", 2 * SETS * LARGEST);
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
/* µs a call: the median of rounds. */
static double time_calls(struct bench *bench, run_fn run, uint32_t first_set, uint32_t count,
                         uint32_t calls) {
    double rounds[ROUNDS];
    uint32_t k = 0;
    for (int r = 0; r < ROUNDS; r++) {
        uint64_t began = at_ticks_ns();
        for (uint32_t i = 0; i < calls; i++, k++)
            run(bench, k * 7 % PEOPLE, bench->sets[first_set + k % SETS], count);
        rounds[r] = (double)(at_ticks_ns() - began) / 1e3 / calls;
    }
    qsort(rounds, ROUNDS, sizeof *rounds, compare_doubles);
    return rounds[ROUNDS / 2];
}
static void say(struct bench *bench, const char *name, run_fn run, uint32_t calls) {
    static const char *const where[] = {"anywhere", "together"};
    double one = time_calls(bench, run, 0, 1, calls);
    for (uint32_t w = 0; w < 2; w++) {
        double small = time_calls(bench, run, w * SETS, 1000, calls),
               large = time_calls(bench, run, w * SETS, LARGEST, calls / 5);
        printf("%-18s rows %s: 1,000 products %7.2f us; a further product %6.2f ns; one product %5.2f us\n",
               name, where[w], small, (large - small) * 1e3 / (LARGEST - 1000), one);
    }
}

int main(int argc, char **argv) {
    static struct bench bench;
    if (argc != 2) die("usage: rule FOLDER (made by bench/shop.mjs)", NULL);
    for (int i = 0; i < 3; i++) bench.parsers[i] = at_json_parser_new(1 << 20, 64);
    at_arena_init(&bench.parsing, (size_t)1 << 30);
    at_arena_init(&bench.request, 1 << 26);
    bench.random = 7;
    bench.now_ms = INT64_C(1796000000000);
    load_catalog(&bench, argv[1]);
    make_people(&bench);
    load_rule(&bench, argv[1]);
    make_sets(&bench);
    make_items(&bench);
    make_lua(&bench);
    compare(&bench);
    say(&bench, "attune, known", run_known, 4000);
    say(&bench, "attune, new", run_new, 4000);
    say(&bench, "plain Lua 5.4", run_lua, 1000);
    say(&bench, "C by hand, rows", run_c, 4000);
    return 0; /* the process ends: nothing is given back one by one */
}
