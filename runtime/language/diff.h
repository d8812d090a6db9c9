/* SPDX-License-Identifier: Apache-2.0
 *
 * What a change of scripts touches: the declarations of two sets of files, compared by all that decides each
 * (its own words, the locals and functions of its file that it names, the modules it requires), and never by
 * text lines alone: comments, spaces and the place of a declaration in its file change nothing. Nothing is
 * run, so files that do not pass any more can be compared, too. Beside it the plain comparison of lines.
 */
#ifndef AT_LANGUAGE_DIFF_H
#define AT_LANGUAGE_DIFF_H

#include "base/json.h"
#include "language/language.h"

enum at_diff_did { AT_DIFF_ADDED, AT_DIFF_CHANGED, AT_DIFF_REMOVED, AT_DIFF_MOVED };

#define AT_DIFF_LINES_MAX 8
struct at_diff_field {
    struct at_diff_field *next;
    const char *name; /* "score", "diversify.at_most" */
    enum at_diff_did did;
    const char *was, *now;                         /* short plain values; else NULL */
    uint32_t line;                                 /* where it stands; of what was removed: where it stood */
    uint32_t lines[AT_DIFF_LINES_MAX], line_count; /* of one that is longer: which of it say something else */
};
struct at_diff_through { /* what decides it and stands elsewhere */
    struct at_diff_through *next;
    const char *name, *path; /* "weights", "scripts/a.lua"; of a module both are its path */
};
struct at_diff_change {
    struct at_diff_change *next;
    const char *noun,
        *name; /* "ranking", "collection"; "setting", "budgets"; "module" and "script": a path */
    enum at_diff_did did;
    const char *path; /* where it is declared; of what was removed: where it was */
    uint32_t line;
    const char *was_path; /* of AT_DIFF_MOVED */
    struct at_diff_field *fields;
    struct at_diff_through *through;
};
struct at_diff_side {
    const struct at_source_file *files; /* by path */
    uint32_t count;
    struct at_text settings; /* shop.lua; data NULL: not compared */
};
/* The changes, in the arena, ordered by noun (as the guide has them), then by name; *out NULL: none. AT_OK or
 * AT_NOMEM. */
enum at_status at_diff(struct at_arena *arena, const struct at_diff_side *before,
                       const struct at_diff_side *after, struct at_diff_change **out) AT_MUST_CHECK;
/* One line: ranking "collection" changed: score (line 4), diversify.at_most 2 → 3 (scripts/a.lua:1) */
void at_diff_words(const struct at_diff_change *change, struct at_bytes *out);
/* A list: [{"noun","name","did","script","line","fields":[{"field","did","was","now","lines"}],
 * "through":[…],"words"}] */
void at_diff_write(const struct at_diff_change *changes, struct at_json_out *out);

/* ---- lines ---- */
#define AT_LINES_MAX 20000
struct at_lines {
    uint64_t *hashes;
    uint32_t count;
};
/* The lines of a text by hash. AT_TOOBIG, AT_NOMEM. */
enum at_status at_lines_of(struct at_arena *arena, struct at_text text, struct at_lines *out) AT_MUST_CHECK;
/* from[i]: the line of before (from 1) that line i + 1 of after is; 0: it is new. A longest common
 * subsequence; where that would take too long what lies between equal ends is new. */
enum at_status at_lines_match(struct at_arena *arena, const struct at_lines *before,
                              const struct at_lines *after, uint32_t *from) AT_MUST_CHECK;

#endif
