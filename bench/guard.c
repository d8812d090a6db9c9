/* SPDX-License-Identifier: Apache-2.0
 *
 * What the budget guard costs rules that behave: the same calls with it and without, in turn, in one process.
 * Without: the two functions of the limiter that the door calls (script/limiter.c) are replaced when this is
 * linked (--wrap) by ones that only say which state runs. Everything else is as in a decision. Usage: guard
 * FOLDER, made by bench/shop.mjs.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/time.h"
#include "language/language.h"
#include "script/internal.h"

#define PAIRS 4001 /* of blocks, one with and one without */

static bool is_guarded = true;
static uint64_t entered; /* how often the door was gone through */
void __real_at_script_limiter_enter(struct at_script *script, uint64_t budget_ns);
void __real_at_script_limiter_leave(struct at_script *script);
void __wrap_at_script_limiter_enter(struct at_script *script, uint64_t budget_ns);
void __wrap_at_script_limiter_leave(struct at_script *script);

void __wrap_at_script_limiter_enter(struct at_script *script, uint64_t budget_ns) {
    entered++;
    if (is_guarded) return __real_at_script_limiter_enter(script, budget_ns);
    script->running = script->lua;
}
void __wrap_at_script_limiter_leave(struct at_script *script) {
    if (is_guarded) return __real_at_script_limiter_leave(script);
    script->running = NULL;
}

struct bench {
    struct at_catalog *catalog;
    struct at_root *root;
    struct at_json_parser *parser;
    struct at_arena parsing, request;
    struct at_profile *person;
    struct at_settings *settings;
    struct at_generation *generation;
    struct at_language *language;
    struct at_guard guard;
    uint32_t rows[1000];
    double out[1000];
};

static const char SCRIPT[] =
    "ranking \"columns\" {\n"
    "  score = function(product, customer)\n"
    "    return 0.40 * product.affinity + 0.25 * product.popularity + 0.15 * product.rating:or_else(3) / 5\n"
    "      + 0.10 * product.margin - 0.10 * product.discount\n"
    "      + when(customer.is_returning, 0.05)\n"
    "  end,\n"
    "}\n"
    "ranking \"rows\" {\n"
    "  score = function(product, customer)\n"
    "    local score = 0.40 * product.affinity + 0.10 * product.margin\n"
    "    if product.rating ~= nil and product.rating > 3 then score = score + 0.1 end\n"
    "    if customer.is_returning then score = score + 0.2 * product.discount end\n"
    "    return score\n"
    "  end,\n"
    "}\n";

static void die(const char *what, const struct at_error *err) {
    fprintf(stderr, "guard: %s: %s\n", what, err ? err->message : "");
    exit(1);
}

static void load_catalog(struct bench *bench, const char *folder) {
    char path[4096], *line = NULL;
    size_t room = 0;
    struct at_error err = {0};
    struct at_staging *staging = NULL;
    struct at_change change = {0};
    snprintf(path, sizeof path, "%s/catalog.jsonl", folder);
    FILE *file = fopen(path, "r");
    if (!file) die(path, NULL);
    if (at_catalog_new(&bench->catalog, NULL, &err) != AT_OK ||
        at_catalog_stage(bench->catalog, &bench->parsing, &change, 0, &staging, &err) != AT_OK)
        die("catalog", &err);
    for (ssize_t n; (n = getline(&line, &room, file)) > 1;) {
        char *text = calloc(1, (size_t)n + AT_JSON_PADDING);
        memcpy(text, line, (size_t)n);
        change = (struct at_change){.kind = AT_CHANGE_PUT};
        if (at_json_parse(bench->parser, text, (size_t)n, false, &change.document, &err) != AT_OK ||
            at_staging_add(staging, &change, 1) != AT_OK || change.status != AT_OK)
            die(line, &err);
        free(text);
    }
    if (at_staging_publish(staging) != AT_OK) die("publish", NULL);
    free(line);
    fclose(file);
    bench->root = at_catalog_root(bench->catalog);
}

static const char *no_env(void *arg, const char *name) {
    (void)arg, (void)name;
    return NULL;
}

