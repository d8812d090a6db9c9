/* SPDX-License-Identifier: Apache-2.0
 *
 * Forgetting, on the commit thread: a person is erased in one transaction, after which no read finds them;
 * their rows go in slices between the groups, overwritten with zeros (secure_delete), and the write-ahead log
 * is cut to nothing, so that nothing of them is left in the files. A stop finishes it; a crash goes on with
 * it at the next start: the work that is left is in the database.
 */
#include "store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/time.h"

#define SLICE_ROWS 256

/* ---- the writes ---- */

static enum at_status add_erasure(struct at_store *store, const struct at_erasure_row *row) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_ERASURE_ADD, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, row->id);
    at_bind_number(statement, 2, row->person);
    sqlite3_bind_int64(statement, 3, row->at_ms);
    at_bind_text(statement, 4, row->author);
    return at_statement_run(&store->writer, AT_SQL_ERASURE_ADD, statement);
}

static enum at_status add_suppressed(struct at_store *store, const struct at_suppressed_row *row) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_SUPPRESSED_ADD, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, row->hash);
    at_bind_text(statement, 2, row->kind);
    sqlite3_bind_int64(statement, 3, row->at_ms);
    return at_statement_run(&store->writer, AT_SQL_SUPPRESSED_ADD, statement);
}

enum at_status at_write_erase(struct at_store *store, const struct at_write *write) {
    const struct at_erasure_row *row = &write->erasure;
    enum at_status status = add_erasure(store, row);
    for (size_t i = 0; i < row->person_count && status == AT_OK; i++) {
        status = at_writer_numbers(store, AT_SQL_ERASED_PERSON_ADD, row->people[i], NULL);
        if (status == AT_OK) status = at_writer_numbers(store, AT_SQL_PROFILE_DROP, row->people[i], NULL);
        if (status == AT_OK) status = at_writer_numbers(store, AT_SQL_MEMBER_DROP_ALL, row->people[i], NULL);
        if (status == AT_OK) status = at_writer_numbers(store, AT_SQL_DUE_DROP, row->people[i], NULL);
    }
    for (size_t i = 0; i < row->source_count && status == AT_OK; i++) {
        status = at_writer_numbers(store, AT_SQL_ERASED_SOURCE_ADD, row->sources[i], NULL);
        if (status == AT_OK) status = at_writer_numbers(store, AT_SQL_IDENTIFIER_DROP, row->sources[i], NULL);
    }
    for (size_t i = 0; i < row->suppressed_count && status == AT_OK; i++)
        status = add_suppressed(store, &row->suppressed[i]);
    return status;
}

enum at_status at_write_erase_counted(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_ERASURE_COUNTED, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, write->number);
    at_bind_text(statement, 2, write->name);
    store->is_sweeping = true;
    return at_statement_run(&store->writer, AT_SQL_ERASURE_COUNTED, statement);
}

/* The last events of the log may go: their numbers are not given out again. */
static enum at_status keep_last_seq(struct at_store *store) {
    return at_setting_put(store, AT_TEXT("last_seq"), atomic_load(&store->queue.next_seq) - 1);
}

enum at_status at_write_event_gone(struct at_store *store, const struct at_write *write) {
    bool is_last = write->pair.seq + 1 == atomic_load(&store->queue.next_seq);
    enum at_status status = at_writer_numbers(store, AT_SQL_EVENT_DROP, write->pair.seq, NULL);
    if (status == AT_OK)
        status = at_writer_numbers(store, AT_SQL_TIMELINE_DROP, write->pair.source, &write->pair.seq);
    return status == AT_OK && is_last ? keep_last_seq(store) : status;
}

/* ---- the rows go ---- */

static enum at_status next_of(struct at_store *store, enum at_sql which, uint64_t *out) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, which, &status);
    return statement ? at_statement_number(&store->writer, which, statement, out) : status;
}

static enum at_status drop_slice(struct at_store *store, enum at_sql which, uint64_t of, int *dropped) {
    enum at_status status;
    sqlite3_stmt *statement = at_writer_take(store, which, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, of);
    sqlite3_bind_int(statement, 2, SLICE_ROWS);
    status = at_statement_run(&store->writer, which, statement);
    *dropped = sqlite3_changes(store->writer.db);
    return status;
}

static enum at_status scrub_source(struct at_store *store, uint64_t source) {
    int events = 0, dropped = 0;
    enum at_status status = drop_slice(store, AT_SQL_SCRUB_EVENTS, source, &events);
    if (status == AT_OK) status = drop_slice(store, AT_SQL_SCRUB_TIMELINE, source, &dropped);
    if (status == AT_OK && events) status = keep_last_seq(store);
    if (status != AT_OK || dropped == SLICE_ROWS) return status;
    status = at_writer_numbers(store, AT_SQL_SCRUB_LINKS, source, NULL);
    if (status == AT_OK) status = at_writer_numbers(store, AT_SQL_SCRUB_UNLINKS, source, NULL);
    return status == AT_OK ? at_writer_numbers(store, AT_SQL_SCRUB_SOURCE, source, NULL) : status;
}

