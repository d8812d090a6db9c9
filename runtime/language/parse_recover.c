/* SPDX-License-Identifier: Apache-2.0
 *
 * How the parser goes on after a fault (docs/decisions/parser.md). What is expected and missing is taken as
 * there; what is not understood is skipped up to where a statement, a field or the end of the block is to be
 * seen: by its words, by open brackets, and by columns, for people indent what they nest. Called by who
 * catches a failure; every call takes the fault and leaves a token to go on with.
 */
#include <string.h>
#include "language/parse_internal.h"

void begin_trial(const struct parser *p, struct trial *trial) {
    *trial = (struct trial){SPOT_OF(&p->token), p->indent, p->depth, p->brackets};
}

/* The next token, whatever it is; false: out of memory. */
static bool skip(struct parser *p) {
    p->is_skipping = true;
    bool is_ok = parse_advance(p);
    p->is_skipping = false;
    return is_ok;
}

/* ---- what was not read ---- */

static bool add_name(struct parser *p, struct at_node ***end, const struct token *token) {
    struct at_node *local = parse_node(p, AT_NODE_LOCAL);
    if (!local) return false;
    local->line = token->line;
    local->column = token->column;
    local->from = token->from;
    local->to = token->to;
    local->text = token->text;
    local->function = p->function->node;
    parse_append(end, local);
    return true;
}

/* From there to the last token, with the names in it. */
static struct at_node *broken_node(struct parser *p, struct spot begin) {
    struct at_node *node = parse_node(p, AT_NODE_BROKEN), **end = node ? &node->list : NULL;
    struct lexer lexer = {.arena = p->lexer.arena, .source = p->lexer.source, .at = begin.from};
    bool is_field = false;
    if (!node) return NULL;
    node->line = lexer.line = begin.line;
    node->column = begin.column;
    node->from = begin.from;
    node->to = p->last_end > begin.from ? p->last_end : begin.from;
    node->mark = 2;
    lexer.line_start = begin.from - (begin.column - 1);
    lexer.source.length = node->to;
    for (struct token token; lexer.at < node->to;) {
        if (!lex_next(&lexer, &token)) {
            if (lexer.status == AT_NOMEM) p->lexer.status = AT_NOMEM;
            if (lexer.status == AT_NOMEM) return NULL;
            lex_mend(&lexer, &token);
        }
        if (token.kind == TOKEN_NAME && !is_field && !add_name(p, &end, &token)) return NULL;
        is_field = token.kind == TOKEN_SIGN && (at_text_is(token.text, ".") || at_text_is(token.text, ":"));
    }
    return node;
}

/* ---- blocks ---- */

bool is_ender(const struct parser *p) {
    return is_word(p, "end") || is_word(p, "else") || is_word(p, "elseif") || is_word(p, "until");
}

static bool is_ended_by(const struct parser *p, const struct closing *closing) {
    if (closing->is_braced && is_sign(p, "}")) return true;
    if (closing->has_else && (is_word(p, "else") || is_word(p, "elseif"))) return true;
    return closing->what && is_word(p, closing->what);
}

/* The block ends here, or one around it in this function does. */
bool ends_block(const struct parser *p, const struct closing *closing) {
    if (p->token.kind == TOKEN_END) return true;
    if (!is_ender(p) && !is_sign(p, "}")) return false;
    while (closing && !is_ended_by(p, closing)) closing = closing->outer;
    return closing != NULL;
}

bool fail_close(struct parser *p, const struct closing *closing) {
    if (!closing->what) return parse_fail(p, "<eof> expected");
    if (p->token.line == closing->line) return parse_fail(p, "'%s' expected", closing->what);
    return parse_fail(p, "'%s' expected (to close '%s' at line %u)", closing->what, closing->opened,
                      closing->line);
}

bool close_block(struct parser *p, const struct closing *closing) {
    if (is_word(p, closing->what) || (closing->is_braced && is_sign(p, "}"))) return parse_advance(p);
    bool is_instead = closing->indent && is_word(p, "end") && p->token.is_first &&
                      p->token.column == closing->indent; /* repeat … end */
    fail_close(p, closing);
    if (!parse_take(p)) return false;
    if (!is_instead) return true;
    if (!parse_advance(p)) return false;
    p->quiet_to = p->token.from;
    return true;
}

bool begin_braced(struct parser *p, struct closing *closing) {
    closing->is_braced = true;
    return parse_take(p) && parse_advance(p);
}

