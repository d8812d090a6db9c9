/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a rule with masks (compile.h). Every node is written on the line it stands on. Of an if that
 * products decide, in Lua:
 *
 *     do local k, x0 = test(condition), x
 *       x = x + 1                                  -- for all products
 *       local x1 = x; x = x0
 *       …                                          -- else
 *       x = select(k, x1, x)
 *     end
 *
 * In a function that returns for some products before others, m is the mask of the branch, d for which
 * products it has returned, r what they got: return e becomes r = select(d, r, e); d = either(d, m).
 */
#include <stdlib.h>
#include <string.h>
#include "language/compile_internal.h"

const char *const at_primitive_names[] = {
    "__at_test", "__at_select", "__at_not", "__at_both", "__at_either", "__at_and", "__at_or",    "__at_lt",
    "__at_le",   "__at_gt",     "__at_ge",  "__at_eq",   "__at_ne",     "__at_key", "__at_floor", "__at_ceil",
    "__at_abs",  "__at_sqrt",   "__at_log", "__at_max",  "__at_min",    NULL};

static void put(struct compile *c, const char *text) {
    at_bytes_add_text(&c->out, text);
}

static void put_text(struct compile *c, struct at_text text) {
    at_bytes_add(&c->out, text.data, text.length);
}

static void to_line(struct compile *c, uint32_t line) {
    for (; c->line < line; c->line++) put(c, "\n");
}

/* A node as it stands in the source. */
static void put_source(struct compile *c, const struct at_node *node) {
    to_line(c, node->line);
    put(c, " ");
    for (uint32_t i = node->from; i < node->to; i++) c->line += c->source.data[i] == '\n';
    at_bytes_add(&c->out, c->source.data + node->from, node->to - node->from);
    put(c, " ");
}

/* ---- expressions ---- */

static void put_expression(struct compile *c, const struct at_node *node);

static void put_list(struct compile *c, const struct at_node *list) {
    for (const struct at_node *node = list; node; node = node->next) {
        if (node != list) put(c, ", ");
        put_expression(c, node);
    }
}

static void put_arguments(struct compile *c, const struct at_node *list) {
    put(c, "(");
    put_list(c, list);
    put(c, ")");
}

static void put_primitive(struct compile *c, const char *name, const struct at_node *a,
                          const struct at_node *b) {
    put(c, name);
    put(c, "(");
    put_expression(c, a);
    put(c, ", ");
    put_expression(c, b);
    put(c, ")");
}

/* Where only yes or no counts: conditions need not be values. */
static void put_condition(struct compile *c, const struct at_node *node) {
    bool is_and = node->kind == AT_NODE_BINARY && at_text_is(node->text, "and");
    bool is_or = node->kind == AT_NODE_BINARY && at_text_is(node->text, "or");
    if (compile_is_tainted(node) && node->kind == AT_NODE_PAREN)
        put_condition(c, node->a);
    else if ((is_and || is_or) && compile_is_tainted(node->a)) {
        put(c, is_and ? "__at_both(" : "__at_either(");
        put_condition(c, node->a);
        put(c, ", ");
        put_condition(c, node->b);
        put(c, ")");
    } else
        put_expression(c, node);
}

static const char *primitive_of(const struct at_node *node) {
    static const char *const signs[][2] = {{"<", "__at_lt"},  {"<=", "__at_le"}, {">", "__at_gt"},
                                           {">=", "__at_ge"}, {"==", "__at_eq"}, {"~=", "__at_ne"}};
    for (size_t i = 0; i < AT_LENGTH(signs); i++)
        if (at_text_is(node->text, signs[i][0])) return signs[i][1];
    if (!compile_is_tainted(node->a)) return NULL; /* Lua's own and, or: the left side is a plain value */
    return at_text_is(node->text, "and") ? "__at_and" : at_text_is(node->text, "or") ? "__at_or" : NULL;
}

static void put_binary(struct compile *c, const struct at_node *node) {
    const char *primitive = primitive_of(node);
    if (primitive) {
        put_primitive(c, primitive, node->a, node->b);
        return;
    }
    put(c, "(");
    put_expression(c, node->a);
    put(c, " ");
    put_text(c, node->text);
    put(c, " ");
    put_expression(c, node->b);
    put(c, ")");
}

