/* SPDX-License-Identifier: Apache-2.0
 *
 * One function a kind of write, and the expectations: run by the commit thread inside its transaction. A
 * status is either the database's failure (the whole transaction goes) or the unit's own (AT_STALE,
 * AT_DUPLICATE, AT_INVALID).
 */
#include "store/internal.h"

#include <stdio.h>
#include <string.h>
#include "base/hash.h"

typedef enum at_status write_fn(struct at_store *store, const struct at_write *write);

sqlite3_stmt *at_writer_take(struct at_store *store, enum at_sql which, enum at_status *status) {
    return at_statement_take(&store->writer, which, status);
}

enum at_status at_writer_numbers(struct at_store *store, enum at_sql which, uint64_t a, const uint64_t *b) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, which, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, a);
    if (b) at_bind_number(statement, 2, *b);
    return at_statement_run(&store->writer, which, statement);
}

static enum at_status write_event(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_event_row *row = &write->event;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_EVENT_ADD, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, row->seq);
    at_bind_number(statement, 2, row->source);
    sqlite3_bind_int64(statement, 3, row->at_ms);
    sqlite3_bind_int64(statement, 4, row->received_ms);
    at_bind_text(statement, 5, row->origin);
    at_bind_text(statement, 6, row->message_id);
    at_bind_text(statement, 7, row->name);
    at_bind_number(statement, 8, row->message_key);
    at_bind_number(statement, 9, row->payload_hash);
    at_bind_text(statement, 10, row->facts);
    at_bind_text(statement, 11, row->body);
    return at_statement_run(&store->writer, AT_SQL_EVENT_ADD, statement);
}

static enum at_status find_identifier(struct at_store *store, struct at_text kind, struct at_text value,
                                      struct at_identifier_row *out) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_IDENTIFIER_GET, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, kind);
    at_bind_text(statement, 2, value);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        out->id = at_column_number(statement, 0);
        out->person = at_column_number(statement, 1);
    }
    at_statement_give(&store->writer, AT_SQL_IDENTIFIER_GET, statement);
    return code == SQLITE_DONE ? AT_NOTFOUND : at_sql_status(code);
}

static enum at_status write_identifier(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_identifier_row *row = &write->identifier;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_IDENTIFIER_ADD, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, row->id);
    at_bind_text(statement, 2, row->kind);
    at_bind_text(statement, 3, row->value);
    at_bind_number(statement, 4, row->person);
    sqlite3_bind_int64(statement, 5, row->since_ms);
    status = at_statement_run(&store->writer, AT_SQL_IDENTIFIER_ADD, statement);
    if (status != AT_OK || sqlite3_changes(store->writer.db) != 0) return status;
    struct at_identifier_row found = {.id = 0};
    status = find_identifier(store, row->kind, row->value, &found);
    return status == AT_OK && found.id != row->id ? AT_STALE : status; /* somebody else named it first */
}

static enum at_status write_move(struct at_store *store, const struct at_write *write) {
    return at_writer_numbers(store, AT_SQL_IDENTIFIER_MOVE, write->identifier.person, &write->identifier.id);
}

static enum at_status write_link(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_link_row *row = &write->link;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_LINK_ADD, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, row->a);
    at_bind_number(statement, 2, row->b);
    sqlite3_bind_int64(statement, 3, row->at_ms);
    at_bind_text(statement, 4, row->origin);
    at_bind_text(statement, 5, row->message_id);
    at_bind_text(statement, 6, row->name);
    return at_statement_run(&store->writer, AT_SQL_LINK_ADD, statement);
}

static enum at_status write_unlink(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_unlink_row *row = &write->unlink;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_UNLINK_ADD, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, row->a);
    at_bind_number(statement, 2, row->b);
    sqlite3_bind_int64(statement, 3, row->at_ms);
    at_bind_text(statement, 4, row->author);
    return at_statement_run(&store->writer, AT_SQL_UNLINK_ADD, statement);
}

static enum at_status write_merge(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_merge_row *row = &write->merge;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_MERGE_ADD, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, row->survivor);
    at_bind_number(statement, 2, row->loser);
    sqlite3_bind_int64(statement, 3, row->at_ms);
    at_bind_number(statement, 4, row->a);
    at_bind_number(statement, 5, row->b);
    return at_statement_run(&store->writer, AT_SQL_MERGE_ADD, statement);
}

