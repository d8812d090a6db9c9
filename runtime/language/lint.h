/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to language/: what reads well and is wrong all the same. check_source.c has the file's tree and the
 * findings; lint.c walks the tree once and asks each rule at the nodes it is about. A rule is a small
 * function: lint_things.c (values of different kinds), lint_flow.c (what is never reached, never or always
 * answered), lint_habits.c (what Lua reads otherwise than it was meant), lint_use.c (what nobody uses, what
 * hides a word). What may be meant is a warning; a finding is an error if it surely does something else than
 * it says. Nodes that could not be read are passed over.
 */
#ifndef AT_LANGUAGE_LINT_H
#define AT_LANGUAGE_LINT_H

#include "language/analysis.h"

enum lint_role { LINT_NOTHING, LINT_PRODUCT, LINT_CUSTOMER, LINT_PAGE };
enum lint_origin { LINT_LOCAL, LINT_PARAMETER, LINT_LOOP, LINT_FUNCTION };

struct lint_local {                /* beside an AT_NODE_LOCAL; its mark is the index, from 1 */
    struct at_node *local, *value; /* value: what it begins with, alone; NULL: unknown */
    enum lint_origin origin;
    enum lint_role role;
    uint32_t reads, writes; /* writes: after its declaration */
};
struct lint_function {          /* beside an AT_NODE_FUNCTION, likewise */
    struct at_text noun, field; /* "ranking", "score"; empty: not the field of a declaration */
};
struct findings { /* as they come; at_source_check sorts them */
    struct at_arena *arena;
    struct at_finding *first, *last;
    bool is_short;
};
struct lint {
    struct findings *findings;
    struct at_text source;
    const struct at_vocabulary *vocabulary;
    struct lint_local *locals;
    struct lint_function *functions;
    struct at_node **globals; /* names that are assigned and no local, in the order of the file */
    const char **names;       /* what may be suggested */
    bool is_whole;            /* every part of the file could be read */
    uint32_t local_count, function_count, global_count, name_count;
};
enum { LINT_IS_TARGET = 1, LINT_MAY_BE_TEXT }; /* marks of NAMEs */
typedef void (*lint_rule_fn)(struct lint *lint, struct at_node *node);
struct lint_rule {
    enum at_node_kind kind;
    lint_rule_fn run;
};

/* The rules of a file that could be read whole: also what depends on all of it. is_whole false: only what a
 * single expression shows. */
enum at_status lint_run(struct findings *findings, struct at_text source, struct at_node *file,
                        const struct at_vocabulary *vocabulary, bool is_whole) AT_MUST_CHECK;

/* Of a name bound to a local, or of the LOCAL itself; NULL: it has no note. */
struct lint_local *lint_local_of(const struct lint *lint, const struct at_node *node);
struct lint_function *lint_function_of(const struct lint *lint, const struct at_node *function);
/* What that expression is: the product, the customer or the page of a rule. */
enum lint_role lint_role_of(const struct lint *lint, const struct at_node *node);
bool lint_is_word(const struct lint *lint, struct at_text name);              /* of the language */
struct at_text lint_cut(const struct lint *lint, const struct at_node *node); /* its source */

/* A finding about the node; NULL: out of memory (noted). Then its hint, and what to put in place of bytes. */
struct at_finding *lint_error(struct lint *lint, const struct at_node *node, const char *code,
                              const char *fmt, ...) AT_PRINTF(4, 5);
struct at_finding *lint_warn(struct lint *lint, const struct at_node *node, const char *code, const char *fmt,
                             ...) AT_PRINTF(4, 5);
void lint_hint(struct at_finding *finding, const char *fmt, ...) AT_PRINTF(2, 3);
/* Also the hint: "write …", unless there is one. */
void lint_fix(struct lint *lint, struct at_finding *finding, uint32_t from, uint32_t to, const char *fmt, ...)
    AT_PRINTF(5, 6);
/* The same finding at a place that is no node; check_source.c. */
struct at_finding *findings_add(struct findings *findings, const struct at_node *node, const char *code);

extern const struct lint_rule lint_things[], lint_flow[], lint_habits[], lint_names[],
    lint_words[];                    /* end with run NULL */
void lint_unused(struct lint *lint); /* lint_use.c: when the walk is over */

/* lint_kinds.c: what kind of value an expression gives. */
enum lint_kind {
    KIND_UNKNOWN,
    KIND_NIL,
    KIND_NUMBER,
    KIND_SHARE, /* a feature: 0 to 1 */
    KIND_SPAN,
    KIND_MOMENT,
    KIND_TEXT,
    KIND_BOOL,
    KIND_LIST,
    KIND_TABLE,
    KIND_FUNCTION
};
enum lint_kind lint_kind_of(const struct lint *lint, const struct at_node *node);
const char *lint_kind_word(enum lint_kind kind); /* "a number" */
bool lint_is_number(enum lint_kind kind);        /* also a share, a span, a moment */
/* The values a text can have (browse, compare, buy): how many, at most so many; 0: any. */
uint32_t lint_values_of(const struct lint *lint, const struct at_node *node, struct at_text *out,
                        uint32_t most);

#endif