static void put_index(struct compile *c, const struct at_node *node) {
    if (!compile_is_tainted(node->b)) {
        put_expression(c, node->a);
        put(c, node->is_dot ? "." : "[");
        if (node->is_dot)
            put_text(c, node->b->text);
        else
            put_expression(c, node->b);
        if (!node->is_dot) put(c, "]");
        return;
    }
    put_primitive(c, "__at_key", node->a, node->b);
}

static void put_call(struct compile *c, const struct at_node *node) {
    struct at_text math = compile_math_name(node);
    to_line(c, node->line);
    if (math.length && compile_is_math_primitive(math)) {
        put(c, "__at_");
        put_text(c, math);
    } else
        put_source(c, node->a);
    put_arguments(c, node->list);
}

static void put_unary(struct compile *c, const struct at_node *node) {
    bool is_not = at_text_is(node->text, "not");
    put(c, is_not ? "__at_not(" : "(- ");
    if (is_not)
        put_condition(c, node->a);
    else
        put_expression(c, node->a);
    put(c, ")");
}

static void put_expression(struct compile *c, const struct at_node *node) {
    if (!compile_is_tainted(node)) {
        put_source(c, node);
        return;
    }
    if (node->kind != AT_NODE_BINARY) to_line(c, node->line);
    switch (node->kind) {
    case AT_NODE_NAME: put_text(c, node->text); break;
    case AT_NODE_INDEX: put_index(c, node); break;
    case AT_NODE_CALL: put_call(c, node); break;
    case AT_NODE_METHOD:
        put_expression(c, node->a);
        put(c, ":");
        put_text(c, node->text);
        put_arguments(c, node->list);
        break;
    case AT_NODE_BINARY: put_binary(c, node); break;
    case AT_NODE_UNARY: put_unary(c, node); break;
    case AT_NODE_PAREN:
        put(c, "(");
        put_expression(c, node->a);
        put(c, ")");
        break;
    default: AT_ASSERT(!"an expression that depends on the product");
    }
}

/* ---- branches ---- */

struct assigned {
    const struct at_node *branch;
    struct at_text names[COMPILE_ASSIGNED_MAX];
    uint32_t count;
    bool is_full;
};

static void note_assigned(struct assigned *assigned, const struct at_node *local) {
    if (local->from >= assigned->branch->from) return;
    for (uint32_t i = 0; i < assigned->count; i++)
        if (at_text_equal(assigned->names[i], local->text)) return;
    if (assigned->count == COMPILE_ASSIGNED_MAX)
        assigned->is_full = true;
    else
        assigned->names[assigned->count++] = local->text;
}

static bool find_assigned(void *arg, struct at_node *node) {
    struct assigned *assigned = arg;
    if (node->kind != AT_NODE_ASSIGN) return true;
    for (const struct at_node *target = node->list; target; target = target->next)
        if (target->kind == AT_NODE_NAME && target->binding) note_assigned(assigned, target->binding);
    return true;
}

/* "a, b" of the names, or with a number and a letter behind each. */
static void put_names(struct compile *c, const struct assigned *assigned, const char *letter,
                      uint32_t number) {
    for (uint32_t i = 0; i < assigned->count; i++) {
        if (i) put(c, ", ");
        if (letter)
            at_bytes_printf(&c->out, "__at_%s%u_%u", letter, number, i);
        else
            put_text(c, assigned->names[i]);
    }
}

static void put_moved(struct compile *c, const struct assigned *assigned, const char *head, const char *to,
                      const char *from, uint32_t number) {
    if (!assigned->count) return;
    put(c, head);
    put_names(c, assigned, to, number);
    put(c, " = ");
    put_names(c, assigned, from, number);
    put(c, "; ");
}

static void put_selected(struct compile *c, const struct assigned *assigned, uint32_t number) {
    if (!assigned->count) return;
    put(c, " ");
    put_names(c, assigned, NULL, 0);
    put(c, " = ");
    for (uint32_t i = 0; i < assigned->count; i++) {
        if (i) put(c, ", ");
        at_bytes_printf(&c->out, "__at_select(__at_k%u, __at_n%u_%u, %.*s)", number, number, i,
                        (int)assigned->names[i].length, assigned->names[i].data);
    }
    put(c, " ");
}