static enum at_status write_claim(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_CLAIM_ADD, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, write->claim.kind);
    at_bind_text(statement, 2, write->claim.key);
    at_bind_number(statement, 3, write->claim.person);
    at_bind_number(statement, 4, write->claim.source);
    sqlite3_bind_int64(statement, 5, write->claim.at_ms);
    return at_statement_run(&store->writer, AT_SQL_CLAIM_ADD, statement);
}

static enum at_status write_profile(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_PROFILE_PUT, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, write->profile.person);
    at_bind_number(statement, 2, write->profile.applied_seq);
    at_bind_text(statement, 3, write->profile.body);
    at_bind_number(statement, 4, write->profile.rhythm_days);
    return at_statement_run(&store->writer, AT_SQL_PROFILE_PUT, statement);
}

static enum at_status write_profile_gone(struct at_store *store, const struct at_write *write) {
    return at_writer_numbers(store, AT_SQL_PROFILE_DROP, write->profile.person, NULL);
}

static enum at_status write_rhythm(struct at_store *store, const struct at_write *write) {
    uint64_t days = write->profile.rhythm_days;
    return at_writer_numbers(store, AT_SQL_RHYTHM_PUT, write->profile.person, &days);
}

static enum at_status write_timeline(struct at_store *store, const struct at_write *write) {
    return at_writer_numbers(store, AT_SQL_TIMELINE_ADD, write->pair.source, &write->pair.seq);
}

enum at_status at_message_part_put(struct at_store *store, uint64_t run, const unsigned char *rows,
                                   size_t count, uint64_t first_key) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_PART_ADD, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, run);
    at_bind_number(statement, 2, at_key_order(first_key));
    sqlite3_bind_blob64(statement, 3, rows, count * AT_ROW_BYTES, SQLITE_STATIC);
    return at_statement_run(&store->writer, AT_SQL_PART_ADD, statement);
}

enum at_status at_message_run_put(struct at_store *store, uint64_t run, int64_t sealed_ms, size_t key_count) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_RUN_ADD, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, run);
    sqlite3_bind_int64(statement, 2, sealed_ms);
    at_bind_number(statement, 3, key_count);
    return at_statement_run(&store->writer, AT_SQL_RUN_ADD, statement);
}

/* The name and a text: state, setting. */
static enum at_status put_into(struct at_connection *connection, enum at_sql which, struct at_text name,
                               struct at_text text) {
    enum at_status status;
    sqlite3_stmt *statement = at_statement_take(connection, which, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, name);
    at_bind_text(statement, 2, text);
    return at_statement_run(connection, which, statement);
}

static enum at_status put_named(struct at_store *store, enum at_sql which, struct at_text name,
                                struct at_text text) {
    return put_into(&store->writer, which, name, text);
}

enum at_status at_setting_into(struct at_connection *connection, struct at_text name, struct at_text text) {
    return put_into(connection, AT_SQL_SETTING_PUT, name, text);
}

enum at_status at_setting_put(struct at_store *store, struct at_text name, uint64_t number) {
    char text[24];
    int length = snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    return put_named(store, AT_SQL_SETTING_PUT, name, (struct at_text){text, (size_t)length});
}

static enum at_status write_cursor(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_CURSOR_PUT, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, write->name);
    at_bind_number(statement, 2, write->number);
    return at_statement_run(&store->writer, AT_SQL_CURSOR_PUT, statement);
}

static enum at_status write_state(struct at_store *store, const struct at_write *write) {
    return put_named(store, AT_SQL_STATE_PUT, write->name, write->text);
}

static enum at_status write_setting(struct at_store *store, const struct at_write *write) {
    return put_named(store, AT_SQL_SETTING_PUT, write->name, write->text);
}

static enum at_status write_product(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_product_row *row = &write->product;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_PRODUCT_PUT, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, row->row);
    at_bind_text(statement, 2, row->id);
    sqlite3_bind_int64(statement, 3, row->updated_ms);
    sqlite3_bind_int(statement, 4, row->is_retired);
    at_bind_text(statement, 5, row->body);
    return at_statement_run(&store->writer, AT_SQL_PRODUCT_PUT, statement);
}

