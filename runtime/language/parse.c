/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements of Lua 5.4 (reference manual §3.3, §9) as a tree with positions and bindings; the walk over it.
 * It reads as lparser.c does, so that it accepts and refuses the same and says it in the same words. Nesting
 * and the height of the tree are bounded: who walks it may recurse.
 */
#include "language/parse_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- tokens and nodes ---- */

bool parse_fail(struct parser *p, const char *fmt, ...) {
    const struct token *token = &p->token;
    uint32_t length = token->to - token->from;
    const char *text = p->lexer.source.data + token->from;
    char message[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (token->kind == TOKEN_END)
        return lex_fail(&p->lexer, token->line, token->column, "%s near <eof>", message);
    if (token->kind == TOKEN_SIGN && length == 1 && (unsigned char)*text - 32u >= 95)
        return lex_fail(&p->lexer, token->line, token->column, "%s near '<\\%u>'", message,
                        (unsigned char)*text);
    return lex_fail(&p->lexer, token->line, token->column, "%s near '%.*s'", message,
                    (int)(length < 40 ? length : 40), text);
}

bool parse_advance(struct parser *p) {
    p->last_end = p->token.to;
    if (!p->has_ahead) return lex_next(&p->lexer, &p->token);
    p->token = p->ahead;
    p->has_ahead = false;
    return true;
}
bool is_sign(const struct parser *p, const char *sign) {
    return p->token.kind == TOKEN_SIGN && at_text_is(p->token.text, sign);
}
bool is_word(const struct parser *p, const char *word) {
    return p->token.kind == TOKEN_WORD && at_text_is(p->token.text, word);
}
bool parse_expect(struct parser *p, const char *text) {
    return is_sign(p, text) || is_word(p, text) ? parse_advance(p) : parse_fail(p, "'%s' expected", text);
}
bool parse_close(struct parser *p, const char *what, const char *opened, uint32_t line) {
    if (is_sign(p, what) || is_word(p, what)) return parse_advance(p);
    if (p->token.line == line) return parse_fail(p, "'%s' expected", what);
    return parse_fail(p, "'%s' expected (to close '%s' at line %u)", what, opened, line);
}
bool parse_deeper(struct parser *p) {
    if (++p->depth <= DEPTH_MAX) return true;
    return lex_fail(&p->lexer, p->token.line, p->token.column, "this is nested too deeply");
}

struct at_node *parse_node(struct parser *p, enum at_node_kind kind) {
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

static uint32_t tallest(const struct at_node *list, uint32_t height) {
    for (; list; list = list->next)
        if (list->mark > height) height = list->mark;
    return height;
}

/* While parsing, mark is the height of a node's subtree. */
struct at_node *parse_done(struct parser *p, struct at_node *node) {
    const struct at_node *const parts[] = {node->a, node->b, node->body, node->else_part};
    uint32_t height = tallest(node->list, tallest(node->list2, 0));
    for (size_t i = 0; i < AT_LENGTH(parts); i++)
        if (parts[i] && parts[i]->mark > height) height = parts[i]->mark;
    node->to = p->last_end > node->from ? p->last_end : node->from; /* an empty block ends where it begins */
    node->mark = height + 1;
    if (node->mark <= HEIGHT_MAX) return node;
    lex_fail(&p->lexer, node->line, node->column, "this is too long: write it in several steps");
    return NULL;
}
void begin_at(struct at_node *node, const struct at_node *first) {
    node->line = first->line;
    node->column = first->column;
    node->from = first->from;
}
void parse_append(struct at_node ***end, struct at_node *node) {
    **end = node;
    *end = &node->next;
}

/* ---- blocks and functions ---- */

static struct at_node *statement(struct parser *p);

static bool ends_block(const struct parser *p, bool with_until) {
    return p->token.kind == TOKEN_END || is_word(p, "end") || is_word(p, "else") || is_word(p, "elseif") ||
           (with_until && is_word(p, "until"));
}

/* The statements up to the end of the block, in the scope that is open. */
static bool statements(struct parser *p, struct at_node **out) {
    struct at_node *node = *out = parse_node(p, AT_NODE_BLOCK), **end = node ? &node->list : NULL;
    if (!node) return false;
    for (bool is_last = false; !is_last && !ends_block(p, true);) {
        if (is_sign(p, ";")) {
            if (!parse_advance(p)) return false;
            continue;
        }
        is_last = is_word(p, "return");
        struct at_node *one = statement(p);
        if (!one) return false;
        parse_append(&end, one);
    }
    return parse_done(p, node) != NULL;
}

static bool scoped_block(struct parser *p, struct at_node **out) {
    struct block_scope block;
    enter_block(p, &block);
    return statements(p, out) && leave_block(p);
}

static bool looped_block(struct parser *p, struct at_node **out) {
    p->function->loops++;
    bool is_ok = scoped_block(p, out);
    p->function->loops--;
    return is_ok;
}

static bool parameters(struct parser *p, struct at_node *function, bool is_method) {
    struct at_node **end = &function->list;
    if (is_method) {
        struct at_node *self = parse_node(p, AT_NODE_LOCAL);
        if (!self) return false;
        self->text = AT_TEXT("self");
        self->to = self->from;
        parse_append(&end, self);
        p->function->local_count++;
        if (!declare_local(p, self)) return false;
    }
    if (is_sign(p, ")")) return true;
    for (;;) {
        if (is_sign(p, "...")) {
            function->is_vararg = p->function->is_vararg = true;
            return parse_advance(p);
        }
        if (p->token.kind != TOKEN_NAME) return parse_fail(p, "<name> or '...' expected");
        struct at_node *parameter = read_local(p);
        if (!parameter || !declare_local(p, parameter)) return false;
        parse_append(&end, parameter);
        if (!is_sign(p, ",")) return true;
        if (!parse_advance(p)) return false;
    }
}

struct at_node *parse_function(struct parser *p, struct at_node *function, bool is_method) {
    struct function_scope scope;
    struct block_scope block;
    enter_function(p, &scope, &block, function);
    function->is_method = is_method;
    function->defined_line = p->token.line;
    if (!parse_expect(p, "(") || !parameters(p, function, is_method) || !parse_expect(p, ")") ||
        !statements(p, &function->body) || !parse_close(p, "end", "function", function->line))
        return NULL;
    return leave_function(p) ? parse_done(p, function) : NULL;
}

/* ---- statements ---- */

static struct at_node *if_statement(struct parser *p) {
    uint32_t line = p->token.line;
    struct at_node *first = NULL, *last = NULL;
    do { /* if and every elseif */
        struct at_node *node = parse_node(p, AT_NODE_IF);
        if (!node || !parse_advance(p) || !(node->a = parse_expression(p)) || !parse_expect(p, "then") ||
            !scoped_block(p, &node->body))
            return NULL;
        if (last)
            last->else_part = node;
        else
            first = node;
        node->list2 = last; /* for the way back; taken out below */
        last = node;
    } while (is_word(p, "elseif"));
    if (is_word(p, "else") && (!parse_advance(p) || !scoped_block(p, &last->else_part))) return NULL;
    if (!parse_close(p, "end", "if", line)) return NULL;
    while (last) {
        struct at_node *before = last->list2;
        last->list2 = NULL;
        if (!parse_done(p, last)) return NULL;
        last = before;
    }
    return first;
}

static struct at_node *while_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_WHILE);
    if (!node || !parse_advance(p) || !(node->a = parse_expression(p)) || !parse_expect(p, "do") ||
        !looped_block(p, &node->body) || !parse_close(p, "end", "while", node->line))
        return NULL;
    return parse_done(p, node);
}

