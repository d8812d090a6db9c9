/* SPDX-License-Identifier: Apache-2.0
 *
 * attune import events: a file of events as the tracking SDKs send them, one after the other into the shop.
 * It goes on where it was interrupted, and a file that was imported is not imported again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/hash.h"
#include "cli/history.h"

struct importing {
    const struct cli_call *call;
    struct cli_shop *shop;
    struct history_file *file;
    struct history_records *records;
    struct history_marks marks;
    struct history_mark mark;
    struct history_say say;
};

/* How the import is done and how the file begins; false: there is no record, or *code says why. */
static bool name_file(struct importing *importing, uint64_t *first, int *code) {
    struct history_record record;
    const char *source = cli_value(importing->call, "source");
    if (!source) source = "";
    if (!history_next(importing->records, &record, code)) return false;
    *first = at_hash64_seed(source, strlen(source), history_chain(importing->records));
    return true;
}

/* Which of the marks says the same of this file, the longest. */
static int compare(struct importing *importing) {
    struct history_record record;
    uint64_t most = history_marks_most(&importing->marks);
    int code = EXIT_DONE;
    do
        history_marks_meet(&importing->marks, history_count(importing->records),
                           history_chain(importing->records), &importing->mark);
    while (history_count(importing->records) < most && history_next(importing->records, &record, &code));
    return code;
}

/* Where the import begins: importing->mark. */
static int find_start(struct importing *importing) {
    uint64_t first;
    int code;
    if (!name_file(importing, &first, &code)) return code;
    code = history_marks_read(importing->call, importing->shop, "events", first, &importing->marks);
    if (!code) code = compare(importing);
    if (code) return code;
    history_mark_choose(&importing->marks, &importing->mark, cli_value(importing->call, "again") != NULL);
    return history_records_rewind(importing->records);
}

/* Past what is done. */
static int skip(struct importing *importing, struct history_sender *sender) {
    struct history_record record;
    int code = EXIT_DONE;
    while (!code && history_count(importing->records) < importing->mark.before &&
           history_next(importing->records, &record, &code))
        code = history_pass(sender, &record);
    return code;
}

static int send_all(struct importing *importing, struct history_sender *sender) {
    struct history_records *records = importing->records;
    struct history_record record;
    int code = skip(importing, sender);
    bool is_new = !code && history_next(records, &record, &code);
    if (code) return code;
    /* All was taken before, by a run that may have been killed before it said that the file ends here; of a
     * file without an event there is nothing to say. */
    bool is_said = importing->mark.is_whole || !importing->mark.records;
    if (!is_new) return is_said ? EXIT_DONE : history_send_rest(sender, true);
    history_mark_go_on(&importing->marks, &importing->mark, "events");
    do {
        code = history_send(sender, &record, history_count(records), history_chain(records));
        history_say_progress(&importing->say, history_file_share(importing->file), history_sent(sender));
    } while (!code && history_next(records, &record, &code));
    int rest =
        code == EXIT_DONE || code == EXIT_REFUSED ? history_send_rest(sender, code == EXIT_DONE) : code;
    history_say_end(&importing->say, history_file_share(importing->file), history_sent(sender));
    return rest ? rest : code;
}

static int import_file(struct importing *importing) {
    int code = find_start(importing);
    if (code) return code;
    history_say_begin(&importing->say, "events");
    struct history_sender *sender =
        history_sender_open(importing->call, importing->shop, &importing->mark, &importing->say);
    if (!sender) return EXIT_FAILED;
    code = send_all(importing, sender);
    history_sender_close(sender);
    return code ? code : history_mark_sum(&importing->mark, "lines");
}

int import_events(const struct cli_call *call) {
    const char *folder = cli_value(call, "shop") ? cli_value(call, "shop") : ".";
    char data[4096];
    struct importing importing = {.call = call};
    if (strcmp(call->words[1], "-") != 0 && access(call->words[1], R_OK))
        return cli_fail(call, EXIT_FAILED, "cannot read %s: %s", call->words[1], strerror(errno));
    importing.shop = cli_shop_open(call, folder);
    if (!importing.shop) return EXIT_FAILED;
    importing.file = history_file_open(call, call->words[1], cli_data(call, folder, data, sizeof data));
    importing.records = importing.file ? history_records_open(call, importing.file) : NULL;
    int code = importing.records ? import_file(&importing) : EXIT_FAILED;
    history_marks_clear(&importing.marks);
    history_records_close(importing.records);
    history_file_close(importing.file);
    cli_shop_close(importing.shop);
    return code;
}