static bool begins_statement(const struct parser *p) {
    static const char *const words[] = {"local",  "return",   "if", "for",  "while",
                                        "repeat", "function", "do", "goto", "break"};
    if (p->token.kind == TOKEN_NAME || is_sign(p, "(") || is_sign(p, "::")) return true;
    for (size_t i = 0; i < AT_LENGTH(words); i++)
        if (is_word(p, words[i])) return true;
    return false;
}

struct skipping {
    int blocks, brackets; /* opened in what is skipped */
    uint32_t first;       /* where it began */
    bool is_after_end;    /* the token before was "end" */
    bool has_statement;   /* a statement began in it, outside of blocks */
};

static bool count_token(struct parser *p, struct skipping *skipping) {
    const struct token *token = &p->token;
    skipping->is_after_end = is_word(p, "end");
    if (is_word(p, "function") || is_word(p, "if") || is_word(p, "do") || is_word(p, "repeat") ||
        (skipping->blocks == 0 && (is_word(p, "else") || is_word(p, "elseif"))))
        skipping->blocks++;
    else if ((is_word(p, "end") || is_word(p, "until")) && skipping->blocks > 0)
        skipping->blocks--;
    else if (token->kind == TOKEN_SIGN && token->text.length == 1 && strchr("({[", token->text.data[0]))
        skipping->brackets++;
    else if (token->kind == TOKEN_SIGN && token->text.length == 1 && strchr(")}]", token->text.data[0]) &&
             skipping->brackets > 0)
        skipping->brackets--;
    return skip(p);
}

/* A closing bracket, or a comma, that something around the function waits for. */
static bool is_awaited(const struct parser *p, const struct block_place *place,
                       const struct skipping *skipping) {
    const struct brackets *open = &place->brackets;
    if (skipping->brackets || skipping->blocks) return false;
    if (is_sign(p, ",") || is_sign(p, ";"))
        return is_sign(p, ",") && (open->braces || open->parens) &&
               (p->token.from == skipping->first || skipping->is_after_end);
    return (is_sign(p, "}") && open->braces) || (is_sign(p, ")") && open->parens) ||
           (is_sign(p, "]") && open->squares);
}

enum stop { GO_ON, STATEMENT, BLOCK_END };

static enum stop look(const struct parser *p, const struct block_place *place,
                      const struct skipping *skipping) {
    const struct token *token = &p->token;
    if (token->kind == TOKEN_END) return BLOCK_END;
    if (token->is_first && token->column <= place->outer) return BLOCK_END;
    if (token->is_first && token->column <= place->indent && begins_statement(p)) return STATEMENT;
    if (skipping->blocks) return GO_ON;
    if (ends_block(p, p->function->closing) || is_awaited(p, place, skipping)) return BLOCK_END;
    if (skipping->brackets) return GO_ON;
    if (token->from > skipping->first && token->kind == TOKEN_WORD && !is_word(p, "function") &&
        !is_word(p, "do") && begins_statement(p))
        return STATEMENT;
    return GO_ON;
}

static int count_open(const struct brackets *now, const struct brackets *then) {
    return now->braces + now->parens + now->squares - then->braces - then->parens - then->squares;
}

struct at_node *recover_statement(struct parser *p, const struct trial *trial,
                                  const struct block_place *place, bool *is_ended) {
    if (!parse_take(p)) return NULL;
    struct skipping skipping = {.blocks = p->unclosed,
                                .brackets = count_open(&p->brackets, &trial->brackets),
                                .first = p->token.from};
    enum stop stop;
    p->unclosed = 0;
    p->depth = trial->depth;
    p->brackets = trial->brackets;
    while ((stop = look(p, place, &skipping)) == GO_ON) {
        bool is_over = is_sign(p, ";") && !skipping.blocks && !skipping.brackets;
        if (!count_token(p, &skipping)) return NULL;
        if (is_over) break;
    }
    p->quiet_to = p->token.from;
    *is_ended = stop == BLOCK_END;
    return broken_node(p, trial->begin);
}

/* ---- heads and brackets ---- */

