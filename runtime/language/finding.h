/* SPDX-License-Identifier: Apache-2.0
 *
 * What a check found in a script, for people and for editors: where, what, and what to write instead. Made by
 * the checks of language/, shown by attune check, a publish and the console.
 */
#ifndef AT_LANGUAGE_FINDING_H
#define AT_LANGUAGE_FINDING_H

#include <stdbool.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/json.h"

struct at_finding {
    struct at_finding *next;
    bool is_warning;
    uint32_t line, column; /* from 1; columns in bytes */
    uint32_t from, to;     /* the bytes of the source it is about; to 0: only the place is known */
    char code[40]; /* "unknown_name" "syntax" "assigned_global" … : one a kind, listed in the reference */
    char message[256]; /* one sentence, without jargon */
    char hint[200];    /* or "" */
    /* Putting fix in place of these bytes cures it (equal: fix goes in between). NULL: nothing certain is
     * known. The text lives in the arena of the check. */
    const char *fix;
    uint32_t fix_from, fix_to;
};
/* By their places; of one place as they came. */
struct at_finding *at_findings_sort(struct at_finding *list);
/* "path:line:column  message", the source line, a line with marks under what it is about, "Hint: …" —
 * appended to out. */
void at_finding_print(struct at_bytes *out, const char *path, struct at_text source,
                      const struct at_finding *finding);
/* For programs: the same fields wherever a finding is told as JSON. */
void at_finding_write(struct at_json_out *out, const char *path, const struct at_finding *finding);
/* The source with fixes in place; fix_from ascending, none reaching into the next. */
void at_finding_mend(struct at_bytes *out, struct at_text source, const struct at_finding *const *findings,
                     size_t count);

#endif
