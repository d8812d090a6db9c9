/* SPDX-License-Identifier: Apache-2.0
 *
 * What the verbs that read history share: the bytes of a file (plain, gzip, standard input), records cut
 * from it, how orders are read of it; and those that bring it in: the marks that say how far an import is,
 * the way of events to the shop, and what is said meanwhile. One thread; each function that says what is
 * wrong does so through cli_fail and answers an exit code.
 */
#ifndef AT_CLI_HISTORY_H
#define AT_CLI_HISTORY_H

#include "base/json.h"
#include "base/tally.h"
#include "base/time.h"
#include "cli/cli.h"
#include "profile/order_lines.h"

/* ---- history_file.c: bytes ---- */
/* A file as its bytes, inflated if it is gzip. Standard input ("-") that cannot be read twice is first
 * written to a nameless file in the data folder. */
struct history_file;
struct history_file *history_file_open(const struct cli_call *call, const char *name, const char *data);
void history_file_close(struct history_file *file);
const char *history_file_name(const struct history_file *file);
int history_file_rewind(struct history_file *file); /* to its first byte */
int history_file_read(struct history_file *file, char *into, size_t room, size_t *length); /* 0: the end */
double history_file_share(const struct history_file *file); /* of its bytes, read so far: 0 to 1 */

/* ---- history_records.c: one JSON text after the other ---- */
#define HISTORY_RECORD_MAX ((size_t)1 << 20)
/* The records of JSON lines, of a JSON array, or of the array "batch" of one object. Each goes into a chain
 * of hashes: what it is after n records says what those n were. */
struct history_record {
    struct at_text text; /* without space around it; lent until the next, AT_JSON_PADDING readable behind */
    uint64_t line;       /* it begins on, from 1 */
    const char *wrong;   /* it is none: why; NULL: it is one */
};
struct history_records;
struct history_records *history_records_open(const struct cli_call *call, struct history_file *file);
struct history_records *history_lines_open(
    const struct cli_call *call, struct history_file *file); /* JSON lines, whatever they look like */
void history_records_close(struct history_records *records);
int history_records_rewind(struct history_records *records);
/* False: there is none, at the end or because *code (then not EXIT_DONE) says so. */
bool history_next(struct history_records *records, struct history_record *record, int *code);
uint64_t history_count(const struct history_records *records); /* records so far */
uint64_t history_chain(const struct history_records *records);

/* ---- history_rows.c: one CSV record after the other ---- */
/* The records behind the header, which belongs to the chain; the delimiter is what the header has most of. */
struct history_rows;
struct history_rows *history_rows_open(const struct cli_call *call, struct history_file *file);
void history_rows_close(struct history_rows *rows);
int history_rows_rewind(
    struct history_rows *rows); /* to the first record behind the header; before the first, too */
const char *history_rows_name(const struct history_rows *rows); /* of the file */
const struct at_text *history_rows_header(const struct history_rows *rows, size_t *count);
struct history_row {
    const struct at_text *fields; /* lent until the next */
    size_t count;
    uint64_t line;
    const char *wrong; /* it is none: why; NULL: it is one */
};
bool history_rows_next(struct history_rows *rows, struct history_row *row, int *code); /* as history_next */
uint64_t history_rows_count(const struct history_rows *rows);
uint64_t history_rows_chain(const struct history_rows *rows);

/* ---- history_orders.c: how rows are orders ---- */
struct history_orders {
    struct at_order_columns columns; /* of the file whose header came last; it borrows that */
    struct at_zone *zone;
    struct at_order_rules rules;
};
/* By --map, --at-format, --timezone, --currency; what can be wrong with them without a file is said. */
int history_orders_init(const struct cli_call *call, struct history_orders *orders);
void history_orders_clear(struct history_orders *orders);
/* Its columns and the prefix of refunds. needs: as in profile/order_columns.h. */
int history_orders_header(const struct cli_call *call, const struct history_rows *rows,
                          const struct at_order_need *needs, struct history_orders *orders);

