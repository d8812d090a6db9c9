/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua 5.4's grammar (reference manual §9) as a tree with positions and bindings. Nesting is bounded.
 */
#include "language/parse.h"

#include <stdio.h>
#include <string.h>
#include "language/lex.h"

#define DEPTH_MAX 190 /* as LUAI_MAXCCALLS leaves for nesting */

struct scope {
    struct at_node *local; /* AT_NODE_LOCAL */
    struct scope *outer;
};
struct parser {
    struct lexer lexer;
    struct token token, ahead;
    bool has_ahead;
    struct scope *scope;
    struct at_node *function; /* the one being read; NULL: the file */
    bool is_vararg;
    uint32_t last_end; /* where the last token ended */
    int depth, loops;
};

static bool fail(struct parser *p, const char *fmt, const char *word) {
    char near[64];
    const struct token *token = &p->token;
    if (token->kind == TOKEN_END)
        snprintf(near, sizeof near, "<eof>");
    else
        snprintf(near, sizeof near, "%.*s",
                 (int)(token->to - token->from < 40 ? token->to - token->from : 40),
                 p->lexer.source.data + token->from);
    char message[200];
    snprintf(message, sizeof message, "%s%s", word, fmt);
    return lex_fail(&p->lexer, token->line, token->column, "%s near '%s'", message, near);
}

static bool advance(struct parser *p) {
    p->last_end = p->token.to;
    if (p->has_ahead) {
        p->token = p->ahead;
        p->has_ahead = false;
        return true;
    }
    return lex_next(&p->lexer, &p->token);
}
static bool look_ahead(struct parser *p) {
    p->has_ahead = lex_next(&p->lexer, &p->ahead);
    return p->has_ahead;
}
static bool is_sign(const struct parser *p, const char *sign) {
    return p->token.kind == TOKEN_SIGN && at_text_is(p->token.text, sign);
}
static bool is_word(const struct parser *p, const char *word) {
    return p->token.kind == TOKEN_WORD && at_text_is(p->token.text, word);
}

static bool expect(struct parser *p, const char *text) {
    char message[40];
    if (is_sign(p, text) || is_word(p, text)) return advance(p);
    snprintf(message, sizeof message, "'%s'", text);
    return fail(p, " expected", message);
}
static bool expect_close(struct parser *p, const char *what, const char *opened, uint32_t line) {
    if (is_sign(p, what) || is_word(p, what)) return advance(p);
    char message[100];
    if (p->token.line == line)
        snprintf(message, sizeof message, "'%s' expected", what);
    else
        snprintf(message, sizeof message, "'%s' expected (to close '%s' at line %u)", what, opened, line);
    return fail(p, "", message);
}

static struct at_node *node_new(struct parser *p, enum at_node_kind kind) {
    struct at_node *node = at_arena_zalloc(p->lexer.arena, sizeof *node);
    if (!node) {
        p->lexer.status = AT_NOMEM;
        return NULL;
    }
    node->kind = kind;
    node->line = p->token.line;
    node->column = p->token.column;
    node->from = p->token.from;
    node->to = p->token.to;
    return node;
}
static void begin_at(struct at_node *node, const struct at_node *first) {
    node->line = first->line;
    node->column = first->column;
    node->from = first->from;
}
static void append(struct at_node ***end, struct at_node *node) {
    **end = node;
    *end = &node->next;
}

static bool deeper(struct parser *p) {
    if (++p->depth <= DEPTH_MAX) return true;
    return lex_fail(&p->lexer, p->token.line, p->token.column, "nested too deeply");
}

/* ---- names ---- */

static bool declare(struct parser *p, struct at_node *local) {
    struct scope *scope = at_arena_alloc(p->lexer.arena, sizeof *scope);
    if (!scope) {
        p->lexer.status = AT_NOMEM;
        return false;
    }
    local->function = p->function;
    *scope = (struct scope){local, p->scope};
    p->scope = scope;
    return true;
}

static struct at_node *read_local(struct parser *p) {
    if (p->token.kind != TOKEN_NAME) {
        fail(p, " expected", "<name>");
        return NULL;
    }
    struct at_node *local = node_new(p, AT_NODE_LOCAL);
    if (!local) return NULL;
    local->text = p->token.text;
    return advance(p) ? local : NULL;
}

static void bind(struct parser *p, struct at_node *name) {
    name->function = p->function;
    for (struct scope *scope = p->scope; scope && !name->binding; scope = scope->outer)
        if (at_text_equal(scope->local->text, name->text)) name->binding = scope->local;
}

