/* SPDX-License-Identifier: Apache-2.0
 *
 * What a test names of the shop's folder: products and events of fixtures/. Nothing above it can be named.
 * The catalog of a file is built once for all tests of a run.
 */
#include <stdlib.h>
#include <string.h>
#include "catalog/feed.h"
#include "language/world.h"

#define PRODUCTS_MAX 20000
#define EVENTS_MAX   50000
#define BATCH        256

/* ---- paths ---- */

static enum at_status check_path(const char *path, struct at_error *err) {
    bool is_good = strncmp(path, "fixtures/", 9) == 0 && strlen(path) < 200 && !strstr(path, "..") &&
                   !strstr(path, "//");
    for (const char *c = path; *c && is_good; c++)
        is_good = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
                  strchr("_-./", *c);
    if (is_good) return AT_OK;
    return at_fail(err, AT_UNPROCESSABLE, "bad_path",
                   "\"%.100s\" is not a file of a test's: it lies below fixtures/ in the shop's folder, like "
                   "\"fixtures/mini.jsonl\"",
                   path);
}

static enum at_status read_file(struct at_world *world, const char *path, struct at_text *out,
                                struct at_error *err) {
    const struct at_test_options *options = world->run->options;
    enum at_status status = check_path(path, err);
    if (status != AT_OK) return status;
    status = options->read ? options->read(options->read_arg, path, &world->arena, out, err) : AT_NOTFOUND;
    if (status == AT_NOTFOUND) return at_fail(err, status, NULL, "there is no %s in the shop's folder", path);
    return status;
}

/* ---- products ---- */

/* Every attribute that is known elsewhere is known here: a rule may read what no product of the test has. */
static enum at_status declare_known(const struct at_test_options *options, struct at_catalog *catalog,
                                    struct at_error *err) {
    const struct at_settings *settings = options->settings;
    enum at_status status = settings ? at_settings_declare(settings, catalog, err) : AT_OK;
    int count = options->root ? at_root_attribute_count(options->root) : 0;
    for (int i = 0; i < count && status == AT_OK; i++) {
        const struct at_attribute *attribute = at_root_attribute_at(options->root, i);
        status = at_catalog_declare(catalog, attribute->name, at_attribute_kind_name(attribute->kind), err);
        if (status == AT_CONFLICT) status = AT_OK; /* shop.lua's word is the newer one */
    }
    return status;
}

static enum at_status new_catalog(const struct at_test_options *options, struct at_catalog **out,
                                  struct at_error *err) {
    struct at_catalog_options plain = {NULL};
    enum at_status status = at_catalog_new(out, &plain, err);
    return status == AT_OK ? declare_known(options, *out, err) : status;
}

/* popularity, trending and conversion are counted in a shop; in a test a product says them itself. */
static enum at_status publish_counted(struct at_catalog *catalog) {
    static const char *const names[] = {[AT_COUNTED_POPULARITY] = "popularity",
                                        [AT_COUNTED_TRENDING] = "trending",
                                        [AT_COUNTED_CONVERSION] = "conversion"};
    struct at_root *root = at_catalog_root(catalog);
    uint32_t rows = at_root_rows(root);
    const float *columns[AT_COUNTED_COUNT] = {NULL};
    float *values = calloc((size_t)rows * AT_COUNTED_COUNT + 1, sizeof *values);
    enum at_status status = values ? AT_OK : AT_NOMEM;
    for (int which = 0; which < AT_COUNTED_COUNT && values; which++) {
        int attribute = at_root_attribute(root, names[which], strlen(names[which]));
        if (attribute < 0 || at_root_attribute_at(root, attribute)->kind != AT_ATTRIBUTE_NUMBER) continue;
        columns[which] = values + (size_t)which * rows;
        for (uint32_t row = 0; row < rows; row++) {
            double value = at_root_number(root, attribute, row);
            values[(size_t)which * rows + row] = at_is_missing(value) ? 0 : (float)value;
        }
    }
    at_root_unref(root);
    bool says = columns[0] || columns[1] || columns[2];
    if (status == AT_OK && says) status = at_catalog_publish_counted(catalog, columns, rows);
    free(values);
    return status;
}

