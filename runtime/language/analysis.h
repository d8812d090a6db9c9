/* SPDX-License-Identifier: Apache-2.0
 *
 * Decides from a rule's source whether it may run on columns, and finds the terms explanations show.
 *
 * A rule may run on columns when no branch, comparison, length, concatenation, loop bound, table key or call
 * that looks at a value depends on a value of the product: then one run with columns in place of numbers
 * computes for every product what a run for that product would. Functions of the same file that it calls by
 * the name of a local never assigned again are looked at like the rule itself: called with columns they are
 * just Lua. Conservative: what it does not know goes product by product.
 */
#ifndef AT_LANGUAGE_ANALYSIS_H
#define AT_LANGUAGE_ANALYSIS_H

#include <stdatomic.h>
#include "language/finding.h"
#include "language/parse.h"

/* Words and methods that mean the same on a column and on one value. NULL-terminated arrays. */
struct at_root;
struct at_vocabulary {
    const char *const *globals; /* every global a script may use: nouns, words, libraries */
    const char *const
        *words; /* globals that take columns: when min max clamp log sqrt normalize rank_of all any no */
    const char *const
        *methods; /* methods that take columns: above below at_least … or_else contains top? no */
    const char *const *nouns;   /* of this version; NULL: none known */
    const struct at_root *root; /* whose attributes have kinds; NULL: none known */
};
/* names.c: the lists out of vocabulary.h; AT_NOMEM. */
enum at_status at_vocabulary_lists(struct at_arena *arena, struct at_vocabulary *out) AT_MUST_CHECK;
struct at_term { /* a maximal summand of the returned score that depends on the product */
    uint32_t line;
    struct at_text text; /* source, white space folded: "0.40 * product.affinity" */
};
struct at_compiled;
struct at_rule_report {
    bool is_columnar;
    bool is_closed;              /* it names nothing outside itself but words and locals of its file */
    uint32_t line, column;       /* if not: what prevents it */
    struct at_text text;         /* those words of the source */
    char advice[200];            /* what to write instead, or "" */
    const struct at_term *terms; /* in order of evaluation within a line, lines ascending */
    size_t term_count;
    const struct at_compiled *compiled; /* of a rule that is not columnar: compile.h; NULL: there is none */
    /* set by whoever finds that the two ways disagree (twice.c); NULL: nobody looks */
    atomic_bool *is_demoted;
};
/* function: an AT_NODE_FUNCTION of the file (the block of at_parse) whose first parameter is the product. The
 * report's arrays live in the arena. Uses the marks of the whole file. */
enum at_status at_rule_analyse(struct at_arena *arena, struct at_text source, struct at_node *file,
                               struct at_node *function, const struct at_vocabulary *vocabulary,
                               struct at_rule_report *report) AT_MUST_CHECK;

/* Static checks of one file: syntax; unknown globals with a suggestion; assignment to a global; assignment
 * inside a function to a local of the file ("Nothing lives in Lua between calls"); what lint.h looks for.
 * Findings in order of position; a fix is one that leaves fewer of them. */
enum at_status at_source_check(struct at_arena *arena, struct at_text source,
                               const struct at_vocabulary *vocabulary,
                               struct at_finding **findings) AT_MUST_CHECK;

#endif