static struct at_node *repeat_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_REPEAT);
    struct block_scope block;
    if (!node || !parse_advance(p)) return NULL;
    enter_block(p, &block); /* its locals are seen by the condition */
    p->function->loops++;
    bool is_ok = statements(p, &node->body);
    p->function->loops--;
    is_ok = is_ok && parse_close(p, "until", "repeat", node->line) && (node->a = parse_expression(p)) &&
            leave_block(p);
    return is_ok ? parse_done(p, node) : NULL;
}

/* The head after "for", up to "do". */
static bool for_head(struct parser *p, struct at_node *node) {
    struct at_node **end = &node->list, *local = read_local(p);
    if (!local) return false;
    parse_append(&end, local);
    if (is_sign(p, "=")) {
        struct at_node **values = &node->list2;
        if (!declare_hidden(p, 3)) return false;
        for (int i = 0; i == 0 || i == 1 || (i == 2 && is_sign(p, ",")); i++) {
            if (!parse_expect(p, i ? "," : "=")) return false;
            struct at_node *value = parse_expression(p);
            if (!value) return false;
            parse_append(&values, value);
        }
        return true;
    }
    node->kind = AT_NODE_FOR_IN;
    if (!is_sign(p, ",") && !is_word(p, "in")) return parse_fail(p, "'=' or 'in' expected");
    if (!declare_hidden(p, 4)) return false;
    while (is_sign(p, ",")) {
        if (!parse_advance(p) || !(local = read_local(p))) return false;
        parse_append(&end, local);
    }
    return parse_expect(p, "in") && parse_expressions(p, &node->list2);
}

