/* SPDX-License-Identifier: Apache-2.0
 *
 * A rule of plain Lua with three ifs over 1,000 products, compiled for columns: another 1,000 each call,
 * limiter armed as in a decision. Writes the numbers and every score as Lua, for bench/ifs.lua to compute
 * again with LuaJIT and compare. Usage: ifs FOLDER.
 *
 * "products": the rule looks at products only, so its graph is kept; "customer": it also asks whether the
 * customer has ordered, and so is run once a call.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/time.h"
#include "language/language.h"

#define ROWS   20000
#define COUNT  1000
#define SETS   50
#define ROUNDS 9
#define CALLS  400

static const char RULES[] =
    "ranking \"customer\" { score = function(product, customer)\n"
    "  local score = 0.5 * product.rating\n"
    "  if product.stock < 5 and not customer.has_ordered then score = score + 0.2 end\n"
    "  if product.price > 100 then score = score - product.price / 1000\n"
    "  elseif product.margin > 0.4 then score = score + product.margin end\n"
    "  if product.brand == 'b7' then score = score * 1.1 end\n"
    "  return score\nend }\n"
    "ranking \"products\" { score = function(product)\n"
    "  local score = 0.5 * product.rating\n"
    "  if product.stock < 5 then score = score + 0.2 end\n"
    "  if product.price > 100 then score = score - product.price / 1000\n"
    "  elseif product.margin > 0.4 then score = score + product.margin end\n"
    "  if product.brand == 'b7' then score = score * 1.1 end\n"
    "  return score\nend }\n";

static struct at_catalog *catalog;
static struct at_root *root;
static struct at_arena parsing, request;
static struct at_generation *generation;
static struct at_language *language;
static struct at_profile *nobody;
static uint32_t sets[SETS][COUNT];
static double out[COUNT];
static uint64_t state = 20261127;

static void die(const char *what, const struct at_error *err) {
    fprintf(stderr, "ifs: %s: %s\n", what, err ? err->message : "");
    exit(1);
}
static uint32_t below(uint32_t limit) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((state >> 33) % limit);
}
static const char *no_env(void *arg, const char *name) {
    (void)arg, (void)name;
    return NULL;
}

static void make_catalog(void) {
    struct at_error err = {0};
    struct at_staging *staging = NULL;
    struct at_change change = {0};
    struct at_json_parser *parser = at_json_parser_new(1 << 16, 16);
    if (at_catalog_new(&catalog, NULL, &err) != AT_OK ||
        at_catalog_stage(catalog, &parsing, &change, 0, &staging, &err) != AT_OK)
        die("catalog", &err);
    for (uint32_t i = 0; i < ROWS; i++) {
        char line[300];
        int length = snprintf(line, sizeof line,
                              "{\"id\":\"P%u\",\"brand\":\"b%u\",\"price\":%u.5,\"margin\":0.%u,\"stock\":%u,"
                              "\"rating\":%u.%u}",
                              i, below(50), 5 + below(200), 1 + below(8), below(20), below(5), below(10));
        change = (struct at_change){.kind = AT_CHANGE_PUT};
        if (at_json_parse(parser, line, (size_t)length, false, &change.document, &err) != AT_OK ||
            at_staging_add(staging, &change, 1) != AT_OK || change.status != AT_OK)
            die(line, &err);
    }
    if (at_staging_publish(staging) != AT_OK) die("publish", NULL);
    root = at_catalog_root(catalog);
}

static void load_rules(void) {
    static struct at_guard guard;
    struct at_watchdog *watchdog;
    struct at_error err = {0};
    struct at_settings *settings;
    struct at_source_file file = {AT_TEXT("scripts/ifs.lua"), AT_TEXT(RULES)};
    struct at_settings_source source = {.folder = ".", .env = no_env};
    if (at_settings_load(&source, NULL, 0, &settings, &err) != AT_OK) die("settings", &err);
    struct at_build build = {
        .files = &file, .file_count = 1, .settings = settings, .root = root, .arena = &parsing};
    if (at_generation_build(&build, &generation, &err) != AT_OK) die("scripts", &err);
    if (at_watchdog_start(&watchdog, AT_WATCHDOG_SIGNAL, &err) != AT_OK) die("watchdog", &err);
    at_guard_register(watchdog, &guard);
    if (at_language_new(&language, generation, settings, &guard, NULL, &err) != AT_OK) die("language", &err);
    nobody = at_profile_new(0, NULL);
}

static void judge(const struct at_ranking *ranking, const uint32_t *rows, bool is_alone) {
    struct at_error err = {0};
    at_arena_reset(&request);
    struct at_decision_view view = {.root = root,
                                    .profile = nobody,
                                    .now_ms = INT64_C(1796000000000),
                                    .page_product = AT_ROW_NONE,
                                    .arena = &request,
                                    .deadline_ns = at_ticks_ns() + AT_DECISION_BUDGET_NS};
    struct at_candidates candidates = {root, rows, COUNT, &request};
    struct at_rule_report report = ranking->score_report;
    report.is_demoted = NULL; /* every call is timed the one way */
    if (is_alone) report.compiled = NULL;
    struct at_rule_use use = {.language = language,
                              .view = &view,
                              .report = &report,
                              .function = ranking->score,
                              .path = ranking->path,
                              .name = ranking->name,
                              .line = ranking->score_line};
    if (at_rule_judge(&use, &candidates, out, &err) != AT_OK) die("rule", &err);
    if (use.ran_on_columns == is_alone) die("the rule ran the other way", NULL);
    at_decision_end(language, &view);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