static enum at_status write_product_stat(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_PRODUCT_STAT_PUT, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, write->product.row);
    at_bind_text(statement, 2, write->text);
    return at_statement_run(&store->writer, AT_SQL_PRODUCT_STAT_PUT, statement);
}

/* The text is kept once under its digest, whatever generations hold it. */
static enum at_status write_file(struct at_store *store, uint64_t generation,
                                 const struct at_file_row *file) {
    uint8_t digest[AT_SHA256_SIZE];
    char hex[2 * AT_SHA256_SIZE + 1];
    at_sha256(file->text.data ? file->text.data : "", file->text.length, digest);
    at_hex(digest, sizeof(digest), hex);
    enum at_status status = put_named(store, AT_SQL_FILE_TEXT_ADD, at_text_of(hex), file->text);
    if (status != AT_OK) return status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_GENERATION_FILE_ADD, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, generation);
    at_bind_text(statement, 2, file->path);
    at_bind_text(statement, 3, at_text_of(hex));
    return at_statement_run(&store->writer, AT_SQL_GENERATION_FILE_ADD, statement);
}

static enum at_status write_generation(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_generation_row *row = &write->generation;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_GENERATION_ADD, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, row->id);
    sqlite3_bind_int64(statement, 2, row->at_ms);
    at_bind_text(statement, 3, row->tree_hash);
    at_bind_text(statement, 4, row->source);
    at_bind_text(statement, 5, row->message);
    at_bind_text(statement, 6, row->author);
    status = at_statement_run(&store->writer, AT_SQL_GENERATION_ADD, statement);
    for (size_t i = 0; i < row->file_count && status == AT_OK; i++)
        status = write_file(store, row->id, &row->files[i]);
    return status;
}

static enum at_status write_decision(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_decision_row *row = &write->decision;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_DECISION_ADD, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, row->id);
    sqlite3_bind_int64(statement, 2, row->at_ms);
    at_bind_number(statement, 3, row->person);
    at_bind_text(statement, 4, row->body);
    return at_statement_run(&store->writer, AT_SQL_DECISION_ADD, statement);
}

static enum at_status write_waiting(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    const struct at_waiting_row *row = &write->waiting;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_WAITING_PUT, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, row->number);
    at_bind_text(statement, 2, row->kind);
    at_bind_text(statement, 3, row->key);
    at_bind_text(statement, 4, row->part);
    sqlite3_bind_int64(statement, 5, row->at_ms);
    at_bind_text(statement, 6, row->body);
    return at_statement_run(&store->writer, AT_SQL_WAITING_PUT, statement);
}

static enum at_status write_waiting_gone(struct at_store *store, const struct at_write *write) {
    return at_writer_numbers(store, AT_SQL_WAITING_DROP, write->waiting.number, NULL);
}

/* Readers stop seeing them at once; the rows go in slices. */
static enum at_status write_decisions_expire(struct at_store *store, const struct at_write *write) {
    int64_t before_ms = (int64_t)write->number;
    if (before_ms <= atomic_load(&store->decisions_from_ms)) return AT_OK;
    enum at_status status = at_setting_put(store, AT_TEXT("decisions_from_ms"), write->number);
    if (status != AT_OK) return status;
    atomic_store(&store->decisions_from_ms, before_ms);
    store->is_sweeping = true;
    return AT_OK;
}

/* ---- segments ---- */

static enum at_status run_member(struct at_store *store, enum at_sql which, const struct at_member_row *row) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, which, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, row->person);
    at_bind_text(statement, 2, row->segment);
    if (which == AT_SQL_MEMBER_ADD) sqlite3_bind_int64(statement, 3, row->since_ms);
    return at_statement_run(&store->writer, which, statement);
}

static enum at_status write_member(struct at_store *store, const struct at_write *write) {
    return run_member(store, AT_SQL_MEMBER_ADD, &write->member);
}

static enum at_status write_member_gone(struct at_store *store, const struct at_write *write) {
    return run_member(store, AT_SQL_MEMBER_DROP, &write->member);
}

static enum at_status write_members_merge(struct at_store *store, const struct at_write *write) {
    enum at_status status =
        at_writer_numbers(store, AT_SQL_MEMBER_MERGE, write->member.person, &write->number);
    if (status == AT_OK) status = at_writer_numbers(store, AT_SQL_MEMBER_DROP_ALL, write->number, NULL);
    return status == AT_OK ? at_writer_numbers(store, AT_SQL_DUE_DROP, write->number, NULL) : status;
}

