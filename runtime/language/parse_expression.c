/* SPDX-License-Identifier: Apache-2.0
 *
 * Expressions of Lua 5.4 (reference manual §3.4, §9), with its priorities.
 */
#include "language/parse_internal.h"

static struct at_node *subexpression(struct parser *p, int limit);

struct at_node *parse_expression(struct parser *p) {
    return subexpression(p, 0);
}

bool parse_expressions(struct parser *p, struct at_node **first) {
    struct at_node **end = first;
    do {
        if (*first && !parse_advance(p)) return false;
        struct at_node *node = parse_expression(p);
        if (!node) return false;
        parse_append(&end, node);
    } while (is_sign(p, ","));
    return true;
}

/* ---- tables ---- */

static struct at_node *name_node(struct parser *p) {
    if (p->token.kind != TOKEN_NAME) {
        parse_fail(p, "<name> expected");
        return NULL;
    }
    struct at_node *node = parse_node(p, AT_NODE_STRING);
    if (node) node->text = p->token.text;
    return node && parse_advance(p) ? node : NULL;
}

static bool begins_named_field(struct parser *p, bool *is_named) {
    *is_named = false;
    if (p->token.kind != TOKEN_NAME) return true;
    if (!parse_ahead(p)) return false;
    *is_named = p->ahead.kind == TOKEN_SIGN && at_text_is(p->ahead.text, "=");
    return true;
}

static struct at_node *field(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_FIELD);
    bool is_named;
    if (!node || !begins_named_field(p, &is_named)) return NULL;
    if (is_named) {
        node->is_dot = true;
        if (!(node->a = name_node(p)) || !parse_advance(p)) return NULL;
    } else if (is_sign(p, "[")) {
        if (!parse_advance(p) || !(node->a = parse_expression(p)) || !parse_expect(p, "]") ||
            !parse_expect(p, "="))
            return NULL;
    }
    return (node->b = parse_expression(p)) ? parse_done(p, node) : NULL;
}

/* A field, or what was not read in its place. */
static struct at_node *field_anyway(struct parser *p, const struct trial *table, uint32_t indent,
                                    bool *is_closed) {
    struct trial trial;
    begin_trial(p, &trial);
    struct at_node *node = field(p);
    return node ? node : recover_field(p, table, &trial, indent, is_closed);
}

/* name value: the sign between them is missing. */
static bool take_value(struct parser *p, struct at_node *field) {
    if (!field || field->a || field->b->kind != AT_NODE_NAME || p->token.is_first) return true;
    struct trial trial;
    begin_trial(p, &trial);
    struct at_node *value = parse_expression(p);
    if (!value) {
        p->depth = trial.depth;
        p->brackets = trial.brackets;
        return parse_take(p);
    }
    field->a = field->b;
    field->a->kind = AT_NODE_STRING;
    field->a->binding = NULL;
    field->is_dot = true;
    field->b = value;
    return parse_done(p, field) || parse_take(p);
}

/* What cannot follow the field *one makes it broken too, unless it is a function: that one was closed too
 * early, and was read. */
static bool broken_field(struct parser *p, const struct trial *table, struct at_node **one, uint32_t indent,
                         bool *is_closed) {
    struct trial trial;
    struct at_node **place = *one && (*one)->b->kind == AT_NODE_FUNCTION ? &(*one)->next : one;
    begin_trial(p, &trial);
    if (*place) trial.begin = SPOT_OF(*place);
    if (!(*place = recover_field(p, table, &trial, indent, is_closed))) return false;
    if ((*place)->to == (*place)->from) *place = NULL;
    return true;
}

/* After the field *one: past a comma; or one is missing, or the brace is. */
static bool separator(struct parser *p, const struct trial *table, struct at_node **one, uint32_t indent,
                      bool *is_closed) {
    uint32_t line = table->begin.line;
    if (!is_sign(p, ",") && !is_sign(p, ";")) {
        if (p->token.line == line)
            parse_fail(p, "'}' expected");
        else
            parse_fail(p, "'}' expected (to close '{' at line %u)", line);
        if (continues_table(p, table)) {
            if (!parse_take(p) || !take_value(p, *one)) return false;
        } else if (!broken_field(p, table, one, indent, is_closed))
            return false;
    }
    return !*is_closed && (is_sign(p, ",") || is_sign(p, ";")) ? parse_advance(p) : true;
}

