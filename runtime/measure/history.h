/* SPDX-License-Identifier: Apache-2.0
 *
 * A history that was not imported yet, judged record by record: rows of order lines, read as an import would
 * read them (profile/order_lines.h), and events. Of a row only what the next ones of its order inherit is
 * kept. Used by cli/audit_files.c, which reads the files. Pure; one owner, one thread.
 */
#ifndef AT_MEASURE_HISTORY_H
#define AT_MEASURE_HISTORY_H

#include "measure/audit.h"
#include "profile/order_lines.h"

struct at_history;
struct at_history *at_history_new(struct at_audit *audit, int64_t now_ms); /* NULL: out of memory */
void at_history_free(struct at_history *history);
/* The next file, whose name is said with its records. rules: of its rows, of which they inherit nothing of
 * another file's; borrowed. NULL: it holds events. */
void at_history_begin(struct at_history *history, const char *name, const struct at_order_rules *rules);
extern const struct at_order_need at_history_needs[]; /* of the rules' columns */
/* A row with another number of cells than the header is none; it is counted. AT_NOMEM. */
enum at_status at_history_row(struct at_history *history, uint64_t line, const struct at_text *fields,
                              size_t count) AT_MUST_CHECK;
/* An event, or a batch of them. AT_INVALID: it is no JSON object; it is counted. AT_NOMEM. */
enum at_status at_history_event(struct at_history *history, uint64_t line, struct at_text text) AT_MUST_CHECK;

#endif
