/* SPDX-License-Identifier: Apache-2.0
 *
 * attune import catalog: reads a file row by row and sends what it could read in batches. Every row that was
 * not taken is said with its line; the good ones are kept. A bar on a terminal, plain lines in a pipe.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json.h"
#include "catalog/feed.h"
#include "cli/history.h"

#define BATCH_BYTES (4u << 20)
#define SHOWN_MAX   1000 /* bad rows said one by one; the rest are counted */

struct importing {
    const struct cli_call *call;
    struct cli_shop *shop;
    struct at_json_parser *parser;
    struct at_bytes batch, answer;
    size_t *lines; /* of the rows of the batch */
    size_t count, capacity;
    size_t accepted, unchanged, bad, retired, read_bytes, file_bytes;
    bool is_terminal, is_whole; /* is_whole: one call, because the list is complete */
};

static void say_bad(struct importing *importing, size_t line, struct at_text id, const char *message,
                    size_t length) {
    importing->bad++;
    if (importing->bad > SHOWN_MAX) return;
    if (importing->is_terminal) fprintf(stderr, "\r\033[K");
    fprintf(stderr, "line %zu", line);
    if (id.length) fprintf(stderr, " (%.*s)", (int)id.length, id.data);
    fprintf(stderr, ": %.*s\n", (int)length, message);
}

static void say_progress(const struct importing *importing, bool is_last) {
    double share = importing->file_bytes ? (double)importing->read_bytes / (double)importing->file_bytes : 1;
    size_t done = importing->accepted + importing->unchanged;
    if (!importing->is_terminal) {
        if (!is_last) fprintf(stderr, "%3.0f %%  %zu products\n", 100 * share, done);
        return;
    }
    int filled = (int)(share * 30);
    fprintf(stderr, "\r\033[K[%.*s%*s] %3.0f %%  %zu products%s", filled, "##############################",
            30 - filled, "", 100 * share, done, is_last ? "\n" : "");
}

static int take_answer(struct importing *importing, struct at_json json) {
    int64_t n;
    if (at_json_int(at_json_get(json, "accepted"), &n)) importing->accepted += (size_t)n;
    if (at_json_int(at_json_get(json, "unchanged"), &n)) importing->unchanged += (size_t)n;
    if (at_json_int(at_json_get(json, "retired"), &n)) importing->retired += (size_t)n;
    struct at_json_each it = at_json_each(at_json_get(json, "results"));
    while (at_json_next(&it)) {
        struct at_text message = at_json_text(at_json_get(it.value, "message"));
        int64_t line = 0;
        at_json_int(at_json_get(it.value, "line"), &line);
        size_t where = line > 0 && (size_t)line <= importing->count ? importing->lines[line - 1] : 0;
        say_bad(importing, where, at_json_text(at_json_get(it.value, "id")),
                message.data ? message.data : "not accepted", message.data ? message.length : 12);
    }
    return EXIT_DONE;
}

static int send_batch(struct importing *importing) {
    struct at_json json;
    char path[64];
    if (!importing->count && !importing->is_whole) return EXIT_DONE;
    snprintf(path, sizeof path, "/v1/catalog/items%s%s", importing->is_whole ? "?complete=true" : "",
             importing->is_whole && cli_value(importing->call, "sure") ? "&sure=true" : "");
    if (importing->batch.failed) return cli_fail(importing->call, EXIT_FAILED, "out of memory");
    int status =
        cli_shop_call(importing->shop, "PUT", path, importing->batch.data ? importing->batch.data : "",
                      importing->batch.length, &importing->answer);
    if (!cli_read(importing->call, status, &importing->answer, importing->parser, &json))
        return status >= 400 && status < 500 ? EXIT_REFUSED : EXIT_FAILED;
    take_answer(importing, json);
    importing->count = 0;
    at_bytes_reset(&importing->batch);
    return EXIT_DONE;
}

