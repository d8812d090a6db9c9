/* SPDX-License-Identifier: Apache-2.0
 *
 * What compile.c (what depends on the product, what may be compiled) and compile_write.c (the text) share.
 */
#ifndef AT_LANGUAGE_COMPILE_INTERNAL_H
#define AT_LANGUAGE_COMPILE_INTERNAL_H

#include "language/compile.h"

enum {                      /* marks; of a LOCAL, an IF, a FUNCTION */
       COMPILE_TAINTED = 1, /* depends on the product; of an IF: its condition; of a FUNCTION: its answer */
       COMPILE_RETURNS = 2, /* of a FUNCTION: it returns for some products before others */
       COMPILE_LISTED = 4,  /* of a FUNCTION: among compile.functions */
       COMPILE_ENTERED = 8
}; /* of a FUNCTION: its body is being looked at */
#define COMPILE_FUNCTIONS_MAX 24
#define COMPILE_ASSIGNED_MAX  24 /* locals that one if assigns to */

struct compile {
    struct at_arena *arena;
    struct at_text source;
    const struct at_vocabulary *vocabulary;
    struct at_node *rule;
    struct at_node *functions[COMPILE_FUNCTIONS_MAX]; /* that it calls */
    struct at_node *names[COMPILE_FUNCTIONS_MAX];     /* their LOCALs */
    uint32_t function_count;
    struct at_link links[AT_LINKS_MAX];
    const struct at_node *linked[AT_LINKS_MAX]; /* the LOCAL of each */
    uint32_t link_count;
    bool is_closed;
    /* looking */
    struct at_node *inside;             /* the function that is looked at or written */
    int inside_link;                    /* its link; -1: the rule */
    const struct at_node *branch;       /* the innermost IF that products decide; NULL: none */
    const struct at_node *break_branch; /* branch, where the innermost loop began */
    bool in_list;                       /* a loop over a list */
    uint32_t rounds;                    /* how often the place runs */
    bool is_changed, is_short;
    uint32_t work, depth;
    const struct at_node *refused; /* the first place that prevents it; NULL: none */
    const char *advice;
    /* writing */
    struct at_bytes out;
    uint32_t line, next_number;
};

/* Whether the value depends on the product; refuses what may not be compiled. */
bool compile_look(struct compile *c, struct at_node *node);
bool compile_holds(const char *const *names, struct at_text name);
/* The function of math that a call names, "" for none. */
struct at_text compile_math_name(const struct at_node *call);
/* Whether the primitive of that name takes columns in place of the function of math. */
bool compile_is_math_primitive(struct at_text name);
bool compile_is_tainted(const struct at_node *node); /* after looking */
enum at_status compile_write(struct compile *c, struct at_compiled *out) AT_MUST_CHECK;

#endif
