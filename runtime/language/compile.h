/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiles a rule of plain Lua for columns. What the analysis refuses because a branch or a comparison looks
 * at a product's value is written anew, as Lua whose branches are masks: both sides of an if run, once for
 * all products, and each local gets its value of the side that holds for the product; a comparison gives a
 * column of yes and no; an early return notes for which products it holds. That text is made once, when the
 * generation is built; running it (judge.c) records a column program as any rule on columns does. The same
 * lines stand on the same lines, so that explanations say them.
 *
 * The everyday subset: locals and assignment to them, arithmetic, comparisons, and or not, if, return, for
 * over lists and between constant bounds, words, methods, pure functions of math, and functions of the
 * same file that are surely known. Whatever else stands in a rule, it is not compiled, and the report says
 * where.
 */
#ifndef AT_LANGUAGE_COMPILE_H
#define AT_LANGUAGE_COMPILE_H

#include "language/analysis.h"

struct at_link { /* a value from outside that the text names: an upvalue of the rule or of a function it calls
                  */
    int owner;   /* the link whose function has the upvalue; -1: the rule */
    const char *name;
};
struct at_compiled {
    struct at_text text; /* a chunk: gets the primitives (masks.c), then the links; returns the rule */
    const struct at_link *links;
    uint32_t link_count;
    bool is_closed; /* it names nothing outside itself but words, math and its links */
};
#define AT_LINKS_MAX 60

/* Of a rule that at_rule_analyse judged not columnar, with the same arguments. report->compiled: the compiled
 * rule, then line, text and advice are what prevented plain columns; or NULL, then they say what prevents
 * compiling. */
enum at_status at_rule_compile(struct at_arena *arena, struct at_text source, struct at_node *file,
                               struct at_node *function, const struct at_vocabulary *vocabulary,
                               struct at_rule_report *report) AT_MUST_CHECK;

/* The primitives that the text names, in the order in which the chunk gets them. NULL-terminated. */
extern const char *const at_primitive_names[];

#endif