static struct at_node *table(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_TABLE), **end = node ? &node->list : NULL;
    struct trial trial;
    uint32_t indent = 0, outer = p->indent;
    bool is_closed = false;
    begin_trial(p, &trial);
    p->brackets.braces++;
    if (!node || !parse_advance(p)) return NULL;
    while (!is_closed && !is_sign(p, "}")) {
        if (p->token.is_first && !indent) {
            indent = p->token.column;
            if (trial.indent >= indent) trial.indent = indent - 1;
        }
        struct at_node *one = field_anyway(p, &trial, indent, &is_closed);
        if (!one) return NULL;
        *end = one->to > one->from ? one : NULL;
        if (!is_closed && !is_sign(p, "}") && !separator(p, &trial, end, indent, &is_closed)) return NULL;
        while (*end) end = &(*end)->next;
    }
    p->brackets.braces--;
    bool is_others = is_closed && p->token.is_first && p->token.column < outer;
    if (is_sign(p, "}") && !is_others && !parse_advance(p)) return NULL;
    return parse_done(p, node);
}

/* ---- a.b, a[b], a(b), a:b(c) ---- */

static bool arguments(struct parser *p, struct at_node *call, uint32_t line) {
    if (p->token.kind == TOKEN_STRING) {
        if (!(call->list = parse_node(p, AT_NODE_STRING))) return false;
        call->list->text = p->token.text;
        return parse_advance(p);
    }
    if (is_sign(p, "{")) return (call->list = table(p)) != NULL;
    if (!is_sign(p, "(")) return parse_fail(p, "function arguments expected");
    p->brackets.parens++;
    if (!parse_advance(p)) return false;
    if (!is_sign(p, ")") && !parse_expressions(p, &call->list)) return false;
    p->brackets.parens--;
    return parse_close(p, ")", "(", line);
}

struct at_node *parse_primary(struct parser *p) {
    struct at_node *node;
    if (p->token.kind == TOKEN_NAME) {
        if (!(node = parse_node(p, AT_NODE_NAME))) return NULL;
        node->text = p->token.text;
        bind_name(p, node);
        return parse_advance(p) ? node : NULL;
    }
    if (!is_sign(p, "(")) return parse_fail(p, "unexpected symbol"), NULL;
    uint32_t line = p->token.line;
    node = parse_node(p, AT_NODE_PAREN);
    p->brackets.parens++;
    if (!node || !parse_advance(p) || !(node->a = parse_expression(p))) return NULL;
    p->brackets.parens--;
    return parse_close(p, ")", "(", line) ? parse_done(p, node) : NULL;
}

struct at_node *parse_index(struct parser *p, struct at_node *object) {
    struct at_node *node = parse_node(p, AT_NODE_INDEX);
    if (!node) return NULL;
    begin_at(node, object);
    node->a = object;
    node->is_dot = !is_sign(p, "[");
    p->brackets.squares += !node->is_dot;
    if (!parse_advance(p)) return NULL;
    node->b = node->is_dot ? name_node(p) : parse_expression(p);
    if (!node->b || (!node->is_dot && !parse_expect(p, "]"))) return NULL;
    p->brackets.squares -= !node->is_dot;
    return parse_done(p, node);
}

static struct at_node *call_node(struct parser *p, struct at_node *object) {
    struct at_node *node = parse_node(p, is_sign(p, ":") ? AT_NODE_METHOD : AT_NODE_CALL);
    if (!node) return NULL;
    begin_at(node, object);
    node->a = object;
    if (node->kind == AT_NODE_METHOD) {
        if (!parse_advance(p)) return NULL;
        if (p->token.kind != TOKEN_NAME) return parse_fail(p, "<name> expected"), NULL;
        node->text = p->token.text;
        if (!parse_advance(p)) return NULL;
    }
    return arguments(p, node, object->line) ? parse_done(p, node) : NULL;
}