static struct at_node *for_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_FOR_NUMBER);
    struct block_scope outer, inner;
    if (!node || !parse_advance(p)) return NULL;
    enter_block(p, &outer);
    if (!for_head(p, node) || !parse_expect(p, "do")) return NULL;
    enter_block(p, &inner);
    for (struct at_node *local = node->list; local; local = local->next)
        if (!declare_local(p, local)) return NULL;
    if (!looped_block(p, &node->body) || !leave_block(p)) return NULL;
    return parse_close(p, "end", "for", node->line) && leave_block(p) ? parse_done(p, node) : NULL;
}

static bool is_constant(const struct at_node *target) {
    return target->kind == AT_NODE_NAME && target->binding && target->binding->text2.length;
}

static bool refuse_constant(struct parser *p, const struct at_node *target) {
    return lex_fail(&p->lexer, target->line, target->column, "attempt to assign to const variable '%.*s'",
                    (int)(target->text.length < 100 ? target->text.length : 100), target->text.data);
}

/* What is assigned again stands for no one function. */
static void forget_value(const struct at_node *target) {
    if (target->kind == AT_NODE_NAME && target->binding) target->binding->value = NULL;
}

static struct at_node *function_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_FUNCTION_STATEMENT),
                   *function = node ? parse_node(p, AT_NODE_FUNCTION) : NULL;
    bool is_method = false;
    if (!function || !parse_advance(p)) return NULL;
    if (p->token.kind != TOKEN_NAME) return parse_fail(p, "<name> expected"), NULL;
    node->a = parse_primary(p);
    while (node->a && !is_method && (is_sign(p, ".") || is_sign(p, ":"))) {
        is_method = is_sign(p, ":");
        node->a = parse_index(p, node->a); /* a:b is a.b with self */
    }
    if (!node->a || !(node->b = parse_function(p, function, is_method))) return NULL;
    if (is_constant(node->a)) return refuse_constant(p, node->a), NULL;
    function->defined_line = node->line;
    forget_value(node->a);
    return parse_done(p, node);
}

static struct at_node *local_function(struct parser *p, struct at_node *node) {
    struct at_node *function = parse_node(p, AT_NODE_FUNCTION);
    node->kind = AT_NODE_FUNCTION_STATEMENT;
    node->is_local = true;
    if (!function || !parse_advance(p)) return NULL;
    if (!(node->a = parse_node(p, AT_NODE_NAME)) || !(node->list = read_local(p))) return NULL;
    if (!declare_local(p, node->list)) return NULL;
    node->a->text = node->list->text;
    bind_name(p, node->a);
    node->list->value = function; /* before its body, which may assign to it */
    node->b = parse_function(p, function, false);
    return node->b ? parse_done(p, node) : NULL;
}

