/* SPDX-License-Identifier: Apache-2.0
 *
 * attune backup, attune restore. A backup of a shop that is served is made by its process, asked through the
 * socket in its data folder, on a thread here, while this one asks how far it is; of one that nobody serves
 * it is made here, from the data folder alone. A restore is always done here: nobody may have the folder.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json.h"
#include "base/time.h"
#include "cli/cli.h"
#include "loop/thread.h"
#include "net/client.h"
#include "store/store.h"

#define TICK_US   20000 /* so often it is looked whether the answer is there, */
#define ASK_TICKS 10    /* and so many of them later how far it is */
#define STEP      10    /* per cent between two lines in a pipe */

/* ---- how far it is ---- */

struct shown { /* on standard error: a bar on a terminal, plain lines in a pipe */
    bool is_terminal, is_checking, is_open;
    int last; /* per cent; -1: nothing yet */
};

static void show(struct shown *shown, const struct at_backup_progress *progress) {
    int share = progress->total_bytes ? (int)(100 * progress->done_bytes / progress->total_bytes) : 0;
    bool is_news = progress->is_checking != shown->is_checking || shown->last < 0 ||
                   share >= shown->last + (shown->is_terminal ? 1 : STEP);
    if (!is_news) return;
    if (shown->is_terminal) fprintf(stderr, "\r\033[K");
    if (progress->is_checking)
        fprintf(stderr, "checking the copy");
    else
        fprintf(stderr, "copying: %d %% of %.1f MB", share, (double)progress->total_bytes / 1e6);
    if (!shown->is_terminal) fputc('\n', stderr);
    shown->is_open = shown->is_terminal;
    shown->is_checking = progress->is_checking;
    shown->last = share;
}

static void show_here(void *arg, const struct at_backup_progress *progress) {
    show(arg, progress);
}

static void end_show(struct shown *shown) {
    if (shown->is_open) fputc('\n', stderr);
    shown->is_open = false;
}

static struct shown begin_show(void) {
    return (struct shown){.is_terminal = isatty(STDERR_FILENO), .last = -1};
}

static int code_of(enum at_status status) {
    switch (status) {
    case AT_OK: return EXIT_DONE;
    case AT_UNPROCESSABLE:
    case AT_UNSUPPORTED:
    case AT_CONFLICT:
    case AT_INVALID: return EXIT_REFUSED;
    default: return EXIT_FAILED;
    }
}

/* ---- backup ---- */

/* The server has another working folder. */
static int whole_path(const struct cli_call *call, const char *file, char out[PATH_MAX]) {
    char parent[PATH_MAX], name[PATH_MAX], real[PATH_MAX];
    size_t length = strlen(file);
    if (!length || file[length - 1] == '/' || length >= PATH_MAX)
        return cli_fail(call, EXIT_USAGE, "\"%s\" names no file: attune backup FILE", file);
    snprintf(parent, sizeof parent, "%s", file);
    snprintf(name, sizeof name, "%s", file);
    if (!realpath(dirname(parent), real))
        return cli_fail(call, EXIT_FAILED, "cannot write %s: %s", file, strerror(errno));
    int n = snprintf(out, PATH_MAX, "%s%s%s", real, strcmp(real, "/") == 0 ? "" : "/", basename(name));
    return n < PATH_MAX ? EXIT_DONE : cli_fail(call, EXIT_USAGE, "that path is too long");
}

static int say_done(const struct cli_call *call, const char *path, const char *data,
                    const struct at_backup_result *result, double seconds) {
    struct stat found;
    if (stat(path, &found) || (uint64_t)found.st_size != result->bytes)
        return cli_fail(
            call, EXIT_FAILED,
            "the server wrote %s, but it is not to be seen here: it has a /tmp or a root of its own "
            "(systemd's PrivateTmp); name a path that both see",
            path);
    printf(
        "%s: %.1f MB, %llu events, %.1f s; keep erasure.key and erasures.log of the data folder (%s) apart "
        "from it: a restore needs them to forget again who was erased since\n",
        path, (double)result->bytes / 1e6, (unsigned long long)result->events, seconds, data);
    return EXIT_DONE;
}

