/* SPDX-License-Identifier: Apache-2.0
 *
 * attune import orders: a CSV of order lines becomes orders and refunds (profile/order_lines.h), sent like
 * any history. The file is read twice: once to see where the last row of each order is and whether it was
 * imported before, once to send. --dry-run shows how it is understood.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/hash.h"
#include "cli/history.h"

#define SHOWN_ORDERS   5
#define SHOWN_PRODUCTS 4

struct importing {
    const struct cli_call *call;
    struct cli_shop *shop; /* NULL: only shown */
    struct history_file *file;
    struct history_rows *rows;
    struct history_orders how;
    struct at_order_book *book;
    struct history_marks marks;
    struct history_mark mark;
    bool is_done; /* all of it was imported before */
    struct history_say say;
    struct history_sender *sender;
    struct at_bytes text;
    uint64_t orders, refunds, nobodys, nobodys_rows, voids, cut; /* of the whole file */
};

/* ---- how the file is read ---- */

static int announce(struct importing *importing) {
    const struct at_order_rules *rules = &importing->how.rules;
    const char *zone = cli_value(importing->call, "timezone"), *known = rules->columns->known;
    at_bytes_reset(&importing->text);
    at_order_columns_tell(rules->columns, &importing->text);
    if (importing->text.failed) return cli_fail(importing->call, EXIT_FAILED, "out of memory");
    fprintf(stderr, "%s%s %s, times without an offset are of %s", known ? known : "",
            known ? "'s columns:" : "columns:", importing->text.data,
            zone ? zone : "UTC (--timezone says otherwise)");
    if (rules->cancelled_prefix) fprintf(stderr, ", ids with %s are refunds", rules->cancelled_prefix);
    fputc('\n', stderr);
    return EXIT_DONE;
}

static int read_columns(struct importing *importing) {
    const struct cli_call *call = importing->call;
    int code = history_orders_header(call, importing->rows, at_order_book_needs, &importing->how);
    if (code) return code;
    importing->book = at_order_book_new(&importing->how.rules);
    return importing->book ? announce(importing) : cli_fail(call, EXIT_FAILED, "out of memory");
}

/* ---- the first pass ---- */

/* A file that is understood otherwise makes other events: it is another import. */
static uint64_t hash_rules(const struct importing *importing) {
    static const char *const options[] = {"source", "at-format", "timezone", "currency"};
    const struct at_order_rules *rules = &importing->how.rules;
    const int *column = rules->columns->column;
    uint64_t hash = at_hash64(column, AT_ORDER_IMPORTED * sizeof *column);
    for (size_t i = 0; i < AT_LENGTH(options); i++) {
        const char *value = cli_value(importing->call, options[i]);
        hash = at_hash64_seed(value ? value : "", value ? strlen(value) : 0, at_mix64(hash + i));
    }
    const char *prefix = rules->cancelled_prefix ? rules->cancelled_prefix : "";
    return at_hash64_seed(prefix, strlen(prefix), hash);
}

static int note_row(struct importing *importing, const struct history_row *row) {
    uint64_t records = history_rows_count(importing->rows), chain = history_rows_chain(importing->rows);
    enum at_status status = at_order_book_note(importing->book, row->fields, row->count);
    if (status == AT_TOOBIG)
        return cli_fail(importing->call, EXIT_REFUSED, "more than 64 million orders in one file: split it");
    if (status != AT_OK) return cli_fail(importing->call, EXIT_FAILED, "out of memory");
    if (records == 1 && importing->shop) {
        int code = history_marks_read(importing->call, importing->shop, "orders",
                                      at_hash64_seed(&chain, sizeof chain, hash_rules(importing)),
                                      &importing->marks);
        if (code) return code;
    }
    history_marks_meet(&importing->marks, records, chain, &importing->mark);
    return EXIT_DONE;
}

static int first_pass(struct importing *importing) {
    struct history_row row;
    int code = EXIT_DONE;
    while (!code && history_rows_next(importing->rows, &row, &code)) code = note_row(importing, &row);
    if (code) return code;
    history_mark_choose(&importing->marks, &importing->mark, cli_value(importing->call, "again") != NULL);
    importing->is_done =
        importing->mark.is_whole && importing->mark.before == history_rows_count(importing->rows);
    return history_rows_rewind(importing->rows);
}

/* ---- an order ---- */

