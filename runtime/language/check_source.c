/* SPDX-License-Identifier: Apache-2.0
 *
 * Static checks of one file: what does not read, else the names it uses and what lint.c finds. A fix is told
 * only if the file has fewer findings with it.
 */
#include <stdio.h>
#include <string.h>
#include "language/analysis.h"
#include "language/lex.h"
#include "language/lint.h"

#define TRIALS_MAX 40 /* of fixes, in one check: what is over comes with the next */
#define FAULTS_MAX 40 /* of one file are told: to find the words for one the file is read again */

struct at_finding *findings_add(struct findings *findings, const struct at_node *node, const char *code) {
    struct at_finding *finding = at_arena_zalloc(findings->arena, sizeof *finding);
    if (!finding) {
        findings->is_short = true;
        return NULL;
    }
    finding->line = node->line;
    finding->column = node->column;
    finding->from = node->from;
    finding->to = node->to;
    snprintf(finding->code, sizeof finding->code, "%s", code);
    struct at_finding **end = findings->last ? &findings->last->next : &findings->first;
    *end = findings->last = finding;
    return finding;
}

/* ---- all findings ---- */

/* Of the faults behind one, those that are gone when it is mended came of it, and are not told. */
static void drop_consequences(struct at_text source, const struct at_finding *finding,
                              struct at_fault *fault) {
    struct at_arena arena;
    struct at_bytes mended;
    struct at_node *block;
    struct at_fault *left = NULL;
    int64_t shift = (int64_t)strlen(finding->fix) - (int64_t)(finding->fix_to - finding->fix_from);
    at_arena_init(&arena, 64 << 20);
    at_bytes_init(&mended, source.length + 2000);
    at_finding_mend(&mended, source, &finding, 1);
    bool is_read = !mended.failed &&
                   at_parse(&arena, (struct at_text){mended.data, mended.length}, &block, &left) == AT_OK;
    for (struct at_fault **at = &fault->next; is_read && *at;) {
        const struct at_fault *same = left;
        while (same && (int64_t)same->from != (int64_t)(*at)->from + shift) same = same->next;
        if (same)
            at = &(*at)->next;
        else
            *at = (*at)->next;
    }
    at_bytes_clear(&mended);
    at_arena_clear(&arena);
}

/* On a line that does not read, what else is found comes of that; and so does a second fault about the same
 * bytes. */
static void drop_beside_faults(struct findings *findings) {
    for (struct at_finding **at = &findings->first; *at;) {
        const struct at_finding *fault = findings->first;
        bool is_fault = strcmp((*at)->code, "syntax") == 0;
        while (fault && fault != *at &&
               (strcmp(fault->code, "syntax") != 0 ||
                (is_fault ? fault->from != (*at)->from : fault->line != (*at)->line)))
            fault = fault->next;
        if (!is_fault && fault == *at) /* one behind it on the line */
            while (fault && (strcmp(fault->code, "syntax") != 0 || fault->line != (*at)->line))
                fault = fault->next;
        if (fault && fault != *at)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
}

/* One fault as a finding; for_people: in words, and without what came of it. */
static bool add_fault(struct findings *findings, struct at_text source, struct at_fault *fault,
                      uint32_t number, uint32_t fault_count, bool for_people) {
    struct at_node place = {
        .line = fault->line, .column = fault->column, .from = fault->from, .to = fault->to};
    struct at_finding *finding = findings_add(findings, &place, "syntax");
    if (!finding) return false;
    if (for_people) at_syntax_words(findings->arena, source, fault->message, number, fault_count, finding);
    if (finding->fix && fault->next) drop_consequences(source, finding, fault);
    while (fault->next && fault->next->from == fault->from) fault->next = fault->next->next;
    return true;
}

/* for_people false: only how many there are is asked, of a trial. */
static enum at_status find(struct findings *findings, struct at_text source,
                           const struct at_vocabulary *vocabulary, bool for_people) {
    struct at_node *block;
    struct at_fault *faults;
    enum at_status status = at_parse(findings->arena, source, &block, &faults);
    if (status != AT_OK) return status;
    bool is_whole = !faults;
    uint32_t fault_count = 0, number = 0;
    for (const struct at_fault *fault = faults; fault; fault = fault->next) fault_count++;
    for (struct at_fault *fault = faults; fault && number < FAULTS_MAX; fault = fault->next, number++)
        if (!add_fault(findings, source, fault, number, fault_count, for_people)) return AT_NOMEM;
    status = lint_run(findings, source, block, vocabulary, is_whole);
    if (!is_whole) drop_beside_faults(findings);
    return status;
}

/* ---- fixes are tried ---- */

struct tally {
    uint32_t errors, warnings;
};
static struct tally count(const struct at_finding *finding) {
    struct tally tally = {0, 0};
    for (; finding; finding = finding->next)
        if (finding->is_warning)
            tally.warnings++;
        else
            tally.errors++;
    return tally;
}

static bool is_fewer(struct tally now, struct tally before) {
    return now.errors < before.errors || (now.errors == before.errors && now.warnings < before.warnings);
}

static enum at_status count_all(struct at_text source, const struct at_vocabulary *vocabulary,
                                struct tally *out) {
    struct at_arena arena;
    struct findings found = {.arena = &arena};
    at_arena_init(&arena, 64 << 20);
    enum at_status status = find(&found, source, vocabulary, false);
    *out = count(found.first);
    at_arena_clear(&arena);
    return status;
}

static enum at_status try_cure(struct at_finding *finding, struct at_text source,
                               const struct at_vocabulary *vocabulary, struct tally before) {
    struct at_bytes mended;
    struct tally after = {0};
    const struct at_finding *one = finding;
    at_bytes_init(&mended, source.length + 2000);
    at_finding_mend(&mended, source, &one, 1);
    enum at_status status = mended.failed ? AT_NOMEM : AT_OK;
    if (status == AT_OK) status = count_all((struct at_text){mended.data, mended.length}, vocabulary, &after);
    if (status == AT_OK && !is_fewer(after, before)) finding->fix = NULL;
    at_bytes_clear(&mended);
    return status;
}

enum at_status at_source_check(struct at_arena *arena, struct at_text source,
                               const struct at_vocabulary *vocabulary, struct at_finding **findings) {
    struct findings found = {.arena = arena};
    enum at_status status = find(&found, source, vocabulary, true);
    *findings = found.first = at_findings_sort(found.first);
    struct tally before = {0, 0};
    if (status == AT_OK) status = count_all(source, vocabulary, &before);
    int trials = 0;
    for (struct at_finding *finding = found.first; finding && status == AT_OK; finding = finding->next) {
        bool is_tried = strcmp(finding->code, "syntax") == 0; /* it was: the file reads further with it */
        if (!finding->fix || is_tried) continue;
        if (trials++ >= TRIALS_MAX)
            finding->fix = NULL;
        else
            status = try_cure(finding, source, vocabulary, before);
    }
    return status;
}
