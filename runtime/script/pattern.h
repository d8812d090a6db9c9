/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua patterns over bytes, bounded: backtracking is counted and polled. Knows no Lua; find.c calls it, the
 * fuzzer too. The same answers as stock Lua 5.4, errors included, on patterns and subjects within the limits.
 */
#ifndef AT_SCRIPT_PATTERN_H
#define AT_SCRIPT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AT_PATTERN_CAPTURES_MAX 32
#define AT_PATTERN_BYTES_MAX    256
#define AT_SUBJECT_BYTES_MAX    (256 * 1024)
#define AT_PATTERN_STEPS        200000 /* and 8 for each byte of the subject, for one call of a library function */

#define AT_CAPTURE_OPEN     (-1)
#define AT_CAPTURE_POSITION (-2)
struct at_capture {
    const char *start;
    ptrdiff_t length; /* or AT_CAPTURE_… */
};
struct at_pattern {
    const char *subject, *subject_end;
    const char *pattern, *pattern_end; /* without a leading anchor */
    bool is_anchored;
    bool (*is_over)(void *arg); /* asked every 1,024 steps; may be NULL */
    void *arg;
    uint64_t steps, steps_max, next_poll;
    int depth;
    int level; /* captures of the last match */
    struct at_capture captures[AT_PATTERN_CAPTURES_MAX];
    const char *error; /* a printf format with at most one %d for error_index; NULL: none */
    int error_index;
    bool was_stopped; /* is_over said so; error is set too */
};

/* has_anchor: a leading ^ ties the match to its start. */
void at_pattern_init(struct at_pattern *m, const char *subject, size_t subject_length, const char *pattern,
                     size_t pattern_length, bool has_anchor);
/* The end of a match that starts at s, or NULL: none, or m->error. */
const char *at_pattern_match(struct at_pattern *m, const char *s);
/* Capture index (from 0; the whole match s..e if there is none) → *start and its length, AT_CAPTURE_POSITION
 * for "()". *start NULL: m->error. */
ptrdiff_t at_pattern_capture(struct at_pattern *m, int index, const char *s, const char *e,
                             const char **start);

#endif
