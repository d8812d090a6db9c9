/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures the rules of a generation over 1,000 made-up products (speed.h).
 */
#include "cli/speed.h"

#include <stdio.h>
#include <string.h>
#include "base/time.h"

enum { PRODUCTS = 1000, RUNS = 30 };

struct speed {
    const struct at_generation *generation;
    struct at_arena arena, request;
    struct at_catalog *catalog;
    struct at_root *root;
    struct at_language *language;
    struct at_profile *nobody;
    uint32_t rows[PRODUCTS];
    double scores[PRODUCTS];
};

/* ---- the products ---- */

static void put_declared(struct at_json_out *out, const struct at_declared_attribute *attribute, int i) {
    at_json_key(out, attribute->name);
    if (strcmp(attribute->kind, "bool") == 0)
        at_json_put_bool(out, i % 2);
    else if (strcmp(attribute->kind, "date") == 0)
        at_json_put_text(out, AT_TEXT("2026-11-01T10:00:00Z"));
    else if (strcmp(attribute->kind, "text") == 0)
        at_json_put_text(out, AT_TEXT("some"));
    else if (strcmp(attribute->kind, "list") == 0) {
        at_json_open(out, '[');
        at_json_put_text(out, AT_TEXT("some"));
        at_json_close(out, ']');
    } else
        at_json_put_number(out, i % 50);
}

static void put_text(struct at_json_out *out, const char *key, const char *text, int i) {
    char value[40];
    snprintf(value, sizeof value, "%s%d", text, i);
    at_json_key(out, key);
    at_json_put_text(out, at_text_of(value));
}

static void put_number(struct at_json_out *out, const char *key, double value) {
    at_json_key(out, key);
    at_json_put_number(out, value);
}

static void write_product(const struct at_settings *settings, int i, struct at_bytes *text) {
    struct at_json_out out = at_json_out(text);
    at_json_open(&out, '{');
    put_text(&out, "id", "P", i);
    put_text(&out, "title", "Product ", i);
    put_text(&out, "brand", "brand ", i % 40);
    put_text(&out, "category", "category ", i % 12);
    put_text(&out, "color", "color ", i % 9);
    put_number(&out, "price", 5 + i % 200);
    put_number(&out, "list_price", 5 + i % 200 + i % 3 * 10);
    put_number(&out, "cost", 3 + i % 100);
    put_number(&out, "stock", i % 25);
    put_number(&out, "rating", i % 50 / 10.0);
    at_json_key(&out, "released");
    at_json_put_text(&out, AT_TEXT("2026-11-01T10:00:00Z"));
    at_json_key(&out, "tags");
    at_json_open(&out, '[');
    at_json_put_text(&out, i % 2 ? AT_TEXT("new") : AT_TEXT("sale"));
    at_json_close(&out, ']');
    for (uint32_t a = 0; a < settings->attribute_count; a++) {
        bool is_own = at_text_is(AT_TEXT("price"), settings->attributes[a].name) ||
                      at_text_is(AT_TEXT("stock"), settings->attributes[a].name) ||
                      at_text_is(AT_TEXT("rating"), settings->attributes[a].name);
        if (!is_own) put_declared(&out, &settings->attributes[a], i);
    }
    at_json_close(&out, '}');
}

static enum at_status put_products(struct speed *speed, const struct at_settings *settings,
                                   struct at_error *err) {
    struct at_staging *staging = NULL;
    struct at_change change = {0};
    struct at_bytes text;
    struct at_json_parser *parser = at_json_parser_new(1 << 20, 16);
    enum at_status status =
        parser ? at_catalog_stage(speed->catalog, &speed->arena, &change, 0, &staging, err) : AT_NOMEM;
    at_bytes_init(&text, 1 << 20);
    for (int i = 0; i < PRODUCTS && status == AT_OK; i++) {
        at_bytes_reset(&text);
        write_product(settings, i, &text);
        change = (struct at_change){.kind = AT_CHANGE_PUT};
        status = at_json_parse(parser, text.data, text.length, false, &change.document, err);
        if (status == AT_OK) status = at_staging_add(staging, &change, 1);
        if (status == AT_OK && change.status != AT_OK) {
            *err = change.error;
            status = change.status;
        }
    }
    if (status == AT_OK) status = at_staging_publish(staging);
    at_bytes_clear(&text);
    if (parser) at_json_parser_free(parser);
    return status;
}

static enum at_status make_catalog(struct speed *speed, const struct at_settings *settings,
                                   struct at_error *err) {
    enum at_status status = at_catalog_new(&speed->catalog, NULL, err);
    if (status == AT_OK) status = at_settings_declare(settings, speed->catalog, err);
    if (status == AT_OK) status = put_products(speed, settings, err);
    if (status != AT_OK) return status;
    speed->root = at_catalog_root(speed->catalog);
    for (uint32_t i = 0; i < PRODUCTS; i++) speed->rows[i] = i;
    return AT_OK;
}