static enum at_status scrub_person(struct at_store *store, uint64_t person) {
    int dropped = 0;
    enum at_status status = drop_slice(store, AT_SQL_SCRUB_DECISIONS, person, &dropped);
    if (status != AT_OK || dropped == SLICE_ROWS) return status;
    status =
        at_writer_numbers(store, AT_SQL_SCRUB_CLAIMS, person, NULL); /* that the order was counted stays */
    if (status == AT_OK) status = at_writer_numbers(store, AT_SQL_SCRUB_MERGES, person, NULL);
    return status == AT_OK ? at_writer_numbers(store, AT_SQL_SCRUB_PERSON, person, NULL) : status;
}

enum at_status at_scrub_slice(struct at_store *store, bool *is_done) {
    uint64_t next = 0;
    *is_done = false;
    enum at_status status = next_of(store, AT_SQL_ERASED_SOURCE_NEXT, &next);
    if (status == AT_OK) return scrub_source(store, next);
    if (status == AT_NOTFOUND) status = next_of(store, AT_SQL_ERASED_PERSON_NEXT, &next);
    if (status == AT_OK) return scrub_person(store, next);
    if (status != AT_NOTFOUND) return status;
    *is_done = true;
    uint64_t last = 0, open = 0;
    status = next_of(store, AT_SQL_ERASURE_LAST, &last);
    if (status == AT_OK) status = next_of(store, AT_SQL_ERASURE_OPEN, &open);
    if (status != AT_OK) return status;
    store->scrub_wanted = last; /* 0: nothing is open */
    atomic_store(&store->tallies.erasures_open, open);
    return AT_OK;
}

/* ---- the files ---- */

/* False: it stays, and the erasure with it is not over; said once. */
static bool drop_copy(struct at_store *store, int folder, const char *name) {
    if (unlinkat(folder, name, 0) == 0) {
        at_log(&store->log, AT_LOG_INFO, "store", "%s was removed: it held a person who was erased since",
               name);
        return true;
    }
    if (errno == ENOENT) return true;
    if (!atomic_exchange(&store->is_copy_told, true))
        at_log(
            &store->log, AT_LOG_ERROR, "store",
            "%s cannot be removed (%s): it holds a person who was erased; remove it by hand, until then the "
            "erasure is not finished",
            name, strerror(errno));
    return false;
}

/* Copies made before a migration or a restore hold everybody, for ever: they go with the first who is erased.
 */
static bool drop_copies(struct at_store *store) {
    DIR *folder = opendir(store->directory);
    bool is_done = folder != NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strncmp(entry->d_name, AT_STORE_DATABASE ".", sizeof AT_STORE_DATABASE) == 0)
            is_done &= drop_copy(store, dirfd(folder), entry->d_name);
    if (folder) closedir(folder);
    return is_done;
}

bool at_scrub_cut(struct at_store *store, struct at_connection *connection, int wait_ms) {
    int frames = 0, copied = 0;
    sqlite3_busy_timeout(connection->db, wait_ms);
    int code = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &frames, &copied);
    sqlite3_busy_timeout(connection->db, AT_STORE_BUSY_MS);
    return code == SQLITE_OK && drop_copies(store);
}

bool at_scrub_forget(struct at_store *store, int wait_ms) {
    if (!at_scrub_cut(store, &store->writer, wait_ms)) return false;
    sqlite3_db_release_memory(store->writer.db);
    return true;
}

enum at_status at_scrub_finish(struct at_store *store, uint64_t last) {
    enum at_status status;
    uint64_t open = 0;
    sqlite3_stmt *statement = at_writer_take(store, AT_SQL_ERASURE_SCRUBBED, &status);
    if (!statement) return status;
    int64_t now_ms = at_clock_now(NULL);
    sqlite3_bind_int64(statement, 1, now_ms);
    at_bind_number(statement, 2, last);
    status = at_statement_run(&store->writer, AT_SQL_ERASURE_SCRUBBED, statement);
    if (status == AT_OK) status = at_writer_numbers(store, AT_SQL_REQUEST_SCRUBBED, (uint64_t)now_ms, NULL);
    if (status == AT_OK) status = next_of(store, AT_SQL_ERASURE_OPEN, &open);
    if (status == AT_OK) atomic_store(&store->tallies.erasures_open, open);
    return status;
}