static void put_block(struct compile *c, const struct at_node *block, bool is_masked);
static void put_if(struct compile *c, const struct at_node *node, bool is_masked);

static void put_else(struct compile *c, const struct at_node *node, bool is_masked) {
    if (node->else_part->kind == AT_NODE_IF)
        put_if(c, node->else_part, is_masked);
    else
        put_block(c, node->else_part, is_masked);
}

static void put_masked_if(struct compile *c, const struct at_node *node) {
    struct assigned assigned = {.branch = node};
    uint32_t number = c->next_number++;
    bool returns = c->inside->mark & COMPILE_RETURNS;
    at_node_walk(node->body, find_assigned, &assigned);
    if (node->else_part) at_node_walk(node->else_part, find_assigned, &assigned);
    if (assigned.is_full) {
        c->refused = node;
        c->advice = "an if that assigns to so many locals: make two of it";
    }
    at_bytes_printf(&c->out, " do local __at_k%u = __at_test(", number);
    put_condition(c, node->a);
    put(c, ") ");
    if (returns)
        at_bytes_printf(&c->out, "local __at_s%u = __at_m; __at_m = __at_both(__at_s%u, __at_k%u) ", number,
                        number, number);
    put_moved(c, &assigned, "local ", "o", NULL, number);
    put(c, "do ");
    put_block(c, node->body, true);
    put(c, " end ");
    put_moved(c, &assigned, "local ", "n", NULL, number);
    put_moved(c, &assigned, "", NULL, "o", number);
    if (node->else_part) {
        if (returns)
            at_bytes_printf(&c->out, "__at_m = __at_both(__at_s%u, __at_not(__at_k%u)) ", number, number);
        put(c, "do ");
        put_else(c, node, true);
        put(c, " end ");
    }
    put_selected(c, &assigned, number);
    if (returns) at_bytes_printf(&c->out, "__at_m = __at_s%u ", number);
    put(c, "end ");
}

/* An if that the customer or the page decides stays one. */
static void put_if(struct compile *c, const struct at_node *node, bool is_masked) {
    to_line(c, node->line);
    if (compile_is_tainted(node)) {
        put_masked_if(c, node);
        return;
    }
    put(c, " if ");
    put_expression(c, node->a);
    put(c, " then ");
    put_block(c, node->body, is_masked);
    if (node->else_part) {
        put(c, " else ");
        put_else(c, node, is_masked);
    }
    put(c, " end ");
}

/* ---- statements ---- */

static void put_return(struct compile *c, const struct at_node *node, bool is_masked) {
    bool returns = c->inside->mark & COMPILE_RETURNS;
    if (!returns) put(c, " return ");
    if (returns && !is_masked) put(c, " return __at_select(__at_d, __at_r, ");
    if (is_masked) put(c, " __at_r = __at_select(__at_d, __at_r, ");
    if (node->list && returns) put(c, "(");
    if (node->list)
        put_expression(c, node->list);
    else if (returns)
        put(c, "nil");
    if (node->list && returns) put(c, ")");
    if (returns) put(c, ") ");
    if (is_masked) put(c, "__at_d = __at_either(__at_d, __at_m) ");
}

static void put_locals(struct compile *c, const struct at_node *node) {
    put(c, " local ");
    for (const struct at_node *local = node->list; local; local = local->next) {
        put_text(c, local->text);
        if (local->text2.length)
            at_bytes_printf(&c->out, " <%.*s>", (int)local->text2.length, local->text2.data);
        if (local->next) put(c, ", ");
    }
    if (node->list2) put(c, " = ");
    put_list(c, node->list2);
    put(c, " ");
}

static void put_assign(struct compile *c, const struct at_node *node) {
    put(c, " ");
    for (const struct at_node *target = node->list; target; target = target->next) {
        put_text(c, target->text);
        if (target->next) put(c, ", ");
    }
    put(c, " = ");
    put_list(c, node->list2);
    put(c, " ");
}

