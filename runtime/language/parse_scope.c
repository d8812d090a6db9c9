/* SPDX-License-Identifier: Apache-2.0
 *
 * Locals, blocks and labels while a file is parsed: what a name refers to, and which jumps are allowed
 * (Lua 5.4 §3.3.4: a goto sees the labels of the blocks around it and may not jump into the scope of a
 * local).
 */
#include <string.h>
#include "language/parse_internal.h"

/* ---- labels ---- */

static bool keep(struct parser *p, struct labels *labels, const struct at_node *node) {
    if (labels->count == labels->capacity) {
        uint32_t capacity = labels->capacity ? labels->capacity * 2 : 8;
        struct label *list = at_arena_alloc(p->lexer.arena, capacity * sizeof *list);
        if (!list) {
            p->lexer.status = AT_NOMEM;
            return false;
        }
        if (labels->count) memcpy(list, labels->list, labels->count * sizeof *list);
        labels->list = list;
        labels->capacity = capacity;
    }
    labels->list[labels->count++] = (struct label){node->text, SPOT_OF(node), p->function->active_count};
    return true;
}

static const struct label *find_label(const struct parser *p, struct at_text name) {
    for (uint32_t i = p->function->first_label; i < p->labels.count; i++)
        if (at_text_equal(p->labels.list[i].name, name)) return &p->labels.list[i];
    return NULL;
}

static int shown(struct at_text name) {
    return (int)(name.length < 60 ? name.length : 60);
}

static struct at_text local_named(const struct parser *p, uint32_t index) {
    for (const struct scope *scope = p->scope; scope; scope = scope->outer)
        if (scope->index == index) return scope->local ? scope->local->text : AT_TEXT("(for state)");
    return AT_TEXT("?");
}

/* After a fault in a function its jumps are not judged: labels and loops may be in what was not read. */
static bool is_muddled(const struct parser *p) {
    return p->fault_count > p->function->fault_count;
}

/* The gotos of this block that wait for the label are done, if no local began between. */
static bool solve_gotos(struct parser *p, const struct label *label) {
    uint32_t kept = p->function->block->goto_count;
    for (uint32_t i = kept; i < p->gotos.count; i++) {
        const struct label *jump = &p->gotos.list[i];
        if (!at_text_equal(jump->name, label->name)) {
            p->gotos.list[kept++] = *jump;
            continue;
        }
        if (jump->active_count >= label->active_count) continue;
        struct at_text local = local_named(p, jump->active_count);
        if (is_muddled(p)) continue;
        if (!parse_note(p, jump->place, "<goto %.*s> at line %u jumps into the scope of local '%.*s'",
                        shown(jump->name), jump->name.data, jump->place.line, shown(local), local.data))
            return false;
    }
    p->gotos.count = kept;
    return true;
}

/* is_last: only labels and semicolons follow in the block; its locals count as over then. */
bool add_label(struct parser *p, const struct at_node *node, bool is_last) {
    const struct label *same = find_label(p, node->text);
    if (same)
        return parse_note(p, SPOT_OF(node), "label '%.*s' already defined on line %u", shown(node->text),
                          node->text.data, same->place.line);
    if (!keep(p, &p->labels, node)) return false;
    struct label *label = &p->labels.list[p->labels.count - 1];
    if (is_last) label->active_count = p->function->block->active_count;
    return solve_gotos(p, label);
}

bool add_goto(struct parser *p, const struct at_node *node) {
    return find_label(p, node->text) ? true : keep(p, &p->gotos, node);
}

/* ---- blocks ---- */

void enter_block(struct parser *p, struct block_scope *block) {
    struct function_scope *function = p->function;
    *block = (struct block_scope){function->block,       p->scope,        function->active_count,
                                  function->local_count, p->labels.count, p->gotos.count};
    function->block = block;
}

/* The jumps from there on have nowhere to go. */
static bool refuse_jumps(struct parser *p, uint32_t first) {
    bool is_ok = true, is_told = !is_muddled(p);
    for (uint32_t i = first; is_ok && is_told && i < p->gotos.count; i++) {
        const struct label *jump = &p->gotos.list[i];
        is_ok = at_text_is(jump->name, "break")
                    ? parse_note(p, jump->place, "break outside loop at line %u", jump->place.line)
                    : parse_note(p, jump->place, "no visible label '%.*s' for <goto> at line %u",
                                 shown(jump->name), jump->name.data, jump->place.line);
    }
    p->gotos.count = first;
    return is_ok;
}

/* Gotos without a label yet go on looking in the block around; in a function's outermost there is none. */
bool leave_block(struct parser *p) {
    struct function_scope *function = p->function;
    struct block_scope *block = function->block;
    p->scope = block->locals;
    function->active_count = block->active_count;
    function->local_count = block->local_count;
    p->labels.count = block->label_count;
    function->block = block->outer;
    for (uint32_t i = block->goto_count; i < p->gotos.count; i++)
        p->gotos.list[i].active_count = block->active_count;
    return block->outer || refuse_jumps(p, block->goto_count);
}

void enter_function(struct parser *p, struct function_scope *function, struct block_scope *block,
                    struct at_node *node) {
    *function = (struct function_scope){
        .outer = p->function, .node = node, .first_label = p->labels.count, .fault_count = p->fault_count};
    p->function = function;
    enter_block(p, block);
}

bool leave_function(struct parser *p) {
    bool is_ok = leave_block(p);
    p->function = p->function->outer;
    return is_ok;
}

/* ---- locals ---- */

static bool count_locals(struct parser *p, uint32_t count) {
    const struct at_node *function = p->function->node;
    p->function->local_count += count;
    if (p->function->local_count <= LOCALS_MAX) return true;
    p->is_fatal = true;
    if (!function)
        return parse_fail(p, "too many local variables (limit is %d) in main function", LOCALS_MAX);
    return parse_fail(p, "too many local variables (limit is %d) in function at line %u", LOCALS_MAX,
                      function->line);
}

static bool activate(struct parser *p, struct at_node *local) {
    struct scope *scope = at_arena_alloc(p->lexer.arena, sizeof *scope);
    if (!scope) {
        p->lexer.status = AT_NOMEM;
        return false;
    }
    *scope = (struct scope){local, p->scope, p->function->active_count++};
    p->scope = scope;
    return true;
}

bool declare_local(struct parser *p, struct at_node *local) {
    local->function = p->function->node;
    return activate(p, local);
}

/* for keeps some locals to itself: they count, and nobody sees them. */
bool declare_hidden(struct parser *p, uint32_t count) {
    if (!count_locals(p, count)) return false;
    for (uint32_t i = 0; i < count; i++)
        if (!activate(p, NULL)) return false;
    return true;
}

struct at_node *read_local(struct parser *p) {
    if (p->token.kind != TOKEN_NAME) {
        parse_fail(p, "<name> expected");
        return NULL;
    }
    struct at_node *local = parse_node(p, AT_NODE_LOCAL);
    if (!local) return NULL;
    local->text = p->token.text;
    return parse_advance(p) && count_locals(p, 1) ? local : NULL;
}

void bind_name(struct parser *p, struct at_node *name) {
    name->function = p->function->node;
    for (struct scope *scope = p->scope; scope && !name->binding; scope = scope->outer)
        if (scope->local && at_text_equal(scope->local->text, name->text)) name->binding = scope->local;
}
