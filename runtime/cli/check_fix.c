/* SPDX-License-Identifier: Apache-2.0
 *
 * attune check --fix: puts in what is certain, round by round in memory, as long as that leaves fewer
 * findings; then all files that changed are written at once, each by a rename. --dry-run shows the changes
 * instead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/check.h"

#define ROUNDS_MAX 20
#define FIXES_MAX  200 /* of one file and round */
#define CONTEXT    3
#define LINES_MAX  8000

/* ---- one round ---- */

struct fixes {
    const struct at_finding *list[FIXES_MAX];
    uint32_t count;
};
struct round {
    struct checked *checked;
    struct fixes *files; /* shop.lua, then the scripts */
    struct at_bytes *log;
    uint32_t limit; /* fixes taken of a file */
};

static uint32_t file_of(const struct checked *checked, const char *path) {
    for (uint32_t i = 0; i < checked->file_count; i++)
        if (at_text_is(checked->files[i].path, path)) return i + 1;
    return 0;
}

/* By place; what reaches into another waits for the next round. */
static void take_fix(void *arg, const char *path, struct at_text text, const struct at_finding *finding) {
    struct round *round = arg;
    struct fixes *fixes = &round->files[file_of(round->checked, path)];
    uint32_t at = fixes->count;
    (void)text;
    if (!finding->fix || fixes->count >= round->limit) return;
    while (at && fixes->list[at - 1]->fix_from > finding->fix_from) at--;
    if (at && fixes->list[at - 1]->fix_to >= finding->fix_from) return;
    if (at < fixes->count && finding->fix_to >= fixes->list[at]->fix_from) return;
    memmove(&fixes->list[at + 1], &fixes->list[at], (fixes->count - at) * sizeof fixes->list[0]);
    fixes->list[at] = finding;
    fixes->count++;
}

static bool mend_file(struct checked *checked, uint32_t file, const struct fixes *fixes) {
    struct at_text *text = file ? &checked->files[file - 1].text : &checked->settings_text;
    struct at_bytes mended;
    if (!fixes->count) return true;
    at_bytes_init(&mended, 4 << 20);
    at_finding_mend(&mended, *text, fixes->list, fixes->count);
    const char *kept = mended.failed ? NULL : at_arena_dup(&checked->arena, mended.data, mended.length);
    if (kept) *text = (struct at_text){kept, mended.length};
    at_bytes_clear(&mended);
    return kept != NULL;
}

static void log_fixes(struct round *round) {
    for (uint32_t i = 0; i <= round->checked->file_count; i++)
        for (uint32_t k = 0; k < round->files[i].count; k++) {
            const struct at_finding *finding = round->files[i].list[k];
            at_bytes_printf(round->log, "%s:%u:%u  %s%s%s\n",
                            i ? round->checked->files[i - 1].path.data : "shop.lua", finding->line,
                            finding->column, finding->message, *finding->hint ? "; " : "", finding->hint);
        }
}

/* Fewer faults; else no more mistakes, and no more warnings unless there are fewer mistakes: what did not
 * read hid what it names, and what names nothing hid what is declared. */
static bool is_sounder(struct check_count now, struct check_count before) {
    if (now.faults != before.faults) return now.faults < before.faults;
    if (now.errors != before.errors) return now.errors < before.errors;
    return before.errors || now.warnings < before.warnings;
}

/* One round with at most so many fixes a file. *is_done: there was nothing to do, or it made nothing better
 * and was taken back. */
static enum at_status run_round(struct checked *checked, struct at_bytes *log, uint32_t limit,
                                bool *is_done) {
    uint32_t count = checked->file_count;
    struct check_count before = check_count(checked);
    struct at_source_file *files = at_arena_alloc(&checked->arena, (count + 1) * sizeof *files);
    struct round round = {checked, at_arena_zalloc(&checked->arena, (count + 1) * sizeof *round.files), log,
                          limit};
    struct at_text settings = checked->settings_text;
    size_t logged = log->length;
    *is_done = true;
    if (!files || !round.files) return AT_NOMEM;
    memcpy(files, checked->files, count * sizeof *files);
    check_each(checked, take_fix, &round);
    uint32_t taken = 0;
    for (uint32_t i = 0; i <= count; i++) taken += round.files[i].count;
    if (!taken) return AT_OK;
    log_fixes(&round);
    for (uint32_t i = 0; i <= count; i++)
        if (!mend_file(checked, i, &round.files[i])) return AT_NOMEM;
    enum at_status status = check_judge(checked);
    if (status != AT_OK && status != AT_UNPROCESSABLE) return status;
    *is_done = !is_sounder(check_count(checked), before);
    if (!*is_done) return AT_OK;
    log->length = logged;
    checked->settings_text = settings;
    memcpy(checked->files, files, count * sizeof *files);
    status = check_judge(checked);
    return status == AT_UNPROCESSABLE ? AT_OK : status;
}

/* ---- the changes, shown ---- */

