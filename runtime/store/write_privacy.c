/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes of what people asked for, who looked at whom, and what an erased person paid: like those of write.c,
 * run by the commit thread inside its transaction.
 */
#include "store/internal.h"

enum at_status at_write_money(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_money_row *row = &write->money;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_MONEY_ADD, &status);
    if (!statement) return status;
    sqlite3_bind_int64(statement, 1, row->day_ms);
    at_bind_text(statement, 2, row->kind);
    sqlite3_bind_double(statement, 3, row->amount); /* a NaN is kept as NULL */
    at_bind_text(statement, 4, row->currency);
    at_bind_text(statement, 5, row->items);
    return at_statement_run(&store->writer, AT_SQL_MONEY_ADD, statement);
}

enum at_status at_write_request(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_request_row *row = &write->request;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_REQUEST_PUT, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, row->id);
    at_bind_text(statement, 2, row->kind);
    at_bind_text(statement, 3, row->state);
    at_bind_number(statement, 4, row->person);
    at_bind_text(statement, 5, row->source);
    at_bind_text(statement, 6, row->reference);
    sqlite3_bind_int64(statement, 7, row->at_ms);
    sqlite3_bind_int64(statement, 8, row->due_ms);
    sqlite3_bind_int64(statement, 9, row->changed_ms);
    at_bind_text(statement, 10, row->detail);
    return at_statement_run(&store->writer, AT_SQL_REQUEST_PUT, statement);
}

enum at_status at_write_access(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_access_row *row = &write->access;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_ACCESS_ADD, &status);
    if (!statement) return status;
    sqlite3_bind_int64(statement, 1, row->at_ms);
    at_bind_text(statement, 2, row->author);
    at_bind_text(statement, 3, row->action);
    at_bind_number(statement, 4, row->person);
    return at_statement_run(&store->writer, AT_SQL_ACCESS_ADD, statement);
}

enum at_status at_write_access_expire(struct at_store *store, const struct at_write *write) {
    return at_writer_numbers(store, AT_SQL_ACCESS_EXPIRE, write->number, NULL);
}