static void put_loop(struct compile *c, const struct at_node *node, bool is_masked) {
    put(c, " for ");
    for (const struct at_node *local = node->list; local; local = local->next) {
        put_text(c, local->text);
        if (local->next) put(c, ", ");
    }
    put(c, node->kind == AT_NODE_FOR_IN ? " in " : " = ");
    put_list(c, node->list2);
    put(c, " do ");
    put_block(c, node->body, is_masked);
    put(c, " end ");
}

static void put_statement(struct compile *c, const struct at_node *node, bool is_masked) {
    to_line(c, node->line);
    switch (node->kind) {
    case AT_NODE_LOCALS: put_locals(c, node); break;
    case AT_NODE_ASSIGN: put_assign(c, node); break;
    case AT_NODE_IF: put_if(c, node, is_masked); break;
    case AT_NODE_RETURN: put_return(c, node, is_masked); break;
    case AT_NODE_BREAK: put(c, " break "); break;
    case AT_NODE_DO:
        put(c, " do ");
        put_block(c, node->body, is_masked);
        put(c, " end ");
        break;
    default: put_loop(c, node, is_masked);
    }
}

static void put_block(struct compile *c, const struct at_node *block, bool is_masked) {
    for (const struct at_node *node = block ? block->list : NULL; node; node = node->next) {
        put_statement(c, node, is_masked);
        if (node->next) put(c, ";");
    }
}

/* ---- functions ---- */

static bool ends_with_return(const struct at_node *block) {
    const struct at_node *last = block->list;
    while (last && last->next) last = last->next;
    return last && last->kind == AT_NODE_RETURN;
}

static void put_function(struct compile *c, struct at_node *function) {
    c->inside = function;
    to_line(c, function->line);
    put(c, " function(");
    for (const struct at_node *parameter = function->list; parameter; parameter = parameter->next) {
        put_text(c, parameter->text);
        if (parameter->next) put(c, ", ");
    }
    put(c, ") ");
    bool returns = function->mark & COMPILE_RETURNS;
    if (returns) put(c, "local __at_m, __at_d, __at_r = true, false, nil ");
    put_block(c, function->body, false);
    if (returns && !ends_with_return(function->body)) put(c, " return __at_select(__at_d, __at_r, nil)");
    put(c, " end ");
}

static void put_head(struct compile *c) {
    put(c, "local ");
    for (size_t i = 0; at_primitive_names[i]; i++) {
        if (i) put(c, ", ");
        put(c, at_primitive_names[i]);
    }
    for (uint32_t i = 0; i < c->link_count; i++) at_bytes_printf(&c->out, ", %s", c->links[i].name);
    put(c, " = ...; ");
}

/* In the order of the source, so that lines only grow. */
static void sort_functions(struct compile *c) {
    for (uint32_t i = 1; i < c->function_count; i++)
        for (uint32_t k = i; k && c->functions[k - 1]->from > c->functions[k]->from; k--) {
            struct at_node *function = c->functions[k], *name = c->names[k];
            c->functions[k] = c->functions[k - 1], c->names[k] = c->names[k - 1];
            c->functions[k - 1] = function, c->names[k - 1] = name;
        }
}

enum at_status compile_write(struct compile *c, struct at_compiled *out) {
    at_bytes_init(&c->out, (size_t)1 << 20);
    c->line = 1;
    put_head(c);
    sort_functions(c);
    for (uint32_t i = 0; i < c->function_count; i++) {
        put_text(c, c->names[i]->text);
        put(c, " =");
        put_function(c, c->functions[i]);
        put(c, ";");
    }
    put(c, " return");
    put_function(c, c->rule);
    struct at_link *links = at_arena_alloc(c->arena, (c->link_count + 1) * sizeof *links);
    char *text = c->out.failed ? NULL : at_arena_dup(c->arena, c->out.data, c->out.length);
    size_t length = c->out.length;
    at_bytes_clear(&c->out);
    if (!text || !links) return AT_NOMEM;
    if (c->link_count) memcpy(links, c->links, c->link_count * sizeof *links);
    *out = (struct at_compiled){{text, length}, links, c->link_count, c->is_closed};
    return AT_OK;
}
