/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements of Lua 5.4 (reference manual §3.3, §9) as a tree with positions and bindings; the walk over it.
 * It reads as lparser.c does, so that it accepts and refuses the same and says it in the same words. A
 * statement that fails is caught by the block it stands in. Nesting and the height of the tree are bounded:
 * who walks it may recurse.
 */
#include "language/parse_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- blocks and functions ---- */

static struct at_node *statement(struct parser *p);

/* The columns a block is known by, as its statements show them. */
static void see_indent(const struct parser *p, struct block_place *place, bool is_first) {
    if (!p->token.is_first || place->indent || (!is_first && p->token.column <= place->outer)) return;
    place->indent = p->token.column;
    if (place->outer >= place->indent) place->outer = place->indent - 1;
}

/* What fails in the middle of a line was one with the statement before it: x = 1 ! 2. */
static bool is_one_with(const struct parser *p, const struct at_node *before) {
    static const char *const closers[] = {"}", ")", "]", ","};
    if (!before || p->token.is_first || is_ender(p) || p->token.kind == TOKEN_END) return false;
    for (size_t i = 0; i < AT_LENGTH(closers); i++)
        if (is_sign(p, closers[i])) return false;
    return before->kind == AT_NODE_ASSIGN || before->kind == AT_NODE_LOCALS ||
           before->kind == AT_NODE_RETURN || before->kind == AT_NODE_EXPRESSION_STATEMENT;
}

/* An end too many, at the begin of a line: the statement that begins in its column was meant to open what it
 * ends, so what was read from there on was read wrong. */
static struct at_node **opener_of(const struct parser *p, struct at_node **list) {
    struct at_node **found = NULL;
    const char *source = p->lexer.source.data;
    if (!is_ender(p) || !p->token.is_first) return NULL;
    for (; *list; list = &(*list)->next) {
        const struct at_node *node = *list;
        uint32_t blanks = 0;
        while (blanks + 1 < node->column && strchr(" \t", source[node->from - 1 - blanks])) blanks++;
        if (node->column <= p->token.column && blanks + 1 == node->column) found = list;
    }
    return found;
}

/* The statements up to the end of the block, in the scope that is open. */
static bool statements(struct parser *p, struct at_node **out, struct closing *closing) {
    struct at_node *node = *out = parse_node(p, AT_NODE_BLOCK), **end = node ? &node->list : NULL,
                   **before = NULL;
    struct block_place place = {.outer = closing->what ? p->last_indent : 0, .brackets = p->brackets};
    if (!node) return false;
    closing->outer = p->function->closing;
    p->function->closing = closing;
    for (bool is_ended = false, is_last = false; !is_ended && !ends_block(p, closing);) {
        struct trial trial;
        struct at_node *one = NULL;
        bool is_joined = before && is_one_with(p, *before);
        begin_trial(p, &trial);
        see_indent(p, &place, !before);
        if (is_last || is_ender(p))
            fail_close(p, closing);
        else if (is_sign(p, ";")) {
            if (!parse_advance(p)) return false;
            before = NULL;
            continue;
        } else
            one = statement(p);
        is_last = one && one->kind == AT_NODE_RETURN;
        if (!one && (is_joined || (before = opener_of(p, &node->list)))) {
            trial.begin = SPOT_OF(*before);
            *(end = before) = NULL;
        }
        if (!one && !(one = recover_statement(p, &trial, &place, &is_ended))) return false;
        if (one->to > one->from) *(before = end) = one;
        while (*end) end = &(*end)->next;
    }
    p->function->closing = closing->outer;
    return parse_done(p, node) != NULL;
}

static bool scoped_block(struct parser *p, struct at_node **out, struct closing *closing) {
    struct block_scope block;
    enter_block(p, &block);
    return statements(p, out, closing) && leave_block(p);
}

static bool looped_block(struct parser *p, struct at_node **out, struct closing *closing) {
    p->function->loops++;
    bool is_ok = scoped_block(p, out, closing);
    p->function->loops--;
    return is_ok;
}