/* To the word, if it stands in what is left of this line. */
static bool seek(struct parser *p, const char *word, bool *is_found) {
    struct parser saved = *p;
    int parens = 0;
    for (*is_found = false; !p->token.is_first && p->token.kind != TOKEN_END;) {
        if (parens == 0 && (is_sign(p, word) || is_word(p, word))) {
            *is_found = true;
            return true;
        }
        if (is_ender(p) || is_word(p, "then") || is_word(p, "do") || (!parens && is_sign(p, "}"))) break;
        parens += is_sign(p, "(") ? 1 : is_sign(p, ")") ? -1 : 0;
        if (parens < 0) parens = 0;
        if (!skip(p)) return false;
    }
    *p = saved;
    return true;
}

/* Past what is left of the line, but for what may be the next statement or end a block. */
static bool skip_line(struct parser *p) {
    while (!p->token.is_first && p->token.kind != TOKEN_END && !is_ender(p) && !is_sign(p, "}") &&
           !is_sign(p, ",") && (p->token.kind != TOKEN_WORD || !begins_statement(p)))
        if (!skip(p)) return false;
    return true;
}

bool recover_head(struct parser *p, const struct trial *trial, const char *word, struct at_node **broken) {
    bool is_found;
    if (!parse_take(p)) return false;
    p->depth = trial->depth;
    p->brackets = trial->brackets;
    if (!seek(p, word, &is_found) || (!is_found && !skip_line(p))) return false;
    if (broken && !(*broken = broken_node(p, trial->begin))) return false;
    p->quiet_to = p->token.from;
    return is_found || is_word(p, word) ? parse_advance(p) : true;
}

bool parse_close(struct parser *p, const char *what, const char *opened, uint32_t line) {
    struct trial trial;
    if (is_sign(p, what)) return parse_advance(p);
    if (p->token.line == line)
        parse_fail(p, "'%s' expected", what);
    else
        parse_fail(p, "'%s' expected (to close '%s' at line %u)", what, opened, line);
    begin_trial(p, &trial);
    return recover_head(p, &trial, what, NULL);
}

/* ---- tables ---- */

/* name = */
static bool is_named(const struct parser *p) {
    const char *at = p->lexer.source.data + p->token.to, *end = p->lexer.source.data + p->lexer.source.length;
    if (p->token.kind != TOKEN_NAME) return false;
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    return at < end && *at == '=' && (at + 1 == end || at[1] != '=');
}

static enum stop look_field(const struct parser *p, const struct trial *table, uint32_t indent,
                            const struct skipping *skipping) {
    const struct token *token = &p->token;
    if (token->kind == TOKEN_END) return BLOCK_END;
    if (token->is_first && token->column <= table->indent) return BLOCK_END;
    if (token->is_first && token->column <= indent && is_named(p) && !skipping->has_statement)
        return STATEMENT;
    if (skipping->blocks || skipping->brackets) return GO_ON;
    if (is_sign(p, "}")) return BLOCK_END;
    if (is_sign(p, ",") || is_sign(p, ";"))
        return !skipping->has_statement || skipping->is_after_end ? STATEMENT : GO_ON;
    if (is_ender(p) && p->function->outer && !skipping->has_statement) return BLOCK_END;
    return GO_ON;
}

struct at_node *recover_field(struct parser *p, const struct trial *table, const struct trial *trial,
                              uint32_t indent, bool *is_closed) {
    if (!parse_take(p)) return NULL;
    struct skipping skipping = {.brackets = count_open(&p->brackets, &trial->brackets),
                                .first = p->token.from};
    enum stop stop;
    p->depth = trial->depth;
    p->brackets = trial->brackets;
    while ((stop = look_field(p, table, indent, &skipping)) == GO_ON) {
        skipping.has_statement |= !skipping.blocks && !skipping.brackets && p->token.kind == TOKEN_WORD &&
                                  begins_statement(p) && !is_word(p, "function");
        if (!count_token(p, &skipping)) return NULL;
    }
    p->quiet_to = p->token.from;
    *is_closed = stop == BLOCK_END;
    struct at_node *field = parse_node(p, AT_NODE_FIELD);
    if (!field || !(field->b = broken_node(p, trial->begin))) return NULL;
    begin_at(field, field->b);
    field->to = field->b->to;
    field->mark = 3;
    return field;
}

bool continues_table(const struct parser *p, const struct trial *table) {
    const struct token *token = &p->token;
    if (token->is_first && token->column <= table->indent) return false;
    if (token->kind == TOKEN_NAME) return token->is_first || is_named(p);
    return token->kind == TOKEN_STRING || token->kind == TOKEN_NUMBER || is_sign(p, "{") || is_sign(p, "[") ||
           is_word(p, "function");
}
