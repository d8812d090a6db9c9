/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the parser share: parse.c (statements), parse_expression.c, parse_scope.c (locals,
 * blocks, labels). Private to language/.
 */
#ifndef AT_LANGUAGE_PARSE_INTERNAL_H
#define AT_LANGUAGE_PARSE_INTERNAL_H

#include "language/lex.h"
#include "language/parse.h"

#define DEPTH_MAX  190  /* statements and expressions within each other, as LUAI_MAXCCALLS leaves */
#define HEIGHT_MAX 2000 /* of the tree: a + b + c … is read in a loop but walked by recursion */
#define LOCALS_MAX 200  /* of one function, as MAXVARS */

struct scope {             /* one active local */
    struct at_node *local; /* AT_NODE_LOCAL; NULL: one that for keeps to itself */
    struct scope *outer;
    uint32_t index; /* among the active ones of its function, from 0 */
};
struct block_scope {
    struct block_scope *outer; /* NULL: a function's outermost */
    struct scope *locals;      /* active before it */
    uint32_t active_count, local_count, label_count, goto_count;
};
struct function_scope {
    struct function_scope *outer;
    struct at_node *node; /* NULL: the file */
    struct block_scope *block;
    uint32_t active_count, local_count; /* declared; declared or being declared */
    uint32_t first_label;
    int loops;
    bool is_vararg;
};
struct label {
    struct at_text name;
    uint32_t line, column, active_count;
};
struct labels {
    struct label *list;
    uint32_t count, capacity;
};
struct parser {
    struct lexer lexer;
    struct token token, ahead;
    bool has_ahead;
    struct scope *scope;
    struct function_scope *function;
    struct labels labels, gotos; /* visible labels; gotos that wait for theirs */
    uint32_t last_end;           /* where the last token ended */
    int depth;
};

/* Words of a failure at the current token: "… near 'x'"; false. */
bool parse_fail(struct parser *p, const char *fmt, ...) AT_PRINTF(2, 3);
bool parse_advance(struct parser *p);
bool is_sign(const struct parser *p, const char *sign);
bool is_word(const struct parser *p, const char *word);
bool parse_expect(struct parser *p, const char *text);
bool parse_close(struct parser *p, const char *what, const char *opened, uint32_t line);
bool parse_deeper(struct parser *p);
/* A node that begins at the current token; NULL: out of memory. */
struct at_node *parse_node(struct parser *p, enum at_node_kind kind);
/* The node ends with the last token and its children are there; NULL: the tree is too high. */
struct at_node *parse_done(struct parser *p, struct at_node *node);
void begin_at(struct at_node *node, const struct at_node *first);
void parse_append(struct at_node ***end, struct at_node *node);

/* parse_expression.c */
struct at_node *parse_expression(struct parser *p);
bool parse_expressions(struct parser *p, struct at_node **first);
struct at_node *parse_primary(struct parser *p);
struct at_node *parse_suffixed(struct parser *p);
struct at_node *parse_index(struct parser *p, struct at_node *object);
/* parse.c */
struct at_node *parse_function(struct parser *p, struct at_node *function, bool is_method);

/* parse_scope.c */
void enter_function(struct parser *p, struct function_scope *function, struct block_scope *block,
                    struct at_node *node);
bool leave_function(struct parser *p);
void enter_block(struct parser *p, struct block_scope *block);
bool leave_block(struct parser *p);
struct at_node *read_local(struct parser *p); /* a name to be declared */
bool declare_local(struct parser *p, struct at_node *local);
bool declare_hidden(struct parser *p, uint32_t count);
void bind_name(struct parser *p, struct at_node *name);
bool add_label(struct parser *p, const struct at_node *node, bool is_last);
bool add_goto(struct parser *p, const struct at_node *node);

#endif
