/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to language/: what the checks of words share: fields.c (what is read and written), check_events.c
 * (names and values that are written out).
 */
#ifndef AT_LANGUAGE_CHECK_WORDS_H
#define AT_LANGUAGE_CHECK_WORDS_H

#include "language/state.h"
#include "language/types.h"

struct word_check {
    struct at_build *build;
    const struct at_source_file *file;
    struct typing typing;
    bool is_short; /* of memory */
};
struct place { /* bytes of the source */
    uint32_t from, to;
};
struct place place_of(const struct at_node *node);
/* Once for the same bytes and code; NULL: out of memory (is_short). */
struct at_file_finding *tell(struct word_check *check, struct place place, bool is_warning, const char *code,
                             const char *fmt, ...) AT_PRINTF(5, 6);
/* fix is copied; NULL: out of memory (is_short). */
void cure(struct word_check *check, struct at_file_finding *told, struct place place, const char *fix);
const char *kept_text(struct word_check *check, struct at_text text); /* "": is_short */

/* fields.c */
void check_attribute(struct word_check *check, struct place key, struct at_text name,
                     const struct at_owner *near);
void check_purpose(struct word_check *check, struct place key, struct at_text name);
void check_table(struct word_check *check, const struct at_owner *owner, const char *called,
                 const struct at_node *table);
/* check_events.c: a value that is written out where that type is wanted. called: "customer:count" or NULL;
 * name: of the option, or "". */
void check_value(struct word_check *check, const char *called, const char *name, struct at_text type,
                 const struct at_node *value);

#endif
