/* SPDX-License-Identifier: Apache-2.0
 *
 * attune audit of files: finds those of a history in a folder and has their records audited one by one.
 * Nothing is opened but what is read, and nothing is written.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/audit.h"
#include "cli/history.h"
#include "measure/audit_show.h"
#include "measure/history.h"

struct reading {
    const struct cli_call *call;
    const char *path; /* as given */
    bool is_folder;
    char **names;         /* of its files, sorted */
    size_t count, others; /* others: files that are none of a history */
    struct at_audit *audit;
    struct at_history *history;
    struct history_orders how;
    const char *known;       /* by what the columns of the last file of order lines were found */
    struct at_bytes columns; /* … which is what */
};

static bool ends_with(const char *name, const char *ending) {
    size_t n = strlen(name), m = strlen(ending);
    return n >= m && strcmp(name + n - m, ending) == 0;
}

static bool are_lines(const char *name) {
    return ends_with(name, ".csv") || ends_with(name, ".csv.gz") || ends_with(name, ".tsv") ||
           ends_with(name, ".tsv.gz");
}

static bool are_events(const char *name) {
    return ends_with(name, ".jsonl") || ends_with(name, ".jsonl.gz") || ends_with(name, ".ndjson") ||
           ends_with(name, ".ndjson.gz");
}

/* ---- the files ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct reading *reading, const char *name) {
    char **names = realloc(reading->names, (reading->count + 1) * sizeof *names);
    if (names) reading->names = names;
    char *copy = names ? strdup(name) : NULL;
    if (!copy) return cli_fail(reading->call, EXIT_FAILED, "out of memory");
    names[reading->count++] = copy;
    return EXIT_DONE;
}

static int list_folder(struct reading *reading) {
    DIR *folder = opendir(reading->path);
    struct dirent *entry;
    int code =
        folder ? EXIT_DONE
               : cli_fail(reading->call, EXIT_FAILED, "cannot read %s: %s", reading->path, strerror(errno));
    while (!code && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.') continue;
        if (are_lines(entry->d_name) || are_events(entry->d_name))
            code = add_name(reading, entry->d_name);
        else
            reading->others++;
    }
    if (folder) closedir(folder);
    if (!code && !reading->count)
        return cli_fail(reading->call, EXIT_REFUSED,
                        "%s is no shop (it has no shop.lua) and holds no history: order lines as *.csv or "
                        "events as *.jsonl, each also as .gz",
                        reading->path);
    if (reading->count) qsort(reading->names, reading->count, sizeof *reading->names, by_name);
    return code;
}

static int list_file(struct reading *reading) {
    if (are_lines(reading->path) || are_events(reading->path)) return add_name(reading, reading->path);
    return cli_fail(
        reading->call, EXIT_REFUSED,
        "%s is neither order lines (*.csv, *.tsv) nor events (*.jsonl, *.ndjson), each also as .gz",
        reading->path);
}

/* ---- one of them ---- */

static int short_of_memory(const struct reading *reading) {
    return cli_fail(reading->call, EXIT_FAILED, "out of memory");
}

static int tell_columns(struct reading *reading) {
    const char *known = reading->how.columns.known;
    struct at_bytes *out = &reading->columns;
    at_bytes_reset(out);
    at_order_columns_tell(&reading->how.columns, out);
    reading->known = reading->call->list_count ? "--map and their names" : known ? known : "their names";
    return out->failed ? short_of_memory(reading) : EXIT_DONE;
}

static int read_rows(struct reading *reading, struct history_rows *rows, const char *name) {
    struct history_row row;
    int code = history_rows_rewind(rows);
    if (!code) code = history_orders_header(reading->call, rows, at_history_needs, &reading->how);
    if (!code) code = tell_columns(reading);
    at_history_begin(reading->history, name, &reading->how.rules);
    while (!code && history_rows_next(rows, &row, &code))
        if (at_history_row(reading->history, row.line, row.fields, row.count) != AT_OK)
            code = short_of_memory(reading);
    return code;
}

