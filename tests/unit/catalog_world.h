/* SPDX-License-Identifier: Apache-2.0
 *
 * What the catalog's tests share: a catalog with its arena and parser, and changes written as one line of
 * JSON each.
 */
#ifndef TESTS_UNIT_CATALOG_WORLD_H
#define TESTS_UNIT_CATALOG_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cases.h"
#include "catalog/catalog.h"

struct world {
    struct at_catalog *catalog;
    struct at_json_parser *parser;
    struct at_arena arena;
    struct at_change change; /* the last one */
    char body[4096];         /* its body, NUL-terminated */
};

static inline void world_init(struct world *world) {
    memset(world, 0, sizeof *world);
    assert_int_equal(at_catalog_new(&world->catalog, NULL, NULL), AT_OK);
    world->parser = at_json_parser_new(1 << 20, 64);
    assert_non_null(world->parser);
    at_arena_init(&world->arena, 1 << 26);
}

static inline void world_clear(struct world *world) {
    at_catalog_free(world->catalog);
    at_json_parser_free(world->parser);
    at_arena_clear(&world->arena);
}

static inline struct at_json world_json(struct world *world, const char *text) {
    struct at_json json = {0};
    struct at_error err;
    if (at_json_parse(world->parser, text, strlen(text), false, &json, &err) != AT_OK)
        fail_msg("%s: %s", text, err.message);
    return json;
}

/* Stage one change and publish it; its status. */
static inline enum at_status world_change(struct world *world, enum at_change_kind kind, const char *id,
                                          const char *text) {
    struct at_staging *staging;
    world->change = (struct at_change){.kind = kind, .id = at_text_of(id)};
    if (text) world->change.document = world_json(world, text);
    at_arena_reset(&world->arena);
    assert_int_equal(at_catalog_stage(world->catalog, &world->arena, &world->change, 1, &staging, NULL),
                     AT_OK);
    snprintf(world->body, sizeof world->body, "%.*s", (int)world->change.body.length,
             world->change.body.data ? world->change.body.data : "");
    assert_int_equal(at_staging_publish(staging), AT_OK);
    return world->change.status;
}

static inline enum at_status world_put(struct world *world, const char *text) {
    return world_change(world, AT_CHANGE_PUT, NULL, text);
}
static inline enum at_status world_patch(struct world *world, const char *text) {
    return world_change(world, AT_CHANGE_PATCH, NULL, text);
}
static inline enum at_status world_retire(struct world *world, const char *id) {
    return world_change(world, AT_CHANGE_RETIRE, id, NULL);
}

static inline uint32_t row_of(const struct at_root *root, const char *id) {
    return at_root_row(root, id, strlen(id));
}
static inline int attribute_of(const struct at_root *root, const char *name) {
    return at_root_attribute(root, name, strlen(name));
}
static inline double number_of(const struct at_root *root, const char *id, const char *name) {
    return at_root_number(root, attribute_of(root, name), row_of(root, id));
}
/* The text of a TEXT attribute; "" if missing. */
static inline const char *text_of(const struct at_root *root, const char *id, const char *name) {
    static char room[256];
    int attribute = attribute_of(root, name);
    struct at_text text = at_root_text_of(root, attribute, at_root_code(root, attribute, row_of(root, id)));
    snprintf(room, sizeof room, "%.*s", (int)text.length, text.data ? text.data : "");
    return room;
}

#endif