static void show_order(const struct at_order_seen *order) {
    char at[AT_TIME_SIZE];
    struct at_text who = order->user_id.length        ? order->user_id
                         : order->email.length        ? order->email
                         : order->anonymous_id.length ? order->anonymous_id
                                                      : order->phone;
    at_time_format(order->is_order ? order->at_ms : order->refunded_ms, at);
    printf("%s %.*s of %.*s at %s: %.2f %.*s", order->is_order ? "order" : "refund", (int)order->id.length,
           order->id.data, (int)who.length, who.data, at, order->is_order ? order->revenue : order->refunded,
           (int)order->currency.length, order->currency.data);
    if (order->is_order && order->is_refunded)
        printf(order->is_whole ? ", all of it refunded" : ", %.2f of it refunded", order->refunded);
    if (!order->is_order && order->refund_of.length)
        printf(", of order %.*s", (int)order->refund_of.length, order->refund_of.data);
    printf("\n");
    for (uint32_t i = 0; i < order->product_count && i < SHOWN_PRODUCTS; i++) {
        const struct at_order_product *product = &order->products[i];
        printf("    %g x %.*s at %g\n", product->quantity, (int)product->id.length, product->id.data,
               product->price);
    }
    if (order->product_count > SHOWN_PRODUCTS)
        printf("    and %u products more\n", order->product_count - SHOWN_PRODUCTS);
}

/* Records and chain before the row: it is done when all of its events are there. */
struct place {
    uint64_t records, chain;
};

static int send_event(struct importing *importing, const struct at_order_seen *order, int which,
                      const struct place *place) {
    at_bytes_reset(&importing->text);
    if (!at_order_write(order, which, &importing->text)) return EXIT_DONE;
    if (!at_bytes_reserve(&importing->text, AT_JSON_PADDING))
        return cli_fail(importing->call, EXIT_FAILED, "out of memory");
    struct history_record record = {.text = {importing->text.data, importing->text.length},
                                    .line = order->line};
    return history_send(importing->sender, &record, place->records, place->chain);
}

static int send_order(struct importing *importing, const struct at_order_seen *order,
                      const struct place *place) {
    int code = send_event(importing, order, 0, place);
    if (!code) code = send_event(importing, order, 1, place);
    if (code) return code;
    importing->mark.records = history_rows_count(importing->rows);
    importing->mark.chain = history_rows_chain(importing->rows);
    return EXIT_DONE;
}

static void say_bad(struct importing *importing, uint64_t line, const char *why) {
    if (history_rows_count(importing->rows) <= importing->mark.before) return; /* said in that run */
    importing->mark.bad++;
    history_say_line(&importing->say, line, at_text_of(why));
}

static int take_order(struct importing *importing, const struct at_order_seen *order,
                      const struct place *place) {
    char why[300];
    if (order->is_void) {
        importing->voids++;
        return EXIT_DONE;
    }
    if (!order->has_person) {
        importing->nobodys++;
        importing->nobodys_rows += order->rows;
        return EXIT_DONE;
    }
    if (order->wrong) {
        snprintf(why, sizeof why, "%s; order %.*s is not taken", order->wrong,
                 (int)(order->id.length < 60 ? order->id.length : 60), order->id.data);
        say_bad(importing, order->wrong_line, why);
        return EXIT_DONE;
    }
    importing->orders += order->is_order;
    importing->refunds += order->is_refunded;
    importing->cut += order->left_out > 0;
    if (!importing->shop && importing->orders + importing->refunds <= SHOWN_ORDERS) show_order(order);
    if (!importing->shop || history_rows_count(importing->rows) <= importing->mark.before) return EXIT_DONE;
    return send_order(importing, order, place);
}

/* ---- the second pass ---- */

static int take_row(struct importing *importing, const struct history_row *row, const struct place *place) {
    struct at_order_seen order;
    struct at_error err = {0};
    enum at_status status =
        at_order_book_add(importing->book, row->fields, row->count, row->line, &order, &err);
    if (status == AT_OK) return take_order(importing, &order, place);
    if (status == AT_NOTFOUND) return EXIT_DONE;
    if (status != AT_INVALID)
        return cli_fail(importing->call, status == AT_TOOBIG ? EXIT_REFUSED : EXIT_FAILED, "%s", err.message);
    say_bad(importing, row->line, row->wrong ? row->wrong : err.message);
    return EXIT_DONE;
}