static bool attribute(struct parser *p, struct at_node *local, int *closes) {
    if (!is_sign(p, "<")) return true;
    if (!parse_advance(p)) return false;
    if (p->token.kind != TOKEN_NAME) return parse_fail(p, "<name> expected");
    struct token name = p->token;
    local->text2 = name.text;
    if (!parse_advance(p) || !parse_expect(p, ">")) return false;
    if (at_text_is(name.text, "const")) return true;
    if (!at_text_is(name.text, "close"))
        return lex_fail(&p->lexer, name.line, name.column, "unknown attribute '%.*s'",
                        (int)(name.text.length < 60 ? name.text.length : 60), name.text.data);
    if ((*closes)++ == 0) return true;
    return lex_fail(&p->lexer, name.line, name.column, "multiple to-be-closed variables in local list");
}

static struct at_node *local_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_LOCALS), **end = node ? &node->list : NULL;
    int closes = 0;
    if (!node || !parse_advance(p)) return NULL;
    if (is_word(p, "function")) return local_function(p, node);
    do {
        if (node->list && !parse_advance(p)) return NULL;
        struct at_node *local = read_local(p);
        if (!local || !attribute(p, local, &closes)) return NULL;
        parse_append(&end, local);
    } while (is_sign(p, ","));
    if (is_sign(p, "=") && (!parse_advance(p) || !parse_expressions(p, &node->list2))) return NULL;
    struct at_node *value = node->list2;
    for (struct at_node *local = node->list; local; local = local->next) {
        if (!declare_local(p, local)) return NULL;
        if (value && value->kind == AT_NODE_FUNCTION) local->value = value;
        value = value ? value->next : NULL;
    }
    return parse_done(p, node);
}

static struct at_node *return_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_RETURN);
    if (!node || !parse_advance(p)) return NULL;
    if (!ends_block(p, true) && !is_sign(p, ";") && !parse_expressions(p, &node->list)) return NULL;
    if (is_sign(p, ";") && !parse_advance(p)) return NULL;
    return parse_done(p, node);
}

static bool is_assignable(struct parser *p, const struct at_node *target) {
    if (target->kind != AT_NODE_INDEX && target->kind != AT_NODE_NAME) return parse_fail(p, "syntax error");
    forget_value(target);
    return is_constant(target) ? refuse_constant(p, target) : true;
}

static struct at_node *assignment(struct parser *p, struct at_node *target) {
    struct at_node *node = parse_node(p, AT_NODE_ASSIGN), **end = node ? &node->list : NULL;
    int depth = p->depth;
    if (!node || !is_assignable(p, target)) return NULL;
    begin_at(node, target);
    parse_append(&end, target);
    while (is_sign(p, ",")) {
        if (!parse_advance(p) || !(target = parse_suffixed(p)) || !is_assignable(p, target) ||
            !parse_deeper(p))
            return NULL;
        parse_append(&end, target);
    }
    p->depth = depth;
    return parse_expect(p, "=") && parse_expressions(p, &node->list2) ? parse_done(p, node) : NULL;
}

static struct at_node *expression_statement(struct parser *p) {
    struct at_node *first = parse_suffixed(p);
    if (!first) return NULL;
    if (is_sign(p, "=") || is_sign(p, ",")) return assignment(p, first);
    if (first->kind != AT_NODE_CALL && first->kind != AT_NODE_METHOD)
        return parse_fail(p, "syntax error"), NULL;
    struct at_node *node = parse_node(p, AT_NODE_EXPRESSION_STATEMENT);
    if (!node) return NULL;
    begin_at(node, first);
    node->a = first;
    return parse_done(p, node);
}