/* A condition and the word after it. */
static bool condition(struct parser *p, struct at_node **out, const char *word, struct closing *closing) {
    struct trial trial;
    begin_trial(p, &trial);
    struct at_node *read = *out = parse_expression(p);
    if (read && parse_expect(p, word)) return true;
    if (read && is_sign(p, "{")) return begin_braced(p, closing);
    if (!recover_head(p, &trial, word, out)) return false;
    if (read && read->to == (*out)->to) *out = read; /* only the word was missing */
    return true;
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

/* "(" parameters ")"; what goes wrong in it stops at its end. */
static bool parameter_list(struct parser *p, struct at_node *function, bool is_method) {
    struct trial trial;
    begin_trial(p, &trial);
    if (!parse_expect(p, "(") && !parse_take(p)) return false;
    if (!parameters(p, function, is_method)) return recover_head(p, &trial, ")", &function->a);
    return parse_expect(p, ")") || recover_head(p, &trial, ")", &function->a);
}

struct at_node *parse_function(struct parser *p, struct at_node *function, bool is_method) {
    struct function_scope scope;
    struct block_scope block;
    struct closing closing = {.what = "end", .opened = "function", .line = function->line};
    enter_function(p, &scope, &block, function);
    function->is_method = is_method;
    function->defined_line = p->token.line;
    if (!parameter_list(p, function, is_method)) return NULL;
    if (is_sign(p, "{")) {
        parse_fail(p, "unexpected symbol");
        if (!begin_braced(p, &closing)) return NULL;
    }
    if (!statements(p, &function->body, &closing) || !close_block(p, &closing)) return NULL;
    return leave_function(p) ? parse_done(p, function) : NULL;
}

/* ---- statements ---- */

static struct at_node *if_statement(struct parser *p) {
    struct closing closing = {.what = "end", .opened = "if", .line = p->token.line};
    struct at_node *first = NULL, *last = NULL;
    do { /* if and every elseif */
        struct at_node *node = parse_node(p, AT_NODE_IF);
        closing.has_else = true;
        closing.is_braced = false;
        if (!node || !parse_advance(p) || !condition(p, &node->a, "then", &closing) ||
            !scoped_block(p, &node->body, &closing))
            return NULL;
        if (last)
            last->else_part = node;
        else
            first = node;
        node->list2 = last; /* for the way back; taken out below */
        last = node;
    } while (is_word(p, "elseif"));
    closing.has_else = false;
    if (is_word(p, "else") && (!parse_advance(p) || !scoped_block(p, &last->else_part, &closing)))
        return NULL;
    if (!close_block(p, &closing)) return NULL;
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
    struct closing closing = {.what = "end", .opened = "while", .line = p->token.line};
    if (!node || !parse_advance(p) || !condition(p, &node->a, "do", &closing) ||
        !looped_block(p, &node->body, &closing) || !close_block(p, &closing))
        return NULL;
    return parse_done(p, node);
}

static struct at_node *repeat_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_REPEAT);
    struct closing closing = {
        .what = "until", .opened = "repeat", .line = p->token.line, .indent = p->indent};
    struct block_scope block;
    struct trial trial;
    if (!node || !parse_advance(p)) return NULL;
    enter_block(p, &block); /* its locals are seen by the condition */
    p->function->loops++;
    bool is_ok = statements(p, &node->body, &closing);
    p->function->loops--;
    if (!is_ok || !close_block(p, &closing)) return NULL;
    begin_trial(p, &trial);
    node->a = parse_expression(p);
    if (!node->a && !recover_head(p, &trial, "", &node->a)) return NULL;
    return leave_block(p) ? parse_done(p, node) : NULL;
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
    struct closing closing = {.what = "end", .opened = "for", .line = p->token.line};
    struct block_scope outer, inner;
    struct trial trial;
    if (!node || !parse_advance(p)) return NULL;
    enter_block(p, &outer);
    begin_trial(p, &trial);
    if (!for_head(p, node) || !parse_expect(p, "do")) {
        bool is_braced = is_sign(p, "{") && node->list2;
        if (is_braced ? !begin_braced(p, &closing) : !recover_head(p, &trial, "do", &node->a)) return NULL;
    }
    enter_block(p, &inner);
    for (struct at_node *local = node->list; local; local = local->next)
        if (!declare_local(p, local)) return NULL;
    if (!looped_block(p, &node->body, &closing) || !leave_block(p)) return NULL;
    return close_block(p, &closing) && leave_block(p) ? parse_done(p, node) : NULL;
}

