/* SPDX-License-Identifier: Apache-2.0
 *
 * One scan of the log for a request that takes long: audits and rehearsals. On the reader thread for that,
 * one at a time in the process: nobody waits in a queue for what takes long, not knowing for how long. Events
 * go on meanwhile.
 */
#ifndef AT_SHOP_LOG_SCAN_H
#define AT_SHOP_LOG_SCAN_H

#include "shop/internal.h"

struct log_scan { /* the first member of what the request keeps */
    struct at_job *job;
    struct at_shop *shop;
    struct at_reader *reader;
    struct at_json_parser *body, *facts; /* of an event, or what else is read meanwhile */
    struct at_arena arena;               /* of one event: empty again before the next */
    uint64_t events;                     /* read so far */
    enum at_status (*run)(struct log_scan *scan);
    enum at_status (*take)(struct log_scan *scan, const struct at_event_row *row);
    enum at_status status; /* of take */
    const char *busy;
};

/* The job ends with what run answers; if that is an error which job->err does not explain, it is said that
 * the data could not be read. AT_CONFLICT with the code busy ("auditing"): one is going on. size: of what the
 * request keeps, zeroed, in the job's arena. */
void log_scan_start(struct at_job *job, size_t size, const char *busy,
                    enum at_status (*run)(struct log_scan *scan));
/* Each event up to to_seq, until take answers another status than AT_OK: then with that. */
enum at_status log_scan_events(struct log_scan *scan, uint64_t to_seq,
                               enum at_status (*take)(struct log_scan *scan,
                                                      const struct at_event_row *row)) AT_MUST_CHECK;
/* JSON that was written by us, into the arena: AT_IO if it is none. */
enum at_status log_scan_parse(struct log_scan *scan, struct at_json_parser *parser, struct at_text text,
                              struct at_json *out) AT_MUST_CHECK;

#endif