/* ---- expressions ---- */

static struct at_node *expression(struct parser *p, int limit);
static bool block(struct parser *p, struct at_node **out);
static struct at_node *function_body(struct parser *p, struct at_node *function, bool is_method);

static bool expression_list(struct parser *p, struct at_node **first) {
    struct at_node **end = first;
    do {
        if (*first && !advance(p)) return false;
        struct at_node *node = expression(p, 0);
        if (!node) return false;
        append(&end, node);
    } while (is_sign(p, ","));
    return true;
}

static struct at_node *table(struct parser *p) {
    struct at_node *node = node_new(p, AT_NODE_TABLE), **end = node ? &node->list : NULL;
    uint32_t line = p->token.line;
    if (!node || !deeper(p) || !advance(p)) return NULL;
    while (!is_sign(p, "}")) {
        struct at_node *field = node_new(p, AT_NODE_FIELD);
        if (!field) return NULL;
        bool is_named = false;
        if (p->token.kind == TOKEN_NAME) {
            if (!look_ahead(p)) return NULL;
            is_named = p->ahead.kind == TOKEN_SIGN && at_text_is(p->ahead.text, "=");
        }
        if (is_named) {
            field->a = node_new(p, AT_NODE_STRING);
            if (!field->a) return NULL;
            field->a->text = p->token.text;
            field->is_dot = true;
            if (!advance(p) || !advance(p)) return NULL;
        } else if (is_sign(p, "[")) {
            if (!advance(p) || !(field->a = expression(p, 0)) || !expect(p, "]") || !expect(p, "="))
                return NULL;
        }
        if (!(field->b = expression(p, 0))) return NULL;
        field->to = p->last_end;
        append(&end, field);
        if (!is_sign(p, ",") && !is_sign(p, ";")) break;
        if (!advance(p)) return NULL;
    }
    if (!expect_close(p, "}", "{", line)) return NULL;
    node->to = p->last_end;
    p->depth--;
    return node;
}

static bool arguments(struct parser *p, struct at_node *call) {
    if (p->token.kind == TOKEN_STRING) {
        struct at_node *text = node_new(p, AT_NODE_STRING);
        if (!text) return false;
        text->text = p->token.text;
        call->list = text;
        return advance(p);
    }
    if (is_sign(p, "{")) return (call->list = table(p)) != NULL;
    if (!is_sign(p, "(")) return fail(p, " expected", "function arguments");
    uint32_t line = p->token.line;
    if (!advance(p)) return false;
    if (!is_sign(p, ")") && !expression_list(p, &call->list)) return false;
    return expect_close(p, ")", "(", line);
}

static struct at_node *primary(struct parser *p) {
    struct at_node *node;
    if (p->token.kind == TOKEN_NAME) {
        if (!(node = node_new(p, AT_NODE_NAME))) return NULL;
        node->text = p->token.text;
        bind(p, node);
        return advance(p) ? node : NULL;
    }
    if (!is_sign(p, "(")) {
        fail(p, "", "unexpected symbol");
        return NULL;
    }
    uint32_t line = p->token.line;
    node = node_new(p, AT_NODE_PAREN);
    if (!node || !advance(p) || !(node->a = expression(p, 0)) || !expect_close(p, ")", "(", line))
        return NULL;
    node->to = p->last_end;
    return node;
}

static struct at_node *index_node(struct parser *p, struct at_node *object) {
    struct at_node *node = node_new(p, AT_NODE_INDEX);
    bool is_dot = is_sign(p, ".");
    if (!node || !advance(p)) return NULL;
    begin_at(node, object);
    node->a = object;
    node->is_dot = is_dot;
    if (!is_dot) {
        if (!(node->b = expression(p, 0)) || !expect(p, "]")) return NULL;
    } else {
        if (p->token.kind != TOKEN_NAME) {
            fail(p, " expected", "<name>");
            return NULL;
        }
        if (!(node->b = node_new(p, AT_NODE_STRING))) return NULL;
        node->b->text = p->token.text;
        if (!advance(p)) return NULL;
    }
    node->to = p->last_end;
    return node;
}