static int take_rest(struct importing *importing, const struct place *place) {
    struct at_order_seen order;
    enum at_status status;
    int code = EXIT_DONE;
    while (!code && (status = at_order_book_rest(importing->book, &order)) != AT_NOTFOUND)
        code = status == AT_OK ? take_order(importing, &order, place)
                               : cli_fail(importing->call, EXIT_FAILED, "out of memory");
    return code;
}

static int second_pass(struct importing *importing) {
    struct history_row row;
    struct place place = {0, history_rows_chain(importing->rows)};
    int code = EXIT_DONE;
    while (!code && history_rows_next(importing->rows, &row, &code)) {
        code = take_row(importing, &row, &place);
        place = (struct place){history_rows_count(importing->rows), history_rows_chain(importing->rows)};
        if (importing->sender)
            history_say_progress(&importing->say, history_file_share(importing->file),
                                 history_sent(importing->sender));
    }
    return code ? code : take_rest(importing, &place);
}

static int send_all(struct importing *importing) {
    importing->sender =
        history_sender_open(importing->call, importing->shop, &importing->mark, &importing->say);
    if (!importing->sender) return EXIT_FAILED;
    history_mark_go_on(&importing->marks, &importing->mark, "rows");
    int code = second_pass(importing);
    if (!code) {
        importing->mark.records = history_rows_count(importing->rows);
        importing->mark.chain = history_rows_chain(importing->rows);
    }
    int rest = code == EXIT_DONE || code == EXIT_REFUSED ? history_send_rest(importing->sender, !code) : code;
    history_say_end(&importing->say, history_file_share(importing->file), history_sent(importing->sender));
    return rest ? rest : code;
}

static void say_file(const struct importing *importing) {
    printf("%llu orders and %llu refunds in the file\n", (unsigned long long)importing->orders,
           (unsigned long long)importing->refunds);
    if (importing->nobodys)
        printf("%llu orders name nobody (%llu rows): not taken\n", (unsigned long long)importing->nobodys,
               (unsigned long long)importing->nobodys_rows);
    if (importing->voids)
        printf("%llu orders were cancelled, voided or failed: not taken\n",
               (unsigned long long)importing->voids);
    if (importing->cut)
        printf("%llu orders have more products than an event holds: the dearest are in it, the revenue is "
               "whole\n",
               (unsigned long long)importing->cut);
}

static int import_rows(struct importing *importing) {
    int code = history_rows_rewind(importing->rows);
    if (!code) code = read_columns(importing);
    if (!code) code = first_pass(importing);
    if (code) return code;
    history_say_begin(&importing->say, "events");
    if (!importing->shop) {
        code = second_pass(importing);
        if (!code) say_file(importing);
        if (!code)
            printf("nothing was imported (--dry-run); %llu rows are not accepted\n",
                   (unsigned long long)importing->mark.bad);
        return code ? code : importing->mark.bad ? EXIT_REFUSED : EXIT_DONE;
    }
    if (!importing->is_done) {
        code = send_all(importing);
        if (code) return code;
        say_file(importing);
    }
    return history_mark_sum(&importing->mark, "rows");
}

static int import_file(struct importing *importing) {
    const struct cli_call *call = importing->call;
    const char *folder = cli_value(call, "shop") ? cli_value(call, "shop") : ".",
               *temporary = getenv("TMPDIR");
    char data[4096];
    int code = history_orders_init(call, &importing->how);
    if (code) return code;
    cli_data(call, folder, data, sizeof data);
    if (cli_value(call, "dry-run"))
        snprintf(data, sizeof data, "%s", temporary ? temporary : "/tmp");
    else if (!(importing->shop = cli_shop_open(call, folder)))
        return EXIT_FAILED;
    importing->file = history_file_open(call, call->words[1], data);
    importing->rows = importing->file ? history_rows_open(call, importing->file) : NULL;
    return importing->rows ? import_rows(importing) : EXIT_FAILED;
}

int import_orders(const struct cli_call *call) {
    struct importing importing = {.call = call};
    if (strcmp(call->words[1], "-") != 0 && access(call->words[1], R_OK))
        return cli_fail(call, EXIT_FAILED, "cannot read %s: %s", call->words[1], strerror(errno));
    at_bytes_init(&importing.text, 1 << 20);
    int code = import_file(&importing);
    history_sender_close(importing.sender);
    at_order_book_free(importing.book);
    history_orders_clear(&importing.how);
    history_marks_clear(&importing.marks);
    history_rows_close(importing.rows);
    history_file_close(importing.file);
    if (importing.shop) cli_shop_close(importing.shop);
    at_bytes_clear(&importing.text);
    return code;
}