static enum at_status write_due(struct at_store *store, const struct at_write *write) {
    uint64_t at_ms = (uint64_t)write->due.at_ms;
    bool is_never = write->due.at_ms == AT_DUE_NEVER;
    return at_writer_numbers(store, is_never ? AT_SQL_DUE_DROP : AT_SQL_DUE_PUT, write->due.person,
                             is_never ? NULL : &at_ms);
}

static write_fn *const WRITES[] = {
    [AT_WRITE_EVENT] = write_event,
    [AT_WRITE_IDENTIFIER] = write_identifier,
    [AT_WRITE_MOVE] = write_move,
    [AT_WRITE_LINK] = write_link,
    [AT_WRITE_UNLINK] = write_unlink,
    [AT_WRITE_MERGE] = write_merge,
    [AT_WRITE_CLAIM] = write_claim,
    [AT_WRITE_PROFILE] = write_profile,
    [AT_WRITE_PROFILE_GONE] = write_profile_gone,
    [AT_WRITE_RHYTHM] = write_rhythm,
    [AT_WRITE_TIMELINE] = write_timeline,
    [AT_WRITE_MESSAGES] =
        NULL, /* behind.c does both, with their filters; in the front lane they are refused */
    [AT_WRITE_MESSAGES_EXPIRE] = NULL,
    [AT_WRITE_CURSOR] = write_cursor,
    [AT_WRITE_STATE] = write_state,
    [AT_WRITE_PRODUCT] = write_product,
    [AT_WRITE_PRODUCT_STAT] = write_product_stat,
    [AT_WRITE_GENERATION] = write_generation,
    [AT_WRITE_SETTING] = write_setting,
    [AT_WRITE_DECISION] = write_decision,
    [AT_WRITE_DECISIONS_EXPIRE] = write_decisions_expire,
    [AT_WRITE_ERASE] = at_write_erase,
    [AT_WRITE_ERASE_COUNTED] = at_write_erase_counted,
    [AT_WRITE_EVENT_GONE] = at_write_event_gone,
    [AT_WRITE_MONEY] = at_write_money,
    [AT_WRITE_REQUEST] = at_write_request,
    [AT_WRITE_ACCESS] = at_write_access,
    [AT_WRITE_ACCESS_EXPIRE] = at_write_access_expire,
    [AT_WRITE_WAITING] = write_waiting,
    [AT_WRITE_WAITING_GONE] = write_waiting_gone,
    [AT_WRITE_MEMBER] = write_member,
    [AT_WRITE_MEMBER_GONE] = write_member_gone,
    [AT_WRITE_MEMBERS_MERGE] = write_members_merge,
    [AT_WRITE_DUE] = write_due,
};

enum at_status at_write_run(struct at_store *store, const struct at_write *write) {
    if ((size_t)write->kind >= AT_LENGTH(WRITES) || !WRITES[write->kind]) return AT_INVALID;
    return WRITES[write->kind](store, write);
}

/* ---- expectations ---- */

static enum at_status check_no_claim(struct at_store *store, const struct at_claim *claim) {
    enum at_status status;
    uint64_t person;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_CLAIM_GET, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, claim->kind);
    at_bind_text(statement, 2, claim->key);
    status = at_statement_number(&store->writer, AT_SQL_CLAIM_GET, statement, &person);
    if (status == AT_OK) return AT_STALE;
    return status == AT_NOTFOUND ? AT_OK : status;
}

static enum at_status check_person(struct at_store *store, const struct at_identifier_row *expected) {
    struct at_identifier_row found = {.person = 0};
    enum at_status status = find_identifier(store, expected->kind, expected->value, &found);
    if (status == AT_NOTFOUND) return expected->person == 0 ? AT_OK : AT_STALE;
    if (status != AT_OK) return status;
    return found.person == expected->person ? AT_OK : AT_STALE;
}

enum at_status at_expect_check(struct at_store *store, const struct at_expect *expect) {
    switch (expect->kind) {
    case AT_EXPECT_NO_CLAIM: return check_no_claim(store, &expect->claim);
    case AT_EXPECT_PERSON: return check_person(store, &expect->identifier);
    }
    return AT_INVALID;
}