static uint32_t split(struct at_text text, struct at_text *lines) {
    uint32_t count = 0;
    for (size_t at = 0; at < text.length && count < LINES_MAX;) {
        const char *end = memchr(text.data + at, '\n', text.length - at);
        size_t length = end ? (size_t)(end - text.data) - at + 1 : text.length - at;
        lines[count++] = (struct at_text){text.data + at, length};
        at += length;
    }
    return count;
}

static void print_line(char mark, struct at_text line) {
    bool has_end = line.length && line.data[line.length - 1] == '\n';
    printf("%c%.*s%s", mark, (int)line.length, line.data, has_end ? "" : "\n\\ No newline at end of file\n");
}

/* One hunk from the first line that differs to the last: fixes are few and near. */
static void print_diff(const char *path, struct at_text before, struct at_text after) {
    struct at_text *lines = calloc(2 * LINES_MAX, sizeof *lines), *old = lines, *new = lines + LINES_MAX;
    if (!lines) return;
    uint32_t n = split(before, old), m = split(after, new), head = 0, tail = 0;
    while (head < n && head < m && at_text_equal(old[head], new[head])) head++;
    while (tail < n - head && tail < m - head && at_text_equal(old[n - 1 - tail], new[m - 1 - tail])) tail++;
    uint32_t from = head > CONTEXT ? head - CONTEXT : 0, rest = tail > CONTEXT ? tail - CONTEXT : 0;
    printf("--- a/%s\n+++ b/%s\n@@ -%u,%u +%u,%u @@\n", path, path, from + 1, n - rest - from, from + 1,
           m - rest - from);
    for (uint32_t i = from; i < head; i++) print_line(' ', old[i]);
    for (uint32_t i = head; i < n - tail; i++) print_line('-', old[i]);
    for (uint32_t i = head; i < m - tail; i++) print_line('+', new[i]);
    for (uint32_t i = n - tail; i < n - rest; i++) print_line(' ', old[i]);
    free(lines);
}

/* ---- all of it ---- */

/* What is in the folder is still what was read: else somebody saved meanwhile. */
static enum at_status is_still(struct checked *checked, const struct folder_change *change,
                               struct at_text was) {
    struct at_text now;
    enum at_status status =
        folder_read_file(checked->folder, change->path.data, &checked->arena, &now, &checked->err);
    if (status != AT_OK) return status;
    return at_text_equal(now, was)
               ? AT_OK
               : at_fail(&checked->err, AT_CONFLICT, NULL,
                         "%s was saved meanwhile: nothing was changed; try again", change->path.data);
}

static int write_changes(struct checked *checked, const struct at_source_file *was,
                         struct at_text settings_was) {
    struct folder_change *changes =
        at_arena_zalloc(&checked->arena, (checked->file_count + 1) * sizeof *changes);
    uint32_t count = 0;
    enum at_status status = changes ? AT_OK : AT_NOMEM;
    bool dry = cli_value(checked->call, "dry-run") != NULL;
    for (uint32_t i = 0; status == AT_OK && i <= checked->file_count; i++) {
        struct at_text now = i ? checked->files[i - 1].text : checked->settings_text,
                       old = i ? was[i - 1].text : settings_was;
        if (at_text_equal(now, old)) continue;
        changes[count] = (struct folder_change){i ? checked->files[i - 1].path : AT_TEXT("shop.lua"), now};
        if (dry) print_diff(changes[count].path.data, old, now);
        if (!dry) status = is_still(checked, &changes[count], old);
        count++;
    }
    if (status == AT_OK && !dry && count)
        status = folder_write(checked->folder, changes, count, &checked->err);
    return status == AT_OK ? EXIT_DONE : cli_fail(checked->call, EXIT_FAILED, "%s", checked->err.message);
}

int check_fix(struct checked *checked) {
    struct at_bytes log;
    struct at_text settings_was = checked->settings_text;
    struct at_source_file *was = at_arena_alloc(&checked->arena, (checked->file_count + 1) * sizeof *was);
    enum at_status status = was ? AT_OK : AT_NOMEM;
    bool is_done = false;
    if (was) memcpy(was, checked->files, checked->file_count * sizeof *was);
    at_bytes_init(&log, 4 << 20);
    for (int round = 0; status == AT_OK && !is_done && round < ROUNDS_MAX; round++) {
        status = run_round(checked, &log, FIXES_MAX, &is_done);
        if (status == AT_OK && is_done) status = run_round(checked, &log, 1, &is_done);
    }
    int code = status == AT_OK ? write_changes(checked, was, settings_was)
                               : cli_fail(checked->call, EXIT_FAILED, "%s", checked->err.message);
    bool is_quiet = cli_value(checked->call, "json") || cli_value(checked->call, "format");
    if (code == EXIT_DONE && log.length && !is_quiet)
        printf("%s:\n%.*s\n", cli_value(checked->call, "dry-run") ? "would mend" : "mended", (int)log.length,
               log.data);
    at_bytes_clear(&log);
    return code == EXIT_DONE ? check_show(checked) : code;
}
