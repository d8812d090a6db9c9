/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads CSV (RFC 4180, UTF-8, LF or CRLF, optional BOM, quoted fields with doubled quotes) record by record
 * from text fed in pieces. Fields are lent until the next call. Hostile input is bounded by max_record.
 */
#ifndef AT_BASE_CSV_H
#define AT_BASE_CSV_H

#include "base/bytes.h"

struct at_csv;
struct at_csv *at_csv_new(char delimiter, size_t max_record_bytes, size_t max_fields);
void at_csv_free(struct at_csv *csv);
/* Give more input; is_last: no more will come. The text is copied as needed. */
enum at_status at_csv_feed(struct at_csv *csv, const char *text, size_t length, bool is_last) AT_MUST_CHECK;
/* AT_OK: a record (*fields, *count, *line of its first byte, from 1). AT_NOTFOUND: feed more, or the end.
 * AT_INVALID, AT_TOOBIG: that record is bad (err says why); the reader continues with the next line. */
enum at_status at_csv_next(struct at_csv *csv, const struct at_text **fields, size_t *count, size_t *line,
                           struct at_error *err) AT_MUST_CHECK;

#endif