static void time_rule(const struct at_ranking *ranking, bool is_alone) {
    double each[ROUNDS];
    int calls = is_alone ? CALLS / 10 : CALLS;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t began = at_ticks_ns();
        for (int i = 0; i < calls; i++) judge(ranking, sets[i % SETS], is_alone);
        each[round] = (double)(at_ticks_ns() - began) / 1000 / calls;
    }
    qsort(each, ROUNDS, sizeof *each, by_size);
    printf("%-44s %7.2f µs, median %.2f\n",
           is_alone                  ? "the same, product by product"
           : ranking->name[0] == 'p' ? "compiled, products only"
                                     : "compiled, and the customer",
           each[0], each[ROUNDS / 2]);
}

static double number_of(const char *name, uint32_t row) {
    return at_root_number(root, at_root_attribute(root, name, strlen(name)), row);
}
static void write_numbers(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/ifs_data.lua", folder);
    FILE *file = fopen(path, "w");
    if (!file) die(path, NULL);
    int brand = at_root_attribute(root, "brand", 5);
    fprintf(file, "local items, sets, scores = {}, {}, {}\n");
    for (uint32_t i = 0; i < ROWS; i++)
        fprintf(
            file,
            "items[%u] = { brand = '%s', price = %.17g, margin = %.17g, stock = %.17g, rating = %.17g }\n", i,
            at_root_text_of(root, brand, at_root_code(root, brand, i)).data, number_of("price", i),
            number_of("margin", i), number_of("stock", i), number_of("rating", i));
    for (uint32_t s = 0; s < SETS; s++) {
        judge(&generation->rankings[0], sets[s], false);
        fprintf(file, "sets[%u], scores[%u] = {}, {}\n", s + 1, s + 1);
        for (uint32_t i = 0; i < COUNT; i++)
            fprintf(file, "sets[%u][%u], scores[%u][%u] = %u, %.17g\n", s + 1, i + 1, s + 1, i + 1,
                    sets[s][i], out[i]);
    }
    fprintf(file, "return items, sets, scores\n");
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc < 2) die("usage: ifs FOLDER", NULL);
    at_arena_init(&parsing, 1 << 28), at_arena_init(&request, 1 << 24);
    make_catalog();
    load_rules();
    for (uint32_t s = 0; s < SETS; s++)
        for (uint32_t i = 0; i < COUNT; i++) sets[s][i] = below(ROWS);
    write_numbers(argv[1]);
    for (int i = 0; i < 200; i++)
        judge(&generation->rankings[1], sets[i % SETS], false); /* its rows are packed */
    for (int i = 0; i < 200; i++) judge(&generation->rankings[0], sets[i % SETS], false);
    time_rule(&generation->rankings[1], false);
    time_rule(&generation->rankings[0], false);
    time_rule(&generation->rankings[0], true);
    return 0;
}
