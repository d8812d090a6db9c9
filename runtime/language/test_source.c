/* SPDX-License-Identifier: Apache-2.0
 *
 * What the source of a test says before it runs: words that world and expect do not have, also in branches
 * that rarely run; and the place of an expectation that did not hold.
 */
#include <string.h>
#include "base/utf8.h"
#include "language/world.h"

const char *const world_names[] = {"customer", "now", "event", "wait", "rank", "decide", "cost", NULL};
const char *const later_world_names[] = {"sent", "journeys", "variant", NULL};
const char *const expectation_names[] = {"is",      "is_not",     "above",    "below", "at_least",
                                         "at_most", "between",    "contains", "lacks", "one_of",
                                         "is_nil",  "is_not_nil", "keeps",    NULL};

struct reading {
    struct at_build *build;
    const char *path;
    const struct at_node *world; /* the parameter; NULL: none */
    bool is_short;
};

static void check_word(struct reading *reading, const struct at_node *at, struct at_text word,
                       const char *what, const char *const *known) {
    const char *name = at_arena_dup(reading->build->arena, word.data, word.length);
    struct at_file_finding *made = NULL;
    size_t count = 0;
    while (known[count]) count++;
    if (!name) {
        reading->is_short = true;
        return;
    }
    if (is_named(name, known)) return;
    bool is_world = known == world_names;
    const char *nearest = at_suggest(name, known, count);
    if (is_world && is_named(name, later_world_names))
        made = add_finding(reading->build, reading->path, at, false, "not_in_this_version",
                           "%s.%s is not in this version", what, name);
    else if (nearest)
        made = add_finding(reading->build, reading->path, at, false, "unknown_field",
                           "%s has no \"%s\" — did you mean \"%s\"?", what, name, nearest);
    else
        made = add_finding(reading->build, reading->path, at, false, "unknown_field", "%s has no \"%s\"",
                           what, name);
    reading->is_short |= !made;
}

static bool is_expect(const struct at_node *node) {
    return node && node->kind == AT_NODE_CALL && node->a->kind == AT_NODE_NAME && !node->a->binding &&
           at_text_is(node->a->text, "expect");
}

static bool is_world(const struct reading *reading, const struct at_node *node) {
    return reading->world && node && node->kind == AT_NODE_NAME && node->binding == reading->world;
}

static bool visit(void *arg, struct at_node *node) {
    struct reading *reading = arg;
    if (node->kind == AT_NODE_METHOD && is_world(reading, node->a))
        check_word(reading, node, node->text, "world", world_names);
    if (node->kind == AT_NODE_INDEX && node->is_dot && is_world(reading, node->a))
        check_word(reading, node->b, node->b->text, "world", world_names);
    if (node->kind == AT_NODE_METHOD && is_expect(node->a))
        check_word(reading, node, node->text, "expect", expectation_names);
    return true;
}

enum at_status check_tests(struct assembly *assembly) {
    struct at_generation *generation = assembly->generation;
    struct reading reading = {.build = assembly->build};
    for (uint32_t i = 0; i < generation->test_count; i++) {
        struct found_function found;
        enum at_status status = find_source(assembly, generation->tests[i].run, &found);
        if (status != AT_OK) return status;
        if (!found.node) continue;
        reading.path = assembly->build->files[found.file].path.data;
        reading.world = found.node->list;
        at_node_walk(found.node->body, visit, &reading);
    }
    return reading.is_short ? AT_NOMEM : AT_OK;
}

/* ---- where it stands ---- */

struct looking {
    struct at_finding *at;
    uint32_t count;
};

static bool is_within(void *arg, struct at_node *node) {
    struct looking *looking = arg;
    if (node->kind != AT_NODE_METHOD || !is_expect(node->a) || node->a->line > looking->at->line) return true;
    uint32_t last_line = node->line; /* of its name: Lua says the line of the call's arguments */
    for (const struct at_node *argument = node->list; argument; argument = argument->next)
        if (argument->line > last_line) last_line = argument->line;
    if (last_line < looking->at->line) return true;
    if (looking->count++) return true;
    looking->at->column = node->a->column;
    looking->at->line = node->a->line;
    looking->at->from = node->from;
    looking->at->to = node->to;
    return true;
}

bool find_expectation(struct at_arena *arena, struct at_text source, struct at_finding *at) {
    struct looking looking = {at, 0};
    struct at_node *block;
    uint32_t line, column;
    if (at_parse(arena, source, &block, &line, &column, NULL) != AT_OK) return false;
    at_node_walk(block, is_within, &looking);
    return looking.count > 0;
}
