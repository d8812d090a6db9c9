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
struct spot {
    uint32_t line, column, from, to;
};
#define SPOT_OF(x) ((struct spot){(x)->line, (x)->column, (x)->from, (x)->to})

struct token {
    enum token_kind kind;
    uint32_t from, to, line, column;
    bool is_first;       /* on its line */
    struct at_text text; /* of a string: its value, in the arena */
    double number;
    bool is_integer;
};
struct lexer {
    struct at_arena *arena;
    struct at_text source;
    uint32_t at, line, line_start;
    struct spot begin; /* of the token being read; to is not set */
    uint32_t end_line; /* where the token before ended */
    enum at_status status;
    /* AT_INVALID: */
    struct spot bad;
    char message[300];
};
/* The next token; false: lexer->status says why. */
bool lex_next(struct lexer *lexer, struct token *out);
/* After a failure: what stands where a token was not to be read, as a sign that is none. */
void lex_mend(struct lexer *lexer, struct token *out);
bool lex_fail(struct lexer *lexer, struct spot place, const char *fmt, ...) AT_PRINTF(3, 4);

/* syntax_words.c: the finding's message, hint and fix (in the arena), from Lua's words for the bytes it is
 * about: fault number (from 0) of so many of the file. */
struct at_finding;
void at_syntax_words(struct at_arena *arena, struct at_text source, const char *message, uint32_t number,
                     uint32_t fault_count, struct at_finding *finding);

#endif