struct at_node *parse_suffixed(struct parser *p) {
    struct at_node *node = parse_primary(p);
    while (node) {
        if (is_sign(p, ".") || is_sign(p, "["))
            node = parse_index(p, node);
        else if (is_sign(p, ":") || is_sign(p, "(") || is_sign(p, "{") || p->token.kind == TOKEN_STRING)
            node = call_node(p, node);
        else
            break;
    }
    return node;
}

/* ---- operators ---- */

static struct at_node *leaf(struct parser *p, enum at_node_kind kind) {
    struct at_node *node = parse_node(p, kind);
    if (!node) return NULL;
    if (kind == AT_NODE_NUMBER) node->number = p->token.number;
    if (kind == AT_NODE_STRING) node->text = p->token.text;
    return parse_advance(p) ? node : NULL;
}

static struct at_node *simple(struct parser *p) {
    if (p->token.kind == TOKEN_NUMBER) return leaf(p, AT_NODE_NUMBER);
    if (p->token.kind == TOKEN_STRING) return leaf(p, AT_NODE_STRING);
    if (is_word(p, "nil")) return leaf(p, AT_NODE_NIL);
    if (is_word(p, "true")) return leaf(p, AT_NODE_TRUE);
    if (is_word(p, "false")) return leaf(p, AT_NODE_FALSE);
    if (is_sign(p, "...")) {
        if (!p->function->is_vararg) {
            parse_fail(p, "cannot use '...' outside a vararg function");
            if (!parse_take(p)) return NULL;
        }
        return leaf(p, AT_NODE_VARARG);
    }
    if (is_sign(p, "{")) return table(p);
    if (!is_word(p, "function")) return parse_suffixed(p);
    struct at_node *node = parse_node(p, AT_NODE_FUNCTION);
    return node && parse_advance(p) ? parse_function(p, node, false) : NULL;
}

static const struct {
    const char *sign;
    int left, right;
} binaries[] = {{"or", 1, 1},   {"and", 2, 2}, {"<", 3, 3},   {">", 3, 3},   {"<=", 3, 3},  {">=", 3, 3},
                {"~=", 3, 3},   {"==", 3, 3},  {"|", 4, 4},   {"~", 5, 5},   {"&", 6, 6},   {"<<", 7, 7},
                {">>", 7, 7},   {"..", 9, 8},  {"+", 10, 10}, {"-", 10, 10}, {"*", 11, 11}, {"/", 11, 11},
                {"//", 11, 11}, {"%", 11, 11}, {"^", 14, 13}};
#define UNARY_PRIORITY 12

static int find_binary(const struct parser *p) {
    if (p->token.kind != TOKEN_SIGN && p->token.kind != TOKEN_WORD) return -1;
    for (size_t i = 0; i < AT_LENGTH(binaries); i++)
        if (at_text_is(p->token.text, binaries[i].sign)) return (int)i;
    return -1;
}

static struct at_node *operand(struct parser *p) {
    if (!is_word(p, "not") && !is_sign(p, "-") && !is_sign(p, "~") && !is_sign(p, "#")) return simple(p);
    struct at_node *node = parse_node(p, AT_NODE_UNARY);
    if (!node) return NULL;
    node->text = p->token.text;
    if (!parse_advance(p) || !(node->a = subexpression(p, UNARY_PRIORITY))) return NULL;
    return parse_done(p, node);
}

static struct at_node *subexpression(struct parser *p, int limit) {
    if (!parse_deeper(p)) return NULL;
    struct at_node *node = operand(p);
    for (int at; node && (at = find_binary(p)) >= 0 && binaries[at].left > limit;) {
        struct at_node *binary = parse_node(p, AT_NODE_BINARY);
        if (!binary) return NULL;
        binary->text = p->token.text;
        begin_at(binary, node);
        binary->a = node;
        if (!parse_advance(p) || !(binary->b = subexpression(p, binaries[at].right))) return NULL;
        node = parse_done(p, binary);
    }
    p->depth--;
    return node;
}