/* ---- history_mark.c: how far ---- */
struct history_mark { /* of one import of one file */
    char name[101];
    uint64_t records, chain; /* done, and what they were */
    uint64_t line;           /* of the last of them */
    uint64_t taken, there, withheld, bad;
    uint64_t derived;      /* ids that were made of what an event says */
    bool is_whole;         /* the file ended there */
    uint64_t before;       /* records done when this run began; not kept */
    char at[AT_TIME_SIZE]; /* when it was left */
};
/* The marks of files that begin like this one. */
struct history_marks {
    char prefix[64]; /* of their names; a number follows */
    struct history_mark *list;
    size_t count;
};
/* prefix: "events"; the rest of the names follows from `first`, a hash of how the import is done and of how
 * the file begins. */
int history_marks_read(const struct cli_call *call, struct cli_shop *shop, const char *prefix, uint64_t first,
                       struct history_marks *marks);
void history_marks_clear(struct history_marks *marks);
/* A record more was read: if one of the marks says the same of as many, it is the best so far. */
void history_marks_meet(const struct history_marks *marks, uint64_t records, uint64_t chain,
                        struct history_mark *best);
uint64_t history_marks_most(const struct history_marks *marks); /* records of the longest */
void history_marks_fresh(const struct history_marks *marks, struct history_mark *mark);
/* What was met, or a fresh one if nothing was or is_again; mark->before says where the run begins. */
void history_mark_choose(const struct history_marks *marks, struct history_mark *mark, bool is_again);
/* There are records behind it: says where it goes on. A file that was whole and has grown gets a mark of its
 * own, so that the shorter one stays known. what: "lines". */
void history_mark_go_on(const struct history_marks *marks, struct history_mark *mark, const char *what);
int history_mark_sum(const struct history_mark *mark,
                     const char *what); /* says what came of it all; an exit code */
void history_mark_write(const struct history_mark *mark, struct at_json_out *out); /* {"name","state"} */

/* ---- history_say.c: what is said meanwhile, on standard error ---- */
struct history_say {
    const char *what; /* "events" */
    bool is_terminal;
    uint64_t lines; /* of the file, that something was said of; a thousand are said one by one */
    uint64_t said_ns;
};
void history_say_begin(struct history_say *say, const char *what);
/* Why a record is none, or what of it says nothing. */
void history_say_line(struct history_say *say, uint64_t line, struct at_text message);
void history_say_progress(struct history_say *say, double share, uint64_t done); /* now and then */
void history_say_end(struct history_say *say, double share, uint64_t done);

/* ---- history_send.c: events to the shop, in batches ---- */
/* Three batches are on their way at most. The next goes when fewer are, with the mark as of the last that was
 * answered, so it is durable. A run that ends at any moment has left at most three batches more than its mark
 * says; they are known by their ids when they come again. */
struct history_sender;
/* mark: where it begins; kept up to date: its place is what was read, its counts are what was answered.
 * source: NULL: the usual one. */
struct history_sender *history_sender_open(const struct cli_call *call, struct cli_shop *shop,
                                           struct history_mark *mark, struct history_say *say);
void history_sender_close(struct history_sender *sender); /* before its shop; waits for what is on its way */
/* One event as JSON; what is wrong with it is said with the line, and it goes on. records, chain: of the
 * file, with this one. */
int history_send(struct history_sender *sender, const struct history_record *record, uint64_t records,
                 uint64_t chain);
/* A record that was taken before: what it gets an id from is counted. */
int history_pass(struct history_sender *sender, const struct history_record *record);
/* What is left, and when all is answered the mark; is_whole: the file ended. */
int history_send_rest(struct history_sender *sender, bool is_whole);
uint64_t history_sent(const struct history_sender *sender); /* events the shop has answered */

/* ---- the verbs ---- */
int import_catalog(const struct cli_call *call);
int import_events(const struct cli_call *call);
int import_orders(const struct cli_call *call);

#endif
