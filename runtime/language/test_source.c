/* SPDX-License-Identifier: Apache-2.0
 *
 * What the source of a test says before it runs: words that world and expect do not have, also in branches
 * that rarely run; and the place of an expectation that did not hold.
 */
#include "language/world.h"

static bool is_expect(const struct at_node *node) {
    return node && node->kind == AT_NODE_CALL && node->a->kind == AT_NODE_NAME && !node->a->binding &&
           at_text_is(node->a->text, "expect");
}

enum at_status check_tests(struct assembly *assembly) {
    struct at_generation *generation = assembly->generation;
    for (uint32_t i = 0; i < generation->test_count; i++) {
        struct found_function found;
        enum at_status status = find_source(assembly, generation->tests[i].run, &found);
        if (status == AT_OK && found.node)
            status = check_function_words(assembly->build, found.file, found.node->from, "Test", "run");
        if (status != AT_OK) return status;
    }
    return AT_OK;
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
    struct at_fault *faults;
    if (at_parse(arena, source, &block, &faults) != AT_OK) return false;
    at_node_walk(block, is_within, &looking);
    return looking.count > 0;
}