static void load_rules(struct bench *bench) {
    struct at_error err = {0};
    struct at_watchdog *watchdog;
    struct at_source_file file = {AT_TEXT("scripts/guard.lua"), AT_TEXT(SCRIPT)};
    struct at_settings_source source = {.folder = ".", .env = no_env};
    if (at_settings_load(&source, NULL, 0, &bench->settings, &err) != AT_OK) die("settings", &err);
    struct at_build build = {.files = &file,
                             .file_count = 1,
                             .settings = bench->settings,
                             .root = bench->root,
                             .arena = &bench->parsing};
    if (at_generation_build(&build, &bench->generation, &err) != AT_OK)
        die(build.findings ? build.findings->finding.message : "scripts", &err);
    if (at_watchdog_start(&watchdog, AT_WATCHDOG_SIGNAL, &err) != AT_OK) die("watchdog", &err);
    at_guard_register(watchdog, &bench->guard);
    if (at_language_new(&bench->language, bench->generation, bench->settings, &bench->guard, NULL, &err) !=
        AT_OK)
        die("language", &err);
}

static void ask(struct bench *bench, uint32_t which, uint32_t count) {
    const struct at_ranking *ranking = &bench->generation->rankings[which];
    struct at_error err = {0};
    at_arena_reset(&bench->request);
    struct at_decision_view view = {.root = bench->root,
                                    .profile = bench->person,
                                    .now_ms = INT64_C(1796000000000),
                                    .page_product = AT_ROW_NONE,
                                    .arena = &bench->request,
                                    .deadline_ns = at_ticks_ns() + AT_DECISION_BUDGET_NS};
    struct at_candidates candidates = {bench->root, bench->rows, count, &bench->request};
    struct at_rule_use use = {.language = bench->language,
                              .view = &view,
                              .report = &ranking->score_report,
                              .function = ranking->score,
                              .path = ranking->path,
                              .name = ranking->name,
                              .line = ranking->score_line};
    if (at_rule_judge(&use, &candidates, bench->out, &err) != AT_OK) die("rule", &err);
    if (use.ran_on_columns != (which == 0)) die("the rule went the other way", NULL);
    at_decision_end(bench->language, &view);
}

static double block(struct bench *bench, uint32_t which, uint32_t count, uint32_t calls, bool guarded) {
    is_guarded = guarded;
    uint64_t began = at_ticks_ns();
    uint64_t before = entered;
    for (uint32_t i = 0; i < calls; i++) ask(bench, which, count);
    double took = (double)(at_ticks_ns() - began) / 1e3 / calls;
    is_guarded = true;
    if (entered - before < calls) die("a kept result was answered: no rule ran", NULL);
    return took;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
static double median(double *list) {
    qsort(list, PAIRS, sizeof *list, compare_doubles);
    return list[PAIRS / 2];
}

/* Who goes first changes from pair to pair: what warms up or slows down meets both alike. */
static void compare(struct bench *bench, const char *name, uint32_t which, uint32_t count, uint32_t calls) {
    static double with[PAIRS], without[PAIRS], ratio[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        bool first = i % 2;
        double a = block(bench, which, count, calls, first), b = block(bench, which, count, calls, !first);
        with[i] = first ? a : b;
        without[i] = first ? b : a;
        ratio[i] = with[i] / without[i];
    }
    double cost = 100 * (median(ratio) - 1);
    printf("%-30s with %8.3f us, without %8.3f us a call: %+.2f %% (goal < 2 %%)\n", name, median(with),
           median(without), cost);
}

int main(int argc, char **argv) {
    static struct bench bench;
    if (argc != 2) die("usage: guard FOLDER (made by bench/shop.mjs)", NULL);
    bench.parser = at_json_parser_new(1 << 20, 64);
    at_arena_init(&bench.parsing, (size_t)1 << 30);
    at_arena_init(&bench.request, 1 << 26);
    bench.person = at_profile_new(1, NULL);
    load_catalog(&bench, argv[1]);
    load_rules(&bench);
    for (uint32_t i = 0; i < 1000; i++) bench.rows[i] = i * 37 % at_root_rows(bench.root);
    compare(&bench, "columns, 1,000 products", 0, 1000, 20);
    compare(&bench, "product by product, 1,000", 1, 1000, 1);
    compare(&bench, "product by product, 24", 1, 24, 10);
    compare(&bench, "columns, 24 products", 0, 24, 100);
    compare(&bench, "columns, one product", 0, 1, 100);
    return 0; /* the process ends: nothing is given back one by one */
}