static int backup_here(const struct cli_call *call, const char *path, const char *data) {
    char database[PATH_MAX];
    struct at_error err = {0};
    struct at_store *store;
    struct at_log log = {.fd = STDERR_FILENO};
    struct at_store_options options = {.directory = data, .log = &log, .reader_count = 1};
    struct at_backup_result result;
    struct shown shown = begin_show();
    snprintf(database, sizeof database, "%.*s/attune.db", PATH_MAX - 20, data);
    if (access(database, F_OK))
        return cli_fail(call, EXIT_FAILED, "there is no shop's data in %s: say where with --data DIR", data);
    if (at_store_open(&store, &options, &err) != AT_OK) return cli_fail(call, EXIT_FAILED, "%s", err.message);
    uint64_t began = at_ticks_ns();
    struct at_backup what = {.path = path,
                             .replaces = cli_value(call, "force") != NULL,
                             .now_ms = at_clock_now(NULL),
                             .progress = show_here,
                             .arg = &shown};
    enum at_status status = at_store_backup(store, &what, &result, &err);
    double seconds = (double)(at_ticks_ns() - began) / 1e9;
    at_store_close(store);
    end_show(&shown);
    if (status != AT_OK) return cli_fail(call, code_of(status), "%s", err.message);
    return say_done(call, path, data, &result, seconds);
}

struct asking { /* one request, on a thread of its own */
    const char *socket_path;
    struct at_bytes body, answer;
    struct at_error err;
    int status; /* 0: no answer */
    _Atomic bool is_over;
};

static void ask_for_backup(void *arg) {
    struct asking *asking = arg;
    struct at_text body = {asking->body.data, asking->body.length};
    if (at_client_call(asking->socket_path, "POST", "/v1/backup", body, &asking->status, &asking->answer,
                       &asking->err) != AT_OK)
        asking->status = 0;
    asking->is_over = true;
}

static uint64_t number(struct at_json json, const char *name) {
    int64_t n = 0;
    at_json_int(at_json_get(json, name), &n);
    return n > 0 ? (uint64_t)n : 0;
}

/* An answer that does not come shows nothing: the other request says what is wrong. */
static void show_far(const struct asking *asking, struct at_json_parser *parser, struct shown *shown) {
    struct at_bytes answer;
    struct at_json json;
    struct at_error err;
    int status = 0;
    at_bytes_init(&answer, 1 << 20);
    if (at_client_call(asking->socket_path, "GET", "/v1/backup", AT_TEXT(""), &status, &answer, &err) ==
            AT_OK &&
        status == 200 && at_json_parse(parser, answer.data, answer.length, false, &json, &err) == AT_OK) {
        struct at_text state = at_json_text(at_json_get(json, "state"));
        struct at_backup_progress progress = {at_text_is(state, "checking"), number(json, "done_bytes"),
                                              number(json, "total_bytes")};
        bool is_shown = progress.total_bytes && (progress.is_checking || at_text_is(state, "copying"));
        if (is_shown) show(shown, &progress);
    }
    at_bytes_clear(&answer);
}

static int read_result(const struct cli_call *call, struct asking *asking, struct at_json_parser *parser,
                       const char *path, const char *data) {
    struct at_json json;
    double seconds = 0;
    if (!asking->status) return cli_fail(call, EXIT_FAILED, "%s", asking->err.message);
    if (!at_bytes_reserve(&asking->answer, AT_JSON_PADDING))
        return cli_fail(call, EXIT_FAILED, "out of memory");
    if (!cli_read(call, asking->status, &asking->answer, parser, &json))
        return asking->status < 500 ? EXIT_REFUSED : EXIT_FAILED;
    struct at_backup_result result = {number(json, "bytes"), number(json, "events")};
    at_json_number(at_json_get(json, "seconds"), &seconds);
    return say_done(call, path, data, &result, seconds);
}

