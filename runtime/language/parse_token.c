/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens, nodes and faults: what every part of the parser stands on. A part that fails says so once, with
 * parse_fail, and returns NULL or false up to who catches it.
 */
#include <stdio.h>
#include <string.h>
#include "language/parse_internal.h"

/* ---- faults ---- */

bool parse_fail(struct parser *p, const char *fmt, ...) {
    const struct token *token = &p->token;
    uint32_t length = token->to - token->from;
    const char *text = p->lexer.source.data + token->from;
    char message[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (token->kind == TOKEN_END) return lex_fail(&p->lexer, SPOT_OF(token), "%s near <eof>", message);
    if (token->kind == TOKEN_SIGN && length == 1 && !*text) /* a token of no name, to luac */
        return lex_fail(&p->lexer, SPOT_OF(token), "%s", message);
    if (token->kind == TOKEN_SIGN && length == 1 && (unsigned char)*text - 32u >= 95)
        return lex_fail(&p->lexer, SPOT_OF(token), "%s near '<\\%u>'", message, (unsigned char)*text);
    return lex_fail(&p->lexer, SPOT_OF(token), "%s near '%.*s'", message, (int)(length < 80 ? length : 80),
                    text);
}

bool parse_limit(struct parser *p, struct spot place, const char *fmt, ...) {
    char message[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    p->is_fatal = true;
    return lex_fail(&p->lexer, place, "%s", message);
}

/* The fault in the lexer joins the list, unless it follows from the one before. */
static bool keep_fault(struct parser *p) {
    struct lexer *lexer = &p->lexer;
    if (lexer->status != AT_INVALID) return false;
    lexer->status = AT_OK;
    if (p->is_over || (p->last_fault && lexer->bad.from <= p->quiet_to)) return true;
    struct at_fault *fault = at_arena_zalloc(lexer->arena, sizeof *fault);
    if (!fault || !(fault->message = at_arena_dup(lexer->arena, lexer->message, strlen(lexer->message)))) {
        lexer->status = AT_NOMEM;
        return false;
    }
    fault->line = lexer->bad.line;
    fault->column = lexer->bad.column;
    fault->from = lexer->bad.from;
    fault->to = lexer->bad.to;
    if (p->last_fault)
        p->last_fault->next = fault;
    else
        p->faults = fault;
    p->last_fault = fault;
    p->quiet_to = fault->from;
    if (++p->fault_count == AT_FAULTS_MAX) p->is_fatal = true;
    return true;
}

bool parse_note(struct parser *p, struct spot place, const char *fmt, ...) {
    char message[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    lex_fail(&p->lexer, place, "%s", message);
    return keep_fault(p);
}

static void end_here(struct parser *p) {
    uint32_t end = (uint32_t)p->lexer.source.length;
    p->is_over = true;
    p->has_ahead = false;
    p->lexer.at = end;
    p->token = (struct token){.kind = TOKEN_END, .from = end, .to = end, .line = p->token.line, .column = 1};
}

bool parse_take(struct parser *p) {
    if (!keep_fault(p)) return false;
    if (p->is_fatal) end_here(p);
    return true;
}

/* ---- tokens ---- */

/* What is no token is told, and stands as a sign that nothing expects. */
static bool read_token(struct parser *p, struct token *out) {
    if (lex_next(&p->lexer, out)) return true;
    if (p->is_skipping && p->lexer.status == AT_INVALID) p->lexer.status = AT_OK;
    if (p->lexer.status != AT_OK && !keep_fault(p)) return false;
    lex_mend(&p->lexer, out);
    if (p->is_fatal) end_here(p);
    return true;
}

bool parse_ahead(struct parser *p) {
    p->has_ahead = read_token(p, &p->ahead);
    return p->has_ahead;
}

bool parse_advance(struct parser *p) {
    p->last_end = p->token.to;
    p->last_indent = p->indent;
    if (p->is_over) return true;
    if (p->has_ahead)
        p->token = p->ahead;
    else if (!read_token(p, &p->token))
        return false;
    p->has_ahead = false;
    if (p->token.is_first) p->indent = p->token.column;
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
bool parse_deeper(struct parser *p) {
    if (++p->depth <= DEPTH_MAX) return true;
    return parse_limit(p, SPOT_OF(&p->token), "this is nested too deeply");
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
    parse_limit(p, SPOT_OF(node), "this is too long: write it in several steps");
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