struct filling {
    struct at_staging *staging;
    struct at_arena arena;
    uint32_t count;
};

static enum at_status put_product(struct filling *filling, struct at_json document, struct at_error *err) {
    struct at_change change = {.kind = AT_CHANGE_PUT, .document = document};
    if (filling->count++ == PRODUCTS_MAX)
        return at_fail(err, AT_TOOBIG, NULL, "a test's catalog may have %d products", PRODUCTS_MAX);
    enum at_status status = at_staging_add(filling->staging, &change, 1);
    if (status == AT_OK) status = change.status == AT_DUPLICATE ? AT_OK : change.status;
    if (status != AT_OK && err) *err = change.error;
    return status;
}

static enum at_status fill_from_feed(struct filling *filling, struct at_feed *feed, struct at_text text,
                                     struct at_error *err) {
    struct at_json document;
    size_t line = 0;
    enum at_status status = at_feed_give(feed, text.data, text.length, true, err);
    while (status == AT_OK) {
        status = at_feed_next(feed, &document, &line, err);
        if (status == AT_NOTFOUND) return AT_OK;
        if (status == AT_OK) status = put_product(filling, document, err);
        if (status != AT_OK) at_error_prefix(err, "line %u: ", (unsigned)line);
    }
    return status;
}

static enum at_status begin_filling(struct filling *filling, struct at_catalog *catalog,
                                    struct at_error *err) {
    at_arena_init(&filling->arena, (size_t)256 << 20);
    return at_catalog_stage(catalog, &filling->arena, NULL, 0, &filling->staging, err);
}

static enum at_status end_filling(struct filling *filling, struct at_catalog *catalog,
                                  enum at_status status) {
    if (filling->staging && status == AT_OK)
        status = at_staging_publish(filling->staging);
    else if (filling->staging)
        at_staging_cancel(filling->staging);
    at_arena_clear(&filling->arena);
    return status == AT_OK ? publish_counted(catalog) : status;
}

static enum at_status fill_catalog(struct at_catalog *catalog, const char *path, struct at_text text,
                                   struct at_error *err) {
    enum at_feed_kind kind;
    struct at_feed *feed = NULL;
    struct filling filling = {0};
    enum at_status status = at_feed_kind_of(path, text, &kind, err);
    if (status == AT_OK) {
        struct at_root *root = at_catalog_root(catalog);
        feed = at_feed_new(kind, root);
        at_root_unref(root);
        status = feed ? begin_filling(&filling, catalog, err) : AT_NOMEM;
    }
    if (status == AT_OK) status = fill_from_feed(&filling, feed, text, err);
    if (feed) status = end_filling(&filling, catalog, status);
    if (feed) at_feed_free(feed);
    if (status != AT_OK) at_error_prefix(err, "%s: ", path);
    return status;
}

static void use(struct at_world *world, struct at_catalog *catalog) {
    if (world->root) at_root_unref(world->root);
    world->root = at_catalog_root(catalog);
    world->view.root = world->root;
}

/* path NULL: an empty one. */
static enum at_status catalog_of(struct at_world *world, const char *path, struct at_catalog **out,
                                 struct at_error *err) {
    struct test_run *run = world->run;
    struct at_text text = {NULL, 0};
    const char *key = path ? path : "";
    for (uint32_t i = 0; i < run->catalog_count; i++)
        if (strcmp(run->catalogs[i].path, key) == 0) return *out = run->catalogs[i].catalog, AT_OK;
    if (run->catalog_count == WORLD_CATALOGS_MAX)
        return at_fail(err, AT_TOOBIG, NULL, "the tests name more than %d catalogs", WORLD_CATALOGS_MAX);
    enum at_status status = path ? read_file(world, path, &text, err) : AT_OK;
    if (status != AT_OK) return status;
    struct world_catalog *made = &run->catalogs[run->catalog_count];
    made->path = at_arena_dup(run->options->arena, key, strlen(key));
    status = made->path ? new_catalog(run->options, &made->catalog, err) : AT_NOMEM;
    if (status == AT_OK && path) status = fill_catalog(made->catalog, path, text, err);
    if (status == AT_OK) {
        run->catalog_count++;
        *out = made->catalog;
    } else if (made->catalog) {
        at_catalog_free(made->catalog);
        made->catalog = NULL;
    }
    return status;
}

