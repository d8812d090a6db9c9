/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the parser share: parse.c (statements), parse_expression.c, parse_scope.c (locals,
 * blocks, labels), parse_token.c (tokens, nodes, faults), parse_recover.c (how it goes on after a fault).
 * Private to language/.
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
    const struct closing *closing;      /* of the block being read */
    uint32_t active_count, local_count; /* declared; declared or being declared */
    uint32_t first_label;
    uint32_t fault_count; /* when it began */
    int loops;
    bool is_vararg;
};
/* What a block ends with, as luac says it. */
struct closing {
    const char *what, *opened;   /* "end", "if"; what NULL: the file */
    uint32_t line, indent;       /* indent, of until: of the line of repeat */
    bool has_else;               /* else and elseif end it too */
    bool is_braced;              /* by mistake it began with {, so } ends it */
    const struct closing *outer; /* of the block around, within the function */
};
struct label {
    struct at_text name; /* "break" is a jump out of a loop that is not there */
    struct spot place;
    uint32_t active_count;
};
struct labels {
    struct label *list;
    uint32_t count, capacity;
};
struct brackets { /* open ones, of all functions around */
    int braces, parens, squares;
};
struct parser {
    struct lexer lexer;
    struct token token, ahead;
    bool has_ahead;
    bool is_skipping; /* what is no token needs no word */
    bool is_fatal;    /* the fault is a limit: nothing more is read */
    bool is_over;     /* after such a one */
    struct scope *scope;
    struct function_scope *function;
    struct labels labels, gotos;  /* visible labels; gotos that wait for theirs */
    uint32_t last_end;            /* where the last token ended */
    uint32_t indent, last_indent; /* column of the first token on the line of this one, of the last one */
    int depth;
    int unclosed; /* functions begun in this statement whose body is still to come */
    struct brackets brackets;
    struct at_fault *faults, *last_fault;
    uint32_t fault_count;
    uint32_t quiet_to; /* up to here what is wrong follows from the last fault */
};

/* parse_token.c. Words of a failure at the current token: "… near 'x'"; false. */
bool parse_fail(struct parser *p, const char *fmt, ...) AT_PRINTF(2, 3);
/* A failure after which nothing is read. */
bool parse_limit(struct parser *p, struct spot place, const char *fmt, ...) AT_PRINTF(3, 4);
/* A fault that stops nothing; false: out of memory. */
bool parse_note(struct parser *p, struct spot place, const char *fmt, ...) AT_PRINTF(3, 4);
/* After a failure: the fault is kept; false: out of memory. */
bool parse_take(struct parser *p);
/* To the next token, to know the one after this; false: out of memory. What is no token fails as it is read,
 * which stops nothing: no part of a program begins with it. */
bool parse_advance(struct parser *p);
bool parse_ahead(struct parser *p);
bool is_sign(const struct parser *p, const char *sign);
bool is_word(const struct parser *p, const char *word);
bool parse_expect(struct parser *p, const char *text);
bool parse_deeper(struct parser *p);
/* A node that begins at the current token; NULL: out of memory. */
struct at_node *parse_node(struct parser *p, enum at_node_kind kind);
/* The node ends with the last token and its children are there; NULL: the tree is too high. */
struct at_node *parse_done(struct parser *p, struct at_node *node);
void begin_at(struct at_node *node, const struct at_node *first);
void parse_append(struct at_node ***end, struct at_node *node);

/* parse_recover.c. Each takes the fault there is; false or NULL: out of memory. */
struct trial { /* what is to be restored when a part fails */
    struct spot begin;
    uint32_t indent;
    int depth;
    struct brackets brackets;
};
struct block_place { /* columns by which a block is known; 0: not known */
    uint32_t indent; /* of its statements */
    uint32_t outer;  /* of the line it was opened on */
    struct brackets brackets;
};
void begin_trial(const struct parser *p, struct trial *trial);
bool is_ender(const struct parser *p);
bool ends_block(const struct parser *p, const struct closing *closing);
bool fail_close(struct parser *p, const struct closing *closing); /* false */
bool close_block(struct parser *p, const struct closing *closing);
bool begin_braced(struct parser *p, struct closing *closing); /* at a failure: a block in braces */
/* Past a statement that failed. *is_ended: the block ends here. */
struct at_node *recover_statement(struct parser *p, const struct trial *trial,
                                  const struct block_place *place, bool *is_ended);
/* A head that failed before its then, do or ). *broken: what was not read; may be NULL. */
bool recover_head(struct parser *p, const struct trial *trial, const char *word, struct at_node **broken);
bool parse_close(struct parser *p, const char *what, const char *opened, uint32_t line);
/* Past a field that failed, in a table whose fields stand in column indent. *is_closed: } is here or missing.
 */
struct at_node *recover_field(struct parser *p, const struct trial *table, const struct trial *trial,
                              uint32_t indent, bool *is_closed);
/* After a field that no comma follows: one is missing. */
bool continues_table(const struct parser *p, const struct trial *table);

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
