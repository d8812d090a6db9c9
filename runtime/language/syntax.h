/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to language/: how what does not parse is told to people. syntax_words.c asks one habit after
 * another (syntax_signs.c: how other languages write it; syntax_shape.c: what is missing or too much) whether
 * it is behind the fault; the first that knows it fills the finding. A replacement counts only if the source
 * reads further with it.
 */
#ifndef AT_LANGUAGE_SYNTAX_H
#define AT_LANGUAGE_SYNTAX_H

#include "language/finding.h"
#include "language/lex.h"

struct syntax {
    struct at_arena *arena, *scratch; /* of what is kept; of the tokens */
    struct at_text source;
    const char *message; /* Lua's words */
    struct at_finding *finding;
    struct token *tokens;         /* of the source; what is no token is a sign Lua does not know */
    uint32_t number, fault_count; /* which of the file's faults it is, from 0; how many it has */
    uint32_t count, at;           /* at: the first that ends behind the place; count: there is none */
    uint32_t place;               /* the byte the fault is at */
};
typedef bool (*syntax_habit_fn)(struct syntax *s); /* true: it is this, and the finding says so */

/* The token so many after (before: negative) the fault's; past either end one of kind TOKEN_END without text.
 */
const struct token *syntax_token(const struct syntax *s, int shift);
bool token_is(const struct token *token, const char *text); /* a sign, a name or a reserved word */
bool syntax_stands(const struct syntax *s, int64_t at, const char *text); /* in the source, at that byte */
bool syntax_says(const struct syntax *s, const char *words);              /* Lua's message holds them */
struct at_text syntax_cut(const struct syntax *s, uint32_t from, uint32_t to);
/* The token that closes the bracket at that index of tokens; count: none does. */
uint32_t syntax_closing(const struct syntax *s, uint32_t open);
/* The index of the first token of the line the token of that index is in. */
uint32_t syntax_line_start(const struct syntax *s, uint32_t index);

/* The finding is about these bytes; without a call about the token at the fault. */
void syntax_point(struct syntax *s, uint32_t from, uint32_t to);
/* Fills the message and the hint (NULL: none); returns true. */
bool syntax_tell(struct syntax *s, const char *hint, const char *fmt, ...) AT_PRINTF(3, 4);
/* Tries a replacement: false, and nothing is changed, if the source reads no further with it. */
bool syntax_fix(struct syntax *s, uint32_t from, uint32_t to, const char *fmt, ...) AT_PRINTF(4, 5);

bool syntax_braces(struct syntax *s); /* a habit of syntax_shapes */
/* A block whose end is left out, found by how the lines are set in. */
bool syntax_set_back(struct syntax *s);

extern const syntax_habit_fn syntax_signs[], syntax_shapes[]; /* end with NULL */

#endif