static void write_request(struct at_bytes *body, const char *path, bool replaces) {
    struct at_json_out out = at_json_out(body);
    at_json_open(&out, '{');
    at_json_add_string(&out, "file", path);
    at_json_add_bool(&out, "force", replaces);
    at_json_close(&out, '}');
}

static int backup_there(const struct cli_call *call, const char *path, const char *data,
                        const char *socket_path) {
    struct asking asking = {.socket_path = socket_path};
    struct shown shown = begin_show();
    struct at_error err = {0};
    pthread_t thread;
    int code = EXIT_FAILED;
    struct at_json_parser *parser = at_json_parser_new(1 << 20, 16);
    at_bytes_init(&asking.body, 1 << 16);
    at_bytes_init(&asking.answer, 1 << 20);
    write_request(&asking.body, path, cli_value(call, "force") != NULL);
    if (!parser || asking.body.failed)
        cli_fail(call, EXIT_FAILED, "out of memory");
    else if (at_thread_start(&thread, "asking", ask_for_backup, &asking, 0, &err) != AT_OK)
        cli_fail(call, EXIT_FAILED, "%s", err.message);
    else {
        for (int n = 1; !asking.is_over; n++) {
            usleep(TICK_US);
            if ((shown.last < 0 || n % ASK_TICKS == 0) && !asking.is_over) show_far(&asking, parser, &shown);
        }
        at_thread_join(thread);
        end_show(&shown);
        code = read_result(call, &asking, parser, path, data);
    }
    if (parser) at_json_parser_free(parser);
    at_bytes_clear(&asking.body);
    at_bytes_clear(&asking.answer);
    return code;
}

int run_backup(const struct cli_call *call) {
    char path[PATH_MAX], data[4096], socket_path[4200];
    const char *folder = cli_value(call, "shop");
    cli_data(call, folder ? folder : ".", data, sizeof data);
    snprintf(socket_path, sizeof socket_path, "%s/attune.sock", data);
    int code = whole_path(call, call->words[0], path);
    if (code) return code;
    return at_client_is_there(socket_path) ? backup_there(call, path, data, socket_path)
                                           : backup_here(call, path, data);
}

/* ---- restore ---- */

static void say_restored(const struct cli_call *call, const char *data,
                         const struct at_restore_result *result, double seconds) {
    char from[AT_TIME_SIZE] = "an unknown moment";
    if (result->from_ms) at_time_format(result->from_ms, from);
    if (result->kept[0]) printf("the database that was there is %s/%s\n", data, result->kept);
    if (cli_value(call, "no-erasures"))
        printf("without a list of erasures: whoever was erased since is there again\n");
    printf("%s: %.1f MB, %llu events, as of %s, %.1f s; it sends nothing until attune resume\n", data,
           (double)result->bytes / 1e6, (unsigned long long)result->events, from, seconds);
}

int run_restore(const struct cli_call *call) {
    char data[4096];
    const char *folder = cli_value(call, "shop");
    struct shown shown = begin_show();
    struct at_error err = {0};
    struct at_restore_result result;
    struct at_restore what = {.file = call->words[0],
                              .directory = cli_data(call, folder ? folder : ".", data, sizeof data),
                              .erasures = cli_value(call, "erasures"),
                              .key = cli_value(call, "key"),
                              .replaces = cli_value(call, "force") != NULL,
                              .has_no_erasures = cli_value(call, "no-erasures") != NULL,
                              .now_ms = at_clock_now(NULL),
                              .progress = show_here,
                              .arg = &shown};
    if (what.has_no_erasures && (what.erasures || what.key))
        return cli_fail(call, EXIT_USAGE, "--no-erasures and --erasures or --key exclude each other");
    uint64_t began = at_ticks_ns();
    enum at_status status = at_store_restore(&what, &result, &err);
    end_show(&shown);
    if (status != AT_OK) return cli_fail(call, code_of(status), "%s", err.message);
    say_restored(call, data, &result, (double)(at_ticks_ns() - began) / 1e9);
    return EXIT_DONE;
}
