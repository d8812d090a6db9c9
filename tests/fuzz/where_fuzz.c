/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes filters: whatever parses is run over a small catalog, and the rows it selects must be exactly those
 * that match one by one; whatever is refused must say why.
 */
// Covers: runtime/catalog/where.c runtime/catalog/where_run.c
#include <stdio.h>
#include <stdlib.h>
#include "catalog/where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PRODUCTS = 1300 };
static struct at_catalog *catalog;
static struct at_json_parser *parser;
static struct at_arena arena;

static void require(bool claim) {
    if (!claim) abort();
}

static void put_product(struct at_staging *staging, int i) {
    char text[300];
    struct at_change change = {.kind = AT_CHANGE_PUT};
    int at = snprintf(text, sizeof text, "{\"id\":\"P%d\",\"title\":\"T%d\"", i, i);
    if (i % 5)
        at += snprintf(text + at, sizeof text - (size_t)at, ",\"category\":\"c%d\",\"price\":%d", i % 7,
                       i % 40);
    if (i % 3)
        at += snprintf(text + at, sizeof text - (size_t)at, ",\"tags\":[\"t%d\",\"t%d\"],\"vegan\":%s", i % 4,
                       i % 6, i % 2 ? "true" : "false");
    if (i % 2)
        at += snprintf(text + at, sizeof text - (size_t)at, ",\"released\":\"2026-01-%02d\"", i % 28 + 1);
    snprintf(text + at, sizeof text - (size_t)at, "}");
    require(at_json_parse(parser, text, strlen(text), false, &change.document, NULL) == AT_OK);
    require(at_staging_add(staging, &change, 1) == AT_OK && change.status == AT_OK);
    if (i % 11) return;
    snprintf(text, sizeof text, "P%d", i);
    struct at_change retire = {.kind = AT_CHANGE_RETIRE, .id = at_text_of(text)};
    require(at_staging_add(staging, &retire, 1) == AT_OK && retire.status == AT_OK);
}

static void set_up(void) {
    struct at_staging *staging;
    at_arena_init(&arena, 1 << 24);
    parser = at_json_parser_new(1 << 20, 64);
    require(parser && at_catalog_new(&catalog, NULL, NULL) == AT_OK);
    require(at_catalog_stage(catalog, &arena, NULL, 0, &staging, NULL) == AT_OK);
    for (int i = 0; i < PRODUCTS; i++) put_product(staging, i);
    require(at_staging_publish(staging) == AT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint32_t rows[PRODUCTS];
    struct at_json json;
    struct at_where *where;
    struct at_error err = {0};
    uint32_t total, at = 0;
    if (!catalog) set_up();
    at_arena_reset(&arena);
    if (at_json_parse(parser, (const char *)data, size, false, &json, NULL) != AT_OK) return 0;
    struct at_root *root = at_catalog_root(catalog);
    enum at_status status = at_where_parse(root, &arena, json, &where, &err);
    if (status != AT_OK) {
        require(status == AT_UNPROCESSABLE && err.message[0] && err.code[0]);
    } else {
        uint32_t count = at_where_rows(where, root, rows, PRODUCTS, &total);
        require(count == total);
        for (uint32_t row = 0; row < PRODUCTS; row++) {
            bool is_in = at < count && rows[at] == row;
            at += is_in;
            require(at_where_matches(where, root, row) == is_in);
        }
        require(at == count);
        require(at_where_rows(where, root, rows, 3, &total) == (count < 3 ? count : 3) && total == count);
    }
    at_root_unref(root);
    return 0;
}
