/* SPDX-License-Identifier: Apache-2.0
 *
 * A parser for Lua 5.4 source with exact positions: the base for checks, analysis and explanations. Pure C
 * over text: no Lua state. The tree lives in the caller's arena. It always gives the tree of what could be
 * read: how it goes on after a mistake is in docs/decisions/parser.md.
 */
#ifndef AT_LANGUAGE_PARSE_H
#define AT_LANGUAGE_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/bytes.h"

enum at_node_kind {
    /* expressions */
    AT_NODE_NIL,
    AT_NODE_TRUE,
    AT_NODE_FALSE,
    AT_NODE_NUMBER,
    AT_NODE_STRING,
    AT_NODE_VARARG,
    AT_NODE_NAME,     /* text; binding: the AT_NODE_LOCAL it refers to, NULL: a global */
    AT_NODE_INDEX,    /* a[b]; for a.name b is a STRING and is_dot */
    AT_NODE_CALL,     /* a(list) */
    AT_NODE_METHOD,   /* a:text(list) */
    AT_NODE_FUNCTION, /* list: parameters (LOCAL), body */
    AT_NODE_TABLE,    /* list of FIELD */
    AT_NODE_FIELD,    /* a: key or NULL (positional), b: value; is_dot: key written as a name */
    AT_NODE_BINARY,   /* text: the operator, a, b */
    AT_NODE_UNARY,    /* text: "-" "not" "#" "~", a */
    AT_NODE_PAREN,    /* a */
    /* statements */
    AT_NODE_BLOCK,                /* list */
    AT_NODE_LOCALS,               /* list: LOCAL…, list2: values */
    AT_NODE_ASSIGN,               /* list: targets, list2: values */
    AT_NODE_EXPRESSION_STATEMENT, /* a: a call */
    AT_NODE_DO,
    AT_NODE_WHILE,
    AT_NODE_REPEAT,             /* a: condition, body */
    AT_NODE_IF,                 /* a: condition, body, else_part: IF (elseif) or BLOCK or NULL */
    AT_NODE_FOR_NUMBER,         /* list: one LOCAL, list2: 2–3 values, body */
    AT_NODE_FOR_IN,             /* list: LOCALs, list2: values, body */
    AT_NODE_FUNCTION_STATEMENT, /* a: target (NAME/INDEX), b: FUNCTION; is_local */
    AT_NODE_RETURN,             /* list */
    AT_NODE_BREAK,
    AT_NODE_GOTO,
    AT_NODE_LABEL,
    AT_NODE_LOCAL, /* a declaration: text; attribs const/close in text2 */
    /* What could not be read, as a statement or where an expression stands. list: LOCAL, the names that stand
     * in it: any of them may have been declared there. */
    AT_NODE_BROKEN,
};
struct at_node {
    enum at_node_kind kind;
    uint32_t line, column;                       /* of its first character, from 1; columns in bytes */
    uint32_t from, to;                           /* byte range in the source */
    bool is_dot, is_local, is_vararg, is_method; /* is_method: function a:b() */
    struct at_text text, text2;
    double number;         /* of NUMBER */
    uint32_t defined_line; /* of FUNCTION: the line Lua says it is defined on */
    struct at_node *a, *b, *body, *else_part;
    struct at_node *list, *list2; /* first of a chain through next */
    struct at_node *next;
    struct at_node *binding;  /* of NAME */
    struct at_node *value;    /* of LOCAL: the FUNCTION it stands for all its life; NULL: none that is sure */
    struct at_node *function; /* of LOCAL and NAME: the FUNCTION (or NULL: the file) it stands in */
    uint32_t mark;            /* scratch for analyses */
};
/* A mistake, in luac's words: "'then' expected near '!'". */
struct at_fault {
    struct at_fault *next;
    uint32_t line, column; /* of what it is about: the token luac stops at, the jump without a label … */
    uint32_t from, to;     /* its bytes; equal at the end of the file */
    const char *message;
};
#define AT_FAULTS_MAX 100 /* of one file: what comes after them is not read */

/* The tree of what could be read, and the faults in order of position. None: luac -p accepts the file, but
 * for limits of its code generator (registers, upvalues). The first is the one luac stops at. The rest are of
 * what was read after it: one mistake gives one fault wherever the parser finds its way back. With a fault
 * the blocks of the tree may begin and end elsewhere than was meant: what a name refers to is sure only
 * without. AT_OK, or AT_NOMEM: then there is neither. */
enum at_status at_parse(struct at_arena *arena, struct at_text source, struct at_node **block,
                        struct at_fault **faults) AT_MUST_CHECK;

/* Calls fn for every node, parents first; fn returns false to skip the children. */
void at_node_walk(struct at_node *root, bool (*fn)(void *arg, struct at_node *node), void *arg);

#endif