/* ---- one rule ---- */

struct measured {
    const char *what, *name, *path;
    uint32_t line;
    const struct at_rule_report *report;
    int function;
    bool is_condition;
};

/* In nanoseconds, the least of some runs: what else the machine does is not the rule's. */
static enum at_status run_once(struct speed *speed, const struct measured *rule, uint64_t *took_ns,
                               bool *on_columns, struct at_error *err) {
    at_arena_reset(&speed->request);
    struct at_decision_view view = {.root = speed->root,
                                    .profile = speed->nobody,
                                    .now_ms = INT64_C(1796000000000),
                                    .page_product = AT_ROW_NONE,
                                    .arena = &speed->request,
                                    .deadline_ns = at_ticks_ns() + AT_LOAD_BUDGET_NS};
    struct at_candidates candidates = {speed->root, speed->rows, PRODUCTS, &speed->request};
    struct at_rule_use use = {.language = speed->language,
                              .view = &view,
                              .report = rule->report,
                              .function = rule->function,
                              .is_condition = rule->is_condition,
                              .path = rule->path,
                              .name = rule->name,
                              .line = rule->line};
    uint64_t began = at_ticks_ns();
    enum at_status status = at_rule_judge(&use, &candidates, speed->scores, err);
    uint64_t took = at_ticks_ns() - began;
    at_decision_end(speed->language, &view);
    if (took < *took_ns) *took_ns = took;
    *on_columns = use.ran_on_columns;
    return status;
}

static void say_why(const struct at_rule_report *report) {
    printf("  line %u, \"%.*s\"%s%s\n", report->line, (int)report->text.length,
           report->text.data ? report->text.data : "", report->advice[0] ? ": " : "", report->advice);
}

static void measure(struct speed *speed, const struct measured *rule) {
    const struct at_rule_report *report = rule->report;
    struct at_error err = {0};
    uint64_t took_ns = UINT64_MAX;
    bool on_columns = false;
    enum at_status status = AT_OK;
    if (!rule->function) return;
    for (int i = 0; i < RUNS && status == AT_OK; i++)
        status = run_once(speed, rule, &took_ns, &on_columns, &err);
    const char *way = report->is_columnar ? "all at once"
                      : report->compiled  ? "compiled"
                                          : "product by product";
    bool falls_back = status == AT_OK && !on_columns && (report->is_columnar || report->compiled);
    printf("%-8s %-24s %s:%u  %s  ", rule->what, rule->name, rule->path, rule->line, way);
    if (status == AT_OK)
        printf("%.1f µs for 1,000 products\n", (double)took_ns / 1000);
    else
        printf("not measured: %s\n", err.message);
    if (falls_back)
        printf(
            "  these products made it run product by product: something in it fails for a product, or means "
            "something else for each\n");
    if (!report->is_columnar && !report->compiled) say_why(report);
}

static void measure_all(struct speed *speed) {
    const struct at_generation *generation = speed->generation;
    for (uint32_t i = 0; i < generation->ranking_count; i++) {
        const struct at_ranking *ranking = &generation->rankings[i];
        measure(speed, &(struct measured){"ranking", ranking->name, ranking->path, ranking->score_line,
                                          &ranking->score_report, ranking->score, false});
        measure(speed, &(struct measured){"  first", ranking->name, ranking->path, ranking->line,
                                          &ranking->first_report, ranking->first, true});
    }
    for (uint32_t i = 0; i < generation->rail_count; i++) {
        const struct at_rail_declaration *rail = &generation->rails[i];
        measure(speed, &(struct measured){"rail", rail->rail.name, rail->path, rail->line, &rail->report,
                                          rail->condition, true});
    }
}

enum at_status cli_say_speed(const struct at_generation *generation, const struct at_settings *settings,
                             struct at_guard *guard, struct at_error *err) {
    static struct speed speed;
    speed = (struct speed){.generation = generation};
    at_arena_init(&speed.arena, (size_t)1 << 30);
    at_arena_init(&speed.request, (size_t)1 << 28);
    speed.nobody = at_profile_new(0, NULL);
    enum at_status status = speed.nobody ? make_catalog(&speed, settings, err) : AT_NOMEM;
    if (status == AT_OK) status = at_language_new(&speed.language, generation, settings, guard, NULL, err);
    if (status == AT_OK) measure_all(&speed);
    at_language_free(speed.language);
    if (speed.root) at_root_unref(speed.root);
    if (speed.catalog) at_catalog_free(speed.catalog);
    if (speed.nobody) at_profile_unref(speed.nobody);
    at_arena_clear(&speed.request);
    at_arena_clear(&speed.arena);
    return status;
}