static int read_events(struct reading *reading, struct history_records *records, const char *name) {
    struct history_record record;
    bool has_any = false;
    int code = EXIT_DONE;
    at_history_begin(reading->history, name, NULL);
    while (!code && history_next(records, &record, &code)) {
        struct at_text text = record.wrong ? AT_TEXT("") : record.text;
        enum at_status status = at_history_event(reading->history, record.line, text);
        if (status == AT_NOMEM) code = short_of_memory(reading);
        has_any |= status == AT_OK;
    }
    if (code || has_any) return code;
    return cli_fail(reading->call, EXIT_REFUSED, "%s: not one line of it is a JSON object", name);
}

static int read_one(struct reading *reading, const char *name) {
    char path[4200];
    const char *slash = strrchr(name, '/');
    snprintf(path, sizeof path, reading->is_folder ? "%s/%s" : "%.0s%s", reading->path, name);
    struct history_file *file = history_file_open(reading->call, path, "");
    if (!file) return EXIT_FAILED;
    bool is_csv = are_lines(name);
    struct history_rows *rows = is_csv ? history_rows_open(reading->call, file) : NULL;
    struct history_records *records = is_csv ? NULL : history_lines_open(reading->call, file);
    if (slash) name = slash + 1;
    int code = rows      ? read_rows(reading, rows, name)
               : records ? read_events(reading, records, name)
                         : EXIT_FAILED;
    history_rows_close(rows);
    history_records_close(records);
    history_file_close(file);
    return code;
}

/* ---- all of it ---- */

static int tell(struct reading *reading, struct at_bytes *first, struct at_bytes *json) {
    const struct at_audit_result *result;
    const struct at_bytes *columns = &reading->columns;
    if (at_audit_finish(reading->audit, &result) != AT_OK) return short_of_memory(reading);
    at_bytes_printf(first, "%s is a history that was not imported yet: %zu file%s", reading->path,
                    reading->count, reading->count == 1 ? "" : "s");
    if (columns->length) at_bytes_printf(first, ", columns by %s (%s)", reading->known, columns->data);
    if (reading->others)
        at_bytes_printf(first, "; %zu other file%s not read", reading->others,
                        reading->others == 1 ? " was" : "s were");
    struct at_audit_about about = {.kind = "history",
                                   .name = at_text_of(reading->path),
                                   .columns = {columns->data, columns->length},
                                   .files = reading->count,
                                   .at_ms = at_clock_now(NULL)};
    at_audit_write(result, &about, json);
    return first->failed || json->failed ? short_of_memory(reading) : EXIT_DONE;
}

static int read_all(struct reading *reading) {
    struct at_audit_options options = {.is_history = true, .now_ms = at_clock_now(NULL)};
    reading->audit = at_audit_new(&options);
    reading->history = reading->audit ? at_history_new(reading->audit, options.now_ms) : NULL;
    if (!reading->history) return short_of_memory(reading);
    int code = history_orders_init(reading->call, &reading->how);
    reading->how.rules.guesses = true; /* a wrong one costs a finding, no data */
    for (size_t i = 0; i < reading->count && !code; i++) code = read_one(reading, reading->names[i]);
    return code;
}

int audit_files(const struct cli_call *call, const char *path, struct at_bytes *first,
                struct at_bytes *json) {
    struct stat info;
    struct reading reading = {.call = call, .path = path};
    if (stat(path, &info)) return cli_fail(call, EXIT_FAILED, "cannot read %s: %s", path, strerror(errno));
    reading.is_folder = S_ISDIR(info.st_mode);
    at_bytes_init(&reading.columns, (size_t)1 << 20);
    int code = reading.is_folder ? list_folder(&reading) : list_file(&reading);
    if (!code) code = read_all(&reading);
    if (!code) code = tell(&reading, first, json);
    at_history_free(reading.history);
    at_audit_free(reading.audit);
    history_orders_clear(&reading.how);
    at_bytes_clear(&reading.columns);
    for (size_t i = 0; i < reading.count; i++) free(reading.names[i]);
    free(reading.names);
    return code;
}