static struct at_node *suffixed(struct parser *p) {
    if (!deeper(p)) return NULL;
    struct at_node *node = primary(p);
    while (node) {
        struct at_node *next = NULL;
        if (is_sign(p, ".") || is_sign(p, "["))
            next = index_node(p, node);
        else if (is_sign(p, ":")) {
            next = node_new(p, AT_NODE_METHOD);
            if (!next || !advance(p)) return NULL;
            if (p->token.kind != TOKEN_NAME) {
                fail(p, " expected", "<name>");
                return NULL;
            }
            next->line = p->token.line;
            next->text = p->token.text;
            next->a = node;
            if (!advance(p) || !arguments(p, next)) return NULL;
        } else if (is_sign(p, "(") || is_sign(p, "{") || p->token.kind == TOKEN_STRING) {
            next = node_new(p, AT_NODE_CALL);
            if (!next) return NULL;
            next->a = node;
            if (!arguments(p, next)) return NULL;
        } else
            break;
        if (next) {
            uint32_t line = next->line;
            begin_at(next, node);
            if (next->kind != AT_NODE_INDEX) next->line = node->line ? node->line : line;
            next->to = p->last_end;
        }
        node = next;
    }
    p->depth--;
    return node;
}

static struct at_node *simple(struct parser *p) {
    static const struct {
        const char *word;
        enum at_node_kind kind;
    } constants[] = {{"nil", AT_NODE_NIL}, {"true", AT_NODE_TRUE}, {"false", AT_NODE_FALSE}};
    struct at_node *node = NULL;
    if (p->token.kind == TOKEN_NUMBER) {
        if ((node = node_new(p, AT_NODE_NUMBER))) node->number = p->token.number;
    } else if (p->token.kind == TOKEN_STRING) {
        if ((node = node_new(p, AT_NODE_STRING))) node->text = p->token.text;
    } else if (is_sign(p, "...")) {
        if (!p->is_vararg) {
            fail(p, "", "cannot use '...' outside a vararg function");
            return NULL;
        }
        node = node_new(p, AT_NODE_VARARG);
    } else if (is_sign(p, "{"))
        return table(p);
    else if (is_word(p, "function")) {
        node = node_new(p, AT_NODE_FUNCTION);
        return node && advance(p) ? function_body(p, node, false) : NULL;
    } else {
        for (size_t i = 0; i < AT_LENGTH(constants) && !node; i++)
            if (is_word(p, constants[i].word) && !(node = node_new(p, constants[i].kind))) return NULL;
        if (!node) return suffixed(p);
    }
    return node && advance(p) ? node : NULL;
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

static struct at_node *expression(struct parser *p, int limit) {
    struct at_node *node;
    if (!deeper(p)) return NULL;
    if (is_word(p, "not") || is_sign(p, "-") || is_sign(p, "~") || is_sign(p, "#")) {
        node = node_new(p, AT_NODE_UNARY);
        if (!node) return NULL;
        node->text = p->token.text;
        if (!advance(p) || !(node->a = expression(p, UNARY_PRIORITY))) return NULL;
        node->to = p->last_end;
    } else if (!(node = simple(p)))
        return NULL;
    for (int at; (at = find_binary(p)) >= 0 && binaries[at].left > limit;) {
        struct at_node *binary = node_new(p, AT_NODE_BINARY);
        if (!binary) return NULL;
        binary->text = p->token.text;
        begin_at(binary, node);
        binary->a = node;
        if (!advance(p) || !(binary->b = expression(p, binaries[at].right))) return NULL;
        binary->to = p->last_end;
        node = binary;
    }
    p->depth--;
    return node;
}

static struct at_node *function_body(struct parser *p, struct at_node *function, bool is_method) {
    struct at_node *outer = p->function, **end = &function->list;
    struct scope *scope = p->scope;
    bool was_vararg = p->is_vararg;
    int loops = p->loops;
    uint32_t line = function->line;
    p->function = function;
    p->is_vararg = false;
    p->loops = 0;
    function->is_method = is_method;
    if (!expect(p, "(")) return NULL;
    if (is_method) {
        struct at_node *self = node_new(p, AT_NODE_LOCAL);
        if (!self) return NULL;
        self->text = AT_TEXT("self");
        append(&end, self);
        if (!declare(p, self)) return NULL;
    }
    while (!is_sign(p, ")")) {
        if (is_sign(p, "...")) {
            function->is_vararg = p->is_vararg = true;
            if (!advance(p)) return NULL;
            break;
        }
        struct at_node *parameter = read_local(p);
        if (!parameter || !declare(p, parameter)) return NULL;
        append(&end, parameter);
        if (!is_sign(p, ",")) break;
        if (!advance(p)) return NULL;
        if (is_sign(p, ")")) return fail(p, " expected", "<name>"), NULL;
    }
    if (!expect(p, ")") || !block(p, &function->body) || !expect_close(p, "end", "function", line))
        return NULL;
    function->to = p->last_end;
    p->function = outer;
    p->scope = scope;
    p->is_vararg = was_vararg;
    p->loops = loops;
    return function;
}

/* ---- statements ---- */

static bool scoped_block(struct parser *p, struct at_node **out) {
    struct scope *scope = p->scope;
    bool is_ok = block(p, out);
    p->scope = scope;
    return is_ok;
}

static struct at_node *if_statement(struct parser *p, uint32_t line) {
    struct at_node *node = node_new(p, AT_NODE_IF);
    if (!node || !deeper(p) || !advance(p) || !(node->a = expression(p, 0)) || !expect(p, "then") ||
        !scoped_block(p, &node->body))
        return NULL;
    if (is_word(p, "elseif")) {
        if (!(node->else_part = if_statement(p, line))) return NULL;
    } else {
        if (is_word(p, "else") && (!advance(p) || !scoped_block(p, &node->else_part))) return NULL;
        if (!expect_close(p, "end", "if", line)) return NULL;
    }
    node->to = p->last_end;
    p->depth--;
    return node;
}

static struct at_node *while_statement(struct parser *p) {
    struct at_node *node = node_new(p, AT_NODE_WHILE);
    if (!node || !advance(p) || !(node->a = expression(p, 0)) || !expect(p, "do")) return NULL;
    p->loops++;
    bool is_ok = scoped_block(p, &node->body);
    p->loops--;
    return is_ok && expect_close(p, "end", "while", node->line) ? node : NULL;
}

static struct at_node *repeat_statement(struct parser *p) {
    struct at_node *node = node_new(p, AT_NODE_REPEAT);
    struct scope *scope = p->scope;
    if (!node || !advance(p)) return NULL;
    p->loops++;
    bool is_ok = block(p, &node->body); /* its locals are seen by the condition */
    p->loops--;
    is_ok = is_ok && expect_close(p, "until", "repeat", node->line) && (node->a = expression(p, 0));
    p->scope = scope;
    return is_ok ? node : NULL;
}

static struct at_node *for_statement(struct parser *p) {
    struct at_node *node = node_new(p, AT_NODE_FOR_NUMBER), **end = node ? &node->list : NULL;
    struct scope *scope = p->scope;
    if (!node || !advance(p)) return NULL;
    struct at_node *local = read_local(p);
    if (!local) return NULL;
    append(&end, local);
    if (is_sign(p, "=")) {
        if (!advance(p) || !expression_list(p, &node->list2)) return NULL;
        int count = 0;
        for (struct at_node *value = node->list2; value; value = value->next) count++;
        if (count < 2) return fail(p, " expected", "','"), NULL;
        if (count > 3) return fail(p, " expected", "'do'"), NULL;
    } else {
        node->kind = AT_NODE_FOR_IN;
        while (is_sign(p, ",")) {
            if (!advance(p) || !(local = read_local(p))) return NULL;
            append(&end, local);
        }
        if (!is_word(p, "in")) return fail(p, " expected", "'=' or 'in'"), NULL;
        if (!advance(p) || !expression_list(p, &node->list2)) return NULL;
    }
    if (!expect(p, "do")) return NULL;
    for (local = node->list; local; local = local->next)
        if (!declare(p, local)) return NULL;
    p->loops++;
    bool is_ok = block(p, &node->body);
    p->loops--;
    p->scope = scope;
    return is_ok && expect_close(p, "end", "for", node->line) ? node : NULL;
}

static struct at_node *function_statement(struct parser *p) {
    struct at_node *node = node_new(p, AT_NODE_FUNCTION_STATEMENT);
    struct token word = p->token;
    if (!node || !advance(p)) return NULL;
    if (p->token.kind != TOKEN_NAME) return fail(p, " expected", "<name>"), NULL;
    bool is_method = false;
    if (!(node->a = primary(p))) return NULL;
    while (is_sign(p, ".") || is_sign(p, ":")) {
        is_method = is_sign(p, ":");
        if (is_method) { /* a:b is a.b with self */
            struct at_node *index = node_new(p, AT_NODE_INDEX);
            if (!index || !advance(p)) return NULL;
            begin_at(index, node->a);
            index->a = node->a;
            index->is_dot = true;
            if (p->token.kind != TOKEN_NAME) return fail(p, " expected", "<name>"), NULL;
            if (!(index->b = node_new(p, AT_NODE_STRING))) return NULL;
            index->b->text = p->token.text;
            if (!advance(p)) return NULL;
            index->to = p->last_end;
            node->a = index;
            break;
        }
        if (!(node->a = index_node(p, node->a))) return NULL;
    }
    struct at_node *function = node_new(p, AT_NODE_FUNCTION);
    if (!function) return NULL;
    function->line = word.line;
    function->column = word.column;
    function->from = word.from;
    node->b = function_body(p, function, is_method);
    return node->b ? node : NULL;
}

static struct at_node *local_function(struct parser *p, struct at_node *node) {
    struct token word = p->token;
    node->kind = AT_NODE_FUNCTION_STATEMENT;
    node->is_local = true;
    if (!advance(p)) return NULL;
    struct at_node *local = read_local(p);
    if (!local || !declare(p, local)) return NULL;
    node->a = at_arena_zalloc(p->lexer.arena, sizeof *node->a);
    struct at_node *function = node->a ? node_new(p, AT_NODE_FUNCTION) : NULL;
    if (!function) {
        p->lexer.status = AT_NOMEM;
        return NULL;
    }
    *node->a = *local;
    node->a->kind = AT_NODE_NAME;
    node->a->binding = local;
    node->a->next = NULL;
    function->line = word.line;
    function->column = word.column;
    function->from = word.from;
    node->b = function_body(p, function, false);
    return node->b ? node : NULL;
}

static struct at_node *local_statement(struct parser *p) {
    struct at_node *node = node_new(p, AT_NODE_LOCALS), **end = node ? &node->list : NULL;
    if (!node || !advance(p)) return NULL;
    if (is_word(p, "function")) return local_function(p, node);
    int closes = 0;
    do {
        if (node->list && !advance(p)) return NULL;
        struct at_node *local = read_local(p);
        if (!local) return NULL;
        append(&end, local);
        if (!is_sign(p, "<")) continue;
        if (!advance(p)) return NULL;
        local->text2 = p->token.text;
        bool is_close = at_text_is(p->token.text, "close");
        if (p->token.kind != TOKEN_NAME || (!at_text_is(p->token.text, "const") && !is_close)) {
            lex_fail(&p->lexer, p->token.line, p->token.column, "unknown attribute '%.*s'",
                     (int)(p->token.text.length < 40 ? p->token.text.length : 40), p->token.text.data);
            return NULL;
        }
        if (is_close && closes++)
            return lex_fail(&p->lexer, p->token.line, p->token.column,
                            "multiple to-be-closed variables in local list"),
                   NULL;
        if (!advance(p) || !expect(p, ">")) return NULL;
    } while (is_sign(p, ","));
    if (is_sign(p, "=") && (!advance(p) || !expression_list(p, &node->list2))) return NULL;
    for (struct at_node *local = node->list; local; local = local->next)
        if (!declare(p, local)) return NULL;
    node->to = p->last_end;
    return node;
}

static struct at_node *return_statement(struct parser *p) {
    struct at_node *node = node_new(p, AT_NODE_RETURN);
    if (!node || !advance(p)) return NULL;
    bool is_end = p->token.kind == TOKEN_END || is_word(p, "end") || is_word(p, "else") ||
                  is_word(p, "elseif") || is_word(p, "until") || is_sign(p, ";");
    if (!is_end && !expression_list(p, &node->list)) return NULL;
    node->to = p->last_end;
    if (is_sign(p, ";") && !advance(p)) return NULL;
    return node;
}

static bool is_assignable(struct parser *p, const struct at_node *target) {
    if (target->kind == AT_NODE_INDEX) return true;
    if (target->kind != AT_NODE_NAME) return fail(p, "", "syntax error");
    if (!target->binding || !target->binding->text2.length) return true;
    return lex_fail(&p->lexer, target->line, target->column, "attempt to assign to const variable '%.*s'",
                    (int)target->text.length, target->text.data);
}

static struct at_node *expression_statement(struct parser *p) {
    struct at_node *first = suffixed(p);
    if (!first) return NULL;
    if (!is_sign(p, "=") && !is_sign(p, ",")) {
        if (first->kind != AT_NODE_CALL && first->kind != AT_NODE_METHOD)
            return fail(p, "", "syntax error"), NULL;
        struct at_node *node = node_new(p, AT_NODE_EXPRESSION_STATEMENT);
        if (!node) return NULL;
        begin_at(node, first);
        node->a = first;
        node->to = first->to;
        return node;
    }
    struct at_node *node = node_new(p, AT_NODE_ASSIGN), **end = node ? &node->list : NULL;
    if (!node || !is_assignable(p, first)) return NULL;
    begin_at(node, first);
    append(&end, first);
    while (is_sign(p, ",")) {
        if (!advance(p)) return NULL;
        struct at_node *target = suffixed(p);
        if (!target || !is_assignable(p, target)) return NULL;
        append(&end, target);
    }
    if (!expect(p, "=") || !expression_list(p, &node->list2)) return NULL;
    node->to = p->last_end;
    return node;
}

static struct at_node *label_or_goto(struct parser *p) {
    bool is_label = is_sign(p, "::");
    struct at_node *node = node_new(p, is_label ? AT_NODE_LABEL : AT_NODE_GOTO);
    if (!node || !advance(p)) return NULL;
    if (p->token.kind != TOKEN_NAME) return fail(p, " expected", "<name>"), NULL;
    node->text = p->token.text;
    if (!advance(p) || (is_label && !expect(p, "::"))) return NULL;
    return node;
}

static struct at_node *statement(struct parser *p) {
    struct at_node *node;
    if (is_word(p, "if")) return if_statement(p, p->token.line);
    if (is_word(p, "while")) return while_statement(p);
    if (is_word(p, "repeat")) return repeat_statement(p);
    if (is_word(p, "for")) return for_statement(p);
    if (is_word(p, "function")) return function_statement(p);
    if (is_word(p, "local")) return local_statement(p);
    if (is_word(p, "return")) return return_statement(p);
    if (is_word(p, "goto") || is_sign(p, "::")) return label_or_goto(p);
    if (is_word(p, "do")) {
        node = node_new(p, AT_NODE_DO);
        return node && advance(p) && scoped_block(p, &node->body) && expect_close(p, "end", "do", node->line)
                   ? node
                   : NULL;
    }
    if (is_word(p, "break")) {
        if (!p->loops)
            return lex_fail(&p->lexer, p->token.line, p->token.column, "break outside a loop at line %u",
                            p->token.line),
                   NULL;
        node = node_new(p, AT_NODE_BREAK);
        return node && advance(p) ? node : NULL;
    }
    return expression_statement(p);
}

static bool block(struct parser *p, struct at_node **out) {
    struct at_node *node = *out = node_new(p, AT_NODE_BLOCK), **end = node ? &node->list : NULL;
    if (!node || !deeper(p)) return false;
    for (;;) {
        while (is_sign(p, ";"))
            if (!advance(p)) return false;
        if (p->token.kind == TOKEN_END || is_word(p, "end") || is_word(p, "else") || is_word(p, "elseif") ||
            is_word(p, "until"))
            break;
        bool is_last = is_word(p, "return");
        struct at_node *one = statement(p);
        if (!one) return false;
        if (one->to < p->last_end && one->kind != AT_NODE_RETURN) one->to = p->last_end;
        append(&end, one);
        if (is_last) break;
    }
    node->to = p->last_end;
    p->depth--;
    return true;
}

enum at_status at_parse(struct at_arena *arena, struct at_text source, struct at_node **block_out,
                        uint32_t *line, uint32_t *column, struct at_error *err) {
    struct parser parser = {.lexer = {.arena = arena, .source = source, .line = 1, .err = err},
                            .is_vararg = true};
    *block_out = NULL;
    bool is_ok = advance(&parser) && block(&parser, block_out);
    if (is_ok && parser.token.kind != TOKEN_END) is_ok = fail(&parser, " expected", "'<eof>'");
    if (is_ok) return AT_OK;
    *block_out = NULL;
    if (line) *line = parser.lexer.bad_line ? parser.lexer.bad_line : parser.token.line;
    if (column) *column = parser.lexer.bad_column ? parser.lexer.bad_column : parser.token.column;
    return parser.lexer.status == AT_OK ? AT_NOMEM : parser.lexer.status;
}

void at_node_walk(struct at_node *node, bool (*fn)(void *arg, struct at_node *node), void *arg) {
    if (!node || !fn(arg, node)) return;
    struct at_node *const parts[] = {node->a, node->b};
    for (size_t i = 0; i < AT_LENGTH(parts); i++) at_node_walk(parts[i], fn, arg);
    for (struct at_node *child = node->list; child; child = child->next) at_node_walk(child, fn, arg);
    for (struct at_node *child = node->list2; child; child = child->next) at_node_walk(child, fn, arg);
    at_node_walk(node->body, fn, arg);
    at_node_walk(node->else_part, fn, arg);
}