static int add_row(struct importing *importing, struct at_json document, size_t line) {
    if (importing->count == importing->capacity) {
        size_t capacity = importing->capacity ? importing->capacity * 2 : 1024;
        size_t *lines = realloc(importing->lines, capacity * sizeof *lines);
        if (!lines) return cli_fail(importing->call, EXIT_FAILED, "out of memory");
        importing->lines = lines;
        importing->capacity = capacity;
    }
    importing->lines[importing->count++] = line;
    struct at_json_out out = at_json_out(&importing->batch);
    at_json_put_value(&out, document);
    at_bytes_add(&importing->batch, "\n", 1);
    if (importing->is_whole || importing->batch.length < BATCH_BYTES) return EXIT_DONE;
    int code = send_batch(importing);
    if (!code) say_progress(importing, false);
    return code;
}

static int drain(struct importing *importing, struct at_feed *feed) {
    for (int code = EXIT_DONE; !code;) {
        struct at_json document;
        struct at_error err = {0};
        size_t line = 0;
        enum at_status status = at_feed_next(feed, &document, &line, &err);
        if (status == AT_NOTFOUND) return EXIT_DONE;
        if (status == AT_NOMEM) return cli_fail(importing->call, EXIT_FAILED, "out of memory");
        if (status != AT_OK)
            say_bad(importing, line, (struct at_text){NULL, 0}, err.message, strlen(err.message));
        else
            code = add_row(importing, document, line);
        if (code) return code;
    }
    return EXIT_DONE;
}

static int read_file(struct importing *importing, FILE *file, const char *name) {
    static char piece[256 * 1024];
    struct at_error err = {0};
    enum at_feed_kind kind;
    size_t length = fread(piece, 1, sizeof piece, file);
    if (at_feed_kind_of(strcmp(name, "-") == 0 ? NULL : name, (struct at_text){piece, length}, &kind, &err) !=
        AT_OK)
        return cli_fail(importing->call, EXIT_REFUSED, "%s", err.message);
    struct at_feed *feed = at_feed_new(kind, NULL);
    int code = feed ? EXIT_DONE : cli_fail(importing->call, EXIT_FAILED, "out of memory");
    while (!code) {
        bool is_last = length < sizeof piece && feof(file);
        importing->read_bytes += length;
        if (at_feed_give(feed, piece, length, is_last, &err) != AT_OK)
            code = cli_fail(importing->call, EXIT_REFUSED, "%s", err.message);
        else
            code = drain(importing, feed);
        if (is_last || code) break;
        length = fread(piece, 1, sizeof piece, file);
        if (ferror(file))
            code = cli_fail(importing->call, EXIT_FAILED, "cannot read %s: %s", name, strerror(errno));
    }
    if (feed) at_feed_free(feed);
    return code ? code : send_batch(importing);
}

int import_catalog(const struct cli_call *call) {
    const char *name = call->words[1], *folder = cli_value(call, "shop") ? cli_value(call, "shop") : ".";
    struct stat info;
    struct importing importing = {
        .call = call, .is_terminal = isatty(STDERR_FILENO), .is_whole = cli_value(call, "complete") != NULL};
    if (cli_value(call, "sure") && !importing.is_whole)
        return cli_fail(call, EXIT_USAGE, "--sure belongs to --complete");
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
    if (!file) return cli_fail(call, EXIT_FAILED, "cannot read %s: %s", name, strerror(errno));
    if (fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode)) importing.file_bytes = (size_t)info.st_size;
    at_bytes_init(&importing.batch, 1u << 30);
    at_bytes_init(&importing.answer, 1u << 30);
    importing.parser = at_json_parser_new(1u << 30, 64);
    importing.shop = cli_shop_open(call, folder);
    int code = importing.shop && importing.parser ? read_file(&importing, file, name) : EXIT_FAILED;
    if (!code) {
        say_progress(&importing, true);
        if (importing.bad > SHOWN_MAX) fprintf(stderr, "… and %zu more\n", importing.bad - SHOWN_MAX);
        printf("%zu products taken, %zu unchanged, %zu retired, %zu rows not accepted\n", importing.accepted,
               importing.unchanged, importing.retired, importing.bad);
        if (importing.bad) code = EXIT_REFUSED;
    }
    if (importing.shop) cli_shop_close(importing.shop);
    if (importing.parser) at_json_parser_free(importing.parser);
    at_bytes_clear(&importing.batch);
    at_bytes_clear(&importing.answer);
    free(importing.lines);
    if (file != stdin) fclose(file);
    return code;
}