static struct at_node *label_or_goto(struct parser *p) {
    bool is_label = is_sign(p, "::");
    struct at_node *node = parse_node(p, is_label ? AT_NODE_LABEL : AT_NODE_GOTO);
    if (!node || !parse_advance(p)) return NULL;
    if (p->token.kind != TOKEN_NAME) return parse_fail(p, "<name> expected"), NULL;
    node->text = p->token.text;
    if (!parse_advance(p)) return NULL;
    if (!is_label) return add_goto(p, node) ? parse_done(p, node) : NULL;
    if (!parse_expect(p, "::") || !parse_done(p, node)) return NULL;
    struct at_node *after = node; /* what does nothing and follows belongs to the label, as Lua reads it */
    while (is_sign(p, ";") || is_sign(p, "::")) {
        if (is_sign(p, ";") ? !parse_advance(p) : !(after->next = statement(p))) return NULL;
        while (after->next) after = after->next;
    }
    return add_label(p, node, ends_block(p, false)) ? node : NULL;
}

static struct at_node *break_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_BREAK);
    if (!node) return NULL;
    if (!p->function->loops) {
        lex_fail(&p->lexer, node->line, node->column, "break outside loop at line %u", node->line);
        return NULL;
    }
    return parse_advance(p) ? parse_done(p, node) : NULL;
}

static struct at_node *do_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_DO);
    if (!node || !parse_advance(p) || !scoped_block(p, &node->body) ||
        !parse_close(p, "end", "do", node->line))
        return NULL;
    return parse_done(p, node);
}

static struct at_node *one_statement(struct parser *p) {
    static const struct {
        const char *word;
        struct at_node *(*read)(struct parser *p);
    } kinds[] = {{"if", if_statement},         {"while", while_statement},       {"repeat", repeat_statement},
                 {"for", for_statement},       {"function", function_statement}, {"local", local_statement},
                 {"return", return_statement}, {"goto", label_or_goto},          {"do", do_statement},
                 {"break", break_statement}};
    for (size_t i = 0; i < AT_LENGTH(kinds); i++)
        if (is_word(p, kinds[i].word)) return kinds[i].read(p);
    return is_sign(p, "::") ? label_or_goto(p) : expression_statement(p);
}

static struct at_node *statement(struct parser *p) {
    if (!parse_deeper(p)) return NULL;
    struct at_node *node = one_statement(p);
    p->depth--;
    return node;
}

/* ---- the file ---- */

/* A byte order mark and a first line "#!…" are no Lua. */
static void skip_head(struct lexer *lexer) {
    struct at_text text = lexer->source;
    if (text.length >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0) lexer->at = lexer->line_start = 3;
    if (lexer->at >= text.length || text.data[lexer->at] != '#') return;
    while (lexer->at < text.length && text.data[lexer->at] != '\n') lexer->at++;
}

enum at_status at_parse(struct at_arena *arena, struct at_text source, struct at_node **block_out,
                        uint32_t *line, uint32_t *column, struct at_error *err) {
    struct parser p = {.lexer = {.arena = arena, .source = source, .line = 1, .err = err}};
    struct function_scope scope;
    struct block_scope block;
    *block_out = NULL;
    if (source.length > UINT32_MAX / 2) return at_fail(err, AT_INVALID, "syntax", "the file is too large");
    skip_head(&p.lexer);
    enter_function(&p, &scope, &block, NULL);
    scope.is_vararg = true;
    bool is_ok = parse_advance(&p) && statements(&p, block_out);
    if (is_ok && p.token.kind != TOKEN_END) is_ok = parse_fail(&p, "<eof> expected");
    if (is_ok && leave_function(&p)) return AT_OK;
    *block_out = NULL;
    if (line) *line = p.lexer.bad_line ? p.lexer.bad_line : 1;
    if (column) *column = p.lexer.bad_column ? p.lexer.bad_column : 1;
    return p.lexer.status == AT_OK ? AT_NOMEM : p.lexer.status;
}

void at_node_walk(struct at_node *node, bool (*fn)(void *arg, struct at_node *node), void *arg) {
    if (!node || !fn(arg, node)) return;
    at_node_walk(node->a, fn, arg);
    at_node_walk(node->b, fn, arg);
    for (struct at_node *child = node->list; child; child = child->next) at_node_walk(child, fn, arg);
    for (struct at_node *child = node->list2; child; child = child->next) at_node_walk(child, fn, arg);
    at_node_walk(node->body, fn, arg);
    at_node_walk(node->else_part, fn, arg);
}
