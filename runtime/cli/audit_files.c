/* SPDX-License-Identifier: Apache-2.0
 *
 * attune audit of files: finds those of a history in a folder, unpacks them piece by piece and has them
 * audited. Nothing is opened but what is read, and nothing is written.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#include "cli/audit.h"
#include "cli/cli.h"
#include "measure/audit_show.h"
#include "measure/history.h"

#define PIECE_BYTES (256u * 1024)

struct reading {
    const struct cli_call *call;
    const char *path; /* as given */
    bool is_folder;
    char **names;         /* of its files, sorted */
    size_t count, others; /* others: files that are none of a history */
    struct at_audit *audit;
    struct at_history *history;
    char *piece;
};

static bool ends_with(const char *name, const char *ending) {
    size_t n = strlen(name), m = strlen(ending);
    return n >= m && strcmp(name + n - m, ending) == 0;
}

static bool kind_of(const char *name, enum at_history_kind *kind) {
    static const struct {
        const char *ending;
        enum at_history_kind kind;
    } kinds[] = {{".csv", AT_HISTORY_LINES},     {".csv.gz", AT_HISTORY_LINES},
                 {".tsv", AT_HISTORY_LINES},     {".tsv.gz", AT_HISTORY_LINES},
                 {".jsonl", AT_HISTORY_EVENTS},  {".jsonl.gz", AT_HISTORY_EVENTS},
                 {".ndjson", AT_HISTORY_EVENTS}, {".ndjson.gz", AT_HISTORY_EVENTS}};
    for (size_t i = 0; i < AT_LENGTH(kinds); i++)
        if (ends_with(name, kinds[i].ending)) {
            *kind = kinds[i].kind;
            return true;
        }
    return false;
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
    enum at_history_kind kind;
    int code =
        folder ? EXIT_DONE
               : cli_fail(reading->call, EXIT_FAILED, "cannot read %s: %s", reading->path, strerror(errno));
    while (!code && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.') continue;
        if (kind_of(entry->d_name, &kind))
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
    enum at_history_kind kind;
    if (kind_of(reading->path, &kind)) return add_name(reading, reading->path);
    return cli_fail(
        reading->call, EXIT_REFUSED,
        "%s is neither order lines (*.csv, *.tsv) nor events (*.jsonl, *.ndjson), each also as .gz",
        reading->path);
}

/* ---- one of them ---- */

static int fail_read(const struct reading *reading, gzFile file, const char *name) {
    int code;
    const char *why = gzerror(file, &code);
    if (code == Z_BUF_ERROR)
        return cli_fail(reading->call, EXIT_REFUSED,
                        "%s is cut short: its compressed text ends in the middle; copy it again", name);
    if (code == Z_ERRNO) why = strerror(errno);
    return cli_fail(reading->call, code == Z_DATA_ERROR ? EXIT_REFUSED : EXIT_FAILED, "cannot read %s: %s",
                    name, why);
}

static int give_all(struct reading *reading, gzFile file, const char *name) {
    struct at_error err = {0};
    for (bool is_last = false; !is_last;) {
        int length = gzread(file, reading->piece, PIECE_BYTES), code = Z_OK;
        if (length >= 0 && length < (int)PIECE_BYTES) (void)gzerror(file, &code);
        if (length < 0 || code != Z_OK) return fail_read(reading, file, name);
        is_last = length < (int)PIECE_BYTES;
        enum at_status status =
            at_history_give(reading->history, reading->piece, (size_t)length, is_last, &err);
        if (status != AT_OK)
            return cli_fail(reading->call, status == AT_NOMEM ? EXIT_FAILED : EXIT_REFUSED, "%s",
                            err.message);
    }
    return EXIT_DONE;
}

static int read_one(struct reading *reading, const char *name) {
    char path[4200];
    enum at_history_kind kind = AT_HISTORY_LINES;
    const char *slash = strrchr(name, '/');
    snprintf(path, sizeof path, reading->is_folder ? "%s/%s" : "%.0s%s", reading->path, name);
    gzFile file = gzopen(path, "rb");
    if (!file) return cli_fail(reading->call, EXIT_FAILED, "cannot read %s: %s", path, strerror(errno));
    (void)kind_of(name, &kind);
    at_history_begin(reading->history, kind, slash ? slash + 1 : name);
    int code = give_all(reading, file, path);
    gzclose(file);
    return code;
}

/* ---- all of it ---- */

static int tell(struct reading *reading, struct at_bytes *first, struct at_bytes *json) {
    const struct at_audit_result *result;
    struct at_bytes columns;
    if (at_audit_finish(reading->audit, &result) != AT_OK)
        return cli_fail(reading->call, EXIT_FAILED, "out of memory");
    at_bytes_init(&columns, 8192);
    at_history_tell(reading->history, &columns);
    at_bytes_printf(first, "%s is a history that was not imported yet: %zu file%s", reading->path,
                    reading->count, reading->count == 1 ? "" : "s");
    if (columns.length)
        at_bytes_printf(first, ", columns by %s (%s)", at_history_columns(reading->history), columns.data);
    if (reading->others)
        at_bytes_printf(first, "; %zu other file%s not read", reading->others,
                        reading->others == 1 ? " was" : "s were");
    struct at_audit_about about = {.kind = "history",
                                   .name = at_text_of(reading->path),
                                   .columns = {columns.data, columns.length},
                                   .files = reading->count,
                                   .at_ms = at_clock_now(NULL)};
    at_audit_write(result, &about, json);
    bool has_failed = first->failed || json->failed || columns.failed;
    at_bytes_clear(&columns);
    return has_failed ? cli_fail(reading->call, EXIT_FAILED, "out of memory") : EXIT_DONE;
}

static int read_all(struct reading *reading) {
    struct at_error err = {0};
    struct at_audit_options options = {.is_history = true, .now_ms = at_clock_now(NULL)};
    reading->piece = malloc(PIECE_BYTES);
    reading->audit = at_audit_new(&options);
    if (!reading->piece || !reading->audit) return cli_fail(reading->call, EXIT_FAILED, "out of memory");
    enum at_status status = at_history_new(&reading->history, reading->audit, cli_value(reading->call, "map"),
                                           options.now_ms, &err);
    if (status != AT_OK)
        return cli_fail(reading->call, status == AT_NOMEM ? EXIT_FAILED : EXIT_USAGE, "%s", err.message);
    int code = EXIT_DONE;
    for (size_t i = 0; i < reading->count && !code; i++) code = read_one(reading, reading->names[i]);
    return code;
}

int audit_files(const struct cli_call *call, const char *path, struct at_bytes *first,
                struct at_bytes *json) {
    struct stat info;
    struct reading reading = {.call = call, .path = path};
    if (stat(path, &info)) return cli_fail(call, EXIT_FAILED, "cannot read %s: %s", path, strerror(errno));
    reading.is_folder = S_ISDIR(info.st_mode);
    int code = reading.is_folder ? list_folder(&reading) : list_file(&reading);
    if (!code) code = read_all(&reading);
    if (!code) code = tell(&reading, first, json);
    at_history_free(reading.history);
    at_audit_free(reading.audit);
    free(reading.piece);
    for (size_t i = 0; i < reading.count; i++) free(reading.names[i]);
    free(reading.names);
    return code;
}
