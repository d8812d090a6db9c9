/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to language/: the words of Lua source, one after another.
 */
#ifndef AT_LANGUAGE_LEX_H
#define AT_LANGUAGE_LEX_H

#include "base/arena.h"
#include "base/bytes.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_WORD, /* a reserved word; text */
    TOKEN_SIGN  /* an operator or bracket; text */
};
struct token {
    enum token_kind kind;
    uint32_t from, to, line, column;
    struct at_text text; /* of a string: its value, in the arena */
    double number;
    bool is_integer;
};
struct lexer {
    struct at_arena *arena;
    struct at_text source;
    uint32_t at, line, line_start;
    uint32_t begin; /* of the token being read */
    struct at_error *err;
    enum at_status status;
    uint32_t bad_line, bad_column;
};
/* The next token; false: lexer->status, err, bad_line and bad_column say why. */
bool lex_next(struct lexer *lexer, struct token *out);
bool lex_fail(struct lexer *lexer, uint32_t line, uint32_t column, const char *fmt, ...) AT_PRINTF(4, 5);

/* syntax_words.c: the finding's message and hint, from Lua's words for what stands at its line and column. */
struct at_finding;
void at_syntax_words(struct at_text source, const char *message, struct at_finding *finding);

#endif
