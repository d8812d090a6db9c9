/* SPDX-License-Identifier: Apache-2.0
 *
 * A feed being read, shared by feed.c (JSON) and feed_csv.c. Input that is not yet consumed is kept; a record
 * over AT_RECORD_MAX is dropped as it comes and reported once, so that what is kept stays bounded.
 */
#ifndef AT_CATALOG_FEED_INTERNAL_H
#define AT_CATALOG_FEED_INTERNAL_H

#include "base/csv.h"
#include "catalog/feed.h"

#ifdef AT_FUZZ
#define AT_RECORD_MAX ((size_t)1024) /* small enough that a fuzzer passes it */
#else
#define AT_RECORD_MAX ((size_t)1024 * 1024)
#endif
#define AT_FEED_HELD_MAX   ((size_t)256 * 1024 * 1024) /* given and not yet read */
#define AT_FEED_COLUMN_MAX 1024

enum at_feed_place { AT_FEED_BEFORE, AT_FEED_INSIDE, AT_FEED_AFTER, AT_FEED_ENDED };
enum at_feed_reads { AT_READ_GUESS, AT_READ_TEXT, AT_READ_NUMBER, AT_READ_BOOL, AT_READ_LIST };
struct at_feed_column {
    char *name;
    size_t length;
    enum at_feed_reads kind;
};
struct at_feed {
    enum at_feed_kind kind;
    struct at_root *root;
    struct at_json_parser *parser;
    struct at_bytes input;
    size_t at, scanned; /* of input: first byte of the record, first byte not looked at */
    size_t line, record_line;
    bool is_last, is_dropping;
    /* a JSON array */
    enum at_feed_place place;
    int depth;
    bool is_begun, is_in_string, is_escaped, has_elements;
    /* CSV */
    struct at_csv *csv;
    struct at_feed_column *columns;
    size_t column_count;
    struct at_bytes text; /* the row as JSON */
};

enum at_status at_feed_parse(struct at_feed *feed, struct at_text text, struct at_json *document,
                             struct at_error *err);
enum at_status at_feed_csv_give(struct at_feed *feed, const char *text, size_t length, struct at_error *err);
enum at_status at_feed_csv_next(struct at_feed *feed, struct at_json *document, size_t *line,
                                struct at_error *err);
void at_feed_csv_clear(struct at_feed *feed);

#endif