static bool is_constant(const struct at_node *target) {
    return target->kind == AT_NODE_NAME && target->binding && target->binding->text2.length;
}

static bool refuse_constant(struct parser *p, const struct at_node *target) {
    return parse_note(p, SPOT_OF(target), "attempt to assign to const variable '%.*s'",
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
    uint32_t fault_count = p->fault_count;
    if (!function || !parse_advance(p)) return NULL;
    p->unclosed++;
    if (p->token.kind != TOKEN_NAME) return parse_fail(p, "<name> expected"), NULL;
    node->a = parse_primary(p);
    while (node->a && !is_method && (is_sign(p, ".") || is_sign(p, ":"))) {
        is_method = is_sign(p, ":");
        node->a = parse_index(p, node->a); /* a:b is a.b with self */
    }
    if (!node->a) return NULL;
    p->unclosed--;
    if (!(node->b = parse_function(p, function, is_method))) return NULL;
    if (is_constant(node->a) && p->fault_count == fault_count && !refuse_constant(p, node->a)) return NULL;
    function->defined_line = node->line;
    forget_value(node->a);
    return parse_done(p, node);
}

static struct at_node *local_function(struct parser *p, struct at_node *node) {
    struct at_node *function = parse_node(p, AT_NODE_FUNCTION);
    node->kind = AT_NODE_FUNCTION_STATEMENT;
    node->is_local = true;
    if (!function || !parse_advance(p)) return NULL;
    p->unclosed++;
    if (!(node->a = parse_node(p, AT_NODE_NAME)) || !(node->list = read_local(p))) return NULL;
    p->unclosed--;
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
        return parse_note(p, SPOT_OF(&name), "unknown attribute '%.*s'",
                          (int)(name.text.length < 60 ? name.text.length : 60), name.text.data);
    if ((*closes)++ == 0) return true;
    return parse_note(p, SPOT_OF(&name), "multiple to-be-closed variables in local list");
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
    if (p->token.kind != TOKEN_END && !is_ender(p) && !is_sign(p, ";") && !parse_expressions(p, &node->list))
        return NULL;
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
    bool is_last = p->token.kind == TOKEN_END || (is_ender(p) && !is_word(p, "until"));
    return add_label(p, node, is_last) ? node : NULL;
}

static struct at_node *break_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_BREAK);
    if (!node || !parse_advance(p)) return NULL;
    node->text = AT_TEXT("break"); /* a goto, as luac sees it: told when its function ends */
    if (!p->function->loops && !add_goto(p, node)) return NULL;
    return parse_done(p, node);
}

static struct at_node *do_statement(struct parser *p) {
    struct at_node *node = parse_node(p, AT_NODE_DO);
    struct closing closing = {.what = "end", .opened = "do", .line = p->token.line};
    if (!node || !parse_advance(p) || !scoped_block(p, &node->body, &closing) || !close_block(p, &closing))
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

enum at_status at_parse(struct at_arena *arena, struct at_text source, struct at_node **block,
                        struct at_fault **faults) {
    struct parser p = {.lexer = {.arena = arena, .source = source, .line = 1}};
    struct function_scope scope;
    struct block_scope outermost;
    struct closing closing = {0};
    *block = NULL;
    *faults = NULL;
    bool is_large = source.length > UINT32_MAX / 2;
    if (is_large) p.lexer.source.length = 0;
    skip_head(&p.lexer);
    enter_function(&p, &scope, &outermost, NULL);
    scope.is_vararg = true;
    bool is_ok = (!is_large || parse_note(&p, (struct spot){1, 1, 0, 0}, "the file is too large")) &&
                 parse_advance(&p) && statements(&p, block, &closing) && leave_function(&p);
    *faults = is_ok ? p.faults : NULL;
    if (is_ok) return AT_OK;
    *block = NULL;
    return AT_NOMEM;
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
