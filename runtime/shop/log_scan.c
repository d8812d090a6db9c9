/* SPDX-License-Identifier: Apache-2.0
 *
 * The log from its beginning, event by event, for one request at a time.
 */
#include "shop/log_scan.h"

#include <string.h>

enum at_status log_scan_parse(struct log_scan *scan, struct at_json_parser *parser, struct at_text text,
                              struct at_json *out) {
    text = at_json_padded(&scan->arena, text);
    if (!text.data) return AT_NOMEM;
    enum at_status status = at_json_parse(parser, text.data, text.length, true, out, NULL);
    return status == AT_INVALID ? AT_IO : status;
}

static bool take_row(void *arg, const struct at_event_row *row) {
    struct log_scan *scan = arg;
    scan->status = scan->take(scan, row);
    scan->events++;
    at_arena_reset(&scan->arena);
    return scan->status == AT_OK;
}

enum at_status log_scan_events(struct log_scan *scan, uint64_t to_seq,
                               enum at_status (*take)(struct log_scan *scan,
                                                      const struct at_event_row *row)) {
    scan->take = take;
    enum at_status status = at_reader_log(scan->reader, 0, to_seq, take_row, scan);
    return status == AT_OK ? scan->status : status;
}

static enum at_status run_alone(struct log_scan *scan) {
    scan->body = parser_new();
    scan->facts = parser_new();
    at_arena_init(&scan->arena, AT_SHOP_BODY_MAX);
    enum at_status status = scan->body && scan->facts ? scan->run(scan) : AT_NOMEM;
    at_arena_clear(&scan->arena);
    at_json_parser_free(scan->body);
    at_json_parser_free(scan->facts);
    return status;
}

static enum at_status run_on_reader(struct at_job *job, struct at_reader *reader, void *arg) {
    struct log_scan *scan = arg;
    bool is_free = false;
    if (!atomic_compare_exchange_strong(&scan->shop->is_reading_log, &is_free, true))
        return at_fail(&job->err, AT_CONFLICT, scan->busy,
                       "an audit or a rehearsal is going on: ask again when it is over");
    scan->reader = reader;
    enum at_status status = run_alone(scan);
    atomic_store(&scan->shop->is_reading_log, false);
    if (status != AT_OK && !job->err.message[0])
        at_fail(&job->err, status, NULL, "the data could not be read (%s): ask again",
                at_status_word(status));
    return status;
}

void log_scan_start(struct at_job *job, size_t size, const char *busy,
                    enum at_status (*run)(struct log_scan *scan)) {
    struct log_scan *scan = at_arena_zalloc(job->arena, size);
    if (scan) {
        *scan = (struct log_scan){.job = job, .shop = job->worker->shop, .run = run, .busy = busy};
        if (errand_read_slowly(job, run_on_reader, scan) == AT_OK) return;
    }
    at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    job_end(job, AT_NOMEM);
}
