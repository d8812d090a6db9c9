/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads product feeds: JSON lines, a JSON array, CSV with a header line. Text comes in pieces; each product
 * goes out as a JSON object (borrowed until the next call) with the line it began on. A bad row is reported
 * and skipped, the rest kept. CSV: column names become attributes; empty cells are missing; cells of list
 * attributes (tags, and what the catalog knows as a list) are split at "|" or ";" or ","; numbers, true/false
 * are recognised unless the catalog knows the column as text; Google-style prices "19.99 EUR" read as 19.99.
 */
#ifndef AT_CATALOG_FEED_H
#define AT_CATALOG_FEED_H

#include "catalog/catalog.h"

enum at_feed_kind { AT_FEED_JSON_LINES, AT_FEED_JSON_ARRAY, AT_FEED_CSV };
struct at_feed;
/* By file name (.jsonl .ndjson .json .csv .tsv) or, if name is NULL, by the first bytes. AT_UNSUPPORTED names
 * what is read. */
enum at_status at_feed_kind_of(const char *name, struct at_text head, enum at_feed_kind *out,
                               struct at_error *err) AT_MUST_CHECK;
struct at_feed *at_feed_new(enum at_feed_kind kind,
                            const struct at_root *root); /* root: for kinds; ref'd; may be NULL */
void at_feed_free(struct at_feed *feed);
enum at_status at_feed_give(struct at_feed *feed, const char *text, size_t length, bool is_last,
                            struct at_error *err) AT_MUST_CHECK;
/* AT_OK: *document, *line. AT_NOTFOUND: give more, or the end. Anything else: that row is bad, err says why;
 * go on. */
enum at_status at_feed_next(struct at_feed *feed, struct at_json *document, size_t *line,
                            struct at_error *err) AT_MUST_CHECK;

#endif