enum at_status world_use_catalog(struct at_world *world, const char *path, struct at_error *err) {
    struct at_catalog *catalog = NULL;
    enum at_status status = catalog_of(world, path ? path : AT_TEST_CATALOG, &catalog, err);
    if (status == AT_NOTFOUND && !path) status = catalog_of(world, NULL, &catalog, err);
    if (status == AT_OK) use(world, catalog);
    return status;
}

enum at_status world_use_products(struct at_world *world, struct at_json products, struct at_error *err) {
    struct filling filling = {0};
    enum at_status status = new_catalog(world->run->options, &world->catalog, err);
    if (status != AT_OK) return status;
    status = begin_filling(&filling, world->catalog, err);
    struct at_json_each it = at_json_each(products);
    while (status == AT_OK && at_json_next(&it)) {
        status = put_product(&filling, it.value, err);
        if (status != AT_OK) at_error_prefix(err, "given.products[%u]: ", filling.count);
    }
    status = end_filling(&filling, world->catalog, status);
    if (status == AT_OK) use(world, world->catalog);
    return status;
}

void world_free_catalogs(struct test_run *run) {
    for (uint32_t i = 0; i < run->catalog_count; i++) at_catalog_free(run->catalogs[i].catalog);
    run->catalog_count = 0;
}

/* ---- events ---- */

static enum at_status read_moment(struct at_world *world, struct world_due *due, struct at_error *err) {
    struct at_json json;
    enum at_status status =
        at_json_parse(world->value_parser, due->text.data, due->text.length, false, &json, err);
    if (status != AT_OK) return status;
    struct at_json moment = at_json_get(json, "timestamp");
    if (at_event_moment(moment, &due->at_ms, err)) return AT_OK;
    return at_fail(err, AT_INVALID, NULL,
                   "an event of a file says when it was: \"timestamp\":\"2026-11-27T10:00:00Z\"");
}

static int by_moment(const void *a, const void *b) {
    const struct world_due *x = a, *y = b;
    if (x->at_ms != y->at_ms) return x->at_ms < y->at_ms ? -1 : 1;
    return x->line < y->line ? -1 : 1;
}

static enum at_status add_due(struct at_world *world, struct at_text line, uint32_t number,
                              struct at_error *err) {
    struct world_due *due = &world->due[world->due_count];
    *due = (struct world_due){.text = line, .line = number};
    if (world->due_count == EVENTS_MAX)
        return at_fail(err, AT_TOOBIG, NULL, "a test may have %d events", EVENTS_MAX);
    enum at_status status = read_moment(world, due, err);
    if (status == AT_OK) world->due_count++;
    return status;
}

static bool is_blank(struct at_text line) {
    for (size_t i = 0; i < line.length; i++)
        if (!strchr(" \t\r", line.data[i])) return false;
    return true;
}

enum at_status world_use_events(struct at_world *world, const char *path, struct at_error *err) {
    struct at_text text;
    enum at_status status = read_file(world, path, &text, err);
    if (status != AT_OK) return status;
    uint32_t lines = 1, number = 0;
    for (size_t i = 0; i < text.length; i++) lines += text.data[i] == '\n';
    world->due = at_arena_zalloc(&world->arena, ((size_t)lines + 1) * sizeof *world->due);
    if (!world->due) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    for (size_t at = 0; at < text.length && status == AT_OK;) {
        const char *end = memchr(text.data + at, '\n', text.length - at);
        struct at_text line = {text.data + at, (end ? (size_t)(end - text.data) : text.length) - at};
        at += line.length + 1;
        number++;
        if (!is_blank(line)) status = add_due(world, line, number, err);
        if (status != AT_OK) at_error_prefix(err, "%s:%u: ", path, number);
    }
    qsort(world->due, world->due_count, sizeof *world->due, by_moment);
    return status;
}
