/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to diff.c and diff_source.c: what the sources of one side declare, and what decides each of it.
 */
#ifndef AT_LANGUAGE_DIFF_SOURCE_H
#define AT_LANGUAGE_DIFF_SOURCE_H

#include "language/diff.h"
#include "language/parse.h"

struct diff_file {
    const char *path;
    struct at_text text;
    struct at_node *block;
    uint64_t hash; /* of its tokens */
};
struct diff_reached { /* a statement or a module that a declaration hangs on */
    struct diff_reached *next;
    const char *name, *path;
    uint64_t hash;
    const struct diff_file *file;
    const struct at_node *statement; /* NULL: the whole module */
};
struct diff_declared {
    struct diff_declared *next;
    const char *noun, *name;
    const struct diff_file *file;
    uint32_t line;
    const struct at_node *value; /* the table behind the name */
    uint64_t around; /* made within a loop or a function: a hash of the file, which may say anything */
    struct diff_reached *reached;
    bool is_matched;
};
struct diff_side {
    struct at_arena *arena;
    struct diff_file *files;
    uint32_t count;
    struct diff_declared *declared, *last;
};
/* Only files for which is_wanted. AT_OK or AT_NOMEM. */
enum at_status diff_side_read(struct diff_side *side, const struct at_diff_side *from,
                              const bool *is_wanted) AT_MUST_CHECK;
/* Of the tokens of a piece: comments, spaces, quotes and the comma before a closing brace are nothing. */
enum at_status diff_hash(struct at_arena *arena, const struct diff_file *file, const struct at_node *node,
                         uint64_t *out) AT_MUST_CHECK;
/* The same of each line that holds a token; numbers[i] is that of the line lines->hashes[i]. */
enum at_status diff_hash_lines(struct at_arena *arena, const struct diff_file *file,
                               const struct at_node *node, struct at_lines *lines,
                               uint32_t **numbers) AT_MUST_CHECK;
const char *diff_text(struct at_arena *arena, const struct diff_file *file,
                      const struct at_node *node); /* NULL: out of memory */

#endif
